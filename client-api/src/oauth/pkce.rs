//! PKCE (RFC 7636), `S256` only: who redeems a code proves to be who asked for it.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// Shortest and longest verifier, characters (RFC 7636 section 4.1).
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// The hash of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

/// A challenge that is none, or of a kind that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// `plain`, also where no method is named, since that means `plain`.
    #[error("code_challenge_method must be S256")]
    Method,
    /// Not 32 bytes in base64url.
    #[error("code_challenge is no SHA-256 in base64url")]
    Malformed,
}

impl Challenge {
    /// Reads the parameters of an authorization request; none if they ask for no PKCE.
    pub fn read(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, ChallengeError> {
        let Some(challenge) = challenge else {
            return if method.is_some() { Err(ChallengeError::Malformed) } else { Ok(None) };
        };
        if method != Some("S256") {
            return Err(ChallengeError::Method);
        }
        let bytes = BASE64URL_NOPAD.decode(challenge.as_bytes()).map_err(|_| ChallengeError::Malformed)?;
        bytes.try_into().map(|bytes| Some(Self(bytes))).map_err(|_| ChallengeError::Malformed)
    }

    /// True if this is the hash of a verifier.
    pub fn is_of(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let well_formed = VERIFIER_CHARS.contains(&verifier.len()) && verifier.bytes().all(unreserved);
        well_formed && super::secret::is_same(&self.0, &Sha256::digest(verifier.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_fits_and_nothing_else_does() {
        let challenge = Challenge::read(Some(CHALLENGE), Some("S256")).unwrap().unwrap();
        assert!(challenge.is_of(VERIFIER));
        for wrong in ["", CHALLENGE, &VERIFIER[1..], &VERIFIER.to_lowercase(), &format!("{VERIFIER}=")] {
            assert!(!challenge.is_of(wrong), "{wrong}");
        }
    }

    #[test]
    fn r_api_6_plain_and_broken_challenges_are_refused() {
        let read = Challenge::read;
        assert_eq!(read(None, None), Ok(None));
        assert_eq!(read(Some(CHALLENGE), Some("plain")), Err(ChallengeError::Method));
        assert_eq!(read(Some(CHALLENGE), None), Err(ChallengeError::Method));
        assert_eq!(read(None, Some("S256")), Err(ChallengeError::Malformed));
        for broken in ["", "abc", VERIFIER.trim_end_matches('k'), &format!("{CHALLENGE}A")] {
            assert_eq!(read(Some(broken), Some("S256")), Err(ChallengeError::Malformed), "{broken}");
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for (verifier, fits) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (" ".repeat(43), false),
        ] {
            let challenge = Challenge(Sha256::digest(verifier.as_bytes()).into());
            assert_eq!(challenge.is_of(&verifier), fits, "{verifier}");
        }
    }
}
