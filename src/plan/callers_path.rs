//! The `search_path` that statements run under which fire triggers of the user's: the session's own default, as for
//! applications. All other statements name everything in full, and run under an empty one.

use std::collections::BTreeSet;

use crate::kind::trigger::State;
use crate::kind::{Kind, Object, partition};
use crate::name::QName;
use crate::plan::{Planned, Step};
use crate::schema::Schema;

/// For the rest of the transaction.
pub const SET: &str = "SET LOCAL search_path TO DEFAULT";

/// Sets it around the steps that fill rows in one statement. Those that do it in batches have transactions of their own.
pub fn around(steps: &mut [Planned], current: &Schema) {
    let fired = fired(current);
    for it in steps {
        let Some(fill) = &it.step.at_once else { continue };
        if fill.into.is_none() && fired.iter().any(|table| table.to_string() == fill.table) {
            let sql = format!("{SET};\n{};\nSET LOCAL search_path = ''", it.step.sql);
            it.step = Step { sql, ..it.step.clone() };
        }
    }
}

/// The tables of which an UPDATE fires triggers: their own, and those of their partitions.
fn fired(schema: &Schema) -> BTreeSet<QName> {
    let mut fired = BTreeSet::new();
    for object in schema.of_kind(Kind::Trigger) {
        if let Object::Trigger(it) = object
            && it.events.update
            && matches!(it.state, State::Origin | State::Always)
        {
            fired.insert(it.relation.clone());
            let mut below = &it.relation;
            while let Some(Object::Partition(part)) = schema.get(&partition::id(below)) {
                fired.insert(part.parent.clone());
                below = &part.parent;
            }
        }
    }
    fired
}
