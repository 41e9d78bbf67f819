//! Names that the server chooses, and those that a plan makes up.

use crate::kind::column::Column;
use crate::kind::{Kind, Object};
use crate::name::{Name, QName};
use crate::schema::Sides;

/// The name that the server chooses for something of a table, or of columns of it: `table_columns_label`, the longer of
/// the first two cut until all fits (makeObjectName in src/backend/commands/indexcmds.c).
pub fn chosen(table: &str, columns: Option<&str>, label: &str) -> Name {
    const NAME: usize = 63;
    let columns = columns.map(|it| format!("_{it}")).unwrap_or_default();
    let room = NAME - label.len() - 1;
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        // The underline counts for neither.
        if first + 1 > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let cut = |name: &str, at: usize| name[..name.floor_char_boundary(at)].to_owned();
    Name::from(format!("{}{}_{label}", cut(table, first), cut(&columns, second)))
}

/// Parts joined by `_` and cut to what the server takes as a name, numbered until it is free. What is cut has the hash of
/// the whole instead, so that names which begin alike stay apart in one plan.
pub fn derived(parts: &[&str], free: impl Fn(&Name) -> bool) -> Name {
    let base = parts.join("_");
    let base = if base.len() > 60 { hashed(&base, &base) } else { base };
    numbered(&base, free)
}

/// The same for something of a table and its columns that stands beside the table: with a hash also where another table
/// and a column of its own make the same name.
pub fn derived_beside(table: &QName, parts: &[&str], sides: &Sides<'_>, free: impl Fn(&Name) -> bool) -> Name {
    let base = parts.join("_");
    let made_of = |it: &Column| {
        let rest = base.trim_start_matches(['_', '0', '!']).strip_prefix(it.table.name.as_str());
        let rest = rest.and_then(|rest| rest.strip_prefix('_'));
        it.table.namespace == table.namespace
            && it.table != *table
            && rest.is_some_and(|rest| rest.starts_with(it.name.as_str()))
    };
    let mut columns = [sides.old, sides.new].into_iter().flat_map(|schema| schema.of_kind(Kind::Column));
    if columns.any(|it| matches!(it, Object::Column(it) if made_of(it))) {
        numbered(&hashed(&base, &parts.join("\0")), free)
    } else {
        derived(parts, free)
    }
}

fn hashed(base: &str, whole: &str) -> String {
    // FNV-1a.
    let hash = whole.bytes().fold(0x811c_9dc5_u32, |hash, it| (hash ^ u32::from(it)).wrapping_mul(0x0100_0193));
    format!("{}_{hash:08x}", &base[..base.floor_char_boundary(51)])
}

fn numbered(base: &str, free: impl Fn(&Name) -> bool) -> Name {
    let names = std::iter::once(Name::from(base)).chain((1..).map(|i| Name::from(format!("{base}{i}"))));
    names.into_iter().find(free).expect("some number is free")
}
