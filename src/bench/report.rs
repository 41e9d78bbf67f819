//! What was measured, for people and for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What was measured of all queries.
#[derive(Debug, Clone)]
pub struct Measured {
    pub server: String,
    pub connections: usize,
    pub seconds: f64,
    /// How many tenants took part, and how many of them were chosen because they have the most rows.
    pub tenants: usize,
    pub largest: usize,
    pub figures: Vec<Figures>,
}

/// What was measured of one query.
#[derive(Debug, Clone)]
pub struct Figures {
    pub name: String,
    pub place: String,
    pub budget_ms: u32,
    /// As how many tenants it ran.
    pub tenants: usize,
    /// Milliseconds of each run, ascending.
    pub ms: Vec<f64>,
    /// What the server refused, and how often.
    pub errors: BTreeMap<String, usize>,
    pub left_out: Option<LeftOut>,
}

/// Why a query was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// It writes, and nobody asked for that.
    Writes,
    Because(String),
}

impl From<String> for LeftOut {
    fn from(why: String) -> Self {
        LeftOut::Because(why)
    }
}

impl LeftOut {
    fn why(&self) -> &str {
        match self {
            LeftOut::Writes => "it writes; --writes runs it and rolls back",
            LeftOut::Because(why) => why,
        }
    }
}

impl Figures {
    /// The time that this share of runs did not exceed.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (self.ms.len() as f64 * share).ceil() as usize;
        self.ms.get(rank.max(1) - 1).copied()
    }

    /// Whether it ran, always, and 99 of 100 runs were within the budget.
    pub fn is_within(&self) -> bool {
        self.errors.is_empty() && self.quantile(0.99).is_some_and(|it| it <= f64::from(self.budget_ms))
    }

    /// What is wrong, in a word or a sentence.
    fn verdict(&self) -> String {
        if let Some(why) = &self.left_out {
            return format!("not run: {}", why.why());
        }
        let failed: usize = self.errors.values().sum();
        match self.errors.keys().next() {
            Some(error) => format!("failed {failed} times: {error}"),
            None if self.is_within() => "within".into(),
            None if self.ms.is_empty() => "not run".into(),
            None => "MISSED".into(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let ms = |share| self.quantile(share).map_or("-".into(), |it| format!("{it:.1}"));
        let runs = self.ms.len().to_string();
        [runs, ms(0.5), ms(0.99), ms(1.0), self.budget_ms.to_string(), self.verdict()]
    }
}

const HEADS: [&str; 7] = ["query", "runs", "p50 ms", "p99 ms", "max ms", "budget", ""];

impl Measured {
    /// Queries that missed their budget, failed, or could not be run, but not those that were left out by choice.
    pub fn missed(&self) -> impl Iterator<Item = &Figures> {
        self.figures.iter().filter(|it| !it.is_within() && it.left_out != Some(LeftOut::Writes))
    }

    /// In one line: on what, by whom.
    pub fn summary(&self) -> String {
        let tenants = match (self.tenants, self.largest) {
            (0, _) => "no tenants".to_owned(),
            (all, 0) => format!("{all} tenants"),
            (all, largest) => format!("{all} tenants, the {largest} with the most rows among them"),
        };
        format!(
            "PostgreSQL {}, {} connections at once, {:.0} s, as {tenants}",
            self.server, self.connections, self.seconds
        )
    }

    pub fn text(&self) -> String {
        let rows: Vec<(&str, [String; 6])> = self.figures.iter().map(|it| (it.name.as_str(), it.cells())).collect();
        let widest = rows.iter().map(|(name, _)| name.chars().count()).chain([HEADS[0].len()]).max().unwrap_or(0);
        let mut text = String::new();
        let heads = HEADS.map(str::to_owned);
        let head: [String; 6] = std::array::from_fn(|at| heads[at + 1].clone());
        for (name, cells) in std::iter::once((HEADS[0], head)).chain(rows) {
            let pad = " ".repeat(widest - name.chars().count());
            let [runs, p50, p99, max, budget, verdict] = cells;
            let line = format!("{name}{pad} {runs:>6} {p50:>7} {p99:>7} {max:>7} {budget:>6}  {verdict}");
            text += line.trim_end();
            text.push('\n');
        }
        text + &format!("\n{}\n", self.summary())
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n| query | runs | p50 ms | p99 ms | max ms | budget | |\n", self.summary());
        text += "|---|---:|---:|---:|---:|---:|---|\n";
        for figures in &self.figures {
            let name = figures.name.replace('|', "\\|");
            let cells = figures.cells().map(|it| it.replace('|', "\\|").replace('\n', " "));
            text += &format!("| {name} | {} |\n", cells.join(" | "));
        }
        text
    }

    pub fn json(&self) -> Value {
        let one = |it: &Figures| {
            json!({
                "name": it.name,
                "place": it.place,
                "budget_ms": it.budget_ms,
                "runs": it.ms.len(),
                "tenants": it.tenants,
                "p50_ms": it.quantile(0.5),
                "p99_ms": it.quantile(0.99),
                "max_ms": it.quantile(1.0),
                "within": it.is_within(),
                "errors": it.errors,
                "left_out": it.left_out.as_ref().map(LeftOut::why),
            })
        };
        json!({
            "server": self.server,
            "connections": self.connections,
            "seconds": self.seconds,
            "tenants": self.tenants,
            "largest": self.largest,
            "queries": self.figures.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ms: &[f64]) -> Figures {
        Figures {
            name: "a".into(),
            place: "q.toml:1".into(),
            budget_ms: 10,
            tenants: 1,
            ms: ms.to_vec(),
            errors: BTreeMap::new(),
            left_out: None,
        }
    }

    #[test]
    fn a_budget_is_missed_by_more_than_one_run_in_a_hundred() {
        let mut ms = vec![1.0; 99];
        ms.push(50.0);
        let one = figures(&ms);
        assert!(one.is_within());
        assert_eq!((one.quantile(0.5), one.quantile(0.99), one.quantile(1.0)), (Some(1.0), Some(1.0), Some(50.0)));
        assert!(!figures(&[1.0, 50.0]).is_within());
        assert!(!figures(&[]).is_within(), "what did not run was not within its budget");
        let failed = Figures { errors: [("no".to_owned(), 2)].into(), ..figures(&[1.0]) };
        assert_eq!((failed.is_within(), failed.verdict().as_str()), (false, "failed 2 times: no"));
    }
}
