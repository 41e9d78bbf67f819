//! Identity of columns: how it counts, and how that changes.

use serde::{Deserialize, Serialize};
use crate::kind::sequence::Options;
use crate::kind::table;
use crate::kind::{Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::{Stage, Step};
use crate::schema::Sides;
use super::Column;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub always: bool,
    pub sequence: QName,
    pub options: Options,
}

impl Identity {
    /// As it follows ADD, or the type in a column's definition.
    pub fn sql(&self, table: &QName, column: &Name) -> String {
        let by = if self.always { "ALWAYS" } else { "BY DEFAULT" };
        let mut options = String::new();
        if self.sequence != table.sibling(format!("{}_{}_seq", table.name.as_str(), column.as_str())) {
            options += &format!("SEQUENCE NAME {}", self.sequence);
        }
        options += &self.options.unusual();
        match options.trim_start() {
            "" => format!("GENERATED {by} AS IDENTITY"),
            options => format!("GENERATED {by} AS IDENTITY ({options})"),
        }
    }
}

/// The least and the greatest value of a sequence's type.
pub(super) fn limits(data_type: &str) -> (i64, i64) {
    match data_type {
        "smallint" => (i16::MIN.into(), i16::MAX.into()),
        "integer" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

impl Column {
    /// The sequence of an identity column, as what its privileges and comments are on.
    pub fn identity_sequence(&self) -> Option<ObjectId> {
        let name = &self.identity.as_ref()?.sequence;
        Some(ObjectId::new(Kind::Sequence, [&name.namespace, &name.name]))
    }

    pub(super) fn alter_identity(&self, new: &Column, sides: &Sides<'_>) -> Vec<Step> {
        match (&self.identity, &new.identity) {
            (None, None) => vec![],
            (Some(old), None) => vec![
                self.on_family(format!("ALTER COLUMN {} DROP IDENTITY{}", self.name, if sides.facts.way_back { " IF EXISTS" } else { "" }), sides)
                    .locks(&old.sequence, Lock::AccessExclusive)
                    .with_its_parts(),
            ],
            (None, Some(it)) => {
                let sql = it.sql(&self.table, &self.name);
                let back = format!("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY IF EXISTS", self.table, self.name);
                let add = self.on_family(format!("ALTER COLUMN {} ADD {sql}", self.name), sides).with_its_parts();
                let add = add.undone_by(back);
                // The new sequence goes on where the values stand; a serial's sequence is gone only by now.
                let (aggregate, sign) = if it.options.increment > 0 { ("max", '+') } else { ("min", '-') };
                let Options { start, min, max, .. } = it.options;
                let by = it.options.increment.unsigned_abs();
                let next = format!("coalesce({aggregate}({}) {sign} {by}, {start})", self.name);
                let next = match it.options.increment > 0 {
                    true if min == 1 => next,
                    true => format!("greatest({next}, {min})"),
                    false => format!("least({next}, {max})"),
                };
                let sequence = Literal(&it.sequence.to_string()).to_string();
                let position = Step::new(format!("SELECT setval({sequence}, {next}, false) FROM {}", self.table))
                    .summary(format!("lets {} go on after the values in {}.{}", it.sequence, self.table, self.name))
                    .locks(&self.table, Lock::AccessShare);
                let mut steps = vec![add];
                if table::may_hold_rows(sides, &self.table) {
                    steps.push(position);
                }
                if self.default(sides.old).is_some() {
                    steps = steps.into_iter().map(|it| it.stage(Stage::Contract)).collect();
                }
                steps
            }
            (Some(old), Some(it)) => self.alter_sequence(old, it, sides),
        }
    }

    pub(super) fn alter_sequence(&self, old: &Identity, new: &Identity, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![];
        let stays = old.sequence.namespace == new.sequence.namespace;
        let sequence = if stays { &old.sequence } else { &new.sequence };
        let apart = old.options.are_apart(&new.options);
        if old.options.min < new.options.min && !apart {
            // The server refuses a bound that leaves the position outside.
            steps.push(
                Step::new(format!(
                    "SELECT setval({}, greatest(last_value, {min}), is_called AND last_value >= {min}) FROM {}",
                    Literal(&sequence.to_string()),
                    sequence,
                    min = new.options.min
                ))
                .summary(format!("lifts the position of {sequence} to its new least value"))
                .locks(&old.sequence, Lock::RowExclusive),
            );
        }
        // A new type of the column takes the sequence along, and bounds that were the old type's.
        let mut before = old.options.clone();
        if before.data_type != new.options.data_type {
            let (from, to) = (limits(&before.data_type), limits(&new.options.data_type));
            before.max = if before.max == from.1 { to.1 } else { before.max };
            before.min = if before.min == from.0 { to.0 } else { before.min };
        }
        let mut set = vec![];
        if old.always != new.always {
            set.push(format!("GENERATED {}", if new.always { "ALWAYS" } else { "BY DEFAULT" }));
        }
        for (option, from, to) in [
            ("INCREMENT BY", before.increment, new.options.increment),
            ("MINVALUE", before.min, new.options.min),
            ("MAXVALUE", before.max, new.options.max),
            ("START WITH", before.start, new.options.start),
            ("CACHE", before.cache, new.options.cache),
        ] {
            if from != to {
                set.push(format!("{option} {to}"));
            }
        }
        if before.cycle != new.options.cycle {
            set.push(if new.options.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
        }
        if !set.is_empty() {
            let mut set: Vec<String> = set.into_iter().map(|it| format!("SET {it}")).collect();
            set.extend(apart.then(|| "RESTART".to_owned()));
            let step = self
                .on_family(format!("ALTER COLUMN {} {}", self.name, set.join(" ")), sides)
                .locks(&old.sequence, Lock::ShareRowExclusive);
            steps.push(if apart { step.irreversible("the position of the sequence is gone") } else { step });
        }
        if stays && old.sequence.name != new.sequence.name {
            steps.push(
                Step::new(format!("ALTER SEQUENCE {} RENAME TO {}", old.sequence, new.sequence.name))
                    .locks(&old.sequence, Lock::AccessExclusive),
            );
        }
        steps
    }
}
