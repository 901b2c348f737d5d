//! Devices of an identity, and a pairing under way, as clients see them.

use xom_protocol::{DeviceId, LogId};

/// A device of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// Its key.
    pub device: DeviceId,
    /// The name that its owner gave it; known to the owner's devices only.
    pub name: Option<String>,
    /// Who admitted it; none for the first one, and for those that the identity log brought.
    pub granted_by: Option<DeviceId>,
    /// It may sign.
    pub is_live: bool,
    /// It is the device of this node.
    pub is_here: bool,
    /// Its root log.
    pub log: LogId,
    /// How many entries of that log are held here.
    pub height: u64,
    /// The claimed time of the newest of them, milliseconds since 1970.
    pub last_ms: Option<u64>,
}

/// By whom a device was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// By the control key, in the identity log.
    ControlKey,
    /// By the device that admitted it, or by itself.
    Device,
}

/// What of a device goes on counting when it ends. What is left out is void, and what it erased comes back; it can
/// be let count later, and never the other way round (`ID-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All that this node holds of it.
    All,
    /// What comes before the first entry that claims this time or a later one, or that was pushed to this node
    /// then or later, as it was made; milliseconds since 1970. Who has the key can claim an earlier time in what he
    /// sends later.
    Before(u64),
    /// The first so many entries of its root log, and of its other logs what comes before the first entry
    /// that is left out.
    Entries(u64),
}

/// An offer to pair that was just made.
#[derive(Clone, PartialEq, Eq)]
pub struct PairOffer {
    /// The text, with its secret: for the owner's eyes only.
    pub text: String,
    /// When it ends, milliseconds since 1970.
    pub expires_ms: u64,
}

impl std::fmt::Debug for PairOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairOffer").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

/// How far the newest offer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairState {
    /// No offer was made since the start.
    None,
    /// Nobody has come with it yet.
    Waiting(PairOffer),
    /// Somebody has: the owner compares the digits on both screens.
    Comparing {
        /// The six digits.
        digits: String,
        /// The owner has confirmed them here, and not yet there.
        confirmed: bool,
    },
    /// The new device has the identity.
    Done(DeviceId),
    /// The device was granted and has not answered.
    Unanswered(DeviceId),
    /// Nobody came in time.
    Expired,
    /// The owner stopped it.
    Stopped,
    /// It was tried too often.
    Spent,
    /// The grant could not be made, for this reason.
    Failed(String),
}
