//! Tables that go are moved to a namespace of their own instead of being dropped: with their rows, but out of everybody's
//! way. Nobody but their owner has a right to them there, no foreign key leads from or to them, and they are published no
//! more. The namespace is outside of what is managed; whoever wants the rows to be gone says so in another plan.
//!
//! Facts from ALTER TABLE … SET SCHEMA in the manual: indexes, constraints and the sequences that columns own move along.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use super::{Ground, PassageError, Workbench};
use crate::plan::in_turn;

use crate::kind::constraint::Rule;
use crate::kind::made_name::derived;
use crate::kind::{Claim, Kind, Object, ObjectId, partition, table};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{self, Half, Planned, Stage, Step, Undo};
use crate::schema::{Facts, Families, Schema, Sides};
use crate::scope::{JOURNAL_NAMESPACE, Scope};

/// `[plan] quarantine`: a namespace that is there for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Place(pub Name);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_in_use = name == "public" || name == "information_schema" || name == JOURNAL_NAMESPACE;
        if name.is_empty() || is_in_use || name.starts_with("pg_") {
            return Err(format!("`{name}` can't be the quarantine: it has to be a namespace of its own"));
        }
        Ok(Place(Name::from(name)))
    }
}

/// What is planned in the place of drops.
#[derive(Debug, Default)]
pub struct Quarantine {
    /// The schema that the plan starts from, with the privileges of what is moved.
    pub start: Schema,
    /// What the rest of the plan leads to: what is declared, and beside it what is still to be moved.
    pub kept: Schema,
    /// The steps that come last.
    pub steps: Vec<Planned>,
    /// Where the tables are afterwards.
    pub moved: BTreeMap<QName, QName>,
    /// Tables that are dropped all the same, each with the reason.
    pub dropped: BTreeMap<QName, String>,
}

/// The tables that go.
pub fn gone(start: &Schema, desired: &Schema) -> impl Iterator<Item = QName> {
    start.of_kind(Kind::Table).map(Object::id).filter(|id| !desired.contains(id)).map(|id| name_of(&id))
}

pub fn is_needed(start: &Schema, desired: &Schema) -> bool {
    gone(start, desired).next().is_some()
}

/// Says at the drops that are left why they are none of the others.
pub fn tell(dropped: &BTreeMap<QName, String>, steps: &mut [Planned]) {
    for hazard in steps.iter_mut().flat_map(|it| &mut it.step.hazards) {
        let of = dropped.iter().find(|(name, _)| hazard.object == table::id(name));
        match (hazard.code, of) {
            (Code::DropTable, Some((_, why))) => hazard.why += &format!("; not moved to the quarantine: {why}"),
            (Code::DropColumn, _) => hazard.why += "; a column can't be moved to the quarantine",
            _ => {}
        }
    }
}

/// What a plan from one schema to another does with the tables that go. `live` says what stands in the quarantine.
pub async fn quarantine(
    ground: Ground<'_>,
    place: &Place,
    live: &Schema,
    start: Schema,
    desired: &Schema,
    facts: &Facts,
) -> Result<Quarantine, PassageError> {
    let Movers { wholes, dropped } = Movers::of(&start, desired, facts);
    if wholes.is_empty() {
        return Ok(Quarantine { start, kept: desired.clone(), dropped, ..Quarantine::default() });
    }
    let nobodys = Scope { owners: false, grants: false, ..ground.scope.clone() };
    let full = nobodys.with_live_rights(&start, live);
    let apart = alone(ground, &full, &wholes).await?;
    let kept = beside(desired, &start, &apart, &wholes);
    let start = with_rights_of(&wholes, start, &full);
    let mut moving = Moving { place: &place.0, live, taken: BTreeSet::new(), facts, kept: &kept };
    let (steps, moved) = moving.all(&wholes);
    // Namespaces that the tables stood in go once these are out of them.
    let left = kept.filtered(|id| desired.contains(id) || !wholes.contains(&kept.whole_of(id)));
    let rest = plan::make(&left, desired, facts).map_err(PassageError::Plan)?;
    Ok(Quarantine { start, steps: in_turn(steps, rest), moved, dropped, kept: kept.clone() })
}

/// What moves: tables, and what their rows can't be had without.
struct Movers {
    wholes: BTreeSet<ObjectId>,
    dropped: BTreeMap<QName, String>,
}

impl Movers {
    fn of(start: &Schema, desired: &Schema, facts: &Facts) -> Movers {
        let taken: BTreeMap<Claim, &ObjectId> = desired
            .objects
            .iter()
            .flat_map(|(id, object)| object.claims().into_iter().map(move |it| (it, id)))
            .filter(|(claim, _)| is_name(claim))
            .collect();
        // What a passage leaves behind holds rows that are elsewhere by then.
        let gone = gone(start, desired).map(|it| table::id(&it)).filter(|it| !facts.spent.contains_key(it));
        let mut movers = Movers { wholes: BTreeSet::new(), dropped: BTreeMap::new() };
        let mut with: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
        for id in gone {
            let along = along(&id, start, desired).and_then(|along| {
                let claims = along.iter().flat_map(|whole| claims(whole, start));
                match claims.filter_map(|it| taken.get(&it)).next() {
                    Some(other) => Err(format!("{other} takes a name that it has")),
                    None => Ok(along),
                }
            });
            match along {
                Ok(along) => _ = with.insert(id, along),
                Err(why) => _ = movers.dropped.insert(name_of(&id), why),
            }
        }
        // What a table can't be had without stays behind where that is a table which can't move.
        loop {
            let stuck = with.iter().find_map(|(id, along)| {
                let other = along.iter().find(|it| it.kind == Kind::Table && !with.contains_key(it))?;
                Some((id.clone(), format!("{other} can't be moved")))
            });
            let Some((id, why)) = stuck else { break };
            with.remove(&id);
            movers.dropped.insert(name_of(&id), why);
        }
        movers.wholes = with.into_values().flatten().collect();
        movers
    }
}

/// What a table takes along: the types, sequences and functions that go in the same plan and that its columns need.
fn along(table: &ObjectId, start: &Schema, desired: &Schema) -> Result<BTreeSet<ObjectId>, String> {
    let mut along = BTreeSet::from([table.clone()]);
    let mut open = vec![table.clone()];
    while let Some(whole) = open.pop() {
        for id in start.objects.keys().filter(|id| start.whole_of(id) == whole && !is_beside(id, start)) {
            for need in start.needs_of(id).filter(|need| !desired.contains(need) && start.contains(need)) {
                let of = start.whole_of(need);
                if of.kind == Kind::Namespace || along.contains(&of) {
                    continue;
                }
                if !matches!(of.kind, Kind::Table) && move_sql(&of, &Name::from("")).is_none() {
                    return Err(format!("it needs {of}, which goes"));
                }
                along.insert(of.clone());
                open.push(of);
            }
        }
    }
    Ok(along)
}

/// Parts without which rows are as good: what of them needs something that goes is dropped.
fn is_beside(id: &ObjectId, schema: &Schema) -> bool {
    match schema.get(id) {
        Some(Object::Constraint(it)) => !it.is_attached(),
        _ => matches!(
            id.kind,
            Kind::Index
                | Kind::Statistics
                | Kind::Trigger
                | Kind::Rule
                | Kind::Policy
                | Kind::PublishedTable
                | Kind::Grants
        ),
    }
}

/// Tables as they are when nothing leads from or to them: read back from the shadow.
async fn alone(ground: Ground<'_>, start: &Schema, wholes: &BTreeSet<ObjectId>) -> Result<Schema, PassageError> {
    let workbench = Workbench::with(ground, start).await?;
    for id in wholes.iter().filter(|it| it.kind == Kind::Table) {
        let name = name_of(id);
        let parents = table::parents(start, &name);
        let is_partition = start.contains(&partition::id(&name));
        for parent in parents.iter().filter(|it| !wholes.contains(&table::id(it))) {
            workbench
                .say(&match is_partition {
                    true => format!("ALTER TABLE {parent} DETACH PARTITION {name}"),
                    false => format!("ALTER TABLE {name} NO INHERIT {parent}"),
                })
                .await?;
        }
    }
    workbench.finish().await
}

/// The declared schema with what is to be moved beside it, once it stands alone.
fn beside(desired: &Schema, start: &Schema, apart: &Schema, wholes: &BTreeSet<ObjectId>) -> Schema {
    let mut stay: BTreeMap<ObjectId, Object> = BTreeMap::new();
    for (id, object) in &apart.objects {
        let whole = apart.whole_of(id);
        let leads_elsewhere = match object {
            Object::Constraint(it) => matches!(it.rule, Rule::Foreign(_)),
            Object::Grants(_) => whole.kind == Kind::Table,
            Object::Partition(it) => !wholes.contains(&table::id(&it.parent)),
            _ => false,
        };
        if wholes.contains(&whole) && !leads_elsewhere {
            stay.insert(id.clone(), object.clone());
        }
    }
    // The namespaces that they stand in go after them.
    let namespaces: BTreeSet<ObjectId> =
        wholes.iter().map(|it| ObjectId::new(Kind::Namespace, [&it.path[0]])).collect();
    for (id, object) in &start.objects {
        if namespaces.contains(&start.whole_of(id)) && !desired.contains(&start.whole_of(id)) {
            stay.insert(id.clone(), object.clone());
        }
    }
    let needs = |id: &ObjectId| if apart.contains(id) { apart.needs.get(id) } else { start.needs.get(id) };
    loop {
        let met = |need: &ObjectId| stay.contains_key(need) || desired.contains(need) || !start.contains(need);
        let unmet = |id: &&ObjectId| !needs(id).is_none_or(|it| it.iter().all(met));
        let Some(id) = stay.keys().find(unmet).cloned() else { break };
        stay.remove(&id);
    }
    let mut kept = desired.clone();
    for (id, object) in stay {
        if let Some(needs) = needs(&id) {
            kept.needs.insert(id.clone(), needs.clone());
        }
        kept.objects.insert(id, object);
    }
    let known: BTreeSet<ObjectId> = kept.objects.keys().cloned().collect();
    for needs in kept.needs.values_mut().filter(|it| !it.iter().all(|need| known.contains(need))) {
        Arc::make_mut(needs).retain(|need| known.contains(need));
    }
    kept
}

/// The start with the owners and privileges of what moves, managed or not: they are taken, and given back on the way back.
fn with_rights_of(wholes: &BTreeSet<ObjectId>, mut start: Schema, full: &Schema) -> Schema {
    let rights = full.objects.iter().filter(|(id, _)| matches!(id.kind, Kind::Owner | Kind::Grants));
    for (id, object) in rights.filter(|(id, _)| wholes.contains(&full.whole_of(id))) {
        start.objects.insert(id.clone(), object.clone());
        start.needs.extend(full.needs.get(id).map(|needs| (id.clone(), needs.clone())));
    }
    start
}

/// The steps that move.
struct Moving<'a> {
    place: &'a Name,
    live: &'a Schema,
    /// Names that are taken in the quarantine by what this plan moves there.
    taken: BTreeSet<(&'static str, Name)>,
    facts: &'a Facts,
    kept: &'a Schema,
}

impl Moving<'_> {
    fn all(&mut self, wholes: &BTreeSet<ObjectId>) -> (Vec<Planned>, BTreeMap<QName, QName>) {
        let (mut steps, mut moved) = (vec![], BTreeMap::new());
        let namespace = ObjectId::new(Kind::Namespace, [self.place]);
        if !self.live.contains(&namespace) {
            let step = Step::new(format!("CREATE SCHEMA {}", self.place))
                .stage(Stage::Contract)
                .summary(format!("make {}, where tables are kept that nobody uses any more", self.place));
            steps = vec![self.planned(step, &namespace, vec![], &format!("DROP SCHEMA {}", self.place))];
        }
        for whole in wholes {
            let name = name_of(whole);
            let (one, at) = self.one(whole, &name);
            steps = in_turn(steps, one);
            if whole.kind == Kind::Table {
                moved.insert(name, at);
            }
        }
        (steps, moved)
    }

    /// One whole, in a transaction of its own.
    fn one(&mut self, whole: &ObjectId, name: &QName) -> (Vec<Planned>, QName) {
        let mut steps = vec![];
        let mut now = name.clone();
        for (space, old) in names(whole, self.kept) {
            let to = self.free(space, &old, name);
            self.taken.insert((space, to.clone()));
            self.taken
                .extend((whole.path[..2] == [name.namespace.clone(), old.clone()]).then(|| ("type", to.clone())));
            if to == old {
                continue;
            }
            let from = name.sibling(old.clone());
            let noun = noun_of(whole, self.kept, &from);
            let sql = |from: &QName, to: &Name| format!("ALTER {noun} {from} RENAME TO {to}");
            let step = Step::new(sql(&from, &to))
                .locks(&from, if noun == "INDEX" { Lock::ShareUpdateExclusive } else { Lock::AccessExclusive })
                .stage(Stage::Contract)
                .summary(format!("{old} becomes {to}: there is something of its name in {}", self.place));
            steps.push(self.planned(step, whole, vec![], &sql(&name.sibling(to.clone()), &old)));
            if from == *name {
                now = name.sibling(to);
            }
        }
        let at = QName { namespace: self.place.clone(), name: now.name.clone() };
        let id = ObjectId {
            path: [&[now.namespace.clone(), now.name.clone()], &whole.path[2..]].concat().into(),
            ..whole.clone()
        };
        let there = ObjectId {
            path: [&[at.namespace.clone(), at.name.clone()], &whole.path[2..]].concat().into(),
            ..whole.clone()
        };
        let (Some(forth), Some(back)) = (move_sql(&id, self.place), move_sql(&there, &name.namespace)) else {
            return (steps, at);
        };
        let parts = self.kept.objects.keys().filter(|id| self.kept.whole_of(id) == *whole);
        let parts = parts.map(|id| (id.clone(), Half::Drop)).collect();
        let mut step = Step::new(forth).stage(Stage::Contract);
        match table::find(self.kept, name) {
            Some(it) if whole.kind == Kind::Table => {
                let replaced = BTreeSet::new();
                let sides = Sides {
                    old: self.kept,
                    new: self.kept,
                    facts: self.facts,
                    replaced: &replaced,
                    families: &Families::default(),
                };
                let locked = it.sequences(self.kept).into_iter().chain([now.clone()]);
                step = locked.fold(step, |step, it| step.locks(&it, Lock::AccessExclusive));
                let why = format!("{}, and is {at} from this step on", table::evidence(&sides, name));
                step = step.summary(format!("{name} and its rows go to the quarantine, as {at}")).hazard(
                    Code::QuarantineTable,
                    whole.clone(),
                    why,
                );
            }
            _ if whole.kind == Kind::Sequence => step = step.locks(&now, Lock::AccessExclusive),
            _ => {}
        }
        if step.summary.is_none() {
            step = step.summary(format!("{whole} goes along to the quarantine"));
        }
        steps.push(self.planned(step, whole, parts, &back));
        (steps, at)
    }

    fn planned(&self, step: Step, subject: &ObjectId, does: Vec<(ObjectId, Half)>, back: &str) -> Planned {
        let undo = vec![Undo::inside(back.to_owned())];
        Planned { step, subject: subject.clone(), does, transaction: Some(1), undo, renames_to: None }
    }

    /// The name itself, or the first one made from it that nothing has, here or there.
    fn free(&self, space: &'static str, old: &Name, of: &QName) -> Name {
        let claimed = |schema: &Schema, namespace: &Name, name: &Name| {
            schema.objects.values().any(|object| {
                object.claims().iter().any(|it| is_name(it) && it.1[..] == [namespace.clone(), name.clone()])
            })
        };
        let there = |name: &Name| {
            let taken = |space| self.taken.contains(&(space, name.clone()));
            taken(space) || taken("type") || claimed(self.live, self.place, name)
        };
        if !there(old) {
            return old.clone();
        }
        let here = |name: &Name| claimed(self.live, &of.namespace, name) || claimed(self.kept, &of.namespace, name);
        let numbered = (2..).map(|number: u32| derived(&[old.as_str(), &number.to_string()], |_| true));
        numbered.into_iter().find(|name| !there(name) && !here(name)).expect("some number is free")
    }
}

/// Whether a claim is that of a name within a namespace.
fn is_name(claim: &Claim) -> bool {
    matches!(claim.0, "relation" | "type") && claim.1.len() == 2
}

fn claims(whole: &ObjectId, schema: &Schema) -> Vec<Claim> {
    let parts = schema.objects.iter().filter(|(id, _)| schema.whole_of(id) == *whole);
    parts.flat_map(|(_, object)| object.claims()).filter(is_name).collect()
}

/// The names that move with a whole, the relations among them first; its own comes last.
fn names(whole: &ObjectId, schema: &Schema) -> Vec<(&'static str, Name)> {
    let of_name = |claim: Claim| Some((claim.0, <[Name; 2]>::try_from(claim.1).ok()?));
    let own = whole.path.get(1);
    let mut names: Vec<(&'static str, Name)> = vec![];
    for (space, [_, name]) in claims(whole, schema).into_iter().filter_map(of_name) {
        if !names.iter().any(|(_, it)| *it == name) {
            names.push((space, name));
        }
    }
    names.sort_by_key(|(_, name)| (Some(name) == own, name.clone()));
    names
}

/// What ALTER calls a name that moves with a whole.
fn noun_of(whole: &ObjectId, schema: &Schema, name: &QName) -> &'static str {
    let is = |kind: Kind| schema.contains(&ObjectId::new(kind, [&name.namespace, &name.name]));
    match whole.kind {
        Kind::Table if *name == name_of(whole) => "TABLE",
        Kind::Table => {
            let sequences = table::find(schema, &name_of(whole)).map(|it| it.sequences(schema)).unwrap_or_default();
            if sequences.contains(name) || is(Kind::Sequence) { "SEQUENCE" } else { "INDEX" }
        }
        Kind::Sequence => "SEQUENCE",
        Kind::Domain => "DOMAIN",
        _ => "TYPE",
    }
}

/// The statement that takes a whole to a namespace; none for what stays where it is.
fn move_sql(whole: &ObjectId, to: &Name) -> Option<String> {
    match whole.kind {
        Kind::Table
        | Kind::Sequence
        | Kind::EnumType
        | Kind::RangeType
        | Kind::Composite
        | Kind::Domain
        | Kind::Routine => Some(format!("ALTER {} SET SCHEMA {to}", whole.reference())),
        _ => None,
    }
}

fn name_of(id: &ObjectId) -> QName {
    QName { namespace: id.path[0].clone(), name: id.path[1].clone() }
}
