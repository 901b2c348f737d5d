//! A backup in a folder (`ARC-15`): sealed files that are written once, and for each backup a root and the
//! list of the files that it needs. Needs no secret.
//!
//! Files come first, their list next, the root last; each durably, under a temporary name until it is whole. So
//! whatever ends a run, the backups before it stay as they are.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::frames::{Frame, read_frame, read_magic};
use super::{BackupError, Name, Written};
use crate::store::folder::{make_dir_all, private_options, replace_file};

/// Tells that a folder is a backup.
const MARK: &str = "xom-backup";
/// What the mark says.
const MARK_TEXT: &str = "xom backup 1\n";
/// Sealed files, in folders by the first two digits of their names.
const FILES: &str = "files";
/// Roots by number, each with its list of names.
const ROOTS: &str = "roots";
/// The end of the name of a list.
const NAMES: &str = ".names";
/// The end of the name of what is not whole yet.
const NEW: &str = ".new";
/// Bytes of a list's checksum.
const CHECK_BYTES: usize = 32;

/// A folder with backups, held alone.
pub struct BackupDir {
    path: PathBuf,
    _lock: File,
}

/// What pruning took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups.
    pub backups: u64,
    /// Files.
    pub files: u64,
}

impl BackupDir {
    /// Opens a folder with backups, or makes one where there is nothing.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        make_dir_all(path).map_err(BackupError::file(path))?;
        let mark = path.join(MARK);
        let is_empty = fs::read_dir(path).map_err(BackupError::file(path))?.next().is_none();
        if !mark.is_file() && !is_empty {
            return Err(BackupError::NotEmpty(path.to_owned()));
        }
        let lock_path = path.join("lock");
        if is_empty {
            replace_file(&mark, MARK_TEXT.as_bytes()).map_err(BackupError::file(&mark))?;
        }
        let lock = private_options().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(BackupError::file(&lock_path))?;
        lock.try_lock().map_err(|_| BackupError::InUse(path.to_owned()))?;
        for folder in [FILES, ROOTS] {
            make_dir_all(&path.join(folder)).map_err(BackupError::file(path))?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// True for a folder with backups.
    pub(super) fn is(path: &Path) -> bool {
        path.join(MARK).is_file()
    }

    /// The names of all whole files, one after the other: what a node need not send again.
    pub fn known(&self) -> Result<Vec<u8>, BackupError> {
        Ok(all_names(&self.path)?.into_iter().flat_map(|name| name.0).collect())
    }

    /// Takes in the stream of a backup. Answers how many files it named, and how many of them were new.
    pub fn take(&self, from: &mut impl Read) -> Result<Written, BackupError> {
        read_magic(from)?;
        let mut names = BTreeSet::new();
        let mut written = Written::default();
        loop {
            match read_frame(from)? {
                Frame::Kept(name) if file_path(&self.path, &name).is_file() => names.insert(name),
                Frame::Kept(name) => {
                    return Err(BackupError::Damaged(format!(
                        "file {name} went away while the backup was made (ARC-15)"
                    )));
                }
                Frame::File(name, bytes) => {
                    let path = file_path(&self.path, &name);
                    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
                        make_dir_all(folder).map_err(BackupError::file(folder))?;
                    }
                    replace_file(&path, &bytes).map_err(BackupError::file(&path))?;
                    written.new_files += 1;
                    written.new_bytes += bytes.len() as u64;
                    names.insert(name)
                }
                Frame::Root(sealed) => {
                    written.files = names.len() as u64;
                    written.new_bytes += sealed.len() as u64;
                    self.keep(&names, &sealed)?;
                    return Ok(written);
                }
            };
        }
    }

    fn keep(&self, names: &BTreeSet<Name>, sealed: &[u8]) -> Result<(), BackupError> {
        let number = roots(&self.path)?.last().map_or(1, |last| last + 1);
        let mut list: Vec<u8> = names.iter().flat_map(|name| name.0).collect();
        let check = blake3::hash(&list);
        list.extend_from_slice(check.as_bytes());
        let root = root_path(&self.path, number);
        let list_path = names_path(&self.path, number);
        replace_file(&list_path, &list).map_err(BackupError::file(&list_path))?;
        replace_file(&root, sealed).map_err(BackupError::file(&root))
    }

    /// Lets all but the newest `keep` backups go, and every file that none of those needs (`ARC-16`). Takes
    /// nothing away where it can't tell what is needed.
    pub fn prune(&self, keep: usize) -> Result<Pruned, BackupError> {
        let all = roots(&self.path)?;
        let (old, kept) = all.split_at(all.len().saturating_sub(keep.max(1)));
        let mut needed = BTreeSet::new();
        for number in kept {
            needed.extend(read_names(&self.path, *number)?);
        }
        let mut pruned = Pruned { backups: old.len() as u64, files: 0 };
        for number in old {
            // The root first: what has lost files must not look like a backup.
            remove(&root_path(&self.path, *number))?;
            remove(&names_path(&self.path, *number))?;
        }
        for name in all_names(&self.path)?.difference(&needed) {
            remove(&file_path(&self.path, name))?;
            pruned.files += 1;
        }
        for folder in folders(&self.path)? {
            for item in items(&folder)?.iter().filter(|item| item.to_string_lossy().ends_with(NEW)) {
                remove(item)?;
            }
        }
        Ok(pruned)
    }
}

/// The numbers of the roots, ascending.
pub(super) fn roots(path: &Path) -> Result<Vec<u64>, BackupError> {
    let names = items(&path.join(ROOTS))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|item| item.file_name()?.to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The file of a root.
pub(super) fn root_path(path: &Path, number: u64) -> PathBuf {
    path.join(ROOTS).join(format!("{number:010}"))
}

/// The file with this name.
pub(super) fn file_path(path: &Path, name: &Name) -> PathBuf {
    let name = name.to_string();
    path.join(FILES).join(&name[..2]).join(name)
}

/// The names that a backup needs.
pub(super) fn read_names(path: &Path, number: u64) -> Result<BTreeSet<Name>, BackupError> {
    let list_path = names_path(path, number);
    let list = fs::read(&list_path).map_err(BackupError::file(&list_path))?;
    let parts = list.len().checked_sub(CHECK_BYTES).map(|at| list.split_at(at));
    let names = parts.filter(|(list, check)| blake3::hash(list).as_bytes() == check);
    let names = names.and_then(|(list, _)| super::known_names(list));
    names.ok_or_else(|| BackupError::Damaged(format!("{}: damaged (ARC-15)", list_path.display())))
}

fn names_path(path: &Path, number: u64) -> PathBuf {
    path.join(ROOTS).join(format!("{number:010}{NAMES}"))
}

fn all_names(path: &Path) -> Result<BTreeSet<Name>, BackupError> {
    let mut names = BTreeSet::new();
    for folder in folders(path)? {
        for item in items(&folder)? {
            let digits = item.file_name().and_then(|name| data_encoding::HEXLOWER.decode(name.as_encoded_bytes()).ok());
            names.extend(digits.and_then(|digits| <[u8; 16]>::try_from(digits).ok()).map(Name));
        }
    }
    Ok(names)
}

/// The folders that files lie in.
fn folders(path: &Path) -> Result<Vec<PathBuf>, BackupError> {
    Ok(items(&path.join(FILES))?.into_iter().filter(|item| item.is_dir()).chain([path.join(ROOTS)]).collect())
}

fn items(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let items = fs::read_dir(folder).and_then(|items| items.map(|item| Ok(item?.path())).collect::<io::Result<_>>());
    items.map_err(BackupError::file(folder))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(BackupError::file(path)(e)),
        _ => Ok(()),
    }
}
