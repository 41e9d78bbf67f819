//! A column is taken apart while it and its parts are in use.

use crate::MANY;
use crate::project::{Code, Project, Rows, Writer, watching};

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
async fn triggers_that_fight_a_plan_are_named_all_at_once() {
    // One takes back what is written, one refuses it, one makes it null, and two refuse it together. The column of e is
    // there.
    let triggers = "
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nobody updates this'; END $$;
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW := jsonb_populate_record(NEW, '{\"x\": null}'); RETURN NEW; END $$;
        CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER f BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION keep();
        CREATE TRIGGER f BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE TRIGGER f BEFORE INSERT OR UPDATE ON c FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TRIGGER f BEFORE INSERT OR UPDATE ON e FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TRIGGER e BEFORE UPDATE ON d FOR EACH ROW EXECUTE FUNCTION pass();
        CREATE TRIGGER f AFTER UPDATE ON d FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE TRIGGER g BEFORE UPDATE ON d FOR EACH STATEMENT EXECUTE FUNCTION refuse();";
    let old = "CREATE TABLE a (id integer PRIMARY KEY, n integer);
        CREATE TABLE b (id integer PRIMARY KEY, n integer);
        CREATE TABLE c (id integer PRIMARY KEY, n integer);
        CREATE TABLE d (id integer PRIMARY KEY, n integer);
        CREATE TABLE e (id integer PRIMARY KEY, n integer, x integer);";
    let rows = "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 1);
        INSERT INTO d VALUES (1, 1); INSERT INTO e VALUES (1, 1);";
    let new = "CREATE TABLE a (id integer PRIMARY KEY, n integer, x integer NOT NULL);
        CREATE TABLE b (id integer PRIMARY KEY, n integer, x integer NOT NULL);
        CREATE TABLE c (id integer PRIMARY KEY, n integer, x integer NOT NULL);
        CREATE TABLE d (id integer PRIMARY KEY, n integer, x integer NOT NULL);
        CREATE TABLE e (id integer PRIMARY KEY, n integer, x integer NOT NULL);";
    let backfill = |table: &str| format!("[table.\"public.{table}\".columns]\nx = {{ backfill = \"0\" }}\n");
    let more = ["a", "b", "c", "d", "e"].map(backfill).concat();
    let declared = format!("{new}{triggers}");
    let files = [("schema/all.sql", declared.as_str()), ("schema/all.toml", more.as_str())];
    let project = Project::new("all_fight", &format!("{old}{triggers}{rows}"), &files).await;
    let (succeeded, said) = project.output(&["plan", "--out", "x.toml", "--accept", "all"]).await;
    assert!(!succeeded, "{said}");
    for trigger in
        ["f ON public.a", "f ON public.b", "f ON public.c", "f ON public.e", "f ON public.d", "g ON public.d"]
    {
        assert!(said.contains(&format!("trigger {trigger} keeps step")), "{said}");
    }
    assert!(!said.contains("trigger e ON public.d"), "{said}");
}
