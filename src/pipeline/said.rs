//! What is said of a plan, or of why there is none, each at its place in the declaration.

use std::collections::BTreeSet;

use super::{Both, Failure};
use crate::config::PlanSettings;
use crate::diagnostic::{Exit, Place, Report};
use crate::diff::{Change, diff};
use crate::introspect::Reading;
use crate::kind::unmanaged::Unmanaged;
use crate::kind::{ObjectId, publication};
use crate::name::Name;
use crate::plan::hazard::{Code, Hazard};
use crate::plan::origin::Origins;
use crate::plan::rename::Suspect;
use crate::plan::{self, Disturbance, Half, PlanError, Planned, Stage, Step, disturb};
use crate::proof::trial::Fate;
use crate::queries::Query;
use crate::schema::{Facts, Schema};
use crate::source::Declaration;

/// What `[plan]` names and nothing is called: patterns of idle tables, and publications.
pub(super) fn idly(settings: &PlanSettings, both: &Both) -> Vec<Report> {
    let (before, after) = (settings.idle.idly(&both.current), settings.idle.idly(&both.desired));
    let nothing = before.into_iter().filter(|it| after.contains(it));
    let report = |it: String| {
        Report::warning("plan::idle", format!("[plan] idle names `{it}`, and no table is called so"))
            .help("patterns are of `namespace.name`, such as `public.log_*`")
    };
    let is_known = |it: &&Name| [&both.current, &both.desired].iter().any(|at| at.contains(&publication::id(it)));
    let unknown = settings.open_publications.iter().filter(|it| !is_known(it));
    let unknown = unknown.map(|it| {
        let message = format!("[plan] open_publications names {it}, and no publication is called so");
        Report::warning("plan::open_publications", message)
    });
    nothing.map(report).chain(unknown).collect()
}

pub(super) fn questions(suspects: &[Suspect], both: &Both) -> Failure {
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

pub(super) fn refused(errors: &[PlanError], declaration: &Declaration, schema: &Schema) -> Failure {
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
pub(super) fn in_the_way(steps: &[Planned], both: &Both) -> Vec<Report> {
    let dropped = steps.iter().flat_map(|it| &it.does).filter(|(_, half)| *half == Half::Drop).map(|(id, _)| id);
    let disturbed = steps.iter().flat_map(|it| &it.step.disturbs).map(|(id, _)| id);
    let touched: BTreeSet<&ObjectId> = dropped.chain(disturbed).collect();
    let live = &both.live.schema;
    let outside = live
        .needs
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
        });
    let comes = |id: &&ObjectId| steps.iter().any(|it| it.does.contains(&((*id).clone(), Half::Create)));
    let anew = touched.iter().copied().filter(comes).chain(swapped(steps.iter().map(|it| &it.step)));
    outside.chain(unmanaged_in_the_way(&touched, &anew.collect(), &both.live)).collect()
}

/// The same of what no kind describes, before anything is asked of the shadow: it would stop there as well, and be no
/// better told.
pub(super) fn in_the_way_of(start: &Schema, desired: &Schema, facts: &Facts, live: &Reading) -> Vec<Report> {
    if live.unmanaged.iter().all(|it| it.needs.is_empty()) {
        return vec![];
    }
    let changes = diff(start, desired);
    let settled = disturb::settle(start, desired, facts, &changes);
    let dropped = changes.iter().filter(|(_, change)| **change == Change::Drop).map(|(id, _)| id);
    let steps = || settled.altered.values().flatten();
    let disturbed = steps().flat_map(|it| &it.disturbs).map(|(id, _)| id);
    let touched: BTreeSet<&ObjectId> = dropped.chain(&settled.replaced).chain(disturbed).collect();
    let anew: BTreeSet<&ObjectId> = settled.replaced.iter().chain(swapped(steps())).collect();
    unmanaged_in_the_way(&touched, &anew, live)
}

/// What another takes the place of.
fn swapped<'a>(steps: impl Iterator<Item = &'a Step>) -> impl Iterator<Item = &'a ObjectId> {
    steps.flat_map(|it| &it.disturbs).filter(|(_, how)| *how == Disturbance::Swap).map(|(id, _)| id)
}

/// What no kind describes and stands on something that goes or is made anew. What is said of an object alone is lost
/// where that is made anew.
fn unmanaged_in_the_way(touched: &BTreeSet<&ObjectId>, anew: &BTreeSet<&ObjectId>, live: &Reading) -> Vec<Report> {
    let stops = |it: &Unmanaged, id: &ObjectId| touched.contains(id) && (!it.is_of || anew.contains(id));
    let found = live.unmanaged.iter().filter_map(|it| Some((it, it.needs.iter().find(|id| stops(it, id))?)));
    found
        .map(|(it, need)| {
            let (name, how) = (&it.name, if it.is_of { "would be lost with" } else { "depends on" });
            let message = format!("{name} is not managed, and {how} {need}, which the plan drops or makes anew");
            Report::error("plan::unmanaged_depends", message).help(
                "drop it by hand on the live side, or make it stand on something else; where it shall stay, make it again \
                 once the plan is applied",
            )
        })
        .collect()
}

/// Required columns without a value for rows that exist: no acceptance can make such a step work.
pub(super) fn impossible(steps: &[Planned], both: &Both) -> Vec<Report> {
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
                let place = both.declaration.place_of(span, &hazard.object.path);
                report.places.push(Place { label: hazard.why.clone(), ..place });
            }
            report
        })
        .collect()
}

/// The statements that a step breaks, each with the stage of that step. In `contract` they retire; before it, or where
/// they are to be kept, breaking them is a hazard of the step.
pub(super) fn retired(queries: &[Query], fates: &[Fate], steps: &mut [Planned]) -> Vec<(Stage, String)> {
    let mut retired = vec![];
    for (query, fate) in queries.iter().zip(fates) {
        let Fate::Breaks { place, error } = fate else { continue };
        let planned = &mut steps[*place];
        if planned.step.stage == Stage::Contract && !query.keep {
            retired.push((Stage::Contract, format!("{}: {error}", query.place)));
        } else {
            let (code, object) = (Code::BreaksQuery, planned.subject.clone());
            let why = format!("{}: {error}", query.place);
            planned.step.hazards.push(Hazard::new(code, object, why));
        }
    }
    retired
}

/// What is told of statements beside hazards and gates: from where new ones work, and which never do.
pub(super) fn fates(queries: &[Query], fates: &[Fate], steps: &[Planned]) -> Vec<Report> {
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
