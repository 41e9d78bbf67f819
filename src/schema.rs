//! The whole described state of a database, and the two sides that a plan lies between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName, Role};
use crate::plan::derive::Derived;
use crate::plan::relocate::Move;

/// Where an object stands in the server's catalogs, as pg_depend has it: (classid, objid, objsubid).
pub type Address = (u32, u32, i32);

/// One privilege as `aclexplode` gives it: grantee (empty for PUBLIC), privilege, with grant option.
pub type AclItem = (Role, String, bool);

/// The same with who granted it.
pub type Granted = (Role, String, bool, Role);

/// One row of a kind's catalog query.
#[derive(Debug, Clone)]
pub struct Row {
    pub at: Address,
    /// The owner, for kinds that have one of their own.
    pub owner: Option<Role>,
    /// The effective privileges (the catalog's, or acldefault() where it has null), for kinds that have them.
    pub acl: Option<Vec<Granted>>,
    /// The sequence inside of an identity column, which is no object of its own.
    pub sequence: Option<Inner>,
    pub object: Object,
}

/// What belongs to an object and has an owner, privileges and comments all the same.
#[derive(Debug, Clone, Deserialize)]
pub struct Inner {
    pub at: Address,
    pub owner: Role,
    #[serde(default)]
    pub acl: Option<Vec<Granted>>,
}

impl Row {
    pub fn decode<T: DeserializeOwned>(json: &str, wrap: fn(T) -> Object) -> serde_json::Result<Row> {
        #[derive(Deserialize)]
        struct Raw<T> {
            at: Address,
            owner: Option<Role>,
            acl: Option<Vec<Granted>>,
            sequence: Option<Inner>,
            def: T,
        }
        let raw: Raw<T> = serde_json::from_str(json)?;
        Ok(Row { at: raw.at, owner: raw.owner, acl: raw.acl, sequence: raw.sequence, object: wrap(raw.def) })
    }
}

/// What an object needs. Schemas that are parts of one another share it.
pub type Needs = Arc<BTreeSet<ObjectId>>;

/// For each object, the objects that need it, in order. It is there to look things up in: of a large schema it is made
/// several times in a plan.
pub type Dependents<'a> = HashMap<&'a ObjectId, Vec<&'a ObjectId>>;

/// The described state: objects, and what each needs according to pg_depend and to itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// `server_version_num`, such as 150018.
    pub server_version: u32,
    /// The role that objects belong to when nobody says otherwise: who was connected.
    pub creator: Role,
    #[serde(with = "as_pairs")]
    pub objects: BTreeMap<ObjectId, Object>,
    #[serde(with = "as_pairs")]
    pub needs: BTreeMap<ObjectId, Needs>,
    /// Objects of kinds that are not managed, as people would name them, and how to make one like it, where that is
    /// known.
    pub unmanaged: BTreeMap<String, Option<String>>,
}

impl Default for Role {
    fn default() -> Self {
        Role::public()
    }
}

impl Schema {
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.objects.get(id)
    }

    pub fn contains(&self, id: &ObjectId) -> bool {
        self.objects.contains_key(id)
    }

    /// What the object needs, in order.
    pub fn needs_of(&self, id: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.needs.get(id).into_iter().flat_map(|needs| needs.iter())
    }

    /// What it would be good to have before the object: all objects whose path is that of a wish or begins with it.
    pub fn wishes_of(&self, id: &ObjectId) -> BTreeSet<&ObjectId> {
        let wishes = self.get(id).map(Object::wishes).unwrap_or_default();
        let mut found = BTreeSet::new();
        for wish in wishes {
            let first = (Bound::Included(&wish), Bound::Unbounded);
            let granted = |it: &&ObjectId| it.kind == wish.kind && it.path.starts_with(&wish.path);
            found.extend(self.objects.range(first).map(|(it, _)| it).take_while(granted));
        }
        found
    }

    /// For each object, the objects that need it, in order.
    pub fn dependents(&self) -> Dependents<'_> {
        let mut dependents = Dependents::with_capacity(self.objects.len());
        for (id, needs) in &self.needs {
            for need in needs.iter() {
                dependents.entry(need).or_default().push(id);
            }
        }
        dependents
    }

    /// Objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects
            .range(ObjectId { kind, path: [].into() }..)
            .take_while(move |(id, _)| id.kind == kind)
            .map(|(_, object)| object)
    }

    /// Objects of one kind whose path begins with this relation's: its columns, say.
    pub fn of_relation<'a>(&'a self, kind: Kind, relation: &QName) -> impl Iterator<Item = &'a Object> {
        let start = ObjectId::new(kind, [&relation.namespace, &relation.name]);
        self.objects
            .range(start..)
            .take_while(move |(id, _)| {
                id.kind == kind
                    && id.path.first() == Some(&relation.namespace)
                    && id.path.get(1) == Some(&relation.name)
            })
            .map(|(_, object)| object)
    }

    /// The object that this one is a part of. What hangs on a column of a view, which is no object of its own, is part
    /// of the view.
    pub fn part_of(&self, id: &ObjectId) -> Option<ObjectId> {
        let whole = self.get(id)?.part_of()?;
        if self.contains(&whole) {
            return Some(whole);
        }
        let (_, path) = whole.path.split_last()?;
        Kind::ALL
            .iter()
            .map(|kind| ObjectId { kind: *kind, path: path.into() })
            .find(|candidate| self.contains(candidate))
    }

    /// The wholes that an object is part of, from the nearest to the outermost.
    pub fn wholes_of(&self, id: &ObjectId) -> Vec<ObjectId> {
        std::iter::successors(self.part_of(id), |whole| self.part_of(whole)).collect()
    }

    /// The outermost whole that an object is part of: itself, for most.
    pub fn whole_of(&self, id: &ObjectId) -> ObjectId {
        std::iter::successors(self.part_of(id), |whole| self.part_of(whole)).last().unwrap_or_else(|| id.clone())
    }

    /// Adds to what pg_depend says what the objects themselves say: the wholes they are part of, and their needs.
    pub fn add_own_needs(&mut self) {
        let own: Vec<(ObjectId, Vec<ObjectId>)> = self
            .objects
            .iter()
            .map(|(id, object)| {
                let needs = object.needs().into_iter().filter(|need| self.contains(need));
                (id.clone(), needs.chain(self.part_of(id)).collect())
            })
            .collect();
        for (id, needs) in own {
            if !needs.is_empty() {
                Arc::make_mut(self.needs.entry(id).or_default()).extend(needs);
            }
        }
    }

    /// The part of the schema whose ids pass, with what they need among themselves. No id may pass that is not in it.
    pub fn filtered(&self, keep: impl Fn(&ObjectId) -> bool) -> Schema {
        let objects: BTreeMap<_, _> =
            self.objects.iter().filter(|(id, _)| keep(id)).map(|(id, it)| (id.clone(), it.clone())).collect();
        let needs = self
            .needs
            .iter()
            .filter(|(id, _)| keep(id))
            .map(|(id, needs)| match needs.iter().all(&keep) {
                true => (id.clone(), needs.clone()),
                false => (id.clone(), Arc::new(needs.iter().filter(|it| keep(it)).cloned().collect())),
            })
            .collect();
        Schema { objects, needs, unmanaged: self.unmanaged.clone(), ..self.empty() }
    }

    /// The same server and creator, without objects.
    pub fn empty(&self) -> Schema {
        Schema { server_version: self.server_version, creator: self.creator.clone(), ..Schema::default() }
    }

    /// The major version of the server that this was read from.
    pub fn major(&self) -> u32 {
        self.server_version / 10_000
    }
}

/// How much stands in a relation of the live side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Estimated rows: `pg_class.reltuples`, or bytes by width where it was never analysed.
    pub rows: u64,
    /// Bytes on disk with indexes and TOAST: `pg_total_relation_size`.
    pub bytes: u64,
    /// Of these, without indexes: `pg_table_size`. It is what a scan reads.
    pub table_bytes: u64,
    /// The relation holds no row at all, for certain.
    pub empty: bool,
}

/// What is known of the live side beyond its schema, and declared beyond the desired one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub sizes: BTreeMap<QName, Size>,
    /// Bytes of a value on the average, of columns where these are more than one would take them for.
    pub widths: BTreeMap<QName, BTreeMap<Name, u64>>,
    /// The casts that the server has, from one type to another, as `format_type` prints them; none where it was not
    /// asked.
    pub casts: Arc<BTreeSet<(String, String)>>,
    /// Those of them that leave the bytes as they are: binary coercible, as `CREATE CAST` calls it.
    pub coercions: Arc<BTreeSet<(String, String)>>,
    /// What rows that exist get in a column that becomes required, or that gets another type: an SQL expression over the
    /// table's own columns.
    pub backfills: BTreeMap<(QName, Name), String>,
    /// Columns that take the place of others, by expressions both ways.
    pub derived: BTreeMap<QName, Derived>,
    /// Columns whose values go over to another table.
    pub moved: Vec<Move>,
    /// Tables that nobody uses while the plan runs.
    pub idle: BTreeSet<QName>,
    /// Tables that an earlier part of the plan gives their names: no code knows them yet.
    pub unknown: BTreeSet<QName>,
    /// Of tables that become partitioned, the partition that can hold all of their rows, if any can; where the rows were
    /// asked.
    pub homes: BTreeMap<QName, Option<QName>>,
    /// Publications whose readers take a table's columns as they come.
    pub open_publications: BTreeSet<Name>,
    /// Columns that get another type in place though their table may hold many rows, and such types themselves: why
    /// there is no other way.
    pub in_place: BTreeMap<ObjectId, String>,
    /// What an earlier part of the plan left to go in `contract`, its use over: nothing is lost with it. With the
    /// statements that follow its undo.
    pub spent: BTreeMap<ObjectId, Vec<String>>,
    /// The steps asked for are those of the way back, which may begin anywhere on the way: some of it is not done then.
    pub way_back: bool,
}

/// Both schemas, the way a kind sees them while it writes steps from old to new.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub old: &'a Schema,
    pub new: &'a Schema,
    pub facts: &'a Facts,
    /// Objects that exist on both sides and are dropped and created again all the same.
    pub replaced: &'a BTreeSet<ObjectId>,
    /// Its own, since it is about these schemas and these replaced objects alone.
    pub families: &'a Families,
}

/// Objects that change with one of them, by that one: each of them asks who they are.
#[derive(Debug, Default)]
pub struct Families(Mutex<BTreeMap<ObjectId, Arc<BTreeSet<ObjectId>>>>);

impl<'a> Sides<'a> {
    /// The objects that change with this one, found once.
    pub fn family(&self, of: ObjectId, find: impl FnOnce() -> BTreeSet<ObjectId>) -> Arc<BTreeSet<ObjectId>> {
        let families = || self.families.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = families().get(&of) {
            return known.clone();
        }
        let found = Arc::new(find());
        families().insert(of, found.clone());
        found
    }

    /// Whether the object is made by this plan: nobody holds it, nothing is in it.
    pub fn is_new(&self, id: &ObjectId) -> bool {
        !self.old.contains(id) || self.replaced.contains(id)
    }

    /// Whether the object goes with this plan, for good or to be made again.
    pub fn is_going(&self, id: &ObjectId) -> bool {
        !self.new.contains(id) || self.replaced.contains(id)
    }

    /// Whether the relation can hold rows when the plan starts. What is not known counts as holding some.
    pub fn may_hold_rows(&self, relation: &QName) -> bool {
        self.facts.sizes.get(relation).is_none_or(|size| !size.empty)
    }

    /// Whether somebody may be reading or writing rows of the relation: the forms that keep out of their way are for that.
    pub fn is_used(&self, relation: &QName) -> bool {
        self.may_hold_rows(relation) && !self.facts.idle.contains(relation)
    }

    /// Rows and bytes, or nothing where nothing is known.
    pub fn size(&self, relation: &QName) -> Option<Size> {
        self.facts.sizes.get(relation).copied()
    }

    /// The major version of the server that the plan is for.
    pub fn major(&self) -> u32 {
        self.old.major()
    }
}

/// Maps whose keys are no strings, as lists of pairs: JSON has no other form for them.
mod as_pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
