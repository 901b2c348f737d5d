//! Encrypts a push message for one app: RFC 8291, in a single record of RFC 8188.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use zeroize::Zeroizing;

/// Longest text of a message, bytes: push services take 4,096 bytes with all that is around it (RFC 8030 section 7.2).
pub(super) const TEXT_BYTES_MAX: usize = 3_993;
/// The size of a record that is announced; the one record is no longer.
const RECORD_BYTES: u32 = 4_096;
/// Bytes of a point of P-256, uncompressed (X9.62).
const POINT_BYTES: usize = 65;
/// Bytes of the secret that app and node share.
const AUTH_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// Ends the last record (RFC 8188 section 2).
const LAST: u8 = 2;

/// A message that can't be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// Longer than push services take.
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// The key of the app is no point of the curve.
    #[error("the key of the app can't be used")]
    Key,
    /// The system has no entropy.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
}

/// The keys by which an app reads its messages, as it gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    point: [u8; POINT_BYTES],
    auth: [u8; AUTH_BYTES],
}

impl Receiver {
    /// Reads `p256dh` and `auth`, in either alphabet of base64; none where they are no such keys.
    pub fn read(p256dh: &str, auth: &str) -> Option<Self> {
        let point: [u8; POINT_BYTES] = bytes(p256dh)?.try_into().ok()?;
        let auth = bytes(auth)?.try_into().ok()?;
        ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, &point[..])).ok()?;
        Some(Self { point, auth })
    }

    /// `p256dh`.
    pub fn point_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.point)
    }

    /// `auth`.
    pub fn auth_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.auth)
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    BASE64URL_NOPAD.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).ok()
}

/// Encrypts a message, ready to be sent with `Content-Encoding: aes128gcm`.
pub fn encrypt(receiver: &Receiver, text: &[u8]) -> Result<Vec<u8>, EncryptError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|cause| EncryptError::Entropy(cause.to_string()))?;
    let own = PrivateKey::generate(&ECDH_P256).map_err(|_| EncryptError::Key)?;
    encrypt_with(receiver, text, &own, salt)
}

fn encrypt_with(
    receiver: &Receiver,
    text: &[u8],
    own: &PrivateKey,
    salt: [u8; SALT_BYTES],
) -> Result<Vec<u8>, EncryptError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(EncryptError::TooLong(text.len()));
    }
    let own_point = own.compute_public_key().map_err(|_| EncryptError::Key)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &receiver.point);
    let input = agree(own, theirs, EncryptError::Key, |shared| {
        let info = [b"WebPush: info\0", &receiver.point[..], own_point.as_ref()];
        Ok(Zeroizing::new(expand::<32>(&Salt::new(HKDF_SHA256, &receiver.auth).extract(shared), &info)))
    })?;
    let prk = Salt::new(HKDF_SHA256, &salt).extract(&*input);
    let key = Zeroizing::new(expand::<16>(&prk, &[b"Content-Encoding: aes128gcm\0"]));
    let nonce = expand::<12>(&prk, &[b"Content-Encoding: nonce\0"]);

    let mut message = Vec::with_capacity(SALT_BYTES + 5 + POINT_BYTES + text.len() + 1 + TAG_BYTES);
    message.extend_from_slice(&salt);
    message.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    message.push(POINT_BYTES as u8);
    message.extend_from_slice(own_point.as_ref());
    let mut record = [text, &[LAST]].concat();
    let key = UnboundKey::new(&AES_128_GCM, &*key).map_err(|_| EncryptError::Key)?;
    let sealed =
        LessSafeKey::new(key).seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record);
    sealed.map_err(|_| EncryptError::Key)?;
    message.extend_from_slice(&record);
    Ok(message)
}

/// So many bytes of key material.
struct Bytes<const N: usize>;

impl<const N: usize> KeyType for Bytes<N> {
    fn len(&self) -> usize {
        N
    }
}

fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut bytes = [0; N];
    let filled = prk.expand(info, Bytes::<N>).and_then(|material| material.fill(&mut bytes));
    filled.expect("so few bytes can always be drawn");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_as_it_stands_there() {
        let receiver = Receiver::read(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap();
        let own = from_text("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let salt = from_text("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let message = encrypt_with(&receiver, b"When I grow up, I want to be a watermelon", &own, salt).unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&message),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn a_message_is_never_longer_than_push_services_take() {
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        let point = BASE64URL_NOPAD.encode(key.compute_public_key().unwrap().as_ref());
        let receiver = Receiver::read(&point, "BTBZMqHH6r4Tts7J_aSIgg==").unwrap();
        assert_eq!(encrypt(&receiver, &[b'a'; TEXT_BYTES_MAX]).unwrap().len(), 4_096);
        assert!(matches!(encrypt(&receiver, &[b'a'; TEXT_BYTES_MAX + 1]), Err(EncryptError::TooLong(_))));
        assert_ne!(encrypt(&receiver, b"a").unwrap(), encrypt(&receiver, b"a").unwrap(), "a new key each time");
    }

    #[test]
    fn what_is_no_key_of_an_app_is_refused() {
        let (point, auth) = (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        let off_curve = BASE64URL_NOPAD.encode(&[4; 65]);
        for (point, auth) in
            [("", auth), (point, ""), (&point[1..], auth), (point, "AAAA"), (&off_curve, auth), ("!", "!")]
        {
            assert_eq!(Receiver::read(point, auth), None, "{point} {auth}");
        }
    }
}
