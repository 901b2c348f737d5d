//! The check that nothing is lost: what one honest end of a stream held half an hour ago, the other holds by now, if
//! both want it and the stream has stood all the while.

use super::plan::HOUR_MS;
use super::world::World;

/// How often it is looked.
pub(super) const AUDIT_MS: u64 = HOUR_MS / 2;

/// How far each node held what at the last look.
#[derive(Debug, Default)]
pub(super) struct Audit {
    at_ms: u64,
    heights: Vec<Vec<(u32, u64)>>,
}

impl World {
    /// Looks at every stream between honest nodes.
    pub(super) fn audit(&mut self) {
        let before = std::mem::take(&mut self.audit);
        let (mut checked, mut gaps) = (0, Vec::new());
        for (_, end) in self.ends.iter().filter(|(_, end)| end.opened_ms <= before.at_ms) {
            let both_live = self.ends.get(end.other).is_some();
            let (here, there) = (end.node, end.peer);
            if !both_live || self.nodes[here as usize].mallory.is_some() || self.nodes[there as usize].mallory.is_some()
            {
                continue;
            }
            let store = &self.nodes[there as usize].store;
            for (author, height) in before.heights.get(here as usize).into_iter().flatten() {
                if !store.wants(*author) {
                    continue;
                }
                checked += 1;
                if store.height(*author) < *height {
                    let held = store.height(*author);
                    gaps.push(format!("{there} holds {held} of {author}, {here} held {height} before"));
                }
            }
        }
        self.tally.checked += checked;
        self.tally.gaps.extend(gaps);
        let heights = self.nodes.iter().map(|node| node.store.heights().collect()).collect();
        self.audit = Audit { at_ms: self.now_ms, heights };
        self.schedule(self.now_ms + AUDIT_MS, super::world::Event::Audit);
    }
}
