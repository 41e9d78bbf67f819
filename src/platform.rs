//! What a hosting platform makes and manages in a database beside what belongs to the project. Data, in `platforms/`:
//! this reads it and answers for whom an object is. Loading it onto a shadow is `elaborate`'s.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, Object, ObjectId};
use crate::name::Name;
use crate::schema::Schema;
use crate::shadow::RoleSpec;
use crate::source::{Class, Declaration, Space};

pub mod api;

/// A platform that is known by name: `platform = "supabase"` in tenantry.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Supabase,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::Supabase => "supabase",
        })
    }
}

/// `platform.toml` of a platform.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub namespaces: BTreeSet<String>,
    pub extensions: BTreeSet<String>,
    pub publications: BTreeSet<String>,
    /// Tables of the platform's that projects make policies on, as `namespace.name`.
    pub policies: BTreeSet<String>,
    /// Tables of the platform's that projects make triggers on.
    pub triggers: BTreeSet<String>,
    pub default_privileges_of: BTreeSet<String>,
    /// Patterns of what [`Schema::unmanaged`] may hold unmentioned.
    pub unmanaged: Vec<String>,
    pub api: Api,
    #[serde(rename = "role")]
    pub roles: Vec<RoleSpec>,
}

/// What PostgREST serves, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// The namespaces whose tables, views and functions are served.
    pub namespaces: Vec<String>,
    /// The roles in which requests of strangers and of people who signed in arrive.
    pub roles: Vec<String>,
    /// Namespaces whose rows nobody should be served, in whatever view.
    pub private: Vec<String>,
}

const SUPABASE: &str = include_str!("../platforms/supabase/platform.toml");

const SUPABASE_SQL: &[&str] = &[
    include_str!("../platforms/supabase/extensions.sql"),
    include_str!("../platforms/supabase/auth.sql"),
    include_str!("../platforms/supabase/storage.sql"),
    include_str!("../platforms/supabase/realtime.sql"),
    include_str!("../platforms/supabase/vault.sql"),
    include_str!("../platforms/supabase/privileges.sql"),
];

impl Platform {
    pub fn facts(self) -> &'static Facts {
        static READ: OnceLock<Facts> = OnceLock::new();
        match self {
            Platform::Supabase => {
                READ.get_or_init(|| toml::from_str(SUPABASE).expect("the file is ours, and tested"))
            }
        }
    }

    /// Statements that make an empty database look like a new one of the platform's, where its roles exist.
    pub fn sql(self) -> &'static [&'static str] {
        match self {
            Platform::Supabase => SUPABASE_SQL,
        }
    }

    /// The roles and objects as one script, for servers that are to stand in for the platform: `show platform`.
    pub fn script(self) -> String {
        let facts = self.facts();
        let mut script = String::new();
        for role in &facts.roles {
            script += &format!("DO $$ BEGIN {}; EXCEPTION WHEN duplicate_object THEN END $$;\n", role.create(true));
        }
        for role in &facts.roles {
            for group in &role.member_of {
                script += &format!("GRANT {group} TO {};\n", role.name);
            }
        }
        for part in self.sql() {
            script += "\n";
            script += part;
        }
        script
    }

    /// The platform that a database was made by, as its roles and namespaces show.
    pub fn recognised(schema: &Schema, roles: &[RoleSpec]) -> Option<Platform> {
        let has_role = |name: &str| roles.iter().any(|it| it.name.as_str() == name);
        let has_namespace = |name: &str| schema.contains(&ObjectId::new(Kind::Namespace, [&Name::from(name)]));
        let supabase = has_role("supabase_admin") && has_role("authenticator") && has_namespace("auth");
        supabase.then_some(Platform::Supabase)
    }

    /// Whether an unmanaged object's name is one of the platform's own.
    pub fn explains(self, unmanaged: &str) -> bool {
        let facts = self.facts();
        let own = facts.unmanaged.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => unmanaged.starts_with(start),
            None => unmanaged == pattern,
        });
        let names = |namespace: &str| unmanaged.contains(&format!(" {namespace}."));
        own || facts.namespaces.iter().any(|it| names(it))
    }

    /// Whom an object belongs to. `upon`: what the declaration makes upon things of the platform's; see [`upon`].
    pub fn verdict(self, schema: &Schema, id: &ObjectId, whole: &ObjectId, upon: &[String]) -> Verdict {
        let facts = self.facts();
        let declared = |entry: Upon, path: &[Name]| {
            if upon.contains(&entry.of(path)) { Verdict::Project } else { Verdict::Platform }
        };
        match (whole.kind, &whole.path[..]) {
            (Kind::Extension, path @ [name]) if facts.extensions.contains(name.as_str()) => {
                declared(Upon::Extension, path)
            }
            (Kind::Publication, path @ [name]) if facts.publications.contains(name.as_str()) => {
                let tables = is_or_is_of(schema, id, Kind::PublishedTable).is_some();
                match declared(Upon::Publication, path) {
                    Verdict::Platform if tables => declared(Upon::PublishedTables, path),
                    verdict => verdict,
                }
            }
            (Kind::DefaultPrivileges, [role, ..]) if facts.default_privileges_of.contains(role.as_str()) => {
                Verdict::Platform
            }
            (_, [namespace, rest @ ..])
                if facts.namespaces.contains(namespace.as_str())
                    && schema.get(whole).is_some_and(|it| it.namespace().is_some()) =>
            {
                let Some(relation) = rest.first().map(|_| &whole.path[..2]) else { return Verdict::Platform };
                if is_or_is_of(schema, id, Kind::Policy).is_some() {
                    return declared(Upon::Policies, relation);
                }
                match is_or_is_of(schema, id, Kind::Trigger) {
                    Some(Object::Trigger(it)) if !facts.namespaces.contains(it.function.namespace.as_str()) => {
                        declared(Upon::Triggers, relation)
                    }
                    _ => Verdict::Platform,
                }
            }
            _ => Verdict::Unknown,
        }
    }
}

/// Whose an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Platform,
    /// The project's, although it hangs on something of the platform's.
    Project,
    /// Nothing of the platform's: the scope decides.
    Unknown,
}

/// What a project may make upon things of the platform's.
#[derive(Debug, Clone, Copy)]
enum Upon {
    Policies,
    Triggers,
    PublishedTables,
    Publication,
    Extension,
}

impl Upon {
    /// As plan files name it: `policies of storage.objects`.
    fn of(self, path: &[Name]) -> String {
        let path: Vec<String> = path.iter().map(Name::to_string).collect();
        let what = match self {
            Upon::Policies => "policies of",
            Upon::Triggers => "triggers of",
            Upon::PublishedTables => "tables of publication",
            Upon::Publication => "publication",
            Upon::Extension => "extension",
        };
        format!("{what} {}", path.join("."))
    }
}

/// The object itself or the whole that it is part of, of this kind.
fn is_or_is_of<'a>(schema: &'a Schema, id: &ObjectId, kind: Kind) -> Option<&'a Object> {
    let wholes = schema.wholes_of(id);
    std::iter::once(id).chain(&wholes).find(|it| it.kind == kind).and_then(|it| schema.get(it))
}

/// What the declaration makes upon things of the platform's, and so manages there.
pub fn upon(platform: Platform, declaration: &Declaration) -> Vec<String> {
    let facts = platform.facts();
    let mut found = BTreeSet::new();
    for names in declaration.statements.iter().map(|it| &it.names) {
        for declared in &names.declares {
            let table = || {
                let namespace = declared.namespace.as_deref().map(Name::from)?;
                Some([namespace, Name::from(declared.on.as_deref()?)])
            };
            let dotted = |table: &[Name; 2]| format!("{}.{}", table[0].as_str(), table[1].as_str());
            let name = [Name::from(declared.name.as_str())];
            let entry = match declared.class {
                Class::Policy => {
                    table().filter(|it| facts.policies.contains(&dotted(it))).map(|it| Upon::Policies.of(&it))
                }
                Class::Trigger => {
                    table().filter(|it| facts.triggers.contains(&dotted(it))).map(|it| Upon::Triggers.of(&it))
                }
                Class::Publication if facts.publications.contains(&declared.name) => {
                    Some(Upon::Publication.of(&name))
                }
                Class::Extension if facts.extensions.contains(&declared.name) => Some(Upon::Extension.of(&name)),
                _ => None,
            };
            found.extend(entry);
        }
        let publications = names.refers.iter().filter(|it| it.space == Space::Publication);
        let publications = publications.filter(|it| facts.publications.contains(&it.name));
        found.extend(publications.map(|it| Upon::PublishedTables.of(&[Name::from(it.name.as_str())])));
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platforms_file_can_be_read() {
        let facts = Platform::Supabase.facts();
        let authenticator = facts.roles.iter().find(|it| it.name.as_str() == "authenticator").unwrap();
        assert!(authenticator.login && !authenticator.inherit && !authenticator.bypassrls);
        let service = facts.roles.iter().find(|it| it.name.as_str() == "service_role").unwrap();
        assert!(service.bypassrls && !service.login);
    }

    #[test]
    fn what_the_platform_keeps_to_itself_is_not_mentioned() {
        assert!(Platform::Supabase.explains("event trigger pgrst_ddl_watch"));
        assert!(Platform::Supabase.explains("event trigger issue_pg_cron_access"));
        assert!(Platform::Supabase.explains("aggregate graphql.jsonb_collect(jsonb)"));
        assert!(!Platform::Supabase.explains("event trigger audit"));
        assert!(!Platform::Supabase.explains("operator public.@@@(text,text)"));
    }
}
