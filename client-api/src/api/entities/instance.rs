//! The node as an instance, in Mastodon's two versions of it.

use serde_json::{Value, json};
use xom_protocol::limits;

use super::Account;
use crate::api::compose::{POLL_SECS_MAX, POLL_SECS_MIN};
use crate::api::v1::statuses::aside::PINS_MAX;
use crate::http::Base;

/// The version of Mastodon whose API this is; clients read the first token as X.Y.Z.
const SPOKEN_VERSION: &str = "4.7.0";
/// `api_versions.mastodon` of that version.
const SPOKEN_API: u64 = 10;
/// Types that a client may offer for upload; the bytes decide what a medium is.
const MEDIA_TYPES: [&str; 14] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/flac",
    "audio/mp4",
    "audio/aac",
];
const PIXELS_MAX: u64 = 1 << 26;
const FRAMES_PER_SEC_MAX: u64 = 120;
const DESCRIPTION: &str = "A node of xom, a decentralized social network.";

/// What is counted for the instance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Identities of this node.
    pub users: u64,
    /// Their statuses.
    pub statuses: u64,
}

/// The version text that clients parse.
pub fn version() -> String {
    format!("{SPOKEN_VERSION} (compatible; xom {})", env!("CARGO_PKG_VERSION"))
}

/// `/api/v2/instance`.
pub fn v2(base: &Base, contact: Option<&Account>, counts: Counts) -> Value {
    let icon = base.url("/avatars/instance.svg");
    json!({
        "domain": base.domain(),
        "title": "xom",
        "version": version(),
        "source_url": base.as_str(),
        "description": DESCRIPTION,
        "usage": {"users": {"active_month": counts.users}},
        "thumbnail": {"url": icon, "blurhash": null, "description": null, "versions": null},
        "icon": [{"src": icon, "size": "512x512"}],
        "languages": ["vi", "en"],
        "configuration": configuration(base),
        "registrations": {
            "enabled": false, "approval_required": false, "reason_required": false,
            "message": null, "min_age": null, "url": null,
        },
        "api_versions": {"mastodon": SPOKEN_API},
        "contact": {"email": email(base), "account": contact},
        "rules": [],
    })
}

/// `/api/v1/instance`.
pub fn v1(base: &Base, contact: Option<&Account>, counts: Counts) -> Value {
    json!({
        "uri": base.domain(),
        "title": "xom",
        "short_description": DESCRIPTION,
        "description": DESCRIPTION,
        "email": email(base),
        "version": version(),
        "urls": {"streaming_api": base.websocket()},
        "stats": {"user_count": counts.users, "status_count": counts.statuses, "domain_count": 1},
        "thumbnail": base.url("/avatars/instance.svg"),
        "languages": ["vi", "en"],
        "registrations": false,
        "approval_required": false,
        "invites_enabled": false,
        "configuration": configuration(base),
        "contact_account": contact,
        "rules": [],
    })
}

fn configuration(base: &Base) -> Value {
    json!({
        "urls": {
            "streaming": base.websocket(), "status": null, "about": null,
            "privacy_policy": null, "terms_of_service": null,
        },
        "vapid": {"public_key": ""},
        "accounts": {
            "max_featured_tags": 0,
            "max_pinned_statuses": PINS_MAX,
            "max_profile_fields": limits::PROFILE_FIELDS_MAX,
            "profile_field_name_limit": limits::PROFILE_FIELD_CHARS_MAX,
            "profile_field_value_limit": limits::PROFILE_FIELD_CHARS_MAX,
            "max_display_name_length": limits::PROFILE_NAME_CHARS_MAX,
            "max_note_length": limits::PROFILE_BIO_CHARS_MAX,
            "max_avatar_description_length": limits::ALT_CHARS_MAX,
            "max_header_description_length": limits::ALT_CHARS_MAX,
        },
        "statuses": {
            "max_characters": limits::POST_CHARS_MAX,
            "max_media_attachments": limits::ATTACHMENTS_MAX,
            "characters_reserved_per_url": 23,
        },
        "media_attachments": {
            "supported_mime_types": MEDIA_TYPES,
            "description_limit": limits::ALT_CHARS_MAX,
            "image_size_limit": limits::BLOB_BYTES_MAX,
            "image_matrix_limit": PIXELS_MAX,
            "video_size_limit": limits::BLOB_BYTES_MAX,
            "video_frame_rate_limit": FRAMES_PER_SEC_MAX,
            "video_matrix_limit": PIXELS_MAX,
        },
        "polls": {
            "max_options": limits::POLL_OPTIONS_MAX,
            "max_characters_per_option": limits::POLL_OPTION_CHARS_MAX,
            "min_expiration": POLL_SECS_MIN,
            "max_expiration": POLL_SECS_MAX,
        },
        "translation": {"enabled": false},
        "timelines_access": null,
        "limited_federation": false,
    })
}

/// The schema wants an address; the owner's is nobody's business.
fn email(base: &Base) -> String {
    format!("owner@{}", base.domain())
}
