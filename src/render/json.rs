//! A plan for programs: the plan file's own fields as JSON. `docs/plan-file.md` documents them.

use crate::plan::file::PlanFile;

/// The plan as one JSON object.
pub fn render(plan: &PlanFile) -> String {
    let mut out = serde_json::to_string_pretty(plan).expect("a plan has a JSON form");
    out.push('\n');
    out
}
