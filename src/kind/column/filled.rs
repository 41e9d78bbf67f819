//! Columns that come to rows: their values, by a default or in batches, and the triggers that keep them meanwhile.

use crate::kind::made_name::derived_beside;
use crate::kind::{foreign_partition, row_type, table};
use crate::kind::{Definition, Kind, Object, ObjectId};
use crate::kind::constraint::Rule;
use crate::lock::Lock;
use crate::name::{DollarQuoted, Name, QName, list};
use crate::plan::batch::Batch;
use crate::plan::hazard::Code;
use crate::plan::{Stage, Step};
use crate::schema::Sides;
use super::{Column, Generated, NotNull};

/// How rows that have no value get one: the steps before the column is required, and those after.
pub(super) struct Backfill {
    pub(super) fill: Vec<Step>,
    pub(super) after: Vec<Step>,
}

impl Column {
    /// Whether adding the column writes every row anew.
    pub(super) fn fills_rows(&self, sides: &Sides<'_>) -> bool {
        let default = self.default(sides.new).filter(|_| self.takes_default_along(sides));
        self.is_computed_by_rewrite(sides) || default.is_some_and(|it| !it.is_surely_stable())
    }

    /// The same, where nothing but that gives the rows their values.
    pub(super) fn is_computed_by_rewrite(&self, sides: &Sides<'_>) -> bool {
        self.identity.is_some()
            || self.generated.as_ref().is_some_and(|it| !it.is_virtual)
            || self.has_constrained_domain(sides.new)
    }

    /// The same for a new column of a table whose rows stand in another as well: the server adds none with a default.
    fn default_afterwards(&self, sides: &Sides<'_>) -> Option<Backfill> {
        let default = self.default(sides.new).filter(|_| self.takes_default_along(sides))?;
        row_type::stored_in(sides, &self.table)?;
        let nothing = Backfill { fill: vec![], after: vec![] };
        Some(self.backfill_with(&default.expression.to_string(), sides).unwrap_or(nothing))
    }

    /// What gives rows without a value the declared one: a statement, in batches where there may be many rows; before
    /// it, where no default does, a trigger for rows that are written meanwhile; and what removes that in the end.
    pub(super) fn backfill(&self, sides: &Sides<'_>) -> Option<Backfill> {
        self.backfill_with(sides.facts.backfills.get(&(self.table.clone(), self.name.clone()))?, sides)
    }

    /// Whether rows get values by statements of their own as the column comes.
    pub(super) fn comes_filled(&self, sides: &Sides<'_>) -> bool {
        let is_required = self.not_null.as_ref().is_some_and(|it| it.valid);
        let is_declared = (is_required || self.is_derived(sides)) && self.backfill(sides).is_some();
        is_declared || self.default_afterwards(sides).is_some()
    }

    /// Why no statement can give the rows values.
    pub(super) fn cannot_be_filled(&self, sides: &Sides<'_>) -> Option<String> {
        let why = foreign_partition::no_rows_written(sides, &self.table)?;
        Some(format!(
            "{why}: declare {} without its backfill, give the rows of each server their values, and declare the rest then; \
             or detach the foreign table first",
            self.name
        ))
    }

    /// The same for a new column whose default has another value for each row: ADD COLUMN with it would write the whole
    /// table under a lock that keeps everyone out. A table of few rows is as well written at once, and one with foreign
    /// partitions has to be.
    pub(super) fn default_by_batches(&self, sides: &Sides<'_>) -> Option<Backfill> {
        let default = self.default(sides.new).filter(|it| self.takes_default_along(sides) && !it.is_surely_stable())?;
        foreign_partition::is_filled_in_batches(sides, &self.table)
            .then(|| self.backfill_with(&default.expression.to_string(), sides))
            .flatten()
    }

    /// The same for a default that comes after its column, such as one that draws from a sequence which the column owns:
    /// rows that are written have it by then. A primary key has to be filled before its index becomes one.
    pub fn filled_by_batches(&self, expression: &str, sides: &Sides<'_>) -> Option<Vec<Step>> {
        let is_in_key = sides.new.of_relation(Kind::Constraint, &self.table).any(|object| match object {
            Object::Constraint(it) => {
                matches!(&it.rule, Rule::Unique(key) if key.primary && key.columns.contains(&self.name))
            }
            _ => false,
        });
        if is_in_key || !foreign_partition::is_filled_in_batches(sides, &self.table) {
            return None;
        }
        let filled = self.backfill_with(expression, sides)?;
        let required = self.not_null.iter().flat_map(|it| self.set_not_null(it, sides));
        Some(filled.fill.into_iter().chain(required).chain(filled.after).collect())
    }

    /// Whether the column takes the place of others, or others take its: a trigger keeps both filled.
    pub(super) fn is_derived(&self, sides: &Sides<'_>) -> bool {
        let derived = sides.facts.derived.get(&self.table);
        derived.is_some_and(|it| it.from.contains_key(&self.name) || it.becomes.contains_key(&self.name))
            || sides.facts.moved.iter().any(|it| it.is_of(&self.table, &self.name))
    }

    pub(super) fn backfill_with(&self, expression: &str, sides: &Sides<'_>) -> Option<Backfill> {
        if !table::may_hold_rows(sides, &self.table) || self.generated.is_some() {
            return None;
        }
        let (table, name) = (&self.table, &self.name);
        let key = table::walk_key(sides.old, table);
        // What is derived from columns that may be null may be null.
        let pending = match self.is_derived(sides) && self.not_null.is_none() {
            true => format!("{name} IS NULL AND ({expression}) IS NOT NULL"),
            false => format!("{name} IS NULL"),
        };
        let check = format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {pending})");
        // A row that is touched looks its value up itself.
        let looks_up = sides.facts.moved.iter().any(|it| it.comes(table, name) && it.is_used(sides));
        let value = if looks_up { name.to_string() } else { expression.to_owned() };
        let batch = Batch::new(table, &key, name, value, pending);
        let step = match table::is_for_batches(sides, table) {
            false => Step::at_once(batch),
            true => Step::in_batches(batch),
        };
        let reached = match step.batch {
            Some(_) => table::family(sides, table),
            None => table::reach(sides, table),
        };
        let mode = if step.batch.is_some() { Lock::ShareUpdateExclusive } else { Lock::RowExclusive };
        let step = step
            .summary(format!("give the rows of {table} without a value for {name} the declared one"))
            .check(check);
        let step = reached.iter().fold(step, |it, member| it.locks(member, mode));
        let defaulted = self.default(sides.new).is_some() || self.identity.is_some();
        let is_kept = defaulted || self.is_derived(sides) || !table::is_used(sides, table);
        let (mut fill, after) = if is_kept { (vec![], vec![]) } else { self.keep_filled(expression, sides) };
        fill.push(step);
        Some(Backfill { fill, after })
    }

    /// A trigger that gives rows written on the way the declared value, and what removes it.
    pub(super) fn keep_filled(&self, expression: &str, sides: &Sides<'_>) -> (Vec<Step>, Vec<Step>) {
        let (table, column) = (&self.table, &self.name);
        let taken = |name: &Name| {
            let here = |id: &ObjectId| {
                let of_table = id.kind == Kind::Trigger
                    && id.path.starts_with(&[table.namespace.clone(), table.name.clone(), name.clone()]);
                let of_namespace = id.kind == Kind::Routine
                    && id.path.starts_with(&[table.namespace.clone(), name.clone()]);
                of_table || of_namespace
            };
            sides.old.objects.keys().chain(sides.new.objects.keys()).any(here)
        };
        let parts = [table.name.as_str(), column.as_str(), "is_filled"];
        let name = derived_beside(table, &parts, sides, |it| !taken(it));
        let function = table.sibling(name.clone());
        // Columns are named as in the backfill itself: bare, or by the table's name.
        let body = format!(
            "\n#variable_conflict use_column\nBEGIN\n    IF NEW.{column} IS NULL THEN\n        \
             NEW.{column} := (SELECT ({expression}) FROM (SELECT NEW.*) AS {});\n    END IF;\n    RETURN NEW;\nEND\n",
            table.name
        );
        // Whoever writes may lack the right to read what the expression reads.
        let create_function = format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS {}",
            DollarQuoted(&body)
        );
        let drop_function = format!("DROP FUNCTION {function}()");
        let mut before = vec![
            Step::new(&create_function)
                .stage(Stage::Backfill)
                .summary(format!("the value of {table}.{column} for rows that are written meanwhile"))
                .undone_by(&drop_function),
        ];
        let mut after = vec![];
        for on in with_heirs(sides, table) {
            let create = format!(
                "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW WHEN (NEW.{column} IS NULL) \
                 EXECUTE FUNCTION {function}()"
            );
            let drop = format!("DROP TRIGGER {name} ON {on}");
            let family = table::reach(sides, &on);
            let on_family =
                |sql: &str, mode| family.iter().fold(Step::new(sql), |it, member| it.locks(member, mode));
            before.push(
                on_family(&create, Lock::ShareRowExclusive)
                    .stage(Stage::Backfill)
                    .summary(format!("rows of {on} that are written meanwhile get a value for {column}"))
                    .undone_by(&drop),
            );
            after.push(
                on_family(&drop, Lock::AccessExclusive)
                    .stage(Stage::Contract)
                    .summary(format!("rows of {on} no longer get a value for {column} by themselves"))
                    .undone_by(&create),
            );
        }
        after.push(
            Step::new(&drop_function)
                .stage(Stage::Contract)
                .summary(format!("remove the function that gave {table}.{column} its value"))
                .undone_by(&create_function),
        );
        (before, after)
    }

    /// A required column that rows get by a declared expression: added without a promise, filled, then made required.
    pub(super) fn add_and_backfill(&self, not_null: Option<&NotNull>, backfill: Backfill, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![self.on_family(format!("ADD COLUMN {}", self.element_with(sides, false, None)), sides)];
        if let Some(default) = self.default(sides.new).filter(|_| self.takes_default_along(sides)) {
            let set = format!("ALTER COLUMN {} SET DEFAULT {}", self.name, default.expression);
            steps.push(self.on_family(set, sides));
        }
        steps.extend(Column { not_null: None, ..self.clone() }.set(sides));
        steps.extend(backfill.fill);
        steps.extend(not_null.into_iter().flat_map(|it| self.set_not_null(it, sides)));
        steps.extend(backfill.after);
        steps
    }

    /// What ADD COLUMN can't say of the column.
    pub(super) fn set(&self, sides: &Sides<'_>) -> Option<Step> {
        let settings = self.settings(sides, table::find(sides.new, &self.table)?);
        let only = table::only(sides, &self.table);
        (!settings.is_empty()).then(|| {
            Step::new(format!("ALTER TABLE {only}{} {}", self.table, list(settings)))
                .locks(&self.table, Lock::AccessExclusive)
        })
    }

    /// A plain column in place of one that was computed when read: computed once more for every row, and kept.
    pub(super) fn keep_computed(&self, computed: &Generated, sides: &Sides<'_>) -> Vec<Step> {
        let stored = Generated { is_virtual: false, ..computed.clone() };
        let mut steps = Column { generated: Some(stored), identity: None, ..self.clone() }.add(sides);
        steps.push(self.on_family(format!("ALTER COLUMN {} DROP EXPRESSION", self.name), sides));
        if let Some(default) = self.default(sides.new).filter(|_| self.takes_default_along(sides)) {
            let set = format!("SET DEFAULT {}", default.expression);
            steps.push(self.on_table(set, Lock::AccessExclusive, sides));
        }
        if let Some(identity) = &self.identity {
            let add = format!("ALTER COLUMN {} ADD {}", self.name, identity.sql(&self.table, &self.name));
            steps.push(self.on_family(add, sides));
        }
        steps
    }

    pub(super) fn add(&self, sides: &Sides<'_>) -> Vec<Step> {
        if let Some(steps) = self.add_numbered(sides) {
            return steps;
        }
        if let Some(backfill) = Some(self).filter(|it| it.is_derived(sides)).and_then(|it| it.backfill(sides)) {
            return self.add_and_backfill(self.not_null.as_ref(), backfill, sides);
        }
        if let Some((not_null, backfill)) = self.not_null.as_ref().filter(|it| it.valid).zip(self.backfill(sides)) {
            return self.add_and_backfill(Some(not_null), backfill, sides);
        }
        if let Some(backfill) = self.default_by_batches(sides).or_else(|| self.default_afterwards(sides)) {
            return self.add_and_backfill(self.not_null.as_ref(), backfill, sides);
        }
        let along = self.takes_default_along(sides);
        // Rows have the values of a column that is computed when read: that none is null is to be looked through.
        let is_virtual = self.generated.as_ref().is_some_and(|it| it.is_virtual);
        if let Some(it) = self.not_null.as_ref().filter(|it| it.valid && is_virtual)
            && table::may_hold_rows(sides, &self.table)
        {
            let add = self.on_family(format!("ADD COLUMN {}", self.element_with(sides, false, None)), sides);
            let set = Column { not_null: None, ..self.clone() }.set(sides);
            return [add].into_iter().chain(set).chain(self.set_not_null(it, sides)).collect();
        }
        let default = self.default(sides.new).filter(|_| self.generated.is_none());
        let not_null = self.not_null.as_ref().filter(|_| along);
        let mut element = self.element_with(sides, false, not_null);
        if let Some(default) = default.filter(|_| along) {
            element += &format!(" DEFAULT {}", default.expression);
        }
        let mut add = self.on_family(format!("ADD COLUMN {element}"), sides);
        if self.fills_rows(sides) {
            add = self.rewritten(add, sides);
        } else if not_null.is_some_and(|it| it.valid) && default.is_none() {
            add = self.scanned(add, sides);
            if table::may_hold_rows(sides, &self.table) {
                add = add.hazard(Code::RequiredColumn, self.id(), table::evidence(sides, &self.table));
            }
        }
        [add].into_iter().chain(self.set(sides)).collect()
    }
}

/// The table and those that inherit from it, which need triggers of their own: partitions are given those of their parent.
fn with_heirs(sides: &Sides<'_>, table: &QName) -> Vec<QName> {
    let is_heir = |it: &QName| table::find(sides.old, it).is_some_and(|it| !it.inherits.0.is_empty());
    table::family(sides, table).into_iter().filter(|it| it == table || is_heir(it)).collect()
}
