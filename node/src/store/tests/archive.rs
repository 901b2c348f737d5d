//! Archives (chapter 07): whole, harmed in every region, and made by mallory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use xom_protocol::{BlobId, Did};

use super::*;
use crate::archive::{Page, PageError, blob_path};
use crate::model::VerifyReport;
use crate::reader::Reader;
use crate::verify_archive;

/// A page that says how long the longest log is.
struct Lines;

impl Page for Lines {
    fn write(&self, reader: &Reader, identity: Did, to: &mut dyn Write) -> Result<(), PageError> {
        for log in reader.logs()?.iter().filter(|log| log.did == identity) {
            writeln!(to, "{} {}", log.log, log.height)?;
        }
        Ok(())
    }
}

/// Bytes that a test can look at after they were written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) async fn export(person: &Person) -> Vec<u8> {
    let written = Written::default();
    let bytes = person.store.export(person.me.did, Arc::new(Lines), written.clone()).await.unwrap();
    let written = std::mem::take(&mut *written.0.lock().unwrap());
    assert_eq!(written.len() as u64, bytes);
    written
}

/// The members of a tar: name, where the header is, where the content is.
pub(super) fn members(archive: &[u8]) -> Vec<(String, usize, std::ops::Range<usize>)> {
    let (mut at, mut found) = (0, Vec::new());
    while archive[at] != 0 {
        let name = archive[at..at + 100].split(|byte| *byte == 0).next().unwrap();
        let size = std::str::from_utf8(&archive[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        found.push((String::from_utf8(name.to_vec()).unwrap(), at, at + 512..at + 512 + size));
        at += 512 + size.div_ceil(512) * 512;
    }
    found
}

/// The archive without one member.
pub(super) fn without(archive: &[u8], prefix: &str) -> Vec<u8> {
    let (_, at, content) = members(archive).into_iter().find(|(name, ..)| name.starts_with(prefix)).unwrap();
    let end = content.start + content.len().div_ceil(512) * 512;
    [&archive[..at], &archive[end..]].concat()
}

/// The header of a member as the program writes it, but with any name.
pub(super) fn header(name: &str, size: u64, kind: u8) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    for at in [108, 116, 329, 337] {
        block[at..at + 7].copy_from_slice(b"0000000");
    }
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"00000000000");
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

pub(super) fn check(archive: &[u8], rule: &str) -> VerifyReport {
    let report = verify_archive(archive);
    let told = report.faults.iter().any(|fault| fault.contains(&format!("({rule})")));
    assert!(told, "{rule} is not among {:?}", report.faults);
    report
}

/// An archive with posts, a picture, and something that was erased and purged.
async fn sample() -> (Person, BlobId, Vec<u8>) {
    let alice = Person::new("alice");
    let blob = with_picture(&alice).await;
    for number in 0..70 {
        alice.post(&format!("post {number}")).await;
    }
    let gone = alice.post("purged text").await;
    alice.erase(gone, true).await;
    let hidden = alice.post("hidden text").await;
    alice.erase(hidden, false).await;
    let archive = export(&alice).await;
    (alice, blob, archive)
}

#[tokio::test]
async fn an_archive_holds_everything_but_what_was_purged_and_is_checked_from_the_file_alone() {
    let (alice, blob, archive) = sample().await;
    let report = alice.store.verify().await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(verify_archive(archive.as_slice()), report);
    let names: Vec<_> = members(&archive).into_iter().map(|(name, ..)| name).collect();
    let log = format!("logs/{}.car", alice.me.log);
    let picture = blob_path(&blob);
    let order = ["archive.json", "identity.car", &log, &picture, "settings.json", "index.html", "manifest.json"];
    assert_eq!(names, order, "ARC-2");
    let holds = |text: &str| archive.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("hidden text") && holds("post 3") && !holds("purged text"));
}

#[tokio::test]
async fn two_archives_of_one_state_are_equal_bytes() {
    let (alice, _, archive) = sample().await;
    assert!(export(&alice).await == archive);
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_an_archive_is_a_fault() {
    let (_, _, archive) = sample().await;
    let ends = (0..1_100).step_by(13).chain((archive.len() - 2_100..archive.len()).step_by(13));
    for at in (0..archive.len()).step_by(331).chain(ends) {
        let mut harmed = archive.clone();
        harmed[at] ^= 1 << (at % 8);
        assert_ne!(verify_archive(harmed.as_slice()).faults, Vec::<String>::new(), "byte {at}");
    }
}

#[tokio::test]
async fn an_archive_that_is_cut_or_goes_on_is_a_fault() {
    let (_, _, archive) = sample().await;
    for end in (0..archive.len()).step_by(1_021).chain([archive.len() - 1]) {
        check(&archive[..end], "ARC-1");
    }
    check(&[&archive[..], b"x"].concat(), "ARC-1");
    check(&[&archive[..], &[0; 512]].concat(), "ARC-1");
}

#[tokio::test]
async fn r_blb_6_members_that_do_not_belong_into_an_archive_are_refused_by_name() {
    let (_, _, archive) = sample().await;
    let at = members(&archive).into_iter().find(|(name, ..)| name == "settings.json").unwrap().1;
    for name in ["../settings.json", "/etc/passwd", "blobs/../../x", "blobs/x", "logs/x.car", "index.html"] {
        let put = [&archive[..at], &header(name, 0, b'0'), &archive[at..]].concat();
        check(&put, "ARC-2");
    }
    for kind in [b'1', b'2', b'5', b'x', b'g', b'L'] {
        let put = [&archive[..at], &header("settings.json", 0, kind), &archive[at..]].concat();
        check(&put, "ARC-1");
    }
    for missing in ["archive.json", "identity.car", "settings.json", "index.html", "manifest.json"] {
        check(&without(&archive, missing), "ARC-2");
    }
}

#[tokio::test]
async fn bombs_end_at_their_bounds() {
    let (_, _, archive) = sample().await;
    let found = members(&archive);
    let at = |name: &str| found.iter().find(|(found, ..)| found.starts_with(name)).unwrap().clone();
    let (name, settings, _) = at("settings.json");
    let bomb = [&archive[..settings], &header(&name, 0o77_777_777_777, b'0'), &archive[settings..]].concat();
    check(&bomb, "ARC-10");
    let (name, blob, _) = at("blobs/");
    check(&[&archive[..blob], &header(&name, 41 << 20, b'0'), &archive[blob..]].concat(), "BLOB-2");
    let (_, _, log) = at("logs/");
    let mut long = archive.clone();
    // The length of the first section says 256 MiB.
    let first = log.start + 1 + usize::from(archive[log.start]);
    long[first..first + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    check(&long, "ARC-5");
    let mut car = archive.clone();
    car[log.start] = 0x7f;
    check(&car, "ARC-5");
}

#[tokio::test]
async fn swapped_blocks_break_the_chain() {
    let (_, _, archive) = sample().await;
    let (.., log) = members(&archive).into_iter().find(|(name, ..)| name.starts_with("logs/")).unwrap();
    let mut sections = Vec::new();
    let mut at = log.start + 1 + usize::from(archive[log.start]);
    while at < log.end {
        let (low, high) = (usize::from(archive[at]), usize::from(archive[at + 1]));
        let (bytes, length) = if low < 0x80 { (1, low) } else { (2, low & 0x7f | high << 7) };
        sections.push(at..at + bytes + length);
        at += bytes + length;
    }
    assert_eq!(sections.last().unwrap().end, log.end);
    // Each entry is a header, its signature and its body.
    let (third, fourth) = (sections[6].start..sections[9].start, sections[9].start..sections[12].start);
    let end = fourth.end;
    let swapped = [&archive[..third.start], &archive[fourth], &archive[third], &archive[end..]].concat();
    check(&swapped, "LOG-4");
    // Two signatures of one entry, and a body before its header.
    let twice = [&archive[..sections[2].start], &archive[sections[1].clone()], &archive[sections[2].start..]].concat();
    check(&twice, "ARC-5");
    let early = [&archive[..sections[0].start], &archive[sections[2].clone()], &archive[sections[0].start..]].concat();
    check(&early, "ARC-5");
}

#[tokio::test]
async fn a_blob_that_lacks_or_that_nothing_names_is_a_fault_and_one_called_missing_is_not() {
    let (alice, blob, archive) = sample().await;
    check(&without(&archive, "blobs/"), "ARC-6");
    let at = members(&archive).into_iter().find(|(name, ..)| name.starts_with("blobs/")).unwrap().1;
    let other = BlobId::of(b"");
    let more = [&archive[..at], &header(&blob_path(&other), 0, b'0'), &archive[at..]].concat();
    check(&more, "ARC-6");
    let hex = data_encoding::HEXLOWER.encode(&blob.0);
    std::fs::remove_file(alice.path().join("blobs").join(&hex[..2]).join(hex)).unwrap();
    let without_file = export(&alice).await;
    assert_eq!(verify_archive(without_file.as_slice()).faults, Vec::<String>::new());
    assert!(members(&without_file).iter().any(|(name, ..)| *name == format!("missing/{blob}")));
}

#[tokio::test]
async fn a_manifest_that_says_something_else_is_a_fault() {
    let (_, _, archive) = sample().await;
    let (_, at, content) = members(&archive).pop().unwrap();
    let manifest = std::str::from_utf8(&archive[content]).unwrap();
    let lies = [
        manifest.replace("\"blobs\":1", "\"blobs\":2"),
        manifest.replace("\"height\":", "\"height\":1"),
        manifest.replace("\"digest\":\"", "\"digest\":\"00"),
        manifest.replace("{\"blob_bytes", "{ \"blob_bytes"),
        "{}".to_owned(),
        "[".repeat(100_000),
    ];
    for lie in lies {
        let mut put = [&archive[..at], &header("manifest.json", lie.len() as u64, b'0'), lie.as_bytes()].concat();
        put.resize(put.len().next_multiple_of(512) + 1_024, 0);
        check(&put, "ARC-9");
    }
}

#[tokio::test]
async fn an_archive_of_another_version_or_another_identity_is_refused() {
    let (_, _, archive) = sample().await;
    let (bob, _, _) = sample().await;
    let (_, _, content) = members(&archive).remove(0);
    let about = std::str::from_utf8(&archive[content.clone()]).unwrap().to_owned();
    for (lie, rule) in [
        (about.replace("\"version\":1", "\"version\":2"), "ARC-3"),
        (about.replace("did:xom:", "did:mox:"), "ARC-3"),
        (about.replace("main", "ma n"), "ARC-3"),
        (about.replace("main", "mine"), "ID-3"),
    ] {
        let mut put = archive.clone();
        put[content.clone()].copy_from_slice(lie.as_bytes());
        check(&put, rule);
    }
    let mut put = archive.clone();
    let theirs = bob.me.did.to_string();
    let start = content.start + about.find("did:xom:").unwrap();
    put[start..start + theirs.len()].copy_from_slice(theirs.as_bytes());
    check(&put, "ID-1");
    let mut harmed = archive.clone();
    let identity = members(&archive).remove(1).2;
    harmed[identity.end - 1] ^= 1;
    check(&harmed, "ARC-4");
}

#[tokio::test]
async fn settings_that_are_none_are_a_fault() {
    let (_, _, archive) = sample().await;
    let (.., content) = members(&archive).into_iter().find(|(name, ..)| name == "settings.json").unwrap();
    let mut put = archive.clone();
    put[content.start] = b'[';
    check(&put, "ARC-7");
}

#[tokio::test]
async fn a_page_that_became_shorter_is_filled_with_spaces() {
    struct Shrinking(Mutex<usize>);
    impl Page for Shrinking {
        fn write(&self, _: &Reader, _: Did, to: &mut dyn Write) -> Result<(), PageError> {
            let mut times = self.0.lock().unwrap();
            *times += 1;
            Ok(to.write_all(if *times == 1 { b"longer page" } else { b"page" })?)
        }
    }
    let alice = Person::new("alice");
    let written = Written::default();
    let page = Arc::new(Shrinking(Mutex::new(0)));
    alice.store.export(alice.me.did, page, written.clone()).await.unwrap();
    let archive = written.0.lock().unwrap().clone();
    let (.., content) = members(&archive).into_iter().find(|(name, ..)| name == "index.html").unwrap();
    assert_eq!(&archive[content], b"page       ", "ARC-8");
    assert_eq!(verify_archive(archive.as_slice()).faults, Vec::<String>::new());
}
