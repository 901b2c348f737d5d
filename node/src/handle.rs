//! The handle: what clients of the node hold.

mod bootstrap;
mod devices;
mod keep;
mod network;
mod ownership;
mod private;
mod topics;

pub use bootstrap::BootstrapAddress;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use tokio::sync::broadcast;
use xom_protocol::body::Attachment;
use xom_protocol::invite::Invite;
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::INVITE_ADDRESSES_MAX;
use xom_protocol::{BlobId, Did};

use crate::archive::Page;
use crate::backup::{BackupError, Name, Written};
use crate::blob::{BlobReader, BlobWriter};
use crate::command::{Command, Done, IdempotencyKey};
use crate::config::NodeConfig;
use crate::error::{AdoptError, CommandError, StoreError};
use crate::keys::{AccessError, ControlAccess, ControlKey, Keyring};
use crate::model::{Event, Media, MediaId, NodeStatus, OwnedIdentity, PeerInfo, StatusId, VerifyReport};
use crate::net::Net;
use crate::reader::Reader;
use crate::store::Store;

/// Addresses that `xom status` shows.
const LISTEN_SHOWN_MAX: usize = 64;

/// How long a blob is waited for that is fetched again.
const BRING_WAIT: Duration = Duration::from_secs(10);

/// A cheap clone through which clients read and command.
#[derive(Clone)]
pub struct Handle {
    store: Store,
    net: Net,
    config: Arc<NodeConfig>,
    began: Instant,
}

impl Handle {
    pub(crate) fn new(store: Store, net: Net, config: Arc<NodeConfig>, began: Instant) -> Self {
        Self { store, net, config, began }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn net(&self) -> &Net {
        &self.net
    }

    /// Runs a read on one consistent snapshot, off the async threads.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.store.clone();
        let work = move || read(&Reader::new(store.snapshot()?)?.at(store.now_ms()));
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Carries a command out; durable when it answers.
    pub async fn command(&self, identity: Did, command: Command) -> Result<Done, CommandError> {
        let done = self.commands(identity, vec![command]).await;
        done.into_iter().next().unwrap_or(Err(CommandError::Store(StoreError::Stopping)))
    }

    /// Carries many commands out in one group commit, in order; one answer each.
    pub async fn commands(&self, identity: Did, commands: Vec<Command>) -> Vec<Result<Done, CommandError>> {
        self.store.commands(identity, commands).await
    }

    /// Carries out a command that makes a status, unless its key was used within the hour: then it answers with
    /// what was made then. The key is durable in the same commit as the status.
    pub async fn command_once(
        &self,
        identity: Did,
        key: IdempotencyKey,
        command: Command,
    ) -> Result<Done, CommandError> {
        self.store.command_once(identity, key, command).await
    }

    /// The status that was made under a key within the hour.
    pub async fn made_under(&self, key: IdempotencyKey) -> Result<Option<StatusId>, StoreError> {
        let store = self.store.clone();
        let look = move || store.snapshot()?.made_under(&key);
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Gives an identity that exists elsewhere a place on this node: `objects` are its signed objects and
    /// must admit `device`, a new key that signs here from now on. Durable when it answers.
    pub async fn adopt(
        &self,
        username: &str,
        did: Did,
        objects: Vec<Vec<u8>>,
        device: SecretKey,
    ) -> Result<(), AdoptError> {
        self.store.adopt(username, did, objects, device).await.map(|_| ())
    }

    /// Makes an identity that nobody has had before. Its words lie in the data folder until their owner has confirmed
    /// them, like those of the first one. Durable when it answers.
    pub async fn make_identity(&self, username: &str) -> Result<Did, AdoptError> {
        self.store.settle(username).await.map(|row| row.did)
    }

    /// The keys of a local identity: how they lie in the folder, and what becomes of them.
    pub fn keyring(&self, identity: Did) -> Keyring {
        Keyring::new(self.store.clone(), identity)
    }

    /// Opens the control key of a local identity, for a command that needs its signature.
    pub async fn control_key(&self, identity: Did, access: ControlAccess) -> Result<ControlKey, CommandError> {
        self.store.control_key(&identity, &access).await.map(ControlKey::new)
    }

    /// What is stored from now on. A receiver that lags is told so and must read again.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.store.events()
    }

    /// An upload that begins: write its bytes, then give it to [`Handle::add_upload`].
    pub fn begin_upload(&self) -> BlobWriter {
        self.store.blob_writer()
    }

    /// Stores an upload durably and looks at its bytes for type, size in pixels and so on (never trusts a declared
    /// type).
    pub async fn add_upload(
        &self,
        upload: BlobWriter,
        declared_type: Option<String>,
    ) -> Result<Attachment, CommandError> {
        let attachment = self.store.add_blob(upload).await?;
        tracing::debug!(declared = declared_type, found = attachment.media_type, "blob added");
        Ok(attachment)
    }

    /// The same for a small blob that is in memory.
    pub async fn add_blob(&self, bytes: Vec<u8>, declared_type: Option<String>) -> Result<Attachment, CommandError> {
        let mut upload = self.begin_upload();
        upload.write(&bytes).await?;
        self.add_upload(upload, declared_type).await
    }

    /// Opens a blob that is held, to be read piece by piece. Its bytes are checked first.
    pub async fn open_blob(&self, id: BlobId) -> Result<Option<BlobReader>, StoreError> {
        let opened = self.store.open_blob(id).await?;
        if opened.is_some() {
            self.store.note_use(id);
        }
        Ok(opened)
    }

    /// Fetches a blob again that made room for others (`BLOB-11`), and waits for it a while. None where it does not
    /// come, or never was here.
    pub async fn bring_blob(&self, id: BlobId) -> Result<Option<BlobReader>, StoreError> {
        self.store.bring_again(id, BRING_WAIT).await
    }

    /// Drops a blob for good, whoever names it, with its small picture: it is never taken again from peers, served or
    /// shown (`BLOB-12`).
    pub async fn refuse_blob(&self, id: BlobId) -> Result<(), StoreError> {
        self.store.refuse_blob(id).await
    }

    /// The small picture of a blob that is held: a JPEG or PNG, made here (`BLOB-10`). None where it is no picture, or
    /// none that is decoded.
    pub async fn preview(&self, id: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.preview(id).await
    }

    /// A blob that is held, whole in memory; for small ones.
    pub async fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut reader) = self.open_blob(id).await? else { return Ok(None) };
        let mut bytes = Vec::new();
        while let Some(piece) = reader.read().await? {
            bytes.extend(piece);
        }
        Ok(Some(bytes))
    }

    /// Remembers an upload until it is used.
    pub async fn add_media(&self, owner: Did, attachment: Attachment) -> Result<MediaId, CommandError> {
        self.store.add_media(owner, attachment).await
    }

    /// Changes the description or focus of an upload.
    pub async fn update_media(&self, media: Media) -> Result<(), CommandError> {
        self.store.update_media(media).await
    }

    /// Forgets an upload that nobody has used, and its blob; false where it is not there, or of another owner.
    pub async fn drop_media(&self, owner: Did, id: MediaId) -> Result<bool, StoreError> {
        self.store.drop_media(owner, id).await
    }

    /// A signed invite with this node's current addresses; with fewer of them where all would not fit.
    pub async fn invite(&self, identity: Did) -> Result<String, CommandError> {
        let key = self.store.signing_key(&identity)?;
        let addresses = self.net.addresses(INVITE_ADDRESSES_MAX).await?;
        let mut addresses: Vec<String> = addresses.iter().map(Multiaddr::to_string).collect();
        loop {
            match Invite::sign(self.store.network(), identity, addresses.clone(), &key) {
                Ok(invite) => return Ok(invite.to_string()),
                Err(e) if addresses.pop().is_none() => return Err(CommandError::Invite(e.to_string())),
                Err(_) => {}
            }
        }
    }

    /// Reads an invite or a DID, learns its addresses, follows, and dials. Answers the followed DID.
    pub async fn follow_invite(&self, identity: Did, invite: String) -> Result<Did, CommandError> {
        let text = invite.trim();
        let (did, addresses) = match text.parse::<Did>() {
            Ok(did) => (did, Vec::new()),
            Err(_) => {
                let invite = Invite::parse(self.store.network(), text);
                let invite = invite.map_err(|e| CommandError::Invite(e.to_string()))?;
                // An address of a transport that this version does not know is no reason to refuse.
                let addresses = invite.addresses().iter().filter_map(|address| address.parse().ok()).collect();
                (invite.did(), addresses)
            }
        };
        self.command(identity, Command::Follow(did)).await?;
        self.net.name(addresses).await?;
        Ok(did)
    }

    /// All peers known.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        self.net.peers().await.unwrap_or_default()
    }

    /// The state of the node.
    pub async fn status(&self) -> Result<NodeStatus, StoreError> {
        let listen = self.net.addresses(LISTEN_SHOWN_MAX).await?;
        let peers = self.net.peers().await?;
        let reachability = self.net.reachability().await?;
        let locals = self.read(|reader| reader.owned_identities()).await?;
        let store = self.store.clone();
        let counts = tokio::task::spawn_blocking(move || {
            let snapshot = store.snapshot()?;
            let behind = store.stopped()?;
            let ended = snapshot.ended_here()?;
            let mut owners = snapshot.owner_warnings()?;
            owners.extend(snapshot.share_warnings()?);
            owners.extend(snapshot.wish_warnings()?);
            let (entries, identities) = (snapshot.entry_count()?, snapshot.identity_count()?);
            Ok((entries, identities, store.folder().disk_bytes()?, behind, ended, owners))
        });
        let counts = counts.await.unwrap_or(Err(StoreError::Stopping))?;
        let (entries, identities, disk_bytes, behind, ended, owners) = counts;
        let folder = self.config.data_dir.display();
        let warnings = locals.iter().flat_map(|OwnedIdentity { username, keys, .. }| {
            keys.warnings(username, &format!("{folder}/identities/{username}"))
        });
        Ok(NodeStatus {
            uptime_secs: self.began.elapsed().as_secs(),
            peer: self.net.peer_id().to_string(),
            listen: listen.iter().map(Multiaddr::to_string).collect(),
            swarm_key: self.net.swarm_key(),
            traffic: (self.net.traffic().up(), self.net.traffic().down()),
            reachability,
            peers_connected: count(peers.iter().filter(|peer| peer.connected).count()),
            entries,
            identities,
            disk_bytes,
            refusals: self.net.totals().refusals(),
            warnings: warnings
                .chain(behind.iter().map(behind_warning))
                .chain(ended.iter().map(|(name, retired)| devices::ended_warning(name, *retired)))
                .chain(owners)
                .collect(),
        })
    }

    /// Checks everything stored: chains, signatures, commitments, views.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.store.verify().await
    }

    /// Writes the archive of one identity, for `xom export`; see [`crate::archive`]. Answers its length, bytes.
    pub async fn export(
        &self,
        identity: Did,
        page: Arc<dyn Page>,
        to: impl Write + Send + 'static,
    ) -> Result<u64, CommandError> {
        self.store.export(identity, page, to).await
    }

    /// Lets backups be sealed for an identity: with its words once, without them where they were here before.
    pub async fn prepare_backup(&self, identity: Did, access: ControlAccess) -> Result<(), CommandError> {
        match access {
            ControlAccess::Words(phrase) => self.store.keep_backup_key(identity, phrase).await,
            ControlAccess::Passphrase(_) | ControlAccess::Kept if self.store.has_backup_key(&identity)? => Ok(()),
            ControlAccess::Passphrase(_) | ControlAccess::Kept => Err(AccessError::BackupKey.into()),
        }
    }

    /// Writes a sealed backup of the whole node, without the files in `known`; see [`crate::backup`].
    pub async fn backup(
        &self,
        identity: Did,
        known: BTreeSet<Name>,
        to: impl Write + Send + 'static,
    ) -> Result<Written, BackupError> {
        self.store.backup(identity, known, to).await
    }

    /// Gives the space of purged and replaced data back and overwrites what purges left behind.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.store.compact().await
    }

    /// Drops all views and makes them again from the entries.
    pub async fn rebuild_views(&self) -> Result<u64, StoreError> {
        self.store.rebuild_views().await
    }
}

/// What the owner of a folder that is an old copy must know.
fn behind_warning(did: &Did) -> String {
    format!("{did}: {}", CommandError::Behind)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
