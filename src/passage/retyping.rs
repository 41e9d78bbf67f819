//! A column gets another type while it is in use: a new column beside it that a trigger keeps up, filled in batches, with
//! all keys and indexes once more; then both change over in one transaction that reads no row, and the old column is
//! kept up until `contract` takes it. PostgreSQL's own form writes the whole table under a lock that keeps everyone out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Ground, Passage, PassageError, Workbench};
use crate::diff::diff;
use crate::kind::column::{self, Aside, Column};
use crate::kind::constraint::Constraint;
use crate::kind::{Definition, Kind, Object, ObjectId, policy, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::batch::{self, Assignment, Batch};
use crate::plan::hazard::{Code, Hazard};
use crate::plan::in_turn;
use crate::plan::{self, Disturbance, PlanError, Planned, Stage, Step, Undo, strongest};
use crate::schema::{Facts, Families, Schema, Sides, Size};

mod group;
mod swap;
mod sync;
mod twin;

use group::{Group, Turn, groups};
use swap::{Swap, is_lost};
use sync::{Sync, of_tables};
use twin::{Is, Side, Twin, add, renames, twins};

/// Whether a column gets another type in a way that rows would have to be written anew for.
pub fn is_needed(start: &Schema, desired: &Schema, facts: &Facts) -> bool {
    let (groups, in_place) = groups(start, desired, facts);
    !groups.is_empty() || !in_place.is_empty()
}

/// The columns that change over, group by group. What can't is left to the steps in place, with the reason.
pub async fn passage(ground: Ground<'_>, mut done: Passage, desired: &Schema) -> Result<Passage, PassageError> {
    let (groups, in_place) = groups(&done.schema, desired, &done.facts);
    done.facts.in_place.extend(in_place);
    for group in groups {
        match change_over(ground, &group, &done, desired).await? {
            Ok(Passage { steps, schema, facts }) => {
                done = Passage { steps: in_turn(done.steps, steps), schema, facts };
            }
            Err(why) => {
                done.facts.in_place.extend(group.subjects().map(|it| (it, why.clone())));
            }
        }
    }
    Ok(done)
}

/// One group's passage, or why there is none.
async fn change_over(
    ground: Ground<'_>,
    group: &Group,
    before: &Passage,
    desired: &Schema,
) -> Result<Result<Passage, String>, PassageError> {
    let (start, facts) = (&before.schema, &before.facts);
    // What the server makes of the declared types, and of the names that things have meanwhile.
    let wanted = with_types(start, desired, group);
    let workbench = Workbench::with(ground, &wanted).await?;
    let after = workbench.schema().await?;
    if let Some(missing) = wanted.objects.keys().find(|it| start.contains(it) && !after.contains(it)) {
        workbench.finish().await?;
        return Ok(Err(format!("{missing} does not go with the new type")));
    }
    let twins = twins(group, &after, desired);
    let fresh = named(workbench, group, &twins, Side::Fresh).await?;
    let former = named(Workbench::with(ground, start).await?, group, &twins, Side::Former).await?;

    let workbench = Workbench::with(ground, start).await?;
    let base = workbench.schema().await?;
    let tables = group.in_order(start);
    let made =
        Making { group, twins: &twins, tables: &tables, facts, workbench: &workbench, taken: [start, desired] };
    let steps = made.all(&base, &after, &fresh, &former).await?;
    let schema = workbench.finish().await?;
    Ok(steps.map(|steps| {
        let mut facts = facts.clone();
        facts.spent.extend(made_to_go(group, [start, desired]));
        Passage { steps, schema: restored(start, &base, schema), facts }
    }))
}

/// The same schema with the declared types of the columns, and what stands on them as it is declared for these.
fn with_types(start: &Schema, desired: &Schema, group: &Group) -> Schema {
    let mut wanted = start.clone();
    let columns: BTreeSet<ObjectId> = group.turns.iter().flat_map(Turn::ids).collect();
    for it in &group.types {
        wanted.objects.extend(desired.get(&it.id()).map(|declared| (it.id(), declared.clone())));
    }
    for turn in &group.turns {
        wanted.objects.insert(turn.id(), Object::Column(Arc::new(turn.new.clone())));
        for member in turn.family.iter().skip(1) {
            let id = column::id(member, &turn.name);
            let both = (start.get(&id).cloned(), desired.get(&id));
            if let (Some(Object::Column(mut old)), Some(Object::Column(new))) = both {
                Arc::make_mut(&mut old).data_type.clone_from(&new.data_type);
                Arc::make_mut(&mut old).collation.clone_from(&new.collation);
                wanted.objects.insert(id, Object::Column(old));
            }
        }
        for id in turn.ids() {
            let needs = desired.needs_of(&id).filter(|need| start.contains(need)).cloned().collect();
            wanted.needs.insert(id, Arc::new(needs));
        }
    }
    for (_, turns) in of_tables(group) {
        for member in turns.first().iter().flat_map(|it| &it.family) {
            put_last(&mut wanted, member, &turns);
        }
    }
    for object in start.of_kind(Kind::Sequence) {
        if let (Object::Sequence(it), Some(declared)) = (object, desired.get(&object.id()))
            && it.owned_by.as_ref().is_some_and(|(table, name)| columns.contains(&column::id(table, name)))
            && start.needs_of(&object.id()).eq(desired.needs_of(&object.id()))
        {
            wanted.objects.insert(object.id(), declared.clone());
        }
    }
    let follows = |id: &ObjectId| {
        let kinds = [Kind::Default, Kind::Constraint, Kind::Index, Kind::Statistics, Kind::Policy];
        kinds.contains(&id.kind) && start.needs_of(id).any(|need| columns.contains(need))
    };
    for (id, object) in start.objects.iter().filter(|it| follows(it.0)) {
        if let Some(declared) = desired.get(id)
            && declared != object
            && start.needs_of(id).eq(desired.needs_of(id))
        {
            wanted.objects.insert(id.clone(), declared.clone());
        }
    }
    wanted
}

/// New columns stand last in their table, and some definitions name columns in the order of the table.
fn put_last(schema: &mut Schema, table: &QName, turns: &[&Turn]) {
    let Some(it) = table::find(schema, table) else { return };
    let mut order: Vec<Name> = it.columns(schema).iter().map(|it| it.name.clone()).collect();
    // As the planner adds them.
    order.sort_by_key(|name| turns.iter().find(|it| it.name == *name).map(|it| it.fresh.clone()));
    let mut before: Option<Name> = None;
    for (name, position) in order.into_iter().zip(1..) {
        if let Some(Object::Column(column)) = schema.objects.get_mut(&column::id(table, &name)) {
            let column = Arc::make_mut(column);
            (column.position, column.after) = (Aside(position), Aside(before));
        }
        before = Some(name);
    }
}

/// What the workbench holds, once the columns and what stands on them have the names of one side.
async fn named(
    workbench: Workbench<'_>,
    group: &Group,
    twins: &[Twin],
    side: Side,
) -> Result<Schema, PassageError> {
    for sql in renames(group, twins, side) {
        workbench.say(&sql).await?;
    }
    workbench.finish().await
}

/// A schema that was read back, with what could not be shown on the workbench as it is on the live side.
fn restored(start: &Schema, base: &Schema, mut schema: Schema) -> Schema {
    for (id, object) in &start.objects {
        if base.get(id) != Some(object) {
            schema.objects.insert(id.clone(), object.clone());
            schema.needs.insert(id.clone(), start.needs.get(id).cloned().unwrap_or_default());
        }
    }
    for id in base.objects.keys().filter(|id| !start.contains(id)) {
        schema.objects.remove(id);
        schema.needs.remove(id);
    }
    Schema { unmanaged: start.unmanaged.clone(), ..schema }
}

/// What a passage leaves for `contract`, each with what has to be done when it is to come back.
fn made_to_go(group: &Group, taken: [&Schema; 2]) -> BTreeMap<ObjectId, Vec<String>> {
    let mut spent = BTreeMap::new();
    spent.extend(group.types.iter().map(|it| (it.id_as(&it.former), vec![])));
    spent.extend(group.turns.iter().flat_map(|it| it.ids_as(&it.former)).map(|it| (it, vec![])));
    for (sync, (table, turns)) in Sync::back(group, taken).into_iter().zip(of_tables(group)) {
        // The trigger, which is there again by then, gives the values.
        let fill = turns.first().map(|it| format!("UPDATE {table} SET {} = NULL", it.former));
        spent.insert(sync.trigger(), fill.into_iter().collect());
        spent.insert(sync.function(), vec![]);
    }
    spent
}

/// The steps of one group, found by going the way on a workbench.
struct Making<'a> {
    group: &'a Group,
    twins: &'a [Twin],
    tables: &'a [QName],
    facts: &'a Facts,
    workbench: &'a Workbench<'a>,
    taken: [&'a Schema; 2],
}

impl Making<'_> {
    async fn all(
        &self,
        base: &Schema,
        after: &Schema,
        fresh: &Schema,
        former: &Schema,
    ) -> Result<Result<Vec<Planned>, String>, PassageError> {
        let beside = match self.beside(base, fresh).await? {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let mut doubled = self.workbench.schema().await?;
        let following = doubled.clone();
        add(&mut doubled, fresh, self.group, self.twins, Side::Fresh);
        let twice = match self.steps(&following, &doubled, self.facts).await? {
            Ok(steps) => steps.into_iter().map(|it| self.proving(it)).collect(),
            Err(why) => return Ok(Err(why)),
        };
        let (over, reached) = match self.over(base, after).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let back = match self.back(&reached, &doubled, former).await? {
            Ok(back) => back,
            Err(why) => return Ok(Err(why)),
        };
        let mut over = over;
        if let Some(first) = over.first_mut() {
            first.undo = back;
        }
        // The workbench is to show what the steps lead to.
        let again: Vec<&str> = over.iter().map(|it| it.step.sql.as_str()).collect();
        self.workbench.say(&again.join(";\n")).await?;
        Ok(Ok(in_turn(in_turn(beside, twice), over)))
    }

    /// The planner's steps from one schema to another, done on the workbench, which must hold the second then.
    async fn steps(
        &self,
        from: &Schema,
        to: &Schema,
        facts: &Facts,
    ) -> Result<Result<Vec<Planned>, String>, PassageError> {
        let steps = match plan::make(from, to, facts) {
            Ok(steps) => steps,
            Err(errors) => return Ok(Err(list(errors.iter().map(PlanError::to_string)))),
        };
        self.workbench.run(&steps).await?;
        let left = diff(&self.workbench.schema().await?, to);
        Ok(match left.keys().next() {
            None => Ok(steps),
            Some(id) => Err(format!("{id} does not come out as it is meant")),
        })
    }

    /// The new columns, the triggers that keep them up, and their values in the rows that stand.
    async fn beside(&self, base: &Schema, fresh: &Schema) -> Result<Result<Vec<Planned>, String>, PassageError> {
        let mut with_columns = base.clone();
        for it in &self.group.types {
            let id = it.id_as(&it.fresh);
            let of_type = [id.clone(), id.satellite(Kind::Owner), id.satellite(Kind::Grants)];
            for id in of_type.into_iter().filter(|id| fresh.contains(id)) {
                with_columns.objects.extend(fresh.get(&id).map(|object| (id.clone(), object.clone())));
                with_columns.needs.extend(fresh.needs.get(&id).map(|needs| (id, needs.clone())));
            }
        }
        for id in self.group.turns.iter().flat_map(|it| it.ids_as(&it.fresh)) {
            let Some(Object::Column(column)) = fresh.get(&id) else { continue };
            let bare = Column { not_null: None, identity: None, after: Aside(None), ..(**column).clone() };
            with_columns.objects.insert(id.clone(), Object::Column(Arc::new(bare)));
            let needs = fresh.needs_of(&id).filter(|need| with_columns.contains(need)).cloned().collect();
            with_columns.needs.insert(id, Arc::new(needs));
        }
        let columns = match self.steps(base, &with_columns, self.facts).await? {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let mut steps = columns;
        for sync in Sync::forth(self.group, self.taken) {
            let mut following = vec![];
            for (step, number) in sync.begin().into_iter().zip(1..) {
                self.workbench.say(&step.sql).await?;
                following.push(planned(self.warned(step, &sync), table::id(&sync.table), Some(number)));
            }
            steps = in_turn(steps, following);
        }
        let fills = self.fills(base);
        Ok(Ok(in_turn(steps, fills)))
    }

    /// Where values may not fit, writing one fails as soon as the new column follows.
    fn warned(&self, mut step: Step, sync: &Sync) -> Step {
        let is_trigger = !step.locks.is_empty();
        let narrowed = self.group.turns.iter().filter(|it| it.narrows && it.table == sync.table && is_trigger);
        for turn in narrowed {
            let (from, to) = (&turn.old.data_type, &turn.new.data_type);
            if from != to {
                let why = format!("{from} to {to}; from here on a value that does not fit is refused");
                step = step.hazard(Code::NarrowType, turn.id(), why);
            }
        }
        let is_narrowed = self.group.turns.iter().any(|it| it.narrows && it.table == sync.table) && is_trigger;
        for it in self.group.types.iter().filter(|it| is_narrowed && !it.removed.is_empty()) {
            let labels = list(it.removed.iter().map(|it| Literal(it)));
            let why = format!("{} loses {labels}; from here on {} refuses them", it.name, sync.table);
            step = step.hazard(Code::EnumLabelRemoval, it.id(), why);
        }
        step
    }

    fn fills(&self, base: &Schema) -> Vec<Planned> {
        let (replaced, mut fills) = (BTreeSet::new(), vec![]);
        let sides =
            Sides { old: base, new: base, facts: self.facts, replaced: &replaced, families: &Families::default() };
        for (table, turns) in of_tables(self.group) {
            let pending = turns.iter().map(|it| it.pending()).collect::<Vec<_>>().join(" OR ");
            let set =
                turns.iter().map(|it| Assignment { column: it.fresh.to_string(), value: it.forth() }).collect();
            let key = table::walk_key(base, table).iter().map(ToString::to_string).collect();
            let batch = Batch { table: table.to_string(), key, set, pending: pending.clone(), into: None };
            let check = format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {pending})");
            let (step, mode) = match table::rows(&sides, table) {
                Some(..batch::WORTH_IT) => (Step::at_once(batch), Lock::RowExclusive),
                _ => (Step::in_batches(batch), Lock::ShareUpdateExclusive),
            };
            let family = turns.first().iter().flat_map(|it| &it.family).collect::<Vec<_>>();
            let step = family.into_iter().fold(step, |it, member| it.locks(member, mode));
            let named = list(turns.iter().map(|it| &it.fresh));
            let summary = format!("give the rows of {table} their values in {named}");
            let transaction = step.batch.is_none().then_some(1);
            let step = step.stage(Stage::Expand).summary(summary).check(check);
            let step = planned(step, table::id(table), transaction);
            fills = in_turn(fills, vec![step]);
        }
        fills
    }

    /// What proves that the new columns can do what the old ones do. Where every value fits, nothing of it can fail.
    fn proving(&self, mut planned: Planned) -> Planned {
        planned.step.stage = Stage::Expand;
        if !self.group.turns.iter().any(|it| it.narrows) {
            let can_fail =
                |code: Code| matches!(code, Code::CheckMayFail | Code::ForeignKeyMayFail | Code::UniqueMayFail);
            planned.step.hazards.retain(|it| !can_fail(it.code));
        }
        planned
    }

    /// The transaction in which the columns change over, and what is there then.
    async fn over(
        &self,
        base: &Schema,
        after: &Schema,
    ) -> Result<Result<(Vec<Planned>, Schema), String>, PassageError> {
        let (forth, back) = self.syncs();
        let swap = self.swap(Side::Fresh, &forth, &back);
        let said = swap.statements().join(";\n");
        self.workbench.say(&said).await?;
        let changed = self.workbench.schema().await?;
        let mut wanted = after.clone();
        self.promise(&mut wanted);
        let mut kept: Vec<ObjectId> = self.group.turns.iter().flat_map(|it| it.ids_as(&it.former)).collect();
        let types = self.group.types.iter().map(|it| &it.former);
        let names: BTreeSet<&Name> = back.iter().map(|it| &it.name).chain(types).collect();
        kept.extend(changed.objects.keys().filter(|id| id.path.iter().any(|it| names.contains(it))).cloned());
        for id in &kept {
            wanted.objects.extend(changed.get(id).map(|it| (id.clone(), it.clone())));
        }
        for id in kept {
            let needs = changed.needs_of(&id).filter(|need| wanted.contains(need)).cloned().collect();
            wanted.needs.insert(id, Arc::new(needs));
        }
        let mut rest = match self.quick(&changed, &wanted).await? {
            Ok(rest) => rest,
            Err(why) => return Ok(Err(why)),
        };
        // For a moment a policy is on the old column under its other name.
        let (replaced, families) = (BTreeSet::new(), Families::default());
        let sides = Sides { old: base, new: after, facts: self.facts, replaced: &replaced, families: &families };
        let is_loosened =
            |it: &Hazard| it.code != Code::RowSecurityLoosened || !policy::is_as_strict(&it.object, &sides);
        rest.iter_mut().for_each(|it| it.step.hazards.retain(is_loosened));
        Ok(Ok((self.transaction(&swap, said, rest), wanted)))
    }

    /// Leaves it to later to prove those foreign keys that come in the moment of the change. They come once the keys of
    /// all partitions are those of the whole, which is valid then.
    fn promise(&self, schema: &mut Schema) {
        let families: BTreeSet<&QName> = self.group.turns.iter().flat_map(|it| &it.family).collect();
        let attached: Vec<ObjectId> = schema
            .of_kind(Kind::IndexPartition)
            .filter(|it| matches!(it, Object::IndexPartition(it) if families.contains(&it.child.table)))
            .map(Object::id)
            .collect();
        for twin in self.twins {
            let Is::Promised { partitions, .. } = &twin.is else { continue };
            let Some(Object::Constraint(it)) = schema.get(&twin.id).cloned() else { continue };
            let promises: Vec<Constraint> = match partitions.as_slice() {
                [] => vec![Constraint { validated: false, ..(*it).clone() }],
                of => of
                    .iter()
                    .map(|of| Constraint {
                        table: of.clone(),
                        partitioned: false,
                        validated: false,
                        ..(*it).clone()
                    })
                    .collect(),
            };
            let needs: BTreeSet<ObjectId> = schema.needs_of(&twin.id).chain(&attached).cloned().collect();
            if !partitions.is_empty() {
                *schema = schema.filtered(|id| *id != twin.id && !schema.wholes_of(id).contains(&twin.id));
            }
            for promise in promises {
                let id = promise.id();
                // A table may refer to itself, and then these are the columns of the other end, too.
                let own = needs.iter().map(|need| on_partition(need, &it.table, &promise.table));
                schema.needs.insert(id.clone(), Arc::new(own.chain(needs.iter().cloned()).collect()));
                schema.objects.insert(id, Object::Constraint(Arc::new(promise)));
            }
        }
    }

    fn syncs(&self) -> (Vec<Sync>, Vec<Sync>) {
        (Sync::forth(self.group, self.taken), Sync::back(self.group, self.taken))
    }

    fn swap<'s>(&'s self, comes: Side, ends: &'s [Sync], begins: &'s [Sync]) -> Swap<'s> {
        Swap { group: self.group, twins: self.twins, tables: self.tables, comes, ends, begins }
    }

    /// Steps that change no more than the catalogs: what the planner does to tables without rows, if that reads none
    /// where there are some.
    async fn quick(&self, from: &Schema, to: &Schema) -> Result<Result<Vec<Planned>, String>, PassageError> {
        let empty = Size { rows: 0, bytes: 0, table_bytes: 0, empty: true };
        let sizes = from.of_kind(Kind::Table).filter_map(|it| match it {
            Object::Table(it) => Some((it.name.clone(), empty)),
            _ => None,
        });
        let facts = Facts { sizes: sizes.collect(), ..Facts::default() };
        let steps = match self.steps(from, to, &facts).await? {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let is_slow =
            |it: &&Planned| it.transaction.is_none() || !it.step.scans.is_empty() || !it.step.rewrites.is_empty();
        Ok(match steps.iter().find(is_slow) {
            Some(it) => Err(format!("{} would be made anew in the moment of the change", it.subject)),
            None => Ok(steps),
        })
    }

    /// Each step costs a way to the server and back while everyone waits, so they are few.
    fn transaction(&self, swap: &Swap<'_>, said: String, rest: Vec<Planned>) -> Vec<Planned> {
        let tables = list(of_tables(self.group).map(|it| it.0));
        let mut step = Step::new(said).summary(format!("the new columns of {tables} take the names of the old"));
        let locked: BTreeSet<QName> = Group::families(self.tables, self.taken[0]).into_iter().collect();
        for table in locked.iter().chain(swap.sequences()) {
            step = step.locks(table, Lock::AccessExclusive);
        }
        step.disturbs.extend(
            self.group.turns.iter().flat_map(Turn::ids).map(|it| (it, Disturbance::Retype { checks: false })),
        );
        for (table, turns) in of_tables(self.group) {
            let columns = list(turns.iter().map(|it| &it.name));
            let why = format!("{columns} of {table} stand last in it from here on");
            step = step.hazard(Code::ColumnMoves, table::id(table), why);
        }
        let first = self.group.turns.first().expect("a group has a column");
        let mut steps = vec![planned(step, first.id(), Some(1))];
        steps.extend(follow(rest));
        for it in &mut steps {
            it.step.stage =
                if self.group.turns.iter().any(|it| it.breaks) { Stage::Contract } else { Stage::Expand };
        }
        steps
    }

    /// From 18 on, NOT NULL of the new columns has a name, which that of the old ones takes again.
    fn left_names(&self, reached: &Schema, doubled: &Schema) -> Vec<String> {
        let name = |schema: &Schema, table: &QName, column: &Name| {
            let column = column::find(schema, table, column)?;
            Some(column.not_null.as_ref()?.constraint(column))
        };
        let renamed = self.group.turns.iter().filter_map(|it| {
            let (from, to) = (name(reached, &it.table, &it.name)?, name(doubled, &it.table, &it.fresh)?);
            (from != to).then(|| format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", it.table))
        });
        if reached.major() < 18 { vec![] } else { renamed.collect() }
    }

    /// The way back from where the columns have changed over: keys and indexes of the old columns beside reads and
    /// writes, the change in one transaction, and what went with it of the new columns.
    async fn back(
        &self,
        reached: &Schema,
        doubled: &Schema,
        former: &Schema,
    ) -> Result<Result<Vec<Undo>, String>, PassageError> {
        let mut ready = reached.clone();
        add(&mut ready, former, self.group, self.twins, Side::Former);
        let readied = match self.steps(reached, &ready, self.facts).await? {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let (forth, back) = self.syncs();
        let mut at_once = self.swap(Side::Former, &back, &forth).statements();
        // The lock is taken by then.
        at_once.splice(1..1, self.left_names(reached, doubled));
        self.workbench.say(&at_once.join(";\n")).await?;
        let lost: BTreeSet<ObjectId> =
            self.twins.iter().filter(|it| is_lost(it)).map(|it| it.id_on(Side::Fresh)).collect();
        let mut without = doubled.filtered(|id| !lost.contains(id));
        self.promise(&mut without);
        match self.quick(&self.workbench.schema().await?, &without).await? {
            Ok(rest) => at_once.extend(rest.into_iter().map(|it| it.step.sql)),
            Err(why) => return Ok(Err(why)),
        }
        let again = match self.steps(&without, doubled, self.facts).await? {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let undo = |it: Planned| Undo { transaction: it.transaction.is_some(), ..Undo::inside(it.step.sql) };
        let mut undos: Vec<Undo> = readied.into_iter().map(undo).collect();
        undos.push(Undo::inside(at_once.join(";\n")));
        undos.extend(again.into_iter().map(undo));
        Ok(Ok(undos))
    }
}

/// What a partition needs in the place of the table that it is a part of, or of a column of it.
fn on_partition(need: &ObjectId, table: &QName, partition: &QName) -> ObjectId {
    match &need.path[..] {
        [namespace, name, rest @ ..]
            if matches!(need.kind, Kind::Table | Kind::Column)
                && *namespace == table.namespace
                && *name == table.name =>
        {
            let path = [&[partition.namespace.clone(), partition.name.clone()], rest].concat();
            ObjectId { path: path.into(), ..need.clone() }
        }
        _ => need.clone(),
    }
}

/// What follows the columns by itself, as one step: its hazards are those of what people can see.
fn follow(rest: Vec<Planned>) -> Option<Planned> {
    let mut rest = rest.into_iter();
    let mut first = rest.next()?;
    let visible = [Kind::View, Kind::Trigger, Kind::Policy];
    let felt = |it: &Planned| visible.contains(&it.subject.kind);
    if !felt(&first) {
        first.step.hazards.clear();
    }
    for it in rest {
        first.step.sql += &format!(";\n{}", it.step.sql);
        if felt(&it) {
            first.step.hazards.extend(it.step.hazards);
        }
        first.step.locks.extend(it.step.locks);
        first.step.disturbs.extend(it.step.disturbs);
        first.does.extend(it.does);
    }
    strongest(&mut first.step.locks);
    first.step.irreversible = None;
    first.step.summary = Some("defaults, sequences and what else names the columns goes over to the new".into());
    Some(Planned { undo: vec![], transaction: Some(1), ..first })
}

fn planned(step: Step, subject: ObjectId, transaction: Option<u32>) -> Planned {
    let undo = step.undo.clone();
    Planned { step, subject, does: vec![], transaction, undo, renames_to: None }
}
