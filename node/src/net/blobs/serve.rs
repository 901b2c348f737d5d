//! Serving blobs: only such as a live entry names, only to who names that entry (`BLOB-3`).

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use tokio::time::timeout;

use super::transfer_time;
use super::wire::{Answer, Request};
use crate::net::frame::{FrameError, read_frame};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;

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
    pub(in crate::net) fn serve(&self, peer: PeerId, stream: Stream) -> Option<impl Future<Output = ()> + use<>> {
        let place = Place::take(peer, &self.busy)?;
        let shared = Arc::clone(&self.shared);
        Some(async move {
            let _place = place;
            if let Err(cause) = answer(&shared, stream).await {
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

async fn answer(shared: &Arc<Shared>, mut stream: Stream) -> Result<(), FrameError> {
    let late = || FrameError::Io(io::ErrorKind::TimedOut.into());
    let frame = timeout(REQUEST_TIMEOUT, read_frame(&mut stream)).await.map_err(|_| late())??;
    let request = frame.and_then(|frame| Request::decode(&frame).ok());
    let Some(request) = request else { return Err(FrameError::Io(io::ErrorKind::InvalidData.into())) };
    let store = shared.store.clone();
    let found = async {
        let named = move || store.snapshot()?.blob_is_live(&request.blob, Some(&request.entry));
        if blocking(named).await? { shared.store.open_blob(request.blob).await } else { Ok(None) }
    };
    let found = match found.await {
        Ok(found) => found,
        Err(cause) => {
            tracing::error!(%cause, "a blob could not be read");
            Answer::Busy.write(&mut stream).await?;
            return Ok(stream.close().await?);
        }
    };
    let Some(mut blob) = found.filter(|blob| request.offset <= blob.bytes()) else {
        Answer::NotFound.write(&mut stream).await?;
        return Ok(stream.close().await?);
    };
    let length = blob.bytes() - request.offset;
    blob.narrow(request.offset, length)?;
    let send = async {
        Answer::Bytes(length).write(&mut stream).await?;
        while let Some(piece) = blob.read().await? {
            stream.write_all(&piece).await?;
        }
        stream.close().await
    };
    Ok(timeout(transfer_time(length), send).await.map_err(|_| late())??)
}
