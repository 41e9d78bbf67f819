//! Tables become partitioned, their rows copied, while they are in use.

use std::time::Duration;

use tokio::sync::watch;

use crate::MANY;
use crate::project::{Code, Project, Rows, Writer};

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
async fn everybody_reads_their_own_rows_while_a_table_is_copied_and_no_others() {
    let closed = |tables: &[&str]| -> String {
        let one = |it: &&str| {
            format!(
                "ALTER TABLE {it} ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON {it} USING (whose = CURRENT_USER);"
            )
        };
        tables.iter().map(one).collect()
    };
    let columns = "id bigint, whose text NOT NULL, day date NOT NULL DEFAULT '2026-01-01'";
    let granted = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO early_reader;";
    let old = format!(
        "CREATE ROLE early_reader;
        {granted}
        CREATE TABLE contacts ({columns}, PRIMARY KEY (id));
        {}
        INSERT INTO contacts SELECT g, CASE g WHEN 1 THEN 'early_reader' ELSE 'other' END, date '2025-06-01' + g / 60
          FROM generate_series(1, 20000) g;
        ANALYZE contacts;",
        closed(&["contacts"])
    );
    let new = format!(
        "{granted}
        CREATE TABLE contacts ({columns}, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        {}",
        closed(&["contacts", "contacts_2025", "contacts_2026"])
    );
    let project = Project::new("copied_early", &old, &[("schema/contacts.sql", &new)]).await;
    project.plan().await;
    let mut apply = project.command(&["apply", "plan.toml", "--yes", "--rows-per-second", "4000"]).spawn().unwrap();
    let whole = project.connect().await.client;
    let reader = project.connect().await.client;
    reader.batch_execute("SET ROLE early_reader").await.unwrap();
    let count = |table: &str| format!("SELECT count(*) FROM {table}");
    let (mut looked, mut filled) = (0, 0);
    while apply.try_wait().unwrap().is_none() {
        if let Ok(row) = whole.query_one(&count("contacts_new"), &[]).await {
            filled = filled.max(row.get::<_, i64>(0));
            looked += 1;
        }
        let own = reader.query_one(&count("contacts"), &[]).await.unwrap().get::<_, i64>(0);
        assert_eq!(own, 1, "the table itself is read all the while");
        for table in ["contacts_new", "contacts_old", "contacts_2025", "contacts_2026"] {
            // Not there, not to be read, or no more than one's own.
            let seen = reader.query_one(&count(table), &[]).await.map_or(0, |row| row.get::<_, i64>(0));
            assert!(seen <= 1, "{table}: {seen} rows");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(apply.wait().unwrap().success());
    assert!(looked > 10 && filled > 4000, "{looked} times, {filled} rows at most");
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

#[tokio::test]
async fn a_table_becomes_the_partition_that_can_hold_its_rows() {
    let old = "CREATE TABLE events (id integer PRIMARY KEY, at date NOT NULL);";
    let new = "CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE events_b PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE events_rest PARTITION OF events DEFAULT;";
    let places = "SELECT string_agg(id || ' ' || tableoid::regclass, ', ' ORDER BY id) FROM events";
    for (name, days, copied, found) in [
        ("home_is_the_rest", ["2020-01-01", "2030-01-01"], false, "1 events_rest, 2 events_rest"),
        ("home_is_bounded", ["2025-01-01", "2025-12-31"], false, "1 events_b, 2 events_b"),
        ("home_is_nowhere", ["2024-01-01", "2025-12-31"], true, "1 events_a, 2 events_b"),
    ] {
        let rows = format!("INSERT INTO events VALUES (1, '{}'), (2, '{}')", days[0], days[1]);
        let project = Project::new(name, &format!("{old}{rows}"), &[("schema/events.sql", new)]).await;
        let said = project.plan().await;
        assert_eq!(said.contains("copy the rows of public.events"), copied, "{said}");
        project.run(&["apply", "plan.toml", "--yes"]).await;
        assert_eq!(project.text(places).await, found);
        project.run(&["drift"]).await;
        if !copied {
            project.run(&["rollback", "--yes"]).await;
            assert_eq!(project.text("SELECT count(*)::text FROM ONLY events").await, "2");
        }
    }
}
