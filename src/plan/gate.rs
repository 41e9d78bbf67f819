//! A gate: the point of a plan at which an application has to be released first, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, ObjectId};
use crate::name::list;
use crate::plan::hazard::{Area, Code, Hazard};
use crate::plan::{Half, Planned, Stage};
use crate::schema::Schema;

/// What must hold before a stage begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The stage that may not begin before.
    pub before: Stage,
    /// What goes in it, and no running code may use any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// Statements of applications that no longer work from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
    /// What else fails from then on, each with the objects at which it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
}

/// The gates of a plan. `old`: the schema that code knows, without what the plan itself puts aside. `retired`: statements
/// that stop working, each with the stage that does it.
///
/// Only `contract` takes things away, so a plan has one gate at most, unless a statement breaks earlier: that is a
/// hazard, and no gate.
pub fn gates(plan: &[Planned], old: &Schema, new: &Schema, retired: &[(Stage, String)]) -> Vec<Gate> {
    let gone: BTreeSet<&ObjectId> = plan
        .iter()
        .filter(|it| it.step.stage == Stage::Contract)
        .flat_map(|it| &it.does)
        .filter(|(id, half)| {
            *half == Half::Drop && old.contains(id) && !new.contains(id) && is_named_by_code(id.kind)
        })
        .map(|(id, _)| id)
        .collect();
    let gone_by_itself = gone.iter().filter(|id| !old.wholes_of(id).iter().any(|whole| gone.contains(whole)));
    let last_names = plan.iter().filter(|it| it.step.stage == Stage::Contract && it.renames_to.is_some());
    let unused: BTreeSet<&ObjectId> = gone_by_itself.copied().chain(last_names.map(|it| &it.subject)).collect();
    let retired = retired.iter().filter(|(stage, _)| *stage == Stage::Contract).map(|(_, it)| it.clone());
    let told =
        |it: &Hazard| it.code == Code::BreaksQuery || gone.contains(&it.object) || unused.contains(&it.object);
    let breaks = |it: &&Hazard| it.code.about().area == Area::Break && !told(it);
    let contract = plan.iter().filter(|it| it.step.stage == Stage::Contract);
    let mut broken: BTreeMap<Code, BTreeSet<String>> = BTreeMap::new();
    for it in contract.flat_map(|it| &it.step.hazards).filter(breaks) {
        broken.entry(it.code).or_default().insert(it.object.to_string());
    }
    let broken = broken.iter().map(|(code, objects)| format!("{}: {}", code.effect(), list(objects))).collect();
    let unused = unused.into_iter().map(|id| id.to_string()).collect();
    let gate = Gate { before: Stage::Contract, retired: retired.collect(), broken, unused };
    let is_needed = [&gate.unused, &gate.retired, &gate.broken].iter().any(|it| !it.is_empty());
    if is_needed { vec![gate] } else { vec![] }
}

/// Whether statements of applications name objects of the kind.
fn is_named_by_code(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Namespace
            | Kind::Table
            | Kind::Column
            | Kind::View
            | Kind::MaterializedView
            | Kind::Routine
            | Kind::Sequence
            | Kind::EnumType
            | Kind::RangeType
            | Kind::Composite
            | Kind::Domain
    )
}
