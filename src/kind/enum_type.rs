//! `CREATE TYPE … AS ENUM`. Labels are added in place; to lose one or to change their order takes another type.

use serde::{Deserialize, Serialize};

use crate::kind::column::Column;
use crate::kind::swap::{Swap, users};
use crate::kind::{Alter, Claim, Definition, Kind, ObjectId, table};
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnumType {
    pub name: QName,
    /// In their order.
    pub labels: Vec<String>,
}

impl EnumType {
    /// What makes `new` of this by adding labels; nothing where that is not enough.
    pub fn additions(&self, new: &EnumType) -> Option<Vec<Step>> {
        let kept: Vec<&String> = new.labels.iter().filter(|label| self.labels.contains(label)).collect();
        if !kept.iter().copied().eq(self.labels.iter()) {
            return None;
        }
        let mut steps = vec![];
        for (place, label) in new.labels.iter().enumerate().filter(|(_, label)| !self.labels.contains(label)) {
            let next_kept = new.labels[place..].iter().find(|it| self.labels.contains(it));
            // Each anchor is there by then: labels are added from first to last.
            let position = match (place.checked_sub(1).map(|before| &new.labels[before]), next_kept) {
                (_, None) => String::new(),
                (None, Some(next)) => format!(" BEFORE {}", Literal(next)),
                (Some(before), Some(_)) => format!(" AFTER {}", Literal(before)),
            };
            let label = Literal(label);
            steps.push(
                // The label can't be used until it is committed, so this step ends its transaction.
                Step::new(format!("ALTER TYPE {} ADD VALUE {label}{position}", self.name)).own_transaction().check(
                    format!(
                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_enum WHERE enumtypid = {}::pg_catalog.regtype AND enumlabel = {label})",
                        Literal(&self.name.to_string())
                    ),
                ),
            );
        }
        Some(steps)
    }

    fn swap(&self, new: &EnumType, sides: &Sides<'_>) -> Alter {
        let swap = Swap {
            id: self.id(),
            name: &self.name,
            word: "TYPE",
            create: vec![Step::new(new.sql())],
            parts: vec![],
        };
        let using = |column: &Column| {
            let text = if column.data_type.ends_with("[]") { "text[]" } else { "text" };
            Some(format!("{}::{text}::{}", column.name, column.data_type))
        };
        let mut steps = match swap.steps(sides, using) {
            Ok(steps) => steps,
            Err(reason) => return Alter::Refused(format!("{}: {reason}", self.why(new))),
        };
        let tables = users(sides.old, &self.id()).relations;
        if !self.removed(new).is_empty()
            && tables.iter().any(|name| table::may_hold_rows(sides, name))
            && let Some(first) = steps.first_mut()
        {
            let in_place = sides.facts.in_place.get(&self.id());
            let in_place = in_place.map(|why| format!("; not by way of a new type: {why}")).unwrap_or_default();
            let why = format!("{}; used by {}{in_place}", self.why(new), list(&tables));
            *first = first.clone().hazard(Code::EnumLabelRemoval, self.id(), why);
        }
        Alter::Steps(steps)
    }

    /// Whether every label of `new` is one of this, and not the other way round.
    pub(super) fn only_loses(&self, new: &EnumType) -> bool {
        new.labels.iter().all(|label| self.labels.contains(label)) && new.labels.len() < self.labels.len()
    }

    fn removed(&self, new: &EnumType) -> Vec<&String> {
        self.labels.iter().filter(|label| !new.labels.contains(label)).collect()
    }

    fn why(&self, new: &EnumType) -> String {
        match self.removed(new).as_slice() {
            [] => "its labels change their order".to_owned(),
            removed => format!("it loses {}", list(removed.iter().map(|label| Literal(label)))),
        }
    }

    fn sql(&self) -> String {
        let labels = list(self.labels.iter().map(|label| Literal(label)));
        format!("CREATE TYPE {} AS ENUM ({labels})", self.name)
    }
}

impl Definition for EnumType {
    const NOUN: &'static str = "enum";

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
                'labels', (SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
                             FROM pg_enum e WHERE e.enumtypid = t.oid)))
          FROM pg_type t
          JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype = 'e' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::EnumType, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("TYPE {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::type_claim(&self.name)]
    }

    fn survives(&self, _disturbance: Disturbance) -> bool {
        true
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![Step::new(self.sql())]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        match self.additions(new) {
            Some(steps) => Alter::Steps(steps),
            None => self.swap(new, sides),
        }
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP TYPE {}", self.name))
                .stage(Stage::Contract)
                .hazard(Code::DropType, self.id(), "it goes"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mood(labels: &[&str]) -> EnumType {
        EnumType {
            name: QName::new("public", "mood"),
            labels: labels.iter().map(|label| label.to_string()).collect(),
        }
    }

    fn added(old: &[&str], new: &[&str]) -> Option<Vec<String>> {
        let steps = mood(old).additions(&mood(new))?;
        Some(steps.iter().map(|step| step.sql.replace("ALTER TYPE public.mood ADD VALUE ", "")).collect())
    }

    #[test]
    fn each_anchor_exists_when_it_is_named() {
        let added = |old, new| added(old, new).unwrap();
        assert_eq!(added(&["b"], &["a", "b"]), ["'a' BEFORE 'b'"]);
        assert_eq!(added(&["c"], &["a", "b", "c"]), ["'a' BEFORE 'c'", "'b' AFTER 'a'"]);
        assert_eq!(added(&["a", "d"], &["a", "b", "c", "d"]), ["'b' AFTER 'a'", "'c' AFTER 'b'"]);
        assert_eq!(added(&["a"], &["a", "it's", "c"]), ["'it''s'", "'c'"]);
        assert_eq!(added(&[], &["a", "b"]), ["'a'", "'b'"]);
    }

    #[test]
    fn what_goes_or_moves_is_no_addition() {
        assert_eq!(added(&["a", "b"], &["a"]), None);
        assert_eq!(added(&["a", "b"], &["b", "a"]), None);
        assert_eq!(added(&["a", "b"], &["b", "c", "a"]), None);
    }
}
