//! `CREATE TYPE … AS (…)`: composite types. Row types of tables are no objects of their own.

use serde::{Deserialize, Serialize};

use crate::kind::swap::users;
use crate::kind::{Alter, Claim, Definition, Kind, ObjectId};
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    pub name: QName,
    /// In their order.
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: Name,
    /// As `format_type` prints it, with its modifiers.
    pub data_type: String,
    /// Where it isn't the type's own.
    pub collation: Option<QName>,
}

impl Attribute {
    fn collate(&self) -> String {
        self.collation.as_ref().map(|collation| format!(" COLLATE {collation}")).unwrap_or_default()
    }
}

impl Composite {
    /// Gives an attribute another type, where no table has a column of the whole.
    pub(super) fn retype(&self, attribute: &Attribute, data_type: &str) -> Step {
        // The collation is said again: it goes with the type otherwise.
        let collate = if data_type == attribute.data_type { attribute.collate() } else { String::new() };
        Step::new(format!("ALTER TYPE {} ALTER ATTRIBUTE {} TYPE {data_type}{collate}", self.name, attribute.name))
    }

    /// One statement for changes of several attributes. It is taken back by the one for the same of them.
    fn altered(&self, actions: Vec<(&Name, String)>) -> Option<Step> {
        let (names, actions): (Vec<&Name>, Vec<String>) = actions.into_iter().unzip();
        let path = [&self.name.namespace, &self.name.name].into_iter().chain(names).cloned().collect();
        let part = ObjectId { kind: Kind::Composite, path };
        let sql = format!("ALTER TYPE {} {}", self.name, list(&actions));
        (!actions.is_empty()).then(|| Step::new(sql).part(part))
    }

    fn find(&self, name: &Name) -> Option<&Attribute> {
        self.attributes.iter().find(|it| it.name == *name)
    }

    /// Whether the attributes of both stand in the same order, with the new ones behind them: those are added last.
    fn keeps_order(&self, new: &Composite) -> bool {
        let kept = |of: &Composite, other: &Composite| -> Vec<Name> {
            of.attributes.iter().filter(|it| other.find(&it.name).is_some()).map(|it| it.name.clone()).collect()
        };
        let added_last = new.attributes.iter().skip_while(|it| self.find(&it.name).is_some());
        kept(self, new) == kept(new, self) && added_last.clone().all(|it| self.find(&it.name).is_none())
    }
}

impl Definition for Composite {
    const NOUN: &'static str = "composite type";

    // The address is that of the type; its relation and attributes depend internally on it.
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
                'attributes', (
                    SELECT coalesce(json_agg(json_build_object(
                               'name', a.attname,
                               'data_type', format_type(a.atttypid, a.atttypmod),
                               'collation', CASE WHEN a.attcollation <> at.typcollation
                                                 THEN json_build_array(cn.nspname, co.collname) END)
                               ORDER BY a.attnum), '[]')
                      FROM pg_attribute a
                      JOIN pg_type at ON at.oid = a.atttypid
                      LEFT JOIN pg_collation co ON co.oid = a.attcollation
                      LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))
          FROM pg_class c
          JOIN pg_type t ON t.oid = c.reltype
          JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE c.relkind = 'c' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Composite, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("TYPE {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::relation_claim(&self.name), super::type_claim(&self.name)]
    }

    /// An attribute of an exchanged type is changed by the steps that exchange it.
    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        let attributes =
            list(self.attributes.iter().map(|it| format!("{} {}{}", it.name, it.data_type, it.collate())));
        vec![Step::new(format!("CREATE TYPE {} AS ({attributes})", self.name))]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let users = users(sides.old, &self.id());
        let used = users.relations.first();
        if !self.keeps_order(new) {
            return match used {
                None => Alter::Replace,
                Some(table) => Alter::Refused(format!(
                    "its attributes change their order, and {table} has a column of it; new attributes come last"
                )),
            };
        }
        let mut retypes = vec![];
        let mut drops = vec![];
        for old in &self.attributes {
            match new.find(&old.name) {
                None => drops.push(&old.name),
                Some(after) if after == old => {}
                Some(after) => {
                    if let Some(table) = used {
                        return Alter::Refused(format!(
                            "attribute {} changes its type, and {table} has a column of it, which the server does not convert; add an attribute of another name",
                            old.name
                        ));
                    }
                    let collate = after.collate();
                    retypes.push((&old.name, format!("ALTER ATTRIBUTE {} TYPE {}{collate}", old.name, after.data_type)));
                }
            }
        }
        let adds = new.attributes.iter().filter(|it| self.find(&it.name).is_none());
        let adds =
            adds.map(|it| (&it.name, format!("ADD ATTRIBUTE {} {}{}", it.name, it.data_type, it.collate()))).collect();
        let drops = drops.into_iter().map(|name| (name, format!("DROP ATTRIBUTE {name}"))).collect();
        let [add, retype, drop] = [adds, retypes, drops].map(|actions| self.altered(actions));
        let retype = retype.map(|it| it.stage(Stage::Contract));
        let drop = drop.map(|step| match users.relations.is_empty() {
            true => step.stage(Stage::Contract),
            false => step
                .stage(Stage::Contract)
                .hazard(Code::DropColumn, self.id(), format!("values of it stand in {}", list(&users.relations)))
                .irreversible("the values of the attribute are gone"),
        });
        let steps = [add, retype, drop].into_iter().flatten().collect();
        Alter::Steps(steps)
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP TYPE {}", self.name))
                .stage(Stage::Contract)
                .hazard(Code::DropType, self.id(), "it goes"),
        ]
    }
}
