//! Declarations, settings, statements and plan files that are garbled: whatever stands in a file, reading it comes to an
//! end, and says what is wrong in words that can be read.
//!
//! `TENANTRY_TEST_LONG=1 cargo test --test garbled` tries many more; `TENANTRY_TEST_SEED` chooses where to begin. What a
//! failure was about is left below `target/tmp/garbled`.
#![allow(clippy::disallowed_methods, reason = "tests run the program and write its files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenantry::diagnostic::{File, Look, Report, render_all};
use tenantry::plan::file::PlanFile;
use tenantry::render::{self, Format};
use tenantry::{config, files, lint, queries, source};

#[path = "support/garble.rs"]
mod garble;

use garble::{Change, Random};

/// As wide as a terminal that nobody made wider.
const LOOK: Look = Look { colour: false, width: 80 };

/// What a report may take of a line, whatever the text is that it shows.
const WIDEST: usize = 200;

/// How long reading one file may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn is_long() -> bool {
    std::env::var_os("TENANTRY_TEST_LONG").is_some()
}

/// The seeds of a test's rounds.
fn seeds(short: u64, long: u64) -> impl Iterator<Item = u64> {
    let from = std::env::var("TENANTRY_TEST_SEED").map_or(1, |it| it.parse().expect("a number"));
    from..from + if is_long() { long } else { short }
}

/// A directory of one file for each seed, which stays where a test fails or is ended by the system.
struct Place {
    dir: PathBuf,
    seed: u64,
    begun: Instant,
}

impl Place {
    fn new(test: &str, seed: u64) -> Place {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("garbled").join(format!("{test}-{seed}"));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Place { dir, seed, begun: Instant::now() }
    }

    fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: see {}", self.seed, self.dir.display());
            return;
        }
        let took = self.begun.elapsed();
        assert!(took < PATIENCE, "seed {}: {took:?}, see {}", self.seed, self.dir.display());
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Files of a sort, to be garbled.
fn texts(places: &[&str], extension: &str) -> Vec<Vec<u8>> {
    let mut paths = BTreeSet::new();
    let mut open: Vec<PathBuf> = places.iter().map(PathBuf::from).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else if path.extension().is_some_and(|it| it == extension) {
            paths.insert(path);
        }
    }
    assert!(!paths.is_empty(), "no {extension} in {places:?}");
    // Links that lead nowhere are among them.
    paths.iter().filter_map(|it| fs::read(it).ok()).collect()
}

/// Reports say what is wrong and where or what to do, and can be read.
fn well_said(reports: &[Report]) {
    for report in reports {
        let said = &report.message;
        assert!(!said.trim().is_empty() && !said.ends_with('.'), "{said:?}");
        let shown = report.places.iter().any(|it| it.span.start <= it.file.text.len());
        assert!(shown || report.help.is_some(), "neither where nor what to do: {said}");
    }
    let text = render_all(reports, LOOK);
    let widest = text.lines().map(|it| it.chars().count()).max().unwrap_or_default();
    assert!(widest <= WIDEST, "a line of {widest} characters: {}", text.chars().take(3000).collect::<String>());
    let odd =
        |c: &char| c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(|it| odd(&it)), "{text:?}");
}

/// Reads what the files of a directory declare.
fn read(dir: &Path) -> Result<source::Declaration, Vec<Report>> {
    let read = files::schema_files(&[dir.to_owned()], &[]).and_then(|files| source::read(files, 15));
    match &read {
        Ok(declaration) => well_said(&declaration.notes),
        Err(reports) => {
            assert!(reports.iter().any(Report::is_error), "refused without a word");
            well_said(reports);
        }
    }
    read
}

#[test]
fn declarations_in_sql() {
    let texts = texts(&["schema", "tests/cases", "tests/bad_input"], "sql");
    for seed in seeds(150, 20_000) {
        let mut random = Random::new(seed);
        let place = Place::new("sql", seed);
        for name in ["a.sql", "b.sql"].iter().take(1 + random.below(2)) {
            let (one, other) = (random.below(texts.len()), random.below(texts.len()));
            place.write(name, &garble::garbled(&texts[one], &texts[other], &mut random));
        }
        if let Ok(declaration) = read(&place.dir) {
            let _ = source::render_sql(&declaration);
        }
    }
}

#[test]
fn declarations_in_toml() {
    let texts = texts(&["schema", "tests/bad_input", "tests/schema_files"], "toml");
    for seed in seeds(150, 20_000) {
        let mut random = Random::new(seed);
        let place = Place::new("toml", seed);
        let (one, other) = (random.below(texts.len()), random.below(texts.len()));
        place.write("a.toml", &garble::garbled(&texts[one], &texts[other], &mut random));
        let _ = read(&place.dir);
    }
}

#[test]
fn settings_and_statements() {
    let settings = texts(&["tenantry.toml"], "toml");
    let budgets = texts(&["queries"], "toml");
    let scripts = texts(&["schema", "tests/cases"], "sql");
    for seed in seeds(100, 10_000) {
        let mut random = Random::new(seed);
        let place = Place::new("settings", seed);
        let text = |of: &[Vec<u8>], random: &mut Random| {
            let (one, other) = (random.below(of.len()), random.below(of.len()));
            String::from_utf8_lossy(&garble::garbled(&of[one], &of[other], random)).into_owned()
        };
        let (config, budget, script) =
            (text(&settings, &mut random), text(&budgets, &mut random), text(&scripts, &mut random));
        place.write("tenantry.toml", config.as_bytes());
        place.write("queries.toml", budget.as_bytes());
        place.write("script.sql", script.as_bytes());
        if let Err(reports) = config::parse(&File::new("tenantry.toml", config)) {
            well_said(&reports);
        }
        if let Err(reports) = queries::read(&[File::new("queries.toml", budget)], |_| true) {
            well_said(&reports);
        }
        let _ = lint::script::read(&File::new("script.sql", script));
    }
}

/// A plan file of the example with one step of each shape, as a document.
fn plan() -> toml::Value {
    let mut whole: Option<toml::Value> = None;
    let mut shapes = BTreeSet::new();
    for text in texts(&["plans"], "toml") {
        let mut plan: toml::Value = toml::from_str(str::from_utf8(&text).unwrap()).unwrap();
        let steps = plan["step"].as_array_mut().unwrap();
        steps.retain(|step| shapes.insert(shape(step)));
        match &mut whole {
            None => whole = Some(plan),
            Some(whole) => {
                let more = plan["step"].as_array().unwrap().clone();
                whole["step"].as_array_mut().unwrap().extend(more);
                for (key, value) in plan.as_table().unwrap() {
                    whole.as_table_mut().unwrap().entry(key).or_insert(value.clone());
                }
            }
        }
    }
    whole.unwrap()
}

/// Which keys there are, whatever they hold.
fn shape(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => table.iter().map(|(key, it)| format!("{key}({})", shape(it))).collect(),
        toml::Value::Array(items) => items.iter().map(shape).collect::<BTreeSet<_>>().into_iter().collect(),
        _ => String::new(),
    }
}

/// Reads a plan file, and does with it what needs no server.
fn read_plan(text: &str) {
    match PlanFile::read(&File::new("plan.toml", text)) {
        Err(reports) => {
            assert!(!reports.is_empty(), "refused without a word");
            well_said(&reports);
        }
        Ok(mut plan) => {
            for format in [Format::Text, Format::Markdown, Format::Sql, Format::Json, Format::Html] {
                let _ = render::render(&plan, format, LOOK);
            }
            plan.id = plan.meaning();
            let again = PlanFile::read(&File::new("plan.toml", plan.to_toml()));
            let again = again.unwrap_or_else(|reports| panic!("{}", render_all(&reports, LOOK)));
            assert_eq!(again.meaning(), plan.id, "what is written is not what is read");
        }
    }
}

#[test]
fn every_field_of_a_plan_file() {
    let plan = plan();
    let unchanged = toml::to_string(&plan).unwrap();
    PlanFile::read(&File::new("plan.toml", unchanged)).expect("it is a plan file");
    let values = garble::values();
    let mut tried = 0_u64;
    for at in garble::places(&plan) {
        let to = values.iter().cloned().map(Change::To);
        for how in [Change::Gone, Change::Twice].into_iter().chain(to) {
            tried += 1;
            // All of them take minutes; those of the short form are of all sorts at all sorts of places.
            if !is_long() && !tried.is_multiple_of(97) {
                continue;
            }
            let text = toml::to_string(&garble::changed(&plan, &at, &how)).unwrap();
            let place = Place::new("plan_fields", tried);
            place.write("plan.toml", text.as_bytes());
            read_plan(&text);
        }
    }
}

#[test]
fn plan_files() {
    let text = toml::to_string(&plan()).unwrap().into_bytes();
    for seed in seeds(40, 5_000) {
        let mut random = Random::new(seed);
        let place = Place::new("plan", seed);
        let garbled = garble::garbled(&text, &text, &mut random);
        let path = place.write("plan.toml", &garbled);
        match files::plan(&path) {
            Ok(_) => read_plan(&String::from_utf8(garbled).expect("what was read is UTF-8")),
            Err(reports) => well_said(&reports),
        }
    }
}
