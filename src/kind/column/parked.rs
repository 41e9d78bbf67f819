//! Values that wait as text while their type goes and another of its name comes.

use super::{Column, find};
use crate::kind::table;
use crate::kind::{Definition, Kind, ObjectId};
use crate::plan::hazard::Code;
use crate::plan::{Stage, Step};
use crate::schema::Sides;

impl Column {
    /// Whether the column's type goes and another of the same name comes, an enum that becomes a domain: the values
    /// wait as text.
    pub fn is_parked(&self, sides: &Sides<'_>) -> bool {
        let (Some(old), Some(new)) =
            (find(sides.old, &self.table, &self.name), find(sides.new, &self.table, &self.name))
        else {
            return false;
        };
        let own_type = |need: &ObjectId| matches!(need.kind, Kind::EnumType | Kind::Domain | Kind::Composite);
        sides.replaced.contains(&self.id())
            && !sides.is_going(&table::id(&self.table))
            && old.generated.is_none()
            && new.generated.is_none()
            && sides.old.needs_of(&self.id()).any(|need| own_type(need) && sides.is_going(need))
    }

    pub(super) fn park(&self, sides: &Sides<'_>) -> Step {
        let text = if self.data_type.ends_with("[]") { "text[]" } else { "text" };
        let name = &self.name;
        // The default goes as a part of the column, and comes as an object of its own.
        let default = self.default(sides.old).map(|_| format!("ALTER COLUMN {name} DROP DEFAULT, "));
        let action =
            format!("{}ALTER COLUMN {name} TYPE {text} USING {name}::{text}", default.unwrap_or_default());
        let step = self.on_family(action, sides).stage(Stage::Contract);
        self.rewritten(step, sides).summary(format!("keeps the values of {}.{} as text", self.table, self.name))
    }

    pub(super) fn unpark(&self, old: &Column, sides: &Sides<'_>) -> Vec<Step> {
        let (name, data_type) = (&self.name, &self.data_type);
        let collate = self.collation.as_ref().map(|it| format!(" COLLATE {it}")).unwrap_or_default();
        let action = format!("ALTER COLUMN {name} TYPE {data_type}{collate} USING {name}::{data_type}");
        let mut step = self.rewritten(self.on_family(action, sides).stage(Stage::Contract), sides);
        if table::may_hold_rows(sides, &self.table) {
            let why = format!("{data_type} is another type now; {}", table::evidence(sides, &self.table));
            step = step.hazard(Code::NarrowType, self.id(), why);
        }
        let mut steps = vec![step];
        steps.extend(old.alter_not_null(self, sides));
        steps.extend(old.as_retyped().alter_settings(self, sides));
        steps
    }

    /// The column as a change of its type leaves it: storage and compression are the new type's.
    pub(super) fn as_retyped(&self) -> Column {
        Column { storage: None, compression: None, ..self.clone() }
    }
}
