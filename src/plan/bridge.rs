//! A table under two names: while code that knows the old one still runs, a view of that name stands for it. The server
//! passes reads and writes through to the table, with the rights and the row security of who sends them.
//!
//! Facts from "Updatable Views" in the manual's page of CREATE VIEW.

use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName, Role, list};
use crate::plan::{Planned, Step, Undo};
use crate::schema::Schema;
use crate::source::Rename;

/// The steps that make the view, right after the renames of the table and of these of its columns; it goes again as
/// what the declaration does not know. None where it could not stand for the table: before PostgreSQL 15 a view reads
/// with the rights of its owner; partitions and children of other tables are read by way of their parents; and the old
/// name may be wanted for something else.
pub fn view(rename: &Rename, columns: &[&Rename], current: &Schema, desired: &Schema) -> Option<Vec<Planned>> {
    let [namespace, new] = rename.path.as_slice() else { return None };
    let old = QName { namespace: namespace.clone(), name: rename.old.clone() };
    let new = old.sibling(new.clone());
    let taken = |schema: &Schema| Kind::ALL.iter().any(|kind| schema.contains(&id(*kind, &old)));
    let Some(Object::Table(table)) = current.get(&id(Kind::Table, &old)) else { return None };
    let is_child = !table.inherits.0.is_empty() || current.contains(&id(Kind::Partition, &old));
    if current.major() < 15 || taken(desired) || is_child {
        return None;
    }
    let selected = table.columns(current).into_iter().map(|column| {
        let renamed = columns.iter().find(|it| it.old == column.name).and_then(|it| it.path.last());
        match renamed {
            Some(now) => format!("{now} AS {}", column.name),
            None => column.name.to_string(),
        }
    });
    let selected = list(selected);
    let subject = id(Kind::View, &old);
    let planned = |step: Step, undo: Option<String>| Planned {
        step: step.own_transaction(),
        subject: subject.clone(),
        does: vec![],
        transaction: None,
        undo: undo.into_iter().map(Undo::inside).collect(),
        renames_to: None,
    };
    let create = format!("CREATE VIEW {old} WITH (security_invoker = true) AS SELECT {selected} FROM {new}");
    let create = Step::new(create).summary(format!("keep the old name {old} alive as a view of {new}"));
    let mut steps = vec![planned(create, Some(format!("DROP VIEW {old}")))];
    if let Some(Object::Owner(owner)) = current.get(&id(Kind::Table, &old).satellite(Kind::Owner))
        && owner.role != current.creator
    {
        let step = Step::new(format!("ALTER VIEW {old} OWNER TO {}", owner.role));
        steps.push(planned(step.summary(format!("{old} belongs to whom the table belongs")), None));
    }
    for (on, column) in std::iter::once((id(Kind::Table, &old), None)).chain(
        table.columns(current).into_iter().map(|it| (crate::kind::column::id(&old, &it.name), Some(&it.name))),
    ) {
        let Some(Object::Grants(grants)) = current.get(&on.satellite(Kind::Grants)) else { continue };
        for (role, privilege, with_option) in &grants.items {
            if grants.owner.as_ref() == Some(role) {
                continue;
            }
            let step = Step::new(grant(&old, role, privilege, column, *with_option));
            let words = format!("{} may {privilege} by the old name, too", role_words(role));
            steps.push(planned(step.summary(words), None));
        }
    }
    Some(steps)
}

fn role_words(role: &Role) -> String {
    if *role == Role::public() { "everyone".into() } else { role.to_string() }
}

pub(super) fn grant(on: &QName, role: &Role, privilege: &str, column: Option<&Name>, with_option: bool) -> String {
    let column = column.map(|it| format!(" ({it})")).unwrap_or_default();
    let option = if with_option { " WITH GRANT OPTION" } else { "" };
    format!("GRANT {privilege}{column} ON {on} TO {role}{option}")
}

pub(super) fn id(kind: Kind, name: &QName) -> ObjectId {
    ObjectId::new(kind, [&name.namespace, &name.name])
}
