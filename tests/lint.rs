//! `tenantry lint`: what is found in scripts, in plans and in the declared schema, and that nothing is found in what is
//! harmless.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;

#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

const CONFIG: &str = "\
[database]
server = 15
[schema]
legacy = \"legacy.sql\"
";

const LEGACY: &str = "\
CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL UNIQUE, fax text);
CREATE TABLE orders (id bigint PRIMARY KEY, contact_id bigint REFERENCES contacts, total numeric, state text);
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 (at timestamptz NOT NULL, what text);
CREATE INDEX orders_state ON orders (state);
CREATE MATERIALIZED VIEW totals AS SELECT contact_id, sum(total) AS total FROM orders GROUP BY contact_id;
CREATE VIEW faxes AS SELECT fax FROM contacts;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
";

fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("schema")).unwrap();
    let own = [("tenantry.toml", CONFIG), ("legacy.sql", LEGACY), ("schema/all.sql", LEGACY)];
    for (path, text) in own.iter().chain(files) {
        fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

/// Exit code, what was printed, what was told.
fn run(dir: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(dir.path()).args(arguments).env("COLUMNS", "80").env_remove("DATABASE_URL");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// What is found in a script: the line, the code and the object of each finding.
fn found(script: &str) -> Vec<String> {
    let dir = project(&[("script.sql", script)]);
    let (code, out, err) = run(&dir, &["lint", "script.sql", "--format", "json"]);
    assert!([0, 3].contains(&code), "{err}");
    let found: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let open = found.iter().filter(|it| it["severity"] != "note" && it["accepted"].is_null()).count();
    assert_eq!(code, if open == 0 { 0 } else { 3 }, "{out}{err}");
    let line = |it: &serde_json::Value| {
        let place = it["place"].as_str().unwrap_or("-").to_owned();
        let place = place.split(':').nth(1).unwrap_or("-").to_owned();
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let object = match text("object") {
            object if object.is_empty() => text("message"),
            object => object,
        };
        let accepted = if it["accepted"].is_null() { "" } else { " (accepted)" };
        format!("{place} {} {object}{accepted}", text("code"))
    };
    found.iter().map(line).collect()
}

/// A script under a lock_timeout.
fn timed(script: &str) -> Vec<String> {
    found(&format!("SET lock_timeout = '2s'; {script}"))
}

#[test]
fn what_others_wait_for_is_found_where_it_was_seen() {
    assert_eq!(timed("CREATE INDEX i ON orders (total);"), ["1 index-not-concurrent table public.orders"]);
    assert_eq!(
        timed("DROP INDEX orders_state;"),
        ["1 index-not-concurrent table public.orders", "1 drop-index index public.orders_state"]
    );
    assert_eq!(timed("REINDEX TABLE orders;"), ["1 index-not-concurrent table public.orders"]);
    assert_eq!(
        timed("ALTER TABLE orders ALTER COLUMN id TYPE integer;"),
        ["1 type-change-rewrite table public.orders", "1 change-type-narrowing column public.orders.id"]
    );
    assert_eq!(
        timed("ALTER TABLE orders ADD COLUMN tag uuid DEFAULT gen_random_uuid();"),
        ["1 type-change-rewrite table public.orders"]
    );
    assert_eq!(timed("ALTER TABLE orders SET UNLOGGED;"), ["1 set-logged table public.orders"]);
    assert_eq!(
        timed("ALTER TABLE orders ADD CONSTRAINT paid CHECK (total >= 0);"),
        ["1 scan-under-lock table public.orders", "1 check-may-fail constraint public.orders.paid"]
    );
    assert_eq!(
        timed("ALTER TABLE orders ALTER COLUMN state SET NOT NULL;"),
        ["1 scan-under-lock table public.orders", "1 check-may-fail column public.orders.state"]
    );
    assert_eq!(
        timed("ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"),
        [
            "- lint::without_rows the scripts were tried without rows: those made for it do not fit what they add",
            "1 check-may-fail partition public.events_2026",
            "1 attach-without-proof table public.events_2026",
        ]
    );
    assert_eq!(timed("VACUUM FULL orders;"), ["1 vacuum-full table public.orders"]);
    assert_eq!(timed("CLUSTER orders USING orders_pkey;"), ["1 vacuum-full table public.orders"]);
    assert_eq!(timed("REFRESH MATERIALIZED VIEW totals;"), ["1 vacuum-full materialized view public.totals"]);
}

#[test]
fn forms_that_keep_nobody_waiting_have_nothing() {
    let harmless = "
        SET lock_timeout = '2s';
        CREATE INDEX CONCURRENTLY orders_total ON orders (total);
        DROP INDEX CONCURRENTLY orders_total;
        ALTER TABLE orders ADD COLUMN note text DEFAULT '';
        ALTER TABLE orders ADD CONSTRAINT paid CHECK (total >= 0) NOT VALID;
        ALTER TABLE orders VALIDATE CONSTRAINT paid;
        CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint);
        CREATE INDEX refunds_order ON refunds (order_id);
        ALTER TABLE refunds ALTER COLUMN order_id SET NOT NULL;
        ALTER TABLE refunds RENAME CONSTRAINT refunds_pkey TO refunds_key;
        UPDATE orders SET state = 'new' WHERE id BETWEEN 1 AND 1000;
        INSERT INTO refunds VALUES (1, 1);
        TRUNCATE refunds;
        DROP TABLE refunds;
        BEGIN;
        CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n + n';
        COMMIT;
        VACUUM orders;
        ANALYZE;
        DO $$ BEGIN PERFORM 1; END $$;";
    // What is validated against rows that exist, the rows may stand against.
    assert_eq!(found(harmless), ["7 check-may-fail constraint public.orders.paid"]);
}

#[test]
fn a_transaction_that_works_while_others_wait_is_found() {
    let script = "
        BEGIN;
        SET LOCAL lock_timeout = '2s';
        ALTER TABLE orders ADD COLUMN note text;
        UPDATE contacts SET phone = trim(phone);
        ALTER TABLE contacts ADD COLUMN note text;
        COMMIT;";
    assert_eq!(
        found(script),
        [
            "5 work-under-lock table public.orders",
            "5 rows-in-one-statement table public.contacts",
            "6 lock-multiple-tables table public.contacts",
        ]
    );
    let same = "
        BEGIN;
        SET LOCAL lock_timeout = '2s';
        ALTER TABLE orders ADD CONSTRAINT paid CHECK (total >= 0) NOT VALID;
        ALTER TABLE orders VALIDATE CONSTRAINT paid;
        COMMIT;";
    assert_eq!(
        found(same),
        ["5 scan-under-lock table public.orders", "5 check-may-fail constraint public.orders.paid"]
    );
}

#[test]
fn a_lock_without_a_limit_is_told_once() {
    let script = "ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ADD COLUMN b int;";
    assert_eq!(found(script), ["1 no-lock-timeout table public.orders"]);
}

#[test]
fn what_is_lost_is_found_by_the_difference_that_a_transaction_makes() {
    assert_eq!(
        timed("ALTER TABLE contacts DROP COLUMN fax CASCADE;"),
        [
            "1 cascade view public.faxes",
            "1 drop-view view public.faxes",
            "1 drop-column column public.contacts.fax",
        ]
    );
    assert_eq!(
        timed("TRUNCATE contacts CASCADE;"),
        ["1 truncate table public.orders", "1 truncate table public.contacts"]
    );
    assert_eq!(
        timed("BEGIN; DROP VIEW faxes; CREATE VIEW faxes AS SELECT fax FROM contacts; COMMIT;"),
        Vec::<String>::new(),
        "one that is made again before anybody can see that it is gone"
    );
    assert_eq!(
        timed("DROP VIEW faxes; CREATE VIEW faxes AS SELECT fax FROM contacts;"),
        ["1 drop-view view public.faxes"]
    );
    assert_eq!(
        timed("ALTER TABLE contacts RENAME COLUMN fax TO telefax;"),
        ["1 rename column public.contacts.fax"]
    );
    assert_eq!(timed("ALTER TABLE contacts RENAME TO people;"), ["1 rename table public.contacts"]);
    assert_eq!(timed("ALTER FUNCTION twice(int) RENAME TO double;"), ["1 rename routine public.twice(integer)"]);
    assert_eq!(timed("GRANT SELECT ON orders TO PUBLIC;"), ["1 public-grant table public.orders"]);
}

#[test]
fn a_hazard_is_accepted_beside_its_statement() {
    let script = "
        SET lock_timeout = '2s';
        -- tenantry: allow drop-column because nobody reads it
        ALTER TABLE contacts DROP COLUMN fax CASCADE;
        DROP FUNCTION twice(int); -- tenantry: allow drop-routine because it was never called
        SELECT 1; -- tenantry: allow drop-table because of nothing
        -- tenantry: was something
        SELECT 2;";
    assert_eq!(
        found(script),
        [
            "4 cascade view public.faxes",
            "4 drop-view view public.faxes",
            "4 drop-column column public.contacts.fax (accepted)",
            "5 drop-routine routine public.twice(integer) (accepted)",
            "6 lint::directive nothing is found here that drop-table accepts",
            "7 lint::directive this says something of a declaration, and stands in a script",
        ]
    );
    let dir = project(&[
        ("script.sql", "SET lock_timeout = '2s'; DROP FUNCTION twice(int);"),
        ("tenantry.toml", &format!("{CONFIG}[plan.hazards]\ndrop-routine = \"allow\"\n")),
    ]);
    let (code, out, _) = run(&dir, &["lint", "script.sql"]);
    assert_eq!((code, out.contains("accepted: drop-routine: routine public.twice(integer)")), (0, true), "{out}");
}

#[test]
fn all_faults_of_a_script_are_told_each_at_its_place() {
    let name = "n".repeat(70);
    let script = format!(
        "SELEC 1;
         \\i other.sql
         DROP TABLE nothing;
         BEGIN;
         CREATE INDEX CONCURRENTLY i ON orders (total);
         CREATE TABLE {name} (a int);
         UPDATE contacts SET fox = 'x' WHERE id = 1;
         ALTER SYSTEM SET fsync = off;
         CREATE ROLE somebody;
         COPY contacts FROM '/etc/passwd';"
    );
    let wanted = [
        "1 lint::fails PostgreSQL refuses this: syntax error at or near \"SELEC\"".to_owned(),
        "2 lint::psql this is for psql, and is not looked at".into(),
        "3 lint::fails PostgreSQL refuses this: table \"nothing\" does not exist".into(),
        "4 lint::unfinished the transaction is never committed".into(),
        "5 lint::fails PostgreSQL refuses this: CREATE INDEX CONCURRENTLY cannot run inside a transaction block"
            .into(),
        format!("6 lint::name_cut identifier \"{name}\" will be truncated to \"{}\"", &name[..63]),
        "7 lint::fails PostgreSQL refuses this: column \"fox\" of relation \"contacts\" does not exist".into(),
        "8 lint::not_tried this was not tried: it is about the whole server".into(),
        "9 lint::not_tried this was not tried: it is about roles, which belong to the whole server".into(),
        "10 lint::not_tried this was not tried: it reads or writes files".into(),
    ];
    assert_eq!(found(&script), wanted);
}

#[test]
fn rows_that_were_made_up_stand_in_nobodys_way() {
    let script = "SET lock_timeout = '2s'; ALTER TABLE orders ADD CONSTRAINT one CHECK (total = 42);";
    assert_eq!(
        found(script),
        [
            "- lint::without_rows the scripts were tried without rows: those made for it do not fit what they add",
            "1 scan-under-lock table public.orders",
            "1 check-may-fail constraint public.orders.one",
        ]
    );
}

const TENANCY: &str = "\
[tenancy]
model = \"row\"
tenant = \"users\"
key = \"user_id\"
current = \"current_setting('app.tenant')::bigint\"
mode = \"check\"
scoped = [\"notes\", \"public.new_*\"]
[tenancy.roles]
bound = [\"app\"]
";

const NOTES: &str = "\
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE notes (user_id bigint NOT NULL REFERENCES users, id bigint, words text, PRIMARY KEY (user_id, id));
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (id = (SELECT current_setting('app.tenant')::bigint))
  WITH CHECK (id = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = (SELECT current_setting('app.tenant')::bigint))
  WITH CHECK (user_id = (SELECT current_setting('app.tenant')::bigint));
";

#[test]
fn what_a_script_opens_between_tenants_is_found_at_the_statement_that_does() {
    let dir = project(&[
        ("tenantry.toml", &format!("{CONFIG}{TENANCY}")),
        ("legacy.sql", NOTES),
        ("schema/all.sql", NOTES),
        (
            "script.sql",
            "SET lock_timeout = '2s';
ALTER TABLE notes ADD CONSTRAINT words_key UNIQUE (words);
CREATE TABLE new_ideas (id bigint PRIMARY KEY, idea text);
CREATE TABLE strangers (id bigint);
CREATE POLICY more ON notes USING (true);",
        ),
        ("fine.sql", "SET lock_timeout = '2s'; ALTER TABLE notes ADD COLUMN more text;"),
    ]);
    let (code, out, err) = run(&dir, &["lint", "fine.sql"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "nothing found in 2 statements\n"));
    let (code, out, err) = run(&dir, &["lint", "script.sql"]);
    assert_eq!(code, 3, "{out}{err}");
    // A table of nobody's stops the check: it is told first.
    assert!(out.contains("table public.strangers is neither scoped nor global nor external"), "{out}");
    let script = fs::read_to_string(dir.path().join("script.sql")).unwrap();
    fs::write(dir.path().join("script.sql"), script.replace("CREATE TABLE strangers (id bigint);\n", "")).unwrap();
    let (_, out, _) = run(&dir, &["lint", "script.sql", "--format", "json"]);
    let found: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let told = |code: &str, place: &str| found.iter().any(|it| it["code"] == code && it["place"] == place);
    assert!(told("tenancy::unique-crosses", "script.sql:2:34"), "{out}");
    assert!(told("tenancy::key-missing", "script.sql:3:14"), "{out}");
    assert!(told("tenancy::policy-always-true", "script.sql:4:15"), "{out}");
}

#[test]
fn the_declared_schema_is_looked_at_whole_or_by_file() {
    let faulty = format!("{NOTES}CREATE TABLE new_ideas (id bigint PRIMARY KEY, idea text);\n");
    let dir = project(&[
        ("tenantry.toml", &format!("{CONFIG}{TENANCY}")),
        ("legacy.sql", NOTES),
        ("schema/all.sql", &faulty),
        ("schema/other.sql", "CREATE TABLE new_words (word text PRIMARY KEY);"),
    ]);
    let (code, all, err) = run(&dir, &["lint"]);
    assert_eq!(code, 3, "{all}{err}");
    assert!(all.contains("schema/all.sql:11") && all.contains("schema/other.sql:1"), "{all}");
    let (code, one, _) = run(&dir, &["lint", "schema/other.sql"]);
    assert_eq!(code, 3);
    assert!(!one.contains("schema/all.sql") && one.contains("schema/other.sql:1"), "{one}");
    fs::remove_file(dir.path().join("schema/other.sql")).unwrap();
    fs::write(dir.path().join("schema/all.sql"), NOTES).unwrap();
    let settled = TENANCY.replace(", \"public.new_*\"", "");
    fs::write(dir.path().join("tenantry.toml"), format!("{CONFIG}{settled}")).unwrap();
    let (code, out, err) = run(&dir, &["lint"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "nothing found\n"));
}

#[test]
fn a_plan_is_told_by_its_hazards() {
    let dir = project(&[(
        "schema/all.sql",
        &LEGACY.replace(", fax text", "").replace("CREATE VIEW faxes AS SELECT fax FROM contacts;\n", ""),
    )]);
    let (code, _, err) = run(&dir, &["plan", "--out", "drop.toml"]);
    assert_eq!(code, 4, "{err}");
    let (code, out, err) = run(&dir, &["lint", "drop.toml"]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("drop-column") && out.contains("of drop.toml"), "{out}");
    let (code, _, err) = run(&dir, &["plan", "--out", "drop.toml", "--accept", "all"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = run(&dir, &["lint", "drop.toml"]);
    assert_eq!((code, out.contains("accepted: drop-column")), (0, true), "{out}");
    let plan = fs::read_to_string(dir.path().join("drop.toml")).unwrap();
    fs::write(dir.path().join("drop.toml"), plan.replace("DROP COLUMN fax", "DROP COLUMN fax ")).unwrap();
    let (code, out, _) = run(&dir, &["lint", "drop.toml"]);
    assert_eq!((code, out.contains("was edited after it was written")), (3, true), "{out}");
    fs::write(dir.path().join("schema/all.sql"), LEGACY).unwrap();
    let (_, out, _) = run(&dir, &["lint", "drop.toml"]);
    assert!(out.contains("made from another declaration"), "{out}");
}

#[test]
fn what_can_t_be_read_is_said() {
    let dir = project(&[("broken.toml", "format = 1\n"), ("empty.sql", "")]);
    let (code, _, err) = run(&dir, &["lint", "nowhere.sql", "broken.toml"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("nowhere.sql") && err.contains("broken.toml"), "{err}");
    let (code, _, err) = run(&dir, &["lint", "empty.sql"]);
    assert_eq!((code, err.as_str()), (0, "nothing found\n"));
}

#[test]
fn a_script_reads_as_it_should() {
    let dir = project(&[(
        "script.sql",
        "ALTER TABLE contacts DROP COLUMN fax CASCADE;\nCREATE INDEX i ON orders (total);\n",
    )]);
    let (_, out, err) = run(&dir, &["lint", "script.sql", "-v"]);
    insta::assert_snapshot!(format!("{out}\n{err}"));
}

const DESIGN: &str = "\
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text UNIQUE);
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE bills (
  id serial PRIMARY KEY,
  user_id bigint REFERENCES users,
  payload json,
  at timestamp,
  country char(2),
  phone varchar(20)
);
CREATE TABLE log (at timestamptz, what text);
CREATE INDEX log_what ON log (what);
CREATE INDEX log_what_at ON log (what, at);
CREATE INDEX users_mail ON users (mail);
CREATE INDEX bills_wide ON bills (country, phone, at, id, user_id);
CREATE TABLE parts (id bigint, at timestamptz, user_id bigint REFERENCES users, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX parts_user ON parts (user_id, at);
";

const DESIGN_FOUND: [&str; 13] = [
    "char-column column public.bills.country",
    "domain-with-check domain public.mail",
    "duplicate-index index public.log_what",
    "duplicate-index index public.users_mail",
    "enum-type enum public.state",
    "foreign-key-without-index constraint public.bills.bills_user_id_fkey",
    "integer-key column public.bills.id",
    "json-column column public.bills.payload",
    "no-primary-key table public.log",
    "serial-column column public.bills.id",
    "timestamp-without-time-zone column public.bills.at",
    "varchar-limit column public.bills.phone",
    "wide-index index public.bills_wide",
];

#[test]
fn how_things_are_made_is_told_to_those_who_ask() {
    let codes = "char-column domain-with-check duplicate-index enum-type foreign-key-without-index integer-key json-column \
                 no-primary-key serial-column timestamp-without-time-zone varchar-limit wide-index";
    let asked: String = codes.split_whitespace().map(|it| format!("{it} = \"warn\"\n")).collect();
    let asked = format!("{CONFIG}[plan.hazards]\n{asked}");
    let dir = project(&[("schema/all.sql", DESIGN), ("script.sql", DESIGN)]);
    let named = |arguments: &[&str]| {
        let (code, out, err) = run(&dir, arguments);
        let found: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
        let one =
            |it: &serde_json::Value| format!("{} {}", it["code"].as_str().unwrap(), it["object"].as_str().unwrap());
        assert!(found.iter().all(|it| it["place"].is_string()), "{out}{err}");
        let mut named: Vec<String> = found.iter().map(one).collect();
        named.sort();
        (code, named)
    };
    assert_eq!(named(&["lint", "--format", "json"]), (0, vec![]), "nobody has asked");
    fs::write(dir.path().join("tenantry.toml"), &asked).unwrap();
    let wanted: Vec<String> = DESIGN_FOUND.iter().map(|&it| it.to_owned()).collect();
    assert_eq!(named(&["lint", "--format", "json"]), (3, wanted.clone()));
    // A script that starts from nothing brings in the same.
    fs::write(dir.path().join("legacy.sql"), "SELECT 1;").unwrap();
    assert_eq!(named(&["lint", "script.sql", "--format", "json"]), (3, wanted));
    let allowed = DESIGN
        .replace("  payload json,", "  payload json, -- tenantry: allow json-column because it is kept as it came")
        .replace(
            "CREATE TABLE log",
            "-- tenantry: allow no-primary-key because nothing refers to it\nCREATE TABLE log",
        );
    for path in ["schema/all.sql", "script.sql"] {
        fs::write(dir.path().join(path), &allowed).unwrap();
    }
    for arguments in [&["lint"][..], &["lint", "script.sql"]] {
        let (_, out, err) = run(&dir, arguments);
        assert!(out.contains("declared, because it is kept as it came"), "{out}{err}");
        assert!(out.contains("declared, because nothing refers to it"), "{out}{err}");
    }
    // A plan has none of them.
    let (_, out, _) = run(&dir, &["plan", "--out", "plan.toml"]);
    assert!(!out.contains("no-primary-key"), "{out}");
}
