//! A changed key of a partitioned table with those of its partitions: the indexes of all partitions are built beside the
//! old ones, and all keys change over in one transaction that reads no row.

use std::collections::{BTreeMap, BTreeSet};

use super::{Constraint, Rule, Unique};
use crate::kind::{Kind, Object, ObjectId, arbiter, index, index_partition, partition, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::{Disturbance, Step, Undo};
use crate::schema::{Schema, Sides};

/// A key as it was and as it shall be, each on the same table.
struct Pair<'a> {
    old: &'a Constraint,
    new: &'a Constraint,
    key: &'a Unique,
    /// The place of the one whose index that of this one is attached to.
    above: Option<usize>,
}

/// A key of a partitioned table, the first pair, with those that are part of it.
struct Tree<'a> {
    pairs: Vec<Pair<'a>>,
    /// Whether a partition goes on the way there.
    loses_partitions: bool,
}

fn find<'a>(schema: &'a Schema, id: &ObjectId) -> Option<&'a Constraint> {
    match schema.get(id) {
        Some(Object::Constraint(it)) => Some(it),
        _ => None,
    }
}

/// The key as a tree, on both sides; nothing where its tables differ but for partitions that come or
/// go as tables, where something else has one of the names, or where there is nothing to keep up for anybody.
fn tree<'a>(root: &ObjectId, sides: &Sides<'a>) -> Option<Tree<'a>> {
    let (old, new) = (find(sides.old, root)?, find(sides.new, root)?);
    if !old.partitioned || old.is_attached() || new.is_attached() || old.settled_like(new) == *new {
        return None;
    }
    let mut pairs = vec![pair(old, new, None, sides)?];
    let (mut next, mut loses_partitions) = (0, false);
    while let Some(Pair { old, new, .. }) = pairs.get(next) {
        // Those of plain tables have none below.
        if old.partitioned {
            let (before, after) = (below(sides.old, old)?, below(sides.new, new)?);
            let (parts, parts_after) = (partitions(sides.old, old), partitions(sides.new, new));
            let goes = |it: &&QName| parts_after.contains(*it) || !sides.new.contains(&table::id(it));
            let comes = |it: &&QName| parts.contains(*it) || !sides.old.contains(&table::id(it));
            if !parts.iter().all(goes) || !parts_after.iter().all(comes) {
                return None;
            }
            let (first, last) = if sides.facts.way_back { (&parts_after, &parts) } else { (&parts, &parts_after) };
            loses_partitions |= first.iter().any(|it| !last.contains(*it));
            for part in parts.iter().filter(|it| parts_after.contains(*it)) {
                pairs.push(pair(before.get(part)?, after.get(part)?, Some(next), sides)?);
            }
        }
        next += 1;
    }
    let is_used = pairs.iter().any(|it| !it.old.partitioned && sides.is_used(&it.old.table));
    let is_foreign = |it: &Pair<'_>| table::find(sides.old, &it.old.table).is_none_or(|it| !it.foreign.0.is_empty());
    (is_used && !pairs.iter().any(is_foreign)).then_some(Tree { pairs, loses_partitions })
}

fn partitions<'a>(schema: &'a Schema, of: &Constraint) -> BTreeSet<&'a QName> {
    partition::of(schema).filter(|it| it.parent == of.table).map(|it| &it.child).collect()
}

/// The keys that are part of this one, by their tables; nothing if some are none.
fn below<'a>(schema: &'a Schema, key: &Constraint) -> Option<BTreeMap<&'a QName, &'a Constraint>> {
    let id = named(key);
    let ends = index_partition::attached_to(&id, schema);
    ends.map(|it| Some((&it.child.table, find(schema, &it.child.id())?))).collect()
}

/// The two, where one can take the other's place.
fn pair<'a>(
    old: &'a Constraint,
    new: &'a Constraint,
    above: Option<usize>,
    sides: &Sides<'a>,
) -> Option<Pair<'a>> {
    let (Rule::Unique(before), Rule::Unique(key)) = (&old.rule, &new.rule) else { return None };
    let (table, part) = (old.table_id(), partition::id(&old.table));
    let stays = |id: &ObjectId| !sides.is_new(id) && !sides.is_going(id);
    // The one that it is part of changes with it.
    let is_ground = |need: &ObjectId| *need != table && need.kind != Kind::Constraint;
    let is_free = |it: &Constraint, schema: &Schema| {
        let index = it.index();
        !schema.contains(&named(it)) && !schema.contains(&ObjectId::new(Kind::Index, [&index.namespace, &index.name]))
    };
    let have_names = named(old) == named(new) || is_free(new, sides.old) && is_free(old, sides.new);
    let can = old.partitioned == new.partitioned
        && !before.without_overlaps
        && !key.without_overlaps
        && old.valid
        && new.valid
        && stays(&table)
        && (stays(&part) || sides.old.get(&part).is_none())
        && sides.old.get(&part) == sides.new.get(&part)
        && have_names
        && ![old, new].iter().any(|it| sides.replaced.contains(&named(it)))
        && ![old, new].iter().any(|it| index::stands_on_changes_of(&named(it), is_ground, sides));
    can.then_some(Pair { old, new, key, above })
}

/// Whether the key changes with one of a table above, which has the steps for all.
pub(in crate::kind) fn goes_along(key: &Constraint, schema: &Schema, sides: &Sides<'_>) -> bool {
    if !key.is_attached() {
        return false;
    }
    let mut root = key;
    while let Some(end) = root.rule.parent() {
        let Some(next) = find(schema, &end.id()) else { return false };
        root = next;
    }
    let ids = |tree: Tree<'_>| tree.pairs.iter().flat_map(|it| [named(it.old), named(it.new)]).collect();
    let family = || tree(&named(root), sides).map(ids).unwrap_or_default();
    sides.family(named(root), family).contains(&named(key))
}

/// The same for the attachment of such a key's index.
pub(in crate::kind) fn is_attached_along(child: &index_partition::End, schema: &Schema, sides: &Sides<'_>) -> bool {
    child.constraint && find(schema, &child.id()).is_some_and(|it| goes_along(it, schema, sides))
}

/// The steps that build the indexes of all partitions beside the old ones, and then change the keys.
pub(super) fn swap(root: &Constraint, sides: &Sides<'_>) -> Option<Vec<Step>> {
    let id = named(root);
    let tree = tree(&id, sides)?;
    let (pairs, root) = (&tree.pairs, tree.pairs.first()?);
    let beside: Vec<Name> = pairs.iter().map(|it| index::temporary_name(&it.new.index(), sides)).collect();
    let names: Vec<Name> = pairs.iter().map(|it| it.new.name.clone()).collect();
    let mut steps: Vec<Step> = leaves(pairs, &beside).map(|(it, name)| it.build(name, sides)).collect();
    let early = tree.is_found_early(root.new, sides) && !sides.facts.way_back;
    if early {
        let step = Step::new(made(pairs, &beside, &beside, sides).join(";\n")).own_transaction();
        let step = pairs.iter().fold(step, |step, it| step.locks(&it.new.table, Lock::AccessExclusive));
        let end = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", root.new.table, beside[0]);
        let step = step.summary(format!("{id} is there beside the old one")).undone_by(end);
        steps.push(built_again(step, pairs, &beside));
    }
    let mut sql = match sides.facts.way_back && tree.is_found_early(root.old, sides) {
        // So it was before it took its name, and is found again on the way there.
        true => renamed(pairs.iter().map(|it| {
            (it.old, it.old.name.clone(), index::name_of_the_way_there(&it.old.index(), sides))
        })),
        false => vec![format!("ALTER TABLE {} DROP CONSTRAINT {}", root.old.table, root.old.name)],
    };
    sql.extend(match early {
        true => renamed(pairs.iter().zip(&beside).map(|(it, name)| (it.new, name.clone(), it.new.name.clone()))),
        false => made(pairs, &names, &beside, sides),
    });
    let marks = pairs.iter().flat_map(|it| it.key.storage.mark(&it.new.table, &it.new.name));
    sql.extend(marks.map(|it| it.sql));
    let change = Step::new(sql.join(";\n")).summary(format!("{id} changes, with those of the partitions")).makes();
    let reach = table::reach(sides, &root.old.table);
    let change = reach.iter().fold(change, |step, table| step.locks(table, Lock::AccessExclusive));
    let change = pairs.iter().fold(change, |step, it| step.disturbs(named(it.old), Disturbance::Replace));
    let end = steps.len();
    steps.push(if early || sides.facts.way_back { change } else { built_again(change, pairs, &beside) });
    let steps = steps.into_iter().map(|step| root.new.after_not_null(step, sides)).collect();
    Some(arbiter::kept_until_contract(&id, steps, end, sides))
}

impl Tree<'_> {
    /// Whether the way there, from which this one may lead back, makes this key before the old one goes, so that upserts
    /// over its columns find it: those over the old columns find none once it has taken the name. A table has one primary
    /// key, and what is to be found is on all partitions.
    fn is_found_early(&self, key: &Constraint, sides: &Sides<'_>) -> bool {
        let is_primary = matches!(&key.rule, Rule::Unique(it) if it.primary);
        !is_primary && !self.loses_partitions && arbiter::is_lost_by_the_end(&named(key), sides)
    }
}

impl Pair<'_> {
    /// Builds the index of a plain table, beside that of the old key.
    fn build(&self, name: &Name, sides: &Sides<'_>) -> Step {
        let drop = format!("DROP INDEX IF EXISTS {}", self.new.table.sibling(name.clone()));
        let build = self.new.reading(self.key.build("", name, &self.new.table), sides);
        let build = build.summary(format!("build the index of {}", named(self.new))).undone_by(drop);
        build.aids(index::aid(&self.new.table, name))
    }
}

/// Those of plain tables, each with its name.
fn leaves<'a, 'b>(pairs: &'b [Pair<'a>], names: &'b [Name]) -> impl Iterator<Item = (&'b Pair<'a>, &'b Name)> {
    pairs.iter().zip(names).filter(|(it, _)| !it.new.partitioned)
}

/// The step, whose way back builds the indexes again under the names that they had then: whoever goes forward again needs
/// them.
fn built_again(step: Step, pairs: &[Pair<'_>], names: &[Name]) -> Step {
    leaves(pairs, names).fold(step, |step, (it, name)| {
        let again = Undo::outside(it.key.build("IF NOT EXISTS ", name, &it.new.table).sql);
        step.built_again_by(index::aid(&it.new.table, name), again)
    })
}

fn renamed<'a>(keys: impl Iterator<Item = (&'a Constraint, Name, Name)>) -> Vec<String> {
    keys.map(|(it, from, to)| format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", it.table)).collect()
}

fn named(key: &Constraint) -> ObjectId {
    Constraint::id_on(&key.table, &key.name)
}

/// The statements that make the keys under these names: that of a plain table takes over the index that was built for it,
/// those of partitioned tables come without their partitions, which are attached then.
fn made(pairs: &[Pair<'_>], names: &[Name], built: &[Name], sides: &Sides<'_>) -> Vec<String> {
    let keys = pairs.iter().zip(names).zip(built).map(|((Pair { new, key, .. }, name), built)| {
        if new.partitioned {
            return format!("ALTER TABLE ONLY {} ADD CONSTRAINT {name} {}", new.table, new.definition(sides));
        }
        let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
        format!("ALTER TABLE {} ADD CONSTRAINT {name} {kind} USING INDEX {built}{}", new.table, new.deferrability())
    });
    let index = |at: usize| pairs[at].new.table.sibling(names[at].clone());
    let attached = pairs.iter().enumerate().rev().filter_map(|(at, it)| Some((it.above?, at)));
    keys.chain(attached.map(|(above, at)| index_partition::attachment(&index(above), &index(at)).sql)).collect()
}
