//! The way to what `tenantry lint` finds: in the declared schema, in plan files, and in SQL that people wrote, which is
//! tried on a copy of the live side.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::json;

use super::{Both, Failure, Request, acceptance, both_sides, live_side, tenancy};
use crate::config::Config;
use crate::diagnostic::{Exit, File, Place, Report, Severity as Level};
use crate::elaborate;
use crate::files;
use crate::introspect::Reading;
use crate::kind::ObjectId;
use crate::lint::design;
use crate::lint::script::{self, Script};
use crate::lint::trial::{Ran, Refusal, Trial, Tried};
use crate::lint::{self, Finding};
use crate::plan::file::PlanFile;
use crate::plan::hazard::{Hazard, Severity};
use crate::plan::origin::Origins;
use crate::platform::api;
use crate::proof::rows;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::shadow::Shadow;
use crate::source::first_words;
use crate::tenancy::check;

/// One thing that was found.
#[derive(Debug)]
pub struct Found {
    pub report: Report,
    pub object: Option<String>,
    /// Who accepted it, or why.
    pub accepted: Option<String>,
}

impl Found {
    fn new(report: Report) -> Found {
        Found { report, object: None, accepted: None }
    }

    /// Whether somebody has to do something about it.
    pub fn is_open(&self) -> bool {
        self.accepted.is_none() && self.report.severity != Level::Advice
    }

    /// As programs read it.
    pub fn json(&self) -> serde_json::Value {
        let report = &self.report;
        let severity = match report.severity {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Advice => "note",
        };
        let place = report.places.first();
        json!({
            "code": report.code,
            "severity": severity,
            "object": self.object,
            "message": report.message,
            "why": place.map(|it| &it.label).filter(|it| !it.is_empty()),
            "fix": report.help,
            "place": place.map(ToString::to_string),
            "accepted": self.accepted,
        })
    }
}

/// All that was found, and what was looked at.
#[derive(Debug, Default)]
pub struct Linted {
    pub found: Vec<Found>,
    /// Statements of scripts that were tried.
    pub statements: usize,
    /// What each of them was seen to do, for those who ask for more.
    pub seen: Vec<String>,
}

/// Looks at the declared schema.
pub async fn declared(request: &Request) -> Result<Linted, Failure> {
    let mut linted = Linted::default();
    of_declaration(request, None, &mut linted).await?;
    Ok(linted)
}

/// Looks at files: scripts, plans, and files of the declared schema.
///
/// Errors: all that can't be read.
pub async fn files(request: &Request, paths: &[PathBuf]) -> Result<Linted, Failure> {
    let (mut read, mut faults) = (vec![], vec![]);
    for path in paths {
        match files::other_files(std::slice::from_ref(path), "name files of SQL, or plans") {
            Ok(files) if files.is_empty() => {
                let what = format!("there is no *.sql or *.toml file in {}", path.display());
                faults.push(Report::error("lint::nothing", what));
            }
            Ok(files) => read.extend(files),
            Err(reports) => faults.extend(reports),
        }
    }
    let (mut scripts, mut plans, mut declaration): (Vec<Script>, Vec<_>, Vec<Arc<File>>) = Default::default();
    for file in read {
        let path = Path::new(&file.path);
        let is_legacy = request.config.schema.legacy.as_deref() == Some(path);
        if !is_legacy && request.config.schema.paths.iter().any(|it| path.starts_with(it)) {
            declaration.push(file);
        } else if path.extension().is_some_and(|it| it == "toml") {
            match PlanFile::read(&file) {
                Ok(plan) => plans.push((file, plan)),
                Err(reports) => faults.extend(reports),
            }
        } else {
            scripts.push(script::read(&file));
        }
    }
    if !faults.is_empty() {
        return Err(Failure::new(Exit::Failed, faults));
    }
    let mut linted = Linted::default();
    if !scripts.is_empty() {
        of_scripts(request, &scripts, &mut linted).await?;
    }
    for (file, plan) in &plans {
        of_plan(file, plan, &mut linted);
    }
    if !declaration.is_empty() || !plans.is_empty() {
        // What a plan leads to is the declared schema: that was proved when it was written.
        let files: BTreeSet<&str> = declaration.iter().map(|it| it.path.as_str()).collect();
        let only = plans.is_empty().then_some(&files);
        let both = of_declaration(request, only, &mut linted).await?;
        let digest = &both.declaration.digest;
        for (file, _) in plans.iter().filter(|(_, plan)| plan.to.declaration != *digest) {
            let what = format!("{} was made from another declaration than the one that is here", file.path);
            let help = "what is said of tenants is said of the declaration that is here; plan anew";
            linted.found.push(Found::new(Report::warning("lint::stale", what).help(help)));
        }
    }
    Ok(linted)
}

/// The check of the tenancies and what the API serves; of some files only, where they are named.
async fn of_declaration(
    request: &Request,
    only: Option<&BTreeSet<&str>>,
    linted: &mut Linted,
) -> Result<Both, Failure> {
    let is_asked = |places: &[Place]| {
        only.is_none_or(|only| places.iter().any(|place| only.contains(place.file.path.as_str())))
    };
    let both = match request.config.tenancy {
        Some(_) => {
            let (checked, both) = tenancy::check_declared(request).await?;
            let findings = checked.findings.into_iter().map(|(finding, place)| of_tenancy(&finding, place));
            linted.found.extend(findings.filter(|it| is_asked(&it.report.places)));
            linted.found.extend(checked.unused.into_iter().filter(|_| only.is_none()).map(Found::new));
            both
        }
        None => both_sides(request).await?,
    };
    let origins = Origins::new(&both.declaration);
    for mut hazard in design::of_schema(&both.declared) {
        acceptance::accept(&mut hazard, &[], &request.config.plan, &both.declaration.allows);
        let span = origins.span(&hazard.object, &both.declared);
        let found = told(&hazard, span.map(|span| both.declaration.place_of(span, &hazard.object.path)));
        if !design::is_unasked(&hazard) && is_asked(&found.report.places) {
            linted.found.push(found);
        }
    }
    let told = both.declaration.notes.iter().chain(&both.warnings).filter(|it| is_asked(&it.places));
    linted.found.extend(told.cloned().map(Found::new));
    Ok(both)
}

fn of_tenancy(finding: &check::Finding, place: Option<Place>) -> Found {
    Found {
        report: finding.report(place),
        object: Some(finding.object.to_string()),
        accepted: finding.accepted.clone(),
    }
}

/// The hazards of a plan's steps, as the file has them.
fn of_plan(file: &Arc<File>, plan: &PlanFile, linted: &mut Linted) {
    if plan.is_edited() {
        let report = Report::error("lint::edited", format!("{} was edited after it was written", file.path));
        linted.found.push(Found::new(report.help("plan anew, so that it is proved as it stands")));
    }
    for step in &plan.steps {
        for hazard in &step.hazards {
            let make = match hazard.needs_acceptance() {
                true => Report::error,
                false => Report::warning,
            };
            let message = format!("{}: {}", hazard.object, hazard.code.effect());
            let because = step.because.as_ref().map_or(String::new(), |it| format!(", for {it}"));
            let help =
                format!("step {} of {}{because}: {}; {}", step.id, file.path, hazard.why, hazard.code.safer());
            linted.found.push(Found {
                report: make(hazard.code.name(), message).help(help),
                object: Some(hazard.object.clone()),
                accepted: hazard.accepted.clone(),
            });
        }
    }
}

/// Tries scripts, one after the other, on one copy of the live side with rows in it.
async fn of_scripts(request: &Request, scripts: &[Script], linted: &mut Linted) -> Result<(), Failure> {
    let config = &request.config;
    let (_session, shadow, live) = live_side(request).await?;
    elaborate::roles(&shadow, &live.roles, &live.schema.creator.0).await?;
    let scope = tenancy::managed(config);
    let copied = Copied { shadow: &shadow, scope: &scope, live: &live };
    let mut tried = copied.tried(scripts, true, linted).await?;
    let of_rows = |tried: &[Tried]| {
        let ran = tried.iter().flat_map(|it| it.statements.iter().flatten());
        ran.filter_map(|it| it.failed.as_ref()).any(Refusal::is_of_rows)
    };
    if of_rows(&tried) {
        // Made-up rows do not fit, or break what a statement adds. That says nothing of the live side's.
        *linted = Linted { found: std::mem::take(&mut linted.found), ..Linted::default() };
        let told = "the scripts were tried without rows: those made for it do not fit what they add";
        tried = copied.tried(scripts, false, linted).await?;
        linted.found.push(Found::new(Report::note("lint::without_rows", told)));
    }
    let mut facts = live.facts.clone();
    if let Some(first) = tried.first() {
        facts.idle = config.plan.idle.tables(&first.start);
    }
    let origin = tried.first().map(|it| Rc::clone(&it.start)).unwrap_or_default();
    for (script, tried) in scripts.iter().zip(&tried) {
        let mut found = of_server(script, tried);
        found.extend(script.reports.iter().cloned().map(Found::new));
        let mut findings = lint::judge(script, tried, &origin, &mut facts);
        for Finding { hazard, .. } in findings.iter_mut().filter(|it| it.hazard.accepted.is_none()) {
            acceptance::accept(hazard, &[], &config.plan, &[]);
        }
        found.extend(script.unused(&findings).into_iter().map(Found::new));
        found.extend(findings.iter().map(|it| of_hazard(script, it)));
        found.sort_by_key(|it| it.report.places.first().map(|place| place.span.start));
        linted.found.extend(found);
        linted.statements += tried.statements.iter().flatten().count();
        linted.seen.extend(seen(script, tried));
    }
    let (Some(first), Some(last)) = (tried.first(), tried.last()) else { return Ok(()) };
    let end = last.statements.iter().flatten().last().map_or(&last.start, |it| &it.after);
    let states = Ends { start: &first.start, end, scripts, tried: &tried };
    states.of_tenancies(config, &live, linted)?;
    states.of_api(config, linted);
    states.of_design(config, linted);
    Ok(())
}

struct Copied<'a> {
    shadow: &'a Shadow,
    scope: &'a Scope,
    live: &'a Reading,
}

impl Copied<'_> {
    /// Runs the scripts on a new copy.
    async fn tried(&self, scripts: &[Script], rows: bool, linted: &mut Linted) -> Result<Vec<Tried>, Failure> {
        let schema = &self.live.schema;
        let (current, outside) = self.scope.split(schema);
        let mut described = elaborate::surroundings(schema, &outside);
        described.objects.extend(current.objects.clone());
        described.needs.extend(current.needs.clone());
        let copy = elaborate::copy(self.shadow, "lint", &described).await?;
        let missing = copy
            .missing
            .iter()
            .map(|(id, why)| Report::note("lint::copy", format!("{id} could not be made on the shadow: {why}")));
        linted.found.extend(missing.map(Found::new));
        let runner = copy.database.connect_as(&schema.creator.0).await?;
        let watcher = copy.database.connect().await?;
        if rows {
            let copied = self.scope.split(&copy.reading.schema).0;
            rows::fill(&runner, &copied, &copied, &[], &self.live.facts)
                .await
                .map_err(|error| super::session_failed(&error))?;
        }
        let trial = Trial { runner: &runner, watcher: &watcher, scope: self.scope };
        let tried = trial.run(scripts).await?;
        drop((runner, watcher));
        self.shadow.drop_database(copy.database).await?;
        Ok(tried)
    }
}

/// What the server said against statements, and what was not tried.
fn of_server(script: &Script, tried: &Tried) -> Vec<Found> {
    let file = &script.file;
    let mut found = vec![];
    for (statement, ran) in script.statements.iter().zip(&tried.statements) {
        let words = statement.span.start..statement.span.start + first_words(&statement.sql).len();
        let Some(ran) = ran else {
            let why = statement.beyond().unwrap_or_default();
            let report = Report::note("lint::not_tried", format!("this was not tried: {why}"));
            found.push(Found::new(report.at(file, words, "not tried")));
            continue;
        };
        for cut in &ran.cut {
            let help = "write a name of at most 63 bytes: what is longer is cut without an error";
            let report = Report::warning("lint::name_cut", cut.clone()).help(help);
            found.push(Found::new(report.at(file, words.clone(), "cut")));
        }
        if let Some(refusal) = &ran.failed {
            let at = refusal.at.map_or(words, |at| at_word(file, statement.span.start + at));
            let mut report = Report::error("lint::fails", format!("PostgreSQL refuses this: {}", refusal.message));
            report.help.clone_from(&refusal.help);
            found.push(Found::new(report.at(file, at, refusal.message.clone())));
        }
    }
    if tried.unfinished {
        let begun = script.statements.iter().rposition(|it| it.control() == Some(script::Control::Begin));
        let mut report = Report::warning("lint::unfinished", "the transaction is never committed")
            .help("without COMMIT, nothing of it stays when the session ends");
        if let Some(begun) = begun {
            report = report.at(file, script.statements[begun].span.clone(), "begun here");
        }
        found.push(Found::new(report));
    }
    found
}

/// The word that begins at a place.
fn at_word(file: &File, at: usize) -> Range<usize> {
    let rest = file.text.get(at..).unwrap_or_default();
    let length = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '"'))).unwrap_or(rest.len());
    at..at + length.max(1)
}

fn of_hazard(script: &Script, finding: &Finding) -> Found {
    let span = lint::words(script, finding.statement, &finding.hazard.object);
    told(&finding.hazard, Some(Place { file: Arc::clone(&script.file), span, label: String::new() }))
}

fn told(hazard: &Hazard, place: Option<Place>) -> Found {
    let Hazard { code, object, severity, why, accepted } = hazard;
    let make = match severity {
        Severity::Refuse => Report::error,
        Severity::Warn | Severity::Off => Report::warning,
    };
    let mut report = make(code.name(), format!("{object}: {}", code.effect())).help(code.safer());
    report.places.extend(place.map(|it| Place { label: why.clone(), ..it }));
    Found { report, object: Some(object.to_string()), accepted: accepted.clone() }
}

/// Each statement with what it was seen to do, a line each.
fn seen(script: &Script, tried: &Tried) -> Vec<String> {
    let line = |(statement, ran): (&script::Statement, &Option<Ran>)| {
        let ran = ran.as_ref()?;
        let place = Place { file: Arc::clone(&script.file), span: statement.span.clone(), label: String::new() };
        let mut said: Vec<String> = ran.locks.iter().map(|it| format!("{} {}", it.mode, it.relation)).collect();
        said.extend(ran.rewrites.iter().map(|it| format!("rewrites {it}")));
        said.extend(ran.scans.iter().map(|it| format!("reads all of {it}")));
        let said = if said.is_empty() { "no lock on what stood before".to_owned() } else { said.join(", ") };
        Some(format!("{place} {}: {said}", first_words(&statement.sql)))
    };
    script.statements.iter().zip(&tried.statements).filter_map(line).collect()
}

/// The schemas before the first script and after the last one.
struct Ends<'a> {
    start: &'a Schema,
    end: &'a Schema,
    scripts: &'a [Script],
    tried: &'a [Tried],
}

impl Ends<'_> {
    /// What the scripts bring in that lets one tenant reach another's rows.
    fn of_tenancies(&self, config: &Config, live: &Reading, linted: &mut Linted) -> Result<(), Failure> {
        if config.tenancy.is_none() {
            return Ok(());
        }
        // Nothing that is so already is the scripts' doing: where there are no tenants yet, not even that.
        let before = tenancy::checked(config, self.start, &live.roles, None);
        let (before, known) = match before {
            Ok(checked) => (checked.findings, vec![]),
            Err(failure) => (vec![], failure.reports),
        };
        let same = |one: &check::Finding, other: &check::Finding| {
            (one.code, &one.object, &one.message) == (other.code, &other.object, &other.message)
        };
        match tenancy::checked(config, self.end, &live.roles, None) {
            Ok(after) => {
                let new = after.findings.iter().map(|it| &it.0);
                let new = new.filter(|it| !before.iter().any(|(old, _)| same(old, it)));
                linted.found.extend(new.map(|it| of_tenancy(it, self.place(&it.object))));
            }
            Err(failure) => {
                let new =
                    failure.reports.into_iter().filter(|it| !known.iter().any(|old| old.message == it.message));
                linted.found.extend(new.map(Found::new));
            }
        }
        Ok(())
    }

    /// What the API serves once the scripts have run, and did not before.
    fn of_api(&self, config: &Config, linted: &mut Linted) {
        let api = config.api();
        if api.namespaces.is_empty() {
            return;
        }
        let before: BTreeSet<String> = api::exposed(self.start, &api).into_iter().map(|it| it.why).collect();
        for it in api::exposed(self.end, &api).into_iter().filter(|it| !before.contains(&it.why)) {
            let mut report = Report::warning(it.code, it.why).help(it.fix);
            report
                .places
                .extend(self.place(&it.object).map(|it| Place { label: "served by the API".into(), ..it }));
            linted.found.push(Found { object: Some(it.object.to_string()), ..Found::new(report) });
        }
    }

    /// What the scripts bring in that is better made otherwise, as far as the repository asks for it.
    fn of_design(&self, config: &Config, linted: &mut Linted) {
        let before: BTreeSet<_> =
            design::of_schema(self.start).into_iter().map(|it| (it.code, it.object)).collect();
        let mut new = design::of_schema(self.end);
        new.retain(|it| !before.contains(&(it.code, it.object.clone())));
        for mut hazard in new {
            acceptance::accept(&mut hazard, &[], &config.plan, &[]);
            if design::is_unasked(&hazard) {
                continue;
            }
            let statement = self.statement(&hazard.object);
            hazard.accepted = hazard.accepted.or_else(|| statement.and_then(|(_, it)| it.accepts(hazard.code)));
            linted.found.push(told(&hazard, self.place(&hazard.object)));
        }
    }

    fn place(&self, object: &ObjectId) -> Option<Place> {
        let (script, statement) = self.statement(object)?;
        let at = script.statements.iter().position(|it| std::ptr::eq(it, statement))?;
        let span = lint::words(script, at, object);
        Some(Place { file: Arc::clone(&script.file), span, label: String::new() })
    }

    /// The last statement that changed an object, else something of what it is a part of.
    fn statement(&self, object: &ObjectId) -> Option<(&Script, &script::Statement)> {
        let whole = self.end.whole_of(object);
        self.last(|id, _| id == object).or_else(|| self.last(|id, schema| schema.whole_of(id) == whole))
    }

    fn last(&self, is_meant: impl Fn(&ObjectId, &Schema) -> bool) -> Option<(&Script, &script::Statement)> {
        for (script, tried) in self.scripts.iter().zip(self.tried).rev() {
            let ran = script.statements.iter().zip(&tried.statements).rev();
            let mut ran = ran.filter_map(|(statement, ran)| Some((statement, ran.as_ref()?)));
            let found = ran.find(|(_, ran)| ran.changes.iter().any(|(id, _)| is_meant(id, &ran.after)));
            if let Some((statement, _)) = found {
                return Some((script, statement));
            }
        }
        None
    }
}
