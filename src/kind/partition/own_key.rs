//! Foreign keys that a table has by itself under another name than as a partition. One of them becomes the other by its
//! name: the server takes the first that fits for the parent's, whatever it is called.

use crate::kind::constraint::{Constraint, Rule};
use crate::kind::{Definition, Kind, Object, ObjectId, made_name, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::Step;
use crate::schema::Sides;
use super::{Partition, id};

/// Whether a foreign key of a table comes from one of its parent's or becomes one, and has another name there.
pub fn is_renamed(sides: &Sides<'_>, table: &QName, foreign_key: &Name) -> bool {
    [sides.old, sides.new].into_iter().any(|side| match side.get(&id(table)) {
        Some(Object::Partition(it)) => it.renamed_keys(sides).iter().any(|(_, own)| *own == foreign_key),
        _ => false,
    })
}

fn of_foreign(object: &Object) -> Option<&Constraint> {
    match object {
        Object::Constraint(it) if matches!(it.rule, Rule::Foreign(_)) => Some(&**it),
        _ => None,
    }
}

/// Whether the foreign key of a table says what that of another does.
fn is_alike(own: &Constraint, key: &Constraint) -> bool {
    let table = (own.table.clone(), own.partitioned, own.name.clone());
    Constraint { table: table.0, partitioned: table.1, name: table.2, ..key.clone() } == *own
}

impl Partition {
    /// The names of such keys, that of the partition and that of the table by itself, where one of them is there before
    /// and the other after.
    pub(super) fn renamed_keys<'a>(&self, sides: &Sides<'a>) -> Vec<(&Name, &'a Name)> {
        let (comes, goes) = (sides.is_new(&self.id()), sides.is_going(&self.id()));
        let stays = |it: &ObjectId| !sides.is_new(it) && !sides.is_going(it);
        if comes == goes || !stays(&table::id(&self.child)) || self.is_left(sides) {
            return vec![];
        }
        let (inside, outside) = if comes { (sides.new, sides.old) } else { (sides.old, sides.new) };
        let above = self.above(inside);
        let of_parent = |name: &Name| {
            above.iter().find_map(|table| match inside.get(&ObjectId::new(Kind::Constraint, [&table.namespace, &table.name, name])) {
                Some(Object::Constraint(it)) if stays(&it.id()) && matches!(it.rule, Rule::Foreign(_)) => Some(&**it),
                _ => None,
            })
        };
        let mut free: Vec<&Constraint> = outside
            .of_relation(Kind::Constraint, &self.child)
            .filter_map(|it| match it {
                Object::Constraint(it) if !inside.contains(&it.id()) => Some(&**it),
                _ => None,
            })
            .collect();
        let mut renamed = vec![];
        for (name, to) in &self.copies.0 {
            let is_kept = comes || sides.major() >= 15 || table::stores(sides, to);
            let Some(key) = of_parent(name).filter(|_| is_kept && !outside.contains(&self.constraint(name))) else {
                continue;
            };
            if let Some(at) = free.iter().position(|own| is_alike(own, key)) {
                renamed.push((name, &free.remove(at).name));
            }
        }
        renamed
    }

    /// The other ones that go and are like one of the parent's: the server would take one that is still there for that, and
    /// it could go no more.
    pub(super) fn keys_in_the_way(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        if !sides.is_new(&self.id()) || sides.is_new(&table::id(&self.child)) {
            return vec![];
        }
        let renamed = self.renamed_keys(sides);
        let above = self.above(sides.new);
        let keys = above.iter().flat_map(|it| sides.new.of_relation(Kind::Constraint, it));
        let keys: Vec<&Constraint> = keys.filter_map(of_foreign).collect();
        let own = sides.old.of_relation(Kind::Constraint, &self.child).filter_map(of_foreign);
        own.filter(|own| !sides.new.contains(&own.id()) && keys.iter().any(|key| is_alike(own, key)))
            .filter(|own| renamed.iter().all(|(_, it)| **it != own.name))
            .map(Constraint::id)
            .collect()
    }

    /// Foreign keys of the table that are to become the parent's, while it has another like one of these that stays its own
    /// and that the server would take, since it goes by their names. `builds`: those that the table lacks are built before.
    pub(super) fn keys_behind_others(&self, builds: bool, sides: &Sides<'_>) -> Vec<&Name> {
        let above = self.above(sides.new);
        let of_parent = |name: &Name| {
            above.iter().find_map(|it| {
                let key = ObjectId::new(Kind::Constraint, [&it.namespace, &it.name, name]);
                sides.new.get(&key).and_then(of_foreign)
            })
        };
        let own = || sides.old.of_relation(Kind::Constraint, &self.child).filter_map(of_foreign);
        let is_first = |it: &Constraint, name: &Name, key: &Constraint| {
            sides.new.contains(&it.id()) && it.name < *name && is_alike(it, key)
        };
        let copies = self.copies.0.iter().filter(|(name, to)| {
            let is_there = builds || self.has_own(name, sides) || self.keeps(name, to, sides);
            is_there && of_parent(name).is_some_and(|key| own().any(|it| is_first(it, name, key)))
        });
        copies.map(|(name, _)| name).collect()
    }

    /// Gives a foreign key a name that comes before all others, and its own again.
    pub(super) fn put_first(&self, key: &Name, sides: &Sides<'_>) -> [Step; 2] {
        let free = |name: &Name| [sides.old, sides.new].iter().all(|it| !it.contains(&self.constraint(name)));
        let aside = made_name::derived(&[&format!("!{}", key.as_str())], free);
        [(key, &aside), (&aside, key)].map(|(from, to)| {
            let rename = |from: &Name, to: &Name| format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", self.child);
            let step = Step::new(rename(from, to)).locks(&self.child, Lock::AccessExclusive);
            let summary = format!("{} comes before those like it", self.constraint(key));
            let step = if from == key { step.summary(summary) } else { step.summary(format!("{} has its name again", self.constraint(key))) };
            if sides.facts.way_back { step } else { step.undone_by(rename(to, from)) }
        })
    }

    /// Before it is attached, or after it is no longer: each is taken back by itself.
    pub(super) fn rename_keys(&self, sides: &Sides<'_>) -> Vec<Step> {
        if sides.facts.way_back {
            return vec![];
        }
        let rename = |from: &Name, to: &Name| format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", self.child);
        let names = self.renamed_keys(sides).into_iter();
        let names = names.map(|(of_parent, own)| if sides.is_new(&self.id()) { (own, of_parent) } else { (of_parent, own) });
        names
            .map(|(from, to)| {
                Step::new(rename(from, to)).locks(&self.child, Lock::AccessExclusive).undone_by(rename(to, from))
            })
            .collect()
    }

    /// Whether the table has the foreign key by itself before it is attached.
    pub(super) fn has_own(&self, name: &Name, sides: &Sides<'_>) -> bool {
        let renamed = sides.is_new(&self.id()) && self.renamed_keys(sides).iter().any(|(it, _)| *it == name);
        renamed || sides.old.contains(&self.constraint(name))
    }
}
