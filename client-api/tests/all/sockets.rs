//! The guards over real sockets, where a client can write what it likes.

use std::net::SocketAddr;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use xom_client_api::http::{ListenError, Listener, serve};

use crate::harness::Server;

/// Sends bytes and reads until the server closes.
async fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn r_api_4_two_hosts_and_other_authorities_are_refused() {
    let server = Server::start().await;
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let addr = listener.addr();
    let stop = CancellationToken::new();
    let served = tokio::spawn(serve(listener, server.router(), stop.clone()));
    for (target, hosts) in [
        ("/health", &["localhost:7766", "localhost:7766"][..]),
        ("/health", &["localhost:7766", "evil.example"]),
        ("/health", &["0.0.0.0:7766"]),
        ("/health", &["[::]:7766"]),
        ("/health", &["127.1:7766"]),
        ("/health", &["localhost.:7766"]),
        ("/health", &["user@localhost:7766"]),
        ("/health", &[]),
        ("http://evil.example/health", &["localhost:7766"]),
        ("http://evil.example/health", &["evil.example"]),
    ] {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let answer = exchange(addr, &format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
        let refused = answer.starts_with("HTTP/1.1 421") || answer.starts_with("HTTP/1.1 400");
        assert!(refused, "{target} {hosts}: {answer}");
    }
    for target in ["/health", "http://localhost:7766/health"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:7766\r\nConnection: close\r\n\r\n");
        let answer = exchange(addr, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    stop.cancel();
    served.await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn r_api_17_long_and_many_headers_are_refused_and_the_server_goes_on() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let addr = listener.addr();
    let stop = CancellationToken::new();
    let router = Router::new().fallback(async || "ok");
    let served = tokio::spawn(serve(listener, router, stop.clone()));
    let long = format!("X-Long: {}\r\n", "x".repeat(64 << 10));
    let many = "X-Many: x\r\n".repeat(1_000);
    for headers in [long, many] {
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // The server may close before it has read all of it.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    let answer = exchange(addr, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("ok"), "{answer}");
    stop.cancel();
    served.await.unwrap();
}

#[tokio::test]
async fn a_busy_port_is_one_clear_error() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let second = Listener::bind(first.addr()).await.unwrap_err();
    assert!(matches!(second, ListenError::Busy { port, .. } if port == first.port()), "{second}");
}
