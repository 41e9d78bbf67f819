//! The cached template: what `initdb` makes, kept per release, so that a cluster is a copy of some files.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ShadowError;
use super::binaries::Binaries;
use super::cluster::Workplace;
use super::place::{self, ServerUser};

/// The bootstrap superuser.
pub(super) const SUPERUSER: &str = "postgres";

/// One locale for all, so that a plan does not depend on the machine. 1 MB segments save 15 MB of copying.
const INITDB: &[&str] = &[
    "-U",
    SUPERUSER,
    "-A",
    "trust",
    "-N",
    "--encoding=UTF8",
    "--locale=C",
    "--wal-segsize=1",
    "--no-instructions",
];

/// Fills the data directory of a workplace, from the cache where there is one. Tells whether it came from there.
pub(super) fn lay(workplace: &Workplace, binaries: &Binaries) -> Result<bool, ShadowError> {
    let cache = folder().and_then(|folder| Cache::open(&folder, binaries).ok());
    if let Some(cache) = &cache
        && cache.template.is_dir()
    {
        let copied = copy(&cache.template, &workplace.data(), workplace.user.as_ref());
        if copied.is_ok_and(|bytes| cache.size() == Some(bytes)) {
            return Ok(true);
        }
        let _ = fs::remove_dir_all(workplace.data());
    }
    let mut initdb = binaries.command("initdb");
    initdb.arg("-D").arg(workplace.data()).args(INITDB);
    if !workplace.run(initdb)?.success() {
        return Err(workplace.server_failed("initdb"));
    }
    if let Some(cache) = &cache {
        // Not to keep it, on a full disk for one, costs half a second at the next start and nothing else.
        let _ = cache.keep(&workplace.data());
    }
    Ok(false)
}

/// Drops the cached template of these binaries.
pub(super) fn forget(binaries: &Binaries) {
    if let Some(Ok(cache)) = folder().map(|folder| Cache::open(&folder, binaries)) {
        // Should it stay, the next cluster fails to start just as this one did, and says so.
        let _ = fs::remove_dir_all(&cache.template);
    }
}

fn folder() -> Option<PathBuf> {
    Some(place::cache()?.join("templates"))
}

/// The place of one release's template, locked: many may copy it at once, one makes it while others wait.
struct Cache {
    template: PathBuf,
    /// Holds the size of the template, so that one which has lost something is noticed.
    lock: File,
}

impl Cache {
    fn open(folder: &Path, binaries: &Binaries) -> io::Result<Cache> {
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        // Packages are upgraded in place: the whole version counts, not the path alone.
        let meaning = format!("{}\n{}\n{}", binaries.bin.display(), binaries.version, INITDB.join(" "));
        let digest = Sha256::digest(meaning.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}.{}-{digest}", binaries.major, binaries.minor);
        let path = folder.join(format!("{name}.lock"));
        let lock = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let template = folder.join(name);
        lock.lock_shared()?;
        if !template.is_dir() {
            lock.unlock()?;
            lock.lock()?;
        }
        Ok(Cache { template, lock })
    }

    fn size(&self) -> Option<u64> {
        let mut text = String::new();
        (&self.lock).read_to_string(&mut text).ok()?;
        text.parse().ok()
    }

    /// Takes a fresh data directory into the cache, in one step as others see it.
    fn keep(&self, data: &Path) -> io::Result<()> {
        // Who found a damaged template shares the lock with others that did.
        self.lock.unlock()?;
        self.lock.lock()?;
        let half_made = self.template.with_added_extension("new");
        for left in [&half_made, &self.template] {
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
        let bytes = copy(data, &half_made, None)?;
        self.lock.set_len(0)?;
        self.lock.write_all_at(bytes.to_string().as_bytes(), 0)?;
        fs::rename(&half_made, &self.template)
    }
}

/// Copies a directory with all that is in it, for the user who will own the copy. Returns the bytes of its files.
fn copy(from: &Path, to: &Path, user: Option<&ServerUser>) -> io::Result<u64> {
    let own = |path: &Path| user.map_or(Ok(()), |user| user.own(path));
    let mut bytes = 0;
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            bytes += copy(&entry.path(), &target, user)?;
        } else {
            bytes += fs::copy(entry.path(), &target)?;
            own(&target)?;
        }
    }
    own(to)?;
    Ok(bytes)
}
