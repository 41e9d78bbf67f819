//! `tenantry plan`: compare, plan, prove, write the plan file, print the review.

use std::path::{Path, PathBuf};

use super::apply::{CHANGE, reports};
use super::{Context, failure};
use crate::apply;
use crate::diagnostic::{self, Exit, Report};
use crate::files;
use crate::pipeline::{self, Failure, Live, Made, Request};
use crate::plan::file::PlanFile;
use crate::render;

/// Compare the live database with the declared schema, prove the way on a shadow server, write the plan
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Where to write the plan file (else the next number in [schema] plans)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What the plan is called
    #[arg(long, default_value = "plan")]
    name: String,
    /// Accept a hazard: CODE, CODE:object, or all
    #[arg(long, value_name = "HAZARD")]
    accept: Vec<String>,
    /// Take look-alikes of renames as a drop and an add
    #[arg(long)]
    no_renames: bool,
    /// Drop what [plan] quarantine keeps; each table is a hazard of its own
    #[arg(long)]
    empty_quarantine: bool,
    /// Plan from where the database is, though a plan is applied in part
    #[arg(long)]
    anew: bool,
    /// Exit with 3 when there is something to change
    #[arg(long)]
    exit_code: bool,
    /// Write nothing; tell whether this plan file is what would be planned now
    #[arg(long, value_name = "PLAN", conflicts_with = "out")]
    check: Option<PathBuf>,
    /// Write a plan for each stage, to be applied in turn, each when the gate before it is open
    #[arg(long, conflicts_with = "out")]
    split: bool,
    /// How to print the review
    #[arg(long, value_enum, default_value = "text")]
    format: render::Format,
}

impl Plan {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(['/', '\0']) {
            let report = Report::error("plan::name", format!("`{}` can't be part of a file's name", self.name))
                .help("--name is what comes after the number: `--name tenants` writes plans/1-tenants.toml");
            return Err(failure(Exit::Usage, report));
        }
        let name = match &self.check {
            // The name is no part of the meaning, and comes from the file that is checked.
            Some(path) => files::plan_name(path),
            None => self.name.clone(),
        };
        let checked = match &self.check {
            Some(path) => Some(files::plan(path).map_err(|reports| Failure::new(Exit::Failed, reports))?),
            None => None,
        };
        let mut config = context.config.clone();
        config.plan.empty_quarantine = self.empty_quarantine;
        if self.empty_quarantine && config.plan.quarantine.is_none() {
            let report = Report::error("plan::quarantine", "tenantry.toml names no quarantine")
                .help("say `quarantine = \"a_namespace\"` in [plan]");
            return Err(failure(Exit::Usage, report));
        }
        let request = Request {
            live: context.live()?,
            shadow: context.shadow()?,
            config,
            name,
            accept: self.accept.clone(),
            renames: !self.no_renames,
            split: self.split || checked.as_ref().is_some_and(|it| it.part.is_some()),
        };
        match &request.live {
            Live::Database(target) => context.detail(&format!("live side: {}", target.redacted())),
            Live::Legacy(path) => context.detail(&format!("live side: {}, on the shadow", path.display())),
            Live::Nothing => {}
        }
        if !self.anew && self.check.is_none() {
            finished(&request.live, context).await?;
        }
        let mut made = pipeline::plan(&request).await?;
        context.detail(&format!(
            "start {}, end {}, proved on PostgreSQL {}",
            made.file.from.fingerprint, made.file.to.fingerprint, made.file.proof.server
        ));
        // What stands against the plan today may be gone when it is applied: it is told, and no part of the file.
        if let Live::Database(target) = &request.live {
            match apply::preflight(target, &made.file.steps, context.limits()).await {
                Ok(findings) => {
                    let warn = |it| Report { severity: miette::Severity::Warning, ..it };
                    made.notes.extend(reports(&findings, CHANGE).into_iter().map(warn));
                }
                Err(error) => context.tell(&format!("the rows could not be looked at: {error}")),
            }
        }
        if !made.notes.is_empty() {
            context.tell(&diagnostic::render_all(&made.notes, context.look()));
        }
        if let (Some(path), Some(file)) = (&self.check, &checked) {
            return check(path, file, &made, context);
        }
        context.print(&render::render(&made.file, self.format, context.look()));
        if made.file.steps.is_empty() {
            context.tell("nothing to change: the live database is as declared");
            return Ok(Exit::Done);
        }
        self.write(&made, context)?;
        let open = pipeline::unaccepted(&made.file);
        if !open.is_empty() {
            for (step, hazard) in &open {
                context.tell(&format!("step {step} needs --accept {}", hazard.acceptance()));
            }
            return Ok(Exit::Hazard);
        }
        Ok(if self.exit_code { Exit::Pending } else { Exit::Done })
    }

    /// Writes the plan, or its parts, each under the next number.
    fn write(&self, made: &Made, context: &Context) -> Result<(), Failure> {
        let plans = &context.config.schema.plans;
        let files = if self.split { made.parts.as_slice() } else { std::slice::from_ref(&made.file) };
        for file in files {
            let steps = match &file.part {
                Some(part) => format!("part {} of {}, {} steps, ", part.number, part.of, file.steps.len()),
                None => String::new(),
            };
            let same = files::same_plan(plans, &file.id).filter(|_| self.out.is_none());
            if let Some(path) = same {
                context.tell(&format!("{} is this plan already", path.display()));
                continue;
            }
            let path = match &self.out {
                Some(path) => path.clone(),
                None => files::next_plan(plans, &file.name).map_err(|report| failure(Exit::Failed, report))?,
            };
            files::write(&path, &file.to_toml()).map_err(|report| failure(Exit::Failed, report))?;
            context.tell(&format!("{steps}written to {}", path.display()));
        }
        Ok(())
    }
}

/// What is declared may seem to be done where a plan is halfway through it.
async fn finished(live: &Live, context: &Context) -> Result<(), Failure> {
    let Live::Database(target) = live else { return Ok(()) };
    match apply::unfinished(target).await {
        Ok(None) => Ok(()),
        Ok(Some(said)) => {
            let report = Report::error("plan::unfinished", said).help(
                "`tenantry resume`, or `tenantry apply` with the next part, goes on; `tenantry rollback` takes it back. \
                 `plan --anew` plans from where it is: what was half done is taken as it stands",
            );
            Err(failure(Exit::Failed, report))
        }
        // What can't be reached is told by what comes next.
        Err(apply::ApplyError::Unreadable { .. }) => {
            context.tell("the journal may not be read: whether a plan is applied in part is not known");
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// Compares a committed plan file with what would be planned now.
fn check(path: &Path, file: &PlanFile, made: &Made, context: &Context) -> Result<Exit, Failure> {
    let shown = path.display().to_string();
    let started = made.file.from.fingerprint == file.from.fingerprint;
    let current = match &file.part {
        None => Some(&made.file),
        // What comes before it is applied: from here the rest would be planned in another way, and this part holds.
        Some(part) if part.number > 1 && started && file.to.declaration == made.file.to.declaration => {
            context.tell(&format!("{shown} starts from the state that the database is in"));
            return Ok(Exit::Done);
        }
        Some(part) => made
            .parts
            .iter()
            .find(|it| it.part.as_ref().is_some_and(|it| (it.number, it.of) == (part.number, part.of))),
    };
    let Some(current) = current else {
        let now = made.parts.len();
        let report =
            Report::error("plan::stale", format!("{shown} is no part of what would be planned now, in {now}"))
                .help("plan again with --split, and have the new plans reviewed");
        return Err(failure(Exit::Pending, report));
    };
    // The name is no part of the meaning.
    let current = PlanFile { name: file.name.clone(), part: file.part.clone(), ..current.clone() };
    if *file == current {
        context.tell(&format!("{shown} is what would be planned now"));
        return Ok(Exit::Done);
    }
    let (old, new) = (file.to_toml(), current.to_toml());
    let diff = similar::TextDiff::from_lines(&old, &new);
    context.print(&diff.unified_diff().header(&shown, "what would be planned now").to_string());
    let report = Report::error("plan::stale", format!("{shown} is not what would be planned now"))
        .help("plan again, and have the new plan reviewed");
    Err(failure(Exit::Pending, report))
}
