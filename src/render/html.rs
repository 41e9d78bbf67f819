//! A plan as one page for a browser, which needs nothing beside it: no script, no network. Its policy forbids both, so
//! that a name which got through unescaped could do nothing either.

use std::fmt::Write;

use super::review;
use crate::amount;
use crate::diagnostic::visible::{one_line, visible};
use crate::lock::Lock;
use crate::plan::file::{FileHazard, FileStep, PlanFile};

const HEAD: &str = r#"<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
:root { --ink: #1c2128; --dim: #59636e; --page: #fff; --box: #f6f8fa; --line: #d1d9e0; --red: #b3261e;
  --amber: #8a5a00; --green: #1a7f37; --plus: #dafbe1; --minus: #ffebe9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --dim: #9198a1; --page: #0d1117; --box: #151b23; --line: #3d444d; --red: #ff7b72;
    --amber: #e3b341; --green: #56d364; --plus: #12361f; --minus: #48201f }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 2rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word }
a { color: inherit }
h1 { font-size: 1.6rem; margin: 0 0 .5rem } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
h3 { font-size: 1rem; margin: 0; font-weight: 600 }
code, pre { font: .85rem/1.5 ui-monospace, monospace }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: .5rem 0;
  overflow-x: auto; white-space: pre; overflow-wrap: normal }
table { border-collapse: collapse; display: block; overflow-x: auto } th { text-align: left; color: var(--dim); font-weight: 500 }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; vertical-align: top }
ul { margin: .5rem 0; padding-left: 1.2rem } summary { cursor: pointer }
.dim { color: var(--dim) } .red { color: var(--red) } .amber { color: var(--amber) } .green { color: var(--green) }
.step { margin: 1.25rem 0 } .group { border-left: 3px solid var(--line); padding-left: 1rem; margin: 1.25rem 0 }
.diff span { display: block; min-width: max-content } .plus { background: var(--plus) } .minus { background: var(--minus) }
</style>
"#;

/// The plan as a page.
pub fn render(plan: &PlanFile) -> String {
    let mut out = format!("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{HEAD}");
    let name = escaped(&plan.name);
    let _ = writeln!(out, "<title>Plan {name}</title>\n</head>\n<body>");
    let _ = writeln!(out, "<h1>Plan {name} <code class=\"dim\">{}</code></h1>", escaped(review::short(&plan.id)));
    let _ = writeln!(out, "<p>{}; PostgreSQL {}.", review::extent(plan), escaped(&plan.from.server));
    if let Some(part) = review::part(plan) {
        let _ = writeln!(out, "<br>This is {}.", escaped(&part));
    }
    if let Some(room) = review::room(&plan.steps.iter().collect::<Vec<_>>()) {
        let _ = writeln!(out, "<br>Needs {room}.");
    }
    let is_whole = plan.proof.converges && plan.proof.undo_returns && plan.proof.rows_survive;
    let ink = if is_whole { "green" } else { "amber" };
    let _ = writeln!(out, "<br><span class=\"{ink}\">{}</span>", escaped(&review::proof(plan)));
    let (from, to) = (review::short(&plan.from.fingerprint), review::short(&plan.to.fingerprint));
    let _ = writeln!(
        out,
        "<br><span class=\"dim\">From <code>{}</code> to <code>{}</code>,",
        escaped(from),
        escaped(to)
    );
    let declaration = escaped(review::short(&plan.to.declaration)).into_owned();
    let _ = writeln!(out, "as declared by <code>{declaration}</code></span></p>");
    if plan.is_edited() {
        out.push_str("<p class=\"red\"><b>Edited after it was proved.</b> Plan again, or verify it.</p>\n");
    }
    if plan.steps.is_empty() {
        out.push_str("<p>Nothing is left to change.</p>\n");
    }
    hazards(&mut out, plan);
    locks(&mut out, plan);
    let access: Vec<String> = review::access(plan).into_iter().map(|it| it.1).collect();
    list(&mut out, "Who gains and who loses what", &access);
    list(&mut out, "Not proved", &review::unproved(plan));
    for (stage, steps) in review::stages(plan) {
        let expected =
            review::total_seconds(&steps).map(|it| format!(", {}", review::seconds(it))).unwrap_or_default();
        let count = amount::counted(steps.len(), "step");
        let _ = writeln!(out, "<h2>{} <span class=\"dim\">{count}{expected}</span></h2>", stage.name());
        for condition in review::gate(plan, stage) {
            let _ = writeln!(out, "<p class=\"amber\">Gate: {}</p>", escaped(&condition));
        }
        for group in review::groups(&steps) {
            if let [first, .., last] = group {
                let _ = writeln!(out, "<section class=\"group\">");
                let _ = writeln!(out, "<p class=\"dim\">Steps {} to {} share a transaction</p>", first.id, last.id);
            }
            (0..group.len()).for_each(|place| write_step(&mut out, group, place));
            if group.len() > 1 {
                out.push_str("</section>\n");
            }
        }
    }
    let mut notes = review::folded(&plan.notes);
    notes.extend(review::reasons(plan));
    list(&mut out, "Notes", &notes);
    difference(&mut out, &plan.difference);
    out.push_str("</body>\n</html>\n");
    out
}

fn hazards(out: &mut String, plan: &PlanFile) {
    let all = review::hazards(plan);
    if all.is_empty() {
        return;
    }
    out.push_str("<h2>Hazards</h2>\n<table>\n<tr><th>Step<th>Hazard<th>What happens<th>Accepted</tr>\n");
    for (step, hazard) in all {
        let _ = write!(
            out,
            "<tr><td><a href=\"#step-{step}\">{step}</a><td class=\"{}\"><code>{}</code>",
            ink(hazard),
            hazard.code
        );
        let (object, why) = (escaped(&hazard.object), escaped(&hazard.why));
        let _ = write!(out, "<td><code>{object}</code>: {why}; {}", hazard.code.effect());
        let _ = writeln!(out, "<td class=\"{}\">{}</tr>", accepted_ink(hazard), acceptance(hazard));
    }
    out.push_str("</table>\n");
}

fn locks(out: &mut String, plan: &PlanFile) {
    let all = review::strongest(plan);
    if all.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Strongest locks</h2>\n<table>\n<tr><th>Relation<th>Lock<th>Blocks<th>Steps<th>Longest</tr>\n",
    );
    for it in all {
        let longest = it.seconds.map_or_else(String::new, review::seconds);
        let _ = write!(out, "<tr><td><code>{}</code>", escaped(it.relation));
        let _ = write!(out, "<td class=\"{}\">{}<td>{}", lock_ink(it.mode), it.mode, it.mode.blocks());
        let _ = writeln!(out, "<td>{}<td>{longest}</tr>", it.steps);
    }
    out.push_str("</table>\n");
}

fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{title}</h2>\n<ul>");
    for it in items {
        let _ = writeln!(out, "<li>{}</li>", escaped(it));
    }
    out.push_str("</ul>\n");
}

fn write_step(out: &mut String, group: &[&FileStep], place: usize) {
    let step = group[place];
    let because = step.because.as_ref().map(|it| format!(" <code class=\"dim\">{}</code>", escaped(it)));
    let _ = write!(out, "<div class=\"step\" id=\"step-{0}\">\n<h3>{0}. {1}", step.id, escaped(&step.summary));
    let _ = writeln!(out, "{}</h3>", because.unwrap_or_default());
    let _ = writeln!(out, "<pre>{};</pre>", escaped_lines(&step.sql));
    let mut facts = vec![];
    if step.transaction.is_none() {
        facts.push(("dim", "outside any transaction".to_owned()));
    }
    let held = review::held(group, place);
    for lock in &step.locks {
        let (relation, seen, blocks) =
            (escaped(&lock.relation), review::seen(lock), review::blocks(lock.mode, &held));
        let text = format!("locks <code>{relation}</code> {} ({seen}): {blocks}", lock.mode);
        facts.push((lock_ink(lock.mode), text));
    }
    facts.extend(review::work(step).iter().map(|it| ("", escaped(it).into_owned())));
    for hazard in &step.hazards {
        let (object, why) = (escaped(&hazard.object), escaped(&hazard.why));
        let then = match hazard {
            it if it.needs_acceptance() || it.accepted.is_some() => acceptance(it),
            it => it.code.effect().to_owned(),
        };
        let text = format!("hazard {}: <code>{object}</code>: {why}; {then}", hazard.code);
        facts.push((ink(hazard), text));
    }
    if let Some(why) = &step.irreversible {
        facts.push(("amber", format!("can’t be taken back without loss: {}", escaped(why))));
    }
    if !facts.is_empty() {
        out.push_str("<ul>\n");
        for (class, text) in facts {
            let _ = writeln!(out, "<li class=\"{class}\">{text}</li>");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</div>\n");
}

fn difference(out: &mut String, difference: &str) {
    if difference.is_empty() {
        return;
    }
    out.push_str("<h2>Difference of the schemas</h2>\n<pre class=\"diff\">");
    for line in difference.lines() {
        let class = match line.as_bytes().first() {
            Some(b'+') => "plus",
            Some(b'-') => "minus",
            Some(b'@') => "dim",
            _ => "",
        };
        // A block without text has no height.
        let text = if line.is_empty() { " ".into() } else { escaped_lines(line) };
        let _ = write!(out, "<span class=\"{class}\">{text}</span>");
    }
    out.push_str("</pre>\n");
}

fn acceptance(hazard: &FileHazard) -> String {
    match &hazard.accepted {
        Some(who) => format!("accepted by {}", escaped(who)),
        None if hazard.needs_acceptance() => {
            format!("needs <code>--accept {}</code>", escaped(&hazard.acceptance()))
        }
        None => "not needed".into(),
    }
}

fn ink(hazard: &FileHazard) -> &'static str {
    match hazard {
        it if it.needs_acceptance() => "red",
        it if it.accepted.is_some() => "green",
        _ => "amber",
    }
}

fn accepted_ink(hazard: &FileHazard) -> &'static str {
    if hazard.needs_acceptance() || hazard.accepted.is_some() { ink(hazard) } else { "dim" }
}

fn lock_ink(mode: Lock) -> &'static str {
    match mode {
        Lock::AccessExclusive => "red",
        Lock::Exclusive | Lock::ShareRowExclusive | Lock::Share => "amber",
        Lock::ShareUpdateExclusive | Lock::RowExclusive | Lock::RowShare | Lock::AccessShare => "",
    }
}

/// Text in one line, for an element or an attribute in quotes.
fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    let text = one_line(text);
    if text.contains(['&', '<', '>', '"', '\'']) { entities(&text).into() } else { text }
}

/// The same with its lines kept.
fn escaped_lines(text: &str) -> String {
    entities(&visible(text))
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(it),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(escaped("<script>&\"'"), "&lt;script&gt;&amp;&quot;&#39;");
        assert_eq!(escaped("a\nb"), "a\\nb");
        assert_eq!(escaped_lines("a\nb<"), "a\nb&lt;");
    }
}
