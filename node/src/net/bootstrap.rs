//! The owner's own list of nodes to begin with, beside the one of the settings (`FIND-7`).

use libp2p::Multiaddr;

use super::address::{is_dialable, split};
use super::transport::fit_closed_network;
use crate::error::StoreError;
use crate::store::Snapshot;

/// The family of records that the list is kept in.
pub(crate) const FAMILY: &str = "bootstrap";
/// Addresses on the list (`FIND-7`).
pub(crate) const BOOTSTRAP_MAX: usize = 64;
/// Longest address, bytes.
const ADDRESS_BYTES_MAX: usize = 256;

/// Reads an address that the owner gives; fails with why it is none to begin with. `closed` is a network with a key.
pub(crate) fn read(text: &str, closed: bool) -> Result<Multiaddr, &'static str> {
    let text = text.trim();
    let wrong = "that is no address to dial; one looks like /ip4/203.0.113.7/udp/4001/quic-v1/p2p/12D3KooW…";
    let address: Multiaddr = text.parse().map_err(|_| wrong)?;
    if text.len() > ADDRESS_BYTES_MAX || !is_dialable(&split(address.clone()).0) {
        return Err(wrong);
    }
    if closed && fit_closed_network([&address]).is_err() {
        return Err("a closed network is reached over TCP only");
    }
    Ok(address)
}

impl Snapshot {
    /// The addresses on the list, in their order as texts; what this version can't read is left out.
    pub(crate) fn bootstrap(&self) -> Result<Vec<Multiaddr>, StoreError> {
        let records = self.records_of_client(FAMILY, b"", BOOTSTRAP_MAX)?;
        let texts = records.iter().filter_map(|(key, _)| std::str::from_utf8(key).ok());
        Ok(texts.filter_map(|text| text.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_7_only_what_can_be_dialled_is_taken_and_in_a_closed_network_only_tcp() {
        let quic = "/ip4/203.0.113.7/udp/4001/quic-v1";
        assert!(read(quic, false).is_ok());
        assert!(read(quic, true).is_err());
        assert!(read(" /ip4/203.0.113.7/tcp/4001 ", true).is_ok());
        for wrong in ["", "203.0.113.7:4001", "/ip4/203.0.113.7", "/ip4/0.0.0.0/tcp/0", &"/".repeat(300)] {
            assert!(read(wrong, false).is_err(), "{wrong}");
        }
    }
}
