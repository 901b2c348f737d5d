//! The table of Mastodon's operations in the README: what it says is done is there.

use axum::body::Body;
use axum::http::{Request, header};

use crate::harness::{HOST, Server};

const README: &str = include_str!("../../README.md");

/// Method, path and state of each row.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let (operation, state) = line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")?;
        let (method, path) = operation.split_once(' ')?;
        Some((method, path, state))
    };
    README.lines().filter_map(row).collect()
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let filled = |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
    path.split('/').map(filled).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_that_the_readme_calls_done_has_a_route() {
    let server = Server::start().await;
    let rows = rows();
    // Pages are no routes of the API; `apps.rs` opens this one.
    let is_route = |state: &str| state.starts_with("done") && state != "done: a page";
    let done: Vec<_> = rows.iter().filter(|(_, _, state)| is_route(state)).collect();
    assert!(rows.len() > 190 && done.len() > 110, "{} of {}", done.len(), rows.len());
    for (method, path, _) in done {
        // Without a token: whatever has a route asks for one, or needs none, and is found.
        let request = Request::builder().method(*method).uri(filled(path)).header(header::HOST, HOST);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
    }
    let states = ["done", "done: ", "later", "not applicable: "];
    for (method, path, state) in rows {
        let known =
            states.iter().any(|known| if known.ends_with(": ") { state.starts_with(known) } else { state == *known });
        assert!(known, "{method} {path}: {state}");
    }
    server.stop().await;
}
