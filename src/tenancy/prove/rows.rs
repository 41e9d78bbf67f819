//! Rows of several tenants for every table, made to satisfy types, keys and checks, so that there is something to be
//! seen. What is made is remembered: attempts name it.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect::Session;
use crate::introspect::server_message;
use crate::kind::column::Column;
use crate::kind::constraint::{ForeignKey, Rule};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Literal, Name, QName, list};
use crate::proof::rows::{columns, foreign_keys, parents_first};
use crate::proof::values::{constants, likely_texts, typical};
use crate::schema::Schema;
use crate::tenancy::{Class, Tenancy};

/// Which of the tenants a row belongs to, by its place; global rows to none.
pub type Owner = Option<usize>;

/// The two tenants that have rows, and the one that has none yet.
pub const TENANTS: usize = 3;
const FILLED: usize = 2;
const EACH: usize = 2;

/// A row: its values as SQL expressions.
#[derive(Debug, Clone)]
pub struct Row {
    pub owner: Owner,
    pub values: BTreeMap<Name, String>,
}

/// What was made, and how to make more of it.
pub struct Made<'a> {
    schema: &'a Schema,
    tenancy: &'a Tenancy,
    keys: Vec<(QName, &'a ForeignKey)>,
    /// The literals of the tenants' keys.
    pub tenants: Vec<String>,
    pub rows: BTreeMap<QName, Vec<Row>>,
    /// The kind of value that each column turned out to take.
    styles: BTreeMap<(QName, Name), usize>,
    /// The columns of a table beyond those that are required could not be given values.
    least: BTreeSet<QName>,
    pub unfilled: BTreeMap<QName, String>,
    /// Namespaces whose views and functions are not the project's.
    foreign: &'a BTreeSet<String>,
}

/// What stands in every text of a tenant, so that it is known where it turns up.
pub fn marker(tenant: usize) -> String {
    format!("ten{tenant}row")
}

impl<'a> Made<'a> {
    pub fn new(schema: &'a Schema, tenancy: &'a Tenancy, foreign: &'a BTreeSet<String>) -> Self {
        let mut made = Made {
            schema,
            tenancy,
            keys: foreign_keys(schema, schema),
            tenants: vec![],
            rows: BTreeMap::new(),
            styles: BTreeMap::new(),
            least: BTreeSet::new(),
            unfilled: BTreeMap::new(),
            foreign,
        };
        let level = &tenancy.levels[0];
        let id = columns(schema, &level.table).into_iter().find(|it| it.name == level.id);
        for tenant in 0..TENANTS {
            let made_up = id.map_or("NULL".to_owned(), |id| typical(&level.table, id, tenant, schema, schema));
            let default = tenancy.default.as_ref().filter(|_| tenant == 0);
            made.tenants.push(match (default, id) {
                (Some(default), Some(id)) => format!("{default}::{}", id.data_type),
                _ => made_up,
            });
        }
        made
    }

    /// Puts rows into all tables of the tenancy and those that they refer to, parents first. Triggers and foreign
    /// keys do not run meanwhile.
    pub async fn fill(&mut self, session: &Session) -> Result<(), tokio_postgres::Error> {
        let wanted = self.wanted();
        session
            .client
            .batch_execute("SET session_replication_role = replica; SET client_min_messages = warning")
            .await?;
        for table in parents_first(&wanted, &self.keys) {
            let owners: Vec<Owner> = match self.tenancy.class(&table) {
                Some(Class::Tenant) => (0..TENANTS).map(Some).collect(),
                Some(Class::Scoped(_)) => (0..FILLED * EACH).map(|row| Some(row / EACH)).collect(),
                Some(Class::Global | Class::External) | None => vec![None; TENANTS],
            };
            for (number, owner) in owners.into_iter().enumerate() {
                if let Err(why) = self.insert(session, &table, owner, number).await {
                    self.unfilled.entry(table.clone()).or_insert(why);
                }
            }
        }
        // A row for each tenant that is to have some is enough to prove something.
        let rows = &self.rows;
        self.unfilled.retain(|table, _| {
            let has = |owner: Owner| rows.get(table).is_some_and(|rows| rows.iter().any(|it| it.owner == owner));
            !(has(None) || (has(Some(0)) && has(Some(1))))
        });
        session.client.batch_execute("RESET session_replication_role; RESET client_min_messages").await
    }

    /// The tables of the tenancy, less partitions, and all that they refer to.
    fn wanted(&self) -> BTreeSet<QName> {
        let is_partition =
            |table: &QName| self.schema.contains(&ObjectId::new(Kind::Partition, [&table.namespace, &table.name]));
        let known =
            |table: &QName| self.schema.contains(&ObjectId::new(Kind::Table, [&table.namespace, &table.name]));
        let external = |table: &QName| self.tenancy.class(table) == Some(&Class::External);
        let tables = self.tenancy.tables.keys();
        let mut wanted: BTreeSet<QName> =
            tables.filter(|it| known(it) && !is_partition(it) && !external(it)).cloned().collect();
        loop {
            let of_wanted = self.keys.iter().filter(|it| wanted.contains(&it.0));
            let more: Vec<QName> =
                of_wanted.map(|it| it.1.to.clone()).filter(|it| known(it) && !wanted.contains(it)).collect();
            if more.is_empty() {
                return wanted;
            }
            wanted.extend(more);
        }
    }

    /// Inserts one row, trying other values for what a check refuses.
    async fn insert(
        &mut self,
        session: &Session,
        table: &QName,
        owner: Owner,
        number: usize,
    ) -> Result<(), String> {
        let mut said = String::new();
        for _ in 0..40 {
            let values = self.values(table, owner, number);
            let Err(error) = session.client.batch_execute(&statement(table, &values)).await else {
                self.rows.entry(table.clone()).or_default().push(Row { owner, values });
                return Ok(());
            };
            said = server_message(&error);
            let Some(db) = error.as_db_error() else { return Err(said) };
            // 23514: a check is not met.
            let restyled =
                db.code().code() == "23514" && db.constraint().is_some_and(|name| self.restyle_check(table, name));
            if !restyled && !self.least.insert(table.clone()) {
                break;
            }
        }
        Err(said)
    }

    /// Gives the columns of a check the next kind of value; whether there was one.
    fn restyle_check(&mut self, table: &QName, constraint: &str) -> bool {
        let id = ObjectId::new(Kind::Constraint, [&table.namespace, &table.name, &Name::from(constraint)]);
        let Some(Object::Constraint(found)) = self.schema.get(&id) else { return false };
        let Rule::Check(check) = &found.rule else { return false };
        let text = check.expression.to_string();
        let named: Vec<Name> = columns(self.schema, table)
            .into_iter()
            .filter(|it| text.contains(it.name.as_str()))
            .map(|it| it.name.clone())
            .collect();
        // Columns of one check move on one after another, as the wheels of a counter.
        for column in named {
            let style = self.styles.entry((table.clone(), column)).or_default();
            if *style < STYLES {
                *style += 1;
                return true;
            }
            *style = 0;
        }
        false
    }

    /// The values of a row: keys first, then what foreign keys refer to, then the rest.
    pub fn values(&self, table: &QName, owner: Owner, number: usize) -> BTreeMap<Name, String> {
        let mut values: BTreeMap<Name, String> = BTreeMap::new();
        let columns = columns(self.schema, table);
        let tenant = owner.and_then(|it| self.tenants.get(it));
        if let (Some(tenant), Some(key)) = (tenant, self.key(table)) {
            values.insert(key, tenant.clone());
        }
        for (_, key) in self.keys.iter().filter(|it| it.0 == *table) {
            let partner = self.partner(key, table, owner, number);
            for (from, to) in key.columns.iter().zip(&key.to_columns) {
                let literal = partner.and_then(|row| row.values.get(to)).cloned().unwrap_or_else(|| "NULL".into());
                values.entry(from.clone()).or_insert(literal);
            }
        }
        for column in columns {
            if column.generated.is_some() {
                values.remove(&column.name);
                continue;
            }
            let id = ObjectId::new(Kind::Default, [&table.namespace, &table.name, &column.name]);
            let optional = column.not_null.is_none() || (self.schema.contains(&id) && column.identity.is_none());
            if self.least.contains(table) && optional && !values.contains_key(&column.name) {
                continue;
            }
            values.entry(column.name.clone()).or_insert_with(|| self.value(table, column, owner, number));
        }
        values
    }

    /// Whether the object is another's than the project's.
    pub fn is_foreign(&self, id: &ObjectId) -> bool {
        id.path.first().is_some_and(|it| self.foreign.contains(it.as_str()))
    }

    /// The column that carries the tenant.
    pub fn key(&self, table: &QName) -> Option<Name> {
        self.tenancy.keys(table).into_iter().find(|it| it.level == 0).map(|it| it.column)
    }

    /// The row of the other table that a foreign key is to lead to: of the same tenant, where that one has tenants.
    fn partner(&self, key: &ForeignKey, table: &QName, owner: Owner, number: usize) -> Option<&Row> {
        if key.to == *table {
            return None;
        }
        let rows: Vec<&Row> =
            self.rows.get(&key.to)?.iter().filter(|it| it.owner.is_none() || it.owner == owner).collect();
        // The second row of a tenant refers to its second parent.
        (!rows.is_empty()).then(|| rows[number % rows.len()])
    }

    fn value(&self, table: &QName, column: &Column, owner: Owner, number: usize) -> String {
        let style = self.styles.get(&(table.clone(), column.name.clone())).copied().unwrap_or_default();
        let data_type = &column.data_type;
        let ours = typical(table, column, number, self.schema, self.schema);
        // What LIKE compares with is a pattern, and no value.
        let mut mined = constants(self.schema, table, &column.name);
        mined.retain(|it| !it.contains('%'));
        let base = data_type.split(['(', ' ']).next().unwrap_or_default();
        let mark = owner.map_or_else(|| format!("all{number}"), |it| format!("{}{number}", marker(it)));
        let text = match (base, data_type.ends_with("[]")) {
            (_, true) => [("{}"), "{a}"].get(style).map(|it| (*it).to_owned()),
            ("text" | "character" | "citext" | "extensions.citext", _) if mined.is_empty() || style > 0 => {
                let digits = format!("{}{number}", owner.map_or(9, |it| it + 1));
                let choices = likely_texts(&mark, &digits, number);
                choices.get(style).cloned()
            }
            ("jsonb" | "json", _) => {
                ["{}", "[]", "{\"a\": 1}", "\"x\"", "1", "null"].get(style).map(|it| (*it).to_owned())
            }
            ("smallint" | "integer" | "bigint" | "numeric" | "real" | "double", _) if style > 0 => {
                let choices = [0, 1, 100, 10, -1, 1000].map(|it: i64| it.to_string());
                choices.get(style - 1).cloned()
            }
            ("date" | "timestamp", _) if style > 0 => {
                let choices = ["2024-02-01", "2030-01-01", "2020-01-01"];
                choices.get(style - 1).map(|it| (*it).to_owned())
            }
            _ => None,
        };
        let length = data_type.split_once('(').and_then(|(_, rest)| rest.split_once(')')?.0.parse::<usize>().ok());
        match text {
            Some(text) => {
                // The end tells rows apart, so what is too long loses its beginning.
                let cut = match length.filter(|length| text.len() > *length && base.starts_with("char")) {
                    Some(length) => text[text.len() - length..].to_owned(),
                    None => text,
                };
                format!("{}::{data_type}", Literal(&cut))
            }
            None => self.in_partition(table, column).unwrap_or(ours),
        }
    }

    /// For the column that a table is divided by: the beginning of the first partition that has one.
    fn in_partition(&self, table: &QName, column: &Column) -> Option<String> {
        let id = ObjectId::new(Kind::Table, [&table.namespace, &table.name]);
        let Some(Object::Table(of)) = self.schema.get(&id) else { return None };
        let by = of.partition_by.as_ref()?;
        if !by.ends_with(&format!("({})", column.name)) {
            return None;
        }
        self.schema.of_kind(Kind::Partition).find_map(|it| match it {
            Object::Partition(it) if it.parent == *table => {
                let begin = it.bound.split_once('(')?.1;
                let literal = begin.split([',', ')']).next()?.trim();
                (!literal.eq_ignore_ascii_case("minvalue")).then(|| format!("{literal}::{}", column.data_type))
            }
            _ => None,
        })
    }
}

/// How many kinds of value are tried for a column, at most.
const STYLES: usize = 11;

/// The INSERT of a row.
pub fn statement(table: &QName, values: &BTreeMap<Name, String>) -> String {
    match values.len() {
        0 => format!("INSERT INTO {table} DEFAULT VALUES"),
        _ => format!(
            "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            list(values.keys()),
            list(values.values())
        ),
    }
}
