//! PostgreSQL's eight table-level lock modes, what each keeps others from doing.
//! <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::QName;

/// A table-level lock mode, weakest first, with the names of `pg_locks.mode` less their "Lock".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lock {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Lock {
    pub const ALL: [Lock; 8] = [
        Lock::AccessShare,
        Lock::RowShare,
        Lock::RowExclusive,
        Lock::ShareUpdateExclusive,
        Lock::Share,
        Lock::ShareRowExclusive,
        Lock::Exclusive,
        Lock::AccessExclusive,
    ];

    /// The mode that `pg_locks.mode` spells so, as in `AccessExclusiveLock`.
    pub fn from_pg(mode: &str) -> Option<Lock> {
        let name = mode.strip_suffix("Lock")?;
        Lock::ALL.into_iter().find(|lock| lock.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Lock::AccessShare => "AccessShare",
            Lock::RowShare => "RowShare",
            Lock::RowExclusive => "RowExclusive",
            Lock::ShareUpdateExclusive => "ShareUpdateExclusive",
            Lock::Share => "Share",
            Lock::ShareRowExclusive => "ShareRowExclusive",
            Lock::Exclusive => "Exclusive",
            Lock::AccessExclusive => "AccessExclusive",
        }
    }

    /// Whether a holder of this mode makes a request for `other` wait (table 13.2 of the manual).
    pub fn conflicts(self, other: Lock) -> bool {
        use Lock::*;
        let conflicting: &[Lock] = match self {
            AccessShare => &[AccessExclusive],
            RowShare => &[Exclusive, AccessExclusive],
            RowExclusive => &[Share, ShareRowExclusive, Exclusive, AccessExclusive],
            ShareUpdateExclusive => &[ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive],
            Share => &[RowExclusive, ShareUpdateExclusive, ShareRowExclusive, Exclusive, AccessExclusive],
            ShareRowExclusive => {
                &[RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive]
            }
            Exclusive => &[
                RowShare,
                RowExclusive,
                ShareUpdateExclusive,
                Share,
                ShareRowExclusive,
                Exclusive,
                AccessExclusive,
            ],
            AccessExclusive => &Lock::ALL,
        };
        conflicting.contains(&other)
    }

    /// What an application notices while the lock is held.
    pub fn blocks(self) -> &'static str {
        match self {
            Lock::AccessShare => "nothing but DDL that needs AccessExclusive",
            Lock::RowShare | Lock::RowExclusive => "DDL",
            Lock::ShareUpdateExclusive => "DDL, vacuum",
            Lock::Share | Lock::ShareRowExclusive => "writes, DDL, vacuum",
            Lock::Exclusive => "writes, row locks, DDL, vacuum",
            Lock::AccessExclusive => "reads, writes, DDL, vacuum",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A lock that a step takes on a relation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelationLock {
    pub relation: QName,
    pub mode: Lock,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_symmetric() {
        for a in Lock::ALL {
            for b in Lock::ALL {
                assert_eq!(a.conflicts(b), b.conflicts(a), "{a} and {b}");
            }
        }
    }

    #[test]
    fn modes_are_read_as_pg_locks_spells_them() {
        for lock in Lock::ALL {
            assert_eq!(Lock::from_pg(&format!("{lock}Lock")), Some(lock));
        }
        assert_eq!(Lock::from_pg("SIReadLock"), None);
    }
}
