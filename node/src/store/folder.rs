//! The data folder: its lock, its format version, its secret files. Nothing in it is changed before
//! the lock is held and the format is known.
//!
//! Layout: `format`, `lock`, `xom.redb`, `salts`, `blobs/<2 hex>/<hex>`, `incoming` (blobs on their way), `partial`
//! (parts of blobs), `previews/<2 hex>/<hex>`, `trees/<2 hex>/<hex>`, `peer.key`, `token`, `metrics.token`,
//! `identities/<user name>/{phrase,postponed,control.key,control.sealed,device.key,device.sealed}`
//! (`REST-1`).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::StartError;

/// The newest format of the folder that this code knows.
pub(crate) const FORMAT: u64 = 2;
/// The oldest that it still opens: the words of identities in older ones give other keys (`ID-15`).
const OLDEST: u64 = 2;
/// Longest secret file that is read, bytes.
const SECRET_BYTES_MAX: u64 = 4_096;
/// How often a lock that is held is tried again: whoever only looks at it holds it for a moment.
const LOCK_TRIES: u32 = 5;
/// Between two tries.
const LOCK_WAIT: Duration = Duration::from_millis(10);
/// Files that a folder may hold before its format is written: a first start that was cut short.
const BEFORE_FORMAT: [&str; 2] = ["lock", "format.new"];

/// A data folder whose lock is held until this is dropped or it is let go.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Opens or makes the folder and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        if path.exists() {
            check_format(path)?;
        } else {
            make_dir_all(path).map_err(|e| unreadable(path, &e))?;
        }
        let lock_path = path.join("lock");
        let lock = private_options().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(|e| unreadable(&lock_path, &e))?;
        match take_lock(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::Locked(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(unreadable(&lock_path, &e)),
        }
        // Another version may have written it between the first look and the lock.
        if check_format(path)?.is_none() {
            replace_file(&path.join("format"), format!("{FORMAT}\n").as_bytes()).map_err(|e| unreadable(path, &e))?;
        }
        make_private(path).map_err(|e| unreadable(path, &e))?;
        for dir in ["blobs", "incoming", "partial", "previews", "trees", "identities"] {
            let dir = path.join(dir);
            make_dir_all(&dir).map_err(|e| unreadable(&dir, &e))?;
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Lets another take the lock. Whoever has this must not use the folder any more.
    pub(super) fn unlock(&self) {
        if let Err(cause) = self.lock.unlock() {
            tracing::warn!(%cause, "the lock of the data folder goes with the process");
        }
    }

    /// True if a folder with a format is there, of whatever version.
    pub(crate) fn exists(path: &Path) -> bool {
        path.join("format").is_file()
    }

    /// True if another process holds the lock of the folder at `path`.
    pub(crate) fn is_locked(path: &Path) -> bool {
        let lock = File::open(path.join("lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("xom.redb")
    }

    /// The file of salts.
    pub(crate) fn salts(&self) -> PathBuf {
        self.path.join("salts")
    }

    /// The folder of blobs.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The folder of blobs that are on their way in.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.path.join("incoming")
    }

    /// The folder of blobs of which a part is here.
    pub(crate) fn partial(&self) -> PathBuf {
        self.path.join("partial")
    }

    /// The folder of small pictures of blobs.
    pub(crate) fn previews(&self) -> PathBuf {
        self.path.join("previews")
    }

    /// The folder of trees of large blobs.
    pub(crate) fn trees(&self) -> PathBuf {
        self.path.join("trees")
    }

    /// The folder with the keys of a local identity.
    pub(crate) fn identity(&self, username: &str) -> PathBuf {
        self.path.join("identities").join(username)
    }

    /// Bytes of all files in it.
    pub(crate) fn disk_bytes(&self) -> io::Result<u64> {
        disk_bytes(&self.path)
    }
}

/// The error for a file that can't be read, made or written.
pub(crate) fn unreadable(path: &Path, cause: &dyn std::fmt::Display) -> StartError {
    StartError::Unreadable { path: path.to_owned(), cause: cause.to_string() }
}

/// 32 bytes of entropy; fails where the system gives zeros (`ENC-13`).
pub(crate) fn entropy() -> Result<Zeroizing<[u8; 32]>, StartError> {
    checked_entropy(|bytes| getrandom::fill(bytes).map_err(|e| e.to_string()))
}

fn checked_entropy(fill: impl FnOnce(&mut [u8]) -> Result<(), String>) -> Result<Zeroizing<[u8; 32]>, StartError> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(bytes.as_mut_slice()).map_err(StartError::Entropy)?;
    if *bytes == [0; 32] {
        return Err(StartError::Entropy("nothing but zeros".into()));
    }
    Ok(bytes)
}

/// The text of a secret file; none where there is no file.
pub(crate) fn read_text(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    // Room from the start, so that no copy stays behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(SECRET_BYTES_MAX as usize));
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// The one line of a secret file; none where there is no file.
pub(crate) fn read_secret(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let line = text.trim();
    if line.is_empty() || line.contains('\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "expected one line"));
    }
    Ok(Some(Zeroizing::new(line.to_owned())))
}

/// Writes a new secret file of one line: mode 0600 from the start, never over another file.
pub(crate) fn write_secret(path: &Path, line: &str) -> io::Result<()> {
    let mut file = private_options().write(true).create_new(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    sync_parent(path)
}

/// Makes a folder, and those above it, that only the owner can enter.
pub(crate) fn make_dir_all(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_parent(path)
}

/// Options under which new files are the owner's alone.
pub(crate) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file under a temporary name, makes it durable and renames it into place.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut file = private_options().write(true).create(true).truncate(true).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

/// Makes the names in the folder around `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn take_lock(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_WAIT),
            taken => return taken,
        }
    }
    lock.try_lock()
}

/// The format of the folder; none where it is new. Fails for one that is newer or no data folder.
fn check_format(path: &Path) -> Result<Option<u64>, StartError> {
    let file = path.join("format");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return check_empty(path).map(|()| None),
        Err(e) => return Err(unreadable(&file, &e)),
    };
    let found: u64 = text.trim().parse().map_err(|_| unreadable(&file, &"is not a format number"))?;
    match found {
        OLDEST..=FORMAT => Ok(Some(found)),
        0 => Err(unreadable(&file, &"is not a format number")),
        1..OLDEST => Err(StartError::Older { path: path.to_owned(), found, known: OLDEST }),
        _ => Err(StartError::Newer { path: path.to_owned(), found, known: FORMAT }),
    }
}

fn check_empty(path: &Path) -> Result<(), StartError> {
    if path.join(super::restore::RESTORING).is_dir() {
        return Err(unreadable(path, &"a restore into it was cut short; run xom restore again to go on"));
    }
    let names = fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
    for name in names {
        let name = name.map_err(|e| unreadable(path, &e))?.file_name();
        if !BEFORE_FORMAT.iter().any(|known| name == *known) {
            return Err(unreadable(path, &"is not empty and not a data folder of xom"));
        }
    }
    Ok(())
}

fn make_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

fn disk_bytes(path: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for item in fs::read_dir(path)? {
        let item = item?;
        let kind = item.file_type()?;
        sum += if kind.is_dir() { disk_bytes(&item.path())? } else { item.metadata()?.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_and_opens_again_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let held = Folder::open(&path).unwrap();
        assert!(matches!(Folder::open(&path), Err(StartError::Locked(_))));
        drop(held);
        assert!(Folder::open(&path).is_ok());
    }

    #[test]
    fn a_newer_or_foreign_folder_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), "3\n").unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(StartError::Newer { found: 3, known: FORMAT, .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("letter.txt"), "dear").unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(StartError::Unreadable { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn r_sig_15_a_source_of_entropy_that_fails_or_gives_zeros_makes_no_key() {
        // ENC-13
        let failing = checked_entropy(|_| Err("no device".to_owned())).unwrap_err();
        assert_eq!(failing.to_string(), "no entropy from the system: no device");
        let zeros = checked_entropy(|_| Ok(())).unwrap_err();
        assert_eq!(zeros.to_string(), "no entropy from the system: nothing but zeros");
        assert_ne!(*entropy().unwrap(), *entropy().unwrap());
    }

    #[test]
    fn a_folder_of_format_1_is_refused_with_one_clear_sentence_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), "1\n").unwrap();
        fs::create_dir_all(dir.path().join("identities/lan")).unwrap();
        let refused = Folder::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("has format 1, this xom opens 2 and newer"), "{refused}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_the_owners_alone_and_stay_as_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let folder = Folder::open(&path).unwrap();
        write_secret(&folder.path().join("token"), "one").unwrap();
        assert!(write_secret(&folder.path().join("token"), "two").is_err());
        assert_eq!(read_secret(&path.join("token")).unwrap().unwrap().as_str(), "one");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("token")), 0o600);
    }
}
