//! `tenantry show`: a plan file in any of its forms; `show schema` prints the compiled declaration, expanded.

use std::path::PathBuf;

use super::{Context, failure};
use crate::diagnostic::{Exit, Report};
use crate::files;
use crate::pipeline::Failure;
use crate::plan::hazard::page;
use crate::render;
use crate::source;

/// Show a plan file as text, markdown, SQL, JSON or HTML; `show schema` prints the declaration as SQL, `show platform`
/// what the platform has beside it, `show hazards` the list of hazards as Markdown
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The plan file, or the word `schema`, `platform` or `hazards`
    plan: PathBuf,
    /// The form
    #[arg(long, value_enum, default_value = "text")]
    format: render::Format,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.plan.as_os_str() == "schema" {
            let declaration = context.declaration()?;
            // In the order of the files, a function may stand before what its body speaks of.
            context.print(&format!("SET check_function_bodies = off;\n\n{}", source::render_sql(&declaration)));
            return Ok(Exit::Done);
        }
        if self.plan.as_os_str() == "hazards" {
            context.print(&page::markdown());
            return Ok(Exit::Done);
        }
        if self.plan.as_os_str() == "platform" {
            let Some(platform) = context.config.platform else {
                let report = Report::error("show::no_platform", "no platform is configured")
                    .help("say `platform = \"supabase\"` at the top of tenantry.toml");
                return Err(failure(Exit::Usage, report));
            };
            context.print(&platform.script());
            return Ok(Exit::Done);
        }
        let file = files::plan(&self.plan).map_err(|reports| Failure::new(Exit::Failed, reports))?;
        if file.is_edited() {
            context.tell("this plan was edited after it was written; `tenantry plan` proves it anew");
        }
        context.print(&render::render(&file, self.format, context.look()));
        Ok(Exit::Done)
    }
}
