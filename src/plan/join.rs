//! Joins actions on one table into one `ALTER TABLE`: where they write its rows anew, they do so once.

use crate::name::list;
use crate::plan::order::Ordered;

/// Makes one step of neighbours that are actions on one table in one group.
pub fn join(steps: Vec<Ordered>) -> Vec<Ordered> {
    let mut result: Vec<Ordered> = vec![];
    let mut moved: Vec<usize> = vec![];
    for it in steps {
        let fits = result.last().is_some_and(|last| joins(last, &it));
        if let (true, Some(last)) = (fits, result.last_mut()) {
            take(last, it);
        } else {
            result.push(it);
        }
        moved.push(result.len() - 1);
    }
    for (at, it) in result.iter_mut().enumerate() {
        it.after = it.after.iter().map(|first| moved[*first]).filter(|first| *first != at).collect();
    }
    result
}

fn joins(last: &Ordered, it: &Ordered) -> bool {
    let table = |it: &Ordered| it.step.action.as_ref().map(|it| it.table.clone());
    it.group.is_some()
        && (&last.group, last.half, last.step.stage) == (&it.group, it.half, it.step.stage)
        && table(it).is_some()
        && table(last) == table(it)
}

fn take(into: &mut Ordered, it: Ordered) {
    let Some((own, further)) = into.step.action.as_mut().zip(it.step.action.as_ref()) else { return };
    own.sql += &format!(", {}", further.sql);
    into.step.sql = format!("ALTER TABLE {} {}", own.table, own.sql);
    into.does.extend(it.does);
    into.after.extend(it.after);
    let (step, other) = (&mut into.step, it.step);
    step.summary = Some(format!("change {}", list(into.does.iter().map(|(id, _)| id))));
    step.locks.extend(other.locks);
    for relation in other.rewrites {
        if !step.rewrites.contains(&relation) {
            step.rewrites.push(relation);
        }
    }
    for relation in other.scans {
        if !step.scans.contains(&relation) {
            step.scans.push(relation);
        }
    }
    step.builds.extend(other.builds);
    step.hazards.extend(other.hazards);
    step.disturbs.extend(other.disturbs);
    step.irreversible = step.irreversible.take().or(other.irreversible);
}
