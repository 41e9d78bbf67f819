//! The tenants that take part in a measurement: those with the most rows, and others spread over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::BenchError;
use crate::connect::Session;
use crate::name::{Literal, QName};
use crate::queries::Query;
use crate::queries::budget::ActsFor;
use crate::tenancy::{Class, Model, Tenancy};

/// A tenant, and how a session becomes its.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The place of its tenancy.
    pub tenancy: usize,
    pub key: String,
    pub enter: String,
}

/// The tenants that take part. Of each tenancy: the largest first, then others, then those that single queries ask for.
#[derive(Debug, Default)]
pub struct Tenants {
    pub list: Vec<Tenant>,
    /// How many of them have the most rows.
    pub largest: usize,
    /// For each tenancy, the places of those that act for queries of every tenant.
    pub everybody: BTreeMap<usize, Range<usize>>,
}

impl Tenants {
    /// Chooses at most so many of a tenancy: a fifth of them those that have the most rows, as far as statistics tell.
    pub(super) async fn choose(
        &mut self,
        session: &Session,
        (number, tenancy): (usize, &Tenancy),
        queries: &[&Query],
        most: usize,
    ) -> Result<(), BenchError> {
        let name = tenancy.name.clone().unwrap_or_else(|| "this".into());
        match tenancy.model {
            Model::Row => {}
            Model::Namespace => return Err(BenchError::Model(name, "namespace")),
            Model::Database => return Err(BenchError::Model(name, "database")),
        }
        let Some(level) = tenancy.levels.first() else { return Ok(()) };
        let Some(recipe) = &tenancy.session else { return Err(BenchError::NoRecipe(level.current.clone())) };
        let sql = format!("SELECT {id}::text FROM {table} ORDER BY {id}", id = level.id, table = level.table);
        let all: Vec<String> = session.client.query(&sql, &[]).await?.iter().map(|row| row.get(0)).collect();
        if all.is_empty() {
            return Err(BenchError::NoTenants(level.table.to_string()));
        }
        let known: BTreeSet<&String> = all.iter().collect();
        let mut keys: Vec<String> = largest(session, tenancy).await?;
        keys.retain(|key| known.contains(key));
        keys.truncate(most.div_ceil(5));
        let largest = keys.len();
        self.largest += largest;
        let rest: Vec<&String> = all.iter().filter(|key| !keys.contains(key)).collect();
        let others = most.saturating_sub(largest);
        let step = (rest.len() / others.max(1)).max(1);
        keys.extend(rest.into_iter().skip(step / 2).step_by(step).take(others).cloned());
        let first = self.list.len();
        self.everybody.insert(number, first..first + keys.len());
        for query in queries {
            if let Some(ActsFor::One(key)) = query.budget.as_ref().map(|it| &it.tenant)
                && !keys.contains(key)
            {
                keys.push(key.clone());
            }
        }
        for key in keys {
            let value = match &recipe.value {
                Some(query) => {
                    let query = query.replace("$1", &Literal(&key).to_string());
                    let row = session.client.query_opt(&format!("SELECT (({query}))::text"), &[]).await?;
                    row.and_then(|it| it.get::<_, Option<String>>(0)).unwrap_or_default()
                }
                None => key.clone(),
            };
            self.list.push(Tenant { tenancy: number, enter: recipe.enter(&value), key });
        }
        Ok(())
    }
}

/// The tenants that come up most in the largest of their tables, the most frequent first. None where the server keeps
/// no statistics, or does not show them.
async fn largest(session: &Session, tenancy: &Tenancy) -> Result<Vec<String>, tokio_postgres::Error> {
    let scoped = |(table, class): (&QName, &Class)| match class {
        Class::Scoped(keys) => keys.iter().find(|it| it.level == 0).map(|key| (table.clone(), key.column.clone())),
        Class::Tenant | Class::Global | Class::External => None,
    };
    let keys: Vec<_> = tenancy.tables.iter().filter_map(scoped).collect();
    let namespaces: Vec<&str> = keys.iter().map(|(table, _)| table.namespace.as_str()).collect();
    let tables: Vec<&str> = keys.iter().map(|(table, _)| table.name.as_str()).collect();
    let columns: Vec<&str> = keys.iter().map(|(_, column)| column.as_str()).collect();
    let sql = "SELECT v.value
                 FROM (SELECT s.most_common_vals::text::text[] AS vals, s.most_common_freqs AS freqs
                         FROM unnest($1::text[], $2::text[], $3::text[]) AS k (namespace, name, key)
                         JOIN pg_catalog.pg_stats s ON s.schemaname::text = k.namespace AND s.tablename::text = k.name
                                                   AND s.attname::text = k.key
                         JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(
                              pg_catalog.format('%I.%I', k.namespace, k.name))
                        WHERE s.most_common_vals IS NOT NULL
                        ORDER BY c.reltuples DESC, s.inherited DESC, k.namespace, k.name LIMIT 1) AS most,
                      unnest(most.vals, most.freqs) AS v (value, frequency)
                ORDER BY v.frequency DESC, v.value";
    let rows = session.client.query(sql, &[&namespaces, &tables, &columns]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
