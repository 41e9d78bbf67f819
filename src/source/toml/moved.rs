//! `[[move]]`: columns of one table whose values go over to another one, by expressions both ways.

use std::collections::BTreeMap;

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, BoolExprType, Node};

use super::declared::find;
use super::value::{Fields, Reader, Value, Word, entries};
use super::{bad_name, qname};
use crate::name::{Name, QName};
use crate::plan::relocate::Move;
use crate::source::names::Class;
use crate::source::{Draft, syntax};

const KEYS: &[&str] = &["from", "to", "where", "columns", "becomes"];

/// Reads one move. All tables are declared by now.
pub fn read(reader: &mut Reader<'_>, value: &Value<'_>, draft: &mut Draft) {
    let Some(fields) = reader.fields("the move", value, KEYS) else { return };
    for needed in KEYS.iter().filter(|it| fields.get(it).is_none()) {
        let help = "a move has `from` and `to` (tables), `where` (which rows belong together), `columns` (what the new \
                    columns hold) and `becomes` (what the old ones do)";
        reader.fault(reader.span(value), format!("the move has no `{needed}`"), "this move", help);
    }
    let (Some(from), Some(to)) = (table(reader, &fields, "from", draft), table(reader, &fields, "to", draft))
    else {
        return;
    };
    if from.name == to.name {
        let help = "expressions tell the two tables by their names; rename one of them first";
        reader.fault(reader.span(value), format!("{from} and {to} have one name"), "this move", help);
        return;
    }
    let columns = expressions(reader, &fields, "columns", (&to, true), draft);
    let becomes = expressions(reader, &fields, "becomes", (&from, false), draft);
    let Some(condition) = reader.expression(&fields, "where") else { return };
    let Some(pairs) = pairs(&condition, &from, &to) else {
        let help = format!("say it by columns that are equal: `{}.id = {}.{}_id`", from.name, to.name, from.name);
        let message = format!("which rows of {from} and {to} belong together must be told by equal columns");
        return reader.fault(condition.span, message, "not so", help);
    };
    if !columns.is_empty() && !becomes.is_empty() {
        draft.moves.push(Move { from, to, pairs, columns, becomes });
    }
}

fn table(reader: &mut Reader<'_>, fields: &Fields<'_, '_>, key: &str, draft: &Draft) -> Option<QName> {
    let word = reader.text(fields, key)?;
    let Some(name) = qname(&word.text) else {
        bad_name(reader, word.span);
        return None;
    };
    if find(draft, &name, &[Class::Table]).is_none() {
        let help = "values move between tables that are declared";
        reader.fault(word.span, format!("table {name} is declared nowhere"), "this table", help);
        return None;
    }
    Some(name)
}

/// Columns with their expressions; whether the table has to have them, or not to have them any more.
fn expressions(
    reader: &mut Reader<'_>,
    fields: &Fields<'_, '_>,
    key: &str,
    (table, is_to_have): (&QName, bool),
    draft: &Draft,
) -> BTreeMap<Name, String> {
    let mut found = BTreeMap::new();
    let Some(value) = fields.get(key) else { return found };
    let Some(columns) = reader.table(&format!("`{key}` of the move"), value).map(entries) else { return found };
    let known: Vec<String> = columns.iter().map(|(key, _)| key.get_ref().to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let Some(inner) = reader.fields(format!("`{key}` of the move"), value, &known) else { return found };
    if columns.is_empty() {
        let help = "say of each column what it holds: `{ phone = \"users.phone\" }`";
        reader.fault(reader.span(value), format!("`{key}` of the move names no column"), "this one", help);
    }
    let declared = find(draft, table, &[Class::Table]);
    for (key, _) in columns {
        let name = Name::from(key.get_ref().as_ref());
        let has = declared.as_ref().is_some_and(|it| it.may_have(Class::Column, &name));
        if has != is_to_have {
            let (message, help) = match is_to_have {
                true => (format!("table {table} has no column {name}"), "declare the column that the values go to"),
                false => (
                    format!("table {table} still has the column {name}"),
                    "what moves goes: leave it out of the table's columns",
                ),
            };
            reader.fault(reader.span(key), message, "this one", help);
            continue;
        }
        if let Some(word) = reader.expression(&inner, key.get_ref()) {
            found.insert(name, word.text);
        }
    }
    found
}

/// The columns of both tables that a condition says to be equal, and nothing else.
fn pairs(condition: &Word, from: &QName, to: &QName) -> Option<Vec<(Name, Name)>> {
    let mut pairs = vec![];
    let mut open = vec![syntax::parse_expression(&condition.text).ok()?];
    while let Some(node) = open.pop() {
        match node.node? {
            NodeEnum::BoolExpr(it) if it.boolop == BoolExprType::AndExpr as i32 => open.extend(it.args),
            NodeEnum::AExpr(it) if it.kind == AExprKind::AexprOp as i32 && word(it.name.first()?)? == "=" => {
                let (left, right) = (column(it.lexpr.as_deref()?)?, column(it.rexpr.as_deref()?)?);
                let (of_from, of_to) = if left.0 == from.name { (left, right) } else { (right, left) };
                if of_from.0 != from.name || of_to.0 != to.name {
                    return None;
                }
                pairs.push((of_from.1, of_to.1));
            }
            _ => return None,
        }
    }
    pairs.sort();
    Some(pairs)
}

/// The table and the column of `table.column`.
fn column(node: &Node) -> Option<(Name, Name)> {
    let NodeEnum::ColumnRef(it) = node.node.as_ref()? else { return None };
    let [.., table, column] = it.fields.as_slice() else { return None };
    Some((word(table)?.into(), word(column)?.into()))
}

fn word(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::String(it) => Some(&it.sval),
        _ => None,
    }
}
