//! Proves that tenants are kept apart by trying to get through: on the shadow, with rows of several tenants, as each
//! role and by every route. What one tenant reads must not depend on what others have, and nothing that it does may
//! change that.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

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
mod stage;

use matrix::{Cell, Leak, Matrix, Outcome};
use routes::{Actor, Route};
use rows::Made;
use stage::Stage;

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
                let name = Name::from(role.0.clone());
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
