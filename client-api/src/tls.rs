//! HTTPS on a name: the certificate of the second listener, where it comes from and how it stays fresh.
//!
//! It comes from files of the owner's, from a local authority whose root the owner's devices trust, or from an ACME
//! authority. The plain listener of this machine is another one, and no setting turns it into this.

mod acme;
mod certificate;
mod certificates;
mod error;
mod folder;
mod keeper;
pub mod local;
mod name;

pub use acme::{AcmeSettings, LETS_ENCRYPT};
pub use certificate::{Certificate, read_roots};
pub use certificates::Certificates;
pub use error::TlsError;
pub use folder::TlsFolder;
pub use keeper::Keeper;
pub use name::{Name, NameError};

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// What the listener speaks within TLS.
const HTTP_1_1: &[u8] = b"http/1.1";
/// What an ACME authority speaks to look at the proof that a name is ours (RFC 8737).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files that somebody else renews.
    Files {
        /// The chain, the certificate of the server first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// The authority of this folder, made by `xom tls setup`.
    Local,
    /// An ACME authority (RFC 8555).
    Acme(AcmeSettings),
}

/// Two crypto backends are linked in; this is the one that is meant.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// How the listener shakes hands, with whatever certificate there is at that moment.
pub fn server_config(certificates: Arc<Certificates>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![HTTP_1_1.to_vec(), ACME_TLS.to_vec()];
    Arc::new(config)
}
