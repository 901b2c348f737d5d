//! The transfer of some groups of a blob from one peer: bounded, each group checked before it is kept (`BLOB-4`).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::AsyncReadExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use xom_protocol::blob::{Group, Groups, Request, SliceReader};

use super::Missing;
use super::plan::Plan;
use crate::blob::Partial;
use crate::net::BLOB_PROTOCOL;
use crate::net::blobs::pace::Pace;
use crate::net::blobs::wire::Answer;
use crate::net::frame::write_frame;
use crate::net::shared::Shared;

/// How long a peer may take to begin its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long it may take for each group, or the nodes before it: under 1 KiB a second nobody waits.
pub(super) const GROUP_TIMEOUT: Duration = Duration::from_secs(20);
/// Groups that are written at once.
const GROUPS_AT_ONCE: usize = 16;

/// What has come of a blob and what has not; shared by all who bring groups of it.
pub(super) struct Progress {
    /// What is missing.
    pub(super) plan: Plan,
    /// What is here; none once it was taken to be stored.
    pub(super) partial: Option<Partial>,
}

/// How fast a peer brings what it was asked for.
pub(super) type SharedPace = Arc<Mutex<Pace>>;

/// Some groups of a blob from one peer.
pub(super) struct Transfer {
    pub(super) shared: Arc<Shared>,
    pub(super) control: Control,
    pub(super) peer: PeerId,
    pub(super) missing: Missing,
    pub(super) groups: Groups,
    pub(super) progress: Arc<Mutex<Progress>>,
    pub(super) pace: SharedPace,
    /// Ends it early.
    pub(super) gives_way: CancellationToken,
}

/// Why a transfer ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    /// The peer does not have it, is busy, is slow, or is gone.
    #[error("{0}")]
    Peer(String),
    /// It was slow, and somebody else is asked.
    #[error("slower than others could be")]
    GaveWay,
    /// The bytes were not those of the blob.
    #[error(transparent)]
    Lie(#[from] xom_protocol::blob::Lie),
    /// They could not be written here.
    #[error("not written: {0}")]
    Disk(io::Error),
}

impl Transfer {
    /// Fetches the groups; those that came before it ended early are kept.
    pub(super) async fn run(mut self) -> Result<(), Cut> {
        let gives_way = self.gives_way.clone();
        paced(&self.pace).wait(Instant::now());
        let begun = tokio::select! {
            () = gives_way.cancelled() => return Err(Cut::GaveWay),
            begun = timeout(ANSWER_TIMEOUT, self.begin()) => begun.map_err(|_| Cut::Peer("no answer in time".into()))?,
        };
        let mut stream = begun?;
        let mut reader = SliceReader::new(&self.missing.blob, self.missing.bytes, self.groups.clone());
        let mut groups = Vec::new();
        let received = tokio::select! {
            () = gives_way.cancelled() => Err(Cut::GaveWay),
            received = self.receive(&mut stream, &mut reader, &mut groups) => received,
        };
        self.keep(groups).await?;
        received
    }

    async fn begin(&mut self) -> Result<Stream, Cut> {
        let failed = |e: &dyn std::fmt::Display| Cut::Peer(e.to_string());
        let mut stream = self.control.open_stream(self.peer, BLOB_PROTOCOL).await.map_err(|e| failed(&e))?;
        let Missing { blob, entry, .. } = self.missing;
        let request = Request { blob, entry, groups: self.groups.clone() };
        write_frame(&mut stream, &request.encode()).await.map_err(|e| failed(&e))?;
        match Answer::read(&mut stream).await.map_err(|e| failed(&e))? {
            Answer::Slice => Ok(stream),
            Answer::NotFound => Err(Cut::Peer("not found there".into())),
            Answer::Busy => Err(Cut::Peer("busy".into())),
        }
    }

    async fn receive(&self, stream: &mut Stream, reader: &mut SliceReader, groups: &mut Vec<Group>) -> Result<(), Cut> {
        while let Some(length) = reader.next_length() {
            let mut bytes = vec![0; length];
            paced(&self.pace).wait(Instant::now());
            let read = timeout(GROUP_TIMEOUT, stream.read_exact(&mut bytes)).await;
            paced(&self.pace).moved(length, Instant::now());
            read.map_err(|_| Cut::Peer("too slow".into()))?.map_err(|e| Cut::Peer(e.to_string()))?;
            groups.extend(reader.take(bytes)?);
            if groups.len() == GROUPS_AT_ONCE {
                self.keep(std::mem::take(groups)).await?;
            }
            self.shared.line.down(&self.peer, length).await;
        }
        Ok(())
    }

    /// Writes groups; those that another has brought meanwhile are left out.
    async fn keep(&self, groups: Vec<Group>) -> Result<(), Cut> {
        if groups.is_empty() {
            return Ok(());
        }
        let progress = Arc::clone(&self.progress);
        let written = tokio::task::spawn_blocking(move || {
            let mut progress = progress.lock().unwrap_or_else(|broken| broken.into_inner());
            let Progress { plan, partial: Some(partial) } = &mut *progress else { return Ok(()) };
            for group in &groups {
                partial.put(group)?;
                plan.arrived(group.number());
            }
            Ok(())
        });
        written.await.map_err(|e| Cut::Disk(io::Error::other(e)))?.map_err(Cut::Disk)
    }
}

/// How fast a peer is, to look at or to change.
pub(super) fn paced(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(|broken| broken.into_inner())
}
