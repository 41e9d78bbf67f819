//! TLS as sslmode has it: which certificates are read, and what is demanded of the server's.
//! <https://www.postgresql.org/docs/current/libpq-ssl.html>

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::Uid;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::ConnectError;
use super::settings::Settings;

/// libpq's sslmode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What the settings say about TLS. Files are read when a connection is made.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub mode: Mode,
    root: Root,
    identity: Option<Identity>,
    server_name_indication: bool,
    oldest: Version,
    newest: Version,
}

/// Where the certificates are that the server's has to descend from.
#[derive(Debug, Clone)]
enum Root {
    /// Those of the operating system: `sslrootcert=system`.
    System,
    Named(PathBuf),
    /// `~/.postgresql/root.crt`, which need not be there.
    Default(Option<PathBuf>),
}

/// Our own certificate and its key.
#[derive(Debug, Clone)]
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    /// Whether a setting names the certificate, so that it has to be there.
    named: bool,
}

/// The versions of TLS that rustls speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Tls12,
    Tls13,
}

impl Options {
    /// No TLS at all, as on a unix socket.
    pub fn off() -> Options {
        Options {
            mode: Mode::Disable,
            root: Root::Default(None),
            identity: None,
            server_name_indication: true,
            oldest: Version::Tls12,
            newest: Version::Tls13,
        }
    }

    pub fn from_settings(settings: &Settings, home: Option<&Path>) -> Result<Options, ConnectError> {
        let own = |file: &str| home.map(|home| home.join(".postgresql").join(file));
        let root = match settings.get("sslrootcert") {
            Some("system") => Root::System,
            Some(path) => Root::Named(PathBuf::from(path)),
            None => Root::Default(own("root.crt")),
        };
        let mode = settings.choice(
            "sslmode",
            &[
                ("disable", Mode::Disable),
                ("allow", Mode::Allow),
                ("prefer", Mode::Prefer),
                ("require", Mode::Require),
                ("verify-ca", Mode::VerifyCa),
                ("verify-full", Mode::VerifyFull),
            ],
        )?;
        let mode = match (mode, &root) {
            (None, Root::System) => Mode::VerifyFull,
            // Anyone can have a certificate from a public authority, so only the name tells servers apart.
            (Some(mode), Root::System) if mode < Mode::VerifyFull => {
                return Err(ConnectError::Value {
                    keyword: "sslmode",
                    value: settings.get("sslmode").unwrap_or_default().to_owned(),
                    expected: "verify-full with sslrootcert=system".to_owned(),
                });
            }
            (Some(mode), _) => mode,
            (None, _) if settings.get("requiressl") == Some("1") => Mode::Require,
            (None, _) => Mode::Prefer,
        };
        let offered = settings
            .choice("sslcertmode", &[("disable", false), ("allow", true), ("require", true)])?
            .unwrap_or(true);
        let named = settings.get("sslcert").map(PathBuf::from);
        let identity = match (named.is_some(), named.or_else(|| own("postgresql.crt"))) {
            (named, Some(certificate)) if offered => settings
                .get("sslkey")
                .map(PathBuf::from)
                .or_else(|| own("postgresql.key"))
                .map(|key| Identity { certificate, key, named }),
            _ => None,
        };
        // What is older than TLS 1.2 is never spoken, whatever lower bound is given.
        let versions = [
            ("TLSv1", None),
            ("TLSv1.1", None),
            ("TLSv1.2", Some(Version::Tls12)),
            ("TLSv1.3", Some(Version::Tls13)),
        ];
        let oldest = settings.choice("ssl_min_protocol_version", &versions)?.flatten().unwrap_or(Version::Tls12);
        let newest = match settings.choice("ssl_max_protocol_version", &versions)? {
            None => Version::Tls13,
            Some(Some(newest)) if newest >= oldest => newest,
            Some(_) => {
                return Err(ConnectError::Value {
                    keyword: "ssl_max_protocol_version",
                    value: settings.get("ssl_max_protocol_version").unwrap_or_default().to_owned(),
                    expected: "TLSv1.2 or TLSv1.3, and not below ssl_min_protocol_version".to_owned(),
                });
            }
        };
        let server_name_indication = settings.choice("sslsni", &[("0", false), ("1", true)])?.unwrap_or(true);
        Ok(Options { mode, root, identity, server_name_indication, oldest, newest })
    }

    /// Whether a connection without TLS is out of the question.
    pub fn is_demanded(&self) -> bool {
        self.mode >= Mode::Require
    }

    /// The driver's side of it; `bound` where authentication will be bound to the certificate. Reads the files.
    pub fn client(&self, bound: bool) -> Result<ClientConfig, ConnectError> {
        let provider = Arc::new(ring::default_provider());
        let versions: Vec<&'static SupportedProtocolVersion> =
            [(Version::Tls13, &rustls::version::TLS13), (Version::Tls12, &rustls::version::TLS12)]
                .into_iter()
                .filter(|(version, _)| (self.oldest..=self.newest).contains(version))
                .map(|(_, version)| version)
                .collect();
        let verifier = Verifier {
            trusted: self.trusted()?,
            bound,
            by_name: self.mode == Mode::VerifyFull,
            algorithms: provider.signature_verification_algorithms,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match self.identity()? {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(|error| {
                file_error("sslkey", self.key_file(), error, "sslcert and sslkey have to belong together")
            })?,
            None => config.with_no_client_auth(),
        };
        config.enable_sni = self.server_name_indication;
        // A server that is asked directly, without an SSLRequest before, demands this.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(config)
    }

    /// The roots to trust; `None` trusts anyone. As in libpq a root file that is there is heeded in every mode.
    fn trusted(&self) -> Result<Option<Trusted>, ConnectError> {
        let file = match &self.root {
            Root::System => return Trusted::system().map(Some),
            Root::Named(file) => file,
            Root::Default(Some(file)) if file.exists() => file,
            Root::Default(_) if self.mode < Mode::VerifyCa => return Ok(None),
            Root::Default(file) => {
                let file = file.clone().unwrap_or_else(|| PathBuf::from("~/.postgresql/root.crt"));
                let help = "name the certificate of the authority that signed the server's by sslrootcert=FILE, or take \
                            sslrootcert=system for servers with a publicly trusted one";
                return Err(file_error("sslrootcert", &file, "it does not exist", help));
            }
        };
        Trusted::file(file).map(Some)
    }

    fn key_file(&self) -> &Path {
        self.identity.as_ref().map_or(Path::new(""), |identity| &identity.key)
    }

    /// Our certificate chain and its key.
    fn identity(&self) -> Result<Option<(CertificateChain, PrivateKeyDer<'static>)>, ConnectError> {
        let Some(identity) = &self.identity else { return Ok(None) };
        if !identity.named && !identity.certificate.exists() {
            return Ok(None);
        }
        let chain = certificates("sslcert", &identity.certificate)?;
        let file = &identity.key;
        let metadata = fs::metadata(file)
            .map_err(|error| file_error("sslkey", file, error, "name the key of the certificate by sslkey=FILE"))?;
        // As in libpq: root may own a key that its group reads, anyone else's is for the owner alone.
        let others = if metadata.uid() == 0 && !Uid::effective().is_root() { 0o027 } else { 0o077 };
        if metadata.mode() & others != 0 {
            let help = "run `chmod 0600` on it (0640 if root owns it)";
            return Err(file_error("sslkey", file, "group or others can read it", help));
        }
        let key = PrivateKeyDer::from_pem_file(file).map_err(|error| {
            let help = "it has to be a PEM file with an unencrypted key: openssl pkey -in OLD -out NEW";
            file_error("sslkey", file, error, help)
        })?;
        Ok(Some((chain, key)))
    }
}

fn file_error(keyword: &'static str, path: &Path, reason: impl ToString, help: &str) -> ConnectError {
    ConnectError::File { keyword, path: path.to_owned(), reason: reason.to_string(), help: help.to_owned() }
}

type CertificateChain = Vec<CertificateDer<'static>>;

fn certificates(keyword: &'static str, file: &Path) -> Result<CertificateChain, ConnectError> {
    let help = "it has to be a PEM file with at least one certificate";
    let wrong = |error: rustls_pki_types::pem::Error| file_error(keyword, file, error, help);
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if found.is_empty() { Err(file_error(keyword, file, "no certificate is in it", help)) } else { Ok(found) }
}

/// The certificates that a server's has to descend from, or be.
#[derive(Debug)]
struct Trusted {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn file(file: &Path) -> Result<Trusted, ConnectError> {
        let certificates = certificates("sslrootcert", file)?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| {
                file_error("sslrootcert", file, error, "make it anew: only version 3 certificates are understood")
            })?;
        }
        Ok(Trusted { roots, certificates })
    }

    fn system() -> Result<Trusted, ConnectError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let reason = found.errors.first().map_or("there are none".to_owned(), ToString::to_string);
            let help = "install your system's root certificates (Debian: apt-get install ca-certificates)";
            return Err(file_error("sslrootcert", Path::new("system"), reason, help));
        }
        Ok(Trusted { roots, certificates: Vec::new() })
    }
}

/// Judges the server's certificate.
#[derive(Debug)]
struct Verifier {
    trusted: Option<Trusted>,
    bound: bool,
    by_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &trusted.roots,
            intermediates,
            now,
            algorithms,
        ) {
            Ok(()) => {}
            // A self-signed certificate that is marked as an authority's and named as the root is its own proof.
            // Its dates have been checked before this error can come about.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(error)))
                if error.to_string() == "CaUsedAsEndEntity" && trusted.certificates.contains(end_entity) => {}
            Err(error) => return Err(error),
        }
        if self.by_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.or_ancient(verify_tls12_signature(message, certificate, signature, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.or_ancient(verify_tls13_signature(message, certificate, signature, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Lets a version 1 certificate pass where nobody is to be recognised by it. `openssl x509 -req` makes such ones
    /// before OpenSSL 3.2, and the manual's example does so; what reads certificates here can't take the key out of
    /// them, so the signature goes unchecked. With any certificate accepted it would tell only that the server has
    /// the key of the one that it shows, and that matters where channel binding is demanded alone.
    fn or_ancient(
        &self,
        verdict: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match verdict {
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(error)))
                if error.to_string() == "UnsupportedCertVersion" && self.trusted.is_none() && !self.bound =>
            {
                Ok(HandshakeSignatureValid::assertion())
            }
            verdict => verdict,
        }
    }
}

/// The cause that rustls gives within an error of the driver.
pub(super) fn cause<'a>(source: Option<&'a (dyn Error + 'static)>) -> Option<&'a rustls::Error> {
    source?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
}

/// Why TLS did not come about at `place`, and what to do.
pub(super) fn explain(place: String, source: Option<&(dyn Error + 'static)>, text: &str) -> ConnectError {
    let (what, help) = match cause(source) {
        None if text == "server does not support TLS" => (
            "the server does not speak TLS".to_owned(),
            "switch it on there (ssl = on, with a certificate), or take a weaker sslmode",
        ),
        Some(rustls::Error::InvalidCertificate(fault)) => certificate_fault(fault),
        Some(rustls::Error::AlertReceived(alert)) => (
            format!("the server ended the TLS handshake: {alert:?}"),
            "if it wants a client certificate, give one that its ssl_ca_file knows: sslcert=FILE sslkey=FILE",
        ),
        _ => (
            format!("TLS failed: {text}"),
            "check that this is a PostgreSQL server, and its log for its view of it",
        ),
    };
    ConnectError::Tls { place, what, help: help.to_owned() }
}

fn certificate_fault(fault: &CertificateError) -> (String, &'static str) {
    match fault {
        CertificateError::UnknownIssuer => (
            "the server's certificate is not signed by an authority that sslrootcert holds".to_owned(),
            "get the authority's certificate from whoever runs the server, and name it by sslrootcert=FILE",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the server's certificate is for another name: {fault}"),
            "connect by a name that the certificate has as subjectAltName (its common name does not count), or check \
             only the authority: sslmode=verify-ca",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (format!("the server's certificate has expired: {fault}"), "have it renewed")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (format!("the server's certificate is not valid yet: {fault}"), "check the clocks of both machines")
        }
        _ => (
            format!("the server's certificate can't be used: {fault}"),
            "make it anew, as a version 3 X.509 certificate",
        ),
    }
}
