//! Asking: whoever is connected says what he holds of those who live here, and is asked to keep them where the
//! owner wishes so (`KEEP-6`, `KEEP-8`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use xom_protocol::Did;
use xom_protocol::keep::{Answer, Decision, Question, SignedQuestion, Terms};

use super::Failed;
use crate::error::StoreError;
use crate::keep::AskedState;
use crate::net::KEEP_PROTOCOL;
use crate::net::blobs::Connected;
use crate::net::frame::{read_frame, write_frame};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::store::Notice;
use crate::store::tables::LocalRow;

/// How often is looked for who is to be asked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often a peer is asked anew.
const AGAIN: Duration = Duration::from_secs(600);
/// How soon after a change of the own logs.
const AFTER_NEWS: Duration = Duration::from_secs(30);
/// How long a peer is let alone between two questions for one identity, whoever waits, times the identities that
/// live here: far below what it answers (`KEEP-5`), with a second question for a wish.
const REST: Duration = Duration::from_secs(3);
/// How long an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Peers that are asked at the same time.
const ASKED_AT_ONCE: usize = 8;
/// Peers of whom is remembered when they were asked; of others that begins anew.
const REMEMBERED_MAX: usize = 4_096;
/// How long a keeper that keeps is not asked again to, milliseconds: often enough to renew it in time.
const RENEW_MS: u64 = 86_400_000;

/// Somebody waits until all who are connected were asked.
pub(in crate::net) type Now = oneshot::Sender<()>;

/// The task that asks.
pub(in crate::net) struct Asking {
    shared: Arc<Shared>,
    control: Control,
    connected: watch::Receiver<Connected>,
    now: mpsc::Receiver<Now>,
    stop: CancellationToken,
    asked: BTreeMap<(PeerId, Did), Asked>,
}

/// When a peer was asked last for one identity, and what it answered.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    /// Something was written since.
    is_old: bool,
}

/// One question to one peer.
struct Errand {
    shared: Arc<Shared>,
    control: Control,
    peer: PeerId,
    local: LocalRow,
}

impl Asking {
    /// Asks whoever is connected; at once, where somebody asks for it through `now`.
    pub(in crate::net) fn new(
        shared: Arc<Shared>,
        control: Control,
        connected: watch::Receiver<Connected>,
        now: mpsc::Receiver<Now>,
        stop: CancellationToken,
    ) -> Self {
        Self { shared, control, connected, now, stop, asked: BTreeMap::new() }
    }

    /// Runs until the node stops.
    pub(in crate::net) async fn run(mut self) {
        let mut notices = self.shared.store.notices();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut waiting = None;
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = look.tick() => {}
                Some(now) = self.now.recv() => waiting = Some(now),
                notice = notices.recv() => match notice {
                    Ok(Notice::Entries(stored)) => {
                        self.grow_old(&stored.author);
                        continue;
                    }
                    Ok(Notice::KeeperAsked) => self.asked.clear(),
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                },
            }
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.ask_all(waiting.is_some()) => {}
            }
            // Who waited may have gone.
            let _ = waiting.map(|now: Now| now.send(()));
        }
    }

    fn grow_old(&mut self, author: &Did) {
        self.asked.iter_mut().filter(|((_, did), _)| did == author).for_each(|(_, asked)| asked.is_old = true);
    }

    /// Asks all who are due; all who are connected, where somebody waits for it.
    async fn ask_all(&mut self, everybody: bool) {
        let connected = Arc::clone(&self.connected.borrow());
        self.asked.retain(|(peer, _), _| connected.contains_key(peer));
        if self.asked.len() > REMEMBERED_MAX {
            self.asked.clear();
        }
        let mut errands = Vec::new();
        let locals = self.shared.store.locals();
        let rest = REST * u32::try_from(locals.len()).unwrap_or(u32::MAX);
        for local in locals {
            for peer in connected.keys() {
                let asked = self.asked.get(&(*peer, local.did));
                let soon = asked.is_none_or(|asked| asked.at.elapsed() >= rest);
                if soon && (everybody || asked.is_none_or(Asked::is_due)) {
                    let (shared, control) = (Arc::clone(&self.shared), self.control.clone());
                    errands.push(Errand { shared, control, peer: *peer, local: local.clone() });
                }
            }
        }
        let answers = stream::iter(errands).map(Errand::run).buffer_unordered(ASKED_AT_ONCE);
        let answers: Vec<_> = answers.collect().await;
        for asked in answers {
            self.asked.insert(asked, Asked { at: Instant::now(), is_old: false });
        }
    }
}

impl Asked {
    fn is_due(&self) -> bool {
        let wait = if self.is_old { AFTER_NEWS } else { AGAIN };
        self.at.elapsed() >= wait
    }
}

impl Errand {
    /// Asks; answers whom, for whom.
    async fn run(self) -> (PeerId, Did) {
        if let Err(cause) = self.ask().await {
            tracing::debug!(peer = %self.peer, %cause, "asked in vain what is held");
        }
        (self.peer, self.local.did)
    }

    /// Asks what is held, and to be kept where the owner wishes that of whoever has answered.
    async fn ask(&self) -> Result<(), Failed> {
        let (holder, _) = self.exchange(None).await?;
        let Some(holder) = holder else { return Ok(()) };
        if let Some(terms) = self.wish(holder).await? {
            let (again, decision) = self.exchange(Some(terms)).await?;
            if again == Some(holder) {
                self.shared.store.note_decision(self.local.did, holder, decision).await?;
            }
        }
        Ok(())
    }

    /// The terms on which this holder is to be asked to keep the identity now.
    async fn wish(&self, holder: Did) -> Result<Option<Terms>, StoreError> {
        let (store, did, now_ms) = (self.shared.store.clone(), self.local.did, crate::net::clocks::now_ms());
        let asked = blocking(move || store.snapshot()?.keepers_asked(&did)).await?;
        let wish = asked.into_iter().find(|(view, _)| view.did == holder);
        Ok(wish.and_then(|(view, answered_ms)| match view.state {
            AskedState::NotReached | AskedState::Waits => Some(view.terms),
            AskedState::Kept => (now_ms.saturating_sub(answered_ms) > RENEW_MS).then_some(view.terms),
            AskedState::Refused => None,
        }))
    }

    /// One question and its answer: who holds, checked, and what became of the wish.
    async fn exchange(&self, wanted: Option<Terms>) -> Result<(Option<Did>, Decision), Failed> {
        let asked = Arc::new(match self.question(wanted).await? {
            Some(asked) => asked,
            None => return Ok((None, Decision::NothingAsked)),
        });
        let frame = timeout(ANSWER_TIMEOUT, self.send(&asked.encode())).await.map_err(|_| Failed::late())??;
        let Answer { objects, stated, decision } = Answer::decode(&frame)?;
        let Some(stated) = stated else { return Ok((None, decision)) };
        let shared = Arc::clone(&self.shared);
        let checked = blocking(move || {
            let held = shared.store.snapshot()?.identity_objects(&stated.holding().holder)?;
            Ok(match shared.ingest.record(&held, &objects) {
                Ok(record) => {
                    stated.verify(shared.network, record.state(), &asked).map(|()| stated).map_err(Failed::from)
                }
                Err(rule) => Err(Failed::Identity(rule)),
            })
        });
        let stated = checked.await??;
        let holder = stated.holding().holder;
        self.shared.store.take_holding(stated).await?;
        Ok((Some(holder), decision))
    }

    /// The signed question; none where nobody can sign it.
    async fn question(&self, wanted: Option<Terms>) -> Result<Option<SignedQuestion>, StoreError> {
        let Some(key) = self.shared.store.device_key(&self.local.did) else { return Ok(None) };
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|e| StoreError::Storage(format!("no entropy: {e}")))?;
        let (store, did) = (self.shared.store.clone(), self.local.did);
        let objects = blocking(move || store.snapshot()?.identity_objects(&did)).await?;
        let question = Question {
            author: self.local.did,
            device: self.local.device,
            asker: self.shared.own.to_bytes(),
            asked: self.peer.to_bytes(),
            nonce,
            wanted,
        };
        Ok(Some(SignedQuestion::sign(self.shared.network, question, objects, &key)))
    }

    async fn send(&self, frame: &[u8]) -> Result<Vec<u8>, Failed> {
        let mut control = self.control.clone();
        let opened = control.open_stream(self.peer, KEEP_PROTOCOL).await;
        let mut stream = opened.map_err(|e| Failed::Open(e.to_string()))?;
        write_frame(&mut stream, frame).await?;
        read_frame(&mut stream).await?.ok_or_else(Failed::ended)
    }
}
