//! Going through the hosts, their addresses and the ways to speak with them until one gives the session that was
//! asked for. The driver makes one connection at a time; the order, the second tries and the reasons are here.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Attempt;
use super::{ConnectError, Host, Place, Session, Target, Wanted, tls};

impl Target {
    /// Connects. The connection's task is spawned on the current tokio runtime.
    pub async fn connect(&self) -> Result<Session, ConnectError> {
        match self.wanted {
            // First a round for a standby, then one for whatever there is.
            Wanted::PreferStandby => match self.round(Wanted::Standby).await {
                Err(error) if error.is_elsewhere() => self.round(Wanted::Any).await,
                settled => settled,
            },
            wanted => self.round(wanted).await,
        }
    }

    /// Tries one host after the other.
    async fn round(&self, wanted: Wanted) -> Result<Session, ConnectError> {
        let mut failures = Vec::new();
        for host in self.order(self.hosts.clone()) {
            match self.host(&host, wanted).await {
                Err(error) if error.is_elsewhere() => failures.push(error),
                settled => return settled,
            }
        }
        Err(ConnectError::all(failures))
    }

    /// Tries one address of a host after the other.
    async fn host(&self, host: &Host, wanted: Wanted) -> Result<Session, ConnectError> {
        let addresses = match &host.place {
            Place::Socket(_) => vec![None],
            Place::Network { address: Some(address), .. } => vec![Some(*address)],
            Place::Network { name, address: None } => {
                let unknown = |why: &dyn std::fmt::Display| ConnectError::Unreachable {
                    tried: vec![format!("{host}: the name can't be resolved: {why}")],
                };
                let found = self.in_time(host, lookup_host((name.as_str(), host.port))).await?;
                let mut found: Vec<_> =
                    found.map_err(|error| unknown(&error))?.map(|found| Some(found.ip())).collect();
                found.dedup();
                if found.is_empty() {
                    return Err(unknown(&"it has no address"));
                }
                self.order(found)
            }
        };
        let mut failures = Vec::new();
        for address in addresses {
            match self.address(host, address).await {
                Ok(session) => match unwanted(&session, wanted).await? {
                    None => return Ok(session),
                    Some(reason) => failures.push(ConnectError::SessionAttrs {
                        wanted: wanted.name(),
                        tried: vec![format!("{host} {reason}")],
                    }),
                },
                Err(error) if error.is_elsewhere() => failures.push(error),
                Err(error) => return Err(error),
            }
        }
        Err(ConnectError::all(failures))
    }

    /// Tries one way to speak after the other, as sslmode has it.
    async fn address(&self, host: &Host, address: Option<IpAddr>) -> Result<Session, ConnectError> {
        let mode = match host.place {
            Place::Socket(_) => tls::Mode::Disable,
            Place::Network { .. } => self.tls.mode,
        };
        match mode {
            tls::Mode::Disable => self.plain(host, address).await,
            tls::Mode::Allow => match self.plain(host, address).await {
                Err(ConnectError::NotAdmitted { .. }) => self.encrypted(host, address, SslMode::Require).await,
                settled => settled,
            },
            tls::Mode::Prefer => match self.encrypted(host, address, SslMode::Prefer).await {
                // `hostnossl` in pg_hba.conf, or a handshake that fails: libpq, too, goes on without TLS then.
                Err(ConnectError::NotAdmitted { .. } | ConnectError::Tls { .. }) => self.plain(host, address).await,
                settled => settled,
            },
            tls::Mode::Require | tls::Mode::VerifyCa | tls::Mode::VerifyFull => {
                self.encrypted(host, address, SslMode::Require).await
            }
        }
    }

    async fn plain(&self, host: &Host, address: Option<IpAddr>) -> Result<Session, ConnectError> {
        let config = self.config(host, address, SslMode::Disable);
        match self.in_time(host, config.connect(NoTls)).await? {
            Ok((client, connection)) => Session::start(client, connection, self.only(host, address), None),
            Err(error) => Err(self.explain(&error, host, address)),
        }
    }

    async fn encrypted(
        &self,
        host: &Host,
        address: Option<IpAddr>,
        mode: SslMode,
    ) -> Result<Session, ConnectError> {
        let tls = MakeRustlsConnect::new(self.tls.client(self.channel_binding == ChannelBinding::Require)?);
        let config = self.config(host, address, mode);
        match self.in_time(host, config.connect(tls.clone())).await? {
            Ok((client, connection)) => Session::start(client, connection, self.only(host, address), Some(tls)),
            Err(error) => Err(self.explain(&error, host, address)),
        }
    }

    fn config(&self, host: &Host, address: Option<IpAddr>, mode: SslMode) -> Config {
        let mut config = Config::new();
        match &host.place {
            Place::Socket(directory) => config.host_path(directory),
            Place::Network { name, .. } => config.host(name),
        };
        if let Some(address) = address {
            config.hostaddr(address);
        }
        config.port(host.port).user(&self.user).dbname(self.database_or_user());
        config.application_name(&self.application_name);
        if let Some((password, _)) = self.password(host) {
            config.password(password);
        }
        if let Some(options) = &self.options {
            config.options(options);
        }
        config.ssl_mode(mode).ssl_negotiation(self.negotiation).channel_binding(self.channel_binding);
        config.keepalives(!self.keepalive.off);
        if let Some(idle) = self.keepalive.idle {
            config.keepalives_idle(idle);
        }
        if let Some(interval) = self.keepalive.interval {
            config.keepalives_interval(interval);
        }
        if let Some(count) = self.keepalive.count {
            config.keepalives_retries(count);
        }
        if let Some(limit) = self.keepalive.user_timeout {
            config.tcp_user_timeout(limit);
        }
        config
    }

    /// The password for a host, and what gave it.
    fn password(&self, host: &Host) -> Option<(&str, &'static str)> {
        match &self.password {
            Some(password) => Some((&password.0, self.password_from)),
            None => self
                .passfile
                .find(host.name(), host.port, self.database_or_user(), &self.user)
                .map(|password| (password.0.as_str(), "the password file")),
        }
    }

    /// The target with one host, that of a session which stands.
    fn only(&self, host: &Host, address: Option<IpAddr>) -> Target {
        let place = match &host.place {
            Place::Socket(directory) => Place::Socket(directory.clone()),
            Place::Network { name, .. } => Place::Network { name: name.clone(), address },
        };
        Target { hosts: vec![Host { place, port: host.port }], wanted: Wanted::Any, ..self.clone() }
    }

    pub(super) fn explain(
        &self,
        error: &tokio_postgres::Error,
        host: &Host,
        address: Option<IpAddr>,
    ) -> ConnectError {
        let place = match address {
            Some(address) if address.to_string() != host.name() => format!("{host} ({address})"),
            _ => host.to_string(),
        };
        let password_from = self.password(host).map(|(_, from)| from);
        let attempt = Attempt { place, user: &self.user, database: self.database_or_user(), password_from };
        ConnectError::from_driver(error, &attempt)
    }

    pub(super) async fn in_time<T>(&self, host: &Host, work: impl Future<Output = T>) -> Result<T, ConnectError> {
        match self.timeout {
            None => Ok(work.await),
            Some(limit) => timeout(limit, work)
                .await
                .map_err(|_| ConnectError::Timeout { place: host.to_string(), seconds: limit.as_secs() }),
        }
    }

    /// The list as given, or shuffled where load is to be balanced.
    fn order<T>(&self, mut list: Vec<T>) -> Vec<T> {
        if self.balance == LoadBalanceHosts::Random {
            // The keys of the standard library's hasher are random, and that is random enough for this.
            list.sort_by_cached_key(|_| RandomState::new().build_hasher().finish());
        }
        list
    }
}

/// Why the session is not of the kind that is wanted, if it isn't.
async fn unwanted(session: &Session, wanted: Wanted) -> Result<Option<&'static str>, ConnectError> {
    if wanted == Wanted::Any {
        return Ok(None);
    }
    let standby = session.ask("SELECT pg_catalog.pg_is_in_recovery()").await?.as_deref() == Some("t");
    let read_only = session.ask("SHOW transaction_read_only").await?.as_deref() == Some("on");
    Ok(match wanted {
        Wanted::Primary if standby => Some("is in recovery"),
        Wanted::Standby if !standby => Some("is not in recovery"),
        Wanted::ReadWrite if read_only => Some("does not take writes"),
        Wanted::ReadOnly if !read_only => Some("takes writes"),
        Wanted::Any
        | Wanted::PreferStandby
        | Wanted::Primary
        | Wanted::Standby
        | Wanted::ReadWrite
        | Wanted::ReadOnly => None,
    })
}

impl Wanted {
    fn name(self) -> &'static str {
        match self {
            Wanted::Any => "any",
            Wanted::ReadWrite => "read-write",
            Wanted::ReadOnly => "read-only",
            Wanted::Primary => "primary",
            Wanted::Standby => "standby",
            Wanted::PreferStandby => "prefer-standby",
        }
    }
}
