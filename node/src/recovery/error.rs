//! Why a recovery does not go on.

use xom_protocol::identity::IdentityError;
use xom_protocol::phrase::PhraseError;

/// A step of a recovery that can't be done. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// No request of this code was asked of this guardian.
    #[error("no request with this code is known here; let it be asked again, and compare the code")]
    NoRequest,
    /// It is finished or was cancelled, or the identity has changed.
    #[error("this recovery is over: it is finished, was stopped, or the identity has changed since it was asked for")]
    Over,
    /// The guardian has approved another start at the same place (`ID-16`).
    #[error(
        "you have approved another recovery of this identity ({code}), and two would stop each other; if that one is \
         not the owner's, refuse it first"
    )]
    AnotherApproved {
        /// The code of the other.
        code: String,
    },
    /// The start is approved and not on the log yet.
    #[error("approved already; once enough guardians have, the recovery starts, and the delay begins")]
    NotStarted,
    /// The delay is not over (`REC-5`).
    #[error("the delay is not over: the second approval can be given in {}", span(*secs))]
    NotYet {
        /// How long it still takes, seconds.
        secs: u64,
    },
    /// No recovery by guardians goes on.
    #[error("no recovery of this identity goes on")]
    NoRecovery,
    /// A device can postpone a recovery once.
    #[error("this device has postponed the recovery already; only the control key or the words can stop it")]
    Postponed,
    /// The identity has no guardians.
    #[error("this identity has no guardians")]
    NoGuardians,
    /// The words are not those of the present (`ID-15`).
    #[error(
        "these are older words: a rotation or a recovery has replaced them. Give the newest words of this identity, \
         and with them its DID or an invite to it"
    )]
    OlderWords,
    /// The words are another identity's.
    #[error("these words are of another identity")]
    OtherWords,
    /// What was composed is refused by the rules of identities.
    #[error("identity: {0}")]
    Identity(IdentityError),
    /// Not 24 words.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
}

impl RecoveryError {
    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRequest => "no-request",
            Self::Over => "recovery-over",
            Self::AnotherApproved { .. } => "another-approved",
            Self::NotStarted => "not-started",
            Self::NotYet { .. } => "not-yet",
            Self::NoRecovery => "no-recovery",
            Self::Postponed => "postponed-already",
            Self::NoGuardians => "no-guardians",
            Self::OlderWords => "older-words",
            Self::OtherWords => "other-words",
            Self::Identity(_) => "identity-refused",
            Self::Phrase(_) => "not-a-phrase",
        }
    }
}

impl From<IdentityError> for RecoveryError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotCommitted => Self::OlderWords,
            other => Self::Identity(other),
        }
    }
}

/// A time for people.
fn span(secs: u64) -> String {
    match secs {
        0..120 => format!("{secs} seconds"),
        120..7_200 => format!("{} minutes", secs.div_ceil(60)),
        _ => format!("{} hours", secs.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_takes_is_said_in_hours_minutes_or_seconds_and_never_too_short() {
        let said = |secs| RecoveryError::NotYet { secs }.to_string();
        assert!(said(72 * 3_600).ends_with("in 72 hours"));
        assert!(said(7_201).ends_with("in 3 hours"));
        assert!(said(121).ends_with("in 3 minutes"));
        assert!(said(1).ends_with("in 1 seconds"));
    }
}
