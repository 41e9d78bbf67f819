//! A column moves to another table while both are in use.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::MANY;
use crate::project::{Code, Project, Rows, Writer, watching};

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
