//! Cuts a SQL text into statements and comments, as psql's scanner does, however wrong the statements are.
//!
//! pg_query can do it too, but gives up on the whole text at the first quote without its end. Here each statement
//! stands alone, so that an error in one hides none in the others. What a statement says is for others.

use std::ops::Range;

/// A piece of the text, as byte offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// From the first word to the last, without the semicolon.
    Statement(Range<usize>),
    /// A psql command: a backslash and the rest of its line.
    Meta(Range<usize>),
    /// The lines after `COPY … FROM stdin;`, with the `\.` that ends them.
    CopyData(Range<usize>),
    /// Something that never ends, from its start: what it is.
    Unended(Range<usize>, &'static str),
}

/// A comment without its marks: `-- text` or `/* text */`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub span: Range<usize>,
    pub text: Range<usize>,
}

/// The text's pieces and comments, both in the order of the text.
pub fn split(text: &str) -> (Vec<Piece>, Vec<Comment>) {
    let mut splitter = Splitter {
        text,
        at: 0,
        start: None,
        end: 0,
        words: Words::default(),
        pieces: Vec::new(),
        comments: Vec::new(),
    };
    splitter.run();
    (splitter.pieces, splitter.comments)
}

struct Splitter<'a> {
    text: &'a str,
    at: usize,
    /// Of the statement being read.
    start: Option<usize>,
    /// Past its last token.
    end: usize,
    words: Words,
    pieces: Vec<Piece>,
    comments: Vec<Comment>,
}

/// What must be known of a statement's words to see where it ends.
#[derive(Default)]
struct Words {
    parentheses: usize,
    /// Depth of `BEGIN ATOMIC … END` and the `CASE … END` within.
    blocks: usize,
    /// The first words, lower case, as far as they matter: CREATE [OR REPLACE] FUNCTION | PROCEDURE | RULE.
    first: Vec<String>,
    copy: Copy,
}

/// How much of `COPY … FROM stdin` has been seen.
#[derive(Default, Clone, PartialEq, Eq)]
enum Copy {
    #[default]
    None,
    Verb,
    From,
    Stdin,
}

impl Splitter<'_> {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match c {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.peek(1) == Some(b'-') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
                b'\'' => self.quoted(b'\'', false, "a string"),
                b'"' => self.quoted(b'"', false, "a quoted name"),
                b'e' | b'E' if self.peek(1) == Some(b'\'') => {
                    self.token(1);
                    self.quoted(b'\'', true, "a string");
                }
                b'$' => self.dollar(),
                b'\\' => self.meta(),
                b';' if self.words.may_end() => self.semicolon(),
                b'(' => {
                    self.words.parentheses += 1;
                    self.token(1);
                }
                b')' => {
                    self.words.parentheses = self.words.parentheses.saturating_sub(1);
                    self.token(1);
                }
                _ if is_word_start(c) => self.word(),
                b'0'..=b'9' => {
                    let length = self.rest().iter().take_while(|c| is_word(**c)).count();
                    self.token(length);
                }
                _ => self.token(1),
            }
        }
        self.finish();
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Takes bytes as part of the statement.
    fn token(&mut self, length: usize) {
        self.start.get_or_insert(self.at);
        self.at += length;
        self.end = self.at;
    }

    /// Ends the statement being read, if there is one.
    fn finish(&mut self) {
        if let Some(start) = self.start.take() {
            self.pieces.push(Piece::Statement(start..self.end));
        }
        self.words = Words::default();
    }

    fn semicolon(&mut self) {
        let data = self.words.copy == Copy::Stdin;
        self.finish();
        self.at += 1;
        if data {
            self.copy_data();
        }
    }

    fn copy_data(&mut self) {
        let line = |at: usize| self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1);
        let start = line(self.at);
        let mut end = start;
        while end < self.text.len() {
            let next = line(end);
            let last = self.text[end..next].trim_end() == "\\.";
            end = next;
            if last {
                break;
            }
        }
        self.pieces.push(Piece::CopyData(start..end));
        self.at = end;
    }

    fn line_comment(&mut self) {
        let end = self.text[self.at..].find('\n').map_or(self.text.len(), |newline| self.at + newline);
        self.comments.push(Comment { span: self.at..end, text: self.at + 2..end });
        self.at = end;
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        self.comments.push(Comment { span: start..self.at, text: start + 2..self.at - 2 });
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.unended(start, "a comment");
    }

    /// A string or quoted name. A doubled quote is one within it, as the two halves of it read as two strings.
    fn quoted(&mut self, quote: u8, backslashes: bool, what: &'static str) {
        let start = self.at;
        self.token(1);
        while let Some(c) = self.peek(0) {
            if backslashes && c == b'\\' && self.peek(1).is_some() {
                self.token(2);
            } else {
                self.token(1);
                if c == quote {
                    return;
                }
            }
        }
        self.unended(start, what);
    }

    /// `$tag$ … $tag$`, or a parameter like `$1`.
    fn dollar(&mut self) {
        let start = self.at;
        let tag = self.rest()[1..].iter().take_while(|c| is_word(**c) && **c != b'$').count();
        let named = tag == 0 || self.peek(1).is_some_and(is_word_start);
        if !named || self.peek(1 + tag) != Some(b'$') {
            return self.token(1);
        }
        let mark = &self.text[start..start + tag + 2];
        match self.text[start + mark.len()..].find(mark) {
            Some(body) => self.token(mark.len() + body + mark.len()),
            None => {
                self.at = self.text.len();
                self.start.get_or_insert(start);
                self.unended(start, "a dollar-quoted string");
            }
        }
    }

    fn unended(&mut self, start: usize, what: &'static str) {
        // The statement around it can't be read either, so that this is all there is to say.
        self.start = None;
        self.pieces.push(Piece::Unended(start..self.at, what));
    }

    /// psql takes a backslash anywhere outside quotes as a command of its own, and so ends no statement by it.
    fn meta(&mut self) {
        let end = self.text[self.at..].find('\n').map_or(self.text.len(), |newline| self.at + newline);
        let length = self.text[self.at..end].trim_end().len();
        self.pieces.push(Piece::Meta(self.at..self.at + length));
        self.at = end;
    }

    fn word(&mut self) {
        let length = self.rest().iter().take_while(|c| is_word(**c)).count();
        let word = self.text[self.at..self.at + length].to_ascii_lowercase();
        self.token(length);
        let words = &mut self.words;
        words.copy = match (words.copy.clone(), word.as_str()) {
            (Copy::None, "copy") if words.first.is_empty() => Copy::Verb,
            (Copy::Verb, "from") if words.parentheses == 0 => Copy::From,
            (Copy::From, "stdin") => Copy::Stdin,
            (Copy::From, _) => Copy::Verb,
            (copy, _) => copy,
        };
        if words.parentheses == 0 && words.makes(&["function", "procedure"]) {
            match word.as_str() {
                "begin" => words.blocks += 1,
                "case" if words.blocks > 0 => words.blocks += 1,
                "end" => words.blocks = words.blocks.saturating_sub(1),
                _ => {}
            }
        }
        if words.first.len() < 4 {
            words.first.push(word);
        }
    }
}

impl Words {
    /// Whether a semicolon is the end of the statement. Within parentheses only the actions of a rule have one; elsewhere a
    /// parenthesis was left open, and what comes next is another statement.
    fn may_end(&self) -> bool {
        self.blocks == 0 && (self.parentheses == 0 || !self.makes(&["rule"]))
    }

    /// Whether the statement is CREATE [OR REPLACE] of one of these.
    fn makes(&self, what: &[&str]) -> bool {
        let mut words = self.first.iter().map(String::as_str).filter(|word| !matches!(*word, "or" | "replace"));
        words.next() == Some("create") && words.next().is_some_and(|it| what.contains(&it))
    }
}

fn is_word_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

fn is_word(c: u8) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        split(text)
            .0
            .into_iter()
            .map(|piece| match piece {
                Piece::Statement(span) => text[span].to_owned(),
                Piece::Meta(span) => format!("meta {}", &text[span]),
                Piece::CopyData(span) => format!("data {}", &text[span]),
                Piece::Unended(span, what) => format!("{what} at {}", span.start),
            })
            .collect()
    }

    #[test]
    fn semicolons_within_are_no_ends() {
        for whole in [
            "SELECT ';', E'\\';', \"a;\"\"b\", 'it''s;'",
            "CREATE FUNCTION f() RETURNS int AS $x$ SELECT 1; $$ ; $y$ $x$ LANGUAGE sql",
            "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
            "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
            "SELECT 1 /* ; /* ; */ ; */ + 2 -- ;\n + 3",
            "SELECT $1, a$b$c, 1",
            "SELECT größe FROM \"日本;\"",
        ] {
            assert_eq!(shown(&format!("  {whole} ;\n SELECT 2 -- end")), [whole, "SELECT 2"], "{whole}");
        }
    }

    #[test]
    fn a_parenthesis_left_open_hides_no_statement() {
        assert_eq!(shown("CREATE TABLE t (a int; SELECT 2"), ["CREATE TABLE t (a int", "SELECT 2"]);
    }

    #[test]
    fn a_begin_elsewhere_is_a_word() {
        assert_eq!(
            shown("CREATE TABLE t (\"begin\" int, begin int); SELECT 1"),
            ["CREATE TABLE t (\"begin\" int, begin int)", "SELECT 1"]
        );
        assert_eq!(shown("BEGIN; COMMIT;"), ["BEGIN", "COMMIT"]);
    }

    #[test]
    fn psql_commands_and_data_are_told_apart() {
        assert_eq!(
            shown("\\restrict abc\nSELECT 1;\nCOPY t (a) FROM stdin;\nit's\t1\n\\.\n\\connect x\nSELECT 2"),
            [
                "meta \\restrict abc",
                "SELECT 1",
                "COPY t (a) FROM stdin",
                "data it's\t1\n\\.\n",
                "meta \\connect x",
                "SELECT 2"
            ]
        );
    }

    #[test]
    fn what_never_ends_is_said_where_it_starts() {
        assert_eq!(shown("SELECT 1; SELECT 'a; SELECT 2"), ["SELECT 1", "a string at 17"]);
        assert_eq!(shown("SELECT $q$ a; $$"), ["a dollar-quoted string at 7"]);
        assert_eq!(shown("SELECT 1; /* /* */"), ["SELECT 1", "a comment at 10"]);
        assert_eq!(shown("SELECT \"a"), ["a quoted name at 7"]);
    }

    #[test]
    fn comments_keep_their_place() {
        let text = "a -- one\n/* two */ b '-- three'";
        let comments: Vec<&str> = split(text).1.into_iter().map(|comment| &text[comment.text]).collect();
        assert_eq!(comments, [" one", " two "]);
    }

    #[test]
    fn any_text_is_split_without_a_panic() {
        let parts =
            ["'", "\"", "$$", "$a$", "/*", "*/", "--", "\n", "\\", ";", "(", ")", "E'", "é", "BEGIN", "x", "$"];
        let mut state = 7_u64;
        for _ in 0..2000 {
            let text: String = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    parts[(state >> 33) as usize % parts.len()]
                })
                .collect();
            for piece in split(&text).0 {
                let (Piece::Statement(span) | Piece::Meta(span) | Piece::CopyData(span) | Piece::Unended(span, _)) =
                    piece;
                assert!(text.get(span).is_some(), "{text}");
            }
        }
    }
}
