//! Cuts a long row of records into chunks where the records themselves say so, so that a change of one
//! record changes one chunk.

use crate::error::StoreError;

/// A chunk is at least so long before it is cut, bytes.
const CHUNK_BYTES_MIN: usize = 96 << 10;
/// A chunk is cut before it grows longer, bytes.
const CHUNK_BYTES_MAX: usize = 1 << 20;
/// One record in so many cuts.
const CUTS: u32 = 512;
/// Bytes in front of a record's key: the table's number and two lengths.
const HEAD_BYTES: usize = 9;

/// Collects records.
#[derive(Default)]
pub(crate) struct Cutter {
    chunk: Vec<u8>,
}

impl Cutter {
    /// Adds a record; answers the chunk that it ends, if it ends one.
    pub(crate) fn add(&mut self, table: u8, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let length = HEAD_BYTES + key.len() + value.len();
        let full = !self.chunk.is_empty() && self.chunk.len() + length > CHUNK_BYTES_MAX;
        let before = full.then(|| std::mem::take(&mut self.chunk));
        let start = self.chunk.len();
        self.chunk.push(table);
        self.chunk.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.chunk.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.chunk.extend_from_slice(key);
        self.chunk.extend_from_slice(value);
        if before.is_some() || self.chunk.len() < CHUNK_BYTES_MIN {
            return before;
        }
        let hash = blake3::hash(&self.chunk[start..]);
        let cuts = u32::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1], hash.as_bytes()[2], 0]);
        cuts.is_multiple_of(CUTS).then(|| std::mem::take(&mut self.chunk))
    }

    /// What is left.
    pub(crate) fn finish(&mut self) -> Option<Vec<u8>> {
        (!self.chunk.is_empty()).then(|| std::mem::take(&mut self.chunk))
    }
}

/// A record: the table's number, key and value.
pub(crate) type Record<'c> = (u8, &'c [u8], &'c [u8]);

/// The records of a chunk.
pub(crate) fn records(mut chunk: &[u8]) -> Result<Vec<Record<'_>>, StoreError> {
    let short = || StoreError::Damaged("a chunk of a backup ends inside a record (ARC-13)".into());
    let mut found = Vec::new();
    while !chunk.is_empty() {
        let (head, rest) = chunk.split_at_checked(HEAD_BYTES).ok_or_else(short)?;
        let length = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (key, rest) = rest.split_at_checked(length(1)).ok_or_else(short)?;
        let (value, rest) = rest.split_at_checked(length(5)).ok_or_else(short)?;
        found.push((head[0], key, value));
        chunk = rest;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(values: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::default();
        let mut chunks: Vec<Vec<u8>> = values.filter_map(|value| cutter.add(7, b"key", &value)).collect();
        chunks.extend(cutter.finish());
        chunks
    }

    fn value(number: u64) -> Vec<u8> {
        let mut value = number.to_le_bytes().repeat(40);
        value.truncate(200 + (number % 97) as usize);
        value
    }

    #[test]
    fn records_come_back_as_they_went_in_and_a_change_changes_one_chunk_or_two() {
        let before = cut((0..20_000).map(value));
        assert!(before.len() > 8, "{}", before.len());
        assert!(before.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
        let read: Vec<Vec<u8>> =
            before.iter().flat_map(|chunk| records(chunk).unwrap()).map(|r| r.2.to_vec()).collect();
        assert!(read.into_iter().eq((0..20_000).map(value)));
        let after = cut((0..20_000).map(|number| value(if number == 9_999 { 1 << 60 } else { number })));
        let new = after.iter().filter(|chunk| !before.contains(chunk)).count();
        assert!(new <= 2, "{new} of {} chunks changed", after.len());
        let longer = cut((0..20_100).map(value));
        assert!(longer.iter().filter(|chunk| !before.contains(chunk)).count() <= 2);
    }

    #[test]
    fn a_chunk_that_is_cut_short_is_refused() {
        let chunk = cut((0..3).map(value)).remove(0);
        let whole = [0, chunk.len() / 3, chunk.len()];
        for length in (0..chunk.len()).filter(|length| !whole.contains(length)) {
            assert!(records(&chunk[..length]).is_err() || records(&chunk[..length]).unwrap().len() < 3);
        }
        assert!(records(&chunk[..chunk.len() - 1]).is_err());
        assert!(records(&[0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]).is_err());
    }
}
