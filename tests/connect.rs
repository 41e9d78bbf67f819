//! Connections against real servers: TLS with certificates made here, password methods by pg_hba.conf, several hosts,
//! and PgBouncer.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use miette::Diagnostic;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tenantry::connect::{ConnectError, Session, Target, pooler};

#[expect(dead_code, reason = "what other tests start is not needed here")]
mod support;

use support::{Guarded, Scratch, Server, free_port, give, program, wait};

/// The server that most tests share, and what it was given.
struct Shared {
    server: Server,
    files: PathBuf,
    _dir: Scratch,
}

const HBA: &[&str] = &[
    "host all scram 127.0.0.1/32 scram-sha-256",
    "host all md5 127.0.0.1/32 md5",
    "host all plain 127.0.0.1/32 password",
    "hostnossl all notls 127.0.0.1/32 trust",
    "hostssl all onlytls 127.0.0.1/32 trust",
    "hostssl all cert 127.0.0.1/32 cert",
    "hostssl all checked 127.0.0.1/32 trust clientcert=verify-ca",
    "host all postgres,trusted,limited 127.0.0.1/32 trust",
];

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let dir = Scratch::new();
        let files = dir.path().to_owned();
        certificates(&files);
        let setting = |name: &str, file: &str| format!("{name}={}", files.join(file).display());
        let conf = [
            "ssl=on".to_owned(),
            setting("ssl_cert_file", "server.crt"),
            setting("ssl_key_file", "server.key"),
            setting("ssl_ca_file", "ca.crt"),
        ];
        let server = Server::start(HBA, &conf.each_ref().map(String::as_str));
        server.execute(&[
            "SET password_encryption = 'scram-sha-256'",
            "CREATE ROLE scram LOGIN PASSWORD 'pass word:''\\ü'",
            "CREATE ROLE plain LOGIN PASSWORD 'sésame'",
            "SET password_encryption = 'md5'",
            "CREATE ROLE md5 LOGIN PASSWORD 'hash'",
            "CREATE ROLE notls LOGIN",
            "CREATE ROLE onlytls LOGIN",
            "CREATE ROLE cert LOGIN",
            "CREATE ROLE checked LOGIN",
            "CREATE ROLE trusted LOGIN",
            "CREATE ROLE limited LOGIN CONNECTION LIMIT 0",
            "CREATE DATABASE app",
        ]);
        Shared { server, files, _dir: dir }
    })
}

const SCRAM: &str = "pass word:'\\ü";

/// An authority, a certificate that it signed for the name db.test, one for the client `cert`, another authority, and
/// a certificate that nobody signed.
fn certificates(dir: &Path) {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (certificate, Issuer::new(params, key))
    };
    let write = |name: &str, text: &str, mode: u32| write(dir, name, text, mode);
    let (certificate, issuer) = authority("the authority of these tests");
    write("ca.crt", &certificate.pem(), 0o644);
    write("other-ca.crt", &authority("another authority").0.pem(), 0o644);
    for (name, names, common) in [("server", vec!["db.test".to_owned()], "db.test"), ("client", Vec::new(), "cert")]
    {
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        write(&format!("{name}.crt"), &certificate.pem(), 0o644);
        write(&format!("{name}.key"), &key.serialize_pem(), 0o600);
    }
    give(&dir.join("server.key"));
    write("open.key", &fs::read_to_string(dir.join("client.key")).unwrap(), 0o644);
}

fn write(dir: &Path, name: &str, text: &str, mode: u32) {
    let file = dir.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
}

/// Variables that keep the machine's own files and settings out of a test.
fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    env.entry("HOME".to_owned()).or_insert("/nonexistent".to_owned());
    env
}

/// Connects to the shared server by TCP with what `text` adds.
async fn connect(text: &str) -> Result<Session, ConnectError> {
    let text = format!("hostaddr=127.0.0.1 port={} dbname=app {text}", shared().server.port);
    Target::resolve(Some(&text), &environment(&[]))?.connect().await
}

/// The first value of a query.
async fn value(session: &Session, query: &str) -> String {
    session.client.query_one(query, &[]).await.unwrap().get(0)
}

async fn encrypted(session: &Session) -> bool {
    let query = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
    session.client.query_one(query, &[]).await.unwrap().get(0)
}

fn help(error: &ConnectError) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}

/// A value as a connection string has it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn file(name: &str) -> String {
    quoted(shared().files.join(name).to_str().unwrap())
}

#[tokio::test]
async fn a_socket_needs_no_more_than_its_directory() {
    let server = &shared().server;
    let session = server.target("app").connect().await.unwrap();
    assert_eq!(value(&session, "SELECT current_database()::text").await, "app");
    assert_eq!(value(&session, "SELECT current_setting('application_name')").await, "tenantry");
    assert!(session.version.major() >= 14);
    let number = value(&session, "SELECT current_setting('server_version_num')").await;
    assert_eq!(session.version.number.to_string(), number);

    let other = server.target("app").with_database("postgres");
    assert_eq!(value(&other.connect().await.unwrap(), "SELECT current_database()::text").await, "postgres");

    let text = format!("postgresql:///app?host={}&port={}&user=postgres", server.dir.display(), server.port);
    let target = Target::resolve(Some(&text), &environment(&[])).unwrap();
    target.connect().await.unwrap();
}

#[tokio::test]
async fn messages_are_kept_in_order() {
    let session = shared().server.target("app").connect().await.unwrap();
    session.client.batch_execute("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$").await.unwrap();
    let notices: Vec<_> =
        session.notices.drain().iter().map(|n| format!("{} {}", n.severity(), n.message())).collect();
    assert_eq!(notices, ["NOTICE one", "WARNING two"]);
    assert!(session.notices.drain().is_empty());
}

#[tokio::test]
async fn a_statement_can_be_cancelled() {
    for text in ["user=trusted sslmode=disable", "user=trusted sslmode=require"] {
        let session = connect(text).await.unwrap();
        let cancel = session.cancel_token();
        let (slept, cancelled) = tokio::join!(session.client.simple_query("SELECT pg_sleep(30)"), async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            cancel.cancel().await
        });
        cancelled.unwrap();
        assert_eq!(slept.unwrap_err().code().map(|code| code.code()), Some("57014"), "{text}");
    }
}

#[tokio::test]
async fn each_password_method_is_understood() {
    for (user, password) in [("scram", SCRAM), ("md5", "hash"), ("plain", "sésame")] {
        for sslmode in ["disable", "require"] {
            let text = format!("user={user} sslmode={sslmode} password={}", quoted(password));
            let session = connect(&text).await.unwrap_or_else(|error| panic!("{user} {sslmode}: {error}"));
            assert_eq!(value(&session, "SELECT current_user::text").await, user);
            assert_eq!(encrypted(&session).await, sslmode == "require");
        }
        let error = connect(&format!("user={user} password=wr0ng")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::WrongPassword { .. }), "{user}: {error:?}");
        assert!(help(&error).contains("the connection string"), "{}", help(&error));
        assert!(!format!("{error} {error:?} {}", help(&error)).contains("wr0ng"));

        let error = connect(&format!("user={user}")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::NoPassword { .. }), "{user}: {error:?}");
        assert!(help(&error).contains(".pgpass"), "{}", help(&error));
    }
}

#[tokio::test]
async fn a_password_comes_from_url_variable_service_or_file() {
    let server = &shared().server;
    let home = tempfile::tempdir().unwrap();
    let home_path = home.path().to_str().unwrap();
    let port = server.port;
    let escaped = SCRAM.replace('\\', "\\\\").replace(':', "\\:");

    let url = format!("postgres://scram:pass%20word%3A%27%5C%C3%BC@127.0.0.1:{port}/app");
    let target = Target::resolve(Some(&url), &environment(&[])).unwrap();
    assert!(!format!("{target} {target:?}").contains("pass word"), "{target:?}");
    assert_eq!(target.redacted(), format!("postgresql://scram@127.0.0.1:{port}/app"));
    target.connect().await.unwrap();

    let port_text = port.to_string();
    let variables = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port_text),
        ("PGUSER", "scram"),
        ("PGDATABASE", "app"),
        ("PGPASSWORD", SCRAM),
    ];
    let session = Target::resolve(None, &environment(&variables)).unwrap().connect().await.unwrap();
    assert_eq!(value(&session, "SELECT current_user::text").await, "scram");

    let services = format!("[app]\nhost=127.0.0.1\nport={port}\nuser=scram\ndbname=app\npassword={SCRAM}\n");
    fs::write(home.path().join(".pg_service.conf"), services).unwrap();
    let env = environment(&[("HOME", home_path), ("PGSERVICE", "app"), ("PGPORT", "1"), ("PGAPPNAME", "other")]);
    let session = Target::resolve(None, &env).unwrap().connect().await.unwrap();
    assert_eq!(value(&session, "SELECT current_setting('application_name')").await, "other");
    Target::resolve(Some("service=app"), &environment(&[("HOME", home_path)])).unwrap().connect().await.unwrap();

    let pgpass = home.path().join(".pgpass");
    fs::write(&pgpass, format!("*:1:*:*:no\n127.0.0.1:*:app:scram:{escaped}\n")).unwrap();
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!("host=127.0.0.1 port={port} user=scram dbname=app");
    let env = environment(&[("HOME", home_path)]);
    Target::resolve(Some(&text), &env).unwrap().connect().await.unwrap();

    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o640)).unwrap();
    let target = Target::resolve(Some(&text), &env).unwrap();
    assert!(target.warnings()[0].contains("chmod 0600"), "{:?}", target.warnings());
    assert!(matches!(target.connect().await, Err(ConnectError::NoPassword { .. })));
}

#[tokio::test]
async fn options_reach_the_server() {
    let session = connect("user=trusted options='-c search_path=pg_catalog -c work_mem=5MB'").await.unwrap();
    assert_eq!(value(&session, "SELECT current_setting('work_mem')").await, "5MB");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let error = connect("user=trusted dbname=absent").await.unwrap_err();
    assert!(matches!(&error, ConnectError::NoDatabase { database, .. } if database == "absent"), "{error:?}");

    let error = connect("user=nobody_here").await.unwrap_err();
    assert!(matches!(&error, ConnectError::NotAdmitted { .. }), "{error:?}");
    assert!(help(&error).contains("pg_hba.conf"), "{}", help(&error));

    let error = connect("user=limited").await.unwrap_err();
    assert!(matches!(&error, ConnectError::TooMany { .. }), "{error:?}");

    let free = free_port();
    let target =
        Target::resolve(Some(&format!("host=127.0.0.1,127.0.0.2 port={free} user=u")), &environment(&[])).unwrap();
    let error = target.connect().await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("127.0.0.1:{free}")) && error.contains(&format!("127.0.0.2:{free}")),
        "{error}"
    );

    let target = Target::resolve(Some("postgresql://u@host.invalid/d"), &environment(&[])).unwrap();
    let error = target.connect().await.unwrap_err();
    assert!(matches!(&error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("host.invalid:5432"), "{error}");

    // Something that listens and never answers.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!("host=127.0.0.1 port={} user=u connect_timeout=1", mute.local_addr().unwrap().port());
    let error = Target::resolve(Some(&text), &environment(&[])).unwrap().connect().await.unwrap_err();
    assert!(matches!(&error, ConnectError::Timeout { seconds: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn sslmode_decides_whether_tls_is_spoken() {
    for (text, tls) in [
        ("user=trusted sslmode=disable", false),
        ("user=trusted sslmode=allow", false),
        ("user=trusted sslmode=prefer", true),
        ("user=trusted", true),
        ("user=trusted sslmode=require", true),
        ("user=trusted sslmode=require ssl_max_protocol_version=TLSv1.2", true),
        ("user=trusted sslmode=require ssl_min_protocol_version=TLSv1.3", true),
        // Another try, with and without, where pg_hba.conf demands it.
        ("user=onlytls sslmode=allow", true),
        ("user=notls sslmode=prefer", false),
    ] {
        let session = connect(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(encrypted(&session).await, tls, "{text}");
    }
    for text in ["user=onlytls sslmode=disable", "user=notls sslmode=require"] {
        assert!(matches!(connect(text).await, Err(ConnectError::NotAdmitted { .. })), "{text}");
    }
}

#[tokio::test]
async fn the_servers_certificate_is_judged_as_sslmode_says() {
    let (ca, other) = (file("ca.crt"), file("other-ca.crt"));
    for text in [
        format!("host=db.test sslmode=verify-full sslrootcert={ca}"),
        format!("host=elsewhere.test sslmode=verify-ca sslrootcert={ca}"),
        format!("host=elsewhere.test sslmode=require sslrootcert={ca}"),
    ] {
        let session =
            connect(&format!("user=trusted {text}")).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert!(encrypted(&session).await, "{text}");
    }
    for (text, what) in [
        (format!("host=elsewhere.test sslmode=verify-full sslrootcert={ca}"), "db.test"),
        (format!("sslmode=verify-full sslrootcert={ca}"), "another name"),
        (format!("host=db.test sslmode=verify-full sslrootcert={other}"), "not signed by an authority"),
        (format!("host=db.test sslmode=verify-ca sslrootcert={other}"), "not signed by an authority"),
        (format!("host=db.test sslmode=require sslrootcert={other}"), "not signed by an authority"),
        ("host=db.test sslrootcert=system".to_owned(), "not signed by an authority"),
    ] {
        let error = connect(&format!("user=trusted {text}")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Tls { .. }), "{text}: {error:?}");
        assert!(error.to_string().contains(what), "{text}: {error}");
        assert!(!help(&error).is_empty());
    }
    for text in ["sslmode=verify-full", "sslmode=verify-ca", "sslmode=require sslrootcert=/nonexistent/ca.crt"] {
        let error = connect(&format!("user=trusted host=db.test {text}")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::File { keyword: "sslrootcert", .. }), "{text}: {error:?}");
    }
    let error = connect("user=trusted sslmode=require sslrootcert=system").await.unwrap_err();
    assert!(matches!(&error, ConnectError::Value { keyword: "sslmode", .. }), "{error:?}");
}

#[tokio::test]
async fn a_self_signed_certificate_may_be_its_own_authority() {
    let dir = Scratch::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["db.test".to_owned()]).unwrap();
    // As `openssl req -x509` marks what it makes.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    write(dir.path(), "self.crt", &params.self_signed(&key).unwrap().pem(), 0o644);
    write(dir.path(), "self.key", &key.serialize_pem(), 0o600);
    give(&dir.path().join("self.key"));
    let certificate = dir.path().join("self.crt").display().to_string();
    let conf =
        [format!("ssl_cert_file={certificate}"), format!("ssl_key_file={}", certificate.replace("crt", "key"))];
    let server = Server::start(&["hostssl all all 127.0.0.1/32 trust"], &["ssl=on", &conf[0], &conf[1]]);
    let at =
        |text: &str| format!("hostaddr=127.0.0.1 port={} user=postgres sslmode=verify-full {text}", server.port);
    let connect = async |text: String| Target::resolve(Some(&text), &environment(&[]))?.connect().await;

    connect(at(&format!("host=db.test sslrootcert={certificate}"))).await.unwrap();
    for text in [
        at(&format!("host=elsewhere.test sslrootcert={certificate}")),
        at(&format!("host=db.test sslrootcert={}", file("ca.crt"))),
    ] {
        let error = connect(text).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Tls { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_version_1_certificate_encrypts_and_proves_nothing() {
    let dir = Scratch::new();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let openssl = |arguments: &str| {
        let mut command = Command::new(program("openssl"));
        let output = command.args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    // As the manual has it: https://www.postgresql.org/docs/15/ssl-tcp.html#SSL-CERTIFICATE-CREATION
    openssl("req -new -nodes -newkey rsa:2048 -keyout old.key -out old.csr -subj /CN=db.test");
    openssl("x509 -req -in old.csr -signkey old.key -out old.crt -days 2");
    let text = Command::new(program("openssl"))
        .args(["x509", "-noout", "-text", "-in", &file("old.crt")])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&text.stdout).contains("Version: 1 "), "openssl no longer makes version 1");
    give(&dir.path().join("old.key"));
    let conf = [format!("ssl_cert_file={}", file("old.crt")), format!("ssl_key_file={}", file("old.key"))];
    let hba = ["hostssl all all 127.0.0.1/32 scram-sha-256"];
    let server = Server::start(&hba, &["ssl=on", &conf[0], &conf[1]]);
    server.execute(&["ALTER ROLE postgres PASSWORD 'secret'"]);
    let at = format!("host=db.test hostaddr=127.0.0.1 port={} user=postgres password=secret", server.port);
    let connect =
        async |text: &str| Target::resolve(Some(&format!("{at} {text}")), &environment(&[]))?.connect().await;
    for text in ["", "sslmode=require", "sslmode=require ssl_max_protocol_version=TLSv1.2"] {
        let session = connect(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert!(encrypted(&session).await);
    }
    let error = connect("sslmode=require channel_binding=require").await.unwrap_err();
    assert!(matches!(&error, ConnectError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("UnsupportedCertVersion") && help(&error).contains("version 3"), "{error}");
    let error = connect(&format!("sslmode=verify-ca sslrootcert={}", file("old.crt"))).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Tls { .. } | ConnectError::File { .. }), "{error:?}");
}

#[tokio::test]
async fn certificates_are_found_in_the_home_directory() {
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join(".postgresql");
    fs::create_dir(&own).unwrap();
    for (from, to) in [("ca.crt", "root.crt"), ("client.crt", "postgresql.crt"), ("client.key", "postgresql.key")] {
        fs::copy(shared().files.join(from), own.join(to)).unwrap();
    }
    let text = format!(
        "host=db.test hostaddr=127.0.0.1 port={} dbname=app user=cert sslmode=verify-full",
        shared().server.port
    );
    let env = environment(&[("HOME", home.path().to_str().unwrap())]);
    Target::resolve(Some(&text), &env).unwrap().connect().await.unwrap();

    // A root file that is there is heeded where no check is asked for, as by libpq.
    fs::copy(shared().files.join("other-ca.crt"), own.join("root.crt")).unwrap();
    let target = Target::resolve(Some(&text.replace("verify-full", "require")), &env).unwrap();
    assert!(matches!(target.connect().await, Err(ConnectError::Tls { .. })));
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_key_kept() {
    let (certificate, key) = (file("client.crt"), file("client.key"));
    for user in ["cert", "checked"] {
        let text = format!("user={user} sslmode=require sslcert={certificate} sslkey={key}");
        connect(&text).await.unwrap_or_else(|error| panic!("{user}: {error:?}"));
        let error = connect(&format!("user={user} sslmode=require")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::NotAdmitted { .. }), "{user}: {error:?}");
    }
    // The certificate is for the user `cert` only.
    let text = format!("user=trusted sslmode=require sslcert={certificate} sslkey={}", file("open.key"));
    let error = connect(&text).await.unwrap_err();
    assert!(matches!(&error, ConnectError::File { keyword: "sslkey", .. }), "{error:?}");
    assert!(help(&error).contains("chmod 0600"), "{}", help(&error));
    let error =
        connect(&format!("user=cert sslmode=require sslcert={certificate} sslkey={}", file("server.key"))).await;
    assert!(matches!(&error, Err(ConnectError::File { keyword: "sslkey", .. })), "{error:?}");
}

#[tokio::test]
async fn channel_binding_binds_to_the_certificate() {
    let password = quoted(SCRAM);
    connect(&format!("user=scram sslmode=require channel_binding=require password={password}")).await.unwrap();
    for text in [
        format!("user=scram sslmode=disable channel_binding=require password={password}"),
        "user=md5 sslmode=require channel_binding=require password=hash".to_owned(),
        "user=trusted sslmode=require channel_binding=require".to_owned(),
    ] {
        let error = connect(&text).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Authentication { .. }), "{error:?}");
        assert!(help(&error).contains("channel_binding"), "{}", help(&error));
    }
}

#[tokio::test]
async fn the_host_that_is_wanted_is_found_among_several() {
    let hba = ["host all all 127.0.0.1/32 trust"];
    let standby = Server::start_standby(&hba, &[]);
    let (primary, standby) = (shared().server.port, standby_port(&standby));
    let free = free_port();
    let connect = async |attrs: &str, ports: String| {
        let hosts = ports.split(',').map(|_| "127.0.0.1").collect::<Vec<_>>().join(",");
        let text = format!("host={hosts} port={ports} user=postgres dbname=postgres target_session_attrs={attrs}");
        let session = Target::resolve(Some(&text), &environment(&[])).unwrap().connect().await?;
        Ok::<_, ConnectError>(value(&session, "SELECT inet_server_port()::text").await.parse::<u16>().unwrap())
    };
    let all = format!("{free},{standby},{primary}");
    for (attrs, expected) in [
        ("any", standby),
        ("read-write", primary),
        ("primary", primary),
        ("read-only", standby),
        ("standby", standby),
        ("prefer-standby", standby),
    ] {
        assert_eq!(connect(attrs, all.clone()).await.unwrap(), expected, "{attrs}");
    }
    assert_eq!(connect("prefer-standby", format!("{free},{primary}")).await.unwrap(), primary);

    let error = connect("read-write", format!("{free},{standby}")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::SessionAttrs { wanted: "read-write", .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{standby} does not take writes")), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{free}")), "{error}");
    let error = connect("standby", primary.to_string()).await.unwrap_err();
    assert!(matches!(&error, ConnectError::SessionAttrs { .. }), "{error:?}");
}

/// The standby speaks no TLS, which is tried in passing.
fn standby_port(standby: &Server) -> u16 {
    let text = format!("host=127.0.0.1 port={} user=postgres sslmode=require", standby.port);
    let error = support::attend(async { Target::resolve(Some(&text), &environment(&[])).unwrap().connect().await });
    assert!(
        matches!(&error, Err(ConnectError::Tls { what, .. }) if what.contains("does not speak TLS")),
        "{error:?}"
    );
    standby.port
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_recognised() {
    let server = &shared().server;
    let dir = Scratch::new();
    let port = free_port();
    let at = format!("host={} port={} dbname=app user=postgres", server.dir.display(), server.port);
    let ini = format!(
        "[databases]\n\
         transactions = {at} pool_mode=transaction\n\
         statements = {at} pool_mode=statement\n\
         sessions = {at} pool_mode=session\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
         auth_file = {dir}/users\nlogfile = {dir}/pgbouncer.log\nadmin_users = postgres\nserver_round_robin = 1\n",
        dir = dir.path().display(),
    );
    fs::write(dir.path().join("pgbouncer.ini"), ini).unwrap();
    fs::write(dir.path().join("users"), "\"postgres\" \"\"\n").unwrap();
    let mut command = Command::new(program("pgbouncer"));
    command.arg(dir.path().join("pgbouncer.ini"));
    let log = dir.path().join("log");
    let _process = Guarded::spawn(&command, "KILL", &log);
    let through = |database: &str| {
        let text = format!("host=127.0.0.1 port={port} dbname={database} user=postgres");
        Target::resolve(Some(&text), &environment(&[])).unwrap()
    };
    wait("PgBouncer", &log, || {
        support::attend(async { through("sessions").connect().await.map(drop).map_err(|error| error.to_string()) })
    });
    for database in ["transactions", "statements"] {
        let session = through(database).connect().await.unwrap();
        let found = pooler(&session).await.unwrap().unwrap_or_else(|| panic!("{database} were not noticed"));
        assert!(found.evidence.contains("backend"), "{found:?}");
    }
    // Sessions that are left to others make the pool give another backend, not the same one.
    let (one, two) =
        (through("transactions").connect().await.unwrap(), through("transactions").connect().await.unwrap());
    one.client.batch_execute("BEGIN").await.unwrap();
    assert!(pooler(&two).await.unwrap().is_some());

    let session = through("sessions").connect().await.unwrap();
    assert_eq!(pooler(&session).await.unwrap(), None);
    let direct = server.target("app").connect().await.unwrap();
    assert_eq!(pooler(&direct).await.unwrap(), None);

    // Planning reads in one transaction, and leaves no statement behind that the next session would trip over.
    let schema = Scratch::new();
    fs::write(schema.path().join("schema.sql"), "CREATE TABLE planned_through_a_pooler (id integer);").unwrap();
    for turn in ["first", "second", "third"] {
        let out = schema.path().join(turn);
        let mut plan = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        plan.current_dir(schema.path());
        plan.args(["plan", "--database"])
            .arg(format!("host=127.0.0.1 port={port} dbname=transactions user=postgres"))
            .arg("--schema")
            .arg(schema.path().join("schema.sql"))
            .arg("--out")
            .arg(&out)
            .env_clear();
        let output = plan.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && out.exists(), "{turn}: {said}");
    }

    let options = format!("host=127.0.0.1 port={port} dbname=sessions user=postgres options='-c work_mem=1MB'");
    let error = Target::resolve(Some(&options), &environment(&[])).unwrap().connect().await.unwrap_err();
    assert!(help(&error).contains("PgBouncer"), "{error:?}");
    let error = through("pgbouncer").connect().await.unwrap_err();
    assert!(matches!(&error, ConnectError::NotPostgres { .. }), "{error:?}");
}

/// A server that reads the startup message of each client and gives it the same answer.
fn impostor(answer: Vec<u8>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
            stream.read_exact(&mut rest).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    port
}

/// A message of the protocol.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

#[tokio::test]
async fn a_server_that_starts_or_is_too_old_is_told_apart() {
    let starting = impostor(message(b'E', b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"));
    let at =
        |ports: String, hosts: &str| format!("host={hosts} port={ports} user=postgres dbname=app sslmode=disable");
    let connect = async |text: String| Target::resolve(Some(&text), &environment(&[]))?.connect().await;
    let error = connect(at(starting.to_string(), "127.0.0.1")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::NotReady { .. }), "{error:?}");
    // The next of the list may be further.
    connect(at(format!("{starting},{}", shared().server.port), "127.0.0.1,127.0.0.1")).await.unwrap();

    let version = |text: &str| {
        let admitted = message(b'R', &[0; 4]);
        let version = message(b'S', format!("server_version\0{text}\0").as_bytes());
        [admitted, version, message(b'Z', b"I")].concat()
    };
    let old = impostor(version("13.23"));
    let error = connect(at(old.to_string(), "127.0.0.1")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::TooOld { version, .. } if version == "13.23"), "{error:?}");
    assert!(help(&error).contains("upgrade"));
    let other = impostor(version("v2.5-cockroach"));
    let error = connect(at(other.to_string(), "127.0.0.1")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::NotPostgres { .. }), "{error:?}");
    let closing = impostor(Vec::new());
    let error = connect(at(closing.to_string(), "127.0.0.1")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Unreachable { .. }), "{error:?}");
    let nonsense = impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let error = connect(at(nonsense.to_string(), "127.0.0.1") + " connect_timeout=2").await.unwrap_err();
    assert!(!help(&error).is_empty(), "{error:?}");
}
