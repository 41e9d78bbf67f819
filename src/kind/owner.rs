//! `ALTER … OWNER TO`, for objects of all kinds that have an owner. Introspection makes owners from the rows of
//! the other kinds.

use serde::{Deserialize, Serialize};

use crate::kind::grants;
use crate::kind::{Alter, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, Role};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    pub on: ObjectId,
    pub role: Role,
}

impl Owner {
    pub fn new(on: ObjectId, role: Role) -> Self {
        Owner { on, role }
    }

    fn step(&self) -> Step {
        Step::new(format!("ALTER {} OWNER TO {}", self.on.reference(), self.role)).repeats()
    }

    /// The relation itself, where it is one, and the sequences that belong to its columns, which follow their table.
    fn relations(&self, schema: &Schema) -> Vec<QName> {
        let relation = match (self.on.kind, &self.on.path[..]) {
            (Kind::Table | Kind::View | Kind::MaterializedView | Kind::Sequence, [namespace, name]) => {
                QName::new(namespace.clone(), name.clone())
            }
            _ => return vec![],
        };
        let followers = schema.of_kind(Kind::Sequence).filter_map(|object| match object {
            Object::Sequence(it) if it.owned_by.as_ref().is_some_and(|(table, _)| *table == relation) => {
                Some(it.name.clone())
            }
            _ => None,
        });
        let identities = schema.of_relation(Kind::Column, &relation).filter_map(|object| match object {
            Object::Column(it) => it.identity.as_ref().map(|it| it.sequence.clone()),
            _ => None,
        });
        let followers = followers.chain(identities);
        std::iter::once(relation.clone()).chain(followers).collect()
    }

    /// A sequence that belongs to a column has the owner of the table, always.
    fn follows_table(&self, schema: &Schema) -> bool {
        matches!(schema.get(&self.on), Some(Object::Sequence(sequence)) if sequence.owned_by.is_some())
    }
}

impl Definition for Owner {
    const NOUN: &'static str = "owner";

    const CATALOG: &'static str = "";

    fn id(&self) -> ObjectId {
        self.on.satellite(Kind::Owner)
    }

    fn reference(path: &[Name]) -> String {
        super::satellite_of(path).map(|on| on.reference()).unwrap_or_default()
    }

    fn label(path: &[Name]) -> Option<String> {
        super::satellite_of(path).map(|on| format!("of {on}"))
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.on.clone())
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.role == sides.new.creator || self.follows_table(sides.new) {
            return vec![];
        }
        vec![self.step()]
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if new.follows_table(sides.new) && self.follows_table(sides.old) {
            return Alter::Steps(vec![]);
        }
        let why = format!("from {} to {}", self.role, new.role);
        let step = new.step().stage(Stage::Contract).hazard(Code::ChangeOwner, self.on.clone(), why);
        let relations = self.relations(sides.old);
        let mut steps = vec![relations.iter().fold(step, |step, it| step.locks(it, Lock::AccessExclusive))];
        let followers = relations.iter().skip(1).map(|it| ObjectId::new(Kind::Sequence, [&it.namespace, &it.name]));
        for on in std::iter::once(self.on.clone()).chain(followers) {
            steps.extend(grants::pass_on(&on, &self.role, &new.role, sides));
        }
        // One transaction for all: in between, some could do what neither side lets them do.
        match steps.len() {
            1 => Alter::Steps(steps),
            _ => Alter::Steps(steps.into_iter().map(Step::with_its_parts).collect()),
        }
    }

    // An object without an owner is an object that is gone.
    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![]
    }
}
