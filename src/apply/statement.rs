//! What a step's statement is about, from its parse tree: the privileges that it needs, and the index that it leaves
//! behind invalid when it fails. A statement that can't be parsed needs nothing here; the server says what it thinks.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::{ConstrType, Node, ObjectType, RangeVar};

use crate::name::{Name, QName};
use crate::source::split::{Piece, split};
use crate::source::syntax::{self, statement};

/// A privilege that a statement needs, as far as it can be known before it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To be the owner of a relation, or a member of it.
    Owner(QName),
    /// REFERENCES on a table.
    References(QName),
    /// CREATE in a namespace.
    Create(String),
    /// CREATE in the database.
    CreateInDatabase,
}

/// What statements need. Names of objects that they make themselves are among them; these exist for nobody yet.
pub fn needs<'a>(statements: impl IntoIterator<Item = &'a str>) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for statement in statements.into_iter().flat_map(parse) {
        of(&statement, &mut needs);
    }
    needs
}

/// Whether a step goes through rows, and would leave out what row security hides from it.
pub fn goes_through_rows(sql: &str) -> bool {
    use NodeEnum::{DeleteStmt, DoStmt, InsertStmt, UpdateStmt};
    parse(sql).iter().any(|it| matches!(it, UpdateStmt(_) | InsertStmt(_) | DeleteStmt(_) | DoStmt(_)))
}

/// Whether one of the statements begins or ends a transaction. Each is read by itself: a newer server may know more than
/// can be read here.
pub fn ends_transaction(sql: &str) -> bool {
    let (pieces, _) = split(sql);
    pieces.into_iter().any(|piece| match piece {
        Piece::Statement(range) => matches!(statement(&sql[range]), Some(NodeEnum::TransactionStmt(_))),
        Piece::Meta(_) | Piece::CopyData(_) | Piece::Unended(..) => false,
    })
}

/// An index that is built concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcurrentIndex {
    pub table: QName,
    pub index: QName,
}

/// The index that a statement builds concurrently, if it is one that does.
pub fn concurrent_index(sql: &str) -> Option<ConcurrentIndex> {
    let Some(NodeEnum::IndexStmt(built)) = statement(sql) else { return None };
    let table = built.relation.as_ref().and_then(relation)?;
    let index = table.sibling(built.idxname.as_str());
    (built.concurrent && !built.idxname.is_empty()).then_some(ConcurrentIndex { table, index })
}

/// A statement that commits by itself, part by part: what stops it in the middle leaves something behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    Build(ConcurrentIndex),
    /// An index is dropped concurrently.
    Drop(QName),
    /// A partition is detached concurrently.
    Detach {
        parent: QName,
        partition: QName,
    },
    Other,
}

/// What a statement outside of transactions does.
pub fn outside(sql: &str) -> Outside {
    if let Some(index) = concurrent_index(sql) {
        return Outside::Build(index);
    }
    let found = match statement(sql) {
        Some(NodeEnum::DropStmt(drop)) if drop.concurrent => {
            drop.objects.first().and_then(listed).map(Outside::Drop)
        }
        Some(NodeEnum::AlterTableStmt(alter)) => alter.relation.as_ref().and_then(relation).and_then(|parent| {
            let partition = alter.cmds.iter().find_map(detached)?;
            Some(Outside::Detach { parent, partition })
        }),
        _ => None,
    };
    found.unwrap_or(Outside::Other)
}

fn detached(command: &Node) -> Option<QName> {
    let Some(NodeEnum::AlterTableCmd(command)) = &command.node else { return None };
    match command.def.as_ref()?.node.as_ref()? {
        NodeEnum::PartitionCmd(it) if it.concurrent => it.name.as_ref().and_then(relation),
        _ => None,
    }
}

/// The triggers and functions that some statements make and others drop, by their names: what helps only on the way from
/// the first to the second.
pub fn helpers<'a>(made: impl Iterator<Item = &'a str>, dropped: impl Iterator<Item = &'a str>) -> Vec<String> {
    let made: BTreeSet<String> = made.flat_map(parse).filter_map(|it| helper(&it)).collect();
    let dropped: BTreeSet<String> = dropped.flat_map(parse).filter_map(|it| dropped_helper(&it)).collect();
    made.intersection(&dropped).cloned().collect()
}

fn helper(statement: &NodeEnum) -> Option<String> {
    match statement {
        NodeEnum::CreateTrigStmt(it) => {
            let on = it.relation.as_ref().and_then(relation)?;
            Some(format!("trigger {} of {on}", Name::from(it.trigname.as_str())))
        }
        NodeEnum::CreateFunctionStmt(it) => Some(format!("function {}", dotted(&it.funcname))),
        _ => None,
    }
}

fn dropped_helper(statement: &NodeEnum) -> Option<String> {
    let NodeEnum::DropStmt(drop) = statement else { return None };
    let object = drop.objects.first()?.node.as_ref()?;
    match (ObjectType::try_from(drop.remove_type), object) {
        (Ok(ObjectType::ObjectTrigger), NodeEnum::List(path)) => {
            let (name, on) = path.items.split_last()?;
            Some(format!("trigger {} of {}", dotted(std::slice::from_ref(name)), dotted(on)))
        }
        (Ok(ObjectType::ObjectFunction), NodeEnum::ObjectWithArgs(it)) => {
            Some(format!("function {}", dotted(&it.objname)))
        }
        _ => None,
    }
}

/// A name with its parts.
fn dotted(path: &[Node]) -> String {
    let words = path.iter().filter_map(|it| match &it.node {
        Some(NodeEnum::String(word)) => Some(Name::from(word.sval.as_str()).to_string()),
        _ => None,
    });
    words.collect::<Vec<_>>().join(".")
}

/// The statements of a step: a passage has steps of several.
fn parse(sql: &str) -> Vec<NodeEnum> {
    syntax::parse(sql).unwrap_or_default()
}

fn of(statement: &NodeEnum, needs: &mut BTreeSet<Need>) {
    let mut own = |range: Option<&RangeVar>| needs.extend(range.and_then(relation).map(Need::Owner));
    match statement {
        NodeEnum::AlterTableStmt(alter) => {
            own(alter.relation.as_ref());
            needs.extend(alter.cmds.iter().filter_map(referenced).map(Need::References));
        }
        NodeEnum::RenameStmt(rename) => own(rename.relation.as_ref()),
        NodeEnum::AlterObjectSchemaStmt(moved) => {
            own(moved.relation.as_ref());
            needs.insert(Need::Create(moved.newschema.clone()));
        }
        NodeEnum::CreatePolicyStmt(policy) => own(policy.table.as_ref()),
        NodeEnum::AlterPolicyStmt(policy) => own(policy.table.as_ref()),
        NodeEnum::AlterSeqStmt(sequence) => own(sequence.sequence.as_ref()),
        NodeEnum::RefreshMatViewStmt(view) => own(view.relation.as_ref()),
        NodeEnum::DropStmt(drop) => {
            let of_relations = matches!(
                ObjectType::try_from(drop.remove_type),
                Ok(ObjectType::ObjectTable
                    | ObjectType::ObjectIndex
                    | ObjectType::ObjectView
                    | ObjectType::ObjectMatview
                    | ObjectType::ObjectSequence)
            );
            if of_relations {
                needs.extend(drop.objects.iter().filter_map(listed).map(Need::Owner));
            }
        }
        NodeEnum::IndexStmt(index) => {
            own(index.relation.as_ref());
            create(index.relation.as_ref(), needs);
        }
        NodeEnum::CreateStmt(table) => create(table.relation.as_ref(), needs),
        NodeEnum::CreateSeqStmt(sequence) => create(sequence.sequence.as_ref(), needs),
        NodeEnum::ViewStmt(view) => create(view.view.as_ref(), needs),
        NodeEnum::CompositeTypeStmt(made) => create(made.typevar.as_ref(), needs),
        NodeEnum::CreateEnumStmt(made) => create_listed(&made.type_name, needs),
        NodeEnum::CreateDomainStmt(made) => create_listed(&made.domainname, needs),
        NodeEnum::CreateFunctionStmt(made) => create_listed(&made.funcname, needs),
        NodeEnum::CreateSchemaStmt(_) => _ = needs.insert(Need::CreateInDatabase),
        // The server knows what others need, and the step is rolled back when it is not there.
        _ => {}
    }
}

/// The table that a new foreign key refers to.
fn referenced(command: &Node) -> Option<QName> {
    let Some(NodeEnum::AlterTableCmd(command)) = &command.node else { return None };
    match command.def.as_ref()?.node.as_ref()? {
        NodeEnum::Constraint(made) if made.contype == ConstrType::ConstrForeign as i32 => {
            made.pktable.as_ref().and_then(relation)
        }
        _ => None,
    }
}

fn create(range: Option<&RangeVar>, needs: &mut BTreeSet<Need>) {
    needs.extend(range.filter(|it| !it.schemaname.is_empty()).map(|it| Need::Create(it.schemaname.clone())));
}

fn create_listed(name: &[Node], needs: &mut BTreeSet<Need>) {
    let words = words(name);
    if let [namespace, _] = words.as_slice() {
        needs.insert(Need::Create((*namespace).to_owned()));
    }
}

/// A qualified name; every name in a step is.
fn relation(range: &RangeVar) -> Option<QName> {
    (!range.schemaname.is_empty()).then(|| QName::new(range.schemaname.as_str(), range.relname.as_str()))
}

fn listed(object: &Node) -> Option<QName> {
    let Some(NodeEnum::List(list)) = &object.node else { return None };
    match words(&list.items).as_slice() {
        [namespace, name] => Some(QName::new(*namespace, *name)),
        _ => None,
    }
}

fn words(nodes: &[Node]) -> Vec<&str> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::String(word)) => Some(word.sval.as_str()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_need_what_they_change_and_where_they_create() {
        let needs = needs([
            "ALTER TABLE app.\"A\" ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES other.b (y) NOT VALID",
            "CREATE INDEX CONCURRENTLY i ON app.c (x)",
            "DROP INDEX CONCURRENTLY app.j",
            "CREATE TYPE app.mood AS ENUM ('a')",
            "CREATE SCHEMA audit",
            "not SQL at all",
        ]);
        let expected = [
            Need::Owner(QName::new("app", "A")),
            Need::Owner(QName::new("app", "c")),
            Need::Owner(QName::new("app", "j")),
            Need::References(QName::new("other", "b")),
            Need::Create("app".into()),
            Need::CreateInDatabase,
        ];
        assert_eq!(needs.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn all_that_a_step_does_counts() {
        let set = "SET LOCAL search_path TO DEFAULT;\nUPDATE app.t SET x = 1;\nSET LOCAL search_path = ''";
        assert!(goes_through_rows(set));
        assert!(!goes_through_rows("SET LOCAL search_path = ''; ALTER TABLE app.t RENAME TO u"));
        let needed = needs(["LOCK TABLE app.t; ALTER TABLE app.t RENAME TO u; ALTER TABLE app.v RENAME TO t"]);
        let expected = [Need::Owner(QName::new("app", "t")), Need::Owner(QName::new("app", "v"))];
        assert_eq!(needed.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_ends_a_transaction_is_found_among_other_statements() {
        for sql in
            ["COMMIT", "ALTER TABLE t ADD n NOT NULL x WHAT; /* so */ end", "SELECT 1; SAVEPOINT a; SELECT 2"]
        {
            assert!(ends_transaction(sql), "{sql}");
        }
        for sql in [
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
            "DO $$ BEGIN NULL; COMMIT; END $$",
            "SELECT '; COMMIT; '",
        ] {
            assert!(!ends_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn what_commits_by_itself_is_told_apart() {
        let detach = Outside::Detach { parent: QName::new("app", "logs"), partition: QName::new("app", "Logs 1") };
        assert_eq!(outside("ALTER TABLE app.logs DETACH PARTITION app.\"Logs 1\" CONCURRENTLY"), detach);
        assert_eq!(outside("DROP INDEX CONCURRENTLY app.i"), Outside::Drop(QName::new("app", "i")));
        assert!(matches!(outside("CREATE INDEX CONCURRENTLY i ON app.t (x)"), Outside::Build(_)));
        assert_eq!(outside("DROP INDEX app.i"), Outside::Other);
    }

    #[test]
    fn an_index_is_built_concurrently_or_it_is_not() {
        let found = concurrent_index("CREATE UNIQUE INDEX CONCURRENTLY \"I\" ON app.c (x)").unwrap();
        assert_eq!((found.table, found.index), (QName::new("app", "c"), QName::new("app", "I")));
        assert_eq!(concurrent_index("CREATE INDEX i ON app.c (x)"), None);
        assert_eq!(concurrent_index("DROP INDEX CONCURRENTLY app.i"), None);
        assert_eq!(concurrent_index("CREATE INDEX CONCURRENTLY ON app.c (x); SELECT 1"), None);
    }
}
