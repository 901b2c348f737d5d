//! Checks an archive member by member, by chapter 07 and by nothing but the file; and hands on what it has
//! checked, so that an archive is taken over by the same reading.

use std::collections::BTreeSet;
use std::io::{self, Read};

use xom_protocol::body::Body;
use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::identity::{DeviceStatus, IdentityRecord, SignedObject};
use xom_protocol::limits::{BLOB_BYTES_MAX, IDENTITY_BYTES_MAX, LOGS_PER_DEVICE_MAX};
use xom_protocol::log::{FaultProof, ForkProof, Position, log_id, verify_run_to};
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId, Network};

use super::car::{self, Codec};
use super::digests::{Digests, Sorted};
use super::evidence::CopyNote;
use super::manifest::{About, LogLine, Manifest, Settings, json};
use super::tar::{Next, TarReader, invalid};
use super::{
    ABOUT, FAULTS_MAX, IDENTITY, JSON_BYTES_MAX, MANIFEST, MANIFEST_BYTES_MAX, PAGE, SETTINGS, SETTINGS_BYTES_MAX,
    VERSION,
};
use crate::model::{LogView, VerifyReport};
use crate::store::{NewRun, attachments};

/// Bytes of entries from which on the next signature ends what is verified at a time (`ARC-10`).
const CHUNK_BYTES: usize = 2 << 20;
/// Entries verified at a time.
const CHUNK: usize = 512;

/// Takes what has been checked.
pub(crate) trait Taker {
    /// The identity.
    fn identity(&mut self, did: Did, objects: &[Vec<u8>]) -> io::Result<()>;
    /// Entries of a log, on top of those before them.
    fn run(&mut self, run: NewRun) -> io::Result<()>;
    /// A device signed two entries for one place.
    fn fork(&mut self, proof: ForkProof) -> io::Result<()>;
    /// A checkpoint is void.
    fn fault(&mut self, proof: FaultProof) -> io::Result<()>;
    /// What became of a copy of an erased entry.
    fn copy(&mut self, did: Did, copy: CopyNote) -> io::Result<()>;
    /// A blob; whether it hashes to its name shows when it has been read.
    fn blob(&mut self, blob: BlobId, from: &mut dyn Read) -> io::Result<()>;
    /// What no log says.
    fn settings(&mut self, did: Did, settings: Settings) -> io::Result<()>;
}

/// Takes nothing.
pub(crate) struct NoTaker;

impl Taker for NoTaker {
    fn identity(&mut self, _did: Did, _objects: &[Vec<u8>]) -> io::Result<()> {
        Ok(())
    }

    fn run(&mut self, _run: NewRun) -> io::Result<()> {
        Ok(())
    }

    fn blob(&mut self, _blob: BlobId, _from: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }

    fn fork(&mut self, _proof: ForkProof) -> io::Result<()> {
        Ok(())
    }

    fn fault(&mut self, _proof: FaultProof) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, _did: Did, _copy: CopyNote) -> io::Result<()> {
        Ok(())
    }

    fn settings(&mut self, _did: Did, _settings: Settings) -> io::Result<()> {
        Ok(())
    }
}

/// Reads an archive to its end, or to where it can't be read any more.
pub(crate) fn check(file: impl Read, taker: &mut dyn Taker) -> VerifyReport {
    let mut check = Check { report: VerifyReport::default(), found: Manifest::default(), taker };
    if let Err(e) = check.archive(TarReader::new(file)) {
        check.fault(e.to_string());
    }
    check.report
}

/// Whose archive it is, and of which network, by its first member.
pub(super) fn whose(file: impl Read) -> io::Result<(Network, Did)> {
    let mut tar = TarReader::new(file);
    expect(&mut tar, ABOUT)?;
    about(&mut tar)
}

/// The state of a check.
pub(super) struct Check<'t> {
    pub(super) report: VerifyReport,
    /// What the manifest should say.
    pub(super) found: Manifest,
    pub(super) taker: &'t mut dyn Taker,
}

/// Of whom all that follows must be.
pub(super) struct Owner {
    pub(super) network: Network,
    pub(super) did: Did,
    pub(super) record: IdentityRecord,
    /// The logs that root logs have opened so far.
    opened: BTreeSet<(DeviceId, LogId)>,
    /// The blobs that bodies name.
    named: Digests,
}

impl Owner {
    /// True if the device has this log: its root log, or one that it opened (`LOG-1`).
    pub(super) fn has_log(&self, device: &DeviceId, log: &LogId) -> bool {
        self.record.state().root_log(device) == *log || self.opened.contains(&(*device, *log))
    }

    /// The first entry of a log of so many that is void, since its device ended (`ID-7`, `ARC-21`).
    fn first_void(&self, device: &DeviceId, log: &LogId, height: u64) -> Option<u64> {
        let end = match &self.record.state().devices.get(device)?.status {
            DeviceStatus::Live => return None,
            DeviceStatus::Ended { accepted } => accepted.get(log).map_or(0, |head| head.height),
        };
        (end < height).then_some(end)
    }

    /// The head up to which a log of a device that has ended counts.
    fn accepted(&self, device: &DeviceId, log: LogId) -> Option<Digest> {
        match self.record.state().devices.get(device).map(|device| &device.status) {
            Some(DeviceStatus::Ended { accepted }) => accepted.get(&log).map(|head| head.head),
            Some(DeviceStatus::Live) | None => None,
        }
    }
}

/// The log that is being read.
struct OpenLog {
    log: LogId,
    device: DeviceId,
    position: Position,
    waiting: Vec<SignedEntry>,
    waiting_bytes: usize,
}

impl Check<'_> {
    fn fault(&mut self, fault: String) {
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(fault);
        }
    }

    /// The members in their order (`ARC-2`).
    fn archive(&mut self, mut tar: TarReader<impl Read>) -> io::Result<()> {
        expect(&mut tar, ABOUT)?;
        let (network, did) = about(&mut tar)?;
        expect(&mut tar, IDENTITY)?;
        let record = self.identity(&mut tar, network, did)?;
        let mut owner = Owner { network, did, record, opened: BTreeSet::new(), named: Digests::default() };
        let mut member = tar.next()?;
        let mut last = None;
        while let Some(log) = named(&member, "logs/").and_then(|name| name.strip_suffix(".car")?.parse().ok()) {
            let place = self.log(&mut tar, &mut owner, log)?;
            if last.is_some_and(|last| last >= place) {
                self.fault(format!("log {log} is not in its place: root logs first, each by its id (ARC-2)"));
            }
            last = Some(place);
            member = tar.next()?;
        }
        member = self.evidence(&mut tar, &owner, member)?;
        member = self.blobs(&mut tar, owner.named.sorted()?, member)?;
        is_named(&member, SETTINGS)?;
        let settings = serde_json::from_slice(&read_member(&mut tar, SETTINGS_BYTES_MAX)?);
        let settings: Settings = settings.map_err(|e| invalid(format!("{SETTINGS}: {e} (ARC-7)")))?;
        if settings.settings().is_none() {
            return Err(invalid(format!("{SETTINGS}: a private setting is out of its bounds (ARC-7)")));
        }
        self.taker.settings(did, settings)?;
        expect(&mut tar, PAGE)?;
        expect(&mut tar, MANIFEST)?;
        self.manifest(&mut tar)?;
        match tar.next()? {
            Next::End => Ok(()),
            Next::Member { name, .. } => Err(misplaced(&name)),
        }
    }

    fn identity(&mut self, car: &mut impl Read, network: Network, did: Did) -> io::Result<IdentityRecord> {
        let at = |e: io::Error| invalid(format!("{IDENTITY}: {e} (ARC-4)"));
        let root = car::read_start(car).map_err(at)?;
        let (mut objects, mut decoded, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(block) = car::read_block(car).map_err(at)? {
            bytes += block.bytes.len();
            if block.codec != Codec::Object || (objects.is_empty() && block.digest != root) {
                return Err(at(invalid("does not begin with its root, or holds something else than objects")));
            }
            if bytes > IDENTITY_BYTES_MAX {
                return Err(invalid(format!("{IDENTITY}: more than {IDENTITY_BYTES_MAX} bytes (ARC-10)")));
            }
            let object = SignedObject::decode(&block.bytes);
            decoded.push(object.map_err(|e| invalid(format!("identity object: {e} ({})", e.rule())))?);
            objects.push(block.bytes);
        }
        self.found.objects = objects.len() as u64;
        let record = IdentityRecord::from_objects(network, decoded);
        let record = record.map_err(|e| invalid(format!("identity: {e} ({})", e.rule())))?;
        if record.did() != did {
            return Err(invalid(format!("the objects are of {}, not of {did} (ID-1)", record.did())));
        }
        self.taker.identity(did, &objects)?;
        Ok(record)
    }

    /// Reads a log. Answers its place in the order: whether it is a root log, and its id.
    fn log(&mut self, car: &mut impl Read, owner: &mut Owner, log: LogId) -> io::Result<(bool, LogId)> {
        let at = |e: io::Error| invalid(format!("log {log}: {e} (ARC-5)"));
        let root = car::read_start(car).map_err(at)?;
        let mut open: Option<OpenLog> = None;
        let mut entry: Option<SignedEntry> = None;
        while let Some(block) = car::read_block(car).map_err(at)? {
            let id = EntryId(block.digest.0);
            match (block.codec, &mut entry) {
                (Codec::Object, Some(last)) if car::read_seal(&block).is_some() => {
                    let seal = car::read_seal(&block).filter(|(of, _)| of.0 == Header::hash(&last.header).0);
                    let fits = last.signature.is_none() && last.body.is_none();
                    let (_, signature) =
                        seal.filter(|_| fits).ok_or_else(|| at(invalid("a signature that is not after its header")))?;
                    last.signature = Some(signature);
                }
                (Codec::Raw, Some(last)) if last.body.is_none() => {
                    last.body = car::read_body(block).map_err(at)?;
                    // Neither a signature nor another body may follow.
                    let whole = entry.take();
                    self.take_entry(owner, &mut open, log, whole)?;
                }
                (Codec::Object, _) => {
                    let before = entry.replace(SignedEntry { header: block.bytes, signature: None, body: None });
                    self.take_entry(owner, &mut open, log, before)?;
                }
                (Codec::Raw, _) => return Err(at(invalid(format!("block {id} belongs to no header")))),
            }
        }
        self.take_entry(owner, &mut open, log, entry)?;
        let mut open = open.ok_or_else(|| at(invalid("holds no entry")))?;
        self.verify_waiting(owner, &mut open)?;
        let OpenLog { device, position, .. } = open;
        if position.head != Some(root) {
            self.fault(format!("log {log}: its root is not its last entry (ARC-5)"));
        }
        let is_root = owner.record.state().root_log(&device) == log;
        if !owner.has_log(&device, &log) {
            self.fault(format!("log {log} is neither a root log nor opened in one (LOG-1)"));
        }
        self.found.logs.push(LogLine::new(log, device, position.height, position.head.unwrap_or(root)));
        let Position { height, head } = position;
        let void_from = owner.first_void(&device, &log, height);
        self.report.logs.push(LogView { did: owner.did, device, log, height, head, disputed: false, void_from });
        Ok((!is_root, log))
    }

    fn take_entry(
        &mut self,
        owner: &mut Owner,
        open: &mut Option<OpenLog>,
        log: LogId,
        entry: Option<SignedEntry>,
    ) -> io::Result<()> {
        let Some(entry) = entry else { return Ok(()) };
        self.found.entries += 1;
        self.found.bodies += u64::from(entry.body.is_some());
        let open = match open {
            Some(open) => open,
            None => {
                let header = Header::decode(&entry.header);
                let device = header.map_err(|e| invalid(format!("log {log}: {e} ({})", e.rule())))?.device;
                open.insert(OpenLog { log, device, position: Position::EMPTY, waiting: Vec::new(), waiting_bytes: 0 })
            }
        };
        open.waiting_bytes += entry.header.len() + entry.body.as_ref().map_or(0, |body| body.bytes.len());
        let signed = entry.signature.is_some();
        open.waiting.push(entry);
        let full = open.waiting.len() >= CHUNK || open.waiting_bytes >= CHUNK_BYTES;
        // A chain without signatures breaks LOG-9 soon enough.
        if full && (signed || open.waiting.len() >= 2 * CHUNK || open.waiting_bytes >= 8 * CHUNK_BYTES) {
            self.verify_waiting(owner, open)?;
        }
        Ok(())
    }

    fn verify_waiting(&mut self, owner: &mut Owner, open: &mut OpenLog) -> io::Result<()> {
        let waiting = std::mem::take(&mut open.waiting);
        open.waiting_bytes = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        let (log, device) = (open.log, open.device);
        let Some(key) = owner.record.state().devices.get(&device).map(|device| device.key) else {
            return Err(invalid(format!("log {log} is of no device of the identity (LOG-7)")));
        };
        let run =
            verify_run_to(owner.network, &key, owner.did, log, open.position, waiting, owner.accepted(&device, log));
        open.position = run.position(open.position);
        for seq in &run.body_mismatches {
            self.fault(format!("log {log} at {seq}: body does not match (LOG-6)"));
        }
        self.report.entries += run.accepted.len() as u64;
        for entry in &run.accepted {
            let Some(body) = entry.body() else { continue };
            self.report.bodies += 1;
            match Body::decode(&entry.header().kind, &body.bytes) {
                Ok(Body::LogOpen(opening)) if log == owner.record.state().root_log(&device) => {
                    let opened = log_id(owner.network, &owner.did, &device, &opening.purpose, &opening.purpose_id);
                    let first = (device, LogId([0; 32]))..=(device, LogId([0xff; 32]));
                    if owner.opened.range(first).count() < LOGS_PER_DEVICE_MAX - 1 {
                        owner.opened.insert((device, opened));
                    }
                }
                Ok(body) => attachments(&body).iter().try_for_each(|named| owner.named.insert(named.blob.0))?,
                // Opaque: it names nothing that a reader of this version knows.
                Err(_) => {}
            }
        }
        if let Some(refusal) = &run.refused {
            return Err(invalid(format!("log {log}: {refusal} ({})", refusal.rule())));
        }
        self.taker.run(NewRun { log, author: owner.did, device, entries: run.accepted, live: false })
    }

    /// Blobs and the places of missing ones, from `member` on; answers the first member after them.
    fn blobs(&mut self, tar: &mut TarReader<impl Read>, mut wanted: Sorted, member: Next) -> io::Result<Next> {
        let mut member = member;
        let mut next = wanted.next()?;
        let mut last = None;
        loop {
            let held = named(&member, "blobs/").and_then(|name| name.parse::<BlobId>().ok());
            let missing = named(&member, "missing/").and_then(|name| name.parse::<BlobId>().ok());
            let Some(blob) = held.or(missing) else { break };
            if last.is_some_and(|last| last >= blob) {
                self.fault(format!("blob {blob} is not in its place: ascending, each once (ARC-2)"));
            }
            last = Some(blob);
            while let Some(before) = next.filter(|next| *next < blob.0) {
                self.fault(format!("blob {} is named and neither there nor called missing (ARC-6)", BlobId(before)));
                next = wanted.next()?;
            }
            if next == Some(blob.0) {
                next = wanted.next()?;
            } else {
                self.fault(format!("blob {blob} is named by no entry (ARC-6)"));
            }
            if held.is_some() {
                self.blob(tar, blob)?
            } else {
                self.missing(tar, blob)
            }
            member = tar.next()?;
        }
        while let Some(blob) = next {
            self.fault(format!("blob {} is named and neither there nor called missing (ARC-6)", BlobId(blob)));
            next = wanted.next()?;
        }
        Ok(member)
    }

    fn blob(&mut self, tar: &mut TarReader<impl Read>, blob: BlobId) -> io::Result<()> {
        let bytes = tar.left();
        if bytes > BLOB_BYTES_MAX {
            return Err(invalid(format!("blob {blob} has {bytes} bytes (BLOB-2)")));
        }
        self.found.blobs += 1;
        self.found.blob_bytes += bytes;
        let mut hashing = Hashing { from: tar, hasher: blake3::Hasher::new() };
        self.taker.blob(blob, &mut hashing)?;
        io::copy(&mut hashing, &mut io::sink())?;
        if *hashing.hasher.finalize().as_bytes() != blob.0 {
            self.fault(format!("blob {blob} does not hash to its name (BLOB-1)"));
        }
        Ok(())
    }

    fn missing(&mut self, tar: &TarReader<impl Read>, blob: BlobId) {
        self.found.missing += 1;
        if tar.left() > 0 {
            self.fault(format!("blob {blob} is called missing and has content (ARC-6)"));
        }
    }

    /// The manifest says what was found, in its one form (`ARC-9`).
    fn manifest(&mut self, tar: &mut TarReader<impl Read>) -> io::Result<()> {
        self.found.digest = tar.digest_before().to_string();
        let bytes = read_member(tar, MANIFEST_BYTES_MAX)?;
        if bytes == json(&self.found) {
            return Ok(());
        }
        let said: Manifest = serde_json::from_slice(&bytes).map_err(|e| invalid(format!("{MANIFEST}: {e} (ARC-9)")))?;
        let what = match &self.found {
            found if said.digest != found.digest => "digest of what comes before it",
            found if said.logs != found.logs => "logs",
            found if said != *found => "counts",
            _ => "form",
        };
        self.fault(format!("{MANIFEST}: its {what} is not that of this file (ARC-9)"));
        Ok(())
    }
}

/// Reads and hashes a blob.
struct Hashing<'r, R> {
    from: &'r mut TarReader<R>,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}

/// Who and which network; refuses other versions (`ARC-3`).
fn about(tar: &mut TarReader<impl Read>) -> io::Result<(Network, Did)> {
    let bad = |what: &str| invalid(format!("{ABOUT}: {what} (ARC-3)"));
    let bytes = read_member(tar, JSON_BYTES_MAX)?;
    let about: About = serde_json::from_slice(&bytes).map_err(|e| bad(&e.to_string()))?;
    if about.version() != VERSION {
        return Err(bad(&format!("version {}, this xom knows version {VERSION}", about.version())));
    }
    let did = about.did().map_err(|e| bad(&e.to_string()))?;
    let network = about.network().ok_or_else(|| bad("not the name of a network"))?;
    Ok((network, did))
}

/// A whole member, at most so many bytes.
fn read_member(tar: &mut TarReader<impl Read>, bytes_max: u64) -> io::Result<Vec<u8>> {
    if tar.left() > bytes_max {
        return Err(invalid(format!("a member of {} bytes, at most {bytes_max} are allowed (ARC-10)", tar.left())));
    }
    let mut bytes = Vec::new();
    tar.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The member that must come next.
fn expect(tar: &mut TarReader<impl Read>, name: &str) -> io::Result<()> {
    is_named(&tar.next()?, name)
}

fn is_named(member: &Next, name: &str) -> io::Result<()> {
    match member {
        Next::Member { name: found, .. } if found == name => Ok(()),
        Next::Member { name: found, .. } => Err(misplaced(found)),
        Next::End => Err(invalid(format!("{name} is missing (ARC-2)"))),
    }
}

/// What follows `folder` in the name of a member.
fn named<'m>(member: &'m Next, folder: &str) -> Option<&'m str> {
    match member {
        Next::Member { name, .. } => name.strip_prefix(folder),
        Next::End => None,
    }
}

fn misplaced(name: &str) -> io::Error {
    invalid(format!("member {name:?} does not belong here (ARC-2)"))
}
