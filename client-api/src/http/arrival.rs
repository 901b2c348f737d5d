//! From where a request came in: the other end of its connection, and the listener.

use std::net::SocketAddr;

use axum::http::Extensions;

/// How a request arrived. What its headers say of others on the way is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// It came by the TLS listener.
    pub over_tls: bool,
}

impl Arrival {
    /// How a request arrived; none where no server has taken it.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }
}
