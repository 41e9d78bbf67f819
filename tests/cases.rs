//! The plan of every case as a reviewer reads it, one snapshot each: `snapshots/<kind>/<case>.snap`.

mod harness;

use std::path::Path;

use harness::{Case, runtime, shadow};

fn case(new: &Path) -> datatest_stable::Result<()> {
    let Some(case) = Case::read(new)? else { return Ok(()) };
    let text = runtime().block_on(async {
        let sides = case.load(shadow().await).await?;
        let text = sides.review(&case);
        sides.end().await?;
        text
    })?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(&case.kind));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case.name.as_str(), text));
    Ok(())
}

datatest_stable::harness! {
    { test = case, root = "tests/cases", pattern = r"/new\.sql$" },
}
