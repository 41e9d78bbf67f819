//! The key of a scoped table: that it is there, required, of the tenant's type, referring to it, and served by an index.

use super::{Code, Look};
use crate::kind::constraint::Rule;
use crate::kind::index::Subject;
use crate::kind::{Kind, Object, column, table};
use crate::name::{Name, QName};
use crate::source::anatomy::type_kind;

pub(super) fn check(look: &mut Look<'_>) {
    for (table, keys) in look.scoped() {
        for key in &keys {
            let level = &look.tenancy.levels[key.level];
            let Some(found) = column::find(look.schema, table, &key.column) else {
                look.find(
                    Code::KeyMissing,
                    table::id(table),
                    format!("table {table} has no column {}", key.column),
                );
                continue;
            };
            let id = column::id(table, &key.column);
            if found.not_null.is_none() {
                look.find(Code::KeyNullable, id.clone(), format!("column {table}.{} can be null", key.column));
            }
            if type_kind(&found.data_type) != type_kind(&level.data_type) {
                let message = format!(
                    "column {table}.{} is {}, and {}.{}, which it says, is {}",
                    key.column, found.data_type, level.table, level.id, level.data_type
                );
                look.find(Code::KeyType, id.clone(), message);
            }
            if !refers(look, table, &key.column, &level.table) {
                let message = format!("column {table}.{} refers to no {}", key.column, level.table);
                look.find(Code::KeyWithoutReference, id, message);
            }
        }
        if keys.iter().all(|key| column::find(look.schema, table, &key.column).is_some())
            && !is_served(look, table, &keys[0].column)
        {
            let message = format!("no index of {table} begins with {}", keys[0].column);
            look.find(Code::IndexMissing, table::id(table), message);
        }
    }
}

/// Whether each row's key is seen to be that of a tenant that there is: by a foreign key to the tenant's table, or to one
/// whose rows have theirs, over columns that are all required.
fn refers(look: &Look<'_>, table: &QName, key: &Name, tenant: &QName) -> bool {
    look.schema.of_relation(Kind::Constraint, table).any(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Foreign(foreign) => {
                let required =
                    |name: &Name| column::find(look.schema, table, name).is_some_and(|it| it.not_null.is_some());
                foreign.columns.contains(key)
                    && (foreign.to == *tenant || !look.tenancy.keys(&foreign.to).is_empty())
                    && foreign.columns.iter().all(|it| it == key || required(it))
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
        },
        _ => false,
    })
}

/// Whether an index finds the rows of one tenant.
fn is_served(look: &Look<'_>, table: &QName, key: &Name) -> bool {
    let by_constraint = look.schema.of_relation(Kind::Constraint, table).any(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(it) => it.columns.first() == Some(key),
            Rule::Exclusion(_) | Rule::Foreign(_) | Rule::Check(_) => false,
        },
        _ => false,
    });
    by_constraint
        || look.schema.of_kind(Kind::Index).any(|object| match object {
            Object::Index(it) => {
                it.table == *table
                    && it.predicate.is_none()
                    && matches!(it.method.as_str(), "btree" | "hash")
                    && matches!(it.keys.first().map(|it| &it.of), Some(Subject::Column(name)) if name == key)
            }
            _ => false,
        })
}
