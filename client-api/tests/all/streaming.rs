//! Streams over real sockets: WebSocket and server-sent events.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use xom_client_api::http::limits::STREAMS_PER_TOKEN_MAX;
use xom_client_api::http::{Listener, serve};

use crate::harness::{HOST, Server, text};

/// How long anything is waited for.
const DEADLINE: Duration = Duration::from_secs(60);

/// A node behind a socket.
struct Live {
    server: Server,
    addr: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// A client's end of a WebSocket.
struct Socket(WebSocketStream<TcpStream>);

/// A client's end of a stream of events.
struct Source(BufReader<TcpStream>);

impl Live {
    async fn start() -> Self {
        Self::of(Server::start().await).await
    }

    async fn of(server: Server) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (addr, stop) = (listener.addr(), CancellationToken::new());
        let served = tokio::spawn(serve(listener, server.router(), stop.clone()));
        Self { server, addr, stop, served }
    }

    async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap();
        self.server.stop().await;
    }

    /// Opens a socket at an address, with headers; answers the subprotocol that was chosen.
    async fn try_socket(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<(Socket, String), u16> {
        let mut request = format!("ws://{HOST}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.addr).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, answer)) => {
                let protocol = answer.headers().get("sec-websocket-protocol").map_or("", |name| name.to_str().unwrap());
                Ok((Socket(socket), protocol.to_owned()))
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn socket(&self, query: &str) -> Socket {
        let path = format!("/api/v1/streaming?access_token={}{query}", self.server.token());
        self.try_socket(&path, &[]).await.unwrap().0
    }

    async fn source(&self, path: &str, headers: &str) -> Source {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let bearer = format!("Authorization: Bearer {}\r\n", self.server.token());
        let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{bearer}{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut source = Source(BufReader::new(stream));
        assert_eq!(source.line().await, "HTTP/1.1 200 OK");
        source.until(":)").await;
        source
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.server.token())
    }
}

impl Socket {
    async fn say(&mut self, wish: Value) {
        self.0.send(Message::text(wish.to_string())).await.unwrap();
    }

    /// The next frame.
    async fn frame(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("a frame in time");
            if let Message::Text(text) = message.expect("an open socket").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next event: of which stream, its name, and what it carries.
    async fn event(&mut self) -> (Value, String, String) {
        let frame = self.frame().await;
        (frame["stream"].clone(), text(&frame, "event"), text(&frame, "payload"))
    }

    /// How the other side closes.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("a frame in time");
            if let Message::Close(Some(frame)) = message.expect("an open socket").unwrap() {
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

impl Source {
    async fn line(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(DEADLINE, self.0.read_line(&mut line)).await.expect("a line in time").unwrap();
        line.trim_end().to_owned()
    }

    /// Reads on to a line that begins so, and gives the rest of it.
    async fn until(&mut self, start: &str) -> String {
        loop {
            let line = self.line().await;
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }

    /// The next event: its id, its name, and what it carries.
    async fn event(&mut self) -> (String, String, String) {
        (self.until("id: ").await, self.until("event: ").await, self.until("data: ").await)
    }
}

/// The plain text of a status that an event carries.
fn said(payload: &str) -> String {
    let status: Value = serde_json::from_str(payload).unwrap();
    text(&status, "content").replace("<p>", "").replace("</p>", "")
}

#[tokio::test]
async fn a_post_its_edit_and_its_end_reach_a_socket_that_brought_its_token_in_any_way() {
    let live = Live::start().await;
    let (token, bearer) = (live.server.token().to_owned(), live.bearer());
    let in_query = format!("/api/v1/streaming?access_token={token}");
    let mut sockets = Vec::new();
    for (path, headers, echoed) in [
        ("/api/v1/streaming", vec![("authorization", bearer.as_str())], ""),
        (in_query.as_str(), vec![], ""),
        ("/api/v1/streaming/", vec![("sec-websocket-protocol", token.as_str())], token.as_str()),
    ] {
        let (mut socket, protocol) = live.try_socket(path, &headers).await.expect("it opens");
        assert_eq!(protocol, echoed, "{path}");
        socket.say(json!({"type": "sing", "stream": "user"})).await;
        assert_eq!(socket.frame().await["status"], 400);
        socket.say(json!({"type": "subscribe", "stream": "user"})).await;
        // The answer to a wrong wish shows that the right one before it was taken.
        socket.say(json!({"type": "subscribe", "stream": "nonsense"})).await;
        assert_eq!(socket.frame().await["error"], "Unknown stream type");
        sockets.push(socket);
    }
    let id = text(&live.server.toot("chào xóm").await, "id");
    live.server.call("PUT", &format!("/api/v1/statuses/{id}"), json!({"status": "chào cả xóm"})).await.ok();
    live.server.call("DELETE", &format!("/api/v1/statuses/{id}"), json!({})).await.ok();
    for socket in &mut sockets {
        // What was edited before the first event was read shows as it is now; what is gone, not at all.
        let mut names = BTreeSet::new();
        loop {
            let (stream, name, payload) = socket.event().await;
            assert_eq!(stream, json!(["user"]));
            names.insert(name.clone());
            if name == "delete" {
                assert_eq!(payload, id);
                break;
            }
            assert!(["chào xóm", "chào cả xóm"].contains(&said(&payload).as_str()), "{payload}");
        }
    }
    live.end().await;
}

#[tokio::test]
async fn each_event_has_mastodons_name() {
    let live = Live::start().await;
    let mut socket = live.socket("&stream=user").await;
    let id = text(&live.server.toot("một").await, "id");
    let (_, name, payload) = socket.event().await;
    assert_eq!((name.as_str(), said(&payload).as_str()), ("update", "một"));
    live.server.call("PUT", &format!("/api/v1/statuses/{id}"), json!({"status": "hai"})).await.ok();
    let (_, name, payload) = socket.event().await;
    assert_eq!((name.as_str(), said(&payload).as_str()), ("status.update", "hai"));
    live.server.call("DELETE", &format!("/api/v1/statuses/{id}"), json!({})).await.ok();
    let (_, name, payload) = socket.event().await;
    assert_eq!((name.as_str(), payload), ("delete", id));
    live.end().await;
}

#[tokio::test]
async fn r_api_3_a_foreign_origin_needs_a_token_and_a_cookie_is_none() {
    let live = Live::start().await;
    let bearer = live.bearer();
    let cookie = format!("xom_session={}", live.server.token());
    let origin = ("origin", "http://evil.example");
    let refused = live.try_socket("/api/v1/streaming?stream=user", &[origin, ("cookie", &cookie)]).await;
    assert_eq!(refused.err(), Some(401));
    let wrong = live.try_socket("/api/v1/streaming?access_token=nonsense", &[origin]).await;
    assert_eq!(wrong.err(), Some(401));
    live.try_socket("/api/v1/streaming", &[origin, ("authorization", &bearer)]).await.expect("with a token it opens");
    for path in ["user", "user/notification", "public", "public/local", "hashtag?tag=x", "direct"] {
        let request = |name: &str, value: &str| {
            let request = Request::get(format!("/api/v1/streaming/{path}")).header("host", HOST);
            request.header("origin", "http://evil.example").header(name, value).body(Body::empty()).unwrap()
        };
        live.server.send(request("cookie", &cookie)).await.refused(401);
        let answer = live.server.router().oneshot(request("authorization", &bearer)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.headers().get("access-control-allow-credentials").is_none());
    }
    live.end().await;
}

#[tokio::test]
async fn what_is_no_stream_is_refused_with_the_reason() {
    let live = Live::start().await;
    let get = |path: &str| live.server.request("GET", path).body(Body::empty()).unwrap();
    assert_eq!(live.server.send(get("/api/v1/streaming/hashtag")).await.refused(400), "Missing tag name parameter");
    assert_eq!(live.server.send(get("/api/v1/streaming?stream=x")).await.refused(400), "Unknown stream type");
    live.server.send(get("/api/v1/streaming")).await.refused(400);
    live.server.send(get("/api/v1/streaming/nowhere")).await.refused(404);
    let health = Request::get("/api/v1/streaming/health").header("host", HOST).body(Body::empty()).unwrap();
    assert_eq!(live.server.send(health).await.bytes, b"OK");
    live.end().await;
}

#[tokio::test]
async fn who_comes_back_to_a_source_misses_nothing_or_is_told_so() {
    let live = Live::start().await;
    let mut source = live.source("/api/v1/streaming/user", "").await;
    live.server.toot("một").await;
    let (last, name, payload) = source.event().await;
    assert_eq!((name.as_str(), said(&payload).as_str()), ("update", "một"));
    drop(source);
    live.server.toot("hai").await;
    let mut again = live.source("/api/v1/streaming/user", &format!("Last-Event-ID: {last}\r\n")).await;
    assert_eq!(said(&again.event().await.2), "hai");
    let mut lost = live.source("/api/v1/streaming/user", "Last-Event-ID: 00-17\r\n").await;
    assert_eq!(lost.until("event: ").await, "gap");
    live.end().await;
}

#[tokio::test]
async fn a_list_has_its_own_stream_and_changed_filters_are_told() {
    let live = Live::start().await;
    let own = text(&live.server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    let mut lists = Vec::new();
    for title in ["nhà", "xa"] {
        lists.push(text(&live.server.post("/api/v1/lists", json!({ "title": title })).await.ok(), "id"));
    }
    live.server.post(&format!("/api/v1/lists/{}/accounts", lists[0]), json!({"account_ids": [own]})).await.ok();
    let mut with = live.socket(&format!("&stream=list&list={}", lists[0])).await;
    let mut without = live.socket(&format!("&stream=list&list={}", lists[1])).await;
    let mut user = live.socket("&stream=user").await;
    let mut source = live.source(&format!("/api/v1/streaming/list?list={}", lists[0]), "").await;
    live.server.toot("một").await;
    let (stream, name, payload) = with.event().await;
    assert_eq!((stream, name.as_str(), said(&payload).as_str()), (json!(["list", lists[0]]), "update", "một"));
    assert_eq!(source.event().await.1, "update");
    let id = text(&live.server.toot("hai").await, "id");
    live.server.call("DELETE", &format!("/api/v1/statuses/{id}"), json!({})).await.ok();
    let (stream, name, _) = without.event().await;
    assert_eq!((stream, name.as_str()), (json!(["list", lists[1]]), "delete"), "nothing of another list");
    live.server.post("/api/v2/filters", json!({"title": "x", "context": ["home"]})).await.ok();
    loop {
        let (stream, name, payload) = user.event().await;
        assert_eq!(stream, json!(["user"]));
        if name == "filters_changed" {
            assert_eq!(payload, "");
            break;
        }
    }
    live.end().await;
}

#[tokio::test]
async fn tags_and_public_posts_go_to_their_own_streams() {
    let live = Live::start().await;
    let mut socket = live.socket("").await;
    for wish in [
        json!({"type": "subscribe", "stream": "hashtag", "tag": "Xóm"}),
        json!({"type": "subscribe", "stream": "hashtag:local", "tag": "xom"}),
        json!({"type": "subscribe", "stream": "public:local"}),
        json!({"type": "subscribe", "stream": "public:remote"}),
        json!({"type": "subscribe", "stream": "public:media"}),
        json!({"type": "x"}),
    ] {
        socket.say(wish).await;
    }
    assert_eq!(socket.frame().await["status"], 400);
    let unlisted = json!({"status": "ẩn #xóm", "visibility": "unlisted"});
    live.server.post("/api/v1/statuses", unlisted).await.ok();
    live.server.toot("a #xóm").await;
    live.server.toot("b #xom").await;
    let mut streams = Vec::new();
    while streams.len() < 4 {
        let (stream, name, _) = socket.event().await;
        assert_eq!(name, "update");
        streams.push(stream);
    }
    let local = json!(["public:local"]);
    assert_eq!(streams, [json!(["hashtag", "Xóm"]), local.clone(), json!(["hashtag:local", "xom"]), local]);
    live.end().await;
}

#[tokio::test]
async fn a_new_follower_is_a_notification_on_both_streams() {
    let (alice, bob) = (Live::of(Server::listening().await).await, Server::listening().await);
    let mut user = alice.socket("&stream=user").await;
    let mut notifications = alice.source("/api/v1/streaming/user/notification", "").await;
    let invite = text(&alice.server.post("/api/xom/v1/invites", json!({})).await.ok(), "invite");
    bob.post("/api/xom/v1/follow", json!({"invite": invite})).await.ok();
    let (_, name, payload) = notifications.event().await;
    assert_eq!(name, "notification");
    assert_eq!(serde_json::from_str::<Value>(&payload).unwrap()["type"], "follow");
    assert_eq!(user.event().await.1, "notification");
    alice.end().await;
    bob.stop().await;
}

#[tokio::test]
async fn streams_of_a_token_are_bounded_and_one_that_ends_makes_room() {
    let server = Server::start().await;
    let open = async || {
        let request = server.request("GET", "/api/v1/streaming/user").body(Body::empty()).unwrap();
        server.router().oneshot(request).await.unwrap()
    };
    let mut held = Vec::new();
    for _ in 0..STREAMS_PER_TOKEN_MAX {
        held.push(open().await);
    }
    assert!(held.iter().all(|answer| answer.status() == 200));
    let refused = open().await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    held.pop();
    assert_eq!(open().await.status(), 200);
    drop(held);
    server.stop().await;
}

#[tokio::test]
async fn a_node_that_stops_says_goodbye() {
    let live = Live::start().await;
    let mut socket = live.socket("&stream=user").await;
    let mut source = live.source("/api/v1/streaming/user", "").await;
    live.stop.cancel();
    assert_eq!(socket.closed().await, (1001, "the node is stopping".to_owned()));
    assert_eq!(source.until(":the node").await, " is stopping");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_and_eight_writers_lose_nothing() {
    const STREAMS: usize = 200;
    const WRITERS: usize = 8;
    const POSTS: usize = 12;
    let live = Live::start().await;
    let mut readers = Vec::new();
    for number in 0..STREAMS {
        if number % 2 == 0 {
            let mut socket = live.socket("&stream=user").await;
            readers.push(tokio::spawn(async move {
                let mut texts = Vec::new();
                while texts.len() < WRITERS * POSTS {
                    texts.push(said(&socket.event().await.2));
                }
                texts
            }));
        } else {
            let mut source = live.source("/api/v1/streaming/user", "").await;
            readers.push(tokio::spawn(async move {
                let mut texts = Vec::new();
                while texts.len() < WRITERS * POSTS {
                    texts.push(said(&source.event().await.2));
                }
                texts
            }));
        }
    }
    let began = Instant::now();
    let post = async |writer: usize| {
        for number in 0..POSTS {
            live.server.toot(&format!("{writer} {number}")).await;
        }
    };
    futures::future::join_all((0..WRITERS).map(post)).await;
    let written = began.elapsed();
    let mut first: Option<Vec<String>> = None;
    for reader in readers {
        let texts = reader.await.unwrap();
        // All in one order, each once.
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), WRITERS * POSTS);
        assert_eq!(*first.get_or_insert_with(|| texts.clone()), texts);
    }
    eprintln!("{} posts to {STREAMS} streams: written in {written:?}, read in {:?}", WRITERS * POSTS, began.elapsed());
    live.end().await;
}
