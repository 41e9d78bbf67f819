//! What the declared tenancies come to for a schema, and what their check finds in it.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Both, Failure, Live, Request, both_sides};
use crate::config::Config;
use crate::connect::{Session, Target};
use crate::diagnostic::{Exit, Place, Report};
use crate::introspect::{introspect, server_message};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::plan::origin::Origins;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::shadow::RoleSpec;
use crate::source::Declaration;
use crate::tenancy::check::{self, Exceptions, Finding, Severity};
use crate::tenancy::rows::questions;
use crate::tenancy::{self, Findings, Shape, Tenancy, resolve, settings};

/// The tenancies with what was found, each finding with its place in the files.
#[derive(Debug)]
pub struct Checked {
    pub tenancies: Vec<Tenancy>,
    pub findings: Vec<(Finding, Option<Place>)>,
    /// What is wrong with the rows of a live side.
    pub rows: Vec<Report>,
    /// Exceptions that except nothing.
    pub unused: Vec<Report>,
}

impl Checked {
    /// What nobody accepted and is more than a note.
    pub fn open(&self) -> impl Iterator<Item = &(Finding, Option<Place>)> {
        self.findings.iter().filter(|(it, _)| it.accepted.is_none() && it.severity > Severity::Note)
    }

    /// As programs read it.
    pub fn json(&self) -> serde_json::Value {
        let one = |(finding, place): &(Finding, Option<Place>)| {
            json!({
                "code": finding.code,
                "severity": finding.severity,
                "object": finding.object.to_string(),
                "message": finding.message,
                "why": finding.code.why(),
                "fix": finding.code.fix(),
                "place": place.as_ref().map(ToString::to_string),
                "accepted": finding.accepted,
            })
        };
        self.findings.iter().map(one).collect()
    }
}

/// The declared tenancies for the tables of a schema that was read from a server.
///
/// Errors: no tenancy is declared; see [`resolve`].
pub fn tenancies(
    config: &Config,
    schema: &Schema,
    declaration: Option<&Declaration>,
) -> Result<Vec<Tenancy>, Failure> {
    let declared = declared(config)?;
    let origins = declaration.map(Origins::new);
    let place = |table: &QName| {
        let span = origins.as_ref()?.span(&crate::kind::table::id(table), schema)?;
        Some(declaration?.place(span, "declared here"))
    };
    let failed = |reports| Failure::new(Exit::Failed, reports);
    let mut tenancies = resolve(declared, &Shape::of(schema), &place).map_err(failed)?;
    for tenancy in &mut tenancies {
        if tenancy.session.is_none() {
            tenancy.session = tenancy.levels.first().and_then(|it| tenancy::Session::derived(&it.current, schema));
        }
    }
    Ok(tenancies)
}

/// What `[tenancy]` says. Errors: there is none, and nothing that could be expanded, checked or proved.
pub fn declared(config: &Config) -> Result<&settings::Declared, Failure> {
    config.tenancy.as_ref().ok_or_else(|| {
        let report = Report::error("tenancy::none", "no tenancy is declared")
            .help("declare [tenancy] in tenantry.toml; docs/tenancy.md shows how");
        Failure::new(Exit::Usage, vec![report])
    })
}

/// Checks a schema with the roles of its server.
pub fn checked(
    config: &Config,
    schema: &Schema,
    roles: &[RoleSpec],
    declaration: Option<&Declaration>,
) -> Result<Checked, Failure> {
    let settings = declared(config)?;
    let unknown = Exceptions::unknown(settings);
    if !unknown.is_empty() {
        return Err(Failure::new(Exit::Failed, unknown));
    }
    let tenancies = tenancies(config, schema, declaration)?;
    let origins = declaration.map(Origins::new);
    let (mut findings, mut unused) = (vec![], vec![]);
    let file = &settings.file;
    for (tenancy, settings) in tenancies.iter().zip(&settings.tenancies) {
        let exceptions = Exceptions::new(settings, declaration);
        let found = check::check(schema, roles, tenancy, &exceptions);
        unused.extend(Exceptions::without_effect(settings, file, &found));
        for finding in found {
            let span = origins.as_ref().and_then(|it| it.span(&finding.object, schema));
            let place = span.zip(declaration).map(|(span, it)| it.place_of(span, &finding.object.path));
            findings.push((finding, place));
        }
    }
    Ok(Checked { tenancies, findings, rows: vec![], unused })
}

/// Checks the declared schema, with the roles of the live side and what it grants where the declaration says nothing.
pub async fn check_declared(request: &Request) -> Result<(Checked, Both), Failure> {
    declared(&request.config)?;
    let both = both_sides(request).await?;
    let checked = checked(&request.config, &both.declared, &both.live.roles, Some(&both.declaration))?;
    Ok((checked, both))
}

/// How long a question to the rows may take.
const PATIENCE: &str = "SET statement_timeout = '60s'; SET default_transaction_read_only = on";

/// What the rows of the live side would break, asked before the first step. Reads only.
pub async fn rows(
    tenancies: &[Tenancy],
    session: &Session,
    live: &Schema,
    desired: &Schema,
    backfills: &BTreeMap<(QName, Name), String>,
) -> Result<Vec<Report>, Failure> {
    let broken = |error: &tokio_postgres::Error| {
        let report =
            Report::error("tenancy::rows", format!("the rows could not be asked: {}", server_message(error)));
        Failure::new(Exit::Failed, vec![report])
    };
    session.client.batch_execute(PATIENCE).await.map_err(|error| broken(&error))?;
    let mut reports = vec![];
    for question in tenancies.iter().flat_map(|it| questions(it, live, desired, backfills)) {
        match session.client.query_one(&question.sql, &[]).await {
            Ok(answer) => reports.extend(question.answered(answer.get(0), answer.get(1))),
            Err(error) if error.as_db_error().is_some() => {
                let why = server_message(&error);
                let message = format!("whether the rows of {} fit could not be asked: {why}", question.object);
                reports.push(
                    Report::warning("tenancy::rows", message).help("ask them by hand before the plan is applied"),
                );
            }
            Err(error) => return Err(broken(&error)),
        }
    }
    Ok(reports)
}

/// The declared tenancies as they hold for the tables of a live database; none where none is declared.
pub async fn live_tenancies(config: &Config, target: &Target) -> Result<Vec<Tenancy>, Failure> {
    if config.tenancy.is_none() {
        return Ok(vec![]);
    }
    let session = target.connect().await?;
    let reading = introspect(&session.client, false).await?;
    tenancies(config, &managed(config).split(&reading.schema).0, None)
}

/// What is managed of a database that is looked at as it is.
pub(super) fn managed(config: &Config) -> Scope {
    let manage = &config.manage;
    Scope {
        namespaces: manage.namespaces.clone(),
        ignore: manage.ignore.clone(),
        platform: config.platform,
        quarantine: config.quarantine(),
        ..Scope::all()
    }
}

/// Checks a live database as it is.
pub async fn check_live(config: &Config, target: &Target) -> Result<Checked, Failure> {
    declared(config)?;
    let session = target.connect().await?;
    let reading = introspect(&session.client, false).await?;
    let mut schema = managed(config).split(&reading.schema).0;
    schema.unmanaged.clone_from(&reading.schema.unmanaged);
    let checked = checked(config, &schema, &reading.roles, None)?;
    let rows = rows(&checked.tenancies, &session, &schema, &schema, &BTreeMap::new()).await?;
    Ok(Checked { rows, ..checked })
}

/// All that is declared within the scope, with the owners and privileges that it will have: where the declaration does
/// not speak of them, those of the live side.
pub fn with_rights(scope: &Scope, elaborated: &Schema, live: &Schema) -> Schema {
    let whole = Scope {
        owners: true,
        grants: true,
        default_privileges: true,
        extensions: true,
        publications: true,
        ..scope.clone()
    };
    let mut schema = whole.split(elaborated).0;
    schema.unmanaged.clone_from(&elaborated.unmanaged);
    let spoken = [(Kind::Owner, scope.owners), (Kind::Grants, scope.grants)];
    for (kind, _) in spoken.into_iter().filter(|(_, spoken)| !spoken) {
        let on = |object: &Object| -> Option<ObjectId> {
            match object {
                Object::Owner(it) => Some(it.on.clone()),
                Object::Grants(it) => Some(it.on.clone()),
                _ => None,
            }
        };
        for object in live.of_kind(kind) {
            if on(object).is_some_and(|on| schema.contains(&on)) {
                schema.objects.insert(object.id(), object.clone());
            }
        }
    }
    schema
}

/// What a plan says of its tenancies: findings as notes, or as the reason why there is no plan. Rows of the live side
/// that would belong to nobody or to two tenants, and values that would collide, are such a reason.
pub async fn for_plan(request: &Request, both: &Both) -> Result<(Vec<String>, Vec<Report>), Failure> {
    let config = &request.config;
    let Some(settings) = &config.tenancy else { return Ok((vec![], vec![])) };
    let mut checked = checked(config, &both.declared, &both.live.roles, Some(&both.declaration))?;
    let unused = std::mem::take(&mut checked.unused);
    if let Live::Database(target) = &request.live {
        let filled = both.declaration.backfills.iter();
        let filled = filled.map(|it| ((it.table.clone(), it.column.clone()), it.expression.clone())).collect();
        let session = target.connect().await?;
        let rows = rows(&checked.tenancies, &session, &both.current, &both.desired, &filled).await?;
        if rows.iter().any(Report::is_error) {
            return Err(Failure::new(Exit::Failed, rows));
        }
    }
    let strict = settings.tenancies.iter().any(|it| it.findings == Findings::Error);
    let open: Vec<&(Finding, Option<Place>)> = checked.open().collect();
    if strict && open.iter().any(|(it, _)| it.severity == Severity::Error) {
        let reports = open.iter().map(|(finding, place)| finding.report(place.clone())).collect();
        return Err(Failure::new(Exit::Pending, reports));
    }
    let line = |(finding, _): &(Finding, Option<Place>)| match &finding.accepted {
        Some(because) => format!("tenancy: {}; accepted: {because}", finding.message),
        None => format!("tenancy: {}: {}", finding.code, finding.message),
    };
    let shown = checked.findings.iter().filter(|(it, _)| it.severity > Severity::Note);
    let kept = both.declaration.notes.iter().filter(|it| it.code == "tenancy::kept");
    let notes = kept.map(|it| format!("tenancy: {}", it.message)).chain(shown.map(line)).collect();
    let reports = open.iter().map(|(finding, place)| finding.report(place.clone()));
    Ok((notes, reports.chain(unused).collect()))
}
