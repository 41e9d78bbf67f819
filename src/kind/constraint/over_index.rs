//! Keys that take over an index which was built before them.

use crate::kind::index_partition;
use crate::kind::index::{self, Index, Key, Of, Subject};
use crate::kind::{Definition, Kind, Object, ObjectId};
use crate::name::Name;
use crate::plan::{Stage, Step, Undo};
use crate::schema::Sides;
use super::{Constraint, Instead, Rule, Unique};

impl Constraint {
    /// Builds the index while the table is in use, then gives it to the constraint.
    pub(super) fn add_using_index(&self, key: &Unique, instead: Instead<'_>, sides: &Sides<'_>) -> Vec<Step> {
        let own = self.name.clone();
        let name = match instead {
            Instead::OfNothing => own,
            Instead::Of(_) | Instead::OfIndex => index::temporary_name(&self.index(), sides),
        };
        let build = self.reading(key.build("", &name, &self.table), sides);
        let build = build.summary(format!("build the index of {}", self.id())).aids(index::aid(&self.table, &name));
        let built = self.table.sibling(name.clone());
        let build = match &key.parent.0 {
            Some(_) => build.undone_by(index_partition::unless_attached(&built, &format!("DROP INDEX {built}"))),
            // The constraint takes it along, once there is one.
            None => build.undone_by(format!("DROP INDEX IF EXISTS {built}")),
        };
        let marks = match instead {
            // With the end of the index that has them.
            Instead::OfNothing | Instead::OfIndex => key.storage.mark(&self.table, &name),
            Instead::Of(old) => match old.rule.storage() {
                Some(before) => key.storage.mark_beside(before, &self.table, [&old.name, &name]),
                None => key.storage.mark(&self.table, &name),
            },
        };
        let take_over = self.take_over(key, instead, &name, sides);
        let take_over = match sides.facts.way_back {
            true => take_over,
            false => self.built_again(key, instead, &name, take_over, sides),
        };
        let marks = index::aids(marks, &self.table, &name);
        [build].into_iter().chain(marks).chain([take_over]).collect()
    }

    /// The step that gives the index to the constraint, whose undo loses it: whoever goes back to before it needs what was
    /// built, with what the table uses it for.
    fn built_again(&self, key: &Unique, instead: Instead<'_>, name: &Name, step: Step, sides: &Sides<'_>) -> Step {
        let again = Undo::outside(key.build("IF NOT EXISTS ", name, &self.table).sql);
        let aid = index::aid(&self.table, name);
        let before = self.former_index(sides).unwrap_or_else(|| self.id());
        let step = match instead {
            Instead::Of(_) | Instead::OfIndex if !index::is_referred_to(&before, sides) => step.built_again_by(aid, again),
            // Until the constraint is gone, the name is its; and a foreign key that comes again would stand on it.
            Instead::Of(_) | Instead::OfIndex | Instead::OfNothing => step.then_built_again_by(aid, again),
        };
        index::marked_again(step, key.storage.mark(&self.table, name), &self.table, name)
    }

    /// A primary key waits until its columns are NOT NULL: by itself it would read every row for that.
    pub(super) fn after_not_null(&self, step: Step, sides: &Sides<'_>) -> Step {
        let Rule::Unique(Unique { primary: true, columns, .. }) = &self.rule else { return step };
        let id = |column: &Name| ObjectId::new(Kind::Column, [&self.table.namespace, &self.table.name, column]);
        let nullable = |column: &Name| match sides.old.get(&id(column)) {
            Some(Object::Column(it)) => it.not_null.is_none(),
            _ => false,
        };
        if columns.iter().any(nullable) { step.stage(Stage::Contract) } else { step }
    }

    /// Gives an index to the constraint, which gives it its name.
    pub(super) fn take_over(&self, key: &Unique, instead: Instead<'_>, index: &Name, sides: &Sides<'_>) -> Step {
        let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
        let (table, name, deferrability) = (&self.table, &self.name, self.deferrability());
        let first = self.drop_first(instead);
        let sql =
            format!("ALTER TABLE {table} {first}ADD CONSTRAINT {name} {kind} USING INDEX {index}{deferrability}");
        let step = self.adding(sql, instead, sides).summary(format!("create {} over its index", self.id())).makes();
        self.undone_unless_attached(step, sides)
    }

    /// That of a partition goes with the one that comes above it and that it becomes part of, and before that by itself.
    pub(super) fn undone_unless_attached(&self, step: Step, sides: &Sides<'_>) -> Step {
        if self.rule.parent().is_none_or(|it| !sides.is_new(&it.id())) {
            return step;
        }
        let drop = format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table, self.name);
        step.undone_by(index_partition::unless_attached(&self.index(), &drop))
    }

    /// Whether the index, which has the constraint's name, can become its index as it stands.
    pub fn can_take_over(&self, index: &Index) -> bool {
        let Rule::Unique(key) = &self.rule else { return false };
        let plain = |it: &Key, column: &Name| {
            let of_column = matches!(&it.of, Subject::Column(name) if name == column);
            of_column && it.collation.is_none() && it.opclass.is_none() && !it.descending && !it.nulls_first
        };
        index.name == self.index()
            && index.table == self.table
            && index.of == Of::Table
            && index.unique
            && index.valid
            && index.predicate.is_none()
            && index.method.as_str() == "btree"
            && !key.without_overlaps
            && index.nulls_not_distinct == key.nulls_not_distinct
            && index.include == key.include
            && index.storage == key.storage
            // One that has no parent yet is attached once it is the key's.
            && (index.parent.0.is_none() || index.parent.0 == key.parent.0)
            && index.keys.len() == key.columns.len()
            && index.keys.iter().zip(&key.columns).all(|(it, column)| plain(it, column))
    }

    /// Whether one of the two, which have one name, can be built beside the other until it takes its place.
    fn changes_over_with(&self, index: &Index, sides: &Sides<'_>) -> bool {
        let Rule::Unique(key) = &self.rule else { return false };
        let is_plain = !key.primary && !key.without_overlaps && !self.partitioned && index.of == Of::Table;
        let changes_alone = |id: &ObjectId| {
            !sides.replaced.contains(id) && !index::stands_on_changes(id, &self.table_id(), sides)
        };
        index.name == self.index()
            && index.table == self.table
            && is_plain
            && self.valid
            && index.valid
            && key.parent.0.is_none()
            && index.parent.0.is_none()
            && self.is_used(sides)
            && [self.id(), index.id()].iter().all(changes_alone)
    }

    /// The old index of its name, which goes as this one comes.
    pub(super) fn former_index(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let index = self.index();
        let id = ObjectId::new(Kind::Index, [&index.namespace, &index.name]);
        match sides.old.get(&id)? {
            Object::Index(it) => {
                let comes = !sides.old.contains(&self.id()) && !self.can_take_over(it);
                (comes && self.changes_over_with(it, sides)).then_some(id)
            }
            _ => None,
        }
    }

    /// The old constraint of the index's name, which goes as that one comes.
    pub(in crate::kind) fn before_index(index: &Index, sides: &Sides<'_>) -> Option<ObjectId> {
        let id = Constraint::id_on(&index.table, &index.name.name);
        match sides.old.get(&id)? {
            Object::Constraint(it) if !sides.old.contains(&index.id()) && it.changes_over_with(index, sides) => Some(id),
            _ => None,
        }
    }

    /// Gives the index of its name to the constraint. On the way back it may not be there yet.
    pub(super) fn take_over_own(&self, key: &Unique, sides: &Sides<'_>) -> Vec<Step> {
        let build = sides.facts.way_back.then(|| key.build("IF NOT EXISTS ", &self.name, &self.table));
        build.into_iter().chain([self.take_over(key, Instead::OfNothing, &self.name, sides)]).collect()
    }

    /// The old index that becomes this constraint's.
    pub(super) fn taken_over(&self, sides: &Sides<'_>) -> Option<&Unique> {
        let index = self.index();
        let id = ObjectId::new(Kind::Index, [&index.namespace, &index.name]);
        match (sides.old.get(&id)?, &self.rule) {
            (Object::Index(it), Rule::Unique(key)) if self.can_take_over(it) && !sides.replaced.contains(&id) => {
                Some(key)
            }
            _ => None,
        }
    }
}
