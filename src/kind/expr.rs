//! Expressions and queries as a server prints them: the same when their trees are, however two servers print them.

use std::fmt;

use pg_query::NodeEnum;
use pg_query::protobuf::BoolExprType;
use serde::{Deserialize, Serialize};

/// Text that came out of `pg_get_expr`, `pg_get_viewdef` and their like.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr(pub String);

impl PartialEq for Expr {
    /// Equal as text, or as trees. What pg_query's grammar does not know is compared as text.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || tree(&self.0).is_some_and(|it| Some(it) == tree(&other.0))
    }
}

impl Eq for Expr {}

impl Expr {
    /// Whether each condition that the other joins with AND is one of this expression's too. What is not seen to be
    /// so may be so all the same.
    pub fn implies(&self, other: &Expr) -> bool {
        self == other
            || match (conditions(&self.0), conditions(&other.0)) {
                (Some(own), Some(asked)) => asked.iter().all(|it| own.contains(it)),
                _ => false,
            }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tree of an expression or a query, without the places and the spacing of its text: the deparser writes equal
/// trees alike and keeps what differs apart.
fn tree(text: &str) -> Option<String> {
    let parsed = pg_query::parse(text, 0).or_else(|_| pg_query::parse(&format!("SELECT {text}"), 0)).ok()?;
    parsed.deparse(Default::default()).ok()
}

/// The trees that an expression joins with AND, as the deparser writes them.
fn conditions(text: &str) -> Option<Vec<String>> {
    let mut parsed = pg_query::parse(&format!("SELECT {text}"), 0).ok()?.protobuf;
    let whole = value(&mut parsed)?.clone();
    let parts = match &whole.node {
        Some(NodeEnum::BoolExpr(it)) if it.boolop() == BoolExprType::AndExpr => it.args.clone(),
        _ => vec![whole],
    };
    parts
        .into_iter()
        .map(|part| {
            *value(&mut parsed)? = part;
            pg_query::deparse(&parsed, Default::default()).ok()
        })
        .collect()
}

/// The one value that `SELECT …` selects.
fn value(parsed: &mut pg_query::protobuf::ParseResult) -> Option<&mut pg_query::Node> {
    let statement = parsed.stmts.first_mut()?.stmt.as_mut()?;
    let Some(NodeEnum::SelectStmt(select)) = statement.node.as_mut() else { return None };
    let Some(NodeEnum::ResTarget(target)) = select.target_list.first_mut()?.node.as_mut() else { return None };
    target.val.as_deref_mut()
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
}
