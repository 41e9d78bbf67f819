//! `tenantry lint`: what is dangerous in SQL that people wrote, in plans, and in the declared schema.

use std::path::PathBuf;

use super::tenancy::request;
use super::{Context, Output};
use crate::diagnostic::{self, Exit, Report};
use crate::pipeline::Failure;
use crate::pipeline::lint::{self, Linted};

/// Find what files of SQL would cost a running system, and what lets one tenant reach another's rows; exit with 3 when
/// something is found
///
/// Scripts are run, in the order in which they are named, on a copy of the live side with a few rows in every table: the
/// locks, rewrites and scans in what is found were seen there. Of a plan, its hazards are told; of files of the
/// declared schema, what the check of its tenancies finds in them. Without files, the whole declared schema is looked
/// at. Nothing is written anywhere.
#[derive(Debug, clap::Args)]
pub struct Lint {
    /// Scripts, plans, files of the declared schema, or directories of them
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print what is found
    #[arg(long, value_enum, default_value = "text")]
    format: Output,
}

impl Lint {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let request = request(context, "lint")?;
        let linted = match self.files.as_slice() {
            [] => lint::declared(&request).await?,
            files => lint::files(&request, files).await?,
        };
        for line in &linted.seen {
            context.detail(line);
        }
        match self.format {
            Output::Json => {
                let found: serde_json::Value = linted.found.iter().map(lint::Found::json).collect();
                context.print(&format!("{found:#}\n"));
            }
            Output::Text => context.print(&text(&linted, context)),
        }
        let open = linted.found.iter().filter(|it| it.is_open()).count();
        let of = match linted.statements {
            0 => String::new(),
            1 => " in 1 statement".into(),
            statements => format!(" in {statements} statements"),
        };
        match open {
            0 => context.tell(&format!("nothing found{of}")),
            1 => context.tell(&format!("1 finding{of}")),
            open => context.tell(&format!("{open} findings{of}")),
        }
        Ok(if open == 0 { Exit::Done } else { Exit::Pending })
    }
}

/// What was found, as people read it: first what is open, then what is accepted, with the reason.
fn text(linted: &Linted, context: &Context) -> String {
    let is_told = |it: &&lint::Found| it.is_open() || it.accepted.is_none() && context.common.verbose > 0;
    let open: Vec<Report> = linted.found.iter().filter(is_told).map(|it| it.report.clone()).collect();
    let mut text = diagnostic::render_all(&open, context.look());
    for it in &linted.found {
        if let Some(because) = &it.accepted {
            text += &format!("accepted: {}: {}: {because}\n", it.report.code, it.report.message);
        }
    }
    text
}
