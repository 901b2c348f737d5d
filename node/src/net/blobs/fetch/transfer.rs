//! The transfer of one blob from one peer: bounded, checked, and stored only when it is whole.

use std::sync::Arc;
use std::time::Duration;

use futures::AsyncReadExt;
use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::time::timeout;
use xom_protocol::Rule;
use xom_protocol::limits::BLOB_BYTES_MAX;

use super::Missing;
use crate::blob::BlobWriter;
use crate::net::BLOB_PROTOCOL;
use crate::net::blobs::wire::{Answer, Request};
use crate::net::blobs::{CHUNK_BYTES, transfer_time};
use crate::net::frame::write_frame;
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;

/// How long a peer may take to begin its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// One blob from one peer.
pub(super) struct Transfer {
    pub(super) shared: Arc<Shared>,
    pub(super) control: Control,
    pub(super) peer: PeerId,
    pub(super) tally: Arc<PeerTally>,
    pub(super) missing: Missing,
    /// What came in earlier transfers; not verified yet.
    pub(super) partial: BlobWriter,
}

/// A transfer that brought no blob.
pub(super) struct Failure {
    /// Why.
    pub(super) cause: String,
    /// What has come so far, to go on from.
    pub(super) partial: Option<BlobWriter>,
    /// The bytes were not those of the id.
    pub(super) lied: bool,
}

impl Transfer {
    /// Fetches, checks and stores; durable when it answers. Nothing is kept unchecked (`BLOB-4`).
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        if let Err(cause) = self.receive().await {
            let usable = self.partial.is_whole() && self.partial.bytes() > 0;
            return Err(Failure { cause, partial: usable.then_some(self.partial), lied: false });
        }
        let Self { shared, tally, missing, partial, .. } = self;
        let nothing = |cause: &str| Failure { cause: cause.to_owned(), partial: None, lied: false };
        let received = partial.end().await.map_err(|e| nothing(&e.to_string()))?;
        if received.blob != missing.blob {
            shared.ingest.refuse(&tally, Rule("BLOB-4"));
            return Err(Failure { lied: true, ..nothing("the bytes are not those of the id") });
        }
        shared.store.put_blob(received).await.map(|_| ()).map_err(|e| nothing(&e.to_string()))
    }

    async fn receive(&mut self) -> Result<(), String> {
        let begin = async {
            let mut stream = self.control.open_stream(self.peer, BLOB_PROTOCOL).await.map_err(|e| e.to_string())?;
            let offset = self.partial.bytes();
            let request = Request { blob: self.missing.blob, entry: self.missing.entry, offset };
            write_frame(&mut stream, &request.encode()).await.map_err(|e| e.to_string())?;
            let answer = Answer::read(&mut stream).await.map_err(|e| e.to_string())?;
            Ok::<_, String>((stream, offset, answer))
        };
        let (mut stream, offset, answer) =
            timeout(ANSWER_TIMEOUT, begin).await.map_err(|_| "no answer in time".to_owned())??;
        let length = match answer {
            Answer::Bytes(length) => length,
            Answer::NotFound => return Err("not found there".to_owned()),
            Answer::Busy => return Err("busy".to_owned()),
        };
        let bytes_max = BLOB_BYTES_MAX.min(self.missing.bytes);
        let in_all = offset.checked_add(length);
        if in_all.is_none_or(|bytes| bytes == 0 || bytes > bytes_max) {
            self.shared.ingest.refuse(&self.tally, Rule("BLOB-2"));
            self.partial = self.shared.store.blob_writer();
            return Err(format!("{length} bytes more, at most {bytes_max} are allowed in all"));
        }
        let read = async {
            let mut left = usize::try_from(length).unwrap_or(usize::MAX);
            let mut chunk = vec![0; CHUNK_BYTES];
            while left > 0 {
                let room = left.min(CHUNK_BYTES);
                match stream.read(&mut chunk[..room]).await {
                    Ok(0) => return Err("ended early".to_owned()),
                    Ok(count) => {
                        self.partial.write(&chunk[..count]).await.map_err(|e| e.to_string())?;
                        left -= count;
                    }
                    Err(e) => return Err(e.to_string()),
                }
            }
            Ok(())
        };
        timeout(transfer_time(length), read).await.unwrap_or_else(|_| Err("too slow".to_owned()))
    }
}
