//! What a statement declares and which names it refers to. Whether these exist is for the shadow server to say.

use std::fmt;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    self as pg, AlterTableType, ConstrType, CreateFunctionStmt, FunctionParameterMode, ObjectType, RangeVar,
};

use super::allow::{added_constraint, constant, object_type};
use super::walk::{Mention, mentions};
use crate::name::Name;

/// What a declared thing is, in the words that people use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Namespace,
    Extension,
    Enum,
    Composite,
    Range,
    Domain,
    Sequence,
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Function,
    Procedure,
    Aggregate,
    Column,
    Label,
    Constraint,
    Trigger,
    Rule,
    Policy,
    Publication,
    Statistics,
    EventTrigger,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Namespace => "namespace",
            Class::Extension => "extension",
            Class::Enum => "enum",
            Class::Composite => "composite type",
            Class::Range => "range type",
            Class::Domain => "domain",
            Class::Sequence => "sequence",
            Class::Table => "table",
            Class::ForeignTable => "foreign table",
            Class::View => "view",
            Class::MaterializedView => "materialized view",
            Class::Index => "index",
            Class::Function => "function",
            Class::Procedure => "procedure",
            Class::Aggregate => "aggregate",
            Class::Column => "column",
            Class::Label => "label",
            Class::Constraint => "constraint",
            Class::Trigger => "trigger",
            Class::Rule => "rule",
            Class::Policy => "policy",
            Class::Publication => "publication",
            Class::Statistics => "statistics",
            Class::EventTrigger => "event trigger",
        })
    }
}

/// Names are unique within a space (PostgreSQL keeps tables, views, sequences and indexes in one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    Namespace,
    Extension,
    Relation,
    Type,
    Routine,
    Constraint,
    Trigger,
    Rule,
    Policy,
    Publication,
    Statistics,
    EventTrigger,
    /// Parts of a relation or type, which have no statement of their own.
    Part,
    /// The primary keys and unique indexes of a relation, by its name.
    Key,
}

impl Class {
    pub fn space(self) -> Space {
        match self {
            Class::Namespace => Space::Namespace,
            Class::Extension => Space::Extension,
            Class::Enum | Class::Range | Class::Domain => Space::Type,
            Class::Sequence
            | Class::Table
            | Class::ForeignTable
            | Class::View
            | Class::MaterializedView
            | Class::Composite
            | Class::Index => Space::Relation,
            Class::Function | Class::Procedure | Class::Aggregate => Space::Routine,
            Class::Column | Class::Label => Space::Part,
            Class::Constraint => Space::Constraint,
            Class::Trigger => Space::Trigger,
            Class::Rule => Space::Rule,
            Class::Policy => Space::Policy,
            Class::Publication => Space::Publication,
            Class::Statistics => Space::Statistics,
            Class::EventTrigger => Space::EventTrigger,
        }
    }
}

/// A thing that a statement declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Declared {
    pub class: Class,
    /// `None` where names have no namespace, or none is known because the search path is empty.
    pub namespace: Option<String>,
    /// The relation that it is on: constraints, triggers, rules, policies.
    pub on: Option<String>,
    pub name: String,
    /// The input types of a routine, as written.
    pub args: Option<Vec<String>>,
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.class)?;
        let parts = self.namespace.iter().chain(&self.on).chain([&self.name]);
        f.write_str(&parts.map(|part| Name::from(part.as_str()).to_string()).collect::<Vec<_>>().join("."))?;
        match &self.args {
            Some(args) => write!(f, "({})", args.join(", ")),
            None => Ok(()),
        }
    }
}

/// A name that a statement needs to exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub space: Space,
    /// Where it is looked up, in this order.
    pub namespaces: Vec<String>,
    pub name: String,
    pub bond: Bond,
}

/// How much a statement needs what it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// It can't be loaded before that.
    Firm,
    /// As far as the name tells: it may be an overload or a namesake of what is meant.
    Likely,
    /// A foreign key within CREATE TABLE, which can be taken out of it.
    ForeignKey,
}

/// When a statement is loaded, as far as the names leave it open. The order is pg_dump's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Namespace,
    Extension,
    Type,
    Sequence,
    Routine,
    Operator,
    Table,
    Shape,
    Key,
    /// An index joins that of the partitioned table, which is valid from then on.
    Attach,
    View,
    Late,
    Switch,
    Publication,
    Comment,
    Owner,
    Grant,
    DefaultPrivileges,
}

/// All about a statement that its names tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub declares: Vec<Declared>,
    pub refers: Vec<Reference>,
    pub rank: Rank,
    /// The relation, when the statement gives it a key that foreign keys can refer to.
    pub key_of: Option<(Option<String>, String)>,
    /// OR REPLACE was written.
    pub replaces: bool,
}

impl Names {
    /// Whether this statement refers to something that the other declares.
    pub fn needs(&self, other: &Names) -> bool {
        let is_meant = |reference: &Reference, declared: &Declared| {
            let space = declared.class.space();
            let same = space == reference.space || (space, reference.space) == (Space::Relation, Space::Type);
            same && reference.name == declared.name
                && declared.namespace.as_ref().is_none_or(|namespace| reference.namespaces.contains(namespace))
        };
        self.refers.iter().any(|reference| other.declares.iter().any(|declared| is_meant(reference, declared)))
    }
}

/// The names of a statement; those without a namespace are looked up along the path.
pub fn names(statement: &NodeEnum, path: &[String]) -> Names {
    let look = Look { path };
    let mut names = Names {
        declares: look.declares(statement),
        refers: look.refers(statement),
        rank: rank(statement),
        key_of: look.key_of(statement),
        replaces: match statement {
            NodeEnum::ViewStmt(view) => view.replace,
            NodeEnum::CreateFunctionStmt(routine) => routine.replace,
            NodeEnum::CreateTrigStmt(trigger) => trigger.replace,
            NodeEnum::RuleStmt(rule) => rule.replace,
            _ => false,
        },
    };
    names.refers.sort();
    names.refers.dedup();
    names
}

/// The namespaces of a `search_path` setting, without those that are the session's own.
pub fn namespaces(search_path: &str) -> Vec<String> {
    let mut namespaces = Vec::new();
    let mut rest = search_path.trim_start();
    while !rest.is_empty() {
        let name;
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut end = quoted.find('"').unwrap_or(quoted.len());
            while quoted[end..].starts_with("\"\"") {
                end = quoted[end + 2..].find('"').map_or(quoted.len(), |next| end + 2 + next);
            }
            name = quoted[..end].replace("\"\"", "\"");
            rest = quoted[end..].trim_start_matches('"');
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            name = rest[..end].trim().to_lowercase();
            rest = &rest[end..];
        }
        if !name.is_empty() && name != "$user" {
            namespaces.push(name);
        }
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    namespaces
}

struct Look<'a> {
    path: &'a [String],
}

impl Look<'_> {
    /// Where something without a namespace is created.
    fn here(&self) -> Option<String> {
        self.path.first().cloned()
    }

    fn relation(&self, class: Class, relation: Option<&RangeVar>) -> Vec<Declared> {
        relation.map(|relation| self.declared(class, self.of(relation), &relation.relname)).into_iter().collect()
    }

    fn declared(&self, class: Class, namespace: Option<String>, name: &str) -> Declared {
        Declared { class, namespace, on: None, name: name.to_owned(), args: None }
    }

    fn of(&self, relation: &RangeVar) -> Option<String> {
        if relation.schemaname.is_empty() { self.here() } else { Some(relation.schemaname.clone()) }
    }

    /// From a list of names as `CREATE TYPE a.b` has it.
    fn listed(&self, class: Class, parts: &[pg::Node]) -> Vec<Declared> {
        let (namespace, name) = self.split(parts);
        vec![self.declared(class, namespace, &name)]
    }

    fn split(&self, parts: &[pg::Node]) -> (Option<String>, String) {
        let mut parts: Vec<String> = parts.iter().map(constant).collect();
        let name = parts.pop().unwrap_or_default();
        (parts.pop().or_else(|| self.here()), name)
    }

    fn on(&self, class: Class, relation: Option<&RangeVar>, name: &str) -> Vec<Declared> {
        let Some(relation) = relation else { return Vec::new() };
        let declared = self.declared(class, self.of(relation), name);
        vec![Declared { on: Some(relation.relname.clone()), ..declared }]
    }

    fn global(&self, class: Class, name: &str) -> Vec<Declared> {
        vec![self.declared(class, None, name)]
    }

    fn declares(&self, statement: &NodeEnum) -> Vec<Declared> {
        match statement {
            NodeEnum::CreateSchemaStmt(schema) => {
                let owner = schema.authrole.as_ref().map_or("", |role| role.rolename.as_str());
                let name = if schema.schemaname.is_empty() { owner } else { &schema.schemaname };
                self.global(Class::Namespace, name)
            }
            NodeEnum::CreateExtensionStmt(extension) => self.global(Class::Extension, &extension.extname),
            NodeEnum::CreateEnumStmt(made) => self.listed(Class::Enum, &made.type_name),
            NodeEnum::CreateRangeStmt(made) => self.listed(Class::Range, &made.type_name),
            NodeEnum::CreateDomainStmt(made) => self.listed(Class::Domain, &made.domainname),
            NodeEnum::CompositeTypeStmt(made) => self.relation(Class::Composite, made.typevar.as_ref()),
            NodeEnum::CreateSeqStmt(made) => self.relation(Class::Sequence, made.sequence.as_ref()),
            NodeEnum::ViewStmt(made) => self.relation(Class::View, made.view.as_ref()),
            NodeEnum::CreateTableAsStmt(made) => {
                self.relation(Class::MaterializedView, made.into.as_ref().and_then(|into| into.rel.as_ref()))
            }
            NodeEnum::CreateStmt(made) => self.table(Class::Table, made),
            NodeEnum::CreateForeignTableStmt(made) => {
                made.base_stmt.as_ref().map(|table| self.table(Class::ForeignTable, table)).unwrap_or_default()
            }
            NodeEnum::IndexStmt(made) if !made.idxname.is_empty() => {
                let namespace = made.relation.as_ref().and_then(|relation| self.of(relation));
                vec![self.declared(Class::Index, namespace, &made.idxname)]
            }
            NodeEnum::CreateFunctionStmt(made) => vec![self.routine(made)],
            NodeEnum::DefineStmt(made) if object_type(made.kind) == ObjectType::ObjectAggregate => {
                let (namespace, name) = self.split(&made.defnames);
                let args = made.args.iter().map(|arg| format!("{:?}", arg.node)).collect();
                vec![Declared { args: Some(args), ..self.declared(Class::Aggregate, namespace, &name) }]
            }
            NodeEnum::CreateTrigStmt(made) => self.on(Class::Trigger, made.relation.as_ref(), &made.trigname),
            NodeEnum::CreatePolicyStmt(made) => self.on(Class::Policy, made.table.as_ref(), &made.policy_name),
            NodeEnum::RuleStmt(made) => self.on(Class::Rule, made.relation.as_ref(), &made.rulename),
            NodeEnum::CreatePublicationStmt(made) => self.global(Class::Publication, &made.pubname),
            NodeEnum::CreateEventTrigStmt(made) => self.global(Class::EventTrigger, &made.trigname),
            NodeEnum::CreateStatsStmt(made) if !made.defnames.is_empty() => {
                self.listed(Class::Statistics, &made.defnames)
            }
            NodeEnum::AlterTableStmt(alter) => (alter.cmds.iter())
                .filter_map(|node| match node.node.as_ref()? {
                    NodeEnum::AlterTableCmd(command) => command.def.as_ref()?.node.as_ref(),
                    _ => None,
                })
                .filter_map(constraint_name)
                .flat_map(|name| self.on(Class::Constraint, alter.relation.as_ref(), name))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A table and its named constraints.
    fn table(&self, class: Class, table: &pg::CreateStmt) -> Vec<Declared> {
        let mut declared = self.relation(class, table.relation.as_ref());
        let elements = table.table_elts.iter().chain(&table.constraints).filter_map(|node| node.node.as_ref());
        for element in elements {
            let constraints: Vec<&NodeEnum> = match element {
                NodeEnum::ColumnDef(column) => {
                    column.constraints.iter().filter_map(|node| node.node.as_ref()).collect()
                }
                other => vec![other],
            };
            for name in constraints.into_iter().filter_map(constraint_name) {
                declared.extend(self.on(Class::Constraint, table.relation.as_ref(), name));
            }
        }
        declared
    }

    fn routine(&self, made: &CreateFunctionStmt) -> Declared {
        let (namespace, name) = self.split(&made.funcname);
        let args = made.parameters.iter().filter_map(|node| match &node.node {
            Some(NodeEnum::FunctionParameter(parameter)) => {
                let mode = FunctionParameterMode::try_from(parameter.mode).unwrap_or_default();
                let output =
                    matches!(mode, FunctionParameterMode::FuncParamOut | FunctionParameterMode::FuncParamTable);
                // A procedure is told apart by its outputs, too.
                if output && !made.is_procedure { None } else { parameter.arg_type.as_ref().map(type_text) }
            }
            _ => None,
        });
        let class = if made.is_procedure { Class::Procedure } else { Class::Function };
        Declared { args: Some(args.collect()), ..self.declared(class, namespace, &name) }
    }

    fn key_of(&self, statement: &NodeEnum) -> Option<(Option<String>, String)> {
        let relation = match statement {
            NodeEnum::IndexStmt(index) if index.unique => index.relation.as_ref(),
            NodeEnum::AlterTableStmt(alter) => {
                let key = alter.cmds.iter().any(|node| match &node.node {
                    Some(NodeEnum::AlterTableCmd(command)) => matches!(
                        added_constraint(command),
                        Some(ConstrType::ConstrPrimary | ConstrType::ConstrUnique)
                    ),
                    _ => false,
                });
                alter.relation.as_ref().filter(|_| key)
            }
            _ => None,
        }?;
        Some((self.of(relation), relation.relname.clone()))
    }

    fn refers(&self, statement: &NodeEnum) -> Vec<Reference> {
        let in_table = matches!(statement, NodeEnum::CreateStmt(_));
        let mentions = mentions(statement);
        let hidden =
            |name: &String| mentions.iter().any(|other| matches!(other, Mention::WithQuery(with) if with == name));
        let mut refers = Vec::new();
        for mention in &mentions {
            match mention {
                Mention::Relation { parts, foreign_key: true } => {
                    let bond = if in_table { Bond::ForeignKey } else { Bond::Firm };
                    refers.push(self.reference(Space::Relation, parts, bond));
                    refers.push(self.reference(Space::Key, parts, bond));
                }
                Mention::Relation { parts, foreign_key: false } => {
                    let bond = if parts.len() == 1 && hidden(&parts[0]) { Bond::Likely } else { Bond::Firm };
                    refers.push(self.reference(Space::Relation, parts, bond));
                }
                Mention::Routine(parts) => refers.push(self.reference(Space::Routine, parts, Bond::Likely)),
                Mention::Type { parts, of_column: true } => {
                    let relation = &parts[..parts.len().saturating_sub(1)];
                    refers.push(self.reference(Space::Relation, relation, Bond::Firm));
                }
                Mention::Type { parts, of_column: false } => {
                    refers.push(self.reference(Space::Type, parts, Bond::Firm));
                    // In `CREATE AGGREGATE … (sfunc = f)`, the tree has f as a type.
                    if matches!(statement, NodeEnum::DefineStmt(_)) {
                        refers.push(self.reference(Space::Routine, parts, Bond::Likely));
                    }
                }
                Mention::WithQuery(_) => {}
            }
        }
        let function = match statement {
            NodeEnum::CreateTrigStmt(trigger) => Some(&trigger.funcname),
            NodeEnum::CreateEventTrigStmt(trigger) => Some(&trigger.funcname),
            _ => None,
        };
        if let Some(parts) = function {
            let parts: Vec<String> = parts.iter().map(constant).collect();
            refers.push(self.reference(Space::Routine, &parts, Bond::Likely));
        }
        if let NodeEnum::AlterPublicationStmt(publication) = statement {
            refers.push(self.reference(Space::Publication, std::slice::from_ref(&publication.pubname), Bond::Firm));
        }
        // What a comment is about stands in it as a list of names.
        if let NodeEnum::CommentStmt(comment) = statement
            && let Some(NodeEnum::List(list)) = comment.object.as_ref().and_then(|object| object.node.as_ref())
        {
            let parts: Vec<String> = list.items.iter().map(constant).collect();
            let relation = match object_type(comment.objtype) {
                ObjectType::ObjectTable
                | ObjectType::ObjectView
                | ObjectType::ObjectMatview
                | ObjectType::ObjectIndex
                | ObjectType::ObjectSequence
                | ObjectType::ObjectForeignTable => parts.as_slice(),
                ObjectType::ObjectColumn
                | ObjectType::ObjectTabconstraint
                | ObjectType::ObjectTrigger
                | ObjectType::ObjectPolicy
                | ObjectType::ObjectRule => &parts[..parts.len().saturating_sub(1)],
                _ => &[],
            };
            refers.push(self.reference(Space::Relation, relation, Bond::Firm));
        }
        // `ADD CONSTRAINT … USING INDEX i` names an index of the table's namespace.
        if let NodeEnum::AlterTableStmt(alter) = statement
            && let Some(relation) = &alter.relation
        {
            for command in &alter.cmds {
                if let Some(NodeEnum::AlterTableCmd(command)) = &command.node
                    && let Some(NodeEnum::Constraint(constraint)) =
                        command.def.as_ref().and_then(|def| def.node.as_ref())
                {
                    let parts = [relation.schemaname.clone(), constraint.indexname.clone()];
                    let named = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
                    if !constraint.indexname.is_empty() {
                        refers.push(self.reference(Space::Relation, &named, Bond::Firm));
                    }
                }
            }
        }
        // `CREATE TABLE … (LIKE t INCLUDING ALL)` copies the keys that are there by then.
        if let NodeEnum::CreateStmt(table) = statement {
            for element in &table.table_elts {
                if let Some(NodeEnum::TableLikeClause(like)) = &element.node
                    && let Some(relation) = &like.relation
                {
                    let parts = [relation.schemaname.clone(), relation.relname.clone()];
                    let named = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
                    refers.push(self.reference(Space::Key, &named, Bond::Likely));
                }
            }
        }
        // `OWNED BY t.c` stands among the options as a list of names.
        let options = match statement {
            NodeEnum::CreateSeqStmt(sequence) => sequence.options.as_slice(),
            NodeEnum::AlterSeqStmt(sequence) => &sequence.options,
            _ => &[],
        };
        for option in options {
            if let Some(NodeEnum::DefElem(option)) = &option.node
                && option.defname == "owned_by"
                && let Some(NodeEnum::List(list)) = option.arg.as_ref().and_then(|arg| arg.node.as_ref())
            {
                let parts: Vec<String> = list.items.iter().map(constant).collect();
                if let [relation @ .., _] = parts.as_slice() {
                    refers.push(self.reference(Space::Relation, relation, Bond::Firm));
                }
            }
        }
        refers.retain(|reference| !reference.name.is_empty());
        refers
    }

    fn reference(&self, space: Space, parts: &[String], bond: Bond) -> Reference {
        let (namespaces, name) = match parts {
            [.., namespace, name] => (vec![namespace.clone()], name.clone()),
            [name] => (self.path.to_vec(), name.clone()),
            [] => (Vec::new(), String::new()),
        };
        Reference { space, namespaces, name, bond }
    }
}

fn constraint_name(node: &NodeEnum) -> Option<&str> {
    match node {
        NodeEnum::Constraint(constraint) if !constraint.conname.is_empty() => Some(&constraint.conname),
        _ => None,
    }
}

/// A type as people write it, near enough to tell overloads apart.
pub fn type_text(name: &pg::TypeName) -> String {
    let parts: Vec<String> = name.names.iter().map(constant).filter(|part| part != "pg_catalog").collect();
    format!("{}{}", parts.join("."), "[]".repeat(name.array_bounds.len().min(1)))
}

fn rank(statement: &NodeEnum) -> Rank {
    match statement {
        NodeEnum::CreateSchemaStmt(_) => Rank::Namespace,
        NodeEnum::CreateExtensionStmt(_)
        | NodeEnum::CreatePlangStmt(_)
        | NodeEnum::CreateFdwStmt(_)
        | NodeEnum::CreateForeignServerStmt(_)
        | NodeEnum::CreateUserMappingStmt(_) => Rank::Extension,
        NodeEnum::CreateEnumStmt(_)
        | NodeEnum::CreateRangeStmt(_)
        | NodeEnum::CreateDomainStmt(_)
        | NodeEnum::CompositeTypeStmt(_) => Rank::Type,
        NodeEnum::CreateSeqStmt(_) => Rank::Sequence,
        NodeEnum::CreateFunctionStmt(_) => Rank::Routine,
        NodeEnum::DefineStmt(define) => match object_type(define.kind) {
            ObjectType::ObjectCollation => Rank::Extension,
            ObjectType::ObjectAggregate | ObjectType::ObjectOperator => Rank::Operator,
            _ => Rank::Type,
        },
        NodeEnum::AlterTsconfigurationStmt(_) | NodeEnum::AlterTsdictionaryStmt(_) => Rank::Sequence,
        NodeEnum::CreateOpClassStmt(_)
        | NodeEnum::CreateOpFamilyStmt(_)
        | NodeEnum::AlterOpFamilyStmt(_)
        | NodeEnum::CreateCastStmt(_)
        | NodeEnum::CreateConversionStmt(_)
        | NodeEnum::CreateTransformStmt(_) => Rank::Operator,
        NodeEnum::CreateStmt(_) | NodeEnum::CreateForeignTableStmt(_) => Rank::Table,
        NodeEnum::AlterSeqStmt(_) | NodeEnum::AlterDomainStmt(_) | NodeEnum::AlterFunctionStmt(_) => Rank::Shape,
        NodeEnum::AlterTableStmt(alter) => {
            let index = object_type(alter.objtype) == ObjectType::ObjectIndex;
            let commands = alter.cmds.iter().filter_map(|node| match &node.node {
                Some(NodeEnum::AlterTableCmd(command)) => Some(command_rank(command)),
                _ => None,
            });
            let highest = commands.max().unwrap_or(Rank::Shape);
            if index { highest.max(Rank::Attach) } else { highest }
        }
        NodeEnum::IndexStmt(_) => Rank::Key,
        NodeEnum::ViewStmt(_) | NodeEnum::CreateTableAsStmt(_) => Rank::View,
        NodeEnum::AlterPublicationStmt(_) | NodeEnum::CreatePublicationStmt(_) => Rank::Publication,
        NodeEnum::CommentStmt(_) | NodeEnum::SecLabelStmt(_) => Rank::Comment,
        NodeEnum::AlterOwnerStmt(_) => Rank::Owner,
        NodeEnum::GrantStmt(_) => Rank::Grant,
        NodeEnum::AlterDefaultPrivilegesStmt(_) => Rank::DefaultPrivileges,
        _ => Rank::Late,
    }
}

fn command_rank(command: &pg::AlterTableCmd) -> Rank {
    match AlterTableType::try_from(command.subtype).unwrap_or(AlterTableType::Undefined) {
        AlterTableType::AtAddConstraint => match added_constraint(command) {
            Some(ConstrType::ConstrForeign) => Rank::Late,
            _ => Rank::Key,
        },
        AlterTableType::AtAddIndexConstraint => Rank::Late,
        AlterTableType::AtReplicaIdentity | AlterTableType::AtClusterOn => Rank::Late,
        AlterTableType::AtEnableTrig
        | AlterTableType::AtEnableAlwaysTrig
        | AlterTableType::AtEnableReplicaTrig
        | AlterTableType::AtDisableTrig
        | AlterTableType::AtEnableTrigAll
        | AlterTableType::AtDisableTrigAll
        | AlterTableType::AtEnableTrigUser
        | AlterTableType::AtDisableTrigUser
        | AlterTableType::AtEnableRule
        | AlterTableType::AtEnableAlwaysRule
        | AlterTableType::AtEnableReplicaRule
        | AlterTableType::AtDisableRule => Rank::Switch,
        AlterTableType::AtChangeOwner => Rank::Owner,
        _ => Rank::Shape,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::syntax;

    fn of(sql: &str) -> Names {
        names(&syntax::parse(sql).unwrap()[0], &["public".to_owned()])
    }

    fn declared(sql: &str) -> Vec<String> {
        of(sql).declares.iter().map(Declared::to_string).collect()
    }

    #[test]
    fn what_a_statement_declares() {
        assert_eq!(
            declared("CREATE TABLE \"A\".t (a int CONSTRAINT c PRIMARY KEY, CONSTRAINT d CHECK (a > 0))"),
            ["table \"A\".t", "constraint \"A\".t.c", "constraint \"A\".t.d"]
        );
        assert_eq!(
            declared("CREATE FUNCTION f(a int, b app.mood[], OUT c text) RETURNS text AS '' LANGUAGE sql"),
            ["function public.f(int4, app.mood[])"]
        );
        assert_eq!(declared("CREATE INDEX i ON app.t (a)"), ["index app.i"]);
        assert_eq!(declared("CREATE POLICY p ON app.t"), ["policy app.t.p"]);
        assert_eq!(declared("CREATE MATERIALIZED VIEW m AS SELECT 1"), ["materialized view public.m"]);
        assert_eq!(
            declared("ALTER TABLE t ADD CONSTRAINT c CHECK (true), ADD CHECK (true)"),
            ["constraint public.t.c"]
        );
    }

    #[test]
    fn what_a_statement_refers_to() {
        let refers = of("CREATE TABLE t (a app.mood DEFAULT f(), b int REFERENCES u)").refers;
        let find = |name: &str| refers.iter().filter(|reference| reference.name == name).collect::<Vec<_>>();
        assert_eq!((find("mood")[0].space, find("mood")[0].bond), (Space::Type, Bond::Firm));
        assert_eq!((find("f")[0].space, find("f")[0].bond), (Space::Routine, Bond::Likely));
        assert_eq!(
            find("u").iter().map(|u| (u.space, u.bond)).collect::<Vec<_>>(),
            [(Space::Relation, Bond::ForeignKey), (Space::Key, Bond::ForeignKey)]
        );
    }

    #[test]
    fn one_statement_needs_another() {
        let table = of("CREATE TABLE t (a int)");
        for sql in [
            "COMMENT ON COLUMN t.a IS ''",
            "COMMENT ON TABLE t IS ''",
            "GRANT SELECT ON public.t TO PUBLIC",
            "CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS ''",
            "CREATE TABLE u (a int REFERENCES t)",
        ] {
            assert!(of(sql).needs(&table), "{sql}");
        }
        for sql in ["COMMENT ON COLUMN app.t.a IS ''", "CREATE TABLE u (t int)", "CREATE TABLE app.t (a int)"] {
            assert!(!of(sql).needs(&table), "{sql}");
        }
    }

    #[test]
    fn a_search_path_is_a_list_of_names() {
        assert_eq!(namespaces(""), Vec::<String>::new());
        assert_eq!(namespaces("\"\""), Vec::<String>::new());
        assert_eq!(namespaces("App, \"My \"\"own\"\", x\" , \"$user\",public"), ["app", "My \"own\", x", "public"]);
    }
}
