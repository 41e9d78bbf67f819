//! Table constraints: primary and unique keys, foreign keys, checks, exclusions. NOT NULL belongs to the column. What
//! the server adds by itself for partitions (clones of foreign keys) is no object of its own.

use serde::{Deserialize, Serialize};

use crate::kind::expr::Expr;
use crate::kind::index::{self, Indexed, Key, Options, Storage};
use crate::kind::{Alter, Claim, Definition, Kind, ObjectId, index_partition};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    pub name: Name,
    pub table: QName,
    pub partitioned: bool,
    pub deferrable: bool,
    pub deferred: bool,
    pub validated: bool,
    /// NOT ENFORCED exists from 18 on.
    pub enforced: bool,
    /// A check that a table above has too. A partition has it all the same when it stands alone, so here it is an
    /// object; statements on the partitioned table reach it while the partition is attached.
    pub inherited: bool,
    pub rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Rule {
    Unique(Unique),
    Exclusion(Exclusion),
    Check(Check),
    Foreign(ForeignKey),
}

/// A primary or unique key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unique {
    pub primary: bool,
    pub columns: Vec<Name>,
    /// WITHOUT OVERLAPS on the last column, from 18 on.
    pub without_overlaps: bool,
    pub nulls_not_distinct: bool,
    pub include: Vec<Name>,
    pub storage: Storage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    pub method: Name,
    pub elements: Vec<Element>,
    pub include: Vec<Name>,
    pub predicate: Option<Expr>,
    pub storage: Storage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    #[serde(flatten)]
    pub key: Key,
    pub operator: QName,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub expression: Expr,
    pub no_inherit: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    pub columns: Vec<Name>,
    pub to: QName,
    pub to_columns: Vec<Name>,
    /// PERIOD on the last columns, from 18 on.
    pub period: bool,
    pub match_full: bool,
    pub on_update: Action,
    pub on_delete: Action,
    /// The columns that ON DELETE SET NULL or SET DEFAULT sets, where not all, from 15 on.
    pub set_columns: Vec<Name>,
}

/// What happens to a row whose partner changes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    #[serde(rename = "a")]
    NoAction,
    #[serde(rename = "r")]
    Restrict,
    #[serde(rename = "c")]
    Cascade,
    #[serde(rename = "n")]
    SetNull,
    #[serde(rename = "d")]
    SetDefault,
}

impl Action {
    fn sql(self) -> &'static str {
        match self {
            Action::NoAction => "NO ACTION",
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        }
    }
}

impl Rule {
    /// How the index of the constraint is stored, where it has one.
    pub fn storage(&self) -> Option<&Storage> {
        match self {
            Rule::Unique(it) => Some(&it.storage),
            Rule::Exclusion(it) => Some(&it.storage),
            Rule::Check(_) | Rule::Foreign(_) => None,
        }
    }

    fn sql(&self) -> String {
        match self {
            Rule::Unique(it) => it.sql(),
            Rule::Exclusion(it) => it.sql(),
            Rule::Check(it) => {
                let no_inherit = if it.no_inherit { " NO INHERIT" } else { "" };
                format!("CHECK {}{no_inherit}", in_parentheses(&it.expression.0))
            }
            Rule::Foreign(it) => it.sql(),
        }
    }
}

impl Unique {
    fn sql(&self) -> String {
        let mut sql = String::from(if self.primary { "PRIMARY KEY" } else { "UNIQUE" });
        if self.nulls_not_distinct {
            sql += " NULLS NOT DISTINCT";
        }
        let overlaps = if self.without_overlaps { " WITHOUT OVERLAPS" } else { "" };
        sql += &format!(" ({}{overlaps})", list(&self.columns));
        sql + &index_clauses(&self.include, &self.storage)
    }

    /// `CREATE UNIQUE INDEX CONCURRENTLY`: an index that the constraint can take over.
    fn build(&self, name: &Name, table: &QName) -> Step {
        let mut sql = format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({})", list(&self.columns));
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
        Step::new(sql)
            .outside_transaction()
            .locks(table, Lock::ShareUpdateExclusive)
            .scans(table)
            .check(index::is_valid(&table.sibling(name.clone())))
    }
}

impl Exclusion {
    fn sql(&self) -> String {
        let elements = list(self.elements.iter().map(|it| {
            let operator = match it.operator.namespace.as_str() {
                "pg_catalog" => it.operator.name.0.clone(),
                _ => format!("OPERATOR({}.{})", it.operator.namespace, it.operator.name.0),
            };
            format!("{} WITH {operator}", it.key.sql())
        }));
        let index = index_clauses(&self.include, &self.storage);
        let predicate = match &self.predicate {
            Some(it) => format!(" WHERE {}", in_parentheses(&it.0)),
            None => String::new(),
        };
        format!("EXCLUDE USING {} ({elements}){index}{predicate}", self.method)
    }
}

impl ForeignKey {
    fn sql(&self) -> String {
        let columns = |names: &[Name]| match names.split_last() {
            Some((last, rest)) if self.period => {
                list(rest.iter().map(Name::to_string).chain([format!("PERIOD {last}")]))
            }
            _ => list(names),
        };
        let (from, to) = (columns(&self.columns), columns(&self.to_columns));
        let mut sql = format!("FOREIGN KEY ({from}) REFERENCES {} ({to})", self.to);
        if self.match_full {
            sql += " MATCH FULL";
        }
        if self.on_update != Action::NoAction {
            sql += &format!(" ON UPDATE {}", self.on_update.sql());
        }
        if self.on_delete != Action::NoAction {
            sql += &format!(" ON DELETE {}", self.on_delete.sql());
        }
        if !self.set_columns.is_empty() {
            sql += &format!(" ({})", list(&self.set_columns));
        }
        sql
    }
}

/// ` INCLUDE (…) WITH (…) USING INDEX TABLESPACE …`, as far as there is anything to say.
fn index_clauses(include: &[Name], storage: &Storage) -> String {
    let mut sql = String::new();
    if !include.is_empty() {
        sql += &format!(" INCLUDE ({})", list(include));
    }
    sql += &storage.with();
    if let Some(tablespace) = &storage.tablespace {
        sql += &format!(" USING INDEX TABLESPACE {tablespace}");
    }
    sql
}

/// The expression with parentheses around it: its own, where it is one group as a whole.
fn in_parentheses(expression: &str) -> String {
    if is_one_group(expression) { expression.to_owned() } else { format!("({expression})") }
}

fn is_one_group(expression: &str) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    let mut closed = false;
    for c in expression.chars() {
        if closed {
            return false;
        }
        match (quote, c) {
            // A doubled quote ends the text and begins it again, which comes to the same.
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
            }
            (None, _) => {}
        }
        if depth == 0 && !closed {
            return false;
        }
    }
    closed
}

impl Constraint {
    pub fn table_id(&self) -> ObjectId {
        ObjectId::new(Kind::Table, [&self.table.namespace, &self.table.name])
    }

    /// The name of the constraint's index, which is always that of the constraint.
    fn index(&self) -> QName {
        self.table.sibling(self.name.clone())
    }

    /// What follows `CONSTRAINT name`, but for NOT VALID.
    fn definition(&self) -> String {
        let mut sql = self.rule.sql();
        sql += self.deferrability();
        if !self.enforced {
            sql += " NOT ENFORCED";
        }
        sql
    }

    fn deferrability(&self) -> &'static str {
        match (self.deferrable, self.deferred) {
            (_, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            (false, false) => "",
        }
    }

    /// `ADD CONSTRAINT name …`, one action of ALTER TABLE.
    fn addition(&self) -> String {
        format!("ADD CONSTRAINT {} {}", self.name, self.definition())
    }

    /// `ALTER TABLE`, for this constraint: an index of a partitioned table comes without those of its partitions.
    fn alter_table(&self) -> String {
        let only = match &self.rule {
            Rule::Unique(_) | Rule::Exclusion(_) if self.partitioned => "ONLY ",
            _ => "",
        };
        format!("ALTER TABLE {only}{}", self.table)
    }

    /// The step with the locks that adding or dropping the constraint takes.
    fn locking(&self, step: Step, mode: Lock) -> Step {
        let step = step.locks(&self.table, mode);
        match &self.rule {
            Rule::Foreign(it) if it.to != self.table => step.locks(&it.to, mode),
            _ => step,
        }
    }

    /// The step that takes the constraint to what it is on a table in use, with no row read.
    fn adding(&self, sql: String) -> Step {
        match &self.rule {
            Rule::Foreign(_) => self.locking(Step::new(sql), Lock::ShareRowExclusive),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => {
                self.locking(Step::new(sql), Lock::AccessExclusive)
            }
        }
    }

    fn validation(&self, sides: &Sides<'_>) -> Step {
        let step = Step::new(format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.table, self.name))
            .own_transaction()
            .stage(Stage::Validate)
            .locks(&self.table, Lock::ShareUpdateExclusive)
            .scans(&self.table)
            .check(self.holds("convalidated"));
        let step = match &self.rule {
            Rule::Foreign(it) if it.to != self.table => step.locks(&it.to, Lock::RowShare),
            _ => step,
        };
        self.may_fail(step, sides)
    }

    /// The step with the hazard that rows break the rule.
    fn may_fail(&self, step: Step, sides: &Sides<'_>) -> Step {
        if !sides.may_hold_rows(&self.table) {
            return step;
        }
        let why = format!("{} holds rows", self.table);
        match &self.rule {
            Rule::Foreign(_) => step.hazard(Code::ForeignKeyMayFail, self.id(), why),
            Rule::Check(_) => step.hazard(Code::CheckMayFail, self.id(), why),
            Rule::Unique(_) | Rule::Exclusion(_) => step.hazard(Code::UniqueMayFail, self.id(), why),
        }
    }

    /// A query that is true once the constraint is there and the condition holds for it.
    fn holds(&self, condition: &str) -> String {
        format!(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass({}) \
             AND conname = {} AND {condition})",
            Literal(&self.table.to_string()),
            Literal(self.name.as_str())
        )
    }

    /// The steps that add the constraint to a table in use, `first` being done in the same statement.
    fn add(&self, first: &str, sides: &Sides<'_>) -> Vec<Step> {
        let whole = format!("{} {first}{}", self.alter_table(), self.addition());
        let not_valid = format!("{whole} NOT VALID");
        // Before 18 a foreign key of a partitioned table can't be NOT VALID.
        let promises = match &self.rule {
            Rule::Check(_) => true,
            Rule::Foreign(_) => !self.partitioned || sides.major() >= 18,
            Rule::Unique(_) | Rule::Exclusion(_) => false,
        };
        if !self.enforced {
            return vec![self.adding(whole)];
        }
        if !self.validated {
            return vec![self.adding(not_valid).own_transaction()];
        }
        if promises && sides.may_hold_rows(&self.table) {
            return vec![self.adding(not_valid).own_transaction(), self.validation(sides)];
        }
        if let Rule::Unique(key) = &self.rule
            && !self.partitioned
            && !key.without_overlaps
            && sides.may_hold_rows(&self.table)
        {
            return self.add_using_index(key, first, sides);
        }
        let step = self.adding(whole);
        let reads_rows = match &self.rule {
            Rule::Unique(_) | Rule::Exclusion(_) => !self.partitioned,
            Rule::Check(_) | Rule::Foreign(_) => true,
        };
        if !reads_rows {
            return vec![step];
        }
        let step = self.may_fail(step.scans(&self.table), sides);
        if sides.may_hold_rows(&self.table) {
            let why = format!("every row of {} is read while it is locked", self.table);
            vec![step.hazard(Code::ScanUnderLock, self.id(), why)]
        } else {
            vec![step]
        }
    }

    /// Builds the index while the table is in use, then gives it to the constraint.
    fn add_using_index(&self, key: &Unique, first: &str, sides: &Sides<'_>) -> Vec<Step> {
        let name = if first.is_empty() { self.name.clone() } else { index::temporary_name(&self.index(), sides) };
        let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
        let sql = format!(
            "ALTER TABLE {} {first}ADD CONSTRAINT {} {kind} USING INDEX {name}{}",
            self.table,
            self.name,
            self.deferrability()
        );
        vec![self.may_fail(key.build(&name, &self.table), sides), self.adding(sql)]
    }

    /// What ADD CONSTRAINT leaves to further statements.
    fn finish(&self) -> Vec<Step> {
        let index = self.index();
        let mut steps = match &self.rule {
            Rule::Exclusion(it) => {
                let targets = it.elements.iter().map(|element| element.key.statistics);
                index::statistics(&index, it.elements.iter().map(|_| None), targets)
            }
            Rule::Unique(_) | Rule::Check(_) | Rule::Foreign(_) => vec![],
        };
        if let Some(storage) = self.rule.storage() {
            steps.extend(storage.mark(&self.table, &self.name));
        }
        steps
    }

    /// Whether a statement on the partitioned table above reaches this constraint.
    fn comes_from_above(&self, sides: &Sides<'_>) -> bool {
        let partition = ObjectId::new(Kind::Partition, [&self.table.namespace, &self.table.name]);
        self.inherited && sides.old.contains(&partition) && !sides.is_going(&partition)
    }

    /// This constraint with everything of `new` that changes in place.
    fn settled_like(&self, new: &Constraint) -> Constraint {
        let mut settled = Constraint { inherited: new.inherited, ..self.clone() };
        settled.validated = self.validated || new.validated;
        match (&mut settled.rule, &new.rule) {
            (Rule::Unique(it), Rule::Unique(new)) => it.storage = self.settled_storage(&it.storage, &new.storage),
            (Rule::Exclusion(it), Rule::Exclusion(new)) => {
                it.storage = self.settled_storage(&it.storage, &new.storage);
                for (element, new) in it.elements.iter_mut().zip(&new.elements) {
                    element.key.statistics = new.key.statistics;
                }
            }
            (Rule::Foreign(_), Rule::Foreign(_)) => {
                settled.deferrable = new.deferrable;
                settled.deferred = new.deferred;
                if self.enforced != new.enforced && new.enforced == new.validated {
                    settled.enforced = new.enforced;
                    settled.validated = new.validated;
                }
            }
            _ => {}
        }
        settled
    }

    fn settled_storage(&self, old: &Storage, new: &Storage) -> Storage {
        // ALTER INDEX … SET is not for the indexes of partitioned tables.
        let options: Options = if self.partitioned { old.options.clone() } else { new.options.clone() };
        Storage { options, ..new.clone() }
    }

    /// The steps in place from this constraint to one that [`Self::settled_like`] finds to differ in no other way.
    fn settle(&self, new: &Constraint, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![];
        let deferrability = |it: &Constraint| (it.deferrable, it.deferred);
        if deferrability(self) != deferrability(new) || self.enforced != new.enforced {
            steps.push(self.alter_constraint(new, sides));
        } else if !self.validated && new.validated {
            steps.push(new.validation(sides));
        }
        let index = self.index();
        if let (Some(old), Some(new)) = (self.rule.storage(), new.rule.storage()) {
            let indexed = Indexed {
                name: &index,
                table: &self.table,
                partitioned: self.partitioned,
                exclusion: matches!(self.rule, Rule::Exclusion(_)),
                id: self.id(),
            };
            steps.extend(old.alter(new, &indexed, sides));
        }
        if let (Rule::Exclusion(old), Rule::Exclusion(new)) = (&self.rule, &new.rule) {
            let targets = |it: &Exclusion| it.elements.iter().map(|it| it.key.statistics).collect::<Vec<_>>();
            steps.extend(index::statistics(&index, targets(old).into_iter(), targets(new).into_iter()));
        }
        steps
    }

    /// `ALTER CONSTRAINT`, which only foreign keys have for what is changed here.
    fn alter_constraint(&self, new: &Constraint, sides: &Sides<'_>) -> Step {
        let mut sql = format!("ALTER TABLE {} ALTER CONSTRAINT {}", self.table, self.name);
        sql += if new.deferrable { new.deferrability() } else { " NOT DEFERRABLE" };
        if self.enforced == new.enforced {
            return Step::new(sql).locks(&self.table, Lock::AccessExclusive);
        }
        sql += if new.enforced { " ENFORCED" } else { " NOT ENFORCED" };
        let step = self.locking(Step::new(sql), Lock::AccessExclusive);
        if !new.enforced {
            return step.stage(Stage::Contract).hazard(Code::DropConstraint, self.id(), "it is no longer enforced");
        }
        let step = self.may_fail(step.scans(&self.table), sides);
        if sides.may_hold_rows(&self.table) {
            let why = format!("every row of {} is read while it is locked", self.table);
            step.hazard(Code::ScanUnderLock, self.id(), why)
        } else {
            step
        }
    }
}

impl Definition for Constraint {
    const NOUN: &'static str = "constraint";

    // A foreign key's conindid is the index it refers to; the index of the constraint itself is another's only then.
    const CATALOG: &'static str = concat!(
        r#"
        SELECT jsonb_build_object(
            'at', jsonb_build_array('pg_constraint'::regclass::oid::int8, con.oid::int8, 0),
            'def', jsonb_build_object(
                'name', con.conname,
                'table', jsonb_build_array(n.nspname, t.relname),
                'partitioned', t.relkind = 'p',
                'deferrable', con.condeferrable, 'deferred', con.condeferred, 'validated', con.convalidated,
                'enforced', coalesce((j.con ->> 'conenforced')::boolean, true),
                'inherited', con.contype = 'c' AND con.coninhcount > 0,
                'rule', CASE con.contype
                    WHEN 'c' THEN jsonb_build_object(
                        'type', 'check', 'expression', pg_get_expr(con.conbin, con.conrelid),
                        'no_inherit', con.connoinherit)
                    WHEN 'f' THEN jsonb_build_object(
                        'type', 'foreign',
                        'columns', (SELECT jsonb_agg(a.attname ORDER BY k.n)
                                      FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
                                      JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
                        'to', (SELECT jsonb_build_array(rn.nspname, r.relname)
                                 FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace
                                WHERE r.oid = con.confrelid),
                        'to_columns', (SELECT jsonb_agg(a.attname ORDER BY k.n)
                                         FROM unnest(con.confkey) WITH ORDINALITY k(attnum, n)
                                         JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum),
                        'period', coalesce((j.con ->> 'conperiod')::boolean, false),
                        'match_full', con.confmatchtype = 'f',
                        'on_update', con.confupdtype, 'on_delete', con.confdeltype,
                        'set_columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY k.n), '[]')
                                          FROM jsonb_array_elements_text(
                                                   CASE jsonb_typeof(j.con -> 'confdelsetcols')
                                                   WHEN 'array' THEN j.con -> 'confdelsetcols' ELSE '[]' END)
                                               WITH ORDINALITY k(attnum, n)
                                          JOIN pg_attribute a ON a.attrelid = con.conrelid
                                                             AND a.attnum = k.attnum::int))
                    WHEN 'x' THEN jsonb_build_object(
                        'type', 'exclusion', 'method', am.amname,
                        'elements', "#,
        index::keys!(
            r#",
                'operator', (SELECT jsonb_build_array(kn.nspname, op.oprname)
                               FROM pg_operator op JOIN pg_namespace kn ON kn.oid = op.oprnamespace
                              WHERE op.oid = con.conexclop[k.n])"#
        ),
        r#",
                        'include', "#,
        index::include_columns!(),
        r#",
                        'predicate', pg_get_expr(i.indpred, i.indrelid),
                        'storage', "#,
        index::storage!(),
        r#")
                    ELSE jsonb_build_object(
                        'type', 'unique', 'primary', con.contype = 'p',
                        'columns', (SELECT jsonb_agg(a.attname ORDER BY k.n)
                                      FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
                                      JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
                        'without_overlaps', coalesce((j.con ->> 'conperiod')::boolean, false),
                        'nulls_not_distinct', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
                        'include', "#,
        index::include_columns!(),
        r#",
                        'storage', "#,
        index::storage!(),
        r#")
                    END))
          FROM pg_constraint con
          CROSS JOIN LATERAL (SELECT to_jsonb(con)) j(con)
          JOIN pg_class t ON t.oid = con.conrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace
          LEFT JOIN pg_index i ON i.indexrelid = con.conindid AND con.contype IN ('p', 'u', 'x')
          LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
          LEFT JOIN pg_am am ON am.oid = ic.relam
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.relkind IN ('r', 'p')
           AND (con.contype IN ('p', 'u', 'x')
                OR con.contype = 'f' AND con.conparentid = 0
                OR con.contype = 'c' AND (con.conislocal OR con.coninhcount = 0 OR t.relispartition))
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                              AND d.objid = t.oid AND d.deptype = 'e')"#
    );

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Constraint, [&self.table.namespace, &self.table.name, &self.name])
    }

    fn reference(path: &[Name]) -> String {
        match path {
            [table @ .., name] => format!("CONSTRAINT {name} ON {}", super::dotted(table)),
            [] => "CONSTRAINT".to_owned(),
        }
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.table_id())
    }

    fn claims(&self) -> Vec<Claim> {
        let table = &self.table;
        let own = Claim("constraint", vec![table.namespace.clone(), table.name.clone(), self.name.clone()]);
        match &self.rule {
            Rule::Unique(_) | Rule::Exclusion(_) => vec![own, super::relation_claim(&self.index())],
            Rule::Check(_) | Rule::Foreign(_) => vec![own],
        }
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if self.comes_from_above(sides) {
            return vec![];
        }
        let mut steps = if !sides.is_new(&self.table_id()) {
            self.add("", sides)
        } else {
            let step = format!("{} {}", self.alter_table(), self.addition());
            // A CREATE TABLE takes every constraint for valid, as no row can break it yet.
            let step = if self.validated || !self.enforced {
                Step::new(step).clause(self.table_id(), format!("CONSTRAINT {} {}", self.name, self.definition()))
            } else {
                Step::new(format!("{step} NOT VALID"))
            };
            match &self.rule {
                Rule::Foreign(it) if it.to != self.table => vec![step.locks(&it.to, Lock::ShareRowExclusive)],
                _ => vec![step],
            }
        };
        steps.extend(self.finish());
        steps
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if new.comes_from_above(sides) {
            return Alter::Steps(vec![]);
        }
        if self.settled_like(new) == *new {
            return Alter::Steps(self.settle(new, sides));
        }
        Alter::Replace
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let has_index = self.rule.storage().is_some();
        if self.comes_from_above(sides) || has_index && index_partition::goes_with_parent(&self.index(), sides) {
            return vec![];
        }
        let step = Step::new(format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table, self.name));
        vec![
            self.locking(step, Lock::AccessExclusive)
                .stage(Stage::Contract)
                .hazard(Code::DropConstraint, self.id(), format!("{} no longer holds", self.definition())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_keeps_its_own_parentheses() {
        for (expression, sql) in [
            ("(a > 1)", "(a > 1)"),
            ("a > 1", "(a > 1)"),
            ("(a) OR (b)", "((a) OR (b))"),
            ("(a = ')'::text)", "(a = ')'::text)"),
            ("(\"a(\" = 'it''s (')", "(\"a(\" = 'it''s (')"),
            ("((a > 1) AND (b > 2))", "((a > 1) AND (b > 2))"),
            ("f(a)", "(f(a))"),
        ] {
            assert_eq!(in_parentheses(expression), sql);
        }
    }
}
