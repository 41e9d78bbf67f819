//! Pairs of schemas that nobody thought of: made from a number, planned, applied and taken back as cases are. What fails
//! is made smaller and left in target/tmp/pairs, ready to become a case.
//!
//! `make pairs PAIRS=0..200` runs other pairs than the few of every day.

mod choices;
#[path = "../harness/mod.rs"]
mod harness;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use choices::{Choices, Pair};
use harness::{Case, Settings, runtime, shadow};
use libtest_mimic::{Arguments, Failed, Trial};

/// The pairs of every day.
const FEW: Range<u64> = 0..16;

fn main() {
    let pairs = std::env::var("TENANTRY_PAIRS").map_or(FEW, |text| {
        let (from, to) = text.split_once("..").expect("TENANTRY_PAIRS is like 0..200");
        from.parse().expect("a number")..to.parse().expect("a number")
    });
    let trial = |seed| Trial::test(format!("pair_{seed}"), move || one(seed));
    libtest_mimic::run(&Arguments::from_args(), pairs.map(trial).collect()).exit();
}

fn one(seed: u64) -> Result<(), Failed> {
    let pair = Pair { seed, ..Pair::default() };
    let Err(fault) = run(&pair) else { return Ok(()) };
    // Whole first: making it smaller takes its time.
    let place = keep(&case(&pair), &fault)?;
    let small = smaller(pair, &sort(&fault));
    let case = case(&small);
    let last = run(&small).err().unwrap_or(fault);
    keep(&case, &last)?;
    let (old, new) = (&case.old, &case.new);
    Err(format!("{}\n--- old.sql\n{old}--- new.sql\n{new}--- {:?}\n{last}", place.display(), case.settings).into())
}

/// Leaves a case where it can be looked at.
fn keep(case: &Case, fault: &str) -> std::io::Result<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pairs").join(&case.name);
    fs::create_dir_all(&place)?;
    fs::write(place.join("old.sql"), &case.old)?;
    fs::write(place.join("new.sql"), &case.new)?;
    fs::write(place.join("fault.txt"), format!("{:?}\n{fault}\n", case.settings))?;
    Ok(place)
}

fn case(pair: &Pair) -> Case {
    let (old, new) = (world::make(&Choices::new(pair, false)), world::make(&Choices::new(pair, true)));
    let mut rows = old.rows;
    rows.retain(|table, _| old.sql.contains(&format!("TABLE {table} ")));
    Case {
        kind: if old.sql == new.sql { "unchanged" } else { "pair" }.into(),
        name: pair.seed.to_string(),
        old: old.sql,
        new: new.sql,
        seed: None,
        settings: Settings { backfill: new.backfill, rows, any_order: true, ..Settings::default() },
    }
}

/// What a plan may refuse.
const REFUSED: [&str; 6] = [
    "declare one after the other, each in a plan of its own",
    "do that in a plan of its own first",
    "and take the rows over",
    "which the server does not convert; add an attribute of another name",
    "while both are parents",
    "PostgreSQL has no cast from",
];

fn run(pair: &Pair) -> Result<(), String> {
    let case = case(pair);
    let result = runtime().block_on(async {
        let sides = case.load(shadow().await).await.map_err(|it| it.to_string())?;
        sides.prove(&case).await.map_err(|it| it.to_string())
    });
    match result {
        Err(fault)
            if fault.starts_with("no plan: ")
                && fault.lines().all(|it| REFUSED.iter().any(|said| it.contains(said))) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// What kind of fault it is: the beginning of its first line, less the names.
fn sort(fault: &str) -> String {
    let line = fault.lines().next().unwrap_or_default();
    line.chars().filter(|it| !it.is_ascii_digit()).take(30).collect()
}

/// Takes away what the fault does not need: first what differs, then what both have.
fn smaller(mut pair: Pair, sort_of: &str) -> Pair {
    for both in [false, true, false] {
        let first = Choices::new(&pair, true);
        world::make(&first);
        let mut names: Vec<String> = first.asked().into_iter().collect();
        let mut size = names.len().div_ceil(2);
        loop {
            let mut at = 0;
            while at < names.len() {
                let chunk: BTreeSet<String> = names[at..names.len().min(at + size)].iter().cloned().collect();
                let mut less = pair.clone();
                match both {
                    true => less.least.extend(chunk.iter().cloned()),
                    false => less.kept.extend(chunk.iter().cloned()),
                }
                if run(&less).is_err_and(|it| sort(&it) == sort_of) {
                    pair = less;
                    names.drain(at..names.len().min(at + size));
                } else {
                    at += size;
                }
            }
            if size == 1 {
                break;
            }
            size = size.div_ceil(2);
        }
    }
    pair
}
