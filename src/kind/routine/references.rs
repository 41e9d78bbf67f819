//! What the body of a routine refers to, as far as its text tells, and what locks its analysis takes.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeRef;
use pg_query::protobuf::{KeywordKind, RangeVar, Token};

use crate::kind::{Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::source::syntax;
use crate::source::walk::{Mention, mentions};

/// The candidates for what SQL statements name. Where the text leaves it open which object is meant, all that it may
/// be are among them: tables and views of the name, columns and overloads by the path that theirs begin with.
pub(super) fn of_sql(text: &str, search_path: &[Name]) -> Vec<ObjectId> {
    let mut found = Found { search_path, ids: vec![] };
    found.sql(text);
    found.finish()
}

/// The same for what pg_query has no tree for, with less to go by: each name that occurs counts. PL/pgSQL is among
/// it, as the parser for it knows no namespaces but `public` and does not always return JSON that can be read.
pub(super) fn of_text(text: &str, search_path: &[Name]) -> Vec<ObjectId> {
    let mut found = Found { search_path, ids: vec![] };
    found.words(text);
    found.finish()
}

/// The locks that the analysis of an SQL-standard body takes on the relations that it names, the strongest of each.
pub(super) fn locks(statements: &str) -> BTreeMap<QName, Lock> {
    let mut locks = BTreeMap::new();
    let Ok(parsed) = pg_query::parse(statements, 0) else { return locks };
    let mut take = |relation: &RangeVar, lock: Lock| {
        let name = QName::new(relation.schemaname.as_str(), relation.relname.as_str());
        let held = locks.entry(name).or_insert(lock);
        *held = lock.max(*held);
    };
    for (node, ..) in parsed.protobuf.nodes() {
        let target = match node {
            NodeRef::InsertStmt(it) => &it.relation,
            NodeRef::UpdateStmt(it) => &it.relation,
            NodeRef::DeleteStmt(it) => &it.relation,
            NodeRef::MergeStmt(it) => &it.relation,
            NodeRef::SelectStmt(it) if !it.locking_clause.is_empty() => {
                for mention in mentions(&it.from_clause) {
                    if let Mention::Relation { parts, .. } = mention
                        && let [namespace, name] = parts.as_slice()
                    {
                        let relation = RangeVar {
                            schemaname: namespace.clone(),
                            relname: name.clone(),
                            ..RangeVar::default()
                        };
                        take(&relation, Lock::RowShare);
                    }
                }
                continue;
            }
            _ => continue,
        };
        if let Some(relation) = target {
            take(relation, Lock::RowExclusive);
        }
    }
    locks
}

/// The columns that the text of a trigger's function names behind NEW and OLD.
pub(super) fn fields_of_rows(text: &str) -> BTreeSet<Name> {
    let Ok(tokens) = syntax::tokens(text) else { return BTreeSet::new() };
    let words: Vec<&str> =
        tokens.iter().filter_map(|token| text.get(token.start as usize..token.end as usize)).collect();
    let of_row = |word: &[&str]| matches!(unquoted(word[0]).as_str(), "new" | "old") && word[1] == ".";
    words.windows(3).filter(|word| of_row(word)).map(|word| Name::from(unquoted(word[2]))).collect()
}

const RELATIONS: &[Kind] = &[Kind::Table, Kind::View, Kind::MaterializedView, Kind::Sequence, Kind::Column];
const TYPES: &[Kind] = &[Kind::EnumType, Kind::RangeType, Kind::Composite, Kind::Domain];

struct Found<'a> {
    search_path: &'a [Name],
    ids: Vec<ObjectId>,
}

impl Found<'_> {
    fn finish(mut self) -> Vec<ObjectId> {
        self.ids.sort();
        self.ids.dedup();
        self.ids
    }

    fn sql(&mut self, text: &str) {
        match syntax::parse(text) {
            Ok(statements) => mentions(&statements).into_iter().for_each(|mention| self.mention(mention)),
            Err(_) => self.words(text),
        }
    }

    fn mention(&mut self, mention: Mention) {
        match mention {
            Mention::Relation { parts, .. } => self.add(RELATIONS, &parts),
            Mention::Routine(parts) => self.add(&[Kind::Routine], &parts),
            Mention::Type { parts, of_column: false } => {
                self.add(TYPES, &parts);
                self.add(RELATIONS, &parts);
            }
            Mention::Type { mut parts, of_column: true } => {
                parts.pop();
                self.add(RELATIONS, &parts);
            }
            Mention::WithQuery(_) => {}
        }
    }

    /// The name, as an object of any of the kinds; the server's own are of no interest.
    fn add(&mut self, kinds: &[Kind], parts: &[String]) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let namespaces: Vec<Name> = match parts.as_slice() {
            [] => return,
            [_] => self.search_path.to_vec(),
            [.., namespace, _] if *namespace == "pg_catalog" => return,
            [.., namespace, _] => vec![Name::from(*namespace)],
        };
        let name = Name::from(parts[parts.len() - 1]);
        for namespace in &namespaces {
            self.ids.extend(kinds.iter().map(|kind| ObjectId::new(*kind, [namespace, &name])));
        }
    }

    /// Every name in the text: `a`, `a.b` or `a.b.c`, and before a parenthesis perhaps a routine.
    fn words(&mut self, text: &str) {
        let Ok(tokens) = syntax::tokens(text) else { return };
        let mut parts: Vec<String> = vec![];
        let mut dot = true;
        for token in tokens {
            let word = text.get(token.start as usize..token.end as usize).unwrap_or_default();
            let keyword = KeywordKind::try_from(token.keyword_kind).unwrap_or(KeywordKind::ReservedKeyword);
            let is_name = token.token == Token::Ident as i32
                || keyword == KeywordKind::UnreservedKeyword
                || (keyword != KeywordKind::NoKeyword && dot && !parts.is_empty());
            if word == "." {
                dot = true;
            } else if is_name && dot {
                parts.push(unquoted(word));
                dot = false;
            } else {
                self.word(&std::mem::take(&mut parts), word == "(");
                dot = !is_name;
                parts.extend(is_name.then(|| unquoted(word)));
            }
        }
        self.word(&parts, false);
    }

    /// Behind the name of a relation may stand that of a column, or a list of columns as if it were called.
    fn word(&mut self, parts: &[String], called: bool) {
        if called {
            self.add(&[Kind::Routine], parts);
        }
        for length in 1..=parts.len().min(2) {
            self.add(RELATIONS, &parts[..length]);
            self.add(TYPES, &parts[..length]);
        }
    }
}

/// The name that an identifier stands for.
fn unquoted(word: &str) -> String {
    match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => word.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(kind: Kind, found: &[ObjectId]) -> Vec<String> {
        found.iter().filter(|id| id.kind == kind).map(|id| crate::kind::dotted(&id.path)).collect()
    }

    #[test]
    fn names_in_bodies_are_found_along_the_search_path() {
        let path = [Name::from("app"), Name::from("public")];
        let found = of_sql("INSERT INTO t SELECT other.f(x) FROM \"S\".u WHERE y::mood = 'a'", &path);
        assert_eq!(ids(Kind::Table, &found), ["\"S\".u", "app.mood", "app.t", "public.mood", "public.t"]);
        assert_eq!(ids(Kind::Routine, &found), ["other.f"]);
        assert_eq!(ids(Kind::EnumType, &found), ["app.mood", "public.mood"]);
    }

    #[test]
    fn names_in_plpgsql_are_found_by_their_words() {
        let found = of_text(
            "DECLARE row app.t%ROWTYPE; feel \"Odd\".\"a\"\"mood\"; n app.n.id%TYPE;
             BEGIN
               n := app.g(a); -- app.comment
               IF EXISTS (SELECT FROM app.u) THEN PERFORM app.h('app.string'); END IF;
               FOR row IN SELECT * FROM app.v LOOP UPDATE app.w SET a = 1; END LOOP;
               RETURN app.r(NEW);
             END",
            &[Name::from("app")],
        );
        assert_eq!(ids(Kind::Routine, &found), ["app.g", "app.h", "app.r"]);
        let tables = ids(Kind::Table, &found);
        for table in ["app.t", "app.u", "app.v", "app.w", "app.n"] {
            assert!(tables.contains(&table.to_owned()), "{table} in {tables:?}");
        }
        assert!(!tables.contains(&"app.string".to_owned()) && !tables.contains(&"app.comment".to_owned()));
        assert!(ids(Kind::EnumType, &found).contains(&"\"Odd\".\"a\"\"mood\"".to_owned()));
    }

    #[test]
    fn columns_of_the_rows_of_a_trigger_are_found() {
        let found = fields_of_rows("BEGIN new.A := OLD.\"B c\" || 'NEW.d'; -- NEW.e\n RETURN NEW; END");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [Name::from("B c"), Name::from("a")]);
    }

    #[test]
    fn the_strongest_lock_of_a_body_counts() {
        let held = locks("SELECT 1 FROM a.t FOR UPDATE; INSERT INTO a.t VALUES (1); SELECT * FROM a.u");
        assert_eq!(held.into_iter().collect::<Vec<_>>(), [(QName::new("a", "t"), Lock::RowExclusive)]);
    }
}
