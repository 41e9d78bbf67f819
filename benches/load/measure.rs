//! The measurement from its beginning to its end, and what came of it. `main.rs` says on what, `tests/load.rs` looks at
//! the result of a small one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenantry::connect::Target;
use tenantry::shadow::{Shadow, ShadowDatabase};
use tokio::time::sleep;

mod aside;
mod bystander;
mod client;
mod fill;
mod locks;
mod report;
mod rows;
mod run;
mod waits;

use aside::Aside;
pub use client::Statement;
pub use locks::Held;
pub use rows::Sum;
pub use run::Step;
pub use waits::Waited;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What is measured, and how.
pub struct Settings {
    /// The program `tenantry`.
    pub program: PathBuf,
    pub target: Target,
    /// The same as `--database` takes it.
    pub database: String,
    pub messages: u64,
    /// Operations a second over all connections.
    pub rate: f64,
    pub connections: u32,
    /// How long the client runs alone, before and after.
    pub quiet: Duration,
    /// How long the transactions of a bystander stay open, if there is one.
    pub bystander: Option<Duration>,
    pub subject: Subject,
}

/// What is applied while the client runs.
pub enum Subject {
    /// What `tenantry plan` plans for the database once it is filled.
    Planned,
    /// A plan file.
    Plan(PathBuf),
    /// A script of SQL.
    Script(PathBuf),
}

/// What was seen.
pub struct Measured {
    pub what: String,
    pub server: String,
    pub messages: u64,
    pub rate: f64,
    pub connections: u32,
    /// When what is measured ran.
    pub during: [Instant; 2],
    pub statements: Vec<Statement>,
    pub locks: Vec<Held>,
    pub waits: Vec<Waited>,
    pub steps: Vec<Step>,
    /// The rows that were there before, as they were and as they are afterwards.
    pub rows: [Vec<Sum>; 2],
    /// Why it ended before its end, if it did.
    pub failed: Option<String>,
}

/// Fills the database and measures. Errors are those of the measurement; what the client or the plan meets is in the
/// result.
pub async fn measure(settings: &Settings) -> Outcome<Measured> {
    let session = settings.target.connect().await?;
    let contacts = fill::fill(&session, settings.messages).await?;
    let prepared = run::prepare(settings)?;
    let before = rows::sums(&session).await?;
    let watched = Aside::begin(&settings.target, "lock watch", locks::watch).await?;
    let waiting = Aside::begin(&settings.target, "wait watch", waits::watch).await?;
    let load = client::Load::begin(settings, contacts).await?;
    let bystander = match settings.bystander {
        Some(open) => {
            let stand = |session, stop| bystander::stand(session, open, stop);
            Some(Aside::begin(&settings.target, "bystander", stand).await?)
        }
        None => None,
    };
    sleep(settings.quiet).await;
    let began = Instant::now();
    let ran = run::run(settings, &prepared).await;
    let ended = Instant::now();
    sleep(settings.quiet).await;
    if let Some(bystander) = bystander {
        bystander.end().await?;
    }
    let statements = load.end().await?;
    let locks = watched.end().await?;
    let waits = waiting.end().await?;
    let after = rows::again(&session, &before).await?;
    let steps = run::steps(&session, &prepared, began, ended).await?;
    Ok(Measured {
        what: run::name(settings),
        server: session.version.to_string(),
        messages: settings.messages,
        rate: settings.rate,
        connections: settings.connections,
        during: [began, ended],
        statements,
        locks,
        waits,
        steps,
        rows: [before, after],
        failed: ran.err().map(|error| error.to_string()),
    })
}

/// How a database on a private cluster is named on a command line.
pub fn address(server: &Shadow, database: &ShadowDatabase) -> String {
    let directory = server.directory().map(Path::display).expect("a private cluster has a directory");
    format!("host={directory} port=5432 user=postgres dbname={}", database.name.as_str())
}

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
