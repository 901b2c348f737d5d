//! Every table of the database, with its keys, values and their bytes.
//!
//! *Source* tables hold what can't be made again; *view* tables are derived from them and can be
//! dropped. Names carry a version: a new form is a new table and a migration. No table but
//! [`SETTINGS`] and [`CLIENT_RECORDS`] holds a body, a tag or a name in the clear: a body's bytes are sealed under its salt (see `store/bodies.rs`),
//! so that dropping the salt drops the text, whatever pages the database leaves behind.
//!
//! Numbers: identities and logs are interned as `u32`, so that keys are short; a [`PlaceKey`] is
//! (log number, sequence number). Integers in records are little-endian, those in keys are ordered by
//! value.

use redb::{TableDefinition, TypeName, Value};
use serde::{Deserialize, Serialize};
use xom_protocol::{DeviceId, Did, Digest, LogId};

/// A place in a log: the log's number and the sequence number.
pub(crate) type PlaceKey = (u32, u64);

// ---- source: numbers and counters ------------------------------------------------------------

/// Counters by name: `arrival` (the next arrival counter), `identity`, `log` (the next numbers),
/// `local` (the highest local id given), `receipt` (the last counter of receipts), `slot` (the next salt slot), `media`, `entries` (how many
/// are stored).
pub(crate) const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters_v1");
/// Facts of this database by name: `epoch` (16 random bytes, made at its creation), `network`.
pub(crate) const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts_v1");

// ---- source: identities ----------------------------------------------------------------------

/// DID -> identity number. A number is given at first sight, even where no object is held yet.
pub(crate) const IDENTITY_NUMBERS: TableDefinition<'_, &[u8; 32], u32> = TableDefinition::new("identity_numbers_v1");
/// Identity number -> what is known of it.
pub(crate) const IDENTITIES: TableDefinition<'_, u32, IdentityRow> = TableDefinition::new("identities_v1");
/// (identity number, order of arrival) -> a signed identity object as it came: genesis, operation or statement.
pub(crate) const IDENTITY_OBJECTS: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("identity_objects_v1");
/// (identity number, id of a signed identity object) -> when it was first seen here, milliseconds since 1970.
pub(crate) const IDENTITY_SEEN: TableDefinition<'_, (u32, &[u8; 32]), u64> = TableDefinition::new("identity_seen_v1");
/// Order of making -> an identity that lives here, as DAG-CBOR of [`LocalRow`].
pub(crate) const LOCALS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("locals_v1");
/// DID of an identity that lives here -> the X25519 public key that backups are sealed for (`ARC-11`).
pub(crate) const BACKUP_KEYS: TableDefinition<'_, &[u8; 32], &[u8; 32]> = TableDefinition::new("backup_keys_v1");

/// (number of a local identity, key) of a private setting.
pub(crate) type SettingKey<'a> = (u32, &'a str);
/// A private setting -> its revision (8) and its value (`PAIR-8`). The owner's own, and told to siblings
/// only; names are in the clear.
pub(crate) const SETTINGS: TableDefinition<'_, SettingKey<'static>, &[u8]> = TableDefinition::new("settings_v1");

/// (family, key) -> a record that the client API keeps on this node alone: apps, digests of their tokens, and
/// the like. In no backup, and told to nobody.
pub(crate) const CLIENT_RECORDS: TableDefinition<'_, (&str, &[u8]), &[u8]> = TableDefinition::new("client_records_v1");

// ---- source: logs and entries ----------------------------------------------------------------

/// Log id -> log number.
pub(crate) const LOG_NUMBERS: TableDefinition<'_, &[u8; 32], u32> = TableDefinition::new("log_numbers_v1");
/// (identity number, log number): the logs of an identity.
pub(crate) const LOGS_OF: TableDefinition<'_, (u32, u32), ()> = TableDefinition::new("logs_of_v1");
/// Log id -> place of the first `log-open` in the device's root log that opens it (`LOG-1`).
pub(crate) const OPENINGS: TableDefinition<'_, &[u8; 32], PlaceKey> = TableDefinition::new("openings_v1");
/// Every place in [`OPENINGS`], so that those of one device can be counted in the order of its root log.
pub(crate) const OPENINGS_OF: TableDefinition<'_, PlaceKey, ()> = TableDefinition::new("openings_of_v1");
/// Log number -> how far it is held.
pub(crate) const LOGS: TableDefinition<'_, u32, LogRow> = TableDefinition::new("logs_v1");
/// Place -> an entry without its body; see [`EntryRow`].
pub(crate) const ENTRIES: TableDefinition<'_, PlaceKey, &[u8]> = TableDefinition::new("entries_v1");
/// Place -> a sealed body.
pub(crate) const BODIES: TableDefinition<'_, PlaceKey, &[u8]> = TableDefinition::new("bodies_v1");
/// Place of a live entry whose body is not held and may be had from peers (`SYN-21`).
pub(crate) const BODIES_LACKED: TableDefinition<'_, PlaceKey, ()> = TableDefinition::new("bodies_lacked_v1");
/// Digest of an entry id -> place.
pub(crate) const ENTRY_IDS: TableDefinition<'_, &[u8; 32], PlaceKey> = TableDefinition::new("entry_ids_v1");
/// Local id of a status -> place.
pub(crate) const LOCAL_IDS: TableDefinition<'_, u64, PlaceKey> = TableDefinition::new("local_ids_v1");
/// First arrival counter -> what arrived then, in order: the feed of rebuilds and of delta comparisons.
pub(crate) const ARRIVALS: TableDefinition<'_, u64, ArrivalRow> = TableDefinition::new("arrivals_v1");
/// Log number -> the proof of the fork that parts lowest, and the branch that lost (`LOG-13`); see `forks.rs`.
pub(crate) const FORK_PROOFS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("fork_proofs_v2");
/// Log number -> the way from a named head, which is not held, down to what is, as far as it is known
/// (`LOG-19`); see `ladder.rs`. Made anew from the fork where it is lost.
pub(crate) const LADDERS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("ladders_v1");
/// What was kept of forks before: (log number, sequence number) -> a header of the branch that was not
/// taken: one byte that tells whether a signature follows, the signature, the header. Only migrated.
pub(crate) const FORKS_V1: TableDefinition<'_, PlaceKey, &[u8]> = TableDefinition::new("forks_v1");
/// Place of a checkpoint that is void -> what shows it (`LOG-8`).
pub(crate) const CHECKPOINT_FAULTS: TableDefinition<'_, PlaceKey, &[u8]> = TableDefinition::new("checkpoint_faults_v1");

/// Log id of an own log that goes on elsewhere -> place and header hash of the entry that showed it: nothing
/// is signed in it any more (`LOG-17`).
pub(crate) const STOPPED_LOGS: TableDefinition<'_, &[u8; 32], (u64, [u8; 32])> =
    TableDefinition::new("stopped_logs_v1");

// ---- source: erasure ---------------------------------------------------------------------------

/// (digest of the erased entry's id, log number and sequence number of the erase) -> what the erase says.
/// Held whether or not the target is held; counts only where both are of one identity.
pub(crate) const ERASURES: TableDefinition<'_, (&[u8; 32], u32, u64), ErasureRow> = TableDefinition::new("erasures_v1");
/// (time that a hidden body is purged, its place).
pub(crate) const PURGES_DUE: TableDefinition<'_, (u64, u32, u64), ()> = TableDefinition::new("purges_due_v1");
/// Salt slots that are to be zeroed: written in the commit that drops the body, taken away after the
/// zeros are durable. A start carries out what it finds here.
pub(crate) const PURGE_INTENTS: TableDefinition<'_, u64, ()> = TableDefinition::new("purge_intents_v1");
/// Salt slots whose zeros are durable, to be used again.
pub(crate) const FREE_SLOTS: TableDefinition<'_, u64, ()> = TableDefinition::new("free_slots_v1");

/// Place of an erased entry whose body is being dropped -> what its author is owed once the bytes are gone.
pub(crate) const PURGES_OWED: TableDefinition<'_, PlaceKey, &[u8]> = TableDefinition::new("purges_owed_v1");

// ---- source: receipts (`RCP-1` to `RCP-6`); their rows are in `store/receipts/rows.rs` -----------------

/// (log number of a local identity, device) -> how far the device holds the log, and when it was last heard of.
pub(crate) const COPIES: TableDefinition<'_, (u32, &[u8; 32]), &[u8]> = TableDefinition::new("copies_v1");
/// (number of an author, counter) -> an own answer, a receipt of another holder, or a known copy, to be given
/// to the author's devices in this order.
pub(crate) const RECEIPTS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("receipts_v1");
/// (number of an author, device) -> the counter in [`RECEIPTS`] up to which that device has durably all it may have.
pub(crate) const RECEIPTS_GIVEN: TableDefinition<'_, (u32, &[u8; 32]), u64> = TableDefinition::new("receipts_given_v1");
/// (digest of an erased entry of a local identity, device) -> what is known of the copy there.
pub(crate) const ANSWERS: TableDefinition<'_, (&[u8; 32], &[u8; 32]), &[u8]> = TableDefinition::new("answers_v1");

// ---- source: blobs and media ---------------------------------------------------------------

/// BLAKE3 of a blob -> its size and state.
pub(crate) const BLOBS: TableDefinition<'_, &[u8; 32], BlobRow> = TableDefinition::new("blobs_v1");
/// BLAKE3 of a held blob -> when it came or was looked at last, milliseconds since 1970.
pub(crate) const BLOB_USES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("blob_uses_v1");
/// (BLAKE3 of a blob, place of a live entry that names it).
pub(crate) const BLOB_REFERENCES: TableDefinition<'_, (&[u8; 32], u32, u64), ()> =
    TableDefinition::new("blob_references_v1");
/// Local id of an upload -> sealed DAG-CBOR of the medium, with its salt slot in the first 8 bytes.
pub(crate) const MEDIA: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("media_v1");

// ---- source: answers to clients ----------------------------------------------------------------

/// Digest of an idempotency key with its scope -> (when it was used, milliseconds since 1970, the local id
/// of the status that was made). Written in the commit that makes the status; forgotten after an hour.
pub(crate) const IDEMPOTENCY_KEYS: TableDefinition<'_, &[u8; 32], (u64, u64)> =
    TableDefinition::new("idempotency_keys_v1");

// ---- source: keeping ---------------------------------------------------------------------------

/// DID of an identity that is kept -> the terms, as DAG-CBOR (see `store/keep.rs`).
pub(crate) const KEEPS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("keeps_v1");
/// DID of somebody who wishes to be kept -> on which terms, as DAG-CBOR (see `store/keepers.rs`).
pub(crate) const KEEP_WISHES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("keep_wishes_v1");
/// DID of a local identity, then DID of somebody whom it has asked to keep it -> the terms and what became of it.
pub(crate) const KEEPERS_ASKED: TableDefinition<'_, &[u8; 64], &[u8]> = TableDefinition::new("keepers_asked_v1");
/// DID of a local identity, then a device of a holder -> the last signed statement of what that holds (`KEEP-8`).
pub(crate) const HOLDINGS_HEARD: TableDefinition<'_, &[u8; 64], &[u8]> = TableDefinition::new("holdings_heard_v1");
/// (number of an author, log number) -> bytes held of that log (`KEEP-2`); the highest number stands for all logs
/// of the author together.
pub(crate) const BYTES_HELD: TableDefinition<'_, (u32, u32), u64> = TableDefinition::new("bytes_held_v1");

// ---- source: guarding ------------------------------------------------------------------------

/// Digest of a request of a recovery -> the request and what the guardians who live here said to it, as
/// DAG-CBOR (see `store/guarding.rs`). No secret is in it.
pub(crate) const RECOVERY_REQUESTS: TableDefinition<'_, &[u8; 32], &[u8]> =
    TableDefinition::new("recovery_requests_v1");

// ---- source: peers -----------------------------------------------------------------------------

/// Peer id -> what is remembered of it, as the network half encodes it.
pub(crate) const PEERS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("peers_v1");
/// Peer id -> (the peer's database epoch, the last of its arrival counters whose data is durable here).
pub(crate) const RESUMES: TableDefinition<'_, &[u8], ([u8; 16], u64)> = TableDefinition::new("resumes_v1");

// ---- source: derived from entries in the same commit, but needed by the store itself -----------------

/// (number of the identity aimed at, arrival counter) -> place of an entry of a local identity.
pub(crate) const AIMED: TableDefinition<'_, (u32, u64), PlaceKey> = TableDefinition::new("aimed_v1");
/// (number of a local identity, arrival counter) -> place of a live profile entry of it, which goes
/// with what is aimed at others.
pub(crate) const OWN_PROFILES: TableDefinition<'_, (u32, u64), PlaceKey> = TableDefinition::new("own_profiles_v1");

// ---- source: admissions (`ADM-1` to `ADM-6`) ---------------------------------------------------------

/// (digest of an entry, place of a live admission that names it).
pub(crate) const ADMITTED: TableDefinition<'_, (&[u8; 32], u32, u64), ()> = TableDefinition::new("admitted_v1");
/// (number of the author, arrival counter) -> place of a live admission.
pub(crate) const ADMISSIONS: TableDefinition<'_, (u32, u64), PlaceKey> = TableDefinition::new("admissions_v1");
/// Place of a live admission that names an entry which is not held.
pub(crate) const ADMITTED_LACKED: TableDefinition<'_, PlaceKey, ()> = TableDefinition::new("admitted_lacked_v1");
/// (number of a local identity, arrival counter) -> place of an entry that waits to be admitted or taken back.
pub(crate) const ADMISSIONS_DUE: TableDefinition<'_, (u32, u64), PlaceKey> = TableDefinition::new("admissions_due_v1");
/// (number of a local identity, number of an author) -> (day since 1970, how often it admitted him then). The two
/// highest numbers stand for all authors, and for all strangers.
pub(crate) const ADMISSION_COUNTS: TableDefinition<'_, (u32, u32), (u64, u64)> =
    TableDefinition::new("admission_counts_v1");

/// What is known of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdentityRow {
    /// The DID.
    pub did: Did,
    /// When it was first seen, milliseconds since 1970.
    pub first_seen_ms: u64,
    /// The arrival counter of the newest object; 0 while none is held.
    pub changed: u64,
    /// How many objects are held.
    pub objects: u32,
}

/// How far a log is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogRow {
    /// The log.
    pub log: LogId,
    /// The number of its author.
    pub author: u32,
    /// The device that writes it.
    pub device: DeviceId,
    /// How many entries are held from the start.
    pub height: u64,
    /// The hash of the header at `height - 1`; meaningless at height 0.
    pub head: Digest,
    /// The claimed time of that header, milliseconds since 1970.
    pub time_ms: u64,
    /// The arrival counter of the newest entry, loose ones included.
    pub changed: u64,
    /// From here on the log is forked and not settled (`LOG-13`); [`LogRow::NONE`] where it is not.
    pub disputed_from: u64,
    /// From here on entries are void, since the device ended (`ID-7`); [`LogRow::NONE`] where it has not.
    pub void_from: u64,
    /// How many entries are held above `height`, without those before them.
    pub loose: u32,
}

/// What arrived at one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrivalRow {
    /// `count` entries of a log, from `seq` on, at consecutive counters.
    Entries {
        /// The log's number.
        log: u32,
        /// The first place.
        seq: u64,
        /// How many.
        count: u32,
    },
    /// New objects of an identity.
    Identity(u32),
    /// A log changed otherwise than by growing: it is disputed, or was cut.
    Log(u32),
}

/// What an erase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErasureRow {
    /// When the erase was first seen here, milliseconds since 1970.
    pub seen_ms: u64,
    /// The number of the identity that erases.
    pub author: u32,
    /// A control key ordered to purge at once; checked at ingest.
    pub ordered: bool,
}

/// A blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlobRow {
    /// Size in bytes; 0 where it is not held.
    pub bytes: u64,
    /// Whether the bytes are here.
    pub state: BlobState,
}

/// Whether a blob's bytes are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlobState {
    /// Named by a live entry, to be fetched.
    Wanted,
    /// Held.
    Held,
    /// Purged by order of its owner; never taken again from peers.
    Refused,
    /// To be deleted from disk; a start carries it out.
    Dropping,
    /// To be deleted from disk by order of the owner, and refused from then on.
    DroppingForGood,
    /// Named by a live entry; was held and made room (`BLOB-11`). Fetched again when somebody asks for it.
    Evicted,
}

/// An identity that lives here. Its keys are in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalRow {
    /// The DID.
    pub did: Did,
    /// The user name: also the name of the folder with its keys.
    pub username: String,
    /// The device key that signs here.
    pub device: DeviceId,
    /// The root log of that device.
    pub log: LogId,
}

/// An entry as it is stored: flags (1), arrival ms (8), arrival counter (8), local id (8), salt slot
/// (8), the signature where the flags say so (64), the header as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryRow<'a> {
    /// See [`flags`].
    pub flags: u8,
    /// When it was stored, milliseconds since 1970 by this node's clock.
    pub ms: u64,
    /// Its place in the order of arrival.
    pub counter: u64,
    /// The local id of a status, otherwise 0.
    pub local_id: u64,
    /// The slot of the body's salt; meaningless without [`flags::BODY`].
    pub slot: u64,
    /// The signature, where it is kept (`LOG-9`).
    pub signature: Option<&'a [u8; 64]>,
    /// The header's bytes as they came.
    pub header: &'a [u8],
}

/// Flags of an [`EntryRow`].
pub(crate) mod flags {
    /// The signature is kept.
    pub(crate) const SIGNED: u8 = 1;
    /// Stands above the height that is held: no chain covers it.
    pub(crate) const LOOSE: u8 = 1 << 1;
    /// Erased: in no view, the body is served to the author's devices only (`LOG-12`).
    pub(crate) const HIDDEN: u8 = 1 << 2;
    /// Does not count: the device had ended, or another branch was settled on (`ID-7`, `LOG-13`).
    pub(crate) const VOID: u8 = 1 << 3;
    /// The body was purged and is never taken again.
    pub(crate) const PURGED: u8 = 1 << 4;
    /// Was received or made live, not from a backlog or an import.
    pub(crate) const LIVE: u8 = 1 << 5;
    /// A body is held.
    pub(crate) const BODY: u8 = 1 << 6;
}

impl<'a> EntryRow<'a> {
    const FIXED: usize = 33;

    /// Reads a stored row; none if it can't be one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = bytes.split_at_checked(Self::FIXED)?;
        let flags = fixed[0];
        let (signature, header) = match flags & flags::SIGNED {
            0 => (None, rest),
            _ => rest.split_first_chunk::<64>().map(|(signature, header)| (Some(signature), header))?,
        };
        Some(Self {
            flags,
            ms: u64_at(fixed, 1),
            counter: u64_at(fixed, 9),
            local_id: u64_at(fixed, 17),
            slot: u64_at(fixed, 25),
            signature,
            header,
        })
    }

    /// Writes the row into `to`, which is cleared first.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        to.clear();
        let signed = if self.signature.is_some() { flags::SIGNED } else { 0 };
        to.push(self.flags & !flags::SIGNED | signed);
        for number in [self.ms, self.counter, self.local_id, self.slot] {
            to.extend_from_slice(&number.to_le_bytes());
        }
        to.extend_from_slice(self.signature.map_or(&[], |signature| signature.as_slice()));
        to.extend_from_slice(self.header);
    }

    /// True where every flag of `mask` is set.
    pub(crate) fn is(&self, mask: u8) -> bool {
        self.flags & mask == mask
    }

    /// True where the entry counts: neither erased nor void.
    pub(crate) fn is_live(&self) -> bool {
        self.flags & (flags::HIDDEN | flags::VOID) == 0
    }

    /// True if an erase has hidden it whose body is still there: for its author's devices (`PAIR-7`).
    pub(crate) fn is_hidden_body(&self) -> bool {
        self.flags & (flags::HIDDEN | flags::VOID | flags::BODY) == flags::HIDDEN | flags::BODY
    }
}

impl LogRow {
    /// No height: the log is not disputed, or not void.
    pub(crate) const NONE: u64 = u64::MAX;

    /// A log of which nothing is held.
    pub(crate) fn empty(log: LogId, author: u32, device: DeviceId) -> Self {
        Self {
            log,
            author,
            device,
            height: 0,
            head: Digest([0; 32]),
            time_ms: 0,
            changed: 0,
            disputed_from: Self::NONE,
            void_from: Self::NONE,
            loose: 0,
        }
    }

    /// The first place that is held and void.
    pub(crate) fn first_void(&self) -> Option<u64> {
        (self.void_from < self.height).then_some(self.void_from)
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn digest_at(bytes: &[u8], at: usize) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(&bytes[at..at + 32]);
    digest
}

/// A record of fixed width: its bytes, and the way back.
macro_rules! fixed_record {
    ($name:ident, $table_type:literal, $width:literal, |$row:ident| $parts:expr, |$bytes:ident| $read:expr) => {
        impl Value for $name {
            type SelfType<'a> = $name;
            type AsBytes<'a> = [u8; $width];

            fn fixed_width() -> Option<usize> {
                Some($width)
            }

            fn from_bytes<'a>($bytes: &'a [u8]) -> Self
            where
                Self: 'a,
            {
                $read
            }

            fn as_bytes<'a, 'b: 'a>($row: &'a Self) -> [u8; $width]
            where
                Self: 'b,
            {
                let mut bytes = [0; $width];
                let mut at = 0;
                for part in $parts {
                    let part: &[u8] = part;
                    bytes[at..at + part.len()].copy_from_slice(part);
                    at += part.len();
                }
                bytes
            }

            fn type_name() -> TypeName {
                TypeName::new($table_type)
            }
        }
    };
}

fixed_record!(
    IdentityRow,
    "xom::IdentityRow",
    52,
    |row| [
        row.did.0.as_slice(),
        &row.first_seen_ms.to_le_bytes(),
        &row.changed.to_le_bytes(),
        &row.objects.to_le_bytes()
    ],
    |bytes| Self {
        did: Did(digest_at(bytes, 0)),
        first_seen_ms: u64_at(bytes, 32),
        changed: u64_at(bytes, 40),
        objects: u32_at(bytes, 48),
    }
);

fixed_record!(
    LogRow,
    "xom::LogRow",
    144,
    |row| [
        row.log.0.as_slice(),
        &row.device.0,
        &row.head.0,
        &row.height.to_le_bytes(),
        &row.time_ms.to_le_bytes(),
        &row.changed.to_le_bytes(),
        &row.disputed_from.to_le_bytes(),
        &row.void_from.to_le_bytes(),
        &row.author.to_le_bytes(),
        &row.loose.to_le_bytes(),
    ],
    |bytes| Self {
        log: LogId(digest_at(bytes, 0)),
        device: DeviceId(digest_at(bytes, 32)),
        head: Digest(digest_at(bytes, 64)),
        height: u64_at(bytes, 96),
        time_ms: u64_at(bytes, 104),
        changed: u64_at(bytes, 112),
        disputed_from: u64_at(bytes, 120),
        void_from: u64_at(bytes, 128),
        author: u32_at(bytes, 136),
        loose: u32_at(bytes, 140),
    }
);

/// Stands in place of a count where an arrival is of an identity.
const IDENTITY: u32 = 0;
/// Stands in place of a count where an arrival is a change of a log.
const LOG: u32 = u32::MAX;

fixed_record!(
    ArrivalRow,
    "xom::ArrivalRow",
    16,
    |row| [&row.parts().0.to_le_bytes() as &[u8], &row.parts().1.to_le_bytes(), &row.parts().2.to_le_bytes()],
    |bytes| match u32_at(bytes, 12) {
        IDENTITY => Self::Identity(u32_at(bytes, 0)),
        LOG => Self::Log(u32_at(bytes, 0)),
        count => Self::Entries { log: u32_at(bytes, 0), seq: u64_at(bytes, 4), count },
    }
);

fixed_record!(
    ErasureRow,
    "xom::ErasureRow",
    13,
    |row| [&row.seen_ms.to_le_bytes() as &[u8], &row.author.to_le_bytes(), &[u8::from(row.ordered)]],
    |bytes| Self { seen_ms: u64_at(bytes, 0), author: u32_at(bytes, 8), ordered: bytes[12] != 0 }
);

fixed_record!(BlobRow, "xom::BlobRow", 9, |row| [&row.bytes.to_le_bytes() as &[u8], &[row.state.code()]], |bytes| {
    Self { bytes: u64_at(bytes, 0), state: BlobState::from_code(bytes[8]) }
});

impl ArrivalRow {
    fn parts(&self) -> (u32, u64, u32) {
        match *self {
            Self::Entries { log, seq, count } => (log, seq, count),
            Self::Identity(identity) => (identity, 0, IDENTITY),
            Self::Log(log) => (log, 0, LOG),
        }
    }
}

impl BlobState {
    fn code(self) -> u8 {
        match self {
            Self::Wanted => 0,
            Self::Held => 1,
            Self::Refused => 2,
            Self::Dropping => 3,
            Self::DroppingForGood => 4,
            Self::Evicted => 5,
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Held,
            2 => Self::Refused,
            3 => Self::Dropping,
            4 => Self::DroppingForGood,
            5 => Self::Evicted,
            _ => Self::Wanted,
        }
    }
}
