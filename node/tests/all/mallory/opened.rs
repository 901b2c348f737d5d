//! Logs that a device has opened besides its root log (`LOG-1`): asked for, served and limited like it.

use xom_protocol::body::{Body, LogOpen};
use xom_protocol::limits::LOGS_PER_DEVICE_MAX;

use super::persona::{Chain, Persona};
use super::{Stage, Wares, holds, log_view};
use crate::harness::{Over, Person};

/// Opens as many logs in the root log, and posts once in each.
fn open(root: &mut Chain, count: usize) -> Vec<Chain> {
    let numbers = (0..count).map(|number| u8::try_from(number).expect("few"));
    let mut chains = Vec::new();
    for number in numbers {
        root.write(&Body::LogOpen(LogOpen { purpose: "community".to_owned(), purpose_id: vec![number] }));
        let mut chain = root.opened("community", &[number]);
        chain.post(&format!("in log {number}"));
        chains.push(chain);
    }
    chains
}

fn wares(persona: &Persona, root: &Chain, chains: &[Chain]) -> Wares {
    chains.iter().fold(Wares::default().identity(persona).chain(root), |wares, chain| wares.chain(chain))
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_a_device_opened_are_fetched_and_passed_on_and_the_sixty_fifth_is_not() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("opener");
    let mut root = persona.chain();
    let chains = open(&mut root, LOGS_PER_DEVICE_MAX + 2);
    let (counted, beyond) = chains.split_at(LOGS_PER_DEVICE_MAX - 1);
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let line = super::Line::open(&mut peer, wares(&persona, &root, &chains)).await;
    for chain in counted {
        stage.holds(chain.log(), 1).await;
    }
    let carol = Person::with_bootstrap("carol", Over::Tcp, vec![stage.alice.listen()]).await;
    carol.follow(persona.did().to_string()).await;
    for chain in counted {
        holds(&carol, chain.log(), 1).await;
    }
    stage.goes_on().await;
    for chain in beyond {
        assert!(log_view(&stage.alice, chain.log()).await.is_none());
        assert!(log_view(&carol, chain.log()).await.is_none());
    }
    stage.nothing_refused().await;
    drop((line, peer));
}
