//! Mallory against whole nodes: what he breaks is refused by its rule and counted, and honest traffic goes on.
//!
//! He speaks `/xom/sync/1` by hand, under identities and with logs of his own making.

mod arrival;
mod blobs;
mod checkpoints;
mod clocks;
mod conversation;
mod devices;
mod erasure;
mod forks;
mod gossip;
mod keepers;
mod line;
mod locks;
mod logs;
mod lost;
mod middle;
mod named;
mod objects;
mod opened;
mod partition;
mod peer;
mod persona;
mod polls;
mod ranges;
mod relays;
mod streams;
mod thief;

use xom_node::model::LogView;
use xom_protocol::{Did, LogId};

use self::line::{Line, Wares};
use self::peer::Peer;
use self::persona::{Chain, Persona};
use crate::harness::{Over, Person, wait_until};

/// Alice, who follows bob and whoever mallory pretends to be; and bob, who posts before and after.
struct Stage {
    alice: Person,
    bob: Person,
    said: Vec<String>,
}

impl Stage {
    async fn new(over: Over) -> Self {
        let (alice, bob) = tokio::join!(Person::new("alice", over), Person::new("bob", over));
        let mut stage = Self { alice, bob, said: Vec::new() };
        stage.alice.follow(stage.bob.invite().await).await;
        stage.goes_on().await;
        stage
    }

    /// Bob posts, and alice has it: live, and nothing before it was lost. All that she holds is sound.
    async fn goes_on(&mut self) {
        let text = format!("honest {}", self.said.len());
        self.bob.post(&text).await;
        self.said.push(text);
        self.alice.has_posts(self.bob.did(), &self.said).await;
        let report = self.alice.node().verify().await.expect("verifies");
        assert_eq!(report.faults, Vec::<String>::new());
    }

    /// A peer of mallory's, connected to alice.
    async fn peer(&self) -> Peer {
        Peer::dial(&self.alice).await
    }

    /// How many pairs talk through alice.
    async fn circuits(&self) -> u64 {
        self.alice.node().status().await.expect("status").reachability.circuits
    }

    /// Alice follows somebody by DID.
    async fn follow(&self, persona: &Persona) {
        self.alice.follow(persona.did().to_string()).await;
    }

    /// Waits until a rule was refused, at alice's, so many times.
    async fn refused(&self, rule: &str, times: u64) {
        let what = format!("{rule} is counted");
        wait_until(&what, async || (self.alice.refusals(rule).await >= times).then_some(())).await;
    }

    /// Fails if alice has refused anything at all.
    async fn nothing_refused(&self) {
        assert_eq!(self.alice.node().status().await.expect("status").refusals, []);
    }

    /// Alice follows a new identity and mallory serves these entries as its first log: waits until she
    /// holds so many of them.
    async fn served(&self, persona: &Persona, chain: &Chain, height: u64) -> (Peer, Line) {
        self.follow(persona).await;
        let mut peer = self.peer().await;
        let line = Line::open(&mut peer, Wares::default().identity(persona).chain(chain)).await;
        self.holds(chain.log(), height).await;
        (peer, line)
    }

    /// Waits until alice holds so many entries of a log.
    async fn holds(&self, log: LogId, height: u64) -> LogView {
        holds(&self.alice, log, height).await
    }

    /// The texts that alice shows of an author.
    async fn shown(&self, author: Did) -> Vec<String> {
        self.alice.posts_of(author).await
    }
}

/// Waits until somebody holds so many entries of a log.
async fn holds(person: &Person, log: LogId, height: u64) -> LogView {
    let held = async || log_view(person, log).await.filter(|view| view.height == height);
    wait_until(&format!("{height} entries are held"), held).await
}

async fn log_view(person: &Person, log: LogId) -> Option<LogView> {
    let logs = person.node().read(|reader| reader.logs()).await.expect("reads");
    logs.into_iter().find(|view| view.log == log)
}
