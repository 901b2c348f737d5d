//! A connection whose other side has to take what it is sent: who takes next to nothing for too long is cut off, so
//! that slow readers hold neither connections nor blobs for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::STALL_BYTES;

/// A stream with a bound on how long a write may wait.
pub(super) struct Patient<S> {
    inner: S,
    limit: Duration,
    /// Since a write had to wait: until when, and what was taken meanwhile.
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Patient<S> {
    /// Waits so long for every [`STALL_BYTES`].
    pub(super) fn new(inner: S, limit: Duration) -> Self {
        Self { inner, limit, waiting: None }
    }

    /// Judges what came of a write.
    fn judge(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            let bytes = written?;
            if let Some((_, taken)) = &mut self.waiting {
                *taken += bytes;
                if *taken >= STALL_BYTES {
                    self.waiting = None;
                }
            }
            return Poll::Ready(Ok(bytes));
        }
        let (until, _) = self.waiting.get_or_insert_with(|| (Box::pin(sleep(self.limit)), 0));
        ready!(until.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        // Nothing is left to be taken.
        self.waiting = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn r_api_13_who_takes_nothing_of_an_answer_is_cut_off() {
        let (ours, theirs) = duplex(1_024);
        let mut ours = Patient::new(ours, Duration::from_millis(5));
        let cut = ours.write_all(&[7; 4_096]).await.expect_err("nobody reads");
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn r_api_13_who_takes_a_byte_now_and_then_is_cut_off_too() {
        let (ours, mut theirs) = duplex(64);
        let mut ours = Patient::new(ours, Duration::from_millis(50));
        let trickle = async {
            let mut pace = tokio::time::interval(Duration::from_millis(1));
            pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut byte = [0];
            while theirs.read_exact(&mut byte).await.is_ok() {
                pace.tick().await;
            }
        };
        let cut = tokio::select! {
            cut = ours.write_all(&[7; 1 << 20]) => cut.expect_err("a byte a millisecond is too slow"),
            () = trickle => panic!("the other side goes on"),
        };
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_gets_all_of_it_and_may_rest_between_answers() {
        let (ours, mut theirs) = duplex(1_024);
        let mut ours = Patient::new(ours, Duration::from_secs(60));
        for _ in 0..3 {
            let mut all = vec![0; 100_000];
            let (written, read) = tokio::join!(
                async {
                    ours.write_all(&[7; 100_000]).await?;
                    ours.flush().await
                },
                theirs.read_exact(&mut all)
            );
            written.expect("written");
            read.expect("read");
            assert!(all.iter().all(|byte| *byte == 7));
            assert!(ours.waiting.is_none());
        }
    }
}
