//! Records: what an app keeps in its user's name, under a kind and a key of its own (`BODY-6`).

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_rev, check_text, ensure};
use crate::entry::Kind;
use crate::limits::{RECORD_KEY_BYTES_MAX, RECORD_VALUE_BYTES_MAX};

/// A record of an app; the register (author, record, kind and key).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The app's own kind, with a dot in it: `board.ask`.
    pub kind: String,
    /// Names it among the author's records of this kind.
    pub key: String,
    /// A JSON text; what is in it is the app's affair.
    pub value: String,
    /// Greater than that of any earlier value of this record.
    pub rev: u64,
}

impl Record {
    /// True for a kind that an app may use for records.
    pub fn is_kind(kind: &str) -> bool {
        let dotted = kind.contains('.') && !kind.starts_with('.') && !kind.ends_with('.');
        dotted && matches!(Kind::from_name(kind), Some(Kind::Other(_)))
    }

    /// True for a key that stands in an address as it is.
    pub fn is_key(key: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:".contains(&b);
        let fits = (1..=RECORD_KEY_BYTES_MAX).contains(&key.len());
        fits && key.bytes().all(allowed) && key != "." && key != ".."
    }

    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        ensure(Self::is_kind(&self.kind), "BODY-6", "kind of a record")?;
        ensure(Self::is_key(&self.key), "BODY-6", "key of a record")?;
        ensure((1..=RECORD_VALUE_BYTES_MAX).contains(&self.value.len()), "BODY-6", "value of a record")?;
        check_text(&self.value, RECORD_VALUE_BYTES_MAX, "BODY-6", "value of a record")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_6_kinds_have_a_dot_and_keys_stand_in_addresses() {
        for kind in ["board.ask", "org.example.x-1", "a.b"] {
            assert!(Record::is_kind(kind), "{kind}");
        }
        for kind in ["", "board", "post", ".a", "a.", "A.b", "a.b/c", "a.b ", &"a.".repeat(33)] {
            assert!(!Record::is_kind(kind), "{kind}");
        }
        for key in ["a", "2026-11-29:7", "~x._", &"k".repeat(128)] {
            assert!(Record::is_key(key), "{key}");
        }
        for key in ["", ".", "..", "a/b", "a b", "ế", "a%20", &"k".repeat(129)] {
            assert!(!Record::is_key(key), "{key}");
        }
    }
}
