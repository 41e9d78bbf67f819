//! The private cluster: a directory, a server on a socket in it, and the end of both. Who may connect is decided by
//! the directory's mode: there is no TCP, and within, every role is trusted.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};

use super::ShadowError;
use super::binaries::Binaries;
use super::leave::{self, Leave};
use super::place::ServerUser;
use super::sweep::{Directory, wait_for_end};
use super::template;

/// Nothing in here has to survive a crash, and a plan may touch thousands of relations in one transaction.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=20",
    "autovacuum=off",
    "jit=off",
    "wal_level=replica",
    "max_wal_senders=0",
    "max_prepared_transactions=2",
    "dynamic_shared_memory_type=mmap",
    "max_locks_per_transaction=2048",
    "timezone=UTC",
    "log_timezone=UTC",
];

/// The only user of its directory's socket chooses the port freely.
pub(super) const PORT: u16 = 5432;

/// A running private server. It ends with this value.
#[derive(Debug)]
pub(super) struct Cluster(Arc<Workplace>);

impl Cluster {
    /// Makes a cluster from the template of these binaries and starts it. Blocks until it serves.
    /// `settings` win over our own.
    pub fn start(binaries: &Binaries, settings: &[String]) -> Result<Cluster, ShadowError> {
        let user = ServerUser::needed()?;
        let directory = Directory::create(user.as_ref())?;
        let cluster = Cluster(Arc::new(Workplace { directory, user, child: Arc::default() }));
        leave::at_interrupt(&cluster.0);

        let from_cache = template::lay(&cluster.0, binaries)?;
        match cluster.0.serve(binaries, settings) {
            Err(ShadowError::ServerFailed { .. }) if from_cache => {
                // A cache that a power cut has left half written is worth one more try without it.
                template::forget(binaries);
                fs::remove_dir_all(cluster.0.data()).map_err(|source| cluster.0.failed(source))?;
                template::lay(&cluster.0, binaries)?;
                cluster.0.serve(binaries, settings)?;
            }
            other => other?,
        }
        Ok(cluster)
    }

    /// The directory of the socket.
    pub fn directory(&self) -> &Path {
        &self.0.directory.path
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The child that runs at present, and whether another may be started.
#[derive(Debug, Default)]
enum Running {
    #[default]
    Nothing,
    Child(Pid),
    /// We are leaving.
    NoMore,
}

/// A directory and the process that works in it: `initdb` first, the server later.
#[derive(Debug)]
pub(super) struct Workplace {
    directory: Directory,
    pub user: Option<ServerUser>,
    child: Arc<Mutex<Running>>,
}

impl Workplace {
    pub fn data(&self) -> PathBuf {
        self.directory.path.join("data")
    }

    /// An error with this directory.
    pub fn failed(&self, source: io::Error) -> ShadowError {
        ShadowError::Folder { path: self.directory.path.clone(), source }
    }

    fn log(&self) -> PathBuf {
        self.directory.path.join("log")
    }

    /// Runs a program as the server's user until it ends, its output in the log.
    pub fn run(&self, command: Command) -> Result<ExitStatus, ShadowError> {
        let (ended, end) = mpsc::channel();
        self.spawn(command, move |status| {
            // Nobody listens any more once we are leaving.
            let _ = ended.send(status);
        })?;
        end.recv().unwrap_or_else(|_| Err(io::Error::other("its end was not seen"))).map_err(|e| self.failed(e))
    }

    /// Starts the server and waits until it serves.
    fn serve(&self, binaries: &Binaries, settings: &[String]) -> Result<(), ShadowError> {
        let mut command = binaries.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.directory.path).arg("-p").arg(PORT.to_string());
        for setting in SETTINGS.iter().copied().chain(settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let (ended, end) = mpsc::channel();
        self.spawn(command, move |status| {
            let _ = ended.send(status);
        })?;
        let status_file = self.data().join("postmaster.pid");
        for _ in 0..30_000 {
            // Line 8 is what `pg_ctl -w` looks at (PM_STATUS_READY).
            let status = fs::read_to_string(&status_file).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            match end.recv_timeout(Duration::from_millis(2)) {
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                _ => break,
            }
        }
        Err(self.server_failed("PostgreSQL"))
    }

    /// What a program wrote before it failed.
    pub fn server_failed(&self, program: &str) -> ShadowError {
        let log = fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n");
        ShadowError::ServerFailed { program: program.to_owned(), output: tail }
    }

    /// Starts a child that does not outlive us, and tells `ended` when it has ended.
    ///
    /// The kernel sends the parent-death signal when the *thread* ends that started the child. So each child has a
    /// thread of its own that waits for it, and neither a pool nor a test can end it too early.
    fn spawn(
        &self,
        mut command: Command,
        ended: impl FnOnce(io::Result<ExitStatus>) + Send + 'static,
    ) -> Result<(), ShadowError> {
        let program = PathBuf::from(command.get_program());
        let log = File::options().create(true).append(true).open(self.log()).map_err(|e| self.failed(e))?;
        let errors = log.try_clone().map_err(|e| self.failed(e))?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        if let Some(user) = &self.user {
            user.run(&mut command);
        }
        // A Ctrl-C in the terminal is for us; the server ends when we say so.
        command.process_group(0);
        die_with_parent(&mut command);

        let running = Arc::clone(&self.child);
        let (started, start) = mpsc::channel();
        let keeper = move || {
            let child = {
                let mut running = locked(&running);
                match *running {
                    Running::NoMore => Err(io::ErrorKind::Interrupted.into()),
                    _ => command.spawn().inspect(|child| *running = Running::Child(pid(child))),
                }
            };
            match child {
                Ok(mut child) => {
                    let _ = started.send(Ok(()));
                    let status = child.wait();
                    let mut running = locked(&running);
                    if !matches!(*running, Running::NoMore) {
                        *running = Running::Nothing;
                    }
                    drop(running);
                    ended(status);
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        };
        std::thread::Builder::new().name("shadow".to_owned()).spawn(keeper).map_err(|e| self.failed(e))?;
        let started = start.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended")));
        let as_user = self.user.as_ref().map(|user| format!(" as {}", user.name)).unwrap_or_default();
        started.map_err(|source| ShadowError::CannotRun { program, as_user, source })
    }
}

impl Leave for Workplace {
    fn leave(&self) {
        let child = match std::mem::replace(&mut *locked(&self.child), Running::NoMore) {
            Running::Child(pid) => Some(pid),
            Running::Nothing | Running::NoMore => None,
        };
        if let Some(pid) = child {
            let ended = || kill(pid, None) == Err(Errno::ESRCH);
            // SIGQUIT is the server's "immediate" shutdown: no checkpoint, nothing to keep.
            let _ = kill(pid, Signal::SIGQUIT);
            if !wait_for_end(ended) {
                let _ = kill(pid, Signal::SIGKILL);
                wait_for_end(ended);
            }
        }
        // Should it fail, the next start sweeps it.
        let _ = self.directory.remove();
    }
}

fn locked(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Has the kernel end the child when we are killed, where it can.
#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let set = move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGQUIT)?;
        // We may have been killed before the signal was asked for.
        if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    };
    // SAFETY: between fork and exec the closure makes two system calls, both async-signal-safe, and allocates nothing.
    unsafe { command.pre_exec(set) };
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}
