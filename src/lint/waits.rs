//! What others have to wait for: from the locks, rewrites and scans that were seen.

use std::collections::BTreeMap;

use pg_query::protobuf::AlterTableType::{AtAttachPartition, AtSetLogged, AtSetUnLogged};

use crate::lock::Lock;
use crate::name::{QName, list};
use crate::plan::hazard::Code;
use crate::schema::Facts;

use super::{Finding, Seen, blocked, is_used};

/// The waits that the statements of one transaction cause. Locks are held until its end.
pub(super) fn of_transaction(group: &[Seen<'_>], facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    let mut held: BTreeMap<QName, Lock> = BTreeMap::new();
    for seen in group {
        let own: BTreeMap<QName, Lock> = blocked(seen, facts).map(|(it, mode)| (it.clone(), mode)).collect();
        found.extend(of_statement(seen, &held, &own, facts));
        let earlier: Vec<QName> = held.keys().filter(|it| !own.contains_key(*it)).cloned().collect();
        // Of what is locked itself, that is said.
        let works = seen.ran.rewrites.iter().chain(&seen.ran.scans).filter(|it| !held.contains_key(*it));
        let works = works.chain(&seen.ran.whole).filter(|it| is_used(it, seen.before, facts));
        if let (false, Some(on)) = (held.is_empty(), works.into_iter().next()) {
            let locked: Vec<QName> = held.keys().cloned().collect();
            let why = format!("{} stays locked while the rows of {on} are gone through", list(&locked));
            found.push(seen.on(Code::WorkUnderLock, &locked[0], why));
        }
        let more: Vec<QName> = own.keys().filter(|it| !held.contains_key(*it)).cloned().collect();
        if let (false, Some(next)) = (earlier.is_empty(), more.first()) {
            let why = format!("{} stays locked while {} is waited for", list(&earlier), list(&more));
            found.push(seen.on(Code::LockTogether, next, why));
        }
        for (relation, mode) in own {
            let known = held.entry(relation).or_insert(mode);
            *known = (*known).max(mode);
        }
    }
    found
}

/// Work under locks that block writes, on the relation that is worked on.
fn of_statement(
    seen: &Seen<'_>,
    held: &BTreeMap<QName, Lock>,
    own: &BTreeMap<QName, Lock>,
    facts: &Facts,
) -> Vec<Finding> {
    let statement = seen.statement;
    let mode = |it: &QName| own.get(it).into_iter().chain(held.get(it)).max().copied();
    let mut found = vec![];
    let rewritten = if statement.is_truncate() { &[][..] } else { &seen.ran.rewrites };
    for relation in rewritten.iter().filter(|it| is_used(it, seen.before, facts)) {
        let code = match () {
            () if statement.is_maintenance() => Code::WrittenAnew,
            () if statement.alters(&[AtSetLogged, AtSetUnLogged]) => Code::SetUnlogged,
            () => Code::RewriteTable,
        };
        let lock = mode(relation).map_or(String::new(), |it| format!(" under {it}"));
        found.push(seen.on(code, relation, format!("every row is written anew{lock}")));
    }
    for relation in &seen.ran.scans {
        let Some(lock) = mode(relation) else { continue };
        let code = match () {
            () if statement.is_about_index() => Code::BlockingIndex,
            () if statement.alters(&[AtAttachPartition]) => Code::AttachScan,
            () => Code::ScanUnderLock,
        };
        let why = format!("every row is read under {lock}");
        found.push(seen.on(code, relation, why));
    }
    // An index goes in no time; what its table's users feel is the wait for all of them to be gone.
    if statement.is_about_index() && seen.ran.scans.is_empty() {
        for (relation, lock) in own {
            found.push(seen.on(Code::BlockingIndex, relation, format!("it takes {lock}")));
        }
    }
    found
}

/// A lock that others queue behind, asked for without a limit.
pub(super) fn untimed(seen: &Seen<'_>, facts: &Facts) -> Option<Finding> {
    if seen.ran.timed {
        return None;
    }
    let (relation, mode) = blocked(seen, facts).next()?;
    Some(seen.on(Code::NoLockTimeout, relation, format!("{mode} without a lock_timeout")))
}
