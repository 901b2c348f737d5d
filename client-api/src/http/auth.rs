//! The owner's bearer token: one line in the data folder, readable by its owner only.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// Name of the token's file in the data folder.
pub const TOKEN_FILE: &str = "token";
/// Name of the file with the token of `/metrics` in the data folder; it opens nothing else.
pub const METRICS_TOKEN_FILE: &str = "metrics.token";
/// What a token begins with, so that scanners for leaked secrets know it.
pub const TOKEN_PREFIX: &str = "xom_";
/// Shortest token that is taken from the file, bytes.
const TOKEN_BYTES_MIN: usize = 32;

/// The token can't be read or made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read or written.
    #[error("token file: {0}")]
    File(#[from] io::Error),
    /// The file holds something else than one long line.
    #[error(
        "token file does not hold one line of at least {TOKEN_BYTES_MIN} printable characters; delete it to get a new token"
    )]
    Malformed,
    /// The system has no entropy.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
}

/// A bearer token. Its `Debug` form never shows it.
#[derive(Clone)]
pub struct Token {
    text: Arc<str>,
    digest: [u8; 32],
}

impl Token {
    /// Takes a token.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let fits = text.len() >= TOKEN_BYTES_MIN && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(TokenError::Malformed);
        }
        Ok(Self { text: text.into(), digest: digest(text) })
    }

    /// Reads the token of a data folder, or makes one.
    ///
    /// A new file gets mode 0600 and appears whole or not at all; an old one that others can read is tightened.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TokenError> {
        Self::load_or_create_at(data_dir, TOKEN_FILE)
    }

    /// The same in another file of the data folder.
    pub fn load_or_create_at(data_dir: &Path, name: &str) -> Result<Self, TokenError> {
        let path = data_dir.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                tighten(&path)?;
                Self::new(text.strip_suffix('\n').unwrap_or(&text))
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Self::create(data_dir, &path),
            Err(cause) => Err(cause.into()),
        }
    }

    fn create(data_dir: &Path, path: &Path) -> Result<Self, TokenError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|cause| TokenError::Entropy(cause.to_string()))?;
        let token = Self::new(&format!("{TOKEN_PREFIX}{}", BASE64URL_NOPAD.encode(&secret)))?;
        // Made with O_EXCL and mode 0600 under another name, then linked: a crash leaves no half token.
        let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
        writeln!(file, "{}", token.text)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(token),
            Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => {
                Self::load_or_create_at(data_dir, path.file_name().and_then(|name| name.to_str()).unwrap_or(TOKEN_FILE))
            }
            Err(failed) => Err(failed.error.into()),
        }
    }

    /// The token itself, for the file and the owner's own client.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its SHA-256, which tells tokens apart and says nothing of them.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// True if `other` is this token. Takes the same time whatever differs: digests are compared, whole.
    pub fn is(&self, other: &str) -> bool {
        let other = digest(other);
        let difference = self.digest.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
        difference == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// The bearer token that a request carries; exactly one `Authorization` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!("the token file could be read by others; its mode is now 0600");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn tighten(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_is_the_only_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = Token::load_or_create(folder.path()).unwrap();
        let second = Token::load_or_create(folder.path()).unwrap();
        assert!(first.is(second.text()));
        let file = std::fs::read_to_string(folder.path().join(TOKEN_FILE)).unwrap();
        assert_eq!(file, format!("{}\n", first.text()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn r_api_20_a_token_file_that_others_can_read_is_tightened() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TOKEN_FILE);
        Token::load_or_create(folder.path()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        Token::load_or_create(folder.path()).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn r_api_10_a_token_does_not_show_in_debug_prints() {
        let token = Token::new(&"s3cret".repeat(8)).unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn an_empty_or_short_token_is_refused() {
        for bad in ["", "short", &"a b".repeat(20), &"x\n".repeat(40)] {
            assert!(matches!(Token::new(bad), Err(TokenError::Malformed)), "{bad}");
        }
    }

    #[test]
    fn only_one_authorization_header_of_the_bearer_scheme_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.append(header::AUTHORIZATION, "bearer abc".parse().unwrap());
        assert_eq!(bearer(&headers), Some("abc"));
        headers.append(header::AUTHORIZATION, "Bearer def".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}
