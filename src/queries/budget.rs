//! `[[query]]` in TOML: a statement that must stay fast, with its budget, the values of its parameters, and the tables
//! that it must not read whole. Plans look at how the server would run it; `tenantry bench` runs it.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::Query;
use crate::diagnostic::{File, Report};
use crate::name::{Name, QName};
use crate::source::Span;
use crate::source::syntax::SyntaxError;
use crate::source::toml::value::{Reader, Value, entries};
use crate::source::toml::{bad_name, qname};

/// What is said of a statement that must stay fast.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    pub name: String,
    /// Milliseconds that it may take.
    pub ms: u32,
    pub tenant: ActsFor,
    pub values: Values,
    /// Tables that it must not read whole.
    pub never_whole: Vec<QName>,
    /// Where its name stands.
    pub span: Span,
}

/// Whose session runs a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActsFor {
    /// That of each tenant, where there is a tenancy.
    Each,
    /// That of the tenant with this key.
    One(String),
    /// A session without a tenant.
    Nobody,
}

/// Where the values of parameters come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One for each parameter.
    Made(Vec<Generator>),
    /// A query, run in the same session: each row has the values of all parameters.
    Picked(String),
}

/// What makes the values of one parameter, as texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Generator {
    Always(Option<String>),
    Among(Vec<String>),
    Between(i64, i64),
}

const KEYS: [&str; 7] = ["name", "sql", "role", "tenant", "budget_ms", "parameters", "never_whole"];

/// Reads the `[[query]]` entries of a file. What is wrong is added to the faults.
pub fn read(index: usize, file: &Arc<File>, faults: &mut Vec<Report>) -> Vec<Query> {
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    if !errors.is_empty() {
        faults.extend(errors.iter().map(|error| {
            let span = error.span().unwrap_or(0..0);
            Report::error("queries::toml", error.message()).at(file, span, "here")
        }));
        return vec![];
    }
    let mut reader = Reader { index, file, faults };
    let mut queries = vec![];
    for (key, value) in entries(document.get_ref()) {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("query", DeValue::Array(items)) => {
                queries.extend(items.iter().filter_map(|it| query(&mut reader, it)));
            }
            ("query", other) => reader.wrong("`query`", reader.span(value), "[[query]], once for each", other),
            _ => reader.unknown("a file of queries", key, &["query"]),
        }
    }
    queries
}

/// Statements that share a name.
pub fn named_twice(files: &[Arc<File>], queries: &[Query]) -> Vec<Report> {
    let budgets: Vec<&Budget> = queries.iter().filter_map(|it| it.budget.as_ref()).collect();
    let twice = budgets.iter().enumerate().filter_map(|(at, it)| {
        let first = budgets[..at].iter().find(|first| first.name == it.name)?;
        let report = Report::error("queries::named_twice", format!("two queries are called {:?}", it.name));
        let report = report.at(&files[first.span.file], first.span.range(), "first here");
        Some(report.at(&files[it.span.file], it.span.range(), "and again here"))
    });
    twice.collect()
}

fn query(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Query> {
    let fields = reader.fields("the query", value, &KEYS)?;
    let missing: Vec<_> =
        ["name", "sql", "budget_ms"].into_iter().filter(|key| fields.get(key).is_none()).collect();
    for key in &missing {
        let help = "a query has `name`, `sql` and `budget_ms`";
        reader.fault(reader.span(value), format!("the query has no `{key}`"), "this query", help);
    }
    let name = reader.text(&fields, "name");
    let role = reader.text(&fields, "role");
    let ms = fields.get("budget_ms").and_then(|value| budget_ms(reader, value));
    let tenant = fields.get("tenant").map_or(Some(ActsFor::Each), |value| acts_for(reader, value));
    let never_whole = fields.get("never_whole").map(|value| tables(reader, value)).unwrap_or_default();
    let sql = reader.text(&fields, "sql");
    let mut read = None;
    let sql = sql.and_then(|word| {
        let parse = |text: &str| {
            let read = super::query(text, None);
            read.map(|_| ()).map_err(|(message, offset)| SyntaxError { message, offset })
        };
        reader.check(&word, "`sql` of the query", parse)
    });
    if let Some(word) = &sql {
        read = super::query(&word.text, None).ok();
    }
    let values = match (fields.get("parameters"), &read) {
        (Some(value), Some(read)) => values(reader, value, read.parameters),
        (None, Some(read)) if read.parameters > 0 => {
            let count = read.parameters;
            let help = "`parameters` is an array with a generator for each, or a query that picks rows of values";
            let span = sql.as_ref().map_or(reader.span(value), |word| word.span);
            reader.fault(span, format!("nothing gives the values of {count} parameters"), "this query", help);
            None
        }
        (None, Some(_)) => Some(Values::Made(vec![])),
        (_, None) => None,
    };
    let name = name?;
    let budget =
        Budget { ms: ms?, tenant: tenant?, values: values?, never_whole, span: name.span, name: name.text };
    let (line, _) = reader.file.line_column(budget.span.start);
    Some(Query {
        place: format!("{}:{line}", reader.file.path),
        role: role.map(|it| Name::from(it.text)),
        budget: Some(budget),
        ..read?
    })
}

fn budget_ms(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u32> {
    let ms = integer(value.get_ref()).and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
    if ms.is_none() {
        reader.wrong("`budget_ms` of the query", reader.span(value), "milliseconds, 1 or more", value.get_ref());
    }
    ms
}

fn acts_for(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ActsFor> {
    match value.get_ref() {
        DeValue::Boolean(true) => Some(ActsFor::Each),
        DeValue::Boolean(false) => Some(ActsFor::Nobody),
        other => match scalar(other) {
            Some(Some(key)) => Some(ActsFor::One(key)),
            _ => {
                let wanted = "true (each tenant), false (nobody), or the key of one tenant";
                reader.wrong("`tenant` of the query", reader.span(value), wanted, other);
                None
            }
        },
    }
}

fn tables(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<QName> {
    let words = reader.words("`never_whole` of the query", value);
    let mut tables = vec![];
    for word in words {
        match qname(&word.text) {
            Some(name) => tables.push(name),
            None => bad_name(reader, word.span),
        }
    }
    tables
}

fn values(reader: &mut Reader<'_>, value: &Value<'_>, wanted: usize) -> Option<Values> {
    let what = "`parameters` of the query";
    if let Some(word) = reader.word(value) {
        let parse = |text: &str| {
            let read = super::query(text, None);
            read.map(|_| ()).map_err(|(message, offset)| SyntaxError { message, offset })
        };
        return reader.check(&word, what, parse).map(|word| Values::Picked(word.text));
    }
    let DeValue::Array(items) = value.get_ref() else {
        let form = "an array of generators, or a query that picks rows of values";
        reader.wrong(what, reader.span(value), form, value.get_ref());
        return None;
    };
    if items.len() != wanted {
        let message = format!("the query has {wanted} parameters, and {} are given", items.len());
        reader.fault(reader.span(value), message, "these", "give one for each of $1, $2 and so on");
    }
    let made: Vec<_> = items.iter().map(|it| generator(reader, it)).collect();
    Some(Values::Made(made.into_iter().collect::<Option<_>>()?))
}

fn generator(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Generator> {
    if let Some(value) = scalar(value.get_ref()) {
        return Some(Generator::Always(value));
    }
    let fields = reader.fields("a parameter", value, &["among", "from", "to"])?;
    let bound = |key: &str| fields.get(key).and_then(|it| integer(it.get_ref()));
    let made = match (fields.get("among").map(|it| it.get_ref()), bound("from"), bound("to")) {
        (Some(DeValue::Array(items)), None, None) => {
            let texts: Option<Vec<_>> = items.iter().map(|it| scalar(it.get_ref()).flatten()).collect();
            texts.filter(|it| !it.is_empty()).map(Generator::Among)
        }
        (None, Some(from), Some(to)) if from <= to => Some(Generator::Between(from, to)),
        _ => None,
    };
    if made.is_none() {
        let help = "it is a value, { among = [values] }, or { from = 1, to = 100 }";
        reader.fault(reader.span(value), "this makes no values", "this parameter", help);
    }
    made
}

/// A value as text. Dates stand for themselves; an array or a table is no single value.
fn scalar(value: &DeValue<'_>) -> Option<Option<String>> {
    match value {
        DeValue::String(text) => Some(Some(text.to_string())),
        DeValue::Integer(_) => Some(integer(value).map(|it| it.to_string())),
        DeValue::Float(float) => Some(Some(float.as_str().to_owned())),
        DeValue::Boolean(boolean) => Some(Some(boolean.to_string())),
        DeValue::Datetime(datetime) => Some(Some(datetime.to_string())),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries;

    fn of(text: &str) -> Result<Vec<Query>, Vec<Report>> {
        queries::read(&[File::new("queries/app.toml", text)], |_| false)
    }

    #[test]
    fn a_query_is_read_with_all_that_is_said_of_it() {
        let text = r#"
[[query]]
name = "orders of a contact"
sql = "SELECT id FROM orders WHERE contact_id = $1 AND status = $2 LIMIT 20"
role = "app"
budget_ms = 100
parameters = [{ from = 1, to = 9 }, { among = ["paid", "open"] }]
never_whole = ["orders", "shop.items"]

[[query]]
name = "for the admin"
sql = "SELECT 1 WHERE $1 = 1"
tenant = 1
budget_ms = 5
parameters = "SELECT id FROM orders LIMIT 10"
"#;
        let read = of(text).unwrap();
        assert_eq!((read[0].place.as_str(), read[0].parameters), ("queries/app.toml:3", 2));
        assert_eq!(read[0].role, Some(Name::from("app")));
        let budget = read[0].budget.as_ref().unwrap();
        let among = Generator::Among(vec!["paid".into(), "open".into()]);
        assert_eq!(budget.values, Values::Made(vec![Generator::Between(1, 9), among]));
        assert_eq!(budget.never_whole, [QName::new("public", "orders"), QName::new("shop", "items")]);
        assert_eq!((budget.ms, &budget.tenant), (100, &ActsFor::Each));
        let budget = read[1].budget.as_ref().unwrap();
        assert_eq!(budget.tenant, ActsFor::One("1".into()));
        assert_eq!(budget.values, Values::Picked("SELECT id FROM orders LIMIT 10".into()));
    }

    #[test]
    fn every_fault_is_told_at_its_words() {
        let text = r#"
[[query]]
nam = "a"
sql = "SELECT $1 FRM t"
budget_ms = 0
tenant = []
[[query]]
name = "b"
sql = "SELECT $1, $2"
budget_ms = 5
parameters = [1, { form = 1 }, 2]
never_whole = ["a..b"]
[[query]]
name = "c"
sql = "SELECT $1"
budget_ms = 1
[[query]]
name = "d"
sql = "DROP TABLE t"
budget_ms = 1
[queries]
"#;
        let file = File::new("queries/app.toml", text);
        let faults = queries::read(std::slice::from_ref(&file), |_| false).unwrap_err();
        let words: Vec<(usize, &str)> = faults
            .iter()
            .map(|it| (file.line_column(it.places[0].span.start).0, &text[it.places[0].span.clone()]))
            .collect();
        for expected in [
            (3, "nam"),
            (4, "t"),
            (5, "0"),
            (6, "[]"),
            (11, "form"),
            (12, "\"a..b\""),
            (15, "\"SELECT $1\""),
            (21, "queries"),
        ] {
            assert!(words.contains(&expected), "{expected:?} is not in {words:?}");
        }
        assert!(faults.iter().any(|it| it.help.as_deref() == Some("did you mean `name`?")), "{faults:?}");
        assert!(faults.iter().any(|it| it.message.contains("has 2 parameters, and 3 are given")), "{faults:?}");
        assert!(faults.iter().any(|it| it.message.contains("no statement that reads")), "{faults:?}");
        let twice = of(
            "[[query]]\nname=\"a\"\nsql=\"SELECT 1\"\nbudget_ms=1\n[[query]]\nname=\"a\"\nsql=\"SELECT 2\"\nbudget_ms=1",
        );
        assert_eq!(twice.unwrap_err()[0].code, "queries::named_twice");
    }
}
