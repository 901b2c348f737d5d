//! Keys at rest with real processes: sealed ones are opened, a kill in the middle of sealing, and secrets
//! that show nowhere.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::json;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

const PASSPHRASE: &str = "correct horse battery";

fn keys(home: &Home) -> PathBuf {
    home.data_dir().join("identities").join("alice")
}

/// A file in a home's scratch folder.
fn file(home: &Home, name: &str, content: &str) -> String {
    let path = home.scratch().join(name);
    std::fs::write(&path, content).expect("writable");
    path.display().to_string()
}

/// Confirms the words; both keys are sealed.
fn seal(home: &Home) -> Vec<String> {
    let shown = home.xom(&["phrase", "show"]);
    let words: Vec<String> = shown["words"].as_array().expect("words").iter().map(text).collect();
    let (all, passphrase) = (file(home, "words", &words.join(" ")), file(home, "passphrase", PASSPHRASE));
    home.xom(&["phrase", "confirm", "--words-file", &all, "--passphrase-file", &passphrase, "--seal-device"]);
    words
}

#[test]
fn a_sealed_device_key_opens_by_passphrase_file_a_systemd_credential_or_a_command() {
    let mut alice = Home::started("alice");
    seal(&alice);
    alice.publish("open until the next start");
    alice.stop();
    alice.start();
    let refused = alice.run(&["post", "x"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("the device key is sealed; open it with `xom unlock`"), "{stderr}");
    let wrong = file(&alice, "wrong", "battery horse correct");
    let refused = alice.run(&["unlock", "--passphrase-file", &wrong]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("wrong passphrase; nothing was changed"));
    let right = file(&alice, "passphrase", PASSPHRASE);
    assert_eq!(alice.xom(&["unlock", "--passphrase-file", &right])["device_key_open"], true);
    alice.publish("opened by the command");
    alice.stop();

    alice.arguments(&["--passphrase-file", &right]);
    alice.start();
    alice.publish("opened by the file");
    alice.stop();

    alice.arguments(&[]);
    let credentials = alice.scratch().join("credentials");
    std::fs::create_dir(&credentials).expect("a folder");
    std::fs::write(credentials.join("xom-passphrase"), format!("{PASSPHRASE}\n")).expect("writable");
    alice.variable("CREDENTIALS_DIRECTORY", &credentials.display().to_string());
    alice.start();
    alice.publish("opened by the credential");
    alice.stop();

    let refused = alice.run(&["run", "--http", "127.0.0.1:0", "--passphrase-file", &wrong]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("wrong does not open the device key: wrong passphrase"), "{stderr}");
}

#[test]
fn until_then_the_node_syncs_serves_and_keeps_posts_nothing_and_answers_423_with_what_to_do() {
    let (mut alice, mut bob) = (Home::started("alice"), Home::started("bob"));
    alice.follow(&bob.invite());
    bob.publish("before");
    let invite = alice.invite();
    alice.publish("of alice");
    wait_until("alice has bob's post", DEADLINE, || alice.timeline().contains(&"before".to_owned()).then_some(()));
    seal(&alice);
    alice.stop();
    alice.start();
    bob.publish("after");
    wait_until("alice goes on to sync", DEADLINE, || alice.timeline().contains(&"after".to_owned()).then_some(()));
    let bobs = bob.did();
    bob.stop();
    let carol = Home::started("carol");
    carol.follow(&invite);
    wait_until("alice serves her own", DEADLINE, || carol.timeline().contains(&"of alice".to_owned()).then_some(()));
    carol.follow(&bobs);
    wait_until("alice keeps bob's", DEADLINE, || carol.timeline().contains(&"after".to_owned()).then_some(()));
    for (path, body) in [
        ("/api/v1/statuses", json!({"status": "x"})),
        ("/api/xom/v1/follow", json!({"did": carol.did()})),
        ("/api/xom/v1/invites", json!({})),
    ] {
        let (code, answer) = alice.post(path, &body);
        assert_eq!(code, 423, "{path}: {answer}");
        assert!(answer.to_string().contains("xom unlock"), "{path}: {answer}");
    }
    let warnings = alice.xom(&["status"])["warnings"].to_string();
    assert!(warnings.contains("the device key of alice is sealed"), "{warnings}");
    assert!(!carol.timeline().contains(&"x".to_owned()));
}

#[test]
fn a_kill_in_the_middle_of_sealing_leaves_a_state_that_opens() {
    let mut alice = Home::started("alice");
    seal(&alice);
    let mut passphrase = PASSPHRASE.to_owned();
    let mut changed = 0;
    // What lies there for a moment while the passphrase is changed; the last is there before and after.
    let moments = ["control.sealed.next", "device.sealed.next", "change", "change.new", "control.sealed"];
    for (round, moment) in moments.iter().cycle().take(6).enumerate() {
        let next = format!("passphrase number {round}");
        let body = json!({"passphrase": passphrase, "new_passphrase": next});
        let watched = keys(&alice).join(moment);
        let (url, token) = (alice.url("/api/xom/v1/passphrase"), format!("Bearer {}", alice.token()));
        let asking =
            std::thread::spawn(move || ureq::post(url).header("Authorization", token).send_json(&body).is_ok());
        // Looked at all the time: the moment is a short one.
        while !watched.exists() && !asking.is_finished() {
            std::thread::yield_now();
        }
        alice.kill_at_once();
        drop(asking.join());
        alice.start();
        let left: Vec<_> =
            std::fs::read_dir(keys(&alice)).expect("a folder").map(|file| file.expect("a file").file_name()).collect();
        assert_eq!(left.len(), 2, "round {round}, {moment}: {left:?}");
        let opens = |passphrase: &str| alice.post("/api/xom/v1/unlock", &json!({ "passphrase": passphrase })).0 == 200;
        if !opens(&passphrase) {
            assert!(opens(&next), "round {round}, {moment}: neither passphrase opens");
            passphrase = next;
            changed += 1;
        }
        let id = alice.publish("x");
        let path = format!("/api/xom/v1/statuses/{id}/erase");
        let (code, answer) = alice.post(&path, &json!({"now": true, "passphrase": passphrase}));
        assert_eq!(code, 200, "round {round}, {moment}: the two keys have two passphrases: {answer}");
    }
    assert!(changed < 6, "no kill came before the change");
}

/// Where one of the secrets lies in some bytes.
fn found<'s>(bytes: &[u8], secrets: &'s [(String, Vec<u8>)]) -> Option<&'s str> {
    let lies_in = |secret: &[u8]| {
        let mut from = 0;
        while let Some(at) = bytes[from..].iter().position(|byte| *byte == secret[0]) {
            from += at;
            if bytes[from..].starts_with(secret) {
                return true;
            }
            from += 1;
        }
        false
    };
    secrets.iter().find(|(_, secret)| lies_in(secret)).map(|(name, _)| name.as_str())
}

/// The name of the secret that the writable memory of a process holds, if one.
fn found_in_memory(pid: u32, secrets: &[(String, Vec<u8>)]) -> Option<String> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the maps of a child");
    let mut memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("the memory of a child");
    let mut read = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("fits")];
        let there = memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut bytes));
        if there.is_err() {
            continue;
        }
        read += bytes.len();
        if let Some(name) = found(&bytes, secrets) {
            return Some(format!("{name} in {line}"));
        }
    }
    assert!(read > 1 << 20, "no memory was read");
    None
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.trim().as_bytes()).expect("hexadecimal")
}

/// Every file below a folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[test]
fn key_bytes_and_words_show_in_no_log_no_core_state_dump_and_no_json_output() {
    let mut alice = Home::new("alice");
    let log = alice.scratch().join("log");
    alice.log_all(&log);
    alice.start();
    let read = |name: &str| std::fs::read_to_string(keys(&alice).join(name)).expect("a key");
    let mut secrets: Vec<(String, Vec<u8>)> = Vec::new();
    for name in ["control.key", "device.key"] {
        let seed = hex(&read(name));
        secrets.push((format!("{name} as text"), read(name).trim().as_bytes().to_vec()));
        secrets.push((format!("{name} as base64"), data_encoding::BASE64.encode(&seed).into_bytes()));
        secrets.push((name.to_owned(), seed));
    }
    let phrase = read("phrase");
    let words: Vec<&str> = phrase.split_whitespace().collect();
    for three in words.windows(3) {
        secrets.push(("words".to_owned(), three.join(" ").into_bytes()));
        secrets.push(("words as JSON".to_owned(), three.join("\",\"").into_bytes()));
    }
    let in_process = secrets.clone();
    secrets.push(("the passphrase".to_owned(), PASSPHRASE.as_bytes().to_vec()));
    seal(&alice);
    let (right, wrong) = (file(&alice, "passphrase", PASSPHRASE), file(&alice, "wrong", "battery horse correct"));
    let mut outputs = Vec::new();
    let mut say = |home: &Home, arguments: &[&str]| {
        for json in [&["--json"][..], &[]] {
            let output = home.run(&[arguments, json].concat());
            outputs.extend([output.stdout, output.stderr]);
        }
    };
    alice.stop();
    alice.start();
    for arguments in [
        &["status"][..],
        &["id"],
        &["verify"],
        &["peers"],
        &["post", "x"],
        &["phrase", "show"],
        &["phrase", "confirm"],
        &["unlock", "--passphrase-file", &wrong],
    ] {
        say(&alice, arguments);
    }
    assert_eq!(found_in_memory(alice.pid(), &secrets), None, "a node whose keys are sealed");
    // A control key that was opened for one order is gone again; the device key stays open.
    say(&alice, &["unlock", "--passphrase-file", &right]);
    let id = alice.publish("x");
    say(&alice, &["erase", &id, "--now", "--passphrase-file", &wrong]);
    alice.xom(&["erase", &id, "--now", "--passphrase-file", &right]);
    let control: Vec<_> = in_process.iter().filter(|(name, _)| !name.starts_with("device.key")).cloned().collect();
    assert_eq!(found_in_memory(alice.pid(), &control), None, "a node that has used the control key");
    alice.stop();
    let logged = std::fs::read(&log).expect("the log");
    assert!(logged.len() > 10_000, "nothing was logged");
    assert_eq!(found(&logged, &secrets), None, "in the log");
    for output in &outputs {
        assert_eq!(found(output, &secrets), None, "in {}", String::from_utf8_lossy(output));
    }
    for path in all_files(&alice.data_dir()) {
        let bytes = std::fs::read(&path).expect("readable");
        assert_eq!(found(&bytes, &secrets), None, "in {}", path.display());
    }
}
