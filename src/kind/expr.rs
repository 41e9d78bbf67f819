//! Expressions and queries as a server prints them: the same when their trees are, however two servers print them.

use std::fmt;

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
