//! Where a text holds what may be a password: in a connection string, or behind the word in SQL. Nobody is shown it.

use std::borrow::Cow;
use std::ops::Range;

/// The text with something else in the place of each password.
pub fn masked(text: &str) -> Cow<'_, str> {
    let found = passwords(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for it in found {
        out.push_str(&text[at..it.start]);
        out.push_str("***");
        at = it.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// Where passwords stand, in order.
pub fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = of_urls(text).chain(of_words(text)).filter(|it| !it.is_empty()).collect();
    found.sort_by_key(|it| it.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// `postgresql://user:PASSWORD@host`. One with an `@` of its own reaches to the last.
fn of_urls(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(|(at, scheme)| {
        let start = at + scheme.len();
        let ends = |it: char| it.is_whitespace() || matches!(it, '\'' | '"' | '`');
        let url = text[start..].find(ends).map_or(&text[start..], |end| &text[start..start + end]);
        let login = &url[..url.rfind('@')?];
        Some(start + login.find(':')? + 1..start + login.len())
    })
}

/// `password=WORD` of a connection string or a URL, and `PASSWORD 'WORD'` of SQL.
fn of_words(text: &str) -> impl Iterator<Item = Range<usize>> {
    const WORD: &str = "password";
    let lower = text.to_ascii_lowercase();
    let ends: Vec<usize> = lower.match_indices(WORD).map(|(at, _)| at + WORD.len()).collect();
    ends.into_iter().filter_map(move |end| {
        let before = lower[..end].trim_end_matches(|it: char| it.is_alphanumeric() || it == '_');
        if !matches!(&lower[before.len()..end], "password" | "sslpassword") {
            return None;
        }
        let rest = &text[end..];
        let value = rest.trim_start().strip_prefix('=').map_or(rest, str::trim_start).trim_start();
        if let Some(quoted) = value.strip_prefix('\'') {
            return Some(within(text, quoted, |it| it == '\''));
        }
        let bare = rest.strip_prefix('=').filter(|it| !it.starts_with('{'))?;
        Some(within(text, bare, |it| it.is_whitespace() || matches!(it, '\'' | '"' | '&' | ',' | ')' | ';')))
    })
}

/// The beginning of a text's own end, until something ends it.
fn within(text: &str, rest: &str, ends: impl Fn(char) -> bool) -> Range<usize> {
    let start = text.len() - rest.len();
    start..rest.find(ends).map_or(text.len(), |end| start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (text, shown) in [
            ("unexpected '--x=postgresql://u:s3c@h/db'", "unexpected '--x=postgresql://u:***@h/db'"),
            ("url = \"postgres://u:s3@c:r@h:5432/db\"", "url = \"postgres://u:***@h:5432/db\""),
            ("host=h password=s3c dbname=d", "host=h password=*** dbname=d"),
            ("host=h password = 's 3c' dbname=d", "host=h password = '***' dbname=d"),
            ("postgresql://h/db?password=s3c&sslpassword=s3c", "postgresql://h/db?password=***&sslpassword=***"),
            ("CREATE ROLE r PASSWORD 's3c';", "CREATE ROLE r PASSWORD '***';"),
            ("OPTIONS (user 'u', password 's3c')", "OPTIONS (user 'u', password '***')"),
            ("CONNECTION 'host=h password=s3c'", "CONNECTION 'host=h password=***'"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn what_is_none_is_shown() {
        for text in [
            "postgresql://u@h:5432/db",
            "https://rustup.rs",
            "password text NOT NULL",
            "reset_password = 3, passwords 'x'",
            "CHECK (length(password) > 8)",
            "CHECK (password <> '')",
            "password = { type = \"text\" }",
            "password = \"text\"",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
