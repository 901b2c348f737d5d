//! Ids: digests with a meaning, and their text forms.

use std::fmt;
use std::str::FromStr;

use cid::Cid;
use cid::multihash::Multihash;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// Multicodec of DAG-CBOR.
const CODEC_DAG_CBOR: u64 = 0x71;
/// Multicodec of raw bytes.
const CODEC_RAW: u64 = 0x55;
/// Multihash code of SHA-256.
const HASH_SHA2_256: u64 = 0x12;
/// Multihash code of BLAKE3.
const HASH_BLAKE3: u64 = 0x1e;

/// The text or bytes are not the id that was expected (`ENC-7`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `did:xom:` and 52 characters of lower-case base32.
    #[error("a DID is did:xom: followed by 52 characters of a-z and 2-7")]
    Did,
    /// Not a CIDv1 of DAG-CBOR under SHA-256.
    #[error("an entry id is a CIDv1 of DAG-CBOR under SHA-256")]
    Entry,
    /// Not a CIDv1 of DAG-CBOR under SHA-256, where an algorithm is named.
    #[error("the id of an algorithm is a CIDv1 of DAG-CBOR under SHA-256")]
    Algorithm,
    /// Not a CIDv1 of raw bytes under BLAKE3.
    #[error("a blob id is a CIDv1 of raw bytes under BLAKE3")]
    Blob,
    /// Not 64 hexadecimal digits.
    #[error("a digest is 64 hexadecimal digits")]
    Digest,
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

macro_rules! bytes_on_the_wire {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { to.serialize_bytes(&self.0) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    return String::deserialize(from)?.parse().map_err(de::Error::custom);
                }
                serde_bytes::ByteArray::<32>::deserialize(from).map(|bytes| Self(bytes.into_array()))
            }
        }
    };
}

macro_rules! cid_on_the_wire {
    ($name:ident, $codec:expr, $hash:expr, $error:expr) => {
        impl $name {
            /// The CIDv1.
            pub fn cid(&self) -> Cid {
                let hash = Multihash::wrap($hash, &self.0).expect("32 bytes fit a multihash");
                Cid::new_v1($codec, hash)
            }

            /// Takes the digest out of a CID of exactly this codec and hash (`ENC-6`).
            pub fn from_cid(cid: &Cid) -> Result<Self, IdError> {
                let digest = <[u8; 32]>::try_from(cid.hash().digest()).map_err(|_| $error)?;
                let right = cid.version() == cid::Version::V1 && cid.codec() == $codec && cid.hash().code() == $hash;
                if right { Ok(Self(digest)) } else { Err($error) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.cid(), f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let id = Self::from_cid(&Cid::try_from(text).map_err(|_| $error)?)?;
                if id.to_string() == text { Ok(id) } else { Err($error) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { self.cid().serialize(to) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    return String::deserialize(from)?.parse().map_err(de::Error::custom);
                }
                Self::from_cid(&Cid::deserialize(from)?).map_err(de::Error::custom)
            }
        }
    };
}

macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| IdError::Digest)?;
                <[u8; 32]>::try_from(bytes.as_slice()).map(Self).map_err(|_| IdError::Digest)
            }
        }
    };
}

digest_type! {
    /// A SHA-256 digest.
    Digest
}
digest_type! {
    /// The id of an identity: the SHA-256 of its genesis payload (`ID-1`).
    Did
}
digest_type! {
    /// The id of a device: its 32 public-key bytes, not yet checked to be a usable key.
    DeviceId
}
digest_type! {
    /// The id of a log (`LOG-1`).
    LogId
}
digest_type! {
    /// The id of an entry: the SHA-256 of its header without the signature (`LOG-5`).
    EntryId
}
digest_type! {
    /// The id of an algorithm: the SHA-256 of its rule document (`ALG-1`).
    AlgorithmId
}
digest_type! {
    /// The id of a blob: the BLAKE3 of its bytes (`BLOB-1`).
    BlobId
}

hex_text!(Digest);
hex_text!(DeviceId);
hex_text!(LogId);
bytes_on_the_wire!(Digest);
bytes_on_the_wire!(DeviceId);
bytes_on_the_wire!(LogId);
bytes_on_the_wire!(Did);
cid_on_the_wire!(EntryId, CODEC_DAG_CBOR, HASH_SHA2_256, IdError::Entry);
cid_on_the_wire!(AlgorithmId, CODEC_DAG_CBOR, HASH_SHA2_256, IdError::Algorithm);
cid_on_the_wire!(BlobId, CODEC_RAW, HASH_BLAKE3, IdError::Blob);

impl Digest {
    /// The SHA-256 of the concatenated parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl AlgorithmId {
    /// The id of a document with these bytes.
    pub fn of(document: &[u8]) -> Self {
        Self(Digest::of(&[document]).0)
    }
}

impl BlobId {
    /// The id of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl Did {
    /// What every DID of this method begins with.
    pub const PREFIX: &'static str = "did:xom:";

    /// The first 20 characters of the method-specific part: the host part of an unproven account name.
    pub fn short(&self) -> String {
        self.method_specific()[..20].to_owned()
    }

    /// The 52 characters after the prefix.
    pub fn method_specific(&self) -> String {
        BASE32_NOPAD.encode(&self.0).to_ascii_lowercase()
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.method_specific())
    }
}

impl FromStr for Did {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let encoded = text.strip_prefix(Self::PREFIX).ok_or(IdError::Did)?;
        if encoded.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(IdError::Did);
        }
        let bytes = BASE32_NOPAD.decode(encoded.to_ascii_uppercase().as_bytes()).map_err(|_| IdError::Did)?;
        <[u8; 32]>::try_from(bytes.as_slice()).map(Self).map_err(|_| IdError::Did)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_reads_back_and_refuses_other_spellings() {
        let did = Did([7; 32]);
        let text = did.to_string();
        assert_eq!(text.len(), 60);
        assert_eq!(text.parse(), Ok(did));
        let upper = format!("did:xom:{}", did.method_specific().to_uppercase());
        for bad in [upper, format!("{text}/a"), format!("{text}?x"), format!("{text}%20"), "did:xom:".into()] {
            assert_eq!(bad.parse::<Did>(), Err(IdError::Did), "{bad}");
        }
    }

    #[test]
    fn an_entry_id_is_not_a_blob_id() {
        let entry = EntryId([1; 32]);
        assert_eq!(entry.to_string().parse(), Ok(entry));
        assert_eq!(entry.to_string().parse::<BlobId>(), Err(IdError::Blob));
        assert_eq!(BlobId::of(b"x").to_string().parse(), Ok(BlobId::of(b"x")));
    }
}
