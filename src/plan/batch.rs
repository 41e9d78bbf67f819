//! A change of rows that runs a part at a time: what is set and on which rows, and the statements that do one part.
//! Pure; running them is `proof`'s and `apply`'s.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::name::{DollarQuoted, Literal, Name, QName, list};

/// Tables that are known to hold fewer rows than this are changed by one statement.
pub const WORTH_IT: u64 = 10_000;

/// Rows to change in parts. Names and expressions stand as SQL writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The table. All that inherits from it goes along, each by itself.
    pub table: String,
    /// A unique key without nulls, along which the rows are gone through. Without one it is the order in which they
    /// are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    pub set: Vec<Assignment>,
    /// What is true for a row that still has to be changed, and no longer once it was.
    pub pending: String,
    /// The table that rows are copied to, where they are not changed: `set` is what they are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
}

/// A column and the expression that it is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    pub column: String,
    pub value: String,
}

/// A relation that stores rows of the batch's table, and how it is gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub relation: String,
    /// What expressions may call the table: its name without the namespace.
    pub alias: String,
    pub walk: Walk,
    /// Estimated rows: `pg_class.reltuples`.
    pub rows: u64,
    /// Blocks of its main fork now.
    pub blocks: u64,
    /// The last key now, where it is gone through along one: rows that come behind it meanwhile are no part of it.
    pub end: Option<Cursor>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Along a unique key: columns with their types.
    Key(Vec<(String, String)>),
    /// Block by block.
    Blocks,
}

/// How far a relation has been gone through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cursor {
    /// Up to the row with this key, as text.
    Key(Vec<String>),
    /// Up to this block, which is not among those done.
    Block(u64),
}

/// The rows of one part: behind `after`, up to `until`; open at the end where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub after: Option<Cursor>,
    pub until: Option<Cursor>,
}

/// How rows are taken that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Waited,
    /// Left for the next round.
    Skipped,
}

/// Relations that store rows of `$1` (a name as SQL writes it), with the columns `$2` where a unique index can be
/// walked along them: name, alias, rows, blocks, columns with types or null.
pub const PARTS: &str = "
    WITH RECURSIVE family AS (
        SELECT to_regclass($1::text)::oid AS oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.oid),
    root AS (SELECT relname FROM pg_catalog.pg_class WHERE oid = to_regclass($1::text)),
    keys AS (
        SELECT f.oid, jsonb_agg(jsonb_build_array(format('%I', a.attname), format_type(a.atttypid, a.atttypmod))
                                ORDER BY k.place)::text AS columns,
               array_agg(a.attnum::text ORDER BY k.place) AS places,
               string_agg(a.attcollation::text, ' ' ORDER BY k.place) AS collations
          FROM family f CROSS JOIN unnest($2::text[]) WITH ORDINALITY AS k (name, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.oid AND a.attname = (parse_ident(k.name))[1] AND a.attnotnull
         GROUP BY f.oid HAVING count(*) = cardinality($2::text[]))
    SELECT format('%I.%I', n.nspname, c.relname), format('%I', root.relname), greatest(c.reltuples, 0)::int8,
           pg_relation_size(c.oid) / current_setting('block_size')::int8,
           (SELECT k.columns FROM keys k
             WHERE k.oid = c.oid AND EXISTS (
                   SELECT FROM pg_catalog.pg_index x
                     JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
                     JOIN pg_catalog.pg_am m ON m.oid = i.relam AND m.amname = 'btree'
                    WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
                      AND (string_to_array(x.indkey::text, ' '))[1:x.indnkeyatts] = k.places
                      AND x.indcollation::text = k.collations))
      FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN root
     WHERE c.relkind = 'r'
     ORDER BY 1";

impl Batch {
    pub fn new(
        table: &QName,
        key: &[Name],
        column: &Name,
        value: impl Into<String>,
        pending: impl Into<String>,
    ) -> Self {
        Batch {
            table: table.to_string(),
            key: key.iter().map(Name::to_string).collect(),
            set: vec![Assignment { column: column.to_string(), value: value.into() }],
            pending: pending.into(),
            into: None,
        }
    }

    /// The same as one statement.
    pub fn whole(&self) -> String {
        match &self.into {
            Some(into) => self.copy(into, &self.table, &self.pending, ""),
            None => format!("UPDATE {} SET {} WHERE {}", self.table, self.assignments(), self.pending),
        }
    }

    /// How the rows are gone through, for people.
    pub fn order(&self) -> String {
        match self.key.as_slice() {
            [] => "in batches, block by block".into(),
            key => format!("in batches along {}", list(key)),
        }
    }

    /// A statement for psql that changes the rows in parts, each committed by itself. It goes block by block, and has
    /// to run outside of a transaction.
    pub fn script(&self) -> String {
        let Batch { table, pending, .. } = self;
        let mut body = String::new();
        let _ = write!(
            body,
            "\n#variable_conflict use_column\nDECLARE\n    its_blocks bigint;\n    its_block bigint;\n    \
             its_rounds integer := 0;\nBEGIN\n    \
             WHILE EXISTS (SELECT FROM {table} WHERE {pending}) LOOP\n        its_rounds := its_rounds + 1;\n        \
             IF its_rounds > 3 THEN\n            \
             RAISE EXCEPTION 'rows of % still have no value', {named};\n        END IF;\n        \
             WITH RECURSIVE family AS (\n            SELECT {named}::regclass::oid AS oid\n            \
             UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.oid)\n        \
             SELECT max(pg_relation_size(oid)) / current_setting('block_size')::bigint INTO its_blocks FROM family;\n        \
             its_block := 0;\n        WHILE its_block <= its_blocks LOOP\n            \
             {part};\n            \
             COMMIT;\n            its_block := its_block + 100;\n        END LOOP;\n    END LOOP;\nEND ",
            named = Literal(table),
            part = self.blocks_of_script(),
        );
        format!("DO {}", DollarQuoted(&body))
    }

    fn blocks_of_script(&self) -> String {
        let blocks = "ctid >= format('(%s,0)', its_block)::tid AND ctid < format('(%s,0)', its_block + 100)::tid";
        let condition = format!("{blocks} AND ({})", self.pending);
        match &self.into {
            Some(into) => self.copy(into, &self.table, &condition, ""),
            None => format!("UPDATE {} SET {}\n             WHERE {condition}", self.table, self.assignments()),
        }
    }

    /// Copies rows as they are once nobody else holds them: what is written to one meanwhile is not lost, and what is
    /// there already came with a newer state of its row.
    fn copy(&self, into: &str, from: &str, condition: &str, held: &str) -> String {
        let columns = list(self.set.iter().map(|it| &it.column));
        let values = list(self.set.iter().map(|it| &it.value));
        format!(
            "INSERT INTO {into} ({columns}) SELECT {values} FROM {from} WHERE {condition} FOR SHARE{held} \
             ON CONFLICT DO NOTHING"
        )
    }

    fn assignments(&self) -> String {
        list(self.set.iter().map(|it| format!("{} = {}", it.column, it.value)))
    }

    /// A query for the key of the last row of a part of so many rows; no row where fewer are left.
    pub fn bound(&self, part: &Part, after: Option<&Cursor>, rows: u64) -> Option<String> {
        let Walk::Key(columns) = &part.walk else { return None };
        let names = list(columns.iter().map(|it| &it.0));
        let ends = [comparison(columns, ">", after), comparison(columns, "<=", part.end.as_ref())];
        let ends: Vec<String> = ends.into_iter().flatten().collect();
        let between = if ends.is_empty() { String::new() } else { format!(" WHERE {}", ends.join(" AND ")) };
        let skipped = rows.saturating_sub(1);
        Some(format!(
            "SELECT {} FROM ONLY {}{between} ORDER BY {names} OFFSET {skipped} LIMIT 1",
            key_as_text(columns),
            part.relation
        ))
    }

    /// A query for the last key of all.
    pub fn last(&self, part: &Part) -> Option<String> {
        let Walk::Key(columns) = &part.walk else { return None };
        let names = list(columns.iter().map(|it| format!("{} DESC", it.0)));
        Some(format!("SELECT {} FROM ONLY {} ORDER BY {names} LIMIT 1", key_as_text(columns), part.relation))
    }

    /// The statement that changes the rows of a range.
    pub fn update(&self, part: &Part, range: &Range, held: Held) -> String {
        let condition = self.condition(part, range);
        let (relation, alias, set) = (&part.relation, &part.alias, self.assignments());
        if let Some(into) = &self.into {
            let held = if held == Held::Skipped { " SKIP LOCKED" } else { "" };
            return self.copy(into, &format!("ONLY {relation} AS {alias}"), &condition, held);
        }
        match held {
            Held::Waited => format!("UPDATE ONLY {relation} AS {alias} SET {set} WHERE {condition}"),
            Held::Skipped => format!(
                "UPDATE ONLY {relation} AS {alias} SET {set} WHERE ctid = ANY (ARRAY(\
                 SELECT ctid FROM ONLY {relation} AS {alias} WHERE {condition} FOR NO KEY UPDATE SKIP LOCKED))"
            ),
        }
    }

    fn condition(&self, part: &Part, range: &Range) -> String {
        let mut conditions = vec![];
        match &part.walk {
            Walk::Key(columns) => {
                conditions.extend(comparison(columns, ">", range.after.as_ref()));
                conditions.extend(comparison(columns, "<=", range.until.as_ref()));
            }
            Walk::Blocks => {
                let block = |sign: &str, cursor: &Option<Cursor>| match cursor {
                    Some(Cursor::Block(block)) => Some(format!("ctid {sign} '({block},0)'::tid")),
                    Some(Cursor::Key(_)) | None => None,
                };
                conditions.extend(block(">=", &range.after));
                conditions.extend(block("<", &range.until));
            }
        }
        conditions.push(format!("({})", self.pending));
        conditions.join(" AND ")
    }

    /// A query for some of the rows that are still to be changed: their keys, or their places, in order.
    pub fn left(&self, part: &Part, limit: u32) -> String {
        let shown = match &part.walk {
            Walk::Key(columns) => {
                let pairs =
                    columns.iter().map(|(name, _)| format!("{} || {name}::text", Literal(&format!("{name} = "))));
                format!("concat_ws(', ', {})", list(pairs))
            }
            Walk::Blocks => "'ctid = ' || ctid::text".into(),
        };
        let keys = match &part.walk {
            Walk::Key(columns) => list(columns.iter().map(|it| &it.0)),
            Walk::Blocks => "ctid".into(),
        };
        format!(
            "SELECT {shown} FROM (SELECT {keys} FROM ONLY {} AS {} WHERE {} LIMIT {limit}) AS pending ORDER BY {keys}",
            part.relation, part.alias, self.pending
        )
    }

    /// What gives the planner statistics of the new values.
    pub fn analyze(&self) -> String {
        format!(
            "ANALYZE {} ({})",
            self.into.as_ref().unwrap_or(&self.table),
            list(self.set.iter().map(|it| &it.column))
        )
    }
}

fn key_as_text(columns: &[(String, String)]) -> String {
    format!("ARRAY[{}]", list(columns.iter().map(|it| format!("{}::text", it.0))))
}

/// `(a, b) > ('1'::integer, 'x'::text)`, as row values compare: an index on the columns serves it.
fn comparison(columns: &[(String, String)], sign: &str, cursor: Option<&Cursor>) -> Option<String> {
    let Some(Cursor::Key(values)) = cursor else { return None };
    let names = list(columns.iter().map(|it| &it.0));
    let values = columns.iter().zip(values).map(|((_, data_type), it)| format!("{}::{data_type}", Literal(it)));
    Some(format!("({names}) {sign} ({})", list(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let table = QName::new("app", "Orders");
        Batch::new(&table, &["id".into(), "at".into()], &"state".into(), "'new'", "state IS NULL")
    }

    fn part(walk: Walk) -> Part {
        Part {
            relation: "app.\"Orders_1\"".into(),
            alias: "\"Orders\"".into(),
            walk,
            rows: 0,
            blocks: 0,
            end: None,
        }
    }

    fn key() -> Walk {
        Walk::Key(vec![("id".into(), "integer".into()), ("at".into(), "date".into())])
    }

    #[test]
    fn a_key_is_gone_along() {
        let (batch, part) = (batch(), part(key()));
        let cursor = |id: &str| Some(Cursor::Key(vec![id.into(), "it's".into()]));
        let bound = batch.bound(&part, cursor("1").as_ref(), 10).unwrap();
        assert_eq!(
            bound,
            "SELECT ARRAY[id::text, at::text] FROM ONLY app.\"Orders_1\" \
             WHERE (id, at) > ('1'::integer, 'it''s'::date) ORDER BY id, at OFFSET 9 LIMIT 1"
        );
        let part = Part { end: cursor("9"), ..part };
        let bound = batch.bound(&part, None, 10).unwrap();
        assert!(
            bound.contains(" WHERE (id, at) <= ('9'::integer, 'it''s'::date) ORDER BY id, at OFFSET 9"),
            "{bound}"
        );
        assert_eq!(
            batch.last(&part).unwrap(),
            "SELECT ARRAY[id::text, at::text] FROM ONLY app.\"Orders_1\" ORDER BY id DESC, at DESC LIMIT 1"
        );
        let range = Range { after: None, until: cursor("7") };
        assert_eq!(
            batch.update(&part, &range, Held::Waited),
            "UPDATE ONLY app.\"Orders_1\" AS \"Orders\" SET state = 'new' \
             WHERE (id, at) <= ('7'::integer, 'it''s'::date) AND (state IS NULL)"
        );
    }

    #[test]
    fn blocks_are_gone_along_where_there_is_no_key() {
        let (batch, part) = (batch(), part(Walk::Blocks));
        assert_eq!(batch.bound(&part, None, 10), None);
        let range = Range { after: Some(Cursor::Block(8)), until: Some(Cursor::Block(16)) };
        let sql = batch.update(&part, &range, Held::Skipped);
        assert!(
            sql.contains("ctid >= '(8,0)'::tid AND ctid < '(16,0)'::tid AND (state IS NULL) FOR NO KEY"),
            "{sql}"
        );
    }

    #[test]
    fn the_script_parses_whatever_it_holds() {
        let mut batch = batch();
        batch.set[0].value = "'$$ $_$'".into();
        let script = batch.script();
        assert!(script.starts_with("DO $__$"), "{script}");
        pg_query::parse(&script, 0).unwrap();
    }

    #[test]
    fn cursors_are_read_as_they_were_written() {
        for cursor in [Cursor::Key(vec!["1".into(), "x".into()]), Cursor::Block(3)] {
            let text = serde_json::to_string(&cursor).unwrap();
            assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), cursor);
        }
    }
}
