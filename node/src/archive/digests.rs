//! A set of any number of digests in a bounded piece of memory: sorted runs in a file without a name, merged
//! when they are read.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// A digest.
type Item = [u8; 32];

/// Digests kept in memory before they go to the file.
const RUN_ITEMS: usize = 16 << 10;
/// Bytes read ahead of each run.
const READ_BYTES: usize = 4 << 10;

/// Collects digests.
#[derive(Default)]
pub(super) struct Digests {
    memory: BTreeSet<Item>,
    runs: Vec<File>,
}

impl Digests {
    /// Adds one; twice is once.
    pub(super) fn insert(&mut self, item: Item) -> io::Result<()> {
        self.memory.insert(item);
        if self.memory.len() < RUN_ITEMS {
            return Ok(());
        }
        self.spill()
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for item in std::mem::take(&mut self.memory) {
            file.write_all(&item)?;
        }
        self.runs.push(file.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(())
    }

    /// All of them, ascending, each once.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if !self.runs.is_empty() {
            self.spill()?;
        }
        let mut runs: Vec<Run> = vec![Run::Memory(self.memory.into_iter())];
        for mut file in self.runs {
            file.seek(SeekFrom::Start(0))?;
            runs.push(Run::File(BufReader::with_capacity(READ_BYTES, file)));
        }
        let mut sorted = Sorted { runs, heads: BinaryHeap::new() };
        for run in 0..sorted.runs.len() {
            sorted.advance(run)?;
        }
        Ok(sorted)
    }
}

enum Run {
    Memory(std::collections::btree_set::IntoIter<Item>),
    File(BufReader<File>),
}

/// The digests of a set in their order.
pub(super) struct Sorted {
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<(Item, usize)>>,
}

impl Sorted {
    /// The next one.
    pub(super) fn next(&mut self) -> io::Result<Option<Item>> {
        let Some(Reverse((item, run))) = self.heads.pop() else { return Ok(None) };
        self.advance(run)?;
        while let Some(Reverse((same, run))) = self.heads.peek().copied() {
            if same != item {
                break;
            }
            self.heads.pop();
            self.advance(run)?;
        }
        Ok(Some(item))
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        let item = match &mut self.runs[run] {
            Run::Memory(items) => items.next(),
            Run::File(file) => {
                let mut item = [0; 32];
                match file.read(&mut item[..1])? {
                    0 => None,
                    _ => {
                        file.read_exact(&mut item[1..])?;
                        Some(item)
                    }
                }
            }
        };
        if let Some(item) = item {
            self.heads.push(Reverse((item, run)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_digests_than_fit_come_back_in_order_and_once() {
        let mut digests = Digests::default();
        let count = RUN_ITEMS as u32 * 2 + 77;
        for number in (0..count).rev().chain(0..1_000) {
            digests.insert(*blake3::hash(&number.to_le_bytes()).as_bytes()).unwrap();
        }
        let mut sorted = digests.sorted().unwrap();
        let mut found = 0;
        let mut last = None;
        while let Some(item) = sorted.next().unwrap() {
            assert!(last.is_none_or(|last| last < item));
            last = Some(item);
            found += 1;
        }
        assert_eq!(found, count);
    }
}
