//! The legacy client: its seven operations (`tests/legacy_client.sql`), on several connections, at a given rate.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry::introspect::server_message;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::fill::NOW;
use super::{Outcome, Settings, root};

/// What its sessions say of themselves.
pub const NAME: &str = "legacy client";

/// The contact that stands in the file; each run of an operation is about another.
const CONTACT: &str = "15550100";

/// A statement of the client, as it went.
#[derive(Debug, Clone)]
pub struct Statement {
    pub operation: Arc<str>,
    pub began: Instant,
    pub took: Duration,
    pub error: Option<String>,
}

/// One of the client's operations: its statements, each in a transaction of its own.
struct Operation {
    name: Arc<str>,
    statements: Vec<String>,
}

/// A client at work.
pub struct Load {
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<Outcome<Vec<Statement>>>>,
}

impl Load {
    pub async fn begin(settings: &Settings, contacts: u64) -> Outcome<Load> {
        let text = fs::read_to_string(root().join("tests/legacy_client.sql"))?;
        let operations = Arc::new(operations(&text.replace("now()", &format!("timestamptz '{NOW}'"))));
        let (stop, stopping) = watch::channel(false);
        let pause = Duration::try_from_secs_f64(f64::from(settings.connections) / settings.rate)?;
        let mut workers = vec![];
        for number in 0..settings.connections {
            let session = settings.target.connect().await?;
            session.client.batch_execute(&format!("SET application_name = '{NAME}'")).await?;
            let worker = Worker {
                number: number.into(),
                workers: settings.connections.into(),
                contacts,
                pause,
                operations: Arc::clone(&operations),
                stop: stopping.clone(),
            };
            workers.push(tokio::spawn(worker.work(session)));
        }
        Ok(Load { stop, workers })
    }

    /// Lets every connection finish its operation; returns all statements in the order of their beginning.
    pub async fn end(self) -> Outcome<Vec<Statement>> {
        self.stop.send_replace(true);
        let mut statements = vec![];
        for worker in self.workers {
            statements.extend(worker.await??);
        }
        statements.sort_by_key(|it| it.began);
        Ok(statements)
    }
}

/// One connection of the client. It has contacts of its own, as conversations do not cross connections.
struct Worker {
    number: u64,
    workers: u64,
    contacts: u64,
    pause: Duration,
    operations: Arc<Vec<Operation>>,
    stop: watch::Receiver<bool>,
}

impl Worker {
    async fn work(self, session: tenantry::connect::Session) -> Outcome<Vec<Statement>> {
        let mut statements = vec![];
        // Connections take turns, so that operations are spread over the time.
        let offset = self.pause.mul_f64(self.number as f64 / self.workers as f64);
        let mut next = Instant::now() + offset;
        for turn in 0.. {
            sleep_until(next.into()).await;
            if *self.stop.borrow() {
                break;
            }
            let operation = &self.operations[(turn + self.number as usize) % self.operations.len()];
            let contact = self.contact(turn as u64);
            for sql in &operation.statements {
                let sql = sql.replace(CONTACT, &contact.to_string());
                let began = Instant::now();
                let answer = session.client.batch_execute(&sql).await;
                statements.push(Statement {
                    operation: Arc::clone(&operation.name),
                    began,
                    took: began.elapsed(),
                    error: answer.err().map(|error| server_message(&error)),
                });
            }
            // What was missed while it waited is not made up for: people wait too.
            next = (next + self.pause).max(Instant::now());
        }
        Ok(statements)
    }

    /// The number of the contact of a turn: one of this connection's, the same in every measurement.
    fn contact(&self, turn: u64) -> u64 {
        const SPREAD: u64 = 2_654_435_761;
        let own = (self.contacts / self.workers).max(1);
        15_550_000_000 + 1 + self.number % self.contacts + (turn.wrapping_mul(SPREAD) % own) * self.workers
    }
}

/// The operations of the file, by the lines that name them.
fn operations(text: &str) -> Vec<Operation> {
    let parts = text.split("-- operation: ").skip(1);
    parts
        .map(|part| {
            let (name, sql) = part.split_once('\n').unwrap_or((part, ""));
            let statements = sql.split(";\n").map(str::trim).filter(|it| !it.is_empty());
            Operation { name: name.trim().into(), statements: statements.map(str::to_owned).collect() }
        })
        .collect()
}
