//! NOT NULL of columns: added, dropped, validated, and proved by a check first where rows stand.

use serde::{Deserialize, Serialize};
use crate::kind::made_name::{chosen, derived};
use crate::kind::table;
use crate::kind::{aside, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Stage, Step};
use crate::schema::{Schema, Sides};
use super::{Column, find};

/// NOT NULL; from 18 on it is a constraint with a name and a validity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotNull {
    /// From 18 on.
    #[serde(serialize_with = "aside")]
    pub name: Option<Name>,
    pub no_inherit: bool,
    pub valid: bool,
    /// A parent has it too. Its name then depends on how the table came to be, and can't be changed.
    #[serde(serialize_with = "aside")]
    pub inherited: bool,
    /// The table has it by itself as well, so that it stays when that of the parent goes.
    #[serde(serialize_with = "aside")]
    pub local: bool,
}

impl PartialEq for NotNull {
    fn eq(&self, other: &Self) -> bool {
        let unnamed = self.name.is_none() || other.name.is_none();
        let named = unnamed || self.name == other.name || self.inherited || other.inherited;
        named && self.no_inherit == other.no_inherit && self.valid == other.valid
    }
}

impl NotNull {
    pub fn constraint(&self, column: &Column) -> Name {
        self.name.clone().unwrap_or_else(|| Self::usual(column))
    }

    /// The name that the server chooses where no other constraint of the table has it.
    pub(super) fn usual(column: &Column) -> Name {
        chosen(column.table.name.as_str(), Some(column.name.as_str()), "not_null")
    }

    /// Whether it has a name that has to be said.
    pub(super) fn is_named(&self, column: &Column) -> bool {
        self.name.as_ref().is_some_and(|it| *it != Self::usual(column))
    }
}

impl Column {
    /// From 18 on: NOT NULL as a constraint of the table, not valid.
    pub(super) fn add_not_null(&self, it: &NotNull) -> String {
        let inherit = if it.no_inherit { " NO INHERIT" } else { "" };
        format!("ADD CONSTRAINT {} NOT NULL {}{inherit} NOT VALID", it.constraint(self), self.name)
    }

    pub(super) fn alter_not_null(&self, new: &Column, sides: &Sides<'_>) -> Vec<Step> {
        match (&self.not_null, &new.not_null) {
            (None, None) => vec![],
            (Some(_), None) => self.drop_not_null(sides),
            (None, Some(it)) => {
                let Some(mut backfill) = new.backfill(sides) else { return self.set_not_null(it, sides) };
                if let Some(fill) = backfill.fill.last_mut() {
                    fill.irreversible = Some("which rows had no value is forgotten".into());
                }
                [backfill.fill, self.set_not_null(it, sides), backfill.after].concat()
            }
            (Some(old), Some(it)) => {
                if sides.major() < 18 {
                    // Names and validity are the declaring server's; this one has none.
                    return vec![];
                }
                let mut steps = vec![];
                let (from, to) = (old.constraint(self), it.constraint(self));
                if old.valid && !it.valid {
                    steps.extend(self.drop_not_null(sides));
                    steps.push(self.on_family(self.add_not_null(it), sides));
                    return steps;
                }
                if from != to && !old.inherited && !it.inherited {
                    steps.push(self.on_family(format!("RENAME CONSTRAINT {from} TO {to}"), sides));
                }
                if old.no_inherit != it.no_inherit {
                    steps.extend(self.alter_inheritance(&to, it.no_inherit, sides));
                }
                if !old.valid && it.valid {
                    steps.push(self.validate(&to, sides));
                }
                steps
            }
        }
    }

    pub(super) fn drop_not_null(&self, sides: &Sides<'_>) -> Vec<Step> {
        let going = |constraint: &&Object| {
            let id = constraint.id();
            sides.is_going(&id) && sides.old.needs_of(&id).any(|need| *need == self.id())
        };
        let keepers = self.keepers_of_not_null(sides);
        let drop = match keepers.is_empty() {
            true => self.on_family(format!("ALTER COLUMN {} DROP NOT NULL", self.name), sides),
            false => self.drop_not_null_of(&self.table),
        };
        let mut step = drop.hazard(Code::DropNotNull, self.id(), format!("{}.{} may be null from now on", self.table, self.name));
        // A primary key holds the column NOT NULL until it goes, and that is late.
        let held = sides.old.of_relation(Kind::Constraint, &self.table).find(going).is_some();
        if held {
            step = step.stage(Stage::Contract);
        }
        if !keepers.is_empty() {
            let below = table::family(sides, &self.table).into_iter().skip(1);
            let others = below.filter(|it| !keepers.contains(it)).map(|it| self.drop_not_null_of(&it).stage(step.stage));
            let others: Vec<Step> = others.collect();
            return std::iter::once(step).chain(others).collect();
        }
        let own = |it: &NotNull| it.local || held;
        std::iter::once(step).chain(self.drop_those_below(own, sides)).collect()
    }

    /// Before 18: tables that inherit from this one and keep it, which the statement on this one would take from them.
    fn keepers_of_not_null(&self, sides: &Sides<'_>) -> Vec<QName> {
        let family = table::family(sides, &self.table);
        if sides.major() >= 18 || family.iter().any(|it| !table::stores(sides, it)) {
            return vec![];
        }
        let has_it = |schema: &Schema, table: &QName| find(schema, table, &self.name).is_some_and(|it| it.not_null.is_some());
        family.into_iter().skip(1).filter(|it| has_it(sides.old, it) && has_it(sides.new, it)).collect()
    }

    fn drop_not_null_of(&self, table: &QName) -> Step {
        Step::new(format!("ALTER TABLE ONLY {table} ALTER COLUMN {} DROP NOT NULL", self.name))
            .locks(table, Lock::AccessExclusive)
    }

    /// From 18 on: what tables below have by themselves stays when that of the parent goes. Among that is what a
    /// primary key brought, which a partition's own index made its own.
    pub(super) fn drop_those_below(&self, own: impl Fn(&NotNull) -> bool, sides: &Sides<'_>) -> Vec<Step> {
        if sides.major() < 18 {
            return vec![];
        }
        let below = table::family(sides, &self.table).into_iter().filter(|it| *it != self.table);
        let left = below.filter(|member| {
            let before = find(sides.old, member, &self.name).and_then(|it| it.not_null.as_ref());
            let after = find(sides.new, member, &self.name);
            before.is_some_and(&own) && after.is_some_and(|it| it.not_null.is_none())
        });
        left.map(|member| {
            let column = Column { table: member, ..self.clone() };
            column.on_family(format!("ALTER COLUMN {} DROP NOT NULL", self.name), sides)
        })
        .collect()
    }

    /// From 18 on: whether the tables below have NOT NULL too. They keep it as their own when it is no longer handed
    /// down.
    pub(super) fn alter_inheritance(&self, constraint: &Name, no_inherit: bool, sides: &Sides<'_>) -> Vec<Step> {
        let word = if no_inherit { "NO INHERIT" } else { "INHERIT" };
        let step = self.on_family(format!("ALTER CONSTRAINT {constraint} {word}"), sides);
        if no_inherit {
            return std::iter::once(step).chain(self.drop_those_below(|_| true, sides)).collect();
        }
        let below = table::family(sides, &self.table).into_iter().filter(|it| *it != self.table);
        let unproven = below.filter(|member| {
            table::stores(sides, member)
                && find(sides.old, member, &self.name).is_some_and(|it| it.not_null.is_none())
        });
        let (mut step, mut filled) = (step, false);
        for member in unproven {
            filled = filled || table::may_hold_rows(sides, &member);
            step = step.scans(&member);
        }
        if filled {
            let why = format!("nulls in {} of the tables below make it fail", self.name);
            step = step.stage(Stage::Contract).hazard(Code::CheckMayFail, self.id(), why);
            step = step.hazard(Code::ScanUnderLock, self.id(), table::evidence(sides, &self.table));
        }
        vec![step]
    }

    /// From 18 on: tables below that will have it under another name than that of the parent get it first, by
    /// themselves. That of the parent then leaves theirs as it is.
    fn promise_below(&self, new: &NotNull, sides: &Sides<'_>) -> Vec<Step> {
        if sides.major() < 18 {
            return vec![];
        }
        let below = table::family(sides, &self.table).into_iter().filter(|it| *it != self.table);
        let own = below.filter_map(|member| {
            let before = find(sides.old, &member, &self.name)?;
            let after = find(sides.new, &member, &self.name)?.not_null.as_ref()?;
            let own = after.name.is_some() && after.name != new.name;
            (own && before.not_null.is_none()).then_some((before, after))
        });
        own.map(|(column, it)| {
            let step = column.on_family(column.add_not_null(it), sides).own_transaction();
            step.undone_by(column.no_longer_required())
        })
        .collect()
    }

    fn no_longer_required(&self) -> String {
        format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", self.table, self.name)
    }

    pub(super) fn set_not_null(&self, new: &NotNull, sides: &Sides<'_>) -> Vec<Step> {
        let below = self.promise_below(new, sides);
        // What tables below have by themselves, the opposite of the whole change leaves to them.
        let undone = |step: Step| if below.is_empty() { step } else { step.undone_by(self.no_longer_required()) };
        if !new.valid {
            let promise = undone(self.on_family(self.add_not_null(new), sides));
            return below.into_iter().chain([promise]).collect();
        }
        let set = self.on_family(format!("ALTER COLUMN {} SET NOT NULL", self.name), sides).stage(Stage::Contract);
        let named = sides.major() >= 18 && (new.is_named(self) || new.no_inherit || !below.is_empty());
        if !table::is_used(sides, &self.table) && !named {
            let set = self.scanned(set, sides).stage(Stage::Expand);
            return if table::may_hold_rows(sides, &self.table) {
                let why = format!("nulls in {}.{} make it fail", self.table, self.name);
                vec![set.hazard(Code::CheckMayFail, self.id(), why)]
            } else {
                vec![set]
            };
        }
        if sides.major() >= 18 {
            let promise = self.on_family(self.add_not_null(new), sides).own_transaction().stage(Stage::Validate);
            let promise = undone(promise);
            let below = below.into_iter().map(|it| it.stage(Stage::Validate));
            return below.chain([promise, self.validate(&new.constraint(self), sides)]).collect();
        }
        let path = |name: &Name| ObjectId::new(Kind::Constraint, [&self.table.namespace, &self.table.name, name]);
        let name = derived(&[self.name.as_str(), "is_not_null"], |name| {
            !sides.old.contains(&path(name)) && !sides.new.contains(&path(name))
        });
        let add = format!("ADD CONSTRAINT {name} CHECK ({} IS NOT NULL) NOT VALID", self.name);
        let end = format!("DROP CONSTRAINT {name}");
        let promise = self
            .on_family(&add, sides)
            .own_transaction()
            .stage(Stage::Validate)
            .undone_by(format!("ALTER TABLE {} {end}", self.table));
        // The server takes the valid CHECK as proof and reads no row again.
        let drop = self
            .on_family(&end, sides)
            .stage(Stage::Contract)
            .undone_by(format!("ALTER TABLE {} {add}", self.table))
            .undone_by(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name}", self.table));
        let set = set.undone_by(self.no_longer_required());
        vec![promise, self.validate(&name, sides), set, drop]
    }

    pub(super) fn validate(&self, constraint: &Name, sides: &Sides<'_>) -> Step {
        let mut step = Step::new(format!("ALTER TABLE {} VALIDATE CONSTRAINT {constraint}", self.table))
            .own_transaction()
            .stage(Stage::Validate)
            .check(format!(
                "SELECT convalidated FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
                Literal(&self.table.to_string()),
                Literal(constraint.as_str())
            ));
        for member in table::family(sides, &self.table) {
            step = step.locks(&member, Lock::ShareUpdateExclusive);
        }
        let step = self.scanned(step, sides);
        if table::may_hold_rows(sides, &self.table) {
            let why = format!("nulls in {}.{} make it fail", self.table, self.name);
            step.hazard(Code::CheckMayFail, self.id(), why)
        } else {
            step
        }
    }
}
