//! One question of a preflight: the queries by which it is put to the live side, and what the answers mean.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::error::SqlState;

use super::Finding;
use crate::connect::Session;
use crate::introspect::server_message;
use crate::name::{Literal, list};
use crate::preflight::{Bound, Entry, Probe, Term, What};

/// How many rows are named.
const NAMED: usize = 5;

/// Rows that are looked at where there are too many to look at all.
const SAMPLE: u32 = 10_000;

/// Rows need a value: those that satisfy the condition, where there is one.
struct Required<'a> {
    pending: Option<&'a str>,
}

impl Required<'_> {
    fn and(&self) -> String {
        self.pending.map(|it| format!("({it}) AND ")).unwrap_or_default()
    }
}

/// Expressions for bytes in an index entry.
struct Length {
    least: String,
    most: String,
}

/// What a look at rows came to.
enum Looked {
    /// Some that were found, if any.
    Rows(Option<String>),
    /// The condition failed for one of them.
    Failed(tokio_postgres::Error),
}

/// A table with those below it, and where their rows are.
struct Rows {
    table: String,
    /// Whether rows stand in the table itself.
    stores: bool,
    /// Those that hold rows on this server.
    here: Vec<String>,
    /// Foreign tables: another server is not asked.
    elsewhere: Vec<String>,
}

impl Rows {
    async fn of(session: &Session, table: &str) -> Result<Rows, tokio_postgres::Error> {
        let query = "
            WITH RECURSIVE family AS (
                SELECT to_regclass($1::text)::oid AS oid
                UNION SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits i ON i.inhparent = family.oid)
            SELECT format('%I.%I', n.nspname, c.relname), c.relkind::text, c.oid = to_regclass($1::text)
              FROM family JOIN pg_catalog.pg_class c ON c.oid = family.oid
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY 3 DESC, 1";
        let mut rows = Rows { table: table.to_owned(), stores: false, here: vec![], elsewhere: vec![] };
        for row in session.client.query(query, &[&table]).await? {
            let (name, kind): (String, String) = (row.get(0), row.get(1));
            match kind.as_str() {
                "f" => rows.elsewhere.push(name),
                "p" => {}
                _ if row.get(2) => {
                    rows.stores = true;
                    rows.here.push(table.to_owned());
                }
                _ => rows.here.push(name),
            }
        }
        Ok(rows)
    }

    /// All rows that are here, table by table where others are elsewhere, each as a query reads it.
    fn of_all(&self) -> Vec<(String, String)> {
        if self.elsewhere.is_empty() {
            return vec![(self.table.clone(), self.table.clone())];
        }
        self.here.iter().map(|it| (it.clone(), format!("ONLY {it}"))).collect()
    }

    /// Those that an index or a foreign key of the table is about: not those of tables that inherit from it.
    fn of_its_own(&self) -> Vec<(String, String)> {
        if self.stores { vec![(self.table.clone(), format!("ONLY {}", self.table))] } else { self.of_all() }
    }
}

/// What a probe finds, in all tables that its rows stand in.
///
/// Errors: a query that fails.
pub(super) async fn asked(
    session: &Session,
    probe: &Probe,
    begin: &str,
) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let table = &probe.table;
    let one = || vec![(table.clone(), table.clone())];
    let (of, elsewhere) = match &probe.what {
        What::Rows { .. } | What::Value { .. } | What::Cast { .. } | What::Spelling { .. } => {
            let rows = Rows::of(session, table).await?;
            (rows.of_all(), rows.elsewhere)
        }
        What::Duplicates { .. } | What::Conflicts { .. } | What::Orphans { .. } | What::TooLong { .. } => {
            let rows = Rows::of(session, table).await?;
            (rows.of_its_own(), if rows.stores { vec![] } else { rows.elsewhere })
        }
        What::Bound { .. }
        | What::Domain { .. }
        | What::Index { .. }
        | What::Rewrite
        | What::Triggers { .. }
        | What::Followed
        | What::Place { .. }
        | What::Namespace => (one(), vec![]),
    };
    let mut findings = vec![];
    for (table, from) in &of {
        findings.extend(Asking { session, probe, begin, table, from }.all().await?);
    }
    findings.extend(unseen(probe, &elsewhere));
    Ok(findings)
}

/// What is said of foreign tables.
fn unseen(probe: &Probe, foreign: &[String]) -> Option<Finding> {
    let message = format!("rows on another server are not looked at: those of {}", list(foreign));
    (!foreign.is_empty()).then_some(Finding { step: probe.step, stops: false, message })
}

struct Asking<'a> {
    session: &'a Session,
    probe: &'a Probe,
    /// What begins the transaction in which all is asked.
    begin: &'a str,
    /// The table whose rows are looked at: that of the probe, or one of those below it.
    table: &'a str,
    /// Its rows, as a query reads them.
    from: &'a str,
}

impl Asking<'_> {
    async fn all(&self) -> Result<Vec<Finding>, tokio_postgres::Error> {
        match &self.probe.what {
            What::TooLong { of } => self.too_long(of).await,
            _ => Ok(self.found().await?.into_iter().collect()),
        }
    }

    async fn found(&self) -> Result<Option<Finding>, tokio_postgres::Error> {
        let (table, from) = (self.table, self.from);
        match &self.probe.what {
            What::Rows { condition, fault, with } => {
                let found = self.rows(condition, &format!("({condition})"), with, None).await?;
                Ok(self.stops(found.map(|rows| format!("rows of {table} {fault}: {rows}"))))
            }
            What::Value { column, expression, pending } => {
                let required = Required { pending: pending.as_deref() };
                let condition = format!("{}({expression}) IS NULL", required.and());
                let found = self.rows(&condition, expression, &[], Some(&required)).await?;
                let message = |rows| format!("the backfill gives rows of {table} no value for {column}: {rows}");
                Ok(self.stops(found.map(message)))
            }
            What::Cast { column, expression, spelled } => {
                let Some(old) = self.data_type(column).await? else { return Ok(None) };
                let is_text = ["text", "character", "json", "xml"].iter().any(|it| old.starts_with(it));
                let condition = match *spelled && is_text {
                    true => format!("{column} IS NOT NULL AND ({expression}) IS NULL"),
                    false => format!("{column} IS NOT NULL AND ({expression})::{old} IS DISTINCT FROM {column}"),
                };
                let found = self.rows(&condition, expression, &[], None).await?;
                let message = |rows| format!("values of {table}.{column} do not survive its new type: {rows}");
                Ok(self.stops(found.map(message)))
            }
            What::Spelling { column, expression } => {
                let Some(old) = self.data_type(column).await? else { return Ok(None) };
                let (key, alias) = self.key().await?;
                let query = format!(
                    "SELECT {key} FROM {from} AS {alias} WHERE {column} IS NOT NULL \
                     AND ({expression})::{old} IS DISTINCT FROM {column} LIMIT {}",
                    NAMED + 1
                );
                let Ok(rows) = self.texts(&query).await else {
                    // Values that can't be read are asked for by themselves.
                    self.again().await?;
                    return Ok(None);
                };
                let message =
                    |rows| format!("values of {table}.{column} read otherwise once it has its new type: {rows}");
                Ok(listed(rows).map(|rows| Finding { step: self.probe.step, stops: false, message: message(rows) }))
            }
            What::Duplicates { of, nulls_too, .. } if self.is_given(of, *nulls_too).await? => Ok(None),
            What::Duplicates { of, nulls_too, condition } => {
                let mut conditions: Vec<String> = condition.iter().map(|it| format!("({it})")).collect();
                if !nulls_too {
                    conditions.extend(of.iter().map(|it| format!("{} IS NOT NULL", it.value)));
                }
                let condition = if conditions.is_empty() {
                    String::new()
                } else {
                    format!("WHERE {}", conditions.join(" AND "))
                };
                // Places in the list, since a constant can't be grouped by.
                let places: Vec<String> = (2..of.len() + 2).map(|it| it.to_string()).collect();
                let query = format!(
                    "SELECT concat_ws(', ', {}) || ' (' || count || ' times)' FROM (\
                     SELECT count(*) AS count, {} FROM {from} {condition} GROUP BY {} HAVING count(*) > 1 LIMIT {}) AS x",
                    (0..of.len()).map(|it| format!("coalesce(c{it}::text, 'null')")).collect::<Vec<_>>().join(", "),
                    of.iter()
                        .enumerate()
                        .map(|(at, it)| format!("{} AS c{at}", it.value))
                        .collect::<Vec<_>>()
                        .join(", "),
                    places.join(", "),
                    NAMED + 1
                );
                let named = list(of.iter().map(|it| &it.name));
                let rows = self.texts(&query).await?;
                Ok(self.stops(listed(rows).map(|rows| format!("rows of {table} are alike in {named}: {rows}"))))
            }
            What::Conflicts { of, condition } => {
                let (key, alias) = self.key().await?;
                let condition = condition.as_ref().map(|it| format!("WHERE {it}")).unwrap_or_default();
                let values = of.iter().enumerate().map(|(at, (it, _))| format!("{} AS c{at}", it.value));
                let rows = format!(
                    "(SELECT {key} AS tenantry_key, ctid AS tenantry_place, tableoid AS tenantry_part, {} \
                     FROM {from} AS {alias} {condition})",
                    list(values)
                );
                let both = of.iter().enumerate().map(|(at, (_, operator))| format!("a.c{at} {operator} b.c{at}"));
                let query = format!(
                    "SELECT a.tenantry_key || ' and ' || b.tenantry_key FROM {rows} AS a JOIN {rows} AS b \
                     ON a.tenantry_part = b.tenantry_part AND a.tenantry_place < b.tenantry_place AND {} LIMIT {}",
                    both.collect::<Vec<_>>().join(" AND "),
                    NAMED + 1
                );
                let named = list(of.iter().map(|(it, _)| &it.name));
                let found = listed(self.texts(&query).await?);
                Ok(self.stops(found.map(|rows| format!("rows of {table} exclude each other by {named}: {rows}"))))
            }
            What::Domain { condition, fault } => self.domain(condition, fault).await,
            What::Orphans { columns, to, to_columns, period } => {
                // Both tables may have columns of one name; those of the outer one get names that nobody has.
                let outer: Vec<String> = (0..columns.len()).map(|it| format!("tenantry_{it}")).collect();
                let picked = columns.iter().zip(&outer).map(|(column, name)| format!("{column} AS {name}"));
                let present = outer.iter().map(|it| format!("{it} IS NOT NULL"));
                let pairs = || to_columns.iter().zip(&outer);
                let operator = |at| if *period && at + 1 == outer.len() { "&&" } else { "=" };
                let same = pairs()
                    .enumerate()
                    .map(|(at, (column, name))| format!("tenantry_to.{column} {} {name}", operator(at)));
                // As the server itself asks.
                let covered = pairs()
                    .next_back()
                    .filter(|_| *period)
                    .map(|(column, name)| format!(" HAVING {name} <@ range_agg(tenantry_to.{column})"));
                let (key, alias) = self.key().await?;
                let query = format!(
                    "SELECT tenantry_key FROM (SELECT {key} AS tenantry_key, {} FROM {from} AS {alias}) AS tenantry_from \
                     WHERE {} AND NOT EXISTS (SELECT FROM {to} AS tenantry_to WHERE {}{}) LIMIT {}",
                    picked.collect::<Vec<_>>().join(", "),
                    present.collect::<Vec<_>>().join(" AND "),
                    same.collect::<Vec<_>>().join(" AND "),
                    covered.unwrap_or_default(),
                    NAMED + 1
                );
                let found = listed(self.texts(&query).await?);
                Ok(self.stops(found.map(|rows| format!("rows of {table} refer to no row of {to}: {rows}"))))
            }
            What::Bound { child, bound, leaving } => match self.overlapping(bound, leaving).await? {
                None => self.bound(child.as_deref(), bound).await,
                found => Ok(found),
            },
            What::Triggers { own } => {
                let query = format!(
                    "SELECT t.tgname::text FROM pg_catalog.pg_trigger t
                      WHERE t.tgrelid = to_regclass({}) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
                        AND t.tgtype & 16 > 0 AND t.tgtype & 1 > 0 ORDER BY 1",
                    Literal(table)
                );
                let mut named = self.texts(&query).await?;
                named.retain(|it| !own.contains(it));
                let named = named.join(", ");
                let message =
                    format!("the backfill updates rows of {table}, and these triggers run for each: {named}");
                Ok((!named.is_empty()).then_some(Finding { step: self.probe.step, stops: false, message }))
            }
            What::Followed => {
                let query = format!(
                    "SELECT DISTINCT format('%I', s.subname) FROM pg_catalog.pg_subscription_rel r
                       JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
                      WHERE r.srrelid = to_regclass({0})
                         OR r.srrelid IN (SELECT relid FROM pg_partition_tree(to_regclass({0}))) ORDER BY 1",
                    Literal(table)
                );
                let named = self.texts(&query).await?.join(", ");
                let message = format!(
                    "rows of {table} come by the subscription {named}, whose worker fires no trigger of this plan: what \
                     it writes meanwhile is not followed; keep it disabled until the plan is through"
                );
                Ok((!named.is_empty()).then_some(Finding { step: self.probe.step, stops: false, message }))
            }
            What::Place { namespace, renamed, leaving } => self.place(namespace, renamed, leaving).await,
            What::Namespace => {
                let query = format!("SELECT 1::text WHERE to_regnamespace({}) IS NOT NULL", Literal(table));
                let found = !self.texts(&query).await?.is_empty();
                Ok(self.stops(found.then(|| format!("there is a namespace {table} by now; plan anew"))))
            }
            What::TooLong { .. } | What::Index { .. } | What::Rewrite => Ok(None),
        }
    }

    /// Whether no two rows can be alike in the terms, since the table has a key over columns among them: of as many rows
    /// as these tables have, looking takes its time.
    async fn is_given(&self, of: &[Term], nulls_too: bool) -> Result<bool, tokio_postgres::Error> {
        let query = "
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_index i
                 WHERE i.indrelid = to_regclass($1::text) AND i.indisunique AND i.indisvalid AND i.indimmediate
                   AND NOT i.indisexclusion AND i.indpred IS NULL AND i.indexprs IS NULL
                   AND NOT EXISTS (
                        SELECT FROM generate_series(0, i.indnkeyatts - 1) AS at
                          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[at]
                          JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[at]
                         WHERE format('%I', a.attname) <> ALL ($2::text[])
                            OR NOT o.opcdefault OR i.indcollation[at] <> a.attcollation
                            OR $3 AND NOT a.attnotnull
                                  AND NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)))";
        let values: Vec<&String> = of.iter().map(|it| &it.value).collect();
        let row = self.session.client.query_one(query, &[&self.table, &values, &nulls_too]).await?;
        Ok(row.get(0))
    }

    /// Values of a domain, wherever a table has a column of it: by itself, in arrays, or as an attribute.
    async fn domain(&self, condition: &str, fault: &str) -> Result<Option<Finding>, tokio_postgres::Error> {
        // The way from a column's value to those of the domain: an attribute each, or nothing for the elements.
        let query = format!(
            "WITH RECURSIVE over AS (
                SELECT to_regtype({})::oid AS oid, ARRAY[]::text[] AS way
                UNION SELECT t.oid, CASE WHEN t.typtype = 'd' THEN o.way
                                         ELSE array_prepend(coalesce(quote_ident(t.attname::text COLLATE \"default\"), ''), o.way) END
                  FROM over o
                  CROSS JOIN LATERAL (
                    SELECT oid, typtype, NULL::name AS attname FROM pg_catalog.pg_type
                     WHERE typtype = 'd' AND typbasetype = o.oid
                        OR typsubscript = 'pg_catalog.array_subscript_handler'::regproc AND typelem = o.oid
                    UNION ALL
                    SELECT w.oid, w.typtype, m.attname FROM pg_catalog.pg_attribute m
                      JOIN pg_catalog.pg_type w ON w.typrelid = m.attrelid AND w.typtype = 'c'
                     WHERE m.atttypid = o.oid AND m.attnum > 0 AND NOT m.attisdropped) t (oid, typtype, attname))
             SELECT format('%I.%I', n.nspname, c.relname), format('%I', a.attname), o.way FROM pg_catalog.pg_attribute a
               JOIN over o ON o.oid = a.atttypid
               JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3",
            Literal(&self.probe.table)
        );
        for row in self.session.client.query(&query, &[]).await? {
            let (table, column, way): (String, String, Vec<String>) = (row.get(0), row.get(1), row.get(2));
            let probe = Probe { table: table.clone(), ..self.probe.clone() };
            // Those that inherit from it are asked by themselves.
            let (key, alias) = Asking { probe: &probe, table: &table, ..*self }.key().await?;
            let (mut value, mut from, mut held) =
                (format!("{alias}.{column}"), String::new(), vec!["true".to_owned()]);
            for (at, part) in way.iter().enumerate() {
                if part.is_empty() {
                    from +=
                        &format!(" CROSS JOIN LATERAL (SELECT unnest({value}) AS tenantry_value) AS tenantry_{at}");
                    value = format!("tenantry_{at}.tenantry_value");
                } else {
                    // What is no value at all has no attributes, be they null.
                    held.push(format!("num_nulls({value}) = 0"));
                    value = format!("({value}).{part}");
                }
            }
            let query = format!(
                "SELECT DISTINCT tenantry_key FROM (SELECT {key} AS tenantry_key, {value} AS value FROM ONLY {table} AS {alias}{from} \
                 WHERE {}) AS x WHERE {condition} LIMIT {}",
                held.join(" AND "),
                NAMED + 1
            );
            if let Some(rows) = listed(self.texts(&query).await?) {
                return Ok(self.stops(Some(format!("values of {table}.{column} {fault}: {rows}"))));
            }
        }
        Ok(None)
    }

    /// Rows whose entries are too long for B-trees, index by index; where no row is, it is one look at them for all.
    async fn too_long(&self, of: &[Entry]) -> Result<Vec<Finding>, tokio_postgres::Error> {
        let table = self.table;
        let (mut sure, mut perhaps) = (vec![], vec![]);
        for entry in of {
            let columns = self.lengths(&entry.columns).await?;
            let computed = self.computed(&entry.computed).await?;
            // A third of a page, less what the page itself takes (`BTMaxItemSize`), and the entry its header.
            let most = "(current_setting('block_size')::int - 56) / 3 / 8 * 8 - 8";
            let condition = entry.condition.as_ref().map(|it| format!("({it}) AND ")).unwrap_or_default();
            let are_more = |lengths: Vec<&String>| {
                let bytes: Vec<&str> = lengths.iter().map(|it| it.as_str()).collect();
                (!bytes.is_empty()).then(|| format!("({condition}8 + {} > {most})", bytes.join(" + ")))
            };
            sure.push(are_more(columns.iter().chain(computed.iter().map(|it| &it.least)).collect()));
            perhaps.push(are_more(columns.iter().chain(computed.iter().map(|it| &it.most)).collect()));
        }
        let any: Vec<&str> = perhaps.iter().flatten().map(String::as_str).collect();
        if any.is_empty() || self.keys_where(&any.join(" OR ")).await?.is_none() {
            return Ok(vec![]);
        }
        let mut findings = vec![];
        for (entry, (sure, perhaps)) in of.iter().zip(sure.iter().zip(&perhaps)) {
            let (Some(sure), Some(perhaps), Entry { step, index, .. }) = (sure, perhaps, entry) else { continue };
            if let Some(rows) = self.keys_where(sure).await? {
                let message =
                    format!("rows of {table} are too long for the index {index}, which is a B-tree: {rows}");
                findings.push(Finding { step: *step, stops: true, message });
            } else if sure != perhaps
                && let Some(rows) = self.keys_where(perhaps).await?
            {
                let message = format!(
                    "rows of {table} may be too long for the index {index}, which is a B-tree: they fit where they can be \
                     compressed: {rows}"
                );
                findings.push(Finding { step: *step, stops: false, message });
            }
        }
        Ok(findings)
    }

    /// The rows that satisfy a condition, some of them where there are too many to look at. What can't be computed for a
    /// row is asked for by itself.
    async fn keys_where(&self, condition: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let (key, alias) = self.key().await?;
        match self.look(self.from, "*, ctid, tableoid", [&key, &alias], condition).await? {
            Looked::Rows(rows) => Ok(rows),
            Looked::Failed(_) => Ok(None),
        }
    }

    /// The keys of rows that satisfy the condition: of a sample, of which these columns are taken, where all take too long.
    async fn look(
        &self,
        table: &str,
        columns: &str,
        [key, alias]: [&str; 2],
        condition: &str,
    ) -> Result<Looked, tokio_postgres::Error> {
        let all = format!("SELECT {key} FROM {table} AS {alias} WHERE {condition} LIMIT {}", NAMED + 1);
        let error = match self.texts(&all).await {
            Ok(rows) => return Ok(Looked::Rows(listed(rows))),
            Err(error) => error,
        };
        self.again().await?;
        let sample = format!(
            "SELECT {key} FROM (SELECT {columns} FROM {table} AS {alias} LIMIT {SAMPLE}) AS {alias} WHERE {condition} LIMIT {}",
            NAMED + 1
        );
        match error.code() {
            Some(&SqlState::QUERY_CANCELED) => Ok(Looked::Rows(listed(self.texts(&sample).await?))),
            // Data exceptions, and what functions of the user's raise.
            Some(code) if code.code().starts_with("22") || code.code().starts_with("P0") => {
                Ok(Looked::Failed(error))
            }
            _ => Err(error),
        }
    }

    /// Bytes of columns in an index entry, of which it has that many for certain: what an index may compress better
    /// than the table has it counts less. Nothing where all are of a fixed length, which is never too long.
    async fn lengths(&self, columns: &[String]) -> Result<Vec<String>, tokio_postgres::Error> {
        let query = "SELECT format('%I', a.attname), a.attlen, a.attstorage IN ('x', 'm'), EXISTS (
                        SELECT FROM unnest(c.reloptions) AS o (option) WHERE o.option LIKE 'toast_tuple_target=%')
               FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              WHERE c.oid = to_regclass($1::text) AND format('%I', a.attname) = ANY ($2::text[]) ORDER BY 1";
        let rows = self.session.client.query(query, &[&self.table, &columns]).await?;
        if rows.iter().all(|row| row.get::<_, i16>(1) > 0) {
            return Ok(vec![]);
        }
        let lengths = rows.iter().map(|row| {
            let (column, compressed, is_tuned): (String, bool, bool) = (row.get(0), row.get(2), row.get(3));
            let size = format!("pg_column_size({column})");
            if !compressed {
                return format!("coalesce({size}, 0)");
            }
            // Short values are left as they are. Of those that are longer than a row is let to be, compression was tried
            // and did not help, or not by a quarter.
            let tried = if is_tuned { "0".to_owned() } else { format!("CASE WHEN {size} > 2040 THEN {size} * 3 / 4 ELSE 0 END") };
            format!(
                "coalesce(CASE WHEN pg_column_compression({column}) IS NOT NULL OR {size} < 500 THEN {size} ELSE {tried} END, 0)"
            )
        });
        Ok(lengths.collect())
    }

    /// The same of what is computed: what is longer than 500 bytes is compressed, as far as that may go.
    async fn computed(&self, expressions: &[String]) -> Result<Vec<Length>, tokio_postgres::Error> {
        let (_, alias) = self.key().await?;
        let mut lengths = vec![];
        for it in expressions {
            let query = format!("SELECT {it} FROM {} AS {alias}", self.from);
            let Ok(prepared) = self.session.client.prepare(&query).await else {
                // What it takes is not there yet, which is told where it is asked for by itself.
                self.again().await?;
                continue;
            };
            let Some(of) = prepared.columns().first().map(|it| it.type_().oid()) else { continue };
            let query = "SELECT typlen > 0, typstorage IN ('x', 'm') FROM pg_catalog.pg_type WHERE oid = $1";
            let row = self.session.client.query_one(query, &[&of]).await?;
            if row.get(0) {
                continue;
            }
            let most = format!("coalesce(pg_column_size({it}), 0)");
            let least = match row.get(1) {
                // No method makes less than a 256th of it.
                true => format!("CASE WHEN {most} < 500 THEN {most} ELSE {most} / 256 END"),
                false => most.clone(),
            };
            lengths.push(Length { least, most });
        }
        Ok(lengths)
    }

    /// What has a name in another namespace that the table, or something of it, would take there.
    async fn place(
        &self,
        namespace: &str,
        renamed: &BTreeMap<String, String>,
        leaving: &BTreeSet<String>,
    ) -> Result<Option<Finding>, tokio_postgres::Error> {
        let query = "WITH moving AS (
                SELECT to_regclass($1::text)::oid AS oid
                UNION SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = to_regclass($1::text)
                UNION SELECT objid FROM pg_catalog.pg_depend
                       WHERE refobjid = to_regclass($1::text) AND refobjsubid > 0 AND deptype IN ('a', 'i')
                         AND classid = 'pg_catalog.pg_class'::regclass AND refclassid = classid),
              names AS (
                SELECT c.relkind, coalesce((SELECT (parse_ident(r.after))[2] FROM unnest($3::text[], $4::text[]) AS r (before, after)
                                             WHERE to_regclass(r.before) = c.oid), c.relname) AS name
                  FROM moving m JOIN pg_catalog.pg_class c ON c.oid = m.oid),
              there AS (
                SELECT relname AS name, relnamespace AS namespace, false AS is_type FROM pg_catalog.pg_class
                UNION SELECT typname, typnamespace, true FROM pg_catalog.pg_type WHERE typrelid = 0)
            SELECT DISTINCT format('%I.%I', s.nspname, t.name) FROM there t JOIN pg_catalog.pg_namespace s ON s.oid = t.namespace
              JOIN names n ON n.name = t.name AND (NOT t.is_type OR n.relkind IN ('r', 'p'))
             WHERE s.nspname = (parse_ident($2::text))[1] AND format('%I.%I', s.nspname, t.name) <> ALL ($5::text[])
             ORDER BY 1";
        let (before, after): (Vec<&String>, Vec<&String>) = renamed.iter().unzip();
        let leaving: Vec<&String> = leaving.iter().collect();
        let rows =
            self.session.client.query(query, &[&self.probe.table, &namespace, &before, &after, &leaving]).await?;
        let names = listed(rows.iter().map(|row| row.get(0)).collect());
        let table = &self.probe.table;
        Ok(self.stops(names.map(|it| format!("{it} is there by now, and {table} goes to {namespace}; plan anew"))))
    }

    fn stops(&self, message: Option<String>) -> Option<Finding> {
        message.map(|message| Finding { step: self.probe.step, stops: true, message })
    }

    /// The keys of rows that satisfy the condition, or for which it fails. Of a sample, where all take too long.
    async fn rows(
        &self,
        condition: &str,
        expression: &str,
        with: &[Term],
        required: Option<&Required<'_>>,
    ) -> Result<Option<String>, tokio_postgres::Error> {
        let (key, alias) = self.key().await?;
        let mut table = self.from.to_owned();
        if !with.is_empty() {
            let more = list(with.iter().map(|it| format!("{} AS {}", it.value, it.name)));
            table = format!("(SELECT {alias}.*, ctid, tableoid, {more} FROM {table} AS {alias})");
        }
        let columns = if with.is_empty() { "*, ctid, tableoid" } else { "*" };
        match self.look(&table, columns, [&key, &alias], condition).await? {
            Looked::Rows(rows) => Ok(rows),
            Looked::Failed(error) => {
                let failing = self.failing(&table, &key, &alias, expression, required).await?;
                Ok(Some(failing.unwrap_or_else(|| server_message(&error))))
            }
        }
    }

    /// Rows for which an expression fails, each with what the server says, or gives no value that is required: as far as
    /// it comes in the time that it has.
    async fn failing(
        &self,
        table: &str,
        key: &str,
        alias: &str,
        expression: &str,
        required: Option<&Required<'_>>,
    ) -> Result<Option<String>, tokio_postgres::Error> {
        let (pending, value) = match required {
            Some(it) => (
                it.pending.map(|it| format!(" AND ({it})")).unwrap_or_default(),
                "IF FOUND AND its_value IS NULL THEN RAISE WARNING 'tenantry %', its_row.its_key; its_count := its_count + 1; END IF;",
            ),
            None => (String::new(), ""),
        };
        let body = format!(
            "DECLARE\n    its_row record;\n    its_value text;\n    its_count integer := 0;\nBEGIN\n    \
             FOR its_row IN SELECT ctid AS its_place, tableoid AS its_part, {key} AS its_key FROM {table} AS {alias} LOOP\n    \
             BEGIN\n        SELECT ({expression})::text INTO its_value FROM {table} AS {alias} \
             WHERE ctid = its_row.its_place AND tableoid = its_row.its_part{pending};\n        {value}\n    \
             EXCEPTION WHEN OTHERS THEN\n        RAISE WARNING 'tenantry %: %', its_row.its_key, SQLERRM;\n        \
             its_count := its_count + 1;\n    END;\n    EXIT WHEN its_count > {NAMED};\n    END LOOP;\nEND"
        );
        self.session.notices.drain();
        match self.session.client.batch_execute(&format!("DO {}", Literal(&body))).await {
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => self.again().await?,
            ended => ended?,
        }
        let said = self.session.notices.drain();
        let rows = said.iter().filter_map(|it| it.message().strip_prefix("tenantry ").map(str::to_owned)).collect();
        Ok(listed(rows))
    }

    /// A partition that is there, stays, and takes some of the same rows.
    async fn overlapping(
        &self,
        bound: &Bound,
        leaving: &BTreeSet<String>,
    ) -> Result<Option<Finding>, tokio_postgres::Error> {
        let parent = &self.probe.table;
        let query = format!(
            "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_partitioned_table p
               CROSS JOIN unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
              WHERE p.partrelid = to_regclass({}) ORDER BY k.place",
            Literal(parent)
        );
        let types = self.texts(&query).await?;
        let query = format!(
            "SELECT format('%I.%I', n.nspname, c.relname), pg_get_expr(c.relpartbound, c.oid)
               FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE i.inhparent = to_regclass({}) AND c.relispartition ORDER BY 1",
            Literal(parent)
        );
        for row in self.session.client.query(&query, &[]).await? {
            let (name, there): (String, Option<String>) = (row.get(0), row.get(1));
            let there = there.filter(|_| !leaving.contains(&name));
            let Some(there) = there.as_deref().and_then(Bound::read) else { continue };
            let Some(meet) = bound.meets(&there, &types) else { continue };
            if self.session.client.query_one(&format!("SELECT {meet}"), &[]).await?.get::<_, Option<bool>>(0)
                == Some(true)
            {
                let message = format!("the new partition of {parent} would overlap with {name}, which it has");
                return Ok(self.stops(Some(message)));
            }
        }
        Ok(None)
    }

    async fn bound(&self, child: Option<&str>, bound: &Bound) -> Result<Option<Finding>, tokio_postgres::Error> {
        let parent = &self.probe.table;
        let query = format!(
            "SELECT format('%I', a.attname) FROM pg_catalog.pg_partitioned_table p
               CROSS JOIN unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
              WHERE p.partrelid = to_regclass({}) ORDER BY k.place",
            Literal(parent)
        );
        let columns = self.texts(&query).await?;
        let Some(inside) = bound.condition(&columns) else { return Ok(None) };
        let query = format!(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_partitioned_table p
               JOIN pg_catalog.pg_class c ON c.oid = p.partdefid
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.partrelid = to_regclass({})",
            Literal(parent)
        );
        let default = self.texts(&query).await?;
        let default = match default.first() {
            Some(it) => Some(Rows::of(self.session, it).await?),
            None => None,
        };
        let within = |table: &str, condition: &str| {
            let query = format!("SELECT {} FROM {table} WHERE {condition} LIMIT {}", place(&columns), NAMED + 1);
            async move { self.texts(&query).await.map(listed) }
        };
        for (name, from) in default.iter().flat_map(Rows::of_all) {
            if let Some(rows) = within(&from, &inside).await? {
                let message = format!("rows of the default partition {name} belong to the new one: {rows}");
                return Ok(self.stops(Some(message)));
            }
        }
        let foreign = default.map(|it| it.elsewhere).unwrap_or_default();
        let Some(child) = child else { return Ok(unseen(self.probe, &foreign)) };
        for (name, from) in Rows::of(self.session, child).await?.of_all() {
            if let Some(rows) = within(&from, &format!("NOT ({inside})")).await? {
                let message = format!("rows of {name} are outside the bound that it is attached with: {rows}");
                return Ok(self.stops(Some(message)));
            }
        }
        Ok(unseen(self.probe, &foreign))
    }

    /// An expression for a row's key, and the name that expressions may call the table by.
    async fn key(&self) -> Result<(String, String), tokio_postgres::Error> {
        let query = format!(
            "SELECT (SELECT string_agg(format('%L || %I::text', a.attname || ' = ', a.attname), ' || '', '' || '
                                       ORDER BY k.place)
                       FROM pg_catalog.pg_index x CROSS JOIN unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
                      WHERE x.indrelid = to_regclass({}) AND x.indisprimary AND k.place <= x.indnkeyatts),
                    format('%I', c.relname)
               FROM pg_catalog.pg_class c WHERE c.oid = to_regclass({})",
            Literal(self.table),
            Literal(&self.probe.table)
        );
        let row = self.session.client.query_opt(&query, &[]).await?;
        let (key, alias): (Option<String>, Option<String>) =
            row.map_or((None, None), |row| (row.get(0), row.get(1)));
        let alias = alias.unwrap_or_else(|| "tenantry_table".into());
        Ok((key.unwrap_or_else(|| "'ctid = ' || ctid::text".into()), alias))
    }

    async fn data_type(&self, column: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let query = "SELECT format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
             WHERE attrelid = to_regclass($1::text) AND attname = (parse_ident($2::text))[1]";
        let row = self.session.client.query_opt(query, &[&self.table, &column]).await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn texts(&self, query: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let rows = self.session.client.query(query, &[]).await?;
        Ok(rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).collect())
    }

    /// A transaction that failed takes no more questions.
    async fn again(&self) -> Result<(), tokio_postgres::Error> {
        self.session.client.batch_execute(&format!("ROLLBACK; {}", self.begin)).await
    }
}

/// The columns with their values, as text.
fn place(columns: &[String]) -> String {
    let pairs: Vec<String> = columns
        .iter()
        .map(|it| format!("{} || coalesce({it}::text, 'null')", Literal(&format!("{it} = "))))
        .collect();
    pairs.join(" || ', ' || ")
}

/// The first few, and whether there are more.
fn listed(mut rows: Vec<String>) -> Option<String> {
    let more = rows.len() > NAMED;
    rows.truncate(NAMED);
    (!rows.is_empty()).then(|| format!("{}{}", rows.join("; "), if more { "; and others" } else { "" }))
}
