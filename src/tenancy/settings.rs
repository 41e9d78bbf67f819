//! `[tenancy]` of tenantry.toml as it is written, every name with its place. What it comes to for a schema is
//! [`super::resolve`]'s to say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::diagnostic::File;
use crate::name::Name;

/// The tenancies of a database, as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The file that declares them, for places in reports.
    pub file: Arc<File>,
    /// In the order of the file.
    pub tenancies: Vec<Settings>,
}

impl Declared {
    /// The key columns that an expansion may write.
    pub fn written_keys(&self) -> BTreeSet<Name> {
        let expanded = self.tenancies.iter().filter(|it| it.mode == Mode::Expand);
        let keys = expanded.flat_map(|it| {
            let levels = it.levels.values().map(|level| &level.key);
            let tables = it.tables.values().filter_map(|table| table.key.as_ref());
            it.key.iter().chain(levels).chain(tables)
        });
        keys.map(|it| Name::from(it.get_ref().as_str())).collect()
    }
}

/// How the rows of tenants are kept apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// By a column that every scoped table carries.
    #[default]
    Row,
    /// By a namespace for each tenant, made from a template.
    Namespace,
    /// By a database for each tenant.
    Database,
}

/// What is done about what is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is found and told.
    #[default]
    Check,
    /// It is written.
    Expand,
}

/// What a finding of the checker means for a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Findings {
    /// It is told, and planned.
    #[default]
    Warn,
    /// Nothing is planned while there is one of error severity.
    Error,
}

/// Which columns a surrogate primary key has. One that means something outside of the database always begins with the
/// tenant key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrimaryKeys {
    /// Those that were declared: the values come from a sequence or at random, and are told to nobody.
    Keep,
    /// The tenant key first, as distributed databases demand.
    Scope,
}

/// Where the rows of a table are spread over servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    Citus,
}

/// ON DELETE of the foreign key to the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
}

/// What a table is to a tenancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassName {
    /// Each row belongs to one tenant.
    Scoped,
    /// The rows are everybody's.
    Global,
    /// The table is another program's, which keeps tenants apart in its own way or not at all.
    External,
}

/// A value of a tenant key: what SQL has as a number or a string.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    Integer(i64),
    Text(String),
}

/// One tenancy.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Tells several tenancies of a database apart. In `[tenancy.NAME]` it is the key.
    pub name: Option<String>,
    #[serde(default)]
    pub model: Model,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub findings: Findings,
    /// The table whose rows are the tenants.
    pub tenant: Option<Spanned<String>>,
    /// The column of it that tells tenants apart; its primary key where this is not said.
    pub tenant_key: Option<Spanned<String>>,
    /// The column that scoped tables carry.
    pub key: Option<Spanned<String>>,
    /// The tenant of the session: an SQL expression.
    pub current: Option<Spanned<String>>,
    /// `current` returns a set: a session may act for several tenants.
    #[serde(default)]
    pub many: bool,
    /// Which tenant owns rows and clients from before there were tenants.
    pub default: Option<Spanned<KeyValue>>,
    /// The tables whose key has that as its default; all scoped ones where this is not said.
    pub default_for: Option<Vec<Spanned<String>>>,
    /// ON DELETE of the foreign key to the tenant, where the table doesn't say.
    pub on_delete: Option<OnDelete>,
    pub primary_keys: Option<PrimaryKeys>,
    pub distribution: Option<Spanned<Distribution>>,
    /// Patterns of the namespaces whose tables are this tenancy's; all managed ones where this is not said.
    #[serde(default)]
    pub namespaces: Vec<Spanned<String>>,
    /// The namespace that is declared and stands for every tenant's, where the model is `namespace`.
    pub template: Option<Spanned<String>>,
    /// How a tenant's namespace or database is called, with `{tenant}` in it.
    pub named: Option<Spanned<String>>,
    /// Patterns of `namespace.name`; a name without a namespace is one in `public`.
    #[serde(default)]
    pub scoped: Vec<Spanned<String>>,
    #[serde(default)]
    pub global: Vec<Spanned<String>>,
    #[serde(default)]
    pub external: Vec<Spanned<String>>,
    #[serde(default)]
    pub tables: BTreeMap<Spanned<String>, TableSettings>,
    /// Further levels below the tenant, by name: the teams of an account.
    #[serde(default, rename = "level")]
    pub levels: BTreeMap<Spanned<String>, LevelSettings>,
    #[serde(default)]
    pub roles: RoleSettings,
    pub session: Option<Spanned<SessionSettings>>,
    /// What the bound roles may do.
    pub grants: Option<GrantSettings>,
    /// Findings that are accepted: `code:object` or `code`, with the reason.
    #[serde(default)]
    pub allow: BTreeMap<Spanned<String>, String>,
}

/// `[tenancy.tables.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableSettings {
    pub class: Option<Spanned<ClassName>>,
    /// The column that carries the tenant here, where it has another name.
    pub key: Option<Spanned<String>>,
    /// The default of the key: a value, or `false` for none.
    pub default: Option<Spanned<TableDefault>>,
    pub on_delete: Option<OnDelete>,
    /// The level whose keys the table carries: the name of one in `[tenancy.level]`.
    pub level: Option<Spanned<String>>,
    /// What the expansion leaves as it is declared: the name of a constraint, index, policy or view option, with the
    /// reason.
    pub keep: BTreeMap<Spanned<String>, String>,
}

/// The default of a table's key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum TableDefault {
    /// `false`: none.
    Is(bool),
    Value(KeyValue),
}

/// `[tenancy.level.NAME]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSettings {
    /// The table whose rows are the units of this level. It is scoped by the level above.
    pub tenant: Spanned<String>,
    pub tenant_key: Option<Spanned<String>>,
    pub key: Spanned<String>,
    pub current: Spanned<String>,
    #[serde(default)]
    pub many: bool,
    /// The level above, by name; the tenant where this is not said.
    pub within: Option<Spanned<String>>,
    /// Patterns of the tables that carry this level's key too.
    #[serde(default)]
    pub scoped: Vec<Spanned<String>>,
}

/// `[tenancy.roles]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleSettings {
    /// Held to the current tenant. None named means every role.
    pub bound: Vec<Spanned<String>>,
    /// See all tenants: the back office, the migrations.
    pub passes: Vec<Spanned<String>>,
    /// Know nothing of tenants, and act for one: a role with the tenant's key.
    pub legacy: BTreeMap<Spanned<String>, KeyValue>,
}

/// `session = { setting = "app.tenant" }`: how a session is made that of a tenant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    /// A setting that holds the tenant's key.
    pub setting: Option<String>,
    /// The path in `request.jwt.claims` that holds it: `["app_metadata", "tenant_id"]`.
    pub claims: Option<Vec<String>>,
    /// A query whose one value goes there in place of the key, which it has as `$1`.
    pub value: Option<String>,
}

/// `[tenancy.grants]`: privileges of the bound roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantSettings {
    /// On scoped tables.
    pub scoped: BTreeSet<Privilege>,
    /// On global tables.
    pub global: BTreeSet<Privilege>,
    /// Roles that lose what default privileges have given them, before anything is granted.
    pub revoke_from: Vec<String>,
}

/// A privilege that leaves row security in force. TRUNCATE, REFERENCES and TRIGGER do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
}

/// Every key that a tenancy may have, for suggestions.
pub const KEYS: &[&str] = &[
    "name",
    "model",
    "mode",
    "findings",
    "tenant",
    "tenant_key",
    "key",
    "current",
    "many",
    "default",
    "default_for",
    "on_delete",
    "primary_keys",
    "distribution",
    "namespaces",
    "template",
    "named",
    "scoped",
    "global",
    "external",
    "tables",
    "level",
    "roles",
    "session",
    "grants",
    "allow",
    "class",
    "keep",
    "within",
    "bound",
    "passes",
    "legacy",
    "revoke_from",
    "setting",
    "claims",
    "value",
];

/// Takes the value of `tenancy`: a table, an array of tables, or a table of named ones.
pub fn read(file: &Arc<File>, value: Spanned<DeValue<'_>>) -> Result<Declared, toml::de::Error> {
    let one = |value: Spanned<DeValue<'_>>| Settings::deserialize(ValueDeserializer::from(value));
    let span = value.span();
    let tenancies = match value.into_inner() {
        DeValue::Array(items) => items.into_iter().map(one).collect::<Result<_, _>>()?,
        DeValue::Table(table) if is_named(&table) => {
            let mut entries: Vec<_> = table.into_iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let named = entries.into_iter().map(|(key, value)| {
                let name = Some(key.into_inner().into_owned());
                Ok(Settings { name, ..one(value)? })
            });
            named.collect::<Result<_, toml::de::Error>>()?
        }
        other => vec![one(Spanned::new(span, other))?],
    };
    Ok(Declared { file: Arc::clone(file), tenancies })
}

/// Whether a table holds tenancies by name rather than being one: all of it is tables, and none is a tenancy's own.
fn is_named(table: &DeTable<'_>) -> bool {
    const OWN: [&str; 6] = ["tables", "level", "roles", "session", "grants", "allow"];
    !table.is_empty()
        && table.iter().all(|(key, value)| {
            matches!(value.get_ref(), DeValue::Table(_)) && !OWN.contains(&key.get_ref().as_ref())
        })
}
