//! `CREATE PUBLICATION`. The tables that it names are objects of their own, so that one can leave for a moment while
//! a column that its rows are chosen by changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kind::constraint::Rule;
use crate::kind::published_table::PublishedTable;
use crate::kind::{Alter, Claim, Definition, Kind, Object, ObjectId, index, partition, table};
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    pub name: Name,
    /// Every table of the database, those to come as well.
    pub all_tables: bool,
    /// Namespaces of which every table is published, those to come as well.
    pub namespaces: Vec<Name>,
    pub publish: Publish,
    /// Changes to partitions are published as if they were made to the root.
    pub via_root: bool,
    /// Values of stored generated columns go along, from 18 on.
    pub generated_columns: bool,
}

/// What is published of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
    pub truncate: bool,
}

impl Publish {
    const ALL: Publish = Publish { insert: true, update: true, delete: true, truncate: true };

    fn sql(self) -> String {
        let operations = [
            (self.insert, "insert"),
            (self.update, "update"),
            (self.delete, "delete"),
            (self.truncate, "truncate"),
        ];
        format!("publish = '{}'", list(operations.into_iter().filter(|(on, _)| *on).map(|(_, name)| name)))
    }
}

pub fn id(name: &Name) -> ObjectId {
    ObjectId::new(Kind::Publication, [name])
}

/// The tables whose updates are published, by themselves or as parts of another, with the publications.
pub fn of_updates(schema: &Schema) -> BTreeMap<QName, BTreeSet<Name>> {
    let tables: Vec<QName> = table::all(schema).map(|it| it.name.clone()).collect();
    let named: BTreeSet<(&Name, &QName)> = schema
        .of_kind(Kind::PublishedTable)
        .filter_map(|object| match object {
            Object::PublishedTable(it) => Some((&it.publication, &it.table)),
            _ => None,
        })
        .collect();
    let mut sent: BTreeMap<QName, BTreeSet<Name>> = BTreeMap::new();
    for object in schema.of_kind(Kind::Publication) {
        let Object::Publication(it) = object else { continue };
        for table in tables.iter().filter(|_| it.publish.update) {
            let ancestry = table::ancestry(schema, table);
            if ancestry.iter().any(|above| it.takes_in(above) || named.contains(&(&it.name, above))) {
                // The whole is filled with its parts.
                for above in ancestry {
                    sent.entry(above).or_default().insert(it.name.clone());
                }
            }
        }
    }
    sent
}

/// What decides whether the server takes updates of tables: the publications that send them on.
pub struct Senders<'a> {
    schema: &'a Schema,
    /// With the tables that each names.
    publications: Vec<(&'a Publication, BTreeMap<&'a QName, &'a PublishedTable>)>,
}

impl<'a> Senders<'a> {
    pub fn of(schema: &'a Schema) -> Self {
        let publications = schema.of_kind(Kind::Publication).filter_map(|object| match object {
            Object::Publication(it) if it.publish.update || it.publish.delete => Some(&**it),
            _ => None,
        });
        let named = |it: &Publication| it.tables(schema).into_iter().map(|it| (&it.table, it)).collect();
        Senders { schema, publications: publications.map(|it| (it, named(it))).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// Why the server refuses updates and deletes of the table, if it does: one of the publications sends these on and can't
    /// tell its readers the row.
    pub fn refuse(&self, table: &QName) -> Option<String> {
        let table = table::find(self.schema, table)?;
        if table.partition_by.is_some() || table.unlogged || self.is_empty() {
            return None;
        }
        let line = partition::line(self.schema, &table.name);
        self.publications.iter().find_map(|(publication, tables)| {
            let whole = line.iter().any(|it| publication.takes_in(it));
            let mut named = line.iter().filter_map(|it| tables.get(it)).peekable();
            if !whole && named.peek().is_none() {
                return None;
            }
            let name = &publication.name;
            let Some(identity) = &index::identity(self.schema, table) else {
                let table = &table.name;
                return Some(format!("{table} has no key to tell a replica the row by, and {name} publishes its updates"));
            };
            let judged = named.filter(|it| !whole && (it.table == table.name || publication.via_root));
            judged.filter_map(|it| it.lacks(identity)).next().map(|why| format!("{name} {why}"))
        })
    }
}

/// The tables of which the object may decide whether their updates are taken.
pub fn decided_by(object: &Object, schema: &Schema) -> Vec<QName> {
    let below = |top: &QName| {
        let parts = partition::of(schema).map(|it| &it.child).filter(|it| partition::line(schema, it).contains(top));
        parts.chain([top]).cloned().collect()
    };
    match object {
        Object::Publication(_) => table::all(schema).map(|it| it.name.clone()).collect(),
        Object::PublishedTable(it) => below(&it.table),
        Object::Partition(it) => below(&it.child),
        Object::Table(it) => vec![it.name.clone()],
        Object::Constraint(it) if matches!(it.rule, Rule::Unique(_)) => vec![it.table.clone()],
        Object::Index(it) if it.unique => vec![it.table.clone()],
        _ => vec![],
    }
}

impl Publication {
    /// Whether the table is published without being named, for being in the database or in its namespace.
    pub fn takes_in(&self, table: &QName) -> bool {
        self.all_tables || self.namespaces.contains(&table.namespace)
    }

    /// The options that differ from those of another publication, as WITH and SET take them.
    fn options(&self, from: &Publication) -> Vec<String> {
        let mut options = vec![];
        if self.publish != from.publish {
            options.push(self.publish.sql());
        }
        if self.via_root != from.via_root {
            options.push(format!("publish_via_partition_root = {}", self.via_root));
        }
        if self.generated_columns != from.generated_columns {
            let kept = if self.generated_columns { "stored" } else { "none" };
            options.push(format!("publish_generated_columns = {kept}"));
        }
        options
    }

    /// The publication of the same name that says nothing.
    fn bare(&self) -> Publication {
        Publication {
            name: self.name.clone(),
            all_tables: false,
            namespaces: vec![],
            publish: Publish::ALL,
            via_root: false,
            generated_columns: false,
        }
    }

    fn tables<'a>(&self, schema: &'a Schema) -> Vec<&'a PublishedTable> {
        let tables = schema.of_kind(Kind::PublishedTable).filter_map(|object| match object {
            Object::PublishedTable(it) => Some(&**it),
            _ => None,
        });
        tables.filter(|it| it.publication == self.name).collect()
    }

    fn step(&self, action: String) -> Step {
        Step::new(format!("ALTER PUBLICATION {} {action}", self.name))
    }

    fn changed(&self, step: Step, why: impl Into<String>) -> Step {
        step.hazard(Code::PublicationChange, self.id(), why)
    }
}

impl Definition for Publication {
    const NOUN: &'static str = "publication";

    // The catalog of published namespaces exists from 15 on; pg_depend has its rows under the same oid (6237).
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_publication'::regclass::oid::int8, p.oid::int8, 0),
            'owner', pg_get_userbyid(p.pubowner),
            'def', json_build_object(
                'name', p.pubname,
                'all_tables', p.puballtables,
                'namespaces', coalesce(published.namespaces, '[]'),
                'publish', json_build_object('insert', p.pubinsert, 'update', p.pubupdate,
                                              'delete', p.pubdelete, 'truncate', p.pubtruncate),
                'via_root', p.pubviaroot,
                'generated_columns', coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false)))
          FROM pg_publication p
          LEFT JOIN (
              SELECT ofp.refobjid AS oid, json_agg(n.nspname ORDER BY n.nspname COLLATE "C") AS namespaces
                FROM pg_depend ofp
                JOIN pg_depend ofn ON ofn.classid = 6237 AND ofn.objid = ofp.objid
                                  AND ofn.refclassid = 'pg_namespace'::regclass
                JOIN pg_namespace n ON n.oid = ofn.refobjid
               WHERE ofp.classid = 6237 AND ofp.refclassid = 'pg_publication'::regclass
               GROUP BY ofp.refobjid) published ON published.oid = p.oid
         WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_publication'::regclass
                              AND d.objid = p.oid AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.name)
    }

    fn namespace(&self) -> Option<Name> {
        None
    }

    fn reference(path: &[Name]) -> String {
        format!("PUBLICATION {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        self.namespaces.iter().map(|namespace| ObjectId::new(Kind::Namespace, [namespace])).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("publication", vec![self.name.clone()])]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let mut sql = format!("CREATE PUBLICATION {}", self.name);
        let tables = self.tables(sides.new);
        if self.all_tables {
            sql += " FOR ALL TABLES";
        }
        let mut published = vec![];
        if !tables.is_empty() {
            published.push(format!("TABLE {}", list(tables.iter().map(|it| it.sql(sides)))));
        }
        if !self.namespaces.is_empty() {
            published.push(format!("TABLES IN SCHEMA {}", list(&self.namespaces)));
        }
        if !published.is_empty() {
            sql += &format!(" FOR {}", list(published));
        }
        let options = self.options(&self.bare());
        if !options.is_empty() {
            sql += &format!(" WITH ({})", list(options));
        }
        vec![tables.iter().fold(Step::new(sql), |step, it| it.locking(step))]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        // A namespace is not let in beside a table with a list of columns, which leaves in a step of its own.
        let has_lists = self.tables(sides.old).iter().any(|it| it.columns.is_some());
        if self.all_tables != new.all_tables || (has_lists && !new.namespaces.is_empty()) {
            return Alter::Replace;
        }
        let mut steps = vec![];
        let options = new.options(self);
        if !options.is_empty() {
            let mut step = self.step(format!("SET ({})", list(&options)));
            // The server refuses updates of a table of which too little is published to tell a replica the row.
            let more = |it: fn(&Publish) -> bool| it(&new.publish) && !it(&self.publish);
            if more(|it| it.update) || more(|it| it.delete) {
                step = step.with_its_parts();
            }
            steps.push(self.changed(step, format!("from now on: {}", list(options))));
        }
        let gone: Vec<&Name> = self.namespaces.iter().filter(|it| !new.namespaces.contains(it)).collect();
        if !gone.is_empty() {
            let step = self.step(format!("DROP TABLES IN SCHEMA {}", list(&gone)));
            steps.push(self.changed(step, format!("the tables of {} are no longer published", list(gone))));
        }
        let added: Vec<&Name> = new.namespaces.iter().filter(|it| !self.namespaces.contains(it)).collect();
        if !added.is_empty() {
            let step = self.step(format!("ADD TABLES IN SCHEMA {}", list(&added)));
            steps.push(self.changed(step, format!("the tables of {} are published", list(added))));
        }
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let step = Step::new(format!("DROP PUBLICATION {}", self.name)).stage(Stage::Contract);
        let why = if sides.new.contains(&self.id()) {
            "the publication is dropped and created again"
        } else {
            "subscribers to the publication stop with an error"
        };
        vec![self.changed(step, why)]
    }
}
