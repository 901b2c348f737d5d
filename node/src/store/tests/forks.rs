//! Forks between sibling devices: anchors, what a disputed branch may not do, any order of arrival
//! (`LOG-13`, `LOG-8`).

use proptest::prelude::*;
use xom_protocol::body::{Block, Body, Edit, Erase, LogHead, Profile, Reaction};
use xom_protocol::entry::Reference;
use xom_protocol::identity::compose;
use xom_protocol::log::{Composer, LiveSet, MerkleMap, Surroundings, build_checkpoint, root_log_id};

use super::*;
use crate::store::tables::LogRow;
use crate::views::tests::dump_all;

/// One device of alice's, which signs by hand.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) composer: Composer,
    live: LiveSet,
    pub(super) entries: Vec<VerifiedEntry>,
}

impl Device {
    fn new(did: Did, key: SecretKey) -> Self {
        let log = root_log_id(Network::MAIN, &did, &key.public().device_id());
        let (network, position) = (Network::MAIN, Position::EMPTY);
        let composer = Composer { network, key, author: did, log, position, last_time_ms: 0 };
        Self { composer, live: LiveSet::new(did), entries: Vec::new() }
    }

    pub(super) fn log(&self) -> LogId {
        self.composer.log
    }

    fn write(&mut self, body: &Body) -> Reference {
        let seq = self.composer.position.height;
        let entry = self.composer.compose(body, [u8::try_from(seq % 250 + 1).unwrap(); 32], NOW_MS).unwrap();
        self.composer.advance(&entry);
        self.live.insert(&entry);
        self.entries.push(entry.clone());
        entry.header().reference(entry.id())
    }

    pub(super) fn post(&mut self, text: &str) -> Reference {
        self.write(&Body::Post(Post { text: text.to_owned(), ..Post::default() }))
    }

    pub(super) fn head(&self) -> LogHead {
        let Position { height, head } = self.composer.position;
        LogHead { log: self.log(), height, head: head.unwrap() }
    }

    /// Writes up to the next checkpoint, which names these heads.
    fn checkpoint(&mut self, record: &IdentityRecord, mut heads: Vec<LogHead>) {
        while self.composer.position.height == 0 || !self.composer.position.height.is_multiple_of(256) {
            self.post("filling");
        }
        heads.sort_by_key(|head| head.log);
        let height = self.composer.position.height;
        let items = self.live.checkpoint_items(self.log(), height, &heads);
        let mut map: MerkleMap = items.into_iter().collect();
        let (identity, statements) = (record.state().head, record.state().statements);
        let surroundings = Surroundings { identity, statements, logs: heads };
        let checkpoint = build_checkpoint(self.log(), self.composer.position, &mut map, surroundings).unwrap();
        self.write(&Body::Checkpoint(checkpoint));
    }

    /// Writes up to a height, with checkpoints that name nobody.
    pub(super) fn fill(&mut self, record: &IdentityRecord, height: u64) {
        while self.composer.position.height < height {
            match xom_protocol::entry::Header::is_checkpoint_place(self.composer.position.height) {
                true => self.checkpoint(record, Vec::new()),
                false => drop(self.post("filling")),
            }
        }
    }

    /// The same device as it was at a height, to write something else from there.
    pub(super) fn back_to(&self, height: usize) -> Self {
        let mut earlier = Self::new(self.composer.author, self.composer.key.clone());
        for entry in &self.entries[..height] {
            earlier.live.insert(entry);
            earlier.composer.advance(entry);
            earlier.entries.push(entry.clone());
        }
        earlier
    }

    pub(super) fn run(&self, from: usize) -> NewRun {
        let (log, author, device) = (self.log(), self.composer.author, self.composer.key.public().device_id());
        NewRun { log, author, device, entries: self.entries[from..].to_vec(), live: false }
    }
}

/// Alice, whose phone has forked: its log as far as it is one, and both branches. Her tablet and laptop are siblings.
pub(super) struct Cast {
    pub(super) record: IdentityRecord,
    pub(super) control: SecretKey,
    pub(super) branches: [Device; 2],
    tablet: Device,
    laptop: Device,
    /// Where the branches part.
    pub(super) parts: usize,
}

impl Cast {
    /// Everything that `disputed` writes stands on the first branch.
    pub(super) fn new(common: impl FnOnce(&mut Device), disputed: impl FnOnce(&mut Device)) -> Self {
        let phrase = xom_protocol::phrase::Phrase::from_entropy(&[9; 32]).unwrap();
        let mut record = IdentityRecord::from_genesis(Network::MAIN, phrase.genesis(Network::MAIN)).unwrap();
        let did = record.did();
        let siblings = [1, 2].map(|number| {
            let key = SecretKey::from_seed(&[number; 32]).unwrap();
            record.insert(compose::grant(Network::MAIN, did, &phrase.device_key(), &key).unwrap()).unwrap();
            Device::new(did, key)
        });
        let mut phone = Device::new(did, phrase.device_key());
        common(&mut phone);
        let parts = phone.entries.len();
        let mut other = phone.clone();
        disputed(&mut phone);
        other.post("another branch");
        let [tablet, laptop] = siblings;
        Self { record, control: phrase.control_key(0), branches: [phone, other], tablet, laptop, parts }
    }

    pub(super) async fn introduce(&self, to: &Person) {
        let objects = self.record.objects().iter().map(SignedObject::encode).collect();
        to.store.insert_identity(self.record.did(), objects).await.unwrap();
    }

    /// Both branches, this one first.
    pub(super) async fn fork(&self, at: &Person, first: usize) {
        at.store.append(self.branches[first].run(0)).await.unwrap();
        let parts = u64::try_from(self.parts).unwrap();
        let forked = at.store.append(self.branches[1 - first].run(0)).await.unwrap();
        assert_eq!(forked, Appended::Forked { seq: parts });
    }

    pub(super) fn settle(&mut self, branch: usize) -> Vec<u8> {
        let anchors = vec![self.branches[branch].head()];
        let settle = compose::settle(&self.record.state().place(), anchors, &[&self.control]).unwrap();
        self.record.insert(settle.clone()).unwrap();
        settle.encode()
    }

    pub(super) fn phone(&self) -> LogId {
        self.branches[0].log()
    }
}

pub(super) fn row(at: &Person, log: &LogId) -> LogRow {
    let logs = at.store.snapshot().unwrap().logs().unwrap();
    logs.into_iter().find(|(_, row)| row.log == *log).unwrap().1
}

pub(super) fn is_disputed(at: &Person, log: &LogId) -> bool {
    row(at, log).disputed_from != LogRow::NONE
}

pub(super) fn two_posts(device: &mut Device) {
    device.post("one");
    device.post("two");
}

pub(super) fn one_post(device: &mut Device) {
    device.post("three");
}

#[tokio::test]
async fn log_13_a_checkpoint_of_a_sibling_settles_a_fork_for_the_branch_that_it_names() {
    for named in [0, 1] {
        let mut cast = Cast::new(two_posts, one_post);
        let bob = Person::new("bob");
        cast.introduce(&bob).await;
        cast.fork(&bob, 0).await;
        assert!(is_disputed(&bob, &cast.phone()));
        let head = cast.branches[named].head();
        cast.tablet.checkpoint(&cast.record.clone(), vec![head]);
        bob.store.append(cast.tablet.run(0)).await.unwrap();
        assert!(!is_disputed(&bob, &cast.phone()));
        bob.store.append(cast.branches[named].run(0)).await.unwrap();
        let third = ["three", "another branch"][named];
        assert_eq!(bob.texts(&cast.phone()), ["one", "two", third]);
        let lost = bob.store.append(cast.branches[1 - named].run(0)).await.unwrap();
        assert_eq!(lost, Appended::Refused { rule: xom_protocol::Rule("LOG-13") });
        assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
    }
}

#[tokio::test]
async fn log_13_control_keys_outrank_the_checkpoints_of_siblings() {
    let mut cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let head = cast.branches[0].head();
    cast.tablet.checkpoint(&cast.record.clone(), vec![head]);
    bob.store.append(cast.tablet.run(0)).await.unwrap();
    assert!(!is_disputed(&bob, &cast.phone()));
    let settle = cast.settle(1);
    bob.store.insert_identity(cast.record.did(), vec![settle]).await.unwrap();
    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    assert_eq!(bob.texts(&cast.phone()), ["one", "two", "another branch"]);
    assert!(!is_disputed(&bob, &cast.phone()));
}

#[tokio::test]
async fn log_13_two_siblings_that_name_different_branches_decide_nothing() {
    let mut cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let (record, heads) = (cast.record.clone(), [cast.branches[0].head(), cast.branches[1].head()]);
    cast.tablet.checkpoint(&record, vec![heads[0]]);
    cast.laptop.checkpoint(&record, vec![heads[1]]);
    bob.store.append(cast.tablet.run(0)).await.unwrap();
    assert!(!is_disputed(&bob, &cast.phone()));
    bob.store.append(cast.laptop.run(0)).await.unwrap();
    assert!(is_disputed(&bob, &cast.phone()));
}

#[tokio::test]
async fn log_13_a_checkpoint_on_a_branch_that_is_disputed_itself_settles_nothing() {
    let mut cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let mut other = cast.tablet.clone();
    let head = cast.branches[0].head();
    cast.tablet.checkpoint(&cast.record.clone(), vec![head]);
    other.post("the tablet has forked too");
    bob.store.append(cast.tablet.run(0)).await.unwrap();
    bob.store.append(other.run(0)).await.unwrap();
    assert!(is_disputed(&bob, &cast.tablet.log()));
    assert!(is_disputed(&bob, &cast.phone()));
}

/// A fork at whose first branch everything is done that has an effect on others' views or on one's own.
fn busy(bob: &Person, theirs: Reference) -> Cast {
    let subject = bob.me.did;
    let (mut kept, mut edited) = (None, None);
    let common = |phone: &mut Device| {
        phone.write(&Body::Profile(Profile { rev: 1, name: Some("Alice".to_owned()), ..Profile::default() }));
        kept = Some(phone.post("kept"));
        edited = Some(phone.post("first version"));
    };
    let mut cast = Cast::new(common, |_| {});
    let (kept, edited) = (kept.unwrap(), edited.unwrap());
    let phone = &mut cast.branches[0];
    let reply = Post { text: "a reply".to_owned(), reply: Some(theirs), root: Some(theirs), ..Post::default() };
    phone.write(&Body::Post(reply));
    phone.write(&Body::Profile(Profile { rev: 2, name: Some("Mallory".to_owned()), ..Profile::default() }));
    phone.write(&Body::Erase(Erase { target: kept, purge: None }));
    let second = Post { text: "second version".to_owned(), ..Post::default() };
    phone.write(&Body::Edit(Edit { target: edited, rev: 1, post: second }));
    phone.write(&Body::Block(Block { subject, rev: 1 }));
    phone.write(&Body::Reaction(Reaction { target: theirs, rev: 1, emoji: Reaction::FAVOURITE.to_owned() }));
    cast
}

/// Everything in the views, but for when accounts were first seen.
fn views(at: &Person) -> Vec<String> {
    dump_all(&at.store.shared.database().unwrap())
}

/// What readers see of it: texts, the replies and likes of bob's post, alice's name.
fn effects(bob: &Person, cast: &Cast, status: StatusId) -> (Vec<String>, u64, u64, String) {
    let reader = crate::Reader::new(bob.store.snapshot().unwrap()).unwrap();
    let page = crate::model::Page { limit: 40, ..crate::model::Page::default() };
    let did = cast.record.did();
    let shown = reader.author_statuses(None, &did, &crate::model::AuthorFilter::default(), &page).unwrap();
    let text = |status: &crate::model::Status| match &status.content {
        crate::model::StatusContent::Post(view) => view.post.text.clone(),
        crate::model::StatusContent::Repost(_) => "repost".to_owned(),
    };
    let crate::model::StatusContent::Post(view) = reader.status(None, status).unwrap().unwrap().content else {
        panic!("a post");
    };
    let name = reader.account(&did).unwrap().unwrap().name;
    (shown.iter().map(text).collect(), view.replies, view.reactions, name)
}

#[tokio::test]
async fn a_disputed_branch_has_no_effect_until_it_is_settled_and_then_every_effect() {
    let bob = Person::new("bob");
    let status = bob.post("bob's").await;
    let number = bob.store.snapshot().unwrap().log_number(&bob.me.log).unwrap().unwrap();
    let theirs = bob.store.snapshot().unwrap().held((number, 1)).unwrap().unwrap();
    let theirs = theirs.header.reference(theirs.id);
    let mut cast = busy(&bob, theirs);
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    let settled = effects(&bob, &cast, status);
    assert_eq!((settled.1, settled.2, settled.3.as_str()), (1, 1, "Mallory"));
    assert!(settled.0.contains(&"second version".to_owned()) && !settled.0.contains(&"kept".to_owned()));
    let before = views(&bob);

    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    let disputed = effects(&bob, &cast, status);
    assert_eq!((disputed.1, disputed.2, disputed.3.as_str()), (0, 0, "Alice"));
    for text in ["kept", "first version", "a reply"] {
        assert!(disputed.0.contains(&text.to_owned()), "{text} is shown: {:?}", disputed.0);
    }
    let live = views(&bob);
    bob.store.rebuild_views().await.unwrap();
    assert_eq!(live, views(&bob), "as if rebuilt");
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());

    let settle = cast.settle(0);
    bob.store.insert_identity(cast.record.did(), vec![settle]).await.unwrap();
    assert_eq!(effects(&bob, &cast, status), settled);
    assert_eq!(views(&bob), before, "as if it had never been disputed");
    bob.store.rebuild_views().await.unwrap();
    assert_eq!(views(&bob), before);
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

/// What arrives, in some order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Branch(usize),
    Tablet,
    Laptop,
    Settle,
}

/// Delivers everything in an order, then all of it again until nothing changes, as peers do.
async fn deliver(cast: &Cast, settle: Option<&Vec<u8>>, order: &[Arrival], bob: &Person) {
    cast.introduce(bob).await;
    for _ in 0..3 {
        for arrival in order {
            match arrival {
                Arrival::Branch(branch) => drop(bob.store.append(cast.branches[*branch].run(0)).await.unwrap()),
                Arrival::Tablet => drop(bob.store.append(cast.tablet.run(0)).await.unwrap()),
                Arrival::Laptop => drop(bob.store.append(cast.laptop.run(0)).await.unwrap()),
                Arrival::Settle => {
                    let objects = settle.into_iter().cloned().collect();
                    bob.store.insert_identity(cast.record.did(), objects).await.unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn log_13_any_order_of_arrival_settles_a_fork_in_the_same_way(
        orders in proptest::collection::vec(
            Just(vec![Arrival::Branch(0), Arrival::Branch(1), Arrival::Tablet, Arrival::Laptop, Arrival::Settle])
                .prop_shuffle(), 2),
        tablet in 0_usize..2,
        laptop in proptest::option::of(0_usize..2),
        control in proptest::option::of(0_usize..2),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut cast = Cast::new(two_posts, |device| { device.post("three"); device.post("four"); });
            let record = cast.record.clone();
            let heads = [cast.branches[0].head(), cast.branches[1].head()];
            cast.tablet.checkpoint(&record, vec![heads[tablet]]);
            cast.laptop.checkpoint(&record, laptop.map(|branch| heads[branch]).into_iter().collect());
            let first = cast.record.clone();
            let settle = control.map(|branch| cast.settle(branch));
            cast.record = first;
            let mut ends = Vec::new();
            for order in &orders {
                let bob = Person::new("bob");
                deliver(&cast, settle.as_ref(), order, &bob).await;
                let disputed = is_disputed(&bob, &cast.phone());
                let texts = if disputed { Vec::new() } else { bob.texts(&cast.phone()) };
                prop_assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
                ends.push((disputed, texts));
            }
            prop_assert_eq!(&ends[0], &ends[1]);
            let decided = control.or((laptop.is_none() || laptop == Some(tablet)).then_some(tablet));
            prop_assert_eq!(ends[0].0, decided.is_none());
            Ok(())
        })?;
    }
}

/// True if this runs with the large numbers, as `tests/run --long` does.
fn is_long() -> bool {
    std::env::var_os("XOM_LONG").is_some()
}

#[tokio::test]
async fn r_frk_7_a_hundred_thousand_forks_of_one_log_cost_one_proof() {
    let forks: u32 = if is_long() { 100_000 } else { 2_000 };
    let cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let kept = |bob: &Person| {
        let snapshot = bob.store.snapshot().unwrap();
        (
            snapshot.fork_proof(&cast.phone()).unwrap().unwrap(),
            snapshot.entry_count().unwrap(),
            snapshot.logs().unwrap().len(),
        )
    };
    let before = kept(&bob);
    let mut twin = cast.branches[0].clone();
    let (position, device) = (twin.composer.position, twin.composer.key.public().device_id());
    let at = Position { height: position.height - 1, head: twin.entries.last().unwrap().header().prev };
    twin.composer.position = at;
    for part in 0..forks / 500 {
        let mut runs = Vec::new();
        for number in 0..500 {
            let text = format!("fork {}", part * 500 + number);
            let body = Body::Post(Post { text, ..Post::default() });
            let entry = twin.composer.compose(&body, [9; 32], NOW_MS).unwrap();
            let run = NewRun { log: twin.log(), author: cast.record.did(), device, entries: vec![entry], live: false };
            runs.push(super::super::append::Stretch::from(run));
        }
        let forked =
            bob.store.write(move |batch| runs.iter().map(|run| batch.append(run)).collect::<Result<Vec<_>, _>>());
        let seq = at.height;
        assert!(forked.await.unwrap().iter().all(|taken| *taken == Appended::Forked { seq }));
    }
    assert_eq!(kept(&bob), before, "nothing but the first proof is kept");
    assert_eq!(bob.texts(&cast.phone()), ["one", "two", "three"]);
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn r_frk_10_a_fork_that_carries_a_purged_text_again_does_not_bring_it_back() {
    let mut gone = None;
    let mut cast = Cast::new(|phone| gone = Some(phone.post("a text to be forgotten")), |_| {});
    let target = gone.unwrap();
    let order = xom_protocol::identity::purge::order(cast.record.state(), &target.entry, &[&cast.control]).unwrap();
    cast.branches[0].write(&Body::Erase(Erase { target, purge: Some(order) }));
    cast.branches[1].post("a text to be forgotten");
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    assert!(is_disputed(&bob, &cast.phone()));
    assert_eq!(bob.texts(&cast.phone()), Vec::<String>::new());
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    assert_eq!(bob.texts(&cast.phone()), Vec::<String>::new(), "purged for good, erase or not");
    bob.store.compact().await.unwrap();
    assert_eq!(files_with(&bob.path(), "a text to be forgotten"), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn log_8_a_checkpoint_with_a_wrong_root_is_void_anchors_nothing_and_is_passed_on() {
    let mut cast = Cast::new(two_posts, one_post);
    let (bob, carol) = (Person::new("bob"), Person::new("carol"));
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let head = cast.branches[0].head();
    // The tablet says that an entry is live which it never wrote.
    let mut elsewhere = cast.laptop.clone();
    elsewhere.post("not of the tablet");
    let mut lying = cast.tablet.clone();
    lying.live.insert(&cast.branches[0].entries[0]);
    while lying.composer.position.height < 256 {
        lying.post("filling");
    }
    let honest = lying.clone();
    let record = cast.record.clone();
    let heads = vec![head];
    let (identity, statements) = (record.state().head, record.state().statements);
    let surroundings = Surroundings { identity, statements, logs: heads.clone() };
    let mut map: MerkleMap = [(xom_protocol::Digest([1; 32]), cast.branches[0].entries[0].id())].into_iter().collect();
    let checkpoint = build_checkpoint(lying.log(), lying.composer.position, &mut map, surroundings).unwrap();
    lying.write(&Body::Checkpoint(checkpoint));
    bob.store.append(lying.run(0)).await.unwrap();
    assert!(is_disputed(&bob, &cast.phone()), "a wrong root anchors nothing");
    let proofs = bob.store.snapshot().unwrap().fault_proofs(&lying.log(), 8).unwrap();
    assert_eq!(proofs.len(), 1);
    assert_eq!(bob.store.snapshot().unwrap().proven_logs().unwrap().len(), 2, "the fork and the checkpoint");

    // Carol holds the log, and finds the same whatever she is told; without it she believes nothing.
    let proof = xom_protocol::log::FaultProof::decode(&proofs[0]).unwrap();
    cast.introduce(&carol).await;
    assert_eq!(carol.store.insert_fault(proof.clone()).await.unwrap(), super::super::ProofTaken::Unknown);
    carol.store.append(lying.run(0)).await.unwrap();
    assert_eq!(carol.store.snapshot().unwrap().proven_logs().unwrap(), [], "what it names is not held");
    carol.store.append(cast.branches[0].run(0)).await.unwrap();
    assert_eq!(carol.store.snapshot().unwrap().proven_logs().unwrap(), [lying.log()]);
    assert_eq!(carol.store.insert_fault(proof).await.unwrap(), super::super::ProofTaken::Known);

    let dave = Person::new("dave");
    cast.introduce(&dave).await;
    cast.fork(&dave, 0).await;
    cast.tablet = honest;
    cast.tablet.live = LiveSet::new(record.did());
    for entry in cast.tablet.entries.clone() {
        cast.tablet.live.insert(&entry);
    }
    cast.tablet.checkpoint(&record, heads);
    dave.store.append(cast.tablet.run(0)).await.unwrap();
    assert!(!is_disputed(&dave, &cast.phone()), "a right one does");
}

#[tokio::test]
async fn log_18_a_checkpoint_that_belies_itself_is_void_by_its_proof_alone() {
    let mut cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    cast.fork(&bob, 0).await;
    let (head, record) = (cast.branches[0].head(), cast.record.clone());
    cast.tablet.checkpoint(&record, vec![head]);
    let Some(Body::Checkpoint(right)) = cast.tablet.entries[256]
        .body()
        .and_then(|body| Body::decode(&cast.tablet.entries[256].header().kind, &body.bytes).ok())
    else {
        panic!("a checkpoint");
    };
    let mut lying = cast.tablet.clone();
    lying.entries.truncate(256);
    lying.composer.position = Position { height: 256, head: cast.tablet.entries[256].header().prev };
    lying.write(&Body::Checkpoint(xom_protocol::body::Checkpoint { height: 512, ..right }));
    let proof = xom_protocol::log::FaultProof::new(&lying.entries[256]).unwrap();
    assert_eq!(bob.store.insert_fault(proof.clone()).await.unwrap(), super::super::ProofTaken::New);
    assert_eq!(bob.store.insert_fault(proof).await.unwrap(), super::super::ProofTaken::Known);
    bob.store.append(lying.run(0)).await.unwrap();
    assert!(is_disputed(&bob, &cast.phone()), "known to be void before it came");
}

#[tokio::test]
async fn log_17_a_checkpoint_of_an_own_log_that_is_not_held_stops_signing_also_where_it_comes_as_proof_of_a_fault() {
    for height in [512, 256] {
        let alice = Person::new("alice");
        alice.post("one").await;
        let (did, key, prev) = (alice.me.did, alice.key(), Some(xom_protocol::Digest([7; 32])));
        let position = Position { height: 256, head: prev };
        let composer =
            Composer { network: Network::MAIN, key, author: did, log: alice.me.log, position, last_time_ms: 0 };
        let record = alice.record(&did);
        let (identity, statements) = (record.state().head, record.state().statements);
        let surroundings = Surroundings { identity, statements, logs: Vec::new() };
        let right = build_checkpoint(alice.me.log, position, &mut MerkleMap::new(), surroundings).unwrap();
        let signed_elsewhere = Body::Checkpoint(xom_protocol::body::Checkpoint { height, ..right });
        let entry = composer.compose(&signed_elsewhere, [1; 32], NOW_MS).unwrap();
        let proof = xom_protocol::log::FaultProof::new(&entry).unwrap();
        alice.store.insert_fault(proof).await.unwrap();
        let alice = alice.restart().await;
        let refused = alice.say(post("two")).await;
        assert!(matches!(refused, Err(CommandError::Behind)), "{height}: {refused:?}");
    }
}

#[tokio::test]
async fn log_8_heights_that_a_siblings_checkpoint_names_and_nobody_holds_are_named_as_lost() {
    let mut cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    let (did, phone) = (cast.record.did(), cast.branches[0].clone());
    let missing = || bob.store.snapshot().unwrap().missing(&did).unwrap();
    cast.tablet.checkpoint(&cast.record.clone(), vec![phone.head()]);
    bob.store.append(cast.tablet.run(0)).await.unwrap();
    let device = Some(phone.composer.key.public().device_id());
    let lost = |held| crate::model::MissingLog { device, log: phone.log(), held, named: 3 };
    assert_eq!(missing().logs, [lost(0)]);
    let mut part = phone.run(0);
    part.entries.truncate(2);
    bob.store.append(part).await.unwrap();
    assert_eq!(missing().logs, [lost(2)]);
    bob.store.append(phone.run(0)).await.unwrap();
    assert_eq!(missing(), crate::model::Missing::default());
}

/// Alice, whose tablet has erased a post of hers and is then removed without that erase; who has also been told it.
async fn with_a_void_erase() -> (Person, Person, StatusId) {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post("erased by a thief").await;
    let (did, log) = (alice.me.did, alice.me.log);
    let key = SecretKey::from_seed(&[7; 32]).unwrap();
    let grant = compose::grant(Network::MAIN, did, &alice.key(), &key).unwrap();
    alice.store.insert_identity(did, vec![grant.encode()]).await.unwrap();
    let mut tablet = Device::new(did, key);
    tablet.post("accepted");
    let accepted = tablet.head();
    let snapshot = alice.store.snapshot().unwrap();
    let place = (snapshot.log_number(&log).unwrap().unwrap(), 1);
    let held = snapshot.held(place).unwrap().unwrap();
    tablet.write(&Body::Erase(Erase { target: held.header.reference(held.id), purge: None }));
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        person.store.append(tablet.run(0)).await.unwrap();
        assert_eq!(person.texts(&log), Vec::<String>::new());
    }
    let device = tablet.composer.key.public().device_id();
    let end = xom_protocol::identity::DeviceEnd { device, heads: vec![accepted], stands: Vec::new() };
    let place = alice.record(&did).state().place();
    let removal = compose::device_remove(&place, end, &[alice.control_key().await.secret()]).unwrap();
    alice.store.insert_identity(did, vec![removal.encode()]).await.unwrap();
    assert_eq!(alice.texts(&log), ["erased by a thief"], "the erase is undone");
    (alice, bob, status)
}

#[tokio::test]
async fn log_8_an_erase_of_a_sibling_that_became_void_goes_on_counting_in_checkpoints_also_after_a_restart() {
    for restarted in [false, true] {
        let (mut alice, bob, _) = with_a_void_erase().await;
        if restarted {
            alice = alice.restart().await;
        }
        while alice.position(&alice.me.log).height <= 256 {
            alice.post("filling").await;
        }
        // Bob holds the erase too, so he can audit the root.
        bob.fetch(&alice).await;
        assert_eq!(bob.position(&alice.me.log), alice.position(&alice.me.log));
        for person in [&alice, &bob] {
            assert_eq!(person.store.verify().await.unwrap().faults, Vec::<String>::new());
            let proofs = person.store.snapshot().unwrap().fault_proofs(&alice.me.log, 8).unwrap();
            assert_eq!(proofs, Vec::<Vec<u8>>::new(), "restarted: {restarted}");
            assert_eq!(person.texts(&alice.me.log)[0], "erased by a thief");
        }
    }
}

#[tokio::test]
async fn log_12_a_purge_order_is_judged_again_when_the_control_keys_that_signed_it_become_known() {
    use crate::store::tables::flags;
    let phrase = xom_protocol::phrase::Phrase::from_entropy(&[9; 32]).unwrap();
    for (index, is_current) in [(1, true), (0, false)] {
        let mut target = None;
        let mut cast = Cast::new(|phone| target = Some(phone.post("to be purged by order")), |_| {});
        let target = target.unwrap();
        let rotation = phrase.rotation(&cast.record.state().place(), &[]).unwrap();
        let mut rotated = cast.record.clone();
        rotated.insert(rotation.clone()).unwrap();
        let signer = if is_current { &rotated } else { &cast.record };
        let key = phrase.control_key(index);
        let purge = xom_protocol::identity::purge::order(signer.state(), &target.entry, &[&key]).unwrap();
        cast.branches[0].write(&Body::Erase(Erase { target, purge: Some(purge) }));
        let bob = Person::new("bob");
        cast.introduce(&bob).await;
        if !is_current {
            bob.store.insert_identity(cast.record.did(), vec![rotation.encode()]).await.unwrap();
        }
        bob.store.append(cast.branches[0].run(0)).await.unwrap();
        let standing = |bob: &Person| {
            let snapshot = bob.store.snapshot().unwrap();
            let number = snapshot.log_number(&cast.phone()).unwrap().unwrap();
            let held = snapshot.held((number, 0)).unwrap().unwrap();
            (held.row().is(flags::HIDDEN), held.row().is(flags::PURGED))
        };
        // A key that is not known yet, or counts no more, orders nothing: the entry is hidden and its bytes stay.
        assert_eq!(standing(&bob), (true, false), "control key {index}");
        bob.store.insert_identity(cast.record.did(), vec![rotation.encode()]).await.unwrap();
        assert_eq!(standing(&bob).1, is_current, "control key {index}");
        let bob = bob.restart().await;
        assert_eq!(standing(&bob).1, is_current, "control key {index}, after a restart");
        assert_eq!(bob.texts(&cast.phone()), Vec::<String>::new());
        assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
    }
}

#[tokio::test]
async fn forks_that_an_older_version_kept_are_migrated() {
    let cast = Cast::new(two_posts, one_post);
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    let number = bob.store.snapshot().unwrap().log_number(&cast.phone()).unwrap().unwrap();
    {
        let database = bob.store.shared.database().unwrap();
        let txn = database.begin_write().unwrap();
        let other = &cast.branches[1].entries[cast.parts];
        let row = [&[1], other.signature().unwrap().0.as_slice(), other.header_bytes()].concat();
        let parts = u64::try_from(cast.parts).unwrap();
        txn.open_table(super::super::tables::FORKS_V1).unwrap().insert((number, parts), row.as_slice()).unwrap();
        txn.commit().unwrap();
    }
    let bob = bob.restart().await;
    assert!(is_disputed(&bob, &cast.phone()));
    let proof = bob.store.snapshot().unwrap().fork_proof(&cast.phone()).unwrap().unwrap();
    let proof = xom_protocol::log::ForkProof::decode(&proof).unwrap();
    assert!(proof.verify(Network::MAIN).is_ok());
    let bob = bob.restart().await;
    assert!(is_disputed(&bob, &cast.phone()));
}
