//! Mallory between two machines that are being paired: his node has the offer, the new machine was given one that
//! leads to him, and he passes on whatever he can (`PAIR-3`, `PAIR-4`).

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use tokio::task::JoinHandle;
use xom_node::JoinError;
use xom_node::model::PairState;
use xom_protocol::keys::SecretKey;
use xom_protocol::pair::message::Message;
use xom_protocol::pair::{JoinerEnd, Offer, Refused, Transcript};

use super::peer::{frame, swarm_of_any_key};
use crate::harness::{Over, Person, network, wait_until};

const PAIR: StreamProtocol = StreamProtocol::new("/xom/pair/1");

/// Mallory's node, in the middle.
struct Middle {
    peer: PeerId,
    address: Multiaddr,
    control: libp2p_stream::Control,
    driving: JoinHandle<()>,
}

impl Middle {
    /// Listens, and is connected to the machine that grants.
    async fn before(phone: &Person) -> Self {
        let mut swarm = swarm_of_any_key();
        swarm.listen_on(Over::Tcp.listen(0)).expect("listens");
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        swarm.dial(phone.listen()).expect("dials");
        while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
        let (peer, control) = (*swarm.local_peer_id(), swarm.behaviour().new_control());
        let driving = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Self { peer, address, control, driving }
    }

    /// The offer again, signed by a key of mallory's and leading to him.
    fn forged(&self, offer: &Offer) -> String {
        let key = SecretKey::from_seed(&[66; 32]).expect("a seed");
        let addresses = vec![format!("{}/p2p/{}", self.address, self.peer)];
        let secret = offer.secret().clone();
        let forged = Offer::sign(network(), offer.did(), addresses, offer.expires_ms(), secret, &key);
        forged.expect("an offer").text().to_string()
    }

    /// Stands between the two: all is passed on, but that the tag is his own, since that of the new machine is
    /// worth nothing here.
    fn pass_on(&self, offer: &Offer, phone: PeerId) -> JoinHandle<()> {
        let transcript = Transcript {
            network: network(),
            did: offer.did(),
            granter: offer.device(),
            secret: offer.secret().clone(),
            joiner_peer: self.peer.to_bytes(),
            granter_peer: phone.to_bytes(),
        };
        let mut control = self.control.clone();
        let mut streams = control.accept(PAIR).expect("accepted once");
        tokio::spawn(async move {
            let (_, mut laptop) = streams.next().await.expect("the new machine comes");
            let mut granter = control.open_stream(phone, PAIR).await.expect("opened");
            let Some(Message::Knock { version, network, commitment, .. }) = read(&mut laptop).await else {
                panic!("no knock")
            };
            write(&mut granter, Message::Knock { version, network, tag: transcript.tag(), commitment }).await;
            let (mut of_laptop, mut to_laptop) = laptop.split();
            let (mut of_granter, mut to_granter) = granter.split();
            let up = async {
                while let Some(message) = read(&mut of_laptop).await {
                    write(&mut to_granter, message).await;
                }
                let _ = to_granter.close().await;
            };
            let down = async {
                while let Some(message) = read(&mut of_granter).await {
                    write(&mut to_laptop, message).await;
                }
                let _ = to_laptop.close().await;
            };
            futures::join!(up, down);
        })
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.driving.abort();
    }
}

async fn read(from: &mut (impl futures::AsyncRead + Unpin)) -> Option<Message> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix).await.ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(prefix)).expect("short")];
    from.read_exact(&mut body).await.ok()?;
    Some(Message::decode(&body).expect("an honest message"))
}

async fn write(to: &mut (impl futures::AsyncWrite + Unpin), message: Message) {
    // Who hangs up while something is passed on to him is no concern of mallory's.
    let _ = to.write_all(&frame(&message.encode())).await;
    let _ = to.flush().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_pairing_over_sockets_the_digits_differ_and_nobody_is_granted_anything() {
    let (phone, laptop) = (Person::new("alice", Over::Tcp).await, Person::nobody("laptop", Over::Tcp).await);
    let peer: PeerId = phone.node().status().await.expect("status").peer.parse().expect("a peer id");
    for phones_owner_looks in [true, false] {
        let middle = Middle::before(&phone).await;
        let made = phone.node().pair_begin(phone.did()).await.expect("an offer");
        let offer = Offer::parse(network(), &made.text).expect("read");
        let passing = middle.pass_on(&offer, peer);
        let granter = phone.node();
        let compare = async |digits: String| {
            let shown = wait_until("the phone shows digits", async || match granter.pair_state() {
                PairState::Comparing { digits, .. } => Some(digits),
                _ => None,
            })
            .await;
            assert_ne!(shown, digits, "but for one chance in a million");
            match phones_owner_looks {
                true => granter.pair_stop().await.expect("stopped"),
                // Whoever confirms on one side alone has granted nothing: the other side's digits are others.
                false => granter.pair_confirm(shown).await.expect("confirmed, without looking"),
            }
            false
        };
        let ended = laptop.node().join(&middle.forged(&offer), None, compare).await.expect_err("not joined");
        let expected = matches!(
            ended,
            JoinError::Ended(JoinerEnd::Stopped | JoinerEnd::Refused(Refused::Stopped) | JoinerEnd::Lost)
        );
        assert!(expected, "{ended}");
        passing.await.expect("mallory has passed everything on");
        let over = async || (!matches!(granter.pair_state(), PairState::Comparing { .. })).then_some(());
        wait_until("it is over at the phone", over).await;
        assert_eq!(phone.node().devices(phone.did()).await.expect("devices").len(), 1, "nobody was granted anything");
        assert!(laptop.node().read(|reader| reader.local_identities()).await.expect("reads").is_empty());
        phone.node().pair_stop().await.expect("stopped");
    }
    // The same two machines are paired when nobody is between them.
    laptop.join(&phone).await.expect("joins");
}
