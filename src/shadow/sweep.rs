//! The directories of private clusters, each held by a lock for as long as its process lives, and the removal of
//! those whose process is gone: SIGKILL and power cuts run no clean-up.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::ServerUser;
use super::{ShadowError, place};

/// In a run folder: taken while directories are made or swept, so that none is seen half made.
const FOLDER_LOCK: &str = "lock";
/// In a directory: locked by the process that uses it.
const ALIVE: &str = "alive";

/// A directory with mode 0700 for one cluster, together with the lock that says that it is in use.
#[derive(Debug)]
pub(super) struct Directory {
    pub path: PathBuf,
    _alive: File,
}

impl Directory {
    /// Makes a directory in the first base that will have one, and sweeps all of them.
    pub fn create(user: Option<&ServerUser>) -> Result<Directory, ShadowError> {
        let mut made = None;
        for base in place::bases() {
            match &made {
                None | Some(Err(_)) => made = Some(Self::create_in(&base, user)),
                Some(Ok(_)) => sweep_base(&base),
            }
        }
        made.expect("there is always a temporary folder")
    }

    fn create_in(base: &Path, user: Option<&ServerUser>) -> Result<Directory, ShadowError> {
        let folder = place::open_run_folder(base)?;
        let failed = |source| ShadowError::Folder { path: folder.clone(), source };
        let _folder_lock = lock(&folder).map_err(failed)?;
        sweep(&folder);
        let process = std::process::id();
        for n in 0.. {
            let path = folder.join(format!("{process}-{n}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other.map_err(failed)?,
            }
            let alive = File::create(path.join(ALIVE)).map_err(failed)?;
            alive.lock().map_err(failed)?;
            if let Some(user) = user {
                user.own(&path).map_err(failed)?;
            }
            return Ok(Directory { path, _alive: alive });
        }
        unreachable!("a directory has fewer entries than there are numbers")
    }

    /// Removes the directory with all that is in it. A server that is just ending may still unlink files of its own,
    /// hence the patience.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.path)
    }
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(FOLDER_LOCK))?;
    file.lock()?;
    Ok(file)
}

/// Sweeps a base where we run nothing ourselves. What can't be opened was never used by this user.
fn sweep_base(base: &Path) {
    let folder = place::run_folder(base);
    if folder.is_dir()
        && let Ok(_lock) = lock(&folder)
    {
        sweep(&folder);
    }
}

/// Removes the directories whose process is gone, and their servers. What fails stays for the next start: leftovers
/// of others are no reason to refuse work.
fn sweep(folder: &Path) {
    let Ok(entries) = folder.read_dir() else { return };
    for directory in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let in_use = match File::open(directory.join(ALIVE)) {
            Ok(alive) => matches!(alive.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if !in_use {
            stop_left_server(&directory.join("data"));
            let _ = remove(&directory);
        }
    }
}

/// Where the kernel has no parent-death signal, a killed process leaves its server running.
fn stop_left_server(data: &Path) {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return };
    let Some(pid) = text.lines().next().and_then(|line| line.parse().ok()).map(Pid::from_raw) else { return };
    if serves(pid, data) && kill(pid, Signal::SIGQUIT).is_ok() {
        wait_for_end(|| kill(pid, None) == Err(Errno::ESRCH));
    }
}

/// Whether a process is the server of this data directory: numbers of processes come round again.
fn serves(pid: Pid, data: &Path) -> bool {
    if cfg!(target_os = "linux") {
        // A postmaster's working directory is its data directory.
        return fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data);
    }
    let ps = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    ps.is_ok_and(|ps| String::from_utf8_lossy(&ps.stdout).contains(&*data.to_string_lossy()))
}

/// Waits until a condition holds, five seconds at most; whether it does.
pub(super) fn wait_for_end(ended: impl Fn() -> bool) -> bool {
    for _ in 0..5000 {
        if ended() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

fn remove(path: &Path) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..100 {
        result = match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        if result.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_without_a_process_are_swept() {
        let base = tempfile::tempdir().unwrap();
        let used = Directory::create_in(base.path(), None).unwrap();
        let left = place::run_folder(base.path()).join("1-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(ALIVE), "").unwrap();
        let next = Directory::create_in(base.path(), None).unwrap();
        assert!(used.path.is_dir() && next.path.is_dir() && !left.exists());
        assert_ne!(used.path, next.path);

        let path = used.path.clone();
        drop(used);
        let _third = Directory::create_in(base.path(), None).unwrap();
        assert!(!path.exists() || path == _third.path);
    }
}
