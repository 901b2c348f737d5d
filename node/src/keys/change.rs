//! Changing several files of a folder of keys as one (`REST-4`): whenever the process ends, the folder
//! holds all of the old or all of the new, once [`finish`] has looked at it.
//!
//! Every new file is written beside the old one, then a list of what is to be done; with the list the
//! change is made. What is erased is overwritten first, as far as the file system lets that reach the disk.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::store::folder::{private_options, replace_file, sync_parent};

/// The list of what is to be done.
const LIST: &str = "change";
/// What the name of a new file ends with until the list is written.
const NEXT: &str = ".next";
/// The only files that a change may touch, in the order in which they are erased: the phrase last, because
/// all others can be made from it.
pub(crate) const FILES: [&str; 6] =
    ["control.key", "control.sealed", "device.key", "device.sealed", "postponed", "phrase"];

/// Told after each step; a test fails there to cut the change short.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(&'static str) -> io::Result<()>;

/// What becomes of the files.
#[derive(Default)]
pub(crate) struct Change {
    puts: Vec<(&'static str, Zeroizing<Vec<u8>>)>,
    erases: Vec<&'static str>,
}

impl Change {
    /// Writes a file, or replaces it.
    pub(crate) fn put(mut self, name: &'static str, bytes: Zeroizing<Vec<u8>>) -> Self {
        self.puts.push((name, bytes));
        self
    }

    /// Erases a file, if it is there.
    pub(crate) fn erase(mut self, name: &'static str) -> Self {
        self.erases.push(name);
        self
    }

    /// Carries the change out; durable when it answers.
    pub(crate) fn carry_out(self, dir: &Path) -> io::Result<()> {
        self.carry_out_watched(dir, &mut |_| Ok(()))
    }

    /// The same, told step by step.
    pub(crate) fn carry_out_watched(self, dir: &Path, watch: Watch<'_>) -> io::Result<()> {
        finish_watched(dir, watch)?;
        let mut list = String::new();
        for (name, bytes) in &self.puts {
            write_new(&next(dir, name), bytes, watch)?;
            list.push_str(&format!("put {name}\n"));
        }
        for name in FILES.iter().filter(|name| self.erases.contains(name)) {
            list.push_str(&format!("erase {name}\n"));
        }
        sync_parent(&dir.join(LIST))?;
        watch("the new files are durable")?;
        replace_file(&dir.join(LIST), list.as_bytes())?;
        watch("the list is durable")?;
        finish_watched(dir, watch)
    }
}

/// Ends a change that was cut short: goes through with one whose list is there, forgets any other.
pub(crate) fn finish(dir: &Path) -> io::Result<()> {
    finish_watched(dir, &mut |_| Ok(()))
}

fn finish_watched(dir: &Path, watch: Watch<'_>) -> io::Result<()> {
    let list = match fs::read_to_string(dir.join(LIST)) {
        Ok(list) => list,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return forget(dir, watch),
        Err(e) => return Err(e),
    };
    for line in list.lines() {
        let (what, name) = line.split_once(' ').and_then(|(what, name)| Some((what, known(name)?))).ok_or_else(bad)?;
        match what {
            "put" => put(dir, name)?,
            "erase" => erase(&dir.join(name), watch)?,
            _ => return Err(bad()),
        }
        watch("a line of the list is done")?;
    }
    fs::remove_file(dir.join(LIST))?;
    watch("the list is removed")?;
    sync_parent(&dir.join(LIST))
}

/// Erases what was written for a change that was never made.
fn forget(dir: &Path, watch: Watch<'_>) -> io::Result<()> {
    for name in FILES {
        erase(&next(dir, name), watch)?;
    }
    match fs::remove_file(dir.join(LIST).with_extension("new")) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn put(dir: &Path, name: &str) -> io::Result<()> {
    match fs::rename(next(dir, name), dir.join(name)) {
        // An earlier attempt has come this far.
        Err(e) if e.kind() == io::ErrorKind::NotFound && dir.join(name).exists() => Ok(()),
        renamed => renamed,
    }?;
    sync_parent(&dir.join(name))
}

/// Overwrites a file's bytes, durably, and removes it. Nothing to do where there is none.
fn erase(path: &Path, watch: Watch<'_>) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(1 << 16);
    file.write_all(&vec![0; length])?;
    watch("a file is overwritten")?;
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    watch("a file is removed")?;
    sync_parent(path)
}

fn write_new(path: &Path, bytes: &[u8], watch: Watch<'_>) -> io::Result<()> {
    let mut file = private_options().write(true).create(true).truncate(true).open(path)?;
    watch("a new file is made")?;
    file.write_all(bytes)?;
    watch("a new file is written")?;
    file.sync_all()
}

fn next(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{NEXT}"))
}

fn known(name: &str) -> Option<&'static str> {
    FILES.into_iter().find(|file| *file == name)
}

fn bad() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the list of a change of keys can't be read")
}

#[cfg(test)]
mod tests;
