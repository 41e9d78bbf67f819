//! Functions that run with their owner's rights.

use std::collections::BTreeSet;

use super::condition::calls;
use super::{Code, Look, Severity, spoken};
use crate::kind::{Kind, Object};
use crate::name::{QName, list};
use crate::tenancy::Carrier;

pub(super) fn check(look: &mut Look<'_>) {
    // What a body that asks for the tenant names: the functions of `current`, or the setting that they read.
    let mut markers: BTreeSet<String> = look.tenancy.levels.iter().flat_map(|it| calls(&it.current)).collect();
    markers.remove("current_setting");
    let settings: BTreeSet<String> = look
        .tenancy
        .levels
        .iter()
        .filter_map(|it| crate::tenancy::Session::derived(&it.current, look.schema))
        .map(|it| match it.place {
            Carrier::Setting(setting) | Carrier::Claims { setting, .. } => setting,
        })
        .collect();
    for object in look.schema.of_kind(Kind::Routine) {
        let Object::Routine(routine) = object else { continue };
        if !routine.security_definer {
            continue;
        }
        let id = object.id();
        let has_path = routine.settings.0.iter().any(|it| it.starts_with("search_path="));
        if !has_path {
            let message = format!("function {} runs as its owner under the caller's search_path", routine.name);
            look.find(Code::DefinerSearchPath, id.clone(), message);
        }
        let mut reads = look.reads(&id);
        for wish in object.wishes() {
            if let (Kind::Table | Kind::Column, [namespace, name, ..]) = (wish.kind, &wish.path[..]) {
                let table = QName::new(namespace.clone(), name.clone());
                reads.extend(look.tables.get_key_value(&table).map(|(table, _)| *table));
            }
        }
        let Some(text) = routine.text().filter(|_| !reads.is_empty()) else { continue };
        let words = crate::source::syntax::words(text);
        let constants = crate::tenancy::session::constants(text);
        if words.iter().any(|it| markers.contains(it)) || constants.iter().any(|it| settings.contains(it)) {
            continue;
        }
        let reach = look.reach(&id, &["EXECUTE"]);
        let (severity, who) = match reach.is_empty() {
            true => (Severity::Warning, String::new()),
            false => (Severity::Error, format!(", and {} may call it", spoken(&reach))),
        };
        let message = format!("function {} uses {} as its owner{who}", routine.name, list(reads));
        look.find_as(Code::DefinerWithoutTenant, severity, id, message);
    }
}
