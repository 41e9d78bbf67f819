//! What stays as it was declared: exceptions by name, each with a reason that the plan shows.

use super::{Scope, Work};
use crate::diagnostic::Report;
use crate::name::{Name, QName};
use crate::source::Class as What;
use crate::source::anatomy::{Constraint, Index, Rule};
use crate::tenancy::settings::Declared;
use crate::tenancy::{Tenancy, classify};

impl Work<'_> {
    /// Whether a constraint stays as it is, which is then told with its reason.
    pub(super) fn stays(
        &mut self,
        scope: Scope<'_>,
        table: &QName,
        constraint: &Constraint,
        columns: &[Name],
    ) -> bool {
        let name = constraint.name.clone().unwrap_or_else(|| name_of(table, constraint, columns));
        if self.is_kept(scope, table, &name) {
            return true;
        }
        let because = self.declaration.globals.iter().find(|global| {
            let path = |last: &Name| vec![table.namespace.clone(), table.name.clone(), last.clone()];
            match global.beside.0 {
                What::Constraint => global.beside.1 == path(&name),
                What::Column => constraint.column.as_ref().is_some_and(|column| global.beside.1 == path(column)),
                _ => false,
            }
        });
        let Some(global) = because else { return false };
        self.tell(format!("{name} of {table} is unique over all tenants: {}", global.because));
        true
    }

    pub(super) fn index_stays(&mut self, scope: Scope<'_>, table: &QName, index: &Index) -> bool {
        let Some(name) = &index.name else { return false };
        if self.is_kept(scope, table, name) {
            return true;
        }
        let path = [table.namespace.clone(), name.clone()];
        let global = self.declaration.globals.iter().find(|it| it.beside.0 == What::Index && it.beside.1 == path);
        let Some(global) = global else { return false };
        self.tell(format!("{name} of {table} is unique over all tenants: {}", global.because));
        true
    }

    /// Whether something of a table is named in its `keep`, which is then told with its reason.
    pub(super) fn is_kept(&mut self, scope: Scope<'_>, table: &QName, name: &Name) -> bool {
        let Some(settings) = scope.table(table) else { return false };
        let Some((_, because)) = settings.keep.iter().find(|(word, _)| word.get_ref() == name.as_str()) else {
            return false;
        };
        self.tell(format!("{name} of {table} is left as declared: {because}"));
        true
    }

    fn tell(&mut self, message: String) {
        if !self.notes.iter().any(|it| it.message == message) {
            self.notes.push(Report::note("tenancy::kept", message));
        }
    }

    /// Exceptions that name nothing would be believed to have an effect.
    pub(super) fn unused_exceptions(&mut self, scope: Scope<'_>, declared: &Declared) {
        for (word, settings) in &scope.settings.tables {
            let Some(table) = classify::qname(word.get_ref()) else { continue };
            let Some(facts) = self.model.tables.get(&table) else { continue };
            for name in settings.keep.keys() {
                let known = super::policies::NAMES.contains(&name.get_ref().as_str())
                    || facts
                        .indexes
                        .iter()
                        .any(|(_, it)| it.name.as_ref().is_some_and(|it| it.as_str() == name.get_ref()))
                    || facts.constraints.iter().any(|(_, it)| {
                        let columns = columns(it);
                        it.name.clone().unwrap_or_else(|| name_of(&table, it, &columns)).as_str() == name.get_ref()
                    });
                if !known {
                    let message = format!("table {table} has nothing called {} to be kept", name.get_ref());
                    self.faults.push(
                        Report::error("tenancy::keep", message)
                            .at(&declared.file, name.span(), "this name")
                            .help("name a constraint, an index, a policy of the tenancy, or \"row security\" or \"force\""),
                    );
                }
            }
        }
    }

    /// Directives on tables that no tenancy scopes.
    pub(super) fn unused_globals(&mut self, tenancies: &[Tenancy]) {
        for global in &self.declaration.globals {
            let [namespace, rest @ ..] = global.beside.1.as_slice() else { continue };
            let table = match (global.beside.0, rest) {
                (What::Index, [name]) => self
                    .model
                    .tables
                    .iter()
                    .find(|(_, facts)| facts.indexes.iter().any(|(_, it)| it.name.as_ref() == Some(name))),
                (_, [table, ..]) => self.model.tables.get_key_value(&QName::new(namespace.clone(), table.clone())),
                _ => None,
            };
            let scoped = table.is_some_and(|(table, _)| tenancies.iter().any(|it| !it.keys(table).is_empty()));
            if !scoped {
                let mut report =
                    Report::error("tenancy::global", "this says `global` of something that is in no tenancy")
                        .help("leave the directive out, or declare the table as scoped in [tenancy]");
                report.places.push(self.declaration.place(global.span, "without effect"));
                self.faults.push(report);
            }
        }
    }
}

fn columns(constraint: &Constraint) -> Vec<Name> {
    match &constraint.rule {
        Rule::Unique(it) => it.columns.clone(),
        Rule::Foreign(it) => it.columns.clone(),
        Rule::Exclusion { columns, .. } => columns.clone(),
    }
}

/// The name that the server gives a constraint that has none.
fn name_of(table: &QName, constraint: &Constraint, columns: &[Name]) -> Name {
    let table = table.name.as_str();
    let columns: Vec<&str> = columns.iter().map(Name::as_str).collect();
    let end = match &constraint.rule {
        Rule::Unique(it) if it.primary => return Name::from(format!("{table}_pkey")),
        Rule::Unique(_) => "key",
        Rule::Foreign(_) => "fkey",
        Rule::Exclusion { .. } => "excl",
    };
    let parts: Vec<&str> = [table].into_iter().chain(columns).chain([end]).collect();
    crate::kind::made_name::derived(&parts, |_| true)
}
