//! Several devices of one identity: alice has a phone and a laptop, bob follows her.

mod erasures;
mod hidden;
mod locks;
mod pairing;
mod removal;
mod renewal;
mod sharing;
mod thief;

use std::collections::BTreeSet;

use xom_protocol::{DeviceId, Did};

use crate::harness::{Person, wait_until};

/// Waits until a node holds exactly these posts of an author, in whatever order.
async fn has_all(person: &Person, author: Did, texts: &[&str]) {
    let want: BTreeSet<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let what = format!("{texts:?} are there");
    wait_until(&what, async || {
        let posts = person.posts_of(author).await;
        (posts.len() == want.len() && posts.into_iter().collect::<BTreeSet<_>>() == want).then_some(())
    })
    .await;
}

/// The key of a node's own device.
async fn device_of(person: &Person) -> DeviceId {
    let locals = person.node().read(|reader| reader.local_identities()).await.expect("reads");
    locals.first().expect("one identity").device
}
