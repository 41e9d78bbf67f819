//! Both sides of a plan, read and brought into scope: the live one from its server or file, the declared one by way of
//! the shadow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::future::{Either, select};

use super::{Failure, Live, Request, homes::homes, said::refused, tenancy, unmanaged};
use crate::adopt::Adoption;
use crate::config::{Config, Queries};
use crate::connect::Session;
use crate::diagnostic::{Exit, File, Report};
use crate::elaborate::kept::{self, Kept};
use crate::elaborate::{self, ElaborateError, bodies};
use crate::files;
use crate::introspect::{IntrospectError, Reading, introspect, introspect_together, is_large, server_message};
use crate::kind::{Kind, ObjectId};
use crate::passage::{Ground, Workbench};
use crate::plan::origin::Origins;
use crate::plan::seed::{self, RowPlace};
use crate::platform::api;
use crate::platform::{Api, Platform};
use crate::queries::{self, Query};
use crate::schema::Schema;
use crate::scope::{self, Scope};
use crate::shadow::Shadow;
use crate::source::{self, Declaration, Rank};
use crate::tenancy::{expand, template};

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
    pub(super) fn ground(&self) -> Ground<'_> {
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
        move || {
            let declaration = read_declaration(&config, 18)?;
            let likely = kept::likely(&declaration.digest);
            Ok::<_, Failure>((declaration, likely))
        }
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
    let (declaration, likely) = declaration.expect("reading files does not panic")?;
    let (session, shadow, mut live) = match early {
        Some(live) => live?,
        None => live.await?,
    };
    let present = present(&session, &declaration, &live.schema).await?;
    let files = declaration.digest.clone();
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
    let key = kept::key(&files, &read, shadow.version().number, &surroundings);
    let likely = likely.filter(|(name, _)| *name == key).map(|(_, kept)| kept);
    let elaborated = match likely.or_else(|| kept::find(&key)) {
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
    // How the rows of the real database lie, a file that stands for it can't know.
    if matches!(request.live, Live::Database(_)) {
        let (homes, unknown) = homes(&session, &current, &desired, &live.facts).await;
        live.facts.homes = homes;
        notes.extend(unknown);
    }
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
pub(super) async fn live_side(request: &Request) -> Result<(Session, Shadow, Reading), Failure> {
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

pub(super) fn session_failed(error: &tokio_postgres::Error) -> Failure {
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
