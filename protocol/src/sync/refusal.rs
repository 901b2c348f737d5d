//! What the peer did wrong, on its way to the outputs.

use super::message::MessageError;
use crate::rule::Rule;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) rule: Rule,
    pub(super) detail: String,
    /// A break of the conversation itself closes the stream at once; a mere fault is counted (`SYN-15`).
    pub(super) grave: bool,
}

impl Refusal {
    /// No honest peer does this.
    pub(super) fn grave(rule: &'static str, detail: impl Into<String>) -> Self {
        Self { rule: Rule(rule), detail: detail.into(), grave: true }
    }

    /// It may be a disagreement, or what the peer itself was given.
    pub(super) fn fault(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into(), grave: false }
    }

    /// Grave unless the condition holds.
    pub(super) fn unless(holds: bool, rule: &'static str, detail: &str) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::grave(rule, detail)) }
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Self {
        Self { rule: error.rule(), detail: error.to_string(), grave: true }
    }
}
