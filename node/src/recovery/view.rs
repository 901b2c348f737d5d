//! What guardians see of the recoveries that they are asked for.

use xom_protocol::{DeviceId, Did};

/// A recovery that a guardian who lives here was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestView {
    /// The code that guardian and asker compare by voice (`REC-4`); it also names the request.
    pub code: String,
    /// Whose identity is to be recovered.
    pub account: Did,
    /// The guardian.
    pub guardian: Did,
    /// When it was first asked for, milliseconds since 1970.
    pub asked_ms: u64,
    /// How far it is, for this guardian.
    pub state: RequestState,
}

/// How far a request is, for one guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// The guardian has not said anything.
    Asked,
    /// The guardian has refused; he may still approve.
    Refused,
    /// The guardian has approved the start, which is not on the identity's log yet.
    StartApproved,
    /// The recovery has started; from then on the guardian may approve the finish.
    Started {
        /// Milliseconds since 1970, by this node's clock.
        due_ms: u64,
    },
    /// The guardian has approved the finish.
    FinishApproved,
    /// It is finished or was cancelled, or the identity has changed so that it must be asked anew.
    Over,
}

impl RequestState {
    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::StartApproved => "start-approved",
            Self::Started { .. } => "started",
            Self::FinishApproved => "finish-approved",
            Self::Over => "over",
        }
    }
}

/// What a guardian did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardianAct {
    /// Approved the start.
    StartApproved,
    /// Approved the finish.
    FinishApproved,
    /// Refused.
    Refused,
}

impl GuardianAct {
    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartApproved => "start-approved",
            Self::FinishApproved => "finish-approved",
            Self::Refused => "refused",
        }
    }
}

/// The guardians of an identity. Its log names them by salted hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardiansView {
    /// How many there are.
    pub count: usize,
    /// How many of them can recover the identity.
    pub need: u64,
    /// Those whom this node knows.
    pub known: Vec<Did>,
}

/// A recovery by guardians, as a device of the identity sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryView {
    /// The code that guardians were told.
    pub code: String,
    /// The devices that it brings.
    pub devices: Vec<DeviceId>,
    /// A device of the identity has asked the guardians to wait once more.
    pub postponed: bool,
    /// This device has.
    pub postponed_here: bool,
    /// It is in force.
    pub finished: bool,
}
