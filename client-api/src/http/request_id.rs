//! A name for each request, so that an answer can be found in the log.

use std::sync::atomic::{AtomicU64, Ordering};

/// Gives each request a name: random for the run, then counted.
#[derive(Debug)]
pub struct RequestIds {
    run: u32,
    count: AtomicU64,
}

impl RequestIds {
    /// Starts a run.
    pub fn new() -> Self {
        let mut run = [0; 4];
        // Only a label: without entropy all runs have the same.
        if getrandom::fill(&mut run).is_err() {
            tracing::warn!("no entropy for request ids");
        }
        Self { run: u32::from_le_bytes(run), count: AtomicU64::new(1) }
    }

    /// The next name.
    pub fn next(&self) -> String {
        format!("{:08x}-{:x}", self.run, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}
