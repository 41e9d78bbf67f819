//! The whole way on the example: a live server with the legacy database and rows in it, planned, applied, and planned
//! again; the legacy client before, during and after; the committed plan; the plan in the README.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

use std::fs;
use std::process::Command;

use tenantry::connect::Session;

#[path = "support/example.rs"]
mod support;

use support::{client, columns, digests, legacy, plans, root, server, tenantry, told, url};

async fn count(session: &Session, sql: &str) -> i64 {
    session.client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_legacy_database_gets_to_the_declared_schema_and_loses_nothing() {
    let server = server().await;
    let (database, session) = legacy(&server, "live", 5).await;
    let columns = columns(&session).await;
    let before = digests(&session, &columns).await;
    let url = url(&server, &database);
    let scratch = tempfile::tempdir().unwrap();
    let plan = |name: &str| scratch.path().join(name).display().to_string();

    // The first half of the way; old code still runs.
    let first = plan("first.toml");
    let made = tenantry(&["plan", "--database", &url, "--out", &first]);
    assert!(made.status.success(), "{}", told(&made));
    let applied = tenantry(&["apply", &first, "--database", &url, "--yes", "--through", "expand"]);
    assert!(applied.status.success(), "{}", told(&applied));
    assert_eq!(digests(&session, &columns).await, before, "rows changed in the expand stage");
    client(&session, "between").await;
    let between = digests(&session, &columns).await;

    // The rest is planned from where the database is now.
    let second = plan("second.toml");
    let made = tenantry(&["plan", "--database", &url, "--out", &second]);
    assert!(made.status.success(), "{}", told(&made));
    let applied = tenantry(&["apply", &second, "--database", &url, "--yes"]);
    assert!(applied.status.success(), "{}", told(&applied));
    assert_eq!(digests(&session, &columns).await, between, "rows changed after the expand stage");
    for (table, _) in columns.iter().filter(|(table, _)| !table.starts_with("checkpoint")) {
        let foreign = count(&session, &format!("SELECT count(*) FROM {table} WHERE user_id <> 1")).await;
        assert_eq!(foreign, 0, "{table} has rows that are not the admin tenant's");
    }
    client(&session, "in the end").await;

    // The same client with a login of its own, beside a tenant that has one of its numbers.
    session
        .client
        .batch_execute(
            "INSERT INTO users (id, email) VALUES (2, 'two@example.com');
             INSERT INTO chatbots (id, user_id, name) VALUES (2, 2, 'Theirs');
             INSERT INTO contacts (user_id, chatbot_id, phone_number, name) VALUES (2, 2, '+15550100', 'Theirs');
             GRANT SELECT, INSERT, UPDATE, DELETE
                ON checkpoints, checkpoint_blobs, checkpoint_writes, checkpoint_migrations TO legacy_client",
        )
        .await
        .unwrap();
    let own = database.connect_as("legacy_client").await.unwrap();
    client(&own, "with a login of its own").await;
    assert_eq!(count(&own, "SELECT count(*) FROM contacts WHERE phone_number = '+15550100'").await, 1);
    assert_eq!(count(&session, "SELECT count(*) FROM contacts WHERE phone_number = '+15550100'").await, 2);
    for table in ["contacts", "messages", "orders", "campaigns", "campaign_subscribers", "users"] {
        let key = if table == "users" { "id" } else { "user_id" };
        let foreign = format!("SELECT count(*) FROM {table} WHERE {key} <> 1");
        assert_eq!(count(&own, &foreign).await, 0, "the legacy client sees others' {table}");
    }
    let theft = "WITH taken AS (UPDATE contacts SET name = 'Taken' WHERE user_id = 2 RETURNING 1) SELECT count(*) FROM taken";
    assert_eq!(count(&own, theft).await, 0);
    let foisted = "INSERT INTO contacts (user_id, phone_number) VALUES (2, '+1')";
    let refused = own.client.batch_execute(foisted).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("row-level security"), "{refused:?}");

    let again = tenantry(&["plan", "--database", &url, "--exit-code"]);
    assert!(again.status.success(), "the second plan is not empty: {}", told(&again));
    let drift = tenantry(&["drift", "--database", &url]);
    assert!(drift.status.success(), "{}", told(&drift));

    // Months come and go without the declaration.
    let made = count(&session, "SELECT app.add_message_partitions(24)::bigint").await;
    assert!(made > 0, "{made} partitions were made");
    client(&own, "with more months").await;
    session.client.batch_execute("DROP TABLE messages_2027_02").await.unwrap();
    let again = tenantry(&["plan", "--database", &url, "--exit-code"]);
    assert!(again.status.success(), "partitions of the application's are planned for: {}", told(&again));
    let retired = count(&session, "SELECT app.retire_messages('-1 year')::bigint").await;
    assert!(retired > 0, "no partition was retired");
}

#[tokio::test]
async fn init_writes_a_declaration_of_which_the_plan_is_empty() {
    let server = server().await;
    let database = server.create_database("live").await.unwrap();
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
        command.current_dir(scratch.path()).args(arguments).env("DATABASE_URL", url(&server, &database));
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

#[tokio::test]
async fn init_of_an_empty_database_leaves_what_can_be_planned() {
    let server = server().await;
    let database = server.create_database("empty").await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let run = |directory: &str, arguments: &[&str]| {
        let directory = scratch.path().join(directory);
        fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(directory).args(arguments).env("DATABASE_URL", url(&server, &database));
        command.output().unwrap()
    };
    let begun = run("all", &["init"]);
    assert!(told(&begun).contains("the database is empty: declare"), "{}", told(&begun));
    let planned = run("all", &["plan", "--exit-code"]);
    assert!(planned.status.success(), "{}", told(&planned));
    let elsewhere = run("one", &["init", "--namespace", "app"]);
    assert!(
        told(&elsewhere).contains("nothing is there to manage: declare in schema/*.sql"),
        "{}",
        told(&elsewhere)
    );
}

#[test]
fn the_committed_plans_are_what_would_be_planned_now() {
    for plan in plans() {
        let checked = tenantry(&["plan", "--check", &plan]);
        assert!(checked.status.success(), "remove plans/*.toml and run `make plan`: {}", told(&checked));
    }
}

#[test]
fn the_plan_in_the_readme_is_what_the_tool_prints() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut blocks = 0;
    for block in readme.split("<!-- from: tenantry show ").skip(1) {
        let (plan, block) = block.split_once(" -->\n```text\n").expect("a plan is shown in a block of text");
        let shown = String::from_utf8(tenantry(&["show", plan]).stdout).unwrap();
        let block = block.split("```").next().unwrap();
        assert!(shown.contains(block), "not in the output of `tenantry show {plan}`:\n{block}");
        blocks += 1;
    }
    assert!(blocks > 0, "the README shows no plan");
}

#[test]
fn the_map_has_every_module_and_no_other() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> = map.split('`').skip(1).step_by(2).filter(|it| it.starts_with("src/")).collect();
    for path in &named {
        assert!(path.contains('*') || root().join(path).exists(), "{path} is on the map, and not there");
    }
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = format!("src/{}", entry.unwrap().file_name().into_string().unwrap());
        let is_module = path.ends_with(".rs") && !matches!(path.as_str(), "src/lib.rs" | "src/main.rs");
        assert!(!is_module || named.contains(&path.as_str()), "{path} is not on the map");
    }
}

#[test]
fn the_declaration_is_shown_as_sql() {
    let shown = tenantry(&["show", "schema"]);
    assert!(shown.status.success(), "{}", told(&shown));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("CREATE TABLE") && shown.contains("schema/contacts.sql"), "{shown}");
}
