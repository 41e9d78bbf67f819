//! What is managed: namespaces, less what is ignored. What is outside is never planned for, and never touched.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::kind::{Kind, Object, ObjectId};
use crate::name::Name;
use crate::platform::{self, Platform, Verdict};
use crate::schema::Schema;
use crate::source::{Class, Declaration};
use crate::tenancy::template;

/// The namespace of tenantry's own journal, which is in no schema.
pub const JOURNAL_NAMESPACE: &str = "tenantry";

/// What of a database is managed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Patterns of managed namespaces; none means every one that is not the server's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Patterns of `namespace.name` that belong to somebody else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Whose own objects are never managed, whatever the patterns say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Where tables are kept that were to go: not managed until it is to be emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Name>,
    /// Tenants with a namespace each: theirs are planned for one at a time, and only the template is managed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Tenants>,
    /// What is managed all the same, since the declaration makes it upon the platform's objects: `policies of
    /// storage.objects`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upon: Vec<String>,
    /// Whether owners, grants and default privileges are compared; extensions and publications, whether undeclared
    /// ones are dropped.
    pub owners: bool,
    pub grants: bool,
    pub default_privileges: bool,
    pub extensions: bool,
    pub publications: bool,
}

/// How namespaces of tenants are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenants {
    /// The namespace that is declared for all of them.
    pub template: String,
    /// With `{tenant}` where the tenant's name goes.
    pub named: String,
}

impl Tenants {
    fn hold(&self, namespace: &Name) -> bool {
        namespace.as_str() != self.template && template::tenant_of(&self.named, namespace.as_str()).is_some()
    }
}

impl Scope {
    /// Everything is managed: what two whole databases are compared with.
    pub fn all() -> Self {
        Scope {
            owners: true,
            grants: true,
            default_privileges: true,
            extensions: true,
            publications: true,
            ..Scope::default()
        }
    }

    /// What these namespaces hold, as far as the declaration speaks of it.
    pub fn declared(
        namespaces: Vec<String>,
        ignore: Vec<String>,
        platform: Option<Platform>,
        quarantine: Option<Name>,
        declaration: &Declaration,
    ) -> Self {
        let manages = declaration.manages;
        let declares = |class: Class| {
            declaration.statements.iter().flat_map(|it| &it.names.declares).any(|it| it.class == class)
        };
        let mut upon: BTreeSet<String> =
            platform.map(|it| platform::upon(it, declaration)).unwrap_or_default().into_iter().collect();
        // Where not all namespaces are managed, an extension is by its own name, wherever its objects stand.
        if !namespaces.is_empty() {
            let declared = declaration.statements.iter().flat_map(|it| &it.names.declares);
            let extensions = declared.filter(|it| it.class == Class::Extension);
            upon.extend(extensions.map(|it| extension(&Name::from(it.name.as_str()))));
        }
        Scope {
            namespaces,
            ignore,
            platform,
            quarantine,
            tenants: None,
            upon: upon.into_iter().collect(),
            owners: manages.owners,
            grants: manages.grants,
            default_privileges: manages.default_privileges,
            extensions: declares(Class::Extension),
            publications: declares(Class::Publication),
        }
    }

    /// The managed part of a schema, and the rest.
    pub fn split(&self, schema: &Schema) -> (Schema, Schema) {
        let (namespaces, ignore) = (patterns(&self.namespaces), patterns(&self.ignore));
        let mut wholes = Wholes { schema, known: HashMap::new() };
        // What hangs together stands in one place, so a whole is looked at once.
        let mut places: HashMap<ObjectId, bool> = HashMap::new();
        let mut is_managed = |id: &ObjectId, object: &Object| {
            let whole = wholes.of(id, object);
            let satellite = matches!(id.kind, Kind::Owner | Kind::Grants);
            match self.platform.map(|it| it.verdict(schema, id, &whole, &self.upon)) {
                Some(Verdict::Platform) => return false,
                Some(Verdict::Project) => return !satellite || self.manages_kind(id.kind),
                Some(Verdict::Unknown) | None => {}
            }
            self.manages_kind(id.kind)
                && self.manages_kind(whole.kind)
                && match places.get(&whole) {
                    Some(inside) => *inside,
                    None => {
                        let inside = self.holds(schema, &whole, &namespaces, &ignore);
                        places.insert(whole, inside);
                        inside
                    }
                }
        };
        let beside = schema.objects.iter().filter(|(id, object)| !is_managed(id, object));
        let beside: HashSet<&ObjectId> = beside.map(|(id, _)| id).collect();
        if beside.is_empty() {
            return (schema.clone(), Schema { unmanaged: schema.unmanaged.clone(), ..schema.empty() });
        }
        (schema.filtered(|id| !beside.contains(id)), schema.filtered(|id| beside.contains(id)))
    }

    /// Gives both sides of a plan the owners and grants that the live side has and nobody manages: an object that is
    /// made again gets them back.
    pub fn keep_unmanaged(&self, live: &Schema, start: &mut Schema, desired: &mut Schema) {
        let unmanaged = [Kind::Owner, Kind::Grants].into_iter().filter(|kind| !self.manages_kind(*kind));
        for object in unmanaged.flat_map(|kind| live.of_kind(kind)) {
            let id = object.id();
            let Some(on) = live.part_of(&id).filter(|on| start.contains(on) && desired.contains(on)) else {
                continue;
            };
            for side in [&mut *start, &mut *desired] {
                side.objects.insert(id.clone(), object.clone());
                Arc::make_mut(side.needs.entry(id.clone()).or_default()).insert(on.clone());
            }
        }
    }

    /// The same scope, with the owners and grants of what it holds whether anybody manages them or not: what is made
    /// again on the way gets them back.
    pub fn with_rights(&self) -> Scope {
        Scope { owners: true, grants: true, ..self.clone() }
    }

    /// A managed schema with the owners and grants that the live side has.
    pub fn with_live_rights(&self, schema: &Schema, live: &Schema) -> Schema {
        let mut schema = schema.clone();
        let unmanaged = [Kind::Owner, Kind::Grants].into_iter().filter(|kind| !self.manages_kind(*kind));
        for object in unmanaged.flat_map(|kind| live.of_kind(kind)) {
            let id = object.id();
            if let Some(on) = live.part_of(&id).filter(|on| schema.contains(on)) {
                schema.objects.insert(id.clone(), object.clone());
                Arc::make_mut(schema.needs.entry(id).or_default()).insert(on);
            }
        }
        schema
    }

    /// Gives both sides of a plan what stands outside and is the same on both: what it refers to, and what objects get
    /// by themselves there.
    pub fn lend(surroundings: &Schema, start: &mut Schema, desired: &mut Schema) {
        for side in [start, desired] {
            for (id, object) in &surroundings.objects {
                side.objects.entry(id.clone()).or_insert_with(|| object.clone());
            }
            for (id, needs) in &surroundings.needs {
                Arc::make_mut(side.needs.entry(id.clone()).or_default()).extend(needs.iter().cloned());
            }
        }
    }

    fn manages_kind(&self, kind: Kind) -> bool {
        match kind {
            Kind::Owner => self.owners,
            Kind::Grants => self.grants,
            Kind::DefaultPrivileges => self.default_privileges,
            Kind::Extension => self.extensions,
            Kind::Publication => self.publications,
            _ => true,
        }
    }

    /// Whether what is no part of anything stands where the scope reaches, and all its parts with it.
    fn holds(&self, schema: &Schema, whole: &ObjectId, namespaces: &GlobSet, ignore: &GlobSet) -> bool {
        let Some(namespace) = schema.get(whole).and_then(|it| it.namespace()) else { return true };
        let named = whole.kind == Kind::Extension && self.upon.contains(&extension(&whole.path[0]));
        let managed = self.namespaces.is_empty() || named || namespaces.is_match(namespace.as_str());
        let name: Vec<&str> = whole.path.iter().take(2).map(Name::as_str).collect();
        managed
            && self.quarantine.as_ref() != Some(&namespace)
            && !self.tenants.as_ref().is_some_and(|it| it.hold(&namespace))
            && namespace.as_str() != JOURNAL_NAMESPACE
            && !ignore.is_match(name.join("."))
    }
}

/// The wholes of a schema's objects, each looked up once for all its parts.
struct Wholes<'a> {
    schema: &'a Schema,
    /// By what the parts say that they are part of.
    known: HashMap<ObjectId, ObjectId>,
}

impl Wholes<'_> {
    fn of(&mut self, id: &ObjectId, object: &Object) -> ObjectId {
        let Some(part_of) = object.part_of() else { return id.clone() };
        if let Some(whole) = self.known.get(&part_of) {
            return whole.clone();
        }
        let whole = self.schema.whole_of(id);
        // A part of what is not there is by itself, and says nothing of others.
        if whole != *id {
            self.known.insert(part_of, whole.clone());
        }
        whole
    }
}

/// How what is managed all the same names an extension.
fn extension(name: &Name) -> String {
    format!("extension {name}")
}

/// Patterns as shells have them. One that is no pattern is taken as a plain name.
pub fn patterns(texts: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let glob = GlobBuilder::new(text).literal_separator(false).build();
        let glob = glob.or_else(|_| GlobBuilder::new(&globset::escape(text)).build());
        if let Ok(glob) = glob {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}
