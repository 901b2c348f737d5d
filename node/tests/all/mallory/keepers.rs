//! Mallory asks what others hold, and wants to be kept (`KEEP-5` to `KEEP-7`).

use futures::{AsyncReadExt, AsyncWriteExt};
use xom_node::keep::Terms;
use xom_protocol::Did;
use xom_protocol::keep::{Answer, Decision, Question, SignedQuestion};
use xom_protocol::keys::SecretKey;

use super::peer::{KEEP, Peer, frame};
use super::persona::Persona;
use crate::harness::{Over, Person, network, wait_until};

/// A question as it is asked on mallory's connection.
fn question(peer: &Peer, author: Did, key: &SecretKey, wanted: Option<Terms>) -> Question {
    let (asker, asked) = (peer.id.to_bytes(), peer.target.to_bytes());
    Question { author, device: key.public().device_id(), asker, asked, nonce: [1; 32], wanted }
}

/// Asks, and reads what is answered; none where the stream ends without.
async fn ask(peer: &mut Peer, question: Question, objects: Vec<Vec<u8>>, key: &SecretKey) -> Option<Answer> {
    let asked = frame(&SignedQuestion::sign(network(), question, objects, key).encode());
    let mut stream = peer.try_open(KEEP).await?;
    // A stream that is reset, before or after the question, is no answer.
    stream.write_all(&asked).await.ok()?;
    stream.flush().await.ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Some(Answer::decode(answer.get(4..)?).expect("an answer"))
}

#[tokio::test(flavor = "multi_thread")]
async fn r_prv_2_keep_6_nobody_but_the_author_learns_who_keeps_him() {
    let (alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    alice.post("kept").await;
    carol.node().keep(&alice.invite().await, Terms::default(), true).await.expect("kept");
    carol.has_posts(alice.did(), &["kept".to_owned()]).await;
    let (mut peer, mallory) = (Peer::dial(&carol).await, Persona::new("mallory"));
    let key = mallory.device_key();
    // In alice's name with an own key, and with mallory's identity along.
    for objects in [Vec::new(), mallory.objects()] {
        let asked = question(&peer, alice.did(), &key, None);
        assert_eq!(ask(&mut peer, asked, objects, &key).await, None);
    }
    // A question that somebody else was asked.
    for turn in [true, false] {
        let mut asked = question(&peer, mallory.did(), &key, None);
        *(if turn { &mut asked.asker } else { &mut asked.asked }) = b"another peer".to_vec();
        assert_eq!(ask(&mut peer, asked, mallory.objects(), &key).await, None);
    }
    wait_until("the refusals are counted", async || (carol.refusals("KEEP-6").await >= 3).then_some(())).await;
    // Asked in her own name she is told what is held of her: nothing.
    let asked = question(&peer, mallory.did(), &key, None);
    let answer = ask(&mut peer, asked, mallory.objects(), &key).await.expect("an answer");
    let stated = answer.stated.expect("carol can sign");
    assert_eq!((stated.holding().logs.len(), answer.decision), (0, Decision::NothingAsked));
    carol.has_posts(alice.did(), &["kept".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_7_many_who_want_to_be_kept_wait_in_a_short_line_and_take_no_room() {
    let carol = Person::new("carol", Over::Tcp).await;
    let mut peer = Peer::dial(&carol).await;
    let mut waiting = 0;
    // One peer is answered sixty times a minute, whoever it speaks for.
    for number in 0..70 {
        let mallory = Persona::new(&format!("mallory {number}"));
        let key = mallory.device_key();
        let asked = question(&peer, mallory.did(), &key, Some(Terms::default()));
        if let Some(answer) = ask(&mut peer, asked, mallory.objects(), &key).await {
            assert_eq!(answer.decision, Decision::Waits);
            waiting += 1;
        }
    }
    assert!((1..=60).contains(&waiting), "{waiting}");
    let node = carol.node();
    assert_eq!(node.keep_wishes().await.expect("reads").len(), waiting);
    assert!(node.keeps().await.expect("reads").is_empty());
    assert_eq!(node.status().await.expect("status").identities, 1, "nothing of theirs is stored");
}
