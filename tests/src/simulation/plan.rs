//! What is simulated, and for how long.

/// An hour in milliseconds.
pub(super) const HOUR_MS: u64 = 3_600_000;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How many nodes, mallory's included.
    pub nodes: usize,
    /// Whom a node follows: so many others in the middle.
    pub follows: u64,
    /// Entries that stand in each log before the first node wakes.
    pub history: u64,
    /// Posts of an author on the measured day, in the middle.
    pub posts: u64,
    /// How long nodes meet and fetch what was written before, hours; nothing is measured.
    pub warm_up_hours: u64,
    /// How long they live and post, hours; this is measured.
    pub measured_hours: u64,
    /// How long all are awake at the end, hours.
    pub healing_hours: u64,
    /// So many of a hundred nodes are mallory's.
    pub mallory_percent: u64,
}

impl Plan {
    /// The seed of the figures in the spec: chosen once, others give other figures and the same truths.
    pub const SEED: u64 = 20_261_129;

    /// A day of this many nodes, a tenth of them mallory's.
    pub fn day(seed: u64, nodes: usize) -> Self {
        Self {
            seed,
            nodes,
            follows: 8,
            history: 6,
            posts: 4,
            warm_up_hours: 6,
            measured_hours: 24,
            healing_hours: 1,
            mallory_percent: 10,
        }
    }

    pub(super) fn measured_from_ms(&self) -> u64 {
        self.warm_up_hours * HOUR_MS
    }

    pub(super) fn healing_from_ms(&self) -> u64 {
        self.measured_from_ms() + self.measured_hours * HOUR_MS
    }

    pub(super) fn end_ms(&self) -> u64 {
        self.healing_from_ms() + self.healing_hours * HOUR_MS
    }
}

/// What one of mallory's nodes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mallory {
    /// Tells where it stands as everybody does, and then gives nothing of others' logs: no answer, no push.
    Withholds,
    /// Says in every session that it holds nothing, lets itself be given all of it, and opens anew after half an hour.
    IsStale,
    /// Sends frames that bring nothing, as many as get through.
    Floods,
    /// Fills the places of a few victims for who dials in, and states itself in the table as a keeper of them.
    Eclipses,
}

impl Mallory {
    pub(super) const ALL: [Self; 4] = [Self::Withholds, Self::IsStale, Self::Floods, Self::Eclipses];
}
