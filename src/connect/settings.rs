//! The keywords of a connection, each with its environment variable and what becomes of it, and a set of values for
//! them. Where values come from is left to `dsn`, `environment` and `service`; what they mean, to `connect`.

use std::collections::BTreeMap;
use std::fmt;

use super::ConnectError;

/// One of libpq's keywords.
pub(super) struct Keyword {
    pub name: &'static str,
    pub variable: Option<&'static str>,
    pub support: Support,
}

/// What becomes of a keyword's value.
pub(super) enum Support {
    Honoured,
    /// Has no bearing on what this program does, so it may stand.
    Ignored,
    /// A promise that can't be kept here, and so must not be passed over; the text says what to do instead.
    Refused(&'static str),
}

use Support::{Honoured, Ignored, Refused};

const fn keyword(name: &'static str, variable: &'static str, support: Support) -> Keyword {
    Keyword { name, variable: Some(variable), support }
}

const fn unset(name: &'static str, support: Support) -> Keyword {
    Keyword { name, variable: None, support }
}

/// All of libpq's keywords up to PostgreSQL 18.
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>
pub(super) const KEYWORDS: &[Keyword] = &[
    keyword("application_name", "PGAPPNAME", Honoured),
    keyword("channel_binding", "PGCHANNELBINDING", Honoured),
    keyword("client_encoding", "PGCLIENTENCODING", Ignored),
    keyword("connect_timeout", "PGCONNECT_TIMEOUT", Honoured),
    keyword("dbname", "PGDATABASE", Honoured),
    unset("fallback_application_name", Honoured),
    keyword("gssdelegation", "PGGSSDELEGATION", Ignored),
    keyword("gssencmode", "PGGSSENCMODE", Honoured),
    keyword("gsslib", "PGGSSLIB", Ignored),
    keyword("host", "PGHOST", Honoured),
    keyword("hostaddr", "PGHOSTADDR", Honoured),
    unset("keepalives", Honoured),
    unset("keepalives_count", Honoured),
    unset("keepalives_idle", Honoured),
    unset("keepalives_interval", Honoured),
    keyword("krbsrvname", "PGKRBSRVNAME", Ignored),
    keyword("load_balance_hosts", "PGLOADBALANCEHOSTS", Honoured),
    keyword("max_protocol_version", "PGMAXPROTOCOLVERSION", Ignored),
    keyword("min_protocol_version", "PGMINPROTOCOLVERSION", Ignored),
    keyword("options", "PGOPTIONS", Honoured),
    keyword("passfile", "PGPASSFILE", Honoured),
    keyword("password", "PGPASSWORD", Honoured),
    keyword("port", "PGPORT", Honoured),
    unset("replication", Refused("leave it out: a replication connection can't read the catalogs")),
    keyword("require_auth", "PGREQUIREAUTH", Refused("use channel_binding=require, which demands SCRAM over TLS")),
    keyword(
        "requirepeer",
        "PGREQUIREPEER",
        Refused("put the socket into a directory that only its owner can write"),
    ),
    keyword("requiressl", "PGREQUIRESSL", Honoured),
    keyword("service", "PGSERVICE", Honoured),
    keyword("servicefile", "PGSERVICEFILE", Honoured),
    keyword("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Honoured),
    keyword("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Honoured),
    keyword("sslcert", "PGSSLCERT", Honoured),
    keyword("sslcertmode", "PGSSLCERTMODE", Honoured),
    keyword("sslcompression", "PGSSLCOMPRESSION", Ignored),
    keyword(
        "sslcrl",
        "PGSSLCRL",
        Refused("revocation lists are not read: take the certificate out of sslrootcert"),
    ),
    keyword(
        "sslcrldir",
        "PGSSLCRLDIR",
        Refused("revocation lists are not read: take the certificate out of sslrootcert"),
    ),
    keyword("sslkey", "PGSSLKEY", Honoured),
    unset("sslkeylogfile", Ignored),
    keyword("sslmode", "PGSSLMODE", Honoured),
    keyword("sslnegotiation", "PGSSLNEGOTIATION", Honoured),
    unset("sslpassword", Refused("write the key without a passphrase: openssl pkey -in OLD -out NEW")),
    keyword("sslrootcert", "PGSSLROOTCERT", Honoured),
    keyword("sslsni", "PGSSLSNI", Honoured),
    keyword("target_session_attrs", "PGTARGETSESSIONATTRS", Honoured),
    unset("tcp_user_timeout", Honoured),
    keyword("user", "PGUSER", Honoured),
];

/// Values by keyword, as one source gave them. Debug shows keywords alone: a value may be a password.
#[derive(Default, Clone)]
pub(super) struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Sets a keyword. The text of an unknown one is shown only where it is clearly a misspelling, because what
    /// follows an unquoted blank in a password looks like a keyword too.
    pub fn set(&mut self, name: &str, value: String) -> Result<(), ConnectError> {
        let Some(keyword) = KEYWORDS.iter().find(|k| k.name == name) else {
            return Err(ConnectError::unknown_keyword(name));
        };
        if let Refused(instead) = keyword.support
            && !value.is_empty()
        {
            return Err(ConnectError::Refused { keyword: keyword.name, instead });
        }
        self.0.insert(keyword.name, value);
        Ok(())
    }

    /// The value of a keyword; an empty one stands for the default, as it does in libpq.
    pub fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(KEYWORDS.iter().any(|k| k.name == name), "{name} is no keyword");
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Takes from a weaker source what this one leaves open.
    pub fn fill(&mut self, weaker: Settings) {
        for (keyword, value) in weaker.0 {
            self.0.entry(keyword).or_insert(value);
        }
    }

    /// The value of a keyword that is one of a few words.
    pub fn choice<T: Copy>(&self, keyword: &'static str, words: &[(&str, T)]) -> Result<Option<T>, ConnectError> {
        let Some(value) = self.get(keyword) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let expected = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
                Err(ConnectError::Value {
                    keyword,
                    value: value.to_owned(),
                    expected: format!("one of {expected}"),
                })
            }
        }
    }

    /// The value of a keyword that is a number.
    pub fn number(&self, keyword: &'static str) -> Result<Option<i64>, ConnectError> {
        let Some(value) = self.get(keyword) else { return Ok(None) };
        value.trim().parse().map(Some).map_err(|_| ConnectError::Value {
            keyword,
            value: value.to_owned(),
            expected: "a whole number".to_owned(),
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
