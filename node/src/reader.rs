//! Reading the views on one snapshot. Must never write, and never read a clock: the same snapshot
//! gives the same answers.

mod account;
mod aside;
mod copies;
mod discover;
mod erasable;
pub mod feed;
mod find;
mod history;
mod identity;
mod lens;
mod notification;
mod paging;
mod private;
mod proof;
mod quotes;
mod record;
mod relation;
mod search;
mod status;
mod thread;
mod timeline;

pub use discover::{DirectoryOrder, TrendingDay, TrendingLink, TrendingTag, Trends};
pub use history::IdentityHistory;
pub use search::FoundTag;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::{Key, ReadOnlyTable, TableDefinition, Value};
use xom_protocol::Did;

use crate::backup::RestoredIdentity;
use crate::error::StoreError;
use crate::keys::KeyState;
use crate::model::{Account, AccountId, LocalIdentity, LogView, Media, MediaId, OwnedIdentity};
use crate::store::Snapshot;
use crate::store::tables::{LocalRow, LogRow};
use crate::views::{find_account, tables};
use lens::Lens;

/// What a read answers.
pub type Read<T> = Result<T, StoreError>;

/// One consistent snapshot of the store. Blocking: use it through [`crate::Handle::read`].
pub struct Reader {
    snapshot: Snapshot,
    /// The time to which what ends by itself is held, milliseconds since 1970.
    now_ms: u64,
    accounts: ReadOnlyTable<u64, &'static [u8]>,
    statuses: ReadOnlyTable<u64, &'static [u8]>,
    status_of_entry: ReadOnlyTable<&'static [u8; 32], u64>,
    registers: ReadOnlyTable<tables::RegisterRowKey, &'static [u8]>,
    counts: ReadOnlyTable<&'static [u8; 32], (u64, u64, u64)>,
    follows: ReadOnlyTable<(u64, u64), u64>,
    blocks: ReadOnlyTable<(u64, u64), u64>,
    /// The local identities, by account.
    locals: OnceCell<BTreeMap<u64, LocalRow>>,
    /// Private settings, once somebody has asked for one.
    private: OnceCell<private::PrivateTable>,
    /// Whose were asked for last, and the number of that identity.
    private_of: Cell<Option<(Did, Option<u32>)>>,
    /// Which posts quote which, once somebody has asked; none where nobody quotes anything.
    quotes: OnceCell<Option<quotes::QuotesTable>>,
    /// Accounts already made.
    known: RefCell<BTreeMap<u64, Arc<Account>>>,
    /// Logs already looked up, by number.
    logs_known: RefCell<BTreeMap<u32, LogRow>>,
}

/// Somebody who looks, with what must be hidden from him.
struct Viewer {
    did: Did,
    account: u64,
    blocked: BTreeSet<u64>,
    lens: Lens,
}

impl Reader {
    /// Opens the views of a snapshot.
    pub(crate) fn new(snapshot: Snapshot) -> Read<Self> {
        let txn = snapshot.txn();
        Ok(Self {
            accounts: txn.open_table(tables::ACCOUNTS)?,
            statuses: txn.open_table(tables::STATUSES)?,
            status_of_entry: txn.open_table(tables::STATUS_OF_ENTRY)?,
            registers: txn.open_table(tables::REGISTERS)?,
            counts: txn.open_table(tables::COUNTS)?,
            follows: txn.open_table(tables::FOLLOWS)?,
            blocks: txn.open_table(tables::BLOCKS)?,
            locals: OnceCell::new(),
            private: OnceCell::new(),
            private_of: Cell::new(None),
            quotes: OnceCell::new(),
            known: RefCell::default(),
            logs_known: RefCell::default(),
            now_ms: 0,
            snapshot,
        })
    }

    /// The same at a time: mutes and filters that have ended by then are over.
    pub(crate) fn at(self, now_ms: u64) -> Self {
        Self { now_ms, ..self }
    }

    /// The snapshot that is read.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The identities of this node, oldest first.
    pub fn local_identities(&self) -> Read<Vec<LocalIdentity>> {
        let mut identities = Vec::new();
        // The files of keys are looked at here only: most reads need no more than the names.
        for row in self.snapshot.locals()? {
            let (account, _) = find_account(&self.accounts, &row.did)?;
            let keys = self.snapshot.key_state(&row);
            let LocalRow { did, username, device, log } = row;
            identities.push(LocalIdentity { did, account: AccountId(account), username, device, log, keys });
        }
        Ok(identities)
    }

    /// The identities of this node and, after them, those that were restored and wait for a device key: what is
    /// held of them is read and served, and nothing is signed (`ARC-17`).
    pub fn owned_identities(&self) -> Read<Vec<OwnedIdentity>> {
        let owned = |local: LocalIdentity| {
            let LocalIdentity { did, account, username, device, log, keys } = local;
            OwnedIdentity { did, account, username, signer: Some((device, log)), keys }
        };
        let mut identities: Vec<OwnedIdentity> = self.local_identities()?.into_iter().map(owned).collect();
        for RestoredIdentity { did, username } in self.snapshot.waiting()? {
            let account = AccountId(find_account(&self.accounts, &did)?.0);
            identities.push(OwnedIdentity { did, account, username, signer: None, keys: KeyState::NONE });
        }
        Ok(identities)
    }

    /// An upload.
    pub fn media(&self, id: MediaId) -> Read<Option<Media>> {
        self.snapshot.media(id)
    }

    /// Every log held, of all identities.
    pub fn logs(&self) -> Read<Vec<LogView>> {
        let mut views = Vec::new();
        for (_, row) in self.snapshot.logs()? {
            let Some(identity) = self.snapshot.identity(row.author)? else { continue };
            views.push(LogView {
                did: identity.did,
                device: row.device,
                log: row.log,
                height: row.height,
                head: (row.height > 0).then_some(row.head),
                disputed: row.disputed_from != LogRow::NONE,
                void_from: row.first_void(),
            });
        }
        views.sort_unstable_by_key(|view| (view.did, view.log));
        Ok(views)
    }

    fn locals(&self) -> Read<&BTreeMap<u64, LocalRow>> {
        if let Some(locals) = self.locals.get() {
            return Ok(locals);
        }
        let mut locals = BTreeMap::new();
        for row in self.snapshot.locals()? {
            let (account, _) = find_account(&self.accounts, &row.did)?;
            locals.insert(account, row);
        }
        Ok(self.locals.get_or_init(|| locals))
    }

    fn viewer(&self, did: &Did) -> Read<Viewer> {
        let (account, _) = find_account(&self.accounts, did)?;
        let mut blocked = BTreeSet::new();
        for row in self.blocks.range((account, 0)..=(account, u64::MAX))? {
            blocked.insert(row?.0.value().1);
        }
        Ok(Viewer { did: *did, account, blocked, lens: self.lens(did)? })
    }

    fn optional_viewer(&self, did: Option<&Did>) -> Read<Option<Viewer>> {
        did.map(|did| self.viewer(did)).transpose()
    }

    /// Opens a table that only some reads need.
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Read<ReadOnlyTable<K, V>> {
        Ok(self.snapshot.txn().open_table(definition)?)
    }
}

impl Viewer {
    /// False for what the viewer has blocked or muted.
    fn sees(viewer: Option<&Self>, author: u64) -> bool {
        viewer.is_none_or(|viewer| !viewer.blocked.contains(&author) && !viewer.lens.muted.contains(&author))
    }
}
