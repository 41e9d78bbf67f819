//! `tenantry apply`: run a plan on a live database.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;

use tokio::sync::watch;

use super::pace::PaceOptions;
use super::progress::{Shown, Through, attended, confirmed, target, told};
use super::{Context, err, interrupted};
use crate::amount::counted;
use crate::apply::{self, Event, Finding, Prepared};
use crate::connect::Target;
use crate::diagnostic::visible::one_line;
use crate::diagnostic::{self, Exit, Report};
use crate::files;
use crate::lock::Lock;
use crate::pipeline::Failure;
use crate::plan::Stage;
use crate::plan::batch::Batch;
use crate::plan::file::{FileStep, PlanFile};
use crate::render::review::gate;
use crate::render::sql::ended;

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
    /// Only ask the rows what stands against the plan, and change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "no_preflight"])]
    preflight: bool,
    /// Do not ask the rows first
    #[arg(long)]
    no_preflight: bool,
    #[command(flatten)]
    pace: PaceOptions,
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
            Err(error) => return Err(told(error, &plan.difference, target, context).await),
        };
        let (steps, left) = ready.steps(self.through.into());
        if self.dry_run {
            context.print(&script(&steps));
            if left > 0 {
                context.tell(&format!("of later stages are left: {}", counted(left, "step")));
            }
            return Ok(Begun::Ended(Exit::Done));
        }
        if !self.no_preflight {
            let exit = if self.preflight { Exit::Pending } else { Exit::Failed };
            nothing_against(&ready, self.through.into(), exit, context).await?;
        }
        if self.preflight {
            context.tell("nothing that was looked at stands against the plan");
            return Ok(Begun::Ended(Exit::Done));
        }
        let stages: BTreeSet<Stage> = steps.iter().map(|it| it.stage).collect();
        for condition in stages.into_iter().flat_map(|stage| gate(plan, stage)) {
            context.tell(&format!("gate: {}", one_line(&condition)));
        }
        if std::io::stdin().is_terminal() && !context.common.yes {
            err(&summary(&steps, left));
            if !confirmed(&format!("apply to {}?", target.redacted())).await {
                context.tell("not applied; nothing was changed");
                return Ok(Begun::Ended(Exit::Failed));
            }
            if let Err(error) = ready.still().await {
                return Err(told(error, &plan.difference, target, context).await);
            }
        }
        Ok(Begun::Ready(ready))
    }

    async fn steps(
        &self,
        ready: apply::Ready<'_>,
        plan: &PlanFile,
        target: &Target,
        context: &Context,
    ) -> Result<Exit, Failure> {
        let count = ready.steps(self.through.into()).0.len();
        let name = one_line(&plan.name);
        context.tell(&format!("applying {name} to {}: {}", target.redacted(), counted(count, "step")));
        forward(ready, self.through.into(), &self.pace, target, context).await
    }
}

/// Asks the rows first. Errors: what stands against the steps, as a failure with that exit code.
pub(super) async fn nothing_against(
    ready: &apply::Ready<'_>,
    through: Stage,
    exit: Exit,
    context: &Context,
) -> Result<(), Failure> {
    let findings = ready.preflight(through, context.limits()).await;
    found_nothing(&findings, CHANGE, exit, context)
}

/// What to do about rows that stand against a plan.
pub(super) const CHANGE: &str = "change these rows, or what is declared";

/// Tells what the rows say. Errors: what stands against the steps, with what `to_do`, as a failure with that exit code.
pub(super) fn found_nothing(
    findings: &[Finding],
    to_do: &str,
    exit: Exit,
    context: &Context,
) -> Result<(), Failure> {
    let reports = reports(findings, to_do);
    if findings.iter().any(|it| it.stops) {
        return Err(Failure::new(exit, reports));
    }
    if !reports.is_empty() {
        context.tell(&diagnostic::render_all(&reports, context.look()));
    }
    Ok(())
}

/// Findings as they are told, and what `to_do` about those that stop.
pub(super) fn reports(findings: &[Finding], to_do: &str) -> Vec<Report> {
    let report = |it: &Finding| {
        let message = match it.step {
            0 => it.message.clone(),
            step => format!("step {step}: {}", it.message),
        };
        match it.stops {
            true => Report::error("preflight::rows", message)
                .help(format!("nothing was changed; {to_do}. --no-preflight does not ask")),
            false => Report::warning("preflight::note", message),
        }
    };
    findings.iter().map(report).collect()
}

/// Runs the steps of a plan that is ready, and tells how it ended.
pub(super) async fn forward(
    ready: apply::Ready<'_>,
    through: Stage,
    pace: &PaceOptions,
    target: &Target,
    context: &Context,
) -> Result<Exit, Failure> {
    let progress = Shown::new(ready.steps(through).0, context);
    let pace = pace.pace(context);
    let mut line = None;
    let mut tell = |event: Event<'_>| progress.show(&event, &mut line);
    let (stop, stopping) = watch::channel(false);
    let running = ready.run(through, &pace, stopping, &mut tell);
    match attended(&progress, &stop, running).await? {
        Ok(outcome) if outcome.left == 0 => {
            context
                .tell(&format!("applied: {}; the database is as the plan wants it", counted(outcome.done, "step")));
            Ok(Exit::Done)
        }
        Ok(outcome) => {
            context.tell(&format!(
                "applied: {}, up to stage {}; {} of later stages are left: `tenantry resume` goes on with them",
                counted(outcome.done, "step"),
                through.name(),
                outcome.left
            ));
            Ok(Exit::Done)
        }
        Err(error) => Err(told(error, "", target, context).await),
    }
}

/// Steps as statements, in the transactions that they would run in.
pub(super) fn script(steps: &[&FileStep]) -> String {
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
                "-- step {}, {}: {}\nSET {local}lock_timeout = {};\nSET {local}statement_timeout = {};\n{}\n",
                step.id,
                step.stage.name(),
                one_line(&step.summary),
                step.lock_timeout_ms,
                step.statement_timeout_ms,
                ended(&step.batch.as_ref().map_or_else(|| step.sql.clone(), Batch::script))
            );
        }
        out.push_str(if inside { "COMMIT;\n\n" } else { "\n" });
    }
    out
}

/// What somebody should know who is asked.
pub(super) fn summary(steps: &[&FileStep], left: usize) -> String {
    let mut out = counted(steps.len(), "step");
    if left > 0 {
        let _ = write!(out, " ({left} of later stages are left)");
    }
    let strongest = steps.iter().flat_map(|it| &it.locks).map(|it| it.mode).max();
    for lock in steps.iter().flat_map(|it| &it.locks).filter(|it| Some(it.mode) == strongest) {
        let relation = one_line(&lock.relation);
        let line = format!("\n  locks {relation} {}: blocks {}", lock.mode, Lock::blocks(lock.mode));
        if !out.contains(&line) {
            out.push_str(&line);
        }
    }
    for step in steps {
        for hazard in &step.hazards {
            let said = format!("{}: {}: {}", hazard.code, hazard.object, hazard.why);
            let _ = write!(out, "\n  step {}: {}", step.id, one_line(&said));
        }
    }
    out
}
