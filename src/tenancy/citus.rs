//! Tenancy on Citus: what its documentation demands of the tables of a tenancy, and the steps that distribute them: what
//! is everybody's as reference tables, then the tenants, then what is theirs, in one place with them.

use std::collections::BTreeSet;

use super::{Class, Tenancy};
use crate::kind::constraint::{Action, ForeignKey, Rule};
use crate::kind::index::Subject;
use crate::kind::{Kind, Object, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Half, Planned, Stage, Step, Undo};
use crate::schema::Schema;

/// What stands in for Citus where it can't be had.
pub const STAND_IN: &str = include_str!("../../platforms/citus/stand_in.sql");

/// As `[tenancy] allow` names what is refused: `citus:public.contacts.touch`.
pub const CODE: &str = "citus";

/// Which tables are distributed, or a reason why that is not known.
pub type Distributed = Result<BTreeSet<QName>, String>;

/// Something that Citus refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub object: ObjectId,
    pub why: String,
    pub fix: &'static str,
}

/// All that keeps the tables of a tenancy from being distributed, in a schema as it is to be.
pub fn refused(tenancy: &Tenancy, schema: &Schema) -> Vec<Refused> {
    let mut found = vec![];
    for (table, class) in &tenancy.tables {
        if is_partition(table, schema) || !schema.contains(&table::id(table)) || *class == Class::External {
            continue;
        }
        let key = key_of(tenancy, table);
        for object in schema.of_relation(Kind::Constraint, table) {
            let Object::Constraint(it) = object else { continue };
            let mut refuse = |why: String, fix| found.push(Refused { object: object.id(), why, fix });
            match (&it.rule, &key) {
                (Rule::Unique(unique), Some(key)) if !unique.columns.contains(key) => {
                    refuse(format!("it is unique without the distribution column {key}"), KEY_FIRST);
                }
                (Rule::Exclusion(it), Some(key)) => {
                    let is_key = |subject: &Subject| matches!(subject, Subject::Column(name) if name == key);
                    if !it.elements.iter().any(|it| is_key(&it.key.of)) {
                        refuse(format!("it excludes without the distribution column {key}"), KEY_FIRST);
                    }
                }
                (Rule::Foreign(foreign), key) => {
                    if let Some((why, fix)) = foreign_key(tenancy, key.as_ref(), foreign) {
                        refuse(why, fix);
                    }
                }
                (Rule::Unique(_) | Rule::Check(_), _) | (Rule::Exclusion(_), None) => {}
            }
        }
        for object in schema.of_kind(Kind::Index) {
            let (Object::Index(it), Some(key)) = (object, &key) else { continue };
            let has_key = it.keys.iter().any(|it| matches!(&it.of, Subject::Column(name) if name == key));
            if it.table == *table && it.unique && !has_key {
                let why = format!("it is unique without the distribution column {key}");
                found.push(Refused { object: object.id(), why, fix: KEY_FIRST });
            }
        }
        for object in schema.of_relation(Kind::Policy, table) {
            let Object::Policy(it) = object else { continue };
            let has_subquery = |text: String| {
                let words = crate::source::syntax::words(&text);
                words.iter().any(|it| it.eq_ignore_ascii_case("select"))
            };
            if it.using.iter().chain(&it.check).any(|it| has_subquery(it.to_string())) {
                let why = "its condition has a subquery".to_owned();
                let fix = "call the function without (SELECT …): declared STABLE, it is called once for an index";
                found.push(Refused { object: object.id(), why, fix });
            }
        }
        for object in schema.of_relation(Kind::Trigger, table) {
            let why = "triggers of distributed tables are refused".to_owned();
            let fix = "do without it, or set citus.enable_unsafe_triggers on the cluster";
            found.push(Refused { object: object.id(), why, fix });
        }
        for object in schema.of_relation(Kind::Rule, table) {
            let fix = "write it as a constraint, or leave it to the application";
            found.push(Refused { object: object.id(), why: "tables with rules are refused".into(), fix });
        }
        for object in schema.of_relation(Kind::Column, table) {
            let Object::Column(it) = object else { continue };
            if it.identity.is_some() && it.data_type != "bigint" {
                let why =
                    format!("an identity column of a distributed table is a bigint, and it is {}", it.data_type);
                found.push(Refused { object: object.id(), why, fix: "declare it as bigint" });
            }
        }
    }
    found
}

const KEY_FIRST: &str = "let it begin with the tenant key; `global` has no place where tables are distributed";

fn foreign_key(tenancy: &Tenancy, key: Option<&Name>, foreign: &ForeignKey) -> Option<(String, &'static str)> {
    let to = &foreign.to;
    let carries = "let it carry the tenant key on both ends";
    match (key, tenancy.class(to)) {
        (None, Some(Class::Scoped(_) | Class::Tenant)) => Some((
            format!("a reference table can't refer to {to}, which is distributed"),
            "declare the table as scoped, or take the reference out",
        )),
        (_, None | Some(Class::External)) => Some((
            format!("it leads to {to}, which stays on one server"),
            "declare the other table as scoped or global, or take the reference out",
        )),
        (Some(key), Some(Class::Scoped(_) | Class::Tenant)) => {
            let theirs = key_of(tenancy, to)?;
            let at = foreign.columns.iter().zip(&foreign.to_columns).any(|(own, it)| own == key && *it == theirs);
            if !at {
                return Some((format!("it leads to {to} without the distribution column"), carries));
            }
            let sets = matches!(foreign.on_delete, Action::SetNull | Action::SetDefault)
                && (foreign.set_columns.is_empty() || foreign.set_columns.contains(key));
            let moves = matches!(foreign.on_update, Action::SetNull | Action::SetDefault | Action::Cascade);
            (sets || moves).then(|| {
                let why = "its action would change the distribution column".to_owned();
                (why, "let ON DELETE set the own columns only, and leave ON UPDATE out")
            })
        }
        (None | Some(_), Some(Class::Global)) => None,
    }
}

/// The column by which a table is distributed; none for one that is everybody's.
fn key_of(tenancy: &Tenancy, table: &QName) -> Option<Name> {
    tenancy.keys(table).into_iter().find(|it| it.level == 0).map(|it| it.column)
}

fn is_partition(table: &QName, schema: &Schema) -> bool {
    schema.contains(&ObjectId::new(Kind::Partition, [&table.namespace, &table.name]))
}

/// The steps that distribute what is not distributed yet, after everything else.
pub fn steps(tenancy: &Tenancy, schema: &Schema, distributed: &BTreeSet<QName>) -> Vec<Planned> {
    let Some(level) = tenancy.levels.first() else { return vec![] };
    let mut left: Vec<(&QName, Option<Name>)> = tenancy
        .tables
        .iter()
        .filter(|(table, class)| **class != Class::External && !is_partition(table, schema))
        .filter(|(table, _)| schema.contains(&table::id(table)) && !distributed.contains(*table))
        .map(|(table, _)| (table, key_of(tenancy, table)))
        .collect();
    // Reference tables, then the tenants, then the others; within these, what is referred to goes first.
    left.sort_by_key(|(table, key)| (key.is_some(), **table != level.table));
    let mut ordered: Vec<(&QName, Option<Name>)> = vec![];
    while !left.is_empty() {
        let ready = |(table, _): &(&QName, Option<Name>)| {
            let mut needs = referred(table, schema).filter(|it| it != *table);
            needs.all(|it| !left.iter().any(|(other, _)| **other == it))
        };
        let next = left.iter().position(ready).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered.into_iter().map(|(table, key)| step(table, key.as_ref(), &level.table)).collect()
}

fn referred<'a>(table: &'a QName, schema: &'a Schema) -> impl Iterator<Item = QName> + 'a {
    schema.of_relation(Kind::Constraint, table).filter_map(|object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Foreign(foreign) => Some(foreign.to.clone()),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => None,
        },
        _ => None,
    })
}

fn step(table: &QName, key: Option<&Name>, tenant: &QName) -> Planned {
    let text = table.to_string();
    let name = Literal(&text);
    let (sql, summary) = match key {
        None => (
            format!("SELECT pg_catalog.create_reference_table({name})"),
            format!("make table {table} a reference table"),
        ),
        Some(key) => {
            let with = match table == tenant {
                true => String::new(),
                false => format!(", colocate_with => {}", Literal(&tenant.to_string())),
            };
            (
                format!("SELECT pg_catalog.create_distributed_table({name}, {}{with})", Literal(key.as_str())),
                format!("distribute table {table} by {key}"),
            )
        }
    };
    let is_there = format!("FROM pg_catalog.pg_dist_partition WHERE logicalrelid = {name}::regclass");
    // Undoing one takes those along that refer to it, so the rest finds nothing left to do.
    let undo =
        format!("SELECT pg_catalog.undistribute_table(logicalrelid, cascade_via_foreign_keys => true) {is_there}");
    let subject = table::id(table);
    let step = Step::new(sql)
        .summary(summary)
        .stage(Stage::Contract)
        .own_transaction()
        .locks(table, Lock::Exclusive)
        .scans(table)
        .hazard(Code::ScanUnderLock, subject.clone(), "its rows are copied to where they will be")
        .check(format!("SELECT EXISTS (SELECT {is_there})"));
    Planned {
        step,
        does: vec![(subject.clone(), Half::Alter)],
        subject,
        transaction: Some(u32::MAX),
        undo: vec![Undo::inside(undo)],
        renames_to: None,
    }
}

/// What a plan says of the distribution beside its steps.
pub fn notes(steps: &[Planned], distributed: &Distributed) -> Vec<String> {
    let mut notes = vec![];
    if !steps.is_empty() {
        let tables = list(steps.iter().map(|it| it.subject.path[1].to_string()));
        notes.push(format!(
            "Citus: the steps that distribute {tables} were proved against a stand-in that looks for what its \
             documentation demands, not against Citus"
        ));
    }
    if let Err(why) = distributed {
        notes.push(format!("Citus: which tables are distributed already is not known, {why}"));
    }
    notes
}
