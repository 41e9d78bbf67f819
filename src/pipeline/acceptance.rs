//! What is accepted, and what the repository takes more or less seriously than others.

use crate::config::PlanSettings;
use crate::plan::hazard::{Hazard, Severity, is_meant};
use crate::plan::policy::Verdict;
use crate::source::Allow;

/// Marks a hazard that somebody accepted: on the command line, in the configuration, or beside the declaration.
pub(super) fn accept(hazard: &mut Hazard, flags: &[String], config: &PlanSettings, allows: &[Allow]) {
    let verdict = config.hazards.verdict(hazard);
    match verdict {
        Some(Verdict::Warn) => hazard.severity = Severity::Warn,
        Some(Verdict::Refuse) => hazard.severity = Severity::Refuse,
        Some(Verdict::Allow) | None => {}
    }
    let object = hazard.object.to_string();
    let means = |given: &String| is_meant(given, hazard.code, &object);
    if flags.iter().any(means) {
        hazard.accepted = Some("--accept".into());
    } else if verdict == Some(Verdict::Allow) || config.accept.iter().any(means) {
        hazard.accepted = Some("tenantry.toml".into());
    } else if let Some(allow) = allows.iter().find(|allow| {
        allow.hazard == hazard.code
            && allow.beside.iter().any(|(_, path)| path.as_slice() == &hazard.object.path[..])
    }) {
        hazard.accepted = Some(format!("declared, because {}", allow.because));
    }
}
