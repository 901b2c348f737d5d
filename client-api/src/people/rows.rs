//! How people and codes to register lie on disk, as records of the node.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use xom_node::{IDENTITIES_MAX, Reader, StoreError};
use xom_protocol::Did;

use super::limits::CODES_MAX;
use super::password::Password;
use super::role::Role;

/// People, by their DIDs.
pub(super) const PEOPLE: &str = "person";
/// Codes to register, by their hashes.
pub(super) const CODES: &str = "registration_code";

/// What is kept of somebody.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) role: Role,
    pub(super) password: Option<Password>,
    /// Sessions that began with a password before then have ended.
    pub(super) since_ms: u64,
    /// Nobody logs in.
    pub(super) closed: bool,
}

#[derive(Serialize, Deserialize)]
struct RowOnDisk {
    role: String,
    password: Option<Password>,
    since_ms: u64,
    #[serde(default)]
    closed: bool,
}

/// Somebody as bytes.
pub(super) fn of(row: &Row) -> Vec<u8> {
    let Row { role, password, since_ms, closed } = row.clone();
    let row = RowOnDisk { role: role.name().to_owned(), password, since_ms, closed };
    serde_json::to_vec(&row).expect("texts and numbers are JSON")
}

/// People by their DIDs, and when each code was made by its hash.
pub(super) type Loaded = (HashMap<Did, Row>, HashMap<[u8; 32], u64>);

/// Reads everything. What this version can't read has no password.
pub(super) fn load(reader: &Reader) -> Result<Loaded, StoreError> {
    let mut people = HashMap::new();
    for (did, row) in reader.records(PEOPLE, b"", IDENTITIES_MAX)? {
        let did = did.try_into().ok().map(Did);
        people.extend(did.and_then(|did| Some((did, read(&row)?))));
    }
    let mut codes = HashMap::new();
    for (hash, made) in reader.records(CODES, b"", CODES_MAX)? {
        let code = hash.try_into().ok().zip(made.try_into().ok().map(u64::from_be_bytes));
        codes.extend(code);
    }
    Ok((people, codes))
}

fn read(row: &[u8]) -> Option<Row> {
    let row: RowOnDisk = serde_json::from_slice(row).ok()?;
    let role = row.role.parse().ok()?;
    Some(Row { role, password: row.password, since_ms: row.since_ms, closed: row.closed })
}
