//! Expressions and queries as a server prints them: the same when their trees are, however two servers print them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use pg_query::protobuf::BoolExprType;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::name::Name;
use crate::source::syntax;

/// Text that came out of `pg_get_expr`, `pg_get_viewdef` and their like.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Expr(pub String);

thread_local! {
    /// Whether expressions are written as trees: for a fingerprint, in which the same is to be the same.
    static AS_TREES: Cell<bool> = const { Cell::new(false) };
}

/// Runs something during which expressions serialize as their trees.
pub fn as_trees<T>(run: impl FnOnce() -> T) -> T {
    AS_TREES.set(true);
    let result = run();
    AS_TREES.set(false);
    result
}

/// Whether only what makes a difference is to be written, each in one form: see [`as_trees`].
pub fn canonical() -> bool {
    AS_TREES.get()
}

/// Serializes what makes no difference between two objects: not at all for a fingerprint.
pub fn aside<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    if canonical() { serializer.serialize_unit() } else { value.serialize(serializer) }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match AS_TREES.get().then(|| tree(&self.0)).flatten() {
            Some(tree) => tree.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}

impl PartialEq for Expr {
    /// Equal as text, or as trees. What pg_query's grammar does not know is compared as text.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || tree(&self.0).is_some_and(|it| Some(it) == tree(&other.0))
    }
}

impl Eq for Expr {}

impl Expr {
    /// Whether each condition that the other joins with AND is one of this expression's too. What is not seen to be
    /// so may be so all the same. Where columns have got other types between the other expression and this one, casts follow
    /// them.
    pub fn implies(&self, other: &Expr, retyped: &[Retyped]) -> bool {
        self == other
            || match (conditions(&self.0), conditions(&other.0)) {
                (Some(own), Some(asked)) => {
                    asked.iter().all(|asked| own.iter().any(|own| is_recast(asked, own, retyped)))
                }
                _ => false,
            }
    }
}

/// A column that gets another type, with the trees of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Retyped {
    column: Name,
    from: Value,
    to: Value,
}

impl Retyped {
    /// Types as `format_type` prints them.
    pub fn new(column: &Name, from: &str, to: &str) -> Option<Retyped> {
        let tree = |of: &str| {
            parsed(&format!("NULL::{of}"))?.pointer(&format!("{VALUE}/node/TypeCast/type_name")).cloned()
        };
        Some(Retyped { column: column.clone(), from: tree(from)?, to: tree(to)? })
    }
}

/// Whether two trees are the same but for casts: of other things to the type of a column, or of the column to the type
/// that it gets, or of a constant to that.
fn is_recast(before: &Value, after: &Value, retyped: &[Retyped]) -> bool {
    if before == after {
        return true;
    }
    let cast = |of: &Value| {
        let cast = of.pointer("/node/TypeCast")?;
        Some((cast.get("arg")?.clone(), cast.get("type_name")?.clone()))
    };
    let (was, is) = (cast(before), cast(after));
    if let (Some((was, from)), Some((is, to))) = (&was, &is)
        && retyped.iter().any(|it| it.from == *from && it.to == *to)
    {
        return is_recast(was, is, retyped);
    }
    if let Some((was, to)) = &was
        && retyped.iter().any(|it| it.to == *to && is_column(was, &it.column))
    {
        return is_recast(was, after, retyped);
    }
    if let Some((is, to)) = &is
        && is.pointer("/node/AConst").is_some()
        && retyped.iter().any(|it| it.to == *to)
    {
        return is_recast(before, is, retyped);
    }
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(was, is)| is_recast(was, is, retyped))
        }
        (Value::Object(before), Value::Object(after)) => {
            before.len() == after.len()
                && before.iter().all(|(name, was)| after.get(name).is_some_and(|is| is_recast(was, is, retyped)))
        }
        _ => false,
    }
}

fn is_column(tree: &Value, name: &Name) -> bool {
    let fields = tree.pointer("/node/ColumnRef/fields").and_then(Value::as_array);
    let last = fields.and_then(|it| it.last()?.pointer("/node/String/sval")?.as_str());
    last == Some(name.as_str())
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

thread_local! {
    /// Trees that were made: schemas say `now()` and `false` a thousand times.
    static TREES: RefCell<HashMap<String, Option<Rc<Value>>>> = RefCell::default();
}

/// The tree of an expression or a query, without the places and the spacing of its text.
fn tree(text: &str) -> Option<Rc<Value>> {
    if let Some(made) = TREES.with_borrow(|trees| trees.get(text).cloned()) {
        return made;
    }
    let made = parsed(text).map(Rc::new);
    TREES.with_borrow_mut(|trees| trees.insert(text.to_owned(), made.clone()));
    made
}

fn parsed(text: &str) -> Option<Value> {
    parsed_statement(text).or_else(|| parsed_statement(&format!("SELECT {text}")))
}

fn parsed_statement(text: &str) -> Option<Value> {
    let parsed = pg_query::parse(text, 0).ok()?;
    let mut tree = serde_json::to_value(&parsed.protobuf.stmts).ok()?;
    syntax::forget_places(&mut tree);
    settle(&mut tree);
    Some(tree)
}

/// Brings into one form what a server prints in two: the cast of an array literal comes back as casts of its elements
/// once the printed text is read again.
fn settle(tree: &mut Value) {
    match tree {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            fields.values_mut().for_each(settle);
            if let Some(array) = fields.get("TypeCast").and_then(cast_elements) {
                fields.clear();
                fields.insert("AArrayExpr".into(), array);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `ARRAY[a, b]::t[]` as `ARRAY[a::t, b::t]`.
fn cast_elements(cast: &Value) -> Option<Value> {
    let mut array = cast.pointer("/arg/node/AArrayExpr")?.clone();
    let mut element_type = cast.get("type_name")?.clone();
    let bounds = element_type.get_mut("array_bounds")?.as_array_mut()?;
    bounds.pop()?;
    for element in array.get_mut("elements")?.as_array_mut()? {
        let arg = element.take();
        *element = serde_json::json!({ "node": { "TypeCast": { "arg": arg, "type_name": element_type } } });
    }
    Some(array)
}

/// Where the tree of `SELECT …` has the one value that it selects.
const VALUE: &str = "/0/stmt/node/SelectStmt/target_list/0/node/ResTarget/val";

/// The trees that an expression joins with AND.
fn conditions(text: &str) -> Option<Vec<Value>> {
    let parsed = parsed_statement(&format!("SELECT {text}"))?;
    let whole = parsed.pointer(VALUE)?;
    let joined = whole.pointer("/node/BoolExpr");
    let joined = joined.filter(|it| it.get("boolop").and_then(Value::as_i64) == Some(BoolExprType::AndExpr as i64));
    match joined {
        Some(joined) => joined.get("args")?.as_array().cloned(),
        None => Some(vec![whole.clone()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_and_needless_parentheses_do_not_matter_and_constants_do() {
        let expr = |text: &str| Expr(text.to_owned());
        assert_eq!(expr("(a > 1)"), expr("a  >  1"));
        assert_ne!(expr("a > 1"), expr("a > 2"));
        assert_ne!(expr("a = 'x'"), expr("a = 'y'"));
        assert_eq!(expr("SELECT a\n   FROM t;"), expr("SELECT a FROM t"));
        assert_ne!(expr("this is (not SQL"), expr("this is (not  SQL"));
    }

    #[test]
    fn a_cast_array_is_the_array_of_casts() {
        let expr = |text: &str| Expr(text.to_owned());
        let (printed, again) = (
            "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))",
        );
        assert_eq!(expr(printed), expr(again));
        let trees = |text: &str| as_trees(|| serde_json::to_string(&expr(text)).unwrap());
        assert_eq!(trees(printed), trees(again));
        assert_ne!(expr(printed), expr(&again.replace("'b'", "'c'")));
    }

    #[test]
    fn a_cast_follows_the_type_of_its_column() {
        let expr = |text: &str| Expr(text.to_owned());
        let wider = [Retyped::new(&Name::from("id"), "integer", "bigint").unwrap()];
        let follows = |before: &str, after: &str| expr(after).implies(&expr(before), &wider);
        assert!(follows("(id = (me())::integer)", "(id = (me())::bigint)"));
        assert!(follows("((id = (me())::integer) AND a)", "(a AND b AND (id = (me())::bigint))"));
        assert!(follows(
            "EXISTS ( SELECT FROM t WHERE t.id = (me())::integer)",
            "EXISTS ( SELECT FROM t WHERE t.id = (me())::bigint)"
        ));
        assert!(follows("((id)::bigint = n)", "(id = n)"));
        assert!(!follows("(id = (me())::integer)", "(id = (me())::numeric)"));
        assert!(!follows("(id = (me())::bigint)", "(id = (me())::integer)"));
        assert!(!follows("(id = me())", "(id = (me())::bigint)"));
        assert!(!follows("((other)::bigint = n)", "(other = n)"));
        assert!(!follows("(id = (me())::integer)", "((id = (me())::bigint) OR true)"));
        let exact = [Retyped::new(&Name::from("id"), "integer", "numeric").unwrap()];
        assert!(expr("(id = (5)::numeric)").implies(&expr("(id = 5)"), &exact));
        assert!(!expr("(id = (me())::numeric)").implies(&expr("(id = me())"), &exact));
    }
}
