//! Shares: how much somebody may have done in a while.

/// So many at once, and then one more in each span of time (`GSP-6`). A pure count: time comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    burst: u64,
    each_ms: u64,
    /// What is left: each costs `each_ms`.
    credit_ms: u64,
    as_of_ms: u64,
}

impl Share {
    /// A full share: `burst` at once, and one more every `each_ms`.
    pub fn new(burst: u64, each_ms: u64, now_ms: u64) -> Self {
        Self { burst, each_ms, credit_ms: burst.saturating_mul(each_ms), as_of_ms: now_ms }
    }

    /// Takes one, where one is left.
    pub fn take(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        let left = self.credit_ms.checked_sub(self.each_ms);
        self.credit_ms = left.unwrap_or(self.credit_ms);
        left.is_some()
    }

    /// True where all of it is there: then nothing need be remembered of it.
    pub fn is_full(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        self.credit_ms >= self.burst.saturating_mul(self.each_ms)
    }

    fn fill(&mut self, now_ms: u64) {
        let come = now_ms.saturating_sub(self.as_of_ms);
        self.credit_ms = self.credit_ms.saturating_add(come).min(self.burst.saturating_mul(self.each_ms));
        self.as_of_ms = self.as_of_ms.max(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gsp_6_a_share_gives_its_burst_and_then_one_in_each_span() {
        // GSP-6
        let mut share = Share::new(8, 10_000, 0);
        let taken = (0..100).filter(|_| share.take(0)).count();
        assert_eq!(taken, 8);
        assert!(!share.take(9_999) && share.take(10_000) && !share.take(10_001));
        let later = (0..100).filter(|_| share.take(10_000_000)).count();
        assert_eq!(later, 8, "never more than the burst");
    }

    #[test]
    fn gsp_6_a_clock_that_goes_back_gives_nothing() {
        let mut share = Share::new(1, 1_000, 1_000_000);
        assert!(share.take(1_000_000));
        assert!(!share.take(0) && !share.is_full(0) && !share.take(1_000_999));
        assert!(share.is_full(1_001_000));
    }
}
