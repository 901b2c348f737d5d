//! Who asks to be kept here, whom local identities have asked to keep them, and what holders have stated
//! (`KEEP-7`, `KEEP-8`).

use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::keep::{Decision, HeldLog, Holding, SignedHolding, Terms};
use xom_protocol::limits::HOLDING_LOGS_MAX;
use xom_protocol::{Did, encoding};

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables;
use super::{Notice, Store};
use crate::error::{CommandError, StoreError};
use crate::keep::{AskedState, AskedView, HolderView, HoldersReport, LogCopies, Policy, Ruling, WishView};

/// Wishes that wait at most (`KEEP-7`).
const WISHES_MAX: usize = 64;
/// How long a wish waits, milliseconds (`KEEP-7`).
const WISH_MS: u64 = 30 * 86_400_000;
/// Keepers whom one identity has asked at most.
const ASKED_MAX: usize = 64;
/// Holders of one author of whom is remembered what they stated (`KEEP-8`).
const HOLDERS_MAX: usize = 256;
/// How long a copy is live after it was stated, milliseconds (`KEEP-8`).
const LIVE_MS: u64 = 48 * 3_600_000;
/// Longest row of a wish, bytes.
const ROW_BYTES_MAX: usize = 256;
/// Longest row of a statement, bytes.
const HEARD_BYTES_MAX: usize = 512 << 10;

/// Two ids as one key: an author, and a holder or one of its devices.
type Pair = [u8; 64];

/// Somebody who wishes to be kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct WishRow {
    quota_bytes: u64,
    for_ms: u64,
    asked_ms: u64,
}

/// Somebody whom a local identity has asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct AskedRow {
    quota_bytes: u64,
    for_ms: u64,
    asked_ms: u64,
    /// 0: nobody was reached, 1: waits, 2: kept, 3: refused.
    state: u8,
    /// When that was answered.
    answered_ms: u64,
}

/// What this node holds of an author, and what it has promised.
#[derive(Debug, Clone)]
pub(crate) struct HeldOf {
    /// The logs, by id.
    pub logs: Vec<HeldLog>,
    /// Bytes.
    pub bytes: u64,
    /// The quota of the keep, else 0.
    pub quota_bytes: u64,
    /// The end of the keep, else 0.
    pub until_ms: u64,
}

/// A statement that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct HeardRow {
    stated_ms: u64,
    signed: ByteBuf,
}

impl Store {
    /// Decides whether an author is kept who wishes so (`KEEP-7`).
    pub(crate) async fn decide_keep(&self, author: Did, wanted: Terms) -> Result<Decision, StoreError> {
        let policy = Policy::read(self.folder().path());
        let policy = policy.map_err(|cause| tracing::warn!(%cause, "the policy for keepers can't be used"));
        let decision = self.write(move |batch| batch.decide_keep(&author, wanted, policy.as_ref().ok())).await?;
        Ok(decision)
    }

    /// Changes the policy: `change` gets the present one.
    pub(crate) async fn change_policy(
        &self,
        change: impl FnOnce(&mut Policy) + Send + 'static,
    ) -> Result<Policy, CommandError> {
        let store = self.clone();
        let changed = tokio::task::spawn_blocking(move || {
            let _turn = store.shared.policy_turn();
            let mut policy = Policy::read(store.folder().path())?;
            change(&mut policy);
            policy.write(store.folder().path())?;
            Ok(policy)
        });
        changed
            .await
            .map_err(|_| StoreError::Stopping)?
            .map_err(|e: crate::keep::PolicyError| CommandError::Policy(e.to_string()))
    }

    /// Carries out a change of the policy on a wish that waits, and on a keep that was asked for: it is granted, or
    /// ended.
    pub(crate) async fn settle_wish(&self, author: Did) -> Result<Option<Decision>, CommandError> {
        let policy = Policy::read(self.folder().path()).map_err(|e| CommandError::Policy(e.to_string()))?;
        Ok(self.write(move |batch| batch.settle_wish(&author, &policy)).await?)
    }

    /// A local identity wishes to be kept by somebody.
    pub(crate) async fn ask_keeper(&self, author: Did, holder: Did, terms: Terms) -> Result<(), CommandError> {
        self.write(move |batch| batch.ask_keeper(&author, &holder, terms)).await?
    }

    /// Does not wish so any more. False where it did not.
    pub(crate) async fn forget_keeper(&self, author: Did, holder: Did) -> Result<bool, StoreError> {
        self.write(move |batch| Ok(batch.keepers_asked.remove(&pair(&author.0, &holder.0))?.is_some())).await
    }

    /// What somebody answered to the wish of a local identity.
    pub(crate) async fn note_decision(&self, author: Did, holder: Did, decision: Decision) -> Result<(), StoreError> {
        self.write(move |batch| batch.note_decision(&author, &holder, decision)).await
    }

    /// Takes a statement, checked, about a local identity (`KEEP-8`).
    pub(crate) async fn take_holding(&self, stated: SignedHolding) -> Result<(), StoreError> {
        self.write(move |batch| batch.take_holding(&stated)).await
    }
}

impl Snapshot {
    /// What this node holds of an author, for a statement of it.
    pub(crate) fn held_of(&self, author: &Did) -> Result<HeldOf, StoreError> {
        let mut logs = Vec::new();
        for held in self.heads_of(author)? {
            if let Some(head) = held.position.head {
                logs.push(HeldLog { log: held.log, height: held.position.height, head });
            }
        }
        logs.sort_unstable_by_key(|held| held.log);
        logs.truncate(HOLDING_LOGS_MAX);
        let (quota_bytes, until_ms) =
            self.shared.keeps().get(author).map_or((0, 0), |row| (row.quota_bytes, row.until_ms));
        Ok(HeldOf { logs, bytes: self.author_bytes(author)?, quota_bytes, until_ms })
    }

    /// The wishes that wait for the owner, the newest first.
    pub(crate) fn wishes(&self) -> Result<Vec<WishView>, StoreError> {
        let now_ms = self.shared.now_ms();
        let mut wishes = Vec::new();
        for item in self.table(tables::KEEP_WISHES)?.iter()? {
            let (did, row) = item?;
            let row: WishRow = read(row.value(), ROW_BYTES_MAX)?;
            let terms = Terms { quota_bytes: row.quota_bytes, for_ms: row.for_ms };
            wishes.push(WishView { did: Did(*did.value()), terms, asked_ms: row.asked_ms });
        }
        wishes.retain(|wish| wish.asked_ms.saturating_add(WISH_MS) > now_ms);
        wishes.sort_unstable_by_key(|wish| std::cmp::Reverse(wish.asked_ms));
        Ok(wishes)
    }

    /// Whom a local identity has asked, and when they answered, by DID.
    pub(crate) fn keepers_asked(&self, author: &Did) -> Result<Vec<(AskedView, u64)>, StoreError> {
        let mut asked = Vec::new();
        let table = self.table(tables::KEEPERS_ASKED)?;
        let (low, high) = all_of(author);
        for item in table.range::<&Pair>(&low..=&high)? {
            let (key, row) = item?;
            let row: AskedRow = read(row.value(), ROW_BYTES_MAX)?;
            let state = match row.state {
                1 => AskedState::Waits,
                2 => AskedState::Kept,
                3 => AskedState::Refused,
                _ => AskedState::NotReached,
            };
            let terms = Terms { quota_bytes: row.quota_bytes, for_ms: row.for_ms };
            let view = AskedView { did: second(key.value()), terms, state, asked_ms: row.asked_ms };
            asked.push((view, row.answered_ms));
        }
        Ok(asked)
    }

    /// What is known of the copies of a local identity's logs.
    pub(crate) fn holders(&self, author: &Did) -> Result<HoldersReport, StoreError> {
        let now_ms = self.shared.now_ms();
        let mut holders = Vec::new();
        let table = self.table(tables::HOLDINGS_HEARD)?;
        let (low, high) = all_of(author);
        for item in table.range::<&Pair>(&low..=&high)? {
            let row: HeardRow = read(item?.1.value(), HEARD_BYTES_MAX)?;
            let Ok(stated) = SignedHolding::decode(&row.signed) else { continue };
            let Holding { holder, device, bytes, quota_bytes, until_ms, logs, .. } = stated.holding().clone();
            holders.push(HolderView {
                did: holder,
                acct: None,
                device,
                own: holder == *author,
                bytes,
                until_ms: (until_ms > 0).then_some(until_ms),
                quota_bytes,
                logs,
                stated_ms: row.stated_ms,
                live: row.stated_ms.saturating_add(LIVE_MS) > now_ms,
            });
        }
        holders.sort_unstable_by_key(|holder| std::cmp::Reverse(holder.stated_ms));
        let mut logs = Vec::new();
        for held in self.heads_of(author)?.into_iter().filter(|held| held.position.height > 0) {
            let height = held.position.height;
            let mut heights = Vec::new();
            for holder in holders.iter().filter(|holder| holder.live && !holder.own) {
                let Some(there) = holder.logs.iter().find(|log| log.log == held.log) else { continue };
                // Another branch is no copy; what is longer may be one.
                let differs = there.height <= height && self.hash_at(&held.log, there.height - 1)? != Some(there.head);
                heights.extend((!differs).then_some(there.height));
            }
            let behind = heights.iter().filter(|there| **there < height).count() as u64;
            let copies = heights.len() as u64;
            logs.push(LogCopies { log: held.log, device: held.device, height, copies, behind });
        }
        logs.sort_unstable_by_key(|log| log.log);
        let asked = self.keepers_asked(author)?.into_iter().map(|(view, _)| view).collect();
        Ok(HoldersReport { logs, holders, asked })
    }

    /// What the owner should know of wishes that wait.
    pub(crate) fn wish_warnings(&self) -> Result<Vec<String>, StoreError> {
        let mut warnings: Vec<String> = match self.wishes()?.len() {
            0 => Vec::new(),
            1 => vec!["somebody asks to be kept by this node: see `xom keep requests`".to_owned()],
            some => vec![format!("{some} ask to be kept by this node: see `xom keep requests`")],
        };
        warnings.extend(
            Policy::read(self.shared.folder.path())
                .err()
                .map(|cause| format!("the policy for keepers can't be used: {cause}")),
        );
        Ok(warnings)
    }
}

impl Batch<'_> {
    fn decide_keep(&mut self, author: &Did, wanted: Terms, policy: Option<&Policy>) -> Result<Decision, StoreError> {
        let before = self.keep_row(author)?.filter(|row| !row.ended && row.until_ms > self.now_ms);
        if before.is_some_and(|row| !row.asked) {
            return Ok(Decision::Kept);
        }
        if self.own.contains_key(author) {
            return Ok(Decision::NothingAsked);
        }
        let ruling = match policy {
            Some(policy) => policy.rule(author, wanted, self.is_followed(author), self.promised_to_others(author)?),
            None => Ruling::Wait,
        };
        match ruling {
            Ruling::Refuse => {
                self.keep_wishes.remove(&author.0)?;
                Ok(Decision::Refused)
            }
            Ruling::Keep(terms) => match self.keep(author, terms, true, true)? {
                Ok(()) => {
                    self.keep_wishes.remove(&author.0)?;
                    Ok(Decision::Kept)
                }
                Err(_) => Ok(Decision::Refused),
            },
            // What was granted before stands to its end.
            Ruling::Wait if before.is_some() => Ok(Decision::Kept),
            Ruling::Wait => {
                self.put_wish(author, wanted)?;
                Ok(Decision::Waits)
            }
        }
    }

    fn settle_wish(&mut self, author: &Did, policy: &Policy) -> Result<Option<Decision>, StoreError> {
        let wish = self.wish(author)?;
        if policy.deny.contains(author) {
            self.keep_wishes.remove(&author.0)?;
            if self.keep_row(author)?.is_some_and(|row| row.asked) {
                self.end_keep(author)?;
            }
            return Ok(wish.map(|_| Decision::Refused));
        }
        let Some(wish) = wish else { return Ok(None) };
        let wanted = Terms { quota_bytes: wish.quota_bytes, for_ms: wish.for_ms };
        self.decide_keep(author, wanted, Some(policy)).map(Some)
    }

    /// Keeps a wish until its owner decides. Where too many wait, somebody goes who is not followed here, or the
    /// wish is not kept.
    fn put_wish(&mut self, author: &Did, wanted: Terms) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        for item in self.keep_wishes.iter()? {
            let (did, row) = item?;
            let row: WishRow = read(row.value(), ROW_BYTES_MAX)?;
            waiting.push((row.asked_ms, Did(*did.value())));
        }
        for (_, old) in waiting.extract_if(.., |(asked_ms, _)| asked_ms.saturating_add(WISH_MS) <= self.now_ms) {
            self.keep_wishes.remove(&old.0)?;
        }
        let is_known = waiting.iter().any(|(_, did)| did == author);
        if !is_known && waiting.len() >= WISHES_MAX {
            let strangers = waiting.iter().filter(|(_, did)| !self.is_followed(did));
            let Some((_, last)) = strangers.max().copied().filter(|_| self.is_followed(author)) else { return Ok(()) };
            self.keep_wishes.remove(&last.0)?;
        }
        let row = WishRow { quota_bytes: wanted.quota_bytes, for_ms: wanted.for_ms, asked_ms: self.now_ms };
        self.keep_wishes.insert(&author.0, encoding::encode(&row).as_slice())?;
        Ok(())
    }

    fn wish(&self, author: &Did) -> Result<Option<WishRow>, StoreError> {
        self.keep_wishes.get(&author.0)?.map(|row| read(row.value(), ROW_BYTES_MAX)).transpose()
    }

    fn is_followed(&self, did: &Did) -> bool {
        self.own.values().any(|own| own.following().contains(did))
    }

    fn ask_keeper(&mut self, author: &Did, holder: &Did, terms: Terms) -> Result<Result<(), CommandError>, StoreError> {
        if self.own.contains_key(holder) {
            return Ok(Err(CommandError::Refused(
                "that identity lives on this node too: ask somebody on another machine",
            )));
        }
        let key = pair(&author.0, &holder.0);
        let (low, high) = all_of(author);
        if self.keepers_asked.get(&key)?.is_none()
            && self.keepers_asked.range::<&Pair>(&low..=&high)?.count() >= ASKED_MAX
        {
            return Ok(Err(CommandError::Refused("64 keepers are asked already")));
        }
        let Terms { quota_bytes, for_ms } = terms;
        let row = AskedRow { quota_bytes, for_ms, asked_ms: self.now_ms, state: 0, answered_ms: 0 };
        self.keepers_asked.insert(&key, encoding::encode(&row).as_slice())?;
        self.after.notices.push(Notice::KeeperAsked);
        Ok(Ok(()))
    }

    fn note_decision(&mut self, author: &Did, holder: &Did, decision: Decision) -> Result<(), StoreError> {
        let key = pair(&author.0, &holder.0);
        let row: Option<AskedRow> =
            self.keepers_asked.get(&key)?.map(|row| read(row.value(), ROW_BYTES_MAX)).transpose()?;
        let Some(row) = row else { return Ok(()) };
        let state = match decision {
            Decision::NothingAsked => return Ok(()),
            Decision::Waits => 1,
            Decision::Kept => 2,
            Decision::Refused => 3,
        };
        let row = AskedRow { state, answered_ms: self.now_ms, ..row };
        self.keepers_asked.insert(&key, encoding::encode(&row).as_slice())?;
        Ok(())
    }

    fn take_holding(&mut self, stated: &SignedHolding) -> Result<(), StoreError> {
        let holding = stated.holding();
        if !self.own.contains_key(&holding.author) {
            return Ok(());
        }
        let key = pair(&holding.author.0, &holding.device.0);
        if self.holdings_heard.get(&key)?.is_none() {
            self.make_room_for_holder(&holding.author)?;
        }
        let row = HeardRow { stated_ms: self.now_ms, signed: ByteBuf::from(stated.encode()) };
        self.holdings_heard.insert(&key, encoding::encode(&row).as_slice())?;
        let mut known = Vec::new();
        for held in &holding.logs {
            if self.is_copy(&holding.author, held)? {
                let (did, height, seen_ms) = (holding.holder, held.height, self.now_ms);
                known.push((held.log, super::Holding { did, height, seen_ms }));
            }
        }
        // Known copies, though this node may not know the holder's identity (`RCP-6`).
        self.put_holdings(&holding.device, &known)
    }

    /// True for what is a beginning of a log of this author as it is held here.
    fn is_copy(&self, author: &Did, held: &HeldLog) -> Result<bool, StoreError> {
        let Some(log) = self.log_numbers.get(&held.log.0)?.map(|number| number.value()) else { return Ok(false) };
        let row = self.log_row(log)?;
        let is_theirs = self.identities.get(row.author)?.is_some_and(|identity| identity.value().did == *author);
        Ok(is_theirs && held.height <= row.height && self.hash_at((log, held.height - 1))? == Some(held.head))
    }

    /// Lets the holder go that was not heard of longest: of those who were not asked, if there are any.
    fn make_room_for_holder(&mut self, author: &Did) -> Result<(), StoreError> {
        let (low, high) = all_of(author);
        if self.holdings_heard.range::<&Pair>(&low..=&high)?.count() < HOLDERS_MAX {
            return Ok(());
        }
        let mut oldest: Option<(bool, u64, Pair)> = None;
        for item in self.holdings_heard.range::<&Pair>(&low..=&high)? {
            let (key, row) = item?;
            let row: HeardRow = read(row.value(), HEARD_BYTES_MAX)?;
            let holder = SignedHolding::decode(&row.signed).map(|stated| stated.holding().holder);
            let is_asked = match holder {
                Ok(holder) => self.keepers_asked.get(&pair(&author.0, &holder.0))?.is_some(),
                Err(_) => false,
            };
            let this = (is_asked, row.stated_ms, *key.value());
            oldest = Some(oldest.map_or(this, |oldest| oldest.min(this)));
        }
        let Some((.., key)) = oldest else { return Ok(()) };
        self.holdings_heard.remove(&key)?;
        let Some(author) = self.identity_numbers.get(&author.0)?.map(|number| number.value()) else { return Ok(()) };
        for log in self.logs_of_identity(author)? {
            self.copies.remove((log, &second(&key).0))?;
        }
        Ok(())
    }
}

fn pair(first: &[u8; 32], second: &[u8; 32]) -> Pair {
    let mut key = [0; 64];
    key[..32].copy_from_slice(first);
    key[32..].copy_from_slice(second);
    key
}

/// The first and the last key of an author.
fn all_of(author: &Did) -> (Pair, Pair) {
    (pair(&author.0, &[0; 32]), pair(&author.0, &[0xff; 32]))
}

fn second(key: &Pair) -> Did {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&key[32..]);
    Did(bytes)
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, StoreError> {
    encoding::decode(bytes, bytes_max).map_err(|e| StoreError::Damaged(format!("a row about keepers: {e}")))
}
