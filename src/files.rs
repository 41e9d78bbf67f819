//! Reads the files of a declared schema and plan files, and writes the latter. What they say is for `source` and
//! `plan::file`.
#![expect(clippy::disallowed_methods, reason = "an edge: it reads and writes the files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{File, Report};
use crate::plan::file::PlanFile;

/// The code of a report on what can't be read.
const UNREADABLE: &str = "files::unreadable";

/// All `*.sql` and `*.toml` files below the paths, or the paths themselves where they are files, in the order of
/// their names; those in `but` are left out. Everything that can't be read is reported.
///
/// Directories and files whose name begins with a dot are passed over, as are other kinds of file.
pub fn schema_files(paths: &[PathBuf], but: &[PathBuf]) -> Result<Vec<Arc<File>>, Vec<Report>> {
    let mut reader = Reader { but, within: Vec::new(), files: Vec::new(), faults: Vec::new() };
    for path in paths {
        reader.path(path, true);
    }
    let mut files = reader.files;
    files.sort_by(|one: &Arc<File>, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    if reader.faults.is_empty() { Ok(files) } else { Err(reader.faults) }
}

/// The same for files that are no part of a schema; `help` says what to do where one can't be read.
pub fn other_files(paths: &[PathBuf], help: &str) -> Result<Vec<Arc<File>>, Vec<Report>> {
    let helped = |report: Report| if report.code == UNREADABLE { report.help(help) } else { report };
    schema_files(paths, &[]).map_err(|reports| reports.into_iter().map(helped).collect())
}

/// Reads a plan file.
pub fn plan(path: &Path) -> Result<PlanFile, Vec<Report>> {
    let files = other_files(&[path.to_owned()], "name a plan file; `tenantry plan` writes them")?;
    match files.as_slice() {
        [file] => PlanFile::read(file),
        _ => Err(vec![Report::error("files::no_plan", format!("{} is no plan file", path.display()))]),
    }
}

/// The name in a plan file's own name: `switch-to-tenants` of `plans/3-switch-to-tenants.toml`.
pub fn plan_name(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.split_once('-') {
        Some((number, name)) if number.chars().all(|c| c.is_ascii_digit()) => name.to_owned(),
        _ => stem,
    }
}

/// The file in a directory of plans that holds this very plan already.
pub fn same_plan(directory: &Path, id: &str) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().find(|path| plan(path).is_ok_and(|file| file.id == id))
}

/// The next file in a directory of plans: one number higher than the highest.
pub fn next_plan(directory: &Path, name: &str) -> Result<PathBuf, Report> {
    let number = |path: &Path| {
        let stem = path.file_stem()?.to_string_lossy().into_owned();
        stem.split('-').next()?.parse::<u32>().ok()
    };
    let highest = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().filter_map(|entry| number(&entry.path())).max().unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => {
            let message = format!("plan files can't be kept in {}: {}", directory.display(), reason(&error));
            let help = "name another directory with `plans` in [schema] of tenantry.toml, or the file with `--out`";
            return Err(Report::error(UNREADABLE, message).help(help));
        }
    };
    Ok(directory.join(format!("{}-{name}.toml", highest + 1)))
}

/// Whether anything is at a path, if only a link that leads nowhere.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Writes a file as a whole or not at all: beside its place first, then moved there.
pub fn write(path: &Path, text: &str) -> Result<(), Report> {
    let failed = |error: io::Error| {
        let message = format!("{} can't be written: {}", path.display(), reason(&error));
        Report::error("files::unwritable", message).help("name another file, or make room for this one")
    };
    if let Some(directory) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|error| {
        // What was begun is of no use to anyone.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

struct Reader<'a> {
    but: &'a [PathBuf],
    /// The directories that are being read, outermost first.
    within: Vec<PathBuf>,
    files: Vec<Arc<File>>,
    faults: Vec<Report>,
}

impl Reader<'_> {
    /// `named` when the user gave this very path.
    fn path(&mut self, path: &Path, named: bool) {
        if !named && self.but.iter().any(|but| same(but, path)) {
            return;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            // Reading a pipe would wait for whoever writes to it.
            Ok(metadata) if !named && is_schema_file(path) && !metadata.is_file() => {
                let report = Report::error(UNREADABLE, format!("{} is no regular file", path.display()));
                self.faults.push(report.help("rename it, or move it out of the schema"));
            }
            Ok(_) if named || is_schema_file(path) => self.file(path),
            Ok(_) => {}
            Err(error) if named && error.kind() == io::ErrorKind::NotFound => {
                let message = format!("there is no {}", path.display());
                let help = "name the schema with `--schema PATH`, or make one with `tenantry init`";
                self.faults.push(Report::error(UNREADABLE, message).help(help));
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn directory(&mut self, path: &Path) {
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.within.contains(&place) {
            let report =
                Report::error(UNREADABLE, format!("{} leads back to a directory around it", path.display()));
            self.faults.push(report.help("take the symbolic link out of the schema"));
            return;
        }
        self.within.push(place);
        self.entries(path);
        self.within.pop();
    }

    fn entries(&mut self, path: &Path) {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        match entries {
            Ok(mut entries) => {
                entries.sort_by_key(fs::DirEntry::file_name);
                for entry in entries.iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
                {
                    self.path(&entry.path(), false);
                }
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn file(&mut self, path: &Path) {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.unreadable(path, &error),
        };
        let shown = path.display().to_string();
        match String::from_utf8(bytes) {
            // A byte order mark is no part of the text.
            Ok(text) => self.files.push(File::new(shown, text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let report = Report::error("files::not_utf8", format!("{shown} is not UTF-8"));
                // Up to the fault both texts are the same; the fault itself is shown as one replacement character.
                let report = report.at(&File::new(shown, text), valid..valid + '\u{fffd}'.len_utf8(), "not UTF-8");
                self.faults.push(report.help("save the file as UTF-8"));
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = format!("{} can't be read: {}", path.display(), reason(error));
        let help = "every file of the schema must be readable, or the plan would drop what it declares";
        self.faults.push(Report::error(UNREADABLE, message).help(help));
    }
}

fn is_schema_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sql" || extension == "toml")
}

/// Whether two paths are one file, where both exist.
fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// The system's words, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        for name in ["z.sql", "b/a.toml", "a.sql", "legacy.sql", "notes.md", ".git/x.sql", ".hidden.sql"] {
            fs::write(dir.path().join(name), "\u{feff}-- text").unwrap();
        }
        let files = schema_files(&[dir.path().to_owned()], &[dir.path().join("legacy.sql")]).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| Path::new(&file.path).strip_prefix(dir.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.sql", "b/a.toml", "z.sql"]);
        assert!(files.iter().all(|file| file.text == "-- text"));
    }

    #[test]
    fn what_cannot_be_read_is_reported_all_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("latin.sql"), b"SELECT 'gr\xf6\xdfe'").unwrap();
        fs::write(dir.path().join("other.sql"), b"\xff\xfe").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("gone.sql")).unwrap();
        let faults = schema_files(&[dir.path().to_owned()], &[]).unwrap_err();
        let told: Vec<_> = faults.iter().map(|it| (it.code, it.message.rsplit('/').next().unwrap())).collect();
        assert_eq!(
            told,
            [
                ("files::unreadable", "gone.sql can't be read: no such file or directory"),
                ("files::not_utf8", "latin.sql is not UTF-8"),
                ("files::not_utf8", "other.sql is not UTF-8"),
            ]
        );
        let around = dir.path().join("around");
        fs::create_dir(&around).unwrap();
        std::os::unix::fs::symlink("../around", around.join("again")).unwrap();
        nix::unistd::mkfifo(&around.join("pipe.sql"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut told: Vec<_> = schema_files(&[around], &[]).unwrap_err().into_iter().map(|it| it.message).collect();
        told.sort();
        assert!(told[0].ends_with("again leads back to a directory around it"), "{told:?}");
        assert!(told[1].ends_with("pipe.sql is no regular file") && told.len() == 2, "{told:?}");
        assert_eq!(schema_files(&[dir.path().join("none")], &[]).unwrap_err()[0].code, "files::unreadable");
    }
}
