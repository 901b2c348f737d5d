//! Pairing over real sockets.

use libp2p::Multiaddr;
use xom_node::JoinError;
use xom_node::model::PairState;
use xom_protocol::pair::{JoinerEnd, Refused};

use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};

async fn check_pair_and_post(over: Over) {
    let (phone, bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
    phone.post("from the phone").await;
    bob.follow(phone.invite().await).await;
    let laptop = Person::paired("laptop", over, &phone).await;
    assert_eq!(laptop.did(), phone.did());
    assert_ne!(device_of(&laptop).await, device_of(&phone).await);
    has_all(&laptop, phone.did(), &["from the phone"]).await;
    laptop.post("from the laptop").await;
    phone.post("once more").await;
    let all = ["from the phone", "from the laptop", "once more"];
    for person in [&phone, &laptop, &bob] {
        has_all(person, phone.did(), &all).await;
    }
    let devices = phone.node().devices(phone.did()).await.expect("devices");
    assert_eq!(devices.iter().filter(|device| device.is_live).count(), 2);
    assert!(phone.refusals("SYN-12").await + bob.refusals("SYN-12").await + laptop.refusals("SYN-12").await == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_device_has_everything_and_followers_read_both_without_doing_anything_over_tcp() {
    check_pair_and_post(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_device_has_everything_and_followers_read_both_without_doing_anything_over_quic() {
    check_pair_and_post(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_device_goes_on_alone_after_a_restart() {
    let (mut phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let mut laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(laptop.invite().await).await;
    phone.post("from the phone").await;
    has_all(&laptop, phone.did(), &["from the phone"]).await;
    phone.stop().await;
    laptop.stop().await;
    laptop.start().await;
    laptop.post("from the laptop").await;
    has_all(&bob, phone.did(), &["from the phone", "from the laptop"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_were_just_paired_refuse_each_other_nothing_and_go_on_at_once() {
    let phone = Person::new("alice", Over::Tcp).await;
    for number in 0..6 {
        let device = Person::paired("laptop", Over::Tcp, &phone).await;
        let text = format!("number {number}");
        device.post(&text).await;
        wait_until(&text, async || phone.posts_of(phone.did()).await.contains(&text).then_some(())).await;
        assert_eq!(device.refusals("PAIR-8").await + phone.refusals("PAIR-8").await, 0);
    }
}

/// Joins with these answers of both owners; how it ended at the new node and at the granting one.
async fn join_with(yes_here: bool, yes_there: bool) -> (JoinError, PairState) {
    let (phone, laptop) = (Person::new("alice", Over::Tcp).await, Person::nobody("laptop", Over::Tcp).await);
    let offer = phone.node().pair_begin(phone.did()).await.expect("an offer");
    let granter = phone.node();
    let compare = async |digits: String| {
        wait_until("digits", async || matches!(granter.pair_state(), PairState::Comparing { .. }).then_some(())).await;
        match yes_there {
            true => granter.pair_confirm(digits).await.expect("confirmed"),
            false => granter.pair_stop().await.expect("stopped"),
        }
        yes_here
    };
    let ended = laptop.node().join(&offer.text, None, compare).await.expect_err("not joined");
    assert!(laptop.node().read(|reader| reader.local_identities()).await.expect("reads").is_empty());
    assert_eq!(phone.node().devices(phone.did()).await.expect("devices").len(), 1);
    let state = wait_until("it is over", async || match granter.pair_state() {
        PairState::Comparing { .. } => None,
        state => Some(state),
    })
    .await;
    (ended, state)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_granted_where_either_owner_says_no() {
    let (here, there) = join_with(false, true).await;
    assert!(matches!(here, JoinError::Ended(JoinerEnd::Stopped)), "{here}");
    assert_eq!(there, PairState::Stopped);
    let (here, there) = join_with(true, false).await;
    assert!(matches!(here, JoinError::Ended(JoinerEnd::Refused(Refused::Stopped))), "{here}");
    assert_eq!(there, PairState::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_stolen_the_offer_and_comes_first_is_stopped_by_the_owner_whose_new_screen_shows_no_digits() {
    let (phone, mallory) = (Person::new("alice", Over::Tcp).await, Person::nobody("mallory", Over::Tcp).await);
    let laptop = Person::nobody("laptop", Over::Tcp).await;
    let offer = phone.node().pair_begin(phone.did()).await.expect("an offer");
    let (granter, thief, owner) = (phone.node(), mallory.node(), laptop.node());
    // Mallory says on his side that the digits are equal, whatever they are.
    let theft = thief.join(&offer.text, None, async |_| true);
    let owners = async {
        wait_until("digits", async || matches!(granter.pair_state(), PairState::Comparing { .. }).then_some(())).await;
        let refused = owner.join(&offer.text, None, async |_| panic!("the laptop shows digits")).await;
        let refused = refused.expect_err("another is being paired");
        assert!(matches!(refused, JoinError::Ended(JoinerEnd::Refused(Refused::Busy))), "{refused}");
        granter.pair_stop().await.expect("stopped");
    };
    let (theft, ()) = futures::join!(theft, owners);
    let theft = theft.expect_err("nothing is granted");
    assert!(matches!(theft, JoinError::Ended(JoinerEnd::Refused(Refused::Stopped))), "{theft}");
    for person in [&mallory, &laptop] {
        assert!(person.node().read(|reader| reader.local_identities()).await.expect("reads").is_empty());
    }
    assert_eq!(phone.node().devices(phone.did()).await.expect("devices").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sits_at_the_address_of_an_offer_is_not_taken_for_the_granter() {
    let (mut phone, mut mallory) = (Person::new("alice", Over::Tcp).await, Person::new("mallory", Over::Tcp).await);
    let laptop = Person::nobody("laptop", Over::Tcp).await;
    let offer = phone.node().pair_begin(phone.did()).await.expect("an offer");
    phone.stop().await;
    mallory.stop().await;
    mallory.start_at(phone.listen()).await;
    let ended = laptop.node().join(&offer.text, None, async |_| panic!("digits are shown")).await;
    let ended = ended.expect_err("not joined");
    assert!(!matches!(ended, JoinError::Offer(_)), "the offer is good: {ended}");
    assert!(laptop.node().read(|reader| reader.local_identities()).await.expect("reads").is_empty());
    assert_eq!(mallory.node().pair_state(), PairState::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_good_once_and_an_older_one_is_void() {
    let phone = Person::new("alice", Over::Tcp).await;
    let old = phone.node().pair_begin(phone.did()).await.expect("an offer");
    let _laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let tablet = Person::nobody("tablet", Over::Tcp).await;
    let ended = tablet.node().join(&old.text, None, async |_| true).await.expect_err("not joined");
    assert!(matches!(ended, JoinError::Ended(JoinerEnd::Refused(Refused::Unknown))), "{ended}");
    assert_eq!(phone.node().devices(phone.did()).await.expect("devices").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_offer_is_refused_before_anything_is_dialled() {
    let (phone, laptop) = (Person::new("alice", Over::Tcp).await, Person::nobody("laptop", Over::Tcp).await);
    let offer = phone.node().pair_begin(phone.did()).await.expect("an offer");
    let address: Multiaddr = phone.listen();
    let changed = offer.text.replace(&address.to_string(), "/ip4/127.0.0.1/tcp/1");
    assert_ne!(changed, offer.text);
    let refused = laptop.node().join(&changed, None, async |_| true).await.expect_err("refused");
    assert!(matches!(refused, JoinError::Offer(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_digits_that_are_not_shown_is_refused() {
    let phone = Person::new("alice", Over::Tcp).await;
    assert!(phone.node().pair_confirm("123456".to_owned()).await.is_err());
    phone.node().pair_begin(phone.did()).await.expect("an offer");
    assert!(phone.node().pair_confirm("123456".to_owned()).await.is_err());
    assert!(matches!(phone.node().pair_state(), PairState::Waiting(_)));
}
