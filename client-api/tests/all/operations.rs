//! What operators use: `/metrics`, checks, and who is kept away.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use serde_json::json;
use tower::ServiceExt;
use xom_client_api::http::Token;

use crate::harness::{HOST, Server, text};

async fn metrics(router: &Router, host: &str, token: Option<&str>, more: Option<(&str, &str)>) -> Response<Body> {
    let mut request = Request::builder().uri("/metrics").header(header::HOST, host);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some((name, value)) = more {
        request = request.header(name, value);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn body(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn metrics_are_text_that_prometheus_reads_and_say_nothing_of_anybody() {
    let server = Server::start().await;
    server.toot("hello").await;
    server.get("/api/v1/nowhere").await.refused(404);
    let answer = metrics(&server.router(), HOST, None, None).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    let text = body(answer).await;
    let mut families = BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(current.clone()), "{current} twice");
        } else if !line.starts_with("# TYPE ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(sample.split('{').next().unwrap(), current, "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    let wanted = ["xom_entries", "xom_peers_connected", "xom_network_sent_bytes_total", "xom_refusals_total"];
    assert!(wanted.iter().all(|name| families.contains(*name)), "{families:?}");
    assert!(families.iter().all(|name| name.starts_with("xom_") || name.starts_with("process_")), "{families:?}");
    assert!(text.contains("xom_http_requests_total{code=\"4xx\"} 1\n"), "{text}");
    assert!(!text.contains("xom_entries 0\n"), "the post is counted: {text}");
    let status = server.get("/api/xom/v1/status").await.ok();
    for secret in [server.token(), status["peer"].as_str().unwrap(), status["did"].as_str().unwrap()] {
        assert!(!text.contains(secret), "{secret}");
    }
    server.stop().await;
}

#[tokio::test]
async fn outside_this_machine_metrics_are_off_until_they_are_switched_on_and_need_their_token() {
    let server = Server::start().await;
    let forwarded = Some(("x-forwarded-for", "192.0.2.7"));
    let off = server.router_behind(&["https://xom.example"], None);
    for (host, more) in [("xom.example", None), (HOST, forwarded)] {
        assert_eq!(metrics(&off, host, None, more).await.status(), 404, "{host}");
        assert_eq!(metrics(&off, host, Some(server.token()), more).await.status(), 404, "{host}");
    }
    assert_eq!(metrics(&off, HOST, None, None).await.status(), 200, "this machine");

    let own = Token::new(&"m".repeat(40)).unwrap();
    let on = server.router_behind(&["https://xom.example"], Some(own.clone()));
    for (host, more) in [("xom.example", None), (HOST, forwarded)] {
        assert_eq!(metrics(&on, host, None, more).await.status(), 401, "{host}");
        assert_eq!(metrics(&on, host, Some("nonsense"), more).await.status(), 401, "{host}");
        assert_eq!(metrics(&on, host, Some(own.text()), more).await.status(), 200, "{host}");
        assert_eq!(metrics(&on, host, Some(server.token()), more).await.status(), 200, "{host}");
    }
    // It opens nothing else.
    let request = Request::builder().uri("/api/v1/timelines/home").header(header::HOST, "xom.example");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", own.text()));
    assert_eq!(on.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn checks_of_a_node_say_what_was_found_and_what_to_do() {
    let server = Server::start().await;
    let found = server.get("/api/xom/v1/doctor").await.ok();
    let checks = found["checks"].as_array().unwrap();
    let of =
        |name: &str| checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {found}"));
    assert_eq!(of("clock")["state"], "unknown");
    assert_eq!(of("bans")["state"], "ok");
    for alone in ["table", "peers"] {
        assert_eq!(of(alone)["state"], "warn", "{found}");
        assert!(!text(of(alone), "advice").is_empty());
    }
    assert_eq!(text(of("node"), "advice"), "see `xom status`", "the words are not confirmed");
    server.stop().await;
}

#[tokio::test]
async fn find_7_the_list_of_nodes_to_begin_with_is_kept_and_edited() {
    let server = Server::start().await;
    let path = "/api/xom/v1/bootstrap";
    assert_eq!(server.get(path).await.ok(), json!([]));
    let address = "/ip4/127.0.0.1/tcp/9";
    assert_eq!(server.post(path, json!({ "address": address })).await.ok()["added"], true);
    assert_eq!(server.post(path, json!({ "address": address })).await.ok()["added"], false);
    assert_eq!(server.get(path).await.ok(), json!([{ "address": address, "from": "list" }]));
    for wrong in [json!({}), json!({ "address": "nowhere" }), json!({ "address": "/ip4/127.0.0.1" })] {
        server.post(path, wrong).await.refused(422);
    }
    server.post(&format!("{path}/remove"), json!({ "address": address })).await.ok();
    server.post(&format!("{path}/remove"), json!({ "address": address })).await.refused(404);
    for port in 1..=64 {
        server.post(path, json!({ "address": format!("/ip4/127.0.0.1/tcp/{port}") })).await.ok();
    }
    server.post(path, json!({ "address": "/ip4/127.0.0.1/tcp/65" })).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn adm_2_the_door_is_shown_and_set() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/xom/v1/door").await.ok(), json!({ "door": "open" }));
    for door in ["introduced", "followed", "closed", "open"] {
        server.post("/api/xom/v1/door", json!({ "door": door })).await.ok();
        assert_eq!(server.get("/api/xom/v1/door").await.ok(), json!({ "door": door }));
    }
    server.post("/api/xom/v1/door", json!({ "door": "ajar" })).await.refused(422);
    server.post("/api/xom/v1/door", json!({})).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn a_peer_is_kept_away_with_a_reason_until_it_is_let_in_again() {
    let server = Server::start().await;
    let mallory = "12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR";
    let path = |what: &str| format!("/api/xom/v1/peers/{mallory}/{what}");
    assert_eq!(server.get("/api/xom/v1/peers/bans").await.ok(), json!([]));
    server.post(&path("unban"), json!({})).await.refused(404);
    server.post(&path("ban"), json!({ "for_secs": "3600", "reason": "fills the disk" })).await.ok();
    let bans = server.get("/api/xom/v1/peers/bans").await.ok();
    assert_eq!((bans[0]["peer"].as_str(), bans[0]["by"].as_str()), (Some(mallory), Some("owner")));
    assert_eq!(bans[0]["reason"], "fills the disk");
    assert!(
        text(&bans[0], "until") > text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "created_at")
    );
    server.post("/api/xom/v1/peers/nobody/ban", json!({})).await.refused(422);
    server.post(&path("ban"), json!({ "for_secs": "long" })).await.refused(422);
    let own = server.get("/api/xom/v1/status").await.ok()["peer"].as_str().unwrap().to_owned();
    server.post(&format!("/api/xom/v1/peers/{own}/ban"), json!({})).await.refused(422);
    server.post(&path("unban"), json!({})).await.ok();
    assert_eq!(server.get("/api/xom/v1/peers/bans").await.ok(), json!([]));
    server.stop().await;
}
