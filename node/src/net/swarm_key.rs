//! The key of a closed network: a file that its members share (`PNET-1`).
//!
//! It must never be shown or logged; its fingerprint may be.

use std::fmt;
use std::io;
use std::path::Path;

use libp2p::pnet::{PnetConfig, PreSharedKey};
use zeroize::Zeroizing;

use crate::error::StartError;
use crate::store::folder;

/// The first line of the file: the kind of key and its version.
const KIND: &str = "/key/swarm/psk/1.0.0/";
/// The second line: how the third is written.
const ENCODING: &str = "/base16/";
/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// A key that all members of a closed network share. It has no `Debug` form that shows it.
pub struct SwarmKey(Zeroizing<[u8; KEY_BYTES]>);

/// A swarm key that can't be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SwarmKeyError {
    /// The file can't be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The file is none that go-ipfs, or `xom swarm-key new`, would write (`PNET-1`).
    #[error(
        "is no swarm key; expected three lines: {KIND}, {ENCODING} and 64 hexadecimal digits. `xom swarm-key new FILE` \
         makes one"
    )]
    Form,
    /// The entropy source failed.
    #[error(transparent)]
    Entropy(#[from] StartError),
}

impl SwarmKey {
    /// A new key; fails where the system has no entropy (`ENC-13`).
    pub fn generate() -> Result<Self, SwarmKeyError> {
        Ok(Self(folder::entropy()?))
    }

    /// Reads the file of a key (`PNET-1`).
    pub fn read(path: &Path) -> Result<Self, SwarmKeyError> {
        let text = folder::read_text(path)?;
        Self::parse(&text.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?)
    }

    /// Takes the text of the file of a key: three lines, and nothing after them but space (`PNET-1`).
    pub fn parse(text: &str) -> Result<Self, SwarmKeyError> {
        let mut lines = text.trim_end().lines().map(str::trim_end);
        let (kind, encoding, digits) = (lines.next(), lines.next(), lines.next());
        if kind != Some(KIND) || encoding != Some(ENCODING) || lines.next().is_some() {
            return Err(SwarmKeyError::Form);
        }
        let digits = digits.ok_or(SwarmKeyError::Form)?.as_bytes();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| SwarmKeyError::Form)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != key.len() {
            return Err(SwarmKeyError::Form);
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// Writes the key into a new file, which its owner alone can read; never over another file.
    pub fn write_new(&self, path: &Path) -> Result<(), SwarmKeyError> {
        let digits = Zeroizing::new(data_encoding::HEXLOWER.encode(self.0.as_slice()));
        let text = Zeroizing::new(format!("{KIND}\n{ENCODING}\n{}", digits.as_str()));
        Ok(folder::write_secret(path, &text)?)
    }

    /// What tells keys apart and says nothing of them, as go-libp2p computes it: 32 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        PreSharedKey::new(*self.0).fingerprint().to_string()
    }

    /// The cipher around each connection (`PNET-2`).
    pub(super) fn cipher(&self) -> PnetConfig {
        PnetConfig::new(PreSharedKey::new(*self.0))
    }
}

impl fmt::Debug for SwarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SwarmKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the vector of go-libp2p: bytes that count up.
    fn counting() -> SwarmKey {
        SwarmKey(Zeroizing::new(std::array::from_fn(|at| u8::try_from(at).unwrap())))
    }

    #[test]
    fn pnet_1_a_key_is_written_as_go_ipfs_writes_it_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("swarm.key");
        counting().write_new(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(text, format!("/key/swarm/psk/1.0.0/\n/base16/\n{digits}\n"));
        assert_eq!(SwarmKey::read(&path).unwrap().0, counting().0);
        // The library that does the ciphering reads the same.
        assert_eq!(text.parse::<PreSharedKey>().unwrap().fingerprint().to_string(), counting().fingerprint());
        let again = SwarmKey::generate().unwrap().write_new(&path);
        assert!(matches!(again, Err(SwarmKeyError::File(_))), "a key is never written over another");
    }

    #[cfg(unix)]
    #[test]
    fn pnet_1_the_file_of_a_new_key_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("swarm.key");
        SwarmKey::generate().unwrap().write_new(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn pnet_1_what_is_no_key_is_refused_with_what_one_looks_like() {
        let digits = "0".repeat(64);
        let good = [format!("{KIND}\n{ENCODING}\n{digits}"), format!("{KIND}\r\n{ENCODING}\r\n{digits}\r\n\n")];
        for text in good {
            assert!(SwarmKey::parse(&text).is_ok(), "{text:?}");
        }
        let bad = [
            String::new(),
            digits.clone(),
            format!("/key/swarm/psk/2.0.0/\n{ENCODING}\n{digits}"),
            format!("{KIND}\n/base64/\n{digits}"),
            format!("{KIND}\n{ENCODING}\n{}", &digits[1..]),
            format!("{KIND}\n{ENCODING}\n{digits}00"),
            format!("{KIND}\n{ENCODING}\n{}zz", &digits[2..]),
            format!("{KIND}\n{ENCODING}\n{digits}\nmore"),
        ];
        for text in bad {
            let refusal = SwarmKey::parse(&text).expect_err("refused").to_string();
            assert!(refusal.contains(KIND) && refusal.contains("xom swarm-key new"), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn pnet_5_no_form_of_a_key_but_its_file_shows_it() {
        let shown = format!("{:?} {}", counting(), counting().fingerprint());
        assert!(!shown.contains("000102") && !shown.contains("[0, 1"), "{shown}");
    }
}
