//! PostgREST: what it must be told after a change, and what it shows that row security does not hold back.

use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::plan::{self, Planned, Stage, Step, Undo};
use crate::platform::Api;
use crate::schema::Schema;

/// PostgREST listens for this, with its default `db-channel` (PostgREST's manual, "Schema Cache Reloading").
const RELOAD: &str = "NOTIFY pgrst, 'reload schema'";

/// Adds to each stage that changes what is served a last step that has PostgREST read the schema again: a run may
/// stop between stages.
pub fn with_reload(steps: Vec<Planned>, api: &Api) -> Vec<Planned> {
    let served = |id: &ObjectId| {
        let on = match (id.kind, &id.path[..]) {
            // What hangs on an object has its kind before its path.
            (Kind::Comment | Kind::Grants | Kind::Owner, [_, path @ ..]) => path,
            (Kind::Publication | Kind::PublishedTable | Kind::Extension | Kind::DefaultPrivileges, _) => &[],
            (_, path) => path,
        };
        on.first().is_some_and(|it| api.namespaces.iter().any(|served| served == it.as_str()))
    };
    let mut with: Vec<Planned> = vec![];
    let mut steps = steps.into_iter().peekable();
    let mut changed: Option<Name> = None;
    while let Some(it) = steps.next() {
        let touched = it.does.iter().map(|(id, _)| id).chain([&it.subject]).find(|id| served(id));
        changed = changed.or_else(|| {
            let id = touched?;
            id.path.iter().find(|part| api.namespaces.iter().any(|it| it == part.as_str())).cloned()
        });
        let stage = it.step.stage;
        with.push(it);
        if steps.peek().is_some_and(|next| next.step.stage == stage) {
            continue;
        }
        if let Some(namespace) = changed.take() {
            with.push(reload(stage, &namespace));
        }
    }
    plan::renumber(&mut with);
    with
}

fn reload(stage: Stage, namespace: &Name) -> Planned {
    Planned {
        step: Step::new(RELOAD).stage(stage).summary("have PostgREST read the schema again"),
        subject: ObjectId::new(Kind::Namespace, [namespace]),
        does: vec![],
        // Its own: no other step has it.
        transaction: Some(u32::MAX),
        undo: vec![Undo::inside(RELOAD)],
        renames_to: None,
    }
}

/// Something that requests can reach past row security.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposed {
    pub object: ObjectId,
    pub code: &'static str,
    pub why: String,
    pub fix: String,
}

/// All that is served to the API's roles and that row security does not hold back.
pub fn exposed(schema: &Schema, api: &Api) -> Vec<Exposed> {
    let is_served = |namespace: &Name| api.namespaces.iter().any(|it| it == namespace.as_str());
    let mut found = vec![];
    for (id, object) in &schema.objects {
        let stands = match object {
            Object::Extension(it) => Some(it.namespace.clone()),
            object => object.namespace(),
        };
        if !stands.is_some_and(|it| is_served(&it)) {
            continue;
        }
        let finding = match object {
            Object::Table(it) => {
                let Some(who) = reached(schema, id, api, &["SELECT", "INSERT", "UPDATE", "DELETE"]) else {
                    continue;
                };
                (!secured(schema, &it.name)).then(|| {
                    (
                        "api::no_row_security",
                        format!("{who} can reach every row of {}: it has no row security", it.name),
                        format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY, with policies", it.name),
                    )
                })
            }
            Object::View(it) if private(schema, id, api).is_some() => {
                let Some(who) = reached(schema, id, api, &["SELECT"]) else { continue };
                private(schema, id, api).map(|of| {
                    (
                        "api::private",
                        format!("{who} can read {}, which shows rows of {of}", it.name),
                        format!("keep what is shown in a table of your own, or revoke the view from {who}"),
                    )
                })
            }
            Object::Extension(it) => Some((
                "api::extension",
                format!("extension {} stands in {}, which is served with its functions", it.name, it.namespace),
                format!("CREATE EXTENSION {} SCHEMA extensions, or another that is not served", it.name),
            )),
            Object::View(it) => {
                let Some(who) = reached(schema, id, api, &["SELECT"]) else { continue };
                (!it.options.security_invoker.is_on()).then(|| {
                    (
                        "api::view_of_its_owner",
                        format!("{who} can read {}, which reads its tables with the rights of its owner", it.name),
                        format!("ALTER VIEW {} SET (security_invoker = true), from PostgreSQL 15 on", it.name),
                    )
                })
            }
            Object::MaterializedView(it) => reached(schema, id, api, &["SELECT"]).map(|who| {
                (
                    "api::materialized_view",
                    format!("{who} can read all of {}: a materialized view has no row security", it.name),
                    "put it in a namespace that is not served, behind a view that asks for the tenant".to_owned(),
                )
            }),
            // Nobody can call the function of a trigger.
            Object::Routine(it) if it.security_definer && it.result.as_deref() != Some("trigger") => {
                reached(schema, id, api, &["EXECUTE"]).map(|who| {
                    (
                        "api::definer_function",
                        format!("{who} can call {}, which runs with the rights of its owner", it.name),
                        format!(
                            "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC, anon, or let it ask who calls",
                            it.name
                        ),
                    )
                })
            }
            _ => None,
        };
        if let Some((code, why, fix)) = finding {
            found.push(Exposed { object: id.clone(), code, why, fix });
        }
    }
    found
}

/// The first of the API's roles that has one of the privileges on the object, itself or as PUBLIC. Where nothing is
/// known of its grants, none.
fn reached(schema: &Schema, on: &ObjectId, api: &Api, privileges: &[&str]) -> Option<String> {
    let Some(Object::Grants(grants)) = schema.get(&on.satellite(Kind::Grants)) else { return None };
    let holds = |role: &str| {
        let items = grants.items.iter();
        items
            .clone()
            .any(|(to, privilege, _)| (to.0 == role || to.0.is_empty()) && privileges.contains(&privilege.as_str()))
    };
    api.roles.iter().find(|role| holds(role)).cloned()
}

/// The table that a view reads and that nobody should be served.
fn private(schema: &Schema, view: &ObjectId, api: &Api) -> Option<QName> {
    schema.needs.get(view)?.iter().find_map(|need| match (need.kind, &need.path[..]) {
        (Kind::Table | Kind::Column, [namespace, name, ..])
            if api.private.iter().any(|it| it == namespace.as_str()) =>
        {
            Some(QName::new(namespace.clone(), name.clone()))
        }
        _ => None,
    })
}

fn secured(schema: &Schema, table: &QName) -> bool {
    let id = ObjectId::new(Kind::RowSecurity, [&table.namespace, &table.name]);
    matches!(schema.get(&id), Some(Object::RowSecurity(it)) if it.enabled)
}
