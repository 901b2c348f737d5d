//! Every view table, with its keys and values. Views are derived from stored entries alone and can
//! be dropped and made again; none holds a text of an entry, only hashes and places.
//!
//! *Account* is the `u64` of [`crate::model::AccountId`], *status* that of
//! [`crate::model::StatusId`], *counter* an entry's arrival counter, *target* the digest of an entry
//! id, whether that entry is held or not.

use redb::TableDefinition;

/// Account -> an [`super::row::AccountRow`].
pub(crate) const ACCOUNTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("view_accounts_v1");
/// Register digest, revision, digest of the entry id.
pub(crate) type RegisterRowKey = (&'static [u8; 32], u64, &'static [u8; 32]);

/// Register digest, revision, digest of the entry id -> a [`super::row::RegisterRow`]; the last row of
/// a digest is the value that stands (`LOG-10`).
pub(crate) const REGISTERS: TableDefinition<'_, RegisterRowKey, &[u8]> = TableDefinition::new("view_registers_v1");

/// Status -> a [`super::row::StatusRow`].
pub(crate) const STATUSES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("view_statuses_v1");
/// Target -> status.
pub(crate) const STATUS_OF_ENTRY: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("view_status_of_entry_v1");
/// (author, status) -> flags of the row, so that a filtered profile is one scan.
pub(crate) const AUTHOR_STATUSES: TableDefinition<'_, (u64, u64), u8> = TableDefinition::new("view_author_statuses_v1");
/// (viewer, status) -> the account that the status answers, or 0.
pub(crate) const HOME: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("view_home_v1");
/// Status of the public timeline -> flags of the row.
pub(crate) const PUBLIC: TableDefinition<'_, u64, u8> = TableDefinition::new("view_public_v1");
/// (hash of a folded tag, status) -> flags of the row.
pub(crate) const TAGS: TableDefinition<'_, (&[u8; 16], u64), u8> = TableDefinition::new("view_tags_v1");
/// (target, status that answers it).
pub(crate) const CHILDREN: TableDefinition<'_, (&[u8; 32], u64), ()> = TableDefinition::new("view_children_v1");
/// (target, status that quotes it).
pub(crate) const QUOTES: TableDefinition<'_, (&[u8; 32], u64), ()> = TableDefinition::new("view_quotes_v1");
/// Target -> live replies, reposts and reactions.
pub(crate) const COUNTS: TableDefinition<'_, &[u8; 32], (u64, u64, u64)> = TableDefinition::new("view_counts_v1");
/// (target, counter) -> who reacted.
pub(crate) const REACTIONS: TableDefinition<'_, (&[u8; 32], u64), u64> = TableDefinition::new("view_reactions_v1");
/// (local account, counter of its reaction) -> target.
pub(crate) const FAVOURITES: TableDefinition<'_, (u64, u64), &[u8; 32]> = TableDefinition::new("view_favourites_v1");
/// (target, counter) -> who reposted, and the status of the repost.
pub(crate) const REPOSTS: TableDefinition<'_, (&[u8; 32], u64), (u64, u64)> = TableDefinition::new("view_reposts_v1");
/// Target -> voters, then votes of each option, little-endian `u64`s.
pub(crate) const POLLS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("view_polls_v1");

/// (hash of an app's kind, counter of the value that stands) -> author, and where the value stands: log and place.
pub(crate) const RECORDS: TableDefinition<'_, (&[u8; 16], u64), (u64, u32, u64)> =
    TableDefinition::new("view_records_v1");

/// (follower, followed) -> counter of the follow.
pub(crate) const FOLLOWS: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("view_follows_v1");
/// (follower, counter) -> followed.
pub(crate) const FOLLOWING: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("view_following_v1");
/// (followed, counter) -> follower.
pub(crate) const FOLLOWERS: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("view_followers_v1");
/// (who blocks, who is blocked) -> counter of the block.
pub(crate) const BLOCKS: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("view_blocks_v1");

/// (local account, notification) -> kind, who did it, status or 0.
pub(crate) const NOTIFICATIONS: TableDefinition<'_, (u64, u64), (u8, u64, u64)> =
    TableDefinition::new("view_notifications_v1");
/// (account, hash of an original address) -> status of the import.
pub(crate) const IMPORTS: TableDefinition<'_, (u64, &[u8; 16]), u64> = TableDefinition::new("view_imports_v1");

/// Posts that are in no segment of the index of words yet; see [`super::index`].
pub(crate) const WAITING: TableDefinition<'_, u64, ()> = TableDefinition::new("view_search_waiting_v1");
/// Status -> segment and slot.
pub(crate) const SLOTS: TableDefinition<'_, u64, u32> = TableDefinition::new("view_search_slots_v1");
/// Segment and slot -> status.
pub(crate) const SLOT_POSTS: TableDefinition<'_, u32, u64> = TableDefinition::new("view_search_posts_v1");
/// Segment -> the lowest and the highest status that it had when it was cut.
pub(crate) const SEGMENTS: TableDefinition<'_, u32, (u64, u64)> = TableDefinition::new("view_search_segments_v1");
/// (segment, hash of a word) -> the slots that hold it, each with the bits of its forms.
pub(crate) const WORDS: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("view_search_words_v1");
/// (hash of the beginning of a word of a name, account).
pub(crate) const NAMES: TableDefinition<'_, (u32, u64), ()> = TableDefinition::new("view_search_names_v1");
/// Account -> the hashes under which it is found.
pub(crate) const NAMES_OF: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("view_search_names_of_v1");
