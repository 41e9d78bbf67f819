//! `tenantry rollback`: take back what was applied.

use std::fmt::Write as _;
use std::io::IsTerminal;

use tokio::sync::watch;

use super::apply::found_nothing;
use super::pace::PaceOptions;
use super::progress::{Shown, attended, confirmed, target, told};
use super::{Context, err};
use crate::amount::counted;
use crate::apply::{self, Event, Return};
use crate::diagnostic::Exit;
use crate::diagnostic::visible::one_line;
use crate::pipeline::Failure;

/// Take back the newest run, step by step from its end, after trying that on a copy of the schema
#[derive(Debug, clap::Args)]
pub struct Rollback {
    /// Take back only what came after this step
    #[arg(long, value_name = "STEP")]
    to: Option<u32>,
    /// Try the way back on a copy, show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask the rows first
    #[arg(long)]
    no_preflight: bool,
    #[command(flatten)]
    pace: PaceOptions,
}

impl Rollback {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let target = target(context)?;
        let back = match apply::rollback(&target, self.to).await {
            Ok(Some(back)) => back,
            Ok(None) => {
                context.tell("nothing to take back: no step of a run is done on this database");
                return Ok(Exit::Done);
            }
            Err(error) => return Err(told(error, "", &target, context).await),
        };
        match back.rehearse(&context.shadow()?).await {
            Ok(notes) => notes.iter().for_each(|it| context.tell(it)),
            Err(error) => return Err(told(error, "", &target, context).await),
        }
        if self.dry_run {
            context.print(&script(&back));
            return Ok(Exit::Done);
        }
        if !self.no_preflight {
            let findings = back.preflight(context.limits()).await;
            let to_do = "change these rows first, or go on with `tenantry resume`";
            found_nothing(&findings, to_do, Exit::Failed, context)?;
        }
        if std::io::stdin().is_terminal() && !context.common.yes {
            err(&script(&back));
            if !confirmed(&format!("take these steps back on {}?", target.redacted())).await {
                context.tell("not taken back; nothing was changed");
                return Ok(Exit::Failed);
            }
        }
        let count = counted(back.steps().len(), "step");
        context.tell(&format!("taking back {count} of {} on {}", back.name(), target.redacted()));
        let progress = Shown::new(back.steps(), context);
        let pace = self.pace.pace(context);
        let mut line = None;
        let mut tell = |event: Event<'_>| progress.show(&event, &mut line);
        let (stop, stopping) = watch::channel(false);
        let running = back.run(&pace, stopping, &mut tell);
        match attended(&progress, &stop, running).await? {
            Ok(count) => {
                context.tell(&format!("taken back: {}", counted(count, "step")));
                Ok(Exit::Done)
            }
            Err(error) => Err(told(error, "", &target, context).await),
        }
    }
}

/// The undos as statements, in their order.
fn script(back: &Return) -> String {
    let mut out = String::new();
    for step in back.steps() {
        let _ = writeln!(out, "-- back from step {}: {}", step.id, one_line(&step.summary));
        for undo in &step.undo {
            let _ = writeln!(out, "{};", undo.sql);
        }
    }
    out
}
