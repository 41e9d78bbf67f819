//! Rows that are filled in a published table: each of them goes to the readers of its publications.

use crate::kind::{publication, table};
use crate::name::list;
use crate::plan::Planned;
use crate::plan::hazard::{Code, Hazard};
use crate::schema::Schema;

/// Marks the steps that change rows which a publication sends on. A table may have its name of before or of after.
pub fn mark(steps: &mut [Planned], [old, new]: [&Schema; 2]) {
    let sent = [publication::of_updates(old), publication::of_updates(new)];
    for it in steps {
        let Some(fill) = it.step.fill().filter(|it| it.into.is_none()) else { continue };
        let by_name = sent.iter().find_map(|sent| sent.iter().find(|(name, _)| name.to_string() == fill.table));
        let Some((name, publications)) = by_name else { continue };
        let why = format!("updates of {name} are published by {}", list(publications));
        it.step.hazards.push(Hazard::new(Code::FillPublished, table::id(name), why));
    }
}
