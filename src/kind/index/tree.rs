//! A changed index of a partitioned table with those of its partitions: all are built beside the old ones and take their
//! names, so that there is never a moment without.

use std::collections::BTreeMap;

use super::{Index, is_gone, is_referred_to, stands_on_changes_of, temporary_name};
use crate::kind::comment::Comment;
use crate::kind::index::statistics;
use crate::kind::{Definition, Kind, Object, ObjectId, arbiter, index_partition, partition, table};
use crate::lock::Lock;
use crate::name::{Literal, QName};
use crate::plan::Step;
use crate::schema::{Schema, Sides};

/// An index as it was and as it shall be, each on the same table.
struct Pair<'a> {
    old: &'a Index,
    new: &'a Index,
    /// The place of the one that both are attached to.
    above: Option<usize>,
}

fn find<'a>(schema: &'a Schema, name: &QName) -> Option<&'a Index> {
    match schema.get(&ObjectId::new(Kind::Index, [&name.namespace, &name.name])) {
        Some(Object::Index(it)) => Some(it),
        _ => None,
    }
}

/// The index with those that are attached to it and below, on both sides; nothing where the tables differ, where
/// something stands on one of the indexes, or where there is nothing to keep up for anybody.
fn tree<'a>(name: &QName, sides: &Sides<'a>) -> Option<Vec<Pair<'a>>> {
    let (old, new) = (find(sides.old, name)?, find(sides.new, name)?);
    if !old.partitioned() || old.parent.0.is_some() || new.parent.0.is_some() || old.is_like(new) {
        return None;
    }
    let mut pairs = vec![Pair { old, new, above: None }];
    let mut next = 0;
    while let Some(Pair { old, new, .. }) = pairs.get(next) {
        if !can_swap(old, new, sides) {
            return None;
        }
        // Those of plain tables have none below.
        if !old.partitioned() {
            next += 1;
            continue;
        }
        let (before, after) = (below(sides.old, &old.id())?, below(sides.new, &new.id())?);
        let partitions = |schema: &'a Schema| {
            partition::of(schema).filter(|it| it.parent == old.table).map(|it| &it.child).collect::<Vec<_>>()
        };
        let parts = partitions(sides.old);
        let are_parts = |indexes: &BTreeMap<&QName, &Index>| {
            indexes.len() == parts.len() && parts.iter().all(|it| indexes.contains_key(*it))
        };
        if parts != partitions(sides.new) || !are_parts(&before) || !are_parts(&after) {
            return None;
        }
        pairs.extend(before.into_iter().map(|(table, old)| Pair { old, new: after[table], above: Some(next) }));
        next += 1;
    }
    let is_used = pairs.iter().any(|it| !it.old.partitioned() && sides.is_used(&it.old.table));
    let is_foreign = pairs.iter().any(|it| table::find(sides.old, &it.old.table).is_none_or(|it| !it.foreign.0.is_empty()));
    (is_used && !is_foreign).then_some(pairs)
}

/// The indexes that are attached to this one, by their tables; nothing if some belong to constraints.
fn below<'a>(schema: &'a Schema, id: &ObjectId) -> Option<BTreeMap<&'a QName, &'a Index>> {
    let ends = index_partition::attached_to(id, schema);
    ends.map(|it| Some((&it.child.table, find(schema, &it.child.index)?))).collect()
}

fn can_swap(old: &Index, new: &Index, sides: &Sides<'_>) -> bool {
    let (table, part) = (old.table_id(), partition::id(&old.table));
    let stays = |id: &ObjectId| !sides.is_new(id) && !sides.is_going(id);
    // The one that it is attached to changes with it.
    let is_ground = |need: &ObjectId| *need != table && need.kind != Kind::Index;
    let is_marked = |it: &Index| it.storage.clustered || it.storage.replica_identity;
    old.table == new.table
        && old.of == new.of
        && old.valid
        && new.valid
        && stays(&table)
        && (stays(&part) || sides.old.get(&part).is_none())
        && sides.old.get(&part) == sides.new.get(&part)
        && !is_marked(old)
        && !is_marked(new)
        && !is_referred_to(&old.id(), sides)
        && ![old, new].iter().any(|it| stands_on_changes_of(&it.id(), is_ground, sides))
}

/// Whether the index comes, changes or goes with one of a table above, which has the steps for all.
pub(in crate::kind) fn goes_along(index: &Index, schema: &Schema, sides: &Sides<'_>) -> bool {
    let mut above = index;
    while let Some(end) = &above.parent.0 {
        let Some(next) = find(schema, &end.index).filter(|_| !end.constraint) else { return false };
        above = next;
    }
    let ids = |pairs: Vec<Pair<'_>>| pairs.iter().map(|it| it.old.id()).collect();
    let family = || tree(&above.name, sides).map(ids).unwrap_or_default();
    above.parent.0.is_none() && above.name != index.name && !sides.family(above.id(), family).is_empty()
}

/// The same for an attachment to such an index.
pub(in crate::kind) fn is_attached_along(child: &QName, schema: &Schema, sides: &Sides<'_>) -> bool {
    find(schema, child).is_some_and(|it| goes_along(it, schema, sides))
}

/// The steps that build all of the tree beside the old one, drop that, and give the new ones their names.
pub(super) fn swap(root: &Index, sides: &Sides<'_>) -> Option<Vec<Step>> {
    let pairs = tree(&root.name, sides)?;
    let beside: Vec<QName> = pairs.iter().map(|it| it.new.name.sibling(temporary_name(&it.new.name, sides))).collect();
    let mut steps = vec![];
    for (Pair { new, above, .. }, name) in pairs.iter().zip(&beside) {
        let drop = format!("DROP INDEX IF EXISTS {name}");
        let built = match new.partitioned() {
            // Reads no row: those of the partitions are attached.
            true => Step::new(new.sql("", &name.name)).locks(&new.table, Lock::Share).own_transaction(),
            false => new.build(&name.name, sides),
        };
        let built = built.summary(format!("build index {} beside the old one", new.name));
        steps.push(match above {
            Some(_) => built.undone_by(index_partition::unless_attached(name, &drop)),
            None => built.undone_by(drop),
        });
    }
    for (pair, name) in pairs.iter().zip(&beside).rev() {
        if let Some(above) = pair.above {
            let summary = format!("attach the new index {}", pair.new.name);
            // Each by itself: who writes to several partitions in one transaction may hold the next and wait for this.
            steps.push(index_partition::attachment(&beside[above], name).summary(summary).own_transaction());
        }
    }
    // Whoever goes back has it no more.
    let guard = if sides.facts.way_back { "IF EXISTS " } else { "" };
    let drop = Step::new(format!("DROP INDEX {guard}{}", root.name))
        .check(is_gone(&root.name))
        .own_transaction()
        .summary(format!("drop the old index {} with those of the partitions", root.name))
        .makes();
    let reach = table::reach(sides, &root.table);
    let built = steps.len();
    steps.push(reach.iter().fold(drop, |step, table| step.locks(table, Lock::AccessExclusive)));
    for (Pair { new, .. }, name) in pairs.iter().zip(&beside) {
        let rename = new.takes_its_name(&name.name, sides);
        steps.push(rename.summary(format!("the new index {} takes its name", new.name)));
        steps.extend(statistics(&new.name, new.keys.iter().map(|_| None), new.keys.iter().map(|key| key.statistics)));
        // A comment that stays as it was went with the old index.
        let comment = Comment::new(new.id(), "").id();
        if let (Some(old), Some(Object::Comment(it))) = (sides.old.get(&comment), sides.new.get(&comment))
            && sides.new.get(&comment) == Some(old)
        {
            let said = Literal(&it.text);
            steps.push(Step::new(format!("COMMENT ON INDEX {} IS {said}", new.name)).summary("the index has its comment"));
        }
    }
    Some(arbiter::kept_until_contract(&root.id(), steps, built, sides))
}

impl Index {
    /// Whether the two differ in nothing that an index is built for.
    pub(in crate::kind) fn is_like(&self, new: &Index) -> bool {
        self.settled_like(new) == *new
    }
}
