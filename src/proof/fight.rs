//! Triggers of the user's that keep a step from its work: they take back what it writes, or refuse it. Seen where rows are
//! still to be changed after the step, or it fails, and not so when the triggers are switched off.

use crate::connect::Session;
use crate::plan::Step;
use crate::plan::batch::Batch;

/// The triggers that run for an update of a table `$1` or of what is below it, but for those that check foreign keys.
const TRIGGERS: &str = "
    WITH RECURSIVE family AS (
        SELECT to_regclass($1::text)::oid AS oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.oid)
    SELECT format('%I.%I', n.nspname, c.relname), format('%I', t.tgname)
      FROM family f JOIN pg_catalog.pg_trigger t ON t.tgrelid = f.oid
      JOIN pg_catalog.pg_class c ON c.oid = f.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgparentid = 0 AND t.tgtype & 16 = 16
     ORDER BY 1, 2";

/// A trigger, as SQL writes its table and it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fighting {
    table: String,
    trigger: String,
}

impl Fighting {
    pub(super) fn named(&self) -> String {
        format!("{} ON {}", self.trigger, self.table)
    }

    fn off(&self) -> String {
        format!("ALTER TABLE {} DISABLE TRIGGER {}", self.table, self.trigger)
    }
}

/// Those that keep a step which changes rows from its work: after it ran, or where it `failed`.
pub(super) async fn fighting(
    session: &Session,
    step: &Step,
    failed: bool,
) -> Result<Vec<Fighting>, tokio_postgres::Error> {
    let Some(fill) = step.fill() else { return Ok(vec![]) };
    if !failed && !is_left(session, fill).await? {
        return Ok(vec![]);
    }
    let rows = session.client.query(TRIGGERS, &[&fill.table]).await?;
    let all: Vec<Fighting> = rows.iter().map(|it| Fighting { table: it.get(0), trigger: it.get(1) }).collect();
    let mut alone = vec![];
    for it in &all {
        if works_without(session, fill, std::slice::from_ref(it)).await? {
            alone.push(it.clone());
        }
    }
    if !alone.is_empty() || !works_without(session, fill, &all).await? {
        return Ok(alone);
    }
    // It takes several: all of those that can't stay.
    let mut off = all.clone();
    for it in &all {
        let fewer: Vec<Fighting> = off.iter().filter(|other| *other != it).cloned().collect();
        if works_without(session, fill, &fewer).await? {
            off = fewer;
        }
    }
    Ok(off)
}

/// Switches triggers off for good, so that what follows is seen.
pub(super) async fn switch_off(session: &Session, off: &[Fighting]) -> Result<(), tokio_postgres::Error> {
    for it in off {
        session.client.batch_execute(&it.off()).await?;
    }
    Ok(())
}

async fn is_left(session: &Session, fill: &Batch) -> Result<bool, tokio_postgres::Error> {
    let is_left = format!("SELECT EXISTS (SELECT FROM {} WHERE {})", fill.table, fill.pending);
    Ok(session.client.query_one(&is_left, &[]).await?.get(0))
}

async fn works_without(session: &Session, fill: &Batch, off: &[Fighting]) -> Result<bool, tokio_postgres::Error> {
    let off: Vec<String> = off.iter().map(Fighting::off).collect();
    let tried = format!("BEGIN; {}; {}", off.join("; "), fill.whole());
    // Without them the rest may fail, which says nothing of them.
    let works = session.client.batch_execute(&tried).await.is_ok() && !is_left(session, fill).await?;
    session.client.batch_execute("ROLLBACK").await?;
    Ok(works)
}
