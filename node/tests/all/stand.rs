//! A stand: twenty whole nodes in this process, over memory with real noise and yamux, that follow each other while
//! nodes are restarted and links are cut all the time. Afterwards everybody has everything, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::interval;
use xom_node::model::Page;
use xom_protocol::Did;

use crate::harness::{Over, Person, text, wait_until_within};

/// Nodes of the stand.
const NODES: usize = 20;
/// Whom each of them follows.
const FOLLOWS: usize = 10;
/// Posts of each.
const POSTS: usize = 20;
/// Share of the links that is cut at any time, percent.
const CUT_PERCENT: usize = 5;
/// Between two posts of an author.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two cuts, and two restarts.
const CHAOS_EVERY: Duration = Duration::from_millis(500);
/// How long after the last cut everybody may take to have everything: two cores may be shared with other tests.
const HEALING: Duration = Duration::from_secs(180);
/// What is restarted, and which links are cut, follows from this.
const SEED: u64 = 20;
/// The local id of a status holds the time of arrival above these bits.
const ID_BITS: u32 = 16;

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

struct Stand {
    people: Vec<Mutex<Person>>,
    peers: Vec<String>,
    /// Authors that have not posted everything yet.
    writing: AtomicUsize,
    /// Posts, and when they were acknowledged, milliseconds.
    posted: Mutex<BTreeMap<String, u64>>,
}

fn followed(node: usize) -> impl Iterator<Item = usize> {
    (1..=FOLLOWS).map(move |step| (node + step) % NODES)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("small")
}

impl Stand {
    async fn new() -> Self {
        let mut people = Vec::new();
        for _ in 0..NODES {
            people.push(Mutex::new(Person::new("home", Over::Memory).await));
        }
        let (mut peers, mut invites) = (Vec::new(), Vec::new());
        for person in &people {
            let person = person.lock().await;
            peers.push(person.node().status().await.expect("status").peer);
            invites.push(person.invite().await);
        }
        for (node, person) in people.iter().enumerate() {
            for author in followed(node) {
                person.lock().await.follow(invites[author].clone()).await;
            }
        }
        Self { people, peers, writing: AtomicUsize::new(NODES), posted: Mutex::default() }
    }

    fn is_writing(&self) -> bool {
        self.writing.load(Ordering::SeqCst) > 0
    }

    async fn write(&self, author: usize) {
        let mut pace = interval(PAUSE);
        for number in 0..POSTS {
            pace.tick().await;
            let post = format!("post {number} of {author}");
            self.people[author].lock().await.post(&post).await;
            self.posted.lock().await.insert(post, now_ms());
        }
        self.writing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Stops and starts nodes while somebody writes.
    async fn restart(&self) -> usize {
        let (mut random, mut pace, mut restarts) = (Random(SEED), interval(CHAOS_EVERY), 0);
        while self.is_writing() {
            pace.tick().await;
            let mut person = self.people[random.below(NODES)].lock().await;
            person.stop().await;
            person.start().await;
            restarts += 1;
        }
        restarts
    }

    /// Cuts links, each time others, while somebody writes; then none. A cut link is one over which its lower end talks
    /// to nobody.
    async fn cut(&self) -> usize {
        let (mut random, mut pace, mut cuts) = (Random(SEED + 1), interval(CHAOS_EVERY), 0);
        let mut cut: BTreeSet<(usize, usize)> = BTreeSet::new();
        while self.is_writing() {
            pace.tick().await;
            let mut due = BTreeSet::new();
            while due.len() < (NODES * (NODES - 1) / 2 * CUT_PERCENT).div_ceil(100) {
                let (one, other) = (random.below(NODES), random.below(NODES));
                due.extend((one < other).then_some((one, other)));
            }
            for (one, other) in cut.difference(&due) {
                self.heal(*one, *other).await;
            }
            for (one, other) in due.difference(&cut) {
                let person = self.people[*one].lock().await;
                let hour = Duration::from_secs(3_600);
                cuts += usize::from(person.node().ban(&self.peers[*other], hour, "cut").await.expect("asked"));
            }
            cut = due;
        }
        for (one, other) in cut {
            self.heal(one, other).await;
        }
        cuts
    }

    async fn heal(&self, one: usize, other: usize) {
        let person = self.people[one].lock().await;
        person.node().unban(&self.peers[other]).await.expect("asked");
    }

    /// Everything that the home timeline of a node shows, with when each came, milliseconds.
    async fn timeline(&self, node: usize) -> Vec<(String, u64)> {
        let person = self.people[node].lock().await;
        let (viewer, mut shown, mut max_id) = (person.did(), Vec::new(), None);
        loop {
            let page = Page { limit: 100, max_id, ..Page::default() };
            let page = person.node().read(move |reader| reader.home(&viewer, &page)).await.expect("reads");
            let Some(last) = page.last() else { return shown };
            max_id = Some(last.id.0);
            shown.extend(page.iter().filter_map(|status| Some((text(status)?, status.id.0 >> ID_BITS))));
        }
    }

    /// The heights of all logs of these people, as a node holds them.
    async fn heights(&self, node: usize, of: Did) -> Vec<(String, u64)> {
        let person = self.people[node].lock().await;
        let logs = person.node().read(|reader| reader.logs()).await.expect("reads");
        logs.iter().filter(|log| log.did == of).map(|log| (log.log.to_string(), log.height)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_nodes_in_one_process_that_are_restarted_and_cut_off_end_with_everything_once() {
    let began = Instant::now();
    let stand = Arc::new(Stand::new().await);
    let ready = began.elapsed();
    let mut tasks = JoinSet::new();
    for author in 0..NODES {
        let stand = Arc::clone(&stand);
        tasks.spawn(async move { stand.write(author).await });
    }
    let (restarting, cutting) = (Arc::clone(&stand), Arc::clone(&stand));
    let restarts = tokio::spawn(async move { restarting.restart().await });
    let cuts = tokio::spawn(async move { cutting.cut().await });
    while let Some(written) = tasks.join_next().await {
        written.expect("everything was posted");
    }
    let (restarts, cuts) = (restarts.await.expect("restarted"), cuts.await.expect("cut and healed"));
    let healing = Instant::now();

    let posted = stand.posted.lock().await.clone();
    assert_eq!(posted.len(), NODES * POSTS);
    let mut ways = Vec::new();
    for node in 0..NODES {
        let authors: Vec<usize> = followed(node).chain([node]).collect();
        let is_due = |post: &&String| authors.iter().any(|author| post.ends_with(&format!(" of {author}")));
        let wanted: BTreeSet<String> = posted.keys().filter(is_due).cloned().collect();
        let what = format!("node {node} has everything");
        let shown = wait_until_within(&what, HEALING, async || {
            let shown = stand.timeline(node).await;
            (shown.len() >= wanted.len()).then_some(shown)
        })
        .await;
        let texts: BTreeSet<String> = shown.iter().map(|(post, _)| post.clone()).collect();
        assert_eq!(texts.len(), shown.len(), "node {node} shows nothing twice");
        assert_eq!(texts, wanted, "node {node} shows all of it and nothing else");
        let own = format!(" of {node}");
        let others = shown.iter().filter(|(post, _)| !post.ends_with(&own));
        ways.extend(others.map(|(post, came)| came.saturating_sub(posted[post])));
    }
    for author in 0..NODES {
        let did = stand.people[author].lock().await.did();
        let heights = stand.heights(author, did).await;
        for reader in (0..NODES).filter(|node| followed(*node).any(|followed| followed == author)) {
            let what = format!("node {reader} holds all of {author}");
            let same = async || (stand.heights(reader, did).await == heights).then_some(());
            wait_until_within(&what, HEALING, same).await;
        }
    }
    ways.sort_unstable();
    let at = |percent: usize| ways[(ways.len() - 1) * percent / 100];
    eprintln!(
        "{NODES} nodes in one process, {} posts to {FOLLOWS} followers each, {restarts} restarts, {cuts} cuts \
         ({CUT_PERCENT} % of links at any time): median {} ms, 99th percentile {} ms, longest {} ms; ready after \
         {ready:?}, everything everywhere {:?} after the last cut, {:?} in all",
        posted.len(),
        at(50),
        at(99),
        at(100),
        healing.elapsed(),
        began.elapsed()
    );
    assert!(restarts > 0 && cuts > 0);
}
