//! What has nothing to do with a change that waits for `contract` does not wait with it: steps of earlier stages go ahead of
//! it, where neither is about what the other is about or needs.

use std::collections::BTreeSet;

use super::{Planned, Stage, in_turn, renumber};
use crate::kind::ObjectId;
use crate::name::Name;
use crate::schema::Schema;

/// Steps, and then those that start from what they lead to, as far as these can't go ahead of the first that is in
/// `contract`. `sides` is what the later ones lead from and to.
pub fn ahead(mut first: Vec<Planned>, then: Vec<Planned>, sides: [&Schema; 2]) -> Vec<Planned> {
    let is_late = |it: &Planned| it.step.stage == Stage::Contract;
    let Some(late) = first.chunk_by(together).position(|it| it.iter().any(is_late)) else {
        return in_turn(first, then);
    };
    let start = first.chunk_by(together).take(late).map(<[Planned]>::len).sum();
    let late = first.split_off(start);
    let reach = Reach(sides);
    let mut waited_for: BTreeSet<Place> = late.iter().flat_map(|it| reach.touched(it)).collect();
    let (mut free, mut waiting) = (vec![], vec![]);
    for transaction in then.chunk_by(together) {
        let touched: BTreeSet<Place> = transaction.iter().flat_map(|it| reach.touched(it)).collect();
        let waits = transaction.iter().any(is_late)
            || !waited_for.is_disjoint(&touched)
            || transaction.iter().any(|it| !waited_for.is_disjoint(&reach.needed(it)));
        if waits {
            waited_for.extend(touched);
            waiting.extend_from_slice(transaction);
        } else {
            free.extend_from_slice(transaction);
        }
    }
    let mut steps = in_turn(in_turn(in_turn(first, free), late), waiting);
    renumber(&mut steps);
    steps
}

/// Whether two neighbours share a transaction.
fn together(one: &Planned, next: &Planned) -> bool {
    one.transaction.is_some() && one.transaction == next.transaction
}

/// Where something stands: its whole, by namespace and name whatever its kind, since kinds share names.
type Place = Vec<Name>;

/// What steps reach, on either side.
struct Reach<'a>([&'a Schema; 2]);

impl Reach<'_> {
    fn place(&self, id: &ObjectId) -> Place {
        let whole = self.0.iter().find(|it| it.contains(id)).map_or_else(|| id.clone(), |it| it.whole_of(id));
        whole.path.iter().take(2).cloned().collect()
    }

    fn about(step: &Planned) -> impl Iterator<Item = &ObjectId> {
        step.does.iter().map(|(id, _)| id).chain([&step.subject])
    }

    /// What a step is about, and what it locks.
    fn touched(&self, step: &Planned) -> BTreeSet<Place> {
        let locked = step.step.locks.iter().map(|it| &it.relation);
        let locked = locked.map(|it| vec![it.namespace.clone(), it.name.clone()]);
        Self::about(step).map(|id| self.place(id)).chain(locked).collect()
    }

    /// What that needs, by way of others too.
    fn needed(&self, step: &Planned) -> BTreeSet<Place> {
        let mut open: Vec<&ObjectId> = Self::about(step).collect();
        let mut seen: BTreeSet<&ObjectId> = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.0.iter().flat_map(|it| it.needs_of(id)));
            }
        }
        seen.into_iter().map(|id| self.place(id)).collect()
    }
}
