//! Blobs over `/xom/blob/2`: asked for by id and by the entry that names them, each group checked before it is kept.

mod fetch;
mod pace;
mod places;
mod serve;
mod wire;

pub(super) use fetch::Fetcher;
pub(super) use serve::Serving;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use libp2p::PeerId;

use super::tally::PeerTally;

/// Who can be asked now, with what they have proved to be.
pub(super) type Connected = Arc<BTreeMap<PeerId, Arc<PeerTally>>>;

/// Slowest transfer that is waited for, bytes a second.
const BYTES_PER_SECOND_MIN: u64 = 4 << 10;
/// Time that a transfer may take besides.
const TRANSFER_SLACK: Duration = Duration::from_secs(20);

/// How long a transfer of so many bytes may take.
fn transfer_time(bytes: u64) -> Duration {
    TRANSFER_SLACK + Duration::from_secs(bytes / BYTES_PER_SECOND_MIN)
}
