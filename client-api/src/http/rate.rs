//! What is left of a caller's requests, from where the caller is known to where headers are written.

use std::sync::{Arc, OnceLock};

use crate::oauth::window::Quota;

/// Belongs to one request; filled once its token is known.
#[derive(Debug, Clone, Default)]
pub struct RateSlot(Arc<OnceLock<Quota>>);

impl RateSlot {
    /// Takes down what is left.
    pub fn fill(&self, quota: Quota) {
        // A request has one caller; a second extractor of the same request changes nothing.
        let _ = self.0.set(quota);
    }

    /// What is left; none for callers whose requests are not counted.
    pub fn quota(&self) -> Option<Quota> {
        self.0.get().copied()
    }
}
