//! A plan as several, one for each run of steps of the same stage: each starts where the one before it ends. Pure; the
//! states between them are read on the shadow by `proof`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diff::{Change, diff};
use crate::plan::file::{FileStep, From, PlanFile, To, fingerprint};
use crate::plan::{Planned, Stage, Undo};
use crate::render;
use crate::schema::Schema;

/// Which part of a split plan a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// From 1.
    pub number: u32,
    pub of: u32,
    /// The parts that have to be applied first, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Before>,
}

/// A part that comes earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    pub name: String,
    /// Of the state that it starts from.
    pub fingerprint: String,
}

/// Neighbouring steps of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub stage: Stage,
    pub steps: Range<usize>,
}

/// The pieces of a plan. A transaction is not cut: it belongs to the latest stage of its steps.
pub fn pieces(plan: &[Planned]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = vec![];
    let mut place = 0;
    for group in plan.chunk_by(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let stage = group.iter().map(|it| it.step.stage).max().expect("a group has a step");
        let end = place + group.len();
        match pieces.last_mut() {
            Some(last) if last.stage == stage => last.steps.end = end,
            _ => pieces.push(Piece { stage, steps: place..end }),
        }
        place = end;
    }
    pieces
}

/// A schema of which a part was copied, after what happened to the copy: what changed there is as the copy has it, all
/// else as it was.
pub fn laid_over(whole: &Schema, copied: &Schema, reached: &Schema) -> Schema {
    let mut schema = whole.clone();
    for (id, change) in diff(copied, reached) {
        match (change, reached.get(&id)) {
            (Change::Create | Change::Alter, Some(object)) => {
                schema.objects.insert(id.clone(), object.clone());
            }
            _ => {
                schema.objects.remove(&id);
            }
        }
        match reached.needs.get(&id) {
            Some(needs) => schema.needs.insert(id, needs.clone()),
            None => schema.needs.remove(&id),
        };
    }
    schema
}

/// A plan file for each piece. `states`: the managed schema before each piece, and the one after the last; `returns`:
/// whether the undos of each piece lead back to where it starts; `opened`: the step by which each change of access comes.
pub fn split(
    file: &PlanFile,
    pieces: &[Piece],
    states: &[&Schema],
    returns: &[bool],
    opened: &[Option<usize>],
) -> Vec<PlanFile> {
    let prints: Vec<String> = (0..=pieces.len())
        .map(|at| match at {
            0 => file.from.fingerprint.clone(),
            at if at == pieces.len() => file.to.fingerprint.clone(),
            at => fingerprint(states[at]),
        })
        .collect();
    let names = names(&file.name, pieces);
    let part = |at: usize| {
        let before = names.iter().zip(&prints).take(at);
        Part {
            number: number(at),
            of: number(pieces.len() - 1),
            before: before.map(|(name, print)| Before { name: name.clone(), fingerprint: print.clone() }).collect(),
        }
    };
    pieces
        .iter()
        .enumerate()
        .map(|(at, piece)| {
            let steps = file.steps[piece.steps.clone()].iter().cloned().zip(1..);
            // What another part built is taken back with that part alone.
            let within = |step: u32| (number(piece.steps.start)..=number(piece.steps.end - 1)).contains(&step);
            let here = |undo: Undo| Undo {
                unless: undo.unless.filter(|it| within(*it)).map(|it| it - number(piece.steps.start) + 1),
                ..undo
            };
            let mut plan = PlanFile {
                name: names[at].clone(),
                part: Some(part(at)),
                from: From { fingerprint: prints[at].clone(), ..file.from.clone() },
                to: To { fingerprint: prints[at + 1].clone(), ..file.to.clone() },
                difference: render::schema_difference(states[at], states[at + 1]),
                gates: file.gates.iter().filter(|it| it.before == piece.stage).cloned().collect(),
                steps: steps
                    .map(|(step, id)| FileStep { id, undo: step.undo.into_iter().map(here).collect(), ..step })
                    .collect(),
                ..file.clone()
            };
            plan.proof.undo_returns = returns[at];
            // What no step is found for is told once, at the end.
            let here = |step: &Option<usize>| step.map_or(at + 1 == pieces.len(), |it| piece.steps.contains(&it));
            let access = file.proof.access.iter().zip(opened).filter(|it| here(it.1));
            plan.proof.access = access.map(|it| it.0.clone()).collect();
            plan.id = plan.meaning();
            plan
        })
        .collect()
}

fn number(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

/// `tenants-expand`; a stage that comes again is counted.
fn names(plan: &str, pieces: &[Piece]) -> Vec<String> {
    let name = |(at, piece): (usize, &Piece)| {
        let before = pieces[..at].iter().filter(|it| it.stage == piece.stage).count();
        let count = if before == 0 { String::new() } else { format!("-{}", before + 1) };
        format!("{plan}-{}{count}", piece.stage.name())
    };
    pieces.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Kind, ObjectId};
    use crate::name::Name;
    use crate::plan::Step;

    fn step(stage: Stage, transaction: Option<u32>) -> Planned {
        Planned {
            step: Step::new("").stage(stage),
            subject: ObjectId::new(Kind::Namespace, [&Name::from("a")]),
            does: vec![],
            transaction,
            undo: vec![],
            renames_to: None,
        }
    }

    #[test]
    fn a_transaction_is_not_cut_and_a_stage_may_come_again() {
        use Stage::{Backfill, Contract, Expand};
        let plan = [
            step(Expand, Some(1)),
            step(Expand, None),
            step(Backfill, None),
            step(Expand, Some(2)),
            step(Contract, Some(2)),
            step(Expand, Some(3)),
        ];
        let pieces = pieces(&plan);
        let found: Vec<_> = pieces.iter().map(|it| (it.stage, it.steps.clone())).collect();
        assert_eq!(found, [(Expand, 0..2), (Backfill, 2..3), (Contract, 3..5), (Expand, 5..6)]);
        assert_eq!(names("x", &pieces), ["x-expand", "x-backfill", "x-contract", "x-expand-2"]);
    }
}
