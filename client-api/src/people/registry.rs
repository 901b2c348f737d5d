//! The one place that knows the people of a node: in memory for every request, on disk for the next start.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use xom_node::{AdoptError, Handle, StoreError};
use xom_protocol::Did;
use xom_protocol::body::is_username;
use zeroize::Zeroizing;

use super::limits::{CODE_MS_MAX, CODES_MAX, REGISTRATIONS_MS};
use super::password::{Password, PasswordError};
use super::role::{Registration, Role, Terms};
use super::rows::{self, CODES, PEOPLE, Row};
use super::tries::Tries;
use crate::oauth::window::Window;

/// Random bytes of a code to register.
const CODE_BYTES: usize = 15;

/// Something that could not be done; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The node's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No identity with this name lives here.
    #[error("nobody of this name lives on this node")]
    Unknown,
    /// The name is no user name.
    #[error("must be 1 to 30 of a-z, 0-9 and _")]
    Name,
    /// Somebody has the name.
    #[error("has already been taken")]
    Taken,
    /// The password can't be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// As many live here as can, or as many registered within the hour as may.
    #[error("too many have registered on this node; try again later")]
    TooMany,
    /// Nobody may register.
    #[error("this node takes no registrations; its owner adds people with `xom account add`")]
    Closed,
    /// The code is wrong, used, or too old.
    #[error("the code to register is wrong, used, or older than 7 days")]
    Code,
    /// Too many tries to log in.
    #[error("too many tries to log in; wait a quarter of an hour, or ask the owner for a login link")]
    TooOften,
    /// The first identity is the owner's: somebody must be left who may do everything.
    #[error("the first identity of a node stays, and stays its owner's")]
    First,
    /// The identity can't be made.
    #[error("the identity can't be made: {0}")]
    Make(String),
}

/// Somebody whose identity lives on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The identity.
    pub did: Did,
    /// Its user name here.
    pub username: String,
    /// What the person may do.
    pub role: Role,
    /// True if there is a password to log in with.
    pub has_password: bool,
    /// True if nobody logs in as this identity any more.
    pub closed: bool,
}

/// Who wants to become one of the people.
pub struct Newcomer {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// What the person may do.
    pub role: Role,
}

/// Roles, passwords and codes to register of a node.
pub struct People {
    node: Handle,
    terms: Terms,
    state: OnceCell<Mutex<State>>,
    registrations: Window,
    tries: Tries,
}

struct State {
    people: HashMap<Did, Row>,
    codes: HashMap<[u8; 32], u64>,
    first: Option<Did>,
}

impl People {
    /// The people of a node; they are read when they are first asked for.
    pub fn new(node: Handle, terms: Terms) -> Self {
        let registrations = Window::new(terms.per_hour, REGISTRATIONS_MS);
        Self { node, terms, state: OnceCell::new(), registrations, tries: Tries::new() }
    }

    /// Who may register.
    pub fn registration(&self) -> Registration {
        self.terms.registration
    }

    /// What somebody may do. The first identity is the owner's; any other without a record is a member's.
    pub async fn role(&self, did: &Did) -> Result<Role, StoreError> {
        Ok(lock(self.state().await?).role(did))
    }

    /// What a session may do that began with a password at `begun_ms`; none where it has ended.
    pub async fn role_in_session(&self, did: &Did, begun_ms: u64) -> Result<Option<Role>, StoreError> {
        let state = lock(self.state().await?);
        let row = state.people.get(did).filter(|row| !row.closed && row.password.is_some());
        Ok(row.filter(|row| row.since_ms <= begun_ms).map(|_| state.role(did)))
    }

    /// Whether anybody logs in as an identity.
    pub async fn is_closed(&self, did: &Did) -> Result<bool, StoreError> {
        Ok(lock(self.state().await?).people.get(did).is_some_and(|row| row.closed))
    }

    /// All people, in the order in which they came.
    pub async fn list(&self) -> Result<Vec<Person>, StoreError> {
        let identities = self.node.read(|reader| reader.owned_identities()).await?;
        let state = lock(self.state().await?);
        let people = identities.into_iter().map(|identity| {
            let row = state.people.get(&identity.did);
            Person {
                did: identity.did,
                username: identity.username,
                role: state.role(&identity.did),
                has_password: row.is_some_and(|row| row.password.is_some() && !row.closed),
                closed: row.is_some_and(|row| row.closed),
            }
        });
        Ok(people.collect())
    }

    /// Finds the person whose name and password these are; none if there is none such.
    pub async fn log_in(&self, username: &str, password: &str, now_ms: u64) -> Result<Option<Did>, PeopleError> {
        let name = username.trim().trim_start_matches('@').to_lowercase();
        let found = self.list().await?.into_iter().find(|person| person.username == name && person.has_password);
        let did = found.map(|person| person.did);
        if !self.tries.take(did, now_ms) {
            return Err(PeopleError::TooOften);
        }
        let kept = match &did {
            Some(did) => lock(self.state().await?).people.get(did).and_then(|row| row.password.clone()),
            None => None,
        };
        let text = Zeroizing::new(password.to_owned());
        let reckoned = self.reckon(move || match kept {
            Some(kept) => kept.is(&text),
            None => {
                Password::reckon_in_vain(&text);
                false
            }
        });
        let is_right = reckoned.await?;
        let did = did.filter(|_| is_right);
        if let Some(did) = &did {
            self.tries.forget(did);
        }
        Ok(did)
    }

    /// Makes an identity for somebody whom the owner adds.
    pub async fn add(&self, newcomer: Newcomer, now_ms: u64) -> Result<Did, PeopleError> {
        let Newcomer { username, password, role } = newcomer;
        let password = self.reckon(move || Password::new(&password)).await??;
        let did = self.node.make_identity(&username).await?;
        let row = Row { role, password: Some(password), since_ms: now_ms, closed: false };
        self.put(did, row).await?;
        Ok(did)
    }

    /// The same for a stranger who registers, as far as the settings let strangers.
    pub async fn register(&self, newcomer: Newcomer, code: Option<&str>, now_ms: u64) -> Result<Did, PeopleError> {
        let code = match self.terms.registration {
            Registration::Closed => return Err(PeopleError::Closed),
            Registration::Open => None,
            Registration::Invite => Some(code.map(hash).ok_or(PeopleError::Code)?),
        };
        // What is wrong with the name or the password costs nobody a code.
        if !is_username(&newcomer.username) {
            return Err(PeopleError::Name);
        }
        let taken = self.list().await?.iter().any(|person| person.username == newcomer.username);
        if taken {
            return Err(PeopleError::Taken);
        }
        if let Some(code) = &code
            && !lock(self.state().await?).is_good(code, now_ms)
        {
            return Err(PeopleError::Code);
        }
        if !self.registrations.take(now_ms).admitted {
            return Err(PeopleError::TooMany);
        }
        let password = newcomer.password.clone();
        let password = self.reckon(move || Password::new(&password)).await??;
        if let Some(code) = code {
            self.spend(code, now_ms).await?;
        }
        let did = self.node.make_identity(&newcomer.username).await?;
        let row = Row { role: Role::Member, password: Some(password), since_ms: now_ms, closed: false };
        self.put(did, row).await?;
        Ok(did)
    }

    /// Makes a code with which one person may register.
    pub async fn invite(&self, now_ms: u64) -> Result<Zeroizing<String>, PeopleError> {
        let mut seed = Zeroizing::new([0; CODE_BYTES]);
        getrandom::fill(seed.as_mut()).map_err(|cause| PasswordError::Entropy(cause.to_string()))?;
        let code = Zeroizing::new(BASE32_NOPAD.encode(seed.as_ref()).to_lowercase());
        let new = hash(&code);
        let gone = {
            let mut state = lock(self.state().await?);
            let gone = state.make_room(now_ms);
            state.codes.insert(new, now_ms);
            gone
        };
        self.node
            .records(move |records| {
                for code in &gone {
                    records.remove(CODES, code)?;
                }
                records.put(CODES, &new, &now_ms.to_be_bytes())
            })
            .await?;
        Ok(code)
    }

    /// Gives somebody another password: sessions that began with the old one end. Opens what was closed.
    pub async fn set_password(&self, did: Did, text: Zeroizing<String>, now_ms: u64) -> Result<(), PeopleError> {
        let password = self.reckon(move || Password::new(&text)).await??;
        let role = self.role(&did).await?;
        self.put(did, Row { role, password: Some(password), since_ms: now_ms, closed: false }).await
    }

    /// Lets somebody do more, or less.
    pub async fn set_role(&self, did: Did, role: Role) -> Result<(), PeopleError> {
        let row = {
            let state = lock(self.state().await?);
            if state.first == Some(did) && role != Role::Owner {
                return Err(PeopleError::First);
            }
            let row = state.people.get(&did).cloned();
            row.unwrap_or(Row { role, password: None, since_ms: 0, closed: false })
        };
        self.put(did, Row { role, ..row }).await
    }

    /// Nobody logs in as this identity any more. Its keys and what it wrote stay.
    pub async fn close(&self, did: Did, now_ms: u64) -> Result<(), PeopleError> {
        let role = {
            let state = lock(self.state().await?);
            if state.first == Some(did) {
                return Err(PeopleError::First);
            }
            state.role(&did)
        };
        self.put(did, Row { role, password: None, since_ms: now_ms, closed: true }).await
    }

    /// The identity of a user name.
    pub async fn find(&self, username: &str) -> Result<Did, PeopleError> {
        let identities = self.node.read(|reader| reader.owned_identities()).await?;
        let found = identities.into_iter().find(|identity| identity.username == username);
        found.map(|identity| identity.did).ok_or(PeopleError::Unknown)
    }

    async fn put(&self, did: Did, row: Row) -> Result<(), PeopleError> {
        let state = self.state().await?;
        let bytes = rows::of(&row);
        self.node.records(move |records| records.put(PEOPLE, &did.0, &bytes)).await?;
        lock(state).people.insert(did, row);
        Ok(())
    }

    /// Takes a code; of two who bring it at once, one gets in.
    async fn spend(&self, code: [u8; 32], now_ms: u64) -> Result<(), PeopleError> {
        let was_good = {
            let mut state = lock(self.state().await?);
            let was_good = state.is_good(&code, now_ms);
            state.codes.remove(&code);
            was_good
        };
        self.node.records(move |records| records.remove(CODES, &code)).await?;
        if was_good { Ok(()) } else { Err(PeopleError::Code) }
    }

    /// Reckons a password, a few at once and off the async threads.
    async fn reckon<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        let _permit = self.tries.at_once.acquire().await.map_err(|_| StoreError::Stopping)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopping)
    }

    async fn state(&self) -> Result<&Mutex<State>, StoreError> {
        let load = async || {
            let read = |reader: &xom_node::Reader| {
                let first = reader.owned_identities()?.first().map(|identity| identity.did);
                Ok((rows::load(reader)?, first))
            };
            let ((people, codes), first) = self.node.read(read).await?;
            Ok(Mutex::new(State { people, codes, first }))
        };
        self.state.get_or_try_init(load).await
    }
}

impl State {
    fn role(&self, did: &Did) -> Role {
        let first = if self.first == Some(*did) { Role::Owner } else { Role::Member };
        self.people.get(did).map_or(first, |row| row.role.max(first))
    }

    fn is_good(&self, code: &[u8; 32], now_ms: u64) -> bool {
        self.codes.get(code).is_some_and(|made_ms| now_ms.saturating_sub(*made_ms) < CODE_MS_MAX)
    }

    /// Takes codes out that are too old, and the oldest where there are too many.
    fn make_room(&mut self, now_ms: u64) -> Vec<[u8; 32]> {
        let mut by_age: Vec<(u64, [u8; 32])> = self.codes.iter().map(|(code, made_ms)| (*made_ms, *code)).collect();
        by_age.sort_unstable();
        let too_many = (by_age.len() + 1).saturating_sub(CODES_MAX);
        let old = by_age.iter().enumerate().filter(|(at, (_, code))| *at < too_many || !self.is_good(code, now_ms));
        let gone: Vec<[u8; 32]> = old.map(|(_, (_, code))| *code).collect();
        for code in &gone {
            self.codes.remove(code);
        }
        gone
    }
}

impl From<AdoptError> for PeopleError {
    fn from(cause: AdoptError) -> Self {
        match cause {
            AdoptError::Username => Self::Name,
            AdoptError::UsernameTaken => Self::Taken,
            AdoptError::TooMany => Self::TooMany,
            AdoptError::Store(cause) => Self::Store(cause),
            other => Self::Make(other.to_string()),
        }
    }
}

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.trim().to_lowercase().as_bytes()).into()
}

/// No holder leaves the maps half changed, so a panic elsewhere doesn't spoil them.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
