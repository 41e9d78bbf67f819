//! `tenantry plan`: compare, plan, prove, write the plan file, print the review.

use std::path::{Path, PathBuf};

use super::apply::reports;
use super::{Context, failure};
use crate::apply;
use crate::diagnostic::{self, Exit, Report};
use crate::files;
use crate::pipeline::{self, Failure, Live, Request};
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
    /// Exit with 3 when there is something to change
    #[arg(long)]
    exit_code: bool,
    /// Write nothing; tell whether this plan file is what would be planned now
    #[arg(long, value_name = "PLAN", conflicts_with = "out")]
    check: Option<PathBuf>,
    /// How to print the review
    #[arg(long, value_enum, default_value = "text")]
    format: render::Format,
}

impl Plan {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let name = match &self.check {
            // The name is no part of the meaning, and comes from the file that is checked.
            Some(path) => files::plan_name(path),
            None => self.name.clone(),
        };
        let request = Request {
            live: context.live()?,
            shadow: context.shadow()?,
            config: context.config.clone(),
            name,
            accept: self.accept.clone(),
            renames: !self.no_renames,
        };
        match &request.live {
            Live::Database(target) => context.detail(&format!("live side: {}", target.redacted())),
            Live::Legacy(path) => context.detail(&format!("live side: {}, on the shadow", path.display())),
            Live::Nothing => {}
        }
        let mut made = pipeline::plan(&request).await?;
        context.detail(&format!(
            "start {}, end {}, proved on PostgreSQL {}",
            made.file.from.fingerprint, made.file.to.fingerprint, made.file.proof.server
        ));
        // What stands against the plan today may be gone when it is applied: it is told, and no part of the file.
        if let Live::Database(target) = &request.live {
            match apply::preflight(target, &made.file).await {
                Ok(findings) => {
                    let warn = |it| Report { severity: miette::Severity::Warning, ..it };
                    made.notes.extend(reports(&findings).into_iter().map(warn));
                }
                Err(error) => context.tell(&format!("the rows could not be looked at: {error}")),
            }
        }
        if !made.notes.is_empty() {
            context.tell(&diagnostic::render_all(&made.notes, context.look()));
        }
        if let Some(path) = &self.check {
            return check(path, &made.file, context);
        }
        context.print(&render::render(&made.file, self.format, context.look()));
        if made.file.steps.is_empty() {
            context.tell("nothing to change: the live database is as declared");
            return Ok(Exit::Done);
        }
        let plans = &context.config.schema.plans;
        let same = files::same_plan(plans, &made.file.id).filter(|_| self.out.is_none());
        let path = match self.out.or_else(|| same.clone()) {
            Some(path) => path,
            None => files::next_plan(plans, &self.name).map_err(|report| failure(Exit::Failed, report))?,
        };
        if same.is_some() {
            context.tell(&format!("{} is this plan already", path.display()));
        } else {
            files::write(&path, &made.file.to_toml()).map_err(|report| failure(Exit::Failed, report))?;
            context.tell(&format!("written to {}", path.display()));
        }
        let open = pipeline::unaccepted(&made.file);
        if !open.is_empty() {
            for (step, hazard) in &open {
                context.tell(&format!("step {step} needs --accept {}:{}", hazard.code, hazard.object_path()));
            }
            return Ok(Exit::Hazard);
        }
        Ok(if self.exit_code { Exit::Pending } else { Exit::Done })
    }
}

/// Compares a committed plan file with what would be planned now.
fn check(path: &Path, now: &PlanFile, context: &Context) -> Result<Exit, Failure> {
    let file = files::plan(path).map_err(|reports| Failure::new(Exit::Failed, reports))?;
    let mut current = now.clone();
    current.name.clone_from(&file.name);
    if file == current {
        context.tell(&format!("{} is what would be planned now", path.display()));
        return Ok(Exit::Done);
    }
    let (old, new) = (file.to_toml(), current.to_toml());
    let diff = similar::TextDiff::from_lines(&old, &new);
    let shown = path.display().to_string();
    context.print(&diff.unified_diff().header(&shown, "what would be planned now").to_string());
    let report = Report::error("plan::stale", format!("{shown} is not what would be planned now"))
        .help("plan again, and have the new plan reviewed");
    Err(failure(Exit::Pending, report))
}
