//! CAR v1: a header with the roots, then sections of a length, a CID and a block (`ARC-4`, `ARC-5`).

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use xom_protocol::encoding;
use xom_protocol::entry::{Salt, SaltedBody};
use xom_protocol::keys::Signature;
use xom_protocol::limits::{BODY_BYTES_MAX, IDENTITY_OBJECT_BYTES_MAX, SALT_BYTES};
use xom_protocol::{Digest, EntryId};

use super::tar::invalid;

/// Bytes of a CIDv1 with a digest of 32 bytes.
const CID_BYTES: usize = 36;
/// Longest block, bytes (`ARC-10`): an identity object, or a body with its salt.
const BLOCK_BYTES_MAX: usize = if IDENTITY_OBJECT_BYTES_MAX > BODY_BYTES_MAX + SALT_BYTES {
    IDENTITY_OBJECT_BYTES_MAX
} else {
    BODY_BYTES_MAX + SALT_BYTES
};
/// Longest header of a CAR, bytes: one root.
const HEADER_BYTES_MAX: usize = 64;
/// Bytes of a seal: an array of a link and a signature.
const SEAL_BYTES: u64 = 1 + (4 + 1 + CID_BYTES as u64) + (2 + 64);

/// What a CID says that its block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// A DAG-CBOR object.
    Object,
    /// Bytes.
    Raw,
}

impl Codec {
    fn prefix(self) -> [u8; 4] {
        match self {
            Self::Object => [1, 0x71, 0x12, 0x20],
            Self::Raw => [1, 0x55, 0x12, 0x20],
        }
    }

    fn cid(self, digest: &[u8; 32]) -> [u8; CID_BYTES] {
        let mut cid = [0; CID_BYTES];
        cid[..4].copy_from_slice(&self.prefix());
        cid[4..].copy_from_slice(digest);
        cid
    }
}

/// The header of a CAR: DAG-CBOR, keys in their order.
#[derive(Serialize, Deserialize)]
struct CarHeader {
    roots: Vec<EntryId>,
    version: u64,
}

/// The signature of the header before it.
#[derive(Serialize, Deserialize)]
struct Seal(EntryId, Signature);

/// A block with what its CID says of it; the digest has been checked.
pub(super) struct Block {
    pub(super) codec: Codec,
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
}

/// The bytes of a CAR's beginning; its root is a DAG-CBOR block.
pub(super) fn start(root: Digest) -> Vec<u8> {
    let header = encoding::encode(&CarHeader { roots: vec![EntryId(root.0)], version: 1 });
    let mut bytes = varint(header.len() as u64);
    bytes.extend_from_slice(&header);
    bytes
}

/// Bytes that a section with a block of this size takes.
pub(super) fn section_bytes(block_bytes: u64) -> u64 {
    let length = CID_BYTES as u64 + block_bytes;
    varint(length).len() as u64 + length
}

/// Bytes that the section with a signature takes.
pub(super) fn seal_section_bytes() -> u64 {
    section_bytes(SEAL_BYTES)
}

/// Writes a section.
pub(super) fn write_block(to: &mut impl Write, codec: Codec, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&varint((CID_BYTES + bytes.len()) as u64))?;
    to.write_all(&codec.cid(&Sha256::digest(bytes).into()))?;
    to.write_all(bytes)
}

/// Writes the section with the signature of an entry.
pub(super) fn write_seal(to: &mut impl Write, entry: EntryId, signature: Signature) -> io::Result<()> {
    write_block(to, Codec::Object, &encoding::encode(&Seal(entry, signature)))
}

/// Reads the header; answers the root.
pub(super) fn read_start(from: &mut impl Read) -> io::Result<Digest> {
    let length = read_varint(from)?.ok_or_else(|| invalid("an empty CAR"))?;
    let bytes = read_bytes(from, length, HEADER_BYTES_MAX)?;
    let header: CarHeader = encoding::decode(&bytes, HEADER_BYTES_MAX).map_err(|e| invalid(format!("header: {e}")))?;
    match (header.version, header.roots.as_slice()) {
        (1, [root]) => Ok(Digest(root.0)),
        _ => Err(invalid("not version 1 with one root")),
    }
}

/// Reads a section; none at the end of the CAR. A block that does not hash to its CID is refused.
pub(super) fn read_block(from: &mut impl Read) -> io::Result<Option<Block>> {
    read_block_up_to(from, BLOCK_BYTES_MAX)
}

/// The same for blocks of another length.
pub(super) fn read_block_up_to(from: &mut impl Read, bytes_max: usize) -> io::Result<Option<Block>> {
    let Some(length) = read_varint(from)? else { return Ok(None) };
    let mut bytes = read_bytes(from, length, CID_BYTES + bytes_max)?;
    if bytes.len() < CID_BYTES {
        return Err(invalid("a section without a CID"));
    }
    let block = bytes.split_off(CID_BYTES);
    let codec = [Codec::Object, Codec::Raw].into_iter().find(|codec| bytes.starts_with(&codec.prefix()));
    let codec = codec.ok_or_else(|| invalid("a CID of another codec or hash"))?;
    let digest = Digest(Sha256::digest(&block).into());
    if bytes[4..] != digest.0 {
        return Err(invalid("a block that does not hash to its CID"));
    }
    Ok(Some(Block { codec, digest, bytes: block }))
}

/// The signature in a block, and the entry that it is of; none if it is no seal.
pub(super) fn read_seal(block: &Block) -> Option<(EntryId, Signature)> {
    let seal: Seal = encoding::decode(&block.bytes, block.bytes.len()).ok()?;
    Some((seal.0, seal.1))
}

/// Salt and body in a block; none where it is filler: nothing but zeros.
pub(super) fn read_body(block: Block) -> io::Result<Option<SaltedBody>> {
    let mut bytes = block.bytes;
    if bytes.len() < SALT_BYTES {
        return Err(invalid("a body without a salt"));
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let rest = bytes.split_off(SALT_BYTES);
    let salt = Salt::try_from(bytes.as_slice()).map_err(|_| invalid("a body without a salt"))?;
    Ok(Some(SaltedBody { salt, bytes: rest }))
}

/// An unsigned varint, shortest form.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4);
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Reads a varint in its shortest form; none at the end.
fn read_varint(from: &mut impl Read) -> io::Result<Option<u64>> {
    let mut number = 0;
    for place in 0..4 {
        let mut byte = [0];
        match from.read(&mut byte)? {
            0 if place == 0 => return Ok(None),
            0 => return Err(invalid("a length that is cut short")),
            _ => {}
        }
        number |= u64::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] & 0x80 == 0 {
            let shortest = place == 0 || byte[0] != 0;
            return if shortest { Ok(Some(number)) } else { Err(invalid("a length not in its shortest form")) };
        }
    }
    Err(invalid("a length that is out of bounds"))
}

fn read_bytes(from: &mut impl Read, length: u64, max: usize) -> io::Result<Vec<u8>> {
    if length > max as u64 {
        return Err(invalid(format!("{length} bytes in one piece, at most {max} are allowed")));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(invalid("a block that is cut short"));
    }
    Ok(bytes)
}
