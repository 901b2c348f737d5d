//! The file of salts: slots of 32 bytes, each the key to one sealed body. A slot is overwritten with
//! zeros when its body is purged, and used again only after the zeros are durable.

use std::fs::File;
use std::io;
use std::path::Path;

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, Key, KeyInit, Nonce};
use xom_protocol::entry::Salt;
use zeroize::Zeroizing;

use super::folder::private_options;

/// Bytes of a slot.
const SLOT_BYTES: u64 = 32;
/// What the key of a body is derived under.
const KEY_CONTEXT: &str = "xom body at rest v1";

/// The open file of salts.
#[derive(Debug)]
pub(crate) struct Salts {
    file: File,
}

impl Salts {
    /// Opens or makes the file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = private_options().read(true).write(true).create(true).truncate(false).open(path)?;
        Ok(Self { file })
    }

    /// The salt in a slot; none where it is zeroed or beyond the end.
    pub(crate) fn read(&self, slot: u64) -> io::Result<Option<Salt>> {
        let mut salt = [0; 32];
        match read_exact_at(&self.file, &mut salt, slot * SLOT_BYTES) {
            Ok(()) => Ok((salt != [0; 32]).then_some(salt)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Writes salts, not yet durably. Neighbours are written together.
    pub(crate) fn write(&self, salts: &[(u64, Salt)]) -> io::Result<()> {
        let mut rest = salts;
        while let Some((first, _)) = rest.first() {
            let first = *first;
            let run = (first..).zip(rest).take_while(|(slot, (found, _))| slot == found).count();
            let bytes: Vec<u8> = rest[..run].iter().flat_map(|(_, salt)| *salt).collect();
            write_all_at(&self.file, &bytes, first * SLOT_BYTES)?;
            rest = &rest[run..];
        }
        Ok(())
    }

    /// Zeroes slots, durably.
    pub(crate) fn zero(&self, slots: &[u64]) -> io::Result<()> {
        let end = self.file.metadata()?.len();
        for slot in slots {
            if slot * SLOT_BYTES < end {
                write_all_at(&self.file, &[0; 32], slot * SLOT_BYTES)?;
            }
        }
        self.sync()
    }

    /// Cuts off whatever a commit that never was has left behind `slots`.
    pub(crate) fn truncate(&self, slots: u64) -> io::Result<()> {
        if self.file.metadata()?.len() > slots * SLOT_BYTES {
            self.file.set_len(slots * SLOT_BYTES)?;
            self.sync()?;
        }
        Ok(())
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The key of what is sealed under a salt in a slot. The slot is part of it, so that one salt in two
/// slots makes two keys.
fn cipher(salt: &Salt, slot: u64) -> ChaCha20Poly1305 {
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    hasher.update(salt).update(&slot.to_le_bytes());
    let key = Zeroizing::new(*hasher.finalize().as_bytes());
    ChaCha20Poly1305::new(&Key::<ChaCha20Poly1305>::from(*key))
}

/// Seals `bytes` in place, and puts the tag behind them. The key is used once, so the nonce is zero.
pub(crate) fn seal(salt: &Salt, slot: u64, bytes: &mut Vec<u8>) {
    let nonce = Nonce::<ChaCha20Poly1305>::default();
    cipher(salt, slot).encrypt_in_place(&nonce, b"", bytes).expect("a body is shorter than the cipher's limit");
}

/// Opens sealed bytes; none where they are not what was sealed under this salt in this slot.
pub(crate) fn unseal(salt: &Salt, slot: u64, sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::<ChaCha20Poly1305>::default();
    let mut bytes = sealed.to_vec();
    cipher(salt, slot).decrypt_in_place(&nonce, b"", &mut bytes).ok()?;
    Some(bytes)
}

/// A body opened under the salt of its slot, with that salt; none without a salt, or where it does not open.
pub(crate) fn open_body(salt: Option<Salt>, slot: u64, sealed: &[u8]) -> Option<(Salt, Vec<u8>)> {
    let salt = salt?;
    Some((salt, unseal(&salt, slot, sealed)?))
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match std::os::windows::fs::FileExt::seek_read(file, &mut bytes[done..], at + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => done += read,
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        done += std::os::windows::fs::FileExt::seek_write(file, &bytes[done..], at + done as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_until_its_slot_is_zeroed() {
        let dir = tempfile::tempdir().unwrap();
        let salts = Salts::open(&dir.path().join("salts")).unwrap();
        salts.write(&[(3, [7; 32]), (4, [8; 32]), (0, [9; 32])]).unwrap();
        let mut sealed = b"hello".to_vec();
        seal(&[7; 32], 3, &mut sealed);
        assert_eq!(unseal(&salts.read(3).unwrap().unwrap(), 3, &sealed).unwrap(), b"hello");
        assert_eq!(unseal(&[7; 32], 4, &sealed), None);
        salts.zero(&[3, 99]).unwrap();
        assert_eq!(salts.read(3).unwrap(), None);
        assert_eq!(salts.read(4).unwrap(), Some([8; 32]));
        assert_eq!(salts.read(1).unwrap(), None, "a slot that was never written");
        salts.truncate(1).unwrap();
        assert_eq!(salts.read(4).unwrap(), None);
        assert_eq!(salts.read(0).unwrap(), Some([9; 32]));
    }
}
