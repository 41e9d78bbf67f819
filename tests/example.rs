//! The whole way on the example: a live server with the legacy database and rows in it, planned, applied, and planned
//! again; the legacy client before, during and after; the committed plan; the plan in the README.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tenantry::connect::Session;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

const LEGACY_TABLES: [(&str, &str); 5] = [
    ("contacts", "id, phone_number, name, thread_id, created_at, updated_at"),
    (
        "messages",
        "id, message_id, contact_id, direction, message_type, content_text, content_url, status, sent_at, metadata, \
         created_at",
    ),
    ("orders", "id, contact_id, message_id, order_details, status, created_at, updated_at"),
    ("campaigns", "id, name, type, message_template, is_active, created_at"),
    ("campaign_subscribers", "id, campaign_id, contact_id, status, subscribed_at"),
];

const ROWS: &str = "
    INSERT INTO contacts (phone_number, name, thread_id)
    SELECT '+1' || g, 'Contact ' || g, 'thread-' || g FROM generate_series(1, 1500) g;
    INSERT INTO messages (message_id, contact_id, direction, message_type, content_text, status, sent_at, metadata)
    SELECT 'wamid.' || g, 1 + g % 1500, CASE g % 2 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, 'text', 'Hello ' || g,
           'sent', timestamptz '2026-11-01' - g * interval '1 minute', '{}' FROM generate_series(1, 4000) g;
    INSERT INTO orders (contact_id, message_id, order_details)
    SELECT 1 + g % 1500, g, '{\"items\": []}' FROM generate_series(1, 500) g;
    INSERT INTO campaigns (name, type, message_template)
    SELECT 'Campaign ' || g, 'broadcast', 'Hi' FROM generate_series(1, 3) g;
    INSERT INTO campaign_subscribers (campaign_id, contact_id)
    SELECT 1 + g % 3, g FROM generate_series(1, 600) g;
    INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
    SELECT 'thread-' || g, 'c' || g, '{}' FROM generate_series(1, 100) g;
    ANALYZE";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the repository, without what the surroundings say of databases.
fn tenantry(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(root()).args(arguments).env_remove("DATABASE_URL");
    for variable in ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT", "PGPASSWORD"] {
        command.env_remove(variable);
    }
    command.output().expect("the program runs")
}

/// PostgreSQL 15, as the cases have it, unless `TENANTRY_TEST_MAJOR` says otherwise.
fn major() -> u32 {
    std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"))
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn digests(session: &Session) -> BTreeMap<&'static str, String> {
    let mut digests = BTreeMap::new();
    for (table, columns) in LEGACY_TABLES {
        let sql = format!(
            "SELECT md5(string_agg(r::text, E'\\n' ORDER BY r::text)) FROM (SELECT {columns} FROM {table}) r"
        );
        digests.insert(table, session.client.query_one(&sql, &[]).await.unwrap().get(0));
    }
    digests
}

/// The seven operations of the legacy client, as it sends them; in a month that the first partition of messages holds,
/// whenever the test runs.
async fn client(session: &Session) {
    let sql = fs::read_to_string(root().join("tests/legacy_client.sql")).unwrap();
    let sql = sql.replace("now()", "timestamptz '2026-12-01'");
    session.client.batch_execute(&sql).await.expect("the legacy client works");
}

async fn count(session: &Session, sql: &str) -> i64 {
    session.client.query_one(sql, &[]).await.unwrap().get(0)
}

fn url(shadow: &Shadow, database: &ShadowDatabase) -> String {
    format!("host={} port=5432 user=postgres dbname={}", shadow.directory().unwrap().display(), database.name)
}

#[tokio::test]
async fn the_legacy_database_gets_to_the_declared_schema_and_loses_nothing() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(major())).await.unwrap();
    let database = shadow.create_database("live").await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute(&fs::read_to_string(root().join("schema/legacy.sql")).unwrap()).await.unwrap();
    session.client.batch_execute(ROWS).await.unwrap();
    client(&session).await;
    let before = digests(&session).await;
    let url = url(&shadow, &database);
    let scratch = tempfile::tempdir().unwrap();
    let plan = |name: &str| scratch.path().join(name).display().to_string();

    // The first half of the way; old code still runs.
    let first = plan("first.toml");
    let made = tenantry(&["plan", "--database", &url, "--out", &first]);
    assert!(made.status.success(), "{}", told(&made));
    let applied = tenantry(&["apply", &first, "--database", &url, "--yes", "--through", "expand"]);
    assert!(applied.status.success(), "{}", told(&applied));
    assert_eq!(digests(&session).await, before, "rows changed in the expand stage");
    client(&session).await;
    let between = digests(&session).await;
    const CHECKPOINTS: &str = "SELECT count(*) FROM checkpoints";
    let checkpoints = count(&session, CHECKPOINTS).await;

    // The rest is planned from where the database is now.
    let second = plan("second.toml");
    let made = tenantry(&["plan", "--database", &url, "--out", &second]);
    assert!(made.status.success(), "{}", told(&made));
    let applied = tenantry(&["apply", &second, "--database", &url, "--yes"]);
    assert!(applied.status.success(), "{}", told(&applied));
    assert_eq!(digests(&session).await, between, "rows changed after the expand stage");
    for (table, _) in LEGACY_TABLES {
        let foreign = count(&session, &format!("SELECT count(*) FROM {table} WHERE user_id <> 1")).await;
        assert_eq!(foreign, 0, "{table} has rows that are not the admin tenant's");
    }
    assert_eq!(count(&session, CHECKPOINTS).await, checkpoints);
    client(&session).await;

    let again = tenantry(&["plan", "--database", &url, "--exit-code"]);
    assert!(again.status.success(), "the second plan is not empty: {}", told(&again));
    let drift = tenantry(&["drift", "--database", &url]);
    assert!(drift.status.success(), "{}", told(&drift));

    // Months come and go without the declaration.
    let made = count(&session, "SELECT app.add_message_partitions(24)::bigint").await;
    assert!(made > 0, "{made} partitions were made");
    client(&session).await;
    session.client.batch_execute("DROP TABLE messages_2027_02").await.unwrap();
    let again = tenantry(&["plan", "--database", &url, "--exit-code"]);
    assert!(again.status.success(), "partitions of the application's are planned for: {}", told(&again));
    let retired = count(&session, "SELECT app.retire_messages('-1 year')::bigint").await;
    assert!(retired > 0, "no partition was retired");
}

#[tokio::test]
async fn init_writes_a_declaration_of_which_the_plan_is_empty() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(major())).await.unwrap();
    let database = shadow.create_database("live").await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute(&fs::read_to_string(root().join("schema/legacy.sql")).unwrap()).await.unwrap();
    session
        .client
        .batch_execute(
            "CREATE SCHEMA \"Odd Names\"; CREATE TABLE \"Odd Names\".\"T\" (a int); CREATE TABLE \"Odd Names\".t (a int);
             CREATE VIEW v AS SELECT name FROM contacts; GRANT SELECT ON contacts TO PUBLIC;
             COMMENT ON TABLE contacts IS 'People'; CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        )
        .await
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(scratch.path()).args(arguments).env("DATABASE_URL", url(&shadow, &database));
        command.output().unwrap()
    };
    let begun = run(&["init"]);
    assert!(begun.status.success(), "{}", told(&begun));
    assert!(scratch.path().join("schema/public/contacts.sql").exists(), "{}", told(&begun));
    let planned = run(&["plan", "--exit-code"]);
    assert!(planned.status.success(), "{}", told(&planned));
    let again = run(&["init"]);
    assert!(told(&again).contains("is there already"), "{}", told(&again));
}

#[test]
fn the_committed_plan_is_what_would_be_planned_now() {
    let checked = tenantry(&["plan", "--check", "plans/1-one-to-many.toml"]);
    assert!(
        checked.status.success(),
        "plan again with `tenantry plan --name one-to-many --out plans/1-one-to-many.toml`: {}",
        told(&checked)
    );
}

#[test]
fn the_plan_in_the_readme_is_what_the_tool_prints() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = tenantry(&["show", "plans/1-one-to-many.toml"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let mut blocks = 0;
    for block in readme.split("<!-- from: tenantry show plans/1-one-to-many.toml -->\n```text\n").skip(1) {
        let block = block.split("```").next().unwrap();
        assert!(shown.contains(block), "not in the output of `tenantry show`:\n{block}");
        blocks += 1;
    }
    assert!(blocks > 0, "the README shows no plan");
}

#[test]
fn the_declaration_is_shown_as_sql() {
    let shown = tenantry(&["show", "schema"]);
    assert!(shown.status.success(), "{}", told(&shown));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("CREATE TABLE") && shown.contains("schema/contacts.sql"), "{shown}");
}
