//! Triggers of the user's that take back what a step writes: seen where rows are still to be changed after the step, and
//! are not when the trigger is switched off.

use crate::connect::Session;
use crate::plan::Step;

/// The row triggers that run before an update of a table `$1` or of what is below it, but for those that check foreign
/// keys.
const TRIGGERS: &str = "
    WITH RECURSIVE family AS (
        SELECT to_regclass($1::text)::oid AS oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.oid)
    SELECT format('%I.%I', n.nspname, c.relname), format('%I', t.tgname)
      FROM family f JOIN pg_catalog.pg_trigger t ON t.tgrelid = f.oid
      JOIN pg_catalog.pg_class c ON c.oid = f.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgparentid = 0 AND t.tgtype & 19 = 19
     ORDER BY 1, 2";

/// Those that keep a step which changes rows from its work: `name ON table`.
pub(super) async fn fighting(session: &Session, step: &Step) -> Result<Vec<String>, tokio_postgres::Error> {
    let Some(fill) = step.fill() else { return Ok(vec![]) };
    let is_left = format!("SELECT EXISTS (SELECT FROM {} WHERE {})", fill.table, fill.pending);
    let left = async || Ok::<bool, tokio_postgres::Error>(session.client.query_one(&is_left, &[]).await?.get(0));
    if !left().await? {
        return Ok(vec![]);
    }
    let mut fighting = vec![];
    for row in session.client.query(TRIGGERS, &[&fill.table]).await? {
        let (table, trigger): (String, String) = (row.get(0), row.get(1));
        let off = format!("BEGIN; ALTER TABLE {table} DISABLE TRIGGER {trigger}; {}", fill.whole());
        // Without it the rest may fail, which says nothing of it.
        if session.client.batch_execute(&off).await.is_ok() && !left().await? {
            fighting.push(format!("{trigger} ON {table}"));
        }
        session.client.batch_execute("ROLLBACK").await?;
    }
    Ok(fighting)
}

/// What the step is for, for people.
pub(super) fn work(step: &Step) -> &str {
    step.summary.as_deref().unwrap_or(&step.sql)
}
