//! Views and materialized views over scoped tables.

use super::{Code, Look, Severity, spoken};
use crate::kind::{Kind, Object};
use crate::name::list;

pub(super) fn check(look: &mut Look<'_>) {
    for object in look.schema.of_kind(Kind::View) {
        let Object::View(view) = object else { continue };
        let id = object.id();
        let reads = look.reads(&id);
        if reads.is_empty() || view.options.security_invoker.is_on() {
            continue;
        }
        let reach = look.reach(&id, &["SELECT", "INSERT", "UPDATE", "DELETE"]);
        let (severity, who) = match reach.is_empty() {
            true => (Severity::Warning, String::new()),
            false => (Severity::Error, format!(", and {} may use it", spoken(&reach))),
        };
        let message = format!("view {} reads {} as its owner{who}", view.name, list(reads));
        look.find_as(Code::ViewRunsAsOwner, severity, id, message);
    }
    for object in look.schema.of_kind(Kind::MaterializedView) {
        let Object::MaterializedView(view) = object else { continue };
        let id = object.id();
        let reads = look.reads(&id);
        if reads.is_empty() {
            continue;
        }
        let reach = look.reach(&id, &["SELECT"]);
        let (severity, who) = match reach.is_empty() {
            true => (Severity::Note, String::new()),
            false => (Severity::Error, format!(", and {} may read it", spoken(&reach))),
        };
        let message = format!("materialized view {} holds rows of {}{who}", view.name, list(reads));
        look.find_as(Code::MaterializedViewShows, severity, id, message);
    }
}
