//! Typed access to a TOML file, in which every fault is reported at its place and none hides the others.

use std::sync::Arc;

use ::toml::Spanned;
use ::toml::de::{DeString, DeTable, DeValue};

use crate::diagnostic::{File, Report};
use crate::source::{Span, Text, syntax};

pub type Key<'i> = Spanned<DeString<'i>>;
pub type Value<'i> = Spanned<DeValue<'i>>;

/// A file being read, and what is wrong with it.
pub struct Reader<'a> {
    pub index: usize,
    pub file: &'a Arc<File>,
    pub faults: &'a mut Vec<Report>,
}

/// A string of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// The value with its quotes, or the key.
    pub span: Span,
    /// The text alone, where the file holds it byte by byte.
    inner: Option<Span>,
}

/// The entries of a table whose keys have been checked, in the order of the file.
pub struct Fields<'t, 'i> {
    /// What has these fields, for messages: `column "phone"`.
    pub what: String,
    entries: Vec<(&'t Key<'i>, &'t Value<'i>)>,
}

impl<'t, 'i> Fields<'t, 'i> {
    pub fn get(&self, key: &str) -> Option<&'t Value<'i>> {
        self.entries.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| *value)
    }

    /// The place of a key.
    pub fn key(&self, key: &str) -> Option<&'t Key<'i>> {
        self.entries.iter().find(|(name, _)| name.get_ref() == key).map(|(name, _)| *name)
    }
}

/// A table's entries in the order of the file.
pub fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

impl Reader<'_> {
    pub fn span<T>(&self, value: &Spanned<T>) -> Span {
        Span { file: self.index, start: value.span().start, end: value.span().end }
    }

    pub fn fault(&mut self, span: Span, message: impl Into<String>, label: &str, help: impl Into<String>) {
        let report = Report::error("source::toml", message).at(self.file, span.range(), label).help(help);
        self.faults.push(report);
    }

    /// The entries of a value that must be a table with none but known keys.
    pub fn fields<'t, 'i>(
        &mut self,
        what: impl Into<String>,
        value: &'t Value<'i>,
        known: &[&str],
    ) -> Option<Fields<'t, 'i>> {
        let what = what.into();
        let table = self.table(&what, value)?;
        for (key, _) in entries(table).into_iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            self.unknown(&what, key, known);
        }
        Some(Fields { what, entries: entries(table) })
    }

    /// A value that must be a table.
    pub fn table<'t, 'i>(&mut self, what: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.wrong(what, self.span(value), "a table", other);
                None
            }
        }
    }

    pub fn unknown(&mut self, what: &str, key: &Key<'_>, known: &[&str]) {
        let help = match nearest(key.get_ref(), known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
            }
        };
        self.fault(self.span(key), format!("{what} has no `{}`", key.get_ref()), "unknown key", help);
    }

    /// Reports a value of another type than it must have.
    pub fn wrong(&mut self, what: &str, span: Span, wanted: &str, found: &DeValue<'_>) {
        let message = format!("{what} must be {wanted}");
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let report = Report::error("source::toml", message).at(self.file, span.range(), format!("this is {found}"));
        self.faults.push(report);
    }

    /// A string's place and text.
    pub fn word(&self, value: &Value<'_>) -> Option<Word> {
        let DeValue::String(text) = value.get_ref() else { return None };
        let span = self.span(value);
        let raw = &self.file.text[span.range()];
        let quote = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let mut start = span.start + quote;
        let end = span.end.saturating_sub(quote);
        // A line break right after the opening quotes is no part of the text.
        if quote == 3 {
            let body = &self.file.text[start..end.max(start)];
            start += body.len() - body.strip_prefix("\r\n").or(body.strip_prefix('\n')).unwrap_or(body).len();
        }
        let same = self.file.text.get(start..end) == Some(text.as_ref());
        let inner = same.then_some(Span { start, end, ..span });
        Some(Word { text: text.to_string(), span, inner })
    }

    /// A field that must be a string, where it is there.
    pub fn text(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<Word> {
        let value = fields.get(key)?;
        let word = self.word(value);
        if word.is_none() {
            self.wrong(&format!("`{key}` of {}", fields.what), self.span(value), "a string", value.get_ref());
        }
        word
    }

    /// A field that must be true or false, where it is there.
    pub fn boolean(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<bool> {
        let value = fields.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => {
                self.wrong(&format!("`{key}` of {}", fields.what), self.span(value), "true or false", other);
                None
            }
        }
    }

    /// A value that must be a string or an array of strings, with something in it.
    pub fn words(&mut self, what: &str, value: &Value<'_>) -> Vec<Word> {
        let wanted = "a name or an array of names";
        let words: Vec<Option<Word>> = match value.get_ref() {
            DeValue::String(_) => vec![self.word(value)],
            DeValue::Array(array) => array.iter().map(|value| self.word(value)).collect(),
            other => {
                self.wrong(what, self.span(value), wanted, other);
                return Vec::new();
            }
        };
        if words.is_empty() || words.contains(&None) {
            self.wrong(what, self.span(value), wanted, value.get_ref());
            return Vec::new();
        }
        words.into_iter().flatten().collect()
    }

    /// A field that must be an SQL expression.
    pub fn expression(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<Word> {
        let word = self.text(fields, key)?;
        self.check(&word, &format!("`{key}` of {}", fields.what), |text| syntax::parse_expression(text).map(|_| ()))
    }

    /// Passes a word on when the grammar takes it; else reports where it does not.
    pub fn check(
        &mut self,
        word: &Word,
        what: &str,
        parse: impl Fn(&str) -> Result<(), syntax::SyntaxError>,
    ) -> Option<Word> {
        match parse(&word.text) {
            Ok(()) => Some(word.clone()),
            Err(error) => {
                let report = Report::error("source::syntax", format!("{what}: {}", error.message));
                let at = word.at(error.offset);
                self.faults.push(report.at(self.file, at.range(), "here"));
                None
            }
        }
    }
}

impl Word {
    /// The place of an offset into the text, as well as the file shows it.
    pub fn at(&self, offset: usize) -> Span {
        match self.inner {
            Some(inner) if offset < self.text.len() => {
                let start = inner.start + offset;
                Span { start, end: start + crate::source::word_length(&self.text[offset..]), ..inner }
            }
            // The end: the closing quote.
            Some(inner) => Span { start: inner.end, end: self.span.end, ..inner },
            None => self.span,
        }
    }

    /// Adds the text to a statement, as it stands.
    pub(in crate::source) fn write(&self, text: &mut Text, file: &File) {
        match self.inner {
            Some(inner) => text.copy(file, inner),
            None => text.say(&self.text, self.span),
        };
    }
}

/// The known key that was probably meant.
pub fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let likeness = |other: &str| strsim::jaro_winkler(key, other);
    known
        .iter()
        .copied()
        .filter(|other| likeness(other) > 0.75)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}
