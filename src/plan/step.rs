//! A step: one statement with its facts. Kinds make steps; the planner orders them and fills in the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::ObjectId;
use crate::lock::{Lock, RelationLock};
use crate::name::QName;
use crate::plan::Undo;
use crate::plan::batch::Batch;
use crate::plan::hazard::{Code, Hazard};
use crate::schema::Size;

/// Which part of a plan a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Old and new code both work.
    Expand,
    /// Rows, in batches.
    Backfill,
    /// Proves what expand only promised.
    Validate,
    /// What old code needed goes.
    Contract,
}

impl Stage {
    pub const ALL: [Stage; 4] = [Stage::Expand, Stage::Backfill, Stage::Validate, Stage::Contract];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Expand => "expand",
            Stage::Backfill => "backfill",
            Stage::Validate => "validate",
            Stage::Contract => "contract",
        }
    }
}

/// What a step does to an object so that some of its dependents can't stay as they are meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbance {
    /// `ALTER COLUMN … TYPE`: the server rebuilds indexes, constraints and defaults, and refuses for views,
    /// policies, triggers that name the column, generated columns and SQL-standard bodies. `checks`: it reads many rows
    /// for CHECK constraints alone, which could be added again without that.
    Retype { checks: bool },
    /// The object is dropped and created again.
    Replace,
    /// A type is exchanged for another of its name, and columns of it are converted. What stores values or compares
    /// them as they stand goes along; what holds the old type in an expression does not.
    Swap,
}

/// How a step relates to transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transaction {
    /// Can share one with its neighbours where these hold no lock that anyone waits for.
    Shared,
    /// Must be committed before the next step: a new enum label, a NOT VALID constraint before its VALIDATE.
    Own,
    /// Can't run inside one: CONCURRENTLY.
    Outside,
}

/// A clause that says the same inside the CREATE of a whole as the step's statement says after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The object whose CREATE takes the clause.
    pub into: ObjectId,
    /// As it stands between the parentheses; a clause with `after` is put behind the clause of that object.
    pub text: String,
    /// The object (a column) whose own clause this one is appended to.
    pub after: Option<ObjectId>,
}

/// One statement with its facts. Locks, rewrites and scans name relations that existed before the plan; the planner
/// takes out those that are new in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub sql: String,
    pub summary: Option<String>,
    pub stage: Stage,
    pub transaction: Transaction,
    pub locks: Vec<RelationLock>,
    pub rewrites: Vec<QName>,
    pub scans: Vec<QName>,
    pub builds: Vec<Build>,
    /// What relations hold while the step runs, where something else has their names by the end of the plan.
    pub sizes: BTreeMap<QName, Size>,
    pub hazards: Vec<Hazard>,
    pub disturbs: Vec<(ObjectId, Disturbance)>,
    pub clause: Option<Clause>,
    /// For a CREATE that takes clauses: what stands before and after the parentheses, and between them at first
    /// (the object and its clause, in order).
    pub body: Option<Body>,
    /// Why the step can't be undone without loss.
    pub irreversible: Option<String>,
    /// A query that is true once the step holds.
    pub check: Option<String>,
    /// The rows that the statement changes, where it is to run in parts.
    pub batch: Option<Batch>,
    /// The same where the statement changes them at once.
    pub at_once: Option<Batch>,
    /// What takes back a step that helps only on the way: the opposite of the whole change knows nothing of it.
    pub undo: Vec<Undo>,
    /// The same, once all else is taken back.
    pub undo_last: Vec<Undo>,
    /// What comes or goes as a part of the object does so in the same transaction.
    pub takes_parts: bool,
    /// Of several steps for one object, the one by which it is there: where that is not the first.
    pub makes: bool,
    /// Where it holds already, the statement changes nothing.
    pub repeats: bool,
    /// Of several like it for one object, which the step is for: its undo goes there.
    pub part: Option<ObjectId>,
    /// What it makes for a later one to take up.
    pub aid: Option<Aid>,
    /// Where it is one action on a table, which others can be beside in one statement, that action.
    pub action: Option<Action>,
}

/// One of the actions of `ALTER TABLE … , …`, which are done in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub table: QName,
    pub sql: String,
}

/// What one step makes for a later one to take up, whose undo loses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aid {
    of: ObjectId,
    /// Where several steps make it, the number of this one.
    part: usize,
}

impl Aid {
    pub fn of(object: ObjectId) -> Self {
        Aid { of: object, part: 0 }
    }

    pub fn part(self, part: usize) -> Self {
        Aid { part, ..self }
    }
}

/// An index that a step builds over the rows of a relation that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub over: QName,
    /// Bytes of the columns of one entry, roughly.
    pub width: u64,
    /// Of a B-tree the server sorts all entries first, and flushes its pages to the disk together at the end.
    pub sorted: bool,
}

/// The inside of a CREATE TABLE, kept apart until clauses have been folded into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub of: ObjectId,
    pub head: String,
    pub clauses: Vec<(ObjectId, String)>,
    pub tail: String,
}

impl Body {
    pub fn sql(&self) -> String {
        if self.clauses.is_empty() {
            return format!("{} (){}", self.head, self.tail);
        }
        let clauses: Vec<String> = self.clauses.iter().map(|(_, text)| format!("    {text}")).collect();
        format!("{} (\n{}\n){}", self.head, clauses.join(",\n"), self.tail)
    }
}

impl Step {
    pub fn new(sql: impl Into<String>) -> Self {
        Step {
            sql: sql.into(),
            summary: None,
            stage: Stage::Expand,
            transaction: Transaction::Shared,
            locks: vec![],
            rewrites: vec![],
            scans: vec![],
            builds: vec![],
            sizes: BTreeMap::new(),
            hazards: vec![],
            disturbs: vec![],
            clause: None,
            body: None,
            irreversible: None,
            check: None,
            batch: None,
            at_once: None,
            undo: vec![],
            undo_last: vec![],
            makes: false,
            takes_parts: false,
            repeats: false,
            part: None,
            aid: None,
            action: None,
        }
    }

    /// The step by which its object is there, though others come before it.
    pub fn makes(mut self) -> Self {
        self.makes = true;
        self
    }

    /// A statement that changes nothing where it holds already.
    pub fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// The one of several parts of its object that the step is for.
    pub fn part(mut self, part: ObjectId) -> Self {
        self.part.get_or_insert(part);
        self
    }

    /// A CREATE that clauses can be folded into.
    pub fn with_body(body: Body) -> Self {
        let mut step = Step::new(body.sql());
        step.body = Some(body);
        step
    }

    /// What the step does, for people, where its statement does not say it well.
    pub fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary = Some(text.into());
        self
    }

    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    pub fn locks(mut self, relation: &QName, mode: Lock) -> Self {
        self.locks.push(RelationLock { relation: relation.clone(), mode });
        self
    }

    pub fn rewrites(mut self, relation: &QName) -> Self {
        self.rewrites.push(relation.clone());
        self
    }

    /// The step reads every row of the relation.
    pub fn scans(mut self, relation: &QName) -> Self {
        self.scans.push(relation.clone());
        self
    }

    /// The step reads every row of the relation and builds an index over them.
    pub fn builds(mut self, over: &QName, width: u64, sorted: bool) -> Self {
        self.builds.push(Build { over: over.clone(), width, sorted });
        self.scans(over)
    }

    pub fn hazard(mut self, code: Code, object: ObjectId, why: impl Into<String>) -> Self {
        self.hazards.push(Hazard::new(code, object, why));
        self
    }

    pub fn disturbs(mut self, object: ObjectId, how: Disturbance) -> Self {
        self.disturbs.push((object, how));
        self
    }

    pub fn own_transaction(mut self) -> Self {
        self.transaction = Transaction::Own;
        self
    }

    pub fn outside_transaction(mut self) -> Self {
        self.transaction = Transaction::Outside;
        self
    }

    /// Without its parts the object is not whole: a column whose numbers come from elsewhere from now on.
    pub fn with_its_parts(mut self) -> Self {
        self.takes_parts = true;
        self
    }

    /// The same in the CREATE of `into`, as an element of its own.
    pub fn clause(mut self, into: ObjectId, text: impl Into<String>) -> Self {
        self.clause = Some(Clause { into, text: text.into(), after: None });
        self
    }

    /// The same in the CREATE of `into`, appended to the clause of `after`.
    pub fn clause_after(mut self, into: ObjectId, after: ObjectId, text: impl Into<String>) -> Self {
        self.clause = Some(Clause { into, text: text.into(), after: Some(after) });
        self
    }

    pub fn irreversible(mut self, why: impl Into<String>) -> Self {
        self.irreversible = Some(why.into());
        self
    }

    /// Changes rows in parts, each in a transaction of its own.
    pub fn in_batches(batch: Batch) -> Self {
        let mut step = Step::new(batch.whole()).stage(Stage::Backfill).outside_transaction();
        step.batch = Some(batch);
        step
    }

    /// What gives rows values, in batches or at once.
    pub fn fill(&self) -> Option<&Batch> {
        self.batch.as_ref().or(self.at_once.as_ref())
    }

    /// Changes few rows in one statement.
    pub fn at_once(batch: Batch) -> Self {
        let mut step = Step::new(batch.whole()).stage(Stage::Backfill).own_transaction();
        step.at_once = Some(batch);
        step
    }

    /// The statement that takes back a step which helps only on the way.
    pub fn undone_by(mut self, sql: impl Into<String>) -> Self {
        self.undo.push(Undo::inside(sql));
        self
    }

    /// The step is an action on a table that others can be beside.
    pub fn action(mut self, table: &QName, sql: impl Into<String>) -> Self {
        self.action = Some(Action { table: table.clone(), sql: sql.into() });
        self
    }

    /// What it makes is for a later step to take up.
    pub fn aids(mut self, aid: Aid) -> Self {
        self.aid = Some(aid);
        self
    }

    /// What the undo first builds again, since an earlier step built it and it is lost with this one.
    pub fn built_again_by(mut self, aid: Aid, undo: Undo) -> Self {
        self.undo.push(Undo { again: Some(aid), ..undo });
        self
    }

    /// The same, once all else is taken back.
    pub fn then_built_again_by(mut self, aid: Aid, undo: Undo) -> Self {
        self.undo_last.push(Undo { again: Some(aid), ..undo });
        self
    }

    pub fn check(mut self, query: impl Into<String>) -> Self {
        self.check = Some(query.into());
        self
    }
}
