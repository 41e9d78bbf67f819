//! `CREATE DOMAIN`: its base, default and whether it takes nulls. Its checks are objects of their own.

use serde::{Deserialize, Serialize};

use crate::kind::column::{Column, retype};
use crate::kind::domain_constraint::DomainConstraint;
use crate::kind::swap::{Swap, Users, users};
use crate::kind::{Alter, Claim, Definition, Expr, Kind, Object, ObjectId, comment, table};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    pub name: QName,
    /// As `format_type` prints it, with its modifiers.
    pub base: String,
    /// Where it isn't the base's own.
    pub collation: Option<QName>,
    pub default: Option<Expr>,
    pub not_null: bool,
    /// From 17 on, NOT NULL has a name: where it isn't the one that the server would choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null_name: Option<Name>,
}

pub fn id(name: &QName) -> ObjectId {
    ObjectId::new(Kind::Domain, [&name.namespace, &name.name])
}

/// The domain that a type, as `format_type` prints it, is.
fn find<'a>(schema: &'a Schema, data_type: &str) -> Option<&'a Domain> {
    let domains = schema.of_kind(Kind::Domain).filter_map(|object| match object {
        Object::Domain(it) => Some(&**it),
        _ => None,
    });
    domains.into_iter().find(|it| it.name.to_string() == data_type)
}

/// The type under a domain over whatever number of domains; any other type is its own.
pub fn base<'a>(schema: &'a Schema, data_type: &'a str) -> &'a str {
    find(schema, data_type).map_or(data_type, |it| base(schema, &it.base))
}

/// Whether a type is a domain that does not take every value of its base.
pub fn constrains(schema: &Schema, data_type: &str) -> bool {
    find(schema, data_type).is_some_and(|it| {
        it.not_null || it.constraints(schema).next().is_some() || constrains(schema, &it.base)
    })
}

impl Domain {
    /// The statement with the constraints that hold from the start.
    fn sql<'a>(&self, constraints: impl Iterator<Item = &'a DomainConstraint>) -> String {
        let mut sql = format!("CREATE DOMAIN {} AS {}", self.name, self.base);
        if let Some(collation) = &self.collation {
            sql += &format!(" COLLATE {collation}");
        }
        if let Some(default) = &self.default {
            sql += &format!(" DEFAULT {default}");
        }
        if self.not_null {
            sql += &self.named_not_null();
        }
        for constraint in constraints.filter(|it| it.valid) {
            sql += &format!(" {}", constraint.sql());
        }
        sql
    }

    fn named_not_null(&self) -> String {
        match &self.not_null_name {
            Some(name) => format!(" CONSTRAINT {name} NOT NULL"),
            None => " NOT NULL".to_owned(),
        }
    }

    pub(super) fn not_null_constraint(&self) -> Name {
        // The server cuts the domain's name, so that all fits into 63 bytes.
        let name = self.name.name.as_str();
        let chosen = || Name::from(format!("{}_not_null", &name[..name.floor_char_boundary(54)]));
        self.not_null_name.clone().unwrap_or_else(chosen)
    }

    pub(super) fn constraints<'a>(&self, schema: &'a Schema) -> impl Iterator<Item = &'a DomainConstraint> + use<'a> {
        let name = self.name.clone();
        schema.of_kind(Kind::DomainConstraint).filter_map(move |object| match object {
            Object::DomainConstraint(it) if it.domain == name => Some(&**it),
            _ => None,
        })
    }

    /// Another domain takes the place of this one, with its constraints; those that go have gone before.
    fn swap(&self, new: &Domain, sides: &Sides<'_>) -> Alter {
        let users = users(sides.old, &self.id());
        if users.relations.is_empty() {
            return Alter::Replace;
        }
        let there: Vec<&DomainConstraint> =
            new.constraints(sides.new).filter(|it| it.valid || !sides.is_new(&it.id())).collect();
        // The server would choose another name for its NOT NULL, while the old domain has its own.
        let name = new.not_null_name.clone().or_else(|| (sides.major() >= 17).then(|| new.not_null_constraint()));
        let named = Domain { not_null_name: name, ..new.clone() };
        let mut create = vec![Step::new(named.sql(there.iter().copied()))];
        create.extend(there.iter().filter(|it| !it.valid).map(|it| it.add()));
        let parts = there.iter().map(|it| it.id()).collect();
        let swap = Swap { id: self.id(), name: &self.name, word: "DOMAIN", create, parts };
        let narrows = std::cell::Cell::new(false);
        let using = |column: &Column| {
            let of = |base: &str| Column { data_type: base.to_owned(), ..column.clone() };
            let change = retype::retype(&of(&self.base), &of(&new.base), sides);
            narrows.set(narrows.get() || change.narrows);
            let array = if column.data_type.ends_with("[]") { "[]" } else { "" };
            let told = change.conversion.using().is_some() || !array.is_empty();
            told.then(|| {
                let (name, from, to) = (&column.name, &self.base, &new.base);
                let through = if from == to { String::new() } else { format!("::{to}{array}") };
                format!("{name}::{from}{array}{through}::{}", column.data_type)
            })
        };
        let mut steps = match swap.steps(sides, using) {
            Ok(steps) => steps,
            Err(reason) => return Alter::Refused(reason),
        };
        if let Some(first) = steps.first_mut() {
            if narrows.get() {
                let why = format!("from {} to {}", self.base, new.base);
                *first = first.clone().hazard(Code::NarrowType, self.id(), why);
            }
            if self.is_narrowed(new, sides)
                && let Some(why) = filled(&users, sides)
            {
                let hidden = users.container(sides.old, &self.id());
                let hidden = hidden.map(|it| format!("; {it}, where the server can't look")).unwrap_or_default();
                *first = first.clone().hazard(Code::CheckMayFail, self.id(), format!("{why}{hidden}"));
            }
        }
        Alter::Steps(steps)
    }

    /// Whether the new domain promises of all its values what this one does not.
    fn is_narrowed(&self, new: &Domain, sides: &Sides<'_>) -> bool {
        // Over another base the same condition is printed otherwise.
        let same = |old: &DomainConstraint, it: &DomainConstraint| old.condition == it.condition || self.base != new.base;
        let holds = |it: &DomainConstraint| match sides.old.get(&it.id()) {
            Some(Object::DomainConstraint(old)) => old.valid && same(old, it),
            _ => false,
        };
        (new.not_null && !self.not_null) || new.constraints(sides.new).any(|it| it.valid && !holds(it))
    }

    fn alter_domain(&self, action: impl std::fmt::Display) -> Step {
        Step::new(format!("ALTER DOMAIN {} {action}", self.name))
    }
}

/// Whether another domain takes the place of this one: it has another base, or something is promised of values that the
/// server can't look at, since they stand in arrays, rows or ranges.
pub(super) fn is_swapped(name: &QName, sides: &Sides<'_>) -> bool {
    let id = id(name);
    match (sides.old.get(&id), sides.new.get(&id)) {
        (Some(Object::Domain(old)), Some(Object::Domain(new))) => {
            let is_other = old.base != new.base || old.collation != new.collation;
            is_other || (old.is_narrowed(new, sides) && users(sides.old, &id).container(sides.old, &id).is_some())
        }
        _ => false,
    }
}

/// What a statement that proves something about every value of a domain does: it reads all tables that hold one, and
/// keeps writers out meanwhile. Not for what is in an array, a row or a range: the server refuses then.
pub(super) fn proving(mut step: Step, users: &Users<'_>, sides: &Sides<'_>) -> Step {
    for relation in users.relations.iter().filter(|it| table::stores(sides, it)) {
        step = step.locks(relation, Lock::Share).scans(relation);
    }
    step
}

/// The tables that may hold values, for a hazard's evidence.
pub(super) fn filled(users: &Users<'_>, sides: &Sides<'_>) -> Option<String> {
    let filled: Vec<&QName> = users.relations.iter().filter(|it| table::may_hold_rows(sides, it)).collect();
    (!filled.is_empty()).then(|| format!("used by {}", list(filled)))
}

impl Definition for Domain {
    const NOUN: &'static str = "domain";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_type'::regclass::oid::int8, t.oid::int8, 0),
            'owner', pg_get_userbyid(t.typowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, t.typname),
                'base', format_type(t.typbasetype, t.typtypmod),
                'collation', CASE WHEN t.typcollation <> b.typcollation
                                  THEN json_build_array(cn.nspname, c.collname) END,
                'default', pg_get_expr(t.typdefaultbin, 0),
                'not_null', t.typnotnull,
                'not_null_name', (SELECT nn.conname FROM pg_constraint nn
                                   WHERE nn.contypid = t.oid AND nn.contype = 'n'
                                     AND nn.conname <> t.typname || '_not_null'
                                     AND (octet_length(t.typname) <= 54 OR nn.conname !~ '_not_null$'))))
          FROM pg_type t
          JOIN pg_namespace n ON n.oid = t.typnamespace
          JOIN pg_type b ON b.oid = t.typbasetype
          LEFT JOIN pg_collation c ON c.oid = t.typcollation
          LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
         WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.name)
    }

    fn reference(path: &[Name]) -> String {
        format!("DOMAIN {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::type_claim(&self.name)]
    }

    /// What exchanges the base makes the domain again.
    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        vec![Step::new(self.sql(self.constraints(sides.new)))]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if is_swapped(&self.name, sides) {
            return self.swap(new, sides);
        }
        let mut steps = vec![];
        if self.default != new.default {
            steps.push(match &new.default {
                Some(default) => self.alter_domain(format!("SET DEFAULT {default}")),
                None => self.alter_domain("DROP DEFAULT"),
            });
        }
        match (self.not_null, new.not_null) {
            (true, false) => steps.push(self.alter_domain("DROP NOT NULL").hazard(
                Code::DropNotNull,
                self.id(),
                "columns of the domain take nulls",
            )),
            (false, true) => {
                let users = users(sides.old, &self.id());
                let add = match &new.not_null_name {
                    Some(_) => format!("ADD{}", new.named_not_null()),
                    None => "SET NOT NULL".to_owned(),
                };
                let mut step = proving(self.alter_domain(add), &users, sides).stage(Stage::Contract);
                if let Some(why) = filled(&users, sides) {
                    step = step.hazard(Code::CheckMayFail, self.id(), why.clone()).hazard(
                        Code::ScanUnderLock,
                        self.id(),
                        why,
                    );
                }
                steps.push(step);
            }
            (true, true) if self.not_null_name != new.not_null_name => {
                let (from, to) = (self.not_null_constraint(), new.not_null_constraint());
                steps.push(self.alter_domain(format!("RENAME CONSTRAINT {from} TO {to}")));
                steps.extend(comment::on_renamed(&self.id(), &to, sides));
            }
            (true, true) | (false, false) => {}
        }
        Alter::Steps(steps)
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP DOMAIN {}", self.name))
                .stage(Stage::Contract)
                .hazard(Code::DropType, self.id(), "it goes"),
        ]
    }
}
