//! Accounts: everybody who wrote something that is held, or who is named by it.
//!
//! An account's id is the head of its DID; where two DIDs share it, the later one takes the next
//! free number.

use xom_protocol::Did;

use super::row::{AccountRow, PROFILE_FIELDS};
use super::{Place, Views, first_account_id, is_name, next_account_id};
use crate::error::StoreError;

impl Views<'_> {
    /// The account of a DID, made where there is none.
    pub(super) fn account_of(&mut self, did: &Did) -> Result<u64, StoreError> {
        let mut account = first_account_id(did).0;
        loop {
            let holder = match self.touched.get(&account) {
                Some(row) => Some(row.did),
                None => {
                    self.accounts.get(account)?.map(|row| AccountRow::read(row.value())).transpose()?.map(|row| row.did)
                }
            };
            match holder {
                Some(holder) if holder == *did => return Ok(account),
                Some(_) => account = next_account_id(account),
                None => break,
            }
        }
        self.touched.insert(account, AccountRow::new(*did, u64::MAX));
        Ok(account)
    }

    /// The row of an account, to be changed; written at the end of the transaction.
    pub(super) fn account_row(&mut self, account: u64) -> Result<&mut AccountRow, StoreError> {
        if !self.touched.contains_key(&account) {
            let found = self.accounts.get(account)?.map(|row| AccountRow::read(row.value())).transpose()?;
            let row = found.ok_or_else(|| StoreError::Damaged(format!("account {account} has no row")))?;
            self.touched.insert(account, row);
        }
        Ok(self.touched.get_mut(&account).expect("just inserted"))
    }

    /// Notes that something of an account is shown at `ms`.
    pub(super) fn seen_at(&mut self, account: u64, ms: u64) -> Result<(), StoreError> {
        let row = self.account_row(account)?;
        row.first_ms = row.first_ms.min(ms);
        Ok(())
    }

    /// Sets where the standing value of a profile field is.
    pub(super) fn set_profile(&mut self, account: u64, field: &str, place: Option<Place>) -> Result<(), StoreError> {
        let index = PROFILE_FIELDS.iter().position(|name| *name == field);
        if let Some(index) = index {
            self.account_row(account)?.profile[index] = place;
            if is_name(field) {
                self.index.rename(account);
            }
        }
        Ok(())
    }
}
