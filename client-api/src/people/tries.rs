//! Tries to log in: counted for each name, so that a password is not guessed, and few at once, so that guessing does
//! not take the machine's memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;
use xom_protocol::Did;

use super::limits::{PASSWORDS_AT_ONCE_MAX, TRIES_MAX, TRIES_MS, TRIES_UNKNOWN_MAX};
use crate::oauth::window::Window;

/// Counts of tries.
pub(super) struct Tries {
    /// One for each of the people who was tried, so no more than there are people.
    known: Mutex<HashMap<Did, Window>>,
    unknown: Window,
    /// Permits to reckon a password.
    pub(super) at_once: Semaphore,
}

impl Tries {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::default(),
            unknown: Window::new(TRIES_UNKNOWN_MAX, TRIES_MS),
            at_once: Semaphore::new(PASSWORDS_AT_ONCE_MAX),
        }
    }

    /// Counts a try; false where there were too many.
    pub(super) fn take(&self, did: Option<Did>, now_ms: u64) -> bool {
        let Some(did) = did else { return self.unknown.take(now_ms).admitted };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(did).or_insert_with(|| Window::new(TRIES_MAX, TRIES_MS)).take(now_ms).admitted
    }

    /// Who has shown the right password begins anew.
    pub(super) fn forget(&self, did: &Did) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(did);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_tried_so_often_and_no_more_until_its_window_is_over() {
        let tries = Tries::new();
        let (lan, minh) = (Some(Did([1; 32])), Some(Did([2; 32])));
        assert!((0..TRIES_MAX).all(|_| tries.take(lan, 1_000)));
        assert!(!tries.take(lan, 1_000));
        assert!(tries.take(minh, 1_000), "others are not locked out");
        assert!(tries.take(lan, 1_000 + TRIES_MS));
        assert!((0..TRIES_UNKNOWN_MAX).all(|_| tries.take(None, 1_000)));
        assert!(!tries.take(None, 1_000));
    }

    #[test]
    fn who_was_right_begins_anew() {
        let tries = Tries::new();
        let lan = Did([1; 32]);
        assert!((0..TRIES_MAX).all(|_| tries.take(Some(lan), 1_000)));
        tries.forget(&lan);
        assert!(tries.take(Some(lan), 1_000));
    }
}
