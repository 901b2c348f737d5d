//! The certificates that handshakes choose from: the one of the server, and those by which an ACME authority is shown
//! that a name is ours. Either is replaced while the listener runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{ACME_TLS, Certificate};

/// What there is at this moment.
#[derive(Debug, Default)]
pub struct Certificates {
    current: Mutex<Option<Arc<CertifiedKey>>>,
    /// By name, while an authority looks.
    proofs: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

/// Shows a proof for as long as it lives.
pub(super) struct Shown<'c> {
    certificates: &'c Certificates,
    name: String,
}

impl Certificates {
    /// From now on handshakes are made with this one; connections that are open go on.
    pub fn replace(&self, certificate: &Certificate) {
        *lock(&self.current) = Some(Arc::clone(&certificate.key));
    }

    /// Shows a proof to the authority that looks at this name.
    pub(super) fn show(&self, name: &str, proof: Arc<CertifiedKey>) -> Shown<'_> {
        lock(&self.proofs).insert(name.to_owned(), proof);
        Shown { certificates: self, name: name.to_owned() }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        lock(&self.certificates.proofs).remove(&self.name);
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let proves = hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ACME_TLS));
        if proves {
            // Nobody but an authority that was asked gets an answer.
            return lock(&self.proofs).get(hello.server_name()?).cloned();
        }
        lock(&self.current).clone()
    }
}

/// No holder leaves it half changed, so a panic elsewhere doesn't spoil it.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
