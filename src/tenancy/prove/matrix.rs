//! What came of the attempts: who sees and changes what, and every leak with the statement that shows it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::routes::{Actor, Route};
use crate::kind::ObjectId;

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The server refused it.
    Refused,
    /// It ran, and reached nothing of another tenant's.
    Held,
    /// It reached what another tenant has.
    Leak,
}

/// One cell: a role, as an actor, by a route, at an object.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    pub role: String,
    pub actor: Actor,
    pub route: Route,
    pub object: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    pub outcome: Outcome,
    /// What the attempt gave: rows that were read or written, or the server's words.
    pub told: String,
}

/// A leak, with what shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Leak {
    /// As `[tenancy] allow` names it: `prove-select:public.orders`.
    pub code: String,
    pub role: String,
    pub actor: Actor,
    pub route: Route,
    pub object: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    pub what: String,
    /// A script that shows it, where rows are as the prover made them.
    pub script: String,
    /// Why it was accepted, by `[tenancy] allow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// The code of a leak by a route, at an object with its noun and what else is said of it.
pub fn code(route: Route, object: &ObjectId, detail: &str) -> String {
    let noun = format!("{} ", object.kind.noun());
    let object = object.to_string();
    let name = object.strip_prefix(&noun).unwrap_or(&object);
    let dot = if detail.is_empty() { "" } else { "." };
    format!("prove-{}:{name}{dot}{detail}", route.name())
}

/// Everything that was tried, in order.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Matrix {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenancy: Option<String>,
    pub tenants: Vec<String>,
    /// Rows of each table.
    pub filled: BTreeMap<String, usize>,
    /// Tables without rows, and why: nothing is proved of them.
    pub unfilled: BTreeMap<String, String>,
    pub notes: Vec<String>,
    pub cells: Vec<Cell>,
    pub leaks: Vec<Leak>,
}

impl Matrix {
    pub fn open(&self) -> impl Iterator<Item = &Leak> {
        self.leaks.iter().filter(|it| it.accepted.is_none())
    }

    /// For people. `all`: also each cell.
    pub fn text(&self, all: bool) -> String {
        let mut text = String::new();
        let rows: usize = self.filled.values().sum();
        let name = self.tenancy.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
        text += &format!(
            "Tenancy{name}: tenants {}; {rows} rows in {} tables\n",
            self.tenants.join(", "),
            self.filled.len()
        );
        for (table, why) in &self.unfilled {
            text += &format!("  not filled, and so not proved: {table}: {why}\n");
        }
        for note in &self.notes {
            text += &format!("  {note}\n");
        }
        text += "\n";
        text += &self.table();
        for leak in &self.leaks {
            let actor = actor(leak.actor);
            match &leak.accepted {
                Some(why) => {
                    text += &format!("\naccepted {}: {} as {actor}: {} ({why})\n", leak.code, leak.role, leak.what);
                }
                None => {
                    text += &format!("\nLEAK {}: {} as {actor}: {}\n", leak.code, leak.role, leak.what);
                    for line in leak.script.lines() {
                        text += &format!("    {line}\n");
                    }
                }
            }
        }
        if all {
            text += "\n";
            for cell in &self.cells {
                let detail = if cell.detail.is_empty() { String::new() } else { format!(" ({})", cell.detail) };
                text += &format!(
                    "{:?} {} as {} {} {}{detail}: {}\n",
                    cell.outcome,
                    cell.role,
                    actor(cell.actor),
                    cell.route.name(),
                    cell.object,
                    cell.told
                );
            }
        }
        text
    }

    /// A line a route, a column a role: how many were tried, refused, held, and got through.
    fn table(&self) -> String {
        let mut roles: Vec<&str> = vec![];
        for cell in &self.cells {
            if !roles.contains(&cell.role.as_str()) {
                roles.push(&cell.role);
            }
        }
        let mut lines = vec![vec!["route".to_owned()]];
        lines[0].extend(roles.iter().map(|it| (*it).to_owned()));
        for route in Route::ALL {
            let mut line = vec![route.name().to_owned()];
            for role in &roles {
                let of = |outcome: Outcome| {
                    let cells = self.cells.iter().filter(|it| it.route == route && it.role == *role);
                    cells.filter(|it| it.outcome == outcome).count()
                };
                let (refused, held, leaks) = (of(Outcome::Refused), of(Outcome::Held), of(Outcome::Leak));
                line.push(match (refused + held + leaks, leaks) {
                    (0, _) => "-".into(),
                    (_, 0) => format!("{held} held, {refused} refused"),
                    _ => format!("{leaks} LEAKS, {held} held, {refused} refused"),
                });
            }
            lines.push(line);
        }
        let widths: Vec<usize> = (0..=roles.len())
            .map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default())
            .collect();
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text += cells.join("  ").trim_end();
            text += "\n";
        }
        text
    }
}

fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Settled => "the first tenant",
        Actor::Newcomer => "a tenant without rows",
        Actor::Nobody => "nobody",
    }
}
