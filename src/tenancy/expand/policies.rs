//! Row security of a table: enabled, forced, with a policy for each command and a guard that no later policy widens.

use super::model::Facts;
use super::{Scope, Work, names_about};
use crate::name::{Name, QName, Role, list};
use crate::source::anatomy::mentioned;
use crate::source::{Class as What, Rank};
use crate::tenancy::settings::{ClassName, Privilege};
use crate::tenancy::{Class, KeyColumn, Tenancy};

/// What `keep` can name of a table besides its constraints and indexes.
pub const NAMES: &[&str] = &[
    "row security",
    "force",
    "grants",
    "tenant_select",
    "tenant_insert",
    "tenant_update",
    "tenant_delete",
    "tenant_guard",
    "tenant_passes",
    "tenant_legacy",
];

/// The commands with their policies.
const COMMANDS: [(&str, &str); 4] = [
    ("select", "tenant_select"),
    ("insert", "tenant_insert"),
    ("update", "tenant_update"),
    ("delete", "tenant_delete"),
];

/// The condition that a row is the current tenant's. The tenant is asked for once a statement, not once a row: the
/// server evaluates a subquery that depends on no row first.
pub fn condition(tenancy: &Tenancy, keys: &[KeyColumn]) -> String {
    let one = |key: &KeyColumn| {
        let level = &tenancy.levels[key.level];
        let operator = if level.many { "IN" } else { "=" };
        // Citus refuses subqueries in policies. What is STABLE is called once for an index all the same.
        if tenancy.distributed && !level.many {
            return format!("{} = {}", key.column, level.current);
        }
        format!("{} {operator} (SELECT {})", key.column, level.current)
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" AND ")
}

impl Work<'_> {
    /// Row security and grants of a table of the tenants' rows, or of the tenants.
    pub(super) fn isolate(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts) {
        let keys = scope.tenancy.keys(table);
        if self.is_kept(scope, table, &Name::from("row security")) {
            return;
        }
        // A partition is read through its whole, whose policies count; on its own it shows nothing.
        if facts.whole(self.model).is_none() {
            self.policies(scope, table, facts, &keys);
        }
        self.grant(scope, table, facts, ClassName::Scoped);
        let mut actions = vec![];
        if !facts.enabled {
            actions.push("ENABLE ROW LEVEL SECURITY");
        }
        if !facts.forced && !self.is_kept(scope, table, &Name::from("force")) {
            actions.push("FORCE ROW LEVEL SECURITY");
        }
        if !actions.is_empty() {
            self.write(format!("ALTER TABLE {table} {}", list(actions)), facts, names_about(table, Rank::Late));
        }
    }

    fn policies(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, keys: &[KeyColumn]) {
        let condition = condition(scope.tenancy, keys);
        let bound = list(scope.tenancy.bound_or_public());
        let is_tenant = scope.tenancy.class(table) == Some(&Class::Tenant);
        for (command, name) in COMMANDS {
            // Tenants come and go by other hands than their own.
            if is_tenant && matches!(command, "insert" | "delete") {
                continue;
            }
            let declared =
                facts.policies.iter().any(|it| it.permissive && (it.command == "all" || it.command == command));
            if declared {
                continue;
            }
            let using = (command != "insert").then(|| format!(" USING ({condition})"));
            let check = matches!(command, "insert" | "update").then(|| format!(" WITH CHECK ({condition})"));
            let rest = using.into_iter().chain(check).collect::<String>();
            let verb = command.to_uppercase();
            self.policy(scope, table, facts, name, &format!("FOR {verb} TO {bound}{rest}"));
        }
        let both = |condition: &str| format!("USING ({condition}) WITH CHECK ({condition})");
        self.policy(
            scope,
            table,
            facts,
            "tenant_guard",
            &format!("AS RESTRICTIVE TO {bound} {}", both(&condition)),
        );
        if !scope.tenancy.roles.passes.is_empty() {
            let passes = list(&scope.tenancy.roles.passes);
            self.policy(scope, table, facts, "tenant_passes", &format!("TO {passes} {}", both("true")));
        }
        let first = &keys[0].column;
        let legacy: Vec<(&Role, &String)> = scope.tenancy.roles.legacy.iter().collect();
        for (role, tenant) in &legacy {
            let name = match legacy.len() {
                1 => "tenant_legacy".to_owned(),
                _ => format!("tenant_legacy_{}", role.0),
            };
            let condition = both(&format!("{first} = {tenant}"));
            self.policy(scope, table, facts, &name, &format!("TO {role} {condition}"));
            self.policy(
                scope,
                table,
                facts,
                &format!("{name}_guard"),
                &format!("AS RESTRICTIVE TO {role} {condition}"),
            );
        }
    }

    /// One policy, unless one of that name is declared.
    fn policy(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, name: &str, rest: &str) {
        let name = Name::from(name);
        if facts.policies.iter().any(|it| it.name == name) || self.is_kept(scope, table, &name) {
            return;
        }
        let mut names = self.names_of(What::Policy, table, &name, Rank::Late);
        names.refers.extend(scope.tenancy.levels.iter().flat_map(|it| mentioned(&it.current)));
        self.write(format!("CREATE POLICY {name} ON {table} {rest}"), facts, names);
    }

    /// What the bound roles may do with a table.
    pub(super) fn grant(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, class: ClassName) {
        let Some(settings) = &scope.settings.grants else { return };
        if self.is_kept(scope, table, &Name::from("grants")) {
            return;
        }
        self.revoke(scope, facts.at, table);
        let sequences = facts.table.columns.iter().filter(|it| it.serial || it.identity);
        if !settings.revoke_from.is_empty() {
            let from = list(settings.revoke_from.iter().map(|it| Role(it.clone())));
            for column in sequences {
                let sequence = sequence(table, &column.name);
                let sql = format!("REVOKE ALL ON SEQUENCE {sequence} FROM {from}");
                self.write(sql, facts, names_about(table, Rank::Owner));
            }
        }
        let privileges = if class == ClassName::Global { &settings.global } else { &settings.scoped };
        let roles: Vec<&Role> = scope.tenancy.roles.bound.iter().chain(scope.tenancy.roles.legacy.keys()).collect();
        // A partition is read through its whole.
        if privileges.is_empty() || roles.is_empty() || facts.whole(self.model).is_some() {
            return;
        }
        self.grants = true;
        let words = privileges.iter().map(|it| match it {
            Privilege::Select => "SELECT",
            Privilege::Insert => "INSERT",
            Privilege::Update => "UPDATE",
            Privilege::Delete => "DELETE",
        });
        let to = list(roles);
        self.write(format!("GRANT {} ON {table} TO {to}", list(words)), facts, names_about(table, Rank::Grant));
        if !privileges.contains(&Privilege::Insert) {
            return;
        }
        // Who inserts draws the next value; an identity column needs no grant for that.
        for column in facts.table.columns.iter().filter(|it| it.serial) {
            let sequence = sequence(table, &column.name);
            let names = names_about(table, Rank::Grant);
            self.write(format!("GRANT USAGE ON SEQUENCE {sequence} TO {to}"), facts, names);
        }
    }

    /// Takes back what default privileges give, on the table or view that statement `at` declares. Comes before all that
    /// is granted, what is declared beside it too.
    pub(super) fn revoke(&mut self, scope: Scope<'_>, at: usize, relation: &QName) {
        let Some(settings) = scope.settings.grants.as_ref().filter(|it| !it.revoke_from.is_empty()) else { return };
        let from = list(settings.revoke_from.iter().map(|it| Role(it.clone())));
        self.grants = true;
        self.write_at(format!("REVOKE ALL ON {relation} FROM {from}"), at, names_about(relation, Rank::Owner));
    }
}

/// The sequence that the server makes for a column.
fn sequence(table: &QName, column: &Name) -> QName {
    table.sibling(crate::kind::made_name::derived(&[table.name.as_str(), column.as_str(), "seq"], |_| true))
}
