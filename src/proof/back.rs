//! The ways back that a rollback can go: over what was done since the last step that has none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::observe::{self, StepFailed};
use super::unlike::unlike;
use super::{IntrospectError, ProofError, step_named};
use crate::connect::Session;
use crate::introspect::{introspect, server_message};
use crate::kind::{Object, ObjectId};
use crate::plan::Planned;
use crate::schema::Schema;
use crate::scope::Scope;

/// Neighbouring steps that can all be taken back, cut where the parts of the plan are.
pub type Leg = Vec<Range<usize>>;

/// The legs of a plan on which there is something to take back. A transaction is not cut: one step of it that has no way
/// back ends the leg before it.
pub fn legs(plan: &[Planned], borders: &[usize]) -> Vec<Leg> {
    let mut legs = vec![];
    let mut leg = Leg::new();
    let mut place = 0;
    for together in plan.chunk_by(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let end = place + together.len();
        if together.iter().any(|it| it.step.irreversible.is_some()) {
            legs.push(std::mem::take(&mut leg));
        } else {
            match leg.last_mut().filter(|_| !borders.contains(&place)) {
                Some(last) => last.end = end,
                None => leg.push(place..end),
            }
        }
        place = end;
    }
    legs.push(leg);
    legs.retain(|leg| leg.iter().any(|it| plan[it.clone()].iter().any(|step| !step.undo.is_empty())));
    legs
}

/// What the plan leaves as it was, and a way back leaves so too, where it was in the making at that place: a foreign key
/// that is made again and validated later.
pub fn whole_again([now, state]: [&Schema; 2], ends: [&Schema; 2]) -> BTreeSet<ObjectId> {
    let is_whole = |(id, object): &(&ObjectId, &Object)| {
        state.get(id).is_some_and(|it| it != *object) && ends.iter().all(|end| end.get(id) == Some(*object))
    };
    now.objects.iter().filter(is_whole).map(|(id, _)| id.clone()).collect()
}

/// What was found on the ways back: where they do not lead, in words, and the steps on which that is so or is not known.
#[derive(Debug, Default)]
pub struct Found {
    pub said: Vec<String>,
    pub astray: BTreeSet<usize>,
}

/// Goes the ways back on databases that the plan is run on.
pub struct Back<'a> {
    pub plan: &'a [Planned],
    pub scope: &'a Scope,
    /// What there is before the plan, and after it.
    pub ends: [&'a Schema; 2],
    pub found: Found,
}

impl Back<'_> {
    /// Goes back over a leg that has just been gone. `states`: what there was before each of its pieces.
    pub async fn over(
        &mut self,
        runner: &Session,
        leg: &Leg,
        states: &BTreeMap<usize, Schema>,
    ) -> Result<bool, ProofError> {
        runner.client.batch_execute(observe::SESSION).await?;
        for (at, piece) in leg.iter().enumerate().rev() {
            let said = match observe::undo(runner, &self.plan[piece.clone()]).await {
                Ok(()) => {
                    let (now, state) = (self.now(runner).await?, &states[&piece.start]);
                    let left = unlike(&now, state, &whole_again([&now, state], self.ends), "was");
                    (!left.is_empty()).then(|| self.left(piece, &left))
                }
                Err(failed) => {
                    let why = server_message(&failed.source);
                    Some(format!("the undo of {} fails: {why}", step_named(self.plan, piece.start + failed.place)))
                }
            };
            if let Some(said) = said {
                self.found.said.push(said);
                // From elsewhere, nothing is to be learnt of those that come earlier.
                self.found.astray.extend(leg[..=at].iter().cloned().flatten());
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is not as it was once these steps are taken back, with those of them that are about it.
    fn left(&self, piece: &Range<usize>, left: &[(ObjectId, String)]) -> String {
        let about = |id: &ObjectId| {
            let is_about = |at: &usize| {
                let step = &self.plan[*at];
                step.subject == *id || step.does.iter().any(|(it, _)| it == id)
            };
            let steps: Vec<String> = piece.clone().filter(is_about).map(|at| (at + 1).to_string()).collect();
            match &steps[..] {
                [] => String::new(),
                [one] => format!(" (step {one})"),
                more => format!(" (steps {})", more.join(", ")),
            }
        };
        let objects: Vec<String> = left.iter().map(|(id, how)| format!("{id}{} {how}", about(id))).collect();
        let undos = match piece.len() {
            1 => format!("the undo of {} does", step_named(self.plan, piece.start)),
            all if all == self.plan.len() => "the undos do".to_owned(),
            _ => format!("the undos of steps {} to {} do", piece.start + 1, piece.end),
        };
        format!("{undos} not lead back: {}", objects.join("; "))
    }

    /// Goes back over legs that the plan does not end with, from their ends: what comes after them is not done then.
    pub async fn on_the_way(&mut self, [runner, watcher]: [&Session; 2], legs: &[Leg]) -> Result<(), ProofError> {
        let mut done = 0;
        for (at, leg) in legs.iter().enumerate() {
            let mut states = BTreeMap::new();
            for piece in leg {
                self.run([runner, watcher], done..piece.start).await?;
                states.insert(piece.start, self.now(runner).await?);
                self.run([runner, watcher], piece.clone()).await?;
                done = piece.end;
            }
            let further = &legs[at + 1..];
            let mut goes_on = self.over(runner, leg, &states).await?;
            if goes_on && !further.is_empty() {
                let again = self.run([runner, watcher], leg[0].start..done).await;
                self.found.said.extend(again.as_ref().err().map(|failed| {
                    let step = step_named(self.plan, failed.place);
                    format!("{step} fails once it was taken back: {}", server_message(&failed.source))
                }));
                goes_on = again.is_ok();
            }
            if !goes_on {
                self.found.astray.extend(further.iter().flatten().cloned().flatten());
                return Ok(());
            }
        }
        Ok(())
    }

    async fn now(&self, runner: &Session) -> Result<Schema, IntrospectError> {
        Ok(self.scope.split(&introspect(&runner.client, false).await?.schema).0)
    }

    async fn run(&self, [runner, watcher]: [&Session; 2], steps: Range<usize>) -> Result<(), StepFailed> {
        let start = steps.start;
        let ran = observe::run(runner, watcher, &self.plan[steps]).await;
        ran.map(|_| ()).map_err(|failed| StepFailed { place: start + failed.place, ..failed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Kind, ObjectId};
    use crate::name::Name;
    use crate::plan::{Step, Undo};

    fn step(transaction: u32, has_way_back: bool) -> Planned {
        let step = Step::new("");
        Planned {
            step: if has_way_back { step } else { step.irreversible("it is gone") },
            subject: ObjectId::new(Kind::Namespace, [&Name::from("a")]),
            does: vec![],
            transaction: Some(transaction),
            undo: vec![Undo::inside(String::new())],
            renames_to: None,
        }
    }

    #[test]
    fn a_way_back_ends_where_something_has_none() {
        let plan = [step(1, true), step(2, true), step(3, true), step(3, false), step(4, true), step(5, true)];
        let found = |plan: &[Planned], borders: &[usize]| format!("{:?}", legs(plan, borders));
        assert_eq!(found(&plan, &[]), "[[0..2], [4..6]]");
        assert_eq!(found(&plan, &[1, 5]), "[[0..1, 1..2], [4..5, 5..6]]");
        assert_eq!(found(&plan[..1], &[]), "[[0..1]]");
        assert_eq!(found(&plan[3..4], &[]), "[]");
    }

    #[test]
    fn what_does_not_come_back_is_told_with_its_steps() {
        let plan = [step(1, true), step(2, true), step(3, true)];
        let back = Back {
            plan: &plan,
            scope: &Scope::default(),
            ends: [&Schema::default(), &Schema::default()],
            found: Found::default(),
        };
        let left = |name: &str| [(ObjectId::new(Kind::Namespace, [&Name::from(name)]), "is missing".to_owned())];
        assert_eq!(
            back.left(&(1..2), &left("a")),
            "the undo of step 2 (change namespace a) does not lead back: namespace a (step 2) is missing"
        );
        assert_eq!(
            back.left(&(0..2), &left("a")),
            "the undos of steps 1 to 2 do not lead back: namespace a (steps 1, 2) is missing"
        );
        assert_eq!(back.left(&(0..3), &left("b")), "the undos do not lead back: namespace b is missing");
    }
}
