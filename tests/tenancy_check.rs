//! The check on a server: what the expansion wrote leaves nothing to find, and each planted fault is found and named.
#![allow(clippy::disallowed_methods, reason = "tests read their files")]

use std::collections::BTreeSet;
use std::path::Path;

use tenantry::config::{self, Config};
use tenantry::diagnostic::{File, Look, render_all};
use tenantry::introspect::introspect;
use tenantry::pipeline::tenancy::{Checked, checked};
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
    let planted: BTreeSet<String> = faults.fault.into_iter().flat_map(|it| it.finds).collect();
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

#[test]
fn the_rules_are_documented() {
    let docs = std::fs::read_to_string("docs/tenancy.md").unwrap();
    for code in Code::ALL {
        let severity = format!("{:?}", code.severity()).to_lowercase();
        let line = format!("| `{code}` | {severity} | {} | {} |", code.why(), code.fix());
        assert!(docs.contains(&line), "docs/tenancy.md lacks:\n{line}");
    }
}
