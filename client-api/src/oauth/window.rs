//! Counting in windows of time: how many requests, registrations or tokens there were lately.

use std::sync::{Mutex, PoisonError};

/// What is left of a window after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many there may be in the window.
    pub limit: u32,
    /// How many more there may be.
    pub remaining: u32,
    /// When counting begins anew, milliseconds since 1970.
    pub reset_ms: u64,
    /// False if this one was too many.
    pub admitted: bool,
}

/// A window that begins with the first request after the last one has ended.
#[derive(Debug)]
pub struct Window {
    limit: u32,
    length_ms: u64,
    counted: Mutex<(u64, u32)>,
}

impl Window {
    /// At most `limit` in `length_ms`.
    pub fn new(limit: u32, length_ms: u64) -> Self {
        Self { limit, length_ms, counted: Mutex::new((0, 0)) }
    }

    /// Counts one more.
    pub fn take(&self, now_ms: u64) -> Quota {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, count) = *counted;
        // A clock that was set back must not keep a window open for long.
        let is_over = now_ms < begun || now_ms - begun >= self.length_ms;
        let (begun, count) = if is_over { (now_ms, 0) } else { (begun, count) };
        let admitted = count < self.limit;
        let count = if admitted { count + 1 } else { count };
        *counted = (begun, count);
        Quota { limit: self.limit, remaining: self.limit - count, reset_ms: begun + self.length_ms, admitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_its_limit_and_begins_anew_when_it_is_over() {
        let window = Window::new(2, 1_000);
        let first = window.take(5_000);
        assert_eq!(first, Quota { limit: 2, remaining: 1, reset_ms: 6_000, admitted: true });
        assert!(window.take(5_500).admitted);
        assert_eq!(window.take(5_999), Quota { limit: 2, remaining: 0, reset_ms: 6_000, admitted: false });
        assert!(window.take(6_000).admitted);
        assert!(window.take(100).admitted, "the clock was set back");
    }
}
