//! A node in a temporary folder behind the router, and a small client of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;
use xom_client_api::http::{Access, App, HttpConfig, Token, router};
use xom_client_api::push::VapidKey;
use xom_node::{Node, NodeConfig, RECOVERY_DELAY};
use xom_protocol::{Did, Network};

/// The name under which tests reach the server.
pub(crate) const HOST: &str = "localhost:7766";
/// The same, as the beginning of addresses.
pub(crate) const BASE: &str = "http://localhost:7766";

/// One node with one identity, `lan`.
pub(crate) struct Server {
    node: Node,
    app: App,
    router: Router,
    token: Token,
    vapid: VapidKey,
    folder: TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_at(&[]).await
    }

    /// One that peers can reach.
    pub(crate) async fn listening() -> Self {
        Self::start_at(&["/ip4/127.0.0.1/tcp/0"]).await
    }

    async fn start_at(listen: &[&str]) -> Self {
        Self::open(tempfile::tempdir().unwrap(), listen).await
    }

    /// Stops and starts again in the same folder.
    pub(crate) async fn restart(self) -> Self {
        let Self { node, folder, router, .. } = self;
        drop(router);
        node.stop().await;
        Self::open(folder, &[]).await
    }

    async fn open(folder: TempDir, listen: &[&str]) -> Self {
        let config = NodeConfig {
            data_dir: folder.path().to_owned(),
            network: "test".parse::<Network>().unwrap(),
            listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
            bootstrap: Vec::new(),
            mdns: false,
            swarm_key: None,
            upnp: false,
            upload_max: None,
            download_max: None,
            first_username: Some("lan".into()),
            recovery_delay: RECOVERY_DELAY,
            author_quota_bytes: xom_node::keep::AUTHOR_QUOTA_BYTES,
            media_room_bytes: xom_node::MEDIA_ROOM_BYTES,
        };
        let node = Node::start(config).await.unwrap();
        let token = Token::load_or_create(folder.path()).unwrap();
        let vapid = VapidKey::load_or_create(folder.path()).unwrap();
        let config = HttpConfig { vapid: Some(vapid.clone()), ..HttpConfig::new(7766, token.clone()) };
        let app = App::new(node.handle(), config);
        let router = router(app.clone(), Router::new());
        Self { node, app, router, token, vapid, folder }
    }

    pub(crate) async fn stop(self) {
        self.node.stop().await;
    }

    pub(crate) fn handle(&self) -> xom_node::Handle {
        self.node.handle()
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The same node behind these names of proxies too, with a token for `/metrics` there.
    pub(crate) fn router_behind(&self, names: &[&str], metrics: Option<Token>) -> Router {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let config = HttpConfig { names, metrics, ..HttpConfig::new(7766, self.token.clone()) };
        router(App::new(self.node.handle(), config), Router::new())
    }

    /// The same node where other machines come in too.
    pub(crate) fn router_with(&self, access: Access) -> Router {
        let config = HttpConfig { access, ..HttpConfig::new(7766, self.token.clone()) };
        router(App::new(self.node.handle(), config), Router::new())
    }

    /// What its handlers share.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The key by which push services know it.
    pub(crate) fn vapid(&self) -> &VapidKey {
        &self.vapid
    }

    /// The DID of `lan`.
    pub(crate) async fn did(&self) -> Did {
        self.app.identity(None).await.unwrap().unwrap().did
    }

    pub(crate) fn token(&self) -> &str {
        self.token.text()
    }

    /// A file of the folder of keys.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("identities/lan").join(name)
    }

    /// The 24 words, while they lie unsealed in the folder.
    pub(crate) fn words(&self) -> String {
        std::fs::read_to_string(self.key_file("phrase")).unwrap().trim().to_owned()
    }

    /// A request that carries the token.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let bearer = format!("Bearer {}", self.token.text());
        Request::builder().method(method).uri(path).header(header::HOST, HOST).header(header::AUTHORIZATION, bearer)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }

    /// Publishes a post and gives the status.
    pub(crate) async fn toot(&self, text: &str) -> Value {
        self.post("/api/v1/statuses", serde_json::json!({"status": text})).await.ok()
    }

    /// Uploads a file with a form.
    pub(crate) async fn upload(&self, method: &str, path: &str, field: &str, bytes: &[u8]) -> Answer {
        let mut body = format!(
            "--xom\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"../../x\r\n.html\"\r\n\
             Content-Type: text/html\r\n\r\n"
        )
        .replace("x\r\n.html", "x.html")
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(
            b"\r\n--xom\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\na\"b\r\n--xom--\r\n",
        );
        let request = self.request(method, path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=xom");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The JSON of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// The error text of a refusal with this status.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()["error"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A text member.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// The ids of a list.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| text(item, "id")).collect()
}

/// A valid PNG of one pixel, different for each call.
pub(crate) fn picture() -> Vec<u8> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (head, rest) = PIXEL.split_at(PIXEL_HEAD_BYTES);
    // Its resolution makes the bytes differ.
    let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let chunk = [&b"pHYs"[..], &count, &[0]].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    [head, &[0, 0, 0, 9], &chunk, &sum.sum().to_be_bytes(), rest].concat()
}

/// Bytes of the picture up to the end of its header.
const PIXEL_HEAD_BYTES: usize = 33;

const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\
    \0\0\0\x0cIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\r\xefF\xb8\0\0\0\0IEND\xaeB`\x82";
