//! What a change of schema costs those who use the database meanwhile: `make load`, docs/zero-downtime.md. Fills a
//! server with the example's legacy data, runs its legacy client at a given rate, applies a plan (or any SQL script in
//! its place), and prints what the client felt.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads files and the clock, and runs the program")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tenantry::connect::Target;
use tenantry::shadow::{self, Shadow};

#[path = "measure.rs"]
mod measure;

use measure::{Outcome, Settings, Subject, measure};

/// Measure what a plan, or a script, costs those who use the database meanwhile
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Arguments {
    /// Messages in the database; contacts, orders and the rest follow from it. Takes 1k, 1M and so on
    #[arg(long, default_value = "1k", value_parser = number)]
    messages: u64,
    /// Operations of the client a second, over all connections; one is two to four statements
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Connections of the client
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// Seconds under load before and after
    #[arg(long, default_value_t = 10.0)]
    quiet: f64,
    /// Another session, whose transactions have read the tables and stay open for so many seconds
    #[arg(long)]
    bystander: Option<f64>,
    /// A plan file to apply; without one, the way to the declared schema is planned once the rows are there
    #[arg(long, conflicts_with = "script")]
    plan: Option<PathBuf>,
    /// A SQL script to run in the plan's place
    #[arg(long)]
    script: Option<PathBuf>,
    /// An empty database to use; without one, a private cluster is made. What is filled in stays there
    #[arg(long)]
    database: Option<String>,
    /// The major version of the private cluster
    #[arg(long, default_value_t = 15)]
    major: u32,
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
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no number; try 1k, 1M or 10M"))?;
    number.checked_mul(unit).filter(|it| *it > 0).ok_or_else(|| "it must be above 0, and a number".to_owned())
}

/// What a server that serves people is set to, beside the defaults.
const SERVER: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "autovacuum=on",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "max_connections=100",
];

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    shadow::on_interrupt();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let (server, text) = match &arguments.database {
        Some(text) => (None, text.clone()),
        None => {
            let server = Shadow::start_with(SERVER, Some(arguments.major)).await?;
            let database = server.create_database("load").await?;
            let text = measure::address(&server, &database);
            (Some(server), text)
        }
    };
    let settings = Settings {
        program: PathBuf::from(env!("CARGO_BIN_EXE_tenantry")),
        target: Target::resolve(Some(&text), &environment)?,
        database: text,
        messages: arguments.messages,
        rate: arguments.rate,
        connections: arguments.connections.max(1),
        quiet: Duration::try_from_secs_f64(arguments.quiet)?,
        bystander: arguments.bystander.map(Duration::try_from_secs_f64).transpose()?,
        subject: match (arguments.plan, arguments.script) {
            (Some(plan), _) => Subject::Plan(plan),
            (None, Some(script)) => Subject::Script(script),
            (None, None) => Subject::Planned,
        },
    };
    let measured = measure(&settings).await?;
    print!("{}", measured.markdown());
    if server.is_some() {
        println!("\n{}", writeback());
    }
    Ok(())
}

/// From how many changed pages on the host writes in the background: what a flush finds left to do depends on it.
fn writeback() -> String {
    let set =
        |name: &str| std::fs::read_to_string(format!("/proc/sys/vm/{name}")).unwrap_or_default().trim().to_owned();
    match (set("dirty_background_bytes").as_str(), set("dirty_background_ratio").as_str()) {
        ("", _) => "What the host does with changed pages is not known.".to_owned(),
        ("0", ratio) => format!("vm.dirty_background_ratio = {ratio} (%)"),
        (bytes, _) => format!("vm.dirty_background_bytes = {bytes}"),
    }
}
