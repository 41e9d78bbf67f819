//! The things in a statement that can be pointed at: what it declares and the columns, labels and constraints within,
//! each with the place of its name.

use std::ops::Range;

use pg_query::NodeEnum;
use pg_query::protobuf::{Constraint, Node, RangeVar, Token};

use super::names::{Class, Declared, Names};
use super::sql::{range_of, tokens, unquoted};
use crate::name::Name;

/// A thing that a statement declares, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub class: Class,
    /// As in [`super::Rename::path`].
    pub path: Vec<Name>,
    /// Where it begins, in the text of the statement.
    pub at: Range<usize>,
    /// A constraint in the line of its column.
    pub inline: bool,
}

/// The parts of a statement in the order of its text.
pub fn parts(sql: &str, statement: &NodeEnum, names: &Names) -> Vec<Part> {
    let tokens = tokens(sql);
    let mut parts: Vec<Part> = Vec::new();
    for declared in names.declares.iter().filter(|declared| declared.class != Class::Constraint) {
        let token = tokens.iter().map(range_of).find(|range| unquoted(&sql[range.clone()]) == declared.name);
        let at = token.unwrap_or(0..0);
        parts.push(Part { class: declared.class, path: path(declared), at, inline: false });
    }
    let whole: Vec<Name> = parts.first().map(|part| part.path.clone()).unwrap_or_default();
    let within = |name: &str| whole.iter().cloned().chain([Name::from(name)]).collect::<Vec<_>>();
    let word = |location: i32| {
        let start = location.max(0) as usize;
        tokens.iter().map(range_of).find(|range| range.start >= start).unwrap_or(start..start)
    };
    let constraint = |constraint: &Constraint, table: &[Name], inline: bool| {
        let path = table.iter().cloned().chain([Name::from(constraint.conname.as_str())]).collect();
        let at = word(constraint.location);
        (!constraint.conname.is_empty()).then_some(Part { class: Class::Constraint, path, at, inline })
    };
    let elements: &[Node] = match statement {
        NodeEnum::CreateStmt(table) => &table.table_elts,
        NodeEnum::CompositeTypeStmt(composite) => &composite.coldeflist,
        NodeEnum::CreateForeignTableStmt(table) => table.base_stmt.as_ref().map_or(&[], |table| &table.table_elts),
        NodeEnum::CreateDomainStmt(domain) => &domain.constraints,
        _ => &[],
    };
    for element in elements {
        match &element.node {
            Some(NodeEnum::ColumnDef(column)) => {
                let at = word(column.location);
                parts.push(Part { class: Class::Column, path: within(&column.colname), at, inline: false });
                let constraints = column.constraints.iter().filter_map(as_constraint);
                parts.extend(constraints.filter_map(|inner| constraint(inner, &whole, true)));
            }
            Some(NodeEnum::Constraint(inner)) => parts.extend(constraint(inner, &whole, false)),
            _ => {}
        }
    }
    match statement {
        NodeEnum::CreateEnumStmt(made) => {
            let strings = tokens.iter().filter(|token| token.token == Token::Sconst as i32).map(range_of);
            for (label, at) in made.vals.iter().zip(strings) {
                let label = super::allow::constant(label);
                parts.push(Part { class: Class::Label, path: within(&label), at, inline: false });
            }
        }
        NodeEnum::AlterTableStmt(alter) => {
            let namespace = names.declares.first().and_then(|declared| declared.namespace.clone());
            let table: Vec<Name> = match &alter.relation {
                Some(RangeVar { relname, .. }) => {
                    namespace.into_iter().chain([relname.clone()]).map(Name::from).collect()
                }
                None => Vec::new(),
            };
            for node in &alter.cmds {
                if let Some(NodeEnum::AlterTableCmd(command)) = &node.node
                    && let Some(inner) = command.def.as_deref().and_then(as_constraint)
                {
                    parts.extend(constraint(inner, &table, false));
                }
            }
        }
        _ => {}
    }
    parts.sort_by_key(|part| part.at.start);
    parts
}

/// The path of something declared: namespace, relation, name.
pub fn path(declared: &Declared) -> Vec<Name> {
    let parts = declared.namespace.iter().chain(&declared.on).chain([&declared.name]);
    parts.map(|part| Name::from(part.as_str())).collect()
}

fn as_constraint(node: &Node) -> Option<&Constraint> {
    match &node.node {
        Some(NodeEnum::Constraint(constraint)) => Some(constraint),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{names, syntax};

    fn shown(sql: &str) -> Vec<String> {
        let node = syntax::parse(sql).unwrap().remove(0);
        parts(sql, &node, &names::names(&node, &["public".to_owned()]))
            .into_iter()
            .map(|part| {
                let path: Vec<&str> = part.path.iter().map(Name::as_str).collect();
                format!("{} {} at {}", part.class, path.join("."), &sql[part.at])
            })
            .collect()
    }

    #[test]
    fn parts_are_found_at_their_names() {
        assert_eq!(
            shown("CREATE TABLE s.t (\"A\" int CONSTRAINT c CHECK (true), CONSTRAINT d CHECK (true))"),
            [
                "table s.t at t",
                "column s.t.A at \"A\"",
                "constraint s.t.c at CONSTRAINT",
                "constraint s.t.d at CONSTRAINT"
            ]
        );
        assert_eq!(
            shown("CREATE TYPE mood AS ENUM ('sad', 'it''s')"),
            ["enum public.mood at mood", "label public.mood.sad at 'sad'", "label public.mood.it's at 'it''s'"]
        );
        assert_eq!(shown("ALTER TABLE t ADD CONSTRAINT c CHECK (true)"), ["constraint public.t.c at CONSTRAINT"]);
        assert_eq!(shown("CREATE INDEX i ON t (a)"), ["index public.i at i"]);
    }
}
