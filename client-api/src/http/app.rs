//! What every handler shares.

use std::sync::{Arc, RwLock};
use std::time::Instant;

use tokio::sync::Semaphore;
use xom_node::model::OwnedIdentity;
use xom_node::{Handle, StoreError};
use xom_protocol::Did;

use super::answers::Answers;
use super::auth::Token;
use super::base::Hosts;
use super::limits::{REQUESTS_FROM_OUTSIDE_MAX, REQUESTS_IN_FLIGHT_MAX, UPLOADS_IN_FLIGHT_MAX};
use super::request_id::RequestIds;
use crate::api::strangers::Strangers;
use crate::api::streaming::Streams;
use crate::api::xom::once::InHand;
use crate::oauth::Registry;
use crate::oauth::limits::REQUESTS_MAX;
use crate::outgoing::IpRange;
use crate::people::{People, Terms};
use crate::push::VapidKey;
use crate::tls::Name;
use crate::tls::local::Root;

/// What the server is told at its start.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The port that it is bound to, as [`super::Listener::port`] says.
    pub port: u16,
    /// Names beside the loopback ones under which it may be reached: `xom.example`, `xom.example:8443`, or with
    /// `https://` before them where a proxy adds TLS.
    pub names: Vec<String>,
    /// The owner's token.
    pub token: Token,
    /// The token of `/metrics` under names of proxies; none where they are not to be had there.
    pub metrics: Option<Token>,
    /// How strangers become people of this node.
    pub people: Terms,
    /// Requests that the tokens of one app for one identity may make in five minutes.
    pub requests_per_5_min: u32,
    /// How other machines come in.
    pub access: Access,
    /// The key by which push services know the node; none where nothing is pushed.
    pub vapid: Option<VapidKey>,
}

impl HttpConfig {
    /// The usual: no names but the loopback ones, no `/metrics` elsewhere, nobody registers.
    pub fn new(port: u16, token: Token) -> Self {
        let people = Terms::default();
        Self {
            port,
            names: Vec::new(),
            token,
            metrics: None,
            people,
            requests_per_5_min: REQUESTS_MAX,
            access: Access::default(),
            vapid: None,
        }
    }
}

/// The ways by which other machines come in; by default there are none.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The port of the TLS listener, and the names that its certificate is for.
    pub tls: Option<(u16, Vec<Name>)>,
    /// The root that devices can be made to trust for these names, where it is the node's own.
    pub root: Option<Root>,
    /// The proxies whose word on the scheme counts.
    pub proxies: Vec<IpRange>,
}

/// A cheap clone that holds the node and the server's own small state.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    node: Handle,
    token: Token,
    metrics: Option<Token>,
    registry: Registry,
    people: People,
    answers: Answers,
    hosts: Hosts,
    root: Option<Root>,
    vapid: Option<VapidKey>,
    started: Instant,
    requests: Arc<Semaphore>,
    from_outside: Semaphore,
    uploads: Semaphore,
    request_ids: RequestIds,
    streams: Streams,
    strangers: Strangers,
    in_hand: InHand,
    identities: RwLock<Arc<[OwnedIdentity]>>,
}

impl App {
    /// Puts a running node behind HTTP.
    pub fn new(node: Handle, config: HttpConfig) -> Self {
        let inner = Inner {
            registry: Registry::new(node.clone(), config.requests_per_5_min),
            people: People::new(node.clone(), config.people),
            node,
            token: config.token,
            metrics: config.metrics,
            answers: Answers::default(),
            hosts: Hosts::new(config.port, &config.names, &config.access),
            root: config.access.root,
            vapid: config.vapid,
            started: Instant::now(),
            requests: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT_MAX)),
            from_outside: Semaphore::new(REQUESTS_FROM_OUTSIDE_MAX),
            uploads: Semaphore::new(UPLOADS_IN_FLIGHT_MAX),
            request_ids: RequestIds::new(),
            streams: Streams::default(),
            strangers: Strangers::default(),
            in_hand: InHand::default(),
            identities: RwLock::new(Arc::new([])),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The node.
    pub fn node(&self) -> &Handle {
        &self.inner.node
    }

    /// The owner's token.
    pub fn token(&self) -> &Token {
        &self.inner.token
    }

    /// Apps and their tokens.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Whose identities live here, and who may log in by name.
    pub fn people(&self) -> &People {
        &self.inner.people
    }

    /// The token of `/metrics`, where they are to be had under names of proxies.
    pub fn metrics_token(&self) -> Option<&Token> {
        self.inner.metrics.as_ref()
    }

    /// How requests were answered.
    pub fn answers(&self) -> &Answers {
        &self.inner.answers
    }

    /// Requests that are being answered now.
    pub fn requests_in_flight(&self) -> u64 {
        let free = self.inner.requests.available_permits();
        u64::try_from(REQUESTS_IN_FLIGHT_MAX.saturating_sub(free)).unwrap_or(u64::MAX)
    }

    /// Under which names the server may be reached.
    pub fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    /// The public half of the key by which push services know the node.
    pub fn vapid_public(&self) -> &str {
        self.inner.vapid.as_ref().map_or("", VapidKey::public_text)
    }

    /// Whether the token with this hash still opens anything.
    pub async fn is_good(&self, token: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self.inner.token.digest() == token || self.inner.registry.holds(token).await?)
    }

    /// When the server started.
    pub fn started(&self) -> Instant {
        self.inner.started
    }

    /// Permits for requests in flight.
    pub(crate) fn requests(&self) -> &Arc<Semaphore> {
        &self.inner.requests
    }

    /// Permits for those of them that came over TLS.
    pub(crate) fn requests_from_outside(&self) -> &Semaphore {
        &self.inner.from_outside
    }

    /// The root that devices can be made to trust, where the certificate is the node's own.
    pub fn root(&self) -> Option<&Root> {
        self.inner.root.as_ref()
    }

    /// Permits for uploads in flight; each has a temporary file of up to a whole medium.
    pub(crate) fn uploads(&self) -> &Semaphore {
        &self.inner.uploads
    }

    /// The streams that are open.
    pub(crate) fn streams(&self) -> &Streams {
        &self.inner.streams
    }

    /// People whom searches have named and of whom nothing is known.
    pub(crate) fn strangers(&self) -> &Strangers {
        &self.inner.strangers
    }

    /// Requests with a key that are being answered.
    pub(crate) fn in_hand(&self) -> &InHand {
        &self.inner.in_hand
    }

    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.inner.request_ids
    }

    /// The identity of this node with this user name, or the first; none if there is none such.
    ///
    /// The list is kept: identities are added, never taken away, so only a miss asks the node again. One that was
    /// restored and waits for a device key stands after those that live here.
    pub async fn identity(&self, username: Option<&str>) -> Result<Option<OwnedIdentity>, StoreError> {
        self.identity_that(|identity| username.is_none_or(|name| identity.username == name)).await
    }

    /// The identity of this node with this DID.
    pub async fn identity_of(&self, did: &Did) -> Result<Option<OwnedIdentity>, StoreError> {
        self.identity_that(|identity| identity.did == *did).await
    }

    async fn identity_that(&self, fits: impl Fn(&OwnedIdentity) -> bool) -> Result<Option<OwnedIdentity>, StoreError> {
        let known = Arc::clone(&self.inner.identities.read().expect("no holder of this lock panics"));
        if let Some(identity) = known.iter().find(|identity| fits(identity)) {
            return Ok(Some(identity.clone()));
        }
        let fresh: Arc<[OwnedIdentity]> = self.inner.node.read(|reader| reader.owned_identities()).await?.into();
        *self.inner.identities.write().expect("no holder of this lock panics") = Arc::clone(&fresh);
        Ok(fresh.iter().find(|identity| fits(identity)).cloned())
    }
}
