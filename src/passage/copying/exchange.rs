//! The change of names between a table and the partitioned one that stands beside it, and back: one step, whose first
//! statement locks everything.

use std::collections::BTreeSet;

use super::Copying;
use crate::kind::column::Column;
use crate::kind::constraint::Rule;
use crate::kind::made_name::derived;
use crate::kind::{Kind, Object, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::passage::partitioned;
use crate::plan::{Disturbance, Planned, Step, Undo};
use crate::schema::Schema;

impl Copying<'_> {
    /// The keys and indexes of both tables whose names are in each other's way: what each is called beside the name that
    /// it has while its table has its own.
    pub(super) fn names(&self, start: &Schema, partitioned: &Schema) -> [Vec<Renamed>; 2] {
        let used: BTreeSet<Name> = [start, partitioned]
            .iter()
            .flat_map(|it| it.objects.keys())
            .filter_map(|id| id.path.last().cloned())
            .collect();
        [(start, "old"), (partitioned, "new")].map(|(schema, suffix)| {
            let mut found = vec![];
            let constraints = partitioned::constraints(schema, self.name()).filter(|it| partitioned::is_key(it));
            let indexes = partitioned::indexes(schema, self.name());
            let all = constraints.map(|it| (true, &it.name)).chain(indexes.map(|it| (false, &it.name.name)));
            for (is_constraint, name) in all {
                let free =
                    |it: &Name| !used.contains(it) && !found.iter().any(|other: &Renamed| other.aside == *it);
                let aside = derived(&[name.as_str(), suffix], free);
                found.push(Renamed { is_constraint, name: name.clone(), aside });
            }
            found
        })
    }

    /// The change of names. Everything is locked by the first statement, so that nothing is waited for in between.
    pub(super) fn swap(&self, start: &Schema, names: &[Vec<Renamed>; 2]) -> Planned {
        let (name, old, new) = (self.name(), &self.old, &self.new);
        let rename = |from: &QName, to: &QName| format!("ALTER TABLE {from} RENAME TO {}", to.name);
        let mut said = vec![self.locking(start, new)];
        let mut undone = vec![self.locking(start, old)];
        if let Some([forth, back]) = &self.mirrors {
            said.extend(forth.drop());
            undone.extend(back.drop());
        }
        said.push(rename(name, old));
        said.extend(names[0].iter().map(|it| it.sql(old, &it.name, &it.aside)));
        said.push(rename(new, name));
        said.extend(names[1].iter().map(|it| it.sql(name, &it.aside, &it.name)));
        undone.push(rename(name, new));
        undone.extend(names[1].iter().map(|it| it.sql(new, &it.name, &it.aside)));
        undone.push(rename(old, name));
        undone.extend(names[0].iter().map(|it| it.sql(name, &it.aside, &it.name)));
        let identities: Vec<&Column> = start
            .of_relation(Kind::Column, name)
            .filter_map(|it| match it {
                Object::Column(it) if it.identity.is_some() => Some(&**it),
                _ => None,
            })
            .collect();
        for it in &identities {
            said.extend(numbers(it, old, name));
            undone.extend(numbers(it, new, name));
        }
        if let Some([forth, back]) = &self.mirrors {
            said.extend(back.create());
            undone.extend(forth.create());
        }
        let mut step = Step::new(said.join(";\n"))
            .summary(format!("{new}, which is partitioned, takes the name of {name}"))
            .locks(name, Lock::AccessExclusive)
            .disturbs(table::id(name), Disturbance::Replace);
        for sequence in identities.iter().filter_map(|it| it.identity.as_ref()).map(|it| &it.sequence) {
            step = step.locks(sequence, Lock::AccessExclusive);
        }
        for it in referring(start, name) {
            step = step.locks(it, Lock::AccessExclusive);
        }
        step.undo = vec![Undo::inside(undone.join(";\n"))];
        self.own(step, Some(1))
    }

    /// The statement that locks the table, the one that is kept equal to it, and those that refer to it, with all their
    /// partitions: in the order in which writers take them. They write to the second table by the trigger of the first, and
    /// who writes a row that refers to another takes the table of that one second.
    pub(super) fn locking(&self, start: &Schema, second: &QName) -> String {
        let ours = [self.name(), second];
        let all = referring(start, self.name()).into_iter().chain(ours);
        format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", list(all))
    }
}

/// A key or index, and what it is called while the other table has its name.
pub(super) struct Renamed {
    is_constraint: bool,
    pub(super) name: Name,
    pub(super) aside: Name,
}

impl Renamed {
    pub(super) fn sql(&self, table: &QName, from: &Name, to: &Name) -> String {
        match self.is_constraint {
            true => format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"),
            false => format!("ALTER INDEX {} RENAME TO {to}", table.sibling(from.clone())),
        }
    }
}

/// The statements by which one table goes on with the numbers of the other, in a sequence of the same name.
fn numbers(column: &Column, from: &QName, to: &QName) -> Vec<String> {
    let Some(identity) = &column.identity else { return vec![] };
    let (sequence, name) = (&identity.sequence, &column.name);
    let short = sequence.name.as_str();
    let aside = sequence.sibling(format!("{}_before", &short[..short.floor_char_boundary(50)]));
    vec![
        format!("ALTER SEQUENCE {sequence} RENAME TO {}", aside.name),
        format!("ALTER TABLE {to} ALTER COLUMN {name} ADD {}", identity.sql(to, name)),
        format!("SELECT setval({}, last_value, is_called) FROM {aside}", Literal(&sequence.to_string())),
        format!("ALTER TABLE {from} ALTER COLUMN {name} DROP IDENTITY"),
    ]
}

/// Other tables with foreign keys to the table.
fn referring<'a>(start: &'a Schema, name: &QName) -> BTreeSet<&'a QName> {
    let keys = start.of_kind(Kind::Constraint).filter_map(|it| match it {
        Object::Constraint(it) => match &it.rule {
            Rule::Foreign(key) if key.to == *name && it.table != *name => Some(&it.table),
            _ => None,
        },
        _ => None,
    });
    keys.collect()
}
