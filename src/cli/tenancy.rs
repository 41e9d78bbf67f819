//! `tenantry tenancy`: what a tenancy writes, and what its check finds.

use clap::Subcommand;
use similar::TextDiff;

use super::{Context, Output, prove};
use crate::diagnostic::{self, Exit, Report};
use crate::pipeline::tenancy::{Checked, check_declared, check_live};
use crate::pipeline::{self, Failure, Live, Request};
use crate::source;
use crate::tenancy::check::Severity;

/// See what tenancy writes into the declaration, and check that it keeps tenants apart
#[derive(Debug, clap::Args)]
pub struct Tenancy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Expand(Expand),
    Check(Check),
    Prove(prove::Prove),
}

impl Tenancy {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Expand(command) => command.run(context),
            Command::Check(command) => command.run(context).await,
            Command::Prove(command) => command.run(context).await,
        }
    }
}

/// Show what mode = "expand" writes, as a difference between the declaration as it stands and as it is planned
#[derive(Debug, clap::Args)]
struct Expand {}

impl Expand {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        pipeline::tenancy::declared(&context.config)?;
        let declared = source::render_sql(&pipeline::read_declaration(&context.config, 18)?);
        let declaration = context.declaration()?;
        if !declaration.notes.is_empty() {
            context.tell(&diagnostic::render_all(&declaration.notes, context.look()));
        }
        let expanded = source::render_sql(&declaration);
        let diff = TextDiff::from_lines(&declared, &expanded);
        let text = diff.unified_diff().context_radius(2).header("declared", "expanded").to_string();
        if declared == expanded {
            context.tell("nothing to write: the declaration says all of it");
        } else {
            context.print(&text);
        }
        Ok(Exit::Done)
    }
}

/// Find what lets one tenant reach another's rows: in the declared schema, or with --database in a live one; exit with
/// 3 when something is found
#[derive(Debug, clap::Args)]
struct Check {
    /// How to print what is found
    #[arg(long, value_enum, default_value = "text")]
    format: Output,
}

impl Check {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let checked = match context.common.database.is_some() {
            true => match context.live()? {
                Live::Database(target) => check_live(&context.config, &target).await?,
                Live::Legacy(_) | Live::Nothing => return Ok(Exit::Usage),
            },
            false => check_declared(&request(context, "check")?).await?.0,
        };
        match self.format {
            Output::Json => context.print(&format!("{:#}\n", checked.json())),
            Output::Text => context.print(&text(&checked, context)),
        }
        if !checked.rows.is_empty() {
            context.tell(&diagnostic::render_all(&checked.rows, context.look()));
        }
        if !checked.unused.is_empty() {
            context.tell(&diagnostic::render_all(&checked.unused, context.look()));
        }
        let open = checked.open().count() + checked.rows.len();
        if open == 0 {
            context.tell("nothing found: by its schema, no tenant reaches another's rows");
            return Ok(Exit::Done);
        }
        context.tell(&format!("{open} findings"));
        Ok(Exit::Pending)
    }
}

/// The live side says which roles there are and what is granted; where none is named, there is none.
pub(super) fn request(context: &Context, name: &str) -> Result<Request, Failure> {
    let live = match (context.target()?, &context.config.schema.legacy) {
        (Some(target), _) => Live::Database(target),
        (None, Some(path)) => Live::Legacy(path.clone()),
        (None, None) => Live::Nothing,
    };
    Ok(Request {
        live,
        shadow: context.shadow()?,
        config: context.config.clone(),
        name: name.into(),
        accept: vec![],
        renames: false,
        split: false,
    })
}

/// What was found, as people read it: first what is open, then what is accepted, with its reason.
fn text(checked: &Checked, context: &Context) -> String {
    let open: Vec<Report> = checked
        .findings
        .iter()
        .filter(|(it, _)| it.accepted.is_none() && (it.severity > Severity::Note || context.common.verbose > 0))
        .map(|(finding, place)| finding.report(place.clone()))
        .collect();
    let mut text = diagnostic::render_all(&open, context.look());
    for (finding, _) in &checked.findings {
        if let Some(because) = &finding.accepted {
            text += &format!("accepted: {}: {because}\n", finding.message);
        }
    }
    text
}
