//! The one way by which the node's HTTP side asks others: over TLS, to addresses of the public internet alone.
//!
//! Where it goes is often named by somebody else (an app, a server that answers), so the rules are here and nowhere
//! else (`R-API-12`, `R-API-13`): `https` only, a name is looked up once and the very addresses that were checked are
//! connected to, nothing is followed, and both time and bytes are bounded. It never asks a proxy and sends no cookie.

mod range;
mod reach;

pub use range::{IpRange, RangeError};
pub use reach::is_public;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, Uri, header};
use bytes::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::tls;

/// Longest time of a whole exchange, the look-up of the name included.
const EXCHANGE_SECS_MAX: u64 = 10;
/// Most bytes of an answer's body.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Most bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Most exchanges at once; more wait.
const EXCHANGES_MAX: usize = 16;
/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Longest address that is asked.
const URL_BYTES_MAX: usize = 2_048;
/// The port where an address names none.
const HTTPS_PORT: u16 = 443;

/// Looks a name up.
type Lookup = dyn Fn(String, u16) -> Found + Send + Sync;
/// What a look-up comes to.
type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// Not an address that may be asked.
    #[error("{0:?} is no https:// address of a name or number")]
    Address(String),
    /// The name could not be looked up.
    #[error("{host} can't be looked up: {cause}")]
    Lookup {
        /// The name.
        host: String,
        /// What the system says.
        cause: io::Error,
    },
    /// All that the name stands for is on this machine, in a private network, or otherwise not public (`R-API-12`).
    #[error("{0} is not on the public internet; let it be asked with `allow` in the part [outgoing] of the settings")]
    NotPublic(String),
    /// Nobody answered there.
    #[error("can't connect to {host}: {cause}")]
    Connect {
        /// The name.
        host: String,
        /// What the system says.
        cause: io::Error,
    },
    /// What was said is no HTTP, or broke off.
    #[error("the exchange with {host} failed: {cause}")]
    Http {
        /// The name.
        host: String,
        /// What was wrong.
        cause: hyper::Error,
    },
    /// The answer is longer than 1 MiB, or broke off (`R-API-13`).
    #[error("the answer of {0} is too long or broke off")]
    Body(String),
    /// It took too long (`R-API-13`).
    #[error("{0} took too long")]
    TooSlow(String),
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status and headers.
    pub parts: Parts,
    /// Its body.
    pub body: Bytes,
}

/// What may be asked beyond the public internet, and whom else to believe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Addresses that may be asked although they are not public.
    pub allow: Vec<IpRange>,
    /// Certificate authorities beside those of browsers.
    pub roots: Vec<CertificateDer<'static>>,
}

/// A cheap clone of the one client.
#[derive(Clone)]
pub struct Outgoing {
    inner: Arc<Inner>,
}

struct Inner {
    allow: Vec<IpRange>,
    connector: TlsConnector,
    places: Semaphore,
    lookup: Box<Lookup>,
    longest: Duration,
}

impl Outgoing {
    /// A client with these permissions.
    pub fn new(permissions: &Permissions) -> Self {
        let lookup = |host: String, port| -> Found {
            Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), port)).await?.collect()) })
        };
        Self::with(permissions, Box::new(lookup), Duration::from_secs(EXCHANGE_SECS_MAX))
    }

    fn with(permissions: &Permissions, lookup: Box<Lookup>, longest: Duration) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let (_, unusable) = roots.add_parsable_certificates(permissions.roots.iter().cloned());
        if unusable > 0 {
            tracing::warn!(unusable, "some certificate authorities of the settings can't be used");
        }
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let inner = Inner {
            allow: permissions.allow.clone(),
            connector: TlsConnector::from(Arc::new(config)),
            places: Semaphore::new(EXCHANGES_MAX),
            lookup,
            longest,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Asks once. A redirect is an answer like others: nothing is followed.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer, OutgoingError> {
        let target = Target::of(request.uri())?;
        let host = target.host.clone();
        let exchange = async {
            let _place = self.inner.places.acquire().await;
            self.exchange(request, target).await
        };
        let ended = tokio::time::timeout(self.inner.longest, exchange).await;
        ended.unwrap_or(Err(OutgoingError::TooSlow(host)))
    }

    async fn exchange(&self, mut request: Request<Body>, target: Target) -> Result<Answer, OutgoingError> {
        let host = target.host.clone();
        let socket = self.connect(&target).await?;
        let tls = self.inner.connector.connect(target.server_name, socket).await;
        let tls = tls.map_err(|cause| OutgoingError::Connect { host: host.clone(), cause })?;
        let failed = |cause| OutgoingError::Http { host: host.clone(), cause };
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) = builder.handshake(TokioIo::new(tls)).await.map_err(failed)?;
        let authority = HeaderValue::from_str(target.authority.as_str());
        let authority = authority.map_err(|_| OutgoingError::Address(host.clone()))?;
        request.headers_mut().insert(header::HOST, authority);
        *request.uri_mut() = target.path;
        let answered = async {
            let (parts, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
            let body = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await;
            Ok(Answer { parts, body: body.map_err(|_| OutgoingError::Body(host.clone()))? })
        };
        // Dropped with the answer, and the socket with it.
        let mut answered = std::pin::pin!(answered);
        tokio::select! {
            answer = &mut answered => answer,
            // What it ended with is told by the request, too.
            _ = connection => answered.await,
        }
    }

    /// Connects to an address that was checked, not to a name that may mean another by then.
    async fn connect(&self, target: &Target) -> Result<TcpStream, OutgoingError> {
        let host = target.host.clone();
        let found = match target.host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, target.port)],
            Err(_) => {
                let found = (self.inner.lookup)(target.host.clone(), target.port).await;
                found.map_err(|cause| OutgoingError::Lookup { host: host.clone(), cause })?
            }
        };
        let may = |ip: IpAddr| is_public(ip) || self.inner.allow.iter().any(|range| range.contains(ip));
        let mut failure = None;
        for address in found.into_iter().filter(|address| may(address.ip())).take(ADDRESSES_MAX) {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(cause) => failure = Some(cause),
            }
        }
        Err(match failure {
            Some(cause) => OutgoingError::Connect { host, cause },
            None => OutgoingError::NotPublic(host),
        })
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("allow", &self.inner.allow).finish_non_exhaustive()
    }
}

/// An address, taken apart.
struct Target {
    host: String,
    port: u16,
    authority: Authority,
    server_name: ServerName<'static>,
    path: Uri,
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, OutgoingError> {
        let wrong = || OutgoingError::Address(uri.to_string().chars().take(URL_BYTES_MAX).collect());
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https")).ok_or_else(wrong)?;
        if authority.as_str().contains('@') || uri.to_string().len() > URL_BYTES_MAX {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let server_name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = path.parse().map_err(|_| wrong())?;
        let port = authority.port_u16().unwrap_or(HTTPS_PORT);
        Ok(Self { host, port, authority: authority.clone(), server_name, path })
    }
}

/// True for an address that [`Outgoing::send`] may take; whether it is reached is another matter.
pub fn is_https(url: &str) -> bool {
    url.len() <= URL_BYTES_MAX && url.parse::<Uri>().is_ok_and(|uri| Target::of(&uri).is_ok())
}

#[cfg(test)]
mod tests;
