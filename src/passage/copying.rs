//! A plain table becomes a partitioned one that none of whose partitions can be the table itself: its rows are copied.
//! The partitioned table is made beside it, a trigger brings over what is written, and the rows that stand follow in
//! batches. Then both change names in one short transaction which reads no row, and a trigger keeps the old table up for
//! the way back until `contract` drops it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::mirror::Mirror;
use super::partitioned::{self, Conversion};
use super::{Ground, Passage, PassageError, Workbench};
use crate::kind::column::{self, Aside};
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::made_name::derived;
use crate::kind::partition::{self, Partition};
use crate::kind::row_security::RowSecurity;
use crate::kind::table::{self, Table};
use crate::kind::{Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Literal, Name, QName, list};
use crate::plan::batch::{self, Assignment, Batch};
use crate::plan::hazard::Code;
use crate::plan::in_turn;
use crate::plan::relocate::STOPS_IF;
use crate::plan::{self, PlanError, Planned, Stage, Step, Transaction};
use crate::schema::{Facts, Schema, Size};

mod exchange;

use exchange::Renamed;

/// A table on its way, under the names that both have meanwhile.
struct Copying<'a> {
    conversion: Conversion<'a>,
    /// What the table is called from the change of names on.
    old: QName,
    /// What the partitioned table is called until then.
    new: QName,
    /// The key by which rows are told apart in the plain table, and the one in the partitioned table, which has its
    /// columns and more.
    keys: [Vec<Name>; 2],
    /// The columns whose values are copied.
    columns: Vec<Name>,
    /// What keeps the partitioned table up until the change of names, and the old one from then on: where somebody may
    /// write meanwhile.
    mirrors: Option<[Mirror; 2]>,
}

/// The passage of a table that no partition can be.
pub async fn passage(
    ground: Ground<'_>,
    before: &Table,
    after: &Table,
    done: Passage,
    desired: &Schema,
) -> Result<Passage, PassageError> {
    let Passage { steps, schema: start, facts } = done;
    let name = &before.name;
    let refused = |reason: String| PassageError::Plan(vec![PlanError::Refused { object: table::id(name), reason }]);
    if let Some(why) = obstacle(name, &start, desired) {
        return Err(refused(why));
    }
    let is_free = |it: &Name| {
        let id = |kind| ObjectId::new(kind, [&name.namespace, it]);
        let kinds = [Kind::Table, Kind::View, Kind::Index, Kind::Sequence, Kind::MaterializedView, Kind::Composite];
        !kinds.map(id).iter().any(|id| start.contains(id) || desired.contains(id))
    };
    let old = name.sibling(derived(&[name.name.as_str(), "old"], is_free));
    let new = name.sibling(derived(&[name.name.as_str(), "new"], is_free));
    // No partition is the table: the one that would be does not exist.
    let home = Partition {
        child: old.clone(),
        parent: name.clone(),
        bound: String::new(),
        columns: Aside(vec![]),
        condition: Aside(None),
        copies: Aside(vec![]),
        detaching: false,
    };
    let conversion = Conversion { before, after, home: &home };
    let mut left = unfounded(name, &start, desired);
    let mut partitioned =
        read_back(ground, &conversion, &start, desired, &left).await.map_err(|it| it.or(&refused))?;
    let unsettled = conversion.unsettled(&start, &partitioned);
    if !unsettled.is_empty() {
        left.extend(unsettled);
        partitioned = read_back(ground, &conversion, &start, desired, &left).await.map_err(|it| it.or(&refused))?;
    }
    let Some(keys) = keys(name, &start, &partitioned) else {
        return Err(refused(format!(
            "the rows of {name} have to be copied, and nothing tells them apart on both sides: declare a primary key \
             with the columns of one that {name} has and those that it is partitioned by"
        )));
    };
    let used = !facts.idle.contains(name);
    let columns = stored(&start, name);
    let [old_key, new_key] = &keys;
    let taken = [&start, desired];
    let forth = Mirror::new(name, &new, &columns, new_key, new_key, "copy", taken);
    let back = Mirror::new(name, &old, &columns, new_key, old_key, "keep", taken);
    let copying = Copying { conversion, old, new, keys, columns, mirrors: used.then_some([forth, back]) };
    let (way, schema) =
        copying.way(ground, &start, &partitioned, desired, &facts).await.map_err(|it| it.or(&refused))?;
    let facts = copying.facts(facts, desired, &schema);
    Ok(Passage { steps: in_turn(steps, way), schema, facts })
}

/// Why a part of the way was not found: in words, or as the shadow says.
enum Stop {
    Reason(String),
    Error(PassageError),
}

impl Stop {
    fn or(self, refused: &impl Fn(String) -> PassageError) -> PassageError {
        match self {
            Stop::Reason(why) => refused(why),
            Stop::Error(error) => error,
        }
    }
}

impl From<PassageError> for Stop {
    fn from(error: PassageError) -> Self {
        Stop::Error(error)
    }
}

/// What speaks against copying the rows.
fn obstacle(name: &QName, start: &Schema, desired: &Schema) -> Option<String> {
    let family = partitioned::family(desired, name);
    if let Some(it) = family.iter().skip(1).find(|it| start.contains(&table::id(it))) {
        return Some(format!(
            "the rows of {name} have to be copied, and {it}, which is to be a partition, is there already"
        ));
    }
    if family.len() == 1 {
        return Some(format!("{name} has no partition that its rows could go to; declare some"));
    }
    let publishes = |it: &Object| match it {
        Object::Publication(it) => it.takes_in(name),
        _ => false,
    };
    if start.of_kind(Kind::Publication).any(publishes) {
        return Some(format!(
            "the rows of {name} have to be copied, and a publication of all tables would send them to subscribers \
             that have no such table yet"
        ));
    }
    family.iter().find_map(|parent| incomplete(parent, desired))
}

/// Hash partitions that leave rows without one.
fn incomplete(parent: &QName, desired: &Schema) -> Option<String> {
    let modulus = |it: &Partition| -> Option<f64> {
        let rest = it.bound.strip_prefix("FOR VALUES WITH (modulus ")?;
        rest.split(',').next()?.trim().parse().ok()
    };
    let parts: Vec<f64> = partitioned::children(desired, parent).into_iter().filter_map(modulus).collect();
    let share: f64 = parts.iter().map(|it| 1.0 / it).sum();
    (!parts.is_empty() && share < 0.999_999)
        .then(|| format!("the partitions of {parent} do not take every row: declare one for each remainder"))
}

/// Declared keys that rows may break, since no key of today is within them: they are left to the rest of the plan.
fn unfounded(name: &QName, start: &Schema, desired: &Schema) -> BTreeSet<ObjectId> {
    let founded = |it: &Constraint| {
        let columns = partitioned::columns_of(it);
        partitioned::constraints(start, name).any(|old| {
            let within = partitioned::columns_of(old);
            !within.is_empty() && within.iter().all(|it| columns.contains(it))
        })
    };
    let keys = partitioned::constraints(desired, name).filter(|it| partitioned::is_key(it) && !founded(it));
    keys.map(|it| partitioned::constraint_id(name, &it.name)).collect()
}

/// A key of either side by which rows can be found: the one of the partitioned table has all columns of the other.
fn keys(name: &QName, start: &Schema, partitioned: &Schema) -> Option<[Vec<Name>; 2]> {
    let of = |schema: &Schema| -> Vec<Vec<Name>> {
        let required = |it: &Name| column::find(schema, name, it).is_some_and(|it| it.not_null.is_some());
        let keys = partitioned::constraints(schema, name).filter_map(|it| match &it.rule {
            Rule::Unique(key) if !key.without_overlaps && !it.deferrable && key.columns.iter().all(required) => {
                Some((!key.primary, key.columns.clone()))
            }
            _ => None,
        });
        let mut keys: Vec<(bool, Vec<Name>)> = keys.collect();
        keys.sort();
        keys.into_iter().map(|it| it.1).collect()
    };
    let after = of(partitioned);
    of(start).into_iter().find_map(|old| {
        let new = after.iter().find(|new| old.iter().all(|it| new.contains(it)))?;
        Some([old, new.clone()])
    })
}

/// What the server makes of the table as if it had been partitioned from the beginning.
async fn read_back(
    ground: Ground<'_>,
    conversion: &Conversion<'_>,
    start: &Schema,
    desired: &Schema,
    left: &BTreeSet<ObjectId>,
) -> Result<Schema, Stop> {
    let name = conversion.name();
    let mut described = conversion.as_if_partitioned(start, desired, left);
    // One that the table has to itself can't be proved by partition before the names have changed.
    let on_itself: BTreeSet<ObjectId> = partitioned::constraints(&described, name)
        .filter(|it| matches!(&it.rule, Rule::Foreign(key) if key.to == *name))
        .map(|it| partitioned::constraint_id(name, &it.name))
        .collect();
    described = described
        .filtered(|id| !on_itself.contains(id) && !described.wholes_of(id).iter().any(|it| on_itself.contains(it)));
    let workbench = Workbench::with(ground, &described).await?;
    let missing = workbench.missing.first().cloned();
    let schema = workbench.finish().await?;
    match missing {
        Some((id, why)) => Err(Stop::Reason(format!("{id} can't be had while {name} is partitioned: {why}"))),
        None => Ok(schema),
    }
}

impl Copying<'_> {
    fn name(&self) -> &QName {
        self.conversion.name()
    }

    /// The steps, and what they lead to.
    async fn way(
        &self,
        ground: Ground<'_>,
        start: &Schema,
        partitioned: &Schema,
        desired: &Schema,
        facts: &Facts,
    ) -> Result<(Vec<Planned>, Schema), Stop> {
        let names = self.names(start, partitioned);
        let (bare, beside) = self.beside(ground, start, partitioned, &names).await?;
        let mut made = plan::make(start, &bare, facts).map_err(|it| Stop::Error(PassageError::Plan(it)))?;
        for it in &mut made {
            it.step.hazards.retain(|it| it.code != Code::RowSecurityWithoutPolicy);
        }
        // The rows are in both by then.
        let referring = plan::make(&bare, &beside, facts).map_err(|it| Stop::Error(PassageError::Plan(it)))?;
        let mut first = self.guard(desired).into_iter().collect::<Vec<_>>();
        first = in_turn(first, made);
        if let Some([forth, _]) = &self.mirrors {
            first = in_turn(first, forth.begin().into_iter().map(|it| self.own(it, None)).collect());
        }
        first = in_turn(first, vec![self.fill(facts)]);
        first = in_turn(first, referring);
        first = in_turn(first, vec![self.own(self.compare(desired), None)]);

        let workbench = Workbench::with(ground, start).await?;
        workbench.run(&first).await?;
        let swap = self.swap(start, &names);
        workbench.say(&swap.step.sql).await?;
        let changed = workbench.schema().await?;
        drop(workbench.finish().await?);
        let target = self.target(&changed, partitioned);
        let empty = Facts { sizes: nothing(&changed), ..Facts::default() };
        let rest = plan::make(&changed, &target, &empty).map_err(|it| Stop::Error(PassageError::Plan(it)))?;
        if let Some(it) = rest.iter().find(|it| it.step.transaction == Transaction::Outside) {
            let why =
                format!("{} can't be part of a transaction, and the change of names has to be one", it.subject);
            return Err(Stop::Reason(why));
        }
        let mut exchange: Vec<Planned> =
            std::iter::once(swap).chain(rest.into_iter().map(|it| self.in_exchange(it))).collect();
        if let Some(begins) = exchange.iter_mut().skip(1).rev().find_map(|it| it.undo.first_mut()) {
            // The way back locks everything at once as well.
            begins.sql = format!("{};\n{}", self.locking(start, &self.old), begins.sql);
        }
        let mut way = in_turn(first, exchange);
        let workbench = Workbench::with(ground, start).await?;
        workbench.run(&way).await?;
        let mut schema = workbench.finish().await?;
        if let Some([_, back]) = &self.mirrors {
            // Their function writes to the old table: they go before that does.
            for id in back.triggers() {
                Arc::make_mut(schema.needs.entry(id).or_default()).insert(table::id(&self.old));
            }
        }
        partitioned::upserts_are_told(self.name(), start, &schema, &mut way, facts);
        let for_all = |it: Planned| Planned { step: Step { stage: Stage::Expand, ..it.step }, ..it };
        Ok((way.into_iter().map(for_all).collect(), schema))
    }

    /// The start with the partitioned table beside it, first without foreign keys, then with them.
    async fn beside(
        &self,
        ground: Ground<'_>,
        start: &Schema,
        partitioned: &Schema,
        names: &[Vec<Renamed>; 2],
    ) -> Result<(Schema, Schema), Stop> {
        let (name, new) = (self.name(), &self.new);
        let hidden = [Kind::Trigger, Kind::Policy, Kind::RowSecurity, Kind::PublishedTable, Kind::Statistics];
        let of_family = |schema: &Schema, id: &ObjectId, top: &QName| {
            let its = schema.whole_of(id);
            its == table::id(top) || partitioned::family(partitioned, name).iter().any(|it| table::id(it) == its)
        };
        let mut described = partitioned.clone();
        for object in described.objects.values_mut() {
            if let Object::Column(it) = object
                && it.table == *name
            {
                // The numbers go over with the name.
                Arc::make_mut(it).identity = None;
            }
        }
        let workbench = Workbench::with(ground, &described).await?;
        workbench.say(&format!("ALTER TABLE {name} RENAME TO {}", new.name)).await?;
        for it in &names[1] {
            workbench.say(&it.sql(new, &it.name, &it.aside)).await?;
        }
        let renamed = workbench.finish().await?;
        let (mut bare, mut foreign) = (start.clone(), vec![]);
        let mut chosen = vec![];
        for (id, object) in &renamed.objects {
            let is_hidden =
                hidden.contains(&id.kind) || renamed.wholes_of(id).iter().any(|it| hidden.contains(&it.kind));
            let satellite =
                matches!(id.kind, Kind::Grants | Kind::Comment) && *id != table::id(new).satellite(id.kind);
            let granted = id.kind == Kind::Grants && *id == table::id(new).satellite(Kind::Grants);
            if start.contains(id) || is_hidden || granted || !(of_family(&renamed, id, new) || satellite) {
                continue;
            }
            let is_foreign = matches!(object, Object::Constraint(it) if matches!(it.rule, Rule::Foreign(_)));
            let of_foreign = renamed.wholes_of(id).iter().any(
                |it| matches!(renamed.get(it), Some(Object::Constraint(it)) if matches!(it.rule, Rule::Foreign(_))),
            );
            match is_foreign || of_foreign {
                true => foreign.push(id.clone()),
                false => chosen.push(id.clone()),
            }
        }
        let add = |schema: &mut Schema, ids: &[ObjectId]| {
            for id in ids {
                schema.objects.extend(renamed.get(id).map(|it| (id.clone(), it.clone())));
            }
            for id in ids {
                let needs = renamed.needs_of(id).filter(|need| schema.contains(need)).cloned().collect();
                schema.needs.insert(id.clone(), Arc::new(needs));
            }
        };
        add(&mut bare, &chosen);
        // They hold the rows before they have the policies, and default privileges may have opened them: until then, nobody
        // but the owner reads them.
        for table in partitioned::family(&renamed, new) {
            let needs = [table::id(&table)];
            let closed = Object::RowSecurity(Arc::new(RowSecurity { table, enabled: true, forced: false }));
            partitioned::put_with_needs(&mut bare, closed, needs.iter());
        }
        // Attaching a partition makes the keys and indexes that it lacks, under names of the server's choice.
        for id in &chosen {
            let of = match renamed.get(id) {
                Some(Object::Constraint(it)) if partitioned::is_key(it) => &it.table,
                Some(Object::Index(it)) => &it.table,
                _ => continue,
            };
            if let Some(needs) = bare.needs.get_mut(&partition::id(of)) {
                Arc::make_mut(needs).insert(id.clone());
            }
        }
        let mut beside = bare.clone();
        add(&mut beside, &foreign);
        Ok((bare, beside))
    }

    /// What is there once names have changed and all that hangs on the table has gone over to the partitioned one.
    fn target(&self, changed: &Schema, partitioned: &Schema) -> Schema {
        let name = self.name();
        let old = table::id(&self.old);
        // Who reads the old table by its new name is held to what held before.
        let over = [Kind::Trigger, Kind::PublishedTable, Kind::Statistics];
        let mut schema = partitioned.clone();
        let kept = changed.objects.iter().filter(|(id, _)| {
            let wholes = changed.wholes_of(id);
            let of_old = **id == old || wholes.last() == Some(&old);
            let goes = over.contains(&id.kind) || wholes.iter().any(|it| over.contains(&it.kind));
            (of_old && !goes && !schema.contains(id))
                || self.keeps(id)
                || **id == old.satellite(Kind::Owner)
                || **id == old.satellite(Kind::Comment)
                || id.kind == Kind::MaterializedView
        });
        let kept: Vec<(ObjectId, Object)> = kept.map(|(id, it)| (id.clone(), it.clone())).collect();
        for (id, object) in &kept {
            schema.objects.insert(id.clone(), object.clone());
        }
        for (id, _) in kept {
            let needs = changed.needs_of(&id).filter(|need| schema.contains(need)).cloned().collect();
            schema.needs.insert(id, Arc::new(needs));
        }
        for object in schema.objects.values_mut() {
            if let Object::Constraint(it) = object
                && matches!(&it.rule, Rule::Foreign(key) if key.to == *name)
            {
                // That every row has its partner is proved afterwards.
                Arc::make_mut(it).validated = false;
            }
        }
        schema
    }

    /// Stops where rows have no partition to go to.
    fn guard(&self, desired: &Schema) -> Option<Planned> {
        let name = self.name();
        let leaves = partitioned::leaves(desired, name);
        let mut conditions = vec![];
        for it in leaves {
            match (&it.condition.0, it.bound.as_str()) {
                (Some(condition), _) => conditions.push(format!("({condition})")),
                (None, _) => return None,
            }
        }
        let condition = format!("({}) IS NOT TRUE", conditions.join(" OR "));
        let message = format!("rows of {name} have no partition to go to");
        let body = format!(
            "\nBEGIN\n    PERFORM set_config('row_security', 'off', true);\n    \
             IF EXISTS (SELECT FROM {name} WHERE {condition}) THEN\n        \
             RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',\n            MESSAGE = {};\n    \
             END IF;\nEND\n",
            Literal(&message)
        );
        let step = Step::new(format!("DO {}", DollarQuoted(&body)))
            .summary(format!("{STOPS_IF}{message}"))
            .scans(name)
            .check(format!("SELECT NOT EXISTS (SELECT FROM {name} WHERE {condition})"));
        Some(self.own(step, Some(1)))
    }

    /// The rows that stand.
    fn fill(&self, facts: &Facts) -> Planned {
        let (name, [old_key, new_key]) = (self.name(), &self.keys);
        let same = new_key.iter().map(|it| format!("its_copy.{it} = {}.{it}", name.name));
        let same = same.collect::<Vec<_>>().join(" AND ");
        let batch = Batch {
            table: name.to_string(),
            key: old_key.iter().map(ToString::to_string).collect(),
            set: self
                .columns
                .iter()
                .map(|it| Assignment { column: it.to_string(), value: it.to_string() })
                .collect(),
            pending: format!("NOT EXISTS (SELECT FROM {} AS its_copy WHERE {same})", self.new),
            into: Some(self.new.to_string()),
        };
        let few = facts.sizes.get(name).is_some_and(|it| it.rows < batch::WORTH_IT);
        let check = format!("SELECT NOT EXISTS (SELECT FROM {name} WHERE {})", batch.pending);
        let step = match few || self.mirrors.is_none() {
            true => Step::at_once(batch).locks(name, Lock::RowShare),
            false => Step::in_batches(batch).locks(name, Lock::RowShare),
        };
        let transaction = step.batch.is_none().then_some(1);
        self.own(step.summary(format!("copy the rows of {name} to {}", self.new)).check(check), transaction)
    }

    /// Stops where the two tables do not hold the same.
    fn compare(&self, desired: &Schema) -> Step {
        let (name, new, key) = (self.name(), &self.new, &self.keys[1]);
        let on = key.iter().map(|it| format!("o.{it} = n.{it}")).collect::<Vec<_>>().join(" AND ");
        let row = |of: &str| format!("ROW({})::record", list(self.columns.iter().map(|it| format!("{of}.{it}"))));
        let shown = list(key.iter().map(|it| format!("coalesce(o.{it}, n.{it})")));
        let body = format!(
            "\nDECLARE\n    its_key text;\nBEGIN\n    PERFORM set_config('row_security', 'off', true);\n    \
             SELECT ROW({shown})::text INTO its_key\n      FROM {name} AS o FULL JOIN {new} AS n ON {on}\n     \
             WHERE o.{first} IS NULL OR n.{first} IS NULL OR {} OPERATOR(pg_catalog.*<>) {}\n     LIMIT 1;\n    \
             IF FOUND THEN\n        RAISE EXCEPTION 'row % is not the same in both tables', its_key;\n    \
             END IF;\nEND\n",
            row("o"),
            row("n"),
            first = key[0],
        );
        let step = Step::new(format!("DO {}", DollarQuoted(&body)))
            .summary(format!("stop unless {new} holds the rows of {name}, and no others"))
            .scans(name);
        partitioned::leaves(desired, name).iter().fold(step, |it, leaf| it.scans(&leaf.child))
    }

    fn own(&self, step: Step, transaction: Option<u32>) -> Planned {
        let undo = step.undo.clone();
        let subject = table::id(self.name());
        let transaction = if step.batch.is_some() { None } else { transaction.or(Some(1)) };
        Planned { step, subject, does: vec![], transaction, undo, renames_to: None }
    }

    /// A step of the transaction that changes names: the old table has its own name where locks are told.
    fn in_exchange(&self, mut it: Planned) -> Planned {
        let step = &mut it.step;
        step.transaction = Transaction::Shared;
        step.hazards.clear();
        step.scans.clear();
        step.rewrites.clear();
        for lock in step.locks.iter_mut().filter(|it| it.relation == self.old) {
            lock.relation.clone_from(self.conversion.name());
        }
        plan::strongest(&mut step.locks);
        it.transaction = Some(1);
        it
    }

    /// The rows are in the partitions now, and in the old table, which is made to go.
    fn facts(&self, mut facts: Facts, desired: &Schema, schema: &Schema) -> Facts {
        if let Some(size) = facts.sizes.remove(self.name()) {
            facts.sizes.insert(self.old.clone(), size);
            // Nobody has counted how many rows each gets.
            let parts = partitioned::leaves(desired, self.name()).len().max(1) as u64;
            let share = Size {
                rows: size.rows / parts,
                bytes: size.bytes / parts,
                table_bytes: size.table_bytes / parts,
                empty: false,
            };
            for name in partitioned::family(desired, self.name()).into_iter().skip(1) {
                facts.sizes.insert(name, share);
            }
        }
        let old = table::id(&self.old);
        let made = schema.objects.keys().filter(|id| **id == old || schema.whole_of(id) == old);
        facts.spent.extend(made.map(|id| (id.clone(), vec![])));
        let columns = list(&self.columns);
        let again = format!("INSERT INTO {} ({columns}) SELECT {columns} FROM {}", self.old, self.name());
        facts.spent.insert(old, vec![again]);
        facts.spent.extend(schema.objects.keys().filter(|id| self.keeps(id)).map(|id| (id.clone(), vec![])));
        facts
    }

    /// Whether an object is one of those that keep the old table up.
    fn keeps(&self, id: &ObjectId) -> bool {
        self.mirrors.as_ref().is_some_and(|[_, back]| back.is_its(id))
    }
}

/// The columns whose values are copied.
fn stored(start: &Schema, name: &QName) -> Vec<Name> {
    let Some(table) = table::find(start, name) else { return vec![] };
    table.columns(start).into_iter().filter(|it| it.generated.is_none()).map(|it| it.name.clone()).collect()
}

fn nothing(schema: &Schema) -> BTreeMap<QName, Size> {
    let relations = schema.objects.values().filter_map(|object| match object {
        Object::Table(it) => Some(it.name.clone()),
        Object::MaterializedView(it) => Some(it.name.clone()),
        _ => None,
    });
    relations.map(|name| (name, Size { rows: 0, bytes: 0, table_bytes: 0, empty: true })).collect()
}
