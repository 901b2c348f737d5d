//! Keepers over sockets (`KEEP-1`, `KEEP-4`): they have everything, show nothing of it, and are there when the author is not.

use xom_node::command::Command;
use xom_node::keep::Terms;
use xom_protocol::body::Post;

use super::blobs::PNG;
use crate::harness::{Over, Person, texts, wait_until};

async fn keep(keeper: &Person, who: &str) {
    keeper.node().keep(who, Terms::default(), true).await.expect("kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_1_a_keeper_has_everything_without_a_follow_and_serves_it_when_the_author_is_gone() {
    for over in [Over::Tcp, Over::Quic] {
        let (mut alice, carol) = (Person::new("alice", over).await, Person::new("carol", over).await);
        let mut all = texts("kept", 5);
        for text in &all {
            alice.post(text).await;
        }
        let attachment = alice.node().add_blob(PNG.to_vec(), None).await.expect("stored");
        let blob = attachment.blob;
        let post = Box::new(Post { text: "look".to_owned(), attachments: vec![attachment], ..Post::default() });
        alice.command(Command::Post { post, reply_to: None, quote_of: None }).await;
        all.push("look".to_owned());
        keep(&carol, &alice.invite().await).await;
        carol.has_posts(alice.did(), &all).await;
        alice.post("live").await;
        all.push("live".to_owned());
        carol.has_posts(alice.did(), &all).await;
        let has_blob = async |person: &Person| {
            let held = async || person.node().blob(blob).await.expect("reads");
            wait_until("the picture is held", held).await;
        };
        has_blob(&carol).await;
        let view = carol.node().keeps().await.expect("reads").remove(0);
        assert_eq!((view.did, view.logs.len()), (alice.did(), 1));
        assert!(view.bytes > 512 * 7, "{}", view.bytes);
        assert_eq!(carol.home().await, Vec::<String>::new(), "nothing of it is in carol's home");

        alice.stop().await;
        let dave = Person::with_bootstrap("dave", over, vec![carol.listen()]).await;
        dave.follow(alice.did().to_string()).await;
        dave.has_posts(alice.did(), &all).await;
        has_blob(&dave).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_4_an_identity_that_is_off_is_found_at_its_keeper_by_the_table() {
    let hub = Person::new("hub", Over::Tcp).await;
    let mut alice = Person::with_bootstrap("alice", Over::Tcp, vec![hub.listen()]).await;
    alice.post("whoever looks for me finds my keeper").await;
    let carol = Person::with_bootstrap("carol", Over::Tcp, vec![hub.listen()]).await;
    keep(&carol, &alice.did().to_string()).await;
    let all = ["whoever looks for me finds my keeper".to_owned()];
    carol.has_posts(alice.did(), &all).await;
    alice.stop().await;
    let bob = Person::with_bootstrap("bob", Over::Tcp, vec![hub.listen()]).await;
    bob.follow(alice.did().to_string()).await;
    bob.has_posts(alice.did(), &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sto_12_who_floods_his_followers_fills_his_share_and_nothing_else() {
    let bob = Person::with_author_quota("bob", Over::Tcp, 60_000).await;
    let (mallory, alice) = (Person::new("mallory", Over::Tcp).await, Person::new("alice", Over::Tcp).await);
    bob.follow(mallory.invite().await).await;
    bob.follow(alice.invite().await).await;
    let flood: Vec<String> = (0..40).map(|number| format!("{number} {}", "x".repeat(2_000))).collect();
    for text in &flood {
        mallory.post(text).await;
    }
    let warned = async || {
        let warnings = bob.node().status().await.expect("status").warnings;
        warnings.iter().any(|warning| warning.contains(&mallory.did().to_string())).then_some(())
    };
    wait_until("bob is told of a share that is used up", warned).await;
    let held = bob.posts_of(mallory.did()).await;
    assert!(held.len() < flood.len() && flood.starts_with(&held), "{} of {}", held.len(), flood.len());
    // Mallory says more, and alice is heard all the same.
    mallory.post("more").await;
    alice.post("I am no flood").await;
    bob.has_posts(alice.did(), &["I am no flood".to_owned()]).await;
    assert_eq!(bob.posts_of(mallory.did()).await.len(), held.len());

    // With more room the rest comes.
    bob.node().keep(&mallory.did().to_string(), Terms::default(), false).await.expect("kept");
    let all: Vec<String> = flood.into_iter().chain(["more".to_owned()]).collect();
    bob.has_posts(mallory.did(), &all).await;
}
