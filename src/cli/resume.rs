//! `tenantry resume`: go on with a run that stopped.

use std::io::IsTerminal;

use super::apply::{forward, nothing_against, script, summary};
use super::pace::PaceOptions;
use super::progress::{Through, confirmed, target, told};
use super::{Context, err};
use crate::amount::counted;
use crate::apply::{self, Prepared};
use crate::diagnostic::Exit;
use crate::pipeline::Failure;

/// Go on with the newest run where it stopped: after a failure, an interrupt, a crash, or the stage it was to reach
#[derive(Debug, clap::Args)]
pub struct Resume {
    /// Stop after this stage
    #[arg(long, value_enum, default_value = "contract")]
    through: Through,
    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask the rows first
    #[arg(long)]
    no_preflight: bool,
    #[command(flatten)]
    pace: PaceOptions,
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let target = target(context)?;
        let ready = match apply::resume(&target).await {
            Ok(Prepared::Ready(ready)) => ready,
            Ok(Prepared::Nothing) => {
                context.tell("nothing to resume: no run of this database stopped before its end");
                return Ok(Exit::Done);
            }
            Err(error) => return Err(told(error, "", &target, context).await),
        };
        let (steps, left) = ready.steps(self.through.into());
        if self.dry_run {
            context.print(&script(&steps));
            return Ok(Exit::Done);
        }
        if !self.no_preflight {
            nothing_against(&ready, self.through.into(), Exit::Failed, context).await?;
        }
        if std::io::stdin().is_terminal() && !context.common.yes {
            err(&summary(&steps, left));
            if !confirmed(&format!("go on with them on {}?", target.redacted())).await {
                context.tell("not resumed; nothing was changed");
                return Ok(Exit::Failed);
            }
        }
        let (plan, done) = ready.plan();
        let (name, count) = (&plan.name, steps.len());
        context.tell(&format!(
            "going on with {name} on {}: {} done, {} to go",
            target.redacted(),
            counted(done.len(), "step"),
            counted(count, "step")
        ));
        forward(*ready, self.through.into(), &self.pace, &target, context).await
    }
}
