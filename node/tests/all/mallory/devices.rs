//! Who may write what: devices that an identity does not admit, or does not admit any more.

use xom_protocol::body::{Body, Erase, LogOpen};
use xom_protocol::identity::{SignedObject, compose};
use xom_protocol::keys::SecretKey;
use xom_protocol::sync::message::Message;

use super::persona::{Chain, Persona};
use super::{Line, Stage, Wares};
use crate::harness::{Over, network, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn entries_signed_by_a_device_of_another_identity_are_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (carol, mallory) = (Persona::new("carol"), Persona::new("mallory"));
    // In carol's name, in her device's log, by mallory's device.
    let mut chain = carol.chain();
    let log = chain.log();
    chain.forge("as carol", |_| {});
    let mut forged = mallory.chain();
    forged.forge("as carol", |header| (header.author, header.log) = (carol.did(), log));
    stage.follow(&carol).await;
    let mut peer = stage.peer().await;
    let wares = Wares::default().identity(&carol).log(log, forged.position(), forged.entries.clone());
    let _line = Line::open(&mut peer, wares).await;
    stage.refused("LOG-7", 1).await;
    stage.goes_on().await;
    assert_eq!(stage.shown(carol.did()).await, Vec::<String>::new());
    // With carol's device in the header, the signature does not fit.
    let mut stolen = mallory.chain();
    let device = carol.device_key().public().device_id();
    stolen.forge("as carol", |header| (header.author, header.log, header.device) = (carol.did(), log, device));
    let mut peer = stage.peer().await;
    let wares = Wares::default().identity(&carol).log(log, stolen.position(), stolen.entries.clone());
    let _line = Line::open(&mut peer, wares).await;
    stage.refused("ENC-12", 1).await;
    stage.goes_on().await;
    assert_eq!(stage.shown(carol.did()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_claims_the_did_of_another_is_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("impostor");
    let bob = stage.bob.did();
    let mut chain = persona.chain();
    chain.post("one");
    chain.forge("as bob", |header| header.author = bob);
    let (_peer, _line) = stage.served(&persona, &chain, 1).await;
    stage.refused("LOG-7", 1).await;
    stage.goes_on().await;
    assert_eq!(stage.shown(persona.did()).await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_5_what_a_removed_device_wrote_above_its_accepted_head_is_refused_whenever_it_comes() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut persona = Persona::new("robbed");
    let mut chain = persona.chain();
    for text in ["one", "two", "three"] {
        chain.post(text);
    }
    persona.remove_device(&chain, 2);
    chain.post("after the theft");
    let (_peer, _line) = stage.served(&persona, &chain, 2).await;
    stage.refused("ID-7", 1).await;
    stage.goes_on().await;
    stage.holds(chain.log(), 2).await;
    assert_eq!(stage.shown(persona.did()).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_5_what_came_before_its_device_was_removed_is_taken_back() {
    let mut stage = Stage::new(Over::Quic).await;
    let mut persona = Persona::new("robbed later");
    let mut chain = persona.chain();
    for text in ["one", "two", "by the thief"] {
        chain.post(text);
    }
    let (_peer, line) = stage.served(&persona, &chain, 3).await;
    persona.remove_device(&chain, 2);
    line.restock(Wares::default().identity(&persona).chain(&chain)).await;
    let taken_back = async || (stage.shown(persona.did()).await == ["one", "two"]).then_some(());
    wait_until("the thief's post is gone", taken_back).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_4_an_entry_of_one_log_is_refused_in_another_of_the_same_identity() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut persona = Persona::new("two devices");
    let mut phone = persona.chain();
    phone.post("on the phone");
    let mut pc = persona.second_device();
    pc.post("on the pc");
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let replayed = Wares::default().identity(&persona).log(pc.log(), phone.position(), phone.entries.clone());
    let line = Line::open(&mut peer, replayed).await;
    stage.refused("SYN-10", 1).await;
    line.closed_by("SYN-10").await;
    stage.goes_on().await;
    assert_eq!(stage.shown(persona.did()).await, Vec::<String>::new());
    // Both logs as they are do come.
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&phone).chain(&pc)).await;
    stage.holds(phone.log(), 1).await;
    stage.holds(pc.log(), 1).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_4_an_entry_of_one_log_that_is_pushed_as_of_another_is_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let mut persona = Persona::new("two devices, live");
    let mut phone = persona.chain();
    let mut pc = persona.second_device();
    pc.post("on the pc");
    phone.post("on the phone");
    phone.write(&Body::LogOpen(LogOpen { purpose: "notes".to_owned(), purpose_id: vec![1] }));
    let mut opened = phone.opened("notes", &[1]);
    opened.post("in the other log");
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let wares = Wares::default().identity(&persona).chain(&phone).wish(pc.log()).wish(opened.log());
    let line = Line::open(&mut peer, wares).await;
    stage.holds(phone.log(), 2).await;
    drop((line, peer));
    // The next entry of the phone's log, in place of the first of two others: of the pc, and of the phone itself.
    let (foreign, position) = (phone.clone(), phone.position());
    phone.post("more on the phone");
    let replayed = phone.entries[foreign.entries.len()..].to_vec();
    for (count, log) in (1..).zip([pc.log(), opened.log()]) {
        let mut peer = stage.peer().await;
        let wares = Wares::default().identity(&persona).chain(&foreign).wish(log);
        let mut line = Line::open(&mut peer, wares).await;
        let wanted = |message: &Message| match message {
            Message::Heads(heads) => heads.logs.iter().any(|head| head.id == line.salter.log(&log)).then_some(()),
            _ => None,
        };
        line.heard("alice wants the log", wanted).await;
        line.push(log, position.height, replayed.clone()).await;
        line.closed_by("SYN-11").await;
        stage.refused("SYN-11", count).await;
        stage.goes_on().await;
        assert_eq!(super::log_view(&stage.alice, log).await.map_or(0, |view| view.height), 0);
    }
    // Each entry in its own log does come.
    let mut peer = stage.peer().await;
    let wares = Wares::default().identity(&persona).chain(&phone).chain(&pc).chain(&opened);
    let _line = Line::open(&mut peer, wares).await;
    for (chain, height) in [(&phone, 3), (&pc, 1), (&opened, 1)] {
        stage.holds(chain.log(), height).await;
    }
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_6_a_device_that_adds_itself_is_no_device() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("besieged");
    let thief = SecretKey::from_seed(&[66; 32]).expect("seed");
    let grant = compose::grant(network(), persona.did(), &thief, &thief);
    let other = SecretKey::from_seed(&[67; 32]).expect("seed");
    let grants = [grant, compose::grant(network(), persona.did(), &thief, &other)];
    let mut objects = persona.objects();
    objects.extend(grants.iter().flatten().map(SignedObject::encode));
    let mut chain = persona.chain();
    chain.post("one");
    let stolen = Chain::of(persona.did(), thief);
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let digest = xom_protocol::Digest([7; 32]);
    let wares = Wares::default().objects(persona.did(), digest, objects).chain(&chain).chain(&stolen);
    let _line = Line::open(&mut peer, wares).await;
    stage.holds(chain.log(), 1).await;
    stage.goes_on().await;
    assert_eq!(super::log_view(&stage.alice, stolen.log()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_13_the_objects_of_one_identity_are_refused_for_another() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (carol, mallory) = (Persona::new("carol"), Persona::new("mallory"));
    stage.follow(&carol).await;
    let mut peer = stage.peer().await;
    let wares = Wares::default().objects(carol.did(), mallory.record.digest(), mallory.objects());
    let _line = Line::open(&mut peer, wares).await;
    stage.refused("ID-3", 1).await;
    let mut peer = stage.peer().await;
    let garbage = vec![vec![0xff; 40], vec![0x82, 0x40, 0x80]];
    let _line = Line::open(&mut peer, Wares::default().objects(carol.did(), carol.record.digest(), garbage)).await;
    stage.refused("ENC-4", 1).await;
    // Who has the real ones is believed.
    let mut chain = carol.chain();
    chain.post("hello");
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&carol).chain(&chain)).await;
    stage.holds(chain.log(), 1).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erase_of_what_another_wrote_erases_nothing() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("censor");
    let target = stage.alice.statuses_of(stage.bob.did()).await.remove(0).reference;
    let order = persona.purge(&target);
    let mut chain = persona.chain();
    chain.write(&Body::Erase(Erase { target, purge: None }));
    chain.write(&Body::Erase(Erase { target, purge: Some(order) }));
    chain.post("done");
    let (_peer, _line) = stage.served(&persona, &chain, 3).await;
    stage.goes_on().await;
}
