//! Our own API and its description: they say the same, and nothing of it is left unsaid.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;

use crate::harness::{Answer, HOST, Server, text};

async fn without_token(server: &Server, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn description(server: &Server) -> Value {
    without_token(server, "GET", "/api/xom/v1/openapi.json").await.ok()
}

/// Every operation: method, path and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

/// What of a schema has no description: members, and named types.
fn undescribed(name: &str, schema: &Value, lost: &mut Vec<String>) {
    for part in ["allOf", "oneOf", "anyOf"] {
        for inner in schema[part].as_array().into_iter().flatten() {
            undescribed(name, inner, lost);
        }
    }
    for (member, said) in schema["properties"].as_object().into_iter().flatten() {
        if said["description"].as_str().is_none_or(str::is_empty) {
            lost.push(format!("{name}.{member}"));
        }
        undescribed(&format!("{name}.{member}"), said, lost);
    }
}

#[tokio::test]
async fn every_operation_of_the_description_has_a_route_and_asks_for_the_token_that_it_says() {
    let server = Server::start().await;
    let document = description(&server).await;
    assert!(text(&document, "openapi").starts_with("3.1"), "{}", document["openapi"]);
    let operations = operations(&document);
    assert!(operations.len() > 70, "{}", operations.len());
    for (method, path, operation) in &operations {
        let answer = without_token(&server, method, &format!("/api/xom/v1{}", filled(path))).await;
        let is_open = operation["security"].as_array().unwrap().is_empty();
        let expected = match (is_open, path.as_str()) {
            (true, "/errors/{slug}") => 404,
            (true, _) => 200,
            (false, _) => 401,
        };
        assert_eq!(answer.status, expected, "{method} {path}");
        assert!(answer.status == 200 || answer.header("content-type") == "application/problem+json", "{method} {path}");
    }
    server.stop().await;
}

#[test]
fn every_route_of_our_own_api_is_described() {
    // What is served without a description is the description itself.
    let source = include_str!("../../src/api/xom.rs");
    let plain: Vec<&str> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(plain, ["/openapi.json"], "put them into described(), with utoipa::path above the handler");
}

#[tokio::test]
async fn nothing_in_the_description_is_left_without_words() {
    let server = Server::start().await;
    let document = description(&server).await;
    let mut lost = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            lost.push(name.clone());
        }
        undescribed(name, schema, &mut lost);
    }
    let tags: BTreeSet<String> = document["tags"].as_array().unwrap().iter().map(|tag| text(tag, "name")).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let of = |what: &str| format!("{method} {path}: {what}");
        for member in ["summary", "description", "operationId"] {
            if operation[member].as_str().is_none_or(str::is_empty) {
                lost.push(of(member));
            }
        }
        assert!(ids.insert(operation["operationId"].to_string()), "{}", of("its id is another's too"));
        assert!(tags.contains(operation["tags"][0].as_str().unwrap_or_default()), "{}", of("its tag is unknown"));
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                lost.push(of(&parameter["name"].to_string()));
            }
        }
        assert!(operation["responses"]["default"].is_object(), "{}", of("errors"));
    }
    assert!(lost.is_empty(), "without a description: {lost:#?}");
    server.stop().await;
}

#[tokio::test]
async fn the_page_of_the_api_needs_no_token_and_loads_nothing_from_outside() {
    let server = Server::start().await;
    let page = without_token(&server, "GET", "/api/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'self'"), "{policy}");
    let html = String::from_utf8(page.bytes).unwrap();
    for loaded in html.split("<link ").skip(1).filter_map(|rest| rest.split("href=\"").nth(1)?.split('"').next()) {
        assert_eq!(without_token(&server, "GET", loaded).await.status, 200, "{loaded}");
    }
    // Where an error's type leads, under the name by which the server was reached.
    let problem = server.get("/api/xom/v1/nowhere").await.json();
    let kind = text(&problem, "type");
    let (path, anchor) = kind.split_once('#').unwrap();
    assert_eq!(path, "/api/docs");
    assert!(html.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    server.stop().await;
}
