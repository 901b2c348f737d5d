//! Finding each other without being told again: this node states where its own devices can be reached, and
//! dials the devices of those whom it follows where they say that they are (`SYN-20`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

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
use crate::store::{Notice, told};

/// How often the own addresses are looked at.
const OWN_EVERY: Duration = Duration::from_secs(5);
/// How often everybody's are looked at again: a device that was enough may have gone in between.
const ALL_EVERY: Duration = Duration::from_secs(5);

/// States and reads addresses.
pub(super) struct Services {
    shared: Arc<Shared>,
    asks: mpsc::Sender<Ask>,
    stop: CancellationToken,
    /// What every local identity has stated.
    stated: Option<Vec<String>>,
}

impl Services {
    /// Nothing was stated yet.
    pub(super) fn new(shared: Arc<Shared>, asks: mpsc::Sender<Ask>, stop: CancellationToken) -> Self {
        Self { shared, asks, stop, stated: None }
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
        if addresses.is_empty() || self.stated.as_ref() == Some(&addresses) {
            return Ok(());
        }
        let mut all = true;
        for local in self.shared.store.locals() {
            all &= self.shared.store.state_services(local.did, addresses.clone()).await?;
        }
        self.stated = all.then_some(addresses);
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
