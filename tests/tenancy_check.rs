//! The check on a server: what the expansion wrote leaves nothing to find, and each planted fault is found and named.
#![allow(clippy::disallowed_methods, reason = "tests read their files")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenantry::config::{self, Config};
use tenantry::diagnostic::{File, Look, render_all};
use tenantry::introspect::introspect;
use tenantry::pipeline::tenancy::{Checked, checked, rows, tenancies};
use tenantry::shadow::{RoleSpec, Shadow, ShadowSpec};
use tenantry::source::{self, Declaration};
use tenantry::tenancy::check::{Code, Severity};
use tenantry::tenancy::expand;

/// Faults planted one by one into what stands in `tests/tenancy_check`.
#[derive(serde::Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

#[derive(serde::Deserialize)]
struct Fault {
    finds: BTreeSet<String>,
    sql: String,
    /// Takes it back, where a server keeps it beyond the database.
    #[serde(default)]
    undo: String,
}

fn expanded(config: &Config, sql: &str, major: u32) -> Result<Declaration, String> {
    let told = |reports: Vec<_>| render_all(&reports, Look { colour: false, width: 100 });
    let declaration = source::read(vec![File::new("schema.sql", sql)], major).map_err(told)?;
    expand(declaration, config.tenancy.as_ref().expect("a tenancy is declared"), major).map_err(told)
}

async fn roles(shadow: &Shadow) {
    let named = ["app", "old_client", "anon", "Web User"].map(RoleSpec::named);
    let back_office = RoleSpec { bypassrls: true, ..RoleSpec::named("back_office") };
    shadow.ensure_roles(&[named.as_slice(), &[back_office]].concat()).await.unwrap();
}

/// Loads a declaration with a fault into a database of its own, and checks it.
async fn check(shadow: &Shadow, config: &Config, declaration: &Declaration, fault: &str, undo: &str) -> Checked {
    let database = shadow.create_database("check").await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute("SET check_function_bodies = off").await.unwrap();
    for statement in &declaration.statements {
        let path = statement.search_path.as_deref().unwrap_or("public");
        let sql = format!("SET search_path = {path}; {}", statement.sql);
        session.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let sql = format!("SET search_path = public; {fault}");
    session.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
    let reading = introspect(&session.client, false).await.unwrap();
    session.client.batch_execute(undo).await.unwrap();
    drop(session);
    shadow.drop_database(database).await.unwrap();
    let told =
        |failure: tenantry::pipeline::Failure| render_all(&failure.reports, Look { colour: false, width: 100 });
    checked(config, &reading.schema, &reading.roles, Some(declaration)).map_err(told).unwrap()
}

fn codes(checked: &Checked) -> BTreeSet<String> {
    checked
        .findings
        .iter()
        .filter(|(it, _)| it.accepted.is_none())
        .map(|(it, _)| it.code.name().to_owned())
        .collect()
}

#[tokio::test]
async fn each_planted_fault_is_found_and_nothing_else() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    roles(&shadow).await;
    let text = |name: &str| std::fs::read_to_string(Path::new("tests/tenancy_check").join(name)).unwrap();
    let config = config::parse(&File::new("tenantry.toml", text("tenantry.toml"))).unwrap();
    let declaration = expanded(&config, &text("schema.sql"), 15).unwrap();
    let faults: Faults = toml::from_str(&text("faults.toml")).unwrap();
    let sound = check(&shadow, &config, &declaration, "", "").await;
    assert_eq!(codes(&sound), BTreeSet::new(), "{:#?}", sound.findings);
    let mut wrong = vec![];
    for Fault { finds, sql, undo } in &faults.fault {
        let found = codes(&check(&shadow, &config, &declaration, sql, undo).await);
        if found != *finds {
            wrong.push(format!("{sql}\n  expected {finds:?}\n  found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted: BTreeSet<String> = faults.fault.into_iter().flat_map(|it| it.finds).collect();
    planted.insert("namespace-crosses".into());
    let known: BTreeSet<String> = Code::ALL.iter().map(|it| it.name().to_owned()).collect();
    assert_eq!(planted, known, "a rule without a fault, or a fault without a rule");
}

#[tokio::test]
async fn what_the_expansion_writes_leaves_no_error_to_find() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    roles(&shadow).await;
    let mut checked_cases = 0;
    let mut cases: Vec<_> = std::fs::read_dir("tests/tenancy").unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    for directory in cases {
        let text = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        let config = config::parse(&File::new("tenantry.toml", text("tenantry.toml"))).unwrap();
        // Cases of what is refused have nothing to be loaded.
        let Ok(declaration) = expanded(&config, &text("schema.sql"), config.database.server.unwrap_or(15)) else {
            continue;
        };
        let first =
            if Path::new("tests/tenancy/unique_keys") == directory { "CREATE EXTENSION btree_gist" } else { "" };
        let declaration = Declaration { statements: with_first(first, declaration.statements), ..declaration };
        let found = check(&shadow, &config, &declaration, "", "").await;
        let errors: Vec<_> =
            found.open().filter(|(it, _)| it.severity == Severity::Error).map(|(it, _)| &it.message).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", directory.display());
        checked_cases += 1;
    }
    assert!(checked_cases > 5, "only {checked_cases} cases were checked");
}

fn with_first(sql: &str, statements: Vec<source::Statement>) -> Vec<source::Statement> {
    let first = source::read(vec![File::new("first.sql", format!("{sql};"))], 15).map(|it| it.statements);
    first.unwrap_or_default().into_iter().chain(statements).collect()
}

#[tokio::test]
async fn a_namespace_of_one_tenant_does_not_reach_into_anothers() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    roles(&shadow).await;
    let toml = "[tenancy]\nmodel = 'namespace'\ntemplate = 'tpl'\nnamed = 'tenant_{tenant}'\n";
    let config = config::parse(&File::new("tenantry.toml", toml)).unwrap();
    let sql = "CREATE SCHEMA tenant_a; CREATE SCHEMA tenant_b; CREATE TABLE shared (id int PRIMARY KEY);
               CREATE TABLE tenant_a.t (id int PRIMARY KEY, s int REFERENCES shared);
               CREATE TABLE tenant_b.t (id int PRIMARY KEY, s int REFERENCES shared);";
    let declaration = expanded(&config, sql, 15).unwrap();
    assert_eq!(codes(&check(&shadow, &config, &declaration, "", "").await), BTreeSet::new());
    let fault = "ALTER TABLE tenant_a.t ADD FOREIGN KEY (id) REFERENCES tenant_b.t (id);
                 GRANT USAGE ON SCHEMA tenant_b TO PUBLIC";
    let found = codes(&check(&shadow, &config, &declaration, fault, "").await);
    assert_eq!(found, BTreeSet::from(["namespace-crosses".to_owned(), "grant-to-everyone".to_owned()]));
}

/// What the rows of a live side answer before a plan to the declared one.
async fn asked(shadow: &Shadow, live: &str) -> Vec<String> {
    let config = config::parse(&File::new("tenantry.toml", text("tenantry.toml"))).unwrap();
    let declaration = expanded(&config, &text("schema.sql"), 15).unwrap();
    let desired = shadow.create_database("desired").await.unwrap();
    let session = desired.connect().await.unwrap();
    session.client.batch_execute("SET check_function_bodies = off").await.unwrap();
    for statement in &declaration.statements {
        session.client.batch_execute(&statement.sql).await.unwrap();
    }
    let desired = introspect(&session.client, false).await.unwrap().schema;
    let database = shadow.create_database("live").await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute(live).await.unwrap();
    let reading = introspect(&session.client, false).await.unwrap().schema;
    let told =
        |failure: tenantry::pipeline::Failure| render_all(&failure.reports, Look { colour: false, width: 100 });
    let tenancies = tenancies(&config, &desired, Some(&declaration)).map_err(told).unwrap();
    let reports = rows(&tenancies, &session, &reading, &desired, &BTreeMap::new()).await.map_err(told).unwrap();
    let mut lines: Vec<String> = reports.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn rows_that_fit_no_tenant_are_listed_before_the_first_step() {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
    roles(&shadow).await;
    let live = "
        CREATE TABLE users (id serial PRIMARY KEY, email text);
        CREATE TABLE chats (id serial PRIMARY KEY, label text, user_id integer);
        CREATE TABLE notes (id serial PRIMARY KEY, chat_id integer REFERENCES chats, body text, user_id integer);
        INSERT INTO users VALUES (1, 'a'), (2, 'b');
        INSERT INTO chats VALUES (1, 'x', 1), (2, 'y', 2), (3, 'x', 1), (4, 'z', NULL);
        INSERT INTO notes VALUES (1, 1, 'fits', 1), (2, 2, 'of two', 1), (3, NULL, 'of nobody', 9);";
    assert_eq!(
        asked(&shadow, live).await,
        [
            "tenancy::rows_of_nobody: 1 row of public.chats belong to nobody: 4",
            "tenancy::rows_of_nobody: 1 row of public.notes belong to a tenant that public.users does not have: 3",
            "tenancy::rows_of_two: 1 row of public.notes belong to one tenant and refer to a row of public.chats that is \
             another's: 2",
            "tenancy::values_collide: 1 row of public.chats would be unique within a tenant by user_id, label, and are \
             there more than once: (1, x)",
        ]
    );
    let sound = "CREATE TABLE chats (id serial PRIMARY KEY, label text UNIQUE); INSERT INTO chats VALUES (1, 'x')";
    assert_eq!(asked(&shadow, sound).await, Vec::<String>::new());
}

fn text(name: &str) -> String {
    std::fs::read_to_string(Path::new("tests/tenancy_check").join(name)).unwrap()
}

#[test]
fn the_rules_are_documented() {
    let docs = std::fs::read_to_string("docs/tenancy.md").unwrap();
    for code in Code::ALL {
        let severity = format!("{:?}", code.severity()).to_lowercase();
        let line = format!("| `{code}` | {severity} | {} | {} |", code.why(), code.fix());
        assert!(docs.contains(&line), "docs/tenancy.md lacks:\n{line}");
    }
}
