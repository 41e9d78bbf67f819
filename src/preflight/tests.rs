//! What is asked for which statements.

use super::*;
use crate::plan::Stage;
use crate::plan::batch::Batch;

fn asked(statements: &[&str]) -> Vec<What> {
    let steps: Vec<FileStep> =
        statements.iter().zip(1..).map(|(sql, id)| FileStep::new(id, Stage::Expand, *sql)).collect();
    probes(&steps, &steps.iter().collect::<Vec<_>>()).into_iter().map(|it| it.what).collect()
}

#[test]
fn triggers_of_the_plan_itself_are_none_of_others() {
    let mut steps: Vec<FileStep> = [
        "CREATE TRIGGER t_n_is_filled BEFORE INSERT OR UPDATE ON app.t FOR EACH ROW WHEN (NEW.n IS NULL) EXECUTE FUNCTION app.f()",
        "UPDATE app.t SET n = 1 WHERE n IS NULL",
    ]
    .into_iter()
    .zip(1..)
    .map(|(sql, id)| FileStep::new(id, Stage::Backfill, sql))
    .collect();
    steps[1].batch = Some(Batch {
        table: "app.t".into(),
        key: vec!["id".into()],
        set: vec![],
        pending: "n IS NULL".into(),
        into: None,
    });
    // A run that goes on has made its trigger before.
    let asked: Vec<What> = probes(&steps, &[&steps[1]]).into_iter().map(|it| it.what).collect();
    assert!(asked.contains(&What::Triggers { own: ["t_n_is_filled".to_owned()].into() }), "{asked:?}");
}

#[test]
fn a_column_that_is_filled_is_asked_for_its_values_only() {
    let asked = asked(&[
        "ALTER TABLE app.t ADD COLUMN x integer",
        "UPDATE app.t SET x = n * 2 WHERE x IS NULL",
        "ALTER TABLE app.t ADD CONSTRAINT c CHECK (x IS NOT NULL) NOT VALID",
        "ALTER TABLE app.t ALTER COLUMN x SET NOT NULL",
    ]);
    let expected = What::Value { column: "x".into(), expression: "n * 2".into(), pending: None };
    assert_eq!(asked, [expected]);
}

#[test]
fn a_column_that_is_there_keeps_its_values_where_others_are_filled() {
    let held = |condition: &str| {
        let fill = format!("UPDATE app.t SET x = 0 WHERE {condition}");
        let asked = asked(&["CREATE UNIQUE INDEX CONCURRENTLY i ON app.t (x)", &fill]);
        let of = asked.into_iter().find_map(|it| match it {
            What::Duplicates { of, .. } => of.into_iter().map(|it| it.value).next(),
            _ => None,
        });
        of.expect("a unique index is asked about")
    };
    assert_eq!(held("x IS NULL"), "(COALESCE(x, 0))");
    assert_eq!(held("x IS NULL AND y > 1"), "(COALESCE(x, 0))");
    assert_eq!(held("max IS NULL"), "(0)");
}

#[test]
fn a_column_that_is_renamed_keeps_its_values_where_others_are_filled() {
    let asked = asked(&[
        "ALTER TABLE app.t ADD COLUMN y integer",
        "UPDATE app.t SET y = x WHERE y IS DISTINCT FROM x",
        "UPDATE app.t SET y = 0 WHERE y IS NULL",
        "ALTER TABLE app.t ADD CONSTRAINT above CHECK (y > 5) NOT VALID",
        "ALTER TABLE app.t VALIDATE CONSTRAINT above",
    ]);
    let with = asked.into_iter().find_map(|it| match it {
        What::Rows { with, .. } => Some(with),
        _ => None,
    });
    let value = "(COALESCE(x::int, 0))".to_owned();
    assert_eq!(with, Some(vec![Term { name: "y".into(), value }]));
}

#[test]
fn a_fill_is_asked_for_its_values_whatever_path_its_triggers_run_under() {
    let asked = asked(&[
        "ALTER TABLE app.t ADD COLUMN x integer",
        "SET LOCAL search_path TO DEFAULT;\nUPDATE app.t SET x = n * 2 WHERE x IS NULL;\nSET LOCAL search_path = ''",
    ]);
    let expected = What::Value { column: "x".into(), expression: "n * 2".into(), pending: None };
    assert_eq!(asked, [expected]);
}

#[test]
fn what_a_trigger_follows_is_asked_for_other_ways_in() {
    let trigger =
        |of: &str| format!("CREATE TRIGGER f AFTER INSERT ON app.t FOR EACH {of} EXECUTE FUNCTION app.f()");
    assert_eq!(asked(&[&format!("{}; DROP TRIGGER g ON app.t", trigger("ROW"))]), [What::Followed]);
    assert_eq!(asked(&[&trigger("STATEMENT")]), []);
    assert_eq!(asked(&["CREATE TABLE app.t (a integer)", &trigger("ROW")]), []);
}

#[test]
fn a_value_may_be_null_where_the_one_that_it_is_made_of_is() {
    let asked = asked(&[
        "ALTER TABLE public.t ADD COLUMN b bigint",
        "UPDATE public.t SET a = x, b = y + 1 WHERE a IS NULL OR b IS NULL AND y IS NOT NULL",
    ]);
    let pending = asked.iter().find_map(|it| match it {
        What::Value { column, pending, .. } if column == "b" => pending.clone(),
        _ => None,
    });
    assert_eq!(pending.as_deref(), Some("y IS NOT NULL"));
}

#[test]
fn values_are_asked_for_whether_a_column_beside_can_take_them_over() {
    let asked = asked(&[
        "ALTER TABLE public.t ADD COLUMN n_new integer",
        "UPDATE public.t SET n_new = n WHERE n_new IS NULL AND n IS NOT NULL",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON public.t (n_new)",
    ]);
    let cast = What::Cast { column: "n".into(), expression: "n::int".into(), spelled: false };
    let of = vec![Term { name: "n".into(), value: "(n::int)".into() }];
    assert_eq!(asked[..2], [cast, What::Duplicates { of, nulls_too: false, condition: None }]);
}

#[test]
fn rows_are_asked_for_labels_that_an_enum_loses() {
    let asked = asked(&[
        "CREATE TYPE public.mood_new AS ENUM ('ok', 'it''s')",
        "ALTER TABLE public.t ADD COLUMN mood_new public.mood_new",
        "UPDATE public.t SET mood_new = mood::text::public.mood_new WHERE mood_new IS NULL",
    ]);
    let condition = asked.iter().find_map(|it| match it {
        What::Rows { condition, .. } => Some(condition.as_str()),
        _ => None,
    });
    assert_eq!(condition, Some("(mood::text)::text <> ALL (ARRAY['ok', 'it''s']::text[])"));
}

#[test]
fn a_copy_of_another_column_is_not_asked_for() {
    let asked = asked(&[
        "ALTER TABLE app.t ADD COLUMN x text",
        "UPDATE app.t SET x = \"N\" WHERE NOT pg_catalog.record_image_eq(ROW(x), ROW(\"N\"))",
    ]);
    assert_eq!(asked, []);
}

#[test]
fn keys_over_new_columns_are_asked_for_what_these_will_hold() {
    let asked = asked(&[
        "ALTER TABLE app.t ADD COLUMN tenant integer NOT NULL DEFAULT 1",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON app.t (tenant, \"Phone\")",
        "ALTER TABLE app.t ADD CONSTRAINT f FOREIGN KEY (tenant) REFERENCES app.u (id)",
    ]);
    let term = |name: &str, value: &str| Term { name: name.into(), value: value.into() };
    let of = vec![term("tenant", "(1)"), term("\"Phone\"", "\"Phone\"")];
    assert_eq!(asked[0], What::Duplicates { of, nulls_too: false, condition: None });
    let entry = |index: &str, step| Entry {
        step,
        index: index.into(),
        columns: vec!["\"Phone\"".into()],
        computed: vec!["(1)".into()],
        condition: None,
    };
    assert_eq!(asked[1], What::TooLong { of: vec![entry("i", 2)] });
    assert_eq!(
        asked[3],
        What::Orphans {
            columns: vec!["(1)".into()],
            to: "app.u".into(),
            to_columns: vec!["id".into()],
            period: false
        }
    );
}

#[test]
fn rows_are_looked_at_once_for_the_length_of_all_entries() {
    let asked = asked(&[
        "CREATE INDEX CONCURRENTLY i ON app.t (note)",
        "CREATE INDEX CONCURRENTLY j ON app.t (lower(note), n) WHERE n > 0",
        "CREATE INDEX CONCURRENTLY h ON app.t USING hash (note)",
    ]);
    let entry = |index: &str, step, columns: &[&str], computed: &[&str], condition: Option<&str>| Entry {
        step,
        index: index.into(),
        columns: columns.iter().map(ToString::to_string).collect(),
        computed: computed.iter().map(ToString::to_string).collect(),
        condition: condition.map(str::to_owned),
    };
    let of = vec![entry("i", 1, &["note"], &[], None), entry("j", 2, &["n"], &["lower(note)"], Some("n > 0"))];
    let lengths: Vec<What> = asked.into_iter().filter(|it| matches!(it, What::TooLong { .. })).collect();
    assert_eq!(lengths, [What::TooLong { of }]);
}

#[test]
fn nothing_is_asked_for_the_sake_of_what_need_not_hold() {
    let without = asked(&[
        "ALTER TABLE app.t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
        "ALTER TABLE app.t ADD CONSTRAINT n NOT NULL n NOT VALID",
        "ALTER TABLE app.t ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES app.u (id) NOT ENFORCED",
        "ALTER TABLE app.t ADD CONSTRAINT e CHECK (n > 1) NOT ENFORCED",
        "ALTER DOMAIN app.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
    ]);
    assert_eq!(without, []);
    let validated = asked(&[
        "ALTER TABLE app.t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
        "ALTER TABLE app.t VALIDATE CONSTRAINT c",
        "ALTER DOMAIN app.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
        "ALTER DOMAIN app.d VALIDATE CONSTRAINT c",
    ]);
    assert_eq!(validated.len(), 2);
}

#[test]
fn keys_over_periods_exclude_and_cover() {
    let asked = asked(&[
        "ALTER TABLE app.u ADD CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS)",
        "ALTER TABLE app.t ADD CONSTRAINT f FOREIGN KEY (u, PERIOD at) REFERENCES app.u (id, PERIOD at)",
    ]);
    let of = ["id", "at"].map(|it| Term { name: it.into(), value: it.into() });
    let of = of.into_iter().zip(["=".to_owned(), "&&".to_owned()]).collect();
    let [What::Rows { condition, .. }, conflicts, orphans] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(condition, "isempty(at)");
    assert_eq!(*conflicts, What::Conflicts { of, condition: None });
    assert!(matches!(orphans, What::Orphans { period: true, .. }), "{orphans:?}");
}

#[test]
fn what_goes_elsewhere_is_asked_for_under_the_name_that_it_has() {
    let asked = asked(&[
        "ALTER INDEX app.i RENAME TO i_2",
        "ALTER TABLE app.t RENAME TO t_2",
        "ALTER TABLE app.t_2 SET SCHEMA attic",
    ]);
    let renamed = [("app.i", "app.i_2"), ("app.t", "app.t_2")];
    let renamed = renamed.map(|(before, after)| (before.to_owned(), after.to_owned())).into();
    assert_eq!(asked, [What::Place { namespace: "attic".into(), renamed, leaving: BTreeSet::new() }]);
}

#[test]
fn nothing_is_asked_of_new_tables() {
    let asked = asked(&[
        "CREATE TABLE app.t (a integer)",
        "CREATE UNIQUE INDEX i ON app.t (a)",
        "ALTER TABLE app.t ADD CHECK (a > 0)",
    ]);
    assert_eq!(asked, []);
}

#[test]
fn bounds_are_conditions() {
    let asked = asked(&[
        "ALTER TABLE app.p ATTACH PARTITION app.c FOR VALUES FROM ('2024-01-01') TO (MAXVALUE)",
        "ALTER TABLE app.p ATTACH PARTITION app.d FOR VALUES IN ('a', NULL)",
    ]);
    let conditions: Vec<Option<String>> = asked
        .iter()
        .map(|it| match it {
            What::Bound { bound, .. } => bound.condition(&["at".into()]),
            _ => None,
        })
        .collect();
    assert_eq!(conditions[0].as_deref(), Some("(at) >= ('2024-01-01') AND true"));
    assert_eq!(conditions[1].as_deref(), Some("at IN ('a', NULL)"));
}
