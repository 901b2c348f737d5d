//! A name or number under which a node is reached over TLS.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest name, bytes (RFC 1035).
const NAME_BYTES_MAX: usize = 253;
/// Longest part of a name, bytes (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// A name of the domain name system in lower case, or a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// A name.
    Dns(String),
    /// A number.
    Ip(IpAddr),
}

/// Not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no name; write home.example or 192.168.1.7 (a name with other letters in its xn-- form)")]
pub struct NameError;

impl Name {
    /// The values of `Host` that mean it, whichever port clients come by.
    pub(crate) fn hosts(&self, port: u16) -> [String; 2] {
        let bare = match self {
            Self::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            other => other.to_string(),
        };
        [format!("{bare}:{port}"), bare]
    }

    /// The beginning of addresses.
    pub fn url(&self, port: u16) -> String {
        let [with_port, bare] = self.hosts(port);
        format!("https://{}", if port == 443 { bare } else { with_port })
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return if ip.is_unspecified() || ip.is_multicast() { Err(NameError) } else { Ok(Self::Ip(ip)) };
        }
        let is_label = |label: &str| {
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A name that ends in a number is read as a number by browsers.
        let ends_in_number = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if text.len() > NAME_BYTES_MAX || ends_in_number || !text.split('.').all(is_label) {
            return Err(NameError);
        }
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_told_apart() {
        assert_eq!("Home.Example".parse(), Ok(Name::Dns("home.example".into())));
        assert_eq!("192.168.1.7".parse(), Ok(Name::Ip([192, 168, 1, 7].into())));
        assert_eq!("[fd00::1]".parse::<Name>().unwrap().url(7443), "https://[fd00::1]:7443");
        assert_eq!("xom.example".parse::<Name>().unwrap().url(443), "https://xom.example");
    }

    #[test]
    fn what_browsers_would_read_as_something_else_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            "-a",
            "a-",
            "*.example",
            "nhà.example",
            "a b",
            "a:80",
            "127.1",
            "1.2.3.4.5",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "user@home",
            "https://home",
            &"a".repeat(64),
            &"a.".repeat(200),
        ] {
            assert_eq!(text.parse::<Name>(), Err(NameError), "{text}");
        }
    }
}
