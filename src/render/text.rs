//! A plan for a terminal.

use std::fmt::Write;

use crate::plan::Stage;
use crate::plan::file::PlanFile;

/// The review of a plan, without colour.
pub fn render(plan: &PlanFile) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Plan {}: {} steps for PostgreSQL {}", plan.name, plan.steps.len(), plan.from.server);
    for stage in Stage::ALL {
        let mut steps = plan.steps.iter().filter(|it| it.stage == stage).peekable();
        if steps.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "\n{}", stage.name());
        for step in steps {
            let _ = writeln!(out, "{:>4}  {}", step.id, step.summary);
            for line in step.sql.lines() {
                let _ = writeln!(out, "      {line}");
            }
            for lock in &step.locks {
                let _ = writeln!(out, "      locks {} {}: blocks {}", lock.relation, lock.mode, lock.mode.blocks());
            }
            for hazard in &step.hazards {
                let _ = writeln!(out, "      hazard {}: {}: {}", hazard.code, hazard.object, hazard.why);
            }
        }
    }
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}
