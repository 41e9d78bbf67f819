//! Where the shadow may put things, and as whom it runs: the memory disk, the cache, the user of the server.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::statvfs::statvfs;
use nix::unistd::{Gid, Uid, User, geteuid};

use super::ShadowError;

/// A cluster takes 28 MB, a copy of a large schema some hundred. Docker gives /dev/shm 64 MB unless told otherwise.
const MEMORY_DISK_NEEDS: u64 = 512 << 20;

/// The socket's path must fit `sockaddr_un`, which is 108 bytes on Linux and 104 on the BSDs and macOS.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The user that a server runs as: PostgreSQL refuses root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerUser {
    uid: Uid,
    gid: Gid,
    pub name: String,
}

impl ServerUser {
    /// `None` where we are an ordinary user and the server runs as ourselves.
    pub fn needed() -> Result<Option<ServerUser>, ShadowError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let sudo = env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok()).map(Uid::from_raw);
        let named = |name| User::from_name(name).ok().flatten();
        let user = named("postgres")
            .or_else(|| User::from_uid(sudo.filter(|uid| !uid.is_root())?).ok().flatten())
            .or_else(|| named("nobody"))
            .ok_or(ShadowError::NoServerUser)?;
        Ok(Some(ServerUser { uid: user.uid, gid: user.gid, name: user.name }))
    }

    pub fn run(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt;
        command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
    }

    pub fn own(&self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
    }
}

/// The folder for what is worth keeping between runs. Root's is the system's, since the server's user must reach it
/// and root's home is closed to that.
pub fn cache() -> Option<PathBuf> {
    caches().into_iter().next()
}

/// The folder of this user, then the system's.
pub(super) fn caches() -> Vec<PathBuf> {
    let system = PathBuf::from("/var/cache/tenantry");
    if geteuid().is_root() {
        return vec![system];
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    own.map(|folder| folder.join("tenantry")).into_iter().chain([system]).collect()
}

/// The folders in which clusters of this user may run or have run, the preferred one first:
/// `TENANTRY_SHADOW_DIR`, else the memory disk where there is room, else the temporary folder.
pub(super) fn bases() -> Vec<PathBuf> {
    if let Some(own) = env::var_os("TENANTRY_SHADOW_DIR").filter(|own| !own.is_empty()) {
        return vec![own.into()];
    }
    let memory = PathBuf::from("/dev/shm");
    let mut temporary = env::temp_dir();
    if !socket_fits(&temporary) {
        temporary = "/tmp".into();
    }
    if free_bytes(&memory) >= MEMORY_DISK_NEEDS { vec![memory, temporary] } else { vec![temporary, memory] }
}

#[allow(clippy::unnecessary_cast, reason = "the kernel's counts are 32 bits wide on some platforms")]
fn free_bytes(disk: &Path) -> u64 {
    statvfs(disk).map_or(0, |disk| disk.blocks_available() as u64 * disk.fragment_size() as u64)
}

/// This user's folder in a base.
pub(super) fn run_folder(base: &Path) -> PathBuf {
    base.join(format!("tenantry-{}", geteuid()))
}

/// Makes the run folder where it lacks. Others can't look inside; only a server's user may pass through root's.
pub(super) fn open_run_folder(base: &Path) -> Result<PathBuf, ShadowError> {
    let uid = geteuid();
    let folder = run_folder(base);
    let mode = if uid.is_root() { 0o711 } else { 0o700 };
    let failed = |source| ShadowError::Folder { path: folder.clone(), source };
    match DirBuilder::new().mode(mode).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(failed)?,
    }
    // In a folder that all may write to, someone else may have been here first.
    let found = fs::symlink_metadata(&folder).map_err(failed)?;
    if !found.is_dir() || found.uid() != uid.as_raw() || found.mode() & 0o022 != 0 {
        return Err(ShadowError::NotOurs { path: folder });
    }
    if !socket_fits(base) {
        return Err(ShadowError::SocketPath { path: folder, limit: SOCKET_PATH_LIMIT });
    }
    Ok(folder)
}

/// Whether a socket below this base has a path that the kernel takes, whatever our numbers are.
fn socket_fits(base: &Path) -> bool {
    base.as_os_str().len() + "/tenantry-4294967295/4194304-999/.s.PGSQL.5432".len() <= SOCKET_PATH_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_folder_has_no_room_for_a_socket() {
        assert!(socket_fits(Path::new("/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T")));
        assert!(!socket_fits(Path::new(&format!("/{}", "deep/".repeat(20)))));
    }

    #[test]
    fn a_run_folder_is_closed_to_others() {
        let base = tempfile::tempdir().unwrap();
        let folder = open_run_folder(base.path()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o066, 0);
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        assert!(matches!(open_run_folder(base.path()), Err(ShadowError::NotOurs { .. })));
    }
}
