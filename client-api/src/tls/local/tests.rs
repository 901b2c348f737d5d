//! The local authority as devices see it that trust its root, and as a thief of its key.

use std::os::unix::fs::PermissionsExt;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use super::*;
use crate::settings::read_file;
use crate::tls::provider;

fn names(list: &[&str]) -> Vec<Name> {
    list.iter().map(|name| name.parse().unwrap()).collect()
}

fn listen() -> SocketAddr {
    "127.0.0.1:7443".parse().unwrap()
}

/// Whether a device that trusts the root of a folder takes its certificate for a name.
fn takes(root: &Root, chain: &[CertificateDer<'static>], name: &str) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(root.der.clone()).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now()).is_ok()
}

/// A certificate for another name, made with the key of the folder as a thief would.
fn forge(folder: &TlsFolder, name: &str) -> Vec<CertificateDer<'static>> {
    let key = KeyPair::from_pem(&fs::read_to_string(folder.authority_key()).unwrap()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&fs::read_to_string(folder.authority()).unwrap(), key).unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    vec![certificate.der().clone()]
}

#[test]
fn a_device_that_trusts_the_root_takes_the_certificate_for_the_names_of_the_node() {
    let data = tempfile::tempdir().unwrap();
    let folder = TlsFolder::of(data.path());
    let now = SystemTime::now();
    let all = names(&["home.local", "192.168.1.7", "fd00::7"]);
    let root = set_up(&folder, &all, listen(), now).unwrap();
    let certificate = current(&folder, &all, now).unwrap();
    for name in ["home.local", "192.168.1.7", "fd00::7"] {
        assert!(takes(&root, &certificate.key.cert, name), "{name}");
    }
    for name in ["other.local", "192.168.1.8", "fd00::8"] {
        assert!(!takes(&root, &certificate.key.cert, name), "{name}");
    }
}

#[test]
fn a_stolen_key_of_the_root_makes_no_certificate_for_other_names() {
    for (own, others) in [
        (&["home.local"][..], &["bank.example", "192.168.1.7", "fd00::7", "home.local.evil.example"][..]),
        (&["192.168.1.7"], &["bank.example", "192.168.1.8", "fd00::7"]),
        (&["home.local", "192.168.1.7"], &["bank.example", "10.0.0.1"]),
    ] {
        let data = tempfile::tempdir().unwrap();
        let folder = TlsFolder::of(data.path());
        let root = set_up(&folder, &names(own), listen(), SystemTime::now()).unwrap();
        assert!(
            takes(&root, &forge(&folder, own[0]), own[0]),
            "a forged one for its own name shows that forging works"
        );
        for other in others {
            assert!(!takes(&root, &forge(&folder, other), other), "{own:?}: {other}");
        }
    }
}

#[test]
fn a_certificate_is_made_anew_when_it_is_due_and_the_root_stays() {
    let data = tempfile::tempdir().unwrap();
    let folder = TlsFolder::of(data.path());
    let (all, now) = (names(&["home.local"]), SystemTime::now());
    let long_ago = now.checked_sub(70 * DAY).unwrap();
    let root = set_up(&folder, &all, listen(), long_ago).unwrap();
    let old = Certificate::read(&folder.local(), &folder.local()).unwrap();
    let new = current(&folder, &all, now).unwrap();
    assert!(new.not_after > old.not_after);
    assert!(takes(&root, &new.key.cert, "home.local"));
    assert_eq!(Root::read(&folder).unwrap(), root);
    let kept = current(&folder, &all, now).unwrap();
    assert_eq!(kept.key.cert, new.key.cert, "one that is not due is used on");
}

#[test]
fn r_sup_3_keys_are_readable_by_their_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    let folder = TlsFolder::of(data.path());
    set_up(&folder, &names(&["home.local"]), listen(), SystemTime::now()).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for path in [folder.authority_key(), folder.local(), folder.authority()] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&data.path().join("tls")), 0o700);
}

#[test]
fn what_is_set_up_is_read_by_the_next_run_and_can_be_taken_down() {
    let data = tempfile::tempdir().unwrap();
    let folder = TlsFolder::of(data.path());
    assert!(matches!(Root::read(&folder), Err(TlsError::NotSetUp)));
    let root = set_up(&folder, &names(&["home.local", "fd00::7"]), listen(), SystemTime::now()).unwrap();
    assert!(read_file(&folder.settings()).unwrap().tls.is_some());
    assert_eq!(root.fingerprint().len(), 95);
    take_down(&folder).unwrap();
    take_down(&folder).unwrap();
    assert!(matches!(Root::read(&folder), Err(TlsError::NotSetUp)));
    assert!(!folder.settings().exists() && !folder.authority_key().exists());
}
