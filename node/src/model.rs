//! What the node shows to clients: plain values, made from the views by a [`crate::Reader`].
//!
//! Local ids ([`StatusId`], [`AccountId`], …) are this node's own; no rule or receipt reads them.

mod copies;
mod devices;
mod erasures;
mod health;
mod missing;
mod proof;
mod reachability;
mod records;
mod topics;
mod waiting;

use std::sync::Arc;

use xom_protocol::body::{Attachment, Poll, Post, ProfileField};
use xom_protocol::entry::Reference;
use xom_protocol::{DeviceId, Did, Digest, EntryId, LogId};

use crate::keys::KeyState;
use crate::private::FilterHit;
pub use devices::{DeviceView, EndedBy, Kept, PairOffer, PairState};
pub use missing::{Missing, MissingLog};
pub use proof::EntryProof;
pub use reachability::{Link, ReachState, Reachability};
pub use records::{AppRecord, RecordsOf, RecordsPage};
pub use waiting::{NotificationRequest, NotificationScope};

pub use copies::{CopiesReport, CopyCounts, CopyView, FoundEntry, HereBody};
pub use erasures::EraseScope;
pub use health::{BanInfo, Health};
pub use topics::TopicView;

/// The local id of a status: milliseconds since 1970 in the upper 48 bits, so that ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusId(pub u64);

/// The local id of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

/// The local id of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(pub u64);

/// The local id of an uploaded medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(pub u64);

/// An identity that lives on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIdentity {
    /// Its DID.
    pub did: Did,
    /// Its account.
    pub account: AccountId,
    /// Its user name, unique on this node.
    pub username: String,
    /// The device key that signs here.
    pub device: DeviceId,
    /// The root log of that device.
    pub log: LogId,
    /// How its keys lie in the data folder.
    pub keys: KeyState,
}

/// An identity whose owner's node this is: it lives here, or was restored and waits for a device key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedIdentity {
    /// Its DID.
    pub did: Did,
    /// Its account.
    pub account: AccountId,
    /// Its user name, unique on this node.
    pub username: String,
    /// The device key that signs here, with its root log; none while it waits for one.
    pub signer: Option<(DeviceId, LogId)>,
    /// How its keys lie in the data folder.
    pub keys: KeyState,
}

/// Somebody, as this node knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The local id.
    pub id: AccountId,
    /// Who it is.
    pub did: Did,
    /// Lives on this node.
    pub local: bool,
    /// The user name; `user` until the profile is known.
    pub username: String,
    /// `lan` for a local identity, `lan@<short DID>.xom` for any other.
    pub acct: String,
    /// The display name; empty if none is set.
    pub name: String,
    /// The biography, plain text.
    pub bio: String,
    /// The picture.
    pub avatar: Option<Attachment>,
    /// The wide picture.
    pub header: Option<Attachment>,
    /// Free fields.
    pub fields: Vec<ProfileField>,
    /// Asks to approve followers.
    pub locked: bool,
    /// Automated.
    pub bot: bool,
    /// Time of the first entry known, or of first contact, milliseconds since 1970.
    pub created_ms: u64,
    /// Time of the newest post.
    pub last_status_ms: Option<u64>,
    /// Live posts and reposts.
    pub statuses: u64,
    /// Known followers.
    pub followers: u64,
    /// Known follows.
    pub following: u64,
}

impl Account {
    /// Somebody of whom nothing is known but these.
    pub fn unknown(id: AccountId, did: Did, username: String, acct: String) -> Self {
        Self {
            id,
            did,
            local: false,
            username,
            acct,
            name: String::new(),
            bio: String::new(),
            avatar: None,
            header: None,
            fields: Vec::new(),
            locked: false,
            bot: false,
            created_ms: 0,
            last_status_ms: None,
            statuses: 0,
            followers: 0,
            following: 0,
        }
    }
}

/// A post or a repost as a viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The local id.
    pub id: StatusId,
    /// The entry.
    pub reference: Reference,
    /// When it is shown to have been made, milliseconds since 1970 (`LOG-15`).
    pub time_ms: u64,
    /// The author.
    pub account: Arc<Account>,
    /// What it is.
    pub content: StatusContent,
    /// The author's log is forked here and not settled (`LOG-13`).
    pub disputed: bool,
}

/// What a status is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusContent {
    /// A post.
    Post(Box<PostView>),
    /// A repost of a post that this node holds; always of [`StatusContent::Post`].
    Repost(Box<Status>),
}

/// A post with all that is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostView {
    /// The newest version.
    pub post: Post,
    /// When the newest version was made.
    pub edited_ms: Option<u64>,
    /// The parent, if this is a reply and the parent is held.
    pub in_reply_to: Option<(StatusId, AccountId)>,
    /// The accounts mentioned that are known here.
    pub mentions: Vec<Arc<Account>>,
    /// The quoted post, if held.
    pub quote: Option<Box<Status>>,
    /// Poll counts.
    pub poll: Option<PollView>,
    /// Live replies.
    pub replies: u64,
    /// Live reposts.
    pub reposts: u64,
    /// Live reactions.
    pub reactions: u64,
    /// Live posts that quote it.
    pub quotes: u64,
    /// The viewer reacted.
    pub favourited: bool,
    /// The viewer reposted.
    pub reposted: bool,
    /// The viewer put it aside.
    pub bookmarked: bool,
    /// The viewer is its author and shows it first.
    pub pinned: bool,
    /// The viewer wants to hear no more of its thread.
    pub quiet: bool,
    /// The viewer's filters that it fits, wherever they hold.
    pub filtered: Vec<FilterHit>,
}

/// A poll with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollView {
    /// The poll.
    pub poll: Poll,
    /// Votes for each option.
    pub votes: Vec<u64>,
    /// How many identities voted.
    pub voters: u64,
    /// The author has published the result; before that counts are provisional.
    pub closed: bool,
    /// The viewer's choices.
    pub own: Vec<u64>,
}

/// A thread around a status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// From the first post down to the parent.
    pub ancestors: Vec<Status>,
    /// Answers, each after what it answers.
    pub descendants: Vec<Status>,
}

/// Something that happened to a local identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The local id.
    pub id: NotificationId,
    /// What happened.
    pub kind: NotificationKind,
    /// When it was stored here, milliseconds since 1970.
    pub time_ms: u64,
    /// Who did it.
    pub account: Arc<Account>,
    /// The status that it is about.
    pub status: Option<Status>,
}

/// Kinds of notification, named as Mastodon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationKind {
    /// Mentioned or answered.
    Mention,
    /// A status was reposted.
    Reblog,
    /// A status was reacted to.
    Favourite,
    /// A new follower.
    Follow,
    /// A poll that one voted in or made has ended.
    Poll,
    /// A status that one reposted was edited.
    Update,
}

/// How one local identity stands to another account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relationship {
    /// The viewer follows them.
    pub following: bool,
    /// They follow the viewer.
    pub followed_by: bool,
    /// The viewer blocks them.
    pub blocking: bool,
    /// They block the viewer.
    pub blocked_by: bool,
    /// The viewer follows them without what they pass on.
    pub no_reposts: bool,
    /// The viewer mutes them.
    pub muting: bool,
    /// And their notifications.
    pub muting_notifications: bool,
    /// Until when, milliseconds since 1970; none for good.
    pub muting_until_ms: Option<u64>,
    /// The viewer wants to see nobody of their host.
    pub host_blocking: bool,
    /// The viewer recommends the other.
    pub endorsed: bool,
    /// What the viewer notes of them.
    pub note: String,
}

/// A page of a list that is ordered by local id; all bounds are exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: usize,
    /// Older than this.
    pub max_id: Option<u64>,
    /// Newer than this; newest first.
    pub since_id: Option<u64>,
    /// Just newer than this: the page next to it, still newest first in the answer.
    pub min_id: Option<u64>,
}

/// Which of an author's statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorFilter {
    /// Only with media.
    pub only_media: bool,
    /// No replies to others.
    pub exclude_replies: bool,
    /// No reposts.
    pub exclude_reposts: bool,
    /// Only with this tag.
    pub tagged: Option<String>,
}

/// Whose statuses of the public timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PublicScope {
    /// All that this node holds.
    #[default]
    All,
    /// Of identities of this node.
    Local,
    /// Of others.
    Remote,
}

/// Which tags a tag timeline shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// Any of these; the first is the tag of the address.
    pub any: Vec<String>,
    /// And all of these.
    pub all: Vec<String>,
    /// And none of these.
    pub none: Vec<String>,
}

/// An uploaded medium that waits to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The local id.
    pub id: MediaId,
    /// Who uploaded it.
    pub owner: Did,
    /// The blob and its description.
    pub attachment: Attachment,
}

/// What a text that names a status was found to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundStatus {
    /// Exactly one.
    One(StatusId),
    /// Nothing held.
    None,
    /// The prefix fits several entries.
    Several(Vec<EntryId>),
}

/// A peer, as `xom peers` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// The libp2p peer id.
    pub peer: String,
    /// The identities that it has proved to speak for.
    pub dids: Vec<Did>,
    /// Addresses known for it.
    pub addresses: Vec<String>,
    /// Connected now.
    pub connected: bool,
    /// How, where it is connected.
    pub link: Option<Link>,
    /// Nothing is left to exchange.
    pub in_sync: bool,
    /// When it was last connected, milliseconds since 1970.
    pub last_seen_ms: Option<u64>,
    /// Entries received from it since the start.
    pub entries_received: u64,
    /// Entries sent to it since the start.
    pub entries_sent: u64,
    /// Refusals by rule since the start.
    pub refusals: Vec<(String, u64)>,
}

/// How far a log is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// Whose it is.
    pub did: Did,
    /// The device that writes it.
    pub device: DeviceId,
    /// The log.
    pub log: LogId,
    /// Entries held.
    pub height: u64,
    /// The hash of the newest header; none while empty.
    pub head: Option<Digest>,
    /// The log is forked and not settled.
    pub disputed: bool,
    /// From here on entries are void: the device had ended, or another head was settled on. None where all count.
    pub void_from: Option<u64>,
}

/// The state of the node, as `xom status` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// Seconds since the start.
    pub uptime_secs: u64,
    /// The libp2p peer id.
    pub peer: String,
    /// Where it listens for peers.
    pub listen: Vec<String>,
    /// The fingerprint of the swarm key, in a closed network (`PNET-5`).
    pub swarm_key: Option<String>,
    /// How it can be reached.
    pub reachability: Reachability,
    /// Connected peers.
    pub peers_connected: u64,
    /// Bytes sent to peers and received from them on all streams, since the start.
    pub traffic: (u64, u64),
    /// Entries stored.
    pub entries: u64,
    /// Identities known.
    pub identities: u64,
    /// Bytes of the data folder.
    pub disk_bytes: u64,
    /// Refusals of peers' input by rule, since the start.
    pub refusals: Vec<(String, u64)>,
    /// What the owner should know, each a sentence.
    pub warnings: Vec<String>,
}

/// What `xom verify` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Every log held.
    pub logs: Vec<LogView>,
    /// Entries checked.
    pub entries: u64,
    /// Bodies checked against their commitment.
    pub bodies: u64,
    /// Checkpoints whose author lied, by log and place: they are known to be void, and no fault of what is stored
    /// (`LOG-8`, `LOG-18`).
    pub void_checkpoints: Vec<(LogId, u64)>,
    /// What is wrong, each a sentence with its rule; empty if all is well.
    pub faults: Vec<String>,
}

/// Something was stored: what live streams and the sync sessions are fed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A new status: no import, and nothing that was there long before it came.
    StatusPosted(StatusId),
    /// A new notification.
    Notified {
        /// For whom.
        viewer: Did,
        /// Which.
        notification: NotificationId,
    },
    /// A status was edited.
    StatusEdited(StatusId),
    /// A status was erased.
    StatusErased(StatusId),
    /// A record of an app was put or taken back just now (`BODY-6`).
    RecordChanged {
        /// Whose.
        author: Did,
        /// The app's kind.
        kind: String,
        /// Its key.
        key: String,
    },
    /// A local identity has other filters, here or on another device.
    FiltersChanged(Did),
}
