//! Reads a connection string: a URL, libpq's `key=value` pairs, or the bare name of a database.
//! No message repeats what may be part of a password.

use super::ConnectError;
use super::settings::Settings;

/// The settings that `text` gives.
pub(super) fn parse(text: &str) -> Result<Settings, ConnectError> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        return url(rest);
    }
    let bare = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !text.is_empty() && text.chars().all(bare) {
        let mut settings = Settings::default();
        settings.set("dbname", text.to_owned())?;
        return Ok(settings);
    }
    if let Some((scheme, _)) = text.split_once("://")
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Err(ConnectError::Scheme { scheme: scheme.to_owned() });
    }
    pairs(text)
}

/// `postgresql://[user[:password]@][host[:port],…][/dbname][?keyword=value&…]`, after its scheme.
fn url(rest: &str) -> Result<Settings, ConnectError> {
    let mut settings = Settings::default();
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (authority, database) = match rest.split_once('/') {
        Some((authority, database)) => (authority, Some(database)),
        None => (rest, None),
    };
    // libpq takes the first `@`; a second one, or one behind a slash or question mark, is an unescaped character
    // of a password, and what follows must not be shown as the name of a host.
    let ats = authority.matches('@').count();
    if ats > 1
        || (ats == 0
            && (rest.contains('@')
                || query.is_some_and(|q| q.split(['&', '=']).next().is_some_and(|k| k.contains('@')))))
    {
        return Err(ConnectError::syntax(
            "an @, / or ? in the user or password is not escaped",
            "write @ as %40, / as %2F, ? as %3F and : as %3A",
        ));
    }
    let hosts = match authority.split_once('@') {
        Some((login, hosts)) => {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            settings.set("user", decode(user, "user")?)?;
            if let Some(password) = password {
                settings.set("password", decode(password, "password")?)?;
            }
            hosts
        }
        None => authority,
    };
    if !hosts.is_empty() {
        let (mut names, mut ports) = (Vec::new(), Vec::new());
        for host in hosts.split(',') {
            let (name, port) = host_and_port(host)?;
            names.push(decode(name, "host")?);
            ports.push(decode(port, "port")?);
        }
        if names.iter().any(|name| !name.is_empty()) {
            settings.set("host", names.join(","))?;
        }
        if ports.iter().any(|port| !port.is_empty()) {
            settings.set("port", ports.join(","))?;
        }
    }
    if let Some(database) = database.filter(|database| !database.is_empty()) {
        settings.set("dbname", decode(database, "dbname")?)?;
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let Some((keyword, value)) = pair.split_once('=') else {
            return Err(ConnectError::syntax(
                "a parameter of the URL has no `=`",
                "write ?keyword=value&keyword=value",
            ));
        };
        let (keyword, value) = (decode(keyword, "a parameter's name")?, decode(value, "a parameter's value")?);
        match (keyword.as_str(), value.as_str()) {
            // JDBC's way to say it, which libpq understands as well.
            ("ssl", "true") => settings.set("sslmode", "require".to_owned())?,
            _ => settings.set(&keyword, value)?,
        }
    }
    Ok(settings)
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`; the part that is not there is empty.
fn host_and_port(text: &str) -> Result<(&str, &str), ConnectError> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or_else(|| {
            ConnectError::syntax("an IPv6 address lacks its `]`", "write it as in [2001:db8::1]:5432")
        })?,
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Ok((host, "")),
        None => Err(ConnectError::syntax(
            "something follows the `]` of an IPv6 address",
            "write it as in [2001:db8::1]:5432",
        )),
    }
}

/// Resolves `%XX`; `part` names where, in case it can't be.
fn decode(text: &str, part: &str) -> Result<String, ConnectError> {
    let wrong = |why: &str| ConnectError::syntax(format!("{part}: {why}"), "write a literal % as %25");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        match byte {
            Some(0) => return Err(wrong("%00 is not allowed")),
            Some(byte) => bytes.push(byte),
            None => return Err(wrong("a % is not followed by two hexadecimal digits")),
        }
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong("the escapes are not UTF-8"))
}

/// `keyword = value …`, where a value may be quoted by `'` and a backslash takes the next character as it is.
fn pairs(text: &str) -> Result<Settings, ConnectError> {
    let mut settings = Settings::default();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let mut keyword = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_whitespace()) {
            keyword.push(c);
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next_if_eq(&'=').is_none() {
            if keyword.is_empty() && chars.peek().is_none() {
                return Ok(settings);
            }
            return Err(ConnectError::syntax(
                "a keyword is not followed by `=`",
                "write keyword=value pairs, a value with blanks in single quotes, or a URL: postgresql://user@host/dbname",
            ));
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let mut value = String::new();
        let quoted = chars.next_if_eq(&'\'').is_some();
        loop {
            match chars.next() {
                Some('\'') if quoted => break,
                Some('\\') => value.extend(chars.next()),
                Some(c) if c.is_whitespace() && !quoted => break,
                Some(c) => value.push(c),
                None if quoted => {
                    let help = "end the value with ', and write a ' within it as \\'";
                    return Err(ConnectError::syntax("a quoted value has no end", help));
                }
                None => break,
            }
        }
        settings.set(&keyword, value)?;
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        let settings = parse(text).unwrap();
        let keywords = ["user", "password", "host", "port", "dbname", "sslmode", "options"];
        keywords.into_iter().filter_map(|k| Some((k, settings.get(k)?.to_owned()))).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(k, v)| (*k, v.to_string())).collect();
        assert_eq!(read(text), expected, "{text}");
    }

    #[test]
    fn urls_are_read_as_libpq_reads_them() {
        check("postgresql://", &[]);
        check("postgres://localhost", &[("host", "localhost")]);
        check("postgresql://localhost:5433", &[("host", "localhost"), ("port", "5433")]);
        check("postgresql://localhost/mydb", &[("host", "localhost"), ("dbname", "mydb")]);
        check(
            "postgresql://user:secret@localhost",
            &[("user", "user"), ("password", "secret"), ("host", "localhost")],
        );
        check(
            "postgresql://user@h1:123,h2:456/db",
            &[("user", "user"), ("host", "h1,h2"), ("port", "123,456"), ("dbname", "db")],
        );
        check("postgresql://h1,h2:456/db", &[("host", "h1,h2"), ("port", ",456"), ("dbname", "db")]);
        check(
            "postgresql:///db?host=/var/run/x&user=u",
            &[("user", "u"), ("host", "/var/run/x"), ("dbname", "db")],
        );
        check("postgresql://%2Fvar%2Flib%2Fpg/db", &[("host", "/var/lib/pg"), ("dbname", "db")]);
        check(
            "postgresql://[2001:db8::1234]:99/db",
            &[("host", "2001:db8::1234"), ("port", "99"), ("dbname", "db")],
        );
        check("postgresql://[::1]/db", &[("host", "::1"), ("dbname", "db")]);
        check(
            "postgresql://u:p%40%2F%3A%25@h/d%20b",
            &[("user", "u"), ("password", "p@/:%"), ("host", "h"), ("dbname", "d b")],
        );
        check("postgresql://u:p:q@h", &[("user", "u"), ("password", "p:q"), ("host", "h")]);
        check("postgresql://h/db?ssl=true", &[("host", "h"), ("dbname", "db"), ("sslmode", "require")]);
        check("postgresql://h?options=-c%20x%3D1", &[("host", "h"), ("options", "-c x=1")]);
    }

    #[test]
    fn pairs_are_read_as_libpq_reads_them() {
        check("", &[]);
        check(
            "host=localhost port=5432 dbname=mydb",
            &[("host", "localhost"), ("port", "5432"), ("dbname", "mydb")],
        );
        check("host = 'h'   user='it\\'s' ", &[("user", "it's"), ("host", "h")]);
        check("password=a\\ b host=''", &[("password", "a b")]);
        check("password='a \\\\ b'", &[("password", "a \\ b")]);
        check("my-db.1", &[("dbname", "my-db.1")]);
    }

    #[test]
    fn no_message_repeats_a_password() {
        for text in [
            "postgres://u:s3c@r3t@host/db",
            "postgres://u:s3c/r3t@host/db",
            "postgres://u:s3c?r3t@host/db",
            "postgres://u:s3c%r3t@host/db",
            "postgres://u:s3c%FFr3t@host/db",
            "postgres://host/db?password=s3cr3t&pasword=s3cr3t",
            "password=s3c r3t",
            "password=s3c r3t=1",
            "password='s3cr3t",
            "password:s3cr3t host=h",
            "http://u:s3cr3t@host",
            "postgres//u:s3cr3t@host/db",
        ] {
            let error = parse(text).unwrap_err();
            let report = format!("{error} {error:?} {:?}", error.help().map(|help| help.to_string()));
            assert!(!report.contains("s3c") && !report.contains("r3t"), "{text}: {report}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let parts =
            ["postgres://", "a", ":", "@", "/", "?", "=", "'", "\\", "%", "%4", "ü", "[", "]", ",", " ", "&"];
        let mut texts = vec![String::new()];
        for _ in 0..3 {
            texts = texts.iter().flat_map(|text| parts.map(|part| format!("{text}{part}"))).collect();
        }
        for text in texts {
            let _ = parse(&text);
            let _ = parse(&format!("postgres://{text}"));
        }
    }

    #[test]
    fn a_misspelt_keyword_gets_a_suggestion() {
        let error = parse("postgres://host/db?sslmod=require").unwrap_err();
        assert_eq!(error.to_string(), "`sslmod` is no connection parameter; is it `sslmode`?");
    }
}
