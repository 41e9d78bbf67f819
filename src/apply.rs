//! Runs a plan on a live server: looks whether it may, then step by step, each under its own timeouts and with its
//! line of the journal in the same transaction. What the journal's states are is `journal`'s; what is asked of people
//! and shown to them is `cli`'s.

use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Session, Target, pooler};
use crate::introspect::introspect;
use crate::journal::{self, RunState};
use crate::plan::Stage;
use crate::plan::file::{FileStep, PlanFile, fingerprint};
use crate::proof::observe::SESSION;

mod admit;
mod backfill;
mod error;
mod pace;
mod run;
mod statement;
mod waiting;

pub use admit::{holder, runs};
pub use backfill::Progress;
pub use error::{ApplyError, Standing};
pub use pace::Pace;

use admit::{accepted, lock, privileges, writable};
use error::numbers;
use run::Running;

/// What else a session needs that runs steps: nothing that the server or the role has set for its users may end it.
const PATIENCE: &str = "SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_session_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0";

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
    plan: &'a PlanFile,
}

/// How an apply ended that did what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub done: usize,
    /// Steps of later stages than were asked for.
    pub left: usize,
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
    accepted(plan, accept)?;
    let session = target.connect().await?;
    if let Some(pooler) = pooler(&session).await? {
        return Err(ApplyError::Pooler { evidence: pooler.evidence, instead: pooler.instead });
    }
    let role = writable(&session.client).await?;
    session.client.batch_execute(&format!("{SESSION}; {PATIENCE}")).await?;
    let _ = session.client.batch_execute(END_WITH_CLIENT).await;
    lock(&session.client).await?;
    let ready = Ready { session, plan };
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
            Some(_) => "`tenantry plan` plans the rest from here".to_owned(),
            None => {
                "it was changed since, or the plan is for another database; `tenantry plan` plans from here".into()
            }
        };
        if version.split('.').next() != self.plan.from.server.split('.').next() {
            help +=
                &format!(" (the plan was made for PostgreSQL {}, and this is {version})", self.plan.from.server);
        }
        Err(ApplyError::Drift { known, help })
    }

    async fn fingerprint(&self) -> Result<String, ApplyError> {
        let reading = introspect(&self.session.client, false).await?;
        Ok(fingerprint(&self.plan.scope.split(&reading.schema).0))
    }

    /// Looks again after a while, when somebody thought about it.
    pub async fn still(&self) -> Result<(), ApplyError> {
        self.is_there().await.map(drop)
    }

    /// The steps up to a stage, and how many come after them.
    pub fn steps(&self, through: Stage) -> (Vec<&FileStep>, usize) {
        let steps: Vec<&FileStep> = groups(&self.plan.steps, through).into_iter().flatten().collect();
        let left = self.plan.steps.len() - steps.len();
        (steps, left)
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
        let answer = client.simple_query(&journal::begin(self.plan, through)).await.map_err(journal)?;
        let id = answer.iter().find_map(|it| match it {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        let mut run =
            Running { id: id.unwrap_or_default(), plan: self.plan, session: &self.session, pid, pace, stop, tell };
        let groups = groups(&self.plan.steps, through);
        let done: usize = groups.iter().map(|it| it.len()).sum();
        for group in &groups {
            if let Err(fault) = run.group(group).await {
                return Err(run.halt(fault).await);
            }
        }
        let left = self.plan.steps.len() - done;
        if left > 0 {
            client.batch_execute(&journal::end(run.id, RunState::Partial, None)).await?;
            return Ok(Outcome { done, left });
        }
        if self.fingerprint().await? == self.plan.to.fingerprint {
            client.batch_execute(&journal::end(run.id, RunState::Done, None)).await?;
            return Ok(Outcome { done, left });
        }
        let error = ApplyError::Elsewhere;
        client.batch_execute(&journal::end(run.id, RunState::Done, Some(&error.to_string()))).await?;
        Err(error)
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
                id,
                stage: *stage,
                summary: String::new(),
                sql: String::new(),
                transaction: *transaction,
                batch: None,
                lock_timeout_ms: 0,
                statement_timeout_ms: 0,
                locks: vec![],
                rewrites: vec![],
                scans: vec![],
                hazards: vec![],
                estimate: None,
                undo: vec![],
                irreversible: None,
                check: None,
                because: None,
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
