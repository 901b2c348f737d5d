//! Accounts, and how texts name them.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use xom_protocol::Did;
use xom_protocol::body::{Body, Profile};

use super::{Read, Reader};
use crate::model::{Account, AccountId};
use crate::views::row::AccountRow;
use crate::views::{Place, find_account, first_account_id, tables};

/// What the host part of an unproven account name ends with.
pub(super) const HOST_SUFFIX: &str = ".xom";
/// The user name of somebody whose profile is not held.
const UNKNOWN_USERNAME: &str = "user";

impl Reader {
    /// An account by DID; none if nothing is known of it.
    pub fn account(&self, did: &Did) -> Read<Option<Account>> {
        let (account, row) = find_account(&self.accounts, did)?;
        row.map(|_| self.account_arc(account)).transpose().map(|found| found.map(|account| (*account).clone()))
    }

    /// What stands in for somebody of whom nothing is known, under the local id that he would get; none where something
    /// is known of him, or the id is another's.
    pub fn stand_in(&self, did: &Did) -> Read<Option<Account>> {
        let (id, row) = find_account(&self.accounts, did)?;
        if row.is_some() || AccountId(id) != first_account_id(did) {
            return Ok(None);
        }
        let (username, acct) =
            (UNKNOWN_USERNAME.to_owned(), format!("{UNKNOWN_USERNAME}@{}{HOST_SUFFIX}", did.short()));
        Ok(Some(Account { created_ms: self.now_ms, ..Account::unknown(AccountId(id), *did, username, acct) }))
    }

    /// An account by its local id.
    pub fn account_by_id(&self, id: AccountId) -> Read<Option<Account>> {
        if self.accounts.get(id.0)?.is_none() {
            return Ok(None);
        }
        self.account_arc(id.0).map(|account| Some((*account).clone()))
    }

    /// A DID, `lan`, `@lan`, or `lan@<short>.xom` with any user name before the short DID.
    pub fn resolve_account(&self, text: &str) -> Read<Option<Account>> {
        let text = text.trim();
        if let Ok(did) = text.parse::<Did>() {
            return self.account(&did);
        }
        let name = text.strip_prefix('@').unwrap_or(text);
        let did = match name.split_once('@') {
            Some((_, host)) => self.did_of_host(host)?,
            None => self.locals()?.values().find(|local| local.username == name).map(|local| local.did),
        };
        did.map_or(Ok(None), |did| self.account(&did))
    }

    /// The account of a host name, if it is known.
    pub(super) fn account_of_host(&self, host: &str) -> Read<Option<u64>> {
        let did = self.did_of_host(host)?;
        did.map(|did| Ok(find_account(&self.accounts, &did)?.0)).transpose()
    }

    /// The DID that begins with the short one in a host name.
    fn did_of_host(&self, host: &str) -> Read<Option<Did>> {
        let Some(short) = host.strip_suffix(HOST_SUFFIX) else { return Ok(None) };
        let Ok(head) = BASE32_NOPAD.decode(padded(short).as_bytes()) else { return Ok(None) };
        let mut lowest = [0; 32];
        let known = head.len().min(32);
        lowest[..known].copy_from_slice(&head[..known]);
        let mut account = first_account_id(&Did(lowest)).0;
        // The account ids that follow hold whoever shares the first 8 bytes.
        while let Some(row) = self.accounts.get(account)? {
            let row = AccountRow::read(row.value())?;
            if row.did.short() == short {
                return Ok(Some(row.did));
            }
            account += 1;
        }
        Ok(None)
    }

    /// An account that has a row.
    pub(super) fn account_arc(&self, account: u64) -> Read<Arc<Account>> {
        if let Some(known) = self.known.borrow().get(&account) {
            return Ok(known.clone());
        }
        let row = self.accounts.get(account)?.map(|row| AccountRow::read(row.value())).transpose()?;
        let row = row.ok_or_else(|| crate::StoreError::Damaged(format!("account {account} has no row")))?;
        let made = Arc::new(self.make_account(account, &row)?);
        self.known.borrow_mut().insert(account, made.clone());
        Ok(made)
    }

    fn make_account(&self, account: u64, row: &AccountRow) -> Read<Account> {
        let profile = self.profile(row)?;
        let local = self.locals()?.get(&account);
        let username = match local {
            Some(local) => local.username.clone(),
            None => profile.username.unwrap_or_else(|| UNKNOWN_USERNAME.to_owned()),
        };
        let acct = match local {
            Some(_) => username.clone(),
            None => format!("{username}@{}{HOST_SUFFIX}", row.did.short()),
        };
        let newest = self.table(tables::AUTHOR_STATUSES)?.range((account, 0)..=(account, u64::MAX))?.next_back();
        let last_status_ms = newest.transpose()?.map(|(key, _)| key.value().1 >> 16);
        Ok(Account {
            id: AccountId(account),
            did: row.did,
            local: local.is_some(),
            username,
            acct,
            name: profile.name.unwrap_or_default(),
            bio: profile.bio.unwrap_or_default(),
            avatar: profile.avatar.and_then(|list| list.into_iter().next()),
            header: profile.header.and_then(|list| list.into_iter().next()),
            fields: profile.fields.unwrap_or_default(),
            locked: profile.locked.unwrap_or_default(),
            bot: profile.bot.unwrap_or_default(),
            created_ms: self.created_ms(row)?,
            last_status_ms,
            statuses: row.statuses,
            followers: row.followers,
            following: row.following,
        })
    }

    /// The earliest time known: of an entry, or of first contact.
    fn created_ms(&self, row: &AccountRow) -> Read<u64> {
        if row.first_ms != u64::MAX {
            return Ok(row.first_ms);
        }
        let number = self.snapshot.identity_number(&row.did)?;
        let identity = number.map(|number| self.snapshot.identity(number)).transpose()?.flatten();
        Ok(identity.map_or(0, |identity| identity.first_seen_ms))
    }

    /// The standing value of every profile field, put together.
    fn profile(&self, row: &AccountRow) -> Read<Profile> {
        let mut whole = Profile::default();
        let mut last: Option<(Place, Arc<Body>)> = None;
        for (field, place) in row.profile.iter().enumerate() {
            let Some(place) = place else { continue };
            if last.as_ref().is_none_or(|(at, _)| at != place) {
                let Some(body) = self.snapshot.opened((place.log, place.seq))? else { continue };
                last = Some((*place, body));
            }
            if let Some(Body::Profile(body)) = last.as_ref().map(|(_, body)| body.as_ref()) {
                take_field(&mut whole, body, field);
            }
        }
        Ok(whole)
    }
}

/// Takes one field, by its index in [`crate::views::row::PROFILE_FIELDS`].
fn take_field(whole: &mut Profile, body: &Profile, field: usize) {
    match field {
        0 => whole.username.clone_from(&body.username),
        1 => whole.name.clone_from(&body.name),
        2 => whole.bio.clone_from(&body.bio),
        3 => whole.avatar.clone_from(&body.avatar),
        4 => whole.header.clone_from(&body.header),
        5 => whole.fields.clone_from(&body.fields),
        6 => whole.locked = body.locked,
        _ => whole.bot = body.bot,
    }
}

/// The part of a short DID that base32 decodes on its own: whole groups of eight characters.
fn padded(short: &str) -> String {
    let whole = short.len() - short.len() % 8;
    short.get(..whole).unwrap_or_default().to_ascii_uppercase()
}
