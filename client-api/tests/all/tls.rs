//! The TLS listener over real sockets: who is answered under which name, what a slow or greedy client can hold, and
//! how a certificate is replaced.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use xom_client_api::http::limits::CONNECTIONS_PER_ADDRESS_MAX;
use xom_client_api::http::{Access, Listener, serve_tls};
use xom_client_api::outgoing::{Outgoing, Permissions};
use xom_client_api::tls::local::set_up;
use xom_client_api::tls::{Keeper, Source, TlsFolder, server_config};

use crate::harness::Server;

/// How long anything is waited for: an authority that was refused once is asked again after a minute.
const DEADLINE: Duration = Duration::from_secs(180);

/// A TLS listener with a certificate, and what is behind it.
pub(crate) struct Secure {
    pub(crate) addr: SocketAddr,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Secure {
    /// Serves what a router answers, with the certificate that a keeper keeps.
    pub(crate) fn serve(listener: Listener, keeper: Keeper, outgoing: Outgoing, router: Router) -> Self {
        let (addr, stop) = (listener.addr(), CancellationToken::new());
        let config = server_config(keeper.certificates());
        let served = tokio::spawn(serve_tls(listener, config, router, stop.clone()));
        let kept = tokio::spawn(keeper.run(outgoing, stop.clone()));
        Self { addr, stop, tasks: vec![served, kept] }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

pub(crate) async fn listener() -> Listener {
    Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn nobody() -> Outgoing {
    Outgoing::new(&Permissions::default())
}

/// A listener with the node's own certificate for `localhost`, and the root that clients trust.
async fn own(router: impl FnOnce(u16) -> Router) -> (Secure, CertificateDer<'static>, TempDir) {
    let (listener, data) = (listener().await, tempfile::tempdir().unwrap());
    let (folder, names) = (TlsFolder::of(data.path()), vec!["localhost".parse().unwrap()]);
    let root = set_up(&folder, &names, listener.addr(), SystemTime::now()).unwrap();
    let keeper = Keeper::open(Source::Local, folder, names).unwrap();
    let router = router(listener.port());
    (Secure::serve(listener, keeper, nobody(), router), root.der, data)
}

fn client(root: &CertificateDer<'static>, protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

pub(crate) async fn connect(
    addr: SocketAddr,
    root: &CertificateDer<'static>,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    client(root, &[b"http/1.1"]).connect(name, TcpStream::connect(addr).await?).await
}

/// Asks once and reads until the server closes.
async fn ask(secure: &Secure, root: &CertificateDer<'static>, host: &str, path: &str) -> String {
    let mut stream = connect(secure.addr, root, "localhost").await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The last word of TLS may be lost with the connection.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Looks again and again until something holds.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let found = async {
        loop {
            pace.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

#[tokio::test]
async fn r_api_1_over_tls_the_names_of_the_certificate_are_answered_with_addresses_that_clients_take() {
    let server = Server::start().await;
    let names = vec!["localhost".parse().unwrap()];
    let with = |port| server.router_with(Access { tls: Some((port, names)), ..Access::default() });
    let (secure, root, _data) = own(with).await;
    let host = format!("localhost:{}", secure.addr.port());
    let instance = ask(&secure, &root, &host, "/api/v2/instance").await;
    assert!(instance.starts_with("HTTP/1.1 200"), "{instance}");
    for address in [format!("\"streaming\":\"wss://{host}\""), format!("\"source_url\":\"https://{host}\"")] {
        assert!(instance.contains(&address), "{address}: {instance}");
    }
    for host in ["localhost:7766", "127.0.0.1:7766", "evil.example"] {
        let refused = ask(&secure, &root, host, "/health").await;
        assert!(refused.starts_with("HTTP/1.1 421"), "{host}: {refused}");
    }
    // What this machine may see without a token, others may not, by whatever name they come.
    let metrics = ask(&secure, &root, &host, "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 404"), "{metrics}");
    let forwarded = ask(&secure, &root, &format!("{host}\r\nX-Forwarded-Host: evil.example"), "/api/v1/instance").await;
    assert!(forwarded.starts_with("HTTP/1.1 200") && !forwarded.contains("evil.example"), "{forwarded}");
    secure.end().await;
    server.stop().await;
}

#[tokio::test]
async fn plain_http_gets_no_answer_from_the_tls_listener() {
    let (secure, _root, _data) = own(|_| Router::new().fallback(async || "secret")).await;
    let mut stream = TcpStream::connect(secure.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    secure.end().await;
}

#[tokio::test]
async fn who_speaks_only_what_we_do_not_is_refused_in_the_handshake() {
    let (secure, root, _data) = own(|_| Router::new()).await;
    // HTTP/2 alone; and the proof for an authority that was not asked.
    for protocol in [&b"h2"[..], b"acme-tls/1"] {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(secure.addr).await.unwrap();
        assert!(client(&root, &[protocol]).connect(name, stream).await.is_err());
    }
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(secure.addr).await.unwrap();
    let spoken = client(&root, &[b"h2", b"http/1.1"]).connect(name, stream).await.unwrap();
    assert_eq!(spoken.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    secure.end().await;
}

#[tokio::test]
async fn r_api_17_who_never_finishes_a_handshake_is_let_go() {
    let (secure, _root, _data) = own(|_| Router::new()).await;
    let mut silent = TcpStream::connect(secure.addr).await.unwrap();
    let mut trickling = TcpStream::connect(secure.addr).await.unwrap();
    let (mut heard, mut byte) = (Vec::new(), [0]);
    let ended = async {
        let _ = silent.read_to_end(&mut heard).await;
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        // A record of TLS that is announced as long, and comes byte by byte.
        for sent in [0x16, 3, 1, 0x3f, 0xff].into_iter().chain(std::iter::repeat(0)) {
            if trickling.write_all(&[sent]).await.is_err() {
                break;
            }
            tokio::select! {
                read = trickling.read(&mut byte) => if matches!(read, Ok(0) | Err(_)) { break },
                _ = pace.tick() => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, ended).await.expect("both are let go");
    secure.end().await;
}

#[tokio::test]
async fn r_api_17_one_address_cannot_take_all_connections() {
    let (secure, root, _data) = own(|_| Router::new().fallback(async || "ok")).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS_MAX {
        held.push(connect(secure.addr, &root, "localhost").await.unwrap());
    }
    assert!(connect(secure.addr, &root, "localhost").await.is_err(), "one too many");
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let other = other.connect(secure.addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    client(&root, &[]).connect(name, other).await.expect("another address has its own share");
    held.pop();
    until("a place is free again", || async { connect(secure.addr, &root, "localhost").await.ok() }).await;
    secure.end().await;
}

#[tokio::test]
async fn a_certificate_whose_files_change_is_used_without_a_restart_and_a_broken_one_is_not() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, key) = (data.path().join("chain.pem"), data.path().join("key.pem"));
    let first = put_pair(&certificate, &key);
    let source = Source::Files { certificate: certificate.clone(), key: key.clone() };
    let keeper = Keeper::open(source, TlsFolder::of(data.path()), vec!["localhost".parse().unwrap()]).unwrap();
    let secure = Secure::serve(listener().await, keeper, nobody(), Router::new());
    assert!(connect(secure.addr, &first, "localhost").await.is_ok());
    // Half of a pair, as whoever renews it may leave for a moment.
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(connect(secure.addr, &first, "localhost").await.is_ok());
    let second = put_pair(&certificate, &key);
    until("the new certificate is used", || async { connect(secure.addr, &second, "localhost").await.ok() }).await;
    assert!(connect(secure.addr, &first, "localhost").await.is_err());
    secure.end().await;
}

/// Writes a self-signed certificate and its key.
fn put_pair(certificate: &Path, key: &Path) -> CertificateDer<'static> {
    let made_key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&made_key).unwrap();
    std::fs::write(certificate, made.pem()).unwrap();
    std::fs::write(key, made_key.serialize_pem()).unwrap();
    made.der().clone()
}
