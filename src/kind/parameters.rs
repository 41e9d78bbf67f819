//! Parameters in `WITH (…)` and `SET (…)`, as `reloptions` and `attoptions` hold them.

use serde::{Deserialize, Serialize, Serializer};

use crate::kind::canonical;
use crate::name::{Literal, list};

/// Names and values in the order in which they were set. The order is kept for those who read a dump, and makes no
/// difference.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Parameters(Vec<(String, String)>);

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = self.0.clone();
        if canonical() {
            items.sort();
        }
        items.serialize(serializer)
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|it| other.0.contains(it))
    }
}

impl Parameters {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `name = 'value', …`
    pub fn sql(&self) -> String {
        list(self.0.iter().map(|(name, value)| format!("{name} = {}", Literal(value))))
    }

    /// The names that `new` no longer has.
    pub fn gone<'a>(&'a self, new: &Parameters) -> Vec<&'a str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| new.0.iter().all(|(other, _)| other != name)).collect()
    }

    /// What `new` has in addition or with another value.
    pub fn set(&self, new: &Parameters) -> Parameters {
        Parameters(new.0.iter().filter(|it| !self.0.contains(it)).cloned().collect())
    }

    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}
