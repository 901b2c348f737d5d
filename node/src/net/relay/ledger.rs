//! What a relay has promised to whom: reservations, circuits, and bytes an hour (`RCH-5`, `RCH-6`).
//!
//! A pure machine. Strangers have few and small ones, beside those of acquaintances and never at their cost, so that
//! whoever floods a relay takes nothing from those for whom it is there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use tokio_util::sync::CancellationToken;
use xom_protocol::relay::RelayStatus;

/// How long a reservation is kept before it must be asked for again (`RCH-5`).
pub(in crate::net) const RESERVATION_DURATION: Duration = Duration::from_secs(1_800);
/// Reservations of strangers at one IP address (of one /64 of IPv6) (`RCH-5`).
const STRANGERS_PER_ADDRESS_MAX: usize = 2;
/// Questions of one peer in one [`WINDOW`] (`RCH-5`).
const QUESTIONS_MAX: u32 = 30;
/// Peers whose questions are counted.
const COUNTED_MAX: usize = 1_024;
/// The time over which questions are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// The time over which bytes are counted.
const HOUR: Duration = Duration::from_secs(3_600);

/// What a peer is to the owner of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::net) enum Class {
    /// Nobody known.
    Stranger,
    /// A stranger on a circuit to an acquaintance, and nowhere else: on an account of its own, so that whoever
    /// connects to an acquaintance without end takes nothing from circuits that acquaintances open.
    Visitor,
    /// It has proven to speak for somebody who lives here or is followed from here.
    Acquaintance,
}

/// What one class may have.
struct Limits {
    reservations: usize,
    circuits: usize,
    circuits_per_peer: usize,
    bytes: u64,
    duration: Duration,
    bytes_per_hour: u64,
}

impl Class {
    fn limits(self) -> Limits {
        match self {
            Self::Stranger => Limits {
                reservations: 16,
                circuits: 8,
                circuits_per_peer: 2,
                bytes: 1 << 20,
                duration: Duration::from_secs(120),
                bytes_per_hour: 64 << 20,
            },
            Self::Visitor => Limits {
                reservations: 0,
                circuits: 32,
                circuits_per_peer: 4,
                bytes: 256 << 20,
                duration: HOUR,
                bytes_per_hour: 2 << 30,
            },
            Self::Acquaintance => Limits {
                reservations: 64,
                circuits: 64,
                circuits_per_peer: 8,
                bytes: 256 << 20,
                duration: HOUR,
                bytes_per_hour: 4 << 30,
            },
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(in crate::net) struct Guest {
    /// What it is to the owner.
    pub(in crate::net) class: Class,
    /// From where; none for one that is itself reached through a relay, which gets nothing here.
    pub(in crate::net) ip: Option<IpAddr>,
}

#[derive(Debug)]
struct Reserved {
    class: Class,
    network: IpAddr,
    until: Instant,
    ended: CancellationToken,
}

#[derive(Debug)]
struct Circuit {
    class: Class,
    ends: [PeerId; 2],
    ended: CancellationToken,
}

#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    since: Option<Instant>,
    bytes: u64,
}

/// Under what a circuit runs.
#[derive(Debug, Clone)]
pub(in crate::net) struct Terms {
    /// Tells it from others.
    pub(in crate::net) number: u64,
    /// On whose account it is.
    pub(in crate::net) class: Class,
    /// Bytes that it may carry in each direction.
    pub(in crate::net) bytes: u64,
    /// How long it may last.
    pub(in crate::net) duration: Duration,
    /// Says when it must end before that.
    pub(in crate::net) ended: CancellationToken,
}

/// The ledger.
#[derive(Debug, Default)]
pub(in crate::net) struct Ledger {
    reservations: BTreeMap<PeerId, Reserved>,
    circuits: BTreeMap<u64, Circuit>,
    numbers: u64,
    questions: BTreeMap<PeerId, (Instant, u32)>,
    spent: BTreeMap<Class, Spent>,
}

impl Ledger {
    /// Keeps a reservation, or keeps it on; answers what says when it is over.
    pub(in crate::net) fn reserve(
        &mut self,
        peer: PeerId,
        guest: Guest,
        now: Instant,
    ) -> Result<CancellationToken, RelayStatus> {
        let ip = guest.ip.ok_or(RelayStatus::PermissionDenied)?;
        let network = network_of(ip);
        self.may_ask(peer, now)?;
        self.expire(now);
        let others =
            || self.reservations.iter().filter(|(id, reservation)| **id != peer && reservation.class == guest.class);
        let crowd = others().filter(|(_, reservation)| reservation.network == network).count();
        let alike = guest.class == Class::Stranger && !ip.to_canonical().is_loopback();
        let crowded = alike && crowd >= STRANGERS_PER_ADDRESS_MAX;
        if crowded || others().count() >= guest.class.limits().reservations {
            return Err(RelayStatus::ResourceLimitExceeded);
        }
        let ended = CancellationToken::new();
        let reservation =
            Reserved { class: guest.class, network, until: now + RESERVATION_DURATION, ended: ended.clone() };
        if let Some(before) = self.reservations.insert(peer, reservation) {
            before.ended.cancel();
        }
        Ok(ended)
    }

    /// Lets a circuit be made from one peer to another, for whom a reservation is kept.
    pub(in crate::net) fn connect(
        &mut self,
        source: PeerId,
        guest: Guest,
        destination: PeerId,
        now: Instant,
    ) -> Result<Terms, RelayStatus> {
        if guest.ip.is_none() || source == destination {
            return Err(RelayStatus::PermissionDenied);
        }
        self.may_ask(source, now)?;
        self.expire(now);
        let reservation = self.reservations.get(&destination).ok_or(RelayStatus::NoReservation)?;
        let class = match (guest.class, reservation.class) {
            (Class::Stranger, Class::Acquaintance) => Class::Visitor,
            (opener, _) => opener,
        };
        let limits = class.limits();
        let of_class = || self.circuits.values().filter(|circuit| circuit.class == class);
        let of = |peer| of_class().filter(|circuit| circuit.ends.contains(&peer)).count();
        let full = of_class().count() >= limits.circuits
            || of(source).max(of(destination)) >= limits.circuits_per_peer
            || self.left(class, now) == 0;
        if full {
            return Err(RelayStatus::ResourceLimitExceeded);
        }
        self.numbers += 1;
        let ended = CancellationToken::new();
        let circuit = Circuit { class, ends: [source, destination], ended: ended.clone() };
        self.circuits.insert(self.numbers, circuit);
        Ok(Terms { number: self.numbers, class, bytes: limits.bytes, duration: limits.duration, ended })
    }

    /// Counts bytes that a circuit of this class carries; false where the hour has no more.
    pub(in crate::net) fn spend(&mut self, class: Class, bytes: u64, now: Instant) -> bool {
        let fits = self.left(class, now) >= bytes;
        let spent = self.spent.entry(class).or_default();
        spent.bytes = spent.bytes.saturating_add(bytes);
        fits
    }

    /// A circuit has ended.
    pub(in crate::net) fn ended(&mut self, number: u64) {
        self.circuits.remove(&number);
    }

    /// A peer is gone: nothing is kept for it.
    pub(in crate::net) fn lost(&mut self, peer: &PeerId) {
        if let Some(reservation) = self.reservations.remove(peer) {
            reservation.ended.cancel();
        }
        for circuit in self.circuits.values().filter(|circuit| circuit.ends.contains(peer)) {
            circuit.ended.cancel();
        }
    }

    /// For how many a reservation is kept, and how many circuits there are.
    pub(in crate::net) fn counts(&self) -> (usize, usize) {
        (self.reservations.len(), self.circuits.len())
    }

    fn left(&mut self, class: Class, now: Instant) -> u64 {
        let spent = self.spent.entry(class).or_default();
        if spent.since.is_none_or(|since| now.saturating_duration_since(since) >= HOUR) {
            *spent = Spent { since: Some(now), bytes: 0 };
        }
        class.limits().bytes_per_hour.saturating_sub(spent.bytes)
    }

    fn expire(&mut self, now: Instant) {
        self.reservations.retain(|_, reservation| {
            let stands = reservation.until > now;
            if !stands {
                reservation.ended.cancel();
            }
            stands
        });
    }

    /// Counts a question, so that refusals cost little too.
    fn may_ask(&mut self, peer: PeerId, now: Instant) -> Result<(), RelayStatus> {
        let is_old = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        if self.questions.len() >= COUNTED_MAX && !self.questions.contains_key(&peer) {
            self.questions.retain(|_, (since, _)| !is_old(*since));
            if self.questions.len() >= COUNTED_MAX {
                return Err(RelayStatus::ResourceLimitExceeded);
            }
        }
        let (since, count) = self.questions.entry(peer).or_insert((now, 0));
        if is_old(*since) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count <= QUESTIONS_MAX { Ok(()) } else { Err(RelayStatus::ResourceLimitExceeded) }
    }
}

/// What counts as one reservation in the world: an address of IPv4, a /64 of IPv6.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        ip => ip.to_canonical(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(class: Class, last: u8) -> Guest {
        Guest { class, ip: Some(IpAddr::from([9, 9, 9, last])) }
    }

    fn stranger(last: u8) -> Guest {
        guest(Class::Stranger, last)
    }

    /// A ledger in which alice has a reservation.
    fn with_reservation(class: Class) -> (Ledger, PeerId, Instant) {
        let (mut ledger, alice, now) = (Ledger::default(), PeerId::random(), Instant::now());
        ledger.reserve(alice, guest(class, 1), now).expect("kept");
        (ledger, alice, now)
    }

    #[test]
    fn rch_5_a_flood_of_strangers_fills_their_reservations_and_none_of_the_acquaintances() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        let flood = |ledger: &mut Ledger, last: u8| {
            (0..1_000).filter(|_| ledger.reserve(PeerId::random(), stranger(last), now).is_ok()).count()
        };
        assert_eq!(flood(&mut ledger, 1), STRANGERS_PER_ADDRESS_MAX);
        let mut ledger = Ledger::default();
        let kept: usize =
            (0..50).map(|last| usize::from(ledger.reserve(PeerId::random(), stranger(last), now).is_ok())).sum();
        assert_eq!(kept, Class::Stranger.limits().reservations);
        assert!(ledger.reserve(PeerId::random(), guest(Class::Acquaintance, 1), now).is_ok());
    }

    #[test]
    fn rch_5_strangers_of_one_home_with_many_ipv6_addresses_count_as_one() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        let at = |last| Guest { class: Class::Stranger, ip: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])) };
        let kept = (0..100).filter(|last| ledger.reserve(PeerId::random(), at(*last), now).is_ok()).count();
        assert_eq!(kept, STRANGERS_PER_ADDRESS_MAX);
    }

    #[test]
    fn rch_5_a_reservation_ends_in_time_and_is_kept_on_when_asked_for_again() {
        let (mut ledger, alice, now) = with_reservation(Class::Stranger);
        let again = now + RESERVATION_DURATION / 2;
        let token = ledger.reserve(alice, stranger(1), again).expect("kept on");
        let bob = PeerId::random();
        assert!(ledger.connect(bob, stranger(2), alice, now + RESERVATION_DURATION).is_ok());
        let late = again + RESERVATION_DURATION;
        assert_eq!(ledger.connect(bob, stranger(2), alice, late).err(), Some(RelayStatus::NoReservation));
        assert!(token.is_cancelled());
        assert_eq!(ledger.counts().0, 0);
    }

    #[test]
    fn rch_5_whoever_asks_without_end_is_no_longer_answered() {
        let (mut ledger, alice, now) = with_reservation(Class::Acquaintance);
        let mallory = PeerId::random();
        let nobody = PeerId::random();
        let answered = (0..1_000)
            .filter(|_| ledger.connect(mallory, stranger(2), nobody, now).err() == Some(RelayStatus::NoReservation));
        assert_eq!(u32::try_from(answered.count()), Ok(QUESTIONS_MAX));
        assert!(ledger.connect(PeerId::random(), stranger(3), alice, now).is_ok());
        assert!(ledger.connect(mallory, stranger(2), alice, now + WINDOW).is_ok());
        for _ in 0..COUNTED_MAX * 2 {
            let _ = ledger.reserve(PeerId::random(), stranger(4), now);
        }
        assert!(ledger.questions.len() <= COUNTED_MAX);
    }

    #[test]
    fn rch_6_circuits_of_strangers_are_few_small_and_short_and_those_of_acquaintances_are_not() {
        let (mut ledger, alice, now) = with_reservation(Class::Stranger);
        let terms = ledger.connect(PeerId::random(), stranger(2), alice, now).expect("made");
        assert_eq!((terms.bytes, terms.duration), (1 << 20, Duration::from_secs(120)), "RCH-6");
        ledger.connect(PeerId::random(), stranger(3), alice, now).expect("made");
        let third = ledger.connect(PeerId::random(), stranger(4), alice, now);
        assert_eq!(third.err(), Some(RelayStatus::ResourceLimitExceeded));
        let friend = ledger.connect(PeerId::random(), guest(Class::Acquaintance, 5), alice, now).expect("made");
        assert_eq!(
            (friend.class, friend.bytes),
            (Class::Acquaintance, 256 << 20),
            "who knows one of the two helps both"
        );
        ledger.ended(terms.number);
        assert!(ledger.connect(PeerId::random(), stranger(4), alice, now).is_ok());
    }

    #[test]
    fn rch_6_strangers_who_connect_to_an_acquaintance_without_end_keep_no_acquaintance_from_her() {
        let (mut ledger, alice, now) = with_reservation(Class::Acquaintance);
        let terms = ledger.connect(PeerId::random(), stranger(2), alice, now).expect("made");
        assert_eq!((terms.bytes, terms.duration), (256 << 20, HOUR), "enough to read all that she wrote");
        let flood = (0..1_000).filter(|_| ledger.connect(PeerId::random(), stranger(3), alice, now).is_ok());
        assert_eq!(flood.count() + 1, Class::Visitor.limits().circuits_per_peer);
        while ledger.spend(Class::Visitor, 1 << 20, now) {}
        for friend in 0..Class::Acquaintance.limits().circuits_per_peer {
            let made = ledger.connect(PeerId::random(), guest(Class::Acquaintance, 4), alice, now);
            assert!(made.is_ok(), "friend {friend}");
        }
    }

    #[test]
    fn rch_6_a_relay_is_no_amplifier_strangers_share_what_one_hour_has() {
        let (mut ledger, alice, now) = with_reservation(Class::Stranger);
        let hour = Class::Stranger.limits().bytes_per_hour;
        let carried = (0..1_000_000_u64).take_while(|_| ledger.spend(Class::Stranger, 1 << 14, now)).count();
        assert_eq!(u64::try_from(carried).expect("small") << 14, hour);
        let more = ledger.connect(PeerId::random(), stranger(2), alice, now);
        assert_eq!(more.err(), Some(RelayStatus::ResourceLimitExceeded));
        assert!(ledger.spend(Class::Acquaintance, 1 << 14, now), "theirs is another account");
        ledger.reserve(alice, stranger(1), now + HOUR).expect("kept");
        assert!(ledger.connect(PeerId::random(), stranger(2), alice, now + HOUR).is_ok());
    }

    #[test]
    fn rch_6_circuits_end_with_either_of_their_ends() {
        let (mut ledger, alice, now) = with_reservation(Class::Stranger);
        let bob = PeerId::random();
        let terms = ledger.connect(bob, stranger(2), alice, now).expect("made");
        ledger.lost(&bob);
        assert!(terms.ended.is_cancelled());
        let again = ledger.connect(bob, stranger(2), alice, now).expect("made");
        ledger.lost(&alice);
        assert!(again.ended.is_cancelled());
        assert_eq!(ledger.connect(bob, stranger(2), alice, now).err(), Some(RelayStatus::NoReservation));
    }

    #[test]
    fn rch_5_who_comes_through_a_relay_itself_gets_neither_reservation_nor_circuit() {
        let (mut ledger, alice, now) = with_reservation(Class::Acquaintance);
        let far = Guest { class: Class::Acquaintance, ip: None };
        assert_eq!(ledger.reserve(PeerId::random(), far, now).err(), Some(RelayStatus::PermissionDenied));
        assert_eq!(ledger.connect(PeerId::random(), far, alice, now).err(), Some(RelayStatus::PermissionDenied));
        assert_eq!(ledger.connect(alice, stranger(1), alice, now).err(), Some(RelayStatus::PermissionDenied));
    }
}
