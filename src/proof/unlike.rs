//! What is not as it should be between two schemas, in words and statements.

use std::collections::BTreeSet;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::diff::{Change, diff};
use crate::kind::{Object, ObjectId, as_trees};
use crate::schema::{Facts, Families, Schema, Sides};

/// The objects that differ, and how, but for those that were unlike from the start. `should` says what the other side is:
/// "wanted" or "was".
pub fn unlike(is: &Schema, other: &Schema, but: &BTreeSet<ObjectId>, should: &str) -> Vec<(ObjectId, String)> {
    diff(is, other)
        .into_iter()
        .filter(|(id, _)| !but.contains(id))
        .map(|(id, change)| {
            let how = match change {
                Change::Create => "is missing".to_owned(),
                Change::Drop => "should not be there".to_owned(),
                Change::Alter => lines(&statements(is, &id), &statements(other, &id), should)
                    .unwrap_or_else(|| attributes(&is.objects[&id], &other.objects[&id], should)),
            };
            (id, how)
        })
        .collect()
}

/// The statements that make an object, each from a line of its own.
fn statements(schema: &Schema, id: &ObjectId) -> String {
    let (none, facts) = (schema.empty(), Facts::default());
    let sides = Sides {
        old: &none,
        new: schema,
        facts: &facts,
        replaced: &BTreeSet::new(),
        families: &Families::default(),
    };
    schema.objects[id].create(&sides).iter().map(|it| format!("{}\n", it.sql.trim())).collect()
}

/// What only one of two texts says; nothing where they are the same.
fn lines(is: &str, other: &str, should: &str) -> Option<String> {
    let diff = TextDiff::from_lines(is, other);
    let only = |tag: ChangeTag| -> String {
        let lines = diff.iter_all_changes().filter(|it| it.tag() == tag).map(|it| it.value().trim().to_owned());
        lines.collect::<Vec<_>>().join(" ")
    };
    match (only(ChangeTag::Delete), only(ChangeTag::Insert)) {
        (is, other) if is.is_empty() && other.is_empty() => None,
        (is, other) if is.is_empty() => Some(format!("lacks `{other}`")),
        (is, other) if other.is_empty() => Some(format!("has `{is}` besides")),
        (is, other) => Some(format!("is `{is}`, {should} `{other}`")),
    }
}

/// What the statements do not show, by the names of the fields.
fn attributes(is: &Object, other: &Object, should: &str) -> String {
    let plain = |object: &Object| definition(serde_json::to_value(object));
    let telling = |object: &Object| definition(as_trees(|| serde_json::to_value(object)));
    let mut found = vec![];
    differing("", [&plain(is), &plain(other)], [&telling(is), &telling(other)], should, &mut found);
    format!("differs: {}", found.join(", "))
}

/// The fields of an object, which stand below the name of its kind.
fn definition(object: serde_json::Result<Value>) -> Value {
    match object {
        Ok(Value::Object(kinds)) => kinds.into_iter().next().map(|it| it.1).unwrap_or_default(),
        _ => Value::Null,
    }
}

/// Walks two values side by side; `telling` are the same without what makes no difference.
fn differing(path: &str, plain: [&Value; 2], telling: [&Value; 2], should: &str, found: &mut Vec<String>) {
    if telling[0] == telling[1] {
        return;
    }
    if let [Value::Object(is), Value::Object(other)] = plain {
        for (name, value) in is {
            let words = format!("{path} {}", name.replace('_', " "));
            let beside = [value, other.get(name).unwrap_or(&Value::Null)];
            differing(words.trim(), beside, telling.map(|it| &it[name.as_str()]), should, found);
        }
    } else {
        found.push(format!("{path} is {}, {should} {}", spoken(plain[0]), spoken(plain[1])));
    }
}

fn spoken(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => format!("({})", items.iter().map(spoken).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), spoken(value));
            format!("({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn schema(kind: Kind, definition: &str) -> Schema {
        let row = format!(r#"{{"at": [1, 1, 0], "def": {definition}}}"#);
        let object = kind.decode(&row).unwrap().object;
        Schema { server_version: 150_000, objects: [(object.id(), object)].into(), ..Schema::default() }
    }

    fn told(kind: Kind, is: &str, other: &str) -> Vec<String> {
        let told = unlike(&schema(kind, is), &schema(kind, other), &BTreeSet::new(), "was");
        told.into_iter().map(|(id, how)| format!("{id} {how}")).collect()
    }

    #[test]
    fn an_object_is_told_by_the_statement_that_makes_it() {
        let label = |labels: &str| format!(r#"{{"name": ["public", "mood"], "labels": {labels}}}"#);
        assert_eq!(
            told(Kind::EnumType, &label(r#"["sad", "it's"]"#), &label(r#"["sad"]"#)),
            ["enum public.mood is `CREATE TYPE public.mood AS ENUM ('sad', 'it''s')`, \
              was `CREATE TYPE public.mood AS ENUM ('sad')`"]
        );
    }

    #[test]
    fn what_no_statement_shows_is_told_by_its_name() {
        let is = serde_json::json!({"a_b": {"c": true, "d": null}, "e": ["x", 1], "same": 1});
        let other = serde_json::json!({"a_b": {"c": false, "d": null}, "e": [], "same": 1});
        let mut found = vec![];
        differing("", [&is, &other], [&is, &other], "wanted", &mut found);
        assert_eq!(found, ["a b c is yes, wanted no", "e is (x, 1), wanted none"]);
    }

    #[test]
    fn what_is_on_one_side_only_is_said() {
        assert_eq!(lines("a\nb\n", "a\n", "was").unwrap(), "has `b` besides");
        assert_eq!(lines("a\n", "a\nb\n", "was").unwrap(), "lacks `b`");
        assert_eq!(lines("a\n", "a\n", "was"), None);
    }
}
