//! A blob of which a part is here: its groups come in any order, from anybody, and stay over a restart (`BLOB-7`).
//!
//! Two files in a folder of their own: the bytes, and beside them the size and the value of each group that is
//! here. Only groups that were checked against the id are ever written; after a restart each is checked again. The
//! size is only what some entry said, so it takes no group away: a group that was checked is that of the blob under
//! every size, and one that does not fit the size that is asked for now does not count as long.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use xom_protocol::BlobId;
use xom_protocol::blob::{Group, NodeHash, Tree, group_count, group_hash, group_length};
use xom_protocol::limits::{BLOB_BYTES_MAX, BLOB_GROUP_BYTES};

use super::{ReceivedBlob, Scratch};
use crate::store::folder::private_options;

/// Bytes before the values of the groups: the size of the blob.
const SIZE_BYTES: usize = 8;
/// What follows the name of the bytes in the name of the file of values.
const VALUES: &str = ".groups";

/// A blob that comes in group by group.
#[derive(Debug)]
pub(crate) struct Partial {
    blob: BlobId,
    bytes: u64,
    path: PathBuf,
    data: File,
    values: File,
    groups: Vec<Option<NodeHash>>,
}

impl Partial {
    /// Opens what came of a blob earlier, or begins it. What is not as it was written, or is no group of a blob of this
    /// size, does not count. Blocking.
    pub(crate) fn open(folder: &Path, blob: &BlobId, bytes: u64) -> io::Result<Self> {
        if bytes == 0 || bytes > BLOB_BYTES_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let path = folder.join(HEXLOWER.encode(&blob.0));
        let open = |path: &Path| private_options().read(true).write(true).create(true).truncate(false).open(path);
        let (mut data, mut values) = (open(&path)?, open(&values_path(&path))?);
        let known = read_values(&mut values, bytes)?;
        values.seek(SeekFrom::Start(0))?;
        values.write_all(&bytes.to_le_bytes())?;
        let groups = keep_right(&mut data, bytes, known)?;
        Ok(Self { blob: *blob, bytes, path, data, values, groups })
    }

    /// The groups that are not here, ascending.
    pub(crate) fn missing(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.groups).filter(|(_, value)| value.is_none()).map(|(number, _)| number)
    }

    /// Writes a group that was checked. Blocking.
    pub(crate) fn put(&mut self, group: &Group) -> io::Result<()> {
        let number = group.number();
        let Some(value) = self.groups.get_mut(number as usize) else { return Err(io::ErrorKind::InvalidInput.into()) };
        if value.is_some() {
            return Ok(());
        }
        self.data.seek(SeekFrom::Start(u64::from(number) * BLOB_GROUP_BYTES as u64))?;
        self.data.write_all(group.bytes())?;
        self.values.seek(SeekFrom::Start(SIZE_BYTES as u64 + u64::from(number) * size_of::<NodeHash>() as u64))?;
        self.values.write_all(group.hash())?;
        *value = Some(*group.hash());
        Ok(())
    }

    /// Ends it when nothing is missing: what came is durable, in its temporary file still, and is the blob
    /// (`BLOB-4`). None of it is kept where it is not. Blocking.
    pub(crate) fn end(self) -> io::Result<ReceivedBlob> {
        let Self { blob, bytes, path, data, groups, .. } = self;
        let scratch = Scratch { path };
        fs::remove_file(values_path(&scratch.path))?;
        let groups: Option<Vec<NodeHash>> = groups.into_iter().collect();
        let tree = groups.and_then(|groups| Tree::from_groups(bytes, groups));
        let tree = tree.filter(|tree| tree.id() == blob).ok_or(io::ErrorKind::InvalidData)?;
        // Of another size more may have come.
        data.set_len(bytes)?;
        data.sync_all()?;
        Ok(ReceivedBlob { blob, bytes: tree.bytes(), scratch })
    }
}

/// Takes away what came of a blob; nothing where nothing did.
pub(crate) fn forget(folder: &Path, blob: &BlobId) -> io::Result<()> {
    let path = folder.join(HEXLOWER.encode(&blob.0));
    for path in [values_path(&path), path] {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// Clears a folder of parts of blobs: those that are not wanted go, and of the others those that were written to
/// longest ago, but none of `spared`, until there are at most so many bytes and blobs. Blocking.
pub(crate) fn tidy(
    folder: &Path,
    (bytes_max, count_max): (u64, usize),
    spared: &BTreeSet<BlobId>,
    is_wanted: impl Fn(&BlobId) -> bool,
) -> io::Result<()> {
    let mut kept = Vec::new();
    for item in fs::read_dir(folder)? {
        let item = item?;
        let name = item.file_name().into_string().unwrap_or_default();
        let bare = name.strip_suffix(VALUES).unwrap_or(&name);
        let blob = HEXLOWER.decode(bare.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).map(BlobId);
        let Some(blob) = blob.filter(|blob| (spared.contains(blob) || is_wanted(blob)) && folder.join(bare).is_file())
        else {
            fs::remove_file(item.path())?;
            continue;
        };
        if name == bare {
            let data = item.metadata()?;
            kept.push((data.modified()?, data.len(), blob));
        }
    }
    kept.sort_unstable();
    let mut bytes: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
    let mut count = kept.len();
    for (_, freed, blob) in kept.into_iter().filter(|(_, _, blob)| !spared.contains(blob)) {
        if bytes <= bytes_max && count <= count_max {
            break;
        }
        forget(folder, &blob)?;
        bytes -= freed;
        count -= 1;
    }
    Ok(())
}

fn values_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(VALUES);
    name.into()
}

/// The values that were written of the groups that a blob of this size has.
fn read_values(file: &mut File, bytes: u64) -> io::Result<Vec<Option<NodeHash>>> {
    let count = group_count(bytes) as usize;
    let mut values = Vec::with_capacity(count * size_of::<NodeHash>());
    file.seek(SeekFrom::Start(SIZE_BYTES as u64))?;
    file.take(values.capacity() as u64).read_to_end(&mut values)?;
    let mut known: Vec<Option<NodeHash>> = values
        .chunks_exact(size_of::<NodeHash>())
        .map(|value| value.try_into().ok().filter(|value| *value != NodeHash::default()))
        .collect();
    known.resize(count, None);
    Ok(known)
}

/// Of the groups that were written, those whose bytes are still what they were.
fn keep_right(data: &mut File, bytes: u64, mut known: Vec<Option<NodeHash>>) -> io::Result<Vec<Option<NodeHash>>> {
    for (number, value) in (0..).zip(&mut known) {
        let Some(expected) = *value else { continue };
        let mut group = Vec::with_capacity(BLOB_GROUP_BYTES);
        data.seek(SeekFrom::Start(u64::from(number) * BLOB_GROUP_BYTES as u64))?;
        data.take(group_length(bytes, number) as u64).read_to_end(&mut group)?;
        if group.len() != group_length(bytes, number) || group_hash(bytes, number, &group) != expected {
            *value = None;
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use xom_protocol::blob::{Item, SliceReader, TreeBuilder, items};

    use super::*;

    fn bytes(groups: usize) -> Vec<u8> {
        (0..groups * BLOB_GROUP_BYTES - 9).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    /// Groups of these bytes, checked as a transfer does.
    fn checked(bytes: &[u8]) -> Vec<Group> {
        let mut builder = TreeBuilder::default();
        builder.update(bytes);
        let tree = builder.finish();
        let mut reader = SliceReader::new(&tree.id(), tree.bytes(), 0..tree.count());
        let sent = items(&tree, &(0..tree.count())).into_iter().map(|item| match item {
            Item::Node(node) => node.to_vec(),
            Item::Group(number) => {
                let begin = number as usize * BLOB_GROUP_BYTES;
                bytes[begin..begin + group_length(tree.bytes(), number)].to_vec()
            }
        });
        sent.filter_map(|part| reader.take(part).unwrap()).collect()
    }

    fn open(folder: &Path, bytes: &[u8]) -> Partial {
        Partial::open(folder, &BlobId::of(bytes), bytes.len() as u64).unwrap()
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn blob_7_groups_stay_over_a_restart_and_the_last_one_ends_the_blob() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), bytes(5));
        let groups = checked(&bytes);
        for (number, group) in [3, 0, 4, 1, 2].into_iter().enumerate() {
            let mut partial = open(folder.path(), &bytes);
            assert_eq!(partial.missing().count(), 5 - number);
            partial.put(&groups[group]).unwrap();
            partial.put(&groups[group]).unwrap();
        }
        let received = open(folder.path(), &bytes).end().unwrap();
        assert_eq!((received.blob, received.bytes), (BlobId::of(&bytes), bytes.len() as u64));
        assert!(fs::read(received.scratch.path()).unwrap() == bytes);
        assert_eq!(files(folder.path()), 1, "the values are gone");
        drop(received);
        assert_eq!(files(folder.path()), 0);
    }

    #[test]
    fn blob_7_a_group_that_changed_on_the_disk_is_missing_again() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), bytes(3));
        let groups = checked(&bytes);
        let mut partial = open(folder.path(), &bytes);
        groups.iter().for_each(|group| partial.put(group).unwrap());
        let path = partial.path.clone();
        drop(partial);
        let mut harmed = fs::read(&path).unwrap();
        harmed[BLOB_GROUP_BYTES + 5] ^= 1;
        fs::write(&path, harmed).unwrap();
        let partial = open(folder.path(), &bytes);
        assert_eq!(partial.missing().collect::<Vec<_>>(), [1]);
        assert!(partial.end().is_err());
        let blob = BlobId::of(&bytes);
        for size in [0, BLOB_BYTES_MAX + 1] {
            assert!(Partial::open(folder.path(), &blob, size).is_err());
        }
    }

    #[test]
    fn blob_7_entries_that_lie_about_the_size_take_away_no_group_that_has_come() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), bytes(5));
        let (blob, right) = (BlobId::of(&bytes), bytes.len() as u64);
        let groups = checked(&bytes);
        let mut partial = open(folder.path(), &bytes);
        [0, 1, 4].iter().for_each(|group| partial.put(&groups[*group]).unwrap());
        drop(partial);
        let missing = |size: u64| Partial::open(folder.path(), &blob, size).unwrap().missing().collect::<Vec<_>>();
        let group = BLOB_GROUP_BYTES as u64;
        for (lie, lacking) in [
            (1, vec![0]),
            (group, vec![0]),
            (right - 1, vec![2, 3, 4]),
            (right + 1, vec![2, 3, 4]),
            (9 * group, (2..9).collect()),
            (BLOB_BYTES_MAX, (2..2560).collect()),
        ] {
            assert_eq!(missing(lie), lacking, "{lie} bytes");
            assert_eq!(missing(right), [2, 3], "what came under the right size stays: {lie} bytes");
        }
        // What comes under a lie is checked too, and is no other group for it.
        let mut lying = Partial::open(folder.path(), &blob, 9 * group).unwrap();
        lying.put(&groups[2]).unwrap();
        lying.data.set_len(9 * group).unwrap();
        drop(lying);
        let mut partial = open(folder.path(), &bytes);
        assert_eq!(partial.missing().collect::<Vec<_>>(), [3]);
        partial.put(&groups[3]).unwrap();
        assert!(fs::read(partial.end().unwrap().scratch.path()).unwrap() == bytes);
    }

    #[test]
    fn blob_4_values_that_were_forged_on_the_disk_make_no_blob() {
        let (folder, bytes) = (tempfile::tempdir().unwrap(), bytes(2));
        let mut partial = open(folder.path(), &bytes);
        let other: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
        checked(&other).iter().for_each(|group| partial.put(group).unwrap());
        assert_eq!(partial.end().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(files(folder.path()), 0);
    }

    #[test]
    fn blob_7_parts_are_bounded_and_those_that_nobody_wants_go() {
        let folder = tempfile::tempdir().unwrap();
        let blobs: Vec<Vec<u8>> = (1..=4).map(bytes).collect();
        for (age, bytes) in blobs.iter().enumerate() {
            let mut partial = open(folder.path(), bytes);
            checked(bytes).iter().for_each(|group| partial.put(group).unwrap());
            let written = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64);
            partial.data.set_modified(written).unwrap();
        }
        fs::write(folder.path().join("stray"), "").unwrap();
        let id = |number: usize| BlobId::of(&blobs[number]);
        let here = |number: usize| folder.path().join(HEXLOWER.encode(&id(number).0)).exists();
        let tidied = |most, spared: &[BlobId]| {
            tidy(folder.path(), most, &spared.iter().copied().collect(), |blob| *blob != id(1)).unwrap();
            (0..4).filter(|number| here(*number)).collect::<Vec<_>>()
        };
        assert_eq!(tidied((1 << 30, 4), &[]), [0, 2, 3]);
        assert_eq!(tidied((1 << 30, 2), &[id(0)]), [0, 3]);
        assert_eq!(tidied((4 * BLOB_GROUP_BYTES as u64, 2), &[]), [3]);
        assert_eq!(files(folder.path()), 2);
        forget(folder.path(), &id(3)).unwrap();
        forget(folder.path(), &id(3)).unwrap();
        assert_eq!(files(folder.path()), 0);
    }
}
