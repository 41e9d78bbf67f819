//! The ways back of a plan: from its end, and from before whatever has none, each to where it begins.

use std::ops::Range;

use tenantry::apply::{self, Limits};
use tenantry::connect::Session;
use tenantry::introspect::introspect;
use tenantry::plan::file::FileStep;
use tenantry::plan::{Planned, Stage, Undo};
use tenantry::proof::{back, observe};
use tenantry::schema::Schema;
use tenantry::shadow::{Shadow, ShadowDatabase};

use super::{Outcome, differences};

/// What is taken back in one go: all steps between transactions that have no way back.
fn ways(plan: &[Planned]) -> Vec<Range<usize>> {
    let mut ways = vec![];
    let (mut start, mut place) = (0, 0);
    for together in plan.chunk_by(|a, b| a.transaction.is_some() && a.transaction == b.transaction) {
        let end = place + together.len();
        if together.iter().any(|it| it.step.irreversible.is_some()) && together.iter().all(|it| it.undo.is_empty())
        {
            ways.push(start..place);
            start = end;
        }
        place = end;
    }
    ways.push(start..place);
    // `rollback` goes no way on which there is nothing to do.
    ways.retain(|it| *it == (0..place) || plan[it.clone()].iter().any(|it| !it.undo.is_empty()));
    ways
}

/// The ways that do not lead back. Where rows are lost, the schema comes back all the same. `done`: a session of a
/// database where the whole plan is done.
pub async fn faults(
    shadow: &Shadow,
    old: &ShadowDatabase,
    plan: &[Planned],
    [start, end]: [&Schema; 2],
    done: &Session,
) -> Outcome<Vec<String>> {
    let mut faults = vec![];
    for way in ways(plan) {
        if way == (0..plan.len()) {
            faults.extend(over(done, plan, way, start, [start, end]).await?);
            continue;
        }
        let copy = shadow.clone_database(old, "back").await?;
        let (runner, watcher) = (copy.connect().await?, copy.connect().await?);
        observe::run(&runner, &watcher, &plan[..way.start]).await?;
        runner.client.batch_execute("RESET ALL").await?;
        let before = introspect(&runner.client, true).await?.schema;
        observe::run(&runner, &watcher, &plan[way.clone()]).await?;
        faults.extend(over(&runner, plan, way, &before, [start, end]).await?);
        drop((runner, watcher));
        shadow.drop_database(copy).await?;
    }
    Ok(faults)
}

async fn over(
    runner: &Session,
    plan: &[Planned],
    way: Range<usize>,
    before: &Schema,
    ends: [&Schema; 2],
) -> Outcome<Vec<String>> {
    runner.client.batch_execute(&format!("RESET ALL; {}", observe::SESSION)).await?;
    let steps = format!("steps {} to {}", way.start + 1, way.end);
    let against = against(runner, &plan[way.clone()]).await?;
    if let Err(error) = observe::undo(runner, &plan[way]).await {
        return Ok(vec![format!("undo of {steps}: {error}")]);
    }
    // An undo that goes through is one that nothing stood against.
    if let [_, ..] = against.as_slice() {
        return Ok(against.into_iter().map(|it| format!("before the undo of {steps}: {it}")).collect());
    }
    runner.client.batch_execute("RESET ALL").await?;
    let mut reached = introspect(&runner.client, true).await?.schema;
    for id in back::whole_again([&reached, before], ends) {
        reached.objects.insert(id.clone(), before.objects[&id].clone());
    }
    Ok(differences(&format!("after the undo of {steps}"), &reached, before))
}

/// What the rows are said to have against the undos.
async fn against(runner: &Session, plan: &[Planned]) -> Outcome<Vec<String>> {
    let step = |(place, undo): (usize, &Undo)| {
        FileStep::new(u32::try_from(place + 1).unwrap_or(u32::MAX), Stage::Expand, undo.sql.clone())
    };
    let undos: Vec<FileStep> = observe::undos(plan).map(step).collect();
    let findings = apply::preflight(runner.target(), &undos, Limits::default()).await?;
    Ok(findings.into_iter().filter(|it| it.stops).map(|it| format!("step {}: {}", it.step, it.message)).collect())
}
