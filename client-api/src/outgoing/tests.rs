//! The client against servers of the test's own, at addresses that it may and may not ask.

use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A server at an address of this machine that gives everybody one answer; ends with the test.
struct Server {
    port: u16,
    root: CertificateDer<'static>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Says `answer`, then goes on with `more` without end.
    async fn start(answer: &'static [u8], more: Option<(&'static [u8], Duration)>) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["push.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let root = certificate.der().clone();
        let config = ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let _ = stream.read(&mut [0; 4_096]).await;
                    let _ = stream.write_all(answer).await;
                    let _ = stream.flush().await;
                    let Some((bytes, pause)) = more else { return };
                    let mut pace = tokio::time::interval(pause);
                    loop {
                        pace.tick().await;
                        if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, root, asked }
    }

    fn permissions(&self, allow: &[&str]) -> Permissions {
        let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
        Permissions { allow, roots: vec![self.root.clone()] }
    }
}

/// A look-up that answers these in turn, the last one for ever; and how often it was asked.
fn names(answers: &'static [&'static [&'static str]]) -> (Box<Lookup>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = move |_host: String, port| -> Found {
        let turn = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found = answers[turn].iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect();
        Box::pin(std::future::ready(Ok(found)))
    };
    (Box::new(lookup), asked)
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<Answer, OutgoingError> {
    outgoing.send(Request::get(url).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_answer_comes_whole_from_where_it_may_be_asked() {
    let server = Server::start(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", None).await;
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, LONG);
    let answer = get(&outgoing, &format!("https://push.example:{}/a?b", server.port)).await.unwrap();
    assert_eq!((answer.parts.status.as_u16(), &answer.body[..]), (201, &b"hello"[..]));
    assert_eq!(answer.parts.headers["x-a"], "b");
}

#[tokio::test]
async fn r_api_12_no_name_and_no_number_leads_to_this_machine_or_a_private_network() {
    let server = Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None).await;
    let (lookup, _) =
        names(&[&["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]]);
    let by_name = Outgoing::with(&server.permissions(&[]), lookup, LONG);
    let refused = get(&by_name, &format!("https://push.example:{}/", server.port)).await.unwrap_err();
    assert!(matches!(refused, OutgoingError::NotPublic(_)), "{refused}");
    let by_number = Outgoing::new(&server.permissions(&[]));
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[fe80::1]",
        "10.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
    ] {
        let refused = get(&by_number, &format!("https://{host}:{}/", server.port)).await.unwrap_err();
        let expected =
            matches!(refused, OutgoingError::NotPublic(_) | OutgoingError::Address(_) | OutgoingError::Lookup { .. });
        assert!(expected, "{host}: {refused}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn r_api_12_a_name_that_means_another_address_the_next_time_is_asked_once() {
    let server = Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None).await;
    // The private one among them is passed over, and the next look-up would lead to it alone.
    let (lookup, asked) = names(&[&["10.0.0.1", "127.0.0.1"], &["10.0.0.1"]]);
    let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, LONG);
    let url = format!("https://push.example:{}/", server.port);
    assert!(get(&outgoing, &url).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(matches!(get(&outgoing, &url).await, Err(OutgoingError::NotPublic(_))));
}

#[tokio::test]
async fn r_api_12_a_redirect_is_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(answer, None).await;
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, LONG);
    let answer = get(&outgoing, &format!("https://push.example:{}/", server.port)).await.unwrap();
    assert_eq!(answer.parts.status, 302);
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_no_https_address_is_not_asked() {
    let outgoing = Outgoing::new(&Permissions::default());
    let long = format!("https://push.example/{}", "a".repeat(URL_BYTES_MAX));
    for url in [
        "http://push.example/",
        "ftp://push.example/",
        "/path",
        "https://user@push.example/",
        "https://a:b@push.example/",
        &long,
    ] {
        assert!(matches!(get(&outgoing, url).await, Err(OutgoingError::Address(_))), "{url}");
        assert!(!is_https(url), "{url}");
    }
    assert!(is_https("https://push.example/a?b"));
}

#[tokio::test]
async fn whoever_cannot_prove_the_name_is_not_believed() {
    let server = Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None).await;
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, LONG);
    let other = get(&outgoing, &format!("https://other.example:{}/", server.port)).await.unwrap_err();
    assert!(matches!(other, OutgoingError::Connect { .. }), "{other}");
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let stranger = Permissions { roots: Vec::new(), ..server.permissions(&["127.0.0.1"]) };
    let unknown =
        get(&Outgoing::with(&stranger, lookup, LONG), &format!("https://push.example:{}/", server.port)).await;
    assert!(matches!(unknown, Err(OutgoingError::Connect { .. })));
}

#[tokio::test]
async fn r_api_13_an_answer_without_end_a_long_one_and_a_packed_one_cost_no_more_than_their_limit() {
    const CHUNK: &[u8] = &[b'a'; 16 << 10];
    let endless = Server::start(b"HTTP/1.1 200 OK\r\n\r\n", Some((CHUNK, Duration::from_millis(1)))).await;
    let long = Server::start(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        Some((CHUNK, Duration::from_millis(1))),
    )
    .await;
    for server in [endless, long] {
        let (lookup, _) = names(&[&["127.0.0.1"]]);
        let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, LONG);
        let cut = get(&outgoing, &format!("https://push.example:{}/", server.port)).await.unwrap_err();
        assert!(matches!(cut, OutgoingError::Body(_)), "{cut}");
    }
    let packed =
        Server::start(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0", None)
            .await;
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with(&packed.permissions(&["127.0.0.1"]), lookup, LONG);
    let answer = get(&outgoing, &format!("https://push.example:{}/", packed.port)).await.unwrap();
    assert_eq!(&answer.body[..], b"\x1f\x8b\x08\0", "it is not unpacked");
}

#[tokio::test]
async fn r_api_13_who_answers_byte_by_byte_is_given_up() {
    let server =
        Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Some((b"a", Duration::from_millis(20))))
            .await;
    let (lookup, _) = names(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with(&server.permissions(&["127.0.0.1"]), lookup, Duration::from_millis(500));
    let slow = get(&outgoing, &format!("https://push.example:{}/", server.port)).await.unwrap_err();
    assert!(matches!(slow, OutgoingError::TooSlow(_)), "{slow}");
}
