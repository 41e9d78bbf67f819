//! `ALTER COLUMN … TYPE`: when there is no such step, and what it locks, scans and loses.

use super::retype::{Conversion, Retype, retype};
use super::{Column, find, id};
use crate::kind::constraint::Rule;
use crate::kind::{row_type, table};
use crate::kind::{Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::QName;
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;
use crate::source::syntax;

impl Column {
    /// What the declaration makes of the values when the column gets another type: an expression that names it. Any other
    /// is for rows without a value; it may have been left from when the column was new, and would be given to all rows.
    pub fn declared_conversion<'a>(&self, sides: &Sides<'a>) -> Option<&'a str> {
        let declared = sides.facts.backfills.get(&(self.table.clone(), self.name.clone()))?;
        let names = syntax::columns(declared);
        let whole_row = names.contains(self.table.name.as_str());
        (whole_row || names.contains(self.name.as_str())).then_some(declared)
    }

    /// Whether a declared expression could be meant for the values that change their type, or for the rows without one.
    pub fn is_filled_while_retyped(&self, new: &Column, sides: &Sides<'_>) -> bool {
        self.data_type != new.data_type && self.declared_conversion(sides).is_some() && self.not_null.is_none() && new.not_null.is_some()
    }

    /// Why the column can't get its new type.
    pub(super) fn cannot_retype(&self, new: &Column, sides: &Sides<'_>) -> Option<String> {
        if new.generated.is_some() {
            return None;
        }
        if let Some(reason) = row_type::refusal(sides, &self.table, "change the type of a column") {
            return Some(reason);
        }
        let family = table::family(sides, &self.table);
        let has_it = |it: &QName| find(sides.old, it, &self.name).is_some();
        for heir in &family {
            let parents = table::parents(sides.old, heir);
            if let Some(other) = parents.iter().find(|it| has_it(it) && *heir != self.table && !family.contains(it)) {
                return Some(format!(
                    "{heir} has it from {other} as well, and PostgreSQL changes its type in neither while both are parents \
                     of {heir}: declare {heir} without one of them first, and with both again in a plan after this one"
                ));
            }
        }
        if family.iter().any(|it| table::partitions_by(sides.old, it, &self.name)) {
            return Some(format!(
                "rows of {} find their partition by it, and PostgreSQL does not change the type of such a column; declare \
                 a table of another name that is partitioned by the new type, and take the rows over",
                self.table
            ));
        }
        if self.is_filled_while_retyped(new, sides) {
            return Some(
                "it gets another type and becomes required at once, and its backfill could be meant for either: \
                 declare one after the other, each in a plan of its own"
                    .into(),
            );
        }
        if self.data_type != new.data_type && self.declared_conversion(sides).is_some() {
            return None;
        }
        let (from, to) = (&self.data_type, &new.data_type);
        match retype(self, new, sides).conversion {
            Conversion::Assigned | Conversion::Cast(_) => None,
            Conversion::Unknown => Some(format!(
                "PostgreSQL has no cast from {from} to {to}; say in TOML what becomes of the values, by {0} itself and \
                 other columns of the row: `[table.\"{1}\".columns]` with \
                 `{0} = {{ backfill = \"an expression of type {to}\" }}`",
                self.name, self.table
            )),
        }
    }

    pub(super) fn set_type(&self, new: &Column, sides: &Sides<'_>) -> Step {
        let change = retype(self, new, sides);
        let mut action = format!("ALTER COLUMN {} TYPE {}", self.name, new.data_type);
        if let Some(collation) = &new.collation {
            action += &format!(" COLLATE {collation}");
        }
        let declared = self.declared_conversion(sides).filter(|_| self.data_type != new.data_type);
        if let Some(using) = declared.or(change.conversion.using()) {
            action += &format!(" USING {using}");
        }
        let mut step = self.on_family(&action, sides).stage(Stage::Contract);
        let family = table::family(sides, &self.table);
        let checks = !change.rewrites && table::is_for_batches(sides, &self.table);
        for member in family.iter().filter(|it| find(sides.old, it, &self.name).is_some()) {
            step = step.disturbs(id(member, &self.name), Disturbance::Retype { checks });
            if change.crosses {
                step = step.disturbs(id(member, &self.name), Disturbance::Swap);
            }
        }
        step = self.checked_anew(step, &change, &family, sides);
        if let Some(identity) = &self.identity {
            step = step.locks(&identity.sequence, Lock::ShareRowExclusive);
        }
        let stored = family.iter().filter(|it| table::stores(sides, it));
        step = match change.rewrites {
            true => stored.fold(step, Step::rewrites),
            false => stored.filter(|it| self.is_indexed_anew(new, it, sides)).fold(step, Step::scans),
        };
        // The way back takes each of them where the way there did.
        if self.generated == new.generated && declared.is_none() && !sides.facts.way_back {
            step = step.action(&self.table, action);
        }
        match table::may_hold_rows(sides, &self.table) {
            true => self.over_rows(step, new, &change, declared.is_some(), sides),
            false => step,
        }
    }

    /// Whether rows are written anew for its new type, which no other column has a part in.
    fn is_written_anew(&self, new: &Column, sides: &Sides<'_>) -> bool {
        self.data_type != new.data_type
            && self.generated == new.generated
            && self.declared_conversion(sides).is_none()
            && retype(self, new, sides).rewrites
    }

    /// The first column of the table whose type changes so: the rows are written once for all of them.
    pub(super) fn first_written_anew(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        if sides.facts.way_back {
            return None;
        }
        let written = sides.old.of_relation(Kind::Column, &self.table).filter(|it| match it {
            Object::Column(old) => {
                let new = find(sides.new, &self.table, &old.name).filter(|_| !sides.replaced.contains(&old.id()));
                new.is_some_and(|new| old.is_written_anew(new, sides))
            }
            _ => false,
        });
        let written: Vec<ObjectId> = written.map(Object::id).collect();
        written.first().filter(|it| **it != self.id() && written.contains(&self.id())).cloned()
    }

    /// The server makes constraints on the column anew: its own, and the foreign keys at either end. It reads rows for a
    /// CHECK, and for a foreign key where rows are written or values compared in another way (`TryReuseForeignKey` in
    /// tablecmds.c).
    fn checked_anew(&self, mut step: Step, change: &Retype, family: &[QName], sides: &Sides<'_>) -> Step {
        let constraints = sides.old.of_kind(Kind::Constraint).filter_map(|it| match it {
            Object::Constraint(it) => Some(it),
            _ => None,
        });
        for constraint in constraints {
            let constraint_id = constraint.id();
            let is_its = |need: &ObjectId| family.iter().any(|it| *need == id(it, &self.name));
            if !sides.old.needs_of(&constraint_id).any(is_its) {
                continue;
            }
            let ends = sides.old.needs_of(&constraint_id).chain([&constraint_id]);
            for end in ends.filter(|it| matches!(it.kind, Kind::Column | Kind::Constraint)) {
                let [namespace, name, _] = &end.path[..] else { continue };
                let end = QName { namespace: namespace.clone(), name: name.clone() };
                for member in table::reach(sides, &end) {
                    step = step.locks(&member, Lock::AccessExclusive);
                }
            }
            // A foreign key is looked through from the partitioned table as well.
            let is_foreign = matches!(constraint.rule, Rule::Foreign(_));
            let is_read = !sides.replaced.contains(&constraint_id)
                && match &constraint.rule {
                    Rule::Foreign(_) => change.rewrites || !change.compares_alike,
                    Rule::Check(_) => constraint.is_looked_through(),
                    Rule::Unique(_) | Rule::Exclusion(_) => false,
                };
            for member in table::family(sides, &constraint.table).iter().filter(|_| is_read) {
                if is_foreign || table::stores(sides, member) {
                    step = step.scans(member);
                }
            }
        }
        step
    }

    /// Where rows stay, ALTER TABLE takes indexes over, but none that sorts by another collation, has an expression or a
    /// condition, compares in another way, or belongs to a partitioned table (`CheckIndexCompatible` in indexcmds.c).
    pub fn is_indexed_anew(&self, new: &Column, member: &QName, sides: &Sides<'_>) -> bool {
        let partitioned = !table::stores(sides, &self.table) && self.data_type != new.data_type;
        let all = self.collation != new.collation || partitioned || !retype(self, new, sides).compares_alike;
        let column = id(if partitioned { &self.table } else { member }, &self.name);
        let is_built = |it: &Object| match it {
            Object::Index(it) => all || it.is_computed(),
            Object::Constraint(it) => match &it.rule {
                Rule::Unique(_) => all,
                Rule::Exclusion(it) => all || it.is_computed(),
                Rule::Check(_) | Rule::Foreign(_) => false,
            },
            _ => false,
        };
        let indexes = sides.old.of_kind(Kind::Index).chain(sides.old.of_kind(Kind::Constraint));
        let stays = indexes.filter(|it| is_built(it)).map(Object::id).filter(|it| !sides.is_going(it));
        stays.into_iter().any(|it| sides.old.needs_of(&it).any(|need| *need == column))
    }

    /// What the step is to a table with rows.
    fn over_rows(&self, mut step: Step, new: &Column, change: &Retype, declared: bool, sides: &Sides<'_>) -> Step {
        let in_place = sides.facts.in_place.get(&self.id());
        let why = in_place.map(|why| format!("; not by way of a new column: {why}")).unwrap_or_default();
        let evidence = format!("{}{why}", table::evidence(sides, &self.table));
        if change.narrows {
            let why = format!("{} to {}; {evidence}", self.data_type, new.data_type);
            step = step
                .hazard(Code::NarrowType, self.id(), why)
                .irreversible("the old type can't be had back with what the new one cut off");
        }
        if declared {
            step = step.irreversible("what the declared expression made of the values has no declared way back");
        }
        if change.rewrites {
            step.hazard(Code::RewriteTable, self.id(), evidence)
        } else if !step.scans.is_empty() {
            step.hazard(Code::ScanUnderLock, self.id(), evidence)
        } else {
            step
        }
    }
}
