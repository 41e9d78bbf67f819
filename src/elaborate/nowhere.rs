//! Stand-ins for foreign tables among the partitions and heirs of a copy's tables. Statements reach them by way of the
//! parent, and a copy is to reach no other server: these hold nothing, and nothing can be written to them.

use std::collections::BTreeMap;

use crate::kind::table;
use crate::name::{QName, list};
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

/// The foreign tables among partitions and heirs, each with what makes one in its place.
pub(super) fn stand_ins(schema: &Schema) -> Vec<(&QName, String)> {
    let mut foreign: BTreeMap<&QName, (&str, Vec<&QName>)> = BTreeMap::new();
    for table in table::all(schema) {
        for (name, bound) in &table.foreign.0 {
            foreign.entry(name).or_insert((bound, vec![])).1.push(&table.name);
        }
    }
    let stand_in = |(name, (bound, parents)): (&'_ QName, (&str, Vec<&QName>))| {
        let parents = list(parents);
        let place = match bound {
            "" => format!("() INHERITS ({parents})"),
            bound => format!("PARTITION OF {parents} {bound}"),
        };
        let options = "SERVER tenantry_nowhere OPTIONS (filename '/dev/null', format 'csv')";
        format!("{SERVER}\nCREATE FOREIGN TABLE {name} {place} {options}")
    };
    foreign.into_iter().map(|it| (it.0, stand_in(it))).collect()
}
