//! What the statements of a session are seen to do to relations: the locks that it holds, files that were exchanged,
//! what the server says at `client_min_messages = debug1`.
#![expect(clippy::disallowed_methods, reason = "an edge: it waits for a statement to wait")]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_postgres::error::DbError;

use crate::connect::Session;
use crate::lock::Lock;
use crate::name::{Literal, QName};

/// A sequence gets a new file whenever it is altered: one page, which is no rewrite that anyone waits for.
const RELATIONS: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text,
           CASE WHEN c.relkind = 'S' THEN 0::oid ELSE c.relfilenode END
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f')
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const LOCKS: &str = "
    SELECT relation, mode FROM pg_locks
     WHERE pid = $1 AND locktype = 'relation' AND (granted OR $2)
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

pub(crate) struct Relation {
    pub name: QName,
    pub filenode: u32,
}

/// The relations of a database, by oid.
pub(crate) type Relations = BTreeMap<u32, Relation>;

/// What a statement was seen to do.
#[derive(Default)]
pub(crate) struct Seen {
    pub locks: BTreeMap<u32, Lock>,
    pub rewrites: BTreeSet<u32>,
    pub said: Said,
}

/// What the server said of a statement.
#[derive(Default)]
pub(crate) struct Said {
    pub rewrites: BTreeSet<u32>,
    pub scans: BTreeSet<u32>,
}

pub(crate) async fn relations(session: &Session) -> Result<Relations, tokio_postgres::Error> {
    let rows = session.client.query(RELATIONS, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let name = QName::new(row.get::<_, String>(1), row.get::<_, String>(2));
            (row.get(0), Relation { name, filenode: row.get(3) })
        })
        .collect())
}

/// The locks that the backend `pid` holds; those that it `asks` for too.
pub(crate) async fn locks(
    session: &Session,
    pid: i32,
    asks: bool,
) -> Result<Vec<(u32, Lock)>, tokio_postgres::Error> {
    let rows = session.client.query(LOCKS, &[&pid, &asks]).await?;
    Ok(rows.iter().filter_map(|row| Some((row.get(0), Lock::from_pg(row.get(1))?))).collect())
}

/// What the server told at debug1, as relations. The server names them without their namespace: where several share the
/// name, the one that the step is about is meant, and else those that it has locked, which is the caller's to see to.
pub(crate) async fn said(
    session: &Session,
    notices: &[DbError],
    relations: &Relations,
    about: Option<&QName>,
) -> Result<Said, tokio_postgres::Error> {
    let mut said = Said::default();
    let find = |name: &str| {
        let same: Vec<_> = relations.iter().filter(|(_, it)| it.name.name.as_str() == name).collect();
        let is_meant = |it: &Relation| about.is_some_and(|about| it.name == *about);
        let any = same.iter().any(|(_, it)| is_meant(it));
        same.into_iter().filter(|(_, it)| !any || is_meant(it)).map(|(oid, _)| *oid).collect::<Vec<_>>()
    };
    for notice in notices {
        let message = notice.message();
        if let Some(table) = quoted(message, "rewriting table \"") {
            said.rewrites.extend(find(table));
        } else if let Some(table) = quoted(message, "verifying table \"") {
            said.scans.extend(find(table));
        } else if message.starts_with("building index \"") {
            said.scans.extend(quoted(message, "on table \"").into_iter().flat_map(find));
        } else if let Some(name) = quoted(message, "validating foreign key constraint \"") {
            // Many tables can have a constraint of that name; the one in question holds rows and is locked, more than to
            // look for partners in it. Where several are, it is what the step is about, or below that. A partition's own
            // that a later one above it took for its part was not looked at.
            let about = Literal(&about.map(QName::to_string).unwrap_or_default());
            let query = format!(
                "SELECT DISTINCT conrelid,
                        conrelid = to_regclass({about})
                        OR conrelid IN (SELECT relid FROM pg_partition_tree(to_regclass({about})))
                   FROM pg_constraint con JOIN pg_locks ON relation = conrelid
                   JOIN pg_class c ON c.oid = conrelid AND c.relkind = 'r'
                  WHERE contype = 'f' AND conname = {} AND pid = pg_backend_pid()
                    AND mode NOT IN ('AccessShareLock', 'RowShareLock')
                    AND NOT EXISTS (
                        WITH RECURSIVE above AS (
                            SELECT con.oid, con.conparentid
                            UNION ALL
                            SELECT p.oid, p.conparentid FROM above JOIN pg_constraint p ON p.oid = above.conparentid)
                        SELECT FROM above WHERE above.oid > con.oid)",
                Literal(name)
            );
            let mut tables = session.client.query(&query, &[]).await?;
            let is_meant = |row: &tokio_postgres::Row| row.get::<_, Option<bool>>(1) == Some(true);
            if tables.iter().any(is_meant) {
                tables.retain(is_meant);
            }
            said.scans.extend(tables.iter().map(|row| row.get::<_, u32>(0)));
        }
    }
    Ok(said)
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    let rest = &message[message.find(before)? + before.len()..];
    rest.split('"').next()
}

/// A statement that commits by itself.
pub(crate) struct Outside<'a> {
    pub sql: &'a str,
    /// What it works on.
    pub relations: Vec<&'a QName>,
    pub about: Option<&'a QName>,
    /// Whether the locks that it waits for count as taken.
    pub asks: bool,
}

/// Runs a statement that commits by itself. A writer's lock on its tables makes it wait in the middle, where the
/// watcher sees which locks it holds.
pub(crate) async fn outside(
    runner: &Session,
    watcher: &Session,
    pid: i32,
    statement: Outside<'_>,
    before: &Relations,
) -> Result<Seen, tokio_postgres::Error> {
    let mut held = vec![];
    for relation in &statement.relations {
        let kind = watcher
            .client
            .query_opt(
                &format!(
                    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = {} AND c.relname = {} AND c.relkind IN ('r', 'p')",
                    Literal(relation.namespace.as_str()),
                    Literal(relation.name.as_str())
                ),
                &[],
            )
            .await?;
        held.extend(kind.map(|_| format!("LOCK TABLE {relation} IN ROW EXCLUSIVE MODE")));
    }
    // An older snapshot holds up builds on what can't be locked so: a materialized view.
    held.push("SELECT 1".into());
    let hold = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {}", held.join("; "));
    watcher.client.batch_execute(&hold).await?;
    let ended = Cell::new(false);
    let run = async {
        let ran = runner.client.batch_execute(statement.sql).await;
        ended.set(true);
        ran
    };
    let watch = async {
        let mut seen: BTreeMap<u32, Lock> = BTreeMap::new();
        // The statement waits within milliseconds, or ends; the bound is for one that does neither.
        for _ in 0..5_000 {
            let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)";
            let waits: bool = watcher.client.query_one(waits, &[&pid]).await?.get(0);
            for (relation, mode) in locks(watcher, pid, statement.asks).await? {
                let known = seen.entry(relation).or_insert(mode);
                *known = (*known).max(mode);
            }
            if waits || ended.get() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watcher.client.batch_execute("COMMIT").await?;
        Ok::<_, tokio_postgres::Error>(seen)
    };
    let (ran, seen) = tokio::join!(run, watch);
    ran?;
    let seen = seen?;
    let mut said = said(runner, &runner.notices.drain(), before, statement.about).await?;
    said.scans.retain(|oid| seen.contains_key(oid));
    said.rewrites.retain(|oid| seen.contains_key(oid));
    let now = relations(runner).await?;
    let rewrites = before
        .iter()
        .filter(|(oid, it)| now.get(oid).is_some_and(|after| after.filenode != it.filenode))
        .map(|(oid, _)| *oid)
        .collect();
    Ok(Seen { locks: seen, rewrites, said })
}
