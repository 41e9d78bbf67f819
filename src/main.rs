//! The `tenantry` program. All of it is in the library; see `cli`.

use std::process::{ExitCode, Termination};

/// Schemas are many small values, and making and dropping them is a third of the time without it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tenantry::cli::main().report()
}
