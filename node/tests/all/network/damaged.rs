//! R-STO-5 over sockets: what a disk has damaged of the own log comes back from a follower.

use redb::{Database, ReadableTable as _, TableDefinition};

use crate::harness::{Over, Person, texts, wait_until};

/// Place -> a sealed body.
const BODIES: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("bodies_v1");

/// Flips a bit in every body of the first log that a stopped node holds, which is its own.
fn flip_bodies(person: &Person) {
    let database = Database::open(person.data_dir().join("data/xom.redb")).expect("a stopped node");
    let txn = database.begin_write().expect("begun");
    {
        let mut bodies = txn.open_table(BODIES).expect("bodies");
        let mut held = Vec::new();
        for row in bodies.iter().expect("read") {
            let (place, sealed) = row.expect("a row");
            held.push((place.value(), sealed.value().to_vec()));
        }
        let own = held.iter().map(|((log, _), _)| *log).min().expect("has posts");
        held.retain(|((log, _), _)| *log == own);
        for (place, mut sealed) in held {
            sealed[0] ^= 1;
            bodies.insert(place, sealed.as_slice()).expect("written");
        }
    }
    txn.commit().expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sto_5_a_node_whose_own_posts_are_damaged_starts_and_gets_them_again_from_a_follower() {
    let (mut alice, bob) = tokio::join!(Person::new("alice", Over::Tcp), Person::new("bob", Over::Tcp));
    bob.follow(alice.invite().await).await;
    let said = texts("said", 20);
    for text in &said {
        alice.post(text).await;
    }
    bob.has_posts(alice.did(), &said).await;
    alice.stop().await;
    flip_bodies(&alice);
    alice.start().await;
    alice.has_posts(alice.did(), &said).await;
    wait_until("she can sign again", async || alice.try_post("and goes on").await.ok()).await;
    bob.has_posts(alice.did(), &[said, vec!["and goes on".to_owned()]].concat()).await;
    assert_eq!(alice.node().verify().await.expect("verifies").faults, Vec::<String>::new());
}
