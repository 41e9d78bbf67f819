//! The prover on the example: as it is no tenant reaches another's rows, and each fault that is planted into it is found
//! and named. `TENANTRY_TEST_LONG=1` tries everything for each fault, not only the objects that it is in.
#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tenantry::config::{self, Config};
use tenantry::diagnostic::File;
use tenantry::elaborate;
use tenantry::introspect::introspect;
use tenantry::name::{QName, Role};
use tenantry::pipeline::{Live, Request, both_sides};
use tenantry::platform::Platform;
use tenantry::shadow::{RoleSpec, Shadow, ShadowDatabase, ShadowSpec};
use tenantry::tenancy::prove::matrix::Matrix;
use tenantry::tenancy::prove::{Subject, prove};
use tenantry::tenancy::{self, Shape};

#[derive(Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    what: String,
    sql: String,
    #[serde(default = "application")]
    role: String,
    only: Vec<String>,
    finds: Vec<String>,
}

fn application() -> String {
    "authenticated".to_owned()
}

/// The example on a shadow, with the roles of an application.
struct Example {
    shadow: Shadow,
    base: ShadowDatabase,
    config: Config,
    roles: Vec<RoleSpec>,
}

impl Example {
    async fn load() -> Example {
        let text = fs::read_to_string("tenantry.toml").unwrap();
        let config = config::parse(&File::new("tenantry.toml", text)).unwrap();
        let request = Request {
            live: Live::Legacy("schema/legacy.sql".into()),
            shadow: ShadowSpec::Auto,
            config: config.clone(),
            name: "prove".into(),
            accept: vec![],
            renames: true,
            split: false,
        };
        let both = both_sides(&request).await.expect("the example can be planned");
        let loaded = elaborate::declared(&both.shadow, &both.declaration, &both.surroundings).await.unwrap();
        let mut roles = both.live.roles.clone();
        roles.push(RoleSpec::named("swift_owner"));
        roles.push(RoleSpec { bypassrls: true, ..RoleSpec::named("swift_operator") });
        roles.push(RoleSpec { member_of: vec!["swift_operator".into()], ..RoleSpec::named("swift_deputy") });
        roles.push(RoleSpec { replication: true, ..RoleSpec::named("swift_replica") });
        both.shadow.ensure_roles(&roles).await.unwrap();
        Example { shadow: both.shadow, base: loaded.database, config, roles }
    }

    /// What the prover finds with a fault in it. `only`: the objects that are tried, or all.
    async fn proved(&self, fault: &str, role: &str, only: Option<&[String]>) -> Matrix {
        let database = self.shadow.clone_database(&self.base, "fault").await.unwrap();
        let session = database.connect().await.unwrap();
        session.client.batch_execute("SET search_path = public").await.unwrap();
        session.client.batch_execute(fault).await.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        let schema = introspect(&session.client, false).await.unwrap().schema;
        drop(session);
        let mut shape = Shape::of(&schema);
        let is_ours = |table: &QName| table.namespace.as_str() == "public";
        shape.tables.retain(|table, _| is_ours(table) && !table.name.as_str().starts_with("checkpoint"));
        let declared = self.config.tenancy.as_ref().expect("the example declares a tenancy");
        let mut tenancies = tenancy::resolve(declared, &shape, &|_| None).expect("its tables are classified");
        tenancies[0].roles.bound = vec![Role(role.to_owned())];
        let number = "a number belongs to one bot in the world";
        let allow = ["collide", "upsert"].map(|route| {
            (format!("prove-{route}:public.chatbots.chatbots_whatsapp_number_key"), number.to_owned())
        });
        let qname = |text: &String| {
            let (namespace, name) = text.split_once('.').expect("a name with its namespace");
            QName::new(namespace, name)
        };
        let only = only.map(|it| it.iter().map(qname).collect());
        let mut foreign = BTreeSet::from(["tenantry_proof".to_owned()]);
        foreign.extend(Platform::Supabase.facts().namespaces.iter().cloned());
        let subject = Subject {
            shadow: &self.shadow,
            database: &database,
            tenancy: &tenancies[0],
            roles: &self.roles,
            foreign: &foreign,
            allow: &BTreeMap::from(allow),
            only: only.as_ref(),
        };
        let matrix = prove(&subject).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        self.shadow.drop_database(database).await.unwrap();
        matrix
    }
}

#[tokio::test]
async fn the_example_holds_and_each_planted_fault_is_found_and_named() {
    let example = Example::load().await;
    let faults: Faults = toml::from_str(&fs::read_to_string("tests/prove_example/faults.toml").unwrap()).unwrap();
    assert!(faults.fault.len() >= 20, "only {} faults are planted", faults.fault.len());

    let sound = async {
        let matrix = example.proved("", "authenticated", None).await;
        let open: Vec<&str> = matrix.open().map(|it| it.code.as_str()).collect();
        assert!(open.is_empty(), "the example leaks: {open:?}\n{}", matrix.text(false));
        assert!(matrix.unfilled.is_empty(), "{}", matrix.text(false));
        // Who sees nothing keeps everything apart: its own rows are seen.
        let own =
            matrix.cells.iter().find(|it| it.route.name() == "select" && it.object == "table public.contacts");
        assert_eq!(own.map(|it| it.told.as_str()), Some("2 rows"));
    };
    let is_long = std::env::var_os("TENANTRY_TEST_LONG").is_some();
    // `TENANTRY_TEST_FAULT` names single ones by a word of theirs.
    let named = std::env::var("TENANTRY_TEST_FAULT").unwrap_or_default();
    let planted = stream::iter(faults.fault.iter().filter(|it| it.what.contains(&named)))
        .map(async |fault| {
            let only = (!is_long).then_some(fault.only.as_slice());
            let matrix = example.proved(&fault.sql, &fault.role, only).await;
            let codes: BTreeSet<&str> = matrix.open().map(|it| it.code.as_str()).collect();
            let missing: Vec<&String> = fault.finds.iter().filter(|it| !codes.contains(it.as_str())).collect();
            let is_wrong = !missing.is_empty() || (fault.finds.is_empty() && !codes.is_empty());
            // What came of the trial says why it was not found.
            let tried: Vec<_> = matrix.cells.iter().map(|it| (it.route.name(), &it.object, &it.told)).collect();
            is_wrong.then(|| format!("{}: {missing:?} not among {codes:?}: {tried:?}", fault.what))
        })
        .buffer_unordered(3)
        .filter_map(async |it| it)
        .collect::<Vec<String>>();
    let ((), wrong) = tokio::join!(sound, planted);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
