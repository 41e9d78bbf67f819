//! A split plan on a live server: a file for each stage, applied in turn, each proved from where the one before it ends.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use tenantry::plan::Stage;
use tenantry::plan::file::PlanFile;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

const OLD: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, total integer);
    CREATE VIEW totals AS SELECT total FROM orders;
    CREATE TABLE apart (id bigint PRIMARY KEY);
    CREATE VIEW beside AS SELECT id FROM apart;
    INSERT INTO orders SELECT g, g FROM generate_series(1, 20000) g;
    ANALYZE";
const NEW: &str = "
    CREATE TABLE orders (
        id bigint PRIMARY KEY,
        total integer NOT NULL CONSTRAINT positive CHECK (total > 0)
    );
    CREATE TABLE apart (id bigint PRIMARY KEY);
    CREATE VIEW beside AS SELECT id FROM apart;
    GRANT SELECT ON apart TO PUBLIC;
    CREATE INDEX by_total ON orders (total);";

struct Project {
    dir: TempDir,
    url: String,
}

impl Project {
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(self.dir.path()).args(arguments).env("COLUMNS", "200").env("DATABASE_URL", &self.url);
        let output = command.output().unwrap();
        let told = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        (output.status.code().unwrap_or(-1), told)
    }

    fn plans(&self) -> Vec<(String, PlanFile)> {
        let mut paths: Vec<_> =
            fs::read_dir(self.dir.path().join("plans")).unwrap().map(|it| it.unwrap().path()).collect();
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let name = format!("plans/{}", path.file_name().unwrap().to_str().unwrap());
            (name, tenantry::files::plan(path).unwrap())
        };
        paths.iter().map(read).collect()
    }
}

fn url(shadow: &Shadow, database: &ShadowDatabase) -> String {
    format!("host={} port=5432 user=postgres dbname={}", shadow.directory().unwrap().display(), database.name)
}

#[tokio::test]
async fn a_gate_names_what_code_can_name() {
    let major = std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"));
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(major)).await.unwrap();
    let database = shadow.create_database("live").await.unwrap();
    let session = database.connect().await.unwrap();
    let old = "
        CREATE TABLE posts (id integer PRIMARY KEY, likes integer, mood text);
        INSERT INTO posts SELECT g, g FROM generate_series(1, 20000) g;
        ANALYZE";
    session.client.batch_execute(old).await.unwrap();
    let project = Project { dir: tempfile::tempdir().unwrap(), url: url(&shadow, &database) };
    fs::create_dir(project.dir.path().join("schema")).unwrap();
    let new = "CREATE TABLE posts (id integer PRIMARY KEY, likes bigint);";
    fs::write(project.dir.path().join("schema/all.sql"), new).unwrap();

    let (code, told) = project.run(&["plan", "--accept", "all"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("likes_old"), "the old column is put aside: {told}");
    let plans = project.plans();
    let unused: Vec<&String> = plans[0].1.gates.iter().flat_map(|it| &it.unused).collect();
    assert_eq!(unused, ["column public.posts.mood"], "{told}");
}

#[tokio::test]
async fn each_part_starts_where_the_one_before_it_ends() {
    let major = std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"));
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(major)).await.unwrap();
    let database = shadow.create_database("live").await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute(OLD).await.unwrap();
    let project = Project { dir: tempfile::tempdir().unwrap(), url: url(&shadow, &database) };
    fs::create_dir(project.dir.path().join("schema")).unwrap();
    fs::write(project.dir.path().join("schema/all.sql"), NEW).unwrap();

    let (code, told) = project.run(&["plan", "--split", "--name", "totals", "--accept", "all"]);
    assert_eq!(code, 0, "{told}");
    let plans = project.plans();
    let names: Vec<&str> = plans.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(
        names,
        ["plans/1-totals-expand.toml", "plans/2-totals-validate.toml", "plans/3-totals-contract.toml"],
        "{told}"
    );
    for pair in plans.windows(2) {
        assert_eq!(pair[0].1.to.fingerprint, pair[1].1.from.fingerprint);
    }
    for (name, plan) in &plans {
        assert!(
            plan.proof.converges && plan.proof.undo_returns && plan.proof.rows_survive,
            "{name}: {:?}",
            plan.proof
        );
        let opens = name.contains("expand");
        assert_eq!(!plan.proof.access.is_empty(), opens, "{name}: who gains is told where it comes about");
        let gates: Vec<Stage> = plan.gates.iter().map(|it| it.before).collect();
        let expected = if name.contains("contract") { vec![Stage::Contract] } else { vec![] };
        assert_eq!(gates, expected, "{name}: the gate is at the part that it is for");
    }
    let (code, told) = project.run(&["plan", "--split", "--name", "totals", "--accept", "all"]);
    assert_eq!((code, project.plans().len()), (0, 3), "planned again, they are there: {told}");

    // Too early: nothing is changed, and the parts to apply first are named.
    let (code, told) = project.run(&["apply", names[2], "--yes"]);
    assert_eq!(code, 5, "{told}");
    assert!(told.contains("apply totals-expand, then totals-validate first"), "{told}");
    for (at, name) in names.iter().enumerate() {
        let (code, told) = project.run(&["plan", "--check", name, "--accept", "all"]);
        assert_eq!(code, 0, "{name} before it is applied: {told}");
        let (code, told) = project.run(&["apply", name, "--yes"]);
        assert_eq!(code, 0, "{name}: {told}");
        let (code, told) = project.run(&["apply", names[2], "--yes", "--dry-run"]);
        if at == 0 {
            assert_eq!(code, 5, "{told}");
            assert!(told.contains("apply totals-validate first"), "{told}");
        }
    }
    assert_eq!(project.run(&["drift"]).0, 0);
    let rows: i64 = session.client.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
    assert_eq!(rows, 20_000);

    // Back the same way, part by part.
    for _ in names.iter().rev() {
        let (code, told) = project.run(&["rollback", "--yes"]);
        assert_eq!(code, 0, "{told}");
    }
    let left = "SELECT count(*) FROM pg_constraint WHERE conname = 'positive'";
    let left: i64 = session.client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}
