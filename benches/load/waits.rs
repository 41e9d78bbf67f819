//! What the client's statements waited for when they took long, seen from another connection every few milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use tenantry::connect::Session;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Outcome, client};

const EVERY: Duration = Duration::from_millis(5);

/// What statements were seen to wait for that had taken longer than [`Waited::LONG`].
#[derive(Debug, Clone)]
pub struct Waited {
    /// As `pg_stat_activity` names it: `IO: WALSync`, `Lock: relation`. Where the server names none, it is at work.
    pub what: String,
    /// Statements that were last seen so.
    pub statements: usize,
    /// How long the longest of them had taken by then.
    pub longest: Duration,
}

impl Waited {
    /// Shorter statements are not looked at.
    pub const LONG: Duration = Duration::from_millis(40);
}

/// Watches until told to end; what was seen, the longest first.
pub async fn watch(session: Session, stop: watch::Receiver<bool>) -> Outcome<Vec<Waited>> {
    let seen = session
        .client
        .prepare(
            "SELECT pid, query_start::text, coalesce(wait_event_type || ': ' || wait_event, 'none, it worked'),
                    extract(epoch FROM clock_timestamp() - query_start)::float8
               FROM pg_stat_activity
              WHERE application_name = $1 AND datname = current_database() AND state = 'active'
                AND clock_timestamp() - query_start > make_interval(secs => $2)",
        )
        .await?;
    let long = Waited::LONG.as_secs_f64();
    // By connection and begin: one statement each.
    let mut statements: BTreeMap<(i32, String), (String, Duration)> = BTreeMap::new();
    while !*stop.borrow() {
        for row in session.client.query(&seen, &[&client::NAME, &long]).await? {
            let took = Duration::try_from_secs_f64(row.get(3))?;
            statements.insert((row.get(0), row.get(1)), (row.get(2), took));
        }
        sleep(EVERY).await;
    }
    let mut waited: BTreeMap<String, Waited> = BTreeMap::new();
    for (what, took) in statements.into_values() {
        let none = Waited { what: what.clone(), statements: 0, longest: Duration::ZERO };
        let of = waited.entry(what).or_insert(none);
        of.statements += 1;
        of.longest = of.longest.max(took);
    }
    let mut waited: Vec<Waited> = waited.into_values().collect();
    waited.sort_by_key(|it| std::cmp::Reverse(it.longest));
    Ok(waited)
}
