//! A stand: twelve nodes that follow each other while processes are killed and links are cut all the time. Afterwards
//! everybody has everything, once. Runs in a network namespace, in which a link is cut by a filter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::random::Random;
use xom_tests::{Home, namespace, wait_until};

/// Nodes of the stand.
const NODES: u8 = 12;
/// Whom each of them follows.
const FOLLOWS: u8 = 10;
/// Posts of each.
const POSTS: usize = 20;
/// Share of the links that is cut at any time, percent.
const CUT_PERCENT: usize = 5;
/// How long after the last cut everybody may take to have everything.
const HEALING: Duration = Duration::from_secs(180);
/// What is restarted, when, and which links are cut follows from this.
const SEED: u64 = 12;
/// Between two posts of one author at most so many milliseconds go by.
const PAUSE_MS_MAX: u64 = 1_500;
/// Between two cuts.
const CUT_FOR: Duration = Duration::from_millis(700);
/// A local id of the client API holds the time of arrival above these bits, where it was no backlog.
const ID_BITS: u32 = 16;

fn ip(node: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 78, 0, 1 + node)
}

/// Addresses of their own for all, and a filter that drops nothing yet.
fn setup() -> String {
    let addresses: String = (0..NODES).map(|node| format!("ip address add {}/24 dev lo && ", ip(node))).collect();
    let filter = "nft add table inet stand && \
        nft add chain inet stand cut \"{ type filter hook input priority 0; }\"";
    format!("ip link set lo up && {addresses}{filter}")
}

/// Cuts these links and no others.
fn cut(links: &BTreeSet<(u8, u8)>) {
    let mut script = "flush chain inet stand cut\n".to_owned();
    for (one, other) in links.iter().flat_map(|(one, other)| [(one, other), (other, one)]) {
        script += &format!("add rule inet stand cut ip saddr {} ip daddr {} drop\n", ip(*one), ip(*other));
    }
    let done = Command::new("nft").arg(script).output().expect("nft can be run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn followed(node: u8) -> impl Iterator<Item = u8> {
    (1..=FOLLOWS).map(move |step| (node + step) % NODES)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

struct Stand {
    homes: Vec<Mutex<Home>>,
    /// Authors that have not posted everything yet.
    writing: AtomicUsize,
    /// Posts, and when they were acknowledged, milliseconds.
    posted: Mutex<BTreeMap<String, u64>>,
}

impl Stand {
    fn home(&self, node: u8) -> MutexGuard<'_, Home> {
        self.homes[usize::from(node)].lock().expect("nobody panicked")
    }

    /// One author writes everything.
    fn write(&self, author: u8) {
        let mut random = Random::new(SEED + u64::from(author));
        for number in 0..POSTS {
            let post = format!("post {number} of {author}");
            let (status, answer) = self.home(author).post("/api/v1/statuses", &json!({ "status": post }));
            assert_eq!(status, 200, "{answer}");
            self.posted.lock().expect("nobody panicked").insert(post, now_ms());
            std::thread::park_timeout(Duration::from_millis(random.below(PAUSE_MS_MAX)));
        }
        self.writing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Kills, stops and starts nodes while somebody writes.
    fn restart(&self) -> usize {
        let mut random = Random::new(SEED);
        let mut restarts = 0;
        while self.writing.load(Ordering::SeqCst) > 0 {
            let mut home = self.home(random.below(NODES.into()) as u8);
            if random.chance(50) {
                home.kill();
            } else {
                home.stop();
            }
            home.start();
            drop(home);
            restarts += 1;
            std::thread::park_timeout(Duration::from_millis(random.below(PAUSE_MS_MAX)));
        }
        restarts
    }

    /// Cuts links, each time others, while somebody writes; then none.
    fn cut(&self) {
        let mut random = Random::new(SEED);
        let links = usize::from(NODES) * usize::from(NODES - 1) / 2;
        let count = (links * CUT_PERCENT).div_ceil(100);
        while self.writing.load(Ordering::SeqCst) > 0 {
            let mut due = BTreeSet::new();
            while due.len() < count {
                let [one, other] = [(); 2].map(|()| random.below(NODES.into()) as u8);
                due.extend((one < other).then_some((one, other)));
            }
            cut(&due);
            std::thread::park_timeout(CUT_FOR);
        }
        cut(&BTreeSet::new());
    }

    /// Everything that the home timeline of a node shows, with when each came, milliseconds.
    fn timeline(&self, node: u8) -> Vec<(String, u64)> {
        let home = self.home(node);
        let (mut shown, mut below) = (Vec::new(), String::new());
        loop {
            let page = home.get(&format!("/api/v1/timelines/home?limit=40{below}"));
            let page = page.as_array().expect("a list").clone();
            let Some(last) = page.last() else { return shown };
            below = format!("&max_id={}", text(&last["id"]));
            shown.extend(page.iter().map(|status| {
                let id: u64 = text(&status["id"]).parse().expect("a number");
                (plain(&text(&status["content"])), id >> ID_BITS)
            }));
        }
    }
}

#[test]
fn twelve_nodes_that_are_killed_and_cut_off_all_the_time_end_with_everything_once() {
    let this = "stand::twelve_nodes_that_are_killed_and_cut_off_all_the_time_end_with_everything_once";
    if !namespace::is_inside() {
        return namespace::run_inside(this, &setup());
    }
    let homes: Vec<Mutex<Home>> =
        (0..NODES).map(|node| Mutex::new(Home::at(&format!("node{node}"), ip(node)))).collect();
    let stand = Stand { homes, writing: AtomicUsize::new(NODES.into()), posted: Mutex::default() };
    (0..NODES).for_each(|node| stand.home(node).start());
    let invites: Vec<String> = (0..NODES).map(|node| stand.home(node).invite()).collect();
    for node in 0..NODES {
        followed(node).for_each(|author| stand.home(node).follow(&invites[usize::from(author)]));
    }

    let restarts = std::thread::scope(|threads| {
        let stand = &stand;
        (0..NODES).for_each(|author| drop(threads.spawn(move || stand.write(author))));
        threads.spawn(move || stand.cut());
        threads.spawn(move || stand.restart()).join().expect("restarts")
    });

    let posted = stand.posted.lock().expect("nobody panicked").clone();
    assert_eq!(posted.len(), usize::from(NODES) * POSTS);
    let mut ways = Vec::new();
    for node in 0..NODES {
        let authors: BTreeSet<u8> = followed(node).chain([node]).collect();
        let is_due = |post: &&String| authors.iter().any(|author| post.ends_with(&format!(" of {author}")));
        let wanted: BTreeSet<String> = posted.keys().filter(is_due).cloned().collect();
        let shown = wait_until(&format!("node {node} has everything"), HEALING, || {
            let shown = stand.timeline(node);
            (shown.len() >= wanted.len()).then_some(shown)
        });
        let texts: BTreeSet<String> = shown.iter().map(|(post, _)| post.clone()).collect();
        assert_eq!(texts.len(), shown.len(), "node {node} shows nothing twice");
        assert_eq!(texts, wanted, "node {node} shows all of it and nothing else");
        let own = format!(" of {node}");
        ways.extend(
            shown
                .iter()
                .filter(|(post, _)| !post.ends_with(&own))
                .map(|(post, came)| came.saturating_sub(posted[post])),
        );
    }
    for author in 0..NODES {
        let did = stand.home(author).did();
        let heads = stand.home(author).heads(&did);
        assert!(!heads.is_empty());
        let readers = (0..NODES).filter(|node| followed(*node).any(|followed| followed == author));
        for reader in readers {
            wait_until("the same heads", DEADLINE, || (stand.home(reader).heads(&did) == heads).then_some(()));
        }
    }
    ways.sort_unstable();
    let at = |percent: usize| ways[(ways.len() - 1) * percent / 100];
    eprintln!(
        "{} posts on their way to {FOLLOWS} followers, {restarts} restarts, {CUT_PERCENT} % of links cut: \
         median {} ms, 99th percentile {} ms, longest {} ms",
        posted.len(),
        at(50),
        at(99),
        at(100)
    );
    assert!(restarts > 0);
}
