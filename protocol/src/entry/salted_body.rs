//! Bodies under their salted commitment.

use crate::ids::Digest;
use crate::keys::Domain;
use crate::limits::{BODY_BYTES_MAX, SALT_BYTES, SIZE_CLASS_MIN};
use crate::network::Network;

/// The random bytes that keep a short body from being guessed out of its commitment.
pub type Salt = [u8; SALT_BYTES];

/// A body's bytes with their salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedBody {
    /// The salt.
    pub salt: Salt,
    /// The body, DAG-CBOR if its kind is one of ours, otherwise whatever the app wrote.
    pub bytes: Vec<u8>,
}

/// SHA-256 over the domain, the salt and the body (`LOG-6`).
pub fn commitment(network: Network, salt: &Salt, body: &[u8]) -> Digest {
    Digest::of(&[&Domain::Body.prefix(network), salt, body])
}

/// The exponent of the smallest power of two, at least 256, that holds `bytes`; `None` above the
/// largest class (`LOG-6`).
pub fn size_class(bytes: usize) -> Option<u8> {
    if bytes > BODY_BYTES_MAX {
        return None;
    }
    let exponent = bytes.max(1).next_power_of_two().trailing_zeros();
    u8::try_from(exponent).ok().map(|exponent| exponent.max(SIZE_CLASS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_class_is_the_smallest_that_fits() {
        let cases =
            [(0, Some(8)), (1, Some(8)), (256, Some(8)), (257, Some(9)), (1 << 18, Some(18)), ((1 << 18) + 1, None)];
        for (bytes, class) in cases {
            assert_eq!(size_class(bytes), class, "{bytes}");
        }
    }
}
