//! What the planner of the live side knows of its rows, lent to a copy of its schema on a private shadow, so that
//! EXPLAIN there says what it would say here. The copy holds no rows: its files are made as long as those of the live
//! side, without content (nothing may read them), and the catalogs are told the rest. Values from statistics go nowhere
//! but into that copy.
#![expect(clippy::disallowed_methods, reason = "an edge: it makes the files of the copy longer")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::name::{Literal, Name, QName};

/// Bytes of a page, unless a server was built with others.
const PAGE: u64 = 8192;
/// Pages of one file; a larger relation has several.
const SEGMENT: u64 = (1 << 30) / PAGE;
/// Pages beyond which a relation's files are made no longer; its rows are then taken to lie closer.
const MOST_PAGES: u64 = 64 * SEGMENT;

/// How large a relation is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Size {
    pub pages: u64,
    /// Below 0 where nobody has counted.
    pub rows: f64,
    all_visible: i32,
}

/// What a table of a copy is taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub rows: f64,
    /// The outermost table that it is a partition of, or itself.
    pub part_of: QName,
}

/// Statistics of a server. There is no way to print them: they hold values of rows.
#[derive(Default)]
pub struct Statistics {
    pub sizes: BTreeMap<QName, Size>,
    columns: BTreeMap<(QName, Name), Vec<Column>>,
    /// The planner's settings that somebody has set.
    settings: Vec<(String, String)>,
    /// Tables whose statistics this user may not read.
    pub hidden: BTreeSet<QName>,
}

/// A row of pg_stats.
struct Column {
    inherited: bool,
    data_type: String,
    null_frac: f32,
    avg_width: i32,
    n_distinct: f32,
    most_common: Option<(String, Vec<f32>)>,
    histogram: Option<String>,
    correlation: Option<f32>,
}

impl Statistics {
    /// Reads those of all tables in these namespaces.
    pub async fn read(client: &Client, namespaces: &[&str]) -> Result<Statistics, tokio_postgres::Error> {
        let mut read = Statistics::default();
        // Without names for the statements: behind a pooler the next one may find them taken, or gone.
        let typed: [(&(dyn ToSql + Sync), Type); 1] = [(&namespaces, Type::TEXT_ARRAY)];
        let relations = "SELECT n.nspname::text, c.relname::text, c.relkind = ANY ('{i,I}'),
                                CASE WHEN c.relkind = ANY ('{p,I}') THEN 0
                                     ELSE pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8 END,
                                c.reltuples::float8, c.relallvisible
                           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                          WHERE c.relkind = ANY ('{r,m,p,i,I}') AND n.nspname::text = ANY ($1)";
        for row in client.query_typed(relations, &typed).await? {
            let pages: i64 = row.get::<_, Option<i64>>(3).unwrap_or_default();
            let name = QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
            let size = Size { pages: pages.unsigned_abs(), rows: row.get(4), all_visible: row.get(5) };
            if size.rows > 0.0 && !row.get::<_, bool>(2) {
                read.hidden.insert(name.clone());
            }
            read.sizes.insert(name, size);
        }
        let columns = "SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.inherited,
                              pg_catalog.format_type(a.atttypid, NULL), s.null_frac, s.avg_width, s.n_distinct,
                              s.most_common_vals::text, s.most_common_freqs, s.histogram_bounds::text, s.correlation
                         FROM pg_catalog.pg_stats s
                         JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
                         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
                        WHERE s.schemaname::text = ANY ($1) AND c.relkind = ANY ('{r,m,p}')";
        for row in client.query_typed(columns, &typed).await? {
            let table = QName::new(row.get::<_, String>(0), row.get::<_, String>(1));
            read.hidden.remove(&table);
            read.columns.entry((table, Name::from(row.get::<_, &str>(2)))).or_default().push(column(&row));
        }
        let settings = "SELECT name, setting FROM pg_catalog.pg_settings
                         WHERE (category LIKE 'Query Tuning%' OR name = ANY ('{work_mem,max_parallel_workers_per_gather}'))
                           AND context = 'user' AND setting IS DISTINCT FROM boot_val ORDER BY name";
        let settings = client.query_typed(settings, &[]).await?;
        read.settings = settings.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(read)
    }

    /// The statements that plan as the live side is set to.
    pub fn set(&self) -> String {
        let set = self.settings.iter().map(|(name, value)| format!("SET {name} = {};", Literal(value)));
        set.collect()
    }

    /// Lends all of this to a copy, whose administrator `client` is and whose cluster has its files below `data`.
    /// `was` gives the names that tables and columns of the copy have on the live side, where they differ; `said` the
    /// rows of tables that it knows nothing of. Returns what each table is now taken for.
    pub async fn lend(
        &self,
        client: &Client,
        data: &Path,
        was: &Renamed,
        said: &BTreeMap<QName, u64>,
    ) -> Result<BTreeMap<QName, Taken>, LendError> {
        // A statement that fails would stand in the server's log, with values in it.
        client.batch_execute("SET log_min_error_statement = panic").await?;
        let copied = Copied::all(client).await?;
        let mut sizes: BTreeMap<u32, Size> = BTreeMap::new();
        for (oid, it) in copied.relations.iter().filter(|(_, it)| it.of.is_none()) {
            let known = self.sizes.get(was.table(&it.name)).copied().filter(|it| it.pages > 0 || it.rows > 0.0);
            let said = || said.get(&it.name).map(|rows| sized(*rows as f64, it.width + 28));
            sizes.extend(known.or_else(said).map(|size| (*oid, size)));
        }
        // Of a table that has become partitioned, each partition has its share.
        for (oid, it) in &copied.relations {
            if let Some(root) = copied.root(*oid)
                && it.path.is_some()
                && !sizes.contains_key(oid)
                && let Some(whole) = sizes.get(&root)
            {
                let leaves = copied
                    .relations
                    .iter()
                    .filter(|(leaf, it)| it.path.is_some() && it.of.is_none() && copied.root(**leaf) == Some(root));
                let share = whole.rows.max(0.0) / leaves.count().max(1) as f64;
                sizes.insert(*oid, sized(share, it.width + 28));
            }
        }
        for (oid, it) in &copied.relations {
            let Some(size) = it.of.and_then(|table| sizes.get(&table)).copied() else { continue };
            let share = if it.partial { 0.1 } else { 1.0 };
            let known = self.sizes.get(&it.name).copied().filter(|it| it.pages > 1);
            sizes.insert(*oid, known.unwrap_or_else(|| sized(size.rows.max(0.0) * share, it.width + 16)));
        }
        let mut update = String::new();
        for (oid, size) in &sizes {
            let pages = size.pages.min(MOST_PAGES);
            if let Some(path) = &copied.relations[oid].path {
                lengthen(&data.join(path), pages)?;
            }
            update += &format!(
                "UPDATE pg_catalog.pg_class SET relpages = {pages}, reltuples = {}, relallvisible = {} WHERE oid = {oid};",
                size.rows, size.all_visible
            );
        }
        client.batch_execute(&update).await?;
        self.lend_columns(client, &copied, was).await?;
        let tables = sizes.iter().filter(|(oid, _)| copied.relations[oid].of.is_none());
        let taken = tables.map(|(oid, size)| {
            let name = copied.relations[oid].name.clone();
            let part_of = copied.root(*oid).map_or(name.clone(), |root| copied.relations[&root].name.clone());
            (name, Taken { rows: size.rows, part_of })
        });
        Ok(taken.collect())
    }

    async fn lend_columns(&self, client: &Client, copied: &Copied, was: &Renamed) -> Result<(), LendError> {
        let version: i32 =
            client.query_one("SELECT current_setting('server_version_num')::int4", &[]).await?.get(0);
        for place in &copied.columns {
            // Partitions that the live side does not have are taken to be like the whole.
            let whole = copied.root(place.table).map(|root| &copied.relations[&root].name);
            let own = &copied.relations[&place.table];
            let found = [Some(&own.name), whole].into_iter().flatten().find_map(|table| {
                let column = was.column(table, &place.name);
                self.columns.get(&(was.table(table).clone(), column.clone()))
            });
            for column in found.into_iter().flatten().filter(|it| it.data_type == place.data_type) {
                let inherited = own.path.is_none();
                if column.inherited && !inherited && copied.root(place.table).is_none() {
                    continue;
                }
                let sql = match version {
                    180_000.. => column.restore(&own.name, &place.name, inherited),
                    _ => column.insert(place, inherited),
                };
                // What the server says against it may hold a value. Without it, the planner takes its defaults.
                let _ = client.batch_execute(&sql).await;
            }
        }
        Ok(())
    }
}

fn column(row: &Row) -> Column {
    let most_common: Option<String> = row.get(8);
    Column {
        inherited: row.get(3),
        data_type: row.get(4),
        null_frac: row.get(5),
        avg_width: row.get(6),
        n_distinct: row.get(7),
        most_common: most_common.zip(row.get(9)),
        histogram: row.get(10),
        correlation: row.get(11),
    }
}

impl Column {
    /// By PostgreSQL 18's own function.
    fn restore(&self, table: &QName, column: &Name, inherited: bool) -> String {
        let mut sql = format!(
            "SELECT pg_catalog.pg_restore_attribute_stats('schemaname', {}, 'relname', {}, 'attname', {}, 'inherited', \
             {inherited}, 'null_frac', {}::real, 'avg_width', {}, 'n_distinct', {}::real",
            Literal(table.namespace.as_str()),
            Literal(table.name.as_str()),
            Literal(column.as_str()),
            self.null_frac,
            self.avg_width,
            self.n_distinct
        );
        if let Some((values, shares)) = &self.most_common {
            let shares = Literal(&reals(shares)).to_string();
            sql += &format!(", 'most_common_vals', {}, 'most_common_freqs', {shares}::real[]", Literal(values));
        }
        if let Some(bounds) = &self.histogram {
            sql += &format!(", 'histogram_bounds', {}", Literal(bounds));
        }
        if let Some(correlation) = self.correlation {
            sql += &format!(", 'correlation', {correlation}::real");
        }
        sql + ")"
    }

    /// By the catalog, as ANALYZE writes it (pg_statistic.h: kinds 1, 2 and 3).
    fn insert(&self, place: &Place, inherited: bool) -> String {
        let array = |text: &str| {
            format!("pg_catalog.array_in({}::cstring, {}::oid, {})", Literal(text), place.type_oid, place.type_mod)
        };
        let mut slots: Vec<[String; 5]> = vec![];
        let collation = place.collation;
        if let (Some((values, shares)), Some(equal)) = (&self.most_common, place.equal) {
            let shares = format!("{}::real[]", Literal(&reals(shares)));
            slots.push(["1".into(), equal.to_string(), collation.to_string(), shares, array(values)]);
        }
        if let (Some(bounds), Some(less)) = (&self.histogram, place.less) {
            slots.push(["2".into(), less.to_string(), collation.to_string(), "NULL".into(), array(bounds)]);
        }
        if let (Some(correlation), Some(less)) = (self.correlation, place.less) {
            let number = format!("'{{{correlation}}}'::real[]");
            slots.push(["3".into(), less.to_string(), collation.to_string(), number, "NULL".into()]);
        }
        slots.resize(5, ["0", "0", "0", "NULL", "NULL"].map(str::to_owned));
        let names = ["stakind", "staop", "stacoll", "stanumbers", "stavalues"];
        let columns = names.iter().flat_map(|name| (1..=5).map(move |slot| format!("{name}{slot}")));
        let values = (0..5).flat_map(|part| slots.iter().map(move |slot| slot[part].clone()));
        format!(
            "INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {})
             VALUES ({}, {}, {inherited}, {}, {}, {}, {})",
            columns.collect::<Vec<_>>().join(", "),
            place.table,
            place.number,
            self.null_frac,
            self.avg_width,
            self.n_distinct,
            values.collect::<Vec<_>>().join(", ")
        )
    }
}

fn reals(numbers: &[f32]) -> String {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}

/// The size of so many rows of this width.
fn sized(rows: f64, width: u64) -> Size {
    let pages = (rows * width as f64 / (PAGE as f64 * 0.9)).ceil() as u64;
    Size { pages: pages.max(1), rows: rows.round(), all_visible: 0 }
}

/// Makes a relation's files as long as so many pages. They take no room on the disk.
fn lengthen(path: &Path, pages: u64) -> io::Result<()> {
    let owner = fs::metadata(path)?;
    for segment in 0..=pages / SEGMENT {
        let file = match segment {
            0 => path.to_owned(),
            _ => path.with_extension(segment.to_string()),
        };
        let wanted = (pages - segment * SEGMENT).min(SEGMENT) * PAGE;
        let opened = File::options().write(true).create(true).truncate(false).open(&file)?;
        if opened.metadata()?.len() < wanted {
            opened.set_len(wanted)?;
        }
        if segment > 0 {
            chown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}

/// Names on the live side of what is called otherwise in a copy.
#[derive(Debug, Default)]
pub struct Renamed {
    pub tables: BTreeMap<QName, QName>,
    pub columns: BTreeMap<(QName, Name), Name>,
}

impl Renamed {
    fn table<'a>(&'a self, name: &'a QName) -> &'a QName {
        self.tables.get(name).unwrap_or(name)
    }

    fn column<'a>(&'a self, table: &QName, name: &'a Name) -> &'a Name {
        self.columns.get(&(table.clone(), name.clone())).unwrap_or(name)
    }
}

/// Why a copy has no statistics.
#[derive(Debug, thiserror::Error)]
pub enum LendError {
    #[error("the copy's session failed")]
    Session(#[from] tokio_postgres::Error),
    #[error("the files of the copy can't be made longer: {0}")]
    Files(#[from] io::Error),
}

/// The relations of a copy and their columns.
struct Copied {
    relations: BTreeMap<u32, Relation>,
    columns: Vec<Place>,
}

struct Relation {
    name: QName,
    /// Its first file, unless it has none of its own.
    path: Option<String>,
    /// The table of an index.
    of: Option<u32>,
    partial: bool,
    parent: Option<u32>,
    /// Bytes of a row, roughly.
    width: u64,
}

/// A column of the copy, with what pg_statistic says of its type.
struct Place {
    table: u32,
    number: i16,
    name: Name,
    data_type: String,
    type_oid: u32,
    type_mod: i32,
    collation: u32,
    equal: Option<u32>,
    less: Option<u32>,
}

impl Copied {
    async fn all(client: &Client) -> Result<Copied, tokio_postgres::Error> {
        let relations = "SELECT c.oid, n.nspname::text, c.relname::text,
                                CASE WHEN c.relkind = ANY ('{r,m,i}') THEN pg_catalog.pg_relation_filepath(c.oid) END,
                                i.indrelid, i.indpred IS NOT NULL,
                                (SELECT p.inhparent FROM pg_catalog.pg_inherits p WHERE p.inhrelid = c.oid LIMIT 1),
                                (SELECT coalesce(sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 24 END), 0)
                                   FROM pg_catalog.pg_attribute a
                                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
                           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                           LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
                          WHERE c.relkind = ANY ('{r,m,p,i,I}') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
        let relations = client.query(relations, &[]).await?.into_iter().map(|row| {
            let relation = Relation {
                name: QName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
                path: row.get(3),
                of: row.get(4),
                partial: row.get(5),
                parent: row.get(6),
                width: row.get::<_, i64>(7).unsigned_abs(),
            };
            (row.get(0), relation)
        });
        let relations: BTreeMap<u32, Relation> = relations.collect();
        let columns = "SELECT a.attrelid, a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, NULL), a.atttypid,
                              a.atttypmod, a.attcollation, equal.amopopr, less.amopopr
                         FROM pg_catalog.pg_attribute a
                         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                         JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
                         JOIN pg_catalog.pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
                         LEFT JOIN pg_catalog.pg_opclass o ON o.opcmethod = 403 AND o.opcdefault AND o.opcintype =
                              CASE WHEN t.typtype = 'e' THEN 'pg_catalog.anyenum'::regtype::oid
                                   WHEN t.typtype = 'r' THEN 'pg_catalog.anyrange'::regtype::oid
                                   WHEN t.typlen = -1 AND t.typelem <> 0 THEN 'pg_catalog.anyarray'::regtype::oid
                                   WHEN t.oid = 'pg_catalog.varchar'::regtype THEN 'pg_catalog.text'::regtype::oid
                                   ELSE t.oid END
                         LEFT JOIN pg_catalog.pg_amop equal ON equal.amopfamily = o.opcfamily AND equal.amopstrategy = 3
                              AND equal.amoplefttype = o.opcintype AND equal.amoprighttype = o.opcintype
                         LEFT JOIN pg_catalog.pg_amop less ON less.amopfamily = o.opcfamily AND less.amopstrategy = 1
                              AND less.amoplefttype = o.opcintype AND less.amoprighttype = o.opcintype
                        WHERE c.relkind = ANY ('{r,m,p}') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                          AND a.attnum > 0 AND NOT a.attisdropped";
        let columns = client.query(columns, &[]).await?.into_iter().map(|row| Place {
            table: row.get(0),
            number: row.get(1),
            name: Name::from(row.get::<_, &str>(2)),
            data_type: row.get(3),
            type_oid: row.get(4),
            type_mod: row.get(5),
            collation: row.get(6),
            equal: row.get(7),
            less: row.get(8),
        });
        Ok(Copied { relations, columns: columns.collect() })
    }

    /// The outermost table that one is a partition of.
    fn root(&self, oid: u32) -> Option<u32> {
        let mut root = self.relations.get(&oid)?.parent?;
        while let Some(above) = self.relations.get(&root).and_then(|it| it.parent) {
            root = above;
        }
        Some(root)
    }
}
