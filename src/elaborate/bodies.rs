//! What the server says of the bodies of routines, once all that they may refer to is there. A declaration loads without
//! its bodies being looked at, since they may refer to what comes later.

use globset::GlobSet;
use serde::{Deserialize, Serialize};
use tokio_postgres::error::{Error, ErrorPosition, SqlState};

use crate::connect::Session;
use crate::diagnostic::Report;
use crate::name::{Literal, Name};
use crate::schema::Schema;
use crate::source::{Declaration, Rank, Span, Statement};

mod absent;

/// What was found in all bodies.
#[derive(Default)]
pub struct Found {
    /// Bodies that are not of their language.
    pub faults: Vec<Report>,
    /// What bodies refer to and isn't there; it may be there when they run, such as a temporary table.
    pub absent: Vec<Absent>,
}

/// A name in a body that nothing goes by.
#[derive(Debug, Serialize, Deserialize)]
pub struct Absent {
    /// As the declaration names it: `function app.f(integer)`.
    pub routine: String,
    pub span: Span,
    pub label: String,
    /// The parts of the name; none where only the server's words tell it.
    pub parts: Vec<String>,
}

/// Warnings of absent names, one for each routine. Not of what stands `outside` of the scope or is to be ignored, nor of
/// namespaces of which the declaration says nothing.
pub fn warnings(absent: &[Absent], declaration: &Declaration, outside: &Schema, ignore: &GlobSet) -> Vec<Report> {
    // A trigger or a policy may be on somebody else's table.
    let declares = || declaration.statements.iter().flat_map(|it| &it.names.declares).filter(|it| it.on.is_none());
    let declared = || declares().filter_map(|it| it.namespace.as_deref());
    let is_ours = |parts: &[String]| match parts {
        [namespace, _, ..] => namespace == "public" || declared().any(|it| it == namespace),
        [_] | [] => true,
    };
    let elsewhere = |parts: &[String]| match parts {
        [] => false,
        [name] => {
            outside.objects.keys().any(|id| id.path.get(1).is_some_and(|it| it.as_str() == name))
                || declared().chain(["public"]).any(|it| ignore.is_match(format!("{it}.{name}")))
        }
        [namespace, name, ..] => {
            let named = |path: &[Name]| matches!(path, [a, b, ..] if a.as_str() == namespace && b.as_str() == name);
            ignore.is_match(format!("{namespace}.{name}")) || outside.objects.keys().any(|id| named(&id.path))
        }
    };
    let mut reports: Vec<(&str, Report)> = vec![];
    for it in absent.iter().filter(|it| is_ours(&it.parts) && !elsewhere(&it.parts)) {
        let place = declaration.place(it.span, it.label.as_str());
        match reports.last_mut().filter(|last| last.0 == it.routine) {
            Some((_, report)) => report.places.push(place),
            None => {
                let message = format!("{} refers to what is declared nowhere", it.routine);
                let mut report = Report::warning("elaborate::absent", message).help(
                    "it fails when it runs, unless its caller has made what is missing, such as a temporary table",
                );
                report.places.push(place);
                reports.push((&it.routine, report));
            }
        }
    }
    reports.into_iter().map(|it| it.1).collect()
}

/// What a statement makes, as the declaration names it.
fn routine(statement: &Statement) -> String {
    statement.names.declares.first().map_or_else(|| "a routine".to_owned(), ToString::to_string)
}

/// Has the server read every body of a declaration that is loaded in the session's database. Nothing is changed there.
pub async fn check(session: &Session, declaration: &Declaration) -> Result<Found, Error> {
    let mut found = Found::default();
    for statement in declaration.statements.iter().filter(|it| it.names.rank == Rank::Routine) {
        let Some((sql, added)) = again(&statement.sql) else { continue };
        let own = statement.search_path.as_deref().unwrap_or("\"$user\", public");
        let Err(error) = read(session, &sql, own).await? else { continue };
        let span = statement.span_at(position(&error).map(|it| if it > added { it - added } else { it }));
        let message = error.as_db_error().map_or_else(|| error.to_string(), |it| it.message().to_owned());
        if error.code() == Some(&SqlState::SYNTAX_ERROR) {
            let mut report = Report::error("elaborate::body", message);
            report.places.push(declaration.place(span, "here"));
            found.faults.push(report);
        } else if is_missing(&error) && read(session, &sql, &everywhere(session).await?).await?.is_err() {
            found.absent.push(Absent { routine: routine(statement), span, label: message, parts: vec![] });
        }
    }
    found.absent.extend(absent::absent(session, declaration).await?);
    Ok(found)
}

/// The statement once more, and how many characters that added to it.
fn again(sql: &str) -> Option<(String, u32)> {
    const REPLACE: &str = " OR REPLACE";
    let rest = sql.get(..6).filter(|it| it.eq_ignore_ascii_case("create")).map(|_| &sql[6..])?;
    let mut words = rest.split_whitespace();
    match words.next().map(str::to_ascii_lowercase).as_deref() {
        Some("or") => Some((sql.to_owned(), 0)),
        Some("function" | "procedure") => Some((format!("CREATE{REPLACE}{rest}"), REPLACE.len() as u32)),
        _ => None,
    }
}

/// Runs a statement with its body looked at, and takes it back.
async fn read(session: &Session, sql: &str, search_path: &str) -> Result<Result<(), Error>, Error> {
    let path = Literal(search_path);
    session
        .client
        .batch_execute(&format!(
            "BEGIN; SET LOCAL check_function_bodies = on; SELECT pg_catalog.set_config('search_path', {path}, true)"
        ))
        .await?;
    let ran = session.client.batch_execute(sql).await;
    session.client.batch_execute("ROLLBACK").await?;
    match ran {
        Err(error) if error.as_db_error().is_none() => Err(error),
        ran => Ok(ran),
    }
}

/// Whoever runs a routine decides where its bare names are looked up.
async fn everywhere(session: &Session) -> Result<String, Error> {
    const NAMESPACES: &str = "SELECT coalesce(string_agg(quote_ident(nspname), ', ' ORDER BY nspname), '')
          FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    Ok(session.client.query_one(NAMESPACES, &[]).await?.get(0))
}

fn is_missing(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            &SqlState::UNDEFINED_TABLE
                | &SqlState::UNDEFINED_COLUMN
                | &SqlState::UNDEFINED_FUNCTION
                | &SqlState::UNDEFINED_OBJECT
        )
    )
}

fn position(error: &Error) -> Option<u32> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(at) => Some(*at),
        ErrorPosition::Internal { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_replaces_what_it_made() {
        assert_eq!(again("create  FUNCTION f()").unwrap(), ("CREATE OR REPLACE  FUNCTION f()".to_owned(), 11));
        assert_eq!(again("CREATE OR REPLACE PROCEDURE p()").unwrap().1, 0);
        assert!(again("ALTER FUNCTION f() STRICT").is_none());
        assert!(again("CREATE AGGREGATE a(integer) (SFUNC = f)").is_none());
        assert!(again("é").is_none());
    }
}
