//! Routines whose text speaks of a name that a rename takes away: they are replaced in its transaction, since whoever
//! calls one between the two would fail.

use std::collections::BTreeSet;

use crate::kind::routine::{Body, Routine};
use crate::kind::{Alter, Definition, Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Planned, Step, Undo};
use crate::schema::{Facts, Families, Schema, Sides};
use crate::source::syntax::speaks;
use crate::source::{Class, Rename};

/// Renames that share a transaction, with their steps.
#[derive(Default)]
pub(super) struct Group<'a> {
    pub renames: Vec<&'a Rename>,
    pub steps: Vec<Planned>,
    /// Whether the old name of the table lives on as a view: only its own triggers see the new names of its columns.
    pub is_bridged: bool,
}

/// The groups with the routines that go along. Those that one routine speaks of are one, and come last.
pub(super) fn follow<'a>(
    mut groups: Vec<Group<'a>>,
    all: &[&Rename],
    current: &Schema,
    desired: &Schema,
    facts: &Facts,
) -> Vec<Group<'a>> {
    let replaced = BTreeSet::new();
    let sides = Sides { old: current, new: desired, facts, replaced: &replaced, families: &Families::default() };
    for (id, old, new) in changed(current, desired) {
        let (Alter::Steps(forth), Alter::Steps(back)) = (old.alter(new, &sides), new.alter(old, &sides)) else {
            continue;
        };
        let Body::Text(text) = &new.body else { continue };
        let named = |it: &ObjectId| it.path.last().is_some_and(|it| speaks(text, it.as_str()));
        let wishes = desired.wishes_of(&id).into_iter().filter(|it| named(it)).cloned();
        let mut needs = wishes.chain(new.wishes_when_altered(desired)).chain(desired.needs_of(&id).cloned());
        let waits = needs.find(|it| desired.contains(it) && !stands(it, all, current));
        let mut together = Group::default();
        for mut it in std::mem::take(&mut groups) {
            if let (true, Some(waits)) = (it.breaks(old, current), &waits) {
                it.tell(&id, &format!("{id} uses the old name until it is replaced, and that waits for {waits}"));
                groups.push(it);
            } else if it.breaks(old, current) || it.follows(&together) {
                together.is_bridged = it.is_bridged && (together.is_bridged || together.renames.is_empty());
                together.renames.extend(it.renames);
                together.steps.extend(it.steps);
            } else {
                groups.push(it);
            }
        }
        if together.renames.is_empty() {
            continue;
        }
        let undo: Vec<Undo> = back.into_iter().map(|it| Undo::inside(it.sql)).collect();
        together.steps.extend(forth.into_iter().map(|step| Planned {
            step: step.own_transaction(),
            subject: id.clone(),
            does: vec![],
            transaction: Some(0),
            undo: undo.clone(),
            renames_to: None,
        }));
        groups.push(together);
    }
    groups
}

/// Routines of both sides that are not the same.
fn changed<'a>(
    current: &'a Schema,
    desired: &'a Schema,
) -> impl Iterator<Item = (ObjectId, &'a Routine, &'a Routine)> {
    current.of_kind(Kind::Routine).filter_map(|object| match (object, desired.get(&object.id())) {
        (Object::Routine(old), Some(Object::Routine(new))) if old != new => Some((object.id(), &**old, &**new)),
        _ => None,
    })
}

impl<'a> Group<'a> {
    pub fn extend(&mut self, more: impl Iterator<Item = (&'a Rename, Planned)>) {
        for (rename, step) in more {
            self.renames.push(rename);
            self.steps.push(step);
        }
    }

    /// Whether the routine fails once the renames are done.
    fn breaks(&self, routine: &Routine, current: &Schema) -> bool {
        let Body::Text(text) = &routine.body else { return false };
        self.renames.iter().any(|rename| {
            let is_seen = !self.is_bridged
                || rename.class == Class::Column && is_of_trigger(&routine.name, rename, &self.renames, current);
            is_seen && speaks(text, rename.old.as_str())
        })
    }

    /// Whether a column here is called by the name that its table has by a rename there.
    fn follows(&self, other: &Group<'_>) -> bool {
        let tables: Vec<&[Name]> =
            other.renames.iter().filter(|it| it.class == Class::Table).map(|it| &it.path[..]).collect();
        self.renames.iter().any(|it| it.path.len() == 3 && tables.contains(&&it.path[..2]))
    }

    fn tell(&mut self, object: &ObjectId, why: &str) {
        if let Some(first) = self.steps.first_mut() {
            let step = std::mem::replace(&mut first.step, Step::new(""));
            first.step = step.hazard(Code::Rename, object.clone(), why);
        }
    }
}

/// Whether the routine is that of a trigger on the table whose column is renamed.
fn is_of_trigger(routine: &QName, column: &Rename, renames: &[&Rename], current: &Schema) -> bool {
    let [namespace, table, _] = column.path.as_slice() else { return false };
    let renamed = renames.iter().find(|it| it.class == Class::Table && it.path[..] == column.path[..2]);
    let table = QName { namespace: namespace.clone(), name: renamed.map_or(table, |it| &it.old).clone() };
    current.of_relation(Kind::Trigger, &table).any(|it| match it {
        Object::Trigger(it) => it.function == *routine,
        _ => false,
    })
}

/// Whether something declared is there once the renames are done.
fn stands(id: &ObjectId, renames: &[&Rename], current: &Schema) -> bool {
    let mut path = id.path.to_vec();
    let is_renamed = |path: &[Name]| renames.iter().find(|it| it.path == path).map(|it| it.old.clone());
    let table = path.get(..2).and_then(is_renamed);
    if let (Some(old), Some(last)) = (is_renamed(&path), path.last_mut()) {
        *last = old;
    }
    if let (3, Some(old)) = (path.len(), table) {
        path[1] = old;
    }
    current.contains(&ObjectId { kind: id.kind, path: path.into() })
}
