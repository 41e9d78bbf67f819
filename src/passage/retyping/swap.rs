//! The moment when columns change over: names, keys, constraints and positions pass from one column to the other, in
//! one transaction that reads no row. Pure.
//!
//! What follows a column by itself (views, policies, defaults, grants) is left to the planner, as the difference between
//! what the server makes of this and what shall be.

use crate::kind::column::Column;
use crate::name::{Literal, Name, QName, list};

use super::group::{Group, Turn};
use super::sync::Sync;
use super::twin::{Is, Side, Twin};

/// What changes over, and which way: the column of the side given takes the name.
pub struct Swap<'a> {
    pub group: &'a Group,
    pub twins: &'a [Twin],
    /// The tables of the group in the order in which they are locked.
    pub tables: &'a [QName],
    pub comes: Side,
    /// What kept the column that comes, and what keeps the one that goes from now on.
    pub ends: &'a [Sync],
    pub begins: &'a [Sync],
}

impl Swap<'_> {
    /// The statements in their order. All tables are locked by the first, so that nothing is waited for in between.
    pub fn statements(&self) -> Vec<String> {
        let tables = list(self.tables);
        let mut said = vec![format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")];
        said.extend(self.ends.iter().flat_map(Sync::drop));
        said.extend(self.of_keys(is_foreign).flat_map(|it| self.end(it)));
        said.extend(self.of_keys(|it| !is_foreign(it)).flat_map(|it| self.end(it)));
        for it in &self.group.types {
            said.push(it.rename(&it.name.name, self.left().exchange(it)));
            said.push(it.rename(self.comes.exchange(it), &it.name.name));
        }
        for turn in &self.group.turns {
            said.extend(self.rename(turn));
        }
        said.extend(self.of_keys(|it| !is_foreign(it)).flat_map(|it| self.take_name(it)));
        said.extend(self.of_keys(is_foreign).flat_map(|it| self.take_name(it)));
        for turn in &self.group.turns {
            said.extend(self.identity(turn));
            let goes = self.goes(turn);
            // A new value that does not fit the old column is null there.
            if self.comes == Side::Fresh
                && let Some(not_null) = &turn.old.not_null
            {
                let drop = |it: &QName| format!("ALTER TABLE {it} ALTER COLUMN {goes} DROP NOT NULL");
                said.push(drop(&turn.table));
                // From 18 on, when it has a name, a partition that got its key by itself keeps it beyond its parent's.
                let below = turn.family.iter().filter(|it| **it != turn.table && not_null.name.is_some());
                said.extend(below.map(drop));
            }
        }
        said.extend(self.begins.iter().flat_map(Sync::create));
        said
    }

    /// The sequences that leave their names to others.
    pub fn sequences(&self) -> impl Iterator<Item = &QName> {
        self.group.turns.iter().filter_map(|it| it.old.identity.as_ref()).map(|it| &it.sequence)
    }

    fn of_keys(&self, which: impl Fn(&Is) -> bool) -> impl Iterator<Item = &Twin> {
        self.twins.iter().filter(move |it| which(&it.is))
    }

    /// What the column that goes is called from now on, and what stands on it.
    fn goes<'t>(&self, turn: &'t Turn) -> &'t Name {
        self.left().column(turn)
    }

    fn left(&self) -> Side {
        match self.comes {
            Side::Fresh => Side::Former,
            Side::Former => Side::Fresh,
        }
    }

    /// What stands on the column that goes: on the way back it stays under its other name, where it can.
    fn end(&self, twin: &Twin) -> Vec<String> {
        match &twin.is {
            _ if twin.led => vec![],
            // What each partition was promised is not yet, or no longer, that of the whole.
            Is::Promised { partitions, .. } if self.comes == Side::Former && !partitions.is_empty() => {
                partitions.iter().map(|it| format!("ALTER TABLE {it} DROP CONSTRAINT {}", twin.name())).collect()
            }
            _ if self.comes == Side::Former && !is_lost(twin) => {
                vec![twin.rename(twin.name(), self.left().twin(twin))]
            }
            _ => vec![twin.drop()],
        }
    }

    /// The planner makes what partitioned tables have of what their partitions have under its names by then.
    fn take_name(&self, twin: &Twin) -> Vec<String> {
        let (from, name) = (self.comes.twin(twin), twin.name());
        match &twin.is {
            Is::Primary { of: table, deferrability } => {
                let using = format!("PRIMARY KEY USING INDEX {from}{deferrability}");
                vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {using}")]
            }
            Is::Leaf { .. } | Is::LeafIndex => vec![twin.rename_index(from, name)],
            Is::Foreign { family, .. } => {
                let rename = |it| format!("ALTER TABLE {it} RENAME CONSTRAINT {from} TO {name}");
                family.iter().map(rename).collect()
            }
            Is::Constraint { .. } if twin.led => vec![],
            Is::Constraint { .. } | Is::Index | Is::Statistics => vec![twin.rename(from, name)],
            Is::Whole { .. } | Is::WholeIndex | Is::Promised { .. } => vec![],
        }
    }

    fn rename(&self, turn: &Turn) -> [String; 2] {
        let (table, name) = (&turn.table, &turn.name);
        let (goes, comes) = (self.goes(turn), self.comes.column(turn));
        [(name, goes), (comes, name)].map(|(from, to)| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"))
    }

    /// The identity passes over with its position: a new sequence goes on where the other one stands.
    fn identity(&self, turn: &Turn) -> Vec<String> {
        let (goes, comes): (&Column, &Column) = match self.comes {
            Side::Fresh => (&turn.old, &turn.new),
            Side::Former => (&turn.new, &turn.old),
        };
        let (Some(was), Some(is)) = (&goes.identity, &comes.identity) else { return vec![] };
        let (table, name, left) = (&turn.table, &turn.name, self.goes(turn));
        let aside = was.sequence.sibling(format!("{}_before", short(was.sequence.name.as_str())));
        vec![
            format!("ALTER SEQUENCE {} RENAME TO {}", was.sequence, aside.name),
            format!("ALTER TABLE {table} ALTER COLUMN {name} ADD {}", is.sql(table, name)),
            format!("SELECT setval({}, last_value, is_called) FROM {aside}", Literal(&is.sequence.to_string())),
            format!("ALTER TABLE {table} ALTER COLUMN {left} DROP IDENTITY"),
        ]
    }
}

/// Whether it can't be kept under another name: an index that became a primary key goes with it, and the foreign keys
/// that stand on that one before.
pub fn is_lost(twin: &Twin) -> bool {
    match &twin.is {
        Is::Constraint { .. } | Is::Index | Is::Statistics => false,
        Is::Primary { .. }
        | Is::Foreign { .. }
        | Is::Promised { .. }
        | Is::Leaf { .. }
        | Is::LeafIndex
        | Is::Whole { .. }
        | Is::WholeIndex => true,
    }
}

fn is_foreign(is: &Is) -> bool {
    matches!(is, Is::Foreign { .. } | Is::Promised { .. })
}

fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(50)]
}
