//! `COMMENT ON`, for objects of all kinds. Introspection makes comments from pg_description; a reference that
//! COMMENT ON understands comes from the kind commented on.

use serde::{Deserialize, Serialize};

use crate::kind::column;
use crate::kind::{Alter, Definition, Kind, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::{Disturbance, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    pub on: ObjectId,
    /// On the index of the constraint `on`, which has its name and can have a comment of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_index: bool,
    /// The identity column that the sequence `on` belongs to: such a sequence is no object of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<ObjectId>,
    pub text: String,
}

impl Comment {
    pub fn new(on: ObjectId, text: impl Into<String>) -> Self {
        Comment { on, of_index: false, inside: None, text: text.into() }
    }

    pub fn on_index_of(constraint: ObjectId, text: impl Into<String>) -> Self {
        Comment { on: constraint, of_index: true, inside: None, text: text.into() }
    }

    fn step(&self, value: String) -> Step {
        if let ([namespace, _, name], true) = (&self.on.path[..], self.of_index) {
            return Step::new(format!("COMMENT ON INDEX {namespace}.{name} IS {value}")).repeats();
        }
        let step = Step::new(format!("COMMENT ON {} IS {value}", self.on.reference())).repeats();
        let relation = || match &self.on.path[..] {
            [namespace, name, ..] => Some(QName::new(namespace.clone(), name.clone())),
            _ => None,
        };
        let lock = match self.on.kind {
            Kind::Table | Kind::View | Kind::MaterializedView | Kind::Sequence | Kind::Column => {
                Some(Lock::ShareUpdateExclusive)
            }
            Kind::Constraint | Kind::Trigger | Kind::Rule | Kind::Policy | Kind::Default => Some(Lock::AccessShare),
            Kind::Namespace
            | Kind::Extension
            | Kind::EnumType
            | Kind::RangeType
            | Kind::Composite
            | Kind::Domain
            | Kind::DomainConstraint
            | Kind::Routine
            | Kind::Index
            | Kind::Statistics
            | Kind::Partition
            | Kind::IndexPartition
            | Kind::RowSecurity
            | Kind::Publication
            | Kind::PublishedTable
            | Kind::DefaultPrivileges
            | Kind::Owner
            | Kind::Grants
            | Kind::Comment => None,
        };
        match lock.zip(relation()) {
            Some((lock, relation)) => step.locks(&relation, lock),
            None => step,
        }
    }
}

impl Definition for Comment {
    const NOUN: &'static str = "comment";

    const CATALOG: &'static str = "";

    fn id(&self) -> ObjectId {
        let id = self.on.satellite(Kind::Comment);
        if !self.of_index {
            return id;
        }
        ObjectId { path: id.path.iter().cloned().chain([Name::from("index")]).collect(), ..id }
    }

    fn reference(path: &[Name]) -> String {
        super::satellite_of(path).map(|on| on.reference()).unwrap_or_default()
    }

    fn label(path: &[Name]) -> Option<String> {
        let on = super::satellite_of(path)?;
        match &on.path[..] {
            [namespace, _, name, _] if on.kind == Kind::Constraint => Some(format!("on index {namespace}.{name}")),
            _ => Some(format!("on {on}")),
        }
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.inside.as_ref().unwrap_or(&self.on).clone())
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if column::goes_with_identity(&self.on, self.inside.as_ref(), sides.new) {
            return vec![];
        }
        let stage = column::stage_of_identity(self.inside.as_ref(), sides);
        vec![self.step(Literal(&self.text).to_string()).stage(stage)]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.inside != new.inside {
            return Alter::Replace;
        }
        Alter::Steps(new.create(sides))
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        if column::goes_with_identity(&self.on, self.inside.as_ref(), sides.new) {
            return vec![];
        }
        vec![self.step("NULL".to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::table;

    #[test]
    fn a_comment_reads_as_its_object() {
        let on = ObjectId::new(Kind::Namespace, [&Name::from("app")]);
        assert_eq!(Comment::new(on, "").id().to_string(), "comment on namespace app");
        let path = [&Name::from("app"), &Name::from("order")];
        let on = ObjectId::new(Kind::Table, path);
        let step = Comment::new(on, "it's").step(Literal("it's").to_string());
        assert_eq!(step.sql, format!("COMMENT ON {} IS 'it''s'", table::Table::reference(&path.map(Name::clone))));
        assert_eq!(step.locks.len(), 1);
    }
}
