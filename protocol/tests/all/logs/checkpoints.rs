//! Checkpoints: built from what is live, audited by anyone who holds the logs (`LOG-8`, `LOG-14`).

use xom_protocol::body::{Body, Checkpoint, LogHead};
use xom_protocol::entry::VerifiedEntry;
use xom_protocol::log::{
    LiveSet, LogAudit, MerkleMap, Surroundings, audit_checkpoint, build_checkpoint, register_keys,
};
use xom_protocol::{Digest, EntryId};

use crate::cast::{Writer, did, writer};

fn live_of(logs: &[&Writer]) -> LiveSet {
    let mut live = LiveSet::new(did("alice"));
    logs.iter().flat_map(|log| &log.entries).for_each(|entry| live.insert(entry));
    live
}

fn head_of(log: &Writer) -> LogHead {
    LogHead { log: log.log(), height: log.height(), head: log.composer.position.head.expect("not empty") }
}

fn map_of(live: &LiveSet, log: &Writer, height: u64, siblings: &[LogHead]) -> MerkleMap {
    live.checkpoint_items(log.log(), height, siblings).into_iter().collect()
}

/// Lets `log` write its checkpoint on top of `siblings`.
fn checkpoint(log: &mut Writer, live: &LiveSet, siblings: &[LogHead]) -> Checkpoint {
    let mut map = map_of(live, log, log.height(), siblings);
    let (identity, statements) = (Digest([1; 32]), Digest([2; 32]));
    let around = Surroundings { identity, statements, logs: siblings.to_vec() };
    let body = build_checkpoint(log.log(), log.composer.position, &mut map, around).expect("not empty");
    log.write(&Body::Checkpoint(body.clone()));
    body
}

/// Audits the newest entry of `log`; gives the words of the fault.
fn check(log: &Writer, body: &Checkpoint, live: &LiveSet, fault: Option<&str>) {
    let mut map = map_of(live, log, body.height, &body.logs);
    let entry = log.entries.last().expect("checkpoint");
    let result = audit_checkpoint(entry, body, Some(&mut map));
    let words = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert_eq!(result.is_err(), fault.is_some(), "{words}");
    assert!(words.contains(fault.unwrap_or_default()), "{words}");
}

/// Alice's phone with 256 entries, of which some are overwritten and erased, also by her laptop.
fn phone_and_laptop() -> (Writer, Writer) {
    let (mut phone, mut laptop) = (writer("alice", "phone"), writer("alice", "laptop"));
    let post = phone.post("to be erased by the laptop");
    phone.name("Alice", 1);
    phone.name("Alice P.", 2);
    let gone = phone.post("to be erased by the phone");
    phone.erase(gone);
    phone.write_bytes("chess.move", b"e2e4");
    phone.fill_to(256);
    laptop.erase(post);
    (phone, laptop)
}

#[test]
fn a_checkpoint_of_what_is_live_passes_the_audit() {
    let (mut phone, laptop) = phone_and_laptop();
    let live = live_of(&[&phone, &laptop]);
    let body = checkpoint(&mut phone, &live, &[head_of(&laptop)]);
    check(&phone, &body, &live, None);
    phone.fill_to(300);
    let later = live_of(&[&phone, &laptop]);
    let mut map = map_of(&later, &phone, body.height, &body.logs);
    assert_eq!(map.root(), body.root, "what came later does not change what was live then");
}

#[test]
fn a_checkpoint_counts_erasures_only_up_to_the_heads_that_it_names() {
    let (mut phone, mut laptop) = phone_and_laptop();
    let seen = head_of(&laptop);
    let before = live_of(&[&phone, &laptop]);
    laptop.erase(phone.entries[10].header().reference(phone.entries[10].id()));
    let body = checkpoint(&mut phone, &before, &[seen]);
    check(&phone, &body, &live_of(&[&phone, &laptop]), None);
    let blind = Checkpoint { logs: Vec::new(), ..body };
    check(&phone, &blind, &live_of(&[&phone, &laptop]), Some("root"));
}

#[test]
fn presence_and_absence_are_provable_from_a_checkpoint() {
    let (mut phone, laptop) = phone_and_laptop();
    let live = live_of(&[&phone, &laptop]);
    let body = checkpoint(&mut phone, &live, &[head_of(&laptop)]);
    let mut map = map_of(&live, &phone, body.height, &body.logs);
    let mut proved = |key: Digest| map.prove(&key).verify(&body.root, &key);
    let own = |index: usize| phone.entries[index].id();
    assert_eq!(proved(Digest(own(10).0)), Ok(Some(own(10))));
    assert_eq!(proved(Digest(own(0).0)), Ok(None), "erased by the laptop");
    assert_eq!(proved(Digest(own(3).0)), Ok(None), "erased by the phone");
    assert_eq!(proved(Digest(own(1).0)), Ok(None), "registers stand under their key, not their id");
    assert_eq!(proved(name_key(&phone.entries[2])), Ok(Some(own(2))));
    assert_eq!(proved(Digest(EntryId([9; 32]).0)), Ok(None));
}

fn name_key(entry: &VerifiedEntry) -> Digest {
    let body = Body::decode(&entry.header().kind, &entry.body().expect("body").bytes).expect("profile");
    register_keys(&body)[0].digest(&did("alice"))
}

#[test]
fn a_false_checkpoint_is_void_with_its_fault() {
    let (mut phone, laptop) = phone_and_laptop();
    let live = live_of(&[&phone, &laptop]);
    let body = checkpoint(&mut phone, &live, &[head_of(&laptop)]);
    let own = head_of(&phone);
    check(&phone, &Checkpoint { height: 255, ..body.clone() }, &live, Some("height 255"));
    check(&phone, &Checkpoint { prev: Digest([9; 32]), ..body.clone() }, &live, Some("predecessor"));
    check(&phone, &Checkpoint { logs: vec![own], ..body.clone() }, &live, Some("its own log"));
    let false_root = Checkpoint { root: Digest([9; 32]), ..body };
    check(&phone, &false_root, &live, Some("root"));
    let entry = phone.entries.last().expect("checkpoint");
    let fault = audit_checkpoint(entry, &false_root, Some(&mut MerkleMap::new())).expect_err("void");
    assert_eq!((fault.entry, fault.rule().0), (entry.id(), "LOG-8"));
    assert_eq!(audit_checkpoint(entry, &false_root, None), Ok(()), "unchecked for want of bodies");
}

#[test]
fn a_builder_names_each_sibling_once_at_its_highest_and_never_itself() {
    let (phone, mut laptop) = phone_and_laptop();
    let low = head_of(&laptop);
    laptop.post("more");
    let logs = vec![low, head_of(&laptop), head_of(&phone), low];
    let around = Surroundings { identity: Digest([1; 32]), statements: Digest([2; 32]), logs };
    let body = build_checkpoint(phone.log(), phone.composer.position, &mut MerkleMap::new(), around);
    let body = body.expect("not empty");
    assert_eq!(body.logs, [head_of(&laptop)]);
    assert_eq!(Body::Checkpoint(body).check(), Ok(()));
}

#[test]
fn log_8_an_audit_that_goes_on_entry_by_entry_finds_what_one_from_the_start_finds() {
    for seed in 0_u64..12 {
        let mut state = seed + 1;
        let mut dice = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let (mut phone, mut laptop) = (writer("alice", "phone"), writer("alice", "laptop"));
        let mut audit = LogAudit::new(did("alice"), phone.log());
        let mut said = vec![phone.post("first")];
        laptop.post("first of the laptop");
        let mut named = 0;
        while phone.height() <= 512 {
            if phone.height().is_multiple_of(256) {
                let (live, siblings) = (live_of(&[&phone, &laptop]), [head_of(&laptop)]);
                let body = checkpoint(&mut phone, &live, &siblings);
                let entry = phone.entries.last().expect("checkpoint").clone();
                read_up_to(&mut audit, &phone, entry.header().seq);
                for erase in
                    &laptop.entries[usize::try_from(audit.uncounted(&siblings[0]).expect("rises")).expect("few")..]
                {
                    if let Some(Body::Erase(_)) = body_of(erase) {
                        audit.count_erase(erase.header(), erase.id(), &body_of(erase).expect("read"));
                    }
                }
                audit.counted(&siblings[0]);
                assert_eq!(audit.check(&entry, &body, true), Ok(()), "seed {seed}");
                let wrong = Checkpoint { root: Digest([3; 32]), ..body };
                assert!(audit.check(&entry, &wrong, true).is_err());
                assert_eq!(audit.check(&entry, &wrong, false), Ok(()), "unchecked");
                named += 1;
                continue;
            }
            let target = said[usize::try_from(dice(said.len() as u64)).expect("few")];
            match dice(6) {
                0 => drop(phone.name("Alice", dice(9))),
                1 => drop(phone.erase(target)),
                2 => drop(laptop.erase(target)),
                _ => said.push(phone.post("more")),
            }
        }
        assert_eq!(named, 2);
    }
}

fn body_of(entry: &VerifiedEntry) -> Option<Body> {
    entry.body().and_then(|body| Body::decode(&entry.header().kind, &body.bytes).ok())
}

fn read_up_to(audit: &mut LogAudit, log: &Writer, height: u64) {
    for entry in &log.entries[usize::try_from(audit.height()).expect("few")..usize::try_from(height).expect("few")] {
        audit.read(entry.header(), entry.id(), body_of(entry).as_ref(), entry.body().is_some());
    }
}
