//! What differs between two schemas, object by object. How to get from one to the other is `plan`'s.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::kind::ObjectId;
use crate::schema::Schema;

/// A typed difference of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Create,
    Drop,
    Alter,
}

/// Every object that is on one side only, or on both and not the same.
///
/// ```
/// # use tenantry::{diff::diff, schema::Schema};
/// assert!(diff(&Schema::default(), &Schema::default()).is_empty());
/// ```
pub fn diff(old: &Schema, new: &Schema) -> BTreeMap<ObjectId, Change> {
    // Both are in one order, so each is gone through once.
    let (mut olds, mut news) = (old.objects.iter().peekable(), new.objects.iter().peekable());
    let mut changes = BTreeMap::new();
    loop {
        let order = match (olds.peek(), news.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return changes,
        };
        let before = if order.is_le() { olds.next() } else { None };
        let after = if order.is_ge() { news.next() } else { None };
        match (before, after) {
            (Some((id, _)), None) => changes.insert(id.clone(), Change::Drop),
            (None, Some((id, _))) => changes.insert(id.clone(), Change::Create),
            (Some((id, before)), Some((_, after))) if before != after => changes.insert(id.clone(), Change::Alter),
            _ => None,
        };
    }
}
