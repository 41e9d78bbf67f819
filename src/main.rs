//! The `tenantry` program. All of it is in the library; see `cli`.

use std::process::{ExitCode, Termination};

fn main() -> ExitCode {
    tenantry::cli::main().report()
}
