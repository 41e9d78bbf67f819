//! `ALTER TABLE … INHERIT`: that a table inherits from another without being a partition of it. A new table says so itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kind::column::{self, Aside};
use crate::kind::constraint::Rule;
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inheritance {
    pub child: QName,
    pub parent: QName,
    /// The parents before this one: their order decides that of the columns of a new child.
    pub behind: Vec<QName>,
    /// The columns of the parent, which the table must have.
    pub columns: Aside<Vec<Name>>,
}

pub fn id(child: &QName, parent: &QName) -> ObjectId {
    ObjectId::new(Kind::Inheritance, [&child.namespace, &child.name, &parent.namespace, &parent.name])
}

/// The columns and checks of a table that tables below it have too.
fn handed_down(schema: &Schema, name: &QName) -> Vec<ObjectId> {
    let checks = schema.of_relation(Kind::Constraint, name).filter(|it| match it {
        Object::Constraint(it) => matches!(&it.rule, Rule::Check(check) if !check.no_inherit),
        _ => false,
    });
    schema.of_relation(Kind::Column, name).chain(checks).map(Object::id).collect()
}

/// The parents that a table inherits from before and after, in their order.
pub fn kept_parents(sides: &Sides<'_>, child: &QName) -> Vec<QName> {
    let parents = |schema: &Schema| table::find(schema, child).map(|it| it.inherits.0.clone()).unwrap_or_default();
    let after = parents(sides.new);
    parents(sides.old).into_iter().filter(|it| after.contains(it)).collect()
}

/// The tables that inherit from one before or after.
pub fn heirs<'a>(sides: &Sides<'a>, parent: &QName) -> Vec<&'a QName> {
    let of = |schema: &'a Schema| {
        schema.of_kind(Kind::Inheritance).filter_map(|object| match object {
            Object::Inheritance(it) if it.parent == *parent => Some(&it.child),
            _ => None,
        })
    };
    let heirs: BTreeSet<&QName> = of(sides.old).chain(of(sides.new)).collect();
    heirs.into_iter().collect()
}

impl Inheritance {
    /// Whether it can stay in its place: the parents that go were the only ones out of order.
    fn keeps_its_place(&self, sides: &Sides<'_>) -> bool {
        let parents = |schema: &Schema| table::find(schema, &self.child).map(|it| it.inherits.0.clone());
        let (Some(old), Some(new)) = (parents(sides.old), parents(sides.new)) else { return false };
        let stay = old.iter().filter(|it| new.contains(it));
        let same = stay.zip(&new).take_while(|(a, b)| a == b);
        same.into_iter().any(|(it, _)| *it == self.parent)
    }

    /// Columns and checks that the parent has, and that come, change or go there, above or on the table while this is not
    /// there. What both get alike on the way to the end of it comes before: it is needed by then.
    fn changes_apart(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let (id, child) = (self.id(), table::id(&self.child));
        let ends = sides.is_going(&id);
        if ends == sides.is_new(&id) || sides.is_new(&child) || sides.is_going(&child) {
            return vec![];
        }
        let inside = if ends { sides.old } else { sides.new };
        // Of a parent that is no table of the plan's, no more is known than what its columns are called.
        let columns = self.columns.0.iter().map(|it| column::id(&self.parent, it));
        let of_parent: BTreeSet<ObjectId> =
            [sides.old, sides.new].into_iter().flat_map(|it| handed_down(it, &self.parent)).chain(columns).collect();
        let is_of_parent = |id: &ObjectId| of_parent.iter().any(|it| it.kind == id.kind && it.path.last() == id.path.last());
        let mut tables = table::ancestry(inside, &self.parent);
        tables.push(self.child.clone());
        let all = tables.iter().flat_map(|it| [sides.old, sides.new].into_iter().flat_map(|schema| handed_down(schema, it)));
        let all: BTreeSet<ObjectId> = all.filter(|it| is_of_parent(it)).collect();
        let differs = |id: &ObjectId| sides.old.get(id) != sides.new.get(id);
        all.into_iter().filter(|it| differs(it) && !(ends && self.comes_alike(it, sides))).collect()
    }

    /// Whether both get a column or check of this name that is the same.
    fn comes_alike(&self, id: &ObjectId, sides: &Sides<'_>) -> bool {
        let Some(name) = id.path.last() else { return false };
        let [own, above] = [&self.child, &self.parent].map(|it| ObjectId::new(id.kind, [&it.namespace, &it.name, name]));
        let come = [&own, &above].into_iter().all(|it| sides.is_new(it));
        come && match (sides.new.get(&own), sides.new.get(&above)) {
            (Some(Object::Column(own)), Some(Object::Column(above))) => own.merges_with(above),
            (Some(Object::Constraint(own)), Some(Object::Constraint(above))) => own.merges_with(above),
            _ => false,
        }
    }

    fn alter_table(&self, action: &str) -> Step {
        Step::new(format!("ALTER TABLE {} {action} {}", self.child, self.parent))
            .locks(&self.child, Lock::AccessExclusive)
            .locks(&self.parent, Lock::ShareUpdateExclusive)
    }
}

impl Definition for Inheritance {
    const NOUN: &'static str = "inheritance";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array(0, 0, 0),
            'def', json_build_object(
                'child', json_build_array(n.nspname, c.relname),
                'parent', json_build_array(pn.nspname, p.relname),
                'behind', coalesce(
                    (SELECT json_agg(json_build_array(bn.nspname, b.relname) ORDER BY before.inhseqno)
                       FROM pg_inherits before
                       JOIN pg_class b ON b.oid = before.inhparent
                       JOIN pg_namespace bn ON bn.oid = b.relnamespace
                      WHERE before.inhrelid = i.inhrelid AND before.inhseqno < i.inhseqno), '[]'),
                'columns', coalesce(
                    (SELECT json_agg(a.attname ORDER BY a.attnum)
                       FROM pg_attribute a
                      WHERE a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')))
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_class p ON p.oid = i.inhparent
          JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE c.relkind = 'r' AND NOT c.relispartition
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.child, &self.parent)
    }

    fn reference(path: &[Name]) -> String {
        format!("TABLE {}", super::dotted(&path[..path.len().min(2)]))
    }

    fn label(path: &[Name]) -> Option<String> {
        match path {
            [namespace, child, of, parent] => Some(format!("{namespace}.{child} from {of}.{parent}")),
            _ => None,
        }
    }

    fn needs(&self) -> Vec<ObjectId> {
        vec![table::id(&self.child), table::id(&self.parent)]
    }

    fn wishes(&self) -> Vec<ObjectId> {
        let columns = |table| self.columns.0.iter().map(move |name| column::id(table, name));
        columns(&self.parent).chain(columns(&self.child)).collect()
    }

    /// The parents are joined in their order.
    fn comes_after(&self, _sides: &Sides<'_>) -> Vec<ObjectId> {
        self.behind.iter().map(|it| id(&self.child, it)).collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.child))
    }

    fn made_with_whole(&self) -> bool {
        true
    }

    fn keeps_apart_from(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        self.changes_apart(sides)
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        let joins = format!("{} inherits from {}", self.child, self.parent);
        vec![self.alter_table("INHERIT").summary(joins)]
    }

    fn alter(&self, _new: &Self, sides: &Sides<'_>) -> Alter {
        if self.keeps_its_place(sides) { Alter::Steps(vec![]) } else { Alter::Replace }
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let leave = self.alter_table("NO INHERIT").stage(Stage::Contract);
        let leave = leave.summary(format!("{} no longer inherits from {}", self.child, self.parent));
        let stays = !sides.is_going(&table::id(&self.parent)) && !sides.new.contains(&self.id());
        vec![match stays && table::may_hold_rows(sides, &self.child) {
            true => leave.hazard(Code::DetachPartition, self.id(), table::evidence(sides, &self.child)),
            false => leave,
        }]
    }
}
