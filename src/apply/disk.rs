//! How much disk is left for a plan. SQL has no way to ask: where the server runs on this machine, its data directory is
//! looked at, and it must be that of this very server; else what the configuration says, or nothing.
#![expect(clippy::disallowed_methods, reason = "an edge: it looks at the disk")]

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::amount::bytes;
use crate::connect::Session;

/// Room, and how people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub bytes: u64,
    pub words: String,
}

/// What is free, and no more than is allowed. Nothing where nothing is certain.
pub async fn room(session: &Session, allowed: Option<u64>) -> Option<Room> {
    let free = free(session).await.map(|it| Room { bytes: it, words: format!("{} are free", bytes(it)) });
    let allowed =
        allowed.map(|it| Room { bytes: it, words: format!("[apply] disk_gb lets it have {}", bytes(it)) });
    free.into_iter().chain(allowed).min_by_key(|it| it.bytes)
}

async fn free(session: &Session) -> Option<u64> {
    let query = "SELECT current_setting('data_directory'), extract(epoch FROM pg_postmaster_start_time())::int8";
    let row = session.client.query_one(query, &[]).await.ok()?;
    let (directory, started): (String, i64) = (row.get(0), row.get(1));
    let directory = PathBuf::from(directory);
    if !is_of(&directory, started) {
        return None;
    }
    let found = statvfs(&directory).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()))
}

/// Whether the server that started then runs in this directory of this machine: lines 2 and 3 of `postmaster.pid` are the
/// directory and the second of the start.
fn is_of(directory: &Path, started: i64) -> bool {
    let Ok(text) = fs::read_to_string(directory.join("postmaster.pid")) else { return false };
    let mut lines = text.lines().skip(1);
    let (place, second) = (lines.next(), lines.next().and_then(|it| it.trim().parse::<i64>().ok()));
    place.is_some_and(|it| Path::new(it.trim()) == directory) && second.is_some_and(|it| it.abs_diff(started) <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_that_of_its_server_alone() {
        let dir = tempfile::tempdir().unwrap();
        let pid = |place: &Path, second: i64| {
            fs::write(dir.path().join("postmaster.pid"), format!("12\n{}\n{second}\n5432\n", place.display()))
                .unwrap();
        };
        assert!(!is_of(dir.path(), 1000));
        pid(dir.path(), 1000);
        assert!(is_of(dir.path(), 1001));
        assert!(!is_of(dir.path(), 1010));
        pid(Path::new("/elsewhere"), 1000);
        assert!(!is_of(dir.path(), 1000));
    }
}
