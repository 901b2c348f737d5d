//! The way of a new machine to another node's offer: dial, knock, show the digits, keep the identity.

use std::time::{Duration, Instant};

use futures::AsyncReadExt;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Stream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use xom_protocol::keys::SecretKey;
use xom_protocol::pair::{Joiner, JoinerConfig, JoinerEnd, JoinerInput, JoinerOutput, Offer, Transcript};
use xom_protocol::{DeviceId, Did};

use super::PAIR_PROTOCOL;
use crate::error::{AdoptError, StartError, StoreError};
use crate::net::Net;
use crate::net::frame::{read_frame, write_frame};
use crate::recovery::plan::{Plan, PlanFolder};
use crate::store::Store;
use crate::store::folder::entropy;

/// How long the other node is dialled before it counts as not there.
const REACH: Duration = Duration::from_secs(30);
/// How often the opening of the stream is tried again meanwhile.
const REACH_AGAIN: Duration = Duration::from_millis(200);
/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long the last frame may take.
const FLUSH: Duration = Duration::from_secs(2);
/// Frames that were read and not looked at yet.
const FRAMES_IN: usize = 4;

/// Joining failed; nothing of the identity is here.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The text is no offer.
    #[error(transparent)]
    Offer(#[from] xom_protocol::pair::OfferError),
    /// The offer has no address that can be dialled.
    #[error("the offer has no address that this node can dial")]
    NoAddress,
    /// Nobody answered at the addresses.
    #[error("the other device can't be reached at {0}; are both on one network, and is its node running?")]
    NotReached(String),
    /// The pairing ended otherwise than by a grant.
    #[error(transparent)]
    Ended(#[from] JoinerEnd),
    /// The identity can't live here.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The node fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No entropy.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// An identity that was joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The identity.
    pub did: Did,
    /// Its user name, here and there.
    pub username: String,
    /// The key of the device that this node is now.
    pub device: DeviceId,
}

/// Joins the identity of an offer, under a name for the new device. `compare` shows the six digits to the owner and answers whether the
/// other screen has the same ones. When this answers, the identity is durable here.
pub(crate) async fn join<F, A>(
    store: &Store,
    net: &Net,
    text: &str,
    name: Option<&str>,
    compare: F,
) -> Result<Joined, JoinError>
where
    F: FnOnce(String) -> A,
    A: Future<Output = bool>,
{
    let offer = Offer::parse(store.network(), text.trim())?;
    let addresses: Vec<Multiaddr> = offer.addresses().iter().filter_map(|address| address.parse().ok()).collect();
    let peer = addresses.iter().find_map(peer_of).ok_or(JoinError::NoAddress)?;
    // Where the identity lives here under a key that signs nothing any more, the new one must outlive a crash
    // between the database and the folder of keys: it is written down as that of a recovery is.
    let plan = match store.lives_here_in_vain(&offer.did())? {
        true => Some(plan_of(store, offer.did())?),
        false => None,
    };
    let device = match &plan {
        Some(plan) => plan.device.clone(),
        None => SecretKey::from_seed(&*entropy()?).map_err(|e| StartError::Entropy(e.to_string()))?,
    };
    let stream = reach(net, &offer, peer, addresses).await?;
    let config = JoinerConfig {
        transcript: Transcript {
            network: store.network(),
            did: offer.did(),
            granter: offer.device(),
            secret: offer.secret().clone(),
            joiner_peer: net.peer_id().to_bytes(),
            granter_peer: peer.to_bytes(),
        },
        nonce: *entropy()?,
        device: device.clone(),
    };
    let joined = talk(store, stream, Joiner::new(config), offer.did(), device, compare).await?;
    if let Some(plan) = plan {
        plan.forget()?;
    }
    if let Some(name) = name
        && let Err(cause) = store.name_device(joined.did, joined.device, name).await
    {
        tracing::warn!(%cause, "the new device got no name");
    }
    Ok(joined)
}

/// The recovery that was begun here, or a new one, of which only the device key is used.
fn plan_of(store: &Store, did: Did) -> Result<PlanFolder, StoreError> {
    let data_dir = store.folder().path();
    if let Some(plan) = PlanFolder::read(data_dir)?.filter(|plan| plan.plan.did == did) {
        return Ok(plan);
    }
    let (username, from) = (None, Vec::new());
    let plan = Plan { did, username, guardians: false, from, request: None, started: false, adopted: false };
    PlanFolder::make(data_dir, plan)
}

/// The peer at the end of an address.
fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|part| match part {
        Protocol::P2p(peer) => Some(peer),
        _ => None,
    })
}

async fn reach(net: &Net, offer: &Offer, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<Stream, JoinError> {
    net.name(addresses).await?;
    let (mut control, mut connected) = (net.control(), net.connected());
    let open = async {
        let mut again = tokio::time::interval(REACH_AGAIN);
        loop {
            again.tick().await;
            // Never without a connection: that would dial past the address book, and be in the way of its dials.
            connected.wait_for(|peers| peers.contains_key(&peer)).await.map_err(|_| StoreError::Stopping)?;
            if let Ok(stream) = control.open_stream(peer, PAIR_PROTOCOL).await {
                return Ok(stream);
            }
        }
    };
    match timeout(REACH, open).await {
        Ok(opened) => opened,
        Err(_) => Err(JoinError::NotReached(offer.addresses().join(", "))),
    }
}

async fn talk<F, A>(
    store: &Store,
    stream: Stream,
    mut machine: Joiner,
    did: Did,
    device: SecretKey,
    compare: F,
) -> Result<Joined, JoinError>
where
    F: FnOnce(String) -> A,
    A: Future<Output = bool>,
{
    let (mut reader, mut writer) = stream.split();
    let (frames, mut heard) = mpsc::channel(FRAMES_IN);
    let read = async {
        loop {
            let frame = read_frame(&mut reader).await.ok().flatten();
            let is_last = frame.is_none();
            if frames.send(frame).await.is_err() || is_last {
                return std::future::pending::<()>().await;
            }
        }
    };
    let mut read = Box::pin(read);
    let (mut compare, mut comparing, mut joined, began) = (Some(compare), None, None, Instant::now());
    let mut tick = tokio::time::interval(TICK);
    let mut input = JoinerInput::Opened;
    loop {
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut next = None;
        for output in machine.step(input, elapsed_ms) {
            match output {
                JoinerOutput::Send(frame) => {
                    // A stream that takes nothing more is heard of by its end.
                    let _ = timeout(FLUSH, write_frame(&mut writer, &frame)).await;
                }
                JoinerOutput::Compare(digits) => {
                    comparing = compare.take().map(|compare| Box::pin(compare(digits.to_string())));
                }
                JoinerOutput::Adopt { username, objects } => {
                    let row = store.adopt_again(&username, did, objects, device.clone()).await?;
                    joined = Some(Joined { did, username: row.username, device: row.device });
                    next = Some(JoinerInput::Adopted);
                }
                JoinerOutput::Refused(rule) => tracing::warn!(%rule, "the other side broke a rule of pairing"),
                JoinerOutput::Over(end) => {
                    let _ = timeout(FLUSH, futures::AsyncWriteExt::close(&mut writer)).await;
                    return joined.ok_or(end.into());
                }
            }
        }
        input = match next {
            Some(input) => input,
            None => tokio::select! {
                () = &mut read => JoinerInput::Lost,
                frame = heard.recv() => frame.flatten().map_or(JoinerInput::Lost, JoinerInput::Received),
                is_equal = answered(&mut comparing) => {
                    comparing = None;
                    if is_equal { JoinerInput::Confirmed } else { JoinerInput::Stopped }
                }
                _ = tick.tick() => JoinerInput::Ticked,
            },
        };
    }
}

/// Waits for the owner; for ever, while nothing is asked.
async fn answered<A: Future<Output = bool> + Unpin>(comparing: &mut Option<A>) -> bool {
    match comparing {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}
