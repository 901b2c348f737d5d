//! Making another identity on a node that runs: new keys, a genesis, and a profile with its user name. The order is
//! that of `identities.rs`, so that a crash leaves all of it or nothing.

use tokio::sync::oneshot;
use xom_protocol::body::is_username;

use super::tables::LocalRow;
use super::writer::{Job, Writer};
use super::{Notice, Store};
use crate::error::{AdoptError, StoreError};

/// Most identities that are made on one node. Each has a folder of keys, and its own log is read at every start.
pub const IDENTITIES_MAX: usize = 1_024;

impl Store {
    /// Makes an identity that nobody has had before. Durable when it answers.
    pub(crate) async fn settle(&self, username: &str) -> Result<LocalRow, AdoptError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Settle(username.to_owned(), reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }
}

impl Writer {
    /// Carries it out.
    pub(super) fn settle(&mut self, username: &str) -> Result<LocalRow, AdoptError> {
        if !is_username(username) {
            return Err(AdoptError::Username);
        }
        let locals = self.shared.locals();
        if locals.iter().any(|row| row.username == username) || self.shared.folder.identity(username).exists() {
            return Err(AdoptError::UsernameTaken);
        }
        if locals.len() >= IDENTITIES_MAX {
            return Err(AdoptError::TooMany);
        }
        self.make_identity(username)?;
        self.set_wants();
        self.shared.tell(Notice::Wants);
        self.shared.tell(Notice::Locals);
        let locals = self.shared.locals();
        let made = locals.iter().find(|row| row.username == username).cloned();
        made.ok_or_else(|| StoreError::Damaged("an identity that was just made is not there".to_owned()).into())
    }
}
