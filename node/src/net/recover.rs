//! `/xom/recover/1`: guardians are asked, and answer (`REC-1`). One question and one answer a stream; what
//! is answered is for the store to say.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::AsyncWriteExt;
use futures::future::join_all;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use tokio::sync::watch;
use tokio::time::timeout;
use xom_protocol::Rule;
use xom_protocol::recover::{Answer, Ask, RecoverError};

use super::RECOVER_PROTOCOL;
use super::blobs::Connected;
use super::frame::{FrameError, read_frame, write_frame};
use super::shared::Shared;
use super::tally::PeerTally;

/// Streams that are answered at the same time (`REC-1`).
const ANSWERED_MAX: usize = 4;
/// Streams of one peer in one [`WINDOW`] (`REC-1`).
const STREAMS_MAX: u32 = 60;
/// The time over which streams are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Identities never heard of before that are kept for their requests, at once (`REC-1`): from all peers together, since
/// peer ids cost nothing.
const STRANGERS_BURST: u32 = 32;
/// The time after which one more is kept.
const STRANGER_EVERY: Duration = Duration::from_secs(3_600);
/// How many of them one peer may bring in [`STRANGER_EVERY`].
const STRANGERS_PER_PEER_MAX: u32 = 2;
/// How long a question may take (`REC-1`).
const ASK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take (`REC-1`).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers questions, a bounded number at a time.
pub(super) struct Answering {
    shared: Arc<Shared>,
    state: Arc<Mutex<Load>>,
}

/// What is being answered, and who has asked how often.
#[derive(Default)]
struct Load {
    running: usize,
    streams: BTreeMap<PeerId, (Instant, u32)>,
    strangers: Strangers,
}

/// How many made-up identities may still be brought.
#[derive(Default)]
struct Strangers {
    taken: u32,
    since: Option<Instant>,
    by_peer: BTreeMap<PeerId, (Instant, u32)>,
}

impl Strangers {
    /// One more; false where that is too many.
    fn take(&mut self, peer: PeerId, now: Instant) -> bool {
        self.by_peer.retain(|_, (since, _)| now.saturating_duration_since(*since) < STRANGER_EVERY);
        let mut since = *self.since.get_or_insert(now);
        while self.taken > 0 && now.saturating_duration_since(since) >= STRANGER_EVERY {
            (self.taken, since) = (self.taken - 1, since + STRANGER_EVERY);
        }
        self.since = Some(if self.taken == 0 { now } else { since });
        let (_, own) = self.by_peer.get(&peer).copied().unwrap_or((now, 0));
        if self.taken >= STRANGERS_BURST || own >= STRANGERS_PER_PEER_MAX {
            return false;
        }
        self.taken += 1;
        self.by_peer.entry(peer).or_insert((now, 0)).1 += 1;
        true
    }
}

/// One answer under way; gives its place back when dropped.
struct Place(Arc<Mutex<Load>>);

/// A cheap clone that asks peers.
#[derive(Clone)]
pub(super) struct Asker {
    control: Control,
    connected: watch::Receiver<Connected>,
}

/// Why a stream brought nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// The stream or its frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What the frame says.
    #[error(transparent)]
    Form(#[from] RecoverError),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::error::StoreError),
    /// The stream could not be opened.
    #[error("{0}")]
    Open(String),
}

impl Failed {
    fn rule(&self) -> Option<Rule> {
        match self {
            Self::Frame(e) => e.rule(),
            Self::Form(e) => Some(e.rule()),
            Self::Store(_) | Self::Open(_) => None,
        }
    }
}

impl Answering {
    /// Answers from the store.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, state: Arc::default() }
    }

    /// The work of answering one stream; none where too much is going on: then the stream is reset.
    pub(super) fn answer(
        &self,
        peer: PeerId,
        tally: Arc<PeerTally>,
        stream: Stream,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let place = Place::take(peer, &self.state, Instant::now())?;
        let (shared, state) = (Arc::clone(&self.shared), Arc::clone(&self.state));
        Some(async move {
            let _place = place;
            let stranger = move || {
                let mut load = state.lock().unwrap_or_else(PoisonError::into_inner);
                load.strangers.take(peer, Instant::now())
            };
            if let Err(cause) = answer(&shared, stream, stranger).await {
                tracing::debug!(%peer, %cause, "no answer to a question about a recovery");
                if let Some(rule) = cause.rule() {
                    shared.ingest.refuse(&tally, rule);
                }
            }
        })
    }
}

impl Place {
    fn take(peer: PeerId, state: &Arc<Mutex<Load>>, now: Instant) -> Option<Self> {
        let mut load = state.lock().unwrap_or_else(PoisonError::into_inner);
        load.streams.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
        let (_, streams) = load.streams.entry(peer).or_insert((now, 0));
        *streams += 1;
        if *streams > STREAMS_MAX || load.running >= ANSWERED_MAX {
            return None;
        }
        load.running += 1;
        Some(Self(Arc::clone(state)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}

async fn answer(shared: &Arc<Shared>, mut stream: Stream, stranger: impl FnOnce() -> bool) -> Result<(), Failed> {
    let frame = timeout(ASK_TIMEOUT, read_frame(&mut stream)).await.map_err(|_| late())??;
    let ask = Ask::decode(&frame.ok_or_else(|| FrameError::Io(io::ErrorKind::UnexpectedEof.into()))?)?;
    let answer = shared.store.hear_recovery(ask, stranger).await?;
    write_frame(&mut stream, &answer.encode()).await?;
    stream.close().await.map_err(FrameError::from)?;
    Ok(())
}

impl Asker {
    /// Asks whoever is connected.
    pub(super) fn new(control: Control, connected: watch::Receiver<Connected>) -> Self {
        Self { control, connected }
    }

    /// The answers of all peers that are connected and give one.
    pub(super) async fn ask(&self, ask: Ask) -> Vec<(PeerId, Answer)> {
        let peers: Vec<PeerId> = self.connected.borrow().keys().copied().collect();
        let frame = ask.encode();
        let asked = peers.into_iter().map(|peer| self.ask_one(peer, &frame));
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn ask_one(&self, peer: PeerId, frame: &[u8]) -> Option<(PeerId, Answer)> {
        let mut control = self.control.clone();
        let exchange = async {
            let opened = control.open_stream(peer, RECOVER_PROTOCOL).await;
            let mut stream = opened.map_err(|e| Failed::Open(e.to_string()))?;
            write_frame(&mut stream, frame).await?;
            let frame = read_frame(&mut stream).await?;
            let frame = frame.ok_or_else(|| FrameError::Io(io::ErrorKind::UnexpectedEof.into()))?;
            Ok::<_, Failed>(Answer::decode(&frame)?)
        };
        match timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(Ok(answer)) => Some((peer, answer)),
            Ok(Err(cause)) => {
                tracing::debug!(%peer, %cause, "asked about a recovery in vain");
                None
            }
            Err(_) => None,
        }
    }
}

fn late() -> FrameError {
    FrameError::Io(io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_asks_without_end_is_not_answered_and_others_are() {
        // REC-1
        let (state, now) = (Arc::default(), Instant::now());
        let (mallory, bob) = (PeerId::random(), PeerId::random());
        for _ in 0..STREAMS_MAX {
            assert!(Place::take(mallory, &state, now).is_some());
        }
        assert!(Place::take(mallory, &state, now).is_none());
        assert!(Place::take(bob, &state, now).is_some());
        assert!(Place::take(mallory, &state, now + WINDOW).is_some());
    }

    #[test]
    fn made_up_identities_are_few_whoever_brings_them_and_more_with_time() {
        // REC-1
        let (mut strangers, now, mallory) = (Strangers::default(), Instant::now(), PeerId::random());
        let by_one = (0..100).filter(|_| strangers.take(mallory, now)).count();
        assert_eq!(by_one, 2);
        let by_all = (0..1_000).filter(|_| strangers.take(PeerId::random(), now)).count();
        assert_eq!(by_all, 30);
        let later = now + 3 * STRANGER_EVERY;
        let by_all = (0..1_000).filter(|_| strangers.take(PeerId::random(), later)).count();
        assert_eq!(by_all, 3);
        let much_later = now + 1_000 * STRANGER_EVERY;
        let by_all = (0..1_000).filter(|_| strangers.take(PeerId::random(), much_later)).count();
        assert_eq!(by_all, 32);
        assert!(strangers.by_peer.len() <= 32);
    }

    #[test]
    fn only_so_many_questions_are_answered_at_the_same_time() {
        // REC-1
        let (state, now) = (Arc::default(), Instant::now());
        let places: Vec<_> = (0..ANSWERED_MAX).map(|_| Place::take(PeerId::random(), &state, now)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(Place::take(PeerId::random(), &state, now).is_none());
        drop(places);
        assert!(Place::take(PeerId::random(), &state, now).is_some());
    }
}
