//! What the proof of a plan says of the rows that it made: which tables have some, and which could have none.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::collections::BTreeMap;
use std::fs;

use tenantry::config;
use tenantry::diagnostic::File;
use tenantry::introspect::introspect;
use tenantry::pipeline::{self, Live, Request};
use tenantry::plan::file::Proof;
use tenantry::plan::{self, Planned};
use tenantry::proof::access::Access;
use tenantry::proof::{self, Proved, Subject};
use tenantry::schema::{Facts, Schema, Size};
use tenantry::scope::Scope;
use tenantry::shadow::{Shadow, ShadowSpec};

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

const OLD: &str = "
    CREATE DOMAIN email AS text CHECK (VALUE LIKE '%_@_%');
    CREATE TABLE people (
        id integer PRIMARY KEY,
        mail email NOT NULL UNIQUE,
        slug varchar(20) NOT NULL CHECK (slug ~ '^[a-z0-9-]+$' AND length(slug) <= 20),
        phone text NOT NULL CONSTRAINT dialled CHECK (phone ~ '^[+][0-9]{7,15}$'),
        kind text NOT NULL CHECK (kind IN ('a', 'b')),
        currency char(3) CHECK (currency = upper(currency)),
        address text);
    -- One value that nobody can guess takes none of the others with it.
    CREATE TABLE letters (id integer PRIMARY KEY, code text CHECK (code ~ '^Q[0-9]{3}Z$'), address text DEFAULT NULL);
    CREATE TABLE odd (id integer PRIMARY KEY, code text NOT NULL CHECK (code ~ '^Q[0-9]{3}Z$'));
    CREATE TABLE files (id integer PRIMARY KEY, body oid NOT NULL);
    CREATE TABLE orders (id integer PRIMARY KEY, state text NOT NULL);
    CREATE TABLE accounts (id integer PRIMARY KEY, tenant integer, note text);
    CREATE TABLE invoices (id integer PRIMARY KEY, account integer NOT NULL, tenant integer NOT NULL);
    INSERT INTO accounts VALUES (1, 7, NULL), (2, NULL, 'x');
    INSERT INTO invoices VALUES (1, 1, 7), (2, 2, 7);
    INSERT INTO orders VALUES (1, 'paid');
    INSERT INTO files VALUES (1, lo_from_bytea(0, 'whole'));
    INSERT INTO people VALUES (1, 'a@b', 'x', '+4930123456', 'a', 'EUR', 'here');
    INSERT INTO letters VALUES (1, 'Q123Z', 'here');
    INSERT INTO odd VALUES (1, 'Q123Z');";

const NEW: &str = "
    CREATE DOMAIN email AS text CHECK (VALUE LIKE '%_@_%') CHECK (length(VALUE) < 200);
    CREATE TABLE people (
        id integer PRIMARY KEY,
        mail email NOT NULL UNIQUE,
        slug varchar(20) NOT NULL CHECK (slug ~ '^[a-z0-9-]+$' AND length(slug) <= 20),
        phone text NOT NULL CONSTRAINT dialled CHECK (phone ~ '^[+][0-9]{7,15}$'),
        kind text NOT NULL CHECK (kind IN ('a', 'b')),
        currency char(3) CHECK (currency = upper(currency)),
        address text NOT NULL);
    CREATE TABLE letters (id integer PRIMARY KEY, code text CHECK (code ~ '^Q[0-9]{3}Z$'), address text NOT NULL);
    CREATE TABLE odd (id integer PRIMARY KEY, code text NOT NULL CHECK (code ~ '^Q[0-9]{3}Z$'), note text);
    CREATE TABLE purchases (id integer PRIMARY KEY, state text NOT NULL CHECK (state IN ('new', 'paid')));
    CREATE TABLE files (id integer PRIMARY KEY, body oid NOT NULL, content bytea NOT NULL);
    CREATE TABLE accounts (
        id integer PRIMARY KEY, tenant integer NOT NULL, note text NOT NULL CHECK (note = '' OR note > ''),
        UNIQUE (tenant, id));
    CREATE TABLE invoices (
        id integer PRIMARY KEY, account integer NOT NULL, tenant integer NOT NULL,
        FOREIGN KEY (tenant, account) REFERENCES accounts (tenant, id));";

/// What reads a large object finds one, the checks of a renamed table are those of its rows, and what is filled does not
/// part rows that belong together.
const CONTENT: &str = "[table.\"public.files\".columns]\ncontent = { backfill = \"lo_get(body)\" }\n
                       [table.\"public.purchases\"]\nwas = \"orders\"\n
                       [table.\"public.accounts\".columns]\ntenant = { backfill = \"7\" }\nnote = { backfill = \"''\" }\n";

/// What the plan from `OLD` to `NEW` was proved with.
async fn proof(server: &support::Server) -> Proof {
    server.execute(&["CREATE DATABASE rows"]);
    let session = server.target("rows").connect().await.unwrap();
    session.client.batch_execute(OLD).await.unwrap();
    drop(session);
    let directory = tempfile::tempdir().unwrap();
    let files = [("new.sql", NEW), ("new.toml", CONTENT)].map(|(name, text)| (directory.path().join(name), text));
    files.iter().for_each(|(path, text)| fs::write(path, text).unwrap());
    let mut config = config::parse(&File::new("tenantry.toml", String::new())).unwrap();
    config.schema.paths = files.map(|(path, _)| path).to_vec();
    let request = Request {
        live: Live::Database(server.target("rows")),
        shadow: ShadowSpec::Auto,
        config,
        name: "rows".into(),
        accept: vec![],
        renames: true,
        split: false,
    };
    match pipeline::plan(&request).await {
        Ok(made) => made.file.proof,
        Err(failure) => panic!("{:?}", failure.reports),
    }
}

#[tokio::test]
async fn made_rows_pass_checks_and_what_cannot_be_made_leaves_the_rest() {
    let server = support::Server::start(&[], &[]);
    let proof = proof(&server).await;
    let filled =
        ["public.accounts", "public.files", "public.invoices", "public.letters", "public.orders", "public.people"];
    let filled = filled.map(|it| (it.to_owned(), 3));
    let filled = BTreeMap::from(filled);
    assert_eq!(proof.filled, filled, "{proof:?}");
    assert_eq!(proof.unfilled.keys().collect::<Vec<_>>(), ["public.odd"], "{proof:?}");
    assert!(proof.undo_returns && proof.rows_survive && proof.unproved.is_empty(), "{proof:?}");
}

const SMALL: &str = "CREATE TABLE t (id integer PRIMARY KEY, n integer); CREATE TABLE other (id integer)";
const LARGE: &str = "CREATE TABLE t (id integer PRIMARY KEY, n bigint CHECK (n > 0));
    CREATE TABLE other (id integer, note text)";

/// A plan, and what it is proved with.
struct Doctored {
    shadow: Shadow,
    schemas: [Schema; 2],
    facts: Facts,
    plan: Vec<Planned>,
}

impl Doctored {
    async fn new() -> Doctored {
        let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
        let mut schemas = vec![];
        for sql in [SMALL, LARGE] {
            let session = shadow.create_database("doctored").await.unwrap().connect().await.unwrap();
            session.client.batch_execute(sql).await.unwrap();
            schemas.push(introspect(&session.client, false).await.unwrap().schema);
        }
        let mut facts = Facts::default();
        let size = Size { rows: 10, bytes: 8192, table_bytes: 8192, empty: false };
        facts.sizes.extend(["t", "other"].map(|it| (tenantry::name::QName::new("public", it), size)));
        let [new, old] = [schemas.pop().unwrap(), schemas.pop().unwrap()];
        let plan = plan::make(&old, &new, &facts).unwrap();
        Doctored { shadow, schemas: [old, new], facts, plan }
    }

    /// The proof, or what stands against the plan, once something is done to it.
    async fn proved(&self, doctor: impl FnOnce(&mut Vec<Planned>)) -> Result<Proved, String> {
        let mut plan = self.plan.clone();
        doctor(&mut plan);
        let [current, desired] = &self.schemas;
        let subject = Subject {
            current,
            desired,
            surroundings: &current.empty(),
            scope: &Scope::all(),
            facts: &self.facts,
            plan: &plan,
            expressions: &[],
            seeds: &[],
            moved: &BTreeMap::new(),
            queries: &[],
            access: Access { old: current, new: desired, roles: &[], tenancies: &[] },
            stand_in: None,
            borders: &[],
        };
        proof::prove(&self.shadow, &subject).await.map_err(|it| it.to_string())
    }
}

/// The step that makes a column wider, which rewrites its table.
fn rewrite(plan: &mut [Planned]) -> &mut Planned {
    plan.iter_mut().find(|it| !it.step.rewrites.is_empty()).unwrap()
}

/// The step that reads every row.
fn scan(plan: &mut [Planned]) -> &mut Planned {
    plan.iter_mut().find(|it| !it.step.scans.is_empty()).unwrap()
}

#[tokio::test]
async fn a_plan_that_does_more_than_it_says_is_not_proved() {
    let case = Doctored::new().await;
    let proved = case.proved(|_| {}).await.unwrap().proof;
    assert!(proved.converges && proved.undo_returns && proved.rows_survive, "{proved:?}");

    let lock = case.proved(|plan| rewrite(plan).step.locks.clear()).await.err().unwrap();
    let named = "(change column public.t.n): public.t was locked AccessExclusive, declared: none";
    assert!(lock.contains("does more than it declares") && lock.contains(named), "{lock}");
    let weaker = |plan: &mut Vec<Planned>| {
        rewrite(plan).step.locks.iter_mut().for_each(|it| it.mode = tenantry::lock::Lock::ShareUpdateExclusive);
    };
    let lock = case.proved(weaker).await.err().unwrap();
    assert!(lock.contains("was locked AccessExclusive, declared: ShareUpdateExclusive"), "{lock}");

    let rewritten = case.proved(|plan| rewrite(plan).step.rewrites.clear()).await.err().unwrap();
    assert!(rewritten.contains("public.t was rewritten, which is not declared"), "{rewritten}");
    let read = case.proved(|plan| scan(plan).step.scans.clear()).await.err().unwrap();
    assert!(read.contains("every row of public.t was read, which is not declared"), "{read}");
}

#[tokio::test]
async fn a_plan_that_leads_elsewhere_or_loses_rows_is_not_proved() {
    let case = Doctored::new().await;
    let add = |sql: &'static str| move |plan: &mut Vec<Planned>| rewrite(plan).step.sql += sql;
    let differs = case.proved(add("; ALTER TABLE public.t ADD stray integer")).await.err().unwrap();
    let told = "does not lead to the declared schema:\ncolumn public.t.stray should not be there";
    assert!(differs.contains(told), "{differs}");
    let lost = case.proved(add("; DELETE FROM public.t")).await.err().unwrap();
    assert_eq!(lost, "rows did not survive on the shadow: public.t");
    let elsewhere = case.proved(add("; DELETE FROM public.other")).await.err().unwrap();
    assert!(elsewhere.contains("public.other was locked RowExclusive, declared: none"), "{elsewhere}");

    let proved =
        case.proved(|plan| plan.iter_mut().for_each(|it| it.undo.retain(|undo| !undo.sql.contains("TYPE")))).await;
    let proof = proved.unwrap().proof;
    let [said] = &proof.unproved[..] else { panic!("{proof:?}") };
    assert!(!proof.undo_returns && said.contains("not lead back: column public.t.n (step"), "{said}");
}
