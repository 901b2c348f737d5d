//! Timers as data: when something last came and went, and what that means now (`SYN-14`).

use super::output::CloseReason;
use crate::limits::{HANDSHAKE_MS, IDLE_FRAMES_MAX, OFFER_MS, PING_MS, SILENCE_MS};

/// The times of one session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    opened_ms: u64,
    received_ms: u64,
    sent_ms: u64,
    /// Frames that brought nothing new.
    idle_frames: u64,
}

impl Clock {
    pub(super) fn opened(now_ms: u64) -> Self {
        Self { opened_ms: now_ms, received_ms: now_ms, sent_ms: now_ms, idle_frames: 0 }
    }

    pub(super) fn received(&mut self, now_ms: u64) {
        self.received_ms = now_ms;
    }

    pub(super) fn sent(&mut self, now_ms: u64) {
        self.sent_ms = now_ms;
    }

    /// Whole seconds since the session was opened.
    pub(super) fn seconds(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.opened_ms) / 1_000
    }

    /// Counts a frame that brought nothing new; false if there were too many (`SYN-15`).
    pub(super) fn idle(&mut self, now_ms: u64) -> bool {
        self.idle_frames += 1;
        self.idle_frames <= IDLE_FRAMES_MAX + self.seconds(now_ms)
    }

    /// True if it is time to say that we are still here.
    pub(super) fn is_ping_due(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.sent_ms) >= PING_MS
    }

    /// Why the session has to end by now, if it has.
    pub(super) fn overdue(&self, is_open: bool, has_offer: bool, now_ms: u64) -> Option<CloseReason> {
        let age_ms = now_ms.saturating_sub(self.opened_ms);
        if (!is_open && age_ms > HANDSHAKE_MS) || (!has_offer && age_ms > OFFER_MS) {
            return Some(CloseReason::HandshakeTimeout);
        }
        (now_ms.saturating_sub(self.received_ms) > SILENCE_MS).then_some(CloseReason::Silent)
    }
}
