//! The roles that grants, owners and policies name. A schema can't be loaded where they lack, so a shadow makes them:
//! with their attributes, since these decide what row security lets through, and without passwords.

use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::ShadowError;
use crate::name::{Literal, Name};

/// A role as a server has it, less its password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleSpec {
    pub name: Name,
    #[serde(default)]
    pub superuser: bool,
    #[serde(default)]
    pub inherit: bool,
    #[serde(default)]
    pub createrole: bool,
    #[serde(default)]
    pub createdb: bool,
    #[serde(default)]
    pub login: bool,
    #[serde(default)]
    pub replication: bool,
    #[serde(default)]
    pub bypassrls: bool,
    /// The roles that it is a member of.
    #[serde(default)]
    pub member_of: Vec<Name>,
}

impl RoleSpec {
    /// What CREATE ROLE makes of a name alone: inherits, may do nothing.
    pub fn named(name: impl Into<Name>) -> RoleSpec {
        RoleSpec {
            name: name.into(),
            superuser: false,
            inherit: true,
            createrole: false,
            createdb: false,
            login: false,
            replication: false,
            bypassrls: false,
            member_of: Vec::new(),
        }
    }

    /// The server keeps the prefix for its own roles; a newer release may lack none of an older one's.
    fn is_predefined(&self) -> bool {
        self.name.as_str().starts_with("pg_")
    }

    /// `CREATE ROLE` with all attributes, or with those that its user may give.
    pub(crate) fn create(&self, as_superuser: bool) -> String {
        let attributes = [
            ("SUPERUSER", self.superuser, as_superuser),
            ("INHERIT", self.inherit, true),
            ("CREATEROLE", self.createrole, true),
            ("CREATEDB", self.createdb, true),
            ("LOGIN", self.login, true),
            ("REPLICATION", self.replication, as_superuser),
            ("BYPASSRLS", self.bypassrls, as_superuser),
        ];
        let attributes = attributes.into_iter().filter(|(_, _, may_be_named)| *may_be_named);
        let words: Vec<String> =
            attributes.map(|(word, set, _)| if set { word.to_owned() } else { format!("NO{word}") }).collect();
        format!("CREATE ROLE {} {}", self.name, words.join(" "))
    }
}

/// Creates those of the roles that the server lacks. On a server of somebody else's they are
/// marked with a comment, and without being superuser there we can't give what only superusers may give.
pub(super) async fn create_missing(
    client: &Client,
    roles: &[RoleSpec],
    mark: Option<&str>,
) -> Result<(), ShadowError> {
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    let answer = client
        .query(
            "SELECT rolname::text, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \
             FROM pg_roles WHERE rolname::text = ANY ($1) OR rolname = current_user",
            &[&names],
        )
        .await?;
    let present: Vec<String> = answer.iter().map(|row| row.get(0)).collect();
    let as_superuser = answer.first().is_some_and(|row| row.get(1));
    let missing: Vec<&RoleSpec> = roles
        .iter()
        .filter(|role| !role.is_predefined() && !present.iter().any(|n| n == role.name.as_str()))
        .collect();
    let mut sql = String::new();
    for role in &missing {
        sql += &format!("{};\n", role.create(as_superuser));
        if let Some(mark) = mark {
            sql += &format!("COMMENT ON ROLE {} IS {};\n", role.name, Literal(mark));
        }
        if !as_superuser {
            // To be able to SET ROLE to it.
            sql += &format!("GRANT {} TO CURRENT_USER;\n", role.name);
        }
    }
    for role in &missing {
        for group in &role.member_of {
            sql += &format!("GRANT {group} TO {};\n", role.name);
        }
    }
    if !sql.is_empty() {
        // One message is one transaction: all roles or none.
        client.batch_execute(&sql).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_all_named() {
        let mut role = RoleSpec::named("Admin \"x\"");
        role.bypassrls = true;
        assert_eq!(
            role.create(true),
            "CREATE ROLE \"Admin \"\"x\"\"\" NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION BYPASSRLS"
        );
        assert_eq!(role.create(false), "CREATE ROLE \"Admin \"\"x\"\"\" INHERIT NOCREATEROLE NOCREATEDB NOLOGIN");
    }
}
