//! Sealed keys: the vectors of `spec/vectors/sealed.json`, and what does not open.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

const PASSPHRASE: &str = "hẻm 42, nhà số 7";

fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32]).unwrap()
}

fn sealed(kind: KeyKind) -> Sealed {
    let fresh = Fresh { salt: [2; 16], nonce: [3; 24] };
    Sealed::seal(kind, &key(), PASSPHRASE, Cost::for_tests(), fresh).unwrap()
}

/// A text whose checksum is right, whatever was done to its lines.
fn with_checksum(lines: &str) -> String {
    format!("{lines}sha256 {}\n", HEXLOWER.encode(&Sha256::digest(lines.as_bytes())))
}

fn outcome(text: &str, passphrase: &str) -> Result<SecretKey, SealError> {
    Sealed::parse(text)?.open(passphrase)
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_and_with_no_other() {
    let text = sealed(KeyKind::Device).text();
    let opened = Sealed::parse(&text).unwrap();
    assert_eq!((opened.kind, opened.public), (KeyKind::Device, key().public().device_id()));
    assert_eq!(opened.open(PASSPHRASE).unwrap().public(), key().public());
    assert_eq!(opened.open("hẻm 42, nhà số 8").unwrap_err(), SealError::WrongPassphrase);
    assert!(!text.contains(&HEXLOWER.encode(&[1; 32])), "the key lies open in its file");
}

#[test]
fn a_passphrase_is_the_same_whatever_keyboard_it_was_typed_on() {
    let decomposed: String = PASSPHRASE.nfd().collect();
    assert_ne!(decomposed, PASSPHRASE);
    let opened = sealed(KeyKind::Control).open(&format!(" {decomposed}\n"));
    assert_eq!(opened.unwrap().public(), key().public());
}

#[test]
fn a_damaged_file_is_told_apart_from_a_wrong_passphrase() {
    let text = sealed(KeyKind::Control).text();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(damaged) = String::from_utf8(bytes) else { continue };
        assert_eq!(Sealed::parse(&damaged), Err(SealError::Damaged), "byte {at}");
    }
    for cut in [0, 1, text.len() / 2, text.len() - 1] {
        assert_eq!(Sealed::parse(&text[..cut]), Err(SealError::Damaged), "cut at {cut}");
    }
    assert_eq!(Sealed::parse(&format!("{text}\n")), Err(SealError::Damaged));
}

#[test]
fn every_line_above_the_ciphertext_is_bound_to_it() {
    let text = sealed(KeyKind::Control).text();
    let lines: Vec<&str> = text.lines().collect();
    let with = |index: usize, line: &str| {
        let mut lines: Vec<&str> = lines[..4].to_vec();
        lines[index] = line;
        outcome(&with_checksum(&(lines.join("\n") + "\n")), PASSPHRASE).unwrap_err()
    };
    assert_eq!(with(0, &lines[0].replace("control", "device")), SealError::WrongPassphrase);
    assert_eq!(with(1, &lines[1].replace(" 64 1 1 ", " 64 2 1 ")), SealError::WrongPassphrase);
    assert_eq!(with(2, &lines[2].replace("0303", "0404")), SealError::WrongPassphrase);
    let other = SecretKey::from_seed(&[9; 32]).unwrap().public().device_id();
    let named = lines[0].rsplit_once(' ').unwrap().0.to_owned() + " " + &HEXLOWER.encode(&other.0);
    assert_eq!(with(0, &named), SealError::WrongPassphrase);
}

#[test]
fn a_file_that_asks_for_all_memory_is_damaged() {
    let text = sealed(KeyKind::Control).text();
    let (lines, _) = text.rsplit_once("sha256").unwrap();
    for cost in [" 4294967295 1 1 ", " 64 4294967295 1 ", " 64 1 4294967295 ", " 7 1 1 ", " 64 0 1 ", " 64 1 0 "] {
        let greedy = with_checksum(&lines.replace(" 64 1 1 ", cost));
        assert_eq!(Sealed::parse(&greedy), Err(SealError::Damaged), "{cost}");
    }
}

#[test]
fn real_keys_are_sealed_at_64_mib_and_three_passes_and_never_more_cheaply_than_before() {
    assert_eq!(Cost::USUAL, Cost { memory_kib: 65_536, passes: 3, lanes: 1 });
    let dear = Cost { memory_kib: 8, passes: 9, lanes: 1 };
    assert_eq!(Cost::USUAL.max(dear), Cost { memory_kib: 65_536, passes: 9, lanes: 1 });
}

#[test]
fn a_wrong_passphrase_is_as_slow_as_the_right_one() {
    // Enough work to be measured, little enough for a test: each guess runs all of Argon2id before it is refused.
    let cost = Cost { memory_kib: 8 << 10, passes: 3, lanes: 1 };
    let fresh = Fresh { salt: [2; 16], nonce: [3; 24] };
    let sealed = Sealed::seal(KeyKind::Control, &key(), PASSPHRASE, cost, fresh).unwrap();
    let timed = |passphrase: &str| {
        let begin = std::time::Instant::now();
        let opened = sealed.open(passphrase).is_ok();
        (opened, begin.elapsed())
    };
    // The fastest of several: what is slower was disturbed by something else.
    let fastest = |passphrase: &str| (0..5).map(|_| timed(passphrase).1).min().unwrap();
    assert!(timed(PASSPHRASE).0 && !timed("battery horse").0);
    let (right, wrong) = (fastest(PASSPHRASE), fastest("battery horse"));
    assert!(wrong * 4 > right, "a wrong passphrase is refused after {wrong:?}, a right one opens after {right:?}");
}

#[test]
fn a_passphrase_that_is_too_short_or_too_long_is_not_set() {
    // REST-3
    assert_eq!(check_passphrase("       7"), Err(PassphraseError::TooShort));
    assert_eq!(check_passphrase("nhà số 7"), Ok(()));
    assert_eq!(check_passphrase(&"x".repeat(1_025)), Err(PassphraseError::TooLong));
}

const ABOUT: &str = "Chapter 05. sealed-key: text is a file. Where it is valid, passphrase opens it and gives seed; \
    where it breaks REST-2, it is damaged whatever the passphrase; where it breaks REST-3, passphrase does not open it.";

fn vectors() -> Value {
    let (control, device) = (sealed(KeyKind::Control).text(), sealed(KeyKind::Device).text());
    let lines = |text: &str| text.rsplit_once("sha256").unwrap().0.to_owned();
    let vector = |name: &str, rule: Option<&str>, text: &str, passphrase: &str| {
        let seed = rule.is_none().then(|| HEXLOWER.encode(&[1; 32]));
        json!({ "name": name, "is": "sealed-key", "rule": rule, "text": text, "passphrase": passphrase, "seed": seed })
    };
    let decomposed: String = PASSPHRASE.nfd().collect();
    json!({ "about": ABOUT, "vectors": [
        vector("a control key", None, &control, PASSPHRASE),
        vector("a device key", None, &device, PASSPHRASE),
        vector("a passphrase of decomposed letters", None, &device, &decomposed),
        vector("another passphrase", Some("REST-3"), &control, "hẻm 42, nhà số 8"),
        vector("a control key under the name of a device key", Some("REST-3"),
            &with_checksum(&lines(&control).replace("control", "device")), PASSPHRASE),
        vector("other parameters than it was sealed with", Some("REST-3"),
            &with_checksum(&lines(&control).replace(" 64 1 1 ", " 128 1 1 ")), PASSPHRASE),
        vector("a wrong checksum", Some("REST-2"), &control.replace("sha256 ", "sha256 0"), PASSPHRASE),
        vector("upper-case digits", Some("REST-2"), &with_checksum(&lines(&control).to_uppercase()), PASSPHRASE),
        vector("a kind that is not known", Some("REST-2"),
            &with_checksum(&lines(&control).replace("control", "peer")), PASSPHRASE),
        vector("more memory than a file may ask for", Some("REST-2"),
            &with_checksum(&lines(&control).replace(" 64 1 1 ", " 1048577 1 1 ")), PASSPHRASE),
    ]})
}

#[test]
fn the_vectors_of_sealed_keys_are_what_the_code_makes_and_opens() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/sealed.json");
    let made = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    if std::env::var_os("XOM_REGENERATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == made, "sealed.json is not what the code makes; look at the change with XOM_REGENERATE=1");
    let file: Value = serde_json::from_str(&found).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let opened = outcome(vector["text"].as_str().unwrap(), vector["passphrase"].as_str().unwrap());
        match vector["rule"].as_str() {
            None => assert_eq!(HEXLOWER.encode(&*opened.unwrap().seed()), vector["seed"].as_str().unwrap()),
            Some("REST-2") => assert_eq!(opened.unwrap_err(), SealError::Damaged, "{}", vector["name"]),
            Some(_) => assert_eq!(opened.unwrap_err(), SealError::WrongPassphrase, "{}", vector["name"]),
        }
    }
}
