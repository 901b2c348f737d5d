//! Bodies that were opened lately, decoded: whoever reads a timeline again opens none of them twice.
//!
//! Only what is live is looked up here, and a purge forgets everything, so that no text outlives its salt for long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xom_protocol::EntryId;
use xom_protocol::body::Body;

/// Bytes of bodies, as they are signed, that are kept: some pages of the timelines that are read most.
const KEPT_BYTES_MAX: usize = 2 << 20;
/// What a small body takes in memory all the same, bytes.
const BODY_BYTES_LEAST: usize = 512;

/// The bodies that are kept.
#[derive(Default)]
pub(super) struct Opened {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bodies: HashMap<EntryId, Arc<Body>>,
    bytes: usize,
    purges: u64,
}

/// How many purges there were when a body was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Purges(u64);

impl Opened {
    /// The body of an entry, if it is kept; else what [`Opened::keep`] must know of this moment.
    pub(super) fn get(&self, id: &EntryId) -> Result<Arc<Body>, Purges> {
        let kept = self.kept();
        kept.bodies.get(id).cloned().ok_or(Purges(kept.purges))
    }

    /// Keeps a body of so many bytes, unless something was purged since it was looked for.
    pub(super) fn keep(&self, since: Purges, id: EntryId, body: &Arc<Body>, bytes: usize) {
        let mut kept = self.kept();
        if kept.purges != since.0 {
            return;
        }
        if kept.bytes >= KEPT_BYTES_MAX {
            kept.forget();
        }
        kept.bytes += bytes.max(BODY_BYTES_LEAST);
        kept.bodies.insert(id, Arc::clone(body));
    }

    /// Forgets everything: a salt has gone, and with it the last way to open its body.
    pub(super) fn purge(&self) {
        let mut kept = self.kept();
        kept.purges += 1;
        kept.forget();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self) {
        self.bodies = HashMap::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use xom_protocol::body::Post;

    use super::*;

    fn post(text: &str) -> Arc<Body> {
        Arc::new(Body::Post(Post { text: text.into(), ..Post::default() }))
    }

    /// Looks for a body that is not there.
    fn miss(opened: &Opened, id: EntryId) -> Purges {
        opened.get(&id).expect_err("not kept")
    }

    #[test]
    fn a_body_is_kept_until_something_is_purged() {
        let (opened, id) = (Opened::default(), EntryId([1; 32]));
        opened.keep(miss(&opened, id), id, &post("hello"), 5);
        assert_eq!(opened.get(&id), Ok(post("hello")));
        opened.purge();
        miss(&opened, id);
    }

    #[test]
    fn a_body_that_was_opened_before_a_purge_is_not_kept_after_it() {
        let (opened, id) = (Opened::default(), EntryId([1; 32]));
        let before = miss(&opened, id);
        opened.purge();
        opened.keep(before, id, &post("purged"), 6);
        opened.keep(miss(&opened, id), EntryId([2; 32]), &post("other"), 5);
        miss(&opened, id);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let opened = Opened::default();
        let each = KEPT_BYTES_MAX / 64;
        for number in 0..200 {
            let id = EntryId([number; 32]);
            opened.keep(miss(&opened, id), id, &post("long"), each);
            assert!(opened.kept().bytes <= KEPT_BYTES_MAX, "{number}");
            assert!(opened.get(&id).is_ok(), "{number}: the newest is there");
        }
    }
}
