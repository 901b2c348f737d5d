//! A blob while it moves: a file that grows or is read piece by piece, never whole in memory.

mod partial;
mod reader;
mod writer;

pub(crate) use partial::{Partial, forget as forget_partial, tidy as tidy_partials};
pub use reader::BlobReader;
pub(crate) use reader::Trees;
pub use writer::BlobWriter;
pub(crate) use writer::{BlobSink, ReceivedBlob, Scratch};

/// Bytes that are written or read at once; as much of a blob is in memory.
const PIECE_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use xom_protocol::BlobId;
    use xom_protocol::limits::BLOB_BYTES_MAX;

    use super::*;
    use crate::error::CommandError;

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn what_is_written_in_pieces_reads_back_whole_and_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..700_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut writer = BlobWriter::new(folder.path());
        for piece in bytes.chunks(99_999) {
            writer.write(piece).await.unwrap();
        }
        assert_eq!(writer.bytes(), 700_000);
        let received = writer.end().await.unwrap();
        assert_eq!((received.blob, received.bytes), (BlobId::of(&bytes), 700_000));
        assert_eq!(received.head().unwrap(), bytes[..64]);
        let mut reader = BlobReader::open(received.scratch.path(), &received.blob).unwrap().unwrap();
        let mut back = Vec::new();
        while let Some(piece) = reader.read().await.unwrap() {
            assert!(piece.len() <= PIECE_BYTES);
            back.extend(piece);
        }
        assert_eq!(back, bytes);
        reader.narrow(300_000, 7);
        assert_eq!(reader.read().await.unwrap().unwrap(), bytes[300_000..300_007]);
        assert_eq!(reader.read().await.unwrap(), None);
        reader.narrow(699_999, u64::MAX);
        assert_eq!(reader.read().await.unwrap().unwrap().len(), 1);
        reader.narrow(u64::MAX, 1);
        assert_eq!(reader.read().await.unwrap(), None);
        assert!(BlobReader::open(received.scratch.path(), &BlobId([0; 32])).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_blob_that_is_not_stored_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(folder.path());
        writer.write(&vec![1; PIECE_BYTES]).await.unwrap();
        assert_eq!(files(folder.path()), 1);
        drop(writer);
        assert_eq!(files(folder.path()), 0);
    }

    #[tokio::test]
    async fn r_blb_2_an_endless_blob_is_refused_at_the_limit_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(folder.path());
        let piece = vec![1; PIECE_BYTES];
        for _ in 0..BLOB_BYTES_MAX / PIECE_BYTES as u64 {
            writer.write(&piece).await.unwrap();
        }
        assert!(matches!(writer.write(&[1]).await, Err(CommandError::Blob(_))));
        assert!(!writer.is_whole());
        assert_eq!(files(folder.path()), 0);
        assert!(writer.end().await.is_err());
    }

    #[tokio::test]
    async fn r_sto_3_a_folder_that_takes_no_file_is_a_typed_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(&folder.path().join("gone"));
        assert!(matches!(writer.write(&vec![1; PIECE_BYTES]).await, Err(CommandError::Store(_))));
        assert!(!writer.is_whole());
        assert!(matches!(writer.write(&[1]).await, Err(CommandError::Store(_))));
    }

    #[tokio::test]
    async fn r_sto_5_a_blob_that_is_damaged_after_it_was_checked_is_not_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = (folder.path().join("blob"), vec![7; 600_000]);
        fs::write(&path, &bytes).unwrap();
        let reader = BlobReader::open(&path, &BlobId::of(&bytes)).unwrap().unwrap();
        let mut harmed = bytes.clone();
        harmed[500_000] ^= 1;
        fs::write(&path, &harmed).unwrap();
        let mut again = BlobReader::open_known(&path, reader.known()).unwrap().unwrap();
        again.narrow(0, 300_000);
        while again.read().await.unwrap().is_some() {}
        again.narrow(499_999, 1);
        assert_eq!(again.read().await.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        assert!(BlobReader::open_known(&path, again.known()).unwrap().is_none(), "it is checked whole again");
        assert!(BlobReader::open(&path, &BlobId::of(&bytes)).unwrap().is_none());
        let trees = Trees::default();
        for number in 0..70_u8 {
            trees.put(BlobId([number; 32]), reader.known());
            assert!(trees.get(&BlobId([0; 32])).is_some());
        }
        assert!(trees.get(&BlobId([1; 32])).is_none() && trees.get(&BlobId([69; 32])).is_some());
        trees.forget(&BlobId([0; 32]));
        assert!(trees.get(&BlobId([0; 32])).is_none());
    }
}
