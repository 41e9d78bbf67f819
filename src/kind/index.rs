//! `CREATE INDEX`, on tables and materialized views. The index of a constraint belongs to its constraint; what the
//! two have in common (keys, building one beside the other) stands here, and in `index/stored.rs` how it is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::column::Aside;
use crate::kind::constraint::{Constraint, Rule};
use crate::kind::expr::Expr;
use crate::kind::index_partition::{self, End};
use crate::kind::{Alter, Claim, Definition, Kind, Object, ObjectId, arbiter, foreign_partition, partition, table, width};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};
use crate::source::syntax::words;

mod beside;

mod stored;

mod tree;

pub(super) use beside::{aid, aids, marked_again, name_of_the_way_there, temporary_name};
pub use stored::Storage;
pub use stored::{Identity, identifying, identity, new_identity};
pub(super) use stored::{Indexed, of_replica_identity};
pub(super) use tree::is_attached_along;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    pub name: QName,
    pub table: QName,
    pub of: Of,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    /// The access method.
    pub method: Name,
    pub keys: Vec<Key>,
    pub include: Vec<Name>,
    pub predicate: Option<Expr>,
    pub storage: Storage,
    /// A build that failed leaves an index that is kept up to date and serves nobody. The index of a partitioned
    /// table counts as valid where attachments that it lacks can make it so.
    pub valid: bool,
    /// The index that this one is attached to. The attachment is an object of its own; dropping the parent drops
    /// this index.
    pub parent: Aside<Option<End>>,
    /// Partitions of the table that have no such index: attached after the index was there, they would have got one.
    #[serde(default = "none_lacking", skip_serializing_if = "lacks_none")]
    pub lacking: Aside<Vec<QName>>,
}

fn none_lacking() -> Aside<Vec<QName>> {
    Aside(vec![])
}

/// So that the fingerprint of a schema without such an index says nothing of it.
fn lacks_none(lacking: &Aside<Vec<QName>>) -> bool {
    lacking.0.is_empty()
}

/// What an index is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    Table,
    PartitionedTable,
    MaterializedView,
}

/// One key of an index or element of an exclusion constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub of: Subject,
    /// Where it is not that of the column.
    pub collation: Option<QName>,
    /// Where it is not the default of the type, or has parameters.
    pub opclass: Option<Opclass>,
    pub descending: bool,
    pub nulls_first: bool,
    /// The statistics target of an expression.
    pub statistics: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Column(Name),
    /// With parentheses around it unless it is a function call.
    Expression(Expr),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opclass {
    pub name: QName,
    pub options: Options,
}

/// Parameters as `pg_class.reloptions` has them.
pub type Options = BTreeMap<String, String>;

/// The keys of the index `i` (pg_index), as [`Key`] reads them.
///
/// An expression has no collation of its own in the catalogs; its tree says where it can't be the database's default
/// (oid 100). An operator class is the type's default if it is marked so and no other one fits the type exactly.
macro_rules! keys {
    ($extra:literal) => {
        concat!(
            r#"(SELECT json_agg(json_build_object(
                'of', CASE WHEN k.attnum = 0
                           THEN json_build_object('expression', pg_get_indexdef(i.indexrelid, k.n::int, false))
                           ELSE json_build_object('column', a.attname) END,
                'collation', CASE WHEN i.indcollation[k.n - 1] <> 0
                                   AND CASE WHEN k.attnum <> 0 THEN i.indcollation[k.n - 1] <> a.attcollation
                                            ELSE i.indcollation[k.n - 1] <> 100
                                              OR i.indexprs::text ~ 'coll(id|Oid|ation) (?!(0|100)\M)' END
                             THEN (SELECT json_build_array(kn.nspname, kc.collname)
                                     FROM pg_collation kc JOIN pg_namespace kn ON kn.oid = kc.collnamespace
                                    WHERE kc.oid = i.indcollation[k.n - 1]) END,
                'opclass', CASE WHEN ia.attoptions IS NOT NULL OR NOT o.opcdefault
                                  OR (o.opcintype <> kt.oid
                                      AND EXISTS (SELECT FROM pg_opclass other
                                                   WHERE other.opcmethod = o.opcmethod AND other.opcdefault
                                                     AND other.opcintype = kt.oid))
                           THEN json_build_object(
                               'name', (SELECT json_build_array(kn.nspname, o.opcname)
                                          FROM pg_namespace kn WHERE kn.oid = o.opcnamespace),
                               'options', coalesce(
                                   (SELECT json_object_agg(split_part(v, '=', 1), substr(v, strpos(v, '=') + 1))
                                      FROM unnest(ia.attoptions) v), '{}')) END,
                'descending', i.indoption[k.n - 1] & 1 = 1,
                'nulls_first', i.indoption[k.n - 1] & 2 = 2,
                'statistics', CASE WHEN k.attnum = 0 THEN nullif(ia.attstattarget, -1) END"#,
            $extra,
            r#") ORDER BY k.n)
                  FROM unnest(i.indkey) WITH ORDINALITY k(attnum, n)
                  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = k.n
                  JOIN pg_opclass o ON o.oid = i.indclass[k.n - 1]
                  LEFT JOIN pg_type t ON t.oid = CASE WHEN k.attnum <> 0 THEN a.atttypid
                                                      WHEN o.opckeytype = 0 THEN ia.atttypid END
                  LEFT JOIN pg_type kt ON kt.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
                 WHERE k.n <= i.indnkeyatts)"#
        )
    };
}

/// The columns of the index `i` that are no keys: INCLUDE.
macro_rules! include_columns {
    () => {
        r#"(SELECT coalesce(json_agg(a.attname ORDER BY k.n), '[]')
                  FROM unnest(i.indkey) WITH ORDINALITY k(attnum, n)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE k.n > i.indnkeyatts)"#
    };
}

/// The [`Storage`] of the index `i` (pg_index), `ic` (pg_class).
macro_rules! storage {
    () => {
        r#"json_build_object(
                'options', coalesce((SELECT json_object_agg(split_part(v, '=', 1), substr(v, strpos(v, '=') + 1))
                                       FROM unnest(ic.reloptions) v), '{}'),
                'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = ic.reltablespace),
                'clustered', i.indisclustered, 'replica_identity', i.indisreplident)"#
    };
}

pub(super) use {include_columns, keys, storage};

impl Key {
    pub(super) fn is_computed(&self) -> bool {
        matches!(self.of, Subject::Expression(_))
    }

    /// As it stands between the parentheses of CREATE INDEX.
    pub fn sql(&self) -> String {
        let mut sql = match &self.of {
            Subject::Column(name) => name.to_string(),
            Subject::Expression(expression) => expression.to_string(),
        };
        if let Some(collation) = &self.collation {
            sql += &format!(" COLLATE {}", short(collation));
        }
        if let Some(opclass) = &self.opclass {
            sql += &format!(" {}", short(&opclass.name));
            if !opclass.options.is_empty() {
                sql += &format!(" ({})", settings(&opclass.options));
            }
        }
        match (self.descending, self.nulls_first) {
            (false, false) => {}
            (false, true) => sql += " NULLS FIRST",
            (true, true) => sql += " DESC",
            (true, false) => sql += " DESC NULLS LAST",
        }
        sql
    }
}

/// What is in pg_catalog is found without its namespace, under any search_path.
pub(super) fn short(name: &QName) -> String {
    if name.namespace.as_str() == "pg_catalog" { name.name.to_string() } else { name.to_string() }
}

/// `fillfactor = 70, fastupdate = 'off'`: parameters as WITH and SET take them.
fn settings(options: &Options) -> String {
    list(options.iter().map(|(option, value)| {
        let number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let value = if number { value.clone() } else { Literal(value).to_string() };
        format!("{} = {value}", Name::from(option.clone()))
    }))
}

/// The steps that set what differs between the statistics targets of two lists of keys.
pub(super) fn statistics<'a>(
    index: &QName,
    old: impl Iterator<Item = Option<i32>> + 'a,
    new: impl Iterator<Item = Option<i32>> + 'a,
) -> Vec<Step> {
    let differing = old.zip(new).enumerate().filter(|(_, (old, new))| old != new);
    differing
        .map(|(n, (_, target))| {
            let (n, target) = (n + 1, target.unwrap_or(-1));
            Step::new(format!("ALTER INDEX {index} ALTER COLUMN {n} SET STATISTICS {target}"))
        })
        .collect()
}

/// Whether something that the part of a table needs changes too, so that its new definition may not hold before and
/// the old one not after. What only comes or only goes is no hindrance.
pub(super) fn stands_on_changes(id: &ObjectId, table: &ObjectId, sides: &Sides<'_>) -> bool {
    stands_on_changes_of(id, |need| need != table, sides)
}

/// The same of those needs that are asked about.
pub(super) fn stands_on_changes_of(id: &ObjectId, asked: impl Fn(&ObjectId) -> bool, sides: &Sides<'_>) -> bool {
    let changes = |need: &&ObjectId| match (sides.old.get(need), sides.new.get(need)) {
        (Some(Object::Column(old)), Some(Object::Column(new))) => {
            old.data_type != new.data_type || old.collation != new.collation || old.generated != new.generated
        }
        (Some(old), Some(new)) => old != new,
        _ => false,
    };
    let mut needs = sides.old.needs_of(id).chain(sides.new.needs_of(id)).filter(|need| asked(need));
    needs.any(|need| sides.replaced.contains(need) || changes(&need))
}

/// Whether a foreign key stands on the index or the key, on one of the sides.
pub(super) fn is_referred_to(id: &ObjectId, sides: &Sides<'_>) -> bool {
    let on = |schema: &Schema| {
        schema.of_kind(Kind::Constraint).any(|it| schema.needs_of(&it.id()).any(|need| need == id))
    };
    on(sides.old) || on(sides.new)
}

/// True once the index is there and valid.
pub(super) fn is_valid(index: &QName) -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass({}) AND indisvalid)",
        Literal(&index.to_string())
    )
}

/// True once no relation has the name.
fn is_gone(index: &QName) -> String {
    format!("SELECT pg_catalog.to_regclass({}) IS NULL", Literal(&index.to_string()))
}

impl Index {
    /// Whether the two can be one index of a partitioned table and of its partition.
    pub fn is_part_like(&self, other: &Index) -> bool {
        let keys = |it: &Index| it.keys.iter().map(|key| Key { statistics: None, ..key.clone() }).collect::<Vec<_>>();
        (self.unique, self.nulls_not_distinct, &self.method) == (other.unique, other.nulls_not_distinct, &other.method)
            && (&self.include, &self.predicate) == (&other.include, &other.predicate)
            && keys(self) == keys(other)
    }

    pub fn table_id(&self) -> ObjectId {
        let kind = match self.of {
            Of::Table | Of::PartitionedTable => Kind::Table,
            Of::MaterializedView => Kind::MaterializedView,
        };
        ObjectId::new(kind, [&self.table.namespace, &self.table.name])
    }

    pub(super) fn partitioned(&self) -> bool {
        self.of == Of::PartitionedTable
    }

    fn is_btree(&self) -> bool {
        self.method.as_str() == "btree"
    }

    fn indexed(&self, sides: &Sides<'_>) -> Indexed<'_> {
        Indexed {
            name: &self.name,
            table: &self.table,
            partitioned: self.partitioned(),
            exclusion: false,
            width: self.width(sides),
            sorted: self.is_btree(),
            id: self.id(),
        }
    }

    /// Whether it has an expression or a condition, not keys alone.
    pub(super) fn is_computed(&self) -> bool {
        self.predicate.is_some() || self.keys.iter().any(Key::is_computed)
    }

    /// Whether the index looks at the column: as a key, in an expression or its condition, or beside the keys.
    pub fn is_of(&self, column: &Name) -> bool {
        let says = |it: &Expr| words(&it.0).iter().any(|word| word == column.as_str());
        let is_key = |key: &Key| match &key.of {
            Subject::Column(it) => it == column,
            Subject::Expression(it) => says(it),
        };
        self.keys.iter().any(is_key) || self.include.contains(column) || self.predicate.as_ref().is_some_and(says)
    }

    /// The same index once more under another name, without what a table has one index for.
    pub fn beside(&self, name: Name) -> Index {
        let storage = Storage { clustered: false, replica_identity: false, ..self.storage.clone() };
        let keys = self.keys.iter().map(|key| Key { statistics: None, ..key.clone() }).collect();
        Index { name: self.name.sibling(name), storage, keys, valid: true, parent: Aside(None), ..self.clone() }
    }

    /// `CREATE INDEX` under a name of the caller's choice.
    fn sql(&self, how: &str, name: &Name) -> String {
        self.sql_on(if self.partitioned() { "ONLY " } else { "" }, how, name)
    }

    pub(super) fn sql_on(&self, only: &str, how: &str, name: &Name) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let keys = list(self.keys.iter().map(Key::sql));
        let using = match self.method.as_str() {
            "btree" => String::new(),
            _ => format!(" USING {}", self.method),
        };
        let mut sql = format!("CREATE {unique}INDEX {how}{name} ON {only}{}{using} ({keys})", self.table);
        if !self.include.is_empty() {
            sql += &format!(" INCLUDE ({})", list(&self.include));
        }
        if self.nulls_not_distinct {
            sql += " NULLS NOT DISTINCT";
        }
        sql += &self.storage.with();
        if let Some(tablespace) = &self.storage.tablespace {
            sql += &format!(" TABLESPACE {tablespace}");
        }
        if let Some(predicate) = &self.predicate {
            sql += &format!(" WHERE {predicate}");
        }
        sql
    }

    /// Bytes of the columns of an entry, roughly.
    fn width(&self, sides: &Sides<'_>) -> u64 {
        let keys = self.keys.iter().map(|key| match &key.of {
            Subject::Column(name) => Some(name),
            Subject::Expression(_) => None,
        });
        width::of(&self.table, keys.chain(self.include.iter().map(Some)), sides)
    }

    /// On the way back it may be there still: that of a partition, which went with the one that it became part of, and one
    /// that is made again on the way there.
    fn guard(&self, sides: &Sides<'_>) -> &'static str {
        let may_be_there = sides.old.contains(&super::partition::id(&self.table)) || sides.replaced.contains(&self.id());
        if sides.facts.way_back && may_be_there { "IF NOT EXISTS " } else { "" }
    }

    /// That of a partition goes with the one that comes above it and that it becomes part of, and before that by itself.
    fn undone_unless_attached(&self, step: Step, sides: &Sides<'_>) -> Step {
        match &self.parent.0 {
            Some(it) if sides.is_new(&it.id()) => step.undone_by(index_partition::unless_attached(&self.name, &format!("DROP INDEX {}", self.name))),
            _ => step,
        }
    }

    /// Whether a foreign key comes once this is gone, in the transaction in which it goes.
    fn is_in_the_way(&self, sides: &Sides<'_>) -> bool {
        let waits = |object: &Object| match object {
            Object::Constraint(it) => match &it.rule {
                Rule::Foreign(key) => {
                    key.to == self.table && sides.is_new(&it.id()) && key.former_keys(sides).contains(&self.id())
                }
                Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
            },
            _ => false,
        };
        self.unique && sides.new.of_kind(Kind::Constraint).any(waits)
    }

    /// What CREATE INDEX leaves to further statements.
    fn finish(&self) -> Vec<Step> {
        let targets = self.keys.iter().map(|key| key.statistics);
        let mut steps = statistics(&self.name, self.keys.iter().map(|_| None), targets);
        steps.extend(self.storage.mark(&self.table, &self.name.name));
        steps
    }

    /// This index with everything of `new` that changes in place.
    fn settled_like(&self, new: &Index) -> Index {
        let mut settled = Index { storage: new.storage.clone(), valid: new.valid, ..self.clone() };
        if self.partitioned() {
            // ALTER INDEX … SET is not for the indexes of partitioned tables.
            settled.storage.options = self.storage.options.clone();
        }
        for (key, new) in settled.keys.iter_mut().zip(&new.keys) {
            key.statistics = new.statistics;
        }
        settled
    }
}

/// Why an index that is not valid has no way back.
const INVALID: &str = "an index that failed to build is not made again";

impl Definition for Index {
    const NOUN: &'static str = "index";

    const CATALOG: &'static str = concat!(
        r#"
        SELECT json_build_object(
            'at', json_build_array('pg_class'::regclass::oid::int8, ic.oid::int8, 0),
            'def', json_build_object(
                'name', json_build_array(n.nspname, ic.relname),
                'table', json_build_array(tn.nspname, t.relname),
                'of', CASE t.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table'
                                     ELSE 'materialized_view' END,
                'unique', i.indisunique,
                'nulls_not_distinct', i.indisunique
                    AND coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
                'method', am.amname,
                'keys', "#,
        keys!(""),
        r#",
                'include', "#,
        include_columns!(),
        r#",
                'predicate', pg_get_expr(i.indpred, i.indrelid),
                'storage', "#,
        storage!(),
        r#",
                'valid', "#,
        foreign_partition::valid!(),
        r#",
                'parent', "#,
        index_partition::parent!(),
        r#",
                'lacking', CASE WHEN ic.relkind = 'I' THEN coalesce(
                    (SELECT json_agg(json_build_array(pn.nspname, p.relname) ORDER BY pn.nspname, p.relname)
                       FROM pg_inherits h
                       JOIN pg_class p ON p.oid = h.inhrelid AND p.relkind <> 'f'
                       JOIN pg_namespace pn ON pn.oid = p.relnamespace
                      WHERE h.inhparent = i.indrelid
                        AND NOT EXISTS (SELECT FROM pg_inherits hi JOIN pg_index pi ON pi.indexrelid = hi.inhrelid
                                         WHERE hi.inhparent = i.indexrelid AND pi.indrelid = h.inhrelid)), '[]')
                    ELSE '[]' END))
          FROM pg_index i
          JOIN pg_class ic ON ic.oid = i.indexrelid
          JOIN pg_am am ON am.oid = ic.relam
          JOIN pg_namespace n ON n.oid = ic.relnamespace
          JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace tn ON tn.oid = t.relnamespace
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.relkind IN ('r', 'p', 'm')
           AND NOT EXISTS (SELECT FROM pg_constraint con
                            WHERE con.conindid = i.indexrelid AND con.conrelid = i.indrelid
                              AND con.contype IN ('p', 'u', 'x'))
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                              AND d.objid = t.oid AND d.deptype = 'e')"#
    );

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Index, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("INDEX {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        self.parent.0.iter().map(End::id).collect()
    }

    fn wishes(&self) -> Vec<ObjectId> {
        self.lacking.0.iter().map(partition::id).collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.table_id())
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::relation_claim(&self.name)]
    }

    /// A partition that is attached again would get such an index, so on the way back it is the last to come.
    fn goes_apart(&self, _sides: &Sides<'_>) -> bool {
        !self.lacking.0.is_empty()
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } => true,
            Disturbance::Replace => false,
            // Values may wait as text meanwhile, which not every method and operator class takes.
            Disturbance::Swap => {
                let plain = |key: &Key| matches!(key.of, Subject::Column(_)) && key.opclass.is_none();
                let takes_text = matches!(self.method.as_str(), "btree" | "hash");
                self.predicate.is_none() && takes_text && self.keys.iter().all(plain)
            }
        }
    }

    fn outlives(&self, need: &ObjectId, new: &Schema) -> bool {
        index_partition::outlives_parent(self.parent.0.as_ref(), need, new)
    }

    fn cannot_come(&self, sides: &Sides<'_>) -> Option<String> {
        if sides.facts.way_back && !self.valid {
            return Some(INVALID.into());
        }
        let unique = self.unique && self.partitioned();
        unique.then(|| foreign_partition::stays_beside(sides, &self.table, "a unique index", "unique indexes")).flatten()
    }

    /// A constraint of its name goes as it comes.
    fn takes_the_place_of(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        Constraint::before_index(self, sides)
    }

    fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        match self.takes_in_its_parts(sides) {
            true => index_partition::attached_to(&self.id(), sides.new).map(|it| it.child.id()).collect(),
            false => vec![],
        }
    }

    fn goes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        index_partition::detached_before(self.parent.0.as_ref(), &self.table, sides).into_iter().collect()
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if tree::goes_along(self, sides.new, sides) {
            return vec![];
        }
        if let Some(old) = Constraint::before_index(self, sides) {
            return self.takes_over_from(&old, sides);
        }
        let mut steps = if sides.is_new(&self.table_id()) {
            vec![Step::new(self.sql("", &self.name.name))]
        } else if self.partitioned() {
            // Reads no row: the indexes of the partitions are built on their own and attached.
            let guard = self.guard(sides);
            let create = match self.takes_in_its_parts(sides) {
                true => self.over_its_parts(guard, sides),
                false => Step::new(self.sql(guard, &self.name.name)).locks(&self.table, Lock::Share),
            };
            let create = if guard.is_empty() { create } else { create.repeats() };
            vec![self.undone_unless_attached(create, sides)]
        } else {
            vec![self.undone_unless_attached(self.build(&self.name.name, sides), sides)]
        };
        steps.extend(self.finish());
        arbiter::after_the_end(&self.id(), steps, sides)
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let settled = self.settled_like(new);
        if sides.facts.way_back && self.valid && !new.valid {
            return Alter::Refused(INVALID.into());
        }
        if !self.valid && new.valid && (self.partitioned() || self.parent.0.is_some()) {
            return Alter::Replace;
        }
        if !self.valid && new.valid {
            let drop = self.drop_beside("", sides).irreversible(INVALID);
            let mut steps = vec![drop, new.build(&new.name.name, sides)];
            steps.extend(new.finish());
            return Alter::Steps(steps);
        }
        if index_partition::goes_with_parent(self.parent.0.as_ref(), &self.table, sides) {
            return Alter::Replace;
        }
        if tree::goes_along(self, sides.old, sides) && tree::goes_along(new, sides.new, sides) {
            return Alter::Steps(vec![]);
        }
        if let Some(steps) = tree::swap(self, sides) {
            return Alter::Steps(steps);
        }
        if settled == *new {
            let mut steps = self.storage.alter(&new.storage, &self.indexed(sides), sides);
            let targets = |index: &Index| index.keys.iter().map(|key| key.statistics).collect::<Vec<_>>();
            steps.extend(statistics(&self.name, targets(self).into_iter(), targets(new).into_iter()));
            return Alter::Steps(steps);
        }
        let moved = self.table != new.table || self.of != new.of;
        if moved || self.partitioned() || self.parent.0.is_some() || stands_on_changes(&self.id(), &self.table_id(), sides) {
            return Alter::Replace;
        }
        Alter::Steps(self.swap(new, sides))
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        if index_partition::goes_with_parent(self.parent.0.as_ref(), &self.table, sides) || tree::goes_along(self, sides.old, sides) {
            return vec![];
        }
        // A new constraint of the same name takes the index over, or comes in its place.
        let heir = match sides.new.get(&Constraint::id_on(&self.table, &self.name.name)) {
            Some(Object::Constraint(it)) if sides.is_new(&it.id()) => Some(it),
            _ => None,
        };
        if heir.is_some_and(|it| !sides.replaced.contains(&self.id()) && it.can_take_over(self)) {
            return vec![];
        }
        let step = if self.partitioned() {
            let reach = table::reach(sides, &self.table);
            let step = Step::new(format!("DROP INDEX {}", self.name));
            reach.iter().fold(step, |step, table| step.locks(table, Lock::AccessExclusive))
        } else if heir.is_some_and(|it| it.takes_the_place_of(sides).as_ref() == Some(&self.id())) || self.is_in_the_way(sides) {
            Step::new(format!("DROP INDEX {}", self.name)).locks(&self.table, Lock::AccessExclusive).check(is_gone(&self.name))
        } else {
            self.drop_beside("", sides)
        };
        let step = step.stage(Stage::Contract);
        let step = if self.valid { step } else { step.irreversible(INVALID) };
        if sides.replaced.contains(&self.id()) {
            let step = step.hazard(Code::RecreateObject, self.id(), "until it is built again");
            return vec![arbiter::told(&self.id(), step, sides)];
        }
        let step = step.hazard(Code::DropIndex, self.id(), format!("it is on {}", self.table));
        if self.unique {
            let step = step.hazard(Code::DropConstraint, self.id(), "the index keeps its keys unique");
            vec![arbiter::told(&self.id(), step, sides)]
        } else {
            vec![step]
        }
    }
}
