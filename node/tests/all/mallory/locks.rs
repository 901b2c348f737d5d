//! A thief with a stolen device key locks the owner's other devices out; the owner's device answers (`ID-19`).

use xom_node::{ControlAccess, Handle};
use xom_protocol::identity::compose;
use xom_protocol::keys::SecretKey;
use xom_protocol::{Did, Digest};

use super::{Line, Peer, Wares};
use crate::harness::{Over, Person, network, wait_until};

/// The device key as it lies in the folder of a node, unsealed.
fn stolen_key(of: &Person) -> SecretKey {
    let mut folders = std::fs::read_dir(of.data_dir().join("data/identities")).expect("has keys");
    let file = folders.next().expect("one identity").expect("read").path().join("device.key");
    let seed = std::fs::read_to_string(file).expect("a key that is not sealed");
    let seed = data_encoding::HEXLOWER.decode(seed.trim().as_bytes()).expect("hexadecimal");
    SecretKey::from_seed(&seed.try_into().expect("32 bytes")).expect("a seed")
}

/// How many devices of an identity may sign, as a node has it.
async fn live(node: &Handle, did: Did) -> usize {
    let document = node.read(move |reader| reader.did_document(&did)).await.expect("reads").expect("known");
    let document = serde_json::to_value(document).expect("json");
    document["authentication"].as_array().map_or(0, Vec::len)
}

async fn has_live(person: &Person, did: Did, count: usize) {
    let what = format!("{} sees {count} devices", person.name());
    wait_until(&what, async || (live(&person.node(), did).await == count).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_a_thief_that_leaves_the_others_out_is_answered_by_the_owners_device_and_followers_see_all_again() {
    let (mut phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let did = phone.did();
    bob.follow(phone.invite().await).await;
    let mut laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let mut tablet = Person::paired("tablet", Over::Tcp, &phone).await;
    tablet.post("from the tablet").await;
    bob.has_posts(did, &["from the tablet".to_owned()]).await;
    has_live(&bob, did, 3).await;
    for device in [&mut phone, &mut laptop, &mut tablet] {
        device.stop().await;
    }
    // The thief's lock names nothing that stands: the tablet hangs from a statement that it leaves out.
    let mut peer = Peer::dial(&bob).await;
    let mut objects = Line::objects_of(&mut peer, did).await;
    let lock = compose::lock(network(), did, &stolen_key(&laptop), 1, Vec::new()).expect("he has the key");
    objects.push(lock.encode());
    let line = Line::open(&mut peer, Wares::default().objects(did, Digest([7; 32]), objects)).await;
    has_live(&bob, did, 2).await;
    drop((line, peer));

    // The owner's phone comes back, hears of it, and answers with a lock that names what stood.
    phone.start().await;
    has_live(&phone, did, 3).await;
    has_live(&bob, did, 3).await;
    let warnings = phone.node().status().await.expect("status").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("locked")), "{warnings:?}");
    tablet.start().await;
    tablet.post("from the tablet again").await;
    let posts = ["from the tablet".to_owned(), "from the tablet again".to_owned()];
    for person in [&phone, &bob] {
        person.has_posts(did, &posts).await;
    }
    // The thief is removed; his lock falls with him.
    let device = stolen_key(&laptop).public().device_id();
    phone.node().end_device(did, device, &ControlAccess::Kept, false).await.expect("removed");
    for person in [&phone, &tablet, &bob] {
        has_live(person, did, 2).await;
    }
}
