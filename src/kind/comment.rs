//! `COMMENT ON`, for objects of all kinds. Introspection makes comments from pg_description; a reference that
//! COMMENT ON understands comes from the kind commented on.

use serde::{Deserialize, Serialize};

use crate::kind::column;
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, domain, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Families, Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    pub on: ObjectId,
    /// What of it, where that can have a comment of its own and is no object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The identity column that the sequence `on` belongs to: such a sequence is no object of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<ObjectId>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The index of a constraint, which has its name.
    Index,
    /// The NOT NULL of a domain, from 17 on, or of a column, from 18 on: a constraint, of whatever name.
    NotNull,
}

impl Part {
    /// The last part of the path.
    fn word(self) -> &'static str {
        match self {
            Part::Index => "index",
            Part::NotNull => "not null",
        }
    }
}

/// The comment on the NOT NULL of a column or domain.
pub(super) fn of_not_null<'a>(on: &ObjectId, side: &'a Schema) -> Option<&'a Comment> {
    match side.get(&Comment::on_part(Part::NotNull, on.clone(), "").id()) {
        Some(Object::Comment(it)) => Some(it),
        _ => None,
    }
}

/// The change of the comment on a NOT NULL that was given another name: what does that knows which it has when.
pub(super) fn on_renamed(on: &ObjectId, name: &Name, sides: &Sides<'_>) -> Option<Step> {
    let text = |side| of_not_null(on, side).map(|it| it.text.as_str());
    let (before, after) = (text(sides.old), text(sides.new));
    let value = after.map_or("NULL".to_owned(), |it| Literal(it).to_string());
    (before != after).then(|| Comment::on_part(Part::NotNull, on.clone(), "").on_not_null(name, &value))
}

/// What takes that change back, under the name that it has then.
pub(super) fn before_renamed(on: &ObjectId, name: &Name, sides: &Sides<'_>) -> Option<Step> {
    on_renamed(on, name, &Sides { old: sides.new, new: sides.old, families: &Families::default(), ..*sides })
}

/// What gives a NOT NULL that was made anew the comment which it had.
pub(super) fn on_not_null_again(on: &ObjectId, name: &Name, sides: &Sides<'_>) -> Option<Step> {
    let stays = of_not_null(on, sides.new).filter(|_| of_not_null(on, sides.old).is_some())?;
    Some(stays.on_not_null(name, &Literal(&stays.text).to_string()))
}

/// The comment of a domain that takes the place of another.
pub(super) fn on_not_null_of_swapped(on: &ObjectId, sides: &Sides<'_>) -> Option<Step> {
    let comment = of_not_null(on, sides.new)?;
    match sides.new.get(on) {
        Some(Object::Domain(it)) => {
            Some(comment.on_not_null(&it.not_null_constraint(), &Literal(&comment.text).to_string()))
        }
        _ => None,
    }
}

/// What is said of a NOT NULL in the course of the plan.
enum Said {
    /// It stays, under this name.
    Under(Name),
    /// It gets another name, or is another: what does that says the rest.
    Elsewhere,
    /// It comes or goes.
    Once,
}

fn said(on: &ObjectId, sides: &Sides<'_>) -> Said {
    let names = match (sides.old.get(on).filter(|_| !sides.is_new(on)), sides.new.get(on)) {
        (Some(Object::Column(old)), Some(Object::Column(new))) => {
            if old.keeps_name_of_the_way_there(new, sides) {
                return Said::Elsewhere;
            }
            old.names_of_not_null(new, sides)
        }
        (Some(Object::Domain(old)), Some(Object::Domain(new))) => {
            if domain::is_swapped(&new.name, sides) {
                return Said::Elsewhere;
            }
            (old.not_null && new.not_null).then(|| (old.not_null_constraint(), new.not_null_constraint()))
        }
        _ => None,
    };
    match names {
        Some((from, to)) if from == to => Said::Under(to),
        Some(_) => Said::Elsewhere,
        None => Said::Once,
    }
}

impl Comment {
    pub fn new(on: ObjectId, text: impl Into<String>) -> Self {
        Comment { on, part: None, inside: None, text: text.into() }
    }

    pub fn on_part(part: Part, on: ObjectId, text: impl Into<String>) -> Self {
        Comment { part: Some(part), ..Comment::new(on, text) }
    }

    /// The statement for a NOT NULL of this name.
    fn on_not_null(&self, name: &Name, value: &str) -> Step {
        let table = match &self.on.path[..] {
            [namespace, table, _] => Some(QName::new(namespace.clone(), table.clone())),
            _ => None,
        };
        let of = table.as_ref().map_or_else(|| self.on.reference(), QName::to_string);
        let step = Step::new(format!("COMMENT ON CONSTRAINT {name} ON {of} IS {value}")).repeats();
        table.iter().fold(step, |step, table| step.locks(table, Lock::AccessShare))
    }

    fn step(&self, value: String) -> Step {
        if let ([namespace, _, name], Some(Part::Index)) = (&self.on.path[..], self.part) {
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
            | Kind::Inheritance
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
        let part = self.part.map(|it| Name::from(it.word()));
        ObjectId { path: id.path.iter().cloned().chain(part).collect(), ..id }
    }

    fn reference(path: &[Name]) -> String {
        super::satellite_of(path).map(|on| on.reference()).unwrap_or_default()
    }

    fn label(path: &[Name]) -> Option<String> {
        let on = super::satellite_of(path)?;
        match (on.kind, &on.path[..]) {
            (Kind::Constraint, [namespace, _, name, _]) => Some(format!("on index {namespace}.{name}")),
            (Kind::Column, [namespace, table, name, _]) => {
                let table = QName::new(namespace.clone(), table.clone());
                Some(format!("on NOT NULL of {}", column::id(&table, name)))
            }
            (Kind::Domain, [namespace, name, _]) => {
                Some(format!("on NOT NULL of {}", domain::id(&QName::new(namespace.clone(), name.clone()))))
            }
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

    /// What hands a NOT NULL down has it first.
    fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        match (self.part, sides.new.get(&self.on)) {
            (Some(Part::NotNull), Some(Object::Column(it))) => {
                let above = table::parents(sides.new, &it.table).into_iter();
                above.map(|parent| column::id(&parent, &it.name)).collect()
            }
            _ => vec![],
        }
    }

    fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        self.comes_after(sides)
    }

    fn cannot_come(&self, sides: &Sides<'_>) -> Option<String> {
        let since = if self.on.kind == Kind::Domain { 17 } else { 18 };
        (self.part == Some(Part::NotNull) && sides.major() < since)
            .then(|| format!("before PostgreSQL {since}, NOT NULL is no constraint that could have a comment"))
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if column::goes_with_identity(&self.on, self.inside.as_ref(), sides.new) {
            return vec![];
        }
        let text = Literal(&self.text).to_string();
        if self.part == Some(Part::NotNull) {
            let comes = || match sides.new.get(&self.on)? {
                Object::Column(it) => Some((it.not_null.as_ref()?.constraint(it), Stage::Validate)),
                Object::Domain(it) => Some((it.not_null_constraint(), Stage::Contract)),
                _ => None,
            };
            let name = match said(&self.on, sides) {
                Said::Under(name) => Some((name, Stage::Expand)),
                Said::Elsewhere => None,
                // In what is new, it is there from the start.
                Said::Once if sides.is_new(&sides.new.whole_of(&self.on)) => {
                    comes().map(|(name, _)| (name, Stage::Expand))
                }
                Said::Once => comes(),
            };
            return name.into_iter().map(|(name, stage)| self.on_not_null(&name, &text).stage(stage)).collect();
        }
        let stage = column::stage_of_identity(self.inside.as_ref(), sides);
        vec![self.step(text).stage(stage)]
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
        if self.part != Some(Part::NotNull) {
            return vec![self.step("NULL".to_owned())];
        }
        match said(&self.on, sides) {
            Said::Under(name) => vec![self.on_not_null(&name, "NULL")],
            Said::Elsewhere | Said::Once => vec![],
        }
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
