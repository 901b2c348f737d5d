//! A machine that has nothing of an identity yet.

use std::time::Duration;

use libp2p::Multiaddr;
use tempfile::TempDir;
use xom_node::model::{AuthorFilter, Page, StatusContent};
use xom_node::recovery::{Recovering, Stage, Wish};
use xom_node::{CommandError, Handle, Node, NodeConfig};
use xom_protocol::Did;
use xom_protocol::phrase::Phrase;

use crate::harness::{DEADLINE, Person, config, wait_until, wait_until_within};

/// How long a whole recovery may take.
const RECOVERY_DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Machine {
    dir: TempDir,
    node: Option<Node>,
}

impl Machine {
    pub(crate) async fn new() -> Self {
        let mut machine = Self { dir: TempDir::new().expect("temporary folder"), node: None };
        machine.start().await;
        machine
    }

    pub(crate) async fn start(&mut self) {
        let listen = "/ip4/127.0.0.1/tcp/0".parse().expect("address");
        let config = NodeConfig { first_username: None, ..config(self.dir.path(), "unused", listen, Vec::new()) };
        self.node = Some(Node::start(config).await.expect("starts"));
    }

    pub(crate) async fn stop(&mut self) {
        self.node.take().expect("runs").stop().await;
    }

    pub(crate) fn node(&self) -> Handle {
        self.node.as_ref().expect("runs").handle()
    }

    pub(crate) async fn recover(&self, did: Did, guardians: bool, from: &[&Person]) -> Recovering {
        let from: Vec<Multiaddr> = from.iter().map(|person| person.listen()).collect();
        let wish = Wish { did, username: None, guardians, from };
        self.node().recover(wish).await.expect("begins")
    }

    /// The texts of an identity's posts, oldest first.
    pub(crate) async fn posts_of(&self, author: Did) -> Vec<String> {
        let page = Page { limit: 100, ..Page::default() };
        let read = move |reader: &xom_node::Reader| match reader.account(&author)? {
            Some(_) => reader.author_statuses(None, &author, &AuthorFilter::default(), &page),
            None => Ok(Vec::new()),
        };
        let mut statuses = self.node().read(read).await.expect("reads");
        statuses.reverse();
        let text = |content: &StatusContent| match content {
            StatusContent::Post(view) => Some(view.post.text.clone()),
            StatusContent::Repost(_) => None,
        };
        statuses.iter().filter_map(|status| text(&status.content)).collect()
    }
}

/// Takes steps until one is as wanted.
pub(crate) async fn until(
    recovering: &mut Recovering,
    words: Option<&Phrase>,
    wanted: impl Fn(&Stage) -> bool,
) -> Stage {
    wait_until_within("a stage of the recovery", RECOVERY_DEADLINE, async || {
        let stage = recovering.step(words).await.expect("goes on");
        wanted(&stage).then_some(stage)
    })
    .await
}

/// Takes steps until one is refused.
pub(crate) async fn until_refused(recovering: &mut Recovering, words: Option<&Phrase>) -> CommandError {
    wait_until("a refusal", async || recovering.step(words).await.err()).await
}

/// True where everything is back.
pub(crate) fn is_done(stage: &Stage) -> bool {
    matches!(stage, Stage::Done { .. })
}

/// Waits until a request has come to a guardian, and answers its code.
pub(crate) async fn code_at(guardian: &Person) -> String {
    wait_until("a request", async || {
        let requests = guardian.node().recovery_requests().await.expect("reads");
        requests.first().map(|request| request.code.clone())
    })
    .await
}

/// The time that a test gives anything.
pub(crate) const PATIENCE: Duration = DEADLINE;
