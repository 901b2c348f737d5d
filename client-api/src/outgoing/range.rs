//! A range of addresses: one, or all that begin alike.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A number, or a network such as `192.168.1.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    base: IpAddr,
    prefix: u8,
}

/// Not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no address or network; write 192.168.1.7, 192.168.1.0/24 or fd00::/8")]
pub struct RangeError;

impl IpRange {
    /// True if an address lies in it; an IPv4 address in its IPv6 form is meant as what it is.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (base, ip) = (self.base.to_canonical(), ip.to_canonical());
        match (base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                begin_alike(base.to_bits().into(), ip.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => begin_alike(base.to_bits(), ip.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

/// True if two numbers of so many bits agree in the first `prefix` of them.
fn begin_alike(a: u128, b: u128, bits: u8, prefix: u8) -> bool {
    // Nothing is left to compare where the shift takes all.
    let differing = (a ^ b).checked_shr(u32::from(bits.saturating_sub(prefix))).unwrap_or(0);
    differing == 0
}

impl FromStr for IpRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (ip, prefix) = match text.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = ip.parse().map_err(|_| RangeError)?;
        let bits = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| RangeError)?;
        // An IPv4 network in its IPv6 form would be read as another than was meant.
        if prefix > bits || (base != base.to_canonical() && prefix != bits) {
            return Err(RangeError);
        }
        Ok(Self { base, prefix: if base != base.to_canonical() { 32 } else { prefix } })
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, ip: &str) -> bool {
        range.parse::<IpRange>().unwrap().contains(ip.parse().unwrap())
    }

    #[test]
    fn a_range_holds_what_begins_as_it_does() {
        assert!(contains("192.168.1.0/24", "192.168.1.77"));
        assert!(!contains("192.168.1.0/24", "192.168.2.77"));
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("127.0.0.1", "::ffff:127.0.0.1") && contains("::ffff:127.0.0.1", "127.0.0.1"));
        assert!(contains("fd00::/8", "fdab::1") && !contains("fd00::/8", "fe80::1"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "::1"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "localhost", "127.1", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "::ffff:10.0.0.0/8"]
        {
            assert_eq!(text.parse::<IpRange>(), Err(RangeError), "{text}");
        }
    }
}
