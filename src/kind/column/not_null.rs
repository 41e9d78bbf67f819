//! NOT NULL of columns: added, dropped, validated, and proved by a check first where rows stand.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use crate::kind::comment;
use crate::kind::made_name::{chosen, derived};
use crate::kind::{partition, table};
use crate::kind::{aside, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Aid, Stage, Step, Undo};
use crate::schema::{Families, Schema, Sides};
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

/// What becomes of the NOT NULL that a table hands down.
#[derive(Clone, Copy)]
enum Handing {
    Begins,
    Ends,
}

impl PartialEq for NotNull {
    fn eq(&self, other: &Self) -> bool {
        let unnamed = self.name.is_none() || other.name.is_none();
        let named = unnamed || self.name == other.name || (self.inherited && other.inherited);
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
    /// The names of its NOT NULL before and after the way to `new`, where it stays. One that is handed down keeps the
    /// name that it has, unless the attachment of its table changes: that renames it.
    pub fn names_of_not_null(&self, new: &Column, sides: &Sides<'_>) -> Option<(Name, Name)> {
        let (old, it) = (self.not_null.as_ref()?, new.not_null.as_ref()?);
        let (before, after) = (old.constraint(self), it.constraint(new));
        if self.attachment_changes(sides) {
            return Some((before, after));
        }
        // On the way back, it has the name that it kept on the way there.
        let from = if sides.facts.way_back && old.inherited { after.clone() } else { before };
        let to = if it.inherited { from.clone() } else { after };
        Some((from, to))
    }

    /// On the way back: whether the way there gave it another name, which it keeps as that of a parent.
    pub fn keeps_name_of_the_way_there(&self, new: &Column, sides: &Sides<'_>) -> bool {
        match (&self.not_null, &new.not_null) {
            (Some(old), Some(it)) => {
                let renamed = !old.inherited && it.inherited && old.constraint(self) != it.constraint(new);
                sides.facts.way_back && renamed && !self.attachment_changes(sides)
            }
            _ => false,
        }
    }

    fn attachment_changes(&self, sides: &Sides<'_>) -> bool {
        let attachment = partition::id(&self.table);
        sides.old.contains(&attachment) != sides.new.contains(&attachment)
    }

    /// From 18 on: NOT NULL under its other name.
    pub(in crate::kind) fn rename_not_null(&self, (from, to): (&Name, &Name), sides: &Sides<'_>) -> Vec<Step> {
        let rename = self.on_family(format!("RENAME CONSTRAINT {from} TO {to}"), sides);
        // One that was handed down keeps on the way back the name that it has then.
        let keeps = !sides.facts.way_back && self.not_null.as_ref().is_some_and(|it| it.inherited);
        let said = comment::on_renamed(&self.id(), to, sides).map(|step| match comment::before_renamed(&self.id(), to, sides) {
            Some(back) if keeps => step.undone_by(back.sql),
            Some(_) | None => step,
        });
        [rename].into_iter().chain(said).collect()
    }

    /// From 18 on: the same where tables below have theirs by other names, which a rename does not take. Theirs is their
    /// own meanwhile.
    fn remake_not_null(&self, (from, to): (&Name, &Name), new: &NotNull, sides: &Sides<'_>) -> Vec<Step> {
        let below = table::family(sides, &self.table).into_iter().skip(1);
        let mut steps: Vec<Step> = below.filter_map(|member| self.keep_at_heir(&member, sides)).collect();
        steps.push(self.exchange_not_null((from, to), new, sides).own_transaction());
        if new.valid {
            steps.push(self.validate(to, sides));
        }
        steps.extend(comment::on_not_null_again(&self.id(), to, sides));
        steps
    }

    /// From 18 on: NOT NULL as another constraint, never without either. A comment goes with the old one, and comes back
    /// on a way back that begins here.
    fn exchange_not_null(&self, (from, to): (&Name, &Name), new: &NotNull, sides: &Sides<'_>) -> Step {
        let action = format!("DROP CONSTRAINT {from}, {}", self.add_not_null(new));
        let step = self.on_family(action, sides).part(self.id().satellite(Kind::Constraint));
        match comment::on_not_null_again(&self.id(), to, sides) {
            Some(comment) => step.undone_by(comment.sql),
            None => step,
        }
    }

    /// Whether tables below have theirs by other names.
    fn is_named_otherwise_below(&self, (from, to): (&Name, &Name), sides: &Sides<'_>) -> bool {
        let differs = |schema: &Schema, member: &QName, name: &Name| {
            let column = find(schema, member, &self.name);
            let own = column.and_then(|it| Some(it.not_null.as_ref()?.constraint(it)));
            own.is_some_and(|it| it != *name)
        };
        let mut below = table::family(sides, &self.table).into_iter().skip(1);
        below.any(|member| differs(sides.old, &member, from) || differs(sides.new, &member, to))
    }

    /// From 18 on: NOT NULL as a constraint of the table, not valid.
    pub(super) fn add_not_null(&self, it: &NotNull) -> String {
        let inherit = if it.no_inherit { " NO INHERIT" } else { "" };
        format!("ADD CONSTRAINT {} NOT NULL {}{inherit} NOT VALID", it.constraint(self), self.name)
    }

    pub(super) fn alter_not_null(&self, new: &Column, sides: &Sides<'_>) -> Vec<Step> {
        match (&self.not_null, &new.not_null) {
            (None, None) => vec![],
            (Some(_), None) if self.is_left_not_null(sides) => vec![],
            (Some(_), None) => self.drop_not_null(sides),
            (None, Some(it)) => {
                let Some(mut backfill) = new.backfill(sides) else {
                    return if self.is_given(it, sides) { vec![] } else { self.set_not_null(it, sides) };
                };
                if let Some(fill) = backfill.fill.last_mut() {
                    fill.irreversible = Some("which rows had no value is forgotten".into());
                }
                let mut set = self.set_not_null(it, sides);
                // A way back may lead to behind the rows, and no further.
                if set.iter().all(|it| it.undo.is_empty())
                    && let Some(first) = set.first_mut()
                {
                    *first = first.clone().undone_by(self.no_longer_required());
                }
                [backfill.fill, set, backfill.after].concat()
            }
            (Some(old), Some(it)) => {
                if sides.major() < 18 {
                    // Names and validity are the declaring server's; this one has none.
                    return vec![];
                }
                let mut steps = vec![];
                let Some((from, to)) = self.names_of_not_null(new, sides) else { return steps };
                if old.valid && !it.valid {
                    let stage = if self.is_held_not_null(sides) { Stage::Contract } else { Stage::Expand };
                    steps.push(self.exchange_not_null((&from, &to), it, sides).stage(stage));
                    steps.extend(comment::on_not_null_again(&self.id(), &to, sides).map(|it| it.stage(stage)));
                    return steps;
                }
                if from != to && !self.is_left_not_null(sides) && !self.attachment_changes(sides) {
                    let names = (&from, &to);
                    let remake = !old.no_inherit && !it.no_inherit && self.is_named_otherwise_below(names, sides);
                    if remake {
                        return self.remake_not_null(names, it, sides);
                    }
                    steps.extend(self.rename_not_null(names, sides));
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

    /// Whether a primary key that goes late holds the column NOT NULL until then: its own, or one of an heir.
    fn is_held_not_null(&self, sides: &Sides<'_>) -> bool {
        let going = |member: &QName| {
            let column = super::id(member, &self.name);
            let mut constraints = sides.old.of_relation(Kind::Constraint, member).map(Object::id);
            constraints.any(|id| sides.is_going(&id) && sides.old.needs_of(&id).any(|need| *need == column))
        };
        table::family(sides, &self.table).iter().any(going)
    }

    pub(super) fn drop_not_null(&self, sides: &Sides<'_>) -> Vec<Step> {
        let keepers = self.keepers_of_not_null(sides);
        let drop = match keepers.is_empty() {
            true => self.on_family(format!("ALTER COLUMN {} DROP NOT NULL", self.name), sides),
            false => self.drop_not_null_of(&self.table),
        };
        let step = drop.summary(format!("make {} optional", self.id()));
        let mut step = step.hazard(Code::DropNotNull, self.id(), format!("{}.{} may be null from now on", self.table, self.name));
        let held = self.is_held_not_null(sides);
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
        let (keep, name) = self.left_to_heirs(sides);
        keep.into_iter().chain([step]).chain(self.drop_those_below(own, sides)).chain(name).collect()
    }

    /// What makes the NOT NULL that is handed down to a table below its own too.
    fn keep_at_heir(&self, member: &QName, sides: &Sides<'_>) -> Option<Step> {
        let heir = find(sides.old, member, &self.name)?;
        let is_lent = heir.not_null.as_ref().is_some_and(|it| it.inherited && !it.local);
        is_lent.then(|| heir.on_family(format!("ALTER COLUMN {} SET NOT NULL", self.name), sides))
    }

    /// From 18 on: whether a table above no longer hands its NOT NULL down to this column. The step there has those for
    /// here.
    fn is_left_not_null(&self, sides: &Sides<'_>) -> bool {
        sides.major() >= 18 && !self.givers(Handing::Ends, sides).is_empty()
    }

    /// From 18 on: whether a table above comes to hand down what this column gets. The step there has those for here.
    fn is_given(&self, it: &NotNull, sides: &Sides<'_>) -> bool {
        let required = |table: &QName| find(sides.new, table, &self.name)?.not_null.as_ref();
        let valid = |table: &QName| required(table).is_some_and(|it| it.valid);
        let givers = self.givers(Handing::Begins, sides);
        sides.major() >= 18 && !givers.is_empty() && (!it.valid || givers.iter().all(valid))
    }

    /// The uppermost tables that no longer hand their NOT NULL down to this column, or come to do so.
    fn givers(&self, handing: Handing, sides: &Sides<'_>) -> BTreeSet<QName> {
        let hands_down = |it: &Column| it.not_null.as_ref().is_some_and(|it| !it.no_inherit);
        let changes = |before: &Column, after: &Column| match handing {
            Handing::Ends => hands_down(before) && !hands_down(after),
            Handing::Begins => !hands_down(before) && hands_down(after),
        };
        let leaders = self.leaders(sides).filter(|(before, after)| changes(before, after));
        leaders
            .flat_map(|(before, _)| match before.givers(handing, sides) {
                above if above.is_empty() => BTreeSet::from([before.table.clone()]),
                above => above,
            })
            .collect()
    }

    /// The same in the order of their steps. The way back goes through that of the way there from its end.
    fn givers_in_order(&self, handing: Handing, sides: &Sides<'_>) -> Vec<QName> {
        let mut givers: Vec<QName> = self.givers(handing, sides).into_iter().collect();
        let Sides { old, new, .. } = *sides;
        let there = if sides.facts.way_back { Sides { old: new, new: old, families: &Families::default(), ..*sides } } else { *sides };
        let stage = |table: &QName| {
            let (before, after) = (find(there.old, table, &self.name)?, find(there.new, table, &self.name)?);
            Some(match (&before.not_null, &after.not_null) {
                (Some(_), None) if before.is_held_not_null(&there) => Stage::Contract,
                (None, Some(it)) if it.valid && !before.is_set_plainly(it, &there) => Stage::Validate,
                _ => Stage::Expand,
            })
        };
        givers.sort_by_cached_key(|it| (stage(it), it.clone()));
        if sides.facts.way_back {
            givers.reverse();
        }
        givers
    }

    /// Tables below, those first that others of them inherit from.
    fn below(&self, sides: &Sides<'_>) -> Vec<QName> {
        let mut below: Vec<QName> = table::family(sides, &self.table).into_iter().skip(1).collect();
        let above = |it: &QName| table::ancestry(sides.old, it).len() + table::ancestry(sides.new, it).len();
        below.sort_by_cached_key(above);
        below
    }

    /// From 18 on: what has tables below keep the NOT NULL that goes here as their own, and what gives it the name that
    /// it then has, which it can't get while it is handed down.
    fn left_to_heirs(&self, sides: &Sides<'_>) -> (Vec<Step>, Vec<Step>) {
        let (mut keep, mut name) = (vec![], vec![]);
        if sides.major() < 18 {
            return (keep, name);
        }
        for member in table::family(sides, &self.table).into_iter().skip(1) {
            let both = find(sides.old, &member, &self.name).zip(find(sides.new, &member, &self.name));
            let Some((heir, after)) = both else { continue };
            let Some((old, new)) = heir.not_null.as_ref().zip(after.not_null.as_ref()) else { continue };
            if !old.inherited || new.inherited {
                continue;
            }
            // Of several parents that give it up at once, the first has it kept, and after the last it can be renamed.
            let givers = heir.givers_in_order(Handing::Ends, sides);
            if givers.first() == Some(&self.table) {
                keep.extend(self.keep_at_heir(&member, sides));
            }
            let (from, to) = (old.constraint(heir), new.constraint(after));
            if from != to && givers.last() == Some(&self.table) {
                name.extend(heir.rename_not_null((&from, &to), sides));
            }
        }
        (keep, name)
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
        let mut steps = vec![];
        for member in self.below(sides) {
            let both = find(sides.old, &member, &self.name).zip(find(sides.new, &member, &self.name));
            let Some((heir, after)) = both else { continue };
            // One with a name of its own came by itself, if it came back on a way back.
            let own = |it: &NotNull| {
                own(it) || it.name.as_ref().is_some_and(|it| !self.names_above(&member, sides.old).contains(it))
            };
            let goes = heir.not_null.as_ref().is_some_and(own) && after.not_null.is_none();
            // Of several parents that give it up at once, it can go after the last.
            let givers = heir.givers_in_order(Handing::Ends, sides);
            if !goes || givers.last().is_some_and(|it| *it != self.table) {
                continue;
            }
            let step = heir.on_family(format!("ALTER COLUMN {} DROP NOT NULL", self.name), sides);
            steps.push(match heir.inherited.0 {
                true => step,
                false => step.hazard(Code::DropNotNull, heir.id(), format!("{member}.{} may be null from now on", self.name)),
            });
        }
        steps
    }

    /// From 18 on: whether the tables below have NOT NULL too. They keep it as their own when it is no longer handed
    /// down.
    pub(super) fn alter_inheritance(&self, constraint: &Name, no_inherit: bool, sides: &Sides<'_>) -> Vec<Step> {
        let word = if no_inherit { "NO INHERIT" } else { "INHERIT" };
        let step = self.on_family(format!("ALTER CONSTRAINT {constraint} {word}"), sides);
        if no_inherit {
            let (_, name) = self.left_to_heirs(sides);
            return std::iter::once(step).chain(self.drop_those_below(|_| true, sides)).chain(name).collect();
        }
        // What has another name below comes before, as it would with that of the whole.
        let mut steps = vec![];
        for (heir, it) in self.promised_first(sides) {
            steps.push(heir.on_family(heir.add_not_null(it), sides).own_transaction());
            steps.push(heir.validate(&it.constraint(heir), sides).stage(Stage::Expand));
        }
        let promised: Vec<&QName> =
            self.promised_below(sides).into_iter().map(|(heir, _)| &heir.table).collect();
        let below = table::family(sides, &self.table).into_iter().filter(|it| *it != self.table);
        let unproven = below.filter(|member| {
            table::stores(sides, member)
                && !promised.contains(&member)
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
        steps.push(step);
        steps
    }

    /// From 18 on: tables below that will have it under a name of their own get it first, by themselves. That of the
    /// parent then leaves theirs as it is.
    fn promise_below(&self, sides: &Sides<'_>) -> Vec<Step> {
        let below = self.promised_first(sides).into_iter();
        below
            .map(|(column, it)| {
                let step = column.on_family(column.add_not_null(it), sides).own_transaction();
                step.undone_by(column.no_longer_required())
            })
            .collect()
    }

    /// Those of them that this table is the first to hand it down to.
    fn promised_first<'a>(&self, sides: &Sides<'a>) -> Vec<(&'a Column, &'a NotNull)> {
        let mut below = self.promised_below(sides);
        below.retain(|(heir, _)| heir.givers_in_order(Handing::Begins, sides).first().is_none_or(|it| *it == self.table));
        below
    }

    /// The names that the parents of a table below have for theirs.
    fn names_above<'a>(&self, member: &QName, schema: &'a Schema) -> BTreeSet<&'a Name> {
        let parents = table::parents(schema, member);
        parents.iter().filter_map(|it| find(schema, it, &self.name)?.not_null.as_ref()?.name.as_ref()).collect()
    }

    /// Tables below that will have a name of their own for it, the lowest first: those above them would bring them theirs.
    fn promised_below<'a>(&self, sides: &Sides<'a>) -> Vec<(&'a Column, &'a NotNull)> {
        if sides.major() < 18 {
            return vec![];
        }
        let own = self.below(sides).into_iter().rev().filter_map(|member| {
            let before = find(sides.old, &member, &self.name)?;
            let after = find(sides.new, &member, &self.name)?.not_null.as_ref()?;
            let name = after.name.as_ref()?;
            let above = self.names_above(&member, sides.new);
            // Which of several names it gets by itself follows from the order; a comment has to find it.
            let found = || above.len() > 1 && comment::of_not_null(&before.id(), sides.new).is_some();
            // One that joins its parent in this plan has it before.
            let is_below = !before.givers(Handing::Begins, sides).is_empty();
            let own = is_below && (!above.contains(name) || found());
            (own && before.not_null.is_none()).then_some((before, after))
        });
        own.collect()
    }

    /// From 18 on: whether a table below has it already under the name that the server would choose here, which it does
    /// not choose then.
    fn is_usual_name_taken(&self, sides: &Sides<'_>) -> bool {
        let usual = NotNull::usual(self);
        let has = |schema: &Schema, member: &QName| {
            let column = find(schema, member, &self.name);
            column.and_then(|it| Some(it.not_null.as_ref()?.constraint(it) == usual))
        };
        self.below(sides).iter().any(|member| {
            let (before, after) = (has(sides.old, member), has(sides.new, member));
            let given_before = || find(sides.old, member, &self.name).is_some_and(|it| it.givers(Handing::Begins, sides).len() > 1);
            before == Some(true) || after == Some(true) && (before.is_some() || given_before())
        })
    }

    /// Whether the form that reads all rows under its lock is enough, and gives the right name.
    fn is_set_plainly(&self, new: &NotNull, sides: &Sides<'_>) -> bool {
        let named = || new.is_named(self) || new.no_inherit || !self.promised_below(sides).is_empty() || self.is_usual_name_taken(sides);
        !table::is_used(sides, &self.table) && (sides.major() < 18 || !named())
    }

    fn promised(&self) -> String {
        format!("rows that are written to {} have a value in {}", self.table, self.name)
    }

    fn no_longer_required(&self) -> String {
        format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", self.table, self.name)
    }

    pub(super) fn set_not_null(&self, new: &NotNull, sides: &Sides<'_>) -> Vec<Step> {
        let below = self.promise_below(sides);
        // What tables below have by themselves, the opposite of the whole change leaves to them.
        let undone = |step: Step| if below.is_empty() { step } else { step.undone_by(self.no_longer_required()) };
        if !new.valid {
            let promise = undone(self.on_family(self.add_not_null(new), sides));
            return below.into_iter().chain([promise]).collect();
        }
        let set = self.on_family(format!("ALTER COLUMN {} SET NOT NULL", self.name), sides).stage(Stage::Contract);
        let set = set.summary(format!("make {} required", self.id()));
        if self.is_set_plainly(new, sides) {
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
            let promise = undone(promise).summary(self.promised());
            let below = below.into_iter().map(|it| it.stage(Stage::Validate));
            return below.chain([promise, self.validate(&new.constraint(self), sides)]).collect();
        }
        let path = |name: &Name| ObjectId::new(Kind::Constraint, [&self.table.namespace, &self.table.name, name]);
        let name = derived(&[self.name.as_str(), "is_not_null"], |name| {
            !sides.old.contains(&path(name)) && !sides.new.contains(&path(name))
        });
        let add = format!("ADD CONSTRAINT {name} CHECK ({} IS NOT NULL) NOT VALID", self.name);
        let end = format!("DROP CONSTRAINT {name}");
        let (aid, validate) = (Aid::of(path(&name)), self.validate(&name, sides));
        let promise = self
            .on_family(&add, sides)
            .own_transaction()
            .stage(Stage::Validate)
            .summary(self.promised())
            .aids(aid.clone())
            .undone_by(format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name}", self.table));
        // The server takes the valid CHECK as proof and reads no row again.
        let drop = self
            .on_family(&end, sides)
            .stage(Stage::Contract)
            .summary(format!("remove what proved that {} is required", self.id()))
            .built_again_by(aid.clone(), Undo::inside(format!("ALTER TABLE {} {add}", self.table)))
            .built_again_by(aid.clone().part(1), Undo::outside(validate.sql.clone()));
        let set = set.undone_by(self.no_longer_required());
        vec![promise, validate.aids(aid.part(1)), set, drop]
    }

    pub(super) fn validate(&self, constraint: &Name, sides: &Sides<'_>) -> Step {
        let mut step = Step::new(format!("ALTER TABLE {} VALIDATE CONSTRAINT {constraint}", self.table))
            .own_transaction()
            .stage(Stage::Validate)
            .summary(format!("prove that all rows of {} have a value in {}", self.table, self.name))
            .check(format!(
                "SELECT convalidated FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
                Literal(&self.table.to_string()),
                Literal(constraint.as_str())
            ));
        for member in table::reach(sides, &self.table) {
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
