//! Finding out whether a pooler stands between us and the server, handing each transaction to another backend.
//! Advisory locks, SET and statements outside of a transaction go wrong there, so `apply` refuses such a session.

use std::collections::BTreeSet;

use super::{ConnectError, Host, Place, Session};

/// A pooler in transaction (or statement) mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooler {
    /// What shows that it is there, as a clause.
    pub evidence: String,
    /// Where to connect instead.
    pub instead: &'static str,
}

/// How often the two sessions take turns. One turn shows PgBouncer, which gives the backend used last; more are for
/// poolers that go round, and for pools that others use as well.
const TURNS: usize = 6;

/// Finds out whether `session` goes through a pooler in transaction mode. A second session to the same place is
/// opened for it, and nothing but `pg_backend_pid()` is asked on either. Not to be called within a transaction.
pub async fn pooler(session: &Session) -> Result<Option<Pooler>, ConnectError> {
    let host = session.host();
    if let Some(pooler) = by_address(host) {
        return Ok(Some(pooler));
    }
    let found = |evidence: &str| {
        let instead =
            "connect to the server itself, or to a port where the pooler keeps sessions (pool_mode = session)";
        Ok(Some(Pooler { evidence: evidence.to_owned(), instead }))
    };
    let other = session.target().connect().await?;
    let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..TURNS {
        // Twice in a row, so that a pooler that deals two backends in turn does not give each of us its own.
        ours.insert(session.backend().await?);
        ours.insert(session.backend().await?);
        // A pool that keeps sessions and has no backend left makes the second one wait.
        theirs.insert(session.target().in_time(host, other.backend()).await??);
        if ours.len() > 1 || theirs.len() > 1 {
            return found("the transactions of one session ran in different backends");
        }
        if !ours.is_disjoint(&theirs) {
            return found("two sessions at the same time were served by one backend");
        }
    }
    Ok(None)
}

/// Poolers that providers have at known addresses.
fn by_address(host: &Host) -> Option<Pooler> {
    let Place::Network { name, .. } = &host.place else { return None };
    let labels: Vec<&str> = name.split('.').collect();
    match labels.as_slice() {
        // Supavisor keeps transactions together on 6543 and sessions on 5432; a project's own PgBouncer is on 6543.
        [.., "supabase", "com" | "co"] if host.port == 6543 => Some(Pooler {
            evidence: format!("{name}:6543 is Supabase's pooler in transaction mode"),
            instead: "connect to port 5432 of the same host",
        }),
        [first, .., "neon", "tech"] if first.ends_with("-pooler") => Some(Pooler {
            evidence: format!("{name} is Neon's pooler, which is in transaction mode"),
            instead: "leave `-pooler` out of the host's name",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_poolers_are_known_by_address() {
        for (name, port, known) in [
            ("aws-0-eu-central-1.pooler.supabase.com", 6543, true),
            ("aws-0-eu-central-1.pooler.supabase.com", 5432, false),
            ("db.abcdefgh.supabase.co", 6543, true),
            ("db.abcdefgh.supabase.co", 5432, false),
            ("ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech", 5432, true),
            ("ep-cool-name-123456.eu-central-1.aws.neon.tech", 5432, false),
            ("db.example.com", 6543, false),
        ] {
            let host = Host { place: Place::Network { name: name.to_owned(), address: None }, port };
            assert_eq!(by_address(&host).is_some(), known, "{host}");
        }
    }
}
