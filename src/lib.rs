//! Takes a PostgreSQL database to the schema that its repository declares.
//!
//! `ARCHITECTURE.md` draws the map; the modules below are its rooms. `introspect`, `shadow`, `elaborate`,
//! `passage`, `proof`, `tenancy::prove`, `bench`, `apply`, `files`, `connect` and `cli` touch the world; all others are
//! functions over values.
#![cfg_attr(
    not(test),
    warn(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unwrap_used
    )
)]

pub mod adopt;
pub mod amount;
pub mod apply;
pub mod bench;
pub mod cli;
pub mod config;
pub mod connect;
pub mod diagnostic;
pub mod diff;
pub mod elaborate;
pub mod files;
pub mod introspect;
pub mod journal;
pub mod kind;
pub mod lint;
pub mod lock;
pub mod name;
pub mod passage;
pub mod pipeline;
pub mod plan;
pub mod platform;
pub mod preflight;
pub mod proof;
pub mod queries;
pub mod render;
pub mod schema;
pub mod scope;
pub mod shadow;
pub mod source;
pub mod tenancy;
pub mod walk;
