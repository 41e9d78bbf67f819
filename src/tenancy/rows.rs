//! Questions to the rows that there are: those that belong to nobody or to two tenants, and values that collide once
//! keys are the tenant's. Each is a query that reads only, asked before the first step.

use std::collections::{BTreeMap, BTreeSet};

use super::{Class, Tenancy};
use crate::diagnostic::Report;
use crate::kind::constraint::{ForeignKey, Rule};
use crate::kind::{Kind, Object, ObjectId, column, default, table};
use crate::name::{Name, QName, list};
use crate::schema::Schema;

/// How many rows a report shows.
const SHOWN: usize = 5;

/// A query of one row: how many there are, and some of them as people name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub object: ObjectId,
    pub sql: String,
    code: &'static str,
    /// What is so of that many rows.
    what: String,
    help: String,
}

impl Question {
    /// What the answer means; nothing where there are no such rows.
    pub fn answered(&self, count: i64, some: Option<&str>) -> Option<Report> {
        if count == 0 {
            return None;
        }
        let noun = if count == 1 { "row" } else { "rows" };
        let some = some.map(|it| format!(": {it}")).unwrap_or_default();
        let more = if count > SHOWN as i64 { ", …" } else { "" };
        Some(Report::error(self.code, format!("{count} {noun} {}{some}{more}", self.what)).help(self.help.clone()))
    }
}

/// What is to be asked before rows of `live` come under the keys of `desired`. `backfills`: how a column is filled that
/// the live side lacks.
pub fn questions(
    tenancy: &Tenancy,
    live: &Schema,
    desired: &Schema,
    backfills: &BTreeMap<(QName, Name), String>,
) -> Vec<Question> {
    let ask = Ask { tenancy, live, desired, backfills };
    let mut questions = vec![];
    for (table, _) in tenancy.scoped() {
        let is_partition = live.contains(&ObjectId::new(Kind::Partition, [&table.namespace, &table.name]));
        if live.contains(&table::id(table)) && !is_partition {
            questions.extend(ask.nobody(table));
            questions.extend(ask.two(table));
            questions.extend(ask.collisions(table));
        }
    }
    questions
}

struct Ask<'a> {
    tenancy: &'a Tenancy,
    live: &'a Schema,
    desired: &'a Schema,
    backfills: &'a BTreeMap<(QName, Name), String>,
}

impl Ask<'_> {
    /// The value that a column will have, over the table's own columns; nothing where that is not known.
    fn value(&self, table: &QName, name: &Name) -> Option<String> {
        if column::find(self.live, table, name).is_some() {
            return Some(name.to_string());
        }
        let backfill = self.backfills.get(&(table.clone(), name.clone())).cloned();
        backfill.or_else(|| default::find(self.desired, table, name).map(|it| it.expression.0.clone()))
    }

    /// The rows of a table under the values that they will have.
    fn rows(&self, table: &QName, columns: &[Name]) -> Option<String> {
        let values: Vec<String> = columns
            .iter()
            .map(|name| Some(format!("({}) AS {name}", self.value(table, name)?)))
            .collect::<Option<_>>()?;
        Some(format!("SELECT {} FROM {table}", list(values)))
    }

    /// The columns by which people know a row.
    fn known_by(&self, table: &QName) -> Vec<Name> {
        let key = self.live.of_relation(Kind::Constraint, table).find_map(|object| match object {
            Object::Constraint(it) => match &it.rule {
                Rule::Unique(it) if it.primary => Some(it.columns.clone()),
                _ => None,
            },
            _ => None,
        });
        key.unwrap_or_default()
    }

    fn question(
        &self,
        code: &'static str,
        object: ObjectId,
        rows: &str,
        shown: &[Name],
        what: String,
        help: &str,
    ) -> Question {
        let label = match shown {
            [] => "NULL::text".to_owned(),
            [one] => format!("q.{one}::text"),
            several => {
                format!("'(' || concat_ws(', ', {}) || ')'", list(several.iter().map(|it| format!("q.{it}"))))
            }
        };
        let sql = format!(
            "WITH q AS ({rows}) SELECT (SELECT count(*) FROM q)::bigint, \
             (SELECT string_agg(s.label, ', ') FROM (SELECT {label} AS label FROM q ORDER BY 1 LIMIT {SHOWN}) s)"
        );
        Question { object, sql, code, what, help: help.to_owned() }
    }

    /// Rows whose tenant is not said, or is none.
    fn nobody(&self, table: &QName) -> Vec<Question> {
        let mut questions = vec![];
        let shown = self.known_by(table);
        let named = if shown.is_empty() { "1".to_owned() } else { list(&shown) };
        for key in self.tenancy.keys(table) {
            let Some(found) = column::find(self.live, table, &key.column) else { continue };
            let id = column::id(table, &key.column);
            let required = column::find(self.desired, table, &key.column).is_some_and(|it| it.not_null.is_some());
            let filled = self.backfills.contains_key(&(table.clone(), key.column.clone()));
            if found.not_null.is_none() && required && !filled {
                let rows = format!("SELECT {named} FROM {table} WHERE {} IS NULL", key.column);
                let what = format!("of {table} belong to nobody");
                let help = "say whose they are, by an UPDATE or a `backfill` of the key in TOML";
                questions.push(self.question("tenancy::rows_of_nobody", id.clone(), &rows, &shown, what, help));
            }
            let level = &self.tenancy.levels[key.level];
            let refers = |schema: &Schema| foreign_keys(schema, table).iter().any(|it| it.to == level.table);
            if refers(self.desired) && !refers(self.live) && self.live.contains(&table::id(&level.table)) {
                let rows = format!(
                    "SELECT {named} FROM {table} t WHERE t.{} IS NOT NULL AND NOT EXISTS \
                     (SELECT FROM {} u WHERE u.{} = t.{})",
                    key.column, level.table, level.id, key.column
                );
                let what = format!("of {table} belong to a tenant that {} does not have", level.table);
                let help = "make the tenant first, or give the rows to one that there is";
                questions.push(self.question("tenancy::rows_of_nobody", id, &rows, &shown, what, help));
            }
        }
        questions
    }

    /// Rows that refer to a row of another tenant: they would belong to both.
    fn two(&self, table: &QName) -> Vec<Question> {
        let keys = self.tenancy.keys(table);
        let mut questions = vec![];
        for foreign in foreign_keys(self.desired, table) {
            let Some(Class::Scoped(theirs)) = self.tenancy.class(&foreign.to) else { continue };
            let own: Vec<(&Name, &Name)> = keys
                .iter()
                .zip(theirs)
                .take_while(|(one, other)| one.level == other.level)
                .map(|(one, other)| (&one.column, &other.column))
                .collect();
            let pairs: Vec<(&Name, &Name)> = foreign.columns.iter().zip(&foreign.to_columns).collect();
            let other: Vec<&(&Name, &Name)> = pairs.iter().filter(|it| !own.contains(it)).collect();
            // A foreign key of the live side that carries the keys is met by its rows.
            let carries = own.iter().all(|it| pairs.contains(it));
            let met = carries
                && foreign_keys(self.live, table).iter().any(|it| {
                    it.to == foreign.to && it.columns == foreign.columns && it.to_columns == foreign.to_columns
                });
            if own.is_empty() || other.is_empty() || met || !self.live.contains(&table::id(&foreign.to)) {
                continue;
            }
            let shown = self.known_by(table);
            let mine =
                [foreign.columns.clone(), own.iter().map(|it| it.0.clone()).collect(), shown.clone()].concat();
            let there = [foreign.to_columns.clone(), own.iter().map(|it| it.1.clone()).collect()].concat();
            let (mine, theirs) = (once(&mine), once(&there));
            let (Some(rows), Some(there)) = (self.rows(table, &mine), self.rows(&foreign.to, &theirs)) else {
                continue;
            };
            // Both sides get one constant: nothing can differ.
            let constant = |table: &QName, name: &Name| {
                column::find(self.live, table, name).is_none().then(|| self.value(table, name)).flatten()
            };
            if own.iter().all(|(one, other)| {
                constant(table, one).is_some() && constant(table, one) == constant(&foreign.to, other)
            }) {
                continue;
            }
            let joined = other.iter().map(|(one, other)| format!("a.{one} = b.{other}")).collect::<Vec<_>>();
            let differs =
                own.iter().map(|(one, other)| format!("a.{one} IS DISTINCT FROM b.{other}")).collect::<Vec<_>>();
            let named =
                if shown.is_empty() { "1".to_owned() } else { list(shown.iter().map(|it| format!("a.{it}"))) };
            let sql = format!(
                "SELECT {named} FROM ({rows}) a JOIN ({there}) b ON {} WHERE {}",
                joined.join(" AND "),
                differs.join(" OR ")
            );
            let what =
                format!("of {table} belong to one tenant and refer to a row of {} that is another's", foreign.to);
            let help = "give both rows to one tenant first, or let them refer to others";
            questions.push(self.question("tenancy::rows_of_two", table::id(table), &sql, &shown, what, help));
        }
        questions
    }

    /// Values that stand twice within a tenant, under a key that comes.
    fn collisions(&self, table: &QName) -> Vec<Question> {
        let before: Vec<Vec<Name>> = uniques(self.live, table).into_iter().map(|it| it.1).collect();
        let mut questions = vec![];
        for (id, columns, nulls_equal) in uniques(self.desired, table) {
            // A key over fewer columns holds already, and so does the one over more.
            let holds = before.iter().any(|it| it.iter().all(|it| columns.contains(it)));
            let Some(rows) = self.rows(table, &columns).filter(|_| !holds) else { continue };
            let present = columns.iter().map(|it| format!("{it} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
            let filter = if nulls_equal { String::new() } else { format!(" WHERE {present}") };
            let listed = list(&columns);
            let sql = format!("SELECT {listed} FROM ({rows}) r{filter} GROUP BY {listed} HAVING count(*) > 1");
            let what =
                format!("of {table} would be unique within a tenant by {listed}, and are there more than once");
            let help = "merge or change them first, or declare the key over more columns";
            questions.push(self.question("tenancy::values_collide", id, &sql, &columns, what, help));
        }
        questions
    }
}

/// The names, each once.
fn once(names: &[Name]) -> Vec<Name> {
    names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn foreign_keys<'a>(schema: &'a Schema, table: &QName) -> Vec<&'a ForeignKey> {
    schema
        .of_kind(Kind::Constraint)
        .filter_map(|object| match object {
            Object::Constraint(it) if it.table == *table => match &it.rule {
                Rule::Foreign(foreign) => Some(foreign),
                Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => None,
            },
            _ => None,
        })
        .collect()
}

/// The unique constraints over columns, with whether nulls are equal.
fn uniques(schema: &Schema, table: &QName) -> Vec<(ObjectId, Vec<Name>, bool)> {
    let of = |object: &Object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(unique) if !unique.without_overlaps => {
                Some((object.id(), unique.columns.clone(), unique.nulls_not_distinct))
            }
            _ => None,
        },
        _ => None,
    };
    schema.of_relation(Kind::Constraint, table).filter_map(of).collect()
}
