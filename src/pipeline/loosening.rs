//! By which step who reaches an object changes; marks that by which somebody reaches rows that were closed to them, as it
//! was seen on the shadow.

use std::collections::BTreeMap;

use crate::kind::{Kind, ObjectId};
use crate::name::Role;
use crate::plan::Planned;
use crate::plan::access::{Change, Holds, loosens};
use crate::plan::hazard::{Code, Hazard};
use crate::proof::access::holds_tenants;
use crate::schema::Schema;
use crate::tenancy::Tenancy;

/// Adds a hazard for each object that somebody gains, to the step that opens it. What the step says of itself already
/// is not said twice.
pub fn mark(
    steps: &mut [Planned],
    access: &[(ObjectId, Change)],
    desired: &Schema,
    tenancies: &[Tenancy],
    anonymous: Option<&str>,
) {
    let mut whys: BTreeMap<&ObjectId, Vec<String>> = BTreeMap::new();
    for (object, change) in access {
        let is_public = change.role == Role::public().to_string();
        let is_anonymous = is_public || anonymous == Some(change.role.as_str());
        let holds = if holds_tenants(object, desired, tenancies) { Holds::Tenants } else { Holds::Unknown };
        if loosens(object, change, is_anonymous, is_bound(&change.role, tenancies), holds) {
            whys.entry(object).or_default().push(change.said("it"));
        }
    }
    for (object, whys) in whys {
        let is_said = |it: &Planned| {
            let hazards = it.step.hazards.iter();
            hazards
                .filter(|it| it.code == Code::RowSecurityLoosened)
                .any(|it| it.object.path.starts_with(&object.path))
        };
        if steps.iter().any(is_said) {
            continue;
        }
        let place = opened_by(steps, object, desired);
        if let Some(step) = place.and_then(|it| steps.get_mut(it)) {
            let (code, why) = (Code::LoosensAccess, whys.join("; "));
            let hazard = Hazard::new(code, object.clone(), why);
            step.step.hazards.push(hazard);
        }
    }
}

/// The last step that changes who reaches an object, and else the last that touches it.
pub fn opened_by(steps: &[Planned], object: &ObjectId, desired: &Schema) -> Option<usize> {
    let is_of = |id: &ObjectId| *id == *object || desired.whole_of(id) == *object;
    let opens = |it: &Planned| {
        matches!(it.subject.kind, Kind::Grants | Kind::Policy | Kind::RowSecurity | Kind::Owner)
            || matches!(it.subject.kind, Kind::View | Kind::MaterializedView | Kind::Routine)
    };
    let touches = |it: &Planned| is_of(&it.subject) || it.does.iter().any(|(id, _)| is_of(id));
    steps
        .iter()
        .rposition(|it| touches(it) && opens(it))
        .or_else(|| steps.iter().rposition(touches))
        .or_else(|| steps.iter().rposition(opens))
}

/// Whether a role is held to its tenant: all are that nobody lets pass, where none is named.
fn is_bound(role: &str, tenancies: &[Tenancy]) -> bool {
    let named = |roles: &[Role]| roles.iter().any(|it| it.to_string() == role);
    tenancies.iter().any(|it| {
        let legacy = it.roles.legacy.keys().any(|it| it.to_string() == role);
        legacy || named(&it.roles.bound) || (it.roles.bound.is_empty() && !named(&it.roles.passes))
    })
}
