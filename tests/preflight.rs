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
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes"]).await;
    assert!(!succeeded && words.iter().all(|it| said.contains(it)), "{words:?}: {said}");
    assert_eq!(project.text("SELECT to_regnamespace('tenantry')::text").await, "", "{said}");
    let (succeeded, said) = project.output(&["apply", "plan.toml", "--yes", "--no-preflight"]).await;
    assert!(!succeeded, "{said}");
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
