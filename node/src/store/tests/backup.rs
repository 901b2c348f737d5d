//! Backups and restores (chapter 07, from ARC-11 on; R-STO-14, R-FRK-2, R-PRV-4).

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use tempfile::TempDir;
use xom_protocol::BlobId;
use xom_protocol::identity::compose;
use xom_protocol::phrase::Phrase;

use super::archive::export;
use super::checking::{false_checkpoint, posts};
use super::*;
use crate::archive::take_over;
use crate::backup::{BackupDir, BackupError, Pruned, Written, check_backup, known_names, restore};
use crate::keys::AccessError;
use crate::store::open_without_identity;

fn words(person: &Person) -> Phrase {
    let path = person.path().join("identities").join(&person.me.username).join("phrase");
    Phrase::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Backs up into a folder, through a pipe as between node and command.
async fn back_up(person: &Person, to: &Path) -> Result<Written, BackupError> {
    let dir = BackupDir::open(to)?;
    let known = known_names(&dir.known()?).unwrap();
    let (mut from, pipe) = io::pipe().unwrap();
    let taking = std::thread::spawn(move || dir.take(&mut from));
    person.store.backup(person.me.did, known, pipe).await?;
    taking.join().unwrap()
}

async fn restored(from: &Path, words: &Phrase) -> Result<(TempDir, Store), BackupError> {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    restore(from.to_owned(), data.clone(), words.clone(), |_| {}).await?;
    Ok((dir, opened(&data)))
}

pub(super) fn opened(data: &Path) -> Store {
    open_without_identity(Folder::open(data).unwrap(), Network::MAIN).unwrap()
}

/// Everything that a restore must bring back, in the order of arrival: ids, places, local ids and texts.
fn contents(store: &Store) -> Vec<String> {
    let snapshot = store.snapshot().unwrap();
    let mut found = Vec::new();
    for (number, row) in snapshot.logs().unwrap() {
        for seq in 0..row.height {
            let line = snapshot.with_entry((number, seq), |entry| {
                format!("{} {} {} {} {}", row.log, entry.counter, entry.ms, entry.local_id, entry.flags)
            });
            let body = snapshot.body((number, seq)).unwrap();
            found.push(format!("{} {body:?}", line.unwrap().unwrap()));
        }
    }
    found.sort();
    found
}

async fn faults(store: &Store) -> Vec<String> {
    store.verify().await.unwrap().faults
}

#[tokio::test]
async fn a_restored_folder_holds_everything_with_its_local_ids_and_no_key() {
    let (alice, bob, vault) = (Person::new("alice"), Person::new("bob"), TempDir::new().unwrap());
    let blob = with_picture(&alice).await;
    for number in 0..300 {
        alice.post(&format!("post {number}")).await;
    }
    alice.say(Command::Follow(bob.me.did)).await.unwrap();
    let of_bob = with_picture(&bob).await;
    bob.post("from bob").await;
    alice.fetch(&bob).await;
    let hidden = alice.post("hidden").await;
    alice.erase(hidden, false).await;
    let to = vault.path().join("backup");
    let written = back_up(&alice, &to).await.unwrap();
    assert!(written.new_files > 1 && written.new_files == written.files);
    assert_eq!(check_backup(&to).unwrap().faults, Vec::<String>::new());

    let (dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(contents(&store), contents(&alice.store));
    assert_eq!(faults(&store).await, Vec::<String>::new());
    assert_eq!(store.locals(), []);
    assert_eq!(std::fs::read_dir(dir.path().join("data/identities")).unwrap().count(), 0);
    assert!(store.shared.open_blob_file(&blob).unwrap().is_some());
    assert!(store.shared.open_blob_file(&of_bob).is_ok());
    assert_ne!(store.snapshot().unwrap().epoch().unwrap(), alice.store.snapshot().unwrap().epoch().unwrap());
    let waiting = crate::store::restore::restored(store.folder());
    assert_eq!((waiting[0].did, waiting[0].username.as_str()), (alice.me.did, "alice"));
}

#[tokio::test]
async fn nothing_of_a_key_a_phrase_or_a_text_is_in_the_clear_in_a_backup() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    alice.post("a text to look for").await;
    back_up(&alice, &vault.path().join("backup")).await.unwrap();
    let secrets = ["phrase", "control.key", "device.key"];
    let folder = alice.path().join("identities/alice");
    for secret in secrets.map(|name| std::fs::read_to_string(folder.join(name)).unwrap()) {
        assert_eq!(files_with(vault.path(), secret.trim()), Vec::<PathBuf>::new());
    }
    for text in ["a text to look for", "alice", &alice.me.did.to_string()] {
        assert_eq!(files_with(vault.path(), text), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn no_device_key_is_even_inside_a_sealed_backup() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    alice.post("hello").await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let (dir, store) = restored(&to, &words(&alice)).await.unwrap();
    store.stop().await;
    let seed = alice.key().seed();
    let raw = |path: PathBuf| std::fs::read(path).unwrap().windows(32).any(|window| window == seed.as_slice());
    assert!(!raw(dir.path().join("data/xom.redb")) && !raw(dir.path().join("data/salts")));
}

#[tokio::test]
async fn a_second_backup_writes_only_what_is_new_and_each_can_be_restored() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    for number in 0..2_400 {
        alice.post(&format!("post {number} {}", "x".repeat(400))).await;
    }
    with_picture(&alice).await;
    let to = vault.path().join("backup");
    let first = back_up(&alice, &to).await.unwrap();
    let again = back_up(&alice, &to).await.unwrap();
    assert_eq!(again.new_files, 0, "nothing has changed");
    alice.post("new").await;
    let third = back_up(&alice, &to).await.unwrap();
    assert!(third.new_bytes * 2 < first.new_bytes, "{third:?} after {first:?}");
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(contents(&store), contents(&alice.store));
}

#[tokio::test]
async fn r_sto_14_a_backup_taken_while_posting_restores_to_a_consistent_state() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    for number in 0..200 {
        alice.post(&format!("before {number}")).await;
    }
    let to = vault.path().join("backup");
    let post_on = async {
        for number in 0..200 {
            let status = alice.post(&format!("meanwhile {number}")).await;
            if number % 10 == 0 {
                alice.erase(status, true).await;
            }
        }
    };
    let back_up_thrice = async {
        for _ in 0..3 {
            back_up(&alice, &to).await.unwrap();
        }
    };
    tokio::join!(post_on, back_up_thrice);
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(faults(&store).await, Vec::<String>::new());
    let number = store.snapshot().unwrap().log_number(&alice.me.log).unwrap().unwrap();
    let height = store.snapshot().unwrap().position(&alice.me.log).unwrap().height;
    assert!(height > 200, "what was there when the backup began is there: {height}");
    let all = alice.texts(&alice.me.log);
    for seq in 0..height {
        let (ours, theirs) = (store.snapshot().unwrap(), alice.store.snapshot().unwrap());
        let id = |snapshot: &crate::store::Snapshot| snapshot.hash_at(&alice.me.log, seq).unwrap();
        assert_eq!(id(&ours), id(&theirs));
        if let Some((_, xom_protocol::body::Body::Post(post))) = ours.body((number, seq)).unwrap() {
            assert!(all.contains(&post.text) || post.text.starts_with("meanwhile"));
        }
    }
}

#[tokio::test]
async fn other_words_open_nothing_and_leave_no_data_folder() {
    let (alice, mallory, vault) = (Person::new("alice"), Person::new("mallory"), TempDir::new().unwrap());
    alice.post("hello").await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let data = vault.path().join("data");
    let opened = restore(to, data.clone(), words(&mallory), |_| {}).await;
    assert!(matches!(opened, Err(BackupError::Words)), "ARC-11");
    assert!(!Folder::exists(&data));
}

#[tokio::test]
async fn a_folder_that_holds_something_is_refused_in_one_sentence() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let data = vault.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("letter.txt"), "dear").unwrap();
    let refused = restore(to.clone(), data.clone(), words(&alice), |_| {}).await.unwrap_err();
    assert!(matches!(&refused, BackupError::NotEmpty(path) if *path == data), "ARC-17");
    let refused = restore(to, alice.path(), words(&alice), |_| {}).await.unwrap_err();
    assert!(refused.to_string().ends_with("is not empty; restore into a folder that does not exist yet"));
    assert!(matches!(BackupDir::open(&data), Err(BackupError::NotEmpty(_))), "ARC-15");
}

#[tokio::test]
async fn r_prv_4_what_was_purged_before_a_backup_is_not_in_it_and_older_backups_hold_it_until_they_go() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let to = vault.path().join("backup");
    let secret = alice.post("regretted").await;
    back_up(&alice, &to).await.unwrap();
    alice.erase(secret, true).await;
    back_up(&alice, &to).await.unwrap();
    let (_dir, newest) = restored(&to, &words(&alice)).await.unwrap();
    assert!(!contents(&newest).iter().any(|line| line.contains("regretted")));
    let old_root = to.join("roots/0000000002");
    let kept = std::fs::read(&old_root).unwrap();
    std::fs::remove_file(&old_root).unwrap();
    let (_dir, older) = restored(&to, &words(&alice)).await.unwrap();
    assert!(contents(&older).iter().any(|line| line.contains("regretted")));
    std::fs::write(&old_root, kept).unwrap();
    let pruned = BackupDir::open(&to).unwrap().prune(1).unwrap();
    assert_eq!(pruned.backups, 1, "ARC-16");
    assert!(pruned.files >= 1);
    assert!(restored(&to, &words(&alice)).await.is_ok());
}

#[tokio::test]
async fn pruning_keeps_every_file_that_a_kept_backup_needs_and_nothing_else() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let to = vault.path().join("backup");
    for round in 0..4 {
        for number in 0..50 {
            alice.post(&format!("round {round} number {number}")).await;
        }
        back_up(&alice, &to).await.unwrap();
    }
    // What a run that was cut short leaves behind.
    std::fs::create_dir_all(to.join("files/ab")).unwrap();
    std::fs::write(to.join("files/ab/abababababababababababababababab"), "x").unwrap();
    std::fs::write(to.join("files/ab/abababababababababababababababac.new"), "x").unwrap();
    let dir = BackupDir::open(&to).unwrap();
    assert!(matches!(BackupDir::open(&to), Err(BackupError::InUse(_))));
    assert_eq!(dir.prune(2).unwrap().backups, 2);
    assert_eq!(dir.prune(2).unwrap(), Pruned::default());
    assert_eq!(check_backup(&to).unwrap().faults, Vec::<String>::new());
    assert!(!to.join("files/ab/abababababababababababababababac.new").exists());
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(contents(&store), contents(&alice.store));
    // A list that can't be read: nothing is taken away.
    std::fs::write(to.join("roots/0000000003.names"), "harmed").unwrap();
    let before = dir.known().unwrap().len();
    assert!(dir.prune(2).is_err());
    assert_eq!(dir.known().unwrap().len(), before);
}

#[tokio::test]
async fn a_backup_that_is_cut_off_leaves_the_one_before_it() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let to = vault.path().join("backup");
    alice.post("kept").await;
    back_up(&alice, &to).await.unwrap();
    alice.post("later").await;
    let stream = whole_stream(&alice).await;
    for end in [3, 20, stream.len() / 2, stream.len() - 1] {
        let dir = BackupDir::open(&to).unwrap();
        assert!(dir.take(&mut &stream[..end]).is_err());
    }
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert!(contents(&store).iter().any(|line| line.contains("kept")));
    assert!(!contents(&store).iter().any(|line| line.contains("later")));
}

/// A backup in one piece, as it lies in one file.
async fn whole_stream(person: &Person) -> Vec<u8> {
    let (mut from, to) = io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut from, &mut bytes).map(|_| bytes)
    });
    person.store.backup(person.me.did, BTreeSet::new(), to).await.unwrap();
    reading.join().unwrap().unwrap()
}

#[tokio::test]
async fn a_backup_in_one_file_restores_and_shows_every_cut_and_flip() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    with_picture(&alice).await;
    alice.post("hello").await;
    let stream = whole_stream(&alice).await;
    let file = vault.path().join("alice.backup");
    std::fs::write(&file, &stream).unwrap();
    let (_dir, store) = restored(&file, &words(&alice)).await.unwrap();
    assert_eq!(contents(&store), contents(&alice.store));
    for end in (0..stream.len()).step_by(501) {
        std::fs::write(&file, &stream[..end]).unwrap();
        assert!(check_backup(&file).is_err(), "cut at {end}");
    }
    std::fs::write(&file, [&stream[..], b"x"].concat()).unwrap();
    assert!(check_backup(&file).is_err(), "ARC-15");
    for at in (0..stream.len()).step_by(1_499) {
        let mut harmed = stream.clone();
        harmed[at] ^= 4;
        std::fs::write(&file, &harmed).unwrap();
        // A flipped name of a file is told by the restore: no file has the name that the root wants.
        let shows = check_backup(&file).map_or(true, |report| !report.faults.is_empty());
        assert!(shows || restored(&file, &words(&alice)).await.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn a_lost_chunk_of_rows_ends_a_restore_and_a_lost_blob_is_wanted_again() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let blob = with_picture(&alice).await;
    alice.post("hello").await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let files: Vec<PathBuf> = files_with(&to.join("files"), "\u{1}");
    assert_eq!(files.len(), 3, "two chunks of rows, one piece of a picture");
    let mut ends = Vec::new();
    for file in files {
        let sound = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(check_backup(&to).unwrap().faults.len(), 1);
        match restored(&to, &words(&alice)).await {
            Ok((_dir, store)) => {
                assert_eq!(store.snapshot().unwrap().blobs_wanted().unwrap(), [blob], "ARC-17");
                assert_eq!(faults(&store).await, Vec::<String>::new());
                ends.push("wanted");
            }
            Err(BackupError::Damaged(cause)) => {
                assert!(cause.contains("ARC-15"), "{cause}");
                ends.push("damaged");
            }
            Err(other) => panic!("{other}"),
        }
        std::fs::write(&file, sound).unwrap();
    }
    ends.sort_unstable();
    assert_eq!(ends, ["damaged", "damaged", "wanted"]);
}

#[tokio::test]
async fn r_sto_5_a_damaged_body_is_left_out_of_a_backup_and_stops_neither_it_nor_the_restore() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    alice.post("whole").await;
    alice.post("harmed").await;
    let place = (alice.store.snapshot().unwrap().log_number(&alice.me.log).unwrap().unwrap(), 2);
    let harmed = alice.store.write(move |batch| {
        let mut sealed = batch.bodies.get(place)?.unwrap().value().to_vec();
        sealed[3] ^= 1;
        batch.bodies.insert(place, sealed.as_slice())?;
        Ok(())
    });
    harmed.await.unwrap();
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(faults(&store).await, Vec::<String>::new());
    let snapshot = store.snapshot().unwrap();
    let served = snapshot.range(&alice.me.log, 0, 10, 1 << 20, &Default::default()).unwrap();
    let bodies: Vec<bool> = served.iter().map(|entry| entry.body.is_some()).collect();
    assert_eq!(bodies, [true, true, false]);
}

#[tokio::test]
async fn a_restore_that_was_cut_short_goes_on_with_the_same_backup_and_not_with_another() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    alice.post("hello").await;
    let blob = with_picture(&alice).await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    // Without the rows nothing can be whole: the restore ends in the middle.
    let data = vault.path().join("data");
    let files: Vec<PathBuf> = files_with(&to.join("files"), "\u{1}");
    for file in &files {
        std::fs::rename(file, file.with_extension("away")).unwrap();
    }
    assert!(restore(to.clone(), data.clone(), words(&alice), |_| {}).await.is_err());
    assert!(matches!(Folder::open(&data), Err(crate::StartError::Unreadable { cause, .. }) if cause.contains("again")));
    for file in &files {
        std::fs::rename(file.with_extension("away"), file).unwrap();
    }
    // A newer backup does not mix with what was begun.
    alice.post("newer").await;
    back_up(&alice, &to).await.unwrap();
    restore(to.clone(), data.clone(), words(&alice), |_| {}).await.unwrap();
    let store = opened(&data);
    assert!(!contents(&store).iter().any(|line| line.contains("newer")));
    assert!(store.shared.open_blob_file(&blob).unwrap().is_some());
    let begun = vault.path().join("begun");
    std::fs::create_dir_all(begun.join("restoring")).unwrap();
    std::fs::write(begun.join("restoring/root"), [7; 32]).unwrap();
    let refused = restore(to, begun, words(&alice), |_| {}).await;
    assert!(matches!(refused, Err(BackupError::OtherRestore(_))));
}

#[tokio::test]
async fn rows_that_mallory_sealed_are_refused_before_they_count() {
    use crate::backup::{Cutter, FrameWriter, NameKey, ROOT_NAME, Recipient, Root, seal};
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let recipients = [Recipient::of(&words(&alice))];
    let names = NameKey::of(&recipients);
    let file = vault.path().join("forged.backup");
    let rows = [
        (33, vec![0; 12], vec![0; 40]),
        (3, vec![0; 4], vec![0; 9]),
        (23, vec![0; 3], vec![0; 9]),
        (23, vec![0, 0, 0, 1, 0xff], vec![0; 9]),
        (99, vec![], vec![]),
    ];
    for (table, key, value) in rows {
        let mut cutter = Cutter::default();
        assert_eq!(cutter.add(table, &key, &value), None);
        let chunk = cutter.finish().unwrap();
        let mut root = Root::new(Network::MAIN, 0, names, vec![(alice.me.did, "alice".into())]);
        let name = names.of_rows(&chunk);
        root.push_rows(name, chunk.len());
        let mut frames = FrameWriter::new(std::fs::File::create(&file).unwrap(), BTreeSet::new()).unwrap();
        let sealed = seal(&recipients, &name.0, &chunk).unwrap();
        frames.file(name, || Ok::<_, io::Error>(sealed)).unwrap();
        frames.finish(&seal(&recipients, ROOT_NAME, &root.encode()).unwrap(), 0, 0).unwrap();
        assert!(restored(&file, &words(&alice)).await.is_err(), "table {table}");
    }
}

#[tokio::test]
async fn r_frk_2_a_restored_identity_goes_on_with_a_new_device_key_and_signs_no_place_again() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let kept = alice.post("in the backup").await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    alice.post("after the backup").await;
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    let refused = store.commands(alice.me.did, vec![post("too early")]).await.remove(0);
    assert!(matches!(refused, Err(CommandError::Access(AccessError::NoDevice))), "read only until there is a key");
    let again = vault.path().join("again");
    let owned = store.snapshot().unwrap().owned().unwrap();
    assert_eq!(owned, [(alice.me.did, "alice".to_owned())]);
    let (mut from, pipe) = io::pipe().unwrap();
    let dir = BackupDir::open(&again).unwrap();
    let taking = std::thread::spawn(move || dir.take(&mut from));
    store.backup(alice.me.did, BTreeSet::new(), pipe).await.unwrap();
    taking.join().unwrap().unwrap();
    assert!(restored(&again, &words(&alice)).await.is_ok(), "what waits for a key is backed up, for the same words");

    let device = SecretKey::from_seed(&[9; 32]).unwrap();
    let mut objects = store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    let record = alice.record(&alice.me.did);
    let place = words(&alice).rotation_place(&record).unwrap();
    objects.push(words(&alice).rotation(&place, &[&device]).unwrap().encode());
    let row = store.adopt("alice", alice.me.did, objects, device).await.unwrap();
    assert_ne!(row.log, alice.me.log);
    assert_eq!(crate::store::restore::restored(store.folder()), []);
    store.commands(alice.me.did, vec![post("restored")]).await.remove(0).unwrap();
    assert_eq!(store.snapshot().unwrap().position(&alice.me.log).unwrap().height, 2, "the old log stays as it is");
    let reader = crate::Reader::new(store.snapshot().unwrap()).unwrap();
    assert_eq!(reader.status(None, kept).unwrap().unwrap().id, kept, "bookmarks of apps hold");
    assert_eq!(faults(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_false_checkpoint_of_somebody_does_not_stop_a_restore() {
    let (alice, mallory, vault) = (Person::new("alice"), Person::new("mallory"), TempDir::new().unwrap());
    let height = mallory.position(&mallory.me.log).height;
    posts(&mallory, usize::try_from(256 - height).unwrap()).await;
    mallory.append_own(vec![false_checkpoint(&mallory)]).await;
    alice.fetch(&mallory).await;
    let to = vault.path().join("backup");
    back_up(&alice, &to).await.unwrap();
    let (_dir, store) = restored(&to, &words(&alice)).await.unwrap();
    assert_eq!(store.verify().await.unwrap().void_checkpoints, [(mallory.me.log, 256)]);
}

#[tokio::test]
async fn several_identities_are_in_one_backup_and_the_words_of_either_bring_both_back() {
    let (alice, bob, vault) = (Person::new("alice"), Person::new("bob"), TempDir::new().unwrap());
    bob.post("of bob").await;
    let device = SecretKey::from_seed(&[5; 32]).unwrap();
    let grant = compose::grant(Network::MAIN, bob.me.did, &bob.key(), &device).unwrap();
    bob.store.insert_identity(bob.me.did, vec![grant.encode()]).await.unwrap();
    alice.fetch(&bob).await;
    let objects = bob.store.snapshot().unwrap().identity_objects(&bob.me.did).unwrap();
    alice.store.adopt("bob", bob.me.did, objects, device).await.unwrap();
    alice.post("of alice").await;
    alice.store.commands(bob.me.did, vec![post("of bob, at alice's")]).await.remove(0).unwrap();

    // Until the words of bob were here, only alice's open what is sealed; it holds both.
    let first = vault.path().join("first");
    back_up(&alice, &first).await.unwrap();
    assert!(matches!(restored(&first, &words(&bob)).await, Err(BackupError::Words)), "ARC-11");
    alice.store.keep_backup_key(bob.me.did, words(&bob)).await.unwrap();
    let both = vault.path().join("both");
    back_up(&alice, &both).await.unwrap();
    for (from, words) in [(&first, words(&alice)), (&both, words(&alice)), (&both, words(&bob))] {
        let (_dir, store) = restored(from, &words).await.unwrap();
        let names: Vec<_> = store.snapshot().unwrap().owned().unwrap();
        assert_eq!(names, [(alice.me.did, "alice".to_owned()), (bob.me.did, "bob".to_owned())]);
        assert_eq!(contents(&store).len(), contents(&alice.store).len());
        assert!(contents(&store).iter().any(|line| line.contains("of bob, at alice's")));
        // One after the other gets a key; what remains goes on to wait.
        let device = SecretKey::from_seed(&[6; 32]).unwrap();
        let mut objects = store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
        let place = self::words(&alice).rotation_place(&alice.record(&alice.me.did)).unwrap();
        objects.push(self::words(&alice).rotation(&place, &[&device]).unwrap().encode());
        store.adopt("alice", alice.me.did, objects, device).await.unwrap();
        store.commands(alice.me.did, vec![post("again")]).await.remove(0).unwrap();
        let refused = store.commands(bob.me.did, vec![post("too early")]).await.remove(0);
        assert!(matches!(refused, Err(CommandError::Access(AccessError::NoDevice))), "{refused:?}");
        let waiting: Vec<Did> = store.snapshot().unwrap().waiting().unwrap().iter().map(|it| it.did).collect();
        assert_eq!(waiting, [bob.me.did]);
    }
}

#[tokio::test]
async fn an_archive_is_taken_over_on_a_new_node_and_a_harmed_one_is_not() {
    let (alice, vault) = (Person::new("alice"), TempDir::new().unwrap());
    let blob = with_picture(&alice).await;
    for number in 0..300 {
        alice.post(&format!("post {number}")).await;
    }
    let gone = alice.post("hidden").await;
    alice.erase(gone, false).await;
    let archive = export(&alice).await;
    let file = vault.path().join("alice.tar");
    let mut harmed = archive.clone();
    harmed[archive.len() / 2] ^= 1;
    std::fs::write(&file, harmed).unwrap();
    let data = vault.path().join("data");
    let refused = take_over(file.clone(), data.clone(), |_| {}).await;
    assert!(matches!(refused, Err(BackupError::Faults { .. })), "ARC-18");
    assert!(!Folder::exists(&data));

    std::fs::write(&file, archive).unwrap();
    let taken = take_over(file.clone(), data.clone(), |_| {}).await.unwrap();
    assert_eq!((taken.identities[0].did, taken.identities[0].username.as_str()), (alice.me.did, "alice"));
    assert_eq!((taken.entries, taken.blobs), (305, 1));
    let store = opened(&data);
    assert_eq!(faults(&store).await, Vec::<String>::new());
    let ours = store.snapshot().unwrap();
    let theirs = alice.store.snapshot().unwrap();
    assert_eq!(ours.position(&alice.me.log).unwrap(), theirs.position(&alice.me.log).unwrap());
    assert!(store.shared.open_blob_file(&blob).unwrap().is_some());
    let live = contents(&store).iter().filter(|line| line.contains("post ")).count();
    assert_eq!(live, 300);
    assert!(!contents(&store).iter().any(|line| line.contains("text: \"hidden\"")), "erased stays erased");
    let refused = take_over(file, data, |_| {}).await;
    assert!(matches!(refused, Err(BackupError::NotEmpty(_))));
}

#[tokio::test]
async fn every_table_is_in_a_backup_or_made_again_or_left_out_by_name() {
    use redb::ReadableDatabase;
    let alice = Person::new("alice");
    let written = [
        "admissions_due_v1",
        "admissions_v1",
        "admitted_lacked_v1",
        "admitted_v1",
        "answers_v1",
        "copies_v1",
        "purges_owed_v1",
        "receipts_given_v1",
        "receipts_v1",
        "settings_v1",
        "aimed_v1",
        "arrivals_v1",
        "backup_keys_v1",
        "blobs_v1",
        "checkpoint_faults_v1",
        "bodies_lacked_v1",
        "bodies_v1",
        "entries_v1",
        "erasures_v1",
        "fork_proofs_v2",
        "free_slots_v1",
        "identities_v1",
        "identity_objects_v1",
        "identity_seen_v1",
        "keepers_asked_v1",
        "keeps_v1",
        "logs_v1",
        "openings_of_v1",
        "openings_v1",
        "own_profiles_v1",
        "peers_v1",
        "purge_intents_v1",
        "purges_due_v1",
        "recovery_requests_v1",
        "stopped_logs_v1",
    ];
    let made_again = [
        "blob_references_v1",
        "bytes_held_v1",
        "counters_v1",
        "entry_ids_v1",
        "facts_v1",
        "identity_numbers_v1",
        "ladders_v1",
        "local_ids_v1",
        "log_numbers_v1",
        "logs_of_v1",
    ];
    // Apps log in anew, and shares of admission begin anew. Holders state anew, and who wishes to be kept asks again. Who
    // lives here is adopted anew; what peers have acknowledged is of another epoch; keys of retries and uploads that
    // nobody used are gone within a day. Looks at pictures begin anew.
    let left_out = [
        "admission_counts_v1",
        "blob_uses_v1",
        "client_records_v1",
        "holdings_heard_v1",
        "idempotency_keys_v1",
        "keep_wishes_v1",
        "locals_v1",
        "media_v1",
        "resumes_v1",
    ];
    let mut known: Vec<&str> = [&written[..], &made_again, &left_out].concat();
    known.sort_unstable();
    let txn = alice.store.shared.database().unwrap().begin_read().unwrap();
    let mut tables: Vec<String> =
        txn.list_tables().unwrap().map(|table| redb::TableHandle::name(&table).to_owned()).collect();
    tables.retain(|name| !name.starts_with("view_"));
    tables.sort_unstable();
    assert_eq!(tables, known);
}

#[test]
fn a_blob_id_is_no_name_of_a_piece() {
    let names = crate::backup::NameKey([1; 32]);
    let blob = BlobId::of(b"x");
    assert_ne!(names.of_piece(&blob.0, 0), names.of_piece(&blob.0, 1), "ARC-13");
    assert_ne!(names.of_rows(&blob.0), names.of_piece(&blob.0, 0));
}
