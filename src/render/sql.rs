//! A plan as a script for psql. It does what the steps do, and nothing of what `apply` does beside: no look for drift,
//! no journal, no resuming.

use std::fmt::Write;

use super::review;
use crate::diagnostic::visible::one_line;
use crate::plan::file::{FileStep, PlanFile};
use crate::proof::observe::SESSION;

/// The plan as psql runs it.
pub fn render(plan: &PlanFile) -> String {
    let mut out = String::new();
    comment(&mut out, &format!("Plan {} {}", plan.name, review::short(&plan.id)));
    comment(&mut out, &format!("for PostgreSQL {}; {}", plan.from.server, review::proof(plan)));
    comment(&mut out, "For psql. Unlike `tenantry apply`, it neither looks for drift nor keeps a journal.");
    for (step, hazard) in review::hazards(plan).into_iter().filter(|it| it.1.needs_acceptance()) {
        comment(&mut out, &format!("HAZARD, not accepted: step {step}: {}: {}", hazard.code, hazard.object));
    }
    out.push_str("\n\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT on\nSET client_encoding = 'UTF8';\n");
    for setting in SESSION.split("; ") {
        let _ = writeln!(out, "{setting};");
    }
    for (stage, steps) in review::stages(plan) {
        out.truncate(out.trim_end().len());
        let _ = writeln!(out, "\n\n-- {}\n", stage.name());
        for condition in review::gate(plan, stage) {
            let _ = writeln!(out, "-- gate: {}", one_line(&condition));
        }
        for group in review::groups(&steps) {
            let is_inside = group[0].transaction.is_some();
            if is_inside {
                out.push_str("BEGIN;\n");
            }
            let mut timeouts = None;
            for (place, step) in group.iter().enumerate() {
                let own = (step.lock_timeout_ms, step.statement_timeout_ms);
                if timeouts.replace(own) != Some(own) {
                    let set = if is_inside { "SET LOCAL" } else { "SET" };
                    let _ = writeln!(out, "{set} lock_timeout = {};\n{set} statement_timeout = {};", own.0, own.1);
                }
                write_step(&mut out, group, place);
            }
            out.push_str(if is_inside { "COMMIT;\n\n" } else { "\n" });
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn write_step(out: &mut String, group: &[&FileStep], place: usize) {
    let step = group[place];
    let because = step.because.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    comment(out, &format!("{}. {}{because}", step.id, step.summary));
    let held = review::held(group, place);
    for lock in &step.locks {
        let blocks = review::blocks(lock.mode, &held);
        comment(out, &format!("   locks {} {}: {blocks}", lock.relation, lock.mode));
    }
    for work in review::work(step) {
        comment(out, &format!("   {work}"));
    }
    for hazard in &step.hazards {
        comment(out, &format!("   hazard {}: {}: {}", hazard.code, hazard.object, hazard.why));
    }
    if let Some(why) = &step.irreversible {
        comment(out, &format!("   can't be taken back without loss: {why}"));
    }
    if let Some(batch) = &step.batch {
        let _ = writeln!(out, "SET search_path TO DEFAULT;\n{};\nSET search_path = '';", batch.script());
        return;
    }
    let _ = writeln!(out, "{}", ended(&step.sql));
}

/// A statement with a semicolon at its end, which must not be part of a comment there.
pub fn ended(sql: &str) -> String {
    let has_comment = sql.lines().next_back().is_some_and(|it| it.contains("--"));
    format!("{sql}{};", if has_comment { "\n" } else { "" })
}

/// One line, whatever a name holds: a line break in it would end the comment.
fn comment(out: &mut String, text: &str) {
    let _ = writeln!(out, "-- {}", one_line(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_takes_no_semicolon_in() {
        assert_eq!(ended("-- all\nSELECT 1 FROM t"), "-- all\nSELECT 1 FROM t;");
        assert_eq!(ended("SELECT 1 FROM t -- of the shop"), "SELECT 1 FROM t -- of the shop\n;");
    }
}
