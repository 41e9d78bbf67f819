//! Loads schemas into the shadow: the declared one, statement by statement with each error at its place in the user's
//! file; and copies of described ones, made from steps.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ptr;

use futures_util::future::join_all;
use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::connect::Session;
use crate::diagnostic::Report;
use crate::introspect::{IntrospectError, Reading, introspect, server_message};
use crate::kind::{ObjectId, foreign_partition};
use crate::name::{Literal, Name};
use crate::plan::origin::Origins;
use crate::plan::{self, PlanError, Planned};
use crate::platform::Platform;
use crate::proof::observe;
use crate::schema::{Facts, Schema};
use crate::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowError};
use crate::source::{Declaration, Rank, Statement};

pub mod bodies;
pub mod kept;
mod nowhere;

use bodies::Absent;

/// Why a schema could not be brought onto the shadow.
#[derive(Debug, Error, Diagnostic)]
pub enum ElaborateError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),
    #[error("the shadow could not be prepared: {}", server_message(.0))]
    #[diagnostic(code(elaborate::session))]
    Session(#[from] tokio_postgres::Error),
    /// The declaration is wrong in the eyes of the server.
    #[error("the declared schema does not load")]
    Declaration(Vec<Report>),
    #[error("the schema of the live side can't be made again from its description")]
    Plan(Vec<PlanError>),
}

/// A described schema copied onto the shadow.
pub struct Copy {
    pub database: ShadowDatabase,
    /// What the copy was read back as.
    pub reading: Reading,
    /// What could not be made there: the object's step, and why.
    pub missing: Vec<(ObjectId, String)>,
}

/// Makes the roles of the live side exist on the shadow. Who loads a schema there must be able to make all of it, so
/// the creator becomes a superuser; the proof of isolation uses roles of its own.
pub async fn roles(shadow: &Shadow, roles: &[RoleSpec], creator: &str) -> Result<(), ShadowError> {
    let mut wanted: Vec<RoleSpec> = roles.to_vec();
    if !wanted.iter().any(|role| role.name.as_str() == creator) {
        wanted.push(RoleSpec::named(creator));
    }
    for role in &mut wanted {
        role.superuser |= role.name.as_str() == creator;
    }
    shadow.ensure_roles(&wanted).await
}

/// Makes a new database look like one of a platform's, with its roles.
pub async fn platform(
    shadow: &Shadow,
    database: &ShadowDatabase,
    platform: Platform,
) -> Result<(), ElaborateError> {
    shadow.ensure_roles(&platform.facts().roles).await?;
    let session = database.connect().await?;
    for part in platform.sql() {
        session.client.batch_execute(part).await?;
    }
    Ok(())
}

/// Makes a database that holds the described objects. What can't be made is told, not fatal. What is unmanaged is made as
/// well, as far as that is known: a step may be the first to use it.
pub async fn copy(shadow: &Shadow, label: &str, described: &Schema) -> Result<Copy, ElaborateError> {
    let mut beside = Beside::of(described);
    let copy = copy_with(shadow, label, described, &mut beside).await?;
    let session = copy.database.connect_as(&described.creator.0).await?;
    beside.make(&session).await;
    Ok(copy)
}

/// The same with no more of what is unmanaged than it takes.
async fn copy_with(
    shadow: &Shadow,
    label: &str,
    described: &Schema,
    beside: &mut Beside<'_>,
) -> Result<Copy, ElaborateError> {
    let database = shadow.create_database(label).await?;
    let session = database.connect_as(&described.creator.0).await?;
    let base = introspect(&session.client, false).await?.schema;
    // What a new database holds of itself is kept unless the description says otherwise of it.
    let mut wanted = described.clone();
    for (id, object) in &base.objects {
        if !described.contains(id) && !described_elsewhere(described, id) {
            wanted.objects.insert(id.clone(), object.clone());
            wanted.needs.insert(id.clone(), base.needs.get(id).cloned().unwrap_or_default());
        }
    }
    let facts = Facts::default();
    let steps = plan::make(&Schema { server_version: described.server_version, ..base }, &wanted, &facts)
        .map_err(ElaborateError::Plan)?;
    session.client.batch_execute(observe::SESSION).await?;
    let missing = run_all(&session, &steps, beside).await;
    session.client.batch_execute("RESET ALL").await?;
    let reading = introspect(&session.client, false).await?;
    Ok(Copy { database, reading, missing })
}

/// Whether the whole that an object hangs on is described, so that its absence means something.
fn described_elsewhere(described: &Schema, id: &ObjectId) -> bool {
    let [kind, path @ ..] = &id.path[..] else { return false };
    described.objects.keys().any(|it| format!("{:?}", it.kind) == kind.as_str() && *it.path == *path)
}

/// Runs steps one by one and goes on after a failure, since what failed may be needed by nothing. Where it may have
/// failed for want of something unmanaged, such as a collation, that is made and the rest tried again.
async fn run_all(session: &Session, steps: &[Planned], beside: &mut Beside<'_>) -> Vec<(ObjectId, String)> {
    let mut left: Vec<&Planned> = steps.iter().collect();
    loop {
        let ran = join_all(left.iter().map(|it| session.client.batch_execute(&it.step.sql))).await;
        let failed: Vec<_> = left.iter().zip(ran).filter_map(|(step, ran)| Some((*step, ran.err()?))).collect();
        if failed.is_empty() || !beside.make(session).await && failed.len() == left.len() {
            return failed.iter().map(|(step, error)| (step.subject.clone(), server_message(error))).collect();
        }
        left = failed.into_iter().map(|(step, _)| step).collect();
    }
}

/// Statements that make the unmanaged objects of a schema which are not made yet.
struct Beside<'a>(Vec<Cow<'a, str>>);

impl<'a> Beside<'a> {
    fn of(schema: &'a Schema) -> Self {
        let stand_ins = nowhere::stand_ins(schema);
        let is_stood_in = |it: &str| stand_ins.iter().any(|(name, _)| it == format!("foreign table {name}"));
        let others = schema.unmanaged.iter().filter(|(it, _)| stand_ins.is_empty() || !is_stood_in(it));
        let others = others.filter_map(|(_, made)| Some(Cow::Borrowed(made.as_deref()?)));
        Beside(others.chain(stand_ins.iter().map(|(_, made)| Cow::Owned(made.clone()))).collect())
    }

    /// Makes those that can be made by now; tells whether any could.
    async fn make(&mut self, session: &Session) -> bool {
        let before = self.0.len();
        loop {
            let ran = join_all(self.0.iter().map(|sql| session.client.batch_execute(sql))).await;
            let left: Vec<Cow<'_, str>> =
                self.0.iter().zip(ran).filter(|(_, ran)| ran.is_err()).map(|(sql, _)| sql.clone()).collect();
            let stuck = left.is_empty() || left.len() == self.0.len();
            self.0 = left;
            if stuck {
                return self.0.len() < before;
            }
        }
    }
}

/// The declared schema, as the shadow understands it.
pub struct Elaborated {
    pub database: ShadowDatabase,
    pub schema: Schema,
    /// What the reader should know: outside objects that the shadow could not be given.
    pub notes: Vec<String>,
    /// What bodies refer to and nobody declares.
    pub absent: Vec<Absent>,
}

/// Loads a declaration into a database of its own, beside what is outside its scope on the live side, and reads it
/// back.
///
/// Errors: everything that the server refuses, at its place in the user's files.
pub async fn declared(
    shadow: &Shadow,
    declaration: &Declaration,
    outside: &Schema,
) -> Result<Elaborated, ElaborateError> {
    // The declaration may make for itself what is unmanaged.
    let copied = copy_with(shadow, "declared", outside, &mut Beside::of(outside)).await?;
    let notes: Vec<String> =
        copied.missing.iter().map(|(id, why)| format!("the shadow could not be given {id}: {why}")).collect();
    let session = copied.database.connect_as(&outside.creator.0).await?;
    session.client.batch_execute("SET check_function_bodies = off; SET client_min_messages = warning").await?;
    let failed = load(&session, &declaration.statements, Beside::of(outside)).await?;
    if !failed.is_empty() {
        // What needs a statement that failed fails with it, and would say nothing new.
        let follows =
            |it: &Statement| failed.iter().any(|(other, _)| !ptr::eq(*other, it) && it.names.needs(&other.names));
        let mut causes: Vec<_> = failed.iter().filter(|(statement, _)| !follows(statement)).collect();
        let is_circle = causes.is_empty();
        if is_circle {
            causes = circle(&failed);
        }
        let origins = Origins::new(declaration);
        let told = causes.into_iter().map(|(statement, error)| {
            let report = report(declaration, statement, error);
            match taken(&origins, statement, error, outside) {
                _ if is_circle => report.help(way_out(statement)),
                Some(id) => report.help(format!(
                    "{id} is on the live side, outside of what is managed: leave it out of the declaration; or take it \
                     out of `ignore`, or add its namespace to [manage] namespaces, in tenantry.toml"
                )),
                None => report,
            }
        });
        let reports = told.collect();
        return Err(ElaborateError::Declaration(reports));
    }
    let found = bodies::check(&session, declaration).await?;
    if !found.faults.is_empty() {
        return Err(ElaborateError::Declaration(found.faults));
    }
    // What the shadow lacks, bodies may refer to.
    let absent = if copied.missing.is_empty() { found.absent } else { vec![] };
    session.client.batch_execute("RESET ALL").await?;
    let mut schema = introspect(&session.client, false).await?.schema;
    foreign_partition::as_meant(&mut schema);
    Ok(Elaborated { database: copied.database, schema, notes, absent })
}

/// Sends all statements at once, then again those that failed, as long as that helps: an order by names can't know
/// what only the server resolves. What the declaration takes for granted and nobody manages comes from the live side.
async fn load<'a>(
    session: &Session,
    statements: &'a [Statement],
    mut beside: Beside<'_>,
) -> Result<Vec<(&'a Statement, tokio_postgres::Error)>, tokio_postgres::Error> {
    let mut left: Vec<&Statement> = statements.iter().collect();
    loop {
        let mut path: Option<&str> = None;
        let mut sent = vec![];
        for statement in &left {
            let wanted = statement.search_path.as_deref().unwrap_or("\"$user\", public");
            let set = (path != Some(wanted))
                .then(|| format!("SELECT pg_catalog.set_config('search_path', {}, false)", Literal(wanted)));
            path = Some(wanted);
            sent.push((*statement, set));
        }
        let results = join_all(sent.iter().map(|(statement, set)| async move {
            // The two go to the server in order, since a connection keeps the order of what is sent.
            let set = set.as_ref().map(|set| session.client.batch_execute(set));
            let run = session.client.batch_execute(&statement.sql);
            match set {
                Some(set) => tokio::join!(set, run).1,
                None => run.await,
            }
        }))
        .await;
        let mut failed = vec![];
        for (statement, result) in left.iter().zip(results) {
            match result {
                Ok(()) => {}
                // A namespace that somebody else's objects stand in is there already.
                Err(error) if error.code() == Some(&SqlState::DUPLICATE_SCHEMA) => {}
                // The connection broke; that is nothing that the user's file has done.
                Err(error) if error.as_db_error().is_none() => return Err(error),
                Err(error) => failed.push((*statement, error)),
            }
        }
        if failed.is_empty() || failed.len() == left.len() && !beside.make(session).await {
            return Ok(failed);
        }
        left = failed.into_iter().map(|(statement, _)| statement).collect();
    }
}

/// What stands outside already where the server refuses to make a second one.
fn taken<'a>(
    origins: &Origins<'_>,
    statement: &Statement,
    error: &tokio_postgres::Error,
    outside: &'a Schema,
) -> Option<&'a ObjectId> {
    let twice = [SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_FUNCTION];
    let wholes = outside.objects.keys().filter(|id| outside.part_of(id).is_none());
    error
        .code()
        .filter(|code| twice.contains(code))
        .and_then(|_| wholes.into_iter().find(|id| origins.span(id, outside) == Some(statement.origin)))
}

/// Those of the statements that need themselves, by way of others.
fn circle<'a, E>(failed: &'a [(&'a Statement, E)]) -> Vec<&'a (&'a Statement, E)> {
    let is_within = |start: &&'a (&'a Statement, E)| {
        let (mut open, mut seen) = (vec![start.0], vec![]);
        while let Some(at) = open.pop() {
            for (next, _) in failed.iter().filter(|(it, _)| !ptr::eq(*it, at) && at.names.needs(&it.names)) {
                if ptr::eq(*next, start.0) {
                    return true;
                }
                if !seen.iter().any(|it| ptr::eq(*it, *next)) {
                    seen.push(*next);
                    open.push(next);
                }
            }
        }
        false
    };
    failed.iter().filter(is_within).collect()
}

/// What to do about a statement that needs itself by way of others.
fn way_out(statement: &Statement) -> &'static str {
    match statement.names.rank {
        Rank::Routine => {
            "it needs itself by way of others: write the body of one of them as a string (AS $$ … $$), which the server \
             looks into only when it runs"
        }
        _ => {
            "it needs itself by way of others: leave out of one of them what refers to the next, and declare that by a \
             statement of its own after both, such as ALTER TABLE"
        }
    }
}

fn report(declaration: &Declaration, statement: &Statement, error: &tokio_postgres::Error) -> Report {
    use tokio_postgres::error::ErrorPosition;
    let db = error.as_db_error();
    let position = db.and_then(|db| db.position()).and_then(|position| match position {
        ErrorPosition::Original(at) => Some(*at),
        ErrorPosition::Internal { .. } => None,
    });
    let message = db.map_or_else(|| error.to_string(), |db| db.message().to_owned());
    let place = declaration.place(statement.span_at(position), message.clone());
    let mut report = Report::error("elaborate::refused", format!("PostgreSQL refuses this: {message}"));
    report.places.push(place);
    let hint = db.and_then(|db| db.hint().or(db.detail())).map(str::to_owned);
    let is_extension = statement.names.rank == Rank::Extension;
    let help = match db.map(|db| db.code()) {
        Some(&SqlState::UNDEFINED_OBJECT) if message.starts_with("role ") => {
            Some("roles belong to the whole server: make it there with CREATE ROLE before planning")
        }
        Some(&SqlState::UNDEFINED_OBJECT) if message.starts_with("access method ") => Some(
            "access methods belong to extensions or are made by hand: declare the extension, or make the method on \
             the live side with CREATE ACCESS METHOD before planning",
        ),
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_FUNCTION | &SqlState::UNDEFINED_OBJECT) => Some(
            "declare it, or, if it is somebody else's, make it exist on the live side outside the managed namespaces",
        ),
        Some(&SqlState::UNDEFINED_FILE | &SqlState::FEATURE_NOT_SUPPORTED) if is_extension => Some(
            "the extension is not installed where the shadow server is: install its package there, or name a server \
             that has it with --shadow URL",
        ),
        Some(&SqlState::STATEMENT_TOO_COMPLEX) => Some(
            "it is nested deeper than the server follows: take it apart, or name a server with a larger \
             max_stack_depth with --shadow URL",
        ),
        _ => None,
    };
    let is_deep = db.is_some_and(|db| *db.code() == SqlState::STATEMENT_TOO_COMPLEX);
    match (hint, help) {
        // The server's hint says of its own machine what ours says of the shadow's.
        (_, Some(help)) if is_extension || is_deep => report.help(help),
        (Some(hint), Some(help)) => report.help(format!("{}; {help}", hint.trim_end_matches('.'))),
        (Some(hint), None) => report.help(hint),
        (None, Some(help)) => report.help(help),
        (None, None) => report,
    }
}

/// What of the live side stands outside the scope and needs nothing inside of it: what the declaration may refer to.
pub fn surroundings(live: &Schema, outside: &Schema) -> Schema {
    let mut inside: BTreeSet<&ObjectId> = BTreeSet::new();
    loop {
        let more: Vec<&ObjectId> = outside
            .objects
            .keys()
            .filter(|id| !inside.contains(id))
            .filter(|id| {
                live.needs_of(id).any(|need| {
                    let unmet = !outside.contains(need) || inside.contains(need);
                    unmet && live.contains(need) && !is_namespace(need)
                })
            })
            .collect();
        if more.is_empty() {
            break;
        }
        inside.extend(more);
    }
    let mut kept = outside.filtered(|id| !inside.contains(id));
    // The namespaces that they stand in come along, managed or not. The one that every database begins with is as the
    // live side has it, with its owner, grants and comment, unless the declaration speaks of it.
    let namespaces: BTreeSet<Name> = kept.objects.values().filter_map(|it| it.namespace()).collect();
    for (id, object) in &live.objects {
        let whole = live.whole_of(id);
        let first = is_namespace(&whole) && whole.path[0].as_str() == "public";
        if first || (is_namespace(id) && namespaces.contains(&id.path[0])) {
            kept.objects.entry(id.clone()).or_insert_with(|| object.clone());
            kept.needs.entry(id.clone()).or_insert_with(|| live.needs.get(id).cloned().unwrap_or_default());
        }
    }
    // Who owns a namespace, and who may use it, goes with that.
    let left: Vec<ObjectId> = kept
        .objects
        .keys()
        .filter(|id| {
            let whole = live.whole_of(id);
            is_namespace(&whole) && whole != **id && !kept.contains(&whole) && id.kind != whole.kind
        })
        .cloned()
        .collect();
    for id in left {
        kept.objects.remove(&id);
        kept.needs.remove(&id);
    }
    kept
}

fn is_namespace(id: &ObjectId) -> bool {
    id.kind == crate::kind::Kind::Namespace
}
