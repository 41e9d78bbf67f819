//! Sets of privileges and what lies between two of them. Grants and default privileges both speak of these; how the
//! statements begin is theirs.

use std::collections::BTreeMap;

use crate::name::{Role, list};
use crate::schema::AclItem;

/// Who has which privilege; the value is whether with grant option.
pub(super) type Rights = BTreeMap<(Role, String), bool>;

/// The letters of `acldefault()` and `pg_default_acl`: what a set of privileges is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Relation,
    Column,
    Sequence,
    Routine,
    Type,
    Namespace,
    LargeObject,
}

impl Target {
    pub(super) fn letter(self) -> &'static str {
        match self {
            Target::Relation => "r",
            Target::Column => "c",
            Target::Sequence => "S",
            Target::Routine => "f",
            Target::Type => "T",
            Target::Namespace => "n",
            Target::LargeObject => "L",
        }
    }

    /// As the letter of `pg_default_acl.defaclobjtype` has it.
    pub(super) fn from_letter(letter: &str) -> Option<Target> {
        use Target::*;
        [Relation, Sequence, Routine, Type, Namespace, LargeObject].into_iter().find(|it| it.letter() == letter)
    }

    /// All its privileges, in the order of the manual.
    fn privileges(self) -> &'static [&'static str] {
        match self {
            Target::Relation => {
                &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"]
            }
            Target::Column => &["SELECT", "INSERT", "UPDATE", "REFERENCES"],
            Target::Sequence => &["USAGE", "SELECT", "UPDATE"],
            Target::Routine => &["EXECUTE"],
            Target::Type => &["USAGE"],
            Target::Namespace => &["USAGE", "CREATE"],
            Target::LargeObject => &["SELECT", "UPDATE"],
        }
    }

    /// `acldefault()`: what an object has before anyone grants or revokes.
    pub(super) fn default(self, owner: &Role) -> Rights {
        let public: &[&str] = match self {
            Target::Routine => &["EXECUTE"],
            Target::Type => &["USAGE"],
            Target::Relation | Target::Column | Target::Sequence | Target::Namespace | Target::LargeObject => &[],
        };
        let owned = match self {
            Target::Column => &[],
            _ => self.privileges(),
        };
        let right = |role: &Role, privilege: &str| ((role.clone(), privilege.to_owned()), false);
        let mut rights = Rights::new();
        rights.extend(public.iter().map(|privilege| right(&Role::public(), privilege)));
        rights.extend(owned.iter().map(|privilege| right(owner, privilege)));
        rights
    }
}

/// The set that a list of items amounts to: several grantors count as one.
pub(super) fn rights(items: &[AclItem]) -> Rights {
    let mut rights = Rights::new();
    add(&mut rights, items.iter().map(|(role, privilege, option)| ((role.clone(), privilege.clone()), *option)));
    rights
}

pub(super) fn add(rights: &mut Rights, more: impl IntoIterator<Item = ((Role, String), bool)>) {
    for (right, option) in more {
        *rights.entry(right).or_default() |= option;
    }
}

/// What `OWNER TO` makes of a set: what the old owner had, the new one has.
pub(super) fn pass(rights: Rights, from: &Role, to: &Role) -> Rights {
    let mut passed = Rights::new();
    add(
        &mut passed,
        rights.into_iter().map(|((role, privilege), option)| {
            ((if role == *from { to.clone() } else { role }, privilege), option)
        }),
    );
    passed
}

/// One GRANT or REVOKE, still to be told on what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub revoke: bool,
    /// REVOKE: of the grant option alone. GRANT: with it.
    pub option: bool,
    pub privileges: Vec<&'static str>,
    pub roles: Vec<Role>,
}

impl Statement {
    /// The REVOKE of one privilege; none where what has it is of another kind.
    pub(super) fn taking(target: Target, privilege: &str, role: &Role) -> Option<Statement> {
        let privilege = target.privileges().iter().find(|it| **it == privilege)?;
        Some(Statement { revoke: true, option: false, privileges: vec![privilege], roles: vec![role.clone()] })
    }

    /// The statement on `what`, such as `TABLE public.messages`; `columns` go behind each privilege.
    pub(super) fn sql(&self, target: Target, major: u32, what: &str, columns: Option<&str>) -> String {
        let complete = target.privileges().iter().filter(|it| exists(it, major)).count() == self.privileges.len();
        let privileges = if complete && self.privileges.len() > 1 { vec!["ALL"] } else { self.privileges.clone() };
        let columns = columns.map(|columns| format!(" ({columns})")).unwrap_or_default();
        let privileges = list(privileges.iter().map(|privilege| format!("{privilege}{columns}")));
        let roles = list(&self.roles);
        match (self.revoke, self.option) {
            (true, true) => format!("REVOKE GRANT OPTION FOR {privileges} ON {what} FROM {roles}"),
            (true, false) => format!("REVOKE {privileges} ON {what} FROM {roles}"),
            (false, true) => format!("GRANT {privileges} ON {what} TO {roles} WITH GRANT OPTION"),
            (false, false) => format!("GRANT {privileges} ON {what} TO {roles}"),
        }
    }
}

/// The statements from any of the sets `before` to `after`, REVOKE before GRANT: what all of them have already is
/// not granted, and what one of them may have is revoked.
pub(super) fn between(before: &[Rights], after: &Rights, target: Target, major: u32) -> Vec<Statement> {
    let mut wanted: BTreeMap<(bool, bool, Role), Vec<&'static str>> = BTreeMap::new();
    let privileges = || target.privileges().iter().copied().filter(|it| exists(it, major));
    let mut want = |revoke: bool, option: bool, role: &Role, privilege: &'static str| {
        // REVOKE sorts first.
        wanted.entry((!revoke, option, role.clone())).or_default().push(privilege);
    };
    let mut roles: Vec<&Role> =
        before.iter().chain([after]).flat_map(|it| it.keys().map(|(role, _)| role)).collect();
    roles.sort();
    roles.dedup();
    for role in roles {
        for privilege in privileges() {
            let right = (role.clone(), privilege.to_owned());
            let now = after.get(&right);
            let had = || before.iter().map(|rights| rights.get(&right));
            match now {
                None if had().any(|it| it.is_some()) => want(true, false, role, privilege),
                None => {}
                Some(option) => {
                    if !option && had().any(|it| it == Some(&true)) {
                        want(true, true, role, privilege);
                    }
                    if had().any(|it| it.is_none_or(|had| *option && !had)) {
                        want(false, *option, role, privilege);
                    }
                }
            }
        }
    }
    // Roles that are told the same share a statement.
    let mut statements: Vec<Statement> = vec![];
    for ((grant, option, role), privileges) in wanted {
        let same = |it: &&mut Statement| (it.revoke, it.option) == (!grant, option) && it.privileges == privileges;
        match statements.iter_mut().find(same) {
            Some(statement) => statement.roles.push(role),
            None => statements.push(Statement { revoke: !grant, option, privileges, roles: vec![role] }),
        }
    }
    statements
}

/// MAINTAIN came with PostgreSQL 17.
fn exists(privilege: &str, major: u32) -> bool {
    privilege != "MAINTAIN" || major >= 17
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[(&str, &str, bool)]) -> Rights {
        items
            .iter()
            .map(|(role, privilege, option)| ((Role(role.to_string()), privilege.to_string()), *option))
            .collect()
    }

    fn sql(before: &[Rights], after: &Rights, target: Target) -> Vec<String> {
        between(before, after, target, 15).iter().map(|it| it.sql(target, 15, "it", None)).collect()
    }

    #[test]
    fn revoke_comes_before_grant_and_all_is_said_as_all() {
        let owner = Role("o".into());
        let before = Target::Relation.default(&owner);
        let mut after = before.clone();
        after.remove(&(owner.clone(), "TRUNCATE".into()));
        add(&mut after, set(&[("a", "SELECT", false), ("b", "SELECT", false), ("", "INSERT", true)]));
        let forth = sql(std::slice::from_ref(&before), &after, Target::Relation);
        assert_eq!(
            forth,
            [
                "REVOKE TRUNCATE ON it FROM o",
                "GRANT SELECT ON it TO a, b",
                "GRANT INSERT ON it TO PUBLIC WITH GRANT OPTION",
            ]
        );
        let whole = sql(&[Rights::new()], &before, Target::Relation);
        assert_eq!(whole, ["GRANT ALL ON it TO o"]);
    }

    #[test]
    fn the_grant_option_comes_and_goes_alone() {
        let (with, without) = (set(&[("a", "USAGE", true)]), set(&[("a", "USAGE", false)]));
        let take = sql(std::slice::from_ref(&with), &without, Target::Type);
        assert_eq!(take, ["REVOKE GRANT OPTION FOR USAGE ON it FROM a"]);
        assert_eq!(sql(&[without], &with, Target::Type), ["GRANT USAGE ON it TO a WITH GRANT OPTION"]);
    }

    #[test]
    fn where_defaults_change_in_the_plan_both_are_provided_for() {
        let (one, other) = (set(&[("a", "EXECUTE", false)]), Rights::new());
        assert_eq!(sql(&[one.clone(), other.clone()], &one, Target::Routine), ["GRANT EXECUTE ON it TO a"]);
        assert_eq!(sql(&[one, other.clone()], &other, Target::Routine), ["REVOKE EXECUTE ON it FROM a"]);
    }

    #[test]
    fn a_new_owner_inherits() {
        let passed =
            pass(set(&[("o", "SELECT", true), ("n", "SELECT", false)]), &Role("o".into()), &Role("n".into()));
        assert_eq!(passed, set(&[("n", "SELECT", true)]));
    }
}
