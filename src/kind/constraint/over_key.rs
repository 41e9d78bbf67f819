//! Foreign keys whose key changes: the one that comes stands on what the one that goes is in the way of.

use std::collections::BTreeSet;

use super::{Constraint, ForeignKey, Rule};
use crate::kind::{Definition, Kind, Object, ObjectId, table};
use crate::name::Name;
use crate::schema::Sides;

impl ForeignKey {
    /// Each column with the one that it refers to.
    fn pairs(&self) -> BTreeSet<(&Name, &Name)> {
        self.columns.iter().zip(&self.to_columns).collect()
    }
}

impl Constraint {
    /// The foreign key of another name that goes as this one comes, since one of them has to be gone, and its key with
    /// it, before there is what the other one stands on.
    pub(super) fn former_foreign_key<'a>(&self, sides: &Sides<'a>) -> Option<&'a Constraint> {
        let Rule::Foreign(own) = &self.rule else { return None };
        if sides.is_new(&self.table_id()) || sides.is_new(&table::id(&own.to)) {
            return None;
        }
        let keys = self.keys_that_go_first(own, sides);
        let going = sides.old.of_relation(Kind::Constraint, &self.table).filter_map(|object| match object {
            Object::Constraint(it) if !sides.new.contains(&it.id()) => Some(&**it),
            _ => None,
        });
        let is_in_the_way = |it: &&Constraint| match &it.rule {
            Rule::Foreign(other) => {
                let (one, two) = (own.pairs(), other.pairs());
                let fits = other.to == own.to && (one.is_subset(&two) || two.is_subset(&one));
                fits && sides.old.needs_of(&it.id()).any(|need| keys.contains(need))
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
        };
        going.filter(is_in_the_way).min_by_key(|it| !self.asks_the_same(it))
    }

    /// Keys and indexes of the old schema that are gone, or changed, before there is what this foreign key stands on.
    fn keys_that_go_first(&self, own: &ForeignKey, sides: &Sides<'_>) -> BTreeSet<ObjectId> {
        let changes = |id: &ObjectId| match (sides.old.get(id), sides.new.get(id)) {
            (Some(Object::Constraint(old)), Some(Object::Constraint(new))) => old.settled_like(new) != **new,
            (Some(Object::Index(old)), Some(Object::Index(new))) => !old.is_like(new),
            _ => false,
        };
        let is_key = |it: &&ObjectId| matches!(it.kind, Kind::Constraint | Kind::Index);
        let id = self.id();
        let needs = sides.new.needs_of(&id).filter(is_key);
        let first = needs.filter_map(|id| match sides.old.contains(id) {
            true => (changes(id) || sides.replaced.contains(id)).then(|| id.clone()),
            false => sides.new.get(id)?.takes_the_place_of(sides),
        });
        first.chain(own.former_keys(sides)).collect()
    }

    /// Whether the rows that break the one break the other.
    fn asks_the_same(&self, other: &Constraint) -> bool {
        let holds = |it: &Constraint| it.validated && it.enforced;
        match (&self.rule, &other.rule) {
            (Rule::Foreign(own), Rule::Foreign(it)) => {
                let same = (&own.to, own.match_full, own.period) == (&it.to, it.match_full, it.period);
                same && own.pairs() == it.pairs() && holds(self) == holds(other)
            }
            _ => false,
        }
    }

    /// Whether another one takes its place that keeps out the same rows.
    pub(super) fn holds_by_a_successor(&self, sides: &Sides<'_>) -> bool {
        let coming = sides.new.of_relation(Kind::Constraint, &self.table).filter_map(|object| match object {
            Object::Constraint(it) if !sides.old.contains(&it.id()) => Some(&**it),
            _ => None,
        });
        let mut heirs = coming.filter(|it| it.asks_the_same(self));
        heirs.any(|it| it.former_foreign_key(sides).is_some_and(|former| former.id() == self.id()))
    }
}
