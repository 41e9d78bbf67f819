//! Plans applied to real servers: to their end, and whatever stops them before it.

mod batches;
mod case;
mod cut_off;
mod far;
mod rows;
#[expect(dead_code, reason = "what other tests start is not needed here")]
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tenantry::apply::{self, ApplyError, Prepared};
use tenantry::connect::Target;
use tenantry::journal::{Run, RunState, StepState};
use tenantry::lock::Lock;
use tenantry::plan::file::{FileLock, FileStep};
use tenantry::plan::{Stage, Undo};
use tokio::sync::watch;

use crate::support::{Guarded, Scratch, Server, free_port, program, wait};
use case::*;

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
    // What the plan shows as well is not what was changed since.
    assert!(said.err.contains("beyond the plan, from the live") && !said.err.contains("tags"), "{}", said.err);
}

#[tokio::test]
async fn a_hazard_is_accepted_by_name_or_not_at_all() {
    let case = Case::new("hazard", OLD, "CREATE TABLE contacts (id bigint PRIMARY KEY)").await;
    case.apply(&[]).ended(4, &["drop-column", "--accept drop-column:public.contacts.name"]);
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
async fn locks_wait_neither_for_the_disk_nor_each_for_long() {
    let seen = "CREATE TABLE seen (step int, commit text, patience text)";
    let record = |step: u32| {
        format!(
            "INSERT INTO public.seen VALUES \
             ({step}, current_setting('synchronous_commit'), current_setting('lock_timeout'))"
        )
    };
    let steps = [record(1), record(2), record(3)];
    let mut case = Case::new("patience", seen, seen).await.by(&[
        (Stage::Expand, Some(1), &steps[0]),
        (Stage::Expand, Some(1), &steps[1]),
        (Stage::Expand, None, &steps[2]),
    ]);
    let lock = |relation: &str| FileLock { relation: relation.into(), mode: Lock::AccessExclusive, observed: None };
    case.plan.steps[0].locks = ["public.a", "public.b", "public.c", "public.d"].map(lock).to_vec();
    case.plan.id = case.plan.meaning();
    case.apply(&[]);
    let told = |step: u32, what: &str| format!("EXISTS (SELECT FROM seen WHERE step = {step} AND {what})");
    let first = told(1, "commit = 'off' AND patience = '50ms'");
    let second = told(2, "commit = 'off'");
    let outside = told(3, "commit = 'on' AND patience = '200ms'");
    assert!(case.ask(&format!("SELECT {first} AND {second} AND {outside}")).await);
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
    let undo = |sql: &str| Undo::inside(sql.to_owned());
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
async fn a_plan_that_was_edited_and_signed_again_is_held_to_what_a_run_relies_on() {
    let (old, new) = ("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL)");
    let mut case = Case::filling("signed", old, new, "a", "n", "1").await;
    let honest = case.plan.clone();
    let filled = honest.steps.iter().position(|it| it.batch.is_some()).unwrap();
    type Edit = fn(&mut FileStep);
    let edits: [(Edit, &str); 4] = [
        (|it| it.id = 1, "by which the journal would take it for another"),
        (|it| it.sql += "; COMMIT; DROP TABLE public.a", "begins or ends a transaction by itself"),
        (|it| it.undo.push(Undo::inside("ROLLBACK")), "begins or ends a transaction"),
        (|it| it.batch.as_mut().unwrap().set[0].value = "2".into(), "in batches what its statement does not say"),
    ];
    for (edit, words) in edits {
        case.plan = honest.clone();
        edit(&mut case.plan.steps[filled]);
        case.plan.id = case.plan.meaning();
        case.apply(&[]).ended(1, &["is none that tenantry writes", words, "nothing was changed"]);
    }
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);
    case.plan = honest;
    case.apply(&[]).ended(0, &[]);
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
async fn rows_that_row_security_hides_from_the_role_are_named_before_the_first_step() {
    connect("postgres").await.client.batch_execute("CREATE ROLE writer LOGIN").await.unwrap();
    let owned = "ALTER SCHEMA public OWNER TO writer; ALTER TABLE notes OWNER TO writer";
    let table = format!("CREATE TABLE notes (id integer PRIMARY KEY, body text); {owned}");
    let wider = table.replace("body text", "body text, size integer NOT NULL");
    let forced = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
        CREATE POLICY of_web ON notes USING (current_user = 'web')";
    let held_back = async |name: &str, more: &str| {
        let (old, new) = (format!("{table}; {more}"), format!("{wider}; {more}"));
        let case = Case::filling(name, &old, &new, "notes", "size", "length(body)").await;
        case.connect()
            .await
            .client
            .batch_execute(&format!("GRANT CREATE ON DATABASE {name} TO writer"))
            .await
            .unwrap();
        let text = format!("host={} port={} user=writer dbname={name}", server().dir.display(), server().port);
        let writer = Target::resolve(Some(&text), &[].into()).unwrap();
        match apply::prepare(&writer, &case.plan, &[]).await {
            Err(ApplyError::Privileges { missing, .. }) => missing,
            Err(error) => panic!("{error:?}"),
            Ok(_) => vec![],
        }
    };
    let missing = held_back("hidden", forced).await;
    assert!(missing.len() == 1 && missing[0].contains("row security of public.notes"), "{missing:?}");
    assert_eq!(held_back("not_hidden", "").await, Vec::<String>::new());
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
