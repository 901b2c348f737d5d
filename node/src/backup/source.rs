//! Reading a backup back, from a folder or from one file, and looking for damage without the words.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::dir::{BackupDir, file_path, read_names, root_path, roots};
use super::frames::{MAGIC, is_root, read_head, read_magic};
use super::seal::checked;
use super::{BackupError, Name};
use crate::model::VerifyReport;

/// Longest sealed file that is read, bytes.
const SEALED_BYTES_MAX: u64 = 64 << 20;
/// Faults after which a backup is not looked at further.
const FAULTS_MAX: usize = 100;

/// Where sealed files are read from.
pub(super) enum Source {
    /// A folder.
    Dir(PathBuf),
    /// One file: where each sealed file lies in it, and where the root.
    File { file: File, places: BTreeMap<Name, (u64, usize)>, root: (u64, usize) },
}

impl Source {
    /// Opens a backup.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        if BackupDir::is(path) {
            return Ok(Self::Dir(path.to_owned()));
        }
        if path.is_dir() {
            return Err(BackupError::Damaged(format!("{} is no backup of xom (ARC-15)", path.display())));
        }
        let file = File::open(path).map_err(BackupError::file(path))?;
        index(file).map_err(|e| BackupError::Damaged(format!("{}: {e}", path.display())))
    }

    /// The sealed roots, newest first.
    pub(super) fn roots(&mut self) -> Result<Vec<Vec<u8>>, BackupError> {
        match self {
            Self::Dir(path) => {
                let numbers = roots(path)?;
                numbers.iter().rev().map(|number| read_whole(&root_path(path, *number))).collect()
            }
            Self::File { file, root, .. } => Ok(vec![read_at(file, *root)?]),
        }
    }

    /// A sealed file; none where it is not there.
    pub(super) fn read(&mut self, name: &Name) -> Result<Option<Vec<u8>>, BackupError> {
        match self {
            Self::Dir(path) => {
                let path = file_path(path, name);
                if path.is_file() { read_whole(&path).map(Some) } else { Ok(None) }
            }
            Self::File { file, places, .. } => {
                places.get(name).map(|place| read_at(file, *place)).transpose().map_err(Into::into)
            }
        }
    }
}

/// True for what [`crate::backup::restore()`] can read, as far as its beginning tells.
pub fn is_backup(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    let begins = |mut file: File| file.read_exact(&mut magic).is_ok() && magic == MAGIC;
    BackupDir::is(path) || (path.is_file() && File::open(path).is_ok_and(begins))
}

/// Looks for damage in a backup, without the words: whether each file is there and as it was written. What is in
/// them shows only in a restore.
pub fn check_backup(path: &Path) -> Result<VerifyReport, BackupError> {
    let mut report = VerifyReport::default();
    let mut source = Source::open(path)?;
    let mut fault = |fault: String| {
        if report.faults.len() < FAULTS_MAX {
            report.faults.push(fault);
        }
    };
    let mut names = std::collections::BTreeSet::new();
    match &source {
        Source::Dir(path) => {
            let all = roots(path)?;
            if all.is_empty() {
                fault("holds no backup yet (ARC-15)".into());
            }
            for number in all {
                match read_names(path, number) {
                    Ok(list) => names.extend(list),
                    Err(e) => fault(e.to_string()),
                }
            }
        }
        Source::File { places, .. } => names.extend(places.keys().copied()),
    }
    for root in source.roots()? {
        if checked(&root).is_none() {
            fault("a root is damaged (ARC-12)".into());
        }
    }
    for name in names {
        match source.read(&name)? {
            Some(sealed) if checked(&sealed).is_some() => {}
            Some(_) => fault(format!("file {name} is damaged (ARC-12)")),
            None => fault(format!("file {name} is missing (ARC-15)")),
        }
    }
    Ok(report)
}

/// Finds everything in a backup of one file.
fn index(file: File) -> io::Result<Source> {
    let mut reader = BufReader::new(&file);
    read_magic(&mut reader)?;
    let mut places = BTreeMap::new();
    loop {
        let cut = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("the file is cut short (ARC-15)"),
            _ => e,
        };
        let (kind, name, length) = read_head(&mut reader).map_err(cut)?;
        let at = reader.stream_position()?;
        let end = reader.seek(SeekFrom::Current(length as i64))?;
        if is_root(kind) {
            let whole = file.metadata()?.len() == end;
            let root = (at, length);
            drop(reader);
            return if whole {
                Ok(Source::File { file, places, root })
            } else {
                Err(io::Error::other("the file is cut short or goes on after its end (ARC-15)"))
            };
        }
        places.insert(name, (at, length));
    }
}

fn read_at(file: &mut File, (at, length): (u64, usize)) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_whole(path: &Path) -> Result<Vec<u8>, BackupError> {
    let length = fs::metadata(path).map_err(BackupError::file(path))?.len();
    if length > SEALED_BYTES_MAX {
        return Err(BackupError::Damaged(format!("{} has {length} bytes (ARC-12)", path.display())));
    }
    fs::read(path).map_err(BackupError::file(path))
}
