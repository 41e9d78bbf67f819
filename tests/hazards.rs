//! The list of hazards against what there is of it: the page, and a plan that has each.
#![allow(clippy::disallowed_methods, reason = "tests read the repository")]

use std::fs;
use std::path::Path;

use tenantry::plan::hazard::{Code, page};

/// Codes that are no step's of two schemas: `plan` or `lint` finds them, and these tests hold what it says.
const FOUND_LATER: &[(Code, &str, &str)] = &[
    (Code::SuspectedRename, "tests/cli.rs", "a_lookalike_of_a_rename_is_a_question"),
    (Code::BreaksQuery, "tests/queries.rs", "breaks-query"),
    (Code::Truncate, "tests/lint.rs", " truncate table"),
    (Code::Cascade, "tests/lint.rs", " cascade view"),
    (Code::WrittenAnew, "tests/lint.rs", " vacuum-full table"),
    (Code::NoLockTimeout, "tests/lint.rs", " no-lock-timeout table"),
    (Code::WorkUnderLock, "tests/lint.rs", " work-under-lock table"),
    (Code::NoPrimaryKey, "tests/lint.rs", "\"no-primary-key table"),
    (Code::IntegerKey, "tests/lint.rs", "\"integer-key column"),
    (Code::SerialColumn, "tests/lint.rs", "\"serial-column column"),
    (Code::ForeignKeyWithoutIndex, "tests/lint.rs", "\"foreign-key-without-index constraint"),
    (Code::DuplicateIndex, "tests/lint.rs", "\"duplicate-index index"),
    (Code::WideIndex, "tests/lint.rs", "\"wide-index index"),
    (Code::JsonColumn, "tests/lint.rs", "\"json-column column"),
    (Code::NaiveTimestamp, "tests/lint.rs", "\"timestamp-without-time-zone column"),
    (Code::PaddedText, "tests/lint.rs", "\"char-column column"),
    (Code::LimitedText, "tests/lint.rs", "\"varchar-limit column"),
    (Code::EnumByType, "tests/lint.rs", "\"enum-type enum"),
    (Code::ConstrainedDomain, "tests/lint.rs", "\"domain-with-check domain"),
    (Code::RowsAtOnce, "tests/lint.rs", " rows-in-one-statement table"),
];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_page_is_that_of_the_list() {
    assert!(
        read("docs/hazards.md") == page::markdown(),
        "docs/hazards.md is stale: cargo run -- show hazards > docs/hazards.md"
    );
}

#[test]
fn every_hazard_is_in_the_plan_of_a_case() {
    let mut plans = String::new();
    for kind in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")).unwrap() {
        for plan in fs::read_dir(kind.unwrap().path()).unwrap() {
            plans += &read(plan.unwrap().path());
        }
    }
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !plans.contains(&format!("{code}: ")))
        .filter(|code| !FOUND_LATER.iter().any(|(of, path, words)| of == *code && read(path).contains(words)))
        .map(|code| code.name())
        .collect();
    assert!(missing.is_empty(), "no case has {}", missing.join(", "));
}

#[test]
fn what_is_said_of_a_hazard_is_whole() {
    for code in Code::ALL {
        let about = code.about();
        for text in [about.condition, about.effect, about.safer, about.example] {
            assert!(!text.is_empty() && !text.ends_with(['.', ';']) && text.trim() == text, "{code}: {text}");
        }
    }
}
