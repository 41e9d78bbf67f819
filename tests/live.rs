//! The live run of every case: the plan applies, converges, an outside observer agrees, rows survive, locks are as
//! declared, and undo leads back. One shadow server serves all cases of the run.

mod harness;

use std::path::Path;

use harness::{Case, runtime, shadow};

fn case(new: &Path) -> datatest_stable::Result<()> {
    let Some(case) = Case::read(new)? else { return Ok(()) };
    runtime().block_on(async {
        let sides = case.load(shadow().await).await?;
        sides.prove(&case).await
    })
}

datatest_stable::harness! {
    { test = case, root = "tests/cases", pattern = r"/new\.sql$" },
}
