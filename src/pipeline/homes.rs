//! Asks the rows of tables that become partitioned which partition can hold them all: read-only, for a minute at most.

use std::collections::BTreeMap;

use crate::connect::Session;
use crate::introspect::server_message;
use crate::name::QName;
use crate::passage::{self, Homeless};
use crate::schema::{Facts, Schema};

/// The partition of each table that can hold all of its rows, if any can; and what could not be found out.
pub(super) async fn homes(
    session: &Session,
    current: &Schema,
    desired: &Schema,
    facts: &Facts,
) -> (BTreeMap<QName, Option<QName>>, Vec<String>) {
    let (mut found, mut notes) = (BTreeMap::new(), vec![]);
    for Homeless { table, homes } in passage::homeless(current, desired, facts) {
        match home(session, &table, &homes).await {
            Ok(home) => _ = found.insert(table, home),
            Err(error) => {
                let why = server_message(&error);
                notes.push(format!("which partition can hold all rows of {table} was not found out: {why}"));
            }
        }
    }
    (found, notes)
}

async fn home(
    session: &Session,
    table: &QName,
    homes: &[(QName, String)],
) -> Result<Option<QName>, tokio_postgres::Error> {
    for (child, condition) in homes {
        session
            .client
            .batch_execute(
                "BEGIN READ ONLY; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '500ms'; \
                 SET LOCAL search_path = ''; SET LOCAL row_security = off",
            )
            .await?;
        let is_outside = format!("SELECT EXISTS (SELECT FROM {table} WHERE ({condition}) IS NOT TRUE)");
        let answer = session.client.query_one(&is_outside, &[]).await;
        session.client.batch_execute("ROLLBACK").await?;
        if !answer?.get::<_, bool>(0) {
            return Ok(Some(child.clone()));
        }
    }
    Ok(None)
}
