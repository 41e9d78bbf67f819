//! What a repository makes of hazards: which it allows, which it only wants to be told, which must be accepted by name.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::plan::hazard::{Code, Hazard};
use crate::source::nearest_hazard;

/// What is done about a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Accepted without a word.
    Allow,
    /// Told, and planned.
    Warn,
    /// Applied only when accepted by name.
    Refuse,
}

/// `[plan] hazards`: verdicts by `code`, or by `code:pattern` of objects such as `public.log_*`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, Verdict>")]
pub struct Policy(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    code: Code,
    objects: Option<GlobMatcher>,
    verdict: Verdict,
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        let said = |rule: &Rule| (rule.code, rule.objects.as_ref().map(|it| it.glob().clone()), rule.verdict);
        self.0.iter().map(said).eq(other.0.iter().map(said))
    }
}

impl TryFrom<BTreeMap<String, Verdict>> for Policy {
    type Error = String;

    fn try_from(verdicts: BTreeMap<String, Verdict>) -> Result<Self, String> {
        let rule = |(key, verdict): (String, Verdict)| {
            let (code, pattern) = key.split_once(':').map_or((key.as_str(), None), |(code, it)| (code, Some(it)));
            let Some(known) = Code::ALL.iter().find(|it| it.name() == code) else {
                let near = nearest_hazard(code).unwrap_or_default();
                return Err(format!("no hazard is called `{code}`; {near}"));
            };
            let objects = pattern.map(Glob::new).transpose();
            let objects = objects.map_err(|error| format!("`{key}` holds no pattern: {}", error.kind()))?;
            Ok(Rule { code: *known, objects: objects.map(|it| it.compile_matcher()), verdict })
        };
        Ok(Policy(verdicts.into_iter().map(rule).collect::<Result<_, _>>()?))
    }
}

impl Policy {
    /// The verdict on a hazard, where the repository has one: by a pattern rather than by the code alone, and of several
    /// patterns the strictest.
    pub fn verdict(&self, hazard: &Hazard) -> Option<Verdict> {
        let path: Vec<&str> = hazard.object.path.iter().map(|it| it.as_str()).collect();
        let path = path.join(".");
        let of_code = self.0.iter().filter(|it| it.code == hazard.code);
        of_code
            .filter(|it| it.objects.as_ref().is_none_or(|objects| objects.is_match(&path)))
            .max_by_key(|it| (it.objects.is_some(), it.verdict))
            .map(|it| it.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Kind, ObjectId};
    use crate::name::Name;
    use crate::plan::Step;

    fn policy(text: &str) -> Result<Policy, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_pattern_comes_before_a_code_and_the_strictest_pattern_first() {
        let policy = policy(
            "drop-index = 'refuse'\n'drop-index:public.tmp_*' = 'allow'\n'drop-index:public.*_big' = 'warn'",
        )
        .unwrap();
        let verdict = |code: Code, name: &str| {
            let object = ObjectId::new(Kind::Index, [&Name::from("public"), &Name::from(name)]);
            policy.verdict(&Step::new("").hazard(code, object, "").hazards[0])
        };
        assert_eq!(verdict(Code::DropIndex, "a"), Some(Verdict::Refuse));
        assert_eq!(verdict(Code::DropIndex, "tmp_a"), Some(Verdict::Allow));
        assert_eq!(verdict(Code::DropIndex, "tmp_big"), Some(Verdict::Warn));
        assert_eq!(verdict(Code::DropTable, "a"), None);
    }

    #[test]
    fn what_is_no_hazard_or_no_verdict_is_said() {
        assert!(policy("drop-tabel = 'warn'").unwrap_err().contains("did you mean `drop-table`?"));
        assert!(policy("drop-table = 'maybe'").unwrap_err().contains("unknown variant `maybe`"));
        assert!(policy("'drop-table:[' = 'warn'").unwrap_err().contains("holds no pattern"));
    }
}
