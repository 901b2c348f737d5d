//! Strict DAG-CBOR: every object is scanned, without allocating, before it is decoded.

mod scan;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rule::Rule;

/// Bytes that are not the canonical DAG-CBOR of the wanted shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// More bytes than the object may have (`ENC-1`).
    #[error("object of {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// Bytes received.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// The bytes end inside an item (`ENC-1`).
    #[error("object ends early at byte {at}")]
    Truncated {
        /// Offset, bytes.
        at: usize,
    },
    /// Bytes after the one item (`ENC-1`).
    #[error("bytes after the object at byte {at}")]
    Trailing {
        /// Offset, bytes.
        at: usize,
    },
    /// An integer or length not in its shortest form, or an indefinite length (`ENC-2`).
    #[error("not the shortest form at byte {at}")]
    NotMinimal {
        /// Offset, bytes.
        at: usize,
    },
    /// A map key that is not text, out of order or repeated (`ENC-3`).
    #[error("map key not text, not in order or repeated at byte {at}")]
    MapKey {
        /// Offset, bytes.
        at: usize,
    },
    /// Text that is not UTF-8 (`ENC-3`).
    #[error("text is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset, bytes.
        at: usize,
    },
    /// A float, `undefined` or another simple value (`ENC-4`).
    #[error("value that is not an integer, text, bytes, list, map, link, bool or null at byte {at}")]
    ForbiddenValue {
        /// Offset, bytes.
        at: usize,
    },
    /// Nested too deep, or too many items (`ENC-5`).
    #[error("too deep or too many items at byte {at}")]
    TooComplex {
        /// Offset, bytes.
        at: usize,
    },
    /// A tag other than 42, or a link that is not a CID (`ENC-6`).
    #[error("tag or link that is not allowed at byte {at}")]
    Link {
        /// Offset, bytes.
        at: usize,
    },
    /// Canonical, but not the shape that was asked for (`ENC-8`).
    #[error("unexpected shape: {0}")]
    Shape(String),
}

impl EncodingError {
    /// The rule that the bytes break.
    pub fn rule(&self) -> Rule {
        Rule(match self {
            Self::TooLong { .. } | Self::Truncated { .. } | Self::Trailing { .. } => "ENC-1",
            Self::NotMinimal { .. } => "ENC-2",
            Self::MapKey { .. } | Self::NotUtf8 { .. } => "ENC-3",
            Self::ForbiddenValue { .. } => "ENC-4",
            Self::TooComplex { .. } => "ENC-5",
            Self::Link { .. } => "ENC-6",
            Self::Shape(_) => "ENC-8",
        })
    }
}

/// Checks that `bytes` are one canonical object of at most `bytes_max` bytes.
pub fn check(bytes: &[u8], bytes_max: usize) -> Result<(), EncodingError> {
    if bytes.len() > bytes_max {
        return Err(EncodingError::TooLong { bytes: bytes.len(), bytes_max });
    }
    scan::scan(bytes)
}

/// Decodes one canonical object of at most `bytes_max` bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, EncodingError> {
    check(bytes, bytes_max)?;
    serde_ipld_dagcbor::from_slice(bytes).map_err(|e| EncodingError::Shape(e.to_string()))
}

/// Encodes a value canonically.
///
/// Only for our own types, none of which holds a float or a map with keys other than text.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_ipld_dagcbor::to_vec(value).expect("our own types are always encodable")
}
