//! `CREATE STATISTICS`: what ANALYZE gathers about columns and expressions together.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Claim, Definition, Expr, Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    pub name: QName,
    pub relation: QName,
    pub on_materialized_view: bool,
    /// The whole statement.
    pub definition: Expr,
    pub target: Option<i32>,
}

impl Statistics {
    fn set_target(&self, target: Option<i32>) -> Step {
        Step::new(format!("ALTER STATISTICS {} SET STATISTICS {}", self.name, target.unwrap_or(-1)))
    }
}

impl Definition for Statistics {
    const NOUN: &'static str = "statistics object";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_statistic_ext'::regclass::oid::int8, s.oid::int8, 0),
            'owner', pg_get_userbyid(s.stxowner),
            'def', json_build_object(
                'name', json_build_array(n.nspname, s.stxname),
                'relation', json_build_array(rn.nspname, c.relname),
                'on_materialized_view', c.relkind = 'm',
                'definition', pg_get_statisticsobjdef(s.oid),
                'target', nullif(s.stxstattarget, -1)))
          FROM pg_statistic_ext s
          JOIN pg_namespace n ON n.oid = s.stxnamespace
          JOIN pg_class c ON c.oid = s.stxrelid
          JOIN pg_namespace rn ON rn.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'm')
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Statistics, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("STATISTICS {}", super::dotted(path))
    }

    fn part_of(&self) -> Option<ObjectId> {
        let kind = if self.on_materialized_view { Kind::MaterializedView } else { Kind::Table };
        Some(ObjectId::new(kind, [&self.relation.namespace, &self.relation.name]))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("statistics", self.id().path.to_vec())]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            // The server makes it again with its column, without the target.
            Disturbance::Retype { .. } => self.target.is_none(),
            Disturbance::Replace | Disturbance::Swap => false,
        }
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        let create = Step::new(self.definition.to_string()).locks(&self.relation, Lock::ShareUpdateExclusive);
        [create].into_iter().chain(self.target.map(|target| self.set_target(Some(target)))).collect()
    }

    fn alter(&self, new: &Self, _sides: &Sides<'_>) -> Alter {
        if self.definition != new.definition {
            return Alter::Replace;
        }
        Alter::Steps(vec![self.set_target(new.target)])
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP STATISTICS {}", self.name))
                .stage(Stage::Contract)
                .locks(&self.relation, Lock::ShareUpdateExclusive),
        ]
    }
}
