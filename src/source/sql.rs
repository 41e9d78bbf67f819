//! One SQL file: its statements, each judged by itself, with the settings that hold where it stands.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, ConstrType, ScanToken, Token};

use super::allow::{self, Refusal, Verdict};
use super::directive;
use super::names::{self, Names, Rank};
use super::split::{self, Piece};
use super::syntax::{self, SyntaxError, Unparsed};
use super::{Draft, Span, Statement, Text};
use crate::diagnostic::{File, Report};
use crate::name::{Name, list};

/// The major version whose grammar pg_query has.
const GRAMMAR: u32 = 18;

/// Reads a file into the draft.
pub fn read(index: usize, file: &Arc<File>, server: u32, draft: &mut Draft) {
    let (first, faults) = (draft.statements.len(), draft.faults.len());
    let mut reader = Reader { index, file, server, search_path: None, acts_as: None, draft };
    let (pieces, comments) = split::split(&file.text);
    for piece in pieces {
        match piece {
            Piece::Statement(range) => reader.statement(range),
            Piece::Meta(range) => reader.meta(range),
            Piece::CopyData(_) => {} // The COPY before it has been refused.
            Piece::Unended(range, what) => reader.unended(range, what),
        }
    }
    // In a file with faults, what a directive stands beside may be missing.
    if draft.faults.len() == faults {
        directive::apply(index, file, &comments, first, draft);
    }
}

struct Reader<'a> {
    index: usize,
    file: &'a Arc<File>,
    server: u32,
    search_path: Option<String>,
    /// Since where the statements are said to be those of another role.
    acts_as: Option<(Range<usize>, Refusal)>,
    draft: &'a mut Draft,
}

impl Reader<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span { file: self.index, start: range.start, end: range.end }
    }

    fn fault(&mut self, report: Report) {
        self.draft.faults.push(report);
    }

    fn statement(&mut self, range: Range<usize>) {
        let sql = &self.file.text[range.clone()];
        match syntax::parse(sql) {
            Ok(nodes) => {
                for node in nodes {
                    self.judge(range.clone(), &node);
                }
            }
            Err(Unparsed::TooDeep) => self.unknown(range, "nested too deeply to be read here"),
            Err(Unparsed::Syntax(_)) if self.server > GRAMMAR && may_declare(sql) => {
                self.unknown(range, "unknown to the grammar here");
            }
            Err(Unparsed::Syntax(error)) => self.syntax(range, error),
        }
    }

    fn syntax(&mut self, range: Range<usize>, SyntaxError { message, offset }: SyntaxError) {
        let sql = &self.file.text[range.clone()];
        let at = if offset >= sql.len() {
            // Nothing stands at the end: point at the last sign before it.
            let last = sql.char_indices().next_back().map_or(0, |(last, _)| last);
            range.start + last..range.end
        } else {
            let start = range.start + offset;
            start..start + super::word_length(&sql[offset..])
        };
        let is_too_deep = message.starts_with("memory exhausted");
        let mut report = Report::error("source::syntax", message).at(self.file, at, "here");
        if let Some(keyword) = second_statement(sql, offset) {
            report = report.help(format!("is there a semicolon missing before {keyword}?"));
        } else if offset >= sql.len()
            && let Some(open) = left_open(sql)
        {
            let at = range.start + open;
            report = report.at(self.file, at..at + 1, "not closed").help("is there a `)` missing?");
        } else if is_too_deep {
            report = report.help("it is nested deeper than PostgreSQL's parser follows: take it apart");
        }
        self.fault(report);
    }

    /// A statement that only the server can judge.
    fn unknown(&mut self, range: Range<usize>, why: &str) {
        let words = range.start..range.start + first_words(&self.file.text[range.clone()]).len();
        self.draft.notes.push(
            Report::note("source::not_understood", format!("a statement {why} goes to the server as it is"))
                .at(self.file, words, "this one"),
        );
        let names =
            Names { declares: Vec::new(), refers: Vec::new(), rank: Rank::Late, key_of: None, replaces: false };
        let mut text = Text::default();
        text.copy(self.file, self.span(range.clone()));
        let statement = text.finish(self.span(range), self.search_path.clone(), names);
        self.draft.statements.push(Statement { understood: false, ..statement });
    }

    fn judge(&mut self, range: Range<usize>, node: &NodeEnum) {
        let verdict = allow::judge(node);
        if !matches!((&verdict, node), (Verdict::ActsAs(_) | Verdict::Harmless, _) | (_, NodeEnum::GrantStmt(_)))
            && let Some((at, Refusal { message, help, .. })) = self.acts_as.take()
        {
            self.fault(Report::error("source::refused", message).at(self.file, at, "refused").help(help));
        }
        match verdict {
            Verdict::Harmless => {}
            Verdict::ActsAs(refusal) => {
                let words = range.start..range.start + first_words(&self.file.text[range]).len();
                self.acts_as = refusal.map(|it| (words, it));
            }
            Verdict::SearchPath(path) => self.search_path = path,
            Verdict::Declares => self.declare(range, node),
            Verdict::Unmanaged(what) => {
                let words = range.start..range.start + first_words(&self.file.text[range.clone()]).len();
                self.draft.unmanaged.entry(what).or_insert((Arc::clone(self.file), words));
                self.declare(range, node);
            }
            Verdict::Refused(refusals) => {
                for Refusal { message, help, command } in refusals {
                    let at = self.words(&range, node, command);
                    self.fault(Report::error("source::refused", message).at(self.file, at, "refused").help(help));
                }
            }
        }
    }

    /// What to underline of a refused statement: its first words, or the command that is meant.
    fn words(&self, range: &Range<usize>, node: &NodeEnum, command: Option<usize>) -> Range<usize> {
        let sql = &self.file.text[range.clone()];
        let local = match (command, node) {
            (Some(command), NodeEnum::AlterTableStmt(alter)) => {
                let relation = alter.relation.as_ref().map_or(0, |relation| relation.location.max(0) as usize);
                commands(sql, relation).into_iter().nth(command)
            }
            _ => None,
        };
        let local = local.unwrap_or(0..first_words(sql).len());
        range.start + local.start..range.start + local.end
    }

    fn declare(&mut self, range: Range<usize>, node: &NodeEnum) {
        let manages = &mut self.draft.manages;
        match node {
            NodeEnum::AlterOwnerStmt(_) => manages.owners = true,
            NodeEnum::CreateSchemaStmt(schema) => manages.owners |= schema.authrole.is_some(),
            NodeEnum::AlterTableStmt(alter) => {
                manages.owners |= alter.cmds.iter().any(|node| {
                    matches!(&node.node, Some(NodeEnum::AlterTableCmd(command))
                        if command.subtype == AlterTableType::AtChangeOwner as i32)
                });
            }
            NodeEnum::GrantStmt(_) => manages.grants = true,
            NodeEnum::AlterDefaultPrivilegesStmt(_) => manages.default_privileges = true,
            NodeEnum::CommentStmt(_) => manages.comments = true,
            _ => {}
        }
        if let Some(at) = if_not_exists(&self.file.text[range.clone()], node) {
            let at = range.start + at.start..range.start + at.end;
            let message = "IF NOT EXISTS says nothing in a declaration: what is declared exists once";
            self.draft.notes.push(Report::note("source::if_not_exists", message).at(
                self.file,
                at,
                "without effect",
            ));
        }
        let span = self.span(range.clone());
        let mut text = Text::default();
        match node {
            NodeEnum::IndexStmt(index) if index.concurrent => {
                let skip = concurrently(&self.file.text[range.clone()]);
                text.copy(self.file, self.span(range.start..range.start + skip.start));
                text.copy(self.file, self.span(range.start + skip.end..range.end));
            }
            _ => {
                text.copy(self.file, span);
            }
        }
        let names = names::names(node, &path(&self.search_path));
        self.draft.statements.push(text.finish(span, self.search_path.clone(), names));
    }

    fn meta(&mut self, range: Range<usize>) {
        let command = &self.file.text[range.clone()];
        let word = command.split_whitespace().next().unwrap_or(command);
        // pg_dump guards its output with these since 2025.
        if matches!(word, "\\restrict" | "\\unrestrict" | "\\.") {
            return;
        }
        let help = match word {
            "\\i" | "\\ir" | "\\include" | "\\include_relative" => {
                "every .sql file in the schema directory is read by itself"
            }
            "\\connect" | "\\c" => "a declaration is of one database; from pg_dump, leave `--create` out",
            _ => "leave it out; a schema file holds SQL alone",
        };
        let report = Report::error("source::psql", format!("{word} is a command of psql, not of the server"));
        self.fault(report.at(self.file, range, "refused").help(help));
    }

    fn unended(&mut self, range: Range<usize>, what: &str) {
        let line = self.file.text[range.clone()].lines().next().map_or(0, str::len);
        let at = range.start..range.start + line.min(20);
        let report = Report::error("source::unended", format!("{what} that never ends"));
        self.fault(report.at(self.file, at, "starts here").help("nothing after it could be read"));
    }
}

pub fn path(search_path: &Option<String>) -> Vec<String> {
    match search_path {
        Some(path) => names::namespaces(path),
        None => vec!["public".to_owned()],
    }
}

/// Whether a statement that the grammar does not know could be a declaration.
fn may_declare(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    matches!(first.as_str(), "CREATE" | "ALTER" | "COMMENT" | "GRANT" | "REVOKE")
}

/// The keyword at an error that starts a line and so looks like the next statement.
fn second_statement(sql: &str, offset: usize) -> Option<&str> {
    let line_start = sql[..offset.min(sql.len())].rfind('\n')? + 1;
    let line = sql[line_start..].trim_start();
    let indent = sql.len() - line_start - line.len();
    let word = &line[..super::word_length(line)];
    let starts =
        ["CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE"].iter().any(|start| start.eq_ignore_ascii_case(word));
    (starts && line_start + indent == offset).then_some(word)
}

/// The last parenthesis of a statement that is never closed.
fn left_open(sql: &str) -> Option<usize> {
    let mut open = vec![];
    for token in tokens(sql) {
        match &sql[range_of(&token)] {
            "(" => open.push(range_of(&token).start),
            ")" => _ = open.pop(),
            _ => {}
        }
    }
    open.pop()
}

/// The words that say what a statement is, on its first line.
pub fn first_words(sql: &str) -> String {
    let line = sql.lines().next().unwrap_or_default();
    let mut end = 0;
    for (n, word) in line.split(' ').enumerate() {
        let keyword = !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if n > 0 && (n > 2 || !keyword) {
            break;
        }
        end = (end + usize::from(n > 0) + word.len()).min(line.len());
    }
    line[..end].trim_end_matches(['(', ';']).to_owned()
}

pub fn tokens(sql: &str) -> Vec<ScanToken> {
    // What has been parsed can be scanned; if not, there are no words to point at.
    let tokens = syntax::tokens(sql).unwrap_or_default();
    tokens.into_iter().filter(|token| !is_comment(token.token)).collect()
}

fn is_comment(token: i32) -> bool {
    token == Token::SqlComment as i32 || token == Token::CComment as i32
}

pub fn range_of(token: &ScanToken) -> Range<usize> {
    token.start.max(0) as usize..token.end.max(0) as usize
}

/// The words IF NOT EXISTS, except where pg_dump writes them.
fn if_not_exists(sql: &str, node: &NodeEnum) -> Option<Range<usize>> {
    let written = match node {
        NodeEnum::CreateStmt(made) => made.if_not_exists,
        NodeEnum::IndexStmt(made) => made.if_not_exists,
        NodeEnum::CreateSeqStmt(made) => made.if_not_exists,
        NodeEnum::CreateTableAsStmt(made) => made.if_not_exists,
        _ => false,
    };
    if !written {
        return None;
    }
    let tokens = tokens(sql);
    let first = tokens.iter().position(|token| token.token == Token::IfP as i32)?;
    Some(range_of(&tokens[first]).start..range_of(tokens.get(first + 2)?).end)
}

/// The word CONCURRENTLY with the blanks after it.
fn concurrently(sql: &str) -> Range<usize> {
    let token = tokens(sql).into_iter().find(|token| token.token == Token::Concurrently as i32);
    let Some(range) = token.as_ref().map(range_of) else { return 0..0 };
    let blanks = sql[range.end..].len() - sql[range.end..].trim_start().len();
    range.start..range.end + blanks
}

/// The commands of an ALTER TABLE, each as the bytes from its first word to its last.
pub fn commands(sql: &str, relation: usize) -> Vec<Range<usize>> {
    let tokens: Vec<Range<usize>> =
        tokens(sql).iter().map(range_of).filter(|token| token.start >= relation).collect();
    let text = |at: usize| tokens.get(at).map_or("", |token| &sql[token.clone()]);
    let mut at = 1;
    while text(at) == "." {
        at += 2;
    }
    if text(at) == "*" {
        at += 1;
    }
    parts(sql, &tokens[at.min(tokens.len())..])
}

/// Tokens cut at the commas that are in no parentheses.
fn parts(sql: &str, tokens: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut depth = 0_usize;
    let mut open = false;
    for token in tokens {
        match &sql[token.clone()] {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                open = false;
                continue;
            }
            _ => {}
        }
        match parts.last_mut() {
            Some(part) if open => part.end = token.end,
            _ => parts.push(token.clone()),
        }
        open = true;
    }
    parts
}

/// Where a statement names something first; its first words if it can't be seen.
pub fn find_name(file: &File, origin: Span, name: &str) -> Span {
    named(file, origin, name).next().unwrap_or_else(|| {
        let words = first_words(&file.text[origin.range()]).len();
        Span { end: origin.start + words, ..origin }
    })
}

/// Where a statement names the first of these that it names at all; its first words if it names none.
pub fn find_one_of<'a>(file: &File, origin: Span, names: impl Iterator<Item = &'a Name>) -> Span {
    let mut found = names.filter_map(|name| named(file, origin, name.as_str()).next());
    found.next().unwrap_or_else(|| find_name(file, origin, ""))
}

/// Where a statement names something last.
pub fn find_last_name(file: &File, origin: Span, name: &str) -> Span {
    named(file, origin, name).last().unwrap_or_else(|| find_name(file, origin, name))
}

fn named<'a>(file: &'a File, origin: Span, name: &'a str) -> impl Iterator<Item = Span> + 'a {
    let sql = &file.text[origin.range()];
    tokens(sql)
        .into_iter()
        .map(|token| range_of(&token))
        .filter(move |range| unquoted(&sql[range.clone()]) == name)
        .map(move |range| Span {
            file: origin.file,
            start: origin.start + range.start,
            end: origin.start + range.end,
        })
}

/// A token as the name that it stands for.
pub fn unquoted(token: &str) -> String {
    match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => token.to_lowercase(),
    }
}

/// Takes the foreign keys to the given tables out of a CREATE TABLE, into statements of their own.
pub fn lift_foreign_keys(
    files: &[Arc<File>],
    statement: &mut Statement,
    tables: &BTreeSet<(String, String)>,
) -> Vec<Statement> {
    let Ok(nodes) = syntax::parse(&statement.sql) else { return Vec::new() };
    let Some(NodeEnum::CreateStmt(create)) = nodes.into_iter().next() else { return Vec::new() };
    let sql = statement.sql.clone();
    let path = path(&statement.search_path);
    let is_meant = |constraint: &pg_query::protobuf::Constraint| {
        constraint.contype == ConstrType::ConstrForeign as i32
            && constraint.pktable.as_ref().is_some_and(|table| {
                tables.iter().any(|(namespace, name)| {
                    let same = table.schemaname == *namespace;
                    *name == table.relname && (same || table.schemaname.is_empty() && path.contains(namespace))
                })
            })
    };
    let ranges: Vec<Range<usize>> = tokens(&sql).iter().map(range_of).collect();
    let elements = elements(&sql, &ranges);
    let element_at =
        |location: i32| elements.iter().position(|element| element.contains(&(location.max(0) as usize)));
    let table = match &create.relation {
        Some(relation) => {
            let parts = [&relation.schemaname, &relation.relname].into_iter().filter(|part| !part.is_empty());
            parts.map(|part| Name::from(part.as_str()).to_string()).collect::<Vec<_>>().join(".")
        }
        None => return Vec::new(),
    };
    // What is taken out of the text, and the statement that it goes to: before it, and from where in the text.
    let mut cuts: Vec<(Range<usize>, String, Range<usize>)> = Vec::new();
    for node in &create.table_elts {
        match &node.node {
            Some(NodeEnum::Constraint(constraint)) if is_meant(constraint) => {
                let Some(n) = element_at(constraint.location) else { continue };
                let element = elements[n].clone();
                // With the comma before it, or the one after it when it is the first.
                let cut = match n.checked_sub(1) {
                    Some(before) => elements[before].end..element.end,
                    None => element.start..elements.get(1).map_or(element.end, |next| next.start),
                };
                cuts.push((cut, format!("ALTER TABLE {table} ADD "), element));
            }
            Some(NodeEnum::ColumnDef(column)) => {
                let Some(n) = element_at(column.location) else { continue };
                let mut places: Vec<usize> = Vec::new();
                for other in column.constraints.iter().filter_map(|node| match &node.node {
                    Some(NodeEnum::Constraint(other)) => Some(other),
                    _ => None,
                }) {
                    // Attributes such as DEFERRABLE belong to the constraint before them.
                    if other.contype < ConstrType::ConstrAttrDeferrable as i32 {
                        places.push(other.location.max(0) as usize);
                    }
                }
                places.extend(column.coll_clause.as_ref().map(|collation| collation.location.max(0) as usize));
                for constraint in column.constraints.iter().filter_map(|node| match &node.node {
                    Some(NodeEnum::Constraint(constraint)) if is_meant(constraint) => Some(constraint),
                    _ => None,
                }) {
                    let start = constraint.location.max(0) as usize;
                    let next = places.iter().copied().filter(|place| *place > start).min();
                    let end = next.unwrap_or(elements[n].end);
                    let last = ranges.iter().rfind(|token| token.start >= start && token.end <= end);
                    let end = last.map_or(end, |token| token.end);
                    let references = ranges
                        .iter()
                        .find(|token| {
                            token.start >= start && sql[(*token).clone()].eq_ignore_ascii_case("references")
                        })
                        .map_or(start, |token| token.start);
                    let name = match constraint.conname.as_str() {
                        "" => String::new(),
                        name => format!("CONSTRAINT {} ", Name::from(name)),
                    };
                    let before = format!(
                        "ALTER TABLE {table} ADD {name}FOREIGN KEY ({}) ",
                        list([Name::from(column.colname.as_str())])
                    );
                    // With the blanks before it.
                    let cut = sql[..start].trim_end().len()..end;
                    cuts.push((cut, before, references..end));
                }
            }
            _ => {}
        }
    }
    cuts.sort_by_key(|(cut, ..)| cut.start);
    let whole = statement.clone();
    let mut kept = Text::default();
    let mut at = 0;
    let mut lifted = Vec::new();
    for (cut, before, rest) in cuts {
        whole.copy_to(&mut kept, files, at..cut.start.max(at));
        at = cut.end.max(at);
        let mut text = Text::default();
        text.add(&before);
        whole.copy_to(&mut text, files, rest);
        lifted.push(whole.derive(text));
    }
    whole.copy_to(&mut kept, files, at..sql.len());
    *statement = whole.derive(kept);
    lifted
}

/// The elements of a CREATE TABLE's first parentheses.
pub fn elements(sql: &str, tokens: &[Range<usize>]) -> Vec<Range<usize>> {
    let Some(open) = tokens.iter().position(|token| &sql[token.clone()] == "(") else { return Vec::new() };
    let mut depth = 0_usize;
    let mut close = tokens.len();
    for (n, token) in tokens.iter().enumerate().skip(open) {
        match &sql[token.clone()] {
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth == 0 {
                    close = n;
                    break;
                }
            }
            _ => {}
        }
    }
    parts(sql, &tokens[open + 1..close])
}

impl Statement {
    /// Copies a part of this statement's text with what is known of its places.
    pub(super) fn copy_to(&self, text: &mut Text, files: &[Arc<File>], range: Range<usize>) {
        let mut at = range.start;
        for piece in self.pieces.iter().filter(|piece| piece.at.start < range.end && piece.at.end > range.start) {
            let part = piece.at.start.max(at)..piece.at.end.min(range.end);
            text.add(&self.sql[at..part.start.max(at)]);
            if piece.verbatim {
                let start = piece.span.start + (part.start - piece.at.start);
                let span = Span { start, end: start + part.len(), ..piece.span };
                text.copy(&files[span.file], span);
            } else {
                let start = text.sql.len();
                text.add(&self.sql[part.clone()]);
                text.pieces.push(super::Piece { at: start..text.sql.len(), span: piece.span, verbatim: false });
            }
            at = part.end;
        }
        text.add(&self.sql[at.min(range.end)..range.end]);
    }

    /// Another text from the same place, with names of its own.
    pub(super) fn derive(&self, text: Text) -> Statement {
        let parsed = syntax::parse(&text.sql).ok().and_then(|nodes| nodes.into_iter().next());
        let names = match &parsed {
            Some(node) => names::names(node, &path(&self.search_path)),
            None => self.names.clone(),
        };
        text.finish(self.origin, self.search_path.clone(), names)
    }
}
