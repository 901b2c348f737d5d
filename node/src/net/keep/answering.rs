//! Answering: who asks is checked first, and learns nothing before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use tokio::time::timeout;
use xom_protocol::keep::{Answer, Decision, Holding, SignedHolding, SignedQuestion};

use super::Failed;
use crate::error::StoreError;
use crate::net::frame::{FrameError, read_frame, write_frame};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;
use crate::store::HeldOf;

/// Streams that are answered at the same time (`KEEP-5`).
const ANSWERED_MAX: usize = 4;
/// Streams of one peer in one [`WINDOW`] (`KEEP-5`).
const STREAMS_MAX: u32 = 60;
/// The time over which streams are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// How long a question may take (`KEEP-5`).
const ASK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take (`KEEP-5`).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers questions, a bounded number at a time.
pub(in crate::net) struct Answering {
    shared: Arc<Shared>,
    load: Arc<Mutex<Load>>,
}

/// What is being answered, and who has asked how often.
#[derive(Default)]
struct Load {
    running: usize,
    streams: BTreeMap<PeerId, (Instant, u32)>,
}

/// One answer under way; gives its place back when dropped.
struct Place(Arc<Mutex<Load>>);

impl Answering {
    /// Answers from the store.
    pub(in crate::net) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, load: Arc::default() }
    }

    /// The work of answering one stream; none where too much is going on: then the stream is reset.
    pub(in crate::net) fn answer(
        &self,
        peer: PeerId,
        tally: Arc<PeerTally>,
        stream: Stream,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let place = Place::take(peer, &self.load, Instant::now())?;
        let shared = Arc::clone(&self.shared);
        Some(async move {
            let _place = place;
            if let Err(cause) = answer(&shared, peer, stream).await {
                tracing::debug!(%peer, %cause, "no answer to a question about keeping");
                if let Some(rule) = cause.rule() {
                    shared.ingest.refuse(&tally, rule);
                }
            }
        })
    }
}

impl Place {
    fn take(peer: PeerId, load: &Arc<Mutex<Load>>, now: Instant) -> Option<Self> {
        let mut state = load.lock().unwrap_or_else(PoisonError::into_inner);
        state.streams.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
        let (_, streams) = state.streams.entry(peer).or_insert((now, 0));
        *streams += 1;
        if *streams > STREAMS_MAX || state.running >= ANSWERED_MAX {
            return None;
        }
        state.running += 1;
        Some(Self(Arc::clone(load)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}

async fn answer(shared: &Arc<Shared>, peer: PeerId, mut stream: Stream) -> Result<(), Failed> {
    let frame = timeout(ASK_TIMEOUT, read_frame(&mut stream)).await.map_err(|_| Failed::late())??;
    let asked = Arc::new(SignedQuestion::decode(&frame.ok_or_else(Failed::ended)?)?);
    let (checking, question) = (Arc::clone(shared), Arc::clone(&asked));
    blocking(move || check(&checking, &peer, &question)).await??;
    let said = async {
        let question = asked.question();
        let decision = match question.wanted {
            Some(terms) => shared.store.decide_keep(question.author, terms).await?,
            None => Decision::NothingAsked,
        };
        let (stating, question) = (Arc::clone(shared), Arc::clone(&asked));
        let (objects, stated) = blocking(move || state(&stating, &question)).await?;
        write_frame(&mut stream, &Answer { objects, stated, decision }.encode()).await?;
        stream.close().await.map_err(FrameError::from)?;
        Ok(())
    };
    timeout(ANSWER_TIMEOUT, said).await.map_err(|_| Failed::late())?
}

/// Checks that a live device of the author asks this node (`KEEP-6`). Blocking.
fn check(shared: &Shared, peer: &PeerId, asked: &SignedQuestion) -> Result<Result<(), Failed>, StoreError> {
    let held = shared.store.snapshot()?.identity_objects(&asked.question().author)?;
    let record = match shared.ingest.record(&held, &asked.objects) {
        Ok(record) => record,
        Err(rule) => return Ok(Err(Failed::Identity(rule))),
    };
    let checked = asked.verify(shared.network, record.state(), &peer.to_bytes(), &shared.own.to_bytes());
    Ok(checked.map_err(Failed::from))
}

/// States what is held of the author, in the name of the first identity here that can sign. Blocking.
fn state(shared: &Shared, asked: &SignedQuestion) -> Result<(Vec<Vec<u8>>, Option<SignedHolding>), StoreError> {
    let snapshot = shared.store.snapshot()?;
    let author = asked.question().author;
    for local in shared.store.locals() {
        let is_live = shared.admits(&local.did, &local.device)? == Some(true);
        let Some(key) = shared.store.device_key(&local.did).filter(|_| is_live) else { continue };
        let HeldOf { logs, bytes, quota_bytes, until_ms } = snapshot.held_of(&author)?;
        let question = asked.digest(shared.network);
        let (holder, device) = (local.did, local.device);
        let holding = Holding { holder, device, author, question, bytes, quota_bytes, until_ms, logs };
        let stated = SignedHolding::sign(shared.network, holding, &key);
        return Ok((snapshot.identity_objects(&holder)?, Some(stated)));
    }
    Ok((Vec::new(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_5_a_peer_that_asks_without_end_is_not_answered_and_others_are() {
        let (load, now) = (Arc::default(), Instant::now());
        let (mallory, bob) = (PeerId::random(), PeerId::random());
        for _ in 0..STREAMS_MAX {
            assert!(Place::take(mallory, &load, now).is_some());
        }
        assert!(Place::take(mallory, &load, now).is_none());
        assert!(Place::take(bob, &load, now).is_some());
        assert!(Place::take(mallory, &load, now + WINDOW).is_some());
    }

    #[test]
    fn keep_5_only_so_many_questions_are_answered_at_the_same_time() {
        let (load, now) = (Arc::default(), Instant::now());
        let places: Vec<_> = (0..ANSWERED_MAX).map(|_| Place::take(PeerId::random(), &load, now)).collect();
        assert!(places.iter().all(Option::is_some) && Place::take(PeerId::random(), &load, now).is_none());
        drop(places);
        assert!(Place::take(PeerId::random(), &load, now).is_some());
    }
}
