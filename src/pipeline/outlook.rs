//! How the server would run the queries that have a budget, before and after a plan: what a reviewer is told of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Both, Failure, Live, Request, tenancy};
use crate::diagnostic::{Exit, Report};
use crate::introspect::server_message;
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::proof::outlook::{Asked, Lent, Seen, look};
use crate::proof::statistics::{Renamed, Statistics};
use crate::queries::Query;
use crate::queries::budget::{ActsFor, Budget};
use crate::queries::explained::Explained;
use crate::schema::Schema;
use crate::source::Class;
use crate::source::syntax::words;
use crate::source::toml::qname;
use crate::tenancy::{Tenancy, of_statement};

/// Rows from which on a table that is read whole is worth telling; from the lower number on where a query must not.
const LARGE: f64 = 10_000.0;
const NOT_SMALL: f64 = 1_000.0;

/// A line for each finding.
///
/// Errors: a number of rows is said of what is no table.
pub(super) async fn outlook(
    request: &Request,
    both: &Both,
    tenancies: &[Tenancy],
    queries: &[Query],
) -> Result<Vec<String>, Failure> {
    let budgets: Vec<(&Query, &Budget)> = queries.iter().filter_map(|it| Some((it, it.budget.as_ref()?))).collect();
    if budgets.is_empty() {
        return Ok(vec![]);
    }
    let said = said(request, both)?;
    let statistics = match &request.live {
        Live::Database(target) => {
            let namespaces: BTreeSet<Name> =
                both.current.of_kind(Kind::Table).filter_map(|it| it.id().path.first().cloned()).collect();
            let namespaces: Vec<&str> = namespaces.iter().map(Name::as_str).collect();
            let session = target.connect().await?;
            Statistics::read(&session.client, &namespaces).await.map_err(|error| {
                let what = format!("the planner's statistics could not be read: {}", server_message(&error));
                Failure::new(Exit::Failed, vec![Report::error("queries::statistics", what)])
            })?
        }
        Live::Legacy(_) | Live::Nothing => Statistics::default(),
    };
    if statistics.sizes.values().all(|it| it.rows <= 0.0 && it.pages == 0) && said.is_empty() {
        return Ok(vec![
            "queries: how the server would run them was not looked at, since nothing is known of the rows: plan with \
             --database, or say [queries.rows]"
                .into(),
        ]);
    }
    let asked: Vec<Asked<'_>> = budgets.iter().map(|(query, budget)| asked(query, budget, tenancies)).collect();
    let once = once(tenancies, &both.declared);
    let (old, new) = (Renamed::default(), renamed(both));
    let with = |schema: Schema| {
        let mut described = both.surroundings.clone();
        described.creator = schema.creator.clone();
        described.server_version = schema.server_version;
        described.objects.extend(schema.objects);
        described.needs.extend(schema.needs);
        described
    };
    let before = with(tenancy::with_rights(&both.scope, &both.live.schema, &both.live.schema));
    let after = with(both.declared.clone());
    let lent = |renamed| Lent { statistics: &statistics, renamed, said: &said };
    let before = look(&both.shadow, &before, &lent(&old), &asked, &once).await?;
    let after = look(&both.shadow, &after, &lent(&new), &asked, &once).await?;
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(vec![
            "queries: how the server would run them was not looked at: only a private shadow can be lent the live \
             side's statistics"
                .into(),
        ]);
    };
    let mut told = vec![];
    if !statistics.hidden.is_empty() {
        let tables: Vec<String> = statistics.hidden.iter().map(ToString::to_string).collect();
        told.push(format!(
            "queries: this user may not read the planner's statistics of {}; their sizes alone were used",
            tables.join(", ")
        ));
    }
    for (at, (_, budget)) in budgets.iter().enumerate() {
        let found = findings(budget, &before.explained[at], &after.explained[at], &after);
        told.extend(found.into_iter().map(|it| format!("query {:?}: {it}", budget.name)));
    }
    Ok(told)
}

/// What there is to tell of one query.
fn findings(
    budget: &Budget,
    before: &Result<Explained, String>,
    after: &Result<Explained, String>,
    seen: &Seen,
) -> Vec<String> {
    let Ok(after) = after else {
        // Whether it works at all, the trial of all statements tells.
        let error = after.as_ref().err().cloned().unwrap_or_default();
        return vec![format!("how it would be run was not seen: {error}")];
    };
    let mut found = vec![];
    for (table, how) in &after.whole {
        let Some(taken) = seen.tables.get(table) else { continue };
        let forbidden = [table, &taken.part_of].into_iter().any(|it| budget.never_whole.contains(it));
        let size: f64 = match *table == taken.part_of {
            true => taken.rows,
            false => seen.tables.get(&taken.part_of).map_or(taken.rows, |it| it.rows),
        };
        if forbidden && size >= NOT_SMALL {
            found.push(format!("reads all of {table} ({how}), which it must not"));
        } else if size >= LARGE {
            found.push(format!("reads all of {table} ({how})"));
        }
    }
    for (table, function) in &after.each_row {
        found.push(format!(
            "calls {function}() for each row of {table}; write (SELECT {function}(…)) in its policies"
        ));
    }
    if let Ok(before) = before
        && before.shape != after.shape
    {
        found.push(format!("is run in another way: {} → {}", before.shape, after.shape));
    }
    found
}

/// `[queries.rows]`.
fn said(request: &Request, both: &Both) -> Result<BTreeMap<QName, u64>, Failure> {
    let mut said = BTreeMap::new();
    let mut faults = vec![];
    for (written, rows) in &request.config.queries.rows {
        let name = qname(written);
        let is_table = |name: &QName| {
            let id = crate::kind::table::id(name);
            both.desired.contains(&id) || both.live.schema.contains(&id)
        };
        match name.filter(is_table) {
            Some(name) => _ = said.insert(name, *rows),
            None => {
                let report = Report::error(
                    "queries::rows",
                    format!("[queries.rows] names {written}, and no such table is there"),
                );
                faults.push(report.help("write `namespace.name`, or `name` for one in public"));
            }
        }
    }
    if faults.is_empty() { Ok(said) } else { Err(Failure::new(Exit::Failed, faults)) }
}

/// Whose session runs a query: the tenant does not matter for the way, as long as there is one.
fn asked<'a>(query: &'a Query, budget: &Budget, tenancies: &[Tenancy]) -> Asked<'a> {
    let tenancy = of_statement(tenancies, &query.relations).map(|at| &tenancies[at]);
    let role = query.role.clone().or_else(|| {
        let bound = tenancy?.roles.bound.first()?;
        Some(Name::from(bound.0.as_str()))
    });
    let enter = tenancy.and_then(|tenancy| {
        let is_uuid = tenancy.levels.first().is_some_and(|it| it.data_type == "uuid");
        let key = match &budget.tenant {
            ActsFor::Nobody => return None,
            ActsFor::One(key) => key.clone(),
            ActsFor::Each if is_uuid => "00000000-0000-0000-0000-000000000000".into(),
            ActsFor::Each => "1".into(),
        };
        Some(tenancy.session.as_ref()?.enter(&key))
    });
    Asked { query, role, enter }
}

/// The functions that tell a session's tenant: one call a statement does.
fn once(tenancies: &[Tenancy], schema: &Schema) -> BTreeSet<String> {
    let mentioned: BTreeSet<String> =
        tenancies.iter().flat_map(|it| &it.levels).flat_map(|it| words(&it.current)).collect();
    let routines = schema.of_kind(Kind::Routine).filter_map(|it| match it {
        Object::Routine(routine) => Some(routine.name.name.as_str().to_owned()),
        _ => None,
    });
    let mut once: BTreeSet<String> = routines.filter(|it| mentioned.contains(it)).collect();
    once.insert("current_setting".into());
    once
}

/// The live names of what the declaration renames and the live side still has under its old name.
fn renamed(both: &Both) -> Renamed {
    let mut renamed = Renamed::default();
    for rename in &both.declaration.renames {
        match (rename.class, rename.path.as_slice()) {
            (Class::Table, [namespace, name]) => {
                let new = QName { namespace: namespace.clone(), name: name.clone() };
                if !both.current.contains(&crate::kind::table::id(&new)) {
                    renamed.tables.insert(new.clone(), new.sibling(rename.old.clone()));
                }
            }
            (Class::Column, [namespace, table, name]) => {
                let id = ObjectId::new(Kind::Column, [namespace, table, name]);
                if !both.current.contains(&id) {
                    let table = QName { namespace: namespace.clone(), name: table.clone() };
                    renamed.columns.insert((table, name.clone()), rename.old.clone());
                }
            }
            _ => {}
        }
    }
    renamed
}
