//! How this node can be reached, and how it reaches others.

/// From where a node can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReachState {
    /// Not known yet.
    #[default]
    Unknown,
    /// From this machine, where all its peers are.
    Machine,
    /// From this home or company network, where all its peers are.
    Home,
    /// From anywhere.
    World,
    /// Only through relays.
    Relayed,
    /// By nobody: it reaches others, and they it only while it does.
    Nobody,
}

impl ReachState {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Machine => "machine",
            Self::Home => "home",
            Self::World => "world",
            Self::Relayed => "relayed",
            Self::Nobody => "nobody",
        }
    }
}

/// How this node can be reached, as `xom status` shows it (`RCH-11`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reachability {
    /// From where.
    pub state: ReachState,
    /// That, and how it is known, in words.
    pub words: String,
    /// The relays that keep a reservation for it.
    pub relays: Vec<String>,
    /// For how many others it keeps a reservation.
    pub reservations: u64,
    /// How many pairs talk through it.
    pub circuits: u64,
    /// What the router of the local network did when it was asked to let peers in, in words; none where it is not
    /// asked.
    pub gateway: Option<String>,
}

/// How a peer is connected (`RCH-11`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Without anybody between.
    Direct,
    /// The same: both have met in the middle, with the help of a relay.
    HolePunched,
    /// Through a relay.
    Relayed {
        /// Its peer id.
        by: String,
        /// Both have tried in vain to meet without it.
        tried: bool,
    },
}
