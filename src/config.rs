//! `tenantry.toml`: where the declaration is, what is managed, what is accepted. Reading the file is `files`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

use crate::diagnostic::{File, Report};
use crate::name::Name;
use crate::passage::quarantine::Place;
use crate::plan::estimate::Rates;
use crate::plan::idle::Idle;
use crate::plan::policy::Policy;
use crate::platform::{Api, Platform};
use crate::scope::Tenants;
use crate::tenancy::settings;
use crate::tenancy::template::namespaced;

/// The configuration of a repository. Paths are relative to the file's directory.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who runs the server, where part of each database is theirs.
    pub platform: Option<Platform>,
    pub database: Database,
    pub schema: Paths,
    pub manage: Manage,
    pub plan: PlanSettings,
    /// `--tenant`: the one tenant that is planned for, where each has a namespace or a database of its own.
    #[serde(skip)]
    pub tenant: Option<String>,
    /// `[tenancy]`, which has a reader of its own.
    #[serde(skip)]
    pub tenancy: Option<settings::Declared>,
    pub api: Api,
    pub apply: ApplySettings,
    pub queries: Queries,
}

impl Config {
    /// The namespace that is left alone since tables that went are kept there.
    pub fn quarantine(&self) -> Option<Name> {
        self.plan.quarantine.as_ref().filter(|_| !self.plan.empty_quarantine).map(|it| it.0.clone())
    }

    /// The tenants whose namespaces are not planned for: all of them, unless it is for one.
    pub fn tenants(&self) -> Option<Tenants> {
        let (_, template, named) = self.tenancy.as_ref().filter(|_| self.tenant.is_none()).and_then(namespaced)?;
        Some(Tenants { template: template.to_owned(), named: named.to_owned() })
    }

    /// Publications whose readers take a table's columns as they come: those of the repository, and the platform's own.
    pub fn open_publications(&self) -> BTreeSet<Name> {
        let of_platform = self.platform.iter().flat_map(|it| &it.facts().publications);
        let of_platform = of_platform.map(|it| Name::from(it.as_str()));
        of_platform.chain(self.plan.open_publications.iter().cloned()).collect()
    }

    /// The patterns of managed namespaces, with that of the quarantine where it is to be emptied.
    pub fn namespaces(&self) -> Vec<String> {
        let mut namespaces = self.manage.namespaces.clone();
        if let Some(quarantine) = self.plan.quarantine.as_ref().filter(|_| self.plan.empty_quarantine)
            && !namespaces.is_empty()
        {
            namespaces.push(globset::escape(quarantine.0.as_str()));
        }
        namespaces
    }

    /// What PostgREST serves: as configured, else as the platform has it, else nothing.
    pub fn api(&self) -> Api {
        let platform = self.platform.map(|it| it.facts().api.clone()).unwrap_or_default();
        let or = |own: &Vec<String>, platform: Vec<String>| if own.is_empty() { platform } else { own.clone() };
        Api {
            namespaces: or(&self.api.namespaces, platform.namespaces),
            roles: or(&self.api.roles, platform.roles),
            private: or(&self.api.private, platform.private),
        }
    }
}

/// `[queries]`: the statements that applications run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queries {
    /// Files, or directories of files.
    pub paths: Vec<PathBuf>,
    /// Those of them whose statements must work after every plan, too: of clients that are never released anew.
    pub keep: Vec<PathBuf>,
    /// How many rows tables will have: for those that the live side knows nothing of, or where there is none.
    pub rows: BTreeMap<String, u64>,
}

/// `[database]`: the live side.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A URL or a key=value string. A password is better kept in a pass file or the environment.
    pub url: Option<String>,
    /// The major version to plan for where there is no live database.
    pub server: Option<u32>,
    /// `auto`, or the URL of a server whose databases may be made and dropped.
    pub shadow: Option<String>,
}

/// `[schema]`: the declaration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    pub paths: Vec<PathBuf>,
    /// A database to start from where none is given: loaded into the shadow as it stands.
    pub legacy: Option<PathBuf>,
    /// Where plan files are written.
    pub plans: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Paths { paths: vec!["schema".into()], legacy: None, plans: "plans".into() }
    }
}

/// `[manage]`: what of the database is compared and planned for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manage {
    pub namespaces: Vec<String>,
    pub ignore: Vec<String>,
    /// Partitioned tables whose partitions an application makes and drops by itself.
    pub runtime_partitions: Vec<String>,
}

/// `[plan]`: settings of every plan.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanSettings {
    /// Milliseconds that a step waits for a lock. Whoever wants the table meanwhile queues behind it and waits as long,
    /// so it is short, and tried often.
    pub lock_timeout_ms: u32,
    /// Milliseconds that a step may run; 0 is no limit.
    pub statement_timeout_ms: u32,
    /// Hazards accepted everywhere: `code` or `code:object`.
    pub accept: Vec<String>,
    /// What is made of hazards, by code and object.
    pub hazards: Policy,
    /// Whether the old name of a renamed table or column stays alive until `contract`.
    pub keep_old_names: bool,
    /// Tables that nobody uses while a plan runs.
    pub idle: Idle,
    /// Publications whose readers take a table's columns as they come: Debezium, say, and no subscription.
    pub open_publications: BTreeSet<Name>,
    /// How fast the server reads and writes in bulk.
    pub rates: Rates,
    /// The namespace that tables which go are moved to instead.
    pub quarantine: Option<Place>,
    /// `--empty-quarantine`: what stands there is dropped.
    #[serde(skip)]
    pub empty_quarantine: bool,
}

impl Default for PlanSettings {
    fn default() -> Self {
        PlanSettings {
            lock_timeout_ms: 200,
            statement_timeout_ms: 0,
            accept: vec![],
            hazards: Policy::default(),
            keep_old_names: true,
            idle: Idle::default(),
            open_publications: BTreeSet::new(),
            rates: Rates::default(),
            quarantine: None,
            empty_quarantine: false,
        }
    }
}

/// `[apply]`: how fast rows are changed. A limit of 0 is none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplySettings {
    /// Milliseconds that one part of a step in parts should take.
    pub batch_ms: u32,
    /// The same while other sessions use the server, the next after sixteen times as long; 0 is no difference.
    pub busy_batch_ms: u64,
    /// Rows changed in a second, at most.
    pub rows_per_second: u64,
    /// Megabytes of write-ahead log in a second, of the whole server, above which it is waited.
    pub wal_mb_per_second: u64,
    /// Milliseconds that a replica may be behind.
    pub replica_lag_ms: u64,
    /// Gigabytes of disk that a plan may take.
    pub disk_gb: u64,
}

impl Default for ApplySettings {
    fn default() -> Self {
        ApplySettings {
            batch_ms: 100,
            busy_batch_ms: 1,
            rows_per_second: 0,
            wal_mb_per_second: 0,
            replica_lag_ms: 10_000,
            disk_gb: 0,
        }
    }
}

const KEYS: &[&str] = &[
    "tenancy",
    "platform",
    "api",
    "roles",
    "database",
    "schema",
    "manage",
    "plan",
    "url",
    "server",
    "shadow",
    "paths",
    "legacy",
    "plans",
    "namespaces",
    "ignore",
    "runtime_partitions",
    "private",
    "lock_timeout_ms",
    "statement_timeout_ms",
    "accept",
    "queries",
    "keep",
    "rows",
    "keep_old_names",
    "idle",
    "hazards",
    "open_publications",
    "rates",
    "quarantine",
    "read_mb_s",
    "write_mb_s",
    "update_mb_s",
    "apply",
    "batch_ms",
    "busy_batch_ms",
    "rows_per_second",
    "wal_mb_per_second",
    "replica_lag_ms",
    "disk_gb",
];

/// Reads a configuration, or says where it is wrong.
pub fn parse(file: &Arc<File>) -> Result<Config, Vec<Report>> {
    read(file).map_err(|errors| errors.iter().map(|error| report(file, error)).collect())
}

fn report(file: &Arc<File>, error: &toml::de::Error) -> Report {
    let message = error.message().lines().next().unwrap_or("not TOML");
    let whole =
        |message: String, number: &&str| message.replace(&format!("expected {number}"), "expected a whole number");
    let message = ["u8", "u16", "u32", "u64", "i64", "usize"].iter().fold(message.to_owned(), whole);
    let mut report = Report::error("config::toml", message.clone());
    if let Some(span) = error.span() {
        let word = file.text.get(span.clone()).filter(|_| message.starts_with("unknown "));
        let label = match word.and_then(nearest) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "here".to_owned(),
        };
        report = report.at(file, span, label);
    }
    report.help("docs/configuration.md lists the keys, docs/tenancy.md those of [tenancy]")
}

fn read(file: &Arc<File>) -> Result<Config, Vec<toml::de::Error>> {
    let mut document = DeTable::parse(&file.text).map_err(|error| vec![error])?;
    let tenancy = document.get_mut().remove("tenancy");
    let tenancy = tenancy.map(|value| settings::read(file, value)).transpose();
    let config = Config::deserialize(Deserializer::from(document.clone()));
    match (config, tenancy) {
        (Ok(config), Ok(tenancy)) => Ok(Config { tenancy, ..config }),
        (config, tenancy) => {
            let first = config.err().map(|first| {
                let each = each_error(&document);
                if each.is_empty() { vec![first] } else { each }
            });
            Err(first.into_iter().flatten().chain(tenancy.err()).collect())
        }
    }
}

/// What is wrong with each key by itself, in the order of the file: reading all at once ends at the first.
fn each_error(document: &Spanned<DeTable<'_>>) -> Vec<toml::de::Error> {
    let whole = document.span();
    let alone = |section: &Spanned<DeString<'_>>, value: Spanned<DeValue<'_>>| {
        let table = DeTable::from_iter([(section.clone(), value)]);
        Config::deserialize(Deserializer::from(Spanned::new(whole.clone(), table))).err()
    };
    let mut errors = vec![];
    for (section, value) in document.get_ref() {
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => {
                let parts = table.iter().filter_map(|(key, part)| {
                    let table = DeTable::from_iter([(key.clone(), part.clone())]);
                    alone(section, Spanned::new(value.span(), DeValue::Table(table)))
                });
                errors.extend(parts);
            }
            _ => errors.extend(alone(section, value.clone())),
        }
    }
    errors.sort_by_key(|error| error.span().map_or(0, |it| it.start));
    errors.dedup_by_key(|error| error.span());
    errors
}

fn nearest(key: &str) -> Option<&'static str> {
    let close =
        KEYS.iter().chain(settings::KEYS).map(|known| (strsim::damerau_levenshtein(key, known), *known)).min()?;
    (close.0 <= 3 && close.0 > 0).then_some(close.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_underlined_with_a_suggestion() {
        let file = File::new("tenantry.toml", "[manage]\nnamespace = [\"public\"]\n");
        let reports = parse(&file).unwrap_err();
        assert_eq!(reports[0].places[0].label, "did you mean `namespaces`?");
        assert_eq!(reports[0].places[0].span, 9..18);
    }

    #[test]
    fn every_key_is_suggested_for_one_that_is_nearly_it() {
        for (near, key) in [("runtime_partition", "runtime_partitions"), ("privat", "private"), ("servr", "server")]
        {
            assert_eq!(nearest(near), Some(key));
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = "[manage]\nnamespaces = 'app'\nignored = []\n[plan]\nkeep_old_names = 3\n[databas]\nx = 1\n[tenancy]\nkei = 1\n";
        let file = File::new("tenantry.toml", text);
        let reports = parse(&file).unwrap_err();
        let words: Vec<&str> = reports.iter().map(|it| &file.text[it.places[0].span.clone()]).collect();
        assert_eq!(words, ["'app'", "ignored", "3", "databas", "kei"]);
        let labels: Vec<&str> = reports.iter().map(|it| it.places[0].label.as_str()).collect();
        assert_eq!(labels[..4], ["here", "did you mean `ignore`?", "here", "did you mean `database`?"]);
    }

    #[test]
    fn what_is_no_toml_gets_no_suggestion() {
        let reports = parse(&File::new("tenantry.toml", "[database\nserver = 15\n")).unwrap_err();
        assert_eq!(reports[0].places[0].label, "here");
    }

    #[test]
    fn the_quarantine_is_a_namespace_of_its_own() {
        let read = |name: &str| parse(&File::new("tenantry.toml", format!("[plan]\nquarantine = \"{name}\"\n")));
        assert_eq!(read("attic").unwrap().quarantine(), Some(Name::from("attic")));
        for name in ["", "public", "pg_attic", "tenantry", "information_schema"] {
            assert!(read(name).is_err(), "{name}");
        }
    }

    #[test]
    fn tenancies_are_one_or_several() {
        let read = |text: &str| {
            let config = parse(&File::new("tenantry.toml", text)).unwrap();
            let names = config.tenancy.unwrap().tenancies.into_iter().map(|it| it.name.unwrap_or_default());
            names.collect::<Vec<_>>()
        };
        assert_eq!(read("[tenancy]\ntenant = \"users\"\n[tenancy.roles]\nbound = [\"app\"]"), [""]);
        assert_eq!(read("[tenancy.shop]\nkey = \"shop_id\"\n[tenancy.blog]\nkey = \"blog_id\""), ["shop", "blog"]);
        assert_eq!(read("[[tenancy]]\nname = \"a\"\n[[tenancy]]\nname = \"b\""), ["a", "b"]);
        let file = File::new("tenantry.toml", "[tenancy]\nkey = \"user_id\"\nscopd = []\n");
        let reports = parse(&file).unwrap_err();
        assert_eq!(reports[0].places[0].label, "did you mean `scoped`?");
        assert_eq!(&file.text[reports[0].places[0].span.clone()], "scopd");
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(parse(&File::new("tenantry.toml", "")).unwrap(), Config::default());
    }
}
