//! The way back on the example: from every stage of its plans, taken back in one go, a live server has the schema and the
//! rows that it had, and the legacy client works on.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tenantry::connect::Session;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

const TABLES: [&str; 9] = [
    "contacts",
    "messages",
    "orders",
    "campaigns",
    "campaign_subscribers",
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "checkpoint_migrations",
];

const ROWS: &str = "
    INSERT INTO contacts (phone_number, name, thread_id)
    SELECT '+1' || g, 'Contact ' || g, 'thread-' || g FROM generate_series(1, 300) g;
    INSERT INTO messages (message_id, contact_id, direction, message_type, content_text, status, sent_at, metadata)
    SELECT 'wamid.' || g, 1 + g % 300, CASE g % 2 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, 'text', 'Hello ' || g,
           'sent', timestamptz '2026-11-01' - g * interval '1 minute', '{}' FROM generate_series(1, 900) g;
    INSERT INTO orders (contact_id, message_id, order_details)
    SELECT 1 + g % 300, g, '{\"items\": []}' FROM generate_series(1, 100) g;
    INSERT INTO campaigns (name, type, message_template)
    SELECT 'Campaign ' || g, 'broadcast', 'Hi' FROM generate_series(1, 3) g;
    INSERT INTO campaign_subscribers (campaign_id, contact_id)
    SELECT 1 + g % 3, g FROM generate_series(1, 100) g;
    INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
    SELECT 'thread-' || g, 'c' || g, '{}' FROM generate_series(1, 20) g;
    ANALYZE";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tenantry(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(root()).args(arguments).env_remove("DATABASE_URL");
    for variable in ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT", "PGPASSWORD"] {
        command.env_remove(variable);
    }
    command.output().expect("the program runs")
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The committed plans, in their order.
fn plans() -> Vec<PathBuf> {
    let mut plans: Vec<PathBuf> = fs::read_dir(root().join("plans"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "toml"))
        .collect();
    plans.sort_by_key(|it| {
        let name = it.file_name().unwrap().to_string_lossy().into_owned();
        name.split('-').next().and_then(|it| it.parse::<u32>().ok())
    });
    plans
}

/// The database as `pg_dump` has it, less the journal, in an order that does not depend on when what was made.
fn dump(shadow: &Shadow, database: &ShadowDatabase) -> Vec<String> {
    let output = Command::new(support::program("pg_dump"))
        .args(["--schema-only", "--no-comments", "--exclude-schema=tenantry", "--host"])
        .arg(shadow.directory().unwrap())
        .args(["--username", "postgres", &database.name.0])
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

async fn digests(session: &Session) -> Vec<(String, String)> {
    let mut digests = vec![];
    for table in TABLES {
        let sql = format!(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, E'\\n' ORDER BY r::text)), '') FROM {table} r"
        );
        digests.push((table.to_owned(), session.client.query_one(&sql, &[]).await.unwrap().get(0)));
    }
    digests
}

/// The seven operations of the legacy client, as it sends them.
async fn client(session: &Session, when: &str) {
    let sql = fs::read_to_string(root().join("tests/legacy_client.sql")).unwrap();
    // A month that the first partition of messages holds, whenever the test runs.
    let sql = sql.replace("now()", "timestamptz '2026-12-01'");
    session.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("the legacy client {when}: {error:?}"));
}

#[tokio::test]
async fn every_stage_leads_back_to_the_schema_and_the_rows_from_before() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    let legacy = fs::read_to_string(root().join("schema/legacy.sql")).unwrap();
    for stage in ["expand", "backfill", "validate", "contract"] {
        let database = shadow.create_database(stage).await.unwrap();
        let session = database.connect().await.unwrap();
        session.client.batch_execute(&legacy).await.unwrap();
        session.client.batch_execute(ROWS).await.unwrap();
        client(&session, "before").await;
        let url = format!(
            "host={} port=5432 user=postgres dbname={}",
            shadow.directory().unwrap().display(),
            database.name
        );
        // Each plan starts where the one before it ends; the last one is taken back from within.
        let plans = plans();
        let (last, first) = plans.split_last().expect("the example has plans");
        for plan in first {
            let applied = tenantry(&["apply", &plan.display().to_string(), "--database", &url, "--yes"]);
            assert!(applied.status.success(), "{}: {}", plan.display(), told(&applied));
        }
        let (before, schema) = (digests(&session).await, dump(&shadow, &database));
        let last = last.display().to_string();
        let applied = tenantry(&["apply", &last, "--database", &url, "--yes", "--through", stage]);
        assert!(applied.status.success(), "through {stage}: {}", told(&applied));
        let back = tenantry(&["rollback", "--database", &url, "--yes"]);
        assert!(back.status.success(), "from {stage}: {}", told(&back));
        assert_eq!(digests(&session).await, before, "rows are not what they were, from {stage}");
        let again = dump(&shadow, &database);
        let gone: Vec<&String> = schema.iter().filter(|it| !again.contains(it)).collect();
        let new: Vec<&String> = again.iter().filter(|it| !schema.contains(it)).collect();
        assert!(gone.is_empty() && new.is_empty(), "from {stage}: gone {gone:#?}, new {new:#?}");
        client(&session, &format!("after the way back from {stage}")).await;
        drop(session);
        shadow.drop_database(database).await.unwrap();
    }
}
