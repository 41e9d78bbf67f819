//! Finds the PostgreSQL servers that are installed, and chooses the one for a major version. Runs nothing but
//! `postgres --version` and `pg_config`; starting a server is for `cluster.rs`.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ShadowError, place};
use crate::connect::ServerVersion;

/// Where packages put servers. One `*` stands for a version.
const USUAL_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
    "/usr/pgsql-*/bin",                                   // PostgreSQL's own packages for Fedora and RHEL
    "/usr/lib/postgresql*/bin",                           // openSUSE
    "/usr/libexec/postgresql*",                           // Alpine
    "/usr/local/pgsql/bin",                               // make install
    "/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple silicon
    "/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew on Linux
    "/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
];

/// A directory with `postgres` and `initdb` of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub bin: PathBuf,
    pub major: u32,
    pub minor: u32,
    /// What `postgres --version` printed, distribution's suffix included.
    pub version: String,
}

impl fmt::Display for Binaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} in {}", self.major, self.minor, self.bin.display())
    }
}

impl Binaries {
    /// A program of this release with an environment in which only these binaries count: no `PGDATA`, no `PGOPTIONS`,
    /// no locale of the caller.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir("/").stdin(Stdio::null());
        if let Some(path) = library_path(&self.bin) {
            command.env("LD_LIBRARY_PATH", path);
        }
        command
    }

    pub fn version(&self) -> ServerVersion {
        ServerVersion { number: self.major * 10_000 + self.minor }
    }

    /// What stands in `bin`, if it is a whole server: `initdb` is missing where only the client is installed.
    fn at(bin: &Path) -> Option<Binaries> {
        if !bin.join("postgres").is_file() || !bin.join("initdb").is_file() {
            return None;
        }
        let mut binaries = Binaries { bin: bin.to_owned(), major: 0, minor: 0, version: String::new() };
        let output = binaries.command("postgres").arg("--version").output().ok().filter(|o| o.status.success())?;
        binaries.version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (binaries.major, binaries.minor) = release(&binaries.version)?;
        Some(binaries)
    }
}

/// The libraries beside relocatable binaries, which don't know where they were unpacked, then the caller's.
fn library_path(bin: &Path) -> Option<std::ffi::OsString> {
    let own = bin.parent()?.join("lib");
    let own = (own.join("libpq.so.5").exists()).then_some(own);
    let callers = env::var_os("LD_LIBRARY_PATH");
    let all = own.into_iter().chain(callers.iter().flat_map(env::split_paths));
    env::join_paths(all).ok().filter(|path| !path.is_empty())
}

/// Major and minor of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; a beta or `19devel` has minor 0.
fn release(version: &str) -> Option<(u32, u32)> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    Some((digits(parts.next()?)?, parts.next().and_then(digits).unwrap_or(0)))
}

/// The servers on this machine, in the order of the places that are searched: packages before what only we know of,
/// since they have the extensions that people installed.
///
/// `TENANTRY_PG_BIN` (directories, separated by colons) takes the place of the search: who sets it means these.
pub(super) fn find(wanted: Option<u32>) -> Vec<Binaries> {
    if let Some(own) = env::var_os("TENANTRY_PG_BIN").filter(|own| !own.is_empty()) {
        return servers_in(env::split_paths(&own), wanted);
    }
    let usual = USUAL_PLACES.iter().flat_map(|pattern| expand(Path::new(pattern)));
    let path = env::var_os("PATH");
    let path = path.iter().flat_map(env::split_paths).filter(|directory| directory.is_absolute());
    let own = place::caches().into_iter().flat_map(|cache| expand(&cache.join("servers/*/bin")));
    let mut found = servers_in(usual.chain(path).chain(own), wanted);
    if !found.iter().any(|binaries| wanted.is_none_or(|major| major == binaries.major)) {
        // Last, since it is a slow script on Debian.
        let output = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output();
        let told = output.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        found.extend(servers_in(told.into_iter(), wanted));
    }
    found
}

/// The servers in these directories, up to the first that is of the wanted version: each is asked for its own, which
/// takes some hundredths of a second.
fn servers_in(directories: impl Iterator<Item = PathBuf>, wanted: Option<u32>) -> Vec<Binaries> {
    let mut seen = BTreeSet::new();
    let new = directories.filter(|bin| match bin.join("postgres").canonicalize() {
        Ok(postgres) => seen.insert(postgres),
        Err(_) => false,
    });
    let mut found: Vec<Binaries> = vec![];
    for binaries in new.filter_map(|bin| Binaries::at(&bin)) {
        let enough = Some(binaries.major) == wanted;
        found.push(binaries);
        if enough {
            break;
        }
    }
    found
}

/// The paths that a pattern with at most one `*` stands for, sorted.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let starred = pattern.iter().position(|part| part.to_string_lossy().contains('*'));
    let Some(at) = starred else { return vec![pattern.to_owned()] };
    let parent: PathBuf = pattern.iter().take(at).collect();
    let part = pattern.iter().nth(at).expect("position found it").to_string_lossy();
    let (prefix, suffix) = part.split_once('*').expect("position found a star");
    let rest: PathBuf = pattern.iter().skip(at + 1).collect();
    let Ok(entries) = parent.read_dir() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= prefix.len() + suffix.len() && name.starts_with(prefix) && name.ends_with(suffix)
        })
        .map(|entry| entry.path().join(&rest))
        .collect();
    paths.sort();
    paths
}

/// The server for a major version: its own, else the nearest newer one, with what to tell the reader of the plan.
/// Without a wish, the newest.
pub(super) fn choose(found: Vec<Binaries>, wanted: Option<u32>) -> Result<(Binaries, Option<String>), ShadowError> {
    let list = found.iter().map(Binaries::to_string).collect::<Vec<_>>();
    let fits = |binaries: &&Binaries| wanted.is_none_or(|major| binaries.major >= major);
    // Of several with the same major the first: the order of places decides.
    let best = match wanted {
        Some(_) => found.iter().filter(fits).min_by_key(|binaries| binaries.major),
        None => found.iter().rev().max_by_key(|binaries| binaries.major),
    };
    let best = best.cloned();
    let Some(best) = best else {
        return Err(match wanted {
            Some(major) if !list.is_empty() => ShadowError::TooOld { wanted: major, found: list.join(", ") },
            _ => ShadowError::NoServer { wanted: wanted.map(|major| format!(" {major}")).unwrap_or_default() },
        });
    };
    let note = wanted
        .filter(|major| *major != best.major)
        .map(|major| format!("no server binaries for PostgreSQL {major}; {} was used", best.major));
    Ok((best, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(releases: &[(u32, u32)]) -> Vec<Binaries> {
        let at = |(n, &(major, minor)): (usize, &(u32, u32))| Binaries {
            bin: PathBuf::from(format!("/{n}")),
            major,
            minor,
            version: format!("postgres (PostgreSQL) {major}.{minor}"),
        };
        releases.iter().enumerate().map(at).collect()
    }

    #[test]
    fn versions_are_read_as_servers_print_them() {
        assert_eq!(release("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((15, 18)));
        assert_eq!(release("postgres (PostgreSQL) 19devel"), Some((19, 0)));
        assert_eq!(release("postgres (PostgreSQL) 18beta2"), Some((18, 0)));
        assert_eq!(release("not a server"), None);
    }

    #[test]
    fn the_same_major_is_taken_else_the_nearest_newer() {
        let installed = found(&[(18, 1), (15, 18), (15, 19), (18, 2), (16, 2)]);
        let chosen = |wanted| choose(installed.clone(), wanted).map(|(b, note)| (b.bin, note)).unwrap();
        assert_eq!(chosen(Some(15)), ("/1".into(), None));
        assert_eq!(
            chosen(Some(14)),
            ("/1".into(), Some("no server binaries for PostgreSQL 14; 15 was used".to_owned()))
        );
        assert_eq!(
            chosen(Some(17)),
            ("/0".into(), Some("no server binaries for PostgreSQL 17; 18 was used".to_owned()))
        );
        assert_eq!(chosen(None), ("/0".into(), None));
    }

    #[test]
    fn an_older_server_is_no_substitute() {
        let error = choose(found(&[(15, 18)]), Some(17)).unwrap_err();
        assert_eq!(error.to_string(), "no PostgreSQL server of version 17 or newer was found, only 15.18 in /0");
        let error = choose(vec![], Some(17)).unwrap_err();
        assert_eq!(error.to_string(), "no PostgreSQL 17 server was found to run the shadow on");
    }

    #[test]
    fn a_star_stands_for_part_of_a_name() {
        let place = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-15", "mysql-8"] {
            std::fs::create_dir(place.path().join(name)).unwrap();
        }
        let expanded = expand(&place.path().join("pgsql-*/bin"));
        assert_eq!(expanded, [place.path().join("pgsql-15/bin"), place.path().join("pgsql-9/bin")]);
        assert_eq!(expand(Path::new("/no/star")), [PathBuf::from("/no/star")]);
    }
}
