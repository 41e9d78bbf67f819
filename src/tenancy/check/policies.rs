//! Row security: that it is on, holds everyone who is bound, and that its policies ask for the tenant.

use std::collections::BTreeSet;

use super::condition::{Asked, Holds, asks_per_row, calls, strings};
use super::{Code, Look, Severity, spoken};
use crate::kind::policy::{Command, Policy};
use crate::kind::{Kind, Object, ObjectId, table};
use crate::name::{Name, QName, Role};
use crate::tenancy::KeyColumn;

/// What a token's claims have that its bearer can change: the names of Supabase's.
const EDITABLE: [&str; 2] = ["user_metadata", "raw_user_meta_data"];

/// What makes a call one that asks who the session is.
const SESSION_CALLS: [&str; 4] = ["current_setting", "uid", "jwt", "role"];

pub(super) fn check(look: &mut Look<'_>) {
    let markers: BTreeSet<String> = look
        .tenancy
        .levels
        .iter()
        .flat_map(|it| calls(&it.current))
        .chain(SESSION_CALLS.iter().map(|it| (*it).to_owned()))
        .collect();
    let tables: Vec<(&QName, Vec<KeyColumn>)> =
        look.tables.iter().map(|(table, keys)| (*table, keys.clone())).collect();
    for (table, keys) in tables {
        let id = table::id(table);
        let security = match look.schema.get(&ObjectId { kind: Kind::RowSecurity, path: id.path.clone() }) {
            Some(Object::RowSecurity(it)) => (it.enabled, it.forced),
            _ => (false, false),
        };
        let kept = |name: &str| look.exceptions.kept.contains_key(&(table.clone(), Name::from(name)));
        if kept("row security") {
            continue;
        }
        if look.partitions.contains(table) {
            let reach = look.reach(&id, &["SELECT", "INSERT", "UPDATE", "DELETE"]);
            if !security.0 && !reach.is_empty() {
                let message = format!("partition {table} has no row security, and {} may use it", spoken(&reach));
                look.find(Code::PartitionOpen, id, message);
            }
            continue;
        }
        if !security.0 {
            look.find(Code::RowSecurityOff, id, format!("table {table} has no row security"));
            continue;
        }
        if !security.1 && !kept("force") {
            let owner = look.owners.get(&id).copied();
            let roles = &look.tenancy.roles;
            match owner.filter(|it| roles.bound.contains(it) || roles.legacy.contains_key(it)) {
                Some(owner) => {
                    let message = format!("table {table} belongs to {owner}, and row security is not forced");
                    look.find(Code::OwnerIsApplication, id.clone(), message);
                }
                None => {
                    let message = format!("row security of {table} is not forced");
                    look.find(Code::RowSecurityNotForced, id.clone(), message);
                }
            }
        }
        let policies: Vec<&Policy> = look
            .schema
            .of_relation(Kind::Policy, table)
            .filter_map(|object| match object {
                Object::Policy(it) => Some(&**it),
                _ => None,
            })
            .collect();
        if !policies.iter().any(|it| it.permissive) {
            look.find(
                Code::PolicyMissing,
                id,
                format!("table {table} has row security and no policy that lets anyone in"),
            );
        }
        for policy in &policies {
            conditions(look, policy, &markers);
        }
        isolation(look, &keys, &policies);
    }
    current(look);
}

/// What is wrong with a policy's words, whoever it is for.
fn conditions(look: &mut Look<'_>, policy: &Policy, markers: &BTreeSet<String>) {
    let id = policy_id(policy);
    let on = format!("policy {} of {}", policy.name, policy.table);
    for expression in policy.using.iter().chain(&policy.check) {
        if asks_per_row(&expression.0, markers) {
            look.find(Code::PolicyPerRow, id.clone(), format!("{on} asks for the session's tenant at each row"));
        }
        if let Some(claim) = strings(&expression.0).iter().find(|it| EDITABLE.contains(&it.as_str())) {
            look.find(Code::PolicyUserMetadata, id.clone(), format!("{on} trusts {claim}"));
        }
    }
}

/// The tenant of a session must not be what its user can write.
fn current(look: &mut Look<'_>) {
    let mut found = vec![];
    for level in &look.tenancy.levels {
        let claims = strings(&level.current);
        if let Some(claim) = claims.iter().find(|it| EDITABLE.contains(&it.as_str())) {
            found.push((table::id(&level.table), format!("the current tenant is read from {claim}")));
        }
        let called = calls(&level.current);
        for object in look.schema.of_kind(Kind::Routine) {
            let Object::Routine(routine) = object else { continue };
            let Some(text) = routine.text().filter(|_| called.contains(routine.name.name.as_str())) else {
                continue;
            };
            let constants = crate::tenancy::session::constants(text);
            if let Some(claim) = constants.iter().find(|it| EDITABLE.contains(&it.as_str())) {
                let message = format!("function {}, which tells the current tenant, reads {claim}", routine.name);
                found.push((object.id(), message));
            }
        }
    }
    for (id, message) in found {
        look.find(Code::PolicyUserMetadata, id, message);
    }
}

fn policy_id(policy: &Policy) -> ObjectId {
    ObjectId::new(Kind::Policy, [&policy.table.namespace, &policy.table.name, &policy.name])
}

const COMMANDS: [Command; 4] = [Command::Select, Command::Insert, Command::Update, Command::Delete];

fn covers(policy: &Policy, command: Command) -> bool {
    policy.command == Command::All || policy.command == command
}

/// Whether what policies let through together is the tenant's own.
fn isolation(look: &mut Look<'_>, keys: &[KeyColumn], policies: &[&Policy]) {
    let roles = &look.tenancy.roles;
    let currents: Vec<(Name, &str)> =
        keys.iter().map(|it| (it.column.clone(), look.tenancy.levels[it.level].current.as_str())).collect();
    let bound: BTreeSet<&Role> = policies
        .iter()
        .flat_map(|it| &it.roles)
        .chain(&roles.bound)
        .chain(roles.legacy.keys())
        .filter(|role| look.is_bound(role))
        .collect();
    let applies = |policy: &Policy, role: &Role| {
        policy.roles.contains(&Role::public())
            || policy.roles.contains(role)
            || policy.roles.iter().any(|it| look.inherits(role, it))
    };
    let mut found: Vec<(Code, Severity, ObjectId, String)> = vec![];
    for role in &bound {
        let constants: Vec<&String> = roles.legacy.get(*role).into_iter().collect();
        let asked = Asked::new(&currents, &constants);
        // A row passes a side of a command where one permissive and every restrictive policy lets it.
        let using = |policy: &Policy| policy.using.as_ref().map(|it| asked.of(&it.0));
        let written = |policy: &Policy| policy.check.as_ref().or(policy.using.as_ref()).map(|it| asked.of(&it.0));
        for command in COMMANDS {
            let mine = policies.iter().filter(|it| covers(it, command) && applies(it, role));
            let (permissive, restrictive): (Vec<&&Policy>, Vec<&&Policy>) = mine.partition(|it| it.permissive);
            let reads = command != Command::Insert;
            let writes = matches!(command, Command::Insert | Command::Update);
            if let [first, others @ ..] = permissive.as_slice()
                && !others.is_empty()
            {
                let names: Vec<&Name> = others.iter().map(|it| &it.name).collect();
                let (of, also) = (&first.name, crate::name::list(names));
                let message = format!("policies {of} and {also} of {} let {role} {}", first.table, command.sql());
                found.push((Code::PolicyOverlaps, Severity::Note, policy_id(first), message));
            }
            let guard_reads = restrictive.iter().any(|it| using(it) == Some(Holds::Yes));
            let guard_writes = restrictive.iter().any(|it| written(it) == Some(Holds::Yes));
            for policy in permissive {
                let on = format!("policy {} of {}", policy.name, policy.table);
                let mut add = |code: Code, words: &str| {
                    let message = format!("{on} {words}");
                    found.push((code, code.severity(), policy_id(policy), message));
                };
                let read = using(policy).filter(|_| reads && !guard_reads);
                match read {
                    Some(Holds::Always) => add(Code::PolicyAlwaysTrue, "lets every row through"),
                    Some(Holds::No) => {
                        add(Code::PolicyWithoutTenant, "lets rows through without asking for the tenant");
                    }
                    Some(Holds::Unknown) => {
                        add(Code::PolicyNotUnderstood, "asks for something that can't be followed");
                    }
                    Some(Holds::Yes) | None => {}
                }
                let write = written(policy).filter(|_| writes && !guard_writes);
                match write {
                    Some(Holds::Always | Holds::No)
                        if command == Command::Update && read.is_none_or(|it| it == Holds::Yes) =>
                    {
                        add(Code::PolicyUpdateUnchecked, "does not ask whose a changed row is");
                    }
                    Some(Holds::Always) => add(Code::PolicyAlwaysTrue, "lets every row be written"),
                    Some(Holds::No) => {
                        add(Code::PolicyWithoutTenant, "lets rows be written without asking for the tenant");
                    }
                    Some(Holds::Unknown) => {
                        add(Code::PolicyNotUnderstood, "asks for something that can't be followed");
                    }
                    Some(Holds::Yes) | None => {}
                }
                if command == Command::Update && policy.check.is_none() && write == Some(Holds::Yes) {
                    add(Code::PolicyCheckUnsaid, "has no WITH CHECK");
                }
            }
        }
    }
    found.sort_by(|one, other| (&one.2, one.0, &one.3).cmp(&(&other.2, other.0, &other.3)));
    found.dedup();
    for (code, severity, id, message) in found {
        look.find_as(code, severity, id, message);
    }
}
