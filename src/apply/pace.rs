//! How fast rows are changed: parts that grow and shrink towards a time, a shorter one while others work, and pauses for
//! these, for replicas, for the write-ahead log and for a ceiling that somebody set.
#![expect(clippy::disallowed_methods, reason = "an edge: it measures")]

use std::time::{Duration, Instant};

use tokio_postgres::{Client, Error};

use crate::connect::Session;

/// How patient a run is, and how fast it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// The waits before each new try of a step whose lock was not to be had.
    pub pauses: Vec<Duration>,
    /// How long one part of a step in parts should take.
    pub part: Duration,
    /// The same while other sessions use the server: sixteen times as long passes then until the next one. Without it,
    /// they make no difference.
    pub busy_part: Option<Duration>,
    /// Rows changed in a second, at most.
    pub rows_per_second: Option<u64>,
    /// Bytes of write-ahead log in a second, of all that the server writes, above which it is waited.
    pub wal_per_second: Option<u64>,
    /// How far a replica may be behind.
    pub replica_lag: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            pauses: [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 15, 15].map(Duration::from_secs).to_vec(),
            part: Duration::from_millis(100),
            busy_part: Some(Duration::from_millis(1)),
            rows_per_second: None,
            wal_per_second: None,
            replica_lag: Some(Duration::from_secs(10)),
        }
    }
}

/// How much one part holds: rows, or blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub u64);

impl Size {
    pub(super) const FIRST_ROWS: Size = Size(1_000);
    pub(super) const FIRST_BLOCKS: Size = Size(16);

    /// A part costs something whatever it holds, on a busy server more than it may take: fewer rows than these make none
    /// shorter, unless each of them takes long.
    pub(super) const FEWEST_ROWS: Size = Size(10);

    /// The next part's size: at most twice and at least half of this one's, so that one odd part changes little.
    pub(super) fn after(self, took: Duration, target: Duration, fewest: Size, others_waited: bool) -> Size {
        if others_waited {
            return self.smaller();
        }
        let ratio = target.as_secs_f64() / took.as_secs_f64().max(1e-6);
        let wanted = self.0 as f64 * ratio.clamp(0.5, 2.0);
        // One that was halved for others grows no faster for it.
        Size((wanted as u64).clamp(fewest.0.min(2 * self.0), 1_000_000))
    }

    /// As much less as the time that it should take has become shorter.
    pub(super) fn shortened(self, from: Duration, to: Duration) -> Size {
        let (from, to) = (from.as_micros().max(1), to.as_micros());
        Size((u128::from(self.0) * to.min(from) / from).max(1) as u64)
    }

    pub(super) fn smaller(self) -> Size {
        Size((self.0 / 2).max(1))
    }
}

/// What makes a step in parts wait.
pub(super) struct Throttle<'a> {
    pace: &'a Pace,
    session: &'a Session,
    /// The process that serves it.
    pid: i32,
    /// A second session, which sees who waits for the first.
    other: Option<Session>,
    /// Whether others use the server, and when that was looked at.
    busy: Option<(Instant, bool)>,
    wal: Option<Log>,
    replicas: Option<Instant>,
}

/// How many times what the server worked at a part passes until the next one, while others work. A part does not wait for
/// the disk, but who commits beside it does, and writes what the part left to write.
const BESIDE_OTHERS: u32 = 16;

/// How often the write-ahead log and the replicas are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How long a replica is waited for before it is looked at again.
const REPLICA: Duration = Duration::from_millis(500);

/// The longest pause: who writes more than the ceiling by himself must not stop the rows for good.
const LONGEST: Duration = Duration::from_secs(60);

impl<'a> Throttle<'a> {
    /// Without a second connection nobody sees who waits: parts keep to their time all the same.
    pub(super) async fn new(pace: &'a Pace, session: &'a Session, pid: i32) -> Throttle<'a> {
        let other = session.target().connect().await.ok();
        Throttle { pace, session, pid, other, busy: None, wal: None, replicas: None }
    }

    /// Whether a session waits for a lock that the one that changes rows holds.
    pub(super) async fn others_wait(&self) -> bool {
        let query = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
                      WHERE wait_event_type = 'Lock' AND $1 = ANY (pg_catalog.pg_blocking_pids(pid)))";
        match &self.other {
            Some(other) => other.client.query_one(query, &[&self.pid]).await.is_ok_and(|row| row.get(0)),
            None => false,
        }
    }

    /// How long the next part should take.
    pub(super) async fn part(&mut self) -> Duration {
        let Some(busy_part) = self.pace.busy_part else { return self.pace.part };
        let busy = match self.busy {
            Some((at, busy)) if at.elapsed() < LOOK => busy,
            Some(_) | None => self.others_work().await,
        };
        match busy {
            true => busy_part.min(self.pace.part),
            false => self.pace.part,
        }
    }

    /// Whether a session of somebody else has begun or ended a statement just now. One that may not be looked into
    /// is taken to.
    async fn others_work(&mut self) -> bool {
        let query = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
                      WHERE pid <> pg_catalog.pg_backend_pid() AND pid <> $1
                        AND datid IS NOT NULL AND usesysid IS NOT NULL
                        AND coalesce(backend_type = 'client backend'
                                     AND state_change > pg_catalog.clock_timestamp() - interval '1 second', true))";
        let busy = match &self.other {
            Some(other) => {
                let row = other.client.query_one(query, &[&self.pid]).await;
                row.is_ok_and(|row| row.get(0))
            }
            None => false,
        };
        self.busy = Some((Instant::now(), busy));
        busy
    }

    /// How long to wait before the next part, and what for. `rows` were changed by the last one in the time that the
    /// server `worked` at it, and it began `since` ago.
    pub(super) async fn pause(
        &mut self,
        rows: u64,
        worked: Duration,
        since: Duration,
    ) -> Result<Option<(Duration, String)>, Error> {
        let client = &self.session.client;
        if let Some(limit) = self.pace.replica_lag.filter(|_| self.replicas.is_none_or(|at| at.elapsed() >= LOOK)) {
            self.replicas = Some(Instant::now());
            if let Some((name, lag)) = lagging(client, limit).await? {
                self.replicas = None;
                return Ok(Some((REPLICA, format!("the replica {name} is {:.1} s behind", lag.as_secs_f64()))));
            }
        }
        let mut pause = self.pace.rows_per_second.map_or(Duration::ZERO, |limit| {
            Duration::from_secs_f64(rows as f64 / limit.max(1) as f64).saturating_sub(since)
        });
        if self.pace.busy_part.is_some() && self.busy.is_some_and(|(_, busy)| busy) {
            pause = pause.max((BESIDE_OTHERS * worked).saturating_sub(since));
        }
        if let Some(limit) = self.pace.wal_per_second.filter(|_| self.wal.is_none_or(|it| it.at.elapsed() >= LOOK))
        {
            let (now, log) = (Instant::now(), written(client).await?);
            let wait = self.wal.get_or_insert(Log { at: now, written: log }).owed(now, log, limit);
            if wait > pause {
                return Ok(Some((wait, "the write-ahead log grows faster than allowed".into())));
            }
        }
        pause = pause.min(LONGEST);
        Ok((!pause.is_zero()).then(|| (pause, String::new())))
    }
}

/// Where the write-ahead log was when what had been written was within the ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log {
    at: Instant,
    written: i64,
}

impl Log {
    /// How long to wait now, until all that was written is within so many bytes a second.
    fn owed(&mut self, now: Instant, written: i64, limit: u64) -> Duration {
        let bytes = (written - self.written).max(0) as f64;
        let takes = Duration::from_secs_f64(bytes / limit.max(1) as f64);
        let wait = takes.saturating_sub(now.saturating_duration_since(self.at)).min(LONGEST);
        // What is written during the wait comes on top of what it makes up for.
        *self = Log { at: now + wait, written };
        wait
    }
}

/// The replica that is furthest behind, if it is too far. Who may not see lags sees none.
async fn lagging(client: &Client, limit: Duration) -> Result<Option<(String, Duration)>, Error> {
    let query = "
        SELECT coalesce(application_name, ''), (extract(epoch FROM replay_lag) * 1000)::int8
          FROM pg_catalog.pg_stat_replication
         WHERE replay_lag IS NOT NULL AND replay_lsn < pg_catalog.pg_current_wal_lsn()
         ORDER BY replay_lag DESC LIMIT 1";
    let row = client.query_opt(query, &[]).await?;
    let lag = row.map(|row| (row.get(0), Duration::from_millis(row.get::<_, i64>(1).unsigned_abs())));
    Ok(lag.filter(|(_, lag)| *lag > limit))
}

async fn written(client: &Client) -> Result<i64, Error> {
    let query = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8";
    Ok(client.query_one(query, &[]).await?.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_near_their_time_and_never_jump() {
        let target = Duration::from_millis(100);
        let after = |size: u64, took| Size(size).after(took, target, Size(1), false);
        assert_eq!(after(1_000, Duration::from_millis(80)), Size(1_250));
        assert_eq!(after(1_000, Duration::from_millis(1)), Size(2_000));
        assert_eq!(after(1_000, Duration::from_secs(9)), Size(500));
        assert_eq!(after(1, Duration::from_secs(9)), Size(1));
    }

    #[test]
    fn what_a_part_costs_by_itself_does_not_make_it_ever_smaller() {
        let [target, took] = [1, 20].map(Duration::from_millis);
        let after = |size: u64| Size(size).after(took, target, Size::FEWEST_ROWS, false);
        assert_eq!([15, 10, 3].map(after), [10, 10, 6].map(Size));
    }

    #[test]
    fn a_part_that_is_to_be_short_is_so_at_once() {
        let (long, short) = (Duration::from_millis(100), Duration::from_millis(10));
        assert_eq!(Size(20_000).shortened(long, short), Size(2_000));
        assert_eq!(Size(2_000).shortened(short, long), Size(2_000));
    }

    #[test]
    fn what_is_written_is_made_up_for() {
        let (start, second, mega) = (Instant::now(), Duration::from_secs(1), 1_000_000);
        let mut log = Log { at: start, written: 0 };
        assert_eq!(log.owed(start + second, mega / 2, mega as u64), Duration::ZERO);
        // Thirty megabytes in a second, at one a second.
        assert_eq!(log.owed(start + 2 * second, mega / 2 + 30 * mega, mega as u64), 29 * second);
        // Five more come during the wait, and one in the second after it.
        assert_eq!(log.owed(start + 32 * second, mega / 2 + 36 * mega, mega as u64), 5 * second);
        assert_eq!(log.owed(start + 38 * second, 500 * mega, mega as u64), LONGEST);
    }

    #[test]
    fn a_part_that_keeps_others_waiting_is_halved() {
        let [took, target] = [1, 100].map(Duration::from_millis);
        assert_eq!(Size(1_000).after(took, target, Size(1), true), Size(500));
    }
}
