//! Tables that a transaction locks one after the other. Each waits for whoever uses it, and those that the transaction
//! has already are locked meanwhile: where that can't be avoided it is a hazard of the step.

use std::collections::BTreeSet;

use crate::kind::{Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{QName, list};
use crate::plan::batch::WORTH_IT;
use crate::plan::hazard::Code;
use crate::plan::{Planned, Step};
use crate::schema::{Facts, Schema};

/// Marks the steps that lock another large table while their transaction holds one.
pub fn mark(plan: &mut [Planned], old: &Schema, facts: &Facts) {
    let is_large = |it: &QName| {
        is_table(it, old)
            && !facts.idle.contains(it)
            && facts.sizes.get(it).is_none_or(|size| size.rows >= WORTH_IT)
    };
    for group in plan.chunk_by_mut(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let mut held: BTreeSet<QName> = BTreeSet::new();
        for it in group {
            let own = strong(&it.step).filter(|it| is_large(it)).cloned().collect::<BTreeSet<_>>();
            let more = &own - &held;
            if !held.is_empty() && !more.is_empty() {
                let why = format!("{} stays locked while {} is waited for", list(&held), list(&more));
                let step = std::mem::replace(&mut it.step, Step::new(""));
                it.step = step.hazard(Code::LockTogether, it.subject.clone(), why);
            }
            held.extend(own);
        }
    }
}

/// Whether the relation stores rows, or stands over those that do.
pub fn is_table(relation: &QName, schema: &Schema) -> bool {
    let id = |kind| ObjectId::new(kind, [&relation.namespace, &relation.name]);
    [Kind::Table, Kind::MaterializedView].map(id).iter().any(|it| schema.contains(it))
}

/// What the step keeps others from writing, or more.
pub fn strong(step: &Step) -> impl Iterator<Item = &QName> {
    step.locks.iter().filter(|it| it.mode >= Lock::Share).map(|it| &it.relation)
}
