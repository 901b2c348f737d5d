//! A certificate with its key, read from PEM and checked.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{TlsError, provider};

/// A chain and the key of its first certificate, which belong together.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// For handshakes.
    pub(crate) key: Arc<CertifiedKey>,
    /// When it ends.
    pub not_after: SystemTime,
    /// For how long it was made.
    pub lifetime: Duration,
}

impl Certificate {
    /// Reads a chain and its key, which may be in one file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = fs::read(certificate).map_err(|cause| TlsError::file(certificate, cause))?;
        let secret = Zeroizing::new(fs::read(key).map_err(|cause| TlsError::file(key, cause))?);
        Self::of_pem((certificate, &chain), (key, &secret))
    }

    fn of_pem(certificate: (&Path, &[u8]), key: (&Path, &[u8])) -> Result<Self, TlsError> {
        let no_chain = || TlsError::Form { path: certificate.0.to_owned(), wanted: "certificate" };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.1).collect();
        let chain = chain.map_err(|_| no_chain())?;
        let (not_before, not_after) = chain.first().and_then(validity).ok_or_else(no_chain)?;
        let no_key = || TlsError::Form { path: key.0.to_owned(), wanted: "private key" };
        let secret = PrivateKeyDer::from_pem_slice(key.1).map_err(|_| no_key())?;
        let certified = CertifiedKey::from_der(chain, secret, &provider()).map_err(|cause| match cause {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch(key.0.to_owned()),
            cause => TlsError::Key { path: key.0.to_owned(), cause },
        })?;
        let lifetime = not_after.duration_since(not_before).unwrap_or_default();
        Ok(Self { key: Arc::new(certified), not_after, lifetime })
    }

    /// True once a third of its life or less is left, which is when authorities ask to renew.
    pub fn is_due(&self, now: SystemTime) -> bool {
        self.not_after.duration_since(now).is_ok_and(|left| left > self.lifetime / 3).eq(&false)
    }
}

/// From when and until when a certificate is good.
fn validity(certificate: &CertificateDer<'_>) -> Option<(SystemTime, SystemTime)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let time = |seconds: i64| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?));
    let validity = parsed.validity();
    Some((time(validity.not_before.timestamp())?, time(validity.not_after.timestamp())?))
}

/// Reads the certificates of authorities that are to be believed.
pub fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = fs::read(path).map_err(|cause| TlsError::file(path, cause))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    roots
        .ok()
        .filter(|roots| !roots.is_empty())
        .ok_or_else(|| TlsError::Form { path: path.to_owned(), wanted: "certificate" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> (String, String) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn read(chain: &str, key: &str) -> Result<Certificate, TlsError> {
        let (chain_path, key_path) = (Path::new("chain.pem"), Path::new("key.pem"));
        Certificate::of_pem((chain_path, chain.as_bytes()), (key_path, key.as_bytes()))
    }

    #[test]
    fn a_key_that_belongs_to_another_certificate_is_refused() {
        let ((one, one_key), (_, other_key)) = (pair("one.example"), pair("two.example"));
        assert!(read(&one, &one_key).is_ok());
        assert!(read(&format!("{one}{one_key}"), &format!("{one}{one_key}")).is_ok(), "both in one file");
        assert!(matches!(read(&one, &other_key), Err(TlsError::Mismatch(_))));
    }

    #[test]
    fn a_file_without_what_is_wanted_is_named() {
        let (chain, key) = pair("one.example");
        assert!(matches!(read("", &key), Err(TlsError::Form { wanted: "certificate", .. })));
        assert!(matches!(read(&chain, &chain), Err(TlsError::Form { wanted: "private key", .. })));
        let cut = chain.replace("-----END", "!----END");
        assert!(matches!(read(&cut, &key), Err(TlsError::Form { wanted: "certificate", .. })));
    }

    #[test]
    fn a_certificate_is_due_in_the_last_third_of_its_life() {
        let (chain, key) = pair("one.example");
        let mut certificate = read(&chain, &key).unwrap();
        let day = Duration::from_secs(86_400);
        certificate.lifetime = 90 * day;
        let before_end = |days: u32| certificate.not_after.checked_sub(days * day).unwrap();
        assert!(!certificate.is_due(before_end(31)));
        assert!(certificate.is_due(before_end(30)));
        assert!(certificate.is_due(certificate.not_after + day));
    }
}
