//! `tenantry bench`: the statements that must stay fast, measured on a filled database.

use clap::ValueEnum;

use super::{Context, failure};
use crate::bench::{self, Settings, Until};
use crate::diagnostic::{Exit, Report};
use crate::name::Name;
use crate::pipeline::{self, Failure};
use crate::queries::Query;

/// Run the declared queries that have a budget on a filled database, as several tenants at once, and tell how long they
/// take; exit with 3 when one misses its budget. What they write is rolled back
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Only these queries, by name
    #[arg(value_name = "QUERY")]
    queries: Vec<String>,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// Runs of each query on each connection, in place of a time
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    runs: Option<usize>,
    /// Tenants to act as, at most: a fifth of them those with the most rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    tenants: usize,
    /// The role of queries that name none
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// Run statements that write, too; what they write is rolled back
    #[arg(long)]
    writes: bool,
    /// How to print the figures
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|it: &f64| it.is_finite() && *it > 0.0);
    seconds.ok_or_else(|| "it is a number of seconds above 0".to_owned())
}

impl Bench {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let queries = self.chosen(pipeline::read_queries(&context.config)?)?;
        let Some(target) = context.target()? else {
            let report = Report::error("bench::database", "queries are measured on a database that is filled")
                .help("name it with --database");
            return Err(failure(Exit::Usage, report));
        };
        let tenancies = pipeline::tenancy::live_tenancies(&context.config, &target).await?;
        let settings = Settings {
            connections: self.connections.into(),
            until: self.runs.map_or(Until::Seconds(self.seconds), Until::Runs),
            tenants: self.tenants.max(1),
            role: self.role.as_deref().map(Name::from),
            writes: self.writes,
        };
        let measured = bench::bench(&target, &queries, &tenancies, &settings).await?;
        context.print(&match self.format {
            Format::Text => measured.text(),
            Format::Markdown => measured.markdown(),
            Format::Json => format!("{:#}\n", measured.json()),
        });
        let missed: Vec<&str> = measured.missed().map(|it| it.name.as_str()).collect();
        if missed.is_empty() {
            return Ok(Exit::Done);
        }
        context.tell(&format!("not within budget: {}", missed.join(", ")));
        Ok(Exit::Pending)
    }

    /// Those that have a budget, or those of them that were named.
    fn chosen(&self, queries: Vec<Query>) -> Result<Vec<Query>, Failure> {
        let mut queries: Vec<Query> = queries.into_iter().filter(|it| it.budget.is_some()).collect();
        if queries.is_empty() {
            let report = Report::error("bench::none", "no query with a budget is declared")
                .help("write [[query]] into a TOML file below [queries] paths: docs/queries.md");
            return Err(failure(Exit::Usage, report));
        }
        let name = |query: &Query| query.budget.as_ref().map(|it| it.name.clone()).unwrap_or_default();
        for wanted in &self.queries {
            if !queries.iter().any(|it| name(it) == *wanted) {
                let near =
                    queries.iter().map(|it| (strsim::damerau_levenshtein(&name(it), wanted), name(it))).min();
                let help = near.map(|it| format!("did you mean {:?}?", it.1)).unwrap_or_default();
                let report = Report::error("bench::unknown", format!("no query is called {wanted:?}")).help(help);
                return Err(failure(Exit::Usage, report));
            }
        }
        if !self.queries.is_empty() {
            queries.retain(|it| self.queries.contains(&name(it)));
        }
        Ok(queries)
    }
}
