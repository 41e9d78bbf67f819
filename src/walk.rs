//! Goes through the rows of a table a part at a time, on a connection: where a part begins and ends. What is done to
//! it is `plan::batch`'s to say, and when, `apply`'s.

use tokio_postgres::{Client, Error};

use crate::plan::batch::{Batch, Cursor, PARTS, Part, Range, Walk};

/// The relations that store rows of the batch's table, in order. Errors: the server's.
pub async fn parts(client: &Client, batch: &Batch) -> Result<Vec<Part>, Error> {
    let rows = client.query(PARTS, &[&batch.table, &batch.key]).await?;
    let part = |row: &tokio_postgres::Row| {
        let columns: Option<String> = row.get(4);
        let columns: Option<Vec<(String, String)>> = columns.and_then(|it| serde_json::from_str(&it).ok());
        Part {
            relation: row.get(0),
            alias: row.get(1),
            walk: columns.filter(|it| !it.is_empty()).map_or(Walk::Blocks, Walk::Key),
            rows: row.get::<_, i64>(2).unsigned_abs(),
            blocks: row.get::<_, i64>(3).unsigned_abs(),
            end: None,
        }
    };
    let mut parts: Vec<Part> = rows.iter().map(part).collect();
    for part in &mut parts {
        if let Some(last) = batch.last(part) {
            part.end = client.query_typed(&last, &[]).await?.first().map(|row| Cursor::Key(row.get(0)));
        }
    }
    Ok(parts)
}

/// The next part of so many rows, or blocks where the relation is gone through by these. The last one ends with the
/// relation as it was when it was looked at. Errors: the server's.
pub async fn next(
    client: &Client,
    batch: &Batch,
    part: &Part,
    after: Option<Cursor>,
    size: u64,
) -> Result<(Range, bool), Error> {
    let Some(bound) = batch.bound(part, after.as_ref(), size) else {
        let from = match after {
            Some(Cursor::Block(block)) => block,
            Some(Cursor::Key(_)) | None => 0,
        };
        let until = from.saturating_add(size.max(1)).min(part.blocks);
        let range = Range { after: Some(Cursor::Block(from)), until: Some(Cursor::Block(until)) };
        return Ok((range, until >= part.blocks));
    };
    let until = client.query_typed(&bound, &[]).await?.first().map(|row| Cursor::Key(row.get(0)));
    let last = until.is_none();
    Ok((Range { after, until: until.or_else(|| part.end.clone()) }, last))
}
