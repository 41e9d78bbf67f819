//! `GRANT` and `REVOKE`, for objects of all kinds that have privileges. Introspection makes grants from the rows of
//! the other kinds; what an object has by itself when it is created depends on the default privileges.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kind::column::{self, Aside};
use crate::kind::expr::canonical;
use crate::kind::privileges::{self, Rights, Statement, Target};
use crate::kind::{Alter, Definition, Kind, Object, ObjectId};
use crate::name::{Name, Role, list};
use crate::plan::hazard::{Code, Hazard};
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{AclItem, Granted, Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grants {
    pub on: ObjectId,
    /// The owner, for objects that have one of their own: what it may do passes on with the ownership.
    pub owner: Option<Role>,
    /// The identity column that the sequence `on` belongs to: such a sequence is no object of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<ObjectId>,
    /// All effective privileges in order, those of the owner too.
    pub items: Vec<AclItem>,
    /// Those of them that somebody else than the owner granted, who alone can take them back.
    #[serde(default = "nobody", skip_serializing_if = "is_nobody")]
    pub by_others: Aside<Vec<Granted>>,
}

fn nobody() -> Aside<Vec<Granted>> {
    Aside(vec![])
}

/// So that the fingerprint of a schema whose owners grant says nothing of it.
fn is_nobody(by_others: &Aside<Vec<Granted>>) -> bool {
    by_others.0.is_empty() || canonical()
}

impl Grants {
    pub fn new(on: ObjectId, owner: Option<Role>, items: Vec<AclItem>) -> Self {
        let items = privileges::rights(&items)
            .into_iter()
            .map(|((role, privilege), option)| (role, privilege, option))
            .collect();
        Grants { on, owner, inside: None, items, by_others: nobody() }
    }

    /// As the catalogs have them.
    pub fn read(on: ObjectId, owner: Option<Role>, mut granted: Vec<Granted>) -> Self {
        let items = granted.iter().map(|(role, privilege, option, _)| (role.clone(), privilege.clone(), *option));
        let grants = Grants::new(on, owner, items.collect());
        granted.retain(|(.., by)| grants.owner.as_ref().is_some_and(|owner| owner != by));
        granted.sort();
        Grants { by_others: Aside(granted), ..grants }
    }

    /// What has the owner: the table, for the sequence of an identity column.
    fn owned(&self) -> ObjectId {
        match self.inside.as_ref().and_then(|column| column.path.split_last()) {
            Some((_, table)) => ObjectId { kind: Kind::Table, path: table.into() },
            None => self.on.clone(),
        }
    }

    fn rights(&self) -> Rights {
        privileges::rights(&self.items)
    }

    /// What would be taken back by the owner in vain: REVOKE reaches what its own role granted, and the server refuses
    /// to take the right to grant from one who has made use of it.
    fn out_of_reach(&self, after: &Rights, owner: Option<&Role>) -> Option<String> {
        let target = self.target()?;
        let before = self.rights();
        let loses = |role: &Role, privilege: &String, option: bool| {
            let right = (role.clone(), privilege.clone());
            before.contains_key(&right) && after.get(&right).is_none_or(|keeps| option && !keeps)
        };
        let granted = &self.by_others.0;
        let is_in_vain = |(role, privilege, option, by): &&Granted| {
            Some(by) != owner && (loses(role, privilege, *option) || loses(by, privilege, true))
        };
        let mut out: Vec<&Granted> = granted.iter().filter(is_in_vain).collect();
        let further = |of: &Granted, it: &Granted| (&of.0, &of.1, of.2) == (&it.3, &it.1, true);
        // With these goes what was granted further by way of them alone.
        let mut seen = 0;
        while seen < out.len() {
            let of = out[seen];
            let others = || granted.iter().filter(|it| (&it.0, &it.1, it.2) == (&of.0, &of.1, true));
            if others().all(|it| out.contains(&it)) {
                let more: Vec<_> = granted.iter().filter(|it| further(of, it) && !out.contains(it)).collect();
                out.extend(more);
            }
            seen += 1;
        }
        // The server takes nothing back that was granted further still.
        let mut in_turn: Vec<&Granted> = vec![];
        while !out.is_empty() {
            let is_free = |of: &&Granted| !out.iter().any(|it| further(of, it));
            let (free, bound): (Vec<_>, Vec<_>) = out.iter().partition(|it| is_free(it));
            let is_round = free.is_empty();
            in_turn.extend(if is_round { &bound } else { &free });
            out = if is_round { vec![] } else { bound };
        }
        let (what, column) = self.named();
        let statement = |(role, privilege, _, by): &&Granted| {
            let statement = Statement::taking(target, privilege, role)?;
            let sql = statement.sql(target, u32::MAX, &what, column.as_deref());
            Some(format!("`SET ROLE {by}; {sql}; RESET ROLE`"))
        };
        let ways: Vec<String> = in_turn.iter().filter_map(statement).collect();
        (!ways.is_empty()).then(|| {
            format!("what others than the owner granted, they alone can take back; first run {}", ways.join(", then "))
        })
    }

    fn target(&self) -> Option<Target> {
        match self.on.kind {
            Kind::Namespace => Some(Target::Namespace),
            Kind::EnumType | Kind::RangeType | Kind::Composite | Kind::Domain => Some(Target::Type),
            Kind::Sequence => Some(Target::Sequence),
            Kind::Routine => Some(Target::Routine),
            Kind::Table | Kind::View | Kind::MaterializedView => Some(Target::Relation),
            Kind::Column => Some(Target::Column),
            Kind::Extension
            | Kind::DomainConstraint
            | Kind::Default
            | Kind::Constraint
            | Kind::Index
            | Kind::Statistics
            | Kind::Inheritance
            | Kind::Partition
            | Kind::IndexPartition
            | Kind::Trigger
            | Kind::Rule
            | Kind::Policy
            | Kind::RowSecurity
            | Kind::Publication
            | Kind::PublishedTable
            | Kind::DefaultPrivileges
            | Kind::Owner
            | Kind::Grants
            | Kind::Comment => None,
        }
    }

    /// The object as GRANT names it, and the column behind the privileges.
    fn named(&self) -> (String, Option<String>) {
        match (self.on.kind, &self.on.path[..]) {
            (Kind::Column, [namespace, table, column]) => {
                (format!("TABLE {namespace}.{table}"), Some(column.to_string()))
            }
            (Kind::View | Kind::MaterializedView, path) => (format!("TABLE {}", super::dotted(path)), None),
            _ => (self.on.reference(), None),
        }
    }

    /// Statements from what may be there to what these grants say.
    fn from(&self, before: &[Rights], sides: &Sides<'_>) -> Vec<(Statement, Step)> {
        let Some(target) = self.target() else { return vec![] };
        privileges::between(before, &self.rights(), target, major(sides))
            .into_iter()
            .map(|statement| {
                let step = self.step(&statement, target, sides);
                (statement, step)
            })
            .collect()
    }

    /// For what is being made. The defaults themselves may change in the same plan, before this object is made or
    /// after.
    pub(super) fn on_creation(&self, sides: &Sides<'_>) -> Vec<Step> {
        let creator = &sides.old.creator;
        let owner = self.owner.as_ref().unwrap_or(creator);
        let before = [sides.old, sides.new].map(|side| self.by_itself(creator, owner, side));
        self.from(&before, sides).into_iter().map(|(_, step)| step).collect()
    }

    fn step(&self, statement: &Statement, target: Target, sides: &Sides<'_>) -> Step {
        let (what, column) = self.named();
        let step = Step::new(statement.sql(target, major(sides), &what, column.as_deref())).repeats();
        if !statement.revoke && statement.roles.contains(&Role::public()) {
            step.hazard(Code::GrantToPublic, self.on.clone(), statement.privileges.join(", "))
        } else {
            step
        }
    }

    /// What an object that the creator makes has before anyone grants: `acldefault()` or the creator's own
    /// defaults, then what the creator's defaults for the namespace add.
    fn by_itself(&self, creator: &Role, owner: &Role, schema: &Schema) -> Rights {
        let Some(target) = self.target() else { return Rights::new() };
        let defaults = |namespace: &Name| {
            let path = [&Name::from(creator.0.clone()), namespace, &Name::from(target.letter())];
            match schema.get(&ObjectId::new(Kind::DefaultPrivileges, path)) {
                Some(Object::DefaultPrivileges(defaults)) => Some(privileges::rights(&defaults.items)),
                _ => None,
            }
        };
        let mut rights = defaults(&Name::from("")).unwrap_or_else(|| target.default(creator));
        if let Some(namespace) = self.on.path.first().filter(|_| self.on.kind != Kind::Namespace) {
            privileges::add(&mut rights, defaults(namespace).unwrap_or_default());
        }
        privileges::pass(rights, creator, owner)
    }

    /// Steps to these grants on an object that has others.
    fn altering_steps(&self, before: Rights, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = self.columns_again(&before, sides);
        let mut changes = vec![];
        for (statement, mut step) in self.from(&[before], sides) {
            let losing = || statement.roles.iter().filter(|role| Some(*role) != self.owner.as_ref());
            if statement.revoke && losing().next().is_some() {
                let why = format!("{} from {}", statement.privileges.join(", "), list(losing()));
                step = step.hazard(Code::RevokePrivilege, self.on.clone(), why);
            }
            if statement.revoke {
                step = step.stage(Stage::Contract);
            }
            changes.push(step);
        }
        changes.append(&mut steps);
        changes
    }

    /// A REVOKE on a table takes the privilege from its columns too; what they are to keep is granted again.
    fn columns_again(&self, before: &Rights, sides: &Sides<'_>) -> Vec<Step> {
        let mut revoked = before.clone();
        revoked.retain(|right, _| !self.rights().contains_key(right));
        if revoked.is_empty() {
            return vec![];
        }
        let columns = of_object(&self.on, sides.new).filter_map(|id| match sides.new.get(id) {
            Some(Object::Grants(grants)) if grants.on.kind == Kind::Column => Some(grants),
            _ => None,
        });
        let mut steps = vec![];
        for column in columns {
            let mut again = column.rights();
            again.retain(|right, _| revoked.contains_key(right));
            for statement in privileges::between(&[Rights::new()], &again, Target::Column, major(sides)) {
                steps.push(column.step(&statement, Target::Column, sides).stage(Stage::Contract));
            }
        }
        steps
    }
}

/// What follows a change of owner: the new owner has what the old one had, and the rest is put right. This goes with
/// the change, since neither way could tell it apart afterwards.
pub(super) fn pass_on(on: &ObjectId, from: &Role, to: &Role, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = vec![];
    for id in of_object(on, sides.old).chain(of_object(on, sides.new)).collect::<BTreeSet<_>>() {
        let grants = |schema: &Schema| match schema.get(id) {
            Some(Object::Grants(grants)) => Some(Grants::clone(grants)),
            _ => None,
        };
        let (before, after) = (grants(sides.old), grants(sides.new));
        let Some(any) = after.as_ref().or(before.as_ref()) else { continue };
        if column::goes_with_identity(&any.on, any.inside.as_ref(), sides.new) {
            continue;
        }
        let after = after.clone().unwrap_or_else(|| Grants { owner: Some(to.clone()), items: vec![], ..any.clone() });
        let before = privileges::pass(before.map(|it| it.rights()).unwrap_or_default(), from, to);
        steps.extend(after.altering_steps(before, sides));
    }
    steps.into_iter().map(|step| step.stage(Stage::Contract)).collect()
}

/// Whether the object, or the one that it is a column of, changes its owner in place.
fn passes_on(on: &ObjectId, sides: &Sides<'_>) -> bool {
    let changes = |id: &ObjectId| {
        let owner = |schema: &Schema| match schema.get(&id.satellite(Kind::Owner)) {
            Some(Object::Owner(owner)) => Some(owner.role.clone()),
            _ => None,
        };
        !sides.is_new(id) && owner(sides.old).zip(owner(sides.new)).is_some_and(|(old, new)| old != new)
    };
    match (on.kind, &on.path[..]) {
        (Kind::Column, [relation @ .., _]) => [Kind::Table, Kind::View, Kind::MaterializedView]
            .into_iter()
            .any(|kind| changes(&ObjectId { kind, path: relation.into() })),
        _ => changes(on),
    }
}

/// The grants on an object and on its columns.
fn of_object<'a>(on: &ObjectId, schema: &'a Schema) -> impl Iterator<Item = &'a ObjectId> + use<'a> {
    let own = schema.objects.get_key_value(&on.satellite(Kind::Grants)).map(|(id, _)| id);
    let columns = ObjectId { kind: Kind::Column, path: on.path.clone() }.satellite(Kind::Grants);
    let relation = matches!(on.kind, Kind::Table | Kind::View | Kind::MaterializedView);
    let of_columns = schema
        .objects
        .range(columns.clone()..)
        .map(|(id, _)| id)
        .take_while(move |id| relation && id.kind == columns.kind && id.path.starts_with(&columns.path));
    own.into_iter().chain(of_columns)
}

/// The older of the two servers decides which privileges there are.
fn major(sides: &Sides<'_>) -> u32 {
    sides.old.major().min(sides.new.major())
}

impl Definition for Grants {
    const NOUN: &'static str = "grants";

    const CATALOG: &'static str = "";

    fn id(&self) -> ObjectId {
        self.on.satellite(Kind::Grants)
    }

    fn reference(path: &[Name]) -> String {
        super::satellite_of(path).map(|on| on.reference()).unwrap_or_default()
    }

    fn label(path: &[Name]) -> Option<String> {
        super::satellite_of(path).map(|on| format!("on {on}"))
    }

    /// The new owner has the privileges of the old one before they are told apart.
    fn needs(&self) -> Vec<ObjectId> {
        self.owner.iter().map(|_| self.owned().satellite(Kind::Owner)).collect()
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
        if passes_on(&self.owned(), sides) || column::goes_with_identity(&self.on, self.inside.as_ref(), sides.new) {
            return vec![];
        }
        if sides.is_new(&self.on) || self.inside.is_some() {
            let stage = column::stage_of_identity(self.inside.as_ref(), sides);
            return self.on_creation(sides).into_iter().map(|step| step.stage(stage)).collect();
        }
        let owner = self.owner.as_ref().unwrap_or(&sides.old.creator);
        let before: Vec<Rights> = self.target().map(|target| target.default(owner)).into_iter().collect();
        self.from(&before, sides).into_iter().map(|(_, step)| step).collect()
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.inside != new.inside {
            return Alter::Replace;
        }
        if let Some(reason) = self.out_of_reach(&new.rights(), new.owner.as_ref()) {
            return Alter::Refused(reason);
        }
        if passes_on(&self.owned(), sides) {
            return Alter::Steps(vec![]);
        }
        Alter::Steps(new.altering_steps(self.rights(), sides))
    }

    /// What goes whole takes all grants with it.
    fn cannot_go(&self, sides: &Sides<'_>) -> Option<String> {
        let stays = !sides.is_going(&self.on);
        stays.then(|| self.out_of_reach(&Rights::new(), self.owner.as_ref())).flatten()
    }

    fn loses(&self, new: &Self, sides: &Sides<'_>) -> Vec<Hazard> {
        let had = match (&self.owner, &new.owner) {
            (Some(from), Some(to)) => privileges::pass(self.rights(), from, to),
            _ => self.rights(),
        };
        let steps = new.altering_steps(had, sides).into_iter();
        steps.flat_map(|step| step.hazards).filter(|it| it.code == Code::RevokePrivilege).collect()
    }

    /// Back to what the object has when nobody has granted anything.
    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        if passes_on(&self.owned(), sides) || column::goes_with_identity(&self.on, self.inside.as_ref(), sides.new) {
            return vec![];
        }
        let default = self.target().zip(self.owner.as_ref()).map(|(target, owner)| target.default(owner));
        let items = default.into_iter().flatten().map(|((role, privilege), option)| (role, privilege, option));
        let nothing = Grants::new(self.on.clone(), self.owner.clone(), items.collect());
        nothing.altering_steps(self.rights(), sides)
    }
}
