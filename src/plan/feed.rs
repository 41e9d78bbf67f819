//! What publications mean for those who write: rows that are filled in a published table go to its readers, each of
//! them, and a table that can tell its readers no rows takes no updates.

use std::collections::BTreeSet;

use crate::kind::{ObjectId, publication, table};
use crate::name::{QName, list};
use crate::plan::hazard::{Code, Hazard};
use crate::plan::{Half, Planned};
use crate::schema::Schema;

/// Marks the steps that change rows which a publication sends on. A table may have its name of before or of after.
pub fn mark(steps: &mut [Planned], [old, new]: [&Schema; 2]) {
    let sent = [publication::of_updates(old), publication::of_updates(new)];
    for it in steps {
        let Some(fill) = it.step.fill().filter(|it| it.into.is_none()) else { continue };
        let by_name = sent.iter().find_map(|sent| sent.iter().find(|(name, _)| name.to_string() == fill.table));
        let Some((name, publications)) = by_name else { continue };
        let why = format!("updates of {name} are published by {}", list(publications));
        it.step.hazards.push(Hazard::new(Code::FillPublished, table::id(name), why));
    }
}

/// Marks the steps with which the server comes to refuse updates of a table, if only until a later step: by what the
/// schema is after each transaction.
pub fn mark_refusals(steps: &mut [Planned], [old, new]: [&Schema; 2]) {
    let [before, after] = [old, new].map(publication::Senders::of);
    if steps.is_empty() || (before.is_empty() && after.is_empty()) {
        return;
    }
    let mut between = old.clone();
    let told: BTreeSet<ObjectId> = steps.iter().flat_map(|it| it.does.iter().map(|(id, _)| id.clone())).collect();
    let mut refused: BTreeSet<QName> = BTreeSet::new();
    for group in steps.chunk_by_mut(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let mut deciding: Vec<(usize, BTreeSet<QName>)> = vec![];
        for (place, it) in group.iter().enumerate() {
            let tables = it.does.iter().flat_map(|(id, _)| {
                let of = |side: &Schema| side.get(id).map(|object| publication::decided_by(object, side));
                [old, new].into_iter().filter_map(of).flatten().collect::<Vec<_>>()
            });
            deciding.push((place, tables.collect()));
            // What changes without a step of its own does so with its parts.
            let wholes = it.does.iter().filter_map(|(id, _)| Some((new.part_of(id)?, Half::Alter)));
            let wholes = wholes.filter(|(id, _)| !told.contains(id) && old.contains(id));
            for (id, half) in it.does.iter().cloned().chain(wholes) {
                match new.get(&id).filter(|_| half != Half::Drop) {
                    Some(object) => _ = between.objects.insert(id, object.clone()),
                    None => _ = between.objects.remove(&id),
                }
            }
        }
        let tables: BTreeSet<QName> = deciding.iter().flat_map(|(_, tables)| tables.clone()).collect();
        if tables.is_empty() {
            continue;
        }
        let senders = publication::Senders::of(&between);
        for table in tables {
            let Some(why) = senders.refuse(&table) else {
                refused.remove(&table);
                continue;
            };
            if before.refuse(&table).is_some() || !refused.insert(table.clone()) {
                continue;
            }
            let Some((last, _)) = deciding.iter().rfind(|(_, tables)| tables.contains(&table)) else { continue };
            let why = match after.refuse(&table) {
                Some(_) => why,
                None => format!("until a later step, {why}"),
            };
            group[*last].step.hazards.push(Hazard::new(Code::RefusesUpdates, table::id(&table), why));
        }
    }
}
