//! The statements that applications run, as the repository keeps them: files of SQL beside the declaration, and files
//! of TOML where more is to be said of one (`budget`). A plan tells from which step on one of them no longer works.
//! Reading them is here; trying them is `proof::trial`'s.

use std::sync::Arc;

use pg_query::NodeEnum;
use serde_json::Value;

use crate::diagnostic::{File, Report};
use crate::name::Name;
use crate::source::split::{Comment, Piece, split};
use crate::source::syntax::{self, Unparsed};
use crate::source::{Mention, mentions};

pub mod budget;
pub mod explained;

pub use budget::Budget;

/// One statement of an application.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Where it stands: `queries/app.sql:14`.
    pub place: String,
    pub sql: String,
    /// The role that runs it; without one, the role that a plan runs as.
    pub role: Option<Name>,
    /// How many parameters it takes: the highest `$n`.
    pub parameters: usize,
    /// Relations that it names, each by the parts written.
    pub relations: Vec<Vec<String>>,
    /// For an INSERT, where its rows go.
    pub insert: Option<Insert>,
    /// Whether it must work after the whole plan, too.
    pub keep: bool,
    /// What is said of a statement that must stay fast.
    pub budget: Option<Budget>,
}

/// The target of an INSERT.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table, by the parts written.
    pub into: Vec<String>,
    /// The columns that it names; all of them where it names none.
    pub columns: Option<Vec<String>>,
}

/// Reads the statements of files: SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES, with parameters as `$1`. A comment
/// `-- tenantry: as ROLE` before a statement says who runs it. `keep` tells for a file whether its statements must work
/// after the plan.
///
/// Errors: every statement that is none of these, and all else that is wrong, at its place.
pub fn read(files: &[Arc<File>], keep: impl Fn(&File) -> bool) -> Result<Vec<Query>, Vec<Report>> {
    let (mut queries, mut faults) = (vec![], vec![]);
    for (index, file) in files.iter().enumerate() {
        if file.path.ends_with(".toml") {
            let read = budget::read(index, file, &mut faults);
            queries.extend(read.into_iter().map(|it| Query { keep: keep(file), ..it }));
            continue;
        }
        let (pieces, comments) = split(&file.text);
        let mut before = 0;
        for piece in pieces {
            match piece {
                Piece::Statement(span) => {
                    let sql = &file.text[span.clone()];
                    let said = comments.iter().filter(|it| it.span.start >= before && it.span.end <= span.start);
                    let line = file.line_column(span.start).0;
                    match query(sql, said.filter_map(|it| role(file, it)).next_back()) {
                        Ok(query) => {
                            queries.push(Query {
                                place: format!("{}:{line}", file.path),
                                keep: keep(file),
                                ..query
                            });
                        }
                        Err((message, offset)) => {
                            let at = (span.start + offset).min(span.end.saturating_sub(1));
                            let report = Report::error("queries::statement", message.clone());
                            faults.push(report.at(file, at..span.end.min(at + 12), "here").help(HELP));
                        }
                    }
                    before = span.end;
                }
                Piece::Meta(span) | Piece::CopyData(span) => {
                    let report = Report::error("queries::statement", "this is for psql, and no statement");
                    faults.push(report.at(file, span.clone(), "here").help(HELP));
                    before = span.end;
                }
                Piece::Unended(span, what) => {
                    let report = Report::error("queries::statement", format!("{what} has no end"));
                    faults.push(report.at(file, span.start..span.start + 1, "from here on"));
                    before = span.end;
                }
            }
        }
    }
    faults.extend(budget::named_twice(files, &queries));
    if faults.is_empty() { Ok(queries) } else { Err(faults) }
}

const HELP: &str = "files of queries hold SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES, with parameters as $1";

/// The role of `-- tenantry: as ROLE`.
fn role(file: &File, comment: &Comment) -> Option<Name> {
    let text = file.text[comment.text.clone()].trim().strip_prefix("tenantry:")?.trim();
    Some(Name::from(text.strip_prefix("as ")?.trim().trim_matches('"')))
}

fn query(sql: &str, role: Option<Name>) -> Result<Query, (String, usize)> {
    let statements = syntax::parse(sql).map_err(|fault| match fault {
        Unparsed::Syntax(error) => (error.message, error.offset),
        Unparsed::TooDeep => ("this is nested too deeply".to_owned(), 0),
    })?;
    let [statement] = statements.as_slice() else { return Err(("this is no statement".to_owned(), 0)) };
    let insert = match statement {
        NodeEnum::SelectStmt(_) | NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_) | NodeEnum::MergeStmt(_) => {
            None
        }
        NodeEnum::InsertStmt(insert) => insert.relation.as_ref().map(|relation| {
            let columns = insert.cols.iter().filter_map(|it| match &it.node {
                Some(NodeEnum::ResTarget(target)) => Some(target.name.clone()),
                _ => None,
            });
            let into = [&relation.schemaname, &relation.relname];
            Insert {
                into: into.into_iter().filter(|it| !it.is_empty()).cloned().collect(),
                columns: (!insert.cols.is_empty()).then(|| columns.collect()),
            }
        }),
        _ => return Err(("this is no statement that reads or writes rows".to_owned(), 0)),
    };
    let relations = mentions(statement).into_iter().filter_map(|it| match it {
        Mention::Relation { parts, .. } => Some(parts),
        _ => None,
    });
    Ok(Query {
        place: String::new(),
        sql: sql.to_owned(),
        role,
        parameters: serde_json::to_value(statement).map_or(0, |tree| parameters(&tree)),
        relations: relations.collect(),
        insert,
        keep: false,
        budget: None,
    })
}

/// The highest number of a parameter in a tree.
fn parameters(tree: &Value) -> usize {
    match tree {
        Value::Array(items) => items.iter().map(parameters).max().unwrap_or(0),
        Value::Object(fields) => {
            let own = fields.get("ParamRef").and_then(|it| it.get("number")).and_then(Value::as_u64).unwrap_or(0);
            let below = fields.values().map(parameters).max().unwrap_or(0);
            below.max(usize::try_from(own).unwrap_or(0))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Query>, Vec<Report>> {
        read(&[File::new("queries/app.sql", text)], |_| false)
    }

    #[test]
    fn statements_are_read_with_role_place_and_parameters() {
        let text = "SELECT 1;\n-- tenantry: as api\nINSERT INTO app.t (a, \"B\") VALUES ($2, $1)\n  RETURNING a;\nDELETE FROM t;";
        let read = of(text).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!((read[1].place.as_str(), read[1].parameters), ("queries/app.sql:3", 2));
        assert_eq!(read[1].role, Some(Name::from("api")));
        assert_eq!(read[2].role, None, "a role is said for one statement");
        let insert = read[1].insert.as_ref().unwrap();
        assert_eq!(insert.into, ["app", "t"]);
        assert_eq!(insert.columns.as_ref().unwrap(), &["a", "B"]);
        assert_eq!(read[2].relations, [["t"]]);
    }

    #[test]
    fn all_that_is_no_query_is_told_at_its_place() {
        let faults = of("SELECT 1;\nDROP TABLE t;\nSELEC 2;\n\\d t\nSELECT 'x").unwrap_err();
        let lines: Vec<_> = faults.iter().map(|it| it.places[0].to_string()).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        for (line, at) in lines.iter().zip(["2", "3", "4", "5"]) {
            assert!(line.starts_with(&format!("queries/app.sql:{at}:")), "{line}");
        }
    }
}
