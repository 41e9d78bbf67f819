//! Statements of applications beside a plan: which step breaks one, and what is said of it.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;

#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

const CONFIG: &str =
    "[database]\nserver = 15\n[schema]\nlegacy = \"legacy.sql\"\n[queries]\npaths = [\"queries\"]\n";

fn project(legacy: &str, schema: &str, queries: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["schema", "queries"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let files =
        [("tenantry.toml", CONFIG), ("legacy.sql", legacy), ("schema/t.sql", schema), ("queries/app.sql", queries)];
    for (path, text) in files {
        fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

/// Exit code, what was printed, what was told.
fn run(dir: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(dir.path()).args(arguments).env("COLUMNS", "120").env_remove("DATABASE_URL");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn an_upsert_that_loses_its_arbiter_is_a_hazard_of_the_step() {
    let dir = project(
        "CREATE TABLE contacts (id integer PRIMARY KEY, phone text NOT NULL UNIQUE);",
        "CREATE TABLE contacts (id integer PRIMARY KEY, phone text NOT NULL, user_id integer NOT NULL DEFAULT 1,
             UNIQUE (user_id, phone));",
        "SELECT id FROM contacts WHERE phone = $1;\n
         INSERT INTO contacts (id, phone) VALUES ($1, $2) ON CONFLICT (phone) DO NOTHING;",
    );
    let (code, out, err) = run(&dir, &["plan"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("gate: no running code needs queries/app.sql:3: there is no unique"), "{out}");
    assert!(!out.contains("app.sql:1"), "the SELECT goes on working: {out}");
    fs::write(
        dir.path().join("tenantry.toml"),
        CONFIG.replace("paths = [\"queries\"]", "keep = [\"queries/app.sql\"]"),
    )
    .unwrap();
    let (_, out, err) = run(&dir, &["plan", "--out", "kept.toml"]);
    assert!(out.contains("hazard breaks-query"), "a client that is never released anew: {out}{err}");
    assert!(out.contains("needs --accept breaks-query:"), "{out}");
}

#[test]
fn a_required_column_that_an_insert_leaves_out_is_a_hazard_and_no_gate() {
    let dir = project(
        "CREATE TABLE t (id integer PRIMARY KEY, note text);",
        "CREATE TABLE t (id integer PRIMARY KEY, note text NOT NULL);",
        "INSERT INTO t (id) VALUES ($1);\nINSERT INTO t (id, note) VALUES ($1, $2);",
    );
    let (code, out, err) = run(&dir, &["plan"]);
    assert_eq!(code, 4, "{err}");
    assert!(out.contains("hazard breaks-query"), "{out}");
    assert!(out.contains("queries/app.sql:1: constraint note_is_not_null of t refuses a row"), "{out}");
    assert!(!out.contains("app.sql:2"), "{out}");
}

#[test]
fn a_privilege_that_goes_breaks_the_role_that_used_it() {
    let roles = "DO $$BEGIN CREATE ROLE trial_reader; EXCEPTION WHEN duplicate_object THEN NULL; END$$;";
    let dir = project(
        &format!("{roles} CREATE TABLE t (id integer, secret text); GRANT SELECT ON t TO trial_reader;"),
        "CREATE TABLE t (id integer, secret text); GRANT SELECT (id) ON t TO trial_reader;",
        "-- tenantry: as trial_reader\nSELECT id FROM t;\n-- tenantry: as trial_reader\nSELECT secret FROM t;",
    );
    let (code, out, err) = run(&dir, &["plan"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("queries/app.sql:4: permission denied for table t"), "{out}");
    assert!(!out.contains("app.sql:2"), "{out}");
}

#[test]
fn what_old_code_needs_goes_behind_a_gate_and_new_code_is_told_from_where_it_works() {
    let dir = project(
        "CREATE TABLE t (id integer, status text);",
        "CREATE TABLE t (id integer, state text);",
        "SELECT status FROM t;\nSELECT state FROM t WHERE id = $1;\nSELECT nothing FROM t;",
    );
    let (code, out, err) = run(&dir, &["plan", "--no-renames"]);
    assert_eq!(code, 4, "the column's values are lost: {err}");
    assert!(out.contains("gate: no running code uses column public.t.status any more"), "{out}");
    assert!(
        out.contains("gate: no running code needs queries/app.sql:1: column \"status\" does not exist"),
        "{out}"
    );
    assert!(err.contains("queries/app.sql:2 works from step 1 (expand) on"), "{err}");
    assert!(err.contains("queries/app.sql:3 works neither before nor after the plan"), "{err}");
    let (_, sql, _) = run(&dir, &["show", "plans/1-plan.toml", "--format", "sql"]);
    assert!(sql.contains("-- gate: no running code uses column public.t.status any more"), "{sql}");
    let (_, json, _) = run(&dir, &["show", "plans/1-plan.toml", "--format", "json"]);
    assert!(json.contains("\"gate"), "{json}");
}

#[test]
fn statements_that_are_no_queries_are_all_told() {
    let dir = project("CREATE TABLE t ();", "CREATE TABLE t ();", "TRUNCATE t;\nSELECT 1;\nSELEC 1;");
    let (code, _, err) = run(&dir, &["plan"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("app.sql:1:1") && err.contains("app.sql:3:1"), "{err}");
}

#[test]
fn what_a_server_has_counted_is_recorded() {
    let server = support::Server::start(&[], &["shared_preload_libraries=pg_stat_statements"]);
    server.execute(&[
        "CREATE EXTENSION pg_stat_statements",
        "CREATE TABLE t (id integer, name text)",
        "INSERT INTO t VALUES (1, 'secret of a customer')",
        "SELECT name FROM t WHERE id = 7",
        "SELECT count(*) FROM pg_class",
    ]);
    let dir = tempfile::tempdir().unwrap();
    let database = format!("host={} port={} user=postgres dbname=postgres", server.dir.display(), server.port);
    let (code, _, err) = run(&dir, &["queries", "record", "--database", &database]);
    assert_eq!(code, 0, "{err}");
    let recorded = fs::read_to_string(dir.path().join("queries/recorded.sql")).unwrap();
    assert!(recorded.contains("-- tenantry: as postgres\nSELECT name FROM t WHERE id = $1;"), "{recorded}");
    assert!(!recorded.contains("pg_class") && !recorded.contains("secret"), "{recorded}");
}

#[test]
fn a_renamed_table_answers_to_both_names_until_contract() {
    let roles = "DO $$BEGIN CREATE ROLE trial_writer; EXCEPTION WHEN duplicate_object THEN NULL; END$$;";
    let table = |name: &str, phone: &str| {
        format!(
            "CREATE TABLE {name} (id integer CONSTRAINT contacts_pkey PRIMARY KEY, {phone} text, owner name NOT NULL DEFAULT current_user);
             ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON {name} USING (owner = current_user);
             GRANT SELECT, INSERT, UPDATE ON {name} TO trial_writer;"
        )
    };
    let declared =
        table("people", "phone").replacen("TABLE people (", "TABLE people ( -- tenantry: was contacts\n", 1);
    let dir = project(
        &format!("{roles}{}", table("contacts", "phone_number")),
        &declared.replacen("phone text,", "phone text, -- tenantry: was phone_number\n", 1),
        "-- tenantry: as trial_writer
         INSERT INTO contacts (id, phone_number) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET phone_number = $2;
         -- tenantry: as trial_writer
         SELECT phone FROM people WHERE id = $1;",
    );
    let (code, out, err) = run(&dir, &["plan"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("keep the old name public.contacts alive as a view of public.people"), "{out}");
    assert!(out.contains("SELECT id, phone AS phone_number, owner FROM"), "{out}");
    assert!(out.contains("gate: no running code uses view public.contacts any more"), "{out}");
    assert!(
        out.contains("gate: no running code needs queries/app.sql:2: relation \"contacts\" does not exist"),
        "{out}"
    );
    assert!(err.contains("queries/app.sql:4 works from step"), "{err}");
    assert!(!out.contains("breaks-query") && !out.contains("hazard rename"), "{out}");
    fs::write(dir.path().join("tenantry.toml"), format!("{CONFIG}[plan]\nkeep_old_names = false\n")).unwrap();
    let (_, out, _) = run(&dir, &["plan", "--out", "at-once.toml"]);
    assert!(!out.contains("CREATE VIEW") && out.contains("hazard rename"), "{out}");
}

/// A live server with one table of many rows, and its plan to a declaration.
fn planned_live(live: &[&str], schema: &str, config: &str, queries: &str) -> (i32, String, String) {
    let server = support::Server::start(&[], &[]);
    server.execute(live);
    let dir = project("", schema, "SELECT 1;");
    fs::write(dir.path().join("queries/fast.toml"), queries).unwrap();
    fs::write(dir.path().join("tenantry.toml"), format!("[queries]\npaths = [\"queries\"]\n{config}")).unwrap();
    let database = format!("host={} port={} user=postgres dbname=postgres", server.dir.display(), server.port);
    run(&dir, &["plan", "--database", &database, "--accept", "all"])
}

#[test]
fn how_the_server_would_run_a_query_is_told_by_the_live_side_s_statistics() {
    let (code, out, err) = planned_live(
        &[
            "CREATE TABLE t (id integer PRIMARY KEY, user_id integer NOT NULL, status varchar(20), note text)",
            "INSERT INTO t SELECT n, n % 500, CASE n % 100 WHEN 0 THEN 'open' ELSE 'settled' END, 'note ' || n
               FROM generate_series(1, 50000) n",
            "CREATE INDEX t_user ON t (user_id)",
            "CREATE INDEX t_status ON t (status)",
            "CREATE TABLE few (id integer PRIMARY KEY, name text)",
            "INSERT INTO few VALUES (1, 'a')",
            "ANALYZE",
        ],
        "CREATE TABLE t (id integer PRIMARY KEY, user_id integer NOT NULL, status varchar(20), note text);
         CREATE INDEX t_status ON t (status);
         CREATE TABLE few (id integer PRIMARY KEY, name text);",
        "",
        r#"
[[query]]
name = "of a user"
sql = "SELECT id FROM t WHERE user_id = $1;"
parameters = [1]
budget_ms = 10
never_whole = ["t"]
[[query]]
name = "open ones"
sql = "SELECT id, note FROM t WHERE status = 'open'"
budget_ms = 10
[[query]]
name = "settled ones"
sql = "SELECT id, note FROM t WHERE status = 'settled'"
budget_ms = 10
[[query]]
name = "the few"
sql = "SELECT * FROM few"
budget_ms = 10
never_whole = ["few"]
"#,
    );
    assert_eq!(code, 0, "{out}{err}");
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("query \"of a user\": reads all of public.t (Seq Scan), which it must not"), "{out}");
    let change = "query \"of a user\": is run in another way: Bitmap Heap Scan on t (Bitmap Index Scan using t_user) \
                  → Seq Scan on t";
    assert!(out.contains(change), "{out}");
    // Only the statistics tell that one value is rare and the other is not.
    assert!(!out.contains("query \"open ones\""), "{out}");
    assert!(out.contains("query \"settled ones\": reads all of public.t (Seq Scan)"), "{out}");
    assert!(!out.contains("the few"), "a small table may be read whole: {out}");
}

#[test]
fn a_policy_that_asks_for_each_row_is_told() {
    let table = "CREATE TABLE t (id integer PRIMARY KEY, user_id integer NOT NULL, note text)";
    let policy = |tenant: &str| {
        format!(
            "CREATE TABLE users (id integer PRIMARY KEY); {table}; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON t USING (user_id = {tenant});"
        )
    };
    let plan = |tenant: &str| {
        let (_, out, err) = planned_live(
            &[table, "INSERT INTO t SELECT n, n % 500, 'note' FROM generate_series(1, 50000) n", "ANALYZE"],
            &policy(tenant),
            "[tenancy]\ntenant = \"users\"\nkey = \"user_id\"\nscoped = [\"t\"]\n\
             current = \"current_setting('app.tenant')::integer\"\n",
            "[[query]]\nname = \"notes\"\nsql = \"SELECT note FROM t\"\nbudget_ms = 10\n",
        );
        assert!(out.contains("CREATE POLICY"), "{out}{err}");
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let out = plan("current_setting('app.tenant')::integer");
    assert!(out.contains("query \"notes\": calls current_setting() for each row of public.t"), "{out}");
    let out = plan("(SELECT current_setting('app.tenant')::integer)");
    assert!(!out.contains("for each row of public.t"), "{out}");
}

#[test]
fn without_a_live_side_the_rows_that_are_said_are_planned_for() {
    let dir = project(
        "CREATE TABLE t (id integer PRIMARY KEY, user_id integer);",
        "CREATE TABLE t (id integer PRIMARY KEY, user_id integer, note text);",
        "SELECT 1;",
    );
    let query = "[[query]]\nname = \"of a user\"\nsql = \"SELECT id FROM t WHERE user_id = 1\"\nbudget_ms = 10\n";
    fs::write(dir.path().join("queries/fast.toml"), query).unwrap();
    let (code, out, err) = run(&dir, &["plan"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("nothing is known of the rows"), "{out}");
    // More than a gigabyte, so that the copy has files of several segments.
    let config =
        |rows: &str| fs::write(dir.path().join("tenantry.toml"), format!("{CONFIG}[queries.rows]\n{rows}\n"));
    config("t = 60_000_000").unwrap();
    let (code, out, err) = run(&dir, &["plan", "--out", "p.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("query \"of a user\": reads all of public.t (Seq Scan)"), "{out}");
    config("people = 5").unwrap();
    let (code, _, err) = run(&dir, &["plan", "--out", "q.toml"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("[queries.rows] names people"), "{err}");
}
