//! Declarations in TOML: what SQL cannot say of a table (its old name, how to fill a new column), whole tables, and
//! rows that must exist. They are compiled into the same statements as SQL files are.

use std::sync::Arc;

use ::toml::de::{DeTable, DeValue};

use self::value::{Reader, entries};
use super::names::Class;
use super::parts::Part;
use super::{Draft, Span, directive};
use crate::diagnostic::{File, Report};
use crate::name::{Name, QName};
use crate::plan::hazard::Code;

mod declared;
mod moved;
mod seed;
mod table;
pub(crate) mod value;

/// Reads a file into the draft, which already holds what the SQL files declare.
pub(super) fn read(index: usize, files: &[Arc<File>], draft: &mut Draft) {
    let file = &files[index];
    let mut faults = Vec::new();
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        faults.push(Report::error("source::toml", error.message()).at(file, span, "here"));
    }
    // What recovery made of a broken text would only bring more faults.
    if faults.is_empty() {
        let mut reader = Reader { index, file, faults: &mut faults };
        document_entries(&mut reader, document.get_ref(), files, draft);
    }
    draft.faults.extend(faults);
}

/// Reads what a file says of moves, once all tables are known. What is wrong with its form was said before.
pub(super) fn read_moves(index: usize, files: &[Arc<File>], draft: &mut Draft) {
    let file = &files[index];
    let Ok(document) = DeTable::parse(&file.text) else { return };
    let mut faults = Vec::new();
    let mut reader = Reader { index, file, faults: &mut faults };
    for (_, value) in entries(document.get_ref()).into_iter().filter(|(key, _)| key.get_ref() == "move") {
        match value.get_ref() {
            DeValue::Array(moves) => moves.iter().for_each(|it| moved::read(&mut reader, it, draft)),
            other => reader.wrong("`move`", reader.span(value), "an array of tables: `[[move]]`", other),
        }
    }
    draft.faults.extend(faults);
}

fn document_entries(reader: &mut Reader<'_>, document: &DeTable<'_>, files: &[Arc<File>], draft: &mut Draft) {
    const KNOWN: [&str; 4] = ["table", "type", "seed", "move"];
    for (key, value) in entries(document) {
        match key.get_ref().as_ref() {
            "table" => {
                for (name, value) in reader.table("`table`", value).map(entries).unwrap_or_default() {
                    table::read(reader, name, value, files, draft);
                }
            }
            "type" => {
                for (name, value) in reader.table("`type`", value).map(entries).unwrap_or_default() {
                    declared::read_type(reader, name, value, draft);
                }
            }
            "seed" => match value.get_ref() {
                DeValue::Array(seeds) => {
                    for value in seeds {
                        seed::read(reader, value, draft);
                    }
                }
                other => reader.wrong("`seed`", reader.span(value), "an array of tables: `[[seed]]`", other),
            },
            // Of tables that may be declared further down: `read_moves`.
            "move" => {}
            _ => reader.unknown("the file", key, &KNOWN),
        }
    }
}

/// A name within a namespace, `public` where none is written. Names are as the catalogs have them; one that holds a
/// dot stands in double quotes.
pub(crate) fn qname(text: &str) -> Option<QName> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut()?;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => part.push(c),
        }
    }
    let whole = !quoted && parts.iter().all(|part| !part.is_empty());
    match parts.as_slice() {
        [name] if whole => Some(QName::new("public", name.as_str())),
        [namespace, name] if whole => Some(QName::new(namespace.as_str(), name.as_str())),
        _ => None,
    }
}

/// Takes `was`, where it is there.
fn was(reader: &mut Reader<'_>, fields: &value::Fields<'_, '_>, class: Class, path: Vec<Name>, draft: &mut Draft) {
    let Some(old) = reader.text(fields, "was") else { return };
    let part = Part { class, path, at: 0..0, inline: false };
    if let Err((message, help)) = directive::rename(part, old.text, old.span, draft) {
        reader.fault(old.span, message, "this old name", help);
    }
}

/// Takes `allow = { hazard = "reason" }`, where it is there.
fn allow(
    reader: &mut Reader<'_>,
    fields: &value::Fields<'_, '_>,
    class: Class,
    path: Vec<Name>,
    draft: &mut Draft,
) {
    let Some(value) = fields.get("allow") else { return };
    let what = format!("`allow` of {}", fields.what);
    for (key, value) in reader.table(&what, value).map(entries).unwrap_or_default() {
        let span = reader.span(key);
        let Some(hazard) = Code::ALL.iter().copied().find(|code| code.name() == key.get_ref()) else {
            let help = directive::nearest_hazard(key.get_ref()).unwrap_or_default();
            reader.fault(span, format!("there is no hazard {}", key.get_ref()), "unknown hazard", help);
            continue;
        };
        match reader.word(value) {
            Some(because) => {
                let beside = vec![(class, path.clone())];
                draft.allows.push(super::Allow { hazard, because: because.text, beside, span });
            }
            None => reader.wrong(&what, reader.span(value), "a reason for each hazard", value.get_ref()),
        }
    }
}

/// A fault of a name that can't be one.
pub(crate) fn bad_name(reader: &mut Reader<'_>, span: Span) {
    reader.fault(
        span,
        "this names nothing",
        "here",
        "write `namespace.name`, or `name` for one in public; a name with a dot in it stands in double quotes",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Look, render_all};
    use crate::source::{Declaration, read as read_files, render_sql};

    fn declaration(sql: &str, toml: &str) -> Result<Declaration, Vec<Report>> {
        read_files(vec![File::new("t.toml", toml), File::new("a.sql", sql)], 15)
    }

    fn compiled(toml: &str) -> String {
        match declaration("", toml) {
            Ok(declaration) => render_sql(&declaration),
            Err(reports) => panic!("{}", render_all(&reports, Look { colour: false, width: 100 })),
        }
    }

    fn faults(sql: &str, toml: &str) -> Vec<String> {
        declaration(sql, toml).unwrap_err().into_iter().map(|report| report.message).collect()
    }

    const CONTACTS: &str = r#"
[table.contacts]
comment = "People who 'write'"
row_security = "force"
primary_key = ["id"]

[table.contacts.columns]
id = { type = "bigint", identity = "always" }
user_id = { type = "integer", null = false, references = "app.users (id) ON DELETE CASCADE", backfill = "1" }
"Phone No" = { type = "varchar(255)", null = false, unique = true, was = "phone", comment = "as given" }
state = { type = "text", default = "'new'", check = "state <> ''", collate = "C" }
score = { type = "numeric(3,1)", default = 0.5 }
slug = { type = "text", generated = "lower(state)" }
note = "text"

[table.contacts.unique]
contacts_state = ["user_id", "state"]
contacts_slug = { columns = ["slug"], nulls_not_distinct = true, was = "slug_key" }

[table.contacts.checks]
grown = "score > 0"

[table.contacts.foreign_keys]
owner = { columns = ["user_id", "state"], references = "app.owners" }

[table.contacts.indexes]
by_phone = { columns = ["Phone No", "lower(note)", "score DESC"], where = "note IS NOT NULL", include = ["id"] }
by_note = { columns = ["note gin_trgm_ops"], method = "gin", was = "old_index" }

[table."app.users"]
columns = { id = { type = "integer" } }
primary_key = "id"
"#;

    #[test]
    fn a_table_is_compiled_into_sql() {
        insta::assert_snapshot!(compiled(CONTACTS));
    }

    #[test]
    fn what_sql_cannot_say_is_kept() {
        let declaration = declaration("", CONTACTS).unwrap();
        let renames: Vec<_> =
            declaration.renames.iter().map(|it| format!("{} {:?} was {}", it.class, it.path, it.old)).collect();
        insta::assert_snapshot!(renames.join("\n"), @r#"
        column [Name("public"), Name("contacts"), Name("Phone No")] was phone
        constraint [Name("public"), Name("contacts"), Name("contacts_slug")] was slug_key
        index [Name("public"), Name("by_note")] was old_index
        "#);
        assert_eq!(declaration.backfills.len(), 1);
        assert_eq!(declaration.backfills[0].expression, "1");
    }

    #[test]
    fn a_position_of_the_server_is_found_in_the_toml() {
        let declaration = declaration("", CONTACTS).unwrap();
        let table = declaration.statements.iter().find(|statement| statement.sql.contains("Phone")).unwrap();
        let find = |words: &str| {
            let at = table.sql[..table.sql.find(words).unwrap()].chars().count() as u32 + 1;
            &CONTACTS[table.span_at(Some(at)).range()]
        };
        assert_eq!(find("numeric(3,1)"), "numeric");
        assert_eq!(find("state <> ''"), "state");
        assert_eq!(find("GENERATED"), "id");
        assert_eq!(&CONTACTS[table.span_at(Some(1)).range()], "contacts");
    }

    #[test]
    fn settings_go_to_tables_of_sql_files() {
        let sql = "CREATE TABLE app.t (a int CONSTRAINT c CHECK (a > 0), b text); CREATE INDEX i ON app.t (a);
            CREATE TYPE mood AS ENUM ('glad', 'sad')";
        let toml = r#"
            [table."app.t"]
            was = "u"
            columns.a = { was = "x", backfill = "length(b)", allow = { "type-change-rewrite" = "it is small" } }
            constraints.c.was = "d"
            indexes.i.was = "j"
            [type.mood]
            labels.glad.was = "happy"
        "#;
        let declaration = declaration(sql, toml).unwrap();
        let renames: Vec<_> = declaration.renames.iter().map(|it| format!("{} {}", it.class, it.old)).collect();
        assert_eq!(renames, ["table u", "column x", "constraint d", "index j", "label happy"]);
        assert_eq!((declaration.backfills.len(), declaration.allows.len()), (1, 1));
        let bad = r#"
            [table."app.t"]
            columns.nosuch = { was = "x" }
            constraints.no.was = "d"
            primary_key = ["a"]
            [table.other]
            was = "x"
            [type.mood]
            labels.angry.was = "happy"
        "#;
        insta::assert_snapshot!(faults(sql, bad).join("\n"), @r"
        table app.t has no column nosuch
        table app.t has no constraint no
        table app.t is declared in SQL, and so `primary_key` belongs there
        table public.other is declared nowhere
        type public.mood has no label angry
        ");
    }

    #[test]
    fn seeds_become_literals() {
        let toml = r#"
            [[seed]]
            table = "t"
            key = ["id"]
            rows = [{ id = 1, name = "it's", at = 2024-01-01T00:00:00Z, tags = { a = [1, true] } }, { id = 2 }]
        "#;
        let declaration =
            declaration("CREATE TABLE t (id int, name text, at timestamptz, tags jsonb)", toml).unwrap();
        let row: Vec<String> =
            declaration.seeds[0].rows[0].iter().map(|(name, value)| format!("{name} = {value}")).collect();
        assert_eq!(row, ["id = 1", "name = 'it''s'", "at = '2024-01-01T00:00:00Z'", r#"tags = '{"a":[1,true]}'"#]);
        let bad = r#"
            [[seed]]
            table = "t"
            key = ["id"]
            rows = [{ name = "x" }, { id = 1, nosuch = 2 }]
            [[seed]]
            table = "u"
            key = []
            rows = []
        "#;
        insta::assert_snapshot!(faults("CREATE TABLE t (id int, name text)", bad).join("\n"), @r"
        a row has no `id`, which is in its key
        table public.t has no column nosuch
        table public.u is declared nowhere
        `key` of the seed must be a name or an array of names
        ");
    }

    #[test]
    fn faults_are_reported_together() {
        let toml = r#"
            [table.t]
            colums = {}
            primary_key = 5
            columns.a = { typ = "int" }
            columns.b = { type = "int int", default = "1 +", null = "no" }
            columns.c = { type = "text", references = "u), x int" }
            columns.d = { type = "int -- and so on", null = false }
            indexes.i = { columns = ["a) WHERE (true"] }
            [tabel.u]
        "#;
        insta::assert_snapshot!(faults("", toml).join("\n"));
    }

    #[test]
    fn hostile_names_are_quoted() {
        let toml = "[table.'evil.\"a\"\"; DROP TABLE x\"']\ncolumns.\"b\\\"\\n; --\" = { type = \"int\", comment = \"'; --\" }\n";
        insta::assert_snapshot!(compiled(toml));
    }

    #[test]
    fn names_have_one_dot_at_most() {
        let show = |text: &str| qname(text).map(|name| name.to_string());
        assert_eq!(show("a").as_deref(), Some("public.a"));
        assert_eq!(show("A.b").as_deref(), Some("\"A\".b"));
        assert_eq!(show("a.\"b.c\"\"\"").as_deref(), Some("a.\"b.c\"\"\""));
        for bad in ["", "a.", ".a", "a.b.c", "a.\"b"] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }
}
