//! What differs between two schemas, object by object. How to get from one to the other is `plan`'s.

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
    let mut changes = BTreeMap::new();
    for (id, object) in &new.objects {
        match old.get(id) {
            None => changes.insert(id.clone(), Change::Create),
            Some(before) if before != object => changes.insert(id.clone(), Change::Alter),
            Some(_) => None,
        };
    }
    for id in old.objects.keys().filter(|id| !new.contains(id)) {
        changes.insert(id.clone(), Change::Drop);
    }
    changes
}
