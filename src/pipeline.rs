//! The way to a plan, from files and a live database to a proven plan file. Everything that a command needs besides
//! its own arguments comes through here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::{Config, PlanSettings};
use crate::connect::Target;
use crate::diagnostic::{Exit, Report};
use crate::elaborate;
use crate::kind::{Kind, ObjectId, foreign_partition};
use crate::name::QName;
use crate::passage::quarantine::{Quarantine, tell};
use crate::passage::{self, Ground, Passage, PassageError, Workbench};
use crate::plan::ahead::ahead;
use crate::plan::derive::{self, Derived};
use crate::plan::file::PlanFile;
use crate::plan::gate;
use crate::plan::relocate::{self, Move};
use crate::plan::rename::{self, Pending};
use crate::plan::seed;
use crate::plan::split;
use crate::plan::twin::{self, Twin};
use crate::plan::{self, Planned, in_turn};
use crate::plan::{callers_path, feed};
use crate::platform::api;
use crate::proof::access::Access;
use crate::proof::{self, Subject};
use crate::schema::{Facts, Schema};
use crate::scope::Scope;
use crate::shadow::ShadowSpec;
use crate::source::Declaration;
use crate::tenancy::citus;

mod acceptance;
mod distribution;
mod homes;
pub mod lint;
mod loosening;
mod outlook;
pub mod proving;
mod quarantine;
mod said;
mod sides;
pub mod tenancy;
mod unmanaged;
mod written;

pub use sides::{Both, both_sides, expanded, read_declaration, read_queries};
pub use written::{file_steps, unaccepted};

use said::{fates, idly, impossible, in_the_way, in_the_way_of, questions, refused, retired};
use sides::{live_side, session_failed};
use written::write;

/// Why a command ends without what it was asked for.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub reports: Vec<Report>,
}

impl Failure {
    pub fn new(exit: Exit, reports: Vec<Report>) -> Self {
        Failure { exit, reports }
    }

    /// A failure from an error that describes itself.
    pub fn from_error(error: &dyn miette::Diagnostic) -> Self {
        let code = error.code().map(|code| code.to_string()).unwrap_or_else(|| "failed".into());
        let mut report = Report::error(leak(code), error.to_string());
        report.help = error.help().map(|help| help.to_string());
        Failure::new(Exit::Failed, vec![report])
    }
}

/// Codes of errors are few and live as long as the process.
fn leak(code: String) -> &'static str {
    Box::leak(code.into_boxed_str())
}

impl<E: miette::Diagnostic> std::convert::From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::from_error(&error)
    }
}

/// Where the live side is.
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
#[derive(Debug, Clone)]
pub enum Live {
    Database(Target),
    /// A file that is loaded into the shadow and stands for the live side.
    Legacy(PathBuf),
    /// An empty database: where only the declared side is asked for.
    Nothing,
}

/// What `plan` is asked for.
pub struct Request {
    pub live: Live,
    pub shadow: ShadowSpec,
    pub config: Config,
    pub name: String,
    /// `CODE`, `CODE:object` or `all`.
    pub accept: Vec<String>,
    /// Whether look-alikes of renames are questions.
    pub renames: bool,
    /// Whether each stage gets a plan of its own.
    pub split: bool,
}

/// A plan with what is told about it.
pub struct Made {
    pub file: PlanFile,
    /// The same as several, where it was asked for.
    pub parts: Vec<PlanFile>,
    pub notes: Vec<Report>,
}

/// Makes a plan and proves it.
///
/// Errors: all that is wrong with the declaration, what can't be changed as declared, hazards that look like undeclared
/// renames, and a proof that fails. Nothing is written then.
pub async fn plan(request: &Request) -> Result<Made, Failure> {
    let mut both = both_sides(request).await?;
    let (said, found) = tenancy::for_plan(request, &both).await?;
    both.notes.extend(said);
    both.live.facts.idle = request.config.plan.idle.tables(&both.current);
    both.live.facts.open_publications = request.config.open_publications();
    let idly = idly(&request.config.plan, &both);
    let Renamed { renames, twins, start, mut desired } = renamed(&both, request.config.plan.keep_old_names).await?;
    let derived = derive::pending(&both.declaration.derived, &start, &desired);
    let moved = relocate::pending(&both.declaration.moves, &start, &desired, &both.live.facts)
        .map_err(|errors| refused(&errors, &both.declaration, &both.desired))?;
    if request.renames {
        let mut suspects = rename::suspects(&start, &desired);
        suspects.retain(|it| !is_derived(&it.old, &derived, &moved));
        if !suspects.is_empty() {
            return Err(questions(&suspects, &both));
        }
    }
    let mut facts = moved_facts(&both.live.facts, &renames);
    for backfill in &both.declaration.backfills {
        let column = twin::until_contract(&twins, &backfill.table, &backfill.column);
        facts.backfills.insert((backfill.table.clone(), column.clone()), backfill.expression.clone());
    }
    for (table, it) in &derived {
        facts.backfills.extend(it.backfills(table));
    }
    for it in &moved {
        facts.backfills.extend(it.backfills(&start));
    }
    let stops = in_the_way_of(&start, &desired, &facts, &both.live);
    if !stops.is_empty() {
        return Err(Failure::new(Exit::Failed, stops));
    }
    let expressions: Vec<String> = facts.backfills.values().cloned().collect();
    tried(&both, &moved, &start, &desired).await?;
    (facts.derived, facts.moved) = (derived, moved);
    let known = start.clone();
    let Passage { steps: first, schema: mut start, facts } = passage(&both, start, &desired, facts).await?;
    both.scope.keep_unmanaged(&both.live.schema, &mut start, &mut desired);
    Scope::lend(&both.surroundings, &mut start, &mut desired);
    let Quarantine { start, kept, steps: moves, moved, dropped } =
        quarantine::quarantined(request, &both, start, &desired, &facts).await?;
    let mut steps =
        plan::make(&start, &kept, &facts).map_err(|errors| refused(&errors, &both.declaration, &both.desired))?;
    if request.config.quarantine().is_some() {
        tell(&dropped, &mut steps);
    }
    let steps = seed::plant(steps, &both.declaration.seeds, &both.desired, &both.missing_seeds);
    let steps = derive::around(steps, &start, &kept, &facts);
    let steps = relocate::around(steps, &start, &kept, &facts);
    let steps = in_turn(ahead(in_turn(renames, first), steps, [&start, &kept]), moves);
    let tenancies = match &request.config.tenancy {
        Some(_) => tenancy::tenancies(&request.config, &both.declared, Some(&both.declaration))?,
        None => vec![],
    };
    let steps = api::with_reload(twin::around(steps, &twins), &request.config.api());
    let (mut steps, said) = distribution::distributed(steps, request, &both, &tenancies).await?;
    both.notes.extend(said);
    callers_path::around(&mut steps, &both.current);
    feed::mark(&mut steps, [&both.current, &both.desired]);
    let in_the_way = in_the_way(&steps, &both);
    if !in_the_way.is_empty() {
        return Err(Failure::new(Exit::Failed, in_the_way));
    }
    accept(&mut steps, &request.accept, &request.config.plan, &both.declaration);
    let required: Vec<Report> = impossible(&steps, &both);
    if !required.is_empty() {
        return Err(Failure::new(Exit::Hazard, required));
    }
    let queries = read_queries(&request.config)?;
    let pieces = if request.split { split::pieces(&steps) } else { vec![] };
    let borders: Vec<usize> = pieces.iter().skip(1).map(|it| it.steps.start).collect();
    let mut proved = if steps.is_empty() {
        proof::Proved::nothing(&both.shadow)
    } else {
        let subject = Subject {
            current: &both.current,
            desired: &both.desired,
            surroundings: &both.surroundings,
            scope: &both.scope,
            facts: &both.live.facts,
            plan: &steps,
            expressions: &expressions,
            seeds: &both.declaration.seeds,
            moved: &moved,
            queries: &queries,
            access: Access {
                old: &both.live.schema,
                new: &both.declared,
                roles: &both.live.roles,
                tenancies: &tenancies,
            },
            stand_in: tenancies.iter().any(|it| it.distributed).then_some(citus::STAND_IN),
            borders: &borders,
        };
        elaborate::roles(&both.shadow, &both.live.roles, &both.live.schema.creator.0).await?;
        let (live, declared) = (&both.live.schema.unmanaged, &both.declared.unmanaged);
        proof::prove(&both.shadow, &subject).await.map_err(|error| unmanaged::explain(&error, live, declared))?
    };
    if !steps.is_empty() {
        let found = outlook::outlook(request, &both, &tenancies, &queries).await?;
        both.notes.extend(found);
    }
    let retired = retired(&queries, &proved.fates, &mut steps);
    let anonymous = request.config.api().roles.into_iter().next();
    loosening::mark(&mut steps, &proved.access, &both.declared, &tenancies, anonymous.as_deref());
    accept(&mut steps, &request.accept, &request.config.plan, &both.declaration);
    let gates = gate::gates(&steps, &known, &both.desired, &retired);
    let told = fates(&queries, &proved.fates, &steps);
    let opened: Vec<Option<usize>> =
        proved.access.iter().map(|(object, _)| loosening::opened_by(&steps, object, &both.declared)).collect();
    let (between, returns) = (std::mem::take(&mut proved.states), std::mem::take(&mut proved.returns));
    let file = PlanFile { gates, ..write(request, &both, &facts, &steps, proved) };
    let file = PlanFile { id: file.meaning(), ..file };
    let notes =
        both.declaration.notes.into_iter().chain(both.warnings).chain(found).chain(told).chain(idly).collect();
    let states: Vec<&Schema> = [&both.current].into_iter().chain(&between).chain([&both.desired]).collect();
    let parts = if pieces.is_empty() { vec![] } else { split::split(&file, &pieces, &states, &returns, &opened) };
    Ok(Made { file, parts, notes })
}

/// Has the shadow look at the expressions of moves: what it does not take is told before anything is planned.
async fn tried(both: &Both, moved: &[Move], start: &Schema, desired: &Schema) -> Result<(), Failure> {
    if moved.is_empty() {
        return Ok(());
    }
    elaborate::roles(&both.shadow, &both.live.roles, &both.live.schema.creator.0).await?;
    match passage::tried(both.ground(), moved, start, desired).await? {
        errors if errors.is_empty() => Ok(()),
        errors => Err(refused(&errors, &both.declaration, &both.desired)),
    }
}

/// Whether a column goes because others take its place.
fn is_derived(id: &ObjectId, derived: &BTreeMap<QName, Derived>, moved: &[Move]) -> bool {
    let (Kind::Column, [namespace, table, column]) = (id.kind, &id.path[..]) else { return false };
    let table = QName { namespace: namespace.clone(), name: table.clone() };
    derived.get(&table).is_some_and(|it| it.becomes.contains_key(column))
        || moved.iter().any(|it| it.is_of(&table, column))
}

/// Both sides once the declared renames are out of the way.
struct Renamed {
    /// What is renamed before anything else.
    renames: Vec<Planned>,
    /// The columns that keep their old name until `contract`.
    twins: Vec<Twin>,
    start: Schema,
    desired: Schema,
}

/// The live schema with its declared renames done, and the declared one with those undone that come last: as PostgreSQL
/// does them, on copies.
async fn renamed(both: &Both, both_names: bool) -> Result<Renamed, Failure> {
    // A view that stands for an old name, and a column that has two, are granted to whom the table is.
    let current = both.scope.with_live_rights(&both.current, &both.live.schema);
    let Pending { steps: renames, twins } =
        rename::pending(&both.declaration.renames, &current, &both.desired, &both.live.facts, both_names);
    let (mut start, mut desired) = (both.current.clone(), both.desired.clone());
    if !renames.is_empty() || !twins.is_empty() {
        elaborate::roles(&both.shadow, &both.live.roles, &both.live.schema.creator.0).await?;
    }
    if !renames.is_empty() {
        let workbench = Workbench::with(both.ground(), &current).await?;
        workbench.run(&renames).await?;
        start = workbench.finish().await?;
    }
    if !twins.is_empty() {
        let loaded = elaborate::declared(&both.shadow, &both.declaration, &both.surroundings).await?;
        let workbench = Workbench::on(both.ground(), loaded.database, &both.current.creator).await?;
        for twin in &twins {
            workbench.say(&twin.back()).await?;
        }
        desired = workbench.finish().await?;
        foreign_partition::as_meant(&mut desired);
    }
    Ok(Renamed { renames, twins, start, desired })
}

/// What has to come before the ordinary steps, and the schema that these start from.
async fn passage(both: &Both, start: Schema, desired: &Schema, facts: Facts) -> Result<Passage, Failure> {
    // A shadow server is started only where it is needed.
    if !passage::is_needed(&start, desired, &facts) {
        return Ok(Passage { steps: vec![], schema: start, facts });
    }
    elaborate::roles(&both.shadow, &both.live.roles, &both.live.schema.creator.0).await?;
    // Owners and grants go along though nobody manages them: what takes the place of something else has them too.
    let scope = both.scope.with_rights();
    let ground = Ground { scope: &scope, ..both.ground() };
    let start = both.scope.with_live_rights(&start, &both.live.schema);
    let desired = both.scope.with_live_rights(desired, &both.live.schema);
    match passage::passages(ground, start, &desired, facts).await {
        Ok(passage) => Ok(Passage { schema: both.scope.split(&passage.schema).0, ..passage }),
        Err(PassageError::Plan(errors)) => Err(refused(&errors, &both.declaration, &both.desired)),
        Err(error) => Err(error.into()),
    }
}

/// Sizes under the names that relations have after the renames.
fn moved_facts(facts: &Facts, renames: &[Planned]) -> Facts {
    let mut facts = facts.clone();
    for rename in renames {
        if let (Kind::Table | Kind::MaterializedView, [namespace, old], Some(new)) =
            (rename.subject.kind, &rename.subject.path[..], &rename.renames_to)
        {
            let old = QName { namespace: namespace.clone(), name: old.clone() };
            if let Some(size) = facts.sizes.get(&old).copied() {
                facts.sizes.insert(old.sibling(new.clone()), size);
                if let Some(widths) = facts.widths.get(&old).cloned() {
                    facts.widths.insert(old.sibling(new.clone()), widths);
                }
            }
            if facts.idle.contains(&old) {
                facts.idle.insert(old.sibling(new.clone()));
            }
        }
    }
    facts
}

/// Marks hazards of steps that somebody accepted.
fn accept(steps: &mut [Planned], flags: &[String], config: &PlanSettings, declaration: &Declaration) {
    for hazard in steps.iter_mut().flat_map(|it| &mut it.step.hazards) {
        acceptance::accept(hazard, flags, config, &declaration.allows);
    }
}
