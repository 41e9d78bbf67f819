//! `[table."public.contacts"]`: a table with its columns, keys and indexes, or what SQL cannot say of one that a SQL
//! file declares.

use std::sync::Arc;

use ::toml::de::DeValue;
use pg_query::NodeEnum;
use pg_query::protobuf::ConstrType;

use super::declared::{Found, find, has_index};
use super::value::{Fields, Key, Reader, Value, Word, entries};
use super::{allow, bad_name, qname, was};
use crate::diagnostic::{File, Report};
use crate::name::{Literal, Name, QName, list};
use crate::source::names::{self, Class};
use crate::source::syntax::{self, SyntaxError};
use crate::source::{Backfill, Draft, Global, Span, Text, sql};

const TABLE: &[&str] = &[
    "columns",
    "primary_key",
    "unique",
    "foreign_keys",
    "checks",
    "indexes",
    "constraints",
    "comment",
    "row_security",
    "was",
    "becomes",
    "allow",
];
/// What makes a table, rather than saying something of one.
const MAKING: &[&str] = &["primary_key", "unique", "foreign_keys", "checks", "comment", "row_security"];
const COLUMN: &[&str] = &[
    "type",
    "null",
    "default",
    "identity",
    "generated",
    "references",
    "unique",
    "check",
    "collate",
    "comment",
    "was",
    "backfill",
    "from",
    "allow",
];
const COLUMN_SETTINGS: &[&str] = &["was", "backfill", "from", "allow"];
const INDEX: &[&str] =
    &["columns", "unique", "nulls_not_distinct", "method", "where", "include", "comment", "was", "allow"];

/// Reads one table.
pub fn read(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>, files: &[Arc<File>], draft: &mut Draft) {
    let Some(name) = qname(key.get_ref()) else { return bad_name(reader, reader.span(key)) };
    let Some(fields) = reader.fields(format!("table {name}"), value, TABLE) else { return };
    let path = vec![name.namespace.clone(), name.name.clone()];
    was(reader, &fields, Class::Table, path.clone(), draft);
    allow(reader, &fields, Class::Table, path, draft);
    match find(draft, &name, &[Class::Table]) {
        Some(found) if makes_columns(&fields) => {
            let first = sql::find_name(&files[found.origin.file], found.origin, name.name.as_str());
            let report = Report::error("source::declared_twice", format!("table {name} is declared twice"))
                .at(&files[first.file], first.range(), "declared here")
                .at(reader.file, key.span(), "and again here")
                .help("keep one of them; beside SQL, a column may have `was`, `backfill` and `allow`");
            reader.faults.push(report);
        }
        Some(found) => settings(reader, &name, &fields, &found, draft),
        None => Table::read(reader, key, name.clone(), &fields, draft),
    }
    becomes(reader, key, &name, &fields, draft);
}

/// `becomes` of a table: columns that are no longer declared, with what they hold in terms of those that are.
fn becomes(reader: &mut Reader<'_>, key: &Key<'_>, name: &QName, fields: &Fields<'_, '_>, draft: &mut Draft) {
    let is_from = draft.derived.get(name).is_some_and(|it| !it.from.is_empty());
    let Some(value) = fields.get("becomes") else {
        if is_from {
            let help =
                "say by `becomes = { old = \"expression\" }` what the old columns hold, for code that reads them";
            reader.fault(reader.span(key), format!("columns of {name} come `from` others"), "of this table", help);
        }
        return;
    };
    if !is_from {
        let help = "give the new columns `from = \"expression\"`";
        reader.fault(
            reader.span(value),
            format!("no column of {name} says `from` what it comes"),
            "without effect",
            help,
        );
    }
    let Some(table) = reader.table(&format!("`becomes` of {}", fields.what), value) else { return };
    let columns = entries(table);
    let known: Vec<String> = columns.iter().map(|(key, _)| key.get_ref().to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let Some(inner) = reader.fields(format!("`becomes` of {}", fields.what), value, &known) else { return };
    for (key, _) in columns {
        let column = Name::from(key.get_ref().as_ref());
        let is_declared = find(draft, name, &[Class::Table]).is_some_and(|it| it.may_have(Class::Column, &column));
        if is_declared {
            let help = "what `becomes` something else goes: leave it out of the table's columns";
            reader.fault(reader.span(key), format!("table {name} still has the column {column}"), "this one", help);
            continue;
        }
        if let Some(word) = reader.expression(&inner, key.get_ref()) {
            draft.derived.entry(name.clone()).or_default().becomes.insert(column, word.text);
        }
    }
}

/// Whether columns are declared, rather than spoken of.
fn makes_columns(fields: &Fields<'_, '_>) -> bool {
    let is_made = |column: &Value<'_>| match column.get_ref() {
        DeValue::Table(column) => column.iter().any(|(key, _)| key.get_ref() == "type"),
        DeValue::String(_) => true,
        _ => false,
    };
    match fields.get("columns").map(|columns| columns.get_ref()) {
        Some(DeValue::Table(columns)) => columns.iter().any(|(_, column)| is_made(column)),
        _ => false,
    }
}

/// What is said of a table that a SQL file declares.
fn settings(reader: &mut Reader<'_>, name: &QName, fields: &Fields<'_, '_>, found: &Found, draft: &mut Draft) {
    for key in MAKING.iter().filter_map(|key| fields.key(key)) {
        let message = format!("table {name} is declared in SQL, and so `{}` belongs there", key.get_ref());
        reader.fault(
            reader.span(key),
            message,
            "not here",
            "write it beside its CREATE TABLE, or move the table here",
        );
    }
    let sub = |class: Class, key: &Name| match class {
        Class::Index => vec![name.namespace.clone(), key.clone()],
        _ => vec![name.namespace.clone(), name.name.clone(), key.clone()],
    };
    for (group, class, known) in [
        ("columns", Class::Column, COLUMN_SETTINGS),
        ("constraints", Class::Constraint, &["was", "allow"][..]),
        ("indexes", Class::Index, &["was", "allow"][..]),
    ] {
        let Some(value) = fields.get(group) else { continue };
        for (key, value) in
            reader.table(&format!("`{group}` of {}", fields.what), value).map(entries).unwrap_or_default()
        {
            let inner = Name::from(key.get_ref().as_ref());
            let there = match class {
                Class::Index => has_index(draft, &name.sibling(inner.clone())),
                _ => found.may_have(class, &inner),
            };
            if !there {
                let message = format!("table {name} has no {class} {inner}");
                let help = "the table is declared in SQL: name one that it has there";
                reader.fault(reader.span(key), message, "this one", help);
                continue;
            }
            if let Some(fields) = reader.fields(format!("{class} {inner}"), value, known) {
                was(reader, &fields, class, sub(class, &inner), draft);
                allow(reader, &fields, class, sub(class, &inner), draft);
                if class == Class::Column {
                    backfill(reader, &fields, name, &inner, draft);
                }
            }
        }
    }
}

fn backfill(reader: &mut Reader<'_>, fields: &Fields<'_, '_>, table: &QName, column: &Name, draft: &mut Draft) {
    if let Some(word) = reader.expression(fields, "backfill") {
        let (table, column) = (table.clone(), column.clone());
        draft.backfills.push(Backfill { table, column, expression: word.text, span: word.span });
    }
    if let Some(word) = reader.expression(fields, "from") {
        draft.derived.entry(table.clone()).or_default().from.insert(column.clone(), word.text);
    }
}

/// A table on its way to SQL.
struct Table<'a, 'r> {
    reader: &'a mut Reader<'r>,
    draft: &'a mut Draft,
    name: QName,
    /// The place of its name.
    span: Span,
    columns: Vec<Name>,
    elements: Vec<Text>,
    /// Statements beside CREATE TABLE.
    others: Vec<(Text, Span)>,
}

impl Table<'_, '_> {
    fn read(reader: &mut Reader<'_>, key: &Key<'_>, name: QName, fields: &Fields<'_, '_>, draft: &mut Draft) {
        let span = reader.span(key);
        let Some(columns) = fields.get("columns").and_then(|value| reader.table("`columns`", value)) else {
            if fields.get("columns").is_none() {
                let help = "give it `columns` here, or declare it in a .sql file";
                reader.fault(span, format!("table {name} is declared nowhere"), "this table", help);
            }
            return;
        };
        let columns = entries(columns);
        let faults = reader.faults.len();
        let names = columns.iter().map(|(key, _)| Name::from(key.get_ref().as_ref())).collect();
        let mut table =
            Table { reader, draft, name, span, columns: names, elements: Vec::new(), others: Vec::new() };
        for (key, value) in columns {
            table.column(key, value);
        }
        table.primary_key(fields);
        table.uniques(fields);
        table.checks(fields);
        table.foreign_keys(fields);
        table.indexes(fields);
        table.rest(fields);
        if table.reader.faults.len() == faults {
            table.finish();
        }
    }

    fn path(&self, inner: &Name) -> Vec<Name> {
        vec![self.name.namespace.clone(), self.name.name.clone(), inner.clone()]
    }

    fn column(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let name = Name::from(key.get_ref().as_ref());
        let at = self.reader.span(key);
        let what = format!("column {name}");
        let mut text = Text::default();
        text.say(&format!("{name} "), at);
        // `note = "text"` is short for `note = { type = "text" }`.
        if let Some(word) = self.reader.word(value) {
            if let Some(word) = self.kind(&word, &what) {
                word.write(&mut text, self.reader.file);
                self.elements.push(text);
            }
            return;
        }
        let Some(fields) = self.reader.fields(what.clone(), value, COLUMN) else { return };
        match self.reader.text(&fields, "type") {
            Some(word) => {
                if let Some(word) = self.kind(&word, &what) {
                    word.write(&mut text, self.reader.file);
                }
            }
            None if fields.get("type").is_none() => {
                self.reader.fault(at, format!("{what} has no type"), "this column", "add `type = \"…\"`");
            }
            None => {}
        }
        if let Some(word) = self.reader.text(&fields, "collate") {
            text.say(&format!(" COLLATE {}", Name::from(word.text)), word.span);
        }
        if self.reader.boolean(&fields, "null") == Some(false) {
            text.say(" NOT NULL", at);
        }
        self.default(&fields, &mut text);
        if let Some(word) = self.reader.text(&fields, "identity") {
            match word.text.as_str() {
                "always" => text.say(" GENERATED ALWAYS AS IDENTITY", at),
                "by default" => text.say(" GENERATED BY DEFAULT AS IDENTITY", at),
                other => {
                    let message = format!("{what} can't have the identity `{other}`");
                    self.reader.fault(word.span, message, "unknown", "it is `always` or `by default`");
                    &mut text
                }
            };
        }
        if let Some(word) = self.reader.expression(&fields, "generated") {
            text.say(" GENERATED ALWAYS AS (", at);
            word.write(&mut text, self.reader.file);
            text.say(") STORED", at);
        }
        if self.reader.boolean(&fields, "unique") == Some(true) {
            text.say(" UNIQUE", at);
        }
        if let Some(word) = self.reader.expression(&fields, "check") {
            text.say(" CHECK (", at);
            word.write(&mut text, self.reader.file);
            text.say(")", at);
        }
        if let Some(word) = self.references(&fields) {
            text.say(" REFERENCES ", at);
            word.write(&mut text, self.reader.file);
        }
        self.comment(&fields, &format!("COLUMN {}.{name}", self.name), at);
        let path = self.path(&name);
        was(self.reader, &fields, Class::Column, path.clone(), self.draft);
        allow(self.reader, &fields, Class::Column, path, self.draft);
        backfill(self.reader, &fields, &self.name, &name, self.draft);
        self.elements.push(text);
    }

    fn kind(&mut self, word: &Word, what: &str) -> Option<Word> {
        self.reader.check(word, &format!("the type of {what}"), |text| syntax::parse_type(text).map(|_| ()))
    }

    /// `default = "now()"` is an expression; a number or boolean is itself.
    fn default(&mut self, fields: &Fields<'_, '_>, text: &mut Text) {
        let Some(value) = fields.get("default") else { return };
        let span = self.reader.span(value);
        match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => {
                text.say(&format!(" DEFAULT {}", integer.as_str()), span);
            }
            DeValue::Float(float) if float.as_str().parse::<f64>().is_ok_and(f64::is_finite) => {
                text.say(&format!(" DEFAULT {}", float.as_str()), span);
            }
            DeValue::Boolean(boolean) => {
                text.say(&format!(" DEFAULT {boolean}"), span);
            }
            DeValue::String(_) => {
                if let Some(word) = self.reader.expression(fields, "default") {
                    text.say(" DEFAULT ", span);
                    // In parentheses, so that no operator in it ends the default early.
                    let simple = word.text.chars().all(|c| c.is_ascii_alphanumeric() || "_.()'".contains(c));
                    if !simple {
                        text.say("(", span);
                    }
                    word.write(text, self.reader.file);
                    if !simple {
                        text.say(")", span);
                    }
                }
            }
            other => {
                let what = format!("`default` of {}", fields.what);
                self.reader.wrong(&what, span, "an SQL expression, a number or a boolean", other);
            }
        }
    }

    /// What stands after REFERENCES.
    fn references(&mut self, fields: &Fields<'_, '_>) -> Option<Word> {
        let word = self.reader.text(fields, "references")?;
        self.reader.check(&word, &format!("`references` of {}", fields.what), |text| {
            let statements = syntax::parse_embedded("CREATE TABLE x (y int REFERENCES ", text, ")")?;
            let [NodeEnum::CreateStmt(table)] = statements.as_slice() else { return Err(more_than("a table")) };
            let [element] = table.table_elts.as_slice() else { return Err(more_than("a table")) };
            let Some(NodeEnum::ColumnDef(column)) = &element.node else { return Err(more_than("a table")) };
            let foreign = column.constraints.iter().enumerate().all(|(n, node)| match &node.node {
                Some(NodeEnum::Constraint(constraint)) if n == 0 => {
                    constraint.contype == ConstrType::ConstrForeign as i32
                }
                Some(NodeEnum::Constraint(constraint)) => {
                    constraint.contype >= ConstrType::ConstrAttrDeferrable as i32
                }
                _ => false,
            });
            let plain = table.options.is_empty() && table.inh_relations.is_empty() && table.partspec.is_none();
            if foreign && plain { Ok(()) } else { Err(more_than("a table")) }
        })
    }

    fn comment(&mut self, fields: &Fields<'_, '_>, what: &str, at: Span) {
        if let Some(word) = self.reader.text(fields, "comment") {
            let mut text = Text::default();
            text.say(&format!("COMMENT ON {what} IS {}", Literal(&word.text)), word.span);
            self.others.push((text, at));
            self.draft.manages.comments = true;
        }
    }

    /// Names of columns that the table must have, as SQL.
    fn column_list(&mut self, what: &str, value: &Value<'_>) -> String {
        let words = self.reader.words(what, value);
        for word in &words {
            let added = self.draft.added.iter().any(|column| column.as_str() == word.text);
            if !added && !self.columns.iter().any(|column| column.as_str() == word.text) {
                let known: Vec<&str> = self.columns.iter().map(Name::as_str).collect();
                let help = match super::value::nearest(&word.text, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "it must be one of `columns`".to_owned(),
                };
                let message = format!("table {} has no column {}", self.name, Name::from(word.text.as_str()));
                self.reader.fault(word.span, message, "this column", help);
            }
        }
        list(words.into_iter().map(|word| Name::from(word.text)))
    }

    /// A constraint's columns: `["a", "b"]`, or `{ columns = ["a", "b"], … }` with its fields.
    fn columns_of<'t, 'i>(
        &mut self,
        what: &str,
        value: &'t Value<'i>,
        known: &[&str],
    ) -> (String, Option<Fields<'t, 'i>>) {
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            return (self.column_list(what, value), None);
        }
        let fields = self.reader.fields(what, value, known);
        let columns = match fields.as_ref().and_then(|fields| fields.get("columns")) {
            Some(columns) => self.column_list(&format!("`columns` of {what}"), columns),
            None => {
                let help = "add `columns = [\"…\"]`";
                self.reader.fault(self.reader.span(value), format!("{what} has no `columns`"), "here", help);
                String::new()
            }
        };
        (columns, fields)
    }

    /// The entries of a group such as `checks`, by name.
    fn group<'t, 'i>(&mut self, fields: &Fields<'t, 'i>, group: &str) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
        let Some(value) = fields.get(group) else { return Vec::new() };
        self.reader.table(&format!("`{group}` of {}", fields.what), value).map(entries).unwrap_or_default()
    }

    fn constraint(&mut self, name: Option<&Name>, text: &str, at: Span) {
        let mut element = Text::default();
        let name = name.map(|name| format!("CONSTRAINT {name} ")).unwrap_or_default();
        element.say(&format!("{name}{text}"), at);
        self.elements.push(element);
    }

    fn primary_key(&mut self, fields: &Fields<'_, '_>) {
        let Some(value) = fields.get("primary_key") else { return };
        let at = self.reader.span(value);
        let (columns, key) = self.columns_of("the primary key", value, &["columns", "name", "was", "allow"]);
        let name = key.as_ref().and_then(|key| self.reader.text(key, "name")).map(|word| Name::from(word.text));
        if let Some(key) = &key {
            // The server's own name for it, where none is given.
            let name = name.clone().unwrap_or_else(|| Name::from(format!("{}_pkey", self.name.name.as_str())));
            let path = self.path(&name);
            was(self.reader, key, Class::Constraint, path.clone(), self.draft);
            allow(self.reader, key, Class::Constraint, path, self.draft);
        }
        self.constraint(name.as_ref(), &format!("PRIMARY KEY ({columns})"), at);
    }

    fn uniques(&mut self, fields: &Fields<'_, '_>) {
        for (key, value) in self.group(fields, "unique") {
            let name = Name::from(key.get_ref().as_ref());
            let known = ["columns", "nulls_not_distinct", "deferrable", "global", "was", "allow"];
            let (columns, fields) = self.columns_of(&format!("constraint {name}"), value, &known);
            let (mut nulls, mut deferrable) = ("", "");
            if let Some(fields) = &fields {
                if self.reader.boolean(fields, "nulls_not_distinct") == Some(true) {
                    nulls = " NULLS NOT DISTINCT";
                }
                if self.reader.boolean(fields, "deferrable") == Some(true) {
                    deferrable = " DEFERRABLE";
                }
                if let Some(word) = self.reader.text(fields, "global") {
                    let beside = (Class::Constraint, self.path(&name));
                    self.draft.globals.push(Global { beside, because: word.text, span: word.span });
                }
                let path = self.path(&name);
                was(self.reader, fields, Class::Constraint, path.clone(), self.draft);
                allow(self.reader, fields, Class::Constraint, path, self.draft);
            }
            self.constraint(Some(&name), &format!("UNIQUE{nulls} ({columns}){deferrable}"), self.reader.span(key));
        }
    }

    fn checks(&mut self, fields: &Fields<'_, '_>) {
        for (key, value) in self.group(fields, "checks") {
            let name = Name::from(key.get_ref().as_ref());
            let at = self.reader.span(key);
            let what = format!("constraint {name}");
            let expression = match self.reader.word(value) {
                Some(word) => self.reader.check(&word, &what, |text| syntax::parse_expression(text).map(|_| ())),
                None => {
                    let fields = self.reader.fields(what.clone(), value, &["expression", "was", "allow"]);
                    let Some(fields) = fields else { continue };
                    let path = self.path(&name);
                    was(self.reader, &fields, Class::Constraint, path.clone(), self.draft);
                    allow(self.reader, &fields, Class::Constraint, path, self.draft);
                    if fields.get("expression").is_none() {
                        self.reader.fault(
                            at,
                            format!("{what} has no `expression`"),
                            "here",
                            "add `expression = \"…\"`",
                        );
                    }
                    self.reader.expression(&fields, "expression")
                }
            };
            if let Some(word) = expression {
                let mut element = Text::default();
                element.say(&format!("CONSTRAINT {name} CHECK ("), at);
                word.write(&mut element, self.reader.file);
                element.say(")", at);
                self.elements.push(element);
            }
        }
    }

    fn foreign_keys(&mut self, fields: &Fields<'_, '_>) {
        for (key, value) in self.group(fields, "foreign_keys") {
            let name = Name::from(key.get_ref().as_ref());
            let at = self.reader.span(key);
            let what = format!("foreign key {name}");
            let (columns, fields) = self.columns_of(&what, value, &["columns", "references", "was", "allow"]);
            let references = fields.as_ref().and_then(|fields| {
                let path = self.path(&name);
                was(self.reader, fields, Class::Constraint, path.clone(), self.draft);
                allow(self.reader, fields, Class::Constraint, path, self.draft);
                self.references(fields)
            });
            match references {
                Some(word) => {
                    let mut element = Text::default();
                    element.say(&format!("CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES "), at);
                    word.write(&mut element, self.reader.file);
                    self.elements.push(element);
                }
                None if fields.as_ref().is_none_or(|fields| fields.get("references").is_none()) => {
                    let help = "write `{ columns = [\"…\"], references = \"namespace.table\" }`";
                    self.reader.fault(at, format!("{what} has no `references`"), "here", help);
                }
                None => {}
            }
        }
    }

    fn indexes(&mut self, fields: &Fields<'_, '_>) {
        for (key, value) in self.group(fields, "indexes") {
            let name = Name::from(key.get_ref().as_ref());
            let at = self.reader.span(key);
            let what = format!("index {name}");
            let array = !matches!(value.get_ref(), DeValue::Table(_));
            let fields = if array { None } else { self.reader.fields(what.clone(), value, INDEX) };
            let columns = match &fields {
                Some(fields) => fields.get("columns"),
                None if array => Some(value),
                None => continue,
            };
            let Some(columns) = columns else {
                self.reader.fault(at, format!("{what} has no `columns`"), "here", "add `columns = [\"…\"]`");
                continue;
            };
            let mut text = Text::default();
            let flag = |table: &mut Self, key: &str| {
                fields.as_ref().and_then(|fields| table.reader.boolean(fields, key)) == Some(true)
            };
            let unique = if flag(self, "unique") { "UNIQUE " } else { "" };
            text.say(&format!("CREATE {unique}INDEX {name} ON {}", self.name), at);
            if let Some(word) = fields.as_ref().and_then(|fields| self.reader.text(fields, "method")) {
                text.say(&format!(" USING {}", Name::from(word.text)), word.span);
            }
            text.say(" (", at);
            for (n, word) in self.reader.words(&format!("`columns` of {what}"), columns).iter().enumerate() {
                if n > 0 {
                    text.say(", ", at);
                }
                self.index_element(&what, word, &mut text);
            }
            text.say(")", at);
            if let Some(fields) = &fields {
                if let Some(include) = fields.get("include") {
                    let columns = self.column_list(&format!("`include` of {what}"), include);
                    text.say(&format!(" INCLUDE ({columns})"), self.reader.span(include));
                }
                if self.reader.boolean(fields, "nulls_not_distinct") == Some(true) {
                    text.say(" NULLS NOT DISTINCT", at);
                }
                if let Some(word) = self.reader.expression(fields, "where") {
                    text.say(" WHERE ", at);
                    word.write(&mut text, self.reader.file);
                }
                let path = vec![self.name.namespace.clone(), name.clone()];
                was(self.reader, fields, Class::Index, path.clone(), self.draft);
                allow(self.reader, fields, Class::Index, path, self.draft);
            }
            self.others.push((text, at));
            if let Some(fields) = &fields {
                self.comment(fields, &format!("INDEX {}", self.name.sibling(name)), at);
            }
        }
    }

    /// A column by its name, or what CREATE INDEX takes between its commas.
    fn index_element(&mut self, what: &str, word: &Word, text: &mut Text) {
        if self.columns.iter().any(|column| column.as_str() == word.text) {
            text.say(&Name::from(word.text.as_str()).to_string(), word.span);
            return;
        }
        let checked = self.reader.check(word, what, |text| {
            let statements = syntax::parse_embedded("CREATE INDEX ON x (", text, ")")?;
            match statements.as_slice() {
                [NodeEnum::IndexStmt(index)]
                    if index.index_params.len() == 1
                        && index.where_clause.is_none()
                        && index.options.is_empty()
                        && index.index_including_params.is_empty() =>
                {
                    Ok(())
                }
                _ => Err(more_than("one column or expression")),
            }
        });
        if let Some(word) = checked {
            word.write(text, self.reader.file);
        }
    }

    fn rest(&mut self, fields: &Fields<'_, '_>) {
        if let Some(value) = fields.get("constraints") {
            let span = self.reader.span(value);
            let help = "give `was` to the entry of `unique`, `checks` or `foreign_keys` itself";
            let message = "`constraints` is for tables that a SQL file declares";
            self.reader.fault(span, message, "not here", help);
        }
        self.comment(fields, &format!("TABLE {}", self.name), self.span);
        let Some(value) = fields.get("row_security") else { return };
        let at = self.reader.span(value);
        let forced = match value.get_ref() {
            DeValue::Boolean(false) => return,
            DeValue::Boolean(true) => false,
            DeValue::String(text) if text == "force" => true,
            other => {
                let what = format!("`row_security` of {}", fields.what);
                return self.reader.wrong(&what, at, "true, false or \"force\"", other);
            }
        };
        let mut text = Text::default();
        text.say(&format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", self.name), at);
        if forced {
            text.say(", FORCE ROW LEVEL SECURITY", at);
        }
        self.others.push((text, at));
    }

    /// Hands all statements over.
    fn finish(self) {
        let mut create = Text::default();
        create.say(&format!("CREATE TABLE {} (", self.name), self.span);
        for (n, element) in self.elements.into_iter().enumerate() {
            create.say(if n == 0 { "\n    " } else { ",\n    " }, self.span);
            create.append(element);
        }
        create.say("\n)", self.span);
        for (text, origin) in [(create, self.span)].into_iter().chain(self.others) {
            match syntax::parse(&text.sql).as_deref() {
                Ok([node]) => {
                    let names = names::names(node, &["public".to_owned()]);
                    self.draft.statements.push(text.finish(origin, None, names));
                }
                // Each part has been parsed where it stands, so only their combination can be at fault.
                _ => {
                    let report = Report::error("source::toml", "this makes no statement that PostgreSQL can read");
                    let report = report.at(self.reader.file, origin.range(), "declared here");
                    self.reader.faults.push(report.help(format!("the statement would be:\n{}", text.sql)));
                }
            }
        }
    }
}

fn more_than(what: &str) -> SyntaxError {
    SyntaxError { message: format!("this is more than {what}"), offset: 0 }
}
