//! Topics: names that say nothing to who does not know what they were made of.

use std::fmt;

use data_encoding::HEXLOWER;

use crate::ids::Digest;
use crate::keys::Domain;
use crate::network::Network;

/// What a group of nodes gossips about (`GSP-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(pub [u8; 32]);

impl Topic {
    /// The topic of a purpose and of what its members know, such as the id of their community.
    pub fn of(network: Network, purpose: &str, known: &[u8]) -> Self {
        let purpose_bytes = u64::try_from(purpose.len()).unwrap_or(u64::MAX).to_be_bytes();
        Self(Digest::of(&[&Domain::Topic.prefix(network), &purpose_bytes, purpose.as_bytes(), known]).0)
    }

    /// Reads a name as it travels; none where it is not 64 lower-case hexadecimal digits.
    pub fn parse(name: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(name.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// The name as it travels.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gsp_1_a_topic_is_read_from_its_name_and_from_no_other_text() {
        let topic = Topic::of(Network::MAIN, "community", b"bees");
        let name = topic.to_string();
        assert_eq!(Topic::parse(&name), Some(topic), "GSP-1");
        for wrong in [name.to_uppercase(), name[1..].to_owned(), format!("{name}0"), name.replace(&name[..1], "g")] {
            assert_eq!(Topic::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn gsp_1_topics_of_other_networks_purposes_and_members_are_others() {
        let test: Network = "test".parse().expect("a name");
        let topics = [
            Topic::of(Network::MAIN, "community", b"bees"),
            Topic::of(test, "community", b"bees"),
            Topic::of(Network::MAIN, "communit", b"ybees"),
            Topic::of(Network::MAIN, "community", b"ants"),
        ];
        for (at, topic) in topics.iter().enumerate() {
            assert!(!topics[..at].contains(topic), "{at}");
        }
    }
}
