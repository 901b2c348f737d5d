//! Archives and backups with real processes: taken while the node runs, restored after it is gone, killed in the
//! middle.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::picture::picture;
use xom_tests::process::{forget_peak, peak_bytes};
use xom_tests::random::Random;
use xom_tests::terminal::Terminal;
use xom_tests::{Home, wait_until};

/// Bytes of one medium of the large backup.
const MEDIUM_BYTES: usize = 4 << 20;
/// How much more memory a node may take for an archive or a backup, whatever its size, bytes.
const MEMORY_BYTES_MAX: u64 = 24 << 20;

/// How many media the large backup holds: 40 MiB, or 1 GiB in a long run.
fn media_count() -> usize {
    if std::env::var_os("XOM_LONG").is_some() { 256 } else { 10 }
}

/// A copy of the words of a home, outside of its folder.
fn words_file(home: &Home) -> PathBuf {
    let did = home.xom(&["id"]);
    let file = home.scratch().join("words.txt");
    fs::copy(home.data_dir().join("identities").join(text(&did["username"])).join("phrase"), &file).expect("the words");
    file
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Uploads bytes and posts them.
fn post_medium(home: &Home, name: &str, bytes: &[u8]) {
    let file = home.scratch().join(name);
    fs::write(&file, bytes).expect("a file");
    let posted = home.run(&["post", name, "--media", path(&file)]);
    assert!(posted.status.success(), "{}", String::from_utf8_lossy(&posted.stderr));
    fs::remove_file(file).expect("it was there");
}

/// An Ogg file as far as anybody looks, different for each seed.
fn sound(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut sound = b"OggS".to_vec();
    while sound.len() < MEDIUM_BYTES {
        sound.extend_from_slice(&random.number().to_le_bytes());
    }
    sound
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The texts of the own profile, newest first.
fn own_texts(home: &Home) -> Vec<String> {
    let account = text(&home.get("/api/v1/accounts/verify_credentials")["id"]);
    let page = home.get(&format!("/api/v1/accounts/{account}/statuses?limit=40"));
    page.as_array().expect("a list").iter().map(|status| plain(&text(&status["content"]))).collect()
}

/// Starts a restored home: what came back is read and served, and nothing is signed (ARC-17).
fn is_only_read(home: &mut Home, kept: &str, words: &Path) {
    home.start();
    assert!(own_texts(home).contains(&"kept".to_owned()));
    assert_eq!(plain(&text(&home.get(&format!("/api/v1/statuses/{kept}"))["content"])), "kept");
    let identity = home.xom(&["id"]);
    assert_eq!((&identity["username"], &identity["device"]), (&json!("alice"), &Value::Null));
    for (path, body) in [
        ("/api/v1/statuses", json!({ "status": "too early" })),
        (&format!("/api/v1/statuses/{kept}/favourite"), json!({})),
        ("/api/xom/v1/invites", json!({})),
        ("/api/xom/v1/passphrase", json!({ "new_passphrase": "correct horse" })),
        ("/api/xom/v1/devices/pair", json!({})),
    ] {
        let (code, answer) = home.post(path, &body);
        assert_eq!((code, &answer["code"]), (423, &json!("no-device-key")), "{path}: {answer}");
        assert!(answer.to_string().contains("xom recover"), "{path}: {answer}");
    }
    let refused = home.run(&["post", "too early"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("run `xom recover` with the 24 words"), "{}", said(&refused));
    // A rotation could stand beside one that the backup does not know.
    let history = |home: &Home| home.xom(&["identity", "resolve", &text(&identity["did"])])["history"].clone();
    let before = history(home);
    let refused = home.run(&["identity", "rotate", "--words-file", path(words)]);
    assert!(!refused.status.success() && said(&refused).contains("no device key here yet"), "{}", said(&refused));
    assert_eq!(history(home), before);
    let warnings = home.xom(&["status"])["warnings"].to_string();
    assert!(warnings.contains("alice is only read"), "{warnings}");
    let archive = home.scratch().join("read.tar");
    home.xom(&["export", path(&archive)]);
    assert_eq!(home.xom(&["verify", path(&archive)])["faults"], json!([]));
}

#[test]
fn a_running_node_is_backed_up_and_lost_and_its_identity_goes_on_in_a_restored_folder() {
    let (mut alice, mut bob) = (Home::started("alice"), Home::started("bob"));
    bob.follow(&alice.invite());
    let words = words_file(&alice);
    let did = alice.did();
    post_medium(&alice, "a picture", &picture(&mut Random::new(7), 16));
    let kept = alice.publish("kept");
    let regretted = alice.publish("regretted");
    let vault = bob.scratch().join("vault");
    let first = alice.xom(&["backup", path(&vault)]);
    assert!(first["new_files"].as_u64() > Some(1), "{first}");
    let second = alice.xom(&["backup", path(&vault)]);
    assert!(second["new_bytes"].as_u64() < first["new_bytes"].as_u64(), "{second} after {first}");
    assert_eq!(alice.xom(&["verify", path(&vault)])["faults"], json!([]));
    // After the backup: something is erased for good, and something more is said.
    let (code, _) = alice.post(&format!("/api/xom/v1/statuses/{regretted}/erase"), &json!({ "now": true }));
    assert_eq!(code, 200);
    alice.publish("after the backup");
    let seen = || (bob.timeline().first().map(String::as_str) == Some("after the backup")).then_some(());
    wait_until("bob has it", DEADLINE, seen);
    wait_until("bob has the erase", DEADLINE, || (!bob.timeline().contains(&"regretted".to_owned())).then_some(()));
    let words_kept = bob.scratch().join("words.txt");
    fs::copy(&words, &words_kept).expect("paper");
    let height = alice.heads(&did)[0]["height"].clone();
    alice.kill();
    drop(alice);

    let mut again = Home::new("alice");
    let restored = again.xom(&["restore", path(&vault), "--words-file", path(&words_kept)]);
    assert_eq!(restored["identities"][0]["did"], json!(did));
    assert!(!again.data_dir().join("identities/alice").exists(), "no key comes back");
    let bobs = bob.address();
    again.bootstrap(&bobs);
    is_only_read(&mut again, &kept, &words_kept);
    let read = || own_texts(&again).contains(&"after the backup".to_owned()).then_some(());
    wait_until("what came after the backup is fetched", DEADLINE, read);
    again.stop();
    let asked = ["recover", "--phrase", "--words-file", path(&words_kept), "--from", &bobs];
    let recovered = again.xom(&[&asked[..], &["--listen", "/ip4/127.0.0.1/tcp/0"]].concat());
    assert_eq!(recovered["did"], json!(did));
    again.start();
    let texts = own_texts(&again);
    assert!(texts.contains(&"after the backup".to_owned()));
    assert!(texts.contains(&"kept".to_owned()) && !texts.contains(&"regretted".to_owned()), "{texts:?}");
    assert_eq!(plain(&text(&again.get(&format!("/api/v1/statuses/{kept}"))["content"])), "kept", "the old id holds");
    again.publish("restored");
    wait_until("bob reads on", DEADLINE, || {
        (bob.timeline().first().map(String::as_str) == Some("restored")).then_some(())
    });
    // R-FRK-2: the old log ends where it ended; the new device writes its own.
    let heads = bob.heads(&did);
    assert_eq!(heads.len(), 2, "{heads:?}");
    assert!(heads.iter().any(|head| head["height"] == height) && heads.iter().all(|head| head["disputed"] == false));
    again.stop();
    bob.stop();
}

#[test]
fn r_sto_1_a_restore_that_is_killed_goes_on_and_big_archives_take_little_memory() {
    let mut alice = Home::started("alice");
    for number in 0..media_count() {
        post_medium(&alice, &format!("medium {number}"), &sound(number as u64));
    }
    let words = words_file(&alice);
    let (vault, archive) = (alice.scratch().join("vault"), alice.scratch().join("alice.tar"));
    forget_peak(alice.pid());
    let before = peak_bytes(alice.pid()).unwrap_or_default();
    let began = Instant::now();
    alice.xom(&["backup", path(&vault)]);
    let backed_up = began.elapsed();
    alice.xom(&["export", path(&archive)]);
    let exported = began.elapsed() - backed_up;
    let grew = peak_bytes(alice.pid()).unwrap_or_default().saturating_sub(before);
    assert!(grew < MEMORY_BYTES_MAX, "{} MiB more memory", grew >> 20);
    let checked = alice.xom(&["verify", path(&archive)]);
    assert_eq!(checked["faults"], json!([]));
    let heads = alice.heads(&alice.did());
    alice.stop();

    let home = Home::new("alice");
    let arguments = ["restore", path(&vault), "--words-file", path(&words)];
    let work = home.data_dir().join("restoring");
    let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    for blobs in [0, 1, 3] {
        let mut child = home.spawn(&arguments);
        let reached = || match child.try_wait().expect("a child") {
            Some(status) => panic!("the restore ended before it was killed: {status}"),
            None => (work.join("root").exists() && count(&work.join("blobs")) >= blobs).then_some(()),
        };
        wait_until("the restore is in the middle", DEADLINE, reached);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        let refused = home.run(&["init"]);
        assert!(said(&refused).contains("run xom restore again"), "{}", said(&refused));
    }
    let began = Instant::now();
    let mut child = home.spawn(&arguments);
    let mut peak = 0;
    let status = wait_until("the restore ends", DEADLINE * 20, || {
        peak = peak.max(peak_bytes(child.id()).unwrap_or_default());
        child.try_wait().expect("a child")
    });
    assert!(status.success(), "{status}");
    eprintln!(
        "{} MiB: backed up in {backed_up:?}, exported in {exported:?}, restored in {:?} with at most {} MiB",
        (media_count() * MEDIUM_BYTES) >> 20,
        began.elapsed(),
        peak >> 20
    );
    assert!(peak < 160 << 20, "{} MiB in a restore", peak >> 20);
    assert_eq!(home.heads(&text(&heads[0]["did"])), heads);
    let again = home.run(&arguments);
    assert_eq!(again.status.code(), Some(6));
    assert!(said(&again).contains("is not empty"), "{}", said(&again));
}

#[test]
fn a_restore_shows_its_progress_on_a_terminal_and_says_what_to_do_next() {
    let mut alice = Home::started("alice");
    for number in 0..6 {
        post_medium(&alice, &format!("medium {number}"), &sound(number as u64));
    }
    let (vault, words) = (alice.scratch().join("vault"), words_file(&alice));
    alice.xom(&["backup", path(&vault)]);
    alice.stop();
    let home = Home::new("alice");
    let mut terminal = Terminal::run(&home, &format!("restore {} --words-file {}", path(&vault), path(&words)));
    let begun = terminal.read_to("restoring");
    let shown = terminal.read_to("MiB");
    assert!(shown.contains('/'), "so many of so many: {begun}{shown}");
    let (rest, went_well) = terminal.end();
    assert!(went_well && rest.contains("Restored ") && rest.contains("6 media"), "{rest}");
    assert!(rest.contains("run `xom recover`") && rest.contains("`xom join`"), "{rest}");
}

#[test]
fn an_archive_opens_without_a_node_and_is_gone_on_with_on_a_new_one() {
    let mut alice = Home::started("alice");
    post_medium(&alice, "a picture", &picture(&mut Random::new(8), 16));
    alice.publish("<script>alert(1)</script> & friends");
    let (did, archive) = (alice.did(), alice.scratch().join("alice.tar"));
    let device = text(&alice.xom(&["id"])["device"]);
    alice.xom(&["device", "rename", &device, "kitchen"]);
    alice.xom(&["export", path(&archive)]);
    let refused = alice.run(&["export", path(&archive)]);
    assert!(!refused.status.success(), "a file that is there stays");
    let partial = archive.with_file_name("alice.tar.partial");
    assert!(!partial.exists());
    let running = fs::read(&archive).expect("the archive");
    alice.stop();
    let offline = alice.scratch().join("offline.tar");
    alice.xom(&["export", path(&offline)]);
    assert!(fs::read(&offline).expect("the archive") == running, "the same without a node");

    let folder = alice.scratch().join("unpacked");
    tar::Archive::new(File::open(&archive).expect("the archive")).unpack(&folder).expect("any tar unpacks it");
    let mut page = String::new();
    File::open(folder.join("index.html")).and_then(|mut file| file.read_to_string(&mut page)).expect("the page");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; friends") && !page.contains("<script"));
    let source = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a picture");
    assert!(fs::read(folder.join(source)).expect("beside the page").starts_with(b"\x89PNG"));

    let mut harmed = running.clone();
    let middle = harmed.len() / 2;
    harmed[middle] ^= 1;
    let bad = alice.scratch().join("harmed.tar");
    fs::write(&bad, harmed).expect("a file");
    let faulty = alice.run(&["verify", path(&bad), "--json"]);
    assert_eq!(faulty.status.code(), Some(8));
    let report: Value = serde_json::from_slice(&faulty.stdout).expect("JSON");
    assert!(text(&report["faults"][0]).ends_with(')'), "{report}");

    let mut new = Home::new("alice");
    assert_eq!(new.run(&["restore", path(&bad)]).status.code(), Some(8));
    let taken = new.xom(&["restore", path(&archive)]);
    assert_eq!((&taken["identities"][0]["did"], &taken["blobs"]), (&json!(did), &json!(1)));
    assert_eq!(new.heads(&did), alice.heads(&did));
    new.start();
    let devices = new.xom(&["device", "list"]);
    assert!(devices.to_string().contains("kitchen"), "private settings came with it: {devices}");
    assert_eq!(new.run(&["post", "too early"]).status.code(), Some(4));
    new.stop();
}

#[test]
fn an_export_that_is_killed_leaves_nothing_under_its_name_and_is_made_anew() {
    let mut alice = Home::started("alice");
    for number in 0..4 {
        post_medium(&alice, &format!("medium {number}"), &sound(number as u64));
    }
    let archive = alice.scratch().join("alice.tar");
    let partial = archive.with_file_name("alice.tar.partial");
    for with_node in [true, false] {
        if !with_node {
            alice.stop();
        }
        let mut child = alice.spawn(&["export", path(&archive)]);
        let begun = || match child.try_wait().expect("a child") {
            Some(status) => panic!("the export ended before it was killed: {status}"),
            None => partial.exists().then_some(()),
        };
        wait_until("the export has begun", DEADLINE, begun);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert!(!archive.exists(), "what is not whole does not have the name of what is");
    }
    alice.xom(&["export", path(&archive)]);
    assert!(!partial.exists());
    assert_eq!(alice.xom(&["verify", path(&archive)])["faults"], json!([]));
}

#[test]
fn a_backup_that_is_killed_leaves_those_before_it_and_goes_on() {
    let mut alice = Home::started("alice");
    alice.publish("kept");
    let (vault, words) = (alice.scratch().join("vault"), words_file(&alice));
    alice.xom(&["backup", path(&vault)]);
    for number in 0..media_count() {
        post_medium(&alice, &format!("medium {number}"), &sound(number as u64));
    }
    let files = |of: &Path| -> usize {
        let folders = fs::read_dir(of.join("files")).expect("a folder").map(|folder| folder.expect("a folder").path());
        folders.map(|folder| fs::read_dir(folder).map_or(0, Iterator::count)).sum()
    };
    let mut killed = 0;
    for (round, stopped) in [(1, false), (4, false), (9, true)] {
        if stopped {
            alice.stop();
        }
        let before = files(&vault);
        let mut child = alice.spawn(&["backup", path(&vault)]);
        let reached = || match child.try_wait().expect("a child") {
            Some(status) => Some(Some(status)),
            None => (files(&vault) >= before + round).then_some(None),
        };
        if wait_until("the backup is in the middle", DEADLINE, reached).is_none() {
            killed += 1;
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            let report = alice.xom(&["verify", path(&vault)]);
            assert_eq!(report["faults"], json!([]), "round {round}: the backup before is whole");
        }
    }
    assert!(killed > 0, "every backup ended before it was killed");
    alice.xom(&["backup", path(&vault)]);
    assert_eq!(alice.xom(&["verify", path(&vault)])["faults"], json!([]));
    let home = Home::new("alice");
    home.xom(&["restore", path(&vault), "--words-file", path(&words)]);
    let did = text(&alice.xom(&["verify"])["logs"][0]["did"]);
    assert_eq!(home.heads(&did), alice.heads(&did));
}

#[test]
fn a_full_disk_ends_backup_export_and_restore_with_a_reason_and_leaves_what_was_there() {
    let mut alice = Home::started("alice");
    alice.publish("kept");
    let (vault, words) = (alice.scratch().join("vault"), words_file(&alice));
    alice.xom(&["backup", path(&vault)]);
    for number in 0..2 {
        post_medium(&alice, &format!("medium {number}"), &sound(number));
    }
    let full = |home: &Home, arguments: &[&str], bytes: u64| {
        let refused = home.run_on_a_full_disk(arguments, bytes);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(said(&refused).contains("too large"), "{arguments:?}: {}", said(&refused));
    };
    let (archive, file) = (alice.scratch().join("alice.tar"), alice.scratch().join("alice.backup"));
    full(&alice, &["export", path(&archive)], 1 << 20);
    assert!(!archive.exists(), "what is not whole does not stay");
    full(&alice, &["backup", path(&file)], 1 << 20);
    assert!(!file.exists() && !file.with_file_name("alice.backup.new").exists());
    full(&alice, &["backup", path(&vault)], 512 << 10);
    assert_eq!(alice.xom(&["verify", path(&vault)])["faults"], json!([]), "the backup before is whole");
    alice.publish("the node goes on");
    alice.xom(&["backup", path(&vault)]);
    alice.stop();
    let home = Home::new("alice");
    let restore = ["restore", path(&vault), "--words-file", path(&words)];
    full(&home, &restore, 3 << 20);
    assert!(!home.data_dir().join("format").exists(), "no data folder is left behind");
    home.xom(&restore);
    let did = text(&alice.xom(&["verify"])["logs"][0]["did"]);
    assert_eq!(home.heads(&did), alice.heads(&did));
}

#[test]
fn a_backup_in_one_file_needs_the_right_words_and_is_replaced_as_a_whole() {
    let (mut alice, mallory) = (Home::started("alice"), Home::started("mallory"));
    alice.publish("hello");
    let (file, words, others) = (alice.scratch().join("alice.backup"), words_file(&alice), words_file(&mallory));
    alice.xom(&["backup", path(&file)]);
    alice.publish("more");
    alice.stop();
    alice.xom(&["backup", path(&file)]);
    assert!(!file.with_file_name("alice.backup.new").exists());
    let home = Home::new("alice");
    let refused = home.run(&["restore", path(&file), "--words-file", path(&others)]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(!home.data_dir().join("format").exists());
    home.xom(&["restore", path(&file), "--words-file", path(&words)]);
    assert_eq!(home.heads(&text(&alice.xom(&["verify"])["logs"][0]["did"])).len(), 1);
    // No disk for it: the file of before stays as it was.
    let before = fs::read(&file).expect("the backup");
    let nowhere = alice.scratch().join("alice.backup.new");
    fs::create_dir(&nowhere).expect("something in the way");
    assert!(!alice.run(&["backup", path(&file)]).status.success());
    assert!(fs::read(&file).expect("the backup") == before);
}
