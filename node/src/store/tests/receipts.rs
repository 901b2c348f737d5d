//! Receipts in the store: owed, given, taken, counted (`RCP-2` to `RCP-6`; R-STO-11).

use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::limits::{ERASE_DELAY_MS, RECEIPTS_PER_ENTRY_MAX};
use xom_protocol::receipt::{Answer, Fate, Receipt};
use xom_protocol::sync::message::{KnownCopy, ReceiptNews};
use xom_protocol::{Digest, EntryId};

use super::super::{Holding, NewReceipt, Parcel, Receipted, Recipient, Role};
use super::*;
use crate::Reader;
use crate::model::{CopiesReport, HereBody};

/// The smallest GIF.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The file below a folder that is just these bytes.
fn find_file(path: &Path, bytes: &[u8]) -> PathBuf {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if std::fs::read(&path).unwrap() == bytes => return path,
                false => {}
            }
        }
    }
    panic!("no such file");
}

/// A post of alice's that bob holds, with the entry.
async fn held_post() -> (Person, Person, StatusId, EntryId) {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let done = alice.say(post("a secret")).await.unwrap();
    bob.fetch(&alice).await;
    (alice, bob, done.status.unwrap(), done.entry.unwrap())
}

/// What a holder gives the author's device next.
fn parcel(holder: &Person, author: &Person) -> Option<Parcel> {
    let to = Recipient { author: author.me.did, device: author.me.device, role: Role::Author };
    holder.store.snapshot().unwrap().parcel(&holder.store, to).unwrap()
}

/// The receipts of a parcel, as its recipient reads them.
fn receipts(parcel: Option<&Parcel>) -> Vec<Receipt> {
    let Some(Parcel { news: ReceiptNews::Receipts(items), .. }) = parcel else { return Vec::new() };
    items.iter().flat_map(|item| &item.receipts).map(|bytes| Receipt::decode(bytes).unwrap()).collect()
}

fn fates(parcel: Option<&Parcel>) -> Vec<Fate> {
    receipts(parcel).iter().map(|receipt| receipt.answer().fate).collect()
}

async fn take(author: &Person, receipts: Vec<Receipt>) -> Vec<Receipted> {
    author.store.take_receipts(receipts.into_iter().map(NewReceipt).collect()).await.unwrap()
}

fn report(person: &Person, entry: &EntryId) -> CopiesReport {
    Reader::new(person.store.snapshot().unwrap()).unwrap().copies(entry).unwrap().unwrap()
}

/// A receipt by somebody for whom no store is needed.
fn receipt_of(name: &[u8], answer: &Answer) -> Receipt {
    let key = SecretKey::from_seed(&Digest::of(&[name]).0).unwrap();
    Receipt::sign(Network::MAIN, Answer { device: key.public().device_id(), ..*answer }, &key)
}

#[tokio::test]
async fn rcp_2_a_holder_owes_hidden_at_once_and_purged_when_it_is_due() {
    let (alice, bob, status, entry) = held_post().await;
    assert!(parcel(&bob, &alice).is_none());
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    let first = parcel(&bob, &alice).unwrap();
    let [hidden] = &receipts(Some(&first))[..] else { panic!("one receipt") };
    let answer = *hidden.answer();
    assert_eq!((answer.holder, answer.device, answer.author), (bob.me.did, bob.me.device, alice.me.did));
    assert_eq!((answer.entry, answer.fate), (entry, Fate::Hidden));
    hidden.verify(Network::MAIN, bob.record(&bob.me.did).state()).unwrap();
    assert_eq!(take(&alice, vec![hidden.clone()]).await, [Receipted::Kept]);
    bob.store.note_given(first.to, first.counter).await.unwrap();
    assert!(parcel(&bob, &alice).is_none(), "what is delivered is let go");
    bob.wait(ERASE_DELAY_MS + 1_000);
    bob.store.purge_due().await.unwrap();
    let second = parcel(&bob, &alice);
    assert_eq!(fates(second.as_ref()), [Fate::Purged]);
    assert_eq!(take(&alice, receipts(second.as_ref())).await, [Receipted::Kept]);
    let copies = report(&alice, &entry).copies;
    assert_eq!(copies.iter().map(|copy| copy.fate).collect::<Vec<_>>(), [Some(Fate::Purged)]);
}

#[tokio::test]
async fn a_purge_by_order_is_answered_with_purged_alone() {
    let (alice, bob, status, _) = held_post().await;
    alice.erase(status, true).await;
    bob.fetch(&alice).await;
    // The zeros are noted in a transaction of their own, once nobody else has work.
    bob.store.write(|_| Ok(())).await.unwrap();
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), [Fate::Purged]);
}

#[tokio::test]
async fn r_sto_11_a_node_that_is_killed_before_the_salt_is_zeroed_has_not_answered_purged() {
    let (alice, bob, status, _) = held_post().await;
    alice.erase(status, true).await;
    let run = alice.run(bob.position(&alice.me.log), &bob.record(&alice.me.did));
    let salts = bob.path().join("salts");
    let before = std::fs::read(&salts).unwrap();
    let bob = bob.die_before_zeroing(run).await;
    assert_ne!(std::fs::read(&salts).unwrap(), before, "the next start carries the purge out");
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), [Fate::Purged], "and answers then");
}

#[tokio::test]
async fn r_sto_11_purged_is_not_answered_while_a_blob_of_the_post_cannot_be_deleted() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let attachment = alice.store.add_blob(upload(&alice, PICTURE).await).await.unwrap();
    let picture = Box::new(Post { attachments: vec![attachment], ..Post::default() });
    let done = alice.say(Command::Post { post: picture, reply_to: None, quote_of: None }).await.unwrap();
    bob.fetch(&alice).await;
    assert!(bob.store.put_blob(received(&bob, PICTURE).await).await.unwrap());
    let file = find_file(&bob.path(), PICTURE);
    // What stands in its place can't be deleted as a file.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir_all(file.join("inside")).unwrap();
    alice.erase(done.status.unwrap(), true).await;
    bob.fetch(&alice).await;
    bob.store.write(|_| Ok(())).await.unwrap();
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), []);
    std::fs::remove_dir_all(&file).unwrap();
    let bob = bob.restart().await;
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), [Fate::Purged]);
}

#[tokio::test]
async fn rcp_2_hidden_is_not_given_once_the_erase_is_undone() {
    let (alice, bob, status, entry) = held_post().await;
    let before = alice.position(&alice.me.log);
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), [Fate::Hidden]);
    let head = LogHead { log: alice.me.log, height: before.height, head: before.head.unwrap() };
    let end = DeviceEnd { device: alice.me.device, heads: vec![head], stands: Vec::new() };
    let control = alice.control_key().await;
    let removal = compose::device_remove(&alice.record(&alice.me.did).state().place(), end, &[control.secret()]);
    bob.store.insert_identity(alice.me.did, vec![removal.unwrap().encode()]).await.unwrap();
    assert_eq!(report(&bob, &entry).here, HereBody::Held);
    assert_eq!(bob.texts(&alice.me.log), ["a secret"]);
    assert_eq!(fates(parcel(&bob, &alice).as_ref()), []);
}

#[tokio::test]
async fn rcp_3_a_receipt_for_what_was_never_erased_is_not_kept() {
    let (alice, bob, status, entry) = held_post().await;
    let other = alice.say(post("another")).await.unwrap().entry.unwrap();
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    let [hidden] = &receipts(parcel(&bob, &alice).as_ref())[..] else { panic!("one receipt") };
    let right = *hidden.answer();
    let lies = [
        Answer { entry: other, ..right },
        Answer { erase: other, ..right },
        Answer { erase: EntryId([7; 32]), ..right },
        Answer { author: bob.me.did, ..right },
    ];
    for lie in lies {
        let lie = Receipt::sign(Network::MAIN, lie, &bob.key());
        assert_eq!(take(&alice, vec![lie]).await, [Receipted::NothingErased]);
    }
    assert_eq!(report(&alice, &entry).copies, []);
    assert_eq!(take(&alice, vec![hidden.clone(), hidden.clone()]).await, [Receipted::Kept; 2]);
    assert_eq!(report(&alice, &entry).copies.len(), 1);
}

#[tokio::test]
async fn rcp_3_purged_stands_for_good_and_a_flood_of_holders_is_bounded() {
    let (alice, bob, status, entry) = held_post().await;
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    let answer = *receipts(parcel(&bob, &alice).as_ref())[0].answer();
    let sign = |fate| Receipt::sign(Network::MAIN, Answer { fate, ..answer }, &bob.key());
    take(&alice, vec![sign(Fate::Purged), sign(Fate::Hidden)]).await;
    assert_eq!(report(&alice, &entry).copies[0].fate, Some(Fate::Purged));
    let flood = (0..RECEIPTS_PER_ENTRY_MAX + 50).map(|n| receipt_of(&n.to_be_bytes(), &answer));
    take(&alice, flood.collect()).await;
    assert_eq!(report(&alice, &entry).copies.len(), RECEIPTS_PER_ENTRY_MAX);
    take(&alice, vec![receipt_of(&5_usize.to_be_bytes(), &Answer { fate: Fate::Purged, ..answer })]).await;
    let purged = report(&alice, &entry).counts();
    assert_eq!((purged.others, purged.broken), (RECEIPTS_PER_ENTRY_MAX as u64, 0));
}

#[tokio::test]
async fn rcp_3_a_body_that_comes_after_purged_is_a_broken_promise_and_one_after_hidden_is_none() {
    let (alice, bob, status, entry) = held_post().await;
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    let hidden = receipts(parcel(&bob, &alice).as_ref()).remove(0);
    take(&alice, vec![hidden.clone()]).await;
    let resent = async || alice.store.note_resent(vec![bob.me.device], vec![entry]).await.unwrap();
    assert_eq!(resent().await, 0);
    let purged = Answer { fate: Fate::Purged, ..*hidden.answer() };
    take(&alice, vec![Receipt::sign(Network::MAIN, purged, &bob.key())]).await;
    assert_eq!(resent().await, 1);
    assert_eq!(resent().await, 0, "it is counted once");
    assert_eq!(report(&alice, &entry).counts().broken, 1);
}

#[tokio::test]
async fn rcp_4_a_carrier_is_given_own_answers_only_and_passes_on_to_the_author_alone() {
    let (alice, bob, status, _) = held_post().await;
    let carol = Person::new("carol");
    carol.fetch(&alice).await;
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    carol.fetch(&alice).await;
    let give = |holder: &Person, device, role| {
        let to = Recipient { author: alice.me.did, device, role };
        holder.store.snapshot().unwrap().parcel(&holder.store, to).unwrap()
    };
    let of_carol = receipts(give(&carol, bob.me.device, Role::Carrier).as_ref());
    assert_eq!(of_carol.len(), 1);
    assert_eq!(take(&bob, of_carol).await, [Receipted::Kept]);
    let dave = Person::new("dave");
    let to_dave = receipts(give(&bob, dave.me.device, Role::Carrier).as_ref());
    assert!(to_dave.iter().all(|receipt| receipt.answer().holder == bob.me.did));
    let to_alice = receipts(parcel(&bob, &alice).as_ref());
    let mut holders: Vec<Did> = to_alice.iter().map(|receipt| receipt.answer().holder).collect();
    holders.sort_unstable();
    let mut expected = vec![bob.me.did, carol.me.did];
    expected.sort_unstable();
    assert_eq!(holders, expected);
}

#[tokio::test]
async fn rcp_6_copies_are_known_from_when_the_erase_was_taken_in_and_told_to_siblings() {
    let (alice, bob, status, entry) = held_post().await;
    let holding = |height, seen_ms| vec![(alice.me.log, Holding { did: bob.me.did, height, seen_ms })];
    // Bob holds the profile and the post; carol only the profile; dave was heard of just now.
    alice.store.put_holdings(bob.me.device, holding(2, NOW_MS)).await.unwrap();
    let device = |n| xom_protocol::DeviceId([n; 32]);
    alice.store.put_holdings(device(1), holding(1, NOW_MS)).await.unwrap();
    alice.store.note_holdings(device(2), &holding(2, NOW_MS + 5));
    let before = report(&alice, &entry);
    assert_eq!((before.counts().known, before.here), (1, HereBody::Held));
    alice.erase(status, false).await;
    alice.store.put_holdings(device(3), holding(9, NOW_MS)).await.unwrap();
    let after = report(&alice, &entry);
    let devices: Vec<_> = after.copies.iter().map(|copy| copy.device).collect();
    let mut expected = vec![bob.me.device, device(2)];
    expected.sort_unstable();
    assert_eq!(devices, expected);
    assert!(matches!(after.here, HereBody::Hidden { purge_ms } if purge_ms > NOW_MS + ERASE_DELAY_MS - 1_000));
    assert_eq!(after.counts().silent_since_ms, Some(NOW_MS + 5));
    // A sibling of alice's is told, bob is not.
    let to = |device| Recipient { author: alice.me.did, device, role: Role::Author };
    let told = alice.store.snapshot().unwrap().parcel(&alice.store, to(device(9))).unwrap().unwrap();
    let ReceiptNews::Copies(copies) = told.news else { panic!("copies come first") };
    assert_eq!(copies.len(), 2);
    let copy = KnownCopy { entry, holder: bob.me.did, device: device(4), seen_ms: NOW_MS * 2 };
    alice.store.take_copies(alice.me.did, vec![copy, KnownCopy { entry: EntryId([9; 32]), ..copy }]).await.unwrap();
    let after = report(&alice, &entry);
    assert_eq!(after.counts().known, 3);
    assert!(after.copies.iter().all(|copy| copy.seen_ms < NOW_MS + ERASE_DELAY_MS), "nobody was seen in the future");
}
