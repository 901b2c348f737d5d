//! One sync stream: drives the pure session, does what it wants done, tells it what happens here.
//!
//! The task of a stream owns its session. Frames in, frames out and everything else are bounded; a peer
//! that reads slowly slows down what is loaded for it and nothing else.

mod news;
mod receipts;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::{AsyncReadExt, FutureExt};
use libp2p::{PeerId, Stream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use xom_protocol::sync::{Batch, CloseReason, Input, Output, Session, SessionConfig, Setting, Ticket};
use xom_protocol::{DeviceId, Did, Rule};

use self::receipts::Copies;
use self::waiting::Waiting;
use super::frame::{FrameError, read_frame, write_frame};
use super::ingest::{Budget, blocking};
use super::shared::Shared;
use super::tally::PeerTally;
use crate::error::StoreError;
use crate::store::Notice;

/// Frames that wait to be written: enough to keep the line busy, little enough to feel its speed.
const FRAMES_OUT: usize = 8;
/// Frames that were read and not looked at yet.
const FRAMES_IN: usize = 4;
/// Outputs that wait before no more input is taken.
const OUTPUTS_MAX: usize = 512;
/// How long the last frames may take when a session closes.
pub(super) const FLUSH: Duration = Duration::from_secs(2);
/// How often everything is compared anew, in case something was lost on the way.
const COMPARE_EVERY: Duration = Duration::from_secs(300);

/// Everything that one conversation needs.
pub(super) struct Conversation {
    /// What all conversations share.
    pub(super) shared: Arc<Shared>,
    /// The other side.
    pub(super) peer: PeerId,
    /// Its counters.
    pub(super) tally: Arc<PeerTally>,
    /// What it may bring unasked.
    pub(super) budget: Arc<Budget>,
    /// This side opened the stream.
    pub(super) outgoing: bool,
    /// Ends it.
    pub(super) stop: CancellationToken,
}

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum End {
    /// It is due to be held again at once.
    Again,
    /// The stream failed or ended.
    Lost(String),
    /// The session closed it.
    Closed(CloseReason),
    /// The peer broke the framing.
    Breach(Rule),
    /// It was told to stop.
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again => f.write_str("to be held again"),
            Self::Lost(cause) => f.write_str(cause),
            Self::Closed(reason) => write!(f, "{reason}"),
            Self::Breach(rule) => write!(f, "the framing was broken: {rule}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

type Doing = BoxFuture<'static, Result<Option<Input>, StoreError>>;

impl Conversation {
    /// Talks until the stream ends or must end.
    pub(super) async fn run(self, stream: Stream) -> End {
        let (mut reader, mut writer) = stream.split();
        let (in_tx, mut in_rx) = mpsc::channel(FRAMES_IN);
        let (out_tx, mut out_rx) = mpsc::channel::<Vec<u8>>(FRAMES_OUT);
        let read = async {
            loop {
                let frame = read_frame(&mut reader).await;
                let last = !matches!(frame, Ok(Some(_)));
                if in_tx.send(frame).await.is_err() || last {
                    return std::future::pending::<()>().await;
                }
            }
        };
        let write = async {
            while let Some(frame) = out_rx.recv().await {
                self.shared.line.up(&self.peer, frame.len()).await;
                write_frame(&mut writer, &frame).await?;
            }
            futures::AsyncWriteExt::close(&mut writer).await.map_err(FrameError::from)
        };
        let (mut read, mut write) = (Box::pin(read), Box::pin(write));
        let end = tokio::select! {
            end = self.talk(&mut in_rx, out_tx) => end,
            () = &mut read => End::Stopped,
            written = &mut write => return broken(written.err()),
        };
        // What was said before the close is still sent; a peer that does not take it is not waited for.
        let _ = timeout(FLUSH, write).await;
        end
    }

    async fn talk(
        &self,
        frames_in: &mut mpsc::Receiver<Result<Option<Vec<u8>>, FrameError>>,
        frames_out: mpsc::Sender<Vec<u8>>,
    ) -> End {
        let outcome = match Talk::begin(self).await {
            Ok((mut talk, notices)) => {
                let end = talk.run(frames_in, frames_out, notices).await;
                talk.keep_copies(true).await.and(end)
            }
            Err(e) => Err(e),
        };
        outcome.unwrap_or_else(|e| {
            tracing::error!(cause = %e, "the store failed during a sync session");
            End::Lost("the store failed".to_owned())
        })
    }
}

fn broken(error: Option<FrameError>) -> End {
    let Some(error) = error else { return End::Stopped };
    error.rule().map_or_else(|| End::Lost(error.to_string()), End::Breach)
}

/// A conversation under way.
struct Talk<'a> {
    with: &'a Conversation,
    session: Session,
    outputs: VecDeque<Output>,
    batches: Waiting,
    began: Instant,
    in_sync: bool,
    /// News up to this counter was in the frontier.
    since: u64,
    /// What was wanted when last looked at.
    wants: Arc<BTreeSet<Did>>,
    /// Who the peer says that it is, and up to which counter it was given what is aimed at it; none
    /// until the identity is known to admit the device.
    claims: BTreeMap<(Did, DeviceId), Option<u64>>,
    /// Our own identities of which it has proven a live device (`PAIR-7`).
    siblings: BTreeSet<Did>,
    /// Private settings of them that take operations of the identity log which are not here yet.
    early: Vec<(Did, Setting)>,
    /// Aimed entries that it was sent.
    aimed_sent: u64,
    /// What the peer holds of local identities, and what it was given of receipts.
    copies: Copies,
}

impl<'a> Talk<'a> {
    async fn begin(with: &'a Conversation) -> Result<(Self, broadcast::Receiver<Notice>), StoreError> {
        let shared = &with.shared;
        // Listening begins before the frontier is read, so that nothing falls in between.
        let notices = shared.store.notices();
        let wants = shared.store.wants();
        let (reading, peer) = (Arc::clone(shared), with.peer);
        let frontier = blocking(move || reading.frontier(&peer)).await?;
        let reading = Arc::clone(shared);
        let devices = blocking(move || reading.devices()).await?;
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|e| StoreError::Storage(format!("no entropy: {e}")))?;
        let config = SessionConfig {
            network: shared.network,
            nonce,
            epoch: shared.epoch,
            our_peer_id: shared.own.to_bytes(),
            their_peer_id: with.peer.to_bytes(),
            devices,
        };
        let mut talk = Self {
            with,
            session: Session::new(config),
            outputs: VecDeque::new(),
            batches: Waiting::default(),
            began: Instant::now(),
            in_sync: false,
            since: frontier.counter,
            wants,
            claims: BTreeMap::new(),
            siblings: BTreeSet::new(),
            early: Vec::new(),
            aimed_sent: 0,
            copies: Copies::new(),
        };
        talk.step(Input::Opened(frontier));
        Ok((talk, notices))
    }

    async fn run(
        &mut self,
        frames_in: &mut mpsc::Receiver<Result<Option<Vec<u8>>, FrameError>>,
        frames_out: mpsc::Sender<Vec<u8>>,
        mut notices: broadcast::Receiver<Notice>,
    ) -> Result<End, StoreError> {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut doing, mut applying): (Option<Doing>, Option<Doing>) = (None, None);
        loop {
            if applying.is_none() {
                applying = self.batches.pop().map(|(ticket, batch, bytes)| self.apply(ticket, batch, bytes));
            }
            let waiting = doing.is_none() && !self.outputs.is_empty();
            let room = self.outputs.len() < OUTPUTS_MAX && self.batches.has_room();
            let input = tokio::select! {
                () = self.with.stop.cancelled() => return Ok(End::Stopped),
                // Whatever is next is begun only while there is room for a frame: that is what slows
                // loading down to the speed of the peer.
                permit = frames_out.reserve(), if waiting => {
                    let Ok(permit) = permit else { return Ok(End::Stopped) };
                    match self.next_deed().await? {
                        Deed::Send(frame) => permit.send(frame),
                        Deed::Close(reason) => return Ok(End::Closed(reason)),
                        Deed::Do(work) => doing = Some(work),
                        Deed::Tell(input) => {
                            self.step(input);
                        }
                        Deed::Nothing => {}
                    }
                    continue;
                }
                input = done(&mut doing) => input?,
                input = done(&mut applying) => input?,
                frame = frames_in.recv(), if room => match frame {
                    Some(Ok(Some(frame))) => Some(Input::Received(frame)),
                    Some(Err(e)) => return Ok(broken(Some(e))),
                    Some(Ok(None)) | None => return Ok(End::Lost("closed by the peer".to_owned())),
                },
                notice = notices.recv(), if room => match notice {
                    // Who this node is has changed, and it is proven at the beginning.
                    Ok(Notice::Locals) => return Ok(End::Again),
                    Ok(notice) => {
                        self.hear(notice).await?;
                        continue;
                    }
                    Err(RecvError::Lagged(_)) => return Ok(End::Again),
                    Err(RecvError::Closed) => return Ok(End::Stopped),
                },
                _ = tick.tick() => {
                    if self.with.outgoing && self.in_sync && self.began.elapsed() > COMPARE_EVERY {
                        return Ok(End::Again);
                    }
                    self.keep_copies(false).await?;
                    self.note_agreed();
                    Some(Input::Ticked)
                }
            };
            if let Some(input) = input {
                self.step(input);
            }
        }
    }

    /// Tells the session something; true if it has something to send for it.
    fn step(&mut self, input: Input) -> bool {
        let outputs = self.session.step(input, self.with.shared.now_ms());
        let sends = outputs.iter().any(|output| matches!(output, Output::Send(_)));
        for output in outputs {
            match output {
                Output::Apply { ticket, batch } => self.batches.push(ticket, batch),
                Output::Refused { rule, detail } => self.refused(rule, &detail),
                Output::Progress { logs_left, entries_left } => self.set_in_sync(logs_left == 0 && entries_left == 0),
                Output::InSync => self.set_in_sync(true),
                Output::PeerHolds { log, height } => self.peer_holds(log, height),
                Output::SentBodies { log, places } => self.copies.sent_bodies(log, places),
                other => self.outputs.push_back(other),
            }
        }
        sends
    }

    fn set_in_sync(&mut self, in_sync: bool) {
        self.in_sync = in_sync;
        self.with.tally.set_in_sync(in_sync);
    }

    /// Notes of which local identities the peer holds what this node holds.
    fn note_agreed(&self) {
        let locals = self.with.shared.store.locals().into_iter().map(|local| local.did);
        let agreed = locals.filter_map(|did| self.session.agreed_on(&did).map(|digest| (did, digest)));
        self.with.tally.set_agreed(agreed.collect());
    }

    fn refused(&self, rule: Rule, detail: &str) {
        tracing::debug!(peer = %self.with.peer, %rule, detail, "refused");
        self.with.shared.ingest.refuse(&self.with.tally, rule);
    }

    /// Takes the next output.
    async fn next_deed(&mut self) -> Result<Deed, StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let work = match self.outputs.pop_front() {
            Some(Output::Send(frame)) => return Ok(Deed::Send(frame)),
            Some(Output::Close(reason)) => return Ok(Deed::Close(reason)),
            Some(Output::Load { request, log, from, to, bytes_max, bodies }) => {
                let tally = Arc::clone(&self.with.tally);
                let siblings = self.siblings.clone();
                blocking(move || {
                    let entries = shared.load(&log, from, to, bytes_max, bodies, &siblings)?;
                    shared.count_sent(&tally, entries.len());
                    Ok(Some(Input::Loaded { request, entries }))
                })
                .boxed()
            }
            Some(Output::LoadHeaders { request, log, from, to }) => blocking(move || {
                let headers = shared.store.snapshot()?.headers(&log, from, to)?;
                Ok(Some(Input::LoadedHeaders { request, headers }))
            })
            .boxed(),
            Some(Output::LoadIdentity { request, did }) => blocking(move || {
                let objects = shared.store.snapshot()?.identity_objects(&did)?;
                Ok(Some(Input::LoadedIdentity { request, objects }))
            })
            .boxed(),
            Some(Output::LoadSingles { request, log, entries }) => {
                let tally = Arc::clone(&self.with.tally);
                blocking(move || {
                    let items = shared.store.snapshot()?.singles(&log, &entries)?;
                    shared.count_sent(&tally, items.iter().map(|item| item.entries.len()).sum());
                    Ok(Some(Input::LoadedSingles { request, items }))
                })
                .boxed()
            }
            Some(Output::LoadAimed { request, peer, device, since, bytes_max }) => {
                let input = self.load_aimed(request, peer, device, since, bytes_max).await?;
                return Ok(Deed::Tell(input));
            }
            Some(Output::LoadReceipts) => return Ok(Deed::Tell(self.load_receipts().await?)),
            Some(Output::ReceiptsTaken) => {
                self.receipts_taken().await?;
                return Ok(Deed::Nothing);
            }
            Some(Output::Resent { headers }) => {
                self.heard_again(&headers).await?;
                return Ok(Deed::Nothing);
            }
            Some(Output::Settings { did, items }) => {
                self.take_settings(did, items).await?;
                return Ok(Deed::Nothing);
            }
            Some(Output::PeerIs { did, device }) => {
                self.peer_is(did, device).await?;
                return Ok(Deed::Nothing);
            }
            Some(Output::OwnHeadsKnown) => {
                self.with.shared.own_heads().heard(&self.with.peer);
                self.tell_all_proofs().await?;
                self.tell_all_lacked().await?;
                self.tell_all_admitted().await?;
                self.tell_all_sought().await?;
                return Ok(Deed::Nothing);
            }
            Some(Output::SaveResume(resume)) => {
                let peer = self.with.peer;
                async move { shared.save_resume(&peer, resume).await.map(|()| None) }.boxed()
            }
            _ => return Ok(Deed::Nothing),
        };
        Ok(Deed::Do(work))
    }

    /// Takes a batch; one at a time, so that a log grows in order. Where the line down is limited it waits for its turn
    /// first: until then its bytes count as asked for, and no more are.
    fn apply(&self, ticket: Ticket, batch: Batch, bytes: usize) -> Doing {
        let (shared, tally) = (Arc::clone(&self.with.shared), Arc::clone(&self.with.tally));
        let (budget, peer) = (Arc::clone(&self.with.budget), self.with.peer);
        async move {
            shared.line.down(&peer, bytes).await;
            let taken = shared.ingest.take(&tally, &budget, batch).await?;
            Ok(Some(Input::Applied { ticket, outcome: taken.outcome, position: taken.position }))
        }
        .boxed()
    }
}

/// What to do next.
enum Deed {
    Nothing,
    Send(Vec<u8>),
    Do(Doing),
    Tell(Input),
    Close(CloseReason),
}

/// Waits for what is being done; for ever, if nothing is.
async fn done(doing: &mut Option<Doing>) -> Result<Option<Input>, StoreError> {
    match doing {
        Some(work) => {
            let input = work.await;
            *doing = None;
            input
        }
        None => std::future::pending().await,
    }
}
