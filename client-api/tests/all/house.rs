//! A node with its HTTP router, called without a socket.

use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tempfile::TempDir;
use tower::ServiceExt;
use xom_client_api::http::{self, App, HttpConfig, Token};
use xom_client_api::people::Terms;
use xom_client_api::web::{self, Web};
use xom_node::{Node, NodeConfig, RECOVERY_DELAY};
use xom_protocol::{Did, Network};

/// The name under which tests reach the server.
pub(crate) const HOST: &str = "127.0.0.1:7766";

/// A node and what serves it.
pub(crate) struct House {
    /// Holds the data folder.
    folder: TempDir,
    /// The node.
    node: Node,
    /// Its first identity.
    pub(crate) did: Did,
    /// What the server's handlers share.
    pub(crate) app: App,
    /// The page.
    web: Web,
    /// The server.
    router: Router,
    /// The owner's token.
    pub(crate) token: String,
    /// How strangers become people of the node.
    terms: Terms,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: String,
}

impl House {
    /// Starts a node named `name` in a folder of its own.
    pub(crate) async fn new(name: &str) -> Self {
        Self::with(name, Terms::default()).await
    }

    /// The same where strangers may register on these terms.
    pub(crate) async fn with(name: &str, terms: Terms) -> Self {
        Self::open(tempfile::tempdir().expect("a temporary folder"), name, terms).await
    }

    /// Stops the node and starts one again in the same folder.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, node, did, app, web, router, terms, .. } = self;
        node.stop().await;
        // Whoever holds the store holds the folder's lock.
        drop((app, web, router));
        let house = Self::open(folder, "lan", terms).await;
        assert_eq!(house.did, did);
        house
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file of the folder of keys of `lan`.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/identities/lan").join(name)
    }

    /// Starts a node in a folder.
    async fn open(folder: TempDir, name: &str, terms: Terms) -> Self {
        let config = NodeConfig {
            data_dir: folder.path().join("data"),
            network: "test".parse::<Network>().expect("a network name"),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
            bootstrap: Vec::new(),
            mdns: false,
            swarm_key: None,
            upnp: false,
            upload_max: None,
            download_max: None,
            first_username: Some(name.to_owned()),
            recovery_delay: RECOVERY_DELAY,
            author_quota_bytes: xom_node::keep::AUTHOR_QUOTA_BYTES,
            media_room_bytes: xom_node::MEDIA_ROOM_BYTES,
        };
        let node = Node::start(config.clone()).await.expect("the node starts");
        let did = node.handle().read(|reader| reader.local_identities()).await.expect("the node reads")[0].did;
        let token = Token::load_or_create(&config.data_dir).expect("a token");
        let text = token.text().to_owned();
        let web = Web::open(&config.data_dir, 7766).expect("sessions");
        let app = App::new(node.handle(), HttpConfig { people: terms, ..HttpConfig::new(7766, token) });
        let router = http::router(app.clone(), web::router(web.clone()));
        Self { folder, node, did, app, web, router, token: text, terms }
    }

    /// Stops the node.
    pub(crate) async fn close(self) {
        self.node.stop().await;
        self.folder.close().expect("the folder goes");
    }

    /// A one-time login link, as a path.
    pub(crate) fn login_path(&self) -> String {
        self.web.login_path(self.did).expect("a login link")
    }

    /// Sends a request; `Host` is ours unless it is set.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().entry(header::HOST).or_insert(HOST.parse().expect("a header"));
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a whole body");
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Gets a page with a cookie; none if it is empty.
    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).expect("a request")).await
    }

    /// Sends a form with a cookie.
    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Answer {
        let form = serde_urlencoded::to_string(form).expect("a form");
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form));
        self.send(request.expect("a request")).await
    }

    /// Logs in and answers the cookie.
    pub(crate) async fn log_in(&self) -> String {
        let answer = self.get(&self.login_path(), "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.cookie()
    }
}

impl Answer {
    /// The cookie that is set, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().expect("a first part").to_owned()
    }

    /// A header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("plain text"))
    }

    /// The value of the first hidden field of this name in the page.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(&start).nth(1).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().expect("a value").to_owned()
    }
}
