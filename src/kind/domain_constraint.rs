//! `CHECK` constraints of domains. On a domain in use they are added without proof, then proved.

use serde::{Deserialize, Serialize};

use crate::kind::domain::{self, filled, proving};
use crate::kind::swap::users;
use crate::kind::{Alter, Claim, Definition, Expr, Kind, ObjectId};
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainConstraint {
    pub domain: QName,
    pub name: Name,
    /// The condition on `VALUE`.
    pub condition: Expr,
    /// Not so: NOT VALID, values that were there before may break it.
    pub valid: bool,
}

impl DomainConstraint {
    /// As an element of CREATE DOMAIN.
    pub(super) fn sql(&self) -> String {
        format!("CONSTRAINT {} CHECK ({})", self.name, self.condition)
    }

    /// Added without looking at any value.
    pub(super) fn add(&self) -> Step {
        Step::new(format!("ALTER DOMAIN {} ADD {} NOT VALID", self.domain, self.sql()))
    }

    fn validate(&self, sides: &Sides<'_>) -> Step {
        let users = users(sides.old, &domain::id(&self.domain));
        let step = Step::new(format!("ALTER DOMAIN {} VALIDATE CONSTRAINT {}", self.domain, self.name))
            .stage(Stage::Validate)
            .check(format!(
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contypid = {}::pg_catalog.regtype AND conname = {} AND convalidated)",
                Literal(&self.domain.to_string()),
                Literal(self.name.as_str())
            ));
        let step = proving(step, &users, sides);
        match filled(&users, sides) {
            Some(why) => step.hazard(Code::CheckMayFail, self.id(), why.clone()).hazard(
                Code::ScanUnderLock,
                self.id(),
                why,
            ),
            None => step,
        }
    }

    /// On a domain that exists. Where nothing has a column of it, there is nothing to prove.
    fn add_online(&self, sides: &Sides<'_>) -> Vec<Step> {
        let users = users(sides.old, &domain::id(&self.domain));
        if !self.valid {
            vec![self.add()]
        } else if users.relations.is_empty() {
            vec![Step::new(format!("ALTER DOMAIN {} ADD {}", self.domain, self.sql()))]
        } else {
            // What is valid is made a promise again only by making it anew.
            let again = self.dropped("").sql;
            let validation = self.validate(sides).undone_by(again).undone_by(self.add().sql);
            vec![self.add().own_transaction(), validation]
        }
    }

    fn dropped(&self, guard: &str) -> Step {
        Step::new(format!("ALTER DOMAIN {} DROP CONSTRAINT {guard}{}", self.domain, self.name))
            .stage(Stage::Contract)
            .hazard(Code::DropConstraint, self.id(), "values that it kept out may come in")
    }
}

impl Definition for DomainConstraint {
    const NOUN: &'static str = "domain constraint";

    // From 17 on, NOT NULL of a domain is a constraint too (contype 'n'); the domain has it.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_constraint'::regclass::oid::int8, c.oid::int8, 0),
            'def', json_build_object(
                'domain', json_build_array(n.nspname, t.typname),
                'name', c.conname,
                'condition', pg_get_expr(c.conbin, 0),
                'valid', c.convalidated))
          FROM pg_constraint c
          JOIN pg_type t ON t.oid = c.contypid
          JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE c.contype = 'c' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::DomainConstraint, [&self.domain.namespace, &self.domain.name, &self.name])
    }

    fn reference(path: &[Name]) -> String {
        match path {
            [domain @ .., name] => format!("CONSTRAINT {name} ON DOMAIN {}", super::dotted(domain)),
            [] => String::new(),
        }
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(domain::id(&self.domain))
    }

    fn made_with_whole(&self) -> bool {
        self.valid
    }

    fn changes_whole(&self, sides: &Sides<'_>) -> bool {
        self.valid && domain::is_swapped(&self.domain, sides)
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("constraint", self.id().path.to_vec())]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            // The successor of a domain has its checks from the start.
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        self.add_online(sides)
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if domain::is_swapped(&self.domain, sides) {
            return Alter::Steps(vec![]);
        }
        if self.condition == new.condition && new.valid {
            return Alter::Steps(vec![new.validate(sides)]);
        }
        // Whoever goes back from the middle may have it no more.
        let guard = if sides.facts.way_back { "IF EXISTS " } else { "" };
        let dropped = self.dropped(guard).disturbs(self.id(), Disturbance::Replace);
        let mut steps = new.add_online(sides).into_iter();
        let added = steps.next().expect("a constraint is added by a step");
        // No value is written that neither of the two has looked at.
        let instead = Step {
            sql: format!("{};\n{}", dropped.sql, added.sql),
            transaction: added.transaction,
            hazards: [dropped.hazards.clone(), added.hazards].concat(),
            ..dropped
        };
        Alter::Steps(std::iter::once(instead).chain(steps).collect())
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![self.dropped("")]
    }
}
