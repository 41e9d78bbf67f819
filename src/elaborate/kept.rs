//! Elaborated declarations, kept by a digest of all that they come from: a plan for a declaration that has not changed
//! need not load it again. What can't be read back is as good as not kept.
#![expect(clippy::disallowed_methods, reason = "an edge: files in the cache folder")]

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::elaborate::bodies::Absent;
use crate::kind::Kind;
use crate::schema::Schema;
use crate::shadow;

/// How many are kept; the oldest go first.
const MOST: usize = 24;

/// What an elaboration gave.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    pub schema: Schema,
    pub notes: Vec<String>,
    pub absent: Vec<Absent>,
}

/// The name of an elaboration: of the declared files, and of all that they were read with: the server, what stood beside
/// them, the program that looked at them, and what else `reading` says.
pub fn key(files: &str, reading: &str, server: u32, surroundings: &Schema) -> String {
    let beside = serde_json::to_vec(surroundings).expect("a schema has a JSON form");
    let server = server.to_string();
    let program = program();
    let parts = [env!("CARGO_PKG_VERSION"), &program, reading, &server].map(str::as_bytes);
    let kinds = Kind::ALL.iter().map(|it| it.catalog().as_bytes());
    format!("{}-{}", short([files.as_bytes()]), short(parts.into_iter().chain([beside.as_slice()]).chain(kinds)))
}

/// Half of a SHA-256, which is enough to tell files of a folder apart, since the name has two.
fn short<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Tells one build of this version from another.
fn program() -> String {
    let file = std::env::current_exe().and_then(fs::metadata);
    file.and_then(|it| Ok(format!("{} {:?}", it.len(), it.modified()?))).unwrap_or_default()
}

/// The elaboration of this name, where it is kept.
pub fn find(key: &str) -> Option<Kept> {
    serde_json::from_slice(&fs::read(folder()?.join(key)).ok()?).ok()
}

/// The newest elaboration of these files with its name: most likely the one that will be asked for, and a large one takes
/// its time to read, which there is while the live side is read.
pub fn likely(files: &str) -> Option<(String, Kept)> {
    let stem = short([files.as_bytes()]);
    let named = |entry: fs::DirEntry| {
        Some((entry.metadata().ok()?.modified().ok()?, entry.file_name().into_string().ok()?))
    };
    let entries = fs::read_dir(folder()?).ok()?.flatten().filter_map(named);
    let (_, key) = entries.filter(|(_, name)| name.starts_with(&stem) && !name.contains('.')).max()?;
    let kept = find(&key)?;
    Some((key, kept))
}

/// Keeps an elaboration, where there is a place for it.
pub fn keep(key: &str, kept: &Kept) {
    // Without a cache the next run is slower, no more.
    let _ = write(key, kept);
}

fn write(key: &str, kept: &Kept) -> Option<()> {
    let folder = folder()?;
    fs::create_dir_all(&folder).ok()?;
    let beside = folder.join(format!("{key}.{}", std::process::id()));
    let mut writer = BufWriter::with_capacity(1 << 16, fs::File::create(&beside).ok()?);
    serde_json::to_writer(&mut writer, kept).ok()?;
    writer.flush().ok()?;
    fs::rename(&beside, folder.join(key)).ok()?;
    let mut files: Vec<_> = fs::read_dir(&folder)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(MOST) {
        fs::remove_file(path).ok()?;
    }
    Some(())
}

fn folder() -> Option<PathBuf> {
    Some(shadow::cache_folder()?.join("elaborated"))
}
