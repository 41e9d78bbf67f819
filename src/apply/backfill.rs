//! A step in parts on its way: each part in a transaction of its own, with the place it came to in the journal.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits and measures")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::pace::{Size, Throttle};
use super::run::{Cause, Running, stopped};
use super::{BEGIN, Event};
use crate::introspect::server_message;
use crate::journal::{self, Position, StepState};
use crate::plan::batch::{Batch, Held, Part, Range, Walk};
use crate::plan::callers_path;
use crate::plan::file::FileStep;
use crate::walk;

/// How often all rows are gone through, if some are still to be changed: somebody held them, or they moved.
const ROUNDS: i32 = 4;

/// How many rows that are still to be changed are named.
const NAMED: u32 = 5;

/// How long a part waits for rows that others hold before it leaves them for the next round. It must be well below the
/// server's `deadlock_timeout` (1 s): then it is never a client that the server picks to break a deadlock.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it is looked who waits for a part that runs.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is told what is waited for: a replica may be far behind.
const TELL: Duration = Duration::from_secs(5);

/// How far a step in parts has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Rows changed, by earlier runs too.
    pub rows: u64,
    /// Estimated rows of the table.
    pub of: u64,
    /// Rows changed in a second, by this run.
    pub rate: f64,
    /// The estimated rest of this round.
    pub left: Option<Duration>,
}

/// One part that is to be done.
#[derive(Clone, Copy)]
struct Next<'a> {
    step: &'a FileStep,
    batch: &'a Batch,
    part: &'a Part,
    at: &'a Position,
    size: Size,
    held: Held,
}

/// One part that is done.
struct Done {
    range: Range,
    last: bool,
    rows: u64,
    took: Duration,
    others_waited: bool,
}

impl Running<'_> {
    /// Runs a step in parts to its end, from where the journal says that it stands.
    pub(super) async fn in_parts(&mut self, step: &FileStep, batch: &Batch) -> Result<(), Cause> {
        let session = self.session;
        let client = &session.client;
        (self.tell)(Event::Begins(step));
        let start = Instant::now();
        client.batch_execute(&journal::step(self.id, step.id, StepState::Started, None)).await?;
        let mut parts = walk::parts(client, batch).await?;
        let mut at = self.positions(step).await?;
        let mut round = at.values().map(|it| it.round).max().unwrap_or(1);
        // Whoever goes on after the last round has done something about the rows that were left.
        if at.values().all(|it| it.finished && it.round >= ROUNDS) {
            round = 1;
        }
        let pace = self.pace;
        let mut throttle = Throttle::new(pace, session, self.pid).await;
        let mut meter = Meter::new(&parts, &at);
        loop {
            for part in &parts {
                let known = at.get(&part.relation);
                let rows = known.map_or(0, |it| it.rows);
                let from = match known {
                    Some(known) if known.round == round => known.clone(),
                    _ => Position { round, rows, ..Position::START },
                };
                let reached = self.round(step, batch, part, from, &mut throttle, &mut meter).await?;
                at.insert(part.relation.clone(), reached);
            }
            let left = left(client, batch, &parts).await?;
            if left.is_empty() {
                break;
            }
            if round >= ROUNDS {
                let named = left.join("; ");
                return Err(Cause::Rows(format!(
                    "rows of {} still satisfy {} after {ROUNDS} rounds: {named}",
                    batch.table, batch.pending
                )));
            }
            round += 1;
            meter.again();
            // Rows moved to blocks that were not there before.
            parts = walk::parts(client, batch).await?;
            let pause = usize::try_from(round - 2).ok().and_then(|it| pace.pauses.get(it)).copied();
            self.rest(pause.unwrap_or_default()).await?;
        }
        // A server that is not its owner's may refuse statistics: the rows are there all the same.
        if let Err(error) = client.batch_execute(&batch.analyze()).await {
            (self.tell)(Event::Says(format!("{} could not be analysed: {}", batch.table, server_message(&error))));
        }
        client.batch_execute(&journal::step(self.id, step.id, StepState::Done, None)).await?;
        (self.tell)(Event::Done(step, start.elapsed()));
        Ok(())
    }

    /// Goes through one relation from a position to its end.
    async fn round(
        &mut self,
        step: &FileStep,
        batch: &Batch,
        part: &Part,
        mut at: Position,
        throttle: &mut Throttle<'_>,
        meter: &mut Meter,
    ) -> Result<Position, Cause> {
        let mut size = match part.walk {
            Walk::Key(_) => Size::FIRST_ROWS,
            Walk::Blocks => Size::FIRST_BLOCKS,
        };
        let mut told: Option<Instant> = None;
        let mut target = self.pace.part;
        while !at.finished {
            let before = std::mem::replace(&mut target, throttle.part().await);
            size = size.shortened(before, target);
            let begun = Instant::now();
            let next = Next { step, batch, part, at: &at, size, held: Held::Waited };
            let done = match self.part(next, throttle).await {
                // In the last round there is no later one to leave rows to.
                Err(cause) if cause.passes() && at.round < ROUNDS => {
                    size = size.smaller();
                    self.part(Next { size, held: Held::Skipped, ..next }, throttle).await?
                }
                result => result?,
            };
            at = Position {
                cursor: done.range.until,
                finished: done.last,
                rows: at.rows + i64::try_from(done.rows).unwrap_or(i64::MAX),
                ..at
            };
            meter.count(part, size, done.rows, done.last);
            (self.tell)(Event::Rows(step, meter.progress()));
            let fewest = match part.walk {
                Walk::Key(_) if done.took < self.pace.part => Size::FEWEST_ROWS,
                Walk::Key(_) | Walk::Blocks => Size(1),
            };
            size = size.after(done.took, target, fewest, done.others_waited);
            while let Some((pause, why)) = throttle.pause(done.rows, done.took, begun.elapsed()).await? {
                if !why.is_empty() && told.is_none_or(|at| at.elapsed() >= TELL) {
                    (self.tell)(Event::Says(format!("step {} waits: {why}", step.id)));
                    told = Some(Instant::now());
                }
                self.rest(pause).await?;
                if why.is_empty() {
                    break;
                }
            }
        }
        Ok(at)
    }

    /// One part in its transaction. What somebody wants to stop is cancelled and rolled back.
    async fn part(&mut self, next: Next<'_>, throttle: &Throttle<'_>) -> Result<Done, Cause> {
        if *self.stop.borrow() {
            return Err(Cause::Interrupt);
        }
        let session = self.session;
        let patience = match (next.held, next.at.round) {
            (Held::Waited, ROUNDS) => u128::from(next.step.lock_timeout_ms),
            _ => PATIENCE.as_millis(),
        };
        let begin = format!(
            "{BEGIN}; {}; SET LOCAL lock_timeout = {patience}; \
             SET LOCAL statement_timeout = {}",
            callers_path::SET,
            next.step.statement_timeout_ms
        );
        let work = transaction(&session.client, &begin, next, self.id);
        tokio::pin!(work);
        let (mut others_waited, mut stopping) = (false, false);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                () = stopped(&mut self.stop), if !stopping => {
                    stopping = true;
                    let _ = session.cancel_token().cancel().await;
                }
                () = tokio::time::sleep(LOOK) => others_waited |= throttle.others_wait().await,
            }
        };
        match result {
            Ok(done) => Ok(Done { others_waited, ..done }),
            Err(error) => {
                // Where the connection is gone, the server has rolled back by itself.
                let _ = session.client.batch_execute("ROLLBACK").await;
                Err(if stopping { Cause::Interrupt } else { error.into() })
            }
        }
    }

    /// Waits, unless somebody wants to stop.
    async fn rest(&mut self, pause: Duration) -> Result<(), Cause> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = stopped(&mut self.stop) => Err(Cause::Interrupt),
        }
    }

    /// Where the journal says that the step stands in each relation.
    async fn positions(&self, step: &FileStep) -> Result<BTreeMap<String, Position>, Cause> {
        let id = i32::try_from(step.id).unwrap_or(i32::MAX);
        let rows = self.session.client.query(journal::POSITIONS, &[&self.id, &id]).await?;
        let position = |row: &tokio_postgres::Row| {
            let cursor: Option<String> = row.get(2);
            // A cursor that can't be read begins anew: no row is changed twice.
            let cursor = cursor.and_then(|it| serde_json::from_str(&it).ok());
            (row.get(0), Position { round: row.get(1), cursor, finished: row.get(3), rows: row.get(4) })
        };
        Ok(rows.iter().map(position).collect())
    }
}

/// How long the server has worked at the statements before it that were sent with it, in microseconds. The way there
/// and back is not work: over a long one no part would be small enough.
const WORKED: &str = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp()) \
                      * 1000000)::pg_catalog.int8";

/// It goes back and forth three times: others may wait for what it holds meanwhile.
async fn transaction(
    client: &Client,
    begin: &str,
    next: Next<'_>,
    run: i64,
) -> Result<Done, tokio_postgres::Error> {
    let Next { step, batch, part, at, size, held } = next;
    let start = Instant::now();
    // Both are sent at once, and the server answers one after the other.
    let ((), (range, last)) = tokio::try_join!(
        biased;
        client.batch_execute(begin),
        walk::next(client, batch, part, at.cursor.clone(), size.0)
    )?;
    let answer = client.simple_query(&format!("{}; {WORKED}", batch.update(part, &range, held))).await?;
    let rows = answer.iter().find_map(|it| match it {
        SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
        _ => None,
    });
    let rows = rows.unwrap_or_default();
    let worked = answer.iter().find_map(|it| match it {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    let took = worked.map_or(start.elapsed(), Duration::from_micros);
    let reached = Position {
        round: at.round,
        cursor: range.until.clone(),
        finished: last,
        rows: at.rows + i64::try_from(rows).unwrap_or(i64::MAX),
    };
    let position = journal::position(run, step.id, &part.relation, &reached);
    client.batch_execute(&format!("{position}; COMMIT")).await?;
    Ok(Done { range, last, rows, took, others_waited: false })
}

/// Some of the rows that are still to be changed.
async fn left(client: &Client, batch: &Batch, parts: &[Part]) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut left = vec![];
    for part in parts {
        let rows = client.query(&batch.left(part, NAMED), &[]).await?;
        let named = rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default());
        left.extend(named.map(|it| if parts.len() > 1 { format!("{} {it}", part.relation) } else { it }));
    }
    left.truncate(NAMED as usize);
    Ok(left)
}

/// Counts what is done, for people.
struct Meter {
    start: Instant,
    /// Rows changed by this run and by earlier ones.
    rows: u64,
    earlier: u64,
    of: u64,
    /// Rows gone through in this round by this run, and what there was to go through when it began.
    walked: f64,
    todo: f64,
    round: Instant,
}

impl Meter {
    fn new(parts: &[Part], at: &BTreeMap<String, Position>) -> Meter {
        let of: u64 = parts.iter().map(|it| it.rows).sum();
        let earlier: u64 = at.values().map(|it| it.rows.unsigned_abs()).sum();
        let todo = of.saturating_sub(earlier) as f64;
        let start = Instant::now();
        Meter { start, rows: earlier, earlier, of, walked: 0.0, todo, round: start }
    }

    fn count(&mut self, part: &Part, size: Size, rows: u64, last: bool) {
        self.rows += rows;
        self.walked += match part.walk {
            Walk::Key(_) if last => rows as f64,
            Walk::Key(_) => size.0 as f64,
            Walk::Blocks => part.rows as f64 * size.0 as f64 / part.blocks.max(1) as f64,
        };
    }

    fn again(&mut self) {
        (self.walked, self.todo, self.round) = (0.0, self.of as f64, Instant::now());
    }

    fn progress(&self) -> Progress {
        let seconds = self.start.elapsed().as_secs_f64().max(1e-3);
        let rest = (self.todo - self.walked).max(0.0);
        let left = self.round.elapsed().as_secs_f64() * rest / self.walked.max(1.0);
        Progress {
            rows: self.rows,
            of: self.of,
            rate: (self.rows - self.earlier) as f64 / seconds,
            left: (self.of > 0).then(|| Duration::from_secs_f64(left.min(1e9))),
        }
    }
}
