//! Values for the proof's rows, which the checks of their columns let pass as far as can be seen.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kind::column::Column;
use crate::kind::constraint::Rule;
use crate::kind::domain_constraint::DomainConstraint;
use crate::kind::partition::Partition;
use crate::kind::{Definition, Kind, Object, ObjectId, partition};
use crate::name::{Literal, Name, QName, list};
use crate::proof::rows::columns;
use crate::schema::Schema;

/// A value of the column's type, another one for each row, that its checks let pass as far as can be seen; the server
/// chooses where only it knows.
pub(crate) fn value(table: &QName, column: &Column, row: usize, copied: &Schema, desired: &Schema) -> String {
    chosen(table, column, row, copied, desired).unwrap_or_else(|| typical(table, column, row, copied, desired))
}

/// The same as a literal.
pub(crate) fn typical(table: &QName, column: &Column, row: usize, copied: &Schema, desired: &Schema) -> String {
    let data_type = &column.data_type;
    let bounds = [copied, desired].into_iter().map(|it| bounds(it, table, &column.name));
    let checks = [desired, copied].into_iter().map(|it| checks(it, table, &column.name));
    if let Some(allowed) = bounds.chain(checks).find(|it| !it.is_empty()) {
        return format!("{}::{data_type}", Literal(&allowed[row % allowed.len()]));
    }
    if data_type.ends_with("[]") {
        return format!("'{{}}'::{data_type}");
    }
    let types = |schema: &Schema| {
        schema.needs_of(&column_id(table, &column.name)).find_map(|need| match schema.get(need) {
            Some(Object::EnumType(it)) => {
                let stays = |label: &&String| match desired.get(need) {
                    Some(Object::EnumType(after)) => after.labels.contains(label),
                    _ => true,
                };
                let labels: Vec<&String> = it.labels.iter().filter(stays).collect();
                labels.get(row % labels.len().max(1)).map(|it| (*it).clone())
            }
            _ => None,
        })
    };
    if let Some(label) = types(copied) {
        return format!("{}::{data_type}", Literal(&label));
    }
    let text = copied.needs_of(&column_id(table, &column.name)).find_map(|need| match copied.get(need) {
        Some(Object::Domain(it)) => Some(plain(&it.base, row)),
        Some(Object::RangeType(it)) if *data_type == it.name.to_string() => Some(between(&it.subtype, row)),
        Some(Object::RangeType(it)) => Some(format!("{{{}}}", between(&it.subtype, row))),
        _ => None,
    });
    let text = text.unwrap_or_else(|| plain(data_type, row));
    format!("{}::{data_type}", Literal(&text))
}

/// A text that the checks of the column, or of its domain, let pass, as the server finds it among likely ones; nothing
/// for what is no text or has no check.
fn chosen(table: &QName, column: &Column, row: usize, copied: &Schema, desired: &Schema) -> Option<String> {
    let domain = copied.needs_of(&column_id(table, &column.name)).find_map(|need| match copied.get(need) {
        Some(Object::Domain(it)) if column.data_type == it.name.to_string() => Some(&**it),
        _ => None,
    });
    let base = domain.map_or(&column.data_type, |it| &it.base);
    if !matches!(base.split('(').next()?.trim_end(), "text" | "character varying" | "character" | "citext") {
        return None;
    }
    // What is declared can be asked if its ground is there already.
    let can_be_asked = |schema: &Schema, id: &ObjectId| schema.needs_of(id).all(|need| copied.contains(need));
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut constants: Vec<String> = vec![];
    for schema in [desired, copied] {
        let own = conditions(schema, table).map(|(id, it)| (id, it, compared(schema, table, &column.name, it)));
        let own = own.filter_map(|(id, it, found)| Some((id, it.to_owned(), found?)));
        let of_domain = domain.into_iter().flat_map(|domain| domain_checks(schema, &domain.name)).map(|it| {
            // In the place of the domain's value stands a column that is called so.
            (it.id(), it.condition.0.clone(), mined(&it.condition.0).constants)
        });
        for (_, condition, found) in own.chain(of_domain).filter(|it| can_be_asked(schema, &it.0)) {
            asked.insert(condition);
            constants.extend(found);
        }
    }
    if asked.is_empty() {
        return None;
    }
    if !constants.is_empty() {
        let at = row % constants.len();
        constants.rotate_left(at);
    }
    let number = row + 1;
    let likely =
        [plain(base, row)].into_iter().chain(likely_texts(&format!("row{number}"), &number.to_string(), number));
    // Constants come last: they are the same for each row, and some are patterns.
    let likely: Vec<String> = likely.chain(constants).collect();
    let rows = list(likely.iter().map(|it| format!("({}::{base})", Literal(it))));
    let name = domain.map_or(column.name.to_string(), |_| "value".into());
    let asked: Vec<String> = asked.iter().map(|it| format!("({it})")).collect();
    let data_type = &column.data_type;
    Some(format!(
        "coalesce((SELECT likely.{name} FROM (VALUES {rows}) AS likely ({name}) WHERE {} LIMIT 1), {})::{data_type}",
        asked.join(" AND "),
        Literal(&likely[0])
    ))
}

/// Texts of the kinds that columns are checked for; `mark` and `digits` tell one row's from another's.
pub(crate) fn likely_texts(mark: &str, digits: &str, number: usize) -> [String; 11] {
    [
        format!("{mark}@example.com"),
        mark.to_owned(),
        format!("https://example.com/{mark}"),
        format!("+15550{digits:0>6}"),
        format!("{digits:0>6}"),
        format!("{digits:0>64}"),
        "USD".into(),
        "en".into(),
        "UTC".into(),
        format!("0 {number} * * *"),
        format!("1.{number}.0"),
    ]
}

/// The text of a value of a built-in type.
fn plain(data_type: &str, row: usize) -> String {
    if data_type.ends_with("[]") {
        return "{}".into();
    }
    let (base, modifier) = match data_type.split_once('(') {
        Some((base, rest)) => {
            let (number, after) = rest.split_once(')').unwrap_or((rest, ""));
            (
                format!("{}{after}", base.trim_end()),
                number.split(',').next().and_then(|it| it.parse::<usize>().ok()),
            )
        }
        None => (data_type.to_owned(), None),
    };
    let number = row + 1;
    match base.as_str() {
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" | "money" | "oid" => {
            number.to_string()
        }
        "boolean" => (if row.is_multiple_of(2) { "true" } else { "false" }).into(),
        "character varying" | "character" | "text" | "name" => {
            let text = format!("{number} row");
            text.chars().take(modifier.unwrap_or(if base == "character" { 1 } else { 63 })).collect()
        }
        "date" => format!("2024-01-{number:02}"),
        "timestamp without time zone" | "timestamp with time zone" => format!("2024-01-{number:02} 12:00:00+00"),
        "time without time zone" | "time with time zone" => format!("12:00:{number:02}+00"),
        "interval" => format!("{number} days"),
        "uuid" => format!("00000000-0000-4000-8000-{number:012}"),
        "json" | "jsonb" => "{}".into(),
        "bytea" => format!("\\x{number:02}"),
        "inet" | "cidr" => format!("10.0.0.{number}"),
        "macaddr" => format!("08:00:2b:01:02:{number:02}"),
        "macaddr8" => format!("08:00:2b:01:02:03:04:{number:02}"),
        "bit" => "1".repeat(modifier.unwrap_or(1)),
        "bit varying" => "1".into(),
        "xml" => "<row/>".into(),
        "point" => format!("({number},{number})"),
        "line" => format!("{{{number},1,1}}"),
        "lseg" | "box" | "path" => format!("((0,0),({number},{number}))"),
        "polygon" => format!("((0,0),({number},{number}),(0,1))"),
        "circle" => format!("<(0,0),{number}>"),
        "\"char\"" => "a".into(),
        "int4range" | "int8range" | "numrange" => between("numeric", row),
        "daterange" => between("date", row),
        "tsrange" | "tstzrange" => between("timestamp with time zone", row),
        several if several.ends_with("multirange") => {
            format!("{{{}}}", plain(&several.replace("multirange", "range"), row))
        }
        _ => format!("{number} row"),
    }
}

/// A range that holds something, and nothing of those of other rows.
fn between(subtype: &str, row: usize) -> String {
    format!("[\"{}\",\"{}\")", plain(subtype, row), plain(subtype, row + 1))
}

/// The constants that let a row of the table pass: those that its partitions' bounds compare the column with, or else those
/// of its checks.
pub(crate) fn constants(schema: &Schema, table: &QName, column: &Name) -> Vec<String> {
    let bounds = bounds(schema, table, column);
    if bounds.is_empty() { checks(schema, table, column) } else { bounds }
}

/// The conditions of the table's checks.
fn conditions<'a>(schema: &'a Schema, table: &QName) -> impl Iterator<Item = (ObjectId, &'a str)> {
    schema.of_relation(Kind::Constraint, table).filter_map(|it| match it {
        Object::Constraint(it) => match &it.rule {
            Rule::Check(check) => Some((it.id(), check.expression.0.as_str())),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Foreign(_) => None,
        },
        _ => None,
    })
}

fn domain_checks<'a>(schema: &'a Schema, domain: &QName) -> impl Iterator<Item = &'a DomainConstraint> {
    schema.of_relation(Kind::DomainConstraint, domain).filter_map(|it| match it {
        Object::DomainConstraint(it) => Some(&**it),
        _ => None,
    })
}

/// What checks of the table compare the column with.
fn checks(schema: &Schema, table: &QName, column: &Name) -> Vec<String> {
    conditions(schema, table).filter_map(|(_, it)| compared(schema, table, column, it)).flatten().collect()
}

/// What the bounds of the table, of those above it and of the partitions below it compare the column with.
fn bounds(schema: &Schema, table: &QName, column: &Name) -> Vec<String> {
    let line = partition::line(schema, table);
    let condition = |child: &QName| match schema.get(&partition::id(child)) {
        Some(Object::Partition(it)) => it.condition.0.as_deref(),
        _ => None,
    };
    let above: Vec<String> =
        line.iter().filter_map(condition).filter_map(|it| compared(schema, table, column, it)).flatten().collect();
    if !above.is_empty() {
        return above;
    }
    let below = schema.of_kind(Kind::Partition).filter_map(|it| match it {
        Object::Partition(it) if it.child != *table => Some(&**it),
        _ => None,
    });
    let below: Vec<&Partition> = below.filter(|it| partition::line(schema, &it.child).contains(table)).collect();
    // One that takes what is early, or what no other one takes, takes what is made without a look at bounds.
    if below.iter().any(|it| it.is_default() || it.is_lowest()) {
        return vec![];
    }
    let conditions = below.iter().filter_map(|it| it.condition.0.as_deref());
    conditions.filter_map(|it| compared(schema, table, column, it)).flatten().collect()
}

/// The constants that a condition compares the column with; nothing for one that is not about this column alone.
fn compared(schema: &Schema, table: &QName, column: &Name, condition: &str) -> Option<Vec<String>> {
    let found = mined(condition);
    let mut others = columns(schema, table).into_iter().map(|it| &it.name).filter(|it| *it != column);
    let own = found.columns.contains(column.as_str());
    let alone = !others.any(|it| found.columns.contains(it.as_str()));
    (own && alone).then_some(found.constants)
}

fn mined(condition: &str) -> Mined {
    let mut found = Mined::default();
    if let Ok(parsed) = pg_query::parse(&format!("SELECT {condition}"), 0) {
        found.walk(&serde_json::to_value(&parsed.protobuf.stmts).unwrap_or_default());
    }
    found
}

#[derive(Default)]
struct Mined {
    columns: BTreeSet<String>,
    constants: Vec<String>,
}

impl Mined {
    fn walk(&mut self, tree: &Value) {
        match tree {
            Value::Array(items) => items.iter().for_each(|it| self.walk(it)),
            Value::Object(fields) => {
                if let Some(name) = fields.get("ColumnRef").and_then(|it| it.pointer("/fields/0/node/String/sval"))
                {
                    self.columns.extend(name.as_str().map(str::to_owned));
                }
                if let Some(constant) = fields.get("AConst").and_then(|it| it.get("val")) {
                    let text = |path: &str| constant.pointer(path).and_then(Value::as_str).map(str::to_owned);
                    let number = constant.pointer("/Ival/ival").and_then(Value::as_i64).map(|it| it.to_string());
                    self.constants.extend(text("/Sval/sval").or(text("/Fval/fval")).or(number));
                }
                let from = self.constants.len();
                fields.values().for_each(|it| self.walk(it));
                if let Some(comparison) = fields.get("AExpr") {
                    self.beyond(comparison, from);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl Mined {
    /// What was found in a comparison that its constants themselves do not satisfy, from a place on: the next number, or
    /// nothing.
    fn beyond(&mut self, comparison: &Value, from: usize) {
        let operator = comparison.pointer("/name/0/node/String/sval").and_then(Value::as_str);
        let mut left = Mined::default();
        left.walk(comparison.get("lexpr").unwrap_or(&Value::Null));
        let less = match operator {
            Some("<") => !left.columns.is_empty(),
            Some(">") => left.columns.is_empty(),
            Some("<>" | "~" | "~*" | "!~" | "!~*" | "!~~" | "!~~*") => {
                return self.constants.truncate(from);
            }
            _ => return,
        };
        let next = |it: i64| if less { it.checked_sub(1) } else { it.checked_add(1) };
        let beyond = self.constants.split_off(from);
        let beyond = beyond.into_iter().filter_map(|it| it.parse().ok().and_then(next));
        self.constants.extend(beyond.map(|it| it.to_string()));
    }
}

fn column_id(table: &QName, column: &Name) -> ObjectId {
    ObjectId::new(Kind::Column, [&table.namespace, &table.name, column])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mined(check: &str) -> Vec<String> {
        super::mined(check).constants
    }

    #[test]
    fn constants_of_a_check_satisfy_it() {
        assert_eq!(mined("a > 0"), ["1"]);
        assert_eq!(mined("a < (10)::numeric AND 0 < a"), ["9", "1"]);
        assert_eq!(mined("a >= 3"), ["3"]);
        assert_eq!(mined("a > 0.5 AND a < '2026-01-01'::date"), [] as [&str; 0]);
        assert_eq!(mined("a >= '2025-01-01'::date AND a < '2026-01-01'::date"), ["2025-01-01"]);
        assert_eq!(mined("a IN ('x', 'y')"), ["x", "y"]);
        assert_eq!(mined("a LIKE 'https://%'"), ["https://%"]);
        assert_eq!(mined("a <> '' AND a ~ '^[a-z]+$'"), [] as [&str; 0]);
    }

    #[test]
    fn ranges_of_rows_hold_something_and_are_apart() {
        assert_eq!(plain("int4range", 0), "[\"1\",\"2\")");
        assert_eq!(plain("datemultirange", 9), "{[\"2024-01-10\",\"2024-01-11\")}");
    }
}
