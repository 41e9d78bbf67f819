//! The one shape of a report: what is wrong, where in whose text, what to do. And the exit codes.
//!
//! Reports are values: modules make them, `cli` renders them. An error enum that derives miette's `Diagnostic`
//! renders through the same [`render`].

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::process::{ExitCode, Termination};
use std::sync::Arc;

mod excerpt;
pub mod secret;
pub mod visible;

pub use miette::Severity;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use excerpt::Excerpt;
use visible::{one_line, visible};

/// A text that people wrote, as it was read. `path` is shown to them as they gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl fmt::Debug for File {
    /// Without the text, which may be long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {} bytes)", self.path, self.text.len())
    }
}

impl File {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<File> {
        Arc::new(File { path: path.into(), text: text.into() })
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.floor(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The nearest character boundary at or before the offset.
    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

/// Words in a file, with what is to be said about them.
#[derive(Debug, Clone)]
pub struct Place {
    pub file: Arc<File>,
    pub span: Range<usize>,
    pub label: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.file.line_column(self.span.start);
        write!(f, "{}:{line}:{column}", self.file.path)
    }
}

/// One thing to report. Its places may lie in several files.
#[derive(Debug, Clone)]
pub struct Report {
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
    pub places: Vec<Place>,
}

impl Report {
    /// An error: `code` in the form `module::what`, `message` a lowercase fragment.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Report { severity: Severity::Error, code, message: message.into(), help: None, places: Vec::new() }
    }

    /// Something that does not stop the work, but that its reader must know.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Report { severity: Severity::Warning, ..Report::error(code, message) }
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Report { severity: Severity::Advice, ..Report::error(code, message) }
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Underlines words of a file.
    pub fn at(mut self, file: &Arc<File>, span: Range<usize>, label: impl Into<String>) -> Self {
        self.places.push(Place { file: Arc::clone(file), span, label: label.into() });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Report {}

/// miette shows one text in a diagnostic, so a report with places in several files is drawn in parts.
struct Part<'a> {
    report: &'a Report,
    places: Vec<&'a Place>,
    excerpt: Option<Excerpt<'a>>,
    width: usize,
    first: bool,
    last: bool,
}

impl Report {
    fn parts<'a>(&'a self, look: Look) -> Vec<Part<'a>> {
        let mut by_file: Vec<Vec<&'a Place>> = Vec::new();
        for place in &self.places {
            match by_file.iter_mut().find(|places| places[0].file == place.file) {
                Some(places) => places.push(place),
                None => by_file.push(vec![place]),
            }
        }
        if by_file.is_empty() {
            by_file.push(Vec::new());
        }
        let last = by_file.len() - 1;
        // What stands before each line.
        let width = look.width.saturating_sub(10);
        let part = |(n, places): (usize, Vec<&'a Place>)| {
            let spans = places.iter().map(|it| it.span.clone());
            let excerpt = places.first().map(|it| Excerpt::new(&it.file, spans, width));
            Part { report: self, places, excerpt, width, first: n == 0, last: n == last }
        };
        by_file.into_iter().enumerate().map(part).collect()
    }
}

/// The most of a text that quotes what may be of any length.
const LONGEST: usize = 1_500;

/// A text for people, of any length, in a length that they read.
fn said(text: &str) -> String {
    // A tab is as wide as where it stands, and lines are cut by their width.
    let text = visible(text).replace('\t', "\\t");
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some(_) => {
            let end: Vec<char> = text.chars().rev().take(LONGEST / 3).collect();
            let start: String = text.chars().take(LONGEST * 2 / 3).collect();
            format!("{start} … {}", end.into_iter().rev().collect::<String>())
        }
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first { f.write_str(&said(&self.report.message)) } else { f.write_str("and there") }
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

impl Error for Part<'_> {}

impl Diagnostic for Part<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.first.then(|| Box::new(self.report.code) as _)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.report.severity)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.report.help.as_ref().filter(|_| self.last).map(|help| Box::new(said(help)) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|it| it as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        Some(Box::new(self.places.iter().enumerate().map(|(number, place)| {
            let span = excerpt.place(number);
            let label = (!place.label.is_empty()).then(|| self.label(&place.label, excerpt.column(span.start)));
            LabeledSpan::new(label, span.start, span.len())
        })))
    }
}

impl Part<'_> {
    /// A label in lines that end where the others do, as far as what they stand under leaves room.
    fn label(&self, label: &str, column: usize) -> String {
        let room = self.width.saturating_sub(column + 8).max(24);
        let label = one_line(label);
        let cut: String = label.chars().take(LONGEST / 5).collect();
        let end = if cut.len() < label.len() { "…" } else { "" };
        let mut lines: Vec<String> = vec![String::new()];
        for word in format!("{cut}{end}").split(' ') {
            // A word that has no room in any line is cut where it must be.
            let mut word = word.to_owned();
            let line = lines.last_mut().expect("there is a line");
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(String::new());
            } else if !line.is_empty() {
                line.push(' ');
            }
            while let Some((at, _)) = word.char_indices().nth(room) {
                let rest = word.split_off(at);
                lines.last_mut().expect("there is a line").push_str(&word);
                lines.push(String::new());
                word = rest;
            }
            lines.last_mut().expect("there is a line").push_str(&word);
        }
        lines.join("\n")
    }
}

/// How reports are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub colour: bool,
    pub width: usize,
}

/// Draws one diagnostic of any kind.
pub fn render(diagnostic: &dyn Diagnostic, look: Look) -> String {
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(look.width).with_links(false);
    let mut out = String::new();
    match handler.render_report(&mut out, diagnostic) {
        Ok(()) => out,
        // Only a text that can't be read back can fail, and the message is still worth having.
        Err(fmt::Error) => format!("{diagnostic}\n"),
    }
}

/// How many reports are drawn. What is wrong in a file of another sort is wrong in each line of it.
const MOST: usize = 100;

/// Draws all reports, one after another, and counts what was found when there are several errors.
pub fn render_all(reports: &[Report], look: Look) -> String {
    let draw = |report: &Report| report.parts(look).iter().map(|part| render(part, look)).collect::<String>();
    let mut out = reports.iter().take(MOST).map(draw).collect::<Vec<_>>().join("\n");
    let errors = reports.iter().filter(|report| report.is_error()).count();
    if reports.len() > MOST {
        out.push_str(&format!("\n{} more are not shown\n", reports.len() - MOST));
    }
    if errors > 1 {
        out.push_str(&format!("\n{errors} errors\n"));
    }
    out
}

/// How a command ended, for scripts. Documented in the README; the numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    Failed = 1,
    Usage = 2,
    /// Changes are pending, or something was found.
    Pending = 3,
    /// A hazard was not accepted.
    Hazard = 4,
    Drift = 5,
    /// Stopped part of the way; `resume` goes on.
    Stopped = 6,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { colour: false, width: 80 };

    #[test]
    fn a_report_underlines_its_words_in_every_file() {
        let one = File::new("schema/a.sql", "CREATE TABLE a ();\n");
        let two = File::new("schema/b.sql", "-- größer\nCREATE TABLE a ();\n");
        let report = Report::error("source::declared_twice", "table a is declared twice")
            .at(&one, 13..14, "first here")
            .at(&two, 24..25, "and again here")
            .help("keep one of them");
        insta::assert_snapshot!(render_all(&[report], PLAIN));
    }

    #[test]
    fn a_place_out_of_bounds_is_drawn_at_the_end() {
        let file = File::new("a.sql", "ö");
        let report = Report::error("x::y", "no").at(&file, 1..99, "here");
        assert!(render_all(&[report], PLAIN).contains("here"));
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        let report = Report::error("x::y", "no");
        assert!(!render_all(std::slice::from_ref(&report), PLAIN).contains('\x1b'));
        assert!(render_all(&[report], Look { colour: true, width: 80 }).contains('\x1b'));
    }

    #[test]
    fn columns_count_characters() {
        let file = File::new("a.sql", "ä\näöü x");
        assert_eq!(file.line_column(10), (2, 5));
    }
}
