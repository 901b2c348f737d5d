//! The file of `xom export`: everything of one identity, for a backup or for another node. It holds no
//! private key, and what it says can be checked without a node.
//!
//! A file is a row of frames: the length as four bytes, big-endian, then one canonical DAG-CBOR array
//! `[type, a, b, c]` of a number, a byte string and two byte strings or nulls:
//!
//! | type | a | b | c |
//! |---|---|---|---|
//! | 0, first | the DID's 32 bytes | the network's name | null |
//! | 1, identity | a signed identity object | null | null |
//! | 2, entry | the header | the signature, if kept | salt and body, if held and not erased |
//! | 3, blob | the BLAKE3 | the bytes | null |
//! | 4, last | how many objects, entries and blobs came before: three big-endian `u64` | null | null |
//!
//! Objects come in an order in which each stands on those before it, then entries log by log from the
//! first on, then blobs.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::encoding;
use xom_protocol::entry::{Header, SaltedBody, SignedEntry};
use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::keys::Signature;
use xom_protocol::limits::BLOB_BYTES_MAX;
use xom_protocol::log::{Position, verify_run};
use xom_protocol::{BlobId, DeviceId, Did, LogId, Network};

use crate::model::{LogView, VerifyReport};

/// Longest frame, bytes: a blob with what is around it.
const FRAME_BYTES_MAX: usize = BLOB_BYTES_MAX as usize + 1_024;
/// Entries verified at a time.
const CHUNK: usize = 1_024;
/// Faults after which a file is not looked at further.
const FAULTS_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
struct Frame(u64, ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

const START: u64 = 0;
const IDENTITY: u64 = 1;
const ENTRY: u64 = 2;
const BLOB: u64 = 3;
const END: u64 = 4;

/// Writes an export into memory, in the order of the format.
pub(crate) struct ExportWriter {
    bytes: Vec<u8>,
    counts: [u64; 3],
}

impl ExportWriter {
    /// Begins the export of one identity.
    pub(crate) fn new(network: Network, did: Did) -> Self {
        let mut writer = Self { bytes: Vec::new(), counts: [0; 3] };
        writer.frame(START, &did.0, Some(network.as_str().as_bytes()), None);
        writer
    }

    /// Adds a signed identity object.
    pub(crate) fn object(&mut self, object: &[u8]) {
        self.counts[0] += 1;
        self.frame(IDENTITY, object, None, None);
    }

    /// Adds an entry.
    pub(crate) fn entry(&mut self, entry: &SignedEntry) {
        self.counts[1] += 1;
        let body = entry.body.as_ref().map(|body| [body.salt.as_slice(), &body.bytes].concat());
        let signature = entry.signature.as_ref().map(|signature| signature.0.as_slice());
        self.frame(ENTRY, &entry.header, signature, body.as_deref());
    }

    /// Adds a blob.
    pub(crate) fn blob(&mut self, blob: &BlobId, bytes: &[u8]) {
        self.counts[2] += 1;
        self.frame(BLOB, &blob.0, Some(bytes), None);
    }

    /// Ends the export.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let counts: Vec<u8> = self.counts.iter().flat_map(|count| count.to_be_bytes()).collect();
        self.frame(END, &counts, None, None);
        self.bytes
    }

    fn frame(&mut self, kind: u64, a: &[u8], b: Option<&[u8]>, c: Option<&[u8]>) {
        let bytes = |bytes: &[u8]| ByteBuf::from(bytes.to_vec());
        let frame = encoding::encode(&Frame(kind, bytes(a), b.map(bytes), c.map(bytes)));
        let length = u32::try_from(frame.len()).expect("no part is longer than a blob");
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(&frame);
    }
}

/// Checks a file of `xom export` by what is in it alone: objects, chains, signatures, commitments,
/// blobs. A file that can't be read to its end has a fault that says so.
pub fn verify_export(mut file: impl Read) -> VerifyReport {
    let mut check = Check::default();
    loop {
        match read_frame(&mut file) {
            Ok(Some(frame)) => check.take(frame),
            Ok(None) => break,
            Err(e) => {
                check.fault(format!("the file can't be read on: {e}"));
                break;
            }
        }
        if check.report.faults.len() >= FAULTS_MAX {
            return check.report;
        }
    }
    check.finish()
}

fn read_frame(file: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    match file.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => file.read_exact(&mut length[1..])?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("frame of {length} bytes")));
    }
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let frame = encoding::decode(&bytes, FRAME_BYTES_MAX);
    frame.map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

/// The state of a check.
#[derive(Default)]
struct Check {
    report: VerifyReport,
    start: Option<(Network, Did)>,
    objects: Vec<SignedObject>,
    record: Option<IdentityRecord>,
    /// The log that is read now, with what of it waits to be verified.
    log: Option<OpenLog>,
    done: BTreeMap<LogId, Position>,
    counts: [u64; 3],
    ended: bool,
}

struct OpenLog {
    log: LogId,
    device: DeviceId,
    position: Position,
    waiting: Vec<SignedEntry>,
}

impl Check {
    fn fault(&mut self, fault: String) {
        self.report.faults.push(fault);
    }

    fn take(&mut self, frame: Frame) {
        let Frame(kind, a, b, c) = frame;
        match kind {
            _ if self.ended => self.fault("frames after the last one".into()),
            START if self.start.is_none() => self.begin(&a, bytes_of(&b)),
            _ if self.start.is_none() => self.fault("the first frame is missing".into()),
            IDENTITY => self.object(&a),
            ENTRY => self.entry(a.into_vec(), bytes_of(&b), c),
            BLOB => self.blob(&a, bytes_of(&b)),
            END => self.end(&a),
            _ => self.fault(format!("frame of unknown type {kind}")),
        }
    }

    fn begin(&mut self, did: &[u8], network: Option<&[u8]>) {
        let did = <[u8; 32]>::try_from(did).map(Did).ok();
        let network = network.and_then(|name| std::str::from_utf8(name).ok()?.parse().ok());
        match network.zip(did) {
            Some(start) => self.start = Some(start),
            None => self.fault("the first frame names no network or identity".into()),
        }
    }

    fn object(&mut self, object: &[u8]) {
        self.counts[0] += 1;
        match SignedObject::decode(object) {
            Ok(object) => self.objects.push(object),
            Err(e) => self.fault(format!("identity object: {e} ({})", e.rule())),
        }
    }

    /// The identity, once all its objects have been read.
    fn identity(&mut self) {
        let Some((network, did)) = self.start.filter(|_| self.record.is_none()) else { return };
        match IdentityRecord::from_objects(network, std::mem::take(&mut self.objects)) {
            Ok(record) if record.did() == did => self.record = Some(record),
            Ok(record) => self.fault(format!("objects are of {}, not of {did} (ID-1)", record.did())),
            Err(e) => self.fault(format!("identity: {e} ({})", e.rule())),
        }
    }

    fn entry(&mut self, header: Vec<u8>, signature: Option<&[u8]>, body: Option<ByteBuf>) {
        self.counts[1] += 1;
        self.identity();
        let decoded = match Header::decode(&header) {
            Ok(decoded) => decoded,
            Err(e) => return self.fault(format!("entry: {e} ({})", e.rule())),
        };
        let (signature, body) = (signature.map(<[u8; 64]>::try_from).transpose(), body.map(salted_body).transpose());
        let (Ok(signature), Ok(body)) = (signature, body) else {
            return self.fault(format!("entry {}: not the form of an entry (LOG-2)", decoded.seq));
        };
        if self.log.as_ref().is_none_or(|open| open.log != decoded.log) {
            self.close_log();
            let position = self.done.get(&decoded.log).copied().unwrap_or(Position::EMPTY);
            self.log = Some(OpenLog { log: decoded.log, device: decoded.device, position, waiting: Vec::new() });
        }
        let Some(open) = &mut self.log else { return };
        let signed = signature.is_some();
        open.waiting.push(SignedEntry { header, signature: signature.map(Signature), body });
        if signed && open.waiting.len() >= CHUNK {
            self.verify_waiting();
        }
    }

    fn verify_waiting(&mut self) {
        let (Some((network, did)), Some(open)) = (self.start, &mut self.log) else { return };
        let waiting = std::mem::take(&mut open.waiting);
        let device = self.record.as_ref().and_then(|record| record.state().devices.get(&open.device));
        let Some(device) = device else {
            let fault = format!("log {} is of no device of the identity (LOG-7)", open.log);
            return self.fault(fault);
        };
        let run = verify_run(network, &device.key, did, open.log, open.position, waiting);
        open.position = run.position(open.position);
        let log = open.log;
        self.report.entries += run.accepted.len() as u64;
        self.report.bodies += run.accepted.iter().filter(|entry| entry.body().is_some()).count() as u64;
        for seq in &run.body_mismatches {
            self.fault(format!("log {log} at {seq}: body does not match (LOG-6)"));
        }
        if let Some(refusal) = &run.refused {
            self.fault(format!("log {log}: {refusal} ({})", refusal.rule()));
        }
    }

    fn close_log(&mut self) {
        self.verify_waiting();
        if let (Some(open), Some((_, did))) = (self.log.take(), self.start) {
            let OpenLog { log, device, position, .. } = open;
            self.done.insert(log, position);
            let view = LogView { did, device, log, height: position.height, head: position.head, disputed: false };
            self.report.logs.push(view);
        }
    }

    fn blob(&mut self, id: &[u8], bytes: Option<&[u8]>) {
        self.counts[2] += 1;
        let blob = BlobId::of(bytes.unwrap_or_default());
        if blob.0 != *id {
            self.fault(format!("blob {blob} has another name (BLOB-1)"));
        }
    }

    fn end(&mut self, counts: &[u8]) {
        self.ended = true;
        let found: Vec<u8> = self.counts.iter().flat_map(|count| count.to_be_bytes()).collect();
        if found != counts {
            self.fault("the file does not hold as much as its last frame says".into());
        }
    }

    fn finish(mut self) -> VerifyReport {
        self.identity();
        self.close_log();
        if !self.ended {
            self.fault("the file is cut short: its last frame is missing".into());
        }
        self.report
    }
}

fn salted_body(bytes: ByteBuf) -> Result<SaltedBody, ()> {
    let (salt, body) = bytes.split_first_chunk::<32>().ok_or(())?;
    Ok(SaltedBody { salt: *salt, bytes: body.to_vec() })
}

fn bytes_of(part: &Option<ByteBuf>) -> Option<&[u8]> {
    part.as_ref().map(|bytes| bytes.as_slice())
}
