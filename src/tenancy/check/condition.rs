//! What a policy's condition asks of a row: whether it compares the key with the current tenant, on structure.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, BoolExprType, Node, SubLinkType, a_const};
use serde_json::Value;

use crate::name::Name;
use crate::source::syntax;

/// What is asked for of a row that is a tenant's.
pub(super) struct Asked {
    /// The key columns from the tenant down, each with the tree of its current value.
    keys: Vec<(Name, Option<Value>)>,
    /// Values that say the tenant as well: those of roles that act for one.
    constants: Vec<Value>,
}

/// Whether a condition keeps tenants apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    /// It is true of every row.
    Always,
    No,
    /// It has to do with the key, in a way that can't be followed here.
    Unknown,
}

impl Asked {
    /// `keys`: each column with the expression of its current value.
    pub fn new(keys: &[(Name, &str)], constants: &[&String]) -> Asked {
        let tree = |text: &str| syntax::parse_expression(text).ok().map(|node| plain(&node));
        Asked {
            keys: keys.iter().map(|(name, current)| (name.clone(), tree(current))).collect(),
            constants: constants.iter().filter_map(|text| tree(text)).collect(),
        }
    }

    pub fn of(&self, expression: &str) -> Holds {
        syntax::parse_expression(expression).map_or(Holds::Unknown, |node| self.holds(&node))
    }

    fn holds(&self, node: &Node) -> Holds {
        let node = bare(node);
        if let Some(constant) = constant(node) {
            // What no row meets is met by no other tenant's.
            return if constant { Holds::Always } else { Holds::Yes };
        }
        if let Some(NodeEnum::BoolExpr(it)) = node.node.as_ref() {
            let arms: Vec<Holds> = it.args.iter().map(|arm| self.holds(arm)).collect();
            let any = |holds: Holds| arms.contains(&holds);
            match it.boolop() {
                // Each row passes by the one arm that asks for least.
                BoolExprType::OrExpr => {
                    let order = [Holds::Always, Holds::No, Holds::Unknown];
                    return order.into_iter().find(|it| any(*it)).unwrap_or(Holds::Yes);
                }
                BoolExprType::AndExpr => {
                    let order = [Holds::Yes, Holds::Unknown, Holds::No];
                    return order.into_iter().find(|it| any(*it)).unwrap_or(Holds::Always);
                }
                BoolExprType::NotExpr | BoolExprType::Undefined => {}
            }
        }
        if self.compares(node) {
            return Holds::Yes;
        }
        let mentions = columns(node).iter().any(|it| self.keys.iter().any(|(key, _)| key.as_str() == it));
        if mentions && has_calls(node) { Holds::Unknown } else { Holds::No }
    }

    /// Whether a condition is that the first key has its current value.
    fn compares(&self, node: &Node) -> bool {
        match node.node.as_ref() {
            Some(NodeEnum::AExpr(it)) if matches!(it.kind(), AExprKind::AexprOp | AExprKind::AexprOpAny) => {
                let equals = it.name.last().is_some_and(|it| word(it) == Some("="));
                match (it.lexpr.as_deref(), it.rexpr.as_deref()) {
                    (Some(left), Some(right)) => {
                        equals && (self.compared(left, right) == Some(0) || self.compared(right, left) == Some(0))
                    }
                    _ => false,
                }
            }
            Some(NodeEnum::AExpr(it)) if it.kind() == AExprKind::AexprIn => {
                let list = it.rexpr.as_deref().and_then(|it| it.node.as_ref());
                match (it.lexpr.as_deref(), list) {
                    (Some(left), Some(NodeEnum::List(list))) => {
                        list.items.iter().all(|one| self.compared(left, one) == Some(0))
                    }
                    _ => false,
                }
            }
            // `key IN (SELECT current)`, and `= ANY`.
            Some(NodeEnum::SubLink(it)) if it.sub_link_type() == SubLinkType::AnySublink => {
                match (it.testexpr.as_deref(), selected(it.subselect.as_deref())) {
                    (Some(left), Some(selected)) => self.compared(left, selected) == Some(0),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// The key that one side is, where the other is its current value.
    fn compared(&self, one: &Node, other: &Node) -> Option<usize> {
        let column = column(bare(one))?;
        let at = self.keys.iter().position(|(key, _)| key.as_str() == column)?;
        let value = plain(other);
        let current = self.keys[at].1.as_ref() == Some(&value);
        let array = match bare(other).node.as_ref() {
            Some(NodeEnum::SubLink(it)) if it.sub_link_type() == SubLinkType::ArraySublink => {
                selected(it.subselect.as_deref()).map(plain)
            }
            _ => None,
        };
        let constant = at == 0 && self.constants.contains(&value);
        (current || constant || (array.is_some() && array == self.keys[at].1)).then_some(at)
    }
}

/// Whether a condition calls something for each row that could be asked once: what tells the tenant of the session.
pub(super) fn asks_per_row(expression: &str, markers: &BTreeSet<String>) -> bool {
    let Ok(node) = syntax::parse_expression(expression) else { return false };
    let Ok(tree) = serde_json::to_value(&node) else { return false };
    calls_outside(&tree, markers)
}

fn calls_outside(tree: &Value, markers: &BTreeSet<String>) -> bool {
    match tree {
        Value::Object(fields) => {
            if fields.contains_key("SubLink") {
                return false;
            }
            if let Some(call) = fields.get("FuncCall") {
                let name = call.get("funcname").and_then(Value::as_array).and_then(|it| it.last());
                let name = name.and_then(|it| it.pointer("/node/String/sval")).and_then(Value::as_str);
                if name.is_some_and(|name| markers.contains(name)) {
                    return true;
                }
            }
            fields.values().any(|it| calls_outside(it, markers))
        }
        Value::Array(items) => items.iter().any(|it| calls_outside(it, markers)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The names of the functions that an expression calls.
pub(super) fn calls(expression: &str) -> BTreeSet<String> {
    let Ok(node) = syntax::parse_expression(expression) else { return BTreeSet::new() };
    crate::source::walk::mentions(&node)
        .into_iter()
        .filter_map(|it| match it {
            crate::source::walk::Mention::Routine(mut parts) => parts.pop(),
            _ => None,
        })
        .collect()
}

/// The string constants of an expression.
pub(super) fn strings(expression: &str) -> BTreeSet<String> {
    fn walk(tree: &Value, found: &mut BTreeSet<String>) {
        match tree {
            Value::Object(fields) => {
                if let Some(text) = fields.get("Sval").and_then(|it| it.get("sval")).and_then(Value::as_str) {
                    found.insert(text.to_owned());
                }
                fields.values().for_each(|it| walk(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| walk(it, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Some(tree) = syntax::parse_expression(expression).ok().and_then(|it| serde_json::to_value(&it).ok()) {
        walk(&tree, &mut found);
    }
    found
}

/// What a node is without its casts, and without a subquery that only selects it.
fn bare(node: &Node) -> &Node {
    match node.node.as_ref() {
        Some(NodeEnum::TypeCast(it)) => it.arg.as_deref().map_or(node, bare),
        Some(NodeEnum::SubLink(it)) if it.sub_link_type() == SubLinkType::ExprSublink => {
            selected(it.subselect.as_deref()).map_or(node, bare)
        }
        _ => node,
    }
}

/// The one value of `SELECT value`.
fn selected(select: Option<&Node>) -> Option<&Node> {
    let Some(NodeEnum::SelectStmt(select)) = select.and_then(|it| it.node.as_ref()) else { return None };
    let simple = select.from_clause.is_empty() && select.where_clause.is_none() && select.larg.is_none();
    match select.target_list.as_slice() {
        [target] if simple => match target.node.as_ref()? {
            NodeEnum::ResTarget(target) => target.val.as_deref(),
            _ => None,
        },
        _ => None,
    }
}

/// A tree without casts, places, wrapping subqueries and the server's own namespace, to be compared.
fn plain(node: &Node) -> Value {
    let mut tree = serde_json::to_value(bare(node)).unwrap_or_default();
    syntax::forget_places(&mut tree);
    settle(&mut tree);
    tree
}

fn settle(tree: &mut Value) {
    let inner = tree.pointer("/node/TypeCast/arg").cloned().or_else(|| {
        // 5 is an expression's sublink, in the order of the library's enum.
        let link = tree
            .pointer("/node/SubLink")
            .filter(|it| it.get("sub_link_type").and_then(Value::as_i64) == Some(5))?;
        let select = link.pointer("/subselect/node/SelectStmt")?;
        let from = select.get("from_clause").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let targets = select.get("target_list").and_then(Value::as_array).filter(|it| it.len() == 1 && from)?;
        targets[0].pointer("/node/ResTarget/val").cloned()
    });
    if let Some(inner) = inner {
        *tree = inner;
        return settle(tree);
    }
    match tree {
        Value::Object(fields) => {
            if let Some(Value::Array(name)) = fields.get_mut("funcname") {
                name.retain(|it| it.pointer("/node/String/sval").and_then(Value::as_str) != Some("pg_catalog"));
            }
            fields.remove("funcformat");
            fields.values_mut().for_each(settle);
        }
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn word(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::String(it) => Some(&it.sval),
        _ => None,
    }
}

/// The column that a node is.
fn column(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::ColumnRef(it) => it.fields.last().and_then(word),
        _ => None,
    }
}

fn columns(node: &Node) -> BTreeSet<String> {
    fn walk(tree: &Value, found: &mut BTreeSet<String>) {
        match tree {
            Value::Object(fields) => {
                if let Some(last) =
                    fields.get("ColumnRef").and_then(|it| it.get("fields")).and_then(Value::as_array)
                {
                    let name = last.last().and_then(|it| it.pointer("/node/String/sval")).and_then(Value::as_str);
                    found.extend(name.map(str::to_owned));
                }
                fields.values().for_each(|it| walk(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| walk(it, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Ok(tree) = serde_json::to_value(node) {
        walk(&tree, &mut found);
    }
    found
}

fn has_calls(node: &Node) -> bool {
    let text = serde_json::to_value(node).unwrap_or_default();
    fn walk(tree: &Value) -> bool {
        match tree {
            Value::Object(fields) => {
                fields.contains_key("FuncCall") || fields.contains_key("SubLink") || fields.values().any(walk)
            }
            Value::Array(items) => items.iter().any(walk),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    walk(&text)
}

fn constant(node: &Node) -> Option<bool> {
    match node.node.as_ref()? {
        NodeEnum::AConst(it) => match it.val.as_ref()? {
            a_const::Val::Boolval(it) => Some(it.boolval),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_where_it_compares_the_key_with_the_tenant() {
        let asked = Asked::new(&[(Name::from("user_id"), "app.tenant()")], &[&"1".to_owned()]);
        for (condition, holds) in [
            ("(user_id = ( SELECT app.tenant() AS tenant))", Holds::Yes),
            ("user_id = app.tenant()", Holds::Yes),
            ("(app.tenant() = notes.user_id) AND deleted IS NULL", Holds::Yes),
            ("(user_id)::bigint = (app.tenant())::bigint", Holds::Yes),
            ("user_id = ANY (ARRAY(SELECT app.tenant()))", Holds::Yes),
            ("user_id IN (SELECT app.tenant())", Holds::Yes),
            ("user_id = 1", Holds::Yes),
            ("false", Holds::Yes),
            ("user_id = 2", Holds::No),
            ("true", Holds::Always),
            ("(SELECT true)", Holds::Always),
            ("user_id = app.tenant() OR is_public", Holds::No),
            ("user_id <> app.tenant()", Holds::Unknown),
            ("NOT user_id = app.tenant()", Holds::Unknown),
            ("user_id = app.tenant() OR true", Holds::Always),
            ("user_id IN (1, app.tenant())", Holds::Yes),
            ("owner = app.tenant()", Holds::No),
            ("app.may_see(user_id)", Holds::Unknown),
            ("(user_id = app.tenant() AND a) OR (b AND user_id = app.tenant())", Holds::Yes),
        ] {
            assert_eq!(asked.of(condition), holds, "{condition}");
        }
    }

    #[test]
    fn what_is_asked_once_a_statement_stands_in_a_subquery() {
        let markers = BTreeSet::from(["tenant".to_owned()]);
        assert!(asks_per_row("user_id = app.tenant()", &markers));
        assert!(!asks_per_row("user_id = (SELECT app.tenant())", &markers));
        assert!(!asks_per_row("lower(name) = 'x'", &markers));
    }
}
