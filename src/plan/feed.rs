//! What publications mean for those who write: rows that are filled in a published table go to its readers, each of
//! them, and a table that can tell its readers no rows takes no updates.

use crate::kind::{publication, table};
use crate::name::list;
use crate::plan::Planned;
use crate::plan::hazard::{Code, Hazard};
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

/// Marks the steps with which the server comes to refuse updates of a table: each time with the first
/// transaction of what decides it, since it may be that one.
pub fn mark_refusals(steps: &mut [Planned], [old, new]: [&Schema; 2]) {
    if steps.is_empty() {
        return;
    }
    let before = publication::unidentified(old);
    for (name, why) in publication::unidentified(new) {
        let table = table::id(&name);
        if before.contains_key(&name) || !old.contains(&table) {
            continue;
        }
        let by = [old, new].map(|side| publication::that_decide(side, &name));
        let decides = |step: &Planned| by.iter().any(|it| it.contains(&step.subject));
        let Some(first) = steps.iter().find(|it| decides(it)).map(|it| it.transaction) else { continue };
        // Where it is not in a transaction, it is alone.
        let of_first = |it: &&mut Planned| decides(it) && it.transaction == first;
        let step = match first {
            Some(_) => steps.iter_mut().rev().find(of_first),
            None => steps.iter_mut().find(of_first),
        };
        if let Some(step) = step {
            step.step.hazards.push(Hazard::new(Code::RefusesUpdates, table, why));
        }
    }
}
