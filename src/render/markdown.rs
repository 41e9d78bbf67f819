//! A plan as a comment on a pull request: what decides first, the rest folded. Names and notes come from anywhere, so
//! nothing of them is taken as markup, and nobody is mentioned by them.

use std::fmt::Write;

use super::review;
use crate::amount;
use crate::diagnostic::visible::{one_line, visible};
use crate::plan::file::{FileStep, PlanFile};

/// Hosts of pull requests refuse longer comments (GitHub: 65,536 characters).
const LONGEST: usize = 60_000;

/// What is left out so that a comment is short enough.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Less {
    Nothing,
    Difference,
    Statements,
    Steps,
}

/// The plan as Markdown as GitHub has it.
pub fn render(plan: &PlanFile) -> String {
    let forms = [Less::Nothing, Less::Difference, Less::Statements, Less::Steps];
    let mut last = String::new();
    for less in forms {
        let form = page(plan, less);
        if form.chars().count() <= LONGEST {
            return form;
        }
        last = form;
    }
    last
}

fn page(plan: &PlanFile, less: Less) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "## Plan {} {}\n", code(&plan.name), code(review::short(&plan.id)));
    let _ = writeln!(
        out,
        "{}; PostgreSQL {}; {}.\n",
        review::extent(plan),
        prose(&plan.from.server),
        prose(&review::proof(plan))
    );
    if let Some(part) = review::part(plan) {
        let _ = writeln!(out, "This is {}.\n", prose(&part));
    }
    if let Some(room) = review::room(&plan.steps.iter().collect::<Vec<_>>()) {
        let _ = writeln!(out, "Needs {room}.\n");
    }
    if plan.is_edited() {
        let _ = writeln!(out, "> **Edited after it was proved.** Plan again, or verify it.\n");
    }
    stage_table(&mut out, plan);
    hazards(&mut out, plan);
    locks(&mut out, plan);
    let access: Vec<String> = review::access(plan).into_iter().map(|it| it.1).collect();
    list(&mut out, "Who gains and who loses what", &access);
    list(&mut out, "Not proved", &review::unproved(plan));
    let mut notes = review::folded(&plan.notes);
    notes.extend(review::reasons(plan));
    list(&mut out, "Notes", &notes);
    if less < Less::Steps {
        for (stage, steps) in review::stages(plan) {
            let count = amount::counted(steps.len(), "step");
            let _ = writeln!(out, "<details><summary><b>{}</b>: {count}</summary>\n", stage.name());
            for condition in review::gate(plan, stage) {
                let _ = writeln!(out, "**Gate**: {}\n", prose(&condition));
            }
            for group in review::groups(&steps) {
                if let [first, .., last] = group {
                    let _ = writeln!(out, "*Steps {} to {} share a transaction.*\n", first.id, last.id);
                }
                for place in 0..group.len() {
                    write_step(&mut out, group, place, less < Less::Statements);
                }
            }
            out.push_str("</details>\n\n");
        }
    }
    if less < Less::Difference && !plan.difference.is_empty() {
        out.push_str("<details><summary>Difference of the schemas</summary>\n\n");
        fenced(&mut out, "diff", &plan.difference);
        out.push_str("</details>\n\n");
    }
    if less > Less::Nothing {
        let what = match less {
            Less::Nothing | Less::Difference => "The difference",
            Less::Statements => "The statements and the difference",
            Less::Steps => "The steps and the difference",
        };
        let _ = writeln!(out, "{what} would make this comment too long; `tenantry show` has the whole plan.\n");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn stage_table(out: &mut String, plan: &PlanFile) {
    let stages = review::stages(plan);
    if stages.is_empty() {
        out.push_str("Nothing is left to change.\n\n");
        return;
    }
    out.push_str("| stage | steps | strongest lock | expected |\n|---|---:|---|---|\n");
    for (stage, steps) in stages {
        let lock = steps.iter().flat_map(|it| &it.locks).map(|it| it.mode).max();
        let lock = lock.map_or_else(|| "none".into(), |it| format!("{it}: blocks {}", it.blocks()));
        let expected = review::total_seconds(&steps).map_or_else(String::new, review::seconds);
        let count = amount::thousands(steps.len() as u64);
        let _ = writeln!(out, "| {} | {count} | {lock} | {expected} |", stage.name());
    }
    out.push('\n');
}

fn hazards(out: &mut String, plan: &PlanFile) {
    let all = review::hazards(plan);
    if all.is_empty() {
        return;
    }
    out.push_str("### Hazards\n\n| step | hazard | what happens | accepted |\n|---:|---|---|---|\n");
    for (step, hazard) in all {
        let accepted = match &hazard.accepted {
            Some(who) => prose(who),
            None if hazard.needs_acceptance() => {
                format!("**no**, needs {}", code(&format!("--accept {}", hazard.acceptance())))
            }
            None => "not needed".into(),
        };
        let (object, why) = (code(&hazard.object), prose(&hazard.why));
        let effect = hazard.code.effect();
        let _ = writeln!(out, "| {step} | `{}` | {object}: {why}; {effect} | {accepted} |", hazard.code);
    }
    out.push('\n');
}

fn locks(out: &mut String, plan: &PlanFile) {
    let all = review::strongest(plan);
    if all.is_empty() {
        return;
    }
    out.push_str("### Locks\n\n| relation | strongest lock | blocks | steps | longest |\n|---|---|---|---:|---|\n");
    for it in all {
        let longest = it.seconds.map_or_else(String::new, review::seconds);
        let (relation, blocks) = (code(it.relation), it.mode.blocks());
        let _ = writeln!(out, "| {relation} | {} | {blocks} | {} | {longest} |", it.mode, it.steps);
    }
    out.push('\n');
}

fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "### {title}\n");
    for it in items {
        let _ = writeln!(out, "- {}", prose(it));
    }
    out.push('\n');
}

fn write_step(out: &mut String, group: &[&FileStep], place: usize, has_statement: bool) {
    let step = group[place];
    let because = step.because.as_ref().map(|it| format!(" ({})", code(it))).unwrap_or_default();
    let _ = writeln!(out, "**{}.** {}{because}\n", step.id, prose(&step.summary));
    if has_statement {
        fenced(out, "sql", &format!("{};", step.sql));
    }
    let mut facts = vec![];
    if step.transaction.is_none() {
        facts.push("outside any transaction".to_owned());
    }
    let held = review::held(group, place);
    for lock in &step.locks {
        let (relation, seen) = (code(&lock.relation), review::seen(lock));
        facts.push(format!("locks {relation} {} ({seen}): {}", lock.mode, review::blocks(lock.mode, &held)));
    }
    facts.extend(review::work(step).iter().map(|it| prose(it)));
    for hazard in &step.hazards {
        facts.push(format!("hazard `{}`: {}: {}", hazard.code, code(&hazard.object), prose(&hazard.why)));
    }
    if let Some(why) = &step.irreversible {
        facts.push(format!("can't be taken back without loss: {}", prose(why)));
    }
    for it in &facts {
        let _ = writeln!(out, "- {it}");
    }
    if !facts.is_empty() {
        out.push('\n');
    }
}

/// A block of code, in a fence that is longer than any in it.
fn fenced(out: &mut String, language: &str, text: &str) {
    let text = visible(text);
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'));
}

/// Code inside of a line or a table's cell. What is not plain is written as HTML with entities: a backtick or a pipe
/// has no meaning there, which no number of backslashes gives in every place.
fn code(text: &str) -> String {
    let text = one_line(text);
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "._-:,()/ ".contains(it);
    if !text.trim().is_empty() && text.trim() == text && text.chars().all(is_plain) {
        return format!("`{text}`");
    }
    let mut out = String::from("<code>");
    for it in text.chars() {
        if it.is_ascii_punctuation() {
            let _ = write!(out, "&#{};", u32::from(it));
        } else {
            out.push(it);
        }
    }
    out.push_str("</code>");
    out
}

/// Words inside of a line or a table's cell.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in one_line(text).chars() {
        match it {
            '<' | '>' | '&' | '|' | '\\' | '`' | '*' | '[' | ']' | '~' | '$' | '!' | '{' | '}' => {
                let _ = write!(out, "&#{};", u32::from(it));
            }
            '_' => out.push_str("\\_"),
            // A word joiner, unseen, keeps the host from mentioning people and linking issues.
            '@' | '#' => out.extend([it, '\u{2060}']),
            _ => out.push(it),
        }
    }
    // The host links what looks like an address.
    out.replace("://", ":\u{2060}//").replace("www.", "www\u{2060}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(code("public.contacts"), "`public.contacts`");
        assert_eq!(code("a`|<b>"), "<code>a&#96;&#124;&#60;b&#62;</code>");
        assert_eq!(code("a\nb"), "<code>a&#92;nb</code>");
        assert_eq!(prose("<img src=x> | *b* `c`"), "&#60;img src=x&#62; &#124; &#42;b&#42; &#96;c&#96;");
        assert_eq!(prose("@all a_b"), "@\u{2060}all a\\_b");
    }

    #[test]
    fn no_text_ends_its_fence() {
        let mut out = String::new();
        fenced(&mut out, "sql", "SELECT '````'");
        assert_eq!(out, "`````sql\nSELECT '````'\n`````\n\n");
    }
}
