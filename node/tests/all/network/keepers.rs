//! Asking to be kept, and knowing which copies there are, over sockets (`KEEP-5` to `KEEP-8`).

use xom_node::command::Command;
use xom_node::keep::{AskedState, HoldersReport, Terms};
use xom_protocol::Did;

use crate::harness::{Over, Person, texts, wait_until};

/// What alice knows of the copies of her logs, once it is as `said` looks for.
async fn report(alice: &Person, what: &str, said: impl Fn(&HoldersReport) -> bool) -> HoldersReport {
    wait_until(what, async || {
        let report = alice.node().holders(alice.did(), true).await.expect("reads");
        said(&report).then_some(report)
    })
    .await
}

/// What became of alice's wish to be kept by somebody.
async fn state_of(alice: &Person, holder: Did) -> Option<AskedState> {
    let report = alice.node().holders(alice.did(), true).await.expect("reads");
    report.asked.iter().find(|asked| asked.did == holder).map(|asked| asked.state)
}

async fn becomes(alice: &Person, holder: &Person, state: AskedState) {
    let what = format!("the wish is {}", state.name());
    wait_until(&what, async || (state_of(alice, holder.did()).await == Some(state)).then_some(())).await;
}

fn terms(quota_bytes: u64, days: u64) -> Terms {
    Terms::new(quota_bytes, days * 86_400_000).expect("within bounds")
}

async fn check_copies(over: Over) {
    let (alice, mut bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
    let carol = Person::new("carol", over).await;
    for text in texts("copied", 3) {
        alice.post(&text).await;
    }
    let invite = alice.invite().await;
    bob.follow(invite.clone()).await;
    carol.node().keep(&invite, terms(50_000_000, 30), true).await.expect("kept");
    let two =
        |report: &HoldersReport| report.logs.len() == 1 && report.logs[0].copies == 2 && report.logs[0].behind == 0;
    let found = report(&alice, "two whole copies", two).await;
    let of = |did: Did| found.holders.iter().find(|holder| holder.did == did).expect("stated");
    assert_eq!((of(bob.did()).until_ms, of(bob.did()).quota_bytes), (None, 0), "who follows promises nothing");
    assert!(of(carol.did()).until_ms.is_some() && of(carol.did()).quota_bytes == 50_000_000);
    assert!(of(carol.did()).bytes > 3 * 512 && of(carol.did()).live);

    // Bob is off and misses something: his copy counts still, and is behind.
    bob.stop().await;
    alice.post("bob does not hear this").await;
    let behind = |report: &HoldersReport| report.logs[0].copies == 2 && report.logs[0].behind == 1;
    report(&alice, "one copy is behind", behind).await;
    bob.start().await;
    report(&alice, "both are whole again", two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_8_the_author_sees_how_many_live_copies_there_are_and_which_are_behind_over_tcp() {
    check_copies(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_8_the_author_sees_how_many_live_copies_there_are_and_which_are_behind_over_quic() {
    check_copies(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_7_who_asks_to_be_kept_waits_for_the_owner_and_is_kept_once_he_allows_it() {
    let (alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    alice.post("please keep this").await;
    alice.node().ask_keeper(alice.did(), &carol.invite().await, terms(900_000_000, 365)).await.expect("asked");
    becomes(&alice, &carol, AskedState::Waits).await;
    let wishes = carol.node().keep_wishes().await.expect("reads");
    assert_eq!((wishes.len(), wishes[0].did, wishes[0].terms.quota_bytes), (1, alice.did(), 900_000_000));
    let warnings = carol.node().status().await.expect("status").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("xom keep requests")), "{warnings:?}");
    assert!(carol.node().keeps().await.expect("reads").is_empty());

    // No more than the owner allows.
    assert!(carol.node().allow_keep(alice.did(), terms(5_000_000, 7)).await.expect("allowed"));
    carol.has_posts(alice.did(), &["please keep this".to_owned()]).await;
    becomes(&alice, &carol, AskedState::Kept).await;
    let keep = carol.node().keeps().await.expect("reads").remove(0);
    assert_eq!((keep.did, keep.quota_bytes), (alice.did(), 5_000_000));
    assert!(keep.until_ms - keep.since_ms <= 8 * 86_400_000, "{keep:?}");
    assert!(carol.node().keep_wishes().await.expect("reads").is_empty());

    // And the owner may think better of it.
    carol.node().deny_keep(alice.did()).await.expect("denied");
    assert!(carol.node().keeps().await.expect("reads").is_empty());
    alice.node().ask_keeper(alice.did(), &carol.did().to_string(), Terms::default()).await.expect("asked");
    becomes(&alice, &carol, AskedState::Refused).await;
    assert!(carol.node().keep_wishes().await.expect("reads").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_7_who_was_allowed_before_is_kept_as_soon_as_he_asks_and_is_back_from_there() {
    let hub = Person::new("hub", Over::Tcp).await;
    let alice = Person::with_bootstrap("alice", Over::Tcp, vec![hub.listen()]).await;
    let carol = Person::with_bootstrap("carol", Over::Tcp, vec![hub.listen()]).await;
    alice.post("kept by wish").await;
    assert!(!carol.node().allow_keep(alice.did(), Terms::default()).await.expect("allowed"), "nobody has asked yet");
    // By DID alone: the keeper is found in the table.
    alice.node().ask_keeper(alice.did(), &carol.did().to_string(), Terms::default()).await.expect("asked");
    becomes(&alice, &carol, AskedState::Kept).await;
    carol.has_posts(alice.did(), &["kept by wish".to_owned()]).await;
    report(&alice, "a copy", |report| report.logs[0].copies == 1 && report.logs[0].behind == 0).await;
    assert!(carol.home().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_1_a_keeper_answers_erasures_like_any_holder() {
    // RCP-2
    let (alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    let posted = alice.post("regretted").await;
    carol.node().keep(&alice.invite().await, Terms::default(), true).await.expect("kept");
    carol.has_posts(alice.did(), &["regretted".to_owned()]).await;
    report(&alice, "a copy", |report| report.logs[0].copies == 1 && report.logs[0].behind == 0).await;
    let key = alice.node().control_key(alice.did(), xom_node::ControlAccess::Kept).await.expect("opens");
    alice.command(Command::Erase { status: posted.status.expect("a status"), now: Some(key) }).await;
    carol.has_posts(alice.did(), &[]).await;
    let entry = posted.entry.expect("an entry");
    wait_until("carol's receipt", async || {
        let copies = alice.node().read(move |reader| reader.copies(&entry)).await.expect("reads").expect("held");
        (copies.counts().purged == 1).then_some(())
    })
    .await;
}
