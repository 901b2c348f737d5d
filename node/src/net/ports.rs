//! Ports as `xom doctor` asks after them: could this machine listen there, and does anybody answer.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use libp2p::Multiaddr;

use super::listen::{self, Transport};
use crate::error::StartError;

/// How long an answer may take: it comes from this machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Fails where another socket has the address, or where this machine has no such address. Changes nothing.
pub fn can_listen(address: &Multiaddr) -> Result<(), StartError> {
    listen::probe(address)
}

/// Whether somebody answers at an address; none where that can't be asked without a handshake, as over QUIC. Blocking.
pub fn answers(address: &Multiaddr) -> Option<io::Result<()>> {
    match listen::socket_address(address) {
        Some((socket, Transport::Tcp)) => Some(TcpStream::connect_timeout(&socket, ANSWER_TIMEOUT).map(drop)),
        Some((_, Transport::Udp)) | None => None,
    }
}
