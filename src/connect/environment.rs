//! What the environment says about a connection: the PG* variables, the home directory, the name of the user.
//! The variables come as a value; only the password database is asked here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nix::unistd::{Uid, User};

use super::ConnectError;
use super::settings::{KEYWORDS, Settings, Support};

/// The values that PG* variables give.
pub(super) fn settings(env: &BTreeMap<String, String>) -> Result<Settings, ConnectError> {
    let mut settings = Settings::default();
    for keyword in KEYWORDS {
        let Some(variable) = keyword.variable else { continue };
        let Some(value) = env.get(variable).filter(|value| !value.is_empty()) else { continue };
        if let Support::Refused(instead) = keyword.support {
            return Err(ConnectError::Refused { keyword: variable, instead });
        }
        settings.set(keyword.name, value.clone())?;
    }
    Ok(settings)
}

/// The home directory, where libpq's own files are: `HOME`, else that of the password database.
pub(super) fn home(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    match env.get("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Some(PathBuf::from(home)),
        None => account().map(|user| user.dir),
    }
}

/// The name of the operating system's user, which is libpq's default for the role.
pub(super) fn user_name() -> Option<String> {
    account().map(|user| user.name)
}

fn account() -> Option<User> {
    User::from_uid(Uid::effective()).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn variables_name_their_keywords() {
        let settings =
            settings(&env(&[("PGHOST", "db"), ("PGSSLMODE", "require"), ("PGUSER", ""), ("PATH", "/bin")]));
        let settings = settings.unwrap();
        assert_eq!(settings.get("host"), Some("db"));
        assert_eq!(settings.get("sslmode"), Some("require"));
        assert_eq!(settings.get("user"), None);
    }

    #[test]
    fn a_promise_that_cannot_be_kept_is_refused() {
        let error = settings(&env(&[("PGSSLCRL", "/etc/crl.pem")])).unwrap_err();
        assert_eq!(error.to_string(), "PGSSLCRL is not supported");
    }

    #[test]
    fn home_comes_from_the_environment_first() {
        assert_eq!(home(&env(&[("HOME", "/home/x")])), Some(PathBuf::from("/home/x")));
    }
}
