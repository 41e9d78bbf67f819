//! Which words of the declaration an object of the plan comes from.

use std::collections::BTreeMap;

use crate::kind::ObjectId;
use crate::name::Name;
use crate::schema::Schema;
use crate::source::{Declaration, Span};

/// Finds the places of declared objects by their names.
pub struct Origins<'a> {
    declaration: &'a Declaration,
    by_path: BTreeMap<Vec<&'a str>, Span>,
}

impl<'a> Origins<'a> {
    pub fn new(declaration: &'a Declaration) -> Self {
        let mut by_path = BTreeMap::new();
        for statement in &declaration.statements {
            for declared in &statement.names.declares {
                // A name without a namespace is taken from the search path, which is public unless the file says
                // otherwise; a wrong guess costs the reader a place, no more.
                let namespace = declared.namespace.as_deref();
                let path: Vec<&str> = [namespace, declared.on.as_deref(), Some(declared.name.as_str())]
                    .into_iter()
                    .flatten()
                    .collect();
                by_path.entry(path.clone()).or_insert(statement.origin);
                if namespace.is_none() {
                    let mut full = vec!["public"];
                    full.extend(path);
                    by_path.entry(full).or_insert(statement.origin);
                }
            }
        }
        Origins { declaration, by_path }
    }

    /// The place of an object, or of the whole that it is part of.
    pub fn span(&self, id: &ObjectId, schema: &Schema) -> Option<Span> {
        let wholes = schema.wholes_of(id);
        [id.clone()].iter().chain(&wholes).find_map(|id| {
            let path: Vec<&str> = id.path.iter().map(Name::as_str).collect();
            // A routine's path ends in its argument types.
            let shorter = path.get(..2).filter(|_| path.len() == 3);
            self.by_path.get(&path).or_else(|| shorter.and_then(|it| self.by_path.get(it))).copied()
        })
    }

    /// `schema/contacts.sql:12`.
    pub fn place(&self, id: &ObjectId, schema: &Schema) -> Option<String> {
        let span = self.span(id, schema)?;
        let file = &self.declaration.files[span.file];
        Some(format!("{}:{}", file.path, file.line_column(span.start).0))
    }
}
