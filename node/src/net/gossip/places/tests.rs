//! Who keeps a place in a mesh, and who yields it.

use std::net::IpAddr;

use xom_protocol::Network;

use super::*;

fn topic() -> Topic {
    Topic::of(Network::MAIN, "community", b"bees")
}

fn id(number: u64) -> Digest {
    Digest::of(&[&number.to_be_bytes()])
}

fn member(peer: PeerId) -> Member {
    Member { peer, score: 0.0, network: None }
}

/// So many messages are passed on that `bearer` has brought.
fn bring(places: &mut Places, bearer: PeerId, numbers: std::ops::Range<u64>) {
    for number in numbers {
        places.brought(&topic(), id(number), bearer);
        places.passed(&topic(), id(number), &[]);
    }
}

#[test]
fn r_gos_6_who_joins_the_mesh_and_brings_nothing_yields_to_others() {
    // R-GOS-6, GSP-9
    let (mut places, honest, silent) = (Places::default(), PeerId::random(), PeerId::random());
    let members = [member(honest), member(silent)];
    assert_eq!(places.look(&topic(), &members, 5), []);
    bring(&mut places, honest, 0..SILENT_MESSAGES - 1);
    assert_eq!(places.look(&topic(), &members, 5), [], "too few to judge by");
    bring(&mut places, honest, 100..101);
    assert_eq!(places.look(&topic(), &members, 0), [], "nobody wants the place");
    assert_eq!(places.look(&topic(), &members, 5), [silent]);
}

#[test]
fn gsp_9_who_brings_what_others_brought_first_keeps_the_place() {
    let (mut places, fast, slow) = (Places::default(), PeerId::random(), PeerId::random());
    let members = [member(fast), member(slow)];
    places.look(&topic(), &members, 5);
    bring(&mut places, fast, 0..SILENT_MESSAGES);
    places.brought(&topic(), id(3), slow);
    assert_eq!(places.look(&topic(), &members, 5), []);
    bring(&mut places, fast, 100..100 + SILENT_MESSAGES);
    assert_eq!(places.look(&topic(), &members, 5), [slow], "one message does not count for ever");
}

#[test]
fn gsp_9_what_was_not_passed_on_earns_no_place() {
    let (mut places, honest, mallory) = (Places::default(), PeerId::random(), PeerId::random());
    let members = [member(honest), member(mallory)];
    places.look(&topic(), &members, 5);
    bring(&mut places, honest, 0..SILENT_MESSAGES);
    (1_000..1_010).for_each(|number| places.brought(&topic(), id(number), mallory));
    assert_eq!(places.look(&topic(), &members, 5), [mallory]);
}

#[test]
fn gsp_9_who_brings_back_what_this_node_said_is_not_silent() {
    let (mut places, honest, edge) = (Places::default(), PeerId::random(), PeerId::random());
    let members = [member(honest), member(edge)];
    places.look(&topic(), &members, 5);
    bring(&mut places, honest, 0..SILENT_MESSAGES);
    places.said(&topic(), id(1_000));
    places.brought(&topic(), id(1_000), edge);
    assert_eq!(places.look(&topic(), &members, 5), []);
}

#[test]
fn r_gos_7_of_many_in_one_network_of_the_world_few_stay_in_a_mesh() {
    // R-GOS-7
    let mut places = Places::default();
    let in_network = |ip: &str, score| {
        let ip: IpAddr = ip.parse().expect("an address");
        Member { peer: PeerId::random(), score, network: Place::in_the_world(ip) }
    };
    let mut members: Vec<Member> =
        (0..6_u8).map(|host| in_network(&format!("203.0.113.{host}"), f64::from(host))).collect();
    members.extend([in_network("198.51.100.1", -1.0), in_network("192.168.1.1", 0.0), in_network("192.168.1.2", 0.0)]);
    members.extend((0..4).map(|host| in_network(&format!("192.168.1.{}", 3 + host), 0.0)));
    let yielding = places.look(&topic(), &members, 20);
    assert_eq!(yielding.len(), YIELDING_MAX, "a few at a time");
    assert!(yielding == [members[0].peer, members[1].peer], "the least useful ones");
    members.retain(|member| !yielding.contains(&member.peer));
    assert_eq!(places.look(&topic(), &members, 20), [members[0].peer]);
}

#[test]
fn gsp_9_what_is_remembered_is_bounded() {
    let (mut places, mallory) = (Places::default(), PeerId::random());
    (0..10_000).for_each(|number| places.brought(&topic(), id(number), mallory));
    assert_eq!(places.0[&topic()].recent.len(), RECENT_MAX);
    places.left(&topic());
    assert!(places.0.is_empty());
}
