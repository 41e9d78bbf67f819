//! What stands against a plan on the live side is told before its first step, and nothing is done.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

#[allow(dead_code, reason = "nobody writes meanwhile")]
#[path = "support/project.rs"]
mod project;
#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

use project::Project;

/// Plans and applies what stands against the live side: both say so, and the second does nothing. Without the look
/// before, it fails in the middle.
async fn stands_against(project: &Project, words: &[&str]) {
    let said = project.plan().await;
    assert!(words.iter().all(|it| said.contains(it)), "{words:?} of the plan: {said}");
    stops(project, words).await;
}

/// The same of a plan that stood when it was made.
async fn stops(project: &Project, words: &[&str]) {
    does_nothing(project, words).await;
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes", "--no-preflight"]).await;
    assert!(!succeeded, "{said}");
}

async fn does_nothing(project: &Project, words: &[&str]) {
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes"]).await;
    assert!(!succeeded && words.iter().all(|it| said.contains(it)), "{words:?}: {said}");
    assert_eq!(project.text("SELECT to_regnamespace('tenantry')::text").await, "", "{said}");
}

#[tokio::test]
async fn duplicates_that_a_move_brings() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL);
        CREATE TABLE profiles (contact_id bigint PRIMARY KEY REFERENCES contacts);
        INSERT INTO contacts VALUES (1, 'a'), (2, 'b'), (3, 'a'); INSERT INTO profiles SELECT id FROM contacts;";
    let new = r#"
        [table."public.contacts"]
        columns = { id = { type = "bigint" } }
        primary_key = ["id"]
        [table."public.profiles"]
        primary_key = ["contact_id"]
        [table."public.profiles".columns]
        contact_id = { type = "bigint", references = "contacts" }
        phone = { type = "text", null = false, unique = true }
        [[move]]
        from = "contacts"
        to = "profiles"
        where = "contacts.id = profiles.contact_id"
        columns = { phone = "contacts.phone" }
        becomes = { phone = "profiles.phone" }
    "#;
    let project = Project::new("moved_twice", old, &[("schema/contacts.toml", new)]).await;
    stands_against(&project, &["rows of public.profiles are alike in phone: a (2 times)"]).await;
}

#[tokio::test]
async fn a_name_that_is_taken_in_the_quarantine() {
    let old = "CREATE TABLE kept (id bigint PRIMARY KEY);
        CREATE TABLE faxes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
        CREATE INDEX faxes_note ON faxes (note);";
    let files = [
        ("schema/kept.sql", "CREATE TABLE kept (id bigint PRIMARY KEY);"),
        ("tenantry.toml", "[plan]\nquarantine = \"attic\"\n"),
    ];
    let project = Project::new("taken", old, &files).await;
    project.plan().await;
    let admin = project.connect().await.client;
    admin.batch_execute("CREATE SCHEMA attic").await.unwrap();
    stops(&project, &["there is a namespace attic by now"]).await;

    admin.batch_execute("DROP SCHEMA IF EXISTS tenantry CASCADE; CREATE TABLE attic.old (); CREATE INDEX faxes_pkey ON attic.old ((1))").await.unwrap();
    project.run(&["plan", "--out", "plan.toml", "--accept", "all", "--anew"]).await;
    let meanwhile = "CREATE SEQUENCE attic.faxes_note; CREATE TYPE attic.faxes AS ENUM ();";
    admin.batch_execute(meanwhile).await.unwrap();
    stops(&project, &["attic.faxes; attic.faxes_note is there by now"]).await;
}

/// A table of so many rows that it is not changed in one statement.
const MANY: &str = "CREATE TABLE t (id bigint PRIMARY KEY, day date, n numeric, note text, p bigint);
    CREATE TABLE p (id bigint PRIMARY KEY); INSERT INTO p VALUES (1);
    INSERT INTO t SELECT i, '2024-02-02', i, i::text, 1 FROM generate_series(1, 12000) i; ANALYZE;";

/// Many rows, one or two of which stand against what is declared.
async fn one_of_many(database: &'static str, new: &str, fault: &str, words: &[&str]) {
    let new = format!("CREATE TABLE p (id bigint PRIMARY KEY); {new};");
    let project = Project::new(database, &format!("{MANY}{fault}"), &[("schema/t.sql", &new)]).await;
    stands_against(&project, words).await;
}

fn columns(n: &str, note: &str) -> String {
    format!("CREATE TABLE t (id bigint PRIMARY KEY, day date, n {n}, note {note}, p bigint)")
}

#[tokio::test]
async fn values_that_a_column_beside_can_not_take_over() {
    // The server would round it without a word.
    let lost = "UPDATE t SET n = 7.5 WHERE id = 11999;";
    let new = format!("CREATE TABLE p (id bigint PRIMARY KEY); {};", columns("integer", "text"));
    let project = Project::new("rounded", &format!("{MANY}{lost}"), &[("schema/t.sql", &new)]).await;
    project.plan().await;
    does_nothing(&project, &["values of public.t.n do not survive its new type: id = 11999"]).await;
    let large = "UPDATE t SET n = 3000000000 WHERE id = 11999;";
    one_of_many("large", &columns("integer", "text"), large, &["id = 11999: integer out of range"]).await;
    let word = "UPDATE t SET note = 'x' WHERE id = 11999;";
    let words = ["values of public.t.note do not survive its new type: id = 11999: invalid input syntax"];
    one_of_many("words", &columns("numeric", "integer"), word, &words).await;
    let twice = "UPDATE t SET n = 5.0 WHERE id = 11999;";
    let words = ["rows of public.t are alike in n: 5 (2 times)"];
    one_of_many("twice", &columns("integer UNIQUE", "text"), twice, &words).await;
    let negative = "UPDATE t SET n = -1 WHERE id = 11999;";
    let words = ["rows of public.t break the check positive", "id = 11999"];
    one_of_many("negative", &columns("integer CONSTRAINT positive CHECK (n > 0)", "text"), negative, &words).await;
}

#[tokio::test]
async fn rows_are_alike_as_the_index_compares_them_and_where_a_key_tells_nobody_looks() {
    let old = "CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (id bigint PRIMARY KEY, name text, n integer);
        INSERT INTO t SELECT g, 'name ' || g, 1 FROM generate_series(1, 20000) g;
        INSERT INTO t VALUES (0, 'Name 1', 1); ANALYZE t;";
    let keyed = "CREATE TABLE t (id bigint PRIMARY KEY, name text, n integer, UNIQUE (n, id));";
    let project = Project::new("as_compared", old, &[("schema/t.sql", keyed)]).await;
    let said = project.plan().await;
    assert!(!said.contains("unique-may-fail"), "{said}");
    let read = project.text("SELECT seq_tup_read::text FROM pg_stat_user_tables").await;
    assert!(read.parse::<u64>().unwrap() < 20_000, "{read} rows read");
    let collated = format!("{keyed} CREATE UNIQUE INDEX t_name ON t (name COLLATE alike);");
    std::fs::write(project.dir.path().join("schema/t.sql"), collated).unwrap();
    stands_against(&project, &["rows of public.t are alike in name: ", "ame 1 (2 times)"]).await;
}

#[tokio::test]
async fn what_is_declared_for_new_rows_only_is_not_asked_of_those_that_stand() {
    let old = "CREATE DOMAIN age AS integer;
        CREATE TABLE t (id bigint PRIMARY KEY, n integer, years age); INSERT INTO t VALUES (1, -1, -1);";
    let new = "CREATE DOMAIN age AS integer;
        ALTER DOMAIN age ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
        CREATE TABLE t (id bigint PRIMARY KEY, n integer, years age);
        ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;";
    let project = Project::new("new_rows_only", old, &[("schema/t.sql", new)]).await;
    project.plan().await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
}

const PARTED: &str =
    "PARTITION BY RANGE (day); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')";

#[tokio::test]
async fn rows_of_a_table_that_becomes_a_partition_of_itself() {
    let t = "CREATE TABLE t (id bigint, day date NOT NULL, n numeric, note text, p bigint REFERENCES p,
        CHECK (n > 0), PRIMARY KEY (id, day))";
    let new = format!("{t} {PARTED}");
    let later = "UPDATE t SET day = '2025-02-02' WHERE id = 11999;";
    one_of_many("later", &new, later, &["rows of public.t break the check t_1_bound: id = 11999"]).await;
    let never = "UPDATE t SET day = NULL WHERE id = 11999;";
    one_of_many("never", &new, never, &["rows of public.t have no value for day", "id = 11999"]).await;
    let broken = "UPDATE t SET n = -1 WHERE id = 11999; UPDATE t SET p = 2 WHERE id = 11998;";
    let words = [
        "rows of public.t break the check t_n_check: id = 11999",
        "rows of public.t refer to no row of public.p: id = 11998",
    ];
    one_of_many("broken", &new, broken, &words).await;
}

#[tokio::test]
async fn checks_on_a_column_that_comes() {
    let new = "CREATE TABLE t (id bigint PRIMARY KEY, day date, n numeric, note text, p bigint,
        size integer NOT NULL CONSTRAINT short CHECK (size < 5))";
    let more = "[table.\"public.t\".columns]\nsize = { backfill = \"length(note)\" }\n";
    let new = format!("CREATE TABLE p (id bigint PRIMARY KEY); {new};");
    let files = [("schema/t.sql", new.as_str()), ("schema/t.toml", more)];
    let project = Project::new("sized", MANY, &files).await;
    stands_against(&project, &["rows of public.t break the check short: id = 10000; id = 10001"]).await;
}

#[tokio::test]
async fn rows_under_the_names_that_columns_have_by_then() {
    let new = "CREATE TABLE t (id bigint PRIMARY KEY, day date, n numeric, p bigint,
        size text NOT NULL UNIQUE CONSTRAINT short CHECK (length(size) < 6) -- tenantry: was note
        )";
    let fault = "UPDATE t SET note = '5' WHERE id = 6; UPDATE t SET note = NULL WHERE id = 7;
        UPDATE t SET note = 'longer' WHERE id = 8;";
    let new = format!("CREATE TABLE p (id bigint PRIMARY KEY); {new};");
    let files = [("schema/t.sql", new.as_str()), ("tenantry.toml", "[plan]\nidle = [\"public.t\"]\n")];
    let project = Project::new("idle", &format!("{MANY}{fault}"), &files).await;
    let words = [
        "rows of public.t have no value for note, which becomes required: id = 7",
        "rows of public.t are alike in size: 5 (2 times)",
        "rows of public.t break the check short: id = 8",
    ];
    stands_against(&project, &words).await;
}

#[tokio::test]
async fn rows_that_exclude_each_other() {
    let old = "CREATE TABLE t (id bigint PRIMARY KEY, at int4range, kind text);
        INSERT INTO t VALUES (1, '[1,5)', 'a'), (2, '[3,9)', 'a'), (3, '[4,6)', 'b'), (4, '[20,30)', 'a');";
    let new = "CREATE TABLE t (id bigint PRIMARY KEY, at int4range, kind text,
        CONSTRAINT apart EXCLUDE USING gist (at WITH &&) WHERE (kind = 'a'));";
    let project = Project::new("apart", old, &[("schema/t.sql", new)]).await;
    stands_against(&project, &["rows of public.t exclude each other by at: id = 1 and id = 2"]).await;
}

#[tokio::test]
async fn values_that_a_domain_or_an_enum_no_longer_has() {
    let t = "CREATE TABLE t (id bigint PRIMARY KEY, v d, m mood);";
    let old = format!(
        "CREATE DOMAIN d AS text; CREATE TYPE mood AS ENUM ('sad', 'ok'); {t}
         INSERT INTO t VALUES (1, 'ok', 'ok'), (2, 'x', 'sad'), (3, NULL, NULL);"
    );
    let enums = "CREATE TYPE mood AS ENUM ('sad', 'ok');";
    let new = format!("CREATE DOMAIN d AS text CONSTRAINT long CHECK (length(VALUE) > 1); {enums} {t}");
    let project = Project::new("long", &old, &[("schema/t.sql", &new)]).await;
    stands_against(&project, &["values of public.t.v break the check long of the domain: id = 2"]).await;
    let new = format!("CREATE DOMAIN d AS text NOT NULL; {enums} {t}");
    let project = Project::new("there", &old, &[("schema/t.sql", &new)]).await;
    stands_against(&project, &["values of public.t.v are null, which the domain no longer allows: id = 3"]).await;
    let new = format!("CREATE DOMAIN d AS text; CREATE TYPE mood AS ENUM ('ok'); {t}");
    let project = Project::new("glad", &old, &[("schema/t.sql", &new)]).await;
    stands_against(&project, &["rows of public.t have a value for m that is no label of its type: id = 2"]).await;
}

#[tokio::test]
async fn duplicates_of_a_new_column_on_a_partition() {
    let table = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text) PARTITION BY HASH (id);
        CREATE TABLE contacts_0 PARTITION OF contacts FOR VALUES WITH (MODULUS 1, REMAINDER 0);";
    let old = format!("{table} INSERT INTO contacts VALUES (1, '1A'), (2, '2a'), (3, '3B');");
    let new = format!(
        "{} CREATE UNIQUE INDEX by_tail ON contacts_0 (lower(tail)) WHERE tail <> '';",
        table.replace("phone text", "phone text, tail text NOT NULL")
    );
    let filled = "[table.\"public.contacts\".columns]\ntail = { backfill = \"right(phone, 1)\" }\n";
    let files = [("schema/contacts.sql", new.as_str()), ("schema/contacts.toml", filled)];
    let project = Project::new("alike_below", &old, &files).await;
    stands_against(&project, &["rows of public.contacts_0 are alike in lower(tail): a (2 times)"]).await;
}

#[tokio::test]
async fn values_that_a_declared_type_spells_otherwise_are_told() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, born text);";
    let filled = "[table.\"public.contacts\".columns]\nborn = { backfill = \"born::date\" }\n";
    let new = old.replace("text", "date");
    let files = [("schema/contacts.sql", new.as_str()), ("schema/contacts.toml", filled)];
    let rows = "INSERT INTO contacts VALUES (1, '2020-01-01'), (2, '1 Feb 2020');";
    let many = "INSERT INTO contacts SELECT i, '2020-01-01' FROM generate_series(3, 12000) i; ANALYZE;";
    for (name, more) in [("spelt", ""), ("spelt_online", many)] {
        let project = Project::new(name, &format!("{old}{rows}{more}"), &files).await;
        let said = project.plan().await;
        assert!(
            said.contains("values of public.contacts.born read otherwise") && said.contains(": id = 2\n"),
            "{said}"
        );
        project.run(&["apply", "plan.toml", "--yes"]).await;
    }
}

#[tokio::test]
async fn what_can_not_be_computed_for_a_row() {
    let old = "CREATE TABLE t (id bigint PRIMARY KEY, n integer, s text);
        INSERT INTO t VALUES (1, 1, '1'), (2, 0, '2'), (3, NULL, 'x');";
    let new = "CREATE TABLE t (id bigint PRIMARY KEY, n integer, s text,
        share integer GENERATED ALWAYS AS (100 / n) STORED);
        CREATE INDEX shares ON t ((10 / n)) WHERE s::integer > 0;";
    let project = Project::new("computed", old, &[("schema/t.sql", new)]).await;
    let words = [
        "rows of public.t have no value for share, which is generated: id = 2: division by zero",
        "rows of public.t can't be in the index shares: id = 2: division by zero",
        "rows of public.t can't be in the index shares: id = 3: invalid input syntax",
    ];
    stands_against(&project, &words).await;
}

#[tokio::test]
async fn rows_that_have_half_of_a_key() {
    let p = "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));";
    let t = "CREATE TABLE t (id bigint PRIMARY KEY, a integer, b integer";
    let old = format!("{p} {t}); INSERT INTO t VALUES (1, NULL, NULL), (2, 1, NULL);");
    let new = format!("{p} {t}, FOREIGN KEY (a, b) REFERENCES p MATCH FULL);");
    let project = Project::new("half", &old, &[("schema/t.sql", &new)]).await;
    stands_against(&project, &["MATCH FULL, and no value for the"]).await;
}

#[tokio::test]
async fn values_of_a_domain_within_others() {
    let domain = "CREATE DOMAIN d AS integer";
    let positive = "CONSTRAINT positive CHECK (VALUE > 0)";
    let told = |column: &str, id: u32| format!("t.{column} break the check positive of the domain: id = {id}");
    let over = "CREATE DOMAIN e AS d; CREATE TABLE t (id bigint PRIMARY KEY, one e);";
    let old = format!("{domain}; {over} INSERT INTO t VALUES (1, 1), (2, -1);");
    let project = Project::new("over", &old, &[("schema/t.sql", &format!("{domain} {positive}; {over}"))]).await;
    stands_against(&project, &[&told("one", 2)]).await;
    let within = "CREATE TABLE t (id bigint PRIMARY KEY, many d[]);";
    let old = format!("{domain}; {within} INSERT INTO t VALUES (1, '{{1}}'), (2, NULL), (3, '{{1,-1}}');");
    let project =
        Project::new("within", &old, &[("schema/t.sql", &format!("{domain} {positive}; {within}"))]).await;
    stands_against(&project, &[&told("many", 3)]).await;
}

#[tokio::test]
async fn what_can_only_be_asked_later_is_told() {
    let old = "CREATE TABLE t (id bigint PRIMARY KEY, s text);";
    let new = "CREATE FUNCTION fine(s text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT s <> '' $$;
        CREATE TABLE t (id bigint PRIMARY KEY, s text CHECK (fine(s)));";
    let project =
        Project::new("asked_later", &format!("{old} INSERT INTO t VALUES (1, 'a');"), &[("schema/t.sql", new)])
            .await;
    let said = project.plan().await;
    assert!(said.contains("could not be tried before the plan has made what it takes"), "{said}");
    project.run(&["apply", "plan.toml", "--yes"]).await;
}

#[tokio::test]
async fn labels_that_an_enum_no_longer_has_within_arrays() {
    let t = "CREATE TABLE t (id bigint PRIMARY KEY, all_of mood[]);";
    let old = format!(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); {t}
         INSERT INTO t VALUES (1, '{{ok}}'), (2, '{{ok,sad}}'), (3, NULL), (4, '{{}}'), (5, '{{NULL}}'), (6, '{{{{ok,ok}},{{ok,sad}}}}');"
    );
    let new = format!("CREATE TYPE mood AS ENUM ('ok'); {t}");
    let project = Project::new("moods", &old, &[("schema/t.sql", &new)]).await;
    let words = ["rows of public.t have a value for all_of that is no label of its type: id = 2; id = 6"];
    stands_against(&project, &words).await;
}

#[tokio::test]
async fn values_of_a_domain_within_attributes() {
    let domain = "CREATE DOMAIN d AS integer";
    let over = "CREATE TYPE pair AS (a text, \"one D\" d); CREATE TYPE pairs AS (of_it pair, many pair[]);
        CREATE TABLE t (id bigint PRIMARY KEY, value pair, twice pairs);";
    let rows = |more: &str| {
        format!(
            "{domain}; {over} INSERT INTO t VALUES (1, '(x,1)', ROW('(x,1)'::pair, ARRAY['(x,1)'::pair])),
             (2, NULL, NULL), (3, NULL, ROW(NULL, NULL)), {more};"
        )
    };
    let positive = format!("{domain} CONSTRAINT positive CHECK (VALUE > 0 AND VALUE IS NOT NULL); {over}");
    let faults = [
        ("one_level", "(4, '(x,-1)', NULL)", "t.value break the check positive of the domain: id = 4"),
        (
            "two_levels",
            "(4, NULL, ROW('(x,-1)'::pair, NULL))",
            "t.twice break the check positive of the domain: id = 4",
        ),
        (
            "elements",
            "(4, NULL, ROW(NULL, ARRAY['(x,1)'::pair, '(x,-1)'::pair]))",
            "t.twice break the check positive of the domain: id = 4",
        ),
    ];
    for (name, row, words) in faults {
        let project = Project::new(name, &rows(row), &[("schema/t.sql", &positive)]).await;
        stands_against(&project, &[words]).await;
    }
    let project = Project::new("no_fault", &rows("(4, '(x,2)', NULL)"), &[("schema/t.sql", &positive)]).await;
    project.plan().await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
}

/// Texts that no compression makes shorter, of that many bytes.
const NOISE: &str = "CREATE FUNCTION noise(bytes integer) RETURNS text LANGUAGE sql AS $$
    SELECT left(string_agg(translate(encode(sha512(i::text::bytea), 'base64'), E'\\n', ''), ''), bytes) FROM generate_series(1, bytes / 80 + 1) i $$;";

#[tokio::test]
async fn rows_that_are_too_long_for_a_b_tree() {
    let table = "CREATE TABLE t (id bigint PRIMARY KEY, note text, plain text STORAGE EXTERNAL);"
        .replace(" STORAGE EXTERNAL", "");
    let external = "ALTER TABLE t ALTER COLUMN plain SET STORAGE EXTERNAL;";
    let index = "CREATE INDEX by_note ON t (note);";
    let new = format!("{NOISE} {table} {external} {index}");
    let old = format!(
        "{NOISE} {table} {external}
         INSERT INTO t VALUES (1, 'short', 'x'), (2, noise(5000), 'x'), (3, repeat('long', 20000), 'x'), (4, NULL, NULL);"
    );
    let project = Project::new("long_note", &old, &[("schema/t.sql", &new)]).await;
    stands_against(&project, &["rows of public.t are too long for the index by_note, which is a B-tree: id = 2"])
        .await;

    let fits = format!(
        "{NOISE} {table} {external}
         INSERT INTO t VALUES (1, noise(2600), 'x'), (2, repeat('long', 20000), repeat('a', 1500)), (3, NULL, noise(2600)),
            (4, repeat('ab', 1000), noise(1900));"
    );
    let both = format!("{NOISE} {table} {external} CREATE INDEX by_both ON t (note, plain) WHERE id <> 7;");
    let project = Project::new("fits", &fits, &[("schema/t.sql", &both)]).await;
    project.plan().await;
    project.run(&["apply", "plan.toml", "--yes"]).await;

    // What is computed for an index may be compressed there.
    let computed = format!(
        "{NOISE} {table} {external} CREATE INDEX by_lower ON t (lower(note)); CREATE INDEX by_plain ON t (plain);"
    );
    let project = Project::new(
        "computed_long",
        &format!("{fits} INSERT INTO t VALUES (9, 'x', noise(3000));"),
        &[("schema/t.sql", &computed)],
    )
    .await;
    let said = project.plan().await;
    let said = said.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "rows of public.t may be too long for the index by_lower, which is a B-tree: they fit where they can be compressed: id = 2",
        "rows of public.t are too long for the index by_plain, which is a B-tree: id = 9",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let fitting = computed.replace(" CREATE INDEX by_plain ON t (plain);", "");
    std::fs::write(project.dir.path().join("schema/t.sql"), &fitting).unwrap();
    project.plan().await;
    project.run(&["apply", "plan.toml", "--yes"]).await;

    // Left as it is in the table, and so in the index.
    let plain = format!("{fits} INSERT INTO t VALUES (5, 'x', repeat('a', 2710)), (7, 'x', repeat('a', 2710));");
    let project = Project::new("plain", &plain, &[("schema/t.sql", &both)]).await;
    stands_against(&project, &["too long for the index by_both, which is a B-tree: id = 5\n"]).await;
}

#[tokio::test]
async fn rows_that_are_alike_in_what_is_computed_for_an_index() {
    let old = "CREATE TABLE t (id bigint PRIMARY KEY, note text);
        INSERT INTO t VALUES (1, 'One'), (2, 'one'), (3, 'two'), (4, 'Two');";
    let new = "CREATE TABLE t (id bigint PRIMARY KEY, note text);
        CREATE UNIQUE INDEX by_lower ON t (lower(note), (id > 4)) WHERE id < 4;";
    let project = Project::new("computed_alike", old, &[("schema/t.sql", new)]).await;
    stands_against(&project, &["rows of public.t are alike in lower(note), id > 4: one, false (2 times)\n"]).await;
}

#[tokio::test]
async fn rows_on_another_server_are_left_alone() {
    let old = "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
        CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, size integer) PARTITION BY RANGE (day);
        CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE FOREIGN TABLE events_far PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2026-01-01')
            SERVER nowhere;";
    let rows =
        "INSERT INTO events_2026 SELECT i, '2026-02-02', i FROM generate_series(0, 12000) i; ANALYZE events_2026;";
    let new = format!("{old} ALTER TABLE events ADD CONSTRAINT sized CHECK (size > 0);");
    let files = [("schema/events.sql", new.as_str())];
    let project = Project::new("elsewhere", &format!("{old}{rows}"), &files).await;
    let words = [
        "rows of public.events_2026 break the check sized: ctid = (0,1)",
        "rows on another server are not looked at: those of public.events_far",
    ];
    stands_against(&project, &words).await;
}

#[tokio::test]
async fn rows_of_heirs_are_no_rows_of_the_key_above() {
    let old = "CREATE TABLE notes (id bigint NOT NULL, of bigint); CREATE TABLE notes_old () INHERITS (notes);
        CREATE TABLE contacts (id bigint PRIMARY KEY);
        INSERT INTO contacts VALUES (1); INSERT INTO notes VALUES (1, 1); INSERT INTO notes_old VALUES (1, 2), (1, 3);";
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY);
        CREATE TABLE notes (id bigint NOT NULL, of bigint REFERENCES contacts, CONSTRAINT notes_key UNIQUE (id));
        CREATE TABLE notes_old () INHERITS (notes);";
    let project = Project::new("heirs", old, &[("schema/notes.sql", new)]).await;
    let said = project.plan().await;
    assert!(!said.contains("are alike") && !said.contains("refer to no row"), "{said}");
    project.run(&["apply", "plan.toml", "--yes"]).await;
    project.run(&["drift"]).await;
}
