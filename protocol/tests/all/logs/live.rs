//! Live state: registers and erasure, the same in any order of arrival (`LOG-10`, `LOG-12`).

use proptest::prelude::*;
use xom_protocol::body::{Body, Unfollow};
use xom_protocol::entry::{Kind, Reference, VerifiedEntry};
use xom_protocol::log::{LiveSet, RegisterKey, Subject, check_erase, next_rev, purge_at_ms};

use crate::cast::{Writer, did, side_writer, writer};

const NAME: RegisterKey = RegisterKey { kind: "profile", subject: Subject::Field("name") };

fn live_of(logs: &[&Writer]) -> LiveSet {
    let mut live = LiveSet::new(did("alice"));
    logs.iter().flat_map(|log| &log.entries).for_each(|entry| live.insert(entry));
    live
}

fn follow_key(name: &str) -> RegisterKey {
    RegisterKey { kind: "follow", subject: Subject::Identity(did(name)) }
}

#[test]
fn the_greatest_revision_stands_and_then_the_greatest_id() {
    let (mut phone, mut laptop) = (writer("alice", "phone"), writer("alice", "laptop"));
    phone.name("Alice", 1);
    let newer = laptop.name("Alice Pleasance", 2);
    assert_eq!(live_of(&[&phone, &laptop]).value(&NAME), Some(newer.entry));
    let tie = phone.name("Alice L.", 2);
    let live = live_of(&[&phone, &laptop]);
    assert_eq!(live.value(&NAME), Some(newer.entry.max(tie.entry)));
    assert_eq!(next_rev(live.highest_rev(&NAME)), 3);
    assert_eq!((next_rev(None), next_rev(Some(u64::MAX))), (1, (1 << 53) - 1));
}

#[test]
fn erasing_the_value_of_a_register_falls_back_to_the_one_before() {
    let mut alice = writer("alice", "phone");
    let first = alice.name("Alice", 1);
    let second = alice.name("Mallory was here", 2);
    alice.erase(second);
    let live = live_of(&[&alice]);
    assert_eq!(live.value(&NAME), Some(first.entry));
    assert_eq!(live.highest_rev(&NAME), Some(2), "a revision is never used again");
    alice.erase(first);
    assert_eq!(live_of(&[&alice]).value(&NAME), None);
}

#[test]
fn follow_and_unfollow_share_a_register() {
    let mut alice = writer("alice", "phone");
    alice.follow(did("bob"), 1);
    let unfollow = alice.write(&Body::Unfollow(Unfollow { subject: did("bob"), rev: 2 }));
    let live = live_of(&[&alice]);
    assert_eq!(live.value(&follow_key("bob")), Some(unfollow.entry));
    assert_eq!(live.values().collect::<Vec<_>>(), [(follow_key("bob"), unfollow.entry)]);
}

#[test]
fn only_the_same_identity_takes_back_and_structure_stays() {
    let (mut alice, mut mallory) = (writer("alice", "phone"), writer("mallory", "phone-2"));
    let post = alice.post("mine");
    let erase = alice.erase(post);
    let again = alice.erase(erase);
    mallory.erase(alice.entries[2].header().reference(again.entry));
    let Ok(Body::Erase(foreign)) = body_of(&mallory.entries[0]) else { panic!("an erase") };
    assert_eq!(check_erase(&did("mallory"), &foreign, None).map_err(|e| e.rule().0), Err("LOG-12"));
    assert_eq!(check_erase(&did("alice"), &foreign, Some(&Kind::Erase)).map_err(|e| e.rule().0), Err("LOG-12"));
    let live = live_of(&[&alice, &mallory]);
    assert!(!live.is_live(&post.entry));
    assert!(live.is_live(&erase.entry), "an erasure cannot be taken back");
    assert_eq!(live.erased_by(&post.entry), [erase.entry]);
    assert!(live.erased_by(&erase.entry).is_empty());
}

#[test]
fn an_erasure_voided_by_device_remove_is_undone() {
    let (mut phone, mut stolen) = (writer("alice", "phone"), writer("alice", "stolen"));
    let post = phone.post("a life");
    let erase = stolen.erase(post);
    let mut live = live_of(&[&phone, &stolen]);
    assert!(!live.is_live(&post.entry));
    live.remove(&erase.entry);
    assert!(live.is_live(&post.entry));
    assert_eq!(purge_at_ms(1_000, false), 1_000 + 604_800_000);
    assert_eq!(purge_at_ms(1_000, true), 1_000);
}

#[test]
fn r_frk_10_an_erased_body_that_comes_again_in_a_fork_is_not_live() {
    let mut alice = writer("alice", "phone");
    alice.fill_to(2);
    let mut twin = alice.twin();
    let post = alice.post("take it back");
    twin.post("take it back");
    alice.erase(post);
    let mut live = live_of(&[&alice]);
    live.insert(&alice.entries[2]);
    assert!(!live.is_live(&post.entry), "the same entry again changes nothing");
    assert_eq!(twin.entries[2].id(), post.entry, "the same place, salt and time are the same entry");
    live.insert(&twin.entries[2].clone().without_body());
    assert!(!live.is_live(&post.entry));
}

fn body_of(entry: &VerifiedEntry) -> Result<Body, xom_protocol::body::OpaqueReason> {
    Body::decode(&entry.header().kind, &entry.body().expect("body").bytes)
}

/// One thing that alice may do; numbers choose the device and the target.
#[derive(Debug, Clone)]
enum Act {
    Post,
    Name(u64),
    Follow(u64, bool),
    Like(usize, u64),
    Erase(usize),
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        Just(Act::Post),
        (0_u64..4).prop_map(Act::Name),
        (0_u64..4, any::<bool>()).prop_map(|(rev, on)| Act::Follow(rev, on)),
        (0_usize..20, 0_u64..4).prop_map(|(target, rev)| Act::Like(target, rev)),
        (0_usize..20).prop_map(Act::Erase),
    ];
    proptest::collection::vec((0_usize..3, act), 1..25)
}

/// Lets alice's three logs act it all; gives every entry.
fn perform(acts: &[(usize, Act)]) -> Vec<VerifiedEntry> {
    let mut logs = [writer("alice", "phone"), writer("alice", "laptop"), side_writer("alice", "phone", "community")];
    let mut written: Vec<Reference> = Vec::new();
    for (log, act) in acts {
        let log = &mut logs[*log];
        let target = |index: &usize| written.get(index % written.len().max(1)).copied();
        let reference = match act {
            Act::Post => Some(log.post("hello")),
            Act::Name(rev) => Some(log.name("Alice", *rev)),
            Act::Follow(rev, true) => Some(log.follow(did("bob"), *rev)),
            Act::Follow(rev, false) => Some(log.write(&Body::Unfollow(Unfollow { subject: did("bob"), rev: *rev }))),
            Act::Like(index, rev) => target(index).map(|target| log.like(target, *rev)),
            Act::Erase(index) => target(index).map(|target| log.erase(target)),
        };
        written.extend(reference);
    }
    logs.into_iter().flat_map(|log| log.entries).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_order_of_arrival_gives_the_same_live_state(
        (entries, shuffled) in acts().prop_map(|acts| perform(&acts)).prop_flat_map(|entries| {
            (Just(entries.clone()), Just(entries).prop_shuffle())
        }),
        again in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut straight = LiveSet::new(did("alice"));
        entries.iter().for_each(|entry| straight.insert(entry));
        let mut crooked = LiveSet::new(did("alice"));
        for entry in &shuffled {
            crooked.insert(&entry.clone().without_body());
            crooked.insert(entry);
        }
        for index in again.iter().filter(|_| !entries.is_empty()) {
            let entry = index.get(&entries);
            crooked.remove(&entry.id());
            crooked.insert(entry);
        }
        prop_assert_eq!(&straight, &crooked);
        for entry in &entries {
            prop_assert_eq!(straight.is_live(&entry.id()), straight.erased_by(&entry.id()).is_empty());
        }
        let heads: Vec<_> = [writer("alice", "phone"), writer("alice", "laptop")].iter().map(Writer::log).collect();
        for log in heads {
            let items = straight.checkpoint_items(log, 100, &[]);
            prop_assert_eq!(items, crooked.checkpoint_items(log, 100, &[]));
        }
    }
}
