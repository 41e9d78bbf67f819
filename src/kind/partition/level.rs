//! Partitions that get a partitioned table between their parent and themselves, or lose one. They change over in the
//! transaction in which that comes or goes: nobody misses their rows, and none is refused.

use crate::kind::{Object, ObjectId};
use crate::name::{QName, list};
use crate::plan::{Stage, Step};
use crate::schema::{Schema, Sides};
use super::{Partition, id, of};

/// A partition as it is and as it shall be.
type Move<'a> = (&'a Partition, &'a Partition);

fn find<'a>(schema: &'a Schema, child: &QName) -> Option<&'a Partition> {
    match schema.get(&id(child)) {
        Some(Object::Partition(it)) => Some(it),
        _ => None,
    }
}

/// Whether the table stays a partition, and gets another parent.
pub fn is_moved(sides: &Sides<'_>, child: &QName) -> bool {
    match (find(sides.old, child), find(sides.new, child)) {
        (Some(old), Some(new)) => old.parent != new.parent && !sides.is_going(&id(child)),
        _ => false,
    }
}

/// The partition that is no more between the table and the parent that it gets.
pub fn level_that_goes(sides: &Sides<'_>, child: &QName) -> Option<ObjectId> {
    let above = id(&find(sides.old, child)?.parent);
    (is_moved(sides, child) && sides.old.contains(&above) && sides.is_going(&above)).then_some(above)
}

/// The stage from which on the table is the partition that it shall be.
pub fn stage(sides: &Sides<'_>, child: &QName) -> Stage {
    match find(sides.new, child) {
        _ if is_moved(sides, child) => Stage::Contract,
        Some(it) if sides.is_new(&id(child)) && !moves(it, sides).is_empty() => Stage::Contract,
        Some(it) if sides.is_new(&id(child)) && it.is_proven_first(sides) => Stage::Validate,
        _ => Stage::Expand,
    }
}

/// What changes over as the partition comes, which was beside it, and as it goes.
fn moves<'a>(it: &Partition, sides: &Sides<'a>) -> Vec<Move<'a>> {
    let moved = of(sides.new).filter(|new| is_moved(sides, &new.child));
    let moved = moved.filter_map(|new| Some((find(sides.old, &new.child)?, new)));
    let comes = sides.is_new(&id(&it.child));
    moved
        .filter(|(old, new)| match comes {
            true => (&old.parent, &new.parent) == (&it.parent, &it.child),
            false => sides.is_going(&id(&it.child)) && (&old.parent, &new.parent) == (&it.child, &it.parent),
        })
        .collect()
}

impl Partition {
    /// Whether others change over as it goes.
    pub(super) fn is_left(&self, sides: &Sides<'_>) -> bool {
        !moves(self, sides).is_empty()
    }

    /// Whether it changes over with the table between its parents before and after.
    pub(super) fn goes_with_a_level(&self, new: &Partition, sides: &Sides<'_>) -> bool {
        let between = [find(sides.new, &new.parent), find(sides.old, &self.parent)];
        between.into_iter().flatten().any(|it| moves(it, sides).iter().any(|(old, _)| old.child == self.child))
    }

    /// The steps by which it comes between its parent and others, or is no more between them.
    pub(super) fn change_level(&self, sides: &Sides<'_>) -> Option<Vec<Step>> {
        let moves = moves(self, sides);
        if moves.is_empty() {
            return None;
        }
        let comes = sides.is_new(&id(&self.child));
        let (mut before, mut parts, mut after) = (vec![], vec![], vec![]);
        if !comes {
            parts.push(self.detach_plainly(sides));
        }
        for (old, new) in &moves {
            let (proofs, attach, rest) = new.attachment(sides);
            before.extend(proofs);
            parts.extend([old.detach_plainly(sides), attach]);
            after.extend(rest);
        }
        if comes {
            let (proofs, attach, rest) = self.attachment(sides);
            before.extend(proofs);
            parts.push(attach);
            after.extend(rest);
        }
        before.sort_by_key(|step| step.stage);
        let moved = list(moves.iter().map(|(_, new)| &new.child));
        let (parent, child) = (&self.parent, &self.child);
        let summary = match comes {
            true => format!("{child} comes between {parent} and {moved}"),
            false => format!("{child} is no more between {parent} and {moved}"),
        };
        let whole = together(parts).summary(summary).stage(Stage::Contract).makes();
        let after = after.into_iter().map(|step| step.stage(Stage::Contract));
        Some(before.into_iter().chain([whole]).chain(after).collect())
    }
}

/// Steps as one, whose statements follow each other.
fn together(parts: Vec<Step>) -> Step {
    let sql: Vec<&str> = parts.iter().map(|it| it.sql.as_str()).collect();
    let mut whole = Step::new(sql.join(";\n"));
    for it in parts {
        whole.locks.extend(it.locks);
        whole.scans.extend(it.scans);
        whole.hazards.extend(it.hazards);
    }
    whole.scans.sort();
    whole.scans.dedup();
    whole
}
