//! The `search_path` that statements run under which fire triggers of the user's: the session's own default, as for
//! applications. All other statements name everything in full, and run under an empty one.

use std::collections::BTreeSet;

use crate::kind::{table, trigger};
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

/// The tables of which an UPDATE fires triggers: their own, and those of all that inherits from them.
fn fired(schema: &Schema) -> BTreeSet<QName> {
    let with_triggers =
        table::all(schema).map(|it| &it.name).filter(|it| !trigger::of_updates(schema, it).is_empty());
    with_triggers.flat_map(|it| table::ancestry(schema, it)).collect()
}
