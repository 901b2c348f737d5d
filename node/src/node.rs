//! A running node: starts everything in the order in which a failure has changed nothing, owns every
//! task, and stops them all.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::config::NodeConfig;
use crate::error::{StartError, StoreError};
use crate::handle::Handle;
use crate::net::Listening;
use crate::store::folder::{self, Folder};
use crate::store::{self, Store};

/// The file with the seed of the peer key. It is no device key: it only names this node on the wire.
const PEER_KEY_FILE: &str = "peer.key";
/// How often bodies are looked for whose time to be purged has come.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// A running node; owns every task.
pub struct Node {
    handle: Handle,
    store: Store,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Node {
    /// Opens the data folder, makes the first identity where there is none, and starts all tasks.
    ///
    /// Fails with [`StartError`], and has changed nothing, where an address is taken, another process
    /// has the folder, or the folder can't be read.
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        let began = Instant::now();
        let key = PeerKey::read_or_make(&config.data_dir)?;
        let listening = match Listening::begin(&key.pair()?, &config).await {
            Ok(listening) => listening,
            // A node that has the folder most likely has the address too: the folder is the better reason.
            Err(_) if Folder::is_locked(&config.data_dir) => return Err(StartError::Locked(config.data_dir)),
            Err(e) => return Err(e),
        };
        let config = Arc::new(config);
        let opening = Arc::clone(&config);
        let opened = spawn_blocking(move || {
            let store = store::open(&opening)?;
            key.keep(&opening.data_dir)?;
            Ok((store.now_ms(), store))
        });
        let (opened_ms, store) = opened.await.unwrap_or_else(|e| Err(unreadable(&config, &e)))?;
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let net = listening.start(&store, &config, &mut tasks, &stop).map_err(|e| unreadable(&config, &e))?;
        tasks.spawn(purge(store.clone(), opened_ms, stop.clone()));
        tasks.spawn(crate::admission::answer_doors(store.clone(), stop.clone()));
        let handle = Handle::new(store.clone(), net, config, began);
        Ok(Self { handle, store, tasks, stop })
    }

    /// A handle.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops all tasks and waits for them; what was acknowledged is durable anyway.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(cause) = ended {
                tracing::error!(%cause, "a task did not end by itself");
            }
        }
        self.store.stop().await;
    }
}

fn unreadable(config: &NodeConfig, cause: &dyn std::fmt::Display) -> StartError {
    folder::unreadable(&config.data_dir, cause)
}

/// Drops what a crash has left, then purges what is due, until the node stops.
async fn purge(store: Store, opened_ms: u64, stop: CancellationToken) {
    match store.forget_unnamed(opened_ms).await {
        Ok(()) | Err(StoreError::Stopping) => {}
        Err(cause) => tracing::error!(%cause, "blobs that nothing names are dropped after the next start"),
    }
    let mut due = tokio::time::interval(PURGE_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {}
        }
        match store.purge_due().await {
            Ok(()) => {}
            Err(StoreError::Stopping) => return,
            Err(cause) => tracing::error!(%cause, "purging failed and is tried again"),
        }
    }
}

/// The seed of the peer key.
struct PeerKey {
    line: Zeroizing<String>,
    is_new: bool,
}

impl PeerKey {
    /// Reads the key of the folder, or makes one that is not yet kept.
    fn read_or_make(data_dir: &Path) -> Result<Self, StartError> {
        let path = data_dir.join(PEER_KEY_FILE);
        if let Some(line) = folder::read_secret(&path).map_err(|e| folder::unreadable(&path, &e))? {
            return Ok(Self { line, is_new: false });
        }
        let seed = folder::entropy()?;
        let line = Zeroizing::new(data_encoding::HEXLOWER.encode(seed.as_slice()));
        Ok(Self { line, is_new: true })
    }

    fn pair(&self) -> Result<Keypair, StartError> {
        let wrong = || folder::unreadable(Path::new(PEER_KEY_FILE), &"is not a key of 64 hexadecimal digits");
        let seed = data_encoding::HEXLOWER.decode(self.line.as_bytes()).map_err(|_| wrong())?;
        // libp2p clears the bytes that it takes.
        Keypair::ed25519_from_bytes(seed).map_err(|_| wrong())
    }

    /// Keeps a new key, once the folder is this node's.
    fn keep(&self, data_dir: &Path) -> Result<(), StartError> {
        let path = data_dir.join(PEER_KEY_FILE);
        match self.is_new {
            true => folder::write_secret(&path, &self.line).map_err(|e| folder::unreadable(&path, &e)),
            false => Ok(()),
        }
    }
}
