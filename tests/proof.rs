//! What the proof of a plan says of the rows that it made: which tables have some, and which could have none.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::collections::BTreeMap;
use std::fs;

use tenantry::config;
use tenantry::diagnostic::File;
use tenantry::pipeline::{self, Live, Request};
use tenantry::plan::file::Proof;
use tenantry::shadow::ShadowSpec;

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
    CREATE TABLE files (id integer PRIMARY KEY, body oid NOT NULL, content bytea NOT NULL);";

/// What reads a large object finds one, and the checks of a renamed table are those of its rows.
const CONTENT: &str = "[table.\"public.files\".columns]\ncontent = { backfill = \"lo_get(body)\" }\n
                       [table.\"public.purchases\"]\nwas = \"orders\"\n";

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
    let filled = ["public.files", "public.letters", "public.orders", "public.people"].map(|it| (it.to_owned(), 3));
    let filled = BTreeMap::from(filled);
    assert_eq!(proof.filled, filled, "{proof:?}");
    assert_eq!(proof.unfilled.keys().collect::<Vec<_>>(), ["public.odd"], "{proof:?}");
    assert!(proof.undo_returns && proof.rows_survive && proof.unproved.is_empty(), "{proof:?}");
}
