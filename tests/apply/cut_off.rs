//! Runs that are cut off: they go on, or back.

use tenantry::apply::{self, Prepared};
use tenantry::introspect::introspect;
use tenantry::journal::RunState;
use tenantry::plan::file::fingerprint;
use tenantry::plan::{Stage, Undo};
use tokio::sync::watch;

use crate::case::*;

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
    pub async fn copy(&self, database: &str) -> Case {
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

    pub async fn fingerprint(&self) -> String {
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
async fn rows_that_an_undo_can_not_take_are_named_before_anything_is_taken_back() {
    let of = |labels: &str| {
        format!(
            "CREATE TYPE mood AS ENUM ({labels}); CREATE TABLE people (id bigint PRIMARY KEY, mood mood NOT NULL);"
        )
    };
    let new = of("'glad', 'calm', 'sad', 'wild'") + "CREATE INDEX people_mood ON people (mood)";
    let case = Case::new("named_before", &of("'glad', 'sad'"), &new).await;
    case.apply(&[]).ended(0, &["applied"]);
    let session = case.connect().await;
    session.client.batch_execute("INSERT INTO people VALUES (1, 'glad'), (2, 'wild')").await.unwrap();
    case.tenantry(&["rollback"]).ended(1, &["rows of public.people", "mood", "id = 2", "nothing was changed"]);
    assert_eq!(case.fingerprint().await, case.plan.to.fingerprint);
    // Whoever does not ask is stopped by the one undo that takes both labels, and can go forward from there.
    case.tenantry(&["rollback", "--no-preflight"]).ended(6, &["step 1 could not be taken back", "wild"]);
    assert_eq!(case.run().await.done(), [1, 2]);
    case.tenantry(&["resume"]).ended(0, &["2 steps done", "the database is as the plan wants it"]);
    session.client.batch_execute("UPDATE people SET mood = 'sad' WHERE id = 2").await.unwrap();
    case.tenantry(&["rollback"]).ended(0, &["taken back"]);
    assert_eq!(case.fingerprint().await, case.plan.from.fingerprint);
    assert!(case.ask("SELECT count(*) = 2 FROM people").await);
}

#[tokio::test]
async fn a_transaction_is_taken_back_whole_or_not_at_all() {
    let steps = [
        (Stage::Expand, Some(1), "CREATE TABLE public.one ()"),
        (Stage::Expand, Some(2), "CREATE TABLE public.two ()"),
        (Stage::Expand, Some(2), "CREATE TABLE public.three ()"),
        (Stage::Expand, Some(3), "CREATE TABLE public.four ()"),
    ];
    let mut case = Case::new("divided", OLD, NEW).await.by(&steps);
    for (step, name) in case.plan.steps.iter_mut().zip(["one", "two", "three", "four"]) {
        step.undo = vec![Undo::inside(format!("DROP TABLE public.{name}"))];
    }
    case.plan.steps[1].undo.clear();
    case.plan.steps[1].irreversible = Some("it is here to stay".into());
    case.plan.id = case.plan.meaning();
    case.apply(&[]).ended(5, &[]);
    case.tenantry(&["rollback"]).ended(1, &["it is here to stay", "--to 3 takes back only what came after it"]);
    case.tenantry(&["rollback", "--to", "2"])
        .ended(1, &["steps 2 to 3 were one transaction", "--to 3 leaves all of it, --to 1 takes all of it back"]);
    case.tenantry(&["rollback", "--to", "3"]).ended(0, &["taken back: 1 step"]);
    assert_eq!(case.run().await.done(), [1, 2, 3]);
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
