//! `ALTER … OWNER TO`, for objects of all kinds that have an owner. Introspection makes owners from the rows of
//! the other kinds.

use serde::{Deserialize, Serialize};

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
        Step::new(format!("ALTER {} OWNER TO {}", self.on.reference(), self.role))
    }

    /// With the locks it takes on what exists: the relation itself, and the sequences that belong to its columns,
    /// which follow their table.
    fn locking_step(&self, schema: &Schema) -> Step {
        let mut step = self.step();
        let relation = match (self.on.kind, self.on.path.as_slice()) {
            (Kind::Table | Kind::View | Kind::MaterializedView | Kind::Sequence, [namespace, name]) => {
                QName::new(namespace.clone(), name.clone())
            }
            _ => return step,
        };
        step = step.locks(&relation, Lock::AccessExclusive);
        for object in schema.of_kind(Kind::Sequence) {
            if let Object::Sequence(sequence) = object
                && sequence.owned_by.as_ref().is_some_and(|(table, _)| *table == relation)
            {
                step = step.locks(&sequence.name, Lock::AccessExclusive);
            }
        }
        step
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
            Disturbance::Retype | Disturbance::Swap => true,
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
        Alter::Steps(vec![
            new.locking_step(sides.old).stage(Stage::Contract).hazard(Code::ChangeOwner, self.on.clone(), why),
        ])
    }

    // An object without an owner is an object that is gone.
    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![]
    }
}
