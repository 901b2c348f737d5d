//! Slices: groups of a blob with the nodes above them, in the order in which a reader can check them (`BLOB-6`).

use super::NodeHash;
use super::tree::{Groups, Tree, group_count, group_hash, group_length, join, split};
use crate::ids::BlobId;

/// Bytes of a node in a slice: the values of its two halves.
const NODE_BYTES: usize = 64;

/// A part of a slice, as its writer sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The values of the two halves of a node.
    Node([u8; NODE_BYTES]),
    /// The bytes of a group come here.
    Group(u32),
}

/// What a slice of these groups is made of, in order. Groups that the blob does not have are left out.
pub fn items(tree: &Tree, wanted: &Groups) -> Vec<Item> {
    let (mut items, mut open) = (Vec::new(), Vec::new());
    open.push(0..tree.count());
    while let Some(groups) = open.pop() {
        if !overlap(&groups, wanted) {
            continue;
        }
        if groups.end - groups.start == 1 {
            items.push(Item::Group(groups.start));
            continue;
        }
        let middle = split(&groups);
        let mut node = [0; NODE_BYTES];
        node[..32].copy_from_slice(&tree.node(&(groups.start..middle)));
        node[32..].copy_from_slice(&tree.node(&(middle..groups.end)));
        items.push(Item::Node(node));
        open.extend([middle..groups.end, groups.start..middle]);
    }
    items
}

fn overlap(groups: &Groups, wanted: &Groups) -> bool {
    groups.start < wanted.end && wanted.start < groups.end
}

/// A group that was checked against the id of its blob. Only a [`SliceReader`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    number: u32,
    hash: NodeHash,
    bytes: Vec<u8>,
}

impl Group {
    /// Which group.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its value in the tree.
    pub fn hash(&self) -> &NodeHash {
        &self.hash
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bytes that are not what the id of the blob says, at this group or at a node whose first group it is (`BLOB-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes of group {0} are not those of the blob")]
pub struct Lie(pub u32);

/// Reads a slice: says how many bytes come next, and checks them before it hands them on.
#[derive(Debug)]
pub struct SliceReader {
    bytes: u64,
    wanted: Groups,
    /// What was told and has not come: nodes, the next one last.
    open: Vec<(Groups, NodeHash)>,
}

impl SliceReader {
    /// A slice of the groups `wanted` of a blob of so many bytes.
    pub fn new(blob: &BlobId, bytes: u64, wanted: Groups) -> Self {
        let all = 0..group_count(bytes);
        let open = if overlap(&all, &wanted) { vec![(all, blob.0)] } else { Vec::new() };
        Self { bytes, wanted, open }
    }

    /// How many bytes are to be taken next; none at the end.
    pub fn next_length(&self) -> Option<usize> {
        let (groups, _) = self.open.last()?;
        Some(if groups.end - groups.start == 1 { group_length(self.bytes, groups.start) } else { NODE_BYTES })
    }

    /// Takes as many bytes as [`next_length`](Self::next_length) said: a group, where these were one. After a lie
    /// there is no more.
    pub fn take(&mut self, bytes: Vec<u8>) -> Result<Option<Group>, Lie> {
        let Some((groups, hash)) = self.open.pop() else { return Ok(None) };
        let first = groups.start;
        if groups.end - first == 1 {
            let is_right =
                bytes.len() == group_length(self.bytes, first) && group_hash(self.bytes, first, &bytes) == hash;
            return if is_right { Ok(Some(Group { number: first, hash, bytes })) } else { self.lie(first) };
        }
        let Ok(node) = <&[u8; NODE_BYTES]>::try_from(bytes.as_slice()) else { return self.lie(first) };
        let (mut left, mut right) = ([0; 32], [0; 32]);
        left.copy_from_slice(&node[..32]);
        right.copy_from_slice(&node[32..]);
        if join(&left, &right, groups == (0..group_count(self.bytes))) != hash {
            return self.lie(first);
        }
        let middle = split(&groups);
        let halves = [(middle..groups.end, right), (first..middle, left)];
        self.open.extend(halves.into_iter().filter(|(groups, _)| overlap(groups, &self.wanted)));
        Ok(None)
    }

    fn lie(&mut self, group: u32) -> Result<Option<Group>, Lie> {
        self.open.clear();
        Err(Lie(group))
    }
}
