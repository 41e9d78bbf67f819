//! A private PostgreSQL server for tests: made afresh in shared memory, gone with the value or with the test process,
//! however that ends. What is missing on the machine fails the test with a message that says what to install.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::unistd::{Uid, User, chown};
use tenantry::connect::Target;

/// A running server. `postgres` is its superuser, who needs no password on the socket.
pub struct Server {
    pub port: u16,
    pub dir: PathBuf,
    command: Command,
    process: Option<Guarded>,
    _files: Scratch,
}

impl Server {
    /// Starts a server that admits `hba` beside `postgres` on its socket, with `conf` as further settings.
    pub fn start(hba: &[&str], conf: &[&str]) -> Server {
        Server::run(hba, conf, false)
    }

    /// Starts a server that is in recovery and takes no writes.
    pub fn start_standby(hba: &[&str], conf: &[&str]) -> Server {
        Server::run(hba, conf, true)
    }

    fn run(hba: &[&str], conf: &[&str], standby: bool) -> Server {
        let bin = binaries();
        let files = Scratch::new();
        let dir = files.path().to_owned();
        let data = dir.join("data");
        copy(&template(bin), &data);
        let hba = format!("local all postgres trust\n{}\n", hba.join("\n"));
        fs::write(data.join("pg_hba.conf"), hba).unwrap();
        if standby {
            fs::write(data.join("standby.signal"), "").unwrap();
            give(&data.join("standby.signal"));
        }
        let port = free_port();
        let port_setting = format!("port={port}");
        let sockets = format!("unix_socket_directories={}", dir.display());
        let mut command = Command::new(bin.join("postgres"));
        command.arg("-D").arg(&data);
        let own = [
            port_setting.as_str(),
            sockets.as_str(),
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "shared_buffers=16MB",
            "autovacuum=off",
            "dynamic_shared_memory_type=mmap",
            "log_min_messages=fatal",
        ];
        for setting in own.iter().chain(conf) {
            command.args(["-c", setting]);
        }
        let mut server = Server { port, dir, command, process: None, _files: files };
        server.go();
        server
    }

    /// Starts the server, or starts it again after a crash.
    pub fn go(&mut self) {
        let log = self.dir.join("log");
        self.process = Some(Guarded::spawn(&self.command, "QUIT", &log));
        wait(&format!("the server in {}", self.dir.display()), &log, || {
            attend(async { self.target("postgres").connect().await.map(drop).map_err(|error| error.to_string()) })
        });
    }

    /// Ends the server as a crash does (`pg_ctl stop -m immediate`): what it had only in memory is lost.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// The superuser's way in.
    pub fn target(&self, database: &str) -> Target {
        Target::socket(&self.dir, self.port, "postgres", database)
    }

    /// Runs statements as the superuser, each in a transaction of its own.
    pub fn execute(&self, statements: &[&str]) {
        attend(async {
            let session = self.target("postgres").connect().await.unwrap();
            for statement in statements {
                session
                    .client
                    .batch_execute(statement)
                    .await
                    .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            }
        });
    }
}

/// A process that ends when this value is dropped, and also when the test process is killed: a shell holds it and
/// waits for the end of its own input, which only we have the other side of.
pub struct Guarded(Child);

impl Guarded {
    /// Runs a command that is to be ended by `signal`.
    pub fn spawn(command: &Command, signal: &str, log: &Path) -> Guarded {
        const HOLD: &str = "signal=$1; shift; \"$@\" & read -r _; kill -s $signal $!; wait $!";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", HOLD, "sh", signal]).arg(command.get_program()).args(command.get_args());
        let log = fs::File::create(log).unwrap();
        shell.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).current_dir("/").process_group(0);
        as_server_user(&mut shell);
        Guarded(shell.spawn().expect("/bin/sh can be run"))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A directory in memory, where there is room, that the server's user owns. It goes as a `Guarded` process does, so
/// that a static may hold it.
pub struct Scratch {
    dir: PathBuf,
    cleaner: Child,
}

impl Scratch {
    pub fn new() -> Scratch {
        const CLEAN: &str = "read -r _; until rm -rf \"$1\" 2>/dev/null; do sleep 0.1; done";
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = tempfile::Builder::new().prefix("tenantry-test-").tempdir_in(parent).unwrap().keep();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        give(&dir);
        let mut cleaner = Command::new("/bin/sh");
        cleaner
            .args(["-c", CLEAN, "sh"])
            .arg(&dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        Scratch { cleaner: cleaner.spawn().expect("/bin/sh can be run"), dir }
    }

    pub fn path(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.cleaner.stdin.take());
        let _ = self.cleaner.wait();
    }
}

/// Makes the server's user the owner of a file.
pub fn give(path: &Path) {
    if let Some(user) = server_user() {
        chown(path, Some(user.uid), Some(user.gid)).unwrap();
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program from PATH or the places of system programs.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    places
        .iter()
        .map(|place| place.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("`{name}` is missing; install it: apt-get install {name}"))
}

/// Tries until it works; shows the log when it does not within some seconds.
pub fn wait(what: &str, log: &Path, mut attempt: impl FnMut() -> Result<(), String>) {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return,
            Err(error) if start.elapsed() > Duration::from_secs(20) => {
                panic!("{what} did not come up: {error}\n{}", fs::read_to_string(log).unwrap_or_default())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Runs a future to its end on a thread of its own, as a test may be within a runtime already.
pub fn attend<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
        scope.spawn(run).join().unwrap()
    })
}

/// The directory of the server's programs: TENANTRY_PG_BIN, else Debian's newest, else pg_config's.
fn binaries() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let named = std::env::var_os("TENANTRY_PG_BIN").map(PathBuf::from);
        let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some((entry.as_ref().ok()?.file_name().to_str()?.parse().ok()?, entry.ok()?.path())))
            .collect();
        debian.sort();
        let config = Command::new("pg_config").arg("--bindir").output().ok();
        let config = config.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        named
            .into_iter()
            .chain(debian.into_iter().rev().map(|(_, dir)| dir.join("bin")))
            .chain(config)
            .find(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file())
            .expect("PostgreSQL's server programs are missing; install them: apt-get install postgresql, or name their directory by TENANTRY_PG_BIN")
    })
}

/// A data directory as initdb leaves it, made once in a test process.
fn template(bin: &Path) -> PathBuf {
    static MADE: OnceLock<Scratch> = OnceLock::new();
    let scratch = MADE.get_or_init(|| {
        let scratch = Scratch::new();
        let mut initdb = Command::new(bin.join("initdb"));
        initdb.arg("-D").arg(scratch.path().join("data")).args(["-U", "postgres", "-A", "trust", "-N"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--wal-segsize=1"]).env("LC_ALL", "C").current_dir("/");
        as_server_user(&mut initdb);
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        scratch
    });
    scratch.path().join("data")
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "{} could not be copied", from.display());
}

/// Servers refuse to run as root, so root runs them as `postgres`.
fn as_server_user(command: &mut Command) {
    if let Some(user) = server_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
}

fn server_user() -> Option<User> {
    Uid::effective().is_root().then(|| {
        let user = User::from_name("postgres").map_err(io::Error::from).unwrap();
        user.expect(
            "there is no user `postgres` to run a server as; install one: apt-get install postgresql-common",
        )
    })
}
