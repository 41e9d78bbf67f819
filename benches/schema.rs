//! How long reading and planning take on generated schemas, as ratios to `pg_dump --schema-only` of the same database
//! in the same run: these machines are noisy, ratios less so. `make bench`, or
//! `cargo bench --bench schema -- 100 1000 5000`.
//!
//! The columns are wall time: reading the live side as `plan` does it, difference and order of two read schemas, the
//! command `plan` where nothing is to change and where 20 tables get a column, both on a declaration that was elaborated
//! before, and the second one elaborating it anew. `resident` is the most memory that such a `plan` had.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and runs pg_dump")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tenantry::config;
use tenantry::diagnostic::{File, Report};
use tenantry::introspect::{introspect, introspect_together, is_large};
use tenantry::plan;
use tenantry::schema::Facts;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};
use tenantry::{source, tenancy};

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![100, 1000] } else { sizes };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("start-up of --help: {:.1?}", median((0..RUNS).map(|_| help()).collect::<Result<_, _>>()?));
    println!(
        "tables  objects   pg_dump    read  ratio  diff+order  unchanged  ratio  20 changes  ratio    anew  resident"
    );
    for tables in sizes {
        runtime.block_on(measure(tables))?;
    }
    Ok(())
}

/// A schema with what tables have: keys, indexes, checks, triggers, policies, comments, views, functions. `wide` tables
/// at the end have a column more.
fn schema(tables: usize, wide: usize) -> String {
    let mut sql =
        String::from("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;\n");
    for t in 0..tables {
        let extra = if t + wide >= tables { ", extra text" } else { "" };
        let parent = if t == 0 { String::new() } else { format!(" REFERENCES t{}", t / 2) };
        let _ = write!(
            sql,
            "CREATE TABLE t{t} (id integer PRIMARY KEY, parent integer{parent}, name text NOT NULL DEFAULT 'x',
                 amount numeric(12, 2) CHECK (amount >= 0), at timestamptz DEFAULT now(){extra});
             CREATE INDEX ON t{t} (name); CREATE INDEX ON t{t} (at) WHERE amount > 0;
             CREATE TRIGGER touch BEFORE UPDATE ON t{t} FOR EACH ROW EXECUTE FUNCTION touch();
             ALTER TABLE t{t} ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON t{t} USING (name = current_user);
             COMMENT ON TABLE t{t} IS 'Table {t}'; COMMENT ON COLUMN t{t}.name IS 'A name';\n"
        );
        if t % 5 == 0 {
            let _ = writeln!(sql, "CREATE VIEW v{t} AS SELECT id, name FROM t{t} WHERE amount > 1;");
        }
        if t % 10 == 0 {
            let _ = writeln!(
                sql,
                "CREATE FUNCTION f{t}(a integer) RETURNS text LANGUAGE sql AS 'SELECT name FROM t{t}';"
            );
        }
    }
    sql
}

async fn load(shadow: &Shadow, label: &str, sql: &str) -> Result<ShadowDatabase, Box<dyn Error>> {
    let database = shadow.create_database(label).await?;
    let session = database.connect().await?;
    session.client.batch_execute("SET check_function_bodies = off").await?;
    session.client.batch_execute(sql).await?;
    session.client.batch_execute("ANALYZE pg_catalog.pg_class; ANALYZE pg_catalog.pg_attribute").await?;
    Ok(database)
}

async fn measure(tables: usize) -> Result<(), Box<dyn Error>> {
    let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await?;
    let old = load(&shadow, "old", &schema(tables, 0)).await?;
    let new = load(&shadow, "new", &schema(tables, 20)).await?;
    let (mut dumps, mut reads, mut ratios) = (vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let dump = dump(&shadow, &old)?;
        let clock = Instant::now();
        // As the program does it: connections of its own, two for what is large.
        let (one, two) = (old.connect().await?, old.connect().await?);
        let clients = [&one.client, &two.client];
        let together = if is_large(&one.client).await { &clients[..] } else { &clients[..1] };
        introspect_together(together, true).await?;
        let read = clock.elapsed();
        ratios.push(read.as_secs_f64() / dump.as_secs_f64());
        dumps.push(dump);
        reads.push(read);
    }
    let before = introspect(&old.connect().await?.client, false).await?.schema;
    let after = introspect(&new.connect().await?.client, false).await?.schema;
    let planned = median(
        (0..RUNS)
            .map(|_| {
                let clock = Instant::now();
                let steps =
                    plan::make(&before, &after, &Facts::default()).map_err(|errors| format!("{errors:?}"))?;
                let took = clock.elapsed();
                assert_eq!(steps.iter().map(|it| &it.subject).collect::<BTreeSet<_>>().len(), 20.min(tables));
                Ok(took)
            })
            .collect::<Result<_, Box<dyn Error>>>()?,
    );
    ratios.sort_by(f64::total_cmp);
    let project = tempfile::tempdir()?;
    let ratio = |took: Duration| took.as_secs_f64() / median(dumps.clone()).as_secs_f64();
    std::fs::write(project.path().join("old.sql"), schema(tables, 0))?;
    std::fs::write(project.path().join("new.sql"), schema(tables, 20))?;
    let command = |file: &str| command(&shadow, &old, project.path(), file);
    // The first run of each elaborates the declaration, or finds that of an earlier benchmark.
    command("old.sql")?;
    let anew = command("new.sql")?.0;
    let unchanged = median((0..RUNS).map(|_| Ok(command("old.sql")?.0)).collect::<Result<_, Box<dyn Error>>>()?);
    let changes = (0..RUNS).map(|_| command("new.sql")).collect::<Result<Vec<_>, _>>()?;
    let resident = changes.iter().map(|it| it.1).max().unwrap_or_default();
    let changed = median(changes.into_iter().map(|it| it.0).collect());
    println!(
        "{tables:>6}  {:>7}  {:>8.1?} {:>7.1?} {:>6.2}  {:>8}ms  {:>9.1?} {:>6.2}  {:>10.1?} {:>6.2} {:>7.1?}  {:>5} MB",
        before.objects.len(),
        median(dumps.clone()),
        median(reads),
        ratios[RUNS / 2],
        planned.as_millis(),
        unchanged,
        ratio(unchanged),
        changed,
        ratio(changed),
        anew,
        resident
    );
    println!("        a tenancy written into {tables} tables: {:.1?}", expand(tables)?);
    Ok(())
}

/// How long `plan` takes, and how much memory it had, in megabytes.
fn command(
    shadow: &Shadow,
    live: &ShadowDatabase,
    project: &Path,
    file: &str,
) -> Result<(Duration, u64), Box<dyn Error>> {
    let directory = shadow.directory().ok_or("the shadow is private")?.display();
    let database = format!("host={directory} user=postgres dbname={}", live.name.as_str());
    let plan = project.join("plan.toml");
    let clock = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(["plan", "--database", &database, "--schema", file, "--accept", "all", "--out"])
        .arg(&plan)
        .current_dir(project)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let memory = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let status = loop {
        most = most.max(resident(&memory));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let took = clock.elapsed();
    let _ = std::fs::remove_file(plan);
    if status.success() { Ok((took, most)) } else { Err(format!("plan of {file} failed").into()) }
}

fn help() -> Result<Duration, Box<dyn Error>> {
    let clock = Instant::now();
    Command::new(env!("CARGO_BIN_EXE_tenantry")).arg("--help").stdout(Stdio::null()).status()?;
    Ok(clock.elapsed())
}

/// How long it takes to write a tenancy into a declaration of that many tables.
fn expand(tables: usize) -> Result<Duration, Box<dyn Error>> {
    const TENANCY: &str = r#"
        [tenancy]
        mode = "expand"
        tenant = "users"
        key = "user_id"
        current = "current_setting('app.tenant')::integer"
        scoped = ["*"]
    "#;
    let told = |reports: Vec<Report>| reports.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let config = config::parse(&File::new("tenantry.toml", TENANCY)).map_err(told)?;
    let tenancy = config.tenancy.ok_or("a tenancy is declared")?;
    let sql = format!("CREATE TABLE users (id serial PRIMARY KEY); {}", schema(tables, 0));
    let declaration = source::read(vec![File::new("schema.sql", sql)], 15).map_err(told)?;
    let clock = Instant::now();
    let expanded = tenancy::expand(declaration, &tenancy, 15).map_err(told)?;
    let took = clock.elapsed();
    assert!(expanded.statements.len() > 5 * tables);
    Ok(took)
}

fn dump(shadow: &Shadow, database: &ShadowDatabase) -> Result<Duration, Box<dyn Error>> {
    let directory = shadow.directory().ok_or("the shadow is private")?;
    let clock = Instant::now();
    let status = Command::new("pg_dump")
        .args(["--schema-only", "--username", "postgres", "--dbname", database.name.as_str(), "--host"])
        .arg(directory)
        .stdout(Stdio::null())
        .status()?;
    let took = clock.elapsed();
    if status.success() { Ok(took) } else { Err("pg_dump failed".into()) }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory that a process has had so far, in megabytes.
fn resident(status: &str) -> u64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
}
