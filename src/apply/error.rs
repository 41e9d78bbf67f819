//! Why a plan was not applied, or not to its end, and what is told then.

use miette::Diagnostic;
use thiserror::Error;

use crate::connect::ConnectError;
use crate::diagnostic::Exit;
use crate::elaborate::ElaborateError;
use crate::introspect::{IntrospectError, server_message};
use crate::shadow::ShadowError;

/// Why a plan was not applied, or not to its end.
#[derive(Debug, Error, Diagnostic)]
pub enum ApplyError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Connect(#[from] ConnectError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),

    #[error("the session failed: {}", server_message(.0))]
    #[diagnostic(code(apply::session), help("`tenantry status` says what was applied"))]
    Session(#[from] tokio_postgres::Error),

    #[error("the plan {name} was edited after it was written")]
    #[diagnostic(
        code(apply::edited),
        help(
            "its proof is not a proof of this text: plan anew with `tenantry plan`, or take the file from version control"
        )
    )]
    Edited { name: String },

    #[error("the plan {name} is none that tenantry writes: {}", .faults.join("; "))]
    #[diagnostic(
        code(apply::unsound),
        help("nothing was changed; plan anew with `tenantry plan`, or take the file from version control")
    )]
    Unsound { name: String, faults: Vec<String> },

    #[error("the plan has hazards that nobody accepted:\n{}", .open.join("\n"))]
    #[diagnostic(code(apply::hazard), help("{help}"))]
    Hazards { open: Vec<String>, help: String },

    #[error("a pooler in transaction mode stands before the server: {evidence}")]
    #[diagnostic(
        code(apply::pooler),
        help("locks, settings and steps outside of transactions need a session of their own: {instead}")
    )]
    Pooler { evidence: String, instead: &'static str },

    #[error("the server is in recovery: it takes no changes")]
    #[diagnostic(
        code(apply::recovery),
        help("name the primary, or list the hosts and ask for it with target_session_attrs=primary")
    )]
    Recovery,

    #[error("the session is read-only")]
    #[diagnostic(
        code(apply::read_only),
        help(
            "default_transaction_read_only is on for the server, the database or the role {role}; apply as a role \
             for which it is off"
        )
    )]
    ReadOnly { role: String },

    #[error("the role {role} lacks privileges that the plan needs:\n{}", .missing.join("\n"))]
    #[diagnostic(
        code(apply::privilege),
        help("nothing was changed; grant them, or apply as the owner of the schema or a member of it")
    )]
    Privileges { role: String, missing: Vec<String> },

    #[error("another apply runs on this database{}", .holder.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    #[diagnostic(code(apply::busy), help("wait for its end; `tenantry status` shows how far it is"))]
    Busy { holder: Option<String> },

    #[error("the database is not in the state that the plan starts from{}", .known.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    #[diagnostic(code(apply::drift), help("{help}"))]
    Drift { known: Option<String>, help: String },

    #[error("the journal can't be kept: {}", server_message(.source))]
    #[diagnostic(
        code(apply::journal),
        help("the journal is the namespace `tenantry` of this database; nothing was changed")
    )]
    Journal { source: tokio_postgres::Error },

    #[error("the journal can't be read: {}", server_message(.source))]
    #[diagnostic(
        code(apply::journal_unreadable),
        help("it belongs to the role that applied first: connect as this role or as a member of it")
    )]
    Unreadable { source: tokio_postgres::Error },

    #[error("run {run} can't go on or back from its journal: {why}")]
    #[diagnostic(code(apply::no_plan), help("`tenantry plan` plans from here"))]
    NoPlan { run: i64, why: String },

    #[error("the plan can't be taken back without loss:\n{}", .steps.join("\n"))]
    #[diagnostic(code(apply::irreversible), help("{help}"))]
    Irreversible { steps: Vec<String>, help: String },

    #[error("steps {first} to {last} were one transaction, and --to {to} would take back a part of it")]
    #[diagnostic(
        code(apply::divides),
        help("nothing was changed; --to {last} leaves all of it, --to {} takes all of it back", first - 1)
    )]
    Divides { to: u32, first: u32, last: u32 },

    #[error("step {id} could not be taken back: {summary}\n{message}")]
    #[diagnostic(
        code(apply::back),
        help("what came after it is taken back{}; `tenantry rollback` goes on, {instead}", if *.half { ", and a part of it" } else { "" })
    )]
    Back { id: u32, summary: String, message: String, half: bool, instead: &'static str },

    #[error("step {id} is taken back in part, since its undo stopped before its end: {summary}")]
    #[diagnostic(
        code(apply::half_back),
        help("nothing was changed; `tenantry rollback` goes on, `tenantry plan --anew` plans from here")
    )]
    HalfBack { id: u32, summary: String },

    #[error("on a copy, the way back fails: {why}")]
    #[diagnostic(
        code(apply::rehearsal),
        help("nothing was changed; `tenantry plan` against the former declaration plans another way back")
    )]
    Rehearsal { why: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Elaborate(#[from] ElaborateError),

    #[error("step {id} failed: {summary}\n{message}")]
    #[diagnostic(code(apply::step), help("{standing}"))]
    Step { id: u32, summary: String, sql: String, at: Option<usize>, message: String, standing: Standing },

    #[error("interrupted in step {id}: {summary}")]
    #[diagnostic(code(apply::interrupted), help("{standing}"))]
    Interrupted { id: u32, summary: String, standing: Standing },

    #[error("all steps are done, and yet the schema is not the one that the plan leads to")]
    #[diagnostic(
        code(apply::result),
        help(
            "somebody changed it meanwhile, or the server did something that the proof did not see: `tenantry plan` shows what is left"
        )
    )]
    Elsewhere,
}

impl ApplyError {
    /// The exit code that tells programs the same.
    pub fn exit(&self) -> Exit {
        match self {
            ApplyError::Hazards { .. } => Exit::Hazard,
            ApplyError::Drift { .. } | ApplyError::Elsewhere => Exit::Drift,
            ApplyError::Step { standing, .. } | ApplyError::Interrupted { standing, .. } => {
                match standing.done.len() {
                    0 => Exit::Failed,
                    _ => Exit::Stopped,
                }
            }
            ApplyError::Back { .. } => Exit::Stopped,
            ApplyError::Connect(_)
            | ApplyError::Introspect(_)
            | ApplyError::Session(_)
            | ApplyError::Edited { .. }
            | ApplyError::Unsound { .. }
            | ApplyError::Pooler { .. }
            | ApplyError::Recovery
            | ApplyError::ReadOnly { .. }
            | ApplyError::Privileges { .. }
            | ApplyError::Busy { .. }
            | ApplyError::NoPlan { .. }
            | ApplyError::Irreversible { .. }
            | ApplyError::Rehearsal { .. }
            | ApplyError::Shadow(_)
            | ApplyError::Elaborate(_)
            | ApplyError::Journal { .. }
            | ApplyError::Unreadable { .. }
            | ApplyError::HalfBack { .. }
            | ApplyError::Divides { .. } => Exit::Failed,
        }
    }
}

/// What is done of a plan that stopped, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub done: Vec<u32>,
    pub left: Vec<u32>,
    /// What else stayed behind, and what to do about it.
    pub remains: Vec<String>,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.done.is_empty() {
            f.write_str("nothing of the plan was done; the same plan can be applied again")?;
        } else {
            write!(
                f,
                "done: {}; not done: {}; `tenantry resume` goes on from here, `tenantry rollback` takes it back",
                numbers(&self.done),
                numbers(&self.left)
            )?;
        }
        self.remains.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

/// `steps 1 to 4 and 7`.
pub(super) fn numbers(ids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = vec![];
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => runs.push((*id, *id)),
        }
    }
    let texts: Vec<String> = runs
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") })
        .collect();
    match (ids.len(), texts.split_last()) {
        (_, None) => "nothing".to_owned(),
        (1, Some((last, _))) => format!("step {last}"),
        (_, Some((last, []))) => format!("steps {last}"),
        (_, Some((last, others))) => format!("steps {} and {last}", others.join(", ")),
    }
}

/// All that the server said of an error.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    let mut text = server_message(error);
    if let Some(hint) = error.as_db_error().and_then(|it| it.hint()) {
        text += &format!("; {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_runs() {
        assert_eq!(numbers(&[]), "nothing");
        assert_eq!(numbers(&[3]), "step 3");
        assert_eq!(numbers(&[1, 2, 3]), "steps 1 to 3");
        assert_eq!(numbers(&[1, 2, 4, 6, 7]), "steps 1 to 2, 4 and 6 to 7");
    }
}
