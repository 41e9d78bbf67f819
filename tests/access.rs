//! Who gains and who loses what by a plan, as it was tried: each directory of `tests/access` is a live database and a
//! declaration; its snapshot what the reviewer reads, and the hazards that come of it.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use tenantry::config;
use tenantry::diagnostic::{File, Look, render_all};
use tenantry::pipeline::{self, Live, Request};
use tenantry::plan::hazard::Code;
use tenantry::render::review;
use tenantry::shadow::ShadowSpec;

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

const ROLES: &str = "CREATE ROLE app_owner; CREATE ROLE app_reader; CREATE ROLE app_writer; CREATE ROLE anon; \
                     CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS";

#[tokio::test]
async fn the_review_tells_who_gains_and_who_loses_what() {
    let server = support::Server::start(&[], &[]);
    server.execute(&[ROLES]);
    let mut cases: Vec<PathBuf> = fs::read_dir("tests/access").unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/access"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let told = told(&server, case, &name).await;
        settings.bind(|| insta::assert_snapshot!(name.clone(), told));
    }
    assert!(cases.len() > 10, "only {} cases were planned", cases.len());
}

/// What a reviewer of the plan is told.
async fn told(server: &support::Server, case: &Path, name: &str) -> String {
    let text = |file: &str| fs::read_to_string(case.join(file)).unwrap_or_default();
    server.execute(&[&format!("CREATE DATABASE {name}")]);
    let session = server.target(name).connect().await.unwrap();
    session.client.batch_execute(&text("old.sql")).await.unwrap();
    drop(session);
    let mut config = config::parse(&File::new("tenantry.toml", text("tenantry.toml"))).unwrap();
    config.schema.paths =
        ["new.sql", "new.toml"].map(|it| case.join(it)).into_iter().filter(|it| it.exists()).collect();
    let request = Request {
        live: Live::Database(server.target(name)),
        // One server for all is faster than a private one for each.
        shadow: ShadowSpec::Given(server.target("postgres")),
        config,
        name: name.to_owned(),
        accept: vec![],
        renames: true,
        split: false,
    };
    let made = match pipeline::plan(&request).await {
        Ok(made) => made,
        Err(failure) => return render_all(&failure.reports, Look { colour: false, width: 100 }),
    };
    let mut told = String::new();
    for (is_gain, line) in review::access(&made.file) {
        let _ = writeln!(told, "{} {line}", if is_gain { '+' } else { '-' });
    }
    for step in &made.file.steps {
        let of_access = [Code::LoosensAccess, Code::RowSecurityLoosened];
        for hazard in step.hazards.iter().filter(|it| of_access.contains(&it.code)) {
            let _ = writeln!(told, "step {}: {}: {}: {}", step.id, hazard.code, hazard.object, hazard.why);
        }
    }
    for it in &made.file.proof.unproved {
        let _ = writeln!(told, "not proved: {it}");
    }
    told
}
