//! The tree of a blob: BLAKE3's own, cut off at groups of 16 KiB (`BLOB-5`).

use std::ops::Range;

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::NodeHash;
use crate::ids::BlobId;
use crate::limits::BLOB_GROUP_BYTES;

/// A range of groups of a blob, by number from 0.
pub type Groups = Range<u32>;

/// How many groups a blob of so many bytes has; at least one.
pub fn group_count(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BLOB_GROUP_BYTES as u64)).unwrap_or(u32::MAX).max(1)
}

/// How many bytes a group of a blob has; 0 where there is no such group.
pub fn group_length(bytes: u64, group: u32) -> usize {
    let first = u64::from(group) * BLOB_GROUP_BYTES as u64;
    usize::try_from(bytes.saturating_sub(first)).unwrap_or(usize::MAX).min(BLOB_GROUP_BYTES)
}

/// The value of a group, whose bytes are given, in the tree of a blob of `blob_bytes` bytes.
pub fn group_hash(blob_bytes: u64, group: u32, bytes: &[u8]) -> NodeHash {
    let mut hasher = Hasher::new();
    if group_count(blob_bytes) == 1 {
        return *hasher.update(bytes).finalize().as_bytes();
    }
    hasher.set_input_offset(u64::from(group) * BLOB_GROUP_BYTES as u64);
    hasher.update(bytes).finalize_non_root()
}

/// The value of a node over two others.
pub(super) fn join(left: &NodeHash, right: &NodeHash, is_root: bool) -> NodeHash {
    if is_root {
        *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

/// Where a node over these groups, at least two, parts them: after the largest power of two that is less than all.
pub(super) fn split(groups: &Groups) -> u32 {
    let count = groups.end - groups.start;
    groups.start + (count.div_ceil(2)).next_power_of_two()
}

/// The values of all groups of a blob: 32 bytes for each 16 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    bytes: u64,
    groups: Vec<NodeHash>,
}

impl Tree {
    /// The tree over groups whose values are known; none where their number is not that of `bytes`.
    pub fn from_groups(bytes: u64, groups: Vec<NodeHash>) -> Option<Self> {
        (groups.len() == group_count(bytes) as usize).then_some(Self { bytes, groups })
    }

    /// The values of its groups, in order.
    pub fn groups(&self) -> &[NodeHash] {
        &self.groups
    }

    /// The size of the blob.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many groups it has.
    pub fn count(&self) -> u32 {
        group_count(self.bytes)
    }

    /// The id of the blob (`BLOB-1`).
    pub fn id(&self) -> BlobId {
        BlobId(self.node(&(0..self.count())))
    }

    /// True if these are the bytes of that group.
    pub fn has(&self, group: u32, bytes: &[u8]) -> bool {
        let known = usize::try_from(group).ok().and_then(|group| self.groups.get(group));
        bytes.len() == group_length(self.bytes, group)
            && known.is_some_and(|known| *known == group_hash(self.bytes, group, bytes))
    }

    /// The value of the node over these groups, which must be one of the tree.
    pub(super) fn node(&self, groups: &Groups) -> NodeHash {
        if groups.end - groups.start <= 1 {
            return self.groups.get(groups.start as usize).copied().unwrap_or_default();
        }
        let middle = split(groups);
        let (left, right) = (self.node(&(groups.start..middle)), self.node(&(middle..groups.end)));
        join(&left, &right, *groups == (0..self.count()))
    }
}

/// Makes the tree of bytes that come in order.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    bytes: u64,
    groups: Vec<NodeHash>,
    /// The group under way, and all of it so far as if it were a blob of its own.
    group: Hasher,
    alone: Hasher,
    in_group: usize,
}

impl TreeBuilder {
    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.in_group == BLOB_GROUP_BYTES {
                self.groups.push(self.group.finalize_non_root());
                self.group = Hasher::new();
                self.group.set_input_offset(self.bytes);
                self.in_group = 0;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOB_GROUP_BYTES - self.in_group));
            self.group.update(now);
            if self.groups.is_empty() {
                self.alone.update(now);
            }
            self.in_group += now.len();
            self.bytes += now.len() as u64;
            bytes = later;
        }
    }

    /// The tree of all that came.
    pub fn finish(mut self) -> Tree {
        let last =
            if self.groups.is_empty() { *self.alone.finalize().as_bytes() } else { self.group.finalize_non_root() };
        self.groups.push(last);
        Tree { bytes: self.bytes, groups: self.groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(bytes: &[u8]) -> Tree {
        let mut builder = TreeBuilder::default();
        for piece in bytes.chunks(10_007) {
            builder.update(piece);
        }
        builder.finish()
    }

    #[test]
    fn blob_5_the_root_of_the_groups_is_the_hash_of_the_bytes_at_every_size() {
        let all: Vec<u8> = (0..20 * BLOB_GROUP_BYTES + 5).map(|at| (at % 251) as u8).collect();
        let edges = (0..20).flat_map(|count| [0, 1, 1_024, 1_025].map(|more| count * BLOB_GROUP_BYTES + more));
        for size in edges {
            let tree = built(&all[..size]);
            assert_eq!(tree.id(), BlobId::of(&all[..size]), "{size} bytes");
            assert_eq!((tree.bytes(), tree.count()), (size as u64, group_count(size as u64)));
            for (number, bytes) in (0..).zip(all[..size].chunks(BLOB_GROUP_BYTES)) {
                assert!(tree.has(number, bytes));
                assert!(!tree.has(number + 1, bytes));
                assert!(!tree.has(number, &bytes[1..]));
            }
            assert_eq!(Tree::from_groups(tree.bytes, tree.groups.clone()), Some(tree));
        }
        assert_eq!(Tree::from_groups(BLOB_GROUP_BYTES as u64 + 1, vec![[0; 32]]), None);
    }
}
