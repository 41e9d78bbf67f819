//! What is lost, broken or opened: from the schemas before and after, and from the rows that go.

use crate::diff::Change;
use crate::kind::ObjectId;
use crate::name::QName;
use crate::plan;
use crate::plan::hazard::{Area, Code};
use crate::schema::Facts;

use super::{Finding, Seen, is_used};

/// The hazards of a transaction's difference, each at the statement that is about its object. How the difference comes
/// about is another matter: what others have to wait for was seen.
pub(super) fn of_difference(part: &[Seen<'_>], facts: &Facts) -> Vec<Finding> {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return vec![] };
    if part.iter().all(|it| it.ran.changes.is_empty()) {
        return vec![];
    }
    // What no plan could do is done already.
    let steps = plan::make(first.before, &last.ran.after, facts).unwrap_or_default();
    let hazards = steps.into_iter().flat_map(|it| it.step.hazards);
    let hazards = hazards.filter(|it| it.code.about().area != Area::Wait && it.code != Code::ColumnMoves);
    let mut found: Vec<Finding> = hazards
        .map(|hazard| {
            let about = |id: &ObjectId| *id == hazard.object || first.before.whole_of(id) == hazard.object;
            let at = part.iter().rfind(|it| it.ran.changes.iter().any(|(id, _)| about(id)));
            let at = at.or_else(|| part.iter().find(|it| !it.ran.changes.is_empty()));
            Finding { statement: at.map_or(last.at, |it| it.at), hazard }
        })
        .collect();
    found.extend(part.iter().filter_map(taken_along));
    found
}

/// What CASCADE took beside what the statement names.
fn taken_along(seen: &Seen<'_>) -> Option<Finding> {
    let named = seen.statement.cascades()?;
    let dropped = seen.ran.changes.iter().filter(|(_, change)| *change == Change::Drop).map(|(id, _)| id);
    let is_named = |id: &ObjectId| id.path.last().is_some_and(|name| named.contains(name.as_str()));
    // Only wholes: what hangs on something goes with it.
    let along: Vec<&ObjectId> = dropped
        .filter(|id| !is_named(id) && !is_named(&seen.before.whole_of(id)))
        .filter(|id| seen.before.part_of(id).is_none_or(|whole| seen.ran.after.contains(&whole)))
        .collect();
    let names: Vec<String> = along.iter().map(ToString::to_string).collect();
    Some(seen.hazard(Code::Cascade, (*along.first()?).clone(), format!("it takes along {}", names.join(", "))))
}

/// A rename, of something that code speaks of.
pub(super) fn of_rename(seen: &Seen<'_>) -> Option<Finding> {
    if !seen.statement.is_spoken_of() {
        return None;
    }
    let shortest = |change: Change| {
        let of = seen.ran.changes.iter().filter(|it| it.1 == change).map(|(id, _)| id);
        of.min_by_key(|id| (id.path.len(), id.kind))
    };
    let old = shortest(Change::Drop).or_else(|| shortest(Change::Alter))?;
    let why = match shortest(Change::Create) {
        Some(new) => format!("{new} from here on"),
        None => "a part of it gets another name".to_owned(),
    };
    Some(seen.hazard(Code::Rename, old.clone(), why))
}

/// Rows that go, or change, all at once.
pub(super) fn of_rows(seen: &Seen<'_>, facts: &Facts) -> Vec<Finding> {
    let used = |it: &&QName| is_used(it, seen.before, facts);
    if seen.statement.is_truncate() {
        let along = |it: &QName| {
            let named = seen.statement.cascades();
            named.is_some_and(|named| !named.contains(it.name.as_str()))
        };
        let emptied = seen.ran.rewrites.iter().filter(used);
        return emptied
            .map(|it| {
                let why = if along(it) { "CASCADE takes it along" } else { "it may hold rows" };
                seen.on(Code::Truncate, it, why)
            })
            .collect();
    }
    let Some(verb) = seen.statement.writes_rows() else { return vec![] };
    let whole = seen.ran.whole.iter().filter(used);
    whole
        .map(|it| {
            let rows = facts.sizes.get(it).map_or("every row".to_owned(), |size| format!("all {} rows", size.rows));
            seen.on(Code::RowsAtOnce, it, format!("one {verb} for {rows}"))
        })
        .collect()
}
