//! `tenantry drift`: the live database against the declared schema, as a difference without a plan.

use super::Context;
use crate::diagnostic::Exit;
use crate::diff::diff;
use crate::pipeline::{self, Failure, Request};
use crate::render;

/// Show how the live database differs from the declared schema; exit with 3 when it does
#[derive(Debug, clap::Args)]
pub struct Drift {}

impl Drift {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let request = Request {
            live: context.live()?,
            shadow: context.shadow()?,
            config: context.config.clone(),
            name: "drift".into(),
            accept: vec![],
            renames: false,
            split: false,
        };
        let both = pipeline::both_sides(&request).await?;
        if diff(&both.current, &both.desired).is_empty() {
            context.tell("no drift: the live database is as declared");
            return Ok(Exit::Done);
        }
        context.print(&render::schema_difference(&both.current, &both.desired));
        Ok(Exit::Pending)
    }
}
