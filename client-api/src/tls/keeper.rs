//! Keeps the certificate fresh while the node runs: reads files again when they change, renews what is the node's own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Certificate, Certificates, Name, Source, TlsError, TlsFolder, acme, local};
use crate::outgoing::Outgoing;

/// How often files are looked at, and how often it is asked whether a certificate is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long to wait after an ACME authority has refused for the first time; twice as long after each other.
const RETRY_FIRST: Duration = Duration::from_secs(60);
/// The longest of these waits; authorities allow five refusals an hour.
const RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Whoever keeps a certificate.
pub struct Keeper {
    source: Source,
    folder: TlsFolder,
    names: Vec<Name>,
    certificates: Arc<Certificates>,
    state: State,
}

/// What is known of the certificate that is used.
#[derive(Default)]
struct State {
    certificate: Option<Certificate>,
    /// What the files looked like when they were read last, whether they could be used or not.
    stamp: Option<Stamp>,
    /// Not before this moment is an authority asked again, and how long is waited after the next refusal.
    retry: Option<(SystemTime, Duration)>,
}

/// Changes with the files: when each was written, its length and where it lies.
type Stamp = Vec<Option<(SystemTime, u64, u64)>>;

impl Keeper {
    /// Reads or makes the first certificate. Of an ACME authority it may come later.
    pub fn open(source: Source, folder: TlsFolder, names: Vec<Name>) -> Result<Self, TlsError> {
        let mut keeper = Self { source, folder, names, certificates: Arc::default(), state: State::default() };
        let now = SystemTime::now();
        keeper.state.stamp = Some(stamp(&keeper.files()));
        let first = match &keeper.source {
            Source::Files { certificate, key } => Some(Certificate::read(certificate, key)?),
            Source::Local => Some(local::current(&keeper.folder, &keeper.names, now)?),
            Source::Acme(_) => {
                let kept = keeper.folder.acme();
                if kept.exists() { Some(Certificate::read(&kept, &kept)?) } else { None }
            }
        };
        if let Some(first) = first {
            keeper.take(first, now);
        }
        Ok(keeper)
    }

    /// What handshakes choose from.
    pub fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(&self.certificates)
    }

    /// Goes on until `shutdown`.
    pub async fn run(mut self, outgoing: Outgoing, shutdown: CancellationToken) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.tick() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look(&outgoing) => if let Err(error) = looked {
                    tracing::warn!(%error, "the certificate could not be renewed; the old one is used on");
                }
            }
        }
    }

    async fn look(&mut self, outgoing: &Outgoing) -> Result<(), TlsError> {
        let now = SystemTime::now();
        match &self.source {
            Source::Files { certificate, key } => {
                let (files, (certificate, key)) = (self.files(), (certificate.clone(), key.clone()));
                let known = self.state.stamp.clone();
                let seen = apart(move || {
                    let seen = stamp(&files);
                    (known.as_ref() != Some(&seen)).then(|| (seen, Certificate::read(&certificate, &key)))
                });
                let Some((seen, read)) = seen.await? else { return Ok(()) };
                // A half of a pair that is being replaced is complained of once, and read again when it changes.
                self.state.stamp = Some(seen);
                self.take(read?, now);
            }
            Source::Local if self.is_due(now) => {
                let (folder, names) = (self.folder.clone(), self.names.clone());
                let made = apart(move || local::current(&folder, &names, now)).await?;
                let made = made.inspect_err(|_| self.state.wait_after(now));
                self.take(made?, now);
            }
            Source::Acme(settings) if self.is_due(now) => {
                let got = acme::obtain(settings, &self.folder, &self.names, &self.certificates, outgoing).await;
                let got = got.inspect_err(|_| self.state.wait_after(now));
                self.take(got?, now);
            }
            Source::Local | Source::Acme(_) => {}
        }
        Ok(())
    }

    fn take(&mut self, certificate: Certificate, now: SystemTime) {
        if certificate.not_after <= now {
            tracing::warn!("the certificate of the TLS listener has ended; devices will refuse it");
        }
        self.certificates.replace(&certificate);
        self.state.certificate = Some(certificate);
        self.state.retry = None;
    }

    fn is_due(&self, now: SystemTime) -> bool {
        let waits = self.state.retry.is_some_and(|(until, _)| now < until);
        !waits && self.state.certificate.as_ref().is_none_or(|certificate| certificate.is_due(now))
    }

    /// The files of the owner's.
    fn files(&self) -> Vec<PathBuf> {
        match &self.source {
            Source::Files { certificate, key } => vec![certificate.clone(), key.clone()],
            Source::Local | Source::Acme(_) => Vec::new(),
        }
    }
}

impl State {
    fn wait_after(&mut self, now: SystemTime) {
        let wait = self.retry.map_or(RETRY_FIRST, |(_, wait)| wait);
        self.retry = Some((now + wait, (wait * 2).min(RETRY_MAX)));
    }
}

/// Works on files where waiting for a disk holds nobody up.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, TlsError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| TlsError::Interrupted)
}

fn stamp(files: &[PathBuf]) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let one = |path: &Path| -> io::Result<_> {
        let seen = fs::metadata(path)?;
        Ok((seen.modified()?, seen.len(), seen.ino()))
    };
    files.iter().map(|path| one(path).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_refuses_is_asked_ever_more_rarely_and_not_never() {
        let mut state = State::default();
        let now = SystemTime::UNIX_EPOCH;
        let mut waits = Vec::new();
        for _ in 0..12 {
            state.wait_after(now);
            let (until, _) = state.retry.unwrap();
            waits.push(until.duration_since(now).unwrap().as_secs());
        }
        assert_eq!(waits[..3], [60, 120, 240]);
        assert_eq!(waits[11], 6 * 60 * 60);
    }
}
