//! The objects of an identity come to a follower in any order, one by one: the end is the same.

use std::collections::BTreeSet;

use xom_protocol::Digest;

use super::persona::Persona;
use super::{Line, Stage, Wares};
use crate::harness::{Over, wait_until};

/// The next permutation of a list in lexical order; false after the last.
fn permute(order: &mut [usize]) -> bool {
    let Some(at) = order.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let with = order.iter().rposition(|item| *item > order[at]).expect("its neighbour is");
    order.swap(at, with);
    order[at + 1..].reverse();
    true
}

/// The document as the owner's own record gives it.
fn document(of: &Persona) -> serde_json::Value {
    serde_json::to_value(of.record.state().document()).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_locks_removals_and_rotations_that_come_to_a_follower_in_any_order_of_arrival_give_equal_state() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut order: Vec<usize> = (0..5).collect();
    let mut seen = BTreeSet::new();
    for number in 0.. {
        let mut owner = Persona::new(&format!("in order {number}"));
        let (mut phone, mut pc) = (owner.chain(), owner.second_device());
        phone.post("on the phone");
        pc.post("on the pc");
        owner.lock(&phone);
        owner.remove_device(&pc, 1);
        pc.post("by the thief of the pc");
        owner.rotate_by_words();
        // The genesis first, by which all else is judged; grant, lock, removal and rotation in every order.
        let objects = owner.objects();
        assert_eq!(objects.len(), order.len());
        stage.follow(&owner).await;
        let mut peer = stage.peer().await;
        let some = |count: usize| -> Vec<Vec<u8>> { order[..count].iter().map(|at| objects[*at].clone()).collect() };
        let wares = |count: usize| {
            let digest = Digest::of(&[&count.to_be_bytes(), &owner.did().0]);
            Wares::default().objects(owner.did(), digest, some(count))
        };
        let line = Line::open(&mut peer, wares(1)).await;
        for count in 1..=objects.len() {
            if count > 1 {
                line.restock(wares(count)).await;
            }
            // Each is heard before the next is told of.
            line.asked_for_objects(count).await;
        }
        let (did, expected) = (owner.did(), document(&owner));
        let same = async || {
            let document = stage.alice.node().read(move |reader| reader.did_document(&did)).await.expect("reads")?;
            (serde_json::to_value(document).expect("json") == expected).then_some(())
        };
        wait_until(&format!("the state in order {order:?}"), same).await;
        drop(line);
        let wares = Wares::default().objects(did, owner.record.digest(), objects.clone()).chain(&phone).chain(&pc);
        let line = Line::open(&mut peer, wares).await;
        let shown = async || {
            let shown: BTreeSet<String> = stage.shown(did).await.into_iter().collect();
            (shown == BTreeSet::from(["on the phone".to_owned(), "on the pc".to_owned()])).then_some(())
        };
        wait_until(&format!("what counts and nothing else is shown in order {order:?}"), shown).await;
        drop(line);
        seen.insert(order.clone());
        if !permute(&mut order[1..]) {
            break;
        }
    }
    assert_eq!(seen.len(), 24, "every order");
    stage.goes_on().await;
}
