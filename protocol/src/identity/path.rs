//! The one path through the tree of operations that is the identity log (`ID-9`).

use std::collections::{BTreeMap, BTreeSet};

use super::operations::OperationTree;
use super::payload::Operation;
use super::state::{Duplicity, Priority};
use crate::ids::Digest;

/// The identity log: the one path that counts.
pub(super) struct Path {
    /// From the first operation to the newest.
    pub(super) ids: Vec<Digest>,
    pub(super) duplicity: Option<Duplicity>,
}

/// How a walk through an epoch that no next key ended comes to its end.
enum Walked {
    /// Guardians finished a recovery, which begins the next epoch.
    Finish(Digest),
    End(Option<Duplicity>),
}

impl OperationTree {
    /// Finds the identity log (`ID-9`).
    ///
    /// From the beginning of an epoch on: one operation by next keys anywhere in it makes its path the
    /// log; several freeze the log where their paths part; none, and it goes on to where two of equal
    /// priority stand at one place, those of control keys before those of guardians.
    pub(super) fn path(&self) -> Path {
        let mut ids = Vec::new();
        let mut from = self.root;
        loop {
            let rotations: Vec<Digest> = self.rotations.get(&from).into_iter().flatten().copied().collect();
            match rotations.as_slice() {
                [] => match self.walk(&mut ids, from) {
                    Walked::Finish(finish) => from = finish,
                    Walked::End(duplicity) => return Path { ids, duplicity },
                },
                [only] => {
                    ids.extend(self.way(&from, only));
                    from = *only;
                }
                [first, others @ ..] => {
                    let mut common = self.way(&from, first);
                    common.truncate(self.common_length(&from, &common, others));
                    let at = common.last().copied().unwrap_or(from);
                    ids.extend(common);
                    let duplicity = Some(Duplicity { priority: Priority::Next, at, proof: rotations });
                    return Path { ids, duplicity };
                }
            }
        }
    }

    /// Follows the operations of control keys, and where there are none those of guardians, while there
    /// is one successor.
    fn walk(&self, ids: &mut Vec<Digest>, mut at: Digest) -> Walked {
        loop {
            let two = |priority| self.successors(&at, priority);
            let control = two(Priority::Control);
            let (priority, successors) = match control.is_empty() {
                true => (Priority::Guardian, two(Priority::Guardian)),
                false => (Priority::Control, control),
            };
            match successors.as_slice() {
                [] => return Walked::End(None),
                [only] => {
                    ids.push(*only);
                    at = *only;
                    let operation = self.node(only).and_then(|node| node.operation.as_ref());
                    if matches!(operation, Some(Operation::RecoverFinish)) {
                        return Walked::Finish(at);
                    }
                }
                _ => return Walked::End(Some(Duplicity { priority, at, proof: successors })),
            }
        }
    }

    /// The first two successors of one priority, by ascending id.
    fn successors(&self, at: &Digest, priority: Priority) -> Vec<Digest> {
        let is_of = |id: &&Digest| {
            let operation = self.node(id).and_then(|node| node.operation.as_ref());
            operation.is_some_and(|operation| operation.priority() == priority)
        };
        self.children.get(at).into_iter().flatten().filter(is_of).take(2).copied().collect()
    }

    /// The nodes below `from` down to `to`.
    fn way(&self, from: &Digest, to: &Digest) -> Vec<Digest> {
        let (mut way, mut at) = (Vec::new(), *to);
        while at != *from {
            way.push(at);
            at = self.prev(&at);
        }
        way.reverse();
        way
    }

    /// How far a way below `from` leads to all of `others` too. Visits each node once.
    fn common_length(&self, from: &Digest, way: &[Digest], others: &[Digest]) -> usize {
        let places: BTreeMap<&Digest, usize> = way.iter().zip(1..).collect();
        let mut visited = BTreeSet::new();
        let mut common = way.len();
        for other in others {
            let mut at = *other;
            while at != *from && !places.contains_key(&at) && visited.insert(at) {
                at = self.prev(&at);
            }
            if at == *from {
                return 0;
            }
            common = common.min(places.get(&at).copied().unwrap_or(common));
        }
        common
    }

    fn prev(&self, id: &Digest) -> Digest {
        self.node(id).map_or(self.root, |node| node.prev)
    }
}
