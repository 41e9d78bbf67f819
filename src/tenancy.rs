//! Tenancy as part of the schema: which rows belong to whom, who is held to that, and how a session says which tenant
//! it is. `settings` is what was written, [`resolve`] makes it a [`Tenancy`] for the tables that there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Place, Report};
use crate::name::{Name, QName, Role};

pub mod check;
pub mod citus;
mod classify;
mod expand;
pub mod prove;
pub mod rows;
mod session;
pub mod settings;
mod shape;
pub mod template;

pub use expand::expand;
pub use session::{Carrier, Session};
pub use settings::{Findings, Mode, Model};
pub use shape::{ColumnShape, Shape, TableShape};

/// A tenancy as it holds for the tables of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenancy {
    /// Where a database has several.
    pub name: Option<String>,
    pub model: Model,
    pub mode: Mode,
    pub findings: Findings,
    /// The tenant first, then the levels below it, each after the one that it is within. Empty unless the model is
    /// `row`.
    pub levels: Vec<Level>,
    /// Every table that is this tenancy's, partitions too: these are as the table that they are part of.
    pub tables: BTreeMap<QName, Class>,
    pub roles: Roles,
    /// How a session is made that of a tenant, where that is known.
    pub session: Option<Session>,
    /// The literal of the tenant that owns what was there before there were tenants.
    pub default: Option<String>,
    /// How a tenant's namespace or database is called, with `{tenant}` in it, unless the model is `row`.
    pub named: Option<String>,
    /// Its tables are spread over servers by Citus.
    pub distributed: bool,
}

/// The tenancy that a statement is about, by its place: the one that most of the relations belong to which it names (in
/// parts, as written), else the first.
pub fn of_statement(tenancies: &[Tenancy], relations: &[Vec<String>]) -> Option<usize> {
    let is_named = |table: &QName, parts: &[String]| match parts {
        [.., namespace, name] => table.namespace.as_str() == namespace && table.name.as_str() == name,
        [name] => table.name.as_str() == name,
        [] => false,
    };
    let own = |tenancy: &Tenancy| {
        let tables = tenancy.tables.iter().filter(|it| matches!(it.1, Class::Scoped(_) | Class::Tenant));
        let names: Vec<&QName> = tables.map(|(table, _)| table).collect();
        relations.iter().filter(|parts| names.iter().any(|table| is_named(table, parts))).count()
    };
    let counted = tenancies.iter().enumerate().map(|(at, it)| (own(it), std::cmp::Reverse(at)));
    counted.max().map(|(_, std::cmp::Reverse(at))| at)
}

/// What tells rows apart at one level: a table whose rows are the units, and a column elsewhere that refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// None for the tenant itself.
    pub name: Option<String>,
    /// The table whose rows are the tenants (teams, …).
    pub table: QName,
    /// Its column that tells them apart.
    pub id: Name,
    /// The type of that column, as it was declared or as `format_type` prints it.
    pub data_type: String,
    /// The column that scoped tables carry, where a table says nothing else.
    pub key: Name,
    /// The SQL expression of the session's tenant. NULL, which sees no row, where there is none.
    pub current: String,
    /// `current` returns a set.
    pub many: bool,
    /// The level that this one is within, as an index into [`Tenancy::levels`].
    pub within: Option<usize>,
}

/// What a table is to a tenancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Its rows are the tenants.
    Tenant,
    /// Each row belongs to one tenant; the key columns from the tenant down.
    Scoped(Vec<KeyColumn>),
    /// Its rows are everybody's.
    Global,
    /// It is another program's.
    External,
}

/// A column that says whose a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// An index into [`Tenancy::levels`].
    pub level: usize,
    pub column: Name,
}

/// Who is held to isolation, and who is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Held to the tenant of their session. None named means every role.
    pub bound: Vec<Role>,
    /// See all tenants.
    pub passes: Vec<Role>,
    /// Know nothing of tenants: each acts for the tenant of this literal.
    pub legacy: BTreeMap<Role, String>,
}

impl Tenancy {
    /// What a table is to this tenancy; `None` where it is another's.
    pub fn class(&self, table: &QName) -> Option<&Class> {
        self.tables.get(table)
    }

    /// The columns that say whose a row of the table is, from the tenant down. For the tenants' own table that is its
    /// id; global and external tables have none.
    pub fn keys(&self, table: &QName) -> Vec<KeyColumn> {
        match self.tables.get(table) {
            Some(Class::Scoped(keys)) => keys.clone(),
            Some(Class::Tenant) => {
                let id = self.levels.first().map(|level| KeyColumn { level: 0, column: level.id.clone() });
                id.into_iter().collect()
            }
            Some(Class::Global | Class::External) | None => vec![],
        }
    }

    /// The tables whose rows each belong to a tenant, without the tenants' own.
    pub fn scoped(&self) -> impl Iterator<Item = (&QName, &[KeyColumn])> {
        self.tables.iter().filter_map(|(table, class)| match class {
            Class::Scoped(keys) => Some((table, keys.as_slice())),
            Class::Tenant | Class::Global | Class::External => None,
        })
    }

    /// The roles that policies are written for: none named is every role.
    pub fn bound_or_public(&self) -> Vec<Role> {
        if self.roles.bound.is_empty() { vec![Role::public()] } else { self.roles.bound.clone() }
    }
}

/// What a declared tenancy comes to for these tables.
///
/// Errors: all that is wrong with it, each at its place in tenantry.toml or, by `place`, beside a table's declaration:
/// a table that is none of scoped, global and external, patterns that match nothing, declarations that contradict each
/// other, a table that is its own tenant, levels that are within each other.
pub fn resolve(
    declared: &settings::Declared,
    shape: &Shape,
    place: &dyn Fn(&QName) -> Option<Place>,
) -> Result<Vec<Tenancy>, Vec<Report>> {
    let mut faults = template::faults(declared);
    let mut tenancies = vec![];
    let mut taken: BTreeMap<QName, usize> = BTreeMap::new();
    for (at, settings) in declared.tenancies.iter().enumerate() {
        let mut work = classify::Work { file: &declared.file, settings, shape, faults: &mut faults };
        let Some(tenancy) = work.tenancy(declared.tenancies.len() > 1) else { continue };
        for table in tenancy.tables.keys() {
            if let Some(other) = taken.insert(table.clone(), at) {
                let names: Vec<String> =
                    [other, at].iter().map(|it| title(&declared.tenancies[*it], *it)).collect();
                let mut report = Report::error(
                    "tenancy::two",
                    format!("table {table} is in two tenancies: {} and {}", names[0], names[1]),
                )
                .help("give each tenancy the `namespaces` that are its own, or name the table in one of them only");
                report.places.extend(place(table));
                faults.push(report);
            }
        }
        tenancies.push(tenancy);
    }
    unclassified(declared, shape, place, &taken, &mut faults);
    if faults.is_empty() { Ok(tenancies) } else { Err(faults) }
}

fn title(settings: &settings::Settings, at: usize) -> String {
    settings.name.clone().unwrap_or_else(|| format!("the {}.", at + 1))
}

/// Tables that nobody has said anything of, each at its declaration.
fn unclassified(
    declared: &settings::Declared,
    shape: &Shape,
    place: &dyn Fn(&QName) -> Option<Place>,
    taken: &BTreeMap<QName, usize>,
    faults: &mut Vec<Report>,
) {
    let row = declared.tenancies.iter().any(|it| it.model == Model::Row);
    let open: BTreeSet<&QName> =
        shape.tables.iter().filter(|(_, it)| it.whole.is_none()).map(|(name, _)| name).collect();
    for table in open.into_iter().filter(|table| row && !taken.contains_key(*table)) {
        let mut report = Report::error(
            "tenancy::unclassified",
            format!("table {table} is neither scoped nor global nor external"),
        )
        .help(format!(
            "say whose its rows are: add \"{table}\" to `scoped`, `global` or `external` of [tenancy] in {}",
            declared.file.path
        ));
        report.places.extend(place(table).map(|place| Place { label: "whose rows are these?".into(), ..place }));
        faults.push(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::diagnostic::{File, Look, render_all};

    /// Tables with an integer `id` as their primary key; `child < parent` is a partition.
    fn shape(tables: &[&str]) -> Shape {
        let table = |text: &&str| {
            let (name, whole) = match text.split_once(" < ") {
                Some((name, whole)) => (name, Some(whole)),
                None => (*text, None),
            };
            let qname = |text: &str| classify::qname(text).unwrap();
            let id = ColumnShape { data_type: "integer".into(), not_null: true };
            let columns = [(Name::from("id"), id)].into();
            let primary = vec![Name::from("id")];
            (qname(name), TableShape { columns, primary, whole: whole.map(qname) })
        };
        Shape { tables: tables.iter().map(table).collect() }
    }

    fn resolved(text: &str, tables: &[&str]) -> Result<Vec<Tenancy>, String> {
        let file = File::new("tenantry.toml", text);
        let look = Look { colour: false, width: 100 };
        let config = config::parse(&file).map_err(|reports| render_all(&reports, look))?;
        let declared = config.tenancy.expect("a tenancy is declared");
        resolve(&declared, &shape(tables), &|_| None).map_err(|reports| render_all(&reports, look))
    }

    fn classes(tenancy: &Tenancy) -> Vec<String> {
        let class = |(table, class): (&QName, &Class)| match class {
            Class::Scoped(keys) => {
                let keys: Vec<&str> = keys.iter().map(|it| it.column.as_str()).collect();
                format!("{table} by {}", keys.join(", "))
            }
            other => format!("{table} {other:?}").to_lowercase(),
        };
        tenancy.tables.iter().map(class).collect()
    }

    const ONE: &str = "[tenancy]\ntenant = 'users'\nkey = 'user_id'\ncurrent = 'app.tenant()'\n";

    #[test]
    fn names_patterns_and_settings_say_what_a_table_is() {
        let text = format!(
            "{ONE}scoped = ['*']\nglobal = ['plans', 'ref.*']\n[tenancy.tables.\"ref.own\"]\nclass = 'scoped'\nkey = 'uid'"
        );
        let tables = ["users", "plans", "orders", "orders_1 < orders", "ref.own", "app.x"];
        let tenancies = resolved(&text, &tables).unwrap();
        assert_eq!(
            classes(&tenancies[0]),
            [
                "app.x by user_id",
                "public.orders by user_id",
                "public.orders_1 by user_id",
                "public.plans global",
                "public.users tenant",
                "ref.own by uid"
            ]
        );
    }

    #[test]
    fn levels_carry_the_keys_of_those_above() {
        let text = format!(
            "{ONE}scoped = ['invoices']\n[tenancy.level.task]\ntenant = 'tasks'\nkey = 'task_id'\ncurrent = 'app.task()'\n\
             within = 'team'\nscoped = ['notes']\n[tenancy.level.team]\ntenant = 'teams'\nkey = 'team_id'\n\
             current = 'app.team()'\n"
        );
        let tenancies = resolved(&text, &["users", "teams", "tasks", "notes", "invoices"]).unwrap();
        assert_eq!(
            classes(&tenancies[0]),
            [
                "public.invoices by user_id",
                "public.notes by user_id, team_id, task_id",
                "public.tasks by user_id, team_id",
                "public.teams by user_id",
                "public.users tenant"
            ]
        );
    }

    #[test]
    fn several_tenancies_have_their_own_tables() {
        let text = "[tenancy.shop]\ntenant = 'shop.shops'\nkey = 's'\ncurrent = 'a()'\nnamespaces = ['shop']\nscoped = ['*']\n\
                    [tenancy.blog]\ntenant = 'blog.blogs'\nkey = 'b'\ncurrent = 'a()'\nnamespaces = ['blog']\nscoped = ['*']\n";
        let tenancies = resolved(text, &["shop.shops", "shop.x", "blog.blogs", "blog.x"]).unwrap();
        assert_eq!(classes(&tenancies[0]), ["shop.shops tenant", "shop.x by s"]);
        assert_eq!(classes(&tenancies[1]), ["blog.blogs tenant", "blog.x by b"]);
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let tables = ["users", "plans", "orders", "orders_1 < orders", "new"];
        let faults = |text: &str| resolved(text, &tables).expect_err("it is wrong");
        insta::assert_snapshot!(
            "contradictions",
            faults(&format!(
                "{ONE}scoped = ['orders', 'users', 'ordrs', 'x_*']\nglobal = ['orders', 'plans']\n\
                 [tenancy.tables.orders_1]\nclass = 'global'\n"
            ))
        );
        insta::assert_snapshot!(
            "levels_and_roles",
            faults(&format!(
                "{ONE}scoped = ['*']\n[tenancy.roles]\npasses = ['admin']\n\
                 [tenancy.level.a]\ntenant = 'orders'\nkey = 'a_id'\ncurrent = 'a('\nwithin = 'b'\n\
                 [tenancy.level.b]\ntenant = 'plans'\nkey = 'b_id'\ncurrent = 'b()'\nwithin = 'a'\n"
            ))
        );
        insta::assert_snapshot!("missing", faults("[tenancy]\nmodel = 'row'\nkey = 'user_id'\n"));
        insta::assert_snapshot!("no_tenant", faults(&ONE.replace("'users'", "'user'")));
    }
}
