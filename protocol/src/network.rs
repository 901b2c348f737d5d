//! The name of a network, part of every signature and every log id, so that nothing signed for one
//! network is valid in another.

use std::fmt;
use std::str::FromStr;

use crate::limits::NETWORK_NAME_BYTES_MAX;

/// A network name: 1 to 32 bytes of `[a-z0-9-]`. The public network is [`Network::MAIN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    bytes: [u8; NETWORK_NAME_BYTES_MAX],
    len: u8,
}

/// The text is not a network name (rule `ENC-9`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a network name is 1 to 32 characters of a-z, 0-9 and -")]
pub struct NetworkNameError;

impl Network {
    /// The public network.
    pub const MAIN: Self = {
        let mut bytes = [0; NETWORK_NAME_BYTES_MAX];
        bytes[0] = b'm';
        bytes[1] = b'a';
        bytes[2] = b'i';
        bytes[3] = b'n';
        Self { bytes, len: 4 }
    };

    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("checked at construction")
    }
}

impl FromStr for Network {
    type Err = NetworkNameError;

    fn from_str(name: &str) -> Result<Self, NetworkNameError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > NETWORK_NAME_BYTES_MAX || !name.bytes().all(allowed) {
            return Err(NetworkNameError);
        }
        let mut bytes = [0; NETWORK_NAME_BYTES_MAX];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let len = u8::try_from(name.len()).map_err(|_| NetworkNameError)?;
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_name_is_short_lower_case_ascii() {
        assert_eq!("main".parse(), Ok(Network::MAIN));
        for bad in ["", "Main", "a b", "xóm", &"x".repeat(33)] {
            assert_eq!(bad.parse::<Network>(), Err(NetworkNameError), "{bad:?}");
        }
    }
}
