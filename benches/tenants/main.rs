//! The declared queries on a database of many tenants: `make tenants`, docs/swiftreplies.md. Takes a server to the
//! example's declared schema with the program, fills it with rows of many tenants, and runs `tenantry bench` on it.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads files and the clock, and runs the program")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;
use tenantry::connect::Target;
use tenantry::shadow::{self, Shadow};

#[path = "many.rs"]
mod many;

use many::{Outcome, Settings, Size};

/// Fill a server with many tenants, and measure the declared queries as some of them at once
#[derive(Debug, Parser)]
#[command(name = "tenants")]
struct Arguments {
    /// Tenants; the largest has some percent of all rows. Takes 1k, 1M and so on
    #[arg(long, default_value = "100", value_parser = number)]
    tenants: u64,
    #[arg(long, default_value = "10k", value_parser = number)]
    contacts: u64,
    #[arg(long, default_value = "100k", value_parser = number)]
    messages: u64,
    /// An empty database to use; without one, a private cluster is made. What is filled in stays there
    #[arg(long)]
    database: Option<String>,
    /// The major version of the private cluster
    #[arg(long, default_value_t = 15)]
    major: u32,
    /// Arguments of `tenantry bench`, after `--`
    #[arg(last = true)]
    measure: Vec<String>,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn number(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no number; try 100, 10k or 1M"))?;
    number.checked_mul(unit).filter(|it| *it > 0).ok_or_else(|| "it must be above 0, and a number".to_owned())
}

/// What a server that serves people is set to, beside the defaults; but what is filled in may be lost.
const SERVER: &[&str] = &["autovacuum=on", "shared_buffers=512MB", "max_wal_size=4GB", "max_connections=100"];

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    shadow::on_interrupt();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let (_server, database) = match &arguments.database {
        Some(text) => (None, text.clone()),
        None => {
            let server = Shadow::start_with(SERVER, Some(arguments.major)).await?;
            let database = server.create_database("tenants").await?;
            let text = many::address(&server, &database);
            (Some(server), text)
        }
    };
    let settings = Settings {
        program: PathBuf::from(env!("CARGO_BIN_EXE_tenantry")),
        target: Target::resolve(Some(&database), &environment)?,
        database,
        size: Size { tenants: arguments.tenants, contacts: arguments.contacts, messages: arguments.messages },
    };
    many::fill(&settings, |line| eprintln!("{line}")).await?;
    // Cargo adds its own word at the end of what it is given.
    let measure: Vec<String> = arguments.measure.into_iter().filter(|it| it != "--bench").collect();
    let (figures, _) = many::measure(&settings, &measure)?;
    print!("{figures}");
    Ok(())
}
