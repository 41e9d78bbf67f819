//! Runs steps on a shadow and observes what they do: locks in pg_locks before each commit, rewrites by relfilenode,
//! scans by what the server says at `client_min_messages = debug1`.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::connect::Session;
use crate::introspect::server_message;
use crate::lock::{Lock, RelationLock};
use crate::name::QName;
use crate::plan::batch::{Batch, Held};
use crate::plan::callers_path;
use crate::plan::{Planned, Undo, builder};
use crate::proof::watch::{self, Outside, Relations, Seen, locks, relations, said};
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
#[diagnostic(code(proof::step), help("{}", what_to_do(.source)))]
pub struct StepFailed {
    /// Its place in the plan, from 0.
    pub place: usize,
    pub sql: String,
    pub source: tokio_postgres::Error,
}

fn what_to_do(error: &tokio_postgres::Error) -> &'static str {
    use tokio_postgres::error::SqlState;
    match error.code() {
        Some(&SqlState::UNDEFINED_FUNCTION | &SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_OBJECT) => {
            "the plan is not written; expressions that give rows their values are run without a search_path: name in them \
             what is not PostgreSQL's own with its namespace, as in public.f()"
        }
        _ => "the plan is not written; the declaration, or the planner, is wrong here",
    }
}

/// Settings for every session that runs steps, on a shadow or on the live side.
pub const SESSION: &str = "SET check_function_bodies = off; SET search_path = ''; SET DateStyle = ISO; \
     SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET row_security = off";

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
            let (step, about) = (&steps[place], about(&steps[place]));
            let statement = Outside {
                sql: &step.step.sql,
                relations: step.step.locks.iter().map(|it| &it.relation).collect(),
                about: about.as_ref(),
                asks: false,
            };
            let seen = watch::outside(runner, watcher, pid, statement, &before).await.map_err(failed(place))?;
            observed.push(only(seen, &steps[place], &before, &existing));
        } else {
            runner.client.batch_execute("BEGIN").await.map_err(failed(place))?;
            let mut held: BTreeMap<u32, Lock> = BTreeMap::new();
            let mut filenodes: BTreeMap<u32, u32> = before.iter().map(|(oid, it)| (*oid, it.filenode)).collect();
            for (at, step) in steps.iter().enumerate().take(until).skip(place) {
                runner.client.batch_execute(&step.step.sql).await.map_err(failed(at))?;
                let now = relations(runner).await.map_err(failed(at))?;
                let mut seen = Seen {
                    said: said(runner, &runner.notices.drain(), &now, about(step).as_ref())
                        .await
                        .map_err(failed(at))?,
                    ..Seen::default()
                };
                for (relation, mode) in locks(runner, pid, false).await.map_err(failed(at))? {
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
            client.batch_execute(&format!("BEGIN; {}", callers_path::SET)).await?;
            let (range, last) = walk::next(client, batch, &part, after, SIZE).await?;
            client.batch_execute(&batch.update(&part, &range, Held::Waited)).await?;
            for (relation, mode) in locks(runner, pid, false).await? {
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
    for (relation, mode) in locks(runner, pid, false).await? {
        let known = seen.locks.entry(relation).or_insert(mode);
        *known = (*known).max(mode);
    }
    client.batch_execute("COMMIT").await?;
    Ok(seen)
}

/// Runs undos as a rollback would: of the last step first, each statement by itself.
pub async fn undo(runner: &Session, steps: &[Planned]) -> Result<(), StepFailed> {
    for (place, Undo { sql, .. }) in undos(steps) {
        let failed = |source| StepFailed { place, sql: sql.clone(), source };
        runner.client.batch_execute(sql).await.map_err(failed)?;
    }
    Ok(())
}

/// The undos that a rollback of all of the steps runs, in its order, each with the place of its step.
pub fn undos(steps: &[Planned]) -> impl Iterator<Item = (usize, &Undo)> {
    steps.iter().enumerate().rev().flat_map(move |(place, step)| {
        step.undo.iter().filter(move |it| builder(steps, place, it).is_none()).map(move |it| (place, it))
    })
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

/// The relation that a step is about, where its subject is one or a part of one.
fn about(step: &Planned) -> Option<QName> {
    match &step.subject.path[..] {
        [namespace, name, ..] => Some(QName { namespace: namespace.clone(), name: name.clone() }),
        _ => None,
    }
}

/// Relations that were written to while others were filled.
pub fn written_by_triggers(steps: &[Planned], observed: &[Observed]) -> BTreeSet<QName> {
    let fills = steps.iter().zip(observed).filter(|(step, _)| step.step.fill().is_some());
    let written = fills.flat_map(|(step, seen)| {
        let declared = |it: &RelationLock| step.step.locks.iter().any(|lock| lock.relation == it.relation);
        seen.locks.iter().filter(move |it| it.mode == Lock::RowExclusive && !declared(it))
    });
    written.map(|it| it.relation.clone()).collect()
}

/// Where a step did more than it declares, in words: each is a fault of the planner.
pub fn undeclared(step: &Planned, observed: &Observed) -> Vec<String> {
    let mut faults = vec![];
    // What the triggers of a table write for each row that is filled, they write for each row of an application's, too.
    let elsewhere = if step.step.fill().is_some() { Lock::RowExclusive } else { Lock::AccessShare };
    for seen in &observed.locks {
        let declared = step.step.locks.iter().find(|it| it.relation == seen.relation).map(|it| it.mode);
        if seen.mode > declared.unwrap_or(elsewhere) {
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
