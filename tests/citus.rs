//! A tenancy that is distributed by Citus: its plan distributes what is not distributed yet, in the order that Citus
//! asks for, and what Citus refuses is told before. A stand-in takes Citus's place here too.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::fs;

use tenantry::config;
use tenantry::diagnostic::{File, Look, render_all};
use tenantry::pipeline::{self, Live, Made, Request};
use tenantry::shadow::ShadowSpec;
use tenantry::tenancy::citus::STAND_IN;

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

const TENANCY: &str = "
    [tenancy]
    mode = 'expand'
    tenant = 'users'
    key = 'user_id'
    current = 'app.current_tenant()'
    default = 1
    scoped = ['*']
    global = ['plans']
    distribution = 'citus'
";

const LIVE: &str = "
    CREATE TABLE contacts (id bigint PRIMARY KEY, phone text UNIQUE NOT NULL);
    CREATE TABLE orders (id bigint PRIMARY KEY, contact_id bigint NOT NULL REFERENCES contacts (id));
    INSERT INTO contacts SELECT g, 'p' || g FROM generate_series(1, 10) g;
    INSERT INTO orders SELECT g, g FROM generate_series(1, 10) g;";

const DECLARED: &str = "
    CREATE SCHEMA app;
    CREATE FUNCTION app.current_tenant() RETURNS bigint LANGUAGE sql STABLE
        RETURN nullif(current_setting('app.tenant', true), '')::bigint;
    CREATE TABLE plans (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE users (id bigint PRIMARY KEY, plan_id bigint REFERENCES plans (id));
    CREATE TABLE contacts (id bigint PRIMARY KEY, phone text UNIQUE NOT NULL);
    CREATE TABLE orders (id bigint PRIMARY KEY, contact_id bigint NOT NULL REFERENCES contacts (id));
    CREATE TABLE visits (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');";

async fn planned(server: &support::Server, database: &str, declared: &str, toml: &str) -> Result<Made, String> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("schema.sql");
    fs::write(&path, declared).unwrap();
    let mut config = config::parse(&File::new("tenantry.toml", toml)).unwrap();
    config.schema.paths = vec![path];
    let request = Request {
        live: Live::Database(server.target(database)),
        shadow: ShadowSpec::Given(server.target("postgres")),
        config,
        name: "citus".into(),
        accept: vec!["all".into()],
        renames: true,
        split: false,
    };
    let told = |failure: pipeline::Failure| {
        let text = render_all(&failure.reports, Look { colour: false, width: 100 });
        text.replace(&scratch.path().display().to_string(), "schema")
    };
    pipeline::plan(&request).await.map_err(told)
}

#[tokio::test]
async fn what_is_not_distributed_yet_is_distributed_in_the_order_that_citus_asks_for() {
    let server = support::Server::start(&[], &[]);
    server.execute(&["CREATE DATABASE spread"]);
    let session = server.target("spread").connect().await.unwrap();
    session.client.batch_execute(LIVE).await.unwrap();
    let without = planned(&server, "spread", DECLARED, TENANCY).await.unwrap_or_else(|told| panic!("{told}"));
    let said = without.file.notes.join("\n");
    assert!(said.contains("is not known, since the extension is not there"), "{said}");
    assert!(said.contains("proved against a stand-in"), "{said}");

    session.client.batch_execute(STAND_IN).await.unwrap();
    let made = planned(&server, "spread", DECLARED, TENANCY).await.unwrap_or_else(|told| panic!("{told}"));
    let calls: Vec<&str> =
        made.file.steps.iter().map(|it| it.sql.as_str()).filter(|it| it.contains("pg_catalog.create_")).collect();
    assert_eq!(
        calls,
        [
            "SELECT pg_catalog.create_reference_table('public.plans')",
            "SELECT pg_catalog.create_distributed_table('public.users', 'id')",
            "SELECT pg_catalog.create_distributed_table('public.contacts', 'user_id', colocate_with => 'public.users')",
            "SELECT pg_catalog.create_distributed_table('public.orders', 'user_id', colocate_with => 'public.users')",
            "SELECT pg_catalog.create_distributed_table('public.visits', 'user_id', colocate_with => 'public.users')",
        ]
    );
    assert!(made.file.proof.undo_returns, "{:?}", made.file.proof.unproved);

    // The tenant that owns what was there.
    for step in &made.file.steps {
        session.client.batch_execute(&step.sql).await.unwrap_or_else(|error| panic!("{}: {error:?}", step.sql));
        if step.sql.starts_with("CREATE TABLE public.users") {
            session.client.batch_execute("INSERT INTO public.users VALUES (1)").await.unwrap();
        }
    }
    let again = planned(&server, "spread", DECLARED, TENANCY).await.unwrap_or_else(|told| panic!("{told}"));
    let left: Vec<&String> = again.file.steps.iter().map(|it| &it.sql).collect();
    assert!(left.is_empty(), "{left:#?}");
    for step in made.file.steps.iter().rev().take(5) {
        session.client.batch_execute(&step.undo[0].sql).await.unwrap();
    }
    let sql = "SELECT count(*) FROM pg_catalog.pg_dist_partition";
    assert_eq!(session.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn what_citus_refuses_is_told_all_at_once_and_can_be_accepted() {
    let server = support::Server::start(&[], &[]);
    let declared = format!(
        "{DECLARED}
    CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION app.touch();
    CREATE TABLE notes (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, slug text,
        contact_id bigint REFERENCES contacts (id) ON UPDATE CASCADE);
    CREATE UNIQUE INDEX notes_slug_key ON notes (slug); -- tenantry: global because links name it
    CREATE POLICY readers ON notes FOR SELECT USING (user_id IN (SELECT id FROM users));"
    );
    let told = planned(&server, "postgres", &declared, TENANCY).await.map(|_| ()).expect_err("Citus refuses it");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/citus");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("refused", told));

    let accepted =
        format!("{TENANCY}[tenancy.allow]\n'citus:public.contacts.touch' = 'unsafe triggers are enabled'\n");
    let touched = format!(
        "{DECLARED}
    CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION app.touch();"
    );
    let made = planned(&server, "postgres", &touched, &accepted).await.unwrap_or_else(|told| panic!("{told}"));
    assert!(made.file.notes.join("\n").contains("accepted: unsafe triggers are enabled"), "{:?}", made.file.notes);
}
