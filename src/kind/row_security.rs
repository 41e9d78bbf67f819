//! `ALTER TABLE … ENABLE ROW LEVEL SECURITY` and `FORCE`. An object apart from its table, so that it can come after
//! the policies: between the two, everyone but the owner would see nothing.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Definition, Kind, ObjectId, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

/// Exists where row security is enabled or forced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowSecurity {
    pub table: QName,
    pub enabled: bool,
    /// The owner is held to the policies as well.
    pub forced: bool,
}

impl RowSecurity {
    /// The step from one state to another; on a table that is in use, tightening can hide rows from running code
    /// and waits until that is replaced.
    fn step(&self, from: (bool, bool), to: (bool, bool), sides: &Sides<'_>) -> Step {
        let mut actions = vec![];
        if from.0 != to.0 {
            actions.push(if to.0 { "ENABLE ROW LEVEL SECURITY" } else { "DISABLE ROW LEVEL SECURITY" });
        }
        if from.1 != to.1 {
            actions.push(if to.1 { "FORCE ROW LEVEL SECURITY" } else { "NO FORCE ROW LEVEL SECURITY" });
        }
        let mut step = Step::new(format!("ALTER TABLE {} {}", self.table, actions.join(", ")))
            .locks(&self.table, Lock::AccessExclusive);
        if !sides.is_new(&table::id(&self.table)) {
            step = step.stage(Stage::Contract);
        }
        if from.0 && !to.0 {
            step = step.hazard(
                Code::RowSecurityLoosened,
                self.id(),
                "every role with a grant on the table sees all of its rows",
            );
        } else if from.1 && !to.1 {
            step = step.hazard(Code::RowSecurityLoosened, self.id(), "the owner of the table passes its policies");
        }
        if !from.0 && to.0 && sides.new.of_relation(Kind::Policy, &self.table).next().is_none() {
            step = step.hazard(Code::RowSecurityWithoutPolicy, self.id(), "the table has no policy");
        }
        step
    }
}

impl Definition for RowSecurity {
    const NOUN: &'static str = "row security of table";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array(0, 0, 0),
            'def', json_build_object(
                'table', json_build_array(n.nspname, c.relname),
                'enabled', c.relrowsecurity,
                'forced', c.relforcerowsecurity))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND (c.relrowsecurity OR c.relforcerowsecurity)
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::RowSecurity, [&self.table.namespace, &self.table.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("TABLE {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        vec![table::id(&self.table)]
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.table))
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        vec![self.step((false, false), (self.enabled, self.forced), sides)]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        Alter::Steps(vec![self.step((self.enabled, self.forced), (new.enabled, new.forced), sides)])
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        vec![self.step((self.enabled, self.forced), (false, false), sides)]
    }
}
