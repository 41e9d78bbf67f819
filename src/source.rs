//! The declared schema as it was written: files become statements in the order in which they load, each with its
//! place, and everything wrong with them becomes a report. Whether the statements mean anything is for the shadow
//! server to say; `elaborate` asks it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};

use crate::diagnostic::{Place, Report};
use crate::name::{Name, QName};
use crate::plan::derive::Derived;
use crate::plan::hazard::Code;
use crate::plan::relocate::Move;

mod allow;
pub mod anatomy;
mod directive;
mod names;
mod order;
mod parts;
pub mod plpgsql;
pub mod split;
mod sql;
pub mod syntax;
pub(crate) mod toml;
mod twice;
pub mod uses;
pub(crate) mod walk;

pub use crate::diagnostic::File;
pub use directive::{allowed, nearest_hazard};
pub use names::namespaces;
pub use names::{Bond, Class, Declared, Names, Rank, Reference, Space};
pub use sql::{find_name, find_one_of, first_words, unquoted};
pub use walk::{Mention, mentions};

/// Words in one of the declaration's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// Index into [`Declaration::files`].
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Everything that the files say.
#[derive(Debug)]
pub struct Declaration {
    pub files: Vec<Arc<File>>,
    /// In an order that should load.
    pub statements: Vec<Statement>,
    pub renames: Vec<Rename>,
    pub backfills: Vec<Backfill>,
    /// `from` of a column and `becomes` of its table: what new columns hold, and what the old ones do.
    pub derived: BTreeMap<QName, Derived>,
    /// `[[move]]`: columns whose values go over to another table.
    pub moves: Vec<Move>,
    pub allows: Vec<Allow>,
    pub globals: Vec<Global>,
    pub seeds: Vec<Seed>,
    pub manages: Manages,
    /// What is no error but must be said: unmanaged objects, syntax that only the server may know.
    pub notes: Vec<Report>,
    /// SHA-256 over the paths and texts.
    pub digest: String,
}

/// `was = "old"` in TOML, `-- tenantry: was old` in SQL: a thing that had another name before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub class: Class,
    /// Namespace, relation or type where there is one, and the new name.
    pub path: Vec<Name>,
    /// The old name, in the same place.
    pub old: Name,
    pub span: Span,
}

/// What existing rows get in a new column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    pub table: QName,
    pub column: Name,
    /// An SQL expression over the table's own columns.
    pub expression: String,
    pub span: Span,
}

/// `-- tenantry: allow HAZARD because reason`: a hazard accepted where its cause is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    pub hazard: Code,
    pub because: String,
    /// What the directive stands beside: a part of a statement where it stands on the line of one, else all that
    /// the statement declares.
    pub beside: Vec<(Class, Vec<Name>)>,
    pub span: Span,
}

/// `-- tenantry: global because REASON`: a key that stays unique over all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// The key, its index, or the column that has it in its line.
    pub beside: (Class, Vec<Name>),
    pub because: String,
    pub span: Span,
}

/// Rows that must exist, from `[[seed]]` in TOML. They are inserted where they are missing and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub table: QName,
    /// The columns by which a row is known.
    pub key: Vec<Name>,
    /// Each row's columns with their values as SQL literals.
    pub rows: Vec<Vec<(Name, String)>>,
    pub span: Span,
}

/// Which kinds of satellites the declaration speaks of at all. Of the others, the live side keeps what it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manages {
    pub owners: bool,
    pub grants: bool,
    pub default_privileges: bool,
    pub comments: bool,
}

/// A statement as the server is sent it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: String,
    /// Where it was written.
    pub origin: Span,
    /// As a statement before it in the same file set it, in the form that `set_config` takes; `None` is the default.
    pub search_path: Option<String>,
    pub names: Names,
    /// Whether pg_query's grammar knows it. If not, it says nothing of its names.
    pub understood: bool,
    pieces: Vec<Piece>,
}

/// Where a part of a statement's text comes from.
#[derive(Debug, Clone)]
struct Piece {
    /// In bytes of the statement.
    at: Range<usize>,
    span: Span,
    /// Both texts are the same, byte by byte.
    verbatim: bool,
}

impl Statement {
    /// The place in the user's file of a position in `sql` as the server gives it: in characters, from 1.
    pub fn span_at(&self, position: Option<u32>) -> Span {
        let Some(position) = position else { return self.origin };
        let offset = syntax::byte_offset(&self.sql, position as usize);
        let piece = self.pieces.iter().find(|piece| piece.at.contains(&offset)).or_else(|| {
            // The end of the statement belongs to its last piece.
            self.pieces.iter().rfind(|piece| piece.at.end == offset)
        });
        match piece {
            Some(Piece { at, span, verbatim: true }) => {
                let start = span.start + (offset - at.start);
                let word = word_length(&self.sql[offset..at.end]);
                Span { file: span.file, start, end: start + word }
            }
            Some(piece) => piece.span,
            None => self.origin,
        }
    }

    /// The same for a name, with all that dots join to it.
    pub fn name_at(&self, position: u32) -> Span {
        let span = self.span_at(Some(position));
        let text = &self.sql[syntax::byte_offset(&self.sql, position as usize)..];
        let mut length = word_length(text);
        // Where the text is not the user's own, all that it comes from is the place.
        if length != span.end - span.start {
            return span;
        }
        while let Some(rest) = text[length..].strip_prefix('.') {
            length += 1 + word_length(rest);
        }
        Span { end: span.start + length, ..span }
    }
}

/// How many bytes the first word or sign of a text has.
fn word_length(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut chars = text.chars();
    match chars.next() {
        Some('"') => text[1..].find('"').map_or(text.len(), |end| end + 2),
        Some(c) if is_word(c) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        Some(c) => c.len_utf8(),
        None => 0,
    }
}

/// A statement's text under construction, which remembers where its parts come from.
#[derive(Debug, Default)]
struct Text {
    sql: String,
    pieces: Vec<Piece>,
}

impl Text {
    /// Adds what stands in the file, as it stands there.
    fn copy(&mut self, file: &File, span: Span) -> &mut Self {
        let start = self.sql.len();
        self.sql.push_str(&file.text[span.range()]);
        self.pieces.push(Piece { at: start..self.sql.len(), span, verbatim: true });
        self
    }

    /// Adds what stands for something in a file, in other words.
    fn say(&mut self, sql: &str, span: Span) -> &mut Self {
        let start = self.sql.len();
        self.sql.push_str(sql);
        self.pieces.push(Piece { at: start..self.sql.len(), span, verbatim: false });
        self
    }

    /// Adds another text with its places.
    fn append(&mut self, other: Text) -> &mut Self {
        let start = self.sql.len();
        self.sql.push_str(&other.sql);
        let moved = |piece: Piece| Piece { at: piece.at.start + start..piece.at.end + start, ..piece };
        self.pieces.extend(other.pieces.into_iter().map(moved));
        self
    }

    /// Adds what the file does not hold.
    fn add(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    fn finish(self, origin: Span, search_path: Option<String>, names: Names) -> Statement {
        Statement { sql: self.sql, origin, search_path, names, understood: true, pieces: self.pieces }
    }
}

/// What the files have given so far.
#[derive(Debug, Default)]
struct Draft {
    statements: Vec<Statement>,
    renames: Vec<Rename>,
    backfills: Vec<Backfill>,
    derived: BTreeMap<QName, Derived>,
    moves: Vec<Move>,
    allows: Vec<Allow>,
    globals: Vec<Global>,
    seeds: Vec<Seed>,
    manages: Manages,
    /// What is loaded but not managed, and where it was seen first.
    unmanaged: BTreeMap<&'static str, (Arc<File>, Range<usize>)>,
    notes: Vec<Report>,
    faults: Vec<Report>,
    /// Columns that any table may be given once all is read.
    added: BTreeSet<Name>,
}

/// Reads files into a declaration, or says everything that is wrong with them.
///
/// `server` is the major version of the server that will elaborate it: what the grammar here does not know is an
/// error, unless that server is newer than the grammar.
pub fn read(files: Vec<Arc<File>>, server: u32) -> Result<Declaration, Vec<Report>> {
    read_for(files, server, BTreeSet::new())
}

/// The same for a declaration that tables will have more columns in than it says: TOML may speak of these too.
pub fn read_for(files: Vec<Arc<File>>, server: u32, added: BTreeSet<Name>) -> Result<Declaration, Vec<Report>> {
    let mut draft = Draft { added, ..Draft::default() };
    let is_toml = |file: &File| file.path.ends_with(".toml");
    for (index, file) in files.iter().enumerate().filter(|(_, file)| !is_toml(file)) {
        sql::read(index, file, server, &mut draft);
    }
    // TOML speaks of what SQL declares, and so comes after it.
    for (index, _) in files.iter().enumerate().filter(|(_, file)| is_toml(file)) {
        toml::read(index, &files, &mut draft);
    }
    for (index, _) in files.iter().enumerate().filter(|(_, file)| is_toml(file)) {
        toml::read_moves(index, &files, &mut draft);
    }
    if draft.statements.is_empty() && draft.faults.is_empty() {
        draft.faults.push(empty(&files));
    }
    twice::declared(&files, &mut draft);
    twice::set(&files, &mut draft);
    if !draft.unmanaged.is_empty() {
        let place =
            |file: &File, words: &Range<usize>| format!("{}:{}", file.path, file.line_column(words.start).0);
        let kinds = draft.unmanaged.iter().map(|(what, (file, words))| format!("{what} ({})", place(file, words)));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let note = Report::warning("source::unmanaged", format!("loaded but not managed: {kinds}"))
            .help("no plan makes, changes or drops them: the live database must have them by other means");
        draft.notes.push(note);
    }
    if !draft.faults.is_empty() {
        // As one meets them when reading the files; what has no place comes first.
        let place = |report: &Report| {
            let place = report.places.first()?;
            Some((files.iter().position(|file| *file == place.file), place.span.start))
        };
        draft.faults.sort_by_key(place);
        draft.faults.extend(draft.notes);
        return Err(draft.faults);
    }
    let statements = sorted(&files, std::mem::take(&mut draft.statements))?;
    let digest = digest(&files);
    let Draft { renames, backfills, derived, moves, allows, globals, seeds, manages, notes, .. } = draft;
    Ok(Declaration {
        files,
        statements,
        renames,
        backfills,
        derived,
        moves,
        allows,
        globals,
        seeds,
        manages,
        notes,
        digest,
    })
}

/// A digest of all that the files say, for those who only ask whether they have changed.
pub fn digest(files: &[Arc<File>]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [&file.path, &file.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn empty(files: &[Arc<File>]) -> Report {
    let what = match files {
        [] => "no schema file was found".to_owned(),
        [file] => format!("{} declares nothing", file.path),
        [first, ..] => format!("{} and the {} other files declare nothing", first.path, files.len() - 1),
    };
    Report::error("source::empty", what)
        .help("an empty declaration would drop everything; to start from a live database, run `tenantry init`")
}

impl Declaration {
    /// The place of a span, to be underlined.
    pub fn place(&self, span: Span, label: impl Into<String>) -> Place {
        Place { file: Arc::clone(&self.files[span.file]), span: span.range(), label: label.into() }
    }

    /// The place where a statement names an object: its last name there, or that of what it is a part of where the
    /// server chose one.
    pub fn place_of(&self, span: Span, path: &[Name]) -> Place {
        self.place(find_one_of(&self.files[span.file], span, path.iter().rev()), "")
    }
}

/// Puts the statements into an order that loads.
fn sorted(files: &[Arc<File>], mut statements: Vec<Statement>) -> Result<Vec<Statement>, Vec<Report>> {
    loop {
        match order::order(&statements.iter().map(|statement| &statement.names).collect::<Vec<_>>()) {
            order::Order::Sorted(order) => {
                let mut slots: Vec<Option<Statement>> = statements.into_iter().map(Some).collect();
                return Ok(order.into_iter().filter_map(|at| slots[at].take()).collect());
            }
            order::Order::Lift(lift) => {
                for (at, tables) in lift {
                    let lifted = sql::lift_foreign_keys(files, &mut statements[at], &tables);
                    statements.extend(lifted);
                }
            }
            order::Order::Cycles(cycles) => {
                return Err(cycles.iter().map(|cycle| circle(files, &statements, cycle)).collect());
            }
        }
    }
}

/// The report of statements that need each other.
fn circle(files: &[Arc<File>], statements: &[Statement], cycle: &[usize]) -> Report {
    let name = |at: usize| match statements[at].names.declares.first() {
        Some(declared) => declared.to_string(),
        None => sql::first_words(&statements[at].sql),
    };
    let names: Vec<String> = cycle.iter().map(|at| name(*at)).collect();
    let mut report = Report::error("source::cycle", format!("these need each other: {}", names.join(" → ")))
        .help("none of them can be made first; take one reference out, or put it into a statement of its own");
    for pair in cycle.windows(2) {
        let statement = &statements[pair[0]];
        let file = &files[statement.origin.file];
        let needed = statements[pair[1]].names.declares.first();
        let span =
            needed.map_or(statement.origin, |needed| sql::find_last_name(file, statement.origin, &needed.name));
        report = report.at(file, span.range(), format!("needs {}", name(pair[1])));
    }
    report
}

/// The declaration as SQL in the order in which it loads, each statement with its origin.
pub fn render_sql(declaration: &Declaration) -> String {
    let mut out = String::new();
    let mut path: &Option<String> = &None;
    let breaks = |file: &Arc<File>| file.text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
    let breaks: Vec<Vec<usize>> = declaration.files.iter().map(breaks).collect();
    for statement in &declaration.statements {
        let file = &declaration.files[statement.origin.file];
        let line = breaks[statement.origin.file].partition_point(|at| *at < statement.origin.start) + 1;
        if statement.search_path != *path {
            path = &statement.search_path;
            match path {
                Some(path) => {
                    let path = crate::name::Literal(path);
                    out.push_str(&format!("SELECT pg_catalog.set_config('search_path', {path}, false);\n\n"));
                }
                None => out.push_str("RESET search_path;\n\n"),
            }
        }
        // A line break in a path would end the comment.
        let place = file.path.replace(['\n', '\r'], " ");
        out.push_str(&format!("-- {place}:{line}\n{};\n\n", statement.sql));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Look, render_all};

    fn read_all(texts: &[&str]) -> Result<Declaration, Vec<Report>> {
        let files = texts.iter().enumerate().map(|(n, text)| File::new(format!("schema/{n}.sql"), *text));
        read(files.collect(), 15)
    }

    fn sql(texts: &[&str]) -> Vec<String> {
        match read_all(texts) {
            Ok(declaration) => declaration.statements.into_iter().map(|statement| statement.sql).collect(),
            Err(reports) => panic!("{}", render_all(&reports, Look { colour: false, width: 100 })),
        }
    }

    fn codes(texts: &[&str]) -> Vec<&'static str> {
        read_all(texts).unwrap_err().iter().map(|report| report.code).collect()
    }

    #[test]
    fn dependencies_decide_and_not_files() {
        assert_eq!(
            sql(&["CREATE VIEW v AS SELECT * FROM app.t;", "CREATE TABLE app.t (a int)", "CREATE SCHEMA app;"]),
            ["CREATE SCHEMA app", "CREATE TABLE app.t (a int)", "CREATE VIEW v AS SELECT * FROM app.t"]
        );
    }

    #[test]
    fn mutual_foreign_keys_leave_their_tables() {
        let text = "CREATE TABLE a (id int PRIMARY KEY, \"B\" int CONSTRAINT x REFERENCES b ON DELETE CASCADE DEFERRABLE NOT NULL,\n  c int REFERENCES c);
CREATE TABLE b (id int PRIMARY KEY, a int, CONSTRAINT y FOREIGN KEY (a) REFERENCES a (id) NOT VALID);
CREATE TABLE c (id int PRIMARY KEY);";
        insta::assert_snapshot!(sql(&[text]).join(";\n"), @r#"
        CREATE TABLE b (id int PRIMARY KEY, a int);
        CREATE TABLE c (id int PRIMARY KEY);
        CREATE TABLE a (id int PRIMARY KEY, "B" int NOT NULL,
          c int REFERENCES c);
        ALTER TABLE a ADD CONSTRAINT x FOREIGN KEY ("B") REFERENCES b ON DELETE CASCADE DEFERRABLE;
        ALTER TABLE b ADD CONSTRAINT y FOREIGN KEY (a) REFERENCES a (id) NOT VALID
        "#);
    }

    #[test]
    fn a_position_of_the_server_is_found_in_the_file() {
        let text = "-- größe\nCREATE TABLE a (ä text, b nosuch);";
        let declaration = read_all(&[text]).unwrap();
        let statement = &declaration.statements[0];
        let at = statement.sql.chars().position(|c| c == 'n').unwrap() as u32 + 1;
        assert_eq!(&text[statement.span_at(Some(at)).range()], "nosuch");
        assert_eq!(&text[statement.span_at(None).range()], "CREATE TABLE a (ä text, b nosuch)");
        assert_eq!(statement.span_at(Some(9999)).start, text.len() - 1);
    }

    #[test]
    fn concurrently_is_no_part_of_a_declaration() {
        let declaration =
            read_all(&["CREATE TABLE t (a int); CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"]).unwrap();
        let statement = &declaration.statements[1];
        assert_eq!(statement.sql, "CREATE UNIQUE INDEX i ON t (a)");
        let position = statement.sql.find("(a)").unwrap() as u32 + 2;
        assert_eq!(&declaration.files[0].text[statement.span_at(Some(position)).range()], "a");
    }

    #[test]
    fn every_fault_is_found_at_once() {
        assert_eq!(
            codes(&[
                "CREATE TABLE t (a int); CREATE TABL u; DROP TABLE v;",
                "CREATE VIEW t AS SELECT 1; \\connect x\nSELECT 'open"
            ]),
            ["source::declared_twice", "source::syntax", "source::refused", "source::psql", "source::unended"]
        );
        assert_eq!(codes(&["-- nothing"]), ["source::empty"]);
        assert_eq!(codes(&[]), ["source::empty"]);
    }

    #[test]
    fn newer_syntax_is_left_to_a_newer_server() {
        let files = || vec![File::new("a.sql", "CREATE PROPERTY GRAPH g VERTEX TABLES (t)")];
        assert!(read(files(), 18).is_err());
        let declaration = read(files(), 19).unwrap();
        assert!(!declaration.statements[0].understood);
        assert_eq!(declaration.notes.len(), 1);
    }

    #[test]
    fn the_search_path_is_that_of_the_file() {
        let declaration = read_all(&[
            "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE app.t (a int); SET search_path = app; CREATE VIEW v AS SELECT * FROM t;",
            "CREATE SCHEMA app; CREATE TABLE u (a int)",
        ])
        .unwrap();
        let paths: Vec<_> =
            declaration.statements.iter().map(|s| (s.sql.as_str(), s.search_path.as_deref())).collect();
        assert_eq!(
            paths,
            [
                ("CREATE SCHEMA app", None),
                ("CREATE TABLE app.t (a int)", Some("")),
                ("CREATE TABLE u (a int)", None),
                ("CREATE VIEW v AS SELECT * FROM t", Some("app")),
            ]
        );
        insta::assert_snapshot!(render_sql(&declaration));
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let parts = [
            "CREATE TABLE ",
            "t ",
            "größe ",
            "\"a b\" ",
            "(",
            ")",
            ", ",
            "int ",
            "REFERENCES ",
            "t2 ",
            "CONSTRAINT c ",
            "; ",
            "-- tenantry: was x\n",
            "CREATE INDEX CONCURRENTLY ",
            "ON ",
            "ALTER TABLE ",
            "ADD ",
            "'",
            "$$",
            "NOT NULL ",
            "CREATE VIEW ",
            "AS SELECT ",
            "1 ",
            "\n",
            "CREATE TYPE e AS ENUM ('é') ",
            "DROP ",
            "PRIMARY KEY ",
            "CREATE TABLE t (a int REFERENCES t2); CREATE TABLE t2 (b int REFERENCES t, é int)",
        ];
        let mut state = 42_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for _ in 0..1500 {
            let text: String = (0..next(16)).map(|_| parts[next(parts.len())]).collect();
            let toml: String = (0..next(8))
                .map(|_| ["[table.t]\n", "columns.a = ", "\"int\"", "\n", "é", "{ type = \"x\" }"][next(6)])
                .collect();
            let files = vec![File::new("a.sql", text), File::new("b.toml", toml)];
            match read(files, 15) {
                Ok(declaration) => drop(render_sql(&declaration)),
                Err(reports) => drop(render_all(&reports, Look { colour: false, width: 80 })),
            }
        }
    }

    #[test]
    fn what_is_managed_is_what_is_spoken_of() {
        assert_eq!(read_all(&["CREATE TABLE t ()"]).unwrap().manages, Manages::default());
        let manages =
            read_all(&["CREATE TABLE t (); ALTER TABLE t OWNER TO me; GRANT SELECT ON t TO you"]).unwrap().manages;
        assert_eq!(manages, Manages { owners: true, grants: true, ..Manages::default() });
    }
}
