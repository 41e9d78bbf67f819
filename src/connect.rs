//! Sessions with PostgreSQL servers: where to connect, found as libpq finds it, and connecting there. Everything
//! that is read for it (environment variables come as a value, files from the disk) is read here; what is then said
//! to the server is left to others. `docs/connections.md` describes it for users.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an edge: it reads passwords and certificates, talks to servers, and shuffles their list"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, SslNegotiation};

mod attempt;
mod dsn;
mod environment;
mod error;
mod passfile;
mod pooler;
mod secret;
mod service;
mod session;
mod settings;
mod tls;

pub use error::ConnectError;
pub use pooler::{Pooler, pooler};
pub use session::{CancelToken, Notices, ServerVersion, Session};

use passfile::Passfile;
use secret::Secret;
use settings::Settings;

/// Directories where distributions have the server's socket; libpq has one of them compiled in.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Time for one attempt when `connect_timeout` is not given. libpq waits for as long as the network does, some
/// minutes; a person at a terminal does not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where to connect, complete but for what the server says. Neither Display nor Debug shows a password.
#[derive(Debug, Clone)]
pub struct Target {
    hosts: Vec<Host>,
    user: String,
    database: Option<String>,
    password: Option<Secret>,
    /// What gave the password, for messages.
    password_from: &'static str,
    passfile: Passfile,
    application_name: String,
    options: Option<String>,
    /// The time for one attempt; `None` is no limit.
    timeout: Option<Duration>,
    keepalive: Keepalive,
    channel_binding: ChannelBinding,
    negotiation: SslNegotiation,
    tls: tls::Options,
    wanted: Wanted,
    balance: LoadBalanceHosts,
}

/// One of the servers of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    place: Place,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The directory of a unix socket.
    Socket(PathBuf),
    /// A name, and the address to be used for it where `hostaddr` gives one.
    Network { name: String, address: Option<IpAddr> },
}

/// The kind of server that `target_session_attrs` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

#[derive(Debug, Clone, Copy, Default)]
struct Keepalive {
    off: bool,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
    user_timeout: Option<Duration>,
}

impl Target {
    /// Finds the target that `text` (a URL, `key=value` pairs, or the name of a database) and `env`, a snapshot of
    /// the environment, describe together. What `text` leaves open comes from the service that is named, then from
    /// PG* variables, then from libpq's defaults.
    pub fn resolve(text: Option<&str>, env: &BTreeMap<String, String>) -> Result<Target, ConnectError> {
        let mut settings = text.map(dsn::parse).transpose()?.unwrap_or_default();
        let mut password_from = "the connection string";
        let home = environment::home(env);
        let environment = environment::settings(env)?;
        if let Some(service) = settings.get("service").or(environment.get("service")) {
            let places = service::Places {
                named: settings.get("servicefile").or(environment.get("servicefile")).map(PathBuf::from),
                home: home.clone(),
                system: env.get("PGSYSCONFDIR").map(PathBuf::from),
            };
            let service = service::read(service, &places)?;
            if settings.get("password").is_none() {
                password_from = "the service file";
            }
            settings.fill(service);
        }
        if settings.get("password").is_none() {
            password_from = "PGPASSWORD";
        }
        settings.fill(environment);
        Target::from_settings(&settings, password_from, home.as_deref())
    }

    /// A server of our own, behind a socket in `dir`; nothing else has a say.
    pub fn socket(dir: &Path, port: u16, user: &str, database: &str) -> Target {
        Target {
            hosts: vec![Host { place: Place::Socket(dir.to_owned()), port }],
            user: user.to_owned(),
            database: Some(database.to_owned()),
            password: None,
            password_from: "",
            passfile: Passfile::default(),
            application_name: "tenantry".to_owned(),
            options: None,
            timeout: Some(CONNECT_TIMEOUT),
            keepalive: Keepalive::default(),
            channel_binding: ChannelBinding::Prefer,
            negotiation: SslNegotiation::Postgres,
            tls: tls::Options::off(),
            wanted: Wanted::Any,
            balance: LoadBalanceHosts::Disable,
        }
    }

    /// The database, where one is named; without a name the server takes that of the user.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// The same server and user, another database.
    pub fn with_database(&self, name: &str) -> Target {
        Target { database: Some(name.to_owned()), ..self.clone() }
    }

    /// The target as a URL without its password, for messages.
    pub fn redacted(&self) -> String {
        self.to_string()
    }

    /// What was passed over on the way here and the user may want to know.
    pub fn warnings(&self) -> Vec<String> {
        self.passfile.warning.iter().cloned().collect()
    }

    fn from_settings(
        settings: &Settings,
        password_from: &'static str,
        home: Option<&Path>,
    ) -> Result<Target, ConnectError> {
        let password = settings.get("password").map(|password| Secret(password.to_owned()));
        let passfile = match (&password, settings.get("passfile"), home) {
            (Some(_), _, _) | (None, None, None) => Passfile::default(),
            (None, Some(path), _) => Passfile::read(Path::new(path)),
            (None, None, Some(home)) => Passfile::read(&home.join(".pgpass")),
        };
        let user = settings.get("user").map(str::to_owned).or_else(environment::user_name);
        let timeout = match settings.number("connect_timeout")? {
            None => Some(CONNECT_TIMEOUT),
            Some(..=0) => None,
            // As in libpq: a second is too little, so it means two.
            Some(seconds) => Some(Duration::from_secs(seconds.max(2).unsigned_abs())),
        };
        let tls = tls::Options::from_settings(settings, home)?;
        let negotiation = settings
            .choice(
                "sslnegotiation",
                &[("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)],
            )?
            .unwrap_or_default();
        if negotiation == SslNegotiation::Direct && !tls.is_demanded() {
            return Err(ConnectError::Value {
                keyword: "sslnegotiation",
                value: "direct".to_owned(),
                expected: "`postgres` unless sslmode is require, verify-ca or verify-full".to_owned(),
            });
        }
        if settings.get("gssencmode") == Some("require") {
            return Err(ConnectError::Refused {
                keyword: "gssencmode=require",
                instead: "GSSAPI is not supported: encrypt with TLS (sslmode=verify-full)",
            });
        }
        Ok(Target {
            hosts: hosts(settings)?,
            user: user.ok_or(ConnectError::NoUser)?,
            database: settings.get("dbname").map(str::to_owned),
            password,
            password_from,
            passfile,
            application_name: settings
                .get("application_name")
                .or(settings.get("fallback_application_name"))
                .unwrap_or("tenantry")
                .to_owned(),
            options: settings.get("options").map(str::to_owned),
            timeout,
            keepalive: Keepalive {
                off: settings.number("keepalives")? == Some(0),
                idle: seconds(settings, "keepalives_idle")?,
                interval: seconds(settings, "keepalives_interval")?,
                count: settings.number("keepalives_count")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
                user_timeout: settings
                    .number("tcp_user_timeout")?
                    .filter(|n| *n > 0)
                    .map(|n| Duration::from_millis(n.unsigned_abs())),
            },
            channel_binding: settings
                .choice(
                    "channel_binding",
                    &[
                        ("disable", ChannelBinding::Disable),
                        ("prefer", ChannelBinding::Prefer),
                        ("require", ChannelBinding::Require),
                    ],
                )?
                .unwrap_or(ChannelBinding::Prefer),
            negotiation,
            tls,
            wanted: settings
                .choice(
                    "target_session_attrs",
                    &[
                        ("any", Wanted::Any),
                        ("read-write", Wanted::ReadWrite),
                        ("read-only", Wanted::ReadOnly),
                        ("primary", Wanted::Primary),
                        ("standby", Wanted::Standby),
                        ("prefer-standby", Wanted::PreferStandby),
                    ],
                )?
                .unwrap_or(Wanted::Any),
            balance: settings
                .choice(
                    "load_balance_hosts",
                    &[("disable", LoadBalanceHosts::Disable), ("random", LoadBalanceHosts::Random)],
                )?
                .unwrap_or(LoadBalanceHosts::Disable),
        })
    }

    /// The name of the database that the server will take.
    fn database_or_user(&self) -> &str {
        self.database.as_deref().unwrap_or(&self.user)
    }
}

fn seconds(settings: &Settings, keyword: &'static str) -> Result<Option<Duration>, ConnectError> {
    Ok(settings.number(keyword)?.filter(|n| *n > 0).map(|n| Duration::from_secs(n.unsigned_abs())))
}

/// The servers that `host`, `hostaddr` and `port` list together.
fn hosts(settings: &Settings) -> Result<Vec<Host>, ConnectError> {
    let names: Vec<&str> = settings.get("host").map(|text| text.split(',').collect()).unwrap_or_default();
    let addresses: Vec<&str> = settings.get("hostaddr").map(|text| text.split(',').collect()).unwrap_or_default();
    let ports: Vec<&str> = settings.get("port").map(|text| text.split(',').collect()).unwrap_or_default();
    let count = names.len().max(addresses.len()).max(1);
    let differ = |keyword, value: &[&str]| {
        let expected = format!("as long a list as the others, which name {count} hosts");
        Err(ConnectError::Value { keyword, value: value.join(","), expected })
    };
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return differ("hostaddr", &addresses);
    }
    if ports.len() > 1 && ports.len() != count {
        return differ("port", &ports);
    }
    (0..count)
        .map(|i| {
            let port = port(ports.get(i).or(ports.first()).map_or("", |port| port.trim()))?;
            let address = match addresses.get(i).map(|text| text.trim()).filter(|text| !text.is_empty()) {
                Some(text) => Some(text.parse::<IpAddr>().map_err(|_| ConnectError::Value {
                    keyword: "hostaddr",
                    value: text.to_owned(),
                    expected: "an IP address; a name goes into host".to_owned(),
                })?),
                None => None,
            };
            let place = match (names.get(i).map(|name| name.trim()).filter(|name| !name.is_empty()), address) {
                (Some(directory), None) if directory.starts_with('/') => Place::Socket(PathBuf::from(directory)),
                (Some(name), address) => Place::Network { name: name.to_owned(), address },
                (None, Some(ip)) => Place::Network { name: ip.to_string(), address },
                (None, None) => default_place(port),
            };
            Ok(Host { place, port })
        })
        .collect()
}

fn port(text: &str) -> Result<u16, ConnectError> {
    if text.is_empty() {
        return Ok(5432);
    }
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| ConnectError::Value {
        keyword: "port",
        // What stands where a port is expected may be the password of a URL that lacks its `@`.
        value: if text.bytes().all(|b| b.is_ascii_digit()) { text } else { "…" }.to_owned(),
        expected: "a number from 1 to 65535".to_owned(),
    })
}

/// The server of this machine: its socket where there is one, else TCP.
fn default_place(port: u16) -> Place {
    let here = |directory: &&&str| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists();
    match SOCKET_DIRECTORIES.iter().find(here) {
        Some(directory) => Place::Socket(PathBuf::from(directory)),
        None => Place::Network { name: "localhost".to_owned(), address: None },
    }
}

impl Host {
    /// The name that a password file has for this host.
    fn name(&self) -> &str {
        match &self.place {
            Place::Socket(directory) => match directory.to_str() {
                Some(directory) if !SOCKET_DIRECTORIES.contains(&directory) => directory,
                _ => "localhost",
            },
            Place::Network { name, .. } => name,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Socket(directory) => write!(f, "{}/.s.PGSQL.{}", directory.display(), self.port),
            Place::Network { name, .. } if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Network { name, .. } => write!(f, "{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@", self.user)?;
        let list = |write: &dyn Fn(&Host) -> String| self.hosts.iter().map(write).collect::<Vec<_>>().join(",");
        let sockets = self.hosts.iter().any(|host| matches!(host.place, Place::Socket(_)));
        if !sockets {
            f.write_str(&list(&Host::to_string))?;
        }
        write!(f, "/{}", self.database_or_user())?;
        if sockets {
            let place = |host: &Host| match &host.place {
                Place::Socket(directory) => directory.display().to_string(),
                Place::Network { name, .. } => name.clone(),
            };
            write!(f, "?host={}&port={}", list(&place), list(&|host| host.port.to_string()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, env: &[(&str, &str)]) -> Result<Target, ConnectError> {
        let mut env: BTreeMap<String, String> = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        env.insert("HOME".to_owned(), "/nonexistent".to_owned());
        Target::resolve(Some(text), &env)
    }

    #[track_caller]
    fn shown(text: &str, env: &[(&str, &str)], expected: &str) {
        assert_eq!(resolve(text, env).unwrap().redacted(), expected, "{text}");
    }

    #[test]
    fn a_target_shows_where_it_leads_and_no_password() {
        shown("postgres://u:s3cret@db:99/app", &[], "postgresql://u@db:99/app");
        shown("host=/run/pg,db port=1,2 user=u", &[], "postgresql://u@/u?host=/run/pg,db&port=1,2");
        shown("host=a,b user=u port=7", &[], "postgresql://u@a:7,b:7/u");
        shown("hostaddr=::1 user=u dbname=d", &[], "postgresql://u@[::1]:5432/d");
        let target = resolve("host=a user=u password=s3cret", &[]).unwrap();
        assert!(!format!("{target:?}").contains("s3cret"));
    }

    #[test]
    fn what_the_text_leaves_open_comes_from_the_environment() {
        let env = [("PGHOST", "h"), ("PGPORT", "7"), ("PGUSER", "u"), ("PGDATABASE", "d")];
        shown("", &env, "postgresql://u@h:7/d");
        shown("other", &env, "postgresql://u@h:7/other");
        shown("postgresql://x@", &env, "postgresql://x@h:7/d");
        shown("host=g port=''", &env, "postgresql://u@g:5432/d");
    }

    #[test]
    fn lists_have_one_length() {
        for text in ["host=a,b port=1,2,3 user=u", "host=a,b hostaddr=127.0.0.1 user=u"] {
            assert!(matches!(resolve(text, &[]), Err(ConnectError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn values_that_mean_nothing_are_refused() {
        for text in [
            "port=0",
            "port=65536",
            "port=s3cret",
            "hostaddr=name",
            "sslmode=full",
            "connect_timeout=soon",
            "target_session_attrs=master",
            "channel_binding=1",
            "sslnegotiation=direct",
            "gssencmode=require",
            "sslrootcert=system sslmode=require",
            "ssl_max_protocol_version=TLSv1.1",
            "sslcrl=x",
            "sslsni=yes",
        ] {
            let error = resolve(&format!("user=u host=h {text}"), &[]).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{text}: {error}");
        }
    }
}
