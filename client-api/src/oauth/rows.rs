//! How apps and tokens lie on disk, as records of the node.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use xom_node::Reader;

use super::client::Client;
use super::grant::Grant;
use super::limits::{APPS_MAX, CLIENT_TOKENS_MAX, TOKENS_MAX, WINDOW_MS};
use super::redirect::RedirectUri;
use super::scope::Scopes;
use super::window::Window;

/// Apps, by their ids.
pub(super) const CLIENTS: &str = "oauth_client";
/// Tokens, by their hashes.
pub(super) const GRANTS: &str = "oauth_token";

#[derive(Serialize, Deserialize)]
struct ClientRow {
    number: u64,
    name: String,
    website: Option<String>,
    redirects: Vec<String>,
    scopes: String,
    secret: [u8; 32],
    registered_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct GrantRow {
    client: String,
    did: Option<String>,
    scopes: String,
    created_ms: u64,
    used_ms: u64,
}

/// An app as bytes.
pub(super) fn of_client(client: &Client) -> Vec<u8> {
    let row = ClientRow {
        number: client.number,
        name: client.name.clone(),
        website: client.website.clone(),
        redirects: client.redirects.iter().map(ToString::to_string).collect(),
        scopes: client.scopes.to_string(),
        secret: client.secret,
        registered_ms: client.registered_ms,
    };
    serde_json::to_vec(&row).expect("texts and numbers are JSON")
}

/// A token as bytes.
pub(super) fn of_grant(grant: &Grant) -> Vec<u8> {
    let row = GrantRow {
        client: grant.client.id.clone(),
        did: grant.did.map(|did| did.to_string()),
        scopes: grant.scopes.to_string(),
        created_ms: grant.created_ms,
        used_ms: grant.last_used_ms().unwrap_or(0),
    };
    serde_json::to_vec(&row).expect("texts and numbers are JSON")
}

/// All apps by their ids, and all tokens by their hashes.
pub(super) type Loaded = (HashMap<String, Arc<Client>>, HashMap<[u8; 32], Arc<Grant>>);

/// Reads everything. A row that this version can't read is no app and no token.
pub(super) fn load(reader: &Reader, requests_max: u32) -> Result<Loaded, xom_node::StoreError> {
    let mut clients = HashMap::new();
    for (id, row) in reader.records(CLIENTS, b"", APPS_MAX)? {
        let client = String::from_utf8(id).ok().and_then(|id| read_client(id, &row));
        clients.extend(client.map(|client| (client.id.clone(), Arc::new(client))));
    }
    let mut grants: HashMap<[u8; 32], Arc<Grant>> = HashMap::new();
    for (hash, row) in reader.records(GRANTS, b"", TOKENS_MAX + APPS_MAX * CLIENT_TOKENS_MAX)? {
        let grant = hash.try_into().ok().and_then(|hash| read_grant(hash, &row, &clients, &grants, requests_max));
        grants.extend(grant.map(|grant| (grant.hash, Arc::new(grant))));
    }
    Ok((clients, grants))
}

fn read_client(id: String, row: &[u8]) -> Option<Client> {
    let row: ClientRow = serde_json::from_slice(row).ok()?;
    let redirects: Result<_, _> = row.redirects.iter().map(|uri| RedirectUri::parse(uri)).collect();
    Some(Client {
        id,
        number: row.number,
        name: row.name,
        website: row.website,
        redirects: redirects.ok()?,
        scopes: Scopes::parse(&row.scopes).ok()?,
        secret: row.secret,
        registered_ms: row.registered_ms,
    })
}

fn read_grant(
    hash: [u8; 32],
    row: &[u8],
    clients: &HashMap<String, Arc<Client>>,
    others: &HashMap<[u8; 32], Arc<Grant>>,
    requests_max: u32,
) -> Option<Grant> {
    let row: GrantRow = serde_json::from_slice(row).ok()?;
    let did = row.did.map(|did| did.parse()).transpose().ok()?;
    let client = clients.get(&row.client)?;
    Some(Grant {
        hash,
        client: Arc::clone(client),
        did,
        scopes: Scopes::parse(&row.scopes).ok()?,
        created_ms: row.created_ms,
        used_ms: AtomicU64::new(row.used_ms),
        noted_ms: AtomicU64::new(row.used_ms),
        ended: CancellationToken::new(),
        requests: window_of(others.values(), client, did, requests_max),
    })
}

/// The count of requests of an app for an identity: all of its tokens share one.
pub(super) fn window_of<'g>(
    mut grants: impl Iterator<Item = &'g Arc<Grant>>,
    client: &Client,
    did: Option<xom_protocol::Did>,
    requests_max: u32,
) -> Arc<Window> {
    let found = grants.find(|grant| grant.client.id == client.id && grant.did == did);
    found.map_or_else(|| Arc::new(Window::new(requests_max, WINDOW_MS)), |grant| Arc::clone(&grant.requests))
}
