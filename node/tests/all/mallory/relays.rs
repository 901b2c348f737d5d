//! Relays and those behind them: whoever floods one, makes it carry without end, or lies as one (`R-GOS-10`, `R-SYN-11`).

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, identify, noise, tcp, yamux};
use xom_protocol::relay::{HopMessage, RelayStatus, Reservation, StopMessage};

use super::Stage;
use super::peer::Peer;
use crate::harness::{Over, Person, wait_until};

const HOP: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/hop");
const STOP: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/stop");

/// A message with its length before it.
fn framed(message: &[u8]) -> Vec<u8> {
    let low = u8::try_from(message.len() & 0x7f).expect("seven bits");
    match u8::try_from(message.len() >> 7).expect("short") {
        0 => [&[low], message].concat(),
        high => [&[low | 0x80, high], message].concat(),
    }
}

/// The next message on a stream; none where it ends.
async fn heard(stream: &mut Stream) -> Option<Vec<u8>> {
    let mut length = 0;
    for shift in [0, 7] {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

/// Asks a relay for something, in these bytes; the stream, and how it answers. Asks again where the node does not relay
/// yet, or has dropped the stream since it is busy.
async fn ask_in(peer: &mut Peer, question: &[u8]) -> (Stream, RelayStatus) {
    let question = framed(question);
    let (stream, answer) = wait_until("the node answers", async || {
        let mut stream = peer.try_open(HOP).await?;
        stream.write_all(&question).await.ok()?;
        stream.flush().await.ok()?;
        let answer = heard(&mut stream).await?;
        Some((stream, answer))
    })
    .await;
    match HopMessage::decode(&answer) {
        Ok(HopMessage::Status { status, .. }) => (stream, status),
        other => panic!("no answer: {other:?}"),
    }
}

async fn ask(peer: &mut Peer, question: &HopMessage) -> (Stream, RelayStatus) {
    ask_in(peer, &question.encode()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_5_whoever_asks_for_reservations_without_end_is_refused_and_others_get_theirs() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (mut peer, mut honest) = (stage.peer().await, stage.peer().await);
    let mut answers = Vec::new();
    for _ in 0..60 {
        answers.push(ask(&mut peer, &HopMessage::Reserve).await.1);
    }
    assert_eq!(answers[0], RelayStatus::Ok);
    assert_eq!(answers[59], RelayStatus::ResourceLimitExceeded);
    assert_eq!(ask(&mut honest, &HopMessage::Reserve).await.1, RelayStatus::Ok);
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_4_what_is_no_question_is_answered_as_such_and_nobody_else_waits() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut peer = stage.peer().await;
    assert_eq!(ask_in(&mut peer, &[0x08, 9]).await.1, RelayStatus::MalformedMessage);
    let unexpected = ask(&mut peer, &HopMessage::status(RelayStatus::Ok)).await.1;
    assert_eq!(unexpected, RelayStatus::UnexpectedMessage);
    let nobody = HopMessage::Connect(PeerId::random().to_bytes());
    assert_eq!(ask(&mut peer, &nobody).await.1, RelayStatus::NoReservation);
    // Beginnings of questions that never end.
    let mut slow = Vec::new();
    for _ in 0..8 {
        let Some(mut stream) = peer.try_open(HOP).await else { continue };
        // The node may have dropped it by now.
        let _ = stream.write_all(&[0xff]).await;
        let _ = stream.flush().await;
        slow.push(stream);
    }
    stage.goes_on().await;
}

/// Hears one who wants to talk, and welcomes whoever it is.
async fn welcomed(peer: &mut Peer, reach: impl Future<Output = (Stream, RelayStatus)>) -> (Stream, Stream) {
    let mut stops = peer.control.accept(STOP).expect("accepted once");
    let welcome = async {
        let (_, mut far) = stops.next().await.expect("somebody comes");
        let message = StopMessage::decode(&heard(&mut far).await.expect("a message")).expect("a message");
        assert!(matches!(message, StopMessage::Connect { .. }), "{message:?}");
        far.write_all(&framed(&StopMessage::Status(RelayStatus::Ok).encode())).await.expect("written");
        far.flush().await.expect("flushed");
        far
    };
    let (far, (near, status)) = tokio::join!(welcome, reach);
    assert_eq!(status, RelayStatus::Ok);
    (near, far)
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_6_a_relay_carries_little_for_strangers_and_cuts_them_off_then() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (mut near, mut far) = (stage.peer().await, stage.peer().await);
    let (_reservation, kept) = ask(&mut far, &HopMessage::Reserve).await;
    assert_eq!(kept, RelayStatus::Ok);
    let connect = HopMessage::Connect(far.id.to_bytes());
    let (mut from, mut to) = welcomed(&mut far, ask(&mut near, &connect)).await;
    let pour = async {
        let piece = vec![7; 64 << 10];
        let mut poured = 0_u64;
        while poured < 64 << 20 && from.write_all(&piece).await.is_ok() {
            poured += 64 << 10;
        }
        poured
    };
    let drain = async {
        let mut buffer = vec![0; 64 << 10];
        let mut drained = 0_u64;
        while let Ok(count) = to.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            drained += u64::try_from(count).expect("small");
        }
        drained
    };
    let (poured, drained) = tokio::join!(pour, drain);
    assert!(drained <= 1 << 20, "{drained} bytes were carried");
    assert!(poured < 64 << 20, "the relay still takes what it does not carry");
    wait_until("the circuit has ended", async || (stage.circuits().await == 0).then_some(())).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_6_a_circuit_ends_when_the_other_end_goes() {
    let stage = Stage::new(Over::Tcp).await;
    let (mut near, mut far) = (stage.peer().await, stage.peer().await);
    let (_reservation, _) = ask(&mut far, &HopMessage::Reserve).await;
    let connect = HopMessage::Connect(far.id.to_bytes());
    let (mut from, _to) = welcomed(&mut far, ask(&mut near, &connect)).await;
    drop(far);
    let mut byte = [0];
    assert!(!matches!(from.read(&mut byte).await, Ok(1)), "nobody says anything any more");
    wait_until("the circuit has ended", async || (stage.circuits().await == 0).then_some(())).await;
}

/// What a false relay says of itself, and its streams.
#[derive(NetworkBehaviour)]
struct False {
    identify: identify::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// A relay that keeps every reservation for ever, and says that it is somewhere else. Answers where it listens.
async fn false_relay() -> (Multiaddr, PeerId, tokio::task::JoinHandle<()>) {
    let mut swarm = SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("noise")
        .with_behaviour(|keys| False {
            identify: identify::Behaviour::new(identify::Config::new("/xom/test/1".to_owned(), keys.public())),
            streams: libp2p_stream::Behaviour::new(),
        })
        .expect("behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(std::time::Duration::from_secs(60)))
        .build();
    let mut control = swarm.behaviour().streams.new_control();
    let mut questions = control.accept(HOP).expect("accepted once");
    swarm.listen_on(Over::Tcp.listen(0)).expect("listens");
    let listen = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    let id = *swarm.local_peer_id();
    let runs = tokio::spawn(async move {
        let victims =
            ["/ip4/9.9.9.9/tcp/443", "/ip4/127.0.0.1/tcp/22"].map(|text| text.parse::<Multiaddr>().expect("address"));
        loop {
            tokio::select! {
                _ = swarm.select_next_some() => {}
                Some((peer, mut stream)) = questions.next() => {
                    let reservation = Reservation {
                        expire_secs: u64::MAX,
                        addresses: victims.iter().map(Multiaddr::to_vec).collect(),
                    };
                    let answer = HopMessage::Status {
                        status: RelayStatus::Ok,
                        reservation: Some(reservation),
                        limit: None,
                    };
                    let mut opens = control.clone();
                    tokio::spawn(async move {
                        let _ = heard(&mut stream).await;
                        let _ = stream.write_all(&framed(&answer.encode())).await;
                        let _ = stream.flush().await;
                        // And then it says that somebody comes, who never says a word, again and again.
                        let source = PeerId::random().to_bytes();
                        let comes = framed(&StopMessage::Connect { source, limit: None }.encode());
                        let mut silent = Vec::new();
                        for _ in 0..100 {
                            let Ok(mut stop) = opens.open_stream(peer, STOP).await else { break };
                            let _ = stop.write_all(&comes).await;
                            let _ = stop.flush().await;
                            silent.push(stop);
                        }
                        std::future::pending::<()>().await;
                    });
                }
            }
        }
    });
    (listen, id, runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_7_a_relay_that_lies_sends_nobody_elsewhere_and_stops_nobody() {
    let (at, id, mallory) = false_relay().await;
    let hub = Person::new("hub", Over::Tcp).await;
    let alice = Person::hidden("alice", vec![at.clone(), hub.listen()]).await;
    let bob = Person::hidden("bob", vec![hub.listen()]).await;
    let through = format!("{at}/p2p/{id}/p2p-circuit/");
    // Mallory's node is let go again and again, since it keeps no other rule either.
    let told = wait_until("mallory keeps a reservation", async || {
        let told = alice.node().status().await.expect("status").listen;
        told.iter().any(|address| address.starts_with(&through)).then_some(told)
    })
    .await;
    assert!(told.iter().all(|address| !address.contains("9.9.9.9") && !address.contains("tcp/22/")), "{told:?}");
    let honest = hub.node().status().await.expect("status").peer;
    wait_until("the honest one does too", async || {
        let relays = alice.node().status().await.expect("status").reachability.relays;
        relays.contains(&honest).then_some(())
    })
    .await;
    bob.follow(alice.invite().await).await;
    alice.post("through the honest one").await;
    bob.has_posts(alice.did(), &["through the honest one".to_owned()]).await;
    mallory.abort();
}
