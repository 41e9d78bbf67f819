//! A plan as its file has it.

use super::{Both, Request};
use crate::config::PlanSettings;
use crate::kind::ObjectId;
use crate::lock::{Lock, RelationLock};
use crate::name::QName;
use crate::plan::file::{self, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To};
use crate::plan::hazard::Hazard;
use crate::plan::origin::Origins;
use crate::plan::{self, Planned, Undo, estimate};
use crate::proof;
use crate::proof::observe::Observed;
use crate::render;
use crate::schema::Facts;
use crate::shadow::Shadow;

/// Hazards of the plan that nobody accepted and that must be, each with its step.
pub fn unaccepted(file: &PlanFile) -> Vec<(u32, &FileHazard)> {
    let steps = file.steps.iter();
    steps
        .flat_map(|step| step.hazards.iter().map(move |hazard| (step.id, hazard)))
        .filter(|(_, hazard)| hazard.needs_acceptance())
        .collect()
}

/// A statement outside of transactions whose locks let reads and writes through keeps nobody waiting while it waits
/// itself: for every transaction older than it, however long. A timeout would only make it start all over again.
fn lock_timeout_ms(planned: &Planned, settings: &PlanSettings) -> u32 {
    let lets_through = planned.step.locks.iter().all(|it| it.mode <= Lock::ShareUpdateExclusive);
    if planned.transaction.is_none() && planned.step.batch.is_none() && lets_through {
        0
    } else {
        settings.lock_timeout_ms
    }
}

/// Steps as their file has them, with what each was seen to do.
pub fn file_steps(
    steps: &[Planned],
    observed: &[Observed],
    facts: &Facts,
    settings: &PlanSettings,
    place: impl Fn(&ObjectId) -> Option<String>,
) -> Vec<FileStep> {
    // A lock stays until the end of its transaction, and is seen once.
    let seen_at = |place: usize, relation: &QName| {
        let transaction = steps[place].transaction;
        let together =
            |at: &usize| *at == place || (transaction.is_some() && steps[*at].transaction == transaction);
        let observed = (0..=place).filter(together).filter_map(|at| observed.get(at));
        let locks = observed.flat_map(|it| &it.locks).filter(|lock| lock.relation == *relation);
        locks.map(|lock| lock.mode).max()
    };
    let names = |relations: &[QName]| relations.iter().map(ToString::to_string).collect();
    let file_step = |((at, it), id): ((usize, &Planned), u32)| {
        let step = &it.step;
        let lock = |lock: &RelationLock| FileLock {
            relation: lock.relation.to_string(),
            mode: lock.mode,
            observed: seen_at(at, &lock.relation),
        };
        let unless = |at: usize, undo: &Undo| u32::try_from(plan::builder(steps, at, undo)? + 1).ok();
        let hazard = |hazard: &Hazard| FileHazard {
            code: hazard.code,
            object: hazard.object.to_string(),
            why: hazard.why.clone(),
            severity: Some(hazard.severity).filter(|it| *it != hazard.code.severity()),
            accepted: hazard.accepted.clone(),
        };
        FileStep {
            id,
            stage: step.stage,
            summary: render::summary(it),
            sql: step.sql.clone(),
            batch: step.batch.clone(),
            transaction: it.transaction,
            lock_timeout_ms: lock_timeout_ms(it, settings),
            statement_timeout_ms: settings.statement_timeout_ms,
            locks: step.locks.iter().map(lock).collect(),
            rewrites: names(&step.rewrites),
            scans: names(&step.scans),
            hazards: step.hazards.iter().map(hazard).collect(),
            estimate: estimate::estimate(step, facts, &settings.rates),
            // The number says it in the file.
            undo: it.undo.iter().map(|it| Undo { unless: unless(at, it), again: None, ..it.clone() }).collect(),
            irreversible: step.irreversible.clone(),
            check: step.check.clone(),
            because: place(&it.subject),
        }
    };
    steps.iter().enumerate().zip(1..).map(file_step).collect()
}

pub(super) fn write(
    request: &Request,
    both: &Both,
    facts: &Facts,
    steps: &[Planned],
    proved: proof::Proved,
) -> PlanFile {
    let origins = Origins::new(&both.declaration);
    let place = |id: &ObjectId| origins.place(id, &both.desired);
    let from = file::fingerprint(&both.current);
    // Where nothing is to be changed the two are one, and large schemas take their time.
    let (to, difference) = match steps {
        [] => (from.clone(), String::new()),
        _ => (file::fingerprint(&both.desired), render::schema_difference(&both.current, &both.desired)),
    };
    // What a passage gives another name had its own one until then.
    let mut known = facts.clone();
    for (name, size) in &both.live.facts.sizes {
        known.sizes.entry(name.clone()).or_insert(*size);
    }
    let steps = file_steps(steps, &proved.observed, &known, &request.config.plan, place);
    PlanFile {
        format: file::FORMAT,
        tool: env!("CARGO_PKG_VERSION").into(),
        id: String::new(),
        name: request.name.clone(),
        part: None,
        from: From { fingerprint: from, server: both.live.schema.major().to_string() },
        to: To { fingerprint: to, declaration: both.declaration.digest.clone() },
        scope: both.scope.clone(),
        proof: proved.proof,
        notes: both.notes.clone(),
        difference,
        gates: vec![],
        steps,
    }
}

impl proof::Proved {
    /// The proof of a plan without steps.
    pub(super) fn nothing(shadow: &Shadow) -> Self {
        proof::Proved {
            proof: Proof {
                server: shadow.version().major().to_string(),
                converges: true,
                undo_returns: true,
                rows_survive: true,
                ..Proof::default()
            },
            observed: vec![],
            fates: vec![],
            access: vec![],
            states: vec![],
            returns: vec![],
        }
    }
}
