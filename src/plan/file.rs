//! The plan file: one TOML document a plan, made to be read in a pull request. No time and no random value is in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::diagnostic::{File, Report};
use crate::kind::as_trees;
use crate::lock::Lock;
use crate::plan::hazard::Code;
use crate::plan::{Stage, Undo};
use crate::schema::Schema;
use crate::scope::Scope;

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
    /// One statement, without a semicolon at its end.
    pub sql: String,
    /// Steps with the same number share a transaction; without one the statement runs outside any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u32>,
    /// Milliseconds to wait for a lock.
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
    /// What the range rests on.
    pub reason: String,
}

impl FileHazard {
    /// The object as `--accept` takes it: without the word for its kind.
    pub fn object_path(&self) -> &str {
        self.object.split_once(' ').map_or(self.object.as_str(), |(_, path)| path)
    }
}

impl PlanFile {
    /// The file's text. The same plan gives the same bytes.
    ///
    /// # Panics
    /// Never: every value of a plan has a TOML form.
    pub fn to_toml(&self) -> String {
        let body = toml::to_string_pretty(self).expect("a plan has a TOML form");
        format!("# A plan of tenantry. `tenantry show` renders it; `tenantry apply` runs it.\n\n{body}")
    }

    /// Reads a plan file.
    ///
    /// Errors: no TOML, or none of this format, with the place.
    pub fn read(file: &Arc<File>) -> Result<PlanFile, Vec<Report>> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let at = |error: toml::de::Error| {
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            let report = Report::error("plan::file", format!("{} is no plan file that can be read", file.path))
                .help("if it was cut short or edited, take it from version control again, or plan anew");
            let span = error.span().unwrap_or(file.text.len()..file.text.len());
            vec![report.at(file, span, message)]
        };
        let head: Head = toml::from_str(&file.text).map_err(at)?;
        if head.format > FORMAT {
            let message =
                format!("{} has format {}, and this program reads up to {FORMAT}", file.path, head.format);
            return Err(vec![Report::error("plan::format", message).help("use the newer tenantry that wrote it")]);
        }
        toml::from_str(&file.text).map_err(at)
    }

    /// The hash of what the plan does: everything but the notes, the summaries, the difference and who accepted what.
    pub fn meaning(&self) -> String {
        let mut plain = self.clone();
        plain.id = String::new();
        plain.tool = String::new();
        plain.name = String::new();
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
    hash(&as_trees(|| serde_json::to_vec(&objects)).expect("an object has a JSON form"))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
