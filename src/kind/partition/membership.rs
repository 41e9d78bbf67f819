//! A table that becomes a partition, or is one no longer, beside changes of its columns and checks and of those of the
//! tables above it: a partition has what its parent has. What both get or lose alike goes by way of the parent, while the
//! table is a partition; all else is done while it is none.

use std::collections::BTreeSet;

use super::{Partition, id, line, of};
use crate::kind::constraint::Rule;
use crate::kind::{Kind, Object, ObjectId, column, table};
use crate::name::QName;
use crate::schema::{Schema, Sides};

/// The partition that a table which stays is in one of the schemas alone, below a table that stays.
fn only_in<'a>(schema: &'a Schema, sides: &Sides<'a>, child: &QName) -> Option<&'a Partition> {
    let Some(Object::Partition(it)) = schema.get(&id(child)) else { return None };
    let stays = [child, &it.parent].into_iter().all(|it| {
        let it = table::id(it);
        !sides.is_new(&it) && !sides.is_going(&it)
    });
    (stays && sides.is_new(&id(child)) != sides.is_going(&id(child))).then_some(it)
}

/// Whether the table stays, and so does what it is a partition of no longer.
pub fn is_leaving(sides: &Sides<'_>, child: &QName) -> bool {
    only_in(sides.old, sides, child).is_some()
}

/// Whether a table that is a partition below another leaves it, or goes, before the constraint or index comes to that.
pub fn leaves_before(sides: &Sides<'_>, child: &QName, id: &ObjectId) -> bool {
    let mut left = line(sides.old, child).into_iter().filter(|it| !sides.new.contains(&super::id(it)));
    left.any(|it| match sides.old.get(&super::id(&it)) {
        Some(Object::Partition(it)) => it.keeps_apart(sides).contains(id),
        _ => false,
    })
}

/// Whether the table gets this column or check from its parent before it leaves, and keeps it as declared.
pub fn is_left(sides: &Sides<'_>, id: &ObjectId) -> bool {
    is_of_parent(sides.old, sides.new, sides, id)
}

/// Whether the table loses this column or check by way of its parent once it is a partition.
pub fn is_taken_along(sides: &Sides<'_>, id: &ObjectId) -> bool {
    is_of_parent(sides.new, sides.old, sides, id)
}

/// The attachments with which tables bring a column or check below a table: it goes with this one's, after them.
pub fn brought_along(sides: &Sides<'_>, above: &ObjectId) -> Vec<ObjectId> {
    let [namespace, name, part] = &above.path[..] else { return vec![] };
    let brings = |it: &&Partition| {
        it.parent.namespace == *namespace
            && it.parent.name == *name
            && is_taken_along(sides, &ObjectId::new(above.kind, [&it.child.namespace, &it.child.name, part]))
    };
    of(sides.new).filter(brings).map(|it| id(&it.child)).collect()
}

/// Whether a table that is a partition in one of the schemas has a part in the other alone, as its parent has.
fn is_of_parent(inside: &Schema, outside: &Schema, sides: &Sides<'_>, id: &ObjectId) -> bool {
    let [namespace, name, part] = &id.path[..] else { return false };
    let Some(partition) = only_in(inside, sides, &QName::new(namespace.clone(), name.clone())) else { return false };
    let above = ObjectId::new(id.kind, [&partition.parent.namespace, &partition.parent.name, part]);
    let only_outside = [id, &above].into_iter().all(|it| !inside.contains(it));
    let both = outside.get(id).zip(outside.get(&above));
    only_outside && both.is_some_and(|(own, above)| is_handed_down(own, above))
}

/// Whether what the parent hands down is the object itself.
fn is_handed_down(object: &Object, above: &Object) -> bool {
    match (object, above) {
        (Object::Column(own), Object::Column(above)) => {
            let mut handed = column::Column::clone(above);
            handed.table = own.table.clone();
            own.identity.is_none() && handed == **own
        }
        (Object::Constraint(own), Object::Constraint(above)) => {
            matches!(own.rule, Rule::Check(_)) && own.rule == above.rule && own.validated == above.validated
        }
        _ => false,
    }
}

impl Partition {
    /// All that comes, changes or goes while the table is no partition.
    pub(super) fn keeps_apart(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        [self.changes_apart(sides), self.keys_apart(sides)].concat()
    }

    /// Indexes, keys and foreign keys that come to the tables above: once this one has left. It would keep what it gets of
    /// them, and an index is valid when the last partition's is attached, not when one that lacks it leaves.
    fn keys_apart(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        if sides.new.contains(&id(&self.child)) {
            return vec![];
        }
        let above = self.above(sides.old);
        // It goes with a table above that goes or is made again.
        let stays = |it: &ObjectId| !sides.is_new(it) && !sides.is_going(it);
        if !above.iter().all(|it| stays(&table::id(it))) {
            return vec![];
        }
        let is_of_above = |it: &Object| match it {
            Object::Constraint(it) => !matches!(it.rule, Rule::Check(_)) && above.contains(&it.table),
            Object::Index(it) => above.contains(&it.table),
            _ => false,
        };
        let all = [Kind::Constraint, Kind::Index].into_iter().flat_map(|kind| sides.new.of_kind(kind));
        let of_above = all.filter(|it| is_of_above(it)).map(Object::id);
        of_above.filter(|it| sides.is_new(it)).collect()
    }

    /// Columns and checks of the table and of those above it that come, change or go while it is no partition, in a plan
    /// that makes it one or ends that.
    fn changes_apart(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let inside = if sides.is_new(&id(&self.child)) { sides.new } else { sides.old };
        if only_in(inside, sides, &self.child).is_none() {
            return vec![];
        }
        let parts = |schema: &Schema, table: &QName| -> Vec<ObjectId> {
            let columns = schema.of_relation(Kind::Column, table);
            let checks = schema.of_relation(Kind::Constraint, table).filter(|it| match it {
                Object::Constraint(it) => matches!(it.rule, Rule::Check(_)),
                _ => false,
            });
            columns.chain(checks).map(Object::id).collect()
        };
        let tables = line(inside, &self.child);
        let all = tables.iter().flat_map(|table| [sides.old, sides.new].map(|schema| parts(schema, table))).flatten();
        let all: BTreeSet<ObjectId> = all.collect();
        let by_parent: Vec<&ObjectId> = all.iter().filter(|id| is_left(sides, id) || is_taken_along(sides, id)).collect();
        let is_by_parent =
            |id: &ObjectId| by_parent.iter().any(|it| it.kind == id.kind && it.path.last() == id.path.last());
        let differs = |id: &&ObjectId| sides.old.get(id) != sides.new.get(id);
        all.iter().filter(differs).filter(|id| !is_by_parent(id)).cloned().collect()
    }
}
