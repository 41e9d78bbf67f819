//! How long a step is expected to take, from the live side's rows and bytes and from rates.

use crate::plan::Step;
use crate::plan::file::Estimate;
use crate::schema::Facts;

/// Bytes per second that a server reads, or reads and writes, in bulk: from a slow disk that others use to a fast one
/// that is idle. Replaced by what `apply` measures, where it has.
const READ: [f64; 2] = [100e6, 1e9];
const WRITE: [f64; 2] = [20e6, 200e6];
/// The same for rows that are updated in place, with their indexes.
const UPDATE: [f64; 2] = [5e6, 50e6];

/// The work of one step, where it grows with the data.
pub fn estimate(step: &Step, facts: &Facts) -> Option<Estimate> {
    let total = |relations: &[crate::name::QName]| {
        relations
            .iter()
            .filter_map(|it| facts.sizes.get(it))
            .fold((0, 0), |sum, it| (sum.0 + it.rows, sum.1 + it.bytes))
    };
    if step.batch.is_some() {
        let relations: Vec<_> = step.locks.iter().map(|it| it.relation.clone()).collect();
        let (rows, bytes) = total(&relations);
        let seconds = UPDATE.map(|rate| (bytes as f64 / rate * 1000.0).ceil() / 1000.0);
        let reason = "updates at 5 to 50 MB a second".to_owned();
        return (bytes > 0).then_some(Estimate { rows, bytes, seconds: [seconds[1], seconds[0]], reason });
    }
    let (written, read) = (total(&step.rewrites), total(&step.scans));
    let (rows, bytes) = (written.0 + read.0, written.1 + read.1);
    if bytes == 0 {
        return None;
    }
    let seconds = |write: f64, read_rate: f64| {
        let exact = written.1 as f64 / write + read.1 as f64 / read_rate;
        (exact * 1000.0).ceil() / 1000.0
    };
    let reason = match (written.1, read.1) {
        (0, _) => "reads at 100 MB to 1 GB a second".to_owned(),
        (_, 0) => "rewrites at 20 to 200 MB a second".to_owned(),
        _ => "rewrites at 20 to 200 MB, reads at 100 MB to 1 GB a second".to_owned(),
    };
    Some(Estimate { rows, bytes, seconds: [seconds(WRITE[1], READ[1]), seconds(WRITE[0], READ[0])], reason })
}
