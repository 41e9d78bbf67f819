//! `ALTER TABLE … ATTACH PARTITION`: that a table is a partition of another. The table itself is made on its own.

use serde::{Deserialize, Serialize};

use crate::kind::made_name;
use crate::kind::column::{self, Aside};
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, index_partition, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Aid, Disturbance, Stage, Step, Undo};
use crate::schema::{Schema, Sides};

mod level;
mod membership;
mod own_key;

pub(super) use level::{is_moved, level_that_goes, stage};
pub use own_key::is_renamed;
pub use membership::{brought_along, is_leaving, is_left, is_taken_along, leaves_before};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    pub child: QName,
    pub parent: QName,
    /// `FOR VALUES …` or `DEFAULT`.
    pub bound: String,
    /// The columns, which both tables must have.
    pub columns: Aside<Vec<Name>>,
    /// What the bound asks of a row; nothing for hash partitions, whose condition names the parent by its oid.
    pub condition: Aside<Option<String>>,
    /// Foreign keys that the partition has from above, by their names on it, and the tables that they refer to. They
    /// are no objects; a detached table keeps them as its own.
    pub copies: Aside<Vec<(Name, QName)>>,
    /// A `DETACH … CONCURRENTLY` was broken off: the parent no longer shows the rows, `FINALIZE` is to come.
    pub detaching: bool,
}

pub fn id(child: &QName) -> ObjectId {
    ObjectId::new(Kind::Partition, [&child.namespace, &child.name])
}

/// The table and the partitioned tables above it, from the innermost on.
pub fn line(schema: &Schema, table: &QName) -> Vec<QName> {
    let mut line = vec![table.clone()];
    while let Some(Object::Partition(it)) = line.last().and_then(|it| schema.get(&id(it))) {
        line.push(it.parent.clone());
    }
    line
}

pub(super) fn of(schema: &Schema) -> impl Iterator<Item = &Partition> {
    schema.of_kind(Kind::Partition).filter_map(|object| match object {
        Object::Partition(it) => Some(&**it),
        _ => None,
    })
}

/// The step with the scan of every table of the family that holds rows.
fn reads(step: Step, name: &QName, sides: &Sides<'_>) -> Step {
    let family = table::family(sides, name);
    family.iter().filter(|it| table::stores(sides, it)).fold(step, Step::scans)
}

/// Whether a foreign key of this name is there without a step: its table is detached and keeps it.
pub fn leaves(sides: &Sides<'_>, table: &QName, foreign_key: &Name) -> bool {
    sides.is_going(&id(table)) && !sides.is_going(&table::id(table)) && has_copy(sides.old, table, foreign_key)
}

/// Whether a foreign key of this name goes without a step: its table is attached, and it becomes the parent's.
pub fn takes_over(sides: &Sides<'_>, table: &QName, foreign_key: &Name) -> bool {
    sides.is_new(&id(table)) && !sides.is_new(&table::id(table)) && has_copy(sides.new, table, foreign_key)
}

fn has_copy(schema: &Schema, table: &QName, foreign_key: &Name) -> bool {
    match schema.get(&id(table)) {
        Some(Object::Partition(it)) => it.copies.0.iter().any(|(name, _)| name == foreign_key),
        _ => false,
    }
}

impl Partition {
    /// Whether it takes what no other partition does.
    pub fn is_default(&self) -> bool {
        self.bound == "DEFAULT"
    }

    /// Whether it takes all that is below the bounds of the other partitions.
    pub fn is_lowest(&self) -> bool {
        self.bound.starts_with("FOR VALUES FROM (MINVALUE")
    }

    /// The default partition of the parent, where it is another one: its own bound follows from its siblings'.
    fn default_sibling<'a>(&self, schema: &'a Schema) -> Option<&'a QName> {
        of(schema).find(|it| it.parent == self.parent && it.is_default() && it.child != self.child).map(|it| &it.child)
    }

    /// The partition's parent and all above it.
    fn above(&self, schema: &Schema) -> Vec<QName> {
        let mut above = vec![self.parent.clone()];
        while let Some(Object::Partition(it)) = above.last().and_then(|last| schema.get(&id(last))) {
            above.push(it.parent.clone());
        }
        above
    }

    /// The tables at the other end of foreign keys that come and go with the attachment: those that the partition
    /// refers to by a key of its parent, and those that refer to the parent.
    fn partners(&self, schema: &Schema) -> (Vec<QName>, Vec<QName>) {
        let above = self.above(schema);
        let (mut to, mut from) = (vec![], vec![]);
        for object in schema.of_kind(Kind::Constraint) {
            if let Object::Constraint(it) = object
                && let Rule::Foreign(key) = &it.rule
            {
                if above.contains(&it.table) {
                    to.push(key.to.clone());
                }
                if above.contains(&key.to) {
                    from.push(it.table.clone());
                }
            }
        }
        (to, from)
    }

    /// The step with the locks of taking the partition away from its parent, by DETACH or DROP.
    pub fn lock_parent(&self, step: Step, sides: &Sides<'_>) -> Step {
        let (_, from) = self.partners(sides.old);
        let step = step.locks(&self.parent, Lock::AccessExclusive);
        let step = self.lock_referred(step, Lock::ShareRowExclusive, sides);
        let step = from.iter().fold(step, |step, it| step.locks(it, Lock::AccessExclusive));
        match self.default_sibling(sides.old) {
            Some(default) => step.locks(default, Lock::AccessExclusive),
            None => step,
        }
    }

    /// The step with locks on all that the parent's foreign keys refer to: where that is partitioned, on each partition.
    pub fn lock_referred(&self, step: Step, mode: Lock, sides: &Sides<'_>) -> Step {
        let (to, _) = self.partners(sides.old);
        let all = to.iter().flat_map(|it| table::reach(sides, it)).filter(|it| *it != self.child);
        all.fold(step, |step, it| step.locks(&it, mode))
    }

    /// Whether foreign keys refer to the partition through its parent: DROP TABLE is refused then, DETACH is not.
    pub fn is_referred_to(&self, sides: &Sides<'_>) -> bool {
        !sides.is_going(&table::id(&self.parent)) && !self.partners(sides.old).1.is_empty()
    }

    /// DETACH in its plain form, which can share a transaction.
    pub fn detach_plainly(&self, sides: &Sides<'_>) -> Step {
        let step = Step::new(format!("ALTER TABLE {} DETACH PARTITION {}", self.parent, self.child))
            .stage(Stage::Contract)
            .locks(&self.child, Lock::AccessExclusive);
        self.lock_parent(step, sides)
    }

    /// ATTACH alone, on tables whose rows the server then has to read.
    fn attach(&self, sides: &Sides<'_>) -> Step {
        let mut step = self.attach_proven(&[], sides);
        for it in [Some(&self.child), self.default_sibling(sides.old)].into_iter().flatten() {
            step = reads(step, it, sides);
        }
        if table::may_hold_rows(sides, &self.child) {
            step = step.hazard(Code::AttachScan, self.id(), table::evidence(sides, &self.child));
        }
        // Rows that now belong to the new partition must not stand in the default one.
        match self.default_sibling(sides.old).filter(|it| table::may_hold_rows(sides, it)) {
            Some(default) => step.hazard(Code::ScanUnderLock, self.id(), table::evidence(sides, default)),
            None => step,
        }
    }

    /// ATTACH where constraints prove that no row is in the wrong place. Foreign keys that only the parent has, and
    /// that are none of `keys`, are checked all the same.
    fn attach_proven(&self, keys: &[Constraint], sides: &Sides<'_>) -> Step {
        let mut step =
            Step::new(format!("ALTER TABLE {} ATTACH PARTITION {} {}", self.parent, self.child, self.bound))
                .locks(&self.parent, Lock::ShareUpdateExclusive);
        for it in [Some(&self.child), self.default_sibling(sides.old)].into_iter().flatten() {
            for member in table::reach(sides, it) {
                step = step.locks(&member, Lock::AccessExclusive);
            }
        }
        let (_, from) = self.partners(sides.old);
        step = from.iter().fold(step, |step, it| step.locks(it, Lock::ShareRowExclusive));
        // Keys that go with this plan are there until then.
        step = self.lock_referred(step, Lock::ShareRowExclusive, sides);
        for (name, to) in self.copies.0.iter().filter(|(_, to)| self.has_key_to(to, sides)) {
            // The triggers that one of its own has on the other table give way to those of the parent's.
            let has = self.has_own(name, sides) || self.keeps(name, to, sides);
            let own = has || keys.iter().any(|it| it.name == *name);
            let mode = if own { Lock::AccessExclusive } else { Lock::ShareRowExclusive };
            step = table::reach(sides, to).iter().fold(step, |step, it| step.locks(it, mode));
            if own {
                continue;
            }
            step = reads(step, &self.child, sides);
            if table::may_hold_rows(sides, &self.child) {
                let why = format!("{name} is checked for every row of {}", self.child);
                step = step.hazard(Code::ScanUnderLock, self.id(), why);
            }
        }
        self.numbers_told(step, sides)
    }

    /// From 17 on a partition has the identities of its parent: one that is ALWAYS refuses the values that code gave it.
    fn numbers_told(&self, step: Step, sides: &Sides<'_>) -> Step {
        let is_used = !sides.is_new(&table::id(&self.child)) && !sides.facts.idle.contains(&self.child);
        if sides.major() < 17 || sides.facts.way_back || !is_used {
            return step;
        }
        let always = sides.new.of_relation(Kind::Column, &self.parent).filter_map(|it| match it {
            Object::Column(it) => it.identity.as_ref().is_some_and(|it| it.always).then_some(&it.name),
            _ => None,
        });
        let was_given = |name: &&Name| {
            column::find(sides.old, &self.child, name).is_some_and(|it| it.identity.as_ref().is_none_or(|it| !it.always))
        };
        always.filter(was_given).fold(step, |step, name| {
            let why = format!("INSERT and UPDATE may give {}.{name} values", self.child);
            step.hazard(Code::GeneratedAlways, column::id(&self.child, name), why)
        })
    }

    fn constraint(&self, name: &Name) -> ObjectId {
        ObjectId::new(Kind::Constraint, [&self.child.namespace, &self.child.name, name])
    }

    /// Whether the parent, or one above it, has a foreign key to the table in this part of the plan.
    fn has_key_to(&self, to: &QName, sides: &Sides<'_>) -> bool {
        let leads = |it: &Object| match it {
            Object::Constraint(it) => matches!(&it.rule, Rule::Foreign(key) if key.to == *to),
            _ => false,
        };
        self.above(sides.new).iter().any(|it| sides.new.of_relation(Kind::Constraint, it).any(leads))
    }

    /// Whether a foreign key to the table is there from the parent before, which the detached table keeps as its own;
    /// before 15 not one to a partitioned table.
    fn keeps(&self, foreign_key: &Name, to: &QName, sides: &Sides<'_>) -> bool {
        let stays = !sides.is_new(&table::id(&self.child)) && has_copy(sides.old, &self.child, foreign_key);
        stays && (sides.major() >= 15 || table::stores(sides, to))
    }

    /// The foreign keys that the table lacks, as its own: made beforehand, they become the parent's.
    fn missing_keys(&self, sides: &Sides<'_>) -> Vec<Constraint> {
        let missing = self.copies.0.iter().filter(|(name, to)| {
            !self.has_own(name, sides) && !self.keeps(name, to, sides)
        });
        let above = self.above(sides.new);
        let key = |name: &Name| {
            above.iter().find_map(|table| {
                match sides.new.get(&ObjectId::new(Kind::Constraint, [&table.namespace, &table.name, name])) {
                    Some(Object::Constraint(it)) if matches!(it.rule, Rule::Foreign(_)) => Some(Constraint::clone(it)),
                    _ => None,
                }
            })
        };
        let partitioned = !table::stores(sides, &self.child);
        missing
            .filter_map(|(name, _)| key(name))
            .map(|it| Constraint { table: self.child.clone(), partitioned, ..it })
            .collect()
    }

    /// Whether a CHECK is proven before the attachment, which comes in a later stage then.
    pub fn is_proven_first(&self, sides: &Sides<'_>) -> bool {
        let mut tables = [Some(&self.child), self.default_sibling(sides.old)].into_iter().flatten();
        self.condition.0.is_some() && tables.any(|it| table::is_used(sides, it))
    }

    /// The online form for tables with rows: a CHECK that says the same as the bound is proven while the table is in
    /// use, and ATTACH takes it as proof.
    fn attach_online(&self, sides: &Sides<'_>) -> Vec<Step> {
        let (before, attach, after) = self.attachment(sides);
        before.into_iter().chain([attach]).chain(after).collect()
    }

    /// What proves the bound beforehand, the attachment, and what takes the proof away again.
    fn attachment(&self, sides: &Sides<'_>) -> (Vec<Step>, Step, Vec<Step>) {
        let (mut before, attach, mut after) = self.attachment_as_named(sides);
        let stage = before.last().map_or(Stage::Expand, |it| it.stage);
        let builds = !before.is_empty() && table::may_hold_rows(sides, &self.child);
        before.extend(self.rename_keys(sides).into_iter().map(|step| step.stage(stage)));
        for key in self.keys_behind_others(builds, sides) {
            let [aside, back] = self.put_first(key, sides);
            before.push(aside.stage(stage));
            after.insert(0, back.stage(attach.stage));
        }
        (before, attach, after)
    }

    fn attachment_as_named(&self, sides: &Sides<'_>) -> (Vec<Step>, Step, Vec<Step>) {
        let Some(condition) = &self.condition.0 else { return (vec![], self.attach(sides), vec![]) };
        let child = Some((&self.child, format!("CHECK ({condition})")));
        let default = self.default_sibling(sides.old).map(|it| (it, format!("CHECK (NOT {condition})")));
        let full = [child, default].into_iter().flatten().filter(|(it, _)| table::is_used(sides, it));
        let (mut before, mut after) = (vec![], vec![]);
        for (it, check) in full {
            let path = |name: &Name| ObjectId::new(Kind::Constraint, [&it.namespace, &it.name, name]);
            let name = made_name::derived(&[self.child.name.as_str(), "bound"], |name| {
                !sides.old.contains(&path(name)) && !sides.new.contains(&path(name))
            });
            let aid = Aid::of(path(&name));
            let on_all = |sql: String, mode| {
                table::reach(sides, it).iter().fold(Step::new(sql), |step, member| step.locks(member, mode))
            };
            // On the way back, that of the way there may be there still.
            let first = if sides.facts.way_back { format!("DROP CONSTRAINT IF EXISTS {name}, ") } else { String::new() };
            before.push(
                on_all(format!("ALTER TABLE {it} {first}ADD CONSTRAINT {name} {check} NOT VALID"), Lock::AccessExclusive)
                    .own_transaction()
                    .undone_by(format!("ALTER TABLE {it} DROP CONSTRAINT IF EXISTS {name}"))
                    .aids(aid.clone())
                    .summary(format!("rows that are written to {it} fit the bound of {}", self.child)),
            );
            let validate = on_all(
                format!("ALTER TABLE {it} VALIDATE CONSTRAINT {name}"),
                Lock::ShareUpdateExclusive,
            )
            .stage(Stage::Validate)
            .own_transaction()
            .summary(format!("prove that all rows of {it} fit the bound of {}", self.child))
            .hazard(Code::CheckMayFail, self.id(), table::evidence(sides, it))
            .check(format!(
                "SELECT convalidated FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
                Literal(&it.to_string()),
                Literal(name.as_str())
            ));
            before.push(reads(validate, it, sides).aids(aid.clone().part(1)));
            // Detached again, it needs the proof once more to be attached.
            let anew = format!("DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {check} NOT VALID");
            after.push(
                on_all(format!("ALTER TABLE {it} DROP CONSTRAINT {name}"), Lock::AccessExclusive)
                    .stage(Stage::Validate)
                    .summary(format!("remove what proved the bound of {}", self.child))
                    .then_built_again_by(aid.clone(), Undo::inside(format!("ALTER TABLE {it} {anew}")))
                    .then_built_again_by(
                        aid.part(1),
                        Undo::outside(format!("ALTER TABLE {it} VALIDATE CONSTRAINT {name}")),
                    ),
            );
        }
        if before.is_empty() {
            return (vec![], self.attach(sides), vec![]);
        }
        let keys = if table::may_hold_rows(sides, &self.child) { self.missing_keys(sides) } else { vec![] };
        for key in &keys {
            let mut steps = key.create(sides).into_iter();
            let drop = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", self.child, key.name);
            // On the way back, what the parent's left behind may be there still.
            before.extend(sides.facts.way_back.then(|| Step::new(drop.clone())));
            before.extend(steps.next().map(|first| first.undone_by(drop)));
            before.extend(steps);
        }
        before.sort_by_key(|step| step.stage);
        let attach = self.attach_proven(&keys, sides).stage(Stage::Validate).makes();
        (before, attach, after)
    }

    /// What a detached table keeps of its parent and is not to have.
    fn leftovers(&self, sides: &Sides<'_>) -> Vec<Step> {
        if sides.is_going(&table::id(&self.child)) {
            return vec![];
        }
        let renamed = self.renamed_keys(sides);
        let is_left = |name: &Name| {
            !sides.new.contains(&self.constraint(name)) && renamed.iter().all(|(of_parent, _)| *of_parent != name)
        };
        let copies = self.copies.0.iter().filter(|(name, _)| is_left(name));
        let above = self.above(sides.old);
        // That of a table above may have gone before, and this with it.
        let goes_above = |name: &Name| {
            let id = |it: &QName| ObjectId::new(Kind::Constraint, [&it.namespace, &it.name, name]);
            above.iter().map(id).any(|it| sides.old.contains(&it) && sides.is_going(&it))
        };
        copies
            .map(|(name, to)| {
                let guard = if goes_above(name) { "IF EXISTS " } else { "" };
                Step::new(format!("ALTER TABLE {} DROP CONSTRAINT {guard}{name}", self.child))
                    .stage(Stage::Contract)
                    .locks(&self.child, Lock::AccessExclusive)
                    .locks(to, Lock::AccessExclusive)
            })
            .collect()
    }

    fn detach(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.detaching {
            return vec![
                Step::new(format!("ALTER TABLE {} DETACH PARTITION {} FINALIZE", self.parent, self.child))
                    .stage(Stage::Contract)
                    .locks(&self.parent, Lock::ShareUpdateExclusive)
                    .locks(&self.child, Lock::AccessExclusive),
            ];
        }
        let hazard = |step: Step| {
            if table::may_hold_rows(sides, &self.child) {
                step.hazard(Code::DetachPartition, self.id(), table::evidence(sides, &self.child))
            } else {
                step
            }
        };
        let renames = self.renames(sides).into_iter().map(|step| step.stage(Stage::Contract));
        let keys = self.rename_keys(sides).into_iter().map(|step| step.stage(Stage::Contract));
        let rest = self.leftovers(sides).into_iter().chain(keys).chain(renames);
        let Some(left_over) = self.concurrently(sides).filter(|_| !sides.facts.idle.contains(&self.parent)) else {
            let step = hazard(self.detach_plainly(sides));
            return std::iter::once(step).chain(rest).collect();
        };
        let gone = format!(
            "SELECT NOT relispartition FROM pg_class WHERE oid = {}::regclass",
            Literal(&self.child.to_string())
        );
        let detach = Step::new(format!("ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY", self.parent, self.child))
            .stage(Stage::Contract)
            .outside_transaction()
            .locks(&self.parent, Lock::ShareUpdateExclusive)
            .locks(&self.child, Lock::AccessExclusive)
            .check(gone)
            .undone_by(format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {left_over}", self.child));
        let drop = Step::new(format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {left_over}", self.child))
            .summary("takes away the copy of the bound that DETACH CONCURRENTLY leaves as a CHECK")
            .stage(Stage::Contract)
            .locks(&self.child, Lock::AccessExclusive);
        [hazard(detach), drop].into_iter().chain(rest).collect()
    }

    /// From 18 on: NOT NULL constraints have the parent's names while they are the parent's, and can be renamed only
    /// before and after. Each is taken back by itself.
    fn renames(&self, sides: &Sides<'_>) -> Vec<Step> {
        let id = table::id(&self.child);
        if sides.major() < 18 || sides.facts.way_back || sides.is_new(&id) || sides.is_going(&id) {
            return vec![];
        }
        let mut steps = vec![];
        for name in &self.columns.0 {
            let sides_of_it = [sides.old, sides.new].map(|schema| column::find(schema, &self.child, name));
            let [Some(old), Some(new)] = sides_of_it else { continue };
            let (Some(from), Some(to)) = (&old.not_null, &new.not_null) else { continue };
            let (before, after) = (from.constraint(old), to.constraint(new));
            if from.inherited != to.inherited && before != after {
                let back = format!("ALTER TABLE {} RENAME CONSTRAINT {after} TO {before}", self.child);
                let mut renames = old.rename_not_null((&before, &after), sides).into_iter();
                steps.extend(renames.next().map(|it| it.undone_by(back)));
                steps.extend(renames);
            }
        }
        steps
    }

    /// The name of the CHECK that a concurrent detach leaves on the partition, or nothing where the plain form is
    /// called for: there is a default partition, a table of the two goes as well, or the name can't be foretold.
    fn concurrently(&self, sides: &Sides<'_>) -> Option<Name> {
        let both_stay = [&self.child, &self.parent].into_iter().all(|it| !sides.is_going(&table::id(it)));
        let no_default = !of(sides.old).any(|it| it.parent == self.parent && it.is_default());
        if !both_stay || !no_default || sides.is_new(&self.id()) {
            return None;
        }
        let key = table::find(sides.old, &self.parent)?.partition_by.as_deref()?;
        let key = key.split_once('(')?.1.strip_suffix(')')?;
        let column = Name::from(key);
        let name = Name::from(format!("{}_{key}_check", self.child.name.as_str()));
        let path = |kind, part| ObjectId::new(kind, [&self.child.namespace, &self.child.name, part]);
        let free = !sides.old.contains(&path(Kind::Constraint, &name));
        (sides.old.contains(&path(Kind::Column, &column)) && name.as_str().len() <= 63 && free).then_some(name)
    }
}

impl Definition for Partition {
    const NOUN: &'static str = "partition";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array(0, 0, 0),
            'def', json_build_object(
                'child', json_build_array(n.nspname, c.relname),
                'parent', json_build_array(pn.nspname, p.relname),
                'bound', pg_get_expr(c.relpartbound, c.oid),
                'columns', coalesce(
                    (SELECT json_agg(a.attname ORDER BY a.attnum)
                       FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
                'condition', (SELECT condition FROM pg_get_partition_constraintdef(c.oid) AS condition
                               WHERE condition !~ 'satisfies_hash_partition'),
                'copies', coalesce(
                    (SELECT json_agg(json_build_array(f.conname, json_build_array(tn.nspname, t.relname))
                                      ORDER BY f.conname)
                       FROM pg_constraint f
                       JOIN pg_class t ON t.oid = f.confrelid
                       JOIN pg_namespace tn ON tn.oid = t.relnamespace
                      WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conparentid <> 0
                        AND EXISTS (SELECT FROM pg_constraint above
                                     WHERE above.oid = f.conparentid AND above.conrelid <> f.conrelid)), '[]'),
                'detaching', i.inhdetachpending))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_inherits i ON i.inhrelid = c.oid
          JOIN pg_class p ON p.oid = i.inhparent
          JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE c.relkind IN ('r', 'p') AND c.relispartition
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.child)
    }

    fn reference(path: &[Name]) -> String {
        format!("TABLE {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        vec![table::id(&self.parent), table::id(&self.child)]
    }

    /// The columns are to be there, but when one of them is made again the attachment can stay.
    fn wishes(&self) -> Vec<ObjectId> {
        let columns = |table| self.columns.0.iter().map(move |name| column::id(table, name));
        columns(&self.parent).chain(columns(&self.child)).collect()
    }

    fn fits(&self, schema: &Schema) -> bool {
        table::find(schema, &self.parent).is_some_and(|parent| parent.partition_by.is_some())
    }

    /// Indexes that are to be attached, too: ATTACH PARTITION would make them by itself, under a name of its choice. A new
    /// table is attached with the checks of its parent, some of which may come after it; and with the partitions of its
    /// own and their indexes, since rows for it would be refused until then.
    fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let is_new = sides.is_new(&table::id(&self.child));
        let checks = sides.new.of_relation(Kind::Constraint, &self.child).filter(|it| match it {
            Object::Constraint(it) => is_new && matches!(it.rule, Rule::Check(_)),
            _ => false,
        });
        let indexes = index_partition::of(&self.child, sides.new).map(|it| it.child.id());
        let below: Vec<_> = of(sides.new).filter(|it| it.parent == self.child).collect();
        let attached = below.iter().flat_map(|it| index_partition::of(&it.child, sides.new)).map(Definition::id);
        let partitions = below.iter().map(|it| it.id());
        indexes.chain(checks.map(Object::id)).chain(partitions).chain(attached).collect()
    }

    /// Dropping the table takes it from its parent.
    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.child))
    }

    /// A table that is referred to as a partition can't be dropped as one.
    fn goes_apart(&self, sides: &Sides<'_>) -> bool {
        self.is_referred_to(sides) || self.is_left(sides)
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn keeps_apart_from(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        self.keeps_apart(sides)
    }

    fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        self.keys_in_the_way(sides)
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if let Some(steps) = self.change_level(sides) {
            return steps;
        }
        self.renames(sides).into_iter().chain(self.attach_online(sides)).collect()
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.detaching || new.detaching {
            let attach = (!new.detaching).then(|| new.attach(sides).stage(Stage::Contract));
            return Alter::Steps(self.detach(sides).into_iter().chain(attach).collect());
        }
        if self.goes_with_a_level(new, sides) {
            return Alter::Steps(vec![]);
        }
        // One transaction for both: nobody sees the parent without these rows.
        let (before, attach, after) = new.attachment(sides);
        let steps = before.into_iter().chain([self.detach_plainly(sides).with_its_parts(), attach.makes()]).chain(after);
        Alter::Steps(steps.map(|step| step.stage(Stage::Contract)).collect())
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.change_level(sides).unwrap_or_else(|| self.detach(sides))
    }
}
