//! What SQL that people wrote would cost a running system, statement by statement: from what each was seen to do on a
//! copy of the live schema (`trial`), and from the schemas before and after it. Pure, but for the trial.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use crate::kind::{Kind, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::{Code, Hazard};
use crate::plan::together::is_table;
use crate::schema::{Facts, Schema, Size};
use crate::source::{self, Span};

pub mod design;
mod loss;
pub mod script;
pub mod trial;
mod waits;

use script::{Script, Statement};
use trial::{Ran, Tried};

/// What was found in a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub hazard: Hazard,
    /// The place of the statement in its script.
    pub statement: usize,
}

/// A statement beside what came of it.
struct Seen<'a> {
    at: usize,
    statement: &'a Statement,
    ran: &'a Ran,
    /// The managed schema right before it.
    before: &'a Rc<Schema>,
}

impl Seen<'_> {
    fn hazard(&self, code: Code, object: ObjectId, why: impl Into<String>) -> Finding {
        Finding { hazard: Hazard::new(code, object, why), statement: self.at }
    }

    /// A hazard of a relation.
    fn on(&self, code: Code, relation: &QName, why: impl Into<String>) -> Finding {
        let id = table::id(relation);
        let matview = ObjectId { kind: Kind::MaterializedView, ..id.clone() };
        self.hazard(code, if self.before.contains(&matview) { matview } else { id }, why)
    }
}

/// All that is found in a script, in the order of its statements. `origin` is the schema before the first script, and
/// `facts` are those of the live side; what the script makes is added, for the scripts that follow.
pub fn judge(script: &Script, tried: &Tried, origin: &Schema, facts: &mut Facts) -> Vec<Finding> {
    let mut before = &tried.start;
    let mut seen: Vec<Seen<'_>> = vec![];
    for (at, (statement, ran)) in script.statements.iter().zip(&tried.statements).enumerate() {
        let Some(ran) = ran else { continue };
        seen.push(Seen { at, statement, ran, before });
        before = &ran.after;
    }
    let mut found = vec![];
    let mut is_timed = false;
    for group in
        seen.chunk_by(|one, next| one.ran.transaction.is_some() && one.ran.transaction == next.ran.transaction)
    {
        for part in group.split_inclusive(|it| it.statement.is_rename()) {
            let (rename, ordinary) = match part.split_last() {
                Some((last, ordinary)) if last.statement.is_rename() => (Some(last), ordinary),
                _ => (None, part),
            };
            found.extend(loss::of_difference(ordinary, facts));
            found.extend(rename.and_then(loss::of_rename));
        }
        found.extend(group.iter().flat_map(|it| loss::of_rows(it, facts)));
        found.extend(waits::of_transaction(group, facts));
        if !is_timed {
            let first = group.iter().find_map(|it| waits::untimed(it, facts));
            is_timed = first.is_some();
            found.extend(first);
        }
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        made(first.before, &last.ran.after, facts);
    }
    // What the scripts have made themselves is nobody's loss.
    found.retain(|Finding { hazard: Hazard { object, .. }, .. }| {
        let goes = seen.iter().any(|it| it.before.contains(object) && !it.ran.after.contains(object));
        !goes || origin.contains(object)
    });
    found.sort_by_key(|it| (it.statement, it.hazard.code, it.hazard.object.clone()));
    found.dedup_by(|one, other| {
        (one.statement, one.hazard.code, &one.hazard.object)
            == (other.statement, other.hazard.code, &other.hazard.object)
    });
    for Finding { hazard, statement } in &mut found {
        hazard.accepted = script.statements[*statement].accepts(hazard.code);
    }
    found
}

/// Nobody uses what a script has made itself.
fn made(before: &Schema, after: &Schema, facts: &mut Facts) {
    let new = after.of_kind(Kind::Table).map(|it| it.id()).filter(|id| !before.contains(id));
    for id in new {
        if let [namespace, name] = &id.path[..] {
            let name = QName { namespace: namespace.clone(), name: name.clone() };
            facts.sizes.entry(name).or_insert(Size { rows: 0, bytes: 0, table_bytes: 0, empty: true });
        }
    }
}

/// Whether somebody may be using the relation: it stood before, and may hold rows.
fn is_used(relation: &QName, schema: &Schema, facts: &Facts) -> bool {
    is_table(relation, schema)
        && !facts.idle.contains(relation)
        && facts.sizes.get(relation).is_none_or(|size| !size.empty)
}

/// The relations that a statement locked so that others can't write, or more, and that somebody may be using.
fn blocked<'a>(seen: &'a Seen<'_>, facts: &'a Facts) -> impl Iterator<Item = (&'a QName, Lock)> {
    let locks = seen.ran.locks.iter().filter(|it| it.mode >= Lock::Share);
    locks.filter(|it| is_used(&it.relation, seen.before, facts)).map(|it| (&it.relation, it.mode))
}

/// The words of a statement that name an object, else its first ones.
pub fn words(script: &Script, statement: usize, object: &ObjectId) -> Range<usize> {
    let span = &script.statements[statement].span;
    let origin = Span { file: 0, start: span.start, end: span.end };
    let names: Vec<&Name> = object.path.iter().rev().collect();
    source::find_one_of(&script.file, origin, names.into_iter()).range()
}

/// The last names of a list.
fn last_names(lists: &[pg_query::protobuf::Node]) -> BTreeSet<String> {
    lists.iter().filter_map(script::last_name).collect()
}
