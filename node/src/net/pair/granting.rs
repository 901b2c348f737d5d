//! The task that owns this node's offer: streams come in, the owner confirms, the store grants.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{AsyncReadExt, StreamExt};
use libp2p::{PeerId, Stream};
use libp2p_stream::IncomingStreams;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_protocol::limits::PAIR_OFFER_MS;
use xom_protocol::pair::GranterEnd;
use xom_protocol::pair::{
    Digits, Granter, GranterInput, GranterOutput, Message, Offer, OfferError, OfferSecret, Refused, StreamId,
};
use xom_protocol::{DeviceId, Did};

use crate::error::{CommandError, StoreError};
use crate::model::{PairOffer, PairState};
use crate::net::clocks::now_ms;
use crate::net::frame::{read_frame, write_frame};
use crate::store::Store;

/// Streams of pairing at once, of whatever use; more are dropped.
const STREAMS_MAX: usize = 16;
/// Frames of one stream that wait to be written: an identity in messages of 256 KiB.
const FRAMES_OUT: usize = 64;
/// Frames that wait to be looked at.
const FRAMES_IN: usize = 16;
/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(500);

/// What the owner asks of the task.
pub(crate) enum Ask {
    /// Make an offer for an identity, with these addresses; an older one is void.
    Begin(Did, Vec<String>, oneshot::Sender<Result<PairOffer, CommandError>>),
    /// The owner found these digits on both screens.
    Confirm(String, oneshot::Sender<Result<(), CommandError>>),
    /// The owner stops.
    Stop(oneshot::Sender<()>),
}

/// A frame of a stream; none where it has ended.
type Heard = (StreamId, Option<Vec<u8>>);

/// The offer that is open.
struct Open {
    did: Did,
    machine: Granter,
    offer: PairOffer,
    digits: Option<Digits>,
    /// Why the grant could not be made.
    failure: Option<String>,
}

/// Owns the offer.
pub(crate) struct Granting {
    store: Store,
    own: PeerId,
    incoming: IncomingStreams,
    asks: mpsc::Receiver<Ask>,
    state: watch::Sender<PairState>,
    open: Option<Open>,
    streams: BTreeMap<StreamId, mpsc::Sender<Vec<u8>>>,
    lines: JoinSet<()>,
    next: u64,
    heard: (mpsc::Sender<Heard>, mpsc::Receiver<Heard>),
    stop: CancellationToken,
}

impl Granting {
    /// A task without an offer.
    pub(crate) fn new(
        store: Store,
        own: PeerId,
        incoming: IncomingStreams,
        asks: mpsc::Receiver<Ask>,
        state: watch::Sender<PairState>,
        stop: CancellationToken,
    ) -> Self {
        let heard = mpsc::channel(FRAMES_IN);
        let (streams, lines) = (BTreeMap::new(), JoinSet::new());
        Self { store, own, incoming, asks, state, open: None, streams, lines, next: 0, heard, stop }
    }

    /// Runs until the node stops.
    pub(crate) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some((peer, stream)) = self.incoming.next() => self.accept(peer, stream).await,
                Some((stream, frame)) = self.heard.1.recv() => {
                    let input = match frame {
                        Some(frame) => GranterInput::Received { stream, frame },
                        None => GranterInput::Lost(stream),
                    };
                    self.step(input).await;
                }
                Some(ask) = self.asks.recv() => self.answer(ask).await,
                Some(_) = self.lines.join_next() => {}
                _ = tick.tick() => self.step(GranterInput::Ticked).await,
            }
        }
        self.lines.shutdown().await;
    }

    async fn answer(&mut self, ask: Ask) {
        // Who asked may be gone; then nobody waits for the answer.
        match ask {
            Ask::Begin(did, addresses, reply) => drop(reply.send(self.begin(did, addresses).await)),
            Ask::Confirm(digits, reply) => {
                let shown = self.open.as_ref().and_then(|open| open.digits);
                let fits = shown.filter(|shown| shown.to_string() == digits);
                let answer = fits.ok_or(CommandError::Refused("these digits are not compared now; look again"));
                if let Some(digits) = fits {
                    self.state.send_replace(PairState::Comparing { digits: digits.to_string(), confirmed: true });
                    self.step(GranterInput::Confirmed(digits)).await;
                }
                drop(reply.send(answer.map(|_| ())));
            }
            Ask::Stop(reply) => {
                self.step(GranterInput::Stopped).await;
                let _ = reply.send(());
            }
        }
    }

    async fn begin(&mut self, did: Did, mut addresses: Vec<String>) -> Result<PairOffer, CommandError> {
        self.step(GranterInput::Stopped).await;
        self.store.check_device(did).await?;
        let key = self.store.signing_key(&did)?;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|e| StoreError::Storage(format!("no entropy: {e}")))?;
        let (secret, expires_ms) = (OfferSecret::new(secret), now_ms() + PAIR_OFFER_MS);
        let network = self.store.network();
        let offer = loop {
            match Offer::sign(network, did, addresses.clone(), expires_ms, secret.clone(), &key) {
                Ok(offer) => break offer,
                // Fewer addresses where all would not fit.
                Err(OfferError::TooLong { .. } | OfferError::Part(_)) if addresses.pop().is_some() => {}
                Err(e) => return Err(CommandError::Invite(e.to_string())),
            }
        };
        if addresses.is_empty() {
            return Err(CommandError::Refused("this node has no address at which another device could reach it"));
        }
        let text = offer.text().to_string();
        let machine = Granter::new(network, offer, self.own.to_bytes());
        let offer = PairOffer { text, expires_ms };
        self.open = Some(Open { did, machine, offer: offer.clone(), digits: None, failure: None });
        self.state.send_replace(PairState::Waiting(offer.clone()));
        Ok(offer)
    }

    async fn accept(&mut self, peer: PeerId, stream: Stream) {
        if self.lines.len() >= STREAMS_MAX {
            tracing::debug!(%peer, "too many pairing streams");
            return;
        }
        let mut nonce = [0; 32];
        if let Err(cause) = getrandom::fill(&mut nonce) {
            return tracing::error!(%cause, "no entropy");
        }
        let id = StreamId(self.next);
        self.next += 1;
        let (to, out) = mpsc::channel(FRAMES_OUT);
        self.lines.spawn(line(id, stream, self.heard.0.clone(), out));
        if self.open.is_none() {
            let refusal = to.send(Message::Refuse(Refused::Unknown).encode()).await;
            return drop(refusal);
        }
        self.streams.insert(id, to);
        self.step(GranterInput::Opened { stream: id, peer: peer.to_bytes(), nonce }).await;
    }

    /// Steps the machine and does what it says.
    async fn step(&mut self, input: GranterInput) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            if let GranterInput::Lost(stream) = &input {
                self.streams.remove(stream);
            }
            let Some(open) = &mut self.open else { return };
            for output in open.machine.step(input, now_ms()) {
                if let Some(input) = self.carry_out(output).await {
                    next = Some(input);
                }
            }
        }
    }

    async fn carry_out(&mut self, output: GranterOutput) -> Option<GranterInput> {
        match output {
            GranterOutput::Send { stream, frame } => {
                // A full queue is a peer that does not read; it loses the rest, and so the stream.
                if self.streams.get(&stream).is_some_and(|line| line.try_send(frame).is_err()) {
                    self.streams.remove(&stream);
                }
            }
            GranterOutput::Close(stream) => drop(self.streams.remove(&stream)),
            GranterOutput::Compare(digits) => {
                self.open.as_mut()?.digits = Some(digits);
                self.state.send_replace(PairState::Comparing { digits: digits.to_string(), confirmed: false });
            }
            GranterOutput::Waiting => {
                let open = self.open.as_mut()?;
                open.digits = None;
                self.state.send_replace(PairState::Waiting(open.offer.clone()));
            }
            GranterOutput::Refused(rule) => tracing::info!(%rule, "a peer was refused at pairing"),
            GranterOutput::Grant { device, co_signature } => {
                let did = self.open.as_ref()?.did;
                let granted = self.store.grant_device(did, device, co_signature).await;
                return Some(self.granted(did, device, granted));
            }
            GranterOutput::Over(end) => self.end(end),
        }
        None
    }

    fn granted(&mut self, did: Did, device: DeviceId, granted: Result<Vec<Vec<u8>>, CommandError>) -> GranterInput {
        let username = self.store.locals().into_iter().find(|local| local.did == did).map(|local| local.username);
        match (granted, username) {
            (Ok(objects), Some(username)) => {
                tracing::info!(%device, "a device was granted");
                GranterInput::Granted { username, objects }
            }
            (Err(cause), _) => {
                tracing::warn!(%cause, "a device could not be granted");
                if let Some(open) = &mut self.open {
                    open.failure = Some(cause.to_string());
                }
                GranterInput::GrantFailed
            }
            (Ok(_), None) => GranterInput::GrantFailed,
        }
    }

    fn end(&mut self, end: GranterEnd) {
        let failure = self.open.take().and_then(|open| open.failure);
        self.state.send_replace(match end {
            GranterEnd::Done(device) => PairState::Done(device),
            GranterEnd::Unanswered(device) => PairState::Unanswered(device),
            GranterEnd::Expired => PairState::Expired,
            GranterEnd::Stopped => PairState::Stopped,
            GranterEnd::Spent => PairState::Spent,
            GranterEnd::Failed => PairState::Failed(failure.unwrap_or_default()),
        });
    }
}

/// One stream: its frames go to the task, the task's frames go out. Ends when the task closes it.
async fn line(id: StreamId, stream: Stream, heard: mpsc::Sender<Heard>, mut out: mpsc::Receiver<Vec<u8>>) {
    let (mut reader, mut writer) = stream.split();
    let read = async {
        loop {
            let frame = read_frame(&mut reader).await.ok().flatten();
            let is_last = frame.is_none();
            if heard.send((id, frame)).await.is_err() || is_last {
                return std::future::pending::<()>().await;
            }
        }
    };
    let write = async {
        while let Some(frame) = out.recv().await {
            if write_frame(&mut writer, &frame).await.is_err() {
                break;
            }
        }
        // A peer that is gone takes no close.
        let _ = futures::AsyncWriteExt::close(&mut writer).await;
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}
