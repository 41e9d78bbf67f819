//! Tries who may do what: as each role, with rows present, what a command reads and changes. Before a plan and after
//! it, so that the two can be compared. All of it happens in one transaction that is taken back.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::connect::Session;
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName, Role};
use crate::plan::access::{Matrix, Reach};
use crate::plan::{Half, Planned};
use crate::schema::Schema;
use crate::scope::Scope;
use crate::shadow::RoleSpec;
use crate::tenancy::{Class, Tenancy};

mod side;
mod trial;

use side::Side;
use trial::{Cell, Known, Look};

/// What is known of those who may do something, beside the two schemas.
pub struct Access<'a> {
    /// The live schema and the declared one, each with the owners and privileges that it has, managed or not.
    pub old: &'a Schema,
    pub new: &'a Schema,
    /// The roles as the live side has them.
    pub roles: &'a [RoleSpec],
    pub tenancies: &'a [Tenancy],
}

/// The role that stands for all that can connect, and has nothing of its own.
pub const ANYBODY: &str = "tenantry_anybody";

/// Roles times objects, at most.
const MOST: usize = 20_000;

/// What is tried on both sides, where a plan changes who may do what.
pub struct Watch<'a> {
    access: &'a Access<'a>,
    scope: &'a Scope,
    objects: BTreeSet<ObjectId>,
    roles: BTreeSet<Role>,
    /// What is told of the trial: who or what is left out.
    pub notes: Vec<String>,
}

impl<'a> Watch<'a> {
    /// Nothing, where the plan changes no policy, privilege, owner, view or routine.
    pub fn of(access: &'a Access<'a>, scope: &'a Scope, plan: &[Planned]) -> Option<Watch<'a>> {
        let mut objects = BTreeSet::new();
        for schema in [access.old, access.new] {
            objects.extend(concerned(schema, plan));
        }
        // What is renamed is tried under both names.
        for (step, to) in plan.iter().filter_map(|it| Some((it, it.renames_to.as_ref()?))) {
            let Some(old) = relation(&step.subject) else { continue };
            let both = [step.subject.clone(), ObjectId::new(step.subject.kind, [&old.namespace, to])];
            if both.iter().any(|id| objects.contains(id)) {
                objects.extend(both);
            }
        }
        if objects.is_empty() {
            return None;
        }
        let mut notes = vec![];
        let mut roles: BTreeSet<Role> = BTreeSet::from([Role::public()]);
        for schema in [access.old, access.new] {
            for (id, object) in &schema.objects {
                let named: Vec<&Role> = match object {
                    Object::Grants(it) => it.items.iter().map(|it| &it.0).collect(),
                    Object::Owner(it) => vec![&it.role],
                    Object::Policy(it) => it.roles.iter().collect(),
                    _ => continue,
                };
                if objects.contains(&schema.whole_of(id)) {
                    roles.extend(named.into_iter().cloned());
                }
            }
        }
        // A superuser passes everything, before and after.
        roles.retain(|role| !access.roles.iter().any(|it| it.superuser && it.name.as_str() == role.0));
        let fits = MOST / roles.len().max(1);
        if objects.len() > fits {
            notes.push(format!("who may do what was tried on {fits} objects, and not on {}", objects.len() - fits));
            objects = objects.into_iter().take(fits).collect();
        }
        Some(Watch { access, scope, objects, roles, notes })
    }

    /// Which relation of the database is which, by what stays when it is renamed.
    ///
    /// Errors: the session broke.
    pub async fn identities(session: &Session) -> Result<Identities, tokio_postgres::Error> {
        let rows = session.client.query(IDENTITIES, &[]).await?;
        let named = |row: &tokio_postgres::Row| {
            QName::new(Name::from(row.get::<_, &str>(1)), Name::from(row.get::<_, &str>(2)))
        };
        Ok(rows.iter().map(|row| (row.get(0), named(row))).collect())
    }

    /// Tries, too, what has been renamed since, and gives what each such object was; what has the old name now is compared
    /// by that.
    pub fn follow(&mut self, before: &Identities, after: &Identities) -> BTreeMap<ObjectId, ObjectId> {
        let mut was = BTreeMap::new();
        for (oid, name) in after {
            let Some(old) = before.get(oid).filter(|old| *old != name) else { continue };
            let known = self.objects.iter().find(|id| relation(id).as_ref() == Some(old));
            if let Some(old) = known.cloned() {
                was.insert(ObjectId::new(old.kind, [&name.namespace, &name.name]), old);
            }
        }
        self.objects.extend(was.keys().cloned());
        was
    }

    /// What there is to try on a side.
    pub fn present(&self, schema: &Schema) -> BTreeSet<ObjectId> {
        self.objects.iter().filter(|id| schema.contains(id)).cloned().collect()
    }

    /// Tries everything on one side: `schema` is what the database holds, `rights` who owns it and may use it.
    ///
    /// Errors: the session is no superuser's, or broke.
    pub async fn tried(
        &mut self,
        session: &Session,
        schema: &Schema,
        rights: &Schema,
    ) -> Result<Matrix, tokio_postgres::Error> {
        let client = &session.client;
        client.batch_execute(BEGIN).await?;
        let left_out = as_they_are(session, self.access.roles, &self.roles).await?;
        for role in left_out {
            self.notes.push(format!("what {role} may do was not tried: it is the shadow's own superuser"));
            self.roles.remove(&role);
        }
        let side = Side { session, schema, access: self.access };
        side.lend(rights, self.scope).await;
        let relations: Vec<ObjectId> =
            self.present(schema).into_iter().filter(|it| relation(it).is_some()).collect();
        side.fill(&relations).await?;
        let entered = side.tenants().await?;
        let mut matrix = Matrix::new();
        let mut known = BTreeMap::new();
        for id in &relations {
            known.insert(id, side.known(id, &entered).await?);
        }
        let mut cells = vec![];
        for role in &self.roles {
            let enters: Vec<String> = entered.iter().filter_map(|it| it.for_role(role)).collect();
            for (id, privileges) in relations.iter().zip(side.privileges(role, &relations).await?) {
                cells.extend(known[id].cells(role, id, &privileges, &enters, &mut matrix));
            }
            side.execution(role, &self.present(schema), &mut matrix).await?;
        }
        for (cell, answer) in cells.iter().zip(join_all(cells.iter().map(|it| it.run(session))).await) {
            let reach = known[&cell.key.1].reach(cell, answer?);
            let best = matrix.entry(cell.key.clone()).or_insert(Reach::Refused);
            *best = reach.max(*best);
        }
        self.insertions(&cells, &known, &mut matrix);
        matrix.retain(|_, reach| *reach != Reach::Refused);
        client.batch_execute("ROLLBACK").await?;
        Ok(matrix)
    }

    /// Rows are inserted one by one: how far that got is known from all of them.
    fn insertions(&self, cells: &[Cell], known: &BTreeMap<&ObjectId, Known>, matrix: &mut Matrix) {
        let inserted: BTreeSet<_> =
            cells.iter().filter(|it| matches!(it.look, Look::Row(_))).map(|it| &it.key).collect();
        for key in inserted {
            // `Allowed` stands for one row that went in, so far; see `Known::reach`.
            let rows = &known[&key.1].rows;
            let tried: Vec<&Cell> = cells.iter().filter(|it| it.key == *key).collect();
            let went: Vec<Option<bool>> = tried
                .iter()
                .filter(|it| it.went.get() == Some(true))
                .filter_map(|it| match it.look {
                    Look::Row(at) => rows.get(at).map(|it| it.1),
                    _ => None,
                })
                .collect();
            let owners: Vec<Option<bool>> = rows.iter().map(|it| it.1).collect();
            let reach = match went.is_empty() {
                true if tried.iter().any(|it| it.went.get().is_none()) => Reach::Allowed,
                true => Reach::Refused,
                false => Reach::of(&went, &owners),
            };
            matrix.insert(key.clone(), reach);
        }
    }
}

/// Relations by their identity.
pub type Identities = BTreeMap<u32, QName>;

const IDENTITIES: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Triggers and foreign keys say nothing of who may do what.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '5s'; \
     SET LOCAL client_min_messages = error; SET LOCAL row_security = on; SET LOCAL search_path = ''; \
     SET LOCAL session_replication_role = replica";

/// The relations, routines and namespaces of a schema whose access the plan may change: what it touches itself, and the
/// views and policies that stand on that.
fn concerned(schema: &Schema, plan: &[Planned]) -> BTreeSet<ObjectId> {
    let mut open: Vec<ObjectId> = vec![];
    for (id, half) in plan.iter().flat_map(|it| &it.does) {
        let concerns = match id.kind {
            Kind::Policy | Kind::RowSecurity | Kind::Grants | Kind::Owner => true,
            Kind::View | Kind::MaterializedView => true,
            // A new one that runs with the rights of its caller gives nobody anything.
            Kind::Routine => *half != Half::Create || is_definer(schema, id),
            _ => false,
        };
        if concerns && schema.contains(id) {
            open.push(schema.whole_of(id));
        } else if concerns && let [namespace, name, ..] = &id.path[..] {
            // What goes had the relation under another name, or is in none of both.
            let table = ObjectId::new(Kind::Table, [namespace, name]);
            open.extend(schema.contains(&table).then_some(table));
        }
    }
    let mut found: BTreeSet<ObjectId> = BTreeSet::new();
    if open.is_empty() {
        return found;
    }
    let mut parts: BTreeMap<ObjectId, Vec<&ObjectId>> = BTreeMap::new();
    for id in schema.objects.keys() {
        parts.entry(schema.whole_of(id)).or_default().push(id);
    }
    let dependents = schema.dependents();
    while let Some(whole) = open.pop() {
        let is_tried = matches!(
            whole.kind,
            Kind::Table | Kind::View | Kind::MaterializedView | Kind::Routine | Kind::Namespace
        );
        if !is_tried || !found.insert(whole.clone()) {
            continue;
        }
        if whole.kind == Kind::Namespace {
            let inside = schema.objects.keys().filter(|id| relation(id).is_some() && id.path[0] == whole.path[0]);
            open.extend(inside.cloned());
            continue;
        }
        let ids = parts.get(&whole).into_iter().flatten().copied();
        for id in ids.flat_map(|id| dependents.get(id).into_iter().flatten()) {
            let dependent = schema.whole_of(id);
            let follows = matches!(dependent.kind, Kind::View | Kind::MaterializedView | Kind::Routine);
            if follows || id.kind == Kind::Policy {
                open.push(dependent);
            }
        }
    }
    found
}

fn is_definer(schema: &Schema, id: &ObjectId) -> bool {
    matches!(schema.get(id), Some(Object::Routine(it)) if it.security_definer)
}

fn relation(id: &ObjectId) -> Option<QName> {
    match (id.kind, &id.path[..]) {
        (Kind::Table | Kind::View | Kind::MaterializedView, [namespace, name]) => {
            Some(QName::new(namespace.clone(), name.clone()))
        }
        _ => None,
    }
}

/// Who loads a schema on the shadow is a superuser there. For the trial each role has the attributes that it has; the
/// session's own can't be without, and is left out.
async fn as_they_are(
    session: &Session,
    specs: &[RoleSpec],
    roles: &BTreeSet<Role>,
) -> Result<Vec<Role>, tokio_postgres::Error> {
    let strong = session
        .client
        .query("SELECT rolname::text, rolname = session_user FROM pg_roles WHERE rolsuper", &[])
        .await?;
    let mut left_out = vec![];
    for row in strong {
        let (role, is_own) = (Role(row.get(0)), row.get::<_, bool>(1));
        if !roles.contains(&role) {
            continue;
        }
        if is_own {
            left_out.push(role);
            continue;
        }
        let bypasses = specs.iter().any(|it| it.bypassrls && it.name.as_str() == role.0);
        let bypass = if bypasses { "BYPASSRLS" } else { "NOBYPASSRLS" };
        session.client.batch_execute(&format!("ALTER ROLE {role} NOSUPERUSER {bypass}")).await?;
    }
    Ok(left_out)
}

/// Whether rows of the relation are each a tenant's: a table's by its class, a view's by what it reads.
pub fn holds_tenants(id: &ObjectId, schema: &Schema, tenancies: &[Tenancy]) -> bool {
    let is_scoped = |table: &QName| {
        tenancies.iter().any(|it| matches!(it.class(table), Some(Class::Scoped(_) | Class::Tenant)))
    };
    let mut open = vec![id.clone()];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        match (next.kind, relation(&next)) {
            (Kind::Table, Some(table)) if is_scoped(&table) => return true,
            (Kind::Table, _) => {}
            _ if seen.insert(next.clone()) => {
                open.extend(schema.needs_of(&next).map(|need| schema.whole_of(need)));
            }
            _ => {}
        }
    }
    false
}
