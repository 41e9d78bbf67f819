//! Databases with plans for them, and what the program says of these.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tenantry::apply::{self};
use tenantry::connect::Session;
use tenantry::introspect::introspect;
use tenantry::journal::{Run, StepState};
use tenantry::name::QName;
use tenantry::plan::file::{self, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To, fingerprint};
use tenantry::plan::{self, Planned, Stage};
use tenantry::render;
use tenantry::schema::{Facts, Size};
use tenantry::scope::Scope;

use crate::support::Server;

/// The server that most tests share; each has its own database.
pub fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&["host all postgres 127.0.0.1/32 trust", "local all all trust"], &[]))
}

/// A database with something in it, and a plan for it.
pub struct Case {
    pub database: String,
    pub plan: PlanFile,
    pub dir: tempfile::TempDir,
}

impl Case {
    /// `database` is new, holds `old`, and is planned to hold `new`.
    pub async fn new(database: &str, old: &str, new: &str) -> Case {
        Case::planned(database, old, new, |_| ()).await
    }

    /// The same with an expression for a column's rows, of which there are said to be many.
    pub async fn filling(database: &str, old: &str, new: &str, table: &str, column: &str, value: &str) -> Case {
        let table = QName::new("public", table);
        let declare = |facts: &mut Facts| {
            facts.backfills.insert((table.clone(), column.into()), value.into());
            facts
                .sizes
                .insert(table, Size { rows: 1_000_000, bytes: 100_000_000, table_bytes: 70_000_000, empty: false });
        };
        Case::planned(database, old, new, declare).await
    }

    pub async fn planned(database: &str, old: &str, new: &str, declare: impl FnOnce(&mut Facts)) -> Case {
        let wanted = format!("{database}_wanted");
        let admin = connect("postgres").await;
        for (name, sql) in [(database, old), (&wanted, new)] {
            admin.client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
            connect(name).await.client.batch_execute(sql).await.unwrap();
        }
        let scope = Scope::all();
        let mut current = introspect(&connect(database).await.client, true).await.unwrap();
        declare(&mut current.facts);
        let desired = introspect(&connect(&wanted).await.client, false).await.unwrap();
        let (from, to) = (scope.split(&current.schema).0, scope.split(&desired.schema).0);
        let steps = plan::make(&from, &to, &current.facts).unwrap();
        let mut plan = PlanFile {
            format: file::FORMAT,
            tool: "0".into(),
            id: String::new(),
            name: database.into(),
            part: None,
            from: From { fingerprint: fingerprint(&from), server: "15.0".into() },
            to: To { fingerprint: fingerprint(&to), declaration: String::new() },
            scope,
            proof: Proof::default(),
            notes: vec![],
            difference: render::schema_difference(&from, &to),
            gates: vec![],
            steps: steps.iter().zip(1..).map(|(it, id)| step(it, id)).collect(),
        };
        plan.id = plan.meaning();
        Case { database: database.into(), plan, dir: tempfile::tempdir().unwrap() }
    }

    /// The same way by other steps.
    pub fn by(mut self, steps: &[(Stage, Option<u32>, &str)]) -> Case {
        let bare = |((stage, transaction, sql), id): (&(Stage, Option<u32>, &str), u32)| FileStep {
            summary: format!("step number {id}"),
            transaction: *transaction,
            lock_timeout_ms: 200,
            ..FileStep::new(id, *stage, *sql)
        };
        self.plan.steps = steps.iter().zip(1..).map(bare).collect();
        self.plan.id = self.plan.meaning();
        self
    }

    pub fn file(&self) -> PathBuf {
        let path = self.dir.path().join("plan.toml");
        fs::write(&path, self.plan.to_toml()).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_over(&server().dir, arguments)
    }

    /// The same, with the server's socket in another directory.
    pub fn command_over(&self, sockets: &Path, arguments: &[&str]) -> Command {
        let database =
            format!("host={} port={} user=postgres dbname={}", sockets.display(), server().port, self.database);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(arguments).args(["--database", &database]).current_dir(self.dir.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn apply(&self, options: &[&str]) -> Said {
        let file = self.file();
        Said::from(self.command(&[&["apply", file.to_str().unwrap()], options].concat()).output().unwrap())
    }

    /// Starts an apply that goes on by itself.
    pub fn start(&self) -> Child {
        self.start_with(&[])
    }

    pub fn start_with(&self, options: &[&str]) -> Child {
        let file = self.file();
        self.command(&[&["apply", file.to_str().unwrap()], options].concat()).spawn().unwrap()
    }

    pub fn tenantry(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    pub fn status(&self) -> Said {
        Said::from(self.command(&["status"]).output().unwrap())
    }

    pub async fn connect(&self) -> Session {
        connect(&self.database).await
    }

    /// The newest run.
    pub async fn run(&self) -> Run {
        apply::runs(&self.connect().await.client, None).await.unwrap().unwrap().remove(0)
    }

    pub async fn states(&self) -> Vec<StepState> {
        self.run().await.steps.iter().map(|it| it.status).collect()
    }

    pub async fn ask(&self, query: &str) -> bool {
        self.connect().await.client.query_one(query, &[]).await.unwrap().get(0)
    }

    pub async fn until(&self, query: &str) {
        let start = Instant::now();
        // What is asked for may not be there yet.
        while !self.connect().await.client.query_one(query, &[]).await.is_ok_and(|row| row.get(0)) {
            assert!(start.elapsed() < Duration::from_secs(30), "never: {query}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub fn step(planned: &Planned, id: u32) -> FileStep {
    let step = &planned.step;
    FileStep {
        id,
        stage: step.stage,
        summary: step.summary.clone().unwrap_or_else(|| format!("change {}", planned.subject)),
        sql: step.sql.clone(),
        batch: step.batch.clone(),
        transaction: planned.transaction,
        lock_timeout_ms: 200,
        statement_timeout_ms: 0,
        locks: (step.locks.iter())
            .map(|it| FileLock { relation: it.relation.to_string(), mode: it.mode, observed: None })
            .collect(),
        rewrites: vec![],
        scans: vec![],
        hazards: (step.hazards.iter())
            .map(|it| FileHazard {
                code: it.code,
                object: it.object.to_string(),
                why: it.why.clone(),
                severity: None,
                accepted: it.accepted.clone(),
            })
            .collect(),
        estimate: None,
        undo: planned.undo.clone(),
        irreversible: step.irreversible.clone(),
        check: step.check.clone(),
        because: None,
    }
}

pub async fn connect(database: &str) -> Session {
    server().target(database).connect().await.unwrap()
}

/// What a command said, and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn from(output: Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub fn ended(&self, code: i32, words: &[&str]) {
        let words_found = words.iter().all(|it| unwrapped(&self.err).contains(it));
        assert!(self.code == Some(code) && words_found, "{:?} {words:?}\n{}\n{}", self.code, self.out, self.err);
    }
}

/// Reports are wrapped at the width of a terminal.
pub fn unwrapped(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn ended(mut child: Child) -> Said {
    let status = child.wait().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Said { code: status.code(), out, err }
}

pub const OLD: &str =
    "CREATE TABLE contacts (id bigint PRIMARY KEY, name text); INSERT INTO contacts VALUES (1, 'a')";
pub const NEW: &str = "CREATE TABLE contacts (id bigint PRIMARY KEY, name text, phone text);
                   CREATE INDEX contacts_phone ON contacts (phone);
                   CREATE TABLE tags (id bigint PRIMARY KEY, contact bigint REFERENCES contacts)";

pub const SLEEP: &str = "DO $$ BEGIN PERFORM pg_catalog.pg_sleep(60); END $$";
