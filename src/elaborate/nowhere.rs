//! Stand-ins for foreign tables among the partitions of a copy. Statements reach them by way of the partitioned table,
//! and a copy is to reach no other server: these hold nothing, and nothing can be written to them.

use crate::kind::{Kind, Object};
use crate::name::QName;
use crate::schema::Schema;

/// A server without rows, made once: `file_fdw` with a file that is empty, and not as an extension, which the copy would
/// seem to have then.
const SERVER: &str = "
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = 'tenantry_nowhere') THEN
        CREATE FUNCTION pg_catalog.tenantry_nowhere() RETURNS fdw_handler LANGUAGE c
            AS '$libdir/file_fdw', 'file_fdw_handler';
        CREATE FOREIGN DATA WRAPPER tenantry_nowhere HANDLER pg_catalog.tenantry_nowhere;
        CREATE SERVER tenantry_nowhere FOREIGN DATA WRAPPER tenantry_nowhere;
    END IF;
END $$;";

/// The foreign tables among the partitions, each with what makes one in its place.
pub(super) fn stand_ins(schema: &Schema) -> Vec<(&QName, String)> {
    let tables = schema.of_kind(Kind::Table).filter_map(|object| match object {
        Object::Table(it) => Some(it),
        _ => None,
    });
    let partitions =
        tables.flat_map(|table| table.foreign.0.iter().map(|(name, bound)| (&table.name, name, bound)));
    partitions
        .map(|(parent, name, bound)| {
            let options = "SERVER tenantry_nowhere OPTIONS (filename '/dev/null', format 'csv')";
            (name, format!("{SERVER}\nCREATE FOREIGN TABLE {name} PARTITION OF {parent} {bound} {options}"))
        })
        .collect()
}
