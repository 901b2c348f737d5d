//! Nodes for tests: each with a data folder of its own, on loopback only.

use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use tempfile::TempDir;
use xom_node::command::{Command, Done};
use xom_node::error::CommandError;
use xom_node::model::{AuthorFilter, Page, PairState, Status, StatusContent};
use xom_node::{Handle, JoinError, Joined, Node, NodeConfig, RECOVERY_DELAY};
use xom_protocol::body::Post;
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Network};

/// How long anything may take: generous, since many tests share two cores.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(15);

/// How nodes reach each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Over {
    Tcp,
    Quic,
    /// Without sockets, for nodes that meet no others.
    Memory,
}

/// The next port in memory that nobody has.
static MEMORY_PORT: AtomicU16 = AtomicU16::new(1);

impl Over {
    /// An address on this machine; port 0 is any that is free.
    pub(crate) fn listen(self, port: u16) -> Multiaddr {
        let address = match self {
            Self::Tcp => format!("/ip4/127.0.0.1/tcp/{port}"),
            Self::Quic => format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
            Self::Memory if port == 0 => format!("/memory/{}", MEMORY_PORT.fetch_add(1, Ordering::Relaxed)),
            Self::Memory => format!("/memory/{port}"),
        };
        address.parse().expect("address")
    }
}

/// A node with the person whose identity it holds.
pub(crate) struct Person {
    name: &'static str,
    dir: TempDir,
    listen: Multiaddr,
    node: Option<Node>,
    did: Did,
    recovery_delay: Duration,
    /// It listens nowhere.
    hidden: bool,
}

impl Person {
    /// A new person on a new node, at a free port.
    pub(crate) async fn new(name: &'static str, over: Over) -> Self {
        Self::with_bootstrap(name, over, Vec::new()).await
    }

    /// A new person whose node dials `bootstrap` at its start.
    pub(crate) async fn with_bootstrap(name: &'static str, over: Over, bootstrap: Vec<Multiaddr>) -> Self {
        Self::with_delay(name, over, bootstrap, RECOVERY_DELAY).await
    }

    /// A new person whose node waits so long between the two approvals of a guardian.
    pub(crate) async fn with_delay(
        name: &'static str,
        over: Over,
        bootstrap: Vec<Multiaddr>,
        recovery_delay: Duration,
    ) -> Self {
        let dir = TempDir::new().expect("temporary folder");
        let config = NodeConfig { recovery_delay, ..config(dir.path(), name, over.listen(0), bootstrap) };
        Self::begin(name, dir, config).await
    }

    /// A new person in a closed network.
    pub(crate) async fn in_closed_network(name: &'static str, key: &Path, bootstrap: Vec<Multiaddr>) -> Self {
        let dir = TempDir::new().expect("temporary folder");
        let config = config(dir.path(), name, Over::Tcp.listen(0), bootstrap);
        Self::begin(name, dir, NodeConfig { swarm_key: Some(key.to_owned()), ..config }).await
    }

    /// A new person whose node sends and takes no more than so many bytes a second.
    pub(crate) async fn on_a_line(name: &'static str, upload_max: Option<u64>, download_max: Option<u64>) -> Self {
        let dir = TempDir::new().expect("temporary folder");
        let config = config(dir.path(), name, Over::Tcp.listen(0), Vec::new());
        Self::begin(name, dir, NodeConfig { upload_max, download_max, ..config }).await
    }

    async fn begin(name: &'static str, dir: TempDir, config: NodeConfig) -> Self {
        let recovery_delay = config.recovery_delay;
        let wanted = config.listen.first().cloned();
        let node = Node::start(config).await.expect("starts");
        let locals = node.handle().read(|reader| reader.local_identities()).await.expect("reads");
        let did = locals.first().expect("one identity").did;
        // The same address after a restart, so that others find the node again.
        let status = node.handle().status().await.expect("status");
        let listen = without_peer(&status.listen.first().expect("listens").parse().expect("address"));
        let listen = wanted.filter(|wanted| wanted.to_string().starts_with("/memory/")).unwrap_or(listen);
        Self { name, dir, listen, node: Some(node), did, recovery_delay, hidden: false }
    }

    /// A new person whose node listens nowhere, as if behind a router that lets nobody in.
    pub(crate) async fn hidden(name: &'static str, bootstrap: Vec<Multiaddr>) -> Self {
        let dir = TempDir::new().expect("temporary folder");
        let listen = Over::Tcp.listen(0);
        let config = NodeConfig { listen: Vec::new(), ..config(dir.path(), name, listen.clone(), bootstrap) };
        let node = Node::start(config).await.expect("starts");
        let locals = node.handle().read(|reader| reader.local_identities()).await.expect("reads");
        let did = locals.first().expect("one identity").did;
        Self { name, dir, listen, node: Some(node), did, recovery_delay: RECOVERY_DELAY, hidden: true }
    }

    /// A new person whose node gives each author who is followed so much room.
    pub(crate) async fn with_author_quota(name: &'static str, over: Over, bytes: u64) -> Self {
        let mut person = Self::new(name, over).await;
        person.stop().await;
        let config = config(person.dir.path(), name, person.listen.clone(), Vec::new());
        let node = Node::start(NodeConfig { author_quota_bytes: bytes, ..config }).await.expect("starts");
        person.node = Some(node);
        person
    }

    /// A new person whose node gives others' pictures so much room.
    pub(crate) async fn with_media_room(name: &'static str, over: Over, bytes: u64) -> Self {
        let mut person = Self::new(name, over).await;
        person.stop().await;
        let config = config(person.dir.path(), name, person.listen.clone(), Vec::new());
        let node = Node::start(NodeConfig { media_room_bytes: bytes, ..config }).await.expect("starts");
        person.node = Some(node);
        person
    }

    /// A node on which nobody lives.
    pub(crate) async fn nobody(name: &'static str, over: Over) -> Self {
        let dir = TempDir::new().expect("temporary folder");
        let config = NodeConfig { first_username: None, ..config(dir.path(), name, over.listen(0), Vec::new()) };
        let node = Node::start(config).await.expect("starts");
        let status = node.handle().status().await.expect("status");
        let listen = without_peer(&status.listen.first().expect("listens").parse().expect("address"));
        Self { name, dir, listen, node: Some(node), did: Did([0; 32]), recovery_delay: RECOVERY_DELAY, hidden: false }
    }

    /// Another device of somebody: a node of its own, paired with theirs.
    pub(crate) async fn paired(name: &'static str, over: Over, with: &Self) -> Self {
        let mut device = Self::nobody(name, over).await;
        let joined = device.join(with).await.expect("joins");
        let granter = with.node();
        wait_until("the other side knows", async || {
            (granter.pair_state() == PairState::Done(joined.device)).then_some(())
        })
        .await;
        device.did = joined.did;
        device
    }

    /// Pairs this node with somebody's, both owners agreeing.
    pub(crate) async fn join(&self, with: &Self) -> Result<Joined, JoinError> {
        let offer = with.node().pair_begin(with.did).await.expect("an offer");
        let granter = with.node();
        let compare = async |digits: String| {
            wait_until("both screens show digits", async || match granter.pair_state() {
                PairState::Comparing { digits: shown, .. } => Some(shown == digits),
                _ => None,
            })
            .await
                && granter.pair_confirm(digits).await.is_ok()
        };
        self.node().join(&offer.text, Some(self.name), compare).await
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn did(&self) -> Did {
        self.did
    }

    /// The words, which lie in the folder until they are confirmed.
    pub(crate) fn words(&self) -> Phrase {
        let path = self.data_dir().join("data/identities").join(self.name).join("phrase");
        Phrase::parse(&std::fs::read_to_string(path).expect("words")).expect("24 words")
    }

    pub(crate) fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn listen(&self) -> Multiaddr {
        self.listen.clone()
    }

    /// The running node.
    pub(crate) fn node(&self) -> Handle {
        self.node.as_ref().expect("runs").handle()
    }

    pub(crate) async fn stop(&mut self) {
        self.node.take().expect("runs").stop().await;
    }

    /// Starts again on the same folder and address.
    pub(crate) async fn start(&mut self) {
        self.start_with(Vec::new()).await;
    }

    /// Starts again elsewhere.
    pub(crate) async fn start_at(&mut self, listen: Multiaddr) {
        self.listen = listen;
        self.start().await;
    }

    /// Starts again and dials `bootstrap`.
    pub(crate) async fn start_with(&mut self, bootstrap: Vec<Multiaddr>) {
        let config = config(self.dir.path(), self.name, self.listen.clone(), bootstrap);
        let mut config = NodeConfig { recovery_delay: self.recovery_delay, ..config };
        if self.hidden {
            config.listen.clear();
        }
        self.node = Some(Node::start(config).await.expect("starts again"));
    }

    /// What is on the disk now, as a second person with the same keys and another peer id: a restored backup
    /// or a cloned disk. Not started yet; this node must be stopped.
    pub(crate) fn copy(&self) -> Self {
        let copy = self.clone_disk();
        std::fs::remove_file(copy.dir.path().join("data/peer.key")).expect("had one");
        copy
    }

    /// The same with the peer id too: a cloned disk, byte by byte.
    pub(crate) fn clone_disk(&self) -> Self {
        assert!(self.node.is_none(), "a copy of a folder in use is none");
        let dir = TempDir::new().expect("temporary folder");
        copy_folder(&self.dir.path().join("data"), &dir.path().join("data"));
        Self {
            name: self.name,
            dir,
            listen: Over::Tcp.listen(0),
            node: None,
            did: self.did,
            recovery_delay: self.recovery_delay,
            hidden: self.hidden,
        }
    }

    /// Says something and gives the refusal, if it is one.
    pub(crate) async fn try_post(&self, text: &str) -> Result<Done, CommandError> {
        let post = Box::new(Post { text: text.to_owned(), ..Post::default() });
        self.node().command(self.did, Command::Post { post, reply_to: None, quote_of: None }).await
    }

    pub(crate) async fn command(&self, command: Command) -> Done {
        self.node().command(self.did, command).await.expect("carried out")
    }

    pub(crate) async fn post(&self, text: &str) -> Done {
        let post = Box::new(Post { text: text.to_owned(), ..Post::default() });
        self.command(Command::Post { post, reply_to: None, quote_of: None }).await
    }

    pub(crate) async fn invite(&self) -> String {
        self.node().invite(self.did).await.expect("invite")
    }

    pub(crate) async fn follow(&self, invite: String) -> Did {
        self.node().follow_invite(self.did, invite).await.expect("follows")
    }

    /// The texts of the newest posts of an author as this node holds them, oldest first.
    pub(crate) async fn posts_of(&self, author: Did) -> Vec<String> {
        self.statuses_of(author).await.iter().filter_map(text).collect()
    }

    pub(crate) async fn statuses_of(&self, author: Did) -> Vec<Status> {
        let page = Page { limit: 100, ..Page::default() };
        let node = self.node();
        let read = node.read(move |reader| match reader.account(&author)? {
            Some(_) => reader.author_statuses(None, &author, &AuthorFilter::default(), &page),
            None => Ok(Vec::new()),
        });
        let mut statuses = read.await.expect("reads");
        statuses.reverse();
        statuses
    }

    /// The texts of the home timeline, oldest first.
    pub(crate) async fn home(&self) -> Vec<String> {
        let (viewer, page) = (self.did, Page { limit: 100, ..Page::default() });
        let mut home = self.node().read(move |reader| reader.home(&viewer, &page)).await.expect("reads");
        home.reverse();
        home.iter().filter_map(text).collect()
    }

    /// Waits until this node holds exactly these posts of an author.
    pub(crate) async fn has_posts(&self, author: Did, texts: &[String]) {
        let what = format!("{} has {} posts of {author}", self.name, texts.len());
        wait_until(&what, async || (self.posts_of(author).await == texts).then_some(())).await;
    }

    pub(crate) async fn connected(&self) -> usize {
        self.node().peers().await.iter().filter(|peer| peer.connected).count()
    }

    /// How often peers broke a rule, as `xom status` shows it.
    pub(crate) async fn refusals(&self, rule: &str) -> u64 {
        let status = self.node().status().await.expect("status");
        status.refusals.iter().find(|(name, _)| name == rule).map_or(0, |(_, count)| *count)
    }
}

/// The settings of a test node.
pub(crate) fn config(dir: &Path, name: &str, listen: Multiaddr, bootstrap: Vec<Multiaddr>) -> NodeConfig {
    NodeConfig {
        data_dir: dir.join("data"),
        network: network(),
        listen: vec![listen],
        bootstrap,
        first_username: Some(name.to_owned()),
        mdns: false,
        swarm_key: None,
        upnp: false,
        upload_max: None,
        download_max: None,
        recovery_delay: RECOVERY_DELAY,
        author_quota_bytes: xom_node::keep::AUTHOR_QUOTA_BYTES,
        media_room_bytes: xom_node::MEDIA_ROOM_BYTES,
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for item in std::fs::read_dir(from).expect("is a folder") {
        let (path, target) = item.map(|item| (item.path(), to.join(item.file_name()))).expect("read");
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

/// The network of all tests.
pub(crate) fn network() -> Network {
    "test".parse().expect("network name")
}

/// The text of a post; none for a repost.
pub(crate) fn text(status: &Status) -> Option<String> {
    match &status.content {
        StatusContent::Post(view) => Some(view.post.text.clone()),
        StatusContent::Repost(_) => None,
    }
}

pub(crate) fn texts(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix} {number}")).collect()
}

/// An address without the peer id at its end.
pub(crate) fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, libp2p::multiaddr::Protocol::P2p(_))).collect()
}

/// Looks at a condition until it holds; fails at [`DEADLINE`].
pub(crate) async fn wait_until<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    wait_until_within(what, DEADLINE, condition).await
}

/// Looks at a condition until it holds; fails at `deadline`.
pub(crate) async fn wait_until_within<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begin = Instant::now();
    let mut poll = tokio::time::interval(POLL);
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(begin.elapsed() < deadline, "not within {deadline:?}: {what}");
        poll.tick().await;
    }
}

/// True if this runs with the large numbers, as `tests/run --long` does.
pub(crate) fn is_long() -> bool {
    std::env::var_os("XOM_LONG").is_some()
}
