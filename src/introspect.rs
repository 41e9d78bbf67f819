//! Reads a database's schema: one repeatable-read, read-only transaction, one query a kind, all of them pipelined.
//!
//! What a row means is known by the kinds (`kind/*.rs`); what needs what is told by pg_depend. Nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::try_join_all;
use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::Client;

use crate::kind::comment::Comment;
use crate::kind::grants::Grants;
use crate::kind::owner::Owner;
use crate::kind::{Kind, Object, ObjectId, unmanaged};
use crate::name::{Name, QName, Role};
use crate::schema::{AclItem, Address, Facts, Row, Schema, Size};
use crate::shadow::RoleSpec;

/// Why a database could not be read.
#[derive(Debug, Error, Diagnostic)]
pub enum IntrospectError {
    #[error("reading {what} failed: {}", server_message(.source))]
    #[diagnostic(code(introspect::query), help("{}", query_help(.source)))]
    Query { what: String, source: tokio_postgres::Error },
    #[error("the catalog's answer about {what} could not be understood: {source}")]
    #[diagnostic(
        code(introspect::decode),
        help("please report this, with the server's version and the object's definition")
    )]
    Decode { what: String, source: serde_json::Error },
}

/// The server's own words, where there are any: the driver says only "db error".
pub fn server_message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => match db.detail() {
            Some(detail) => format!("{} ({detail})", db.message()),
            None => db.message().to_owned(),
        },
        None => error.to_string(),
    }
}

fn query_help(error: &tokio_postgres::Error) -> String {
    use tokio_postgres::error::SqlState;
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "connect as the owner of the schema, or as a member of pg_read_all_data".into()
        }
        Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            "another session holds a strong lock on a table; try again when it has ended".into()
        }
        Some(&SqlState::QUERY_CANCELED) => "the server took longer than statement_timeout allows".into(),
        _ => "see the server's log for more".into(),
    }
}

/// Settings under which catalogs print definitions: everything qualified, nothing that depends on the session.
const SETTINGS: &str = "
    SET LOCAL search_path = '';
    SET LOCAL statement_timeout = '120s';
    SET LOCAL lock_timeout = '5s';
    SET LOCAL idle_in_transaction_session_timeout = '120s';
    SET LOCAL DateStyle = ISO;
    SET LOCAL IntervalStyle = postgres;
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = hex;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL jit = off;";

/// Every dependency between objects that are not the server's own. Rows of partition dependencies ('P', 'S') say the
/// same as the attachments, which are objects.
const DEPENDENCIES: &str = "
    SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype::text
      FROM pg_depend
     WHERE objid >= 16384 AND deptype IN ('n', 'a', 'i', 'e')";

/// The column that each default or generation expression belongs to.
const EXPRESSION_COLUMNS: &str = "SELECT oid, adrelid, adnum::int4 FROM pg_attrdef WHERE oid >= 16384";

const COMMENTS: &str = "
    SELECT d.classoid, d.objoid, d.objsubid, d.description, a.attname::text, i.oid
      FROM pg_description d
      LEFT JOIN pg_constraint i
        ON d.classoid = 'pg_class'::regclass AND i.conindid = d.objoid AND i.contype IN ('p', 'u', 'x')
      LEFT JOIN pg_attribute a
        ON d.classoid = 'pg_class'::regclass AND a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
     WHERE d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass";

const COLUMN_GRANTS: &str = "
    SELECT a.attrelid, a.attname::text, coalesce(r.rolname::text, ''), x.privilege_type, x.is_grantable
      FROM pg_attribute a, aclexplode(a.attacl) x
      LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE a.attacl IS NOT NULL AND a.attrelid >= 16384 AND NOT a.attisdropped
     ORDER BY 1, 2, 3, 4";

const SIZES: &str = "
    SELECT n.nspname::text, c.relname::text, c.reltuples::float8, pg_relation_size(c.oid),
           pg_total_relation_size(c.oid),
           has_table_privilege(c.oid, 'SELECT')
             AND (NOT c.relrowsecurity OR (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Roles as another server needs them to load a schema; pg_roles shows no passwords.
const ROLES: &str = "
    SELECT jsonb_build_object(
               'name', r.rolname, 'superuser', r.rolsuper, 'inherit', r.rolinherit, 'createrole', r.rolcreaterole,
               'createdb', r.rolcreatedb, 'login', r.rolcanlogin, 'replication', r.rolreplication,
               'bypassrls', r.rolbypassrls,
               'member_of', coalesce((SELECT jsonb_agg(g.rolname ORDER BY g.rolname)
                                        FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                                       WHERE m.member = r.oid), '[]'))::text
      FROM pg_roles r
     WHERE r.rolname !~ '^pg_'
     ORDER BY r.rolname";

/// What was read of one database.
#[derive(Debug, Clone)]
pub struct Reading {
    pub schema: Schema,
    pub facts: Facts,
    pub roles: Vec<RoleSpec>,
}

/// Reads the whole schema of the database that the client is connected to. `with_sizes`: rows and bytes too, which
/// looks at every table's files.
pub async fn introspect(client: &Client, with_sizes: bool) -> Result<Reading, IntrospectError> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |source| IntrospectError::Query { what, source }
    };
    client
        .batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {SETTINGS}"))
        .await
        .map_err(failed("the settings"))?;
    let reading = read(client, with_sizes).await;
    // The transaction has read only; whether it ends in COMMIT or ROLLBACK does not matter, and a broken connection
    // has been reported by what came before.
    let _ = client.batch_execute("ROLLBACK").await;
    reading
}

async fn read(client: &Client, with_sizes: bool) -> Result<Reading, IntrospectError> {
    let failed = |what: &'static str| move |source| IntrospectError::Query { what: what.to_owned(), source };
    let kinds = Kind::ALL.iter().copied().filter(|kind| !kind.catalog().is_empty());
    let rows = try_join_all(kinds.map(|kind| async move {
        let query = format!("SELECT k.r::text FROM ({}) AS k(r)", kind.catalog());
        let rows = client.query(&query, &[]).await.map_err(|source| IntrospectError::Query {
            what: format!("objects of kind {}", kind.noun()),
            source,
        })?;
        rows.iter()
            .map(|row| {
                let json: &str = row.get(0);
                kind.decode(json).map_err(|source| IntrospectError::Decode {
                    what: format!("an object of kind {}: {json}", kind.noun()),
                    source,
                })
            })
            .collect::<Result<Vec<Row>, _>>()
    }));
    let (rows, session, dependencies, expressions, comments, column_grants, unmanaged, roles) = tokio::try_join!(
        rows,
        async {
            client
                .query_one("SELECT current_setting('server_version_num')::int4, current_user::text", &[])
                .await
                .map_err(failed("the session"))
        },
        async { client.query(DEPENDENCIES, &[]).await.map_err(failed("dependencies")) },
        async { client.query(EXPRESSION_COLUMNS, &[]).await.map_err(failed("column expressions")) },
        async { client.query(COMMENTS, &[]).await.map_err(failed("comments")) },
        async { client.query(COLUMN_GRANTS, &[]).await.map_err(failed("column privileges")) },
        async { client.query(unmanaged::UNMANAGED, &[]).await.map_err(failed("objects of unmanaged kinds")) },
        async { client.query(ROLES, &[]).await.map_err(failed("roles")) },
    )?;

    let creator = Role(session.get(1));
    let mut known = Known::default();
    let mut satellites: Vec<Object> = vec![];
    let mut objects: BTreeMap<ObjectId, Object> = BTreeMap::new();
    for row in rows.into_iter().flatten() {
        let id = row.object.id();
        if row.at.0 != 0 {
            known.objects.insert(row.at, id.clone());
        }
        satellites.extend(row.acl.map(|acl| Object::Grants(Grants::new(id.clone(), row.owner.clone(), acl))));
        if let Some(owner) = row.owner {
            satellites.push(Object::Owner(Owner::new(id.clone(), owner.clone())));
            known.owners.insert(row.at, owner);
        }
        objects.insert(id, row.object);
    }
    satellites.extend(column_privileges(&column_grants, &known));
    for row in &expressions {
        let (oid, relation, column): (u32, u32, i32) = (row.get(0), row.get(1), row.get(2));
        known.parents.insert((PG_ATTRDEF, oid, 0), (PG_CLASS, relation, column));
    }
    let needs = dependencies_of(&dependencies, &mut known);
    satellites.extend(comments_of(&comments, &known));
    objects.extend(satellites.into_iter().map(|it| (it.id(), it)));

    let facts = if with_sizes { sizes(client).await? } else { Facts::default() };
    let roles = roles
        .iter()
        .map(|row| serde_json::from_str(row.get(0)))
        .collect::<Result<_, _>>()
        .map_err(|source| IntrospectError::Decode { what: "roles".into(), source })?;
    let mut schema = Schema {
        server_version: u32::try_from(session.get::<_, i32>(0)).unwrap_or_default(),
        creator,
        objects,
        needs,
        unmanaged: unmanaged.iter().map(|row| row.get(0)).collect(),
    };
    schema.add_own_needs();
    Ok(Reading { schema, facts, roles })
}

// Fixed oids of catalogs, from pg_class.h, pg_attrdef.h and pg_type.h.
const PG_CLASS: u32 = 1259;
const PG_ATTRDEF: u32 = 2604;
const PG_TYPE: u32 = 1247;
const PG_CONSTRAINT: u32 = 2606;

/// Which object each catalog address stands for.
#[derive(Default)]
struct Known {
    objects: HashMap<Address, ObjectId>,
    /// What an address is an inner part of: a row type of its table, a rule of its view, a member of its extension.
    parents: HashMap<Address, Address>,
    owners: HashMap<Address, Role>,
}

impl Known {
    /// The object that has columns by the oid of its pg_class row. That of a composite type is a part of the type.
    fn relation(&self, oid: u32) -> Option<&ObjectId> {
        let at = (PG_CLASS, oid, 0);
        let of_type = || self.parents.get(&at).filter(|parent| parent.0 == PG_TYPE);
        self.objects.get(&at).or_else(|| self.objects.get(of_type()?))
    }

    /// The object at an address, or the one that it is an inner part of.
    fn resolve(&self, mut at: Address) -> Option<&ObjectId> {
        // Inner parts nest a few levels at most: array type, row type, view. The bound guards against a cycle in a
        // damaged catalog.
        for _ in 0..16 {
            if let Some(id) = self.objects.get(&at) {
                return Some(id);
            }
            at = match self.parents.get(&at) {
                Some(parent) => *parent,
                None if at.2 != 0 => (at.0, at.1, 0),
                None => return None,
            };
        }
        None
    }
}

fn dependencies_of(rows: &[tokio_postgres::Row], known: &mut Known) -> BTreeMap<ObjectId, BTreeSet<ObjectId>> {
    let edges: Vec<(Address, Address, &str)> = rows
        .iter()
        .map(|row| {
            ((row.get(0), row.get(1), row.get(2)), (row.get(3), row.get(4), row.get(5)), row.get::<_, &str>(6))
        })
        .collect();
    for (from, to, how) in &edges {
        if matches!(*how, "i" | "e") && !known.objects.contains_key(from) {
            known.parents.insert(*from, *to);
        }
    }
    let mut needs: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
    for (from, to, how) in &edges {
        let (Some(from), Some(to)) = (known.resolve(*from), known.resolve(*to)) else { continue };
        // A partition's automatic dependency on its parent is that of the attachment, which is an object.
        // Before 15, a generated column's on the columns that it is made of is of the same sort, and stays.
        let of_partition = *how == "a" && from.kind == to.kind && from.kind != Kind::Column;
        if from != to && !of_partition {
            needs.entry(from.clone()).or_default().insert(to.clone());
        }
    }
    needs
}

fn comments_of(rows: &[tokio_postgres::Row], known: &Known) -> Vec<Object> {
    rows.iter()
        .filter_map(|row| {
            let at: Address = (row.get(0), row.get(1), row.get(2));
            let text: String = row.get(3);
            let (column, constraint): (Option<&str>, Option<u32>) = (row.get(4), row.get(5));
            if let Some(constraint) = constraint.and_then(|oid| known.objects.get(&(PG_CONSTRAINT, oid, 0))) {
                return Some(Object::Comment(Comment::on_index_of(constraint.clone(), text)));
            }
            let on = match (known.objects.get(&at), column) {
                (Some(id), _) => id.clone(),
                // The columns of views and composite types are no objects of their own.
                (None, Some(column)) => column_id(known.relation(at.1)?, column),
                (None, None) => return None,
            };
            Some(Object::Comment(Comment::new(on, text)))
        })
        .collect()
}

fn column_privileges(rows: &[tokio_postgres::Row], known: &Known) -> Vec<Object> {
    let mut grants: BTreeMap<ObjectId, (Option<Role>, Vec<AclItem>)> = BTreeMap::new();
    for row in rows {
        let at = (PG_CLASS, row.get(0), 0);
        let Some(relation) = known.objects.get(&at) else { continue };
        let of_column = grants.entry(column_id(relation, row.get(1))).or_default();
        of_column.0 = known.owners.get(&at).cloned();
        of_column.1.push((Role(row.get(2)), row.get(3), row.get(4)));
    }
    grants.into_iter().map(|(on, (owner, acl))| Object::Grants(Grants::new(on, owner, acl))).collect()
}

fn column_id(relation: &ObjectId, column: &str) -> ObjectId {
    let mut path = relation.path.clone();
    path.push(Name::from(column));
    ObjectId { kind: Kind::Column, path }
}

/// Rows and bytes of every table and materialized view. A table is called empty only when it was seen to be.
async fn sizes(client: &Client) -> Result<Facts, IntrospectError> {
    const SMALL: i64 = 8 << 20;
    let failed = |source| IntrospectError::Query { what: "the sizes of tables".into(), source };
    let rows = client.query(SIZES, &[]).await.map_err(failed)?;
    let sizes = try_join_all(rows.iter().map(|row| async move {
        let name = QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let (estimate, heap, total): (f64, i64, i64) = (row.get(2), row.get(3), row.get(4));
        let readable: bool = row.get(5);
        let bytes = u64::try_from(total).unwrap_or_default();
        if heap == 0 {
            return Ok((name, Size { rows: 0, bytes, empty: true }));
        }
        if estimate <= 0.0 && readable && heap <= SMALL {
            let count =
                client.query_one(&format!("SELECT count(*) FROM ONLY {name}"), &[]).await.map_err(failed)?;
            let rows = u64::try_from(count.get::<_, i64>(0)).unwrap_or_default();
            return Ok((name, Size { rows, bytes, empty: rows == 0 }));
        }
        // As the planner does for a table that was never analysed: pages by an assumed width of a row.
        let rows = if estimate > 0.0 { estimate as u64 } else { u64::try_from(heap / 100).unwrap_or_default() };
        Ok((name, Size { rows, bytes, empty: false }))
    }))
    .await?;
    Ok(Facts { sizes: sizes.into_iter().collect(), ..Facts::default() })
}
