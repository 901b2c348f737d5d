//! Idempotency keys: written in the commit that makes the status, so that a client which got no answer
//! may ask again, also after a crash, and gets what was made. Kept for an hour by this node's clock.

use redb::ReadableTable;
use xom_protocol::Did;

use super::batch::Batch;
use super::compose::Answer;
use super::{Snapshot, Store, tables};
use crate::command::{Command, Done, IdempotencyKey};
use crate::error::{CommandError, StoreError};
use crate::model::StatusId;

/// How long a key is remembered, milliseconds: as long as Mastodon does.
pub(super) const KEY_MS_MAX: u64 = 3_600 * 1_000;

impl Store {
    /// Carries a command out in one commit with its key, or answers what the key stands for. Waits while peers are
    /// still asked for the own heads (`LOG-17`).
    pub(crate) async fn command_once(
        &self,
        identity: Did,
        key: IdempotencyKey,
        command: Command,
    ) -> Result<Done, CommandError> {
        self.signing_allowed().await?;
        let answer = self.write(move |batch| match batch.command_once(&identity, &key, command.clone()) {
            Err(CommandError::Store(e)) => Err(e),
            answer => Ok(answer),
        });
        answer.await?
    }

    /// Forgets keys that are too old to count.
    pub(super) async fn forget_idempotency_keys(&self) -> Result<(), StoreError> {
        self.write(|batch| {
            let now_ms = batch.now_ms;
            Ok(batch.idempotency_keys.open_mut()?.retain(|_, (used_ms, _)| counts(used_ms, now_ms))?)
        })
        .await
    }
}

impl Snapshot {
    /// The status that was made under a key that still counts.
    pub(crate) fn made_under(&self, key: &IdempotencyKey) -> Result<Option<StatusId>, StoreError> {
        look_up(&self.table(tables::IDEMPOTENCY_KEYS)?, key, self.shared.now_ms())
    }
}

impl Batch<'_> {
    fn command_once(&mut self, did: &Did, key: &IdempotencyKey, command: Command) -> Answer {
        if let Some(status) = look_up(self.idempotency_keys.open()?, key, self.now_ms)? {
            return Ok(Done { entry: None, status: Some(status), known: true });
        }
        let done = self.command(did, command)?;
        if let Some(status) = done.status {
            let put = self.idempotency_keys.insert(&key.0, (self.now_ms, status.0)).map(|_| ());
            put?;
        }
        Ok(done)
    }
}

fn look_up(
    table: &impl ReadableTable<&'static [u8; 32], (u64, u64)>,
    key: &IdempotencyKey,
    now_ms: u64,
) -> Result<Option<StatusId>, StoreError> {
    let used = table.get(&key.0)?.map(|used| used.value());
    Ok(used.filter(|(used_ms, _)| counts(*used_ms, now_ms)).map(|(_, status)| StatusId(status)))
}

/// A clock that was set back makes no key older than it is.
fn counts(used_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(used_ms) < KEY_MS_MAX
}
