//! What the commands that change a live database share: the database that is named, the question before the first step,
//! what is shown while steps run, and how an interrupt ends them.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{oneshot, watch};

use super::{Context, err, failure, interrupted};
use crate::amount::thousands;
use crate::apply::{ApplyError, Event, Progress};
use crate::connect::Target;
use crate::diagnostic::visible::one_line;
use crate::diagnostic::{Exit, File, Report};
use crate::pipeline::{self, Failure, Live, Request};
use crate::plan::Stage;
use crate::plan::file::FileStep;
use crate::render;
use crate::render::review::seconds;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Through {
    Expand,
    Backfill,
    Validate,
    Contract,
}

impl From<Through> for Stage {
    fn from(through: Through) -> Self {
        match through {
            Through::Expand => Stage::Expand,
            Through::Backfill => Stage::Backfill,
            Through::Validate => Stage::Validate,
            Through::Contract => Stage::Contract,
        }
    }
}

/// The database that somebody named. A file that stands for one is no place to apply to.
pub(super) fn target(context: &Context) -> Result<Target, Failure> {
    context.target()?.ok_or_else(|| {
        let report = Report::error("apply::no_database", "no database is named to apply the plan to");
        failure(Exit::Usage, report.help("name it: --database URL, DATABASE_URL, or PG* variables"))
    })
}

/// An error as its reader needs it: with its place in the statement, or with what differs beyond what a plan shows.
pub(super) async fn told(error: ApplyError, planned: &str, target: &Target, context: &Context) -> Failure {
    if matches!(error, ApplyError::Drift { .. } | ApplyError::Elsewhere)
        && let Some(difference) = difference(target, context).await
    {
        let beyond = render::beyond(&difference, planned);
        let (what, shown) = match beyond.len() {
            0 => ("", &difference),
            all if all == difference.len() => ("", &difference),
            _ => ("beyond the plan, ", &beyond),
        };
        context.tell(&format!("{what}from the live database to the declared schema:\n\n{shown}"));
    }
    let mut told = Failure::from_error(&error);
    told.exit = error.exit();
    if let (ApplyError::Step { id, sql, at: Some(at), .. }, [report]) = (&error, told.reports.as_mut_slice()) {
        let word = sql.get(*at..).unwrap_or_default();
        let length = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len()).max(1);
        let file = File::new(format!("step {id}"), sql.as_str());
        *report = report.clone().at(&file, *at..*at + length, "here");
    }
    told
}

/// How the live database differs from the declaration, where there is one at hand.
async fn difference(target: &Target, context: &Context) -> Option<String> {
    pipeline::read_declaration(&context.config, 18).ok()?;
    let request = Request {
        live: Live::Database(target.clone()),
        shadow: context.shadow().ok()?,
        config: context.config.clone(),
        name: String::new(),
        accept: vec![],
        renames: false,
        split: false,
    };
    let both = pipeline::both_sides(&request).await.ok()?;
    Some(render::schema_difference(&both.current, &both.desired)).filter(|it| !it.is_empty())
}

/// Waits for the end of what runs. The first interrupt lets it end well; the second does not wait for that.
pub(super) async fn attended<T>(
    progress: &Shown,
    stop: &watch::Sender<bool>,
    running: impl Future<Output = Result<T, ApplyError>>,
) -> Result<Result<T, ApplyError>, Failure> {
    tokio::pin!(running);
    let result = tokio::select! {
        result = &mut running => result,
        () = interrupted() => {
            progress.say("stopping: the step that runs is cancelled and rolled back");
            stop.send_replace(true);
            tokio::select! {
                result = &mut running => result,
                () = interrupted() => {
                    let report = Report::error("apply::interrupted", "interrupted twice, and left as it was")
                        .help("the server rolls back what was open; `tenantry status` says what was done");
                    return Err(failure(Exit::Stopped, report));
                }
            }
        }
    };
    progress.bar.finish_and_clear();
    Ok(result)
}

/// Asks on the terminal. The thread that reads is left behind when nobody waits for it any more.
pub(super) async fn confirmed(question: &str) -> bool {
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let (answer, answered) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let _ = answer.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    answered.await.unwrap_or(false)
}

/// "120,000 of about 1,000,000 rows, 45,210 a second, 20 s left".
fn rows(at: &Progress) -> String {
    let mut line = format!("{} of about {} rows", thousands(at.rows), thousands(at.of.max(at.rows)));
    let _ = write!(line, ", {} a second", thousands(at.rate as u64));
    if let Some(left) = at.left {
        let left = left.as_secs_f64();
        let _ = write!(line, ", {} left", seconds([left, left]));
    }
    line
}

/// How often a line tells how far a step in parts is.
const LINES: Duration = Duration::from_secs(5);

/// Shows how far it is: a bar on a terminal, lines elsewhere.
pub(super) struct Shown {
    bar: ProgressBar,
    lines: bool,
    /// The number of the last step, of which a line speaks.
    last: u32,
}

impl Shown {
    /// For these steps, which may be the rest of a plan.
    pub(super) fn new<'a>(steps: impl IntoIterator<Item = &'a FileStep>, context: &Context) -> Self {
        let numbers: Vec<u32> = steps.into_iter().map(|it| it.id).collect();
        let terminal = std::io::stderr().is_terminal();
        let quiet = context.common.quiet;
        let bar = ProgressBar::with_draw_target(
            Some(numbers.len() as u64),
            if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if terminal && !quiet {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Shown { bar, lines: !terminal && !quiet, last: numbers.into_iter().max().unwrap_or(0) }
    }

    pub(super) fn say(&self, text: &str) {
        let text = one_line(text);
        if self.lines {
            err(&text);
        } else {
            self.bar.println(text.as_ref());
        }
    }

    /// `told`: when a line last told how far a step in parts is.
    pub(super) fn show(&self, event: &Event<'_>, told: &mut Option<Instant>) {
        match event {
            Event::Begins(step) => {
                let line = format!(
                    "step {} of {}, {}: {}",
                    step.id,
                    self.last,
                    step.stage.name(),
                    one_line(&step.summary)
                );
                if self.lines {
                    err(&line);
                }
                self.bar.set_message(line);
            }
            Event::Done(step, took) => {
                self.bar.inc(1);
                if took.as_secs() >= 1 {
                    self.say(&format!("step {} took {:.1} s", step.id, took.as_secs_f64()));
                }
            }
            Event::Waits { step, why, holders, pause } => {
                let seconds = pause.as_secs_f64();
                self.say(&format!("step {}: {why}; rolled back, tried again in {seconds} s", step.id));
                holders.iter().for_each(|it| self.say(&format!("  {it}")));
            }
            Event::Rows(step, at) => {
                let line = format!("step {}: {}", step.id, rows(at));
                self.bar.set_message(line.clone());
                if self.lines && told.is_none_or(|told| told.elapsed() >= LINES) {
                    *told = Some(Instant::now());
                    err(&line);
                }
            }
            Event::Says(text) => self.say(text),
        }
    }
}
