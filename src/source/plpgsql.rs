//! Finds the SQL in a body in PL/pgSQL: statements and queries, with what is not SQL in them taken out. pg_query's own
//! parser for the language knows no namespaces but `public`, and does not always return JSON that can be read.

use std::collections::BTreeSet;

use pg_query::protobuf::{KeywordKind, Token};

use super::syntax;

/// A statement or a query: where it begins, and its text, in which each byte that stayed stands where it stood.
#[derive(Debug, PartialEq, Eq)]
pub struct Fragment {
    pub at: usize,
    pub sql: String,
}

/// What of a body can be told apart by its words.
#[derive(Debug, Default)]
pub struct Body {
    pub fragments: Vec<Fragment>,
    /// What is called outside of them, with its place: the parts of its name.
    pub calls: Vec<(usize, Vec<String>)>,
    /// Variables, and all else that a name with a dot may begin with.
    pub variables: BTreeSet<String>,
}

/// A token that is no comment.
#[derive(Clone, Copy)]
struct Part<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    is_name: bool,
    keyword: bool,
}

impl Part<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// The name that an identifier stands for.
    fn name(&self) -> String {
        match self.text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => self.text.to_lowercase(),
        }
    }
}

/// The body of a CREATE FUNCTION or PROCEDURE in PL/pgSQL: where in the statement it begins, and its text. Nothing where
/// the language is another, or where the text is not as it stands because quotes in it are doubled.
pub fn body(statement: &str) -> Option<(usize, &str)> {
    let parts = parts(statement);
    let behind = |word: &str| parts.windows(2).find(|it| it[0].is(word)).map(|it| it[1]);
    behind("language").filter(|it| it.text.trim_matches('\'').eq_ignore_ascii_case("plpgsql"))?;
    let quoted = parts.windows(2).find(|it| it[0].is("as") && it[1].text.starts_with(['$', '\'']))?[1];
    let mark = match quoted.text.strip_prefix('$') {
        Some(rest) => rest.find('$')? + 2,
        None => 1,
    };
    let text = quoted.text.get(mark..quoted.text.len().checked_sub(mark)?)?;
    (mark > 1 || !text.contains('\'')).then_some((quoted.start + mark, text))
}

/// Reads a body. One that the scanner can't read says nothing.
pub fn read(body: &str) -> Body {
    let parts = parts(body);
    let mut found = Body { variables: variables(&parts), ..Body::default() };
    let mut place = 0;
    while place < parts.len() {
        match end_of_fragment(&parts, place) {
            Some(end) => {
                let (start, stop) = (parts[place].start, parts[end - 1].end);
                found
                    .fragments
                    .push(Fragment { at: start, sql: plain(&parts[place..end], &body[start..stop], start) });
                place = end;
            }
            None if begins(&parts, place) && parts[place].is_any(&OTHERS) => {
                place += parts[place..].iter().position(|it| it.text == ";").unwrap_or(parts.len() - place);
            }
            None => {
                found.calls.extend(call(&parts, place));
                place += 1;
            }
        }
    }
    found
}

fn parts(body: &str) -> Vec<Part<'_>> {
    // The scanner's answer to an empty text is none that its binding can read.
    if body.trim().is_empty() {
        return vec![];
    }
    let tokens = syntax::tokens(body).unwrap_or_default();
    let comments = [Token::SqlComment as i32, Token::CComment as i32];
    let part = |it: &pg_query::protobuf::ScanToken| {
        let (start, end) = (it.start as usize, it.end as usize);
        let keyword = it.keyword_kind != KeywordKind::NoKeyword as i32;
        Some(Part { start, end, text: body.get(start..end)?, is_name: it.token == Token::Ident as i32, keyword })
    };
    tokens.iter().filter(|it| !comments.contains(&it.token)).filter_map(part).collect()
}

/// Names that are declared, or that a loop runs through. Whatever stands before a type may be one.
fn variables(parts: &[Part<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut declaring = false;
    for (place, part) in parts.iter().enumerate() {
        let before = place.checked_sub(1).map(|it| parts[it]);
        if part.is("declare") {
            declaring = true;
        } else if part.is("begin") {
            declaring = false;
        } else if before.is_some_and(|it| {
            declaring && (it.is("declare") || it.is(";")) || it.is_any(&["for", "foreach"]) || it.is("<<")
        }) {
            found.insert(part.name());
        }
    }
    found
}

/// Statements that are none of the language's either, but in which a parenthesis says nothing of what stands before it.
const OTHERS: [&str; 14] = [
    "alter", "analyze", "comment", "copy", "create", "drop", "grant", "lock", "refresh", "reindex", "reset",
    "revoke", "set", "truncate",
];

/// Whether a statement can begin here.
fn begins(parts: &[Part<'_>], place: usize) -> bool {
    let before = place.checked_sub(1).map(|it| parts[it]);
    before.is_none_or(|it| it.is_any(&[";", "begin", "then", "else", "loop", ">>"]))
}

/// Where what begins here ends, if it is SQL: with its parenthesis, before LOOP, or before the semicolon.
fn end_of_fragment(parts: &[Part<'_>], place: usize) -> Option<usize> {
    let queries = ["select", "with", "values"];
    let changes = ["insert", "update", "delete", "merge", "perform"];
    let before = place.checked_sub(1).map(|it| parts[it]);
    let is_query = parts[place].is_any(&queries);
    let opens = match before {
        None => true,
        Some(it) if it.is_any(&["(", "in", "for", "is", "query"]) => is_query || parts[place].is_any(&changes[..4]),
        Some(_) => begins(parts, place),
    };
    if !opens || !(is_query || parts[place].is_any(&changes)) {
        return None;
    }
    let in_loop = before.is_some_and(|it| it.is("in"));
    let mut depth = 0;
    for (end, part) in parts.iter().enumerate().skip(place) {
        match part.text {
            "(" => depth += 1,
            ")" if depth == 0 => return Some(end),
            ")" => depth -= 1,
            ";" if depth == 0 => return Some(end),
            _ if depth == 0 && in_loop && part.is("loop") => return Some(end),
            _ => {}
        }
    }
    Some(parts.len())
}

/// The text without INTO and what stands behind it, and with SELECT for PERFORM; the rest stays in its place.
fn plain(parts: &[Part<'_>], text: &str, start: usize) -> String {
    let mut sql = text.as_bytes().to_vec();
    let mut depth = 0;
    for (place, part) in parts.iter().enumerate() {
        match part.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if place == 0 && part.is("perform") => sql[..7].copy_from_slice(b"SELECT "),
            _ if depth == 0 && part.is("into") && !parts[place - 1].is_any(&["insert", "merge"]) => {
                let end = parts[place..end_of_targets(parts, place + 1).max(place + 1)]
                    .last()
                    .map_or(part.end, |it| it.end);
                sql[part.start - start..end - start].fill(b' ');
            }
            _ => {}
        }
    }
    // Whole tokens were replaced.
    String::from_utf8(sql).unwrap_or_default()
}

/// Past the variables that INTO fills: `STRICT a, b.c, d[1]`.
fn end_of_targets(parts: &[Part<'_>], mut place: usize) -> usize {
    let at = |place: usize| parts.get(place).copied();
    if at(place).is_some_and(|it| it.is("strict")) {
        place += 1;
    }
    loop {
        place += 1;
        while at(place).is_some_and(|it| it.text == ".") {
            place += 2;
        }
        if at(place).is_some_and(|it| it.text == "[") {
            while at(place).is_some_and(|it| it.text != "]") {
                place += 1;
            }
            place += 1;
        }
        if at(place).is_none_or(|it| it.text != ",") {
            return place.min(parts.len());
        }
        place += 1;
    }
}

/// A name that is called: followed by a parenthesis, and no word of the language.
fn call(parts: &[Part<'_>], place: usize) -> Option<(usize, Vec<String>)> {
    let before = place.checked_sub(1).map(|it| parts[it]);
    if !parts[place].is_name || before.is_some_and(|it| it.is(".") || it.is("open")) {
        return None;
    }
    let mut name = vec![parts[place].name()];
    let mut next = place + 1;
    while parts.get(next).is_some_and(|it| it.text == ".")
        && parts.get(next + 1).is_some_and(|it| it.is_name || it.keyword)
    {
        name.push(parts[next + 1].name());
        next += 2;
    }
    parts.get(next).is_some_and(|it| it.text == "(").then(|| (parts[place].start, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragments(body: &str) -> Vec<String> {
        let found = read(body).fragments;
        for it in &found {
            assert!(body[it.at..].len() >= it.sql.len(), "{it:?}");
        }
        found.into_iter().map(|it| it.sql.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn sql_is_found_wherever_it_stands() {
        let body = "
            DECLARE c CURSOR (k int) FOR SELECT * FROM a WHERE b = k; v int := (SELECT 1);
            BEGIN
              SELECT x, y INTO STRICT v, r.w FROM t -- FROM comment
               WHERE z = 'FROM string';
              PERFORM f(x) FROM u;
              FOR r IN SELECT CASE WHEN x THEN 1 ELSE 2 END FROM w FOR UPDATE LOOP
                UPDATE t SET a = 1 RETURNING id, b INTO v, arr[1];
              END LOOP;
              IF EXISTS (SELECT FROM lost WHERE (a) IN (1)) THEN DELETE FROM d; ELSE INSERT INTO i VALUES (1); END IF;
              RETURN QUERY WITH q AS (SELECT 1) SELECT * FROM q;
              EXECUTE 'SELECT 1 FROM nowhere' INTO v;
            END";
        assert_eq!(
            fragments(body),
            [
                "SELECT * FROM a WHERE b = k",
                "SELECT 1",
                "SELECT x, y FROM t -- FROM comment WHERE z = 'FROM string'",
                "SELECT f(x) FROM u",
                "SELECT CASE WHEN x THEN 1 ELSE 2 END FROM w FOR UPDATE",
                "UPDATE t SET a = 1 RETURNING id, b",
                "SELECT FROM lost WHERE (a) IN (1)",
                "DELETE FROM d",
                "INSERT INTO i VALUES (1)",
                "WITH q AS (SELECT 1) SELECT * FROM q",
            ]
        );
    }

    #[test]
    fn a_body_is_found_in_its_statement() {
        let text = |sql| body(sql).map(|(at, text)| (at, text.to_owned()));
        assert_eq!(text("CREATE FUNCTION f() AS $a$ x $a$ LANGUAGE plpgsql"), Some((26, " x ".to_owned())));
        assert_eq!(text("CREATE FUNCTION f() LANGUAGE 'plpgsql' AS 'x'"), Some((43, "x".to_owned())));
        assert_eq!(text("CREATE FUNCTION f() LANGUAGE plpgsql AS 'x''y'"), None);
        assert_eq!(text("CREATE FUNCTION f() LANGUAGE sql AS $$ x $$"), None);
    }

    #[test]
    fn bytes_stay_in_their_places() {
        let body = "BEGIN SELECT 'ö' INTO a FROM t; END";
        let fragment = &read(body).fragments[0];
        assert_eq!(&body[fragment.at + fragment.sql.find("FROM").unwrap()..][..6], "FROM t");
    }

    #[test]
    fn calls_and_variables_are_told_apart() {
        let found = read(
            "DECLARE a numeric(3, 2) := one(1); c CURSOR FOR SELECT 1; BEGIN a := app.\"Two\"(b[f(1)]); OPEN c(1);
             FOR r IN 1..3 LOOP NULL; END LOOP; IF three() IN (1) THEN CREATE INDEX ON x (a); RAISE EXCEPTION 'x()'; END IF; END",
        );
        let calls: Vec<String> = found.calls.into_iter().map(|it| it.1.join(".")).collect();
        assert_eq!(calls, ["one", "app.Two", "f", "three"]);
        assert!(["a", "c", "r"].iter().all(|it| found.variables.contains(*it)), "{:?}", found.variables);
    }

    #[test]
    fn nonsense_is_read_without_harm() {
        for body in
            ["", ";", "BEGIN SELECT INTO", "SELECT a INTO", "( SELECT", "FOR", "a.", "SELECT x INTO a[", "'"]
        {
            read(body);
        }
    }
}
