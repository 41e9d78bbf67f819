//! Takes back what the journal says was done: the undos of the steps, the last one first, rehearsed on a copy before.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits and measures")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Instant;

use tokio::sync::watch;

use super::error::{ApplyError, told};
use super::patience::Patience;
use super::preflight::{self, Finding, Limits};
use super::run::{Cause, Fault, Running, stopped};
use super::stopped::{Stopped, to_take_back};
use super::unseen::{Left, left, to_undo};
use super::waiting::holders;
use super::{BEGIN, Event, Pace};
use crate::connect::{Session, Target};
use crate::elaborate;
use crate::introspect::{introspect, server_message};
use crate::journal::{self, RunState, StepState};
use crate::plan::Undo;
use crate::plan::file::{FileStep, PlanFile, fingerprint};
use crate::proof::observe::SESSION;
use crate::schema::Schema;
use crate::shadow::{Shadow, ShadowSpec};

/// A way back that may be gone: its database is locked against other applies and as the run left it.
pub struct Return {
    stopped: Stopped,
    /// The steps that are taken back, the last one first.
    steps: Vec<FileStep>,
    /// Whether nothing of the plan is left then.
    whole: bool,
    /// How many statements of their undos, as the plan has these, are done already, where not none.
    so_far: BTreeMap<u32, usize>,
}

/// Looks whether the newest run can be taken back (or, of a split plan, that of the part before): all of it, or what
/// came after the step `to`. `None`: nothing of it is done.
pub async fn rollback(target: &Target, to: Option<u32>) -> Result<Option<Return>, ApplyError> {
    let Some(stopped) = to_take_back(target).await? else { return Ok(None) };
    if stopped.run.status == RunState::Undone {
        return Ok(None);
    }
    // What nobody has seen half done does not come to be so now.
    let of_one = to.and_then(|to| of_one_transaction(&stopped.plan.steps, to).map(|of_one| (to, of_one)));
    if let Some((to, (first, last))) = of_one.filter(|(to, (_, last))| to < last) {
        return Err(ApplyError::Divides { to, first, last });
    }
    stopped.unmoved().await?;
    let client = &stopped.session.client;
    let mut done: BTreeSet<u32> = stopped.run.done().into_iter().collect();
    let begun =
        |state| matches!(state, StepState::Lost | StepState::Failed | StepState::Interrupted | StepState::Started);
    for step in stopped.run.steps.iter().filter(|it| begun(it.status)) {
        let Some(planned) = stopped.plan.steps.iter().find(|it| it.id == step.id) else { continue };
        let left_something = match (&planned.batch, planned.transaction) {
            (Some(_), _) => true,
            (None, None) => left(client, planned).await? != Left::Nothing,
            (None, Some(_)) => false,
        };
        if left_something {
            done.insert(step.id);
        }
    }
    let mut back: Vec<FileStep> = stopped
        .plan
        .steps
        .iter()
        .rev()
        .filter(|it| done.contains(&it.id) && to.is_none_or(|to| it.id > to))
        .cloned()
        .collect();
    if back.is_empty() {
        return Ok(None);
    }
    let one_way: Vec<&FileStep> = back.iter().filter(|it| it.irreversible.is_some()).collect();
    if let Some(last) = one_way.first() {
        let named = |it: &&FileStep| {
            format!("step {}: {}: {}", it.id, it.summary, it.irreversible.as_deref().unwrap_or_default())
        };
        let end = of_one_transaction(&stopped.plan.steps, last.id).map_or(last.id, |(_, end)| end);
        let help = match back.first().filter(|it| it.id > end) {
            Some(_) => format!("nothing was changed; --to {end} takes back only what came after it"),
            None => "nothing was changed; go on with `tenantry resume`, or restore what is lost first".to_owned(),
        };
        return Err(ApplyError::Irreversible { steps: one_way.iter().map(named).collect(), help });
    }
    let ids: BTreeSet<u32> = back.iter().map(|it| it.id).collect();
    for undo in back.iter_mut().map(|it| &mut it.undo) {
        undo.retain(|it| it.unless.is_none_or(|step| !ids.contains(&step)));
    }
    let whole = done.iter().all(|id| back.iter().any(|it| it.id == *id));
    let so_far = stopped.so_far_back().await?;
    Ok(Some(Return { stopped, steps: back, whole, so_far }))
}

/// The first and the last step of the transaction that a step is in.
fn of_one_transaction(steps: &[FileStep], id: u32) -> Option<(u32, u32)> {
    let of_one = |a: &FileStep, b: &FileStep| a.transaction.is_some() && a.transaction == b.transaction;
    let steps = steps.chunk_by(of_one).find(|it| it.iter().any(|it| it.id == id))?;
    Some((steps.first()?.id, steps.last()?.id))
}

impl Return {
    /// The steps that are taken back, the last one first.
    pub fn steps(&self) -> &[FileStep] {
        &self.steps
    }

    /// The plan's name.
    pub fn name(&self) -> &str {
        &self.stopped.plan.name
    }

    /// Goes the way back on a copy of the live schema. What the copy can't show is told.
    ///
    /// Errors: an undo fails there, or all of them do not lead to where the plan began although its proof says so.
    pub async fn rehearse(&self, spec: &ShadowSpec) -> Result<Vec<String>, ApplyError> {
        let plan = &self.stopped.plan;
        let live = introspect(&self.stopped.session.client, false).await?;
        let (managed, outside) = plan.scope.split(&live.schema);
        let shadow = Shadow::start(spec, Some(self.stopped.session.version.major())).await?;
        elaborate::roles(&shadow, &live.roles, &live.schema.creator.0).await?;
        let mut described: Schema = elaborate::surroundings(&live.schema, &outside);
        described.objects.extend(managed.objects.clone());
        described.needs.extend(managed.needs.clone());
        described.creator = live.schema.creator.clone();
        described.server_version = live.schema.server_version;
        let copy = elaborate::copy(&shadow, "rollback", &described).await?;
        let is_alike = fingerprint(&plan.scope.split(&copy.reading.schema).0) == fingerprint(&managed);
        let session = copy.database.connect_as(&live.schema.creator.0).await?;
        session.client.batch_execute(SESSION).await?;
        for step in &self.steps {
            for (_, undo) in left_of(step, plan, self.so_far.get(&step.id)) {
                let failed = |error: tokio_postgres::Error| ApplyError::Rehearsal {
                    why: format!("step {}: {}\n{}", step.id, server_message(&error), undo.sql),
                };
                let statements = match undo.transaction {
                    true => vec![undo.sql.clone()],
                    false => to_undo(&session.client, step, undo).await.map_err(failed)?,
                };
                for sql in statements {
                    session.client.batch_execute(&sql).await.map_err(failed)?;
                }
            }
        }
        let back = introspect(&session.client, false).await?.schema;
        let returned = fingerprint(&plan.scope.split(&back).0) == plan.from.fingerprint;
        let no_way_on = if self.whole { None } else { self.no_way_on(&session).await };
        drop(session);
        shadow.drop_database(copy.database).await?;
        let mut notes = vec![];
        if !is_alike {
            notes.push(
                "the copy is not quite like the database: the way back was tried, its end not compared".into(),
            );
        } else if self.whole && !returned && plan.proof.undo_returns {
            let why = "the undos do not lead to the state that the plan began with".to_owned();
            return Err(ApplyError::Rehearsal { why });
        } else if self.whole && !returned {
            notes.push("the undos do not lead all the way back, as the plan says".into());
        }
        notes.extend(no_way_on);
        Ok(notes)
    }

    /// Goes forward again on the copy, and says where that fails: `resume` would fail there too.
    async fn no_way_on(&self, session: &Session) -> Option<String> {
        for step in self.steps.iter().rev() {
            if let Err(error) = session.client.batch_execute(&step.sql).await {
                return Some(format!(
                    "`tenantry resume` can't go on from there, so plan anew there: step {} fails on the copy: {}",
                    step.id,
                    server_message(&error)
                ));
            }
        }
        None
    }

    /// Asks the rows what stands against the undos. Nothing is changed.
    pub async fn preflight(&self, limits: Limits) -> Vec<Finding> {
        let plan = &self.stopped.plan;
        let undos = |step: &FileStep| {
            let left = left_of(step, plan, self.so_far.get(&step.id));
            left.into_iter().map(|(_, it)| FileStep::new(step.id, step.stage, it.sql.clone())).collect::<Vec<_>>()
        };
        let undos: Vec<FileStep> = self.steps.iter().flat_map(undos).collect();
        preflight::ask(&self.stopped.session, &undos, &undos.iter().collect::<Vec<_>>(), limits).await
    }

    /// Takes the steps back. Gives how many.
    pub async fn run(
        self,
        pace: &Pace,
        stop: watch::Receiver<bool>,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<usize, ApplyError> {
        let Stopped { session, plan, run, .. } = &self.stopped;
        let client = &session.client;
        let journal = |source| ApplyError::Journal { source };
        client.batch_execute(&journal::lose()).await.map_err(journal)?;
        let reopened = format!(
            "UPDATE tenantry.run SET status = '{}', finished_at = NULL, error = NULL, fingerprint = NULL, \
             pid = pg_backend_pid() WHERE id = {}",
            RunState::Running.name(),
            run.id
        );
        client.batch_execute(&reopened).await.map_err(journal)?;
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let mut running = Running { id: run.id, plan, session, pid, pace, stop, unseen: BTreeSet::new(), tell };
        for steps in together(&self.steps, plan, &self.so_far) {
            let so_far = steps.last().and_then(|it| self.so_far.get(&it.id)).copied();
            if let Err(fault) = running.back(steps, so_far).await {
                let error = match &fault.cause {
                    Cause::Server(error) => told(error),
                    Cause::Rows(text) => text.clone(),
                    Cause::Interrupt => "interrupted".to_owned(),
                };
                let ended = journal::end(
                    run.id,
                    RunState::Failed,
                    Some(&format!("taking back step {}: {error}", fault.step.id)),
                );
                let _ = client.batch_execute(&ended).await;
                self.stopped.mark().await;
                let (id, summary) = (fault.step.id, fault.step.summary.clone());
                let half = self.stopped.so_far_back().await.is_ok_and(|it| it.contains_key(&id));
                let instead = match half {
                    true => "`tenantry plan --anew` plans from here",
                    false => "`tenantry resume` goes forward again",
                };
                return Err(ApplyError::Back { id, summary, message: error, half, instead });
            }
        }
        let state = if self.whole { RunState::Undone } else { RunState::Partial };
        client.batch_execute(&journal::end(run.id, state, None)).await?;
        self.stopped.mark().await;
        if self.whole && plan.proof.undo_returns && self.stopped.fingerprint().await? != plan.from.fingerprint {
            return Err(ApplyError::Elsewhere);
        }
        Ok(self.steps.len())
    }
}

/// The statements of a step's undo that are left, each with the number of those that the plan has before it.
fn left_of<'a>(step: &'a FileStep, plan: &PlanFile, so_far: Option<&usize>) -> Vec<(usize, &'a Undo)> {
    let all = plan.steps.iter().find(|it| it.id == step.id).map(|it| it.undo.as_slice()).unwrap_or_default();
    let mut places = all.iter().enumerate();
    let numbered = step.undo.iter().filter_map(|undo| Some((places.find(|(_, it)| *it == undo)?.0, undo)));
    numbered.filter(|(place, _)| so_far.is_none_or(|done| place >= done)).collect()
}

/// What was done in one transaction is taken back in one, where all of that can run inside of one. What has no undo of its
/// own is taken back by that of an earlier step, so it is there until the next one of these is through.
fn together<'a>(
    steps: &'a [FileStep],
    plan: &PlanFile,
    so_far: &BTreeMap<u32, usize>,
) -> impl Iterator<Item = &'a [FileStep]> {
    let inside = |it: &FileStep| {
        it.transaction.is_some() && it.undo.iter().all(|it| it.transaction) && !so_far.contains_key(&it.id)
    };
    let has_none = |it: &FileStep| plan.steps.iter().any(|step| step.id == it.id && step.undo.is_empty());
    let of_one = |a: &FileStep, b: &FileStep| a.transaction == b.transaction && inside(a) && inside(b);
    let (mut groups, mut from, mut to) = (vec![], 0, 0);
    for group in steps.chunk_by(of_one) {
        to += group.len();
        if to == steps.len() || !group.iter().all(has_none) {
            groups.push(&steps[from..to]);
            from = to;
        }
    }
    groups.into_iter()
}

impl Running<'_> {
    /// Takes back one step, or those that were one transaction, as often as it takes.
    async fn back<'s>(&mut self, steps: &'s [FileStep], mut so_far: Option<usize>) -> Result<(), Fault<'s>> {
        let mut pauses = self.pace.pauses.iter();
        loop {
            let tried = match steps {
                [with @ .., step] if so_far.is_some() || !step.undo.iter().all(|it| it.transaction) => {
                    self.back_alone(with, step, &mut so_far).await
                }
                steps => self.back_inside(steps).await,
            };
            let Err(fault) = tried else { return Ok(()) };
            let Some(pause) = pauses.next().filter(|_| fault.cause.passes()) else { return Err(fault) };
            let why = if let Cause::Server(error) = &fault.cause { server_message(error) } else { String::new() };
            let holders = holders(self.session, fault.step).await.unwrap_or_default();
            (self.tell)(Event::Waits { step: fault.step, why, holders, pause: *pause });
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                () = stopped(&mut self.stop) => return Err(Fault::of(fault.step, Cause::Interrupt)),
            }
        }
    }

    /// What the journal has to say once a step is taken back.
    fn undone(&self, step: &FileStep, so_far: Option<usize>) -> String {
        let undone = journal::step(self.id, step.id, StepState::Undone, None);
        let passed = self.passed(step, so_far.unwrap_or_default()..self.undo_of(step).len());
        format!("{passed}{}; {undone}", journal::forget(self.id, step.id))
    }

    /// What an earlier step built, and is not built again on this way back, goes with this one.
    fn passed(&self, step: &FileStep, statements: Range<usize>) -> String {
        let statements = self.undo_of(step).get(statements).unwrap_or_default();
        let passed = statements.iter().filter(|it| !step.undo.contains(it));
        let gone: BTreeSet<u32> = passed.filter_map(|it| it.unless).collect();
        let undone = |id: u32| journal::step(self.id, id, StepState::Undone, None) + "; ";
        gone.into_iter().map(undone).collect()
    }

    /// All of the step's undo, as the plan has it.
    fn undo_of(&self, step: &FileStep) -> &[Undo] {
        self.plan.steps.iter().find(|it| it.id == step.id).map(|it| it.undo.as_slice()).unwrap_or_default()
    }

    async fn back_inside<'s>(&mut self, steps: &'s [FileStep]) -> Result<(), Fault<'s>> {
        let mut last = &steps[0];
        let result = self.back_at_once(steps, &mut last).await;
        if result.is_err() {
            // Where the connection is gone, the server has rolled back by itself.
            let _ = self.session.client.batch_execute("ROLLBACK").await;
        }
        result.map_err(|cause| Fault::of(last, cause))
    }

    /// `last` is the step that was tried last.
    async fn back_at_once<'s>(&mut self, steps: &'s [FileStep], last: &mut &'s FileStep) -> Result<(), Cause> {
        let client = &self.session.client;
        // What a deferred constraint has still to look at would keep its table from being altered.
        client.batch_execute(&format!("{BEGIN}; SET CONSTRAINTS ALL IMMEDIATE")).await?;
        let (mut times, mut patience) = (vec![], Patience::begin());
        for step in steps {
            *last = step;
            (self.tell)(Event::Begins(step));
            let start = Instant::now();
            client.batch_execute(&format!("SET LOCAL lock_timeout = {}", patience.lock_timeout(step))).await?;
            for undo in &step.undo {
                self.statement(&undo.sql).await?;
            }
            client.batch_execute(&self.undone(step, None)).await?;
            times.push((step, start.elapsed()));
        }
        if *self.stop.borrow() {
            return Err(Cause::Interrupt);
        }
        client.batch_execute("COMMIT").await?;
        times.into_iter().for_each(|(step, took)| (self.tell)(Event::Done(step, took)));
        Ok(())
    }

    /// `with`: what has no undo of its own.
    async fn back_alone<'s>(
        &mut self,
        with: &'s [FileStep],
        step: &'s FileStep,
        so_far: &mut Option<usize>,
    ) -> Result<(), Fault<'s>> {
        (self.tell)(Event::Begins(step));
        let start = Instant::now();
        self.back_outside(with, step, so_far).await.map_err(|cause| Fault::of(step, cause))?;
        for it in with.iter().chain([step]) {
            (self.tell)(Event::Done(it, start.elapsed()));
        }
        Ok(())
    }

    /// Statements that commit by themselves. The journal knows how far they have come, so that nobody takes the step for
    /// done who comes between two of them.
    async fn back_outside(
        &mut self,
        with: &[FileStep],
        step: &FileStep,
        so_far: &mut Option<usize>,
    ) -> Result<(), Cause> {
        let client = &self.session.client;
        for (place, undo) in left_of(step, self.plan, so_far.as_ref()) {
            let passed = self.passed(step, so_far.unwrap_or_default()..place);
            let done = format!("{passed}{}", journal::undone(self.id, step.id, place + 1));
            if undo.transaction {
                client.batch_execute(BEGIN).await?;
                let result = self.back_with(step, &undo.sql, &done).await;
                if result.is_err() {
                    // Where the connection is gone, the server has rolled back by itself.
                    let _ = self.session.client.batch_execute("ROLLBACK").await;
                }
                result?;
            } else {
                client.batch_execute(&journal::undone(self.id, step.id, place)).await?;
                for sql in to_undo(client, step, undo).await? {
                    self.statement(&sql).await?;
                }
                client.batch_execute(&format!("BEGIN; {done}; COMMIT")).await?;
            }
            *so_far = Some(place + 1);
        }
        let with: String = with.iter().map(|it| self.undone(it, None) + "; ").collect();
        Ok(client.batch_execute(&format!("BEGIN; {with}{}; COMMIT", self.undone(step, *so_far))).await?)
    }

    /// One statement, with its line of the journal.
    async fn back_with(&mut self, step: &FileStep, sql: &str, done: &str) -> Result<(), Cause> {
        let client = &self.session.client;
        // Whoever comes after one that waits for a lock waits too.
        if step.lock_timeout_ms > 0 {
            let timeout = Patience::begin().lock_timeout(step);
            client.batch_execute(&format!("SET LOCAL lock_timeout = {timeout}")).await?;
        }
        self.statement(sql).await?;
        Ok(client.batch_execute(&format!("{done}; COMMIT")).await?)
    }
}
