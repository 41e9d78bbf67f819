//! Rows that are changed in parts.

use std::time::Duration;

use tenantry::apply::{self, ApplyError, Prepared};
use tenantry::plan::Stage;
use tokio::sync::watch;

use crate::case::*;

/// A table worth going through in parts, whose required column gets its values by an expression.
pub struct Fill {
    pub case: Case,
}

impl Fill {
    pub const NEW: &str = "CREATE TABLE items (id bigint PRIMARY KEY, n integer, twice integer NOT NULL)";

    pub async fn new(database: &str, rows: u32) -> Fill {
        let old = format!(
            "CREATE TABLE items (id bigint PRIMARY KEY, n integer);
             INSERT INTO items SELECT i, i FROM generate_series(1, {rows}) i"
        );
        Fill { case: Case::filling(database, &old, Fill::NEW, "items", "twice", "n * 2").await }
    }

    pub async fn is_filled(&self) -> bool {
        self.case.ask("SELECT bool_and(twice = n * 2) FROM items").await
    }

    pub async fn positions(&self) -> i64 {
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
async fn rows_that_come_behind_the_last_one_are_not_gone_after() {
    let fill = Fill::new("behind", 12_000).await;
    let writer = fill.case.connect().await;
    let mut child = fill.case.start_with(&["--rows-per-second", "6000"]);
    fill.case.until("SELECT count(*) > 0 FROM tenantry.backfill").await;
    let (mut next, more) = (12_001, 500);
    while child.try_wait().unwrap().is_none() {
        let rows = format!("generate_series({next}, {})", next + more - 1);
        if writer
            .client
            .batch_execute(&format!("INSERT INTO items (id, n) SELECT i, i FROM {rows} i"))
            .await
            .is_err()
        {
            break;
        }
        next += more;
    }
    ended(child).ended(0, &["the database is as the plan wants it"]);
    assert!(next > 12_001 && fill.is_filled().await, "{next}");
    assert!(fill.case.ask("SELECT position = '{\"key\":[\"12000\"]}' FROM tenantry.backfill").await);
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
