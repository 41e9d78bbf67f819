//! Foreign tables among partitions and heirs, which no kind describes: what the others can have beside them, and what
//! statements on the parent do to them.

use std::sync::Arc;

use crate::kind::index::{Index, is_valid};
use crate::kind::{Object, table};
use crate::lock::Lock;
use crate::name::QName;
use crate::plan::Step;
use crate::schema::{Schema, Sides};

/// The foreign tables among the partitions or heirs of the table and of those below it.
pub fn below(sides: &Sides<'_>, name: &QName) -> Vec<QName> {
    let tables = table::family(sides, name).into_iter().filter_map(|it| table::find(sides.old, &it));
    tables.flat_map(|it| it.foreign.0.iter().map(|(name, _)| name.clone())).collect()
}

/// Why a partitioned table that stays can't have what is for all of its partitions, some of which are foreign tables.
pub fn stays_beside(sides: &Sides<'_>, name: &QName, what: &str, those: &str) -> Option<String> {
    let foreign = below(sides, name).into_iter().next().filter(|_| !sides.is_new(&table::id(name)))?;
    Some(format!(
        "{foreign} is a foreign table among the partitions of {name}, and PostgreSQL has no {those} on such: declare {what} on \
         each of the other partitions instead, or detach {foreign} first"
    ))
}

/// Why rows of the table are not written by a plan: some of them are another server's.
pub fn no_rows_written(sides: &Sides<'_>, name: &QName) -> Option<String> {
    let foreign = below(sides, name).into_iter().next()?;
    let among = match table::find(sides.old, name).is_some_and(|it| it.partition_by.is_some()) {
        true => format!("is a foreign table among the partitions of {name}"),
        false => format!("is a foreign table that inherits from {name}"),
    };
    Some(format!("{foreign} {among}, and a plan writes no rows on another server"))
}

/// Whether rows of the table get values in parts rather than by a rewrite, which goes where parts can't: the server lets it
/// pass foreign partitions by.
pub fn is_filled_in_batches(sides: &Sides<'_>, name: &QName) -> bool {
    table::is_for_batches(sides, name) && no_rows_written(sides, name).is_none()
}

/// Whether the index `i` (pg_index), `ic` (pg_class) is valid, or becomes so by the attachments that it lacks: beside a
/// foreign table it does not.
macro_rules! valid {
    () => {
        r#"i.indisvalid OR (ic.relkind = 'I'
                    AND NOT EXISTS (SELECT FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid
                                     WHERE h.inhparent = i.indrelid AND p.relkind = 'f')
                    AND EXISTS (SELECT FROM pg_inherits h
                                 WHERE h.inhparent = i.indrelid
                                   AND NOT EXISTS (SELECT FROM pg_inherits hi JOIN pg_index pi ON pi.indexrelid = hi.inhrelid
                                                    WHERE hi.inhparent = i.indexrelid AND pi.indrelid = h.inhrelid
                                                      AND pi.indisvalid)))"#
    };
}

pub(super) use valid;

/// What a declaration means where its own statements leave an index that is not valid, as dumps have them: one on ONLY
/// the partitioned table, to which those of the partitions are attached.
pub fn as_meant(schema: &mut Schema) {
    for object in schema.objects.values_mut() {
        match object {
            Object::Index(it) if !it.valid && it.lacking.0.is_empty() => Arc::make_mut(it).valid = true,
            Object::Constraint(it) if !it.valid => Arc::make_mut(it).valid = true,
            _ => {}
        }
    }
}

impl Index {
    /// Whether it comes to a partitioned table after the indexes of its partitions, which it takes in by itself: one that
    /// they are attached to never becomes valid beside a foreign table, which has none.
    pub(super) fn takes_in_its_parts(&self, sides: &Sides<'_>) -> bool {
        let beside_foreign = || table::find(sides.old, &self.table).is_some_and(|it| !it.foreign.0.is_empty());
        self.partitioned() && self.valid && !sides.is_new(&self.table_id()) && beside_foreign()
    }

    /// `CREATE INDEX` that finds them there, and reads no row.
    pub(super) fn over_its_parts(&self, guard: &str, sides: &Sides<'_>) -> Step {
        let create = Step::new(self.sql_on("", guard, &self.name.name));
        let reach = table::reach(sides, &self.table);
        reach.iter().fold(create, |it, member| it.locks(member, Lock::Share)).check(is_valid(&self.name))
    }
}
