//! Groups of steps that wait for each other. A view that changes by itself and stands on a column that changes, too, is
//! dropped before the column's step and made after it, so the two groups can only be whole as one.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::ObjectId;

/// Makes one group of those that wait for each other, and of the steps between them. Where one of these steps can't
/// be in a transaction with others, the groups are given up: their steps stand alone.
pub fn join(group: &mut [Option<ObjectId>], after: &[BTreeSet<usize>], joins: impl Fn(usize) -> bool) {
    let mut alone: BTreeSet<usize> = (0..group.len()).filter(|place| !joins(*place)).collect();
    loop {
        let knots = knots(group, after);
        if knots.is_empty() {
            return;
        }
        for places in knots {
            // The groups end, or grow by at least one step, so this comes to an end.
            let one = places.iter().filter_map(|place| group[*place].clone()).min();
            let fits = places.iter().all(|place| !alone.contains(place));
            for place in &places {
                group[*place] = one.clone().filter(|_| fits);
            }
            if !fits {
                alone.extend(places);
            }
        }
    }
}

/// Takes steps without a group into that of another place, `with`, and joins what then waits for each other. Nothing
/// changes where that would cost a step its group.
pub fn take_in(
    group: &mut Vec<Option<ObjectId>>,
    after: &[BTreeSet<usize>],
    joins: impl Fn(usize) -> bool,
    with: impl Fn(usize) -> Option<usize>,
) {
    let of = |(place, own): (usize, &Option<ObjectId>)| own.clone().or_else(|| group[with(place)?].clone());
    let mut taken: Vec<Option<ObjectId>> = group.iter().enumerate().map(of).collect();
    join(&mut taken, after, joins);
    if group.iter().zip(&taken).all(|(before, now)| before.is_none() || now.is_some()) {
        *group = taken;
    }
}

/// The places of the groups and steps that wait for each other, knot by knot.
fn knots(group: &[Option<ObjectId>], after: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut members: Vec<Vec<usize>> = vec![];
    let mut of_group: BTreeMap<&ObjectId, usize> = BTreeMap::new();
    let mut block_of = vec![];
    for (place, of) in group.iter().enumerate() {
        let block = of.as_ref().map_or(members.len(), |of| *of_group.entry(of).or_insert(members.len()));
        if block == members.len() {
            members.push(vec![]);
        }
        members[block].push(place);
        block_of.push(block);
    }
    let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); members.len()];
    let mut frees = waits.clone();
    for (place, firsts) in after.iter().enumerate() {
        for first in firsts.iter().map(|first| block_of[*first]).filter(|first| *first != block_of[place]) {
            waits[block_of[place]].insert(first);
            frees[first].insert(block_of[place]);
        }
    }
    strongly_connected(&waits, &frees)
        .into_iter()
        .map(|blocks| blocks.into_iter().flat_map(|block| members[block].clone()).collect::<Vec<usize>>())
        .filter(|places| places.iter().any(|place| group[*place].is_some()))
        .collect()
}

/// Components of more than one member (Kosaraju): in the order in which a walk along `frees` is done with them, from
/// the last one, each with what leads to it.
fn strongly_connected(waits: &[BTreeSet<usize>], frees: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut done = vec![];
    let mut seen = vec![false; frees.len()];
    for start in 0..frees.len() {
        walk(start, frees, &mut seen, &mut done);
    }
    let mut seen = vec![false; waits.len()];
    let mut components = vec![];
    for start in done.into_iter().rev() {
        let mut component = vec![];
        walk(start, waits, &mut seen, &mut component);
        components.push(component);
    }
    components.retain(|component| component.len() > 1);
    components
}

/// Adds what is reached from `start` and not seen yet, each after all that it leads to.
fn walk(start: usize, edges: &[BTreeSet<usize>], seen: &mut [bool], done: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut open = vec![(start, edges[start].iter())];
    while let Some((at, rest)) = open.last_mut() {
        match rest.next() {
            Some(next) if std::mem::replace(&mut seen[*next], true) => {}
            Some(next) => open.push((*next, edges[*next].iter())),
            None => {
                done.push(*at);
                open.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::name::Name;

    fn groups(of: [&str; 5]) -> Vec<Option<ObjectId>> {
        let named = |name: &str| ObjectId::new(Kind::Namespace, [&Name::from(name)]);
        of.map(|name| (!name.is_empty()).then(|| named(name))).to_vec()
    }

    /// b's first step, a's step between, b's last; then one that waits for all.
    fn waits() -> Vec<BTreeSet<usize>> {
        [vec![], vec![0], vec![1], vec![], vec![2, 3]].map(BTreeSet::from_iter).to_vec()
    }

    #[test]
    fn groups_that_wait_for_each_other_become_one() {
        let mut group = groups(["b", "a", "b", "a", ""]);
        join(&mut group, &waits(), |_| true);
        assert_eq!(group, groups(["a", "a", "a", "a", ""]));
    }

    #[test]
    fn a_step_between_is_taken_in() {
        let mut group = groups(["b", "", "b", "a", ""]);
        join(&mut group, &waits(), |_| true);
        assert_eq!(group, groups(["b", "b", "b", "a", ""]));
    }

    #[test]
    fn a_step_that_stands_alone_ends_its_knot_and_no_other() {
        let mut group = groups(["b", "", "b", "a", "a"]);
        join(&mut group, &waits(), |place| place != 1);
        assert_eq!(group, groups(["", "", "", "a", "a"]));
    }

    #[test]
    fn what_does_not_wait_stays_apart() {
        let mut group = groups(["a", "a", "b", "", "b"]);
        join(&mut group, &waits(), |_| true);
        assert_eq!(group, groups(["a", "a", "b", "", "b"]));
    }
}
