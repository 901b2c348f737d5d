//! Finding each other without being told again: this node states where its own devices can be reached, and
//! dials the devices of those whom it follows where they say that they are (`SYN-20`).

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use xom_protocol::Did;
use xom_protocol::limits::SERVICE_ADDRESSES_MAX;

use super::driver::Ask;
use super::ingest::blocking;
use super::listen;
use super::shared::Shared;
use crate::error::StoreError;
use crate::keep::AskedState;
use crate::store::{Notice, told};

/// How often the own addresses are looked at.
const OWN_EVERY: Duration = Duration::from_secs(5);
/// How often everybody's are looked at again: a device that was enough may have gone in between.
const ALL_EVERY: Duration = Duration::from_secs(5);

/// Statements of new addresses in one [`PACE_WINDOW`]: relays come and go, and everybody keeps what was stated
/// (`SYN-20`).
const STATEMENTS_MAX: usize = 8;
/// The time over which statements are counted.
const PACE_WINDOW: Duration = Duration::from_secs(3_600);

/// When it was stated where this node is.
#[derive(Debug, Default)]
struct Pace(VecDeque<Instant>);

impl Pace {
    fn may_state(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.saturating_duration_since(*at) < PACE_WINDOW);
        self.0.len() < STATEMENTS_MAX
    }

    fn stated(&mut self, now: Instant) {
        self.0.push_back(now);
    }
}

/// States and reads addresses.
pub(super) struct Services {
    shared: Arc<Shared>,
    asks: mpsc::Sender<Ask>,
    stop: CancellationToken,
    /// What every local identity has stated.
    stated: Option<Vec<String>>,
    pace: Pace,
}

impl Services {
    /// Nothing was stated yet.
    pub(super) fn new(shared: Arc<Shared>, asks: mpsc::Sender<Ask>, stop: CancellationToken) -> Self {
        Self { shared, asks, stop, stated: None, pace: Pace::default() }
    }

    /// Runs until the node stops.
    pub(super) async fn run(mut self) {
        let mut notices = self.shared.store.notices();
        let (mut own, mut all) = (tokio::time::interval(OWN_EVERY), tokio::time::interval(ALL_EVERY));
        own.set_missed_tick_behavior(MissedTickBehavior::Delay);
        all.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = self.stop.cancelled() => return,
                _ = own.tick() => self.state().await,
                _ = all.tick() => self.learn(None).await,
                notice = notices.recv() => match notice {
                    Ok(Notice::Identity(did)) => self.learn(Some(did)).await,
                    Ok(Notice::Wants) | Err(RecvError::Lagged(_)) => self.learn(None).await,
                    Ok(Notice::Locals) => {
                        self.stated = None;
                        self.state().await
                    }
                    Ok(_) => Ok(()),
                    Err(RecvError::Closed) => return,
                },
            };
            match done {
                Ok(()) => {}
                Err(StoreError::Stopping) => return,
                Err(cause) => tracing::warn!(%cause, "addresses could not be stated or read"),
            }
        }
    }

    /// States the own addresses for every identity that lives here, where they are news.
    async fn state(&mut self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Addresses(SERVICE_ADDRESSES_MAX, answer)).await.map_err(|_| StoreError::Stopping)?;
        let own = answered.await.map_err(|_| StoreError::Stopping)?;
        let addresses: Vec<String> = listen::for_others(own).iter().map(Multiaddr::to_string).collect();
        let now = Instant::now();
        if addresses.is_empty() || self.stated.as_ref() == Some(&addresses) || !self.pace.may_state(now) {
            return Ok(());
        }
        let mut all = true;
        for local in self.shared.store.locals() {
            all &= self.shared.store.state_services(local.did, addresses.clone()).await?;
        }
        if all {
            self.stated = Some(addresses);
            self.pace.stated(now);
        }
        Ok(())
    }

    /// Learns where the devices of one or all of those can be reached whom this node follows, or who live here.
    async fn learn(&self, who: Option<Did>) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let (asks, sought, kept) = blocking(move || {
            let snapshot = shared.store.snapshot()?;
            let wants = shared.store.wants();
            let (mut asks, mut sought, mut kept) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
            let told = told(&shared.store.keeps());
            for local in shared.store.locals() {
                let asked = snapshot.keepers_asked(&local.did)?.into_iter();
                sought.extend(asked.filter(|(view, _)| view.state == AskedState::NotReached).map(|(view, _)| view.did));
            }
            let locals: Vec<Did> = shared.store.locals().iter().map(|local| local.did).collect();
            for did in wants.iter().filter(|did| who.is_none_or(|who| who == **did)) {
                let known = shared.identities.get(&snapshot, did)?.and_then(|known| known.record);
                // An identity that lives here is looked for where it lives elsewhere too.
                let lives_elsewhere = known.as_ref().is_some_and(|record| record.state().live_devices().count() > 1);
                if !locals.contains(did) || lives_elsewhere {
                    sought.insert(*did);
                }
                if known.is_some() && told.contains(did) {
                    kept.insert(*did);
                }
                let devices = known.iter().flat_map(|record| record.state().live_devices());
                let stated = devices.flat_map(|(_, device)| &device.services);
                let addresses: Vec<Multiaddr> = stated.filter_map(|text| text.parse().ok()).collect();
                if !addresses.is_empty() {
                    asks.push(Ask::Stated { addresses, all: locals.contains(did) });
                }
            }
            Ok((asks, sought, kept))
        })
        .await?;
        let seek = who.is_none().then_some(Ask::Seek { wanted: sought, kept });
        for ask in asks.into_iter().chain(seek) {
            self.asks.send(ask).await.map_err(|_| StoreError::Stopping)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syn_20_relays_that_come_and_go_do_not_make_this_node_state_its_addresses_without_end() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let mut count = 0;
        for second in 0..3_600 {
            let at = now + Duration::from_secs(second);
            if pace.may_state(at) {
                pace.stated(at);
                count += 1;
            }
        }
        assert_eq!(count, STATEMENTS_MAX);
        assert!(pace.may_state(now + PACE_WINDOW));
    }
}
