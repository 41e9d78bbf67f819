//! Renames: those that are declared, as steps; and drops with an add that look like one, as a question.

use crate::kind::constraint::Rule;
use crate::kind::index::{Key, Subject};
use crate::kind::made_name;
use crate::kind::{Kind, Object, ObjectId, arbiter, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::twin::{Alone, Twin};
use crate::plan::{Planned, Step, Undo, bridge, idle, together, twin};
use crate::schema::{Facts, Schema};
use crate::source::{Class, Rename};

mod bodies;

use bodies::Group;

/// Declared renames whose old name the live side still has.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// Those that are done before anything else, as steps: tables before what is in them.
    pub steps: Vec<Planned>,
    /// The columns that have both names until `contract`.
    pub twins: Vec<Twin>,
}

/// The declared renames that are to be done, in the order of the declaration. A rename that has been done is none. Where
/// both names of a table can live, the old one becomes a view until `contract`: see [`bridge`]; for those of
/// a column see [`twin`].
pub fn pending(renames: &[Rename], current: &Schema, desired: &Schema, facts: &Facts, both_names: bool) -> Pending {
    let implied = implied(renames, current, desired);
    let is_implied = |it: &Rename| implied.iter().any(|implied| std::ptr::eq(implied, it));
    let mut renames: Vec<&Rename> = renames.iter().chain(&implied).collect();
    renames.sort_by_key(|rename| rename.path.len());
    let moved = |path: &[Name]| -> Vec<Name> {
        // The relation that a part stands in may itself be renamed: the live side has it under its old name.
        let of_table = renames.iter().find(|it| it.path.len() == 2 && path.len() == 3 && it.path == path[..2]);
        match of_table {
            Some(table) => vec![path[0].clone(), table.old.clone(), path[2].clone()],
            None => path.to_vec(),
        }
    };
    let mut twins = vec![];
    let mut left: Vec<(&Rename, Planned)> = vec![];
    for rename in &renames {
        let live = moved(&rename.path);
        let Some((_, container)) = live.split_last() else { continue };
        let before = [container, std::slice::from_ref(&rename.old)].concat();
        let there = exists(rename.class, &before, current);
        let done = exists(rename.class, &live, current);
        if !there || done {
            continue;
        }
        let Some(mut step) = planned(rename, &before, current) else { continue };
        if both_names && rename.class == Class::Column && live == rename.path {
            match twin::twin(rename, current, desired, facts) {
                Ok(twin) => {
                    twins.push(twin);
                    continue;
                }
                Err(Alone::Because(why)) => {
                    let hazards = step.step.hazards.iter_mut();
                    hazards.for_each(|it| it.why += &format!("; both names can't be kept: {why}"));
                }
                Err(Alone::Unused) => {}
            }
        }
        step.step.hazards.retain(|hazard| !idle::spares(hazard, facts));
        left.push((rename, step));
    }
    let mut groups: Vec<Group<'_>> = vec![];
    while !left.is_empty() {
        let (rename, step) = left.remove(0);
        let mut group = Group { renames: vec![rename], steps: vec![step], is_bridged: false };
        if rename.class == Class::Table {
            let of_table = |it: &Rename| it.class == Class::Column && it.path[..2] == rename.path[..];
            let columns: Vec<&Rename> = left.iter().map(|it| it.0).filter(|it| of_table(it)).collect();
            let mut bridge = None;
            let [namespace, ..] = rename.path.as_slice() else { continue };
            let is_idle = facts.idle.contains(&QName { namespace: namespace.clone(), name: rename.old.clone() });
            if both_names && !is_idle {
                bridge = bridge::view(rename, &columns, current, desired);
            }
            if bridge.is_some() {
                group.is_bridged = true;
                group.extend(left.extract_if(.., |it| of_table(it.0)));
                group.steps.iter_mut().for_each(|it| it.step.hazards.clear());
                let old = QName { namespace: namespace.clone(), name: rename.old.clone() };
                group.steps[0].step.hazards = arbiter::lost_behind_a_view(&old, current);
            }
            let bears_its_name = |it: &Rename| is_implied(it) && it.span == rename.span;
            group.extend(left.extract_if(.., |it| bears_its_name(it.0)));
            group.steps.extend(bridge.into_iter().flatten());
        }
        groups.push(group);
    }
    let groups = bodies::follow(groups, &renames, current, desired, facts);
    let numbered = groups.into_iter().zip(1..).flat_map(|(group, transaction)| {
        group.steps.into_iter().map(move |it| Planned { transaction: Some(transaction), ..it })
    });
    let mut steps: Vec<Planned> = numbered.collect();
    together::mark(&mut steps, current, facts);
    Pending { steps, twins }
}

/// The renames that come with that of a table: of what bears its name, as the server named it, and is declared by the
/// new one. `people_pkey` of `people` becomes `contacts_pkey`, and `people_id_seq` goes on counting as
/// `contacts_id_seq`.
fn implied(renames: &[Rename], current: &Schema, desired: &Schema) -> Vec<Rename> {
    let mut implied = vec![];
    for rename in renames.iter().filter(|it| it.class == Class::Table) {
        let [namespace, new] = rename.path.as_slice() else { continue };
        let old = QName { namespace: namespace.clone(), name: rename.old.clone() };
        let columns: Vec<&Rename> =
            renames.iter().filter(|it| it.class == Class::Column && it.path[..2] == rename.path[..]).collect();
        let renamed = |name: &Name| -> Option<Name> {
            let rest = name.as_str().strip_prefix(rename.old.as_str())?.strip_prefix('_')?;
            let mut words = format!("_{rest}_");
            for column in &columns {
                let now = column.path.last()?;
                words = words.replace(&format!("_{}_", column.old.as_str()), &format!("_{}_", now.as_str()));
            }
            Some(Name::from(format!("{}{}", new.as_str(), words.strip_suffix('_')?)))
        };
        for object in current.objects.values() {
            let (class, kind, name, within) = match object {
                Object::Constraint(it) if it.table == old => {
                    (Class::Constraint, Kind::Constraint, &it.name, vec![namespace, new])
                }
                Object::Index(it) if it.table == old => {
                    (Class::Index, Kind::Index, &it.name.name, vec![&it.name.namespace])
                }
                Object::Sequence(it) if it.owned_by.as_ref().is_some_and(|(table, _)| *table == old) => {
                    (Class::Sequence, Kind::Sequence, &it.name.name, vec![&it.name.namespace])
                }
                _ => continue,
            };
            let after = |name: &Name| {
                let rename = columns.iter().find(|it| it.old == *name);
                rename.and_then(|it| it.path.last()).unwrap_or(name).clone()
            };
            let chosen = chosen_anew(object, current, (&rename.old, new), after);
            let path = |last: &Name| within.iter().copied().chain([last]).cloned().collect::<Vec<Name>>();
            let declares = |last: &Name| desired.contains(&ObjectId { kind, path: path(last).into() });
            // Where the name was taken the server numbered it, and may not have to any more.
            let first = Name::from(name.as_str().trim_end_matches(|it: char| it.is_ascii_digit()));
            let candidates = [chosen, renamed(name), renamed(&first)];
            let Some(now) = candidates.into_iter().flatten().find(declares) else { continue };
            let said = renames.iter().chain(&implied);
            let is_said = said.into_iter().any(|it| it.class == class && it.path == path(&now));
            if !declares(name) && !is_said {
                implied.push(Rename { class, path: path(&now), old: name.clone(), span: rename.span });
            }
        }
    }
    implied
}

/// The name that the server chooses for the object when its table and columns have their new names, where it has the one
/// that the server chose: both may be cut.
fn chosen_anew(
    object: &Object,
    current: &Schema,
    (old, new): (&Name, &Name),
    after: impl Fn(&Name) -> Name,
) -> Option<Name> {
    let (name, columns) = match object {
        Object::Constraint(it) => {
            let columns = match &it.rule {
                Rule::Unique(key) if key.primary => vec![],
                Rule::Unique(key) => [key.columns.clone(), key.include.clone()].concat(),
                Rule::Exclusion(it) => {
                    [columns_of(it.elements.iter().map(|it| &it.key)), it.include.clone()].concat()
                }
                Rule::Foreign(it) => it.columns.clone(),
                // Of one column only.
                Rule::Check(_) => {
                    let id = object.id();
                    let needs = current.needs_of(&id).filter(|it| it.kind == Kind::Column);
                    let columns: Vec<Name> = needs.filter_map(|it| it.path.last().cloned()).collect();
                    if columns.len() == 1 { columns } else { vec![] }
                }
            };
            (&it.name, columns)
        }
        Object::Index(it) => (&it.name.name, [columns_of(&it.keys), it.include.clone()].concat()),
        Object::Sequence(it) => (&it.name.name, it.owned_by.iter().map(|(_, column)| column.clone()).collect()),
        _ => return None,
    };
    let (_, label) = name.as_str().rsplit_once('_')?;
    let joined = |columns: &[Name]| columns.iter().map(Name::as_str).collect::<Vec<_>>().join("_");
    let named = |table: &Name, columns: &[Name]| {
        let words = joined(columns);
        made_name::chosen(table.as_str(), (!columns.is_empty()).then_some(words.as_str()), label)
    };
    let now: Vec<Name> = columns.iter().map(after).collect();
    (*name == named(old, &columns)).then(|| named(new, &now))
}

fn columns_of<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<Name> {
    let name = |key: &Key| match &key.of {
        Subject::Column(name) => name.clone(),
        Subject::Expression(_) => "expr".into(),
    };
    keys.into_iter().map(name).collect()
}

/// Whether anything of the class has this path.
fn exists(class: Class, path: &[Name], schema: &Schema) -> bool {
    match class {
        Class::Label => {
            let Some((label, type_path)) = path.split_last() else { return false };
            let id = ObjectId { kind: Kind::EnumType, path: type_path.into() };
            matches!(schema.get(&id), Some(Object::EnumType(it)) if it.labels.iter().any(|it| it == label.as_str()))
        }
        _ => kinds(class).iter().any(|kind| schema.contains(&ObjectId { kind: *kind, path: path.into() })),
    }
}

fn kinds(class: Class) -> &'static [Kind] {
    match class {
        Class::Table => &[Kind::Table],
        Class::Column => &[Kind::Column],
        Class::Constraint => &[Kind::Constraint],
        Class::Index => &[Kind::Index],
        Class::Label | Class::Enum => &[Kind::EnumType],
        Class::Composite => &[Kind::Composite],
        Class::Domain => &[Kind::Domain],
        Class::Sequence => &[Kind::Sequence],
        Class::View => &[Kind::View],
        Class::MaterializedView => &[Kind::MaterializedView],
        Class::Namespace => &[Kind::Namespace],
        Class::Trigger => &[Kind::Trigger],
        Class::Policy => &[Kind::Policy],
        Class::Publication => &[Kind::Publication],
        // Routines have their argument types in their path, and the others have no declared renames.
        Class::Function
        | Class::Procedure
        | Class::Aggregate
        | Class::Extension
        | Class::Range
        | Class::ForeignTable
        | Class::Rule
        | Class::Statistics
        | Class::EventTrigger => &[],
    }
}

/// The statement that renames: what it is called with, and from which name to which.
fn statement(class: Class, path: &[Name], to: &Name) -> Option<String> {
    let (name, container) = path.split_last()?;
    let container = container.iter().map(Name::to_string).collect::<Vec<_>>().join(".");
    Some(match class {
        Class::Table => format!("ALTER TABLE {container}.{name} RENAME TO {to}"),
        Class::Column => format!("ALTER TABLE {container} RENAME COLUMN {name} TO {to}"),
        Class::Constraint => format!("ALTER TABLE {container} RENAME CONSTRAINT {name} TO {to}"),
        Class::Index => format!("ALTER INDEX {container}.{name} RENAME TO {to}"),
        Class::Label => {
            format!("ALTER TYPE {container} RENAME VALUE {} TO {}", Literal(name.as_str()), Literal(to.as_str()))
        }
        Class::Enum | Class::Composite => format!("ALTER TYPE {container}.{name} RENAME TO {to}"),
        Class::Domain => format!("ALTER DOMAIN {container}.{name} RENAME TO {to}"),
        Class::Sequence => format!("ALTER SEQUENCE {container}.{name} RENAME TO {to}"),
        Class::View => format!("ALTER VIEW {container}.{name} RENAME TO {to}"),
        Class::MaterializedView => format!("ALTER MATERIALIZED VIEW {container}.{name} RENAME TO {to}"),
        Class::Namespace => format!("ALTER SCHEMA {name} RENAME TO {to}"),
        Class::Trigger => format!("ALTER TRIGGER {name} ON {container} RENAME TO {to}"),
        Class::Policy => format!("ALTER POLICY {name} ON {container} RENAME TO {to}"),
        Class::Publication => format!("ALTER PUBLICATION {name} RENAME TO {to}"),
        _ => return None,
    })
}

fn planned(rename: &Rename, before: &[Name], current: &Schema) -> Option<Planned> {
    let to = rename.path.last()?;
    // By now the table of a part has its new name.
    let mut path = rename.path.clone();
    *path.last_mut()? = rename.old.clone();
    let kind = *kinds(rename.class).first()?;
    let subject = match rename.class {
        Class::Label => ObjectId { kind, path: before[..before.len() - 1].into() },
        _ => ObjectId { kind, path: before.into() },
    };
    let mut step = Step::new(statement(rename.class, &path, to)?)
        .summary(format!("rename {} {} to {to}", rename.class, rename.old))
        .hazard(Code::Rename, subject.clone(), format!("{} is called {to} from this step on", rename.old));
    if let (Some(namespace), Some(relation)) = (before.first(), before.get(1)) {
        let relation = QName { namespace: namespace.clone(), name: relation.clone() };
        let mode = match rename.class {
            Class::Index => Lock::ShareUpdateExclusive,
            _ => Lock::AccessExclusive,
        };
        for (name, lock) in family(&relation, current).into_iter().map(|it| (it, mode)) {
            step = step.locks(&name, lock);
        }
        // The same relation under the name that it has once it is renamed.
        if let Some(new) = path.get(1).filter(|it| path.len() == 3 && **it != relation.name) {
            step = step.locks(&QName { namespace: namespace.clone(), name: new.clone() }, mode);
        }
    }
    let mut renamed = path.clone();
    *renamed.last_mut()? = to.clone();
    let undo = vec![Undo::inside(statement(rename.class, &renamed, &rename.old)?)];
    let (step, renames_to) = (step.own_transaction(), Some(to.clone()));
    Some(Planned { step, subject, does: vec![], transaction: Some(0), undo, renames_to })
}

/// A table and the partitions below it, foreign tables among them: renaming a column locks them all.
fn family(relation: &QName, schema: &Schema) -> Vec<QName> {
    let mut family = vec![relation.clone()];
    let mut at = 0;
    while let Some(parent) = family.get(at).cloned() {
        at += 1;
        family.extend(
            table::find(schema, &parent).into_iter().flat_map(|it| it.foreign.0.iter().map(|it| it.0.clone())),
        );
        for object in schema.of_kind(Kind::Partition) {
            if let Object::Partition(it) = object
                && it.parent == parent
                && !family.contains(&it.child)
            {
                family.push(it.child.clone());
            }
        }
    }
    family
}

/// A drop and an add that look like one rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub old: ObjectId,
    pub new: ObjectId,
    /// How people name the two, with the evidence.
    pub words: String,
}

/// Looks for drops and adds that may be renames which nobody declared: columns of one type in one table, tables with
/// the same columns, enum labels, and constraints and indexes that say the same under another name.
pub fn suspects(old: &Schema, new: &Schema) -> Vec<Suspect> {
    let mut found = vec![];
    let gone: Vec<&Object> = old.objects.iter().filter(|(id, _)| !new.contains(id)).map(|it| it.1).collect();
    let come: Vec<&Object> = new.objects.iter().filter(|(id, _)| !old.contains(id)).map(|it| it.1).collect();
    for before in &gone {
        let matches: Vec<&&Object> = come.iter().filter(|after| alike(before, after, old, new)).collect();
        if let [after, ..] = matches.as_slice() {
            let (old, new) = (before.id(), after.id());
            let words = format!("{old} goes and {new} comes, and they are alike");
            found.push(Suspect { old, new, words });
        }
    }
    for before in old.of_kind(Kind::EnumType) {
        let (Object::EnumType(a), Some(Object::EnumType(b))) = (before, new.get(&before.id())) else { continue };
        let removed: Vec<&String> = a.labels.iter().filter(|it| !b.labels.contains(it)).collect();
        let added: Vec<&String> = b.labels.iter().filter(|it| !a.labels.contains(it)).collect();
        if let ([removed, ..], [added, ..]) = (removed.as_slice(), added.as_slice()) {
            let words = format!("label '{removed}' of {} goes and '{added}' comes", before.id());
            found.push(Suspect { old: before.id(), new: before.id(), words });
        }
    }
    found
}

fn alike(before: &Object, after: &Object, old: &Schema, new: &Schema) -> bool {
    match (before, after) {
        (Object::Column(a), Object::Column(b)) => {
            a.table == b.table && a.data_type == b.data_type && !a.inherited.0 && a.generated.is_none()
        }
        (Object::Table(a), Object::Table(b)) => {
            let columns = |schema: &Schema, table: &QName| -> Vec<(Name, String)> {
                schema
                    .of_relation(Kind::Column, table)
                    .filter_map(|it| match it {
                        Object::Column(it) => Some((it.name.clone(), it.data_type.clone())),
                        _ => None,
                    })
                    .collect()
            };
            let (a, b) = (columns(old, &a.name), columns(new, &b.name));
            !a.is_empty() && a == b
        }
        (Object::Constraint(a), Object::Constraint(b)) => {
            a.table == b.table && {
                crate::kind::constraint::Constraint { name: b.name.clone(), ..(**a).clone() } == **b
            }
        }
        (Object::Index(a), Object::Index(b)) => {
            crate::kind::index::Index { name: b.name.clone(), ..(**a).clone() } == **b
        }
        _ => false,
    }
}
