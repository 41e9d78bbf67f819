//! From what was written of a tenancy to what it says of each table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use toml::Spanned;

use super::settings::{ClassName, KeyValue, LevelSettings, Model, Settings, TableSettings};
use super::{Class, KeyColumn, Level, Roles, Session, Shape, Tenancy};
use crate::diagnostic::{File, Report};
use crate::name::{Literal, Name, QName, Role};
use crate::source::syntax;

/// One tenancy being resolved.
pub struct Work<'a> {
    pub file: &'a Arc<File>,
    pub settings: &'a Settings,
    pub shape: &'a Shape,
    pub faults: &'a mut Vec<Report>,
}

/// A word of the file that says what a table is.
#[derive(Clone, Copy)]
struct Said<'a> {
    class: ClassName,
    word: &'a Spanned<String>,
    /// How closely it names the table: its own settings, its name, a pattern, or `*` for all.
    rank: u8,
}

impl<'a> Work<'a> {
    fn fault<T>(
        &mut self,
        code: &'static str,
        message: String,
        word: &Spanned<T>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.faults.push(Report::error(code, message).at(self.file, word.span(), label).help(help));
    }

    /// A setting that the model needs.
    fn required<T>(&mut self, value: Option<&'a T>, key: &str, what: &str) -> Option<&'a T> {
        if value.is_none() {
            let name = self.settings.name.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
            let report = Report::error("tenancy::missing", format!("tenancy{name} does not say `{key}`"))
                .help(format!("add `{key}`: {what}"));
            self.faults.push(report);
        }
        value
    }

    /// All of it, or nothing where a fault keeps the rest from meaning anything.
    pub fn tenancy(&mut self, several: bool) -> Option<Tenancy> {
        let settings = self.settings;
        if several && settings.name.is_none() {
            let report = Report::error("tenancy::unnamed", "one of several tenancies has no name")
                .help("give each a `name`, or write `[tenancy.NAME]`");
            self.faults.push(report);
        }
        let levels = if settings.model == Model::Row { self.levels()? } else { vec![] };
        let tables = match settings.model {
            Model::Row => self.tables(&levels),
            Model::Namespace | Model::Database => BTreeMap::new(),
        };
        if let Some(word) = &settings.session {
            let session = word.get_ref();
            if session.setting.is_none() && session.claims.is_none() {
                let help = "write `session = { setting = \"app.tenant\" }` or `{ claims = [\"app_metadata\", \"tenant\"] }`";
                self.fault("tenancy::session", "the session carries its tenant nowhere".into(), word, "here", help);
            }
        }
        Some(Tenancy {
            name: settings.name.clone(),
            model: settings.model,
            mode: settings.mode,
            findings: settings.findings,
            session: settings.session.as_ref().and_then(|it| Session::declared(it.get_ref())),
            default: settings.default.as_ref().map(|it| literal(it.get_ref())),
            named: settings.named.as_ref().map(|it| it.get_ref().clone()).filter(|_| settings.model != Model::Row),
            distributed: settings.distribution.is_some(),
            roles: self.roles(),
            levels,
            tables,
        })
    }

    fn roles(&mut self) -> Roles {
        let settings = &self.settings.roles;
        let plain = |words: &[Spanned<String>]| -> Vec<Role> {
            words.iter().map(|word| Role(word.get_ref().clone())).collect()
        };
        for word in &settings.passes {
            if settings.bound.iter().any(|it| it == word) || settings.legacy.contains_key(word) {
                let message =
                    format!("role {} is bound by isolation and passes it", Name::from(word.get_ref().as_str()));
                self.fault("tenancy::contradiction", message, word, "and here it passes", "keep one of the two");
            }
        }
        if let Some(word) = settings.passes.first().filter(|_| settings.bound.is_empty()) {
            let message = "some roles pass isolation, but no role is bound by it".to_owned();
            let help = "name the roles of the application in `bound`: without that, policies are for every role";
            self.fault("tenancy::roles", message, word, "passes what?", help);
        }
        Roles {
            bound: plain(&settings.bound),
            passes: plain(&settings.passes),
            legacy: settings
                .legacy
                .iter()
                .map(|(role, key)| (Role(role.get_ref().clone()), literal(key)))
                .collect(),
        }
    }

    /// The tenant's level and those below it, each after what it is within.
    fn levels(&mut self) -> Option<Vec<Level>> {
        let settings = self.settings;
        let tenant = self.required(settings.tenant.as_ref(), "tenant", "the table whose rows are the tenants");
        let key = self.required(settings.key.as_ref(), "key", "the column that scoped tables carry");
        let current = self.required(
            settings.current.as_ref(),
            "current",
            "an SQL expression of the session's tenant, such as \"current_setting('app.tenant')::integer\"",
        );
        let (tenant, key, current) = (tenant?, key?, current?);
        let root = Unit {
            table: tenant,
            id: settings.tenant_key.as_ref(),
            key,
            current,
            many: settings.many,
            name: None,
            within: None,
        };
        let mut levels = vec![self.level(&root)?];
        let mut left: Vec<(&Spanned<String>, &LevelSettings)> = settings.levels.iter().collect();
        left.sort_by_key(|(name, _)| name.span().start);
        // Each round takes the levels whose level above is there; what is left at the end is within itself.
        while !left.is_empty() {
            let before = left.len();
            let mut later = vec![];
            for (name, level) in left {
                let within = match &level.within {
                    None => Some(0),
                    Some(word) => levels.iter().position(|it: &Level| it.name.as_ref() == Some(word.get_ref())),
                };
                match within {
                    Some(within) => {
                        let unit = Unit {
                            table: &level.tenant,
                            id: level.tenant_key.as_ref(),
                            key: &level.key,
                            current: &level.current,
                            many: level.many,
                            name: Some(name.get_ref()),
                            within: Some(within),
                        };
                        levels.extend(self.level(&unit));
                    }
                    None => later.push((name, level)),
                }
            }
            if later.len() == before {
                for (name, level) in &later {
                    let Some(word) = &level.within else { continue };
                    let known = settings.levels.contains_key(word);
                    let message = match known {
                        true => format!("level {} is within itself", name.get_ref()),
                        false => format!("there is no level {}", word.get_ref()),
                    };
                    let help = "`within` names another level; leave it out for one that is right below the tenant";
                    self.fault("tenancy::cycle", message, word, "within this one", help);
                }
                break;
            }
            left = later;
        }
        Some(levels)
    }

    fn level(&mut self, unit: &Unit<'_>) -> Option<Level> {
        let table = self.qname(unit.table)?;
        let Some(found) = self.shape.tables.get(&table) else {
            let message = format!("there is no table {table}, whose rows should be the tenants");
            let help = self.nearest(&table);
            self.fault("tenancy::no_tenant_table", message, unit.table, "this table", help);
            return None;
        };
        let id = match (unit.id, found.primary.as_slice()) {
            (Some(word), _) => Name::from(word.get_ref().as_str()),
            (None, [id]) => id.clone(),
            (None, _) => {
                let message = format!("table {table} has no primary key of one column, which tells tenants apart");
                let help = "name the column with `tenant_key`, or give the table a primary key of one column";
                self.fault("tenancy::tenant_key", message, unit.table, "this table", help);
                return None;
            }
        };
        let Some(column) = found.columns.get(&id) else {
            let message = format!("table {table} has no column {id}");
            self.fault(
                "tenancy::tenant_key",
                message,
                unit.id.unwrap_or(unit.table),
                "here",
                "name a column of it",
            );
            return None;
        };
        self.expression(unit.current);
        Some(Level {
            name: unit.name.cloned(),
            table,
            id,
            data_type: column.data_type.clone(),
            key: Name::from(unit.key.get_ref().as_str()),
            current: unit.current.get_ref().clone(),
            many: unit.many,
            within: unit.within,
        })
    }

    /// Reports an expression that is none.
    fn expression(&mut self, word: &Spanned<String>) {
        if let Err(error) = syntax::parse_expression(word.get_ref()) {
            let span = word.span();
            // The words of the string begin after its quote, unless it holds escapes.
            let verbatim = self.file.text.get(span.clone()).is_some_and(|it| it.contains(word.get_ref().as_str()));
            let at = if verbatim { (span.start + 1 + error.offset).min(span.end - 1)..span.end - 1 } else { span };
            let report = Report::error("tenancy::expression", error.message)
                .at(self.file, at, "here")
                .help("`current` is an SQL expression, as it would stand in a policy");
            self.faults.push(report);
        }
    }

    fn qname(&mut self, word: &Spanned<String>) -> Option<QName> {
        let name = qname(word.get_ref());
        if name.is_none() {
            let help = "write `namespace.name`, or `name` for one in public";
            self.fault("tenancy::name", "this names no table".into(), word, "here", help);
        }
        name
    }

    /// Help that names the table that was probably meant.
    fn nearest(&self, table: &QName) -> String {
        let wanted = table.to_string();
        let near = self.shape.tables.keys().map(ToString::to_string).max_by(|one, other| {
            strsim::jaro_winkler(&wanted, one).total_cmp(&strsim::jaro_winkler(&wanted, other))
        });
        match near.filter(|near| strsim::jaro_winkler(&wanted, near) > 0.8) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it".to_owned(),
        }
    }

    /// What each table of this tenancy is.
    fn tables(&mut self, levels: &[Level]) -> BTreeMap<QName, Class> {
        let settings = self.settings;
        let shape = self.shape;
        let roots: Vec<&QName> =
            shape.tables.iter().filter(|(_, it)| it.whole.is_none()).map(|(name, _)| name).collect();
        let mut said: BTreeMap<QName, Vec<Said<'a>>> = BTreeMap::new();
        let lists = [
            (ClassName::Scoped, &settings.scoped),
            (ClassName::Global, &settings.global),
            (ClassName::External, &settings.external),
        ];
        for (class, words) in lists {
            for word in words {
                let matched = self.matched(word, &roots, class != ClassName::External);
                let rank = closeness(word.get_ref());
                for table in matched {
                    said.entry(table.clone()).or_default().push(Said { class, word, rank });
                }
            }
        }
        let mut below: BTreeMap<QName, (usize, &Spanned<String>)> = BTreeMap::new();
        for (at, level) in levels.iter().enumerate() {
            let Some(name) = &level.name else { continue };
            let Some(words) = settings.levels.get(name.as_str()).map(|it| &it.scoped) else { continue };
            for word in words {
                let rank = closeness(word.get_ref());
                for table in self.matched(word, &roots, true) {
                    said.entry(table.clone()).or_default().push(Said { class: ClassName::Scoped, word, rank });
                    below.insert(table.clone(), (at, word));
                }
            }
        }
        let mut own: BTreeMap<QName, &TableSettings> = BTreeMap::new();
        for (word, table) in &settings.tables {
            let Some(name) = self.qname(word) else { continue };
            let Some(found) = shape.tables.get(&name) else {
                let message = format!("there is no table {name}");
                let help = self.nearest(&name);
                self.fault("tenancy::no_table", message, word, "this table", help);
                continue;
            };
            if let Some(whole) = &found.whole {
                let message = format!("{name} is a partition, and as {whole} is");
                self.fault("tenancy::partition", message, word, "this table", "name the partitioned table");
                continue;
            }
            if let Some(class) = &table.class {
                let said = said.entry(name.clone()).or_default();
                said.push(Said { class: *class.get_ref(), word, rank: 3 });
            } else if table.key.is_some() || table.level.is_some() {
                said.entry(name.clone()).or_default().push(Said { class: ClassName::Scoped, word, rank: 2 });
            }
            if let Some(word) = &table.level {
                match levels.iter().position(|it| it.name.as_ref() == Some(word.get_ref())) {
                    Some(at) => _ = below.insert(name.clone(), (at, word)),
                    None => {
                        let message = format!("there is no level {}", word.get_ref());
                        self.fault(
                            "tenancy::level",
                            message,
                            word,
                            "this level",
                            "declare it as [tenancy.level.NAME]",
                        );
                    }
                }
            }
            own.insert(name, table);
        }
        let mut classes = BTreeMap::new();
        let tenants: BTreeMap<&QName, usize> =
            levels.iter().enumerate().rev().map(|(at, level)| (&level.table, at)).collect();
        for (table, said) in &said {
            let Some(class) = self.one(table, said) else {
                // Something was said of it; that this contradicts itself is told already.
                classes.insert(table.clone(), Class::External);
                continue;
            };
            if let (Some(at), ClassName::Scoped) = (tenants.get(table), class) {
                let strongest = said.iter().max_by_key(|it| it.rank).copied();
                let own_level = below.get(table).is_some_and(|(level, _)| level == at);
                if let Some(strongest) = strongest.filter(|it| (*at == 0 || own_level) && it.rank > 1) {
                    let message =
                        format!("table {table} is its own tenant: its rows are the tenants, and belong to none");
                    let help = "take it out of `scoped`; policies for the table of tenants come by themselves";
                    self.fault("tenancy::own_tenant", message, strongest.word, "scoped here", help);
                    continue;
                }
                if *at == 0 {
                    continue;
                }
            }
            if let (Some(_), ClassName::Global | ClassName::External) = (tenants.get(table), class)
                && let Some(it) = said.iter().find(|it| it.class == class && it.rank > 1)
            {
                let message = format!("table {table} holds the tenants, and is declared to be something else");
                self.fault("tenancy::contradiction", message, it.word, "here", "take it out of this list");
            }
            let settings = own.get(table).copied();
            let class = match class {
                ClassName::Scoped => {
                    let level = below.get(table).map_or(0, |(level, _)| *level);
                    Class::Scoped(keys(levels, level, settings))
                }
                ClassName::Global => Class::Global,
                ClassName::External => Class::External,
            };
            classes.insert(table.clone(), class);
        }
        for (at, level) in levels.iter().enumerate() {
            let class = match level.within {
                None => Class::Tenant,
                Some(above) => Class::Scoped(keys(levels, above, own.get(&level.table).copied())),
            };
            if at > 0 && level.table == levels[0].table {
                let report = Report::error(
                    "tenancy::cycle",
                    format!("the rows of {} are both the tenants and the units of a level below", level.table),
                );
                self.faults.push(report.help("each level has a table of its own"));
                continue;
            }
            classes.insert(level.table.clone(), class);
        }
        let partitions: Vec<(QName, Class)> = shape
            .tables
            .keys()
            .filter_map(|table| {
                let root = shape.root(table);
                (root != table).then(|| Some((table.clone(), classes.get(root)?.clone()))).flatten()
            })
            .collect();
        classes.extend(partitions);
        classes
    }

    /// The one class of a table among all that is said of it: what names it most closely counts.
    fn one(&mut self, table: &QName, said: &[Said<'a>]) -> Option<ClassName> {
        let rank = said.iter().map(|it| it.rank).max()?;
        let strongest: Vec<&Said<'a>> = said.iter().filter(|it| it.rank == rank).collect();
        let classes: BTreeSet<ClassName> = strongest.iter().map(|it| it.class).collect();
        if classes.len() > 1 {
            let mut report =
                Report::error("tenancy::contradiction", format!("table {table} is declared to be several things"));
            for it in &strongest {
                let label = match it.class {
                    ClassName::Scoped => "scoped here",
                    ClassName::Global => "global here",
                    ClassName::External => "external here",
                };
                report = report.at(self.file, it.word.span(), label);
            }
            self.faults
                .push(report.help("keep one; the name of a table counts more than a pattern that matches it"));
            return None;
        }
        strongest.first().map(|it| it.class)
    }

    /// The tables that a word names or matches. One that matches nothing is a fault, where that means anything.
    fn matched(&mut self, word: &Spanned<String>, tables: &[&'a QName], must: bool) -> Vec<&'a QName> {
        let Some(pattern) = Pattern::new(word.get_ref()) else {
            let help = "patterns are as shells have them: `*`, `?`, `[a-z]`, `{a,b}`";
            self.fault("tenancy::pattern", "this is no pattern".into(), word, "here", help);
            return vec![];
        };
        let namespaces: Vec<Pattern> =
            self.settings.namespaces.iter().filter_map(|it| Pattern::new(it.get_ref())).collect();
        let named = !is_pattern(word.get_ref());
        let ours = |table: &QName| {
            named || namespaces.is_empty() || namespaces.iter().any(|it| it.0.is_match(table.namespace.as_str()))
        };
        let found: Vec<&QName> = tables.iter().copied().filter(|it| pattern.matches(it) && ours(it)).collect();
        if found.is_empty() && must {
            let (what, help) = match qname(word.get_ref()).filter(|_| named) {
                Some(name) => (format!("there is no table {name}"), self.nearest(&name)),
                None => ("this pattern matches no table".to_owned(), "take it out, or correct it".to_owned()),
            };
            self.fault("tenancy::matches_nothing", what, word, "matches nothing", help);
        }
        found
    }
}

/// A level as written.
struct Unit<'a> {
    table: &'a Spanned<String>,
    id: Option<&'a Spanned<String>>,
    key: &'a Spanned<String>,
    current: &'a Spanned<String>,
    many: bool,
    name: Option<&'a String>,
    within: Option<usize>,
}

/// The key columns of a table at a level, from the tenant down.
fn keys(levels: &[Level], level: usize, settings: Option<&TableSettings>) -> Vec<KeyColumn> {
    let mut keys = vec![];
    let mut at = Some(level);
    while let Some(level) = at {
        let own = settings.and_then(|it| it.key.as_ref()).filter(|_| level == 0);
        let column = own.map_or_else(|| levels[level].key.clone(), |word| Name::from(word.get_ref().as_str()));
        keys.insert(0, KeyColumn { level, column });
        at = levels[level].within;
    }
    keys
}

/// The value of a tenant key as SQL has it.
pub fn literal(value: &KeyValue) -> String {
    match value {
        KeyValue::Integer(number) => number.to_string(),
        KeyValue::Text(text) => Literal(text).to_string(),
    }
}

/// A pattern as shells have them, of a name without namespace where it holds no dot.
struct Pattern(GlobMatcher);

impl Pattern {
    fn new(text: &str) -> Option<Pattern> {
        GlobBuilder::new(text).literal_separator(false).build().ok().map(|it| Pattern(it.compile_matcher()))
    }

    /// `orders` is public.orders, `app.*` every table of app, `*` every table there is.
    fn matches(&self, table: &QName) -> bool {
        let (namespace, name) = (table.namespace.as_str(), table.name.as_str());
        let text = self.0.glob().glob();
        if text == "*" {
            return true;
        }
        if text.contains('.') {
            return self.0.is_match(format!("{namespace}.{name}"));
        }
        namespace == "public" && self.0.is_match(name)
    }
}

/// Whether a word names or matches a table.
pub fn matches(word: &str, table: &QName) -> bool {
    Pattern::new(word).is_some_and(|it| it.matches(table))
}

/// How closely a word names what it matches: as every table, as those of a pattern, as one.
fn closeness(text: &str) -> u8 {
    match text {
        "*" => 0,
        text if is_pattern(text) => 1,
        _ => 2,
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// `name` in public, or `namespace.name`.
pub fn qname(text: &str) -> Option<QName> {
    match text.split('.').collect::<Vec<_>>().as_slice() {
        [name] if !name.is_empty() => Some(QName::new("public", *name)),
        [namespace, name] if !namespace.is_empty() && !name.is_empty() => Some(QName::new(*namespace, *name)),
        _ => None,
    }
}
