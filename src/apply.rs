//! Runs a plan on a live server: looks whether it may, then step by step, each under its own timeouts and with its
//! line of the journal in the same transaction. What the journal's states are is `journal`'s; what is asked of people
//! and shown to them is `cli`'s.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits for locks and measures")]

use std::time::{Duration, Instant};

use miette::Diagnostic;
use thiserror::Error;
use tokio::sync::watch;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::connect::{ConnectError, Session, Target, pooler};
use crate::diagnostic::Exit;
use crate::introspect::{IntrospectError, introspect, server_message};
use crate::journal::{self, Run, RunState, StepState};
use crate::lock::Lock;
use crate::pipeline::unaccepted;
use crate::plan::Stage;
use crate::plan::file::{FileHazard, FileStep, PlanFile, fingerprint};
use crate::proof::observe::SESSION;
use crate::source::syntax::byte_offset;

mod statement;

use statement::{ConcurrentIndex, Need, concurrent_index, needs};

/// How long to wait before each new try of a step whose lock was not to be had.
pub const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// How often a statement that takes long is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What else a session needs that runs steps: nothing that the server or the role has set for its users may end it.
const PATIENCE: &str = "SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_session_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0";

/// A step that nobody waits for any more ends with its client. Not every system can tell, so it may fail.
const END_WITH_CLIENT: &str = "SET client_connection_check_interval = '2s'";

/// Why a plan was not applied, or not to its end.
#[derive(Debug, Error, Diagnostic)]
pub enum ApplyError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Connect(#[from] ConnectError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),

    #[error("the session failed: {}", server_message(.0))]
    #[diagnostic(code(apply::session), help("`tenantry status` says what was applied"))]
    Session(#[from] tokio_postgres::Error),

    #[error("the plan {name} was edited after it was written")]
    #[diagnostic(
        code(apply::edited),
        help(
            "its proof is not a proof of this text: plan anew with `tenantry plan`, or take the file from version control"
        )
    )]
    Edited { name: String },

    #[error("the plan has hazards that nobody accepted:\n{}", .open.join("\n"))]
    #[diagnostic(code(apply::hazard), help("{help}"))]
    Hazards { open: Vec<String>, help: String },

    #[error("a pooler in transaction mode stands before the server: {evidence}")]
    #[diagnostic(
        code(apply::pooler),
        help("locks, settings and steps outside of transactions need a session of their own: {instead}")
    )]
    Pooler { evidence: String, instead: &'static str },

    #[error("the server is in recovery: it takes no changes")]
    #[diagnostic(
        code(apply::recovery),
        help("name the primary, or list the hosts and ask for it with target_session_attrs=primary")
    )]
    Recovery,

    #[error("the session is read-only")]
    #[diagnostic(
        code(apply::read_only),
        help(
            "default_transaction_read_only is on for the server, the database or the role {role}; apply as a role \
             for which it is off"
        )
    )]
    ReadOnly { role: String },

    #[error("the role {role} lacks privileges that the plan needs:\n{}", .missing.join("\n"))]
    #[diagnostic(
        code(apply::privilege),
        help("nothing was changed; grant them, or apply as the owner of the schema or a member of it")
    )]
    Privileges { role: String, missing: Vec<String> },

    #[error("another apply runs on this database{}", .holder.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    #[diagnostic(code(apply::busy), help("wait for its end; `tenantry status` shows how far it is"))]
    Busy { holder: Option<String> },

    #[error("the database is not in the state that the plan starts from{}", .known.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    #[diagnostic(code(apply::drift), help("{help}"))]
    Drift { known: Option<String>, help: String },

    #[error("the journal can't be kept: {}", server_message(.source))]
    #[diagnostic(
        code(apply::journal),
        help("the journal is the namespace `tenantry` of this database; nothing was changed")
    )]
    Journal { source: tokio_postgres::Error },

    #[error("the journal can't be read: {}", server_message(.source))]
    #[diagnostic(
        code(apply::journal_unreadable),
        help("it belongs to the role that applied first: connect as this role or as a member of it")
    )]
    Unreadable { source: tokio_postgres::Error },

    #[error("step {id} failed: {summary}\n{message}")]
    #[diagnostic(code(apply::step), help("{standing}"))]
    Step { id: u32, summary: String, sql: String, at: Option<usize>, message: String, standing: Standing },

    #[error("interrupted in step {id}: {summary}")]
    #[diagnostic(code(apply::interrupted), help("{standing}"))]
    Interrupted { id: u32, summary: String, standing: Standing },

    #[error("all steps are done, and yet the schema is not the one that the plan leads to")]
    #[diagnostic(
        code(apply::result),
        help(
            "somebody changed it meanwhile, or the server did something that the proof did not see: `tenantry plan` shows what is left"
        )
    )]
    Elsewhere,
}

impl ApplyError {
    /// The exit code that tells programs the same.
    pub fn exit(&self) -> Exit {
        match self {
            ApplyError::Hazards { .. } => Exit::Hazard,
            ApplyError::Drift { .. } | ApplyError::Elsewhere => Exit::Drift,
            ApplyError::Step { standing, .. } | ApplyError::Interrupted { standing, .. } => {
                match standing.done.len() {
                    0 => Exit::Failed,
                    _ => Exit::Stopped,
                }
            }
            ApplyError::Connect(_)
            | ApplyError::Introspect(_)
            | ApplyError::Session(_)
            | ApplyError::Edited { .. }
            | ApplyError::Pooler { .. }
            | ApplyError::Recovery
            | ApplyError::ReadOnly { .. }
            | ApplyError::Privileges { .. }
            | ApplyError::Busy { .. }
            | ApplyError::Journal { .. }
            | ApplyError::Unreadable { .. } => Exit::Failed,
        }
    }
}

/// What is done of a plan that stopped, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub done: Vec<u32>,
    pub left: Vec<u32>,
    /// What else stayed behind, and what to do about it.
    pub remains: Vec<String>,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.done.is_empty() {
            f.write_str("nothing of the plan was done; the same plan can be applied again")?;
        } else {
            write!(
                f,
                "done: {}; not done: {}; `tenantry plan` plans the rest from here",
                numbers(&self.done),
                numbers(&self.left)
            )?;
        }
        self.remains.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

/// `steps 1 to 4 and 7`.
fn numbers(ids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = vec![];
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => runs.push((*id, *id)),
        }
    }
    let texts: Vec<String> = runs
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") })
        .collect();
    match (ids.len(), texts.split_last()) {
        (_, None) => "nothing".to_owned(),
        (1, Some((last, _))) => format!("step {last}"),
        (_, Some((last, []))) => format!("steps {last}"),
        (_, Some((last, others))) => format!("steps {} and {last}", others.join(", ")),
    }
}

/// What is told while a plan runs.
#[derive(Debug)]
pub enum Event<'a> {
    Begins(&'a FileStep),
    Done(&'a FileStep, Duration),
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

/// Hazards that must be accepted are, in the file or here.
fn accepted(plan: &PlanFile, accept: &[String]) -> Result<(), ApplyError> {
    let covers = |given: &String, hazard: &FileHazard| match given.split_once(':') {
        _ if given == "all" => true,
        Some((code, object)) => {
            let named = hazard.object == object || hazard.object.ends_with(&format!(" {object}"));
            code == hazard.code.name() && named
        }
        None => given == hazard.code.name(),
    };
    let open: Vec<(u32, &FileHazard)> = unaccepted(plan)
        .into_iter()
        .filter(|(_, hazard)| !accept.iter().any(|given| covers(given, hazard)))
        .collect();
    let Some((_, first)) = open.first() else { return Ok(()) };
    let help = format!(
        "nothing was changed; plan without them, or accept each by name: --accept '{}:{}'",
        first.code,
        first.object_path()
    );
    let open =
        open.iter().map(|(step, it)| format!("step {step}: {}: {}: {}", it.code, it.object, it.why)).collect();
    Err(ApplyError::Hazards { open, help })
}

/// The role that writes, if the session can write.
async fn writable(client: &Client) -> Result<String, ApplyError> {
    let query = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', current_user::text";
    let row = client.query_one(query, &[]).await?;
    let role: String = row.get(2);
    match (row.get(0), row.get(1)) {
        (true, _) => Err(ApplyError::Recovery),
        (false, true) => Err(ApplyError::ReadOnly { role }),
        (false, false) => Ok(role),
    }
}

/// Takes the lock that keeps two applies apart. It goes with the session.
async fn lock(client: &Client) -> Result<(), ApplyError> {
    let taken: bool = client.query_one("SELECT pg_try_advisory_lock($1)", &[&journal::LOCK_KEY]).await?.get(0);
    if taken {
        return Ok(());
    }
    let holder = client.query_opt(journal::LOCK_HOLDER, &[&journal::LOCK_KEY]).await?;
    let holder = holder.map(|row| {
        let (pid, application, user): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
        let (from, since): (String, String) = (row.get(3), row.get(4));
        format!("process {pid} of {user} ({application}) from {from}, connected since {since}")
    });
    Err(ApplyError::Busy { holder })
}

/// The process that applies now, if one does.
pub async fn holder(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    let row = client.query_opt(journal::LOCK_HOLDER, &[&journal::LOCK_KEY]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// The runs of the journal, newest first: of one plan or of all. `None`: there is no journal.
pub async fn runs(client: &Client, plan: Option<&str>) -> Result<Option<Vec<Run>>, tokio_postgres::Error> {
    let exists: bool = client.query_one(journal::EXISTS, &[]).await?.get(0);
    if !exists {
        return Ok(None);
    }
    let rows = client.query(journal::RUNS, &[&plan]).await?;
    // A line that a newer program wrote may say what this one can't read; the others still tell.
    Ok(Some(rows.iter().filter_map(|row| serde_json::from_str(row.get(0)).ok()).collect()))
}

/// What the role lacks for the plan and its journal, as far as it can be known before the first step.
async fn privileges(client: &Client, plan: &PlanFile) -> Result<Vec<String>, ApplyError> {
    let needs = needs(plan.steps.iter().map(|it| it.sql.as_str()));
    let (mut owned, mut referenced, mut namespaces, mut database) = (vec![], vec![], vec![], false);
    for need in &needs {
        match need {
            Need::Owner(relation) => owned.push(relation),
            Need::References(relation) => referenced.push(relation),
            Need::Create(namespace) => namespaces.push(namespace.as_str()),
            Need::CreateInDatabase => database = true,
        }
    }
    let split = |names: &[&crate::name::QName]| -> (Vec<String>, Vec<String>) {
        names.iter().map(|it| (it.namespace.0.clone(), it.name.0.clone())).unzip()
    };
    let mut missing = vec![];
    let (of, named) = split(&owned);
    let query = "
        SELECT format('%I.%I', want.namespace, want.name), pg_get_userbyid(c.relowner)::text
          FROM unnest($1::text[], $2::text[]) AS want (namespace, name)
          JOIN pg_namespace n ON n.nspname = want.namespace
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = want.name
         WHERE NOT pg_has_role(c.relowner, 'USAGE')";
    for row in client.query(query, &[&of, &named]).await? {
        let (relation, owner): (String, String) = (row.get(0), row.get(1));
        missing.push(format!("to own {relation}, or to be a member of its owner {owner}"));
    }
    let (of, named) = split(&referenced);
    let query = "
        SELECT format('%I.%I', want.namespace, want.name)
          FROM unnest($1::text[], $2::text[]) AS want (namespace, name)
          JOIN pg_namespace n ON n.nspname = want.namespace
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = want.name
         WHERE NOT has_table_privilege(c.oid, 'REFERENCES')";
    for row in client.query(query, &[&of, &named]).await? {
        missing.push(format!("REFERENCES on {}", row.get::<_, String>(0)));
    }
    let query = "SELECT format('%I', nspname) FROM pg_namespace
         WHERE nspname = ANY ($1::text[]) AND NOT has_schema_privilege(oid, 'CREATE') ORDER BY 1";
    for row in client.query(query, &[&namespaces]).await? {
        missing.push(format!("CREATE on schema {}", row.get::<_, String>(0)));
    }
    let query = "
        SELECT has_database_privilege(current_database(), 'CREATE'), format('%I', current_database()),
               to_regnamespace('tenantry') IS NULL,
               (SELECT coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                                         AND has_table_privilege(c.oid, 'INSERT')
                                         AND has_table_privilege(c.oid, 'UPDATE')), true)
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'tenantry' AND c.relname IN ('run', 'step'))";
    let row = client.query_one(query, &[]).await?;
    let (may_create, name, no_journal, may_write): (bool, String, bool, bool) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    if no_journal && !may_create {
        missing.push(format!("CREATE on database {name}, for the journal in the namespace tenantry"));
    } else if database && !may_create {
        missing.push(format!("CREATE on database {name}"));
    }
    if !may_write {
        missing
            .push("USAGE on schema tenantry, and SELECT, INSERT and UPDATE on its tables, for the journal".into());
    }
    Ok(missing)
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
        pauses: &[Duration],
        stop: watch::Receiver<bool>,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Outcome, ApplyError> {
        let journal = |source| ApplyError::Journal { source };
        let client = &self.session.client;
        // CREATE … IF NOT EXISTS wants the privilege to create even where it need not.
        if !client.query_one(journal::EXISTS, &[]).await.map_err(journal)?.get::<_, bool>(0) {
            client.batch_execute(journal::TABLES).await.map_err(journal)?;
        }
        client.batch_execute(&journal::lose()).await.map_err(journal)?;
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let answer = client.simple_query(&journal::begin(self.plan, through)).await.map_err(journal)?;
        let id = answer.iter().find_map(|it| match it {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        let mut run = Running {
            id: id.unwrap_or_default(),
            plan: self.plan,
            session: &self.session,
            pid,
            pauses,
            stop,
            tell,
        };
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

/// A run on its way.
struct Running<'a> {
    id: i64,
    plan: &'a PlanFile,
    session: &'a Session,
    /// The process that serves the session.
    pid: i32,
    pauses: &'a [Duration],
    stop: watch::Receiver<bool>,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
}

/// Why a run does not go on.
struct Fault<'a> {
    step: &'a FileStep,
    cause: Cause,
    /// What a failed build left behind and could not be removed.
    remains: Vec<String>,
}

enum Cause {
    Server(tokio_postgres::Error),
    Interrupt,
}

impl From<tokio_postgres::Error> for Cause {
    fn from(error: tokio_postgres::Error) -> Self {
        Cause::Server(error)
    }
}

impl Cause {
    /// Another session was in the way, and may not be for long.
    fn passes(&self) -> bool {
        match self {
            Cause::Server(error) => {
                matches!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED))
            }
            Cause::Interrupt => false,
        }
    }
}

impl Running<'_> {
    /// One transaction, or one step outside of any, as often as it takes.
    async fn group<'s>(&mut self, group: &'s [FileStep]) -> Result<(), Fault<'s>> {
        let mut pauses = self.pauses.iter();
        loop {
            let tried = match group {
                [step] if step.transaction.is_none() => self.outside(step).await,
                steps => self.inside(steps).await,
            };
            let Err(fault) = tried else { return Ok(()) };
            let Some(pause) = pauses.next().filter(|_| fault.cause.passes() && fault.remains.is_empty()) else {
                return Err(fault);
            };
            let Cause::Server(error) = &fault.cause else { return Err(fault) };
            let holders = self.holders(fault.step).await.unwrap_or_default();
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
        client.batch_execute("BEGIN").await?;
        let mut times = vec![];
        for step in steps {
            *last = step;
            (self.tell)(Event::Begins(step));
            let start = Instant::now();
            let started = journal::step(self.id, step.id, StepState::Started, None);
            client
                .batch_execute(&format!(
                    "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; {started}",
                    step.lock_timeout_ms, step.statement_timeout_ms
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
                step.lock_timeout_ms, step.statement_timeout_ms
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
    async fn statement(&mut self, sql: &str) -> Result<(), Cause> {
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
        let mut look = Look { other: None, told: vec![] };
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

    /// Sessions that hold locks which the step's own locks wait for.
    async fn holders(&self, step: &FileStep) -> Result<Vec<String>, tokio_postgres::Error> {
        let relations: Vec<&str> = step.locks.iter().map(|it| it.relation.as_str()).collect();
        let query = "
            SELECT want.place::int4, l.mode, l.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
                   coalesce(a.state, ''), coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int8
              FROM unnest($1::text[]) WITH ORDINALITY AS want (name, place)
              JOIN pg_locks l ON l.relation = to_regclass(want.name) AND l.granted AND l.pid <> pg_backend_pid()
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              LEFT JOIN pg_stat_activity a ON a.pid = l.pid
             ORDER BY 7 DESC, 3";
        let rows = self.session.client.query(query, &[&relations]).await?;
        let mut holders = vec![];
        for row in rows {
            let (place, mode): (i32, String) = (row.get(0), row.get(1));
            let wanted = usize::try_from(place - 1).ok().and_then(|at| step.locks.get(at));
            let Some((wanted, held)) = wanted.zip(Lock::from_pg(&mode)) else { continue };
            if held.conflicts(wanted.mode) {
                let (pid, user, application): (i32, String, String) = (row.get(2), row.get(3), row.get(4));
                let (state, seconds): (String, i64) = (row.get(5), row.get(6));
                holders.push(format!(
                    "process {pid} of {user} ({application}, {state}, its transaction {seconds} s old) holds {held} on {}",
                    wanted.relation
                ));
            }
        }
        Ok(holders)
    }

    /// Writes down how far the run came and tells it.
    async fn halt(&mut self, fault: Fault<'_>) -> ApplyError {
        let step = fault.step;
        let (run_state, step_state, message) = match &fault.cause {
            Cause::Server(error) => (RunState::Failed, StepState::Failed, told(error)),
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

/// A second session, opened once a statement takes long, that sees what the statement waits for.
struct Look {
    other: Option<Session>,
    /// The processes that were told of last.
    told: Vec<i32>,
}

impl Look {
    /// What the process waits for, if that is news.
    async fn at(&mut self, session: &Session, pid: i32) -> Result<Option<String>, ApplyError> {
        let other = match self.other.take() {
            Some(other) => other,
            None => session.target().connect().await?,
        };
        let query = "
            SELECT pid, coalesce(usename::text, ''), coalesce(application_name, ''), coalesce(state, ''),
                   coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::int8
              FROM pg_catalog.pg_stat_activity WHERE pid = ANY (pg_catalog.pg_blocking_pids($1)) ORDER BY pid";
        let rows = other.client.query(query, &[&pid]).await?;
        self.other = Some(other);
        let pids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        if pids == self.told {
            return Ok(None);
        }
        self.told = pids;
        let waits: Vec<String> = rows
            .iter()
            .map(|row| {
                let (pid, user, application): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
                let (state, seconds): (String, i64) = (row.get(3), row.get(4));
                format!("process {pid} of {user} ({application}, {state}, its transaction {seconds} s old)")
            })
            .collect();
        Ok((!waits.is_empty()).then(|| format!("it waits for {}", waits.join(" and "))))
    }
}

/// All that the server said of an error.
fn told(error: &tokio_postgres::Error) -> String {
    let mut text = server_message(error);
    if let Some(hint) = error.as_db_error().and_then(|it| it.hint()) {
        text += &format!("; {hint}");
    }
    text
}

/// Ends when the user wants to stop; never, when nobody is there to want it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|it| *it).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_runs() {
        assert_eq!(numbers(&[]), "nothing");
        assert_eq!(numbers(&[3]), "step 3");
        assert_eq!(numbers(&[1, 2, 3]), "steps 1 to 3");
        assert_eq!(numbers(&[1, 2, 4, 6, 7]), "steps 1 to 2, 4 and 6 to 7");
    }

    fn steps(of: &[(Stage, Option<u32>)]) -> Vec<FileStep> {
        of.iter()
            .zip(1..)
            .map(|((stage, transaction), id)| FileStep {
                id,
                stage: *stage,
                summary: String::new(),
                sql: String::new(),
                transaction: *transaction,
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
