//! Sockets: binds, accepts, and hands each connection to hyper with every bound set.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::arrival::Arrival;
use super::crowd::Crowd;
use super::limits::{
    CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, HANDSHAKE_SECS_MAX, HEADER_BYTES_MAX, HEADER_SECS_MAX, HEADERS_MAX,
    SHUTDOWN_SECS_MAX, STALL_SECS_MAX,
};
use super::patient::Patient;
use crate::tls::ACME_TLS;

/// How long to wait after a failed accept: the usual cause is a lack of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has it.
    #[error("port {port} of {ip} is in use by another program; stop it, or choose another with --http {ip}:PORT")]
    Busy {
        /// The address.
        ip: IpAddr,
        /// The port.
        port: u16,
    },
    /// The system refuses.
    #[error("can't listen on {addr}: {cause}")]
    Refused {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
}

/// Given to every request: cancelled when the server stops, so that what would go on without end ends.
#[derive(Debug, Clone)]
pub struct Stopping(pub CancellationToken);

/// Sockets that are bound but not served yet, so that a busy port shows before the node starts.
#[derive(Debug)]
pub struct Listener {
    addr: SocketAddr,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Binds `addr`, and with `127.0.0.1` also `::1` where the machine has it: `localhost` is either.
    pub async fn bind(addr: SocketAddr) -> Result<Self, ListenError> {
        let first = TcpListener::bind(addr).await.map_err(|cause| failed(addr, cause))?;
        let addr = first.local_addr().map_err(|cause| failed(addr, cause))?;
        let mut sockets = vec![first];
        if addr.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let twin = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), addr.port());
            match TcpListener::bind(twin).await {
                Ok(socket) => sockets.push(socket),
                Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => return Err(failed(twin, cause)),
                Err(cause) => tracing::debug!(%cause, "no IPv6 loopback"),
            }
        }
        Ok(Self { addr, sockets })
    }

    /// Where it listens, with the port that the system chose for port 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }
}

fn failed(addr: SocketAddr, cause: io::Error) -> ListenError {
    match cause.kind() {
        io::ErrorKind::AddrInUse => ListenError::Busy { ip: addr.ip(), port: addr.port() },
        _ => ListenError::Refused { addr, cause },
    }
}

/// What a connection goes through before it is spoken on.
#[derive(Clone)]
enum Door {
    /// Nothing.
    Plain,
    /// A handshake, and a share for each address.
    Tls { acceptor: TlsAcceptor, crowd: Arc<Crowd> },
}

/// Serves until `shutdown`, then lets open requests end for a short while.
pub async fn serve(listener: Listener, router: Router, shutdown: CancellationToken) {
    serve_by(Door::Plain, listener, router, shutdown).await;
}

/// The same over TLS, for other machines. Whoever is slow at the handshake or has too many connections is let go.
pub async fn serve_tls(listener: Listener, config: Arc<ServerConfig>, router: Router, shutdown: CancellationToken) {
    let door = Door::Tls { acceptor: TlsAcceptor::from(config), crowd: Arc::default() };
    serve_by(door, listener, router, shutdown).await;
}

async fn serve_by(door: Door, listener: Listener, router: Router, shutdown: CancellationToken) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let router = router.layer(Extension(Stopping(shutdown.clone())));
    let mut tasks = JoinSet::new();
    for socket in listener.sockets {
        tasks.spawn(accept(socket, door.clone(), router.clone(), Arc::clone(&permits), shutdown.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn accept(socket: TcpListener, door: Door, router: Router, permits: Arc<Semaphore>, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        // The wait for a free place ends with the server, too.
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, socket.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        let Ok(permit) = permit else { break };
        match accepted {
            Ok((stream, peer)) => {
                let (door, router, shutdown) = (door.clone(), router.clone(), shutdown.clone());
                connections.spawn(async move {
                    enter(door, stream, peer, router, shutdown).await;
                    drop(permit);
                });
            }
            Err(cause) => {
                tracing::warn!(%cause, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(socket);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECS_MAX), ended).await.is_err() {
        tracing::debug!("some requests were cut off");
    }
}

async fn enter(door: Door, stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    if let Err(cause) = stream.set_nodelay(true) {
        tracing::debug!(%cause, "no TCP_NODELAY");
    }
    match door {
        Door::Plain => connection(stream, Arrival { peer, over_tls: false }, router, shutdown).await,
        Door::Tls { acceptor, crowd } => {
            let Some(_place) = crowd.enter(peer.ip(), CONNECTIONS_PER_ADDRESS_MAX) else {
                tracing::debug!(%peer, "too many connections of one address");
                return;
            };
            let handshake = acceptor.accept(stream);
            let shaken = tokio::select! {
                () = shutdown.cancelled() => return,
                shaken = tokio::time::timeout(Duration::from_secs(HANDSHAKE_SECS_MAX), handshake) => shaken,
            };
            match shaken {
                // All that an authority wants to see is the handshake.
                Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) => {}
                Ok(Ok(stream)) => connection(stream, Arrival { peer, over_tls: true }, router, shutdown).await,
                Ok(Err(cause)) => tracing::debug!(%cause, "a handshake failed"),
                Err(_elapsed) => tracing::debug!("a handshake took too long"),
            }
        }
    }
}

async fn connection<S>(stream: S, arrival: Arrival, router: Router, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECS_MAX))
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADER_BYTES_MAX);
    let service = TowerToHyperService::new(router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(arrival);
        request
    }));
    let stream = TokioIo::new(Patient::new(stream, Duration::from_secs(STALL_SECS_MAX)));
    let mut served = pin!(builder.serve_connection(stream, service).with_upgrades());
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(cause) = ended {
                    tracing::debug!(%cause, "a connection failed");
                }
                return;
            }
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_stops_in_time_also_while_all_connections_are_taken() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shutdown = CancellationToken::new();
        let none_left = Arc::new(Semaphore::new(0));
        let served = tokio::spawn(accept(socket, Door::Plain, Router::new(), none_left, shutdown.clone()));
        shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(20), served).await.expect("it stops").unwrap();
    }
}
