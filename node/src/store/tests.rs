//! The store told as alice and bob: two folders, entries carried between them by hand.

mod admission;
mod adopt;
mod app_records;
mod archive;
mod backup;
mod blobs;
mod checking;
mod control;
mod crash;
mod damage;
mod discovering;
mod erasure;
mod evict;
mod evidence;
mod feeds;
mod forks;
mod guarding;
mod idempotency;
mod identity;
mod keepers;
mod keeping;
mod keyring;
mod ladder;
mod lost;
mod private;
mod receipts;
mod searching;
mod settle;
mod undone;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use xom_protocol::body::Post;
use xom_protocol::entry::VerifiedEntry;
use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::keys::SecretKey;
use xom_protocol::log::{Position, verify_run};
use xom_protocol::{BlobId, Did, LogId, Network};

use super::folder::Folder;
use super::open::{open_database, probe, start};
use super::shared::Machine;
use super::tables::LocalRow;
use super::{Appended, NewRun, Store};
use crate::blob::{BlobWriter, ReceivedBlob};
use crate::command::{Command, Done};
use crate::error::{CommandError, StoreError};
use crate::keys::seal::Cost;
use crate::keys::{ControlAccess, ControlKey};
use crate::model::StatusId;

/// A time that tests begin at: in 2026.
const NOW_MS: u64 = 1_790_000_000_000;

impl Store {
    /// Keeps one entry without those before it; true if it is new.
    async fn insert_loose(&self, entry: VerifiedEntry, live: bool) -> Result<bool, StoreError> {
        let entry = Arc::new(entry);
        self.write(move |batch| batch.insert_loose(&entry, live)).await
    }
}

/// Somebody with a store of their own.
struct Person {
    store: Store,
    me: LocalRow,
    clock: Arc<AtomicU64>,
    dir: Option<TempDir>,
}

impl Person {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::open(dir, name, Arc::new(AtomicU64::new(NOW_MS)))
    }

    fn open(dir: TempDir, name: &str, clock: Arc<AtomicU64>) -> Self {
        let ticking = Arc::clone(&clock);
        let now = Box::new(move || ticking.fetch_add(1, Ordering::Relaxed));
        let folder = Folder::open(&dir.path().join("data")).unwrap();
        let machine = Machine {
            cost: Cost::for_tests(),
            clock: now,
            probe: Box::new(probe),
            open_database: Box::new(open_database),
        };
        let store = start(folder, Network::MAIN, Some(name), machine).unwrap();
        let me = store.locals()[0].clone();
        Self { store, me, clock, dir: Some(dir) }
    }

    fn path(&self) -> PathBuf {
        self.dir.as_ref().unwrap().path().join("data")
    }

    /// Stops and starts again in the same folder.
    async fn restart(mut self) -> Self {
        let (dir, clock, name) = (self.dir.take().unwrap(), Arc::clone(&self.clock), self.me.username.clone());
        self.store.stop().await;
        drop(self);
        Self::open(dir, &name, clock)
    }

    /// Moves the clock on.
    fn wait(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    async fn say(&self, command: Command) -> Result<Done, CommandError> {
        self.store.commands(self.me.did, vec![command]).await.remove(0)
    }

    async fn post(&self, text: &str) -> StatusId {
        self.say(post(text)).await.unwrap().status.unwrap()
    }

    async fn erase(&self, status: StatusId, now: bool) {
        let now = if now { Some(self.control_key().await) } else { None };
        self.say(Command::Erase { status, now }).await.unwrap();
    }

    /// The control key, as it lies in the folder.
    async fn control_key(&self) -> ControlKey {
        let key = self.store.control_key(&self.me.did, &ControlAccess::Kept).await;
        ControlKey::new(key.unwrap())
    }

    fn position(&self, log: &LogId) -> Position {
        self.store.snapshot().unwrap().position(log).unwrap()
    }

    fn record(&self, did: &Did) -> IdentityRecord {
        let objects = self.store.snapshot().unwrap().identity_objects(did).unwrap();
        let objects = objects.iter().map(|object| SignedObject::decode(object).unwrap());
        IdentityRecord::from_objects(Network::MAIN, objects).unwrap()
    }

    /// Learns the identity of `other` and fetches their whole log.
    async fn fetch(&self, other: &Self) -> Appended {
        let objects = other.store.snapshot().unwrap().identity_objects(&other.me.did).unwrap();
        self.store.insert_identity(other.me.did, objects).await.unwrap();
        self.store.append(other.run(self.position(&other.me.log), &self.record(&other.me.did))).await.unwrap()
    }

    /// What is served of the own log from a position on, verified as a peer does.
    fn run(&self, from: Position, record: &IdentityRecord) -> NewRun {
        let served = self
            .store
            .snapshot()
            .unwrap()
            .range(&self.me.log, from.height, 10_000, 1 << 30, &Default::default())
            .unwrap();
        let key = record.state().devices[&self.me.device].key;
        let run = verify_run(Network::MAIN, &key, self.me.did, self.me.log, from, served);
        assert_eq!((run.refused, run.body_mismatches), (None, Vec::new()));
        self.new_run(run.accepted)
    }

    fn new_run(&self, entries: Vec<VerifiedEntry>) -> NewRun {
        NewRun { log: self.me.log, author: self.me.did, device: self.me.device, entries, live: false }
    }

    /// Stores what was signed with the own key by hand, as if a command had.
    async fn append_own(&self, entries: Vec<VerifiedEntry>) {
        let stretch = super::append::Stretch { is_own: true, ..super::append::Stretch::from(self.new_run(entries)) };
        let appended = self.store.write(move |batch| batch.append(&stretch)).await.unwrap();
        assert!(matches!(appended, Appended::Stored { .. }), "{appended:?}");
    }

    fn key(&self) -> SecretKey {
        self.store.device_key(&self.me.did).unwrap()
    }

    /// The texts of the live posts of a log.
    fn texts(&self, log: &LogId) -> Vec<String> {
        let snapshot = self.store.snapshot().unwrap();
        let Some(number) = snapshot.log_number(log).unwrap() else { return Vec::new() };
        let height = snapshot.position(log).unwrap().height;
        let bodies = (0..height).filter_map(|seq| snapshot.body((number, seq)).unwrap());
        bodies
            .filter_map(|(_, body)| match body {
                xom_protocol::body::Body::Post(post) => Some(post.text),
                _ => None,
            })
            .collect()
    }
}

fn post(text: &str) -> Command {
    let post = Box::new(Post { text: text.to_owned(), ..Post::default() });
    Command::Post { post, reply_to: None, quote_of: None }
}

/// A PNG of 2 by 3 pixels, as far as anybody looks.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0\0\0\0\0";

async fn with_picture(person: &Person) -> BlobId {
    let attachment = person.store.add_blob(upload(person, PNG).await).await.unwrap();
    let blob = attachment.blob;
    let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
    person.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    blob
}

/// Bytes that have come in and are not stored.
async fn upload(person: &Person, bytes: &[u8]) -> BlobWriter {
    let mut writer = person.store.blob_writer();
    writer.write(bytes).await.unwrap();
    writer
}

async fn received(person: &Person, bytes: &[u8]) -> ReceivedBlob {
    upload(person, bytes).await.end().await.unwrap()
}

/// The files of a folder that hold `text`.
fn files_with(path: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(path).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}
