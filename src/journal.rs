//! The journal: what a database remembers of the plans that were applied to it. Here are its tables, its states, the
//! moves between them and the statements that make these moves; running them is `apply`'s.

use serde::{Deserialize, Serialize};

use crate::name::Literal;
use crate::plan::Stage;
use crate::plan::batch::Cursor;
use crate::plan::file::PlanFile;

/// Makes the journal's tables where they are missing. Nobody but their owner gets any privilege on them.
pub const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS tenantry;
REVOKE ALL ON SCHEMA tenantry FROM PUBLIC;
CREATE TABLE IF NOT EXISTS tenantry.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id text NOT NULL,
    plan_name text NOT NULL,
    tool text NOT NULL,
    through text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    status text NOT NULL,
    applied_by text NOT NULL DEFAULT session_user,
    pid integer NOT NULL DEFAULT pg_backend_pid(),
    error text
);
CREATE TABLE IF NOT EXISTS tenantry.step (
    run_id bigint NOT NULL REFERENCES tenantry.run,
    step_id integer NOT NULL,
    stage text NOT NULL,
    summary text NOT NULL,
    sql text NOT NULL,
    status text NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    duration_ms bigint,
    error text,
    PRIMARY KEY (run_id, step_id)
);
ALTER TABLE tenantry.run ADD COLUMN IF NOT EXISTS plan text;
ALTER TABLE tenantry.run ADD COLUMN IF NOT EXISTS fingerprint text;
CREATE TABLE IF NOT EXISTS tenantry.backfill (
    run_id bigint NOT NULL,
    step_id integer NOT NULL,
    relation text NOT NULL,
    round integer NOT NULL,
    position text,
    finished boolean NOT NULL,
    rows bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, step_id, relation),
    FOREIGN KEY (run_id, step_id) REFERENCES tenantry.step
);
REVOKE ALL ON tenantry.run, tenantry.step, tenantry.backfill FROM PUBLIC;";

/// Whether there is a journal.
pub const EXISTS: &str =
    "SELECT to_regclass('tenantry.run') IS NOT NULL AND to_regclass('tenantry.step') IS NOT NULL";

/// Whether it has all that this program writes.
pub const CURRENT: &str = "SELECT to_regclass('tenantry.backfill') IS NOT NULL";

/// The key of the lock that keeps two applies of one database apart: the eight letters of the program's name.
pub const LOCK_KEY: i64 = i64::from_be_bytes(*b"tenantry");

/// The process that holds that lock, with what it says of itself.
pub const LOCK_HOLDER: &str = "
    SELECT l.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''),
           coalesce(a.client_addr::text, 'a local socket'),
           coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), '')
      FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
       AND (l.classid::int8 << 32) | l.objid::int8 = $1";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    Running,
    Done,
    /// All steps up to the stage that was asked for are done, and others are left.
    Partial,
    Failed,
    Interrupted,
    /// Its process or its connection was gone before it could say how it ended.
    Lost,
    /// Taken back.
    Undone,
}

/// Where a step of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Planned,
    Started,
    Done,
    Failed,
    Interrupted,
    /// It was started outside a transaction, and nobody saw how it ended.
    Lost,
    /// It was done, and taken back.
    Undone,
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Partial => "partial",
            RunState::Failed => "failed",
            RunState::Interrupted => "interrupted",
            RunState::Lost => "lost",
            RunState::Undone => "undone",
        }
    }
}

impl StepState {
    pub fn name(self) -> &'static str {
        match self {
            StepState::Planned => "planned",
            StepState::Started => "started",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Interrupted => "interrupted",
            StepState::Lost => "lost",
            StepState::Undone => "undone",
        }
    }

    /// The states that a step can come to be in this one from.
    fn before(self) -> &'static [StepState] {
        match self {
            // A run that goes on begins again what did not come to its end.
            StepState::Planned => &[StepState::Failed, StepState::Interrupted, StepState::Lost, StepState::Undone],
            // A step whose lock was not to be had is tried again.
            StepState::Started => &[StepState::Planned, StepState::Started],
            StepState::Done => &[StepState::Started],
            StepState::Failed | StepState::Interrupted => &[StepState::Planned, StepState::Started],
            StepState::Lost => &[StepState::Started],
            // A step that left something behind can be taken back whatever came of it.
            StepState::Undone => &[
                StepState::Planned,
                StepState::Started,
                StepState::Done,
                StepState::Failed,
                StepState::Interrupted,
                StepState::Lost,
            ],
        }
    }
}

/// A run as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: i64,
    pub plan_id: String,
    pub plan_name: String,
    pub tool: String,
    pub through: Stage,
    pub started_at: String,
    pub finished_at: Option<String>,
    pub status: RunState,
    pub applied_by: String,
    pub pid: i32,
    pub error: Option<String>,
    pub steps: Vec<RunStep>,
}

/// A step of a run as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    pub id: u32,
    pub stage: Stage,
    pub summary: String,
    pub sql: String,
    pub status: StepState,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub duration_ms: Option<i64>,
    pub error: Option<String>,
}

impl Run {
    /// Steps that are done.
    pub fn done(&self) -> Vec<u32> {
        self.steps.iter().filter(|it| it.status == StepState::Done).map(|it| it.id).collect()
    }

    /// Whether it stopped before its end, so that it can go on.
    pub fn can_go_on(&self, holder: Option<i32>) -> bool {
        match self.state(holder) {
            RunState::Partial | RunState::Failed | RunState::Interrupted | RunState::Lost => true,
            RunState::Running | RunState::Done | RunState::Undone => false,
        }
    }

    /// The state in truth: a run that nobody is running any more was lost. `holder` is the process that holds the
    /// lock of all applies.
    pub fn state(&self, holder: Option<i32>) -> RunState {
        match self.status {
            RunState::Running if holder != Some(self.pid) => RunState::Lost,
            state => state,
        }
    }
}

/// Takes up a new run with all its steps; gives its id.
pub fn begin(plan: &PlanFile, through: Stage) -> String {
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|it| {
            let (stage, summary, sql) = (it.stage.name(), Literal(&it.summary), Literal(&it.sql));
            format!("({}, '{stage}', {summary}, {sql})", it.id)
        })
        .collect();
    let run = format!(
        "INSERT INTO tenantry.run (plan_id, plan_name, tool, through, status, plan) \
         VALUES ({}, {}, {}, '{}', '{}', {}) RETURNING id",
        Literal(&plan.id),
        Literal(&plan.name),
        Literal(env!("CARGO_PKG_VERSION")),
        through.name(),
        RunState::Running.name(),
        Literal(&plan.to_toml())
    );
    if steps.is_empty() {
        return run;
    }
    format!(
        "WITH run AS ({run}), steps AS (INSERT INTO tenantry.step (run_id, step_id, stage, summary, sql, status) \
         SELECT run.id, it.id, it.stage, it.summary, it.sql, '{}' \
         FROM run, (VALUES {}) AS it (id, stage, summary, sql)) SELECT id FROM run",
        StepState::Planned.name(),
        steps.join(", ")
    )
}

/// A step moves to another state, from one that it can come from; from any other it stays where it is.
pub fn step(run: i64, step: u32, state: StepState, error: Option<&str>) -> String {
    let times = match state {
        StepState::Planned => "started_at = NULL, finished_at = NULL",
        StepState::Started => "started_at = clock_timestamp(), finished_at = NULL",
        StepState::Done | StepState::Failed | StepState::Interrupted | StepState::Lost | StepState::Undone => {
            "finished_at = clock_timestamp(), \
             duration_ms = (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint"
        }
    };
    let before: Vec<String> = state.before().iter().map(|it| format!("'{}'", it.name())).collect();
    format!(
        "UPDATE tenantry.step SET status = '{}', {times}, error = {} \
         WHERE run_id = {run} AND step_id = {step} AND status IN ({})",
        state.name(),
        error.map_or("NULL".to_owned(), |error| Literal(error).to_string()),
        before.join(", ")
    )
}

/// The plan of a run (`$1`), and the fingerprint of the state in which it stopped; either may be null.
pub const PLAN: &str = "SELECT plan, fingerprint FROM tenantry.run WHERE id = $1";

/// A run that stopped goes on. What did not come to its end is planned again.
pub fn reopen(run: i64, through: Stage) -> String {
    let planned: Vec<String> = StepState::Planned.before().iter().map(|it| format!("'{}'", it.name())).collect();
    let stopped = [RunState::Partial, RunState::Failed, RunState::Interrupted, RunState::Lost, RunState::Done];
    let stopped: Vec<String> = stopped.iter().map(|it| format!("'{}'", it.name())).collect();
    format!(
        "UPDATE tenantry.step SET status = '{}', started_at = NULL, finished_at = NULL, error = NULL \
         WHERE run_id = {run} AND status IN ({}); \
         UPDATE tenantry.run SET status = '{}', through = '{}', finished_at = NULL, error = NULL, \
         fingerprint = NULL, pid = pg_backend_pid() WHERE id = {run} AND status IN ({})",
        StepState::Planned.name(),
        planned.join(", "),
        RunState::Running.name(),
        through.name(),
        stopped.join(", ")
    )
}

/// The state in which a run stopped: what goes on or back from there looks whether it still is.
pub fn left_at(run: i64, fingerprint: &str) -> String {
    format!("UPDATE tenantry.run SET fingerprint = {} WHERE id = {run}", Literal(fingerprint))
}

/// Forgets how far a step in parts had come.
pub fn forget(run: i64, step: u32) -> String {
    format!("DELETE FROM tenantry.backfill WHERE run_id = {run} AND step_id = {step}")
}

/// A run comes to its end. One that has ended stays as it is.
pub fn end(run: i64, state: RunState, error: Option<&str>) -> String {
    format!(
        "UPDATE tenantry.run SET status = '{}', finished_at = clock_timestamp(), error = {} \
         WHERE id = {run} AND status = '{}'",
        state.name(),
        error.map_or("NULL".to_owned(), |error| Literal(error).to_string()),
        RunState::Running.name()
    )
}

/// How far a step in parts has come in one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub round: i32,
    /// Nothing, before the first part.
    pub cursor: Option<Cursor>,
    /// The round is through with the relation.
    pub finished: bool,
    /// Rows that were changed, in all rounds.
    pub rows: i64,
}

impl Position {
    pub const START: Position = Position { round: 1, cursor: None, finished: false, rows: 0 };
}

/// Writes a position down; in the transaction that changes the rows, so that both are there or neither.
pub fn position(run: i64, step: u32, relation: &str, at: &Position) -> String {
    let cursor = at.cursor.as_ref().map(|it| serde_json::to_string(it).expect("a cursor has a JSON form"));
    format!(
        "INSERT INTO tenantry.backfill (run_id, step_id, relation, round, position, finished, rows) \
         VALUES ({run}, {step}, {}, {}, {}, {}, {}) ON CONFLICT (run_id, step_id, relation) DO UPDATE SET \
         round = excluded.round, position = excluded.position, finished = excluded.finished, rows = excluded.rows, \
         written_at = clock_timestamp()",
        Literal(relation),
        at.round,
        cursor.map_or("NULL".to_owned(), |it| Literal(&it).to_string()),
        at.finished,
        at.rows
    )
}

/// The positions of a step (`$1`: the run, `$2`: the step): relation, round, cursor, finished, rows.
pub const POSITIONS: &str = "SELECT relation, round, position, finished, rows FROM tenantry.backfill \
     WHERE run_id = $1 AND step_id = $2";

/// No relation has this name: it stands for an undo whose statements commit one by one.
const UNDO: &str = "";

/// Writes down how many statements of a step's undo are done, where it has begun.
pub fn undone(run: i64, step: u32, statements: usize) -> String {
    let done = i32::try_from(statements).unwrap_or(i32::MAX);
    position(run, step, UNDO, &Position { round: done, ..Position::START })
}

/// The steps of a run (`$1`) that are taken back in part, each with the number of statements that are done.
pub const UNDONE: &str = "SELECT step_id, round FROM tenantry.backfill WHERE run_id = $1 AND relation = ''";

/// Marks what earlier processes left open. Only for who holds the lock of all applies: nobody runs anything then.
pub fn lose() -> String {
    format!(
        "UPDATE tenantry.step SET status = '{lost}' WHERE status = '{started}'; \
         UPDATE tenantry.run SET status = '{lost}' WHERE status = '{running}'",
        lost = RunState::Lost.name(),
        started = StepState::Started.name(),
        running = RunState::Running.name()
    )
}

/// Runs with their steps, newest first, as one JSON value a row; of one plan (`$1`), or of all where that is null.
pub const RUNS: &str = r#"
    SELECT pg_catalog.jsonb_build_object(
               'id', r.id, 'plan_id', r.plan_id, 'plan_name', r.plan_name, 'tool', r.tool, 'through', r.through,
               'started_at', to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'finished_at', to_char(r.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'status', r.status, 'applied_by', r.applied_by, 'pid', r.pid, 'error', r.error,
               'steps', coalesce((
                   SELECT jsonb_agg(jsonb_build_object(
                              'id', s.step_id, 'stage', s.stage, 'summary', s.summary, 'sql', s.sql,
                              'status', s.status,
                              'started_at', to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                              'finished_at', to_char(s.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                              'duration_ms', s.duration_ms, 'error', s.error) ORDER BY s.step_id)
                     FROM tenantry.step s WHERE s.run_id = r.id), '[]'))::text
      FROM tenantry.run r
     WHERE $1::text IS NULL OR r.plan_id = $1
     ORDER BY r.id DESC"#;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [StepState; 7] = [
        StepState::Undone,
        StepState::Planned,
        StepState::Started,
        StepState::Done,
        StepState::Failed,
        StepState::Interrupted,
        StepState::Lost,
    ];

    #[test]
    fn what_has_ended_stays_ended() {
        let again = [StepState::Planned, StepState::Undone];
        for ended in [StepState::Done, StepState::Failed, StepState::Interrupted, StepState::Lost] {
            let leads_on = |it: &&StepState| it.before().contains(&ended) && !again.contains(it);
            assert_eq!(ALL.iter().find(leads_on), None, "{ended:?} is an end");
        }
        // What is done is begun again only after it was taken back.
        assert!(!StepState::Planned.before().contains(&StepState::Done));
        assert!(end(1, RunState::Done, None).ends_with("AND status = 'running'"));
    }

    #[test]
    fn only_what_was_started_is_done_or_lost() {
        assert_eq!(StepState::Done.before(), [StepState::Started]);
        assert_eq!(StepState::Lost.before(), [StepState::Started]);
    }

    #[test]
    fn a_step_is_taken_back_once_whatever_came_of_it() {
        let kept = ALL.iter().filter(|it| !StepState::Undone.before().contains(it));
        assert_eq!(kept.collect::<Vec<_>>(), [&StepState::Undone]);
    }

    #[test]
    fn states_are_stored_by_the_names_that_are_read() {
        for state in ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for state in [
            RunState::Running,
            RunState::Done,
            RunState::Partial,
            RunState::Failed,
            RunState::Interrupted,
            RunState::Lost,
            RunState::Undone,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    #[test]
    fn messages_are_literals() {
        let sql = step(1, 2, StepState::Failed, Some("relation \"a'b\\\" is no more"));
        assert!(sql.contains(r#"error = E'relation "a''b\\" is no more'"#), "{sql}");
    }

    #[test]
    fn a_run_without_its_process_was_lost() {
        let mut run = Run {
            id: 1,
            plan_id: String::new(),
            plan_name: String::new(),
            tool: String::new(),
            through: Stage::Contract,
            started_at: String::new(),
            finished_at: None,
            status: RunState::Running,
            applied_by: String::new(),
            pid: 7,
            error: None,
            steps: vec![],
        };
        assert_eq!(run.state(Some(7)), RunState::Running);
        assert_eq!(run.state(Some(8)), RunState::Lost);
        assert_eq!(run.state(None), RunState::Lost);
        run.status = RunState::Done;
        assert_eq!(run.state(None), RunState::Done);
    }
}
