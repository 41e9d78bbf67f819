//! What the runners of cases share: one shadow server for all of them, a case read from its directory, both sides
//! loaded and read, and the proof of a case.
#![allow(dead_code, clippy::disallowed_methods, reason = "each runner uses its part; tests touch the world")]

mod discipline;
mod old_code;
mod stops;
mod ways_back;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tenantry::config::PlanSettings;
use tenantry::diagnostic::{File, Look};
use tenantry::diff::diff;
use tenantry::introspect::{Reading, introspect};
use tenantry::kind::{ObjectId, foreign_partition};
use tenantry::name::{Name, QName};
use tenantry::passage::quarantine::{self, Quarantine};
use tenantry::passage::{self, Ground, Passage, PassageError};
use tenantry::pipeline::file_steps;
use tenantry::plan::ahead::ahead;
use tenantry::plan::file::{self, PlanFile};
use tenantry::plan::in_turn;
use tenantry::plan::relocate::{self, Move};
use tenantry::plan::rename::Pending;
use tenantry::plan::twin::{self, Twin};
use tenantry::plan::{PlanError, Planned, hazard, rename};
use tenantry::plan::{derive, feed};
use tenantry::proof::{observe, rows};
use tenantry::render;
use tenantry::schema::{Facts, Schema, Size};
use tenantry::scope::Scope;
use tenantry::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowSpec};
use tenantry::source;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use old_code::OldCode;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

const ROLES: [&str; 7] =
    ["app_owner", "app_reader", "app_writer", "anon", "authenticated", "service_role", "Odd Role"];

/// Cases run on threads of the runner, each with a runtime of its own.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

/// The server of the whole run: PostgreSQL 15, whose plans the snapshots hold, unless `TENANTRY_TEST_MAJOR` says
/// otherwise.
pub async fn shadow() -> &'static Shadow {
    static SHADOW: OnceCell<Shadow> = OnceCell::const_new();
    SHADOW
        .get_or_init(async || {
            let major = std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"));
            let shadow = Shadow::start(&ShadowSpec::Auto, Some(major)).await.expect("a shadow server starts");
            assert_eq!(
                shadow.version().major(),
                major,
                "no server of that major version: scripts/setup.sh servers"
            );
            shadow.ensure_roles(&ROLES.map(RoleSpec::named)).await.expect("roles can be made");
            // Older servers put no tablespace into their own directory.
            if major >= 15 {
                let database = shadow.create_database("tablespace").await.expect("a database can be made");
                let session = database.connect().await.expect("it can be connected to");
                session.client.batch_execute("SET allow_in_place_tablespaces = on").await.expect("it is a setting");
                session
                    .client
                    .batch_execute("CREATE TABLESPACE aside LOCATION ''")
                    .await
                    .expect("the server has none of that name");
                drop(session);
                shadow.drop_database(database).await.expect("it can be dropped");
            }
            shadow
        })
        .await
}

/// `case.toml`; see tests/cases/README.md.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub min_server: u32,
    pub max_server: Option<u32>,
    pub refused: bool,
    pub dump: Option<bool>,
    /// Whether columns may stand in another order than declared.
    pub any_order: bool,
    pub undo: Option<bool>,
    /// Whether the undo is run from every stop as well.
    pub stops: bool,
    /// Expressions for rows that stand already, by column.
    pub backfill: BTreeMap<String, String>,
    /// How many rows the live tables are said to hold.
    pub rows: BTreeMap<String, u64>,
    /// What new columns come from, and what old ones hold: by column.
    pub from: BTreeMap<String, String>,
    pub becomes: BTreeMap<String, String>,
    /// Tables that nobody uses.
    pub idle: Vec<String>,
    /// Why code that knows old.sql alone fails before `contract`.
    pub old_code_fails: Option<String>,
    /// Why the plan can't go on from a gate to which it was taken back.
    pub resume_fails: Option<String>,
    /// Publications whose readers take columns as they come.
    pub open_publications: Vec<String>,
    /// Columns that go over to another table.
    #[serde(rename = "move")]
    pub moves: Vec<Moving>,
    /// The namespace that tables which go are moved to.
    pub quarantine: Option<String>,
}

/// `[[move]]`, with the columns that are equal as pairs.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    from: String,
    to: String,
    on: Vec<(String, String)>,
    columns: BTreeMap<String, String>,
    becomes: BTreeMap<String, String>,
}

impl Moving {
    fn declared(&self) -> Move {
        let table = |name: &str| {
            let (namespace, table) = name.split_once('.').expect("a table has a namespace");
            QName::new(namespace, table)
        };
        let columns = |of: &BTreeMap<String, String>| {
            of.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect()
        };
        Move {
            from: table(&self.from),
            to: table(&self.to),
            pairs: self.on.iter().map(|(a, b)| (a.as_str().into(), b.as_str().into())).collect(),
            columns: columns(&self.columns),
            becomes: columns(&self.becomes),
        }
    }
}

pub struct Case {
    pub kind: String,
    pub name: String,
    pub old: String,
    pub new: String,
    pub seed: Option<String>,
    pub settings: Settings,
}

impl Case {
    /// The case of a directory, or nothing where this run's server is too old or too new for it.
    pub fn read(new: &Path) -> Outcome<Option<Case>> {
        let directory = new.parent().ok_or("a case has a directory")?;
        let part = |path: &Path| path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let settings = directory.join("case.toml");
        let settings: Settings =
            if settings.exists() { toml::from_str(&fs::read_to_string(settings)?)? } else { Settings::default() };
        let major = runtime().block_on(async { shadow().await.version().major() });
        if settings.min_server > major || settings.max_server.is_some_and(|it| it < major) {
            return Ok(None);
        }
        let seed = directory.join("seed.sql");
        Ok(Some(Case {
            kind: directory.parent().map(part).unwrap_or_default(),
            name: part(directory),
            old: fs::read_to_string(directory.join("old.sql"))?,
            new: fs::read_to_string(new)?,
            seed: if seed.exists() { Some(fs::read_to_string(seed)?) } else { None },
            settings,
        }))
    }

    /// Loads both sides into databases of their own and plans the way from one to the other.
    pub async fn load(&self, shadow: &'static Shadow) -> Outcome<Sides> {
        let (old, mut old_reading) = side(shadow, "old", &self.old, self.seed.as_deref()).await?;
        let (new, mut new_reading) = side(shadow, "new", &self.new, None).await?;
        foreign_partition::as_meant(&mut new_reading.schema);
        self.declare(&mut old_reading.facts);
        let moves: Vec<Move> = self.settings.moves.iter().map(Moving::declared).collect();
        match relocate::pending(&moves, &old_reading.schema, &new_reading.schema, &old_reading.facts) {
            Ok(moves) => {
                for it in &moves {
                    old_reading.facts.backfills.extend(it.backfills(&old_reading.schema));
                }
                old_reading.facts.moved = moves;
            }
            Err(errors) => {
                let (plan, moved) = (Err(errors), BTreeMap::new());
                return Ok(Sides { shadow, old, new, old_reading, new_reading, plan, moved });
            }
        }
        let (pending, start, desired) = self.renamed(shadow, &old, &old_reading, &new, &new_reading.schema).await?;
        let apart = Scope { quarantine: self.settings.quarantine.clone().map(Name::from), ..Scope::all() };
        let (start, desired) = (apart.split(&start).0, apart.split(&desired).0);
        let surroundings = start.empty();
        let ground = Ground { shadow, surroundings: &surroundings, scope: &Scope::all() };
        let mut moved = BTreeMap::new();
        let first = passage::passages(ground, start, &desired, old_reading.facts.clone()).await;
        let plan = match first {
            Ok(Passage { steps: first, schema, facts }) => {
                let live = &old_reading.schema;
                let found = match &self.settings.quarantine {
                    Some(place) => {
                        let place = place.clone().try_into()?;
                        quarantine::quarantine(ground, &place, live, schema, &desired, &facts).await?
                    }
                    None => Quarantine { start: schema, kept: desired.clone(), ..Quarantine::default() },
                };
                let Quarantine { start, kept, steps: moves, moved: places, dropped } = found;
                moved = places;
                let steps = tenantry::plan::make(&start, &kept, &facts);
                let steps = steps.map(|mut steps| {
                    if self.settings.quarantine.is_some() {
                        quarantine::tell(&dropped, &mut steps);
                    }
                    let steps = derive::around(steps, &start, &kept, &facts);
                    relocate::around(steps, &start, &kept, &facts)
                });
                let all = |steps| in_turn(ahead(in_turn(pending.steps, first), steps, [&start, &kept]), moves);
                steps.map(|steps| {
                    let mut steps = twin::around(all(steps), &pending.twins);
                    feed::mark(&mut steps, [&old_reading.schema, &new_reading.schema]);
                    steps
                })
            }
            Err(PassageError::Plan(errors)) => Err(errors),
            Err(error) => return Err(error.into()),
        };
        Ok(Sides { shadow, old, new, old_reading, new_reading, plan, moved })
    }
}

impl Case {
    /// What case.toml says beside the schemas.
    fn declare(&self, facts: &mut Facts) {
        for (column, expression) in &self.settings.backfill {
            facts.backfills.insert(parted(column), expression.clone());
        }
        for (column, expression) in &self.settings.from {
            let (table, column) = parted(column);
            facts.derived.entry(table).or_default().from.insert(column, expression.clone());
        }
        for (column, expression) in &self.settings.becomes {
            let (table, column) = parted(column);
            facts.derived.entry(table).or_default().becomes.insert(column, expression.clone());
        }
        for (table, it) in &facts.derived {
            facts.backfills.extend(it.backfills(table));
        }
        for table in &self.settings.idle {
            let (namespace, table) = table.split_once('.').expect("a table has a namespace");
            facts.idle.insert(QName::new(namespace, table));
        }
        facts.open_publications = self.settings.open_publications.iter().map(|it| it.as_str().into()).collect();
        for (table, rows) in &self.settings.rows {
            let (namespace, table) = table.split_once('.').expect("a table has a namespace");
            let size = Size { rows: *rows, bytes: rows * 100, table_bytes: rows * 70, empty: false };
            facts.sizes.insert(QName::new(namespace, table), size);
        }
    }

    /// The renames that new.sql declares, the old schema with them done, and the new one with those undone that wait for
    /// `contract`.
    async fn renamed(
        &self,
        shadow: &Shadow,
        old: &ShadowDatabase,
        reading: &Reading,
        new: &ShadowDatabase,
        desired: &Schema,
    ) -> Outcome<(Pending, Schema, Schema)> {
        // What is no declaration (a case may hold anything that loads) declares no renames.
        let files = vec![File::new("new.sql", self.new.as_str())];
        let declared = source::read(files, 18).map(|it| it.renames).unwrap_or_default();
        let pending = rename::pending(&declared, &reading.schema, desired, &reading.facts, true);
        let (mut start, mut before) = (reading.schema.clone(), desired.clone());
        if !pending.steps.is_empty() {
            start = run_on(shadow, old, pending.steps.iter().map(|it| it.step.sql.clone())).await?;
        }
        if !pending.twins.is_empty() {
            before = run_on(shadow, new, pending.twins.iter().map(Twin::back)).await?;
            foreign_partition::as_meant(&mut before);
        }
        Ok((pending, start, before))
    }
}

fn parted(column: &str) -> (QName, Name) {
    let [namespace, table, name] = column.split('.').collect::<Vec<_>>()[..] else {
        panic!("{column} is no column")
    };
    (QName::new(namespace, table), name.into())
}

/// The schema of a copy of a database after some statements.
async fn run_on(
    shadow: &Shadow,
    database: &ShadowDatabase,
    statements: impl Iterator<Item = String>,
) -> Outcome<Schema> {
    let copy = shadow.clone_database(database, "renamed").await?;
    let session = copy.connect().await?;
    session.client.batch_execute(observe::SESSION).await?;
    for sql in statements {
        session.client.batch_execute(&sql).await?;
    }
    let schema = introspect(&session.client, false).await?.schema;
    drop(session);
    shadow.drop_database(copy).await?;
    Ok(schema)
}

async fn side(shadow: &Shadow, label: &str, sql: &str, seed: Option<&str>) -> Outcome<(ShadowDatabase, Reading)> {
    let database = shadow.create_database(label).await?;
    let session = database.connect().await?;
    let context = |what: &str| {
        let what = format!("{label}.sql: {what}");
        move |error: tokio_postgres::Error| format!("{what}: {}", tenantry::introspect::server_message(&error))
    };
    session.client.batch_execute("SET check_function_bodies = off").await.map_err(context("settings"))?;
    session.client.batch_execute(sql).await.map_err(context("does not load"))?;
    session.client.batch_execute("RESET ALL; RESET SESSION AUTHORIZATION").await?;
    if let Some(seed) = seed {
        session.client.batch_execute(seed).await.map_err(context("seed.sql does not load"))?;
    }
    let reading = introspect(&session.client, true).await?;
    Ok((database, reading))
}

pub struct Sides {
    shadow: &'static Shadow,
    old: ShadowDatabase,
    new: ShadowDatabase,
    pub old_reading: Reading,
    pub new_reading: Reading,
    pub plan: Result<Vec<Planned>, Vec<PlanError>>,
    /// Where tables are that go.
    moved: BTreeMap<QName, QName>,
}

impl Sides {
    /// Whether somebody has to accept something before the plan is applied.
    fn refuses(plan: &[Planned]) -> bool {
        let hazards = plan.iter().flat_map(|it| &it.step.hazards);
        hazards.into_iter().any(|it| it.code.severity() == hazard::Severity::Refuse)
    }

    /// Runs the plan and its undo, and compares what a person would: schema, dump, rows, locks.
    pub async fn prove(self, case: &Case) -> datatest_stable::Result<()> {
        let result = self.run(case).await;
        self.end().await?;
        result
    }

    /// Drops the databases: those of all cases together would fill a memory disk.
    pub async fn end(self) -> datatest_stable::Result<()> {
        for database in [self.old, self.new] {
            self.shadow.drop_database(database).await?;
        }
        Ok(())
    }

    async fn run(&self, case: &Case) -> Outcome<()> {
        let plan = match &self.plan {
            Ok(plan) if case.settings.refused && !Self::refuses(plan) => {
                return Err(format!("nothing was refused:\n{}", script(plan)).into());
            }
            Ok(_) | Err(_) if case.settings.refused => return Ok(()),
            Ok(plan) => plan,
            Err(errors) => {
                let errors: Vec<String> = errors.iter().map(PlanError::to_string).collect();
                return Err(format!("no plan: {}", errors.join("\n")).into());
            }
        };
        if case.kind == "unchanged" && !plan.is_empty() {
            return Err(format!("both sides say the same, yet the plan is\n{}", script(plan)).into());
        }
        if case.kind != "unchanged" && plan.is_empty() {
            return Err("the sides differ, yet the plan is empty".into());
        }
        let live = self.shadow.clone_database(&self.old, "live").await?;
        let result = self.run_on(&live, plan, case).await;
        self.shadow.drop_database(live).await?;
        result.map_err(|error| format!("{error}\n--- the plan:\n{}", script(plan)).into())
    }

    async fn run_on(&self, live: &ShadowDatabase, plan: &[Planned], case: &Case) -> Outcome<()> {
        let mut faults: Vec<String> = vec![];
        let (runner, watcher) = (live.connect().await?, live.connect().await?);
        let before =
            rows::digest(&runner, &self.old_reading.schema, &self.new_reading.schema, &BTreeMap::new()).await?;
        let to_move = rows::whole(&runner, self.moved.keys().map(|it| (it, it))).await?;
        let scope = Scope { quarantine: case.settings.quarantine.clone().map(Name::from), ..Scope::all() };
        let mut old_code = OldCode::begin(live.connect().await?, &case.settings.idle).await?;
        let observed =
            observe::run_with(&runner, &watcher, plan, async |place| old_code.after(plan, place).await).await?;
        faults.extend(match &case.settings.old_code_fails {
            None => old_code.faults,
            Some(_) if old_code.faults.is_empty() => {
                vec!["old code does not fail, and `old_code_fails` says so".into()]
            }
            Some(_) => vec![],
        });
        for (step, observed) in plan.iter().zip(&observed) {
            let undeclared = observe::undeclared(step, observed);
            faults.extend(undeclared.into_iter().map(|it| format!("{}: {it}", step.step.sql)));
        }
        runner.client.batch_execute("RESET ALL").await?;
        let reached = scope.split(&introspect(&runner.client, true).await?.schema).0;
        let wanted = scope.split(&self.new_reading.schema).0;
        faults.extend(differences("after the plan", &reached, &wanted));
        if file::fingerprint(&reached) != file::fingerprint(&wanted) {
            faults.push("nothing differs, and the fingerprints do".into());
        }
        if before
            != rows::digest(&runner, &self.old_reading.schema, &self.new_reading.schema, &BTreeMap::new()).await?
        {
            faults.push("rows changed".into());
        }
        if to_move != rows::whole(&runner, &self.moved).await? {
            faults.push("rows that were moved changed".into());
        }
        if case.settings.dump != Some(false) {
            let apart = case.settings.quarantine.as_deref();
            let (ours, theirs) = (dump(live, apart).await?, dump(&self.new, apart).await?);
            let same = match case.settings.any_order {
                true => lines(&ours) == lines(&theirs),
                false => ours == theirs,
            };
            if !same {
                let diff = similar::TextDiff::from_lines(&theirs, &ours);
                let diff = diff.unified_diff().header("dump of new.sql", "dump after the plan").to_string();
                faults.push(diff);
            }
        }
        let stops = case.settings.stops || std::env::var_os("TENANTRY_TEST_STOPS").is_some();
        if stops {
            let end = introspect(&runner.client, true).await?.schema;
            let resume = stops::forward_again([&runner, &watcher], plan, &end).await?;
            faults.extend(match &case.settings.resume_fails {
                None => resume,
                Some(_) if resume.is_empty() => {
                    vec!["the plan goes on, and `resume_fails` says that it can't".into()]
                }
                Some(_) => vec![],
            });
        }
        // The case says why not.
        if case.settings.undo != Some(false) {
            let ends = [&self.old_reading.schema, &self.new_reading.schema];
            faults.extend(ways_back::faults(self.shadow, &self.old, plan, ends, &runner).await?);
        }
        if stops {
            faults.extend(stops::faults(self.shadow, &self.old, plan, &self.old_reading.schema).await?);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
    }

    /// The steps as a reviewer reads them.
    pub fn review(&self, case: &Case) -> Outcome<String> {
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(errors) => return Ok(errors.iter().map(|it| format!("refused: {it}\n")).collect()),
        };
        let faults = discipline::faults(plan, &self.old_reading.schema, &self.old_reading.facts);
        if !faults.is_empty() {
            return Err(faults.join("\n").into());
        }
        let steps = file_steps(plan, &[], &self.old_reading.facts, &PlanSettings::default(), |_| None);
        let digest = |schema: &Schema| file::fingerprint(schema);
        let file = PlanFile {
            format: file::FORMAT,
            tool: String::new(),
            id: String::new(),
            name: case.name.clone(),
            part: None,
            from: file::From { fingerprint: digest(&self.old_reading.schema), server: "15".into() },
            to: file::To { fingerprint: digest(&self.new_reading.schema), declaration: String::new() },
            scope: Scope::all(),
            proof: file::Proof::default(),
            notes: vec![],
            difference: String::new(),
            gates: vec![],
            steps,
        };
        Ok(render::text::steps(&file, Look { colour: false, width: 100 }))
    }
}

fn differences(when: &str, is: &Schema, wanted: &Schema) -> Vec<String> {
    let show = |schema: &Schema, id: &ObjectId| {
        schema.get(id).map_or("nothing".into(), |it| serde_json::to_string(it).unwrap_or_default())
    };
    diff(is, wanted)
        .into_keys()
        .map(|id| format!("{when}, {id} is {}, wanted: {}", show(is, &id), show(wanted, &id)))
        .collect()
}

/// The plan as plain statements, for failures.
fn script(plan: &[Planned]) -> String {
    plan.iter()
        .map(|it| {
            let undo: Vec<&str> = it.undo.iter().map(|undo| undo.sql.as_str()).collect();
            format!(
                "{:?} {}: {};\n    undo: {}\n",
                it.transaction,
                it.step.stage.name(),
                it.step.sql,
                undo.join("; ")
            )
        })
        .collect()
}

/// The lines of a dump, whatever their order.
fn lines(dump: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = dump.lines().map(|it| it.trim_end_matches(',')).collect();
    lines.sort_unstable();
    lines
}

/// What pg_dump says of a database, less what differs from run to run, and a namespace that is left alone.
async fn dump(database: &ShadowDatabase, apart: Option<&str>) -> Outcome<String> {
    let session = database.connect().await?;
    let directory: String =
        session.client.query_one("SELECT setting FROM pg_config WHERE name = 'BINDIR'", &[]).await?.get(0);
    let beside = PathBuf::from(directory).join("pg_dump");
    let program = if beside.exists() { beside } else { PathBuf::from("pg_dump") };
    let (socket, port): (String, String) = {
        let row = session
            .client
            .query_one("SELECT current_setting('unix_socket_directories'), current_setting('port')", &[])
            .await?;
        (row.get(0), row.get(1))
    };
    let output = Command::new(program)
        .args(["--schema-only", "--host", &socket, "--port", &port, "--username", "postgres"])
        .args(["--dbname", database.name.as_str()])
        .args(apart.map(|it| format!("--exclude-schema=\"{}\"", it.replace('"', "\"\""))))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut kept: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")).collect();
    // Privileges are a set; pg_dump prints them in the order in which they were given.
    for run in kept.chunk_by_mut(|a, b| a.starts_with("GRANT") && b.starts_with("GRANT")) {
        run.sort_unstable();
    }
    Ok(kept.into_iter().map(|line| format!("{line}\n")).collect())
}
