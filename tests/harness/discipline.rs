//! What holds for the transactions of every plan: no lock that others wait for is held over work that grows with the
//! rows, and no two tables are locked now in one order and now in the other, unless a hazard says so.

use std::collections::BTreeSet;

use tenantry::name::QName;
use tenantry::plan::Planned;
use tenantry::plan::hazard::Code;
use tenantry::plan::together::{is_table, strong};
use tenantry::schema::{Facts, Schema};

/// Hazards that tell of work under a lock.
const TOLD: [Code; 6] = [
    Code::ScanUnderLock,
    Code::RewriteTable,
    Code::BlockingIndex,
    Code::AttachScan,
    Code::SetUnlogged,
    Code::RequiredColumn,
];

/// Where the plan breaks the rules, in words.
pub fn faults(plan: &[Planned], old: &Schema, facts: &Facts) -> Vec<String> {
    let mut faults = vec![];
    let mut pairs: BTreeSet<(QName, QName)> = BTreeSet::new();
    let holds_rows = |it: &&QName| {
        is_table(it, old) && !facts.idle.contains(*it) && facts.sizes.get(*it).is_none_or(|size| !size.empty)
    };
    for group in plan.chunk_by(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let told = |code: &[Code]| group.iter().any(|it| it.step.hazards.iter().any(|it| code.contains(&it.code)));
        let mut held: Vec<&QName> = vec![];
        for it in group {
            let own: Vec<&QName> = strong(&it.step).filter(holds_rows).filter(|it| !held.contains(it)).collect();
            for (one, other) in held.iter().flat_map(|one| own.iter().map(move |other| (*one, *other))) {
                if pairs.contains(&(other.clone(), one.clone())) && !told(&[Code::LockTogether]) {
                    faults.push(format!(
                        "{one} is locked before {other} here, and after it elsewhere: {}",
                        it.step.sql
                    ));
                }
                pairs.insert((one.clone(), other.clone()));
            }
            held.extend(own);
            let work: Vec<&QName> = it.step.scans.iter().chain(&it.step.rewrites).filter(holds_rows).collect();
            if !held.is_empty() && !work.is_empty() && it.step.batch.is_none() && !told(&TOLD) {
                faults.push(format!("{held:?} are locked while {work:?} are read or written: {}", it.step.sql));
            }
        }
    }
    faults
}
