//! What is passed on in topics that were joined, and what is announced.

use xom_protocol::entry::SignedEntry;
use xom_protocol::entry::verify_signed;
use xom_protocol::keys::SecretKey;
use xom_protocol::log::{Composer, Position, root_log_id};
use xom_protocol::{Digest, Network};

use super::*;

const MINUTE: u64 = 60_000;

/// What somebody announces, one post after the other.
fn announced(name: &str, count: usize) -> Vec<Announcement> {
    let key = SecretKey::from_seed(&Digest::of(&[b"key", name.as_bytes()]).0).expect("not zero");
    let author = Did(Digest::of(&[name.as_bytes()]).0);
    let (network, log) = (Network::MAIN, root_log_id(Network::MAIN, &author, &key.public().device_id()));
    let mut composer = Composer { network, key, author, log, position: Position::EMPTY, last_time_ms: 0 };
    let announce = |_| {
        let kind = xom_protocol::entry::Kind::from_name("example.note").expect("a name");
        let entry = match composer.compose_bytes(kind, b"note".to_vec(), [7; 32], 1) {
            Ok(entry) => entry,
            Err(cause) => panic!("{cause}"),
        };
        composer.advance(&entry);
        Announcement::of(&entry).expect("signed")
    };
    (0..count).map(announce).collect()
}

fn topic(name: &[u8]) -> Topic {
    Topic::of(Network::MAIN, "community", name)
}

fn author(announcement: &Announcement) -> Did {
    announcement.header().author
}

/// A topic with all these on its roster.
fn joined(rosters: &[&[Announcement]]) -> (Joined, Topic) {
    let (mut joined, topic) = (Joined::default(), topic(b"bees"));
    let roster = rosters.iter().map(|announced| author(&announced[0])).collect();
    assert!(joined.join(topic, roster).expect("joined"));
    (joined, topic)
}

#[test]
fn gsp_4_news_of_who_is_on_the_roster_is_passed_on_once() {
    // GSP-4
    let alice = announced("alice", 3);
    let (mut joined, topic) = joined(&[&alice]);
    let held = Known::Height(1);
    assert_eq!(joined.judge(&topic, &alice[1], held, 0), Verdict::Passed);
    assert_eq!(joined.judge(&topic, &alice[1], held, 0), Verdict::Ignored, "again");
    assert_eq!(joined.judge(&topic, &alice[2], held, 0), Verdict::Passed);
    assert_eq!(joined.judge(&topic, &alice[1], held, 0), Verdict::Ignored, "older than what was announced");
}

#[test]
fn gsp_4_whoever_is_not_on_the_roster_is_ignored() {
    let (alice, mallory) = (announced("alice", 1), announced("mallory", 1));
    let (mut joined, bees) = joined(&[&alice]);
    assert!(!joined.is_worth_checking(&bees, &mallory[0], 0));
    assert_eq!(joined.judge(&bees, &mallory[0], Known::Height(0), 0), Verdict::Ignored);
    let elsewhere = topic(b"ants");
    assert_eq!(joined.judge(&elsewhere, &alice[0], Known::Height(0), 0), Verdict::Ignored, "not joined");
    assert!(joined.leave(&bees) && !joined.leave(&bees));
    assert_eq!(joined.judge(&bees, &alice[0], Known::Height(0), 0), Verdict::Ignored, "left");
}

#[test]
fn r_gos_4_what_is_held_is_no_news_however_long_ago_it_was_said() {
    // R-GOS-4
    let alice = announced("alice", 5);
    let (mut joined, topic) = joined(&[&alice]);
    for now_ms in [0, MINUTE, 365 * 24 * 60 * MINUTE] {
        for announcement in &alice {
            assert_eq!(joined.judge(&topic, announcement, Known::Height(5), now_ms), Verdict::Ignored);
        }
    }
}

#[test]
fn gsp_4_what_was_announced_and_never_came_may_be_announced_again_after_a_minute() {
    let alice = announced("alice", 1);
    let (mut joined, topic) = joined(&[&alice]);
    let judge = |joined: &mut Joined, now_ms| joined.judge(&topic, &alice[0], Known::Height(0), now_ms);
    assert_eq!(judge(&mut joined, 0), Verdict::Passed);
    assert_eq!(judge(&mut joined, ANNOUNCED_MS - 1), Verdict::Ignored);
    assert_eq!(judge(&mut joined, ANNOUNCED_MS), Verdict::Passed);
}

#[test]
fn r_gos_2_one_author_who_announces_without_end_is_passed_on_now_and_then() {
    // R-GOS-2, GSP-6
    let (alice, bob) = (announced("alice", 200), announced("bob", 1));
    let (mut joined, topic) = joined(&[&alice, &bob]);
    let passed = |joined: &mut Joined, now_ms| {
        let judged = alice.iter().map(|announcement| joined.judge(&topic, announcement, Known::Height(0), now_ms));
        judged.filter(|verdict| *verdict == Verdict::Passed).count() as u64
    };
    assert_eq!(passed(&mut joined, 0), ANNOUNCEMENTS_OF_AUTHOR_MAX);
    assert_eq!(passed(&mut joined, ANNOUNCEMENT_OF_AUTHOR_EACH_MS - 1), 0);
    assert_eq!(passed(&mut joined, ANNOUNCEMENT_OF_AUTHOR_EACH_MS), 1);
    assert_eq!(joined.judge(&topic, &bob[0], Known::Height(0), 0), Verdict::Passed, "bob has a share of his own");
}

#[test]
fn r_gos_2_ten_thousand_fresh_identities_leave_nothing_behind() {
    let alice = announced("alice", 1);
    let (mut joined, topic) = joined(&[&alice]);
    let mallory = announced("mallory", 1);
    for _ in 0..10_000 {
        // Whoever they are: what is not on the roster is not even looked up.
        assert!(!joined.is_worth_checking(&topic, &mallory[0], 0));
        assert_eq!(joined.judge(&topic, &mallory[0], Known::Height(0), 0), Verdict::Ignored);
    }
    assert!(joined.announced.is_empty() && joined.shares.is_empty());
}

#[test]
fn r_gos_11_what_can_not_be_checked_here_is_nobodys_fault() {
    // R-GOS-11
    let alice = announced("alice", 1);
    let (mut joined, topic) = joined(&[&alice]);
    assert_eq!(joined.judge(&topic, &alice[0], Known::Unchecked, 0), Verdict::Ignored);
    assert_eq!(joined.judge(&topic, &alice[0], Known::Height(0), 0), Verdict::Passed, "once it can be");
}

#[test]
fn gsp_5_what_is_stored_is_announced_and_what_has_no_room_is_announced_later_the_newest_only() {
    // GSP-5
    let alice = announced("alice", 20);
    let (mut joined, topic) = joined(&[&alice]);
    let due = alice.iter().filter(|announcement| joined.stored(announcement, 0)).count() as u64;
    assert_eq!(due, ANNOUNCEMENTS_OF_AUTHOR_MAX);
    assert_eq!(joined.due(ANNOUNCEMENT_OF_AUTHOR_EACH_MS - 1), []);
    assert_eq!(joined.due(ANNOUNCEMENT_OF_AUTHOR_EACH_MS), [alice[19].clone()]);
    assert_eq!(joined.due(MINUTE * 10), []);
    assert_eq!(joined.topics_of(&author(&alice[0])), [topic]);
}

#[test]
fn gsp_5_what_came_by_gossip_is_not_announced_again_when_it_is_stored() {
    let (alice, bob) = (announced("alice", 1), announced("bob", 1));
    let (mut joined, topic) = joined(&[&alice]);
    assert_eq!(joined.judge(&topic, &alice[0], Known::Height(0), 0), Verdict::Passed);
    assert!(!joined.stored(&alice[0], 1));
    assert!(!joined.stored(&bob[0], 1), "bob is on no roster");
}

#[test]
fn gsp_1_at_most_64_topics_are_joined() {
    // GSP-1
    let mut joined = Joined::default();
    for number in 0..TOPICS_MAX {
        assert!(joined.join(topic(&number.to_be_bytes()), BTreeSet::new()).expect("joined"));
    }
    assert!(matches!(joined.join(topic(b"bees"), BTreeSet::new()), Err(TopicError::TooMany)));
    assert!(!joined.join(topic(&0_usize.to_be_bytes()), BTreeSet::new()).expect("another roster"));
    let long = (0..=ROSTER_MAX).map(|number| Did(Digest::of(&[&number.to_be_bytes()]).0)).collect();
    assert!(matches!(joined.join(topic(&[0; 8]), long), Err(TopicError::RosterTooLong { authors: 4_097 })));
}

#[test]
fn gsp_6_the_heights_that_are_remembered_are_bounded() {
    let alice = announced("alice", 1);
    let (mut joined, topic) = joined(&[&alice]);
    for number in 0..ANNOUNCED_MAX {
        joined.announced.insert(LogId(Digest::of(&[&number.to_be_bytes()]).0), (1, 0));
    }
    assert_eq!(joined.judge(&topic, &alice[0], Known::Height(0), 1), Verdict::Ignored, "no room");
    assert_eq!(joined.judge(&topic, &alice[0], Known::Height(0), ANNOUNCED_MS), Verdict::Passed, "room again");
    assert_eq!(joined.announced.len(), 1);
}

#[test]
fn gsp_3_an_announcement_is_an_entry_without_its_body() {
    // GSP-3
    let alice = announced("alice", 1);
    let bytes = alice[0].encode();
    assert_eq!(Announcement::decode(&bytes).expect("read"), alice[0]);
    assert!(alice[0].verify(Network::MAIN).is_ok());
    let test: Network = "test".parse().expect("a name");
    assert!(alice[0].verify(test).is_err());
    let no_entry = SignedEntry { header: bytes, signature: None, body: None };
    let key = SecretKey::from_seed(&[1; 32]).expect("a key").public();
    assert!(verify_signed(Network::MAIN, &key, no_entry).is_err());
}
