//! `xom tls` and HTTPS by the program itself, from setting it up to SIGTERM.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::tls::{connect, until};

/// How long the program may take to end.
const DEADLINE: Duration = Duration::from_secs(60);

/// A node that runs, until the test ends.
struct Running(Child, Value);

impl Running {
    fn start(data: &Path) -> Self {
        let arguments =
            ["run", "--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-upnp", "--json"];
        let mut child = xom(data, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, serde_json::from_str(&line).unwrap())
    }

    /// Asks it to end.
    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The test has ended; whether it still runs no longer matters.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn xom(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xom"));
    for name in ["XOM_HTTP", "XOM_LISTEN", "XOM_BOOTSTRAP", "XOM_NETWORK", "XOM_NAME", "XOM_CONFIG", "XOM_HOSTS"] {
        command.env_remove(name);
    }
    command.args(arguments).arg("--data-dir").arg(data).stdin(Stdio::null());
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    xom(data, arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_node_that_is_set_up_for_https_serves_it_and_ends_what_it_has_begun_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let early = run(&data, &["tls", "setup"]);
    assert!(!early.status.success() && String::from_utf8_lossy(&early.stderr).contains("no data folder"));
    assert!(run(&data, &["init"]).status.success());
    let none = run(&data, &["tls", "show"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("xom tls setup"));
    let setup = ["tls", "setup", "--name", "localhost", "--listen", "127.0.0.1:0"];
    let made = json(&run(&data, &[&setup[..], &["--json"]].concat()));
    let shown = json(&run(&data, &["tls", "show", "--json"]));
    assert_eq!(shown["fingerprint"], made["fingerprint"]);
    assert!(shown["code"].as_str().unwrap().ends_with("/tls/root.crt"), "{shown}");
    let screen = run(&data, &setup).stdout;
    let screen = String::from_utf8(screen).unwrap();
    assert!(screen.lines().count() <= 30 && screen.contains("Android") && screen.contains("SHA-256"), "{screen}");
    assert!(String::from_utf8(run(&data, &["tls", "show"]).stdout).unwrap().contains('█'), "a code for cameras");

    let root = CertificateDer::from_pem_file(data.join("tls/ca.pem")).unwrap();
    let mut node = Running::start(&data);
    let url = node.1["https"][0].as_str().unwrap().to_owned();
    let host = url.strip_prefix("https://").unwrap().to_owned();
    let port = host.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = connect(addr, &root, "localhost").await.unwrap();
    let request = format!("GET /tls/root.crt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(&root), "the root is handed out");

    // A request that has begun when the node is told to stop is answered.
    let mut begun = connect(addr, &root, "localhost").await.unwrap();
    let body = r#"{"client_name":"Elk","redirect_uris":"urn:ietf:wg:oauth:2.0:oob"}"#;
    let head = format!(
        "POST /api/v1/apps HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    begun.write_all(head.as_bytes()).await.unwrap();
    begun.write_all(&body.as_bytes()[..10]).await.unwrap();
    begun.flush().await.unwrap();
    // A later connection that is answered shows that the first was taken in.
    let mut later = connect(addr, &root, "localhost").await.unwrap();
    later.write_all(format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    assert!(later.read(&mut [0; 4_096]).await.unwrap() > 0);
    node.terminate();
    until("nobody is let in any more", || async { connect(addr, &root, "localhost").await.err() }).await;
    begun.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = Vec::new();
    let _ = begun.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let ended = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            if let Some(status) = node.0.try_wait().unwrap() {
                return status;
            }
        }
    };
    assert!(tokio::time::timeout(DEADLINE, ended).await.expect("it ends").success());

    assert!(run(&data, &["tls", "remove"]).status.success());
    let without = Running::start(&data);
    assert_eq!(without.1["https"], serde_json::json!([]));
}
