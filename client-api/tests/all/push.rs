//! Web Push to a push service of the test's own, over TLS, which decrypts what it gets by the text of RFC 8291.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use xom_client_api::outgoing::{Outgoing, Permissions};
use xom_client_api::push::{Alerts, Policy, Pusher, Receiver, Subscription};

use crate::harness::{BASE, Server, text};
use crate::strangers::{DEADLINE, posted, reader_and_author};

/// A push service with one app: what it was sent, and its keys.
struct Service {
    port: u16,
    root: CertificateDer<'static>,
    sent: mpsc::Receiver<Vec<u8>>,
    key: PrivateKey,
    auth: [u8; 16],
    task: JoinHandle<()>,
}

/// A pusher that runs.
struct Pushing(CancellationToken, JoinHandle<()>);

impl Service {
    /// Answers everybody with this status line.
    async fn start(status: &'static str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let root = certificate.der().clone();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, sent) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((socket, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(socket).await else { continue };
                let mut request = Vec::new();
                while !is_whole(&request) && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
                heard.send(request).await.unwrap();
            }
        });
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        Self { port, root, sent, key, auth: *b"0123456789abcdef", task }
    }

    fn endpoint(&self) -> String {
        format!("https://localhost:{}/send/abc?d=e", self.port)
    }

    fn keys(&self) -> Value {
        let point = self.key.compute_public_key().unwrap();
        json!({ "p256dh": BASE64URL_NOPAD.encode(point.as_ref()), "auth": BASE64URL_NOPAD.encode(&self.auth) })
    }

    fn subscription(&self, kinds: &[&str]) -> Value {
        let alerts: serde_json::Map<_, _> = kinds.iter().map(|kind| ((*kind).to_owned(), json!(true))).collect();
        json!({ "subscription": { "endpoint": self.endpoint(), "keys": self.keys() }, "data": { "alerts": alerts } })
    }

    /// A client that may ask it.
    fn outgoing(&self) -> Outgoing {
        let allow = vec!["127.0.0.1".parse().unwrap()];
        Outgoing::new(&Permissions { allow, roots: vec![self.root.clone()] })
    }

    /// The head of the next request, in lower case, and its body.
    async fn next(&mut self) -> (String, Vec<u8>) {
        let request = tokio::time::timeout(DEADLINE, self.sent.recv()).await.expect("something is sent").unwrap();
        let end = head_end(&request).unwrap();
        (String::from_utf8_lossy(&request[..end]).to_lowercase(), request[end..].to_vec())
    }

    /// What the app reads.
    fn read(&self, message: &[u8]) -> Value {
        let (point, keys) = (self.key.compute_public_key().unwrap(), &self.key);
        let text = decrypt(keys, point.as_ref(), &self.auth, message);
        serde_json::from_slice(&text).expect("JSON")
    }
}

impl Pushing {
    fn start(server: &Server, outgoing: Outgoing) -> Self {
        let stop = CancellationToken::new();
        let pusher = Pusher::new(server.app().clone(), server.vapid().clone(), outgoing);
        Self(stop.clone(), tokio::spawn(pusher.run(stop)))
    }

    async fn end(self) {
        self.0.cancel();
        self.1.await.unwrap();
    }
}

fn head_end(request: &[u8]) -> Option<usize> {
    request.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = head_end(request) else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    request.len() >= end + length.unwrap_or(0)
}

/// RFC 8291 section 3.4 and RFC 8188 section 2, as the app does it; HKDF of one block is two HMACs (RFC 5869).
fn decrypt(key: &PrivateKey, point: &[u8], auth: &[u8], message: &[u8]) -> Vec<u8> {
    let hmac_sha_256 = |key: &[u8], data: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
        tag.as_ref().to_vec()
    };
    let (salt, rest) = message.split_at(16);
    assert_eq!(rest[..4], 4_096_u32.to_be_bytes(), "the size of records");
    let (sender, record) = rest[5..].split_at(usize::from(rest[4]));
    let secret = agree(key, UnparsedPublicKey::new(&ECDH_P256, sender), (), |secret| Ok(secret.to_vec())).unwrap();
    let key_info = [b"WebPush: info\0", point, sender, &[1]].concat();
    let input = hmac_sha_256(&hmac_sha_256(auth, &secret), &key_info);
    let prk = hmac_sha_256(salt, &input);
    let content_key = hmac_sha_256(&prk, b"Content-Encoding: aes128gcm\0\x01");
    let nonce = hmac_sha_256(&prk, b"Content-Encoding: nonce\0\x01");
    let content_key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content_key[..16]).unwrap());
    let mut record = record.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
    let text = content_key.open_in_place(nonce, Aad::empty(), &mut record).expect("it is for this app");
    let end = text.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(text[end], 2, "the last record");
    text[..end].to_vec()
}

#[test]
fn the_receiver_of_these_tests_reads_the_example_of_rfc_8291() {
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let key = PrivateKey::from_private_key(&ECDH_P256, &bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap();
    let point = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
    let message = bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    let text = decrypt(&key, &point, &bytes("BTBZMqHH6r4Tts7J_aSIgg"), &message);
    assert_eq!(text, b"When I grow up, I want to be a watermelon");
}

#[tokio::test]
async fn what_happens_is_pushed_to_those_who_want_it_encrypted_and_signed() {
    let (reader, author, _) = reader_and_author().await;
    let mut service = Service::start("201 Created").await;
    let made = author.post("/api/v1/push/subscription", service.subscription(&["favourite"])).await.ok();
    assert_eq!(made["endpoint"], service.endpoint());
    assert_eq!((&made["alerts"]["favourite"], &made["alerts"]["reblog"]), (&json!(true), &json!(false)));
    let instance = author.get("/api/v2/instance").await.ok();
    assert_eq!(made["server_key"], instance["configuration"]["vapid"]["public_key"]);
    // A token that is none any more is told nothing, and forgotten.
    let (did, keys) = (author.did().await, service.keys());
    let stale = Subscription {
        did,
        token: [7; 32],
        endpoint: service.endpoint(),
        receiver: Receiver::read(&text(&keys, "p256dh"), &text(&keys, "auth")).unwrap(),
        alerts: Alerts::of(|_| true),
        policy: Policy::All,
        base: BASE.to_owned(),
    };
    assert!(author.app().node().records(move |records| stale.put(records, 1)).await.unwrap());
    let pushing = Pushing::start(&author, service.outgoing());

    let post = posted(&reader, &author, "một bài").await;
    reader.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
    reader.post(&format!("/api/v1/statuses/{post}/favourite"), json!({})).await.ok();
    let (head, body) = service.next().await;
    assert!(head.starts_with("post /send/abc?d=e http/1.1\r\n"), "{head}");
    for header in ["content-encoding: aes128gcm", "ttl: 172800", "urgency: normal", "authorization: vapid t="] {
        assert!(head.contains(header), "{header}: {head}");
    }
    let said = service.read(&body);
    assert_eq!((text(&said, "notification_type"), text(&said, "body")), ("favourite".into(), "một bài".into()));
    assert_eq!(text(&said, "title"), "lan liked your post");
    let notification = author.get(&format!("/api/v1/notifications/{}", text(&said, "notification_id"))).await.ok();
    assert_eq!(notification["type"], "favourite");
    let left = author.app().node().read(move |reader| Ok(Subscription::of(reader, &did)?.len())).await.unwrap();
    assert_eq!(left, 1, "the stale one is gone");

    // Other wishes: boosts now. What was not wanted before does not come later.
    let wish = json!({"data": {"alerts": {"reblog": true}, "policy": "follower"}});
    let changed = author.call("PUT", "/api/v1/push/subscription", wish).await.ok();
    assert_eq!((&changed["policy"], &changed["alerts"]["favourite"]), (&json!("follower"), &json!(false)));
    let other = posted(&reader, &author, "hai").await;
    reader.post(&format!("/api/v1/statuses/{other}/favourite"), json!({})).await.ok();
    reader.post(&format!("/api/v1/statuses/{other}/reblog"), json!({})).await.ok();
    let (_, body) = service.next().await;
    assert_eq!(
        (text(&service.read(&body), "notification_type"), text(&service.read(&body), "body")),
        ("reblog".into(), "hai".into())
    );

    author.call("DELETE", "/api/v1/push/subscription", json!({})).await.ok();
    author.get("/api/v1/push/subscription").await.refused(404);
    pushing.end().await;
    service.task.abort();
    reader.stop().await;
    author.stop().await;
}

#[tokio::test]
async fn a_subscription_that_is_gone_at_the_push_service_is_forgotten() {
    let (reader, author, _) = reader_and_author().await;
    let mut service = Service::start("410 Gone").await;
    author.post("/api/v1/push/subscription", service.subscription(&["favourite"])).await.ok();
    let pushing = Pushing::start(&author, service.outgoing());
    let post = posted(&reader, &author, "một").await;
    reader.post(&format!("/api/v1/statuses/{post}/favourite"), json!({})).await.ok();
    service.next().await;
    crate::tls::until("the subscription is forgotten", || async {
        (author.get("/api/v1/push/subscription").await.status == 404).then_some(())
    })
    .await;
    pushing.end().await;
    service.task.abort();
    reader.stop().await;
    author.stop().await;
}

#[tokio::test]
async fn r_api_12_only_https_addresses_and_good_keys_are_taken_for_a_subscription() {
    let server = Server::start().await;
    let service = Service::start("201 Created").await;
    let good = service.subscription(&[]);
    for (pointer, wrong) in [
        ("/subscription/endpoint", "http://push.example/"),
        ("/subscription/endpoint", "https://user@push.example/"),
        ("/subscription/endpoint", "file:///etc/passwd"),
        ("/subscription/endpoint", ""),
        ("/subscription/keys/p256dh", "AAAA"),
        ("/subscription/keys/auth", "AAAA"),
    ] {
        let mut asked = good.clone();
        *asked.pointer_mut(pointer).unwrap() = json!(wrong);
        server.post("/api/v1/push/subscription", asked).await.refused(422);
    }
    let mut asked = good.clone();
    asked["data"]["policy"] = json!("everybody");
    server.post("/api/v1/push/subscription", asked).await.refused(422);
    server.post("/api/v1/push/subscription", json!({})).await.refused(422);
    server.get("/api/v1/push/subscription").await.refused(404);
    server.call("PUT", "/api/v1/push/subscription", json!({"data": {"policy": "all"}})).await.refused(404);
    server.post("/api/v1/push/subscription", good).await.ok();
    service.task.abort();
    server.stop().await;
}
