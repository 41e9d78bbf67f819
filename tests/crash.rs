//! Servers that crash while a plan is applied: what they had only in memory is lost. Afterwards the rows and the journal
//! agree, the run goes on to its end, and no row is lost or changed twice.
//!
//! `TENANTRY_TEST_LONG=1 cargo test --test crash` crashes at every event of a plan, and many times at moments that
//! nobody chose; `TENANTRY_TEST_SEED` repeats those of a run.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tenantry::apply::{self, Event, Pace, Prepared};
use tenantry::connect::{Session, Target};
use tenantry::plan::Stage;
use tokio::runtime::Runtime;
use tokio::sync::watch;

#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

use support::{Server, attend};

/// Nothing of the log is written before somebody waits for it, as far as a server can be told so.
const LAZY: [&str; 4] =
    ["wal_buffers=64MB", "bgwriter_lru_maxpages=0", "checkpoint_timeout=1d", "wal_writer_delay=10s"];

/// A server of its own with a database in use, and a plan for it.
struct Project {
    server: Server,
    dir: TempDir,
    database: String,
}

impl Project {
    fn new(conf: &[&str], old: &str, sql: &str, toml: &str) -> Project {
        let server = Server::start(&[], conf);
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("schema")).unwrap();
        fs::write(dir.path().join("schema/a.sql"), sql).unwrap();
        fs::write(dir.path().join("schema/b.toml"), toml).unwrap();
        let project = Project { server, dir, database: "postgres".into() };
        project.execute(old);
        project.run(&["plan", "--out", "plan.toml", "--accept", "all"]);
        project
    }

    /// Goes over to a copy of the database, which the same plan is for.
    fn copied(&mut self, name: &str) {
        self.server.execute(&[&format!("CREATE DATABASE {name} TEMPLATE template_of_all")]);
        self.database = name.into();
    }

    fn target(&self) -> Target {
        self.server.target(&self.database)
    }

    fn execute(&self, sql: &str) {
        attend(async { self.target().connect().await.unwrap().client.batch_execute(sql).await.unwrap() });
    }

    /// A session that has run some statements and stays open.
    fn holding(&self, sql: &str) -> (Session, Runtime) {
        let runtime = runtime();
        let session = runtime.block_on(self.target().connect()).unwrap();
        runtime.block_on(session.client.batch_execute(sql)).unwrap();
        (session, runtime)
    }

    /// What a query gives, where the server gives it.
    fn asked(&self, query: &str) -> Option<String> {
        let target = self.target();
        attend(async {
            let session = target.connect().await.ok()?;
            session.client.query_one(query, &[]).await.ok()?.get::<_, Option<String>>(0)
        })
    }

    fn text(&self, query: &str) -> String {
        self.asked(query).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let database = format!(
            "host={} port={} user=postgres dbname={}",
            self.server.dir.display(),
            self.server.port,
            self.database
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(self.dir.path()).args(arguments).args(["--database", &database]);
        command.env("COLUMNS", "120").env_remove("DATABASE_URL").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program, which must succeed.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Waits until a query gives `t` while the program runs.
    fn until(&self, query: &str, child: &mut Child) {
        let start = Instant::now();
        while self.text(&format!("SELECT (SELECT {query})::text")) != "true" {
            if child.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("never: {query}: {said}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Crashes the server under the program, and starts it again. Gives what the program said.
    fn crash(&mut self, child: Child) -> String {
        self.server.crash();
        let said = ended(child);
        self.server.go();
        said
    }

    /// The run goes on to its end, and the database is as declared.
    fn goes_on(&self) -> String {
        let said = self.run(&["resume"]);
        self.run(&["drift"]);
        assert_eq!(self.text("SELECT count(*)::text FROM pg_index WHERE NOT indisvalid"), "0");
        said
    }
}

/// What the program said that lost its server; it tells so by its exit code.
fn ended(mut child: Child) -> String {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(1 | 6)), "{code:?} {out}{err}");
    err
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

const ITEMS: &str = "CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL);
    INSERT INTO items SELECT i, i FROM generate_series(1, 30000) i; ANALYZE items;";
const FILLED: &str = "CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL, twice integer NOT NULL);";
const FILL: &str = "[table.\"public.items\".columns]\ntwice = { backfill = \"n * 2\" }\n";

/// Rows that a backfill changed, and those that the journal says it changed.
const CHANGED: &str = "SELECT count(twice)::text FROM items";
const COUNTED: &str = "SELECT coalesce(sum(rows), 0)::text FROM tenantry.backfill";

#[test]
fn rows_and_cursor_agree_when_parts_are_lost() {
    let mut project = Project::new(&LAZY, ITEMS, FILLED, FILL);
    let mut child = project.start(&["apply", "plan.toml", "--yes", "--rows-per-second", "8000"]);
    project.until("count(*) > 0 FROM tenantry.backfill", &mut child);
    // Who would write the log in the background does not come to it: all that is not waited for is lost.
    let writer = project.text("SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'walwriter'");
    kill(Pid::from_raw(writer.parse().unwrap()), Signal::SIGSTOP).unwrap();
    project.until("coalesce(sum(rows), 0) > 15000 FROM tenantry.backfill", &mut child);
    let before: u64 = project.text(COUNTED).parse().unwrap();
    let said = project.crash(child);
    assert!(said.contains("`tenantry resume` goes on from here"), "{said}");

    let after: u64 = project.text(COUNTED).parse().unwrap();
    assert!(after < before, "nothing was lost: {before}, {after}");
    assert_eq!(project.text(CHANGED), after.to_string());
    let status = project.run(&["status"]);
    assert!(status.contains("lost"), "{status}");
    project.goes_on();
    // Each row was counted once: what was lost was changed again, and nothing else.
    assert_eq!(project.text(COUNTED), "30000");
    assert_eq!(project.text("SELECT bool_and(twice = n * 2)::text FROM items"), "true");
}

#[test]
fn a_build_of_an_index_goes_on() {
    let new = "CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL); CREATE INDEX items_n ON items (n);";
    let mut project = Project::new(&[], ITEMS, new, "");
    let _older = project.holding("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class");
    let mut child = project.start(&["apply", "plan.toml", "--yes"]);
    project.until("count(*) = 1 FROM pg_index WHERE NOT indisvalid", &mut child);
    project.until("count(*) = 1 FROM pg_stat_progress_create_index", &mut child);
    project.crash(child);
    assert_eq!(
        project.text("SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'items_n'::regclass"),
        "false"
    );
    let said = project.goes_on();
    assert!(said.contains("removes the invalid index public.items_n"), "{said}");
}

#[test]
fn a_validation_goes_on() {
    // The check holds still while somebody has the lock.
    let check = "CREATE FUNCTION holds(n integer) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(7); RETURN n > 0; END $$;";
    let new = format!(
        "{check} CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL, CONSTRAINT positive CHECK (holds(n)));"
    );
    let mut project = Project::new(&[], &format!("{check}{ITEMS}"), &new, "");
    project.run(&["apply", "plan.toml", "--yes", "--through", "expand"]);
    let _holder = project.holding("SELECT pg_advisory_lock(7)");
    let mut child = project.start(&["resume", "--no-preflight"]);
    project.until(
        "count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = 'advisory' AND NOT l.granted AND a.query ~ 'VALIDATE'",
        &mut child,
    );
    let said = project.crash(child);
    assert!(said.contains("`tenantry resume` goes on from here"), "{said}");
    assert_eq!(project.text("SELECT convalidated::text FROM pg_constraint WHERE conname = 'positive'"), "false");
    project.goes_on();
}

#[test]
fn a_copy_to_partitions_goes_on() {
    let new = "CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL) PARTITION BY HASH (id);
        CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE items_1 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 1);";
    let mut project = Project::new(&LAZY, ITEMS, new, "");
    let mut child = project.start(&["apply", "plan.toml", "--yes", "--rows-per-second", "8000"]);
    project.until("coalesce(sum(rows), 0) > 5000 FROM tenantry.backfill", &mut child);
    // What somebody writes and waits for is not lost, nor is what was done to the copy by it.
    project.execute("UPDATE items SET n = -n WHERE id IN (1, 29000); DELETE FROM items WHERE id = 2");
    project.crash(child);
    project.execute("UPDATE items SET n = -n WHERE id = 3; INSERT INTO items VALUES (30001, 30001)");
    project.goes_on();
    let rows =
        "SELECT concat_ws(' ', count(*), sum(n) FILTER (WHERE id IN (1, 3, 29000)), count(*) FILTER (WHERE n = id))
        FROM items";
    assert_eq!(project.text(rows), "30000 -29004 29997");
}

/// A plan with every sort of step: in a transaction, outside of any, in parts, and one that loses something at the end.
fn every_sort() -> Project {
    let old = format!(
        "{ITEMS} ALTER TABLE items ADD note text;
        CREATE TABLE events (id bigint PRIMARY KEY, n integer, note text);
        INSERT INTO events SELECT i, i FROM generate_series(1, 20000) i; ANALYZE events;"
    );
    let new = "CREATE TABLE items (id bigint PRIMARY KEY, n integer NOT NULL, twice integer NOT NULL,
            CONSTRAINT positive CHECK (n > 0));
        CREATE INDEX items_n ON items (n);
        CREATE TABLE tags (id bigint PRIMARY KEY, item bigint REFERENCES items);
        CREATE TABLE events (id bigint PRIMARY KEY, n integer, note text) PARTITION BY HASH (id);
        CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);";
    let project = Project::new(&LAZY, &old, new, FILL);
    project.server.execute(&["CREATE DATABASE template_of_all TEMPLATE postgres"]);
    project
}

/// Whether all rows are there, as the plan leaves them.
const WHOLE: &str = "SELECT ((SELECT count(*) = 30000 AND bool_and(twice = n * 2) FROM items)
    AND (SELECT count(*) = 20000 AND bool_and(n = id) FROM events))::text";

/// Applies the plan and crashes the server at the first event of a sort. Whether there was one.
fn crash_at(project: &mut Project, mut is_it: impl FnMut(&Event<'_>) -> bool + Send) -> bool {
    let target = project.target();
    let plan = tenantry::files::plan(&project.dir.path().join("plan.toml")).unwrap();
    let mut crashed = false;
    let server = &mut project.server;
    let mut tell = |event: Event<'_>| {
        if !crashed && is_it(&event) {
            server.crash();
            crashed = true;
        }
    };
    let result = runtime().block_on(async {
        let Ok(Prepared::Ready(ready)) = apply::prepare(&target, &plan, &["all".into()]).await else {
            panic!("not ready")
        };
        let (_stop, stopping) = watch::channel(false);
        let pace = Pace { pauses: vec![], ..Pace::default() };
        ready.run(Stage::Contract, &pace, stopping, &mut tell).await
    });
    assert_eq!(result.is_err(), crashed, "{result:?}");
    if crashed {
        project.server.go();
    }
    crashed
}

/// Crashes the server once a column is dropped, and nobody wrote down that the run ended. Whether the step is done, as
/// the journal and the catalogs have it.
fn crash_after_a_drop(project: &mut Project, flushed: bool) -> (bool, bool) {
    let url = project.server.target("postgres");
    let dropped = move |event: &Event<'_>| {
        let is_it = matches!(event, Event::Done(step, _) if step.sql.contains("DROP COLUMN"));
        if is_it && flushed {
            // What somebody else waits for comes after it in the log.
            let url = url.clone();
            let flush = move || {
                let switch =
                    async { url.connect().await.unwrap().client.execute("SELECT pg_switch_wal()", &[]).await };
                runtime().block_on(switch).unwrap();
            };
            std::thread::spawn(flush).join().unwrap();
        }
        is_it
    };
    assert!(crash_at(project, dropped));
    assert_eq!(project.text("SELECT status FROM tenantry.run"), "running");
    let status = project.text("SELECT status FROM tenantry.step WHERE sql ~ 'DROP COLUMN'");
    let column = "SELECT count(*)::text FROM pg_attribute
        WHERE attrelid = 'items'::regclass AND attname = 'note' AND NOT attisdropped";
    (status == "done", project.text(column) == "0")
}

#[test]
fn what_was_committed_last_is_not_done_again() {
    let mut project = every_sort();
    assert_eq!(crash_after_a_drop(&mut project, true), (true, true));
    project.goes_on();
    assert_eq!(project.text(WHOLE), "true");
}

#[test]
fn what_is_lost_is_lost_with_its_line_of_the_journal() {
    let mut project = every_sort();
    let (told, done) = crash_after_a_drop(&mut project, false);
    assert_eq!(told, done);
    project.goes_on();
    assert_eq!(project.text(WHOLE), "true");
}

fn is_long() -> bool {
    std::env::var_os("TENANTRY_TEST_LONG").is_some()
}

#[test]
fn a_run_goes_on_from_any_event() {
    let mut project = every_sort();
    let places: Vec<usize> = if is_long() { (0..500).collect() } else { vec![5, 17] };
    for at in places {
        project.copied(&format!("at_{at}"));
        let mut count = 0;
        let crashed = crash_at(&mut project, |_| {
            count += 1;
            count == at + 1
        });
        if project.command(&["drift"]).status().unwrap().success() {
            assert!(!crashed || is_long(), "{at}");
        } else {
            project.goes_on();
        }
        assert_eq!(project.text(WHOLE), "true", "{at}");
        if !crashed {
            break;
        }
    }
}

/// Keys and indexes of several partitions: what takes them back commits statement by statement.
const PARTITIONED: &str = "CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, n integer NOT NULL,
        CONSTRAINT events_key PRIMARY KEY (id, day), CONSTRAINT events_n UNIQUE (n, day)) PARTITION BY RANGE (day);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE INDEX events_by_n ON events (n);
    CREATE TABLE items (id bigint NOT NULL, n integer, CONSTRAINT items_key UNIQUE (id));
    CREATE INDEX items_n ON items (n);";

/// Takes all back, and is gone once it has waited for the server so often. Whether it was not through before.
fn cut_off_on_the_way_back(project: &Project, waits: usize) -> bool {
    let target = project.target();
    let cut = runtime().block_on(async {
        let back = apply::rollback(&target, None).await.unwrap().expect("the plan is done");
        let (_stop, stopping) = watch::channel(false);
        let pace = Pace { pauses: vec![], ..Pace::default() };
        let mut tell = |_: Event<'_>| ();
        let mut run = Box::pin(back.run(&pace, stopping, &mut tell));
        let mut waited = 0;
        std::future::poll_fn(|context| {
            if waited == waits {
                return Poll::Ready(true);
            }
            waited += 1;
            run.as_mut().poll(context).map(|ended| ended.map(|_| false).unwrap())
        })
        .await
    });
    // What it had begun comes to its end.
    let others = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while project.text(others) != "0" {
        std::thread::sleep(Duration::from_millis(5));
    }
    cut
}

#[test]
fn a_way_back_goes_on_or_forward_again_from_any_moment() {
    let rows = "INSERT INTO events SELECT i, date '2025-12-01' + i % 60, i FROM generate_series(1, 1000) i;
        INSERT INTO items SELECT i, i FROM generate_series(1, 1000) i; ANALYZE;";
    let new = PARTITIONED
        .replace("(id, day)", "(day, id)")
        .replace("(n, day)", "(n, id, day)")
        .replace("events (n)", "events (n, id)")
        .replace(
            "n integer, CONSTRAINT items_key UNIQUE (id)",
            "n integer NOT NULL, CONSTRAINT items_key UNIQUE (id, n)",
        )
        .replace("items (n)", "items (n DESC)");
    let mut project = Project::new(&[], &format!("{PARTITIONED}{rows}"), &new, "");
    project.run(&["apply", "plan.toml", "--yes"]);
    project.server.execute(&["CREATE DATABASE template_of_all TEMPLATE postgres"]);
    let (mut forward, mut back) = (0, 0);
    for waits in (1..).step_by(if is_long() { 1 } else { 29 }) {
        project.copied(&format!("back_{waits}"));
        let cut = cut_off_on_the_way_back(&project, waits);
        let resumed = project.command(&["resume"]).output().unwrap();
        let said = String::from_utf8_lossy(&resumed.stderr).into_owned();
        if project.text("SELECT status FROM tenantry.run") == "undone" {
            assert!(said.contains("nothing to resume"), "{waits}: {said}");
        } else if resumed.status.success() {
            forward += 1;
            project.run(&["drift"]);
            project.run(&["rollback"]);
        } else {
            back += 1;
            assert!(said.contains("is taken back in part, since its undo stopped"), "{waits}: {said}");
            project.run(&["rollback"]);
        }
        let left = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relname ~ '_tenantry'";
        assert_eq!(project.text(left), "", "{waits}");
        let keys = "SELECT string_agg(pg_get_indexdef(indexrelid), '; ' ORDER BY indexrelid::regclass::text)
            FROM pg_index WHERE indrelid::regclass::text IN ('events', 'items') AND indisvalid";
        assert_eq!(project.text(keys).matches("(n)").count(), 2, "{waits}: {}", project.text(keys));
        let name = std::mem::replace(&mut project.database, "postgres".into());
        project.server.execute(&[&format!("DROP DATABASE {name}")]);
        if !cut {
            break;
        }
    }
    assert!(forward > 1 && back > 1, "{forward} went forward, {back} back");
}

/// Somebody who writes all the while, and again after each crash; gives what was written and acknowledged.
fn writing(target: Target, stop: &AtomicBool) -> BTreeMap<i64, String> {
    let mut rows = BTreeMap::new();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        let target = target.clone();
        let more: Vec<(i64, String)> = attend(async {
            let mut more = vec![];
            let Ok(session) = target.connect().await else { return more };
            loop {
                let (key, note) = (1 + (turn * 7919) % 20000, format!("turn {turn}"));
                let update = "UPDATE events SET note = $2 WHERE id = $1";
                match session.client.execute(update, &[&key, &note]).await {
                    Ok(changed) => assert_eq!(changed, 1, "row {key}"),
                    Err(error) => {
                        // It may have been committed all the same.
                        assert!(
                            error.as_db_error().is_none_or(|it| it.code().code().starts_with("57P")),
                            "{error:?}"
                        );
                        more.push((key, String::new()));
                        return more;
                    }
                }
                more.push((key, note));
                turn += 1;
                if stop.load(Ordering::Relaxed) {
                    return more;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        turn += 1;
        rows.extend(more);
        std::thread::sleep(Duration::from_millis(20));
    }
    rows
}

#[test]
fn a_run_goes_on_from_any_moment() {
    let seed = std::env::var("TENANTRY_TEST_SEED").map_or(u64::from(std::process::id()), |it| it.parse().unwrap());
    eprintln!("TENANTRY_TEST_SEED={seed}");
    let mut random = seed | 1;
    let mut project = every_sort();
    for round in 0..if is_long() { 20 } else { 1 } {
        project.copied(&format!("round_{round}"));
        let stop = AtomicBool::new(false);
        let target = project.target();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| writing(target, &stop));
            let mut crashes = 0;
            loop {
                let known = project.text("SELECT 'known' FROM tenantry.run");
                let command: &[&str] =
                    if known.is_empty() { &["apply", "plan.toml", "--yes"] } else { &["resume"] };
                let mut child = project.start(&[command, &["--rows-per-second", "15000"]].concat());
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let moment = Duration::from_millis(random % 2500);
                let begun = Instant::now();
                while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                if child.try_wait().unwrap().is_some() || crashes == 6 {
                    let output = child.wait_with_output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    break;
                }
                project.crash(child);
                crashes += 1;
            }
            stop.store(true, Ordering::Relaxed);
            let rows = writer.join().unwrap();
            project.run(&["drift"]);
            assert_eq!(project.text(WHOLE), "true");
            let notes = project.text("SELECT json_object_agg(id, note)::text FROM events WHERE note IS NOT NULL");
            let notes: BTreeMap<i64, String> = serde_json::from_str(&notes).unwrap();
            for (key, note) in rows.iter().filter(|(_, note)| !note.is_empty()) {
                assert_eq!(notes.get(key), Some(note), "row {key}");
            }
            eprintln!("round {round}: {crashes} crashes, {} rows written meanwhile", rows.len());
        });
    }
}
