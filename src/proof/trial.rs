//! Tries the statements of applications on the shadow while a plan runs: which step breaks one, and from which step on
//! a new one works. A statement is prepared and planned (`EXPLAIN EXECUTE`) as its role, so that missing names, columns,
//! privileges and arbiters of ON CONFLICT are found; it is not run.

use futures_util::future::{join, try_join_all};

use crate::connect::Session;
use crate::introspect::server_message;
use crate::name::{Literal, Name, list};
use crate::queries::{Insert, Query};

/// How a statement fared while the plan ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// At every stop.
    Works,
    /// From the step at this place on (from 0), with the server's words.
    Breaks { place: usize, error: String },
    /// Not before the step at this place: the statement of a coming release.
    WorksFrom { place: usize },
    /// Neither before nor after.
    Never { error: String },
}

/// The statements that are tried, and how each fared so far.
pub struct Trials<'a> {
    session: Session,
    queries: &'a [Query],
    fates: Vec<Fate>,
    /// What refused the rows of each INSERT from the beginning: it is none of the plan's doing.
    left_out: Vec<Vec<String>>,
}

impl<'a> Trials<'a> {
    /// Tries all once, before the first step.
    pub async fn begin(session: Session, queries: &'a [Query]) -> Result<Trials<'a>, tokio_postgres::Error> {
        let mut trials = Trials { session, queries, fates: vec![], left_out: vec![] };
        for (query, tried) in queries.iter().zip(trials.run_all().await?) {
            let left_out = match &query.insert {
                Some(insert) => trials.left_out(insert).await?,
                None => vec![],
            };
            trials.left_out.push(left_out);
            trials.fates.push(tried.map_or_else(|error| Fate::Never { error }, |()| Fate::Works));
        }
        Ok(trials)
    }

    /// Tries those again whose fate is open, after the step at `place` was committed.
    pub async fn after(&mut self, place: usize) -> Result<(), tokio_postgres::Error> {
        for ((at, query), tried) in self.queries.iter().enumerate().zip(self.run_all().await?) {
            if matches!(self.fates[at], Fate::Breaks { .. }) {
                continue;
            }
            let tried = match tried {
                Ok(()) => self.has_all(query, &self.left_out[at]).await?,
                failed => failed,
            };
            self.fates[at] = match (&self.fates[at], tried) {
                (Fate::Never { .. }, Ok(())) => Fate::WorksFrom { place },
                (Fate::Never { .. }, Err(error)) => Fate::Never { error },
                (Fate::WorksFrom { .. }, Err(error)) => Fate::Never { error },
                (_, Err(error)) => Fate::Breaks { place, error },
                (fate, Ok(())) => fate.clone(),
            };
        }
        Ok(())
    }

    pub fn fates(self) -> Vec<Fate> {
        self.fates
    }

    /// For each statement whether the server takes it, or what it says of it. All are sent before the first answer is
    /// waited for: there are many stops.
    async fn run_all(&self) -> Result<Vec<Result<(), String>>, tokio_postgres::Error> {
        try_join_all(self.queries.iter().map(|it| self.runs(it))).await
    }

    async fn runs(&self, query: &Query) -> Result<Result<(), String>, tokio_postgres::Error> {
        let client = &self.session.client;
        let role = query.role.as_ref().map(|it| format!("SET LOCAL ROLE {it}; ")).unwrap_or_default();
        let values = match query.parameters {
            0 => String::new(),
            count => format!(" ({})", list(vec!["NULL"; count])),
        };
        let text =
            format!("BEGIN; {role}PREPARE tenantry_trial AS {}; EXPLAIN EXECUTE tenantry_trial{values}", query.sql);
        let (tried, ended) =
            join(client.batch_execute(&text), client.batch_execute("ROLLBACK; DEALLOCATE ALL")).await;
        ended?;
        match tried {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.as_db_error().is_some() => Ok(Err(server_message(&error))),
            Err(error) => Err(error),
        }
    }

    /// Whether an INSERT still gives every value that is asked for.
    async fn has_all(&self, query: &Query, before: &[String]) -> Result<Result<(), String>, tokio_postgres::Error> {
        let Some(insert) = &query.insert else { return Ok(Ok(())) };
        let now = self.left_out(insert).await?;
        Ok(match now.into_iter().find(|it| !before.contains(it)) {
            Some(refused) => Err(refused),
            None => Ok(()),
        })
    }

    /// What refuses a row for the columns that an INSERT leaves out: a required column without a default, a CHECK that
    /// does not take null. Nothing where a trigger may fill them.
    async fn left_out(&self, insert: &Insert) -> Result<Vec<String>, tokio_postgres::Error> {
        let Some(columns) = &insert.columns else { return Ok(vec![]) };
        let client = &self.session.client;
        let (table, as_literal) = (relation(insert), relation(insert));
        let as_literal = Literal(&as_literal);
        let left = client
            .query(
                &format!(
                    "SELECT a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
                       FROM pg_attribute a
                      WHERE a.attrelid = to_regclass({as_literal}) AND a.attnum > 0 AND NOT a.attisdropped
                        AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> ALL ($1)
                        AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = a.attrelid AND NOT t.tgisinternal
                                           AND t.tgtype & 7 = 7 AND t.tgenabled <> 'D')"
                ),
                &[columns],
            )
            .await?;
        let required = left.iter().filter(|row| row.get(3)).map(|row| {
            let column = Name::from(row.get::<_, &str>(1));
            format!("column {column} of {table} is required, has no default, and is left out")
        });
        let mut refusing: Vec<String> = required.collect();
        let numbers: Vec<i16> = left.iter().map(|row| row.get(0)).collect();
        let checks = client
            .query(
                &format!(
                    "SELECT conname::text, pg_get_expr(conbin, conrelid) FROM pg_constraint
                      WHERE conrelid = to_regclass({as_literal}) AND contype = 'c' AND conkey <@ $1::int2[]
                      ORDER BY conname"
                ),
                &[&numbers],
            )
            .await?;
        let nulls = list(left.iter().map(|row| {
            let (column, data_type) = (Name::from(row.get::<_, &str>(1)), row.get::<_, String>(2));
            format!("NULL::{data_type} AS {column}")
        }));
        for check in &checks {
            let (name, condition) = (Name::from(check.get::<_, &str>(0)), check.get::<_, String>(1));
            let query = format!("SELECT ({condition}) IS FALSE FROM (SELECT {nulls}) AS left_out");
            if client.query_one(&query, &[]).await?.get(0) {
                refusing.push(format!("constraint {name} of {table} refuses a row without what is left out"));
            }
        }
        Ok(refusing)
    }
}

fn relation(insert: &Insert) -> String {
    let parts: Vec<String> = insert.into.iter().map(|it| Name::from(it.as_str()).to_string()).collect();
    parts.join(".")
}
