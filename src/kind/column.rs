//! Columns of tables: type, nullability, identity, generation, and how values are stored. Defaults are objects of
//! their own; `column/` tells of NOT NULL, identity, new columns over rows, and new types.

use serde::{Deserialize, Serialize, Serializer};

use crate::kind::default::Default;
use crate::kind::expr::Expr;
use crate::kind::extension;
use crate::kind::foreign_partition;
use crate::kind::inheritance;
use crate::kind::index_partition;
use crate::kind::parameters::Parameters;
use crate::kind::partition;
use crate::kind::row_type;
use crate::kind::table::{self, Table};
use crate::kind::{Alter, aside, Claim, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

mod filled;
mod heir;
mod identity;
mod not_null;
mod numbered;
mod parked;
pub mod retype;
mod set_type;

pub use identity::Identity;
pub use not_null::NotNull;
use filled::Backfill;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub table: QName,
    pub name: Name,
    /// The order of columns can't be changed and is no difference; a new table takes it over.
    pub position: Aside<i16>,
    /// As `format_type` prints it, with its modifiers.
    pub data_type: String,
    /// Where it isn't the type's own.
    pub collation: Option<QName>,
    pub not_null: Option<NotNull>,
    pub identity: Option<Identity>,
    pub generated: Option<Generated>,
    /// Where it isn't the type's own: PLAIN, EXTERNAL, EXTENDED or MAIN.
    pub storage: Option<String>,
    pub compression: Option<String>,
    pub statistics: Option<i32>,
    /// `n_distinct` and `n_distinct_inherited`.
    pub options: Parameters,
    /// The column before it, for the order in which new ones are added.
    pub after: Aside<Option<Name>>,
    /// Only there because a parent has it: the parent's statements recurse. That follows from how the table came
    /// to be, and attaching it changes it.
    pub inherited: Aside<bool>,
    /// The parent that such a column comes from.
    pub parent: Aside<Option<QName>>,
}

/// Something worth knowing that makes no difference between two objects.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Aside<T>(pub T);

impl<T: Serialize> Serialize for Aside<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        aside(&self.0, serializer)
    }
}

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    pub expression: Expr,
    /// Computed when read, from 18 on; otherwise stored.
    pub is_virtual: bool,
}

/// The column of that name in a schema.
pub fn find<'a>(schema: &'a Schema, table: &QName, name: &Name) -> Option<&'a Column> {
    match schema.get(&id(table, name)) {
        Some(Object::Column(column)) => Some(column),
        _ => None,
    }
}

pub fn id(table: &QName, name: &Name) -> ObjectId {
    ObjectId::new(Kind::Column, [&table.namespace, &table.name, name])
}

/// Whether the sequence `on`, where it is inside of an identity column, is not there: the column has another one, or
/// none, and what hung on the old one went with it.
pub fn goes_with_identity(on: &ObjectId, inside: Option<&ObjectId>, schema: &Schema) -> bool {
    let Some(Object::Column(column)) = inside.and_then(|it| schema.get(it)) else {
        return inside.is_some();
    };
    column.identity_sequence().as_ref() != Some(on)
}

/// The stage in which the sequence inside of an identity column is there: that of what makes it, where a default gives
/// way to it.
pub fn stage_of_identity(inside: Option<&ObjectId>, sides: &Sides<'_>) -> Stage {
    match inside.and_then(|it| sides.old.get(it)) {
        Some(Object::Column(old)) if old.identity.is_none() && old.default(sides.old).is_some() => Stage::Contract,
        _ => Stage::Expand,
    }
}

impl Generated {
    fn sql(&self) -> String {
        let kept = if self.is_virtual { "VIRTUAL" } else { "STORED" };
        format!("GENERATED ALWAYS AS ({}) {kept}", self.expression)
    }
}

impl Column {
    fn default<'a>(&self, schema: &'a Schema) -> Option<&'a Default> {
        super::default::find(schema, &self.table, &self.name)
    }

    /// The column as an element of CREATE TABLE or after ADD COLUMN; a default can follow it.
    pub fn element(&self, sides: &Sides<'_>, typed: bool) -> String {
        self.element_with(sides, typed, self.not_null.as_ref())
    }

    fn element_with(&self, sides: &Sides<'_>, typed: bool, not_null: Option<&NotNull>) -> String {
        let mut sql = self.name.to_string();
        if typed {
            sql += " WITH OPTIONS";
        } else {
            sql += &format!(" {}", self.data_type);
            if let Some(storage) = self.storage.as_ref().filter(|_| sides.major() >= 16) {
                sql += &format!(" STORAGE {storage}");
            }
            if let Some(method) = &self.compression {
                sql += &format!(" COMPRESSION {method}");
            }
            if let Some(collation) = &self.collation {
                sql += &format!(" COLLATE {collation}");
            }
        }
        if let Some(identity) = &self.identity {
            sql += &format!(" {}", identity.sql(&self.table, &self.name));
        }
        if let Some(generated) = &self.generated {
            sql += &format!(" {}", generated.sql());
        }
        let Some(it) = not_null.filter(|it| it.valid) else { return sql };
        // Partitions that are made first would have taken the name that the server is to choose.
        let named = it.is_named(self) || table::has_partitions(sides.new, &self.table);
        let named = named && sides.major() >= 18;
        // An identity column is NOT NULL without saying so.
        if self.identity.is_some() && !named && !it.no_inherit {
            return sql;
        }
        if named {
            sql += &format!(" CONSTRAINT {}", it.constraint(self));
        }
        sql += if it.no_inherit { " NOT NULL NO INHERIT" } else { " NOT NULL" };
        sql
    }

    /// The element of a column that goes, for a partition that comes before that.
    pub fn as_of_partition(&self, sides: &Sides<'_>) -> String {
        let column = Column { identity: None, ..self.clone() };
        let element = column.element(sides, false);
        match self.default(sides.old).filter(|_| self.generated.is_none()) {
            Some(default) => format!("{element} DEFAULT {}", default.expression),
            None => element,
        }
    }

    /// What the element can't say, as actions of ALTER TABLE.
    pub fn settings(&self, sides: &Sides<'_>, table: &Table) -> Vec<String> {
        let alter = format!("ALTER COLUMN {}", self.name);
        let has_element = table.inherits.0.is_empty() || !self.inherited.0;
        let mut settings = vec![];
        match &self.not_null {
            Some(it) if !it.valid => settings.push(self.add_not_null(it)),
            // From 18 on it says itself that a parent hands it down.
            Some(it) if !has_element && (it.local || !it.inherited) => {
                let said = table.inherits.0.iter().filter_map(|parent| find(sides.new, parent, &self.name));
                if said.into_iter().all(|parent| parent.not_null.is_none()) {
                    settings.push(format!("{alter} SET NOT NULL"));
                }
            }
            _ => {}
        }
        if !has_element && self.generated.is_none() && self.default(sides.new).is_none() {
            // One that goes from the parent is there until then.
            let found = |schema, it: &QName| super::default::find(schema, it, &self.name).is_some();
            let handed_down = |it: &QName| found(sides.new, it) || found(sides.old, it);
            if table.inherits.0.iter().any(handed_down) {
                settings.push(format!("{alter} DROP DEFAULT"));
            }
        }
        let whole_element = has_element && table.of_type.is_none();
        if let Some(storage) = self.storage.as_ref().filter(|_| !whole_element || sides.major() < 16) {
            settings.push(format!("{alter} SET STORAGE {storage}"));
        }
        if let Some(method) = self.compression.as_ref().filter(|_| !whole_element) {
            settings.push(format!("{alter} SET COMPRESSION {method}"));
        }
        if let Some(target) = self.statistics {
            settings.push(format!("{alter} SET STATISTICS {target}"));
        }
        if !self.options.is_empty() {
            settings.push(format!("{alter} SET ({})", self.options.sql()));
        }
        settings
    }

    /// Whether statements on a parent (or on the type, for a typed table) make, change and end this column too.
    fn follows(&self, sides: &Sides<'_>) -> bool {
        let typed = |schema| table::find(schema, &self.table).and_then(|it| it.of_type.as_ref());
        if typed(sides.old).is_some() && typed(sides.old) == typed(sides.new) {
            return true;
        }
        let before = table::parents(sides.old, &self.table);
        let stays = !sides.is_new(&super::partition::id(&self.table))
            || !sides.old.contains(&super::partition::id(&self.table));
        let has_it = |it: &QName| [sides.old, sides.new].iter().any(|schema| find(schema, it, &self.name).is_some());
        let stay = table::parents(sides.new, &self.table).into_iter().filter(|it| before.contains(it));
        self.inherited.0 && stays && stay.into_iter().any(|it| has_it(&it))
    }

    /// The column of each parent that has it on both sides.
    fn leaders<'a>(&self, sides: &Sides<'a>) -> impl Iterator<Item = (&'a Column, &'a Column)> {
        // What leaves its parent is changed once it has left.
        let is_left = |parent: &QName| {
            partition::is_leaving(sides, &self.table)
                || sides.old.contains(&inheritance::id(&self.table, parent))
                    && !sides.new.contains(&inheritance::id(&self.table, parent))
        };
        let mut parents = table::parents(sides.old, &self.table);
        parents.retain(|it| !is_left(it));
        parents.into_iter().filter_map(|parent| {
            Some((find(sides.old, &parent, &self.name)?, find(sides.new, &parent, &self.name)?))
        })
    }

    fn drop_own(&self, sides: &Sides<'_>) -> Step {
        let mut step = self.on_family(format!("DROP COLUMN {}", self.name), sides).stage(Stage::Contract);
        if let Some(identity) = &self.identity {
            step = step.locks(&identity.sequence, Lock::AccessExclusive);
        }
        for sequence in sides.old.of_kind(Kind::Sequence) {
            if let Object::Sequence(it) = sequence
                && it.owned_by.as_ref().is_some_and(|(table, column)| (table, column) == (&self.table, &self.name))
            {
                step = step.locks(&it.name, Lock::AccessExclusive);
            }
        }
        if self.generated.is_none() && table::may_hold_rows(sides, &self.table) {
            let also = row_type::stored_in(sides, &self.table);
            let also = also.map(|it| format!("; rows of it stand in {it} as well, and lose the value too"));
            let why = table::evidence(sides, &self.table) + &also.unwrap_or_default();
            step = step.hazard(Code::DropColumn, self.id(), why);
            if !self.is_derived(sides) {
                step = step.irreversible("the values of the column are gone");
            }
        }
        step
    }

    /// Whether the default can be said in ADD COLUMN. What it needs may come only after the column, such as the
    /// sequence that the column owns; then [`struct@Default`] makes up for it.
    pub fn takes_default_along(&self, sides: &Sides<'_>) -> bool {
        let Some(default) = self.default(sides.new) else { return true };
        let own = [self.id(), table::id(&self.table)];
        sides.new.needs_of(&default.id()).all(|need| own.contains(need) || !sides.is_new(need))
    }

    /// `ALTER TABLE … ` for the table and all that inherits from it, with the strongest lock on each.
    fn on_family(&self, action: impl AsRef<str>, sides: &Sides<'_>) -> Step {
        let step = Step::new(format!("ALTER TABLE {} {}", self.table, action.as_ref()));
        table::reach(sides, &self.table).iter().fold(step, |it, member| it.locks(member, Lock::AccessExclusive))
    }

    /// The same for this table alone.
    fn on_table(&self, action: impl AsRef<str>, lock: Lock, sides: &Sides<'_>) -> Step {
        let only = table::only(sides, &self.table);
        Step::new(format!("ALTER TABLE {only}{} ALTER COLUMN {} {}", self.table, self.name, action.as_ref()))
            .locks(&self.table, lock)
    }

    fn rewritten(&self, step: Step, sides: &Sides<'_>) -> Step {
        let stores = |it: &&QName| table::stores(sides, it);
        let step = table::family(sides, &self.table).iter().filter(stores).fold(step, Step::rewrites);
        if table::may_hold_rows(sides, &self.table) {
            step.hazard(Code::RewriteTable, self.id(), table::evidence(sides, &self.table))
        } else {
            step
        }
    }

    fn scanned(&self, step: Step, sides: &Sides<'_>) -> Step {
        let stores = |it: &&QName| table::stores(sides, it);
        table::family(sides, &self.table).iter().filter(stores).fold(step, Step::scans)
    }

    fn has_constrained_domain(&self, schema: &Schema) -> bool {
        super::domain::constrains(schema, &self.data_type)
    }

    fn alter_settings(&self, new: &Column, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![];
        if self.storage != new.storage {
            // The type's own has a name only from 16 on; before, EXTENDED is what types that can be TOASTed have.
            let to = new.storage.as_deref().unwrap_or(if sides.major() >= 16 { "DEFAULT" } else { "EXTENDED" });
            steps.push(self.on_table(format!("SET STORAGE {to}"), Lock::AccessExclusive, sides));
        }
        if self.compression != new.compression {
            let to = new.compression.as_deref().unwrap_or("DEFAULT");
            steps.push(self.on_table(format!("SET COMPRESSION {to}"), Lock::AccessExclusive, sides));
        }
        if self.statistics != new.statistics {
            let to = new.statistics.unwrap_or(-1);
            steps.push(self.on_table(format!("SET STATISTICS {to}"), Lock::ShareUpdateExclusive, sides));
        }
        let (gone, set) = (self.options.gone(&new.options), self.options.set(&new.options));
        if !gone.is_empty() {
            steps.push(self.on_table(format!("RESET ({})", list(gone)), Lock::ShareUpdateExclusive, sides));
        }
        if !set.is_empty() {
            steps.push(self.on_table(format!("SET ({})", set.sql()), Lock::ShareUpdateExclusive, sides));
        }
        steps
    }
}

impl Definition for Column {
    const NOUN: &'static str = "column";

    const CATALOG: &'static str = r#"
        WITH identity_sequence AS (
            SELECT d.refobjid AS attrelid, d.refobjsubid AS attnum, sn.nspname, sc.relname, sc.relowner, sc.relacl, s.*
              FROM pg_sequence s
              JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'i'
                              AND d.refclassid = 'pg_class'::regclass
              JOIN pg_class sc ON sc.oid = s.seqrelid
              JOIN pg_namespace sn ON sn.oid = sc.relnamespace)
        SELECT json_build_object(
            'at', json_build_array('pg_class'::regclass::oid::int8, a.attrelid::int8, a.attnum),
            'sequence', CASE WHEN s.seqrelid IS NOT NULL THEN json_build_object(
                'at', json_build_array('pg_class'::regclass::oid::int8, s.seqrelid::int8, 0),
                'owner', pg_get_userbyid(s.relowner),
                'acl', (SELECT json_agg(json_build_array(coalesce(r.rolname, ''), g.privilege_type, g.is_grantable, pg_get_userbyid(g.grantor))
                                         ORDER BY r.rolname, g.privilege_type)
                          FROM aclexplode(coalesce(s.relacl, acldefault('s', s.relowner))) g
                          LEFT JOIN pg_roles r ON r.oid = g.grantee)) END,
            'def', json_build_object(
                'table', json_build_array(n.nspname, c.relname),
                'name', a.attname,
                'position', a.attnum,
                'after', lag(a.attname) OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
                'data_type', format_type(a.atttypid, a.atttypmod),
                'collation', CASE WHEN a.attcollation <> t.typcollation
                                  THEN json_build_array(cn.nspname, co.collname) END,
                'not_null', CASE WHEN a.attnotnull THEN json_build_object(
                    'name', nn.conname,
                    'no_inherit', coalesce(nn.connoinherit, false),
                    'valid', coalesce(nn.convalidated, true),
                    'inherited', coalesce(nn.coninhcount > 0, false),
                    'local', coalesce(nn.conislocal, true)) END,
                'identity', CASE WHEN a.attidentity <> '' AND s.seqrelid IS NOT NULL THEN json_build_object(
                    'always', a.attidentity = 'a',
                    'sequence', json_build_array(s.nspname, s.relname),
                    'options', json_build_object(
                        'data_type', format_type(s.seqtypid, NULL),
                        'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax,
                        'cache', s.seqcache, 'cycle', s.seqcycle)) END,
                'generated', CASE WHEN a.attgenerated <> '' THEN json_build_object(
                    'expression', pg_get_expr(ad.adbin, ad.adrelid),
                    'is_virtual', a.attgenerated = 'v') END,
                'storage', CASE WHEN a.attstorage <> t.typstorage
                                THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                       WHEN 'x' THEN 'EXTENDED' WHEN 'm' THEN 'MAIN' END END,
                'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
                'statistics', nullif(a.attstattarget, -1),
                'options', CASE WHEN a.attoptions IS NULL THEN '[]'::json ELSE (
                                    SELECT json_agg(json_build_array(split_part(o.option, '=', 1),
                                                            substr(o.option, strpos(o.option, '=') + 1))
                                                      ORDER BY o.place)
                                       FROM unnest(a.attoptions) WITH ORDINALITY AS o(option, place)) END,
                'inherited', a.attinhcount > 0 AND NOT a.attislocal,
                'parent', CASE WHEN a.attinhcount > 0 AND NOT a.attislocal THEN
                          (SELECT json_build_array(pn.nspname, p.relname)
                             FROM pg_inherits i
                             JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
                             JOIN pg_class p ON p.oid = i.inhparent
                             JOIN pg_namespace pn ON pn.oid = p.relnamespace
                            WHERE i.inhrelid = a.attrelid
                            ORDER BY i.inhseqno LIMIT 1) END))
          FROM pg_attribute a
          JOIN pg_class c ON c.oid = a.attrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_collation co ON co.oid = a.attcollation
          LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
          LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum AND a.attgenerated <> ''
          LEFT JOIN pg_constraint nn ON nn.conrelid = a.attrelid AND nn.contype = 'n' AND nn.conkey[1] = a.attnum
          LEFT JOIN identity_sequence s ON s.attrelid = a.attrelid AND s.attnum = a.attnum
         WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        id(&self.table, &self.name)
    }

    fn reference(path: &[Name]) -> String {
        format!("COLUMN {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        self.parent.0.iter().map(|parent| id(parent, &self.name)).collect()
    }

    fn wishes(&self) -> Vec<ObjectId> {
        self.after.0.iter().map(|before| id(&self.table, before)).collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(table::id(&self.table))
    }

    fn made_with_whole(&self) -> bool {
        true
    }

    fn claims(&self) -> Vec<Claim> {
        let sequence = self.identity.iter().map(|it| super::relation_claim(&it.sequence));
        let required = self.not_null.iter().filter_map(|it| it.name.as_ref());
        sequence.chain(required.map(|it| super::constraint_claim(&self.table, it))).collect()
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => self.generated.is_none(),
            Disturbance::Replace => false,
        }
    }

    /// A table that is detached keeps the columns that it had from its parent.
    fn outlives(&self, need: &ObjectId, _new: &Schema) -> bool {
        self.parent.0.as_ref().is_some_and(|parent| *need == id(parent, &self.name))
    }

    fn is_copied_to(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        if sides.new.contains(&self.id()) {
            return vec![];
        }
        [table::coming_below(&self.table, sides), partition::brought_along(sides, &self.id())].concat()
    }

    /// The columns of heirs that go with this one are not in use by then.
    fn goes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        self.users_at_heirs(sides)
    }

    fn cannot_come(&self, sides: &Sides<'_>) -> Option<String> {
        let is_whole = sides.is_new(&table::id(&self.table));
        let rewrites = self.is_computed_by_rewrite(sides) || self.is_parked(sides);
        if is_whole || self.follows(sides) {
            return None;
        }
        let fills = self.comes_filled(sides).then(|| self.cannot_be_filled(sides)).flatten();
        let anew = || row_type::refusal(sides, &self.table, "write the rows of the table anew, as this asks for,");
        fills.or_else(|| self.identity_beside_heirs(sides)).or_else(|| rewrites.then(anew).flatten())
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.follows(sides) {
            return self.apart_from_parents(sides);
        }
        if self.goes_with_a_parent(sides) || partition::is_left(sides, &self.id()) {
            return vec![];
        }
        let before = find(sides.old, &self.table, &self.name).filter(|_| sides.replaced.contains(&self.id()));
        match before {
            Some(old) if self.is_parked(sides) => self.unpark(old, sides),
            Some(Column { generated: Some(computed), .. }) if computed.is_virtual && self.generated.is_none() => {
                self.keep_computed(computed, sides)
            }
            // Until then, code that runs gives it values.
            Some(Column { generated: None, .. }) if self.generated.is_some() => {
                let mut steps = self.add_after_heirs(sides);
                steps.iter_mut().for_each(|it| it.stage = Stage::Contract);
                if let Some(first) = steps.first_mut() {
                    *first = self.refusing_values(first.clone());
                }
                steps
            }
            Some(_) => self.add_after_heirs(sides),
            None => {
                let mut steps = self.add_after_heirs(sides);
                // Before anything is written to it.
                let foreign = foreign_partition::below(sides, &self.table);
                if let (Some(first), false) = (steps.first_mut(), foreign.is_empty()) {
                    let why = format!("on another server there is no such column for {}, unless it was made", list(foreign));
                    *first = first.clone().hazard(Code::ForeignColumn, self.id(), why);
                }
                steps
            }
        }
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let follows = self.follows(sides) && new.follows(sides);
        let leader = self.leaders(sides).next().filter(|_| follows);
        let mut steps = vec![];

        match (&self.generated, &new.generated) {
            // DROP EXPRESSION is for stored columns: there are no values to leave behind.
            (Some(it), None) if it.is_virtual => return Alter::Replace,
            (Some(_), None) if follows => {}
            (Some(_), None) => {
                let drop = format!("ALTER COLUMN {} DROP EXPRESSION", self.name);
                steps.push(self.on_family(drop, sides).stage(Stage::Contract));
            }
            // The values of a stored column are derived, so making it again loses nothing; a plain column's are
            // lost, which its drop tells.
            (None, Some(_)) => return Alter::Replace,
            (Some(old), Some(it)) if old != it => {
                let set = sides.major() >= 17 && old.is_virtual == it.is_virtual;
                if !set || it.is_virtual && self.is_beside_a_check(sides) || self.data_type != new.data_type {
                    return Alter::Replace;
                }
                if leader.is_none_or(|(before, after)| before.generated == after.generated) {
                    let refusal = || row_type::refusal(sides, &self.table, "compute the values of a column anew");
                    if let Some(reason) = (!it.is_virtual).then(refusal).flatten() {
                        return Alter::Refused(reason);
                    }
                    let action = format!("ALTER COLUMN {} SET EXPRESSION AS ({})", self.name, it.expression);
                    let step = self.on_family(action, sides);
                    steps.push(if it.is_virtual { step } else { self.rewritten(step, sides) });
                }
            }
            _ => {}
        }
        let retyped =
            self.data_type != new.data_type && !extension::carries(&self.data_type, &new.data_type, sides);
        if !follows && (retyped || self.collation != new.collation) && !self.retyped_by_a_parent(sides) {
            if let Some(reason) = self.cannot_retype(new, sides) {
                return Alter::Refused(reason);
            }
            steps.push(self.set_type(new, sides));
            let family = table::family(sides, &self.table);
            let columns: Vec<ObjectId> = family.iter().map(|it| id(it, &self.name)).collect();
            steps.extend(index_partition::comments_again(&columns, sides));
        }
        // What a parent hands down, its statements bring to this column, and take away again.
        let handed = |it: &Column| it.not_null.as_ref().filter(|it| !it.no_inherit).map(|it| it.valid);
        let led = |(before, after): (&Column, &Column)| handed(before) != handed(after);
        if !follows || !self.leaders(sides).any(led) {
            let becomes_required = self.not_null.is_none() && new.not_null.is_some();
            if becomes_required && new.backfill(sides).is_some() && let Some(reason) = new.cannot_be_filled(sides) {
                return Alter::Refused(reason);
            }
            if new.identity.is_none() && new.not_null.is_none() {
                steps.extend(self.alter_identity(new, sides));
                steps.extend(self.alter_not_null(new, sides));
            } else {
                steps.extend(self.alter_not_null(new, sides));
                steps.extend(self.alter_identity(new, sides));
            }
        }
        if self.data_type == new.data_type && self.collation == new.collation {
            steps.extend(self.alter_settings(new, sides));
        } else {
            steps.extend(self.as_retyped().alter_settings(new, sides));
        }
        Alter::Steps(steps)
    }

    fn changes_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        self.first_written_anew(sides)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.follows(sides) || self.goes_with_a_parent(sides) || partition::is_taken_along(sides, &self.id()) {
            return vec![];
        }
        if self.is_parked(sides) {
            return vec![self.park(sides)];
        }
        self.drop_with_heirs(sides)
    }
}
