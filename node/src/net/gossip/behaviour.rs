//! gossipsub, set up for this network, with this node's limits before it.
//!
//! What a peer says is counted, and looked at as far as that goes without the store, before gossipsub hears of it: what
//! gossipsub has taken lies in its caches.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    self, AllowAllSubscriptionFilter, ConfigBuilder, IdentTopic, IdentityTransform, MaxCountSubscriptionFilter,
    Message, MessageAcceptance, MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds, TopicHash,
    TopicScoreParams, ValidationError, ValidationMode, Version, score_parameter_decay,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use xom_protocol::gossip::{Announcement, Topic, message_id};
use xom_protocol::limits::{GOSSIP_FRAME_BYTES_MAX, TOPICS_MAX};
use xom_protocol::{Digest, Network, Rule};

use super::meter::{Meter, Refused};
use super::places::{Member, Places};
use crate::net::crowd::Place;

/// Subscriptions that one frame may name (`GSP-1`).
const SUBSCRIPTIONS_MAX: usize = 2 * TOPICS_MAX;
/// Bytes of control and subscriptions in a frame (`GSP-2`).
const CONTROL_BYTES_MAX: usize = 8 << 10;
/// Messages in a frame (`GSP-2`).
const MESSAGES_MAX: usize = 64;
/// Ids that are told or asked for at once (`GSP-8`).
const IDS_MAX: usize = 128;
/// Frames that wait for a peer.
const QUEUE_MAX: usize = 512;
/// How long a message is known again; later it is no news (`GSP-4`).
const KNOWN_AGAIN: Duration = Duration::from_secs(60);
/// Over which what a peer has earned goes down to a tenth (`GSP-8`).
const EARNED: Duration = Duration::from_secs(600);
/// Heartbeats between two looks for better peers.
const BETTER_TICKS: u64 = 30;
/// Heartbeats after which a peer that had to yield its places is judged by what it does again.
const YIELDED: Duration = Duration::from_secs(3);
/// How often places in the meshes are looked at (`GSP-9`).
const LOOK_EVERY: Duration = Duration::from_secs(10);

type Inner = gossipsub::Behaviour<IdentityTransform, MaxCountSubscriptionFilter<AllowAllSubscriptionFilter>>;
type FromHandler = THandlerOutEvent<Inner>;

/// gossipsub with limits before it.
pub(in crate::net) struct Metered {
    inner: Inner,
    network: Network,
    began: Instant,
    joined: BTreeSet<Topic>,
    meter: Meter,
    places: Places,
    look_at: Instant,
    /// Who had to yield its places, and when.
    yielded: BTreeMap<PeerId, Instant>,
}

/// The behaviour of a node of this network, in no topic yet.
pub(in crate::net) fn behaviour(network: Network) -> Metered {
    let config = ConfigBuilder::default()
        .protocol_id(format!("/xom/{network}/gossip/1.1.0"), Version::V1_1)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(move |message: &Message| id_of(network, message))
        .max_transmit_size(GOSSIP_FRAME_BYTES_MAX)
        .max_publish_messages(MESSAGES_MAX)
        .max_control_message_size(CONTROL_BYTES_MAX)
        .max_control_messages_sent(IDS_MAX)
        .connection_handler_queue_len(QUEUE_MAX)
        .duplicate_cache_time(KNOWN_AGAIN)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .mesh_n(6)
        .mesh_n_low(4)
        .mesh_n_high(12)
        .mesh_outbound_min(2)
        .flood_publish(false)
        .opportunistic_graft_ticks(BETTER_TICKS)
        .build()
        .expect("the numbers above fit together");
    let filter = MaxCountSubscriptionFilter {
        filter: AllowAllSubscriptionFilter {},
        max_subscribed_topics: TOPICS_MAX,
        max_subscriptions_per_request: SUBSCRIPTIONS_MAX,
    };
    let mut inner = Inner::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
        .expect("anonymous messages are what is taken");
    inner.with_peer_score(scores(), thresholds()).expect("the numbers below fit together");
    let now = Instant::now();
    Metered {
        inner,
        network,
        began: now,
        joined: BTreeSet::new(),
        meter: Meter::default(),
        places: Places::default(),
        look_at: now + LOOK_EVERY,
        yielded: BTreeMap::new(),
    }
}

fn id_of(network: Network, message: &Message) -> MessageId {
    // Messages of names that are no topics never come so far.
    let topic = Topic::parse(message.topic.as_str()).unwrap_or(Topic([0; 32]));
    MessageId::new(&message_id(network, &topic, &message.data).0)
}

/// What counts for and against a peer (`GSP-8`). Crowds at one address are kept out before (`GSP-10`).
fn scores() -> PeerScoreParams {
    PeerScoreParams {
        topic_score_cap: 100.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(EARNED),
        retain_score: EARNED,
        ..PeerScoreParams::default()
    }
}

/// Nothing for time in the mesh, and nothing for a number of messages that a quiet topic does not have (`GSP-9` stands
/// in for it).
fn topic_scores() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: score_parameter_decay(EARNED),
        first_message_deliveries_cap: 50.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -10.0,
        invalid_message_deliveries_decay: score_parameter_decay(EARNED),
        ..TopicScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -10.0,
        publish_threshold: -50.0,
        graylist_threshold: -80.0,
        accept_px_threshold: 1_000.0,
        opportunistic_graft_threshold: 1.0,
    }
}

impl Metered {
    /// Joins a topic.
    pub(in crate::net) fn join(&mut self, topic: Topic) {
        let named = IdentTopic::new(topic.to_string());
        if let Err(cause) = self.inner.set_topic_params(named.clone(), topic_scores()) {
            tracing::error!(%cause, "peers of a topic are not judged");
        }
        self.joined.insert(topic);
        if let Err(cause) = self.inner.subscribe(&named) {
            tracing::error!(%cause, "a topic was not joined");
        }
    }

    /// Leaves a topic.
    pub(in crate::net) fn leave(&mut self, topic: &Topic) {
        self.joined.remove(topic);
        self.places.left(topic);
        self.inner.unsubscribe(&IdentTopic::new(topic.to_string()));
    }

    /// Says something in a topic; false where nobody was there to hear it, or it was said before.
    pub(in crate::net) fn announce(&mut self, topic: &Topic, bytes: Vec<u8>) -> bool {
        let id = message_id(self.network, topic, &bytes);
        let said = self.inner.publish(TopicHash::from_raw(topic.to_string()), bytes);
        if let Err(cause) = &said {
            tracing::debug!(%cause, "not announced");
        }
        self.places.said(topic, id);
        said.is_ok()
    }

    /// A message that a peer has brought is passed on.
    pub(in crate::net) fn pass_on(&mut self, topic: &Topic, id: &MessageId, peer: &PeerId) {
        if let Some(digest) = digest(id) {
            let mesh = self.mesh_of(topic);
            self.places.passed(topic, digest, &mesh);
        }
        self.inner.report_message_validation_result(id, peer, MessageAcceptance::Accept);
    }

    /// A message that a peer has brought is not passed on, and nobody is to blame.
    pub(in crate::net) fn ignore(&mut self, id: &MessageId, peer: &PeerId) {
        self.inner.report_message_validation_result(id, peer, MessageAcceptance::Ignore);
    }

    /// A message that a peer has brought breaks a rule, as it could have seen.
    pub(in crate::net) fn reject(&mut self, id: &MessageId, peer: &PeerId, rule: Rule) {
        self.inner.report_message_validation_result(id, peer, MessageAcceptance::Reject);
        self.meter.refuse(*peer, rule);
    }

    /// What was refused since this was last asked, by peer.
    pub(in crate::net) fn take_refused(&mut self) -> BTreeMap<PeerId, Refused> {
        self.meter.take_refused()
    }

    /// Who has joined a topic, of those who are connected.
    pub(in crate::net) fn peers_of(&self, topic: &Topic) -> Vec<PeerId> {
        let name = TopicHash::from_raw(topic.to_string());
        let peers = self.inner.all_peers().filter(|(_, topics)| topics.contains(&&name));
        peers.map(|(peer, _)| *peer).collect()
    }

    /// The mesh of a topic.
    pub(in crate::net) fn mesh_of(&self, topic: &Topic) -> Vec<PeerId> {
        self.inner.mesh_peers(&TopicHash::from_raw(topic.to_string())).copied().collect()
    }

    /// Looks at the places in the meshes, where that is due (`GSP-9`); `network` is where a peer is in the world.
    pub(in crate::net) fn look_at_places(&mut self, now: Instant, network: impl Fn(&PeerId) -> Option<Place>) {
        let judged_again = |since: &Instant| now.saturating_duration_since(*since) >= YIELDED;
        let back: Vec<PeerId> =
            self.yielded.iter().filter(|(_, since)| judged_again(since)).map(|(peer, _)| *peer).collect();
        for peer in back {
            self.yielded.remove(&peer);
            self.inner.set_application_score(&peer, 0.0);
        }
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        for topic in self.joined.clone() {
            let mesh = self.mesh_of(&topic);
            let score = |peer: &PeerId| self.inner.peer_score(peer).unwrap_or_default();
            let could_be_in = |peer: &PeerId| !mesh.contains(peer) && score(peer) >= 0.0;
            let outside = self.peers_of(&topic).iter().filter(|peer| could_be_in(peer)).count();
            let member = |peer: &PeerId| Member { peer: *peer, score: score(peer), network: network(peer) };
            let members: Vec<Member> = mesh.iter().map(member).collect();
            for peer in self.places.look(&topic, &members, outside) {
                // gossipsub takes those out of its meshes that stand below zero.
                let stands = self.inner.peer_score(&peer).unwrap_or_default().max(0.0);
                self.inner.set_application_score(&peer, -stands - 1.0);
                self.yielded.insert(peer, now);
                tracing::debug!(%peer, "yields its places");
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What of an event of a connection gossipsub is to hear.
    fn hear(&mut self, peer: PeerId, event: FromHandler) -> Option<FromHandler> {
        let FromHandler::Message { mut rpc, mut invalid_messages } = event else { return Some(event) };
        let now_ms = self.now_ms();
        if !self.meter.frame(peer, now_ms) {
            return None;
        }
        if rpc.subscriptions.len() > SUBSCRIPTIONS_MAX {
            self.meter.refuse(peer, Rule("GSP-1"));
            rpc.subscriptions.clear();
        }
        rpc.subscriptions.retain(|subscription| Topic::parse(subscription.topic_hash.as_str()).is_some());
        invalid_messages.iter().for_each(|_| self.meter.refuse(peer, Rule("GSP-2")));
        for message in std::mem::take(&mut rpc.messages) {
            let topic = Topic::parse(message.topic.as_str()).filter(|topic| self.joined.contains(topic));
            let Some(topic) = topic.filter(|_| self.meter.message(peer, now_ms)) else { continue };
            match Announcement::decode(&message.data) {
                Err(cause) if !cause.is_of_later_version() => {
                    self.meter.refuse(peer, cause.rule());
                    invalid_messages.push((message, ValidationError::TransformFailed));
                }
                Err(_) => {}
                Ok(_) => {
                    let id = message_id(self.network, &topic, &message.data);
                    self.places.brought(&topic, id, peer);
                    rpc.messages.push(message);
                }
            }
        }
        Some(FromHandler::Message { rpc, invalid_messages })
    }
}

fn digest(id: &MessageId) -> Option<Digest> {
    id.0.as_slice().try_into().ok().map(Digest)
}

impl NetworkBehaviour for Metered {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = gossipsub::Event;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        if let Some(event) = self.hear(peer, event) {
            self.inner.on_connection_handler_event(peer, connection, event);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
