//! The plain output of `pg_dump --schema-only` is a schema file as it stands, and loads in any order of its statements.

use tenantry::source::{self, Declaration, File};

const DUMP: &str = include_str!("schema_files/pg_dump.sql");

fn read(text: &str) -> Declaration {
    source::read(vec![File::new("pg_dump.sql", text)], 15).unwrap()
}

/// The first line of each statement, in the order in which they load.
fn order(declaration: &Declaration) -> String {
    declaration.statements.iter().map(|it| format!("{}\n", it.sql.lines().next().unwrap_or_default())).collect()
}

#[test]
fn a_dump_is_a_schema_file() {
    let declaration = read(DUMP);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/schema_files");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("pg_dump", order(&declaration)));
}

#[test]
fn a_dump_turned_round_loads_all_the_same() {
    let declaration = read(DUMP);
    let path = "SELECT pg_catalog.set_config('search_path', '', false);\n";
    // pg_dump breaks a circle by a view that it replaces later; this is the one thing that must come in its order.
    let statements = || declaration.statements.iter().filter(|it| !it.names.replaces);
    let turned: String = statements().rev().map(|it| format!("{};\n", it.sql)).collect();
    let turned = read(&format!("{path}{turned}"));
    let place = |words: &str| turned.statements.iter().position(|it| it.sql.contains(words)).unwrap();
    for [first, second] in [
        ["CREATE SCHEMA app", "CREATE DOMAIN app.email"],
        ["CREATE DOMAIN app.email", "CREATE TABLE app.users"],
        ["CREATE TABLE app.events ", "ATTACH PARTITION app.events_2024 "],
        ["ADD CONSTRAINT users_pkey", "ADD CONSTRAINT posts_author_fkey"],
        ["CREATE FUNCTION app.touch", "CREATE TRIGGER touch"],
        ["CREATE TRIGGER touch", "DISABLE TRIGGER touch"],
        ["CREATE VIEW app.ranked", "CREATE MATERIALIZED VIEW app.mv"],
        ["CREATE TABLE app.posts", "CREATE FUNCTION app.atomic"],
        ["CREATE POLICY own", "COMMENT ON POLICY own"],
        ["GRANT SELECT(id)", "ALTER DEFAULT PRIVILEGES"],
    ] {
        assert!(place(first) < place(second), "{first} before {second}");
    }
    assert_eq!(turned.statements.len(), statements().count());
}
