//! `CREATE POLICY`. Whether a table's policies are in force is its row security's.

use serde::{Deserialize, Serialize};

use crate::kind::column::retype::retype;
use crate::kind::{Alter, Claim, Definition, Expr, Kind, Object, ObjectId, Retyped, table};
use crate::lock::Lock;
use crate::name::{Name, QName, Role, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub table: QName,
    pub name: Name,
    /// Rows pass where any permissive policy and every restrictive one lets them.
    pub permissive: bool,
    pub command: Command,
    /// In the order of their names.
    pub roles: Vec<Role>,
    pub using: Option<Expr>,
    pub check: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    #[serde(rename = "*")]
    All,
    #[serde(rename = "r")]
    Select,
    #[serde(rename = "a")]
    Insert,
    #[serde(rename = "w")]
    Update,
    #[serde(rename = "d")]
    Delete,
}

impl Command {
    pub fn sql(self) -> &'static str {
        match self {
            Command::All => "ALL",
            Command::Select => "SELECT",
            Command::Insert => "INSERT",
            Command::Update => "UPDATE",
            Command::Delete => "DELETE",
        }
    }

    fn covers(self, other: Command) -> bool {
        self == Command::All || self == other
    }
}

impl Policy {
    fn on(&self) -> String {
        format!("POLICY {} ON {}", self.name, self.table)
    }

    /// What rows that are written must meet; USING counts where WITH CHECK is not said.
    fn written(&self) -> Option<&Expr> {
        self.check.as_ref().or(self.using.as_ref())
    }

    fn applies_to(&self, role: &Role) -> bool {
        self.roles.contains(&Role::public()) || self.roles.contains(role)
    }

    /// Whether everything that this policy applies to is also the other's.
    fn is_within(&self, other: &Policy) -> bool {
        other.command.covers(self.command) && self.roles.iter().all(|role| other.applies_to(role))
    }

    /// Whether each of this policy's conditions asks for all that those of the other, from before, ask for.
    fn asks_for_all_of(&self, other: &Policy, retyped: &[Retyped]) -> bool {
        let stricter = |strict: Option<&Expr>, other: Option<&Expr>| match (strict, other) {
            (Some(strict), Some(other)) => strict.implies(other, retyped),
            // Without a condition a permissive policy lets nothing pass, a restrictive one everything.
            (None, _) => self.permissive || other.is_none(),
            (Some(_), None) => !self.permissive,
        };
        stricter(self.using.as_ref(), other.using.as_ref()) && stricter(self.written(), other.written())
    }

    /// How the change could let rows through that were held back. None: surely not.
    fn loosened(old: Option<&Policy>, new: Option<&Policy>, retyped: &[Retyped]) -> Option<String> {
        match (old.filter(|it| !it.permissive), new.filter(|it| !it.permissive)) {
            (Some(old), None) => return Some(format!("restrictive policy {} no longer holds rows back", old.name)),
            (Some(old), Some(new)) if !old.is_within(new) => {
                return Some(format!("restrictive policy {} holds back fewer roles or commands", new.name));
            }
            (Some(old), Some(new)) if !new.asks_for_all_of(old, retyped) => {
                return Some(format!("restrictive policy {} asks for something else", new.name));
            }
            _ => {}
        }
        let new = new.filter(|it| it.permissive)?;
        match old.filter(|it| it.permissive) {
            None => Some(format!("policy {} lets {} see or change more rows", new.name, list(&new.roles))),
            Some(old) if !new.is_within(old) => {
                Some(format!("policy {} is for more roles or other commands: {}", new.name, list(&new.roles)))
            }
            Some(old) if !new.asks_for_all_of(old, retyped) => {
                Some(format!("policy {} no longer asks for all that it did", new.name))
            }
            Some(_) => None,
        }
    }

    /// The step with its lock, and with the hazard where row security is in force before and after it.
    fn step(&self, sql: String, old: Option<&Policy>, new: Option<&Policy>, sides: &Sides<'_>) -> Step {
        let step = Step::new(sql).locks(&self.table, Lock::AccessExclusive);
        let id = ObjectId::new(Kind::RowSecurity, [&self.table.namespace, &self.table.name]);
        let enforced = [sides.old, sides.new].into_iter().all(|schema| {
            matches!(schema.get(&id), Some(Object::RowSecurity(it)) if it.enabled)
        });
        match Policy::loosened(old, new, &self.retyped(sides)) {
            Some(why) if enforced => step.hazard(Code::RowSecurityLoosened, self.id(), why),
            _ => step,
        }
    }

    /// Columns that its conditions name and that get a type which has each of their values, compared as before.
    fn retyped(&self, sides: &Sides<'_>) -> Vec<Retyped> {
        let id = self.id();
        let both = sides.new.needs_of(&id).filter_map(|id| match (sides.old.get(id), sides.new.get(id)) {
            (Some(Object::Column(old)), Some(Object::Column(new))) => Some((old, new)),
            _ => None,
        });
        let changed = both.filter(|(old, new)| old.data_type != new.data_type);
        let wider = changed.filter(|(old, new)| {
            let it = retype(old, new, sides);
            !it.narrows && !it.crosses
        });
        wider.filter_map(|(old, new)| Retyped::new(&new.name, &old.data_type, &new.data_type)).collect()
    }

    /// The other self of a policy that is dropped and created again.
    fn replaced<'a>(&self, sides: &Sides<'a>) -> Option<(&'a Policy, &'a Policy)> {
        match (sides.old.get(&self.id()), sides.new.get(&self.id())) {
            (Some(Object::Policy(old)), Some(Object::Policy(new))) => Some((old, new)),
            _ => None,
        }
    }
}

impl Definition for Policy {
    const NOUN: &'static str = "policy";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_policy'::regclass::oid::int8, p.oid::int8, 0),
            'def', json_build_object(
                'table', json_build_array(n.nspname, c.relname),
                'name', p.polname,
                'permissive', p.polpermissive,
                'command', p.polcmd,
                'roles', (SELECT json_agg(coalesce(r.rolname, '') ORDER BY r.rolname COLLATE "C" NULLS FIRST)
                            FROM unnest(p.polroles) AS role(oid)
                            LEFT JOIN pg_roles r ON r.oid = role.oid),
                'using', pg_get_expr(p.polqual, p.polrelid),
                'check', pg_get_expr(p.polwithcheck, p.polrelid)))
          FROM pg_policy p
          JOIN pg_class c ON c.oid = p.polrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Policy, [&self.table.namespace, &self.table.name, &self.name])
    }

    fn reference(path: &[Name]) -> String {
        super::on_relation("POLICY", path)
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.table))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("policy", self.id().path.to_vec())]
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
        let mut sql = format!("CREATE {}", self.on());
        if !self.permissive {
            sql += " AS RESTRICTIVE";
        }
        if self.command != Command::All {
            sql += &format!(" FOR {}", self.command.sql());
        }
        if self.roles != [Role::public()] {
            sql += &format!(" TO {}", list(&self.roles));
        }
        if let Some(using) = &self.using {
            sql += &format!(" USING ({using})");
        }
        if let Some(check) = &self.check {
            sql += &format!(" WITH CHECK ({check})");
        }
        let old = self.replaced(sides).map(|(old, _)| old);
        vec![self.step(sql, old, Some(self), sides)]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        // ALTER POLICY can change an expression and can't take it away.
        let lost = |old: &Option<Expr>, new: &Option<Expr>| old.is_some() && new.is_none();
        if self.permissive != new.permissive
            || self.command != new.command
            || lost(&self.using, &new.using)
            || lost(&self.check, &new.check)
        {
            return Alter::Replace;
        }
        let mut sql = format!("ALTER {}", self.on());
        if self.roles != new.roles {
            sql += &format!(" TO {}", list(&new.roles));
        }
        if let Some(using) = new.using.as_ref().filter(|_| self.using != new.using) {
            sql += &format!(" USING ({using})");
        }
        if let Some(check) = new.check.as_ref().filter(|_| self.check != new.check) {
            sql += &format!(" WITH CHECK ({check})");
        }
        Alter::Steps(vec![self.step(sql, Some(self), Some(new), sides)])
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        // What a policy that is made again lets through is told by its create.
        let new = self.replaced(sides).map(|(_, new)| new);
        let old = if new.is_some() { None } else { Some(self) };
        vec![self.step(format!("DROP {}", self.on()), old, None, sides).stage(Stage::Contract)]
    }
}

/// Whether a policy of that id holds back on the new side all that it did on the old one.
pub fn is_as_strict(id: &ObjectId, sides: &Sides<'_>) -> bool {
    match (sides.old.get(id), sides.new.get(id)) {
        (Some(Object::Policy(old)), Some(Object::Policy(new))) => {
            Policy::loosened(Some(old), Some(new), &new.retyped(sides)).is_none()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(permissive: bool, roles: &[&str], using: &str) -> Policy {
        Policy {
            table: QName::new("public", "contacts"),
            name: "tenant".into(),
            permissive,
            command: Command::All,
            roles: roles.iter().map(|it| Role((*it).to_owned())).collect(),
            using: Some(Expr(using.to_owned())),
            check: None,
        }
    }

    #[test]
    fn a_policy_is_loosened_unless_it_surely_is_not() {
        let own = policy(true, &["app"], "(owner = 1)");
        let tighter = policy(true, &["app"], "((owner = 1) AND (id > 5))");
        let other = policy(true, &["app"], "((owner = 1) OR true)");
        let public = policy(true, &[""], "(owner = 1)");
        let restrictive = policy(false, &[""], "(owner = 1)");
        let loosened = |old: &Policy, new: &Policy| Policy::loosened(Some(old), Some(new), &[]).is_some();
        assert!(!loosened(&own, &own));
        assert!(!loosened(&own, &tighter));
        assert!(loosened(&tighter, &own));
        assert!(loosened(&own, &other));
        assert!(loosened(&own, &public));
        assert!(!loosened(&public, &own));
        assert!(loosened(&restrictive, &own));
        assert!(!loosened(&own, &restrictive));
        assert!(loosened(&restrictive, &policy(false, &["app"], "(owner = 1)")));
        assert!(Policy::loosened(None, Some(&own), &[]).is_some());
        assert!(Policy::loosened(Some(&own), None, &[]).is_none());
        assert!(Policy::loosened(None, Some(&restrictive), &[]).is_none());
        assert!(Policy::loosened(Some(&restrictive), None, &[]).is_some());
        let denying = Policy { using: None, ..own.clone() };
        assert!(loosened(&denying, &own) && !loosened(&own, &denying));
    }
}
