//! The root of a backup (`ARC-14`): which chunks of rows it is made of, and what else a restore must know.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::{Did, Network, encoding};

use super::{BackupError, Name, NameKey, VERSION};

/// What a root is sealed under in place of a name.
pub(crate) const ROOT_NAME: &[u8] = b"root";
/// Longest root, bytes.
const ROOT_BYTES_MAX: usize = 64 << 20;

/// The root.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Root {
    /// The version of the form.
    version: u64,
    /// The network.
    network: String,
    /// When it was made, by the node's clock, milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// The key of names.
    name_key: ByteBuf,
    /// The names of the chunks of rows, in their order, one after the other.
    rows: ByteBuf,
    /// The blobs that went away while the backup was being made, 32 bytes each.
    absent: ByteBuf,
    /// Who lives on the node, and under which user name.
    pub(crate) locals: Vec<(Did, String)>,
    /// The counters of the database.
    pub(crate) counters: Vec<(String, u64)>,
    /// How much there is.
    pub(crate) totals: Totals,
}

/// How much there is in a backup, to show progress by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Blobs.
    pub(crate) blobs: u64,
    /// Bytes of blobs.
    pub(crate) blob_bytes: u64,
    /// Entries.
    pub(crate) entries: u64,
    /// Bytes of rows.
    pub(crate) row_bytes: u64,
}

impl Root {
    /// A root without rows.
    pub(crate) fn new(network: Network, time_ms: u64, names: NameKey, locals: Vec<(Did, String)>) -> Self {
        Self {
            version: VERSION,
            network: network.to_string(),
            time_ms,
            name_key: ByteBuf::from(names.0.to_vec()),
            rows: ByteBuf::new(),
            absent: ByteBuf::new(),
            locals,
            counters: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// Adds a chunk of rows.
    pub(crate) fn push_rows(&mut self, name: Name, bytes: usize) {
        self.rows.extend_from_slice(&name.0);
        self.totals.row_bytes += bytes as u64;
    }

    /// Notes that a blob could not be read.
    pub(crate) fn push_absent(&mut self, blob: &[u8; 32]) {
        self.absent.extend_from_slice(blob);
    }

    /// The chunks of rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Name> + '_ {
        self.rows.as_chunks::<16>().0.iter().map(|name| Name(*name))
    }

    /// The bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a root that was sealed; refuses newer versions.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, Network, NameKey), BackupError> {
        let damaged = |cause: &dyn std::fmt::Display| BackupError::Damaged(format!("root: {cause} (ARC-14)"));
        let root: Self = encoding::decode(bytes, ROOT_BYTES_MAX).map_err(|e| damaged(&e))?;
        if root.version != VERSION {
            return Err(damaged(&format!("version {}; this xom knows version {VERSION}", root.version)));
        }
        let network = root.network.parse().map_err(|_| damaged(&"not the name of a network"))?;
        let key = <[u8; 32]>::try_from(root.name_key.as_slice()).map_err(|_| damaged(&"no key of names"))?;
        Ok((root, network, NameKey(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_reads_back_and_one_of_another_version_or_cut_short_is_refused() {
        let mut root = Root::new(Network::MAIN, 7, NameKey([1; 32]), vec![(Did([2; 32]), "alice".into())]);
        root.push_rows(Name([3; 16]), 100);
        let bytes = root.encode();
        let (read, network, names) = Root::decode(&bytes).unwrap();
        assert_eq!((read.rows().collect::<Vec<_>>(), read.totals.row_bytes), (vec![Name([3; 16])], 100));
        assert_eq!((network, names.0), (Network::MAIN, [1; 32]));
        root.version = VERSION + 1;
        for bad in [root.encode(), bytes[..bytes.len() - 1].to_vec()] {
            let refused = Root::decode(&bad).map(|_| ()).unwrap_err();
            assert!(refused.to_string().ends_with("(ARC-14)"), "{refused}");
        }
    }
}
