//! The way back from every stop of a plan: between two transactions, with what was done until then taken back.

use tenantry::connect::Session;
use tenantry::introspect::introspect;
use tenantry::plan::{Planned, Stage, split};
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

/// The gates to which the undo leads, and from which the plan does not go on to its end: people stop there, and go back to
/// there. `done`: sessions of a database where the whole plan is done.
pub async fn forward_again(done: [&Session; 2], plan: &[Planned], end: &Schema) -> Outcome<Vec<String>> {
    let [runner, watcher] = done;
    let pieces = split::pieces(plan);
    let gated = pieces.iter().filter(|it| it.stage == Stage::Contract && it.steps.start > 0);
    for from in gated.map(|it| it.steps.start).rev() {
        if plan[from..].iter().any(|it| it.step.irreversible.is_some()) {
            break;
        }
        let stop = format!("back to the stop after step {from}");
        runner.client.batch_execute(&format!("RESET ALL; {}", observe::SESSION)).await?;
        if let Err(error) = observe::undo(runner, &plan[from..]).await {
            return Ok(vec![format!("{stop}: {error}")]);
        }
        runner.client.batch_execute("RESET ALL").await?;
        if let Err(error) = observe::run(runner, watcher, &plan[from..]).await {
            runner.client.batch_execute("ROLLBACK").await?;
            return Ok(vec![format!("{stop} and forward: {error}")]);
        }
        runner.client.batch_execute("RESET ALL").await?;
        let reached = introspect(&runner.client, true).await?.schema;
        let faults = differences(&format!("{stop} and forward"), &reached, end);
        if !faults.is_empty() {
            return Ok(faults);
        }
    }
    Ok(vec![])
}
