//! `CREATE TABLE`, plain and partitioned. Its columns, constraints and the attachment of a partition to its parent
//! are objects of their own, and so is row security, which has to wait for its policies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::amount;
use crate::kind::column::{self, Aside, Column};
use crate::kind::constraint::{self, Rule};
use crate::kind::parameters::Parameters;
use crate::kind::{foreign_partition, index, partition, row_type};
use crate::kind::{Alter, Claim, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::batch;
use crate::plan::hazard::Code;
use crate::plan::{Body, Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};
use crate::source::syntax::words;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub name: QName,
    pub unlogged: bool,
    /// None for a partitioned table that leaves it to its partitions.
    pub access_method: Option<Name>,
    /// None is the database's own.
    pub tablespace: Option<Name>,
    /// Storage parameters, those of the TOAST table with `toast.` before them.
    pub options: Parameters,
    pub replica_identity: ReplicaIdentity,
    /// Strategy and key, such as `RANGE (created_at)`.
    pub partition_by: Option<String>,
    /// Parents of inheritance, in order, for CREATE TABLE; each is a [`super::inheritance::Inheritance`] as well. A
    /// partition has its parent in its [`super::partition::Partition`].
    pub inherits: Parents,
    pub of_type: Option<QName>,
    /// Partitions that are foreign tables, with their bounds, and foreign tables that inherit from it, or from another of
    /// these, without: no kind describes them, but statements reach them.
    #[serde(default = "none_foreign", skip_serializing_if = "has_none_foreign")]
    pub foreign: Aside<Vec<(QName, String)>>,
}

/// No difference between two tables, but between what is theirs as objects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parents(pub Vec<QName>);

impl PartialEq for Parents {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

fn none_foreign() -> Aside<Vec<(QName, String)>> {
    Aside(vec![])
}

/// So that the fingerprint of a schema without any says nothing of it.
fn has_none_foreign(foreign: &Aside<Vec<(QName, String)>>) -> bool {
    foreign.0.is_empty()
}

/// What a replica is told of a row that was updated or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaIdentity {
    #[serde(rename = "d")]
    PrimaryKey,
    #[serde(rename = "f")]
    Full,
    #[serde(rename = "n")]
    Nothing,
    /// An index; which one, the index says, and it writes the statement.
    #[serde(rename = "i")]
    Index,
}

impl ReplicaIdentity {
    fn sql(self) -> Option<&'static str> {
        match self {
            ReplicaIdentity::PrimaryKey => Some("DEFAULT"),
            ReplicaIdentity::Full => Some("FULL"),
            ReplicaIdentity::Nothing => Some("NOTHING"),
            ReplicaIdentity::Index => None,
        }
    }
}

pub fn id(name: &QName) -> ObjectId {
    ObjectId::new(Kind::Table, [&name.namespace, &name.name])
}

/// The tables of a schema.
pub fn all(schema: &Schema) -> impl Iterator<Item = &Table> {
    schema.of_kind(Kind::Table).filter_map(|object| match object {
        Object::Table(it) => Some(&**it),
        _ => None,
    })
}

/// The table of that name in a schema.
pub fn find<'a>(schema: &'a Schema, name: &QName) -> Option<&'a Table> {
    match schema.get(&id(name)) {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    }
}

/// What a table inherits from: the parent that it is a partition of, or its parents of inheritance.
pub fn parents(schema: &Schema, name: &QName) -> Vec<QName> {
    match schema.get(&super::partition::id(name)) {
        Some(Object::Partition(it)) => vec![it.parent.clone()],
        _ => find(schema, name).map(|table| table.inherits.0.clone()).unwrap_or_default(),
    }
}

/// The table and all that it inherits from: what a statement without ONLY may name that goes through its rows.
pub fn ancestry(schema: &Schema, name: &QName) -> Vec<QName> {
    let mut ancestry = vec![name.clone()];
    let mut next = 0;
    while let Some(it) = ancestry.get(next) {
        let above: Vec<QName> = parents(schema, it).into_iter().filter(|it| !ancestry.contains(it)).collect();
        ancestry.extend(above);
        next += 1;
    }
    ancestry
}

/// What a statement without ONLY locks: the family, and the foreign tables among its partitions and heirs.
pub fn reach(sides: &Sides<'_>, name: &QName) -> Vec<QName> {
    family(sides, name).into_iter().chain(foreign_partition::below(sides, name)).collect()
}

/// The table and all its descendants, on either side.
pub fn family(sides: &Sides<'_>, name: &QName) -> Vec<QName> {
    let mut family = vec![name.clone()];
    if sides.old.contains(&id(name)) {
        let mut next = 0;
        while let Some(parent) = family.get(next).cloned() {
            for child in children(sides.old, &parent).into_iter().chain(children(sides.new, &parent)) {
                if !family.contains(child) {
                    family.push(child.clone());
                }
            }
            next += 1;
        }
    }
    family
}

fn children<'a>(schema: &'a Schema, parent: &QName) -> Vec<&'a QName> {
    let partitions = schema.of_kind(Kind::Partition).filter_map(|object| match object {
        Object::Partition(it) if it.parent == *parent => Some(&it.child),
        _ => None,
    });
    partitions.chain(heirs(schema, parent)).collect()
}

/// Tables that inherit, without being partitions.
fn heirs<'a>(schema: &'a Schema, parent: &QName) -> impl Iterator<Item = &'a QName> {
    all(schema).filter(|it| it.inherits.0.contains(parent)).map(|it| &it.name)
}

/// Whether it is a partitioned table that has partitions.
pub fn has_partitions(schema: &Schema, name: &QName) -> bool {
    find(schema, name).is_some_and(|it| it.partition_by.is_some()) && !children(schema, name).is_empty()
}

/// Whether rows stand in the table itself: not in a partitioned one.
pub fn stores(sides: &Sides<'_>, name: &QName) -> bool {
    find(sides.old, name).or_else(|| find(sides.new, name)).is_none_or(|table| table.partition_by.is_none())
}

/// Whether the table existed before the plan and one of the family may hold rows.
pub fn may_hold_rows(sides: &Sides<'_>, name: &QName) -> bool {
    !sides.is_new(&id(name))
        && family(sides, name).iter().any(|it| stores(sides, it) && !sides.is_new(&id(it)) && sides.may_hold_rows(it))
}

/// The same, and somebody may be using them: what asks for the forms that keep out of their way.
pub fn is_used(sides: &Sides<'_>, name: &QName) -> bool {
    !sides.is_new(&id(name))
        && family(sides, name).iter().any(|it| stores(sides, it) && !sides.is_new(&id(it)) && sides.is_used(it))
}

/// Whether a change of the table's rows is better made in parts.
pub fn is_for_batches(sides: &Sides<'_>, name: &QName) -> bool {
    is_used(sides, name) && !matches!(rows(sides, name), Some(..batch::WORTH_IT))
}

/// Estimated rows of the table and its descendants, where that is known of all of them.
pub fn rows(sides: &Sides<'_>, name: &QName) -> Option<u64> {
    let family = family(sides, name);
    let stored = family.iter().filter(|it| stores(sides, it) && !sides.is_new(&id(it)));
    stored.map(|it| sides.size(it).map(|size| size.rows)).sum()
}

/// The columns of a unique key without nulls, along which the rows can be gone through: the primary key's, where
/// there is one. Empty where there is none.
pub fn walk_key(schema: &Schema, name: &QName) -> Vec<Name> {
    let required = |columns: &&[Name]| {
        !columns.is_empty()
            && columns.iter().all(|it| column::find(schema, name, it).is_some_and(|it| it.not_null.is_some()))
    };
    let constraints = schema.of_relation(Kind::Constraint, name).filter_map(|it| match it {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(unique) if !unique.without_overlaps => Some((!unique.primary, unique.columns.as_slice())),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => None,
        },
        _ => None,
    });
    let key = constraints.filter(|(_, columns)| required(columns)).min();
    key.map(|(_, columns)| columns.to_vec()).unwrap_or_default()
}

/// How much stands in the table and its descendants, for a hazard's evidence.
pub fn evidence(sides: &Sides<'_>, name: &QName) -> String {
    let sizes: Vec<_> = family(sides, name).iter().filter_map(|it| sides.size(it)).collect();
    if sizes.is_empty() {
        return format!("{name} may hold rows");
    }
    let (rows, bytes) = sizes.iter().fold((0, 0), |(rows, bytes), it| (rows + it.rows, bytes + it.bytes));
    format!("{name} holds about {}, {}", amount::counted(rows as usize, "row"), amount::bytes(bytes))
}

/// Whether rows of the table find their partition by the column.
pub fn partitions_by(schema: &Schema, name: &QName, column: &Name) -> bool {
    let by = find(schema, name).and_then(|it| it.partition_by.as_deref());
    // The strategy stands before the key.
    let key = by.and_then(|it| it.split_once(' ')).map(|it| it.1);
    key.is_some_and(|it| words(it).iter().any(|word| column.as_str().eq_ignore_ascii_case(word)))
}

/// `ONLY ` where a statement must leave the descendants alone, which have a say of their own.
pub fn only(sides: &Sides<'_>, name: &QName) -> &'static str {
    if reach(sides, name).len() > 1 || heirs(sides.new, name).next().is_some() { "ONLY " } else { "" }
}

impl Table {
    /// The table's columns in their order.
    pub fn columns<'a>(&'a self, schema: &'a Schema) -> Vec<&'a Column> {
        let mut columns: Vec<&Column> = schema
            .of_relation(Kind::Column, &self.name)
            .filter_map(|object| match object {
                Object::Column(column) => Some(&**column),
                _ => None,
            })
            .collect();
        columns.sort_by_key(|column| column.position.0);
        columns
    }

    /// The sequences that go with the table: those of its identity columns, and those that its columns own.
    pub fn sequences(&self, schema: &Schema) -> Vec<QName> {
        let identities = self.columns(schema).into_iter().filter_map(|it| it.identity.as_ref());
        let owned = schema.of_kind(Kind::Sequence).filter_map(|object| match object {
            Object::Sequence(it) if it.owned_by.as_ref().is_some_and(|(table, _)| *table == self.name) => {
                Some(it.name.clone())
            }
            _ => None,
        });
        identities.map(|it| it.sequence.clone()).chain(owned).collect()
    }

    /// The tables at the other end of the table's constraints: dropping a foreign key locks both ends.
    fn partners(&self, schema: &Schema) -> Vec<QName> {
        let mut partners = vec![];
        for constraint in schema.of_relation(Kind::Constraint, &self.name) {
            for need in schema.needs_of(&constraint.id()) {
                if let (Kind::Table | Kind::Column | Kind::Constraint, [namespace, name, ..]) =
                    (need.kind, &need.path[..])
                {
                    let partner = QName { namespace: namespace.clone(), name: name.clone() };
                    if partner != self.name && !partners.contains(&partner) {
                        partners.push(partner);
                    }
                }
            }
        }
        partners
    }

    fn alter_table(&self, action: impl AsRef<str>, lock: Lock) -> Step {
        Step::new(format!("ALTER TABLE {} {}", self.name, action.as_ref())).locks(&self.name, lock)
    }

    /// The tables that come to be logged, or are no longer, with this one, since they refer to each other; with those
    /// that each refers to.
    fn changing_along<'a>(&self, unlogged: bool, sides: &Sides<'a>) -> Vec<(&'a Table, Vec<QName>)> {
        let changing = |it: &&Table| {
            it.unlogged != unlogged && find(sides.new, &it.name).is_some_and(|after| after.unlogged == unlogged)
        };
        let all: Vec<&Table> = all(sides.old).filter(changing).collect();
        let partners: Vec<Vec<QName>> = all.iter().map(|it| it.partners(sides.old)).collect();
        let mut linked: BTreeSet<QName> = BTreeSet::from([self.name.clone()]);
        loop {
            let known = linked.len();
            for (it, partners) in all.iter().zip(&partners) {
                let to = all.iter().map(|it| &it.name).filter(|it| partners.contains(it));
                let group: Vec<&QName> = to.chain([&it.name]).collect();
                if group.iter().any(|it| linked.contains(it)) {
                    linked.extend(group.into_iter().cloned());
                }
            }
            if linked.len() == known {
                break;
            }
        }
        all.into_iter().zip(partners).filter(|(it, _)| linked.contains(&it.name)).collect()
    }

    /// SET LOGGED or UNLOGGED. A permanent table can't refer to an unlogged one, so where tables that refer to each
    /// other change together, the first of them (by name) has the steps for all, in the order that this asks for.
    fn persistence(&self, unlogged: bool, sides: &Sides<'_>) -> Vec<Step> {
        let along = self.changing_along(unlogged, sides);
        if along.iter().map(|(it, _)| &it.name).min() != Some(&self.name) {
            return vec![];
        }
        // Those that are referred to first; in a circle there is no order, and the server will say so.
        let mut ordered: Vec<&Table> = vec![];
        while ordered.len() < along.len() {
            let waiting =
                along.iter().filter(|(it, _)| ordered.iter().all(|placed| placed.name != it.name));
            let placed = |name: &QName| {
                ordered.iter().any(|it| it.name == *name) || along.iter().all(|(it, _)| it.name != *name)
            };
            let mut ready = waiting.clone().filter(|(_, partners)| partners.iter().all(placed));
            let Some((next, _)) = ready.next().or_else(|| waiting.clone().next()) else { break };
            ordered.push(next);
        }
        if unlogged {
            ordered.reverse();
        }
        ordered.into_iter().map(|it| it.set_persistence(unlogged, sides)).collect()
    }

    fn set_persistence(&self, unlogged: bool, sides: &Sides<'_>) -> Step {
        let mut step = self
            .alter_table(if unlogged { "SET UNLOGGED" } else { "SET LOGGED" }, Lock::AccessExclusive)
            .rewrites(&self.name);
        // From 15 on the sequences go along.
        for sequence in self.sequences(sides.old) {
            step = step.locks(&sequence, Lock::AccessExclusive).rewrites(&sequence);
        }
        if may_hold_rows(sides, &self.name) {
            step = step.hazard(Code::SetUnlogged, self.id(), evidence(sides, &self.name));
        }
        step
    }

    fn alter_options(&self, new: &Table) -> Vec<Step> {
        // The parameters that a running query would notice; the lock for the others lets it run.
        let lock = |names: &[&str]| {
            if names.contains(&"user_catalog_table") { Lock::AccessExclusive } else { Lock::ShareUpdateExclusive }
        };
        let gone = self.options.gone(&new.options);
        let set = self.options.set(&new.options);
        let mut steps = vec![];
        if !gone.is_empty() {
            steps.push(self.alter_table(format!("RESET ({})", list(&gone)), lock(&gone)));
        }
        if !set.is_empty() {
            steps.push(self.alter_table(format!("SET ({})", set.sql()), lock(&set.names())));
        }
        steps
    }
}

/// The partitioned table that stays, for a table that comes below it.
fn comes_below<'a>(name: &'a QName, sides: &Sides<'a>) -> Option<&'a QName> {
    let mut above = name;
    while sides.is_new(&id(above)) {
        match sides.new.get(&super::partition::id(above)) {
            Some(Object::Partition(it)) => above = &it.parent,
            _ => return None,
        }
    }
    (above != name).then_some(above)
}

/// What attaches the partitions that come below a table, with copies of what goes from it.
pub fn coming_below(name: &QName, sides: &Sides<'_>) -> Vec<ObjectId> {
    let is_above = |it: &QName| comes_below(it, sides).is_some_and(|it| ancestry(sides.old, it).contains(name));
    let comes = |it: &&Object| matches!(it, Object::Partition(it) if is_above(&it.child));
    sides.new.of_kind(Kind::Partition).filter(comes).map(Object::id).collect()
}

impl Table {
    /// What a new partition has as long as those above it do: columns and checks that go in `contract`. Without them it
    /// can't be attached before, and they go with those of the table above. On a way back, what is handed down from further
    /// above may be said of that alone.
    fn until_the_contract(&self, sides: &Sides<'_>) -> Vec<(ObjectId, String)> {
        let Some(above) = comes_below(&self.name, sides) else { return vec![] };
        let mut found = BTreeSet::new();
        let mut going = vec![];
        for above in ancestry(sides.old, above) {
            let Some(whole) = find(sides.old, &above) else { continue };
            let columns = whole.columns(sides.old).into_iter().filter(|it| !sides.new.contains(&it.id()));
            let columns = columns.map(|it| (column::id(&self.name, &it.name), it.as_of_partition(sides)));
            let all = columns.chain(constraint::going_checks(&above, &self.name, sides));
            going.extend(all.filter(|(id, _)| found.insert(id.clone())));
        }
        going
    }

    /// Whether the table takes the place of a partitioned one whose partitions go for good: code may still name those.
    fn takes_partitions_along(&self, sides: &Sides<'_>) -> bool {
        let goes = |it: &partition::Partition| !sides.new.contains(&id(&it.child)) && ancestry(sides.old, &it.child).contains(&self.name);
        sides.replaced.contains(&self.id()) && partition::of(sides.old).any(goes)
    }
}

impl Definition for Table {
    const NOUN: &'static str = "table";

    // A partitioned table without rows of its own keeps `unlogged` without effect, and from 18 on can't have it.
    // TOAST's parameters are those of its own relation.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_class'::regclass::oid::int8, c.oid::int8, 0),
            'owner', pg_get_userbyid(c.relowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, c.relname),
                'unlogged', c.relpersistence = 'u' AND c.relkind = 'r',
                'access_method', am.amname,
                'tablespace', ts.spcname,
                'options', coalesce(
                    (SELECT json_agg(json_build_array(o.prefix || split_part(o.option, '=', 1),
                                                        substr(o.option, strpos(o.option, '=') + 1))
                                      ORDER BY o.prefix, o.place)
                       FROM (SELECT '' AS prefix, option, place
                               FROM unnest(c.reloptions) WITH ORDINALITY AS u(option, place)
                             UNION ALL SELECT 'toast.', option, place
                               FROM unnest(toast.reloptions) WITH ORDINALITY AS u(option, place)) o), '[]'),
                'replica_identity', c.relreplident,
                'partition_by', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
                'inherits', coalesce(
                    (SELECT json_agg(json_build_array(pn.nspname, p.relname) ORDER BY i.inhseqno)
                       FROM pg_inherits i
                       JOIN pg_class p ON p.oid = i.inhparent
                       JOIN pg_namespace pn ON pn.oid = p.relnamespace
                      WHERE i.inhrelid = c.oid AND NOT c.relispartition), '[]'),
                'of_type', CASE WHEN ty.oid IS NOT NULL THEN json_build_array(tn.nspname, ty.typname) END,
                'foreign', coalesce(foreign_below.tables, '[]')))
          FROM pg_class c
          LEFT JOIN (
              WITH RECURSIVE below AS (
                  SELECT i.inhparent AS top, p.oid
                    FROM pg_class p JOIN pg_inherits i ON i.inhrelid = p.oid
                   WHERE p.relkind = 'f'
                   UNION
                  SELECT below.top, p.oid
                    FROM below
                    JOIN pg_inherits i ON i.inhparent = below.oid
                    JOIN pg_class p ON p.oid = i.inhrelid AND p.relkind = 'f')
              SELECT below.top,
                     json_agg(json_build_array(json_build_array(pn.nspname, p.relname),
                                               coalesce(pg_get_expr(p.relpartbound, p.oid), ''))
                              ORDER BY pn.nspname, p.relname) AS tables
                FROM below
                JOIN pg_class p ON p.oid = below.oid
                JOIN pg_namespace pn ON pn.oid = p.relnamespace
               GROUP BY below.top) foreign_below ON foreign_below.top = c.oid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_am am ON am.oid = c.relam
          LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
          LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND toast.reloptions IS NOT NULL
          LEFT JOIN pg_type ty ON ty.oid = c.reloftype
          LEFT JOIN pg_namespace tn ON tn.oid = ty.typnamespace
         WHERE c.relkind IN ('r', 'p')
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.name)
    }

    fn reference(path: &[Name]) -> String {
        format!("TABLE {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        let foreign = self.foreign.0.iter().map(|(name, _)| super::relation_claim(name));
        [super::relation_claim(&self.name), super::type_claim(&self.name)].into_iter().chain(foreign).collect()
    }

    /// What is published is logged, and so is what a logged table refers to.
    fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        if find(sides.old, &self.name).is_none_or(|it| it.unlogged == self.unlogged) {
            return vec![];
        }
        let along = self.changing_along(self.unlogged, sides);
        let changes = |name: &QName| along.iter().any(|(it, _)| it.name == *name);
        let published = sides.old.of_kind(Kind::PublishedTable).map(Object::id).filter(|it| {
            self.unlogged && matches!(&it.path[1..], [namespace, name] if changes(&QName::new(namespace.clone(), name.clone())))
        });
        // Of tables that change together, the order is theirs.
        let foreign_keys = sides.old.of_kind(Kind::Constraint).filter(|object| match object {
            Object::Constraint(it) => match &it.rule {
                Rule::Foreign(key) => changes(&it.table) != changes(&key.to),
                Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
            },
            _ => false,
        });
        published.chain(foreign_keys.map(Object::id)).collect()
    }

    /// A table stays when a parent of it goes that it no longer inherits from.
    fn outlives(&self, need: &ObjectId, new: &Schema) -> bool {
        let is_left = |it: &QName| find(new, &self.name).is_some_and(|after| !after.inherits.0.contains(it));
        self.inherits.0.iter().any(|it| id(it) == *need && is_left(it))
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => self.of_type.is_none() && self.inherits.0.is_empty(),
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let persistence = if self.unlogged { "UNLOGGED " } else { "" };
        let of_type = self.of_type.as_ref().map(|it| format!(" OF {it}")).unwrap_or_default();
        let mut tail = String::new();
        if !self.inherits.0.is_empty() {
            tail += &format!(" INHERITS ({})", list(&self.inherits.0));
        }
        if let Some(key) = &self.partition_by {
            tail += &format!(" PARTITION BY {key}");
        }
        if let Some(method) = self.access_method.as_ref().filter(|it| it.as_str() != "heap" || self.partition_by.is_some()) {
            tail += &format!(" USING {method}");
        }
        if !self.options.is_empty() {
            tail += &format!(" WITH ({})", self.options.sql());
        }
        if let Some(tablespace) = &self.tablespace {
            tail += &format!(" TABLESPACE {tablespace}");
        }

        let columns = self.columns(sides.new);
        let elements = columns.iter().filter(|column| self.inherits.0.is_empty() || !column.inherited.0);
        let create = Step::with_body(Body {
            of: self.id(),
            head: format!("CREATE {persistence}TABLE {}{of_type}", self.name),
            clauses: elements
                .map(|it| (it.id(), it.element(sides, self.of_type.is_some())))
                .chain(self.until_the_contract(sides))
                .collect(),
            tail,
        });
        let create = self.inherits.0.iter().fold(create, |it, parent| it.locks(parent, Lock::ShareUpdateExclusive));

        let create = if self.takes_partitions_along(sides) { create.stage(Stage::Contract) } else { create };
        let mut steps = vec![create];
        let settings: Vec<String> = columns.iter().flat_map(|column| column.settings(sides, self)).collect();
        if !settings.is_empty() {
            steps.push(Step::new(format!("ALTER TABLE {} {}", self.name, list(settings))));
        }
        if let (Some(identity), true) =
            (self.replica_identity.sql(), self.replica_identity != ReplicaIdentity::PrimaryKey)
        {
            steps.push(Step::new(format!("ALTER TABLE {} REPLICA IDENTITY {identity}", self.name)));
        }
        steps
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.partition_by != new.partition_by {
            return if may_hold_rows(sides, &self.name) && sides.facts.way_back {
                let cannot = match (&self.partition_by, &new.partition_by) {
                    (Some(_), None) => "makes no plain table of it",
                    (Some(_), Some(_)) => "does not partition it anew",
                    (None, _) => "does not partition it",
                };
                Alter::Refused(format!("rows may stand in {} by then, and PostgreSQL {cannot}", self.name))
            } else if may_hold_rows(sides, &self.name) {
                let name = &self.name;
                let what = match (&self.partition_by, &new.partition_by) {
                    (Some(_), None) => "it is partitioned, and declared as a plain table".to_owned(),
                    (Some(from), Some(to)) => format!("it is partitioned by {from}, and declared by {to}"),
                    (None, _) => "it is declared as a partitioned table".to_owned(),
                };
                Alter::Refused(format!(
                    "{what}, and PostgreSQL makes none of the other while there are rows; declare the new table under \
                     another name beside {name} and copy the rows (`INSERT INTO … SELECT …`), then declare {name} no \
                     more, and in a plan after that give its name to the other (`-- tenantry: was …`)"
                ))
            } else {
                Alter::Replace
            };
        }
        let writes = self.unlogged != new.unlogged || self.access_method != new.access_method;
        let refusal = || row_type::refusal(sides, &self.name, "write the rows of the table anew, as this asks for,");
        if let Some(reason) = writes.then(refusal).flatten() {
            return Alter::Refused(reason);
        }
        let rows = may_hold_rows(sides, &self.name);
        let mut steps = vec![];
        if self.unlogged != new.unlogged {
            steps.extend(self.persistence(new.unlogged, sides));
        }
        if self.access_method != new.access_method {
            let to = new.access_method.as_ref().map_or("DEFAULT".to_owned(), Name::to_string);
            if sides.major() < 15 || (self.partition_by.is_some() && sides.major() < 17) {
                return Alter::Refused(format!(
                    "PostgreSQL {} can't change the access method of table {} to {to}",
                    sides.major(),
                    self.name
                ));
            }
            let mut step = self.alter_table(format!("SET ACCESS METHOD {to}"), Lock::AccessExclusive);
            if self.partition_by.is_none() {
                step = step.rewrites(&self.name);
                if rows {
                    step = step.hazard(Code::RewriteTable, self.id(), evidence(sides, &self.name));
                }
            }
            steps.push(step);
        }
        if self.tablespace != new.tablespace {
            let to = new.tablespace.clone().unwrap_or_else(|| "pg_default".into());
            let mut step = self.alter_table(format!("SET TABLESPACE {to}"), Lock::AccessExclusive);
            if self.partition_by.is_none() {
                step = step.rewrites(&self.name);
                if rows {
                    step = step.hazard(Code::RewriteTable, self.id(), evidence(sides, &self.name));
                }
            }
            steps.push(step);
        }
        steps.extend(self.alter_options(new));
        if self.of_type != new.of_type {
            let action = new.of_type.as_ref().map_or("NOT OF".to_owned(), |it| format!("OF {it}"));
            steps.push(self.alter_table(action, Lock::AccessExclusive));
        }
        if let (Some(identity), true) =
            (new.replica_identity.sql(), self.replica_identity != new.replica_identity)
        {
            let step = self.alter_table(format!("REPLICA IDENTITY {identity}"), Lock::AccessExclusive);
            // That of an index comes back with the index, where that changes; here it may not have changed yet.
            let index = index::of_replica_identity(sides.old, &self.name);
            let back = index.map(|it| format!("ALTER TABLE {} REPLICA IDENTITY USING INDEX {it}", self.name));
            steps.push(back.into_iter().fold(step, Step::undone_by));
        }
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let mut step = Step::new(format!("DROP TABLE {}", self.name))
            .stage(Stage::Contract)
            .locks(&self.name, Lock::AccessExclusive);
        for sequence in self.sequences(sides.old) {
            step = step.locks(&sequence, Lock::AccessExclusive);
        }
        // A key to a partitioned table has triggers on each of the partitions.
        for partner in self.partners(sides.old) {
            step = reach(sides, &partner).iter().fold(step, |step, it| step.locks(it, Lock::AccessExclusive));
        }
        if let Some(Object::Partition(it)) = sides.old.get(&super::partition::id(&self.name)) {
            step = match it.is_referred_to(sides) {
                true => it.lock_referred(step, Lock::AccessExclusive, sides),
                false => it.lock_parent(step, sides),
            };
        }
        if stores(sides, &self.name) && sides.may_hold_rows(&self.name) {
            step = step
                .hazard(Code::DropTable, self.id(), evidence(sides, &self.name))
                .irreversible("the rows of the table are gone");
        }
        vec![step]
    }
}
