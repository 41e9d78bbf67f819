//! What is read of the system catalogs, column by column, held against the servers: tests/catalogs.toml has a word for
//! each column that any supported major has, so that what a new one adds is not overlooked.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tenantry::kind::{Kind, unmanaged};
use tenantry::shadow::{Shadow, ShadowSpec};

/// The supported majors, as CONTRIBUTING.md has them.
const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;

/// tests/catalogs.toml.
#[derive(Deserialize)]
struct Page {
    since: BTreeMap<String, u32>,
    unmanaged: BTreeMap<String, String>,
    elsewhere: BTreeMap<String, String>,
    #[serde(flatten)]
    catalogs: BTreeMap<String, Catalog>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Catalog {
    read: BTreeMap<String, String>,
    left: BTreeMap<String, String>,
    since: BTreeMap<String, u32>,
    until: BTreeMap<String, u32>,
}

impl Catalog {
    fn columns(&self) -> impl Iterator<Item = &String> {
        self.read.keys().chain(self.left.keys())
    }

    fn has(&self, column: &str, major: u32) -> bool {
        self.since.get(column).is_none_or(|it| *it <= major) && self.until.get(column).is_none_or(|it| major <= *it)
    }
}

impl Page {
    fn read() -> Page {
        toml::from_str(&fs::read_to_string("tests/catalogs.toml").unwrap()).unwrap()
    }

    /// The catalogs that it has a word for, and what it says of their columns, where it does.
    fn all(&self) -> BTreeMap<&str, Option<&Catalog>> {
        let whole = self.unmanaged.keys().chain(self.elsewhere.keys()).map(|it| (it.as_str(), None));
        whole.chain(self.catalogs.iter().map(|(name, it)| (name.as_str(), Some(it)))).collect()
    }

    /// What it and a server do not agree about.
    fn faults(&self, server: &BTreeMap<String, BTreeSet<String>>, major: u32) -> Vec<String> {
        let page = self.all();
        let mut faults = vec![];
        for (catalog, columns) in server {
            match page.get(catalog.as_str()) {
                None => faults.push(format!("{catalog} has no word")),
                Some(None) => {}
                Some(Some(page)) => {
                    let known: BTreeSet<String> = page.columns().cloned().collect();
                    let new = columns.difference(&known).filter(|it| *it != "oid");
                    faults.extend(new.map(|it| format!("{catalog}.{it} has no word")));
                    let here = known.into_iter().filter(|it| page.has(it, major));
                    let gone = here.filter(|it| !columns.contains(it));
                    faults.extend(gone.map(|it| format!("{catalog}.{it} has a word and is not there")));
                    let early = columns.iter().filter(|it| !page.has(it, major));
                    faults.extend(early.map(|it| format!("{catalog}.{it} is there, against `since` or `until`")));
                }
            }
        }
        let here = page.keys().filter(|it| self.since.get(**it).is_none_or(|since| *since <= major));
        let gone = here.filter(|it| !server.contains_key(**it));
        faults.extend(gone.map(|it| format!("{it} has a word and is not there")));
        faults
    }
}

/// The columns of each system catalog, without those that every table has.
async fn columns(shadow: &Shadow) -> BTreeMap<String, BTreeSet<String>> {
    let database = shadow.create_database("catalogs").await.unwrap();
    let session = database.connect().await.unwrap();
    let query = "SELECT c.relname::text, a.attname::text
                   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                  WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                    AND NOT a.attisdropped";
    let mut catalogs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in session.client.query(query, &[]).await.unwrap() {
        catalogs.entry(row.get(0)).or_default().insert(row.get(1));
    }
    drop(session);
    shadow.drop_database(database).await.unwrap();
    catalogs
}

/// On each server that this machine has; `make matrix` brings one of each major.
#[tokio::test]
async fn every_column_of_every_catalog_has_a_word() {
    let page = Page::read();
    let (mut seen, mut faults) = (0, vec![]);
    for major in MAJORS {
        let Ok(shadow) = Shadow::start(&ShadowSpec::Auto, Some(major)).await else { continue };
        if shadow.version().major() == major {
            seen += 1;
            let found = page.faults(&columns(&shadow).await, major);
            faults.extend(found.into_iter().map(|it| format!("PostgreSQL {major}: {it}")));
        }
    }
    assert!(seen > 0, "no server was found");
    assert!(faults.is_empty(), "tests/catalogs.toml: {}", faults.join("\n"));
}

#[test]
fn a_column_that_is_new_fails() {
    let page = Page::read();
    let mut server: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (catalog, columns) in page.all() {
        let of = |it: &Catalog| it.columns().filter(|column| it.has(column, 18)).cloned().collect();
        server.insert(catalog.into(), columns.map(of).unwrap_or_default());
    }
    assert_eq!(page.faults(&server, 18), Vec::<String>::new());
    server.get_mut("pg_class").unwrap().insert("relnew".into());
    server.get_mut("pg_class").unwrap().remove("relacl");
    server.insert("pg_new".into(), BTreeSet::new());
    let expected =
        ["pg_class.relnew has no word", "pg_class.relacl has a word and is not there", "pg_new has no word"];
    assert_eq!(page.faults(&server, 18), expected);
}

#[test]
fn what_is_said_to_be_read_stands_in_a_query() {
    let catalogs: String = Kind::ALL.iter().map(|it| it.catalog()).collect();
    let queries = [&catalogs, unmanaged::UNMANAGED, include_str!("../src/introspect.rs")].join("\n");
    let words: BTreeSet<&str> = queries.split(|it: char| !it.is_alphanumeric() && it != '_').collect();
    let page = Page::read();
    for (catalog, columns) in &page.catalogs {
        for (column, word) in &columns.read {
            let by = word.split([':', ';', ' ']).find(|it| it.starts_with("pg_get_")).unwrap_or(column);
            assert!(words.contains(by), "{catalog}.{column}: no query reads {by}");
        }
    }
    let regclass = |it: &&String| !queries.contains(&format!("'{it}'::regclass")) && !words.contains(it.as_str());
    let unnamed: Vec<_> = page.unmanaged.keys().filter(regclass).collect();
    assert!(unnamed.is_empty(), "src/kind/unmanaged.rs does not look at {unnamed:?}");
}

#[test]
fn the_fields_that_are_named_exist() {
    let mut sources = vec![];
    gather(Path::new("src"), &mut sources);
    let has = |kind: &str, field: &str| {
        let with_field = |it: &&String| it.contains(&format!(" {field}: "));
        sources.iter().filter(with_field).any(|it| it.contains(&format!("struct {kind} ")))
    };
    let page = Page::read();
    let mut unknown = BTreeSet::new();
    for columns in page.catalogs.values() {
        for word in columns.read.values() {
            for name in word.split([' ', ',', ';', ':']) {
                if let Some((kind, field)) = name.split_once('.')
                    && kind.starts_with(char::is_uppercase)
                    && !has(kind, field)
                {
                    unknown.insert(name);
                }
            }
        }
    }
    assert!(unknown.is_empty(), "there are no such fields: {unknown:?}");
}

fn gather(directory: &Path, sources: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|it| it == "rs") {
            sources.push(fs::read_to_string(path).unwrap());
        }
    }
}
