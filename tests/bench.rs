//! `tenantry bench` on a small database of many tenants, filled as the large one is; and what it says of queries that
//! are slow, fail, or can't be run.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tenantry::shadow::{Shadow, ShadowSpec};

#[path = "../benches/tenants/many.rs"]
mod many;

use many::{Settings, Size};

#[tokio::test]
async fn every_declared_query_of_the_example_runs_as_a_tenant_within_its_budget() {
    let server = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    let database = server.create_database("tenants").await.unwrap();
    let settings = Settings {
        program: PathBuf::from(env!("CARGO_BIN_EXE_tenantry")),
        database: many::address(&server, &database),
        target: database.target.clone(),
        size: Size { tenants: 20, contacts: 400, messages: 4000 },
    };
    many::fill(&settings, |_| ()).await.unwrap();
    let session = database.connect().await.unwrap();
    let counts = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM usage_events),
                                 (SELECT count(DISTINCT user_id) FROM messages)";
    let before = session.client.query_one(counts, &[]).await.unwrap();
    let arguments = ["--runs", "5", "--connections", "3", "--tenants", "10", "--writes", "--format", "json"];
    let (json, _) = many::measure(&settings, &arguments.map(str::to_owned)).unwrap();
    let figures: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(figures["tenants"], 10, "{json}");
    let queries = figures["queries"].as_array().unwrap();
    assert!(queries.len() > 25, "{json}");
    for query in queries {
        assert_eq!(query["errors"], serde_json::json!({}), "{query}");
        assert_eq!(query["left_out"], Value::Null, "{query}");
        assert_eq!(query["runs"], 15, "{query}");
        // A busy machine takes its time; that a budget can be missed is shown below.
        assert!(query["p50_ms"].as_f64().unwrap() < 100.0, "{query}");
    }
    let after = session.client.query_one(counts, &[]).await.unwrap();
    for column in 0..3 {
        assert_eq!(before.get::<_, i64>(column), after.get::<_, i64>(column), "what is measured is rolled back");
    }
    assert_eq!(before.get::<_, i64>(2), 20, "every tenant has messages");
    let (text, _) = many::measure(&settings, &["--runs".into(), "1".into()]).unwrap();
    assert!(text.contains("it writes; --writes runs it"), "{text}");
}

#[tokio::test]
async fn what_is_slow_fails_or_cannot_run_is_told_and_ends_with_3() {
    let server = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    let database = server.create_database("small").await.unwrap();
    let session = database.connect().await.unwrap();
    let schema = "
        CREATE ROLE bench_app;
        CREATE TABLE shops (id integer PRIMARY KEY);
        CREATE TABLE orders (shop_id integer NOT NULL REFERENCES shops, id integer, PRIMARY KEY (shop_id, id));
        INSERT INTO shops SELECT generate_series(1, 5);
        INSERT INTO orders SELECT 1 + n % 5, n FROM generate_series(1, 100) n;
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON orders USING (shop_id = (SELECT current_setting('app.shop')::integer));
        GRANT SELECT ON orders TO bench_app;
        ANALYZE";
    session.client.batch_execute(schema).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = "[queries]\npaths = [\"q.toml\"]\n[tenancy]\ntenant = \"shops\"\nkey = \"shop_id\"\n\
                  current = \"current_setting('app.shop')::integer\"\nscoped = [\"orders\"]\n";
    let queries = r#"
[[query]]
name = "own orders"
sql = "SELECT 1 / (count(*) - 20 + 1) FROM orders"
budget_ms = 1000
[[query]]
name = "slow"
sql = "SELECT pg_sleep($1), count(*) FROM orders"
parameters = [0.03]
budget_ms = 10
[[query]]
name = "broken"
sql = "SELECT 1 / $1 FROM orders"
parameters = "SELECT 0"
budget_ms = 10
[[query]]
name = "nothing to pick"
sql = "SELECT id FROM orders WHERE id = $1"
parameters = "SELECT id FROM orders WHERE id < 0"
budget_ms = 10
[[query]]
name = "not allowed"
sql = "SELECT count(*) FROM shops"
budget_ms = 10
"#;
    fs::write(dir.path().join("tenantry.toml"), config).unwrap();
    fs::write(dir.path().join("q.toml"), queries).unwrap();
    let url = many::address(&server, &database);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(dir.path()).args(["bench", "--database", &url, "--runs", "3"]).args(arguments);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    };
    let (code, _, err) = run(&[]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("row security does not hold for postgres"), "{err}");
    let (code, out, err) = run(&["--role", "bench_app"]);
    assert_eq!(code, 3, "{out}{err}");
    let line = |name: &str| out.lines().find(|it| it.starts_with(name)).unwrap_or_else(|| panic!("{name}: {out}"));
    assert!(line("own orders").ends_with("within"), "each tenant sees its twenty orders: {out}");
    assert!(line("slow").ends_with("MISSED"), "{out}");
    assert!(line("broken").ends_with("not run: division by zero"), "{out}");
    assert!(line("nothing to pick").contains("no tenant has rows that its parameters are picked from"), "{out}");
    assert!(line("not allowed").contains("permission denied for table shops"), "{out}");
    assert!(err.contains("not within budget: slow, broken, nothing to pick, not allowed"), "{err}");
    for never in ["nan", "inf", "0", "-1"] {
        let (code, _, err) = run(&[&format!("--seconds={never}")]);
        assert!(code == 2 && err.contains("it is a number of seconds above 0"), "{err}");
    }

    let (code, out, err) = run(&["--role", "bench_app", "own orders", "--format", "markdown"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("| own orders | 12 |"), "{out}");
    let (code, _, err) = run(&["own order"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("did you mean \"own orders\"?"), "{err}");
}

#[tokio::test]
async fn each_query_runs_as_the_tenants_of_its_own_tenancy() {
    let server = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    let database = server.create_database("two").await.unwrap();
    let session = database.connect().await.unwrap();
    let schema = "
        CREATE ROLE bench_both;
        CREATE SCHEMA shop;
        CREATE SCHEMA clinic;
        CREATE TABLE shop.shops (id integer PRIMARY KEY);
        CREATE TABLE shop.orders (shop_id integer REFERENCES shop.shops, id integer, PRIMARY KEY (shop_id, id));
        CREATE TABLE clinic.clinics (id integer PRIMARY KEY);
        CREATE TABLE clinic.visits (clinic_id integer REFERENCES clinic.clinics, id integer, PRIMARY KEY (clinic_id, id));
        INSERT INTO shop.shops SELECT generate_series(1, 4);
        INSERT INTO shop.orders SELECT 1 + n % 4, n FROM generate_series(1, 40) n;
        INSERT INTO clinic.clinics SELECT generate_series(101, 102);
        INSERT INTO clinic.visits SELECT 101 + n % 2, n FROM generate_series(1, 40) n;
        ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.orders USING (shop_id = (SELECT current_setting('app.shop')::integer));
        ALTER TABLE clinic.visits ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON clinic.visits USING (clinic_id = (SELECT current_setting('app.clinic')::integer));
        GRANT USAGE ON SCHEMA shop, clinic TO bench_both;
        GRANT SELECT ON ALL TABLES IN SCHEMA shop, clinic TO bench_both;
        ANALYZE";
    session.client.batch_execute(schema).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = "[queries]\npaths = [\"q.toml\"]\n[tenancy.shop]\nnamespaces = [\"shop\"]\ntenant = \"shop.shops\"\n\
                  key = \"shop_id\"\ncurrent = \"current_setting('app.shop')::integer\"\nscoped = [\"shop.orders\"]\n\
                  [tenancy.clinic]\nnamespaces = [\"clinic\"]\ntenant = \"clinic.clinics\"\nkey = \"clinic_id\"\n\
                  current = \"current_setting('app.clinic')::integer\"\nscoped = [\"clinic.visits\"]\n";
    // Whoever acts as the wrong tenant sees no row, or has no setting.
    let queries = r#"
[[query]]
name = "orders"
sql = "SELECT 1 / (count(*) / 10) FROM shop.orders"
budget_ms = 1000
[[query]]
name = "visits"
sql = "SELECT 1 / (count(*) / 20) FROM clinic.visits"
budget_ms = 1000
[[query]]
name = "one clinic"
sql = "SELECT 1 / (count(*) / 20) FROM clinic.visits WHERE clinic_id = 102"
tenant = "102"
budget_ms = 1000
"#;
    fs::write(dir.path().join("tenantry.toml"), config).unwrap();
    fs::write(dir.path().join("q.toml"), queries).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(dir.path()).args(["bench", "--database", &many::address(&server, &database)]);
    let output = command.args(["--runs", "3", "--role", "bench_both", "--format", "json"]).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let measured: Value = serde_json::from_str(&out).unwrap();
    let tenants: Vec<u64> =
        measured["queries"].as_array().unwrap().iter().map(|it| it["tenants"].as_u64().unwrap()).collect();
    assert_eq!(tenants, [4, 2, 1], "{out}");
}
