//! Tables and columns get another name, or go to the quarantine, while code uses the old name and the new one.

use std::time::Duration;

use crate::MANY;
use crate::project::{Code, Project, Rows, Writer, watching};

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
    let said = project.plan().await;
    if project.text("SELECT (current_setting('server_version_num')::int < 150000)::text").await == "true" {
        // No view can stand for the table with the rights of those who use it.
        assert!(said.contains("hazard rename"), "{said}");
        return;
    }
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
