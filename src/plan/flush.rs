//! Indexes so large that their way to the disk holds others up. The server sorts the entries of a B-tree, writes its pages
//! past the buffers, and flushes the file at the end (`smgrimmedsync` in `nbtsort.c`; from 17 on the next checkpoint does it,
//! unless one began meanwhile: `smgr_bulk_finish`); no setting of a session spreads that. Unless the host wrote most of it before, commits of others wait for the disk meanwhile.

use crate::kind::ObjectId;
use crate::plan::Step;
use crate::plan::estimate::index_bytes;
use crate::plan::hazard::{Code, Hazard};
use crate::schema::Facts;

/// Bytes that go to the disk at once without holding anybody up.
const UNNOTICED: u64 = 128_000_000;

/// Marks the step if it builds such an index.
pub fn mark(step: &mut Step, subject: &ObjectId, facts: &Facts) {
    let sorted = step.builds.iter().filter(|it| it.sorted);
    let built = sorted.filter_map(|it| {
        Some(index_bytes(step.sizes.get(&it.over).or_else(|| facts.sizes.get(&it.over))?.rows, it.width))
    });
    let largest = built.max().unwrap_or_default();
    if largest > UNNOTICED {
        let why = format!("about {} MB go to the disk at once", largest / 1_000_000);
        step.hazards.push(Hazard::new(Code::IndexFlush, subject.clone(), why));
    }
}
