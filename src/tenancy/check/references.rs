//! Unique keys and foreign keys that reach over tenants.

use super::{Code, Look};
use crate::kind::constraint::{Action, ForeignKey, Rule};
use crate::kind::index::Subject;
use crate::kind::{Kind, Object, ObjectId, column, default};
use crate::name::{Name, QName, list};
use crate::source::syntax;
use crate::tenancy::{Class, KeyColumn};

pub(super) fn check(look: &mut Look<'_>) {
    for (table, keys) in look.scoped() {
        uniqueness(look, table, &keys);
        references(look, table, &keys);
    }
    let globals: Vec<&QName> =
        look.tenancy.tables.iter().filter(|(_, it)| **it == Class::Global).map(|(table, _)| table).collect();
    for table in globals.into_iter().filter(|it| !look.partitions.contains(it)).collect::<Vec<_>>() {
        for (id, foreign) in foreign_keys(look, table) {
            if !look.tenancy.keys(&foreign.to).is_empty() {
                let message = format!("global table {table} refers to rows of tenants, in {}", foreign.to);
                look.find(Code::ReferenceThroughGlobal, id, message);
            }
        }
    }
}

fn uniqueness(look: &mut Look<'_>, table: &QName, keys: &[KeyColumn]) {
    let lacks = |columns: &[Name]| keys.iter().any(|key| !columns.contains(&key.column));
    let surrogate = surrogate(look, table);
    let mut found: Vec<(ObjectId, Name, Vec<Name>)> = vec![];
    for object in look.schema.of_relation(Kind::Constraint, table) {
        let Object::Constraint(it) = object else { continue };
        let columns: Vec<Name> = match &it.rule {
            Rule::Unique(unique) => unique.columns.clone(),
            Rule::Exclusion(exclusion) => (exclusion.elements.iter())
                .filter_map(|it| match &it.key.of {
                    Subject::Column(name) => Some(name.clone()),
                    Subject::Expression(_) => None,
                })
                .collect(),
            Rule::Foreign(_) | Rule::Check(_) => continue,
        };
        found.push((object.id(), it.name.clone(), columns));
    }
    for object in look.schema.of_kind(Kind::Index) {
        let Object::Index(it) = object else { continue };
        if it.table == *table && it.unique {
            let columns = it.keys.iter().filter_map(|it| match &it.of {
                Subject::Column(name) => Some(name.clone()),
                Subject::Expression(_) => None,
            });
            found.push((object.id(), it.name.name.clone(), columns.collect()));
        }
    }
    for (id, name, columns) in found {
        let holds_surrogate =
            surrogate.as_ref().is_some_and(|primary| primary.iter().all(|it| columns.contains(it)));
        if !lacks(&columns) || holds_surrogate || is_global(look, table, &name, &columns) {
            continue;
        }
        let on = if columns.is_empty() { "an expression".to_owned() } else { list(&columns) };
        look.find(Code::UniqueCrosses, id, format!("{name} of {table} is unique over all tenants, on {on}"));
    }
}

/// The columns of a primary key whose values mean nothing outside of the database.
fn surrogate(look: &Look<'_>, table: &QName) -> Option<Vec<Name>> {
    let primary = look.schema.of_relation(Kind::Constraint, table).find_map(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(it) if it.primary => Some(it.columns.clone()),
            _ => None,
        },
        _ => None,
    })?;
    let made = |name: &Name| {
        column::find(look.schema, table, name).is_some_and(|it| it.identity.is_some())
            || default::find(look.schema, table, name).is_some_and(|it| {
                syntax::parse_expression(&it.expression.0).is_ok_and(|it| crate::source::anatomy::is_generator(&it))
            })
    };
    primary.iter().any(made).then_some(primary)
}

/// Whether somebody has said that the key is unique over all tenants.
fn is_global(look: &Look<'_>, table: &QName, name: &Name, columns: &[Name]) -> bool {
    let kept = &look.exceptions.kept;
    kept.contains_key(&(table.clone(), name.clone()))
        || kept.contains_key(&(table.sibling(name.clone()), name.clone()))
        || matches!(columns, [column] if look.exceptions.columns.contains_key(&(table.clone(), column.clone())))
}

fn foreign_keys<'a>(look: &Look<'a>, table: &'a QName) -> Vec<(ObjectId, &'a ForeignKey)> {
    let of = |object: &'a Object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Foreign(foreign) => Some((object.id(), foreign)),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => None,
        },
        _ => None,
    };
    look.schema.of_relation(Kind::Constraint, table).filter_map(of).collect()
}

fn references<'a>(look: &mut Look<'a>, table: &'a QName, keys: &[KeyColumn]) {
    for (id, foreign) in foreign_keys(look, table) {
        let name = id.path.last().cloned().unwrap_or_else(|| Name::from(""));
        let unset = |action: Action| matches!(action, Action::SetNull | Action::SetDefault);
        let set = if foreign.set_columns.is_empty() { &foreign.columns } else { &foreign.set_columns };
        let on_delete = unset(foreign.on_delete) && keys.iter().any(|key| set.contains(&key.column));
        let on_update = unset(foreign.on_update) && keys.iter().any(|key| foreign.columns.contains(&key.column));
        if on_delete || on_update {
            let message = format!("foreign key {name} of {table} sets its tenant key when the other row goes");
            look.find(Code::ReferenceUnsetsKey, id.clone(), message);
        }
        if look.exceptions.kept.contains_key(&(table.clone(), name.clone())) {
            continue;
        }
        match look.tenancy.class(&foreign.to) {
            Some(Class::Scoped(theirs)) => {
                let shared = keys.iter().zip(theirs).take_while(|(one, other)| one.level == other.level);
                let carried = |own: &Name, their: &Name| {
                    foreign.columns.iter().zip(&foreign.to_columns).any(|pair| pair == (own, their))
                };
                let missing = shared.into_iter().find(|(own, their)| !carried(&own.column, &their.column));
                if let Some((own, _)) = missing {
                    let message =
                        format!("foreign key {name} of {table} refers to {} without {}", foreign.to, own.column);
                    look.find(Code::ReferenceCrosses, id, message);
                }
            }
            Some(Class::Tenant) if foreign.columns.iter().all(|it| keys.iter().all(|key| key.column != *it)) => {
                let message = format!(
                    "foreign key {name} of {table} refers to a tenant by {}, which need not be the row's own",
                    list(&foreign.columns)
                );
                look.find(Code::ReferenceToTenant, id, message);
            }
            Some(Class::Tenant | Class::Global | Class::External) | None => {}
        }
    }
}
