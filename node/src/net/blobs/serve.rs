//! Serving blobs: only such as a live entry names, or a hidden one to its author's devices, and only to who
//! names that entry (`BLOB-3`).

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use tokio::time::timeout;

use xom_protocol::Did;
use xom_protocol::blob::{Groups, Item, Request, group_length, items};
use xom_protocol::limits::BLOB_GROUP_BYTES;

use super::transfer_time;
use super::wire::Answer;
use crate::blob::BlobReader;
use crate::net::frame::{FrameError, read_frame};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;

/// Blobs that are served at the same time.
const SERVED_MAX: usize = 8;
/// Blobs that one peer is served at the same time.
const SERVED_PER_PEER_MAX: usize = 4;
/// How long a peer may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves blobs, a bounded number at a time.
pub(in crate::net) struct Serving {
    shared: Arc<Shared>,
    busy: Arc<Mutex<BTreeMap<PeerId, usize>>>,
}

/// One transfer under way; gives its place back when dropped.
struct Place {
    peer: PeerId,
    busy: Arc<Mutex<BTreeMap<PeerId, usize>>>,
}

impl Serving {
    /// Serves from the store.
    pub(in crate::net) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, busy: Arc::default() }
    }

    /// The work of answering one stream; none where too much is being served: then the stream is reset.
    pub(in crate::net) fn serve(
        &self,
        peer: PeerId,
        tally: Arc<PeerTally>,
        stream: Stream,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let place = Place::take(peer, &self.busy)?;
        let shared = Arc::clone(&self.shared);
        Some(async move {
            let _place = place;
            if let Err(cause) = answer(&shared, &tally, stream).await {
                tracing::debug!(%peer, %cause, "blob not served");
            }
        })
    }
}

impl Place {
    fn take(peer: PeerId, busy: &Arc<Mutex<BTreeMap<PeerId, usize>>>) -> Option<Self> {
        let mut places = busy.lock().unwrap_or_else(|broken| broken.into_inner());
        let (all, own) = (places.values().sum::<usize>(), places.get(&peer).copied().unwrap_or(0));
        if all >= SERVED_MAX || own >= SERVED_PER_PEER_MAX {
            return None;
        }
        places.insert(peer, own + 1);
        Some(Self { peer, busy: Arc::clone(busy) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.busy.lock().unwrap_or_else(|broken| broken.into_inner());
        let left = places.get(&self.peer).map_or(0, |count| count - 1);
        match left {
            0 => places.remove(&self.peer),
            _ => places.insert(self.peer, left),
        };
    }
}

async fn answer(shared: &Arc<Shared>, tally: &PeerTally, mut stream: Stream) -> Result<(), FrameError> {
    let late = || FrameError::Io(io::ErrorKind::TimedOut.into());
    let frame = timeout(REQUEST_TIMEOUT, read_frame(&mut stream)).await.map_err(|_| late())??;
    let request = frame.and_then(|frame| Request::decode(&frame).ok());
    let Some(request) = request else { return Err(FrameError::Io(io::ErrorKind::InvalidData.into())) };
    let (judge, proven) = (Arc::clone(shared), tally.proven());
    let (blob, entry) = (request.blob, request.entry);
    let find = move || {
        let is_sibling = |author: &Did| {
            let mut devices = proven.iter().filter(|(did, _)| did == author);
            devices.try_fold(false, |is, (did, device)| Ok(is || judge.admits(did, device)? == Some(true)))
        };
        judge.store.snapshot()?.blob_served_as(&blob, &entry, is_sibling)
    };
    let found = match blocking(find).await {
        Ok(Some(bytes)) => shared.store.open_blob(blob).await.map(|found| found.filter(|blob| blob.bytes() == bytes)),
        Ok(None) => Ok(None),
        Err(cause) => Err(cause),
    };
    let found = match found {
        Ok(found) => found,
        Err(cause) => {
            tracing::error!(%cause, "a blob could not be read");
            Answer::Busy.write(&mut stream).await?;
            return Ok(stream.close().await?);
        }
    };
    let Some(blob) = found.filter(|blob| request.groups.end <= blob.tree().count()) else {
        Answer::NotFound.write(&mut stream).await?;
        return Ok(stream.close().await?);
    };
    let most = u64::from(request.groups.end - request.groups.start) * BLOB_GROUP_BYTES as u64;
    let send = send(blob, request.groups, stream);
    Ok(timeout(transfer_time(most), send).await.map_err(|_| late())??)
}

/// Writes a slice; each group is checked when it is read from the disk.
async fn send(mut blob: BlobReader, groups: Groups, mut stream: Stream) -> io::Result<()> {
    Answer::Slice.write(&mut stream).await?;
    let group_bytes = BLOB_GROUP_BYTES as u64;
    blob.narrow(u64::from(groups.start) * group_bytes, u64::from(groups.end - groups.start) * group_bytes);
    let mut piece = VecDeque::new();
    for item in items(blob.tree(), &groups) {
        let number = match item {
            Item::Node(node) => {
                stream.write_all(&node).await?;
                continue;
            }
            Item::Group(number) => number,
        };
        let length = group_length(blob.bytes(), number);
        if piece.is_empty() {
            piece.extend(blob.read().await?.unwrap_or_default());
        }
        let group: Vec<u8> = piece.drain(..length.min(piece.len())).collect();
        stream.write_all(&group).await?;
    }
    stream.close().await
}
