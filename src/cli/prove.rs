//! `tenantry tenancy prove`: tries to get from one tenant to another, on the shadow.

use super::{Context, Output, tenancy};
use crate::diagnostic::Exit;
use crate::pipeline::{Failure, proving};

/// Try to get from one tenant to another's rows, on the shadow: in the declared schema, or with --database in a live
/// one, to which nothing is written; exit with 3 on a leak
#[derive(Debug, clap::Args)]
pub struct Prove {
    /// How to print what was tried
    #[arg(long, value_enum, default_value = "text")]
    format: Output,
}

impl Prove {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let target = context.target()?;
        let matrices = match target.filter(|_| context.common.database.is_some()) {
            Some(target) => proving::prove_live(&context.config, &target, &context.shadow()?).await?,
            None => proving::prove_declared(&tenancy::request(context, "prove")?).await?,
        };
        match self.format {
            Output::Json => {
                let json = serde_json::to_string_pretty(&matrices).unwrap_or_default();
                context.print(&format!("{json}\n"));
            }
            Output::Text => {
                for matrix in &matrices {
                    context.print(&matrix.text(context.common.verbose > 0));
                }
            }
        }
        let leaks: usize = matrices.iter().map(|it| it.open().count()).sum();
        let cells: usize = matrices.iter().map(|it| it.cells.len()).sum();
        if leaks == 0 {
            context.tell(&format!("{cells} attempts: no tenant reached another's rows"));
            return Ok(Exit::Done);
        }
        context.tell(&format!("{cells} attempts, {leaks} leaks"));
        Ok(Exit::Pending)
    }
}
