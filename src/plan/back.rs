//! Which steps of the way back are the undo of which step. Each goes to the step that it takes back; what goes back as one
//! stays together, since its order is its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Disturbance, Half, Ordered, Planned, Stage, Step, Transaction, Undo};
use crate::kind::ObjectId;
use crate::schema::{Facts, Families, Schema, Sides};

/// What the way back can lead to where some objects can't go it: these stay as they are, and so do their parts and what
/// the one state of them and the other have no room for. With these, each with the reason. `is_there` tells what is there
/// by then, whole or not.
pub(super) fn without(
    one_way: &[(ObjectId, String)],
    [here, aim]: [&Schema; 2],
    facts: &Facts,
    is_there: impl Fn(&ObjectId) -> bool,
) -> (Schema, Vec<(ObjectId, String)>) {
    let replaced = BTreeSet::new();
    let mut left = aim.clone();
    let mut held: BTreeMap<ObjectId, String> = BTreeMap::new();
    let mut found: Vec<(ObjectId, String)> = one_way.to_vec();
    while !found.is_empty() {
        for (id, why) in found.drain(..) {
            put(&mut left, &id, here);
            held.entry(id).or_insert(why);
        }
        let ids = here.objects.keys().chain(aim.objects.keys().filter(|it| !here.contains(it)));
        for id in ids.filter(|it| !held.contains_key(it)) {
            let wholes = [here, aim].into_iter().filter_map(|it| it.part_of(id));
            let unfit = left.get(id).is_some_and(|it| !it.fits(&left));
            let lacks = left.needs_of(id).filter(|need| unfit || !left.contains(need)).cloned();
            let why = wholes.chain(lacks).find_map(|it| held.get(&it).cloned());
            found.extend(why.map(|why| (id.clone(), why)));
        }
        // What can't go back holds what it would no longer fit.
        for (id, why) in held.iter().filter(|(id, _)| left.get(id).is_some_and(|it| !it.fits(&left))) {
            let others = left.needs_of(id).filter(|it| !held.contains_key(it) && here.contains(it));
            found.extend(others.filter(|it| left.contains(it)).map(|it| (it.clone(), why.clone())));
        }
        // What goes only with something that stays is there still, and so is what it needs.
        let sides = Sides { old: here, new: &left, facts, replaced: &replaced, families: &Families::default() };
        for (id, object) in here.objects.iter().filter(|(id, _)| !left.contains(id)) {
            let why = object.goes_only_with(&sides).and_then(|it| held.get(&it));
            found.extend(why.map(|why| (id.clone(), why.clone())));
        }
        for (id, why) in held.iter().filter(|(id, _)| left.contains(id)) {
            let missing = here.needs_of(id).filter(|it| here.contains(it) && !left.contains(it));
            found.extend(missing.map(|it| (it.clone(), why.clone())));
        }
        // What would come only with something that lacks a part from then on keeps that from coming.
        let sides = Sides { old: aim, new: &left, facts, replaced: &replaced, families: &Families::default() };
        let lacking = held.iter().filter(|(id, _)| !left.contains(id));
        let wholes = lacking.filter_map(|(id, why)| Some((aim.get(id)?.goes_only_with(&sides)?, why)));
        let late = wholes.filter(|(whole, _)| left.get(whole) != here.get(whole) && !is_there(whole));
        found.extend(late.map(|(whole, why)| (whole, why.clone())).collect::<Vec<_>>());
    }
    let further = held.into_iter().filter(|(id, _)| one_way.iter().all(|(known, _)| known != id));
    (left, further.collect())
}

/// Gives an object the state that it has in another schema.
fn put(schema: &mut Schema, id: &ObjectId, as_in: &Schema) {
    match as_in.get(id) {
        Some(object) => _ = schema.objects.insert(id.clone(), object.clone()),
        None => _ = schema.objects.remove(id),
    }
    match as_in.needs.get(id) {
        Some(needs) => _ = schema.needs.insert(id.clone(), needs.clone()),
        None => _ = schema.needs.remove(id),
    }
}

/// Something that goes back last, from among what was there before the plan, and not from among what is there after it.
pub(super) struct Foremost {
    pub id: ObjectId,
    /// What came before it, and itself.
    pub with: BTreeSet<ObjectId>,
}

/// What the way there changes before all else, in the way of nothing, and the way back only by an exchange, by making it
/// again below what is not there any more, or not at all.
pub(super) fn foremost(
    sides: [&Schema; 2],
    forward: &[Ordered],
    backward: &[Ordered],
    one_way: &[(ObjectId, String)],
) -> Vec<Foremost> {
    let mut places: HashMap<&ObjectId, BTreeSet<usize>> = HashMap::new();
    for (at, it) in forward.iter().enumerate() {
        for id in it.does.iter().map(|(id, _)| id).chain([&it.subject]) {
            places.entry(id).or_default().insert(at);
        }
    }
    let way_back = by_subject(backward);
    let one_way: BTreeSet<&ObjectId> = one_way.iter().map(|(id, _)| id).collect();
    let goes_back_hard = |id: &ObjectId| {
        one_way.contains(id) || way_back.get(id).is_some_and(|own| goes_back_hard(id, sides, own.iter().copied()))
    };
    let is_alone = |id: &ObjectId, halves: &[Half]| {
        places[id].iter().map(|at| &forward[*at]).all(|it| {
            let is_in_the_way = !it.step.disturbs.is_empty() || it.step.stage != Stage::Expand;
            it.subject == *id && halves.contains(&it.half) && it.does.len() <= 1 && !is_in_the_way
        })
    };
    let mut found: Vec<Foremost> = vec![];
    for it in forward.iter().filter(|it| is_alone(&it.subject, &[Half::Alter]) && goes_back_hard(&it.subject)) {
        if found.iter().any(|known| known.id == it.subject) {
            continue;
        }
        let mut with = BTreeSet::from([it.subject.clone()]);
        let of =
            |id: &ObjectId| places[id].iter().copied().filter(|at| forward[*at].subject == *id).collect::<Vec<_>>();
        let mut before = of(&it.subject);
        while let Some(at) = before.pop() {
            for first in &forward[at].after {
                if with.insert(forward[*first].subject.clone()) {
                    before.extend(of(&forward[*first].subject));
                }
            }
        }
        if with.iter().all(|id| is_alone(id, &[Half::Alter, Half::Create])) {
            found.push(Foremost { id: it.subject.clone(), with });
        }
    }
    found
}

/// Whether something goes back, by these steps of its own, only by an exchange or by being made again below what is there
/// on the old side only.
fn goes_back_hard<'a>(id: &ObjectId, sides: [&Schema; 2], mut own: impl Iterator<Item = &'a Ordered>) -> bool {
    let exchanges = |step: &Step| step.disturbs.iter().any(|(_, how)| *how == Disturbance::Swap);
    own.any(|it| match it.half {
        Half::Alter => exchanges(&it.step),
        Half::Drop => is_below_what_goes(id, sides),
        Half::Create => false,
    })
}

/// Those that go back so hard all the same on this way back, or not at all.
pub(super) fn still_hard(
    foremost: &[Foremost],
    sides: [&Schema; 2],
    backward: &[Ordered],
    one_way: &[(ObjectId, String)],
) -> BTreeSet<ObjectId> {
    let of = |id: &ObjectId| {
        one_way.iter().any(|(it, _)| it == id)
            || goes_back_hard(id, sides, backward.iter().filter(|it| it.subject == *id))
    };
    foremost.iter().map(|it| &it.id).filter(|id| of(id)).cloned().collect()
}

/// Steps by what they are of.
fn by_subject(steps: &[Ordered]) -> HashMap<&ObjectId, Vec<&Ordered>> {
    let mut by_subject: HashMap<&ObjectId, Vec<&Ordered>> = HashMap::new();
    for it in steps {
        by_subject.entry(&it.subject).or_default().push(it);
    }
    by_subject
}

/// Whether something stands on it, by way of others too, that is there on the old side only.
fn is_below_what_goes(id: &ObjectId, [old, new]: [&Schema; 2]) -> bool {
    let mut known = BTreeSet::from([id]);
    let mut left = vec![id];
    while let Some(below) = left.pop() {
        for above in old.needs.iter().filter(|(_, needs)| needs.contains(below)).map(|(above, _)| above) {
            if !new.contains(above) {
                return true;
            }
            if known.insert(above) {
                left.push(above);
            }
        }
    }
    false
}

/// The undos of these, which are in the order of the way there, each beside what came before it, and the state that the
/// last of them leaves.
///
/// Errors: one that can't go back so either.
pub(super) fn last(
    foremost: &[ObjectId],
    forward: &[Ordered],
    [old, new]: [&Schema; 2],
    way: impl Fn(&Schema, &Schema) -> Option<Vec<Ordered>>,
) -> Result<(Schema, BTreeMap<ObjectId, Vec<Undo>>), ObjectId> {
    let mut begins = old.clone();
    foremost.iter().for_each(|id| put(&mut begins, id, new));
    let mut undos = BTreeMap::new();
    for id in foremost {
        let mut after = old.clone();
        done_before(id, forward).into_iter().for_each(|it| put(&mut after, it, new));
        let mut before = after.clone();
        put(&mut before, id, new);
        let steps = way(&before, &after).ok_or_else(|| id.clone())?;
        undos.insert(id.clone(), steps.iter().map(|it| undo(&it.step)).collect());
    }
    Ok((begins, undos))
}

/// What is all that it will be before the first step of something else.
fn done_before<'a>(id: &ObjectId, forward: &'a [Ordered]) -> BTreeSet<&'a ObjectId> {
    let of = |steps: &'a [Ordered]| -> BTreeSet<&'a ObjectId> {
        steps.iter().flat_map(|it| it.does.iter().map(|(id, _)| id).chain([&it.subject])).collect()
    };
    let first = forward.iter().position(|it| it.subject == *id).unwrap_or_default();
    &of(&forward[..first]) - &of(&forward[first..])
}

/// What is made again on the way there and stays on the way back: steps that helped to make it take nothing away.
fn spare(forward: &mut [Ordered], backward: &[Ordered], goes_again: &BTreeSet<ObjectId>) {
    let stays =
        |it: &Ordered| !backward.iter().any(|back| back.subject == it.subject) && !goes_again.contains(&it.subject);
    let goes = |it: &&Ordered| it.half == Half::Drop && stays(it);
    let spared: BTreeSet<ObjectId> = forward.iter().filter(goes).map(|it| it.subject.clone()).collect();
    for it in forward.iter_mut().filter(|it| it.half == Half::Create && spared.contains(&it.subject)) {
        it.step.undo.clear();
    }
}

/// Why a step has no way back though its change has: it makes something that goes only with what was made before a step
/// that stays. What shares the transaction of one that stays needs no reason of its own.
pub(super) fn bound(
    place: usize,
    forward: &[Ordered],
    transactions: &[Option<u32>],
    stays: &BTreeSet<usize>,
    new: &Schema,
) -> Option<String> {
    let together = |a: usize, b: usize| transactions[a].is_some() && transactions[a] == transactions[b];
    if stays.iter().any(|at| together(*at, place)) {
        return None;
    }
    let (facts, replaced) = (Facts::default(), BTreeSet::new());
    let sides = Sides { old: new, new, facts: &facts, replaced: &replaced, families: &Families::default() };
    let makes = |it: &Ordered, id: &ObjectId| it.does.contains(&(id.clone(), Half::Create));
    let made = |id: &ObjectId| forward[..place].iter().position(|it| makes(it, id));
    let mut created = forward[place].does.iter().filter(|(_, half)| *half == Half::Create);
    created.find_map(|(id, _)| {
        let whole = new.get(id)?.goes_only_with(&sides)?;
        let made = made(&whole)?;
        let start = (0..made).find(|at| together(*at, made)).unwrap_or(made);
        stays.range(start..place).next().map(|_| format!("it goes only with {whole}, which stays"))
    })
}

/// A rollback goes neither over these, which have no way back, nor into the middle of their transactions: no step of
/// those has an undo.
pub(super) fn clear(plan: &mut [Planned], one_way: &BTreeSet<usize>) {
    let mut place = 0;
    for together in plan.chunk_by_mut(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let start = place;
        place += together.len();
        if one_way.range(start..place).next().is_some() {
            together.iter_mut().for_each(|it| it.undo.clear());
        }
    }
}

/// The undo of each step, by its place. A step that helps only on the way keeps its own, where that takes nothing away.
pub(super) fn undos(
    sides: [&Schema; 2],
    facts: &Facts,
    forward: &mut [Ordered],
    backward: Vec<Ordered>,
    transactions: &[Option<u32>],
) -> BTreeMap<usize, Vec<Undo>> {
    let mut undos = remade(sides, facts, forward, &backward, transactions);
    for (place, further) in attach(sides, forward, backward) {
        undos.entry(place).or_default().extend(further);
    }
    undos
}

/// What the way there makes again in more than one transaction, and the way back leaves alone, is away at some of its
/// stops, or is not all that it was: where it goes, it is made again as far as it is not there.
fn remade(
    [old, new]: [&Schema; 2],
    facts: &Facts,
    forward: &mut [Ordered],
    backward: &[Ordered],
    transactions: &[Option<u32>],
) -> BTreeMap<usize, Vec<Undo>> {
    let touched: BTreeSet<&ObjectId> =
        backward.iter().flat_map(|it| it.does.iter().map(|(id, _)| id).chain([&it.subject])).collect();
    let mut made: BTreeMap<&ObjectId, Vec<usize>> = BTreeMap::new();
    for (at, it) in forward.iter().enumerate().filter(|(_, it)| it.half == Half::Create && it.step.body.is_none()) {
        if old.contains(&it.subject) && !touched.contains(&it.subject) {
            made.entry(&it.subject).or_default().push(at);
        }
    }
    let doing = doing_of(forward);
    let mut again: Vec<Remade> = vec![];
    for (id, steps) in made {
        let Some(end) = gone_at(id, old, &doing) else { continue };
        let with_end = |at: &usize| transactions[*at].is_some() && transactions[*at] == transactions[end];
        let stays = steps.iter().map(with_end).collect::<Vec<_>>();
        if stays.contains(&false) {
            again.push(Remade { id: id.clone(), end, steps, stays });
        }
    }
    again.sort_by_key(|it| it.steps.first().copied());
    let replaced = again.iter().map(|it| it.id.clone()).collect();
    let sides = Sides { old: new, new: old, facts, replaced: &replaced, families: &Families::default() };
    let mut undos: BTreeMap<usize, Vec<Undo>> = BTreeMap::new();
    let mut goes_again = BTreeSet::new();
    for it in again {
        let steps = old.objects[&it.id].create(&sides);
        let stays = |at: usize| steps.len() == it.steps.len() && it.stays[at];
        // What can't be made again where it is goes where it came.
        if !stays(0) && steps.first().is_some_and(|it| !it.repeats) {
            let gone = new.objects[&it.id].drop(&sides);
            let came = it.steps.iter().find(|at| forward[**at].step.makes).unwrap_or(&it.steps[0]);
            undos.entry(*came).or_default().extend(gone.iter().map(undo));
            goes_again.insert(it.id);
        } else {
            it.steps.iter().for_each(|at| forward[*at].step.undo.clear());
        }
        let missing = steps.iter().enumerate().filter(|(at, _)| !stays(*at));
        undos.entry(it.end).or_default().extend(missing.map(|(_, it)| undo(it)));
    }
    spare(forward, backward, &goes_again);
    undos
}

/// Something that goes and is made again.
struct Remade {
    id: ObjectId,
    /// The place of the step by which it goes.
    end: usize,
    /// Those of the steps that make it again.
    steps: Vec<usize>,
    /// Which of them happen in the moment in which it goes.
    stays: Vec<bool>,
}

fn undo(step: &Step) -> Undo {
    Undo { transaction: step.transaction != Transaction::Outside, ..Undo::inside(&step.sql) }
}

/// Gives each backward step to the forward step that it takes back.
fn attach([old, new]: [&Schema; 2], forward: &[Ordered], backward: Vec<Ordered>) -> BTreeMap<usize, Vec<Undo>> {
    let doing = doing_of(forward);
    let mut about: BTreeMap<&ObjectId, usize> = BTreeMap::new();
    for (place, it) in forward.iter().enumerate() {
        for id in it.does.iter().map(|(id, _)| id).chain([&it.subject]) {
            about.entry(id).or_insert(place);
        }
    }
    let mut with_part: BTreeMap<ObjectId, usize> = BTreeMap::new();
    for (place, it) in forward.iter().enumerate() {
        for whole in [old, new].into_iter().filter_map(|side| side.part_of(&it.subject)) {
            with_part.entry(whole).or_insert(place);
        }
    }
    // Where dependents are ended and made again around one step of several, all of the way back goes there.
    let disturbing: BTreeMap<&ObjectId, usize> = forward
        .iter()
        .enumerate()
        .filter(|(_, it)| it.half == Half::Alter && !it.step.disturbs.is_empty())
        .map(|(place, it)| (&it.subject, place))
        .collect();
    let of_part = |it: &Ordered| {
        let part = it.step.part.as_ref()?;
        let same = |other: &Ordered| {
            other.step.part.as_ref() == Some(part)
                && other.subject == it.subject
                && other.half == it.half.reversed()
        };
        forward.iter().position(same)
    };
    let find = |it: &Ordered| {
        let altered = disturbing.get(&it.subject).filter(|_| it.half == Half::Alter);
        let doing = || match it.half.reversed() {
            Half::Drop => {
                doing.get(&(&it.subject, Half::Alter)).copied().or_else(|| gone_at(&it.subject, old, &doing))
            }
            half => doing.get(&(&it.subject, half)).copied(),
        };
        // What a whole brings along goes back where the whole does.
        let with_whole = |place: usize| {
            let whole = &forward[place].subject;
            let goes_back =
                disturbing.get(whole).filter(|_| forward[place].half == Half::Alter && *whole != it.subject);
            goes_back.copied().unwrap_or(place)
        };
        of_part(it)
            .or(altered.copied())
            .or_else(|| doing().map(with_whole))
            .or_else(|| about.get(&it.subject).copied())
    };
    // A step that only moves something out of the way goes with the change that it makes room for.
    let of_group: BTreeMap<&ObjectId, usize> =
        backward.iter().filter_map(|it| Some((it.group.as_ref()?, find(it)?))).collect();
    let elsewhere = |it: &Ordered| {
        let of_group = it.group.as_ref().and_then(|group| of_group.get(group));
        of_group.or_else(|| with_part.get(&it.subject)).copied()
    };
    let place = |it: &Ordered| find(it).or_else(|| elsewhere(it)).unwrap_or(0);
    let mut places: Vec<usize> = backward.iter().map(place).collect();
    keep_whole(&mut places, &backward, |id| old.contains(id) == new.contains(id));
    wait_for_needs(&mut places, &backward, [old, new]);
    let mut undos: BTreeMap<usize, Vec<Undo>> = BTreeMap::new();
    for (it, place) in backward.iter().zip(places) {
        undos.entry(place).or_default().push(undo(&it.step));
    }
    undos
}

/// What goes back as one, and would be torn into the wrong order by its places, goes back at one of them: where the first
/// of its steps stands, but not before what is there on one side only has come or gone.
fn keep_whole(places: &mut [usize], backward: &[Ordered], is_on_both: impl Fn(&ObjectId) -> bool) {
    let mut moved = BTreeSet::new();
    for members in units(backward) {
        let is_torn = |at: &usize| {
            let before = backward[*at].after.iter().filter(|it| members.contains(it));
            before.into_iter().any(|before| places[*before] < places[*at])
        };
        if !members.iter().any(is_torn) {
            continue;
        }
        let one_sided =
            members.iter().filter(|at| !is_on_both(&backward[**at].subject)).map(|at| places[*at]).max();
        let first = members.iter().map(|at| places[*at]).min();
        let Some(place) = one_sided.or(first) else { continue };
        for at in members {
            places[at] = place;
            moved.insert(at);
        }
    }
    // What goes on in a moved step's place comes after it: more of the same, and what went with what it makes again.
    for at in 0..backward.len() {
        let it = &backward[at];
        let goes_on = |first: &&usize| {
            let first = &backward[**first];
            let same = first.subject == it.subject && first.half == it.half;
            same || (first.half == Half::Create && it.half == Half::Create)
        };
        let after = it.after.iter().filter(|first| moved.contains(*first)).filter(goes_on);
        let Some(place) = after.map(|first| places[*first]).min() else { continue };
        if place < places[at] {
            places[at] = place;
            moved.insert(at);
        }
    }
}

/// What needs something that is there on the old side only comes when that is back, not before; and what comes again
/// does so once it is gone.
fn wait_for_needs(places: &mut [usize], backward: &[Ordered], [old, new]: [&Schema; 2]) {
    let made: BTreeMap<&ObjectId, usize> = backward
        .iter()
        .enumerate()
        .filter(|(_, it)| it.half == Half::Create && !new.contains(&it.subject))
        .map(|(at, it)| (&it.subject, at))
        .collect();
    for (at, it) in backward.iter().enumerate().filter(|(_, it)| it.half != Half::Drop) {
        let needs = old.needs_of(&it.subject).filter_map(|need| made.get(need)).filter(|made| **made < at);
        let ends_it = |first: &&usize| {
            let first = &backward[**first];
            let with_it = || new.needs_of(&it.subject).any(|need| *need == first.subject);
            first.half == Half::Drop && (first.does.contains(&(it.subject.clone(), Half::Drop)) || with_it())
        };
        let first = needs.chain(it.after.iter().filter(ends_it)).map(|it| places[*it]).min();
        places[at] = first.map_or(places[at], |first| first.min(places[at]));
    }
}

/// The steps that go together: groups, and what is between the end and the return of what is replaced outside of any.
fn units(steps: &[Ordered]) -> Vec<BTreeSet<usize>> {
    let mut units: BTreeMap<(&ObjectId, bool), BTreeSet<usize>> = BTreeMap::new();
    let mut ended: BTreeMap<&ObjectId, BTreeSet<usize>> = BTreeMap::new();
    for (at, it) in steps.iter().enumerate() {
        if let Some(group) = &it.group {
            units.entry((group, true)).or_default().insert(at);
            continue;
        }
        for (end, follows) in &mut ended {
            if it.after.iter().any(|first| follows.contains(first)) {
                follows.insert(at);
                if *end == &it.subject && it.half == Half::Create {
                    let leads: BTreeSet<usize> = before(steps, at).intersection(follows).copied().collect();
                    units.entry((end, false)).or_insert(leads).insert(at);
                }
            }
        }
        if it.half == Half::Drop {
            ended.entry(&it.subject).or_default().insert(at);
        }
    }
    units.into_values().collect()
}

/// All that comes before a step.
fn before(steps: &[Ordered], at: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![at];
    while let Some(next) = open.pop() {
        open.extend(steps[next].after.iter().filter(|first| found.insert(**first)));
    }
    found
}

/// The place of the first step that does something to an object.
type Doing<'a> = BTreeMap<(&'a ObjectId, Half), usize>;

fn doing_of(steps: &[Ordered]) -> Doing<'_> {
    let mut doing: Doing<'_> = BTreeMap::new();
    for (place, it) in steps.iter().enumerate() {
        for (id, half) in &it.does {
            doing.entry((id, *half)).or_insert(place);
        }
    }
    doing
}

/// The step by which an object goes: its own, or the first one that drops something that it needs.
fn gone_at(id: &ObjectId, old: &Schema, doing: &Doing<'_>) -> Option<usize> {
    let mut seen = BTreeSet::from([id]);
    let mut open = vec![id];
    let mut first: Option<usize> = None;
    while let Some(next) = open.pop() {
        match doing.get(&(next, Half::Drop)) {
            Some(place) => first = Some(first.map_or(*place, |known| known.min(*place))),
            None => open.extend(old.needs_of(next).filter(|need| seen.insert(need))),
        }
    }
    first
}
