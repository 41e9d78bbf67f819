//! Proves a plan before a person reads it: runs it on a shadow copy of the part of the live schema that it touches,
//! with rows in it, and observes. What could not be proved is said.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use crate::diff::{Change, diff};
use crate::elaborate::{self, ElaborateError};
use crate::introspect::{IntrospectError, introspect, server_message};
use crate::kind::column::Column;
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName, list};
use crate::plan::access::Matrix;
use crate::plan::file::Proof;
use crate::plan::{self, Half, Planned};
use crate::plan::{seed, split};
use crate::queries::Query;
use crate::render;
use crate::schema::{Facts, Schema};
use crate::scope::Scope;
use crate::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowError};
use crate::source::Seed;
use crate::source::uses::{What, uses};

pub mod access;
pub mod back;
mod fight;
pub mod observe;
pub mod outlook;
pub mod rows;
pub mod statistics;
pub mod trial;
mod unlike;
pub mod values;
pub(crate) mod watch;

use access::{ANYBODY, Access, Identities, Watch};
use back::{Back, Found};
use fight::Fighting;
use observe::{Observed, StepFailed};
use trial::{Fate, Trials};

/// Why a plan is not written.
#[derive(Debug, Error, Diagnostic)]
pub enum ProofError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Elaborate(#[from] ElaborateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Step(#[from] StepFailed),
    #[error("the proof's session failed: {}", server_message(.0))]
    #[diagnostic(code(proof::session))]
    Session(#[from] tokio_postgres::Error),
    #[error("the plan does not lead to the declared schema:\n{}", .0.join("\n"))]
    #[diagnostic(code(proof::differs), help("please report this; the plan is not written"))]
    Differs(Vec<String>),
    #[error("the plan does more than it declares:\n{}", .0.join("\n"))]
    #[diagnostic(code(proof::undeclared), help("please report this; the plan is not written"))]
    Undeclared(Vec<String>),
    #[error("{}", .0.join("\n"))]
    #[diagnostic(
        code(proof::fights),
        help("let the trigger pass what is written to the column, or disable it while the plan runs")
    )]
    Fights(Vec<String>),
    #[error("rows did not survive on the shadow: {}", .0.join(", "))]
    #[diagnostic(code(proof::rows), help("please report this; the plan is not written"))]
    Rows(Vec<String>),
}

/// What a plan is proved against. Both schemas are the managed parts.
pub struct Subject<'a> {
    pub current: &'a Schema,
    pub desired: &'a Schema,
    /// What stands outside the scope and may be referred to.
    pub surroundings: &'a Schema,
    pub scope: &'a Scope,
    pub facts: &'a Facts,
    pub plan: &'a [Planned],
    /// What rows are filled by. It may call what nothing else in the plan needs.
    pub expressions: &'a [String],
    /// Rows that the plan may add.
    pub seeds: &'a [Seed],
    /// Tables that the plan moves out of the scope, and where to.
    pub moved: &'a BTreeMap<QName, QName>,
    /// Statements of applications that are tried along the way.
    pub queries: &'a [Query],
    pub access: Access<'a>,
    /// What stands in on the shadow for extensions that it lacks.
    pub stand_in: Option<&'static str>,
    /// The steps before which the state is to be known: each begins a transaction.
    pub borders: &'a [usize],
}

/// A proof that came out well, and what each step was seen to do.
pub struct Proved {
    pub proof: Proof,
    pub observed: Vec<Observed>,
    /// How each of the queries fared.
    pub fates: Vec<Fate>,
    /// Who may do something that it might not before, or no longer.
    pub access: Vec<(ObjectId, plan::access::Change)>,
    /// The managed schema at each border.
    pub states: Vec<Schema>,
    /// Whether the undos of the steps up to the first border lead back, then those up to the second, and so on to the
    /// end: as far as a rollback goes, which is not over what has no way back.
    pub returns: Vec<bool>,
}

/// Runs the plan on a copy, then its undos, as far as a rollback would go.
///
/// Errors: the first thing that is not as the plan says; then no plan may be written. Undos that do not lead back are
/// told in the plan.
pub async fn prove(shadow: &Shadow, subject: &Subject<'_>) -> Result<Proved, ProofError> {
    match prove_with(shadow, subject, true).await {
        Err(ProofError::Step(failed)) if is_of_rows(&failed) => {
            let mut proved = prove_with(shadow, subject, false).await?;
            let said = server_message(&failed.source);
            let step = step_named(subject.plan, failed.place);
            proved.proof.unproved.push(format!("proved without rows: those made for it break {step}: {said}"));
            Ok(proved)
        }
        result => result,
    }
}

/// Classes 22 and 23: rows that were made up do not fit, or break what the plan adds. That says nothing of the live
/// side's.
fn is_of_rows(failed: &StepFailed) -> bool {
    failed.source.code().is_some_and(|it| matches!(&it.code()[..2], "22" | "23"))
}

/// A trigger that keeps a step from its work.
fn fought(plan: &[Planned], place: usize, by: &Fighting) -> String {
    format!("trigger {} keeps {} from its work", by.named(), step_named(plan, place))
}

/// A step by its place and by what it does: where no plan is written, the place alone says nothing.
fn step_named(plan: &[Planned], place: usize) -> String {
    format!("step {} ({})", place + 1, render::summary(&plan[place]))
}

async fn prove_with(shadow: &Shadow, subject: &Subject<'_>, rows: bool) -> Result<Proved, ProofError> {
    let mut part = affected(subject);
    // What the declaration starts from stands on both sides of the scope.
    part.extend(subject.surroundings.objects.keys().filter(|id| subject.current.contains(id)).cloned());
    let start = subject.current.filtered(|id| part.contains(id));
    let mut described = subject.surroundings.clone();
    described.objects.extend(start.objects.clone());
    for (id, needs) in &subject.current.needs {
        if part.contains(id) {
            described.needs.insert(id.clone(), needs.clone());
        }
    }
    let copy = elaborate::copy(shadow, "proof", &described).await?;
    let mut unproved: Vec<String> =
        copy.missing.iter().map(|(id, why)| format!("{id} could not be made on the shadow: {why}")).collect();
    let copied = subject.scope.split(&copy.reading.schema).0;
    let unlike: BTreeSet<ObjectId> = diff(&copied, &start)
        .into_iter()
        .filter(|(id, change)| *change != Change::Drop || subject.current.contains(id))
        .map(|(id, _)| id)
        .collect();
    unproved.extend(unlike.iter().map(|id| format!("{id} is not the same on the shadow as on the live side")));

    let creator = &subject.current.creator.0;
    let session = copy.database.connect_as(creator).await?;
    if let Some(stand_in) = subject.stand_in {
        copy.database.connect().await?.client.batch_execute(stand_in).await?;
    }
    let filled = if rows {
        rows::fill(&session, &copied, &under_old_names(subject.desired, subject.plan), subject.plan, subject.facts)
            .await?
    } else {
        Default::default()
    };
    drop(session);
    let mut legs = back::legs(subject.plan, subject.borders);
    let last = legs.pop_if(|leg| leg.last().is_some_and(|it| it.end == subject.plan.len())).unwrap_or_default();
    let mut back = Back {
        plan: subject.plan,
        scope: subject.scope,
        ends: [&copied, subject.desired],
        found: Found::default(),
    };
    let apart = if legs.is_empty() { None } else { Some(shadow.clone_database(&copy.database, "back").await?) };
    let (runner, watcher) = (copy.database.connect_as(creator).await?, copy.database.connect().await?);
    // Declared rows may come: the others are to be what they were.
    let declared = seed::conditions(subject.seeds, [&copied, subject.desired]);
    let mut before = rows::digest(&runner, &copied, subject.desired, &declared).await?;
    before.extend(rows::whole(&runner, subject.moved.keys().map(|it| (it, it))).await?);
    let mut touched = rows::changed_by_triggers(subject.current, subject.plan);
    touched.retain(|table, _| before.contains_key(table));
    let counted = rows::counts(&runner, touched.keys()).await?;
    let fills = subject.plan.iter().any(|it| it.step.fill().is_some());
    let all: Vec<&QName> = if fills { before.keys().collect() } else { vec![] };
    let held: BTreeMap<QName, i64> =
        all.iter().copied().cloned().zip(rows::counts(&runner, all.iter().copied()).await?).collect();
    let seen = Seen::begin(shadow, &copy.database, subject, &copied).await?;
    let mut trials = Trials::begin(copy.database.connect().await?, subject.queries).await?;
    let marked: BTreeSet<usize> = last.iter().map(|it| it.start).chain(subject.borders.iter().copied()).collect();
    let mut read: Vec<(usize, Result<Schema, IntrospectError>)> = vec![];
    let mut fights = vec![];
    let mut from = 0;
    let ran = loop {
        let ran = observe::run_with(&runner, &watcher, &subject.plan[from..], async |place| {
            let place = from + place;
            let step = &subject.plan[place].step;
            let off = fight::fighting(&watcher, step, false).await?;
            if let (false, Some(fill)) = (off.is_empty(), step.fill()) {
                fights.extend(off.iter().map(|it| fought(subject.plan, place, it)));
                fight::switch_off(&watcher, &off).await?;
                watcher.client.batch_execute(&fill.whole()).await?;
            }
            if marked.contains(&(place + 1)) {
                let reading = introspect(&watcher.client, false).await;
                read.push((place + 1, reading.map(|it| subject.scope.split(&it.schema).0)));
            }
            trials.after(place).await
        })
        .await;
        let Err(failed) = ran else { break ran };
        let failed = StepFailed { place: from + failed.place, ..failed };
        let mut off = vec![];
        if !is_of_rows(&failed) {
            runner.client.batch_execute("ROLLBACK").await?;
            off = fight::fighting(&watcher, &subject.plan[failed.place].step, true).await?;
        }
        if off.is_empty() {
            break Err(failed);
        }
        // What is left of the plan is run without them, for the sake of the next.
        fights.extend(off.iter().map(|it| fought(subject.plan, failed.place, it)));
        fight::switch_off(&watcher, &off).await?;
        from = failed.place;
    };
    // Whatever failed later may have failed for that.
    if !fights.is_empty() {
        return Err(ProofError::Fights(fights));
    }
    let observed = ran?;
    let read = read.into_iter().map(|(place, it)| Ok((place, it?)));
    let mut states = read.collect::<Result<BTreeMap<usize, Schema>, IntrospectError>>()?;
    states.insert(0, copied.clone());
    let fates = trials.fates();
    let undeclared: Vec<String> = subject
        .plan
        .iter()
        .zip(&observed)
        .enumerate()
        .flat_map(|(place, (step, seen))| {
            let faults = observe::undeclared(step, seen);
            faults.into_iter().map(move |fault| format!("{}: {fault}", step_named(subject.plan, place)))
        })
        .collect();
    if !undeclared.is_empty() {
        return Err(ProofError::Undeclared(undeclared));
    }
    let reached = subject.scope.split(&introspect(&runner.client, false).await?.schema).0;
    let expected = subject.desired.filtered(|id| part.contains(id) || !subject.current.contains(id));
    let left = unlike::unlike(&reached, &expected, &unlike, "wanted");
    if !left.is_empty() {
        return Err(ProofError::Differs(left.into_iter().map(|(id, how)| format!("{id} {how}")).collect()));
    }
    let mut after = rows::digest(&runner, &copied, subject.desired, &declared).await?;
    after.extend(rows::whole(&runner, subject.moved).await?);
    // What somebody's own trigger makes of a row that is written is theirs: of such rows none may go.
    if counted == rows::counts(&runner, touched.keys()).await? {
        for (table, triggers) in touched.iter().filter(|(table, _)| after.get(*table) != before.get(*table)) {
            let triggers = list(triggers);
            unproved.push(format!("rows of {table} change as they are filled, by its own triggers: {triggers}"));
        }
        before.retain(|table, _| !touched.contains_key(table));
    }
    // What triggers write for each row that is filled, they write elsewhere: of what stands there, none may go.
    let written = observe::written_by_triggers(subject.plan, &observed);
    let written: Vec<&QName> =
        written.iter().filter(|it| held.contains_key(*it) && after.get(*it) != before.get(*it)).collect();
    for (table, rows) in written.iter().zip(rows::counts(&runner, written.iter().copied()).await?) {
        if held.get(*table).is_some_and(|held| *held <= rows) {
            unproved.push(format!("rows of {table} are written, by triggers of tables that are filled"));
            before.remove(*table);
        }
    }
    let lost: Vec<String> =
        before.iter().filter(|(table, rows)| after.get(*table) != Some(*rows)).map(|it| it.0.to_string()).collect();
    if !lost.is_empty() {
        return Err(ProofError::Rows(lost));
    }
    let (access, said) = seen.end(&copy.database, subject, &reached).await?;
    unproved.extend(said);
    back.over(&runner, &last, &states).await?;
    if let Some(apart) = apart {
        let (runner, watcher) = (apart.connect_as(creator).await?, apart.connect().await?);
        back.on_the_way([&runner, &watcher], &legs).await?;
        drop((runner, watcher));
        shadow.drop_database(apart).await?;
    }
    let Found { said, astray } = back.found;
    unproved.extend(said);
    let ends = subject.borders.iter().copied().chain([subject.plan.len()]);
    let starts = [0].into_iter().chain(subject.borders.iter().copied());
    let returns: Vec<bool> =
        starts.zip(ends).map(|(start, end)| astray.range(start..end).next().is_none()).collect();
    let at_borders = subject.borders.iter().map(|it| &states[it]);
    let states = at_borders.map(|it| split::laid_over(subject.current, &copied, it)).collect();
    drop((runner, watcher));
    shadow.drop_database(copy.database).await?;
    unproved.sort();
    Ok(Proved {
        proof: Proof {
            server: shadow.version().major().to_string(),
            converges: true,
            undo_returns: returns.iter().all(|it| *it),
            rows_survive: true,
            filled: filled.filled.iter().map(|(table, rows)| (table.to_string(), *rows)).collect(),
            unfilled: filled.unfilled.iter().map(|(table, why)| (table.to_string(), why.clone())).collect(),
            unproved,
            access: access.iter().map(|it| it.1.clone()).collect(),
        },
        observed,
        fates,
        access,
        states,
        returns,
    })
}

/// The declared schema with the columns and checks of renamed tables under their old names, too: what rows have to satisfy
/// that are made before.
fn under_old_names<'a>(desired: &'a Schema, plan: &[Planned]) -> Cow<'a, Schema> {
    let mut schema = Cow::Borrowed(desired);
    for (step, to) in plan.iter().filter_map(|it| Some((it, it.renames_to.as_ref()?))) {
        let (Kind::Table, [namespace, name]) = (step.subject.kind, &step.subject.path[..]) else { continue };
        let old = QName::new(namespace.clone(), name.clone());
        let new = old.sibling(to.clone());
        if desired.contains(&step.subject) {
            continue;
        }
        let columns = desired.of_relation(Kind::Column, &new).filter_map(|it| match it {
            Object::Column(it) => {
                Some(Object::Column(Arc::new(Column { table: old.clone(), ..Column::clone(it) })))
            }
            _ => None,
        });
        let checks = desired.of_relation(Kind::Constraint, &new).filter_map(|it| match it {
            Object::Constraint(it) if matches!(it.rule, Rule::Check(_)) => {
                Some(Object::Constraint(Arc::new(Constraint { table: old.clone(), ..Constraint::clone(it) })))
            }
            _ => None,
        });
        schema.to_mut().objects.extend(columns.chain(checks).map(|it| (it.id(), it)));
    }
    schema
}

/// Who may do what, as it was before the first step.
struct Seen<'a> {
    watch: Option<Watch<'a>>,
    before: Result<Matrix, String>,
    objects: BTreeSet<ObjectId>,
    identities: Identities,
}

impl<'a> Seen<'a> {
    async fn begin(
        shadow: &Shadow,
        database: &ShadowDatabase,
        subject: &'a Subject<'_>,
        copied: &Schema,
    ) -> Result<Seen<'a>, ProofError> {
        let watch = Watch::of(&subject.access, subject.scope, subject.plan);
        let mut seen =
            Seen { watch, before: Ok(Matrix::new()), objects: BTreeSet::new(), identities: Identities::new() };
        if let Some(watch) = &mut seen.watch {
            shadow.ensure_role(&RoleSpec::named(ANYBODY)).await?;
            seen.objects = watch.present(copied);
            let session = database.connect().await?;
            let tried = watch.tried(&session, copied, subject.access.old).await;
            seen.before = tried.map_err(|error| server_message(&error));
            seen.identities = Watch::identities(&session).await?;
        }
        Ok(seen)
    }

    /// What changed, and what could not be tried.
    async fn end(
        self,
        database: &ShadowDatabase,
        subject: &Subject<'_>,
        reached: &Schema,
    ) -> Result<(Vec<(ObjectId, plan::access::Change)>, Vec<String>), ProofError> {
        let Some(mut watch) = self.watch else { return Ok((vec![], vec![])) };
        let session = database.connect().await?;
        let was = watch.follow(&self.identities, &Watch::identities(&session).await?);
        let after = watch.tried(&session, reached, subject.access.new).await;
        let after = after.map_err(|error| server_message(&error));
        let mut said = watch.notes.clone();
        match (self.before, after) {
            (Ok(before), Ok(after)) => {
                let new = watch.present(reached);
                Ok((plan::access::changes(&before, &after, &self.objects, &new, &was), said))
            }
            (Err(why), _) | (_, Err(why)) => {
                said.push(format!("who may do what was not tried: {why}"));
                Ok((vec![], said))
            }
        }
    }
}

/// The part of the current schema that the plan can notice: what it touches, all that depends on that, and all that
/// these need, as wholes with all their parts.
fn affected(subject: &Subject<'_>) -> BTreeSet<ObjectId> {
    let current = subject.current;
    let whole: BTreeMap<&ObjectId, ObjectId> =
        current.objects.keys().map(|id| (id, current.whole_of(id))).collect();
    let mut parts: BTreeMap<&ObjectId, Vec<&ObjectId>> = BTreeMap::new();
    for (id, of) in &whole {
        parts.entry(of).or_default().push(id);
    }
    let dependents = current.dependents();
    let mut up: BTreeSet<ObjectId> = BTreeSet::new();
    let touched = subject.plan.iter().flat_map(|it| it.does.iter().map(|(id, _)| id).chain([&it.subject]));
    let read = subject.queries.iter().flat_map(|it| &it.relations).flat_map(|parts| named(current, parts));
    for id in touched.chain(read) {
        up.extend(whole.get(id).cloned());
        for need in subject.desired.needs_of(id) {
            up.extend(whole.get(need).cloned());
        }
    }
    // What is made gets the rights that new objects get there.
    let made = subject.plan.iter().flat_map(|it| &it.does).filter(|(_, half)| *half == Half::Create);
    let made: BTreeSet<Name> = made.filter_map(|(id, _)| subject.desired.get(id)?.namespace()).collect();
    let given =
        current.of_kind(Kind::DefaultPrivileges).filter(|it| it.namespace().is_none_or(|it| made.contains(&it)));
    up.extend(given.map(Object::id).filter(|_| !made.is_empty()));
    let everything = |of: &ObjectId| parts.get(of).cloned().unwrap_or_default();
    grow(&mut up, |of| {
        // A namespace that is granted to or commented on brings nothing with it.
        if of.path.len() < 2 {
            return vec![];
        }
        let dependents = everything(of).into_iter().flat_map(|id| dependents.get(id).into_iter().flatten());
        dependents.filter_map(|id| whole.get(*id).cloned()).collect()
    });
    let called = used(current, subject.expressions);
    // The function of a trigger runs with the plan, as does one that gives rows their values, and the text of its body is
    // all that tells what it needs.
    let runs = |id: &ObjectId| {
        let mut users = dependents.get(id).into_iter().flatten();
        id.kind == Kind::Routine && (called.contains(id) || users.any(|it| it.kind == Kind::Trigger))
    };
    let mut down = up;
    down.extend(called.iter().filter_map(|id| whole.get(id).cloned()));
    grow(&mut down, |of| {
        let needs = everything(of).into_iter().flat_map(|id| {
            let wishes = if runs(id) { current.wishes_of(id) } else { BTreeSet::new() };
            current.needs_of(id).chain(wishes)
        });
        needs.filter_map(|id| whole.get(id).cloned()).collect()
    });
    down.iter().flat_map(everything).cloned().collect()
}

/// What expressions call and read by name, and the sequences that they draw from.
fn used(schema: &Schema, expressions: &[String]) -> BTreeSet<ObjectId> {
    let mut found = BTreeSet::new();
    for expression in expressions {
        for it in uses(&format!("SELECT {expression}"), &BTreeSet::new()) {
            match it.what {
                What::Relation(parts) => found.extend(named(schema, &parts).cloned()),
                What::Routine(parts) => {
                    let routines = schema.objects.keys().filter(|it| it.kind == Kind::Routine);
                    found.extend(routines.filter(|it| ends_with(&it.path[..2], &parts)).cloned());
                }
                What::Column { .. } => {}
            }
        }
        let is_drawn_from = |id: &&ObjectId| match (id.kind, &id.path[..]) {
            (Kind::Sequence, [namespace, name]) => expression.contains(&format!("'{namespace}.{name}'")),
            _ => false,
        };
        found.extend(schema.objects.keys().filter(is_drawn_from).cloned());
    }
    found
}

/// The relations that a statement may mean by a name; without a namespace, those of any.
fn named<'a>(schema: &'a Schema, parts: &'a [String]) -> impl Iterator<Item = &'a ObjectId> {
    let is_relation = |id: &&ObjectId| matches!(id.kind, Kind::Table | Kind::View | Kind::MaterializedView);
    schema.objects.keys().filter(is_relation).filter(|it| it.path.len() == 2 && ends_with(&it.path, parts))
}

/// Whether a path may be what is written so.
fn ends_with(path: &[Name], parts: &[String]) -> bool {
    path.iter().rev().zip(parts.iter().rev()).all(|(a, b)| a.as_str() == b)
}

/// Adds what each member leads to, until nothing new is found.
fn grow(set: &mut BTreeSet<ObjectId>, leads_to: impl Fn(&ObjectId) -> Vec<ObjectId>) {
    let mut open: Vec<ObjectId> = set.iter().cloned().collect();
    while let Some(next) = open.pop() {
        for found in leads_to(&next) {
            if set.insert(found.clone()) {
                open.push(found);
            }
        }
    }
}
