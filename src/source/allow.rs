//! Which statements a declaration may hold. The rest is refused, with what to write instead.
//!
//! A declaration says what the schema is. A statement that does something (changes rows, drops, renames), that
//! reaches beyond this database, or that changes how the statements after it are read, is none.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    self as pg, AlterPublicationAction, AlterTableStmt, AlterTableType, ConstrType, GrantTargetType, ObjectType,
    SelectStmt, VariableSetKind, VariableSetStmt, a_const,
};

use crate::name::{Name, list};

/// What a statement is to a declaration.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Declares,
    /// Loaded with the rest, as others may need it, but no plan makes, changes or drops it: what it is.
    Unmanaged(&'static str),
    /// pg_dump sets it, and nothing here depends on it.
    Harmless,
    /// Where the names after it are looked up; `None` is the default again.
    SearchPath(Option<String>),
    /// Until the next such. Grants alone may come then, as pg_dump writes those of others than the owner: who has what is
    /// the same, whoever grants. With what is wrong for anything else.
    ActsAs(Option<Refusal>),
    Refused(Vec<Refusal>),
}

/// Why a statement is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub help: String,
    /// Which of the commands of an ALTER TABLE, from 0, when it is not the statement as a whole.
    pub command: Option<usize>,
}

fn refused(message: impl Into<String>, help: impl Into<String>) -> Verdict {
    Verdict::Refused(vec![Refusal { message: message.into(), help: help.into(), command: None }])
}

/// Judges one statement.
pub fn judge(statement: &NodeEnum) -> Verdict {
    match statement {
        NodeEnum::CreateSchemaStmt(schema) if !schema.schema_elts.is_empty() => refused(
            "CREATE SCHEMA holds other statements",
            "write them as statements of their own, with the namespace before each name",
        ),
        NodeEnum::CreateStmt(table) => relation(table.relation.as_ref(), "CREATE TABLE"),
        NodeEnum::ViewStmt(view) => relation(view.view.as_ref(), "CREATE VIEW"),
        NodeEnum::CreateSeqStmt(sequence) => relation(sequence.sequence.as_ref(), "CREATE SEQUENCE"),
        NodeEnum::CreateTableAsStmt(table) if table.objtype == ObjectType::ObjectMatview as i32 => {
            Verdict::Declares
        }
        NodeEnum::CreateTableAsStmt(_) => made_from_rows(),
        NodeEnum::AlterTableStmt(alter) => alter_table(alter),
        NodeEnum::AlterSeqStmt(alter) if alter.options.iter().any(|option| def_name(option) == Some("restart")) => {
            refused("ALTER SEQUENCE … RESTART sets a value", "leave it out: where a sequence stands is data")
        }
        NodeEnum::AlterDomainStmt(alter) if !matches!(alter.subtype.as_str(), "C" | "T" | "O") => refused(
            "ALTER DOMAIN takes something away or validates it",
            "write the domain in CREATE DOMAIN as it should be",
        ),
        NodeEnum::AlterPublicationStmt(alter) if alter.action != AlterPublicationAction::ApAddObjects as i32 => {
            refused("only ALTER PUBLICATION … ADD declares", "write what it publishes in CREATE PUBLICATION")
        }
        NodeEnum::CommentStmt(comment) => object(comment.objtype, "COMMENT ON"),
        NodeEnum::GrantStmt(grant) if grant.targtype == GrantTargetType::AclTargetDefaults as i32 => {
            Verdict::Declares
        }
        NodeEnum::GrantStmt(grant) => object(grant.objtype, if grant.is_grant { "GRANT ON" } else { "REVOKE ON" }),
        NodeEnum::AlterOwnerStmt(alter) => object(alter.object_type, "ALTER"),
        NodeEnum::DefineStmt(define) => match object_type(define.kind) {
            ObjectType::ObjectType => refused(
                "CREATE TYPE without AS makes a base type",
                "base types need C code and come with extensions; declare the extension",
            ),
            ObjectType::ObjectAggregate => Verdict::Unmanaged("aggregates"),
            ObjectType::ObjectOperator => Verdict::Unmanaged("operators"),
            ObjectType::ObjectCollation => Verdict::Unmanaged("collations"),
            _ => Verdict::Unmanaged("text search objects"),
        },
        NodeEnum::CreateSchemaStmt(_)
        | NodeEnum::CreateExtensionStmt(_)
        | NodeEnum::CreateEnumStmt(_)
        | NodeEnum::CompositeTypeStmt(_)
        | NodeEnum::CreateDomainStmt(_)
        | NodeEnum::AlterDomainStmt(_)
        | NodeEnum::AlterSeqStmt(_)
        | NodeEnum::IndexStmt(_)
        | NodeEnum::CreateFunctionStmt(_)
        | NodeEnum::AlterFunctionStmt(_)
        | NodeEnum::CreateTrigStmt(_)
        | NodeEnum::CreatePolicyStmt(_)
        | NodeEnum::CreateRangeStmt(_)
        | NodeEnum::CreateStatsStmt(_)
        | NodeEnum::AlterStatsStmt(_)
        | NodeEnum::RuleStmt(_)
        | NodeEnum::CreatePublicationStmt(_)
        | NodeEnum::AlterPublicationStmt(_)
        | NodeEnum::AlterDefaultPrivilegesStmt(_) => Verdict::Declares,

        NodeEnum::CreateCastStmt(_) => Verdict::Unmanaged("casts"),
        NodeEnum::CreateConversionStmt(_) => Verdict::Unmanaged("conversions"),
        NodeEnum::CreateTransformStmt(_) => Verdict::Unmanaged("transforms"),
        NodeEnum::CreateOpClassStmt(_) | NodeEnum::CreateOpFamilyStmt(_) | NodeEnum::AlterOpFamilyStmt(_) => {
            Verdict::Unmanaged("operator classes")
        }
        NodeEnum::AlterOperatorStmt(_) => Verdict::Unmanaged("operators"),
        NodeEnum::AlterTsconfigurationStmt(_) | NodeEnum::AlterTsdictionaryStmt(_) => {
            Verdict::Unmanaged("text search objects")
        }
        NodeEnum::CreateEventTrigStmt(_) | NodeEnum::AlterEventTrigStmt(_) => Verdict::Unmanaged("event triggers"),
        NodeEnum::CreateFdwStmt(_)
        | NodeEnum::CreateForeignServerStmt(_)
        | NodeEnum::CreateForeignTableStmt(_)
        | NodeEnum::CreateUserMappingStmt(_) => Verdict::Unmanaged("foreign servers and tables"),
        NodeEnum::CreateAmStmt(_) => Verdict::Unmanaged("access methods"),
        NodeEnum::CreatePlangStmt(_) => Verdict::Unmanaged("languages"),
        NodeEnum::SecLabelStmt(_) => Verdict::Unmanaged("security labels"),

        NodeEnum::SelectStmt(select) if select.into_clause.is_some() => made_from_rows(),
        NodeEnum::SelectStmt(select) => match search_path_call(select) {
            Some(path) => Verdict::SearchPath(Some(path)),
            None => rows("SELECT"),
        },
        NodeEnum::VariableSetStmt(set) => setting(set),
        NodeEnum::InsertStmt(_) => rows("INSERT"),
        NodeEnum::UpdateStmt(_) => rows("UPDATE"),
        NodeEnum::DeleteStmt(_) => rows("DELETE"),
        NodeEnum::MergeStmt(_) => rows("MERGE"),
        NodeEnum::TruncateStmt(_) => rows("TRUNCATE"),
        NodeEnum::CopyStmt(_) => {
            refused("COPY moves rows", "a declaration holds no data; from pg_dump, take `pg_dump --schema-only`")
        }
        NodeEnum::RefreshMatViewStmt(_) => rows("REFRESH MATERIALIZED VIEW"),
        NodeEnum::DropStmt(_) => refused(
            "DROP declares nothing",
            "leave the object out of the declaration; the plan then drops it, and shows what that costs",
        ),
        NodeEnum::RenameStmt(_) => refused(
            "RENAME is a step, no declaration",
            "write the new name where the thing is declared, with `-- tenantry: was old_name` on its line",
        ),
        NodeEnum::AlterObjectSchemaStmt(_) => refused(
            "SET SCHEMA is a step, no declaration",
            "declare the object in the namespace where it should be",
        ),
        NodeEnum::AlterEnumStmt(_) => refused(
            "ALTER TYPE … VALUE is a step, no declaration",
            "write all labels in CREATE TYPE … AS ENUM, in their order; the plan adds what is missing",
        ),
        NodeEnum::AlterTypeStmt(_) => refused("ALTER TYPE … SET is for base types", "leave it to the extension"),
        NodeEnum::AlterPolicyStmt(_) => {
            refused("ALTER POLICY is a step, no declaration", "write the policy in CREATE POLICY as it should be")
        }
        NodeEnum::AlterCollationStmt(_) => refused("ALTER COLLATION refreshes a version", "leave it out"),
        NodeEnum::AlterExtensionStmt(_) | NodeEnum::AlterExtensionContentsStmt(_) => refused(
            "ALTER EXTENSION is a step, no declaration",
            "name the version in CREATE EXTENSION … VERSION, or leave it to the server",
        ),
        NodeEnum::AlterObjectDependsStmt(_) => {
            refused("DEPENDS ON EXTENSION is not managed", "leave it out; the object is declared by itself")
        }
        NodeEnum::DoStmt(_) => refused(
            "DO runs code, and what it does can't be seen from here",
            "write the statements that it would run",
        ),
        NodeEnum::CallStmt(_) => refused("CALL runs code", "leave it out; a declaration does nothing"),
        NodeEnum::TransactionStmt(_) => refused(
            "a declaration has no transactions",
            "leave BEGIN and COMMIT out; the plan decides what belongs together",
        ),
        NodeEnum::CreateRoleStmt(_)
        | NodeEnum::AlterRoleStmt(_)
        | NodeEnum::AlterRoleSetStmt(_)
        | NodeEnum::DropRoleStmt(_)
        | NodeEnum::GrantRoleStmt(_)
        | NodeEnum::DropOwnedStmt(_)
        | NodeEnum::ReassignOwnedStmt(_) => refused(
            "roles belong to the whole server, not to one schema",
            "make roles before the plan is applied; GRANT and OWNER TO may then name them",
        ),
        NodeEnum::CreatedbStmt(_)
        | NodeEnum::AlterDatabaseStmt(_)
        | NodeEnum::AlterDatabaseSetStmt(_)
        | NodeEnum::AlterDatabaseRefreshCollStmt(_)
        | NodeEnum::DropdbStmt(_) => refused(
            "the database itself is not part of its schema",
            "make or alter it beforehand; from pg_dump, leave `--create` out",
        ),
        NodeEnum::CreateTableSpaceStmt(_)
        | NodeEnum::DropTableSpaceStmt(_)
        | NodeEnum::AlterTableSpaceOptionsStmt(_)
        | NodeEnum::AlterTableMoveAllStmt(_) => refused(
            "tablespaces belong to the whole server, not to one schema",
            "make the tablespace beforehand; tables and indexes may then name it",
        ),
        NodeEnum::CreateSubscriptionStmt(_)
        | NodeEnum::AlterSubscriptionStmt(_)
        | NodeEnum::DropSubscriptionStmt(_) => refused(
            "a subscription connects to another server and holds its password",
            "make it by hand once the tables are there; publications can be declared",
        ),
        NodeEnum::AlterSystemStmt(_) => {
            refused("ALTER SYSTEM configures the server", "leave it to those who run the server")
        }
        NodeEnum::ImportForeignSchemaStmt(_) => refused(
            "IMPORT FOREIGN SCHEMA declares what another server happens to hold",
            "write the foreign tables themselves",
        ),
        NodeEnum::AlterFdwStmt(_)
        | NodeEnum::AlterForeignServerStmt(_)
        | NodeEnum::AlterUserMappingStmt(_)
        | NodeEnum::DropUserMappingStmt(_) => {
            refused("this alters what is declared elsewhere", "write it in the CREATE statement as it should be")
        }
        NodeEnum::VariableShowStmt(_) => refused("SHOW declares nothing", "leave it out"),
        NodeEnum::ExplainStmt(_) => refused("EXPLAIN declares nothing", "leave it out"),
        _ => refused("this statement declares nothing", "leave it out; a declaration says what the schema is"),
    }
}

fn rows(what: &str) -> Verdict {
    refused(
        format!("{what} works on rows, and a declaration holds none"),
        "leave it out; rows that must exist are a `[[seed]]`, values for a new column a `backfill`, both in TOML",
    )
}

fn made_from_rows() -> Verdict {
    refused(
        "a table made from a query has no declaration of its own",
        "write CREATE TABLE with its columns; CREATE MATERIALIZED VIEW keeps the query",
    )
}

fn relation(relation: Option<&pg::RangeVar>, what: &str) -> Verdict {
    match relation {
        Some(relation) if relation.relpersistence == "t" => {
            refused(format!("{what} of something temporary"), "leave it out; it would be gone with the session")
        }
        Some(relation) if !relation.catalogname.is_empty() => {
            refused(format!("{what} with the name of a database"), "write namespace and name, without the database")
        }
        _ => Verdict::Declares,
    }
}

/// Judges a statement by the object that it speaks of.
fn object(kind: i32, what: &str) -> Verdict {
    match object_type(kind) {
        ObjectType::ObjectDatabase => refused(
            format!("{what} DATABASE is outside of the schema"),
            "do it by hand; from pg_dump, leave `--create` out",
        ),
        ObjectType::ObjectRole | ObjectType::ObjectTablespace | ObjectType::ObjectParameterAcl => refused(
            format!("{what} something of the whole server"),
            "do it by hand: a plan stays within one database",
        ),
        ObjectType::ObjectSubscription => {
            refused(format!("{what} SUBSCRIPTION"), "do it by hand: subscriptions are not declared")
        }
        ObjectType::ObjectLargeobject => {
            refused(format!("{what} LARGE OBJECT"), "leave it out: large objects are data")
        }
        ObjectType::ObjectAggregate => Verdict::Unmanaged("aggregates"),
        ObjectType::ObjectOperator | ObjectType::ObjectOpclass | ObjectType::ObjectOpfamily => {
            Verdict::Unmanaged("operators")
        }
        ObjectType::ObjectCollation => Verdict::Unmanaged("collations"),
        ObjectType::ObjectConversion => Verdict::Unmanaged("conversions"),
        ObjectType::ObjectCast => Verdict::Unmanaged("casts"),
        ObjectType::ObjectLanguage => Verdict::Unmanaged("languages"),
        ObjectType::ObjectEventTrigger => Verdict::Unmanaged("event triggers"),
        ObjectType::ObjectAccessMethod => Verdict::Unmanaged("access methods"),
        ObjectType::ObjectTransform => Verdict::Unmanaged("transforms"),
        ObjectType::ObjectFdw
        | ObjectType::ObjectForeignServer
        | ObjectType::ObjectForeignTable
        | ObjectType::ObjectUserMapping => Verdict::Unmanaged("foreign servers and tables"),
        ObjectType::ObjectTsconfiguration
        | ObjectType::ObjectTsdictionary
        | ObjectType::ObjectTsparser
        | ObjectType::ObjectTstemplate => Verdict::Unmanaged("text search objects"),
        _ => Verdict::Declares,
    }
}

fn alter_table(alter: &AlterTableStmt) -> Verdict {
    if object_type(alter.objtype) == ObjectType::ObjectType {
        return refused("ALTER TYPE changes what CREATE TYPE says", "write the attributes in CREATE TYPE … AS (…)");
    }
    let refusals: Vec<Refusal> = alter
        .cmds
        .iter()
        .enumerate()
        .filter_map(|(n, node)| match &node.node {
            Some(NodeEnum::AlterTableCmd(command)) => {
                let (message, help) = alter_command(command)?;
                Some(Refusal { message: message.to_owned(), help: help.to_owned(), command: Some(n) })
            }
            _ => None,
        })
        .collect();
    if !refusals.is_empty() {
        Verdict::Refused(refusals)
    } else if object_type(alter.objtype) == ObjectType::ObjectForeignTable {
        Verdict::Unmanaged("foreign servers and tables")
    } else {
        Verdict::Declares
    }
}

/// `None` for a command that declares.
fn alter_command(command: &pg::AlterTableCmd) -> Option<(&'static str, &'static str)> {
    use AlterTableType::*;
    match AlterTableType::try_from(command.subtype).unwrap_or(Undefined) {
        AtColumnDefault if command.def.is_none() => {
            Some(("DROP DEFAULT takes something away", "leave the default out of the column"))
        }
        AtAddConstraint if added_constraint(command) == Some(ConstrType::ConstrNull) => {
            Some(("NULL is no constraint", "leave it out"))
        }
        AtColumnDefault
        | AtSetNotNull
        | AtSetStatistics
        | AtSetOptions
        | AtSetStorage
        | AtSetCompression
        | AtAddConstraint
        | AtAddIndexConstraint
        | AtSetExpression
        | AtChangeOwner
        | AtClusterOn
        | AtSetLogged
        | AtSetUnLogged
        | AtSetAccessMethod
        | AtSetTableSpace
        | AtSetRelOptions
        | AtReplaceRelOptions
        | AtEnableTrig
        | AtEnableAlwaysTrig
        | AtEnableReplicaTrig
        | AtDisableTrig
        | AtEnableTrigAll
        | AtDisableTrigAll
        | AtEnableTrigUser
        | AtDisableTrigUser
        | AtEnableRule
        | AtEnableAlwaysRule
        | AtEnableReplicaRule
        | AtDisableRule
        | AtAddInherit
        | AtAddOf
        | AtReplicaIdentity
        | AtEnableRowSecurity
        | AtDisableRowSecurity
        | AtForceRowSecurity
        | AtNoForceRowSecurity
        | AtGenericOptions
        | AtAlterColumnGenericOptions
        | AtAttachPartition
        | AtAddIdentity
        | AtSetIdentity => None,
        AtAddColumn | AtAddColumnToView => {
            Some(("ADD COLUMN is a step, no declaration", "write the column in CREATE TABLE"))
        }
        AtAlterColumnType => {
            Some(("ALTER COLUMN … TYPE is a step, no declaration", "write the type in CREATE TABLE"))
        }
        AtDropColumn => Some(("DROP COLUMN is a step, no declaration", "leave the column out of CREATE TABLE")),
        AtDropConstraint => {
            Some(("DROP CONSTRAINT is a step, no declaration", "leave the constraint out of the declaration"))
        }
        AtValidateConstraint => Some((
            "VALIDATE CONSTRAINT is a step, no declaration",
            "write the constraint without NOT VALID; the plan validates it",
        )),
        AtAlterConstraint => Some((
            "ALTER CONSTRAINT is a step, no declaration",
            "write the constraint as it should be where it is declared",
        )),
        AtDetachPartition | AtDetachPartitionFinalize => Some((
            "DETACH PARTITION is a step, no declaration",
            "declare the table without PARTITION OF or ATTACH PARTITION",
        )),
        AtDropNotNull | AtDropExpression | AtResetOptions | AtResetRelOptions | AtDropInherit | AtDropOf
        | AtDropIdentity | AtDropCluster | AtDropOids => {
            Some(("this takes something away", "leave out of the declaration what should not be there"))
        }
        // The server's own, never written by people.
        AtCookedColumnDefault
        | AtAddIndex
        | AtReAddIndex
        | AtReAddConstraint
        | AtReAddDomainConstraint
        | AtReAddComment
        | AtReAddStatistics
        | Undefined => Some(("this declares nothing", "write it in CREATE TABLE as it should be")),
    }
}

/// What kind of constraint ADD CONSTRAINT adds.
pub fn added_constraint(command: &pg::AlterTableCmd) -> Option<ConstrType> {
    match &command.def.as_ref()?.node {
        Some(NodeEnum::Constraint(constraint)) => ConstrType::try_from(constraint.contype).ok(),
        _ => None,
    }
}

fn setting(set: &VariableSetStmt) -> Verdict {
    let kind = VariableSetKind::try_from(set.kind).unwrap_or(VariableSetKind::Undefined);
    let reset = matches!(kind, VariableSetKind::VarReset | VariableSetKind::VarSetDefault);
    let value = set.args.first().map(constant).unwrap_or_default();
    let value = value.to_ascii_lowercase();
    match set.name.as_str() {
        "search_path" if reset => Verdict::SearchPath(None),
        "search_path" => Verdict::SearchPath(Some(list(set.args.iter().map(constant).map(Name::from)))),
        "statement_timeout"
        | "lock_timeout"
        | "idle_in_transaction_session_timeout"
        | "transaction_timeout"
        | "check_function_bodies"
        | "client_min_messages"
        | "row_security"
        | "escape_string_warning" => Verdict::Harmless,
        "client_encoding" | "names" if matches!(value.as_str(), "utf8" | "utf-8" | "unicode") => Verdict::Harmless,
        "client_encoding" | "names" => {
            refused("a schema file is UTF-8", "save it as UTF-8 and leave the setting out")
        }
        "standard_conforming_strings" if matches!(value.as_str(), "on" | "true" | "yes" | "1") => Verdict::Harmless,
        "xmloption" if value == "content" => Verdict::Harmless,
        "default_tablespace" if value.is_empty() => Verdict::Harmless,
        "default_table_access_method" if value == "heap" => Verdict::Harmless,
        "default_with_oids" if matches!(value.as_str(), "off" | "false" | "no" | "0") => Verdict::Harmless,
        "default_tablespace" => refused(
            "SET default_tablespace changes the tables after it",
            "write TABLESPACE with each of them; from pg_dump, `--no-tablespaces` leaves it out",
        ),
        "default_table_access_method" => {
            refused("SET default_table_access_method changes the tables after it", "write USING with each of them")
        }
        "session_authorization" | "role" if reset || value == "none" => Verdict::ActsAs(None),
        "session_authorization" | "role" => Verdict::ActsAs(Some(Refusal {
            message: "SET ROLE changes who owns what comes after it".into(),
            help: "write ALTER … OWNER TO; from pg_dump, leave `--use-set-session-authorization` out".into(),
            command: None,
        })),
        name => refused(
            format!("SET {name} changes how the statements after it are read"),
            "leave it out; only search_path and what pg_dump sets is taken",
        ),
    }
}

/// The path of `SELECT pg_catalog.set_config('search_path', …, false)`, as pg_dump writes it.
fn search_path_call(select: &SelectStmt) -> Option<String> {
    let [target] = select.target_list.as_slice() else { return None };
    let Some(NodeEnum::ResTarget(target)) = &target.node else { return None };
    let Some(NodeEnum::FuncCall(call)) = &target.val.as_ref()?.node else { return None };
    let name = call.funcname.last().map(constant)?;
    let [setting, value, _] = call.args.as_slice() else { return None };
    let plain = select.from_clause.is_empty() && select.where_clause.is_none();
    (plain && name == "set_config" && constant(setting) == "search_path").then(|| constant(value))
}

/// The text of a name or constant; empty for anything else.
pub fn constant(node: &pg::Node) -> String {
    match &node.node {
        Some(NodeEnum::String(string)) => string.sval.clone(),
        Some(NodeEnum::AConst(constant)) => match &constant.val {
            Some(a_const::Val::Sval(string)) => string.sval.clone(),
            Some(a_const::Val::Ival(integer)) => integer.ival.to_string(),
            Some(a_const::Val::Boolval(boolean)) => boolean.boolval.to_string(),
            Some(a_const::Val::Fval(float)) => float.fval.clone(),
            Some(a_const::Val::Bsval(bits)) => bits.bsval.clone(),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn def_name(node: &pg::Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::DefElem(element)) => Some(&element.defname),
        _ => None,
    }
}

pub fn object_type(kind: i32) -> ObjectType {
    ObjectType::try_from(kind).unwrap_or(ObjectType::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::syntax;

    fn judged(sql: &str) -> Verdict {
        judge(&syntax::parse(sql).unwrap()[0])
    }

    #[test]
    fn declarations_are_admitted() {
        for sql in [
            "CREATE SCHEMA app AUTHORIZATION me",
            "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
            "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA",
            "ALTER TABLE ONLY t ADD CONSTRAINT c CHECK (a > 0) NOT VALID, ALTER a SET DEFAULT 1, OWNER TO me",
            "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s START 5)",
            "ALTER TABLE t ATTACH PARTITION p DEFAULT",
            "ALTER INDEX i ATTACH PARTITION j",
            "ALTER SEQUENCE s OWNED BY t.a",
            "ALTER DOMAIN d ADD CHECK (VALUE > 0) NOT VALID",
            "ALTER PUBLICATION p ADD TABLE t",
            "COMMENT ON COLUMN t.a IS NULL",
            "GRANT SELECT (a) ON t TO PUBLIC WITH GRANT OPTION",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO me",
            "ALTER FUNCTION f() OWNER TO me",
        ] {
            assert_eq!(judged(sql), Verdict::Declares, "{sql}");
        }
    }

    #[test]
    fn what_acts_is_refused() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "DROP TABLE t",
            "DO $$ $$",
            "BEGIN",
            "SELECT pg_catalog.setval('s', 1)",
            "SELECT 1 INTO t",
            "CREATE TABLE t AS SELECT 1",
            "CREATE TEMP TABLE t (a int)",
            "CREATE TABLE db.s.t (a int)",
            "CREATE ROLE r",
            "CREATE DATABASE d",
            "GRANT CONNECT ON DATABASE d TO r",
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t ALTER a DROP DEFAULT",
            "ALTER TYPE e ADD VALUE 'x'",
            "ALTER SEQUENCE s RESTART",
            "CREATE SCHEMA a CREATE TABLE t (a int)",
            "SET standard_conforming_strings = off",
            "SET datestyle = 'German'",
            "VACUUM",
        ] {
            assert!(matches!(judged(sql), Verdict::Refused(_)), "{sql}");
        }
        for sql in ["SET ROLE me", "SET SESSION AUTHORIZATION me"] {
            assert!(matches!(judged(sql), Verdict::ActsAs(Some(_))), "{sql}");
        }
        for sql in ["RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION"] {
            assert_eq!(judged(sql), Verdict::ActsAs(None), "{sql}");
        }
    }

    #[test]
    fn each_command_is_judged() {
        let Verdict::Refused(refusals) = judged("ALTER TABLE t OWNER TO me, DROP COLUMN a, ADD COLUMN b int")
        else {
            panic!()
        };
        assert_eq!(refusals.iter().map(|refusal| refusal.command).collect::<Vec<_>>(), [Some(1), Some(2)]);
    }

    #[test]
    fn the_search_path_is_followed() {
        let path = |path: &str| Verdict::SearchPath(Some(path.to_owned()));
        assert_eq!(judged("SELECT pg_catalog.set_config('search_path', '', false)"), path(""));
        assert_eq!(judged("SET search_path TO app, \"Other\", public"), path("app, \"Other\", public"));
        assert_eq!(judged("RESET search_path"), Verdict::SearchPath(None));
        assert_eq!(judged("SET client_encoding = 'UTF8'"), Verdict::Harmless);
    }
}
