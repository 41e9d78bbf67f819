//! What TOML says of things that SQL declares: whether they are there, and what they have.

use std::collections::BTreeSet;

use pg_query::NodeEnum;

use super::value::{Key, Reader, Value, entries};
use super::{allow, bad_name, qname, was};
use crate::name::{Name, QName};
use crate::source::names::Class;
use crate::source::{Draft, Span, Statement, parts, syntax};

/// A relation or type as its statement declares it.
pub struct Found {
    pub class: Class,
    /// Where its statement stands.
    pub origin: Span,
    /// Columns, labels and constraints, also those added later.
    parts: BTreeSet<(Class, Name)>,
    /// Some of its columns are written elsewhere: LIKE, INHERITS, OF, PARTITION OF, or a view.
    open: bool,
}

impl Found {
    pub fn may_have(&self, class: Class, name: &Name) -> bool {
        self.open || self.parts.contains(&(class, name.clone()))
    }
}

/// Finds what is declared under a name.
pub fn find(draft: &Draft, name: &QName, classes: &[Class]) -> Option<Found> {
    let path = [name.namespace.clone(), name.name.clone()];
    let declares = |statement: &&Statement| {
        statement.names.declares.iter().any(|it| classes.contains(&it.class) && parts::path(it) == path)
    };
    let statement = draft.statements.iter().find(declares)?;
    let class = statement.names.declares.iter().find(|it| parts::path(it) == path)?.class;
    let added = draft.added.iter().map(|column| (Class::Column, column.clone()));
    let mut found = Found { class, origin: statement.origin, parts: added.collect(), open: false };
    for statement in &draft.statements {
        // An added constraint is in another statement, which declares it under the table's path.
        let speaks = statement.names.declares.iter().any(|it| parts::path(it).starts_with(&path));
        let Some(node) =
            speaks.then(|| syntax::parse(&statement.sql).ok()).flatten().and_then(|it| it.into_iter().next())
        else {
            continue;
        };
        for part in parts::parts(&statement.sql, &node, &statement.names) {
            if let (true, Some(name)) = (part.path.len() == 3 && part.path.starts_with(&path), part.path.last()) {
                found.parts.insert((part.class, name.clone()));
            }
        }
        found.open |= match &node {
            NodeEnum::CreateStmt(table) => {
                let like =
                    |node: &pg_query::protobuf::Node| matches!(node.node, Some(NodeEnum::TableLikeClause(_)));
                !table.inh_relations.is_empty() || table.of_typename.is_some() || table.table_elts.iter().any(like)
            }
            NodeEnum::ViewStmt(_) | NodeEnum::CreateTableAsStmt(_) => true,
            _ => false,
        };
    }
    Some(found)
}

/// Whether an index of the name is declared.
pub fn has_index(draft: &Draft, name: &QName) -> bool {
    let path = [name.namespace.clone(), name.name.clone()];
    let is_it = |it: &crate::source::Declared| it.class == Class::Index && parts::path(it) == path;
    draft.statements.iter().any(|statement| statement.names.declares.iter().any(is_it))
}

/// `[type."public.mood"]`: old names of a type and its labels or attributes.
pub fn read_type(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>, draft: &mut Draft) {
    let Some(name) = qname(key.get_ref()) else { return bad_name(reader, reader.span(key)) };
    let Some(fields) = reader.fields(format!("type {name}"), value, &["was", "labels", "allow"]) else { return };
    let Some(found) = find(draft, &name, &[Class::Enum, Class::Domain, Class::Composite, Class::Range]) else {
        let help = "declare it in a .sql file with CREATE TYPE or CREATE DOMAIN";
        return reader.fault(reader.span(key), format!("type {name} is declared nowhere"), "this type", help);
    };
    let path = vec![name.namespace.clone(), name.name.clone()];
    was(reader, &fields, found.class, path.clone(), draft);
    allow(reader, &fields, found.class, path.clone(), draft);
    let Some(labels) = fields.get("labels") else { return };
    for (key, value) in
        reader.table(&format!("`labels` of {}", fields.what), labels).map(entries).unwrap_or_default()
    {
        let label = Name::from(key.get_ref().as_ref());
        if !found.may_have(Class::Label, &label) {
            let message = format!("type {name} has no label {}", label.as_str());
            reader.fault(reader.span(key), message, "this label", "write a label as CREATE TYPE has it");
            continue;
        }
        if let Some(fields) = reader.fields(format!("label {}", label.as_str()), value, &["was"]) {
            let path = [path.clone(), vec![label]].concat();
            was(reader, &fields, Class::Label, path, draft);
        }
    }
}
