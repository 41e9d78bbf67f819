//! How fast a run may go, as options and `[apply]` in tenantry.toml say.

use std::time::Duration;

use super::Context;
use crate::apply::Pace;

/// Each replaces the value of `[apply]` in tenantry.toml. 0 is no limit.
#[derive(Debug, clap::Args)]
pub struct PaceOptions {
    /// How long one part of a backfill should take, in milliseconds
    #[arg(long, value_name = "MS", help_heading = "Pace")]
    batch_ms: Option<u32>,
    /// The same while other sessions use the server, the next after sixteen times as long; 0 is no difference
    #[arg(long, value_name = "MS", help_heading = "Pace")]
    busy_batch_ms: Option<u64>,
    /// How many rows a backfill may change in a second
    #[arg(long, value_name = "ROWS", help_heading = "Pace")]
    rows_per_second: Option<u64>,
    /// How fast the write-ahead log of the server may grow during a backfill, in megabytes a second
    #[arg(long, value_name = "MB", help_heading = "Pace")]
    wal_mb_per_second: Option<u64>,
    /// How far a replica may be behind during a backfill, in milliseconds
    #[arg(long, value_name = "MS", help_heading = "Pace")]
    replica_lag_ms: Option<u64>,
}

impl PaceOptions {
    pub(super) fn pace(&self, context: &Context) -> Pace {
        let settings = &context.config.apply;
        let limit = |option: Option<u64>, setting: u64| Some(option.unwrap_or(setting)).filter(|it| *it > 0);
        Pace {
            part: Duration::from_millis(self.batch_ms.unwrap_or(settings.batch_ms).max(1).into()),
            busy_part: limit(self.busy_batch_ms, settings.busy_batch_ms).map(Duration::from_millis),
            rows_per_second: limit(self.rows_per_second, settings.rows_per_second),
            wal_per_second: limit(self.wal_mb_per_second, settings.wal_mb_per_second)
                .map(|it| it.saturating_mul(1_000_000)),
            replica_lag: limit(self.replica_lag_ms, settings.replica_lag_ms).map(Duration::from_millis),
            ..Pace::default()
        }
    }
}
