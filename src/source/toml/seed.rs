//! `[[seed]]`: rows that must exist before the first statement that relies on them.

use ::toml::de::DeValue;

use super::declared::{Found, find};
use super::value::{Reader, Value, Word, entries};
use super::{bad_name, qname};
use crate::name::{Literal, Name, QName};
use crate::source::names::Class;
use crate::source::{Draft, Seed};

/// Reads one seed.
pub fn read(reader: &mut Reader<'_>, value: &Value<'_>, draft: &mut Draft) {
    let Some(fields) = reader.fields("the seed", value, &["table", "key", "rows"]) else { return };
    for needed in ["table", "key", "rows"] {
        if fields.get(needed).is_none() {
            let help = "a seed has `table`, `key` and `rows`";
            reader.fault(reader.span(value), format!("the seed has no `{needed}`"), "this seed", help);
        }
    }
    let Some(table) = reader.text(&fields, "table") else { return };
    let Some(name) = qname(&table.text) else { return bad_name(reader, table.span) };
    let found = find(draft, &name, &[Class::Table]);
    if found.is_none() {
        let help = "rows can be put into declared tables alone";
        reader.fault(table.span, format!("table {name} is declared nowhere"), "this table", help);
    }
    let key = fields.get("key").map(|value| reader.words("`key` of the seed", value)).unwrap_or_default();
    let Some(rows) = fields.get("rows") else { return };
    let DeValue::Array(rows) = rows.get_ref() else {
        return reader.wrong("`rows` of the seed", reader.span(rows), "an array of tables", rows.get_ref());
    };
    let rows = rows.iter().filter_map(|value| row(reader, &name, &key, value, found.as_ref())).collect();
    let key = key.into_iter().map(|word| Name::from(word.text)).collect();
    draft.seeds.push(Seed { table: name, key, rows, span: table.span });
}

fn row(
    reader: &mut Reader<'_>,
    table: &QName,
    key: &[Word],
    value: &Value<'_>,
    found: Option<&Found>,
) -> Option<Vec<(Name, String)>> {
    let columns = entries(reader.table("a row of the seed", value)?);
    for needed in key.iter().filter(|needed| !columns.iter().any(|(name, _)| *name.get_ref() == needed.text)) {
        let message = format!("a row has no `{}`, which is in its key", needed.text);
        reader.fault(reader.span(value), message, "this row", "a row is known by the columns of its key");
    }
    let mut row = Vec::new();
    for (key, value) in columns {
        let name = Name::from(key.get_ref().as_ref());
        if found.is_some_and(|found| !found.may_have(Class::Column, &name)) {
            let message = format!("table {table} has no column {name}");
            reader.fault(reader.span(key), message, "this column", "write it as CREATE TABLE has it");
        }
        row.push((name, literal(value.get_ref())));
    }
    Some(row)
}

/// A value as an SQL literal; arrays and tables are JSON.
fn literal(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => Literal(text).to_string(),
        DeValue::Integer(_) | DeValue::Float(_) => match json(value) {
            serde_json::Value::Number(number) => number.to_string(),
            // A float that JSON has no number for: inf and nan.
            other => Literal(other.as_str().unwrap_or_default()).to_string(),
        },
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(datetime) => Literal(&datetime.to_string()).to_string(),
        DeValue::Array(_) | DeValue::Table(_) => Literal(&json(value).to_string()).to_string(),
    }
}

fn json(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Json::from(number),
            Err(_) => Json::from(integer.as_str()),
        },
        DeValue::Float(float) => match float.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => Json::Number(number),
            None => Json::from(float.as_str()),
        },
        DeValue::Boolean(boolean) => Json::from(*boolean),
        DeValue::Datetime(datetime) => Json::from(datetime.to_string()),
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = entries(table).into_iter();
            Json::Object(entries.map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect())
        }
    }
}
