//! A lock by any device, and what lifts it (`ID-19`, `ID-20`).

use xom_node::ControlAccess;
use xom_node::error::CommandError;
use xom_node::model::PairState;

use super::has_all;
use crate::harness::{Over, Person, wait_until};

async fn is_locked(person: &Person) -> bool {
    let warnings = person.node().status().await.expect("status").warnings;
    warnings.iter().any(|warning| warning.contains("locked"))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_device_locks_posting_goes_on_no_device_is_admitted_and_only_the_control_key_unlocks() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    laptop.node().lock(laptop.did()).await.expect("locks, with no key but its own");
    wait_until("the phone knows", async || is_locked(&phone).await.then_some(())).await;
    laptop.post("from the laptop").await;
    phone.post("from the phone").await;
    for person in [&phone, &laptop, &bob] {
        has_all(person, phone.did(), &["from the laptop", "from the phone"]).await;
    }
    let tablet = Person::nobody("tablet", Over::Tcp).await;
    assert!(tablet.join(&phone).await.is_err(), "no new device while it is locked");
    assert!(matches!(phone.node().pair_state(), PairState::Failed(_)), "{:?}", phone.node().pair_state());
    assert_eq!(phone.node().devices(phone.did()).await.expect("devices").len(), 2);

    // The laptop keeps no control key: it can lock, and not unlock.
    let refused = laptop.node().unlock_identity(laptop.did(), ControlAccess::Kept).await;
    assert!(matches!(refused, Err(CommandError::Access(_))), "{refused:?}");
    assert!(is_locked(&laptop).await);
    laptop.node().unlock_identity(laptop.did(), ControlAccess::Words(phone.words())).await.expect("by the words");
    wait_until("the phone knows", async || (!is_locked(&phone).await).then_some(())).await;
    tablet.join(&phone).await.expect("paired");
    has_all(&tablet, phone.did(), &["from the laptop", "from the phone"]).await;
}
