//! `ALTER TABLE … ATTACH PARTITION`: that a table is a partition of another. The table itself is made on its own.

use serde::{Deserialize, Serialize};

use crate::kind::column::{self, Aside};
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    pub child: QName,
    pub parent: QName,
    /// `FOR VALUES …` or `DEFAULT`.
    pub bound: String,
    /// The columns, which both tables must have.
    pub columns: Aside<Vec<Name>>,
    /// A `DETACH … CONCURRENTLY` was broken off: the parent no longer shows the rows, `FINALIZE` is to come.
    pub detaching: bool,
}

pub fn id(child: &QName) -> ObjectId {
    ObjectId::new(Kind::Partition, [&child.namespace, &child.name])
}

fn of(schema: &Schema) -> impl Iterator<Item = &Partition> {
    schema.of_kind(Kind::Partition).filter_map(|object| match object {
        Object::Partition(it) => Some(it),
        _ => None,
    })
}

impl Partition {
    fn is_default(&self) -> bool {
        self.bound == "DEFAULT"
    }

    /// The default partition of the parent, where it is another one: its own bound follows from its siblings'.
    fn default_sibling<'a>(&self, schema: &'a Schema) -> Option<&'a QName> {
        of(schema).find(|it| it.parent == self.parent && it.is_default() && it.child != self.child).map(|it| &it.child)
    }

    /// The locks of taking a partition away from its parent, by DETACH or DROP.
    pub fn lock_parent(&self, step: Step, sides: &Sides<'_>) -> Step {
        let step = step.locks(&self.parent, Lock::AccessExclusive);
        match self.default_sibling(sides.old) {
            Some(default) => step.locks(default, Lock::AccessExclusive),
            None => step,
        }
    }

    fn attach(&self, sides: &Sides<'_>) -> Step {
        let mut step =
            Step::new(format!("ALTER TABLE {} ATTACH PARTITION {} {}", self.parent, self.child, self.bound))
                .locks(&self.parent, Lock::ShareUpdateExclusive);
        for member in table::family(sides, &self.child) {
            step = step.locks(&member, Lock::AccessExclusive);
            if table::stores(sides, &member) {
                step = step.scans(&member);
            }
        }
        if table::may_hold_rows(sides, &self.child) {
            step = step.hazard(Code::AttachScan, self.id(), table::evidence(sides, &self.child));
        }
        // Rows that now belong to the new partition must not stand in the default one.
        if let Some(default) = self.default_sibling(sides.old) {
            for member in table::family(sides, default) {
                step = step.locks(&member, Lock::AccessExclusive);
                if table::stores(sides, &member) {
                    step = step.scans(&member);
                }
            }
            if table::may_hold_rows(sides, default) {
                step = step.hazard(Code::ScanUnderLock, self.id(), table::evidence(sides, default));
            }
        }
        step
    }

    fn detach(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.detaching {
            return vec![
                Step::new(format!("ALTER TABLE {} DETACH PARTITION {} FINALIZE", self.parent, self.child))
                    .stage(Stage::Contract)
                    .locks(&self.parent, Lock::ShareUpdateExclusive)
                    .locks(&self.child, Lock::AccessExclusive),
            ];
        }
        let hazard = |step: Step| {
            if table::may_hold_rows(sides, &self.child) {
                step.hazard(Code::DetachPartition, self.id(), table::evidence(sides, &self.child))
            } else {
                step
            }
        };
        let contract = |step: Step| step.stage(Stage::Contract);
        let sql = format!("ALTER TABLE {} DETACH PARTITION {}", self.parent, self.child);
        let Some(left_over) = self.concurrently(sides) else {
            let step = Step::new(sql).stage(Stage::Contract).locks(&self.child, Lock::AccessExclusive);
            let step = hazard(self.lock_parent(step, sides));
            return std::iter::once(step).chain(self.renames(sides).into_iter().map(contract)).collect();
        };
        let gone = format!(
            "SELECT NOT relispartition FROM pg_class WHERE oid = {}::regclass",
            Literal(&self.child.to_string())
        );
        let detach = Step::new(format!("{sql} CONCURRENTLY"))
            .stage(Stage::Contract)
            .outside_transaction()
            .locks(&self.parent, Lock::ShareUpdateExclusive)
            .locks(&self.child, Lock::AccessExclusive)
            .check(gone);
        let drop = Step::new(format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {left_over}", self.child))
            .summary("takes away the copy of the bound that DETACH CONCURRENTLY leaves as a CHECK")
            .stage(Stage::Contract)
            .locks(&self.child, Lock::AccessExclusive);
        [hazard(detach), drop].into_iter().chain(self.renames(sides).into_iter().map(contract)).collect()
    }

    /// From 18 on: NOT NULL constraints have the parent's names while they are the parent's, and can be renamed only
    /// before and after.
    fn renames(&self, sides: &Sides<'_>) -> Vec<Step> {
        let id = table::id(&self.child);
        if sides.major() < 18 || sides.is_new(&id) || sides.is_going(&id) {
            return vec![];
        }
        let mut steps = vec![];
        for name in &self.columns.0 {
            let sides_of_it = [sides.old, sides.new].map(|schema| column::find(schema, &self.child, name));
            let [Some(old), Some(new)] = sides_of_it else { continue };
            let (Some(from), Some(to)) = (&old.not_null, &new.not_null) else { continue };
            let (before, after) = (from.constraint(old), to.constraint(new));
            if from.inherited != to.inherited && before != after {
                steps.push(
                    Step::new(format!("ALTER TABLE {} RENAME CONSTRAINT {before} TO {after}", self.child))
                        .locks(&self.child, Lock::AccessExclusive),
                );
            }
        }
        steps
    }

    /// The name of the CHECK that a concurrent detach leaves on the partition, or nothing where the plain form is
    /// called for: there is a default partition, a table of the two goes as well, or the name can't be foretold.
    fn concurrently(&self, sides: &Sides<'_>) -> Option<Name> {
        let both_stay = [&self.child, &self.parent].into_iter().all(|it| !sides.is_going(&table::id(it)));
        let no_default = !of(sides.old).any(|it| it.parent == self.parent && it.is_default());
        if !both_stay || !no_default || sides.is_new(&self.id()) {
            return None;
        }
        let key = table::find(sides.old, &self.parent)?.partition_by.as_deref()?;
        let key = key.split_once('(')?.1.strip_suffix(')')?;
        let column = Name::from(key);
        let name = Name(format!("{}_{key}_check", self.child.name.as_str()));
        let path = |kind, part| ObjectId::new(kind, [&self.child.namespace, &self.child.name, part]);
        let free = !sides.old.contains(&path(Kind::Constraint, &name));
        (sides.old.contains(&path(Kind::Column, &column)) && name.as_str().len() <= 63 && free).then_some(name)
    }
}

impl Definition for Partition {
    const NOUN: &'static str = "partition";

    const CATALOG: &'static str = r#"
        SELECT jsonb_build_object(
            'at', jsonb_build_array(0, 0, 0),
            'def', jsonb_build_object(
                'child', jsonb_build_array(n.nspname, c.relname),
                'parent', jsonb_build_array(pn.nspname, p.relname),
                'bound', pg_get_expr(c.relpartbound, c.oid),
                'columns', coalesce(
                    (SELECT jsonb_agg(a.attname ORDER BY a.attnum)
                       FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
                'detaching', i.inhdetachpending))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_inherits i ON i.inhrelid = c.oid
          JOIN pg_class p ON p.oid = i.inhparent
          JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE c.relkind IN ('r', 'p') AND c.relispartition
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.child)
    }

    fn reference(path: &[Name]) -> String {
        format!("TABLE {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        vec![table::id(&self.parent), table::id(&self.child)]
    }

    /// The columns are to be there, but when one of them is made again the attachment can stay.
    fn wishes(&self) -> Vec<ObjectId> {
        let columns = |table| self.columns.0.iter().map(move |name| column::id(table, name));
        columns(&self.parent).chain(columns(&self.child)).collect()
    }

    /// Dropping the table takes it from its parent.
    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.child))
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.renames(sides).into_iter().chain([self.attach(sides)]).collect()
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let mut steps = self.detach(sides);
        if new.detaching {
            return Alter::Steps(steps);
        }
        // One transaction for both: nobody sees the parent without these rows.
        if steps.len() > 1 || !self.detaching {
            let plain = Step::new(format!("ALTER TABLE {} DETACH PARTITION {}", self.parent, self.child))
                .stage(Stage::Contract)
                .locks(&self.child, Lock::AccessExclusive);
            steps = vec![self.lock_parent(plain, sides)];
        }
        steps.push(new.attach(sides).stage(Stage::Contract));
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.detach(sides)
    }
}
