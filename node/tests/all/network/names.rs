//! Names are no keys (`R-SIG-14`): what somebody calls himself leads to nobody else.

use xom_node::command::Command;
use xom_node::model::Account;
use xom_protocol::Did;
use xom_protocol::body::Profile;

use crate::harness::{Over, Person, wait_until};

/// The account that a text names, at somebody's node.
async fn named(at: &Person, text: &str) -> Option<Account> {
    let text = text.to_owned();
    at.node().read(move |reader| reader.resolve_account(&text)).await.expect("reads")
}

/// An account, once it has this display name.
async fn called(at: &Person, did: Did, name: &str) -> Account {
    wait_until(name, async || {
        let account = at.node().read(move |reader| reader.account(&did)).await.expect("reads");
        account.filter(|account| account.name == name)
    })
    .await
}

async fn call_oneself(person: &Person, profile: Profile) {
    person.command(Command::Profile(Box::new(profile))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_14_of_two_who_have_one_name_each_is_named_by_the_key_alone_and_a_bare_name_is_nobodys() {
    let bob = Person::new("bob", Over::Tcp).await;
    let (alice, mallory) = (Person::new("alice", Over::Tcp).await, Person::new("alice", Over::Tcp).await);
    call_oneself(&alice, Profile { name: Some("Alice".into()), ..Profile::default() }).await;
    // The first letter is a Cyrillic one.
    let alike = "\u{410}lice";
    call_oneself(&mallory, Profile { name: Some(alike.into()), ..Profile::default() }).await;
    for person in [&alice, &mallory] {
        bob.follow(person.invite().await).await;
    }
    let (true_one, false_one) = (called(&bob, alice.did(), "Alice").await, called(&bob, mallory.did(), alike).await);
    assert_eq!((true_one.username.as_str(), false_one.username.as_str()), ("alice", "alice"));
    assert_ne!(true_one.acct, false_one.acct, "whoever reads can tell them apart");
    for (person, account) in [(&alice, &true_one), (&mallory, &false_one)] {
        let host = account.acct.split_once('@').expect("an account of somewhere else").1;
        for text in [account.acct.clone(), format!("@{}", account.acct), format!("bob@{host}"), account.did.to_string()]
        {
            assert_eq!(named(&bob, &text).await.map(|account| account.did), Some(person.did()), "{text}");
        }
    }
    assert_eq!(named(&bob, "alice").await, None, "neither of them");
    assert_eq!(named(&bob, "bob").await.map(|account| account.did), Some(bob.did()));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_14_a_name_that_is_given_up_and_taken_by_another_leads_nobody_astray() {
    let bob = Person::new("bob", Over::Tcp).await;
    let (alice, mallory) = (Person::new("alice", Over::Tcp).await, Person::new("mallory", Over::Tcp).await);
    for person in [&alice, &mallory] {
        bob.follow(person.invite().await).await;
        bob.has_posts(person.did(), &[]).await;
    }
    call_oneself(&alice, Profile { username: Some("alice".into()), name: Some("Alice".into()), ..Profile::default() })
        .await;
    let before = called(&bob, alice.did(), "Alice").await;
    // She calls herself otherwise; he takes the name that she had, and bob's own.
    call_oneself(
        &alice,
        Profile { username: Some("alison".into()), name: Some("Alison".into()), ..Profile::default() },
    )
    .await;
    called(&bob, alice.did(), "Alison").await;
    for taken in ["alice", "bob"] {
        let profile = Profile { username: Some(taken.into()), name: Some(taken.into()), ..Profile::default() };
        call_oneself(&mallory, profile).await;
        let now = called(&bob, mallory.did(), taken).await;
        assert_eq!(now.username, taken);
        assert_eq!(named(&bob, &before.acct).await.map(|account| account.did), Some(alice.did()), "still her");
        assert_eq!(named(&bob, &now.acct).await.map(|account| account.did), Some(mallory.did()));
        assert_eq!(named(&bob, "bob").await.map(|account| account.did), Some(bob.did()), "whatever he calls himself");
    }
    // A user name that only looks like another is none.
    for odd in ["\u{430}lice", "alice\u{200b}", "Alice", "al ice", "alice@bob", ""] {
        let profile = Profile { username: Some(odd.into()), ..Profile::default() };
        let refused = mallory.node().command(mallory.did(), Command::Profile(Box::new(profile))).await;
        assert!(refused.is_err(), "{odd:?}");
    }
}
