//! What is measured: a plan, applied by the program as a person would, or a script.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry::connect::Session;
use tenantry::diagnostic::File;
use tenantry::introspect::server_message;
use tenantry::plan::file::PlanFile;

use super::{Outcome, Settings, Subject, root};

/// What the sessions of the two say of themselves.
pub const PROGRAM: &str = "tenantry";
pub const SCRIPT: &str = "load script";

/// What is ready to run once the client is at work.
pub enum Prepared {
    Plan { path: PathBuf, plan: Box<PlanFile>, _made: Option<tempfile::TempDir> },
    Script(String),
}

/// A step as it went.
pub struct Step {
    pub id: u32,
    pub summary: String,
    pub began: Instant,
    pub took: Duration,
    /// Seconds, from and to, where the plan says so.
    pub estimate: Option<[f64; 2]>,
}

pub fn name(settings: &Settings) -> String {
    match &settings.subject {
        Subject::Planned => "the plan to schema/".to_owned(),
        Subject::Plan(path) | Subject::Script(path) => path.display().to_string(),
    }
}

/// Plans where that is asked for, and reads what is to be run.
pub fn prepare(settings: &Settings) -> Outcome<Prepared> {
    let (path, made) = match &settings.subject {
        Subject::Script(path) => return Ok(Prepared::Script(fs::read_to_string(path)?)),
        Subject::Plan(path) => (std::path::absolute(path)?, None),
        Subject::Planned => {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("plan.toml");
            let mut plan = program(settings, "plan");
            plan.arg("--out").arg(&path).args(["--accept", "all"]);
            output(plan)?;
            (path, Some(folder))
        }
    };
    let file = Arc::new(File::new(path.display().to_string(), fs::read_to_string(&path)?));
    let plan = PlanFile::read(&file).map_err(|_| format!("{} is no plan file", path.display()))?;
    Ok(Prepared::Plan { path, plan: Box::new(plan), _made: made })
}

/// Runs it to its end, or to its error.
pub async fn run(settings: &Settings, prepared: &Prepared) -> Outcome<()> {
    match prepared {
        Prepared::Plan { path, .. } => {
            let mut apply = program(settings, "apply");
            apply.arg(path).args(["--yes", "--accept", "all"]);
            tokio::task::spawn_blocking(move || output(apply)).await?
        }
        Prepared::Script(sql) => {
            let session = settings.target.connect().await?;
            session.client.batch_execute(&format!("SET application_name = '{SCRIPT}'")).await?;
            session.client.batch_execute(sql).await.map_err(|error| server_message(&error).into())
        }
    }
}

/// The program with a command for the measured database, in the repository.
fn program(settings: &Settings, command: &str) -> Command {
    let mut program = Command::new(&settings.program);
    program.current_dir(root()).args([command, "--database", &settings.database]);
    program.env("PGAPPNAME", PROGRAM);
    program
}

fn output(mut command: Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// The steps with their times, from the journal; a script is one step. The server's clock is taken for ours, moved by
/// what the two differ.
pub async fn steps(session: &Session, prepared: &Prepared, began: Instant, ended: Instant) -> Outcome<Vec<Step>> {
    let Prepared::Plan { plan, .. } = prepared else {
        let summary = "the whole script".to_owned();
        return Ok(vec![Step { id: 1, summary, began, took: ended - began, estimate: None }]);
    };
    let rows = session
        .client
        .query(
            "SELECT step_id, summary, extract(epoch FROM clock_timestamp() - started_at)::float8,
                    extract(epoch FROM finished_at - started_at)::float8
               FROM tenantry.step
              WHERE run_id = (SELECT max(id) FROM tenantry.run) AND finished_at IS NOT NULL
              ORDER BY step_id",
            &[],
        )
        .await?;
    let now = Instant::now();
    rows.iter()
        .map(|row| {
            let id = u32::try_from(row.get::<_, i32>(0))?;
            let [ago, took] = [row.get::<_, f64>(2), row.get::<_, f64>(3)].map(|it| it.max(0.0));
            let of_plan = plan.steps.iter().find(|it| it.id == id);
            Ok(Step {
                id,
                summary: row.get(1),
                began: now.checked_sub(Duration::try_from_secs_f64(ago)?).unwrap_or(began),
                took: Duration::try_from_secs_f64(took)?,
                estimate: of_plan.and_then(|it| it.estimate.as_ref()).map(|it| it.seconds),
            })
        })
        .collect()
}
