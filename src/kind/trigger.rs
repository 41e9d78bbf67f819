//! `CREATE TRIGGER` and `CREATE CONSTRAINT TRIGGER`, on tables and views. A row trigger of a partitioned table has
//! clones on the partitions, which are no objects of their own.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Claim, Definition, Expr, Kind, Object, ObjectId, partition, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    pub relation: QName,
    pub on: On,
    pub name: Name,
    pub timing: Timing,
    pub events: Events,
    pub for_each_row: bool,
    pub when: Option<Expr>,
    /// A trigger made with CREATE CONSTRAINT TRIGGER.
    pub constraint: Option<Constraint>,
    /// The names that REFERENCING gives to the rows as they were and as they are.
    pub old_table: Option<Name>,
    pub new_table: Option<Name>,
    pub function: QName,
    pub arguments: Vec<String>,
    pub state: State,
    /// The partitions whose clone has another state than the trigger itself.
    pub clones: Vec<(QName, State)>,
}

/// What a trigger is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    Table,
    PartitionedTable,
    View,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    Before,
    After,
    InsteadOf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    pub insert: bool,
    pub delete: bool,
    pub update: bool,
    /// UPDATE OF: only when the statement names one of these.
    pub columns: Vec<Name>,
    pub truncate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub from: Option<QName>,
}

/// In which sessions a trigger or a rule is in force, by `session_replication_role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    #[serde(rename = "O")]
    Origin,
    #[serde(rename = "D")]
    Disabled,
    #[serde(rename = "R")]
    Replica,
    #[serde(rename = "A")]
    Always,
}

/// The triggers that run where rows of this very table are updated: its own, and those that partitioned tables above it
/// hand down.
pub fn of_updates<'a>(schema: &'a Schema, table: &QName) -> Vec<&'a Trigger> {
    let mut found = vec![];
    for above in partition::line(schema, table) {
        found.extend(schema.of_relation(Kind::Trigger, &above).filter_map(|object| match object {
            Object::Trigger(it) => {
                let clone = it.clones.iter().find(|(partition, _)| partition == table);
                let state = clone.map_or(it.state, |(_, state)| *state);
                let runs = it.events.update && matches!(state, State::Origin | State::Always);
                (runs && (above == *table || it.for_each_row)).then_some(&**it)
            }
            _ => None,
        }));
    }
    found
}

impl Timing {
    fn sql(self) -> &'static str {
        match self {
            Timing::Before => "BEFORE",
            Timing::After => "AFTER",
            Timing::InsteadOf => "INSTEAD OF",
        }
    }
}

impl Events {
    fn sql(&self) -> String {
        let update = match self.columns.as_slice() {
            [] => "UPDATE".to_owned(),
            columns => format!("UPDATE OF {}", list(columns)),
        };
        let events = [
            (self.insert, "INSERT".to_owned()),
            (self.delete, "DELETE".to_owned()),
            (self.update, update),
            (self.truncate, "TRUNCATE".to_owned()),
        ];
        events.into_iter().filter(|(on, _)| *on).map(|(_, sql)| sql).collect::<Vec<_>>().join(" OR ")
    }
}

impl State {
    /// As it stands before TRIGGER and RULE.
    pub fn sql(self) -> &'static str {
        match self {
            State::Origin => "ENABLE",
            State::Disabled => "DISABLE",
            State::Replica => "ENABLE REPLICA",
            State::Always => "ENABLE ALWAYS",
        }
    }
}

impl Trigger {
    fn relation_id(&self) -> ObjectId {
        let kind = match self.on {
            On::Table | On::PartitionedTable => Kind::Table,
            On::View => Kind::View,
        };
        ObjectId::new(kind, [&self.relation.namespace, &self.relation.name])
    }

    fn sql(&self, or_replace: bool) -> String {
        let create = match (&self.constraint, or_replace) {
            (Some(_), _) => "CREATE CONSTRAINT TRIGGER",
            (None, true) => "CREATE OR REPLACE TRIGGER",
            (None, false) => "CREATE TRIGGER",
        };
        let (timing, events) = (self.timing.sql(), self.events.sql());
        let mut sql = format!("{create} {} {timing} {events} ON {}", self.name, self.relation);
        if let Some(constraint) = &self.constraint {
            if let Some(from) = &constraint.from {
                sql += &format!(" FROM {from}");
            }
            if constraint.deferrable {
                sql += " DEFERRABLE";
            }
            if constraint.initially_deferred {
                sql += " INITIALLY DEFERRED";
            }
        }
        if self.old_table.is_some() || self.new_table.is_some() {
            sql += " REFERENCING";
        }
        for (which, name) in [("OLD", &self.old_table), ("NEW", &self.new_table)] {
            if let Some(name) = name {
                sql += &format!(" {which} TABLE AS {name}");
            }
        }
        sql += if self.for_each_row { " FOR EACH ROW" } else { " FOR EACH STATEMENT" };
        if let Some(when) = &self.when {
            sql += &format!(" WHEN ({when})");
        }
        let arguments = list(self.arguments.iter().map(|it| Literal(it)));
        sql + &format!(" EXECUTE FUNCTION {}({arguments})", self.function)
    }

    /// A statement about the trigger, with its lock on the table and, where it has clones, on the partitions.
    fn step(&self, sql: String, lock: Lock, sides: &Sides<'_>) -> Step {
        let step = Step::new(sql).locks(&self.relation, lock);
        if self.on == On::PartitionedTable && self.for_each_row {
            table::reach(sides, &self.relation).iter().fold(step, |it, member| it.locks(member, lock))
        } else {
            step
        }
    }

    fn set_state(&self, relation: &QName, state: State, sides: &Sides<'_>) -> Step {
        let sql = format!("ALTER TABLE {relation} {} TRIGGER {}", state.sql(), self.name);
        if *relation == self.relation {
            self.step(sql, Lock::ShareRowExclusive, sides)
        } else {
            Step::new(sql).locks(relation, Lock::ShareRowExclusive)
        }
    }

    /// The steps to this trigger's states from those that a statement left: `state`, the same for all clones.
    fn states_after(&self, state: State, sides: &Sides<'_>) -> Vec<Step> {
        let own = (self.state != state).then(|| self.set_state(&self.relation, self.state, sides));
        let clones = self.clones.iter().map(|(partition, state)| self.set_state(partition, *state, sides));
        own.into_iter().chain(clones).collect()
    }

    /// The same trigger, but for when it fires by `session_replication_role`.
    fn with_states_of(&self, other: &Trigger) -> Trigger {
        Trigger { state: other.state, clones: other.clones.clone(), ..self.clone() }
    }

    fn alter_states(&self, new: &Trigger, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![];
        // On a partitioned table this reaches the clones too.
        if self.state != new.state {
            steps.push(self.set_state(&self.relation, new.state, sides));
            steps.extend(new.states_after(new.state, sides));
            return steps;
        }
        let same = |clone: &(QName, State)| self.clones.contains(clone);
        let back = |clone: &&(QName, State)| !new.clones.iter().any(|(partition, _)| *partition == clone.0);
        steps.extend(self.clones.iter().filter(back).map(|(it, _)| self.set_state(it, new.state, sides)));
        steps.extend(new.clones.iter().filter(|it| !same(it)).map(|(it, state)| self.set_state(it, *state, sides)));
        steps
    }
}

impl Definition for Trigger {
    const NOUN: &'static str = "trigger";

    // The condition can't be printed by pg_get_expr, since OLD and NEW are two relations, and is cut out of
    // pg_get_triggerdef. Before it nothing but names can hold quotes; what stands after it is known to the letter.
    // Arguments are kept one after the other, each ended by a zero byte.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_trigger'::regclass::oid::int8, t.oid::int8, 0),
            'def', json_build_object(
                'relation', json_build_array(n.nspname, c.relname),
                'on', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table' ELSE 'view' END,
                'name', t.tgname,
                'timing', CASE WHEN t.tgtype & 2 <> 0 THEN 'before'
                               WHEN t.tgtype & 64 <> 0 THEN 'instead_of' ELSE 'after' END,
                'events', json_build_object(
                    'insert', t.tgtype & 4 <> 0, 'delete', t.tgtype & 8 <> 0, 'update', t.tgtype & 16 <> 0,
                    'columns', coalesce(
                        (SELECT json_agg(a.attname ORDER BY u.n)
                           FROM unnest(t.tgattr::int2[]) WITH ORDINALITY u(attnum, n)
                           JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum), '[]'),
                    'truncate', t.tgtype & 32 <> 0),
                'for_each_row', t.tgtype & 1 <> 0,
                'when', CASE WHEN t.tgqual IS NOT NULL THEN
                    substr(d.def, length(d.head) + 1,
                           length(d.def) - length(d.head)
                             - length(format(') EXECUTE FUNCTION %s(%s)',
                                             CASE WHEN fn.nspname <> 'pg_catalog'
                                                  THEN quote_ident(fn.nspname) || '.' ELSE '' END
                                               || quote_ident(f.proname),
                                             args.printed))) END,
                'constraint', CASE WHEN t.tgconstraint <> 0 THEN json_build_object(
                    'deferrable', t.tgdeferrable, 'initially_deferred', t.tginitdeferred,
                    'from', (SELECT json_build_array(rn.nspname, r.relname)
                               FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace
                              WHERE r.oid = t.tgconstrrelid)) END,
                'old_table', t.tgoldtable,
                'new_table', t.tgnewtable,
                'function', json_build_array(fn.nspname, f.proname),
                'arguments', args.list,
                'state', t.tgenabled,
                'clones', coalesce(clones.states, '[]')))
          FROM pg_trigger t
          JOIN pg_class c ON c.oid = t.tgrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_proc f ON f.oid = t.tgfoid
          JOIN pg_namespace fn ON fn.oid = f.pronamespace
          CROSS JOIN LATERAL (
              SELECT coalesce(json_agg(a.value ORDER BY a.n), '[]') AS list,
                     coalesce(string_agg('''' || replace(a.value, '''', '''''') || '''', ', ' ORDER BY a.n), '')
                         AS printed
                FROM (SELECT convert_from(decode(m[1], 'hex'), getdatabaseencoding()), n
                        FROM regexp_matches(encode(t.tgargs, 'hex'), '((?:(?!00)..)*)00', 'g')
                             WITH ORDINALITY r(m, n)) a(value, n)) args
          LEFT JOIN LATERAL (
              SELECT g.def, substring(g.def FROM '^(?:[^"]|"[^"]*")*? FOR EACH (?:ROW|STATEMENT) WHEN \(') AS head
                FROM pg_get_triggerdef(t.oid, false) g(def)
               WHERE t.tgqual IS NOT NULL) d ON true
          LEFT JOIN (
              WITH RECURSIVE clone AS (
                  SELECT k.oid, k.tgrelid, k.tgenabled, k.tgparentid AS root FROM pg_trigger k
                    JOIN pg_trigger p ON p.oid = k.tgparentid AND p.tgparentid = 0 AND NOT p.tgisinternal
                  UNION ALL
                  SELECT k.oid, k.tgrelid, k.tgenabled, clone.root
                    FROM clone JOIN pg_trigger k ON k.tgparentid = clone.oid)
              SELECT clone.root,
                     json_agg(json_build_array(json_build_array(kn.nspname, kc.relname), clone.tgenabled)
                               ORDER BY kn.nspname, kc.relname) AS states
                FROM clone
                JOIN pg_trigger root ON root.oid = clone.root AND root.tgenabled <> clone.tgenabled
                JOIN pg_class kc ON kc.oid = clone.tgrelid
                JOIN pg_namespace kn ON kn.oid = kc.relnamespace
               GROUP BY clone.root) clones ON clones.root = t.oid
         WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relkind IN ('r', 'p', 'v')
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE ((d.classid = 'pg_trigger'::regclass AND d.objid = t.oid)
                                   OR (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0))
                              AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Trigger, [&self.relation.namespace, &self.relation.name, &self.name])
    }

    fn reference(path: &[Name]) -> String {
        super::on_relation("TRIGGER", path)
    }

    fn needs(&self) -> Vec<ObjectId> {
        self.clones.iter().map(|(partition, _)| partition::id(partition)).collect()
    }

    /// A partition of a partition has its clone once both are attached.
    fn comes_after(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        let lines = self.clones.iter().flat_map(|(partition, _)| partition::line(sides.new, partition));
        lines.filter(|it| *it != self.relation).map(|it| partition::id(&it)).collect()
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.relation_id())
    }

    /// Its function, which goes by the tables of transitions and the events that the trigger has for it.
    fn changes_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let same_but_for_states = match sides.old.get(&self.id()) {
            Some(Object::Trigger(before)) => before.with_states_of(self) == *self,
            _ => true,
        };
        let function = || ObjectId::new(Kind::Routine, [&self.function.namespace, &self.function.name, &Name::from("")]);
        (!same_but_for_states).then(function).filter(|it| sides.old.contains(it))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("trigger", self.id().path.to_vec())]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => self.events.columns.is_empty() && self.when.is_none(),
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![self.step(self.sql(false), Lock::ShareRowExclusive, sides)];
        steps.extend(self.states_after(State::Origin, sides));
        steps
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.with_states_of(new) == *new {
            return Alter::Steps(self.alter_states(new, sides));
        }
        // CREATE OR REPLACE does not do constraint triggers.
        if self.constraint.is_some() || new.constraint.is_some() || self.on != new.on {
            return Alter::Replace;
        }
        let mut steps = vec![new.step(new.sql(true), Lock::ShareRowExclusive, sides)];
        steps.extend(new.states_after(State::Origin, sides));
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let sql = format!("DROP TRIGGER {} ON {}", self.name, self.relation);
        let step = self.step(sql, Lock::AccessExclusive, sides).stage(Stage::Contract);
        vec![if sides.new.contains(&self.id()) {
            step
        } else {
            step.hazard(Code::StopTrigger, self.id(), format!("{} no longer runs", self.function))
        }]
    }
}
