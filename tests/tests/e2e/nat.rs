//! Homes behind routers that translate addresses and let nobody in, a relay between them, and a link that is cut: in
//! network namespaces (`RCH-7` to `RCH-11`).

use std::time::{Duration, Instant};

use serde_json::Value;
use xom_tests::home::{DEADLINE, text};
use xom_tests::internet::{self, House, MIDDLE, Ports};
use xom_tests::{Home, namespace, wait_until};

/// Longest time until both ends of a cut link know of it: pings that time out, and dials that come to nothing.
const NOTICED: Duration = Duration::from_secs(180);
/// How long a link stays cut in the long run.
const LONG_CUT: Duration = Duration::from_secs(30 * 60);
/// Between two posts during a long cut.
const LONG_PAUSE: Duration = Duration::from_secs(30);
/// How long after that everything may take to be there: peers were dialled in vain, and are now dialled rarely.
const LONG_HEALING: Duration = Duration::from_secs(10 * 60);

fn reachability(home: &Home) -> Value {
    home.xom(&["status"])["reachability"].clone()
}

fn peer_id(home: &Home) -> String {
    text(&home.xom(&["status"])["peer"])
}

/// What a home says of the node of another.
fn peer(home: &Home, other: &str) -> Value {
    let peers = home.xom(&["peers"]);
    peers.as_array().expect("a list").iter().find(|peer| peer["peer"] == other).cloned().unwrap_or_default()
}

fn is_relayed(home: &Home) {
    wait_until("a relay keeps a reservation", DEADLINE, || (reachability(home)["state"] == "relayed").then_some(()));
}

/// Waits until a home shows every one of these.
fn shows(home: &Home, posts: &[String], deadline: Duration) {
    wait_until("every post is in the timeline", deadline, || {
        let shown = home.timeline();
        posts.iter().all(|post| shown.contains(post)).then_some(())
    });
}

/// What `xom` prints for people.
fn printed(home: &Home, command: &str) -> String {
    String::from_utf8_lossy(&home.run(&[command]).stdout).into_owned()
}

/// Two homes behind routers of a kind, and a relay that anybody reaches. Bob knows nothing but alice's invite.
struct Neighbourhood {
    houses: [House; 2],
    relay: Home,
    alice: Home,
    bob: Home,
}

impl Neighbourhood {
    fn new(ports: Ports) -> Self {
        let houses = [1, 2].map(|number| House::behind_a_router(number, ports));
        let mut relay = Home::at("relay", MIDDLE);
        relay.start();
        let (mut alice, mut bob) = (houses[0].home("alice"), houses[1].home("bob"));
        alice.bootstrap(&relay.address());
        alice.start();
        is_relayed(&alice);
        alice.publish("from behind a router");
        bob.start();
        bob.follow(&alice.invite());
        Self { houses, relay, alice, bob }
    }

    /// How bob's node is connected with alice's.
    fn link(&self) -> Value {
        peer(&self.bob, &peer_id(&self.alice))["link"].clone()
    }
}

#[test]
fn rch_9_two_homes_behind_routers_meet_in_the_middle_through_a_relay() {
    let this = "nat::rch_9_two_homes_behind_routers_meet_in_the_middle_through_a_relay";
    if !namespace::is_inside() {
        return namespace::run_inside(this, internet::SETUP);
    }
    let town = Neighbourhood::new(Ports::Kept);
    let mut posts = vec!["from behind a router".to_owned()];
    shows(&town.bob, &posts, DEADLINE);
    wait_until("nobody stands between", DEADLINE, || (town.link()["kind"] == "hole-punched").then_some(()));
    posts.push("from one router to the other".to_owned());
    town.alice.publish(&posts[1]);
    shows(&town.bob, &posts, DEADLINE);
    let said = printed(&town.bob, "peers");
    assert!(said.contains("direct, both have met in the middle (hole punching)"), "{said}");
    assert_eq!(reachability(&town.relay)["state"], "world", "the relay stands in the world");
    let words = text(&reachability(&town.alice)["words"]);
    assert!(words.starts_with("through one relay; without it by nobody: a router or firewall"), "{words}");
}

#[test]
fn rch_11_where_routers_draw_ports_the_relay_stays_between_and_is_named() {
    let this = "nat::rch_11_where_routers_draw_ports_the_relay_stays_between_and_is_named";
    if !namespace::is_inside() {
        return namespace::run_inside(this, internet::SETUP);
    }
    let town = Neighbourhood::new(Ports::Drawn);
    let mut posts = vec!["from behind a router".to_owned()];
    shows(&town.bob, &posts, DEADLINE);
    let relay = peer_id(&town.relay);
    wait_until("meeting was tried in vain", DEADLINE, || {
        let link = town.link();
        (link["kind"] == "relayed" && link["by"] == relay && link["hole_punching_failed"] == true).then_some(())
    });
    posts.push("over the relay".to_owned());
    town.alice.publish(&posts[1]);
    shows(&town.bob, &posts, DEADLINE);
    let said = printed(&town.bob, "peers");
    assert!(said.contains(&format!("relayed by {relay}; meeting without it was tried in vain")), "{said}");
    let said = printed(&town.alice, "status");
    assert!(said.contains("through one relay; without it by nobody"), "{said}");
    let said = printed(&town.relay, "status");
    assert!(said.contains("from anywhere") && said.contains("of whom 1 pairs talk now"), "{said}");
}

#[test]
fn a_home_that_was_cut_off_and_one_that_was_not_have_everything_when_the_link_is_whole_again() {
    let this = "nat::a_home_that_was_cut_off_and_one_that_was_not_have_everything_when_the_link_is_whole_again";
    if !namespace::is_inside() {
        return namespace::run_inside(this, internet::SETUP);
    }
    let town = Neighbourhood::new(Ports::Kept);
    let mut posts = vec!["from behind a router".to_owned()];
    shows(&town.bob, &posts, DEADLINE);
    is_relayed(&town.bob);
    town.alice.follow(&town.bob.invite());
    town.houses[0].cut();
    let begun = Instant::now();
    wait_until("alice knows that she is alone", NOTICED, || {
        let state = text(&reachability(&town.alice)["state"]);
        (state == "unknown" || state == "nobody").then_some(())
    });
    let alice = peer_id(&town.alice);
    wait_until("bob knows that alice is gone", NOTICED, || {
        (peer(&town.bob, &alice)["connected"] == false).then_some(())
    });
    let mut write = |number: usize| {
        for (home, name) in [(&town.alice, "alice"), (&town.bob, "bob")] {
            let post = format!("{number} of {name}, cut off");
            home.publish(&post);
            posts.push(post);
        }
    };
    (0..5).for_each(&mut write);
    let long = std::env::var_os("XOM_LONG").is_some();
    if long {
        let lasts = |since: Instant, time: Duration| move || (since.elapsed() >= time).then_some(());
        for number in 5..15 {
            write(number);
            wait_until("a pause is over", LONG_PAUSE * 2, lasts(Instant::now(), LONG_PAUSE));
        }
        wait_until("the link was cut for long", LONG_CUT * 2, lasts(begun, LONG_CUT));
    }
    assert!(!town.bob.timeline().iter().any(|post| post.ends_with("of alice, cut off")), "the link is cut");
    let healed = Instant::now();
    town.houses[0].heal();
    let deadline = if long { LONG_HEALING } else { DEADLINE * 2 };
    shows(&town.bob, &posts, deadline);
    shows(&town.alice, &posts, deadline);
    eprintln!("cut for {:?}, everything there {:?} after", healed - begun, healed.elapsed());
    wait_until("alice is reached again", deadline, || (reachability(&town.alice)["state"] == "relayed").then_some(()));
    for home in [&town.alice, &town.bob] {
        let shown = home.timeline();
        let times = |post: &String| shown.iter().filter(|other| *other == post).count();
        assert!(posts.iter().all(|post| times(post) == 1), "once each: {shown:?}");
    }
}
