//! Asks the live side what stands against a plan, before its first step: read-only, each question for a few seconds
//! only. What is asked is `preflight`'s.
#![expect(clippy::disallowed_methods, reason = "an edge: it measures")]

use std::time::{Duration, Instant};

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::disk::{self, Room};
use crate::amount::bytes;
use crate::connect::Session;
use crate::introspect::server_message;
use crate::plan::file::FileStep;
use crate::preflight::{Probe, What, probes};
use asking::asked;

mod asking;

/// How long one question may take, and all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub one: Duration,
    pub all: Duration,
    /// Bytes of disk that a plan may take.
    pub disk: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { one: Duration::from_secs(5), all: Duration::from_secs(60), disk: None }
    }
}

/// Something that stands against a step, or that somebody should know before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub step: u32,
    /// The step would fail, or lose something.
    pub stops: bool,
    pub message: String,
}

/// Less room than this is not worth a word: 100 MB.
const ROOM: u64 = 100_000_000;

/// Asks all that the steps raise, in order. Nothing is changed.
pub(super) async fn ask(session: &Session, plan: &[FileStep], steps: &[&FileStep], limits: Limits) -> Vec<Finding> {
    let start = Instant::now();
    let (mut findings, mut unasked, mut need) = (Vec::<Finding>::new(), 0, Need::default());
    for probe in probes(plan, steps) {
        if start.elapsed() > limits.all {
            unasked += 1;
            continue;
        }
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = '500ms'",
            limits.one.as_millis()
        );
        if session.client.batch_execute(&begin).await.is_err() {
            break;
        }
        match asked(session, &probe, &begin).await {
            // Of some tables more than one question is asked.
            Ok(found) => {
                let is_new = |it: &Finding| it.stops || findings.iter().all(|known| known.message != it.message);
                let found: Vec<Finding> = found.into_iter().filter(is_new).collect();
                findings.extend(found);
            }
            Err(error) => findings.extend(unanswered(&probe, &error)),
        }
        if let Ok(bytes) = needed(&session.client, &probe).await {
            need.add(&probe, bytes);
        }
        let _ = session.client.batch_execute("ROLLBACK").await;
    }
    findings.extend(need.finding(disk::room(session, limits.disk).await));
    if unasked > 0 {
        let seconds = limits.all.as_secs();
        let message = format!("{unasked} questions were not asked: the others took more than {seconds} s");
        findings.push(Finding { step: 0, stops: false, message });
    }
    findings
}

/// Disk that steps need beside what is there. A table that is rewritten needs it until its old files are gone, an index
/// for good.
#[derive(Default)]
struct Need {
    kept: u64,
    /// The most at any time, and the step that brings it there.
    most: u64,
    step: u32,
}

impl Need {
    fn add(&mut self, probe: &Probe, bytes: u64) {
        if self.kept + bytes > self.most {
            (self.most, self.step) = (self.kept + bytes, probe.step);
        }
        if let What::Index { .. } = probe.what {
            self.kept += bytes;
        }
    }

    fn finding(&self, room: Option<Room>) -> Option<Finding> {
        let need = bytes(self.most);
        let (stops, message) = match room {
            Some(room) if room.bytes < self.most => {
                (true, format!("new indexes and rewritten tables need about {need} of disk, and {}", room.words))
            }
            _ if self.most < ROOM => return None,
            Some(room) => {
                (false, format!("new indexes and rewritten tables need about {need} of disk; {}", room.words))
            }
            None => (
                false,
                format!(
                    "new indexes and rewritten tables need about {need} of disk; how much is free is not known: the \
                     server does not say, and its data directory is not to be seen from here"
                ),
            ),
        };
        Some(Finding { step: self.step, stops, message })
    }
}

/// What an error of a question itself says. What is not there yet can't be asked for; a step that makes it may fail all
/// the same, and is rolled back then.
fn unanswered(probe: &Probe, error: &tokio_postgres::Error) -> Option<Finding> {
    let note = |message| Some(Finding { step: probe.step, stops: false, message });
    let table = &probe.table;
    match error.code() {
        Some(&SqlState::QUERY_CANCELED) => note(format!("{table}: its rows could not be looked at in time")),
        Some(&SqlState::LOCK_NOT_AVAILABLE) => note(format!("{table} is locked: its rows could not be looked at")),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            note(format!("the rows of {table} may not be read by this role"))
        }
        // Drawing from a sequence is no question of the rows.
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) if !server_message(error).contains("nextval()") => {
            note(format!("the rows of {table} could not be tried without writing: {}", server_message(error)))
        }
        Some(&SqlState::UNDEFINED_FUNCTION) => note(format!(
            "the rows of {table} could not be tried before the plan has made what it takes: {}",
            server_message(error)
        )),
        _ => None,
    }
}

/// Bytes of disk that a step needs beside what is there.
async fn needed(client: &Client, probe: &Probe) -> Result<u64, tokio_postgres::Error> {
    let query = match &probe.what {
        What::Rewrite => {
            "SELECT coalesce(pg_total_relation_size(to_regclass($1::text)), 0)::int8, $2::text[] IS NULL"
        }
        // A row's entry: its columns, 16 bytes of its own, and a third of the page free or overhead.
        What::Index { .. } => {
            "SELECT coalesce((SELECT greatest(c.reltuples, 0) * 1.3 * (16 + coalesce((
                        SELECT sum(s.avg_width) FROM pg_catalog.pg_stats s
                         WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
                           AND format('%I', s.attname) = ANY ($2::text[])), 8))
                      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.oid = to_regclass($1::text)), 0)::int8, false"
        }
        _ => return Ok(0),
    };
    let columns: &[String] = if let What::Index { columns } = &probe.what { columns } else { &[] };
    Ok(client.query_one(query, &[&probe.table, &columns]).await?.get::<_, i64>(0).unsigned_abs())
}
