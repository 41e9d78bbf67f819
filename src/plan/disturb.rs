//! Which objects must be dropped and made again: those whose kind has no way to alter them, and those that depend on
//! something that is disturbed, with all that depends on them in turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::Change;
use crate::kind::{Alter, ObjectId};
use crate::plan::{Disturbance, Step};
use crate::schema::{Dependents, Facts, Families, Schema, Sides};

/// What a plan has to do, settled: which objects are replaced, and the steps of those that are altered in place.
#[derive(Debug, Default)]
pub struct Settled {
    pub replaced: BTreeSet<ObjectId>,
    pub altered: BTreeMap<ObjectId, Vec<Step>>,
    /// Objects that can't be changed as declared, each with the reason.
    pub refused: Vec<(ObjectId, String)>,
    /// For each replaced object, what made it so: itself, or the object that was disturbed; for that, who disturbs it.
    pub cause: BTreeMap<ObjectId, ObjectId>,
}

/// Settles a set of changes. Replacing one object can make another's alteration moot or different, so this goes on
/// until nothing more is added.
pub fn settle(old: &Schema, new: &Schema, facts: &Facts, changes: &BTreeMap<ObjectId, Change>) -> Settled {
    let dependents = old.dependents();
    let dependents_after = if facts.way_back { new.dependents() } else { Dependents::new() };
    let mut settled = Settled::default();
    loop {
        let sides = Sides { old, new, facts, replaced: &settled.replaced, families: &Families::default() };
        let mut found: Vec<(ObjectId, ObjectId)> = vec![];
        let mut altered = BTreeMap::new();
        let mut refused = vec![];
        let mut disturbed: BTreeSet<(ObjectId, Disturbance)> =
            settled.replaced.iter().map(|id| (id.clone(), Disturbance::Replace)).collect();
        let wholes = wholes(&sides, changes);
        for (id, change) in changes.iter().chain(wholes.iter().map(|id| (id, &Change::Alter))) {
            match change {
                Change::Create => {}
                // What still needs by name what goes (a table that becomes a view) is ended and made again.
                Change::Drop => _ = disturbed.insert((id.clone(), Disturbance::Replace)),
                Change::Alter if settled.replaced.contains(id) => {}
                Change::Alter => match old.objects[id].alter(&new.objects[id], &sides) {
                    Alter::Replace => found.push((id.clone(), id.clone())),
                    Alter::Refused(reason) => refused.push((id.clone(), reason)),
                    Alter::Steps(steps) => {
                        disturbed.extend(steps.iter().flat_map(|step| step.disturbs.iter().cloned()));
                        altered.insert(id.clone(), steps);
                    }
                },
            }
        }
        // What comes in the moment in which something goes can't be there for a change before that.
        let coming = changes.iter().filter(|(_, change)| **change == Change::Create).map(|(id, _)| id);
        let successors: BTreeMap<ObjectId, &ObjectId> =
            coming.filter_map(|id| Some((new.objects[id].takes_the_place_of(&sides)?, id))).collect();
        for (id, how) in &disturbed {
            let successor = successors.get(id);
            for dependent in dependents.get(id).into_iter().flatten() {
                let Some(object) = old.get(dependent) else { continue };
                let moot = !new.contains(dependent) || settled.replaced.contains(*dependent);
                // An object that is altered away from what goes is not in its way, nor is one that stays without it.
                let leaves = *how == Disturbance::Replace
                    && !new.contains(id)
                    && (altered.contains_key(*dependent) || object.outlives(id, new))
                    && !new.needs_of(dependent).any(|need| need == id || Some(&need) == successor);
                if !moot && !leaves && !object.survives(*how) && !object.changes_along(&sides) {
                    found.push(((*dependent).clone(), id.clone()));
                }
            }
        }
        // The way back may begin before the forward change of an object: then it still is as it shall be, and in the way.
        for (id, how) in disturbed.iter().filter(|_| facts.way_back) {
            for dependent in dependents_after.get(id).into_iter().flatten() {
                let changed = changes.get(*dependent) == Some(&Change::Alter)
                    && !old.objects[*dependent].changes_along(&sides);
                if changed && !settled.replaced.contains(*dependent) && !new.objects[*dependent].survives(*how) {
                    found.push(((*dependent).clone(), id.clone()));
                }
            }
        }
        // Parts are made again with their whole.
        for id in &settled.replaced {
            for dependent in dependents.get(id).into_iter().flatten() {
                if new.contains(dependent) && old.part_of(dependent).as_ref() == Some(id) {
                    found.push(((*dependent).clone(), id.clone()));
                }
            }
        }
        found.retain(|(id, _)| !settled.replaced.contains(id));
        // Asked last: what would have to go with something may have been left alone by then.
        if found.is_empty() {
            let going = changes.iter().filter(|(_, change)| **change == Change::Drop).map(|(id, _)| id);
            for id in going.chain(&settled.replaced) {
                found.extend(old.objects[id].goes_only_with(&sides).map(|it| (it, id.clone())));
            }
            found.retain(|(id, _)| !settled.replaced.contains(id));
        }
        if found.is_empty() {
            // What is exchanged goes through what has it: that is ended and made again with the exchange.
            for (id, step) in altered.iter().flat_map(|(id, steps)| steps.iter().map(move |step| (id, step))) {
                let through = step.disturbs.iter().filter(|(on, how)| *how == Disturbance::Swap && on != id);
                for (on, _) in through.filter(|(on, _)| !changes.contains_key(on)) {
                    settled.cause.entry(on.clone()).or_insert_with(|| id.clone());
                }
            }
            let coming = changes.iter().filter(|(_, change)| **change == Change::Create).map(|(id, _)| id);
            for id in coming.chain(&settled.replaced).filter(|id| new.contains(id)) {
                refused.extend(new.objects[id].cannot_come(&sides).map(|reason| (id.clone(), reason)));
            }
            let going = changes.iter().filter(|(_, change)| **change == Change::Drop).map(|(id, _)| id);
            refused.extend(going.filter_map(|id| Some((id.clone(), old.objects[id].cannot_go(&sides)?))));
            settled.altered = altered;
            settled.refused = refused;
            return settled;
        }
        for (id, cause) in found {
            settled.cause.entry(id.clone()).or_insert(cause);
            settled.replaced.insert(id);
        }
    }
}

/// Wholes that are altered for the sake of a part that comes or changes, without a difference of their own.
fn wholes(sides: &Sides<'_>, changes: &BTreeMap<ObjectId, Change>) -> BTreeSet<ObjectId> {
    let changed = changes.iter().filter(|(_, change)| **change != Change::Drop);
    let parts = changed.filter(|(id, _)| sides.new.get(id).is_some_and(|it| it.changes_whole(sides)));
    let wholes = parts.filter_map(|(id, _)| sides.new.part_of(id));
    wholes.filter(|it| sides.old.contains(it) && !changes.contains_key(it)).collect()
}
