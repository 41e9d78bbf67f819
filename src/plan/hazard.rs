//! Hazards: what a step may cost a running system. Which there are says `list`, what other tools warn of `field`, and
//! `page` makes the documentation of both.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::ObjectId;

mod field;
mod list;
pub mod page;

pub use list::{About, Code};

/// How much a running system would feel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Told only where the repository asks for it.
    Off,
    /// Told, and planned.
    Warn,
    /// Applied only when accepted by name.
    Refuse,
}

/// A hazard of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    pub code: Code,
    pub object: ObjectId,
    /// That of the code, unless the repository decides otherwise.
    pub severity: Severity,
    /// The evidence, for people.
    pub why: String,
    /// Who accepted it: "--accept", or the reason in the declaration.
    pub accepted: Option<String>,
}

impl Hazard {
    /// As its code has it, accepted by nobody.
    pub fn new(code: Code, object: ObjectId, why: impl Into<String>) -> Self {
        Hazard { code, object, severity: code.severity(), why: why.into(), accepted: None }
    }
}

/// What a hazard is about, as the documentation groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Loss,
    Break,
    Guard,
    Rows,
    Wait,
    Access,
    Design,
}

impl Area {
    pub const ALL: [Area; 7] =
        [Area::Loss, Area::Break, Area::Guard, Area::Rows, Area::Wait, Area::Access, Area::Design];

    pub fn title(self) -> &'static str {
        match self {
            Area::Loss => "Data that goes",
            Area::Break => "Code that fails",
            Area::Guard => "What was kept up",
            Area::Rows => "Rows that stand against a step",
            Area::Wait => "Waiting",
            Area::Access => "Who sees what",
            Area::Design => "Better made otherwise",
        }
    }
}

impl Code {
    pub fn name(self) -> &'static str {
        self.about().code
    }

    pub fn severity(self) -> Severity {
        self.about().severity
    }

    /// What happens to a running system.
    pub fn effect(self) -> &'static str {
        self.about().effect
    }

    /// What to do instead, or first.
    pub fn safer(self) -> &'static str {
        self.about().safer
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
