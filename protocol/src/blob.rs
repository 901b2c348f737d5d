//! Blobs as trees of groups: what is needed to check each group by the id alone (`BLOB-5`), and slices, in which
//! groups travel (`BLOB-6`). Nothing here holds the bytes of more than one group.

mod request;
mod slice;
mod tree;

pub use request::Request;
pub use slice::{Group, Item, Lie, SliceReader, items};
pub use tree::{Groups, Tree, TreeBuilder, group_count, group_hash, group_length};

/// The chaining value of a node of the tree, or the root.
pub type NodeHash = [u8; 32];
