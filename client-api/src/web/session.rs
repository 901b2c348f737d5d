//! Who is logged in to the page: one-time links and sessions. Only hashes of secrets are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use xom_protocol::Did;

use crate::run::replace_private;

/// How long a one-time link is valid.
pub const LINK_MS: u64 = 10 * 60 * 1000;
/// How long a session is valid.
pub const SESSION_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// The most one-time links that are valid at once; a new one drops the oldest.
const LINKS_MAX: usize = 16;
/// The most sessions that are valid at once; a new one drops the oldest.
const SESSIONS_MAX: usize = 1_024;
/// The most sessions of one identity; a new one drops its oldest, so that nobody puts others out.
const SESSIONS_EACH_MAX: usize = 64;
/// What stands behind a session that began with a password.
const BY_PASSWORD: &str = " password";
/// The file in the data folder, mode 0600: a line for each session: hash, end in milliseconds, DID, and how it began.
const SESSIONS_FILE: &str = "sessions";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// A login that can't be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The entropy source failed.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
    /// The file of sessions can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// How somebody came in, and so what the session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a link that the owner of the machine made: everything.
    Link,
    /// By name and password: what the role of that person allows.
    Password,
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The identity.
    pub did: Did,
    /// How it began.
    pub way: Way,
    /// When it began, milliseconds since 1970.
    pub begun_ms: u64,
}

/// A secret's SHA-256, for whom it is, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    hash: [u8; 32],
    ends_ms: u64,
    did: Did,
    way: Way,
}

/// One-time links, in memory only: a restart ends them.
#[derive(Debug, Default)]
pub struct LoginLinks {
    grants: Mutex<Vec<Grant>>,
}

/// Sessions, in memory and on disk.
#[derive(Debug)]
pub struct Sessions {
    grants: Mutex<Vec<Grant>>,
    file: PathBuf,
}

impl LoginLinks {
    /// Makes a token that logs in once as an identity.
    pub fn make(&self, did: Did, now_ms: u64) -> Result<String, SessionError> {
        let (secret, grant) = grant(did, Way::Link, now_ms + LINK_MS)?;
        push(&mut lock(&self.grants), grant, LINKS_MAX, now_ms);
        Ok(secret)
    }

    /// Takes a token: true only once for each, and only in time.
    pub fn take(&self, secret: &str, now_ms: u64) -> Option<Did> {
        let mut grants = lock(&self.grants);
        let hash = hash(secret);
        let place = grants.iter().position(|grant| grant.hash == hash)?;
        let grant = grants.remove(place);
        (grant.ends_ms > now_ms).then_some(grant.did)
    }
}

impl Sessions {
    /// Reads the sessions of a data folder. Lines that can't be read are no sessions.
    pub fn open(data_dir: &Path) -> Result<Self, SessionError> {
        let file = data_dir.join(SESSIONS_FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(SessionError::File { path: file, cause }),
        };
        Ok(Self { grants: Mutex::new(text.lines().filter_map(read_line).collect()), file })
    }

    /// Begins a session and answers its secret, for the cookie. Blocking.
    pub fn begin(&self, did: Did, way: Way, now_ms: u64) -> Result<String, SessionError> {
        let (secret, grant) = grant(did, way, now_ms + SESSION_MS)?;
        let mut grants = lock(&self.grants);
        let own = grants.iter().filter(|other| other.did == did).count();
        if own >= SESSIONS_EACH_MAX
            && let Some(oldest) = grants.iter().position(|other| other.did == did)
        {
            grants.remove(oldest);
        }
        push(&mut grants, grant, SESSIONS_MAX, now_ms);
        self.write(&grants)?;
        Ok(secret)
    }

    /// Whose session a secret is.
    pub fn find(&self, secret: &str, now_ms: u64) -> Option<Session> {
        let hash = hash(secret);
        let grants = lock(&self.grants);
        let found = grants.iter().find(|grant| grant.hash == hash && grant.ends_ms > now_ms)?;
        Some(Session { did: found.did, way: found.way, begun_ms: found.ends_ms.saturating_sub(SESSION_MS) })
    }

    /// Ends a session. Blocking.
    pub fn end(&self, secret: &str) -> Result<(), SessionError> {
        let hash = hash(secret);
        let mut grants = lock(&self.grants);
        grants.retain(|grant| grant.hash != hash);
        self.write(&grants)
    }

    fn write(&self, grants: &[Grant]) -> Result<(), SessionError> {
        let lines: String = grants
            .iter()
            .map(|grant| {
                let way = if grant.way == Way::Password { BY_PASSWORD } else { "" };
                format!("{} {} {}{way}\n", HEXLOWER.encode(&grant.hash), grant.ends_ms, grant.did)
            })
            .collect();
        replace_private(&self.file, lines.as_bytes())
            .map_err(|cause| SessionError::File { path: self.file.clone(), cause })
    }
}

/// The CSRF token of a session: derived from its secret, so that it needs no memory and is bound to it.
pub fn csrf_token(secret: &str) -> String {
    let digest = Sha256::new().chain_update(b"xom page csrf\0").chain_update(secret.as_bytes()).finalize();
    BASE64URL_NOPAD.encode(&digest)
}

/// True if a form's token is that of the session. Hashes are compared, so that time tells nothing.
pub fn csrf_fits(secret: &str, token: &str) -> bool {
    hash(&csrf_token(secret)) == hash(token)
}

/// Milliseconds since 1970 by this machine's clock.
pub fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn grant(did: Did, way: Way, ends_ms: u64) -> Result<(String, Grant), SessionError> {
    let mut seed = [0; SECRET_BYTES];
    getrandom::fill(&mut seed).map_err(|error| SessionError::Entropy(error.to_string()))?;
    let secret = BASE64URL_NOPAD.encode(&seed);
    let hash = hash(&secret);
    Ok((secret, Grant { hash, ends_ms, did, way }))
}

/// Adds a grant; drops what has ended, and the oldest beyond `max`.
fn push(grants: &mut Vec<Grant>, grant: Grant, max: usize, now_ms: u64) {
    grants.retain(|grant| grant.ends_ms > now_ms);
    let too_many = (grants.len() + 1).saturating_sub(max);
    grants.drain(..too_many);
    grants.push(grant);
}

fn read_line(line: &str) -> Option<Grant> {
    let mut words = line.split(' ');
    let hash = HEXLOWER.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
    let (ends_ms, did) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let way = match words.next() {
        None => Way::Link,
        Some(word) if word == BY_PASSWORD.trim_start() => Way::Password,
        Some(_) => return None,
    };
    Some(Grant { hash, ends_ms, did, way })
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// No holder leaves the list half changed, so a panic elsewhere doesn't spoil it.
fn lock(grants: &Mutex<Vec<Grant>>) -> MutexGuard<'_, Vec<Grant>> {
    grants.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn lan() -> Did {
        Did([7; 32])
    }

    #[test]
    fn a_login_link_is_valid_once() {
        let links = LoginLinks::default();
        let token = links.make(lan(), 1000).unwrap();
        assert_eq!(links.take("guessed", 1000), None);
        assert_eq!(links.take(&token, 1000), Some(lan()));
        assert_eq!(links.take(&token, 1000), None);
    }

    #[test]
    fn a_login_link_is_valid_for_ten_minutes() {
        let links = LoginLinks::default();
        let (late, early) = (links.make(lan(), 0).unwrap(), links.make(lan(), 0).unwrap());
        assert_eq!(links.take(&early, 10 * 60 * 1000 - 1), Some(lan()));
        assert_eq!(links.take(&late, 10 * 60 * 1000), None);
    }

    #[test]
    fn sessions_live_through_a_restart_and_end_by_logout() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Sessions::open(folder.path()).unwrap().begin(lan(), Way::Link, 1000).unwrap();

        let restarted = Sessions::open(folder.path()).unwrap();
        assert_eq!(restarted.find(&secret, 2000), Some(Session { did: lan(), way: Way::Link, begun_ms: 1000 }));
        assert_eq!(restarted.find(&secret, 1000 + SESSION_MS), None);
        restarted.end(&secret).unwrap();
        assert_eq!(restarted.find(&secret, 2000), None);
        assert_eq!(Sessions::open(folder.path()).unwrap().find(&secret, 2000), None);
    }

    #[test]
    fn no_secret_of_a_session_is_on_disk_and_the_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Sessions::open(folder.path()).unwrap().begin(lan(), Way::Link, 1000).unwrap();
        let path = folder.path().join(SESSIONS_FILE);
        assert!(!fs::read_to_string(&path).unwrap().contains(&secret));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_oldest_session_goes_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let first = sessions.begin(lan(), Way::Link, 1000).unwrap();
        let others: Vec<String> =
            (0..SESSIONS_EACH_MAX).map(|_| sessions.begin(lan(), Way::Link, 1000).unwrap()).collect();
        assert_eq!(sessions.find(&first, 1000), None);
        assert!(others.iter().all(|secret| sessions.find(secret, 1000).is_some()));
    }

    #[test]
    fn how_a_session_began_lives_through_a_restart_and_nobody_puts_others_out() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let first = sessions.begin(lan(), Way::Link, 1000).unwrap();
        let minh = Did([8; 32]);
        let others: Vec<String> =
            (0..=SESSIONS_EACH_MAX).map(|_| sessions.begin(minh, Way::Password, 1000).unwrap()).collect();
        let restarted = Sessions::open(folder.path()).unwrap();
        assert!(restarted.find(&first, 1000).is_some(), "of somebody else");
        assert_eq!(restarted.find(&others[0], 1000), None);
        let last = restarted.find(others.last().unwrap(), 1000);
        assert_eq!(last, Some(Session { did: minh, way: Way::Password, begun_ms: 1000 }));
    }

    #[test]
    fn a_csrf_token_fits_its_own_session_only() {
        assert!(csrf_fits("one", &csrf_token("one")));
        assert!(!csrf_fits("one", &csrf_token("two")));
        assert!(!csrf_fits("one", ""));
        assert_ne!(csrf_token("one"), "one");
    }
}
