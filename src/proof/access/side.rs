//! One side of a plan on the shadow, made ready for the trial: owners and privileges, rows, tenants; and what is known of
//! it without trying.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tokio_postgres::SimpleQueryMessage;

use super::trial::{Known, PLACE, Privileges, acting};
use super::{Access, relation};
use crate::connect::Session;
use crate::kind::constraint::ForeignKey;
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::{Literal, Name, QName, Role, list};
use crate::plan::access::{Command, Matrix, Reach};
use crate::proof::rows;
use crate::schema::{Facts, Families, Schema, Sides};
use crate::scope::Scope;
use crate::tenancy::{Session as Recipe, Tenancy};

/// A statement whose failure leaves the transaction as it was.
fn harmless(sql: &str) -> String {
    format!("DO {}", Literal(&format!("BEGIN {sql}; EXCEPTION WHEN OTHERS THEN NULL; END")))
}

/// One side of a plan on the shadow.
pub(super) struct Side<'a> {
    pub(super) session: &'a Session,
    pub(super) schema: &'a Schema,
    pub(super) access: &'a Access<'a>,
}

/// The tenant that sessions act for.
pub(super) struct Entered<'a> {
    tenancy: &'a Tenancy,
    key: String,
    statement: Option<String>,
}

impl Entered<'_> {
    /// What makes a session of the role the tenant's: nothing for those who know nothing of tenants or see all.
    pub(super) fn for_role(&self, role: &Role) -> Option<String> {
        let roles = &self.tenancy.roles;
        let is_beyond = roles.passes.contains(role) || roles.legacy.contains_key(role);
        self.statement.clone().filter(|_| !is_beyond)
    }
}

impl Side<'_> {
    async fn all(&self, statements: Vec<String>) {
        // What fails is seen by what is missing afterwards.
        let client = &self.session.client;
        join_all(statements.iter().map(|sql| client.batch_execute(sql))).await;
    }

    /// Owners and privileges that nobody manages, and that the copy lacks for that.
    pub(super) async fn lend(&self, rights: &Schema, scope: &Scope) {
        let (facts, replaced) = (Facts::default(), BTreeSet::new());
        let sides =
            Sides { old: rights, new: rights, facts: &facts, replaced: &replaced, families: &Families::default() };
        let mut statements = vec![];
        for (kind, is_managed) in [(Kind::Owner, scope.owners), (Kind::Grants, scope.grants)] {
            for object in rights.of_kind(kind).filter(|_| !is_managed) {
                let on = rights.part_of(&object.id());
                if on.is_some_and(|on| self.schema.contains(&on)) {
                    statements.extend(object.create(&sides).iter().map(|it| harmless(&it.sql)));
                }
            }
        }
        self.all(statements).await;
    }

    /// Rows for the tables that have none: those that are tried, those that views read from, and the tenants.
    pub(super) async fn fill(&self, relations: &[ObjectId]) -> Result<(), tokio_postgres::Error> {
        let mut open: Vec<ObjectId> = relations.to_vec();
        let mut seen: BTreeSet<ObjectId> = BTreeSet::new();
        let mut tables: BTreeSet<QName> = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            match (id.kind, relation(&id)) {
                (Kind::Table, Some(table)) => _ = tables.insert(table),
                _ => open.extend(self.schema.needs_of(&id).map(|need| self.schema.whole_of(need))),
            }
        }
        let levels = self.access.tenancies.iter().filter_map(|it| it.levels.first());
        tables.extend(levels.map(|it| it.table.clone()).filter(|it| self.schema.contains(&table::id(it))));
        let keys: Vec<(QName, &ForeignKey)> = rows::foreign_keys(self.schema, self.schema);
        // What rows refer to has to be there.
        loop {
            let referred = keys.iter().filter(|it| tables.contains(&it.0)).map(|it| &it.1.to);
            let more: Vec<QName> = referred.filter(|it| !tables.contains(*it)).cloned().collect();
            if more.is_empty() {
                break;
            }
            tables.extend(more);
        }
        let mut empty: BTreeSet<QName> = BTreeSet::new();
        for table in tables {
            let sql = format!("SELECT EXISTS (SELECT FROM {table})");
            if !self.session.client.query_one(&sql, &[]).await?.get::<_, bool>(0) {
                empty.insert(table);
            }
        }
        let mut statements = vec![];
        for table in rows::parents_first(&empty, &keys) {
            let columns = rows::columns(self.schema, &table);
            for row in 0..rows::ROWS {
                let insert = rows::insert(&table, &columns, row, self.schema, self.schema, &keys);
                statements.push(harmless(&insert));
            }
        }
        self.all(statements).await;
        Ok(())
    }

    /// Gives the first row of each table to one tenant and the others to another, where rows have tenants.
    pub(super) async fn tenants(&self) -> Result<Vec<Entered<'_>>, tokio_postgres::Error> {
        let client = &self.session.client;
        let mut entered = vec![];
        for tenancy in self.access.tenancies {
            let Some(level) = tenancy.levels.first() else { continue };
            let (table, id) = (&level.table, &level.id);
            if !self.has(table, id) {
                continue;
            }
            let first = tenancy.default.as_ref().map(|it| format!("({id} = {it}) DESC, ")).unwrap_or_default();
            let sql = format!("SELECT {id}::text FROM {table} ORDER BY {first}{id} LIMIT 2");
            let found = client.query(&sql, &[]).await?;
            let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
            let (Some(own), other) = (found.first(), found.get(1)) else { continue };
            let literal = |key: &str| format!("{}::{}", Literal(key), level.data_type);
            if let Some(other) = other {
                let given = |(table, _): (&QName, _)| {
                    let key = tenancy.keys(table).into_iter().find(|it| it.level == 0)?.column;
                    let (own, other) = (literal(own), literal(other));
                    let rows =
                        format!("CASE WHEN ctid = (SELECT min(ctid) FROM {table}) THEN {own} ELSE {other} END");
                    self.has(table, &key).then(|| harmless(&format!("UPDATE {table} SET {key} = {rows}")))
                };
                self.all(tenancy.scoped().filter_map(given).collect()).await;
            }
            let recipe = tenancy.session.clone().or_else(|| Recipe::derived(&level.current, self.access.new));
            let statement = match recipe {
                None => None,
                Some(recipe) => {
                    let value = match &recipe.value {
                        None => Some(own.clone()),
                        Some(query) => {
                            let sql = format!("SELECT (({}))::text", query.replace("$1", &literal(own)));
                            let row = client.query_opt(&sql, &[]).await?;
                            row.and_then(|it| it.get::<_, Option<String>>(0))
                        }
                    };
                    value.map(|it| recipe.enter(&it))
                }
            };
            entered.push(Entered { tenancy, key: own.clone(), statement });
        }
        let views = self.schema.of_kind(Kind::MaterializedView).map(Object::id);
        let refresh = |id: ObjectId| Some(harmless(&format!("REFRESH MATERIALIZED VIEW {}", relation(&id)?)));
        self.all(views.filter_map(refresh).collect()).await;
        Ok(entered)
    }

    fn has(&self, table: &QName, column: &Name) -> bool {
        self.schema.contains(&ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]))
    }

    /// What is in a relation.
    pub(super) async fn known(
        &self,
        id: &ObjectId,
        entered: &[Entered<'_>],
    ) -> Result<Known, tokio_postgres::Error> {
        let relation = relation(id).expect("only relations are asked for");
        let entered = entered.iter().find_map(|entered| {
            let level = &entered.tenancy.levels[0];
            let key = match self.schema.get(id) {
                Some(Object::View(it)) => {
                    it.columns.iter().any(|it| it.name == level.key).then(|| level.key.clone())
                }
                Some(Object::Table(_)) => {
                    let key = entered.tenancy.keys(&relation).into_iter().find(|it| it.level == 0)?.column;
                    self.has(&relation, &key).then_some(key)
                }
                _ => None,
            };
            Some((key?, entered.key.clone()))
        });
        let is_table = id.kind == Kind::Table;
        let row = if is_table { PLACE } else { "r::text" };
        let own = entered
            .as_ref()
            .map_or("NULL::boolean".to_owned(), |(key, tenant)| format!("r.{key}::text = {}", Literal(tenant)));
        let found = format!("SELECT {row}, {own} FROM {relation} AS r ORDER BY 1");
        let Ok(found) = self.guarded(&found).await? else {
            return Ok(Known { relation, is_table, key: None, rows: vec![], values: vec![] });
        };
        let rows =
            found.iter().map(|row| (row[0].clone().unwrap_or_default(), row[1].as_ref().map(|it| it == "t")));
        let rows: Vec<(String, Option<bool>)> = rows.collect();
        let mut values = vec![];
        if is_table {
            let columns: Vec<&Name> = rows::columns(self.schema, &relation)
                .into_iter()
                .filter(|it| it.generated.is_none())
                .map(|it| &it.name)
                .collect();
            let quoted = list(columns.iter().map(|it| format!("pg_catalog.quote_nullable(r.{it}::text)")));
            let sql = format!("SELECT {PLACE}, {quoted} FROM {relation} AS r ORDER BY 1");
            if let (false, Ok(found)) = (columns.is_empty(), self.guarded(&sql).await?) {
                for row in found {
                    let row = columns.iter().zip(row.into_iter().skip(1));
                    values
                        .push(row.map(|(name, value)| ((*name).clone(), value.unwrap_or("NULL".into()))).collect());
                }
            }
        }
        Ok(Known { relation, is_table, key: entered, rows, values })
    }

    /// The rows of a query, or that the server refuses it.
    async fn guarded(&self, sql: &str) -> Result<Result<Vec<Vec<Option<String>>>, ()>, tokio_postgres::Error> {
        let client = &self.session.client;
        client.batch_execute("SAVEPOINT asked").await?;
        let answer = client.simple_query(sql).await;
        client.batch_execute("ROLLBACK TO SAVEPOINT asked; RELEASE SAVEPOINT asked").await?;
        match answer {
            Ok(messages) => Ok(Ok(messages
                .iter()
                .filter_map(|it| match it {
                    SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
                    }
                    _ => None,
                })
                .collect())),
            Err(error) if error.as_db_error().is_some() => Ok(Err(())),
            Err(error) => Err(error),
        }
    }

    /// What a role was granted on relations.
    pub(super) async fn privileges(
        &self,
        role: &Role,
        relations: &[ObjectId],
    ) -> Result<Vec<Privileges>, tokio_postgres::Error> {
        let names: Vec<String> = relations.iter().filter_map(relation).map(|it| it.to_string()).collect();
        let role = acting(role);
        let rows = self.session.client.query(PRIVILEGES, &[&names, &role.0]).await?;
        let rows = rows.iter().map(|row| Privileges {
            selects_all: row.get(0),
            selects: row.get(1),
            insertable: row.get::<_, Vec<String>>(2).into_iter().map(Name::from).collect(),
            updatable: row.get::<_, Vec<String>>(3).into_iter().map(Name::from).collect(),
            readable: row.get::<_, Vec<String>>(4).into_iter().map(Name::from).collect(),
            deletes: row.get(5),
            truncates: row.get(6),
            refers: row.get(7),
            triggers: row.get(8),
        });
        Ok(rows.collect())
    }

    /// What is told by the catalog alone: who may call a routine and use a namespace.
    pub(super) async fn execution(
        &self,
        role: &Role,
        objects: &BTreeSet<ObjectId>,
        matrix: &mut Matrix,
    ) -> Result<(), tokio_postgres::Error> {
        let as_role = acting(role).0;
        let client = &self.session.client;
        for id in objects {
            match (self.schema.get(id), &id.path[..]) {
                (Some(Object::Routine(it)), _) => {
                    if matches!(it.result.as_deref(), Some("trigger" | "event_trigger")) {
                        continue;
                    }
                    let routine = format!("{}({})", it.name, it.types);
                    let sql = "SELECT coalesce(has_function_privilege($1::text::name, to_regprocedure($2), 'EXECUTE'), false)";
                    if client.query_one(sql, &[&as_role, &routine]).await?.get(0) {
                        let reach = if it.security_definer { Reach::AsOwner } else { Reach::AsCaller };
                        matrix.insert((role.clone(), id.clone(), Command::Execute), reach);
                    }
                }
                (Some(Object::Namespace(_)), [namespace]) => {
                    for (command, word) in [(Command::Usage, "USAGE"), (Command::Create, "CREATE")] {
                        let sql = "SELECT has_schema_privilege($1::text::name, $2::text, $3::text)";
                        if client.query_one(sql, &[&as_role, &namespace.as_str(), &word]).await?.get(0) {
                            matrix.insert((role.clone(), id.clone(), command), Reach::Allowed);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

const PRIVILEGES: &str = "
    SELECT has_table_privilege(role, c, 'SELECT'), has_any_column_privilege(role, c, 'SELECT'),
           may.insertable, may.updatable, may.readable, has_table_privilege(role, c, 'DELETE'),
           has_table_privilege(role, c, 'TRUNCATE'), has_any_column_privilege(role, c, 'REFERENCES'),
           has_table_privilege(role, c, 'TRIGGER')
      FROM (SELECT to_regclass(name)::oid AS c, n, $2::text::name AS role
              FROM unnest($1::text[]) WITH ORDINALITY AS given (name, n)) AS asked,
           LATERAL (SELECT coalesce(array_agg(attname::text ORDER BY attnum)
                               FILTER (WHERE has_column_privilege(role, c, attnum, 'INSERT')), '{}') AS insertable,
                           coalesce(array_agg(attname::text ORDER BY attnum)
                               FILTER (WHERE has_column_privilege(role, c, attnum, 'UPDATE')), '{}') AS updatable,
                           coalesce(array_agg(attname::text ORDER BY attnum)
                               FILTER (WHERE has_column_privilege(role, c, attnum, 'SELECT')), '{}') AS readable
                      FROM pg_catalog.pg_attribute
                     WHERE attrelid = c AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS may
     ORDER BY n";
