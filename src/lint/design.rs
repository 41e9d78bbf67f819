//! What is better made otherwise from the start: no running system feels it, so that nobody is told of it who does not
//! ask. From a schema alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::column::Column;
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::index::{Index, Key, Subject};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::{Name, QName, list};
use crate::plan::hazard::{Code, Hazard, Severity};
use crate::schema::Schema;

/// All that is found, by object.
pub fn of_schema(schema: &Schema) -> Vec<Hazard> {
    let mut look = Look {
        schema,
        partitions: schema
            .of_kind(Kind::Partition)
            .filter_map(|it| if let Object::Partition(it) = it { Some(&it.child) } else { None })
            .collect(),
        serials: schema
            .of_kind(Kind::Sequence)
            .filter_map(|it| if let Object::Sequence(it) = it { it.owned_by.as_ref() } else { None })
            .map(|(table, column)| (table, column))
            .collect(),
        keys: Keys::of(schema),
        found: vec![],
    };
    for (id, object) in &schema.objects {
        match object {
            Object::Table(it) => look.table(&it.name),
            Object::Column(it) => look.column(id, it),
            Object::Constraint(it) => look.constraint(id, it),
            Object::Index(it) => look.index(id, it),
            Object::EnumType(it) => {
                let why = format!("{} labels, none of which can be removed in place", it.labels.len());
                look.find(Code::EnumByType, id, why);
            }
            Object::DomainConstraint(it) => {
                let why = format!("{} is read in every table that uses {}", it.condition, it.domain);
                look.find(
                    Code::ConstrainedDomain,
                    &ObjectId::new(Kind::Domain, [&it.domain.namespace, &it.domain.name]),
                    why,
                );
            }
            _ => {}
        }
    }
    look.found
}

struct Look<'a> {
    schema: &'a Schema,
    partitions: BTreeSet<&'a QName>,
    /// Columns that a sequence goes with.
    serials: BTreeSet<(&'a QName, &'a Name)>,
    keys: Keys<'a>,
    found: Vec<Hazard>,
}

/// The keys and indexes of tables.
#[derive(Default)]
struct Keys<'a> {
    primary: BTreeMap<&'a QName, &'a [Name]>,
    /// Columns in the order of an index that holds all rows.
    plain: BTreeMap<&'a QName, Vec<Vec<&'a Name>>>,
    indexes: BTreeMap<&'a QName, Vec<&'a Index>>,
}

impl<'a> Keys<'a> {
    fn of(schema: &'a Schema) -> Keys<'a> {
        let mut keys = Keys::default();
        for object in schema.objects.values() {
            match object {
                Object::Constraint(it) => {
                    let Rule::Unique(unique) = &it.rule else { continue };
                    if unique.primary {
                        keys.primary.insert(&it.table, &unique.columns);
                    }
                    keys.plain.entry(&it.table).or_default().push(unique.columns.iter().collect());
                }
                Object::Index(it) => {
                    keys.indexes.entry(&it.table).or_default().push(it);
                    if it.valid && it.predicate.is_none() && it.method.as_str() == "btree" {
                        let columns = it.keys.iter().map_while(|key| match &key.of {
                            Subject::Column(name) => Some(name),
                            Subject::Expression(_) => None,
                        });
                        keys.plain.entry(&it.table).or_default().push(columns.collect());
                    }
                }
                _ => {}
            }
        }
        keys
    }
}

impl Look<'_> {
    fn find(&mut self, code: Code, object: &ObjectId, why: impl Into<String>) {
        self.found.push(Hazard::new(code, object.clone(), why));
    }

    fn table(&mut self, name: &QName) {
        if !self.partitions.contains(name) && !self.keys.primary.contains_key(name) {
            self.find(Code::NoPrimaryKey, &table::id(name), "no PRIMARY KEY");
        }
    }

    fn column(&mut self, id: &ObjectId, column: &Column) {
        if self.partitions.contains(&column.table) || !self.schema.contains(&table::id(&column.table)) {
            return;
        }
        let is_serial = self.serials.contains(&(&column.table, &column.name));
        let is_key = self.keys.primary.get(&column.table).is_some_and(|it| *it == [column.name.clone()]);
        if is_serial {
            self.find(Code::SerialColumn, id, "its numbers come from a sequence beside it");
        }
        let data_type = column.data_type.as_str();
        if (is_serial || is_key || column.identity.is_some()) && matches!(data_type, "integer" | "smallint") {
            let most = if data_type == "integer" { "2,147,483,647" } else { "32,767" };
            self.find(Code::IntegerKey, id, format!("{data_type} ends at {most}"));
        }
        let code = match data_type {
            "json" => Code::JsonColumn,
            it if it.starts_with("timestamp") && it.ends_with("without time zone") => Code::NaiveTimestamp,
            it if it == "character" || it.starts_with("character(") => Code::PaddedText,
            it if it.starts_with("character varying(") => Code::LimitedText,
            _ => return,
        };
        self.find(code, id, data_type);
    }

    fn constraint(&mut self, id: &ObjectId, constraint: &Constraint) {
        let Rule::Foreign(key) = &constraint.rule else { return };
        let wanted: BTreeSet<&Name> = key.columns.iter().collect();
        let serves = |columns: &Vec<&Name>| {
            columns.len() >= wanted.len()
                && columns[..wanted.len()].iter().copied().collect::<BTreeSet<_>>() == wanted
        };
        let served = self.keys.plain.get(&constraint.table).into_iter().flatten().any(serves);
        if !served && !self.partitions.contains(&constraint.table) {
            self.find(Code::ForeignKeyWithoutIndex, id, format!("no index begins with {}", list(&key.columns)));
        }
    }

    fn index(&mut self, id: &ObjectId, index: &Index) {
        if self.partitions.contains(&index.table) {
            return;
        }
        const MANY: usize = 4;
        if index.keys.len() > MANY {
            self.find(Code::WideIndex, id, format!("{} columns", index.keys.len()));
        }
        if let Some(other) = self.other(index) {
            self.find(Code::DuplicateIndex, id, format!("{other} serves what it serves"));
        }
    }

    /// Another index that does all that this one does. Of two that are the same, the first by name stays.
    fn other(&self, index: &Index) -> Option<Name> {
        if index.unique || !index.include.is_empty() {
            return None;
        }
        let begins = |long: &[Key], short: &[Key]| long.len() >= short.len() && long[..short.len()] == *short;
        let of_indexes = self.keys.indexes.get(&index.table).into_iter().flatten().find(|it| {
            let same = it.keys.len() == index.keys.len() && !it.unique && it.include.is_empty();
            let prefix = index.method.as_str() == "btree" || it.keys.len() == index.keys.len();
            it.name != index.name
                && it.valid
                && it.method == index.method
                && it.predicate == index.predicate
                && prefix
                && begins(&it.keys, &index.keys)
                && (!same || it.name < index.name)
        });
        if let Some(it) = of_indexes {
            return Some(it.name.name.clone());
        }
        // The index of a key has nothing but columns.
        let columns = index.keys.iter().map(|key| match &key.of {
            Subject::Column(name) if key.opclass.is_none() && key.collation.is_none() => {
                (!key.descending && !key.nulls_first).then_some(name)
            }
            Subject::Column(_) | Subject::Expression(_) => None,
        });
        let columns = columns.collect::<Option<Vec<&Name>>>()?;
        if index.predicate.is_some() || index.method.as_str() != "btree" {
            return None;
        }
        let keys = self.schema.of_relation(Kind::Constraint, &index.table);
        let mut keys = keys.filter_map(|it| match it {
            Object::Constraint(it) => match &it.rule {
                Rule::Unique(unique) => Some((&it.name, &unique.columns)),
                Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => None,
            },
            _ => None,
        });
        keys.find(|(_, key)| key.iter().take(columns.len()).eq(columns.iter().copied()))
            .map(|(name, _)| name.clone())
    }
}

/// Whether nobody is told of a hazard who has not asked for it.
pub fn is_unasked(hazard: &Hazard) -> bool {
    hazard.severity == Severity::Off
}
