//! Objects of identities that are malformed, or old: over the wire they change nothing.

use std::collections::BTreeSet;

use serde_bytes::ByteBuf;
use xom_protocol::identity::{KeyList, NextKeys, Operation, Renewal};
use xom_protocol::keys::{Domain, SecretKey, Signature};
use xom_protocol::{Digest, encoding};

use super::persona::Persona;
use super::{Line, Peer, Stage, Wares, holds, log_view};
use crate::harness::{Over, Person, network, wait_until};

/// What is wrong with a rotation.
type Fault = dyn Fn(&mut KeyList, &mut Renewal);

/// A rotation as `change` makes it, before it is encoded.
fn rotation(persona: &Persona, change: impl FnOnce(&mut KeyList, &mut Renewal)) -> Vec<u8> {
    let control = SecretKey::from_seed(&[41; 32]).expect("seed");
    let next = SecretKey::from_seed(&[42; 32]).expect("seed");
    let mut reveal = KeyList::single(&persona.next_key(1).public());
    let mut renewal = Renewal {
        control: KeyList::single(&control.public()),
        next: NextKeys::commit_to(&KeyList::single(&next.public())),
        guardians: None,
        devices: Vec::new(),
        unlocks: Vec::new(),
    };
    change(&mut reveal, &mut renewal);
    persona.record.state().place().operation(Operation::Rotate { reveal, renewal }).encode()
}

/// A payload without one of its members, which another follows.
fn without(mut payload: Vec<u8>, name: &str, next: &str) -> Vec<u8> {
    let at = |payload: &[u8], name: &str| {
        let key = encoding::encode(&name);
        payload.windows(key.len()).position(|window| window == key).expect("has the member")
    };
    let (from, to) = (at(&payload, name), at(&payload, next));
    payload.drain(from..to);
    assert_eq!(payload[0] & 0xf0, 0xa0, "a short map");
    payload[0] -= 1;
    payload
}

fn signed(payload: Vec<u8>, signatures: impl FnOnce(&[u8]) -> Vec<(u64, Signature)>) -> Vec<u8> {
    let signatures = signatures(&payload);
    encoding::encode(&(ByteBuf::from(payload), signatures))
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_9_rotations_without_keys_with_keys_twice_or_with_thresholds_of_nothing_are_refused_over_the_wire() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut persona = Persona::new("careless");
    let mut chain = persona.chain();
    chain.post("one");
    let revealed = persona.next_key(1);
    let once = |payload: &[u8]| vec![(0, revealed.sign(Domain::Identity, network(), payload))];
    let sound = || rotation(&persona, |_, _| {});
    let lists: [&Fault; 7] = [
        &|_, renewal| renewal.control.keys.clear(),
        &|_, renewal| renewal.control.threshold = 0,
        &|_, renewal| renewal.control.threshold = 2,
        &|_, renewal| renewal.control.keys = vec![renewal.control.keys[0]; 2],
        &|_, renewal| renewal.next.keys.clear(),
        &|reveal, _| reveal.keys = vec![reveal.keys[0]; 2],
        &|reveal, _| reveal.threshold = 0,
    ];
    let mut forged: Vec<(&str, Vec<u8>)> =
        lists.iter().map(|change| ("ID-4", signed(rotation(&persona, change), once))).collect();
    for (name, next) in [("control", "devices"), ("next", "prev"), ("reveal", "control")] {
        forged.push(("ENC-8", signed(without(sound(), name, next), once)));
    }
    // One key for two signatures.
    let twice = |at: u64| {
        let (revealed, payload) = (&revealed, sound());
        signed(payload, move |payload| {
            let signature = revealed.sign(Domain::Identity, network(), payload);
            vec![(0, signature), (at, signature)]
        })
    };
    forged.extend([("ID-2", twice(0)), ("ID-2", twice(1))]);
    let objects = persona.objects().into_iter().chain(forged.iter().map(|(_, object)| object.clone())).collect();
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let wares = Wares::default().objects(persona.did(), Digest([5; 32]), objects).chain(&chain);
    let line = Line::open(&mut peer, wares).await;
    stage.holds(chain.log(), 1).await;
    for rule in ["ID-4", "ENC-8", "ID-2"] {
        let times = forged.iter().filter(|(broken, _)| *broken == rule).count();
        stage.refused(rule, times as u64).await;
    }
    assert_eq!(objects_of(&stage.alice, &persona).await, set(persona.objects()));
    stage.goes_on().await;
    drop((line, peer));
    // The next key is not used up by what was refused.
    persona.rotate_by_words();
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&persona)).await;
    knows(&stage.alice, &persona).await;
    stage.goes_on().await;
}

fn set(objects: Vec<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    objects.into_iter().collect()
}

/// What somebody passes on of an identity.
async fn objects_of(person: &Person, persona: &Persona) -> BTreeSet<Vec<u8>> {
    let mut peer = Peer::dial(person).await;
    set(Line::objects_of(&mut peer, persona.did()).await)
}

/// Waits until somebody passes on all that there is of an identity, and nothing else.
async fn knows(person: &Person, persona: &Persona) {
    let all = set(persona.objects());
    wait_until("the newest state is known", async || (objects_of(person, persona).await == all).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_11_an_old_state_that_is_served_again_lowers_nothing_also_after_a_restart() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut persona = Persona::new("rolled back");
    let mut phone = persona.chain();
    phone.post("on the phone");
    let mut pc = persona.second_device();
    pc.post("on the pc");
    let old = persona.objects();
    let old_digest = persona.record.digest();
    // The owner ends the pc and rotates; the thief of the pc goes on writing.
    persona.remove_device(&pc, 1);
    persona.rotate_by_words();
    let accepted = pc.clone();
    pc.post("by the thief");
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let newest = Wares::default().identity(&persona).chain(&phone).chain(&accepted);
    let line = Line::open(&mut peer, newest).await;
    for chain in [&phone, &accepted] {
        stage.holds(chain.log(), 1).await;
    }
    knows(&stage.alice, &persona).await;
    drop((line, peer));
    for restarted in [false, true] {
        if restarted {
            stage.alice.stop().await;
            stage.alice.start().await;
        }
        // Logs wait for their identity (SYN-8): what comes with the old state shows that it was looked at.
        let text = format!("later, {restarted}");
        phone.post(&text);
        let mut peer = stage.peer().await;
        let stale = Wares::default().objects(persona.did(), old_digest, old.clone()).chain(&phone).chain(&pc);
        let line = Line::open(&mut peer, stale).await;
        stage.holds(phone.log(), phone.position().height).await;
        stage.goes_on().await;
        assert_eq!(objects_of(&stage.alice, &persona).await, set(persona.objects()));
        assert_eq!(log_view(&stage.alice, pc.log()).await.map(|view| view.height), Some(1));
        assert!(!stage.shown(persona.did()).await.contains(&"by the thief".to_owned()));
        drop((line, peer));
    }
    // A newcomer who is shown the old state first believes it only until somebody knows better.
    let carol = Person::new("carol", Over::Tcp).await;
    carol.follow(persona.did().to_string()).await;
    let mut peer = Peer::dial(&carol).await;
    let stale = Wares::default().objects(persona.did(), old_digest, old.clone()).chain(&pc);
    let _line = Line::open(&mut peer, stale).await;
    holds(&carol, pc.log(), 2).await;
    carol.follow(stage.alice.invite().await).await;
    knows(&carol, &persona).await;
    let taken_back = async || {
        let shown = carol.posts_of(persona.did()).await;
        (shown.contains(&"on the pc".to_owned()) && !shown.contains(&"by the thief".to_owned())).then_some(())
    };
    wait_until("what the thief wrote is taken back", taken_back).await;
    stage.goes_on().await;
}
