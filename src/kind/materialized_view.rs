//! MaterializedView.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Definition, Kind, ObjectId};
use crate::name::Name;
use crate::plan::{Disturbance, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaterializedView {
    pub name: Name,
}

impl Definition for MaterializedView {
    const NOUN: &'static str = "materialized view";

    const CATALOG: &'static str = "SELECT NULL::jsonb WHERE false";

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::MaterializedView, [&self.name])
    }

    fn reference(path: &[Name]) -> String {
        super::dotted(path)
    }

    fn survives(&self, _disturbance: Disturbance) -> bool {
        false
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![]
    }

    fn alter(&self, _new: &Self, _sides: &Sides<'_>) -> Alter {
        Alter::Replace
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![]
    }
}
