//! The example on a live server: the legacy database as Supabase has it, with rows, its client, and the program.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tenantry::connect::Session;
use tenantry::elaborate;
use tenantry::platform::Platform;
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

/// What the legacy client, and LangGraph, keep their rows in.
pub const TABLES: [&str; 9] = [
    "contacts",
    "messages",
    "orders",
    "campaigns",
    "campaign_subscribers",
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "checkpoint_migrations",
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the repository, without what the surroundings say of databases.
pub fn tenantry(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(root()).args(arguments).env_remove("DATABASE_URL");
    for variable in ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT", "PGPASSWORD"] {
        command.env_remove(variable);
    }
    command.output().expect("the program runs")
}

pub fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// PostgreSQL 15, as the cases have it, unless `TENANTRY_TEST_MAJOR` says otherwise.
pub async fn server() -> Shadow {
    let major = std::env::var("TENANTRY_TEST_MAJOR").map_or(15, |it| it.parse().expect("a major version"));
    Shadow::start(&ShadowSpec::Auto, Some(major)).await.unwrap()
}

/// The legacy database. `size` times 300 contacts, 800 messages, 100 orders, and so on.
pub async fn legacy(server: &Shadow, name: &str, size: u32) -> (ShadowDatabase, Session) {
    let database = server.create_database(name).await.unwrap();
    elaborate::platform(server, &database, Platform::Supabase).await.unwrap();
    let session = database.connect().await.unwrap();
    session.client.batch_execute(&fs::read_to_string(root().join("schema/legacy.sql")).unwrap()).await.unwrap();
    let rows = format!(
        "INSERT INTO contacts (phone_number, name, thread_id)
         SELECT '+1' || g, 'Contact ' || g, 'thread-' || g FROM generate_series(1, {size} * 300) g;
         INSERT INTO messages (message_id, contact_id, direction, message_type, content_text, status, sent_at, metadata)
         SELECT 'wamid.' || g, 1 + g % ({size} * 300), CASE g % 2 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, 'text',
                'Hello ' || g, 'sent', timestamptz '2026-11-01' - g * interval '1 minute', '{{}}'
           FROM generate_series(1, {size} * 800) g;
         INSERT INTO orders (contact_id, message_id, order_details)
         SELECT 1 + g % ({size} * 300), g, '{{\"items\": []}}' FROM generate_series(1, {size} * 100) g;
         INSERT INTO campaigns (name, type, message_template)
         SELECT 'Campaign ' || g, 'broadcast', 'Hi' FROM generate_series(1, 3) g;
         INSERT INTO campaign_subscribers (campaign_id, contact_id)
         SELECT 1 + g % 3, g FROM generate_series(1, {size} * 120) g;
         INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
         SELECT 'thread-' || g, 'c' || g, '{{}}' FROM generate_series(1, {size} * 20) g;
         ANALYZE"
    );
    session.client.batch_execute(&rows).await.unwrap();
    client(&session, "before").await;
    (database, session)
}

pub fn url(server: &Shadow, database: &ShadowDatabase) -> String {
    format!("host={} port=5432 user=postgres dbname={}", server.directory().unwrap().display(), database.name)
}

/// The seven operations of the legacy client, as it sends them; in a month that the first partition of messages holds,
/// whenever the test runs.
pub async fn client(session: &Session, when: &str) {
    let sql = fs::read_to_string(root().join("tests/legacy_client.sql")).unwrap();
    let sql = sql.replace("now()", "timestamptz '2026-12-01'");
    session.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("the legacy client {when}: {error:?}"));
}

/// The columns that a table has at first: what may be added meanwhile is not compared.
pub async fn columns(session: &Session) -> Vec<(&'static str, String)> {
    let mut columns = vec![];
    for table in TABLES {
        let sql = format!(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
              WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        );
        columns.push((table, session.client.query_one(&sql, &[]).await.unwrap().get(0)));
    }
    columns
}

/// How many rows each table has, and a checksum of them.
pub async fn digests(session: &Session, columns: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let mut digests = vec![];
    for (table, columns) in columns {
        let sql = format!(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, E'\\n' ORDER BY r::text)), '')
               FROM (SELECT {columns} FROM {table}) r"
        );
        digests.push((*table, session.client.query_one(&sql, &[]).await.unwrap().get(0)));
    }
    digests
}

/// The committed plans, in their order.
pub fn plans() -> Vec<String> {
    let mut plans: Vec<String> = fs::read_dir(root().join("plans"))
        .unwrap()
        .map(|it| it.unwrap().file_name().to_str().unwrap().to_owned())
        .filter(|it| it.ends_with(".toml"))
        .collect();
    plans.sort_by_key(|it| it.split('-').next().and_then(|it| it.parse::<u32>().ok()));
    plans.into_iter().map(|it| format!("plans/{it}")).collect()
}
