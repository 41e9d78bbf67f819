//! What statements use by name, with the place of each name: relations, routines, and columns of which it is certain
//! whose they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::source::syntax;

/// A name, and where in the text it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub at: usize,
    pub what: What,
}

/// The parts of a name are in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Relation(Vec<String>),
    Routine(Vec<String>),
    Column { of: Vec<String>, name: String },
}

/// The uses in a text of statements; none in one that can't be parsed. A name with a dot may begin with one of
/// `variables`, and is then no column's.
pub fn uses(sql: &str, variables: &BTreeSet<String>) -> Vec<Use> {
    let Ok(statements) = syntax::parse(sql) else { return vec![] };
    let Ok(tree) = serde_json::to_value(&statements) else { return vec![] };
    let mut walk = Walk::default();
    walk.visit(&tree);
    walk.finish(variables)
}

#[derive(Default)]
struct Walk {
    found: Vec<Use>,
    /// Names of WITH queries, which hide relations.
    hidden: BTreeSet<String>,
    /// Relations by the names that columns go by, or nothing for what is no relation.
    aliases: BTreeMap<String, Vec<Option<Vec<String>>>>,
    /// Names of two parts, with their places.
    dotted: Vec<(usize, String, String)>,
}

impl Walk {
    fn visit(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|it| self.visit(it)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("InsertStmt", it) => {
                            self.targets(it, "cols");
                            self.targets_of(relation(&it["relation"]), &it["on_conflict_clause"]["target_list"]);
                        }
                        ("UpdateStmt", it) => self.targets(it, "target_list"),
                        ("FuncCall", it) => self.push(it, What::Routine(strings(&it["funcname"]))),
                        ("CommonTableExpr", it) => {
                            self.hidden.extend(it["ctename"].as_str().map(str::to_owned));
                        }
                        ("ColumnRef", it) => self.column(it),
                        ("alias", it) => {
                            let renamed = it["colnames"].as_array().is_some_and(|it| !it.is_empty());
                            let of = relation(node).filter(|_| !renamed);
                            self.alias(it["aliasname"].as_str(), of);
                        }
                        _ => {}
                    }
                    self.visit(value);
                }
                if fields.contains_key("relname") && fields.contains_key("relpersistence") {
                    self.relation(node);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn push(&mut self, node: &Value, what: What) {
        if let Some(at) = place(node) {
            self.found.push(Use { at, what });
        }
    }

    fn relation(&mut self, node: &Value) {
        let Some(parts) = relation(node) else { return };
        if node["alias"].is_null() {
            self.alias(parts.last().map(String::as_str), Some(parts.clone()));
        }
        self.push(node, What::Relation(parts));
    }

    fn alias(&mut self, name: Option<&str>, of: Option<Vec<String>>) {
        if let Some(name) = name {
            self.aliases.entry(name.to_owned()).or_default().push(of);
        }
    }

    fn targets(&mut self, statement: &Value, list: &str) {
        self.targets_of(relation(&statement["relation"]), &statement[list]);
    }

    /// Columns that are written to.
    fn targets_of(&mut self, relation: Option<Vec<String>>, list: &Value) {
        let (Some(of), Some(list)) = (relation, list.as_array()) else { return };
        for target in list {
            let target = &target["node"]["ResTarget"];
            if let Some(name) = target["name"].as_str().filter(|it| !it.is_empty()) {
                self.push(target, What::Column { of: of.clone(), name: name.to_owned() });
            }
        }
    }

    fn column(&mut self, node: &Value) {
        if let ([alias, name], Some(at)) = (strings(&node["fields"]).as_slice(), place(node)) {
            self.dotted.push((at, alias.clone(), name.clone()));
        }
    }

    fn finish(mut self, variables: &BTreeSet<String>) -> Vec<Use> {
        for (at, alias, name) in std::mem::take(&mut self.dotted) {
            // A name that stands for one thing here and for another there is left alone.
            if let Some([Some(of)]) = self.aliases.get(&alias).map(Vec::as_slice)
                && !variables.contains(&alias)
            {
                self.found.push(Use { at, what: What::Column { of: of.clone(), name } });
            }
        }
        let hidden = |parts: &[String]| matches!(parts, [name] if self.hidden.contains(name));
        self.found.retain(|it| match &it.what {
            What::Relation(parts) | What::Column { of: parts, .. } => !hidden(parts),
            What::Routine(_) => true,
        });
        self.found.sort_by_key(|it| it.at);
        self.found
    }
}

fn place(node: &Value) -> Option<usize> {
    node["location"].as_u64().map(|it| it as usize)
}

fn relation(node: &Value) -> Option<Vec<String>> {
    let name = node["relname"].as_str().filter(|it| !it.is_empty())?;
    let namespace = node["schemaname"].as_str().filter(|it| !it.is_empty());
    Some(namespace.into_iter().chain([name]).map(str::to_owned).collect())
}

/// The strings of a list of nodes, if it holds nothing else.
fn strings(list: &Value) -> Vec<String> {
    let string = |it: &Value| it["node"]["String"]["sval"].as_str().map(str::to_owned);
    list.as_array().and_then(|it| it.iter().map(string).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: &str, variables: &[&str]) -> Vec<String> {
        let variables = variables.iter().map(|it| (*it).to_owned()).collect();
        let found = uses(sql, &variables).into_iter().map(|it| match it.what {
            What::Relation(parts) => parts.join("."),
            What::Routine(parts) => format!("{}()", parts.join(".")),
            What::Column { of, name } => format!("{} of {}", name, of.join(".")),
        });
        found.collect()
    }

    #[test]
    fn names_are_found_with_whose_columns_are_whose() {
        assert_eq!(
            told("SELECT a.x, t.y, r.z, bare, app.f(1) FROM app.t a JOIN t ON true", &["r"]),
            ["x of app.t", "y of t", "app.f()", "app.t", "t"]
        );
        assert_eq!(
            told("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.c", &[]),
            ["t", "a of t", "b of t"]
        );
        assert_eq!(told("UPDATE t AS x SET a = x.b", &["x"]), ["t", "a of t"]);
    }

    #[test]
    fn what_may_be_something_else_is_left_alone() {
        assert!(told("WITH t AS (SELECT 1) SELECT t.a FROM t", &[]).is_empty());
        assert_eq!(told("SELECT s.a FROM (SELECT 1) s, u AS v(a) WHERE v.a = 1", &[]), ["u"]);
        assert_eq!(told("SELECT x.a FROM t x WHERE EXISTS (SELECT x.b FROM u x)", &[]), ["t", "u"]);
        assert!(told("SELECT FROM", &[]).is_empty());
    }
}
