//! Every size and count that the protocol bounds, each with the rule that it belongs to.
//!
//! A limit is part of the header version: changing one is a new version, not a setting.

/// Longest network name, bytes (`ENC-9`).
pub const NETWORK_NAME_BYTES_MAX: usize = 32;

/// Deepest nesting of arrays and maps in one object (`ENC-5`).
pub const DEPTH_MAX: usize = 16;
/// Most items in one object, counting every array, map, key and value (`ENC-5`).
pub const ITEMS_MAX: u64 = 16_384;
/// Longest binary CID inside an object, bytes, with the leading zero (`ENC-6`).
pub const CID_BYTES_MAX: usize = 64;

/// Longest header, bytes (`LOG-2`).
pub const HEADER_BYTES_MAX: usize = 512;
/// Longest body, bytes (`LOG-6`); the largest size class.
pub const BODY_BYTES_MAX: usize = 1 << SIZE_CLASS_MAX;
/// Smallest size class, as a power of two: 256 bytes (`LOG-6`).
pub const SIZE_CLASS_MIN: u8 = 8;
/// Largest size class, as a power of two: 256 KiB (`LOG-6`).
pub const SIZE_CLASS_MAX: u8 = 18;
/// Length of a body's salt, bytes (`LOG-6`).
pub const SALT_BYTES: usize = 32;
/// Longest kind name, bytes (`LOG-3`).
pub const KIND_BYTES_MAX: usize = 64;
/// Longest key of an app's record, bytes (`BODY-6`).
pub const RECORD_KEY_BYTES_MAX: usize = 128;
/// Longest value of an app's record, bytes (`BODY-6`).
pub const RECORD_VALUE_BYTES_MAX: usize = 65_536;
/// Latest time that a header may claim, milliseconds since 1970: the end of year 9999 (`LOG-4`).
pub const TIME_MS_MAX: u64 = 253_402_300_799_999;
/// Highest sequence number (`LOG-4`): exact in every language's numbers.
pub const SEQ_MAX: u64 = (1 << 53) - 1;
/// Highest revision of a register (`LOG-10`): exact in every language's numbers.
pub const REV_MAX: u64 = SEQ_MAX;
/// A checkpoint stands at every multiple of this sequence number above zero, and nowhere else (`LOG-8`).
pub const CHECKPOINT_INTERVAL: u64 = 256;
/// A range carries a signature at every multiple of this sequence number and at its end (`LOG-9`).
pub const SIGNATURE_INTERVAL: u64 = 32;
/// Headers kept of each branch of a fork, as proof (`LOG-13`).
pub const FORK_BRANCH_HEADERS_MAX: usize = 256;
/// Branches kept of one fork (`LOG-13`).
pub const FORK_BRANCHES_MAX: usize = 2;
/// Longest fork proof, bytes (`LOG-13`): two branches of headers with a signature each.
pub const FORK_PROOF_BYTES_MAX: usize = FORK_BRANCHES_MAX * FORK_BRANCH_HEADERS_MAX * (HEADER_BYTES_MAX + 80) + 16;
/// Longest proof that a checkpoint is void, bytes (`LOG-18`): the entry with signature and body.
pub const FAULT_PROOF_BYTES_MAX: usize = BODY_BYTES_MAX + HEADER_BYTES_MAX + 128;
/// Most logs that a checkpoint names (`LOG-8`): every log of every live device.
pub const CHECKPOINT_LOGS_MAX: usize = DEVICES_LIVE_MAX * LOGS_PER_DEVICE_MAX;

/// Least quota of a keep, bytes (`KEEP-1`).
pub const KEEP_QUOTA_BYTES_MIN: u64 = 1_000_000;
/// Greatest quota of a keep, bytes (`KEEP-1`): exact in every language's numbers.
pub const KEEP_QUOTA_BYTES_MAX: u64 = SEQ_MAX;
/// Longest time of a keep, milliseconds (`KEEP-1`): a hundred years.
pub const KEEP_FOR_MS_MAX: u64 = 100 * 365 * 86_400_000;
/// Logs in one statement of what is held (`KEEP-8`).
pub const HOLDING_LOGS_MAX: usize = 2_048;
/// Longest statement of what is held, bytes (`KEEP-8`).
pub const HOLDING_BYTES_MAX: usize = 256 << 10;
/// Longest peer id, bytes (`KEEP-6`).
pub const PEER_ID_BYTES_MAX: usize = 64;

/// Most control keys, and most next keys (`ID-4`).
pub const CONTROL_KEYS_MAX: usize = 16;
/// Most guardians (`ID-4`).
pub const GUARDIANS_MAX: usize = 16;
/// Most signatures of one identity object (`ID-2`): one list of keys, and the devices that it brings.
pub const SIGNATURES_MAX: usize = CONTROL_KEYS_MAX + RENEWAL_DEVICES_MAX;
/// Most devices that a rotation or recovery brings (`ID-6`).
pub const RENEWAL_DEVICES_MAX: usize = 8;
/// Most objects in an approval's proof: a genesis and its rotations (`ID-17`).
pub const APPROVAL_PROOF_OBJECTS_MAX: usize = 17;
/// Most recoveries that one operation names as cancelled (`ID-18`).
pub const RECOVERIES_CANCELLED_MAX: usize = 16;
/// Most locks that one operation lifts (`ID-20`).
pub const LOCKS_LIFTED_MAX: usize = 64;
/// Most devices that a retirement ends by name (`ID-21`).
pub const RETIRED_DEVICES_MAX: usize = 1_024;
/// Longest signed identity object, bytes (`ID-2`).
pub const IDENTITY_OBJECT_BYTES_MAX: usize = 1 << SIZE_CLASS_MAX;
/// Most operations signed by control keys that are kept of one identity, counting branches (`ID-12`).
pub const IDENTITY_OPERATIONS_MAX: usize = 4_096;
/// Most bytes of them (`ID-12`).
pub const IDENTITY_OPERATIONS_BYTES_MAX: usize = 2 << 20;
/// Most operations signed by next keys that are kept of one identity, counting branches (`ID-12`).
pub const IDENTITY_ROTATIONS_MAX: usize = 512;
/// Most bytes of them (`ID-12`).
pub const IDENTITY_ROTATIONS_BYTES_MAX: usize = 2 << 20;
/// Most operations signed by guardians that are kept of one identity, counting branches (`ID-12`).
pub const IDENTITY_RECOVERIES_MAX: usize = 256;
/// Most bytes of them (`ID-12`).
pub const IDENTITY_RECOVERIES_BYTES_MAX: usize = 1 << 20;
/// Most device statements kept of one identity (`ID-12`).
pub const IDENTITY_STATEMENTS_MAX: usize = 8_192;
/// Most bytes kept of one identity's statements (`ID-12`); with all others they fit one answer (`SYN-8`).
pub const IDENTITY_STATEMENTS_BYTES_MAX: usize = 5 << 19;
/// Most objects kept while what they stand on has not come (`ID-12`).
pub const IDENTITY_PENDING_MAX: usize = 256;
/// Most bytes of objects kept while what they stand on has not come (`ID-12`).
pub const IDENTITY_PENDING_BYTES_MAX: usize = 1 << 20;
/// How often room is looked for while objects that came together are taken (`ID-12`).
pub const IDENTITY_SEARCHES_MAX: u32 = 16;
/// Most addresses of a device's services (`ID-11`).
pub const SERVICE_ADDRESSES_MAX: usize = 16;
/// Longest address of a device's services or of an invite, bytes (`ID-11`, `ID-14`).
pub const SERVICE_ADDRESS_BYTES_MAX: usize = 256;
/// Most live devices of one identity (`ID-10`).
pub const DEVICES_LIVE_MAX: usize = 32;
/// Most devices that one identity can ever have had (`ID-10`).
pub const DEVICES_EVER_MAX: usize = 1_024;
/// Most public logs of one device (`LOG-1`).
pub const LOGS_PER_DEVICE_MAX: usize = 64;
/// Longest purpose id of a log, bytes (`LOG-1`).
pub const LOG_PURPOSE_ID_BYTES_MAX: usize = 64;

/// Longest post, characters (`BODY-2`).
pub const POST_CHARS_MAX: usize = 5_000;
/// Longest content warning, characters (`BODY-2`).
pub const WARNING_CHARS_MAX: usize = 500;
/// Longest description of an attachment, characters (`BODY-2`).
pub const ALT_CHARS_MAX: usize = 1_500;
/// Most attachments of a post (`BODY-2`); Mastodon archives carry up to 16.
pub const ATTACHMENTS_MAX: usize = 16;
/// Most mentions, tags or links of a post, each (`BODY-2`).
pub const MENTIONS_MAX: usize = 128;
/// Longest tag, characters (`BODY-2`).
pub const TAG_CHARS_MAX: usize = 100;
/// Longest web address, bytes (`BODY-2`).
pub const URL_BYTES_MAX: usize = 2_048;
/// Longest media type, language tag or blurhash, bytes (`BODY-2`).
pub const LABEL_BYTES_MAX: usize = 100;
/// Greatest width or height of a picture, pixels (`BODY-2`).
pub const PIXELS_MAX: u64 = 1 << 20;
/// Most languages of a post (`BODY-2`).
pub const LANGUAGES_MAX: usize = 8;
/// Most options of a poll (`BODY-3`).
pub const POLL_OPTIONS_MAX: usize = 20;
/// Longest option of a poll, characters (`BODY-3`).
pub const POLL_OPTION_CHARS_MAX: usize = 200;
/// Most votes of an option, and most voters (`BODY-3`): exact in every language's numbers.
pub const VOTES_MAX: u64 = SEQ_MAX;
/// Longest reaction, bytes (`BODY-5`): one emoji with its modifiers.
pub const REACTION_BYTES_MAX: usize = 64;
/// Longest display name, characters (`BODY-1`).
pub const PROFILE_NAME_CHARS_MAX: usize = 100;
/// Longest biography, characters (`BODY-1`).
pub const PROFILE_BIO_CHARS_MAX: usize = 2_000;
/// Most free fields of a profile (`BODY-1`).
pub const PROFILE_FIELDS_MAX: usize = 16;
/// Longest name or value of a profile's free field, characters (`BODY-1`).
pub const PROFILE_FIELD_CHARS_MAX: usize = 255;
/// Longest user name, characters (`BODY-1`).
pub const USERNAME_CHARS_MAX: usize = 30;

/// Largest blob, bytes (`BLOB-2`).
pub const BLOB_BYTES_MAX: u64 = 40 << 20;
/// Bytes of a group of a blob, the last one apart (`BLOB-5`).
pub const BLOB_GROUP_BYTES: usize = 16 << 10;
/// Groups of the largest blob (`BLOB-3`).
pub const BLOB_GROUPS_MAX: u32 = 2_560;
/// Most groups that one request asks for (`BLOB-3`).
pub const BLOB_REQUEST_GROUPS_MAX: u32 = 256;

/// How long the bytes of an erased body are kept before they are purged, milliseconds (`LOG-12`).
pub const ERASE_DELAY_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Longest invite, bytes (`ID-14`).
pub const INVITE_BYTES_MAX: usize = 1_024;
/// Most addresses in an invite (`ID-14`).
pub const INVITE_ADDRESSES_MAX: usize = 8;

/// Longest offer to pair, bytes (`PAIR-1`).
pub const PAIR_OFFER_BYTES_MAX: usize = 1_024;
/// How long an offer to pair holds, milliseconds (`PAIR-1`).
pub const PAIR_OFFER_MS: u64 = 600_000;
/// Longest message of a pairing, `granted` apart, bytes (`PAIR-2`).
pub const PAIR_MESSAGE_BYTES_MAX: usize = 512;
/// How long each message of a pairing may be waited for before digits are shown, milliseconds (`PAIR-2`).
pub const PAIR_ANSWER_MS: u64 = 20_000;
/// How often one offer may come as far as digits (`PAIR-6`).
pub const PAIR_TRIES_MAX: u32 = 3;
/// Wrong secrets after which an offer is void (`PAIR-6`).
pub const PAIR_WRONG_MAX: u32 = 64;
/// Longest receipt, bytes (`RCP-1`).
pub const RECEIPT_BYTES_MAX: usize = 512;
/// Most holders of which the answers to one erasure are kept (`RCP-3`).
pub const RECEIPTS_PER_ENTRY_MAX: usize = 1_024;
/// Most receipts that a holder or carrier keeps for one author until they are delivered (`RCP-4`).
pub const RECEIPTS_WAITING_MAX: usize = 16_384;
/// Most receipts of one message (`RCP-5`).
pub const RECEIPTS_MAX: usize = 256;
/// Most known copies of one message (`RCP-6`).
pub const COPIES_MAX: usize = 1_024;
/// Most bytes of identity objects that travel with the receipts of one holder; above, none do (`RCP-5`).
pub const RECEIPT_OBJECTS_BYTES: u64 = 256 << 10;

/// Longest key of a private setting, bytes (`PAIR-8`).
pub const SETTING_KEY_BYTES_MAX: usize = 128;
/// Longest value of a private setting, bytes (`PAIR-8`).
pub const SETTING_VALUE_BYTES_MAX: usize = 1_024;
/// Most private settings of an identity (`PAIR-8`).
pub const SETTINGS_MAX: usize = 16_384;
/// Most private settings of one message (`PAIR-8`).
pub const SETTINGS_MESSAGE_MAX: usize = 256;
/// How many changes of a private setting there are between two operations of the identity log (`PAIR-9`).
pub const SETTING_CHANGES_MAX: u64 = 1 << 40;
/// Longest name of a device, bytes (`PAIR-8`).
pub const DEVICE_NAME_BYTES_MAX: usize = 64;

/// Largest frame body, bytes (`SYN-1`).
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Longest text in a message, bytes (`SYN-1`).
pub const MESSAGE_TEXT_BYTES_MAX: usize = 200;
/// Greatest number in a message, epochs apart (`SYN-1`): exact in every language's numbers.
pub const MESSAGE_NUMBER_MAX: u64 = SEQ_MAX;
/// Frames that bring nothing new: this many at once, and one more a second (`SYN-15`).
pub const IDLE_FRAMES_MAX: u64 = 256;
/// Faults that are no break of the conversation itself, before the stream is closed (`SYN-15`).
pub const FAULTS_MAX: u64 = 8;
/// Most proofs of one session (`SYN-4`).
pub const PROOFS_MAX: usize = 4;
/// Length of a salted id, bytes (`SYN-5`).
pub const SALTED_ID_BYTES: usize = 16;
/// Most ids of one offer message (`SYN-5`).
pub const OFFER_IDS_MAX: usize = 8_192;
/// Most ids that a peer may offer in one session (`SYN-5`).
pub const OFFERED_IDS_MAX: u64 = 1 << 20;
/// Identities and logs from which on sets are compared by spans rather than in full (`SYN-24`): here a full comparison
/// has become some 140 kB, which a home line takes as long to send as the round trips that spans need more; see
/// decision 0055 for the figures.
pub const SPANS_ITEMS_MIN: usize = 1_000;
/// Parts into which a span is split whose prints differ (`SYN-26`).
pub const SPAN_SPLIT: usize = 16;
/// Items of a span up to which it is listed rather than split (`SYN-26`).
pub const SPAN_LIST_MAX: usize = 32;
/// Bytes of the print of a span (`SYN-25`).
pub const SPAN_PRINT_BYTES: usize = 16;
/// Most prints, and most lists, of one message (`SYN-27`).
pub const SPAN_PRINTS_MAX: usize = 2_048;
/// Most items of all lists of one message (`SYN-27`).
pub const SPAN_LISTED_MAX: usize = 16_384;
/// Most messages with spans of one side in a session (`SYN-27`): 2^20 items of which none is in common need 64 for
/// their lists and about as many for their prints.
pub const SPAN_MESSAGES_MAX: u64 = 512;
/// Most spans that wait to be sent (`SYN-27`): four levels of [`SPAN_PRINTS_MAX`] split spans.
pub const SPANS_WAITING_MAX: usize = 1 << 17;
/// Most heads, and most identity digests, of one message (`SYN-7`).
pub const HEADS_MAX: usize = 1_024;
/// Most bytes of all objects of one identity (`SYN-8`).
pub const IDENTITY_BYTES_MAX: usize = 8 << 20;
/// Most objects of one identity (`SYN-8`).
pub const IDENTITY_OBJECTS_MAX: usize =
    1 + IDENTITY_OPERATIONS_MAX + IDENTITY_ROTATIONS_MAX + IDENTITY_RECOVERIES_MAX + IDENTITY_STATEMENTS_MAX;
/// How often in one session the objects of one identity are asked for (`SYN-8`).
pub const IDENTITY_TRIES_MAX: u64 = 64;
/// Most unanswered requests that one side may have (`SYN-9`).
pub const REQUESTS_MAX: usize = 4;
/// Most entries of one request, and of one frame (`SYN-9`, `SYN-10`).
pub const RANGE_ENTRIES_MAX: u64 = 2_048;
/// How often a peer may ask again for what it was given of one log (`SYN-9`).
pub const REPEATS_MAX: u64 = 16;
/// How often a side asks a peer again for places of one log whose bodies it lacks (`SYN-21`).
pub const BODY_TRIES_MAX: u64 = 8;
/// Places of one log whose bodies are lacked that are looked at in a session (`SYN-21`).
pub const BODIES_LACKED_MAX: usize = 1_024;
/// Bytes after which the answer to a request ends at the next signed entry (`SYN-10`).
pub const ANSWER_BYTES: u64 = 512 << 10;
/// Bytes that are being stored, above which nothing more is asked for (`SYN-9`).
pub const APPLYING_BYTES: u64 = 4 << 20;
/// Bytes that one frame of an answer aims at (`SYN-10`).
pub const ANSWER_FRAME_BYTES: u64 = 256 << 10;
/// Most pushes that are not yet acknowledged (`SYN-11`).
pub const PUSHES_MAX: u64 = 64;
/// Bytes of pushes not yet acknowledged from which on only heads are told (`SYN-11`).
pub const PUSHES_BYTES: u64 = 4 << 20;
/// Most entries of one push (`SYN-11`).
pub const PUSH_ENTRIES_MAX: usize = 64;
/// Most bytes of entries that are pushed at once; of more the head is told (`SYN-11`).
pub const PUSH_BYTES: u64 = 320 << 10;
/// Most aimed entries of one session at once, and one more a second (`SYN-12`).
pub const AIMED_ENTRIES_MAX: usize = 1_024;
/// Bytes of the aimed entries that are loaded for one identity (`SYN-12`).
pub const AIMED_BYTES: u64 = 2 << 20;
/// Most bytes of identity objects that travel with aimed entries; above, none do (`SYN-12`).
pub const AIMED_OBJECTS_BYTES: u64 = 256 << 10;
/// How often in one session the headers of a fork of one log are asked for (`SYN-13`).
pub const FORK_TRIES_MAX: u64 = 32;
/// Entries that one admission names (`ADM-1`).
pub const ADMIT_ENTRIES_MAX: usize = 4;
/// Admitted entries that are asked for in one request (`ADM-6`).
pub const SINGLES_MAX: usize = 16;
/// Admitted entries of one log that are asked for in a session, at most (`ADM-6`).
pub const SINGLES_A_SESSION_MAX: u64 = 8_192;
/// A body that is admitted, bytes (`ADM-6`).
pub const ADMITTED_BODY_BYTES: usize = 16 << 10;
/// Objects of an identity that travel with what is admitted, bytes (`ADM-6`).
pub const ADMITTED_OBJECTS_BYTES: u64 = 16 << 10;
/// The first pause before admitted entries that a peer lacked are asked for again, milliseconds; it doubles (`ADM-6`).
pub const SINGLES_PAUSE_MS: u64 = 2_000;
/// The longest such pause, milliseconds (`ADM-6`).
pub const SINGLES_PAUSE_MS_MAX: u64 = 300_000;

/// Most headers of one answer to a request for ancestors (`SYN-23`).
pub const ANCESTORS_MAX: usize = 1_024;
/// Requests for ancestors of one log that a session takes for each [`ANCESTORS_MAX`] places of it, above the first
/// [`FORK_TRIES_MAX`] (`SYN-23`): the way down is long, and may be gone again in parts.
pub const ANCESTRY_SHARE: u64 = 2;
/// Rungs that are kept of one way from a named head down; of more, every second goes (`LOG-19`).
pub const RUNGS_MAX: usize = 4_096;
/// Proofs of one kind and log in a session, in one direction (`SYN-19`).
pub const PROOFS_A_LOG_MAX: u64 = 8;
/// Headers at and before the place where two branches differ in the answer to a fork request (`SYN-13`).
pub const FORK_LEAD: u64 = FORK_BRANCH_HEADERS_MAX as u64 - SIGNATURE_INTERVAL;
/// Within this time both sides have said hello and proven who they are, milliseconds (`SYN-14`).
pub const HANDSHAKE_MS: u64 = 10_000;
/// Within this time the first offer is complete, milliseconds (`SYN-14`).
pub const OFFER_MS: u64 = 60_000;
/// A side that has sent nothing for this long sends a ping, milliseconds (`SYN-14`).
pub const PING_MS: u64 = 20_000;
/// A side from which nothing came for this long is gone, milliseconds (`SYN-14`).
pub const SILENCE_MS: u64 = 60_000;
/// How long the answer to a request may take, milliseconds, apart from its bytes (`SYN-14`).
pub const ANSWER_MS: u64 = 60_000;
/// For each of this many bytes an answer may take a second longer (`SYN-14`).
pub const ANSWER_BYTES_PER_SECOND: u64 = 4 << 10;
/// How long an acknowledgement of a push may take, milliseconds (`SYN-11`).
pub const ACKNOWLEDGE_MS: u64 = 60_000;
/// Between the start of a recovery on an identity's log and a guardian's second signature,
/// milliseconds, by the guardian's own clock (`REC-5`).
pub const RECOVERY_DELAY_MS: u64 = 72 * 60 * 60 * 1_000;
/// The longest wait that a guardian's node may tell, seconds: a year (`REC-6`).
pub const RECOVERY_WAIT_SECS_MAX: u64 = 366 * 24 * 60 * 60;
/// Requests of one account that wait for an owner's word on one node (`REC-3`).
pub const RECOVERY_REQUESTS_PER_ACCOUNT_MAX: usize = 8;
/// Requests that are kept on one node (`REC-3`).
pub const RECOVERY_REQUESTS_MAX: usize = 64;

/// Longest source of an expression in a feed, bytes (`FEED-1`).
pub const FEED_SOURCE_BYTES_MAX: usize = 2_048;
/// Most literals, fields, operators and calls of an expression (`FEED-1`).
pub const FEED_NODES_MAX: usize = 256;
/// Most expressions inside one another (`FEED-1`): each takes some frames of the machine's stack while it is read.
pub const FEED_DEPTH_MAX: usize = 24;
/// The most that a run of an expression may cost (`FEED-11`): about 10 microseconds.
pub const FEED_COST_MAX: u64 = 4_096;

/// Longest rule document, bytes (`ALG-1`).
pub const ALGORITHM_BYTES_MAX: usize = 64 << 10;
/// Longest name of a parameter, clause or term, and longest language tag, bytes (`ALG-2`).
pub const ALGORITHM_ID_BYTES_MAX: usize = 32;
/// Most languages of a text of a rule document (`ALG-2`).
pub const ALGORITHM_LANGUAGES_MAX: usize = 16;
/// Longest name of an algorithm or test case, characters (`ALG-2`, `ALG-6`).
pub const ALGORITHM_NAME_CHARS_MAX: usize = 100;
/// Longest summary, and longest word on what is new, characters (`ALG-2`).
pub const ALGORITHM_SUMMARY_CHARS_MAX: usize = 1_000;
/// Longest label, characters (`ALG-2`).
pub const ALGORITHM_LABEL_CHARS_MAX: usize = 200;
/// Most parameters (`ALG-2`).
pub const ALGORITHM_PARAMS_MAX: usize = 16;
/// Most sources (`ALG-3`); a candidate says in eight bits which it came from.
pub const ALGORITHM_SOURCES_MAX: usize = 8;
/// Farthest that a source reaches back, hours (`ALG-3`): a leap year.
pub const ALGORITHM_HOURS_MAX: u32 = 366 * 24;
/// Most filters (`ALG-5`).
pub const ALGORITHM_FILTERS_MAX: usize = 16;
/// Most terms (`ALG-5`).
pub const ALGORITHM_TERMS_MAX: usize = 32;
/// The most that all filters and terms together may cost for one post (`ALG-5`).
pub const ALGORITHM_COST_MAX: u64 = 4_096;
/// Most test cases (`ALG-6`).
pub const ALGORITHM_CASES_MAX: usize = 64;
/// Most caps: one by author, one by thread (`ALG-9`).
pub const ALGORITHM_CAPS_MAX: usize = 2;
/// Most mixes (`ALG-9`).
pub const ALGORITHM_MIXES_MAX: usize = 4;
/// Most posts in a row that a cap or mix looks at (`ALG-9`).
pub const ALGORITHM_WINDOW_MAX: u32 = 100;
/// How long one moment of a feed lasts, seconds (`ALG-7`).
pub const FEED_BUCKET_SECS: u64 = 300;
/// Positions of a feed for which caps and mixes hold (`ALG-9`): each may have to look at all candidates.
pub const FEED_POSITIONS_MAX: usize = 1_000;
/// Longest text in which an author writes an algorithm, bytes: comments are worth as much as rules.
pub const ALGORITHM_SOURCE_BYTES_MAX: usize = 128 << 10;

/// Longest announcement, bytes (`GSP-3`): a header and its signature, with what stands between them.
pub const ANNOUNCEMENT_BYTES_MAX: usize = HEADER_BYTES_MAX + 72;
/// Most topics that a node joins, and most that it remembers of a peer (`GSP-1`).
pub const TOPICS_MAX: usize = 64;
/// Most authors on the roster of a topic (`GSP-4`).
pub const ROSTER_MAX: usize = 4_096;
/// Announcements of one author that are passed on at once (`GSP-6`).
pub const ANNOUNCEMENTS_OF_AUTHOR_MAX: u64 = 8;
/// After this time one more is, milliseconds (`GSP-6`).
pub const ANNOUNCEMENT_OF_AUTHOR_EACH_MS: u64 = 10_000;
/// Messages of one peer that are looked at at once (`GSP-6`).
pub const GOSSIP_MESSAGES_MAX: u64 = 256;
/// After this time one more is, milliseconds (`GSP-6`).
pub const GOSSIP_MESSAGE_EACH_MS: u64 = 125;
/// Frames of one peer that are looked at at once (`GSP-6`): all topics joined, left and told of, some times over.
pub const GOSSIP_FRAMES_MAX: u64 = 1_024;
/// After this time one more is, milliseconds (`GSP-6`).
pub const GOSSIP_FRAME_EACH_MS: u64 = 8;
/// Longest frame of gossip, bytes (`GSP-2`).
pub const GOSSIP_FRAME_BYTES_MAX: usize = 64 << 10;
