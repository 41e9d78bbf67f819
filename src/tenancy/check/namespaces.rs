//! A namespace for each tenant: nothing in one reaches into another, and none is open to everyone.

use std::collections::BTreeSet;

use super::{Code, Look, is_anonymous, spoken};
use crate::kind::{Kind, ObjectId};
use crate::name::{Name, Role};
use crate::tenancy::template::tenant_of;

pub(super) fn check(look: &mut Look<'_>) {
    let Some(named) = look.tenancy.named.clone() else { return };
    let tenant = |id: &ObjectId| match (id.kind, id.path.first()) {
        (Kind::Comment | Kind::Owner | Kind::Grants, _) | (_, None) => None,
        (_, Some(namespace)) => tenant_of(&named, namespace.as_str()).map(|it| (it.to_owned(), namespace.clone())),
    };
    let mut found: Vec<(ObjectId, Name)> = vec![];
    let mut namespaces: BTreeSet<Name> = BTreeSet::new();
    for id in look.schema.objects.keys() {
        let Some((own, namespace)) = tenant(id) else { continue };
        namespaces.insert(namespace);
        let other = look.schema.needs_of(id).find_map(|need| tenant(need).filter(|(it, _)| *it != own));
        found.extend(other.map(|(_, namespace)| (id.clone(), namespace)));
    }
    for (id, namespace) in found {
        let message = format!("{id} needs something of {namespace}, which is another tenant's");
        look.find(Code::NamespaceCrosses, id, message);
    }
    for namespace in namespaces {
        let id = ObjectId::new(Kind::Namespace, [&namespace]);
        let everyone: BTreeSet<&Role> = look
            .reach(&id, &["USAGE", "CREATE"])
            .into_iter()
            .filter(|it| **it == Role::public() || is_anonymous(it))
            .collect();
        if !everyone.is_empty() {
            look.find(Code::GrantToEveryone, id, format!("{} may use namespace {namespace}", spoken(&everyone)));
        }
    }
}
