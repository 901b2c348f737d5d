//! A Merkle map from 32-byte keys to entry ids, one form for one content (`LOG-14`).
//!
//! A subtree of one key is a leaf, wherever it hangs; a subtree of more is a branch on the next bit.
//! So the root depends on the content alone, and presence and absence have short proofs.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, EntryId};

/// What the hash of a leaf begins with.
const LEAF_PREFIX: &[u8] = b"xom/1/merkle-leaf\0";
/// What the hash of a branch begins with.
const BRANCH_PREFIX: &[u8] = b"xom/1/merkle-branch\0";
/// Bits of a key: no path is longer.
const KEY_BITS: usize = 256;

/// The root of an empty map, and the hash of an empty child.
pub const EMPTY_ROOT: Digest = Digest([0; 32]);

/// The map. Hashes are kept, so that after a change only one path is hashed again.
#[derive(Debug, Clone, Default)]
pub struct MerkleMap {
    top: Node,
    len: u64,
}

#[derive(Debug, Clone, Default)]
enum Node {
    #[default]
    Empty,
    Leaf {
        key: Digest,
        value: EntryId,
    },
    Branch {
        /// None after a change below.
        hash: Option<Digest>,
        children: Box<[Node; 2]>,
    },
}

/// A path through the map: proves what stands at a key, or that nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ProofArray", into = "ProofArray")]
pub struct MerkleProof {
    /// The hashes beside the path, from the root down.
    pub siblings: Vec<Digest>,
    /// The leaf at the path's end, which may be that of another key; none for an empty place.
    pub leaf: Option<(Digest, EntryId)>,
}

/// A proof on the wire: an array, in this order.
#[derive(Serialize, Deserialize)]
struct ProofArray(Vec<Digest>, Option<(Digest, EntryId)>);

impl From<ProofArray> for MerkleProof {
    fn from(ProofArray(siblings, leaf): ProofArray) -> Self {
        Self { siblings, leaf }
    }
}

impl From<MerkleProof> for ProofArray {
    fn from(proof: MerkleProof) -> Self {
        Self(proof.siblings, proof.leaf)
    }
}

/// A proof that proves nothing (`LOG-14`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Longer than a key has bits.
    #[error("path is longer than a key")]
    TooLong,
    /// The leaf at its end cannot stand on the path of the key.
    #[error("leaf is not on the path of the key")]
    OffPath,
    /// It does not lead to the root.
    #[error("path does not lead to the root")]
    WrongRoot,
}

impl MerkleMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many keys it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True where it has no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets the value of `key`; gives the one it had.
    pub fn insert(&mut self, key: Digest, value: EntryId) -> Option<EntryId> {
        let old = self.top.insert(0, key, value);
        self.len += u64::from(old.is_none());
        old
    }

    /// Takes `key` out; gives the value it had.
    pub fn remove(&mut self, key: &Digest) -> Option<EntryId> {
        let old = self.top.remove(0, key);
        self.len -= u64::from(old.is_some());
        old
    }

    /// The value of `key`.
    pub fn get(&self, key: &Digest) -> Option<EntryId> {
        let mut node = &self.top;
        for depth in 0.. {
            match node {
                Node::Empty => break,
                Node::Leaf { key: found, value } => return (found == key).then_some(*value),
                Node::Branch { children, .. } => node = &children[bit(key, depth)],
            }
        }
        None
    }

    /// The root: the hash that stands for the whole content.
    pub fn root(&mut self) -> Digest {
        self.top.hash()
    }

    /// Proves the value of `key`, or its absence.
    pub fn prove(&mut self, key: &Digest) -> MerkleProof {
        self.root();
        let mut siblings = Vec::new();
        let mut node = &mut self.top;
        loop {
            match node {
                Node::Empty => return MerkleProof { siblings, leaf: None },
                Node::Leaf { key, value } => return MerkleProof { siblings, leaf: Some((*key, *value)) },
                Node::Branch { children, .. } => {
                    let side = bit(key, siblings.len());
                    siblings.push(children[1 - side].hash());
                    node = &mut children[side];
                }
            }
        }
    }
}

impl FromIterator<(Digest, EntryId)> for MerkleMap {
    fn from_iter<I: IntoIterator<Item = (Digest, EntryId)>>(items: I) -> Self {
        let mut map = Self::new();
        for (key, value) in items {
            map.insert(key, value);
        }
        map
    }
}

impl MerkleProof {
    /// Checks the path against `root`: the value of `key`, or `None` where its absence is proved (`LOG-14`).
    pub fn verify(&self, root: &Digest, key: &Digest) -> Result<Option<EntryId>, ProofError> {
        if self.siblings.len() > KEY_BITS {
            return Err(ProofError::TooLong);
        }
        let on_path = |found: &Digest| (0..self.siblings.len()).all(|depth| bit(found, depth) == bit(key, depth));
        if self.leaf.as_ref().is_some_and(|(found, _)| !on_path(found)) {
            return Err(ProofError::OffPath);
        }
        let end = self.leaf.as_ref().map_or(EMPTY_ROOT, |(key, value)| leaf_hash(key, value));
        let top = self.siblings.iter().enumerate().rfold(end, |hash, (depth, sibling)| match bit(key, depth) {
            0 => branch_hash(&hash, sibling),
            _ => branch_hash(sibling, &hash),
        });
        if top != *root {
            return Err(ProofError::WrongRoot);
        }
        Ok(self.leaf.filter(|(found, _)| found == key).map(|(_, value)| value))
    }
}

impl Node {
    fn insert(&mut self, depth: usize, key: Digest, value: EntryId) -> Option<EntryId> {
        match self {
            Self::Empty => {
                *self = Self::Leaf { key, value };
                None
            }
            Self::Leaf { key: found, value: old } if *found == key => Some(std::mem::replace(old, value)),
            Self::Leaf { key: found, .. } => {
                let side = bit(found, depth);
                let mut children = Box::new([Self::Empty, Self::Empty]);
                children[side] = std::mem::take(self);
                children[bit(&key, depth)].insert(depth + 1, key, value);
                *self = Self::Branch { hash: None, children };
                None
            }
            Self::Branch { hash, children } => {
                *hash = None;
                children[bit(&key, depth)].insert(depth + 1, key, value)
            }
        }
    }

    fn remove(&mut self, depth: usize, key: &Digest) -> Option<EntryId> {
        match self {
            Self::Empty => None,
            Self::Leaf { key: found, value } => {
                let value = (found == key).then_some(*value)?;
                *self = Self::Empty;
                Some(value)
            }
            Self::Branch { hash, children } => {
                let value = children[bit(key, depth)].remove(depth + 1, key)?;
                *hash = None;
                let [left, right] = children.as_mut();
                match (&*left, &*right) {
                    (Self::Leaf { .. }, Self::Empty) => *self = std::mem::take(left),
                    (Self::Empty, Self::Leaf { .. }) => *self = std::mem::take(right),
                    _ => {}
                }
                Some(value)
            }
        }
    }

    fn hash(&mut self) -> Digest {
        match self {
            Self::Empty => EMPTY_ROOT,
            Self::Leaf { key, value } => leaf_hash(key, value),
            Self::Branch { hash: Some(hash), .. } => *hash,
            Self::Branch { hash, children } => {
                let [left, right] = children.as_mut();
                *hash.insert(branch_hash(&left.hash(), &right.hash()))
            }
        }
    }
}

fn leaf_hash(key: &Digest, value: &EntryId) -> Digest {
    Digest::of(&[LEAF_PREFIX, &key.0, &value.0])
}

fn branch_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[BRANCH_PREFIX, &left.0, &right.0])
}

/// The bit of `key` at `depth`, the most significant bit of the first byte first.
fn bit(key: &Digest, depth: usize) -> usize {
    usize::from(key.0[depth / 8] >> (7 - depth % 8) & 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u64) -> Digest {
        Digest::of(&[&n.to_be_bytes()])
    }

    fn value(n: u64) -> EntryId {
        EntryId(key(n + 1_000_000).0)
    }

    #[test]
    fn the_root_of_nothing_is_zero_and_of_one_key_its_leaf() {
        let mut map = MerkleMap::new();
        assert_eq!(map.root(), EMPTY_ROOT);
        map.insert(key(1), value(1));
        assert_eq!(map.root(), leaf_hash(&key(1), &value(1)));
        assert_eq!(map.remove(&key(1)), Some(value(1)));
        assert_eq!(map.root(), EMPTY_ROOT);
    }

    #[test]
    fn keys_that_differ_in_the_last_bit_only_are_told_apart() {
        let (mut low, mut high) = (Digest([7; 32]), Digest([7; 32]));
        (low.0[31], high.0[31]) = (0, 1);
        let mut map: MerkleMap = [(low, value(1)), (high, value(2))].into_iter().collect();
        let (root, proof) = (map.root(), map.prove(&low));
        assert_eq!(proof.siblings.len(), 256);
        assert_eq!(proof.verify(&root, &low), Ok(Some(value(1))));
        map.remove(&low);
        assert_eq!(map.root(), leaf_hash(&high, &value(2)));
    }

    #[test]
    fn a_forged_proof_proves_nothing() {
        let mut map: MerkleMap = (0..100).map(|n| (key(n), value(n))).collect();
        let (root, proof) = (map.root(), map.prove(&key(5)));
        assert_eq!(proof.verify(&root, &key(5)), Ok(Some(value(5))));
        assert_eq!(proof.verify(&EMPTY_ROOT, &key(5)), Err(ProofError::WrongRoot));
        let swapped = MerkleProof { leaf: Some((key(5), value(6))), ..proof.clone() };
        assert_eq!(swapped.verify(&root, &key(5)), Err(ProofError::WrongRoot));
        let gone = MerkleProof { leaf: None, ..proof.clone() };
        assert_eq!(gone.verify(&root, &key(5)), Err(ProofError::WrongRoot));
        let mut elsewhere = key(5);
        elsewhere.0[0] ^= 0x80;
        assert_eq!(proof.verify(&root, &elsewhere), Err(ProofError::OffPath));
        let long = MerkleProof { siblings: vec![EMPTY_ROOT; 257], leaf: None };
        assert_eq!(long.verify(&root, &key(5)), Err(ProofError::TooLong));
    }

    proptest! {
        #[test]
        fn one_content_has_one_root_whatever_came_and_went(
            mut stays in proptest::collection::btree_set(0_u64..1000, 0..60),
            goes in proptest::collection::vec(0_u64..1000, 0..60),
        ) {
            stays.retain(|n| !goes.contains(n));
            let mut straight: MerkleMap = stays.iter().map(|n| (key(*n), value(*n))).collect();
            let mut crooked = MerkleMap::new();
            for n in goes.iter().chain(stays.iter().rev()) {
                crooked.insert(key(*n), value(7));
                crooked.root();
            }
            for n in &stays {
                crooked.insert(key(*n), value(*n));
            }
            for n in &goes {
                crooked.remove(&key(*n));
            }
            prop_assert_eq!(straight.root(), crooked.root());
            prop_assert_eq!(crooked.len(), stays.len() as u64);
            let root = straight.root();
            for n in 0..50 {
                let expected = stays.contains(&n).then(|| value(n));
                prop_assert_eq!(straight.get(&key(n)), expected);
                prop_assert_eq!(straight.prove(&key(n)).verify(&root, &key(n)), Ok(expected));
            }
        }
    }
}
