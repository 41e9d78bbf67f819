//! Texts that were meant well once: with bytes, words and lines changed, lost, doubled, swapped and put in, the same
//! for the same seed.

/// Numbers without a pattern (xorshift), the same for a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        // Seeds that are near each other must not begin alike.
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Less than `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).expect("less than a usize")
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A place of the text, and one after it that is not far.
    fn range(&mut self, text: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(text.len() + 1);
        let length = if self.below(4) == 0 { self.below(text.len() + 1) } else { self.below(40) };
        start..(start + length).min(text.len())
    }
}

/// What texts of this sort are sensitive to.
const BITS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"'",
    b"\"",
    b"$$",
    b"$a$",
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b";",
    b",",
    b".",
    b"=",
    b"\\",
    b"\\.\n",
    b"--",
    b"/*",
    b"*/",
    b"\r",
    b"\n\n",
    b"\t",
    b"E'\\",
    b"U&'\\d800",
    b"B'2'",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x98\x80",
    b"gr\xf6\xdfe",
    b"'''",
    b"\"\"\"",
    b"1e999999",
    b"-",
    b"0x",
    b"::",
    b"$1",
    b"99999999999999999999999999999999",
    b"-9223372036854775809",
    b"NaN",
    b"1979-05-27T07:32:00Z",
    b"-- tenantry: was x\n",
    b"-- tenantry: allow all because\n",
    b"-- tenantry:",
    b"BEGIN ATOMIC",
    b"COPY a FROM stdin;\n",
    b"NULL",
    b"DEFAULT",
    b"public.",
    b"pg_catalog.",
    b"CASCADE",
    b"\\u0000",
    b"\\ud800",
    b"%s%n",
    b"{}",
];

/// Openings and ends of what can stand within itself.
const NESTS: &[(&str, &str)] = &[
    ("(", ")"),
    ("[", "]"),
    ("{a=", "}"),
    ("(SELECT ", ")"),
    ("CASE WHEN ", " THEN 1 END"),
    ("ARRAY[", "]"),
    ("NOT ", ""),
    ("- ", ""),
    ("f(", ")"),
    ("/* ", " */"),
    ("BEGIN ATOMIC ", " END"),
    ("a.", "a"),
    ("1+", "1"),
    ("x OR ", "x"),
];

/// The text with one to four things done to it; `other` lends parts of itself.
pub fn garbled(text: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(4) {
        once(&mut text, other, random);
    }
    text
}

fn once(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(text.len() + 1);
    match random.below(16) {
        0 => text.truncate(at),
        1 => {
            let bit = random.next().to_le_bytes()[0];
            if let Some(byte) = text.get_mut(at) {
                *byte = bit;
            }
        }
        2..=4 => insert(text, at, random.pick::<&[u8]>(BITS)),
        5 => _ = text.drain(random.range(text)),
        6 => {
            let range = random.range(text);
            let again = text[range.clone()].to_vec();
            insert(text, range.end, &again);
        }
        7 => {
            let range = random.range(text);
            let moved: Vec<u8> = text.drain(range).collect();
            let at = random.below(text.len() + 1);
            insert(text, at, &moved);
        }
        8 => {
            let range = random.range(other);
            insert(text, at, &other[range]);
        }
        9 => *text = replaced(text, b"\n", if random.below(2) == 0 { b"\r\n" } else { b"\r" }),
        10 => insert(text, 0, "\u{feff}".as_bytes()),
        11 => {
            let much = random.pick(&[b"a", b"'", b"0", b" ", b"("]).repeat(1 << random.below(18));
            insert(text, at, &much);
        }
        12 => {
            let (open, close) = random.pick(NESTS);
            let depth = 1 << random.below(14);
            let nest = open.repeat(depth) + "1" + &close.repeat(depth);
            insert(text, at, nest.as_bytes());
        }
        13 => lines(text, random),
        _ => word(text, other, random),
    }
}

fn insert(text: &mut Vec<u8>, at: usize, more: &[u8]) {
    text.splice(at..at, more.iter().copied());
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    let mut rest = text;
    while let Some(at) = rest.windows(old.len()).position(|it| it == old) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// A line goes, comes twice, or changes its place.
fn lines(text: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<Vec<u8>> = text.split(|it| *it == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(3) {
        0 => _ = lines.remove(one),
        1 => lines.insert(other, lines[one].clone()),
        _ => lines.swap(one, other),
    }
    *text = lines.join(&b'\n');
}

/// A word takes the place of another.
fn word(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let range = word_at(text, random.below(text.len() + 1));
    let by = match random.below(2) {
        0 => text[word_at(text, random.below(text.len() + 1))].to_vec(),
        _ => other[word_at(other, random.below(other.len() + 1))].to_vec(),
    };
    text.splice(range, by);
}

fn word_at(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_' || *it >= 0x80;
    let start = text[..at].iter().rposition(|it| !is_word(it)).map_or(0, |it| it + 1);
    let end = text[at..].iter().position(|it| !is_word(it)).map_or(text.len(), |it| at + it);
    start..end
}

/// Every place in a TOML document, as the keys and numbers that lead to it.
pub fn places(value: &toml::Value) -> Vec<Vec<Key>> {
    fn go(value: &toml::Value, here: &[Key], places: &mut Vec<Vec<Key>>) {
        if !here.is_empty() {
            places.push(here.to_vec());
        }
        let inner: Vec<(Key, &toml::Value)> = match value {
            toml::Value::Table(table) => table.iter().map(|(name, it)| (Key::Name(name.clone()), it)).collect(),
            toml::Value::Array(items) => items.iter().enumerate().map(|(at, it)| (Key::At(at), it)).collect(),
            _ => vec![],
        };
        for (key, it) in inner {
            go(it, &[here, &[key]].concat(), places);
        }
    }
    let mut found = vec![];
    go(value, &[], &mut found);
    found
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Name(String),
    At(usize),
}

/// The value at a place, where there is one.
pub fn at<'a>(value: &'a mut toml::Value, place: &[Key]) -> Option<&'a mut toml::Value> {
    place.iter().try_fold(value, |value, key| match key {
        Key::Name(name) => value.get_mut(name),
        Key::At(number) => value.get_mut(*number),
    })
}

/// Values of every type, at the ends of their ranges and beyond what is sensible.
pub fn values() -> Vec<toml::Value> {
    let texts = ["", "x", "'; DROP TABLE contacts; --", "a\0b\u{202e}\n\r\"\\", "SELECT 1", "public.contacts"];
    let numbers = [-1, 0, 1, 2, i64::from(u32::MAX), i64::MAX, i64::MIN];
    let mut values: Vec<toml::Value> = texts.iter().map(|it| toml::Value::from(*it)).collect();
    values.extend(numbers.map(toml::Value::from));
    values.extend([f64::NAN, f64::INFINITY, -0.5].map(toml::Value::from));
    values.extend([true, false].map(toml::Value::from));
    values.push(toml::Value::Array(vec![]));
    values.push(toml::Value::Array(vec![toml::Value::from("x"), toml::Value::from(1)]));
    values.push(toml::Value::Table(toml::Table::new()));
    values.push(toml::Value::Datetime("1979-05-27T07:32:00Z".parse().expect("a time")));
    values
}

/// The same document with one place changed in one way.
pub fn changed(document: &toml::Value, place: &[Key], how: &Change) -> toml::Value {
    let mut document = document.clone();
    let (last, above) = place.split_last().expect("a place has a key");
    match (how, at(&mut document, above), last) {
        (Change::To(value), Some(within), _) => match (within, last) {
            (toml::Value::Table(table), Key::Name(name)) => _ = table.insert(name.clone(), value.clone()),
            (toml::Value::Array(items), Key::At(number)) => items[*number] = value.clone(),
            _ => unreachable!("a place leads through what it is in"),
        },
        (Change::Gone, Some(toml::Value::Table(table)), Key::Name(name)) => _ = table.remove(name),
        (Change::Gone, Some(toml::Value::Array(items)), Key::At(number)) => _ = items.remove(*number),
        (Change::Twice, Some(toml::Value::Array(items)), Key::At(number)) => {
            items.insert(*number, items[*number].clone());
        }
        // A table has a key once; the same under another is a key too many.
        (Change::Twice, Some(toml::Value::Table(table)), Key::Name(name)) => {
            let value = table[name].clone();
            table.insert(format!("{name}_2"), value);
        }
        _ => unreachable!("a place leads through what it is in"),
    }
    document
}

#[derive(Debug, Clone)]
pub enum Change {
    Gone,
    Twice,
    To(toml::Value),
}
