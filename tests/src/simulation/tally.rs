//! What is counted while the nodes live.

use super::plan::Plan;

/// Names of the sorts of frames, in the order in which they are counted.
pub(super) const SORTS: [&str; 6] = ["entries", "comparison", "acknowledgements", "pings", "identities", "handshake"];

/// The place of pings among them.
pub(super) const PINGS: usize = 3;

/// The length prefix of a frame.
const PREFIX_BYTES: u64 = 4;
/// A ping with its prefix.
pub(super) const PING_BYTES: u64 = 3 + PREFIX_BYTES;

/// What one node sent and received on the measured day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    pub(super) up: u64,
    pub(super) down: u64,
}

/// What all came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) is_measuring: bool,
    pub(super) nodes: Vec<Traffic>,
    /// Bytes that honest nodes sent, by the sort of frame.
    pub(super) by_sort: [u64; SORTS.len()],
    pub(super) streams: u64,
    pub(super) steps: u64,
    /// Entries that came and were new, of the measured day or earlier.
    pub(super) entries_new: u64,
    /// Entries that came and were there already.
    pub(super) entries_again: u64,
    /// How long after its post an entry was at a follower who was awake at the time of the post, milliseconds.
    pub(super) delays_awake: Vec<u64>,
    /// The same for all followers.
    pub(super) delays: Vec<u64>,
    /// Refusals of honest nodes by honest nodes.
    pub(super) refused_honest: Vec<String>,
    /// Refusals of mallory's nodes by honest ones.
    pub(super) refused_mallory: u64,
    /// What honest streams should have brought and did not.
    pub(super) gaps: Vec<String>,
    /// What honest streams were found to have brought, by the same look.
    pub(super) checked: u64,
}

impl Tally {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { nodes: vec![Traffic::default(); plan.nodes], ..Self::default() }
    }
}

/// Bytes of a frame with its prefix.
pub(super) fn frame_bytes(body: &[u8]) -> u64 {
    body.len() as u64 + PREFIX_BYTES
}

/// The sort of a frame, by the number that each message begins with.
pub(super) fn sort_of(body: &[u8]) -> usize {
    match body.get(1) {
        Some(5 | 6 | 9) => 0,
        Some(2..=4) => 1,
        Some(10) => 2,
        Some(13) => PINGS,
        Some(7 | 8) => 4,
        _ => 5,
    }
}

pub(super) fn is_ping(body: &[u8]) -> bool {
    sort_of(body) == PINGS
}
