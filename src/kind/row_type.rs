//! Values of a table's row type that stand in columns of other tables (`CREATE TABLE b (x a)`). The server converts none
//! of them, and refuses every statement that would write the rows of the table anew.

use std::collections::BTreeSet;

use crate::kind::{Kind, Object, table};
use crate::name::QName;
use crate::schema::{Schema, Sides};

/// The columns where rows of the table, or of one below it, stand: on either side, as people would name the first.
pub fn stored_in(sides: &Sides<'_>, name: &QName) -> Option<String> {
    let family = table::family(sides, name);
    [sides.old, sides.new].into_iter().find_map(|schema| family.iter().find_map(|it| holder(schema, it)))
}

/// Why the server does not do what `statement` names, and what to do.
pub fn refusal(sides: &Sides<'_>, name: &QName, statement: &str) -> Option<String> {
    let column = stored_in(sides, name)?;
    Some(format!(
        "rows of {name} stand in {column}, which has its row type, and PostgreSQL does not {statement} while they do: \
         declare {column} with another type first (a composite type with the same attributes, or jsonb), in a plan \
         before this one"
    ))
}

/// The first column of the row type, or of a type that is made of it.
pub fn holder(schema: &Schema, name: &QName) -> Option<String> {
    let mut types = BTreeSet::from([name.to_string()]);
    loop {
        let known = types.len();
        let kinds = [Kind::Composite, Kind::Domain, Kind::RangeType];
        let made = kinds.into_iter().flat_map(|kind| schema.of_kind(kind)).flat_map(|it| made_of(it, &types));
        let made: Vec<String> = made.collect();
        types.extend(made);
        if types.len() == known {
            break;
        }
    }
    let columns = schema.of_kind(Kind::Column).chain(schema.of_kind(Kind::MaterializedView));
    columns.into_iter().find_map(|object| match object {
        Object::Column(it) => is_of(&it.data_type, &types).then(|| format!("{}.{}", it.table, it.name)),
        Object::MaterializedView(it) => {
            let column = it.columns.iter().find(|column| is_of(&column.data_type, &types))?;
            Some(format!("{}.{}", it.name, column.name))
        }
        _ => None,
    })
}

/// The types that an object is, where it is made of one of those.
fn made_of(object: &Object, types: &BTreeSet<String>) -> Vec<String> {
    match object {
        Object::Composite(it) if it.attributes.iter().any(|it| is_of(&it.data_type, types)) => {
            vec![it.name.to_string()]
        }
        Object::Domain(it) if is_of(&it.base, types) => vec![it.name.to_string()],
        Object::RangeType(it) if is_of(&it.subtype, types) => {
            vec![it.name.to_string(), it.multirange.to_string()]
        }
        _ => vec![],
    }
}

fn is_of(data_type: &str, types: &BTreeSet<String>) -> bool {
    types.contains(data_type.trim_end_matches("[]"))
}
