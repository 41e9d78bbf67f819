//! Changes made while code of before and after them reads and writes: a plan is applied stage by stage, no statement
//! fails, and each writer reads back what it wrote.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

mod copies;
mod indexes;
mod keys;
mod moves;
mod names;
mod split;

#[path = "../support/project.rs"]
mod project;
#[expect(dead_code, reason = "what other tests start is not needed here")]
#[path = "../support/mod.rs"]
mod support;

const MANY: &str = "INSERT INTO contacts (id, phone) SELECT i, '+' || i FROM generate_series(1000, 15000) i;
    ANALYZE contacts;";
