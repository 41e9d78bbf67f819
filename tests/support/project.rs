//! A database in use beside a declaration that it is to follow, the program on both, and who writes meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tenantry::connect::Session;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::Server;

fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&["local all all trust"], &[]))
}

/// A database in use, and a declaration that it is to follow.
pub struct Project {
    pub dir: TempDir,
    pub database: &'static str,
}

impl Project {
    pub async fn new(database: &'static str, old: &str, files: &[(&str, &str)]) -> Project {
        let admin = server().target("postgres").connect().await.unwrap();
        admin.client.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("schema")).unwrap();
        // Writers that keep at it would have a backfill go on in parts of a few rows, with a pause after each.
        fs::write(dir.path().join("tenantry.toml"), "[apply]\nbusy_batch_ms = 0\n").unwrap();
        for (path, text) in files {
            fs::write(dir.path().join(path), text).unwrap();
        }
        let project = Project { dir, database };
        project.connect().await.client.batch_execute(old).await.unwrap();
        project
    }

    pub async fn connect(&self) -> Session {
        server().target(self.database).connect().await.unwrap()
    }

    /// Runs the program, which must succeed, beside what else is running.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let (succeeded, text) = self.output(arguments).await;
        assert!(succeeded, "{arguments:?}: {text}");
        text
    }

    /// Whether the program succeeds, and all that it says.
    pub async fn output(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        (output.status.success(), out + &err)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let database = format!(
            "host={} port={} user=postgres dbname={}",
            server().dir.display(),
            server().port,
            self.database
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(self.dir.path()).args(arguments).args(["--database", &database]);
        command.env("COLUMNS", "120").env_remove("DATABASE_URL");
        command
    }

    pub async fn plan(&self) -> String {
        self.run(&["plan", "--out", "plan.toml", "--accept", "all"]).await
    }

    /// Applies the plan up to the end of a stage, and lets those who use the database do so for a moment.
    pub async fn through(&self, stage: &str) {
        let first = self.text("SELECT to_regclass('tenantry.run')::text").await.is_empty();
        let command: &[&str] = if first { &["apply", "plan.toml", "--yes"] } else { &["resume"] };
        self.run(&[command, &["--through", stage]].concat()).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }

    /// Waits until a query gives no row: however busy the machine is, those who write get there.
    pub async fn none(&self, query: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let client = self.connect().await.client;
        while let Some(row) = client.query(&as_text(query), &[]).await.unwrap().first() {
            assert!(Instant::now() < deadline, "still there: {}", row.get::<_, String>(0));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The text that a query gives, line by line.
    pub async fn text(&self, query: &str) -> String {
        let rows = self.connect().await.client.query(query, &[]).await.unwrap();
        let line = |row: &tokio_postgres::Row| row.get::<_, Option<String>>(0).unwrap_or_default();
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The statements of some code. `$1` is the key of a row, `$2` a text.
#[derive(Clone, Copy)]
pub struct Code {
    pub insert: &'static str,
    pub update: &'static str,
    pub touch: &'static str,
    pub read: &'static str,
}

/// A row's text as its writer knows it, by key.
pub type Rows = BTreeMap<i64, String>;

/// Somebody who writes rows of their own and reads them back, until told to stop; then gives what must be there.
pub struct Writer {
    stop: watch::Sender<bool>,
    work: JoinHandle<Rows>,
}

impl Writer {
    pub async fn start(project: &Project, code: Code, keys: std::ops::Range<i64>, mut rows: Rows) -> Writer {
        let (stop, stopped) = watch::channel(false);
        let session = project.connect().await;
        let work = tokio::spawn(async move {
            let mut turn = 0_u64;
            while !*stopped.borrow() {
                for key in keys.clone() {
                    turn += 1;
                    let text = format!("a{turn} b{key}");
                    let statement = match rows.get(&key) {
                        None => code.insert,
                        Some(_) if turn.is_multiple_of(3) => code.touch,
                        Some(_) => code.update,
                    };
                    let run = session.client.execute(statement, &[&key, &text]).await;
                    assert_eq!(run.unwrap_or_else(|error| panic!("{statement}: {error:?}")), 1, "{statement}");
                    if statement != code.touch {
                        rows.insert(key, text);
                    }
                    let read = session.client.query_one(code.read, &[&key]).await;
                    let read: Option<String> =
                        read.unwrap_or_else(|error| panic!("{}: {error:?}", code.read)).get(0);
                    assert_eq!(read.as_ref(), rows.get(&key), "after {statement}");
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            rows
        });
        Writer { stop, work }
    }

    pub async fn stop(self) -> Rows {
        self.stop.send_replace(true);
        self.work.await.expect("no statement fails")
    }
}

/// Somebody who asks all the while for rows that must not be there. Gives how often there were none.
pub async fn watching(project: &Project, query: &'static str) -> (watch::Sender<bool>, JoinHandle<u64>) {
    let (stop, stopped) = watch::channel(false);
    let session = project.connect().await;
    let work = tokio::spawn(async move {
        let (mut asked, query) = (0, as_text(query));
        while !*stopped.borrow() {
            let rows = session.client.query(&query, &[]).await.unwrap();
            let found: Vec<String> = rows.iter().map(|it| it.get(0)).collect();
            assert!(found.is_empty(), "{query}: {found:?}");
            asked += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        asked
    });
    (stop, work)
}

/// A query whose rows are texts.
fn as_text(query: &str) -> String {
    format!("SELECT found::text FROM ({query}) AS found")
}
