//! Tables that the repository declares to be used by nobody while a plan runs: they get the plain forms, and none of the
//! hazards that are about those who wait or still use an old name. What rows lose stays a hazard.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::kind::{Kind, table};
use crate::name::QName;
use crate::plan::hazard::{Code, Hazard};
use crate::schema::{Facts, Schema};

/// `[plan] idle`: patterns of `namespace.name`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Idle(Vec<GlobMatcher>);

impl PartialEq for Idle {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(GlobMatcher::glob).eq(other.0.iter().map(GlobMatcher::glob))
    }
}

impl TryFrom<Vec<String>> for Idle {
    type Error = String;

    fn try_from(patterns: Vec<String>) -> Result<Self, String> {
        let pattern = |it: &String| match Glob::new(it) {
            Ok(glob) => Ok(glob.compile_matcher()),
            Err(error) => Err(format!("`{it}` is no pattern: {}", error.kind())),
        };
        Ok(Idle(patterns.iter().map(pattern).collect::<Result<_, _>>()?))
    }
}

impl Idle {
    /// The tables that are meant, with all that is below them.
    pub fn tables(&self, schema: &Schema) -> BTreeSet<QName> {
        let is_meant = |name: &QName| {
            let mut open = vec![name.clone()];
            while let Some(next) = open.pop() {
                if self.0.iter().any(|it| matches(it, &next)) {
                    return true;
                }
                open.extend(table::parents(schema, &next));
            }
            false
        };
        names(schema).filter(is_meant).collect()
    }

    /// The patterns that mean no table.
    pub fn idly(&self, schema: &Schema) -> Vec<String> {
        let means_nothing = |it: &&GlobMatcher| !names(schema).any(|name| matches(it, &name));
        self.0.iter().filter(means_nothing).map(|it| it.glob().to_string()).collect()
    }
}

fn matches(pattern: &GlobMatcher, name: &QName) -> bool {
    pattern.is_match(format!("{}.{}", name.namespace.as_str(), name.name.as_str()))
}

fn names(schema: &Schema) -> impl Iterator<Item = QName> {
    let relations = schema.of_kind(Kind::Table).chain(schema.of_kind(Kind::MaterializedView));
    relations.filter_map(|it| match &it.id().path[..] {
        [namespace, name] => Some(QName { namespace: namespace.clone(), name: name.clone() }),
        _ => None,
    })
}

/// Whether nobody is there whom the hazard could meet.
pub fn spares(hazard: &Hazard, facts: &Facts) -> bool {
    let [namespace, name, ..] = &hazard.object.path[..] else { return false };
    let relation = QName { namespace: namespace.clone(), name: name.clone() };
    is_of_users(hazard.code) && facts.idle.contains(&relation)
}

/// Whether the hazard is that somebody waits, or uses what is no longer there.
fn is_of_users(code: Code) -> bool {
    matches!(
        code,
        Code::Rename
            | Code::RewriteTable
            | Code::ScanUnderLock
            | Code::BlockingIndex
            | Code::AttachScan
            | Code::SetUnlogged
            | Code::DropDefault
            | Code::GeneratedAlways
            | Code::DropNotNull
            | Code::RecreateObject
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_none_is_said() {
        let read = |text: &str| toml::from_str::<std::collections::BTreeMap<String, Idle>>(text);
        assert!(read("idle = ['app.log_*']").is_ok());
        assert!(read("idle = ['app.[']").unwrap_err().to_string().contains("`app.[` is no pattern"));
    }
}
