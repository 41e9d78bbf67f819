//! `tenantry apply`: run a plan on a live database.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{oneshot, watch};

use super::pace::PaceOptions;
use super::{Context, failure, interrupted};
use crate::apply::{self, ApplyError, Event, Prepared, Progress};
use crate::connect::Target;
use crate::diagnostic::{Exit, File, Report};
use crate::files;
use crate::lock::Lock;
use crate::pipeline::{self, Failure, Live, Request};
use crate::plan::Stage;
use crate::plan::batch::Batch;
use crate::plan::file::{FileStep, PlanFile};
use crate::render;
use crate::render::review::{seconds, thousands};

/// Run a plan on a live database, step by step; what was done is kept in a journal there
#[derive(Debug, clap::Args)]
pub struct Apply {
    /// The plan file
    plan: PathBuf,
    /// Accept a hazard: CODE, CODE:object, or all
    #[arg(long, value_name = "HAZARD")]
    accept: Vec<String>,
    /// Stop after this stage
    #[arg(long, value_enum, default_value = "contract")]
    through: Through,
    /// Look whether the plan could be applied, show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pace: PaceOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Through {
    Expand,
    Backfill,
    Validate,
    Contract,
}

impl From<Through> for Stage {
    fn from(through: Through) -> Self {
        match through {
            Through::Expand => Stage::Expand,
            Through::Backfill => Stage::Backfill,
            Through::Validate => Stage::Validate,
            Through::Contract => Stage::Contract,
        }
    }
}

/// What came of the look at everything before the first step.
enum Begun<'a> {
    Ended(Exit),
    Ready(Box<apply::Ready<'a>>),
}

impl Apply {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let plan = files::plan(&self.plan).map_err(|reports| Failure::new(Exit::Failed, reports))?;
        let target = target(context)?;
        // Until the first step, an interrupt may cut off whatever is going on: nothing has been changed.
        let begun = tokio::select! {
            begun = self.begin(&plan, &target, context) => begun?,
            () = interrupted() => {
                context.tell("interrupted; nothing was changed");
                return Ok(Exit::Failed);
            }
        };
        match begun {
            Begun::Ended(exit) => Ok(exit),
            Begun::Ready(ready) => self.steps(*ready, &plan, &target, context).await,
        }
    }

    async fn begin<'a>(
        &self,
        plan: &'a PlanFile,
        target: &Target,
        context: &Context,
    ) -> Result<Begun<'a>, Failure> {
        let ready = match apply::prepare(target, plan, &self.accept).await {
            Ok(Prepared::Ready(ready)) => ready,
            Ok(Prepared::Nothing) => {
                context.tell("nothing to do: the database is where the plan leads");
                return Ok(Begun::Ended(Exit::Done));
            }
            Err(error) => return Err(told(error, target, context).await),
        };
        let (steps, left) = ready.steps(self.through.into());
        if self.dry_run {
            context.print(&script(&steps));
            if left > 0 {
                context.tell(&format!("{left} steps of later stages are left"));
            }
            return Ok(Begun::Ended(Exit::Done));
        }
        if std::io::stdin().is_terminal() && !context.common.yes {
            eprintln!("{}", summary(&steps, left));
            if !confirmed(&format!("apply to {}?", target.redacted())).await {
                context.tell("not applied; nothing was changed");
                return Ok(Begun::Ended(Exit::Failed));
            }
            if let Err(error) = ready.still().await {
                return Err(told(error, target, context).await);
            }
        }
        Ok(Begun::Ready(ready))
    }

    /// Runs the steps. The first interrupt lets them end well; the second does not wait for that.
    async fn steps(
        &self,
        ready: apply::Ready<'_>,
        plan: &PlanFile,
        target: &Target,
        context: &Context,
    ) -> Result<Exit, Failure> {
        let count = ready.steps(self.through.into()).0.len();
        context.tell(&format!("applying {} to {}: {count} steps", plan.name, target.redacted()));
        let progress = Shown::new(count, context);
        let pace = self.pace.pace(context);
        let mut line = None;
        let mut tell = |event: Event<'_>| progress.show(&event, &mut line);
        let (stop, stopping) = watch::channel(false);
        let result = {
            let running = ready.run(self.through.into(), &pace, stopping, &mut tell);
            tokio::pin!(running);
            tokio::select! {
                result = &mut running => result,
                () = interrupted() => {
                    progress.say("stopping: the step that runs is cancelled and rolled back");
                    stop.send_replace(true);
                    tokio::select! {
                        result = &mut running => result,
                        () = interrupted() => {
                            let report = Report::error("apply::interrupted", "interrupted twice, and left as it was")
                                .help("the server rolls back what was open; `tenantry status` says what was done");
                            return Err(failure(Exit::Stopped, report));
                        }
                    }
                }
            }
        };
        progress.bar.finish_and_clear();
        match result {
            Ok(outcome) if outcome.left == 0 => {
                context.tell(&format!("applied: {} steps; the database is as the plan wants it", outcome.done));
                Ok(Exit::Done)
            }
            Ok(outcome) => {
                context.tell(&format!(
                    "applied: {} steps, up to stage {}; {} of later stages are left: `tenantry plan` plans them",
                    outcome.done,
                    Stage::from(self.through).name(),
                    outcome.left
                ));
                Ok(Exit::Done)
            }
            Err(error) => Err(told(error, target, context).await),
        }
    }
}

/// The database that somebody named. A file that stands for one is no place to apply to.
fn target(context: &Context) -> Result<Target, Failure> {
    context.target()?.ok_or_else(|| {
        let report = Report::error("apply::no_database", "no database is named to apply the plan to");
        failure(Exit::Usage, report.help("name it: --database URL, DATABASE_URL, or PG* variables"))
    })
}

/// An error as its reader needs it: with its place in the statement, or with what differs.
async fn told(error: ApplyError, target: &Target, context: &Context) -> Failure {
    if matches!(error, ApplyError::Drift { .. } | ApplyError::Elsewhere)
        && let Some(difference) = difference(target, context).await
    {
        context.tell(&format!("from the live database to the declared schema:\n\n{difference}"));
    }
    let mut told = Failure::from_error(&error);
    told.exit = error.exit();
    if let (ApplyError::Step { id, sql, at: Some(at), .. }, [report]) = (&error, told.reports.as_mut_slice()) {
        let word = sql.get(*at..).unwrap_or_default();
        let length = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len()).max(1);
        let file = File::new(format!("step {id}"), sql.as_str());
        *report = report.clone().at(&file, *at..*at + length, "here");
    }
    told
}

/// How the live database differs from the declaration, where there is one at hand.
async fn difference(target: &Target, context: &Context) -> Option<String> {
    pipeline::read_declaration(&context.config, 18).ok()?;
    let request = Request {
        live: Live::Database(target.clone()),
        shadow: context.shadow().ok()?,
        config: context.config.clone(),
        name: String::new(),
        accept: vec![],
        renames: false,
    };
    let both = pipeline::both_sides(&request).await.ok()?;
    Some(render::schema_difference(&both.current, &both.desired)).filter(|it| !it.is_empty())
}

/// Steps as statements, in the transactions that they would run in.
fn script(steps: &[&FileStep]) -> String {
    let mut out = String::new();
    for group in steps.chunk_by(|one, other| one.transaction.is_some() && one.transaction == other.transaction) {
        let inside = group.iter().any(|it| it.transaction.is_some());
        if inside {
            out.push_str("BEGIN;\n");
        }
        for step in group {
            let local = if inside { "LOCAL " } else { "" };
            let _ = write!(
                out,
                "-- step {}, {}: {}\nSET {local}lock_timeout = {};\nSET {local}statement_timeout = {};\n{};\n",
                step.id,
                step.stage.name(),
                step.summary.replace('\n', " "),
                step.lock_timeout_ms,
                step.statement_timeout_ms,
                step.batch.as_ref().map_or_else(|| step.sql.clone(), Batch::script)
            );
        }
        out.push_str(if inside { "COMMIT;\n\n" } else { "\n" });
    }
    out
}

/// What somebody should know who is asked.
fn summary(steps: &[&FileStep], left: usize) -> String {
    let mut out = format!("{} steps", steps.len());
    if left > 0 {
        let _ = write!(out, " ({left} of later stages are left)");
    }
    let strongest = steps.iter().flat_map(|it| &it.locks).map(|it| it.mode).max();
    for lock in steps.iter().flat_map(|it| &it.locks).filter(|it| Some(it.mode) == strongest) {
        let line = format!("\n  locks {} {}: blocks {}", lock.relation, lock.mode, Lock::blocks(lock.mode));
        if !out.contains(&line) {
            out.push_str(&line);
        }
    }
    for step in steps {
        for hazard in &step.hazards {
            let _ = write!(out, "\n  step {}: {}: {}: {}", step.id, hazard.code, hazard.object, hazard.why);
        }
    }
    out
}

/// Asks on the terminal. The thread that reads is left behind when nobody waits for it any more.
async fn confirmed(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let (answer, answered) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let _ = answer.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    answered.await.unwrap_or(false)
}

/// "120,000 of about 1,000,000 rows, 45,210 a second, 20 s left".
fn rows(at: &Progress) -> String {
    let mut line = format!("{} of about {} rows", thousands(at.rows), thousands(at.of.max(at.rows)));
    let _ = write!(line, ", {} a second", thousands(at.rate as u64));
    if let Some(left) = at.left {
        let left = left.as_secs_f64();
        let _ = write!(line, ", {} left", seconds([left, left]));
    }
    line
}

/// How often a line tells how far a step in parts is.
const LINES: Duration = Duration::from_secs(5);

/// Shows how far it is: a bar on a terminal, lines elsewhere.
struct Shown {
    bar: ProgressBar,
    lines: bool,
    count: usize,
}

impl Shown {
    fn new(count: usize, context: &Context) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let quiet = context.common.quiet;
        let bar = ProgressBar::with_draw_target(
            Some(count as u64),
            if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if terminal && !quiet {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Shown { bar, lines: !terminal && !quiet, count }
    }

    fn say(&self, text: &str) {
        if self.lines {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    /// `told`: when a line last told how far a step in parts is.
    fn show(&self, event: &Event<'_>, told: &mut Option<Instant>) {
        match event {
            Event::Begins(step) => {
                let line = format!("step {} of {}, {}: {}", step.id, self.count, step.stage.name(), step.summary);
                if self.lines {
                    eprintln!("{line}");
                }
                self.bar.set_message(line);
            }
            Event::Done(step, took) => {
                self.bar.inc(1);
                if took.as_secs() >= 1 {
                    self.say(&format!("step {} took {:.1} s", step.id, took.as_secs_f64()));
                }
            }
            Event::Waits { step, why, holders, pause } => {
                let seconds = pause.as_secs_f64();
                self.say(&format!("step {}: {why}; rolled back, tried again in {seconds} s", step.id));
                holders.iter().for_each(|it| self.say(&format!("  {it}")));
            }
            Event::Rows(step, at) => {
                let line = format!("step {}: {}", step.id, rows(at));
                self.bar.set_message(line.clone());
                if self.lines && told.is_none_or(|told| told.elapsed() >= LINES) {
                    *told = Some(Instant::now());
                    eprintln!("{line}");
                }
            }
            Event::Says(text) => self.say(text),
        }
    }
}
