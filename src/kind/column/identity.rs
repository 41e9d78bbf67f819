//! Identity of columns: how it counts, and how that changes.

use serde::{Deserialize, Serialize};
use crate::kind::sequence::Options;
use crate::kind::{inheritance, table};
use crate::kind::{Definition, Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
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

    /// Why a new column can't be an identity: ADD COLUMN goes on to heirs, which get none.
    pub(super) fn identity_beside_heirs(&self, sides: &Sides<'_>) -> Option<String> {
        self.identity.as_ref()?;
        let table = table::find(sides.old, &self.table).filter(|it| it.partition_by.is_none())?;
        let heirs = inheritance::heirs(sides, &self.table).into_iter();
        let was_one = |it: &&QName| table::find(sides.old, it).is_some_and(|it| it.inherits.0.contains(&self.table));
        let heir = heirs.filter(was_one).chain(table.foreign.0.iter().map(|it| &it.0)).next()?;
        Some(format!(
            "{heir} inherits from {}, and PostgreSQL adds no identity column to a table with heirs: declare {} without its \
             identity, with what rows have in it, and the identity in a plan after that",
            self.table, self.name
        ))
    }

    pub(super) fn alter_identity(&self, new: &Column, sides: &Sides<'_>) -> Vec<Step> {
        match (&self.identity, &new.identity) {
            (None, None) => vec![],
            (Some(old), None) => {
                let exists = if sides.facts.way_back { " IF EXISTS" } else { "" };
                let drop = self
                    .on_family(format!("ALTER COLUMN {} DROP IDENTITY{exists}", self.name), sides)
                    .locks(&old.sequence, Lock::AccessExclusive)
                    .with_its_parts();
                let sequence = self.identity_sequence();
                match new.default(sides.new) {
                    // A serial whose sequence has the same name, for all who draw from it.
                    Some(_) if sequence.is_some_and(|it| sides.new.contains(&it)) => return vec![drop],
                    Some(_) => return vec![drop.stage(Stage::Contract)],
                    None => {}
                }
                let why = format!("INSERT into {} may rely on its numbers", self.table);
                vec![drop.stage(Stage::Contract).hazard(Code::DropDefault, self.id(), why)]
            }
            (None, Some(it)) => self.add_identity(it, sides),
            (Some(old), Some(it)) => self.alter_sequence(old, it, sides),
        }
    }

    fn add_identity(&self, it: &Identity, sides: &Sides<'_>) -> Vec<Step> {
        let is_late = self.default(sides.old).is_some();
        // Without a default, code that runs gives the values itself.
        let in_turn = it.always && !is_late && self.is_given_values(sides);
        let first = Identity { always: it.always && !in_turn, ..it.clone() };
        let sql = first.sql(&self.table, &self.name);
        let back = format!("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY IF EXISTS", self.table, self.name);
        let mut add = self.on_family(format!("ALTER COLUMN {} ADD {sql}", self.name), sides).with_its_parts();
        if first.always {
            add = self.refusing_values(add);
        }
        let mut steps = vec![add.undone_by(back)];
        // The new sequence goes on where the values stand; a serial's sequence is gone only by now.
        if table::may_hold_rows(sides, &self.table) {
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
            steps.push(self.positions(&it.sequence, format!("SELECT setval({sequence}, {next}, false) FROM {}", self.table)));
        }
        if is_late {
            steps = steps.into_iter().map(|it| it.stage(Stage::Contract)).collect();
        }
        if in_turn {
            let back = self.generated_sql(false);
            let (position, always) = self.refuse_values_in_turn(it, &it.sequence, sides);
            steps.extend(position);
            steps.push(always.undone_by(format!("ALTER TABLE {} {back}", self.table)));
        }
        steps
    }

    fn generated_sql(&self, always: bool) -> String {
        format!("ALTER COLUMN {} SET GENERATED {}", self.name, if always { "ALWAYS" } else { "BY DEFAULT" })
    }

    fn positions(&self, sequence: &QName, sql: String) -> Step {
        Step::new(sql)
            .summary(format!("lets {sequence} go on after the values in {}.{}", self.table, self.name))
            .locks(&self.table, Lock::AccessShare)
    }

    /// Whether code that runs may give the column values.
    fn is_given_values(&self, sides: &Sides<'_>) -> bool {
        !sides.facts.way_back && !sides.facts.idle.contains(&self.table)
    }

    /// GENERATED ALWAYS for a column that was given values until then: the sequence goes on after these. One that begins
    /// anew at its end has its numbers by its own rule.
    fn refuse_values_in_turn(&self, it: &Identity, sequence: &QName, sides: &Sides<'_>) -> (Option<Step>, Step) {
        let (table, name) = (&self.table, &self.name);
        let bounds = limits(&it.options.data_type);
        let (aggregate, beyond, called, within) = match it.options.increment > 0 {
            true => ("max", '>', '-', (it.options.max != bounds.1).then(|| format!("<= {}", it.options.max))),
            false => ("min", '<', '+', (it.options.min != bounds.0).then(|| format!(">= {}", it.options.min))),
        };
        let within = within.map(|it| format!(" AND {aggregate}({name}) {it}")).unwrap_or_default();
        // Where it stands there already it stays: a number that is drawn meanwhile would be drawn again.
        let position = format!(
            "SELECT setval({}, {aggregate}({name})) FROM {table} HAVING {aggregate}({name}) {beyond} (SELECT last_value \
             {called} (NOT is_called)::integer FROM {sequence}){within}",
            Literal(&sequence.to_string())
        );
        let position = self.positions(sequence, position).locks(sequence, Lock::RowExclusive).stage(Stage::Contract);
        let always = self.on_family(self.generated_sql(true), sides).locks(sequence, Lock::ShareRowExclusive);
        let always = self.refusing_values(always).stage(Stage::Contract);
        ((!it.options.cycle).then_some(position), always)
    }

    /// Code that gives the column a value is refused from the step on.
    pub(super) fn refusing_values(&self, step: Step) -> Step {
        let why = format!("INSERT and UPDATE may give {}.{} values", self.table, self.name);
        step.hazard(Code::GeneratedAlways, self.id(), why)
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
        if old.always != new.always {
            let set = if new.always && self.is_given_values(sides) {
                let (position, set) = self.refuse_values_in_turn(new, sequence, sides);
                steps.extend(position);
                set
            } else {
                let set = self.on_family(self.generated_sql(new.always), sides);
                let set = set.locks(&old.sequence, Lock::ShareRowExclusive);
                if new.always { self.refusing_values(set) } else { set }
            };
            steps.push(set.part(self.id()));
        }
        if stays && old.sequence.name != new.sequence.name {
            let known = if sides.facts.way_back { new } else { old };
            let why = format!("{} becomes {}", old.sequence, new.sequence);
            let rename = Step::new(format!("ALTER SEQUENCE {} RENAME TO {}", old.sequence, new.sequence.name))
                .locks(&old.sequence, Lock::AccessExclusive)
                .hazard(Code::Rename, self.id(), why);
            steps.push(rename.part(ObjectId::new(Kind::Sequence, [&known.sequence.namespace, &known.sequence.name])));
        }
        steps
    }
}
