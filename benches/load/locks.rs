//! The table locks that the change holds and waits for, seen from another connection every few milliseconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tenantry::connect::Session;
use tenantry::lock::Lock;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Outcome, run};

const EVERY: Duration = Duration::from_millis(3);

/// A mode in which the change held tables, or waited for them.
#[derive(Debug, Clone)]
pub struct Held {
    pub mode: Lock,
    /// Otherwise it waited.
    pub granted: bool,
    /// How long at least one table was in this state.
    pub total: Duration,
    /// The longest time in one piece, and the table.
    pub longest: Duration,
    pub table: String,
}

/// The strength of a lock, whether it is held, and the table.
type State = (Lock, bool, String);

/// Watches the tables that are there when it begins until told to end.
pub async fn watch(session: Session, stop: watch::Receiver<bool>) -> Outcome<Vec<Held>> {
    let relations: Vec<u32> = session
        .client
        .query("SELECT oid FROM pg_class WHERE relkind = 'r' AND oid >= 16384", &[])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let seen = session
        .client
        .prepare(
            "SELECT l.mode, l.granted, l.relation::regclass::text
               FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
              WHERE l.locktype = 'relation' AND l.relation = ANY ($1) AND a.application_name = ANY ($2)
                AND a.datname = current_database()
                AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')",
        )
        .await?;
    let names: &[&str] = &[run::PROGRAM, run::SCRIPT];
    let mut since: BTreeMap<State, Instant> = BTreeMap::new();
    let mut held: BTreeMap<(Lock, bool), Held> = BTreeMap::new();
    let mut last = Instant::now();
    while !*stop.borrow() {
        let rows = session.client.query(&seen, &[&relations, &names]).await?;
        let now = Instant::now();
        let states: Vec<State> = rows
            .iter()
            .filter_map(|row| Some((Lock::from_pg(row.get(0))?, row.get(1), row.get::<_, String>(2))))
            .collect();
        since.retain(|state, _| states.contains(state));
        let modes: std::collections::BTreeSet<(Lock, bool)> = states.iter().map(|it| (it.0, it.1)).collect();
        for state in states {
            let began = *since.entry(state.clone()).or_insert(last);
            let (mode, granted, table) = state;
            let entry = held.entry((mode, granted)).or_insert_with(|| Held {
                mode,
                granted,
                total: Duration::ZERO,
                longest: Duration::ZERO,
                table: table.clone(),
            });
            if now - began > entry.longest {
                (entry.longest, entry.table) = (now - began, table);
            }
        }
        for mode in modes {
            held.entry(mode).and_modify(|it| it.total += now - last);
        }
        last = now;
        sleep(EVERY).await;
    }
    Ok(held.into_values().collect())
}
