//! A plan for a terminal: stages and steps as they will run, then a summary, then the schema difference.

use std::collections::{BTreeMap, BTreeSet};

use super::review;
use crate::amount;
use crate::diagnostic::Look;
use crate::diagnostic::visible::{one_line, visible};
use crate::lock::Lock;
use crate::plan::file::{FileHazard, FileStep, PlanFile};

/// Lines of a statement that is shown in full though nothing waits for its step.
const SHORT: usize = 4;

/// The review of a plan.
pub fn render(plan: &PlanFile, look: Look) -> String {
    let mut page = Page { out: String::new(), colour: look.colour, width: look.width.max(40), added: None };
    page.header(plan);
    page.steps(plan);
    page.summary(plan);
    page.access(plan);
    page.notes(plan);
    page.difference(&plan.difference);
    page.out
}

/// The steps alone: what is left of a review when there is no server, no proof and no difference to tell of.
pub fn steps(plan: &PlanFile, look: Look) -> String {
    let mut page = Page { out: String::new(), colour: look.colour, width: look.width.max(40), added: None };
    page.steps(plan);
    page.out
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

struct Page {
    out: String,
    colour: bool,
    width: usize,
    /// The lines that the difference adds, where there is one.
    added: Option<BTreeSet<String>>,
}

impl Page {
    fn header(&mut self, plan: &PlanFile) {
        let title = self.paint(Ink::Bold, &format!("Plan {}", one_line(&plan.name)));
        let id = self.paint(Ink::Dim, review::short(&plan.id));
        self.line(&format!("{title}  {id}"));
        let (from, to) = (review::short(&plan.from.fingerprint), review::short(&plan.to.fingerprint));
        let declaration = review::short(&plan.to.declaration);
        self.entry("server", None, &format!("PostgreSQL {}", one_line(&plan.from.server)));
        self.entry("state", None, &format!("{from} -> {to}, as declared by {declaration}"));
        if let Some(part) = review::part(plan) {
            self.entry("part", None, &part);
        }
        let is_whole = plan.proof.converges && plan.proof.undo_returns && plan.proof.rows_survive;
        let ink = if is_whole { Ink::Green } else { Ink::Yellow };
        self.entry("proof", Some(ink), &review::proof(plan));
        if plan.is_edited() {
            self.entry("edited", Some(Ink::Red), "changed after it was proved; plan again, or verify it");
        }
        let extent = match plan.steps.is_empty() {
            true => "nothing is left to change".to_owned(),
            false => review::extent(plan),
        };
        self.entry("extent", None, &extent);
        if let Some(room) = review::room(&plan.steps.iter().collect::<Vec<_>>()) {
            self.entry("room", None, &room);
        }
        let open = plan.steps.iter().flat_map(|it| &it.hazards).filter(|it| it.needs_acceptance()).count();
        if open > 0 {
            let verb = if open == 1 { "needs" } else { "need" };
            let text = format!("{} {verb} acceptance by name; see the summary", amount::counted(open, "hazard"));
            self.entry("hazards", Some(Ink::Red), &text);
        }
    }

    fn steps(&mut self, plan: &PlanFile) {
        let added = plan.difference.lines().filter_map(|it| it.strip_prefix('+')).map(str::to_owned);
        self.added = (!plan.difference.is_empty()).then(|| added.collect());
        for (stage, steps) in review::stages(plan) {
            self.line("");
            let mut title = amount::counted(steps.len(), "step");
            if let Some(seconds) = review::total_seconds(&steps) {
                title.push_str(&format!(", {}", review::seconds(seconds)));
            }
            let name = self.paint(Ink::Bold, &stage.name().to_uppercase());
            self.line(&format!("{name}  {title}"));
            for condition in review::gate(plan, stage) {
                self.fact("  ", Some(Ink::Yellow), &format!("gate: {condition}"));
            }
            for group in review::groups(&steps) {
                self.line("");
                for place in 0..group.len() {
                    self.step(group, place);
                }
            }
        }
    }

    /// A step of those that share a transaction.
    fn step(&mut self, group: &[&FileStep], place: usize) {
        let step = group[place];
        let (head, below) = match (place == 0, place + 1 == group.len()) {
            (true, true) => ("  ", "  "),
            (true, false) => ("┌ ", "│ "),
            (false, false) => ("│ ", "│ "),
            (false, true) => ("└ ", "  "),
        };
        let (head, below) = (self.paint(Ink::Dim, head), self.paint(Ink::Dim, below) + "      ");
        let summary = one_line(&step.summary);
        let lines = wrap(&summary, self.width.saturating_sub(8), false);
        let last = lines.last().map_or(0, |it| it.chars().count());
        let lines: Vec<String> = lines.into_iter().map(|it| self.paint(Ink::Bold, it)).collect();
        let mut title = format!("{head}{:>4}  {}", step.id, lines.join(&format!("\n{below}")));
        if let Some(because) = &step.because {
            let because = one_line(because);
            let is_long = 8 + last + 2 + because.chars().count() > self.width;
            title.push_str(&if is_long { format!("\n{below}") } else { "  ".into() });
            title.push_str(&self.paint(Ink::Dim, &because));
        }
        self.line(&title);
        self.statement(step, &below);
        if step.transaction.is_none() {
            self.fact(&below, None, "outside any transaction");
        }
        let mut by_mode: BTreeMap<(Lock, String), Vec<&str>> = BTreeMap::new();
        for lock in &step.locks {
            by_mode.entry((lock.mode, review::seen(lock))).or_default().push(&lock.relation);
        }
        let held = review::held(group, place);
        for ((mode, seen), relations) in by_mode.into_iter().rev() {
            let text = format!("locks {} {mode} ({seen}): {}", relations.join(", "), review::blocks(mode, &held));
            self.fact(&below, lock_ink(mode), &text);
        }
        for work in review::work(step) {
            self.fact(&below, None, &work);
        }
        for hazard in &step.hazards {
            self.hazard(&below, hazard);
        }
        if let Some(why) = &step.irreversible {
            self.fact(&below, Some(Ink::Yellow), &format!("can't be taken back without loss: {why}"));
        }
    }

    /// The SQL of a step. The long SQL of one that nobody waits for is in the difference; rows are not, and steps that
    /// insert them have a check.
    fn statement(&mut self, step: &FileStep, below: &str) {
        let sql = visible(&step.sql);
        let is_quiet = step.locks.is_empty() && step.hazards.is_empty() && step.irreversible.is_none();
        let is_quiet = is_quiet && step.check.is_none();
        let lines: Vec<&str> = sql.lines().collect();
        // What helps only on the way is in no schema.
        let is_below = self.added.as_ref().is_none_or(|it| lines.first().is_some_and(|line| it.contains(*line)));
        let shown = if is_quiet && is_below && lines.len() > SHORT { 1 } else { lines.len() };
        let width = self.width.saturating_sub(8);
        for line in &lines[..shown] {
            // White space inside of a quoted body is somebody's text.
            let parts = if sql.contains('$') { vec![*line] } else { wrap(line, width.saturating_sub(4), true) };
            for (place, part) in parts.into_iter().enumerate() {
                let indent = if place == 0 { "" } else { "    " };
                let part = self.paint(Ink::Cyan, part);
                self.line(&format!("{below}{indent}{part}"));
            }
        }
        if shown < lines.len() {
            let rest =
                self.paint(Ink::Dim, &format!("… and {} more lines, in the difference below", lines.len() - shown));
            self.line(&format!("{below}{rest}"));
        }
    }

    fn hazard(&mut self, below: &str, hazard: &FileHazard) {
        let ink = if hazard.needs_acceptance() { Ink::Red } else { Ink::Yellow };
        self.fact(below, Some(ink), &format!("hazard {}: {}: {}", hazard.code, hazard.object, hazard.why));
        let below = format!("{below}  ");
        match &hazard.accepted {
            Some(who) => self.fact(&below, Some(Ink::Green), &format!("accepted by {who}")),
            None if hazard.needs_acceptance() => {
                self.whole(&below, Some(ink), &format!("needs --accept {}", hazard.acceptance()));
            }
            None => self.fact(&below, Some(ink), hazard.code.effect()),
        }
    }

    fn summary(&mut self, plan: &PlanFile) {
        let strongest = review::strongest(plan);
        if !strongest.is_empty() {
            self.title("Strongest lock on each relation that exists now");
        }
        for it in &strongest {
            let steps = amount::counted(it.steps, "step");
            let longest = it.seconds.map(|it| format!(", the longest {}", review::seconds(it))).unwrap_or_default();
            let text = format!("{} {}: blocks {}; {steps}{longest}", it.relation, it.mode, it.mode.blocks());
            self.fact("  ", lock_ink(it.mode), &text);
        }
        let hazards = review::hazards(plan);
        let open: Vec<_> = hazards.iter().filter(|it| it.1.needs_acceptance()).collect();
        if !open.is_empty() {
            self.title("Hazards that need acceptance");
        }
        for (step, hazard) in open {
            self.fact("  ", Some(Ink::Red), &format!("step {step}: {}: {}", hazard.object, hazard.code.effect()));
            self.whole("    ", None, &format!("--accept {}", hazard.acceptance()));
            self.fact("    ", None, &format!("safer: {}", hazard.code.safer()));
        }
    }

    fn access(&mut self, plan: &PlanFile) {
        let access = review::access(plan);
        if !access.is_empty() {
            self.title("Who gains and who loses what, as tried on the shadow");
        }
        for (is_gain, line) in access {
            self.fact("  ", is_gain.then_some(Ink::Yellow), &line);
        }
    }

    fn notes(&mut self, plan: &PlanFile) {
        let unproved = review::unproved(plan);
        if !unproved.is_empty() {
            self.title("Not proved");
        }
        for it in &unproved {
            self.fact("  ", Some(Ink::Yellow), it);
        }
        let reasons = review::reasons(plan);
        if !plan.notes.is_empty() || !reasons.is_empty() {
            self.title("Notes");
        }
        for it in review::folded(&plan.notes) {
            self.fact("  ", None, &it);
        }
        for it in reasons {
            self.fact("  ", None, &it);
        }
    }

    fn difference(&mut self, difference: &str) {
        if difference.is_empty() {
            return;
        }
        self.title("Difference of the schemas");
        for line in visible(difference).lines() {
            let ink = match line.as_bytes().first() {
                Some(b'@') => Ink::Cyan,
                Some(b'+') => Ink::Green,
                Some(b'-') => Ink::Red,
                _ => {
                    self.line(line);
                    continue;
                }
            };
            let line = self.paint(ink, line);
            self.line(&line);
        }
    }

    fn title(&mut self, text: &str) {
        let text = self.paint(Ink::Bold, text);
        self.line("");
        self.line(&text);
    }

    /// A named line of the header.
    fn entry(&mut self, name: &str, ink: Option<Ink>, text: &str) {
        for (place, part) in wrap(text, self.width.saturating_sub(11), false).into_iter().enumerate() {
            let name = self.paint(Ink::Dim, &format!("{:<7}", if place == 0 { name } else { "" }));
            let part = ink.map_or_else(|| part.to_owned(), |ink| self.paint(ink, part));
            self.line(&format!("  {name}  {part}"));
        }
    }

    /// A line behind a margin, broken at the page's width.
    fn fact(&mut self, margin: &str, ink: Option<Ink>, text: &str) {
        let text = one_line(text);
        let width = self.width.saturating_sub(columns(margin) + 2);
        for (place, part) in wrap(&text, width, false).into_iter().enumerate() {
            let part = ink.map_or_else(|| part.to_owned(), |ink| self.paint(ink, part));
            self.line(&format!("{margin}{}{part}", if place == 0 { "" } else { "  " }));
        }
    }

    /// A line behind a margin, of whatever length: somebody may paste it.
    fn whole(&mut self, margin: &str, ink: Option<Ink>, text: &str) {
        let text = ink.map_or_else(|| text.to_owned(), |ink| self.paint(ink, text));
        self.line(&format!("{margin}{text}"));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => 1,
            Ink::Dim => 2,
            Ink::Red => 31,
            Ink::Green => 32,
            Ink::Yellow => 33,
            Ink::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Locks that applications wait for stand out.
fn lock_ink(mode: Lock) -> Option<Ink> {
    match mode {
        Lock::AccessExclusive => Some(Ink::Red),
        Lock::Exclusive | Lock::ShareRowExclusive | Lock::Share => Some(Ink::Yellow),
        Lock::ShareUpdateExclusive | Lock::RowExclusive | Lock::RowShare | Lock::AccessShare => None,
    }
}

/// The columns of a margin, which may be painted.
fn columns(margin: &str) -> usize {
    let mut is_code = false;
    margin
        .chars()
        .filter(|it| match it {
            '\x1b' => {
                is_code = true;
                false
            }
            'm' if is_code => {
                is_code = false;
                false
            }
            _ => !is_code,
        })
        .count()
}

/// Breaks a line at spaces where it gets too long. A word that is too long stays whole, and so does what is quoted
/// where `keeps_quotes`, so that SQL means the same when it is copied.
pub fn wrap(text: &str, width: usize, keeps_quotes: bool) -> Vec<&str> {
    let mut lines = vec![];
    let (mut start, mut space, mut columns) = (0, None, 0);
    let (mut has_ink, mut quote) = (false, None);
    for (at, it) in text.char_indices() {
        match quote {
            Some(open) if open == it => quote = None,
            None if keeps_quotes && matches!(it, '\'' | '"') => quote = Some(it),
            _ => {}
        }
        columns += 1;
        if it != ' ' {
            has_ink = true;
        } else if has_ink && quote.is_none() && (columns <= width + 1 || space.is_none()) {
            space = Some(at);
        }
        if columns > width
            && let Some(end) = space.take()
        {
            lines.push(&text[start..end]);
            start = end + 1;
            columns = text.get(start..at).map_or(0, |it| it.chars().count() + 1);
            has_ink = columns > 0;
        }
    }
    lines.push(&text[start..]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_never_inside_of_quotes() {
        assert_eq!(wrap("aa bb cc", 5, false), ["aa bb", "cc"]);
        assert_eq!(wrap("aa bb cc", 2, false), ["aa", "bb", "cc"]);
        assert_eq!(wrap("    aaaaaaaa b", 5, false), ["    aaaaaaaa", "b"]);
        assert_eq!(wrap("a 'b c d' e", 4, true), ["a", "'b c d'", "e"]);
        assert_eq!(wrap("ä ö ü", 3, false), ["ä ö", "ü"]);
        assert_eq!(wrap("", 3, false), [""]);
    }

    #[test]
    fn paint_takes_no_columns() {
        assert_eq!(columns("\x1b[2m│ \x1b[0m      "), 8);
    }
}
