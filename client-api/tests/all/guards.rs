//! Who is refused, and what every answer carries.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::harness::{HOST, Server, text};

#[tokio::test]
async fn r_api_1_a_foreign_host_is_refused_everywhere_before_routing() {
    let server = Server::start().await;
    for path in ["/", "/health", "/api/v1/instance", "/api/v1/timelines/home", "/media/x", "/nowhere"] {
        for host in ["evil.example", "evil.example:7766", "localhost"] {
            let bearer = format!("Bearer {}", server.token());
            let request = Request::builder().uri(path).header(header::HOST, host).header(header::AUTHORIZATION, bearer);
            let answer = server.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 421, "{host} {path}");
            assert!(!answer.json()["error"].as_str().unwrap().is_empty());
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn r_api_2_nothing_changes_without_the_token_or_by_a_get() {
    let server = Server::start().await;
    let post = |content_type: &str, body: &str, bearer: Option<&str>| {
        let mut request = Request::builder().method("POST").uri("/api/v1/statuses").header(header::HOST, HOST);
        request = request.header(header::CONTENT_TYPE, content_type).header(header::ORIGIN, "http://evil.example");
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        server.send(request.body(Body::from(body.to_owned())).unwrap())
    };
    let json = r#"{"status":"x"}"#;
    for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        post(content_type, json, None).await.refused(401);
        post(content_type, json, Some("Bearer nonsense")).await.refused(401);
        post(content_type, json, Some("Basic eA==")).await.refused(401);
    }
    let bearer = format!("Bearer {}", server.token());
    post("text/plain", json, Some(&bearer)).await.refused(415);
    // The token counts in its header only.
    let in_query = format!("/api/v1/timelines/home?access_token={}", server.token());
    let request = Request::builder().uri(in_query).header(header::HOST, HOST);
    server.send(request.body(Body::empty()).unwrap()).await.refused(401);
    for path in ["/api/v1/accounts/1/follow", "/api/v1/statuses/1/reblog", "/api/xom/v1/compact"] {
        server.get(path).await.refused(405);
    }
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_and_those_that_clients_read() {
    let server = Server::start().await;
    for path in ["/api/v1/instance", "/api/v1/timelines/home", "/api/v1/nowhere", "/api/xom/v1/status"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-expose-headers").contains("Link"), "{path}");
        assert!(answer.headers.get("access-control-allow-credentials").is_none(), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(!answer.header("x-ratelimit-remaining").is_empty(), "{path}");
        assert!(answer.header("x-ratelimit-reset").ends_with('Z'), "{path}");
    }
    let page = server.get("/").await;
    assert!(page.headers.get("access-control-allow-origin").is_none());
    server.stop().await;
}

#[tokio::test]
async fn options_is_answered_everywhere_without_a_token() {
    let server = Server::start().await;
    for path in ["/api/v1/statuses", "/api/v2/media", "/oauth/token", "/.well-known/nodeinfo", "/api/v1/nowhere"] {
        let request = Request::builder().method("OPTIONS").uri(path).header(header::HOST, HOST);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-allow-headers").contains("Idempotency-Key"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_path_is_a_json_404_and_a_slash_at_the_end_changes_nothing() {
    let server = Server::start().await;
    for path in ["/nowhere", "/api/v1/nowhere", "/api/v1/statuses/17", "/api/v1/accounts/x", "/api/v1/statuses/-1"] {
        assert_eq!(server.get(path).await.refused(404), "Record not found", "{path}");
    }
    server.get("/api/v1/timelines/home/").await.ok();
    server.get("/api/v1/timelines/home/?limit=").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn what_the_framework_refuses_by_itself_has_the_shape_of_every_other_error() {
    let server = Server::start().await;
    for path in ["/api/v1/timelines/tag/%ff", "/api/xom/v1/identities/%ff", "/api/xom/v1/devices/%ff/remove"] {
        let answer = if path.ends_with("remove") { server.post(path, json!({})).await } else { server.get(path).await };
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.header("content-type").contains("json"), "{path}: {}", answer.header("content-type"));
        assert_eq!(answer.refused(400), "The request could not be read.", "{path}");
    }
    let problem = server.get("/api/xom/v1/identities/%ff").await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    server.stop().await;
}

#[tokio::test]
async fn a_text_in_a_form_with_files_is_bounded_like_every_other_body() {
    let server = Server::start().await;
    let part = |name: &str, value: &str| {
        format!("--xom\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let send = async |value: &str| {
        let body = format!("{}--xom--\r\n", part("status", value));
        let request = server.request("POST", "/api/v2/media");
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=xom");
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    assert_eq!(send(&"x".repeat(2 << 20)).await.status, 413);
    assert_eq!(send("x").await.status, 422, "there is no file in it");
    server.stop().await;
}

#[tokio::test]
async fn errors_of_our_own_api_are_problem_details_too() {
    let server = Server::start().await;
    for path in ["/api/xom/v1/nowhere", "/api/xom/v1/statuses/find?q=zzz"] {
        let answer = server.get(path).await;
        assert_eq!(answer.refused(404), "Record not found", "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], 404);
        assert_eq!(text(&problem, "request_id"), answer.header("x-request-id"));
        assert_eq!(text(&problem, "type"), "/api/docs#error-not-found");
        assert_eq!(server.get("/api/xom/v1/errors/not-found").await.ok()["status"], 404);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_call_acts_for_the_identity_that_it_names() {
    let server = Server::start().await;
    let named = |name: &str| {
        let request = server.request("GET", "/api/v1/accounts/verify_credentials").header("X-Xom-As", name);
        server.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(text(&named("lan").await.ok(), "username"), "lan");
    named("nobody").await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn a_body_above_its_limit_is_refused() {
    let server = Server::start().await;
    let long = json!({"status": "x".repeat(2 << 20)});
    server.post("/api/v1/statuses", long).await.refused(413);
    let headers = server.request("GET", "/health").header("x-long", "x".repeat(20_000));
    server.send(headers.body(Body::empty()).unwrap()).await.refused(431);
    server.stop().await;
}
