//! A database as Supabase makes it: a declaration that refers to what is Supabase's, plans that leave that alone, and
//! requests made as PostgREST makes them.
#![allow(clippy::disallowed_methods, reason = "tests run the program and read its files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tenantry::connect::Session;
use tenantry::introspect::introspect;
use tenantry::kind::ObjectId;
use tenantry::platform::Platform;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};
use tenantry::{elaborate, kind::Object};

const TOML: &str = "platform = \"supabase\"\n[schema]\npaths = [\"schema\"]\n";

const PROFILES: &str = "
    CREATE TABLE profiles (
        id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
        name text NOT NULL,
        token text NOT NULL DEFAULT encode(extensions.gen_random_bytes(8), 'hex')
    );
    ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON profiles TO authenticated
        USING (id = (SELECT auth.uid())) WITH CHECK (id = (SELECT auth.uid()));
    CREATE FUNCTION handle_new_user() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
        AS $$
    BEGIN
        INSERT INTO public.profiles (id, name) VALUES (NEW.id, coalesce(NEW.raw_user_meta_data ->> 'name', 'new'));
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users
        FOR EACH ROW EXECUTE FUNCTION handle_new_user();
    ALTER PUBLICATION supabase_realtime ADD TABLE profiles;";

const AVATARS: &str = "
    CREATE POLICY avatars_of_everyone ON storage.objects FOR SELECT TO authenticated USING (bucket_id = 'avatars');
    CREATE POLICY own_avatar ON storage.objects FOR INSERT TO authenticated
        WITH CHECK (bucket_id = 'avatars' AND (storage.foldername(name))[1] = (SELECT auth.uid())::text);";

/// A project of its own and a database as Supabase makes it.
struct Project {
    shadow: Shadow,
    database: ShadowDatabase,
    files: tempfile::TempDir,
}

impl Project {
    async fn new(declared: &str) -> Project {
        let shadow = Shadow::start(&ShadowSpec::Auto, Some(15)).await.unwrap();
        let database = shadow.create_database("live").await.unwrap();
        elaborate::platform(&shadow, &database, Platform::Supabase).await.unwrap();
        let project = Project { shadow, database, files: tempfile::tempdir().unwrap() };
        fs::create_dir(project.path().join("schema")).unwrap();
        fs::write(project.path().join("tenantry.toml"), TOML).unwrap();
        project.declare(declared);
        project
    }

    fn path(&self) -> &Path {
        self.files.path()
    }

    fn declare(&self, sql: &str) {
        fs::write(self.path().join("schema/all.sql"), sql).unwrap();
    }

    async fn session(&self) -> Session {
        self.database.connect().await.unwrap()
    }

    fn url(&self) -> String {
        let directory = self.shadow.directory().unwrap();
        format!("host={} port=5432 user=postgres dbname={}", directory.display(), self.database.name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(self.path(), arguments)
    }

    /// Plans and applies, and finds nothing left to change. The plan's SQL.
    fn settle(&self) -> String {
        let url = self.url();
        let made =
            self.run(&["plan", "--database", &url, "--out", "plan.toml", "--accept", "all", "--format", "sql"]);
        assert!(made.status.success(), "{}", told(&made));
        let applied = self.run(&["apply", "plan.toml", "--database", &url, "--yes"]);
        assert!(applied.status.success(), "{}", told(&applied));
        let again = self.run(&["plan", "--database", &url, "--exit-code"]);
        assert!(again.status.success(), "something is left to change: {}", told(&again));
        String::from_utf8(made.stdout).unwrap()
    }
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(directory).args(arguments).env_remove("DATABASE_URL");
    for variable in ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT", "PGPASSWORD"] {
        command.env_remove(variable);
    }
    command.output().expect("the program runs")
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// All that was there before the project made anything.
async fn everything(session: &Session) -> BTreeMap<ObjectId, Object> {
    introspect(&session.client, false).await.unwrap().schema.objects
}

/// A request as PostgREST makes it: the login role authenticator, a transaction in the role of the token, with the
/// token's claims as a setting of the transaction.
async fn request(project: &Project, role: &str, sub: &str, statement: &str) -> Result<Option<String>, String> {
    let session = project.database.connect_as("authenticator").await.unwrap();
    let claims = format!("{{\"role\":\"{role}\",\"sub\":\"{sub}\"}}");
    let begin = format!(
        "BEGIN; SELECT set_config('search_path', '\"public\", \"extensions\"', true), set_config('role', '{role}', true), \
         set_config('request.jwt.claims', '{claims}', true), set_config('request.method', 'GET', true)"
    );
    session.client.batch_execute(&begin).await.unwrap();
    let said = |error: &tokio_postgres::Error| error.as_db_error().unwrap().message().to_owned();
    let row = session.client.query_opt(statement, &[]).await.map_err(|error| said(&error))?;
    session.client.batch_execute("COMMIT").await.map_err(|error| said(&error))?;
    Ok(row.and_then(|it| it.get(0)))
}

/// A read in the shape that PostgREST gives it: the rows as one JSON array.
async fn read(project: &Project, role: &str, sub: &str, columns: &str, from: &str) -> Result<String, String> {
    let statement = format!(
        "WITH pgrst_source AS (SELECT {columns} FROM {from}) \
         SELECT coalesce(json_agg(_postgrest_t), '[]')::text FROM (SELECT * FROM pgrst_source) _postgrest_t"
    );
    Ok(request(project, role, sub, &statement).await?.unwrap())
}

const ANN: &str = "00000000-0000-4000-8000-00000000000a";
const BOB: &str = "00000000-0000-4000-8000-00000000000b";

#[tokio::test]
async fn a_project_stands_beside_what_is_supabases() {
    let project = Project::new(&format!("{PROFILES}{AVATARS}")).await;
    let session = project.session().await;
    let before = everything(&session).await;
    let sql = project.settle();
    let last =
        sql.lines().map(str::trim).rfind(|it| it.ends_with(';') && !it.starts_with("--") && *it != "COMMIT;");
    assert_eq!(last, Some("NOTIFY pgrst, 'reload schema';"), "{sql}");
    let after = everything(&session).await;
    for (id, object) in &before {
        assert_eq!(after.get(id), Some(object), "{id} is Supabase's, and was changed");
    }

    session
        .client
        .batch_execute(&format!(
            "INSERT INTO auth.users (id, email, raw_user_meta_data)
             VALUES ('{ANN}', 'ann@example.com', '{{\"name\": \"Ann\"}}'), ('{BOB}', 'bob@example.com', '{{\"name\": \"Bob\"}}');
             INSERT INTO storage.buckets (id, name) VALUES ('avatars', 'avatars')"
        ))
        .await
        .unwrap();
    let names = read(&project, "authenticated", ANN, "name", "profiles").await;
    assert_eq!(names.as_deref(), Ok("[{\"name\":\"Ann\"}]"));
    assert_eq!(read(&project, "anon", ANN, "name", "profiles").await.as_deref(), Ok("[]"));
    let all = read(&project, "service_role", ANN, "name", "profiles ORDER BY name").await;
    assert_eq!(all.as_deref(), Ok("[{\"name\":\"Ann\"}, \n {\"name\":\"Bob\"}]"));
    let theft = format!("UPDATE profiles SET name = 'x' WHERE id = '{BOB}' RETURNING name");
    assert_eq!(request(&project, "authenticated", ANN, &theft).await, Ok(None));
    let upload =
        |owner: &str| format!("INSERT INTO storage.objects (bucket_id, name) VALUES ('avatars', '{owner}/me.png')");
    assert_eq!(request(&project, "authenticated", ANN, &upload(ANN)).await, Ok(None));
    let refused = request(&project, "authenticated", ANN, &upload(BOB)).await;
    assert_eq!(refused, Err("new row violates row-level security policy for table \"objects\"".into()));
}

#[tokio::test]
async fn policies_and_triggers_of_ones_own_go_when_they_are_no_longer_declared() {
    let project = Project::new(&format!("{PROFILES}{AVATARS}")).await;
    project.settle();
    let fewer = AVATARS.lines().filter(|it| !it.contains("avatars_of_everyone")).collect::<Vec<_>>().join("\n");
    project.declare(&format!("{PROFILES}{fewer}"));
    let sql = project.settle();
    assert!(sql.contains("DROP POLICY avatars_of_everyone ON storage.objects"), "{sql}");
    assert!(!sql.contains("own_avatar"), "{sql}");
    // Where the declaration has none at all, what is there may be made by hand, and stays.
    project.declare(PROFILES);
    let planned = project.run(&["plan", "--database", &project.url(), "--exit-code"]);
    assert!(planned.status.success(), "{}", told(&planned));
}

#[tokio::test]
async fn a_key_in_realtime_becomes_bigint_while_the_table_is_used() {
    let notes = |key: &str| {
        format!("CREATE TABLE notes (id {key} PRIMARY KEY); ALTER PUBLICATION supabase_realtime ADD TABLE notes;")
    };
    let project = Project::new(&notes("integer")).await;
    project.settle();
    let many = "INSERT INTO notes SELECT generate_series(1, 20000); ANALYZE notes";
    project.session().await.client.batch_execute(many).await.unwrap();
    let config = |more: &str| fs::write(project.path().join("tenantry.toml"), format!("{TOML}\n[plan]\n{more}\n"));
    config("open_publications = ['cdc']").unwrap();
    project.declare(&notes("bigint"));
    let made = project.run(&["plan", "--database", &project.url()]);
    let told = told(&made);
    assert!(told.contains("ADD COLUMN id_new bigint") && !told.contains("type-change-rewrite"), "{told}");
    assert!(told.contains("open_publications names cdc, and no publication is called so"), "{told}");
    config("").unwrap();
    project.settle();
    let rows = "SELECT count(*) = 20000 AND max(id) = 20000 FROM notes";
    assert!(project.session().await.client.query_one(rows, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn managing_what_every_database_has_takes_nothing_from_the_platform() {
    let project = Project::new(&format!(
        "{PROFILES}
         CREATE EXTENSION hstore WITH SCHEMA extensions;
         CREATE PUBLICATION warehouse FOR TABLE profiles;
         CREATE TABLE secrets (id int PRIMARY KEY);
         ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
         REVOKE ALL ON secrets FROM anon, authenticated;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM anon;
         CREATE TRIGGER stamp BEFORE UPDATE ON storage.objects
            FOR EACH ROW EXECUTE FUNCTION handle_new_user();"
    ))
    .await;
    let session = project.session().await;
    let before = everything(&session).await;
    project.settle();
    let after = everything(&session).await;
    let changed: Vec<String> =
        before.iter().filter(|(id, it)| after.get(id) != Some(it)).map(|(id, _)| id.to_string()).collect();
    assert_eq!(changed, ["default privileges of postgres for tables in public"]);
    let refused = read(&project, "anon", ANN, "id", "secrets").await;
    assert_eq!(refused, Err("permission denied for table secrets".into()));
    let kept = "SELECT has_table_privilege('service_role', 'secrets', 'SELECT')";
    assert!(session.client.query_one(kept, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn what_is_not_the_projects_to_declare_is_refused() {
    let project = Project::new("CREATE TABLE auth.mine (id int)").await;
    let planned = project.run(&["plan", "--database", &project.url()]);
    assert_eq!(planned.status.code(), Some(1), "{}", told(&planned));
    assert!(
        told(&planned).contains("table auth.mine is declared outside of what is managed"),
        "{}",
        told(&planned)
    );
}

#[test]
fn without_a_database_the_platform_stands_in_for_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("schema")).unwrap();
    fs::write(path.join("legacy.sql"), "CREATE TABLE old (id uuid REFERENCES auth.users);").unwrap();
    fs::write(path.join("tenantry.toml"), format!("{TOML}legacy = \"legacy.sql\"\n[database]\nserver = 15\n"))
        .unwrap();
    fs::write(path.join("schema/all.sql"), format!("CREATE TABLE old (id uuid REFERENCES auth.users);{PROFILES}"))
        .unwrap();
    let planned = run(path, &["plan"]);
    assert!(planned.status.success(), "{}", told(&planned));
    let script = run(path, &["show", "platform"]);
    assert!(told(&script).contains("CREATE FUNCTION auth.uid()"), "{}", told(&script));
}

#[tokio::test]
async fn what_the_api_serves_past_row_security_is_told() {
    let project = Project::new(
        "CREATE TABLE open (id int PRIMARY KEY, secret text);
         CREATE TABLE held (id int PRIMARY KEY);
         ALTER TABLE held ENABLE ROW LEVEL SECURITY;
         CREATE TABLE revoked (id int PRIMARY KEY);
         REVOKE ALL ON revoked FROM anon, authenticated;
         CREATE VIEW seen AS SELECT id FROM held;
         CREATE VIEW asked WITH (security_invoker = true) AS SELECT id FROM held;
         CREATE MATERIALIZED VIEW stored AS SELECT id FROM held;
         CREATE FUNCTION power() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' RETURN 1;
         CREATE EXTENSION citext SCHEMA public;
         CREATE VIEW people WITH (security_invoker = true) AS SELECT id, email FROM auth.users;
         CREATE SCHEMA hidden;
         CREATE TABLE hidden.open (id int);
         GRANT ALL ON hidden.open TO anon;",
    )
    .await;
    let planned = project.run(&["plan", "--database", &project.url()]);
    let said = told(&planned);
    for code in [
        "api::no_row_security",
        "api::view_of_its_owner",
        "api::materialized_view",
        "api::definer_function",
        "api::private",
        "api::extension",
    ] {
        assert_eq!(said.matches(code).count(), 1, "{code}: {said}");
    }
    assert!(said.contains("anon can reach every row of public.open"), "{said}");
}

#[tokio::test]
async fn init_writes_what_is_the_projects_own_and_names_the_platform() {
    let project = Project::new(PROFILES).await;
    project.settle();
    let begun = tempfile::tempdir().unwrap();
    let made = run(begun.path(), &["init", "--database", &project.url()]);
    assert!(made.status.success(), "{}", told(&made));
    let config = fs::read_to_string(begun.path().join("tenantry.toml")).unwrap();
    assert!(config.contains("platform = \"supabase\""), "{config}");
    assert!(begun.path().join("schema/public/profiles.sql").exists(), "{}", told(&made));
    assert!(!begun.path().join("schema/auth").exists(), "what is Supabase's is not declared");
    let planned = run(begun.path(), &["plan", "--database", &project.url(), "--exit-code"]);
    assert!(planned.status.success(), "{}", told(&planned));
}
