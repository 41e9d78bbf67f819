//! Changes made while code of before and after them reads and writes: a plan is applied stage by stage, no statement
//! fails, and each writer reads back what it wrote.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

#[path = "support/project.rs"]
mod project;
#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

use project::{Code, Project, Rows, Writer, watching};

const MANY: &str = "INSERT INTO contacts (id, phone) SELECT i, '+' || i FROM generate_series(1000, 15000) i;
    ANALYZE contacts;";

#[tokio::test]
async fn a_column_is_renamed_while_both_names_are_in_use() {
    let old =
        "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL DEFAULT 'none' UNIQUE, note text);";
    let new = "CREATE TABLE contacts (
        id bigint PRIMARY KEY,
        number text NOT NULL DEFAULT 'none', -- tenantry: was phone
        note text,
        CONSTRAINT contacts_phone_key UNIQUE (number)
    );";
    let project = Project::new("renamed", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    let before = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let after = Code {
        insert: "INSERT INTO contacts (id, number) VALUES ($1, $2)",
        update: "UPDATE contacts SET number = $2 WHERE id = $1",
        touch: before.touch,
        read: "SELECT number FROM contacts WHERE id = $1",
    };
    project.plan().await;
    let first = Writer::start(&project, before, 0..20, Rows::new()).await;
    project.through("expand").await;
    // Rows that are written from now on have both; the others wait for the backfill.
    project.none("SELECT id FROM contacts WHERE number IS NULL AND id < 20").await;
    let differ = "SELECT id, phone, number FROM contacts
        WHERE number IS DISTINCT FROM phone AND (number IS NOT NULL OR id < 1000)";
    let (agreed, watched) = watching(&project, differ).await;
    let second = Writer::start(&project, after, 20..40, Rows::new()).await;
    project.through("backfill").await;
    let same = "SELECT count(*) FILTER (WHERE number IS DISTINCT FROM phone)::text FROM contacts";
    assert_eq!(project.text(same).await, "0");
    project.through("validate").await;
    assert!(project.text("EXPLAIN SELECT FROM contacts WHERE number = '+5000'").await.contains("_of_number"));

    // The gate: code of before is gone, code of after has its rows now.
    agreed.send_replace(true);
    assert!(watched.await.unwrap() > 10);
    let rows = first.stop().await;
    let third = Writer::start(&project, after, 0..20, rows).await;
    project.through("contract").await;
    let mut rows = third.stop().await;
    rows.extend(second.stop().await);
    for (key, text) in rows {
        assert_eq!(project.text(&format!("SELECT number FROM contacts WHERE id = {key}")).await, text);
    }
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE number = '+' || id").await, "14001");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn a_rename_is_taken_back_while_both_names_are_in_use() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text);";
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY,\n number text); -- tenantry: was phone\n";
    let new = new.replace("text); -- tenantry: was phone", "text -- tenantry: was phone\n);");
    let nothing = "INSERT INTO contacts VALUES (1, NULL);";
    let project =
        Project::new("taken_back", &format!("{old}{nothing}{MANY}"), &[("schema/contacts.sql", &new)]).await;
    project.plan().await;
    project.through("contract").await;
    project.connect().await.client.batch_execute("UPDATE contacts SET number = 'x' WHERE id = 1000").await.unwrap();
    project.run(&["rollback", "--yes"]).await;
    assert_eq!(project.text("SELECT phone FROM contacts WHERE id = 1000").await, "x");
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14000");
}

#[tokio::test]
async fn a_table_whose_rows_a_trigger_stamps_is_renamed_while_both_names_are_in_use() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text,
            updated_at timestamptz NOT NULL DEFAULT 'epoch');
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
        CREATE TRIGGER contacts_stamp BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION stamp();";
    let new = "CREATE TABLE people ( -- tenantry: was contacts
            id bigint PRIMARY KEY, phone text, note text,
            changed_at timestamptz NOT NULL DEFAULT 'epoch' -- tenantry: was updated_at
        );
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.changed_at := now(); RETURN NEW; END $$;
        CREATE TRIGGER people_stamp BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION stamp();";
    let project = Project::new("people", &format!("{old}{MANY}"), &[("schema/people.sql", new)]).await;
    let before = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1 AND updated_at IS NOT NULL",
    };
    let after = Code {
        insert: "INSERT INTO people (id, phone) VALUES ($1, $2)",
        update: "UPDATE people SET phone = $2 WHERE id = $1",
        touch: "UPDATE people SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM people WHERE id = $1 AND changed_at IS NOT NULL",
    };
    project.plan().await;
    let first = Writer::start(&project, before, 0..20, Rows::new()).await;
    project.through("expand").await;
    let second = Writer::start(&project, after, 20..40, Rows::new()).await;
    project.none("SELECT id FROM people WHERE id < 40 AND changed_at = 'epoch'").await;
    second.stop().await;
    project.run(&["rollback", "--yes"]).await;
    let rows = first.stop().await;
    assert_eq!(project.text("SELECT to_regclass('people')::text").await, "");
    let again = Writer::start(&project, before, 0..20, rows).await;
    project.run(&["apply", "plan.toml", "--yes", "--through", "validate"]).await;
    let rows = again.stop().await;
    let third = Writer::start(&project, after, 0..20, rows).await;
    project.through("contract").await;
    for (key, text) in third.stop().await {
        assert_eq!(project.text(&format!("SELECT phone FROM people WHERE id = {key}")).await, text);
    }
    assert_eq!(project.text("SELECT count(*)::text FROM people WHERE phone = '+' || id").await, "14001");
    project.run(&["drift"]).await;
}

const SPLIT: &str = r#"
[table."public.contacts"]
becomes = { phone = "concat_ws(' ', prefix, rest)" }
[table."public.contacts".columns]
id = { type = "bigint" }
prefix = { type = "text", null = false, from = "split_part(phone, ' ', 1)" }
rest = { type = "text", from = "nullif(substr(phone, strpos(phone || ' ', ' ') + 1), '')" }
note = "text"
[table."public.contacts".primary_key]
columns = ["id"]
"#;

#[tokio::test]
async fn rows_go_to_their_partitions_while_they_are_written() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text, day date NOT NULL DEFAULT '2026-01-01');
        CREATE TABLE calls (id bigint PRIMARY KEY, contact bigint);";
    let new = "CREATE TABLE contacts (id bigint, phone text, note text, day date NOT NULL DEFAULT '2026-01-01',
            PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE TABLE calls (id bigint PRIMARY KEY, contact bigint);";
    let project = Project::new("copied", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    // Rows change their partition while they are written, and come and go.
    let code = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "WITH gone AS (DELETE FROM contacts WHERE id = $1 RETURNING id, day)
                 INSERT INTO contacts (id, phone, day)
                 SELECT id, $2, CASE day WHEN '2026-01-01' THEN date '2026-02-02' ELSE '2026-01-01' END FROM gone",
        touch: "UPDATE contacts SET note = $2, day = CASE WHEN day < '2026-01-01' THEN day + 365 ELSE day - 365 END
                 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    project.plan().await;
    let writer = Writer::start(&project, code, 0..20, Rows::new()).await;
    let older = Writer::start(&project, Code { update: code.touch, ..code }, 20..40, Rows::new()).await;
    project.through("expand").await;
    assert_eq!(project.text("SELECT relkind::text FROM pg_class WHERE relname = 'contacts'").await, "p");
    let differ = "SELECT count(*)::text FROM contacts c FULL JOIN contacts_old o ON c.id = o.id AND c.day = o.day
        WHERE c.id IS NULL OR o.id IS NULL OR (c.phone, c.note) IS DISTINCT FROM (o.phone, o.note)";
    assert_eq!(project.text(differ).await, "0");
    project.run(&["rollback", "--yes"]).await;
    assert_eq!(project.text("SELECT relkind::text FROM pg_class WHERE relname = 'contacts'").await, "r");
    project.run(&["apply", "plan.toml", "--yes"]).await;
    for (key, text) in writer.stop().await {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
    }
    older.stop().await;
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14001");
    assert_eq!(project.text("SELECT to_regclass('contacts_old')::text").await, "");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn who_reads_the_old_table_of_a_copy_is_held_to_its_policies() {
    let columns = "id bigint, whose text NOT NULL, day date NOT NULL DEFAULT '2026-01-01'";
    let rest = "ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON contacts USING (whose = CURRENT_USER);
        GRANT SELECT ON contacts TO copied_reader;";
    let old = format!(
        "DROP ROLE IF EXISTS copied_reader;
        CREATE ROLE copied_reader;
        CREATE TABLE contacts ({columns}, PRIMARY KEY (id));
        {rest}
        INSERT INTO contacts SELECT g, CASE g WHEN 1 THEN 'copied_reader' ELSE 'other' END, date '2025-06-01' + g / 60
          FROM generate_series(1, 20000) g;
        ANALYZE contacts;"
    );
    let new = format!(
        "CREATE TABLE contacts ({columns}, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        {rest}"
    );
    let project = Project::new("copied_closed", &old, &[("schema/contacts.sql", &new)]).await;
    project.plan().await;
    project.through("expand").await;
    let session = project.connect().await;
    session.client.batch_execute("SET ROLE copied_reader").await.unwrap();
    for table in ["contacts", "contacts_old"] {
        let seen = session.client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
        assert_eq!(seen.get::<_, i64>(0), 1, "{table}");
    }
    let denied = session.client.query_one("SELECT count(*) FROM contacts_2025", &[]).await.unwrap_err();
    assert!(format!("{denied:?}").contains("permission denied"), "{denied:?}");
    drop(session);
    project.through("contract").await;
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn rows_that_no_partition_takes_are_named_first() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, day date);
        INSERT INTO contacts VALUES (1, '2025-01-01'), (2, '2026-01-01'), (3, '2020-01-01'), (4, NULL);";
    let new =
        "CREATE TABLE contacts (id bigint, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');";
    let project = Project::new("homeless", old, &[("schema/contacts.sql", new)]).await;
    let said = project.plan().await;
    assert!(said.contains("id = 3") && said.contains("id = 4") && !said.contains("id = 2"), "{said}");
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes"]).await;
    assert!(!succeeded && said.contains("have no partition to go to") && said.contains("id = 3"), "{said}");
}

#[tokio::test]
#[ignore = "a measurement: how long somebody who writes waits while a million rows are copied"]
async fn what_a_copy_of_a_million_rows_costs_a_writer() {
    let old = "CREATE TABLE messages (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, person integer NOT NULL,
            body text, day date NOT NULL DEFAULT '2026-06-01');
        CREATE INDEX messages_person ON messages (person);
        INSERT INTO messages (person, body, day)
            SELECT i % 1000, repeat(md5(i::text), 3), date '2025-01-01' + i % 700 FROM generate_series(1, 1000000) i;
        ANALYZE messages;";
    let new = "CREATE TABLE messages (id bigint GENERATED BY DEFAULT AS IDENTITY, person integer NOT NULL,
            body text, day date NOT NULL DEFAULT '2026-06-01', PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE messages_2025 PARTITION OF messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE messages_2026 PARTITION OF messages FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE INDEX messages_person ON messages (person);";
    let project = Project::new("million", old, &[("schema/messages.sql", new)]).await;
    project.plan().await;
    let (stop, stopped) = watch::channel(false);
    let session = project.connect().await;
    let work = tokio::spawn(async move {
        let (mut times, mut turn) = (vec![], 0_i64);
        while !*stopped.borrow() {
            turn += 1;
            let id = turn * 7919 % 1_000_000 + 1;
            for sql in [
                format!("INSERT INTO messages (person, body) VALUES ({turn} % 1000, 'new')"),
                format!("UPDATE messages SET body = 'changed' WHERE id = {id}"),
                format!("DELETE FROM messages WHERE id = {}", id + 1),
                format!("SELECT count(*) FROM messages WHERE person = {turn} % 1000"),
            ] {
                let start = std::time::Instant::now();
                session.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                times.push(start.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        times.sort();
        times
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let start = std::time::Instant::now();
    project.through("expand").await;
    let took = start.elapsed();
    stop.send_replace(true);
    let times = work.await.expect("no statement fails");
    let at = |share: usize| times[(times.len() - 1) * share / 1000];
    println!(
        "took {took:?}; {} statements: p50 {:?}, p99 {:?}, longest {:?}",
        times.len(),
        at(500),
        at(990),
        at(1000)
    );
    assert!(at(1000) < Duration::from_secs(5), "{:?}", at(1000));
}

#[tokio::test]
async fn a_column_is_split_while_it_and_its_parts_are_in_use() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);";
    let project = Project::new("split", &format!("{old}{MANY}"), &[("schema/contacts.toml", SPLIT)]).await;
    let before = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let after = Code {
        insert: "INSERT INTO contacts (id, prefix, rest) VALUES ($1, split_part($2, ' ', 1), split_part($2, ' ', 2))",
        update: "UPDATE contacts SET prefix = split_part($2, ' ', 1), rest = split_part($2, ' ', 2) WHERE id = $1",
        touch: before.touch,
        read: "SELECT prefix || ' ' || rest FROM contacts WHERE id = $1",
    };
    project.plan().await;
    let first = Writer::start(&project, before, 0..20, Rows::new()).await;
    project.through("expand").await;
    project.none("SELECT id FROM contacts WHERE prefix IS NULL AND id < 20").await;
    let differ = "SELECT id, phone, prefix, rest FROM contacts
        WHERE concat_ws(' ', prefix, rest) <> phone AND (prefix IS NOT NULL OR id < 1000)";
    let (agreed, watched) = watching(&project, differ).await;
    let second = Writer::start(&project, after, 20..40, Rows::new()).await;
    // Half done, it looks as if the new columns were there and the old one left over.
    let (succeeded, said) = project.output(&["plan", "--out", "half.toml", "--accept", "all"]).await;
    assert!(!succeeded && said.contains("plan plan is applied in part") && said.contains("--anew"), "{said}");
    project.through("backfill").await;
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE prefix IS NULL").await, "0");
    project.through("validate").await;
    agreed.send_replace(true);
    assert!(watched.await.unwrap() > 10);
    let rows = first.stop().await;
    let third = Writer::start(&project, after, 0..20, rows).await;
    project.through("contract").await;
    let mut rows = third.stop().await;
    rows.extend(second.stop().await);
    for (key, text) in rows {
        let query = format!("SELECT prefix || ' ' || rest FROM contacts WHERE id = {key}");
        assert_eq!(project.text(&query).await, text);
    }
    let untouched = "SELECT count(*)::text FROM contacts WHERE prefix = '+' || id AND rest IS NULL";
    assert_eq!(project.text(untouched).await, "14001");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn what_reads_a_column_that_comes_finds_every_row_meanwhile() {
    let readers = |phone: &str| {
        format!(
            "CREATE VIEW numbers AS SELECT id, {phone} AS phone FROM contacts;
            CREATE FUNCTION phone_of(contact bigint) RETURNS text LANGUAGE plpgsql AS $$
                BEGIN RETURN (SELECT {phone} FROM contacts WHERE id = contact); END $$;"
        )
    };
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);";
    let old = format!("{old}{MANY}{}", readers("contacts.phone"));
    let new = readers("concat_ws(' ', prefix, rest)");
    let files = [("schema/contacts.toml", SPLIT), ("schema/numbers.sql", &new)];
    let project = Project::new("read", &old, &files).await;
    project.plan().await;
    let empty = "SELECT id FROM numbers WHERE phone IS NULL OR phone = ''
        UNION ALL SELECT 15000 WHERE coalesce(phone_of(15000), '') = ''";
    let (stop, watched) = watching(&project, empty).await;
    project.run(&["apply", "plan.toml", "--yes", "--rows-per-second", "10000"]).await;
    stop.send_replace(true);
    assert!(watched.await.unwrap() > 10);
    project.run(&["drift"]).await;
}

/// The trigger's function names its table as applications do, without a namespace.
#[tokio::test]
async fn what_triggers_write_elsewhere_for_each_row_that_is_filled() {
    let audit = "CREATE TABLE log (contact bigint, phone text);
        CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO log VALUES (NEW.id, NEW.note); RETURN NULL; END $$;
        CREATE TRIGGER audit AFTER UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION audit();";
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);";
    let few = "INSERT INTO contacts (id, phone) SELECT i, i || '-1' FROM generate_series(1, 3) i;";
    let files = [("schema/contacts.toml", SPLIT), ("schema/audit.sql", audit)];
    for (name, rows, count) in [("audited", MANY, 14_001), ("audited_few", few, 3)] {
        let project = Project::new(name, &format!("{old}{audit}{rows}"), &files).await;
        let said = project.plan().await;
        let told = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("rows of public.log are written, by triggers of tables that are filled"), "{said}");
        project.run(&["apply", "plan.toml", "--yes"]).await;
        let filled = "SELECT count(*)::text FROM contacts WHERE prefix IS NOT NULL";
        assert_eq!(project.text(filled).await, count.to_string());
        assert_eq!(project.text("SELECT count(DISTINCT contact)::text FROM log").await, count.to_string());
        project.run(&["drift"]).await;
    }
}

#[tokio::test]
async fn rows_that_a_split_can_not_split_are_named_first() {
    let old = "CREATE TABLE contacts (id integer PRIMARY KEY, size text);
        INSERT INTO contacts VALUES (1, '5 cm'), (2, 'tall'), (3, NULL);";
    let new = r#"
        [table."public.contacts"]
        becomes = { size = "number || ' cm'" }
        primary_key = ["id"]
        [table."public.contacts".columns]
        id = { type = "integer" }
        number = { type = "integer", from = "split_part(size, ' ', 1)::integer" }
    "#;
    let project = Project::new("unsplit", old, &[("schema/contacts.toml", new)]).await;
    let said = project.plan().await;
    assert!(said.contains("id = 2") && !said.contains("id = 3"), "{said}");
}

#[tokio::test]
async fn whoever_gives_the_two_names_two_values_is_told() {
    let old = "CREATE TABLE contacts (id integer, phone text DEFAULT '-', day timestamptz DEFAULT now(), n serial);
        INSERT INTO contacts VALUES (1, 'a');";
    let new = "CREATE SEQUENCE contacts_n_seq AS integer;
        CREATE TABLE contacts (
            id integer,
            number text DEFAULT '-', -- tenantry: was phone
            at timestamptz DEFAULT now(), -- tenantry: was day
            m integer NOT NULL DEFAULT nextval('contacts_n_seq') -- tenantry: was n
        );
        ALTER SEQUENCE contacts_n_seq OWNED BY contacts.m;";
    let project = Project::new("two_values", old, &[("schema/contacts.sql", new)]).await;
    project.plan().await;
    project.through("validate").await;
    let client = &project.connect().await.client;
    let whole = "SELECT concat_ws(' ', id, phone, number, day = at, n, m) FROM contacts ORDER BY n DESC LIMIT 1";
    for (statement, expected) in [
        ("INSERT INTO contacts (id) VALUES (2)", "2 - - t 2 2"),
        ("INSERT INTO contacts (id, phone) VALUES (3, NULL)", "3 t 3 3"),
        ("INSERT INTO contacts (id, number) VALUES (4, NULL)", "4 t 4 4"),
        ("INSERT INTO contacts (id, number, at, m) VALUES (5, 'b', '2024-01-01', 50)", "5 b b t 50 50"),
        ("INSERT INTO contacts (id, phone, day, n) VALUES (6, 'c', '2024-01-01', 60)", "6 c c t 60 60"),
        ("INSERT INTO contacts (id, phone, number, n) VALUES (7, 'd', 'd', 70)", "7 d d t 70 70"),
        ("UPDATE contacts SET phone = 'e', number = 'e' WHERE id = 7", "7 e e t 70 70"),
        ("UPDATE contacts SET phone = NULL WHERE id = 7", "7 t 70 70"),
        ("UPDATE contacts SET number = 'g', m = 71 WHERE id = 7", "7 g g t 71 71"),
    ] {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        assert_eq!(project.text(whole).await, expected, "{statement}");
    }
    for statement in [
        "INSERT INTO contacts (id, phone, number) VALUES (8, 'a', 'b')",
        "UPDATE contacts SET phone = 'a', number = 'b' WHERE id = 7",
    ] {
        let error = client.batch_execute(statement).await.unwrap_err();
        let error = error.as_db_error().unwrap().message().to_owned();
        assert!(error.contains("phone and number of public.contacts are two names of one value"), "{error}");
    }
}

const SHOP: &str = "CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL);
    CREATE TABLE orders (
        id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        customer_id integer NOT NULL REFERENCES customers (id),
        parent_id integer REFERENCES orders (id),
        note text
    );
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    INSERT INTO customers (email) SELECT 'a' || i FROM generate_series(1, 11000) i;
    INSERT INTO orders (customer_id, parent_id, note)
        SELECT i % 11000 + 1, CASE WHEN i % 3 = 0 THEN i / 2 END, 'n' FROM generate_series(1, 20000) i;
    ANALYZE;";

/// Somebody who uses the shop by its keys, and waits for nobody longer than a quarter of a second. Gives the notes of
/// the orders that were made, each with the email of its customer.
async fn shopping(project: &Project, who: &'static str) -> (watch::Sender<bool>, JoinHandle<Vec<(i64, String)>>) {
    let (stop, stopped) = watch::channel(false);
    let session = project.connect().await;
    session.client.batch_execute("SET lock_timeout = '250ms'").await.unwrap();
    let work = tokio::spawn(async move {
        let mut made = vec![];
        let one = async |sql: String| {
            let rows = session.client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            let row = rows.into_iter().find_map(|it| match it {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            row.unwrap_or_else(|| panic!("no row: {sql}")).get(0).unwrap_or_default().to_owned()
        };
        while !*stopped.borrow() {
            let email = format!("{who}{}", made.len());
            let first = one(format!("INSERT INTO customers (email) VALUES ('{email}') RETURNING id")).await;
            let order =
                one(format!("INSERT INTO orders (customer_id, note) VALUES (1, '{email}') RETURNING id")).await;
            one(format!(
                "UPDATE orders SET customer_id = {first}, parent_id = {order} WHERE id = {order} RETURNING id"
            ))
            .await;
            one(format!("UPDATE orders SET note = note WHERE id = {} RETURNING id", made.len() + 1)).await;
            let joined = format!(
                "SELECT c.email FROM orders o JOIN customers c ON c.id = o.customer_id
                  WHERE o.id = {order} AND o.parent_id = {order}"
            );
            assert_eq!(one(joined).await, email);
            made.push((order.parse().unwrap(), email));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        made
    });
    (stop, work)
}

#[tokio::test]
async fn keys_become_bigint_while_they_are_in_use() {
    let new = SHOP.split("INSERT").next().unwrap().replace("integer", "bigint").replace("serial", "bigserial");
    let project = Project::new("keys", SHOP, &[("schema/shop.sql", &new)]).await;
    let plan = project.plan().await;
    assert!(!plan.contains("type-change-rewrite"), "{plan}");
    let shoppers = [shopping(&project, "x").await, shopping(&project, "y").await];
    project.through("expand").await;
    let types = "SELECT string_agg(format_type(atttypid, NULL), ' ' ORDER BY attrelid::regclass::text, attname)
        FROM pg_attribute WHERE attrelid IN ('customers'::regclass, 'orders'::regclass)
         AND attname IN ('id', 'customer_id', 'parent_id') AND NOT attisdropped";
    assert_eq!(project.text(types).await, "bigint bigint bigint bigint");

    // The way back is open until `contract`.
    project.run(&["rollback", "--yes"]).await;
    assert_eq!(project.text(types).await, "integer integer integer integer");
    let partners =
        "SELECT count(*)::text FROM orders o WHERE NOT EXISTS (SELECT FROM customers c WHERE c.id = o.customer_id)";
    assert_eq!(project.text(partners).await, "0");
    project.plan().await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
    assert_eq!(project.text(types).await, "bigint bigint bigint bigint");
    assert_eq!(project.text(partners).await, "0");
    for (stop, work) in shoppers {
        stop.send_replace(true);
        let made = work.await.expect("no statement fails, and none waits");
        assert!(made.len() > 10, "{}", made.len());
        let (orders, emails): (Vec<i64>, Vec<String>) = made.into_iter().unzip();
        let lost =
            "SELECT concat_ws(' ', made.id, made.email) FROM unnest($1::bigint[], $2::text[]) AS made (id, email)
            WHERE NOT EXISTS (SELECT FROM orders o JOIN customers c ON c.id = o.customer_id
                               WHERE o.id = made.id AND o.parent_id = o.id AND c.email = made.email)";
        let lost = project.connect().await.client.query(lost, &[&orders, &emails]).await.unwrap();
        assert!(lost.is_empty(), "{:?}", lost.iter().map(|it| it.get::<_, String>(0)).collect::<Vec<_>>());
    }
    let untouched = "SELECT count(*)::text FROM orders WHERE id <= 20000
        AND (customer_id, parent_id) IS NOT DISTINCT FROM (id % 11000 + 1, CASE WHEN id % 3 = 0 THEN id / 2 END)";
    assert_eq!(project.text(untouched).await, "20000");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn the_way_back_ends_where_a_value_no_longer_fits() {
    let old = "CREATE TABLE items (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, price integer);
        INSERT INTO items (price) SELECT i FROM generate_series(1, 12000) i;
        ANALYZE;";
    let new = "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, price integer);";
    let project = Project::new("too_large", old, &[("schema/items.sql", new)]).await;
    project.plan().await;
    project.through("expand").await;
    let client = project.connect().await.client;
    client.batch_execute("INSERT INTO items (price) VALUES (1)").await.unwrap();
    assert_eq!(project.text("SELECT max(id)::text FROM items WHERE id_old = id").await, "12001");
    client.batch_execute("INSERT INTO items (id) OVERRIDING SYSTEM VALUE VALUES (3000000000)").await.unwrap();
    let (succeeded, said) = project.output(&["rollback", "--yes"]).await;
    assert!(!succeeded, "{said}");
    assert!(said.contains("id_old"), "{said}");
    client.batch_execute("DELETE FROM items WHERE id > 2147483647").await.unwrap();
    let (_, said) = project.output(&["rollback", "--yes"]).await;
    assert_eq!(project.text("SELECT max(id)::text FROM items").await, "12001", "{said}");
}

#[tokio::test]
async fn a_table_goes_to_the_quarantine_and_comes_back_until_that_is_emptied() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, note text);
        CREATE TABLE faxes (id bigint PRIMARY KEY, contact_id bigint NOT NULL REFERENCES contacts, phone text, note text);
        CREATE ROLE clerk; GRANT SELECT, INSERT ON faxes TO clerk;
        INSERT INTO contacts SELECT generate_series(0, 99);
        INSERT INTO faxes SELECT i, i % 100, i::text FROM generate_series(1000, 3000) i;";
    let settings = "[plan]\nquarantine = \"attic\"\n";
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY, note text);";
    let files = [("schema/contacts.sql", new), ("tenantry.toml", settings)];
    let project = Project::new("quarantined", old, &files).await;
    project.plan().await;
    let before = Code {
        insert: "INSERT INTO faxes (id, contact_id, phone) VALUES ($1, $1, $2)",
        update: "UPDATE faxes SET phone = $2 WHERE id = $1",
        touch: "UPDATE faxes SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM faxes WHERE id = $1",
    };
    let after = Code {
        insert: "INSERT INTO contacts (id, note) VALUES ($1, $2)",
        update: "UPDATE contacts SET note = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = note WHERE id = $1 AND $2 <> ''",
        read: "SELECT note FROM contacts WHERE id = $1",
    };
    let first = Writer::start(&project, before, 0..20, Rows::new()).await;
    let second = Writer::start(&project, after, 200..220, Rows::new()).await;
    project.through("validate").await;
    // The gate: nobody uses the table any more.
    let faxed = first.stop().await;
    project.through("contract").await;
    assert_eq!(project.text("SELECT count(*)::text FROM attic.faxes").await, (2001 + faxed.len()).to_string());
    assert_eq!(project.text("SELECT has_table_privilege('clerk', 'attic.faxes', 'SELECT')::text").await, "false");
    // What it referred to is free to go, and the next plan leaves the quarantine alone.
    project
        .connect()
        .await
        .client
        .batch_execute("DELETE FROM contacts WHERE id = 99; INSERT INTO contacts VALUES (99)")
        .await
        .unwrap();
    project.run(&["drift"]).await;
    let next = project.run(&["plan", "--out", "next.toml"]).await;
    assert!(next.contains("nothing to change"), "{next}");

    project.run(&["rollback", "--yes"]).await;
    let again = Writer::start(&project, before, 0..20, faxed).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    again.stop().await;
    second.stop().await;
    assert_eq!(project.text("SELECT has_table_privilege('clerk', 'faxes', 'INSERT')::text").await, "true");
    assert_eq!(
        project.text("SELECT count(*)::text FROM pg_constraint WHERE conrelid = 'faxes'::regclass AND contype = 'f' AND convalidated").await,
        "1"
    );
    assert_eq!(project.text("SELECT to_regnamespace('attic')::text").await, "");

    // Once more, and then for good.
    let (_, said) = project.output(&["plan", "--out", "both.toml", "--empty-quarantine"]).await;
    assert!(said.contains("public.faxes would be dropped with what is in the quarantine"), "{said}");
    project.run(&["plan", "--out", "again.toml"]).await;
    project.run(&["apply", "again.toml", "--yes"]).await;
    let (succeeded, said) = project.output(&["plan", "--out", "last.toml", "--empty-quarantine"]).await;
    assert!(!succeeded && said.contains("needs --accept drop-table:attic.faxes"), "{said}");
    let (succeeded, said) = project.output(&["apply", "last.toml", "--yes"]).await;
    assert!(!succeeded && said.contains("drop-table"), "{said}");
    project.run(&["apply", "last.toml", "--yes", "--accept", "all"]).await;
    assert_eq!(project.text("SELECT to_regnamespace('attic')::text").await, "");
    project.run(&["drift"]).await;
}

const MOVE: &str = r#"
[table."public.contacts".columns]
id = { type = "bigint" }
note = "text"
[table."public.contacts".primary_key]
columns = ["id"]

[table."public.profiles".columns]
contact_id = { type = "bigint", references = "contacts" }
phone = "text"
note = "text"
[table."public.profiles".primary_key]
columns = ["contact_id"]

[[move]]
from = "contacts"
to = "profiles"
where = "contacts.id = profiles.contact_id"
columns = { phone = "contacts.phone" }
becomes = { phone = "profiles.phone" }
"#;

#[tokio::test]
async fn a_column_moves_to_another_table_while_both_are_in_use() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);
        CREATE TABLE profiles (contact_id bigint PRIMARY KEY REFERENCES contacts, note text);";
    let profiles = "INSERT INTO profiles SELECT id FROM contacts; ANALYZE profiles;";
    let project = Project::new("moved", &format!("{old}{MANY}{profiles}"), &[("schema/contacts.toml", MOVE)]).await;
    let before = Code {
        insert: "WITH c AS (INSERT INTO contacts (id, phone) VALUES ($1, $2) RETURNING id)
            INSERT INTO profiles (contact_id) SELECT id FROM c",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let after = Code {
        insert: "WITH c AS (INSERT INTO contacts (id) VALUES ($1) RETURNING id)
            INSERT INTO profiles (contact_id, phone) SELECT id, $2 FROM c",
        update: "UPDATE profiles SET phone = $2 WHERE contact_id = $1",
        touch: "UPDATE profiles SET note = $2 WHERE contact_id = $1",
        read: "SELECT phone FROM profiles WHERE contact_id = $1",
    };
    let said = project.plan().await;
    assert!(said.contains("no running code uses column public.contacts.phone"), "{said}");
    let first = Writer::start(&project, before, 0..20, Rows::new()).await;
    project.through("expand").await;
    project.none("SELECT contact_id FROM profiles WHERE phone IS NULL AND contact_id < 20").await;
    let differ = "SELECT c.id, c.phone, p.phone FROM contacts c JOIN profiles p ON p.contact_id = c.id
        WHERE p.phone IS DISTINCT FROM c.phone AND (p.phone IS NOT NULL OR c.id < 1000)";
    let (agreed, watched) = watching(&project, differ).await;
    let second = Writer::start(&project, after, 20..40, Rows::new()).await;
    project.through("backfill").await;
    assert_eq!(project.text("SELECT count(*)::text FROM profiles WHERE phone IS NULL").await, "0");
    project.through("validate").await;
    agreed.send_replace(true);
    assert!(watched.await.unwrap() > 10);
    let rows = first.stop().await;
    let third = Writer::start(&project, after, 0..20, rows).await;
    project.through("contract").await;
    // Back, with all that was written meanwhile, and forth again.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (rows, more) = (third.stop().await, second.stop().await);
    let all: Rows = rows.into_iter().chain(more).collect();
    for (key, text) in &all {
        let query = format!("SELECT phone FROM profiles WHERE contact_id = {key}");
        assert_eq!(project.text(&query).await, *text);
    }
    let untouched = "SELECT count(*)::text FROM profiles WHERE phone = '+' || contact_id";
    assert_eq!(project.text(untouched).await, "14001");
    project.run(&["drift"]).await;
    project.run(&["rollback", "--yes"]).await;
    for (key, text) in &all {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, *text);
    }
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14001");
}

#[tokio::test]
async fn rows_that_a_backfill_meets_while_they_move_are_written_by_many() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);
        CREATE TABLE profiles (contact_id bigint PRIMARY KEY REFERENCES contacts, note text);";
    let profiles = "INSERT INTO profiles SELECT id FROM contacts; ANALYZE profiles;";
    let project =
        Project::new("crowded", &format!("{old}{MANY}{profiles}"), &[("schema/contacts.toml", MOVE)]).await;
    let before = Code {
        insert: "",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let after = Code {
        insert: "",
        update: "UPDATE profiles SET phone = $2 WHERE contact_id = $1",
        touch: "UPDATE profiles SET note = $2 WHERE contact_id = $1",
        read: "SELECT coalesce(p.phone, c.phone) FROM profiles p JOIN contacts c ON c.id = p.contact_id WHERE contact_id = $1",
    };
    project.plan().await;
    project.through("expand").await;
    let mut writers = vec![];
    for (code, begin) in
        [(before, 1000), (before, 1200), (after, 4000), (before, 8000), (after, 14000), (before, 14200)]
    {
        let keys = begin..begin + 200;
        let known = keys.clone().map(|key| (key, format!("+{key}"))).collect();
        writers.push(Writer::start(&project, code, keys, known).await);
    }
    project.run(&["resume", "--through", "backfill", "--rows-per-second", "3000"]).await;
    let mut rows = Rows::new();
    for writer in writers {
        rows.extend(writer.stop().await);
    }
    project
        .none(
            "SELECT c.id, c.phone, p.phone FROM contacts c JOIN profiles p ON p.contact_id = c.id
        WHERE p.phone IS DISTINCT FROM c.phone",
        )
        .await;
    let profiles = project.text("SELECT contact_id || ' ' || phone FROM profiles").await;
    let profiles: BTreeSet<&str> = profiles.lines().collect();
    for (key, text) in &rows {
        assert!(profiles.contains(format!("{key} {text}").as_str()), "{key}: {text}");
    }
    assert_eq!(rows.values().filter(|it| it.starts_with('+')).count(), 0);
}

#[tokio::test]
async fn either_table_is_written_and_the_other_one_follows() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);
        CREATE TABLE profiles (contact_id bigint PRIMARY KEY REFERENCES contacts, note text);
        INSERT INTO contacts VALUES (1, 'a'), (2, 'b'); INSERT INTO profiles VALUES (1), (2);";
    let project = Project::new("followed", old, &[("schema/contacts.toml", MOVE)]).await;
    project.plan().await;
    project.through("validate").await;
    let client = &project.connect().await.client;
    let both =
        "SELECT string_agg(concat_ws(' ', c.id, coalesce(c.phone, '-'), coalesce(p.phone, '-'), p.contact_id),
        ', ' ORDER BY c.id) FROM contacts c LEFT JOIN profiles p ON p.contact_id = c.id";
    for (statement, expected) in [
        ("UPDATE contacts SET phone = 'c' WHERE id = 1", "1 c c 1, 2 b b 2"),
        ("UPDATE profiles SET phone = 'd' WHERE contact_id = 1", "1 d d 1, 2 b b 2"),
        ("UPDATE profiles SET phone = NULL WHERE contact_id = 2", "1 d d 1, 2 - - 2"),
        ("UPDATE profiles SET note = 'x'", "1 d d 1, 2 - - 2"),
        ("INSERT INTO contacts VALUES (3, 'e')", "1 d d 1, 2 - - 2, 3 e -"),
        ("INSERT INTO profiles (contact_id) VALUES (3)", "1 d d 1, 2 - - 2, 3 e e 3"),
        ("INSERT INTO contacts VALUES (4)", "1 d d 1, 2 - - 2, 3 e e 3, 4 - -"),
        ("INSERT INTO profiles VALUES (4, NULL, 'f')", "1 d d 1, 2 - - 2, 3 e e 3, 4 f f 4"),
        (
            "UPDATE contacts SET phone = 'all'; DELETE FROM profiles WHERE contact_id = 4",
            "1 all all 1, 2 all all 2, 3 all all 3, 4 all -",
        ),
        (
            "INSERT INTO profiles (contact_id, phone) VALUES (4, 'g')",
            "1 all all 1, 2 all all 2, 3 all all 3, 4 g g 4",
        ),
    ] {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        assert_eq!(project.text(both).await, expected, "{statement}");
    }
    // A value that stands in no row of the other table would be lost.
    client.batch_execute("INSERT INTO contacts VALUES (5, 'h')").await.unwrap();
    let (succeeded, said) = project.output(&["resume"]).await;
    assert!(!succeeded && said.contains("have a value that no row of public.profiles has"), "{said}");
    client.batch_execute("INSERT INTO profiles (contact_id) VALUES (5)").await.unwrap();
    project.run(&["resume"]).await;
    assert_eq!(project.text("SELECT phone FROM profiles WHERE contact_id = 5").await, "h");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn triggers_that_fight_a_plan_are_named_before_it_is_written() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);
        CREATE FUNCTION clean() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW := jsonb_populate_record(NEW, jsonb_build_object('size', NULL)); RETURN NEW; END $$;
        CREATE TRIGGER zz_clean BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION clean();
        INSERT INTO contacts VALUES (1, 'a');";
    let new = "CREATE FUNCTION clean() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW := jsonb_populate_record(NEW, jsonb_build_object('size', NULL)); RETURN NEW; END $$;
        CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text, size integer NOT NULL);
        CREATE TRIGGER zz_clean BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION clean();";
    let more = "[table.\"public.contacts\".columns]\nsize = { backfill = \"length(phone)\" }\n";
    let files = [("schema/contacts.sql", new), ("schema/contacts.toml", more)];
    let project = Project::new("fought", old, &files).await;
    let (succeeded, said) = project.output(&["plan", "--out", "x.toml", "--accept", "all"]).await;
    assert!(!succeeded && said.contains("trigger zz_clean ON public.contacts keeps step"), "{said}");

    // One that may change what a split keeps in step is a hazard of the step that begins it.
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL, note text);
        CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.phone := btrim(NEW.phone); RETURN NEW; END $$;
        CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION tidy();
        INSERT INTO contacts VALUES (1, 'a b');";
    let tidy = "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.phone := btrim(NEW.phone); RETURN NEW; END $$;
        CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION tidy();";
    let files = [("schema/contacts.toml", SPLIT), ("schema/tidy.sql", tidy)];
    let project = Project::new("tidied", old, &files).await;
    let (succeeded, said) = project.output(&["plan", "--out", "x.toml", "--accept", "drop-column"]).await;
    assert!(!succeeded && said.contains("needs --accept trigger-fights:public.contacts.tidy"), "{said}");
}

#[tokio::test]
async fn what_can_not_move_is_told_before_anything_is_planned_or_done() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text);
        CREATE TABLE profiles (contact_id bigint PRIMARY KEY REFERENCES contacts, note text);
        INSERT INTO contacts VALUES (1, '1'), (2, 'x'), (3, '3'); INSERT INTO profiles VALUES (1), (2);";
    let project = Project::new("unmoved", old, &[("schema/contacts.toml", MOVE)]).await;
    let said = project.plan().await;
    assert!(
        said.contains("rows of public.contacts have a value that no row of public.profiles has: id = 3"),
        "{said}"
    );
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes"]).await;
    assert!(!succeeded && said.contains("id = 3"), "{said}");

    let number = MOVE
        .replace("phone = \"text\"", "phone = \"integer\"")
        .replace("contacts.phone\"", "contacts.phone::integer\"");
    fs::write(
        project.dir.path().join("schema/contacts.toml"),
        number.replace("profiles.phone\"", "profiles.phone::text\""),
    )
    .unwrap();
    let said = project.plan().await;
    assert!(said.contains("contact_id = 2") && said.contains("invalid input syntax for type integer"), "{said}");

    let several = MOVE.replace("[\"contact_id\"]", "[\"contact_id\", \"note\"]");
    fs::write(project.dir.path().join("schema/contacts.toml"), several).unwrap();
    let (succeeded, said) = project.output(&["plan", "--out", "x.toml"]).await;
    assert!(!succeeded && said.contains("an aggregate puts them together"), "{said}");
}

#[tokio::test]
async fn numbers_come_while_rows_are_written() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text);
        CREATE ROLE typist; GRANT INSERT ON contacts TO typist;";
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text,
            number integer GENERATED ALWAYS AS IDENTITY (START WITH 100) UNIQUE);";
    let project = Project::new("numbers", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    let plan = project.plan().await;
    assert!(!plan.contains("rewrite-table"), "{plan}");
    let code = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let writer = Writer::start(&project, code, 0..20, Rows::new()).await;
    project.through("expand").await;
    // Who may insert needs no more than that.
    let typist = project.connect().await;
    typist
        .client
        .batch_execute("SET ROLE typist; INSERT INTO contacts (id, phone) VALUES (500, 'c')")
        .await
        .unwrap();
    project.through("validate").await;
    project.run(&["rollback", "--yes"]).await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
    typist.client.batch_execute("INSERT INTO contacts (id, phone) VALUES (501, 'c')").await.unwrap();
    for (key, text) in writer.stop().await {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
    }
    let numbered = "SELECT bool_and(number >= 100) AND count(DISTINCT number) = count(*) FROM contacts";
    assert_eq!(project.text(&format!("SELECT ({numbered})::text")).await, "true");
    assert_eq!(project.text("SELECT to_regclass('contacts_number_numbers')::text").await, "");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn keys_of_a_partitioned_table_become_bigint_while_they_are_in_use() {
    let old = "CREATE TABLE contacts (day date NOT NULL DEFAULT '2026-01-01', phone text, note text,
            id integer, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE INDEX contacts_by_number ON contacts (id);
        CREATE TABLE calls (day date NOT NULL, contact integer,
            CONSTRAINT calls_contact FOREIGN KEY (contact, day) REFERENCES contacts (id, day) ON DELETE CASCADE);";
    let new = old.replace("integer", "bigint");
    let filled = "INSERT INTO calls SELECT day, id FROM contacts WHERE id % 3 = 0; ANALYZE calls;";
    let files = [("schema/contacts.sql", new.as_str())];
    let project = Project::new("parted", &format!("{old}{MANY}{filled}"), &files).await;
    let plan = project.plan().await;
    assert!(!plan.contains("type-change-rewrite"), "{plan}");
    // A row changes its partition, too, and takes along who refers to it.
    let code = Code {
        insert: "WITH made AS (INSERT INTO contacts (id, phone) VALUES ($1::bigint, $2) RETURNING day)
                 INSERT INTO calls SELECT day, $1::bigint FROM made",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1::bigint",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1::bigint",
        read: "SELECT phone FROM contacts WHERE id = $1::bigint",
    };
    let writer = Writer::start(&project, code, 0..20, Rows::new()).await;
    let mover = Code {
        touch: "UPDATE contacts SET day = CASE WHEN day < '2026-01-01' THEN day + 365
        ELSE day - 365 END, note = $2 WHERE id = $1::bigint",
        insert: "INSERT INTO contacts (id, phone) VALUES ($1::bigint, $2)",
        ..code
    };
    let mover = Writer::start(&project, mover, 20..40, Rows::new()).await;
    let types = "SELECT string_agg(format_type(atttypid, NULL), ' ') FROM pg_attribute
        WHERE (attrelid, attname) IN (('contacts'::regclass, 'id'), ('contacts_2025'::regclass, 'id'),
            ('calls'::regclass, 'contact'))";
    project.through("expand").await;
    assert_eq!(project.text(types).await, "bigint bigint bigint");
    project.run(&["rollback", "--yes"]).await;
    assert_eq!(project.text(types).await, "integer integer integer");
    project.run(&["apply", "plan.toml", "--yes"]).await;
    assert_eq!(project.text(types).await, "bigint bigint bigint");
    for rows in [writer.stop().await, mover.stop().await] {
        for (key, text) in rows {
            assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
        }
    }
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14001");
    let keys = "SELECT count(*)::text FROM pg_constraint WHERE convalidated AND
        (conrelid = 'contacts'::regclass AND contype = 'p' OR conname = 'calls_contact' AND conparentid = 0)";
    assert_eq!(project.text(keys).await, "2");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn a_copy_whose_program_is_killed_goes_on() {
    let old = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text);";
    let new = "CREATE TABLE contacts (id bigint PRIMARY KEY, phone text, note text) PARTITION BY HASH (id);
        CREATE TABLE contacts_0 PARTITION OF contacts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE contacts_1 PARTITION OF contacts FOR VALUES WITH (MODULUS 2, REMAINDER 1);";
    let project = Project::new("killed", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    project.plan().await;
    let code = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2 WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let writer = Writer::start(&project, code, 0..20, Rows::new()).await;
    let mut apply = project.command(&["apply", "plan.toml", "--yes", "--rows-per-second", "2000"]).spawn().unwrap();
    let copied = "SELECT coalesce(sum(rows), 0)::bigint::text FROM tenantry.backfill";
    let mut rows = 0;
    while rows < 2000 {
        assert!(apply.try_wait().unwrap().is_none(), "it ended before it was killed");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let client = project.connect().await.client;
        rows = match client.query_one(copied, &[]).await {
            Ok(row) => row.get::<_, String>(0).parse().unwrap(),
            Err(_) => 0,
        };
    }
    apply.kill().unwrap();
    apply.wait().unwrap();
    // The server's process ends with the statement that it is at.
    let gone = "SELECT (count(*) = 0)::text FROM pg_locks WHERE locktype = 'advisory'";
    while project.text(gone).await != "true" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(project.text("SELECT relkind::text FROM pg_class WHERE relname = 'contacts'").await, "r");
    project.run(&["resume"]).await;
    assert_eq!(project.text("SELECT relkind::text FROM pg_class WHERE relname = 'contacts'").await, "p");
    for (key, text) in writer.stop().await {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
    }
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14001");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn rows_that_their_own_triggers_stamp_go_along() {
    let old = "CREATE TABLE contacts (id integer PRIMARY KEY, phone text, at timestamptz NOT NULL DEFAULT 'epoch');
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
        CREATE TRIGGER stamp BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION stamp();";
    let new = old.replace("integer", "bigint");
    let project = Project::new("stamped", &format!("{old}{MANY}"), &[("schema/contacts.sql", &new)]).await;
    let said = project.plan().await;
    assert!(
        said.contains("rows of public.contacts change as they are filled, by its own triggers: stamp"),
        "{said}"
    );
    project.run(&["apply", "plan.toml", "--yes"]).await;
    assert_eq!(project.text("SELECT count(*)::text FROM contacts WHERE phone = '+' || id").await, "14001");
    project.run(&["drift"]).await;
}
