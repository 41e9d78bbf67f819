//! Folds clauses back into the CREATE that they could have been written in: `ALTER TABLE … ADD CONSTRAINT` right after
//! `CREATE TABLE` becomes a line inside it. For the reader, and for one statement in the place of ten.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::ObjectId;
use crate::plan::order::Ordered;

/// Takes steps in order and gives them in order, with fewer of them. A step is folded when everything that it had to
/// wait for stands before the CREATE, or is folded into it too; what is in `apart` keeps a step of its own.
pub fn fold(steps: Vec<Ordered>, apart: &BTreeSet<ObjectId>) -> Vec<Ordered> {
    let bodies: BTreeMap<ObjectId, usize> = steps
        .iter()
        .enumerate()
        .filter_map(|(place, it)| it.step.body.as_ref().map(|body| (body.of.clone(), place)))
        .collect();
    let mut folded: BTreeMap<usize, usize> = BTreeMap::new();
    for (place, it) in steps.iter().enumerate() {
        let Some(clause) = it.step.clause.as_ref().filter(|_| !apart.contains(&it.subject)) else { continue };
        let Some(body) = bodies.get(&clause.into).copied().filter(|body| *body < place) else { continue };
        let ready = it.after.iter().all(|first| *first <= body || folded.get(first) == Some(&body));
        if ready {
            folded.insert(place, body);
        }
    }
    let mut result: Vec<Ordered> = vec![];
    let mut moved: Vec<usize> = vec![];
    let mut into: BTreeMap<usize, Vec<Ordered>> = BTreeMap::new();
    for (place, it) in steps.into_iter().enumerate() {
        match folded.get(&place) {
            Some(body) => {
                moved.push(moved[*body]);
                into.entry(moved[*body]).or_default().push(it);
            }
            None => {
                moved.push(result.len());
                result.push(it);
            }
        }
    }
    for (at, parts) in into {
        let target = &mut result[at];
        for part in parts {
            let Some((body, clause)) = target.step.body.as_mut().zip(part.step.clause) else { continue };
            match clause.after.and_then(|after| body.clauses.iter_mut().find(|(of, _)| *of == after)) {
                Some((_, text)) => text.push_str(&clause.text),
                None => body.clauses.push((part.subject, clause.text)),
            }
            target.does.extend(part.does);
            target.step.hazards.extend(part.step.hazards);
            target.step.locks.extend(part.step.locks);
        }
        if let Some(body) = &target.step.body {
            target.step.sql = body.sql();
        }
    }
    for it in &mut result {
        it.after = it.after.iter().map(|first| moved[*first]).collect::<BTreeSet<_>>();
    }
    result
}
