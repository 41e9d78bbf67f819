//! docs/hazards.md: the list of hazards, and what comes of the warnings of other tools.

use std::fmt::Write;

use super::field::{Answer, RULES};
use super::{About, Area, Code, Severity};

const HEAD: &str = "\
# Hazards

<!-- Made by `tenantry show hazards`. A test fails where this file is not what it prints. -->

A hazard is what a step may cost a running system. It comes from facts: a table that is new or empty has none. The plan
names the evidence with each one, and the step that has it.

Those that lose data or let somebody see more must be accepted by name before the plan is applied: with
`--accept drop-column:public.contacts.fax`, with `accept` in `[plan]`, or beside the declaration with
`-- tenantry: allow drop-column because nobody reads it`. `--accept all` accepts every one. `[plan.hazards]` says for a
code, or for a code and a pattern of objects, whether it is allowed, warned of or refused. Those that are off, `tenantry
lint` tells where it says so:

```toml
[plan.hazards]
drop-index = \"refuse\"
\"drop-table:public.tmp_*\" = \"allow\"
no-primary-key = \"warn\"
```
";

const FIELD: &str = "
## What other tools warn of

The warnings of linters and of other tools that compare schemas, and what comes of each. A plan avoids by its form what
it can, and names the rest.

| warning | here |
|---|---|
";

/// The page.
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for area in Area::ALL {
        let _ = writeln!(out, "\n## {}", area.title());
        for code in Code::ALL.iter().map(|it| it.about()).filter(|it| it.area == area) {
            hazard(&mut out, code);
        }
    }
    out.push_str(FIELD);
    for (rule, answer) in RULES {
        let _ = writeln!(out, "| {rule} | {} |", said(answer));
    }
    out
}

fn hazard(out: &mut String, about: &About) {
    let About { code, severity, area: _, condition, effect, safer, example } = about;
    let refused = match severity {
        Severity::Off => " (off)",
        Severity::Warn => "",
        Severity::Refuse => " (must be accepted)",
    };
    let _ = write!(
        out,
        "\n### `{code}`{refused}\n\nWhen {condition}: {effect}.\n\nSafer: {safer}.\n\n```sql\n{example}\n```\n"
    );
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Form(form) => format!("avoided: {form}"),
        Answer::Never(why) => format!("in no plan: {why}"),
        Answer::Told(how) => (*how).to_owned(),
        Answer::Unsaid(why) => format!("not told: {why}"),
        Answer::Checked(codes, note) => {
            let codes: Vec<String> =
                codes.iter().map(|it| format!("[`{}`](tenancy.md#the-check)", it.name())).collect();
            format!("{} of the check of tenancies{}", codes.join(", "), after(note))
        }
        Answer::Named(codes, note) => {
            let codes: Vec<String> =
                codes.iter().map(|it| format!("[`{0}`](#{1})", it.name(), anchor(it.about()))).collect();
            format!("{}{}", codes.join(", "), after(note))
        }
    }
}

fn after(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(": {note}") }
}

/// The place of a heading, as hosts of repositories name it.
fn anchor(about: &About) -> String {
    match about.severity {
        Severity::Off => format!("{}-off", about.code),
        Severity::Warn => about.code.to_owned(),
        Severity::Refuse => format!("{}-must-be-accepted", about.code),
    }
}
