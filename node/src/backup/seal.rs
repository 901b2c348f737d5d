//! Sealed files (`ARC-12`): a fresh key for each, wrapped for every recipient by X25519, and ChaCha20-Poly1305.
//! Sealing needs public keys alone; it proves nothing about who sealed.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::Name;
use crate::error::StoreError;
use crate::store::folder::entropy;

/// The first byte of a sealed file.
const FORM: u8 = 1;
/// Bytes of a wrapped key with its tag.
const WRAPPED_BYTES: usize = 48;
/// Bytes of the checksum at the end.
const CHECK_BYTES: usize = 32;
/// Bytes in front of the wrapped keys.
const HEAD_BYTES: usize = 34;
/// What the key that wraps is derived under.
const WRAP_INFO: &[u8] = b"xom/1/backup-wrap";
/// What the key of names is derived under.
const NAMES_CONTEXT: &str = "xom/1/backup-names";

/// A public key that backups are sealed for (`ARC-11`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recipient(pub(crate) [u8; 32]);

impl Recipient {
    /// That of a phrase.
    pub(crate) fn of(phrase: &Phrase) -> Self {
        Self(x25519(*phrase.backup_secret(), X25519_BASEPOINT_BYTES))
    }
}

/// The key under which sealed files get their names (`ARC-13`): equal contents get equal names, and who holds
/// the files alone can't tell what is in them.
#[derive(Clone, Copy)]
pub(crate) struct NameKey(pub(crate) [u8; 32]);

impl NameKey {
    /// That of backups sealed for these.
    pub(crate) fn of(recipients: &[Recipient]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(NAMES_CONTEXT);
        for recipient in recipients {
            hasher.update(&recipient.0);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The name of a chunk of rows.
    pub(crate) fn of_rows(&self, content: &[u8]) -> Name {
        self.name(&[&[0], content])
    }

    /// The name of a piece of a blob.
    pub(crate) fn of_piece(&self, blob: &[u8; 32], piece: u32) -> Name {
        self.name(&[&[1], blob, &piece.to_be_bytes()])
    }

    fn name(&self, parts: &[&[u8]]) -> Name {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        let mut name = [0; 16];
        name.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Name(name)
    }
}

/// Seals `content` for all of `recipients` under a name, padded so that its size tells little.
pub(crate) fn seal(recipients: &[Recipient], name: &[u8], content: &[u8]) -> Result<Vec<u8>, StoreError> {
    let fresh = || entropy().map_err(|e| StoreError::Storage(e.to_string()));
    let (secret, key) = (fresh()?, fresh()?);
    let ephemeral = x25519(*secret, X25519_BASEPOINT_BYTES);
    let count = u8::try_from(recipients.len()).map_err(|_| StoreError::Storage("too many recipients".into()))?;
    let mut sealed = vec![FORM];
    sealed.extend_from_slice(&ephemeral);
    sealed.push(count);
    for recipient in recipients {
        let wrap = wrap_key(&secret, &recipient.0, &ephemeral, &recipient.0);
        let wrap = wrap.ok_or_else(|| StoreError::Damaged("a backup key of small order".into()))?;
        sealed.extend_from_slice(&encrypt(&wrap, b"", key.to_vec()));
    }
    sealed.extend_from_slice(&encrypt(&key, name, pad(content)));
    let check = blake3::hash(&sealed);
    sealed.extend_from_slice(check.as_bytes());
    Ok(sealed)
}

/// Opens a sealed file; none where it is damaged, of another name, or sealed for others.
pub(crate) fn open(phrase: &Phrase, name: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let bytes = checked(sealed)?;
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let ephemeral = <[u8; 32]>::try_from(&head[1..33]).ok()?;
    let (wrapped, content) = rest.split_at_checked(usize::from(head[33]) * WRAPPED_BYTES)?;
    let secret = phrase.backup_secret();
    let wrap = wrap_key(&secret, &ephemeral, &ephemeral, &Recipient::of(phrase).0)?;
    let key = wrapped.chunks_exact(WRAPPED_BYTES).find_map(|wrapped| decrypt(&wrap, b"", wrapped))?;
    let key = Zeroizing::new(<[u8; 32]>::try_from(key.as_slice()).ok()?);
    unpad(decrypt(&key, name, content)?)
}

/// What stands before the checksum, if that is right: damage shows without the words.
pub(crate) fn checked(sealed: &[u8]) -> Option<&[u8]> {
    let (bytes, check) = sealed.split_at_checked(sealed.len().checked_sub(CHECK_BYTES)?)?;
    (bytes.first() == Some(&FORM) && blake3::hash(bytes).as_bytes() == check).then_some(bytes)
}

fn wrap_key(secret: &[u8; 32], public: &[u8; 32], ephemeral: &[u8; 32], to: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let shared = Zeroizing::new(x25519(*secret, *public));
    if *shared == [0; 32] {
        return None;
    }
    let salt = [ephemeral.as_slice(), to].concat();
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&salt), &*shared).expand(WRAP_INFO, &mut *key).ok()?;
    Some(key)
}

/// The cipher under a key that is used once, so that the nonce is zero. Megabytes go through it: it is the
/// implementation that TLS uses here.
fn cipher(key: &[u8; 32]) -> (LessSafeKey, Nonce) {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has the cipher's length");
    (LessSafeKey::new(key), Nonce::assume_unique_for_key([0; 12]))
}

fn encrypt(key: &[u8; 32], aad: &[u8], mut bytes: Vec<u8>) -> Vec<u8> {
    let (cipher, nonce) = cipher(key);
    let sealed = cipher.seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes);
    sealed.expect("a sealed file is shorter than the cipher's limit");
    bytes
}

fn decrypt(key: &[u8; 32], aad: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (cipher, nonce) = cipher(key);
    let mut bytes = bytes.to_vec();
    let length = cipher.open_in_place(nonce, Aad::from(aad), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// Length, content, zeros up to a length of which only the upper bits vary.
fn pad(content: &[u8]) -> Vec<u8> {
    let length = content.len() + 4;
    let mut padded = Vec::with_capacity(padded_length(length));
    padded.extend_from_slice(&(content.len() as u32).to_be_bytes());
    padded.extend_from_slice(content);
    padded.resize(padded_length(length), 0);
    padded
}

fn unpad(mut padded: Vec<u8>) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes(*padded.first_chunk()?) as usize;
    if length > padded.len() - 4 {
        return None;
    }
    padded.truncate(length + 4);
    padded.drain(..4);
    Some(padded)
}

/// The next length that is told: at least 4 KiB, above it the five upper bits.
fn padded_length(length: usize) -> usize {
    let step = (length.next_power_of_two() >> 5).max(4 << 10);
    length.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(byte: u8) -> Phrase {
        Phrase::from_entropy(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_words_of_each_recipient_and_with_no_others() {
        let (alice, bob, mallory) = (phrase(1), phrase(2), phrase(3));
        let recipients = [Recipient::of(&alice), Recipient::of(&bob)];
        let sealed = seal(&recipients, b"name", b"content").unwrap();
        for words in [&alice, &bob] {
            assert_eq!(open(words, b"name", &sealed).unwrap(), b"content");
            assert_eq!(open(words, b"other", &sealed), None, "ARC-13");
        }
        assert_eq!(open(&mallory, b"name", &sealed), None, "ARC-11");
        assert_ne!(seal(&recipients, b"name", b"content").unwrap(), sealed);
    }

    #[test]
    fn a_harmed_sealed_file_shows_without_the_words_and_does_not_open() {
        let alice = phrase(1);
        let sealed = seal(&[Recipient::of(&alice)], b"name", b"content").unwrap();
        for at in 0..sealed.len() {
            let mut harmed = sealed.clone();
            harmed[at] ^= 0x80;
            assert_eq!(checked(&harmed), None, "ARC-12, byte {at}");
        }
        // A new checksum over harmed bytes does not help.
        for at in 0..sealed.len() - CHECK_BYTES {
            let mut harmed = sealed[..sealed.len() - CHECK_BYTES].to_vec();
            harmed[at] ^= 0x80;
            harmed.extend_from_slice(blake3::hash(&harmed).as_bytes());
            assert_eq!(open(&alice, b"name", &harmed), None, "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(open(&alice, b"name", &sealed[..length]), None);
        }
    }

    #[test]
    fn a_key_of_small_order_is_not_sealed_for() {
        assert!(seal(&[Recipient([0; 32])], b"name", b"content").is_err());
    }

    #[test]
    fn sizes_tell_little() {
        let lengths: std::collections::BTreeSet<_> = (1..100_000).map(padded_length).collect();
        assert!(lengths.len() < 30, "{lengths:?}");
        assert!((1..2_000_000).step_by(977).all(|length| padded_length(length) <= (length + 4_096) * 9 / 8));
        assert_eq!(unpad(pad(b"")).unwrap(), b"");
        assert_eq!(unpad(vec![0xff; 8]), None);
        assert_eq!(unpad(vec![0; 3]), None);
    }
}
