//! What a check of a running node looks at, besides its status.

/// How the node stands, for `xom doctor` and for those who measure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// By how much the clocks of peers are ahead of this machine's, their median; none while too few are known.
    pub clock_ahead_ms: Option<i64>,
    /// Nodes in the table of who is where.
    pub table_nodes: u64,
    /// Searches in that table that go on now.
    pub searches: u64,
    /// Peers of the address book.
    pub peers_known: u64,
    /// Peers that are kept away.
    pub peers_banned: u64,
    /// Peers with whom nothing is left to exchange.
    pub peers_in_sync: u64,
    /// Entries from peers that were new.
    pub entries_received: u64,
    /// Entries that went to peers.
    pub entries_sent: u64,
    /// Bytes that are free where the data folder is; none where the system does not say.
    pub disk_free_bytes: Option<u64>,
}

/// A peer that is kept away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanInfo {
    /// Its peer id.
    pub peer: String,
    /// Why.
    pub reason: String,
    /// Until when, milliseconds since 1970.
    pub until_ms: u64,
    /// The owner said so; otherwise it broke a rule.
    pub by_owner: bool,
}
