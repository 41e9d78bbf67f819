//! `~/.pgpass`: passwords by host, port, database and user. The first line that fits is taken.
//! <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::secret::Secret;

/// A password file as read: its lines, and what kept it from being used.
#[derive(Debug, Default, Clone)]
pub(super) struct Passfile {
    entries: Vec<Entry>,
    pub warning: Option<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Host, port, database and user; `None` is `*`.
    fields: [Option<String>; 4],
    password: Secret,
}

impl Passfile {
    /// Reads the file. One that is not there is empty; one that others can read is not used, as in libpq.
    pub fn read(path: &Path) -> Passfile {
        let Ok(metadata) = fs::metadata(path) else { return Passfile::default() };
        let ignored = |why: &str| Passfile {
            entries: Vec::new(),
            warning: Some(format!("the password file {} is not used: {why}", path.display())),
        };
        if !metadata.is_file() {
            return ignored("it is not a plain file");
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return ignored("group or others can read it; run `chmod 0600` on it");
        }
        match fs::read_to_string(path) {
            Ok(text) => Passfile::parse(&text),
            Err(error) => ignored(&error.to_string()),
        }
    }

    fn parse(text: &str) -> Passfile {
        Passfile { entries: text.lines().filter_map(Entry::parse).collect(), warning: None }
    }

    /// The password for a connection; `host` is `localhost` for a socket in the default directory.
    pub fn find(&self, host: &str, port: u16, database: &str, user: &str) -> Option<&Secret> {
        let port = port.to_string();
        let sought = [host, &port, database, user];
        let fits = |entry: &&Entry| {
            entry
                .fields
                .iter()
                .zip(sought)
                .all(|(field, sought)| field.as_deref().is_none_or(|field| field == sought))
        };
        self.entries.iter().find(fits).map(|entry| &entry.password)
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Entry> {
        if line.starts_with('#') {
            return None;
        }
        let mut fields = Vec::new();
        let mut field = String::new();
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => field.extend(chars.next()),
                ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
                c => field.push(c),
            }
        }
        let fields: [String; 4] = fields.try_into().ok()?;
        let fields = fields.map(|field| (field != "*").then_some(field));
        Some(Entry { fields, password: Secret(field) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_is_taken() {
        let file = Passfile::parse(
            "# comment\n\
             db:5432:app:alice:one\n\
             db:*:*:alice:two\n\
             \n\
             nonsense\n\
             *:*:*:bob:with\\:colon\\\\and:more\n\
             ::1:5432:app:carol:no\n\
             \\:\\:1:5432:app:carol:yes\n",
        );
        let find = |host, port, database, user| file.find(host, port, database, user).map(|s| s.0.as_str());
        assert_eq!(find("db", 5432, "app", "alice"), Some("one"));
        assert_eq!(find("db", 5433, "app", "alice"), Some("two"));
        assert_eq!(find("other", 5432, "app", "alice"), None);
        assert_eq!(find("other", 1, "x", "bob"), Some("with:colon\\and:more"));
        assert_eq!(find("::1", 5432, "app", "carol"), Some("yes"));
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pgpass");
        fs::write(&path, "*:*:*:*:secret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let file = Passfile::read(&path);
        assert!(file.find("h", 1, "d", "u").is_none());
        assert!(file.warning.unwrap().contains("chmod 0600"));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let file = Passfile::read(&path);
        assert_eq!(file.find("h", 1, "d", "u").unwrap().0, "secret");
        assert!(file.warning.is_none() && !format!("{file:?}").contains("secret"));

        assert!(Passfile::read(&dir.path().join("absent")).warning.is_none());
    }
}
