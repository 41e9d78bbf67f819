//! What a tenancy that is distributed by Citus adds to a plan: what Citus would refuse, which tables are distributed
//! already, and the steps for the others.

use std::collections::BTreeSet;

use super::{Both, Failure, Live, Request};
use crate::diagnostic::{Exit, Report};
use crate::name::QName;
use crate::plan::origin::Origins;
use crate::plan::{self, Planned};
use crate::tenancy::Tenancy;
use crate::tenancy::citus::{self, Distributed};

/// The plan with the steps that distribute its tables, and what is told of them.
///
/// Errors: all that Citus would refuse, unless `[tenancy] allow` accepts it.
pub async fn distributed(
    mut steps: Vec<Planned>,
    request: &Request,
    both: &Both,
    tenancies: &[Tenancy],
) -> Result<(Vec<Planned>, Vec<String>), Failure> {
    let Some(declared) = &request.config.tenancy else { return Ok((steps, vec![])) };
    let on_citus = tenancies.iter().zip(&declared.tenancies).filter(|(_, it)| it.distribution.is_some());
    let origins = Origins::new(&both.declaration);
    let (mut reports, mut more, mut notes) = (vec![], vec![], vec![]);
    let mut known: Option<Distributed> = None;
    for (tenancy, settings) in on_citus {
        for it in citus::refused(tenancy, &both.declared) {
            let code = format!(
                "{}:{}",
                citus::CODE,
                it.object.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
            );
            if let Some((_, why)) = settings.allow.iter().find(|(allowed, _)| *allowed.get_ref() == code) {
                notes.push(format!("Citus: {}: {}; accepted: {why}", it.object, it.why));
                continue;
            }
            let mut report = Report::error("citus::refused", format!("Citus refuses {}: {}", it.object, it.why))
                .help(format!("{}; accepted by `\"{code}\" = \"reason\"` in [tenancy.allow]", it.fix));
            if let Some(span) = origins.span(&it.object, &both.declared) {
                report.places.push(both.declaration.place(span, "declared here"));
            }
            reports.push(report);
        }
        if known.is_none() {
            known = Some(present(&request.live).await?);
        }
        let there = known.as_ref().and_then(|it| it.as_ref().ok()).cloned().unwrap_or_default();
        more.extend(citus::steps(tenancy, &both.desired, &there));
    }
    if !reports.is_empty() {
        return Err(Failure::new(Exit::Failed, reports));
    }
    if let Some(known) = &known {
        notes.extend(citus::notes(&more, known));
    }
    // Each is told apart from its neighbours before all are numbered.
    for (place, it) in more.iter_mut().enumerate() {
        it.transaction = Some(u32::MAX - u32::try_from(place).unwrap_or_default());
    }
    steps.extend(more);
    plan::renumber(&mut steps);
    Ok((steps, notes))
}

/// The tables that Citus has distributed on the live side.
async fn present(live: &Live) -> Result<Distributed, Failure> {
    let Live::Database(target) = live else {
        return Ok(Err("since a file stands for the live side".to_owned()));
    };
    let session = target.connect().await?;
    let asked = |error: tokio_postgres::Error| {
        let report = Report::error("citus::asked", crate::introspect::server_message(&error));
        Failure::new(Exit::Failed, vec![report])
    };
    let there = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";
    if !session.client.query_one(there, &[]).await.map_err(asked)?.get::<_, bool>(0) {
        return Ok(Err("since the extension is not there; the steps fail until it is".to_owned()));
    }
    let sql = "SELECT n.nspname::text, c.relname::text
                 FROM pg_catalog.pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace";
    let rows = session.client.query(sql, &[]).await.map_err(asked)?;
    let name = |row: &tokio_postgres::Row| QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
    Ok(Ok(rows.iter().map(name).collect::<BTreeSet<QName>>()))
}
