//! Names and literals that quote themselves. All SQL is made from these; nothing else adds quotes.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

mod keywords;

/// An identifier as the catalogs hold it: unquoted, case kept. Displays quoted where PostgreSQL demands it. There are
/// many of each in a schema, so that copies are cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(SmolStr);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Name(text.into())
    }
}

impl fmt::Display for Name {
    /// As `quote_identifier` of the server does: plain when it is lower case and no keyword of a reserved class.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        let plain = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !keywords::must_quote(&self.0);
        if plain { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// A name within a namespace, always written with it: no plan depends on a `search_path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(Name, Name)", into = "(Name, Name)")]
pub struct QName {
    pub namespace: Name,
    pub name: Name,
}

impl QName {
    pub fn new(namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        QName { namespace: namespace.into(), name: name.into() }
    }

    /// Another name in the same namespace.
    pub fn sibling(&self, name: impl Into<Name>) -> Self {
        QName { namespace: self.namespace.clone(), name: name.into() }
    }
}

impl From<(Name, Name)> for QName {
    fn from((namespace, name): (Name, Name)) -> Self {
        QName { namespace, name }
    }
}

impl From<QName> for (Name, Name) {
    fn from(q: QName) -> Self {
        (q.namespace, q.name)
    }
}

impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

/// A role as GRANT and OWNER TO name it. The empty name is PUBLIC, as in `aclexplode`'s grantee 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(pub String);

impl Role {
    pub fn public() -> Self {
        Role(String::new())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("PUBLIC") } else { Name::from(self.0.as_str()).fmt(f) }
    }
}

/// A string literal. Displays in the form that means the same under either `standard_conforming_strings`.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = self.0.replace('\'', "''");
        if quoted.contains('\\') {
            write!(f, "E'{}'", quoted.replace('\\', "\\\\"))
        } else {
            write!(f, "'{quoted}'")
        }
    }
}

/// A text between dollars, such as the body of a routine, with the shortest tag that does not end it too early.
#[derive(Debug, Clone, Copy)]
pub struct DollarQuoted<'a>(pub &'a str);

impl fmt::Display for DollarQuoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let mut quote = "$$".to_owned();
        // The end of the text together with the quote can make one, too.
        while format!("{text}{quote}").find(&quote) != Some(text.len()) {
            quote = if quote == "$$" { "$_$".to_owned() } else { quote.replacen("$_", "$__", 1) };
        }
        write!(f, "{quote}{text}{quote}")
    }
}

/// Items joined by `, `, as almost every list in SQL is.
pub fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_never_ends_its_quotes() {
        for (text, quoted) in [
            ("SELECT 1", "$$SELECT 1$$"),
            ("SELECT $$a$$", "$_$SELECT $$a$$$_$"),
            ("costs 5$", "$_$costs 5$$_$"),
            ("$$ $_$ $_", "$__$$$ $_$ $_$__$"),
            ("", "$$$$"),
        ] {
            assert_eq!(DollarQuoted(text).to_string(), quoted);
        }
    }

    #[test]
    fn names_quote_themselves() {
        for (name, sql) in [
            ("messages", "messages"),
            ("Messages", "\"Messages\""),
            ("order", "\"order\""),
            ("a\"b", "\"a\"\"b\""),
            ("1st", "\"1st\""),
            ("größe", "\"größe\""),
            ("", "\"\""),
            ("new\nline", "\"new\nline\""),
        ] {
            assert_eq!(Name::from(name).to_string(), sql);
        }
    }

    #[test]
    fn literals_survive_both_string_settings() {
        assert_eq!(Literal("it's").to_string(), "'it''s'");
        assert_eq!(Literal("a\\'b").to_string(), "E'a\\\\''b'");
    }

    #[test]
    fn the_empty_role_is_public() {
        assert_eq!(Role::public().to_string(), "PUBLIC");
        assert_eq!(Role("public".into()).to_string(), "public");
    }
}
