//! What can be wrong with a certificate, and with getting one.

use std::io;
use std::path::{Path, PathBuf};

use crate::outgoing::OutgoingError;

/// No certificate, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path} holds no {wanted} in PEM form")]
    Form {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
    },
    /// Certificate and key are not of one pair.
    #[error("{0}: the key does not belong to the certificate")]
    Mismatch(PathBuf),
    /// A key of a kind that can't be used.
    #[error("{path}: {cause}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: rustls::Error,
    },
    /// Nothing was set up.
    #[error("no local authority is set up; make one with `xom tls setup`")]
    NotSetUp,
    /// A certificate can't be made.
    #[error("can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The ACME authority refused, or could not be asked.
    #[error("the ACME authority: {0}")]
    Acme(#[from] instant_acme::Error),
    /// The ACME authority could not be asked.
    #[error("the ACME authority: {0}")]
    Outgoing(#[from] OutgoingError),
    /// The ACME authority wants another proof than this node can give.
    #[error("the ACME authority offers no tls-alpn-01 for {0}")]
    NoChallenge(String),
    /// The ACME authority did not accept the proof.
    #[error("the ACME authority could not see that {0} is this node; it must reach the TLS port of it as port 443")]
    NotProven(String),
    /// The work was interrupted.
    #[error("the work was interrupted")]
    Interrupted,
}

impl TlsError {
    /// A failure with a file.
    pub(super) fn file(path: &Path, cause: io::Error) -> Self {
        Self::File { path: path.to_owned(), cause }
    }
}
