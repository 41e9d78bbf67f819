//! `-- tenantry: …` comments: what they say and which thing they stand beside. One without effect is an error, as it
//! would be believed otherwise.

use std::ops::Range;
use std::sync::Arc;

use super::names::{Class, Space};
use super::parts::{self, Part};
use super::split::Comment;
use super::syntax;
use super::{Allow, Draft, Global, Rename, Span, Statement};
use crate::diagnostic::{File, Report};
use crate::name::Name;
use crate::plan::hazard::Code;

const PREFIX: &str = "tenantry:";

/// What a directive says.
#[derive(Debug, PartialEq, Eq)]
enum Directive {
    Was(String),
    Allow { hazard: Code, because: String },
    Global { because: String },
}

/// Applies the directives of a file to its statements, which are the draft's from `first` on.
pub fn apply(index: usize, file: &Arc<File>, comments: &[Comment], first: usize, draft: &mut Draft) {
    let directives = comments.iter().filter_map(|comment| {
        let text = file.text[comment.text.clone()].trim_start();
        let body = text.strip_prefix(PREFIX)?.trim();
        Some((comment.span.clone(), body))
    });
    for (span, body) in directives {
        let result = parse(body).and_then(|directive| place(index, file, &span, directive, first, draft));
        if let Err((message, help)) = result {
            draft
                .faults
                .push(Report::error("source::directive", message).at(file, span, "this directive").help(help));
        }
    }
}

type Fault = (String, String);

/// What a comment beside a statement that is no declaration accepts, where it is a directive: a hazard and the reason.
///
/// Errors: what is wrong with it, and what to write.
pub fn allowed(comment: &str) -> Option<Result<(Code, String), Fault>> {
    let body = comment.trim_start().strip_prefix(PREFIX)?.trim();
    Some(parse(body).and_then(|directive| match directive {
        Directive::Allow { hazard, because } => Ok((hazard, because)),
        Directive::Was(_) | Directive::Global { .. } => Err((
            "this says something of a declaration, and stands in a script".to_owned(),
            "in a script there is `-- tenantry: allow HAZARD because REASON`".to_owned(),
        )),
    }))
}

fn parse(body: &str) -> Result<Directive, Fault> {
    let (verb, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let rest = rest.trim();
    match verb {
        "was" => match old_name(rest) {
            Some(old) => Ok(Directive::Was(old)),
            None => Err(("`was` takes one name".into(), "write `-- tenantry: was old_name`".into())),
        },
        "allow" => {
            let usage = || "write `-- tenantry: allow HAZARD because REASON`".to_owned();
            let Some((code, because)) = rest.split_once(" because ") else {
                return Err(("`allow` takes a hazard and a reason".into(), usage()));
            };
            let code = code.trim();
            match Code::ALL.iter().find(|known| known.name() == code) {
                Some(hazard) => Ok(Directive::Allow { hazard: *hazard, because: because.trim().to_owned() }),
                None => Err((format!("there is no hazard {code}"), nearest_hazard(code).unwrap_or_else(usage))),
            }
        }
        "global" => match rest.strip_prefix("because ") {
            Some(because) => Ok(Directive::Global { because: because.trim().to_owned() }),
            None => Err(("`global` takes a reason".into(), "write `-- tenantry: global because REASON`".into())),
        },
        _ => Err((
            format!("there is no directive {verb}"),
            "the directives are `was old_name`, `allow HAZARD because REASON` and `global because REASON`"
                .to_owned(),
        )),
    }
}

/// Help that names the hazard that was probably meant.
pub fn nearest_hazard(code: &str) -> Option<String> {
    let near = Code::ALL
        .iter()
        .map(|known| known.name())
        .max_by(|one, other| strsim::jaro_winkler(code, one).total_cmp(&strsim::jaro_winkler(code, other)))?;
    Some(format!("did you mean `{near}`?"))
}

/// A name as SQL writes it, or a label in quotes.
fn old_name(text: &str) -> Option<String> {
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        let plain = inner.replace(&format!("{quote}{quote}"), "");
        (!inner.is_empty() && !plain.contains(quote))
            .then(|| inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
    };
    match text.chars().next()? {
        quote @ ('"' | '\'') => quoted(quote),
        _ if text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) => Some(text.to_lowercase()),
        _ => None,
    }
}

/// What a comment stands beside.
enum Beside {
    Part(Part),
    Statement(usize, Vec<Part>),
}

fn place(
    index: usize,
    file: &File,
    comment: &Range<usize>,
    directive: Directive,
    first: usize,
    draft: &mut Draft,
) -> Result<(), Fault> {
    let span = Span { file: index, start: comment.start, end: comment.end };
    let nothing = || {
        let help = "put it on the line of the thing that it is about, or on a line of its own before that";
        ("this directive stands beside nothing".to_owned(), help.to_owned())
    };
    let beside = beside(file, comment, &draft.statements[first..]).ok_or_else(nothing)?;
    match directive {
        Directive::Was(old) => {
            let part = match beside {
                Beside::Part(part) => part,
                Beside::Statement(_, parts) => parts.into_iter().next().ok_or_else(nothing)?,
            };
            rename(part, old, span, draft)
        }
        Directive::Allow { hazard, because } => {
            let beside = match beside {
                Beside::Part(part) => vec![(part.class, part.path)],
                Beside::Statement(at, parts) => about(&draft.statements[first + at], parts),
            };
            draft.allows.push(Allow { hazard, because, beside, span });
            Ok(())
        }
        Directive::Global { because } => {
            let beside = match beside {
                Beside::Part(part) => (part.class, part.path),
                Beside::Statement(at, parts) => {
                    about(&draft.statements[first + at], parts).into_iter().next().ok_or_else(nothing)?
                }
            };
            if !matches!(beside.0, Class::Column | Class::Constraint | Class::Index) {
                let help = "put it on the line of a key or a unique index, and give the key a name";
                return Err((format!("a {} is not unique within anything", beside.0), help.to_owned()));
            }
            draft.globals.push(Global { beside, because, span });
            Ok(())
        }
    }
}

/// What a statement is about: what it declares, else the relations that it speaks of.
fn about(statement: &Statement, parts: Vec<Part>) -> Vec<(Class, Vec<Name>)> {
    if let Some(part) = parts.into_iter().next() {
        return vec![(part.class, part.path)];
    }
    let relations = statement.names.refers.iter().filter(|reference| reference.space == Space::Relation);
    relations
        .map(|reference| {
            let path = reference.namespaces.first().into_iter().chain([&reference.name]);
            (Class::Table, path.map(|part| Name::from(part.as_str())).collect())
        })
        .collect()
}

/// Takes a rename, where it can have an effect.
pub fn rename(part: Part, old: String, span: Span, draft: &mut Draft) -> Result<(), Fault> {
    let name = part.path.last().cloned().unwrap_or_else(|| Name::from(""));
    if name.as_str() == old {
        let help = "write the name that it had before, or leave the directive out";
        return Err((format!("{} {name} was always called that", part.class), help.to_owned()));
    }
    match part.class {
        Class::Extension | Class::Publication | Class::EventTrigger | Class::Rule | Class::ForeignTable => {
            return Err((format!("a renamed {} can't be followed", part.class), "leave the directive out".into()));
        }
        _ => {}
    }
    if draft.renames.iter().any(|rename| rename.class == part.class && rename.path == part.path) {
        return Err((format!("{} {name} has two old names", part.class), "keep one of them".into()));
    }
    draft.renames.push(Rename { class: part.class, path: part.path, old: Name::from(old), span });
    Ok(())
}

fn beside(file: &File, comment: &Range<usize>, statements: &[Statement]) -> Option<Beside> {
    let line_start = file.text[..comment.start].rfind('\n').map_or(0, |newline| newline + 1);
    let alone = file.text[line_start..comment.start].trim().is_empty();
    let parts = |at: usize| placed_parts(file, &statements[at]);
    let ours = |statement: &&Statement| statement.origin.start < comment.start;
    let current = statements.iter().filter(ours).count().checked_sub(1);
    let inside = current.filter(|at| statements[*at].origin.end > comment.start);
    if alone {
        // The next thing after it, in this statement or the one that follows.
        let at = match inside {
            Some(at) => at,
            None => current.map_or(0, |at| at + 1),
        };
        if inside.is_some() {
            return parts(at).into_iter().find(|part| part.at.start > comment.end).map(Beside::Part);
        }
        let found = statements.get(at)?;
        // Only other comments may stand between: an empty line parts it from what follows.
        let between: Vec<&str> = file.text[comment.end..found.origin.start].split('\n').collect();
        let near = between[..between.len() - 1].iter().skip(1).all(|line| !line.trim().is_empty());
        return near.then(|| Beside::Statement(at, parts(at)));
    }
    let at = current?;
    let statement = &statements[at];
    let parts = parts(at);
    if inside.is_none() {
        // After the semicolon: the statement, or what stands on its last line.
        if statement.origin.end < line_start {
            return None;
        }
        if statement.origin.start >= line_start {
            return Some(Beside::Statement(at, parts));
        }
    }
    let on_line = |part: &&Part| part.at.start >= line_start && part.at.start < comment.start;
    let found = (parts.iter().rfind(|part| on_line(part) && !part.inline))
        .or_else(|| parts.iter().rfind(on_line))
        .or_else(|| parts.iter().rfind(|part| part.at.start < comment.start && inside.is_some()));
    match found {
        Some(part) => Some(Beside::Part(part.clone())),
        None => Some(Beside::Statement(at, parts)),
    }
}

/// The parts of a statement, placed in its file.
fn placed_parts(file: &File, statement: &Statement) -> Vec<Part> {
    let sql = &file.text[statement.origin.range()];
    let Some(node) = syntax::parse(sql).ok().and_then(|nodes| nodes.into_iter().next()) else { return Vec::new() };
    let mut parts = parts::parts(sql, &node, &statement.names);
    for part in &mut parts {
        part.at = part.at.start + statement.origin.start..part.at.end + statement.origin.start;
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{File, Report};
    use crate::name::Name;
    use crate::source::{Declaration, read};

    fn declaration(text: &str) -> Result<Declaration, Vec<Report>> {
        read(vec![File::new("a.sql", text)], 15)
    }

    fn renames(text: &str) -> Vec<String> {
        let show = |rename: crate::source::Rename| {
            let path: Vec<&str> = rename.path.iter().map(Name::as_str).collect();
            format!("{} {} was {}", rename.class, path.join("."), rename.old.as_str())
        };
        declaration(text).unwrap().renames.into_iter().map(show).collect()
    }

    fn fault(text: &str) -> String {
        let reports = declaration(text).unwrap_err();
        assert_eq!((reports.len(), reports[0].code), (1, "source::directive"), "{reports:?}");
        reports[0].message.clone()
    }

    #[test]
    fn a_rename_stands_on_the_line_of_the_thing() {
        let text = "-- tenantry: was people
CREATE TABLE contacts (
  id int CONSTRAINT pk PRIMARY KEY, -- tenantry: was contact_id
  phone text
    NOT NULL, /* tenantry: was \"Phone No\" */
  -- tenantry: was age
  years int,
  CONSTRAINT grown CHECK (years > 17) -- tenantry: was adult
);
CREATE TYPE mood AS ENUM (
  'glad', -- tenantry: was 'happy; or so'
  'sad');
CREATE INDEX i ON contacts (phone); -- tenantry: was j
ALTER TABLE contacts ADD CONSTRAINT c UNIQUE (phone); -- tenantry: was d";
        assert_eq!(
            renames(text),
            [
                "table public.contacts was people",
                "column public.contacts.id was contact_id",
                "column public.contacts.phone was Phone No",
                "column public.contacts.years was age",
                "constraint public.contacts.grown was adult",
                "label public.mood.glad was happy; or so",
                "index public.i was j",
                "constraint public.contacts.c was d",
            ]
        );
    }

    #[test]
    fn a_hazard_is_accepted_where_its_cause_stands() {
        let declaration = declaration(
            "CREATE TABLE t (\n  a int -- tenantry: allow type-change-rewrite because the table is small\n);
GRANT SELECT ON t TO PUBLIC; -- tenantry: allow public-grant because it is public data",
        )
        .unwrap();
        let shown: Vec<_> = declaration
            .allows
            .iter()
            .map(|allow| (allow.hazard.name(), allow.because.as_str(), allow.beside.len()))
            .collect();
        assert_eq!(
            shown,
            [("type-change-rewrite", "the table is small", 1), ("public-grant", "it is public data", 1)]
        );
    }

    #[test]
    fn a_directive_without_effect_is_an_error() {
        assert_eq!(
            fault("CREATE TABLE t (a int);\n\n-- tenantry: was b\n"),
            "this directive stands beside nothing"
        );
        assert_eq!(fault("CREATE TABLE t (a int); -- tenantry: was t"), "table t was always called that");
        assert_eq!(fault("CREATE TABLE t (a int); -- tenantry: renamed b"), "there is no directive renamed");
        assert_eq!(fault("CREATE TABLE t (a int); -- tenantry: was b c"), "`was` takes one name");
        assert_eq!(
            fault("CREATE TABLE t (a int); -- tenantry: allow drop-table"),
            "`allow` takes a hazard and a reason"
        );
        assert_eq!(
            fault("CREATE TABLE t (a int); -- tenantry: allow drop-tabel because x"),
            "there is no hazard drop-tabel"
        );
        assert_eq!(
            fault("CREATE TABLE t (a int, -- tenantry: was x\n b int); -- tenantry: was b"),
            "column b was always called that"
        );
    }
}
