//! Serving blobs: only such as a live entry names, or a hidden one to its author's devices, and only to who
//! names that entry (`BLOB-3`).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use tokio::time::timeout;

use xom_protocol::Did;
use xom_protocol::blob::{Groups, Item, Request, group_length, items};
use xom_protocol::limits::BLOB_GROUP_BYTES;

use super::places::{Place, Places};
use super::transfer_time;
use super::wire::Answer;
use crate::blob::BlobReader;
use crate::net::frame::{FrameError, read_frame};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;

/// How long a peer may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves blobs, a bounded number at a time.
pub(in crate::net) struct Serving {
    shared: Arc<Shared>,
    places: Arc<Mutex<Places>>,
}

/// One transfer under way; gives its place back when dropped.
struct Held {
    number: u64,
    places: Arc<Mutex<Places>>,
}

/// Who is served, and how fast he is.
struct Reader {
    shared: Arc<Shared>,
    peer: PeerId,
    /// What he has proved to be.
    tally: Arc<PeerTally>,
    place: Place,
}

impl Serving {
    /// Serves from the store.
    pub(in crate::net) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, places: Arc::default() }
    }

    /// The work of answering one stream; none where too much is being served: then the stream is reset.
    pub(in crate::net) fn serve(
        &self,
        peer: PeerId,
        tally: Arc<PeerTally>,
        stream: Stream,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let (number, place) = locked(&self.places).take(peer, Instant::now())?;
        let held = Held { number, places: Arc::clone(&self.places) };
        let (lost, shared) = (place.lost.clone(), Arc::clone(&self.shared));
        let reader = Reader { shared: Arc::clone(&self.shared), peer, tally, place };
        Some(async move {
            let _held = held;
            tokio::select! {
                () = lost.cancelled() => tracing::debug!(%peer, "a slow reader of a blob makes room for others"),
                answered = answer(&shared, &reader, stream) => if let Err(cause) = answered {
                    tracing::debug!(%peer, %cause, "blob not served");
                },
            }
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        locked(&self.places).give_back(self.number);
    }
}

impl Reader {
    /// Writes a part of a slice: when the line has room for it, and as fast as it is taken.
    async fn write(&self, stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
        self.shared.line.up(&self.peer, bytes.len()).await;
        self.place.pace().wait(Instant::now());
        let written = stream.write_all(bytes).await;
        self.place.pace().moved(bytes.len(), Instant::now());
        written
    }
}

fn locked(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(|broken| broken.into_inner())
}

async fn answer(shared: &Arc<Shared>, reader: &Reader, mut stream: Stream) -> Result<(), FrameError> {
    let late = || FrameError::Io(io::ErrorKind::TimedOut.into());
    let frame = timeout(REQUEST_TIMEOUT, read_frame(&mut stream)).await.map_err(|_| late())??;
    reader.place.pace().moved(0, Instant::now());
    let request = frame.and_then(|frame| Request::decode(&frame).ok());
    let Some(request) = request else { return Err(FrameError::Io(io::ErrorKind::InvalidData.into())) };
    let (judge, proven) = (Arc::clone(shared), reader.tally.proven());
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
    let send = send(blob, request.groups, reader, stream);
    Ok(timeout(transfer_time(most), send).await.map_err(|_| late())??)
}

/// Writes a slice; each group is checked when it is read from the disk.
async fn send(mut blob: BlobReader, groups: Groups, reader: &Reader, mut stream: Stream) -> io::Result<()> {
    Answer::Slice.write(&mut stream).await?;
    let group_bytes = BLOB_GROUP_BYTES as u64;
    blob.narrow(u64::from(groups.start) * group_bytes, u64::from(groups.end - groups.start) * group_bytes);
    let mut piece = VecDeque::new();
    for item in items(blob.tree(), &groups) {
        let number = match item {
            Item::Node(node) => {
                reader.write(&mut stream, &node).await?;
                continue;
            }
            Item::Group(number) => number,
        };
        let length = group_length(blob.bytes(), number);
        if piece.is_empty() {
            piece.extend(blob.read().await?.unwrap_or_default());
        }
        let group: Vec<u8> = piece.drain(..length.min(piece.len())).collect();
        reader.write(&mut stream, &group).await?;
    }
    stream.close().await
}
