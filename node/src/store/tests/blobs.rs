//! Files of blobs and their rows, when a crash or a disk has kept only one of them.

use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::error::StoreError;

fn path_of(person: &Person, blob: &BlobId) -> PathBuf {
    let name = data_encoding::HEXLOWER.encode(&blob.0);
    person.path().join("blobs").join(&name[..2]).join(name)
}

fn incoming(person: &Person) -> usize {
    fs::read_dir(person.path().join("incoming")).unwrap().count()
}

#[tokio::test]
async fn r_sto_10_a_file_without_a_row_is_gone_after_a_restart_and_one_with_a_row_stays() {
    let alice = Person::new("alice");
    let kept = with_picture(&alice).await;
    assert_eq!(incoming(&alice), 0);
    // Killed between the move of the file and the commit of the row, and once between commit and tidying up.
    let orphan = received(&alice, b"GIF89a orphan").await;
    let shared = &alice.store.shared;
    for _ in 0..2 {
        shared.place_blob_file(&orphan.blob, orphan.scratch.path()).unwrap();
    }
    fs::write(shared.folder.incoming().join(data_encoding::HEXLOWER.encode(&kept.0)), "").unwrap();
    // And while something came in.
    fs::write(shared.folder.incoming().join("17"), "half").unwrap();
    assert!(path_of(&alice, &orphan.blob).exists());
    assert_eq!(incoming(&alice), 3);
    let alice = alice.restart().await;
    assert!(!path_of(&alice, &orphan.blob).exists());
    assert_eq!(incoming(&alice), 0);
    assert_eq!(alice.store.shared.read_blob_file(&kept).unwrap().unwrap(), PNG);
    assert_eq!(alice.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn r_sto_10_a_row_without_its_file_and_r_sto_5_a_damaged_file_are_wanted_again() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let blob = with_picture(&alice).await;
    bob.fetch(&alice).await;
    for harm in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, b"GIF89a").unwrap()] {
        assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
        assert!(bob.store.open_blob(blob).await.unwrap().is_some());
        harm(&path_of(&bob, &blob));
        assert_eq!(bob.store.verify().await.unwrap().faults.len(), 1);
        assert!(bob.store.open_blob(blob).await.unwrap().is_none(), "nothing is served that does not hash to its name");
        assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [blob]);
    }
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_upload_that_nothing_names_is_forgotten() {
    let alice = Person::new("alice");
    let blob = alice.store.add_blob(upload(&alice, PNG).await).await.unwrap().blob;
    fs::remove_file(path_of(&alice, &blob)).unwrap();
    assert!(alice.store.open_blob(blob).await.unwrap().is_none());
    assert_eq!(alice.store.snapshot().unwrap().blobs_wanted().unwrap(), []);
    let again = alice.store.add_blob(upload(&alice, PNG).await).await.unwrap().blob;
    assert!(alice.store.open_blob(again).await.unwrap().is_some());
}

#[tokio::test]
async fn r_sto_10_an_upload_that_a_crash_left_unnamed_is_dropped_and_one_that_may_still_be_used_is_not() {
    let alice = Person::new("alice");
    let named = with_picture(&alice).await;
    let waiting = alice.store.add_blob(upload(&alice, b"ID3 waits to be used").await).await.unwrap();
    alice.store.add_media(alice.me.did, waiting.clone()).await.unwrap();
    // Killed before it was said what the picture is for.
    let unnamed = received(&alice, b"GIF89a unnamed").await;
    let orphan = unnamed.blob;
    assert!(alice.store.keep_blob(unnamed, true).await.unwrap());
    alice.wait(1_000);
    let alice = alice.restart().await;
    let opened_ms = alice.store.now_ms();
    assert!(path_of(&alice, &orphan).exists());
    let later = received(&alice, b"GIF89a just came").await;
    let (just_came, again) = (later.blob, received(&alice, b"GIF89a unnamed").await);
    alice.store.keep_blob(later, true).await.unwrap();
    alice.store.forget_unnamed(opened_ms).await.unwrap();
    let held = [named, waiting.blob, just_came, orphan].map(|blob| path_of(&alice, &blob).exists());
    assert_eq!(held, [true, true, true, false]);
    assert_eq!(alice.store.verify().await.unwrap().faults, Vec::<String>::new());
    // The same bytes may come again, and are no orphan as long as they are new.
    assert!(alice.store.keep_blob(again, true).await.unwrap());
    alice.store.forget_unnamed(opened_ms).await.unwrap();
    assert!(path_of(&alice, &orphan).exists());
}

#[tokio::test]
async fn r_blb_7_a_large_blob_is_read_whole_once_over_restarts_too_and_its_tree_goes_with_it() {
    let alice = Person::new("alice");
    let bytes = [b"ID3".as_slice(), &vec![7; 2 << 20]].concat();
    let blob = alice.store.add_blob(upload(&alice, &bytes).await).await.unwrap().blob;
    let tree = |person: &Person| {
        let name = data_encoding::HEXLOWER.encode(&blob.0);
        person.path().join("trees").join(&name[..2]).join(name)
    };
    assert!(alice.store.open_blob(blob).await.unwrap().is_some());
    assert_eq!(fs::read(tree(&alice)).unwrap().len(), 32 * bytes.len().div_ceil(16 << 10));
    // A bit far from the beginning is other now: who reads all of it notices.
    let mut harmed = bytes.clone();
    harmed[1 << 20] ^= 1;
    fs::write(path_of(&alice, &blob), &harmed).unwrap();
    let alice = alice.restart().await;
    let mut reader = alice.store.open_blob(blob).await.unwrap().expect("not read whole again");
    reader.narrow(0, 1);
    assert!(reader.read().await.unwrap().is_some());
    reader.narrow(1 << 20, 1);
    assert_eq!(reader.read().await.unwrap_err().kind(), std::io::ErrorKind::InvalidData, "R-STO-5");
    fs::write(path_of(&alice, &blob), &bytes).unwrap();
    for forged in [fs::read(tree(&alice)).unwrap()[32..].to_vec(), vec![0; 32 * 129], Vec::new()] {
        fs::write(tree(&alice), forged).unwrap();
        let alice = &alice.store.shared;
        assert!(alice.read_tree(&blob, bytes.len() as u64).is_none(), "it is not that of the id");
    }
    let alice = alice.restart().await;
    assert!(alice.store.open_blob(blob).await.unwrap().is_some());
    assert!(alice.store.shared.read_tree(&blob, bytes.len() as u64).is_some(), "made anew");
    alice.store.refuse_blob(blob).await.unwrap();
    assert!(!path_of(&alice, &blob).exists() && !tree(&alice).exists());
}

#[tokio::test]
async fn r_blb_1_bytes_that_nobody_named_are_not_kept() {
    let alice = Person::new("alice");
    let unnamed = received(&alice, b"GIF89a unnamed").await;
    let blob = unnamed.blob;
    assert!(!alice.store.put_blob(unnamed).await.unwrap());
    assert!(alice.store.open_blob(blob).await.unwrap().is_none());
    assert_eq!(incoming(&alice), 0);
}

#[tokio::test]
async fn an_empty_upload_and_one_whose_folder_is_gone_are_typed_errors_and_the_store_goes_on() {
    let alice = Person::new("alice");
    let empty = alice.store.add_blob(upload(&alice, b"").await).await;
    assert!(matches!(empty, Err(CommandError::Blob(_))));
    fs::remove_dir(alice.path().join("incoming")).unwrap();
    let failed = alice.store.add_blob(upload(&alice, PNG).await).await;
    assert!(matches!(failed, Err(CommandError::Store(StoreError::Storage(_)))));
    alice.post("after").await;
}

#[tokio::test]
async fn a_picture_that_was_uploaded_again_stays_when_the_first_upload_is_forgotten() {
    let alice = Person::new("alice");
    let hours = |hours: u64| hours * 3_600 * 1_000;
    let first = alice.store.add_blob(upload(&alice, PNG).await).await.unwrap();
    let blob = first.blob;
    alice.store.add_media(alice.me.did, first).await.unwrap();
    alice.wait(hours(20));
    let second = alice.store.add_blob(upload(&alice, PNG).await).await.unwrap();
    let media = alice.store.add_media(alice.me.did, second.clone()).await.unwrap();
    alice.wait(hours(5));
    alice.store.purge_due().await.unwrap();
    assert!(alice.store.snapshot().unwrap().media(media).unwrap().is_some());
    assert!(alice.store.open_blob(blob).await.unwrap().is_some());
    alice.wait(hours(20));
    alice.store.purge_due().await.unwrap();
    assert!(alice.store.open_blob(blob).await.unwrap().is_none());
    assert!(!path_of(&alice, &blob).exists());
}

#[tokio::test]
async fn r_blb_9_what_has_come_of_a_blob_goes_with_its_purge_and_it_is_never_taken_again() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let blob = with_picture(&alice).await;
    bob.fetch(&alice).await;
    drop(bob.store.open_partial(blob, PNG.len() as u64).await.unwrap());
    let parts = || fs::read_dir(bob.path().join("partial")).unwrap().count();
    assert_eq!(parts(), 2);
    bob.store.tidy_partials(BTreeSet::new()).await.unwrap();
    assert_eq!(parts(), 2, "it is wanted");
    let number = alice.store.snapshot().unwrap().log_number(&alice.me.log).unwrap().unwrap();
    let status = alice.store.snapshot().unwrap().with_entry((number, 1), |row| StatusId(row.local_id)).unwrap();
    alice.erase(status.unwrap(), true).await;
    bob.fetch(&alice).await;
    assert_eq!(parts(), 0);
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), []);
    // Somebody else names it.
    let carol = Person::new("carol");
    assert_eq!(with_picture(&carol).await, blob);
    bob.fetch(&carol).await;
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [], "purged by order: on the refuse list");
    drop(bob.store.open_partial(blob, PNG.len() as u64).await.unwrap());
    bob.store.tidy_partials(BTreeSet::new()).await.unwrap();
    assert_eq!(parts(), 0);
}

#[tokio::test]
async fn what_is_missing_is_read_in_parts_and_all_of_it_is_found() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut named = BTreeSet::new();
    for number in 0..5_u8 {
        let bytes = [b"GIF89a\x01\0\x01\0\0\0\0", &[number][..]].concat();
        let attachment = xom_protocol::body::Attachment::new(BlobId::of(&bytes), "image/gif", bytes.len() as u64);
        named.insert(attachment.blob);
        let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
        alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    }
    bob.fetch(&alice).await;
    for (blobs_max, rows_max) in [(2, 100), (100, 2), (1, 1), (100, 100)] {
        let (mut found, mut from) = (BTreeSet::new(), None);
        loop {
            let (some, rest) = bob.store.snapshot().unwrap().blobs_wanted_from(from, blobs_max, rows_max).unwrap();
            assert!(some.len() <= blobs_max.min(rows_max));
            found.extend(some);
            from = rest;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(found, named);
    }
}

/// A JPEG of 8 by 4 pixels that lies on its side, with a place in its EXIF.
fn photo() -> Vec<u8> {
    let mut plain = Vec::new();
    let picture = image::RgbImage::from_pixel(8, 4, image::Rgb([200, 30, 30]));
    image::codecs::jpeg::JpegEncoder::new(&mut plain).encode_image(&picture).unwrap();
    let tiff = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0at home, 10.7769N";
    let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, tiff, &plain[2..]].concat()
}

#[tokio::test]
async fn r_blb_5_an_upload_has_no_place_in_it_before_it_has_a_name() {
    let alice = Person::new("alice");
    let attachment = alice.store.add_blob(upload(&alice, &photo()).await).await.unwrap();
    assert_ne!(attachment.blob, BlobId::of(&photo()));
    let held = alice.store.shared.read_blob_file(&attachment.blob).unwrap().unwrap();
    assert_eq!((attachment.blob, attachment.bytes), (BlobId::of(&held), held.len() as u64));
    assert_eq!((attachment.width, attachment.height), (Some(4), Some(8)), "as it is shown");
    assert_eq!(attachment.blurhash.as_ref().map(String::len), Some(28));
    assert_eq!(files_with(&alice.path(), "10.7769N"), Vec::<PathBuf>::new());
    assert_eq!(incoming(&alice), 0);
    let damaged = alice.store.add_blob(upload(&alice, &photo()[..60]).await).await;
    assert!(matches!(damaged, Err(CommandError::Blob(_))), "{damaged:?}");
    assert_eq!(incoming(&alice), 0);
}

#[tokio::test]
async fn a_small_picture_is_made_when_it_is_asked_for_and_goes_with_its_blob() {
    // BLOB-10.
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let attachment = alice.store.add_blob(upload(&alice, &photo()).await).await.unwrap();
    let blob = attachment.blob;
    let bytes = alice.store.shared.read_blob_file(&blob).unwrap().unwrap();
    let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
    let status = alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap().status.unwrap();
    bob.fetch(&alice).await;
    assert_eq!(bob.store.preview(blob).await.unwrap(), None, "nothing is here yet");
    assert!(bob.store.put_blob(received(&bob, &bytes).await).await.unwrap());
    let small = bob.store.preview(blob).await.unwrap().unwrap();
    assert!(small.starts_with(b"\xff\xd8\xff"));
    assert_eq!(alice.store.preview(blob).await.unwrap().unwrap(), small);
    let previews = |person: &Person| walk(&person.path().join("previews"));
    assert_eq!((previews(&alice), previews(&bob)), (1, 1));
    assert_eq!(bob.store.preview(blob).await.unwrap().unwrap(), small);
    alice.erase(status, true).await;
    bob.fetch(&alice).await;
    assert_eq!((previews(&alice), previews(&bob)), (0, 0), "a small picture is a copy too");
    assert_eq!(bob.store.preview(blob).await.unwrap(), None);
    assert_eq!(previews(&bob), 0);
    let sound = alice.store.add_blob(upload(&alice, b"OggS sound").await).await.unwrap().blob;
    assert_eq!(alice.store.preview(sound).await.unwrap(), None);
}

/// How many files are in a folder, however deep.
fn walk(path: &Path) -> usize {
    let items = fs::read_dir(path).unwrap().map(|item| item.unwrap().path());
    items.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn r_sto_11_of_a_lost_blob_neither_its_damaged_file_nor_its_small_picture_outlives_a_purge() {
    for now in [true, false] {
        let (alice, bob) = (Person::new("alice"), Person::new("bob"));
        let attachment = alice.store.add_blob(upload(&alice, &photo()).await).await.unwrap();
        let blob = attachment.blob;
        let bytes = alice.store.shared.read_blob_file(&blob).unwrap().unwrap();
        let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
        let status = alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap().status.unwrap();
        bob.fetch(&alice).await;
        assert!(bob.store.put_blob(received(&bob, &bytes).await).await.unwrap());
        assert!(bob.store.preview(blob).await.unwrap().is_some());
        // Most of it can still be read.
        fs::write(path_of(&bob, &blob), &bytes[..bytes.len() - 1]).unwrap();
        assert!(bob.store.open_blob(blob).await.unwrap().is_none());
        assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [blob]);
        alice.erase(status, now).await;
        bob.fetch(&alice).await;
        bob.wait(xom_protocol::limits::ERASE_DELAY_MS + 1_000);
        bob.store.purge_due().await.unwrap();
        assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), []);
        assert_eq!((walk(&bob.path().join("blobs")), walk(&bob.path().join("previews"))), (0, 0));
    }
}

#[tokio::test]
async fn r_blb_7_somebody_who_names_a_blob_often_does_not_keep_from_view_who_names_it_rightly() {
    let (mallory, alice, bob) = (Person::new("mallory"), Person::new("alice"), Person::new("bob"));
    let (blob, right) = (BlobId::of(PNG), PNG.len() as u64);
    for bytes in 1..20 {
        let attachment = xom_protocol::body::Attachment::new(blob, "image/png", right + bytes);
        let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
        mallory.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    }
    bob.fetch(&mallory).await;
    assert_eq!(with_picture(&alice).await, blob);
    bob.fetch(&alice).await;
    let named = bob.store.snapshot().unwrap().blob_named_by(&blob).unwrap();
    assert!(named.iter().any(|(_, author, bytes)| (*author, *bytes) == (alice.me.did, right)));
    assert!(named.len() < 12, "{}", named.len());
}

#[tokio::test]
async fn r_blb_9_a_blob_that_the_owner_refuses_is_gone_stays_away_and_is_not_served() {
    // BLOB-12.
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    let blob = with_picture(&alice).await;
    let entry = alice.store.snapshot().unwrap().blob_named_by(&blob).unwrap()[0].0;
    bob.fetch(&alice).await;
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    let served = || bob.store.snapshot().unwrap().blob_served_as(&blob, &entry, |_| Ok(true)).unwrap();
    assert_eq!(served(), Some(PNG.len() as u64));
    let before = bob.store.snapshot().unwrap().author_bytes(&alice.me.did).unwrap();
    bob.store.refuse_blob(blob).await.unwrap();
    bob.store.refuse_blob(blob).await.unwrap();
    assert_eq!(served(), None);
    assert!(!path_of(&bob, &blob).exists());
    assert_eq!(before - bob.store.snapshot().unwrap().author_bytes(&alice.me.did).unwrap(), PNG.len() as u64);
    // Others name it, before and after a restart.
    with_picture(&carol).await;
    bob.fetch(&carol).await;
    let bob = bob.restart().await;
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), []);
    assert!(!bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
    // One that never was here is refused before it comes.
    let dave = Person::new("dave");
    dave.store.refuse_blob(blob).await.unwrap();
    dave.fetch(&alice).await;
    assert_eq!(dave.store.snapshot().unwrap().blobs_wanted().unwrap(), []);
}

#[tokio::test]
async fn pair_7_the_blob_of_a_hidden_entry_is_served_to_devices_of_its_author_until_it_is_purged() {
    // BLOB-3.
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let blob = with_picture(&alice).await;
    let snapshot = alice.store.snapshot().unwrap();
    let entry = snapshot.blob_named_by(&blob).unwrap()[0].0;
    let status = crate::reader::Reader::new(snapshot).unwrap().status_of_entry(&entry).unwrap().expect("a post");
    bob.fetch(&alice).await;
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    let served = |person: &Person, is_sibling: bool| {
        person.store.snapshot().unwrap().blob_served_as(&blob, &entry, |_| Ok(is_sibling)).unwrap().is_some()
    };
    assert!([&alice, &bob].into_iter().all(|person| served(person, false)));
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    assert!(served(&alice, true) && !served(&alice, false), "to her devices alone");
    assert!(!served(&bob, true) && !served(&bob, false), "nobody of his is alice");
    assert_eq!(bob.store.snapshot().unwrap().blob_named_by(&blob).unwrap(), []);
    alice.wait(xom_protocol::limits::ERASE_DELAY_MS + 1_000);
    alice.store.purge_due().await.unwrap();
    assert!(!served(&alice, true));
    assert_eq!(alice.store.snapshot().unwrap().blob_named_by(&blob).unwrap(), []);
}
