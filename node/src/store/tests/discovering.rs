//! What a node makes of what it holds: suggestions, the directory, trends.

use std::collections::BTreeMap;

use xom_protocol::body::Post;

use super::*;
use crate::model::StatusContent;
use crate::private::{NO_SUGGESTION, cursor_value};
use crate::{DirectoryOrder, Reader};

fn reader(person: &Person) -> Reader {
    Reader::new(person.store.snapshot().unwrap()).unwrap().at(person.store.now_ms())
}

fn suggested(person: &Person) -> Vec<Did> {
    let found = reader(person).suggestions(&person.me.did, 10).unwrap();
    found.into_iter().map(|account| account.did).collect()
}

fn tagged(text: &str, tag: &str, link: &str) -> Command {
    let post = Post { text: text.into(), tags: vec![tag.into()], links: vec![link.into()], ..Post::default() };
    Command::Post { post: Box::new(post), reply_to: None, quote_of: None }
}

#[tokio::test]
async fn whom_friends_follow_is_suggested_until_he_is_followed_blocked_or_refused() {
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(Person::new);
    for friend in [&bob, &carol] {
        alice.say(Command::Follow(friend.me.did)).await.unwrap();
        friend.say(Command::Follow(dave.me.did)).await.unwrap();
    }
    bob.say(Command::Follow(carol.me.did)).await.unwrap();
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    let erin = Did([9; 32]);
    bob.say(Command::Follow(erin)).await.unwrap();
    alice.fetch(&bob).await;
    alice.fetch(&carol).await;
    assert_eq!(suggested(&alice), [dave.me.did, erin], "who has more of them comes first");
    let refuse = BTreeMap::from([(format!("{NO_SUGGESTION}{erin}"), cursor_value(1))]);
    alice.store.put_settings(alice.me.did, refuse).await.unwrap();
    assert_eq!(suggested(&alice), [dave.me.did]);
    alice.say(Command::Block(dave.me.did)).await.unwrap();
    assert_eq!(suggested(&alice), []);
    alice.say(Command::Unblock(dave.me.did)).await.unwrap();
    alice.say(Command::Follow(dave.me.did)).await.unwrap();
    assert_eq!(suggested(&alice), []);
}

#[tokio::test]
async fn the_directory_is_ordered_by_the_newest_post_or_by_who_is_new() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    bob.wait(10_000);
    alice.wait(20_000);
    bob.post("một").await;
    alice.fetch(&bob).await;
    let listed = |order, local| -> Vec<Did> {
        let found = reader(&alice).directory(&alice.me.did, order, local, 0, 10).unwrap();
        found.into_iter().map(|account| account.did).collect()
    };
    assert_eq!(listed(DirectoryOrder::Active, false), [bob.me.did, alice.me.did]);
    assert_eq!(listed(DirectoryOrder::Active, true), [alice.me.did]);
    alice.wait(20_000);
    alice.post("hai").await;
    assert_eq!(listed(DirectoryOrder::Active, false), [alice.me.did, bob.me.did]);
    let muted = BTreeMap::from([(format!("mute/{}", bob.me.did), br#"{"cursor":1,"notifications":true}"#.to_vec())]);
    alice.store.put_settings(alice.me.did, muted).await.unwrap();
    assert_eq!(listed(DirectoryOrder::New, false), [alice.me.did]);
}

#[tokio::test]
async fn what_two_people_use_is_a_trend_and_what_is_reposted_counts_twice() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let liked = alice.say(tagged("một", "Xóm", "https://a.example/")).await.unwrap().entry.unwrap();
    let passed_on = alice.say(tagged("hai", "riêng", "https://b.example/")).await.unwrap().entry.unwrap();
    bob.say(tagged("ba", "xóm", "https://a.example/")).await.unwrap();
    bob.fetch(&alice).await;
    let at_bob = |entry| reader(&bob).status_of_entry(&entry).unwrap().expect("it was fetched");
    bob.say(Command::Favourite(at_bob(liked))).await.unwrap();
    bob.say(Command::Repost(at_bob(passed_on))).await.unwrap();
    let trends = reader(&bob).trends(&bob.me.did).unwrap();
    assert_eq!(trends.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["xóm"]);
    assert_eq!(trends.links.iter().map(|link| link.url.as_str()).collect::<Vec<_>>(), ["https://a.example/"]);
    assert_eq!(trends.tags[0].days[0].1, 2);
    let text = |status: &crate::model::Status| match &status.content {
        StatusContent::Post(view) => view.post.text.clone(),
        StatusContent::Repost(_) => panic!("a repost is no trend"),
    };
    assert_eq!(trends.statuses.iter().map(text).collect::<Vec<_>>(), ["hai", "một"]);
    bob.wait(8 * 86_400_000);
    assert!(reader(&bob).trends(&bob.me.did).unwrap().tags.is_empty(), "a week later nothing is left");
}
