//! What the server says of how it would run a statement (`EXPLAIN (FORMAT JSON, VERBOSE)`), boiled down to what matters
//! here: its shape, the tables that it reads whole, and what it asks of each row anew.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::name::QName;
use crate::source::syntax::words;

/// How a statement would be run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// The nodes of the plan without costs, in one line.
    pub shape: String,
    /// Tables of which every row is read, each with the node that does.
    pub whole: BTreeSet<(QName, String)>,
    /// Functions that are called for each row of a table, among those that were asked for.
    pub each_row: BTreeSet<(QName, String)>,
}

impl Explained {
    /// Reads the server's answer. `once` are functions that one call a statement would do for.
    pub fn read(json: &str, once: &BTreeSet<String>) -> Option<Explained> {
        let answer: Value = serde_json::from_str(json).ok()?;
        let plan = answer.get(0)?.get("Plan")?;
        let mut explained = Explained { shape: shape(plan), ..Explained::default() };
        explained.look(plan, false, once);
        Some(explained)
    }

    /// `limited` while what is above may stop before the last row.
    fn look(&mut self, node: &Value, limited: bool, once: &BTreeSet<String>) {
        let kind = text(node, "Node Type");
        let table = (!text(node, "Relation Name").is_empty())
            .then(|| QName::new(text(node, "Schema"), text(node, "Relation Name")));
        if let Some(table) = table {
            let unbounded = node.get("Index Cond").is_none() && !limited;
            match kind {
                "Seq Scan" | "Sample Scan" => _ = self.whole.insert((table.clone(), kind.to_owned())),
                "Index Scan" | "Index Only Scan" if unbounded => {
                    self.whole.insert((table.clone(), format!("{kind} without a condition")));
                }
                _ => {}
            }
            let filter = words(text(node, "Filter"));
            let called = once.iter().filter(|name| filter.contains(name));
            self.each_row.extend(called.map(|name| (table.clone(), name.clone())));
        }
        let limited = match kind {
            "Limit" => true,
            // These read all of their input before they give the first row.
            "Sort" | "Aggregate" | "Hash" | "WindowAgg" | "Materialize" | "ModifyTable" | "SetOp" => false,
            _ => limited,
        };
        for child in children(node) {
            self.look(child, limited, once);
        }
    }
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    node.get("Plans").and_then(Value::as_array).into_iter().flatten()
}

/// A node with those below it. What is evaluated beside, once, is no part of it.
fn shape(node: &Value) -> String {
    let mut shape = text(node, "Node Type").to_owned();
    if !text(node, "Index Name").is_empty() {
        shape += &format!(" using {}", text(node, "Index Name"));
    }
    if !text(node, "Relation Name").is_empty() {
        shape += &format!(" on {}", text(node, "Relation Name"));
    }
    let beside = |it: &&Value| !matches!(text(it, "Parent Relationship"), "InitPlan" | "SubPlan");
    let below: Vec<String> = children(node).filter(beside).map(self::shape).collect();
    // Partitions are many, and mostly alike.
    let shown = if shape.ends_with("Append") { 1 } else { below.len() };
    match &below[..shown.min(below.len())] {
        [] => shape,
        some if below.len() > shown => format!("{shape} ({}, and {} more)", some.join(", "), below.len() - shown),
        some => format!("{shape} ({})", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(plan: &str) -> Explained {
        Explained::read(&format!("[{{\"Plan\": {plan}}}]"), &["current_setting".to_owned()].into()).unwrap()
    }

    #[test]
    fn a_table_read_whole_is_found_below_what_must_see_all_rows() {
        let scan =
            r#"{"Node Type": "Index Scan", "Schema": "public", "Relation Name": "t", "Index Name": "t_pkey"}"#;
        let limit = read(&format!(r#"{{"Node Type": "Limit", "Plans": [{scan}]}}"#));
        assert!(limit.whole.is_empty(), "it stops early");
        assert_eq!(limit.shape, "Limit (Index Scan using t_pkey on t)");
        let sorted = format!(r#"{{"Node Type": "Limit", "Plans": [{{"Node Type": "Sort", "Plans": [{scan}]}}]}}"#);
        assert_eq!(read(&sorted).whole.len(), 1);
    }

    #[test]
    fn what_is_called_for_each_row_stands_in_a_filter() {
        let with = |key: &str| {
            read(&format!(
                r#"{{"Node Type": "Index Scan", "Schema": "public", "Relation Name": "t", "Index Name": "i",
                     "{key}": "(t.user_id = (current_setting('app.tenant'::text))::integer)"}}"#
            ))
        };
        assert_eq!(with("Filter").each_row.len(), 1);
        assert!(with("Index Cond").each_row.is_empty());
    }
}
