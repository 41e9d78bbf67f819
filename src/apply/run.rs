//! A run on its way: its transactions and the steps outside of any, each with its line of the journal, as often as
//! another session's lock makes it necessary.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits for locks and measures")]

use std::collections::BTreeSet;
use std::time::Instant;

use tokio::sync::watch;
use tokio_postgres::error::{ErrorPosition, SqlState};

use super::error::{ApplyError, Standing, told};
use super::pace::Pace;
use super::patience::Patience;
use super::statement::{ConcurrentIndex, concurrent_index};
use super::waiting::{LOOK, Look, holders};
use super::{BEGIN, Event, PATIENCE};
use crate::connect::Session;
use crate::introspect::server_message;
use crate::journal::{self, RunState, StepState};
use crate::plan::file::{FileStep, PlanFile};
use crate::source::syntax::byte_offset;

/// A run on its way.
pub(super) struct Running<'a> {
    pub(super) id: i64,
    pub(super) plan: &'a PlanFile,
    pub(super) session: &'a Session,
    /// The process that serves the session.
    pub(super) pid: i32,
    pub(super) pace: &'a Pace,
    pub(super) stop: watch::Receiver<bool>,
    /// Steps that an earlier process began, and of which nobody saw the end.
    pub(super) unseen: BTreeSet<u32>,
    pub(super) tell: &'a mut (dyn FnMut(Event<'_>) + Send),
}

/// Why a run does not go on.
pub(super) struct Fault<'a> {
    pub(super) step: &'a FileStep,
    pub(super) cause: Cause,
    /// What a failed build left behind and could not be removed.
    remains: Vec<String>,
}

impl<'a> Fault<'a> {
    pub(super) fn of(step: &'a FileStep, cause: Cause) -> Self {
        Fault { step, cause, remains: vec![] }
    }
}

pub(super) enum Cause {
    Server(tokio_postgres::Error),
    /// Rows are left that the step can't change.
    Rows(String),
    Interrupt,
}

impl From<tokio_postgres::Error> for Cause {
    fn from(error: tokio_postgres::Error) -> Self {
        Cause::Server(error)
    }
}

impl Cause {
    /// Another session was in the way, and may not be for long.
    pub(super) fn passes(&self) -> bool {
        match self {
            Cause::Server(error) => {
                // A row that moves to another partition while it is waited for is a serialization failure.
                let passing = [
                    SqlState::LOCK_NOT_AVAILABLE,
                    SqlState::T_R_DEADLOCK_DETECTED,
                    SqlState::T_R_SERIALIZATION_FAILURE,
                ];
                error.code().is_some_and(|code| passing.contains(code))
            }
            Cause::Rows(_) | Cause::Interrupt => false,
        }
    }
}

impl Running<'_> {
    /// One transaction, or one step outside of any, as often as it takes.
    pub(super) async fn group<'s>(&mut self, group: &'s [FileStep]) -> Result<(), Fault<'s>> {
        let mut pauses = self.pace.pauses.iter();
        loop {
            let tried = match group {
                [step] if step.transaction.is_none() => match &step.batch {
                    Some(batch) => self.in_parts(step, batch).await.map_err(|cause| Fault::of(step, cause)),
                    None => self.outside(step).await,
                },
                steps => self.inside(steps).await,
            };
            let Err(fault) = tried else { return Ok(()) };
            let Some(pause) = pauses.next().filter(|_| fault.cause.passes() && fault.remains.is_empty()) else {
                return Err(fault);
            };
            let Cause::Server(error) = &fault.cause else { return Err(fault) };
            let holders = holders(self.session, fault.step).await.unwrap_or_default();
            (self.tell)(Event::Waits { step: fault.step, why: server_message(error), holders, pause: *pause });
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                () = stopped(&mut self.stop) => return Err(Fault { cause: Cause::Interrupt, ..fault }),
            }
        }
    }

    async fn inside<'s>(&mut self, steps: &'s [FileStep]) -> Result<(), Fault<'s>> {
        let mut last = &steps[0];
        let result = self.transaction(steps, &mut last).await;
        if result.is_err() {
            // Where the connection is gone, the server has rolled back by itself.
            let _ = self.session.client.batch_execute("ROLLBACK").await;
        }
        result.map_err(|cause| Fault { step: last, cause, remains: vec![] })
    }

    /// `last` is the step that was tried last.
    async fn transaction<'s>(&mut self, steps: &'s [FileStep], last: &mut &'s FileStep) -> Result<(), Cause> {
        let client = &self.session.client;
        client.batch_execute(BEGIN).await?;
        let (mut times, mut patience) = (vec![], Patience::begin());
        for step in steps {
            *last = step;
            (self.tell)(Event::Begins(step));
            let start = Instant::now();
            let started = journal::step(self.id, step.id, StepState::Started, None);
            client
                .batch_execute(&format!(
                    "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; {started}",
                    patience.lock_timeout(step),
                    step.statement_timeout_ms
                ))
                .await?;
            self.statement(&step.sql).await?;
            client.batch_execute(&journal::step(self.id, step.id, StepState::Done, None)).await?;
            times.push((step, start.elapsed()));
        }
        if *self.stop.borrow() {
            return Err(Cause::Interrupt);
        }
        client.batch_execute("COMMIT").await?;
        times.into_iter().for_each(|(step, took)| (self.tell)(Event::Done(step, took)));
        Ok(())
    }

    async fn outside<'s>(&mut self, step: &'s FileStep) -> Result<(), Fault<'s>> {
        if self.unseen.contains(&step.id) && self.settled(step).await.map_err(|cause| Fault::of(step, cause))? {
            return Ok(());
        }
        let index = concurrent_index(&step.sql);
        // An index of this name that was there before is not ours to remove.
        let before = match &index {
            Some(index) => self.invalid(index).await,
            None => Ok(false),
        };
        let fault = |cause, remains| Fault { step, cause, remains };
        let ours = !before.map_err(|error| fault(error.into(), vec![]))?;
        let result = self.alone(step).await;
        let Err(cause) = result else { return Ok(()) };
        let remains = match &index {
            Some(index) if ours => self.remove(index).await.into_iter().collect(),
            _ => vec![],
        };
        Err(fault(cause, remains))
    }

    async fn alone(&mut self, step: &FileStep) -> Result<(), Cause> {
        let client = &self.session.client;
        (self.tell)(Event::Begins(step));
        let start = Instant::now();
        let started = journal::step(self.id, step.id, StepState::Started, None);
        client
            .batch_execute(&format!(
                "SET lock_timeout = {}; SET statement_timeout = {}; {started}",
                Patience::begin().lock_timeout(step),
                step.statement_timeout_ms
            ))
            .await?;
        let result = self.statement(&step.sql).await;
        client.batch_execute(PATIENCE).await?;
        result?;
        client.batch_execute(&journal::step(self.id, step.id, StepState::Done, None)).await?;
        (self.tell)(Event::Done(step, start.elapsed()));
        Ok(())
    }

    /// Runs a statement, and tells what the server warns of.
    pub(super) async fn statement(&mut self, sql: &str) -> Result<(), Cause> {
        self.session.notices.drain();
        let result = self.attended(sql).await;
        for notice in self.session.notices.drain().iter().filter(|it| it.severity() == "WARNING") {
            (self.tell)(Event::Says(format!("the server warns: {}", notice.message())));
        }
        result
    }

    /// Runs a statement to its end or to the user's.
    async fn attended(&mut self, sql: &str) -> Result<(), Cause> {
        if *self.stop.borrow() {
            return Err(Cause::Interrupt);
        }
        let session = self.session;
        let running = session.client.batch_execute(sql);
        tokio::pin!(running);
        let mut look = Look::default();
        loop {
            tokio::select! {
                result = &mut running => return Ok(result?),
                () = stopped(&mut self.stop) => break,
                () = tokio::time::sleep(LOOK) => {
                    // Whoever waits without a sign would like to know what for; that it can't be said stops nothing.
                    if let Ok(Some(text)) = look.at(session, self.pid).await {
                        (self.tell)(Event::Says(text));
                    }
                }
            }
        }
        // A cancel that does not get through leaves us waiting for the statement's own end.
        let _ = session.cancel_token().cancel().await;
        match running.await {
            // It was done before the cancel came. In a transaction, that is looked at again before COMMIT.
            Ok(()) => Ok(()),
            Err(_) => Err(Cause::Interrupt),
        }
    }

    async fn invalid(&self, index: &ConcurrentIndex) -> Result<bool, tokio_postgres::Error> {
        let query = "
            SELECT EXISTS (SELECT FROM pg_index x
                             JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
                             JOIN pg_namespace n ON n.oid = t.relnamespace
                            WHERE n.nspname = $1 AND t.relname = $2 AND i.relname = $3 AND NOT x.indisvalid)";
        let (namespace, table, name) =
            (index.table.namespace.as_str(), index.table.name.as_str(), index.index.name.as_str());
        Ok(self.session.client.query_one(query, &[&namespace, &table, &name]).await?.get(0))
    }

    /// Removes the invalid index that a failed build left; says so where it can't.
    async fn remove(&mut self, index: &ConcurrentIndex) -> Option<String> {
        let named = format!(
            "the build left the invalid index {}: remove it with DROP INDEX CONCURRENTLY {}",
            index.index, index.index
        );
        match self.invalid(index).await {
            Ok(false) => None,
            Ok(true) => {
                let drop = format!("DROP INDEX CONCURRENTLY {}", index.index);
                match self.session.client.batch_execute(&drop).await {
                    Ok(()) => {
                        (self.tell)(Event::Says(format!(
                            "removed the invalid index {} of the failed build",
                            index.index
                        )));
                        None
                    }
                    Err(error) => Some(format!("{named} ({})", server_message(&error))),
                }
            }
            Err(_) => Some(named),
        }
    }

    /// Writes down how far the run came and tells it.
    pub(super) async fn halt(&mut self, fault: Fault<'_>) -> ApplyError {
        let step = fault.step;
        let (run_state, step_state, message) = match &fault.cause {
            Cause::Server(error) => (RunState::Failed, StepState::Failed, told(error)),
            Cause::Rows(rows) => (RunState::Failed, StepState::Failed, rows.clone()),
            Cause::Interrupt => (RunState::Interrupted, StepState::Interrupted, "interrupted".to_owned()),
        };
        let done = match self.write_end(step, run_state, step_state, &message).await {
            Ok(done) => done,
            Err(error) => {
                (self.tell)(Event::Says(format!("the journal could not be written: {error}")));
                // Without an answer, only what came before this step is known to be done.
                self.plan.steps.iter().map(|it| it.id).take_while(|id| *id != step.id).collect()
            }
        };
        let left = self.plan.steps.iter().map(|it| it.id).filter(|id| !done.contains(id)).collect();
        let standing = Standing { done, left, remains: fault.remains };
        let (id, summary) = (step.id, step.summary.clone());
        match fault.cause {
            Cause::Interrupt => ApplyError::Interrupted { id, summary, standing },
            Cause::Rows(_) => ApplyError::Step { id, summary, sql: step.sql.clone(), at: None, message, standing },
            Cause::Server(error) => {
                let position = error.as_db_error().and_then(|it| it.position());
                let at = match position {
                    Some(ErrorPosition::Original(at)) => Some(byte_offset(&step.sql, *at as usize)),
                    Some(ErrorPosition::Internal { .. }) | None => None,
                };
                ApplyError::Step { id, summary, sql: step.sql.clone(), at, message, standing }
            }
        }
    }

    /// Over a new connection where the old one is gone. Gives the steps that are done, as the journal has them: of a
    /// COMMIT whose answer was lost nobody else knows.
    async fn write_end(
        &self,
        step: &FileStep,
        run_state: RunState,
        step_state: StepState,
        message: &str,
    ) -> Result<Vec<u32>, ApplyError> {
        let fresh = match self.session.client.is_closed() {
            true => Some(self.session.target().connect().await?),
            false => None,
        };
        let client = fresh.as_ref().map_or(&self.session.client, |it| &it.client);
        let step = journal::step(self.id, step.id, step_state, Some(message));
        let run = journal::end(self.id, run_state, Some(message));
        client.batch_execute(&format!("{step}; {run}")).await?;
        let query = format!(
            "SELECT step_id FROM tenantry.step WHERE run_id = {} AND status = '{}' ORDER BY 1",
            self.id,
            StepState::Done.name()
        );
        let rows = client.query(&query, &[]).await?;
        Ok(rows.iter().filter_map(|row| u32::try_from(row.get::<_, i32>(0)).ok()).collect())
    }
}

/// Ends when the user wants to stop; never, when nobody is there to want it.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|it| *it).await.is_err() {
        std::future::pending::<()>().await;
    }
}
