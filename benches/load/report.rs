//! What was measured, as Markdown tables.

use std::fmt::Write;
use std::time::Duration;

use super::{Measured, Statement, Step, Waited};

/// Steps that took less than this, and held nobody up, are not worth a line.
const BRIEF: Duration = Duration::from_millis(100);
/// A statement that took longer was held up.
const PATIENCE: Duration = Duration::from_millis(250);

/// The statements of one part of the measurement.
struct Part<'a>(Vec<&'a Statement>);

impl Measured {
    /// The statements that failed.
    pub fn errors(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|it| it.error.is_some())
    }

    pub fn markdown(&self) -> String {
        let mut text = format!(
            "**{}** on PostgreSQL {}: {} messages, {} operations a second on {} connections; it took {:.1} s.\n\n",
            self.what,
            self.server,
            self.messages,
            self.rate,
            self.connections,
            (self.during[1] - self.during[0]).as_secs_f64()
        );
        if let Some(why) = &self.failed {
            let _ = writeln!(text, "It failed: {why}\n");
        }
        text += &self.rows_kept();
        text += &self.client();
        text += &self.waited_for();
        text += &self.lock_times();
        text += &self.step_times();
        text
    }

    /// The tables whose rows from before are not what they were.
    pub fn changed(&self) -> Vec<&str> {
        let [before, after] = &self.rows;
        before.iter().zip(after).filter(|(before, after)| before != after).map(|(it, _)| it.table).collect()
    }

    fn rows_kept(&self) -> String {
        let count: i64 = self.rows[0].iter().map(|it| it.rows).sum();
        match self.changed().as_slice() {
            [] => format!("All {count} rows from before are what they were, by checksum.\n\n"),
            tables => format!("Rows from before are not what they were: {}.\n\n", tables.join(", ")),
        }
    }

    /// Before, during and after. What ran while the change did, even in part, felt it.
    fn parts(&self) -> [Part<'_>; 3] {
        let [began, ended] = self.during;
        let of = |is: &dyn Fn(&Statement) -> bool| Part(self.statements.iter().filter(|it| is(it)).collect());
        [
            of(&|it| it.began + it.took < began),
            of(&|it| it.began + it.took >= began && it.began <= ended),
            of(&|it| it.began > ended),
        ]
    }

    fn client(&self) -> String {
        let mut text =
            String::from("| the client's statements | before | during | after |\n| --- | ---: | ---: | ---: |\n");
        let parts = self.parts();
        let mut row = |name: &str, value: &dyn Fn(&Part<'_>) -> String| {
            let values: Vec<String> = parts.iter().map(value).collect();
            let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
        };
        row("number", &|it| it.0.len().to_string());
        row("failed", &|it| it.0.iter().filter(|it| it.error.is_some()).count().to_string());
        row("p50, ms", &|it| it.percentile(0.50));
        row("p99, ms", &|it| it.percentile(0.99));
        row("longest wait, ms", &|it| it.percentile(1.0));
        row("of operation", &|it| it.slowest());
        row("waits above 250 ms", &|it| it.0.iter().filter(|it| it.took > PATIENCE).count().to_string());
        text.push('\n');
        if let Some(first) = self.errors().next() {
            let why = first.error.as_deref().unwrap_or_default();
            let _ = writeln!(text, "The first that failed, in operation {}: {why}\n", first.operation);
        }
        text
    }

    fn waited_for(&self) -> String {
        if self.waits.is_empty() {
            return String::new();
        }
        let long = Waited::LONG.as_millis();
        let mut text = format!(
            "| what statements above {long} ms waited for | statements | longest, ms |\n| --- | ---: | ---: |\n"
        );
        for it in &self.waits {
            let _ = writeln!(text, "| {} | {} | {} |", it.what, it.statements, it.longest.as_millis());
        }
        text.push('\n');
        text
    }

    fn lock_times(&self) -> String {
        let mut text = String::from(
            "| lock on a table in use | | in all, s | longest, ms | on |\n| --- | --- | ---: | ---: | --- |\n",
        );
        for it in self.locks.iter().rev() {
            let how = if it.granted { "held" } else { "waited for" };
            let _ = writeln!(
                text,
                "| {} | {how} | {:.2} | {} | {} |",
                it.mode.name(),
                it.total.as_secs_f64(),
                it.longest.as_millis(),
                it.table
            );
        }
        text.push('\n');
        text
    }

    fn step_times(&self) -> String {
        let mut text = String::from(
            "| step | took, s | estimated, s | longest wait meanwhile, ms |\n| --- | ---: | ---: | ---: |\n",
        );
        let mut brief = 0;
        for step in &self.steps {
            let wait = self.wait_during(step);
            if step.took < BRIEF && wait < PATIENCE {
                brief += 1;
                continue;
            }
            let estimate = step.estimate.map_or("–".to_owned(), |[from, to]| format!("{from:.1} to {to:.1}"));
            let _ = writeln!(
                text,
                "| {}. {} | {:.2} | {estimate} | {} |",
                step.id,
                step.summary.replace('|', "\\|"),
                step.took.as_secs_f64(),
                wait.as_millis()
            );
        }
        if brief > 0 {
            let _ = writeln!(text, "| {brief} others, each below 0.1 | | | |");
        }
        text
    }

    fn wait_during(&self, step: &Step) -> Duration {
        let end = step.began + step.took;
        let meanwhile = self.statements.iter().filter(|it| it.began <= end && it.began + it.took >= step.began);
        meanwhile.map(|it| it.took).max().unwrap_or_default()
    }
}

impl Part<'_> {
    /// The operation of the statement that took longest.
    fn slowest(&self) -> String {
        let slowest = self.0.iter().max_by_key(|it| it.took);
        slowest.map_or("–".to_owned(), |it| it.operation.to_string())
    }

    /// Milliseconds that this share of the statements did not exceed.
    fn percentile(&self, share: f64) -> String {
        let mut took: Vec<Duration> = self.0.iter().map(|it| it.took).collect();
        took.sort_unstable();
        let at = (took.len() as f64 * share).ceil() as usize;
        match took.get(at.saturating_sub(1)) {
            Some(took) => format!("{:.1}", took.as_secs_f64() * 1000.0),
            None => "–".to_owned(),
        }
    }
}
