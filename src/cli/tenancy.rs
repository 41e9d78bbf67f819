//! `tenantry tenancy`: what a tenancy writes, and what it finds.

use clap::Subcommand;
use similar::TextDiff;

use super::Context;
use crate::diagnostic::{self, Exit};
use crate::pipeline::{self, Failure};
use crate::source;

/// See what tenancy writes into the declaration
#[derive(Debug, clap::Args)]
pub struct Tenancy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Expand(Expand),
}

impl Tenancy {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Expand(command) => command.run(context),
        }
    }
}

/// Show what mode = "expand" writes, as a difference between the declaration as it stands and as it is planned
#[derive(Debug, clap::Args)]
struct Expand {}

impl Expand {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
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
