//! Commands as typed: what they print where, and how they end.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A directory with a declaration, and how a command in it ended.
struct Project {
    dir: TempDir,
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Project { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.current_dir(self.path()).args(arguments).env("COLUMNS", "80");
        for variable in ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const CONFIG: &str = "[database]\nserver = 15\n[schema]\nlegacy = \"legacy.sql\"\n";

#[test]
fn a_plan_is_written_and_found_again() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer PRIMARY KEY);"),
        ("schema/t.sql", "CREATE TABLE t (id integer PRIMARY KEY, note text);"),
    ]);
    let first = project.run(&["plan", "--exit-code"]);
    assert_eq!(first.code, 3, "{}", first.err);
    assert!(first.out.contains("ADD COLUMN note text"), "{}", first.out);
    let written = fs::read(project.path().join("plans/1-plan.toml")).unwrap();
    let again = project.run(&["plan"]);
    assert_eq!(again.code, 0);
    assert!(again.err.contains("plans/1-plan.toml is this plan already"), "{}", again.err);
    assert!(!project.path().join("plans/2-plan.toml").exists());
    let other = project.run(&["plan", "--out", "other.toml"]);
    assert_eq!(other.code, 0, "{}", other.err);
    assert_eq!(fs::read(project.path().join("other.toml")).unwrap(), written, "the same input, the same bytes");
    assert_eq!(project.run(&["plan", "--check", "other.toml"]).code, 0);
    fs::write(project.path().join("schema/t.sql"), "CREATE TABLE t (id integer PRIMARY KEY, note varchar(9));")
        .unwrap();
    let stale = project.run(&["plan", "--check", "other.toml"]);
    assert_eq!(stale.code, 3, "{}", stale.err);
    assert!(stale.out.contains("+"), "{}", stale.out);
}

#[test]
fn a_repository_decides_what_is_made_of_a_hazard() {
    let legacy =
        "CREATE TABLE log (a integer, b integer); CREATE INDEX by_b ON log (b); CREATE TABLE t (a integer);";
    let policy = "[plan.hazards]\ndrop-index = \"refuse\"\n\"drop-table:public.l*\" = \"allow\"\n";
    let project = Project::new(&[
        ("tenantry.toml", &format!("{CONFIG}{policy}")),
        ("legacy.sql", &format!("{legacy} CREATE TABLE gone ();")),
        ("schema/t.sql", "CREATE TABLE log (a integer, b integer); CREATE TABLE t (a integer);"),
    ]);
    let ended = project.run(&["plan"]);
    assert_eq!(ended.code, 4, "{}", ended.err);
    assert!(ended.out.contains("needs --accept drop-index:public.by_b"), "{}", ended.out);
    assert!(ended.out.contains("needs --accept drop-table:public.gone"), "{}", ended.out);
    fs::write(project.path().join("schema/t.sql"), "CREATE TABLE t (a integer); CREATE TABLE gone ();").unwrap();
    let ended = project.run(&["plan"]);
    assert_eq!(ended.code, 0, "its index goes with the table, which may go: {}{}", ended.out, ended.err);
    assert!(ended.out.contains("accepted by tenantry.toml"), "{}", ended.out);
}

#[test]
fn nothing_to_change_is_said_and_writes_nothing() {
    let table = "CREATE TABLE t (id integer PRIMARY KEY);";
    let project = Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", table), ("schema/t.sql", table)]);
    let ended = project.run(&["plan", "--exit-code"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("nothing to change"), "{}", ended.err);
    assert!(!project.path().join("plans").exists());
    assert_eq!(project.run(&["drift"]).code, 0);
}

#[test]
fn a_lookalike_of_a_rename_is_a_question() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer, phone text);"),
        ("schema/t.sql", "CREATE TABLE t (\n    id integer,\n    phone_number text\n);"),
    ]);
    let asked = project.run(&["plan"]);
    assert_eq!(asked.code, 4, "{}", asked.err);
    assert!(asked.err.contains("tenantry: was phone"), "{}", asked.err);
    assert!(!project.path().join("plans").exists());
    let dropped = project.run(&["plan", "--no-renames", "--accept", "drop-column:public.t.phone"]);
    assert_eq!(dropped.code, 0, "{}", dropped.err);
    fs::write(
        project.path().join("schema/t.sql"),
        "CREATE TABLE t (\n    id integer,\n    phone_number text -- tenantry: was phone\n);",
    )
    .unwrap();
    let renamed = project.run(&["plan", "--out", "renamed.toml"]);
    assert_eq!(renamed.code, 0, "{}", renamed.err);
    assert!(renamed.out.contains("RENAME COLUMN phone TO phone_number"), "{}", renamed.out);
}

#[test]
fn losing_data_needs_a_name() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer, fax text);"),
        ("schema/t.sql", "CREATE TABLE t (id integer);"),
    ]);
    let open = project.run(&["plan"]);
    assert_eq!(open.code, 4, "{}", open.err);
    assert!(open.err.contains("--accept drop-column:public.t.fax"), "{}", open.err);
}

#[test]
fn the_difference_is_that_of_each_object() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE b (id integer, fax text); CREATE TABLE a (id integer, note text);"),
        ("schema/t.sql", "CREATE TABLE a (id integer, note text, at date); CREATE TABLE b (id integer);"),
    ]);
    let out = project.run(&["plan", "--accept", "all"]).out;
    let difference = out.split_once("Difference of the schemas\n").unwrap().1;
    let expected = "--- live table public.a\n+++ declared table public.a\n@@ -1,4 +1,5 @@\n CREATE TABLE public.a (\n     \
        id integer,\n-    note text\n+    note text,\n+    at date\n );\n--- live table public.b\n+++ declared table \
        public.b\n@@ -1,4 +1,3 @@\n CREATE TABLE public.b (\n-    id integer,\n-    fax text\n+    id integer\n );\n";
    assert_eq!(difference, expected);
}

#[test]
fn a_backfill_may_call_what_nothing_else_needs() {
    let around = "CREATE SEQUENCE numbers; CREATE TABLE names (name text);
        CREATE FUNCTION named(i integer) RETURNS text LANGUAGE sql AS 'SELECT max(name) || i FROM public.names';";
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", &format!("{around} CREATE TABLE t (id integer PRIMARY KEY);")),
        (
            "schema/t.sql",
            &format!("{around} CREATE TABLE t (id integer PRIMARY KEY, n bigint NOT NULL, name text NOT NULL);"),
        ),
        (
            "schema/t.toml",
            "[table.t.columns]\nn.backfill = \"nextval('public.numbers')\"\nname.backfill = \"coalesce(public.named(id), '')\"\n",
        ),
    ]);
    let ended = project.run(&["plan"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn a_declared_row_comes_to_a_table_that_is_there() {
    let table = "CREATE TABLE users (id integer PRIMARY KEY, email text);";
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", &format!("{table} INSERT INTO users VALUES (7, 'a'), (8, 'b');")),
        ("schema/t.sql", table),
        ("schema/t.toml", "[[seed]]\ntable = \"users\"\nkey = [\"id\"]\nrows = [{ id = 1, email = \"c\" }]\n"),
    ]);
    let ended = project.run(&["plan"]);
    assert!(ended.code == 0 && ended.out.contains("rows survive"), "{}{}", ended.out, ended.err);
}

#[test]
fn what_is_in_no_schema_is_shown_where_it_is_made() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer PRIMARY KEY, phone text); INSERT INTO t VALUES (1, 'a');"),
        ("schema/t.sql", "CREATE TABLE t (id integer PRIMARY KEY,\nnumber text -- tenantry: was phone\n);"),
    ]);
    let out = project.run(&["plan"]).out;
    assert!(out.contains("CREATE FUNCTION public._t_phone_is_number()") && out.contains("RETURN NEW;"), "{out}");
    assert!(!out.contains("more lines, in the difference"), "{out}");
}

#[test]
fn what_accepts_a_hazard_can_be_pasted() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        (
            "legacy.sql",
            "CREATE TABLE \"my table\" (id integer, \"old fax's\" text, \"a\nb\" text);
             ALTER TABLE \"my table\" ENABLE ROW LEVEL SECURITY;",
        ),
        ("schema/t.sql", "CREATE TABLE \"my table\" (id integer);"),
    ]);
    let open = project.run(&["plan"]);
    assert_eq!(open.code, 4, "{}", open.err);
    let printed = |text: &str, before: &str| -> Vec<String> {
        let mut found: Vec<String> =
            text.lines().filter_map(|it| Some(it.split_once(before)?.1.to_owned())).collect();
        found.sort();
        found
    };
    let pasted = printed(&open.err, "needs --accept ");
    assert_eq!(pasted.len(), 3, "{pasted:?}");
    assert!(pasted.iter().any(|it| it.contains("rls") && it.ends_with(":public.\"my table\"'")), "{pasted:?}");
    assert_eq!(printed(&open.out, "needs --accept "), pasted);
    assert_eq!(printed(&open.out, "    --accept "), pasted);
    let command = format!("{} plan --accept {}", env!("CARGO_BIN_EXE_tenantry"), pasted.join(" --accept "));
    let ended = Command::new("sh").args(["-c", &command]).current_dir(project.path()).output().unwrap();
    assert!(ended.status.success(), "{command}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn what_may_be_a_password_is_not_repeated() {
    let url = "postgresql://u:s3cr3t@db.invalid/app";
    let sql = "CREATE SUBSCRIPTION s CONNECTION 'host=h password=s3cr3t' PUBLICATION p;
        CREATE ROLE clerk PASSWORD 's3cr3t';";
    let files = [("schema/s.sql", sql), ("tenantry.toml", &format!("[database]\nurl = \"{url}\"\nserver = 'x'\n"))];
    let project = Project::new(&files);
    for arguments in [&["plan", url] as &[&str], &["plan", "--datbase", url], &[url], &["plan"]] {
        let ended = project.run(arguments);
        assert!(ended.code > 0 && !ended.err.contains("s3cr3t"), "{arguments:?}: {}", ended.err);
    }
    fs::remove_file(project.path().join("tenantry.toml")).unwrap();
    let ended = project.run(&["plan", "--database", url]);
    assert!(ended.err.contains("2 errors") && !ended.err.contains("s3cr3t"), "{}", ended.err);
}

#[test]
fn a_required_column_without_a_value_is_refused() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer);"),
        ("schema/t.sql", "CREATE TABLE t (id integer, owner integer NOT NULL);"),
    ]);
    let refused = project.run(&["plan"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("backfill") && refused.err.contains("t.sql:1:29"), "{}", refused.err);
}

#[test]
fn a_declared_backfill_makes_a_required_column_possible() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", "CREATE TABLE t (id integer NOT NULL, old text);"),
        ("schema/t.sql", "CREATE TABLE t (id integer NOT NULL, old text NOT NULL, owner integer NOT NULL);"),
        (
            "schema/t.toml",
            "[table.\"public.t\".columns]\nowner = { backfill = \"id * 2\" }\n\
             old = { backfill = \"'none'\" }\n",
        ),
    ]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    assert!(planned.out.contains("UPDATE public.t SET owner = id * 2 WHERE owner IS NULL"), "{}", planned.out);
    assert!(planned.out.contains("BACKFILL"), "{}", planned.out);
}

const VIEW: &str = "CREATE VIEW v AS SELECT a FROM t;";

#[test]
fn grants_that_nobody_manages_survive_the_view_that_has_them() {
    let legacy = format!("CREATE TABLE t (a integer); {VIEW} GRANT SELECT ON v TO PUBLIC;");
    let new = format!("CREATE TABLE t (a bigint); {VIEW}");
    let project = Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", &legacy), ("schema/t.sql", &new)]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    assert!(planned.out.contains("GRANT SELECT ON TABLE public.v TO PUBLIC"), "{}", planned.out);
}

#[test]
fn grants_that_nobody_manages_go_over_to_a_partitioned_table() {
    let legacy = "CREATE TABLE t (a integer NOT NULL, at date NOT NULL);
        GRANT SELECT, INSERT ON t TO PUBLIC; GRANT UPDATE (a) ON t TO PUBLIC;";
    let new = "CREATE TABLE t (a integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE t_first PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2030-01-01');";
    let project = Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", legacy), ("schema/t.sql", new)]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    for granted in
        ["GRANT SELECT, INSERT ON TABLE public.t TO PUBLIC", "GRANT UPDATE (a) ON TABLE public.t TO PUBLIC"]
    {
        assert!(planned.out.contains(granted), "{granted}: {}", planned.out);
    }
}

#[test]
fn what_is_ignored_and_in_the_way_stops_the_plan() {
    let legacy = format!("CREATE TABLE t (a integer); {VIEW}");
    let config = format!("{CONFIG}[manage]\nignore = [\"public.v\"]\n");
    let project = Project::new(&[
        ("tenantry.toml", &config),
        ("legacy.sql", &legacy),
        ("schema/t.sql", "CREATE TABLE t (a bigint);"),
    ]);
    let stopped = project.run(&["plan"]);
    assert_eq!(stopped.code, 1, "{}", stopped.err);
    assert!(stopped.err.contains("view public.v is outside of what is managed"), "{}", stopped.err);
}

#[test]
fn what_is_ignored_and_declared_is_told() {
    let legacy = "CREATE TABLE t (a integer); CREATE TABLE other (a integer); CREATE INDEX ON other (a)";
    let config = format!("{CONFIG}[manage]\nignore = [\"public.o*\"]\n");
    let project = Project::new(&[("tenantry.toml", &config), ("legacy.sql", legacy), ("schema/t.sql", legacy)]);
    let stopped = project.run(&["plan"]);
    assert_eq!(stopped.code, 1, "{}", stopped.err);
    let words = stopped.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("table public.other is on the live side, outside of what is managed"),
        "{}",
        stopped.err
    );
}

#[test]
fn what_the_server_refuses_is_shown_in_the_file() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", ""),
        ("schema/t.sql", "CREATE TABLE t (id integer);\nCREATE VIEW v AS SELECT nothing FROM t;\n"),
    ]);
    let refused = project.run(&["plan"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("schema/t.sql:2"), "{}", refused.err);
    assert!(refused.err.contains("nothing"), "{}", refused.err);
}

#[test]
fn an_extension_that_is_not_installed_is_said_once() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", ""),
        ("schema/t.sql", "CREATE EXTENSION nowhere;\n"),
    ]);
    let refused = project.run(&["plan"]);
    assert_eq!(refused.code, 1);
    let said = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("help: the extension is not installed where the shadow server is"), "{}", refused.err);
    assert!(!said.contains("must first be installed"), "{}", refused.err);
}

#[test]
fn usage_errors_end_with_2_and_bad_files_with_1() {
    let project = Project::new(&[("tenantry.toml", "[manage]\nnamespace = []\n")]);
    assert_eq!(project.run(&["plan", "--no-such-option"]).code, 2);
    let unknown = project.run(&["plan"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("did you mean `namespaces`?"), "{}", unknown.err);
    let empty =
        Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", ""), ("schema/empty.sql", "-- nothing\n")]);
    let empty = empty.run(&["plan"]);
    assert_eq!(empty.code, 1);
    assert!(empty.err.contains("would drop everything"), "{}", empty.err);
}

#[test]
fn the_help_fits_a_terminal_and_tells_the_exit_codes() {
    let project = Project::new(&[]);
    let help = project.run(&["--help"]).out;
    for code in include_str!("../README.md").lines().filter_map(|it| it.strip_prefix("| ")?.split_once(" | ")) {
        let (number, meaning) = code;
        if number.len() == 1 && number != "|" {
            let meaning = meaning.split([' ', ',']).next().unwrap();
            assert!(help.contains(&format!("\n  {number}  {meaning}")), "{number} {meaning}: {help}");
        }
    }
    for command in ["", "init", "plan", "show", "apply", "resume", "rollback", "status", "drift", "lint", "bench"] {
        let help = project.run(&[command, "--help"].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>());
        assert_eq!(help.code, 0, "{command}");
        assert!(help.out.lines().all(|it| it.chars().count() <= 80), "{command}: {}", help.out);
        let (own, everywhere) = help.out.split_once("Everywhere:").expect("what all commands take stands apart");
        assert!(everywhere.contains("--database") && !own.contains("--database <"), "{command}: {}", help.out);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_goes_nowhere_is_a_failure() {
    let project = Project::new(&[("schema/t.sql", "CREATE TABLE t (id integer);")]);
    let show = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        let ended = command.current_dir(project.path()).args(["show", "schema"]).stdout(out).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let (code, said) = show(full.into());
    assert!(code == Some(1) && said.contains("the output can't be written: No space left"), "{code:?} {said}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(show(writer.into()), (Some(0), String::new()), "who reads no further has seen enough");
    // Nor does it matter whether anybody reads what is told beside it.
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.current_dir(project.path()).args(["show", "schema", "--config", "nowhere.toml"]).stderr(writer);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
}

#[test]
fn a_server_that_cannot_be_reached_is_said_without_its_password() {
    let project = Project::new(&[("schema/t.sql", "CREATE TABLE t (id integer);")]);
    let ended = project.run(&["plan", "--database", "postgresql://me:sesame@127.0.0.1:1/shop?connect_timeout=2"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("127.0.0.1"), "{}", ended.err);
    assert!(!ended.err.contains("sesame"), "{}", ended.err);
}

#[test]
fn without_a_project_the_command_line_says_all() {
    let project = Project::new(&[("declared/t.sql", "CREATE TABLE t (id integer);")]);
    let shown = project.run(&["show", "schema", "--schema", "declared"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("CREATE TABLE t"), "{}", shown.out);
}

#[test]
fn without_a_tenancy_its_commands_say_so() {
    let project = Project::new(&[("tenantry.toml", CONFIG), ("schema/t.sql", "CREATE TABLE t (id integer);")]);
    for command in ["expand", "check", "prove"] {
        let ended = project.run(&["tenancy", command]);
        assert_eq!(ended.code, 2, "{command}: {}", ended.err);
        assert!(ended.err.contains("no tenancy is declared"), "{command}: {}", ended.err);
    }
}

#[test]
fn a_leak_is_told_with_its_statement_and_exits_with_3() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path();
    fs::create_dir(path.join("schema")).unwrap();
    let tables = "CREATE TABLE users (id int PRIMARY KEY);
         CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES users (id), body text);
         ALTER TABLE users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON users USING (id = current_setting('app.tenant')::int);\n";
    let secured = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON notes USING (user_id = current_setting('app.tenant')::int);\n";
    let settings = "[schema]\npaths = ['schema']\nlegacy = 'legacy.sql'\n[tenancy]\ntenant = 'users'\nkey = 'user_id'\n\
                    current = \"current_setting('app.tenant')::int\"\nscoped = ['notes']\n";
    fs::write(path.join("legacy.sql"), "SELECT").unwrap();
    fs::write(path.join("tenantry.toml"), settings).unwrap();
    fs::write(path.join("schema/all.sql"), format!("{tables}{secured}")).unwrap();
    let prove = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        for variable in ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"] {
            command.env_remove(variable);
        }
        command.current_dir(path).args(["tenancy", "prove"]).args(more).output().unwrap()
    };
    let sound = prove(&[]);
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stdout));
    fs::write(path.join("schema/all.sql"), tables).unwrap();
    let leaky = prove(&[]);
    assert_eq!(leaky.status.code(), Some(3));
    let said = String::from_utf8_lossy(&leaky.stdout);
    assert!(
        said.contains("LEAK prove-select:public.notes") && said.contains("SELECT p::text FROM public.notes"),
        "{said}"
    );
    let json: serde_json::Value = serde_json::from_slice(&prove(&["--format", "json"]).stdout).unwrap();
    assert_eq!(json[0]["tenants"], serde_json::json!(["1", "2", "3"]));
}

#[test]
fn an_accepted_finding_that_is_not_there_is_told() {
    let config =
        "[schema]\nlegacy = \"legacy.sql\"\n[tenancy]\ntenant = \"users\"\nkey = \"user_id\"\nscoped = [\"*\"]
current = \"current_setting('app.tenant')::int\"\nmode = \"expand\"\n[tenancy.allow]
\"definer-without-tenant:mine\" = \"it is\"\n\"row-security-not-forced:public.users\" = \"no reason\"\n";
    let schema = "CREATE TABLE users (id integer PRIMARY KEY);
        CREATE TABLE notes (id serial PRIMARY KEY);
        CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = ''
            AS 'SELECT count(*) FROM public.notes';";
    let project = Project::new(&[("tenantry.toml", config), ("legacy.sql", ""), ("schema/all.sql", schema)]);
    let checked = project.run(&["tenancy", "check"]);
    assert_eq!(checked.code, 3, "{}", checked.err);
    for said in [
        "nothing is found that definer-without-tenant:mine accepts",
        "what is found is `definer-without-tenant:public.mine()`",
        "nothing is found that row-security-not-forced:public.users accepts",
    ] {
        assert!(checked.err.contains(said), "{said}: {}", checked.err);
    }
}

#[test]
fn a_file_where_the_plans_should_be_is_named() {
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", ""),
        ("schema/t.sql", "CREATE TABLE t (id integer);"),
        ("plans", "no directory"),
    ]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 1, "{}", planned.out);
    for said in ["plan files can't be kept in plans: not a directory", "help: name another directory with `plans`"]
    {
        assert!(planned.err.contains(said), "{said}: {}", planned.err);
    }
    assert_eq!(fs::read_to_string(project.path().join("plans")).unwrap(), "no directory");
}

#[test]
fn what_is_nested_too_deeply_is_told_with_the_way_out() {
    let for_the_server = format!("CREATE VIEW v AS SELECT 1{} AS a;", " + 1".repeat(20_000));
    let for_the_parser = format!("CREATE VIEW v AS SELECT {}1{} AS a;", "abs(".repeat(30_000), ")".repeat(30_000));
    let told = [
        (for_the_server, ["stack depth limit exceeded", "max_stack_depth"]),
        (for_the_parser, ["memory exhausted at or near", "deeper than PostgreSQL's parser follows"]),
    ];
    for (deep, words) in told {
        let project = Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", ""), ("schema/v.sql", &deep)]);
        let planned = project.run(&["plan"]);
        assert_eq!(planned.code, 1, "{}", planned.out);
        for said in words.into_iter().chain(["schema/v.sql:1:"]) {
            assert!(planned.err.contains(said), "{said}: {}", planned.err);
        }
        let widest = planned.err.lines().map(|it| it.chars().count()).max();
        assert!(widest <= Some(80), "{}", planned.err);
        assert!(!project.path().join("plans").exists(), "nothing is written");
    }
}

#[test]
fn what_nobody_manages_is_there_for_what_uses_it() {
    let unmanaged = "CREATE COLLATION folded (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
         CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple, STOPWORDS = english);
         CREATE TEXT SEARCH CONFIGURATION words (COPY = english);
         ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword WITH plain, english_stem;
         CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
         CREATE AGGREGATE total(integer) (SFUNC = add, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
         CREATE OPERATOR |+| (FUNCTION = add, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = |+|);
         CREATE TYPE pair AS (a integer, b integer);
         CREATE FUNCTION sum_of(pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a + $1.b';
         CREATE CAST (pair AS integer) WITH FUNCTION sum_of(pair) AS ASSIGNMENT;\n";
    let managed = "CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
         CREATE TYPE pair AS (a integer, b integer);
         CREATE FUNCTION sum_of(pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a + $1.b';\n";
    let used = "CREATE TABLE t (a TYPE_OF_A, name text COLLATE folded, duo pair,
             found tsvector GENERATED ALWAYS AS (to_tsvector('public.words', 'x')) STORED);
         CREATE VIEW v AS SELECT total(a::integer |+| duo::integer) AS total FROM t GROUP BY name;";
    let (old, new) = (used.replace("TYPE_OF_A", "integer"), used.replace("TYPE_OF_A", "bigint"));
    // The last is the first to use any of it.
    for (declared, old) in [(unmanaged, old.as_str()), (managed, &old), (managed, "CREATE TABLE t ();")] {
        let project = Project::new(&[
            ("tenantry.toml", CONFIG),
            ("legacy.sql", &format!("{unmanaged}{old}")),
            ("schema/all.sql", &format!("{declared}{new}")),
        ]);
        let planned = project.run(&["plan"]);
        assert_eq!(planned.code, 0, "{}", planned.err);
        assert!(planned.out.contains("not managed, and left as it is"), "{}", planned.out);
        assert!(!planned.out.contains("Not proved"), "{}", planned.out);
    }
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", &format!("{managed}CREATE TABLE t ();")),
        ("schema/all.sql", &format!("{unmanaged}CREATE TABLE t (a integer);")),
    ]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    let notes = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(notes.contains("yours to make on the live side: aggregate public.total(integer), "), "{}", planned.out);
    assert!(notes.contains("collation public.folded, "), "{}", planned.out);
}

#[test]
fn what_nobody_manages_stops_a_plan_that_takes_away_what_it_stands_on() {
    let label = |of: &str| format!("INSERT INTO pg_seclabel SELECT {of}, 0, 'selinux', 'x';");
    let labels = [label("'v'::regclass, 'pg_class'::regclass"), label("'gone'::regclass, 'pg_class'::regclass")];
    let labelled = format!(
        "CREATE TABLE gone (a integer); CREATE VIEW v AS SELECT 1 AS a;
         SET allow_system_table_mods = on; {}",
        labels.concat()
    );
    // What stands on it, the object that it stands on, and the declaration that changes this.
    for (live, named, on, declared) in [
        (
            "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m mood);
             CREATE FUNCTION mood_of(text) RETURNS mood LANGUAGE sql AS 'SELECT NULL::mood';
             CREATE CAST (text AS mood) WITH FUNCTION mood_of(text);",
            "cast (pg_catalog.text AS public.mood)",
            "enum public.mood",
            "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood);
             CREATE FUNCTION mood_of(text) RETURNS mood LANGUAGE sql AS 'SELECT NULL::mood';",
        ),
        (
            "CREATE FUNCTION before(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
             CREATE FUNCTION compared(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
             CREATE OPERATOR <<< (FUNCTION = before, LEFTARG = integer, RIGHTARG = integer);
             CREATE OPERATOR CLASS odd FOR TYPE integer USING btree AS OPERATOR 1 <<<, FUNCTION 1 compared(integer, integer);",
            "operator class public.odd USING btree",
            "routine public.compared(integer, integer)",
            "CREATE FUNCTION before(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';",
        ),
        (
            "CREATE SCHEMA app; CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);",
            "text search configuration app.words",
            "namespace app",
            "CREATE TABLE t ();",
        ),
        (
            "CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
             CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION seen();",
            "event trigger seen",
            "routine public.seen()",
            "CREATE TABLE t ();",
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;
             CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
             CREATE FOREIGN TABLE theirs (a integer DEFAULT one()) SERVER far;",
            "foreign table public.theirs",
            "routine public.one()",
            "CREATE TABLE t ();",
        ),
        (&labelled, "security label of selinux on view public.v", "view public.v", "CREATE VIEW v AS SELECT 'a' AS a;"),
    ] {
        let project = Project::new(&[
            ("tenantry.toml", CONFIG),
            ("legacy.sql", live),
            ("schema/all.sql", &format!("{declared}\n")),
        ]);
        let planned = project.run(&["plan"]);
        assert_eq!(planned.code, 1, "{}", planned.out);
        let told = planned.err.replace("│", "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("× {named} is not managed, and")), "{named}: {}", planned.err);
        assert!(told.contains(&format!("{on}, which the plan drops or makes anew")), "{on}: {}", planned.err);
        assert_eq!(told.matches("is not managed").count(), 1, "{}", planned.err);
        assert!(!project.path().join("plans").exists(), "nothing is written");
    }
}

#[test]
fn an_operator_class_made_by_hand_is_there_for_what_uses_it() {
    let class = "CREATE FUNCTION before(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
         CREATE FUNCTION before(integer, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
         CREATE FUNCTION compared(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
         CREATE OPERATOR <<< (FUNCTION = before, LEFTARG = integer, RIGHTARG = integer);
         CREATE OPERATOR <<< (FUNCTION = before, LEFTARG = integer, RIGHTARG = bigint);
         CREATE OPERATOR CLASS odd FOR TYPE integer USING btree AS OPERATOR 1 <<<, FUNCTION 1 compared(integer, integer);
         ALTER OPERATOR FAMILY odd USING btree ADD OPERATOR 1 <<< (integer, bigint);\n";
    let project = Project::new(&[
        ("tenantry.toml", CONFIG),
        ("legacy.sql", &format!("{class}CREATE TABLE t (a integer);")),
        ("schema/all.sql", &format!("{class}CREATE TABLE t (a integer); CREATE INDEX ON t (a odd);\n")),
    ]);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    assert!(planned.out.contains("not managed, and left as it is"), "{}", planned.out);
    assert!(!planned.out.contains("declared otherwise") && !planned.out.contains("Not proved"), "{}", planned.out);
}

#[test]
fn options_of_servers_are_compared_and_their_secrets_are_not_told() {
    let foreign = |host: &str, password: &str, table: &str| {
        format!(
            "CREATE FOREIGN DATA WRAPPER w;
             CREATE SERVER far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (host '{host}', api_key '{password}');
             CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (\"user\" 'u', password '{password}');
             CREATE FOREIGN TABLE theirs (a integer) SERVER far OPTIONS (table_name '{table}');\n"
        )
    };
    let live = foreign("one", "hunter2", "t");
    let notes = |declared: &str| {
        let project = Project::new(&[
            ("tenantry.toml", CONFIG),
            ("legacy.sql", &format!("{live}CREATE TABLE t ();")),
            ("schema/all.sql", &format!("{declared}CREATE TABLE t (a integer);\n")),
        ]);
        let planned = project.run(&["plan"]);
        assert_eq!(planned.code, 0, "{}", planned.err);
        let written = fs::read_to_string(project.path().join("plans/1-plan.toml")).unwrap();
        for told in [&planned.out, &planned.err, &written] {
            assert!(!told.contains("hunter"), "{told}");
        }
        planned.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(!notes(&foreign("one", "hunter2", "t")).contains("declared otherwise"));
    let others = notes(&foreign("two", "hunter2", "u"));
    for other in ["foreign table public.theirs", "server far"] {
        let said = format!("yours to change on the live side: {other}");
        assert!(others.contains(&said) || others.contains(&format!(", {other}")), "{said}: {others}");
    }
    // A secret is not looked at.
    assert!(!notes(&foreign("one", "hunter3", "t")).contains("declared otherwise"));
}

#[test]
fn functions_that_call_each_other_are_told_a_way_out() {
    let function =
        |name: &str, body: &str| format!("CREATE FUNCTION {name}() RETURNS integer LANGUAGE sql {body};\n");
    let plan = |one: &str| {
        let declared = [
            function("one", one),
            function("two", "BEGIN ATOMIC SELECT one(); END"),
            function("three", "BEGIN ATOMIC SELECT two(); END"),
        ];
        let files = [
            ("tenantry.toml", CONFIG),
            ("legacy.sql", "CREATE TABLE t ();"),
            ("schema/all.sql", &declared.concat()),
        ];
        Project::new(&files).run(&["plan", "--accept", "all"])
    };
    let refused = plan("BEGIN ATOMIC SELECT two(); END");
    let said = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(refused.code, 1, "{said}");
    assert!(
        said.contains("write the body of one of them as a string") && !said.contains("declare it, or"),
        "{said}"
    );
    assert!(said.contains("2 errors"), "what only follows is not told: {said}");
    let planned = plan("AS 'SELECT two()'");
    assert_eq!(planned.code, 0, "{}", planned.err);
}

#[test]
fn an_access_method_made_by_hand_is_there_for_what_uses_it() {
    let method = "CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
         CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;\n";
    let project = |legacy: &str, declared: &str| {
        let declared = format!("{declared}CREATE TABLE t (a integer, b integer) USING pile;\n");
        let legacy = format!("{legacy}CREATE TABLE u (a integer);");
        Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", &legacy), ("schema/t.sql", &declared)])
    };
    for declared in ["", method] {
        let old = format!("{method}CREATE TABLE t (a integer) USING pile;");
        let planned = project(&old, &format!("{declared}CREATE TABLE u (a integer);\n")).run(&["plan"]);
        assert_eq!(planned.code, 0, "{}", planned.err);
        assert!(planned.out.contains("ADD COLUMN b integer"), "{}", planned.out);
        assert!(!planned.out.contains("Not proved"), "{}", planned.out);
    }
    let missing = project("", "CREATE TABLE u (a integer);\n").run(&["plan"]);
    assert_eq!(missing.code, 1, "{}", missing.out);
    let said = missing.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("declare the extension, or make the method on the live side"), "{}", missing.err);
    assert!(!said.contains("outside the managed namespaces"), "methods have no namespace: {}", missing.err);
}

#[test]
fn what_nobody_manages_and_is_not_there_is_named() {
    let legacy = "CREATE COLLATION folded (PROVIDER = icu, LOCALE = 'de');
         CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;";
    let declared = "CREATE COLLATION folded (PROVIDER = icu, LOCALE = 'fr');
         CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de');
         CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
         CREATE AGGREGATE total(integer) (SFUNC = add, STYPE = integer);
         CREATE TABLE t (a integer);\n";
    let files = |more: &str| {
        Project::new(&[
            ("tenantry.toml", CONFIG),
            ("legacy.sql", legacy),
            ("schema/all.sql", &format!("{declared}{more}")),
        ])
    };
    let planned = files("").run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    let notes = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for note in [
        "declared otherwise, not managed, and yours to change on the live side: collation public.folded",
        "declared, not managed, and yours to make on the live side: aggregate public.total(integer), collation public.german",
    ] {
        assert!(notes.contains(note), "{note}: {}", planned.out);
    }
    let refused = files("CREATE TABLE u (name text COLLATE german);").run(&["plan"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    for said in
        ["collation \"public.german\" for encoding", "aggregate public.total(integer)", "make what the step needs"]
    {
        assert!(refused.err.contains(said), "{said}: {}", refused.err);
    }
}

#[test]
fn bodies_are_read_as_the_server_reads_them() {
    let project = |functions: &str| {
        let schema = format!("CREATE TABLE t (a integer);\n{functions}");
        Project::new(&[("tenantry.toml", CONFIG), ("legacy.sql", ""), ("schema/all.sql", &schema)])
    };
    let wrong = project(
        "CREATE FUNCTION count_t() RETURNS bigint LANGUAGE sql AS $$\n    SELECT count(*) FORM t\n$$;
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE plpgsql AS $$\nBEGIN\n    RETRN 1;\nEND $$;\n",
    )
    .run(&["plan"]);
    assert_eq!(wrong.code, 1, "{}", wrong.out);
    for said in ["schema/all.sql:3:", "FORM", "schema/all.sql:7:", "RETRN", "2 errors"] {
        assert!(wrong.err.contains(said), "{said}: {}", wrong.err);
    }
    let lost = project(
        "CREATE SCHEMA app; CREATE TABLE app.there (a integer);
CREATE FUNCTION app.count_there() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM there, t $$;
CREATE FUNCTION count_lost() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM lost $$;\n",
    )
    .run(&["plan"]);
    assert_eq!(lost.code, 0, "{}", lost.err);
    // A label may take two lines.
    let words = lost.err.split_whitespace().filter(|it| !matches!(*it, "│" | "·"));
    let told = words.collect::<Vec<_>>().join(" ");
    for said in ["function public.count_lost() refers to", "schema/all.sql:4:", "relation \"lost\" does not exist"]
    {
        assert!(told.contains(said), "{said}: {}", lost.err);
    }
    assert!(!told.contains("\"there\" does not exist"), "found in its own namespace: {}", lost.err);
}

const BODIES: &str = r#"CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE app.there (a integer, name text);
CREATE FUNCTION app.title(app.there) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
CREATE FUNCTION app.wrong(p integer) RETURNS integer LANGUAGE plpgsql AS $body$
DECLARE
    r record;
    v integer := gone(1);
BEGIN
    SELECT count(*) INTO v FROM lost WHERE a = p;
    PERFORM app.gone(1), t.b FROM app.there t;
    INSERT INTO app.there (a, nme) VALUES (1, 'x');
    IF EXISTS (SELECT FROM app.lost) THEN RETURN missing(v); END IF;
    FOR r IN SELECT * FROM there LOOP UPDATE there SET c = r.b; END LOOP;
    RETURN v;
END $body$;
CREATE FUNCTION app.right(p integer) RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    r record;
    m mood := 'sad';
    c CURSOR (k integer) FOR SELECT * FROM app.there WHERE a = k;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS scratch (a integer);
    EXECUTE 'CREATE TEMP TABLE built AS SELECT 1 AS a FROM nowhere';
    INSERT INTO scratch SELECT a FROM built;
    SELECT t.name, t.title, t.ctid INTO r FROM app.there t;
    PERFORM r.b, mood(r.b), NEW.x, pg_temp.f(1) FROM pg_temp.here, pg_catalog.pg_class, information_schema.tables;
    PERFORM gen_random_uuid(), extract(year FROM now()), other.f(1) FROM other.t, changed;
    WITH q AS (SELECT 1 AS x) SELECT q.x INTO r FROM q;
    OPEN c(1);
    INSERT INTO app.there AS t (a) VALUES (1) ON CONFLICT DO NOTHING RETURNING t.a INTO r.b;
    INSERT INTO checkpoints (b) VALUES (1);
    RETURN NULL;
END $body$;
CREATE FUNCTION app.after() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM FROM changed; RETURN NULL; END';
CREATE TRIGGER after AFTER INSERT ON app.there REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION app.after();
"#;

#[test]
fn names_in_bodies_that_nobody_declares_are_told_with_their_places() {
    let config = format!("{CONFIG}[manage]\nignore = [\"public.checkpoint*\"]\n");
    let project = Project::new(&[("tenantry.toml", &config), ("legacy.sql", ""), ("schema/all.sql", BODIES)]);
    // The second time, what the shadow made of the declaration is kept.
    for _ in 0..2 {
        let planned = project.run(&["plan"]);
        assert_eq!(planned.code, 0, "{}", planned.err);
        insta::assert_snapshot!("names_that_nobody_declares", planned.err.split("written to").next().unwrap());
        std::fs::remove_dir_all(project.path().join("plans")).unwrap();
    }
}

/// Two namespaces of which one is managed, extensions in both, and default privileges in each and in none.
const TWO_NAMESPACES: &str = "
    CREATE SCHEMA other; CREATE ROLE two_readers;
    CREATE EXTENSION citext; CREATE EXTENSION pg_trgm WITH SCHEMA other; CREATE EXTENSION hstore WITH SCHEMA other;
    CREATE TABLE t (name citext);
    CREATE TABLE other.t (name citext, more other.hstore);
    ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT SELECT ON TABLES TO two_readers;";

const ONE_OF_THEM: &str = "
    CREATE EXTENSION citext; CREATE EXTENSION pg_trgm WITH SCHEMA other;
    CREATE TABLE t (name citext, kind text);
    CREATE INDEX ON t USING gin (kind other.gin_trgm_ops);
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO two_readers;
    ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO two_readers;";

#[test]
fn of_several_namespaces_some_are_managed() {
    let config = format!("{CONFIG}[manage]\nnamespaces = [\"public\"]\n");
    let files =
        [("tenantry.toml", config.as_str()), ("legacy.sql", TWO_NAMESPACES), ("schema/all.sql", ONE_OF_THEM)];
    let project = Project::new(&files);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    let sql = project.run(&["show", "plans/1-plan.toml", "--format", "sql"]).out;
    let statements: Vec<&str> = sql
        .lines()
        .map(str::trim)
        .filter(|it| ["ALTER", "CREATE", "DROP", "GRANT", "REVOKE"].iter().any(|word| it.starts_with(word)))
        .collect();
    insta::assert_snapshot!("of_several_namespaces_some_are_managed", statements.join("\n"));
}
