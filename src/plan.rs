//! From two schemas to an ordered plan: steps with their facts, stages, hazards and undos. Pure; running it is
//! `proof`'s and `apply`'s.

use std::collections::BTreeSet;

use miette::Diagnostic;
use thiserror::Error;

use crate::diff::diff;
use crate::kind::{Claim, ObjectId};
use crate::lock::RelationLock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::schema::{Facts, Schema};

pub mod access;
pub mod ahead;
mod back;
pub mod batch;
pub mod bridge;
pub mod callers_path;
pub mod derive;
pub mod disturb;
pub mod estimate;
pub mod feed;
pub mod file;
pub mod flush;
pub mod fold;
pub mod gate;
pub mod hazard;
pub mod idle;
pub mod join;
pub mod order;
pub mod origin;
pub mod policy;
pub mod relocate;
pub mod rename;
pub mod seed;
pub mod split;
pub mod step;
pub mod together;
pub mod twin;

pub use order::{Half, Ordered};
pub use step::{Aid, Body, Build, Clause, Disturbance, Stage, Step, Transaction};

/// Why there is no plan.
#[derive(Debug, Error, Diagnostic, Clone, PartialEq)]
pub enum PlanError {
    #[error("{object} can't be changed as declared: {reason}")]
    #[diagnostic(code(plan::refused))]
    Refused { object: ObjectId, reason: String },
    #[error("no order was found for the steps on {}", crate::name::list(.0))]
    #[diagnostic(
        code(plan::cycle),
        help("these objects need each other in a circle; declare the change in two parts, and please report it")
    )]
    Cycle(Vec<ObjectId>),
}

/// One statement of an undo.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    pub sql: String,
    /// Whether the statement can run inside a transaction: CONCURRENTLY can't.
    pub transaction: bool,
    /// It builds this again, for whoever goes forward from before its step.
    #[serde(skip)]
    pub again: Option<Aid>,
    /// The number of the step that built it: where that is taken back too, this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<u32>,
}

impl Undo {
    pub fn inside(sql: impl Into<String>) -> Self {
        Undo { sql: sql.into(), transaction: true, again: None, unless: None }
    }

    pub fn outside(sql: impl Into<String>) -> Self {
        Undo { transaction: false, ..Undo::inside(sql) }
    }
}

/// A step in its place, with what takes it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub step: Step,
    /// What the step is about.
    pub subject: ObjectId,
    /// All that comes, goes or changes by it.
    pub does: Vec<(ObjectId, Half)>,
    /// Steps with the same number share a transaction; one without runs outside any.
    pub transaction: Option<u32>,
    pub undo: Vec<Undo>,
    /// The name that the subject has afterwards, where the step renames it.
    pub renames_to: Option<Name>,
}

/// The place of the step that built what an undo of the step at `at` builds again.
pub fn builder(steps: &[Planned], at: usize, undo: &Undo) -> Option<usize> {
    let again = undo.again.as_ref()?;
    steps[..at].iter().rposition(|it| it.step.aid.as_ref() == Some(again))
}

/// Orders what takes `old` to `new` and gives each step its undo.
///
/// Errors: every object that can't be changed as declared, all at once; or a cycle.
pub fn make(old: &Schema, new: &Schema, facts: &Facts) -> Result<Vec<Planned>, Vec<PlanError>> {
    let (mut forward, refused) = draft(old, new, facts, &BTreeSet::new()).map_err(|it| vec![it])?;
    if !refused.is_empty() {
        return Err(refused.into_iter().map(|(object, reason)| PlanError::Refused { object, reason }).collect());
    }
    if forward.is_empty() {
        return Ok(vec![]);
    }
    // What a step of its own makes or drops is taken back by that step, so that each step knows its own undo.
    let apart: BTreeSet<ObjectId> = forward
        .iter()
        .filter(|it| it.does.iter().any(|(id, half)| *half != Half::Alter && *id == it.subject))
        .map(|it| it.subject.clone())
        .collect();
    // Undo is the same with the sides swapped. What can't be taken back in place has no undo, and says so.
    let facts_back = derive::of_way_back(old, new, facts);
    let (mut backward, mut one_way) = draft(new, old, &facts_back, &apart).unwrap_or_default();
    let mut foremost = back::foremost([old, new], &forward, &backward, &one_way);
    let (begin, last) = loop {
        let mut ids: Vec<ObjectId> = vec![];
        for it in forward.iter().filter(|it| foremost.iter().any(|first| first.with.contains(&it.subject))) {
            if !ids.contains(&it.subject) {
                ids.push(it.subject.clone());
            }
        }
        let (begin, last) = match back::last(&ids, &forward, [old, new], |from, to| {
            draft(from, to, &facts_back, &BTreeSet::new()).ok().filter(|it| it.1.is_empty()).map(|it| it.0)
        }) {
            Ok(found) => found,
            Err(id) => {
                foremost.retain(|it| !it.with.contains(&id));
                continue;
            }
        };
        if last.is_empty() {
            break (begin, last);
        }
        let (without, stays) = draft(new, &begin, &facts_back, &apart).unwrap_or_default();
        // What is exchanged for something else all the same goes back whole with that.
        let hard = back::still_hard(&foremost, [old, new], &without, &stays);
        if hard.is_empty() {
            (backward, one_way) = (without, stays);
            break (begin, last);
        }
        foremost.retain(|it| !hard.contains(&it.id));
    };
    let mut until_then = None;
    if !one_way.is_empty() {
        let (aim, held) = back::without(&one_way, [new, &begin], &facts_back, |_| false);
        (backward, _) = draft(new, &aim, &facts_back, &apart).unwrap_or_default();
        // Nobody goes back over the first step that has no way back, so those before it lead back from a state in which
        // nothing of that has been done.
        let first = forward.iter().position(|it| one_way.iter().any(|(id, _)| *id == it.subject));
        let is_there = |id: &ObjectId| {
            let makes = |it: &Ordered| it.does.contains(&(id.clone(), Half::Create));
            forward[..first.unwrap_or_default()].iter().any(makes)
        };
        let (undone, _) = back::without(&one_way, [&begin, new], &facts_back, is_there);
        let (all, _) = draft(&undone, &begin, &facts_back, &apart).unwrap_or_default();
        until_then = first.map(|first| (first, all));
        one_way.extend(held);
    }
    let first = until_then.as_ref().map_or(0, |(first, _)| *first);
    let mut stays = BTreeSet::new();
    for (place, it) in forward.iter_mut().enumerate().skip(first) {
        if let Some((_, reason)) = one_way.iter().find(|(id, _)| *id == it.subject) {
            it.step.irreversible.get_or_insert_with(|| reason.clone());
            stays.insert(place);
        }
    }
    let transactions = transactions(&forward);
    for place in first..forward.len() {
        if let Some(reason) = back::bound(place, &forward, &transactions, &stays, new) {
            forward[place].step.irreversible.get_or_insert(reason);
            stays.insert(place);
        }
    }
    let before = until_then.map(|(first, all)| {
        let mut forward = forward.clone();
        let undos = back::undos([&begin, new], &facts_back, &mut forward, all, &transactions);
        (first, forward, undos)
    });
    let mut undos = back::undos([&begin, new], &facts_back, &mut forward, backward, &transactions);
    if let Some((first, before, mut of_them)) = before {
        forward.splice(..first, before.into_iter().take(first));
        undos = undos.split_off(&first);
        of_them.split_off(&first);
        undos.append(&mut of_them);
    }
    for (id, undo) in last {
        let place = forward.iter().position(|it| it.subject == id).expect("it is one of the first steps");
        undos.entry(place).or_default().extend(undo);
    }
    for (place, it) in forward.iter().enumerate().filter(|(_, it)| it.half == Half::Drop) {
        let follows = facts.spent.get(&it.subject).into_iter().flatten();
        let follows = follows.map(|sql| Undo::inside(sql.clone()));
        undos.entry(place).or_default().extend(follows);
    }
    let mut plan: Vec<Planned> = forward
        .into_iter()
        .zip(transactions)
        .enumerate()
        .map(|(place, (it, transaction))| Planned {
            undo: [it.step.undo.clone(), undos.remove(&place).unwrap_or_default(), it.step.undo_last.clone()]
                .concat(),
            step: it.step,
            subject: it.subject,
            does: it.does,
            transaction,
            renames_to: None,
        })
        .collect();
    back::clear(&mut plan, &stays);
    spare_what_stays(&mut plan, old);
    together::mark(&mut plan, old, facts);
    feed::mark_refusals(&mut plan, [old, new]);
    Ok(plan)
}

/// Objects that can't be changed as declared, each with the reason.
type Refused = Vec<(ObjectId, String)>;

/// The steps from `old` to `new`, ordered and folded, with facts about existing relations only; and the objects that
/// can't be changed, each with the reason.
fn draft(
    old: &Schema,
    new: &Schema,
    facts: &Facts,
    apart: &BTreeSet<ObjectId>,
) -> Result<(Vec<Ordered>, Refused), PlanError> {
    let changes = diff(old, new);
    if changes.is_empty() {
        return Ok((vec![], vec![]));
    }
    let settled = disturb::settle(old, new, facts, &changes);
    let ordered =
        order::order(old, new, facts, &changes, &settled, apart).map_err(|cycle| PlanError::Cycle(cycle.0))?;
    let mut steps = join::join(fold::fold(ordered, apart));
    // By claims, so that a relation without an object of its own counts: the sequence of an identity column.
    let relations = |of: &Schema, counts: &dyn Fn(&ObjectId) -> bool| -> BTreeSet<(Name, Name)> {
        let claims = of.objects.iter().filter(|(id, _)| counts(id)).flat_map(|(_, object)| object.claims());
        claims
            .filter_map(|Claim(space, path)| Some((space, <[Name; 2]>::try_from(path).ok()?)))
            .filter(|(space, _)| *space == "relation")
            .map(|(_, [namespace, name])| (namespace, name))
            .collect()
    };
    let is_replaced = |id: &ObjectId| settled.replaced.contains(id);
    let held = relations(old, &|id| !is_replaced(id));
    // A replaced relation is there, and locked, until the step that drops it.
    let mut going = relations(old, &is_replaced);
    // What neither side describes is there and stays: a foreign table, say, that a table inherits from.
    let described = [old, new].map(|of| relations(of, &|_| true));
    for it in &mut steps {
        let drops = it.half == Half::Drop;
        let exists = |relation: &QName| {
            let name = (relation.namespace.clone(), relation.name.clone());
            let is_described = || described.iter().any(|it| it.contains(&name));
            held.contains(&name) || going.contains(&name) || !is_described()
        };
        it.step.locks.retain(|lock| exists(&lock.relation));
        it.step.rewrites.retain(exists);
        it.step.scans.retain(exists);
        it.step.hazards.retain(|hazard| !idle::spares(hazard, facts));
        it.step.builds.retain(|build| exists(&build.over));
        flush::mark(&mut it.step, &it.subject, facts);
        strongest(&mut it.step.locks);
        for (id, _) in it.does.iter().filter(|(_, half)| *half == Half::Drop) {
            going.retain(|name| !old.objects[id].claims().iter().any(|claim| is_relation(claim, name)));
        }
        if drops && facts.spent.contains_key(&it.subject) {
            it.step.hazards.clear();
            it.step.irreversible = Some("what was kept up for the way back is kept up no longer".into());
        }
    }
    Ok((steps, settled.refused))
}

/// Whether the claim is the relation's, by its namespace and name.
fn is_relation(Claim(space, path): &Claim, (namespace, name): &(Name, Name)) -> bool {
    *space == "relation" && path[..] == [namespace.clone(), name.clone()]
}

/// One lock a relation: the strongest.
pub fn strongest(locks: &mut Vec<RelationLock>) {
    locks.sort_by(|a, b| (&a.relation, b.mode).cmp(&(&b.relation, a.mode)));
    locks.dedup_by(|later, first| later.relation == first.relation);
}

/// Numbers transactions: what is replaced together shares one, and so do neighbours that nobody can wait for.
fn transactions(steps: &[Ordered]) -> Vec<Option<u32>> {
    let mut numbers = vec![];
    let (mut current, mut first) = (0, 0);
    for (place, it) in steps.iter().enumerate() {
        if it.step.transaction == Transaction::Outside {
            numbers.push(None);
            continue;
        }
        let joins = place.checked_sub(1).is_some_and(|last| {
            let before = &steps[last];
            let together = it.group.is_some() && it.group == before.group;
            let quiet = |it: &Ordered| it.step.transaction == Transaction::Shared && it.step.locks.is_empty();
            let free = quiet(it) && quiet(before) && it.step.stage == before.step.stage;
            let is_open = match before.step.transaction {
                Transaction::Shared => true,
                // Promises can be committed together, with the end of what they replace.
                Transaction::Own => {
                    let begun = steps[first].step.transaction == Transaction::Shared;
                    begun && together && it.step.transaction == Transaction::Own && !waits(steps, first, place)
                }
                Transaction::Outside => false,
            };
            numbers.last().is_some_and(Option::is_some) && is_open && (together || free)
        });
        if !joins {
            current += 1;
            first = place;
        }
        numbers.push(Some(current));
    }
    numbers
}

/// Whether the step comes after one from `first` on that has to be committed before.
fn waits(steps: &[Ordered], first: usize, place: usize) -> bool {
    let before = |at: usize| steps[at].after.iter().copied().filter(move |it| *it >= first);
    let mut open: Vec<usize> = before(place).collect();
    while let Some(at) = open.pop() {
        if steps[at].step.transaction == Transaction::Own {
            return true;
        }
        open.extend(before(at));
    }
    false
}

/// What is made again in the transaction in which it goes is away for nobody, where all that stands on it is.
fn spare_what_stays(plan: &mut [Planned], old: &Schema) {
    let told = |it: &Planned| it.step.hazards.iter().any(|it| it.code == Code::RecreateObject);
    if !plan.iter().any(told) {
        return;
    }
    let dependents = old.dependents();
    for group in plan.chunk_by_mut(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let goes = |it: &Planned, id: &ObjectId| it.does.contains(&(id.clone(), Half::Drop));
        let again: BTreeSet<ObjectId> =
            group.iter().filter(|it| !goes(it, &it.subject)).map(|it| it.subject.clone()).collect();
        let stays = |id: &ObjectId| {
            let above = dependents.get(id).into_iter().flatten().copied();
            // What claims no name stands for nothing: a comment.
            let mut standing = above.filter(|it| old.get(it).is_some_and(|it| !it.claims().is_empty()));
            again.contains(id) && standing.all(|it| again.contains(it))
        };
        for it in group {
            it.step.hazards.retain(|it| it.code != Code::RecreateObject || !stays(&it.object));
        }
    }
}

/// Steps, and then those that start from what they lead to: their transactions are counted on.
pub fn in_turn(first: Vec<Planned>, then: Vec<Planned>) -> Vec<Planned> {
    let count = first.iter().filter_map(|it| it.transaction).max().unwrap_or(0);
    let then = then.into_iter().map(|it| Planned { transaction: it.transaction.map(|it| it + count), ..it });
    first.into_iter().chain(then).collect()
}

/// Transactions keep their members; their numbers follow from their places.
pub fn renumber(steps: &mut [Planned]) {
    let mut next = 0;
    let mut last = None;
    for it in steps {
        let Some(number) = it.transaction else {
            last = None;
            continue;
        };
        if last != Some(number) {
            next += 1;
        }
        last = Some(number);
        it.transaction = Some(next);
    }
}
