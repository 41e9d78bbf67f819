//! Proves that tenants are kept apart by trying to get through: on the shadow, with rows of several tenants, as each
//! role and by every route. What one tenant reads must not depend on what others have, and nothing that it does may
//! change that.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::{DbError, SqlState};

use crate::connect::Session;
use crate::introspect::{IntrospectError, introspect, server_message};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Literal, Name, QName, Role};
use crate::schema::Schema;
use crate::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowError};
use crate::tenancy::{Class, Model, Session as Recipe, Tenancy};

pub mod matrix;
pub mod routes;
pub mod rows;

use matrix::{Cell, Leak, Matrix, Outcome};
use routes::{Actor, Attempt, Judge, Route};
use rows::Made;

/// Why nothing could be proved.
#[derive(Debug, Error, Diagnostic)]
pub enum ProveError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),
    #[error("the prover's session failed: {}", server_message(.0))]
    #[diagnostic(code(prove::session))]
    Session(#[from] tokio_postgres::Error),
    #[error("tenants that are kept apart by {0} are not proved by rows")]
    #[diagnostic(code(prove::model), help("`model = \"row\"` is what can be proved"))]
    Model(&'static str),
    #[error("nothing says how a session becomes a tenant's: `current` is {0}")]
    #[diagnostic(
        code(prove::session_recipe),
        help("say it in tenantry.toml: `[tenancy] session = {{ setting = \"app.tenant\" }}`")
    )]
    NoRecipe(String),
    #[error("no row of tenant {0} could be made: {1}")]
    #[diagnostic(
        code(prove::no_tenants),
        help("the tenants' own table must be fillable for anything to be proved")
    )]
    NoTenants(QName, String),
    #[error("{role} in a session of tenant {wanted} is taken for {found}")]
    #[diagnostic(
        code(prove::recipe_fails),
        help("`current` does not give what `[tenancy] session` sets, so that nothing could be tried as a tenant")
    )]
    RecipeFails { role: String, wanted: String, found: String },
}

/// What is proved: a database on the shadow with the schema, and no rows that matter.
pub struct Subject<'a> {
    pub shadow: &'a Shadow,
    pub database: &'a ShadowDatabase,
    pub tenancy: &'a Tenancy,
    /// The roles as the live side has them, whatever the shadow made of them.
    pub roles: &'a [RoleSpec],
    /// Namespaces whose views and functions are not the project's.
    pub foreign: &'a BTreeSet<String>,
    /// Leaks that are accepted, by their code, with the reason.
    pub allow: &'a BTreeMap<String, String>,
    /// The relations and functions that are tried, where not all are.
    pub only: Option<&'a BTreeSet<QName>>,
}

impl Subject<'_> {
    /// Whether an object is among those that are tried; what belongs to none always is.
    fn tries(&self, object: &ObjectId) -> bool {
        match (self.only, &object.path[..]) {
            (Some(only), [namespace, name, ..]) => only.contains(&QName::new(namespace.clone(), name.clone())),
            _ => true,
        }
    }
}

/// The role that stands for any, where none is declared and none has privileges. Granted what it tries, and so not the
/// one that stands for PUBLIC.
const ANYBODY: &str = "tenantry_any_tenant";

/// Tries everything.
///
/// Errors: what keeps anything from being tried. A leak is no error: it is in the matrix.
pub async fn prove(subject: &Subject<'_>) -> Result<Matrix, ProveError> {
    let tenancy = subject.tenancy;
    match tenancy.model {
        Model::Row => {}
        Model::Namespace => return Err(ProveError::Model("namespaces")),
        Model::Database => return Err(ProveError::Model("databases")),
    }
    let session = subject.database.connect().await?;
    let schema = introspect(&session.client, false).await?.schema;
    let level = &tenancy.levels[0];
    let recipe = match tenancy.session.clone().or_else(|| Recipe::derived(&level.current, &schema)) {
        Some(recipe) => recipe,
        None => return Err(ProveError::NoRecipe(level.current.clone())),
    };
    session.client.batch_execute("SET statement_timeout = '10s'; SET lock_timeout = '5s'").await?;
    let mut made = Made::new(&schema, tenancy, subject.foreign);
    made.fill(&session).await?;
    if let Some(why) = made.unfilled.get(&level.table) {
        return Err(ProveError::NoTenants(level.table.clone(), why.clone()));
    }
    session.client.batch_execute(routes::PEEK).await?;
    let mut notes = vec![];
    let actors = actors(subject, &schema, &session, &mut notes).await?;
    refresh(&session, &schema).await?;
    let tenants = values(&session, &made, &recipe).await?;
    drop(session);

    let mut matrix = Matrix {
        tenancy: tenancy.name.clone(),
        tenants: tenants.keys.clone(),
        filled: made.rows.iter().map(|(table, rows)| (table.to_string(), rows.len())).collect(),
        unfilled: made.unfilled.iter().map(|(table, why)| (table.to_string(), why.clone())).collect(),
        notes,
        ..Matrix::default()
    };
    for actor in Actor::ALL {
        // A database of its own is cloned while nobody is in the one that it comes from.
        let alone = {
            let copy = clone(subject, actor).await?;
            let session = copy.connect().await?;
            empty(&session, &made, tenancy, actor).await?;
            refresh(&session, &schema).await?;
            session.client.batch_execute(SETTINGS).await?;
            (copy, session)
        };
        let all = subject.database.connect().await?;
        all.client.batch_execute(SETTINGS).await?;
        for role in &actors {
            let legacy = tenancy.roles.legacy.contains_key(role);
            if legacy && actor != Actor::Settled {
                continue;
            }
            let enter = match (legacy, actor.tenant()) {
                (false, Some(tenant)) => recipe.enter(&tenants.entered[tenant]),
                _ => "SELECT".to_owned(),
            };
            let stage = Stage { all: &all, alone: &alone.1, enter, role: role.clone() };
            if let (false, Some(tenant)) = (legacy, actor.tenant()) {
                stage.taken_for(tenancy, &tenants.keys[tenant]).await?;
            }
            let digest = digest(&made, tenancy, actor);
            let before = stage.run(stage.all, &["SELECT".to_owned()], &digest).await?;
            let before = before.map(|it| it.after).unwrap_or_default();
            for attempt in routes::attempts(actor, role, subject.roles, &made, &schema, tenancy) {
                if !subject.tries(&attempt.object) {
                    continue;
                }
                let (outcome, told) = stage.judge(&attempt, &digest, &before).await?;
                matrix.cells.push(Cell {
                    role: role.0.clone(),
                    actor,
                    route: attempt.route,
                    object: attempt.object.to_string(),
                    detail: attempt.detail.clone(),
                    outcome,
                    told: told.clone(),
                });
                if outcome == Outcome::Leak {
                    let code = matrix::code(attempt.route, &attempt.object, &attempt.detail);
                    let leak = Leak {
                        accepted: subject.allow.get(&code).cloned(),
                        code,
                        role: role.0.clone(),
                        actor,
                        route: attempt.route,
                        object: attempt.object.to_string(),
                        detail: attempt.detail.clone(),
                        what: told,
                        script: stage.script(&attempt),
                    };
                    matrix.leaks.push(leak);
                }
            }
        }
        drop(all);
        drop(alone.1);
        subject.shadow.drop_database(alone.0).await?;
    }
    published(subject, &schema, &actors, &mut matrix);
    Ok(matrix)
}

const SETTINGS: &str =
    "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET client_min_messages = error; SET TimeZone = 'UTC'";

async fn clone(subject: &Subject<'_>, actor: Actor) -> Result<ShadowDatabase, ProveError> {
    let label = match actor {
        Actor::Settled => "alone",
        Actor::Newcomer => "new",
        Actor::Nobody => "nobody",
    };
    Ok(subject.shadow.clone_database(subject.database, label).await?)
}

/// The tenants as people know them, and what a session of each is given.
struct Tenants {
    keys: Vec<String>,
    entered: Vec<String>,
}

async fn values(session: &Session, made: &Made<'_>, recipe: &Recipe) -> Result<Tenants, tokio_postgres::Error> {
    let mut tenants = Tenants { keys: vec![], entered: vec![] };
    for literal in &made.tenants {
        let key: String = session.client.query_one(&format!("SELECT ({literal})::text"), &[]).await?.get(0);
        let entered = match &recipe.value {
            Some(query) => {
                let query = query.replace("$1", literal);
                let row = session.client.query_opt(&format!("SELECT (({query}))::text"), &[]).await?;
                row.and_then(|it| it.get::<_, Option<String>>(0)).unwrap_or_default()
            }
            None => key.clone(),
        };
        tenants.keys.push(key);
        tenants.entered.push(entered);
    }
    Ok(tenants)
}

/// The roles that are held to their tenant: as declared, else all that were granted something on a scoped table, else
/// one that may do all that leaves row security in force.
async fn actors(
    subject: &Subject<'_>,
    schema: &Schema,
    session: &Session,
    notes: &mut Vec<String>,
) -> Result<Vec<Role>, ProveError> {
    let tenancy = subject.tenancy;
    let spec = |role: &Role| subject.roles.iter().find(|it| it.name.as_str() == role.0);
    let mut actors: Vec<Role> = tenancy.roles.bound.clone();
    if actors.is_empty() {
        let mut found: BTreeSet<Role> = BTreeSet::new();
        for (table, class) in &tenancy.tables {
            if !matches!(class, Class::Scoped(_) | Class::Tenant) {
                continue;
            }
            let id = ObjectId::new(Kind::Table, [&table.namespace, &table.name]);
            if let Some(Object::Grants(grants)) = schema.get(&id.satellite(Kind::Grants)) {
                let others = grants.items.iter().filter(|(role, ..)| Some(role) != grants.owner.as_ref());
                found.extend(others.map(|(role, ..)| role.clone()));
            }
        }
        found.remove(&Role::public());
        found.remove(&schema.creator);
        for role in found {
            let strong = spec(&role).is_some_and(|it| it.superuser || it.bypassrls);
            let passes = tenancy.roles.passes.contains(&role) || tenancy.roles.legacy.contains_key(&role);
            if strong && !passes {
                notes.push(format!("{role} passes row security by its attributes, and is not tried"));
            } else if !strong && !passes {
                actors.push(role);
            }
        }
    }
    actors.extend(tenancy.roles.legacy.keys().cloned());
    if actors.is_empty() {
        let role = Role(ANYBODY.into());
        subject.shadow.ensure_role(&RoleSpec::named(ANYBODY)).await?;
        session.client.batch_execute(&allowed(tenancy, schema)).await?;
        notes.push(
            "no role is declared or has privileges: tried as one that may read and write every scoped table".into(),
        );
        return Ok(vec![role]);
    }
    let mut known = vec![];
    for role in actors {
        match spec(&role) {
            None => {
                subject.shadow.ensure_role(&RoleSpec::named(role.0.as_str())).await?;
                notes.push(format!("{role} is not known here, and is tried as a role without attributes"));
            }
            Some(it) => {
                // Who loads a schema on the shadow is a superuser there; here it is what it is.
                let name = Name(role.0.clone());
                let bypass = if it.bypassrls { "BYPASSRLS" } else { "NOBYPASSRLS" };
                let power = if it.superuser { "SUPERUSER" } else { "NOSUPERUSER" };
                let is_so = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text AND rolsuper = $2 \
                     AND rolbypassrls = $3)";
                let asked = session.client.query_one(is_so, &[&role.0, &it.superuser, &it.bypassrls]).await?;
                if asked.get(0) {
                    known.push(role);
                    continue;
                }
                let sql = format!("ALTER ROLE {name} {power} {bypass}");
                if let Err(error) = session.client.batch_execute(&sql).await {
                    notes
                        .push(format!("{role} can't be tried with its own attributes: {}", server_message(&error)));
                    continue;
                }
            }
        }
        known.push(role);
    }
    Ok(known)
}

/// What the stand-in for any role is granted.
fn allowed(tenancy: &Tenancy, schema: &Schema) -> String {
    let mut sql = String::new();
    let name = Name::from(ANYBODY);
    let mut namespaces: BTreeSet<&Name> = BTreeSet::new();
    for (table, class) in &tenancy.tables {
        let privileges = match class {
            Class::Scoped(_) | Class::Tenant => "SELECT, INSERT, UPDATE, DELETE",
            Class::Global => "SELECT",
            Class::External => continue,
        };
        namespaces.insert(&table.namespace);
        sql += &format!("GRANT {privileges} ON {table} TO {name};\n");
    }
    for view in schema.of_kind(Kind::View).chain(schema.of_kind(Kind::MaterializedView)) {
        let id = view.id();
        if namespaces.contains(&id.path[0]) {
            let view = QName::new(id.path[0].clone(), id.path[1].clone());
            sql += &format!("GRANT SELECT ON {view} TO {name};\n");
        }
    }
    for namespace in namespaces {
        sql += &format!(
            "GRANT USAGE ON SCHEMA {namespace} TO {name}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA {namespace} TO {name};\n"
        );
    }
    sql
}

/// Takes away what others have: the database in which the actor is alone.
async fn empty(
    session: &Session,
    made: &Made<'_>,
    tenancy: &Tenancy,
    actor: Actor,
) -> Result<(), tokio_postgres::Error> {
    let mut sql = "SET session_replication_role = replica;\n".to_owned();
    for table in made.rows.keys() {
        if let (Some(Class::Scoped(_) | Class::Tenant), Some(key)) = (tenancy.class(table), made.key(table)) {
            let others = match actor.tenant() {
                Some(tenant) => format!(" WHERE {key} IS DISTINCT FROM {}", made.tenants[tenant]),
                None => String::new(),
            };
            sql += &format!("DELETE FROM {table}{others};\n");
        }
    }
    sql += "RESET session_replication_role";
    session.client.batch_execute(&sql).await
}

/// Materialized views, with what is in their tables now. One that can't be filled stays as it is.
async fn refresh(session: &Session, schema: &Schema) -> Result<(), tokio_postgres::Error> {
    for view in schema.of_kind(Kind::MaterializedView) {
        let id = view.id();
        let name = QName::new(id.path[0].clone(), id.path[1].clone());
        match session.client.batch_execute(&format!("REFRESH MATERIALIZED VIEW {name}")).await {
            Err(error) if error.as_db_error().is_none() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A query for the state of all that is not the actor's, a row a table.
fn digest(made: &Made<'_>, tenancy: &Tenancy, actor: Actor) -> String {
    let of = |table: &QName, class: &Class| {
        let others = match (class, actor.tenant(), made.key(table)) {
            (Class::Scoped(_) | Class::Tenant, Some(tenant), Some(key)) => {
                format!(" WHERE {key} IS DISTINCT FROM {}", made.tenants[tenant])
            }
            (Class::External, ..) => return None,
            _ => String::new(),
        };
        // Where a row stands tells that it was written, even with the values that it had.
        Some(format!(
            "SELECT {}, count(*)::text || ' ' || coalesce(md5(string_agg(ROW(p.ctid, p.*)::text, ',' ORDER BY p.ctid)), '') \
             FROM ONLY {table} AS p{others}",
            Literal(&table.to_string())
        ))
    };
    let tables: Vec<String> = tenancy.tables.iter().filter_map(|(table, class)| of(table, class)).collect();
    tables.join(" UNION ALL ")
}

/// One actor in one role.
struct Stage<'a> {
    all: &'a Session,
    /// A session with the database where nobody else has anything.
    alone: &'a Session,
    enter: String,
    role: Role,
}

/// What statements gave.
#[derive(Debug, PartialEq)]
struct Ran {
    /// What the attempt's statements returned, in order.
    rows: Vec<String>,
    /// The rows that they counted.
    count: u64,
    /// What the query afterwards returned.
    after: Vec<String>,
}

/// What the server said instead.
#[derive(Debug, PartialEq)]
struct Said {
    code: SqlState,
    message: String,
    constraint: Option<String>,
}

impl Said {
    fn of(error: &DbError) -> Said {
        Said {
            code: error.code().clone(),
            message: error.message().to_owned(),
            constraint: error.constraint().map(str::to_owned),
        }
    }
}

impl Stage<'_> {
    fn begin(&self) -> String {
        format!("BEGIN; {}; SET LOCAL SESSION AUTHORIZATION {}", self.enter, Name(self.role.0.clone()))
    }

    /// Runs statements as the actor, then a query as the superuser, and takes all of it back.
    async fn run(
        &self,
        session: &Session,
        statements: &[String],
        after: &str,
    ) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        let statements_count = statements.len();
        let after = if after.is_empty() { "SELECT" } else { after };
        let sql =
            format!("{}; {}; RESET SESSION AUTHORIZATION; {after}; ROLLBACK", self.begin(), statements.join("; "));
        let messages = match session.client.simple_query(&sql).await {
            Ok(messages) => messages,
            Err(error) => {
                let Some(db) = error.as_db_error() else { return Err(error) };
                let said = Said::of(db);
                session.client.batch_execute("ROLLBACK").await?;
                return Ok(Err(said));
            }
        };
        // BEGIN, the recipe and SET ROLE come before the statements; RESET between these and the query.
        let (first, last) = (3, 3 + statements_count);
        let mut place = 0;
        let mut ran = Ran { rows: vec![], count: 0, after: vec![] };
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let values: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("\\N")).collect();
                    if (first..last).contains(&place) {
                        ran.rows.push(values.join("\t"));
                    } else if place == last + 1 {
                        ran.after.push(values.join("\t"));
                    }
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    if (first..last).contains(&place) {
                        ran.count += count;
                    }
                    place += 1;
                }
                _ => {}
            }
        }
        ran.rows.sort();
        ran.after.sort();
        Ok(Ok(ran))
    }

    /// COPY … TO STDOUT, which has a protocol of its own.
    async fn copy(&self, session: &Session, sql: &str) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        session.client.batch_execute(&self.begin()).await?;
        let copied = async {
            let stream = session.client.copy_out(sql).await?;
            stream
                .try_fold(String::new(), |mut text, bytes| async move {
                    text.push_str(&String::from_utf8_lossy(&bytes));
                    Ok(text)
                })
                .await
        };
        let copied: Result<String, tokio_postgres::Error> = copied.await;
        session.client.batch_execute("ROLLBACK").await?;
        match copied {
            Ok(text) => {
                let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
                rows.sort();
                Ok(Ok(Ran { count: rows.len() as u64, rows, after: vec![] }))
            }
            Err(error) => match error.as_db_error() {
                Some(db) => Ok(Err(Said::of(db))),
                None => Err(error),
            },
        }
    }

    async fn reads(
        &self,
        session: &Session,
        attempt: &Attempt,
    ) -> Result<Result<Ran, Said>, tokio_postgres::Error> {
        match (attempt.route, attempt.statements.as_slice()) {
            (Route::Copy, [sql]) => self.copy(session, sql).await,
            _ => self.run(session, &attempt.statements, "").await,
        }
    }

    /// Whether the session is the tenant's, by the tenancy's own words.
    async fn taken_for(&self, tenancy: &Tenancy, tenant: &str) -> Result<(), ProveError> {
        let level = &tenancy.levels[0];
        let current = if level.many { format!("(SELECT {})", level.current) } else { level.current.clone() };
        let asked = self.run(self.all, &[format!("SELECT ({current})::text")], "").await?;
        let found = match asked {
            Ok(ran) if ran.rows.iter().any(|it| it == tenant) => return Ok(()),
            Ok(ran) => ran.rows.first().cloned().filter(|it| it != "\\N").unwrap_or_else(|| "nobody".into()),
            Err(said) => format!("nobody: {}", said.message),
        };
        Err(ProveError::RecipeFails { role: self.role.0.clone(), wanted: tenant.to_owned(), found })
    }

    async fn judge(
        &self,
        attempt: &Attempt,
        digest: &str,
        before: &[String],
    ) -> Result<(Outcome, String), tokio_postgres::Error> {
        match attempt.judge {
            Judge::SameAlone => self.compare(attempt).await,
            Judge::OthersKept { integrity } => Ok(match self.run(self.all, &attempt.statements, digest).await? {
                Ok(ran) => {
                    let changed: Vec<&str> = ran
                        .after
                        .iter()
                        .filter(|line| !before.contains(line))
                        .filter_map(|line| line.split('\t').next())
                        .collect();
                    match changed.is_empty() {
                        true => (Outcome::Held, format!("{} rows", ran.count)),
                        false => (Outcome::Leak, format!("changes what others have in {}", changed.join(", "))),
                    }
                }
                Err(said) if integrity && said.code.code().starts_with("23") => {
                    (Outcome::Leak, format!("no policy stops it, only a constraint: {}", said.message))
                }
                Err(said) => (Outcome::Refused, said.message),
            }),
            Judge::Refused => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Ok(_) => {
                    let what = match attempt.route {
                        Route::Become => format!("may become {}, whom nothing holds back", attempt.detail),
                        _ => "refers to another tenant's row, and so learns that it exists".to_owned(),
                    };
                    (Outcome::Leak, what)
                }
                Err(said) => (Outcome::Refused, said.message),
            }),
            Judge::Denied => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Ok(_) => {
                    let what = match attempt.route {
                        Route::Truncate => "empties the table for all tenants",
                        _ => "sets the numbers of all tenants",
                    };
                    (Outcome::Leak, what.to_owned())
                }
                Err(said) if said.code == SqlState::INSUFFICIENT_PRIVILEGE => (Outcome::Refused, said.message),
                Err(said) if said.code == SqlState::UNDEFINED_TABLE => (Outcome::Refused, said.message),
                Err(said) => (Outcome::Leak, format!("has the privilege, stopped only by: {}", said.message)),
            }),
            Judge::NoCollision => Ok(match self.run(self.all, &attempt.statements, "").await? {
                Err(said) if said.constraint.as_ref() == Some(&attempt.detail) => {
                    (Outcome::Leak, format!("learns that another tenant has the value: {}", said.message))
                }
                Ok(ran) => (Outcome::Held, format!("{} rows", ran.count)),
                Err(said) => (Outcome::Refused, said.message),
            }),
        }
    }

    /// Whether what is read is the same where nobody else has anything.
    async fn compare(&self, attempt: &Attempt) -> Result<(Outcome, String), tokio_postgres::Error> {
        let all = self.reads(self.all, attempt).await?;
        let alone = self.reads(self.alone, attempt).await?;
        if all == alone {
            return Ok(match all {
                Ok(ran) => (Outcome::Held, format!("{} rows", ran.rows.len())),
                Err(said) => (Outcome::Refused, said.message),
            });
        }
        let again = self.reads(self.all, attempt).await?;
        let foreign = |ran: &Ran| -> Option<String> {
            let own = match &alone {
                Ok(alone) => alone.rows.clone(),
                Err(_) => vec![],
            };
            ran.rows.iter().find(|row| !own.contains(row)).cloned()
        };
        let steady = again == all;
        Ok(match (&all, &alone) {
            (Ok(ran), _) if steady => match foreign(ran) {
                Some(row) => (Outcome::Leak, format!("sees what depends on others: {}", short(&row))),
                None => (Outcome::Leak, "sees less for what others have".to_owned()),
            },
            // What differs from run to run is another tenant's only where it says so itself.
            (Ok(ran), _) => {
                let marks = |row: &String| {
                    (0..rows::TENANTS).any(|it| self.is_other(it) && row.contains(&rows::marker(it)))
                };
                match ran.rows.iter().find(|row| marks(row)) {
                    Some(row) => (Outcome::Leak, format!("sees another's: {}", short(row))),
                    None => (Outcome::Held, "differs from run to run".to_owned()),
                }
            }
            (Err(said), Ok(_)) if steady => (Outcome::Leak, format!("an error tells of others: {}", said.message)),
            (Err(one), Err(other)) if steady && one.code == other.code => (Outcome::Refused, one.message.clone()),
            (Err(said), _) if steady => (Outcome::Leak, format!("an error tells of others: {}", said.message)),
            (Err(said), _) => (Outcome::Refused, said.message.clone()),
        })
    }

    /// Whether a tenant's marks are another's: in doubt the second one's, which no actor is.
    fn is_other(&self, tenant: usize) -> bool {
        tenant == 1
    }

    /// What shows a leak, where the rows are as the prover made them.
    fn script(&self, attempt: &Attempt) -> String {
        let mut script = String::from("BEGIN;\n");
        if self.enter != "SELECT" {
            script += &format!("{};\n", self.enter);
        }
        script += &format!("SET LOCAL SESSION AUTHORIZATION {};\n", Name(self.role.0.clone()));
        for statement in &attempt.statements {
            script += &format!("{statement};\n");
        }
        script + "ROLLBACK;"
    }
}

fn short(row: &str) -> String {
    let row = row.replace(['\n', '\t'], " ");
    let cut: String = row.chars().take(120).collect();
    if cut.len() < row.len() { format!("{cut}…") } else { cut }
}

/// Replication knows no row security: who may replicate is sent all that is published.
fn published(subject: &Subject<'_>, schema: &Schema, actors: &[Role], matrix: &mut Matrix) {
    let tables: Vec<QName> = schema
        .of_kind(Kind::PublishedTable)
        .filter_map(|it| match it {
            Object::PublishedTable(it) => Some(it.table.clone()),
            _ => None,
        })
        .filter(|table| matches!(subject.tenancy.class(table), Some(Class::Scoped(_) | Class::Tenant)))
        .collect();
    for role in actors {
        let replicates = subject.roles.iter().any(|it| it.name.as_str() == role.0 && it.replication);
        for table in &tables {
            let object = format!("table {table}");
            let (outcome, told) = match replicates {
                true => (Outcome::Leak, "is sent the changes of every tenant's rows"),
                false => (Outcome::Refused, "may not replicate"),
            };
            let cell = Cell {
                role: role.0.clone(),
                actor: Actor::Settled,
                route: Route::Publication,
                object: object.clone(),
                detail: String::new(),
                outcome,
                told: told.into(),
            };
            if outcome == Outcome::Leak {
                let code = matrix::code(Route::Publication, &crate::kind::table::id(table), "");
                let leak = Leak {
                    accepted: subject.allow.get(&code).cloned(),
                    code,
                    role: role.0.clone(),
                    actor: Actor::Settled,
                    route: Route::Publication,
                    object,
                    detail: String::new(),
                    what: told.into(),
                    script: "START_REPLICATION SLOT … LOGICAL 0/0".into(),
                };
                matrix.leaks.push(leak);
            }
            matrix.cells.push(cell);
        }
    }
}
