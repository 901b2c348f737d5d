//! A disk that stops, tears writes or is full (R-STO-1 to R-STO-4, R-FRK-4).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use redb::{Builder, Database, StorageBackend};
use xom_protocol::EntryId;
use xom_protocol::entry::Header;

use super::*;
use crate::error::StoreError;
use crate::store::Notice;

/// A disk in memory that tells what is durable from what was only written.
#[derive(Debug, Default)]
struct Disk {
    state: Mutex<DiskState>,
    full: AtomicBool,
}

#[derive(Debug, Default, Clone)]
struct DiskState {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// What was written since the last sync, in order.
    written: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => bytes.resize(*length, 0),
        Change::Bytes(at, written) => {
            bytes.resize(bytes.len().max(at + written.len()), 0);
            bytes[*at..at + written.len()].copy_from_slice(written);
        }
    }
}

impl DiskState {
    /// What a power loss leaves: what was durable, and some of the rest, some of it torn.
    fn after_power_loss(&self, seed: &mut u64) -> Vec<u8> {
        let mut left = self.durable.clone();
        for change in &self.written {
            match (random(seed) % 4, change) {
                (0, _) => {}
                (1, Change::Bytes(at, bytes)) if bytes.len() > 512 => {
                    let torn = bytes[..bytes.len() / 1024 * 512].to_vec();
                    apply(&mut left, &Change::Bytes(*at, torn));
                }
                _ => apply(&mut left, change),
            }
        }
        // The length is at least that which was durable: a file system loses no synced length.
        left.resize(left.len().max(self.durable.len()), 0);
        left
    }
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[derive(Debug)]
struct Backend(Arc<Disk>);

impl Backend {
    fn change(&self, change: Change) -> io::Result<()> {
        if self.0.full.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        let mut state = self.0.state.lock().unwrap();
        apply(&mut state.now, &change);
        state.written.push(change);
        Ok(())
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.state.lock().unwrap().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.0.state.lock().unwrap();
        let at = usize::try_from(offset).unwrap();
        out.copy_from_slice(state.now.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.change(Change::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        if self.0.full.load(Ordering::Relaxed) {
            return Err(io::Error::other("input/output error"));
        }
        let mut state = self.0.state.lock().unwrap();
        state.durable = state.now.clone();
        state.written.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.change(Change::Bytes(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}

fn open_on(disk: &Arc<Disk>, path: &Path) -> Store {
    let opened = Arc::clone(disk);
    let open_database = move |_: &Folder| -> Result<Database, StoreError> {
        Ok(Builder::new().create_with_backend(Backend(Arc::clone(&opened)))?)
    };
    let ticks = AtomicU64::new(NOW_MS);
    let clock = Box::new(move || ticks.fetch_add(1, Ordering::Relaxed));
    let probed = Arc::clone(disk);
    let probe = move |_: &Folder| match probed.full.load(Ordering::Relaxed) {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    };
    let machine =
        Machine { cost: Cost::for_tests(), clock, probe: Box::new(probe), open_database: Box::new(open_database) };
    start(Folder::open(path).unwrap(), Network::MAIN, Some("alice"), machine).unwrap()
}

fn person(store: Store) -> Person {
    let me = store.locals()[0].clone();
    Person { store, me, clock: Arc::default(), dir: None }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy_folder(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_loss_at_any_instant_keeps_what_was_acknowledged_and_the_chain_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let disk = Arc::new(Disk::default());
    let alice = person(open_on(&disk, &path));
    let acknowledged = Arc::new(Mutex::new(Vec::<String>::new()));
    let (store, did, acks) = (alice.store.clone(), alice.me.did, Arc::clone(&acknowledged));
    let writing = tokio::spawn(async move {
        for index in 0..120 {
            let text = format!("post {index}");
            store.commands(did, vec![post(&text)]).await.remove(0).unwrap();
            acks.lock().unwrap().push(text);
        }
    });
    let mut seed = 7;
    let mut images = Vec::new();
    while !writing.is_finished() {
        let due = acknowledged.lock().unwrap().len() >= images.len() * 8;
        if due {
            let acks = acknowledged.lock().unwrap().clone();
            let image = disk.state.lock().unwrap().after_power_loss(&mut seed);
            images.push((acks, image));
        }
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(images.len() >= 10);
    for (index, (acks, image)) in images.into_iter().enumerate() {
        let copy = dir.path().join(format!("copy {index}"));
        copy_folder(&path, &copy);
        let state = DiskState { now: image.clone(), durable: image, written: Vec::new() };
        let disk = Arc::new(Disk { state: Mutex::new(state), full: AtomicBool::new(false) });
        let restarted = person(open_on(&disk, &copy));
        let texts = restarted.texts(&restarted.me.log);
        assert!(texts.starts_with(&acks), "{} of {} are there", texts.len(), acks.len());
        assert!(texts.len() <= acks.len() + 1, "none twice");
        restarted.post("after").await;
        assert_eq!(restarted.store.verify().await.unwrap().faults, Vec::<String>::new());
        restarted.store.stop().await;
    }
}

/// A machine that is cut off at some instant: what its peers were told by then, and what its disk held.
struct CutOff {
    told: BTreeMap<u64, EntryId>,
    image: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_frk_4_a_crash_between_signing_storing_and_publishing_leaves_no_second_entry_at_a_place_that_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let disk = Arc::new(Disk::default());
    let alice = person(open_on(&disk, &path));
    // Whatever is pushed to a peer or answered to it is heard of here first.
    let mut notices = alice.store.notices();
    let (store, did) = (alice.store.clone(), alice.me.did);
    let writing = tokio::spawn(async move {
        for index in 0..90 {
            store.commands(did, vec![post(&format!("post {index}"))]).await.remove(0).unwrap();
        }
    });
    let (mut seed, mut told, mut cuts) = (11, BTreeMap::new(), Vec::<CutOff>::new());
    while !writing.is_finished() {
        while let Ok(notice) = notices.try_recv() {
            let Notice::Entries(stored) = notice else { continue };
            let entries = stored.entries.iter().map(|entry| (entry.header().seq, entry.id()));
            told.extend(entries.filter(|_| stored.log == alice.me.log));
        }
        // What was told is noted first: the disk may hold more by now, and never less.
        let is_new = cuts.last().is_none_or(|last| told.len() >= last.told.len() + 3);
        if is_new {
            let image = disk.state.lock().unwrap().after_power_loss(&mut seed);
            cuts.push(CutOff { told: told.clone(), image });
        }
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(cuts.len() >= 8 && told.len() > 40, "{} cuts, {} told", cuts.len(), told.len());
    for (index, CutOff { told, image }) in cuts.into_iter().enumerate() {
        let copy = dir.path().join(format!("copy {index}"));
        copy_folder(&path, &copy);
        let state = DiskState { now: image.clone(), durable: image, written: Vec::new() };
        let disk = Arc::new(Disk { state: Mutex::new(state), full: AtomicBool::new(false) });
        let restarted = person(open_on(&disk, &copy));
        let log = restarted.me.log;
        let height = restarted.position(&log).height;
        restarted.post("after the crash").await;
        let held = restarted.store.snapshot().unwrap().range(&log, 0, 1_000, usize::MAX, &BTreeSet::new()).unwrap();
        let held: Vec<EntryId> = held.iter().map(|entry| EntryId(Header::hash(&entry.header).0)).collect();
        for (seq, id) in told {
            assert_eq!(held.get(usize::try_from(seq).unwrap()), Some(&id), "what peers have at {seq} is here");
            assert!(seq < height, "nothing new is signed at a place that was told");
        }
        assert_eq!(held.len() as u64, height + 1, "the log goes on where it ended");
        restarted.store.stop().await;
    }
}

#[tokio::test]
async fn a_full_disk_is_a_typed_error_reads_go_on_and_writing_resumes_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let alice = person(open_on(&disk, &dir.path().join("data")));
    alice.post("before").await;
    for _ in 0..2 {
        disk.full.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(matches!(alice.say(post("lost")).await, Err(CommandError::Store(_))));
            assert_eq!(alice.texts(&alice.me.log)[0], "before");
        }
        disk.full.store(false, Ordering::Relaxed);
        let answer = alice.say(post("after")).await;
        if answer.is_err() {
            alice.post("after").await;
        }
    }
    assert_eq!(alice.texts(&alice.me.log), ["before", "after", "after"]);
    assert_eq!(alice.store.verify().await.unwrap().faults, Vec::<String>::new());
}
