//! The way to a proof of isolation: the declared schema, or a live one copied, on the shadow.

use std::collections::{BTreeMap, BTreeSet};

use super::tenancy::declared;
use super::{Failure, Request, both_sides};
use crate::config::Config;
use crate::connect::Target;
use crate::diagnostic::Exit;
use crate::elaborate;
use crate::introspect::introspect;
use crate::kind::constraint::Rule;
use crate::kind::{Kind, Object};
use crate::schema::Schema;
use crate::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowSpec};
use crate::source::{Class, Global};
use crate::tenancy::prove::matrix::Matrix;
use crate::tenancy::prove::routes::{OWN, Route};
use crate::tenancy::prove::{self, Subject};
use crate::tenancy::settings::{Declared, Settings};
use crate::tenancy::{self, Shape, Tenancy};

/// Proves each tenancy of what is declared.
///
/// Errors: all that keeps a plan from being made, and what keeps anything from being tried.
pub async fn prove_declared(request: &Request) -> Result<Vec<Matrix>, Failure> {
    let declared = declared(&request.config)?;
    let both = both_sides(request).await?;
    let loaded = elaborate::declared(&both.shadow, &both.declaration, &both.surroundings).await?;
    let subject = Given {
        shadow: &both.shadow,
        database: loaded.database,
        schema: &loaded.schema,
        roles: &both.live.roles,
        notes: loaded.notes,
        globals: &both.declaration.globals,
    };
    subject.prove(&request.config, declared).await
}

/// Proves each tenancy of a live database, as it is. Nothing is written to it.
pub async fn prove_live(config: &Config, target: &Target, shadow: &ShadowSpec) -> Result<Vec<Matrix>, Failure> {
    let declared = declared(config)?;
    let session = target.connect().await?;
    let live = introspect(&session.client, false).await?;
    let shadow = Shadow::start(shadow, Some(session.version.major())).await?;
    elaborate::roles(&shadow, &live.roles, &live.schema.creator.0).await?;
    let copy = elaborate::copy(&shadow, "prove", &live.schema).await?;
    let missing = copy.missing.iter().map(|(id, why)| format!("{id} could not be made on the shadow: {why}"));
    let subject = Given {
        shadow: &shadow,
        database: copy.database,
        schema: &live.schema,
        roles: &live.roles,
        notes: missing.collect(),
        globals: &[],
    };
    subject.prove(config, declared).await
}

/// A schema on the shadow, with what is known of it.
struct Given<'a> {
    shadow: &'a Shadow,
    database: ShadowDatabase,
    schema: &'a Schema,
    roles: &'a [RoleSpec],
    notes: Vec<String>,
    globals: &'a [Global],
}

impl Given<'_> {
    async fn prove(self, config: &Config, declared: &Declared) -> Result<Vec<Matrix>, Failure> {
        let mut shape = Shape::of(self.schema);
        let scope = crate::scope::Scope {
            namespaces: config.manage.namespaces.clone(),
            ignore: config.manage.ignore.clone(),
            platform: config.platform,
            quarantine: config.quarantine(),
            ..crate::scope::Scope::all()
        };
        let managed = scope.split(self.schema).0;
        shape.tables.retain(|table, _| managed.contains(&crate::kind::table::id(table)));
        let tenancies =
            tenancy::resolve(declared, &shape, &|_| None).map_err(|reports| Failure::new(Exit::Failed, reports))?;
        let mut foreign: BTreeSet<String> = [OWN.to_owned(), crate::scope::JOURNAL_NAMESPACE.to_owned()].into();
        foreign.extend(config.platform.iter().flat_map(|it| it.facts().namespaces.iter().cloned()));
        let mut matrices = vec![];
        for (tenancy, settings) in tenancies.iter().zip(&declared.tenancies) {
            // Each tenancy has a database of its own to fill.
            let database = self.shadow.clone_database(&self.database, "tenants").await?;
            let allow = self.allowed(settings, tenancy);
            let subject = Subject {
                shadow: self.shadow,
                database: &database,
                tenancy,
                roles: self.roles,
                foreign: &foreign,
                allow: &allow,
                only: None,
            };
            let mut matrix = prove::prove(&subject).await?;
            matrix.notes.splice(0..0, self.notes.iter().cloned());
            matrices.push(matrix);
            self.shadow.drop_database(database).await?;
        }
        Ok(matrices)
    }

    /// What is accepted: by `[tenancy] allow`, and keys that are declared to be unique over all tenants.
    fn allowed(&self, settings: &Settings, tenancy: &Tenancy) -> BTreeMap<String, String> {
        let mut allowed: BTreeMap<String, String> =
            settings.allow.iter().map(|(code, why)| (code.get_ref().clone(), why.clone())).collect();
        for object in self.schema.of_kind(Kind::Constraint) {
            let Object::Constraint(constraint) = object else { continue };
            let Rule::Unique(unique) = &constraint.rule else { continue };
            if tenancy.class(&constraint.table).is_none() {
                continue;
            }
            let table = [&constraint.table.namespace, &constraint.table.name];
            let meant = |global: &&Global| match (global.beside.0, global.beside.1.as_slice()) {
                (Class::Constraint, [namespace, name, key]) => {
                    table == [namespace, name] && *key == constraint.name
                }
                (Class::Column, [namespace, name, column]) => {
                    table == [namespace, name] && unique.columns == [column.clone()]
                }
                _ => false,
            };
            if let Some(global) = self.globals.iter().find(meant) {
                for route in [Route::Collide, Route::Upsert] {
                    let code = format!("prove-{}:{}.{}", route.name(), constraint.table, constraint.name);
                    allowed.entry(code).or_insert_with(|| global.because.clone());
                }
            }
        }
        allowed
    }
}
