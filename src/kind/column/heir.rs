//! Columns that a table inherits and declares as well. What is said of the parent's column reaches them too, and their
//! own statements have to come before or after the parent's.

use crate::kind::column::{Column, find, id};
use crate::kind::constraint::Rule;
use crate::kind::parameters::Parameters;
use crate::kind::{inheritance, table};
use crate::kind::{Definition, Kind, Object, ObjectId};
use crate::name::QName;
use crate::plan::Step;
use crate::schema::{Schema, Sides};

impl Column {
    /// Whether a parent's change of type brings the same to this column, which its table declares as well.
    pub(super) fn retyped_by_a_parent(&self, sides: &Sides<'_>) -> bool {
        let stays = table::parents(sides.new, &self.table);
        stays.iter().filter(|it| table::parents(sides.old, &self.table).contains(it)).any(|parent| {
            let column = |schema| find(schema, parent, &self.name).map(|it| (&it.data_type, &it.collation));
            column(sides.old).is_some() && column(sides.old) != column(sides.new)
        })
    }

    /// Columns of tables that inherit from this one and declare it as well, and stand or go together with it.
    fn heirs<'a>(&self, sides: &Sides<'a>) -> Vec<&'a Column> {
        let schema = if sides.new.contains(&self.id()) { sides.new } else { sides.old };
        inheritance::heirs(sides, &self.table)
            .into_iter()
            .filter_map(|table| find(schema, table, &self.name))
            .filter(|it| it.goes_with_a_parent(sides) && it.first_parent(schema, sides) == Some(&self.table))
            .collect()
    }

    /// The first parent, before or after, that has the column too.
    fn first_parent<'a>(&self, schema: &'a Schema, sides: &Sides<'a>) -> Option<&'a QName> {
        let parents = [sides.old, sides.new].into_iter().filter_map(|it| table::find(it, &self.table));
        parents.flat_map(|it| &it.inherits.0).find(|parent| find(schema, parent, &self.name).is_some())
    }

    /// Whether the server takes this column and that of a parent for one.
    pub fn merges_with(&self, above: &Column) -> bool {
        (&self.data_type, &self.collation, &self.generated) == (&above.data_type, &above.collation, &above.generated)
    }

    /// Whether a parent is given this column in the same plan, or loses it, and both declare it: the server wants the
    /// heir's to be there first and to go last, so the parent has the steps for both. That holds while the table is no
    /// heir, too.
    pub(super) fn goes_with_a_parent(&self, sides: &Sides<'_>) -> bool {
        let schema = if sides.new.contains(&self.id()) { sides.new } else { sides.old };
        let stays = |table: &QName| !sides.is_new(&table::id(table)) && !sides.is_going(&table::id(table));
        let moves = |column: &ObjectId| (sides.is_new(column), sides.is_going(column));
        !self.inherited.0
            && stays(&self.table)
            && self.first_parent(schema, sides).is_some_and(|parent| {
                let column = id(parent, &self.name);
                stays(parent)
                    && find(schema, parent, &self.name).is_some_and(|it| self.merges_with(it))
                    && (sides.is_new(&column) || sides.is_going(&column))
                    && moves(&column) == moves(&self.id())
            })
    }

    /// What goes by itself of the tables whose columns go by this one's steps.
    pub(super) fn users_at_heirs(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let users = |heir: &Column| {
            let id = heir.id();
            let all = [Kind::Constraint, Kind::Index].into_iter().flat_map(|it| sides.old.of_relation(it, &heir.table));
            let own = all.map(Object::id).filter(|it| sides.old.needs_of(it).any(|need| *need == id));
            own.chain(heir.users_at_heirs(sides)).collect::<Vec<_>>()
        };
        self.heirs(sides).into_iter().flat_map(users).collect()
    }

    pub(super) fn add_after_heirs(&self, sides: &Sides<'_>) -> Vec<Step> {
        let heirs = self.heirs(sides);
        if heirs.is_empty() {
            return self.add(sides);
        }
        let own = self.add(sides).into_iter();
        heirs.iter().flat_map(|it| it.add_as_part(sides)).chain(own.map(|it| it.part(self.id()))).collect()
    }

    fn add_as_part(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.add_after_heirs(sides).into_iter().map(|it| it.part(self.id())).collect()
    }

    /// What the column has of its own beside what the statement on its parent, or on its type, brought.
    pub(super) fn apart_from_parents(&self, sides: &Sides<'_>) -> Vec<Step> {
        let parents = table::parents(sides.new, &self.table);
        let above: Vec<&Column> = parents.iter().filter_map(|it| find(sides.new, it, &self.name)).collect();
        let first = above.first();
        // Before 16 a new column's storage is set by a statement that leaves out what is below.
        let storage = first.and_then(|it| it.storage.clone()).filter(|_| sides.major() >= 16);
        let compression = first.and_then(|it| it.compression.clone());
        let brought =
            Column { storage, compression, statistics: None, options: Parameters::default(), ..self.clone() };
        let handed_down = above.iter().any(|it| it.not_null.as_ref().is_some_and(|it| !it.no_inherit));
        let required = self.not_null.as_ref().filter(|_| !handed_down);
        let required = required.into_iter().flat_map(|it| self.set_not_null(it, sides));
        brought.alter_settings(self, sides).into_iter().chain(required).collect()
    }

    /// Whether one of the tables that have the column from each other has a check. In 18 the server sets no expression of a
    /// virtual column there, whatever the check is about.
    pub(super) fn is_beside_a_check(&self, sides: &Sides<'_>) -> bool {
        let mut above = vec![self.table.clone()];
        let mut next = 0;
        while let Some(table) = above.get(next).cloned() {
            above.extend(table::parents(sides.old, &table).into_iter().filter(|it| !above.contains(it)).collect::<Vec<_>>());
            next += 1;
        }
        let is_check = |it: &Object| matches!(it, Object::Constraint(it) if matches!(it.rule, Rule::Check(_)));
        let has_check = |table: &QName| {
            [sides.old, sides.new].iter().any(|it| it.of_relation(Kind::Constraint, table).any(is_check))
        };
        above.iter().flat_map(|it| table::family(sides, it)).any(|it| has_check(&it))
    }

    pub(super) fn drop_with_heirs(&self, sides: &Sides<'_>) -> Vec<Step> {
        let heirs = self.heirs(sides);
        let own = self.drop_own(sides).part(self.id());
        std::iter::once(own).chain(heirs.iter().flat_map(|it| it.drop_with_heirs(sides))).collect()
    }
}
