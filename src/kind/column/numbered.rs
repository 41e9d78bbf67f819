//! A column that numbers its rows (an identity, or a serial that is the key) comes to a table of many rows: these get
//! their numbers in batches, from a sequence of the way, whose position the column's own takes over. Added at once, the
//! server would write the whole table anew while everyone waits.

use crate::kind::made_name::derived;
use crate::kind::column::{Backfill, Column};
use crate::kind::constraint::Rule;
use crate::kind::sequence::{Options, Sequence};
use crate::kind::{Definition, Kind, Object, ObjectId, foreign_partition, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::{Stage, Step};
use crate::schema::{Schema, Sides};

impl Column {
    /// The steps that add it so, where they are worth it.
    pub(super) fn add_numbered(&self, sides: &Sides<'_>) -> Option<Vec<Step>> {
        let options = self.numbering(sides)?;
        let (table, name, sequence) = (&self.table, &self.name, self.way_sequence(sides));
        let next = format!("nextval({})", Literal(&sequence.to_string()));
        let Backfill { fill, after } = self.backfill_with(&next, sides)?;
        let (begin, end) = self.sequence_of_the_way(&sequence, options);
        let mut steps = vec![
            self.on_family(format!("ADD COLUMN {}", self.element_of_the_way(sides)), sides),
            begin,
            self.on_family(format!("ALTER COLUMN {name} SET DEFAULT {next}"), sides)
                .summary(format!("rows of {table} that are written meanwhile get a number in {name}"))
                .undone_by(format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")),
        ];
        steps.extend(Column { not_null: None, ..self.clone() }.set(sides));
        steps.extend(fill);
        steps.extend(self.not_null.iter().flat_map(|it| self.set_not_null(it, sides)));
        steps.extend(after);
        steps.extend(self.identity.is_some().then(|| self.become_identity(&sequence, end, sides)).flatten());
        Some(steps)
    }

    /// Whether its rows get their numbers in batches.
    pub fn numbers_in_batches(&self, sides: &Sides<'_>) -> bool {
        self.numbering(sides).is_some()
    }

    fn numbering<'a>(&'a self, sides: &Sides<'a>) -> Option<&'a Options> {
        let identity = self.identity.as_ref().map(|it| &it.options);
        let options = identity.or_else(|| self.late_sequence(sides).map(|it| &it.options));
        options.filter(|_| self.is_worth_numbering(sides))
    }

    /// For a serial that was filled so: its own sequence goes on where that of the way stands.
    pub fn hand_over(&self, sides: &Sides<'_>) -> Option<Step> {
        let own = self.late_sequence(sides).filter(|_| self.is_worth_numbering(sides))?;
        let sequence = self.way_sequence(sides);
        let (table, name) = (&self.table, &self.name);
        let set = |to: &QName| {
            let next = Literal(&to.to_string()).to_string();
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval({next}::regclass)")
        };
        let (create, drop) = self.statements_of_the_way(&sequence, &own.options);
        // The lock on the table is taken first: nobody draws a number in between.
        let sql = [set(&own.name), position(&own.name, &sequence), drop].join(";\n");
        let back = [create, set(&sequence), position(&sequence, &own.name)].join(";\n");
        let step = Step::new(sql)
            .summary(format!("{} goes on where the numbers of {table}.{name} stand", own.name))
            .stage(Stage::Contract)
            .undone_by(back);
        Some(table::reach(sides, table).iter().fold(step, |it, member| it.locks(member, Lock::AccessExclusive)))
    }

    fn is_worth_numbering(&self, sides: &Sides<'_>) -> bool {
        let said = sides.facts.backfills.contains_key(&(self.table.clone(), self.name.clone()));
        let can_be = self.generated.is_none() && !said && !self.is_derived(sides);
        can_be && table::may_hold_rows(sides, &self.table) && foreign_partition::is_filled_in_batches(sides, &self.table)
    }

    /// The sequence of a serial that can only come after its column, and whose numbers are needed before that for the
    /// primary key.
    fn late_sequence<'a>(&self, sides: &Sides<'a>) -> Option<&'a Sequence> {
        let default = self.default(sides.new).filter(|_| !self.takes_default_along(sides))?;
        let is_in_key = sides.new.of_relation(Kind::Constraint, &self.table).any(|object| match object {
            Object::Constraint(it) => {
                matches!(&it.rule, Rule::Unique(key) if key.primary && key.columns.contains(&self.name))
            }
            _ => false,
        });
        let owned = sides.new.needs_of(&default.id()).find_map(|need| match sides.new.get(need) {
            Some(Object::Sequence(it)) if sides.is_new(need) => Some(&**it),
            _ => None,
        })?;
        let owner = owned.owned_by.as_ref()?;
        (is_in_key && (&owner.0, &owner.1) == (&self.table, &self.name)).then_some(owned)
    }

    fn way_sequence(&self, sides: &Sides<'_>) -> QName {
        let taken = |schema: &Schema, name: &Name| {
            let here = |id: &ObjectId| id.path.len() == 2 && id.path[0] == self.table.namespace && id.path[1] == *name;
            schema.objects.keys().any(here)
        };
        let parts = [self.table.name.as_str(), self.name.as_str(), "numbers"];
        self.table.sibling(derived(&parts, |it| !taken(sides.old, it) && !taken(sides.new, it)))
    }

    fn statements_of_the_way(&self, sequence: &QName, options: &Options) -> (String, String) {
        // Whoever writes to the table draws from it, as from an identity, for which nobody needs a right.
        let create = format!(
            "CREATE SEQUENCE {sequence} AS {}{} OWNED BY {}.{};\nGRANT USAGE ON SEQUENCE {sequence} TO PUBLIC",
            options.data_type,
            options.unusual(),
            self.table,
            self.name
        );
        (create, format!("DROP SEQUENCE {sequence}"))
    }

    fn sequence_of_the_way(&self, sequence: &QName, options: &Options) -> (Step, (String, String)) {
        let (create, drop) = self.statements_of_the_way(sequence, options);
        let step = Step::new(&create)
            .summary(format!("where the rows of {} get their numbers from meanwhile", self.table))
            .undone_by(&drop);
        (step, (create, drop))
    }

    fn element_of_the_way(&self, sides: &Sides<'_>) -> String {
        Column { identity: None, ..self.clone() }.element_with(sides, false, None)
    }

    /// The change to an identity, in one transaction that reads no row.
    fn become_identity(
        &self,
        sequence: &QName,
        (create, drop): (String, String),
        sides: &Sides<'_>,
    ) -> Option<Step> {
        let it = self.identity.as_ref()?;
        let (table, name) = (&self.table, &self.name);
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {name}");
        let sql = [
            format!("{alter} DROP DEFAULT"),
            format!("{alter} ADD {}", it.sql(table, name)),
            position(&it.sequence, sequence),
            drop,
        ];
        let back = [
            create,
            position(sequence, &it.sequence),
            format!("{alter} DROP IDENTITY"),
            format!("{alter} SET DEFAULT nextval({})", Literal(&sequence.to_string())),
        ];
        let step = Step::new(sql.join(";\n"))
            .summary(format!("{table}.{name} becomes an identity, which goes on after its numbers"))
            .stage(Stage::Contract)
            .undone_by(back.join(";\n"));
        Some(table::reach(sides, table).iter().fold(step, |it, member| it.locks(member, Lock::AccessExclusive)))
    }
}

/// Lets one sequence go on where another stands.
fn position(to: &QName, from: &QName) -> String {
    format!("SELECT setval({}, last_value, is_called) FROM {from}", Literal(&to.to_string()))
}
