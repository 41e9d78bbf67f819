//! The way to a plan, from files and a live database to a proven plan file. Everything that a command needs besides
//! its own arguments comes through here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::future::{Either, select};

use crate::adopt::Adoption;
use crate::config::{Config, PlanSettings, Queries};
use crate::connect::{Session, Target};
use crate::diagnostic::{Exit, File, Report};
use crate::elaborate::kept::{self, Kept};
use crate::elaborate::{self, ElaborateError, bodies};
use crate::files;
use crate::introspect::{IntrospectError, Reading, introspect, introspect_together, is_large, server_message};
use crate::kind::{Kind, ObjectId};
use crate::lock::{Lock, RelationLock};
use crate::name::QName;
use crate::passage::quarantine::{Quarantine, tell};
use crate::passage::{self, Ground, Passage, PassageError, Workbench, in_turn};
use crate::plan::derive::{self, Derived};
use crate::plan::file::{self, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To};
use crate::plan::gate;
use crate::plan::hazard::{Code, Hazard};
use crate::plan::origin::Origins;
use crate::plan::relocate::{self, Move};
use crate::plan::rename::{self, Pending, Suspect};
use crate::plan::seed::{self, RowPlace};
use crate::plan::split;
use crate::plan::twin::{self, Twin};
use crate::plan::{self, Half, PlanError, Planned, Stage, estimate};
use crate::platform::api;
use crate::platform::{Api, Platform};
use crate::proof::access::Access;
use crate::proof::observe::Observed;
use crate::proof::trial::Fate;
use crate::proof::{self, Subject};
use crate::queries::{self, Query};
use crate::render;
use crate::schema::{Facts, Schema};
use crate::scope::{self, Scope};
use crate::shadow::{Shadow, ShadowSpec};
use crate::source::{self, Declaration, Rank};
use crate::tenancy::{citus, expand, template};

mod acceptance;
mod distribution;
pub mod lint;
mod loosening;
mod outlook;
pub mod proving;
mod quarantine;
pub mod tenancy;
mod unmanaged;

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

/// Both sides, read and brought into scope.
pub struct Both {
    pub shadow: Shadow,
    pub declaration: Declaration,
    pub scope: Scope,
    pub live: Reading,
    pub current: Schema,
    pub surroundings: Schema,
    pub desired: Schema,
    /// The desired schema with the owners and privileges that it will have, managed or not.
    pub declared: Schema,
    pub notes: Vec<String>,
    /// What the API serves that row security does not hold back, and what bodies refer to and nobody declares.
    pub warnings: Vec<Report>,
    pub missing_seeds: BTreeSet<RowPlace>,
}

impl Both {
    fn ground(&self) -> Ground<'_> {
        Ground { shadow: &self.shadow, surroundings: &self.surroundings, scope: &self.scope }
    }
}

/// Reads the declared files, or says all that is wrong with them.
pub fn read_declaration(config: &Config, server: u32) -> Result<Declaration, Failure> {
    let legacy: Vec<PathBuf> = config.schema.legacy.iter().cloned().collect();
    let failed = |reports| Failure::new(Exit::Failed, reports);
    let files = files::schema_files(&config.schema.paths, &legacy).map_err(failed)?;
    let added = config.tenancy.iter().flat_map(|it| it.written_keys()).collect();
    Ok(platform_first(source::read_for(files, server, added).map_err(failed)?, config))
}

/// A table has from the start what the declared defaults leave of the platform's.
fn platform_first(mut declaration: Declaration, config: &Config) -> Declaration {
    if config.platform.is_some() {
        declaration.statements.sort_by_key(|it| match it.names.rank {
            Rank::Namespace => 0,
            Rank::DefaultPrivileges => 1,
            _ => 2,
        });
    }
    declaration
}

/// The declaration with what its tenancies ask for, for a server of this major version.
pub fn expanded(declaration: Declaration, config: &Config, major: u32) -> Result<Declaration, Failure> {
    let failed = |reports| Failure::new(Exit::Failed, reports);
    match &config.tenancy {
        Some(declared) => {
            let declaration = expand(declaration, declared, major).map_err(failed)?;
            let declaration = match &config.tenant {
                Some(tenant) => template::for_tenant(declaration, declared, tenant).map_err(failed)?,
                None => declaration,
            };
            Ok(platform_first(declaration, config))
        }
        None => match declaration.globals.first() {
            Some(global) => {
                let mut report = Report::error("tenancy::global", "this says `global`, and no tenancy is declared")
                    .help("declare [tenancy] in tenantry.toml, or leave the directive out");
                report.places.push(declaration.place(global.span, "without effect"));
                Err(failed(vec![report]))
            }
            None => Ok(declaration),
        },
    }
}

/// Reads the statements that applications run.
pub fn read_queries(config: &Config) -> Result<Vec<Query>, Failure> {
    let failed = |reports| Failure::new(Exit::Failed, reports);
    let Queries { paths, keep, .. } = &config.queries;
    let files = files::other_files(&[paths.as_slice(), keep].concat(), "[queries] in tenantry.toml names it")
        .map_err(failed)?;
    let is_kept = |file: &File| keep.iter().any(|it| Path::new(&file.path).starts_with(it));
    queries::read(&files, is_kept).map_err(failed)
}

/// Reads both sides: the live one from its server or file, the declared one by way of the shadow.
pub async fn both_sides(request: &Request) -> Result<Both, Failure> {
    let config = &request.config;
    let declaration = tokio::task::spawn_blocking({
        let config = config.clone();
        // Which server elaborates the files matters only for syntax that is newer than the grammar.
        move || read_declaration(&config, 18)
    });
    let mut live = pin!(live_side(request));
    let mut early = None;
    // Faults of the files are told without waiting for any server, and before what a server says.
    let declaration = match select(declaration, &mut live).await {
        Either::Left((declaration, _)) => declaration,
        Either::Right((live, declaration)) => {
            early = Some(live);
            declaration.await
        }
    };
    let declaration = declaration.expect("reading files does not panic")?;
    let (session, shadow, live) = match early {
        Some(live) => live?,
        None => live.await?,
    };
    let present = present(&session, &declaration, &live.schema).await?;
    let declaration = expanded(declaration, config, live.schema.major())?;
    let manage = &config.manage;
    let (namespaces, quarantine) = (config.namespaces(), config.quarantine());
    let ignore = manage.ignore.clone();
    let scope = Scope::declared(namespaces, ignore, config.platform, quarantine.clone(), &declaration);
    let scope = Scope { tenants: config.tenants(), ..scope };
    let (current, outside) = scope.split(&live.schema);
    // Nothing refers to what is in the quarantine, but it is there.
    let outside = match &quarantine {
        Some(quarantine) => outside.filtered(|id| {
            let whole = outside.whole_of(id);
            let namespace = outside.get(&whole).and_then(|it| it.namespace());
            whole.kind == Kind::Namespace || namespace.as_ref() != Some(quarantine)
        }),
        None => outside,
    };
    let mut surroundings = elaborate::surroundings(&live.schema, &outside);
    if config.platform.is_some() {
        // What a platform grants by default the declaration starts from, and says only what it changes.
        let defaults = live.schema.of_kind(Kind::DefaultPrivileges);
        surroundings.objects.extend(defaults.map(|it| (it.id(), it.clone())));
    }
    // The platform decides in which order statements load.
    let read = format!("{} {}", declaration.digest, config.platform.map_or(String::new(), |it| it.to_string()));
    let key = kept::key(&read, shadow.version().number, &surroundings);
    let elaborated = match kept::find(&key) {
        Some(kept) => kept,
        None => {
            elaborate::roles(&shadow, &live.roles, &live.schema.creator.0).await?;
            let kept = elaborated(&shadow, &declaration, &surroundings, &live.schema).await?;
            kept::keep(&key, &kept);
            kept
        }
    };
    let (desired, beyond) = scope.split(&elaborated.schema);
    let strays = strays(&declaration, &surroundings, &beyond);
    if !strays.is_empty() {
        return Err(Failure::new(Exit::Failed, strays));
    }
    let adoption = Adoption::of(&current, &desired, &scope::patterns(&manage.runtime_partitions));
    let desired = match adoption.is_empty() {
        true => desired,
        false => {
            elaborate::roles(&shadow, &live.roles, &live.schema.creator.0).await?;
            let ground = Ground { shadow: &shadow, surroundings: &surroundings, scope: &scope };
            adopted(ground, &adoption, &current, &desired).await?
        }
    };
    let mut notes: Vec<String> = shadow.note().into_iter().chain(elaborated.notes).collect();
    notes.extend(unmanaged::notes(&live.schema.unmanaged, &elaborated.schema.unmanaged, config.platform));
    let mut warnings = exposed(&config.api(), &declaration, &scope, &live.schema, &elaborated.schema);
    warnings.extend(bodies::warnings(&elaborated.absent, &declaration, &outside, &scope::patterns(&manage.ignore)));
    let declared = tenancy::with_rights(&scope, &elaborated.schema, &live.schema);
    Ok(Both {
        shadow,
        declaration,
        scope,
        live,
        current,
        surroundings,
        declared,
        desired,
        notes,
        warnings,
        missing_seeds: present,
    })
}

/// The declared schema with the partitions that the live side has.
async fn adopted(
    ground: Ground<'_>,
    adoption: &Adoption,
    current: &Schema,
    desired: &Schema,
) -> Result<Schema, Failure> {
    let workbench = Workbench::with(ground, desired).await?;
    for sql in adoption.statements() {
        workbench.say(&sql).await?;
    }
    let mut desired = workbench.finish().await?;
    adoption.settle(current, &mut desired);
    Ok(desired)
}

/// A session with the live side, the shadow that fits it, and what was read.
async fn live_side(request: &Request) -> Result<(Session, Shadow, Reading), Failure> {
    match &request.live {
        Live::Database(target) => {
            let session = target.connect().await?;
            let (reading, shadow) =
                tokio::join!(read_live(&session), Shadow::find(&request.shadow, Some(session.version.major())));
            Ok((session, shadow?, reading?))
        }
        Live::Legacy(path) => {
            let shadow = Shadow::find(&request.shadow, request.config.database.server).await?;
            let session = legacy(&shadow, path, request.config.platform).await?;
            // How many rows the real database holds, the file can't know: every table may hold many.
            let reading = introspect(&session.client, false).await?;
            Ok((session, shadow, reading))
        }
        Live::Nothing => {
            let shadow = Shadow::find(&request.shadow, request.config.database.server).await?;
            let session = shadow.create_database("nothing").await?.connect().await?;
            let reading = introspect(&session.client, false).await?;
            Ok((session, shadow, reading))
        }
    }
}

/// Reads the live side, with a second session's help where that pays.
async fn read_live(session: &Session) -> Result<Reading, IntrospectError> {
    let beside = match is_large(&session.client).await {
        true => session.target().connect().await.ok(),
        false => None,
    };
    let clients: Vec<_> = std::iter::once(session).chain(&beside).map(|it| &it.client).collect();
    introspect_together(&clients, true).await
}

/// Has the shadow read the declaration.
async fn elaborated(
    shadow: &Shadow,
    declaration: &Declaration,
    surroundings: &Schema,
    live: &Schema,
) -> Result<Kept, Failure> {
    let elaborated = match elaborate::declared(shadow, declaration, surroundings).await {
        Ok(elaborated) => elaborated,
        Err(ElaborateError::Declaration(reports)) => return Err(Failure::new(Exit::Failed, reports)),
        Err(ElaborateError::Plan(errors)) => return Err(refused(&errors, declaration, live)),
        Err(error) => return Err(error.into()),
    };
    shadow.drop_database(elaborated.database).await?;
    Ok(Kept { schema: elaborated.schema, notes: elaborated.notes, absent: elaborated.absent })
}

/// Loads the file that stands for the live side.
async fn legacy(shadow: &Shadow, path: &std::path::Path, platform: Option<Platform>) -> Result<Session, Failure> {
    let read = files::other_files(&[path.to_owned()], "`legacy` of [schema] in tenantry.toml names it");
    let files = read.map_err(|reports| Failure::new(Exit::Failed, reports))?;
    let [text] = files.as_slice() else {
        let what = format!("{} is no file", path.display());
        return Err(Failure::new(Exit::Failed, vec![Report::error("plan::legacy", what)]));
    };
    let database = shadow.create_database("legacy").await?;
    if let Some(platform) = platform {
        elaborate::platform(shadow, &database, platform).await?;
    }
    let session = database.connect().await?;
    session.client.batch_execute(&text.text).await.map_err(|error| {
        let mut report = Report::error("plan::legacy", format!("{} does not load", text.path));
        let label = server_message(&error);
        let position = error.as_db_error().and_then(|db| db.position().cloned());
        if let Some(tokio_postgres::error::ErrorPosition::Original(at)) = position {
            let offset = source::syntax::byte_offset(&text.text, at as usize);
            report = report.at(text, offset..offset + 1, label);
        } else {
            report = report.help(label);
        }
        Failure::new(Exit::Failed, vec![report])
    })?;
    session.client.batch_execute("RESET ALL").await.map_err(|error| session_failed(&error))?;
    Ok(session)
}

fn session_failed(error: &tokio_postgres::Error) -> Failure {
    Failure::new(Exit::Failed, vec![Report::error("plan::session", server_message(error))])
}

/// The declared rows that the live side has.
async fn present(
    session: &Session,
    declaration: &Declaration,
    live: &Schema,
) -> Result<BTreeSet<RowPlace>, Failure> {
    let mut present = BTreeSet::new();
    for (at, declared) in declaration.seeds.iter().enumerate() {
        let table = ObjectId::new(Kind::Table, [&declared.table.namespace, &declared.table.name]);
        if !live.contains(&table) {
            continue;
        }
        for row in 0..declared.rows.len() {
            let Some(query) = seed::exists(declared, row) else { continue };
            let answer = session.client.query_one(&query, &[]).await.map_err(|error| session_failed(&error))?;
            if answer.get(0) {
                present.insert((at, row));
            }
        }
    }
    Ok(present)
}

/// Warnings of what the API will serve past row security, each at its place. Grants that nobody manages stay as the
/// live side has them.
fn exposed(api: &Api, declaration: &Declaration, scope: &Scope, live: &Schema, elaborated: &Schema) -> Vec<Report> {
    if api.namespaces.is_empty() {
        return vec![];
    }
    let mut served = elaborated.clone();
    if !scope.grants {
        for object in live.of_kind(Kind::Grants) {
            served.objects.insert(object.id(), object.clone());
        }
    }
    let origins = Origins::new(declaration);
    api::exposed(&served, api)
        .into_iter()
        .filter(|it| origins.span(&it.object, elaborated).is_some())
        .map(|it| {
            let mut report = Report::warning(it.code, it.why).help(it.fix);
            if let Some(span) = origins.span(&it.object, elaborated) {
                report.places.push(declaration.place(span, "served by the API"));
            }
            report
        })
        .collect()
}

/// Objects that the declaration makes outside of what is managed.
fn strays(declaration: &Declaration, surroundings: &Schema, beyond: &Schema) -> Vec<Report> {
    let origins = Origins::new(declaration);
    beyond
        .objects
        .keys()
        .filter(|id| !surroundings.contains(id) && beyond.part_of(id).is_none())
        .filter_map(|id| {
            let span = origins.span(id, beyond)?;
            let mut report = Report::error("plan::outside", format!("{id} is declared outside of what is managed"))
                .help("add its namespace to [manage] namespaces, or take it out of `ignore`, in tenantry.toml");
            report.places.push(declaration.place(span, "declared here"));
            Some(report)
        })
        .collect()
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
    tried(&both, &moved, &start, &desired).await?;
    (facts.derived, facts.moved) = (derived, moved);
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
    let steps = in_turn(in_turn(in_turn(renames, first), steps), moves);
    let tenancies = match &request.config.tenancy {
        Some(_) => tenancy::tenancies(&request.config, &both.declared, Some(&both.declaration))?,
        None => vec![],
    };
    let steps = api::with_reload(twin::around(steps, &twins), &request.config.api());
    let (mut steps, said) = distribution::distributed(steps, request, &both, &tenancies).await?;
    both.notes.extend(said);
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
    let gates = gate::gates(&steps, &start, &both.desired, &retired);
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

/// Patterns of idle tables that no table has.
fn idly(settings: &PlanSettings, both: &Both) -> Vec<Report> {
    let (before, after) = (settings.idle.idly(&both.current), settings.idle.idly(&both.desired));
    let nothing = before.into_iter().filter(|it| after.contains(it));
    let report = |it: String| {
        Report::warning("plan::idle", format!("[plan] idle names `{it}`, and no table is called so"))
            .help("patterns are of `namespace.name`, such as `public.log_*`")
    };
    nothing.map(report).collect()
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
            }
            if facts.idle.contains(&old) {
                facts.idle.insert(old.sibling(new.clone()));
            }
        }
    }
    facts
}

fn questions(suspects: &[Suspect], both: &Both) -> Failure {
    let origins = Origins::new(&both.declaration);
    let reports = suspects
        .iter()
        .map(|suspect| {
            let old = suspect.old.path.last().map(ToString::to_string).unwrap_or_default();
            let mut report = Report::error("plan::suspected_rename", suspect.words.clone()).help(format!(
                "if it is a rename, declare it: `was = {old:?}` in TOML or `-- tenantry: was {old}` on its line; if it \
                 is not, plan with --no-renames"
            ));
            if let Some(span) = origins.span(&suspect.new, &both.desired) {
                report.places.push(both.declaration.place(span, "was this called something else?"));
            }
            report
        })
        .collect();
    Failure::new(Exit::Hazard, reports)
}

fn refused(errors: &[PlanError], declaration: &Declaration, schema: &Schema) -> Failure {
    let origins = Origins::new(declaration);
    let reports = errors
        .iter()
        .map(|error| match error {
            PlanError::Refused { object, reason } => {
                let mut report = Report::error("plan::refused", format!("{object} can't be changed as declared"))
                    .help(reason.clone());
                if let Some(span) = origins.span(object, schema) {
                    report.places.push(declaration.place(span, "declared here"));
                }
                report
            }
            PlanError::Cycle(_) => Report::error("plan::cycle", error.to_string())
                .help("these objects need each other in a circle; declare the change in two parts"),
        })
        .collect();
    Failure::new(Exit::Failed, reports)
}

/// Objects outside of what is managed that depend on something that the plan drops, replaces or gives another type:
/// they would have to be touched.
fn in_the_way(steps: &[Planned], both: &Both) -> Vec<Report> {
    let dropped = steps.iter().flat_map(|it| &it.does).filter(|(_, half)| *half == Half::Drop).map(|(id, _)| id);
    let disturbed = steps.iter().flat_map(|it| &it.step.disturbs).map(|(id, _)| id);
    let touched: BTreeSet<&ObjectId> = dropped.chain(disturbed).collect();
    let live = &both.live.schema;
    live.needs
        .iter()
        .filter(|(id, _)| !both.current.contains(id) && !both.current.contains(&live.whole_of(id)))
        .filter_map(|(id, needs)| Some((id, needs.iter().find(|need| touched.contains(need))?)))
        .map(|(id, need)| {
            let message =
                format!("{id} is outside of what is managed, and depends on {need}, which the plan changes");
            let is_kept = live.whole_of(id).path.first() == both.scope.quarantine.as_ref();
            Report::error("plan::outside_depends", message).help(match is_kept {
                true => "empty the quarantine first: `tenantry plan --empty-quarantine`",
                false => {
                    "manage it too, or change it first by whoever it belongs to; the plan touches nothing outside"
                }
            })
        })
        .collect()
}

/// Required columns without a value for rows that exist: no acceptance can make such a step work.
fn impossible(steps: &[Planned], both: &Both) -> Vec<Report> {
    let origins = Origins::new(&both.declaration);
    steps
        .iter()
        .flat_map(|it| &it.step.hazards)
        .filter(|hazard| hazard.code == plan::hazard::Code::RequiredColumn)
        .map(|hazard| {
            let mut report = Report::error(
                "plan::required_column",
                format!("{} is required, and rows that exist have no value for it", hazard.object),
            )
            .help("declare a default for it, or a `backfill` expression in TOML, or drop its NOT NULL");
            if let Some(span) = origins.span(&hazard.object, &both.desired) {
                report.places.push(both.declaration.place(span, hazard.why.clone()));
            }
            report
        })
        .collect()
}

/// Marks hazards of steps that somebody accepted.
fn accept(steps: &mut [Planned], flags: &[String], config: &PlanSettings, declaration: &Declaration) {
    for hazard in steps.iter_mut().flat_map(|it| &mut it.step.hazards) {
        acceptance::accept(hazard, flags, config, &declaration.allows);
    }
}

/// The statements that a step breaks, each with the stage of that step. In `contract` they retire; before it, or where
/// they are to be kept, breaking them is a hazard of the step.
fn retired(queries: &[Query], fates: &[Fate], steps: &mut [Planned]) -> Vec<(Stage, String)> {
    let mut retired = vec![];
    for (query, fate) in queries.iter().zip(fates) {
        let Fate::Breaks { place, error } = fate else { continue };
        let planned = &mut steps[*place];
        if planned.step.stage == Stage::Contract && !query.keep {
            retired.push((Stage::Contract, format!("{}: {error}", query.place)));
        } else {
            let (code, object) = (Code::BreaksQuery, planned.subject.clone());
            let why = format!("{}: {error}", query.place);
            planned.step.hazards.push(Hazard { code, object, severity: code.severity(), why, accepted: None });
        }
    }
    retired
}

/// What is told of statements beside hazards and gates: from where new ones work, and which never do.
fn fates(queries: &[Query], fates: &[Fate], steps: &[Planned]) -> Vec<Report> {
    let with_fates = || queries.iter().zip(fates);
    let works: Vec<String> = with_fates()
        .filter_map(|(query, fate)| match fate {
            Fate::WorksFrom { place } => {
                let stage = steps[*place].step.stage.name();
                Some(format!("{} works from step {} ({stage}) on", query.place, place + 1))
            }
            Fate::Works | Fate::Breaks { .. } | Fate::Never { .. } => None,
        })
        .collect();
    let works = match works.as_slice() {
        [] => None,
        [one] => Some(Report::note("queries::works", one.clone())),
        several => Some(
            Report::note("queries::works", format!("{} statements do not work before the plan", several.len()))
                .help(several.join("\n")),
        ),
    };
    let never = with_fates().filter_map(|(query, fate)| match fate {
        Fate::Never { error } => Some(Report::warning(
            "queries::never",
            format!("{} works neither before nor after the plan: {error}", query.place),
        )),
        Fate::Works | Fate::Breaks { .. } | Fate::WorksFrom { .. } => None,
    });
    works.into_iter().chain(never).collect()
}

/// Hazards of the plan that nobody accepted and that must be, each with its step.
pub fn unaccepted(file: &PlanFile) -> Vec<(u32, &FileHazard)> {
    let steps = file.steps.iter();
    steps
        .flat_map(|step| step.hazards.iter().map(move |hazard| (step.id, hazard)))
        .filter(|(_, hazard)| hazard.needs_acceptance())
        .collect()
}

/// A statement outside of transactions whose locks let reads and writes through keeps nobody waiting while it waits
/// itself: for every transaction older than it, however long. A timeout would only make it start all over again.
fn lock_timeout_ms(planned: &Planned, settings: &PlanSettings) -> u32 {
    let lets_through = planned.step.locks.iter().all(|it| it.mode <= Lock::ShareUpdateExclusive);
    if planned.transaction.is_none() && planned.step.batch.is_none() && lets_through {
        0
    } else {
        settings.lock_timeout_ms
    }
}

/// Steps as their file has them, with what each was seen to do.
pub fn file_steps(
    steps: &[Planned],
    observed: &[Observed],
    facts: &Facts,
    settings: &PlanSettings,
    place: impl Fn(&ObjectId) -> Option<String>,
) -> Vec<FileStep> {
    let observed = observed.iter().map(Some).chain(std::iter::repeat(None));
    let names = |relations: &[QName]| relations.iter().map(ToString::to_string).collect();
    let file_step = |((it, seen), id): ((&Planned, Option<&Observed>), u32)| {
        let step = &it.step;
        let mode_seen = |relation: &QName| {
            let locks = seen.iter().flat_map(|seen| &seen.locks);
            locks.filter(|lock| lock.relation == *relation).map(|lock| lock.mode).max()
        };
        let lock = |lock: &RelationLock| FileLock {
            relation: lock.relation.to_string(),
            mode: lock.mode,
            observed: mode_seen(&lock.relation),
        };
        let hazard = |hazard: &Hazard| FileHazard {
            code: hazard.code,
            object: hazard.object.to_string(),
            why: hazard.why.clone(),
            severity: Some(hazard.severity).filter(|it| *it != hazard.code.severity()),
            accepted: hazard.accepted.clone(),
        };
        FileStep {
            id,
            stage: step.stage,
            summary: step.summary.clone().unwrap_or_else(|| render::summary(it)),
            sql: step.sql.clone(),
            batch: step.batch.clone(),
            transaction: it.transaction,
            lock_timeout_ms: lock_timeout_ms(it, settings),
            statement_timeout_ms: settings.statement_timeout_ms,
            locks: step.locks.iter().map(lock).collect(),
            rewrites: names(&step.rewrites),
            scans: names(&step.scans),
            hazards: step.hazards.iter().map(hazard).collect(),
            estimate: estimate::estimate(step, facts, &settings.rates),
            undo: it.undo.clone(),
            irreversible: step.irreversible.clone(),
            check: step.check.clone(),
            because: place(&it.subject),
        }
    };
    steps.iter().zip(observed).zip(1..).map(file_step).collect()
}

fn write(request: &Request, both: &Both, facts: &Facts, steps: &[Planned], proved: proof::Proved) -> PlanFile {
    let origins = Origins::new(&both.declaration);
    let place = |id: &ObjectId| origins.place(id, &both.desired);
    let from = file::fingerprint(&both.current);
    // Where nothing is to be changed the two are one, and large schemas take their time.
    let (to, difference) = match steps {
        [] => (from.clone(), String::new()),
        _ => (file::fingerprint(&both.desired), render::schema_difference(&both.current, &both.desired)),
    };
    // What a passage gives another name had its own one until then.
    let mut known = facts.clone();
    for (name, size) in &both.live.facts.sizes {
        known.sizes.entry(name.clone()).or_insert(*size);
    }
    let steps = file_steps(steps, &proved.observed, &known, &request.config.plan, place);
    PlanFile {
        format: file::FORMAT,
        tool: env!("CARGO_PKG_VERSION").into(),
        id: String::new(),
        name: request.name.clone(),
        part: None,
        from: From { fingerprint: from, server: both.live.schema.major().to_string() },
        to: To { fingerprint: to, declaration: both.declaration.digest.clone() },
        scope: both.scope.clone(),
        proof: proved.proof,
        notes: both.notes.clone(),
        difference,
        gates: vec![],
        steps,
    }
}

impl proof::Proved {
    /// The proof of a plan without steps.
    fn nothing(shadow: &Shadow) -> Self {
        proof::Proved {
            proof: Proof {
                server: shadow.version().major().to_string(),
                converges: true,
                undo_returns: true,
                rows_survive: true,
                ..Proof::default()
            },
            observed: vec![],
            fates: vec![],
            access: vec![],
            states: vec![],
            returns: vec![],
        }
    }
}
