//! How long a transaction waits for its locks: for all of them together as long as a step may for one. Whoever wants a
//! table that it has locked, or waits for, waits as long as it does.
#![expect(clippy::disallowed_methods, reason = "an edge: it measures")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::plan::file::FileStep;

/// What is left of a transaction's patience.
pub(super) struct Patience<'a> {
    begun: Instant,
    /// Relations on which nobody has to be waited for any more.
    locked: BTreeSet<&'a str>,
}

impl<'a> Patience<'a> {
    /// From the transaction's first statement on.
    pub(super) fn begin() -> Self {
        Patience { begun: Instant::now(), locked: BTreeSet::new() }
    }

    /// The step's `lock_timeout`, in milliseconds, which the server counts for each lock anew.
    pub(super) fn lock_timeout(&mut self, step: &'a FileStep) -> u32 {
        let strong = step.locks.iter().filter(|it| it.mode.conflicts(Lock::RowExclusive));
        let locks = strong.filter(|it| self.locked.insert(&it.relation)).count();
        share(step.lock_timeout_ms, self.begun.elapsed(), locks)
    }
}

/// A lock's part of the milliseconds that are left, and a quarter of them all at least: one that is waited for no longer
/// than a client's own transaction takes would not be had on a busy table. 0 is no limit, before and after.
fn share(all: u32, gone: Duration, locks: usize) -> u32 {
    let left = all.saturating_sub(u32::try_from(gone.as_millis()).unwrap_or(u32::MAX));
    let part = left / u32::try_from(locks.max(1)).unwrap_or(u32::MAX);
    part.max(all.div_ceil(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Stage;
    use crate::plan::file::FileLock;

    #[test]
    fn locks_share_the_time() {
        let none = Duration::ZERO;
        assert_eq!(share(200, none, 0), 200);
        assert_eq!(share(200, none, 1), 200);
        assert_eq!(share(200, none, 2), 100);
        assert_eq!(share(200, Duration::from_millis(60), 2), 70);
        assert_eq!(share(200, none, 30), 50);
        assert_eq!(share(200, Duration::from_secs(9), 1), 50);
        assert_eq!(share(1, Duration::from_secs(9), 3), 1, "0 would be no limit");
        assert_eq!(share(0, Duration::from_secs(9), 3), 0);
    }

    #[test]
    fn what_is_locked_is_not_waited_for_again() {
        let step = |locks: &[(&str, Lock)]| FileStep {
            lock_timeout_ms: 1_000_000,
            locks: locks
                .iter()
                .map(|(relation, mode)| FileLock { relation: (*relation).to_owned(), mode: *mode, observed: None })
                .collect(),
            ..FileStep::new(1, Stage::Expand, "")
        };
        let both = step(&[("a", Lock::AccessExclusive), ("b", Lock::ShareRowExclusive), ("c", Lock::AccessShare)]);
        let again = step(&[("a", Lock::AccessExclusive)]);
        let mut patience = Patience::begin();
        assert!(patience.lock_timeout(&both) <= 500_000);
        assert!(patience.lock_timeout(&again) > 500_000);
    }
}
