//! How many bytes a value takes in an index, roughly: for estimates of room.

use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::schema::Sides;

/// A text as long as a name or an address, where statistics do not know better.
pub const VARYING: u64 = 24;

/// The bytes of the columns of an index entry. An expression, which `None` stands for, counts as a text.
pub fn of<'a>(table: &QName, columns: impl IntoIterator<Item = Option<&'a Name>>, sides: &Sides<'_>) -> u64 {
    let width = |column: Option<&Name>| {
        let id = ObjectId::new(Kind::Column, [&table.namespace, &table.name, column?]);
        match sides.new.get(&id).or_else(|| sides.old.get(&id))? {
            Object::Column(column) => Some(of_type(&column.data_type).max(seen(table, &column.name, sides))),
            _ => None,
        }
    };
    columns.into_iter().map(|column| width(column).unwrap_or(VARYING)).sum()
}

/// The bytes of the values that are there. A longer one than an entry may be is compressed, or the index can't be built.
fn seen(table: &QName, column: &Name, sides: &Sides<'_>) -> u64 {
    const LONGEST: u64 = 2_704;
    let width = sides.facts.widths.get(table).and_then(|it| it.get(column));
    width.copied().unwrap_or_default().min(LONGEST)
}

fn of_type(data_type: &str) -> u64 {
    match data_type {
        "boolean" | "\"char\"" => 1,
        "smallint" => 2,
        "integer" | "date" | "real" | "oid" => 4,
        "bigint" | "double precision" | "money" => 8,
        it if it.starts_with("timestamp") || (it.starts_with("time") && !it.ends_with("with time zone")) => 8,
        "uuid" | "interval" => 16,
        it if it.starts_with("time") => 12,
        _ => VARYING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_one_width_are_known() {
        let widths = ["bigint", "timestamp(3) without time zone", "time with time zone", "character varying(30)"];
        assert_eq!(widths.map(of_type), [8, 8, 12, VARYING]);
    }
}
