//! Why no session came about, and what to do. Nothing here can hold a password: messages are made from host, port,
//! user and database, from keywords, and from what the server said.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::settings::KEYWORDS;

/// Why no session came about.
#[derive(Debug, Error, Diagnostic)]
pub enum ConnectError {
    #[error("the connection string is malformed: {what}")]
    #[diagnostic(code(connect::syntax), help("{help}"))]
    Syntax { what: String, help: String },

    #[error("`{scheme}://` is not a PostgreSQL URL")]
    #[diagnostic(code(connect::scheme), help("write postgresql://user@host:port/dbname"))]
    Scheme { scheme: String },

    #[error("{}", unknown(.keyword, .suggestion))]
    #[diagnostic(
        code(connect::unknown_keyword),
        help(
            "the keywords are libpq's: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS; \
             a value with blanks wants single quotes"
        )
    )]
    UnknownKeyword { keyword: Option<String>, suggestion: Option<&'static str> },

    #[error("{keyword} is not supported")]
    #[diagnostic(code(connect::refused), help("{instead}"))]
    Refused { keyword: &'static str, instead: &'static str },

    #[error("`{value}` is no value for {keyword}")]
    #[diagnostic(code(connect::value), help("it has to be {expected}"))]
    Value { keyword: &'static str, value: String, expected: String },

    #[error("no user to connect as: none is given, and the operating system's user has no name")]
    #[diagnostic(code(connect::no_user), help("name one: user=… or PGUSER"))]
    NoUser,

    #[error("the file of {keyword}, {}, can't be read: {reason}", .path.display())]
    #[diagnostic(code(connect::file), help("{help}"))]
    File { keyword: &'static str, path: PathBuf, reason: String, help: String },

    #[error("the service `{service}` is not defined{}", .file.as_ref().map(|f| format!(" in {}", f.display())).unwrap_or_default())]
    #[diagnostic(
        code(connect::service),
        help("define it as [{service}] in ~/.pg_service.conf, or name another file by PGSERVICEFILE")
    )]
    NoService { service: String, file: Option<PathBuf> },

    #[error("{}:{line}: {what}", .file.display())]
    #[diagnostic(
        code(connect::service_file),
        help("a service file holds [name] lines, each followed by keyword=value lines")
    )]
    ServiceFile { file: PathBuf, line: usize, what: String },

    #[error("no server could be reached: {}", .tried.join("; "))]
    #[diagnostic(
        code(connect::unreachable),
        help(
            "check host and port, that the server runs and listens there (listen_addresses), and that no firewall is between"
        )
    )]
    Unreachable { tried: Vec<String> },

    #[error("{place}: no answer within {seconds} s")]
    #[diagnostic(code(connect::timeout), help("check host and port, or allow more time: connect_timeout=SECONDS"))]
    Timeout { place: String, seconds: u64 },

    #[error("none of the hosts is {wanted}: {}", .tried.join("; "))]
    #[diagnostic(
        code(connect::session_attrs),
        help("name the primary, or ask for another kind of server by target_session_attrs")
    )]
    SessionAttrs { wanted: &'static str, tried: Vec<String> },

    #[error("{place}: {what}")]
    #[diagnostic(code(connect::tls), help("{help}"))]
    Tls { place: String, what: String, help: String },

    #[error("{place}: the server wants a password for user `{user}`, and none is given")]
    #[diagnostic(
        code(connect::no_password),
        help("put it into ~/.pgpass (mode 0600) as host:port:database:user:password, or into PGPASSWORD")
    )]
    NoPassword { place: String, user: String },

    #[error("{place}: the password for user `{user}` is wrong, or the user does not exist")]
    #[diagnostic(code(connect::wrong_password), help("the password came from {from}"))]
    WrongPassword { place: String, user: String, from: &'static str },

    #[error("{place}: user `{user}` may not log in: {said}")]
    #[diagnostic(
        code(connect::not_admitted),
        help(
            "where the user exists, the server's pg_hba.conf decides this: it wants a line for this user, database, \
             address and use of TLS"
        )
    )]
    NotAdmitted { place: String, user: String, said: String },

    #[error("{place}: authentication failed: {what}")]
    #[diagnostic(code(connect::authentication), help("{help}"))]
    Authentication { place: String, what: String, help: &'static str },

    #[error("{place}: there is no database `{database}`")]
    #[diagnostic(code(connect::no_database), help("create it, or name another: `psql -l` lists them"))]
    NoDatabase { place: String, database: String },

    #[error("{place}: the server is not ready: {said}")]
    #[diagnostic(code(connect::not_ready), help("try again once it has started; its log says what it is at"))]
    NotReady { place: String, said: String },

    #[error("{place}: the server has no connection left: {said}")]
    #[diagnostic(
        code(connect::too_many),
        help("end sessions that are not used (pg_stat_activity shows them), or raise max_connections")
    )]
    TooMany { place: String, said: String },

    #[error("{place}: PostgreSQL {version} is too old; the oldest that is supported is 14")]
    #[diagnostic(
        code(connect::too_old),
        help("upgrade the server: releases before 14 get no security fixes any more")
    )]
    TooOld { place: String, version: String },

    #[error("{place}: this is not a PostgreSQL server that can be used: it says it is `{version}`")]
    #[diagnostic(code(connect::version), help("connect to the database itself, not to the console of a pooler"))]
    NotPostgres { place: String, version: String },

    #[error("{place}: {said}")]
    #[diagnostic(code(connect::server), help("{help}"))]
    Server { place: String, said: String, help: String },
}

fn unknown(keyword: &Option<String>, suggestion: &Option<&'static str>) -> String {
    match (keyword, suggestion) {
        (Some(keyword), Some(near)) => format!("`{keyword}` is no connection parameter; is it `{near}`?"),
        (Some(keyword), None) => format!("`{keyword}` is no connection parameter"),
        (None, _) => "the connection string holds a word that is no connection parameter".to_owned(),
    }
}

impl ConnectError {
    pub(super) fn syntax(what: impl Into<String>, help: impl Into<String>) -> Self {
        ConnectError::Syntax { what: what.into(), help: help.into() }
    }

    /// An unknown keyword. It is repeated only when it resembles a keyword or is one of other programs: it may be
    /// the rest of a password that was not quoted.
    pub(super) fn unknown_keyword(name: &str) -> Self {
        const FOREIGN: [&str; 8] = [
            "connection_limit",
            "currentSchema",
            "pgbouncer",
            "pool_timeout",
            "schema",
            "search_path",
            "socket_timeout",
            "supa",
        ];
        let near = KEYWORDS
            .iter()
            .map(|keyword| (strsim::osa_distance(name, keyword.name), keyword.name))
            .min()
            .filter(|(distance, near)| distance * 3 <= near.len())
            .map(|(_, near)| near);
        let keyword = (near.is_some() || FOREIGN.contains(&name)).then(|| name.to_owned());
        ConnectError::UnknownKeyword { keyword, suggestion: near }
    }

    /// Whether another host of the list is worth trying: this one is not there, not ready, or of another kind.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(
            self,
            ConnectError::Unreachable { .. }
                | ConnectError::Timeout { .. }
                | ConnectError::NotReady { .. }
                | ConnectError::SessionAttrs { .. }
        )
    }

    /// The one failure, or what became of each host that was tried.
    pub(super) fn all(mut failures: Vec<ConnectError>) -> ConnectError {
        if failures.len() == 1 {
            return failures.remove(0);
        }
        let wanted = failures.iter().find_map(|failure| match failure {
            ConnectError::SessionAttrs { wanted, .. } => Some(*wanted),
            _ => None,
        });
        let tried = failures
            .into_iter()
            .flat_map(|failure| match failure {
                ConnectError::SessionAttrs { tried, .. } | ConnectError::Unreachable { tried } => tried,
                other => vec![other.to_string()],
            })
            .collect();
        match wanted {
            Some(wanted) => ConnectError::SessionAttrs { wanted, tried },
            None => ConnectError::Unreachable { tried },
        }
    }

    /// What the driver met on the way to a session with `place`.
    pub(super) fn from_driver(error: &tokio_postgres::Error, attempt: &Attempt<'_>) -> Self {
        let place = attempt.place.clone();
        if let Some(said) = error.as_db_error() {
            return ConnectError::from_server(said, attempt);
        }
        let source = std::error::Error::source(error);
        let cause = source.map(ToString::to_string).unwrap_or_default();
        // The driver does not publish the kinds of its errors; their texts are all there is to go by.
        match error.to_string().as_str() {
            "error performing TLS handshake" => super::tls::explain(place, source, &cause),
            "invalid configuration" if cause == "password missing" => {
                ConnectError::NoPassword { place, user: attempt.user.to_owned() }
            }
            "authentication error" => {
                let help = match cause.as_str() {
                    "server did not use channel binding" => {
                        "channel_binding=require wants SCRAM over TLS: store the password as scram-sha-256 and use a \
                         certificate that is not signed by Ed25519, or take channel_binding=prefer"
                    }
                    "unsupported authentication method" => {
                        "GSSAPI, SSPI and Kerberos are not supported: let pg_hba.conf take scram-sha-256 or cert"
                    }
                    _ => "check the password; a server that can't prove that it knows it may be an impostor",
                };
                ConnectError::Authentication { place, what: cause, help }
            }
            _ if super::tls::cause(source).is_some() => super::tls::explain(place, source, &cause),
            what => {
                let what = if cause.is_empty() { what.to_owned() } else { cause };
                ConnectError::Unreachable { tried: vec![format!("{place}: {what}")] }
            }
        }
    }

    fn from_server(said: &DbError, attempt: &Attempt<'_>) -> Self {
        let (place, user) = (attempt.place.clone(), attempt.user.to_owned());
        let text = said.message().to_owned();
        match said.code() {
            code if *code == SqlState::INVALID_PASSWORD => match attempt.password_from {
                Some(from) => ConnectError::WrongPassword { place, user, from },
                None => ConnectError::NotAdmitted { place, user, said: text },
            },
            code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                ConnectError::NotAdmitted { place, user, said: text }
            }
            code if *code == SqlState::INVALID_CATALOG_NAME => {
                ConnectError::NoDatabase { place, database: attempt.database.to_owned() }
            }
            code if *code == SqlState::CANNOT_CONNECT_NOW => ConnectError::NotReady { place, said: text },
            code if *code == SqlState::TOO_MANY_CONNECTIONS => ConnectError::TooMany { place, said: text },
            code if *code == SqlState::PROTOCOL_VIOLATION && text.starts_with("unsupported startup parameter") => {
                let help = "PgBouncer stands before the server and refuses this: leave `options` out, or connect to the \
                            server itself";
                ConnectError::Server { place, said: text, help: help.to_owned() }
            }
            _ => {
                let help = said.hint().or(said.detail()).unwrap_or("the server's log may say more").to_owned();
                ConnectError::Server { place, said: text, help }
            }
        }
    }
}

/// What messages about one attempt need to know of it.
pub(super) struct Attempt<'a> {
    pub place: String,
    pub user: &'a str,
    pub database: &'a str,
    /// Where the password came from, where there is one.
    pub password_from: Option<&'static str>,
}
