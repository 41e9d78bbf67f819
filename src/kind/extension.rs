//! `CREATE EXTENSION`. What an extension makes is its own and is no part of a schema.

use serde::{Deserialize, Serialize};

use crate::kind::column::Aside;
use crate::kind::{Alter, Definition, Kind, Object, ObjectId};
use crate::name::{Literal, Name};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    pub name: Name,
    pub version: String,
    pub namespace: Name,
    /// Whether its objects can be moved to another namespace; that follows from the version.
    pub relocatable: Aside<bool>,
}

impl Extension {
    /// By the numbers in both versions, as far as they have any.
    fn is_newer_than(&self, other: &Extension) -> bool {
        let numbers = |version: &str| -> Vec<u64> {
            version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
        };
        numbers(&self.version) > numbers(&other.version)
    }
}

/// Whether a type of an extension is the same after the extension has moved to another namespace.
pub fn carries(old: &str, new: &str, sides: &Sides<'_>) -> bool {
    sides.old.of_kind(Kind::Extension).any(|object| match (object, sides.new.get(&object.id())) {
        (Object::Extension(before), Some(Object::Extension(after))) if before.namespace != after.namespace => {
            let rest = old.strip_prefix(&format!("{}.", before.namespace));
            rest.is_some() && rest == new.strip_prefix(&format!("{}.", after.namespace))
        }
        _ => false,
    })
}

impl Definition for Extension {
    const NOUN: &'static str = "extension";

    // An extension's owner can't be changed, so the row has none. What an extension creates for itself to keep its
    // settings in (extconfig) follows from its version.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_extension'::regclass::oid::int8, e.oid::int8, 0),
            'def', json_build_object(
                'name', e.extname,
                'version', e.extversion,
                'namespace', n.nspname,
                'relocatable', e.extrelocatable))
          FROM pg_extension e
          JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname <> 'plpgsql'"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Extension, [&self.name])
    }

    fn namespace(&self) -> Option<Name> {
        Some(self.namespace.clone())
    }

    fn reference(path: &[Name]) -> String {
        format!("EXTENSION {}", super::dotted(path))
    }

    fn survives(&self, _disturbance: Disturbance) -> bool {
        true
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        let version = Literal(&self.version);
        vec![Step::new(format!(
            "CREATE EXTENSION {} WITH SCHEMA {} VERSION {version}",
            self.name, self.namespace
        ))]
    }

    fn alter(&self, new: &Self, _sides: &Sides<'_>) -> Alter {
        let mut steps = vec![];
        if self.is_newer_than(new) {
            return Alter::Refused(format!(
                "version {} is older than {}, and an extension has no way back; declare the version that there is",
                new.version, self.version
            ));
        }
        if self.version != new.version {
            steps.push(
                Step::new(format!("ALTER EXTENSION {} UPDATE TO {}", self.name, Literal(&new.version))).hazard(
                    Code::ExtensionUpdate,
                    self.id(),
                    format!("from {} to {}", self.version, new.version),
                ),
            );
        }
        if self.namespace != new.namespace {
            if !new.relocatable.0 {
                return Alter::Refused(format!(
                    "its objects can't be moved from {} to {}; keep it where it is, or drop and create it in two plans",
                    self.namespace, new.namespace
                ));
            }
            let to = &new.namespace;
            steps.push(Step::new(format!("ALTER EXTENSION {} SET SCHEMA {to}", self.name)).stage(Stage::Contract));
        }
        Alter::Steps(steps)
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP EXTENSION {}", self.name))
                .stage(Stage::Contract)
                .hazard(Code::DropExtension, self.id(), format!("version {}", self.version))
                .irreversible("what the extension kept in tables of its own is gone"),
        ]
    }
}
