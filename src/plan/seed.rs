//! Declared rows: inserted where they are missing, as soon as their table is there, so that what refers to them can
//! come next.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Kind, Object, ObjectId, column};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::{Half, Planned, Stage, Step, Undo};
use crate::schema::Schema;
use crate::source::Seed;

/// A declared row, by the place of its seed and its own in it.
pub type RowPlace = (usize, usize);

/// A query that is true when the row is there. `None` where a key column has no value: nothing can be looked up.
pub fn exists(seed: &Seed, row: usize) -> Option<String> {
    let condition = key_condition(seed, row)?;
    Some(format!("SELECT EXISTS (SELECT FROM {} WHERE {condition})", seed.table))
}

fn key_condition(seed: &Seed, row: usize) -> Option<String> {
    let values = seed.rows.get(row)?;
    let parts: Option<Vec<String>> = seed
        .key
        .iter()
        .map(|key| values.iter().find(|(name, _)| name == key).map(|(name, value)| format!("{name} = {value}")))
        .collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join(" AND "))
}

/// What is true of a table's declared rows, where both schemas have the columns of their key.
pub fn conditions(seeds: &[Seed], sides: [&Schema; 2]) -> BTreeMap<QName, Vec<String>> {
    let mut found: BTreeMap<QName, Vec<String>> = BTreeMap::new();
    for seed in seeds {
        let has = |name: &Name| sides.iter().all(|it| column::find(it, &seed.table, name).is_some());
        if seed.key.iter().all(has) {
            let rows = (0..seed.rows.len()).filter_map(|row| key_condition(seed, row));
            found.entry(seed.table.clone()).or_default().extend(rows);
        }
    }
    found
}

/// Puts the inserts into the plan: after the step that makes the table, in its transaction; or, for a table that
/// exists, at the end of the expand stage. `present`: rows that the live side has already.
pub fn plant(mut plan: Vec<Planned>, seeds: &[Seed], new: &Schema, present: &BTreeSet<RowPlace>) -> Vec<Planned> {
    for (at, seed) in seeds.iter().enumerate() {
        let rows: Vec<usize> = (0..seed.rows.len()).filter(|row| !present.contains(&(at, *row))).collect();
        if rows.is_empty() {
            continue;
        }
        let table = ObjectId::new(Kind::Table, [&seed.table.namespace, &seed.table.name]);
        let made = plan.iter().position(|it| it.does.contains(&(table.clone(), Half::Create)));
        // In a table that is there, rows come in the order of the declaration: one may refer to an earlier one.
        let end_of_expand = plan.iter().take_while(|it| it.step.stage == Stage::Expand).count();
        let place = made.map_or(end_of_expand, |made| last_of_columns(&plan, made, &seed.table) + 1);
        let transaction =
            place.checked_sub(1).and_then(|before| plan[before].transaction).filter(|_| made.is_some());
        let steps = statements(seed, &rows, new, made.is_none());
        for (offset, (step, undo)) in steps.into_iter().enumerate() {
            plan.insert(
                place + offset,
                Planned { step, subject: table.clone(), does: vec![], transaction, undo, renames_to: None },
            );
        }
    }
    renumber(&mut plan);
    plan
}

/// Defaults that could not be written inside CREATE TABLE (those that draw from a sequence of the table's own) come
/// right after it, and a row may rely on them.
fn last_of_columns(plan: &[Planned], made: usize, table: &QName) -> usize {
    let of_table = |id: &ObjectId| {
        matches!(id.kind, Kind::Default | Kind::Sequence | Kind::Column)
            && id.path.first() == Some(&table.namespace)
            && (id.path.get(1) == Some(&table.name) || id.kind == Kind::Sequence)
    };
    let more = plan[made + 1..]
        .iter()
        .take_while(|it| it.transaction == plan[made].transaction && it.does.iter().any(|(id, _)| of_table(id)));
    made + more.count()
}

fn statements(seed: &Seed, rows: &[usize], new: &Schema, exists: bool) -> Vec<(Step, Vec<Undo>)> {
    let mut steps = vec![];
    let mut numbered: BTreeSet<&Name> = BTreeSet::new();
    for row in rows {
        let values = &seed.rows[*row];
        numbered.extend(values.iter().map(|(name, _)| name));
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT DO NOTHING",
            seed.table,
            list(values.iter().map(|(name, _)| name)),
            list(values.iter().map(|(_, value)| value)),
        );
        let key = seed.key.iter().filter_map(|key| values.iter().find(|(name, _)| name == key));
        let key: Vec<String> = key.map(|(name, value)| format!("{name} = {value}")).collect();
        let mut step = Step::new(sql)
            .summary(format!("add the declared row of {} with {}", seed.table, key.join(", ")))
            .locks(&seed.table, Lock::RowExclusive);
        if let Some(check) = self::exists(seed, *row) {
            step = step.check(check);
        }
        let undo = match key_condition(seed, *row).filter(|_| exists) {
            Some(condition) => {
                vec![Undo::inside(format!("DELETE FROM {} WHERE {condition}", seed.table))]
            }
            None => vec![],
        };
        if !exists {
            step.locks.clear();
        }
        steps.push((step, undo));
    }
    // A sequence knows nothing of values that were given outright, and would give them again.
    for column in numbered.into_iter().filter(|column| draws_numbers(new, &seed.table, column)) {
        let table = seed.table.to_string();
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({column}) FROM {}))",
            Literal(&table),
            Literal(column.as_str()),
            seed.table
        );
        let summary = format!("let the numbers of {}.{column} go on after the declared rows", seed.table);
        steps.push((Step::new(sql).summary(summary), vec![]));
    }
    steps
}

/// Whether a column has a sequence of its own: serial, or identity.
fn draws_numbers(new: &Schema, table: &QName, column: &Name) -> bool {
    let owned = new.of_kind(Kind::Sequence).any(
        |it| matches!(it, Object::Sequence(it) if it.owned_by.as_ref().is_some_and(|(t, c)| t == table && c == column)),
    );
    let id = ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]);
    owned || matches!(new.get(&id), Some(Object::Column(it)) if it.identity.is_some())
}

/// Transactions keep their order and their members; their numbers follow from their places.
fn renumber(plan: &mut [Planned]) {
    let mut next = 0;
    let mut last: Option<(Option<u32>, u32)> = None;
    for it in plan {
        let Some(number) = it.transaction else {
            last = None;
            // A seed that follows a statement outside any transaction has one of its own.
            if it.does.is_empty() && it.step.transaction != crate::plan::Transaction::Outside {
                next += 1;
                it.transaction = Some(next);
            }
            continue;
        };
        let given = match last {
            Some((Some(before), given)) if before == number => given,
            _ => {
                next += 1;
                next
            }
        };
        last = Some((Some(number), given));
        it.transaction = Some(given);
    }
}
