//! Finds what lets one tenant reach another's rows, or keeps a tenant from its own: in any schema, declared, planned or
//! live. One file a group of rules; nothing here asks a server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::citus;
use super::prove::routes::Route;
use super::settings::{self, Settings};
use super::{Class, KeyColumn, Tenancy, classify};
use crate::diagnostic::{File, Place, Report};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::{Name, QName, Role};
use crate::schema::{AclItem, Schema};
use crate::shadow::RoleSpec;
use crate::source::{Class as What, Declaration};

mod condition;
mod exposure;
mod keys;
mod namespaces;
mod policies;
mod references;
mod routines;
mod views;

/// How much a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; found or not, nobody reaches anything.
    Note,
    /// It weakens isolation, slows it down or may be meant.
    Warning,
    /// Rows of one tenant are in another's reach.
    Error,
}

macro_rules! rules {
    ($($Code:ident $code:literal $Severity:ident $why:literal $fix:literal,)*) => {
        /// The code of a finding, as `allow` and the documentation spell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code { $(#[serde(rename = $code)] $Code,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$Code,)*];

            pub fn name(self) -> &'static str {
                match self { $(Code::$Code => $code,)* }
            }

            /// The code of its report.
            fn report(self) -> &'static str {
                match self { $(Code::$Code => concat!("tenancy::", $code),)* }
            }

            pub fn severity(self) -> Severity {
                match self { $(Code::$Code => Severity::$Severity,)* }
            }

            /// What can happen.
            pub fn why(self) -> &'static str {
                match self { $(Code::$Code => $why,)* }
            }

            /// What to do.
            pub fn fix(self) -> &'static str {
                match self { $(Code::$Code => $fix,)* }
            }
        }
    };
}

rules! {
    KeyMissing "key-missing" Error "nothing says whose its rows are" "add the key, NOT NULL, with a foreign key to the tenant; `mode = \"expand\"` writes it",
    KeyNullable "key-nullable" Error "a row without a tenant belongs to nobody, and is in no unique key and no foreign key" "fill it and make it NOT NULL",
    KeyType "key-type" Error "a comparison of two types uses no index, or fails" "give the key the type of the tenant's",
    KeyWithoutReference "key-without-reference" Warning "rows may belong to a tenant that does not exist, and stay when it goes" "add a foreign key to the tenant",
    UniqueCrosses "unique-crosses" Error "one tenant's value keeps another from using it, and the error tells that it is there" "put the key first, or say `global` with the reason",
    ReferenceCrosses "reference-crosses" Error "a row can refer to another tenant's, and be changed or deleted with it; the error tells which exist" "let the foreign key carry the tenant key on both ends",
    ReferenceToTenant "reference-to-tenant" Warning "a row of one tenant can refer to another tenant" "refer by the key, or accept it with a reason",
    ReferenceThroughGlobal "reference-through-global" Error "rows that are everybody's refer to a tenant's: who reads them learns of it, and scoped tables reach it past the key" "declare the table as scoped, or take the reference out",
    ReferenceUnsetsKey "reference-unsets-key" Error "when the other row goes, the action sets the tenant key too: the row would belong to nobody, or the delete fails" "name the columns: ON DELETE SET NULL (column), from PostgreSQL 15 on",
    IndexMissing "index-missing" Warning "the filter by tenant reads the whole table" "add an index that begins with the key",
    RowSecurityOff "row-security-off" Error "whoever may read the table reads all tenants' rows" "enable row security, with policies",
    RowSecurityNotForced "row-security-not-forced" Warning "the owner of the table passes its policies" "FORCE ROW LEVEL SECURITY",
    OwnerIsApplication "owner-is-application" Error "the application's role owns the table, and so passes its policies" "force row security, or let another role own the table",
    PolicyMissing "policy-missing" Warning "row security is on and lets nobody through: the application sees no rows" "add policies for the tenant",
    PolicyAlwaysTrue "policy-always-true" Error "the policy lets everybody through to every tenant's rows" "compare the key with the current tenant",
    PolicyWithoutTenant "policy-without-tenant" Error "the policy lets rows through without asking for the tenant" "compare the key with the current tenant, or add a restrictive policy that does",
    PolicyNotUnderstood "policy-not-understood" Warning "it can't be seen that the policy keeps tenants apart" "add a restrictive policy that compares the key with the current tenant, and prove it",
    PolicyUpdateUnchecked "policy-update-unchecked" Error "a row can be given to another tenant" "let WITH CHECK compare the key with the current tenant",
    PolicyCheckUnsaid "policy-check-unsaid" Note "what a row may become is not said; the server takes the condition of USING" "write WITH CHECK, so that a change of USING does not change it unseen",
    PolicyOverlaps "policy-overlaps" Note "each of them is asked at each row, and what one lets through the other can't hold back" "make them one, or make the narrower one restrictive",
    PolicyPerRow "policy-per-row" Warning "the tenant is asked for once a row: each row that is read costs a call" "put the call into a subquery: (SELECT …)",
    PolicyUserMetadata "policy-user-metadata" Error "users can change these claims themselves" "take the tenant from app_metadata or from a table",
    RoleBypasses "role-bypasses" Error "policies do not apply to the role" "ALTER ROLE … NOBYPASSRLS NOSUPERUSER",
    RoleBecomesAnother "role-becomes-another" Warning "SET ROLE makes it a role to which policies do not apply" "revoke the membership",
    ViewRunsAsOwner "view-runs-as-owner" Error "the view reads its tables with the rights of its owner, past what row security shows the caller" "set security_invoker = true",
    MaterializedViewShows "materialized-view-shows" Error "what it holds was read by its owner, and no policy applies to it" "revoke it from the application's roles, or make it a view",
    DefinerSearchPath "definer-search-path" Error "who calls it chooses which objects its names mean, and so what runs with the owner's rights" "SET search_path = '' on the function, and qualify its names",
    DefinerWithoutTenant "definer-without-tenant" Error "it reads or writes scoped tables with its owner's rights and never asks for the tenant" "make it SECURITY INVOKER, or compare the key with the current tenant in it",
    PartitionOpen "partition-open" Error "read by its own name, the partition is not held to the policies of the whole" "revoke it, or enable row security on it",
    PastPolicies "past-policies" Error "TRUNCATE, REFERENCES and TRIGGER are not held to policies" "revoke the privilege",
    GrantToEveryone "grant-to-everyone" Warning "every role that can connect, or nobody known, has only policies before it" "grant it to the application's roles",
    GlobalWritable "global-writable" Warning "one tenant can change what all see" "grant only SELECT on global tables",
    SequenceTells "sequence-tells" Warning "its value tells how many rows all tenants have made, and setval breaks their inserts" "grant only USAGE, or make the column an identity",
    PublicationShows "publication-shows" Warning "subscribers are sent all tenants' rows: no policy applies to replication" "filter the rows, or make sure that subscribers are not tenants",
    ForeignTable "foreign-table" Warning "what it shows is on another server, and no policy of this one applies there" "revoke it from the application's roles",
    NamespaceCrosses "namespace-crosses" Error "one tenant's objects depend on another's, and reach it" "let them depend on their own namespace and on shared ones alone",
    DefaultPrivilegesOpen "default-privileges-open" Warning "tables to come are in reach before they have row security" "grant on each table, once it has policies",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    pub object: ObjectId,
    /// What is so.
    pub message: String,
    /// The reason of who accepted it.
    pub accepted: Option<String>,
}

impl Finding {
    /// As people read it.
    pub fn report(&self, place: Option<Place>) -> Report {
        let make = match self.severity {
            Severity::Error => Report::error,
            Severity::Warning => Report::warning,
            Severity::Note => Report::note,
        };
        let mut report: Report = make(self.code.report(), self.message.clone());
        report.places.extend(place.map(|place| Place { label: self.code.why().into(), ..place }));
        let why = if report.places.is_empty() { format!("{}; ", self.code.why()) } else { String::new() };
        report.help(format!("{why}{}", self.code.fix()))
    }
}

/// What is accepted, with reasons.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// `code` or `code:object`.
    allow: BTreeMap<String, String>,
    /// Keys that stay unique over all tenants, and what else stays as declared, by table.
    kept: BTreeMap<(QName, Name), String>,
    /// Columns whose key in their line stays unique over all tenants.
    columns: BTreeMap<(QName, Name), String>,
}

impl Exceptions {
    /// What the configuration and, where there is one, the declaration except.
    pub fn new(settings: &Settings, declaration: Option<&Declaration>) -> Exceptions {
        let mut exceptions = Exceptions::default();
        for (word, because) in &settings.allow {
            exceptions.allow.insert(word.get_ref().clone(), because.clone());
        }
        for (word, table) in &settings.tables {
            let Some(name) = classify::qname(word.get_ref()) else { continue };
            for (kept, because) in &table.keep {
                let kept = Name::from(kept.get_ref().as_str());
                exceptions.kept.insert((name.clone(), kept), because.clone());
            }
        }
        for global in declaration.into_iter().flat_map(|it| &it.globals) {
            let because = global.because.clone();
            match (global.beside.0, global.beside.1.as_slice()) {
                (What::Column, [namespace, table, column]) => {
                    let table = QName::new(namespace.clone(), table.clone());
                    exceptions.columns.insert((table, column.clone()), because);
                }
                (What::Constraint, [namespace, table, name]) => {
                    let table = QName::new(namespace.clone(), table.clone());
                    exceptions.kept.insert((table, name.clone()), because);
                }
                (What::Index, [namespace, name]) => {
                    // The name of an index is unique in its namespace, so it stands for itself.
                    let index = QName::new(namespace.clone(), name.clone());
                    exceptions.kept.insert((index, name.clone()), because);
                }
                _ => {}
            }
        }
        exceptions
    }

    /// Words of `allow` that no rule has.
    pub fn unknown<'a>(declared: &'a settings::Declared) -> Vec<Report> {
        let words = declared.tenancies.iter().flat_map(|it| it.allow.keys());
        let unknown = words.filter(|word| {
            let code = word.get_ref().split(':').next().unwrap_or_default();
            // What the prover finds, and what Citus refuses, are accepted in the same place.
            let is_route =
                code.strip_prefix("prove-").is_some_and(|it| Route::ALL.iter().any(|route| route.name() == it));
            !is_route && code != citus::CODE && !Code::ALL.iter().any(|it| it.name() == code)
        });
        let report = |word: &'a toml::Spanned<String>| {
            let code = word.get_ref().split(':').next().unwrap_or_default();
            let near = Code::ALL
                .iter()
                .map(|it| it.name())
                .max_by(|one, other| strsim::jaro_winkler(code, one).total_cmp(&strsim::jaro_winkler(code, other)));
            Report::error("tenancy::allow", format!("there is no finding {code}"))
                .at(&declared.file, word.span(), "unknown")
                .help(format!("did you mean `{}`?", near.unwrap_or_default()))
        };
        unknown.map(report).collect()
    }

    /// What `allow` accepts of an object and nothing found there: the object is called otherwise, or was mended.
    pub fn without_effect(settings: &Settings, file: &Arc<File>, found: &[Finding]) -> Vec<Report> {
        let is_of = |word: &str| {
            word.split_once(':').is_none_or(|(code, _)| !Code::ALL.iter().any(|it| it.name() == code))
                || found.iter().any(|finding| Self::names(finding).iter().any(|name| name == word))
        };
        let unused = settings.allow.keys().filter(|word| !is_of(word.get_ref()));
        let report = |word: &toml::Spanned<String>| {
            let code = word.get_ref().split(':').next().unwrap_or_default();
            let near = found.iter().filter(|it| it.code.name() == code && it.accepted.is_none());
            let near: Vec<String> = near.map(|it| format!("`{}`", Self::names(it)[0])).collect();
            let help = match near.as_slice() {
                [] => "take it out".to_owned(),
                near => format!("what is found is {}", near.join(", ")),
            };
            Report::warning("tenancy::allow", format!("nothing is found that {} accepts", word.get_ref()))
                .at(file, word.span(), "without effect")
                .help(help)
        };
        unused.map(report).collect()
    }

    /// The words of `allow` that mean a finding and its object.
    fn names(finding: &Finding) -> [String; 2] {
        let spoken = finding.object.to_string();
        let path = spoken.split_once(' ').map_or(spoken.as_str(), |(_, path)| path);
        [format!("{}:{path}", finding.code), format!("{}:{spoken}", finding.code)]
    }

    fn accepts(&self, finding: &Finding) -> Option<&String> {
        let named = Self::names(finding).into_iter().find_map(|it| self.allow.get(&it));
        named.or_else(|| self.allow.get(finding.code.name()))
    }
}

/// All that is found, errors first.
pub fn check(schema: &Schema, roles: &[RoleSpec], tenancy: &Tenancy, exceptions: &Exceptions) -> Vec<Finding> {
    let mut look = Look::new(schema, roles, tenancy, exceptions);
    keys::check(&mut look);
    references::check(&mut look);
    policies::check(&mut look);
    views::check(&mut look);
    routines::check(&mut look);
    exposure::check(&mut look);
    namespaces::check(&mut look);
    let mut found = look.found;
    for finding in &mut found {
        finding.accepted = exceptions.accepts(finding).cloned();
    }
    found.sort_by(|one, other| {
        let key =
            |it: &Finding| (it.accepted.is_some(), std::cmp::Reverse(it.severity), it.object.clone(), it.code);
        key(one).cmp(&key(other))
    });
    found.dedup();
    found
}

/// A schema, seen as a tenancy sees it.
struct Look<'a> {
    schema: &'a Schema,
    roles: &'a [RoleSpec],
    tenancy: &'a Tenancy,
    exceptions: &'a Exceptions,
    /// The tables that rows of tenants stand in, with their keys: the tenants' own too.
    tables: BTreeMap<&'a QName, Vec<KeyColumn>>,
    partitions: BTreeSet<&'a QName>,
    /// By the id of what they are on.
    grants: BTreeMap<&'a ObjectId, &'a [AclItem]>,
    owners: BTreeMap<&'a ObjectId, &'a Role>,
    found: Vec<Finding>,
}

impl<'a> Look<'a> {
    fn new(schema: &'a Schema, roles: &'a [RoleSpec], tenancy: &'a Tenancy, exceptions: &'a Exceptions) -> Self {
        let tables = tenancy.tables.keys().filter(|it| schema.contains(&table::id(it)));
        let tables = tables.map(|it| (it, tenancy.keys(it))).filter(|(_, keys)| !keys.is_empty()).collect();
        let partitions = schema.of_kind(Kind::Partition).filter_map(|object| match object {
            Object::Partition(it) => Some(&it.child),
            _ => None,
        });
        let grants = schema.of_kind(Kind::Grants).filter_map(|object| match object {
            Object::Grants(it) => Some((&it.on, it.items.as_slice())),
            _ => None,
        });
        let owners = schema.of_kind(Kind::Owner).filter_map(|object| match object {
            Object::Owner(it) => Some((&it.on, &it.role)),
            _ => None,
        });
        Look {
            schema,
            roles,
            tenancy,
            exceptions,
            tables,
            partitions: partitions.collect(),
            grants: grants.collect(),
            owners: owners.collect(),
            found: vec![],
        }
    }

    fn find(&mut self, code: Code, object: ObjectId, message: impl Into<String>) {
        self.find_as(code, code.severity(), object, message);
    }

    fn find_as(&mut self, code: Code, severity: Severity, object: ObjectId, message: impl Into<String>) {
        self.found.push(Finding { code, severity, object, message: message.into(), accepted: None });
    }

    /// The tables that each row of belongs to a tenant, without the tenants' own and without partitions.
    fn scoped(&self) -> Vec<(&'a QName, Vec<KeyColumn>)> {
        let whole = self.tables.iter().filter(|(table, _)| !self.partitions.contains(*table));
        let scoped = whole.filter(|(table, _)| self.tenancy.class(table) != Some(&Class::Tenant));
        scoped.map(|(table, keys)| (*table, keys.clone())).collect()
    }

    /// Whether a role is held to the tenant: named so, or, where none is, any that is not above it.
    fn is_bound(&self, role: &Role) -> bool {
        let roles = &self.tenancy.roles;
        if roles.passes.contains(role) {
            return false;
        }
        if roles.legacy.contains_key(role) || *role == Role::public() || is_anonymous(role) {
            return true;
        }
        match roles.bound.as_slice() {
            [] => !self.is_above(role),
            bound => bound.contains(role) || bound.iter().any(|it| self.inherits(it, role)),
        }
    }

    /// Whether policies do not apply to a role.
    fn is_above(&self, role: &Role) -> bool {
        self.role(role).is_some_and(|it| it.superuser || it.bypassrls)
    }

    fn role(&self, role: &Role) -> Option<&'a RoleSpec> {
        self.roles.iter().find(|it| it.name.as_str() == role.0)
    }

    /// Whether a role has what another has, by membership.
    fn inherits(&self, role: &Role, other: &Role) -> bool {
        let mut open = vec![role.0.as_str()];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            let Some(spec) = self.roles.iter().find(|it| it.name.as_str() == next).filter(|_| seen.insert(next))
            else {
                continue;
            };
            if spec.member_of.iter().any(|it| it.as_str() == other.0) {
                return true;
            }
            open.extend(spec.member_of.iter().map(Name::as_str));
        }
        false
    }

    /// The roles that are held to the tenant and have one of these privileges on an object, its owner aside.
    fn reach(&self, on: &ObjectId, privileges: &[&str]) -> BTreeSet<&'a Role> {
        let owner = self.owners.get(on).copied();
        let items = self.grants.get(on).copied().unwrap_or_default().iter();
        items
            .filter(|(role, privilege, _)| {
                privileges.contains(&privilege.as_str()) && Some(role) != owner && self.is_bound(role)
            })
            .map(|(role, _, _)| role)
            .collect()
    }

    /// The tables of tenants' rows that an object reads, through views too.
    fn reads(&self, id: &ObjectId) -> BTreeSet<&'a QName> {
        let mut open: Vec<&ObjectId> = vec![id];
        let mut seen: BTreeSet<&ObjectId> = BTreeSet::new();
        let mut found = BTreeSet::new();
        while let Some(next) = open.pop() {
            let Some((next, needs)) = self.schema.needs.get_key_value(next).filter(|_| seen.insert(next)) else {
                continue;
            };
            for need in needs.iter() {
                match (need.kind, &need.path[..]) {
                    (Kind::Table | Kind::Column, [namespace, name, ..]) => {
                        let table = QName::new(namespace.clone(), name.clone());
                        found.extend(self.tables.get_key_value(&table).map(|(table, _)| *table));
                    }
                    (Kind::View, _) if next.kind != Kind::Table => open.push(need),
                    _ => {}
                }
            }
        }
        found
    }
}

/// The role of requests that nobody has signed, as PostgREST and Supabase have it.
fn is_anonymous(role: &Role) -> bool {
    role.0 == "anon"
}

/// Names of roles for people.
fn spoken(roles: &BTreeSet<&Role>) -> String {
    crate::name::list(roles.iter())
}
