//! A thief who has stolen the current control key, against the owner who has the words.

use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, KeyList, Operation, Payload, Place, SignedObject, compose};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Digest};

use super::persona::Persona;
use super::{Line, Stage, Wares};
use crate::harness::{Over, network, wait_until};

/// A rotation that the thief signs as if the current control key were the next one.
fn stolen_rotation(of: &Persona, thief: &Phrase) -> SignedObject {
    let place = of.record.state().place();
    let control = of.first_control_key();
    let reveal = KeyList::single(&control.public());
    let renewal = thief.renewal(place.epoch + 1, None, &[]);
    forge(&place.operation(Operation::Rotate { reveal, renewal }), &control)
}

fn forge(payload: &Payload, key: &SecretKey) -> SignedObject {
    let bytes = payload.encode();
    let signature = key.sign(Domain::Identity, network(), &bytes);
    let object = xom_protocol::encoding::encode(&(serde_bytes::ByteBuf::from(bytes), vec![(0_u64, signature)]));
    SignedObject::decode(&object).expect("an object")
}

fn with(persona: &Persona, extra: &SignedObject) -> Vec<Vec<u8>> {
    let mut objects = persona.objects();
    objects.push(extra.encode());
    objects
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_7_a_rotation_by_the_stolen_current_key_is_refused_over_the_wire() {
    let mut stage = Stage::new(Over::Tcp).await;
    let robbed = Persona::new("robbed of her key");
    let thief = Phrase::from_entropy(&[13; 32]).expect("words");
    let mut chain = robbed.chain();
    chain.post("mine");
    stage.follow(&robbed).await;
    let mut peer = stage.peer().await;
    let objects = with(&robbed, &stolen_rotation(&robbed, &thief));
    let wares = Wares::default().objects(robbed.did(), Digest([8; 32]), objects).chain(&chain);
    let _line = Line::open(&mut peer, wares).await;
    stage.refused("ID-6", 1).await;
    stage.holds(chain.log(), 1).await;
    stage.goes_on().await;
    let shown = control_keys_shown(&stage, robbed.did()).await;
    assert_eq!(shown, control_keys(&robbed), "the control key is still the owner's");
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_8_the_owners_rotation_wins_over_what_the_thief_of_the_current_key_signed_before_and_after() {
    let mut stage = Stage::new(Over::Quic).await;
    let mut robbed = Persona::new("robbed and back");
    let mut chain = robbed.chain();
    chain.post("mine");
    // The thief ends her device and accepts nothing of it.
    let before = robbed.record.state().place();
    let device = robbed.device_key().public().device_id();
    let end = DeviceEnd { device, heads: Vec::new(), stands: Vec::new() };
    let stolen = compose::device_remove(&before, end, &[&robbed.first_control_key()]).expect("he has the key");
    stage.follow(&robbed).await;
    let mut peer = stage.peer().await;
    let objects = with(&robbed, &stolen);
    let wares = Wares::default().objects(robbed.did(), Digest([9; 32]), objects).chain(&chain);
    let line = Line::open(&mut peer, wares).await;
    stage.goes_on().await;
    // The owner rotates by the words, beside what he signed: it never counted.
    robbed.rotate_by_words();
    let owners = Wares::default().identity(&robbed).chain(&chain);
    line.restock(owners).await;
    let back = async || (stage.shown(robbed.did()).await == ["mine"]).then_some(());
    wait_until("what the thief voided is back", back).await;
    // R-SIG-12: the dead key signs another history, in vain.
    let late = late_settlement(&robbed, &before);
    let mut peer = stage.peer().await;
    let objects = with(&robbed, &late);
    let wares = Wares::default().objects(robbed.did(), Digest([10; 32]), objects).chain(&chain);
    let _line = Line::open(&mut peer, wares).await;
    stage.goes_on().await;
    assert_eq!(control_keys_shown(&stage, robbed.did()).await, control_keys(&robbed));
    assert_eq!(stage.shown(robbed.did()).await, ["mine"]);
}

/// What the dead control key signs at the place where it once counted.
fn late_settlement(robbed: &Persona, place: &Place) -> SignedObject {
    let anchors = vec![LogHead { log: robbed.chain().log(), height: 9, head: Digest([1; 32]) }];
    compose::settle(place, anchors, &[&robbed.first_control_key()]).expect("he has the key")
}

async fn control_keys_shown(stage: &Stage, did: Did) -> serde_json::Value {
    let document = stage.alice.node().read(move |reader| reader.did_document(&did)).await.expect("reads");
    serde_json::to_value(document.expect("known")).expect("json")["capabilityInvocation"].clone()
}

/// The control keys as the owner's own record has them.
fn control_keys(of: &Persona) -> serde_json::Value {
    serde_json::to_value(of.record.state().document()).expect("json")["capabilityInvocation"].clone()
}
