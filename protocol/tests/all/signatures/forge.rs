//! Makes signatures at the edges of ed25519 by curve arithmetic. Each of them is valid for some verifier in
//! use; the names of the properties are those of Chalkias, Garillot and Nikolaenko, "Taming the Many EdDSAs".

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use sha2::{Digest, Sha512};

/// The order of the base point, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// The neutral point with its y written as p + 1.
const NEUTRAL_ABOVE_P: [u8; 32] = above_p(0xee);
/// A point of order four with its y written as p.
const ORDER_FOUR_ABOVE_P: [u8; 32] = above_p(0xed);
/// The neutral point with the sign of its x, which is 0, set.
const NEUTRAL_SIGNED: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes[31] = 0x80;
    bytes
};
/// Numbers that are tried until one makes the case.
const TRIES: u64 = 4_096;

/// What is odd about a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Nothing is.
    Plain,
    /// A and R of small order, S = 0.
    SmallKeySmallR,
    /// A of small order, R mixed.
    SmallKey,
    /// A mixed, R of small order.
    SmallR,
    /// A and R mixed; the equation holds without the cofactor.
    Mixed,
    /// A and R mixed; the equation holds only times eight.
    MixedCofactored,
    /// A mixed, R of prime order; the equation holds only times eight.
    MixedKeyCofactored,
    /// S at or above L, by one L.
    LargeS,
    /// S above L by so much that its highest bits are set.
    VeryLargeS,
    /// R is the neutral point, not canonical; hashed as written.
    NonCanonicalR,
    /// R is the neutral point, not canonical; hashed as it should be written.
    NonCanonicalRReencoded,
    /// A is of order four, not canonical; hashed as written.
    NonCanonicalKey,
    /// A is of order four, not canonical; hashed as it should be written.
    NonCanonicalKeyReencoded,
    /// A is the neutral point with a sign.
    SignedNeutralKey,
}

impl Case {
    pub(crate) const ALL: [Self; 14] = [
        Self::Plain,
        Self::SmallKeySmallR,
        Self::SmallKey,
        Self::SmallR,
        Self::Mixed,
        Self::MixedCofactored,
        Self::MixedKeyCofactored,
        Self::LargeS,
        Self::VeryLargeS,
        Self::NonCanonicalR,
        Self::NonCanonicalRReencoded,
        Self::NonCanonicalKey,
        Self::NonCanonicalKeyReencoded,
        Self::SignedNeutralKey,
    ];

    /// The frozen answer: what is odd is refused, but for points whose small part cancels to the letter.
    pub(crate) fn is_accepted(self) -> bool {
        matches!(self, Self::Plain | Self::Mixed)
    }
}

/// A key and its signature over what `message` makes of the key and `number`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forged {
    pub(crate) key: [u8; 32],
    pub(crate) number: u64,
    pub(crate) signature: [u8; 64],
}

/// Makes a signature of this case over messages that hold the key.
pub(crate) fn forge(case: Case, message: &dyn Fn(&[u8; 32], u64) -> Vec<u8>) -> Forged {
    let made = (0..TRIES).find_map(|number| attempt(case, number, message));
    made.unwrap_or_else(|| panic!("{case:?} could not be made"))
}

fn attempt(case: Case, number: u64, message: &dyn Fn(&[u8; 32], u64) -> Vec<u8>) -> Option<Forged> {
    let (a, r) = (Scalar::from(0x5eed_u64), Scalar::from(number + 77));
    let small =
        [EIGHT_TORSION[1 + usize::try_from(number % 7).ok()?], EIGHT_TORSION[usize::try_from(number / 7 % 8).ok()?]];
    let key = match case {
        Case::SmallKeySmallR | Case::SmallKey => written(small[0]),
        Case::SmallR | Case::Mixed | Case::MixedCofactored | Case::MixedKeyCofactored => written(B * a + small[0]),
        Case::NonCanonicalKey | Case::NonCanonicalKeyReencoded => ORDER_FOUR_ABOVE_P,
        Case::SignedNeutralKey => NEUTRAL_SIGNED,
        _ => written(B * a),
    };
    let r_bytes = match case {
        Case::SmallKeySmallR | Case::SmallR => written(small[1]),
        Case::SmallKey | Case::Mixed | Case::MixedCofactored => written(B * r + small[1]),
        Case::NonCanonicalKey | Case::NonCanonicalKeyReencoded => written(B * r + small[1]),
        Case::NonCanonicalR | Case::NonCanonicalRReencoded => NEUTRAL_ABOVE_P,
        _ => written(B * r),
    };
    let message = message(&key, number);
    let k = hashed(case, &r_bytes, &key, &message);
    let s = match case {
        Case::SmallKeySmallR => Scalar::ZERO,
        Case::SmallKey | Case::NonCanonicalKey | Case::NonCanonicalKeyReencoded | Case::SignedNeutralKey => r,
        Case::SmallR | Case::NonCanonicalR | Case::NonCanonicalRReencoded => k * a,
        _ => r + k * a,
    };
    let rest = B * s - read(&key) * k - read(&r_bytes);
    let odd = match case {
        Case::Mixed => !small[1].is_identity() && rest.is_identity(),
        Case::SmallKey => !small[1].is_identity() && rest.is_identity(),
        Case::MixedCofactored => !small[1].is_identity() && !rest.is_identity(),
        Case::MixedKeyCofactored => !rest.is_identity(),
        _ => rest.is_identity(),
    };
    let mut s = s.to_bytes();
    for _ in 0..match case {
        Case::LargeS => 1,
        Case::VeryLargeS => 14,
        _ => 0,
    } {
        add_order(&mut s);
    }
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r_bytes);
    signature[32..].copy_from_slice(&s);
    odd.then_some(Forged { key, number, signature })
}

/// What a verifier says that takes all that any in use takes: points in any spelling, S of any size, the equation
/// times eight.
pub(crate) fn lax(case: Case, forged: &Forged, message: &[u8]) -> bool {
    let [r, s] = [0, 32].map(|at| forged.signature[at..at + 32].try_into().expect("32 bytes"));
    let k = hashed(case, &r, &forged.key, message);
    let rest = B * Scalar::from_bytes_mod_order(s) - read(&forged.key) * k - read(&r);
    rest.mul_by_cofactor().is_identity()
}

fn hashed(case: Case, r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let r = if case == Case::NonCanonicalRReencoded { written(read(r)) } else { *r };
    let key = if case == Case::NonCanonicalKeyReencoded { written(read(key)) } else { *key };
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn written(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

fn read(bytes: &[u8; 32]) -> EdwardsPoint {
    CompressedEdwardsY(*bytes).decompress().expect("on the curve")
}

fn add_order(s: &mut [u8; 32]) {
    let mut carry = 0_u16;
    for (byte, order) in s.iter_mut().zip(L) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(carry, 0, "S still has 256 bits");
}

/// p with another lowest byte; that of p is 0xed.
const fn above_p(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7f;
    bytes
}
