//! The trigger by which columns follow others: the new ones the old until they change over, then the
//! other way round. Pure.

use crate::kind::made_name::derived;
use crate::kind::{Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Literal, Name, QName};
use crate::plan::Step;
use crate::schema::Schema;

use super::group::{Group, Turn};

/// A trigger with its function, both of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    pub table: QName,
    /// The table and its partitions, which have the trigger from it.
    family: Vec<QName>,
    pub name: Name,
    create_function: String,
    create_trigger: String,
}

/// How a value gets into the column that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The statement fails, as it would with the column alone.
    Fails,
    /// The column is null then.
    IsNull,
}

impl Sync {
    /// The new columns of each table follow the old.
    pub fn forth(group: &Group, taken: [&Schema; 2]) -> Vec<Sync> {
        let set = |turn: &Turn| {
            let value = match &turn.declared {
                Some(value) => format!("(SELECT {value} FROM (SELECT NEW.*) AS {})", turn.table.name),
                None => format!("NEW.{}{}", turn.name, turn.cast),
            };
            assignment(&turn.fresh, &value, Unfit::Fails)
        };
        of_tables(group)
            .map(|(table, turns)| Sync::new(table, &turns, |it| &it.fresh, set, "follow", taken))
            .collect()
    }

    /// The old columns, now under other names, follow the new. What they can't hold they have as null.
    pub fn back(group: &Group, taken: [&Schema; 2]) -> Vec<Sync> {
        let set = |turn: &Turn| {
            let (value, unfit) = back(turn);
            assignment(&turn.former, &value, unfit)
        };
        of_tables(group)
            .map(|(table, turns)| Sync::new(table, &turns, |it| &it.former, set, "keep", taken))
            .collect()
    }

    fn new(
        table: &QName,
        turns: &[&Turn],
        follower: impl Fn(&Turn) -> &Name,
        set: impl Fn(&Turn) -> String,
        word: &str,
        taken: [&Schema; 2],
    ) -> Sync {
        let is_free = |name: &Name| {
            let here = |id: &ObjectId| {
                let beside = matches!(id.kind, Kind::Trigger | Kind::Routine);
                beside && id.path.first() == Some(&table.namespace) && id.path.contains(name)
            };
            !taken.iter().any(|it| it.objects.keys().any(here))
        };
        // Triggers run in the order of their names, and this one has to see what the others leave.
        let name = derived(&["zz", word, table.name.as_str()], is_free);
        let function = table.sibling(name.clone());
        let statements: String = turns.iter().map(|it| set(it)).collect();
        let body = format!("\n#variable_conflict use_column\nBEGIN\n{statements}    RETURN NEW;\nEND\n");
        // Whoever writes may lack the right to what the expression calls.
        let create_function = format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' \
             AS {}",
            DollarQuoted(&body)
        );
        let differ =
            turns.iter().map(|it| format!("NEW.{}::text IS DISTINCT FROM NEW.{}::text", follower(it), it.name));
        let create_trigger = format!(
            "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({}) \
             EXECUTE FUNCTION {function}()",
            differ.collect::<Vec<_>>().join(" OR ")
        );
        let family = turns.first().map(|it| it.family.clone()).unwrap_or_default();
        Sync { table: table.clone(), family, name, create_function, create_trigger }
    }

    pub fn trigger(&self) -> ObjectId {
        ObjectId::new(Kind::Trigger, [&self.table.namespace, &self.table.name, &self.name])
    }

    pub fn function(&self) -> ObjectId {
        ObjectId::new(Kind::Routine, [&self.table.namespace, &self.name, &Name::from("")])
    }

    pub fn create(&self) -> [String; 2] {
        [self.create_function.clone(), self.create_trigger.clone()]
    }

    pub fn drop(&self) -> [String; 2] {
        [
            format!("DROP TRIGGER {} ON {}", self.name, self.table),
            format!("DROP FUNCTION {}()", self.table.sibling(self.name.clone())),
        ]
    }

    /// The steps that make it, each with its undo.
    pub fn begin(&self) -> Vec<Step> {
        let ([drop_trigger, drop_function], table) = (self.drop(), &self.table);
        let called = Literal(&format!("{}()", self.table.sibling(self.name.clone()))).to_string();
        let trigger = Step::new(&self.create_trigger);
        let trigger = self.family.iter().fold(trigger, |it, member| it.locks(member, Lock::ShareRowExclusive));
        vec![
            Step::new(&self.create_function)
                .summary(format!("how the new columns of {table} get their values"))
                .check(format!("SELECT to_regprocedure({called}) IS NOT NULL"))
                .undone_by(drop_function),
            trigger
                .summary(format!("whatever is written to {table} reaches its new columns"))
                .undone_by(drop_trigger),
        ]
    }
}

/// The tables of a group that have columns to change, each with those.
pub fn of_tables(group: &Group) -> impl Iterator<Item = (&QName, Vec<&Turn>)> {
    let tables = group.tables.iter();
    let with_turns = tables.map(|table| (table, group.turns.iter().filter(|it| it.table == *table).collect()));
    with_turns.filter(|(_, turns): &(_, Vec<&Turn>)| !turns.is_empty())
}

fn assignment(follower: &Name, value: &str, unfit: Unfit) -> String {
    let set = format!("NEW.{follower} := {value}");
    match unfit {
        Unfit::Fails => format!("    {set};\n"),
        Unfit::IsNull => format!(
            "    BEGIN\n        {set};\n    EXCEPTION WHEN data_exception THEN\n        NEW.{follower} := NULL;\n    \
             END;\n"
        ),
    }
}

/// The value of the old column from the new one, and what happens where it does not fit.
fn back(turn: &Turn) -> (String, Unfit) {
    let (name, to) = (format!("NEW.{}", turn.name), &turn.former_type);
    let limits = match to.as_str() {
        "smallint" => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
        "integer" => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        _ => None,
    };
    let is_number = matches!(turn.new.data_type.as_str(), "integer" | "bigint" | "numeric");
    let unfit = if turn.widens { Unfit::IsNull } else { Unfit::Fails };
    match limits.filter(|_| is_number) {
        // A block that catches errors costs more than a look.
        Some((least, most)) => {
            let value = format!("CASE WHEN {name} BETWEEN {least} AND {most} THEN {name}::{to} END");
            (value, Unfit::Fails)
        }
        None if is_text(to) => (format!("{name}::{to}"), unfit),
        None if to.ends_with("[]") => (format!("{name}::text[]::{to}"), unfit),
        None => (format!("{name}::text::{to}"), unfit),
    }
}

fn is_text(data_type: &str) -> bool {
    data_type == "text" || data_type.starts_with("character")
}
