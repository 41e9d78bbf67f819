//! A session that stands: the driver's client, what the server says of itself, and the messages that it sends.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ConnectError, Host, Target};

/// A session with a server. It ends when it is dropped.
pub struct Session {
    pub client: Client,
    /// Messages that the server sent beside its results.
    pub notices: Notices,
    pub version: ServerVersion,
    /// The target reduced to the host that this session is with.
    target: Target,
    tls: Option<MakeRustlsConnect>,
}

impl Session {
    /// Takes a fresh connection into service: its task runs on the current runtime until the client is dropped.
    pub(super) fn start<T>(
        client: Client,
        mut connection: Connection<Socket, T>,
        target: Target,
        tls: Option<MakeRustlsConnect>,
    ) -> Result<Session, ConnectError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let version = ServerVersion::parse(connection.parameter("server_version").unwrap_or_default());
        let said = connection.parameter("server_version").unwrap_or("nothing").to_owned();
        let place = target.hosts[0].to_string();
        let Some(version) = version else {
            return Err(ConnectError::NotPostgres { place, version: said });
        };
        if version.major() < 14 {
            return Err(ConnectError::TooOld { place, version: version.to_string() });
        }
        let notices = Notices::default();
        let seen = notices.clone();
        tokio::spawn(async move {
            // An error ends the connection; whoever uses the client next is told of it there.
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message {
                    seen.push(notice);
                }
            }
        });
        Ok(Session { client, notices, version, target, tls })
    }

    /// What stops the statement that this session runs, from outside of it.
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken { token: self.client.cancel_token(), tls: self.tls.clone() }
    }

    /// Where this session is, reduced to the one host of a list that answered.
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn host(&self) -> &Host {
        &self.target.hosts[0]
    }

    /// The process that serves this session now.
    pub(super) async fn backend(&self) -> Result<i32, ConnectError> {
        Ok(self
            .ask("SELECT pg_catalog.pg_backend_pid()")
            .await?
            .and_then(|pid| pid.parse().ok())
            .unwrap_or_default())
    }

    /// The first value that a query gives, by the simple protocol: a pooler may not know prepared statements.
    pub(super) async fn ask(&self, query: &str) -> Result<Option<String>, ConnectError> {
        let answer = self
            .client
            .simple_query(query)
            .await
            .map_err(|error| self.target.explain(&error, self.host(), None))?;
        Ok(answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("target", &self.target)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Messages (NOTICE, WARNING, DEBUG …) that the server sent to a session, in order. They are here once the
/// statement that caused them has returned.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<Vec<DbError>>>);

impl Notices {
    /// Takes the messages that came since the last call.
    pub fn drain(&self) -> Vec<DbError> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, notice: DbError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }
}

/// Stops a running statement by a connection of its own, made as the session's was.
#[derive(Clone)]
pub struct CancelToken {
    token: tokio_postgres::CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl CancelToken {
    /// Asks the server to stop what the session runs. The server does not say whether there was anything to stop.
    pub async fn cancel(&self) -> Result<(), tokio_postgres::Error> {
        match self.tls.clone() {
            Some(tls) => self.token.cancel_query(tls).await,
            None => self.token.cancel_query(NoTls).await,
        }
    }
}

/// A server's version, as `server_version_num` writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    pub number: u32,
}

impl ServerVersion {
    /// Reads `server_version`: `15.18 (Debian 15.18-0+deb12u1)`, `18beta1`, `19devel`.
    fn parse(text: &str) -> Option<ServerVersion> {
        let word = text.split_whitespace().next()?;
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>();
        let major = digits(word).ok()?;
        let minor = word.split_once('.').and_then(|(_, minor)| digits(minor).ok()).unwrap_or(0);
        // Before 10 the second number was part of the major version.
        let number = if major < 10 { major * 10_000 + minor * 100 } else { major.checked_mul(10_000)? + minor };
        Some(ServerVersion { number }).filter(|_| major > 1)
    }

    pub fn major(self) -> u32 {
        self.number / 10_000
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minor = self.number % 10_000;
        write!(f, "{}.{}", self.major(), if self.major() < 10 { minor / 100 } else { minor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, number, shown) in [
            ("15.18 (Debian 15.18-0+deb12u1)", 150_018, "15.18"),
            ("18beta1", 180_000, "18.0"),
            ("19devel", 190_000, "19.0"),
            ("9.6.24", 90_600, "9.6"),
        ] {
            let version = ServerVersion::parse(text).unwrap();
            assert_eq!((version.number, version.to_string().as_str()), (number, shown));
        }
        assert_eq!(ServerVersion::parse("1.18.0/bouncer"), None);
        assert_eq!(ServerVersion::parse(""), None);
        assert_eq!(ServerVersion::parse("99999999999.1"), None);
        assert_eq!(ServerVersion::parse("4294967295"), None);
    }
}
