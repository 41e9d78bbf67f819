//! What a plan says of its ways back: of those that a rollback can go.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

#[allow(dead_code, reason = "not every test needs all of it")]
#[path = "support/project.rs"]
mod project;
#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use project::Project;

/// That the partition can't be partitioned again is no fault of what comes before it.
#[tokio::test]
async fn nobody_goes_over_what_has_no_way_back() {
    let old = "
        CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE t_first PARTITION OF t FOR VALUES FROM (0) TO (100) PARTITION BY HASH (id);
        CREATE TABLE t_first_0 PARTITION OF t_first FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE TABLE t_rest PARTITION OF t DEFAULT;
        ALTER TABLE t ADD CONSTRAINT t_key UNIQUE (id)";
    let new = "
        CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE t_first PARTITION OF t FOR VALUES FROM (0) TO (100);
        CREATE TABLE t_rest PARTITION OF t DEFAULT;
        ALTER TABLE t ADD CONSTRAINT t_key UNIQUE (id) DEFERRABLE;";
    let project = Project::new("ways_back", old, &[("schema/all.sql", new)]).await;
    project.plan().await;
    let plan = tenantry::files::plan(&project.dir.path().join("plan.toml")).unwrap();
    let first = plan.steps.iter().position(|it| it.irreversible.is_some());
    assert!(
        first.is_some_and(|first| plan.steps[..first].iter().any(|it| !it.undo.is_empty())),
        "{:#?}",
        plan.steps
    );
    assert!(plan.proof.undo_returns && plan.proof.unproved.is_empty(), "{:?}", plan.proof);
}
