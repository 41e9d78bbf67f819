//! The schemas that a plain table goes through on its way to being a partitioned one: what it is as if it had been
//! partitioned from the beginning, and what has to be true of it before. Pure; the way between them is
//! [`partitioning`](super::partitioning)'s.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::kind::column::{self, Aside, Column};
use crate::kind::constraint::{Check, Constraint, Exclusion, Rule, Unique};
use crate::kind::default::Default;
use crate::kind::index::{Index, Of, Subject};
use crate::kind::made_name;
use crate::kind::partition::{self, Partition};
use crate::kind::table::{self, Table};
use crate::kind::{Expr, Kind, Object, ObjectId, arbiter, row_type};
use crate::name::{Name, QName};
use crate::plan::Planned;
use crate::schema::{Facts, Schema};

/// A plain table with rows that is declared as a partitioned one.
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'a> {
    pub before: &'a Table,
    pub after: &'a Table,
    /// The partition that the table becomes, with all its rows.
    pub home: &'a Partition,
}

/// How a table becomes partitioned.
#[derive(Debug, Clone, Copy)]
pub enum Way<'a> {
    /// It becomes one of the partitions.
    Home(Conversion<'a>),
    /// No partition can be expected to hold all rows.
    Copy,
}

/// The tables that are plain on the one side, partitioned on the other, and may hold rows.
pub fn tables<'a>(
    start: &'a Schema,
    desired: &'a Schema,
    facts: &'a Facts,
) -> impl Iterator<Item = (&'a Table, &'a Table)> {
    start.of_kind(Kind::Table).filter_map(|object| {
        let Object::Table(before) = object else { return None };
        let after = table::find(desired, &before.name)?;
        let rows = facts.sizes.get(&before.name).is_none_or(|size| !size.empty);
        (before.partition_by.is_none() && after.partition_by.is_some() && rows).then_some((&**before, after))
    })
}

/// The conversion of a table, or why there is none.
pub fn conversion<'a>(
    before: &'a Table,
    after: &'a Table,
    start: &Schema,
    desired: &'a Schema,
    facts: &Facts,
) -> Result<Way<'a>, String> {
    let name = &before.name;
    let is_child = start.contains(&partition::id(name)) || !before.inherits.0.is_empty();
    let has_heirs =
        start.of_kind(Kind::Table).any(|it| matches!(it, Object::Table(it) if it.inherits.0.contains(name)));
    if is_child || has_heirs {
        return Err(format!("{name} inherits, or is inherited from; end that first"));
    }
    if before.of_type.is_some() {
        return Err(format!("{name} is a table of a type; end that first (ALTER TABLE … NOT OF)"));
    }
    if let Some(column) = row_type::holder(start, name) {
        return Err(format!(
            "rows of {name} stand in {column}, which has the type of these and would keep that of the old table: \
             declare {column} with another type first"
        ));
    }
    if before.unlogged {
        return Err(format!("{name} is unlogged; make it logged first"));
    }
    let homes = homes(name, start, desired);
    let open = homes.iter().find(|it| it.is_lowest());
    let rest = homes.iter().find(|it| it.is_default());
    let found = facts.homes.get(name).filter(|_| open.is_none());
    let home = match found {
        Some(found) => homes.iter().find(|it| found.as_ref() == Some(&it.child)),
        None => open.or(rest).or(homes.first().filter(|_| homes.len() == 1)),
    };
    Ok(home.map_or(Way::Copy, |home| Way::Home(Conversion { before, after, home })))
}

/// The partitions that a table could become.
fn homes<'a>(name: &QName, start: &Schema, desired: &'a Schema) -> Vec<&'a Partition> {
    children(desired, name)
        .into_iter()
        .filter(|it| !start.contains(&table::id(&it.child)))
        .filter(|it| table::find(desired, &it.child).is_some_and(|it| it.partition_by.is_none()))
        // Nothing is asked of a row where the DEFAULT partition is the only one.
        .filter(|it| it.condition.0.is_some() || it.is_default())
        .collect()
}

/// A table, and the partitions that it could become, each with what is true of its rows then: the DEFAULT one first, which
/// may not hold them all.
pub struct Homeless {
    pub table: QName,
    pub homes: Vec<(QName, String)>,
}

/// The tables for which only their rows tell which partition they can become.
pub fn homeless(start: &Schema, desired: &Schema, facts: &Facts) -> Vec<Homeless> {
    let asked = tables(start, desired, facts).filter_map(|(before, _)| {
        let mut homes = homes(&before.name, start, desired);
        homes.sort_by_key(|it| !it.is_default());
        let is_said = homes.iter().any(|it| it.is_lowest()) || !homes.iter().any(|it| it.is_default());
        let homes = homes.into_iter().filter_map(|it| Some((it.child.clone(), it.condition.0.clone()?)));
        let homes: Vec<(QName, String)> = homes.filter(|_| !is_said).collect();
        (!homes.is_empty()).then(|| Homeless { table: before.name.clone(), homes })
    });
    asked.collect()
}

pub fn children<'a>(schema: &'a Schema, parent: &QName) -> Vec<&'a Partition> {
    let partitions = schema.of_kind(Kind::Partition).filter_map(|it| match it {
        Object::Partition(it) if it.parent == *parent => Some(&**it),
        _ => None,
    });
    partitions.collect()
}

/// A table, its partitions, and theirs.
pub fn family(schema: &Schema, name: &QName) -> Vec<QName> {
    let mut family = vec![name.clone()];
    let mut at = 0;
    while let Some(parent) = family.get(at).cloned() {
        family.extend(children(schema, &parent).into_iter().map(|it| it.child.clone()));
        at += 1;
    }
    family
}

/// The partitions of a table and of its partitions that store rows.
pub fn leaves<'a>(schema: &'a Schema, name: &QName) -> Vec<&'a Partition> {
    let all = family(schema, name);
    let partitions = all.iter().flat_map(|it| children(schema, it));
    partitions.filter(|it| table::find(schema, &it.child).is_some_and(|it| it.partition_by.is_none())).collect()
}

impl Conversion<'_> {
    pub fn name(&self) -> &QName {
        &self.before.name
    }

    /// The start as if the table had been partitioned from the beginning: with the columns and all else that it has, and
    /// with the keys of the declaration, as far as they are on columns that there are. Without the indexes and keys in
    /// `left`.
    pub fn as_if_partitioned(&self, start: &Schema, desired: &Schema, left: &BTreeSet<ObjectId>) -> Schema {
        let name = self.name();
        let keeps = |constraint: &Constraint| match &constraint.rule {
            Rule::Unique(_) | Rule::Exclusion(_) => desired.contains(&constraint_id(name, &constraint.name)),
            Rule::Check(_) | Rule::Foreign(_) => true,
        };
        let keys: Vec<Constraint> = constraints(desired, name)
            .filter(|it| matches!(it.rule, Rule::Unique(_) | Rule::Exclusion(_)))
            .filter(|it| !left.contains(&constraint_id(name, &it.name)))
            .filter(|it| needs_only(desired, &constraint_id(name, &it.name), start))
            .cloned()
            .collect();
        let mut gone: BTreeSet<ObjectId> = constraints(start, name)
            .filter(|it| !keeps(it) || (is_key(it) && !keys.iter().any(|key| key.name == it.name)))
            .map(|it| constraint_id(name, &it.name))
            .collect();
        gone.extend(left.iter().cloned());
        for index in indexes(start, name).filter(|it| it.unique) {
            if !matches!(desired.get(&index_id(index)), Some(Object::Index(it)) if it.unique) {
                gone.insert(index_id(index));
            }
        }
        for object in start.of_kind(Kind::Constraint) {
            let Object::Constraint(it) = object else { continue };
            if let Rule::Foreign(key) = &it.rule
                && key.to == *name
                && !keys.iter().any(|it| matches!(&it.rule, Rule::Unique(it) if same(&it.columns, &key.to_columns)))
            {
                gone.insert(object.id());
            }
        }
        let mut schema =
            start.filtered(|id| !gone.contains(id) && !start.wholes_of(id).iter().any(|it| gone.contains(it)));
        for object in schema.objects.values_mut() {
            let required =
                |it: &Column| keys.iter().any(|key| is_primary(key) && columns_of(key).contains(&it.name));
            if let Object::Column(it) = object
                && it.table == *name
                && it.not_null.is_none()
                && required(it)
            {
                let declared = column::find(desired, name, &it.name).and_then(|it| it.not_null.clone());
                Arc::make_mut(it).not_null = declared;
            }
        }
        // The columns that the partitions get are those of the whole.
        let start = &schema.clone();

        let whole = Table {
            partition_by: self.after.partition_by.clone(),
            access_method: self.after.access_method.clone(),
            tablespace: self.after.tablespace.clone(),
            options: self.after.options.clone(),
            ..self.before.clone()
        };
        put(&mut schema, Object::Table(Arc::new(whole)));
        for object in schema.objects.values_mut() {
            match object {
                Object::Constraint(it) if it.table == *name => {
                    let it = Arc::make_mut(it);
                    it.partitioned = true;
                    // The key of a partitioned table can't be left unproven before 18.
                    it.validated |= matches!(it.rule, Rule::Foreign(_));
                }
                Object::Index(it) if it.table == *name => {
                    let it = Arc::make_mut(it);
                    it.of = Of::PartitionedTable;
                    // Rows are clustered where they are stored.
                    it.storage.clustered = false;
                }
                _ => {}
            }
        }
        for key in keys {
            let id = constraint_id(name, &key.name);
            put_with_needs(&mut schema, Object::Constraint(Arc::new(key)), desired.needs_of(&id));
        }
        for parent in family(desired, name) {
            for partition in children(desired, &parent) {
                self.add_partition(&mut schema, partition, start, desired);
            }
        }
        schema.add_own_needs();
        schema
    }

    /// A partition as declared, with the columns that the table has at the start.
    fn add_partition(&self, schema: &mut Schema, partition: &Partition, start: &Schema, desired: &Schema) {
        let (name, child) = (self.name(), &partition.child);
        let id = table::id(child);
        let Some(Object::Table(declared)) = desired.get(&id) else { return };
        let mut whole = Table::clone(declared);
        if *child == self.home.child {
            // What it stores stays as it is stored.
            whole.options = self.before.options.clone();
            whole.tablespace.clone_from(&self.before.tablespace);
            whole.access_method.clone_from(&self.before.access_method);
            whole.replica_identity = self.before.replica_identity;
        }
        put_with_needs(schema, Object::Table(Arc::new(whole)), desired.needs_of(&id));
        let columns = self.before.columns(start).into_iter().map(|it| it.name.clone()).collect();
        let attached = Partition { columns: Aside(columns), ..partition.clone() };
        put(schema, Object::Partition(Arc::new(attached)));
        let hangs_on = |it: &Object| matches!(it, Object::RowSecurity(it) if it.table == *child);
        let satellites = [Kind::Owner, Kind::Grants, Kind::Comment].map(|kind| id.satellite(kind));
        let own = desired.objects.values().filter(|it| hangs_on(it));
        for object in own.chain(satellites.iter().filter_map(|id| desired.get(id))) {
            put_with_needs(schema, object.clone(), desired.needs_of(&object.id()));
        }
        let moved = |id: &ObjectId| moved(id, name, child);
        for object in start.objects.values() {
            let copied = match object {
                Object::Column(it) if it.table == *name => {
                    let mut it = Column::clone(it);
                    // From 18 on, the NOT NULL of a partition has the name of its parent's.
                    let named = it.not_null.as_ref().filter(|_| schema.major() >= 18).map(|of| of.constraint(&it));
                    if let (Some(not_null), Some(name)) = (&mut it.not_null, named) {
                        not_null.name = Some(name);
                    }
                    it.table = child.clone();
                    it.inherited = Aside(true);
                    it.parent = Aside(Some(partition.parent.clone()));
                    it.identity = None;
                    Object::Column(Arc::new(it))
                }
                Object::Default(it) if it.table == *name => {
                    let mut it = Default::clone(it);
                    it.table = child.clone();
                    Object::Default(Arc::new(it))
                }
                Object::Constraint(it) if it.table == *name && matches!(it.rule, Rule::Check(_)) => {
                    let mut it = Constraint::clone(it);
                    it.table = child.clone();
                    it.inherited = Aside(true);
                    it.partitioned = declared.partition_by.is_some();
                    Object::Constraint(Arc::new(it))
                }
                _ => continue,
            };
            let needs: Vec<ObjectId> = start.needs_of(&object.id()).map(moved).collect();
            put_with_needs(schema, copied, needs.iter());
        }
    }

    /// The start with all that has to be true of the table before it becomes a partition: the keys that it will have,
    /// what they need, and a check that says where its rows are, unless they can be anywhere.
    pub fn prepared(&self, start: &Schema, partitioned: &Schema) -> (Schema, Option<Name>) {
        let name = self.name();
        let keys: Vec<Constraint> = constraints(partitioned, name).filter(|it| is_key(it)).cloned().collect();
        let primary = keys.iter().find(|it| is_primary(it));
        let ousted = |it: &Constraint| is_primary(it) && primary.is_some_and(|key| key.name != it.name);
        let refers = |it: &Constraint| matches!(&it.rule, Rule::Foreign(key) if key.to == *name);
        let gone: BTreeSet<ObjectId> = start
            .of_kind(Kind::Constraint)
            .filter(|object| match object {
                Object::Constraint(it) => {
                    (it.table == *name && ousted(it)) || (refers(it) && !partitioned.contains(&object.id()))
                }
                _ => false,
            })
            .map(Object::id)
            .collect();
        let mut schema =
            start.filtered(|id| !gone.contains(id) && !start.wholes_of(id).iter().any(|it| gone.contains(it)));
        for key in keys {
            let id = constraint_id(name, &key.name);
            let mut plain = Constraint { partitioned: false, rule: without_parent(key.rule.clone()), ..key };
            mark_like(&mut plain, constraint_of(start, &id));
            put_with_needs(&mut schema, Object::Constraint(Arc::new(plain)), partitioned.needs_of(&id));
        }
        for object in schema.objects.values_mut() {
            match object {
                Object::Constraint(it) if it.table == *name && matches!(it.rule, Rule::Foreign(_)) => {
                    Arc::make_mut(it).validated = true;
                }
                Object::Column(it) if it.table == *name => {
                    let after = column::find(partitioned, name, &it.name);
                    if let Some(not_null) = after.and_then(|it| it.not_null.clone())
                        && it.not_null.is_none()
                    {
                        Arc::make_mut(it).not_null = Some(not_null);
                    }
                }
                _ => {}
            }
        }
        let Some(condition) = self.home.condition.0.clone() else {
            schema.add_own_needs();
            return (schema, None);
        };
        let taken =
            |it: &Name| schema.contains(&constraint_id(name, it)) || partitioned.contains(&constraint_id(name, it));
        let bound = made_name::derived(&[self.home.child.name.as_str(), "bound"], |it| !taken(it));
        let check = Constraint {
            name: bound.clone(),
            table: name.clone(),
            partitioned: false,
            deferrable: false,
            deferred: false,
            validated: true,
            enforced: true,
            inherited: Aside(false),
            local: Aside(true),
            rule: Rule::Check(Check { expression: Expr(condition), no_inherit: false }),
            valid: true,
        };
        put(&mut schema, Object::Constraint(Arc::new(check)));
        schema.add_own_needs();
        (schema, Some(bound))
    }

    /// The indexes whose expressions the server does not print as they stand after they were read again. One made from the
    /// text would not be the same to it, and it would build another under the lock: they are left to the rest of the
    /// plan.
    pub fn unsettled(&self, start: &Schema, partitioned: &Schema) -> BTreeSet<ObjectId> {
        let texts = |index: &Index| -> Vec<String> {
            let keys = index.keys.iter().filter_map(|it| match &it.of {
                Subject::Expression(it) => Some(it.0.clone()),
                Subject::Column(_) => None,
            });
            keys.chain(index.predicate.iter().map(|it| it.0.clone())).collect()
        };
        let settled = |index: &&Index| match partitioned.get(&index_id(index)) {
            Some(Object::Index(again)) => texts(index) == texts(again),
            _ => true,
        };
        indexes(start, self.name()).filter(|it| !settled(it)).map(index_id).collect()
    }

    /// What else hangs on the table once it is prepared and has the name of the partition, and stays on it for now: keys
    /// of its own that a partitioned table can't have. Foreign keys to the table come unproven, and materialized views
    /// stay as they are, since making them again reads the rows: both is left to the rest of the plan.
    pub fn with_left_overs(&self, partitioned: &Schema, renamed: &Schema) -> Schema {
        let (name, child) = (self.name(), &self.home.child);
        let mut schema = partitioned.clone();
        for (id, object) in &renamed.objects {
            let stays = match object {
                Object::Constraint(it) => it.table == *child && is_key(it) && !schema.contains(id),
                Object::Index(it) => it.table == *child && !schema.contains(id),
                Object::MaterializedView(_) => true,
                _ => false,
            };
            if stays {
                schema.needs.remove(id);
                put_with_needs(&mut schema, object.clone(), renamed.needs_of(id));
            }
        }
        for object in schema.objects.values_mut() {
            let id = object.id();
            match object {
                Object::Constraint(it) if matches!(&it.rule, Rule::Foreign(key) if key.to == *name) => {
                    Arc::make_mut(it).validated = false;
                }
                // A replica is told of its rows as it was.
                Object::Table(it) if it.name == *child => {
                    Arc::make_mut(it).replica_identity = self.before.replica_identity;
                }
                Object::Constraint(it) if it.table == *child => {
                    mark_like(Arc::make_mut(it), constraint_of(renamed, &id));
                }
                Object::Index(it) if it.table == *child => {
                    let before = match renamed.get(&id) {
                        Some(Object::Index(before)) => Some(&before.storage),
                        _ => None,
                    };
                    Arc::make_mut(it).storage.mark_like(before);
                }
                _ => {}
            }
        }
        schema
    }

    /// Whether something of the table has to be copied by the server itself: a partition's checks and generated columns
    /// must be those of the whole to the letter, and what the server prints of them and reads again need not be.
    pub fn has_expressions(&self, start: &Schema) -> bool {
        let checks = constraints(start, self.name()).any(|it| matches!(it.rule, Rule::Check(_)));
        checks || self.before.columns(start).iter().any(|it| it.generated.is_some())
    }

    /// The prepared schema under its new names, but for what keeps the table from being attached or takes a name: its
    /// triggers, and that columns are identities.
    pub fn bare(&self, renamed: &Schema) -> Schema {
        let child = &self.home.child;
        let is_trigger = |id: &ObjectId| {
            id.kind == Kind::Trigger && id.path.starts_with(&[child.namespace.clone(), child.name.clone()])
        };
        let mut bare = renamed.filtered(|id| !is_trigger(id) && !renamed.wholes_of(id).iter().any(is_trigger));
        for object in bare.objects.values_mut() {
            if let Object::Column(it) = object
                && it.table == *child
                && it.identity.is_some()
            {
                Arc::make_mut(it).identity = None;
            }
        }
        bare
    }

    /// Whether an object is a new partition or a part of one, and no attachment to the whole.
    pub fn is_of_new_partition(&self, id: &ObjectId, target: &Schema) -> bool {
        let (home, name) = (table::id(&self.home.child), table::id(self.name()));
        let whole = target.whole_of(id);
        let is_attachment = matches!(id.kind, Kind::Partition | Kind::IndexPartition);
        let partitions = family(target, self.name());
        !is_attachment && whole != home && whole != name && partitions.iter().any(|it| table::id(it) == whole)
    }

    /// The names that what has an index gets, once the table is the partition: as the server would have named it there.
    /// Pairs of the id before and the name after.
    pub fn renames(&self, prepared: &Schema, partitioned: &Schema) -> Vec<(ObjectId, Name)> {
        let (name, child) = (self.name(), &self.home.child);
        let mut renames: Vec<(ObjectId, Name)> = vec![];
        let taken: BTreeSet<Name> = [Kind::Index, Kind::Constraint, Kind::Table, Kind::Sequence, Kind::View]
            .into_iter()
            .flat_map(|kind| partitioned.of_kind(kind).map(Object::id))
            .filter_map(|id| id.path.last().cloned())
            .collect();
        for object in prepared.objects.values() {
            let (was, same): (&Name, Option<Name>) = match object {
                Object::Constraint(it) if it.table == *name && is_key(it) => {
                    let wanted = plain_key(it, child);
                    let same = constraints(partitioned, child).find(|it| plain_key(it, child) == wanted);
                    (&it.name, same.map(|it| it.name.clone()))
                }
                Object::Index(it) if it.table == *name => {
                    let wanted = plain_index(it, child);
                    let same = indexes(partitioned, child).find(|it| plain_index(it, child) == wanted);
                    (&it.name.name, same.map(|it| it.name.name.clone()))
                }
                _ => continue,
            };
            let now = same.filter(|it| !renames.iter().any(|(_, taken)| taken == it)).unwrap_or_else(|| {
                // An index that the whole does not have yet leaves its name to the one that it will have.
                if !taken.contains(was) && object.id().kind == Kind::Constraint {
                    return was.clone();
                }
                made_name::derived(&[was.as_str(), "of", child.name.as_str()], |it| !taken.contains(it))
            });
            if now != *was {
                renames.push((object.id(), now));
            }
        }
        renames
    }
}

/// Whether it is a key or a foreign key, and no check.
pub fn is_rule(schema: &Schema, id: &ObjectId) -> bool {
    matches!(schema.get(id), Some(Object::Constraint(it)) if !matches!(it.rule, Rule::Check(_)))
}

/// A key as it would be of a plain table under no name, which uses it for nothing else.
fn plain_key(it: &Constraint, table: &QName) -> Constraint {
    let mut key = Constraint {
        name: Name::from(""),
        table: table.clone(),
        partitioned: false,
        inherited: Aside(false),
        rule: without_parent(it.rule.clone()),
        ..it.clone()
    };
    mark_like(&mut key, None);
    key
}

/// The same of an index.
fn plain_index(it: &Index, table: &QName) -> Index {
    let mut index =
        Index { name: table.clone(), table: table.clone(), of: Of::Table, parent: Aside(None), ..it.clone() };
    index.storage.mark_like(None);
    index
}

/// Lets the table of a key use it for what it uses another one for.
fn mark_like(key: &mut Constraint, other: Option<&Constraint>) {
    if let Some(storage) = key.rule.storage_mut() {
        storage.mark_like(other.and_then(|it| it.rule.storage()));
    }
}

fn constraint_of<'a>(schema: &'a Schema, id: &ObjectId) -> Option<&'a Constraint> {
    match schema.get(id)? {
        Object::Constraint(it) => Some(it),
        _ => None,
    }
}

fn without_parent(rule: Rule) -> Rule {
    match rule {
        Rule::Unique(it) => Rule::Unique(Unique { parent: Aside(None), ..it }),
        Rule::Exclusion(it) => Rule::Exclusion(Exclusion { parent: Aside(None), ..it }),
        other @ (Rule::Check(_) | Rule::Foreign(_)) => other,
    }
}

pub fn is_key(it: &Constraint) -> bool {
    matches!(it.rule, Rule::Unique(_) | Rule::Exclusion(_))
}

fn is_primary(it: &Constraint) -> bool {
    matches!(&it.rule, Rule::Unique(it) if it.primary)
}

pub fn columns_of(key: &Constraint) -> &[Name] {
    match &key.rule {
        Rule::Unique(it) => &it.columns,
        Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => &[],
    }
}

pub fn constraint_id(table: &QName, name: &Name) -> ObjectId {
    ObjectId::new(Kind::Constraint, [&table.namespace, &table.name, name])
}

pub fn constraints<'a>(schema: &'a Schema, table: &'a QName) -> impl Iterator<Item = &'a Constraint> {
    schema.of_relation(Kind::Constraint, table).filter_map(|it| match it {
        Object::Constraint(it) => Some(&**it),
        _ => None,
    })
}

fn index_id(index: &Index) -> ObjectId {
    ObjectId::new(Kind::Index, [&index.name.namespace, &index.name.name])
}

pub fn indexes<'a>(schema: &'a Schema, table: &'a QName) -> impl Iterator<Item = &'a Index> {
    schema.of_kind(Kind::Index).filter_map(move |it| match it {
        Object::Index(it) if it.table == *table => Some(&**it),
        _ => None,
    })
}

fn same(a: &[Name], b: &[Name]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

/// Whether the columns that an object needs are there in another schema.
fn needs_only(schema: &Schema, id: &ObjectId, there: &Schema) -> bool {
    schema.needs_of(id).filter(|need| need.kind == Kind::Column).all(|need| there.contains(need))
}

/// The id of a part of the table as that of the same part of another.
fn moved(id: &ObjectId, from: &QName, to: &QName) -> ObjectId {
    if id.path.len() >= 2 && id.path[0] == from.namespace && id.path[1] == from.name {
        let path =
            [to.namespace.clone(), to.name.clone()].into_iter().chain(id.path[2..].iter().cloned()).collect();
        return ObjectId { kind: id.kind, path };
    }
    id.clone()
}

fn put(schema: &mut Schema, object: Object) {
    schema.objects.insert(object.id(), object);
}

/// Adds an object with those of its needs that are there.
pub fn put_with_needs<'a>(schema: &mut Schema, object: Object, needs: impl Iterator<Item = &'a ObjectId>) {
    let id = object.id();
    schema.objects.insert(id.clone(), object);
    let needs: BTreeSet<ObjectId> = needs.filter(|need| schema.contains(need)).cloned().collect();
    Arc::make_mut(schema.needs.entry(id).or_default()).extend(needs);
}

/// The exchange takes away what upserts named, unless a step before it has.
pub fn upserts_are_told(name: &QName, before: &Schema, after: &Schema, way: &mut [Planned], facts: &Facts) {
    if facts.idle.contains(name) {
        return;
    }
    let mut lost = arbiter::lost_between(name, before, after);
    lost.retain(|it| !way.iter().flat_map(|it| &it.step.hazards).any(|told| *told == *it));
    let exchange = way.last().and_then(|it| it.transaction);
    if let Some(first) = way.iter_mut().find(|it| it.transaction == exchange) {
        first.step.hazards.extend(lost);
    }
}
