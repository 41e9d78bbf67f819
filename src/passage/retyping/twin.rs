//! What stands on a column that gets another type: it is made once more upon the new column, under another name, and
//! takes its name when the columns change over. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::{Exchange, Group, Turn};
use crate::kind::column::{Aside, NotNull};
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::index::{Index, Key, Of, Storage, Subject};
use crate::kind::made_name::derived;
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::passage::partitioned;
use crate::schema::Schema;

/// A key, constraint, index or statistics object upon one of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    pub id: ObjectId,
    pub is: Is,
    /// What that of the new column is called until it takes the name.
    pub fresh: Name,
    /// What that of the old column is called on the way back.
    pub former: Name,
    /// It comes and goes, and changes its name, with that of a partitioned table.
    pub led: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Is {
    /// An index meanwhile, which becomes the key; with what follows USING INDEX.
    Primary {
        of: QName,
        deferrability: &'static str,
    },
    /// The same in a partition: the key of the partitioned table takes it for its own as it comes.
    Leaf {
        of: QName,
    },
    /// A key of a partitioned table, which can't be made beside the other.
    Whole {
        of: QName,
    },
    /// A foreign key of a table, and of its partitions.
    Foreign {
        of: QName,
        family: Vec<QName>,
    },
    /// A foreign key that comes as a promise in the moment of the change: on its table, or on each of the `partitions`
    /// that store its rows.
    Promised {
        of: QName,
        partitions: Vec<QName>,
    },
    Constraint {
        of: QName,
    },
    Index,
    /// An index of a partition, which that of the partitioned table takes for its own as it comes.
    LeafIndex,
    /// An index of a partitioned table.
    WholeIndex,
    Statistics,
}

/// Which of the two columns something stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Fresh,
    Former,
}

impl Side {
    pub fn column(self, turn: &Turn) -> &Name {
        match self {
            Side::Fresh => &turn.fresh,
            Side::Former => &turn.former,
        }
    }

    pub fn exchange(self, exchange: &Exchange) -> &Name {
        match self {
            Side::Fresh => &exchange.fresh,
            Side::Former => &exchange.former,
        }
    }

    pub fn twin(self, twin: &Twin) -> &Name {
        match self {
            Side::Fresh => &twin.fresh,
            Side::Former => &twin.former,
        }
    }
}

impl Twin {
    pub fn name(&self) -> &Name {
        self.id.path.last().expect("a path has a last part")
    }

    /// As the catalogs know it under another name: a primary key is an index then.
    fn id_as(&self, name: &Name) -> ObjectId {
        let kind = if matches!(self.is, Is::Primary { .. } | Is::Leaf { .. }) { Kind::Index } else { self.id.kind };
        let path: Vec<Name> = match (&self.is, &self.id.path[..]) {
            (Is::Primary { .. } | Is::Leaf { .. }, [namespace, ..]) => vec![namespace.clone(), name.clone()],
            (_, [container @ .., _]) => container.iter().chain([name]).cloned().collect(),
            (_, []) => vec![name.clone()],
        };
        ObjectId { kind, path: path.into() }
    }

    /// Its id while it stands on one of the two columns under that name.
    pub fn id_on(&self, side: Side) -> ObjectId {
        self.id_as(side.twin(self))
    }

    /// Whether it stands on the new column before the change.
    pub fn comes_before(&self) -> bool {
        match &self.is {
            Is::Whole { .. } | Is::WholeIndex | Is::Promised { .. } => false,
            Is::Primary { .. }
            | Is::Leaf { .. }
            | Is::Foreign { .. }
            | Is::Constraint { .. }
            | Is::Index
            | Is::LeafIndex
            | Is::Statistics => true,
        }
    }

    /// The statement that renames it.
    pub fn rename(&self, from: &Name, to: &Name) -> String {
        match &self.is {
            Is::Primary { of, .. }
            | Is::Leaf { of }
            | Is::Whole { of }
            | Is::Foreign { of, .. }
            | Is::Promised { of, .. }
            | Is::Constraint { of } => {
                format!("ALTER TABLE {of} RENAME CONSTRAINT {from} TO {to}")
            }
            Is::Index | Is::LeafIndex | Is::WholeIndex => self.rename_index(from, to),
            Is::Statistics => format!("ALTER STATISTICS {} RENAME TO {to}", self.sibling(from)),
        }
    }

    pub fn rename_index(&self, from: &Name, to: &Name) -> String {
        format!("ALTER INDEX {} RENAME TO {to}", self.sibling(from))
    }

    fn sibling(&self, name: &Name) -> QName {
        QName::new(self.id.path[0].clone(), name.clone())
    }

    /// The statement that drops it.
    pub fn drop(&self) -> String {
        let (name, namespace) = (self.name(), &self.id.path[0]);
        match &self.is {
            Is::Primary { of, .. }
            | Is::Leaf { of }
            | Is::Whole { of }
            | Is::Foreign { of, .. }
            | Is::Promised { of, .. }
            | Is::Constraint { of } => {
                format!("ALTER TABLE {of} DROP CONSTRAINT {name}")
            }
            Is::Index | Is::LeafIndex | Is::WholeIndex => format!("DROP INDEX {namespace}.{name}"),
            Is::Statistics => format!("DROP STATISTICS {namespace}.{name}"),
        }
    }
}

/// All that stands on the columns of a group.
pub fn twins(group: &Group, schema: &Schema, others: &Schema) -> Vec<Twin> {
    let columns: BTreeSet<ObjectId> = group.turns.iter().flat_map(Turn::ids).collect();
    let taken: BTreeSet<Name> =
        [schema, others].iter().flat_map(|it| it.objects.keys()).filter_map(|id| id.path.last().cloned()).collect();
    let mut used = taken;
    let mut twins: Vec<Twin> = vec![];
    let objects = [Kind::Constraint, Kind::Index, Kind::Statistics].into_iter().flat_map(|it| schema.of_kind(it));
    for object in objects {
        let id = object.id();
        if !schema.needs_of(&id).any(|need| columns.contains(need)) {
            continue;
        }
        let Some((is, led)) = is(object, group, schema) else { continue };
        let name = id.path.last().cloned().unwrap_or_else(|| Name::from(""));
        let mut name_with = |suffix: &str| {
            let found = derived(&[name.as_str(), suffix], |it| !used.contains(it));
            used.insert(found.clone());
            found
        };
        let (fresh, former) = (name_with("new"), name_with("old"));
        twins.push(Twin { id, is, fresh, former, led });
    }
    follow(&mut twins, group);
    twins
}

/// Checks of partitions that those of the whole brought are called as these are.
fn follow(twins: &mut [Twin], group: &Group) {
    let leading = |twin: &Twin, twins: &[Twin]| {
        let Is::Constraint { of } = &twin.is else { return None };
        let turn = group.turns.iter().find(|it| it.family.contains(of))?;
        let leads = |it: &&Twin| {
            !it.led && it.name() == twin.name() && matches!(&it.is, Is::Constraint { of } if *of == turn.table)
        };
        twins.iter().find(leads).map(|it| (it.fresh.clone(), it.former.clone()))
    };
    for at in 0..twins.len() {
        if twins[at].led
            && let Some((fresh, former)) = leading(&twins[at], twins)
        {
            (twins[at].fresh, twins[at].former) = (fresh, former);
        }
    }
}

fn is(object: &Object, group: &Group, schema: &Schema) -> Option<(Is, bool)> {
    let own = |is: Is| Some((is, false));
    match object {
        Object::Constraint(it) => {
            let of = it.table.clone();
            match &it.rule {
                Rule::Unique(key) if it.partitioned => Some((Is::Whole { of }, key.parent.0.is_some())),
                Rule::Unique(key) if key.parent.0.is_some() => Some((Is::Leaf { of }, true)),
                Rule::Unique(key) if key.primary => own(Is::Primary { of, deferrability: deferrability(it) }),
                Rule::Foreign(key) if group.is_promised(key) => {
                    own(Is::Promised { partitions: promised(it, schema), of })
                }
                Rule::Foreign(_) => own(Is::Foreign { family: partitioned::family(schema, &of), of }),
                Rule::Check(_) => Some((Is::Constraint { of }, it.inherited.0)),
                Rule::Unique(_) => own(Is::Constraint { of }),
                Rule::Exclusion(_) => None,
            }
        }
        Object::Index(it) => match (it.of, it.parent.0.is_some()) {
            (Of::PartitionedTable, led) => Some((Is::WholeIndex, led)),
            (Of::Table, true) => Some((Is::LeafIndex, true)),
            (Of::Table, false) => own(Is::Index),
            (Of::MaterializedView, _) => None,
        },
        Object::Statistics(_) => own(Is::Statistics),
        _ => None,
    }
}

/// Before 18 a foreign key of a partitioned table can't be NOT VALID: the partitions that have it in its place.
fn promised(constraint: &Constraint, schema: &Schema) -> Vec<QName> {
    match constraint.partitioned && schema.major() < 18 {
        true => partitioned::leaves(schema, &constraint.table).into_iter().map(|it| it.child.clone()).collect(),
        false => vec![],
    }
}

fn deferrability(constraint: &Constraint) -> &'static str {
    match (constraint.deferrable, constraint.deferred) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, _) => "",
    }
}

/// The statements that put the names of one side into a schema in which the columns and what stands on them have their
/// own: PostgreSQL says then how their definitions read.
pub fn renames(group: &Group, twins: &[Twin], side: Side) -> Vec<String> {
    let columns = group
        .turns
        .iter()
        .map(|it| format!("ALTER TABLE {} RENAME COLUMN {} TO {}", it.table, it.name, side.column(it)));
    let types = group.types.iter().map(|it| it.rename(&it.name.name, side.exchange(it)));
    // The server renames checks of partitions with that of the whole.
    let with_another = |it: &&Twin| it.led && matches!(it.is, Is::Constraint { .. });
    let twins = twins.iter().filter(|it| !with_another(it));
    types.chain(columns).chain(twins.map(|it| it.rename(it.name(), side.twin(it)))).collect()
}

/// What a schema that was renamed so has to give: the columns of that side, required as they are there, and what stands
/// on them.
pub fn add(to: &mut Schema, renamed: &Schema, group: &Group, twins: &[Twin], side: Side) {
    let keys: BTreeMap<ObjectId, ObjectId> = twins
        .iter()
        .filter_map(|it| match &it.is {
            Is::Primary { of, .. } | Is::Leaf { of } => {
                let under = ObjectId::new(Kind::Constraint, [&of.namespace, &of.name, side.twin(it)]);
                Some((under, it.id_on(side)))
            }
            _ => None,
        })
        .collect();
    let found = twins.iter().filter(|it| it.comes_before()).filter_map(|it| {
        let is_key = matches!(it.is, Is::Primary { .. } | Is::Leaf { .. });
        let id = match &it.is {
            Is::Primary { of, .. } | Is::Leaf { of } => {
                ObjectId::new(Kind::Constraint, [&of.namespace, &of.name, side.twin(it)])
            }
            _ => it.id_on(side),
        };
        let object = renamed.get(&id)?;
        let beside = as_index(object).filter(|_| is_key).unwrap_or_else(|| object.clone());
        Some((id, without_marks(beside)))
    });
    let found: Vec<(ObjectId, Object)> = found.collect();
    for (_, object) in &found {
        to.objects.insert(object.id(), object.clone());
        let owner = object.id().satellite(Kind::Owner);
        if let Some(it) = renamed.get(&owner) {
            to.objects.insert(owner.clone(), it.clone());
            to.needs.insert(owner, Arc::new(BTreeSet::from([object.id()])));
        }
    }
    for (id, object) in &found {
        let needs = renamed.needs_of(id).map(|need| keys.get(need).unwrap_or(need));
        let needs = needs.filter(|need| to.contains(need)).cloned().collect();
        to.needs.insert(object.id(), Arc::new(needs));
    }
    let major = to.major();
    for id in group.turns.iter().flat_map(|it| it.ids_as(side.column(it))) {
        if let (Some(Object::Column(after)), Some(Object::Column(here))) =
            (renamed.get(&id).cloned(), to.objects.get_mut(&id))
        {
            // From 18 on it has a name, which that of the other column has taken.
            let own = (major >= 18).then(|| derived(&[here.name.as_str(), "not_null"], |_| true));
            Arc::make_mut(here).not_null = after.not_null.clone().map(|it| NotNull { name: own, ..it });
        }
    }
}

/// A key as the index that it begins as.
fn as_index(object: &Object) -> Option<Object> {
    let Object::Constraint(constraint) = object else { return None };
    let Rule::Unique(key) = &constraint.rule else { return None };
    let plain = |name: &Name| Key {
        of: Subject::Column(name.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: false,
        statistics: None,
    };
    Some(Object::Index(Arc::new(Index {
        name: constraint.table.sibling(constraint.name.clone()),
        table: constraint.table.clone(),
        of: Of::Table,
        unique: true,
        nulls_not_distinct: key.nulls_not_distinct,
        method: "btree".into(),
        keys: key.columns.iter().map(plain).collect(),
        include: key.include.clone(),
        predicate: None,
        storage: key.storage.clone(),
        valid: true,
        parent: Aside(None),
        lacking: Aside(vec![]),
    })))
}

/// Only one index of a table can be the one that it is clustered by, or the identity of its rows.
fn without_marks(mut object: Object) -> Object {
    let unmark = |storage: &mut Storage| {
        storage.clustered = false;
        storage.replica_identity = false;
    };
    match &mut object {
        Object::Index(it) => {
            let it = Arc::make_mut(it);
            unmark(&mut it.storage);
            it.parent = Aside(None);
        }
        Object::Constraint(it) => {
            if let Rule::Unique(key) = &mut Arc::make_mut(it).rule {
                unmark(&mut key.storage);
            }
        }
        _ => {}
    }
    object
}
