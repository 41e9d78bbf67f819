//! The load harness in its short form: the example's plan under load, and that the harness notices who is kept waiting.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read the clock")]

use std::path::PathBuf;
use std::time::Duration;

use tenantry::shadow::{Shadow, ShadowSpec};

#[path = "../benches/load/measure.rs"]
#[allow(dead_code, reason = "a benchmark uses the rest")]
mod measure;

use measure::{Measured, Settings, Subject};

async fn measured(subject: Subject, bystander: Option<Duration>) -> Measured {
    let server = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    let database = server.create_database("load").await.unwrap();
    let settings = Settings {
        program: PathBuf::from(env!("CARGO_BIN_EXE_tenantry")),
        database: measure::address(&server, &database),
        target: database.target.clone(),
        messages: 1000,
        rate: 60.0,
        connections: 4,
        quiet: Duration::from_secs(1),
        bystander,
        subject,
    };
    measure::measure(&settings).await.unwrap()
}

#[tokio::test]
async fn no_statement_of_the_legacy_client_fails_while_the_example_is_applied() {
    let measured = measured(Subject::Planned, None).await;
    let report = measured.markdown();
    assert_eq!(measured.failed, None, "{report}");
    assert_eq!(measured.errors().count(), 0, "{report}");
    assert!(measured.statements.len() > 100, "{report}");
    assert!(measured.steps.len() > 50, "{report}");
    assert!(measured.locks.iter().any(|it| it.granted), "{report}");
    assert!(report.contains("| failed | 0 | 0 | 0 |"), "{report}");
    assert!(measured.changed().is_empty() && report.contains("rows from before are what they were"), "{report}");
}

#[tokio::test]
async fn behind_a_transaction_that_stays_open_the_client_waits_no_longer_than_one_try() {
    let measured = measured(Subject::Planned, Some(Duration::from_secs(3))).await;
    let report = measured.markdown();
    assert_eq!(measured.failed, None, "{report}");
    assert_eq!(measured.errors().count(), 0, "{report}");
    assert!(measured.locks.iter().any(|it| !it.granted), "nothing was in the way: {report}");
    // A try is 200 ms; the rest is what a busy machine adds.
    let longest = measured.statements.iter().map(|it| it.took).max();
    assert!(longest < Some(Duration::from_secs(1)), "{report}");
}

#[tokio::test]
async fn a_script_that_keeps_the_client_waiting_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("rude.sql");
    let rude = "BEGIN; LOCK messages; SELECT pg_sleep(0.6); COMMIT; ALTER TABLE orders RENAME status TO state;
                UPDATE contacts SET name = upper(name) WHERE id = 1";
    std::fs::write(&script, rude).unwrap();
    let measured = measured(Subject::Script(script), None).await;
    let report = measured.markdown();
    assert_eq!(measured.failed, None, "{report}");
    let longest = measured.statements.iter().map(|it| it.took).max();
    assert!(longest > Some(Duration::from_millis(500)), "{report}");
    assert!(!report.contains("| waits above 250 ms | 0 | 0 | 0 |"), "{report}");
    assert!(measured.errors().all(|it| &*it.operation == "order"), "{report}");
    assert!(measured.errors().count() > 0, "{report}");
    assert_eq!(measured.changed(), ["contacts"], "{report}");
    let held = measured.locks.iter().find(|it| it.granted && it.table == "messages").expect("its lock was seen");
    assert!(held.longest > Duration::from_millis(500), "{report}");
    let waited = measured.waits.iter().find(|it| it.what == "Lock: relation");
    assert!(waited.is_some_and(|it| it.longest > Duration::from_millis(250)), "{report}");
}
