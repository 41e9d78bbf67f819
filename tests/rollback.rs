//! The way back on the example: from every stage of its plans, taken back in one go, a live server has the schema and the
//! rows that it had, and the legacy client works on.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

use std::process::Command;

use tenantry::shadow::{Shadow, ShadowDatabase};

#[path = "support/example.rs"]
mod example;
#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use example::{client, columns, digests, legacy, plans, server, tenantry, told, url};

/// The database as `pg_dump` has it, less the journal, in an order that does not depend on when what was made.
fn dump(shadow: &Shadow, database: &ShadowDatabase) -> Vec<String> {
    let output = Command::new(support::program("pg_dump"))
        .args(["--schema-only", "--no-comments", "--exclude-schema=tenantry", "--host"])
        .arg(shadow.directory().unwrap())
        .args(["--username", "postgres", database.name.as_str()])
        .output()
        .expect("pg_dump runs");
    assert!(output.status.success(), "{}", told(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut statements: Vec<String> = text
        .split(";\n")
        .map(|it| {
            let lines = it.lines().filter(|it| !it.starts_with("--") && !it.starts_with('\\') && !it.is_empty());
            lines.collect::<Vec<_>>().join("\n")
        })
        .filter(|it| !it.is_empty())
        .collect();
    statements.sort();
    statements
}

#[tokio::test]
async fn every_stage_leads_back_to_the_schema_and_the_rows_from_before() {
    let server = server().await;
    let plans = plans();
    for stages in 1..=plans.len() {
        let (database, session) = legacy(&server, &format!("stages{stages}"), 1).await;
        let columns = columns(&session).await;
        let url = url(&server, &database);
        let (before, schema) = (digests(&session, &columns).await, dump(&server, &database));
        for plan in &plans[..stages] {
            let applied = tenantry(&["apply", plan, "--database", &url, "--yes"]);
            assert!(applied.status.success(), "{plan}: {}", told(&applied));
        }
        for plan in plans[..stages].iter().rev() {
            let back = tenantry(&["rollback", "--database", &url, "--yes"]);
            assert!(back.status.success(), "from {plan}: {}", told(&back));
            // What it writes is taken back, so that rows can be compared in the end.
            session.client.batch_execute("BEGIN").await.unwrap();
            client(&session, &format!("after the way back from {plan}")).await;
            session.client.batch_execute("ROLLBACK").await.unwrap();
        }
        assert_eq!(
            digests(&session, &columns).await,
            before,
            "rows are not what they were, {stages} stages and back"
        );
        let again = dump(&server, &database);
        let gone: Vec<&String> = schema.iter().filter(|it| !again.contains(it)).collect();
        let new: Vec<&String> = again.iter().filter(|it| !schema.contains(it)).collect();
        assert!(gone.is_empty() && new.is_empty(), "{stages} stages and back: gone {gone:#?}, new {new:#?}");
        drop(session);
        server.drop_database(database).await.unwrap();
    }
}
