//! `ALTER DEFAULT PRIVILEGES`: what objects that a role creates have from the start.

use serde::{Deserialize, Serialize};

use crate::kind::privileges::{self, Rights, Target};
use crate::kind::{Alter, Definition, Kind, ObjectId};
use crate::name::{Name, Role};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Step};
use crate::schema::{AclItem, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefaultPrivileges {
    /// Whose objects.
    pub role: Role,
    /// Only those in this namespace, in addition to what they have by the global ones.
    pub namespace: Option<Name>,
    /// `pg_default_acl.defaclobjtype`.
    pub object_type: String,
    /// The global ones in full, those of a namespace as what they add.
    pub items: Vec<AclItem>,
}

impl DefaultPrivileges {
    /// What is in force where there is no entry: an entry that equals it is none.
    fn nothing(&self) -> Rights {
        match (&self.namespace, Target::from_letter(&self.object_type)) {
            (None, Some(target)) => target.default(&self.role),
            _ => Rights::new(),
        }
    }

    // A REVOKE takes nothing from any object that there is, so nothing here waits for the contract stage.
    fn steps(&self, before: Rights, after: &Rights, sides: &Sides<'_>) -> Vec<Step> {
        let Some(target) = Target::from_letter(&self.object_type) else { return vec![] };
        let objects = match target {
            Target::Relation | Target::Column => "TABLES",
            Target::Sequence => "SEQUENCES",
            Target::Routine => "ROUTINES",
            Target::Type => "TYPES",
            Target::Namespace => "SCHEMAS",
            Target::LargeObject => "LARGE OBJECTS",
        };
        let namespace = self.namespace.as_ref().map(|it| format!(" IN SCHEMA {it}")).unwrap_or_default();
        let head = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{namespace}", self.role);
        let major = sides.old.major().min(sides.new.major());
        let mut steps = vec![];
        for statement in privileges::between(&[before], after, target, major) {
            let mut step = Step::new(format!("{head} {}", statement.sql(target, major, objects, None)));
            if !statement.revoke && statement.roles.contains(&Role::public()) {
                step = step.hazard(Code::GrantToPublic, self.id(), statement.privileges.join(", "));
            }
            steps.push(step);
        }
        steps
    }
}

impl Definition for DefaultPrivileges {
    const NOUN: &'static str = "default privileges";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_default_acl'::regclass::oid::int8, da.oid::int8, 0),
            'def', json_build_object(
                'role', pg_get_userbyid(da.defaclrole),
                'namespace', n.nspname,
                'object_type', da.defaclobjtype,
                'items', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                      a.is_grantable)
                                                    ORDER BY r.rolname, a.privilege_type), '[]')
                            FROM aclexplode(da.defaclacl) a
                            LEFT JOIN pg_roles r ON r.oid = a.grantee)))
          FROM pg_default_acl da
          LEFT JOIN pg_namespace n ON n.oid = da.defaclnamespace
         WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_default_acl'::regclass AND d.objid = da.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        let namespace = self.namespace.clone().unwrap_or_else(|| Name::from(""));
        let path = [&Name::from(self.role.0.clone()), &namespace, &Name::from(self.object_type.clone())];
        ObjectId::new(Kind::DefaultPrivileges, path)
    }

    fn namespace(&self) -> Option<Name> {
        self.namespace.clone()
    }

    fn reference(path: &[Name]) -> String {
        super::dotted(path)
    }

    fn label(path: &[Name]) -> Option<String> {
        let [role, namespace, letter] = path else { return None };
        let objects = match Target::from_letter(letter.as_str())? {
            Target::Relation | Target::Column => "tables",
            Target::Sequence => "sequences",
            Target::Routine => "routines",
            Target::Type => "types",
            Target::Namespace => "namespaces",
            Target::LargeObject => "large objects",
        };
        let place = if namespace.as_str().is_empty() { String::new() } else { format!(" in {namespace}") };
        Some(format!("of {role} for {objects}{place}"))
    }

    fn survives(&self, _disturbance: Disturbance) -> bool {
        true
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.steps(self.nothing(), &privileges::rights(&self.items), sides)
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        Alter::Steps(self.steps(privileges::rights(&self.items), &privileges::rights(&new.items), sides))
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.steps(privileges::rights(&self.items), &self.nothing(), sides)
    }
}
