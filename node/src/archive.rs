//! Archives: everything that a person owns in one file, the form of chapter 07. Written and checked as a
//! stream, with a few MiB of memory whatever the size; holds no secret key.

mod car;
mod check;
mod digests;
mod evidence;
mod manifest;
mod take;
mod tar;
mod writer;

use std::io::{self, Read, Write};

use xom_protocol::{BlobId, Did, LogId};

use crate::error::StoreError;
use crate::model::VerifyReport;
use crate::reader::Reader;

pub use take::take_over;

pub(crate) use check::{NoTaker, check};
pub(crate) use evidence::{CopyNote, Evidence};
pub(crate) use manifest::Settings;
pub(crate) use writer::{ArchiveWriter, BodyPart, LogBytes};

/// The version of the form (`ARC-3`).
pub(crate) const VERSION: u64 = 1;
/// The first member (`ARC-3`).
pub(crate) const ABOUT: &str = "archive.json";
/// The member with the identity (`ARC-4`).
pub(crate) const IDENTITY: &str = "identity.car";
/// The member with proofs that devices signed two entries for one place (`ARC-19`).
pub(crate) const FORKS: &str = "forks.car";
/// The member with proofs against checkpoints (`ARC-19`).
pub(crate) const FAULTS: &str = "faults.car";
/// The member with what became of copies of erased entries (`ARC-20`).
pub(crate) const RECEIPTS: &str = "receipts.car";
/// The member with what no log says (`ARC-7`).
pub(crate) const SETTINGS: &str = "settings.json";
/// The member for people (`ARC-8`).
pub(crate) const PAGE: &str = "index.html";
/// The last member (`ARC-9`).
pub(crate) const MANIFEST: &str = "manifest.json";
/// Longest JSON member but the manifest, bytes (`ARC-10`).
pub(crate) const JSON_BYTES_MAX: u64 = 1 << 20;
/// Most bytes of `settings.json`: as many private settings as there may be, of full length and escaped (`ARC-7`).
pub(crate) const SETTINGS_BYTES_MAX: u64 = 64 << 20;
/// Longest manifest, bytes (`ARC-10`).
pub(crate) const MANIFEST_BYTES_MAX: u64 = 32 << 20;
/// Faults after which an archive is not looked at further.
pub(crate) const FAULTS_MAX: usize = 100;

/// Writes the page of an archive that people read (`ARC-8`). The node knows no HTML: its clients do.
pub trait Page: Send + Sync {
    /// Writes the page of an identity. The same snapshot gives the same bytes, or fewer where a body was purged
    /// since; `blob` names the file of a blob beside the page.
    fn write(&self, reader: &Reader, identity: Did, to: &mut dyn Write) -> Result<(), PageError>;
}

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// What it is about could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Where it goes takes no more.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Where a page finds the file of a blob (`ARC-6`).
pub fn blob_path(blob: &BlobId) -> String {
    format!("blobs/{blob}")
}

/// The member that says that a blob is not held (`ARC-6`).
pub(crate) fn missing_path(blob: &BlobId) -> String {
    format!("missing/{blob}")
}

/// The member with a log (`ARC-5`).
pub(crate) fn log_path(log: &LogId) -> String {
    format!("logs/{log}.car")
}

/// Checks an archive by chapter 07 and by what is in it alone: objects, chains, signatures, commitments, blobs.
/// Reads it once, from the start to the end.
pub fn verify_archive(file: impl Read) -> VerifyReport {
    check(file, &mut NoTaker)
}
