//! A step outside of transactions that an earlier process began, and of which nobody saw the end: what it left behind
//! tells whether it is done, and what was left half-built is removed.

use std::time::Duration;

use tokio_postgres::{Client, Error};

use super::Event;
use super::run::{Cause, Running};
use super::statement::{Outside, outside};
use crate::journal::{self, StepState};
use crate::name::QName;
use crate::plan::Undo;
use crate::plan::file::FileStep;

/// What a statement outside of transactions left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It might never have run.
    Nothing,
    /// An invalid index, or a partition whose detachment is pending.
    Half,
    All,
}

/// Looks what a step left behind. Nothing is changed.
pub(super) async fn left(client: &Client, step: &FileStep) -> Result<Left, Error> {
    match outside(&step.sql) {
        Outside::Build(it) => Ok(match valid(client, &it.index).await? {
            None => Left::Nothing,
            Some(false) => Left::Half,
            Some(true) => Left::All,
        }),
        Outside::Drop(index) => Ok(match valid(client, &index).await? {
            None => Left::All,
            Some(false) => Left::Half,
            Some(true) => Left::Nothing,
        }),
        Outside::Detach { parent, partition } => {
            // Before 14 there is no such statement, and no such column.
            let query = "SELECT inhdetachpending FROM pg_catalog.pg_inherits
                 WHERE inhparent = to_regclass($1::text) AND inhrelid = to_regclass($2::text)";
            let row = client.query_opt(query, &[&parent.to_string(), &partition.to_string()]).await?;
            Ok(match row.map(|row| row.get(0)) {
                None => Left::All,
                Some(true) => Left::Half,
                Some(false) => Left::Nothing,
            })
        }
        Outside::Other => match &step.check {
            Some(check) if client.query_one(check.as_str(), &[]).await?.get(0) => Ok(Left::All),
            Some(_) | None => Ok(Left::Nothing),
        },
    }
}

/// What is to run where an undo outside of transactions may have run before, or not to its end.
pub(super) async fn to_undo(client: &Client, step: &FileStep, undo: &Undo) -> Result<Vec<String>, Error> {
    let probe = FileStep { sql: undo.sql.clone(), check: None, ..step.clone() };
    Ok(match (left(client, &probe).await?, outside(&undo.sql)) {
        (Left::All, _) => vec![],
        (Left::Half, Outside::Build(it)) => {
            vec![format!("DROP INDEX CONCURRENTLY {}", it.index), undo.sql.clone()]
        }
        (Left::Half | Left::Nothing, _) => vec![undo.sql.clone()],
    })
}

/// Whether the index is valid, where there is one of that name.
async fn valid(client: &Client, index: &QName) -> Result<Option<bool>, Error> {
    let query = "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1::text)";
    Ok(client.query_opt(query, &[&index.to_string()]).await?.map(|row| row.get(0)))
}

impl Running<'_> {
    /// Brings a step whose end nobody saw to its end or back to its beginning. Whether it is done.
    pub(super) async fn settled(&mut self, step: &FileStep) -> Result<bool, Cause> {
        let session = self.session;
        let client = &session.client;
        match (left(client, step).await?, outside(&step.sql)) {
            (Left::Nothing, _) | (Left::Half, Outside::Drop(_) | Outside::Other) => return Ok(false),
            (Left::Half, Outside::Build(it)) => {
                (self.tell)(Event::Says(format!(
                    "removes the invalid index {} of the build that stopped",
                    it.index
                )));
                self.statement(&format!("DROP INDEX CONCURRENTLY {}", it.index)).await?;
                return Ok(false);
            }
            (Left::Half, Outside::Detach { parent, partition }) => {
                (self.tell)(Event::Says(format!("ends the detachment of {partition} that stopped")));
                self.statement(&format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE")).await?;
            }
            (Left::All, _) => {}
        }
        (self.tell)(Event::Begins(step));
        let (begun, done) = (
            journal::step(self.id, step.id, StepState::Started, None),
            journal::step(self.id, step.id, StepState::Done, None),
        );
        client.batch_execute(&format!("{begun}; {done}")).await?;
        (self.tell)(Event::Done(step, Duration::ZERO));
        Ok(true)
    }
}
