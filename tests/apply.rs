//! Plans applied to real servers: to their end, and whatever stops them before it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tenantry::apply::{self, ApplyError, Limits, Prepared};
use tenantry::connect::{Session, Target};
use tenantry::introspect::introspect;
use tenantry::journal::{Run, RunState, StepState};
use tenantry::name::QName;
use tenantry::plan::file::{self, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To, fingerprint};
use tenantry::plan::{self, Planned, Stage, Undo};
use tenantry::schema::{Facts, Size};
use tenantry::scope::Scope;
use tokio::sync::watch;

#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

use support::{Guarded, Scratch, Server, free_port, program, wait};

/// The server that most tests share; each has its own database.
fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&["host all postgres 127.0.0.1/32 trust", "local all all trust"], &[]))
}

/// A database with something in it, and a plan for it.
struct Case {
    database: String,
    plan: PlanFile,
    dir: tempfile::TempDir,
}

impl Case {
    /// `database` is new, holds `old`, and is planned to hold `new`.
    async fn new(database: &str, old: &str, new: &str) -> Case {
        Case::planned(database, old, new, |_| ()).await
    }

    /// The same with an expression for a column's rows, of which there are said to be many.
    async fn filling(database: &str, old: &str, new: &str, table: &str, column: &str, value: &str) -> Case {
        let table = QName::new("public", table);
        let declare = |facts: &mut Facts| {
            facts.backfills.insert((table.clone(), column.into()), value.into());
            facts.sizes.insert(table, Size { rows: 1_000_000, bytes: 100_000_000, empty: false });
        };
        Case::planned(database, old, new, declare).await
    }

    async fn planned(database: &str, old: &str, new: &str, declare: impl FnOnce(&mut Facts)) -> Case {
        let wanted = format!("{database}_wanted");
        let admin = connect("postgres").await;
        for (name, sql) in [(database, old), (&wanted, new)] {
            admin.client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
            connect(name).await.client.batch_execute(sql).await.unwrap();
        }
        let scope = Scope::all();
        let mut current = introspect(&connect(database).await.client, true).await.unwrap();
        declare(&mut current.facts);
        let desired = introspect(&connect(&wanted).await.client, false).await.unwrap();
        let (from, to) = (scope.split(&current.schema).0, scope.split(&desired.schema).0);
        let steps = plan::make(&from, &to, &current.facts).unwrap();
        let mut plan = PlanFile {
            format: file::FORMAT,
            tool: "0".into(),
            id: String::new(),
            name: database.into(),
            part: None,
            from: From { fingerprint: fingerprint(&from), server: "15.0".into() },
            to: To { fingerprint: fingerprint(&to), declaration: String::new() },
            scope,
            proof: Proof::default(),
            notes: vec![],
            difference: String::new(),
            gates: vec![],
            steps: steps.iter().zip(1..).map(|(it, id)| step(it, id)).collect(),
        };
        plan.id = plan.meaning();
        Case { database: database.into(), plan, dir: tempfile::tempdir().unwrap() }
    }

    /// The same way by other steps.
    fn by(mut self, steps: &[(Stage, Option<u32>, &str)]) -> Case {
        let bare = |((stage, transaction, sql), id): (&(Stage, Option<u32>, &str), u32)| FileStep {
            id,
            stage: *stage,
            summary: format!("step number {id}"),
            sql: (*sql).into(),
            batch: None,
            transaction: *transaction,
            lock_timeout_ms: 200,
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
        };
        self.plan.steps = steps.iter().zip(1..).map(bare).collect();
        self.plan.id = self.plan.meaning();
        self
    }

    fn file(&self) -> PathBuf {
        let path = self.dir.path().join("plan.toml");
        fs::write(&path, self.plan.to_toml()).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let server = server();
        let database =
            format!("host={} port={} user=postgres dbname={}", server.dir.display(), server.port, self.database);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(arguments).args(["--database", &database]).current_dir(self.dir.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn apply(&self, options: &[&str]) -> Said {
        let file = self.file();
        Said::from(self.command(&[&["apply", file.to_str().unwrap()], options].concat()).output().unwrap())
    }

    /// Starts an apply that goes on by itself.
    fn start(&self) -> Child {
        self.start_with(&[])
    }

    fn start_with(&self, options: &[&str]) -> Child {
        let file = self.file();
        self.command(&[&["apply", file.to_str().unwrap()], options].concat()).spawn().unwrap()
    }

    fn tenantry(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    fn status(&self) -> Said {
        Said::from(self.command(&["status"]).output().unwrap())
    }

    async fn connect(&self) -> Session {
        connect(&self.database).await
    }

    /// The newest run.
    async fn run(&self) -> Run {
        apply::runs(&self.connect().await.client, None).await.unwrap().unwrap().remove(0)
    }

    async fn states(&self) -> Vec<StepState> {
        self.run().await.steps.iter().map(|it| it.status).collect()
    }

    async fn ask(&self, query: &str) -> bool {
        self.connect().await.client.query_one(query, &[]).await.unwrap().get(0)
    }

    async fn until(&self, query: &str) {
        let start = Instant::now();
        // What is asked for may not be there yet.
        while !self.connect().await.client.query_one(query, &[]).await.is_ok_and(|row| row.get(0)) {
            assert!(start.elapsed() < Duration::from_secs(30), "never: {query}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn step(planned: &Planned, id: u32) -> FileStep {
    let step = &planned.step;
    FileStep {
        id,
        stage: step.stage,
        summary: step.summary.clone().unwrap_or_else(|| format!("change {}", planned.subject)),
        sql: step.sql.clone(),
        batch: step.batch.clone(),
        transaction: planned.transaction,
        lock_timeout_ms: 200,
        statement_timeout_ms: 0,
        locks: (step.locks.iter())
            .map(|it| FileLock { relation: it.relation.to_string(), mode: it.mode, observed: None })
            .collect(),
        rewrites: vec![],
        scans: vec![],
        hazards: (step.hazards.iter())
            .map(|it| FileHazard {
                code: it.code,
                object: it.object.to_string(),
                why: it.why.clone(),
                severity: None,
                accepted: it.accepted.clone(),
            })
            .collect(),
        estimate: None,
        undo: planned.undo.clone(),
        irreversible: step.irreversible.clone(),
        check: step.check.clone(),
        because: None,
    }
}

async fn connect(database: &str) -> Session {
    server().target(database).connect().await.unwrap()
}

/// What a command said, and how it ended.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn from(output: Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn ended(&self, code: i32, words: &[&str]) {
        let words_found = words.iter().all(|it| unwrapped(&self.err).contains(it));
        assert!(self.code == Some(code) && words_found, "{:?} {words:?}\n{}\n{}", self.code, self.out, self.err);
    }
}

/// Reports are wrapped at the width of a terminal.
fn unwrapped(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn ended(mut child: Child) -> Said {
    let status = child.wait().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Said { code: status.code(), out, err }
}

const OLD: &str = "CREATE TABLE contacts (id bigint PRIMARY KEY, name text); INSERT INTO contacts VALUES (1, 'a')";
const NEW: &str = "CREATE TABLE contacts (id bigint PRIMARY KEY, name text, phone text);
                   CREATE INDEX contacts_phone ON contacts (phone);
                   CREATE TABLE tags (id bigint PRIMARY KEY, contact bigint REFERENCES contacts)";

const SLEEP: &str = "DO $$ BEGIN PERFORM pg_catalog.pg_sleep(60); END $$";

#[tokio::test]
async fn a_plan_is_applied_once() {
    let case = Case::new("once", OLD, NEW).await;
    let none = case.status();
    assert_eq!((none.code, none.out.contains("no journal")), (Some(0), true), "{}", none.out);

    let dry = case.apply(&["--dry-run"]);
    dry.ended(0, &[]);
    assert!(
        dry.out.contains("CREATE INDEX CONCURRENTLY contacts_phone") && dry.out.contains("BEGIN;"),
        "{}",
        dry.out
    );
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);

    let steps = case.plan.steps.len();
    case.apply(&[]).ended(0, &[&format!("step {steps} of {steps}"), "the database is as the plan wants it"]);
    let run = case.run().await;
    assert_eq!((run.status, run.plan_id.as_str(), run.error), (RunState::Done, case.plan.id.as_str(), None));
    assert!(run.finished_at.is_some());
    assert!(run.steps.iter().all(|it| it.status == StepState::Done && it.duration_ms.is_some()), "{:?}", run.steps);
    assert!(case.ask("SELECT count(*) = 1 AND bool_and(phone IS NULL) FROM contacts").await);
    assert!(!case.ask("SELECT has_schema_privilege('pg_monitor', 'tenantry', 'USAGE')").await);

    case.apply(&[]).ended(0, &["nothing to do"]);
    assert_eq!(case.run().await.id, run.id);

    let status = case.status();
    assert!(status.out.contains(&format!("{steps} of {steps} steps done")), "{}", status.out);
    let json = Said::from(case.command(&["status", "--format", "json"]).output().unwrap());
    let runs: Vec<Run> = serde_json::from_str(&json.out).unwrap();
    assert_eq!((runs.len(), runs[0].status), (1, RunState::Done));
}

#[tokio::test]
async fn a_database_in_another_state_is_left_alone() {
    let case = Case::new("drift", OLD, NEW).await;
    case.connect().await.client.batch_execute("ALTER TABLE contacts ADD fax text").await.unwrap();
    case.apply(&[]).ended(5, &["not in the state that the plan starts from", "another database"]);
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);
    assert!(!case.ask("SELECT to_regclass('tags') IS NOT NULL").await);
}

#[tokio::test]
async fn the_drift_is_shown_where_the_declaration_is_at_hand() {
    let case = Case::new("shown", OLD, NEW).await;
    case.connect().await.client.batch_execute("ALTER TABLE contacts ADD fax text").await.unwrap();
    fs::write(case.dir.path().join("schema.sql"), NEW).unwrap();
    let file = case.file();
    let said = case.command(&["apply", file.to_str().unwrap(), "--schema", "schema.sql"]).output().unwrap();
    let said = Said::from(said);
    said.ended(5, &["not in the state"]);
    assert!(said.err.contains("-    fax text") && said.err.contains("+    phone text"), "{}", said.err);
}

#[tokio::test]
async fn a_hazard_is_accepted_by_name_or_not_at_all() {
    let case = Case::new("hazard", OLD, "CREATE TABLE contacts (id bigint PRIMARY KEY)").await;
    case.apply(&[]).ended(4, &["drop-column", "--accept 'drop-column:public.contacts.name'"]);
    case.apply(&["--accept", "drop-table"]).ended(4, &["drop-column"]);
    case.apply(&["--accept", "drop-column:public.contacts.other"]).ended(4, &["drop-column"]);
    assert!(case.ask("SELECT name = 'a' FROM contacts").await);
    case.apply(&["--accept", "drop-column:public.contacts.name"]).ended(0, &["applied"]);
}

#[tokio::test]
async fn two_applies_keep_apart() {
    let case = Case::new("twice", OLD, NEW).await.by(&[(Stage::Expand, Some(1), SLEEP)]);
    let mut child = case.start();
    case.until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
    )
    .await;
    case.apply(&[]).ended(1, &["another apply runs on this database: process", "(tenantry)"]);
    assert!(case.status().out.contains("running"), "{}", case.status().out);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_lock_that_is_given_up_is_waited_for() {
    let case = Case::new("waits", OLD, NEW).await;
    let blocker = case.connect().await;
    blocker.client.batch_execute("SET application_name = 'report'; BEGIN; SELECT * FROM contacts").await.unwrap();
    let mut child = case.start();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("(report, idle in transaction") {
        assert_ne!(err.read_line(&mut said).unwrap(), 0, "{said}");
    }
    blocker.client.batch_execute("COMMIT").await.unwrap();
    err.read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("lock timeout; rolled back, tried again in 1 s") && said.contains("applied"), "{said}");
}

#[tokio::test]
async fn a_lock_that_is_not_given_up_stops_the_plan() {
    let case = Case::new("blocked", OLD, NEW).await;
    let blocker = case.connect().await;
    blocker.client.batch_execute("BEGIN; LOCK TABLE contacts").await.unwrap();
    let target = server().target("blocked");
    let Prepared::Ready(ready) = apply::prepare(&target, &case.plan, &[]).await.unwrap() else { panic!() };
    let (_stop, stopping) = watch::channel(false);
    let pace = apply::Pace { pauses: vec![Duration::from_millis(10); 2], ..apply::Pace::default() };
    let mut told = vec![];
    let error = ready
        .run(Stage::Contract, &pace, stopping, &mut |event| told.push(format!("{event:?}")))
        .await
        .unwrap_err();
    let ApplyError::Step { standing, message, .. } = &error else { panic!("{error:?}") };
    assert!(message.contains("lock timeout"), "{message}");
    assert_eq!(told.iter().filter(|it| it.starts_with("Waits")).count(), 2, "{told:?}");
    let run = case.run().await;
    assert_eq!((run.status, run.done()), (RunState::Failed, standing.done.clone()));
}

#[tokio::test]
async fn a_failure_undoes_its_transaction_and_nothing_else() {
    let case = Case::new("fails", OLD, NEW).await.by(&[
        (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
        (Stage::Expand, Some(2), "CREATE TABLE public.two ()"),
        (Stage::Expand, Some(2), "INSERT INTO public.contacts (nam) VALUES ('a')"),
        (Stage::Expand, Some(3), "CREATE TABLE public.three ()"),
    ]);
    case.apply(&[]).ended(
        6,
        &[
            "step 3 failed: step number 3",
            "of relation \"contacts\" does not exist",
            "step 3:1:30",
            "done: step 1;",
            "2 to 4",
        ],
    );
    use StepState::{Done, Failed, Planned};
    assert_eq!(case.states().await, [Done, Planned, Failed, Planned]);
    assert!(case.ask("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL").await);
    // The same plan again: the journal knows how far it came.
    case.apply(&[])
        .ended(5, &["run 1 of this plan, failed, did 1 of 4 steps (step 1)", "`tenantry resume` goes on"]);

    let case =
        Case::new("fails_first", OLD, NEW).await.by(&[(Stage::Expand, Some(1), "CREATE TABLE public.contacts ()")]);
    case.apply(&[]).ended(1, &["already exists", "nothing of the plan was done"]);
}

#[tokio::test]
async fn what_was_one_transaction_is_taken_back_in_one() {
    let mut case = Case::new("back_at_once", OLD, NEW).await.by(&[
        (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
        (Stage::Expand, Some(1), "CREATE TABLE public.two ()"),
    ]);
    // The copy has no rows, so it is the live side that refuses.
    let undo = |sql: &str| Undo { sql: sql.to_owned(), transaction: true };
    let refuses = undo("SELECT 1 / (count(*) - 1) FROM public.contacts");
    case.plan.steps[0].undo = vec![refuses, undo("DROP TABLE public.one")];
    case.plan.steps[1].undo = vec![undo("DROP TABLE public.two")];
    case.plan.proof.undo_returns = false;
    case.plan.id = case.plan.meaning();
    case.apply(&[]);
    let said = case.tenantry(&["rollback"]);
    assert!(said.err.contains("division by zero") && said.err.contains("step 1"), "{}", said.err);
    assert!(case.ask("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NOT NULL").await);
    case.connect().await.client.batch_execute("DELETE FROM public.contacts").await.unwrap();
    case.tenantry(&["rollback"]).ended(0, &["taken back"]);
    assert!(case.ask("SELECT to_regclass('one') IS NULL AND to_regclass('two') IS NULL").await);
}

#[tokio::test]
async fn a_failed_build_leaves_no_index() {
    let case = Case::new("index", OLD, NEW).await.by(&[
        (Stage::Expand, Some(1), "INSERT INTO public.contacts VALUES (2, 'a')"),
        (Stage::Expand, None, "CREATE UNIQUE INDEX CONCURRENTLY \"by Name\" ON public.contacts (name)"),
    ]);
    case.apply(&[]).ended(6, &["could not create unique index", "is duplicated", "removed the invalid index"]);
    assert_eq!(case.states().await, [StepState::Done, StepState::Failed]);
    assert!(case.ask("SELECT count(*) = 0 FROM pg_index WHERE NOT indisvalid").await);
}

#[tokio::test]
async fn a_build_waits_for_older_transactions_until_it_is_interrupted() {
    let mut case = Case::new("patient", OLD, NEW).await.by(&[(
        Stage::Expand,
        None,
        "CREATE INDEX CONCURRENTLY contacts_name ON public.contacts (name)",
    )]);
    case.plan.steps[0].lock_timeout_ms = 0;
    case.plan.id = case.plan.meaning();
    let older = case.connect().await;
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class";
    older.client.batch_execute(&format!("SET application_name = 'report'; {snapshot}")).await.unwrap();
    let mut child = case.start();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("it waits for process") {
        assert_ne!(err.read_line(&mut said).unwrap(), 0, "{said}");
    }
    assert!(said.contains("(report, idle in transaction"), "{said}");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    err.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("removed the invalid index") && said.contains("nothing of the plan was done"), "{said}");
    assert!(case.ask("SELECT to_regclass('contacts_name') IS NULL").await);
}

#[tokio::test]
async fn a_kill_leaves_a_journal_that_is_true() {
    let case = Case::new("killed", OLD, NEW).await.by(&[
        (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
        (Stage::Expand, Some(2), "CREATE TABLE public.two ()"),
        (Stage::Expand, Some(2), SLEEP),
    ]);
    let mut child = case.start();
    case.until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
    )
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    // The server notices by itself, long before the statement would have ended.
    case.until(
        "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND database = \
                (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .await;
    assert_eq!(case.states().await, [StepState::Done, StepState::Planned, StepState::Planned]);
    assert!(case.ask("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL").await);
    assert!(case.status().out.contains("lost"), "{}", case.status().out);
    case.apply(&[]).ended(5, &["run 1 of this plan, lost, did 1 of 3 steps"]);
}

#[tokio::test]
async fn an_interrupt_ends_well() {
    for (name, signal) in [("interrupted", Signal::SIGINT), ("terminated", Signal::SIGTERM)] {
        let case = Case::new(name, OLD, NEW).await.by(&[
            (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
            (Stage::Expand, Some(2), "CREATE TABLE public.two ()"),
            (Stage::Expand, Some(2), SLEEP),
        ]);
        let child = case.start();
        case.until(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
        )
        .await;
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        ended(child).ended(6, &["interrupted in step 3", "done: step 1; not done: steps 2 to 3"]);
        use StepState::{Done, Interrupted, Planned};
        assert_eq!(case.states().await, [Done, Planned, Interrupted]);
        assert_eq!(case.run().await.status, RunState::Interrupted);
        assert!(case.ask("SELECT to_regclass('two') IS NULL").await);
    }
}

#[tokio::test]
async fn later_stages_wait_to_be_asked_for() {
    let case = Case::new("stages", OLD, NEW).await.by(&[
        (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
        (Stage::Contract, Some(2), "CREATE TABLE public.two ()"),
    ]);
    case.apply(&["--through", "expand"]).ended(0, &["1 of later stages are left"]);
    assert_eq!(case.run().await.status, RunState::Partial);
    assert!(case.ask("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL").await);
    case.tenantry(&["resume", "--dry-run"]).ended(0, &[]);
    // Both tables are not what the plan leads to; all its steps are done all the same.
    case.tenantry(&["resume"]).ended(5, &["1 step done, 1 step to go", "all steps are done, and yet"]);
    assert!(case.ask("SELECT to_regclass('two') IS NOT NULL").await);
    assert_eq!(case.run().await.id, 1);
}

#[tokio::test]
async fn an_end_that_is_not_the_plans_is_told() {
    let case = Case::new("elsewhere", OLD, NEW).await.by(&[(Stage::Expand, Some(1), "CREATE TABLE public.one ()")]);
    case.apply(&[]).ended(5, &["all steps are done, and yet"]);
}

#[tokio::test]
async fn files_that_are_no_plans_any_more_are_refused() {
    let case = Case::new("files", OLD, NEW).await;
    let text = case.plan.to_toml();
    let edited = text.replacen("ADD COLUMN phone text", "ADD COLUMN phone text DEFAULT 'x'", 1);
    assert_ne!(text, edited);
    let path = case.dir.path().join("other.toml");
    for (text, words) in [
        (edited.as_str(), "was edited after it was written"),
        (&text[..text.len() - 20], "is no plan file that can be read"),
        (&text.replace("format = 1", "format = 9"), "has format 9, and this program reads up to 1"),
        ("", "is empty"),
    ] {
        fs::write(&path, text).unwrap();
        Said::from(case.command(&["apply", path.to_str().unwrap()]).output().unwrap()).ended(1, &[words]);
    }
    Said::from(case.command(&["apply", "nowhere.toml"]).output().unwrap()).ended(1, &["nowhere.toml"]);
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);
}

#[tokio::test]
async fn a_server_that_takes_no_changes_is_told_at_once() {
    let case = Case::new("readonly", OLD, NEW).await;
    server().execute(&["ALTER DATABASE readonly SET default_transaction_read_only = on"]);
    case.apply(&[]).ended(1, &["the session is read-only", "default_transaction_read_only"]);

    let standby = Server::start_standby(&[], &[]);
    let error = apply::prepare(&standby.target("postgres"), &case.plan, &[]).await.err();
    assert!(matches!(error, Some(ApplyError::Recovery)), "{error:?}");
}

#[tokio::test]
async fn what_the_role_lacks_is_named_before_the_first_step() {
    // Before 15, everybody may create in public.
    let closed = |sql: &str| format!("REVOKE CREATE ON SCHEMA public FROM PUBLIC; {sql}");
    let case = Case::new("rights", &closed(OLD), &closed(NEW)).await;
    let admin = case.connect().await;
    admin.client.batch_execute("CREATE ROLE clerk LOGIN").await.unwrap();
    let text = format!("host={} port={} user=clerk dbname=rights", server().dir.display(), server().port);
    let clerk = Target::resolve(Some(&text), &[].into()).unwrap();
    let Err(ApplyError::Privileges { role, missing }) = apply::prepare(&clerk, &case.plan, &[]).await else {
        panic!("not refused")
    };
    let named = |words: &str| missing.iter().any(|it| it.contains(words));
    assert_eq!(role, "clerk");
    assert!(named("to own public.contacts, or to be a member of its owner postgres"), "{missing:?}");
    assert!(named("CREATE on schema public") && named("CREATE on database rights"), "{missing:?}");
    let grant = "CREATE SCHEMA tenantry; CREATE TABLE tenantry.run (); CREATE TABLE tenantry.step ()";
    admin.client.batch_execute(grant).await.unwrap();
    let error = apply::prepare(&clerk, &case.plan, &[]).await.err();
    let Some(ApplyError::Privileges { missing, .. }) = error else { panic!("{error:?}") };
    assert!(missing.iter().any(|it| it.contains("USAGE on schema tenantry")), "{missing:?}");
    admin.client.batch_execute("DROP TABLE tenantry.run, tenantry.step; DROP SCHEMA tenantry").await.unwrap();
    admin.client.batch_execute("GRANT postgres TO clerk").await.unwrap();
    assert!(matches!(apply::prepare(&clerk, &case.plan, &[]).await, Ok(Prepared::Ready(_))));
}

#[tokio::test]
async fn a_pooler_that_shares_sessions_is_refused() {
    let case = Case::new("pooled", OLD, NEW).await;
    let (dir, port) = (Scratch::new(), free_port());
    let ini = format!(
        "[databases]\npooled = host=127.0.0.1 port={} pool_mode=transaction\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
         auth_file = {dir}/users\nlogfile = {dir}/pgbouncer.log\n",
        server().port,
        dir = dir.path().display(),
    );
    fs::write(dir.path().join("pgbouncer.ini"), ini).unwrap();
    fs::write(dir.path().join("users"), "\"postgres\" \"\"\n").unwrap();
    let mut command = Command::new(program("pgbouncer"));
    command.arg(dir.path().join("pgbouncer.ini"));
    let log = dir.path().join("log");
    let _process = Guarded::spawn(&command, "KILL", &log);
    let text = format!("host=127.0.0.1 port={port} user=postgres dbname=pooled sslmode=disable");
    let target = Target::resolve(Some(&text), &[].into()).unwrap();
    wait("PgBouncer", &log, || {
        support::attend(async { target.connect().await.map(drop).map_err(|error| error.to_string()) })
    });
    let error = apply::prepare(&target, &case.plan, &[]).await.err();
    assert!(matches!(error, Some(ApplyError::Pooler { .. })), "{error:?}");
}

/// A table worth going through in parts, whose required column gets its values by an expression.
struct Fill {
    case: Case,
}

impl Fill {
    const NEW: &str = "CREATE TABLE items (id bigint PRIMARY KEY, n integer, twice integer NOT NULL)";

    async fn new(database: &str, rows: u32) -> Fill {
        let old = format!(
            "CREATE TABLE items (id bigint PRIMARY KEY, n integer);
             INSERT INTO items SELECT i, i FROM generate_series(1, {rows}) i"
        );
        Fill { case: Case::filling(database, &old, Fill::NEW, "items", "twice", "n * 2").await }
    }

    async fn is_filled(&self) -> bool {
        self.case.ask("SELECT bool_and(twice = n * 2) FROM items").await
    }

    async fn positions(&self) -> i64 {
        let query = "SELECT coalesce(sum(rows), 0)::int8 FROM tenantry.backfill";
        self.case.connect().await.client.query_one(query, &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn rows_are_changed_in_parts_and_counted() {
    let fill = Fill::new("parts", 30_000).await;
    let said = fill.case.apply(&["--batch-ms", "20"]);
    said.ended(0, &["the database is as the plan wants it"]);
    assert!(said.err.contains("30,000") || said.err.contains("of about"), "{}", said.err);
    assert!(fill.is_filled().await);
    assert_eq!(fill.positions().await, 30_000);
    // No helper stays behind, and statistics are there.
    assert!(fill.case.ask("SELECT count(*) = 0 FROM pg_trigger WHERE NOT tgisinternal").await);
    assert!(fill.case.ask("SELECT count(*) = 1 FROM pg_stats WHERE attname = 'twice'").await);
}

#[tokio::test]
async fn rows_that_are_written_meanwhile_are_covered() {
    let fill = Fill::new("meanwhile", 30_000).await;
    let writer = fill.case.connect().await;
    let mut child = fill.case.start_with(&["--rows-per-second", "20000"]);
    let mut next = 30_001;
    while child.try_wait().unwrap().is_none() {
        let sql = format!("INSERT INTO items (id, n) VALUES ({next}, {next})");
        // Only between the last stage and the exit of the program is the value the writer's own to give.
        if writer.client.batch_execute(&sql).await.is_err() {
            break;
        }
        next += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    ended(child).ended(0, &["the database is as the plan wants it"]);
    assert!(next > 30_010, "{next}");
    assert!(fill.is_filled().await);
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_left_for_later() {
    let fill = Fill::new("held", 20_000).await;
    let holder = fill.case.connect().await;
    let child = fill.case.start_with(&["--rows-per-second", "8000"]);
    fill.case.until("SELECT count(*) > 0 FROM tenantry.backfill").await;
    holder.client.batch_execute("BEGIN; SELECT FROM items WHERE id = 19990 FOR UPDATE").await.unwrap();
    fill.case.until("SELECT coalesce(max(round), 0) > 1 FROM tenantry.backfill").await;
    assert!(fill.case.ask("SELECT count(*) = 1 FROM items WHERE twice IS NULL").await);
    holder.client.batch_execute("COMMIT").await.unwrap();
    ended(child).ended(0, &["the database is as the plan wants it"]);
    assert!(fill.is_filled().await);
}

#[tokio::test]
async fn rows_that_get_no_value_stop_the_plan_by_name() {
    let fill = Fill::new("valueless", 20_000).await;
    fill.case
        .connect()
        .await
        .client
        .batch_execute("UPDATE items SET n = NULL WHERE id IN (7, 19999)")
        .await
        .unwrap();
    let pace = apply::Pace { pauses: vec![], ..apply::Pace::default() };
    let target = server().target("valueless");
    let Prepared::Ready(ready) = apply::prepare(&target, &fill.case.plan, &[]).await.unwrap() else { panic!() };
    let (_stop, stopping) = watch::channel(false);
    let error = ready.run(Stage::Contract, &pace, stopping, &mut |_| ()).await.unwrap_err();
    let ApplyError::Step { message, .. } = &error else { panic!("{error:?}") };
    assert!(message.contains("id = 7; id = 19999"), "{message}");
    assert_eq!(error.exit(), tenantry::diagnostic::Exit::Stopped);
}

/// How a run is cut off.
#[derive(Debug, Clone, Copy)]
enum Crash {
    /// The program is gone, and its connection with it.
    Client,
    /// The server's process is ended.
    Backend,
}

/// A plan with every sort of step: in a transaction, outside of any, in parts.
async fn every_sort(database: &str) -> Case {
    let old = "CREATE TABLE items (id bigint PRIMARY KEY, n integer, note text);
               CREATE INDEX items_note ON items (note);
               INSERT INTO items SELECT i, i FROM generate_series(1, 3000) i";
    let new = "CREATE TABLE items (id bigint PRIMARY KEY, n integer, note text, twice integer NOT NULL);
               CREATE INDEX items_n ON items (n);
               CREATE TABLE tags (id bigint PRIMARY KEY, item bigint REFERENCES items)";
    let mut case = Case::filling(database, old, new, "items", "twice", "n * 2").await;
    case.plan.proof.undo_returns = true;
    assert!(case.plan.steps.iter().any(|it| it.sql.starts_with("CREATE INDEX CONCURRENTLY")));
    assert!(case.plan.steps.iter().any(|it| it.sql.starts_with("DROP INDEX CONCURRENTLY")));
    case
}

impl Case {
    /// The same plan for a copy of the database.
    async fn copy(&self, database: &str) -> Case {
        let create = format!("CREATE DATABASE {database} TEMPLATE {}", self.database);
        connect("postgres").await.client.batch_execute(&create).await.unwrap();
        Case { database: database.into(), plan: self.plan.clone(), dir: tempfile::tempdir().unwrap() }
    }

    /// Applies and cuts off at the event of that number. Whether there was one.
    async fn crash(&self, at: usize, how: Crash) -> bool {
        let Ok(Prepared::Ready(ready)) = apply::prepare(&server().target(&self.database), &self.plan, &[]).await
        else {
            panic!("not ready")
        };
        let (cut, mut cuts) = tokio::sync::mpsc::unbounded_channel();
        let mut count = 0;
        let mut tell = |_: apply::Event<'_>| {
            if count == at {
                let _ = cut.send(());
            }
            count += 1;
        };
        let (_stop, stopping) = watch::channel(false);
        let pace = apply::Pace { pauses: vec![], ..apply::Pace::default() };
        let crashed = {
            let run = ready.run(Stage::Contract, &pace, stopping, &mut tell);
            tokio::pin!(run);
            tokio::select! {
                biased;
                _ = cuts.recv() => {
                    if matches!(how, Crash::Backend) {
                        let end = format!(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                            self.database
                        );
                        connect("postgres").await.client.batch_execute(&end).await.unwrap();
                        let _ = run.await;
                    }
                    true
                }
                result = &mut run => {
                    result.unwrap();
                    false
                }
            }
        };
        let gone = "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND database = \
                    (SELECT oid FROM pg_database WHERE datname = current_database())";
        self.until(gone).await;
        crashed
    }

    async fn fingerprint(&self) -> String {
        let schema = introspect(&self.connect().await.client, false).await.unwrap().schema;
        fingerprint(&self.plan.scope.split(&schema).0)
    }
}

/// The crashes that are tried: each place in turn with either sort; with `TENANTRY_TEST_LONG`, with both.
fn crashes(at: usize) -> Vec<Crash> {
    match (std::env::var_os("TENANTRY_TEST_LONG"), at % 2) {
        (Some(_), _) => vec![Crash::Client, Crash::Backend],
        (None, 0) => vec![Crash::Client],
        (None, _) => vec![Crash::Backend],
    }
}

#[tokio::test]
async fn a_run_goes_on_from_wherever_it_was_cut_off() {
    let case = every_sort("cut").await;
    let places = case.plan.steps.len() * 2;
    let mut crashed = 0;
    for at in 0..places {
        for how in crashes(at) {
            let cut = case.copy(&format!("cut_{at}_{how:?}").to_lowercase()).await;
            crashed += usize::from(cut.crash(at, how).await);
            if cut.fingerprint().await != cut.plan.to.fingerprint {
                let said = cut.tenantry(&["resume"]);
                assert_eq!(said.code, Some(0), "{at} {how:?}: {}", said.err);
            }
            assert_eq!(cut.fingerprint().await, cut.plan.to.fingerprint, "{at} {how:?}");
            assert!(cut.ask("SELECT count(*) = 3000 AND bool_and(twice = n * 2) FROM items").await, "{at} {how:?}");
            assert!(cut.ask("SELECT bool_and(indisvalid) FROM pg_index").await, "{at} {how:?}");
            cut.tenantry(&["resume"]).ended(0, &[]);
        }
    }
    assert!(crashed > case.plan.steps.len(), "{crashed}");
}

#[tokio::test]
async fn a_run_is_taken_back_from_wherever_it_was_cut_off() {
    let case = every_sort("back").await;
    for at in 0..case.plan.steps.len() * 2 {
        for how in crashes(at) {
            let cut = case.copy(&format!("back_{at}_{how:?}").to_lowercase()).await;
            cut.crash(at, how).await;
            let said = cut.tenantry(&["rollback"]);
            assert_eq!(said.code, Some(0), "{at} {how:?}: {}", said.err);
            assert_eq!(cut.fingerprint().await, cut.plan.from.fingerprint, "{at} {how:?}: {}", said.err);
            assert!(cut.ask("SELECT count(*) = 3000 FROM items").await, "{at} {how:?}");
        }
    }
}

#[tokio::test]
async fn what_is_taken_back_in_part_can_go_on() {
    let case = every_sort("part").await;
    case.apply(&[]).ended(0, &["applied"]);
    let dry = case.tenantry(&["rollback", "--to", "2", "--dry-run"]);
    assert!(dry.code == Some(0) && dry.out.contains("-- back from step 3"), "{} {}", dry.out, dry.err);
    case.tenantry(&["rollback", "--to", "2"]).ended(0, &["taken back"]);
    assert_eq!(case.run().await.done(), [1, 2]);
    case.tenantry(&["resume"]).ended(0, &["2 steps done", "the database is as the plan wants it"]);
    assert_eq!(case.fingerprint().await, case.plan.to.fingerprint);
    case.tenantry(&["rollback"]).ended(0, &["taken back"]);
    assert_eq!(
        (case.run().await.status, case.fingerprint().await),
        (RunState::Undone, case.plan.from.fingerprint.clone())
    );
    case.tenantry(&["rollback"]).ended(0, &["nothing to take back"]);
    case.tenantry(&["resume"]).ended(0, &["nothing to resume"]);
    case.apply(&[]).ended(0, &["applied"]);
}

#[tokio::test]
async fn what_is_lost_is_not_taken_back() {
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text)";
    let case = Case::new("lossy", OLD, new).await;
    case.apply(&["--accept", "all"]).ended(0, &["applied"]);
    case.tenantry(&["rollback"])
        .ended(1, &["can't be taken back without loss", "the values of the column are gone"]);
    assert!(case.ask("SELECT count(*) = 1 FROM pg_attribute WHERE attname = 'phone' AND NOT attisdropped").await);
}

#[tokio::test]
async fn what_was_changed_since_a_run_stopped_is_noticed() {
    let other = Case::new("moved", OLD, NEW)
        .await
        .by(&[(Stage::Expand, Some(1), "CREATE TABLE public.one ()"), (Stage::Expand, Some(2), "SELECT 1 / 0")]);
    other.apply(&[]).ended(6, &["division by zero", "`tenantry resume` goes on from here"]);
    other.connect().await.client.batch_execute("CREATE TABLE two ()").await.unwrap();
    other.tenantry(&["resume"]).ended(5, &["left it after step 1"]);
    other.tenantry(&["rollback"]).ended(5, &["left it after step 1"]);
    other.connect().await.client.batch_execute("DROP TABLE two").await.unwrap();
    other.tenantry(&["resume"]).ended(6, &["division by zero"]);
}

/// Applies what the rows stand against: it is found before the first step, and would have been in the middle.
async fn stands_against(case: &Case, words: &[&str]) {
    let before = case.fingerprint().await;
    case.apply(&["--accept", "all"]).ended(1, &[words, &["nothing was changed"]].concat());
    case.apply(&["--accept", "all", "--preflight"]).ended(3, words);
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);
    assert_eq!(case.fingerprint().await, before);
    let said = case.apply(&["--accept", "all", "--no-preflight"]);
    assert!(matches!(said.code, Some(1 | 6)), "{:?} {}", said.code, said.err);
}

#[tokio::test]
async fn rows_that_a_backfill_gives_nothing_are_named_first() {
    let fill = Fill::new("asks_null", 100).await;
    fill.case.connect().await.client.batch_execute("UPDATE items SET n = NULL WHERE id = 7").await.unwrap();
    fill.case.apply(&[]).ended(1, &["no value for twice: id = 7", "nothing was changed"]);
    let old =
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); INSERT INTO items VALUES (1, 1), (2, 0), (3, 3)";
    let case = Case::filling("asks_fails", old, Fill::NEW, "items", "twice", "6 / n").await;
    stands_against(&case, &["no value for twice: id = 2: division by zero"]).await;
}

#[tokio::test]
async fn duplicates_are_named_first() {
    let old = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text);
               INSERT INTO people VALUES (1, 'a'), (2, 'a'), (3, NULL), (4, NULL), (5, 'b')";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text);
               CREATE UNIQUE INDEX people_mail ON people (\"E mail\")";
    let case = Case::new("asks_unique", old, new).await;
    stands_against(&case, &["are alike in \"E mail\": a (2 times)"]).await;
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text, tenant integer NOT NULL DEFAULT 1,
               UNIQUE (tenant, \"E mail\"))";
    let case = Case::new("asks_unique_with", old, new).await;
    stands_against(&case, &["are alike in tenant, \"E mail\": 1, a (2 times)"]).await;
}

#[tokio::test]
async fn orphans_are_named_first() {
    let old = "CREATE TABLE people (id bigint PRIMARY KEY); INSERT INTO people VALUES (1);
               CREATE TABLE notes (id bigint PRIMARY KEY, person bigint);
               INSERT INTO notes VALUES (1, 1), (2, 2), (3, NULL)";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY);
               CREATE TABLE notes (id bigint PRIMARY KEY, person bigint REFERENCES people)";
    let case = Case::new("asks_orphans", old, new).await;
    stands_against(&case, &["rows of public.notes refer to no row of public.people: id = 2"]).await;
}

#[tokio::test]
async fn rows_that_break_a_check_or_lack_a_value_are_named_first() {
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age integer); INSERT INTO people VALUES (1, -1), (2, NULL)";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer CONSTRAINT grown CHECK (age > 0))";
    let case = Case::new("asks_check", old, new).await;
    stands_against(&case, &["rows of public.people break the check grown: id = 1"]).await;
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer NOT NULL)";
    let case = Case::new("asks_required", old, new).await;
    stands_against(&case, &["have no value for age", "id = 2"]).await;
}

#[tokio::test]
async fn values_that_a_new_type_can_not_hold_are_named_first() {
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age text); INSERT INTO people VALUES (1, '7'), (2, 'old')";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer)";
    let case = Case::new("asks_cast", old, new).await;
    stands_against(&case, &["public.people.age do not survive", "id = 2: invalid input syntax"]).await;
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age numeric); INSERT INTO people VALUES (1, 7), (2, 7.5)";
    let case = Case::new("asks_loss", old, new).await;
    // The server would round it without a word.
    case.apply(&["--accept", "all"]).ended(1, &["public.people.age do not survive", "id = 2"]);
}

#[tokio::test]
async fn rows_of_another_partition_are_named_first() {
    let part = "CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
                CREATE TABLE logs_other PARTITION OF logs DEFAULT";
    let old = format!("{part}; INSERT INTO logs VALUES ('2024-01-05'), ('2024-03-05')");
    let new =
        format!("{part}; CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')");
    let case = Case::new("asks_default", &old, &new).await;
    stands_against(&case, &["default partition public.logs_other belong to the new one: at = 2024-01-05"]).await;
    let part = "CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at)";
    let old = format!(
        "{part}; CREATE TABLE logs_1 (at date NOT NULL); INSERT INTO logs_1 VALUES ('2024-01-05'), ('2024-03-05')"
    );
    let new =
        format!("{part}; CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')");
    let case = Case::new("asks_bound", &old, &new).await;
    case.apply(&["--accept", "all"]).ended(1, &["outside the bound", "at = 2024-03-05"]);
}

#[tokio::test]
async fn partitions_that_overlap_are_named_first() {
    let part = "CREATE TABLE logs (at date NOT NULL, kind text NOT NULL) PARTITION BY RANGE (at);
                CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')";
    let wanted = "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')";
    let case = Case::new("asks_overlap", part, &format!("{part}; {wanted}")).await;
    case.apply(&["--preflight"]).ended(0, &[]);
    // Somebody else's, outside of what is managed: the state that the plan starts from does not show it.
    let theirs = "CREATE SCHEMA tenantry_theirs; CREATE TABLE tenantry_theirs.logs_3 PARTITION OF logs
        FOR VALUES FROM ('2024-02-15') TO ('2024-04-01')";
    case.connect().await.client.batch_execute(theirs).await.unwrap();
    let session = server().target("asks_overlap");
    let findings = apply::preflight(&session, &case.plan, Limits::default()).await.unwrap();
    let words = "the new partition of public.logs would overlap with tenantry_theirs.logs_3, which it has";
    assert!(findings.iter().any(|it| it.stops && it.message == words), "{findings:?}");
    let part = "CREATE TABLE kinds (kind text) PARTITION BY LIST (kind);
                CREATE TABLE kinds_1 PARTITION OF kinds FOR VALUES IN ('a', NULL)";
    let wanted = "CREATE TABLE kinds_2 PARTITION OF kinds FOR VALUES IN ('b', 'c')";
    let case = Case::new("asks_overlap_list", part, &format!("{part}; {wanted}")).await;
    let theirs = "CREATE TABLE kinds_3 PARTITION OF kinds FOR VALUES IN ('d', 'c')";
    case.connect().await.client.batch_execute(theirs).await.unwrap();
    let session = server().target("asks_overlap_list");
    let findings = apply::preflight(&session, &case.plan, Limits::default()).await.unwrap();
    assert!(
        findings.iter().any(|it| it.stops && it.message.contains("overlap with public.kinds_3")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_disk_that_is_too_small_stops_the_plan_first() {
    let old =
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); INSERT INTO items VALUES (1, 1); ANALYZE items";
    let case = Case::new(
        "asks_disk",
        old,
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); CREATE INDEX ON items (n)",
    )
    .await;
    let target = server().target("asks_disk");
    let rows = async |rows: &str| {
        let sql = format!("UPDATE pg_class SET reltuples = {rows} WHERE relname = 'items'");
        case.connect().await.client.batch_execute(&sql).await.unwrap();
    };
    rows("1e8").await;
    let allowed = Limits { disk: Some(1_000_000_000), ..Limits::default() };
    let findings = apply::preflight(&target, &case.plan, allowed).await.unwrap();
    let found = |words: &str| findings.iter().any(|it| it.stops && it.message.contains(words));
    assert!(found("[apply] disk_gb lets it have 1.0 GB"), "{findings:?}");
    // This server's directory is on this machine and can be looked at.
    rows("1e15").await;
    let findings = apply::preflight(&target, &case.plan, Limits::default()).await.unwrap();
    assert!(findings.iter().any(|it| it.stops && it.message.ends_with("are free")), "{findings:?}");
    case.apply(&[]).ended(1, &["are free", "nothing was changed"]);
}

#[tokio::test]
async fn a_question_ends_in_time_and_notes_stop_nothing() {
    let fill = Fill::new("asks_notes", 50).await;
    fill.case
        .connect()
        .await
        .client
        .batch_execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
             CREATE FUNCTION slow() RETURNS boolean LANGUAGE sql AS $$ SELECT pg_sleep(5) IS NOT NULL $$;
             CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch()",
        )
        .await
        .unwrap();
    let mut plan = fill.case.plan.clone();
    let index = "CREATE INDEX CONCURRENTLY i ON public.items (n)";
    let check = "ALTER TABLE public.items ADD CONSTRAINT slow CHECK (public.slow()) NOT VALID";
    let more = [(Stage::Expand, None, index), (Stage::Validate, Some(90), check)];
    plan.steps.extend(Case { plan: plan.clone(), ..Case::new("asks_more", OLD, NEW).await }.by(&more).plan.steps);
    let fewer = "UPDATE pg_class SET reltuples = 1e8 WHERE relname = 'items'";
    fill.case.connect().await.client.batch_execute(fewer).await.unwrap();
    // The plan is of another start now; only its questions are asked.
    let findings = apply::preflight(&server().target("asks_notes"), &plan, Limits::default()).await.unwrap();
    assert!(findings.iter().all(|it| !it.stops), "{findings:?}");
    let found = |words: &str| findings.iter().any(|it| it.message.contains(words));
    assert!(found("these triggers run for each: touch"), "{findings:?}");
    assert!(found("could not be looked at in time"), "{findings:?}");
    assert!(found("GB of disk"), "{findings:?}");
}
