//! Who may do what with which object, as it was tried on the shadow before a plan and after it; and what of that
//! changes. Trying is `proof/access`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, ObjectId};
use crate::name::Role;

/// How far a role gets with one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reach {
    /// The server refuses it.
    #[serde(rename = "refused")]
    Refused,
    /// It runs, and finds no row.
    #[serde(rename = "no rows")]
    Nothing,
    /// The rows of the session's own tenant.
    #[serde(rename = "own rows")]
    Own,
    /// It runs; how far could not be seen, or is the same for all.
    #[serde(rename = "allowed")]
    Allowed,
    /// A routine that runs with the rights of who calls it.
    #[serde(rename = "as caller")]
    AsCaller,
    /// A routine that runs with the rights of its owner.
    #[serde(rename = "as owner")]
    AsOwner,
    /// Some of the rows.
    #[serde(rename = "some rows")]
    Some,
    /// Rows of another tenant.
    #[serde(rename = "others' rows")]
    Others,
    #[serde(rename = "all rows")]
    All,
}

impl Reach {
    /// As the plan file spells it.
    pub fn name(self) -> &'static str {
        match self {
            Reach::Refused => "refused",
            Reach::Nothing => "no rows",
            Reach::Own => "own rows",
            Reach::Allowed => "allowed",
            Reach::AsCaller => "as caller",
            Reach::AsOwner => "as owner",
            Reach::Some => "some rows",
            Reach::Others => "others' rows",
            Reach::All => "all rows",
        }
    }

    /// From the rows that were reached, each with whether it is the tenant's own where that is known; and from all that
    /// there are.
    pub fn of(reached: &[Option<bool>], all: &[Option<bool>]) -> Reach {
        match reached {
            [] if all.is_empty() => Reach::Allowed,
            [] => Reach::Nothing,
            _ if reached.len() >= all.len() => Reach::All,
            _ if reached.iter().all(|it| *it == Some(true)) => Reach::Own,
            _ if reached.contains(&Some(false)) => Reach::Others,
            _ => Reach::Some,
        }
    }
}

/// What a role tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Command {
    Select,
    Insert,
    Update,
    Delete,
    Truncate,
    References,
    Trigger,
    Usage,
    Create,
    Execute,
}

impl Command {
    pub fn name(self) -> &'static str {
        match self {
            Command::Select => "SELECT",
            Command::Insert => "INSERT",
            Command::Update => "UPDATE",
            Command::Delete => "DELETE",
            Command::Truncate => "TRUNCATE",
            Command::References => "REFERENCES",
            Command::Trigger => "TRIGGER",
            Command::Usage => "USAGE",
            Command::Create => "CREATE",
            Command::Execute => "EXECUTE",
        }
    }
}

/// One side: how far each role gets with each command on each object. What is refused is not in it.
pub type Matrix = BTreeMap<(Role, ObjectId, Command), Reach>;

/// Cells that change alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// `PUBLIC` is every role that can connect.
    pub role: String,
    pub commands: Vec<Command>,
    /// As people name it: `table public.contacts`.
    pub object: String,
    /// Absent where the object is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Reach>,
    pub after: Reach,
}

impl Change {
    /// The change in words, for several objects at once.
    pub fn words(&self, objects: &str) -> String {
        if self.before.is_none() { self.said(&format!("new {objects}")) } else { self.said(objects) }
    }

    /// The same where it is known which object is meant.
    pub fn said(&self, objects: &str) -> String {
        let commands: Vec<&str> = self.commands.iter().map(|it| it.name()).collect();
        let (role, commands, after) = (&self.role, commands.join(", "), self.after.name());
        match self.before {
            None | Some(Reach::Refused) => format!("{role} gains {commands} on {objects} ({after})"),
            Some(before) if self.after == Reach::Refused => {
                format!("{role} loses {commands} on {objects} ({} before)", before.name())
            }
            Some(before) => {
                format!("{role} reaches {after} by {commands} on {objects} ({} before)", before.name())
            }
        }
    }

    /// Whether the role gets further than before.
    pub fn is_gain(&self) -> bool {
        self.before.is_none_or(|before| self.after > before)
    }
}

/// The cells that differ, in order. `old` and `new`: the objects of both sides; `was`: those among the new ones that had
/// another name. What every role gains or loses is told of PUBLIC alone; what goes with an object that is dropped is not
/// told.
pub fn changes(
    before: &Matrix,
    after: &Matrix,
    old: &BTreeSet<ObjectId>,
    new: &BTreeSet<ObjectId>,
    was: &BTreeMap<ObjectId, ObjectId>,
) -> Vec<(ObjectId, Change)> {
    let renamed = was.iter().flat_map(|(new, old)| {
        let cells = before.keys().filter(move |it| it.1 == *old);
        cells.map(|(role, _, command)| (role.clone(), new.clone(), *command))
    });
    let cells: BTreeSet<(Role, ObjectId, Command)> =
        before.keys().chain(after.keys()).cloned().chain(renamed).collect();
    let reach = |side: &Matrix, cell: &(Role, ObjectId, Command)| side.get(cell).copied().unwrap_or(Reach::Refused);
    let change = |cell: &(Role, ObjectId, Command)| {
        let then = was.get(&cell.1).unwrap_or(&cell.1);
        let before = old.contains(then).then(|| reach(before, &(cell.0.clone(), then.clone(), cell.2)));
        (before, reach(after, cell))
    };
    let mut found: Vec<(ObjectId, Change)> = vec![];
    for cell in &cells {
        let (role, object, command) = cell;
        let (before, after) = change(cell);
        let is_same = before.unwrap_or(Reach::Refused) == after;
        let public = (Role::public(), object.clone(), *command);
        let is_everybodys = *role != Role::public() && change(&public) == (before, after);
        // Nobody has called what is new.
        let is_new_routine = object.kind == Kind::Routine && before.is_none() && after == Reach::AsCaller;
        if is_same || is_everybodys || is_new_routine || !new.contains(object) {
            continue;
        }
        let role = role.to_string();
        let alike =
            found.iter_mut().find(|(id, it)| (id, &it.role, it.before, it.after) == (object, &role, before, after));
        match alike {
            Some((_, it)) => it.commands.push(*command),
            None => {
                let change = Change { role, commands: vec![*command], object: object.to_string(), before, after };
                found.push((object.clone(), change));
            }
        }
    }
    found
}

/// Whose rows a relation holds, as far as loosening is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Each tenant's own: who is held to a tenant has no business with others'.
    Tenants,
    /// Everybody's, or nothing is known.
    Unknown,
}

/// Whether a change opens rows that were closed: another tenant's, any to those whom nobody knows, or more than before
/// to a role that had the privilege all along.
pub fn loosens(object: &ObjectId, change: &Change, is_anonymous: bool, is_bound: bool, holds: Holds) -> bool {
    let before = change.before.unwrap_or(Reach::Refused);
    // The rows of a new table are yet to come; a view shows those that are there.
    let shows_rows = match object.kind {
        Kind::Table => change.before.is_some(),
        Kind::View | Kind::MaterializedView => true,
        Kind::Routine => change.before.is_some_and(|it| it != Reach::Refused),
        _ => false,
    };
    if !shows_rows || !change.is_gain() {
        return false;
    }
    let only_refers = change.commands.iter().all(|it| matches!(it, Command::References | Command::Trigger));
    let reaches_others = matches!(change.after, Reach::Some | Reach::Others | Reach::All);
    let widened = before != Reach::Refused && (reaches_others || change.after == Reach::AsOwner);
    widened
        || (is_anonymous && !only_refers && change.after > Reach::Nothing)
        || (is_bound && holds == Holds::Tenants && reaches_others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn table(name: &str) -> ObjectId {
        ObjectId::new(Kind::Table, [&Name::from("public"), &Name::from(name)])
    }

    #[test]
    fn only_cells_that_change_are_told_and_those_alike_in_one() {
        let role = |name: &str| Role(name.to_owned());
        let cell = |role: &Role, command, reach| ((role.clone(), table("x"), command), reach);
        let (anon, app) = (role("anon"), role("app"));
        let before = Matrix::from([
            cell(&app, Command::Select, Reach::All),
            cell(&app, Command::Insert, Reach::All),
            cell(&app, Command::Update, Reach::All),
        ]);
        let after = Matrix::from([
            cell(&anon, Command::Select, Reach::All),
            cell(&anon, Command::Delete, Reach::All),
            cell(&app, Command::Select, Reach::Own),
            cell(&app, Command::Insert, Reach::All),
        ]);
        let objects = BTreeSet::from([table("x")]);
        let told: Vec<String> = changes(&before, &after, &objects, &objects, &BTreeMap::new())
            .iter()
            .map(|(_, it)| it.words(&it.object))
            .collect();
        assert_eq!(
            told,
            [
                "anon gains SELECT, DELETE on table public.x (all rows)",
                "app reaches own rows by SELECT on table public.x (all rows before)",
                "app loses UPDATE on table public.x (all rows before)",
            ]
        );
        let new = changes(&Matrix::new(), &after, &BTreeSet::new(), &objects, &BTreeMap::new());
        assert_eq!(new[0].1.words("table public.x"), "anon gains SELECT, DELETE on new table public.x (all rows)");
    }

    #[test]
    fn what_everybody_gains_is_told_once() {
        let cell = |role: Role| ((role, table("x"), Command::Select), Reach::All);
        let after = Matrix::from([cell(Role::public()), cell(Role("app".into()))]);
        let objects = BTreeSet::from([table("x")]);
        let told = changes(&Matrix::new(), &after, &objects, &objects, &BTreeMap::new());
        assert_eq!(told.iter().map(|it| it.1.role.as_str()).collect::<Vec<_>>(), ["PUBLIC"]);
    }

    #[test]
    fn rows_are_reached_in_part_as_a_whole_or_not_at_all() {
        let all = [Some(true), Some(false)];
        assert_eq!(Reach::of(&[], &all), Reach::Nothing);
        assert_eq!(Reach::of(&[Some(true)], &all), Reach::Own);
        assert_eq!(Reach::of(&[Some(false)], &all), Reach::Others);
        assert_eq!(Reach::of(&all, &all), Reach::All);
        assert_eq!(Reach::of(&[None], &[None, None]), Reach::Some);
        assert_eq!(Reach::of(&[], &[]), Reach::Allowed);
    }

    #[test]
    fn a_grant_to_somebody_known_is_no_loosening_and_one_to_anybody_is() {
        let change = |before, after| Change {
            role: "app".into(),
            commands: vec![Command::Select],
            object: "table public.x".into(),
            before: Some(before),
            after,
        };
        let gained = change(Reach::Refused, Reach::All);
        assert!(!loosens(&table("x"), &gained, false, false, Holds::Unknown));
        assert!(!loosens(&table("x"), &gained, false, true, Holds::Unknown));
        assert!(loosens(&table("x"), &gained, true, false, Holds::Unknown));
        assert!(loosens(&table("x"), &gained, false, true, Holds::Tenants));
        assert!(loosens(&table("x"), &change(Reach::Own, Reach::All), false, false, Holds::Unknown));
        assert!(!loosens(&table("x"), &change(Reach::All, Reach::Own), true, true, Holds::Tenants));
    }
}
