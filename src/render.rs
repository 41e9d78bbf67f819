//! A plan for people and for programs. Nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use similar::TextDiff;

use crate::diagnostic::Look;
use crate::diagnostic::visible::one_line;
use crate::diff::diff;
use crate::kind::{Kind, ObjectId};
use crate::plan::file::PlanFile;
use crate::plan::{self, Half, Planned};
use crate::schema::{Facts, Schema};

pub mod html;
pub mod json;
pub mod markdown;
pub mod review;
pub mod sql;
pub mod text;

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a comment on a pull request.
    Markdown,
    /// A script for psql.
    Sql,
    /// The plan file's fields, for programs.
    Json,
    /// One page for a browser.
    Html,
}

/// A plan in one of its forms.
pub fn render(plan: &PlanFile, format: Format, look: Look) -> String {
    match format {
        Format::Text => text::render(plan, look),
        Format::Markdown => markdown::render(plan),
        Format::Sql => sql::render(plan),
        Format::Json => json::render(plan),
        Format::Html => html::render(plan),
    }
}

/// One line that says what a step does, from what it is about.
pub fn summary(step: &Planned) -> String {
    if let Some(own) = &step.step.summary {
        return own.clone();
    }
    let of = |half: Half| step.does.iter().find(|(id, of)| *of == half && *id == step.subject);
    let verb = if of(Half::Create).is_some() {
        "create"
    } else if of(Half::Drop).is_some() {
        "drop"
    } else {
        "change"
    };
    // Row security is nothing that is created: it is on or off.
    let verb = match (step.subject.kind, verb) {
        (Kind::RowSecurity, "create") => "turn on",
        (Kind::RowSecurity, "drop") => "turn off",
        (_, verb) => verb,
    };
    format!("{verb} {}", step.subject)
}

/// Of a difference, what another one does not show as well, object by object.
pub fn beyond(difference: &str, other: &str) -> String {
    let parts = |text: &str| -> Vec<String> {
        let mut parts: Vec<String> = vec![];
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let begins =
                line.starts_with("--- live ") && lines.peek().is_some_and(|it| it.starts_with("+++ declared "));
            match parts.last_mut() {
                Some(part) if !begins => part.push_str(line),
                _ => parts.push(line.to_owned()),
            }
        }
        parts
    };
    let known = parts(other);
    parts(difference).into_iter().filter(|it| !known.contains(it)).collect()
}

/// The difference of two schemas as a unified diff of the statements that would make what differs, object by object.
pub fn schema_difference(old: &Schema, new: &Schema) -> String {
    let changes = diff(old, new);
    // A part that one side lacks is seen beside the rest of its whole, which both have.
    let sides = [old, new];
    let of = |id| sides.into_iter().filter(move |it| it.contains(id)).map(move |it| it.whole_of(id));
    let wholes: BTreeSet<ObjectId> = changes.keys().flat_map(of).collect();
    let statements = |schema: &Schema| {
        let part = schema.filtered(|id| wholes.contains(&schema.whole_of(id)));
        let steps = plan::make(&schema.empty(), &part, &Facts::default()).unwrap_or_default();
        let mut texts: BTreeMap<ObjectId, String> = BTreeMap::new();
        for it in &steps {
            let text = texts.entry(part.whole_of(&it.subject)).or_default();
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{};\n", it.step.sql));
        }
        texts
    };
    let (before, after) = (statements(old), statements(new));
    let objects: BTreeSet<&ObjectId> = before.keys().chain(after.keys()).collect();
    let difference = |id: &ObjectId| {
        let [before, after] = [&before, &after].map(|it| it.get(id).map_or("", String::as_str));
        let name = id.to_string();
        let [live, declared] = ["live", "declared"].map(|it| format!("{it} {}", one_line(&name)));
        TextDiff::from_lines(before, after).unified_diff().header(&live, &declared).to_string()
    };
    objects.into_iter().map(difference).collect()
}
