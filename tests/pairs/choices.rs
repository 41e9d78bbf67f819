//! Choices by name. The same program makes both sides of a pair; the second side chooses anew for some names. So the
//! pair is a number, and it can be made smaller: a name may be kept as it is on the first side, or be given up on both.

use std::cell::RefCell;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

/// A pair of schemas: what it is made from, and what was taken away from it since.
#[derive(Debug, Clone, Default)]
pub struct Pair {
    pub seed: u64,
    /// Names for which the second side chooses as the first one did.
    pub kept: BTreeSet<String>,
    /// Names for which both choose the least.
    pub least: BTreeSet<String>,
}

/// The choices of one side.
pub struct Choices<'a> {
    pair: &'a Pair,
    second: bool,
    asked: RefCell<BTreeSet<String>>,
}

/// Of a hundred names, those for which the second side chooses anew.
const CHANGED: u64 = 12;

impl<'a> Choices<'a> {
    pub fn new(pair: &'a Pair, second: bool) -> Self {
        Choices { pair, second, asked: RefCell::default() }
    }

    /// One of so many. 0 is the least: absent, plain, the default.
    pub fn pick(&self, name: &str, of: u64) -> u64 {
        self.asked.borrow_mut().insert(name.to_owned());
        if self.pair.least.contains(name) {
            return 0;
        }
        let changed = self.second && !self.pair.kept.contains(name) && self.number("changed", name) % 100 < CHANGED;
        self.number(if changed { "anew" } else { "first" }, name) % of
    }

    /// Whether something is there, in so many of a hundred cases.
    pub fn has(&self, name: &str, percent: u64) -> bool {
        self.pick(name, 100) >= 100 - percent
    }

    /// One of these; the first is the least.
    pub fn of<'t>(&self, name: &str, texts: &[&'t str]) -> &'t str {
        texts[self.pick(name, texts.len() as u64) as usize]
    }

    /// One of so many, the same on both sides.
    pub fn both(&self, name: &str, of: u64) -> u64 {
        self.asked.borrow_mut().insert(name.to_owned());
        if self.pair.least.contains(name) { 0 } else { self.number("first", name) % of }
    }

    /// The names that were asked for.
    pub fn asked(self) -> BTreeSet<String> {
        self.asked.into_inner()
    }

    fn number(&self, salt: &str, name: &str) -> u64 {
        let digest = Sha256::digest(format!("{} {salt} {name}", self.pair.seed));
        digest.iter().take(7).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
