//! Runs scripts as they stand on a copy of the live schema, and tells what each statement was seen to do. An edge.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::connect::Session;
use crate::diff::{Change, diff};
use crate::introspect::{IntrospectError, introspect, introspect_within, server_message};
use crate::kind::ObjectId;
use crate::lock::{Lock, RelationLock};
use crate::name::{Literal, QName};
use crate::proof::watch::{self, Outside, Relations, locks, relations, said};
use crate::queries::explained::Explained;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::source::syntax::byte_offset;

use super::script::{self, Control, Script, Statement};

/// Why scripts could not be tried.
#[derive(Debug, Error, Diagnostic)]
pub enum TrialError {
    #[error("the trial's session failed: {}", server_message(.0))]
    #[diagnostic(code(lint::session))]
    Session(#[from] tokio_postgres::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),
}

/// What came of a script.
#[derive(Debug)]
pub struct Tried {
    /// The managed schema before it.
    pub start: Rc<Schema>,
    /// Of each statement; none of one that was not run.
    pub statements: Vec<Option<Ran>>,
    /// Whether its last transaction was left open.
    pub unfinished: bool,
}

/// What a statement was seen to do to what stood before the first script.
#[derive(Debug)]
pub struct Ran {
    pub failed: Option<Refusal>,
    /// The number of the transaction that the script itself has begun.
    pub transaction: Option<usize>,
    /// The locks that it took beyond those which its transaction held.
    pub locks: Vec<RelationLock>,
    pub rewrites: Vec<QName>,
    pub scans: Vec<QName>,
    /// Tables that it would read whole to find the rows which it changes, however many there were.
    pub whole: Vec<QName>,
    /// Whether it had a lock_timeout.
    pub timed: bool,
    /// What the server said of names that it cut.
    pub cut: Vec<String>,
    /// The managed schema after it.
    pub after: Rc<Schema>,
    /// What of it differs from the one before.
    pub changes: Vec<(ObjectId, Change)>,
}

/// What the server says against a statement.
#[derive(Debug)]
pub struct Refusal {
    pub message: String,
    pub help: Option<String>,
    /// Byte offset into the statement.
    pub at: Option<usize>,
    pub code: SqlState,
}

impl Refusal {
    /// Whether it is the rows that stand against it: those were made up.
    pub fn is_of_rows(&self) -> bool {
        matches!(&self.code.code()[..2], "22" | "23")
    }
}

/// Two sessions with a copy of the live schema.
pub struct Trial<'a> {
    pub runner: &'a Session,
    pub watcher: &'a Session,
    pub scope: &'a Scope,
}

/// How far a script has come.
struct Progress {
    pid: i32,
    /// The relations that stood before the first script.
    existing: BTreeSet<u32>,
    number: usize,
    transaction: Option<usize>,
    held: BTreeMap<u32, Lock>,
    schema: Rc<Schema>,
}

/// What a statement was seen to do, by oid.
#[derive(Default)]
struct Sight {
    locks: BTreeMap<u32, Lock>,
    rewrites: BTreeSet<u32>,
    scans: BTreeSet<u32>,
    whole: Vec<QName>,
    cut: Vec<String>,
}

impl Trial<'_> {
    /// Runs the scripts, one after the other in one database, each in a session as new.
    ///
    /// Errors: only what has nothing to do with the scripts.
    pub async fn run(&self, scripts: &[Script]) -> Result<Vec<Tried>, TrialError> {
        let client = &self.runner.client;
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let existing = relations(self.runner).await?.into_keys().collect();
        let mut progress = Progress {
            pid,
            existing,
            number: 0,
            transaction: None,
            held: BTreeMap::new(),
            schema: Rc::new(self.read(false).await?),
        };
        let mut tried = vec![];
        for script in scripts {
            let start = Rc::clone(&progress.schema);
            client.batch_execute("RESET ALL").await?;
            let mut statements = vec![];
            for statement in &script.statements {
                statements.push(match statement.beyond() {
                    Some(_) => None,
                    None => Some(self.statement(statement, &mut progress).await?),
                });
            }
            let unfinished = progress.transaction.take().is_some();
            if unfinished {
                client.batch_execute("ROLLBACK").await?;
                progress.schema = Rc::new(self.read(false).await?);
            }
            tried.push(Tried { start, statements, unfinished });
        }
        Ok(tried)
    }

    async fn read(&self, within: bool) -> Result<Schema, TrialError> {
        let client = &self.runner.client;
        let reading = match within {
            true => introspect_within(client).await?,
            false => introspect(client, false).await?,
        };
        let mut schema = self.scope.split(&reading.schema).0;
        schema.unmanaged = reading.schema.unmanaged;
        Ok(schema)
    }

    async fn statement(&self, statement: &Statement, progress: &mut Progress) -> Result<Ran, TrialError> {
        // What the script says of it holds for what it is told, which nobody reads here.
        self.runner.client.batch_execute("SET client_min_messages = debug1").await?;
        self.runner.notices.drain();
        let before = relations(self.runner).await?;
        let timeout = "SELECT current_setting('lock_timeout') <> '0'";
        let timed = self.runner.client.query_typed_one(timeout, &[]).await?.get(0);
        let transaction = progress.transaction;
        let mut sight = Sight::default();
        let ran = match statement.control() {
            Some(control) => self.control(statement, control, progress).await,
            None if transaction.is_some() => self.within(statement, progress, &before, &mut sight).await?,
            None => self.alone(statement, progress, &before, &mut sight).await?,
        };
        let failed = match ran {
            Ok(()) => None,
            Err(error) => Some(refusal(error, &statement.sql)?),
        };
        let mut changes = vec![];
        let ends = matches!(statement.control(), Some(Control::End { .. }));
        if failed.is_none() && (ends || statement.control() == Some(Control::Within) || !statement.is_query()) {
            let now = self.read(progress.transaction.is_some()).await?;
            // What is not managed counts, too: tenants can see through a foreign table.
            if now != *progress.schema {
                changes = diff(&progress.schema, &now).into_iter().collect();
                progress.schema = Rc::new(now);
            }
        }
        let name = |oid: &u32| {
            let relation = before.get(oid).filter(|_| progress.existing.contains(oid))?;
            Some(relation.name.clone())
        };
        let names = |oids: &BTreeSet<u32>| {
            oids.iter().filter_map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        let locks =
            sight.locks.iter().filter_map(|(oid, mode)| Some(RelationLock { relation: name(oid)?, mode: *mode }));
        let mut locks: Vec<RelationLock> = locks.collect();
        locks.sort();
        Ok(Ran {
            failed,
            transaction: transaction.or(progress.transaction),
            locks,
            rewrites: names(&sight.rewrites),
            scans: names(&(&sight.scans - &sight.rewrites)),
            whole: sight.whole,
            timed,
            cut: sight.cut,
            after: Rc::clone(&progress.schema),
            changes,
        })
    }

    async fn control(
        &self,
        statement: &Statement,
        control: Control,
        progress: &mut Progress,
    ) -> Result<(), tokio_postgres::Error> {
        let ran = self.runner.client.batch_execute(&statement.sql).await;
        match control {
            Control::Begin if progress.transaction.is_none() => {
                progress.number += 1;
                progress.transaction = Some(progress.number);
                progress.held.clear();
            }
            Control::End { chain } => {
                progress.number += usize::from(chain);
                progress.transaction = chain.then_some(progress.number);
                progress.held.clear();
            }
            Control::Begin | Control::Within => {}
        }
        ran
    }

    /// Runs a statement in the transaction that the script has begun. One that fails is as if it had not been there, so
    /// that what follows is seen, too.
    async fn within(
        &self,
        statement: &Statement,
        progress: &mut Progress,
        before: &Relations,
        sight: &mut Sight,
    ) -> Result<Result<(), tokio_postgres::Error>, TrialError> {
        let client = &self.runner.client;
        client.batch_execute("SAVEPOINT tenantry_statement").await?;
        let ran = match self.explained(statement, sight).await {
            Ok(()) => client.batch_execute(&statement.sql).await,
            Err(error) => Err(error),
        };
        match ran {
            Ok(()) => {
                self.look(progress, before, sight).await?;
                client.batch_execute("RELEASE SAVEPOINT tenantry_statement").await?;
                Ok(Ok(()))
            }
            Err(error) => {
                client.batch_execute("ROLLBACK TO SAVEPOINT tenantry_statement").await?;
                Ok(Err(error))
            }
        }
    }

    /// Runs a statement that stands in no transaction: in one of its own where it lets itself be, so that its locks
    /// can be seen.
    async fn alone(
        &self,
        statement: &Statement,
        progress: &mut Progress,
        before: &Relations,
        sight: &mut Sight,
    ) -> Result<Result<(), tokio_postgres::Error>, TrialError> {
        let client = &self.runner.client;
        progress.held.clear();
        client.batch_execute("BEGIN").await?;
        let ran = self.within(statement, progress, before, sight).await?;
        match ran {
            Ok(()) => Ok(client.batch_execute("COMMIT").await),
            Err(error) => {
                client.batch_execute("ROLLBACK").await?;
                let commits = [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION];
                match error.code().is_some_and(|it| commits.contains(it)) {
                    true => self.outside(statement, progress, before, sight).await,
                    false => Ok(Err(error)),
                }
            }
        }
    }

    /// Runs a statement that commits by itself.
    async fn outside(
        &self,
        statement: &Statement,
        progress: &Progress,
        before: &Relations,
        sight: &mut Sight,
    ) -> Result<Result<(), tokio_postgres::Error>, TrialError> {
        *sight = Sight::default();
        self.runner.notices.drain();
        let tables = self.tables(statement).await?;
        let outside =
            Outside { sql: &statement.sql, relations: tables.iter().collect(), about: tables.first(), asks: true };
        match watch::outside(self.runner, self.watcher, progress.pid, outside, before).await {
            Ok(seen) => {
                sight.locks = seen.locks;
                sight.rewrites = &seen.rewrites | &seen.said.rewrites;
                sight.scans = seen.said.scans;
                Ok(Ok(()))
            }
            Err(error) if error.as_db_error().is_some() => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The tables that a statement names, or whose indexes it does.
    async fn tables(&self, statement: &Statement) -> Result<Vec<QName>, tokio_postgres::Error> {
        let mut found = vec![];
        for (namespace, name) in script::relations(statement) {
            let text = match namespace {
                Some(namespace) => format!("{namespace}.{name}"),
                None => name.to_string(),
            };
            let sql = format!(
                "SELECT n.nspname::text, c.relname::text
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass({0})),
                                         to_regclass({0}))",
                Literal(&text)
            );
            let row = self.runner.client.query_opt(&sql, &[]).await?;
            found.extend(row.map(|row| QName::new(row.get::<_, String>(0), row.get::<_, String>(1))));
        }
        Ok(found)
    }

    /// Which tables a statement would go through to find the rows that it changes: those for which no index will do.
    async fn explained(&self, statement: &Statement, sight: &mut Sight) -> Result<(), tokio_postgres::Error> {
        if statement.writes_rows().is_none() {
            return Ok(());
        }
        let client = &self.runner.client;
        client.batch_execute("SAVEPOINT tenantry_explains; SET LOCAL enable_seqscan = off").await?;
        let answer = client.simple_query(&format!("EXPLAIN (FORMAT JSON, VERBOSE) {}", statement.sql)).await;
        client
            .batch_execute("ROLLBACK TO SAVEPOINT tenantry_explains; RELEASE SAVEPOINT tenantry_explains")
            .await?;
        // What can't be explained can't be run: that will tell why.
        let json: String = answer
            .iter()
            .flatten()
            .filter_map(|it| match it {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        let explained = Explained::read(&json, &BTreeSet::new()).unwrap_or_default();
        let whole: BTreeSet<QName> = explained.whole.into_iter().map(|(table, _)| table).collect();
        sight.whole = whole.into_iter().collect();
        Ok(())
    }

    /// What the statement that just ran in a transaction did.
    async fn look(
        &self,
        progress: &mut Progress,
        before: &Relations,
        sight: &mut Sight,
    ) -> Result<(), tokio_postgres::Error> {
        let notices = self.runner.notices.drain();
        sight.cut.extend(notices.iter().filter(|it| is_cut(it)).map(|it| it.message().to_owned()));
        let now = relations(self.runner).await?;
        let said = said(self.runner, &notices, &now, None).await?;
        for (relation, mode) in locks(self.runner, progress.pid, false).await? {
            let known = progress.held.get(&relation).copied();
            if known.is_none_or(|known| known < mode) {
                progress.held.insert(relation, mode);
                sight.locks.insert(relation, mode);
            }
        }
        // Of several relations with one name, it spoke of one that the transaction has locked.
        sight.scans = said.scans.into_iter().filter(|oid| progress.held.contains_key(oid)).collect();
        sight.rewrites = said.rewrites.into_iter().filter(|oid| progress.held.contains_key(oid)).collect();
        let anew = now.iter().filter(|(oid, it)| before.get(oid).is_some_and(|old| old.filenode != it.filenode));
        sight.rewrites.extend(anew.map(|(oid, _)| *oid));
        Ok(())
    }
}

fn is_cut(notice: &DbError) -> bool {
    *notice.code() == SqlState::NAME_TOO_LONG
}

/// Errors: the connection broke, which no statement has done.
fn refusal(error: tokio_postgres::Error, sql: &str) -> Result<Refusal, tokio_postgres::Error> {
    let Some(db) = error.as_db_error() else { return Err(error) };
    let at = match db.position() {
        Some(ErrorPosition::Original(at)) => Some(byte_offset(sql, *at as usize)),
        Some(ErrorPosition::Internal { .. }) | None => None,
    };
    Ok(Refusal {
        message: db.message().to_owned(),
        help: db.hint().or(db.detail()).map(str::to_owned),
        at,
        code: db.code().clone(),
    })
}
