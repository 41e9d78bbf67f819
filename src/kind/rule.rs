//! `CREATE RULE`, on tables and views. The rule that makes a view is the view itself.

use serde::{Deserialize, Serialize};

use crate::kind::trigger::State;
use crate::kind::{Alter, Claim, Definition, Expr, Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub relation: QName,
    pub on_view: bool,
    pub name: Name,
    /// The whole statement, without a semicolon at its end.
    pub definition: Expr,
    pub state: State,
}

impl Rule {
    fn step(&self, sql: String) -> Step {
        Step::new(sql).locks(&self.relation, Lock::AccessExclusive)
    }

    fn set_state(&self, state: State) -> Step {
        self.step(format!("ALTER TABLE {} {} RULE {}", self.relation, state.sql(), self.name))
    }

    /// With the locks on the relations that the rule's own statements write to or read.
    fn locking_written(&self, step: Step, sides: &Sides<'_>) -> Step {
        let id = self.id();
        let relations = sides.new.needs_of(&id).filter_map(|need| match (need.kind, &need.path[..]) {
            (Kind::Table | Kind::View | Kind::Column, [namespace, name, ..]) => {
                Some(QName { namespace: namespace.clone(), name: name.clone() })
            }
            _ => None,
        });
        relations.filter(|it| *it != self.relation).fold(step, |step, it| step.locks(&it, Lock::RowExclusive))
    }
}

impl Definition for Rule {
    const NOUN: &'static str = "rule";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_rewrite'::regclass::oid::int8, r.oid::int8, 0),
            'def', json_build_object(
                'relation', json_build_array(n.nspname, c.relname),
                'on_view', c.relkind = 'v',
                'name', r.rulename,
                'definition', rtrim(pg_get_ruledef(r.oid), ';'),
                'state', r.ev_enabled))
          FROM pg_rewrite r
          JOIN pg_class c ON c.oid = r.ev_class
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN' AND c.relkind IN ('r', 'p', 'v')
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE ((d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid)
                                   OR (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0))
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Rule, [&self.relation.namespace, &self.relation.name, &self.name])
    }

    fn reference(path: &[Name]) -> String {
        super::on_relation("RULE", path)
    }

    fn part_of(&self) -> Option<ObjectId> {
        let kind = if self.on_view { Kind::View } else { Kind::Table };
        Some(ObjectId::new(kind, [&self.relation.namespace, &self.relation.name]))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("rule", self.id().path.to_vec())]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Replace | Disturbance::Swap => false,
        }
    }

    fn reads(&self, _column: &ObjectId) -> bool {
        true
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let create = self.locking_written(self.step(self.definition.to_string()), sides);
        let state = (self.state != State::Origin).then(|| self.set_state(self.state));
        [create].into_iter().chain(state).collect()
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let mut steps = vec![];
        if self.definition != new.definition {
            let Some(rest) = new.definition.0.strip_prefix("CREATE ") else { return Alter::Replace };
            steps.push(new.locking_written(self.step(format!("CREATE OR REPLACE {rest}")), sides));
        }
        if self.state != new.state {
            steps.push(self.set_state(new.state));
        }
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let step = self.step(format!("DROP RULE {} ON {}", self.name, self.relation)).stage(Stage::Contract);
        vec![if sides.new.contains(&self.id()) {
            step
        } else {
            step.hazard(Code::StopTrigger, self.id(), format!("statements on {} are no longer rewritten", self.relation))
        }]
    }
}
