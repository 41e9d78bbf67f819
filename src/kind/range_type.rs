//! `CREATE TYPE … AS RANGE`, with the multirange type that comes along. One with a canonical function, which only C
//! can provide, is not managed.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Claim, Definition, Kind, ObjectId};
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeType {
    pub name: QName,
    pub multirange: QName,
    /// As `format_type` prints it.
    pub subtype: String,
    /// Where it isn't the default of the subtype.
    pub operator_class: Option<QName>,
    /// Where it isn't that of the subtype.
    pub collation: Option<QName>,
    /// The function that tells how far two values are apart.
    pub difference: Option<QName>,
}

impl Definition for RangeType {
    const NOUN: &'static str = "range type";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_type'::regclass::oid::int8, t.oid::int8, 0),
            'owner', pg_get_userbyid(t.typowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(g.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY g.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                      LEFT JOIN pg_roles g ON g.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, t.typname),
                'multirange', json_build_array(mn.nspname, m.typname),
                'subtype', format_type(r.rngsubtype, NULL),
                'operator_class', CASE WHEN NOT o.opcdefault THEN json_build_array(opn.nspname, o.opcname) END,
                'collation', CASE WHEN r.rngcollation <> s.typcollation
                                  THEN json_build_array(cn.nspname, c.collname) END,
                'difference', CASE WHEN f.oid IS NOT NULL THEN json_build_array(fn.nspname, f.proname) END))
          FROM pg_range r
          JOIN pg_type t ON t.oid = r.rngtypid
          JOIN pg_namespace n ON n.oid = t.typnamespace
          JOIN pg_type m ON m.oid = r.rngmultitypid
          JOIN pg_namespace mn ON mn.oid = m.typnamespace
          JOIN pg_type s ON s.oid = r.rngsubtype
          JOIN pg_opclass o ON o.oid = r.rngsubopc
          JOIN pg_namespace opn ON opn.oid = o.opcnamespace
          LEFT JOIN pg_collation c ON c.oid = r.rngcollation
          LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
          LEFT JOIN pg_proc f ON f.oid = r.rngsubdiff
          LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace
         WHERE r.rngcanonical = 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::RangeType, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("TYPE {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::type_claim(&self.name), super::type_claim(&self.multirange)]
    }

    /// What exchanges the subtype makes the range again.
    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        let mut options = vec![format!("subtype = {}", self.subtype)];
        for (option, name) in [
            ("subtype_opclass", &self.operator_class),
            ("collation", &self.collation),
            ("subtype_diff", &self.difference),
            ("multirange_type_name", &Some(self.multirange.clone())),
        ] {
            options.extend(name.as_ref().map(|name| format!("{option} = {name}")));
        }
        vec![Step::new(format!("CREATE TYPE {} AS RANGE ({})", self.name, list(options)))]
    }

    fn alter(&self, _new: &Self, sides: &Sides<'_>) -> Alter {
        let column = sides.old.dependents().get(&self.id()).and_then(|dependents| {
            dependents.iter().find(|it| it.kind == Kind::Column && !sides.is_going(it)).map(|it| it.to_string())
        });
        match column {
            Some(column) => Alter::Refused(format!(
                "PostgreSQL can't change a range type, and {column} has it; declare another type and move the values"
            )),
            None => Alter::Replace,
        }
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let step = Step::new(format!("DROP TYPE {}", self.name)).stage(Stage::Contract);
        vec![if sides.new.contains(&self.id()) {
            step
        } else {
            step.hazard(Code::DropType, self.id(), format!("{} is dropped", self.name))
        }]
    }
}
