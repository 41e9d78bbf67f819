//! Reads a database's schema: one repeatable-read, read-only transaction, one query a kind, pipelined and,
//! where there is more than one session, shared out among them.
//!
//! What a row means is known by the kinds (`kind/*.rs`); what needs what is told by pg_depend. Nothing is written.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::Client;

use crate::kind::comment::{Comment, Part};
use crate::kind::grants::Grants;
use crate::kind::owner::Owner;
use crate::kind::unmanaged::{UNMANAGED, Unmanaged};
use crate::kind::width::VARYING;
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Literal, Name, QName, Role};
use crate::schema::{Address, Facts, Granted, Row, Schema, Size};
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
    SELECT d.classoid, d.objoid, d.objsubid, d.description, a.attname::text, i.oid,
           n.conrelid, n.conkey[1]::int4, n.contypid
      FROM pg_description d
      LEFT JOIN pg_constraint n
        ON d.classoid = 'pg_constraint'::regclass AND n.oid = d.objoid AND n.contype = 'n'
      LEFT JOIN pg_constraint i
        ON d.classoid = 'pg_class'::regclass AND i.conindid = d.objoid AND i.contype IN ('p', 'u', 'x')
      LEFT JOIN pg_attribute a
        ON d.classoid = 'pg_class'::regclass AND a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
     WHERE d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass";

const COLUMN_GRANTS: &str = "
    SELECT a.attrelid, a.attname::text, coalesce(r.rolname::text, ''), x.privilege_type, x.is_grantable,
           pg_get_userbyid(x.grantor)::text
      FROM pg_attribute a, aclexplode(a.attacl) x
      LEFT JOIN pg_roles r ON r.oid = x.grantee
     WHERE a.attacl IS NOT NULL AND a.attrelid >= 16384 AND NOT a.attisdropped
     ORDER BY 1, 2, 3, 4";

/// What pg_class remembers of pages and rows since the last VACUUM or ANALYZE, which opens no file; the files
/// themselves are asked where it remembers nothing, or where more than twice as many rows have come since.
const SIZES: &str = "
    WITH indexes AS (
        SELECT i.indrelid, sum(ic.relpages) AS pages
          FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
         GROUP BY i.indrelid),
    known AS (
        SELECT c.oid, c.relnamespace, c.relname, c.reltuples, c.relrowsecurity,
               c.relpages > 0 AND pg_stat_get_live_tuples(c.oid) <= 2 * c.reltuples + 1000 AS fresh,
               current_setting('block_size')::int8 AS block, c.relpages,
               coalesce(t.relpages, 0) AS toast, coalesce(own.pages, 0) + coalesce(of_toast.pages, 0) AS indexes
          FROM pg_class c
          LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
          LEFT JOIN indexes own ON own.indrelid = c.oid
          LEFT JOIN indexes of_toast ON of_toast.indrelid = t.oid
         WHERE c.relkind IN ('r', 'm')),
    heaps AS (
        SELECT *, CASE WHEN fresh THEN relpages * block ELSE pg_relation_size(oid) END AS heap FROM known)
    SELECT n.nspname::text, h.relname::text, CASE WHEN h.fresh THEN h.reltuples ELSE 0 END::float8, h.heap,
           CASE WHEN h.fresh OR h.heap = 0 THEN h.heap + (h.toast + h.indexes) * h.block
                ELSE pg_total_relation_size(h.oid) END::int8,
           CASE WHEN h.fresh OR h.heap = 0 THEN h.heap + h.toast * h.block ELSE pg_table_size(h.oid) END::int8,
           has_table_privilege(h.oid, 'SELECT')
             AND (NOT h.relrowsecurity OR (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user))
      FROM heaps h JOIN pg_namespace n ON n.oid = h.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Roles as another server needs them to load a schema; pg_roles shows no passwords.
const ROLES: &str = "
    SELECT json_build_object(
               'name', r.rolname, 'superuser', r.rolsuper, 'inherit', r.rolinherit, 'createrole', r.rolcreaterole,
               'createdb', r.rolcreatedb, 'login', r.rolcanlogin, 'replication', r.rolreplication,
               'bypassrls', r.rolbypassrls,
               'member_of', coalesce((SELECT json_agg(g.rolname ORDER BY g.rolname)
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
    /// What stands on the schema's objects and is of no kind.
    pub unmanaged: Vec<Unmanaged>,
}

/// Reads the whole schema of the database that the client is connected to. `with_sizes`: rows and bytes too, which
/// looks at the files of tables.
pub async fn introspect(client: &Client, with_sizes: bool) -> Result<Reading, IntrospectError> {
    introspect_together(&[client], with_sizes).await
}

/// The same, read by several sessions with one server side by side. All see the first one's snapshot
/// (pg_export_snapshot); one that can't take it over, as behind some poolers, is left out.
pub async fn introspect_together(clients: &[&Client], with_sizes: bool) -> Result<Reading, IntrospectError> {
    let [first, others @ ..] = clients else { unreachable!("somebody has to read") };
    let failed = |source| IntrospectError::Query { what: "the settings".into(), source };
    let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {SETTINGS}");
    first.batch_execute(&begin).await.map_err(failed)?;
    let mut readers = vec![*first];
    if !others.is_empty()
        && let Ok(row) = first.query_typed_one("SELECT pg_export_snapshot()", &[]).await
    {
        let snapshot = Literal(row.get(0));
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT {snapshot}; {SETTINGS}"
        );
        for other in others {
            if other.batch_execute(&begin).await.is_ok() {
                readers.push(other);
            }
        }
    }
    let reading = read(&readers, with_sizes).await;
    // The transactions have read only; whether they end in COMMIT or ROLLBACK does not matter, and a broken connection
    // has been reported by what came before.
    for client in clients {
        let _ = client.batch_execute("ROLLBACK").await;
    }
    reading
}

/// The same, from within a transaction that the session is in: with what this has changed, which stays as it is.
pub async fn introspect_within(client: &Client) -> Result<Reading, IntrospectError> {
    let failed = |source| IntrospectError::Query { what: "the settings".into(), source };
    client.batch_execute(&format!("SAVEPOINT tenantry_reads; {SETTINGS}")).await.map_err(failed)?;
    let reading = read(&[client], false).await?;
    let back = "ROLLBACK TO SAVEPOINT tenantry_reads; RELEASE SAVEPOINT tenantry_reads";
    client.batch_execute(back).await.map_err(failed)?;
    Ok(reading)
}

/// Whether the schema is so large that a second session pays for its own start: some thousands of relations.
pub async fn is_large(client: &Client) -> bool {
    const LARGE: i64 = 512 << 10;
    let size = client.query_typed_one("SELECT pg_relation_size('pg_catalog.pg_class')", &[]).await;
    size.is_ok_and(|row| row.get::<_, i64>(0) > LARGE)
}

/// What one query asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Kind(Kind),
    Session,
    Dependencies,
    ExpressionColumns,
    Comments,
    ColumnGrants,
    Unmanaged,
    Roles,
    Sizes,
}

impl Asked {
    fn all(with_sizes: bool) -> Vec<Asked> {
        let kinds = Kind::ALL.iter().copied().filter(|kind| !kind.catalog().is_empty()).map(Asked::Kind);
        let rest = [
            Asked::Session,
            Asked::Dependencies,
            Asked::ExpressionColumns,
            Asked::Comments,
            Asked::ColumnGrants,
            Asked::Unmanaged,
            Asked::Roles,
        ];
        // Sizes come first: they take longest where a server was just started.
        with_sizes.then_some(Asked::Sizes).into_iter().chain(kinds).chain(rest).collect()
    }

    fn query(self) -> Cow<'static, str> {
        match self {
            Asked::Kind(kind) => format!("SELECT k.r::text FROM ({}) AS k(r)", kind.catalog()).into(),
            Asked::Session => "SELECT current_setting('server_version_num')::int4, current_user::text".into(),
            Asked::Dependencies => DEPENDENCIES.into(),
            Asked::ExpressionColumns => EXPRESSION_COLUMNS.into(),
            Asked::Comments => COMMENTS.into(),
            Asked::ColumnGrants => COLUMN_GRANTS.into(),
            Asked::Unmanaged => UNMANAGED.into(),
            Asked::Roles => ROLES.into(),
            Asked::Sizes => SIZES.into(),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Kind(kind) => write!(f, "objects of kind {}", kind.noun()),
            Asked::Session => f.write_str("the session"),
            Asked::Dependencies => f.write_str("dependencies"),
            Asked::ExpressionColumns => f.write_str("column expressions"),
            Asked::Comments => f.write_str("comments"),
            Asked::ColumnGrants => f.write_str("column privileges"),
            Asked::Unmanaged => f.write_str("objects of unmanaged kinds"),
            Asked::Roles => f.write_str("roles"),
            Asked::Sizes => f.write_str("the sizes of tables"),
        }
    }
}

/// What the queries answered.
#[derive(Default)]
struct Answers {
    rows: Vec<(Asked, Vec<tokio_postgres::Row>)>,
    kinds: Vec<Row>,
    facts: Facts,
}

impl Answers {
    fn of(&self, asked: Asked) -> &[tokio_postgres::Row] {
        self.rows.iter().find(|(it, _)| *it == asked).map_or(&[], |(_, rows)| rows)
    }

    async fn take(
        answers: &RefCell<Answers>,
        client: &Client,
        asked: Asked,
        rows: Vec<tokio_postgres::Row>,
    ) -> Result<(), IntrospectError> {
        match asked {
            Asked::Kind(kind) => {
                for row in &rows {
                    let json: &str = row.get(0);
                    let row = kind.decode(json).map_err(|source| IntrospectError::Decode {
                        what: format!("an object of kind {}: {json}", kind.noun()),
                        source,
                    })?;
                    answers.borrow_mut().kinds.push(row);
                }
            }
            Asked::Sizes => {
                let facts = sizes(client, &rows).await?;
                answers.borrow_mut().facts = facts;
            }
            _ => answers.borrow_mut().rows.push((asked, rows)),
        }
        Ok(())
    }
}

/// How many queries a session has under way while another may take the next: enough to hide the way to the server.
const AHEAD: usize = 3;

async fn read(clients: &[&Client], with_sizes: bool) -> Result<Reading, IntrospectError> {
    let asked = Asked::all(with_sizes);
    let answers = RefCell::new(Answers::default());
    let next = Cell::new(0);
    let (asked, answers_of, next_of) = (&asked, &answers, &next);
    let ahead = if clients.len() == 1 { asked.len() } else { AHEAD };
    let lanes = clients.iter().flat_map(|client| std::iter::repeat_n(*client, ahead)).map(|client| async move {
        while let Some(&what) = asked.get(next_of.replace(next_of.get() + 1)) {
            // Without a name for the statement: behind a pooler the next one may find it taken, or gone.
            let rows = client
                .query_typed(what.query().as_ref(), &[])
                .await
                .map_err(|source| IntrospectError::Query { what: what.to_string(), source })?;
            Answers::take(answers_of, client, what, rows).await?;
        }
        Ok::<(), IntrospectError>(())
    });
    try_join_all(lanes).await?;
    described(answers.into_inner())
}

/// Puts the schema together from what the catalogs answered.
fn described(mut answers: Answers) -> Result<Reading, IntrospectError> {
    let session = answers.of(Asked::Session).first();
    let (server_version, creator) = session.map_or((0_i32, Role::public()), |row| (row.get(0), Role(row.get(1))));
    let mut known = Known::default();
    let mut satellites: Vec<Object> = vec![];
    let mut objects: BTreeMap<ObjectId, Object> = BTreeMap::new();
    for row in std::mem::take(&mut answers.kinds) {
        let id = row.object.id();
        if row.at.0 != 0 {
            known.objects.insert(row.at, id.clone());
        }
        satellites
            .extend(row.acl.map(|acl| Object::Grants(Arc::new(Grants::read(id.clone(), row.owner.clone(), acl)))));
        if let Some(owner) = row.owner {
            satellites.push(Object::Owner(Arc::new(Owner::new(id.clone(), owner.clone()))));
            known.owners.insert(row.at, owner);
        }
        if let (Some(inner), Object::Column(column)) = (row.sequence, &row.object)
            && let Some(sequence) = column.identity_sequence()
        {
            let acl = inner.acl.unwrap_or_default();
            satellites.push(Object::Grants(Arc::new(Grants {
                inside: Some(id.clone()),
                ..Grants::read(sequence.clone(), Some(inner.owner), acl)
            })));
            known.sequences.insert(inner.at, (sequence, id.clone()));
        }
        objects.insert(id, row.object);
    }
    satellites.extend(column_privileges(answers.of(Asked::ColumnGrants), &known));
    for row in answers.of(Asked::ExpressionColumns) {
        let (oid, relation, column): (u32, u32, i32) = (row.get(0), row.get(1), row.get(2));
        known.parents.insert((PG_ATTRDEF, oid, 0), (PG_CLASS, relation, column));
    }
    let needs = dependencies_of(answers.of(Asked::Dependencies), &mut known);
    satellites.extend(comments_of(answers.of(Asked::Comments), &known));
    objects.extend(satellites.into_iter().map(|it| (it.id(), it)));

    let roles = answers
        .of(Asked::Roles)
        .iter()
        .map(|row| serde_json::from_str(row.get(0)))
        .collect::<Result<_, _>>()
        .map_err(|source| IntrospectError::Decode { what: "roles".into(), source })?;
    let mut schema = Schema {
        server_version: u32::try_from(server_version).unwrap_or_default(),
        creator,
        objects,
        needs: needs.into_iter().map(|(id, needs)| (id, Arc::new(needs))).collect(),
        unmanaged: answers.of(Asked::Unmanaged).iter().map(|row| (row.get(0), row.get(1))).collect(),
    };
    schema.add_own_needs();
    let unmanaged = unmanaged_of(answers.of(Asked::Unmanaged), answers.of(Asked::Dependencies), &known);
    Ok(Reading { schema, facts: answers.facts, roles, unmanaged })
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
    /// The sequences inside of identity columns, and these columns.
    sequences: HashMap<Address, (ObjectId, ObjectId)>,
}

impl Known {
    /// The object that has columns by the oid of its pg_class row. That of a composite type is a part of the type.
    fn relation(&self, oid: u32) -> Option<&ObjectId> {
        let at = (PG_CLASS, oid, 0);
        let of_type = || self.parents.get(&at).filter(|parent| parent.0 == PG_TYPE);
        self.objects.get(&at).or_else(|| self.objects.get(of_type()?))
    }

    /// The object at an address; or, where that is unknown, those that it leads to.
    fn resolve_beyond(&self, at: Address, beyond: &HashMap<Address, Vec<Address>>) -> Vec<&ObjectId> {
        let mut found = vec![];
        let mut seen = HashSet::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            match self.resolve(at) {
                Some(id) => found.push(id),
                None if seen.insert((at.0, at.1, 0)) => {
                    open.extend(beyond.get(&(at.0, at.1, 0)).into_iter().flatten());
                }
                None => {}
            }
        }
        found
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

/// Rows of pg_depend: from what, to what, and how.
fn edges(rows: &[tokio_postgres::Row]) -> Vec<(Address, Address, &str)> {
    let edge =
        |row: &'_ tokio_postgres::Row| ((row.get(0), row.get(1), row.get(2)), (row.get(3), row.get(4), row.get(5)));
    rows.iter().map(|row| (edge(row).0, edge(row).1, row.get(6))).collect()
}

/// What each unmanaged object stands on: by itself, or by way of what it is made of, as the members of an operator class
/// or the defaults of a foreign table.
fn unmanaged_of(
    rows: &[tokio_postgres::Row],
    dependencies: &[tokio_postgres::Row],
    known: &Known,
) -> Vec<Unmanaged> {
    let edges = edges(dependencies);
    let places = rows.iter().map(|row| (row.get(2), row.get(3), row.get(4)));
    let places: HashSet<Address> = places.collect();
    let mut wholes: HashMap<Address, Vec<Address>> = HashMap::new();
    for (from, to, how) in &edges {
        if matches!(*how, "i" | "a") && known.resolve(*from).is_none() {
            wholes.entry((from.0, from.1, 0)).or_default().push((to.0, to.1, 0));
        }
    }
    let mut needs: HashMap<Address, BTreeSet<ObjectId>> = HashMap::new();
    for (from, to, _) in &edges {
        let Some(need) = known.resolve(*to).filter(|_| known.resolve(*from).is_none()) else { continue };
        let mut open = vec![(from.0, from.1, 0)];
        let mut seen = HashSet::new();
        while let Some(at) = open.pop() {
            if places.contains(&at) {
                needs.entry(at).or_default().insert(need.clone());
            } else if seen.insert(at) {
                open.extend(wholes.get(&at).into_iter().flatten());
            }
        }
    }
    rows.iter()
        .map(|row| {
            let (at, is_of): (Address, bool) = ((row.get(2), row.get(3), row.get(4)), row.get(5));
            let needs = match is_of {
                true => known.resolve(at).into_iter().cloned().collect(),
                false => needs.get(&at).cloned().unwrap_or_default(),
            };
            Unmanaged { name: row.get(0), needs, is_of }
        })
        .collect()
}

fn dependencies_of(rows: &[tokio_postgres::Row], known: &mut Known) -> BTreeMap<ObjectId, BTreeSet<ObjectId>> {
    let edges = edges(rows);
    for (from, to, how) in &edges {
        if matches!(*how, "i" | "e") && !known.objects.contains_key(from) {
            known.parents.insert(*from, *to);
        }
    }
    // What needs something unmanaged, such as an aggregate, needs what that is made of.
    let mut beyond: HashMap<Address, Vec<Address>> = HashMap::new();
    for (from, to, how) in &edges {
        if known.resolve(*from).is_none() {
            beyond.entry((from.0, from.1, 0)).or_default().push(*to);
            // An operator class is nothing without its members.
            if matches!(*how, "i" | "a") && known.resolve(*to).is_none() {
                beyond.entry((to.0, to.1, 0)).or_default().push(*from);
            }
        }
    }
    let mut needs: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
    for (from, to, how) in &edges {
        let Some(from) = known.resolve(*from) else { continue };
        for to in known.resolve_beyond(*to, &beyond) {
            // A partition's automatic dependency on its parent is that of the attachment, which is an object.
            // Before 15, a generated column's on the columns that it is made of is of the same sort, and stays.
            let of_partition = *how == "a" && from.kind == to.kind && from.kind != Kind::Column;
            if from != to && !of_partition {
                needs.entry(from.clone()).or_default().insert(to.clone());
            }
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
                return Some(Object::Comment(Arc::new(Comment::on_part(Part::Index, constraint.clone(), text))));
            }
            if let Some(relation) = row.get::<_, Option<u32>>(6) {
                let at = match relation {
                    0 => (PG_TYPE, row.get(8), 0),
                    _ => (PG_CLASS, relation, row.get(7)),
                };
                let on = known.objects.get(&at)?.clone();
                return Some(Object::Comment(Arc::new(Comment::on_part(Part::NotNull, on, text))));
            }
            if let Some((sequence, column)) = known.sequences.get(&at) {
                let comment = Comment { inside: Some(column.clone()), ..Comment::new(sequence.clone(), text) };
                return Some(Object::Comment(Arc::new(comment)));
            }
            let on = match (known.objects.get(&at), column) {
                (Some(id), _) => id.clone(),
                // The columns of views and composite types are no objects of their own.
                (None, Some(column)) => column_id(known.relation(at.1)?, column),
                (None, None) => return None,
            };
            Some(Object::Comment(Arc::new(Comment::new(on, text))))
        })
        .collect()
}

fn column_privileges(rows: &[tokio_postgres::Row], known: &Known) -> Vec<Object> {
    let mut grants: BTreeMap<ObjectId, (Option<Role>, Vec<Granted>)> = BTreeMap::new();
    for row in rows {
        let at = (PG_CLASS, row.get(0), 0);
        let Some(relation) = known.objects.get(&at) else { continue };
        let of_column = grants.entry(column_id(relation, row.get(1))).or_default();
        of_column.0 = known.owners.get(&at).cloned();
        of_column.1.push((Role(row.get(2)), row.get(3), row.get(4), Role(row.get(5))));
    }
    grants.into_iter().map(|(on, (owner, acl))| Object::Grants(Arc::new(Grants::read(on, owner, acl)))).collect()
}

fn column_id(relation: &ObjectId, column: &str) -> ObjectId {
    let path = relation.path.iter().cloned().chain([Name::from(column)]).collect();
    ObjectId { kind: Kind::Column, path }
}

/// Rows and bytes of every table and materialized view. A table is called empty only when it was seen to be.
/// The columns whose values are wider than so many bytes, as far as the role may see statistics of them. Of what a view
/// says, since the table of all statistics is not for everybody.
fn widths_over(bytes: u64) -> String {
    format!(
        "SELECT schemaname::text, tablename::text, attname::text, max(avg_width) FROM pg_stats
          WHERE avg_width > {bytes} AND schemaname NOT IN ('pg_catalog', 'information_schema')
          GROUP BY 1, 2, 3"
    )
}

async fn sizes(client: &Client, rows: &[tokio_postgres::Row]) -> Result<Facts, IntrospectError> {
    const SMALL: i64 = 8 << 20;
    let failed = |source| IntrospectError::Query { what: "the sizes of tables".into(), source };
    let sizes = try_join_all(rows.iter().map(|row| async move {
        let name = QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let (estimate, heap): (f64, i64) = (row.get(2), row.get(3));
        let [bytes, table_bytes] =
            [row.get::<_, i64>(4), row.get(5)].map(|it| u64::try_from(it).unwrap_or_default());
        let readable: bool = row.get(6);
        let size = |rows| Size { rows, bytes, table_bytes, empty: false };
        if heap == 0 {
            return Ok((name, Size { empty: true, ..size(0) }));
        }
        if estimate <= 0.0 && readable && heap <= SMALL {
            let count =
                client.query_typed_one(&format!("SELECT count(*) FROM ONLY {name}"), &[]).await.map_err(failed)?;
            let rows = u64::try_from(count.get::<_, i64>(0)).unwrap_or_default();
            return Ok((name, Size { empty: rows == 0, ..size(rows) }));
        }
        // As the planner does for a table that was never analysed: pages by an assumed width of a row.
        let rows = if estimate > 0.0 { estimate as u64 } else { u64::try_from(heap / 100).unwrap_or_default() };
        Ok((name, size(rows)))
    }))
    .await?;
    // A domain has the casts of its base.
    let casts = async {
        let query =
            "SELECT format_type(castsource, NULL), format_type(casttarget, NULL), castmethod = 'b' FROM pg_cast";
        let failed = |source| IntrospectError::Query { what: "the casts".into(), source };
        client.query_typed(query, &[]).await.map_err(failed)
    };
    let widths = async {
        let failed = |source| IntrospectError::Query { what: "the widths of columns".into(), source };
        client.query_typed(&widths_over(VARYING), &[]).await.map_err(failed)
    };
    let (casts, widths) = tokio::try_join!(casts, widths)?;
    let mut wide: BTreeMap<QName, BTreeMap<Name, u64>> = BTreeMap::new();
    for row in &widths {
        let table = QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let width = row.get::<_, i32>(3).unsigned_abs().into();
        wide.entry(table).or_default().insert(row.get::<_, String>(2).into(), width);
    }
    let pair = |row: &tokio_postgres::Row| (row.get(0), row.get(1));
    let coercions = casts.iter().filter(|row| row.get(2)).map(pair).collect();
    let casts = casts.iter().map(pair).collect();
    Ok(Facts {
        sizes: sizes.into_iter().collect(),
        widths: wide,
        casts: Arc::new(casts),
        coercions: Arc::new(coercions),
        ..Facts::default()
    })
}
