//! The relay's side: answers whoever asks for a reservation or a circuit, and carries what the two ends say.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId, Stream};
use libp2p_stream::Control;
use tokio::time::timeout;
use xom_protocol::relay::{CircuitLimit, HopMessage, RelayStatus, Reservation, StopMessage};

use super::STOP_PROTOCOL;
use super::ledger::{Guest, Ledger, RESERVATION_DURATION, Terms};
use super::messages::{MESSAGE_DEADLINE, MessageError, read, write};
use crate::net::clocks::now_ms;

/// How long a circuit may be silent (`RCH-6`): three times as long as a conversation is before it asks.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Bytes that are carried at once, in each direction.
const PIECE_BYTES: usize = 16 << 10;
/// Questions that are being answered at the same time; circuits count until they stand.
const QUESTIONS_AT_ONCE_MAX: usize = 64;

/// The relay's side.
#[derive(Clone)]
pub(in crate::net) struct Serving {
    ledger: Arc<Mutex<Ledger>>,
    control: Control,
    reservations: Arc<tokio::sync::Semaphore>,
}

/// Why a circuit did not go on.
#[derive(Debug, thiserror::Error)]
enum CircuitEnd {
    #[error("it has carried as much as it may")]
    Bytes,
    #[error("the hour's bytes are used up")]
    Hour,
    #[error("nothing came for long")]
    Silence,
    #[error("it has lasted as long as it may")]
    Duration,
    #[error("one of its ends is gone")]
    Gone,
    #[error("stream: {0}")]
    Io(#[from] io::Error),
}

impl Serving {
    /// Nothing is promised to anybody yet.
    pub(in crate::net) fn new(control: Control) -> Self {
        Self {
            ledger: Arc::default(),
            control,
            reservations: Arc::new(tokio::sync::Semaphore::new(QUESTIONS_AT_ONCE_MAX)),
        }
    }

    /// Answers a question; none where too many are being answered. `own` is where this node can be reached.
    pub(in crate::net) fn answer(
        &self,
        peer: PeerId,
        guest: Guest,
        own: Vec<Multiaddr>,
        stream: Stream,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let permit = Arc::clone(&self.reservations).try_acquire_owned().ok()?;
        let serving = self.clone();
        Some(async move {
            if let Err(cause) = serving.serve(peer, guest, own, stream, permit).await {
                tracing::debug!(%peer, %cause, "a relayed peer was not answered");
            }
        })
    }

    /// A peer has gone.
    pub(in crate::net) fn lost(&self, peer: &PeerId) {
        self.ledger().lost(peer);
    }

    /// For how many a reservation is kept, and how many circuits there are.
    pub(in crate::net) fn counts(&self) -> (usize, usize) {
        self.ledger().counts()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(
        &self,
        peer: PeerId,
        guest: Guest,
        own: Vec<Multiaddr>,
        mut stream: Stream,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<(), MessageError> {
        let asked = read(&mut stream).await?;
        let refusal = match HopMessage::decode(&asked) {
            Ok(HopMessage::Reserve) => {
                let reserved = self.ledger().reserve(peer, guest, Instant::now());
                match reserved {
                    Ok(ended) => {
                        write(&mut stream, &kept(own).encode()).await?;
                        drop(permit);
                        // The open stream keeps the connection, on which circuits come, from being closed as idle.
                        let _ = timeout(RESERVATION_DURATION, ended.cancelled()).await;
                        return Ok(());
                    }
                    Err(refusal) => refusal,
                }
            }
            Ok(HopMessage::Connect(destination)) => match PeerId::from_bytes(&destination) {
                Ok(destination) => {
                    let terms = self.ledger().connect(peer, guest, destination, Instant::now());
                    match terms {
                        Ok(terms) => return self.connect(peer, destination, terms, stream, permit).await,
                        Err(refusal) => refusal,
                    }
                }
                Err(_) => RelayStatus::MalformedMessage,
            },
            Ok(HopMessage::Status { .. }) => RelayStatus::UnexpectedMessage,
            Err(_) => RelayStatus::MalformedMessage,
        };
        tracing::debug!(%peer, ?refusal, "relaying was refused");
        write(&mut stream, &HopMessage::status(refusal).encode()).await?;
        Ok(stream.close().await?)
    }

    async fn connect(
        &self,
        source: PeerId,
        destination: PeerId,
        terms: Terms,
        mut stream: Stream,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<(), MessageError> {
        // Whatever happens in between: the ledger forgets the circuit.
        let _entry = Entry { serving: self, number: terms.number };
        let mut far = match self.reach(source, destination, &terms).await {
            Ok(far) => far,
            Err(status) => {
                write(&mut stream, &HopMessage::status(status).encode()).await?;
                return Ok(stream.close().await?);
            }
        };
        let answer = HopMessage::Status { status: RelayStatus::Ok, reservation: None, limit: Some(limit(&terms)) };
        write(&mut stream, &answer.encode()).await?;
        drop(permit);
        tracing::debug!(%source, %destination, "relaying");
        let end = self.carry(&mut stream, &mut far, &terms).await;
        tracing::debug!(%source, %destination, ?end, "no longer relaying");
        Ok(())
    }

    /// Asks the destination whether it wants to talk.
    async fn reach(&self, source: PeerId, destination: PeerId, terms: &Terms) -> Result<Stream, RelayStatus> {
        let failed = |_| RelayStatus::ConnectionFailed;
        let mut control = self.control.clone();
        let opened = timeout(MESSAGE_DEADLINE, control.open_stream(destination, STOP_PROTOCOL)).await;
        let mut far = opened.map_err(|_| RelayStatus::ConnectionFailed)?.map_err(|_| RelayStatus::ConnectionFailed)?;
        let connect = StopMessage::Connect { source: source.to_bytes(), limit: Some(limit(terms)) };
        write(&mut far, &connect.encode()).await.map_err(failed)?;
        match StopMessage::decode(&read(&mut far).await.map_err(failed)?) {
            Ok(StopMessage::Status(RelayStatus::Ok)) => Ok(far),
            _ => Err(RelayStatus::ConnectionFailed),
        }
    }

    async fn carry(&self, near: &mut Stream, far: &mut Stream, terms: &Terms) -> Result<(), CircuitEnd> {
        let (near_from, near_to) = near.split();
        let (far_from, far_to) = far.split();
        let both = async {
            let there = self.pump(near_from, far_to, terms);
            let back = self.pump(far_from, near_to, terms);
            tokio::try_join!(there, back).map(|_| ())
        };
        tokio::select! {
            () = terms.ended.cancelled() => Err(CircuitEnd::Gone),
            done = timeout(terms.duration, both) => done.unwrap_or(Err(CircuitEnd::Duration)),
        }
    }

    async fn pump(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        terms: &Terms,
    ) -> Result<(), CircuitEnd> {
        let (mut piece, mut carried) = (vec![0; PIECE_BYTES], 0_u64);
        loop {
            let count = timeout(SILENCE_MAX, from.read(&mut piece)).await.map_err(|_| CircuitEnd::Silence)??;
            if count == 0 {
                return Ok(to.close().await?);
            }
            let bytes = u64::try_from(count).unwrap_or(u64::MAX);
            carried = carried.saturating_add(bytes);
            if carried > terms.bytes {
                return Err(CircuitEnd::Bytes);
            }
            if !self.ledger().spend(terms.class, bytes, Instant::now()) {
                return Err(CircuitEnd::Hour);
            }
            to.write_all(&piece[..count]).await?;
            to.flush().await?;
        }
    }
}

/// Takes a circuit out of the ledger when it is dropped.
struct Entry<'a> {
    serving: &'a Serving,
    number: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.serving.ledger().ended(self.number);
    }
}

fn kept(own: Vec<Multiaddr>) -> HopMessage {
    let addresses = own.iter().map(Multiaddr::to_vec).collect();
    let reservation = Reservation { expire_secs: now_ms() / 1_000 + RESERVATION_DURATION.as_secs(), addresses };
    HopMessage::Status { status: RelayStatus::Ok, reservation: Some(reservation), limit: None }
}

fn limit(terms: &Terms) -> CircuitLimit {
    CircuitLimit { duration_secs: Some(terms.duration.as_secs()), bytes: Some(terms.bytes) }
}
