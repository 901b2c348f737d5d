//! Answers that are written while they are sent: a bounded channel between the thread that writes and the
//! connection, so that memory does not grow with the answer; and streams of
//! events.

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait to be sent: enough to write on while one is on its way.
const PIECES_MAX: usize = 4;
/// How long the reader of an answer may take none of it.
const STALL: Duration = Duration::from_secs(60);

/// An answer of server-sent events: `lines` as they come, and nobody between keeps them back.
pub fn event_stream(lines: impl Stream<Item = String> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "private, no-store"),
        ("x-accel-buffering", "no"),
    ];
    let bytes = lines.map(|line| Ok::<_, Infallible>(Bytes::from(line)));
    (headers, Body::from_stream(bytes)).into_response()
}

/// Where an answer is written. Blocking: not for async threads.
pub struct Outlet {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    piece: BytesMut,
    runtime: Handle,
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = self.piece.split().freeze();
        let sent = self.runtime.block_on(async { tokio::time::timeout(STALL, self.pieces.send(Ok(piece))).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_closed)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// A body that `write` writes. Where that fails the body is cut off, so that nobody takes it for whole.
pub fn body<F, E>(write: impl FnOnce(Outlet) -> F) -> Body
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    let (pieces, mut queue) = mpsc::channel(PIECES_MAX);
    let written = write(Outlet { pieces, piece: BytesMut::new(), runtime: Handle::current() });
    let failed = stream::once(written).filter_map(|written| {
        let failed = written.err().map(|cause| {
            tracing::warn!(%cause, "an answer was cut off");
            Err(io::Error::other("the answer could not be written to its end"))
        });
        std::future::ready(failed)
    });
    let pieces = stream::poll_fn(move |context| queue.poll_recv(context));
    Body::from_stream(stream::select(pieces, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_comes_out_in_order_and_a_failure_cuts_it_off() {
        let write = |fails: bool| {
            move |mut outlet: Outlet| async move {
                let written = tokio::task::spawn_blocking(move || {
                    (0..1_000u32).try_for_each(|number| outlet.write_all(&[number as u8; 1_000]))?;
                    outlet.flush()
                });
                let written: io::Result<()> = written.await.unwrap();
                if fails { Err("broken") } else { written.map_err(|_| "closed") }
            }
        };
        let whole = axum::body::to_bytes(body(write(false)), usize::MAX).await.unwrap();
        assert_eq!(whole.len(), 1_000_000);
        assert!(whole.chunks(1_000).enumerate().all(|(number, piece)| piece == [number as u8; 1_000]));
        assert!(axum::body::to_bytes(body(write(true)), usize::MAX).await.is_err());
    }
}
