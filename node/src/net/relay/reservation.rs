//! The side of whoever can't be reached: asks relays for reservations, holds them, and hears who comes through them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xom_protocol::relay::{HopMessage, RelayStatus, StopMessage};

use super::HOP_PROTOCOL;
use super::circuits::{CircuitError, Inbound};
use super::messages::{MESSAGE_DEADLINE, MessageError, read, write};
use crate::net::address::Relayed;
use crate::net::clocks::now_ms;

/// Circuits from afar whose beginning is being read at the same time.
const BEGINNING_MAX: usize = 32;

/// A relay has answered: with the stream that keeps the connection, and how long it keeps the reservation.
pub(in crate::net) struct Asked {
    /// The relay.
    pub(in crate::net) relay: PeerId,
    /// What it answered.
    pub(in crate::net) answer: Result<(Stream, Duration), CircuitError>,
}

/// The reservations that are kept for this node.
pub(in crate::net) struct Reservations {
    control: Control,
    inbound: mpsc::Sender<Inbound>,
    asking: JoinSet<Asked>,
    beginning: JoinSet<()>,
    /// An open stream to each relay keeps the connection from being closed as idle.
    held: BTreeMap<PeerId, Stream>,
}

impl Reservations {
    /// None yet.
    pub(in crate::net) fn new(control: Control, inbound: mpsc::Sender<Inbound>) -> Self {
        Self { control, inbound, asking: JoinSet::new(), beginning: JoinSet::new(), held: BTreeMap::new() }
    }

    /// Asks a relay for a reservation, or to keep it on.
    pub(in crate::net) fn ask(&mut self, relay: PeerId) {
        let control = self.control.clone();
        self.asking.spawn(async move { Asked { relay, answer: reserve(control, relay).await } });
    }

    /// The next relay that has answered, or the end of something else; none while nothing goes on.
    pub(in crate::net) async fn next(&mut self) -> Option<Asked> {
        tokio::select! {
            Some(asked) = self.asking.join_next() => asked.ok(),
            Some(_) = self.beginning.join_next() => None,
            else => std::future::pending().await,
        }
    }

    /// A reservation is kept.
    pub(in crate::net) fn hold(&mut self, relay: PeerId, stream: Stream) {
        self.held.insert(relay, stream);
    }

    /// A reservation is lost, or is no longer needed.
    pub(in crate::net) fn release(&mut self, relay: &PeerId) {
        self.held.remove(relay);
    }

    /// A relay says that somebody wants to talk; taken only from where a reservation is kept (`RCH-7`).
    pub(in crate::net) fn hear(&mut self, relay: PeerId, at: Option<Relayed>, mut stream: Stream) {
        let at = at.filter(|_| self.held.contains_key(&relay));
        if self.beginning.len() >= BEGINNING_MAX {
            tracing::debug!(%relay, "too many come through relays at once");
            return;
        }
        let inbound = self.inbound.clone();
        self.beginning.spawn(async move {
            match begin(&mut stream, at.is_some()).await {
                Ok(Some(source)) => {
                    let came = at.map(|relay| Inbound { stream, relay, source });
                    if came.is_some_and(|came| inbound.try_send(came).is_err()) {
                        tracing::debug!(%relay, "too many come through relays at once");
                    }
                }
                Ok(None) => tracing::debug!(%relay, "no reservation was asked for there"),
                Err(cause) => tracing::debug!(%relay, %cause, "somebody did not come through"),
            }
        });
    }
}

async fn begin(stream: &mut Stream, welcome: bool) -> Result<Option<PeerId>, MessageError> {
    let source = match StopMessage::decode(&read(stream).await?) {
        Ok(StopMessage::Connect { source, .. }) => PeerId::from_bytes(&source).ok(),
        _ => None,
    };
    let status = match (source, welcome) {
        (Some(_), true) => RelayStatus::Ok,
        (Some(_), false) => RelayStatus::NoReservation,
        (None, _) => RelayStatus::MalformedMessage,
    };
    write(stream, &StopMessage::Status(status).encode()).await?;
    Ok(source.filter(|_| welcome))
}

async fn reserve(mut control: Control, relay: PeerId) -> Result<(Stream, Duration), CircuitError> {
    let slow = |_| CircuitError::Message(MessageError::Slow);
    let mut stream = timeout(MESSAGE_DEADLINE, control.open_stream(relay, HOP_PROTOCOL)).await.map_err(slow)??;
    write(&mut stream, &HopMessage::Reserve.encode()).await?;
    stream.flush().await.map_err(MessageError::from)?;
    match HopMessage::decode(&read(&mut stream).await?).map_err(MessageError::from)? {
        HopMessage::Status { status: RelayStatus::Ok, reservation: Some(reservation), .. } => {
            // By a clock that may be far off; the choice keeps the length within bounds.
            let left = reservation.expire_secs.saturating_sub(now_ms() / 1_000);
            Ok((stream, Duration::from_secs(left)))
        }
        HopMessage::Status { status, .. } if status != RelayStatus::Ok => Err(CircuitError::Refused(status)),
        _ => Err(CircuitError::Unexpected),
    }
}
