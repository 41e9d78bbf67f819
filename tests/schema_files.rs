//! The plain output of `pg_dump --schema-only` is a schema file as it stands, and loads in any order of its statements.

#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tenantry::source::{self, Declaration, File};

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use support::Server;

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

/// The schema of a database in the words of pg_dump, less the journal.
fn dump(server: &Server, database: &str) -> String {
    let output = Command::new(support::program("pg_dump"))
        .args(["--schema-only", "--exclude-schema=tenantry", "--username=postgres", "--host"])
        .arg(&server.dir)
        .args(["--port", &server.port.to_string(), database])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of a dump, whatever the order in which things were made.
fn lines(dump: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = dump.lines().filter(|it| !it.starts_with('\\')).collect();
    lines.sort_unstable();
    lines
}

fn tenantry(directory: &Path, server: &Server, database: &str, arguments: &[&str]) -> Output {
    let database = format!("host={} port={} user=postgres dbname={database}", server.dir.display(), server.port);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(directory).args(arguments).args(["--database", &database]).output().unwrap()
}

#[test]
fn a_dump_declares_the_database_that_it_is_of() {
    let server = Server::start(&[], &[]);
    for (name, sql) in [
        ("everything", include_str!("schema_files/dumped/everything.sql")),
        ("oddities", include_str!("schema_files/dumped/oddities.sql")),
    ] {
        let copy = format!("{name}_again");
        server.execute(&[&format!("CREATE DATABASE {name}"), &format!("CREATE DATABASE {copy}")]);
        support::attend(async {
            let session = server.target(name).connect().await.unwrap();
            session.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        });
        let dumped = dump(&server, name);
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("schema")).unwrap();
        fs::write(directory.path().join("schema/dump.sql"), &dumped).unwrap();
        let ends_with = |database: &str, arguments: &[&str], code: i32| {
            let ended = tenantry(directory.path(), &server, database, arguments);
            let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
            assert_eq!(ended.status.code(), Some(code), "{name}: {arguments:?}\n{out}{err}");
        };
        let plan = ["plan", "--schema", "schema", "--exit-code", "--accept", "all", "--out", "plan.toml"];
        ends_with(name, &plan, 0);
        ends_with(&copy, &plan, 3);
        ends_with(&copy, &["apply", "plan.toml", "--yes"], 0);
        ends_with(&copy, &plan, 0);
        assert_eq!(lines(&dump(&server, &copy)), lines(&dumped), "{name}");
    }
}
