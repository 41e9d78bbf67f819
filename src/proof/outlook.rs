//! Asks the shadow how it would run statements on a schema, with the statistics of the live side. Nothing is run.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::ProofError;
use super::statistics::{LendError, Renamed, Statistics, Taken};
use crate::elaborate;
use crate::introspect::server_message;
use crate::kind::Kind;
use crate::name::{Name, QName, list};
use crate::queries::Query;
use crate::queries::explained::Explained;
use crate::schema::Schema;
use crate::shadow::{RoleSpec, Shadow};

/// The role of statements that name none: it may read and write, and row security holds for it.
const ANYBODY: &str = "tenantry_anybody";

/// A statement, and whose session runs it.
pub struct Asked<'a> {
    pub query: &'a Query,
    pub role: Option<Name>,
    /// The statement that makes the transaction a tenant's.
    pub enter: Option<String>,
}

/// What a copy is lent.
pub struct Lent<'a> {
    pub statistics: &'a Statistics,
    pub renamed: &'a Renamed,
    pub said: &'a BTreeMap<QName, u64>,
}

/// What the shadow said.
pub struct Seen {
    /// For each statement how it would be run, or why not.
    pub explained: Vec<Result<Explained, String>>,
    pub tables: BTreeMap<QName, Taken>,
}

/// Copies a schema, lends it statistics, and asks. None where the shadow has no files that are ours.
pub async fn look(
    shadow: &Shadow,
    described: &Schema,
    lent: &Lent<'_>,
    asked: &[Asked<'_>],
    once: &BTreeSet<String>,
) -> Result<Option<Seen>, ProofError> {
    let Some(data) = shadow.directory().map(|it| it.join("data")) else { return Ok(None) };
    let copy = elaborate::copy(shadow, "outlook", described).await?;
    shadow.ensure_role(&RoleSpec::named(ANYBODY)).await?;
    let session = copy.database.connect().await?;
    let tables = match lent.statistics.lend(&session.client, &data, lent.renamed, lent.said).await {
        Ok(tables) => tables,
        Err(LendError::Session(error)) => return Err(error.into()),
        // Without its files there is nothing to be learned.
        Err(LendError::Files(_)) => return Ok(None),
    };
    let namespaces: Vec<Name> =
        described.of_kind(Kind::Namespace).filter_map(|it| it.id().path.first().cloned()).collect();
    let public = Name::from("public");
    for namespace in namespaces.iter().chain([&public]) {
        let allow = format!(
            "GRANT USAGE ON SCHEMA {namespace} TO {ANYBODY};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {namespace} TO {ANYBODY};
             GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {namespace} TO {ANYBODY}"
        );
        // A namespace may not be there; then the statements that need it say so.
        let _ = session.client.batch_execute(&allow).await;
    }
    drop(session);
    // A session of its own, which sees the files as they are now.
    let session = copy.database.connect().await?;
    session.client.batch_execute(&lent.statistics.set()).await?;
    let mut explained = vec![];
    for it in asked {
        explained.push(explain(&session.client, it, once).await?);
    }
    drop(session);
    shadow.drop_database(copy.database).await?;
    Ok(Some(Seen { explained, tables }))
}

/// One statement, planned for any values of its parameters.
async fn explain(
    client: &Client,
    asked: &Asked<'_>,
    once: &BTreeSet<String>,
) -> Result<Result<Explained, String>, tokio_postgres::Error> {
    let enter = asked.enter.iter().map(|it| format!("{it}; ")).collect::<String>();
    let role = asked.role.clone().unwrap_or_else(|| Name::from(ANYBODY));
    let begin = format!("BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; {enter}SET LOCAL ROLE {role}");
    let values = match asked.query.parameters {
        0 => String::new(),
        count => format!(" ({})", list(vec!["NULL"; count])),
    };
    let sql = asked.query.sql.trim_end().trim_end_matches(';');
    let prepare = format!("PREPARE tenantry_outlook AS {sql}");
    let ask = format!("EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE tenantry_outlook{values}");
    let answered = async {
        client.batch_execute(&begin).await?;
        client.batch_execute(&prepare).await?;
        client.simple_query(&ask).await
    };
    let answer = match answered.await {
        Ok(messages) => {
            let lines = messages.iter().filter_map(|it| match it {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            let json = lines.collect::<Vec<_>>().join("\n");
            Explained::read(&json, once).ok_or_else(|| "its plan could not be read".to_owned())
        }
        Err(error) if error.as_db_error().is_some() => Err(server_message(&error)),
        Err(error) => return Err(error),
    };
    client.batch_execute("ROLLBACK; DEALLOCATE ALL").await?;
    Ok(answer)
}
