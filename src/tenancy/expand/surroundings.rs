//! What shows the rows of scoped tables elsewhere: views, which are made to run as their caller, and publications.

use super::{Scope, Work};
use crate::diagnostic::Report;
use crate::name::{QName, list};

impl Work<'_> {
    pub(super) fn views(&mut self, scope: Scope<'_>) {
        for (at, view) in &self.model.views {
            let shows: Vec<&QName> = self
                .model
                .tables_of(&view.name)
                .into_iter()
                .filter(|table| !scope.tenancy.keys(table).is_empty())
                .collect();
            // What a materialized view shows is nobody's row any more; the checker says who may read it.
            if shows.is_empty() {
                continue;
            }
            self.revoke(scope, *at, &view.name);
            if view.invoker || view.materialized {
                continue;
            }
            if self.major < 15 {
                let message = format!(
                    "view {} reads {} past row security: a server before 15 has no views that run as their caller",
                    view.name,
                    list(shows)
                );
                let report = Report::error("tenancy::view", message)
                    .help("upgrade the server, or make it a function that is no SECURITY DEFINER");
                let place = self.model.word(self.declaration, *at, 0..0, "this view");
                self.fault(report, place);
                continue;
            }
            let with =
                if view.has_options { "security_invoker = true, " } else { "WITH (security_invoker = true) " };
            self.edit(*at, view.options.clone(), with);
        }
    }

    /// A subscriber needs to know whose a row is.
    pub(super) fn publications(&mut self, scope: Scope<'_>) {
        for (at, published) in &self.model.publications {
            let table = self.model.resolve(&published.table);
            let Some((columns, first)) = &published.columns else { continue };
            let keys = scope.tenancy.keys(&table);
            let missing: Vec<_> = keys.into_iter().map(|it| it.column).filter(|it| !columns.contains(it)).collect();
            if !missing.is_empty() {
                self.edit(*at, *first..*first, format!("{}, ", list(missing)));
            }
        }
    }
}
