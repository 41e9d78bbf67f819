//! The command line: what is common to all commands. One command, one file below.
#![expect(
    clippy::disallowed_methods,
    reason = "the command line is where the environment and the terminal are met"
)]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::apply::Limits;
use crate::config::{self, Config};
use crate::connect::Target;
use crate::diagnostic::{self, Exit, Look, Report, secret};
use crate::files;
use crate::pipeline::{self, Failure, Live};
use crate::shadow::{self, ShadowSpec};
use crate::source::Declaration;
use crate::tenancy::{Model, template};

mod apply;
mod bench;
mod drift;
mod init;
mod lint;
mod pace;
mod plan;
mod progress;
mod prove;
mod queries;
mod resume;
mod rollback;
mod show;
mod status;
mod tenancy;

const AFTER: &str = "\
First steps:
  tenantry init --database postgresql://me@host/db   # tenantry.toml and schema/
  edit schema/, then
  tenantry plan --database postgresql://me@host/db   # plans/1-plan.toml, to read
  tenantry apply plans/1-plan.toml --database postgresql://me@host/db

Exit codes:
  0  done, or nothing to do
  1  failed
  2  usage
  3  changes are pending, or something was found
  4  a hazard was not accepted, or a question is open
  5  drift: the database is not what the plan starts from
  6  stopped part of the way: `resume` goes on, `rollback` takes it back";

/// Takes a PostgreSQL database to the schema that its repository declares, without stopping the people who use it.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, max_term_width = 100, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command understands.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Common {
    /// The live database: a URL or key=value string (else DATABASE_URL, tenantry.toml, or PG* variables)
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Files and directories of the declared schema (else [schema] paths in tenantry.toml)
    #[arg(long, global = true, value_name = "PATH", num_args = 1..)]
    schema: Vec<PathBuf>,
    /// The configuration (else tenantry.toml in this directory, where there is one)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where plans are proved: auto, or the URL of a server whose databases may be made and dropped
    #[arg(long, global = true, value_name = "auto|URL")]
    shadow: Option<String>,
    /// The tenant to plan for, where each has a namespace or a database of its own
    #[arg(long, global = true, value_name = "NAME")]
    tenant: Option<String>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto")]
    color: Color,
    /// Say less
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Take every question as answered with yes
    #[arg(short, long, global = true)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// For whom a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Plan(plan::Plan),
    Show(show::Show),
    Apply(apply::Apply),
    Resume(resume::Resume),
    Rollback(rollback::Rollback),
    Status(status::Status),
    Drift(drift::Drift),
    Lint(lint::Lint),
    Queries(queries::Queries),
    Bench(bench::Bench),
    Tenancy(tenancy::Tenancy),
}

/// What a command has at hand: the options, the configuration, and the ways to speak to people.
pub struct Context {
    pub common: Common,
    pub config: Config,
    pub env: BTreeMap<String, String>,
    /// Why a part of the output went nowhere.
    unwritten: RefCell<Option<String>>,
}

impl Context {
    /// How long the rows are asked, and how much disk a plan may take.
    fn limits(&self) -> Limits {
        let disk = Some(self.config.apply.disk_gb).filter(|it| *it > 0);
        Limits { disk: disk.map(|it| it.saturating_mul(1_000_000_000)), ..Limits::default() }
    }

    fn new(common: Common) -> Result<Self, Failure> {
        let path = common.config.clone().unwrap_or_else(|| PathBuf::from("tenantry.toml"));
        let mut config = if common.config.is_some() || path.exists() {
            let failed = |reports| Failure::new(Exit::Failed, reports);
            let read =
                files::other_files(std::slice::from_ref(&path), "name the configuration with `--config FILE`")
                    .map_err(failed)?;
            let mut config = match read.first() {
                Some(file) => config::parse(file).map_err(failed)?,
                None => Config::default(),
            };
            // Paths in the file are meant from where it stands.
            if let Some(base) = path.parent().filter(|base| !base.as_os_str().is_empty()) {
                config.schema.paths.iter_mut().for_each(|it| *it = base.join(&*it));
                let queries = &mut config.queries;
                queries.paths.iter_mut().chain(&mut queries.keep).for_each(|it| *it = base.join(&*it));
                config.schema.plans = base.join(&config.schema.plans);
                config.schema.legacy = config.schema.legacy.map(|it| base.join(it));
            }
            config
        } else {
            Config::default()
        };
        if !common.schema.is_empty() {
            config.schema.paths.clone_from(&common.schema);
        }
        if let Some(tenant) = &common.tenant {
            for_tenant(&mut config, tenant)?;
        }
        Ok(Context { common, config, env: std::env::vars().collect(), unwritten: RefCell::new(None) })
    }

    /// The live side, as the options and then the surroundings name it.
    pub fn live(&self) -> Result<Live, Failure> {
        match self.target()? {
            Some(target) => Ok(Live::Database(target)),
            None => match &self.config.schema.legacy {
                Some(path) => Ok(Live::Legacy(path.clone())),
                None => Ok(Live::Database(Target::resolve(None, &self.env)?)),
            },
        }
    }

    /// The database that somebody named: nobody may have.
    pub fn target(&self) -> Result<Option<Target>, Failure> {
        let named = self.common.database.as_ref().or(self.env.get("DATABASE_URL"));
        let text = named.or(self.config.database.url.as_ref());
        let tenancies = self.config.tenancy.iter().flat_map(|it| &it.tenancies);
        let each = tenancies.filter(|it| it.model == Model::Database).count() > 0;
        if each && self.config.tenant.is_none() && text.is_some_and(|it| template::name_for(it, "") != **it) {
            let report = Report::error("tenancy::tenant", "each tenant has a database of its own")
                .help("say whose it is to be: --tenant NAME");
            return Err(failure(Exit::Usage, report));
        }
        let libpq = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"].iter().any(|it| self.env.contains_key(*it));
        let target = match text {
            Some(text) => Some(Target::resolve(Some(text), &self.env)?),
            None if libpq => Some(Target::resolve(None, &self.env)?),
            None => None,
        };
        for warning in target.iter().flat_map(Target::warnings) {
            self.tell(&format!("warning: {warning}"));
        }
        Ok(target)
    }

    pub fn shadow(&self) -> Result<ShadowSpec, Failure> {
        match self.common.shadow.as_ref().or(self.config.database.shadow.as_ref()).map(String::as_str) {
            None | Some("auto") => Ok(ShadowSpec::Auto),
            Some(url) => Ok(ShadowSpec::Given(Target::resolve(Some(url), &self.env)?)),
        }
    }

    /// The declaration with what its tenancies ask for, where no server is asked: for the one in the configuration,
    /// or the newest.
    pub fn declaration(&self) -> Result<Declaration, Failure> {
        let declaration = pipeline::read_declaration(&self.config, 18)?;
        pipeline::expanded(declaration, &self.config, self.config.database.server.unwrap_or(18))
    }

    /// How to draw on standard output.
    pub fn look(&self) -> Look {
        look(self.common.color, std::io::stdout().is_terminal())
    }

    /// Writes what programs may read.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        // A reader that has gone away has seen enough.
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.unwritten.replace(Some(error.to_string()));
        }
    }

    /// Tells those who asked for more.
    pub fn detail(&self, text: &str) {
        if self.common.verbose > 0 {
            err(text);
        }
    }

    /// Tells people something beside the output.
    pub fn tell(&self, text: &str) {
        if !self.common.quiet {
            err(text);
        }
    }
}

fn look(color: Color, terminal: bool) -> Look {
    let colour = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
    };
    let width = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok()).unwrap_or(80);
    Look { colour, width }
}

/// Runs the program with the arguments of the process.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            usage(&error);
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let look = look(cli.common.color, std::io::stderr().is_terminal());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err(&format!("no runtime: {error}"));
            return Exit::Failed;
        }
    };
    // Between its steps, a database is in a state that only `apply` can leave well.
    let ends_itself = matches!(cli.command, Command::Apply(_) | Command::Resume(_) | Command::Rollback(_));
    let exit = runtime.block_on(async {
        tokio::select! {
            result = run(cli) => result.unwrap_or_else(|failure| {
                err(&diagnostic::render_all(&failure.reports, look));
                failure.exit
            }),
            () = interrupted(), if !ends_itself => {
                err("interrupted; nothing is left behind");
                Exit::Failed
            }
        }
    });
    // Destructors of what the commands held have run, but for those that the interrupt cut off.
    shadow::on_interrupt();
    exit
}

/// What is wrong with the arguments, or the help. The arguments are repeated, and may hold a password.
fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    match secret::masked(&text) {
        Cow::Borrowed(_) => _ = error.print(),
        Cow::Owned(masked) => err(masked.trim_end()),
    }
}

/// A line for people, who may have gone away: that is no reason to stop.
fn err(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let context = Context::new(cli.common)?;
    let exit = match cli.command {
        Command::Init(command) => command.run(&context).await,
        Command::Plan(command) => command.run(&context).await,
        Command::Show(command) => command.run(&context).await,
        Command::Apply(command) => command.run(&context).await,
        Command::Resume(command) => command.run(&context).await,
        Command::Rollback(command) => command.run(&context).await,
        Command::Status(command) => command.run(&context).await,
        Command::Drift(command) => command.run(&context).await,
        Command::Lint(command) => command.run(&context).await,
        Command::Queries(command) => command.run(&context).await,
        Command::Bench(command) => command.run(&context).await,
        Command::Tenancy(command) => command.run(&context).await,
    }?;
    match context.unwritten.take() {
        Some(why) => {
            let report = Report::error("cli::unwritten", format!("the output can't be written: {why}"));
            Err(failure(Exit::Failed, report))
        }
        None => Ok(exit),
    }
}

/// Ends when the process is asked to: Ctrl-C, or a terminating signal.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// The configuration for one tenant: its namespace alone is managed, or its database is the live side.
fn for_tenant(config: &mut Config, tenant: &str) -> Result<(), Failure> {
    let others = config.tenancy.iter().flat_map(|it| &it.tenancies).filter(|it| it.model != Model::Row);
    if others.count() == 0 {
        let report = Report::error("tenancy::tenant", "no tenancy has a namespace or a database for each tenant")
            .help("leave --tenant out: tenants are told apart by rows");
        return Err(failure(Exit::Usage, report));
    }
    if let Some((_, _, named)) = config.tenancy.as_ref().and_then(template::namespaced) {
        // Its name may hold what patterns are made of.
        config.manage.namespaces = vec![globset::escape(&template::name_for(named, tenant))];
    }
    if let Some(url) = &mut config.database.url {
        *url = template::name_for(url, tenant);
    }
    config.tenant = Some(tenant.to_owned());
    Ok(())
}

/// A failure with one report.
fn failure(exit: Exit, report: Report) -> Failure {
    Failure::new(exit, vec![report])
}
