//! The way back from every stop of a plan: between two transactions, with what was done until then taken back.

use tenantry::introspect::introspect;
use tenantry::plan::Planned;
use tenantry::proof::observe;
use tenantry::schema::Schema;
use tenantry::shadow::{Shadow, ShadowDatabase};

use super::{Outcome, differences};

/// The stops from which the undo does not lead back. What has no way back is no stop to go back from.
pub async fn faults(
    shadow: &Shadow,
    old: &ShadowDatabase,
    plan: &[Planned],
    start: &Schema,
) -> Outcome<Vec<String>> {
    let mut faults = vec![];
    let stop = |at: &usize| plan[*at].transaction.is_none() || plan[*at].transaction != plan[*at - 1].transaction;
    for until in (1..plan.len()).filter(stop) {
        if plan[..until].iter().any(|it| it.step.irreversible.is_some()) {
            break;
        }
        let copy = shadow.clone_database(old, "stopped").await?;
        let (runner, watcher) = (copy.connect().await?, copy.connect().await?);
        observe::run(&runner, &watcher, &plan[..until]).await?;
        runner.client.batch_execute("RESET ALL").await?;
        runner.client.batch_execute(observe::SESSION).await?;
        match observe::undo(&runner, &plan[..until]).await {
            Err(error) => faults.push(format!("undo from a stop after step {until}: {error}")),
            Ok(()) => {
                runner.client.batch_execute("RESET ALL").await?;
                let back = introspect(&runner.client, true).await?.schema;
                faults.extend(differences(&format!("after the undo from a stop after step {until}"), &back, start));
            }
        }
        drop((runner, watcher));
        shadow.drop_database(copy).await?;
    }
    Ok(faults)
}
