//! What tenancy writes and what it refuses: each directory of `tests/tenancy` is a configuration and a schema, and its
//! snapshot the difference that a reader sees, or the report. What is written is complete: once more, it changes nothing.

use std::path::Path;

use tenantry::diagnostic::{File, Look, Report, render_all};
use tenantry::source::{self, Declaration};
use tenantry::tenancy::{expand, settings};
use tenantry::{config, files};

const LOOK: Look = Look { colour: false, width: 100 };

/// The configuration of a case and its declaration as written.
struct Case {
    tenancy: settings::Declared,
    declaration: Declaration,
    major: u32,
}

impl Case {
    fn read(directory: &Path, sql: Option<String>) -> Result<Case, Vec<Report>> {
        let path = |name: &str| directory.join(name);
        let toml = files::schema_files(&[path("tenantry.toml")], &[])?;
        // Without the directory, so that reports read the same everywhere.
        let config = config::parse(&File::new("tenantry.toml", toml[0].text.as_str()))?;
        let sql = match sql {
            Some(sql) => sql,
            None => files::schema_files(&[path("schema.sql")], &[])?[0].text.clone(),
        };
        let major = config.database.server.unwrap_or(15);
        let tenancy = config.tenancy.expect("a case declares a tenancy");
        let declaration = source::read(vec![File::new("schema.sql", sql)], major)?;
        Ok(Case { tenancy, declaration, major })
    }

    fn expanded(self) -> Result<Declaration, Vec<Report>> {
        expand(self.declaration, &self.tenancy, self.major)
    }
}

fn case(toml: &Path) -> datatest_stable::Result<()> {
    let directory = toml.parent().expect("a file is in a directory");
    let name = directory.file_name().expect("it has a name").to_string_lossy().into_owned();
    let text = match Case::read(directory, None).and_then(|case| {
        let before = source::render_sql(&case.declaration);
        Ok((before, case.expanded()?))
    }) {
        Err(reports) => render_all(&reports, LOOK),
        Ok((before, expanded)) => {
            let after = source::render_sql(&expanded);
            let difference = similar::TextDiff::from_lines(&before, &after);
            let difference = difference.unified_diff().context_radius(1).header("declared", "expanded").to_string();
            let again = Case::read(directory, Some(directives(&after))).and_then(Case::expanded);
            let again = again.map_err(|reports| render_all(&reports, LOOK))?;
            let (once, twice) = (plain(&expanded), plain(&again));
            complete(&once, &twice);
            format!("{}{difference}", render_all(&expanded.notes, LOOK))
        }
    };
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/tenancy"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
    Ok(())
}

/// The statements of a declaration in one order.
fn plain(declaration: &Declaration) -> Vec<String> {
    let mut statements: Vec<String> = declaration.statements.iter().map(|it| it.sql.clone()).collect();
    statements.sort();
    // A privilege that is granted twice is granted.
    statements.dedup();
    statements
}

fn complete(once: &[String], twice: &[String]) {
    let missing: Vec<&String> = twice.iter().filter(|it| !once.contains(it)).collect();
    assert!(missing.is_empty() && once.len() == twice.len(), "written only the second time: {missing:#?}");
}

/// The text without the words that say where each statement came from, which are no part of it.
fn directives(sql: &str) -> String {
    sql.lines().filter(|line| !line.starts_with("-- schema.sql:")).collect::<Vec<_>>().join("\n")
}

datatest_stable::harness! {
    { test = case, root = "tests/tenancy", pattern = r"/tenantry\.toml$" },
}
