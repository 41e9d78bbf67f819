//! Rows that are filled in a published table: each of them goes to the readers of its publications.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Kind, Object, table};
use crate::name::{Name, QName, list};
use crate::plan::Planned;
use crate::plan::hazard::{Code, Hazard};
use crate::schema::Schema;

/// Marks the steps that change rows which a publication sends on. A table may have its name of before or of after.
pub fn mark(steps: &mut [Planned], [old, new]: [&Schema; 2]) {
    let sent = [sent(old), sent(new)];
    for it in steps {
        let Some(fill) = it.step.fill().filter(|it| it.into.is_none()) else { continue };
        let by_name = sent.iter().find_map(|sent| sent.iter().find(|(name, _)| name.to_string() == fill.table));
        let Some((name, publications)) = by_name else { continue };
        let why = format!("updates of {name} are published by {}", list(publications));
        it.step.hazards.push(Hazard::new(Code::FillPublished, table::id(name), why));
    }
}

/// The tables whose updates are published, by themselves or as parts of another, with the publications.
fn sent(schema: &Schema) -> BTreeMap<QName, BTreeSet<Name>> {
    let mut sent: BTreeMap<QName, BTreeSet<Name>> = BTreeMap::new();
    let updates: BTreeSet<&Name> = schema
        .of_kind(Kind::Publication)
        .filter_map(|object| match object {
            Object::Publication(it) if it.publish.update => Some(&it.name),
            _ => None,
        })
        .collect();
    let tables: Vec<&QName> = schema
        .of_kind(Kind::Table)
        .filter_map(|object| match object {
            Object::Table(it) => Some(&it.name),
            _ => None,
        })
        .collect();
    let above = |name: &QName| {
        let mut above = vec![name.clone()];
        let mut next = 0;
        while let Some(name) = above.get(next).cloned() {
            above.extend(table::parents(schema, &name));
            next += 1;
        }
        above
    };
    let publications = schema.of_kind(Kind::Publication).chain(schema.of_kind(Kind::PublishedTable));
    for object in publications {
        let (publication, is_named): (&Name, &dyn Fn(&QName) -> bool) = match object {
            Object::Publication(it) => (&it.name, &|name| it.all_tables || it.namespaces.contains(&name.namespace)),
            Object::PublishedTable(it) => (&it.publication, &|name| *name == it.table),
            _ => continue,
        };
        if !updates.contains(publication) {
            continue;
        }
        for name in &tables {
            let above = above(name);
            if above.iter().any(is_named) {
                // The whole is filled with its parts.
                for it in above {
                    sent.entry(it).or_default().insert(publication.clone());
                }
            }
        }
    }
    sent
}
