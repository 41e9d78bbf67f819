//! The code that ran before a plan goes on beside it: what reads and writes the tables of old.sql works after every
//! transaction until `contract` begins, unless a hazard says that it breaks.

use tenantry::connect::Session;
use tenantry::plan::hazard::{Area, Code, Hazard};
use tenantry::plan::{Planned, Stage};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

/// What old code does with its tables, and how many rows it met at first.
pub struct OldCode {
    session: Session,
    statements: Vec<(String, u64)>,
    pub faults: Vec<String>,
}

impl OldCode {
    /// Tries the statements before the first step. Those that fail then, or meet no row, say nothing of the plan. None
    /// uses the tables that are declared to be idle.
    pub async fn begin(session: Session, idle: &[String]) -> Result<OldCode, tokio_postgres::Error> {
        session.client.batch_execute("SET lock_timeout = '5s'; SET client_min_messages = error").await?;
        let mut statements = vec![];
        for row in session.client.query(include_str!("old_code.sql"), &[&idle]).await? {
            let sql: String = row.get(0);
            if let Ok(Some(rows @ 1..)) = tried(&session, &sql).await? {
                statements.push((sql, rows));
            }
        }
        Ok(OldCode { session, statements, faults: vec![] })
    }

    /// Tries them again after the transaction that ends with the step at `place`.
    pub async fn after(&mut self, plan: &[Planned], place: usize) -> Result<(), tokio_postgres::Error> {
        let done = &plan[..=place];
        let is_of_upserts = |it: &Hazard| matches!(it.code, Code::UpsertTarget | Code::UpsertConstraint);
        let told = done.iter().flat_map(|it| &it.step.hazards);
        let told = told.filter(|it| matches!(it.code.about().area, Area::Break | Area::Access));
        let (of_upserts, others): (Vec<&Hazard>, Vec<&Hazard>) = told.partition(|it| is_of_upserts(it));
        if done.iter().any(|it| it.step.stage == Stage::Contract) || !others.is_empty() {
            return Ok(());
        }
        let is_told = |sql: &str| !of_upserts.is_empty() && sql.contains(" ON CONFLICT ");
        for (sql, rows) in self.statements.iter().filter(|(sql, _)| !is_told(sql)) {
            let fault = match tried(&self.session, sql).await? {
                Ok(now) if now.is_none_or(|now| now >= *rows) => continue,
                Ok(now) => format!("meets {} rows, of {rows}", now.unwrap_or_default()),
                Err(error) => error,
            };
            self.faults.push(format!(
                "after step {}, in {}, old code fails: {sql}: {fault}",
                place + 1,
                plan[place].step.stage.name()
            ));
        }
        Ok(())
    }
}

/// How many rows a statement meets, or what the server says of it; nothing where that says nothing of the plan: what it
/// does not support of a rule, an error of its own. Nothing of the statement stays.
async fn tried(session: &Session, sql: &str) -> Result<Result<Option<u64>, String>, tokio_postgres::Error> {
    session.client.batch_execute("BEGIN").await?;
    let ran = session.client.simple_query(sql).await;
    session.client.batch_execute("ROLLBACK").await?;
    let completed = |it: &SimpleQueryMessage| match it {
        SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
        _ => None,
    };
    match ran {
        Ok(messages) => Ok(Ok(Some(messages.iter().filter_map(completed).next_back().unwrap_or_default()))),
        Err(error) => match error.code() {
            Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INTERNAL_ERROR) => Ok(Ok(None)),
            Some(_) => Ok(Err(tenantry::introspect::server_message(&error))),
            None => Err(error),
        },
    }
}
