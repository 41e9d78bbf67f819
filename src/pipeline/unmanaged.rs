//! What is told of objects that no kind describes: those of the live side stay, and those that only the declaration has
//! are somebody else's to make.

use std::collections::BTreeMap;

use crate::diagnostic::Report;
use crate::pipeline::Failure;
use crate::platform::Platform;
use crate::proof::ProofError;

/// By name, with a statement that makes it where one is known, as in [`crate::schema::Schema::unmanaged`].
type Unmanaged = BTreeMap<String, Option<String>>;

/// Notes for the reader of a plan.
pub fn notes(live: &Unmanaged, declared: &Unmanaged, platform: Option<Platform>) -> Vec<String> {
    let explained = |it: &str| platform.is_some_and(|platform| platform.explains(it));
    let left = live.keys().filter(|it| !explained(it));
    let left = left.map(|it| match (&live[it], declared.get(it)) {
        (Some(made), Some(Some(wanted))) if made != wanted => {
            format!("declared otherwise, not managed, and yours to change on the live side: {it}")
        }
        _ => format!("not managed, and left as it is: {it}"),
    });
    let unmade =
        unmade(live, declared).map(|it| format!("declared, not managed, and yours to make on the live side: {it}"));
    left.chain(unmade).collect()
}

/// A step that failed on the shadow may have wanted what only the declaration has.
pub fn explain(error: &ProofError, live: &Unmanaged, declared: &Unmanaged) -> Failure {
    let mut failure = Failure::from_error(error);
    let unmade: Vec<&str> = unmade(live, declared).collect();
    if matches!(error, ProofError::Step(_)) && !unmade.is_empty() {
        for report in &mut failure.reports {
            report.help = None;
        }
        let message = format!("declared, but not managed, and not on the live side:\n{}", unmade.join("\n"));
        failure.reports.push(
            Report::error("plan::unmade", message).help(
                "make what the step needs on the live side by hand, as the declaration has it; then plan again",
            ),
        );
    }
    failure
}

fn unmade<'a>(live: &Unmanaged, declared: &'a Unmanaged) -> impl Iterator<Item = &'a str> {
    declared.keys().filter(|it| !live.contains_key(*it)).map(String::as_str)
}
