//! Whether the rows that were there before the change are there after it, with the values that they had.

use tenantry::connect::Session;

use super::Outcome;

/// Tables with a growing id, and of their columns those that the client never changes.
const TABLES: [(&str, &str); 5] = [
    ("contacts", "id, phone_number, name, thread_id, created_at"),
    (
        "messages",
        "id, contact_id, direction, message_type, content_text, content_url, sent_at, metadata, created_at",
    ),
    ("orders", "id, contact_id, message_id, order_details, created_at"),
    ("campaigns", "id, name, type, message_template, is_active, created_at"),
    ("campaign_subscribers", "id, campaign_id, contact_id, subscribed_at"),
];

/// The rows of a table up to one, with a checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub table: &'static str,
    last: i64,
    pub rows: i64,
    sum: String,
}

/// All that is there now.
pub async fn sums(session: &Session) -> Outcome<Vec<Sum>> {
    let mut sums = vec![];
    for (table, _) in TABLES {
        let last = format!("SELECT coalesce(max(id), 0)::bigint FROM {table}");
        sums.push(sum(session, table, session.client.query_one(&last, &[]).await?.get(0)).await?);
    }
    Ok(sums)
}

/// The same rows as they are now.
pub async fn again(session: &Session, before: &[Sum]) -> Outcome<Vec<Sum>> {
    let mut sums = vec![];
    for it in before {
        sums.push(sum(session, it.table, it.last).await?);
    }
    Ok(sums)
}

async fn sum(session: &Session, table: &'static str, last: i64) -> Outcome<Sum> {
    let columns = TABLES.iter().find(|it| it.0 == table).map(|it| it.1).unwrap_or_default();
    let sql = format!(
        "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0)::text
           FROM (SELECT {columns} FROM {table} WHERE id <= {last}) r"
    );
    let row = session.client.query_one(&sql, &[]).await?;
    Ok(Sum { table, last, rows: row.get(0), sum: row.get(1) })
}
