//! Where the values of parameters come from while queries are measured.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::Dice;
use crate::queries::budget::{Generator, Values};

/// Rows that are kept of a query that picks values.
const KEPT: usize = 1000;

/// What makes the values of one run.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Made(Vec<Generator>),
    Picked(Vec<Vec<Option<String>>>),
}

impl Source {
    /// Asks for rows where values are picked. None where there are no rows; an inner error where a row has not as many
    /// columns as there are parameters.
    pub async fn of(
        client: &Client,
        values: &Values,
        parameters: usize,
    ) -> Result<Option<Result<Source, ()>>, tokio_postgres::Error> {
        let query = match values {
            Values::Made(generators) => return Ok(Some(Ok(Source::Made(generators.clone())))),
            Values::Picked(query) => query,
        };
        let mut rows = vec![];
        for message in client.simple_query(query).await? {
            match message {
                SimpleQueryMessage::Row(row) if row.len() != parameters => return Ok(Some(Err(()))),
                SimpleQueryMessage::Row(row) if rows.len() < KEPT => {
                    rows.push((0..parameters).map(|at| row.get(at).map(str::to_owned)).collect());
                }
                _ => {}
            }
        }
        Ok((!rows.is_empty()).then_some(Ok(Source::Picked(rows))))
    }

    pub fn next(&self, dice: &mut Dice) -> Vec<Option<String>> {
        match self {
            Source::Made(generators) => generators.iter().map(|it| made(it, dice)).collect(),
            Source::Picked(rows) => rows[dice.below(rows.len())].clone(),
        }
    }
}

fn made(generator: &Generator, dice: &mut Dice) -> Option<String> {
    match generator {
        Generator::Always(value) => value.clone(),
        Generator::Among(values) => Some(values[dice.below(values.len())].clone()),
        Generator::Between(from, to) => {
            let span = usize::try_from(to.saturating_sub(*from)).unwrap_or(usize::MAX - 1);
            Some((from + dice.below(span + 1) as i64).to_string())
        }
    }
}

/// A value that the server reads from its text, whatever its type.
#[derive(Debug)]
pub(super) struct Text<'a>(pub Option<&'a str>);

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
