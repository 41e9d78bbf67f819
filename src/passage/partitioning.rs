//! A plain table becomes a partitioned one while it is in use: it turns into one of the partitions, with all its rows,
//! and a partitioned table takes its name. What can take long comes before that and lets reads and writes through: the
//! keys that a partitioned table needs, and a check that says where the rows are. The exchange itself is one short
//! transaction which reads no row.
//!
//! Facts from "Table Partitioning" and ALTER TABLE … ATTACH PARTITION in the manual: a valid CHECK that implies the bound
//! spares the scan, and indexes and foreign keys of the table that fit those of the whole are taken over as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::copying;
use super::partitioned::{self, Conversion, Way};
use super::{Ground, Passage, PassageError, Workbench};
use crate::kind::column::{self, Column, Identity};
use crate::kind::{Kind, Object, ObjectId, partition, table};
use crate::lock::{Lock, RelationLock};
use crate::name::{Literal, Name, QName, list};
use crate::plan::in_turn;
use crate::plan::{self, Half, PlanError, Planned, Stage, Step, Transaction, Undo};
use crate::schema::{Facts, Schema, Size};

/// Whether any table is to be converted.
pub fn is_needed(start: &Schema, desired: &Schema, facts: &Facts) -> bool {
    partitioned::tables(start, desired, facts).next().is_some()
}

/// The passage of all tables that are to be converted, one after the other.
pub async fn passage(ground: Ground<'_>, mut passage: Passage, desired: &Schema) -> Result<Passage, PassageError> {
    let names: Vec<QName> =
        partitioned::tables(&passage.schema, desired, &passage.facts).map(|it| it.0.name.clone()).collect();
    let mut refused = vec![];
    for name in names {
        let sides = table::find(&passage.schema, &name).cloned().zip(table::find(desired, &name));
        let Some((before, after)) = sides else { continue };
        match partitioned::conversion(&before, after, &passage.schema, desired, &passage.facts) {
            Ok(Way::Home(conversion)) => passage = convert(ground, &conversion, passage, desired).await?,
            Ok(Way::Copy) => passage = copying::passage(ground, &before, after, passage, desired).await?,
            Err(reason) => refused.push(PlanError::Refused { object: table::id(&name), reason }),
        }
    }
    if refused.is_empty() { Ok(passage) } else { Err(PassageError::Plan(refused)) }
}

async fn convert(
    ground: Ground<'_>,
    conversion: &Conversion<'_>,
    passage: Passage,
    desired: &Schema,
) -> Result<Passage, PassageError> {
    let Passage { steps, schema: start, facts } = passage;
    let described = conversion.as_if_partitioned(&start, desired, &BTreeSet::new());
    let mut partitioned = read_back(ground, conversion, &described).await?;
    let left = conversion.unsettled(&start, &partitioned);
    if !left.is_empty() {
        let described = conversion.as_if_partitioned(&start, desired, &left);
        partitioned = read_back(ground, conversion, &described).await?;
    }
    let (described, bound) = conversion.prepared(&start, &partitioned);
    let prepared = read_back(ground, conversion, &described).await?;
    let before = plan::make(&start, &prepared, &facts).map_err(PassageError::Plan)?;

    let workbench = Workbench::with(ground, &prepared).await?;
    let renames = renames(conversion, &prepared, &partitioned);
    workbench.run(&renames).await?;
    let renamed = workbench.schema().await?;
    let target = conversion.with_left_overs(&partitioned, &renamed);
    // Nobody gets in between, and what the rows have to be they are by now: plain forms are enough.
    let empty = Facts { sizes: empty(&renamed), ..Facts::default() };
    let bare = conversion.bare(&renamed);
    let mut exchange = plan::make(&renamed, &bare, &empty).map_err(PassageError::Plan)?;
    numbers_go_back(conversion, &renamed, &mut exchange);
    exchange.extend(plan::make(&bare, &target, &empty).map_err(PassageError::Plan)?);
    if let Some(it) = exchange.iter().find(|it| it.step.transaction == Transaction::Outside) {
        let reason = format!("{} can't be part of a transaction, and the exchange has to be one", it.subject);
        return Err(refused(conversion, reason));
    }
    if let Some(bound) = &bound {
        check_goes_last(conversion, bound, &mut exchange);
    }
    rows_go_back(conversion, &renamed, &mut exchange);
    exchange.extend(numbers_go_on(conversion, &start));
    // The other partitions are tables that nobody knows of until they are attached.
    let (mut beside, mut exchange): (Vec<_>, Vec<_>) =
        exchange.into_iter().partition(|it| conversion.is_of_new_partition(&it.subject, &target));
    home_comes_last(conversion, &mut exchange);
    if conversion.has_expressions(&start) {
        beside.iter_mut().for_each(|it| copy_from(it, conversion.name(), |id| partitioned::is_rule(&target, id)));
        whole_is_copied(conversion, bound.as_ref(), &target, &mut exchange);
    }
    let exchange = renames.into_iter().chain(exchange);
    let exchange: Vec<Planned> = exchange.map(|it| one_transaction(conversion, it, Some(1))).collect();
    let beside = beside.into_iter().zip(1..).map(|(it, number)| one_transaction(conversion, it, Some(number)));
    let mut way = in_turn(in_turn(beside.collect(), before), exchange);
    for it in &mut way {
        it.step.sizes.extend(facts.sizes.get(conversion.name()).map(|size| (conversion.name().clone(), *size)));
    }
    drop(workbench.finish().await?);
    let workbench = Workbench::with(ground, &start).await?;
    workbench.run(&way).await?;
    let schema = workbench.finish().await?;
    partitioned::upserts_are_told(conversion.name(), &start, &schema, &mut way, &facts);
    Ok(Passage {
        steps: in_turn(steps, way.into_iter().map(for_old_and_new).collect()),
        schema,
        facts: sizes(conversion, facts, desired),
    })
}

/// What the server makes of a described schema.
async fn read_back(
    ground: Ground<'_>,
    conversion: &Conversion<'_>,
    described: &Schema,
) -> Result<Schema, PassageError> {
    let workbench = Workbench::with(ground, described).await?;
    let missing = workbench.missing.first().cloned();
    let schema = workbench.finish().await?;
    match missing {
        Some((id, why)) => {
            Err(refused(conversion, format!("{id} can't be had while {} is partitioned: {why}", conversion.name())))
        }
        None => Ok(schema),
    }
}

fn refused(conversion: &Conversion<'_>, reason: String) -> PassageError {
    PassageError::Plan(vec![PlanError::Refused { object: table::id(conversion.name()), reason }])
}

/// The table and what has a name of its own on it get the names that they have as a partition.
fn renames(conversion: &Conversion<'_>, prepared: &Schema, partitioned: &Schema) -> Vec<Planned> {
    let (name, child) = (conversion.name(), &conversion.home.child);
    let planned = |subject: ObjectId, sql: String, back: String, to: &Name| Planned {
        step: Step::new(sql).locks(name, Lock::AccessExclusive),
        subject,
        does: vec![],
        transaction: Some(1),
        undo: vec![Undo::inside(back)],
        renames_to: Some(to.clone()),
    };
    let mut steps = vec![];
    let mut at = name.clone();
    if child.namespace != name.namespace {
        // It comes back under its own name, so that is what it leaves under.
        let moved = QName { namespace: child.namespace.clone(), name: name.name.clone() };
        let sql = format!("ALTER TABLE {at} SET SCHEMA {}", child.namespace);
        let back = format!("ALTER TABLE {moved} SET SCHEMA {}", name.namespace);
        let step = planned(table::id(name), sql, back, &name.name);
        steps.push(Planned { renames_to: None, ..step });
        at = moved;
    }
    let back = format!("ALTER TABLE {child} RENAME TO {}", at.name);
    let mut step =
        planned(table::id(name), format!("ALTER TABLE {at} RENAME TO {}", child.name), back, &child.name);
    step.step = step
        .step
        .summary(format!("{name} becomes the partition {child}"))
        // What stands outside and needs the table by name would be left with the partition alone.
        .disturbs(table::id(name), plan::Disturbance::Replace);
    steps.push(step);
    for (id, to) in conversion.renames(prepared, partitioned) {
        let Some(from) = id.path.last() else { continue };
        let (sql, back) = match id.kind {
            Kind::Constraint => (
                format!("ALTER TABLE {child} RENAME CONSTRAINT {from} TO {to}"),
                format!("ALTER TABLE {child} RENAME CONSTRAINT {to} TO {from}"),
            ),
            _ => {
                let (before, after) = (child.sibling(from.clone()), child.sibling(to.clone()));
                (format!("ALTER INDEX {before} RENAME TO {to}"), format!("ALTER INDEX {after} RENAME TO {from}"))
            }
        };
        steps.push(planned(id, sql, back, &to));
    }
    steps
}

fn empty(schema: &Schema) -> BTreeMap<QName, Size> {
    let relations = schema.objects.values().filter_map(|object| match object {
        Object::Table(it) => Some(it.name.clone()),
        Object::MaterializedView(it) => Some(it.name.clone()),
        _ => None,
    });
    relations.map(|name| (name, Size { rows: 0, bytes: 0, table_bytes: 0, empty: true })).collect()
}

/// The check is what spares the scan: it goes after the attachment, and comes back unproven, for the way back needs none.
fn check_goes_last(conversion: &Conversion<'_>, bound: &Name, exchange: &mut Vec<Planned>) {
    let child = &conversion.home.child;
    let id = ObjectId::new(Kind::Constraint, [&child.namespace, &child.name, bound]);
    let Some(place) = exchange.iter().position(|it| it.subject == id) else { return };
    let mut it = exchange.remove(place);
    let condition = conversion.home.condition.0.as_deref().unwrap_or("true");
    let sql = format!("ALTER TABLE {child} ADD CONSTRAINT {bound} CHECK ({condition}) NOT VALID");
    it.undo = vec![Undo::inside(sql)];
    exchange.push(it);
}

/// Lets a CREATE TABLE have its columns and checks from another table, to the letter; of its own it keeps the clauses of
/// these objects.
fn copy_from(planned: &mut Planned, source: &QName, keeps: impl Fn(&ObjectId) -> bool) {
    let Some(body) = &mut planned.step.body else { return };
    let own: Vec<(ObjectId, String)> = body.clauses.iter().filter(|(id, _)| keeps(id)).cloned().collect();
    let including = ["CONSTRAINTS", "DEFAULTS", "GENERATED", "STORAGE", "COMPRESSION"];
    let including: Vec<String> = including.iter().map(|it| format!("INCLUDING {it}")).collect();
    body.clauses = vec![(body.of.clone(), format!("LIKE {source} {}", including.join(" ")))];
    body.clauses.extend(own);
    planned.step.sql = body.sql();
}

/// The whole has its columns and checks from the table that becomes its partition, but for the check of the bound, and
/// is told anew which of them are identities.
fn whole_is_copied(
    conversion: &Conversion<'_>,
    bound: Option<&Name>,
    target: &Schema,
    exchange: &mut Vec<Planned>,
) {
    let (name, child) = (conversion.name(), &conversion.home.child);
    let id = table::id(name);
    let Some(place) = exchange.iter().position(|it| it.subject == id && it.step.body.is_some()) else { return };
    copy_from(&mut exchange[place], child, |id| partitioned::is_rule(target, id));
    let planned = |step: Step| Planned {
        step,
        subject: id.clone(),
        does: vec![],
        transaction: Some(1),
        undo: vec![],
        renames_to: None,
    };
    let without = bound.map(|bound| {
        Step::new(format!("ALTER TABLE {name} DROP CONSTRAINT {bound}"))
            .summary(format!("{name} is not bound as its partition is"))
    });
    let counted = identities(target, name).map(|(column, identity)| {
        let add =
            format!("ALTER TABLE {name} ALTER COLUMN {} ADD {}", column.name, identity.sql(name, &column.name));
        Step::new(add).summary(format!("{name}.{} is an identity", column.name))
    });
    let more: Vec<Planned> = without.into_iter().chain(counted).map(planned).collect();
    exchange.splice(place + 1..place + 1, more);
}

/// The table itself is attached after all other partitions, so that on the way back it leaves first.
fn home_comes_last(conversion: &Conversion<'_>, exchange: &mut [Planned]) {
    let is_attachment = |it: &Planned| matches!(it.subject.kind, Kind::Partition | Kind::IndexPartition);
    let Some(last) = exchange.iter().rposition(is_attachment) else { return };
    let home = partition::id(&conversion.home.child);
    let Some(first) = exchange.iter().position(|it| it.subject == home) else { return };
    let is_another = |it: &Planned| it.subject.kind == Kind::Partition && it.subject != home;
    let until = exchange[first + 1..=last].iter().position(is_another);
    let until = until.map_or(last + 1, |it| first + 1 + it);
    exchange[first..=last].rotate_left(until - first);
}

/// On the way back, rows that have come into other partitions meanwhile go to where all rows were.
fn rows_go_back(conversion: &Conversion<'_>, renamed: &Schema, exchange: &mut [Planned]) {
    let (name, child) = (conversion.name(), &conversion.home.child);
    let attachment = (partition::id(child), Half::Create);
    let Some(attach) = exchange.iter_mut().find(|it| it.does.contains(&attachment)) else { return };
    let columns: Vec<&Column> = renamed
        .of_relation(Kind::Column, child)
        .filter_map(|it| match it {
            Object::Column(it) if it.generated.is_none() => Some(&**it),
            _ => None,
        })
        .collect();
    let names = list(columns.iter().map(|it| &it.name));
    let overriding = if columns.iter().any(|it| it.identity.is_some()) { " OVERRIDING SYSTEM VALUE" } else { "" };
    let sql = format!("INSERT INTO {child} ({names}){overriding} SELECT {names} FROM {name}");
    attach.undo.push(Undo::inside(sql));
}

/// Sets the sequence of an identity column to go on after the values in a table.
fn numbers_after(table: &QName, column: &Column, identity: &Identity) -> String {
    let (aggregate, sign) = if identity.options.increment > 0 { ("max", '+') } else { ("min", '-') };
    format!(
        "SELECT setval({}, coalesce({aggregate}({}) {sign} {}, {}), false) FROM {table}",
        Literal(&identity.sequence.to_string()),
        column.name,
        identity.options.increment.unsigned_abs(),
        identity.options.start,
    )
}

/// An identity column gets a new sequence with the whole; it goes on where the old one was.
fn numbers_go_on(conversion: &Conversion<'_>, start: &Schema) -> Vec<Planned> {
    let name = conversion.name();
    let goes_on = |(column, identity): (&Column, &Identity)| {
        let summary = format!("lets {} go on after the values in {name}.{}", identity.sequence, column.name);
        Planned {
            step: Step::new(numbers_after(name, column, identity)).summary(summary),
            subject: column::id(name, &column.name),
            does: vec![],
            transaction: Some(1),
            undo: vec![],
            renames_to: None,
        }
    };
    identities(start, name).map(goes_on).collect()
}

/// The same on the way back.
fn numbers_go_back(conversion: &Conversion<'_>, renamed: &Schema, exchange: &mut [Planned]) {
    let child = &conversion.home.child;
    for (column, identity) in identities(renamed, child) {
        let ends = exchange.iter_mut().find(|it| it.subject == column::id(child, &column.name));
        if let Some(it) = ends {
            it.undo.push(Undo::inside(numbers_after(child, column, identity)));
        }
    }
}

fn identities<'a>(schema: &'a Schema, table: &'a QName) -> impl Iterator<Item = (&'a Column, &'a Identity)> {
    schema.of_relation(Kind::Column, table).filter_map(|it| match it {
        Object::Column(it) => Some((&**it, it.identity.as_ref()?)),
        _ => None,
    })
}

/// A step of the exchange: all of them are one transaction, and the table that it is about has its old name where
/// locks are told.
fn one_transaction(conversion: &Conversion<'_>, mut it: Planned, transaction: Option<u32>) -> Planned {
    let step = &mut it.step;
    step.transaction = Transaction::Shared;
    step.hazards.clear();
    step.scans.clear();
    step.rewrites.clear();
    for lock in &mut step.locks {
        if lock.relation == conversion.home.child {
            lock.relation.clone_from(conversion.name());
        }
    }
    step.locks.sort_by(|a: &RelationLock, b| (&a.relation, b.mode).cmp(&(&b.relation, a.mode)));
    step.locks.dedup_by(|later, first| later.relation == first.relation);
    it.transaction = transaction;
    it
}

/// Code that knew the plain table works before, during and after the passage.
fn for_old_and_new(mut it: Planned) -> Planned {
    it.step.stage = Stage::Expand;
    it
}

/// What was in the table is in its partition now; the others have been empty, and may hold rows by the time that the
/// rest of the plan runs.
fn sizes(conversion: &Conversion<'_>, mut facts: Facts, desired: &Schema) -> Facts {
    facts.unknown.insert(conversion.home.child.clone());
    if let Some(size) = facts.sizes.remove(conversion.name()) {
        facts.sizes.insert(conversion.home.child.clone(), size);
        for name in partitioned::family(desired, conversion.name()) {
            facts.sizes.entry(name).or_insert(Size { rows: 0, bytes: 0, table_bytes: 0, empty: false });
        }
    }
    facts
}
