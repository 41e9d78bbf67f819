//! `CREATE SCHEMA`: a namespace. What stands in it are objects of their own.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Definition, Kind, ObjectId};
use crate::name::Name;
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Namespace {
    pub name: Name,
}

impl Definition for Namespace {
    const NOUN: &'static str = "namespace";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_namespace'::regclass::oid::int8, n.oid::int8, 0),
            'owner', pg_get_userbyid(n.nspowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object('name', n.nspname))
          FROM pg_namespace n
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Namespace, [&self.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("SCHEMA {}", super::dotted(path))
    }

    fn survives(&self, _disturbance: Disturbance) -> bool {
        true
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![Step::new(format!("CREATE SCHEMA {}", self.name))]
    }

    // A namespace is its name; owner and grants are objects of their own.
    fn alter(&self, _new: &Self, _sides: &Sides<'_>) -> Alter {
        Alter::Steps(vec![])
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP SCHEMA {}", self.name))
                .stage(Stage::Contract)
                .hazard(Code::DropNamespace, self.id(), "the namespace goes"),
        ]
    }
}
