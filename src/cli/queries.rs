//! `tenantry queries record`: the statements that applications run, as pg_stat_statements has counted them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use super::{Context, failure};
use crate::connect::Session;
use crate::diagnostic::{Exit, File, Report};
use crate::files;
use crate::introspect::server_message;
use crate::name::Name;
use crate::pipeline::{Failure, Live};
use crate::queries;
use crate::render::sql::ended;

/// Statements of applications, with which plans are tried
#[derive(Debug, clap::Args)]
pub struct Queries {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Record(Record),
}

/// Write the statements that a live database has counted (pg_stat_statements) to a file
#[derive(Debug, clap::Args)]
struct Record {
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "queries/recorded.sql")]
    out: PathBuf,
    /// Leave out what was called less often
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_calls: i64,
}

impl Queries {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Record(command) => command.run(context).await,
        }
    }
}

impl Record {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Live::Database(target) = context.live()? else {
            let report = Report::error("queries::database", "a file has run no statements")
                .help("name a live database with --database");
            return Err(failure(Exit::Usage, report));
        };
        let session = target.connect().await?;
        let counted = counted(&session, self.min_calls).await?;
        let all = counted.len();
        let kept: BTreeSet<_> = counted.into_iter().filter(|(_, sql)| is_of_application(sql)).collect();
        if kept.is_empty() {
            let report =
                Report::error("queries::none", format!("none of {all} counted statements is of an application"))
                    .help("run the application, or ask with --min-calls 1; nothing was written");
            return Err(failure(Exit::Failed, report));
        }
        let mut text =
            String::from("-- Statements that applications ran, as pg_stat_statements has counted them.\n");
        for (role, sql) in &kept {
            let _ = write!(
                text,
                "\n-- tenantry: as {}\n{}\n",
                Name::from(role.as_str()),
                ended(sql.trim_end_matches(';'))
            );
        }
        files::write(&self.out, &text).map_err(|report| failure(Exit::Failed, report))?;
        context.tell(&format!("{} statements written to {}", kept.len(), self.out.display()));
        Ok(Exit::Done)
    }
}

/// Whether a statement reads or writes rows, and of relations other than the server's own.
fn is_of_application(sql: &str) -> bool {
    let Ok(read) = queries::read(&[File::new("recorded", sql)], |_| false) else { return false };
    let [query] = read.as_slice() else { return false };
    let own = |parts: &Vec<String>| match parts.as_slice() {
        [name] => name.starts_with("pg_"),
        [namespace, _] => matches!(namespace.as_str(), "pg_catalog" | "information_schema" | "tenantry"),
        _ => false,
    };
    !query.relations.is_empty() && !query.relations.iter().any(own)
}

/// Role and text of each counted statement of this database.
async fn counted(session: &Session, min_calls: i64) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: tokio_postgres::Error| {
        let report = Report::error("queries::pg_stat_statements", server_message(&error));
        failure(Exit::Failed, report.help("the role needs to be a member of pg_read_all_stats"))
    };
    let place = "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                  WHERE e.extname = 'pg_stat_statements'";
    let Some(row) = session.client.query_opt(place, &[]).await.map_err(failed)? else {
        let report = Report::error("queries::pg_stat_statements", "pg_stat_statements is not installed there")
            .help("add it to shared_preload_libraries and CREATE EXTENSION, or write queries/*.sql by hand");
        return Err(failure(Exit::Failed, report));
    };
    let query = format!(
        "SELECT r.rolname::text, s.query FROM {}.pg_stat_statements s
           JOIN pg_database d ON d.oid = s.dbid JOIN pg_roles r ON r.oid = s.userid
          WHERE d.datname = current_database() AND s.toplevel AND s.calls >= $1 AND s.query <> ''",
        Name::from(row.get::<_, &str>(0))
    );
    let rows = session.client.query(&query, &[&min_calls]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
