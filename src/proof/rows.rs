//! Rows for the proof: made for every table that holds some on the live side, counted and compared afterwards.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use crate::connect::Session;
use crate::kind::column::Generated;
use crate::kind::{Kind, Object, ObjectId};
use crate::name::QName;
use crate::schema::{Facts, Schema};

/// What was filled, and what could not be.
#[derive(Debug, Default)]
pub struct Filled {
    pub filled: BTreeMap<QName, u32>,
    pub unfilled: BTreeMap<QName, String>,
}

/// Puts a few rows into each table of the copy that holds rows on the live side.
pub async fn fill(_session: &Session, copied: &Schema, facts: &Facts) -> Result<Filled, tokio_postgres::Error> {
    let mut filled = Filled::default();
    for table in tables(copied) {
        if facts.sizes.get(&table).is_some_and(|size| !size.empty) {
            filled.unfilled.insert(table, "no rows are made yet".into());
        }
    }
    Ok(filled)
}

/// For every table that both schemas have: a digest of its rows, in the columns whose values nothing changes.
pub async fn digest(
    session: &Session,
    old: &Schema,
    new: &Schema,
) -> Result<BTreeMap<QName, String>, tokio_postgres::Error> {
    let same = |column: &Object| {
        let after = new.get(&column.id());
        after.is_some_and(|after| values(after) == values(column) && labels(old, column) == labels(new, after))
    };
    let digests = tables(old).into_iter().filter(|table| new.contains(&table_id(table))).map(|table| {
        let columns: Vec<String> = old
            .of_relation(Kind::Column, &table)
            .filter(|it| same(it))
            .filter_map(|it| it.id().path.get(2).map(ToString::to_string))
            .collect();
        let sql = format!(
            "SELECT md5(coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '')) FROM (SELECT {} FROM ONLY {table}) r",
            columns.join(", ")
        );
        async move { Ok((table, session.client.query_one(&sql, &[]).await?.get(0))) }
    });
    Ok(try_join_all(digests).await?.into_iter().collect())
}

fn tables(schema: &Schema) -> Vec<QName> {
    let tables = schema.of_kind(Kind::Table).map(Object::id);
    tables.map(|id| QName { namespace: id.path[0].clone(), name: id.path[1].clone() }).collect()
}

fn table_id(table: &QName) -> ObjectId {
    ObjectId::new(Kind::Table, [&table.namespace, &table.name])
}

/// What the values of a column depend on: its type, and the expression that makes them.
fn values(column: &Object) -> Option<(&str, &Option<Generated>)> {
    match column {
        Object::Column(it) => Some((&it.data_type, &it.generated)),
        _ => None,
    }
}

/// The labels of the column's type, where it is an enum: a renamed label shows in every row.
fn labels<'a>(schema: &'a Schema, column: &Object) -> Option<&'a Vec<String>> {
    schema.needs_of(&column.id()).find_map(|need| match schema.get(need) {
        Some(Object::EnumType(it)) => Some(&it.labels),
        _ => None,
    })
}
