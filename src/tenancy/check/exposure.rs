//! Ways past policies: roles, privileges, defaults, sequences, publications, foreign tables.

use std::collections::BTreeSet;

use super::{Code, Look, Severity, is_anonymous, spoken};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::{Name, QName, Role};
use crate::tenancy::Class;

pub(super) fn check(look: &mut Look<'_>) {
    roles(look);
    grants(look);
    sequences(look);
    publications(look);
    defaults(look);
    foreign_tables(look);
}

fn roles(look: &mut Look<'_>) {
    let Some(tenant) = look.tenancy.levels.first().map(|it| table::id(&it.table)) else { return };
    let named: Vec<&Role> = look.tenancy.roles.bound.iter().chain(look.tenancy.roles.legacy.keys()).collect();
    for role in named {
        let Some(spec) = look.role(role) else { continue };
        let how = match (spec.superuser, spec.bypassrls) {
            (true, _) => Some("is a superuser"),
            (false, true) => Some("has BYPASSRLS"),
            (false, false) => None,
        };
        if let Some(how) = how {
            look.find(Code::RoleBypasses, tenant.clone(), format!("role {role} {how}"));
        }
        let above: BTreeSet<&str> = look
            .roles
            .iter()
            .filter(|it| it.superuser || it.bypassrls)
            .filter(|it| look.inherits(role, &Role(it.name.as_str().to_owned())))
            .map(|it| it.name.as_str())
            .collect();
        for other in above {
            let message = format!("role {role} is a member of {}, which policies do not bind", Name::from(other));
            look.find(Code::RoleBecomesAnother, tenant.clone(), message);
        }
    }
}

fn grants(look: &mut Look<'_>) {
    let tables: Vec<&QName> = look.tables.keys().copied().collect();
    for table in tables {
        let id = table::id(table);
        let past = look.reach(&id, &["TRUNCATE", "REFERENCES", "TRIGGER"]);
        if !past.is_empty() {
            let words: BTreeSet<&str> = look
                .grants
                .get(&id)
                .copied()
                .unwrap_or_default()
                .iter()
                .filter(|(role, privilege, _)| {
                    past.contains(role) && matches!(privilege.as_str(), "TRUNCATE" | "REFERENCES" | "TRIGGER")
                })
                .map(|(_, privilege, _)| privilege.as_str())
                .collect();
            let words: Vec<&str> = words.into_iter().collect();
            // TRUNCATE empties the table for all; the others need a table or a function of one's own.
            let severity = if words.contains(&"TRUNCATE") { Severity::Error } else { Severity::Warning };
            let message = format!("{} may {} on {table}", spoken(&past), words.join(", "));
            look.find_as(Code::PastPolicies, severity, id.clone(), message);
        }
        let everyone: BTreeSet<&Role> = look
            .reach(&id, &["SELECT", "INSERT", "UPDATE", "DELETE"])
            .into_iter()
            .filter(|it| **it == Role::public() || is_anonymous(it))
            .collect();
        if !everyone.is_empty() {
            look.find(Code::GrantToEveryone, id, format!("{} may use {table}", spoken(&everyone)));
        }
    }
    let globals: Vec<&QName> =
        look.tenancy.tables.iter().filter(|(_, it)| **it == Class::Global).map(|(table, _)| table).collect();
    for table in globals {
        let id = table::id(table);
        let secured = matches!(
            look.schema.get(&ObjectId { kind: Kind::RowSecurity, path: id.path.clone() }),
            Some(Object::RowSecurity(it)) if it.enabled
        );
        let writers = look.reach(&id, &["INSERT", "UPDATE", "DELETE", "TRUNCATE"]);
        if !writers.is_empty() && !secured {
            look.find(Code::GlobalWritable, id, format!("{} may write global table {table}", spoken(&writers)));
        }
    }
}

fn sequences(look: &mut Look<'_>) {
    for object in look.schema.of_kind(Kind::Column) {
        let Object::Column(column) = object else { continue };
        let Some(id) = column.identity_sequence().filter(|_| look.tables.contains_key(&column.table)) else {
            continue;
        };
        let readers = look.reach(&id, &["SELECT", "UPDATE"]);
        if !readers.is_empty() {
            let (column, table) = (&column.name, &column.table);
            let message = format!("{} may read or set the sequence of {column} of {table}", spoken(&readers));
            look.find(Code::SequenceTells, object.id(), message);
        }
    }
    for object in look.schema.of_kind(Kind::Sequence) {
        let Object::Sequence(sequence) = object else { continue };
        let Some((table, _)) = &sequence.owned_by else { continue };
        if !look.tables.contains_key(table) {
            continue;
        }
        let id = object.id();
        let readers = look.reach(&id, &["SELECT", "UPDATE"]);
        if !readers.is_empty() {
            let message = format!("{} may read or set sequence {} of {table}", spoken(&readers), sequence.name);
            look.find(Code::SequenceTells, id, message);
        }
    }
}

fn publications(look: &mut Look<'_>) {
    for object in look.schema.of_kind(Kind::Publication) {
        let Object::Publication(publication) = object else { continue };
        let whole = publication.all_tables
            || publication.namespaces.iter().any(|it| look.tables.keys().any(|table| table.namespace == *it));
        // Supabase's own sends each subscriber only what policies show it.
        if whole && publication.name.as_str() != "supabase_realtime" {
            let message = format!("publication {} sends whole tables of all tenants", publication.name);
            look.find(Code::PublicationShows, object.id(), message);
        }
    }
    for object in look.schema.of_kind(Kind::PublishedTable) {
        let Object::PublishedTable(it) = object else { continue };
        let realtime = it.publication.as_str() == "supabase_realtime";
        if look.tables.contains_key(&it.table) && it.rows.is_none() && !realtime {
            let message = format!("publication {} sends all tenants' rows of {}", it.publication, it.table);
            look.find(Code::PublicationShows, object.id(), message);
        }
    }
}

fn defaults(look: &mut Look<'_>) {
    let namespaces: BTreeSet<&Name> = look.tables.keys().map(|it| &it.namespace).collect();
    for object in look.schema.of_kind(Kind::DefaultPrivileges) {
        let Object::DefaultPrivileges(it) = object else { continue };
        let tables = it.object_type == "r" && it.namespace.as_ref().is_none_or(|it| namespaces.contains(it));
        if !tables {
            continue;
        }
        let open: BTreeSet<&Role> = it
            .items
            .iter()
            .map(|(role, _, _)| role)
            .filter(|role| **role != it.role && look.is_bound(role))
            .collect();
        if !open.is_empty() {
            let within = it.namespace.as_ref().map(|it| format!(" in {it}")).unwrap_or_default();
            let message = format!("tables that {} makes{within} are granted to {}", it.role, spoken(&open));
            look.find(Code::DefaultPrivilegesOpen, object.id(), message);
        }
    }
}

fn foreign_tables(look: &mut Look<'_>) {
    // They are no objects here yet: only their names are known.
    let names: Vec<String> = look
        .schema
        .unmanaged
        .keys()
        .filter_map(|it| it.strip_prefix("foreign table "))
        .map(str::to_owned)
        .collect();
    let Some(tenant) = look.tenancy.levels.first().map(|it| table::id(&it.table)) else { return };
    for name in names {
        look.find(Code::ForeignTable, tenant.clone(), format!("foreign table {name} is in this database"));
    }
}
