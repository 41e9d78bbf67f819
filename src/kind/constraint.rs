//! Table constraints: primary and unique keys, foreign keys, checks, exclusions. NOT NULL belongs to the column. What
//! the server adds by itself for partitions (clones of foreign keys) is no object of its own.


use serde::{Deserialize, Serialize};

use crate::kind::column::{self, Aside};
use crate::kind::index::{self, Indexed, Options, Storage, Subject};
use crate::kind::index_partition::{self, End};
use crate::kind::{Alter, Claim, Definition, Kind, Object, ObjectId, arbiter, canonical, foreign_partition, partition, table, unique, width};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

mod over_index;
mod over_key;
mod partitions;
mod rule;
mod tree;

pub(super) use tree::is_attached_along;
pub use rule::{Action, Check, Element, Exclusion, ForeignKey, Rule, Unique};

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
    /// A check that a table above has too. The table has it all the same when it stands alone, so here it is an
    /// object; statements on the table above reach it while it is one of the parents.
    pub inherited: Aside<bool>,
    /// Such a check that the table has by itself as well, so that it stays when that above goes.
    #[serde(default = "own", skip_serializing_if = "is_own")]
    pub local: Aside<bool>,
    pub rule: Rule,
    /// Whether the index of a key is valid. One that is not lets a key stand that nothing can refer to.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub valid: bool,
}

fn usual() -> bool {
    true
}

fn own() -> Aside<bool> {
    Aside(true)
}

/// So that a fingerprint says nothing of it.
fn is_own(local: &Aside<bool>) -> bool {
    local.0 || canonical()
}

/// So that the fingerprint of a schema without an invalid key says nothing of it.
fn is_usual(valid: &bool) -> bool {
    *valid
}

/// What a constraint is added in place of. One statement drops and adds, so that there is no moment without a rule.
#[derive(Debug, Clone, Copy)]
enum Instead<'a> {
    OfNothing,
    /// Of itself as it was.
    Of(&'a Constraint),
    /// Of the index of its name, which goes by a step of its own in the same transaction.
    OfIndex,
}

impl Constraint {
    pub fn table_id(&self) -> ObjectId {
        table::id(&self.table)
    }

    /// Whether its index is attached to that of a partitioned table.
    pub fn is_attached(&self) -> bool {
        self.rule.parent().is_some()
    }

    /// The name of the constraint's index, which is always that of the constraint.
    fn index(&self) -> QName {
        self.table.sibling(self.name.clone())
    }

    /// What follows `CONSTRAINT name`, but for NOT VALID.
    fn definition(&self, sides: &Sides<'_>) -> String {
        let mut sql = self.rule.sql(sides);
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
    fn addition(&self, sides: &Sides<'_>) -> String {
        format!("ADD CONSTRAINT {} {}", self.name, self.definition(sides))
    }

    /// Keys of the new table that are the same by another name: CREATE TABLE would make one of the two
    /// (`transformIndexConstraints` in parse_utilcmd.c).
    fn equals_before(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let Rule::Unique(own) = &self.rule else { return vec![] };
        let is_before = |it: &Constraint| match &it.rule {
            Rule::Unique(other) => {
                let same = (&own.columns, &own.include, own.nulls_not_distinct, own.without_overlaps)
                    == (&other.columns, &other.include, other.nulls_not_distinct, other.without_overlaps);
                let deferred = (self.deferrable, self.deferred) == (it.deferrable, it.deferred);
                same && deferred && (!own.primary, &self.name) > (!other.primary, &it.name)
            }
            Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => false,
        };
        let others = sides.new.of_relation(Kind::Constraint, &self.table);
        others.filter(|it| matches!(it, Object::Constraint(it) if is_before(it))).map(Object::id).collect()
    }

    /// Whether the server looks at every row when it makes the CHECK anew.
    pub fn is_looked_through(&self) -> bool {
        matches!(self.rule, Rule::Check(_)) && self.validated && self.enforced
    }

    /// `ALTER TABLE`, for this constraint: an index of a partitioned table comes without those of its partitions.
    fn alter_table(&self) -> String {
        let only = match &self.rule {
            Rule::Unique(_) | Rule::Exclusion(_) if self.partitioned => "ONLY ",
            _ => "",
        };
        format!("ALTER TABLE {only}{}", self.table)
    }

    /// What ALTER TABLE does in the same statement before it adds the constraint.
    fn drop_first(&self, instead: Instead<'_>) -> String {
        match instead {
            Instead::Of(old) => format!("DROP CONSTRAINT {}, ", old.name),
            Instead::OfNothing | Instead::OfIndex => String::new(),
        }
    }

    fn reaches_below(&self) -> bool {
        match &self.rule {
            Rule::Check(it) => !it.no_inherit,
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Foreign(_) => self.partitioned,
        }
    }

    /// The tables that the constraint is on: its own, and those below that statements on it reach.
    fn covers(&self, sides: &Sides<'_>) -> Vec<QName> {
        if self.reaches_below() { self.comes_to(table::family(sides, &self.table), sides) } else { vec![self.table.clone()] }
    }

    /// These without partitions that leave before it comes.
    fn comes_to(&self, tables: Vec<QName>, sides: &Sides<'_>) -> Vec<QName> {
        let id = self.id();
        tables.into_iter().filter(|it| !partition::leaves_before(sides, it, &id)).collect()
    }

    fn may_hold_rows(&self, sides: &Sides<'_>) -> bool {
        self.stands_on_rows(sides).any(|it| sides.may_hold_rows(&it))
    }

    /// The tables with rows of their own that it is on and that were there before: one that comes holds none.
    fn stands_on_rows<'a>(&self, sides: &'a Sides<'_>) -> impl Iterator<Item = QName> + 'a {
        let covers = self.covers(sides).into_iter();
        covers.filter(|it| table::stores(sides, it) && !sides.is_new(&table::id(it)))
    }

    /// Whether somebody may be using the rows, or those that a foreign key refers to: both ends are locked meanwhile.
    fn is_used(&self, sides: &Sides<'_>) -> bool {
        let used = self.stands_on_rows(sides).any(|it| sides.is_used(&it));
        match &self.rule {
            Rule::Foreign(it) => used || (self.may_hold_rows(sides) && table::is_used(sides, &it.to)),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => used,
        }
    }

    /// The tables that statements on the constraint lock at its own end.
    fn reaches(&self, sides: &Sides<'_>) -> Vec<QName> {
        if self.reaches_below() { self.comes_to(table::reach(sides, &self.table), sides) } else { vec![self.table.clone()] }
    }

    /// The step with a lock on all that the constraint is on, and on all that a foreign key refers to.
    fn locking(&self, step: Step, mode: Lock, sides: &Sides<'_>) -> Step {
        let mut tables = self.reaches(sides);
        match &self.rule {
            Rule::Foreign(it) if table::stores(sides, &it.to) => tables.push(it.to.clone()),
            Rule::Foreign(it) => tables.extend(table::reach(sides, &it.to)),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => {}
        }
        tables.iter().fold(step, |step, table| step.locks(table, mode))
    }

    /// The statement that adds the constraint to a table in use.
    fn adding(&self, sql: String, instead: Instead<'_>, sides: &Sides<'_>) -> Step {
        let step = match instead {
            Instead::Of(old) => old
                .locking(Step::new(sql), Lock::AccessExclusive, sides)
                .disturbs(self.id(), Disturbance::Replace),
            Instead::OfNothing | Instead::OfIndex => Step::new(sql),
        };
        match &self.rule {
            Rule::Foreign(_) => self.locking(step, Lock::ShareRowExclusive, sides),
            Rule::Check(_) => self.locking(step, Lock::AccessExclusive, sides),
            // What inherits gets the columns NOT NULL, whether they are already or not.
            Rule::Unique(it) if it.primary && !self.partitioned => {
                let family = table::family(sides, &self.table);
                family.iter().fold(step, |step, table| step.locks(table, Lock::AccessExclusive))
            }
            // With ONLY, where there are partitions.
            Rule::Unique(_) | Rule::Exclusion(_) => step.locks(&self.table, Lock::AccessExclusive),
        }
    }

    fn validation(&self, sides: &Sides<'_>) -> Step {
        let mut step = Step::new(format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.table, self.name))
            .summary(format!("validate {}", self.id()))
            .own_transaction()
            .stage(Stage::Validate)
            .check(self.holds("convalidated"))
            .repeats();
        for table in self.reaches(sides) {
            step = step.locks(&table, Lock::ShareUpdateExclusive);
        }
        if let Rule::Foreign(it) = &self.rule {
            step = step.locks(&it.to, Lock::RowShare);
        }
        self.reading(step, sides)
    }

    /// Bytes of the columns of an entry of its index, roughly.
    fn width(&self, sides: &Sides<'_>) -> u64 {
        match &self.rule {
            Rule::Unique(it) => width::of(&self.table, it.columns.iter().chain(&it.include).map(Some), sides),
            Rule::Exclusion(it) => {
                let columns = it.elements.iter().map(|element| match &element.key.of {
                    Subject::Column(name) => Some(name),
                    Subject::Expression(_) => None,
                });
                width::of(&self.table, columns.chain(it.include.iter().map(Some)), sides)
            }
            Rule::Check(_) | Rule::Foreign(_) => 0,
        }
    }

    /// The step as one that reads every row, and fails if one breaks the rule.
    fn reading(&self, step: Step, sides: &Sides<'_>) -> Step {
        let mut step = step;
        for table in self.covers(sides) {
            if !table::stores(sides, &table) {
                continue;
            }
            step = match &self.rule {
                Rule::Foreign(_) | Rule::Check(_) => step.scans(&table),
                Rule::Unique(_) | Rule::Exclusion(_) => {
                    step.builds(&table, self.width(sides), self.rule.is_btree())
                }
            };
        }
        if !self.may_hold_rows(sides) || self.is_given(sides) {
            return step;
        }
        let code = match &self.rule {
            Rule::Foreign(_) => Code::ForeignKeyMayFail,
            Rule::Check(_) => Code::CheckMayFail,
            Rule::Unique(_) | Rule::Exclusion(_) => Code::UniqueMayFail,
        };
        step.hazard(code, self.id(), table::evidence(sides, &self.table))
    }

    /// Whether the rows satisfy it by a key that they have.
    fn is_given(&self, sides: &Sides<'_>) -> bool {
        match &self.rule {
            Rule::Unique(it) if !it.without_overlaps => {
                let columns: Vec<&Name> = it.columns.iter().collect();
                let given = |table: &QName| unique::is_given(table, &columns, it.nulls_not_distinct, sides);
                self.stands_on_rows(sides).all(|it| given(&it))
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => false,
        }
    }

    /// The step as one that reads every row while it keeps others out.
    fn scanning(&self, step: Step, sides: &Sides<'_>) -> Step {
        let step = self.reading(step, sides);
        if self.may_hold_rows(sides) {
            step.hazard(Code::ScanUnderLock, self.id(), table::evidence(sides, &self.table))
        } else {
            step
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

    /// The steps that add the constraint to a table in use.
    fn add(&self, instead: Instead<'_>, sides: &Sides<'_>) -> Vec<Step> {
        let whole = format!("{} {}{}", self.alter_table(), self.drop_first(instead), self.addition(sides));
        let not_valid = format!("{whole} NOT VALID");
        let steps = match &self.rule {
            Rule::Check(_) | Rule::Foreign(_) if !self.enforced => vec![self.adding(whole, instead, sides)],
            Rule::Check(_) | Rule::Foreign(_) if !self.validated => {
                vec![self.adding(not_valid, instead, sides).own_transaction()]
            }
            Rule::Check(_) | Rule::Foreign(_) if !self.is_used(sides) => {
                vec![self.scanning(self.adding(whole, instead, sides), sides)]
            }
            // Before 18 a foreign key of a partitioned table can't be NOT VALID.
            Rule::Foreign(_) if self.partitioned && sides.major() < 18 => self.add_by_partition(instead, sides),
            Rule::Check(_) | Rule::Foreign(_) => {
                let mut promise = self.adding(not_valid, instead, sides).own_transaction();
                // A partition's own triggers on the other table give way to those of the whole.
                if let Rule::Foreign(it) = &self.rule
                    && self.takes_in_that_of_a_partition(sides)
                {
                    promise = promise.locks(&it.to, Lock::AccessExclusive);
                }
                // What is valid is made a promise again only by making it anew.
                let back = format!("{} DROP CONSTRAINT {}, {}", self.alter_table(), self.name, self.addition(sides));
                let validation = self.validation(sides);
                // A partition's may have become that of the whole.
                let of_partition = sides.new.contains(&super::partition::id(&self.table));
                // Attached again, the partition has it from above.
                let is_lost = self.is_lost_by_detaching(sides);
                if is_lost {
                    let end = format!("{} DROP CONSTRAINT IF EXISTS {}", self.alter_table(), self.name);
                    promise = promise.undone_by(end);
                }
                // A parent's keeps it from being dropped.
                let is_held = matches!(self.rule, Rule::Check(_)) && !self.of_parents(sides.new, sides).is_empty();
                let validation = match of_partition || is_lost || is_held {
                    true => validation,
                    false => {
                        let validation = validation.undone_by(format!("{back} NOT VALID"));
                        partitions::comment_of(&self.id(), sides.new).into_iter().fold(validation, Step::undone_by)
                    }
                };
                let mut steps = match &self.rule {
                    Rule::Foreign(_) => self.rename_below(sides),
                    Rule::Check(_) | Rule::Unique(_) | Rule::Exclusion(_) => vec![],
                };
                let promise = if steps.is_empty() { promise } else { promise.makes() };
                steps.extend([promise, validation]);
                steps
            }
            Rule::Unique(_) | Rule::Exclusion(_) if self.partitioned => {
                vec![self.undone_unless_attached(self.adding(whole, instead, sides), sides)]
            }
            Rule::Unique(key) if !key.without_overlaps && self.is_used(sides) => {
                let steps = self.add_using_index(key, instead, sides);
                return steps.into_iter().map(|step| self.after_not_null(step, sides)).collect();
            }
            Rule::Unique(_) | Rule::Exclusion(_) => {
                vec![self.undone_unless_attached(self.scanning(self.adding(whole, instead, sides), sides), sides)]
            }
        };
        steps.into_iter().chain(self.finish()).map(|step| self.after_not_null(step, sides)).collect()
    }

    /// Whether the foreign key of a new table comes once the table is in use, as the key that it stands on does.
    fn waits_for_its_key(&self, sides: &Sides<'_>) -> bool {
        let is_plain = matches!(self.rule, Rule::Foreign(_)) && self.enforced && self.validated;
        let can_promise = is_plain && (!self.partitioned || sides.major() >= 18);
        can_promise && sides.new.needs_of(&self.id()).any(|it| arbiter::is_lost(it, sides))
    }

    /// A primary key comes once the rows that stand have their numbers, and the column that holds them is required.
    fn after_numbers(&self, steps: Vec<Step>, sides: &Sides<'_>) -> Vec<Step> {
        let numbers = |name: &Name| {
            sides.is_new(&column::id(&self.table, name))
                && column::find(sides.new, &self.table, name).is_some_and(|it| it.numbers_in_batches(sides))
        };
        match &self.rule {
            Rule::Unique(key) if key.primary && key.columns.iter().any(numbers) => {
                steps.into_iter().map(|it| Step { stage: Stage::Contract, ..it }).collect()
            }
            Rule::Unique(_) | Rule::Foreign(_) | Rule::Check(_) | Rule::Exclusion(_) => steps,
        }
    }

    /// This constraint with everything of `new` that changes in place.
    fn settled_like(&self, new: &Constraint) -> Constraint {
        let mut settled = self.clone();
        settled.validated = self.validated || new.validated;
        match (&mut settled.rule, &new.rule) {
            (Rule::Unique(it), Rule::Unique(new)) => {
                it.storage = self.settled_storage(&it.storage, &new.storage);
            }
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
        }
        // ENFORCED validates by itself.
        if self.enforced == new.enforced && !self.validated && new.validated {
            steps.push(new.validation(sides));
        }
        let index = self.index();
        if let (Some(old), Some(new)) = (self.rule.storage(), new.rule.storage()) {
            let indexed = Indexed {
                name: &index,
                table: &self.table,
                partitioned: self.partitioned,
                exclusion: matches!(self.rule, Rule::Exclusion(_)),
                width: self.width(sides),
                sorted: self.rule.is_btree(),
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
            let tables = self.reaches(sides).into_iter();
            return tables.fold(Step::new(sql), |step, table| step.locks(&table, Lock::AccessExclusive));
        }
        sql += if new.enforced { " ENFORCED" } else { " NOT ENFORCED" };
        let step = self.locking(Step::new(sql), Lock::AccessExclusive, sides);
        if new.enforced {
            self.scanning(step, sides)
        } else {
            step.stage(Stage::Contract).hazard(Code::DropConstraint, self.id(), "it is no longer enforced")
        }
    }
}

/// The checks of a partitioned table that go, for a partition that comes before that.
pub fn going_checks(above: &QName, partition: &QName, sides: &Sides<'_>) -> Vec<(ObjectId, String)> {
    let checks = sides.old.of_relation(Kind::Constraint, above).filter_map(|object| match object {
        Object::Constraint(it) if matches!(it.rule, Rule::Check(_)) && !sides.new.contains(&it.id()) => Some(it),
        _ => None,
    });
    checks
        .map(|it| {
            let id = ObjectId::new(Kind::Constraint, [&partition.namespace, &partition.name, &it.name]);
            (id, format!("CONSTRAINT {} {}", it.name, it.definition(sides)))
        })
        .collect()
}

impl Definition for Constraint {
    const NOUN: &'static str = "constraint";

    // A foreign key's conindid is the index that it refers to. OFFSET 0 has the row made into jsonb once, not once for
    // each use.
    const CATALOG: &'static str = concat!(
        r#"
        SELECT json_build_object(
            'at', json_build_array('pg_constraint'::regclass::oid::int8, con.oid::int8, 0),
            'def', json_build_object(
                'name', con.conname,
                'table', json_build_array(n.nspname, t.relname),
                'partitioned', t.relkind = 'p',
                'deferrable', con.condeferrable, 'deferred', con.condeferred,
                -- A check that is handed down to a table is validated where the table came after it, and else with its
                -- parent's: nothing is declared of it.
                'validated', con.convalidated
                    OR con.contype = 'c' AND con.coninhcount > 0 AND NOT con.conislocal AND NOT t.relispartition,
                'valid', i.indexrelid IS NULL OR ("#,
        foreign_partition::valid!(),
        r#"),
                'enforced', coalesce((j.con ->> 'conenforced')::boolean, true),
                'inherited', con.contype = 'c' AND con.coninhcount > 0,
                'local', con.conislocal OR t.relispartition,
                'rule', CASE con.contype
                    WHEN 'c' THEN json_build_object(
                        'type', 'check', 'expression', pg_get_expr(con.conbin, con.conrelid),
                        'no_inherit', con.connoinherit)
                    WHEN 'f' THEN json_build_object(
                        'type', 'foreign',
                        'columns', (SELECT json_agg(a.attname ORDER BY k.n)
                                      FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
                                      JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
                        'to', (SELECT json_build_array(rn.nspname, r.relname)
                                 FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace
                                WHERE r.oid = con.confrelid),
                        'to_columns', (SELECT json_agg(a.attname ORDER BY k.n)
                                         FROM unnest(con.confkey) WITH ORDINALITY k(attnum, n)
                                         JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum),
                        'key', (SELECT k.relname FROM pg_class k WHERE k.oid = con.conindid),
                        'period', coalesce((j.con ->> 'conperiod')::boolean, false),
                        'match_full', con.confmatchtype = 'f',
                        'on_update', con.confupdtype, 'on_delete', con.confdeltype,
                        'set_columns', (SELECT coalesce(json_agg(a.attname ORDER BY k.n), '[]')
                                          FROM jsonb_array_elements_text(
                                                   CASE jsonb_typeof(j.con -> 'confdelsetcols')
                                                   WHEN 'array' THEN j.con -> 'confdelsetcols' ELSE '[]' END)
                                               WITH ORDINALITY k(attnum, n)
                                          JOIN pg_attribute a ON a.attrelid = con.conrelid
                                                             AND a.attnum = k.attnum::int))
                    WHEN 'x' THEN json_build_object(
                        'type', 'exclusion', 'method', am.amname,
                        'elements', "#,
        index::keys!(
            r#",
                'operator', (SELECT json_build_array(kn.nspname, op.oprname)
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
        r#",
                        'parent', "#,
        index_partition::parent!(),
        r#")
                    ELSE json_build_object(
                        'type', 'unique', 'primary', con.contype = 'p',
                        'columns', (SELECT json_agg(a.attname ORDER BY k.n)
                                      FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
                                      JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
                        'without_overlaps', coalesce((j.con ->> 'conperiod')::boolean, false),
                        'nulls_not_distinct', con.contype = 'u' AND coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
                        'include', "#,
        index::include_columns!(),
        r#",
                        'storage', "#,
        index::storage!(),
        r#",
                        'parent', "#,
        index_partition::parent!(),
        r#")
                    END))
          FROM pg_constraint con
          CROSS JOIN LATERAL (
              SELECT CASE WHEN current_setting('server_version_num')::int >= 180000
                            OR (con.contype = 'f' AND current_setting('server_version_num')::int >= 150000)
                          THEN to_jsonb(con) END OFFSET 0) j(con)
          JOIN pg_class t ON t.oid = con.conrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace
          LEFT JOIN pg_index i ON i.indexrelid = con.conindid AND con.contype IN ('p', 'u', 'x')
          LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
          LEFT JOIN pg_am am ON am.oid = ic.relam
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.relkind IN ('r', 'p')
           AND (con.contype IN ('p', 'u', 'x')
                OR con.contype = 'f' AND con.conparentid = 0
                OR con.contype = 'c')
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

    fn needs(&self) -> Vec<ObjectId> {
        self.rule.parent().map(End::id).into_iter().collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.table_id())
    }

    fn claims(&self) -> Vec<Claim> {
        let table = &self.table;
        let own = super::constraint_claim(table, &self.name);
        match &self.rule {
            Rule::Unique(key) if key.primary => {
                let only = Claim("primary key", vec![table.namespace.clone(), table.name.clone()]);
                vec![own, only, super::relation_claim(&self.index())]
            }
            Rule::Unique(_) | Rule::Exclusion(_) => vec![own, super::relation_claim(&self.index())],
            Rule::Check(_) | Rule::Foreign(_) => vec![own],
        }
    }

    /// A table has one primary key: that of another name goes as this one comes. So does an index of its name, and a
    /// foreign key that goes with the key that it stands on.
    fn takes_the_place_of(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let is_primary = |it: &Constraint| matches!(&it.rule, Rule::Unique(key) if key.primary);
        let mut before = sides.old.of_relation(Kind::Constraint, &self.table).filter_map(|object| match object {
            Object::Constraint(it) if is_primary(it) && !it.partitioned => Some(it.id()),
            _ => None,
        });
        let before = before.next().filter(|it| is_primary(self) && !sides.new.contains(it));
        before.or_else(|| self.former_index(sides)).or_else(|| self.former_foreign_key(sides).map(Constraint::id))
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            // Of what holds for a time, both ends have one type at any time as well.
            Disturbance::Retype { checks } => {
                let is_temporal = matches!(&self.rule, Rule::Foreign(it) if it.period);
                !(is_temporal || checks && self.is_looked_through())
            }
            Disturbance::Replace => false,
            // Both ends of a foreign key must be of the same type at any time.
            Disturbance::Swap => matches!(self.rule, Rule::Unique(_)),
        }
    }

    /// A foreign key to a partitioned table has what it needs of a partition only while that is one.
    fn outlives(&self, need: &ObjectId, new: &Schema) -> bool {
        let is_of = |table: &QName| need.path.starts_with(&[table.namespace.clone(), table.name.clone()]);
        let of_partition = match &self.rule {
            Rule::Foreign(it) => {
                let kinds = [Kind::Table, Kind::Column, Kind::Constraint];
                kinds.contains(&need.kind) && !is_of(&self.table) && !is_of(&it.to)
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
        };
        of_partition || index_partition::outlives_parent(self.rule.parent(), need, new)
    }

    /// The server takes the oldest key that fits the columns, so another one has to be gone.
    fn is_taken_in_by(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        self.that_of_a_parent(sides)
    }

    fn cannot_come(&self, sides: &Sides<'_>) -> Option<String> {
        let foreign = |what, those| match self.partitioned {
            true => foreign_partition::stays_beside(sides, &self.table, what, those),
            false => None,
        };
        match &self.rule {
            Rule::Unique(_) | Rule::Exclusion(_) => foreign("the key", "keys"),
            Rule::Foreign(_) => foreign("the foreign key", "foreign keys").or_else(|| self.namesake_above_or_below(sides)),
            Rule::Check(_) => None,
        }
    }

    fn comes_after_the_end_of(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let by_detaching = self.is_lost_by_detaching(sides) || partition::is_renamed(sides, &self.table, &self.name);
        let detached = by_detaching.then(|| partition::id(&self.table));
        match &self.rule {
            Rule::Foreign(it) => it.former_keys(sides).into_iter().chain(detached).collect(),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => vec![],
        }
    }

    fn is_copied_to(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        match &self.rule {
            Rule::Check(_) if !sides.new.contains(&self.id()) => {
                [table::coming_below(&self.table, sides), partition::brought_along(sides, &self.id())].concat()
            }
            Rule::Check(_) | Rule::Foreign(_) | Rule::Unique(_) | Rule::Exclusion(_) => vec![],
        }
    }

    /// A key of a partitioned table is one once those of all partitions are part of it. Of keys of a partition that are
    /// alike, the server attaches the oldest to the oldest of its parent.
    fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        match &self.rule {
            Rule::Foreign(_) => index_partition::below(sides.new.needs_of(&self.id()), sides.new),
            Rule::Unique(_) if sides.is_new(&self.table_id()) => self.equals_before(sides),
            // Both are to be there by themselves, and that of the heir is the one that can be taken back last.
            Rule::Check(_) => self.of_heirs(sides.new, sides),
            Rule::Unique(_) | Rule::Exclusion(_) => vec![],
        }
    }

    /// What an heir has by itself goes once no parent hands it down.
    fn goes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        match self.rule {
            Rule::Check(_) => self.of_parents(sides.old, sides),
            Rule::Unique(_) | Rule::Exclusion(_) => {
                index_partition::detached_before(self.rule.parent(), &self.table, sides).into_iter().collect()
            }
            Rule::Foreign(_) => vec![],
        }
    }

    fn changes_along(&self, sides: &Sides<'_>) -> bool {
        tree::goes_along(self, sides.old, sides)
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        if tree::goes_along(self, sides.new, sides) {
            return vec![];
        }
        let is_left = matches!(self.rule, Rule::Foreign(_))
            && partition::leaves(sides, &self.table, &self.name)
            && !self.is_lost_by_detaching(sides);
        let is_renamed = partition::is_renamed(sides, &self.table, &self.name);
        let is_left = is_left || is_renamed || partition::is_left(sides, &self.id());
        let comes_along = self.inherited.0 && !self.local.0 && sides.is_new(&self.table_id());
        if self.comes_from_above(sides) || comes_along || is_left || self.is_handed_down(sides) {
            return vec![];
        }
        if !sides.is_new(&self.table_id()) {
            return match self.taken_over(sides) {
                Some(key) => self.take_over_own(key, sides),
                None => {
                    let former = self.former_index(sides);
                    let instead = if former.is_some() { Instead::OfIndex } else { Instead::OfNothing };
                    let mut steps = self.after_numbers(self.add(instead, sides), sides);
                    // What is built for it is built before: there is no moment without a key.
                    let is_lost = || self.takes_the_place_of(sides).is_some_and(|it| arbiter::is_lost(&it, sides));
                    if former.is_some() || is_lost() {
                        steps.last_mut().into_iter().for_each(|it| it.stage = Stage::Contract);
                    }
                    arbiter::after_the_end(&self.id(), steps, sides)
                }
            };
        }
        let step = format!("{} {}", self.alter_table(), self.addition(sides));
        if self.waits_for_its_key(sides) {
            let promise = self.locking(Step::new(format!("{step} NOT VALID")), Lock::ShareRowExclusive, sides);
            let why = "rows may stand in the table by then";
            let validation = self.validation(sides).hazard(Code::ForeignKeyMayFail, self.id(), why);
            return vec![promise.own_transaction().stage(Stage::Contract), validation];
        }
        // A CREATE TABLE takes every constraint for valid, as no row can break it yet.
        let step = if !self.equals_before(sides).is_empty() {
            Step::new(step)
        } else if self.validated || !self.enforced {
            Step::new(step).clause(self.table_id(), format!("CONSTRAINT {} {}", self.name, self.definition(sides)))
        } else {
            Step::new(format!("{step} NOT VALID"))
        };
        let step = match &self.rule {
            Rule::Foreign(_) => self.locking(step, Lock::ShareRowExclusive, sides),
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => step,
        };
        [step].into_iter().chain(self.finish()).collect()
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if new.comes_from_above(sides) || new.is_handed_down(sides) {
            return Alter::Steps(vec![]);
        }
        if index_partition::goes_with_parent(self.rule.parent(), &self.table, sides) {
            return Alter::Replace;
        }
        if tree::goes_along(self, sides.old, sides) && tree::goes_along(new, sides.new, sides) {
            return Alter::Steps(vec![]);
        }
        // The key that it stands on can't go while the foreign key is there, and another one comes only after that.
        let is_key = |it: &&ObjectId| matches!(it.kind, Kind::Constraint | Kind::Index);
        let loses_key = sides.old.needs_of(&self.id()).filter(is_key).any(|it| sides.is_going(it));
        if loses_key {
            return Alter::Replace;
        }
        if self.settled_like(new) == *new {
            return Alter::Steps(self.settle(new, sides));
        }
        if let Some(steps) = tree::swap(self, sides) {
            return Alter::Steps(steps);
        }
        let same_kind = std::mem::discriminant(&self.rule) == std::mem::discriminant(&new.rule);
        let has_tree = self.partitioned || new.partitioned || self.rule.parent().is_some();
        if !same_kind || has_tree || index::stands_on_changes(&self.id(), &self.table_id(), sides) {
            return Alter::Replace;
        }
        let steps = new.add(Instead::Of(self), sides);
        let end = steps.iter().position(|it| !it.disturbs.is_empty()).unwrap_or(steps.len());
        Alter::Steps(arbiter::kept_until_contract(&self.id(), steps, end, sides))
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let is_taken =
            matches!(self.rule, Rule::Foreign(_)) && partition::takes_over(sides, &self.table, &self.name);
        if self.comes_from_above(sides)
            || is_taken
            || partition::is_renamed(sides, &self.table, &self.name)
            || partition::is_taken_along(sides, &self.id())
            || self.that_of_a_parent(sides).is_some()
            || index_partition::goes_with_parent(self.rule.parent(), &self.table, sides)
            || tree::goes_along(self, sides.old, sides)
        {
            return vec![];
        }
        let heirs = self.heirs(sides);
        if !heirs.is_empty() {
            return self.hand_down(&heirs, sides);
        }
        let step = Step::new(format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table, self.name));
        let step = self.locking(step, Lock::AccessExclusive, sides).stage(Stage::Contract);
        if sides.replaced.contains(&self.id()) {
            // A CHECK holds again for whatever is written by the end of the same transaction.
            let is_check = |it: &Object| matches!(it, Object::Constraint(it) if matches!(it.rule, Rule::Check(_)));
            if matches!(self.rule, Rule::Check(_)) && sides.new.get(&self.id()).is_some_and(is_check) {
                return vec![step];
            }
            let step = step.hazard(Code::RecreateObject, self.id(), "until it is added again");
            return vec![arbiter::told(&self.id(), step, sides)];
        }
        if self.holds_by_a_successor(sides) {
            return vec![step];
        }
        let step = step.hazard(Code::DropConstraint, self.id(), format!("{} no longer holds", self.definition(sides)));
        vec![arbiter::told(&self.id(), step, sides)]
    }
}
