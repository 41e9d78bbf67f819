//! One plan with hostile names in every form, as its reader gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use tenantry::diagnostic::Look;
use tenantry::lock::Lock;
use tenantry::plan::access::{Change, Command, Reach};
use tenantry::plan::batch::{Assignment, Batch};
use tenantry::plan::file::{Estimate, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To};
use tenantry::plan::gate::Gate;
use tenantry::plan::hazard::Code;
use tenantry::plan::split::{Before, Part};
use tenantry::plan::{Stage, Undo};
use tenantry::render::{Format, render};
use tenantry::scope::{Scope, Tenants};

const PLAIN: Look = Look { colour: false, width: 80 };

/// A table that means harm to terminals, Markdown, HTML and psql.
const HOSTILE: &str = "public.\"x`|</code><script>alert(1)</script>@all\n\\! id\x1b[2J\"";

fn step(id: u32, stage: Stage, summary: &str, sql: &str) -> FileStep {
    FileStep {
        summary: summary.into(),
        transaction: Some(id),
        lock_timeout_ms: 2000,
        ..FileStep::new(id, stage, sql)
    }
}

fn lock(relation: &str, mode: Lock, observed: Option<Lock>) -> FileLock {
    FileLock { relation: relation.into(), mode, observed }
}

fn plan() -> PlanFile {
    let table = "CREATE TABLE public.plans (\n    id integer NOT NULL,\n    name text NOT NULL,\n    \
                 price numeric NOT NULL,\n    CONSTRAINT plans_pkey PRIMARY KEY (id)\n)";
    let seed =
        "INSERT INTO public.plans (id, name, price) VALUES (1, 'For those who try, and for those who stay', 0)";
    let column = "ALTER TABLE public.contacts ADD COLUMN user_id integer NOT NULL DEFAULT 1";
    let index = "CREATE INDEX CONCURRENTLY idx_contacts_user ON public.contacts (user_id, last_interaction DESC NULLS LAST)";
    let hostile = format!("ALTER TABLE {HOSTILE} ADD CONSTRAINT \"a; DROP TABLE b --\" CHECK (c <> '</pre>```')");
    let drop = "ALTER TABLE public.messages DROP COLUMN status";
    let estimate = |rows, bytes, seconds| {
        Some(Estimate {
            rows,
            bytes,
            seconds,
            disk: 0,
            wal: bytes / 2,
            reason: "reads at 100 MB to 1 GB a second".into(),
        })
    };
    let access = |role: &str, object: &str, before, after| Change {
        role: role.into(),
        commands: vec![Command::Select, Command::Update],
        object: object.into(),
        before,
        after,
    };
    let mut plan = PlanFile {
        gates: vec![Gate {
            before: Stage::Contract,
            unused: vec!["column public.messages.status".into()],
            retired: vec!["queries/app.sql:3: column <b>status</b> does not exist".into()],
            broken: vec!["an INSERT that leaves the column out fails: column public.messages.sent_at".into()],
        }],
        format: 1,
        tool: "0.1.0".into(),
        id: String::new(),
        name: "tenants <b> `for` all".into(),
        part: None,
        from: From { fingerprint: "e28e01c40406fb0c90d9f2209736".into(), server: "15.18".into() },
        to: To {
            fingerprint: "54fb3daa6e6730537aed5a850631".into(),
            declaration: "a2e26b79c11a5d4bb2b54c7b".into(),
        },
        scope: Scope { namespaces: vec!["public".into()], ..Scope::default() },
        proof: Proof {
            server: "15.18".into(),
            converges: true,
            undo_returns: true,
            rows_survive: true,
            filled: BTreeMap::from([("public.contacts".into(), 3), ("public.messages".into(), 3)]),
            unfilled: BTreeMap::from([(HOSTILE.into(), "no value passes its checks".into())]),
            unproved: ["a", "b"]
                .map(|it| format!("constraint public.t.{it} is not the same on the shadow as on the live side"))
                .into(),
            access: vec![
                access("<i>anon</i>", "table public.contacts", Some(Reach::Refused), Reach::All),
                access("<i>anon</i>", "table public.messages", Some(Reach::Refused), Reach::All),
                access("app", "view public.talk", Some(Reach::All), Reach::Own),
                access("app", "table public.plans", None, Reach::All),
            ],
        },
        notes: vec![
            "not managed, and left as it is: rule public.r on public.contacts".into(),
            "not managed, and left as it is: event trigger <i>e</i>".into(),
            "see https://example.org/ and ask @nobody about #1".into(),
        ],
        difference: "--- live\n+++ declared\n@@ -1,2 +1,3 @@\n CREATE TABLE public.contacts (\n-    a text\n+    \
                     a text DEFAULT '</pre>',\n+    b \x1b[31mtext\n"
            .into(),
        steps: vec![
            FileStep {
                because: Some("schema/plans.sql:3".into()),
                undo: vec![Undo::inside("DROP TABLE public.plans")],
                ..step(1, Stage::Expand, "create table public.plans", table)
            },
            FileStep {
                transaction: Some(1),
                check: Some("SELECT EXISTS (SELECT FROM public.plans WHERE id = 1)".into()),
                ..step(2, Stage::Expand, "insert rows into public.plans", seed)
            },
            FileStep {
                locks: vec![lock("public.contacts", Lock::AccessExclusive, Some(Lock::AccessExclusive))],
                because: Some("schema/contacts.sql:12".into()),
                ..step(3, Stage::Expand, "create column public.contacts.user_id", column)
            },
            FileStep {
                transaction: None,
                locks: vec![lock("public.contacts", Lock::ShareUpdateExclusive, None)],
                scans: vec!["public.contacts".into()],
                estimate: estimate(1_204_331, 310_000_000, [0.31, 3.1]),
                because: Some("schema/a/rather/long/way/to/contacts.sql:1234".into()),
                ..step(4, Stage::Expand, "create index public.idx_contacts_user", index)
            },
            FileStep {
                locks: vec![
                    lock(HOSTILE, Lock::ShareRowExclusive, Some(Lock::Share)),
                    lock("public.contacts", Lock::ShareRowExclusive, Some(Lock::ShareRowExclusive)),
                ],
                scans: vec![HOSTILE.into()],
                hazards: vec![FileHazard {
                    severity: None,
                    code: Code::CheckMayFail,
                    object: format!("constraint {HOSTILE}.c"),
                    why: "<img src=x onerror=alert(1)> | *rows*".into(),
                    accepted: None,
                }],
                estimate: estimate(12, 16_384, [0.001, 0.001]),
                ..step(5, Stage::Validate, &format!("create constraint {HOSTILE}.c"), &hostile)
            },
            FileStep {
                locks: vec![lock("public.messages", Lock::AccessExclusive, Some(Lock::AccessExclusive))],
                hazards: ["status", "state"]
                    .map(|it| FileHazard {
                        severity: None,
                        code: Code::DropColumn,
                        object: format!("column public.messages.{it}"),
                        why: "1,204 rows have a value in it".into(),
                        accepted: (it == "state").then(|| "--accept".into()),
                    })
                    .into(),
                irreversible: Some("the values of the column are gone".into()),
                ..step(6, Stage::Contract, "drop column public.messages.status", drop)
            },
        ],
    };
    plan.id = plan.meaning();
    plan
}

#[test]
fn text() {
    let text = render(&plan(), Format::Text, PLAIN);
    assert!(!text.contains('\x1b'), "a name reaches the terminal");
    insta::assert_snapshot!(text);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let painted = render(&plan(), Format::Text, Look { colour: true, width: 80 });
    let mut parts = painted.split("\x1b[");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        bare.push_str(part.split_once('m').expect("only colours are written").1);
    }
    let bare: Vec<_> = bare.lines().map(str::trim_end).collect();
    let plain = render(&plan(), Format::Text, PLAIN);
    assert_eq!(bare, plain.lines().collect::<Vec<_>>());
}

#[test]
fn markdown() {
    let text = render(&plan(), Format::Markdown, PLAIN);
    assert!(!text.contains("<img") && !text.contains('\x1b'));
    // Only inside of a fence, where it is text.
    assert!(text.lines().filter(|it| it.contains("<script")).all(|it| it.starts_with("ALTER TABLE")));
    insta::assert_snapshot!(text);
}

#[test]
fn a_comment_is_never_too_long_for_its_host() {
    let mut long = plan();
    long.difference = "+a\n".repeat(30_000);
    let text = render(&long, Format::Markdown, PLAIN);
    assert!(text.len() < 60_000 && text.contains("CREATE INDEX CONCURRENTLY"));
    long.steps[0].sql = "SELECT 1\n".repeat(10_000);
    let text = render(&long, Format::Markdown, PLAIN);
    assert!(text.len() < 60_000 && !text.contains("SELECT 1") && text.contains("**6.** drop column"));
    let steps = plan().steps;
    long.steps = steps.iter().cycle().take(2_000).cloned().collect();
    for step in &mut long.steps {
        step.hazards.clear();
    }
    let text = render(&long, Format::Markdown, PLAIN);
    assert!(text.len() < 60_000 && text.contains("| contract |"));
}

#[test]
fn sql() {
    let text = render(&plan(), Format::Sql, PLAIN);
    let commands: Vec<_> = text.lines().filter(|it| it.trim_start().starts_with('\\')).collect();
    // The third stands inside of the quoted name, where psql reads no commands.
    assert_eq!(commands, ["\\set ON_ERROR_STOP on", "\\set AUTOCOMMIT on", commands[2]]);
    insta::assert_snapshot!(text);
}

#[test]
fn json() {
    let text = render(&plan(), Format::Json, PLAIN);
    let read: PlanFile = serde_json::from_str(&text).expect("what is written is read");
    assert_eq!(read, plan());
    insta::assert_snapshot!(text);
}

/// The names of a type's fields, which its reader tells when it meets another.
fn fields<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(r#"{"none of them": 0}"#) else { panic!("it takes any field") };
    let error = error.to_string();
    let (_, expected) = error.split_once("expected").expect("the fields are named");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The fields that docs/plan-file.md has in the table below a heading, with what it says of each.
fn documented(heading: &str) -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan-file.md")).unwrap();
    let section = page.split(&format!("\n### {heading}\n")).nth(1).expect("the heading is there");
    let table =
        section.split("\n#").next().unwrap().lines().filter(|it| it.starts_with("| `") || it.starts_with("| *`"));
    let row = |line: &str| {
        let cells: Vec<String> = line.trim_matches('|').split(" | ").map(|it| it.trim().to_owned()).collect();
        let names: Vec<String> = cells[0].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        names.into_iter().map(move |name| (name, cells[2..].join(" | ")))
    };
    table.flat_map(row).collect()
}

#[test]
fn every_field_is_documented_and_none_besides() {
    let ends = documented("`from` and `to`");
    let of = |end: &str| -> BTreeSet<String> {
        ends.keys().filter_map(|it| it.strip_prefix(end)?.strip_prefix('.').map(str::to_owned)).collect()
    };
    let names = |heading: &str| documented(heading).into_keys().collect::<BTreeSet<_>>();
    for (is, said) in [
        (fields::<PlanFile>(), names("The plan")),
        (fields::<From>(), of("from")),
        (fields::<To>(), of("to")),
        (fields::<Scope>(), names("`scope`")),
        (fields::<Proof>(), names("`proof`")),
        (fields::<FileStep>(), names("`step`")),
    ] {
        assert_eq!(said, is);
    }
    let (plan, scope, proof, step) =
        (documented("The plan"), documented("`scope`"), documented("`proof`"), documented("`step`"));
    for (inner, said) in [
        (fields::<Part>(), &plan["part"]),
        (fields::<Before>(), &plan["part"]),
        (fields::<Gate>(), &plan["gate"]),
        (fields::<Tenants>(), &scope["tenants"]),
        (fields::<Change>(), &proof["access"]),
        (fields::<Batch>(), &step["batch"]),
        (fields::<Assignment>(), &step["batch"]),
        (fields::<FileLock>(), &step["locks"]),
        (fields::<FileHazard>(), &step["hazards"]),
        (fields::<Estimate>(), &step["estimate"]),
        (fields::<Undo>(), &step["undo"]),
    ] {
        for field in inner {
            assert!(said.contains(&format!("`{field}`")), "{field} is not in: {said}");
        }
    }
}

#[test]
fn html() {
    let text = render(&plan(), Format::Html, PLAIN);
    assert!(!text.contains("<script") && !text.contains("<img") && !text.contains('\x1b'));
    insta::assert_snapshot!(text);
}

#[test]
fn an_edited_plan_and_an_empty_one_say_so() {
    let mut edited = plan();
    edited.steps.clear();
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let text = render(&edited, format, PLAIN).to_lowercase();
        assert!(text.contains("edited") && text.contains("nothing is left to change"), "{text}");
    }
}
