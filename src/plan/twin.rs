//! A column under two names: while code that knows the old one still runs, a second column of the new name is kept equal
//! to it by a trigger, for writes by either. In `contract` the second column goes and the first takes its name, so that
//! keys, constraints, policies, views and the rows themselves stay where they are.
//!
//! Facts from "Overview of Trigger Behavior" in the manual: BEFORE triggers fire in the order of their names, before
//! checks, NOT NULL and generated columns look at the row; on a partitioned table after the partition was chosen.

use std::collections::BTreeSet;

use crate::kind::column::{self, Column};
use crate::kind::constraint::Rule;
use crate::kind::index::{Index, Key, Of, Subject};
use crate::kind::made_name::{derived, derived_beside};
use crate::kind::routine::Body;
use crate::kind::trigger::{Timing, Trigger};
use crate::kind::{Definition, Kind, Object, ObjectId, default, domain, foreign_partition, partition, table};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Literal, Name, QName};
use crate::plan::batch::Batch;
use crate::plan::hazard::Code;
use crate::plan::{Half, Planned, Stage, Step, Transaction, Undo, bridge};
use crate::schema::{Facts, Families, Schema, Sides};
use crate::source::syntax::{speaks, words};
use crate::source::{Class, Rename};

/// A column that is renamed while both of its names are in use.
#[derive(Debug, Clone)]
pub struct Twin {
    pub table: QName,
    pub old: Name,
    pub new: Name,
    subject: ObjectId,
    expand: Vec<Step>,
    backfill: Step,
    validate: Vec<Step>,
    contract: Vec<Step>,
}

/// Why a column has one name at a time only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alone {
    /// There is no row, or nobody who uses the table.
    Unused,
    Because(String),
}

/// The steps that keep both names of a renamed column alive, or why there are none.
pub fn twin(rename: &Rename, current: &Schema, desired: &Schema, facts: &Facts) -> Result<Twin, Alone> {
    let because = |why: &str| Alone::Because(why.to_owned());
    let ([namespace, of, new], Class::Column) = (rename.path.as_slice(), rename.class) else {
        return Err(because("it is no column"));
    };
    let (table, old) = (QName::new(namespace.clone(), of.clone()), &rename.old);
    let (Some(before), Some(after)) = (column::find(current, &table, old), column::find(desired, &table, new))
    else {
        return Err(because("the column of a table that is renamed too follows its table"));
    };
    let replaced = BTreeSet::new();
    let sides = Sides { old: current, new: desired, facts, replaced: &replaced, families: &Families::default() };
    if !table::is_used(&sides, &table) {
        return Err(Alone::Unused);
    }
    if let Some(why) = obstacle(before, after, &sides) {
        return Err(Alone::Because(why));
    }
    Ok(Pair { before, new, sides: &sides, family: table::family(&sides, &table) }.twin())
}

/// What keeps a column from having a twin.
fn obstacle(before: &Column, after: &Column, sides: &Sides<'_>) -> Option<String> {
    let (old, new) = (&before.name, &after.name);
    let family = table::family(sides, &before.table);
    if before.generated.is_some() || after.generated.is_some() {
        return Some("a generated column can't be written to".into());
    }
    if before.inherited.0 {
        return Some("the column is that of a parent".into());
    }
    if before.data_type != after.data_type || before.collation != after.collation {
        return Some("its type changes in the same plan".into());
    }
    if domain::constrains(sides.old, &before.data_type) {
        return Some(format!("{} checks its values, and a new column has none yet", before.data_type));
    }
    if family.iter().any(|it| column::find(sides.new, it, old).is_some()) {
        return Some(format!("{old} is declared as another column"));
    }
    if let Some(why) = foreign_partition::no_rows_written(sides, &before.table) {
        return Some(why);
    }
    for member in &family {
        let (Some(was), Some(is)) = (table::find(sides.old, member), table::find(sides.new, member)) else {
            continue;
        };
        if was.of_type.is_some() {
            return Some(format!("{member} is a typed table"));
        }
        if was.partition_by != is.partition_by && !mentions(was.partition_by.as_deref(), [old, new]) {
            return Some(format!("{member} is partitioned anew in the same plan"));
        }
        if mentions(was.partition_by.as_deref(), [old, new]) {
            return Some("rows find their partition by it before any trigger runs".into());
        }
    }
    let triggers = [sides.old, sides.new].into_iter().flat_map(|schema| {
        let of_family = family.iter().flat_map(move |it| schema.of_relation(Kind::Trigger, it));
        of_family.filter_map(|it| match it {
            Object::Trigger(it) => Some(&**it),
            _ => None,
        })
    });
    for trigger in triggers {
        if trigger.events.columns.iter().any(|it| it == old || it == new) {
            return Some(format!("trigger {} fires for an UPDATE that names it", trigger.name));
        }
        if trigger.timing == Timing::Before && trigger.for_each_row && may_set(trigger, [old, new], sides) {
            return Some(format!("trigger {} may set it after both names were made equal", trigger.name));
        }
    }
    None
}

fn mentions<const N: usize>(text: Option<&str>, names: [&Name; N]) -> bool {
    text.is_some_and(|text| {
        words(text).iter().any(|word| names.iter().any(|it| it.as_str().eq_ignore_ascii_case(word)))
    })
}

/// Whether the function of a BEFORE trigger speaks of the columns. A library's is believed not to, unless it is told.
pub(super) fn may_set<const N: usize>(trigger: &Trigger, names: [&Name; N], sides: &Sides<'_>) -> bool {
    if trigger.arguments.iter().any(|it| names.iter().any(|name| name.as_str() == it)) {
        return true;
    }
    let function = &trigger.function;
    [sides.old, sides.new].into_iter().flat_map(|it| it.of_relation(Kind::Routine, function)).any(|it| match it {
        Object::Routine(it) => match &it.body {
            Body::Text(text) => mentions(Some(text), names),
            Body::Sql(_) | Body::Library { .. } => false,
        },
        _ => false,
    })
}

/// The column with what is needed to write its steps.
struct Pair<'a> {
    before: &'a Column,
    new: &'a Name,
    sides: &'a Sides<'a>,
    family: Vec<QName>,
}

impl Pair<'_> {
    fn twin(&self) -> Twin {
        let Column { table, name: old, .. } = self.before;
        let name = first_of_all(self.sides, table, &self.family, &[old.as_str(), "is", self.new.as_str()]);
        let function = table.sibling(name.clone());
        let create_function = self.function(&function);
        let drop_function = format!("DROP FUNCTION {function}()");
        let create_triggers: Vec<String> = self.triggered().map(|it| trigger(&name, it, &function)).collect();
        let drop_triggers: Vec<String> =
            self.triggered().map(|it| format!("DROP TRIGGER {name} ON {it}")).collect();
        let (add, drop) = (self.add(), format!("ALTER TABLE {table} DROP COLUMN {}", self.new));
        let grants = self.grants();

        let mut expand = vec![
            Step::new(&create_function)
                .summary(format!("what makes {table}.{old} and {} equal", self.new))
                .undone_by(&drop_function),
            self.on_family(&add, Lock::AccessExclusive)
                .summary(format!("add {} as a second name of {table}.{old}", self.new))
                .undone_by(&drop),
        ];
        expand.extend(create_triggers.iter().zip(&drop_triggers).map(|(create, drop)| {
            self.on_family(create, Lock::ShareRowExclusive)
                .summary(format!("a row of {table} that is written by either name has the value under both"))
                .undone_by(drop)
        }));
        let may = format!("who may use {old} may use {}, too", self.new);
        expand.extend(grants.iter().map(|it| Step::new(it).summary(&may)));

        let (backfill, refill) = self.backfill();
        let (validate, again) = self.indexes();

        let rename = |from: &Name, to: &Name| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
        // Going back, the column has its old name at once; only then the rows of the second one are filled again.
        let last_back = [refill].into_iter().chain(again);
        let mut end = self.on_family(&drop, Lock::AccessExclusive);
        end.undo = last_back.map(Undo::outside).collect();
        let back =
            [rename(self.new, old), add].into_iter().chain(grants).chain([create_function]).chain(create_triggers);
        let apart = format!("{old} and {} are no longer made equal", self.new);
        let drops = drop_triggers.iter().map(|it| self.on_family(it, Lock::AccessExclusive).summary(&apart));
        let mut contract: Vec<Step> = drops.collect();
        contract.extend([
            end.summary(format!("the second column {} goes", self.new)),
            self.on_family(rename(old, self.new), Lock::AccessExclusive)
                .summary(format!("{table}.{old} is called {} alone", self.new))
                .hazard(Code::Rename, self.before.id(), format!("nothing is called {old} from this step on")),
        ]);
        let mut last = Step::new(drop_function).summary(format!("remove what made {old} and {} equal", self.new));
        last.undo = back.map(Undo::inside).collect();
        contract.push(last);
        Twin {
            table: table.clone(),
            old: old.clone(),
            new: self.new.clone(),
            subject: self.before.id(),
            expand,
            backfill,
            validate,
            contract: contract.into_iter().map(|it| it.stage(Stage::Contract)).collect(),
        }
    }

    fn on_family(&self, sql: impl Into<String>, lock: Lock) -> Step {
        table::reach(self.sides, &self.before.table)
            .iter()
            .fold(Step::new(sql), |step, member| step.locks(member, lock))
    }

    /// The tables that need a trigger of their own: partitions are given that of their parent.
    fn triggered(&self) -> impl Iterator<Item = &QName> {
        self.family.iter().filter(|it| !self.sides.old.contains(&partition::id(it)))
    }

    /// The default, where two evaluations of it in one statement give one value.
    fn default(&self) -> Option<&str> {
        let default = default::find(self.sides.old, &self.before.table, &self.before.name)?;
        default.is_surely_stable().then_some(default.expression.0.as_str())
    }

    fn has_own_values(&self) -> bool {
        let default = default::find(self.sides.old, &self.before.table, &self.before.name);
        self.before.identity.is_some() || default.is_some_and(|it| !it.is_surely_stable())
    }

    /// In one statement, so that rows which stand already hold null and not the default.
    fn add(&self) -> String {
        let Column { table, data_type, collation, .. } = self.before;
        let collate = collation.as_ref().map(|it| format!(" COLLATE {it}")).unwrap_or_default();
        let default = self.default().map(|it| format!(", ALTER COLUMN {} SET DEFAULT {it}", self.new));
        format!("ALTER TABLE {table} ADD COLUMN {} {data_type}{collate}{}", self.new, default.unwrap_or_default())
    }

    /// The function of the trigger. It reads nothing but the row, so it runs with the rights of whoever writes.
    fn function(&self, function: &QName) -> String {
        let Column { table, name: old, data_type, .. } = self.before;
        let new = self.new;
        let stays = |name: &Name| same(&format!("NEW.{name}"), &format!("OLD.{name}"));
        let is_default = |name: &Name| {
            let default = self.default().unwrap_or("NULL");
            same(&format!("NEW.{name}"), &format!("({default})::{data_type}"))
        };
        // Where the old column has a value of its own for each row, whether it was given can't be told.
        let takes = if self.has_own_values() { "TRUE".to_owned() } else { is_default(old) };
        let message = format!(
            "{old} and {new} of {table} are two names of one value while the column is renamed, and were given two values"
        );
        let body = format!(
            "\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        \
             IF {not_given} THEN\n            NEW.{new} := NEW.{old};\n        \
             ELSIF {takes} THEN\n            NEW.{old} := NEW.{new};\n        END IF;\n    \
             ELSIF {new_stays} THEN\n        NEW.{new} := NEW.{old};\n    \
             ELSIF {old_stays} THEN\n        NEW.{old} := NEW.{new};\n    END IF;\n    \
             IF NOT {are_same} THEN\n        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',\n            \
             MESSAGE = {message};\n    END IF;\n    RETURN NEW;\nEND\n",
            not_given = is_default(new),
            new_stays = stays(new),
            old_stays = stays(old),
            are_same = same(&format!("NEW.{old}"), &format!("NEW.{new}")),
            message = Literal(&message),
        );
        format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS {}",
            DollarQuoted(&body)
        )
    }

    /// Column privileges, for the second column.
    fn grants(&self) -> Vec<String> {
        let id = self.before.id().satellite(Kind::Grants);
        let Some(Object::Grants(grants)) = self.sides.old.get(&id) else { return vec![] };
        let items = grants.items.iter().filter(|(role, ..)| grants.owner.as_ref() != Some(role));
        items
            .map(|(role, privilege, with_option)| {
                bridge::grant(&self.before.table, role, privilege, Some(self.new), *with_option)
            })
            .collect()
    }

    /// The step that fills the second column, and the same as one statement.
    fn backfill(&self) -> (Step, String) {
        let Column { table, name: old, .. } = self.before;
        let differs = format!("NOT {}", same(&self.new.to_string(), &old.to_string()));
        let key = table::walk_key(self.sides.old, table);
        let batch = Batch::new(table, &key, self.new, old.to_string(), &differs);
        let whole = batch.whole();
        let step = match table::is_for_batches(self.sides, table) {
            false => Step::at_once(batch),
            true => Step::in_batches(batch),
        };
        let mode = if step.batch.is_some() { Lock::ShareUpdateExclusive } else { Lock::RowExclusive };
        let step = step
            .summary(format!("fill {} of {table} from {old}", self.new))
            .check(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {differs})"));
        (self.family.iter().fold(step, |it, member| it.locks(member, mode)), whole)
    }

    /// Indexes for statements that use the new name, until it is that of the indexed column itself; and what makes them
    /// once more.
    fn indexes(&self) -> (Vec<Step>, Vec<String>) {
        let mut made: Vec<Index> = vec![];
        for member in self.family.iter().filter(|it| table::stores(self.sides, it)) {
            let indexes = self.sides.new.of_relation(Kind::Constraint, member).filter_map(of_key);
            let others = self.sides.new.of_kind(Kind::Index).filter_map(|it| match it {
                Object::Index(it) if it.table == *member && it.of == Of::Table => Some((**it).clone()),
                _ => None,
            });
            for index in indexes.chain(others).filter(|it| it.is_of(self.new)) {
                let name = derived(&[index.name.name.as_str(), "of", self.new.as_str()], |name| {
                    let name = member.sibling(name.clone());
                    let taken =
                        |schema: &Schema| Kind::ALL.iter().any(|kind| schema.contains(&bridge::id(*kind, &name)));
                    !taken(self.sides.old) && !taken(self.sides.new) && made.iter().all(|it| it.name != name)
                });
                made.push(index.beside(name));
            }
        }
        let again = made.iter().flat_map(|it| it.create(self.sides)).map(|it| it.sql).collect();
        let steps = made.iter().flat_map(|index| {
            let summary = format!("statements that use {} of {} find this index", self.new, index.table);
            index.create(self.sides).into_iter().map(move |mut step| {
                step.hazards.clear();
                let drop = format!("DROP INDEX CONCURRENTLY {}", index.name);
                step.undo.push(Undo::outside(drop));
                step.stage(Stage::Validate).summary(summary.clone())
            })
        });
        (steps.collect(), again)
    }
}

/// The index of a key, as one that stands beside it. That of a deferred key does not look at each row at once.
fn of_key(object: &Object) -> Option<Index> {
    let Object::Constraint(it) = object else { return None };
    let Rule::Unique(key) = &it.rule else { return None };
    let of = |column: &Name| Key {
        of: Subject::Column(column.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: false,
        statistics: None,
    };
    (!key.without_overlaps).then(|| Index {
        name: it.table.sibling(it.name.clone()),
        table: it.table.clone(),
        of: Of::Table,
        unique: !it.deferrable,
        nulls_not_distinct: key.nulls_not_distinct && !it.deferrable,
        method: "btree".into(),
        keys: key.columns.iter().map(of).collect(),
        include: key.include.clone(),
        predicate: None,
        storage: key.storage.clone(),
        valid: true,
        parent: column::Aside(None),
        lacking: column::Aside(vec![]),
    })
}

/// A name for trigger and function that nothing has, and that comes before those of all other BEFORE triggers: they see
/// the columns as they will be stored.
pub(super) fn first_of_all(sides: &Sides<'_>, table: &QName, family: &[QName], about: &[&str]) -> Name {
    let schemas = [sides.old, sides.new];
    let mut others: Vec<&str> = vec![table.name.as_str()];
    let triggers =
        schemas.iter().flat_map(|schema| family.iter().flat_map(|it| schema.of_relation(Kind::Trigger, it)));
    others.extend(triggers.filter_map(|it| match it {
        Object::Trigger(it) => Some(it.name.as_str()),
        _ => None,
    }));
    let taken = |name: &Name| {
        let routine = table.sibling(name.clone());
        schemas.iter().any(|it| it.of_relation(Kind::Routine, &routine).next().is_some())
            || others.contains(&name.as_str())
    };
    let candidates = ["_", "0_", "!", "!!!!!!"].map(|first| {
        let first = format!("{first}{}", table.name.as_str());
        derived_beside(table, &[&[first.as_str()], about].concat(), sides, |it| !taken(it))
    });
    let is_first = |name: &&Name| others.iter().all(|other| name.as_str() < *other);
    candidates.iter().find(is_first).unwrap_or(&candidates[0]).clone()
}

/// Whether two values are the same as they are stored, nulls too: not every type has an equality, and one that has may
/// take two values for one.
fn same(a: &str, b: &str) -> String {
    format!("pg_catalog.record_image_eq(ROW({a}), ROW({b}))")
}

pub(super) fn trigger(name: &Name, on: &QName, function: &QName) -> String {
    format!("CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION {function}()")
}

impl Twin {
    /// The statement that gives the column of the declared schema its old name, which the rest of the plan calls it by.
    pub fn back(&self) -> String {
        format!("ALTER TABLE {} RENAME COLUMN {} TO {}", self.table, self.new, self.old)
    }

    /// Whether a step replaces a routine by one that speaks of the second column.
    fn is_read_by(&self, step: &Planned) -> bool {
        step.subject.kind == Kind::Routine
            && step.step.transaction == Transaction::Shared
            && step.step.stage == Stage::Expand
            && step.does.iter().all(|(_, half)| *half == Half::Alter)
            && speaks(&step.step.sql, self.new.as_str())
    }
}

/// What a column of the declaration is called by the rest of the plan.
pub fn until_contract<'a>(twins: &'a [Twin], table: &QName, column: &'a Name) -> &'a Name {
    twins.iter().find(|it| it.table == *table && it.new == *column).map_or(column, |it| &it.old)
}

/// Puts the steps of twins around those of the rest: the second columns come first of all, are filled and indexed where the
/// rest has come so far, and the end of the old names comes last. A routine that reads a second column from now on does so
/// once it is filled.
pub fn around(steps: Vec<Planned>, twins: &[Twin]) -> Vec<Planned> {
    if twins.is_empty() {
        return steps;
    }
    let mut number = steps.iter().filter_map(|it| it.transaction).max().unwrap_or(0);
    // The steps of each twin that share a transaction, where they can be in one.
    let mut planned = |twin: &Twin, steps: &[Step], renames_to: Option<&Name>| -> Vec<Planned> {
        number += 1;
        let last = steps.len().saturating_sub(1);
        let planned = |(at, step): (usize, &Step)| Planned {
            subject: twin.subject.clone(),
            does: vec![],
            transaction: Some(number).filter(|_| step.transaction != Transaction::Outside),
            undo: step.undo.clone(),
            step: step.clone(),
            renames_to: renames_to.filter(|_| at == last).cloned(),
        };
        steps.iter().enumerate().map(planned).collect()
    };
    let mut all: Vec<Planned> = twins.iter().flat_map(|it| planned(it, &it.expand, None)).collect();
    let mut between: Vec<Planned> =
        twins.iter().flat_map(|it| planned(it, std::slice::from_ref(&it.backfill), None)).collect();
    between.extend(twins.iter().flat_map(|it| planned(it, &it.validate, None)));
    let last: Vec<Planned> = twins.iter().flat_map(|it| planned(it, &it.contract, Some(&it.new))).collect();
    let (late, steps): (Vec<Planned>, Vec<Planned>) =
        steps.into_iter().partition(|step| twins.iter().any(|it| it.is_read_by(step)));
    number += 1;
    between.extend(late.into_iter().map(|mut it| {
        it.step.stage = Stage::Validate;
        Planned { transaction: Some(number), ..it }
    }));
    let mut between = between.into_iter().peekable();
    for step in steps {
        while let Some(next) = between.next_if(|it| it.step.stage < step.step.stage) {
            all.push(next);
        }
        all.push(step);
    }
    all.extend(between);
    all.extend(last);
    super::renumber(&mut all);
    all
}
