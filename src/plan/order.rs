//! One order for all steps: a graph over them from what both schemas need, a heap for the ties.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use crate::diff::Change;
use crate::kind::{Claim, Kind, ObjectId};
use crate::plan::disturb::Settled;
use crate::plan::{Disturbance, Stage, Step, Transaction};
use crate::schema::{Facts, Families, Schema, Sides};

mod knots;

/// What is done to an object. A replaced one has both a drop and a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    Drop,
    Alter,
    Create,
}

impl Half {
    /// What the same change is when the sides are swapped.
    pub fn reversed(self) -> Half {
        match self {
            Half::Drop => Half::Create,
            Half::Alter => Half::Alter,
            Half::Create => Half::Drop,
        }
    }
}

/// A step in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    pub step: Step,
    pub subject: ObjectId,
    pub half: Half,
    /// All that happens by this step: its subject, and the parts that come or go with it.
    pub does: Vec<(ObjectId, Half)>,
    /// The steps that must come before, by their place in the order.
    pub after: BTreeSet<usize>,
    /// Steps with the same group replace things together, in one transaction.
    pub group: Option<ObjectId>,
}

/// A cycle that ordering could not resolve.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle(pub Vec<ObjectId>);

struct Node {
    steps: Vec<Step>,
    does: Vec<(ObjectId, Half)>,
    group: Option<ObjectId>,
}

/// Steps for all changes, in an order in which every one finds what it needs. What is in `apart` is dropped by a
/// statement of its own even where its whole is dropped too.
pub fn order(
    old: &Schema,
    new: &Schema,
    facts: &Facts,
    changes: &BTreeMap<ObjectId, Change>,
    settled: &Settled,
    apart: &BTreeSet<ObjectId>,
) -> Result<Vec<Ordered>, Cycle> {
    let sides = Sides { old, new, facts, replaced: &settled.replaced, families: &Families::default() };
    let mut uncovered = apart.clone();
    let going = changes.iter().filter(|(_, change)| **change == Change::Drop).map(|(id, _)| id);
    uncovered.extend(going.chain(&settled.replaced).filter(|id| old.objects[*id].goes_apart(&sides)).cloned());
    // Two dropped tables that refer to each other can't take their foreign keys with them, since each would have to
    // go first: what stands in such a cycle is dropped by itself.
    loop {
        let graph = Graph::new(sides, changes, settled, &uncovered);
        match graph.sorted(true).or_else(|_| graph.sorted(false)) {
            Ok(ordered) => return Ok(ordered),
            Err(cycle) => {
                let parts: Vec<ObjectId> = graph
                    .nodes
                    .iter()
                    .filter(|(_, node)| node.does.iter().any(|(id, _)| cycle.0.contains(id)))
                    .flat_map(|(_, node)| node.does.iter())
                    .filter(|(id, half)| {
                        *half == Half::Drop
                            && graph.cross_needs(id, &cycle)
                            && old.part_of(id).is_some()
                            && !uncovered.contains(id)
                    })
                    .map(|(id, _)| id.clone())
                    .collect();
                if parts.is_empty() {
                    return Err(cycle);
                }
                // Those of one kind may do: the foreign keys, and not all that stands beside them.
                let mut by_kind: BTreeMap<Kind, Vec<ObjectId>> = BTreeMap::new();
                for part in &parts {
                    by_kind.entry(part.kind).or_default().push(part.clone());
                }
                let resolves = |some: &Vec<ObjectId>| {
                    let uncovered = uncovered.iter().chain(some).cloned().collect();
                    let graph = Graph::new(sides, changes, settled, &uncovered);
                    graph.sorted(true).or_else(|_| graph.sorted(false)).is_ok()
                };
                let some = by_kind.into_values().filter(resolves).min_by_key(Vec::len);
                uncovered.extend(some.unwrap_or(parts));
            }
        }
    }
}

/// The node that disturbs something, and how.
type Disturbing<'a> = (&'a (ObjectId, Half), Disturbance);

struct Graph<'a> {
    old: &'a Schema,
    new: &'a Schema,
    sides: Sides<'a>,
    nodes: BTreeMap<(ObjectId, Half), Node>,
    /// The node by which each change happens: its own, or that of its whole.
    by: HashMap<(ObjectId, Half), (ObjectId, Half)>,
}

impl<'a> Graph<'a> {
    fn new(
        sides: Sides<'a>,
        changes: &BTreeMap<ObjectId, Change>,
        settled: &'a Settled,
        uncovered: &BTreeSet<ObjectId>,
    ) -> Self {
        let Sides { old, new, .. } = sides;
        let goes = |id: &ObjectId| changes.get(id) == Some(&Change::Drop) || settled.replaced.contains(id);
        let comes = |id: &ObjectId| changes.get(id) == Some(&Change::Create) || settled.replaced.contains(id);
        let mut nodes = BTreeMap::new();
        let mut by = HashMap::new();
        let mut lost: Vec<((ObjectId, Half), &ObjectId)> = vec![];
        // The whole that is altered so that a part comes or changes: that happens with it.
        let carrier = |id: &ObjectId| {
            let whole = new.part_of(id).filter(|whole| settled.altered.contains_key(whole))?;
            new.objects[id].changes_whole(&sides).then_some((whole, Half::Alter))
        };
        let coming = changes.iter().filter(|(_, change)| **change == Change::Create).map(|(id, _)| id);
        let places: BTreeMap<ObjectId, ObjectId> =
            coming.filter_map(|id| Some((id.clone(), new.objects[id].takes_the_place_of(&sides)?))).collect();
        let ids: BTreeSet<&ObjectId> =
            changes.keys().chain(&settled.replaced).chain(settled.altered.keys()).collect();
        for id in ids {
            let group = settled.cause.get(id).map(|cause| root(cause, &settled.cause));
            let place = places.get(id).or_else(|| places.values().find(|it| *it == id));
            let group = group.or_else(|| place.map(|it| root(it, &settled.cause)));
            if goes(id) {
                let whole = covering(old.wholes_of(id), goes, uncovered).filter(|_| !uncovered.contains(id));
                let taken_in = old.objects[id].is_taken_in_by(&sides).filter(|it| whole.is_none() && comes(it));
                let key = match taken_in {
                    Some(by) => (by, Half::Create),
                    None => (whole.unwrap_or_else(|| id.clone()), Half::Drop),
                };
                by.insert((id.clone(), Half::Drop), key.clone());
                let node =
                    nodes.entry(key.clone()).or_insert_with(|| Node { steps: vec![], does: vec![], group: None });
                node.does.push((id.clone(), Half::Drop));
                if key == (id.clone(), Half::Drop) {
                    node.steps = old.objects[id].drop(&sides);
                    node.group = group.clone();
                } else if key.1 == Half::Drop && comes(&key.0) {
                    lost.push((key, id));
                }
            }
            if comes(id) {
                let object = &new.objects[id];
                let whole = new.part_of(id).filter(|whole| object.made_with_whole() && comes(whole));
                let with_whole = whole.map(|whole| (whole, Half::Create)).or_else(|| carrier(id));
                let key = with_whole.unwrap_or_else(|| (id.clone(), Half::Create));
                by.insert((id.clone(), Half::Create), key.clone());
                let node =
                    nodes.entry(key.clone()).or_insert_with(|| Node { steps: vec![], does: vec![], group: None });
                node.does.push((id.clone(), Half::Create));
                if key.0 == *id {
                    node.steps = object.create(&sides);
                    node.group = group;
                }
            }
            if let Some(steps) = settled.altered.get(id) {
                let (own, carrier) = ((id.clone(), Half::Alter), carrier(id));
                let key = carrier.unwrap_or_else(|| own.clone());
                by.insert(own.clone(), key.clone());
                let node =
                    nodes.entry(key.clone()).or_insert_with(|| Node { steps: vec![], does: vec![], group: None });
                node.does.push(own.clone());
                if key != own {
                    continue;
                }
                let swaps = steps.iter().flat_map(|step| &step.disturbs).any(|(_, how)| *how == Disturbance::Swap);
                node.group = (swaps || settled.cause.values().any(|cause| cause == id)).then(|| id.clone());
                node.steps.clone_from(steps);
            }
        }
        // What does not come again with its whole, or not as it was, is told of where that goes.
        for (whole, id) in lost {
            let part = &old.objects[id];
            let hazards = match new.get(id) {
                Some(new) => part.loses(new, &sides),
                None => part.drop(&sides).into_iter().flat_map(|step| step.hazards).collect(),
            };
            let ends = nodes.get_mut(&whole).and_then(|node| node.steps.last_mut());
            ends.into_iter().for_each(|step| step.hazards.extend_from_slice(&hazards));
        }
        let mut graph = Graph { old, new, sides, nodes, by };
        graph.change_together();
        graph.take_parts();
        graph.wait_for_rows();
        graph
    }

    /// What reads a column that comes and is filled does so once it is: until then it would find nothing. What reads that
    /// in turn comes after it.
    fn wait_for_rows(&mut self) {
        let fills = |node: &Node| node.steps.iter().any(|step| step.stage == Stage::Backfill);
        let coming = self.nodes.values().filter(|node| fills(node)).flat_map(|node| &node.does);
        let mut late: BTreeSet<ObjectId> =
            coming.filter(|(_, half)| *half == Half::Create).map(|(id, _)| id.clone()).collect();
        let mut found = !late.is_empty();
        while found {
            found = false;
            for ((id, half), node) in &mut self.nodes {
                let Some(object) = self.new.get(id).filter(|_| *half != Half::Drop) else { continue };
                let mut named = self.new.needs_of(id).chain(self.new.wishes_of(id));
                if !late.contains(id) && named.any(|it| late.contains(it) && object.reads(it)) {
                    node.steps.iter_mut().for_each(|step| step.stage = step.stage.max(Stage::Validate));
                    late.insert(id.clone());
                    found = true;
                }
            }
        }
    }

    /// Puts changes into one group where one without the other serves nobody.
    fn change_together(&mut self) {
        let changed = |id: &ObjectId| self.old.contains(id) && self.new.contains(id);
        let changing: BTreeSet<&ObjectId> = self.nodes.keys().map(|(id, _)| id).filter(|id| changed(id)).collect();
        let pairs: Vec<(ObjectId, ObjectId)> = changing
            .into_iter()
            .filter_map(|id| Some((id.clone(), self.new.objects[id].changes_with(&self.sides)?)))
            .collect();
        for (id, other) in pairs {
            let of = |id: &ObjectId| -> Vec<(ObjectId, Half)> {
                let halves = [Half::Drop, Half::Alter, Half::Create].map(|half| (id.clone(), half));
                halves.into_iter().filter(|key| self.nodes.contains_key(key)).collect()
            };
            let (own, others) = (of(&id), of(&other));
            if others.is_empty() {
                continue;
            }
            let group = |keys: &[(ObjectId, Half)]| keys.iter().find_map(|key| self.nodes[key].group.clone());
            let [one, two] = [group(&own), group(&others)];
            let both = two.or_else(|| one.clone()).unwrap_or_else(|| other.clone());
            for node in self.nodes.values_mut().filter(|node| one.is_some() && node.group == one) {
                node.group = Some(both.clone());
            }
            for key in own.iter().chain(&others) {
                self.nodes.get_mut(key).expect("it was found there").group = Some(both.clone());
            }
        }
    }

    /// Puts parts that come and go into the group of their whole, where its steps ask for that.
    fn take_parts(&mut self) {
        let asks = |node: &Node| node.steps.iter().any(|step| step.takes_parts);
        let wholes: BTreeSet<ObjectId> =
            self.nodes.iter().filter(|(_, node)| asks(node)).map(|((id, _), _)| id.clone()).collect();
        if wholes.is_empty() {
            return;
        }
        for ((id, half), node) in &mut self.nodes {
            let side = if *half == Half::Drop { self.old } else { self.new };
            let whole = std::iter::once(id.clone()).chain(side.part_of(id)).find(|it| wholes.contains(it));
            let of_others = node.group.take().filter(|it| it != id || whole.is_none());
            node.group = of_others.or(whole);
        }
    }

    /// Whether the part needs something whose node stands in the cycle beside its own.
    fn cross_needs(&self, id: &ObjectId, cycle: &Cycle) -> bool {
        let own = self.by.get(&(id.clone(), Half::Drop));
        self.old.needs_of(id).any(|need| {
            let other = self.by.get(&(need.clone(), Half::Drop));
            other.is_some() && other != own && other.is_some_and(|(whole, _)| cycle.0.contains(whole))
        })
    }

    /// Pairs of nodes (first, then), with whether only disturbing steps of the first or second count.
    fn edges<'s>(&'s self) -> Vec<Edge<'s>> {
        let mut edges = vec![];
        let node = |id: &ObjectId, half| self.by.get(&(id.clone(), half));
        let mut freed: BTreeMap<Claim, Vec<&(ObjectId, Half)>> = BTreeMap::new();
        for (key, node) in &self.nodes {
            for (id, half) in &node.does {
                if *half == Half::Drop {
                    for claim in self.old.objects[id].claims() {
                        freed.entry(claim).or_default().push(key);
                    }
                }
            }
        }
        let mut left: BTreeMap<Claim, Vec<&(ObjectId, Half)>> = BTreeMap::new();
        for key in self.nodes.keys().filter(|(_, half)| *half == Half::Alter) {
            for claim in gained(&key.0, self.new, self.old) {
                left.entry(claim).or_default().push(key);
            }
        }
        let mut disturbances: BTreeMap<&ObjectId, Vec<Disturbing<'_>>> = BTreeMap::new();
        for (key, it) in &self.nodes {
            for (id, how) in it.steps.iter().flat_map(|step| &step.disturbs) {
                disturbances.entry(id).or_default().push((key, *how));
            }
        }
        let disturbances = |id: &ObjectId| disturbances.get(id).into_iter().flatten().copied();
        let disturbing = |id: &ObjectId| disturbances(id).map(|(key, _)| key);
        let coming = self.nodes.values().flat_map(|node| &node.does).filter(|(_, half)| *half == Half::Create);
        let waits: HashMap<&ObjectId, Vec<ObjectId>> =
            coming.map(|(id, _)| (id, self.new.objects[id].comes_after(&self.sides))).collect();
        // What comes after something that needs it takes that in by coming.
        let takes_in = |need: &ObjectId, id: &ObjectId| waits.get(need).is_some_and(|it| it.contains(id));
        for (key, it) in &self.nodes {
            for (id, half) in &it.does {
                match half {
                    Half::Create => {
                        for need in self.new.needs_of(id) {
                            let first = node(need, Half::Create).filter(|_| !takes_in(need, id));
                            edges.extend(first.map(|first| Edge::hard(first, key)));
                            edges.extend(node(need, Half::Alter).map(|first| Edge::hard(first, key)));
                            edges.extend(disturbing(need).map(|first| Edge::hard(first, key)));
                        }
                        for wish in self.new.wishes_of(id) {
                            edges.extend(node(wish, Half::Create).map(|first| Edge::soft(first, key)));
                            edges.extend(node(wish, Half::Alter).map(|first| Edge::soft(first, key)));
                        }
                        // What makes ready for it may come before the end of that whose place it takes.
                        let place = self.new.objects[id].takes_the_place_of(&self.sides);
                        let end_of = |first: &'s (ObjectId, Half)| match place.as_ref() == Some(&first.0) {
                            true => Edge::whole(first, key),
                            false => Edge::hard(first, key),
                        };
                        for claim in self.new.objects[id].claims() {
                            edges.extend(freed.get(&claim).into_iter().flatten().map(|first| end_of(first)));
                            edges
                                .extend(left.get(&claim).into_iter().flatten().map(|first| Edge::soft(first, key)));
                        }
                        edges.extend(node(id, Half::Drop).map(|first| Edge::hard(first, key)));
                        let ends = self.new.objects[id].comes_after_the_end_of(&self.sides);
                        for end in ends.into_iter().chain(place.clone()) {
                            edges.extend(node(&end, Half::Drop).map(&end_of));
                            edges.extend(node(&end, Half::Alter).map(&end_of));
                        }
                        for other in self.new.objects[id].keeps_apart_from(&self.sides) {
                            let halves = [Half::Create, Half::Alter, Half::Drop].into_iter();
                            edges.extend(halves.filter_map(|it| node(&other, it)).map(|it| Edge::whole(it, key)));
                        }
                        for first in waits.get(id).into_iter().flatten() {
                            edges.extend(node(first, Half::Create).map(|first| Edge::hard(first, key)));
                        }
                        // What goes without a step of its own is not gone before what it needed is.
                        if node(id, Half::Drop).is_some_and(|own| self.nodes[own].steps.is_empty()) {
                            for need in self.old.needs_of(id) {
                                edges.extend(node(need, Half::Drop).map(|first| Edge::hard(first, key)));
                            }
                        }
                    }
                    Half::Drop => {
                        if self.old.objects[id].goes_apart(&self.sides) {
                            let wishes = self.old.wishes_of(id);
                            edges.extend(
                                wishes.iter().filter_map(|it| node(it, Half::Drop)).map(|it| Edge::soft(key, it)),
                            );
                        }
                        for other in self.old.objects[id].keeps_apart_from(&self.sides) {
                            let halves = [Half::Create, Half::Alter, Half::Drop].into_iter();
                            edges
                                .extend(halves.filter_map(|it| node(&other, it)).map(|then| Edge::hard(key, then)));
                        }
                        for other in self.old.objects[id].goes_after(&self.sides) {
                            edges.extend(node(&other, Half::Drop).map(|first| Edge::hard(first, key)));
                        }
                        for copy in self.old.objects[id].is_copied_to(&self.sides) {
                            edges.extend(node(&copy, Half::Create).map(|first| Edge::soft(first, key)));
                        }
                        for need in self.old.needs_of(id) {
                            edges.extend(node(need, Half::Drop).map(|then| Edge::hard(key, then)));
                            edges.extend(node(need, Half::Alter).map(|then| Edge::before_disturbance(key, then)));
                            edges.extend(disturbing(need).map(|then| Edge::before_disturbance(key, then)));
                        }
                    }
                    Half::Alter => {
                        for claim in gained(id, self.old, self.new) {
                            let first = freed.get(&claim).into_iter().chain(left.get(&claim)).flatten();
                            edges.extend(first.map(|first| Edge::soft(first, key)));
                        }
                        for end in self.new.objects[id].comes_after_the_end_of(&self.sides) {
                            edges.extend(node(&end, Half::Drop).map(|first| Edge::soft(first, key)));
                        }
                        let of_users = self.new.objects[id].wishes_when_altered(self.new);
                        for wish in self.new.wishes_of(id).into_iter().chain(&of_users) {
                            edges.extend(node(wish, Half::Create).map(|first| Edge::soft(first, key)));
                        }
                        for need in self.new.needs_of(id) {
                            edges.extend(node(need, Half::Create).map(|first| Edge::hard(first, key)));
                            // What it comes to need is settled by then: in the way of a change, it would stop it.
                            if !self.old.needs_of(id).any(|it| it == need) {
                                let stops =
                                    disturbances(need).filter(|(_, how)| !self.new.objects[id].survives(*how));
                                edges.extend(stops.map(|(first, _)| Edge::hard(first, key)));
                            }
                            let other = node(need, Half::Alter);
                            edges.extend(other.map(|other| {
                                match self.new.objects[id].changes_before(need, &self.sides) {
                                    true => Edge::hard(key, other),
                                    false => Edge::hard(other, key),
                                }
                            }));
                        }
                        for need in self.old.needs_of(id) {
                            let replaced = node(need, Half::Create).is_some();
                            let then = node(need, Half::Drop).filter(|_| !replaced);
                            edges.extend(then.map(|then| Edge::hard(key, then)));
                        }
                    }
                }
            }
        }
        edges.retain(|edge| edge.first != edge.then);
        edges
    }

    /// Whether something is there in its place once it is gone: itself, or what has its name.
    fn has_successor(&self, id: &ObjectId) -> bool {
        let comes = |claim: &Claim| {
            let coming = self.nodes.values().flat_map(|node| &node.does).filter(|(_, half)| *half == Half::Create);
            coming.into_iter().any(|(id, _)| self.new.objects[id].claims().contains(claim))
        };
        self.new.contains(id) || self.old.objects[id].claims().iter().any(comes)
    }

    fn sorted(&self, grouped: bool) -> Result<Vec<Ordered>, Cycle> {
        self.sorted_with(grouped, true).or_else(|_| self.sorted_with(grouped, false))
    }

    fn sorted_with(&self, grouped: bool, soft: bool) -> Result<Vec<Ordered>, Cycle> {
        let mut steps: Vec<(&(ObjectId, Half), &Node, Step)> = vec![];
        let mut of_node: HashMap<&(ObjectId, Half), Vec<usize>> = HashMap::new();
        let mut after: Vec<BTreeSet<usize>> = vec![];
        for (key, node) in &self.nodes {
            let places = of_node.entry(key).or_default();
            for step in &node.steps {
                after.push(places.last().copied().into_iter().collect());
                places.push(steps.len());
                steps.push((key, node, step.clone()));
            }
        }
        // Edges lead through nodes without steps of their own: what waits for such a node waits for what it waits for.
        let edges: Vec<Edge<'_>> = self.edges().into_iter().filter(|edge| soft || !edge.soft).collect();
        let mut into: HashMap<&(ObjectId, Half), Vec<Edge<'_>>> = HashMap::new();
        for edge in &edges {
            into.entry(edge.then).or_default().push(*edge);
        }
        for edge in &edges {
            let mut seen = BTreeSet::new();
            let mut firsts = vec![*edge];
            while let Some(through) = firsts.pop() {
                if of_node[through.first].is_empty() {
                    if seen.insert(through.first) {
                        firsts.extend(into.get(through.first).into_iter().flatten());
                    }
                    continue;
                }
                let ends = Edge { first: through.first, ..*edge };
                if let Some((first, then)) = ends.steps(&of_node, &steps) {
                    after[then].insert(first);
                }
            }
        }
        // What is replaced together is one transaction, where all of it can be in one.
        let mut group: Vec<Option<ObjectId>> = steps.iter().map(|(_, node, _)| node.group.clone()).collect();
        for place in 0..steps.len() {
            let (key, _, step) = &steps[place];
            let later =
                of_node[*key].iter().take_while(|it| **it < place).any(|it| steps[*it].2.stage < step.stage);
            let makes_later = || of_node[*key].iter().any(|it| *it > place && steps[*it].2.makes);
            let leads = key.1 == Half::Alter && step.transaction == Transaction::Own && makes_later();
            if (later && !step.makes) || leads || !grouped || step.transaction == Transaction::Outside {
                group[place] = None;
            }
        }
        if grouped {
            let joins = |place: usize| steps[place].2.transaction != Transaction::Outside;
            knots::join(&mut group, &after, joins);
            // What comes with a group is not without its privileges once the others can see it.
            let of_whole = |place: usize| {
                let (key, _, step) = &steps[place];
                let first = *of_node.get(&(self.new.whole_of(&key.0), Half::Create))?.first()?;
                let shares = step.transaction == Transaction::Shared && step.stage == steps[first].2.stage;
                shares.then_some(first)
            };
            knots::take_in(&mut group, &after, joins, of_whole);
        }
        let mut stage: Vec<Stage> = steps.iter().map(|(_, _, step)| step.stage).collect();
        let mut group_stage: BTreeMap<&ObjectId, Stage> = BTreeMap::new();
        for (place, of) in group.iter().enumerate() {
            let Some(of) = of else { continue };
            let (key, node, _) = &steps[place];
            // A drop that only makes room for its successor is no contraction. One that got in between is.
            let makes_room = || node.group.is_some() || self.has_successor(&key.0);
            if key.1 != Half::Drop || !makes_room() {
                let known = group_stage.entry(of).or_insert(stage[place]);
                *known = (*known).max(stage[place]);
            }
        }
        for (place, of) in group.iter().enumerate() {
            if let Some(of) = of {
                stage[place] = group_stage.get(of).copied().unwrap_or(Stage::Expand);
            }
        }
        let sorted = sort(&steps, &after, &group, &mut stage, self)?;
        let mut position = vec![0; steps.len()];
        for (index, place) in sorted.iter().enumerate() {
            position[*place] = index;
        }
        Ok(sorted
            .iter()
            .map(|place| {
                let (key, node, step) = &steps[*place];
                let mut step = step.clone();
                step.stage = stage[*place];
                let own = &of_node[*key];
                let making = own.iter().find(|it| steps[**it].2.makes).or(own.first());
                Ordered {
                    step,
                    subject: key.0.clone(),
                    half: key.1,
                    does: if making == Some(place) { node.does.clone() } else { vec![] },
                    after: after[*place].iter().map(|it| position[*it]).collect(),
                    group: group[*place].clone(),
                }
            })
            .collect())
    }
}

/// Kahn's algorithm over groups of steps: the smallest that is ready comes next, and a group comes whole.
fn sort(
    steps: &[(&(ObjectId, Half), &Node, Step)],
    after: &[BTreeSet<usize>],
    group: &[Option<ObjectId>],
    stage: &mut [Stage],
    graph: &Graph<'_>,
) -> Result<Vec<usize>, Cycle> {
    // Blocks: a group, or a single step.
    let mut block_of: Vec<usize> = vec![];
    let mut blocks: Vec<Vec<usize>> = vec![];
    let mut of_group: HashMap<&ObjectId, usize> = HashMap::new();
    for (place, of) in group.iter().enumerate() {
        let block = match of {
            Some(of) => *of_group.entry(of).or_insert(blocks.len()),
            None => blocks.len(),
        };
        if block == blocks.len() {
            blocks.push(vec![]);
        }
        blocks[block].push(place);
        block_of.push(block);
    }
    let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); blocks.len()];
    let mut frees: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); blocks.len()];
    for (place, firsts) in after.iter().enumerate() {
        for first in firsts {
            let (a, b) = (block_of[*first], block_of[place]);
            if a != b {
                waits[b].insert(a);
                frees[a].insert(b);
            }
        }
    }
    // A step is in no earlier stage than what it waits for.
    let plain = kahn(&waits, &frees, |block| block).map_err(|left| cycle(&left, &blocks, steps))?;
    for block in plain {
        let least = waits[block].iter().flat_map(|it| blocks[*it].iter()).map(|it| stage[*it]).max();
        for place in &blocks[block] {
            stage[*place] = stage[*place].max(least.unwrap_or(Stage::Expand));
        }
    }
    let key = |place: usize| {
        let ((id, half), _, _) = steps[place];
        let side = if *half == Half::Drop { graph.old } else { graph.new };
        let whole = side.whole_of(id);
        // Drops undo in the opposite order of kinds.
        let rank = |kind: Kind| if *half == Half::Drop { usize::MAX - kind as usize } else { kind as usize };
        (stage[place], *half != Half::Drop, rank(whole.kind), whole, rank(id.kind), id.clone(), place)
    };
    let keys: Vec<_> = (0..steps.len()).map(key).collect();
    let first_of = |block: usize| blocks[block].iter().map(|place| &keys[*place]).min().cloned();
    let order = kahn(&waits, &frees, first_of).map_err(|left| cycle(&left, &blocks, steps))?;
    let mut sorted = vec![];
    for block in order {
        let members = &blocks[block];
        let index: HashMap<usize, usize> = members.iter().enumerate().map(|(at, place)| (*place, at)).collect();
        let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); members.len()];
        let mut frees = waits.clone();
        for (at, place) in members.iter().enumerate() {
            for first in after[*place].iter().filter_map(|first| index.get(first)) {
                waits[at].insert(*first);
                frees[*first].insert(at);
            }
        }
        // A step that nothing may follow in its transaction comes last: what would stand behind it is made again there.
        // Of these, promises come before what proves them.
        let inner_key = |at: usize| {
            let place: usize = members[at];
            let step = &steps[place].2;
            let own = (step.transaction == Transaction::Own).then_some(step.stage);
            (own, keys[place].clone())
        };
        let inner = kahn(&waits, &frees, inner_key)
            .map_err(|left| Cycle(left.iter().map(|at| steps[members[*at]].0.0.clone()).collect()))?;
        sorted.extend(inner.into_iter().map(|at| members[at]));
    }
    Ok(sorted)
}

fn cycle(left: &[usize], blocks: &[Vec<usize>], steps: &[(&(ObjectId, Half), &Node, Step)]) -> Cycle {
    let ids: BTreeSet<ObjectId> =
        left.iter().flat_map(|block| &blocks[*block]).map(|place| steps[*place].0.0.clone()).collect();
    Cycle(ids.into_iter().collect())
}

/// A topological order, the least key first among what is ready; or what is left when nothing is ready any more.
fn kahn<K: Ord>(
    waits: &[BTreeSet<usize>],
    frees: &[BTreeSet<usize>],
    key: impl Fn(usize) -> K,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut open: Vec<usize> = waits.iter().map(BTreeSet::len).collect();
    let mut ready: BinaryHeap<Reverse<(K, usize)>> =
        (0..open.len()).filter(|it| open[*it] == 0).map(|it| Reverse((key(it), it))).collect();
    let mut order = vec![];
    while let Some(Reverse((_, next))) = ready.pop() {
        order.push(next);
        for freed in &frees[next] {
            open[*freed] -= 1;
            if open[*freed] == 0 {
                ready.push(Reverse((key(*freed), *freed)));
            }
        }
    }
    if order.len() == open.len() { Ok(order) } else { Err((0..open.len()).filter(|it| open[*it] > 0).collect()) }
}

/// What the object claims on that side alone.
fn gained<'a>(id: &ObjectId, before: &'a Schema, after: &'a Schema) -> impl Iterator<Item = Claim> + 'a {
    let claims = |side: &Schema| side.get(id).map(|it| it.claims()).unwrap_or_default();
    let had = claims(before);
    claims(after).into_iter().filter(move |it| !had.contains(it))
}

/// The outermost whole that goes and takes its parts along, short of one that has a statement of its own.
fn covering(
    wholes: Vec<ObjectId>,
    goes: impl Fn(&ObjectId) -> bool,
    apart: &BTreeSet<ObjectId>,
) -> Option<ObjectId> {
    let mut covering = None;
    for whole in wholes {
        let last = apart.contains(&whole);
        if goes(&whole) {
            covering = Some(whole);
        }
        if last {
            break;
        }
    }
    covering
}

fn root(id: &ObjectId, cause: &BTreeMap<ObjectId, ObjectId>) -> ObjectId {
    let mut root = id;
    let mut seen = BTreeSet::new();
    while let Some(next) = cause.get(root) {
        if !seen.insert(root) || next == root {
            break;
        }
        root = next;
    }
    root.clone()
}

/// `first` comes before `then`.
#[derive(Clone, Copy)]
struct Edge<'a> {
    first: &'a (ObjectId, Half),
    then: &'a (ObjectId, Half),
    soft: bool,
    /// Only the step of `then` that disturbs others has to wait.
    before_disturbance: bool,
    /// All of `first` comes before the step by which `then` is there.
    whole: bool,
}

impl<'a> Edge<'a> {
    fn hard(first: &'a (ObjectId, Half), then: &'a (ObjectId, Half)) -> Self {
        Edge { first, then, soft: false, before_disturbance: false, whole: false }
    }

    fn soft(first: &'a (ObjectId, Half), then: &'a (ObjectId, Half)) -> Self {
        Edge { soft: true, ..Edge::hard(first, then) }
    }

    fn whole(first: &'a (ObjectId, Half), then: &'a (ObjectId, Half)) -> Self {
        Edge { whole: true, ..Edge::hard(first, then) }
    }

    fn before_disturbance(first: &'a (ObjectId, Half), then: &'a (ObjectId, Half)) -> Self {
        Edge { before_disturbance: true, ..Edge::hard(first, then) }
    }

    /// The two steps that the edge joins.
    fn steps(
        &self,
        of_node: &HashMap<&(ObjectId, Half), Vec<usize>>,
        steps: &[(&(ObjectId, Half), &Node, Step)],
    ) -> Option<(usize, usize)> {
        let (firsts, thens) = (&of_node[self.first], &of_node[self.then]);
        if self.whole {
            let then = thens.iter().find(|it| steps[**it].2.makes).or(thens.first())?;
            return firsts.last().filter(|it| *it != then).map(|it| (*it, *then));
        }
        let disturbs = |place: &&usize| !steps[**place].2.disturbs.is_empty();
        let then = if self.before_disturbance { thens.iter().find(disturbs)? } else { thens.first()? };
        // What comes in a later stage than `then` by its own nature (VALIDATE, SET NOT NULL) is not waited for.
        let stage = steps[*then].2.stage;
        let altering = self.first.1 == Half::Alter;
        let made = firsts.iter().position(|place| steps[*place].2.makes).filter(|_| !altering);
        let first = firsts[made.unwrap_or(0)..]
            .iter()
            .rev()
            .find(|place| (disturbs(place) && !self.soft) || steps[**place].2.stage <= stage)
            .or_else(|| made.map(|it| &firsts[it]))
            .or_else(|| firsts.last().filter(|_| !altering))?;
        (first != then).then_some((*first, *then))
    }
}
