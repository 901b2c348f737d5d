//! The one place that knows apps and their tokens: in memory for every request, on disk for the next start.
//!
//! Ending a token counts in memory first, and takes the row with it; making one is seen in memory before its row is
//! written, and the row is not written where the token has ended meanwhile. So no order of events brings one back.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use xom_node::{Handle, StoreError};
use xom_protocol::Did;
use zeroize::Zeroizing;

use super::client::{Client, Registration};
use super::code::{Codes, Consent, Redeemed, Redemption};
use super::grant::Grant;
use super::limits::{
    APP_TOKENS_MAX, APPS_HOUR_MAX, APPS_MAX, CLIENT_TOKENS_HOUR_MAX, CLIENT_TOKENS_MAX, IDENTITY_TOKENS_MAX, TOKENS_MAX,
};
use super::rows::{self, CLIENTS, GRANTS};
use super::scope::Scopes;
use super::secret;
use super::window::Window;

/// What a token of an app begins with.
pub const TOKEN_PREFIX: &str = "xoma_";
/// What the secret of an app begins with.
const SECRET_PREFIX: &str = "xoms_";
/// What a code begins with.
const CODE_PREFIX: &str = "xomc_";
/// An hour, milliseconds.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// Something that could not be registered, made or ended.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The node's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system has no entropy.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
    /// Strangers have registered as many as they may in an hour.
    #[error("too many apps were registered within an hour; try again later")]
    TooOften,
    /// The app was taken out meanwhile.
    #[error("the app is not registered any more")]
    Removed,
    /// Every app that is registered is in use.
    #[error("{APPS_MAX} apps are registered and in use; revoke one first")]
    Full,
}

/// A secret beside what it opens; the secret is shown once.
pub type WithSecret<T> = (Arc<T>, Zeroizing<String>);

/// Apps, codes and tokens of a node.
pub struct Registry {
    node: Handle,
    state: OnceCell<Mutex<State>>,
    codes: Codes,
    registrations: Window,
    client_tokens: Window,
    requests_max: u32,
}

struct State {
    clients: HashMap<String, Arc<Client>>,
    grants: HashMap<[u8; 32], Arc<Grant>>,
}

/// What a change has taken out of memory and has still to take from disk.
#[derive(Default)]
struct Gone {
    clients: Vec<String>,
    grants: Vec<[u8; 32]>,
}

impl Registry {
    /// The registry of a node; it is read when it is first asked. The tokens of one app for one identity make
    /// `requests_max` requests in five minutes.
    pub fn new(node: Handle, requests_max: u32) -> Self {
        Self {
            node,
            state: OnceCell::new(),
            codes: Codes::default(),
            registrations: Window::new(APPS_HOUR_MAX, HOUR_MS),
            client_tokens: Window::new(CLIENT_TOKENS_HOUR_MAX, HOUR_MS),
            requests_max,
        }
    }

    /// Registers an app. A stranger's registrations are counted; the owner's are not.
    pub async fn register(
        &self,
        wanted: Registration,
        by_owner: bool,
        now_ms: u64,
    ) -> Result<WithSecret<Client>, RegistryError> {
        let state = self.state().await?;
        if !by_owner && !self.registrations.take(now_ms).admitted {
            return Err(RegistryError::TooOften);
        }
        let (id, secret) = (secret::make_id()?, secret::make(SECRET_PREFIX)?);
        let Registration { name, website, redirects, scopes } = wanted;
        // A number that is as hard to meet twice as the id that it is made of.
        let number = u64::from_be_bytes(secret::hash(&id)[..8].try_into().expect("8 bytes of 32")) >> 1;
        let hash = secret::hash(&secret);
        let client = Client { id, number, name, website, redirects, scopes, secret: hash, registered_ms: now_ms };
        let client = Arc::new(client);
        let gone = {
            let mut state = lock(state);
            let gone = state.make_room()?;
            state.clients.insert(client.id.clone(), Arc::clone(&client));
            gone
        };
        let added = Arc::clone(&client);
        self.node
            .records(move |records| {
                gone.take_from(records)?;
                records.put(CLIENTS, added.id.as_bytes(), &rows::of_client(&added))
            })
            .await?;
        Ok((client, secret))
    }

    /// The app of an id.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(lock(self.state().await?).clients.get(id).cloned())
    }

    /// Takes down what the owner has allowed, and answers the code for it.
    pub fn consent(&self, consent: Consent, now_ms: u64) -> Result<Zeroizing<String>, RegistryError> {
        let code = secret::make(CODE_PREFIX)?;
        self.codes.add(secret::hash(&code), consent, now_ms);
        Ok(code)
    }

    /// Makes a token of a code; none if the code is not good. A code that comes twice ends what it made.
    pub async fn redeem(
        &self,
        client: &Arc<Client>,
        by: &Redemption<'_>,
        now_ms: u64,
    ) -> Result<Option<WithSecret<Grant>>, RegistryError> {
        let state = self.state().await?;
        let token = secret::make(TOKEN_PREFIX)?;
        match self.codes.redeem(by, secret::hash(&token), now_ms) {
            Redeemed::Consent(consent) => {
                let grant = self.issue(state, client, Some(consent.did), consent.scopes, &token, now_ms).await?;
                if self.codes.is_burnt(&grant.hash) {
                    self.end(|other| other.hash == grant.hash).await?;
                    return Ok(None);
                }
                Ok(Some((grant, token)))
            }
            Redeemed::Again(made) => {
                tracing::warn!(client = client.id, "a code came twice; what it had made is revoked");
                self.end(|grant| grant.hash == made).await?;
                Ok(None)
            }
            Redeemed::Refused => Ok(None),
        }
    }

    /// Makes a token with which an app speaks for nobody.
    pub async fn issue_to_client(
        &self,
        client: &Arc<Client>,
        scopes: Scopes,
        now_ms: u64,
    ) -> Result<WithSecret<Grant>, RegistryError> {
        let state = self.state().await?;
        if !self.client_tokens.take(now_ms).admitted {
            return Err(RegistryError::TooOften);
        }
        let token = secret::make(TOKEN_PREFIX)?;
        Ok((self.issue(state, client, None, scopes, &token, now_ms).await?, token))
    }

    /// Makes a token for somebody who has just registered through this app.
    pub async fn issue_to_newcomer(
        &self,
        client: &Arc<Client>,
        did: Did,
        scopes: Scopes,
        now_ms: u64,
    ) -> Result<WithSecret<Grant>, RegistryError> {
        let state = self.state().await?;
        let token = secret::make(TOKEN_PREFIX)?;
        Ok((self.issue(state, client, Some(did), scopes, &token, now_ms).await?, token))
    }

    async fn issue(
        &self,
        state: &Mutex<State>,
        client: &Arc<Client>,
        did: Option<Did>,
        scopes: Scopes,
        token: &str,
        now_ms: u64,
    ) -> Result<Arc<Grant>, RegistryError> {
        let (grant, gone) = {
            let mut state = lock(state);
            if !state.clients.contains_key(&client.id) {
                return Err(RegistryError::Removed);
            }
            let grant = Arc::new(Grant {
                hash: secret::hash(token),
                client: Arc::clone(client),
                did,
                scopes,
                created_ms: now_ms,
                used_ms: AtomicU64::new(0),
                noted_ms: AtomicU64::new(0),
                ended: CancellationToken::new(),
                requests: rows::window_of(state.grants.values(), client, did, self.requests_max),
            });
            // Before the others go: its app must not lose the count of requests with its last token.
            let gone = state.make_room_for(&grant);
            state.grants.insert(grant.hash, Arc::clone(&grant));
            (grant, gone)
        };
        let made = Arc::clone(&grant);
        let written = self.node.records(move |records| {
            gone.take_from(records)?;
            if made.ended.is_cancelled() {
                return Ok(());
            }
            records.put(GRANTS, &made.hash, &rows::of_grant(&made))
        });
        if let Err(error) = written.await {
            lock(state).end(|other| other.hash == grant.hash);
            return Err(error.into());
        }
        Ok(grant)
    }

    /// What a token allows; none if it is none, or has ended.
    pub async fn find(&self, token: &str) -> Result<Option<Arc<Grant>>, StoreError> {
        if !token.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        Ok(lock(self.state().await?).grants.get(&secret::hash(token)).cloned())
    }

    /// Whether the token with this hash has not ended.
    pub async fn holds(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(lock(self.state().await?).grants.contains_key(hash))
    }

    /// Takes down that a token is used; on disk no more than once an hour.
    pub async fn note_use(&self, grant: &Arc<Grant>, now_ms: u64) -> Result<(), StoreError> {
        if !grant.use_at(now_ms) {
            return Ok(());
        }
        let grant = Arc::clone(grant);
        let noted = self.node.records(move |records| {
            if grant.ended.is_cancelled() {
                return Ok(());
            }
            records.put(GRANTS, &grant.hash, &rows::of_grant(&grant))
        });
        noted.await
    }

    /// The tokens that identities have allowed, by app and time.
    pub async fn grants(&self) -> Result<Vec<Arc<Grant>>, StoreError> {
        let mut grants: Vec<_> = lock(self.state().await?).grants.values().cloned().collect();
        grants.retain(|grant| grant.did.is_some());
        grants.sort_by(|a, b| (&a.client.name, a.created_ms).cmp(&(&b.client.name, b.created_ms)));
        Ok(grants)
    }

    /// Ends the tokens that fit; answers how many there were.
    pub async fn end(&self, fits: impl Fn(&Grant) -> bool) -> Result<usize, StoreError> {
        let gone = lock(self.state().await?).end(fits);
        let count = gone.grants.len();
        if count > 0 {
            self.node.records(move |records| gone.take_from(records)).await?;
        }
        Ok(count)
    }

    /// Takes an app out with all of its tokens; false if there is none such.
    pub async fn remove(&self, client: &str) -> Result<bool, StoreError> {
        let gone = {
            let mut state = lock(self.state().await?);
            if state.clients.remove(client).is_none() {
                return Ok(false);
            }
            let grants = state.end(|grant| grant.client.id == client).grants;
            Gone { clients: vec![client.to_owned()], grants }
        };
        self.node.records(move |records| gone.take_from(records)).await?;
        Ok(true)
    }

    async fn state(&self) -> Result<&Mutex<State>, StoreError> {
        let load = async || {
            let requests_max = self.requests_max;
            let (clients, grants) = self.node.read(move |reader| rows::load(reader, requests_max)).await?;
            Ok(Mutex::new(State { clients, grants }))
        };
        self.state.get_or_try_init(load).await
    }
}

impl State {
    /// Makes room for another app.
    fn make_room(&mut self) -> Result<Gone, RegistryError> {
        if self.clients.len() < APPS_MAX {
            return Ok(Gone::default());
        }
        let in_use =
            |client: &Client| self.grants.values().any(|grant| grant.client.id == client.id && grant.did.is_some());
        let idle = self.clients.values().filter(|client| !in_use(client));
        let oldest = idle.min_by_key(|client| client.registered_ms).ok_or(RegistryError::Full)?.id.clone();
        self.clients.remove(&oldest);
        let grants = self.end(|grant| grant.client.id == oldest).grants;
        Ok(Gone { clients: vec![oldest], grants })
    }

    /// Makes room for another token: of the same app and identity first, then of all identities.
    fn make_room_for(&mut self, new: &Grant) -> Gone {
        let mut gone = Gone::default();
        let of_app = |grant: &Grant| grant.client.id == new.client.id && grant.did == new.did;
        let most = if new.did.is_some() { APP_TOKENS_MAX } else { CLIENT_TOKENS_MAX };
        gone.grants.extend(self.end_idlest(most, of_app));
        if new.did.is_some() {
            // One of the people does not take the room of the others.
            gone.grants.extend(self.end_idlest(IDENTITY_TOKENS_MAX, |grant| grant.did == new.did));
            gone.grants.extend(self.end_idlest(TOKENS_MAX, |grant| grant.did.is_some()));
        }
        gone
    }

    /// Ends the token that was used least lately among those that fit, where there are `most`.
    fn end_idlest(&mut self, most: usize, fits: impl Fn(&Grant) -> bool) -> Option<[u8; 32]> {
        let of_kind: Vec<&Arc<Grant>> = self.grants.values().filter(|grant| fits(grant)).collect();
        if of_kind.len() < most {
            return None;
        }
        let last = |grant: &&&Arc<Grant>| grant.last_used_ms().unwrap_or(0).max(grant.created_ms);
        let hash = of_kind.iter().min_by_key(last)?.hash;
        self.end(|grant| grant.hash == hash);
        Some(hash)
    }

    fn end(&mut self, fits: impl Fn(&Grant) -> bool) -> Gone {
        let mut gone = Gone::default();
        self.grants.retain(|hash, grant| {
            let ends = fits(grant);
            if ends {
                grant.ended.cancel();
                gone.grants.push(*hash);
            }
            !ends
        });
        gone
    }
}

impl Gone {
    fn take_from(&self, records: &mut xom_node::Records<'_, '_>) -> Result<(), StoreError> {
        for id in &self.clients {
            records.remove(CLIENTS, id.as_bytes())?;
        }
        for hash in &self.grants {
            records.remove(GRANTS, hash)?;
        }
        Ok(())
    }
}

/// No holder leaves the maps half changed, so a panic elsewhere doesn't spoil them.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
