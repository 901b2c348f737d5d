//! Writes an archive, member by member, in the order of chapter 07.

use std::io::{self, Read, Write};

use xom_protocol::body::Body;
use xom_protocol::entry::SaltedBody;
use xom_protocol::keys::Signature;
use xom_protocol::limits::SALT_BYTES;
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId, Network};

use super::car::{self, Codec};
use super::digests::{Digests, Sorted};
use super::evidence::Evidence;
use super::manifest::{About, LogLine, Manifest, Settings, json};
use super::tar::TarWriter;
use super::{ABOUT, IDENTITY, MANIFEST, PAGE, PageError, SETTINGS, blob_path, log_path, missing_path};
use crate::store::attachments;

/// Spaces, to fill up what has become shorter than it was to be.
const SPACES: [u8; 1_024] = [b' '; 1_024];

/// An archive that is being written.
pub(crate) struct ArchiveWriter<W> {
    tar: TarWriter<W>,
    manifest: Manifest,
    /// The blobs that the bodies name.
    named: Digests,
}

/// How many bytes the CAR of a log has; made before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogBytes(u64);

impl LogBytes {
    /// A log with this head, without entries.
    pub(crate) fn new(head: Digest) -> Self {
        Self(car::start(head).len() as u64)
    }

    /// Adds an entry.
    pub(crate) fn add(&mut self, header: usize, signed: bool, body: Option<usize>) {
        self.0 += car::section_bytes(header as u64);
        self.0 += if signed { car::seal_section_bytes() } else { 0 };
        self.0 += body.map_or(0, |body| car::section_bytes((SALT_BYTES + body) as u64));
    }
}

/// A body on its way into an archive.
pub(crate) enum BodyPart {
    /// None was held.
    None,
    /// Held.
    Held(SaltedBody),
    /// Of so many bytes, and purged while the archive was being written.
    Gone(usize),
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive (`ARC-3`).
    pub(crate) fn new(to: W, network: Network, did: Did) -> io::Result<Self> {
        let mut tar = TarWriter::new(to);
        tar.member(ABOUT, &json(&About::new(network, did)))?;
        Ok(Self { tar, manifest: Manifest::default(), named: Digests::default() })
    }

    /// The identity: its objects, each after what it stands on (`ARC-4`).
    pub(crate) fn identity(&mut self, objects: &[Vec<u8>]) -> io::Result<()> {
        let genesis = objects.first().map_or(Digest([0; 32]), |object| Digest::of(&[object]));
        let start = car::start(genesis);
        let sections: u64 = objects.iter().map(|object| car::section_bytes(object.len() as u64)).sum();
        self.tar.begin(IDENTITY, start.len() as u64 + sections)?;
        self.tar.write_all(&start)?;
        for object in objects {
            car::write_block(&mut self.tar, Codec::Object, object)?;
        }
        self.manifest.objects = objects.len() as u64;
        self.tar.end()
    }

    /// Begins a log (`ARC-5`).
    pub(crate) fn begin_log(
        &mut self,
        log: LogId,
        device: DeviceId,
        height: u64,
        head: Digest,
        bytes: LogBytes,
    ) -> io::Result<()> {
        self.tar.begin(&log_path(&log), bytes.0)?;
        self.manifest.logs.push(LogLine::new(log, device, height, head));
        self.tar.write_all(&car::start(head))
    }

    /// Adds an entry to the log.
    pub(crate) fn entry(
        &mut self,
        header: &[u8],
        signature: Option<Signature>,
        body: BodyPart,
        decoded: Option<&Body>,
    ) -> io::Result<()> {
        car::write_block(&mut self.tar, Codec::Object, header)?;
        if let Some(signature) = signature {
            car::write_seal(&mut self.tar, EntryId(Digest::of(&[header]).0), signature)?;
        }
        self.manifest.entries += 1;
        match body {
            BodyPart::None => {}
            BodyPart::Held(body) => {
                self.manifest.bodies += 1;
                car::write_block(&mut self.tar, Codec::Raw, &[body.salt.as_slice(), &body.bytes].concat())?;
            }
            BodyPart::Gone(bytes) => car::write_block(&mut self.tar, Codec::Raw, &vec![0; SALT_BYTES + bytes])?,
        }
        for attachment in decoded.map(attachments).unwrap_or_default() {
            self.named.insert(attachment.blob.0)?;
        }
        Ok(())
    }

    /// Ends the log.
    pub(crate) fn end_log(&mut self) -> io::Result<()> {
        self.tar.end()
    }

    /// Adds a member of blocks, gone through twice: its length stands before it. Without blocks there is no member
    /// (`ARC-19`, `ARC-20`).
    pub(crate) fn evidence(
        &mut self,
        of: Evidence,
        mut go_through: impl FnMut(&mut dyn FnMut(&[u8]) -> Result<(), PageError>) -> Result<(), PageError>,
    ) -> Result<(), PageError> {
        let (mut first, mut count, mut sections) = (None, 0, 0);
        go_through(&mut |block| {
            first.get_or_insert_with(|| Digest::of(&[block]));
            count += 1;
            sections += car::section_bytes(block.len() as u64);
            Ok(())
        })?;
        let Some(first) = first else { return Ok(()) };
        let start = car::start(first);
        self.tar.begin(of.member(), start.len() as u64 + sections)?;
        self.tar.write_all(&start)?;
        let tar = &mut self.tar;
        go_through(&mut |block| Ok(car::write_block(tar, Codec::Object, block)?))?;
        *of.count(&mut self.manifest) = count;
        Ok(self.tar.end()?)
    }

    /// The blobs that the bodies so far name, ascending; each is to be given next.
    pub(crate) fn named(&mut self) -> io::Result<NamedBlobs> {
        Ok(NamedBlobs(std::mem::take(&mut self.named).sorted()?))
    }

    /// Adds a blob of so many bytes, or says that it is missing (`ARC-6`).
    pub(crate) fn blob(&mut self, blob: &BlobId, file: Option<(u64, impl Read)>) -> io::Result<()> {
        let Some((bytes, file)) = file else {
            self.manifest.missing += 1;
            return self.tar.member(&missing_path(blob), &[]);
        };
        self.tar.begin(&blob_path(blob), bytes)?;
        io::copy(&mut file.take(bytes), &mut self.tar)?;
        self.manifest.blobs += 1;
        self.manifest.blob_bytes += bytes;
        self.tar.end()
    }

    /// Adds what no log says (`ARC-7`).
    pub(crate) fn settings(&mut self, settings: &Settings) -> io::Result<()> {
        self.tar.member(SETTINGS, &json(settings))
    }

    /// Begins the page of so many bytes (`ARC-8`).
    pub(crate) fn begin_page(&mut self, bytes: u64) -> io::Result<&mut impl Write> {
        self.tar.begin(PAGE, bytes)?;
        Ok(&mut self.tar)
    }

    /// Ends the page; what it has become shorter is filled with spaces.
    pub(crate) fn end_page(&mut self) -> io::Result<()> {
        while self.tar.left() > 0 {
            let some = usize::try_from(self.tar.left()).unwrap_or(usize::MAX).min(SPACES.len());
            self.tar.write_all(&SPACES[..some])?;
        }
        self.tar.end()
    }

    /// Ends the archive with its manifest (`ARC-9`). Answers its length, bytes.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.manifest.digest = self.tar.digest().to_string();
        self.tar.member(MANIFEST, &json(&self.manifest))?;
        self.tar.finish()
    }
}

/// Blobs that are named, ascending.
pub(crate) struct NamedBlobs(Sorted);

impl NamedBlobs {
    /// The next one.
    pub(crate) fn next(&mut self) -> io::Result<Option<BlobId>> {
        Ok(self.0.next()?.map(BlobId))
    }
}
