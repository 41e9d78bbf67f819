//! How an index is stored and what its table uses it for, changed in place: the same for the index of a constraint.

use serde::{Deserialize, Serialize};
use crate::kind::constraint::Rule;
use crate::kind::table::{ReplicaIdentity, Table};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::Step;
use crate::schema::{Schema, Sides};
use super::{Key, Options, Subject, settings};

/// How an index is stored and what its table uses it for: the same for the index of a constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    pub options: Options,
    /// Where it is not that of the database.
    pub tablespace: Option<Name>,
    /// `ALTER TABLE … CLUSTER ON`.
    pub clustered: bool,
    /// `ALTER TABLE … REPLICA IDENTITY USING INDEX`.
    pub replica_identity: bool,
}

impl Storage {
    /// ` WITH (…)`, or nothing.
    pub(in crate::kind) fn with(&self) -> String {
        if self.options.is_empty() { String::new() } else { format!(" WITH ({})", settings(&self.options)) }
    }

    /// Takes over what the table uses another index for; nothing without one.
    pub fn mark_like(&mut self, other: Option<&Storage>) {
        self.clustered = other.is_some_and(|it| it.clustered);
        self.replica_identity = other.is_some_and(|it| it.replica_identity);
    }

    /// The steps that give the table's marks to the index.
    pub(in crate::kind) fn mark(&self, table: &QName, index: &Name) -> Vec<Step> {
        let mut steps = vec![];
        if self.clustered {
            steps.push(
                Step::new(format!("ALTER TABLE {table} CLUSTER ON {index}"))
                    .locks(table, Lock::ShareUpdateExclusive),
            );
        }
        if self.replica_identity {
            steps.push(
                Step::new(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {index}"))
                    .locks(table, Lock::AccessExclusive),
            );
        }
        steps
    }

    /// The same for an index that is to take the place of one that has the marks until it goes.
    pub(in crate::kind) fn mark_beside(&self, old: &Storage, table: &QName, [before, after]: [&Name; 2]) -> Vec<Step> {
        let one = |clustered: bool, replica_identity: bool| {
            let of = |it: &Storage| Storage {
                clustered: it.clustered && clustered,
                replica_identity: it.replica_identity && replica_identity,
                ..it.clone()
            };
            let back = of(old).mark(table, before);
            let steps = of(self).mark(table, after).into_iter();
            steps.map(move |step| back.iter().fold(step, |step, it| step.undone_by(it.sql.clone()))).collect::<Vec<_>>()
        };
        [one(true, false), one(false, true)].concat()
    }

    /// The steps from this storage to another one, the index staying in use all the while.
    pub(in crate::kind) fn alter(&self, new: &Storage, index: &Indexed<'_>, sides: &Sides<'_>) -> Vec<Step> {
        let (name, table) = (index.name, index.table);
        let mut steps = vec![];
        let gone: Vec<&String> = self.options.keys().filter(|key| !new.options.contains_key(*key)).collect();
        if !gone.is_empty() {
            let names = list(gone.into_iter().map(|option| Name::from(option.clone())));
            steps.push(Step::new(format!("ALTER INDEX {name} RESET ({names})")));
        }
        let changed: Options = new
            .options
            .iter()
            .filter(|(key, value)| self.options.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !changed.is_empty() {
            steps.push(Step::new(format!("ALTER INDEX {name} SET ({})", settings(&changed))));
        }
        if self.tablespace != new.tablespace {
            steps.push(index.moved_to(new.tablespace.as_ref(), sides));
        }
        // Marking one index takes the mark from another, so the mark goes only where nobody gets it.
        if self.clustered && !new.clustered && !someone_is_clustered(sides.new, table) {
            steps.push(
                Step::new(format!("ALTER TABLE {table} SET WITHOUT CLUSTER"))
                    .locks(table, Lock::ShareUpdateExclusive),
            );
        }
        // Taking the replica identity away is `ALTER TABLE … REPLICA IDENTITY` with something else: the table's.
        let gained = Storage {
            clustered: new.clustered && !self.clustered,
            replica_identity: new.replica_identity && !self.replica_identity,
            ..new.clone()
        };
        steps.extend(gained.mark(table, &name.name));
        steps
    }
}

fn someone_is_clustered(schema: &Schema, table: &QName) -> bool {
    stored_of(schema, table).any(|(_, storage)| storage.clustered)
}

/// The index of the table by which the rows that change are told to others.
pub(in crate::kind) fn of_replica_identity<'a>(schema: &'a Schema, table: &'a QName) -> Option<&'a Name> {
    stored_of(schema, table).find(|(_, storage)| storage.replica_identity).map(|(name, _)| name)
}

/// By what a replica is told which row of a table was updated or deleted.
#[derive(PartialEq)]
pub enum Identity<'a> {
    /// By the values of these columns.
    Columns(Vec<&'a Name>),
    /// By all that was in the row.
    Full,
}

/// The identity of a table's rows; none where they have none.
pub fn identity<'a>(schema: &'a Schema, table: &'a Table) -> Option<Identity<'a>> {
    match table.replica_identity {
        ReplicaIdentity::Full => Some(Identity::Full),
        _ => identifying(schema, table).map(|(_, columns)| Identity::Columns(columns)),
    }
}

/// What gives the rows of a table their identity on the new side, where that is not what they are known by on the old one: a
/// key, an index, or the table by saying which.
pub fn new_identity(sides: &Sides<'_>, table: &QName) -> Option<ObjectId> {
    let (before, after) = (table::find(sides.old, table)?, table::find(sides.new, table)?);
    let by = identifying(sides.new, after).map(|(id, _)| id);
    if before.replica_identity != after.replica_identity && after.replica_identity != ReplicaIdentity::Index {
        return Some(table::id(table));
    }
    by.filter(|_| identity(sides.old, before) != identity(sides.new, after))
}

/// The key or index by which rows of the table are known, with its columns.
pub fn identifying<'a>(schema: &'a Schema, table: &'a Table) -> Option<(ObjectId, Vec<&'a Name>)> {
    let by_index = match table.replica_identity {
        ReplicaIdentity::Full | ReplicaIdentity::Nothing => return None,
        ReplicaIdentity::PrimaryKey => false,
        ReplicaIdentity::Index => true,
    };
    let key = schema.of_relation(Kind::Constraint, &table.name).find_map(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(key) if (by_index && key.storage.replica_identity) || (!by_index && key.primary) => {
                Some((object.id(), key.columns.iter().collect()))
            }
            _ => None,
        },
        _ => None,
    });
    let of_index = || {
        schema.of_kind(Kind::Index).take_while(|_| by_index).find_map(|object| match object {
            Object::Index(it) if it.table == table.name && it.storage.replica_identity => {
                let column = |it: &'a Key| match &it.of {
                    Subject::Column(name) => Some(name),
                    Subject::Expression(_) => None,
                };
                Some((object.id(), it.keys.iter().filter_map(column).collect()))
            }
            _ => None,
        })
    };
    key.or_else(of_index)
}

/// The indexes of a table, those of constraints among them.
fn stored_of<'a>(schema: &'a Schema, table: &'a QName) -> impl Iterator<Item = (&'a Name, &'a Storage)> {
    let of_constraints = schema.of_relation(Kind::Constraint, table).filter_map(|object| match object {
        Object::Constraint(it) => it.rule.storage().map(|storage| (&it.name, storage)),
        _ => None,
    });
    of_constraints.chain(schema.of_kind(Kind::Index).filter_map(|object| match object {
        Object::Index(it) if it.table == *table => Some((&it.name.name, &it.storage)),
        _ => None,
    }))
}

/// An index, a constraint's or not, to be changed in place.
pub(in crate::kind) struct Indexed<'a> {
    pub name: &'a QName,
    pub table: &'a QName,
    pub partitioned: bool,
    /// REINDEX CONCURRENTLY does not do exclusion constraints.
    pub exclusion: bool,
    /// Bytes of the columns of an entry, roughly.
    pub width: u64,
    /// It is a B-tree.
    pub sorted: bool,
    pub id: ObjectId,
}

impl Indexed<'_> {
    fn moved_to(&self, tablespace: Option<&Name>, sides: &Sides<'_>) -> Step {
        let (name, table) = (self.name, self.table);
        let tablespace = tablespace.cloned().unwrap_or_else(|| Name::from("pg_default"));
        if self.partitioned {
            // Only says where the indexes of partitions to come are put.
            return Step::new(format!("ALTER INDEX {name} SET TABLESPACE {tablespace}"));
        }
        if self.exclusion {
            let step = Step::new(format!("ALTER INDEX {name} SET TABLESPACE {tablespace}"));
            return if sides.may_hold_rows(table) {
                let why = format!("queries on {table} wait until the index is copied");
                step.hazard(Code::BlockingIndex, self.id.clone(), why)
            } else {
                step
            };
        }
        Step::new(format!("REINDEX (TABLESPACE {tablespace}) INDEX CONCURRENTLY {name}"))
            .outside_transaction()
            .locks(table, Lock::ShareUpdateExclusive)
            .builds(table, self.width, self.sorted)
            .check(format!(
                "SELECT c.reltablespace = coalesce((SELECT s.oid FROM pg_catalog.pg_tablespace s \
                 JOIN pg_catalog.pg_database d ON d.datname = current_database() AND d.dattablespace <> s.oid \
                 WHERE s.spcname = {}), 0) FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({})",
                Literal(tablespace.as_str()),
                Literal(&name.to_string())
            ))
    }
}
