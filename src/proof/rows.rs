//! Rows for the proof: made for every table that holds some on the live side, counted and compared afterwards.

use std::collections::BTreeMap;

use crate::connect::Session;
use crate::kind::{Kind, Object};
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

/// For every table that both schemas have: a digest of its rows, in the columns that have one type on both sides.
pub async fn digest(
    session: &Session,
    old: &Schema,
    new: &Schema,
) -> Result<BTreeMap<QName, String>, tokio_postgres::Error> {
    let mut digests = BTreeMap::new();
    for table in tables(old).into_iter().filter(|table| new.contains(&table_id(table))) {
        let columns: Vec<String> = old
            .of_relation(Kind::Column, &table)
            .filter(|it| new.get(&it.id()).is_some_and(|after| data_type(after) == data_type(it)))
            .filter_map(|it| it.id().path.get(2).map(ToString::to_string))
            .collect();
        let sql = format!(
            "SELECT md5(coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '')) FROM (SELECT {} FROM ONLY {table}) r",
            columns.join(", ")
        );
        digests.insert(table, session.client.query_one(&sql, &[]).await?.get(0));
    }
    Ok(digests)
}

fn tables(schema: &Schema) -> Vec<QName> {
    let tables = schema.of_kind(Kind::Table).map(Object::id);
    tables.map(|id| QName { namespace: id.path[0].clone(), name: id.path[1].clone() }).collect()
}

fn table_id(table: &QName) -> crate::kind::ObjectId {
    crate::kind::ObjectId::new(Kind::Table, [&table.namespace, &table.name])
}

fn data_type(column: &Object) -> Option<serde_json::Value> {
    serde_json::to_value(column).ok()?.get("Column")?.get("data_type").cloned()
}
