//! Runs steps on a shadow and observes what they do: locks in pg_locks before each commit, rewrites by relfilenode,
//! scans by what the server says at `client_min_messages = debug1`.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits for a statement to wait")]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::connect::Session;
use crate::introspect::server_message;
use crate::lock::{Lock, RelationLock};
use crate::name::{Literal, QName};
use crate::plan::batch::{Batch, Held};
use crate::plan::{Planned, Undo};
use crate::walk;

/// What one step was seen to do to relations that existed before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    pub locks: Vec<RelationLock>,
    pub rewrites: Vec<QName>,
    pub scans: Vec<QName>,
}

/// A step that did not run.
#[derive(Debug, Error, Diagnostic)]
#[error("step {} failed on the shadow: {}\n{sql}", .place + 1, server_message(.source))]
#[diagnostic(code(proof::step), help("the plan is not written; the declaration, or the planner, is wrong here"))]
pub struct StepFailed {
    /// Its place in the plan, from 0.
    pub place: usize,
    pub sql: String,
    pub source: tokio_postgres::Error,
}

/// Settings for every session that runs steps, on a shadow or on the live side.
pub const SESSION: &str = "SET check_function_bodies = off; SET search_path = ''; SET DateStyle = ISO; \
     SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET row_security = off";

/// A sequence gets a new file whenever it is altered: one page, which is no rewrite that anyone waits for.
const RELATIONS: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text,
           CASE WHEN c.relkind = 'S' THEN 0::oid ELSE c.relfilenode END
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f')
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const LOCKS: &str = "
    SELECT relation, mode FROM pg_locks
     WHERE pid = $1 AND locktype = 'relation' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

struct Relation {
    name: QName,
    filenode: u32,
}

type Relations = BTreeMap<u32, Relation>;

/// Runs the steps in order, each transaction as the plan has it, and tells what each was seen to do. `watcher` is a
/// second session with the same database, for statements that commit by themselves.
pub async fn run(runner: &Session, watcher: &Session, steps: &[Planned]) -> Result<Vec<Observed>, StepFailed> {
    run_with(runner, watcher, steps, async |_| Ok(())).await
}

/// The same; after each transaction `stop` is told the place of its last step.
pub async fn run_with(
    runner: &Session,
    watcher: &Session,
    steps: &[Planned],
    mut stop: impl AsyncFnMut(usize) -> Result<(), tokio_postgres::Error>,
) -> Result<Vec<Observed>, StepFailed> {
    let failed = |place: usize| {
        let sql = steps.get(place).map(|it| it.step.sql.clone()).unwrap_or_default();
        move |source| StepFailed { place, sql, source }
    };
    runner
        .client
        .batch_execute(&format!("{SESSION}; SET client_min_messages = debug1"))
        .await
        .map_err(failed(0))?;
    let pid: i32 = runner.client.query_one("SELECT pg_backend_pid()", &[]).await.map_err(failed(0))?.get(0);
    let existing: BTreeSet<u32> = relations(runner).await.map_err(failed(0))?.into_keys().collect();
    let mut observed = vec![];
    let mut place = 0;
    while place < steps.len() {
        let until = match steps[place].transaction {
            None => place + 1,
            number => (place..steps.len()).find(|it| steps[*it].transaction != number).unwrap_or(steps.len()),
        };
        let before = relations(runner).await.map_err(failed(place))?;
        runner.notices.drain();
        if let Some(batch) = &steps[place].step.batch {
            let seen = batched(runner, pid, batch).await.map_err(failed(place))?;
            observed.push(only(seen, &steps[place], &before, &existing));
        } else if steps[place].transaction.is_none() {
            let seen = outside(runner, watcher, pid, &steps[place], &before).await.map_err(failed(place))?;
            observed.push(only(seen, &steps[place], &before, &existing));
        } else {
            runner.client.batch_execute("BEGIN").await.map_err(failed(place))?;
            let mut held: BTreeMap<u32, Lock> = BTreeMap::new();
            let mut filenodes: BTreeMap<u32, u32> = before.iter().map(|(oid, it)| (*oid, it.filenode)).collect();
            for (at, step) in steps.iter().enumerate().take(until).skip(place) {
                runner.client.batch_execute(&step.step.sql).await.map_err(failed(at))?;
                let now = relations(runner).await.map_err(failed(at))?;
                let mut seen = Seen {
                    said: said(runner, &now, about(step).as_ref()).await.map_err(failed(at))?,
                    ..Seen::default()
                };
                for (relation, mode) in locks(runner, pid).await.map_err(failed(at))? {
                    let known = held.get(&relation).copied();
                    if known.is_none_or(|known| known < mode) {
                        held.insert(relation, mode);
                        seen.locks.insert(relation, mode);
                    }
                }
                // Of several relations with one name, it spoke of one that the transaction has locked.
                seen.said.scans.retain(|oid| held.contains_key(oid));
                seen.said.rewrites.retain(|oid| held.contains_key(oid));
                for (oid, relation) in &now {
                    let last = filenodes.insert(*oid, relation.filenode);
                    if last.is_some_and(|last| last != relation.filenode) {
                        seen.rewrites.insert(*oid);
                    }
                }
                observed.push(only(seen, step, &before, &existing));
            }
            runner.client.batch_execute("COMMIT").await.map_err(failed(until - 1))?;
        }
        stop(until - 1).await.map_err(failed(until - 1))?;
        place = until;
    }
    runner.client.batch_execute("RESET client_min_messages").await.map_err(failed(0))?;
    Ok(observed)
}

/// Runs a step in parts of a few rows, so that there are several wherever there are any.
async fn batched(runner: &Session, pid: i32, batch: &Batch) -> Result<Seen, tokio_postgres::Error> {
    const SIZE: u64 = 2;
    let client = &runner.client;
    let mut seen = Seen::default();
    for part in walk::parts(client, batch).await? {
        let mut after = None;
        loop {
            client.batch_execute("BEGIN").await?;
            let (range, last) = walk::next(client, batch, &part, after, SIZE).await?;
            client.batch_execute(&batch.update(&part, &range, Held::Waited)).await?;
            for (relation, mode) in locks(runner, pid).await? {
                let known = seen.locks.entry(relation).or_insert(mode);
                *known = (*known).max(mode);
            }
            client.batch_execute("COMMIT").await?;
            if last {
                break;
            }
            after = range.until;
        }
    }
    client.batch_execute(&format!("BEGIN; {}", batch.analyze())).await?;
    for (relation, mode) in locks(runner, pid).await? {
        let known = seen.locks.entry(relation).or_insert(mode);
        *known = (*known).max(mode);
    }
    client.batch_execute("COMMIT").await?;
    Ok(seen)
}

/// Runs undos as a rollback would: of the last step first, each statement by itself.
pub async fn undo(runner: &Session, steps: &[Planned]) -> Result<(), StepFailed> {
    for (place, step) in steps.iter().enumerate().rev() {
        for Undo { sql, .. } in &step.undo {
            let failed = |source| StepFailed { place, sql: sql.clone(), source };
            runner.client.batch_execute(sql).await.map_err(failed)?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    locks: BTreeMap<u32, Lock>,
    rewrites: BTreeSet<u32>,
    said: Said,
}

#[derive(Default)]
struct Said {
    rewrites: BTreeSet<u32>,
    scans: BTreeSet<u32>,
}

/// By name, and only what existed when the plan began, or what the step speaks of though an earlier one made it.
fn only(seen: Seen, planned: &Planned, before: &Relations, existing: &BTreeSet<u32>) -> Observed {
    let step = &planned.step;
    let spoken = |name: &QName| {
        step.locks.iter().any(|it| it.relation == *name)
            || step.scans.contains(name)
            || step.rewrites.contains(name)
    };
    let counts = |oid: &u32, name: &QName| existing.contains(oid) || spoken(name);
    let name = |oid: &u32| before.get(oid).filter(|it| counts(oid, &it.name)).map(|it| it.name.clone());
    let names = |oids: &BTreeSet<u32>| oids.iter().filter_map(name).collect::<BTreeSet<_>>().into_iter().collect();
    let mut locks: Vec<RelationLock> = seen
        .locks
        .iter()
        .filter_map(|(oid, mode)| Some(RelationLock { relation: name(oid)?, mode: *mode }))
        .collect();
    locks.sort();
    let rewrites = &seen.rewrites | &seen.said.rewrites;
    Observed { locks, rewrites: names(&rewrites), scans: names(&(&seen.said.scans - &rewrites)) }
}

async fn relations(session: &Session) -> Result<Relations, tokio_postgres::Error> {
    let rows = session.client.query(RELATIONS, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let name = QName::new(row.get::<_, String>(1), row.get::<_, String>(2));
            (row.get(0), Relation { name, filenode: row.get(3) })
        })
        .collect())
}

async fn locks(session: &Session, pid: i32) -> Result<Vec<(u32, Lock)>, tokio_postgres::Error> {
    let rows = session.client.query(LOCKS, &[&pid]).await?;
    Ok(rows.iter().filter_map(|row| Some((row.get(0), Lock::from_pg(row.get(1))?))).collect())
}

/// What the server told at debug1, as relations. The server names them without their namespace: where several share the
/// name, the one that the step is about is meant, and else those that it has locked, which is the caller's to see to.
async fn said(
    session: &Session,
    relations: &Relations,
    about: Option<&QName>,
) -> Result<Said, tokio_postgres::Error> {
    let mut said = Said::default();
    let find = |name: &str| {
        let same: Vec<_> = relations.iter().filter(|(_, it)| it.name.name.as_str() == name).collect();
        let is_meant = |it: &Relation| about.is_some_and(|about| it.name == *about);
        let any = same.iter().any(|(_, it)| is_meant(it));
        same.into_iter().filter(|(_, it)| !any || is_meant(it)).map(|(oid, _)| *oid).collect::<Vec<_>>()
    };
    for notice in session.notices.drain() {
        let message = notice.message();
        if let Some(table) = quoted(message, "rewriting table \"") {
            said.rewrites.extend(find(table));
        } else if let Some(table) = quoted(message, "verifying table \"") {
            said.scans.extend(find(table));
        } else if message.starts_with("building index \"") {
            said.scans.extend(quoted(message, "on table \"").into_iter().flat_map(find));
        } else if let Some(name) = quoted(message, "validating foreign key constraint \"") {
            // Many tables can have a constraint of that name; the one in question is locked, and where several are, it
            // is what the step is about, or below that.
            let about = Literal(&about.map(QName::to_string).unwrap_or_default());
            let query = format!(
                "SELECT DISTINCT conrelid,
                        conrelid = to_regclass({about})
                        OR conrelid IN (SELECT relid FROM pg_partition_tree(to_regclass({about})))
                   FROM pg_constraint JOIN pg_locks ON relation = conrelid
                  WHERE contype = 'f' AND conname = {} AND pid = pg_backend_pid()",
                Literal(name)
            );
            let mut tables = session.client.query(&query, &[]).await?;
            let is_meant = |row: &tokio_postgres::Row| row.get::<_, Option<bool>>(1) == Some(true);
            if tables.iter().any(is_meant) {
                tables.retain(is_meant);
            }
            said.scans.extend(tables.iter().map(|row| row.get::<_, u32>(0)));
        }
    }
    Ok(said)
}

/// The relation that a step is about, where its subject is one or a part of one.
fn about(step: &Planned) -> Option<QName> {
    match &step.subject.path[..] {
        [namespace, name, ..] => Some(QName { namespace: namespace.clone(), name: name.clone() }),
        _ => None,
    }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    let rest = &message[message.find(before)? + before.len()..];
    rest.split('"').next()
}

/// Runs a statement that commits by itself. A writer's lock on its tables makes it wait in the middle, where the
/// watcher sees which locks it holds.
async fn outside(
    runner: &Session,
    watcher: &Session,
    pid: i32,
    step: &Planned,
    before: &Relations,
) -> Result<Seen, tokio_postgres::Error> {
    let mut held = vec![];
    for lock in &step.step.locks {
        let kind = watcher
            .client
            .query_opt(
                &format!(
                    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = {} AND c.relname = {} AND c.relkind IN ('r', 'p')",
                    Literal(lock.relation.namespace.as_str()),
                    Literal(lock.relation.name.as_str())
                ),
                &[],
            )
            .await?;
        held.extend(kind.map(|_| format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", lock.relation)));
    }
    // An older snapshot holds up builds on what can't be locked so: a materialized view.
    held.push("SELECT 1".into());
    let hold = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {}", held.join("; "));
    watcher.client.batch_execute(&hold).await?;
    let ended = Cell::new(false);
    let run = async {
        let ran = runner.client.batch_execute(&step.step.sql).await;
        ended.set(true);
        ran
    };
    let watch = async {
        let mut seen: BTreeMap<u32, Lock> = BTreeMap::new();
        // The statement waits within milliseconds, or ends; the bound is for one that does neither.
        for _ in 0..5_000 {
            let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)";
            let waits: bool = watcher.client.query_one(waits, &[&pid]).await?.get(0);
            for (relation, mode) in locks(watcher, pid).await? {
                let known = seen.entry(relation).or_insert(mode);
                *known = (*known).max(mode);
            }
            if waits || ended.get() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watcher.client.batch_execute("COMMIT").await?;
        Ok::<_, tokio_postgres::Error>(seen)
    };
    let (ran, seen) = tokio::join!(run, watch);
    ran?;
    let seen = seen?;
    let mut said = said(runner, before, about(step).as_ref()).await?;
    said.scans.retain(|oid| seen.contains_key(oid));
    said.rewrites.retain(|oid| seen.contains_key(oid));
    let now = relations(runner).await?;
    let rewrites = before
        .iter()
        .filter(|(oid, it)| now.get(oid).is_some_and(|after| after.filenode != it.filenode))
        .map(|(oid, _)| *oid)
        .collect();
    Ok(Seen { locks: seen, rewrites, said })
}

/// Where a step did more than it declares, in words: each is a fault of the planner.
pub fn undeclared(step: &Planned, observed: &Observed) -> Vec<String> {
    let mut faults = vec![];
    for seen in &observed.locks {
        let declared = step.step.locks.iter().find(|it| it.relation == seen.relation).map(|it| it.mode);
        if seen.mode > declared.unwrap_or(Lock::AccessShare) {
            let declared = declared.map_or("none".to_owned(), |mode| mode.to_string());
            faults.push(format!("{} was locked {}, declared: {declared}", seen.relation, seen.mode));
        }
    }
    for relation in &observed.rewrites {
        if !step.step.rewrites.contains(relation) {
            faults.push(format!("{relation} was rewritten, which is not declared"));
        }
    }
    for relation in &observed.scans {
        if !step.step.scans.contains(relation) && !step.step.rewrites.contains(relation) {
            faults.push(format!("every row of {relation} was read, which is not declared"));
        }
    }
    faults
}
