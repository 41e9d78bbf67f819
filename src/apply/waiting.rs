//! Who is in the way: the sessions whose locks a step waits for, or did not get.

use std::time::Duration;

use super::error::ApplyError;
use crate::connect::Session;
use crate::lock::Lock;
use crate::plan::file::FileStep;

/// How often a statement that takes long is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// A second session, opened once a statement takes long, that sees what the statement waits for.
#[derive(Default)]
pub(super) struct Look {
    other: Option<Session>,
    /// The processes that were told of last.
    told: Vec<i32>,
}

impl Look {
    /// What the process waits for, if that is news.
    pub(super) async fn at(&mut self, session: &Session, pid: i32) -> Result<Option<String>, ApplyError> {
        let other = match self.other.take() {
            Some(other) => other,
            None => session.target().connect().await?,
        };
        let query = "
            SELECT pid, coalesce(usename::text, ''), coalesce(application_name, ''), coalesce(state, ''),
                   coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::int8
              FROM pg_catalog.pg_stat_activity WHERE pid = ANY (pg_catalog.pg_blocking_pids($1)) ORDER BY pid";
        let rows = other.client.query(query, &[&pid]).await?;
        self.other = Some(other);
        let pids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        if pids == self.told {
            return Ok(None);
        }
        self.told = pids;
        let waits: Vec<String> = rows
            .iter()
            .map(|row| {
                let (pid, user, application): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
                let (state, seconds): (String, i64) = (row.get(3), row.get(4));
                format!("process {pid} of {user} ({application}, {state}, its transaction {seconds} s old)")
            })
            .collect();
        Ok((!waits.is_empty()).then(|| format!("it waits for {}", waits.join(" and "))))
    }
}

/// Sessions that hold locks which the step's own locks wait for.
pub(super) async fn holders(session: &Session, step: &FileStep) -> Result<Vec<String>, tokio_postgres::Error> {
    let relations: Vec<&str> = step.locks.iter().map(|it| it.relation.as_str()).collect();
    let query = "
        SELECT want.place::int4, l.mode, l.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
               coalesce(a.state, ''), coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int8
          FROM unnest($1::text[]) WITH ORDINALITY AS want (name, place)
          JOIN pg_locks l ON l.relation = to_regclass(want.name) AND l.granted AND l.pid <> pg_backend_pid()
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         ORDER BY 7 DESC, 3";
    let rows = session.client.query(query, &[&relations]).await?;
    let mut holders = vec![];
    for row in rows {
        let (place, mode): (i32, String) = (row.get(0), row.get(1));
        let wanted = usize::try_from(place - 1).ok().and_then(|at| step.locks.get(at));
        let Some((wanted, held)) = wanted.zip(Lock::from_pg(&mode)) else { continue };
        if held.conflicts(wanted.mode) {
            let (pid, user, application): (i32, String, String) = (row.get(2), row.get(3), row.get(4));
            let (state, seconds): (String, i64) = (row.get(5), row.get(6));
            holders.push(format!(
                "process {pid} of {user} ({application}, {state}, its transaction {seconds} s old) holds {held} on {}",
                wanted.relation
            ));
        }
    }
    Ok(holders)
}
