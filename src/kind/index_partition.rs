//! `ALTER INDEX … ATTACH PARTITION`: an index of a partition, a constraint's or not, becomes part of the index of
//! the partitioned table. It ends only with one of the two, or with the partition's own attachment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kind::comment::{Comment, Part};
use crate::kind::index::{self, Of};
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, constraint, partition, table};
use crate::name::{Literal, Name, QName};
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexPartition {
    pub child: End,
    pub parent: End,
}

/// An index, and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub index: QName,
    pub table: QName,
    /// Whether it is the index of a constraint, which then has the same name.
    pub constraint: bool,
}

impl End {
    pub fn id(&self) -> ObjectId {
        if self.constraint {
            ObjectId::new(Kind::Constraint, [&self.table.namespace, &self.table.name, &self.index.name])
        } else {
            ObjectId::new(Kind::Index, [&self.index.namespace, &self.index.name])
        }
    }
}

/// The parent of the index `i` (pg_index) as an [`End`], or null.
macro_rules! parent {
    () => {
        r#"(SELECT json_build_object(
                        'index', json_build_array(pn.nspname, p.relname),
                        'table', json_build_array(ptn.nspname, pt.relname),
                        'constraint', EXISTS (SELECT FROM pg_constraint pc
                                               WHERE pc.conindid = p.oid AND pc.conrelid = pt.oid
                                                 AND pc.contype IN ('p', 'u', 'x')))
                  FROM pg_inherits h
                  JOIN pg_class p ON p.oid = h.inhparent
                  JOIN pg_namespace pn ON pn.oid = p.relnamespace
                  JOIN pg_index pi ON pi.indexrelid = p.oid
                  JOIN pg_class pt ON pt.oid = pi.indrelid
                  JOIN pg_namespace ptn ON ptn.oid = pt.relnamespace
                 WHERE h.inhrelid = i.indexrelid)"#
    };
}

pub(super) use parent;

/// The attachments of indexes to these, and to those that are attached so.
pub(super) fn below<'a>(indexes: impl Iterator<Item = &'a ObjectId>, schema: &Schema) -> Vec<ObjectId> {
    let mut ends: Vec<ObjectId> = indexes.filter(|it| matches!(it.kind, Kind::Constraint | Kind::Index)).cloned().collect();
    let (mut below, mut next) = (vec![], 0);
    while let Some(end) = ends.get(next).cloned() {
        for object in schema.of_kind(Kind::IndexPartition) {
            if let Object::IndexPartition(it) = object
                && it.parent.id() == end
            {
                below.push(object.id());
                ends.push(it.child.id());
            }
        }
        next += 1;
    }
    below
}

/// The attachments to this index.
pub(super) fn attached_to<'a, 'b>(
    parent: &'b ObjectId,
    schema: &'a Schema,
) -> impl Iterator<Item = &'a IndexPartition> + use<'a, 'b> {
    schema.of_kind(Kind::IndexPartition).filter_map(move |object| match object {
        Object::IndexPartition(it) if it.parent.id() == *parent => Some(&**it),
        _ => None,
    })
}

/// The attachments of this partition's indexes.
pub(super) fn of<'a>(partition: &'a QName, schema: &'a Schema) -> impl Iterator<Item = &'a IndexPartition> {
    schema.of_kind(Kind::IndexPartition).filter_map(move |object| match object {
        Object::IndexPartition(it) if it.child.table == *partition => Some(&**it),
        _ => None,
    })
}

/// Says again the comments of the indexes below those on the columns: building these anew for another type, the server
/// gives each the comment of the index that it is part of, or none.
pub(super) fn comments_again(columns: &[ObjectId], sides: &Sides<'_>) -> Vec<Step> {
    let mut parents = BTreeSet::new();
    for object in sides.old.of_kind(Kind::IndexPartition) {
        if let Object::IndexPartition(it) = object
            && sides.old.needs_of(&it.parent.id()).any(|need| columns.contains(need))
        {
            parents.insert(it.parent.id());
        }
    }
    let ends = sides.old.of_kind(Kind::IndexPartition).filter_map(|object| match object {
        Object::IndexPartition(it) => Some((object.id(), &it.child)),
        _ => None,
    });
    let ends: BTreeMap<ObjectId, &End> = ends.collect();
    let mut said = BTreeMap::new();
    for parent in parents {
        let spreads = sides.old.contains(&comment_on(&parent));
        for end in below(std::iter::once(&parent), sides.old).iter().filter_map(|it| ends.get(it)) {
            let id = end.id();
            let text = match sides.new.get(&comment_on(&id)) {
                Some(Object::Comment(it)) => Some(it.text.as_str()),
                _ => None,
            };
            let stays = sides.new.contains(&id) && !sides.is_going(&id);
            if stays && (spreads || text.is_some()) {
                let comment = text.map_or("NULL".to_owned(), |it| Literal(it).to_string());
                said.insert(id, Step::new(format!("COMMENT ON INDEX {} IS {comment}", end.index)));
            }
        }
    }
    let summary = "the index has the comment that it had before the server built it anew";
    said.into_values().map(|it| it.stage(Stage::Contract).summary(summary)).collect()
}

/// `ALTER INDEX … ATTACH PARTITION`.
pub(super) fn attachment(parent: &QName, child: &QName) -> Step {
    Step::new(format!("ALTER INDEX {parent} ATTACH PARTITION {child}")).repeats().check(format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({}) \
         AND inhparent = pg_catalog.to_regclass({}))",
        Literal(&child.to_string()),
        Literal(&parent.to_string())
    ))
}

/// What takes back an index of a partition that has not become part of another: what has goes with that.
pub(super) fn unless_attached(index: &QName, drop: &str) -> String {
    let body = format!(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({}) AND NOT relispartition) \
         THEN {drop}; END IF; END",
        Literal(&index.to_string())
    );
    format!("DO {}", Literal(&body))
}

/// The comment on an index, which that of a constraint has apart from the one on the constraint.
fn comment_on(index: &ObjectId) -> ObjectId {
    match index.kind {
        Kind::Constraint => Comment::on_part(Part::Index, index.clone(), "").id(),
        _ => Comment::new(index.clone(), "").id(),
    }
}

/// Whether what goes is the index's parent, and goes with its table: the partition was detached by then, and keeps the
/// index.
pub(super) fn outlives_parent(parent: Option<&End>, need: &ObjectId, new: &Schema) -> bool {
    parent.is_some_and(|it| it.id() == *need && !new.contains(&table::id(&it.table)))
}

/// Whether dropping the index's parent drops it too.
pub(super) fn goes_with_parent(parent: Option<&End>, table: &QName, sides: &Sides<'_>) -> bool {
    parent.is_some_and(|it| sides.is_going(&it.id()) && !partition::leaves_before(sides, table, &it.id()))
}

/// The attachment of the index's table, which goes before the index's parent does: the index goes by itself, after it.
pub(super) fn detached_before(parent: Option<&End>, table: &QName, sides: &Sides<'_>) -> Option<ObjectId> {
    let parent = parent.filter(|it| sides.is_going(&it.id()) && !goes_with_parent(Some(it), table, sides));
    parent.map(|_| partition::id(table))
}

impl IndexPartition {
    /// Whether the steps that change an index or a key of a table above have this attachment among them.
    fn is_along(&self, schema: &Schema, sides: &Sides<'_>) -> bool {
        index::is_attached_along(&self.child.index, schema, sides) || constraint::is_attached_along(&self.child, schema, sides)
    }

    /// Whether the parent comes with it.
    fn is_taken_in(&self, sides: &Sides<'_>) -> bool {
        match sides.new.get(&self.parent.id()) {
            Some(Object::Index(it)) => {
                let stays = !sides.is_new(&partition::id(&self.child.table));
                stays && sides.is_new(&it.id()) && it.takes_in_its_parts(sides)
            }
            _ => false,
        }
    }
}

impl Definition for IndexPartition {
    const NOUN: &'static str = "index attachment";

    const CATALOG: &'static str = concat!(
        r#"
        SELECT json_build_object(
            'at', json_build_array(0, 0, 0),
            'def', json_build_object(
                'child', json_build_object(
                    'index', json_build_array(n.nspname, c.relname),
                    'table', json_build_array(tn.nspname, t.relname),
                    'constraint', EXISTS (SELECT FROM pg_constraint con
                                           WHERE con.conindid = c.oid AND con.conrelid = t.oid
                                             AND con.contype IN ('p', 'u', 'x'))),
                'parent', "#,
        parent!(),
        r#"))
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid AND c.relispartition
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace tn ON tn.oid = t.relnamespace
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                              AND d.objid = t.oid AND d.deptype = 'e')"#
    );

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::IndexPartition, [&self.child.index.namespace, &self.child.index.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("INDEX {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        let table = &self.child.table;
        vec![self.parent.id(), self.child.id(), partition::id(table)]
    }

    /// A table between that of its parent and its own, with which both change over.
    fn wishes_when_altered(&self, _new: &Schema) -> Vec<ObjectId> {
        vec![partition::id(&self.parent.table)]
    }

    fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        partition::level_that_goes(sides, &self.child.table).into_iter().collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.child.id())
    }

    /// Both are the same, and the one above is that of a partitioned table.
    fn fits(&self, schema: &Schema) -> bool {
        match (schema.get(&self.parent.id()), schema.get(&self.child.id())) {
            (Some(Object::Index(above)), Some(Object::Index(own))) => {
                above.of == Of::PartitionedTable && above.is_part_like(own)
            }
            (Some(Object::Constraint(above)), Some(Object::Constraint(own))) => {
                above.partitioned && above.rule.is_part_like(&own.rule)
            }
            _ => true,
        }
    }

    /// While the partition stays, only with the parent.
    fn goes_only_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        if self.is_along(sides.old, sides) {
            return None;
        }
        let (partition, parent) = (partition::id(&self.child.table), self.parent.id());
        (!sides.is_going(&partition) && !sides.is_going(&parent)).then_some(parent)
    }

    fn changes_along(&self, sides: &Sides<'_>) -> bool {
        self.is_along(sides.old, sides)
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.is_taken_in(sides) || self.is_along(sides.new, sides) {
            return vec![];
        }
        // A table that is attached late is another table until then.
        let stage = partition::stage(sides, &self.child.table);
        let step = attachment(&self.parent.index, &self.child.index).stage(stage);
        // Who writes to several partitions in one transaction may hold the next one's index and wait for this one's.
        let was = !sides.is_new(&table::id(&self.child.table)) && !sides.replaced.contains(&self.id());
        let alone = was && sides.is_used(&self.child.table);
        vec![if alone { step.own_transaction() } else { step }]
    }

    /// The same index is attached to another parent once the old one is gone.
    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.parent.index == new.parent.index && self.child.index == new.child.index {
            return Alter::Steps(vec![]);
        }
        let ends = [self.parent.id(), self.child.id(), partition::id(&self.child.table)];
        if !ends.iter().any(|it| sides.is_going(it)) {
            // Nothing takes an index from a parent that stays, but that its table becomes a partition of another: there the
            // server finds the index by itself.
            return match partition::is_moved(sides, &self.child.table) {
                true => Alter::Steps(vec![]),
                false => Alter::Replace,
            };
        }
        Alter::Steps(new.create(sides))
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![]
    }
}
