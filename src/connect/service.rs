//! `pg_service.conf`: named sets of connection parameters.
//! <https://www.postgresql.org/docs/current/libpq-pgservice.html>

use std::fs;
use std::path::{Path, PathBuf};

use super::ConnectError;
use super::settings::Settings;

/// Where Debian keeps the file that holds for all users; PGSYSCONFDIR names another place.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/etc/postgresql-common", "/etc"];

/// Where definitions may be: a file that was named and so has to exist, and others that are read where they do.
pub(super) struct Places {
    pub named: Option<PathBuf>,
    pub home: Option<PathBuf>,
    pub system: Option<PathBuf>,
}

/// The settings of a service, from the first file that defines it.
pub(super) fn read(service: &str, places: &Places) -> Result<Settings, ConnectError> {
    if let Some(named) = &places.named {
        let text = fs::read_to_string(named).map_err(|error| ConnectError::File {
            keyword: "servicefile",
            path: named.clone(),
            reason: error.to_string(),
            help: "name a file that exists by servicefile=… or PGSERVICEFILE".to_owned(),
        })?;
        if let Some(settings) = parse(&text, service, named)? {
            return Ok(settings);
        }
    }
    let personal = places.home.iter().filter(|_| places.named.is_none()).map(|home| home.join(".pg_service.conf"));
    let directories = match &places.system {
        Some(system) => vec![system.clone()],
        None => SYSTEM_DIRECTORIES.iter().map(PathBuf::from).collect(),
    };
    for file in personal.chain(directories.iter().map(|directory| directory.join("pg_service.conf"))) {
        if let Ok(text) = fs::read_to_string(&file)
            && let Some(settings) = parse(&text, service, &file)?
        {
            return Ok(settings);
        }
    }
    Err(ConnectError::NoService { service: service.to_owned(), file: places.named.clone() })
}

/// The settings that `[service]` lists, where the file has such a section.
fn parse(text: &str, service: &str, file: &Path) -> Result<Option<Settings>, ConnectError> {
    let mut found: Option<Settings> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let wrong = |what: String| ConnectError::ServiceFile { file: file.to_owned(), line: number, what };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(']') == Some(service) {
                found = Some(Settings::default());
            }
            continue;
        }
        let Some(settings) = &mut found else { continue };
        if line.starts_with("ldap://") {
            return Err(wrong("looking parameters up by LDAP is not supported".to_owned()));
        }
        let Some((keyword, value)) = line.split_once('=') else {
            return Err(wrong("the line has no `=`".to_owned()));
        };
        if keyword == "service" || keyword == "servicefile" {
            return Err(wrong("a service can't name another service".to_owned()));
        }
        settings.set(keyword, value.to_owned()).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# all\n[first]\nhost=a\nport=1\n\n[second]\nhost=b\npassword=x=y\n[first]\nhost=c\n";

    fn find(text: &str, service: &str) -> Result<Option<Settings>, ConnectError> {
        parse(text, service, Path::new("services"))
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let first = find(FILE, "first").unwrap().unwrap();
        assert_eq!((first.get("host"), first.get("port"), first.get("password")), (Some("a"), Some("1"), None));
        let second = find(FILE, "second").unwrap().unwrap();
        assert_eq!((second.get("host"), second.get("password")), (Some("b"), Some("x=y")));
        assert!(find(FILE, "third").unwrap().is_none());
    }

    #[test]
    fn faults_name_the_line() {
        let error = find("[s]\nhost=a\nhots=b\n", "s").unwrap_err();
        assert_eq!(error.to_string(), "services:3: `hots` is no connection parameter; is it `host`?");
        assert!(find("[s]\nservice=t\n", "s").unwrap_err().to_string().starts_with("services:2: "));
        assert!(find("[s]\nhost\n", "s").is_err());
    }

    #[test]
    fn a_named_file_has_to_exist_and_the_system_has_the_last_word() {
        let dir = tempfile::tempdir().unwrap();
        let (home, system) = (dir.path().join("home"), dir.path().join("etc"));
        for (place, name, text) in [
            (&home, ".pg_service.conf", "[a]\nhost=home\n"),
            (&system, "pg_service.conf", "[a]\nhost=system\n[b]\nhost=system\n"),
        ] {
            fs::create_dir(place).unwrap();
            fs::write(place.join(name), text).unwrap();
        }
        let places = Places { named: None, home: Some(home.clone()), system: Some(system.clone()) };
        assert_eq!(read("a", &places).unwrap().get("host"), Some("home"));
        assert_eq!(read("b", &places).unwrap().get("host"), Some("system"));
        assert!(matches!(read("c", &places), Err(ConnectError::NoService { .. })));

        let places = Places { named: Some(dir.path().join("absent")), home: Some(home), system: Some(system) };
        assert!(matches!(read("a", &places), Err(ConnectError::File { .. })));
    }
}
