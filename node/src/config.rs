//! What a node is told at its start. Parsing of files, flags and variables is the caller's.

use std::path::PathBuf;
use std::time::Duration;

pub use libp2p::Multiaddr;
use xom_protocol::Network;
use xom_protocol::limits::RECOVERY_DELAY_MS;

/// Usual room for others' pictures and other blobs, bytes (`BLOB-11`).
pub const MEDIA_ROOM_BYTES: u64 = 20_000_000_000;

/// The delay of guardians.
pub const RECOVERY_DELAY: Duration = Duration::from_millis(RECOVERY_DELAY_MS);

/// The settings of one run of a node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The data folder; made with mode 0700 where it is missing.
    pub data_dir: PathBuf,
    /// The network.
    pub network: Network,
    /// Where to listen for peers. With `/memory/<port>` only nodes of this process are reached and reach this one.
    pub listen: Vec<Multiaddr>,
    /// Peers to dial at the start and to ask for identities.
    pub bootstrap: Vec<Multiaddr>,
    /// Announce this node on the local network, and dial those who do (`FIND-6`).
    pub mdns: bool,
    /// The file with the key of a closed network, whose nodes talk to each other alone, over TCP (`PNET-2`).
    pub swarm_key: Option<PathBuf>,
    /// Ask the router of the local network to let peers in (`RCH-12`).
    pub upnp: bool,
    /// Most bytes a second that are sent; none for as many as the line takes. At least [`crate::RATE_MIN`].
    pub upload_max: Option<u64>,
    /// Most bytes a second that are taken in and asked for.
    pub download_max: Option<u64>,
    /// The user name of the identity that is made where there is none; none to start without an identity,
    /// for one that comes from elsewhere.
    pub first_username: Option<String>,
    /// How long guardians who live here wait before they can approve the finish of a recovery, by this
    /// node's clock (`REC-5`). The real one is [`RECOVERY_DELAY`]; tests shorten it.
    pub recovery_delay: Duration,
    /// How much of the disk an author may take who is followed, bytes (`KEEP-2`).
    pub author_quota_bytes: u64,
    /// How much the pictures and other blobs of authors may take who are neither kept nor live here (`BLOB-11`).
    pub media_room_bytes: u64,
}
