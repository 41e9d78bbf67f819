//! Hazards: what a step may cost a running system. Which there are says `list`, what other tools warn of `field`, and
//! `page` makes the documentation of both.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostic::visible::one_line;
use crate::kind::{Kind, ObjectId};

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

/// Whether `CODE`, `CODE:object` or `all` means a hazard of the object that people call so.
pub fn is_meant(given: &str, code: Code, object: &str) -> bool {
    match given.split_once(':') {
        _ if given == "all" => true,
        Some((of, named)) => {
            // What was printed may be pasted: there, nothing moves the cursor.
            let is_named = |it: &str| named == it || named == one_line(it);
            of == code.name() && (is_named(object) || is_named(without_kind(object)))
        }
        None => given == code.name(),
    }
}

/// An object without the words for its kind, which may be several: `public.t` of `row security of table public.t`.
pub fn without_kind(object: &str) -> &str {
    let names = Kind::ALL.iter().filter_map(|it| object.strip_prefix(it.noun())?.strip_prefix(' '));
    names.min_by_key(|it| it.len()).unwrap_or(object)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hazard_is_meant_by_the_name_of_its_object() {
        let meant = |given: &str, object: &str| is_meant(given, Code::DropColumn, object);
        for given in ["all", "drop-column", "drop-column:public.t.c", "drop-column:column public.t.c"] {
            assert!(meant(given, "column public.t.c"), "{given}");
        }
        for given in ["drop-table", "drop-column:public.t", "drop-column:c", "drop-table:public.t.c"] {
            assert!(!meant(given, "column public.t.c"), "{given}");
        }
        assert!(meant("drop-column:public.f(integer, text)", "routine public.f(integer, text)"));
        assert!(meant("drop-column:public.d.c", "domain constraint public.d.c"));
        assert!(meant(r#"drop-column:public."a\nb""#, "column public.\"a\nb\""));
    }

    #[test]
    fn a_kind_may_have_several_words() {
        assert_eq!(without_kind("row security of table public.t"), "public.t");
        assert_eq!(without_kind("default of column public.t.c"), "public.t.c");
        assert_eq!(without_kind("column public.\"a b\".c"), "public.\"a b\".c");
    }
}
