//! What every kind of object says about itself, and the closed list of kinds.
//!
//! All that the program knows of a kind stands in its file: fields, catalog query, create/alter/drop with their
//! locks. No connection, no ordering and no output in here: those are machinery, and machinery names no kind.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::plan::hazard::Hazard;
use crate::plan::{Disturbance, Step};
use crate::schema::{Row, Schema, Sides};

/// Names an object within a database: its kind and its path, such as `["public", "messages", "id"]`.
/// Routines have their argument types as the last part of the path; what hangs on another object (comment, owner,
/// grants) has that object's kind as the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    pub kind: Kind,
    pub path: Arc<[Name]>,
}

impl ObjectId {
    pub fn new<const N: usize>(kind: Kind, path: [&Name; N]) -> Self {
        ObjectId { kind, path: path.into_iter().cloned().collect() }
    }

    /// The id of what hangs on this object: its comment, owner or grants.
    pub fn satellite(&self, kind: Kind) -> ObjectId {
        let first = Name::from(format!("{:?}", self.kind));
        ObjectId { kind, path: std::iter::once(first).chain(self.path.iter().cloned()).collect() }
    }

    /// As COMMENT ON, ALTER … OWNER TO and GRANT name it: `TABLE public.messages`, `COLUMN public.messages.id`.
    pub fn reference(&self) -> String {
        self.kind.reference(&self.path)
    }
}

impl fmt::Display for ObjectId {
    /// For people: `column public.messages.id`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<String> = self.path.iter().map(Name::to_string).collect();
        write!(f, "{} {}", self.kind.noun(), self.kind.label(&self.path).unwrap_or_else(|| path.join(".")))
    }
}

/// A slot that only one object can fill at a time: a table and a view can't have one name, whatever their kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim(pub &'static str, pub Vec<Name>);

/// How an object is taken from its old definition to its new one.
#[derive(Debug, Clone, PartialEq)]
pub enum Alter {
    /// In place, by these steps; none where the difference has no statement of its own (its cause has).
    Steps(Vec<Step>),
    /// Dropped and created again, and with it all that depends on it.
    Replace,
    /// Not at all: why, and what to do instead. The plan stops.
    Refused(String),
}

/// What a kind of object says about itself. Fields are as the catalogs have them; two objects are the same when
/// they are equal.
pub trait Definition: Sized + Clone + PartialEq + Serialize + DeserializeOwned {
    /// The word for people: "table".
    const NOUN: &'static str;

    /// A query with one json column and a row for each object of the kind that is no extension's and in no
    /// namespace of the server's own. The row: `at` (catalog, oid, column number as in pg_depend), `owner`, `acl`
    /// (see [`Row`]) and `def`, which deserializes into the kind's type. Must run on PostgreSQL 14 and later:
    /// columns of later versions are read through `to_jsonb(catalog_row) ->> 'column'`.
    const CATALOG: &'static str;

    fn id(&self) -> ObjectId;

    /// The namespace that the object stands in, or is; nothing for what belongs to the whole database.
    fn namespace(&self) -> Option<Name> {
        self.id().path.first().cloned()
    }

    /// As COMMENT ON and its like name an object with this path: `TABLE public.messages`.
    fn reference(path: &[Name]) -> String;

    /// How people read the path, where that is not its parts with dots between them.
    fn label(_path: &[Name]) -> Option<String> {
        None
    }

    /// What this object needs that pg_depend doesn't say.
    fn needs(&self) -> Vec<ObjectId> {
        vec![]
    }

    /// What it would be good to have first, where it exists: names in bodies that the server does not track. A path
    /// that is only the beginning of one stands for all that begin so: the columns of a table, the overloads of a
    /// name.
    fn wishes(&self) -> Vec<ObjectId> {
        vec![]
    }

    /// The same for a change of the object, as far as only the objects that use it tell.
    fn wishes_when_altered(&self, _new: &Schema) -> Vec<ObjectId> {
        vec![]
    }

    /// The whole that this object goes with: dropping that drops this, without CASCADE.
    fn part_of(&self) -> Option<ObjectId> {
        None
    }

    /// Whether this object is written inside the CREATE of the whole that it is part of, when that is new.
    fn made_with_whole(&self) -> bool {
        false
    }

    /// Whether this is dropped by a statement of its own though its whole goes too: before what it wishes for goes.
    fn goes_apart(&self, _sides: &Sides<'_>) -> bool {
        false
    }

    /// What comes, changes or goes while this is not there: all of it before this comes, or once it has gone.
    fn keeps_apart_from(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        vec![]
    }

    /// What has to be made again, or go, so that this can go: it ends in no other way.
    fn goes_only_with(&self, _sides: &Sides<'_>) -> Option<ObjectId> {
        None
    }

    /// What takes this in by coming, so that this goes without a statement of its own.
    fn is_taken_in_by(&self, _sides: &Sides<'_>) -> Option<ObjectId> {
        None
    }

    /// What goes in the moment in which this comes, since uses of the one could be uses of the other.
    fn takes_the_place_of(&self, _sides: &Sides<'_>) -> Option<ObjectId> {
        None
    }

    /// What has to be gone before this can come, or change, of the old schema.
    fn comes_after_the_end_of(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        vec![]
    }

    /// What has to be there before this can come, of the new schema, beside what it needs.
    fn comes_after(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        vec![]
    }

    /// What has to be gone before this can go, of the old schema, beside what needs it.
    fn goes_after(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        vec![]
    }

    /// What has copies of this when it comes, of the new schema: these go with this, which stays until they are there.
    fn is_copied_to(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        vec![]
    }

    /// Whether what it needs has the form that it needs there.
    fn fits(&self, _schema: &Schema) -> bool {
        true
    }

    /// Whether the change to this comes before that of something that it needs, since it lets go of what goes there.
    fn changes_before(&self, _need: &ObjectId, _sides: &Sides<'_>) -> bool {
        false
    }

    /// Whether it looks for rows by a column that it needs, or gives them with it: for nothing, until the column is filled.
    fn reads(&self, _column: &ObjectId) -> bool {
        false
    }

    /// Whether the whole is altered so that this comes to be as it is, though the whole may be the same before and after.
    fn changes_whole(&self, _sides: &Sides<'_>) -> bool {
        false
    }

    fn claims(&self) -> Vec<Claim> {
        vec![]
    }

    /// Whether the object lives through a change to something that it depends on.
    fn survives(&self, disturbance: Disturbance) -> bool;

    /// Whether steps of another object that it stands on have its change among them.
    fn changes_along(&self, _sides: &Sides<'_>) -> bool {
        false
    }

    /// Whether the object stays as it is when something that it needs is not in the new schema.
    fn outlives(&self, _need: &ObjectId, _new: &Schema) -> bool {
        false
    }

    /// Why this can't go while what it is part of stays, and what to do first. The plan stops.
    fn cannot_go(&self, _sides: &Sides<'_>) -> Option<String> {
        None
    }

    /// What has to change in the same moment: neither form of the one serves beside the other form of the other.
    fn changes_with(&self, _sides: &Sides<'_>) -> Option<ObjectId> {
        None
    }

    /// Why this can't come, and what to do instead. The plan stops.
    fn cannot_come(&self, _sides: &Sides<'_>) -> Option<String> {
        None
    }

    /// What this no longer is once its whole is made again, beside what that says of itself.
    fn loses(&self, _new: &Self, _sides: &Sides<'_>) -> Vec<Hazard> {
        vec![]
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step>;

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter;

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step>;
}

pub mod arbiter;
mod expr;
pub mod foreign_partition;
pub mod made_name;
mod parameters;
mod privileges;
pub mod row_type;
mod swap;
mod unique;
pub mod unmanaged;
pub(crate) mod width;

pub use expr::{Expr, Retyped, as_trees, aside, canonical};

macro_rules! kinds {
    ($($Kind:ident = $module:ident :: $Type:ident,)*) => {
        $(pub mod $module;)*

        /// The closed list of kinds, in the order in which objects of different kinds come when nothing else
        /// decides: what others tend to need stands first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind { $($Kind,)* }

        /// An object of any kind. Schemas that are parts of one another share theirs.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Object { $($Kind(Arc<$module::$Type>),)* }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$Kind,)*];

            pub fn noun(self) -> &'static str {
                match self { $(Kind::$Kind => $module::$Type::NOUN,)* }
            }

            pub fn catalog(self) -> &'static str {
                match self { $(Kind::$Kind => $module::$Type::CATALOG,)* }
            }

            pub fn reference(self, path: &[Name]) -> String {
                match self { $(Kind::$Kind => $module::$Type::reference(path),)* }
            }

            pub fn label(self, path: &[Name]) -> Option<String> {
                match self { $(Kind::$Kind => $module::$Type::label(path),)* }
            }

            /// Reads one row of the kind's catalog query.
            pub fn decode(self, json: &str) -> serde_json::Result<Row> {
                match self { $(Kind::$Kind => Row::decode(json, |it| Object::$Kind(Arc::new(it))),)* }
            }
        }

        impl Object {
            pub fn id(&self) -> ObjectId {
                match self { $(Object::$Kind(it) => it.id(),)* }
            }

            pub fn namespace(&self) -> Option<Name> {
                match self { $(Object::$Kind(it) => it.namespace(),)* }
            }

            pub fn needs(&self) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.needs(),)* }
            }

            pub fn wishes(&self) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.wishes(),)* }
            }

            pub fn wishes_when_altered(&self, new: &Schema) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.wishes_when_altered(new),)* }
            }

            pub fn part_of(&self) -> Option<ObjectId> {
                match self { $(Object::$Kind(it) => it.part_of(),)* }
            }

            pub fn made_with_whole(&self) -> bool {
                match self { $(Object::$Kind(it) => it.made_with_whole(),)* }
            }

            pub fn goes_apart(&self, sides: &Sides<'_>) -> bool {
                match self { $(Object::$Kind(it) => it.goes_apart(sides),)* }
            }

            pub fn keeps_apart_from(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.keeps_apart_from(sides),)* }
            }

            pub fn goes_only_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
                match self { $(Object::$Kind(it) => it.goes_only_with(sides),)* }
            }

            pub fn fits(&self, schema: &Schema) -> bool {
                match self { $(Object::$Kind(it) => it.fits(schema),)* }
            }

            pub fn takes_the_place_of(&self, sides: &Sides<'_>) -> Option<ObjectId> {
                match self { $(Object::$Kind(it) => it.takes_the_place_of(sides),)* }
            }

            pub fn is_taken_in_by(&self, sides: &Sides<'_>) -> Option<ObjectId> {
                match self { $(Object::$Kind(it) => it.is_taken_in_by(sides),)* }
            }

            pub fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.comes_after(sides),)* }
            }

            pub fn goes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.goes_after(sides),)* }
            }

            pub fn is_copied_to(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.is_copied_to(sides),)* }
            }

            pub fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
                match self { $(Object::$Kind(it) => it.comes_after_the_end_of(sides),)* }
            }

            pub fn changes_before(&self, need: &ObjectId, sides: &Sides<'_>) -> bool {
                match self { $(Object::$Kind(it) => it.changes_before(need, sides),)* }
            }

            pub fn reads(&self, column: &ObjectId) -> bool {
                match self { $(Object::$Kind(it) => it.reads(column),)* }
            }

            pub fn changes_whole(&self, sides: &Sides<'_>) -> bool {
                match self { $(Object::$Kind(it) => it.changes_whole(sides),)* }
            }

            pub fn claims(&self) -> Vec<Claim> {
                match self { $(Object::$Kind(it) => it.claims(),)* }
            }

            pub fn survives(&self, disturbance: Disturbance) -> bool {
                match self { $(Object::$Kind(it) => it.survives(disturbance),)* }
            }

            pub fn changes_along(&self, sides: &Sides<'_>) -> bool {
                match self { $(Object::$Kind(it) => it.changes_along(sides),)* }
            }

            pub fn outlives(&self, need: &ObjectId, new: &Schema) -> bool {
                match self { $(Object::$Kind(it) => it.outlives(need, new),)* }
            }

            pub fn cannot_go(&self, sides: &Sides<'_>) -> Option<String> {
                match self { $(Object::$Kind(it) => it.cannot_go(sides),)* }
            }

            pub fn changes_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
                match self { $(Object::$Kind(it) => it.changes_with(sides),)* }
            }

            pub fn cannot_come(&self, sides: &Sides<'_>) -> Option<String> {
                match self { $(Object::$Kind(it) => it.cannot_come(sides),)* }
            }

            pub fn loses(&self, new: &Object, sides: &Sides<'_>) -> Vec<Hazard> {
                match (self, new) {
                    $((Object::$Kind(old), Object::$Kind(new)) => old.loses(new, sides),)*
                    _ => vec![],
                }
            }

            pub fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
                match self { $(Object::$Kind(it) => it.create(sides),)* }
            }

            pub fn alter(&self, new: &Object, sides: &Sides<'_>) -> Alter {
                match (self, new) {
                    $((Object::$Kind(old), Object::$Kind(new)) => old.alter(new, sides),)*
                    _ => Alter::Replace,
                }
            }

            pub fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
                match self { $(Object::$Kind(it) => Definition::drop(&**it, sides),)* }
            }
        }
    };
}

kinds! {
    Namespace = namespace::Namespace,
    Extension = extension::Extension,
    EnumType = enum_type::EnumType,
    RangeType = range_type::RangeType,
    Composite = composite::Composite,
    Domain = domain::Domain,
    DomainConstraint = domain_constraint::DomainConstraint,
    Sequence = sequence::Sequence,
    Routine = routine::Routine,
    Table = table::Table,
    Column = column::Column,
    Default = default::Default,
    Constraint = constraint::Constraint,
    Index = index::Index,
    Statistics = statistics::Statistics,
    Inheritance = inheritance::Inheritance,
    Partition = partition::Partition,
    IndexPartition = index_partition::IndexPartition,
    View = view::View,
    MaterializedView = materialized_view::MaterializedView,
    Trigger = trigger::Trigger,
    Rule = rule::Rule,
    Policy = policy::Policy,
    RowSecurity = row_security::RowSecurity,
    Publication = publication::Publication,
    PublishedTable = published_table::PublishedTable,
    DefaultPrivileges = default_privileges::DefaultPrivileges,
    Owner = owner::Owner,
    Grants = grants::Grants,
    Comment = comment::Comment,
}

/// What a comment, an owner or grants with this path hang on; see [`ObjectId::satellite`].
fn satellite_of(path: &[Name]) -> Option<ObjectId> {
    let (kind, path) = path.split_first()?;
    let kind = *Kind::ALL.iter().find(|it| format!("{it:?}") == kind.as_str())?;
    Some(ObjectId { kind, path: path.into() })
}

/// `ns.name`: the SQL name of what has a path of two.
fn dotted(path: &[Name]) -> String {
    path.iter().map(Name::to_string).collect::<Vec<_>>().join(".")
}

/// `TRIGGER name ON ns.relation`, for what is named within its relation.
fn on_relation(noun: &str, path: &[Name]) -> String {
    match path.split_last() {
        Some((name, relation)) => format!("{noun} {name} ON {}", dotted(relation)),
        None => noun.to_owned(),
    }
}

/// Tables, views, sequences, indexes and composite types share one space of names in a namespace.
fn relation_claim(name: &crate::name::QName) -> Claim {
    Claim("relation", vec![name.namespace.clone(), name.name.clone()])
}

/// Constraints of a table share one, NOT NULL among them.
fn constraint_claim(table: &crate::name::QName, name: &Name) -> Claim {
    Claim("constraint", vec![table.namespace.clone(), table.name.clone(), name.clone()])
}

/// Tables, views and all types share another.
fn type_claim(name: &crate::name::QName) -> Claim {
    Claim("type", vec![name.namespace.clone(), name.name.clone()])
}
