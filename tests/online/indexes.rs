//! Indexes change their columns while rows are written, and who upserts finds the ones that it names.

use crate::MANY;
use crate::project::{Code, Project, Rows, Writer, watching};

/// Applies the plan beside code of before, which ends ahead of `contract`, and of after, which begins behind `expand`: both keep
/// their rows.
async fn beside_both(project: &Project, of_before: Code, of_after: Code) {
    let before = Writer::start(project, of_before, 0..20, Rows::new()).await;
    project.through("expand").await;
    let after = Writer::start(project, of_after, 20..40, Rows::new()).await;
    project.through("validate").await;
    let mut rows = before.stop().await;
    project.run(&["resume"]).await;
    rows.extend(after.stop().await);
    for (key, text) in rows {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
    }
    assert_eq!(project.text("SELECT count(*)::text FROM contacts").await, "14041");
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn upserts_over_the_old_columns_go_on_until_contract() {
    let old = "CREATE TABLE contacts (id bigint, phone text, note text, owner bigint NOT NULL DEFAULT 1,
            CONSTRAINT contacts_key PRIMARY KEY (id));
        CREATE UNIQUE INDEX contacts_by_phone ON contacts (phone);
        CREATE TABLE calls (contact bigint CONSTRAINT calls_contact REFERENCES contacts);
        INSERT INTO calls SELECT NULL FROM generate_series(1, 100);";
    let new = "CREATE TABLE contacts (id bigint, phone text, note text, owner bigint NOT NULL DEFAULT 1,
            CONSTRAINT contacts_key PRIMARY KEY (owner, id));
        CREATE UNIQUE INDEX contacts_by_phone ON contacts (owner, phone);
        CREATE TABLE calls (contact bigint, owner bigint NOT NULL DEFAULT 1,
            CONSTRAINT calls_contact FOREIGN KEY (owner, contact) REFERENCES contacts);";
    let project = Project::new("upserts", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    let plan = project.plan().await;
    assert_eq!(plan.matches("hazard upsert-target-goes").count(), 2, "{plan}");
    assert!(plan.contains("gate: nothing that runs trips over this: an INSERT … ON CONFLICT"), "{plan}");
    let of_before = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)
                 ON CONFLICT (id) DO UPDATE SET phone = excluded.phone",
        update: "WITH id AS (SELECT $1::bigint AS id) INSERT INTO contacts (id, phone) SELECT id, $2 FROM id
                 ON CONFLICT (id) DO UPDATE SET phone = excluded.phone",
        touch: "INSERT INTO contacts (id, phone) SELECT -id, phone FROM contacts WHERE id = $1
                ON CONFLICT (phone) DO UPDATE SET note = $2",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let of_after = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)
                 ON CONFLICT (owner, id) DO UPDATE SET phone = excluded.phone",
        update: "WITH id AS (SELECT $1::bigint AS id) INSERT INTO contacts (id, phone) SELECT id, $2 FROM id
                 ON CONFLICT (id, owner) DO UPDATE SET phone = excluded.phone",
        touch: "INSERT INTO contacts (id, phone) SELECT -id, phone FROM contacts WHERE id = $1
                ON CONFLICT (owner, phone) DO UPDATE SET note = $2",
        ..of_before
    };
    beside_both(&project, of_before, of_after).await;
    // Back to before `contract`, and forward again by what was built in `expand`.
    project.run(&["rollback", "--to", "3", "--yes"]).await;
    let built = "SELECT count(*)::text FROM pg_index WHERE indexrelid IN (to_regclass('contacts_key_tenantry'),
        to_regclass('contacts_by_phone_tenantry')) AND indisvalid";
    assert_eq!(project.text(built).await, "2");
    project.run(&["resume"]).await;
    project.run(&["drift"]).await;
    project.run(&["rollback", "--yes"]).await;
    let client = project.connect().await.client;
    let upsert = "INSERT INTO contacts (id) VALUES (0) ON CONFLICT (id) DO UPDATE SET note = 'back'";
    assert_eq!(client.execute(upsert, &[]).await.unwrap(), 1);
}

#[tokio::test]
async fn an_index_of_a_partitioned_table_changes_and_is_never_missed() {
    let old = "CREATE TABLE contacts (day date NOT NULL DEFAULT '2026-01-01', id bigint, phone text, note text,
            PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
            PARTITION BY RANGE (id);
        CREATE TABLE contacts_2026_all PARTITION OF contacts_2026 DEFAULT;
        CREATE INDEX contacts_by_phone ON contacts (phone);";
    let new = old.replace("contacts (phone)", "contacts (phone, note)");
    let files = [("schema/contacts.sql", new.as_str())];
    let project = Project::new("parted_index", &format!("{old}{MANY}"), &files).await;
    let plan = project.plan().await;
    assert!(plan.contains(" 8  drop the old index public.contacts_by_phone"), "{plan}");
    // A row changes its partition, too.
    let code = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "UPDATE contacts SET note = $2,
                    day = CASE WHEN day < '2026-01-01' THEN day + 365 ELSE day - 365 END WHERE id = $1",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let writer = Writer::start(&project, code, 0..20, Rows::new()).await;
    let without = "SELECT relid FROM pg_partition_tree('contacts') WHERE NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = relid AND i.indisvalid AND a.attname = 'phone')";
    let (stop, watch) = watching(&project, without).await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
    project.run(&["drift"]).await;
    project.run(&["rollback", "--yes"]).await;
    project.run(&["apply", "plan.toml", "--yes"]).await;
    // Back to before the old ones go, and forward again.
    project.run(&["rollback", "--to", "7", "--yes"]).await;
    project.run(&["resume"]).await;
    stop.send_replace(true);
    assert!(watch.await.expect("there is always one") > 10);
    for (key, text) in writer.stop().await {
        assert_eq!(project.text(&format!("SELECT phone FROM contacts WHERE id = {key}")).await, text);
    }
    project.run(&["drift"]).await;
}

#[tokio::test]
async fn keys_of_a_partitioned_table_change_and_are_never_missed() {
    let old = "CREATE TABLE contacts (day date NOT NULL DEFAULT '2026-01-01', id bigint, phone text, note text,
            CONSTRAINT contacts_key PRIMARY KEY (id, day),
            CONSTRAINT contacts_phone UNIQUE (phone, day)) PARTITION BY RANGE (day);
        CREATE TABLE contacts_2025 PARTITION OF contacts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE contacts_2026 PARTITION OF contacts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
            PARTITION BY LIST (day);
        CREATE TABLE contacts_2026_all PARTITION OF contacts_2026 DEFAULT;
        CREATE TABLE calls (contact bigint, day date, CONSTRAINT calls_contact FOREIGN KEY (contact, day) REFERENCES contacts);
        INSERT INTO calls SELECT NULL FROM generate_series(1, 100);";
    let new = old
        .replace("note text,", "note text, owner bigint NOT NULL DEFAULT 1,")
        .replace("(id, day)", "(owner, id, day)")
        .replace("(phone, day)", "(owner, phone, day)")
        .replace(
            "day date, CONSTRAINT calls_contact",
            "day date, owner bigint NOT NULL DEFAULT 1, CONSTRAINT calls_contact",
        )
        .replace("(contact, day)", "(owner, contact, day)");
    let declared = new.split("INSERT").next().expect("the tables");
    let project = Project::new("parted_keys", &format!("{old}{MANY}"), &[("schema/contacts.sql", declared)]).await;
    let plan = project.plan().await;
    assert_eq!(plan.matches("hazard upsert-target-goes").count(), 2, "{plan}");
    assert!(!plan.contains("hazard object-recreate"), "{plan}");
    let of_before = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)
                 ON CONFLICT (id, day) DO UPDATE SET phone = excluded.phone",
        update: "WITH id AS (SELECT $1::bigint AS id) INSERT INTO contacts (id, phone) SELECT id, $2 FROM id
                 ON CONFLICT (id, day) DO UPDATE SET phone = excluded.phone",
        touch: "INSERT INTO contacts (id, phone) SELECT -id, phone FROM contacts WHERE id = $1
                ON CONFLICT (phone, day) DO UPDATE SET note = $2",
        read: "SELECT phone FROM contacts WHERE id = $1",
    };
    let of_after = Code {
        insert: "INSERT INTO contacts (id, phone) VALUES ($1, $2)",
        update: "UPDATE contacts SET phone = $2 WHERE id = $1",
        touch: "INSERT INTO contacts (id, phone) SELECT -id, phone FROM contacts WHERE id = $1
                ON CONFLICT (owner, phone, day) DO UPDATE SET note = $2",
        ..of_before
    };
    // A table without a valid unique index on the id, or on the phone.
    let without =
        "SELECT relid FROM pg_partition_tree('contacts'), unnest('{id,phone}'::name[]) key WHERE NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = relid AND i.indisvalid AND i.indisunique AND a.attname = key)";
    let (stop, watch) = watching(&project, without).await;
    beside_both(&project, of_before, of_after).await;
    let client = project.connect().await.client;
    let upsert = "INSERT INTO contacts (id) VALUES (0) ON CONFLICT (owner, day, id) DO UPDATE SET note = 'new'";
    assert_eq!(client.execute(upsert, &[]).await.unwrap(), 1);
    project.run(&["rollback", "--to", "7", "--yes"]).await;
    let upsert = "INSERT INTO contacts (id) VALUES (0) ON CONFLICT (id, day) DO UPDATE SET note = 'back'";
    assert_eq!(client.execute(upsert, &[]).await.unwrap(), 1);
    project.run(&["resume"]).await;
    project.run(&["drift"]).await;
    project.run(&["rollback", "--yes"]).await;
    assert_eq!(client.execute(upsert, &[]).await.unwrap(), 1);
    stop.send_replace(true);
    assert!(watch.await.expect("there is always one") > 10);
}

#[tokio::test]
async fn what_a_key_takes_over_is_there_again_for_who_goes_on_between() {
    let old = "CREATE TABLE contacts (id bigint NOT NULL, phone text, note text);
        CREATE TABLE calls (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
        CREATE TABLE calls_old PARTITION OF calls FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
        INSERT INTO calls SELECT 1, now() FROM generate_series(1, 1);";
    let new = "CREATE TABLE contacts (id bigint NOT NULL, phone text, note text);
        ALTER TABLE contacts ADD CONSTRAINT contacts_key UNIQUE (id);
        ALTER TABLE contacts REPLICA IDENTITY USING INDEX contacts_key;
        CREATE TABLE calls (id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE calls_old PARTITION OF calls FOR VALUES FROM (MINVALUE) TO (MAXVALUE);";
    let project = Project::new("between", &format!("{old}{MANY}"), &[("schema/contacts.sql", new)]).await;
    let plan = project.plan().await;
    assert!(plan.contains("7  create constraint public.contacts.contacts_key over its index"), "{plan}");
    project.through("contract").await;
    // After the build and what the table uses the index for.
    project.run(&["rollback", "--to", "6", "--yes"]).await;
    project.none("SELECT 1 WHERE to_regclass('contacts_key') IS NULL").await;
    project.run(&["resume"]).await;
    project.run(&["drift"]).await;
    // Where all is taken back, nothing is built for it.
    let whole = project.run(&["rollback", "--dry-run"]).await;
    assert!(whole.contains("DROP CONSTRAINT contacts_key") && !whole.contains("CREATE UNIQUE INDEX"), "{whole}");
    // Of a key above partitions, what is attached stays with the whole.
    let told = project.run(&["rollback", "--to", "1", "--yes"]).await;
    assert!(told.contains("can't go on from there, so plan anew there: step 2 fails on the copy"), "{told}");
    project.run(&["rollback", "--yes"]).await;
}
