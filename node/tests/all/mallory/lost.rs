//! What nobody holds is named as lost, after a recovery from those who hold the rest.

use xom_node::model::MissingLog;
use xom_node::recovery::Stage;

use super::persona::Persona;
use super::{Line, Stage as Theatre, Wares};
use crate::harness::Over;
use crate::recovery::machine::{Machine, is_done, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_words_bring_back_from_peers_is_all_that_they_hold_and_what_nobody_holds_is_named_as_lost() {
    let theatre = Theatre::new(Over::Tcp).await;
    let mut owner = Persona::new("half lost");
    let (mut phone, mut pc) = (owner.chain(), owner.second_device());
    phone.post("on the phone");
    for number in 0..5 {
        pc.post(&format!("on the pc, {number}"));
    }
    // Her control key accepts all five; the last two are nowhere but on the pc, which is lost.
    owner.remove_device(&pc, 5);
    theatre.follow(&owner).await;
    let mut peer = theatre.peer().await;
    let wares = Wares::default().identity(&owner).chain(&phone).chain(&pc.cut(3));
    let line = Line::open(&mut peer, wares).await;
    theatre.holds(phone.log(), 1).await;
    theatre.holds(pc.log(), 3).await;
    drop((line, peer));

    let machine = Machine::new().await;
    let mut recovering = machine.recover(owner.did(), false, &[&theatre.alice]).await;
    let Stage::Done { missing, .. } = until(&mut recovering, Some(owner.words()), is_done).await else {
        panic!("done is done")
    };
    let device = pc.key().public().device_id();
    assert_eq!(missing.logs, [MissingLog { device: Some(device), log: pc.log(), held: 3, named: 5 }]);
    let said = missing.sentences("alice");
    assert_eq!(said, [format!("2 of 5 entries that device {device} of alice wrote are with nobody who was reached")]);
    let posts = machine.posts_of(owner.did()).await;
    let back = ["on the phone", "on the pc, 0", "on the pc, 1", "on the pc, 2"];
    assert!(posts.len() == back.len() && back.iter().all(|post| posts.iter().any(|held| held == post)), "{posts:?}");
}
