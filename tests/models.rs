//! A namespace and a database for each tenant, on a live server: what is declared once is planned and applied for one tenant
//! at a time, and nothing of another's is touched.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

struct Project(TempDir);

impl Project {
    fn new(config: &str, schema: &str) -> Project {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("schema")).unwrap();
        fs::write(dir.path().join("tenantry.toml"), config).unwrap();
        fs::write(dir.path().join("schema/all.sql"), schema).unwrap();
        Project(dir)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(self.0.path()).args(arguments).env("COLUMNS", "200").env_remove("DATABASE_URL");
        for variable in ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT", "PGPASSWORD"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let told = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        (output.status.code().unwrap_or(-1), told)
    }

    /// Plans and applies; what the plan said.
    fn settle(&self, more: &[&str]) -> String {
        let with = |arguments: &[&str]| self.run(&[arguments, more].concat());
        let (code, said) = with(&["plan", "--out", "plan.toml"]);
        assert_eq!(code, 0, "{said}");
        let (code, told) = with(&["apply", "plan.toml", "--yes"]);
        assert_eq!(code, 0, "{told}");
        let (code, told) = with(&["drift"]);
        assert_eq!(code, 0, "{told}");
        said
    }
}

async fn server() -> Shadow {
    let major = std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"));
    Shadow::start(&ShadowSpec::Auto, Some(major)).await.unwrap()
}

fn url(server: &Shadow, name: &str) -> String {
    format!("host={} port=5432 user=postgres dbname={name}", server.directory().unwrap().display())
}

/// The tables of a database, with their columns.
async fn tables(database: &ShadowDatabase) -> Vec<String> {
    let sql = "SELECT n.nspname || '.' || c.relname || ' (' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')'
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenantry')
                GROUP BY n.nspname, c.relname ORDER BY 1";
    database.connect().await.unwrap().client.query(sql, &[]).await.unwrap().iter().map(|it| it.get(0)).collect()
}

#[tokio::test]
async fn a_namespace_for_each_tenant_is_planned_by_itself() {
    const CONFIG: &str =
        "[tenancy]\nmodel = \"namespace\"\ntemplate = \"tenant_template\"\nnamed = \"tenant_{tenant}\"\n";
    const SCHEMA: &str = "
        CREATE SCHEMA shared;
        CREATE TABLE shared.plans (id integer PRIMARY KEY);
        CREATE SCHEMA tenant_template;
        CREATE TABLE tenant_template.notes (id integer PRIMARY KEY, plan_id integer REFERENCES shared.plans, body text);";
    let server = server().await;
    let database = server.create_database("namespaces").await.unwrap();
    let session = database.connect().await.unwrap();
    session
        .client
        .batch_execute("CREATE SCHEMA tenant_zeta; CREATE TABLE tenant_zeta.notes (id integer PRIMARY KEY)")
        .await
        .unwrap();
    let url = url(&server, database.name.as_str());
    let project = Project::new(CONFIG, SCHEMA);

    // What is shared, and the template; no tenant's namespace is taken for one that is declared no longer.
    let said = project.settle(&["--database", &url]);
    assert!(said.contains("CREATE TABLE shared.plans") && !said.contains("tenant_zeta"), "{said}");
    // A tenant that is new, with a name that has to be quoted, and one that is behind.
    for tenant in ["acme", "O'Hara \"&\" Sons", "zeta"] {
        let said = project.settle(&["--database", &url, "--tenant", tenant]);
        assert!(!said.contains("tenant_template"), "{said}");
    }
    assert_eq!(
        tables(&database).await,
        [
            "shared.plans (id)",
            "tenant_O'Hara \"&\" Sons.notes (id, plan_id, body)",
            "tenant_acme.notes (id, plan_id, body)",
            "tenant_template.notes (id, plan_id, body)",
            "tenant_zeta.notes (id, plan_id, body)",
        ]
    );

    // The template goes on; each tenant follows when it is its turn, and rolls back by itself.
    fs::write(project.0.path().join("schema/all.sql"), SCHEMA.replace("body text", "body text, pinned boolean"))
        .unwrap();
    project.settle(&["--database", &url, "--tenant", "acme"]);
    let pinned =
        async || tables(&database).await.into_iter().filter(|it| it.contains("pinned")).collect::<Vec<_>>();
    assert_eq!(pinned().await, ["tenant_acme.notes (id, plan_id, body, pinned)"]);
    assert_eq!(project.run(&["drift", "--database", &url, "--tenant", "zeta"]).0, 3);
    let (code, told) = project.run(&["rollback", "--database", &url, "--yes"]);
    assert_eq!((code, pinned().await.len()), (0, 0), "{told}");
}

#[tokio::test]
async fn a_database_for_each_tenant_is_planned_by_itself() {
    let server = server().await;
    let (acme, zeta) =
        (server.create_database("acme").await.unwrap(), server.create_database("zeta").await.unwrap());
    let config = format!(
        "[database]\nurl = \"{}\"\n[tenancy]\nmodel = \"database\"\nnamed = \"{{tenant}}\"\n",
        url(&server, "{tenant}")
    );
    let project = Project::new(&config, "CREATE TABLE notes (id integer PRIMARY KEY);");
    let (one, other) = (acme.name.as_str().to_owned(), zeta.name.as_str().to_owned());
    let said = project.settle(&["--tenant", &one]);
    assert!(said.contains("CREATE TABLE public.notes"), "{said}");
    assert_eq!(tables(&acme).await, ["public.notes (id)"]);
    assert_eq!(tables(&zeta).await, Vec::<String>::new());
    assert_eq!(project.run(&["drift", "--tenant", &other]).0, 3);
    // Without a tenant there is no database to speak of.
    let (code, told) = project.run(&["plan"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("--tenant"), "{told}");
}
