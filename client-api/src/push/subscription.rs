//! Who wants to be pushed what: one subscription for each token, as a record of this node.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xom_node::{Reader, Records, StoreError};
use xom_protocol::Did;

use super::encrypt::Receiver;

/// The family of records: by DID and token.
const FAMILY: &str = "push_subscription";
/// Most subscriptions of an identity.
const SUBSCRIPTIONS_MAX: usize = 256;
/// Every kind of alert that clients know; those of which this node knows nothing stay silent.
const KINDS: [&str; 13] = [
    "mention",
    "quote",
    "status",
    "reblog",
    "follow",
    "follow_request",
    "favourite",
    "poll",
    "update",
    "quoted_update",
    "admin.sign_up",
    "admin.report",
    "severed_relationships",
];

/// The kinds of notification that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerts(BTreeSet<&'static str>);

/// Whose doings are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Everybody's.
    #[default]
    All,
    /// Of those whom the identity follows.
    Followed,
    /// Of those who follow it.
    Follower,
    /// Nobody's.
    None,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Whose notifications.
    pub did: Did,
    /// The hash of the token that subscribed.
    pub token: [u8; 32],
    /// Where the push service takes messages.
    pub endpoint: String,
    /// By which keys they are read.
    pub receiver: Receiver,
    /// Which kinds.
    pub alerts: Alerts,
    /// Of whom.
    pub policy: Policy,
    /// Under which name the client reaches the node: pictures are named under it.
    pub base: String,
}

/// A subscription as it lies on disk.
#[derive(Serialize, Deserialize)]
struct Row {
    endpoint: String,
    p256dh: String,
    auth: String,
    alerts: Vec<String>,
    policy: Policy,
    base: String,
}

impl Alerts {
    /// Those that `wanted` says yes to.
    pub fn of(wanted: impl Fn(&str) -> bool) -> Self {
        Self(KINDS.into_iter().filter(|kind| wanted(kind)).collect())
    }

    /// Whether a kind is wanted.
    pub fn has(&self, kind: &str) -> bool {
        self.0.contains(kind)
    }

    /// Every kind with whether it is wanted.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, bool)> {
        KINDS.into_iter().map(|kind| (kind, self.has(kind)))
    }
}

impl Policy {
    /// The policy of a name.
    pub fn read(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}

impl Subscription {
    /// A number by which clients name it; nothing that opens anything.
    pub fn id(&self) -> u64 {
        let head = self.token.first_chunk::<8>().expect("8 bytes of 32");
        // Also where numbers are no longer than 53 bits.
        u64::from_be_bytes(*head) >> 11
    }

    /// Writes it down in the place of an earlier one of the token; false where the identity has too many.
    pub fn put(&self, records: &mut Records<'_, '_>, taken: usize) -> Result<bool, StoreError> {
        let is_new = records.get(FAMILY, &key(&self.did, &self.token))?.is_none();
        if is_new && taken >= SUBSCRIPTIONS_MAX {
            return Ok(false);
        }
        let row = Row {
            endpoint: self.endpoint.clone(),
            p256dh: self.receiver.point_text(),
            auth: self.receiver.auth_text(),
            alerts: self.alerts.0.iter().map(|kind| (*kind).to_owned()).collect(),
            policy: self.policy,
            base: self.base.clone(),
        };
        let row = serde_json::to_vec(&row).expect("texts are JSON");
        records.put(FAMILY, &key(&self.did, &self.token), &row)?;
        Ok(true)
    }

    /// Takes that of a token away.
    pub fn remove(records: &mut Records<'_, '_>, did: &Did, token: &[u8; 32]) -> Result<(), StoreError> {
        records.remove(FAMILY, &key(did, token)).map(drop)
    }

    /// That of a token.
    pub fn find(reader: &Reader, did: &Did, token: &[u8; 32]) -> Result<Option<Self>, StoreError> {
        Ok(reader.record(FAMILY, &key(did, token))?.and_then(|row| read(*did, *token, &row)))
    }

    /// Those of an identity. A row that this version can't read is none.
    pub fn of(reader: &Reader, did: &Did) -> Result<Vec<Self>, StoreError> {
        let rows = reader.records(FAMILY, &did.0, SUBSCRIPTIONS_MAX)?;
        let one = |(key, row): (Vec<u8>, Vec<u8>)| read(*did, *key.last_chunk()?, &row);
        Ok(rows.into_iter().filter_map(one).collect())
    }
}

fn key(did: &Did, token: &[u8; 32]) -> Vec<u8> {
    [did.0, *token].concat()
}

fn read(did: Did, token: [u8; 32], row: &[u8]) -> Option<Subscription> {
    let row: Row = serde_json::from_slice(row).ok()?;
    Some(Subscription {
        did,
        token,
        endpoint: row.endpoint,
        receiver: Receiver::read(&row.p256dh, &row.auth)?,
        alerts: Alerts::of(|kind| row.alerts.iter().any(|wanted| wanted == kind)),
        policy: row.policy,
        base: row.base,
    })
}
