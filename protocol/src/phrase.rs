//! The 24 words of an identity, and everything that derives from them: the words alone give the DID.
//!
//! A phrase is a secret: it is zeroized when dropped, and neither its `Debug` nor its errors show a word.

use std::fmt;

use bip39::{Language, Mnemonic};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::identity::{
    Guardians, IdentityError, IdentityRecord, KeyList, NextKeys, Place, Renewal, SignedObject, compose,
};
use crate::keys::SecretKey;
use crate::network::Network;
use crate::rule::Rule;

/// Words in a phrase (`ID-15`).
pub const PHRASE_WORDS: usize = 24;

/// The salt of the derivation (`ID-15`).
const SALT: &[u8] = b"xom/1/phrase";

/// Words that are not a phrase (`ID-15`). Says where, never which word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not 24 words.
    #[error("a phrase has {PHRASE_WORDS} words, these are {words}")]
    WordCount {
        /// Words found.
        words: usize,
    },
    /// A word that is not in the English BIP-39 list.
    #[error("word {position} is not in the word list; check its spelling")]
    UnknownWord {
        /// Which word, from 1.
        position: usize,
    },
    /// All words are known, but they do not belong together.
    #[error("these words do not belong together; one is wrong or two are swapped")]
    Checksum,
    /// Entropy of zeros: the source is broken (`ENC-13`).
    #[error("entropy is all zero; the entropy source is broken")]
    ZeroEntropy,
}

impl PhraseError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::WordCount { .. } | Self::UnknownWord { .. } | Self::Checksum => Rule("ID-15"),
            Self::ZeroEntropy => Rule("ENC-13"),
        }
    }
}

/// The root secret of an identity: 32 bytes, written as 24 English BIP-39 words.
#[derive(Clone)]
pub struct Phrase(Zeroizing<[u8; 32]>);

impl Phrase {
    /// Makes a phrase from fresh entropy; refuses zeros (`ENC-13`).
    pub fn from_entropy(entropy: &[u8; 32]) -> Result<Self, PhraseError> {
        if entropy == &[0; 32] {
            return Err(PhraseError::ZeroEntropy);
        }
        Ok(Self(Zeroizing::new(*entropy)))
    }

    /// Reads 24 words, in any case and with any white space between them.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let text = Zeroizing::new(text.to_lowercase());
        let words = text.split_whitespace().count();
        if words != PHRASE_WORDS {
            return Err(PhraseError::WordCount { words });
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text).map_err(|e| match e {
            bip39::Error::UnknownWord(index) => PhraseError::UnknownWord { position: index + 1 },
            _ => PhraseError::Checksum,
        })?;
        let (padded, _) = mnemonic.to_entropy_array();
        let padded = Zeroizing::new(padded);
        let mut entropy = Zeroizing::new([0; 32]);
        entropy.copy_from_slice(&padded[..32]);
        Self::from_entropy(&entropy)
    }

    /// The words, with one space between them.
    pub fn words(&self) -> Zeroizing<String> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, &*self.0).expect("32 bytes are 24 words");
        Zeroizing::new(mnemonic.to_string())
    }

    /// The nonce of the genesis (`ID-15`).
    pub fn genesis_nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.derive("genesis-nonce", &mut nonce);
        nonce
    }

    /// The control key with this index: 0 at genesis, one more with every rotation (`ID-15`).
    pub fn control_key(&self, index: u32) -> SecretKey {
        self.key(&format!("control-key/{index}"))
    }

    /// The key of the first device (`ID-15`). A restore never uses it again: it makes a new device key.
    pub fn device_key(&self) -> SecretKey {
        self.key("device-key/0")
    }

    /// The key that signs the rotation with this number and nothing else (`ID-15`); the first is number 1.
    pub fn next_key(&self, number: u32) -> SecretKey {
        self.key(&format!("next-key/{number}"))
    }

    /// The commitment to the next key with this number.
    pub fn next_keys(&self, number: u32) -> NextKeys {
        NextKeys::commit_to(&KeyList::single(&self.next_key(number).public()))
    }

    /// The signed genesis of this phrase's identity; its payload's hash is the DID (`ID-1`, `ID-15`).
    pub fn genesis(&self, network: Network) -> SignedObject {
        let control = self.control_key(0);
        let next = self.next_keys(1);
        compose::genesis(network, self.genesis_nonce(), &control, next, &self.device_key().public())
            .expect("derived keys are different, and one key signs")
    }

    /// What the rotation or recovery with this number brings: the control key with this index, the
    /// commitment to the next key after it, and these devices.
    pub fn renewal(&self, number: u32, guardians: Option<Guardians>, devices: &[&SecretKey]) -> Renewal {
        let mut devices: Vec<_> = devices.iter().map(|device| device.public().device_id()).collect();
        devices.sort_unstable();
        let control = KeyList::single(&self.control_key(number).public());
        Renewal { control, next: self.next_keys(number + 1), guardians, devices, unlocks: Vec::new() }
    }

    /// The rotation that these words sign at a place (`ID-6`, `ID-15`). It keeps the guardians of the
    /// place, and brings `devices`, which sign too.
    ///
    /// Fails with `NotCommitted` where the words are not those of the place.
    pub fn rotation(&self, place: &Place, devices: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
        self.rotate(place, self.renewal(place.epoch + 1, place.guardians.clone(), devices), devices)
    }

    /// The rotation that brings `renewal`; `devices` are the secret keys of the devices that it brings.
    pub fn rotate(
        &self,
        place: &Place,
        renewal: Renewal,
        devices: &[&SecretKey],
    ) -> Result<SignedObject, IdentityError> {
        let next = self.next_key(place.epoch + 1);
        let signers: Vec<&SecretKey> = [&next].into_iter().chain(devices.iter().copied()).collect();
        compose::rotate(place, KeyList::single(&next.public()), renewal, &signers)
    }

    /// The newest place of the identity log where these words can sign a rotation: the head, or what
    /// lies before a retirement or a recovery that these words undo. None if they can't anywhere.
    pub fn rotation_place(&self, record: &IdentityRecord) -> Option<Place> {
        let log = record.log();
        let retired = record.state().retired;
        let places = log.iter().rev().filter(|id| Some(**id) != retired).filter_map(|id| record.place_after(id));
        places.into_iter().find(|place| self.next_keys(place.epoch + 1) == place.next)
    }

    /// The X25519 secret that opens backups (`ARC-11`). Its public half seals them and is kept on devices.
    pub fn backup_secret(&self) -> Zeroizing<[u8; 32]> {
        let mut secret = Zeroizing::new([0; 32]);
        self.derive("backup-key", &mut *secret);
        secret
    }

    fn key(&self, info: &str) -> SecretKey {
        let mut seed = Zeroizing::new([0; 32]);
        self.derive(info, &mut *seed);
        SecretKey::from_seed(&seed).expect("HKDF does not give zeros")
    }

    fn derive(&self, info: &str, out: &mut [u8]) {
        let hkdf = Hkdf::<Sha256>::new(Some(SALT), &*self.0);
        hkdf.expand(info.as_bytes(), out).expect("at most 32 bytes are asked for");
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Phrase {
        Phrase::from_entropy(&[7; 32]).expect("entropy")
    }

    #[test]
    fn words_read_back_in_any_case_and_spacing() {
        let words = alice().words();
        assert_eq!(words.split(' ').count(), PHRASE_WORDS);
        let spread = format!("  {}\n", words.to_uppercase().replace(' ', " \t "));
        assert_eq!(*Phrase::parse(&spread).expect("same words").words(), **words);
    }

    #[test]
    fn the_same_words_give_the_same_identity_and_different_keys_for_each_use() {
        let again = Phrase::parse(&alice().words()).expect("words");
        assert_eq!(alice().genesis(Network::MAIN), again.genesis(Network::MAIN));
        let keys = [alice().control_key(0), alice().control_key(1), alice().device_key()];
        let distinct: std::collections::BTreeSet<_> = keys.iter().map(SecretKey::public).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn the_words_give_the_secret_of_backups() {
        let known = "a3804fc2aefaf8b1285f5ba8c07e2fed42e6b0dfc349325d2130e23414580419";
        assert_eq!(data_encoding::HEXLOWER.encode(&*alice().backup_secret()), known);
    }

    #[test]
    fn wrong_words_are_told_by_place() {
        let check = |text: &str, want: PhraseError| assert_eq!(Phrase::parse(text).map(|_| ()), Err(want), "{text}");
        check("abandon", PhraseError::WordCount { words: 1 });
        check(&"abandon ".repeat(24), PhraseError::Checksum);
        check(&format!("{}art", "abandon ".repeat(23)), PhraseError::ZeroEntropy);
        check(
            &format!("{}xom {}", "abandon ".repeat(3), "abandon ".repeat(20)),
            PhraseError::UnknownWord { position: 4 },
        );
    }

    #[test]
    fn a_broken_entropy_source_stops_key_creation() {
        assert_eq!(Phrase::from_entropy(&[0; 32]).map(|_| ()), Err(PhraseError::ZeroEntropy));
    }

    #[test]
    fn a_phrase_does_not_show_in_debug() {
        assert_eq!(format!("{:?}", alice()), "Phrase(hidden)");
    }
}
