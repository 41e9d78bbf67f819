//! What every form of a plan for people says in the same words: sizes, times, the proof in one line, the strongest
//! locks, notes folded. How it is laid out and escaped is left to the forms.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::amount::{bytes, counted, thousands};
use crate::lock::Lock;
use crate::plan::Stage;
use crate::plan::access::Change;
use crate::plan::batch::Batch;
use crate::plan::file::{FileHazard, FileLock, FileStep, PlanFile};

/// Bytes of disk or log that anybody would look for before they begin.
const WORTH_TELLING: u64 = 10_000_000;

/// The strongest lock that a plan takes on one relation.
pub struct Strongest<'a> {
    pub relation: &'a str,
    pub mode: Lock,
    /// How many steps lock the relation, in whatever mode.
    pub steps: usize,
    /// The longest that one of them is expected to hold a lock that blocks writes or more.
    pub seconds: Option<[f64; 2]>,
}

/// The stages that have steps, in order.
pub fn stages(plan: &PlanFile) -> Vec<(Stage, Vec<&FileStep>)> {
    let of = |stage| plan.steps.iter().filter(|it| it.stage == stage).collect::<Vec<_>>();
    Stage::ALL.into_iter().map(|stage| (stage, of(stage))).filter(|(_, steps)| !steps.is_empty()).collect()
}

/// What must hold before a stage begins, each in a line.
pub fn gate(plan: &PlanFile, stage: Stage) -> Vec<String> {
    let gates = plan.gates.iter().filter(|it| it.before == stage);
    gates
        .flat_map(|it| {
            let unused = it.unused.iter().map(|it| format!("no running code uses {it} any more"));
            let retired = it.retired.iter().map(|it| format!("no running code needs {it}"));
            let broken = it.broken.iter().map(|it| format!("nothing that runs trips over this: {it}"));
            unused.chain(retired).chain(broken)
        })
        .collect()
}

/// Neighbouring steps that share a transaction; a step outside any stands alone.
pub fn groups<'a, 'b>(steps: &'b [&'a FileStep]) -> impl Iterator<Item = &'b [&'a FileStep]> {
    steps.chunk_by(|a, b| a.transaction.is_some() && a.transaction == b.transaction)
}

/// Relations by their strongest lock, the strongest first.
pub fn strongest(plan: &PlanFile) -> Vec<Strongest<'_>> {
    let mut of: BTreeMap<&str, Strongest<'_>> = BTreeMap::new();
    for step in &plan.steps {
        for lock in &step.locks {
            let one = of.entry(&lock.relation).or_insert(Strongest {
                relation: &lock.relation,
                mode: lock.mode,
                steps: 0,
                seconds: None,
            });
            one.mode = one.mode.max(lock.mode);
            one.steps += 1;
            if lock.mode >= Lock::Share
                && let Some(estimate) = &step.estimate
                && one.seconds.is_none_or(|it| it[1] < estimate.seconds[1])
            {
                one.seconds = Some(estimate.seconds);
            }
        }
    }
    let mut all: Vec<_> = of.into_values().collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.mode));
    all
}

/// Hazards with the numbers of their steps: those that need acceptance first.
pub fn hazards(plan: &PlanFile) -> Vec<(u32, &FileHazard)> {
    let mut all: Vec<_> =
        plan.steps.iter().flat_map(|step| step.hazards.iter().map(move |hazard| (step.id, hazard))).collect();
    all.sort_by_key(|(step, hazard)| (!hazard.needs_acceptance(), *step));
    all
}

/// The proof in one line.
pub fn proof(plan: &PlanFile) -> String {
    let proof = &plan.proof;
    if proof.server.is_empty() {
        return "not proved".into();
    }
    let claims = [
        (proof.converges, "converges"),
        (proof.undo_returns, "undo returns"),
        (proof.rows_survive, "rows survive"),
    ];
    let of = |held| claims.iter().filter(|it| it.0 == held).map(|it| it.1).collect::<Vec<_>>().join(", ");
    let (held, open) = (of(true), of(false));
    let mut line = match held.as_str() {
        "" => format!("tried on PostgreSQL {}", proof.server),
        held => format!("proved on PostgreSQL {}: {held}", proof.server),
    };
    if !open.is_empty() {
        let _ = write!(line, "; not proved: {open}");
    }
    if !proof.filled.is_empty() || !proof.unfilled.is_empty() {
        let _ =
            write!(line, "; {} filled, {} unfilled", counted(proof.filled.len(), "table"), proof.unfilled.len());
    }
    line
}

/// Who gains and who loses what, a line for each change that several objects share.
pub fn access(plan: &PlanFile) -> Vec<(bool, String)> {
    let mut groups: Vec<(&Change, Vec<&str>)> = vec![];
    for change in &plan.proof.access {
        let alike = groups.iter_mut().find(|(it, _)| {
            let same = (&it.role, &it.commands, it.before, it.after);
            same == (&change.role, &change.commands, change.before, change.after)
        });
        match alike {
            Some((_, objects)) => objects.push(&change.object),
            None => groups.push((change, vec![&change.object])),
        }
    }
    let line = |(change, objects): (&Change, Vec<&str>)| {
        (change.is_gain(), change.words(&listed(objects.into_iter().map(Cow::Borrowed))))
    };
    groups.into_iter().map(line).collect()
}

/// Which part of a split plan it is, and what comes before.
pub fn part(plan: &PlanFile) -> Option<String> {
    let part = plan.part.as_ref()?;
    let before: Vec<&str> = part.before.iter().map(|it| it.name.as_str()).collect();
    let after = if before.is_empty() { String::new() } else { format!(", after {}", before.join(", ")) };
    Some(format!("part {} of {}{after}", part.number, part.of))
}

/// How many steps there are, in how many transactions.
pub fn extent(plan: &PlanFile) -> String {
    let steps: Vec<_> = plan.steps.iter().collect();
    let (inside, outside): (Vec<_>, Vec<_>) = groups(&steps).partition(|it| it[0].transaction.is_some());
    let mut line = counted(steps.len(), "step");
    if !inside.is_empty() {
        let _ = write!(line, " in {}", counted(inside.len(), "transaction"));
    }
    if !outside.is_empty() {
        let joint = if inside.is_empty() { "," } else { " and" };
        let _ = write!(line, "{joint} {} outside any", thousands(outside.len() as u64));
    }
    line
}

/// How long the locks that a step takes are held: to the end of its transaction, in which others may work.
pub fn held(group: &[&FileStep], place: usize) -> String {
    if group[place].batch.is_some() {
        return "part by part".into();
    }
    let is_work = |it: &&FileStep| !it.scans.is_empty() || !it.rewrites.is_empty();
    match total_seconds(&group[place..]) {
        Some(range) => format!("for {}", seconds(range)),
        // How many rows there are is not known.
        None if group[place..].iter().any(is_work) => "while it works".into(),
        None => "briefly".into(),
    }
}

/// What a lock keeps others from, and how long.
pub fn blocks(mode: Lock, held: &str) -> String {
    format!("blocks {} {held}", mode.blocks())
}

/// The room that the steps need, each at its most, where it is any to speak of.
pub fn room(steps: &[&FileStep]) -> Option<String> {
    let estimates = || steps.iter().filter_map(|it| it.estimate.as_ref());
    let disk = estimates().map(|it| it.disk).fold(0, u64::saturating_add);
    let wal = estimates().map(|it| it.wal).fold(0, u64::saturating_add);
    let parts = [(disk, "disk"), (wal, "WAL")].into_iter().filter(|it| it.0 >= WORTH_TELLING);
    let parts: Vec<String> = parts.map(|(size, of)| format!("{} of {of}", bytes(size))).collect();
    (!parts.is_empty()).then(|| format!("up to {}", parts.join(" and ")))
}

/// What is known of a lock: whether the proof saw it too.
pub fn seen(lock: &FileLock) -> String {
    match lock.observed {
        Some(mode) if mode == lock.mode => "seen".into(),
        Some(mode) => format!("seen {mode}"),
        None => "not seen".into(),
    }
}

/// How much a step reads and writes, and how long that takes.
pub fn work(step: &FileStep) -> Vec<String> {
    let mut lines: Vec<String> = [("rewrites", &step.rewrites), ("scans", &step.scans)]
        .into_iter()
        .filter(|(_, relations)| !relations.is_empty())
        .map(|(verb, relations)| format!("{verb} {}", relations.join(", ")))
        .collect();
    lines.extend(step.batch.as_ref().map(Batch::order));
    if let Some(estimate) = &step.estimate {
        let rows = counted(estimate.rows as usize, "row");
        let size = format!("{rows}, {}, {}", bytes(estimate.bytes), seconds(estimate.seconds));
        // An estimate is of the whole step, so it stands behind the last of its lines.
        match lines.last_mut() {
            Some(last) => *last = format!("{last}: {size}"),
            None => lines.push(size),
        }
    }
    lines.extend(room(&[step]).map(|it| format!("needs {it}")));
    lines
}

/// How long the steps are expected to work together, where any of them grows with the data.
pub fn total_seconds(steps: &[&FileStep]) -> Option<[f64; 2]> {
    let estimates = steps.iter().filter_map(|it| it.estimate.as_ref()).map(|it| it.seconds);
    estimates.reduce(|sum, it| [sum[0] + it[0], sum[1] + it[1]])
}

/// What the times rest on.
pub fn reasons(plan: &PlanFile) -> Vec<String> {
    let mut all: Vec<_> =
        plan.steps.iter().filter_map(|it| it.estimate.as_ref()).map(|it| it.reason.as_str()).collect();
    // What reads an empty table rests on nothing.
    all.retain(|it| !it.is_empty());
    all.sort_unstable();
    all.dedup();
    let mut all: Vec<String> = all.into_iter().map(|it| format!("times are estimates: {it}")).collect();
    let waits = plan.steps.iter().filter(|it| !it.locks.is_empty()).map(|it| it.lock_timeout_ms).max();
    if let Some(wait) = waits {
        let wait = match wait {
            0 => String::new(),
            wait => format!("; to get a lock, a step waits {wait} ms at a time, and so do those behind it"),
        };
        all.push(format!("briefly: for a change of the catalogs, milliseconds whatever a table holds{wait}"));
    }
    all
}

/// What was not proved, with tables that went unfilled under their reason.
pub fn unproved(plan: &PlanFile) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (table, reason) in &plan.proof.unfilled {
        by_reason.entry(reason).or_default().push(table);
    }
    let unfilled = by_reason.into_iter().map(|(reason, tables)| {
        format!("no rows were tried in {}: {reason}", listed(tables.into_iter().map(Cow::Borrowed)))
    });
    unfilled.chain(folded(&plan.proof.unproved)).collect()
}

/// Notes that say the same of many things, as one each.
pub fn folded(notes: &[String]) -> Vec<String> {
    let alike = |note: &str| -> Option<(String, String)> {
        if let Some((what, thing)) = note.split_once(": ")
            && !what.contains('"')
            && !what.starts_with(|it: char| it.is_uppercase())
        {
            return Some((what.to_owned(), thing.to_owned()));
        }
        note.split_once(" is ").map(|(thing, what)| (what.to_owned(), thing.to_owned()))
    };
    let mut groups: Vec<(String, Vec<(&str, String)>)> = vec![];
    for note in notes {
        let (what, thing) = alike(note).unwrap_or_else(|| (note.clone(), String::new()));
        match groups.iter_mut().find(|it| it.0 == what) {
            Some(group) => group.1.push((note, thing)),
            None => groups.push((what, vec![(note, thing)])),
        }
    }
    groups
        .into_iter()
        .map(|(what, of)| match of.as_slice() {
            [(note, _)] => (*note).to_owned(),
            _ if of.iter().all(|it| it.1.is_empty()) => what,
            _ => format!("{what}: {}", listed(of.into_iter().map(|it| Cow::Owned(it.1)))),
        })
        .collect()
}

/// The first dozen by name, the others by number.
fn listed<'a>(things: impl ExactSizeIterator<Item = Cow<'a, str>>) -> String {
    const SHOWN: usize = 12;
    let more = things.len().saturating_sub(SHOWN);
    let named = things.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {} more", thousands(more as u64)) }
}

/// A range of seconds, such as "300 ms to 3.1 s".
pub fn seconds([from, to]: [f64; 2]) -> String {
    let (from, to) = (duration(from), duration(to));
    if from == to { format!("about {to}") } else { format!("{from} to {to}") }
}

fn duration(seconds: f64) -> String {
    match seconds {
        it if it < 0.9995 => format!("{:.0} ms", (it * 1000.0).max(1.0)),
        it if it < 9.95 => format!("{it:.1} s"),
        it if it < 119.5 => format!("{it:.0} s"),
        it if it < 119.5 * 60.0 => format!("{:.0} min", it / 60.0),
        it => format!("{:.1} h", it / 3600.0),
    }
}

/// The first characters of a hash, enough to tell two apart.
pub fn short(hash: &str) -> &str {
    hash.char_indices().nth(12).map_or(hash, |(end, _)| &hash[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!(seconds([0.3, 3.1]), "300 ms to 3.1 s");
        assert_eq!(seconds([0.001, 0.001]), "about 1 ms");
        assert_eq!(seconds([60.0, 7200.0]), "60 s to 2.0 h");
        assert_eq!(seconds([0.9996, 119.6]), "1.0 s to 2 min");
    }

    #[test]
    fn notes_that_are_alike_are_one() {
        let notes = [
            "not managed, and left as it is: rule a",
            "constraint b is not the same",
            "PostgreSQL 14: x",
            "not managed, and left as it is: rule c",
            "constraint d is not the same",
        ]
        .map(String::from);
        let expected = [
            "not managed, and left as it is: rule a, rule c",
            "not the same: constraint b, constraint d",
            "PostgreSQL 14: x",
        ];
        assert_eq!(folded(&notes), expected);
    }
}
