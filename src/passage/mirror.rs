//! A trigger by which one table follows another row by row, whichever of them is partitioned. Pure.
//!
//! It brings over what the table holds by now rather than what the event says: other triggers may have changed the row
//! since. Facts from "Overview of Trigger Behavior" and "Transaction Isolation" in the manual: a volatile function sees
//! what its own command did, and ON CONFLICT fails with a serialization error, which such transactions expect, where a
//! snapshot can't see the row that is in the way.

use crate::kind::made_name::derived;
use crate::kind::{Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Literal, Name, QName, list};
use crate::plan::Step;
use crate::schema::Schema;

/// Two triggers with one function, all of nearly one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirror {
    table: QName,
    name: Name,
    on_truncate: Name,
    body: String,
}

impl Mirror {
    /// `to` follows `table`. Rows are found by `key`; `unique` is a key of `to` among its columns.
    pub fn new(
        table: &QName,
        to: &QName,
        columns: &[Name],
        key: &[Name],
        unique: &[Name],
        word: &str,
        taken: [&Schema; 2],
    ) -> Mirror {
        let is_free = |name: &Name| {
            let here = |id: &ObjectId| matches!(id.kind, Kind::Trigger | Kind::Routine) && id.path.contains(name);
            !taken.iter().any(|it| it.objects.keys().any(here))
        };
        // Triggers run in the order of their names. What others write to the same rows is brought over after this.
        let name = derived(&[&format!("!{word}"), table.name.as_str()], is_free);
        let on_truncate =
            derived(&[&format!("!{word}"), table.name.as_str(), "empty"], |it| is_free(it) && *it != name);
        let of = |row: &str| key.iter().map(|it| format!("{it} = {row}.{it}")).collect::<Vec<_>>().join(" AND ");
        let names = list(columns);
        let old_values = list(columns.iter().map(|it| format!("OLD.{it}")));
        let is_changed = format!(
            "({}) IS DISTINCT FROM ({})",
            list(key.iter().map(|it| format!("OLD.{it}"))),
            list(key.iter().map(|it| format!("NEW.{it}")))
        );
        let set: Vec<&Name> = columns.iter().filter(|it| !key.contains(it)).collect();
        let on_conflict = match set.as_slice() {
            [] => "DO NOTHING".to_owned(),
            set => format!("DO UPDATE SET {}", list(set.iter().map(|it| format!("{it} = EXCLUDED.{it}")))),
        };
        // Another row with the key that only the plain table has must not be lost without a word.
        let (only, or_fail) = match key.len() == unique.len() || set.is_empty() {
            true => (String::new(), String::new()),
            false => {
                let same = key.iter().map(|it| format!("its_copy.{it} = EXCLUDED.{it}")).collect::<Vec<_>>();
                let fault = format!("{} is unique in {to}, which is kept for the way back", list(unique));
                (
                    format!(" WHERE {}", same.join(" AND ")),
                    format!(
                        "        IF NOT FOUND AND EXISTS (SELECT FROM {table} WHERE {}) THEN\n            \
                         RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = {};\n        END IF;\n",
                        of("NEW"),
                        Literal(&fault)
                    ),
                )
            }
        };
        let body = format!(
            "\n#variable_conflict use_column\nBEGIN\n    IF TG_OP = 'TRUNCATE' THEN\n        TRUNCATE {to};\n        \
             RETURN NULL;\n    END IF;\n    \
             IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND {is_changed}) THEN\n        \
             IF NOT EXISTS (SELECT FROM {table} WHERE {old}) THEN\n            \
             DELETE FROM {to} WHERE {old};\n            \
             -- A snapshot that can't see the copy is told so.\n            \
             IF NOT FOUND AND current_setting('transaction_isolation') <> 'read committed' THEN\n                \
             INSERT INTO {to} ({names}) VALUES ({old_values}) ON CONFLICT ({arbiter}) DO NOTHING;\n                \
             DELETE FROM {to} WHERE {old};\n            END IF;\n        END IF;\n    END IF;\n    \
             IF TG_OP <> 'DELETE' THEN\n        \
             INSERT INTO {to} AS its_copy ({names})\n            SELECT {names} FROM {table} WHERE {new}\n            \
             ON CONFLICT ({arbiter}) {on_conflict}{only};\n{or_fail}    END IF;\n    RETURN NULL;\nEND\n",
            old = of("OLD"),
            new = of("NEW"),
            arbiter = list(unique),
        );
        Mirror { table: table.clone(), name, on_truncate, body }
    }

    fn function(&self) -> QName {
        self.table.sibling(self.name.clone())
    }

    pub fn triggers(&self) -> [ObjectId; 2] {
        let table = &self.table;
        [&self.name, &self.on_truncate].map(|it| ObjectId::new(Kind::Trigger, [&table.namespace, &table.name, it]))
    }

    /// Whether an object is one of its parts.
    pub fn is_its(&self, id: &ObjectId) -> bool {
        matches!(id.kind, Kind::Trigger | Kind::Routine)
            && (id.path.contains(&self.name) || id.path.contains(&self.on_truncate))
    }

    pub fn create(&self) -> [String; 3] {
        let (function, table) = (self.function(), &self.table);
        // Whoever writes to the one table may lack the right to write to the other.
        [
            format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' \
                 AS {}",
                DollarQuoted(&self.body)
            ),
            format!(
                "CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
                self.name
            ),
            format!(
                "CREATE TRIGGER {} AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
                self.on_truncate
            ),
        ]
    }

    pub fn drop(&self) -> [String; 3] {
        let table = &self.table;
        [
            format!("DROP TRIGGER {} ON {table}", self.on_truncate),
            format!("DROP TRIGGER {} ON {table}", self.name),
            format!("DROP FUNCTION {}()", self.function()),
        ]
    }

    /// The steps that make it, each with its undo.
    pub fn begin(&self) -> Vec<Step> {
        let ([function, rows, truncate], [no_truncate, no_rows, no_function]) = (self.create(), self.drop());
        let table = &self.table;
        vec![
            Step::new(function).summary(format!("how what is written to {table} is copied")).undone_by(no_function),
            Step::new(format!("{rows};\n{truncate}"))
                .locks(table, Lock::ShareRowExclusive)
                .summary(format!("whatever is written to {table} is copied"))
                .undone_by(format!("{no_truncate};\n{no_rows}")),
        ]
    }
}
