//! A token that was handed out: for which app, as whom, for what, and whether it still counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use tokio_util::sync::CancellationToken;
use xom_protocol::Did;

use super::client::Client;
use super::limits::LAST_USED_MS;
use super::scope::Scopes;
use super::window::{Quota, Window};

/// Bytes of a token's hash that are its public id.
const ID_BYTES: usize = 8;

/// What a token allows.
pub struct Grant {
    /// The token's hash.
    pub(super) hash: [u8; 32],
    /// The app.
    pub client: Arc<Client>,
    /// The identity that allowed it; none for an app that speaks for nobody.
    pub did: Option<Did>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
    pub(super) used_ms: AtomicU64,
    pub(super) noted_ms: AtomicU64,
    pub(super) ended: CancellationToken,
    pub(super) requests: Arc<Window>,
}

impl Grant {
    /// What lists call it; nothing that opens anything.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&self.hash[..ID_BYTES])
    }

    /// The token's hash, which tells tokens apart and says nothing of them.
    pub fn digest(&self) -> &[u8; 32] {
        &self.hash
    }

    /// When it was last used, milliseconds since 1970; none if never.
    pub fn last_used_ms(&self) -> Option<u64> {
        Some(self.used_ms.load(Ordering::Relaxed)).filter(|ms| *ms > 0)
    }

    /// Ends with the token: when it is revoked, or its app goes.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Counts a request.
    pub fn count(&self, now_ms: u64) -> Quota {
        self.requests.take(now_ms)
    }

    /// Takes down that it is used; true for the one caller who shall write that to disk.
    pub(super) fn use_at(&self, now_ms: u64) -> bool {
        self.used_ms.store(now_ms, Ordering::Relaxed);
        let noted = self.noted_ms.load(Ordering::Relaxed);
        let is_due = now_ms.saturating_sub(noted) >= LAST_USED_MS;
        is_due && self.noted_ms.compare_exchange(noted, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
