//! Votes and the results of polls.

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_reference, check_rev, ensure};
use crate::entry::Reference;
use crate::limits::{POLL_OPTIONS_MAX, VOTES_MAX};

/// A vote; the register (author, vote, poll) (`BODY-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The post that holds the poll.
    pub poll: Reference,
    /// Greater than that of any earlier vote of this author there.
    pub rev: u64,
    /// Indexes of the options chosen, ascending.
    pub choices: Vec<u64>,
}

/// The final result of a poll, by its author; the register (author, poll-close, poll) (`BODY-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollClose {
    /// The post that holds the poll; of the same identity.
    pub poll: Reference,
    /// Greater than that of any earlier result.
    pub rev: u64,
    /// Votes for each option.
    pub votes: Vec<u64>,
    /// How many identities voted.
    pub voters: u64,
}

impl Vote {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        check_reference(&self.poll)?;
        let in_range = self.choices.iter().all(|choice| *choice < POLL_OPTIONS_MAX as u64);
        let ascending = self.choices.is_sorted_by(|a, b| a < b);
        ensure(in_range && ascending && !self.choices.is_empty(), "BODY-3", "choices")
    }
}

impl PollClose {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        check_reference(&self.poll)?;
        ensure((2..=POLL_OPTIONS_MAX).contains(&self.votes.len()), "BODY-3", "number of options")?;
        let counts = self.votes.iter().chain([&self.voters]);
        ensure(counts.into_iter().all(|count| *count <= VOTES_MAX), "BODY-3", "votes")
    }
}
