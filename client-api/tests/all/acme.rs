//! A certificate from an ACME authority: Debian's `pebble`, which refuses some nonces on purpose.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::Router;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xom_client_api::outgoing::{Outgoing, Permissions};
use xom_client_api::tls::{AcmeSettings, Keeper, Source, TlsFolder};

use crate::tls::{Secure, connect, listener, until};

/// An authority with a name server of its own, by which every name is this machine.
struct Pebble {
    children: [Child; 2],
    directory: String,
    listen: u16,
    management: u16,
    root: CertificateDer<'static>,
}

impl Pebble {
    /// Starts one that looks for proofs at a port; none where it is not installed.
    fn start(folder: &Path, tls_port: u16) -> Option<Self> {
        let [listen, management, names, names_management] = [(); 4].map(|()| free_port());
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let (certificate_file, key_file) = (folder.join("pebble.pem"), folder.join("pebble.key"));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": certificate_file,
            "privateKey": key_file,
            "httpPort": free_port(),
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let config_file = folder.join("pebble.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let names_server = format!("127.0.0.1:{names}");
        let quiet =
            |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut server = Command::new("pebble-challtestsrv");
        server.args([
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-dns01",
            &names_server,
            "-http01",
            "",
            "-https01",
            "",
        ]);
        server.args(["-tlsalpn01", "", "-management", &format!("127.0.0.1:{names_management}")]);
        let mut authority = Command::new("pebble");
        authority.args(["-strict", "-dnsserver", &names_server, "-config"]).arg(&config_file);
        authority.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "5");
        let names = quiet(&mut server).ok()?;
        let authority = quiet(&mut authority).ok()?;
        let directory = format!("https://127.0.0.1:{listen}/dir");
        Some(Self { children: [authority, names], directory, listen, management, root: certificate.der().clone() })
    }

    /// The root under which it makes certificates, once it answers.
    async fn issuer(&self) -> CertificateDer<'static> {
        let addr = ([127, 0, 0, 1], self.management).into();
        let pem = until("the authority tells its root", || async {
            let mut stream = connect(addr, &self.root, "127.0.0.1").await.ok()?;
            let request = "GET /roots/0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let begin = answer.windows(5).position(|bytes| bytes == b"-----")?;
            Some(answer[begin..].to_vec())
        });
        let root = CertificateDer::from_pem_slice(&pem.await).unwrap();
        let addr = ([127, 0, 0, 1], self.listen).into();
        // Who is refused waits a minute before it asks again.
        until("the authority listens", || async { connect(addr, &self.root, "127.0.0.1").await.ok() }).await;
        root
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            // The test has ended; whether they still run no longer matters.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn an_acme_authority_gives_a_certificate_that_lasts_over_a_restart() {
    let (data, listener) = (tempfile::tempdir().unwrap(), listener().await);
    let port = listener.port();
    let Some(pebble) = Pebble::start(data.path(), port) else {
        eprintln!("SKIPPED: pebble is not installed; tests/run installs it");
        return;
    };
    let issuer = pebble.issuer().await;
    let settings = AcmeSettings { directory: pebble.directory.clone(), contact: vec!["mailto:lan@xom.example".into()] };
    let folder = TlsFolder::of(data.path());
    let names = vec!["xom.example".parse().unwrap(), "www.xom.example".parse().unwrap()];
    let open = || Keeper::open(Source::Acme(settings.clone()), folder.clone(), names.clone()).unwrap();
    let permissions = Permissions { allow: vec!["127.0.0.1".parse().unwrap()], roots: vec![pebble.root.clone()] };
    let secure = Secure::serve(listener, open(), Outgoing::new(&permissions), Router::new());
    for name in ["xom.example", "www.xom.example"] {
        until("the certificate is there", || async { connect(secure.addr, &issuer, name).await.ok() }).await;
    }
    secure.end().await;
    drop(pebble);
    // The authority is gone, and what it gave is used on.
    let secure =
        Secure::serve(crate::tls::listener().await, open(), Outgoing::new(&Permissions::default()), Router::new());
    assert!(connect(secure.addr, &issuer, "xom.example").await.is_ok());
    secure.end().await;
}
