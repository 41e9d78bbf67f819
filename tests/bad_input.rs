//! What people read when a schema is wrong: each directory of `bad_input` is read as a schema, and its report kept.

use std::collections::BTreeSet;
use std::path::Path;

use tenantry::diagnostic::{Look, render_all};
use tenantry::{files, source};

/// Reads the schema of a case and compares what is said about it with its snapshot.
fn report(case: &str) {
    let directory = Path::new("tests/bad_input").join(case);
    let reports = match files::schema_files(&[directory], &[]).and_then(|files| source::read(files, 15)) {
        Ok(declaration) => declaration.notes,
        Err(reports) => reports,
    };
    let text = render_all(&reports, Look { colour: false, width: 80 });
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/bad_input");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
}

macro_rules! cases {
    ($($case:ident)*) => {
        const CASES: &[&str] = &[$(stringify!($case)),*];

        $(
            #[test]
            fn $case() {
                report(stringify!($case));
            }
        )*
    };
}

cases! {
    bad_expression
    copy_data
    cycle
    declared_nowhere
    declared_twice
    derived
    directive_without_effect
    empty_schema
    missing_semicolon
    moves
    non_ascii_before_error
    not_utf8
    nothing_declared
    only_notes
    parenthesis_left_open
    psql_command
    rows
    said_twice
    server_wide
    setting
    steps
    syntax_errors
    toml_syntax
    unended_quote
    unknown_toml_key
    unreadable
    wrong_toml_type
}

#[test]
fn every_directory_is_a_case() {
    let directories: BTreeSet<String> = std::fs::read_dir("tests/bad_input")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(directories, CASES.iter().map(|case| (*case).to_owned()).collect());
}
