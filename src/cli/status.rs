//! `tenantry status`: what the journal of a database says.

use std::fmt::Write;

use super::{Context, Output};
use crate::apply;
use crate::connect::Target;
use crate::diagnostic::Exit;
use crate::diagnostic::visible::one_line;
use crate::journal::{Run, RunState, StepState};
use crate::pipeline::Failure;
use crate::render::text::wrap;

/// Show the plans that were applied to a database, newest first, and how far each came
#[derive(Debug, clap::Args)]
pub struct Status {
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Output,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let target = match context.target()? {
            Some(target) => target,
            None => Target::resolve(None, &context.env)?,
        };
        let session = target.connect().await?;
        let read = async { tokio::try_join!(apply::runs(&session.client, None), apply::holder(&session.client)) };
        let (runs, holder) = read.await.map_err(|source| apply::ApplyError::Unreadable { source })?;
        let mut runs = match (runs, self.format) {
            (Some(runs), _) => runs,
            (None, Output::Json) => vec![],
            (None, Output::Text) => {
                context.print("no plan was applied to this database: it has no journal\n");
                return Ok(Exit::Done);
            }
        };
        for run in &mut runs {
            run.status = run.state(holder);
        }
        match self.format {
            Output::Json => {
                let text = serde_json::to_string_pretty(&runs).expect("a run has a JSON form");
                context.print(&format!("{text}\n"));
            }
            Output::Text => context.print(&text(&runs, context.look().width)),
        }
        Ok(Exit::Done)
    }
}

/// Where a line goes on that is too long.
const INDENT: &str = "          ";

fn text(runs: &[Run], width: usize) -> String {
    let mut out = String::new();
    let mut put = |before: &str, text: &str| {
        let text = one_line(text);
        let text = text.as_ref();
        let first = wrap(text, width.saturating_sub(before.chars().count()), false)[0];
        let _ = writeln!(out, "{before}{}", first.trim_end());
        let rest = text[first.len()..].trim_start();
        for line in wrap(rest, width.saturating_sub(INDENT.len()), false).into_iter().filter(|it| !it.is_empty()) {
            let _ = writeln!(out, "{INDENT}{line}");
        }
    };
    for run in runs {
        let id = run.plan_id.get(..12).unwrap_or(&run.plan_id);
        put("", &format!("run {}  {}  plan {} ({id})", run.id, run.status.name(), run.plan_name));
        let ended = run.finished_at.as_ref().map(|at| format!(", ended {at}")).unwrap_or_default();
        put("  ", &format!("by {} with tenantry {}, began {}{ended}", run.applied_by, run.tool, run.started_at));
        put("  ", &format!("{} of {} steps done", run.done().len(), run.steps.len()));
        for line in run.error.iter().flat_map(|it| it.lines()) {
            put("  ", line);
        }
        for step in &run.steps {
            let took = step.duration_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
            let (state, stage) = (step.status.name(), step.stage.name());
            let before = format!("  {:>4}  {state:<11}  {stage:<8}  {took:>9}  ", step.id);
            put(&before, &step.summary);
            if step.status == StepState::Started && run.status == RunState::Lost {
                put("        ", "nobody saw how it ended; `tenantry resume` looks at what is there");
            }
        }
        put("", "");
    }
    if runs.is_empty() {
        out.push_str("the journal is empty: no plan was applied to this database\n");
    }
    out
}
