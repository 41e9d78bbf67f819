//! One actor in one role: what its attempts gave, and whether that is more than it should be.

use futures_util::TryStreamExt;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::{DbError, SqlState};

use super::matrix::Outcome;
use super::routes::{Attempt, Judge, Route};
use super::{ProveError, rows};
use crate::connect::Session;
use crate::name::{Name, Role};
use crate::tenancy::Tenancy;

/// One actor in one role.
pub(super) struct Stage<'a> {
    pub all: &'a Session,
    /// A session with the database where nobody else has anything.
    pub alone: &'a Session,
    pub enter: String,
    pub role: Role,
}

/// What statements gave.
#[derive(Debug, PartialEq)]
pub(super) struct Ran {
    /// What the attempt's statements returned, in order.
    pub rows: Vec<String>,
    /// The rows that they counted.
    pub count: u64,
    /// What the query afterwards returned.
    pub after: Vec<String>,
}

/// What the server said instead.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    code: SqlState,
    message: String,
    constraint: Option<String>,
}

impl Said {
    pub(super) fn of(error: &DbError) -> Said {
        Said {
            code: error.code().clone(),
            message: error.message().to_owned(),
            constraint: error.constraint().map(str::to_owned),
        }
    }
}

impl Stage<'_> {
    pub(super) fn begin(&self) -> String {
        format!("BEGIN; {}; SET LOCAL SESSION AUTHORIZATION {}", self.enter, Name::from(self.role.0.clone()))
    }

    /// Runs statements as the actor, then a query as the superuser, and takes all of it back.
    pub(super) async fn run(
        &self,
        session: &Session,
        statements: &[String],
        after: &str,
    ) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        let statements_count = statements.len();
        let after = if after.is_empty() { "SELECT" } else { after };
        let sql =
            format!("{}; {}; RESET SESSION AUTHORIZATION; {after}; ROLLBACK", self.begin(), statements.join("; "));
        let messages = match session.client.simple_query(&sql).await {
            Ok(messages) => messages,
            Err(error) => {
                let Some(db) = error.as_db_error() else { return Err(error) };
                let said = Said::of(db);
                session.client.batch_execute("ROLLBACK").await?;
                return Ok(Err(said));
            }
        };
        // BEGIN, the recipe and SET ROLE come before the statements; RESET between these and the query.
        let (first, last) = (3, 3 + statements_count);
        let mut place = 0;
        let mut ran = Ran { rows: vec![], count: 0, after: vec![] };
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let values: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("\\N")).collect();
                    if (first..last).contains(&place) {
                        ran.rows.push(values.join("\t"));
                    } else if place == last + 1 {
                        ran.after.push(values.join("\t"));
                    }
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    if (first..last).contains(&place) {
                        ran.count += count;
                    }
                    place += 1;
                }
                _ => {}
            }
        }
        ran.rows.sort();
        ran.after.sort();
        Ok(Ok(ran))
    }

    /// COPY … TO STDOUT, which has a protocol of its own.
    pub(super) async fn copy(
        &self,
        session: &Session,
        sql: &str,
    ) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        session.client.batch_execute(&self.begin()).await?;
        let copied = async {
            let stream = session.client.copy_out(sql).await?;
            stream
                .try_fold(String::new(), |mut text, bytes| async move {
                    text.push_str(&String::from_utf8_lossy(&bytes));
                    Ok(text)
                })
                .await
        };
        let copied: Result<String, tokio_postgres::Error> = copied.await;
        session.client.batch_execute("ROLLBACK").await?;
        match copied {
            Ok(text) => {
                let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
                rows.sort();
                Ok(Ok(Ran { count: rows.len() as u64, rows, after: vec![] }))
            }
            Err(error) => match error.as_db_error() {
                Some(db) => Ok(Err(Said::of(db))),
                None => Err(error),
            },
        }
    }

    pub(super) async fn reads(
        &self,
        session: &Session,
        attempt: &Attempt,
    ) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        match (attempt.route, attempt.statements.as_slice()) {
            (Route::Copy, [sql]) => self.copy(session, sql).await,
            _ => self.run(session, &attempt.statements, "").await,
        }
    }

    /// Whether the session is the tenant's, by the tenancy's own words.
    pub(super) async fn taken_for(&self, tenancy: &Tenancy, tenant: &str) -> Result<(), ProveError> {
        let level = &tenancy.levels[0];
        let current = if level.many { format!("(SELECT {})", level.current) } else { level.current.clone() };
        let asked = self.run(self.all, &[format!("SELECT ({current})::text")], "").await?;
        let found = match asked {
            Ok(ran) if ran.rows.iter().any(|it| it == tenant) => return Ok(()),
            Ok(ran) => ran.rows.first().cloned().filter(|it| it != "\\N").unwrap_or_else(|| "nobody".into()),
            Err(said) => format!("nobody: {}", said.message),
        };
        Err(ProveError::RecipeFails { role: self.role.0.clone(), wanted: tenant.to_owned(), found })
    }

    pub(super) async fn judge(
        &self,
        attempt: &Attempt,
        digest: &str,
        before: &[String],
    ) -> Result<(Outcome, String), tokio_postgres::Error> {
        match attempt.judge {
            Judge::SameAlone => self.compare(attempt).await,
            Judge::OthersKept { integrity } => Ok(match self.run(self.all, &attempt.statements, digest).await? {
                Ok(ran) => {
                    let changed: Vec<&str> = ran
                        .after
                        .iter()
                        .filter(|line| !before.contains(line))
                        .filter_map(|line| line.split('\t').next())
                        .collect();
                    match changed.is_empty() {
                        true => (Outcome::Held, format!("{} rows", ran.count)),
                        false => (Outcome::Leak, format!("changes what others have in {}", changed.join(", "))),
                    }
                }
                Err(said) if integrity && said.code.code().starts_with("23") => {
                    (Outcome::Leak, format!("no policy stops it, only a constraint: {}", said.message))
                }
                Err(said) => (Outcome::Refused, said.message),
            }),
            Judge::Refused => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Ok(_) => {
                    let what = match attempt.route {
                        Route::Become => format!("may become {}, whom nothing holds back", attempt.detail),
                        _ => "refers to another tenant's row, and so learns that it exists".to_owned(),
                    };
                    (Outcome::Leak, what)
                }
                Err(said) => (Outcome::Refused, said.message),
            }),
            Judge::Denied => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Ok(_) => {
                    let what = match attempt.route {
                        Route::Truncate => "empties the table for all tenants",
                        _ => "sets the numbers of all tenants",
                    };
                    (Outcome::Leak, what.to_owned())
                }
                Err(said) if said.code == SqlState::INSUFFICIENT_PRIVILEGE => (Outcome::Refused, said.message),
                Err(said) if said.code == SqlState::UNDEFINED_TABLE => (Outcome::Refused, said.message),
                Err(said) => (Outcome::Leak, format!("has the privilege, stopped only by: {}", said.message)),
            }),
            Judge::NoCollision => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Err(said) if said.constraint.as_ref() == Some(&attempt.detail) => {
                    (Outcome::Leak, format!("learns that another tenant has the value: {}", said.message))
                }
                Ok(ran) => (Outcome::Held, format!("{} rows", ran.count)),
                Err(said) => (Outcome::Refused, said.message),
            }),
        }
    }

    /// Whether what is read is the same where nobody else has anything.
    pub(super) async fn compare(&self, attempt: &Attempt) -> Result<(Outcome, String), tokio_postgres::Error> {
        let all = self.reads(self.all, attempt).await?;
        let alone = self.reads(self.alone, attempt).await?;
        if all == alone {
            return Ok(match all {
                Ok(ran) => (Outcome::Held, format!("{} rows", ran.rows.len())),
                Err(said) => (Outcome::Refused, said.message),
            });
        }
        let again = self.reads(self.all, attempt).await?;
        let foreign = |ran: &Ran| -> Option<String> {
            let own = match &alone {
                Ok(alone) => alone.rows.clone(),
                Err(_) => vec![],
            };
            ran.rows.iter().find(|row| !own.contains(row)).cloned()
        };
        let steady = again == all;
        Ok(match (&all, &alone) {
            (Ok(ran), _) if steady => match foreign(ran) {
                Some(row) => (Outcome::Leak, format!("sees what depends on others: {}", short(&row))),
                None => (Outcome::Leak, "sees less for what others have".to_owned()),
            },
            // What differs from run to run is another tenant's only where it says so itself.
            (Ok(ran), _) => {
                let marks = |row: &String| {
                    (0..rows::TENANTS).any(|it| self.is_other(it) && row.contains(&rows::marker(it)))
                };
                match ran.rows.iter().find(|row| marks(row)) {
                    Some(row) => (Outcome::Leak, format!("sees another's: {}", short(row))),
                    None => (Outcome::Held, "differs from run to run".to_owned()),
                }
            }
            (Err(said), Ok(_)) if steady => (Outcome::Leak, format!("an error tells of others: {}", said.message)),
            (Err(one), Err(other)) if steady && one.code == other.code => (Outcome::Refused, one.message.clone()),
            (Err(said), _) if steady => (Outcome::Leak, format!("an error tells of others: {}", said.message)),
            (Err(said), _) => (Outcome::Refused, said.message.clone()),
        })
    }

    /// Whether a tenant's marks are another's: in doubt the second one's, which no actor is.
    pub(super) fn is_other(&self, tenant: usize) -> bool {
        tenant == 1
    }

    /// What shows a leak, where the rows are as the prover made them.
    pub(super) fn script(&self, attempt: &Attempt) -> String {
        let mut script = String::from("BEGIN;\n");
        if self.enter != "SELECT" {
            script += &format!("{};\n", self.enter);
        }
        script += &format!("SET LOCAL SESSION AUTHORIZATION {};\n", Name::from(self.role.0.clone()));
        for statement in &attempt.statements {
            script += &format!("{statement};\n");
        }
        script + "ROLLBACK;"
    }
}

pub(super) fn short(row: &str) -> String {
    let row = row.replace(['\n', '\t'], " ");
    let cut: String = row.chars().take(120).collect();
    if cut.len() < row.len() { format!("{cut}…") } else { cut }
}
