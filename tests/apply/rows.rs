//! What the rows stand against is told before the first step.

use tenantry::apply::{self, Limits};
use tenantry::connect::Target;
use tenantry::introspect::introspect;
use tenantry::name::QName;
use tenantry::plan::Stage;

use crate::batches::Fill;
use crate::case::*;

/// Applies what the rows stand against: it is found before the first step, and would have been in the middle.
async fn stands_against(case: &Case, words: &[&str]) {
    let before = case.fingerprint().await;
    case.apply(&["--accept", "all"]).ended(1, &[words, &["nothing was changed"]].concat());
    case.apply(&["--accept", "all", "--preflight"]).ended(3, words);
    assert!(!case.ask("SELECT to_regnamespace('tenantry') IS NOT NULL").await);
    assert_eq!(case.fingerprint().await, before);
    let said = case.apply(&["--accept", "all", "--no-preflight"]);
    assert!(matches!(said.code, Some(1 | 6)), "{:?} {}", said.code, said.err);
}

#[tokio::test]
async fn rows_that_a_backfill_gives_nothing_are_named_first() {
    let fill = Fill::new("asks_null", 100).await;
    fill.case.connect().await.client.batch_execute("UPDATE items SET n = NULL WHERE id = 7").await.unwrap();
    fill.case.apply(&[]).ended(1, &["no value for twice: id = 7", "nothing was changed"]);
    let old =
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); INSERT INTO items VALUES (1, 1), (2, 0), (3, 3)";
    let case = Case::filling("asks_fails", old, Fill::NEW, "items", "twice", "6 / n").await;
    stands_against(&case, &["no value for twice: id = 2: division by zero"]).await;
}

#[tokio::test]
async fn duplicates_are_named_first() {
    let old = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text);
               INSERT INTO people VALUES (1, 'a'), (2, 'a'), (3, NULL), (4, NULL), (5, 'b')";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text);
               CREATE UNIQUE INDEX people_mail ON people (\"E mail\")";
    let case = Case::new("asks_unique", old, new).await;
    stands_against(&case, &["are alike in \"E mail\": a (2 times)"]).await;
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, \"E mail\" text, tenant integer NOT NULL DEFAULT 1,
               UNIQUE (tenant, \"E mail\"))";
    let case = Case::new("asks_unique_with", old, new).await;
    stands_against(&case, &["are alike in tenant, \"E mail\": 1, a (2 times)"]).await;
}

#[tokio::test]
async fn orphans_are_named_first() {
    let old = "CREATE TABLE people (id bigint PRIMARY KEY); INSERT INTO people VALUES (1);
               CREATE TABLE notes (id bigint PRIMARY KEY, person bigint);
               INSERT INTO notes VALUES (1, 1), (2, 2), (3, NULL)";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY);
               CREATE TABLE notes (id bigint PRIMARY KEY, person bigint REFERENCES people)";
    let case = Case::new("asks_orphans", old, new).await;
    stands_against(&case, &["rows of public.notes refer to no row of public.people: id = 2"]).await;
}

#[tokio::test]
async fn rows_that_break_a_check_or_lack_a_value_are_named_first() {
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age integer); INSERT INTO people VALUES (1, -1), (2, NULL)";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer CONSTRAINT grown CHECK (age > 0))";
    let case = Case::new("asks_check", old, new).await;
    stands_against(&case, &["rows of public.people break the check grown: id = 1"]).await;
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer NOT NULL)";
    let case = Case::new("asks_required", old, new).await;
    stands_against(&case, &["have no value for age", "id = 2"]).await;
}

#[tokio::test]
async fn values_that_a_new_type_can_not_hold_are_named_first() {
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age text); INSERT INTO people VALUES (1, '7'), (2, 'old')";
    let new = "CREATE TABLE people (id bigint PRIMARY KEY, age integer)";
    let case = Case::new("asks_cast", old, new).await;
    stands_against(&case, &["public.people.age do not survive", "id = 2: invalid input syntax"]).await;
    let old =
        "CREATE TABLE people (id bigint PRIMARY KEY, age numeric); INSERT INTO people VALUES (1, 7), (2, 7.5)";
    let case = Case::new("asks_loss", old, new).await;
    // The server would round it without a word.
    case.apply(&["--accept", "all"]).ended(1, &["public.people.age do not survive", "id = 2"]);
}

#[tokio::test]
async fn rows_of_another_partition_are_named_first() {
    let part = "CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
                CREATE TABLE logs_other PARTITION OF logs DEFAULT";
    let old = format!("{part}; INSERT INTO logs VALUES ('2024-01-05'), ('2024-03-05')");
    let new =
        format!("{part}; CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')");
    let case = Case::new("asks_default", &old, &new).await;
    stands_against(&case, &["default partition public.logs_other belong to the new one: at = 2024-01-05"]).await;
    let part = "CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at)";
    let old = format!(
        "{part}; CREATE TABLE logs_1 (at date NOT NULL); INSERT INTO logs_1 VALUES ('2024-01-05'), ('2024-03-05')"
    );
    let new =
        format!("{part}; CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')");
    let case = Case::new("asks_bound", &old, &new).await;
    case.apply(&["--accept", "all"]).ended(1, &["outside the bound", "at = 2024-03-05"]);
}

#[tokio::test]
async fn partitions_that_overlap_are_named_first() {
    let part = "CREATE TABLE logs (at date NOT NULL, kind text NOT NULL) PARTITION BY RANGE (at);
                CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')";
    let wanted = "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')";
    let case = Case::new("asks_overlap", part, &format!("{part}; {wanted}")).await;
    case.apply(&["--preflight"]).ended(0, &[]);
    // Somebody else's, outside of what is managed: the state that the plan starts from does not show it.
    let theirs = "CREATE SCHEMA tenantry_theirs; CREATE TABLE tenantry_theirs.logs_3 PARTITION OF logs
        FOR VALUES FROM ('2024-02-15') TO ('2024-04-01')";
    case.connect().await.client.batch_execute(theirs).await.unwrap();
    let session = server().target("asks_overlap");
    let findings = apply::preflight(&session, &case.plan.steps, Limits::default()).await.unwrap();
    let words = "the new partition of public.logs would overlap with tenantry_theirs.logs_3, which it has";
    assert!(findings.iter().any(|it| it.stops && it.message == words), "{findings:?}");
    let part = "CREATE TABLE kinds (kind text) PARTITION BY LIST (kind);
                CREATE TABLE kinds_1 PARTITION OF kinds FOR VALUES IN ('a', NULL)";
    let wanted = "CREATE TABLE kinds_2 PARTITION OF kinds FOR VALUES IN ('b', 'c')";
    let case = Case::new("asks_overlap_list", part, &format!("{part}; {wanted}")).await;
    let theirs = "CREATE TABLE kinds_3 PARTITION OF kinds FOR VALUES IN ('d', 'c')";
    case.connect().await.client.batch_execute(theirs).await.unwrap();
    let session = server().target("asks_overlap_list");
    let findings = apply::preflight(&session, &case.plan.steps, Limits::default()).await.unwrap();
    assert!(
        findings.iter().any(|it| it.stops && it.message.contains("overlap with public.kinds_3")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_disk_that_is_too_small_stops_the_plan_first() {
    let old =
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); INSERT INTO items VALUES (1, 1); ANALYZE items";
    let case = Case::new(
        "asks_disk",
        old,
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer); CREATE INDEX ON items (n)",
    )
    .await;
    let target = server().target("asks_disk");
    let rows = async |rows: &str| {
        let sql = format!("UPDATE pg_class SET reltuples = {rows} WHERE relname = 'items'");
        case.connect().await.client.batch_execute(&sql).await.unwrap();
    };
    rows("1e8").await;
    let allowed = Limits { disk: Some(1_000_000_000), ..Limits::default() };
    let findings = apply::preflight(&target, &case.plan.steps, allowed).await.unwrap();
    let found = |words: &str| findings.iter().any(|it| it.stops && it.message.contains(words));
    assert!(found("[apply] disk_gb lets it have 1.0 GB"), "{findings:?}");
    // This server's directory is on this machine and can be looked at.
    rows("1e15").await;
    let findings = apply::preflight(&target, &case.plan.steps, Limits::default()).await.unwrap();
    assert!(findings.iter().any(|it| it.stops && it.message.ends_with("are free")), "{findings:?}");
    case.apply(&[]).ended(1, &["are free", "nothing was changed"]);
}

#[tokio::test]
async fn room_for_an_index_goes_by_the_values_that_there_are() {
    let old = "CREATE TABLE letters (id integer PRIMARY KEY, body text);
               INSERT INTO letters SELECT g, repeat(md5(g::text), 60) FROM generate_series(1, 100) g;
               ANALYZE letters; UPDATE pg_class SET reltuples = 1e6 WHERE relname = 'letters'";
    let new = "CREATE TABLE letters (id integer PRIMARY KEY, body text); CREATE INDEX ON letters (body)";
    let case = Case::new("asks_width", old, new).await;
    let admin = case.connect().await;
    let facts = introspect(&admin.client, true).await.unwrap().facts;
    assert_eq!(facts.widths[&QName::new("public", "letters")], [("body".into(), 1_924)].into());
    // Statistics are for who may read the rows; most roles may not read the table of them all.
    admin.client.batch_execute("CREATE ROLE reader LOGIN; GRANT SELECT ON letters TO reader").await.unwrap();
    let text = format!("host={} port={} user=reader dbname=asks_width", server().dir.display(), server().port);
    let reader = Target::resolve(Some(&text), &[].into()).unwrap();
    let allowed = Limits { disk: Some(1_000_000_000), ..Limits::default() };
    let findings = apply::preflight(&reader, &case.plan.steps, allowed).await.unwrap();
    assert!(findings.iter().any(|it| it.stops && it.message.contains("about 2.5 GB of disk")), "{findings:?}");
}

#[tokio::test]
async fn a_question_ends_in_time_and_notes_stop_nothing() {
    let fill = Fill::new("asks_notes", 50).await;
    fill.case
        .connect()
        .await
        .client
        .batch_execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
             CREATE FUNCTION slow() RETURNS boolean LANGUAGE sql AS $$ SELECT pg_sleep(5) IS NOT NULL $$;
             CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch();
             CREATE SUBSCRIPTION feed CONNECTION 'dbname=nowhere' PUBLICATION items WITH (connect = false);
             INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
                  SELECT oid, 'items'::regclass, 'r' FROM pg_subscription WHERE subname = 'feed'",
        )
        .await
        .unwrap();
    let mut plan = fill.case.plan.clone();
    let index = "CREATE INDEX CONCURRENTLY i ON public.items (n)";
    let check = "ALTER TABLE public.items ADD CONSTRAINT slow CHECK (public.slow()) NOT VALID";
    let validate = "ALTER TABLE public.items VALIDATE CONSTRAINT slow";
    let keep = "CREATE TRIGGER keep BEFORE UPDATE ON public.items FOR EACH ROW EXECUTE FUNCTION public.touch()";
    let more = [
        (Stage::Expand, None, index),
        (Stage::Expand, Some(89), keep),
        (Stage::Validate, Some(90), check),
        (Stage::Validate, Some(91), validate),
    ];
    plan.steps.extend(Case { plan: plan.clone(), ..Case::new("asks_more", OLD, NEW).await }.by(&more).plan.steps);
    let fewer = "UPDATE pg_class SET reltuples = 1e8 WHERE relname = 'items'";
    fill.case.connect().await.client.batch_execute(fewer).await.unwrap();
    // The plan is of another start now; only its questions are asked.
    let findings = apply::preflight(&server().target("asks_notes"), &plan.steps, Limits::default()).await.unwrap();
    assert!(findings.iter().all(|it| !it.stops), "{findings:?}");
    let found = |words: &str| findings.iter().any(|it| it.message.contains(words));
    assert!(found("these triggers run for each: touch"), "{findings:?}");
    assert!(found("public.items come by the subscription feed"), "{findings:?}");
    assert!(found("could not be looked at in time"), "{findings:?}");
    assert!(found("GB of disk"), "{findings:?}");
}
