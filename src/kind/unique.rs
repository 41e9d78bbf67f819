//! Whether rows are alike in no key by what is there already: a key over more columns than one that there is.

use crate::kind::constraint::{Rule, Unique};
use crate::kind::index::{Key, Of, Subject};
use crate::kind::{Kind, Object, ObjectId};
use crate::name::{Name, QName};
use crate::schema::{Schema, Sides};

/// Whether some of the columns of a key that comes are those of one that the table has, so that no two rows can be alike
/// in all of them and nobody has to look. `columns` are compared as their types are; the index of a partitioned table
/// may lack partitions and is none.
pub fn is_given(table: &QName, columns: &[&Name], nulls_not_distinct: bool, sides: &Sides<'_>) -> bool {
    let of_table = sides.old.of_relation(Kind::Constraint, table).chain(sides.old.of_kind(Kind::Index));
    of_table.filter_map(|it| held(it, table)).any(|held| {
        let stays = |it: &&Name| columns.contains(it) && stays(table, it, sides);
        let nulls = !nulls_not_distinct || held.nulls_not_distinct || held.primary;
        nulls && held.columns.iter().all(stays)
    })
}

/// What an object lets rows be alike in only once.
struct Held<'a> {
    columns: Vec<&'a Name>,
    primary: bool,
    nulls_not_distinct: bool,
}

fn held<'a>(object: &'a Object, table: &QName) -> Option<Held<'a>> {
    match object {
        Object::Constraint(it) if it.table == *table && !it.deferrable && !it.partitioned => match &it.rule {
            Rule::Unique(Unique { without_overlaps: false, columns, primary, nulls_not_distinct, .. }) => {
                Some(Held {
                    columns: columns.iter().collect(),
                    primary: *primary,
                    nulls_not_distinct: *nulls_not_distinct,
                })
            }
            _ => None,
        },
        Object::Index(it)
            if it.table == *table && it.of == Of::Table && it.unique && it.valid && it.predicate.is_none() =>
        {
            Some(Held { columns: plain(&it.keys)?, primary: false, nulls_not_distinct: it.nulls_not_distinct })
        }
        _ => None,
    }
}

/// The columns of keys that are compared as their types are, where all are.
pub fn plain<'a>(keys: &'a [Key]) -> Option<Vec<&'a Name>> {
    let column = |it: &'a Key| match &it.of {
        Subject::Column(name) if it.collation.is_none() && it.opclass.is_none() => Some(name),
        Subject::Column(_) | Subject::Expression(_) => None,
    };
    keys.iter().map(column).collect()
}

fn stays(table: &QName, column: &Name, sides: &Sides<'_>) -> bool {
    let id = ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]);
    let compared = |schema: &Schema| match schema.get(&id) {
        Some(Object::Column(it)) => Some((it.data_type.clone(), it.collation.clone())),
        _ => None,
    };
    compared(sides.old).is_some_and(|before| compared(sides.new) == Some(before))
}
