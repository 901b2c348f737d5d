//! Keys at rest: confirming the words, sealing, opening, and what is refused meanwhile.

use xom_protocol::keys::Domain;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::*;
use crate::keys::{AccessError, Confirmation, Keep, Keeping, KeyState, Keyring, PassphraseError, PhraseState};

const PASSPHRASE: &str = "correct horse battery";

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn sealed(device: bool) -> Keep {
    Keep::Sealed { passphrase: secret(PASSPHRASE), device }
}

fn with_passphrase(text: &str) -> ControlAccess {
    ControlAccess::Passphrase(secret(text))
}

impl Person {
    fn keys(&self) -> Keyring {
        Keyring::new(self.store.clone(), self.me.did)
    }

    fn key_state(&self) -> KeyState {
        self.keys().state().unwrap()
    }

    fn key_files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path().join("identities/alice")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The right answers to what is asked now.
    async fn answers(&self) -> Vec<Zeroizing<String>> {
        let (words, asked) = self.keys().words().await.unwrap();
        asked.0.iter().map(|place| secret(words.split(' ').nth(place - 1).unwrap())).collect()
    }

    async fn confirm(&self, keep: Keep) -> Result<(), AccessError> {
        let words = self.answers().await;
        refusal(self.keys().confirm(Confirmation { words, keep }).await)
    }

    async fn open_control(&self, access: ControlAccess) -> Result<(), AccessError> {
        refusal(self.store.control_key(&self.me.did, &access).await.map(drop))
    }

    async fn unlock(&self, passphrase: &str) -> Result<bool, AccessError> {
        refusal(self.keys().unlock(secret(passphrase)).await)
    }
}

fn refusal<T>(answer: Result<T, CommandError>) -> Result<T, AccessError> {
    match answer {
        Ok(done) => Ok(done),
        Err(CommandError::Access(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn it_creates_the_identity_and_keeps_phrase_and_keys_unsealed_with_mode_0600_until_the_owner_has_confirmed() {
    use std::os::unix::fs::PermissionsExt;
    // REST-1
    let alice = Person::new("alice");
    assert_eq!(alice.key_files(), ["control.key", "device.key", "phrase"]);
    for name in alice.key_files() {
        let file = std::fs::metadata(alice.path().join("identities/alice").join(&name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let state = alice.key_state();
    assert_eq!((state.control, state.device), (Keeping::Unsealed, Keeping::Unsealed));
    assert_eq!((state.phrase, state.device_open), (PhraseState::Unconfirmed, true));
}

#[tokio::test]
async fn then_the_phrase_is_deleted_and_control_keys_are_sealed() {
    let alice = Person::new("alice");
    alice.confirm(sealed(false)).await.unwrap();
    assert_eq!(alice.key_files(), ["control.sealed", "device.key"]);
    assert_eq!(alice.open_control(ControlAccess::Kept).await, Err(AccessError::Sealed));
    assert_eq!(alice.open_control(with_passphrase(PASSPHRASE)).await, Ok(()));
    alice.post("the device key is open").await;
}

#[tokio::test]
async fn without_a_passphrase_the_control_key_is_kept_in_the_words_alone() {
    let alice = Person::new("alice");
    let words = Phrase::parse(&alice.keys().words().await.unwrap().0).unwrap();
    alice.confirm(Keep::InWords).await.unwrap();
    assert_eq!(alice.key_files(), ["device.key"]);
    assert_eq!(alice.open_control(ControlAccess::Kept).await, Err(AccessError::WordsNeeded));
    assert_eq!(alice.open_control(ControlAccess::Words(words)).await, Ok(()));
    assert_eq!(refusal(alice.keys().words().await).unwrap_err(), AccessError::NoWords);
}

#[tokio::test]
async fn where_chosen_the_control_key_stays_unsealed_with_a_warning() {
    let alice = Person::new("alice");
    alice.confirm(Keep::Unsealed).await.unwrap();
    assert_eq!(alice.key_files(), ["control.key", "device.key"]);
    let warnings = alice.key_state().warnings("alice", "/folder");
    assert!(warnings.len() == 1 && warnings[0].starts_with("the control key of alice lies unsealed"), "{warnings:?}");
}

#[tokio::test]
async fn wrong_words_confirm_nothing_and_others_may_be_asked_for() {
    let alice = Person::new("alice");
    let right = alice.answers().await;
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let mut words = right.clone();
        words[1] = secret("xom");
        let answer = alice.keys().confirm(Confirmation { words, keep: Keep::InWords }).await;
        assert_eq!(refusal(answer), Err(AccessError::WrongWords));
        asked.insert(alice.keys().words().await.unwrap().1.0);
    }
    assert!(asked.len() > 1, "the same words are asked for again and again");
    assert_eq!(alice.key_files(), ["control.key", "device.key", "phrase"]);
}

#[tokio::test]
async fn the_confirmation_can_be_postponed_with_a_reminder_that_stays() {
    let alice = Person::new("alice");
    alice.keys().postpone().await.unwrap();
    let alice = alice.restart().await;
    assert_eq!(alice.key_state().phrase, PhraseState::Postponed);
    let warnings = alice.key_state().warnings("alice", "/folder");
    assert!(warnings[0].starts_with("the 24 words of alice are not confirmed"), "{warnings:?}");
    alice.confirm(Keep::InWords).await.unwrap();
    assert_eq!(alice.key_files(), ["device.key"]);
    assert_eq!(alice.key_state().warnings("alice", "/folder"), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_passphrase_is_clear_and_nothing_is_lost() {
    let alice = Person::new("alice");
    alice.confirm(sealed(true)).await.unwrap();
    let alice = alice.restart().await;
    let files = |alice: &Person| {
        let dir = alice.path().join("identities/alice");
        ["control.sealed", "device.sealed"].map(|name| std::fs::read(dir.join(name)).unwrap())
    };
    let before = files(&alice);
    for wrong in ["", "correct horse battery.", "Correct horse battery", "\u{0}"] {
        assert_eq!(alice.unlock(wrong).await, Err(AccessError::WrongPassphrase));
        assert_eq!(alice.open_control(with_passphrase(wrong)).await, Err(AccessError::WrongPassphrase));
    }
    assert!(AccessError::WrongPassphrase.to_string().contains("wrong passphrase"));
    assert_eq!(files(&alice), before);
    assert_eq!(alice.unlock(PASSPHRASE).await, Ok(true));
    assert_eq!(alice.unlock(PASSPHRASE).await, Ok(false));
}

#[tokio::test]
async fn until_the_device_key_is_open_nothing_is_signed() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post("before").await;
    alice.confirm(sealed(true)).await.unwrap();
    alice.post("it stays open until the next start").await;
    let alice = alice.restart().await;
    assert!(!alice.key_state().device_open);
    let commands = [
        post("x"),
        Command::Follow(bob.me.did),
        Command::Favourite(status),
        Command::Erase { status, now: None },
        Command::Profile(Box::default()),
        Command::App { kind: "example.note".into(), body: vec![0xa0] },
    ];
    let profile =
        Command::Profile(Box::new(xom_protocol::body::Profile { name: Some("A".into()), ..Default::default() }));
    for command in commands.into_iter().chain([profile]).filter(|command| *command != Command::Profile(Box::default()))
    {
        assert_eq!(refusal(alice.say(command).await).unwrap_err(), AccessError::DeviceSealed);
    }
    // It takes in and serves what others say.
    bob.post("hello").await;
    alice.fetch(&bob).await;
    assert_eq!(alice.texts(&bob.me.log), ["hello"]);
    bob.fetch(&alice).await;
    assert_eq!(bob.texts(&alice.me.log).len(), 2);
    alice.unlock(PASSPHRASE).await.unwrap();
    alice.post("after").await;
    bob.fetch(&alice).await;
    assert_eq!(bob.texts(&alice.me.log).len(), 3);
}

#[tokio::test]
async fn the_passphrase_can_be_changed_for_both_keys_at_once() {
    let alice = Person::new("alice");
    alice.confirm(sealed(true)).await.unwrap();
    let change = async |access: ControlAccess, new: &str| {
        refusal(alice.keys().set_passphrase(access, Some(secret(new)), None).await)
    };
    assert_eq!(change(ControlAccess::Kept, "a new passphrase").await, Err(AccessError::Sealed));
    assert_eq!(
        change(with_passphrase("wrong passphrase"), "a new passphrase").await,
        Err(AccessError::WrongPassphrase)
    );
    let short = AccessError::Passphrase(PassphraseError::TooShort);
    assert_eq!(change(with_passphrase(PASSPHRASE), "short").await, Err(short));
    assert_eq!(change(with_passphrase(PASSPHRASE), "a new passphrase").await, Ok(()));
    let alice = alice.restart().await;
    assert_eq!(alice.unlock(PASSPHRASE).await, Err(AccessError::WrongPassphrase));
    assert_eq!(alice.unlock("a new passphrase").await, Ok(true));
    assert_eq!(alice.open_control(with_passphrase("a new passphrase")).await, Ok(()));
}

#[tokio::test]
async fn a_passphrase_that_is_forgotten_is_replaced_with_the_words() {
    let alice = Person::new("alice");
    let words = Phrase::parse(&alice.keys().words().await.unwrap().0).unwrap();
    alice.confirm(sealed(false)).await.unwrap();
    let access = ControlAccess::Words(words);
    alice.keys().set_passphrase(access, Some(secret("a new passphrase")), None).await.unwrap();
    assert_eq!(alice.open_control(with_passphrase("a new passphrase")).await, Ok(()));
    assert_eq!(alice.key_files(), ["control.sealed", "device.key"]);
}

#[tokio::test]
async fn a_passphrase_can_be_set_before_the_words_are_confirmed_and_taken_away_again() {
    let alice = Person::new("alice");
    alice.keys().set_passphrase(ControlAccess::Kept, Some(secret(PASSPHRASE)), Some(true)).await.unwrap();
    assert_eq!(alice.key_files(), ["control.sealed", "device.sealed", "phrase"]);
    alice.confirm(Keep::InWords).await.unwrap();
    assert_eq!(alice.key_files(), ["control.sealed", "device.sealed"], "what is sealed stays so");
    alice.keys().set_passphrase(with_passphrase(PASSPHRASE), None, None).await.unwrap();
    assert_eq!(alice.key_files(), ["control.key", "device.key"]);
}

#[tokio::test]
async fn a_device_without_the_control_key_can_seal_its_device_key() {
    let alice = Person::new("alice");
    alice.confirm(Keep::InWords).await.unwrap();
    alice.keys().set_passphrase(ControlAccess::Kept, Some(secret(PASSPHRASE)), None).await.unwrap();
    assert_eq!(alice.key_files(), ["device.sealed"]);
    let new = Some(secret("a new passphrase"));
    let refused = alice.keys().set_passphrase(with_passphrase("wrong passphrase"), new.clone(), None).await;
    assert_eq!(refusal(refused), Err(AccessError::WrongPassphrase), "whoever finds it open may not change it");
    let refused = alice.keys().set_passphrase(ControlAccess::Kept, new.clone(), None).await;
    assert_eq!(refusal(refused), Err(AccessError::DeviceSealed));
    alice.keys().set_passphrase(with_passphrase(PASSPHRASE), new, None).await.unwrap();
    let alice = alice.restart().await;
    assert_eq!(alice.unlock("a new passphrase").await, Ok(true));
}

#[tokio::test]
async fn a_control_key_that_a_rotation_brought_takes_the_place_of_the_one_before() {
    let new = ControlKey::new(SecretKey::from_seed(&[5; 32]).unwrap());
    let replace = async |alice: &Person, access| {
        alice.store.replace_control_key(alice.me.did, new.clone(), access).await.unwrap()
    };
    let alice = Person::new("alice");
    assert_eq!(replace(&alice, ControlAccess::Kept).await, Keeping::Unsealed);
    assert_eq!(alice.open_control(ControlAccess::Kept).await, Err(AccessError::Replaced), "no rotation brought it");
    let bob = Person::new("alice");
    bob.confirm(sealed(false)).await.unwrap();
    assert_eq!(replace(&bob, with_passphrase(PASSPHRASE)).await, Keeping::Sealed);
    assert_eq!(bob.open_control(with_passphrase(PASSPHRASE)).await, Err(AccessError::Replaced));
    assert_eq!(replace(&bob, with_passphrase("a wrong passphrase")).await, Keeping::Absent, "the words give it");
}

#[tokio::test]
async fn a_damaged_file_of_keys_is_told_apart_from_a_wrong_passphrase() {
    let alice = Person::new("alice");
    alice.confirm(sealed(false)).await.unwrap();
    let path = alice.path().join("identities/alice/control.sealed");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("argon2id 64", "argon2id 65")).unwrap();
    let damaged = AccessError::Damaged { file: "control.sealed" };
    assert_eq!(alice.open_control(with_passphrase(PASSPHRASE)).await, Err(damaged));
}

#[tokio::test]
async fn r_sup_3_and_r_api_20_files_of_keys_that_others_can_read_are_tightened_at_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let alice = Person::new("alice");
    let path = alice.path().join("identities/alice/device.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _alice = alice.restart().await;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn r_sig_16_no_command_signs_bytes_that_a_caller_has_chosen() {
    // What an app stores is hashed into a header of the node's own, and signed under the domain of entries alone.
    let alice = Person::new("alice");
    let phrase = Phrase::parse(&alice.keys().words().await.unwrap().0).unwrap();
    let genesis = phrase.genesis(Network::MAIN);
    let chosen = [genesis.payload().to_vec(), b"xom/1/purge/main\0".to_vec(), vec![0xa0]];
    for body in chosen {
        alice.say(Command::App { kind: "example.note".into(), body: body.clone() }).await.unwrap();
        let served =
            alice.store.snapshot().unwrap().range(&alice.me.log, 0, 100, 1 << 20, &Default::default()).unwrap();
        let entry = served.last().unwrap();
        let (signature, key) = (entry.signature.unwrap(), alice.key().public());
        assert!(key.verify(Domain::Entry, Network::MAIN, &entry.header, &signature).is_ok());
        for domain in
            [Domain::Identity, Domain::Statement, Domain::Purge, Domain::Invite, Domain::Handshake, Domain::Entry]
        {
            assert!(key.verify(domain, Network::MAIN, &body, &signature).is_err(), "{domain:?} over the body");
        }
        for domain in [Domain::Identity, Domain::Statement, Domain::Purge, Domain::Invite, Domain::Handshake] {
            assert!(
                key.verify(domain, Network::MAIN, &entry.header, &signature).is_err(),
                "{domain:?} over the header"
            );
        }
    }
}

#[test]
fn r_api_10_no_type_that_holds_a_secret_shows_it_in_debug() {
    let phrase = Phrase::from_entropy(&[7; 32]).unwrap();
    let words = phrase.words();
    let first = words.split(' ').next().unwrap();
    let key = phrase.control_key(0);
    let seed = data_encoding::HEXLOWER.encode(&*key.seed());
    let shown = [
        format!("{:?}", ControlAccess::Words(phrase.clone())),
        format!("{:?}", with_passphrase(PASSPHRASE)),
        format!("{:?}", Confirmation { words: vec![secret(first)], keep: sealed(true) }),
        format!("{:?} {phrase:?} {key:?}", ControlKey::new(key.clone())),
        format!("{:?}", Command::Erase { status: StatusId(1), now: Some(ControlKey::new(key.clone())) }),
        format!("{:?}", crate::keys::folder::Found::Plain(key)),
        AccessError::WrongWords.to_string(),
        AccessError::WrongPassphrase.to_string(),
    ];
    for text in shown {
        assert!(!text.contains(PASSPHRASE) && !text.contains(&seed) && !text.contains(first), "{text}");
    }
}
