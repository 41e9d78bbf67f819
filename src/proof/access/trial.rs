//! The statements that a role tries on one relation, and what is seen of each.

use tokio_postgres::SimpleQueryMessage;

use super::ANYBODY;
use crate::connect::Session;
use crate::kind::ObjectId;
use crate::name::{Literal, Name, QName, Role, list};
use crate::plan::access::{Command, Matrix, Reach};

/// Where a row stands: another place, once it was changed.
pub(super) const PLACE: &str = "r.tableoid::text || ' ' || r.ctid::text";

/// What a role was granted on a relation.
pub(super) struct Privileges {
    pub(super) selects_all: bool,
    pub(super) selects: bool,
    pub(super) insertable: Vec<Name>,
    pub(super) updatable: Vec<Name>,
    pub(super) readable: Vec<Name>,
    pub(super) deletes: bool,
    pub(super) truncates: bool,
    pub(super) refers: bool,
    pub(super) triggers: bool,
}

/// Who acts for a role: for all that can connect, one that has nothing of its own.
pub(super) fn acting(role: &Role) -> Role {
    if *role == Role::public() { Role(ANYBODY.into()) } else { role.clone() }
}

/// What is in a relation, as a superuser sees it.
pub(super) struct Known {
    pub(super) relation: QName,
    pub(super) is_table: bool,
    /// The column that says whose a row is, and the tenant that sessions act for.
    pub(super) key: Option<(Name, String)>,
    /// Where each row stands (for a view: what it says), and whether it is the tenant's.
    pub(super) rows: Vec<(String, Option<bool>)>,
    /// The values of each row, as literals.
    pub(super) values: Vec<Vec<(Name, String)>>,
}

/// How it is seen what a statement did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It gives the rows themselves.
    Rows,
    /// It gives their number.
    Count,
    /// Rows are no longer where they were.
    Moved,
    /// The server counts them.
    Counted,
    /// It inserts the row at this place once more.
    Row(usize),
}

/// One statement as one role.
pub(super) struct Cell {
    pub(super) key: (Role, ObjectId, Command),
    pub(super) enters: Vec<String>,
    pub(super) statement: String,
    pub(super) look: Look,
    /// What tells afterwards where rows are.
    pub(super) after: String,
    /// Whether an INSERT was stopped by no policy; nothing, where a policy failed.
    pub(super) went: std::cell::Cell<Option<bool>>,
}

impl Known {
    /// What is to be tried; what needs no trial goes straight into the matrix.
    pub(super) fn cells(
        &self,
        role: &Role,
        id: &ObjectId,
        may: &Privileges,
        enters: &[String],
        matrix: &mut Matrix,
    ) -> Vec<Cell> {
        let relation = &self.relation;
        let mut granted =
            |command: Command, reach: Reach| _ = matrix.insert((role.clone(), id.clone(), command), reach);
        let mut cells = vec![];
        let cell = |command: Command, statement: String, look: Look| Cell {
            key: (role.clone(), id.clone(), command),
            enters: enters.to_vec(),
            statement,
            look,
            after: match look {
                Look::Moved => format!("SELECT {PLACE} FROM {relation} AS r"),
                Look::Rows | Look::Count | Look::Counted | Look::Row(_) => "SELECT".into(),
            },
            went: std::cell::Cell::new(Some(false)),
        };
        if may.selects_all {
            let row = if self.is_table { PLACE } else { "r::text" };
            cells.push(cell(Command::Select, format!("SELECT {row} FROM {relation} AS r"), Look::Rows));
        } else if may.selects {
            cells.push(cell(Command::Select, format!("SELECT count(*) FROM {relation}"), Look::Count));
        }
        let touched = if self.is_table { Look::Moved } else { Look::Counted };
        let is_key = |it: &&Name| self.key.as_ref().is_some_and(|(key, _)| key == *it);
        let readable = may.updatable.iter().filter(|it| may.readable.contains(it));
        if let Some(column) = readable.clone().find(|it| !is_key(it)).or_else(|| readable.clone().next()) {
            let update = format!("UPDATE {relation} SET {column} = {column}");
            if let Some((key, tenant)) = self.key.as_ref().filter(|(key, _)| may.readable.contains(key)) {
                let own = format!("{update} WHERE {key}::text = {}", Literal(tenant));
                cells.push(cell(Command::Update, own, touched));
            }
            cells.push(cell(Command::Update, update, touched));
        } else if let Some(column) = may.updatable.first() {
            cells.push(cell(Command::Update, format!("UPDATE {relation} SET {column} = DEFAULT"), touched));
        }
        if may.deletes {
            cells.push(cell(Command::Delete, format!("DELETE FROM {relation}"), touched));
        }
        match (may.insertable.is_empty(), self.values.is_empty()) {
            (true, _) => {}
            (false, true) => granted(Command::Insert, Reach::Allowed),
            (false, false) => {
                for (at, values) in self.values.iter().enumerate() {
                    let values: Vec<_> = values.iter().filter(|it| may.insertable.contains(&it.0)).collect();
                    let (names, values) =
                        (list(values.iter().map(|it| &it.0)), list(values.iter().map(|it| &it.1)));
                    let insert =
                        format!("INSERT INTO {relation} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})");
                    cells.push(cell(Command::Insert, insert, Look::Row(at)));
                }
            }
        }
        for (command, is_granted, reach) in [
            (Command::Truncate, may.truncates && self.is_table, Reach::All),
            (Command::References, may.refers && self.is_table, Reach::Allowed),
            (Command::Trigger, may.triggers, Reach::Allowed),
        ] {
            if is_granted {
                granted(command, reach);
            }
        }
        cells
    }

    pub(super) fn reach(&self, cell: &Cell, answer: Answer) -> Reach {
        let owners: Vec<Option<bool>> = self.rows.iter().map(|it| it.1).collect();
        let by_number = |number: usize| match number {
            0 if owners.is_empty() => Reach::Allowed,
            0 => Reach::Nothing,
            some if some >= owners.len() => Reach::All,
            _ => Reach::Some,
        };
        match (answer, cell.look) {
            (Answer::Refused, _) => Reach::Refused,
            (Answer::Stopped | Answer::Ran { .. }, Look::Row(_)) => {
                cell.went.set(Some(true));
                Reach::Refused
            }
            (Answer::Unseen, Look::Row(_)) => {
                cell.went.set(None);
                Reach::Refused
            }
            // A constraint comes after all policies.
            (Answer::Stopped | Answer::Unseen, _) => Reach::Allowed,
            (Answer::Ran { rows, .. }, Look::Rows) if self.is_table => {
                let seen = self.rows.iter().filter(|it| rows.contains(&it.0)).map(|it| it.1);
                Reach::of(&seen.collect::<Vec<_>>(), &owners)
            }
            (Answer::Ran { rows, .. }, Look::Rows) => {
                let mut left = rows.clone();
                let mut seen = vec![];
                for (row, own) in &self.rows {
                    if let Some(at) = left.iter().position(|it| it == row) {
                        left.swap_remove(at);
                        seen.push(*own);
                    }
                }
                match (seen.len() == self.rows.len(), left.is_empty()) {
                    (_, true) => Reach::of(&seen, &owners),
                    // What a view computes, it computes from fewer rows.
                    _ => Reach::Some,
                }
            }
            (Answer::Ran { rows, .. }, Look::Count) => {
                by_number(rows.first().and_then(|it| it.parse().ok()).unwrap_or_default())
            }
            (Answer::Ran { count, .. }, Look::Counted) => by_number(usize::try_from(count).unwrap_or_default()),
            (Answer::Ran { after, .. }, Look::Moved) => {
                let moved = self.rows.iter().filter(|it| !after.contains(&it.0)).map(|it| it.1);
                Reach::of(&moved.collect::<Vec<_>>(), &owners)
            }
        }
    }
}

/// What the server made of a statement.
pub(super) enum Answer {
    Refused,
    /// A constraint stopped it, which no policy did.
    Stopped,
    /// What decides failed: a policy asks for a setting that the session has not, say.
    Unseen,
    Ran {
        rows: Vec<String>,
        count: u64,
        after: Vec<String>,
    },
}

impl Cell {
    pub(super) async fn run(&self, session: &Session) -> Result<Answer, tokio_postgres::Error> {
        let enters: String = self.enters.iter().map(|it| format!("{it}; ")).collect();
        let role = acting(&self.key.0);
        let sql = format!(
            "SAVEPOINT tried; {enters}SET LOCAL SESSION AUTHORIZATION {role}; {}; RESET SESSION AUTHORIZATION; {}",
            self.statement, self.after
        );
        // Both go to the server at once, and in this order.
        let back = session.client.batch_execute("ROLLBACK TO SAVEPOINT tried; RELEASE SAVEPOINT tried");
        let (answer, back) = tokio::join!(session.client.simple_query(&sql), back);
        let messages = match answer {
            Ok(messages) => messages,
            Err(error) => {
                let Some(db) = error.as_db_error() else { return Err(error) };
                back?;
                // Class 23: integrity. 22: data; P0: raised by PL/pgSQL; and a setting that nobody knows.
                return Ok(match db.code().code() {
                    code if code.starts_with("23") => Answer::Stopped,
                    code if code.starts_with("22") || code.starts_with("P0") || code == "42704" => Answer::Unseen,
                    _ => Answer::Refused,
                });
            }
        };
        back?;
        let own = 2 + self.enters.len();
        let (mut rows, mut count, mut after, mut place) = (vec![], 0, vec![], 0);
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) if !row.is_empty() => {
                    let text = row.get(0).unwrap_or_default().to_owned();
                    if place == own {
                        rows.push(text);
                    } else if place == own + 2 {
                        after.push(text);
                    }
                }
                SimpleQueryMessage::CommandComplete(number) => {
                    if place == own {
                        count = number;
                    }
                    place += 1;
                }
                _ => {}
            }
        }
        Ok(Answer::Ran { rows, count, after })
    }
}
