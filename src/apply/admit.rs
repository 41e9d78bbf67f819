//! Looks whether a plan may be applied to a database, before anything is changed.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::error::ApplyError;
use super::statement::{Need, ends_transaction, goes_through_rows, needs};
use crate::journal::{self, Run};
use crate::name::QName;
use crate::pipeline::unaccepted;
use crate::plan::file::{FileHazard, PlanFile};
use crate::plan::hazard::is_meant;

/// The steps are such as a run relies on: whoever signed the plan again may have made others of them.
pub(super) fn sound(plan: &PlanFile) -> Result<(), ApplyError> {
    let mut faults = vec![];
    for (step, id) in plan.steps.iter().zip(1..) {
        if step.id != id {
            faults.push(format!("step {id} is called {}, by which the journal would take it for another", step.id));
        }
        let statements = [&step.sql].into_iter().chain(step.undo.iter().map(|it| &it.sql));
        if statements.into_iter().any(|it| ends_transaction(it)) {
            faults.push(format!("step {id} begins or ends a transaction by itself"));
        }
        if step.batch.as_ref().is_some_and(|it| it.whole() != step.sql) {
            faults.push(format!("step {id} does in batches what its statement does not say"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ApplyError::Unsound { name: plan.name.clone(), faults }) }
}

/// Hazards that must be accepted are, in the file or here.
pub(super) fn accepted(plan: &PlanFile, accept: &[String]) -> Result<(), ApplyError> {
    let open: Vec<(u32, &FileHazard)> = unaccepted(plan)
        .into_iter()
        .filter(|(_, it)| !accept.iter().any(|given| is_meant(given, it.code, &it.object)))
        .collect();
    let Some((_, first)) = open.first() else { return Ok(()) };
    let help =
        format!("nothing was changed; plan without them, or accept each by name: --accept {}", first.acceptance());
    let open =
        open.iter().map(|(step, it)| format!("step {step}: {}: {}: {}", it.code, it.object, it.why)).collect();
    Err(ApplyError::Hazards { open, help })
}

/// The role that writes, if the session can write.
pub(super) async fn writable(client: &Client) -> Result<String, ApplyError> {
    let query = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', current_user::text";
    let row = client.query_one(query, &[]).await?;
    let role: String = row.get(2);
    match (row.get(0), row.get(1)) {
        (true, _) => Err(ApplyError::Recovery),
        (false, true) => Err(ApplyError::ReadOnly { role }),
        (false, false) => Ok(role),
    }
}

/// Takes the lock that keeps two applies apart. It goes with the session.
pub(super) async fn lock(client: &Client) -> Result<(), ApplyError> {
    let taken: bool = client.query_one("SELECT pg_try_advisory_lock($1)", &[&journal::LOCK_KEY]).await?.get(0);
    if taken {
        return Ok(());
    }
    let holder = client.query_opt(journal::LOCK_HOLDER, &[&journal::LOCK_KEY]).await?;
    let holder = holder.map(|row| {
        let (pid, application, user): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
        let (from, since): (String, String) = (row.get(3), row.get(4));
        format!("process {pid} of {user} ({application}) from {from}, connected since {since}")
    });
    Err(ApplyError::Busy { holder })
}

/// The process that applies now, if one does.
pub async fn holder(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    let row = client.query_opt(journal::LOCK_HOLDER, &[&journal::LOCK_KEY]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// The runs of the journal, newest first: of one plan or of all. `None`: there is no journal.
pub async fn runs(client: &Client, plan: Option<&str>) -> Result<Option<Vec<Run>>, tokio_postgres::Error> {
    let exists: bool = client.query_one(journal::EXISTS, &[]).await?.get(0);
    if !exists {
        return Ok(None);
    }
    let rows = client.query(journal::RUNS, &[&plan]).await?;
    // A line that a newer program wrote may say what this one can't read; the others still tell.
    Ok(Some(rows.iter().filter_map(|row| serde_json::from_str(row.get(0)).ok()).collect()))
}

/// What the role lacks for the plan and its journal, as far as it can be known before the first step.
pub(super) async fn privileges(client: &Client, plan: &PlanFile) -> Result<Vec<String>, ApplyError> {
    let needs = needs(plan.steps.iter().map(|it| it.sql.as_str()));
    let (mut owned, mut referenced, mut namespaces, mut database) = (vec![], vec![], vec![], false);
    for need in &needs {
        match need {
            Need::Owner(relation) => owned.push(relation),
            Need::References(relation) => referenced.push(relation),
            Need::Create(namespace) => namespaces.push(namespace.as_str()),
            Need::CreateInDatabase => database = true,
        }
    }
    let split = |names: &[&QName]| -> (Vec<String>, Vec<String>) {
        names.iter().map(|it| (it.namespace.as_str().to_owned(), it.name.as_str().to_owned())).unzip()
    };
    let mut missing = vec![];
    let (of, named) = split(&owned);
    let query = "
        SELECT format('%I.%I', want.namespace, want.name), pg_get_userbyid(c.relowner)::text
          FROM unnest($1::text[], $2::text[]) AS want (namespace, name)
          JOIN pg_namespace n ON n.nspname = want.namespace
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = want.name
         WHERE NOT pg_has_role(c.relowner, 'USAGE')";
    for row in client.query(query, &[&of, &named]).await? {
        let (relation, owner): (String, String) = (row.get(0), row.get(1));
        missing.push(format!("to own {relation}, or to be a member of its owner {owner}"));
    }
    let (of, named) = split(&referenced);
    let query = "
        SELECT format('%I.%I', want.namespace, want.name)
          FROM unnest($1::text[], $2::text[]) AS want (namespace, name)
          JOIN pg_namespace n ON n.nspname = want.namespace
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = want.name
         WHERE NOT has_table_privilege(c.oid, 'REFERENCES')";
    for row in client.query(query, &[&of, &named]).await? {
        missing.push(format!("REFERENCES on {}", row.get::<_, String>(0)));
    }
    let query = "SELECT format('%I', nspname) FROM pg_namespace
         WHERE nspname = ANY ($1::text[]) AND NOT has_schema_privilege(oid, 'CREATE') ORDER BY 1";
    for row in client.query(query, &[&namespaces]).await? {
        missing.push(format!("CREATE on schema {}", row.get::<_, String>(0)));
    }
    for table in held_back(client, plan).await? {
        missing.push(format!(
            "BYPASSRLS, or row security of {table} that is not forced: the plan goes through all of its rows"
        ));
    }
    let query = "
        SELECT has_database_privilege(current_database(), 'CREATE'), format('%I', current_database()),
               to_regnamespace('tenantry') IS NULL,
               (SELECT coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                                         AND has_table_privilege(c.oid, 'INSERT')
                                         AND has_table_privilege(c.oid, 'UPDATE')), true)
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'tenantry' AND c.relname IN ('run', 'step', 'backfill'))";
    let row = client.query_one(query, &[]).await?;
    let (may_create, name, no_journal, may_write): (bool, String, bool, bool) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    if no_journal && !may_create {
        missing.push(format!("CREATE on database {name}, for the journal in the namespace tenantry"));
    } else if database && !may_create {
        missing.push(format!("CREATE on database {name}"));
    }
    if !may_write {
        missing
            .push("USAGE on schema tenantry, and SELECT, INSERT and UPDATE on its tables, for the journal".into());
    }
    Ok(missing)
}

/// Tables whose rows the plan goes through, and whose row security holds the role back. What a plan forces anew it forces
/// last.
async fn held_back(client: &Client, plan: &PlanFile) -> Result<Vec<String>, ApplyError> {
    let steps = plan.steps.iter().filter(|it| goes_through_rows(&it.sql));
    let relations = steps.flat_map(|it| {
        let batch = it.batch.iter().map(|it| &it.table);
        it.scans.iter().chain(batch).chain(it.locks.iter().map(|it| &it.relation))
    });
    let relations: BTreeSet<&String> = relations.collect();
    let relations: Vec<&String> = relations.into_iter().collect();
    let query = "SELECT it FROM unnest($1::text[]) AS it WHERE row_security_active(to_regclass(it))";
    let rows = client.query(query, &[&relations]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
