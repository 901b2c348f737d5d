//! Getting an identity back, step by step. Each step looks at what is durable and does what can be done
//! now; so it does not matter where the process ended, or how often a step is taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use serde_bytes::ByteBuf;
use xom_protocol::identity::{Approval, IdentityRecord, Recovery, RecoveryRequest, RecoveryStep, Renewal, compose};
use xom_protocol::limits::IDENTITY_OBJECT_BYTES_MAX;
use xom_protocol::phrase::Phrase;
use xom_protocol::recover::{Answer, Ask, code};
use xom_protocol::{DeviceId, Did, encoding};

use super::RecoveryError;
use super::plan::{Plan, PlanFolder};
use crate::error::{AdoptError, CommandError, StoreError};
use crate::handle::Handle;
use crate::keys::{AccessError, ControlAccess, ControlKey};
use crate::model::{Kept, Missing};
use crate::net::Net;
use crate::store::Store;
use crate::store::ownership::rotation;

/// How long all named nodes are waited for, before those that were reached have to do.
const REACH: Duration = Duration::from_secs(10);
/// Steps without anything new, all peers in sync, after which everything is here that can be had.
const QUIET_STEPS: u32 = 4;
/// How long missing blobs are waited for while none of them comes.
const BLOBS: Duration = Duration::from_secs(15);
/// The user name where neither the owner nor a profile gives one.
const USERNAME: &str = "user";

/// What the owner wishes.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Whom to recover.
    pub did: Did,
    /// The user name on this node; none to take that of the profile.
    pub username: Option<String>,
    /// By guardians, otherwise by the words.
    pub guardians: bool,
    /// Nodes that may hold the identity, or on which its guardians live.
    pub from: Vec<Multiaddr>,
}

/// How far a recovery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Nodes are asked for the identity and what it has written.
    Searching {
        /// How many nodes are connected.
        connected: usize,
        /// One of them had the identity.
        found: bool,
    },
    /// The words are needed.
    WordsNeeded,
    /// Guardians are asked for their first approval.
    Asking {
        /// The code to compare.
        code: String,
        /// How many have approved.
        approved: usize,
        /// How many are needed.
        need: u64,
        /// One of them has refused.
        refused: bool,
    },
    /// The recovery has started; guardians wait, and then approve once more.
    Waiting {
        /// The code to compare.
        code: String,
        /// How many have approved the finish.
        approved: usize,
        /// How many are needed.
        need: u64,
        /// The longest that a guardian's node said it waits, seconds.
        wait_secs: u64,
        /// A device of the identity has asked the guardians to wait once more.
        postponed: bool,
    },
    /// The identity lives here; what it wrote comes back.
    Fetching {
        /// Entries that are held.
        entries: u64,
    },
    /// Everything that could be had is here.
    Done {
        /// The user name on this node.
        username: String,
        /// The device that was made here.
        device: DeviceId,
        /// Other devices that are live.
        others: Vec<DeviceId>,
        /// What nobody had.
        missing: Missing,
    },
}

/// A recovery under way on this node.
pub struct Recovering {
    store: Store,
    net: Net,
    folder: PlanFolder,
    began: Instant,
    /// Steps since something new came, and what the counter was then.
    quiet: (u32, u64),
    /// Blobs that are missing, and since when so many are.
    blobs: (u64, Instant),
}

impl Recovering {
    /// Begins a recovery, or goes on with the one of the same identity that was begun here.
    pub(crate) fn begin(store: Store, net: Net, wish: Wish) -> Result<Self, CommandError> {
        let data_dir = store.folder().path().to_owned();
        let from: Vec<String> = wish.from.iter().map(Multiaddr::to_string).collect();
        let folder = match PlanFolder::read(&data_dir)? {
            Some(mut folder) if folder.plan.did == wish.did && folder.plan.guardians == wish.guardians => {
                folder.change(|plan| {
                    plan.from
                        .extend(from.into_iter().filter(|address| !plan.from.contains(address)).collect::<Vec<_>>());
                    plan.username = wish.username.or(plan.username.take());
                })?;
                folder
            }
            Some(_) => {
                return Err(CommandError::Refused("another recovery was begun here; end it with --forget first"));
            }
            None if store.locals().iter().any(|local| local.did == wish.did)
                && !store.lives_here_in_vain(&wish.did)? =>
            {
                return Err(CommandError::Refused("this identity lives here already, and its device signs"));
            }
            None => {
                let Wish { did, username, guardians, .. } = wish;
                let plan = Plan { did, username, guardians, from, request: None, started: false, adopted: false };
                PlanFolder::make(&data_dir, plan)?
            }
        };
        Ok(Self::with(store, net, folder))
    }

    /// Goes on with the recovery that was begun here; none if none was.
    pub(crate) fn resume(store: Store, net: Net) -> Result<Option<Self>, CommandError> {
        let folder = PlanFolder::read(store.folder().path())?;
        Ok(folder.map(|folder| Self::with(store, net, folder)))
    }

    fn with(store: Store, net: Net, folder: PlanFolder) -> Self {
        let now = Instant::now();
        Self { store, net, folder, began: now, quiet: (0, 0), blobs: (0, now) }
    }

    /// Whom.
    pub fn did(&self) -> Did {
        self.folder.plan.did
    }

    /// True where guardians recover.
    pub fn is_by_guardians(&self) -> bool {
        self.folder.plan.guardians
    }

    /// Forgets the recovery. What is on the identity's log stays there.
    pub fn forget(self) -> Result<(), StoreError> {
        self.folder.forget()
    }

    /// Ends another device of the identity, once it lives here: what is held of it counts, nothing beyond.
    /// `phrase` are the words, where they recover.
    pub async fn remove_device(&self, device: DeviceId, phrase: Option<&Phrase>) -> Result<(), CommandError> {
        let words = self.folder.phrase.as_ref().or(phrase).ok_or(AccessError::WordsNeeded)?;
        let key = self.store.control_key(&self.did(), &ControlAccess::Words(words.clone())).await?;
        self.store.end_device(self.did(), device, Some(ControlKey::new(key)), false, Kept::All).await.map(|_| ())
    }

    /// How many connected nodes hold all that this node has done to the identity by now. It counts for others
    /// only once somebody has it.
    pub fn told(&self) -> Result<usize, StoreError> {
        let record = self.record()?;
        Ok(record.map_or(0, |record| self.net.agreeing_on(&self.did(), &record.digest())))
    }

    /// Names the nodes of the plan to the network, and looks for the identity.
    pub async fn open(&self) -> Result<(), StoreError> {
        self.store.seek(self.did());
        let from = self.folder.plan.from.iter();
        self.net.name(from.filter_map(|address| address.parse().ok()).collect()).await
    }

    /// Does what can be done now. `phrase` are the words, where they recover.
    pub async fn step(&mut self, phrase: Option<&Phrase>) -> Result<Stage, CommandError> {
        let did = self.did();
        let local = self.store.locals().into_iter().find(|local| local.did == did);
        let record = self.record()?;
        let behind = self.store.stopped()?.contains(&did);
        if let (Some(local), Some(record)) = (&local, &record)
            && record.state().live_device(&local.device).is_some()
            && !behind
        {
            self.settle_in().await?;
            return self.fetch(local.username.clone(), local.device, record).await;
        }
        let (connected, in_sync) = self.peers().await?;
        let found = record.is_some();
        let Some(record) = record.filter(|_| in_sync) else { return Ok(Stage::Searching { connected, found }) };
        let device = self.folder.device.public().device_id();
        if record.state().live_device(&device).is_some() {
            self.adopt(&record).await?;
            return Ok(Stage::Fetching { entries: self.entries()? });
        }
        match (self.is_by_guardians(), phrase) {
            (true, _) => self.ask_guardians(&record).await,
            (false, None) => Ok(Stage::WordsNeeded),
            (false, Some(phrase)) => {
                let object = rotation(&record, phrase, None, &[&self.folder.device])?;
                self.insert(object.encode()).await?;
                Ok(Stage::Searching { connected, found })
            }
        }
    }

    /// Asks the guardians, and puts on the log what they approve.
    async fn ask_guardians(&mut self, record: &IdentityRecord) -> Result<Stage, CommandError> {
        let request = self.request(record)?;
        let RecoveryStep::Start(renewal) = &request.step else { return Err(RecoveryError::Over.into()) };
        let place = record.place_after(&request.link.prev).ok_or(RecoveryError::Over)?;
        let guardians = place.guardians.clone().ok_or(RecoveryError::NoGuardians)?;
        let bytes = request.encode();
        let objects = record.objects().iter().map(|object| object.encode()).collect();
        let answers = self.net.ask_guardians(Ask { request: bytes.clone(), objects }).await;
        let good = |request: &RecoveryRequest, approvals: fn(&Answer) -> &Vec<Vec<u8>>| {
            let all = answers.iter().flat_map(approvals);
            let approvals = all.filter_map(|bytes| encoding::decode::<Approval>(bytes, IDENTITY_OBJECT_BYTES_MAX).ok());
            let valid = approvals.filter(|approval| {
                guardians.contains(&approval.guardian) && request.check_approval(place.network, approval).is_ok()
            });
            let by_guardian = valid.map(|approval| (approval.guardian, approval));
            by_guardian.collect::<std::collections::BTreeMap<Did, Approval>>().into_values().collect::<Vec<_>>()
        };
        let network = self.store.network();
        let phrase = self.folder.phrase.clone().ok_or_else(|| StoreError::Damaged("the new words".into()))?;
        let control = phrase.control_key(place.epoch + 1);
        let need = guardians.need;
        let enough = |approvals: &[Approval]| u64::try_from(approvals.len()).is_ok_and(|have| have >= need);
        let code = code(&bytes);
        let Some(recovery) = running(record, renewal) else {
            if self.folder.plan.started {
                return Err(RecoveryError::Over.into());
            }
            let approvals = good(&request, |answer| &answer.start);
            let stage = Stage::Asking {
                code,
                approved: approvals.len(),
                need,
                refused: answers.iter().any(|answer| answer.refused),
            };
            if enough(&approvals) {
                let signers = [&control, &self.folder.device];
                let start = compose::recover(network, &request, approvals, &renewal.control, &signers);
                self.insert(start.map_err(RecoveryError::Identity)?.encode()).await?;
                self.folder.change(|plan| plan.started = true)?;
            }
            return Ok(stage);
        };
        self.folder.change(|plan| plan.started = true)?;
        let finish = RecoveryRequest::finish(&recovery.place);
        let approvals = good(&finish, |answer| &answer.finish);
        let stage = Stage::Waiting {
            code,
            approved: approvals.len(),
            need,
            wait_secs: answers.iter().map(|answer| answer.wait_secs).max().unwrap_or(0),
            postponed: !recovery.postponed.is_empty(),
        };
        if enough(&approvals) {
            let finish = compose::recover(network, &finish, approvals, &renewal.control, &[&control]);
            self.insert(finish.map_err(RecoveryError::Identity)?.encode()).await?;
        }
        Ok(stage)
    }

    /// What the guardians are asked: made once, and anew where the identity has changed before it started.
    fn request(&mut self, record: &IdentityRecord) -> Result<RecoveryRequest, CommandError> {
        let kept = self.folder.plan.request.as_ref().and_then(|bytes| RecoveryRequest::decode(bytes).ok());
        let stands = |request: &RecoveryRequest| {
            self.folder.plan.started || is_running(record, request) || record.state().head == request.link.prev
        };
        if let Some(request) = kept.filter(stands) {
            return Ok(request);
        }
        let place = record.state().place();
        let phrase = self.folder.phrase.as_ref().ok_or_else(|| StoreError::Damaged("the new words".into()))?;
        if place.guardians.is_none() {
            return Err(RecoveryError::NoGuardians.into());
        }
        let renewal = phrase.renewal(place.epoch + 1, place.guardians.clone(), &[&self.folder.device]);
        let request = RecoveryRequest::start(&place, renewal);
        let bytes = ByteBuf::from(request.encode());
        self.folder.change(|plan| plan.request = Some(bytes))?;
        Ok(request)
    }

    /// Gives the identity its place on this node, under the device key of the plan.
    async fn adopt(&mut self, record: &IdentityRecord) -> Result<(), CommandError> {
        let did = self.did();
        let objects = record.objects().iter().map(|object| object.encode()).collect();
        let username = match &self.folder.plan.username {
            Some(username) => username.clone(),
            None => self.username_of_profile(did)?,
        };
        match self.store.adopt_again(&username, did, objects, self.folder.device.clone()).await {
            Ok(_) => self.settle_in().await,
            Err(AdoptError::Store(e)) => Err(e.into()),
            Err(e) => Err(CommandError::Adopt(e.to_string())),
        }
    }

    fn username_of_profile(&self, did: Did) -> Result<String, StoreError> {
        let reader = crate::reader::Reader::new(self.store.snapshot()?)?;
        let account = reader.account(&did)?;
        Ok(account.map_or_else(|| USERNAME.to_owned(), |account| account.username))
    }

    /// Puts the new words where the owner confirms them, once the identity lives here.
    async fn settle_in(&mut self) -> Result<(), CommandError> {
        if self.folder.plan.adopted {
            return Ok(());
        }
        if let Some(phrase) = self.folder.phrase.clone() {
            self.store.keep_words(self.did(), phrase).await?;
        }
        Ok(self.folder.change(|plan| plan.adopted = true)?)
    }

    /// Waits until all that peers have is here.
    async fn fetch(
        &mut self,
        username: String,
        device: DeviceId,
        record: &IdentityRecord,
    ) -> Result<Stage, CommandError> {
        let (_, in_sync) = self.peers().await?;
        if !in_sync {
            return Ok(Stage::Fetching { entries: self.entries()? });
        }
        let others = record.state().live_devices().map(|(id, _)| *id).filter(|id| *id != device).collect();
        let missing = self.store.snapshot()?.missing(&self.did())?;
        if missing.blobs != self.blobs.0 {
            self.blobs = (missing.blobs, Instant::now());
        }
        if missing.blobs > 0 && self.blobs.1.elapsed() < BLOBS {
            return Ok(Stage::Fetching { entries: self.entries()? });
        }
        Ok(Stage::Done { username, device, others, missing })
    }

    /// How many peers are connected, and whether nothing new has come from them for a while.
    async fn peers(&mut self) -> Result<(usize, bool), StoreError> {
        let peers = self.net.peers().await?;
        let connected = peers.iter().filter(|peer| peer.connected).count();
        let named = self.folder.plan.from.len();
        let waited = self.began.elapsed() > REACH;
        // A restored folder may have all that is needed, and nobody to ask.
        let reached = if named == 0 { connected > 0 || waited } else { connected >= named || connected > 0 && waited };
        let in_sync = reached && peers.iter().filter(|peer| peer.connected).all(|peer| peer.in_sync);
        let counter = self.store.snapshot()?.counter()?;
        self.quiet = match self.quiet {
            (steps, before) if before == counter && in_sync => (steps + 1, counter),
            _ => (0, counter),
        };
        Ok((connected, self.quiet.0 >= QUIET_STEPS))
    }

    async fn insert(&mut self, object: Vec<u8>) -> Result<(), CommandError> {
        let inserted = self.store.insert_identity(self.did(), vec![object]).await?;
        match inserted.refused.first() {
            None => Ok(()),
            Some(rule) => Err(StoreError::Damaged(format!("an own object breaks {rule}")).into()),
        }
    }

    fn record(&self) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
        self.store.snapshot()?.record(&self.did())
    }

    fn entries(&self) -> Result<u64, StoreError> {
        self.store.snapshot()?.entry_count()
    }
}

impl Handle {
    /// Begins the recovery of an identity that does not live here, or goes on with one that was begun.
    pub async fn recover(&self, wish: Wish) -> Result<Recovering, CommandError> {
        let recovering = Recovering::begin(self.store().clone(), self.net().clone(), wish)?;
        recovering.open().await?;
        Ok(recovering)
    }

    /// Goes on with the recovery that was begun here; none if none was.
    pub async fn recovering(&self) -> Result<Option<Recovering>, CommandError> {
        let Some(recovering) = Recovering::resume(self.store().clone(), self.net().clone())? else { return Ok(None) };
        recovering.open().await?;
        Ok(Some(recovering))
    }
}

/// The recovery in force that brings `renewal`.
fn running<'a>(record: &'a IdentityRecord, renewal: &Renewal) -> Option<&'a Recovery> {
    record.state().recovery.as_ref().filter(|recovery| recovery.renewal == *renewal)
}

fn is_running(record: &IdentityRecord, request: &RecoveryRequest) -> bool {
    matches!(&request.step, RecoveryStep::Start(renewal) if running(record, renewal).is_some())
}
