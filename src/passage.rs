//! Passages: parts of a plan that come before the rest of it, because one thing takes the place of another of the same
//! name while it is in use. What a passage leads to is read back from the shadow, so the rest of the plan starts from
//! what PostgreSQL made of it, and whatever a passage leaves undone is an ordinary difference.
//!
//! A passage is made of differences itself: it describes the schemas that it goes through, and the planner finds the
//! steps from each to the next. All of it belongs to `expand`, since old and new code work all the way; what is left over
//! for a way back goes in `contract`, as a difference.

use miette::Diagnostic;
use thiserror::Error;

use crate::connect::Session;
use crate::elaborate::{self, ElaborateError};
use crate::introspect::{IntrospectError, introspect, server_message};
use crate::kind::{ObjectId, column};
use crate::name::Role;
use crate::plan::relocate::Move;
use crate::plan::{PlanError, Planned};
use crate::proof::observe;
use crate::schema::{Facts, Schema};
use crate::scope::Scope;
use crate::shadow::{Shadow, ShadowDatabase, ShadowError};

mod copying;
mod mirror;
mod partitioned;
mod partitioning;
pub mod quarantine;
mod retyping;

pub use partitioned::{Homeless, homeless};

/// Why a passage could not be found.
#[derive(Debug, Error, Diagnostic)]
pub enum PassageError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Elaborate(#[from] ElaborateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Introspect(#[from] IntrospectError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),
    #[error("a statement on the way was refused by the shadow server: {}\n{sql}", server_message(.source))]
    #[diagnostic(code(passage::statement), help("please report this; the plan is not written"))]
    Statement { sql: String, source: tokio_postgres::Error },
    #[error("there is no way to what is declared")]
    Plan(Vec<PlanError>),
}

/// Where passages are tried out.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub shadow: &'a Shadow,
    /// What stands outside the scope and may be referred to.
    pub surroundings: &'a Schema,
    pub scope: &'a Scope,
}

/// Steps that come first, and what is there once they are done.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub steps: Vec<Planned>,
    pub schema: Schema,
    pub facts: Facts,
}

/// Whether there is any passage between the two: what follows needs a server.
pub fn is_needed(start: &Schema, desired: &Schema, facts: &Facts) -> bool {
    partitioning::is_needed(start, desired, facts) || retyping::is_needed(start, desired, facts)
}

/// The passages on the way from one managed schema to the other.
///
/// Errors: what can't be had as declared, each with the reason; or what the shadow says.
pub async fn passages(
    ground: Ground<'_>,
    start: Schema,
    desired: &Schema,
    facts: Facts,
) -> Result<Passage, PassageError> {
    let passage = Passage { steps: vec![], schema: start, facts };
    let passage = partitioning::passage(ground, passage, desired).await?;
    retyping::passage(ground, passage, desired).await
}

/// What the server says of the expressions of moves that it does not take.
///
/// Errors: the shadow could not be asked.
pub async fn tried(
    ground: Ground<'_>,
    moved: &[Move],
    start: &Schema,
    desired: &Schema,
) -> Result<Vec<PlanError>, PassageError> {
    let mut refused = vec![];
    for (place, schema) in [start, desired].into_iter().enumerate() {
        let workbench = Workbench::with(ground, schema).await?;
        for it in moved {
            for (table, name, query) in &it.tried(start, desired)[place] {
                if let Err(PassageError::Statement { source, .. }) = workbench.say(query).await {
                    let reason = format!(
                        "the server does not take its expression: {}; where several rows belong to one, an aggregate puts \
                         them together, such as `max(…)` or `(array_agg(… ORDER BY …))[1]`",
                        server_message(&source)
                    );
                    refused.push(PlanError::Refused { object: column::id(table, name), reason });
                }
            }
        }
        drop(workbench.finish().await?);
    }
    Ok(refused)
}

/// A database on the shadow that holds a described schema without rows: what steps make of it can be read back.
pub struct Workbench<'a> {
    ground: Ground<'a>,
    database: ShadowDatabase,
    session: Session,
    /// What could not be made of what was described, and why.
    pub missing: Vec<(ObjectId, String)>,
}

impl<'a> Workbench<'a> {
    /// Holds the managed schema that is given, beside what surrounds it.
    pub async fn with(ground: Ground<'a>, managed: &Schema) -> Result<Workbench<'a>, PassageError> {
        let mut described = ground.surroundings.clone();
        described.server_version = managed.server_version;
        described.creator.clone_from(&managed.creator);
        described.objects.extend(managed.objects.clone());
        described.needs.extend(managed.needs.clone());
        let copy = elaborate::copy(ground.shadow, "workbench", &described).await?;
        let workbench = Workbench::on(ground, copy.database, &managed.creator).await?;
        Ok(Workbench { missing: copy.missing, ..workbench })
    }

    /// Goes on with a database that is there.
    pub async fn on(
        ground: Ground<'a>,
        database: ShadowDatabase,
        creator: &Role,
    ) -> Result<Workbench<'a>, PassageError> {
        let session = database.connect_as(&creator.0).await?;
        let workbench = Workbench { ground, database, session, missing: vec![] };
        workbench.say(observe::SESSION).await?;
        Ok(workbench)
    }

    /// Runs statements as they stand.
    pub async fn say(&self, sql: &str) -> Result<(), PassageError> {
        let refused = |source| PassageError::Statement { sql: sql.to_owned(), source };
        self.session.client.batch_execute(sql).await.map_err(refused)
    }

    /// Runs the statements of steps.
    pub async fn run(&self, steps: &[Planned]) -> Result<(), PassageError> {
        for it in steps {
            self.say(&it.step.sql).await?;
        }
        Ok(())
    }

    /// The managed part of what it holds now.
    pub async fn schema(&self) -> Result<Schema, PassageError> {
        let schema = introspect(&self.session.client, false).await?.schema;
        Ok(self.ground.scope.split(&schema).0)
    }

    /// The same as [`Workbench::schema`], after which the database goes.
    pub async fn finish(self) -> Result<Schema, PassageError> {
        let schema = self.schema().await?;
        let Workbench { ground, database, session, .. } = self;
        drop(session);
        ground.shadow.drop_database(database).await?;
        Ok(schema)
    }
}
