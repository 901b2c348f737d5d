//! What a developer needs to begin, printed by `xom dev`.

use std::net::SocketAddr;

/// A token, and a line that uses it.
pub(super) struct Hint {
    /// The owner's token. Worth nothing once the node has ended, and its folder is gone.
    pub(super) token: String,
    /// A line for a shell.
    pub(super) curl: String,
}

impl Hint {
    /// For a node that serves at an address.
    pub(super) fn new(http: SocketAddr, token: &str) -> Self {
        let url = format!("http://{http}/api/v1/timelines/home?limit=2");
        Self { token: token.to_owned(), curl: format!("curl -H 'Authorization: Bearer {token}' '{url}'") }
    }
}
