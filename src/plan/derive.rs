//! Columns that take the place of others, by expressions declared both ways: one is split, several are merged. While old
//! and new ones live, a trigger gives each row that is written by either the values of the other; the new ones are added
//! and filled, and the old ones dropped, as the difference of the schemas asks for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::trigger::Timing;
use crate::kind::{Kind, Object, ObjectId, column, default, partition, table};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Planned, Stage, Step, twin};
use crate::schema::{Facts, Families, Schema, Sides};

/// The columns of one table: `from` has the new ones, `becomes` the old ones, each with what it holds in terms of the
/// others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Derived {
    pub from: BTreeMap<Name, String>,
    pub becomes: BTreeMap<Name, String>,
}

impl Derived {
    /// The values of rows that stand already, in columns that come: on the way there, and on the way back.
    pub fn backfills(&self, table: &QName) -> impl Iterator<Item = ((QName, Name), String)> {
        let both = self.from.iter().chain(&self.becomes);
        both.map(|(column, value)| ((table.clone(), column.clone()), value.clone()))
    }
}

/// What is still to be done of what is declared: a table whose new columns are there is left alone.
pub fn pending(
    declared: &BTreeMap<QName, Derived>,
    current: &Schema,
    desired: &Schema,
) -> BTreeMap<QName, Derived> {
    let has = |schema: &Schema, table: &QName, name: &Name| column::find(schema, table, name).is_some();
    let left = declared.iter().map(|(table, it)| {
        let mut left = it.clone();
        left.from.retain(|name, _| !has(current, table, name) && has(desired, table, name));
        left.becomes.retain(|name, _| has(current, table, name) && !has(desired, table, name));
        (table.clone(), left)
    });
    left.filter(|(_, it)| !it.from.is_empty() && !it.becomes.is_empty()).collect()
}

/// What is declared of the way back: not what becomes of the values of a column that gets another type.
pub(super) fn of_way_back(old: &Schema, new: &Schema, facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    facts.backfills.retain(|(table, name), _| {
        let types = [old, new].map(|it| column::find(it, table, name).map(|it| &it.data_type));
        types.contains(&None) || types[0] == types[1]
    });
    facts.way_back = true;
    facts
}

/// Adds the triggers: made once the new columns are there, removed before the first of what goes.
pub fn around(steps: Vec<Planned>, old: &Schema, new: &Schema, facts: &Facts) -> Vec<Planned> {
    let replaced = BTreeSet::new();
    let sides = Sides { old, new, facts, replaced: &replaced, families: &Families::default() };
    let used = facts.derived.iter().filter(|(name, _)| table::is_used(&sides, name));
    let kept: Vec<Kept<'_>> = used.map(|(name, it)| Kept::new(name, it, &sides)).collect();
    if kept.is_empty() {
        return steps;
    }
    let begin = kept.iter().map(|it| (it.table.clone(), it.begin())).collect();
    put_around(steps, begin, kept.iter().map(|it| (it.table.clone(), it.end())).collect())
}

/// Puts transactions, each about a table, around what fills rows: those that begin it once `expand` is done, those that
/// end it before the first of `contract`.
pub(super) fn put_around(
    steps: Vec<Planned>,
    begin: Vec<(QName, Vec<Step>)>,
    end: Vec<(QName, Vec<Step>)>,
) -> Vec<Planned> {
    if begin.is_empty() && end.is_empty() {
        return steps;
    }
    let mut number = steps.iter().filter_map(|it| it.transaction).max().unwrap_or(0);
    let mut planned = |transactions: Vec<(QName, Vec<Step>)>| -> Vec<Planned> {
        let mut all = vec![];
        for (table, steps) in transactions {
            number += 1;
            all.extend(steps.into_iter().map(|step| Planned {
                subject: table::id(&table),
                does: vec![],
                transaction: Some(number),
                undo: step.undo.clone(),
                step,
                renames_to: None,
            }));
        }
        all
    };
    let (mut begin, mut end) = (planned(begin), planned(end));
    let mut all = vec![];
    for step in steps {
        if step.step.stage > Stage::Expand {
            all.append(&mut begin);
        }
        if step.step.stage == Stage::Contract {
            all.append(&mut end);
        }
        all.push(step);
    }
    all.extend(begin.into_iter().chain(end));
    super::renumber(&mut all);
    all
}

/// A table whose old and new columns are kept in step.
struct Kept<'a> {
    table: &'a QName,
    derived: &'a Derived,
    sides: &'a Sides<'a>,
    family: Vec<QName>,
    name: Name,
}

impl<'a> Kept<'a> {
    fn new(table: &'a QName, derived: &'a Derived, sides: &'a Sides<'a>) -> Self {
        let family = table::family(sides, table);
        let words = |names: &BTreeMap<Name, String>| {
            names.keys().map(|it| it.as_str().to_owned()).collect::<Vec<_>>().join("_")
        };
        let (old, new) = (words(&derived.becomes), words(&derived.from));
        let name = twin::first_of_all(sides, table, &family, &[&old, "becomes", &new]);
        Kept { table, derived, sides, family, name }
    }

    fn words(&self) -> String {
        format!("{} and {} of {}", list(self.derived.becomes.keys()), list(self.derived.from.keys()), self.table)
    }

    fn on_family(&self, sql: &str, lock: Lock) -> Step {
        table::reach(self.sides, self.table).iter().fold(Step::new(sql), |step, member| step.locks(member, lock))
    }

    /// Making and dropping the function, then the triggers.
    fn statements(&self) -> ((String, String), Vec<(String, String)>) {
        let function = self.table.sibling(self.name.clone());
        let own = self.family.iter().filter(|it| !self.sides.old.contains(&partition::id(it)));
        let triggers =
            own.map(|it| (twin::trigger(&self.name, it, &function), format!("DROP TRIGGER {} ON {it}", self.name)));
        ((self.function(&function), format!("DROP FUNCTION {function}()")), triggers.collect())
    }

    fn begin(&self) -> Vec<Step> {
        let ((create, drop), triggers) = self.statements();
        let function = Step::new(create).summary(format!("what keeps {} in step", self.words())).undone_by(drop);
        let triggers = triggers.into_iter().map(|(create, drop)| {
            let step = self
                .on_family(&create, Lock::ShareRowExclusive)
                .summary(format!("a row that is written by some of {} gets the others", self.words()))
                .undone_by(drop);
            self.others().into_iter().fold(step, |step, (trigger, name)| {
                let why = format!("it runs after this one and speaks of {name}");
                step.hazard(Code::TriggerFights, trigger, why)
            })
        });
        [function].into_iter().chain(triggers).collect()
    }

    /// Triggers that run after ours and may change one of the columns, each with the first such column.
    fn others(&self) -> Vec<(ObjectId, Name)> {
        let triggers = self.family.iter().flat_map(|it| self.sides.new.of_relation(Kind::Trigger, it));
        let names = || self.derived.from.keys().chain(self.derived.becomes.keys());
        let fights = |object: &Object| match object {
            Object::Trigger(it) if it.timing == Timing::Before && it.for_each_row => {
                let name = names().find(|name| twin::may_set(it, [name], self.sides))?;
                Some((object.id(), name.clone()))
            }
            _ => None,
        };
        triggers.filter_map(fights).collect()
    }

    fn end(&self) -> Vec<Step> {
        let ((create, drop), triggers) = self.statements();
        let triggers = triggers.into_iter().map(|(create, drop)| {
            self.on_family(&drop, Lock::AccessExclusive)
                .summary(format!("{} are no longer kept in step", self.words()))
                .undone_by(create)
        });
        let function =
            Step::new(drop).summary(format!("remove what kept {} in step", self.words())).undone_by(create);
        triggers.chain([function]).map(|it| it.stage(Stage::Contract)).collect()
    }

    /// The function of the trigger. Whoever writes may lack the right to read what the expressions read.
    fn function(&self, function: &QName) -> String {
        let (new, old) = (&self.derived.from, &self.derived.becomes);
        let fields = |row: &str, of: &BTreeMap<Name, String>| list(of.keys().map(|it| format!("{row}.{it}")));
        let same = |a: String, b: String| format!("pg_catalog.record_image_eq(ROW({a}), ROW({b}))");
        let stays = |of| same(fields("NEW", of), fields("OLD", of));
        let not_given = |schema: &Schema, of: &BTreeMap<Name, String>| {
            let default = |name: &Name| {
                let default = default::find(schema, self.table, name).filter(|it| it.is_surely_stable());
                let value = default.map_or("NULL".to_owned(), |it| it.expression.to_string());
                let data_type = column::find(schema, self.table, name).map(|it| it.data_type.as_str());
                format!("({value})::{}", data_type.unwrap_or("text"))
            };
            same(fields("NEW", of), list(of.keys().map(default)))
        };
        // Columns are named as in a backfill: bare, or by the table's name.
        let set = |row: &str, of: &BTreeMap<Name, String>| {
            format!(
                "SELECT {} INTO {} FROM (SELECT {row}.*) AS {};",
                list(of.values().map(|it| format!("({it})"))),
                fields(row, of),
                self.table.name
            )
        };
        let is_null =
            |row: &str| new.keys().map(|it| format!("{row}.{it} IS NULL")).collect::<Vec<_>>().join(" AND ");
        let filled: String = new
            .keys()
            .map(|it| format!("            IF NEW.{it} IS NULL THEN NEW.{it} := OLD.{it}; END IF;\n"))
            .collect();
        let body = format!(
            "\n#variable_conflict use_column\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        \
             IF {new_not_given} AND ({new_is_null} OR NOT {old_not_given}) THEN\n            {set_new}\n        \
             ELSIF {old_not_given} THEN\n            {set_old}\n        END IF;\n    ELSE\n        \
             -- A row that is not filled yet counts as one that is.\n        \
             IF {was_null} THEN\n            {set_was}\n{filled}        END IF;\n        \
             IF NOT {new_stays} THEN\n            IF {old_stays} THEN\n                {set_old}\n            END IF;\n        \
             ELSIF NOT {old_stays} THEN\n            {set_new}\n        END IF;\n    END IF;\n    RETURN NEW;\nEND\n",
            new_not_given = not_given(self.sides.new, new),
            new_is_null = is_null("NEW"),
            old_not_given = not_given(self.sides.old, old),
            set_new = set("NEW", new),
            set_old = set("NEW", old),
            was_null = is_null("OLD"),
            set_was = set("OLD", new),
            new_stays = stays(new),
            old_stays = stays(old),
        );
        format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS {}",
            DollarQuoted(&body)
        )
    }
}
