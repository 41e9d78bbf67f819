//! Runs the statements that must stay fast on a filled database, as several tenants at once, and measures. Nothing
//! that they write stays. What the figures look like is `report`'s.
#![expect(clippy::disallowed_methods, reason = "an edge: it reads the clock and works on several connections")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use thiserror::Error;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::connect::{ConnectError, Session, Target};
use crate::introspect::server_message;
use crate::name::Name;
use crate::queries::Query;
use crate::queries::budget::{ActsFor, Budget};
use crate::tenancy::{Tenancy, of_statement};

mod report;
mod tenants;
mod values;

pub use report::{Figures, LeftOut, Measured};
pub use tenants::Tenants;
use values::{Source, Text};

/// How long a statement may take before it counts as failed.
const PATIENCE: &str = "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";

/// How to measure.
#[derive(Debug, Clone)]
pub struct Settings {
    pub connections: usize,
    pub until: Until,
    /// How many tenants take part, at most.
    pub tenants: usize,
    /// The role of queries that name none.
    pub role: Option<Name>,
    /// Whether statements that write run, too. What they wrote is rolled back.
    pub writes: bool,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    Seconds(f64),
    /// So many runs of each query on each connection.
    Runs(usize),
}

/// Why nothing was measured.
#[derive(Debug, Error, Diagnostic)]
pub enum BenchError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Connect(#[from] ConnectError),
    #[error("the session failed: {}", server_message(.0))]
    #[diagnostic(code(bench::session))]
    Session(#[from] tokio_postgres::Error),
    #[error("row security does not hold for {0}, so that no query would run as a tenant")]
    #[diagnostic(code(bench::role), help("name the application's role: `role` of the query, or `--role NAME`"))]
    Unbound(String),
    #[error("{0} is a tenancy of model `{1}`, whose tenants are no rows of one database")]
    #[diagnostic(code(bench::model), help("`tenantry bench` measures tenants that are told apart by rows"))]
    Model(String, &'static str),
    #[error("nothing says how a session becomes a tenant's: `current` is {0}")]
    #[diagnostic(
        code(bench::session_recipe),
        help("say it in tenantry.toml: `[tenancy] session = {{ setting = \"app.tenant\" }}`")
    )]
    NoRecipe(String),
    #[error("{0} has no row that this user sees: there is no tenant to act for")]
    #[diagnostic(code(bench::tenants), help("fill the database, or connect as a user who sees all tenants"))]
    NoTenants(String),
}

/// A query made ready: how a session runs it, and with which values.
struct Ready {
    query: Query,
    budget: Budget,
    types: Vec<Type>,
    role: Option<Name>,
    /// For each tenant that takes part, as an index into [`Tenants::list`], what makes values; one for nobody.
    sources: Vec<(Option<usize>, Source)>,
    left_out: Option<LeftOut>,
}

/// Runs all queries that have a budget.
///
/// Errors: what keeps everything from running. What keeps one query from it is in its figures.
pub async fn bench(
    target: &Target,
    queries: &[Query],
    tenancies: &[Tenancy],
    settings: &Settings,
) -> Result<Measured, BenchError> {
    let session = target.connect().await?;
    session.client.batch_execute(PATIENCE).await?;
    let for_tenants = |query: &Query| query.budget.as_ref().is_some_and(|it| it.tenant != ActsFor::Nobody);
    let mut tenants = Tenants::default();
    for tenancy in tenancies.iter().enumerate() {
        let is_about = |query: &&Query| of_statement(tenancies, &query.relations) == Some(tenancy.0);
        let queries: Vec<&Query> = queries.iter().filter(|it| for_tenants(it)).filter(is_about).collect();
        if !queries.is_empty() {
            tenants.choose(&session, tenancy, &queries, settings.tenants).await?;
        }
    }
    let mut ready = vec![];
    for query in queries {
        let Some(budget) = &query.budget else { continue };
        let tenancy = of_statement(tenancies, &query.relations);
        ready.push(prepared(&session, query, budget, (&tenants, tenancy), settings).await?);
    }
    let ready = Arc::new(ready);
    let tenants = Arc::new(tenants);
    let began = Instant::now();
    let mut workers = vec![];
    for number in 0..settings.connections {
        let session = target.connect().await?;
        session.client.batch_execute(PATIENCE).await?;
        let worker = Worker {
            session,
            number,
            writes: settings.writes,
            ready: Arc::clone(&ready),
            tenants: Arc::clone(&tenants),
        };
        workers.push(tokio::spawn(worker.work(settings.until)));
    }
    let mut runs: Vec<Runs> = ready.iter().map(|_| Runs::default()).collect();
    for worker in workers {
        let done = worker.await.expect("a worker does not panic")?;
        for (all, own) in runs.iter_mut().zip(done) {
            all.add(own);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let figures = ready.iter().zip(runs).map(|(ready, runs)| runs.figures(ready)).collect();
    Ok(Measured {
        server: session.version.to_string(),
        connections: settings.connections,
        seconds,
        tenants: tenants.list.len(),
        largest: tenants.largest,
        figures,
    })
}

/// Tries a query once, as the first tenant that has values for it, and finds the types of its parameters.
async fn prepared(
    session: &Session,
    query: &Query,
    budget: &Budget,
    (tenants, tenancy): (&Tenants, Option<usize>),
    settings: &Settings,
) -> Result<Ready, BenchError> {
    let role = query.role.clone().or_else(|| settings.role.clone());
    let mut ready = Ready {
        query: query.clone(),
        budget: budget.clone(),
        types: vec![],
        role,
        sources: vec![],
        left_out: None,
    };
    let acting: Vec<Option<usize>> = match &budget.tenant {
        ActsFor::Each => match tenancy.and_then(|it| tenants.everybody.get(&it)) {
            Some(everybody) => everybody.clone().map(Some).collect(),
            None => vec![None],
        },
        ActsFor::One(key) => {
            vec![tenants.list.iter().position(|it| Some(it.tenancy) == tenancy && it.key == *key)]
        }
        ActsFor::Nobody => vec![None],
    };
    if acting.iter().any(Option::is_some) {
        held_to_row_security(session, ready.role.as_ref()).await?;
    }
    ready.left_out = tried(session, &mut ready, &acting, tenants, settings.writes).await?.err();
    Ok(ready)
}

/// Errors: the role passes row security.
async fn held_to_row_security(session: &Session, role: Option<&Name>) -> Result<(), BenchError> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles
                WHERE rolname = coalesce($1, current_user) AND (rolsuper OR rolbypassrls)";
    match session.client.query_opt(sql, &[&role.map(Name::as_str)]).await? {
        Some(row) => Err(BenchError::Unbound(row.get(0))),
        None => Ok(()),
    }
}

/// Fills in types and values. The inner error says why the query can't be run.
async fn tried(
    session: &Session,
    ready: &mut Ready,
    acting: &[Option<usize>],
    tenants: &Tenants,
    writes: bool,
) -> Result<Result<(), LeftOut>, BenchError> {
    let client = &session.client;
    let mut first = true;
    for tenant in acting {
        if let Err(error) = client.batch_execute(&ready.entered(*tenant, tenants, writes)).await {
            client.batch_execute("ROLLBACK").await?;
            return refused(error).map(|it| it.map_err(LeftOut::from));
        }
        let source = match Source::of(client, &ready.budget.values, ready.query.parameters).await {
            Ok(source) => source,
            Err(error) => {
                client.batch_execute("ROLLBACK").await?;
                return refused(error).map(|it| it.map_err(|why| format!("its parameters: {why}").into()));
            }
        };
        let Some(source) = source else {
            client.batch_execute("ROLLBACK").await?;
            continue;
        };
        let Ok(source) = source else {
            client.batch_execute("ROLLBACK").await?;
            let wanted = ready.query.parameters;
            return Ok(Err(format!("its parameters: the query does not give {wanted} columns").into()));
        };
        if first {
            first = false;
            let tried = async {
                ready.types = client.prepare(&ready.query.sql).await?.params().to_vec();
                ready.run(client, &source.next(&mut Dice::new(0))).await
            };
            if let Err(error) = tried.await {
                client.batch_execute("ROLLBACK").await?;
                if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
                    return Ok(Err(LeftOut::Writes));
                }
                return refused(error).map(|it| it.map_err(LeftOut::from));
            }
        }
        client.batch_execute("ROLLBACK").await?;
        ready.sources.push((*tenant, source));
    }
    Ok(match ready.sources.is_empty() {
        true => Err("no tenant has rows that its parameters are picked from".to_owned().into()),
        false => Ok(()),
    })
}

/// What the server says against a statement; a broken connection is an error of another kind.
fn refused(error: tokio_postgres::Error) -> Result<Result<(), String>, BenchError> {
    match error.as_db_error() {
        Some(_) => Ok(Err(server_message(&error))),
        None => Err(error.into()),
    }
}

impl Ready {
    /// The statements that begin a transaction of a tenant's.
    fn entered(&self, tenant: Option<usize>, tenants: &Tenants, writes: bool) -> String {
        let mut sql = if writes { "BEGIN" } else { "BEGIN READ ONLY" }.to_owned();
        if let Some(tenant) = tenant {
            sql += &format!("; {}", tenants.list[tenant].enter);
        }
        if let Some(role) = &self.role {
            sql += &format!("; SET LOCAL ROLE {role}");
        }
        sql
    }

    async fn run(
        &self,
        client: &tokio_postgres::Client,
        values: &[Option<String>],
    ) -> Result<(), tokio_postgres::Error> {
        let texts: Vec<Text<'_>> = values.iter().map(|it| Text(it.as_deref())).collect();
        let typed: Vec<_> =
            texts.iter().zip(&self.types).map(|(text, data_type)| (text as _, data_type.clone())).collect();
        // Parsed and planned anew each time: drivers and poolers without prepared statements have it no better.
        client.query_typed(&self.query.sql, &typed).await.map(drop)
    }
}

/// What a connection saw of one query.
#[derive(Debug, Default)]
struct Runs {
    took: Vec<Duration>,
    errors: BTreeMap<String, usize>,
}

impl Runs {
    fn add(&mut self, other: Runs) {
        self.took.extend(other.took);
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    fn figures(self, ready: &Ready) -> Figures {
        let mut ms: Vec<f64> = self.took.iter().map(|it| it.as_secs_f64() * 1000.0).collect();
        ms.sort_by(f64::total_cmp);
        Figures {
            name: ready.budget.name.clone(),
            place: ready.query.place.clone(),
            budget_ms: ready.budget.ms,
            tenants: ready.sources.iter().filter(|(tenant, _)| tenant.is_some()).count(),
            ms,
            errors: self.errors,
            left_out: ready.left_out.clone(),
        }
    }
}

/// One connection. Each run is as another tenant.
struct Worker {
    session: Session,
    number: usize,
    writes: bool,
    ready: Arc<Vec<Ready>>,
    tenants: Arc<Tenants>,
}

impl Worker {
    async fn work(self, until: Until) -> Result<Vec<Runs>, BenchError> {
        let mut dice = Dice::new(self.number as u64 + 1);
        let none = || self.ready.iter().map(|_| Runs::default()).collect::<Vec<_>>();
        // A connection that is new reads catalogs first; those of a pool have done so.
        self.round(&mut dice, &mut none()).await?;
        let mut runs = none();
        let began = Instant::now();
        for turn in 0.. {
            let is_over = match until {
                Until::Seconds(seconds) => began.elapsed().as_secs_f64() >= seconds,
                Until::Runs(wanted) => turn >= wanted,
            };
            if is_over || self.ready.iter().all(|it| it.left_out.is_some()) {
                break;
            }
            self.round(&mut dice, &mut runs).await?;
        }
        Ok(runs)
    }

    /// Each query once.
    async fn round(&self, dice: &mut Dice, runs: &mut [Runs]) -> Result<(), BenchError> {
        let client = &self.session.client;
        for (at, ready) in self.ready.iter().enumerate().filter(|(_, it)| it.left_out.is_none()) {
            let (tenant, source) = &ready.sources[dice.below(ready.sources.len())];
            let values = source.next(dice);
            client.batch_execute(&ready.entered(*tenant, &self.tenants, self.writes)).await?;
            let began = Instant::now();
            let ran = ready.run(client, &values).await;
            let took = began.elapsed();
            client.batch_execute("ROLLBACK").await?;
            match ran {
                Ok(()) => runs[at].took.push(took),
                Err(error) if error.as_db_error().is_some() => {
                    *runs[at].errors.entry(server_message(&error)).or_default() += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Numbers that look like chance and are the same in every run (xorshift64*).
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let wide = u128::from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)) * bound as u128;
        (wide >> 64) as usize
    }
}
