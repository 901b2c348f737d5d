//! Trees of large blobs that were read whole once: `trees/<2 hex>/<hex>`, the values of the groups one after another.
//!
//! Whoever asks for one group of ever other blobs has each of them read whole once, and no more (R-BLB-7). Nothing here
//! is believed: a tree that is not that of the id is none, and is made anew from the bytes.

use std::fs;
use std::io;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use xom_protocol::BlobId;
use xom_protocol::blob::{NodeHash, Tree, group_count};
use xom_protocol::limits::BLOB_BYTES_MAX;

use super::Shared;
use super::folder::{make_dir_all, private_options};

/// Blobs with fewer groups are read again in less time than it takes to look for their tree: 1 MiB.
const GROUPS_MIN: u32 = 64;

impl Shared {
    fn tree_path(&self, blob: &BlobId) -> PathBuf {
        let name = HEXLOWER.encode(&blob.0);
        self.folder.trees().join(&name[..2]).join(name)
    }

    /// The tree of a blob of this size, if it was kept, checked against the id. Blocking.
    pub(super) fn read_tree(&self, blob: &BlobId, bytes: u64) -> Option<Tree> {
        if bytes > BLOB_BYTES_MAX || group_count(bytes) < GROUPS_MIN {
            return None;
        }
        let values = fs::read(self.tree_path(blob)).ok()?;
        let (groups, rest) = values.as_chunks::<{ size_of::<NodeHash>() }>();
        let tree = Tree::from_groups(bytes, groups.to_vec()).filter(|_| rest.is_empty())?;
        (tree.id() == *blob).then_some(tree)
    }

    /// Keeps the tree of a large blob whose bytes were checked, at `path`. What is cut short is none. Blocking.
    pub(super) fn write_tree(&self, blob: &BlobId, tree: &Tree) -> io::Result<()> {
        if tree.count() < GROUPS_MIN {
            return Ok(());
        }
        let path = self.tree_path(blob);
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_dir_all(parent)?;
        }
        let mut file = private_options().write(true).create(true).truncate(true).open(&path)?;
        io::Write::write_all(&mut file, tree.groups().as_flattened())?;
        // Its blob may have gone meanwhile, and then its tree was looked for before it was here.
        if self.blob_path(blob).try_exists()? { Ok(()) } else { self.delete_tree(blob) }
    }

    /// Deletes the tree of a blob; to be called after its file is gone.
    pub(super) fn delete_tree(&self, blob: &BlobId) -> io::Result<()> {
        match fs::remove_file(self.tree_path(blob)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}
