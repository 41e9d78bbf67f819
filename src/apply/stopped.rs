//! A run that the journal knows, with its plan: what goes on and back begins with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::admit::{holder, lock, writable};
use super::error::{ApplyError, numbers};
use super::statement::helpers;
use super::{END_WITH_CLIENT, PATIENCE, Prepared, Ready, runs};
use crate::connect::{Session, Target, pooler};
use crate::diagnostic::File;
use crate::introspect::introspect;
use crate::journal::{self, Run, RunState, StepState};
use crate::plan::file::{PlanFile, fingerprint};
use crate::proof::observe::SESSION;

/// The newest run of a database, which is locked against other applies.
pub(super) struct Stopped {
    pub session: Session,
    pub run: Run,
    pub plan: PlanFile,
    /// The fingerprint of the state that the run left, where it could still write that down.
    left_at: Option<String>,
}

/// A session that may write, and that no other apply has; with the role.
pub(super) async fn admitted(target: &Target) -> Result<(Session, String), ApplyError> {
    let session = target.connect().await?;
    if let Some(pooler) = pooler(&session).await? {
        return Err(ApplyError::Pooler { evidence: pooler.evidence, instead: pooler.instead });
    }
    let role = writable(&session.client).await?;
    session.client.batch_execute(&format!("{SESSION}; {PATIENCE}")).await?;
    let _ = session.client.batch_execute(END_WITH_CLIENT).await;
    lock(&session.client).await?;
    Ok((session, role))
}

/// The newest run, if there is one.
async fn stopped(target: &Target) -> Result<Option<Stopped>, ApplyError> {
    let (session, _) = admitted(target).await?;
    let runs = runs(&session.client, None).await.map_err(|source| ApplyError::Unreadable { source })?;
    match runs.unwrap_or_default().into_iter().next() {
        Some(run) => with_plan(session, run).await.map(Some),
        None => Ok(None),
    }
}

/// The run that is taken back next: the newest; where that was a part of a split plan and is taken back already, the
/// one of the part before it.
pub(super) async fn to_take_back(target: &Target) -> Result<Option<Stopped>, ApplyError> {
    let (session, _) = admitted(target).await?;
    let runs = runs(&session.client, None).await.map_err(|source| ApplyError::Unreadable { source })?;
    let mut runs = runs.unwrap_or_default().into_iter();
    let Some(newest) = runs.next() else { return Ok(None) };
    let mut stopped = with_plan(session, newest).await?;
    while stopped.run.status == RunState::Undone
        && let Some(before) = stopped.plan.part.as_ref().and_then(|it| it.before.last())
        && let Some(run) = runs.find(|it| it.plan_name == before.name)
    {
        stopped = with_plan(stopped.session, run).await?;
    }
    Ok(Some(stopped))
}

async fn with_plan(session: Session, run: Run) -> Result<Stopped, ApplyError> {
    let unreadable = |source| ApplyError::Unreadable { source };
    let none = |why: &str| ApplyError::NoPlan { run: run.id, why: why.to_owned() };
    if !session.client.query_one(journal::CURRENT, &[]).await.map_err(unreadable)?.get::<_, bool>(0) {
        return Err(none("an older tenantry wrote it, which kept no plans"));
    }
    let row = session.client.query_one(journal::PLAN, &[&run.id]).await.map_err(unreadable)?;
    let (text, left_at): (Option<String>, Option<String>) = (row.get(0), row.get(1));
    let text = text.ok_or_else(|| none("an older tenantry wrote it, which kept no plans"))?;
    let plan = PlanFile::read(&File::new(format!("the plan of run {}", run.id), text))
        .map_err(|reports| none(reports.first().map_or("its plan can't be read", |it| it.message.as_str())))?;
    if plan.is_edited() {
        return Err(none("its plan was edited"));
    }
    Ok(Stopped { session, run, plan, left_at })
}

/// A plan that a database is on the way of, for people, where that is no place to plan from: columns and triggers that help
/// only on the way would be taken for part of the schema.
pub async fn unfinished(target: &Target) -> Result<Option<String>, ApplyError> {
    let unreadable = |source| ApplyError::Unreadable { source };
    let session = target.connect().await?;
    let Some(run) = runs(&session.client, None).await.map_err(unreadable)?.unwrap_or_default().into_iter().next()
    else {
        return Ok(None);
    };
    let holder = holder(&session.client).await.map_err(unreadable)?;
    let (done, all, name) = (run.done().len(), run.steps.len(), run.plan_name.clone());
    match run.state(holder) {
        RunState::Running => return Ok(Some(format!("plan {name} is being applied"))),
        RunState::Undone => return Ok(None),
        RunState::Done => {}
        RunState::Partial | RunState::Failed | RunState::Interrupted | RunState::Lost => {
            let sql = |is_done: bool| {
                let steps = run.steps.iter().filter(move |it| (it.status == StepState::Done) == is_done);
                steps.map(|it| it.sql.as_str())
            };
            let helpers = helpers(sql(true), sql(false));
            return Ok(helpers.first().map(|it| {
                format!("plan {name} is applied in part: {done} of its {all} steps are done, and {it} is there for the way")
            }));
        }
    }
    // One of several is at its end, and the next begins where it ended.
    let Ok(last) = with_plan(session, run).await else { return Ok(None) };
    let Some(part) = last.plan.part.as_ref().filter(|it| it.number < it.of) else { return Ok(None) };
    let is_there = last.fingerprint().await? == last.plan.to.fingerprint;
    let said = format!("of a plan in {} parts, {} are applied, the last as {name}", part.of, part.number);
    Ok(is_there.then_some(said))
}

/// Looks whether the newest run can go on.
pub async fn resume(target: &Target) -> Result<Prepared<'static>, ApplyError> {
    let Some(stopped) = stopped(target).await? else { return Ok(Prepared::Nothing) };
    // We hold the lock, so nobody runs it.
    if !stopped.run.can_go_on(None) {
        return Ok(Prepared::Nothing);
    }
    if let Some(id) = stopped.so_far_back().await?.into_keys().next_back() {
        let summary = stopped.plan.steps.iter().find(|it| it.id == id).map(|it| it.summary.clone());
        return Err(ApplyError::HalfBack { id, summary: summary.unwrap_or_default() });
    }
    stopped.unmoved().await?;
    let Stopped { session, run, plan, .. } = stopped;
    Ok(Prepared::Ready(Box::new(Ready { session, plan: Cow::Owned(plan), run: Some(run) })))
}

impl Stopped {
    pub(super) async fn fingerprint(&self) -> Result<String, ApplyError> {
        let reading = introspect(&self.session.client, false).await?;
        Ok(fingerprint(&self.plan.scope.split(&reading.schema).0))
    }

    /// The steps that are taken back in part, with the number of statements of their undos that are done.
    pub(super) async fn so_far_back(&self) -> Result<BTreeMap<u32, usize>, ApplyError> {
        let unreadable = |source| ApplyError::Unreadable { source };
        let rows = self.session.client.query(journal::UNDONE, &[&self.run.id]).await.map_err(unreadable)?;
        let number = |row: &Row| {
            let (step, done): (i32, i32) = (row.get(0), row.get(1));
            Some((u32::try_from(step).ok()?, usize::try_from(done).ok()?))
        };
        Ok(rows.iter().filter_map(number).collect())
    }

    /// Writes down the state that is left now. It stops nothing that it can't be.
    pub(super) async fn mark(&self) {
        if let Ok(now) = self.fingerprint().await {
            let _ = self.session.client.batch_execute(&journal::left_at(self.run.id, &now)).await;
        }
    }

    /// Nobody changed the schema since the run stopped, as far as it could write down how it left it.
    pub(super) async fn unmoved(&self) -> Result<(), ApplyError> {
        let Some(left_at) = &self.left_at else { return Ok(()) };
        if self.fingerprint().await? == *left_at {
            return Ok(());
        }
        let done = self.run.done();
        let known = format!("run {} of {} left it after {}", self.run.id, self.plan.name, numbers(&done));
        Err(ApplyError::Drift {
            known: Some(known),
            help: "it was changed since; take that back, or plan from here with `tenantry plan`".into(),
        })
    }
}
