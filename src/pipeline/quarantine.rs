//! What a plan does with tables that go, where `[plan] quarantine` says so.

use super::{Both, Failure, Request, refused};
use crate::diagnostic::{Exit, Report};
use crate::elaborate;
use crate::passage::quarantine::{self, Quarantine};
use crate::passage::{Ground, PassageError};
use crate::schema::{Facts, Schema};

/// Where the tables that go are moved instead, if that is asked for.
pub(super) async fn quarantined(
    request: &Request,
    both: &Both,
    start: Schema,
    desired: &Schema,
    facts: &Facts,
) -> Result<Quarantine, Failure> {
    let settings = &request.config.plan;
    let Some(place) = settings.quarantine.as_ref().filter(|_| quarantine::is_needed(&start, desired)) else {
        return Ok(Quarantine { start, kept: desired.clone(), ..Quarantine::default() });
    };
    if settings.empty_quarantine {
        let others = quarantine::gone(&start, desired).filter(|it| it.namespace != place.0);
        let others: Vec<String> = others.map(|it| it.to_string()).collect();
        if others.is_empty() {
            return Ok(Quarantine { start, kept: desired.clone(), ..Quarantine::default() });
        }
        let message = format!("{} would be dropped with what is in the quarantine", others.join(", "));
        let report = Report::error("plan::quarantine", message)
            .help("plan without --empty-quarantine first: it moves there what goes; then empty it");
        return Err(Failure::new(Exit::Failed, vec![report]));
    }
    elaborate::roles(&both.shadow, &both.live.roles, &both.live.schema.creator.0).await?;
    let scope = both.scope.with_rights();
    let ground = Ground { scope: &scope, ..both.ground() };
    match quarantine::quarantine(ground, place, &both.live.schema, start, desired, facts).await {
        Ok(found) => Ok(found),
        Err(PassageError::Plan(errors)) => Err(refused(&errors, &both.declaration, &both.desired)),
        Err(error) => Err(error.into()),
    }
}
