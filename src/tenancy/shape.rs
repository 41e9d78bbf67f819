//! The tables of a schema as tenancy looks at them, whether they were read from a server or from files.

use std::collections::BTreeMap;

use crate::kind::constraint::Rule;
use crate::kind::{Kind, Object, table};
use crate::name::{Name, QName};
use crate::schema::Schema;

/// Tables with their columns and primary keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    pub tables: BTreeMap<QName, TableShape>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableShape {
    pub columns: BTreeMap<Name, ColumnShape>,
    /// The columns of the primary key, in its order.
    pub primary: Vec<Name>,
    /// The table that this one is a partition of.
    pub whole: Option<QName>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnShape {
    /// As it was declared, or as `format_type` prints it.
    pub data_type: String,
    pub not_null: bool,
}

impl Shape {
    /// The tables of a schema that was read from a server.
    pub fn of(schema: &Schema) -> Shape {
        let mut shape = Shape::default();
        for table in table::all(schema) {
            shape.tables.insert(table.name.clone(), TableShape::default());
        }
        for object in schema.of_kind(Kind::Column) {
            if let Object::Column(column) = object
                && let Some(table) = shape.tables.get_mut(&column.table)
            {
                let not_null = column.not_null.is_some();
                let column_shape = ColumnShape { data_type: column.data_type.clone(), not_null };
                table.columns.insert(column.name.clone(), column_shape);
            }
        }
        for object in schema.of_kind(Kind::Constraint) {
            if let Object::Constraint(constraint) = object
                && let Rule::Unique(unique) = &constraint.rule
                && unique.primary
                && let Some(table) = shape.tables.get_mut(&constraint.table)
            {
                table.primary.clone_from(&unique.columns);
            }
        }
        for object in schema.of_kind(Kind::Partition) {
            if let Object::Partition(partition) = object
                && let Some(table) = shape.tables.get_mut(&partition.child)
            {
                table.whole = Some(partition.parent.clone());
            }
        }
        shape
    }

    /// The table that a partition is part of in the end; a table that is none is its own.
    pub fn root<'a>(&'a self, table: &'a QName) -> &'a QName {
        let mut root = table;
        // No table is above itself, so the way up ends; the count keeps a broken description from going round.
        for _ in 0..self.tables.len() {
            match self.tables.get(root).and_then(|it| it.whole.as_ref()) {
                Some(whole) => root = whole,
                None => break,
            }
        }
        root
    }
}
