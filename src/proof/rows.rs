//! Rows for the proof: made for every table that holds some on the live side, counted and compared afterwards.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::values::value;
use crate::connect::Session;
use crate::introspect::server_message;
use crate::kind::column::{Column, Generated};
use crate::kind::constraint::{ForeignKey, Rule};
use crate::kind::trigger::{self, Timing};
use crate::kind::{Definition, Kind, Object, ObjectId, domain, partition, table};
use crate::name::{Literal, Name, QName, list};
use crate::plan::Planned;
use crate::schema::{Facts, Schema};

/// What was filled, and what could not be.
#[derive(Debug, Default)]
pub struct Filled {
    pub filled: BTreeMap<QName, u32>,
    pub unfilled: BTreeMap<QName, String>,
}

/// How many rows a table is given.
pub(crate) const ROWS: usize = 3;

/// Makes the large objects that the numbers in a column may be of, so that expressions find them.
fn large_objects(Column { table, name, .. }: &Column) -> String {
    format!(
        "SELECT pg_catalog.lo_create(it) FROM (SELECT DISTINCT {name}::pg_catalog.oid FROM ONLY {table}) AS named (it)
          WHERE it <> 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata WHERE oid = it)"
    )
}

/// Puts a few rows into each table of the copy that may hold some on the live side, and into the tables that these
/// refer to; made to satisfy the constraints of both sides, but for what the plan fills. Triggers do not run meanwhile.
pub async fn fill(
    session: &Session,
    copied: &Schema,
    desired: &Schema,
    plan: &[Planned],
    facts: &Facts,
) -> Result<Filled, tokio_postgres::Error> {
    let keys = foreign_keys(copied, desired);
    let all: Vec<QName> = tables(copied).into_iter().collect();
    let (parted, stored): (Vec<&QName>, Vec<&QName>) = all.iter().partition(|it| is_partitioned(copied, it));
    let is_empty = |table: &QName| facts.sizes.get(table).is_some_and(|size| size.empty);
    let (empty, held): (Vec<&QName>, Vec<&QName>) = stored.into_iter().partition(|it| is_empty(it));
    // A partitioned table holds rows where one of its partitions does.
    let lines: BTreeSet<QName> = held.iter().flat_map(|it| partition::line(copied, it)).collect();
    let parted = parted.into_iter().filter(|it| lines.contains(*it));
    let mut wanted: BTreeSet<QName> = held.iter().copied().chain(parted).cloned().collect();
    loop {
        let parents: Vec<QName> = keys
            .iter()
            .filter(|it| wanted.contains(&it.0) && !wanted.contains(&it.1.to))
            .map(|it| it.1.to.clone())
            .collect();
        if parents.is_empty() {
            break;
        }
        wanted.extend(parents);
    }
    let partitioned: BTreeSet<QName> = copied
        .of_kind(Kind::Table)
        .filter_map(|it| match it {
            Object::Table(it) => it.partition_by.as_ref().map(|_| it.name.clone()),
            _ => None,
        })
        .collect();
    session
        .client
        .batch_execute("SET session_replication_role = replica; SET client_min_messages = warning")
        .await?;
    let order = parents_first(&wanted, &keys);
    let attempts = order.iter().flat_map(|table| {
        let columns: Vec<&Column> = columns(copied, table);
        // What is put into a partition must not be there by way of the partitioned table.
        let from = depth(copied, table) * ROWS;
        let rows = from..from + ROWS;
        let sql = |row| format!("DO {}", Literal(&insert(table, &columns, row, copied, desired, &keys)));
        rows.map(|row| (table, sql(row))).collect::<Vec<_>>()
    });
    // A connection keeps the order of what is sent, so parents are there before their children.
    let ran =
        join_all(attempts.map(|(table, sql)| async move { (table, session.client.batch_execute(&sql).await) }))
            .await;
    for nothing in lacking(copied, desired, plan, &keys) {
        // A constraint may refuse it.
        let _ = session.client.batch_execute(&nothing).await;
    }
    // What was put into a partitioned table may have gone to a partition that holds none.
    let is_below = |it: &&&QName| partition::line(copied, it).iter().any(|above| wanted.contains(above));
    for table in empty.iter().filter(|it| !wanted.contains(**it)).filter(is_below) {
        session.client.batch_execute(&format!("DELETE FROM ONLY {table}")).await?;
    }
    let named = wanted
        .iter()
        .flat_map(|table| columns(copied, table))
        .filter(|it| it.generated.is_none() && domain::base(copied, &it.data_type) == "oid");
    for column in named {
        session.client.batch_execute(&large_objects(column)).await?;
    }
    session.client.batch_execute("RESET session_replication_role; RESET client_min_messages").await?;
    let mut filled = Filled::default();
    for (table, result) in ran {
        match result {
            Ok(()) => *filled.filled.entry(table.clone()).or_default() += 1,
            Err(error) => _ = filled.unfilled.insert(table.clone(), server_message(&error)),
        }
    }
    filled.unfilled.retain(|table, _| !filled.filled.contains_key(table) && !partitioned.contains(table));
    let routed: Vec<QName> = filled.unfilled.keys().filter(|it| depth(copied, it) > 0).cloned().collect();
    for (table, rows) in routed.iter().zip(counts(session, &routed).await?) {
        if rows > 0 {
            filled.unfilled.remove(table);
            filled.filled.insert(table.clone(), u32::try_from(rows).unwrap_or(u32::MAX));
        }
    }
    Ok(filled)
}

/// Takes its value from one row of each column that becomes required and is filled for that, so that there is something
/// to fill. Rows that are found by it, or find others, keep theirs.
fn lacking(copied: &Schema, desired: &Schema, plan: &[Planned], keys: &[(QName, &ForeignKey)]) -> Vec<String> {
    let fills = plan.iter().filter_map(|it| it.step.fill()).filter(|it| it.into.is_none());
    let filled: BTreeSet<(&str, &str)> =
        fills.flat_map(|it| it.set.iter().map(|set| (it.table.as_str(), set.column.as_str()))).collect();
    let nothing = |column: &Object| {
        let Object::Column(it) = column else { return None };
        let Column { table, name, .. } = &**it;
        let becomes_required = !is_required(column) && desired.get(&column.id()).is_some_and(is_required);
        let is_filled =
            becomes_required && filled.contains(&(table.to_string().as_str(), name.to_string().as_str()));
        let is_of_a_key = |(of, key): &(QName, &ForeignKey)| {
            (of == table && key.columns.contains(name)) || (key.to == *table && key.to_columns.contains(name))
        };
        (is_filled && !keys.iter().any(is_of_a_key)).then(|| {
            format!(
                "UPDATE {table} SET {name} = NULL
                  WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM {table} ORDER BY 1 DESC, 2 DESC LIMIT 1)"
            )
        })
    };
    copied.of_kind(Kind::Column).filter_map(nothing).collect()
}

/// How many partitioned tables a table is a partition of, one within the other.
fn depth(schema: &Schema, table: &QName) -> usize {
    partition::line(schema, table).len() - 1
}

/// The foreign keys whose columns the copy has, of both sides: a key that the plan adds finds partners too. That of a
/// partitioned table is one of each partition.
pub(crate) fn foreign_keys<'a>(copied: &'a Schema, desired: &'a Schema) -> Vec<(QName, &'a ForeignKey)> {
    let declared = |schema: &'a Schema| {
        schema.of_kind(Kind::Constraint).filter_map(|it| match it {
            Object::Constraint(it) => match &it.rule {
                Rule::Foreign(key) => Some((it.table.clone(), key)),
                Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => None,
            },
            _ => None,
        })
    };
    let has = |table: &QName, column: &Name| {
        copied.contains(&ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]))
    };
    let of = |schema: &'a Schema| {
        let with_partitions = |(table, key): (QName, &'a ForeignKey)| {
            let mut tables = vec![table];
            let mut next = 0;
            while let Some(table) = tables.get(next) {
                let below = schema.of_kind(Kind::Partition).filter_map(|it| match it {
                    Object::Partition(it) if it.parent == *table => Some(it.child.clone()),
                    _ => None,
                });
                let below: Vec<QName> = below.collect();
                tables.extend(below);
                next += 1;
            }
            tables.into_iter().map(move |table| (table, key))
        };
        declared(schema).flat_map(with_partitions)
    };
    of(copied)
        .chain(of(desired))
        .filter(|(table, key)| {
            key.columns.iter().all(|it| has(table, it)) && key.to_columns.iter().all(|it| has(&key.to, it))
        })
        .collect()
}

/// Tables in an order in which those that are referred to come first, as far as there is one.
pub(crate) fn parents_first(tables: &BTreeSet<QName>, keys: &[(QName, &ForeignKey)]) -> Vec<QName> {
    let mut order: Vec<QName> = vec![];
    let mut left: Vec<&QName> = tables.iter().collect();
    while !left.is_empty() {
        let ready = |table: &&QName| {
            let mut parents = keys.iter().filter(|it| it.0 == **table && it.1.to != **table).map(|it| &it.1.to);
            parents.all(|parent| order.contains(parent) || !tables.contains(parent))
        };
        // In a circle, whoever is first goes first and refers to nothing.
        let next = left.iter().position(ready).unwrap_or(0);
        order.push(left.remove(next).clone());
    }
    order
}

pub(crate) fn columns<'a>(schema: &'a Schema, table: &'a QName) -> Vec<&'a Column> {
    let columns = schema.of_relation(Kind::Column, table);
    columns.filter_map(|it| if let Object::Column(it) = it { Some(&**it) } else { None }).collect()
}

/// A block of PL/pgSQL that inserts one row: with a value for every column, or else with what is required and each of
/// the other values that goes in by itself.
pub(crate) fn insert(
    table: &QName,
    columns: &[&Column],
    row: usize,
    copied: &Schema,
    desired: &Schema,
    keys: &[(QName, &ForeignKey)],
) -> String {
    let (full, least) = values_of(table, columns, row, copied, desired, keys);
    let others = full.iter().filter(|(name, _)| least.iter().all(|it| it.0 != *name)).map(|(name, value)| {
        format!(
            "BEGIN UPDATE {table} SET {name} = {value} WHERE tableoid = _tenantry_of AND ctid = _tenantry_at \
             RETURNING tableoid, ctid INTO STRICT _tenantry_of, _tenantry_at; EXCEPTION WHEN OTHERS THEN NULL; END; "
        )
    });
    let others: String = others.collect();
    let (full, least) = (inserting(table, &full), inserting(table, &least));
    format!(
        "DECLARE _tenantry_of oid; _tenantry_at tid; BEGIN {full}; EXCEPTION WHEN OTHERS THEN \
         {least} RETURNING tableoid, ctid INTO _tenantry_of, _tenantry_at; {others}END"
    )
}

/// The values of one row: those of every column, and of what is required only.
type Values<'a> = Vec<(&'a Name, String)>;

fn values_of<'a>(
    table: &QName,
    columns: &[&'a Column],
    row: usize,
    copied: &Schema,
    desired: &Schema,
    keys: &[(QName, &ForeignKey)],
) -> (Values<'a>, Values<'a>) {
    let mut full: Values<'_> = vec![];
    let mut least: Values<'_> = vec![];
    for column in columns.iter().filter(|it| it.generated.is_none()) {
        let key = keys.iter().find(|(of, key)| of == table && key.columns.contains(&column.name));
        let value = match key {
            Some((_, key)) => partner(table, key, &column.name, row),
            None => value(table, column, row, copied, desired),
        };
        let id = ObjectId::new(Kind::Default, [&table.namespace, &table.name, &column.name]);
        if column.not_null.is_some() && !copied.contains(&id) && column.identity.is_none() {
            least.push((&column.name, value.clone()));
        }
        full.push((&column.name, value));
    }
    (full, least)
}

fn inserting(table: &QName, values: &Values<'_>) -> String {
    match values.as_slice() {
        [] => format!("INSERT INTO {table} DEFAULT VALUES"),
        values => format!(
            "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            list(values.iter().map(|it| it.0)),
            list(values.iter().map(|it| &it.1))
        ),
    }
}

/// The value of a foreign key's column: that of a row of the other table, the same row for all columns of the key.
fn partner(table: &QName, key: &ForeignKey, column: &Name, row: usize) -> String {
    let place = key.columns.iter().position(|it| it == column).unwrap_or_default();
    let Some(to) = key.to_columns.get(place).filter(|_| key.to != *table) else { return "NULL".into() };
    format!(
        "(SELECT {to} FROM {} ORDER BY ctid LIMIT 1 OFFSET {row} % greatest(1, (SELECT count(*) FROM {})))",
        key.to, key.to
    )
}

/// For every table that both schemas have: a digest of its rows, in the columns whose values nothing changes.
pub async fn digest(
    session: &Session,
    old: &Schema,
    new: &Schema,
    declared: &BTreeMap<QName, Vec<String>>,
) -> Result<BTreeMap<QName, String>, tokio_postgres::Error> {
    let same = |column: &Object| {
        let after = new.get(&column.id());
        after.is_some_and(|after| {
            let fills = !is_required(column) && is_required(after);
            let same = values(after) == values(column) && own_types(old, column) == own_types(new, after);
            (same || are_printed_alike(column, after)) && !fills
        })
    };
    let digests = tables(old).into_iter().filter(|table| new.contains(&table_id(table))).map(|table| {
        let columns: Vec<String> = old
            .of_relation(Kind::Column, &table)
            .filter(|it| same(it))
            .filter_map(|it| it.id().path.get(2).map(ToString::to_string))
            .collect();
        // What becomes a partitioned table has its rows in partitions then.
        let only = if is_partitioned(old, &table) == is_partitioned(new, &table) { "ONLY " } else { "" };
        let but = declared.get(&table).filter(|it| !it.is_empty());
        let but = but.map(|it| format!(" WHERE NOT coalesce({}, false)", it.join(" OR "))).unwrap_or_default();
        let sql = format!(
            "SELECT md5(coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '')) \
             FROM (SELECT {} FROM {only}{table}{but}) r",
            columns.join(", ")
        );
        async move { Ok((table, session.client.query_one(&sql, &[]).await?.get(0))) }
    });
    Ok(try_join_all(digests).await?.into_iter().collect())
}

/// Tables whose rows a plan fills while triggers of their own run for each of these and may change it: with the triggers.
pub fn changed_by_triggers(schema: &Schema, plan: &[Planned]) -> BTreeMap<QName, Vec<Name>> {
    let fills = plan.iter().filter_map(|it| it.step.fill());
    let filled: BTreeSet<&str> = fills.filter(|it| it.into.is_none()).map(|it| it.table.as_str()).collect();
    let found = tables(schema).into_iter().filter_map(|table| {
        let triggers = trigger::of_updates(schema, &table).into_iter();
        let before = triggers.filter(|it| it.timing == Timing::Before && it.for_each_row);
        let named: Vec<Name> = before.map(|it| it.name.clone()).collect();
        let is_filled =
            || table::ancestry(schema, &table).iter().any(|it| filled.contains(it.to_string().as_str()));
        (!named.is_empty() && is_filled()).then_some((table, named))
    });
    found.collect()
}

/// How many rows tables hold.
pub async fn counts<'a>(
    session: &Session,
    tables: impl IntoIterator<Item = &'a QName>,
) -> Result<Vec<i64>, tokio_postgres::Error> {
    let counts = tables.into_iter().map(|table| async move {
        Ok(session.client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await?.get(0))
    });
    try_join_all(counts).await
}

/// A digest of all that tables hold, by the first of two names, read by the second.
pub async fn whole<'a>(
    session: &Session,
    tables: impl IntoIterator<Item = (&'a QName, &'a QName)>,
) -> Result<BTreeMap<QName, String>, tokio_postgres::Error> {
    let digests = tables.into_iter().map(|(name, at)| {
        let sql =
            format!("SELECT md5(coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '')) FROM ONLY {at} AS r");
        async move { Ok((name.clone(), session.client.query_one(&sql, &[]).await?.get(0))) }
    });
    Ok(try_join_all(digests).await?.into_iter().collect())
}

pub(crate) fn tables(schema: &Schema) -> Vec<QName> {
    let tables = schema.of_kind(Kind::Table).map(Object::id);
    tables.map(|id| QName { namespace: id.path[0].clone(), name: id.path[1].clone() }).collect()
}

fn is_partitioned(schema: &Schema, table: &QName) -> bool {
    matches!(schema.get(&table_id(table)), Some(Object::Table(it)) if it.partition_by.is_some())
}

fn table_id(table: &QName) -> ObjectId {
    ObjectId::new(Kind::Table, [&table.namespace, &table.name])
}

/// Rows without a value get one when the column becomes required.
fn is_required(column: &Object) -> bool {
    matches!(column, Object::Column(it) if it.not_null.is_some())
}

/// What the values of a column depend on: its type, and the expression that makes them.
fn values(column: &Object) -> Option<(&str, &Option<Generated>)> {
    match column {
        Object::Column(it) => Some((&it.data_type, &it.generated)),
        _ => None,
    }
}

/// Whether each value of the one type reads the same as one of the other: a change between them shows in no row.
fn are_printed_alike(before: &Object, after: &Object) -> bool {
    let (Object::Column(before), Object::Column(after)) = (before, after) else { return false };
    let of = |types: &[&str]| [before, after].iter().all(|it| types.contains(&it.data_type.as_str()));
    let plain = before.generated.is_none() && after.generated.is_none();
    plain && (of(&["smallint", "integer", "bigint", "numeric"]) || of(&["text", "character varying"]))
}

/// The types of one's own that the column's values are made of: a renamed label, another base shows in every row, and
/// so does a column of the table whose row type it has.
fn own_types(schema: &Schema, column: &Object) -> BTreeSet<(ObjectId, String)> {
    let own = [Kind::EnumType, Kind::Domain, Kind::Composite, Kind::RangeType, Kind::Table];
    let whole = column.part_of();
    let mut open: Vec<ObjectId> = schema.needs_of(&column.id()).cloned().collect();
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !own.contains(&id.kind) || Some(&id) == whole.as_ref() || !seen.insert(id.clone()) {
            continue;
        }
        let columns = match schema.get(&id) {
            Some(Object::Table(it)) => it.columns(schema),
            Some(other) => {
                found.insert((id.clone(), serde_json::to_string(other).unwrap_or_default()));
                vec![]
            }
            None => vec![],
        };
        for it in columns {
            found.insert((it.id(), it.data_type.clone()));
            open.extend(schema.needs_of(&it.id()).cloned());
        }
        open.extend(schema.needs_of(&id).cloned());
    }
    found
}
