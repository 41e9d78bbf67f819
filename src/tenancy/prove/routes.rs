//! The ways in which a role could reach another tenant's rows, as statements. Pure: running them is `prove`'s.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rows::{Made, statement};
use crate::kind::constraint::Rule;
use crate::kind::index::{Key, Subject};
use crate::kind::routine::{Form, Mode};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Literal, Name, QName, Role, list};
use crate::proof::rows::columns;
use crate::schema::Schema;
use crate::shadow::RoleSpec;
use crate::source::syntax::words;

use crate::tenancy::{Class, Tenancy};

/// A way to reach rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Reads all of it.
    Select,
    /// Has a function of its own look at each row, before the policies if the server lets it.
    Peek,
    Copy,
    /// Writes a row in another tenant's name, or in the name that its default gives.
    Insert,
    /// Gives its own rows to another tenant.
    Move,
    Update,
    Delete,
    Upsert,
    /// Writes a value that another tenant has: an error would tell.
    Collide,
    /// Refers to another tenant's row.
    Refer,
    Truncate,
    /// Calls a function with another tenant's values.
    Call,
    /// Sets the numbers of a sequence that all draw from.
    Sequence,
    /// Becomes a role that is not held back.
    Become,
    /// Writes its own rows, whatever triggers make of that.
    Own,
    /// Is sent what is published.
    Publication,
}

impl Route {
    pub const ALL: [Route; 16] = [
        Route::Select,
        Route::Peek,
        Route::Copy,
        Route::Insert,
        Route::Move,
        Route::Update,
        Route::Delete,
        Route::Upsert,
        Route::Collide,
        Route::Refer,
        Route::Truncate,
        Route::Call,
        Route::Sequence,
        Route::Become,
        Route::Own,
        Route::Publication,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Route::Select => "select",
            Route::Peek => "peek",
            Route::Copy => "copy",
            Route::Insert => "insert",
            Route::Move => "move",
            Route::Update => "update",
            Route::Delete => "delete",
            Route::Upsert => "upsert",
            Route::Collide => "collide",
            Route::Refer => "refer",
            Route::Truncate => "truncate",
            Route::Call => "call",
            Route::Sequence => "sequence",
            Route::Become => "become",
            Route::Own => "own",
            Route::Publication => "publication",
        }
    }
}

/// What shows that an attempt got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// It gives something else than in a database where nobody else has any rows.
    SameAlone,
    /// It changes what others have. `integrity`: a constraint that stops it shows that no policy did.
    OthersKept { integrity: bool },
    /// It succeeds.
    Refused,
    /// It fails for another reason than a missing privilege.
    Denied,
    /// The server says that the value is there already.
    NoCollision,
}

/// One try.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub route: Route,
    pub object: ObjectId,
    /// What is said of it beside the object, such as the constraint.
    pub detail: String,
    pub statements: Vec<String>,
    pub judge: Judge,
}

/// As whom an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// The first tenant, which has rows of its own.
    Settled,
    /// One that has none yet: whatever it sees is another's.
    Newcomer,
    /// A session that has not said whose it is.
    Nobody,
}

impl Actor {
    pub const ALL: [Actor; 3] = [Actor::Settled, Actor::Newcomer, Actor::Nobody];

    /// Its place among the tenants.
    pub fn tenant(self) -> Option<usize> {
        match self {
            Actor::Settled => Some(0),
            Actor::Newcomer => Some(2),
            Actor::Nobody => None,
        }
    }
}

/// The namespace of the prover's own function.
pub const OWN: &str = "tenantry_proof";

/// The function that a role brings along: it keeps whatever it is shown.
pub const PEEK: &str = "
    CREATE SCHEMA tenantry_proof;
    GRANT USAGE ON SCHEMA tenantry_proof TO PUBLIC;
    CREATE FUNCTION tenantry_proof.peek(seen text) RETURNS boolean
        LANGUAGE plpgsql COST 0.0000001
        AS $$
    BEGIN
        PERFORM set_config('tenantry_proof.seen', coalesce(current_setting('tenantry_proof.seen', true), '') || seen || E'\\n', true);
        RETURN true;
    END
    $$;";

/// Everything that one role tries as one actor.
pub fn attempts(
    actor: Actor,
    role: &Role,
    roles: &[RoleSpec],
    made: &Made<'_>,
    schema: &Schema,
    tenancy: &Tenancy,
) -> Vec<Attempt> {
    let mut all = vec![];
    for (table, class) in &tenancy.tables {
        let id = ObjectId::new(Kind::Table, [&table.namespace, &table.name]);
        if !schema.contains(&id) {
            continue;
        }
        match class {
            Class::Scoped(_) | Class::Tenant => {
                all.extend(reads(&id, table));
                all.extend(writes(actor, &id, table, made, schema));
            }
            Class::Global => all.extend(writes_to_global(&id, table, made)),
            Class::External => {}
        }
    }
    for object in schema.of_kind(Kind::View).chain(schema.of_kind(Kind::MaterializedView)) {
        let id = object.id();
        if made.is_foreign(&id) {
            continue;
        }
        let view = QName::new(id.path[0].clone(), id.path[1].clone());
        all.extend(reads(&id, &view));
        if let Object::View(it) = object
            && actor != Actor::Settled
            && let Some(column) = it.columns.first()
        {
            let name = &column.name;
            all.push(kept(Route::Update, &id, format!("UPDATE {view} SET {name} = {name}"), true));
            // Who may not read can still write.
            all.push(kept(Route::Update, &id, format!("UPDATE {view} SET {name} = DEFAULT"), true));
            all.push(kept(Route::Delete, &id, format!("DELETE FROM {view}"), true));
        }
    }
    all.extend(calls(made, schema, tenancy));
    if actor == Actor::Settled {
        all.extend(sequences(schema, tenancy));
        all.extend(becoming(role, roles, schema, tenancy));
    }
    all
}

fn attempt(route: Route, object: &ObjectId, sql: String, judge: Judge) -> Attempt {
    Attempt { route, object: object.clone(), detail: String::new(), statements: vec![sql], judge }
}

fn kept(route: Route, object: &ObjectId, sql: String, integrity: bool) -> Attempt {
    attempt(route, object, sql, Judge::OthersKept { integrity })
}

fn reads(id: &ObjectId, relation: &QName) -> Vec<Attempt> {
    let select = format!("SELECT p::text FROM {relation} AS p ORDER BY 1");
    let mut peek = attempt(
        Route::Peek,
        id,
        format!("SELECT FROM {relation} AS p WHERE {OWN}.peek(p::text)"),
        Judge::SameAlone,
    );
    // A role may choose its plans: without an index, the cheapest condition comes first.
    for setting in ["enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"] {
        peek.statements.insert(0, format!("SET LOCAL {setting} = off"));
    }
    peek.statements.push("SELECT current_setting('tenantry_proof.seen', true)".into());
    let copy = attempt(Route::Copy, id, format!("COPY (SELECT * FROM {relation}) TO STDOUT"), Judge::SameAlone);
    vec![attempt(Route::Select, id, select, Judge::SameAlone), peek, copy]
}

/// Numbers of rows that attempts make; those that are there have smaller ones.
const FRESH: usize = 5;

fn writes(actor: Actor, id: &ObjectId, table: &QName, made: &Made<'_>, schema: &Schema) -> Vec<Attempt> {
    let Some(key) = made.key(table) else { return vec![] };
    let other = &made.tenants[1];
    let mut all = vec![];
    let touch = format!("UPDATE {table} SET {key} = {key}");
    let delete = format!("DELETE FROM {table}");
    match actor {
        Actor::Settled => {
            all.push(kept(Route::Insert, id, statement(table, &made.values(table, Some(1), FRESH)), true));
            all.push(kept(Route::Move, id, format!("UPDATE {table} SET {key} = {other}"), true));
            all.push(kept(Route::Update, id, format!("{touch} WHERE {key} = {other}"), true));
            all.push(kept(Route::Delete, id, format!("{delete} WHERE {key} = {other}"), true));
            all.push(kept(Route::Own, id, statement(table, &made.values(table, Some(0), FRESH)), false));
            all.push(kept(Route::Own, id, touch, false));
            all.push(kept(Route::Own, id, delete, false));
            all.extend(collisions(id, table, &key, made, schema));
            all.extend(references(id, table, &key, made, schema));
        }
        Actor::Newcomer | Actor::Nobody => {
            let mut unnamed = made.values(table, actor.tenant().or(Some(1)), FRESH);
            unnamed.remove(&key);
            // Without a key, the default says whose the row is.
            all.push(kept(Route::Insert, id, statement(table, &unnamed), false));
            // Who has no rows here touches another's, whatever stops it afterwards.
            let owns = made.rows.get(table).is_some_and(|rows| rows.iter().any(|it| it.owner == actor.tenant()));
            all.push(kept(Route::Update, id, touch, !owns));
            all.push(kept(Route::Delete, id, delete, !owns));
        }
    }
    all.push(attempt(Route::Truncate, id, format!("TRUNCATE {table}"), Judge::Denied));
    all
}

/// What everybody reads, nobody who is held to a tenant may write.
fn writes_to_global(id: &ObjectId, table: &QName, made: &Made<'_>) -> Vec<Attempt> {
    let values = made.values(table, None, FRESH);
    let mut all = vec![
        kept(Route::Insert, id, statement(table, &values), false),
        kept(Route::Delete, id, format!("DELETE FROM {table}"), true),
        attempt(Route::Truncate, id, format!("TRUNCATE {table}"), Judge::Denied),
    ];
    if let Some(column) = values.keys().next() {
        all.push(kept(Route::Update, id, format!("UPDATE {table} SET {column} = {column}"), true));
    }
    all
}

/// Values of another tenant's row that must be unique over all tenants.
fn collisions(id: &ObjectId, table: &QName, key: &Name, made: &Made<'_>, schema: &Schema) -> Vec<Attempt> {
    let Some(theirs) = made.rows.get(table).and_then(|rows| rows.iter().find(|it| it.owner == Some(1))) else {
        return vec![];
    };
    let mut all = vec![];
    for unique in uniques(table, schema) {
        // A number that a sequence gives tells nothing, and is given by nobody.
        let surrogate = unique.primary && unique.columns.iter().any(|it| gives_itself(table, it, schema));
        let (Some(first), false) = (unique.columns.first(), unique.columns.contains(key) || surrogate) else {
            continue;
        };
        let mut values = made.values(table, Some(0), FRESH);
        for column in &unique.columns {
            if let Some(value) = theirs.values.get(column) {
                values.insert(column.clone(), value.clone());
            }
        }
        let insert = statement(table, &values);
        let detail = unique.name.to_string();
        if unique.arbitrates {
            let columns = list(&unique.columns);
            let conflict = format!("{insert} ON CONFLICT ({columns}) DO UPDATE SET {first} = EXCLUDED.{first}");
            all.push(Attempt { detail: detail.clone(), ..kept(Route::Upsert, id, conflict, false) });
        }
        all.push(Attempt { detail, ..attempt(Route::Collide, id, insert, Judge::NoCollision) });
    }
    all
}

/// What must be unique in a table.
struct Unique {
    name: Name,
    /// With those that an expression is made of.
    columns: Vec<Name>,
    primary: bool,
    /// ON CONFLICT can name its columns.
    arbitrates: bool,
}

/// Unique constraints, and unique indexes that are none's.
fn uniques(table: &QName, schema: &Schema) -> Vec<Unique> {
    let constraints = schema.of_relation(Kind::Constraint, table).filter_map(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Unique(unique) => Some(Unique {
                name: it.name.clone(),
                columns: unique.columns.clone(),
                primary: unique.primary,
                arbitrates: true,
            }),
            Rule::Exclusion(_) | Rule::Foreign(_) | Rule::Check(_) => None,
        },
        _ => None,
    });
    let columns = columns(schema, table);
    let of_key = |key: &Key| match &key.of {
        Subject::Column(name) => vec![name.clone()],
        Subject::Expression(expression) => {
            let text = expression.to_string();
            let words = words(&text);
            let named = columns.iter().filter(|it| words.iter().any(|word| word == it.name.as_str()));
            named.map(|it| it.name.clone()).collect()
        }
    };
    let indexes = schema.of_kind(Kind::Index).filter_map(|object| match object {
        Object::Index(it) if it.unique && it.table == *table => Some(Unique {
            name: it.name.name.clone(),
            columns: it.keys.iter().flat_map(of_key).collect(),
            primary: false,
            arbitrates: it.predicate.is_none() && it.keys.iter().all(|key| matches!(key.of, Subject::Column(_))),
        }),
        _ => None,
    });
    constraints.chain(indexes).collect()
}

/// Whether the column has a value where nobody names one.
fn gives_itself(table: &QName, column: &Name, schema: &Schema) -> bool {
    let id = ObjectId::new(Kind::Default, [&table.namespace, &table.name, column]);
    let column = ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]);
    schema.contains(&id) || matches!(schema.get(&column), Some(Object::Column(it)) if it.identity.is_some())
}

/// Rows of its own that refer to rows of another tenant.
fn references(id: &ObjectId, table: &QName, key: &Name, made: &Made<'_>, schema: &Schema) -> Vec<Attempt> {
    let mut all = vec![];
    for object in schema.of_relation(Kind::Constraint, table) {
        let Object::Constraint(constraint) = object else { continue };
        let Rule::Foreign(foreign) = &constraint.rule else { continue };
        let own: Vec<(&Name, &Name)> =
            foreign.columns.iter().zip(&foreign.to_columns).filter(|(from, _)| *from != key).collect();
        let theirs = made.rows.get(&foreign.to).and_then(|rows| rows.iter().find(|it| it.owner == Some(1)));
        let (Some(theirs), false) = (theirs, own.is_empty()) else { continue };
        let mut values = made.values(table, Some(0), FRESH);
        for (from, to) in own {
            if let Some(value) = theirs.values.get(to) {
                values.insert(from.clone(), value.clone());
            }
        }
        let detail = constraint.name.to_string();
        all.push(Attempt { detail, ..attempt(Route::Refer, id, statement(table, &values), Judge::Refused) });
    }
    all
}

/// Calls of every function with values of another tenant's.
fn calls(made: &Made<'_>, schema: &Schema, tenancy: &Tenancy) -> Vec<Attempt> {
    let mut all = vec![];
    for object in schema.of_kind(Kind::Routine) {
        let Object::Routine(routine) = object else { continue };
        let id = object.id();
        let uncallable = matches!(routine.result.as_deref(), Some("trigger" | "event_trigger" | "internal"));
        if made.is_foreign(&id) || uncallable {
            continue;
        }
        let arguments: Vec<Vec<String>> = routine
            .arguments
            .iter()
            .filter(|it| matches!(it.mode, Mode::In | Mode::InOut | Mode::Variadic) && it.default.is_none())
            .map(|it| values_of_type(&it.data_type, it.name.as_ref(), made, schema, tenancy))
            .collect();
        let most = arguments.iter().map(Vec::len).max().unwrap_or(1).clamp(1, VALUES);
        for turn in 0..most {
            let given: Vec<&String> = arguments.iter().map(|it| &it[turn % it.len()]).collect();
            let call = format!("{}({})", routine.name, list(given));
            let sql = match (routine.form, routine.result.as_deref()) {
                (Form::Procedure, _) => format!("CALL {call}"),
                (_, Some("void")) => format!("SELECT FROM {call}"),
                _ => format!("SELECT p::text FROM {call} AS p ORDER BY 1"),
            };
            all.push(attempt(Route::Call, &id, sql.clone(), Judge::SameAlone));
            all.push(kept(Route::Call, &id, sql, false));
        }
    }
    all
}

/// How many values of another tenant's a function is called with, at most.
const VALUES: usize = 5;

/// Values of a type that another tenant's rows hold; the tenant's key first.
fn values_of_type(
    data_type: &str,
    name: Option<&Name>,
    made: &Made<'_>,
    schema: &Schema,
    tenancy: &Tenancy,
) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let level = &tenancy.levels[0];
    if level.data_type == data_type {
        found.push(made.tenants[1].clone());
    }
    let mut others = vec![];
    for (table, rows) in &made.rows {
        for row in rows.iter().filter(|it| it.owner == Some(1)) {
            for (column, value) in &row.values {
                let id = ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]);
                let same = matches!(schema.get(&id), Some(Object::Column(it)) if plain_type(&it.data_type) == plain_type(data_type));
                if same && value != "NULL" {
                    // An argument is often called like the column that it is compared with.
                    let alike = name.is_some_and(|name| {
                        name.as_str().contains(column.as_str()) || column.as_str().contains(name.as_str())
                    });
                    others.push((!alike, value.clone()));
                }
            }
        }
    }
    others.sort();
    found.extend(others.into_iter().map(|(_, value)| value));
    let mut seen = BTreeSet::new();
    found.retain(|it| seen.insert(it.clone()));
    found.truncate(VALUES);
    if found.is_empty() {
        found.push(format!("NULL::{data_type}"));
    }
    found
}

/// A type without its length; text for all that is text.
fn plain_type(data_type: &str) -> &str {
    match data_type.split('(').next().unwrap_or_default().trim_end() {
        "character varying" | "text" => "text",
        other => other,
    }
}

fn sequences(schema: &Schema, tenancy: &Tenancy) -> Vec<Attempt> {
    let mut all = vec![];
    for object in schema.of_kind(Kind::Column) {
        let Object::Column(it) = object else { continue };
        if it.identity.is_some() && matches!(tenancy.class(&it.table), Some(Class::Scoped(_) | Class::Tenant)) {
            let (table, column) =
                (Literal(&it.table.to_string()).to_string(), Literal(it.name.as_str()).to_string());
            let sql = format!("SELECT setval(pg_get_serial_sequence({table}, {column}), 1, false)");
            all.push(attempt(Route::Sequence, &object.id(), sql, Judge::Denied));
        }
    }
    for object in schema.of_kind(Kind::Sequence) {
        let Object::Sequence(it) = object else { continue };
        let Some((table, _)) = &it.owned_by else { continue };
        if matches!(tenancy.class(table), Some(Class::Scoped(_) | Class::Tenant)) {
            let sql = format!("SELECT setval({}, 1, false)", Literal(&it.name.to_string()));
            all.push(attempt(Route::Sequence, &object.id(), sql, Judge::Denied));
        }
    }
    all
}

/// Roles that nothing holds back, and that the role may be a member of.
fn becoming(role: &Role, roles: &[RoleSpec], schema: &Schema, tenancy: &Tenancy) -> Vec<Attempt> {
    let owners: BTreeSet<Name> = tenancy
        .scoped()
        .filter(|(table, _)| {
            let id = ObjectId::new(Kind::RowSecurity, [&table.namespace, &table.name]);
            !matches!(schema.get(&id), Some(Object::RowSecurity(it)) if it.enabled && it.forced)
        })
        .filter_map(|(table, _)| {
            let id = ObjectId::new(Kind::Table, [&table.namespace, &table.name]);
            match schema.get(&id.satellite(Kind::Owner)) {
                Some(Object::Owner(it)) => Some(Name::from(it.role.0.clone())),
                _ => None,
            }
        })
        .collect();
    let strong = roles.iter().filter(|it| it.superuser || it.bypassrls).map(|it| it.name.clone());
    let passes = tenancy.roles.passes.iter().map(|it| Name::from(it.0.clone()));
    let mut strong: BTreeSet<Name> = strong.chain(passes).chain(owners).collect();
    strong.remove(&Name::from(role.0.clone()));
    let object = ObjectId::new(Kind::Namespace, [&tenancy.levels[0].table.namespace]);
    strong
        .into_iter()
        .filter(|it| roles.iter().any(|role| role.name == *it))
        .map(|it| Attempt {
            detail: it.to_string(),
            ..attempt(Route::Become, &object, format!("SET LOCAL ROLE {it}"), Judge::Refused)
        })
        .collect()
}
