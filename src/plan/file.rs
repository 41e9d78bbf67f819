//! The plan file: one TOML document a plan, made to be read in a pull request. No time and no random value is in it.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::diagnostic::visible::one_line;
use crate::diagnostic::{File, Report};
use crate::kind::as_trees;
use crate::lock::Lock;
use crate::plan::access::Change;
use crate::plan::batch::Batch;
use crate::plan::gate::Gate;
use crate::plan::hazard::{self, Code, Severity};
use crate::plan::split::Part;
use crate::plan::{Stage, Undo};
use crate::schema::Schema;
use crate::scope::Scope;

mod write;

/// The newest format that this program reads and the one that it writes.
pub const FORMAT: u32 = 1;

/// A plan as it stands in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The version of this format: [`FORMAT`].
    pub format: u32,
    /// The version of the program that wrote it.
    pub tool: String,
    /// The hash of the plan's meaning, by which an edited file is noticed.
    pub id: String,
    pub name: String,
    /// Which part of a split plan it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    pub from: From,
    pub to: To,
    pub scope: Scope,
    pub proof: Proof,
    /// What the reviewer should know beside the steps: what is not managed, what could not be proved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The difference of the two schemas as a unified diff of their statements.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub difference: String,
    /// Where an application has to be released first.
    #[serde(default, rename = "gate", skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    #[serde(default, rename = "step", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FileStep>,
}

/// The state that the plan starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// See [`fingerprint`].
    pub fingerprint: String,
    /// The live server's major version, such as "15".
    pub server: String,
}

/// The state that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct To {
    pub fingerprint: String,
    /// SHA-256 of the declared files.
    pub declaration: String,
}

/// What was tried on the shadow, and how it went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The shadow server's major version.
    pub server: String,
    /// The plan ran, and nothing was left to change.
    pub converges: bool,
    /// The undos ran, and the schema was what it had been.
    pub undo_returns: bool,
    /// Rows of tables on both sides were the same before and after, in the columns that kept their type.
    pub rows_survive: bool,
    /// Tables that were given rows, and how many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filled: BTreeMap<String, u32>,
    /// Tables that hold rows on the live side and could not be given any here, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unfilled: BTreeMap<String, String>,
    /// What else could not be proved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unproved: Vec<String>,
    /// Who may do something that it might not before, or no longer, as it was tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Change>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileStep {
    /// Its number, from 1.
    pub id: u32,
    pub stage: Stage,
    /// One line for people.
    pub summary: String,
    /// One statement, without a semicolon at its end; several where none may be seen without the others.
    pub sql: String,
    /// Where it is to run in parts, each in a transaction of its own: what the statement says, taken apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Steps with the same number share a transaction; without one the statement runs outside any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u32>,
    /// Milliseconds to wait for a lock; 0 is no limit.
    pub lock_timeout_ms: u32,
    /// Milliseconds to run; 0 is no limit.
    pub statement_timeout_ms: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<FileLock>,
    /// Relations written anew as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<String>,
    /// Relations whose every row is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scans: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<FileHazard>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Statements that take the step back, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<Undo>,
    /// Why the step can't be taken back without loss. Its undo then returns the schema, not the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irreversible: Option<String>,
    /// A query that is true once the step holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The declaration that caused the step: `schema/contacts.sql:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl FileStep {
    /// A step of which nothing is said but what it runs: outside of transactions, without timeouts.
    pub fn new(id: u32, stage: Stage, sql: impl Into<String>) -> Self {
        FileStep {
            id,
            stage,
            summary: String::new(),
            sql: sql.into(),
            batch: None,
            transaction: None,
            lock_timeout_ms: 0,
            statement_timeout_ms: 0,
            locks: vec![],
            rewrites: vec![],
            scans: vec![],
            hazards: vec![],
            estimate: None,
            undo: vec![],
            irreversible: None,
            check: None,
            because: None,
        }
    }
}

/// A lock on a relation that exists before the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLock {
    pub relation: String,
    pub mode: Lock,
    /// The mode that was seen on the shadow, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Lock>,
}

/// A hazard of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHazard {
    pub code: Code,
    /// The object, as people name it: `column public.messages.status`.
    pub object: String,
    pub why: String,
    /// Where the repository's configuration decides otherwise than the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// By whom it is accepted: "--accept", the configuration, or a directive with its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// How much work a step is expected to be, from the live side's statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    pub rows: u64,
    pub bytes: u64,
    /// Seconds, from and to.
    pub seconds: [f64; 2],
    /// Bytes of disk that it needs beside what there is, at most.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disk: u64,
    /// Bytes of write-ahead log that it writes, at most.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wal: u64,
    /// What the range rests on.
    pub reason: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl FileHazard {
    /// Whether the plan is not applied before somebody accepts this by name.
    pub fn needs_acceptance(&self) -> bool {
        self.severity.unwrap_or(self.code.severity()) == Severity::Refuse && self.accepted.is_none()
    }

    /// What accepts it and nothing else, as a shell reads it.
    pub fn acceptance(&self) -> String {
        let text = format!("{}:{}", self.code, hazard::without_kind(&self.object));
        let text = one_line(&text);
        match text.chars().all(|it| it.is_ascii_alphanumeric() || "._-:,/".contains(it)) {
            true => text.into_owned(),
            false => format!("'{}'", text.replace('\'', r"'\''")),
        }
    }
}

impl PlanFile {
    /// The file's text. The same plan gives the same bytes.
    pub fn to_toml(&self) -> String {
        write::write(self)
    }

    /// Reads a plan file.
    ///
    /// Errors: no TOML, or none of this format, with the place. Whether it is of a newer format is told before
    /// anything else is looked at.
    pub fn read(file: &Arc<File>) -> Result<PlanFile, Vec<Report>> {
        // A checkout may have turned the ends of lines round. What we write has others only as escapes.
        let turned =
            file.text.contains("\r\n").then(|| File::new(file.path.as_str(), file.text.replace("\r\n", "\n")));
        let file = turned.as_ref().unwrap_or(file);
        let path = &file.path;
        let fault = |span: Range<usize>, label: String| {
            let report = Report::error("plan::file", format!("{path} is no plan file that can be read"))
                .help("if it was cut short or edited, take it from version control again, or plan anew");
            vec![report.at(file, span, label)]
        };
        if file.text.trim().is_empty() {
            let report = Report::error("plan::empty", format!("{path} is empty"));
            return Err(vec![report.help("take it from version control again, or plan anew")]);
        }
        let document = match toml::de::DeTable::parse(&file.text) {
            Ok(document) => document,
            Err(error) => return Err(fault(span(&error, &file.text), label(&error))),
        };
        // Only the format is sure to be where it is in every format.
        let Some(format) = document.get_ref().get("format") else {
            let report = Report::error("plan::file", format!("{path} is no plan file: it names no `format`"));
            return Err(vec![report.help("plan files are written by `tenantry plan`")]);
        };
        match format.get_ref() {
            toml::de::DeValue::Integer(number) => match number.as_str().parse::<u32>() {
                Ok(1..=FORMAT) => {}
                Ok(0) | Err(_) => return Err(fault(format.span(), "no format that there is".into())),
                Ok(newer) => {
                    let message = format!("{path} has format {newer}, and this program reads up to {FORMAT}");
                    let report =
                        Report::error("plan::format", message).help("use the newer tenantry that wrote it");
                    return Err(vec![report.at(file, format.span(), "written by a newer program")]);
                }
            },
            _ => return Err(fault(format.span(), "no number".into())),
        }
        toml::from_str(&file.text).map_err(|error| fault(span(&error, &file.text), label(&error)))
    }

    /// The hash of what the plan does: everything but the notes, the summaries, the difference and who accepted what.
    pub fn meaning(&self) -> String {
        let mut plain = self.clone();
        plain.id = String::new();
        plain.tool = String::new();
        plain.name = String::new();
        plain.part = None;
        plain.notes.clear();
        plain.difference.clear();
        plain.proof = Proof::default();
        for step in &mut plain.steps {
            step.summary = String::new();
            step.because = None;
            for hazard in &mut step.hazards {
                hazard.accepted = None;
            }
        }
        hash(&serde_json::to_vec(&plain).expect("a plan has a JSON form"))
    }

    /// Whether the file was edited since it was written.
    pub fn is_edited(&self) -> bool {
        self.id != self.meaning()
    }
}

/// A hash of a described state: every managed object, in order, with all it says of itself. Server versions and
/// catalog numbers are not in it.
pub fn fingerprint(managed: &Schema) -> String {
    let objects: Vec<_> = managed.objects.values().collect();
    // Straight into the hash: the text of a large schema is as large as all else that is known of it.
    let mut hashing = BufWriter::with_capacity(1 << 16, Hashing(Sha256::new()));
    as_trees(|| serde_json::to_writer(&mut hashing, &objects)).expect("an object has a JSON form");
    match hashing.into_inner() {
        Ok(hashing) => hex(&hashing.0.finalize()),
        Err(_) => unreachable!("a hash takes all that is written to it"),
    }
}

/// Where an error of the TOML is; at the end, where something is missing there.
fn span(error: &toml::de::Error, text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    // What is missing at the end of a file is shown at its last character, since nothing can be underlined behind it.
    let last = text[..end].char_indices().next_back().map_or(0, |it| it.0);
    error.span().filter(|it| it.start < end).unwrap_or(last..end)
}

/// What the error is, in one line, with a suggestion for a key that there is not.
fn label(error: &toml::de::Error) -> String {
    let message = error.message().lines().next().unwrap_or("not TOML");
    let Some((key, rest)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) else {
        return message.to_owned();
    };
    let known = rest.split('`').skip(1).step_by(2);
    match known.map(|it| (strsim::damerau_levenshtein(key, it), it)).min() {
        Some((1..=3, near)) => format!("unknown key; did you mean `{near}`?"),
        _ => "unknown key".to_owned(),
    }
}

/// A hash that is written to.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::access::{Command, Reach};
    use crate::plan::batch::Assignment;
    use crate::plan::split::Before;

    /// A plan that holds `text` wherever a text can be.
    fn plan(text: &str) -> PlanFile {
        let text = || text.to_owned();
        let step = FileStep {
            id: 1,
            stage: Stage::Contract,
            summary: text(),
            sql: text(),
            batch: Some(Batch {
                table: text(),
                key: vec![text(), text()],
                set: vec![Assignment { column: text(), value: text() }],
                pending: text(),
                into: Some(text()),
            }),
            transaction: Some(1),
            lock_timeout_ms: 2_000,
            statement_timeout_ms: 0,
            locks: vec![
                FileLock { relation: text(), mode: Lock::AccessExclusive, observed: None },
                FileLock { relation: text(), mode: Lock::Share, observed: Some(Lock::Share) },
            ],
            rewrites: vec![text()],
            scans: vec![text(), text()],
            hazards: vec![
                FileHazard {
                    code: Code::DropTable,
                    object: text(),
                    why: text(),
                    severity: Some(Severity::Warn),
                    accepted: Some(text()),
                },
                FileHazard { code: Code::DropColumn, object: text(), why: text(), severity: None, accepted: None },
            ],
            estimate: Some(Estimate {
                rows: 3,
                bytes: 8192,
                seconds: [0.0, 1.25],
                disk: 8192,
                wal: 0,
                reason: text(),
            }),
            undo: vec![Undo::inside(text()), Undo::outside(text())],
            irreversible: Some(text()),
            check: Some(text()),
            because: Some(text()),
        };
        let bare = FileStep {
            summary: text(),
            lock_timeout_ms: step.lock_timeout_ms,
            statement_timeout_ms: step.statement_timeout_ms,
            ..FileStep::new(2, step.stage, text())
        };
        PlanFile {
            format: FORMAT,
            tool: text(),
            id: text(),
            name: text(),
            part: Some(Part { number: 2, of: 3, before: vec![Before { name: text(), fingerprint: text() }] }),
            from: From { fingerprint: text(), server: text() },
            to: To { fingerprint: text(), declaration: text() },
            scope: Scope {
                namespaces: vec![text()],
                ignore: vec![text(), text()],
                platform: Some(crate::platform::Platform::Supabase),
                quarantine: Some(crate::name::Name::from(text())),
                tenants: Some(crate::scope::Tenants { template: text(), named: text() }),
                upon: vec![text()],
                owners: true,
                ..Scope::default()
            },
            proof: Proof {
                server: text(),
                converges: true,
                filled: [(text(), 3)].into(),
                unfilled: [(text(), text())].into(),
                unproved: vec![text(), text()],
                access: vec![
                    Change {
                        role: text(),
                        commands: vec![Command::Select, Command::Insert],
                        object: text(),
                        before: None,
                        after: Reach::All,
                    },
                    Change {
                        role: text(),
                        commands: vec![Command::Delete],
                        object: text(),
                        before: Some(Reach::Others),
                        after: Reach::Refused,
                    },
                ],
                ..Proof::default()
            },
            notes: vec![text(), text()],
            difference: text(),
            gates: vec![Gate {
                before: Stage::Contract,
                unused: vec![text()],
                retired: vec![text()],
                broken: vec![text()],
            }],
            steps: vec![step, bare],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "",
            "plain",
            "ALTER TABLE \"A\" SET DEFAULT 'x'",
            "'",
            "''",
            "'''",
            "'''\"",
            "'begins \"so\" or \\so",
            "a ''' b \"\"\" c\nand '' so \"\" on",
            "\"\"\"",
            "ends in \"",
            "ends in \\",
            "C:\\path\\u0041 \\",
            "two\nlines",
            "\nbegins and ends\n",
            "\n",
            "lines\nend in '",
            "lines\nend in \\\nand \"",
            "return\r\nand feed",
            "\r",
            "tab\there",
            "tab\tand\nline",
            "bell \u{7} delete \u{7f} next line \u{85} null \u{0}",
            "bell \u{7}\nin lines '''",
            "größer \u{1F600} \u{202E} \u{FEFF}",
            "# no comment",
            "a = 1",
            "]",
        ] {
            let plan = plan(text);
            let written = plan.to_toml();
            let read = PlanFile::read(&File::new("p.toml", written.as_str()));
            let read = read.unwrap_or_else(|reports| panic!("{text:?}: {reports:?}\n{written}"));
            assert_eq!(read, plan, "{text:?}:\n{written}");
            assert_eq!(read.to_toml(), written);
        }
    }

    #[test]
    fn a_plan_without_steps_is_read_again() {
        let plan = PlanFile { steps: vec![], notes: vec![], difference: String::new(), ..plan("x") };
        assert_eq!(PlanFile::read(&File::new("p.toml", plan.to_toml())).unwrap(), plan);
    }

    #[test]
    fn a_checkout_with_other_ends_of_lines_is_the_same_plan() {
        let plan = plan("two\nlines\r\n");
        let read = PlanFile::read(&File::new("plan.toml", plan.to_toml().replace('\n', "\r\n"))).unwrap();
        assert_eq!((read.meaning(), read), (plan.meaning(), plan));
    }

    #[test]
    fn a_plan_reads_well() {
        let mut plan = plan("…");
        plan.name = "switch-to-tenants".into();
        plan.difference = "--- live\n+++ declared\n+CREATE TABLE app.users ();\n".into();
        plan.notes = vec!["not managed, and left as it is: cast x AS y".into()];
        let step = &mut plan.steps[0];
        step.summary = "create table app.\"Users\"".into();
        step.sql = "CREATE TABLE app.\"Users\" (\n    id bigint NOT NULL,\n    name text DEFAULT 'x'\n)".into();
        step.undo = vec![Undo::inside("DROP TABLE app.\"Users\"")];
        step.locks[0].relation = "app.contacts".into();
        plan.steps[1].sql = "CREATE INDEX CONCURRENTLY i ON app.contacts (id)".into();
        insta::assert_snapshot!(plan.to_toml());
    }

    fn fault(text: &str) -> Report {
        PlanFile::read(&File::new("plans/1-x.toml", text)).unwrap_err().remove(0)
    }

    #[test]
    fn a_file_cut_short_is_shown_where_it_ends() {
        let text = plan("some\ntext").to_toml();
        for (at, _) in text.char_indices() {
            // Cut between two steps, or within the last one's optional lines, it is a file of its own; its id tells.
            if let Err(reports) = PlanFile::read(&File::new("p.toml", &text[..at])) {
                assert!(["plan::file", "plan::empty"].contains(&reports[0].code), "{at}: {reports:?}");
            }
        }
        let within_a_line = text.rfind("[[step]]").expect("there is a step") + 3;
        let report = fault(&text[..within_a_line]);
        assert_eq!(report.places.len(), 1, "{report:?}");
    }

    #[test]
    fn what_is_no_plan_is_told_from_what_is_broken() {
        assert_eq!(fault("").code, "plan::empty");
        assert_eq!(fault(" \n").code, "plan::empty");
        assert!(fault("x = 1").message.contains("names no `format`"));
        assert_eq!(fault("format = 0").places[0].span, 9..10);
        assert_eq!(fault("format = \"1\"").code, "plan::file");
        assert_eq!(fault("format = 1\nid = ").code, "plan::file");
    }

    #[test]
    fn a_newer_format_is_told_before_its_keys_are_looked_at() {
        let report = fault("format = 2\nnovel = true\n");
        assert_eq!((report.code, report.places[0].span.clone()), ("plan::format", 9..10));
    }

    #[test]
    fn an_unknown_key_is_underlined() {
        let text = plan("x").to_toml().replace("because", "becuase");
        let report = fault(&text);
        assert_eq!(report.places[0].label, "unknown key; did you mean `because`?");
        assert!(text[report.places[0].span.clone()].contains("becuase"), "{report:?}");
    }

    #[test]
    fn an_edit_of_the_meaning_is_noticed() {
        let mut plan = plan("x");
        plan.id = plan.meaning();
        plan.notes.clear();
        plan.steps[0].hazards[1].accepted = Some("me".into());
        assert!(!plan.is_edited());
        plan.steps[0].sql = "DROP DATABASE x".into();
        assert!(plan.is_edited());
    }
}
