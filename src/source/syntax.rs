//! Parsing through pg_query, with what its crate leaves out: where a syntax error is.
//!
//! The only unsafe code of the program. It declares one C function of the library that the crate links.

use std::collections::BTreeSet;
use std::ffi::{CString, c_char, c_int};

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, ScanToken, Token, TypeName};
use serde_json::Value;

/// What the grammar says about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// As PostgreSQL words it: `syntax error at or near "tabl"`.
    pub message: String,
    /// Byte offset into the text.
    pub offset: usize,
}

/// Why a text has no parse tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unparsed {
    Syntax(SyntaxError),
    /// Valid, as far as one can tell, but nested too deeply for the tree to be read.
    TooDeep,
}

/// Parses a text into its statements.
pub fn parse(sql: &str) -> Result<Vec<NodeEnum>, Unparsed> {
    match pg_query::parse(sql, 0) {
        Ok(parsed) => Ok(parsed.protobuf.stmts.into_iter().filter_map(|raw| raw.stmt?.node).collect()),
        // The library's stack is not the server's.
        Err(pg_query::Error::Parse(message)) if message == "stack depth limit exceeded" => Err(Unparsed::TooDeep),
        Err(pg_query::Error::Parse(message)) => {
            let offset = error_position(sql).map_or(0, |position| byte_offset(sql, position));
            Err(Unparsed::Syntax(SyntaxError { message, offset }))
        }
        Err(pg_query::Error::Conversion(nul)) => Err(Unparsed::Syntax(SyntaxError {
            message: "a NUL byte, which PostgreSQL does not accept in a text".to_owned(),
            offset: nul.nul_position(),
        })),
        Err(_) => Err(Unparsed::TooDeep),
    }
}

/// The one statement of a text, whatever settings stand around it: a step sets what its statement is to run under.
pub fn statement(sql: &str) -> Option<NodeEnum> {
    let is_setting = |it: &NodeEnum| matches!(it, NodeEnum::VariableSetStmt(_));
    let mut statements = parse(sql).ok()?.into_iter().filter(|it| !is_setting(it));
    statements.next().filter(|_| statements.next().is_none())
}

/// Takes out of a tree where in its text each part of it stands.
pub fn forget_places(tree: &mut Value) {
    match tree {
        Value::Array(items) => items.iter_mut().for_each(forget_places),
        Value::Object(fields) => {
            fields
                .retain(|name, _| !(name.ends_with("location") || name == "stmt_len" || name.starts_with("list_")));
            fields.values_mut().for_each(forget_places);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Parses a text that must be one expression and nothing else. The offset of an error is one into `text`.
pub fn parse_expression(text: &str) -> Result<Node, SyntaxError> {
    let fault = |message: &str| SyntaxError { message: message.to_owned(), offset: 0 };
    if text.trim().is_empty() {
        return Err(fault("an empty expression"));
    }
    // Alone it must hold together (`1) + (2` does not), and within parentheses it must be an expression
    // (`DISTINCT a` and `a AS b` are not).
    let alone = single_target(parse_embedded("SELECT ", text, "")?);
    single_target(parse_embedded("SELECT (", text, ")")?)
        .filter(|_| alone.is_some())
        .ok_or_else(|| fault("more than one expression"))
}

/// Parses the name of a type, as a column has it.
pub fn parse_type(text: &str) -> Result<TypeName, SyntaxError> {
    let fault = |message: &str| SyntaxError { message: message.to_owned(), offset: 0 };
    if text.trim().is_empty() {
        return Err(fault("an empty type"));
    }
    match single_target(parse_embedded("SELECT NULL::", text, "")?) {
        Some(Node { node: Some(NodeEnum::TypeCast(cast)) })
            if matches!(cast.arg.as_ref().and_then(|arg| arg.node.as_ref()), Some(NodeEnum::AConst(_))) =>
        {
            cast.type_name.ok_or_else(|| fault("more than a type"))
        }
        _ => Err(fault("more than a type")),
    }
}

/// Parses a text between two others, with errors placed in the text.
///
/// It may hold no comment: where it is put to use, that would take in what follows.
pub fn parse_embedded(before: &str, text: &str, after: &str) -> Result<Vec<NodeEnum>, SyntaxError> {
    let is_comment = |token: &ScanToken| matches!(token.token(), Token::SqlComment | Token::CComment);
    let tokens = tokens(text).unwrap_or_default();
    if let Some(comment) = tokens.iter().find(|token| is_comment(token)) {
        let offset = comment.start.max(0) as usize;
        return Err(SyntaxError { message: "a comment within an expression".to_owned(), offset });
    }
    parse(&format!("{before}{text}{after}")).map_err(|unparsed| match unparsed {
        Unparsed::TooDeep => SyntaxError { message: "an expression nested too deeply".to_owned(), offset: 0 },
        Unparsed::Syntax(SyntaxError { offset, .. }) if offset >= before.len() + text.len() => {
            SyntaxError { message: "syntax error at end of input".to_owned(), offset: text.len() }
        }
        Unparsed::Syntax(SyntaxError { message, offset }) => {
            SyntaxError { message, offset: offset.saturating_sub(before.len()) }
        }
    })
}

/// The one thing selected, where nothing but it was written.
fn single_target(mut statements: Vec<NodeEnum>) -> Option<Node> {
    let (Some(NodeEnum::SelectStmt(mut select)), true) = (statements.pop(), statements.is_empty()) else {
        return None;
    };
    let bare = select.from_clause.is_empty()
        && select.where_clause.is_none()
        && select.larg.is_none()
        && select.limit_count.is_none()
        && select.sort_clause.is_empty();
    let target = select.target_list.pop()?;
    if !bare || !select.target_list.is_empty() {
        return None;
    }
    match target.node? {
        NodeEnum::ResTarget(target) if target.name.is_empty() => target.val.map(|val| *val),
        _ => None,
    }
}

/// A 1-based position in characters as a byte offset.
pub fn byte_offset(text: &str, position: usize) -> usize {
    text.char_indices().nth(position.saturating_sub(1)).map_or(text.len(), |(offset, _)| offset)
}

/// `PgQueryError` of pg_query.h.
#[repr(C)]
struct CError {
    message: *mut c_char,
    funcname: *mut c_char,
    filename: *mut c_char,
    lineno: c_int,
    cursorpos: c_int,
    context: *mut c_char,
}

/// `PgQueryParseResult` of pg_query.h.
#[repr(C)]
struct CResult {
    parse_tree: *mut c_char,
    stderr_buffer: *mut c_char,
    error: *mut CError,
}

unsafe extern "C" {
    fn pg_query_parse(input: *const c_char) -> CResult;
    fn pg_query_free_parse_result(result: CResult);
}

/// The cursor position of the syntax error in a text: 1-based, in characters.
fn error_position(sql: &str) -> Option<usize> {
    let input = CString::new(sql).ok()?;
    // SAFETY: `input` is a NUL-terminated string that outlives the call, which is all that pg_query_parse asks for.
    // It keeps its state per thread, so calls from several threads do not meet.
    let result = unsafe { pg_query_parse(input.as_ptr()) };
    // SAFETY: `error` is NULL or points to a PgQueryError that lives until the result is freed below.
    let position = unsafe { result.error.as_ref() }.map(|error| error.cursorpos);
    // SAFETY: `result` came from pg_query_parse, is freed once, and nothing of it is kept.
    unsafe { pg_query_free_parse_result(result) };
    usize::try_from(position?).ok().filter(|position| *position > 0)
}

/// The words of a text. Errors: one that can't be told from another.
pub fn tokens(text: &str) -> Result<Vec<ScanToken>, pg_query::Error> {
    // The scanner's answer to an empty text is none that its binding can read.
    if text.trim().is_empty() { Ok(vec![]) } else { pg_query::scan_tokens(text) }
}

/// The words of a text in SQL or PL/pgSQL.
pub fn words(text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap_or_default();
    let is_word = |it: &ScanToken| {
        !matches!(it.token(), Token::Sconst | Token::SqlComment | Token::CComment | Token::Usconst | Token::Bconst)
    };
    let word = |it: &ScanToken| text.get(it.start.max(0) as usize..it.end.max(0) as usize);
    tokens.iter().filter(|it| is_word(it)).filter_map(word).map(|it| it.trim_matches('"').to_owned()).collect()
}

/// Whether a text speaks of a name, be it in a constant or a comment.
pub fn speaks(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == '$';
    text.match_indices(&name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// The last words of the columns that an expression names; a row as a whole is named as its table is.
pub fn columns(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Ok(expression) = parse_expression(expression) {
        columns_in(&serde_json::to_value(expression).unwrap_or_default(), &mut found);
    }
    found
}

/// The last words of the columns that a tree names.
pub fn columns_in(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|it| columns_in(it, found)),
        Value::Object(fields) => {
            if let Some(Value::Array(path)) = fields.get("ColumnRef").and_then(|it| it.get("fields")) {
                let word = path.last().and_then(|it| it.pointer("/node/String/sval")).and_then(Value::as_str);
                found.extend(word.map(str::to_owned));
            }
            fields.values().for_each(|it| columns_in(it, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(sql: &str) -> (String, usize) {
        match parse(sql) {
            Err(Unparsed::Syntax(error)) => (error.message, error.offset),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_position_of_an_error_is_a_byte_offset() {
        assert_eq!(error("CREATE tabl a"), ("syntax error at or near \"tabl\"".into(), 7));
        assert_eq!(error("SELECT 'größe', \"日本\" FROM FROM x").1, "SELECT 'größe', \"日本\" FROM ".len());
        assert_eq!(error("SELECT 1 +").1, "SELECT 1 +".len());
        assert_eq!(error("SELECT 'a\0b'").1, 9);
    }

    #[test]
    fn expressions_are_one_expression_alone() {
        assert!(parse_expression("now() - interval '1 day'").is_ok());
        assert!(parse_expression("(SELECT 1)").is_ok());
        for bad in [
            "",
            "1, 2",
            "1) + (2",
            "1); DROP TABLE x; SELECT (1",
            "DISTINCT x",
            "1) FROM x WHERE (true",
            "1 +",
            "1; DROP TABLE x",
            "1 AS b",
        ] {
            assert!(parse_expression(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_expression("größe + + * 2").unwrap_err().offset, "größe + + ".len());
    }

    #[test]
    fn types_are_one_type_alone() {
        for good in
            ["text", "character varying(255)", "app.\"Mood\"[]", "timestamp(3) with time zone", "interval day"]
        {
            assert!(parse_type(good).is_ok(), "{good}");
        }
        for bad in
            ["", "text NOT NULL", "text, b int", "text::int", "text + 1", "text) (", "text; DROP TABLE x", "text t"]
        {
            assert!(parse_type(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn deep_nesting_is_no_crash() {
        let deep = format!("SELECT {}1{}", "(1+".repeat(2000), ")".repeat(2000));
        assert!(matches!(parse(&deep), Err(Unparsed::TooDeep | Unparsed::Syntax(_)) | Ok(_)));
    }
}
