//! Runs a plan on a live server: looks whether it may, then step by step, each under its own timeouts and with its
//! line of the journal in the same transaction. What the journal's states are is `journal`'s; what is asked of people
//! and shown to them is `cli`'s.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Session, Target};
use crate::introspect::introspect;
use crate::journal::{self, Run, RunState, StepState};
use crate::plan::Stage;
use crate::plan::file::{FileStep, PlanFile, fingerprint};
use crate::proof::observe::SESSION;

mod admit;
mod backfill;
mod disk;
mod error;
mod pace;
mod patience;
mod preflight;
mod rollback;
mod run;
mod statement;
mod stopped;
mod unseen;
mod waiting;

pub use admit::{holder, runs};
pub use backfill::Progress;
pub use error::{ApplyError, Standing};
pub use pace::Pace;
pub use preflight::{Finding, Limits};
pub use rollback::{Return, rollback};
pub use stopped::{resume, unfinished};

use admit::{accepted, privileges, sound};
use error::numbers;
use run::Running;
use stopped::admitted;

/// What else a session needs that runs steps: nothing that the server or the role has set for its users may end it.
const PATIENCE: &str = "SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_session_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0";

/// Begins a transaction whose locks go when it commits, not when its commit is on the disk or at a standby. Transactions
/// are written in order, together with their lines of the journal: what comes last is waited for, so that nothing is called
/// done that a crash of the server could take back. <https://www.postgresql.org/docs/current/wal-async-commit.html>
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// A step that nobody waits for any more ends with its client. Not every system can tell, so it may fail.
const END_WITH_CLIENT: &str = "SET client_connection_check_interval = '2s'";

/// What is told while a plan runs.
#[derive(Debug)]
pub enum Event<'a> {
    Begins(&'a FileStep),
    Done(&'a FileStep, Duration),
    /// A step in parts came further.
    Rows(&'a FileStep, Progress),
    /// The lock was not to be had; after the pause the transaction is tried again.
    Waits {
        step: &'a FileStep,
        why: String,
        holders: Vec<String>,
        pause: Duration,
    },
    /// Something beside the steps.
    Says(String),
}

/// What came of the look at the live side.
pub enum Prepared<'a> {
    /// The database is where the plan leads.
    Nothing,
    Ready(Box<Ready<'a>>),
}

/// A plan that may be applied: its database is locked against other applies and in the state that it starts from.
pub struct Ready<'a> {
    session: Session,
    plan: Cow<'a, PlanFile>,
    /// The run that it goes on with, as it was left.
    run: Option<Run>,
}

/// How an apply ended that did what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub done: usize,
    /// Steps of later stages than were asked for.
    pub left: usize,
}

/// Asks the rows of a live database what stands against steps, none of which is done. Nothing is changed.
///
/// Errors: no connection.
pub async fn preflight(target: &Target, steps: &[FileStep], limits: Limits) -> Result<Vec<Finding>, ApplyError> {
    let session = target.connect().await?;
    session.client.batch_execute(SESSION).await?;
    Ok(preflight::ask(&session, steps, &steps.iter().collect::<Vec<_>>(), limits).await)
}

/// Looks whether the plan may be applied to the database. Nothing is changed by it.
pub async fn prepare<'a>(
    target: &Target,
    plan: &'a PlanFile,
    accept: &[String],
) -> Result<Prepared<'a>, ApplyError> {
    if plan.is_edited() {
        return Err(ApplyError::Edited { name: plan.name.clone() });
    }
    sound(plan)?;
    accepted(plan, accept)?;
    let (session, role) = admitted(target).await?;
    let ready = Ready { session, plan: Cow::Borrowed(plan), run: None };
    if ready.is_there().await? {
        return Ok(Prepared::Nothing);
    }
    let missing = privileges(&ready.session.client, plan).await?;
    if !missing.is_empty() {
        return Err(ApplyError::Privileges { role, missing });
    }
    Ok(Prepared::Ready(Box::new(ready)))
}

impl Ready<'_> {
    /// Whether the database is where the plan leads already. An error where it is not where the plan starts, either.
    async fn is_there(&self) -> Result<bool, ApplyError> {
        let now = self.fingerprint().await?;
        let (from, to) = (&self.plan.from.fingerprint, &self.plan.to.fingerprint);
        // Whether the role may read the journal is looked at with its other privileges.
        let before = runs(&self.session.client, Some(&self.plan.id)).await.ok().flatten().unwrap_or_default();
        // A plan that plants rows only begins and ends with the same schema.
        if now == *to
            && (from != to || before.iter().any(|it| it.status == RunState::Done) || self.plan.steps.is_empty())
        {
            return Ok(true);
        }
        if now == *from {
            return Ok(false);
        }
        let known = before.first().map(|run| {
            let (done, all) = (run.done(), run.steps.len());
            let state = run.state(None).name();
            format!("run {} of this plan, {state}, did {} of {all} steps ({})", run.id, done.len(), numbers(&done))
        });
        let version = self.session.version.to_string();
        let mut help = match &known {
            Some(run) if before.first().is_some_and(|it| it.can_go_on(None)) && !run.is_empty() => {
                "`tenantry resume` goes on from where it stopped, `tenantry rollback` takes it back; `tenantry plan` \
                 plans the rest from here"
                    .to_owned()
            }
            Some(_) => "`tenantry plan` plans the rest from here".to_owned(),
            None => self.elsewhere(&now),
        };
        if version.split('.').next() != self.plan.from.server.split('.').next() {
            help +=
                &format!(" (the plan was made for PostgreSQL {}, and this is {version})", self.plan.from.server);
        }
        Err(ApplyError::Drift { known, help })
    }

    /// What to do where the plan was never begun and does not start from the state that the database is in.
    fn elsewhere(&self, now: &str) -> String {
        let before = self.plan.part.iter().flat_map(|it| &it.before);
        let left: Vec<&str> =
            before.clone().skip_while(|it| it.fingerprint != now).map(|it| it.name.as_str()).collect();
        if !left.is_empty() {
            return format!("of the parts that come before this one, apply {} first", left.join(", then "));
        }
        let follows = match before.map(|it| it.name.as_str()).collect::<Vec<_>>().as_slice() {
            [] => String::new(),
            names => format!("one of the parts before it ({}) is not done, ", names.join(", ")),
        };
        format!(
            "{follows}it was changed since, or the plan is for another database; `tenantry plan` plans from here"
        )
    }

    async fn fingerprint(&self) -> Result<String, ApplyError> {
        let reading = introspect(&self.session.client, false).await?;
        Ok(fingerprint(&self.plan.scope.split(&reading.schema).0))
    }

    /// Looks again after a while, when somebody thought about it.
    pub async fn still(&self) -> Result<(), ApplyError> {
        if self.run.is_some() {
            return Ok(());
        }
        self.is_there().await.map(drop)
    }

    /// The plan, and the steps of it that are done already.
    pub fn plan(&self) -> (&PlanFile, BTreeSet<u32>) {
        (&self.plan, self.run.iter().flat_map(Run::done).collect())
    }

    /// The steps up to a stage that are to be done, and how many come after them.
    pub fn steps(&self, through: Stage) -> (Vec<&FileStep>, usize) {
        let (plan, done) = self.plan();
        let steps: Vec<&FileStep> =
            groups(&plan.steps, through).into_iter().flatten().filter(|it| !done.contains(&it.id)).collect();
        let left = plan.steps.len() - steps.len() - done.len();
        (steps, left)
    }

    /// Asks the rows what stands against the steps up to a stage. Nothing is changed.
    pub async fn preflight(&self, through: Stage, limits: Limits) -> Vec<Finding> {
        preflight::ask(&self.session, &self.plan.steps, &self.steps(through).0, limits).await
    }

    /// Runs the steps up to a stage. `stop` becomes true when the user wants it to end: what runs is cancelled and
    /// rolled back then.
    pub async fn run(
        self,
        through: Stage,
        pace: &Pace,
        stop: watch::Receiver<bool>,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Outcome, ApplyError> {
        let journal = |source| ApplyError::Journal { source };
        let client = &self.session.client;
        // CREATE … IF NOT EXISTS wants the privilege to create even where it need not.
        if !client.query_one(journal::CURRENT, &[]).await.map_err(journal)?.get::<_, bool>(0) {
            client.batch_execute(journal::TABLES).await.map_err(journal)?;
        }
        client.batch_execute(&journal::lose()).await.map_err(journal)?;
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let id = match &self.run {
            Some(run) => {
                client.batch_execute(&journal::reopen(run.id, through)).await.map_err(journal)?;
                run.id
            }
            None => self.begin(through).await.map_err(journal)?,
        };
        let (plan, before) = self.plan();
        let unseen = self.run.iter().flat_map(|it| &it.steps).filter(|it| it.status != StepState::Planned);
        let unseen = unseen.map(|it| it.id).filter(|it| !before.contains(it)).collect();
        let mut run = Running { id, plan, session: &self.session, pid, pace, stop, unseen, tell };
        let (steps, left) = self.steps(through);
        let done = steps.len();
        // A transaction is done as a whole or not at all.
        let groups = groups(&plan.steps, through);
        for group in groups.iter().filter(|it| !it.iter().all(|step| before.contains(&step.id))) {
            if let Err(fault) = run.group(group).await {
                let error = run.halt(fault).await;
                self.mark(id).await;
                return Err(error);
            }
        }
        if left > 0 {
            client.batch_execute(&journal::end(run.id, RunState::Partial, None)).await?;
            self.mark(id).await;
            return Ok(Outcome { done, left });
        }
        let now = self.fingerprint().await?;
        client.batch_execute(&journal::left_at(id, &now)).await?;
        if now == self.plan.to.fingerprint {
            client.batch_execute(&journal::end(run.id, RunState::Done, None)).await?;
            return Ok(Outcome { done, left });
        }
        let error = ApplyError::Elsewhere;
        client.batch_execute(&journal::end(run.id, RunState::Done, Some(&error.to_string()))).await?;
        Err(error)
    }
}

impl Ready<'_> {
    /// Takes up a new run; gives its id.
    async fn begin(&self, through: Stage) -> Result<i64, tokio_postgres::Error> {
        let answer = self.session.client.simple_query(&journal::begin(&self.plan, through)).await?;
        let id = answer.iter().find_map(|it| match it {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        Ok(id.unwrap_or_default())
    }

    /// Writes down in which state a run stopped. It stops nothing that it can't be.
    async fn mark(&self, run: i64) {
        if let Ok(now) = self.fingerprint().await {
            let _ = self.session.client.batch_execute(&journal::left_at(run, &now)).await;
        }
    }
}

/// Steps that share a transaction, up to a stage; one outside of any is alone. A transaction that holds a step of a
/// later stage waits for it.
fn groups(steps: &[FileStep], through: Stage) -> Vec<&[FileStep]> {
    let together =
        |one: &FileStep, other: &FileStep| one.transaction.is_some() && one.transaction == other.transaction;
    steps.chunk_by(together).take_while(|group| group.iter().all(|it| it.stage <= through)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(of: &[(Stage, Option<u32>)]) -> Vec<FileStep> {
        of.iter()
            .zip(1..)
            .map(|((stage, transaction), id)| FileStep {
                transaction: *transaction,
                ..FileStep::new(id, *stage, "")
            })
            .collect()
    }

    #[test]
    fn a_transaction_is_never_cut() {
        use Stage::{Contract, Expand};
        let steps = steps(&[
            (Expand, Some(1)),
            (Expand, Some(1)),
            (Expand, None),
            (Expand, None),
            (Expand, Some(2)),
            (Contract, Some(2)),
            (Expand, Some(3)),
        ]);
        let lengths = |through| groups(&steps, through).iter().map(|it| it.len()).collect::<Vec<_>>();
        assert_eq!(lengths(Contract), [2, 1, 1, 2, 1]);
        assert_eq!(lengths(Expand), [2, 1, 1]);
    }
}
