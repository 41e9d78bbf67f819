//! What a step is expected to take, from the live side's rows and bytes and from rates: time, disk, write-ahead log.

use serde::Deserialize;

use crate::name::QName;
use crate::plan::Step;
use crate::plan::file::Estimate;
use crate::schema::{Facts, Size};

/// Megabytes per second, from and to: one number where it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Given")]
pub struct Rate([f64; 2]);

/// `[plan.rates]`: what a server does in a second, in bulk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    pub read_mb_s: Rate,
    /// Tables and indexes written as a whole.
    pub write_mb_s: Rate,
    /// Rows updated in place, with their indexes.
    pub update_mb_s: Rate,
}

impl Default for Rates {
    /// From a slow disk that others use to a fast one that is idle.
    fn default() -> Self {
        Rates { read_mb_s: Rate([100.0, 1000.0]), write_mb_s: Rate([20.0, 200.0]), update_mb_s: Rate([5.0, 50.0]) }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(f64),
    Range([f64; 2]),
}

impl TryFrom<Given> for Rate {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let [from, to] = match given {
            Given::One(rate) => [rate, rate],
            Given::Range(range) => range,
        };
        if from > 0.0 && from <= to && to.is_finite() {
            Ok(Rate([from, to]))
        } else {
            Err("a rate is a number of megabytes a second above 0, or two of them, the lower first")
        }
    }
}

impl Rate {
    /// Seconds for so many bytes, from and to.
    fn seconds(self, bytes: u64) -> [f64; 2] {
        let Rate([slow, fast]) = self;
        [fast, slow].map(|rate| bytes as f64 / (rate * 1e6))
    }

    fn words(self) -> String {
        let Rate([from, to]) = self;
        match from == to {
            true => format!("{from} MB a second"),
            false => format!("{from} to {to} MB a second"),
        }
    }
}

/// The bytes of an index over so many rows: an entry has 16 bytes of its own, and of a page a third is free or overhead.
pub fn index_bytes(rows: u64, width: u64) -> u64 {
    rows.saturating_mul(16 + width).saturating_mul(13) / 10
}

/// The work of one step, where it grows with the data.
pub fn estimate(step: &Step, facts: &Facts, rates: &Rates) -> Option<Estimate> {
    let size = |relation: &QName| step.sizes.get(relation).or_else(|| facts.sizes.get(relation));
    let total = |relations: &[QName], bytes: fn(&Size) -> u64| {
        let sizes = relations.iter().filter_map(size);
        sizes.fold((0, 0), |sum, it| (sum.0 + it.rows, sum.1 + bytes(it)))
    };
    if let Some(batch) = step.fill() {
        let relations: Vec<_> = step.locks.iter().map(|it| it.relation.clone()).collect();
        let (rows, bytes) = total(&relations, |it| it.bytes);
        return (bytes > 0).then(|| Estimate {
            rows,
            bytes,
            seconds: rates.update_mb_s.seconds(bytes).map(in_milliseconds),
            // Each row once more, with its entries; in the log beside it the pages that it was and is on.
            disk: bytes,
            wal: bytes.saturating_mul(2),
            reason: match batch.into {
                Some(_) => format!("copies at {}", rates.update_mb_s.words()),
                None => format!("updates at {}", rates.update_mb_s.words()),
            },
        });
    }
    let (written, read) = (total(&step.rewrites, |it| it.bytes), total(&step.scans, |it| it.table_bytes));
    let (rows, bytes) = (written.0 + read.0, written.1 + read.1);
    // What holds nothing takes no time, but for what may have come to hold something by then.
    if bytes == 0 && !step.rewrites.iter().chain(&step.scans).filter_map(size).any(|it| it.empty) {
        return None;
    }
    let built: u64 = step
        .builds
        .iter()
        .filter_map(|build| Some(index_bytes(size(&build.over)?.rows, build.width)))
        .fold(0, u64::saturating_add);
    let parts = [
        ("reads", read.1, rates.read_mb_s),
        ("rewrites", written.1, rates.write_mb_s),
        ("builds indexes", built, rates.write_mb_s),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(_, bytes, _)| *bytes > 0).collect();
    let seconds = parts.iter().map(|(_, bytes, rate)| rate.seconds(*bytes));
    let seconds = seconds.fold([0.0, 0.0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
    let reason: Vec<String> = parts.iter().map(|(what, _, rate)| format!("{what} at {}", rate.words())).collect();
    Some(Estimate {
        rows,
        bytes,
        seconds: seconds.map(in_milliseconds),
        // What an index sorts lies on the disk a second time until it is built.
        disk: written.1.saturating_add(built.saturating_mul(2)),
        wal: written.1.saturating_add(built),
        reason: reason.join(", "),
    })
}

/// Seconds to the millisecond above; nothing is done in none.
fn in_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).ceil().max(1.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(step: Step, rates: &str) -> Estimate {
        let size = Size { rows: 1_000_000, bytes: 100_000_000, table_bytes: 70_000_000, empty: false };
        let facts = Facts { sizes: [(QName::new("public", "t"), size)].into(), ..Facts::default() };
        estimate(&step, &facts, &toml::from_str(rates).unwrap()).unwrap()
    }

    #[test]
    fn an_index_is_read_for_and_written() {
        let it = of(Step::new("").builds(&QName::new("public", "t"), 8, true), "");
        assert_eq!((it.disk, it.wal), (62_400_000, 31_200_000));
        assert_eq!(it.seconds, [0.226, 2.26]);
        assert_eq!(it.reason, "reads at 100 to 1000 MB a second, builds indexes at 20 to 200 MB a second");
    }

    #[test]
    fn a_measured_rate_gives_one_time() {
        let it = of(Step::new("").rewrites(&QName::new("public", "t")), "write_mb_s = 50");
        assert_eq!((it.seconds, it.disk, it.wal), ([2.0, 2.0], 100_000_000, 100_000_000));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["read_mb_s = 0", "read_mb_s = [2, 1]", "read_mb_s = -1", "read_mb_s = inf", "reed_mb_s = 1"] {
            assert!(toml::from_str::<Rates>(text).is_err(), "{text}");
        }
        assert!(toml::from_str::<Rates>("read_mb_s = [1, 2.5]").is_ok());
    }
}
