//! Checkpoints of several devices over the wire, as a stranger reads them at a follower's (`LOG-8`).

use xom_node::command::Command;
use xom_protocol::body::{Body, Checkpoint, Post};
use xom_protocol::entry::{Header, Kind};
use xom_protocol::limits::CHECKPOINT_INTERVAL;
use xom_protocol::{DeviceId, LogId};

use super::{Line, Peer, Stage, Wares, log_view};
use crate::harness::{Over, Person, wait_until};

/// The log of a person's own device, and that device.
async fn own_log(person: &Person) -> (DeviceId, LogId) {
    let locals = person.node().read(|reader| reader.local_identities()).await.expect("reads");
    locals.first().map(|local| (local.device, local.log)).expect("one identity")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_names_the_head_of_a_sibling_and_holds_at_a_follower() {
    let mut stage = Stage::new(Over::Tcp).await;
    stage.bob.follow(stage.alice.invite().await).await;
    let laptop = Person::paired("laptop", Over::Tcp, &stage.alice).await;
    let ((_, phones), (_, laptops)) = (own_log(&stage.alice).await, own_log(&laptop).await);
    stage.alice.post("on the phone").await;
    let phone = log_view(&stage.alice, phones).await.expect("her log");
    let known = async || log_view(&laptop, phones).await.filter(|view| view.head == phone.head).map(|_| ());
    wait_until("the laptop has the phone's log", known).await;
    let post = |number: u64| {
        let post = Box::new(Post { text: format!("on the laptop {number}"), ..Post::default() });
        Command::Post { post, reply_to: None, quote_of: None }
    };
    let commands = (0..=CHECKPOINT_INTERVAL).map(post).collect();
    for done in laptop.node().commands(laptop.did(), commands).await {
        done.expect("carried out");
    }
    let height = log_view(&laptop, laptops).await.expect("its log").height;
    let arrived = async |person: &Person| {
        let held = async || log_view(person, laptops).await.filter(|view| view.height == height).map(|_| ());
        wait_until("the laptop's log has come", held).await;
    };
    arrived(&stage.bob).await;
    arrived(&stage.alice).await;
    let mut peer = Peer::dial(&stage.bob).await;
    let mut line = Line::open(&mut peer, Wares::default().wish(laptops)).await;
    let entries = line.fetch(laptops, height).await;
    let entry = &entries[usize::try_from(CHECKPOINT_INTERVAL).expect("short")];
    let header = Header::decode(&entry.header).expect("a header");
    assert_eq!(header.kind, Kind::Checkpoint);
    let bytes = &entry.body.as_ref().expect("it is served").bytes;
    let Ok(Body::Checkpoint(Checkpoint { logs, .. })) = Body::decode(&header.kind, bytes) else { panic!("opaque") };
    let named: Vec<_> = logs.iter().map(|head| (head.log, head.height, Some(head.head))).collect();
    assert_eq!(named, [(phones, phone.height, phone.head)]);
    for person in [&stage.alice, &stage.bob, &laptop] {
        assert_eq!(person.node().verify().await.expect("verifies").faults, Vec::<String>::new());
        assert_eq!(person.refusals("LOG-8").await, 0);
    }
    stage.goes_on().await;
}
