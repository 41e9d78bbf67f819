//! What is said twice: two statements that declare one thing, or set one thing of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableStmt, AlterTableType, RangeVar};
use serde_json::{Value, json};

use super::names::{Class, Declared, Space};
use super::{Draft, sql, syntax};
use crate::diagnostic::{File, Report};

/// Two statements that declare one thing.
pub fn declared(files: &[Arc<File>], draft: &mut Draft) {
    type Key<'a> = (Space, Option<&'a str>, Option<&'a str>, &'a str, Option<&'a [String]>);
    let mut first: BTreeMap<Key<'_>, (usize, &Declared)> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, statement) in draft.statements.iter().enumerate() {
        for declared in &statement.names.declares {
            let Declared { class, namespace, on, name, args } = declared;
            let key = (class.space(), namespace.as_deref(), on.as_deref(), name.as_str(), args.as_deref());
            match first.get(&key) {
                None => {
                    first.insert(key, (at, declared));
                }
                // pg_dump breaks a circle of views by a stand-in, which it replaces later.
                Some((earlier, _))
                    if *class == Class::View
                        && statement.names.replaces
                        && draft.statements[*earlier].origin.file == statement.origin.file => {}
                Some((earlier, other)) => found.push((*earlier, at, *other, declared)),
            }
        }
    }
    for (earlier, later, first, second) in found {
        let place = |at: usize, declared: &Declared| {
            let statement = &draft.statements[at];
            let span = sql::find_name(&files[statement.origin.file], statement.origin, &declared.name);
            (&files[statement.origin.file], span.range())
        };
        let message = if first.class == second.class {
            format!("{first} is declared twice")
        } else {
            format!("{first} and {second} have one name")
        };
        let ((one, here), (two, there)) = (place(earlier, first), place(later, second));
        draft.faults.push(
            Report::error("source::declared_twice", message)
                .at(one, here, "declared here")
                .at(two, there, "and again here")
                .help("keep one of them"),
        );
    }
}

/// Two statements that set one thing of an object: its comment, its owner, a column's default and the like. The later
/// would count, whichever file it stands in.
pub fn set(files: &[Arc<File>], draft: &mut Draft) {
    let mut first: BTreeMap<(Option<&str>, String), usize> = BTreeMap::new();
    let mut found = vec![];
    let is_setting = |sql: &str| {
        ["COMMENT", "ALTER"].iter().any(|it| sql.get(..it.len()).is_some_and(|word| word.eq_ignore_ascii_case(it)))
    };
    for (at, statement) in draft.statements.iter().enumerate().filter(|(_, it)| is_setting(&it.sql)) {
        for thing in syntax::parse(&statement.sql).unwrap_or_default().iter().flat_map(things) {
            let key = (statement.search_path.as_deref(), thing);
            match first.get(&key) {
                Some(earlier) => found.push((*earlier, at)),
                None => _ = first.insert(key, at),
            }
        }
    }
    for (earlier, later) in found {
        let place = |at: usize| {
            let origin = draft.statements[at].origin;
            let file = &files[origin.file];
            let words = sql::first_words(&file.text[origin.range()]).len();
            (file, origin.start..origin.start + words)
        };
        let ((one, here), (two, there)) = (place(earlier), place(later));
        draft.faults.push(
            Report::error("source::set_twice", "the same is said twice of one object, and only one can hold")
                .at(one, here, "said here")
                .at(two, there, "and again here")
                .help("keep one of them"),
        );
    }
}

/// The things that a statement sets, each as a text of its own.
fn things(statement: &NodeEnum) -> Vec<String> {
    let key = |mut thing: Value| {
        syntax::forget_places(&mut thing);
        thing.to_string()
    };
    match statement {
        NodeEnum::CommentStmt(it) => vec![key(json!(["comment", it.objtype, it.object]))],
        NodeEnum::AlterOwnerStmt(it) => vec![key(json!(["owner", it.object_type, it.relation, it.object]))],
        NodeEnum::AlterTableStmt(it) => of_table(it).into_iter().map(key).collect(),
        _ => vec![],
    }
}

fn of_table(statement: &AlterTableStmt) -> Vec<Value> {
    let commands = statement.cmds.iter().filter_map(|it| match &it.node {
        Some(NodeEnum::AlterTableCmd(it)) => Some(it),
        _ => None,
    });
    let set = commands.filter(|it| {
        let kind = AlterTableType::try_from(it.subtype);
        kind.is_ok_and(|it| {
            use AlterTableType::*;
            matches!(
                it,
                AtColumnDefault
                    | AtSetStatistics
                    | AtSetStorage
                    | AtSetCompression
                    | AtReplicaIdentity
                    | AtChangeOwner
            )
        })
    });
    // With ONLY or without, it is the same table.
    let table = statement.relation.as_ref().map(|it| RangeVar { inh: true, ..it.clone() });
    set.map(|it| json!([it.subtype, table, it.name, it.num])).collect()
}
