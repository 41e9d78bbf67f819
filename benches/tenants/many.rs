//! A database of many tenants, and what the declared queries take on it. `main.rs` says how large, `tests/bench.rs`
//! looks at a small one.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tenantry::connect::Target;
use tenantry::introspect::server_message;
use tenantry::platform::Platform;
use tenantry::shadow::{Shadow, ShadowDatabase};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub struct Settings {
    /// The program `tenantry`.
    pub program: PathBuf,
    pub target: Target,
    /// The same as `--database` takes it.
    pub database: String,
    pub size: Size,
}

/// How many rows of each.
pub struct Size {
    pub tenants: u64,
    pub contacts: u64,
    pub messages: u64,
}

/// The role of the application's sessions.
pub const ROLE: &str = "authenticated";

/// Takes an empty database to the declared schema, by plan and apply, and fills it. Tells what it does.
pub async fn fill(settings: &Settings, tell: impl Fn(&str)) -> Outcome<()> {
    let session = settings.target.connect().await?;
    session.client.batch_execute(&Platform::Supabase.script()).await?;
    session.client.batch_execute(&fs::read_to_string(root().join("schema/legacy.sql"))?).await?;
    let folder = tempfile::tempdir()?;
    let plan = folder.path().join("plan.toml").display().to_string();
    program(settings, &["plan", "--out", &plan, "--accept", "all"])?;
    program(settings, &["apply", &plan, "--yes", "--accept", "all"])?;
    tell("the schema is as declared");
    let Size { tenants, contacts, messages } = &settings.size;
    let text = fs::read_to_string(root().join("benches/tenants/fill.sql"))?;
    let text = text.replace("{tenants}", &tenants.to_string());
    let text = text.replace("{contacts}", &contacts.to_string()).replace("{messages}", &messages.to_string());
    let statements = text.split(";\n").map(str::trim).filter(|it| !it.is_empty());
    for statement in statements.chain(["VACUUM ANALYZE", "CHECKPOINT"]) {
        let began = Instant::now();
        session
            .client
            .batch_execute(statement)
            .await
            .map_err(|error| format!("{}: {statement}", server_message(&error)))?;
        let took = began.elapsed().as_secs_f64();
        if took >= 1.0 {
            let code = statement.lines().find(|it| !it.starts_with("--") && !it.is_empty()).unwrap_or_default();
            tell(&format!("{took:>7.1} s  {}", code.chars().take(60).collect::<String>()));
        }
    }
    let size = "SELECT pg_size_pretty(pg_database_size(current_database()))";
    let size: String = session.client.query_one(size, &[]).await?.get(0);
    tell(&format!("{size} in {tenants} tenants, {contacts} contacts, {messages} messages"));
    Ok(())
}

/// Runs `tenantry bench`. Gives what it printed, and whether every query was within its budget.
pub fn measure(settings: &Settings, arguments: &[String]) -> Outcome<(String, bool)> {
    let mut command = prepared(settings, &["bench", "--role", ROLE]);
    let output = command.args(arguments).output()?;
    match output.status.code() {
        Some(code @ (0 | 3)) => Ok((String::from_utf8(output.stdout)?, code == 0)),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn program(settings: &Settings, arguments: &[&str]) -> Outcome<()> {
    let output = prepared(settings, arguments).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn prepared(settings: &Settings, arguments: &[&str]) -> Command {
    let mut command = Command::new(&settings.program);
    command.current_dir(root()).args(arguments).args(["--database", &settings.database]);
    command
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
