//! Partitions that an application makes and drops at run time: once their table is there, which of them there are is the
//! live side's to say, and the declaration speaks of the table alone. Pure; the pipeline asks the shadow for the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use globset::GlobSet;

use crate::kind::partition::{self, Partition};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::QName;
use crate::schema::Schema;

/// What has to be done to the declared schema for it to have the partitions that the live one has.
#[derive(Debug, Default, PartialEq)]
pub struct Adoption {
    /// Partitions that only the live side has, parents first.
    pub there: Vec<Partition>,
    /// Partitions that only the declaration has.
    pub gone: Vec<QName>,
}

impl Adoption {
    /// Of the tables that match and are partitioned on both sides.
    pub fn of(current: &Schema, desired: &Schema, tables: &GlobSet) -> Adoption {
        let mut adoption = Adoption::default();
        let is_whole =
            |schema: &Schema, name: &QName| table::find(schema, name).is_some_and(|it| it.partition_by.is_some());
        let at_run_time = |it: &&Partition| {
            tables.is_match(format!("{}.{}", it.parent.namespace.as_str(), it.parent.name.as_str()))
                && is_whole(current, &it.parent)
                && is_whole(desired, &it.parent)
        };
        let leaf = |schema: &Schema, it: &Partition| !is_whole(schema, &it.child);
        for it in partitions(current).filter(at_run_time).filter(|it| leaf(current, it)) {
            if !desired.contains(&partition::id(&it.child)) {
                adoption.there.push(it.clone());
            }
        }
        for it in partitions(desired).filter(at_run_time).filter(|it| leaf(desired, it)) {
            if !current.contains(&partition::id(&it.child)) {
                adoption.gone.push(it.child.clone());
            }
        }
        adoption
    }

    pub fn is_empty(&self) -> bool {
        self.there.is_empty() && self.gone.is_empty()
    }

    /// What makes the declared schema's partitions those of the live side.
    pub fn statements(&self) -> Vec<String> {
        let gone = self.gone.iter().map(|it| format!("DROP TABLE {it}"));
        let there = self
            .there
            .iter()
            .map(|it| format!("CREATE TABLE {} PARTITION OF {} {}", it.child, it.parent, it.bound));
        gone.chain(there).collect()
    }

    /// Gives the adopted partitions all that is theirs alone, as the live side has it: what follows from their table is
    /// there by now.
    pub fn settle(&self, current: &Schema, desired: &mut Schema) {
        for it in &self.there {
            let whole = table::id(&it.child);
            let own: Vec<&ObjectId> = current
                .objects
                .keys()
                .filter(|id| **id == whole || current.wholes_of(id).contains(&whole))
                .collect();
            let mut kept: BTreeSet<&ObjectId> = BTreeSet::new();
            for id in &own {
                let object = &current.objects[*id];
                let is_its_own = match object {
                    Object::Column(_) | Object::Partition(_) | Object::IndexPartition(_) => false,
                    Object::Default(_) => !desired.contains(id),
                    Object::Constraint(it) => !it.inherited.0 && !it.is_attached() && !desired.contains(id),
                    Object::Index(it) => it.parent.0.is_none() && !desired.contains(id),
                    _ => true,
                };
                if is_its_own {
                    kept.insert(*id);
                }
            }
            // What hangs on something (a comment, grants) comes with it.
            for id in &own {
                let object = current.objects[*id].clone();
                let is_there = kept.contains(id)
                    || (object.part_of().is_some_and(|of| desired.contains(&of)) && hangs(id.kind));
                if is_there {
                    let needs = current.needs_of(id).filter(|need| desired.contains(need) || kept.contains(need));
                    let needs: BTreeSet<ObjectId> = needs.cloned().collect();
                    desired.objects.insert((*id).clone(), object);
                    Arc::make_mut(desired.needs.entry((*id).clone()).or_default()).extend(needs);
                }
            }
            // What the declaration's server gave it by default, and the live side has taken away.
            let taken: Vec<ObjectId> = desired
                .objects
                .keys()
                .filter(|id| hangs(id.kind) && desired.wholes_of(id).contains(&whole) && !current.contains(id))
                .cloned()
                .collect();
            for id in taken {
                desired.objects.remove(&id);
                desired.needs.remove(&id);
            }
        }
    }
}

fn hangs(kind: Kind) -> bool {
    matches!(kind, Kind::Comment | Kind::Grants | Kind::Owner | Kind::RowSecurity)
}

fn partitions(schema: &Schema) -> impl Iterator<Item = &Partition> {
    schema.of_kind(Kind::Partition).filter_map(|it| match it {
        Object::Partition(it) => Some(&**it),
        _ => None,
    })
}
