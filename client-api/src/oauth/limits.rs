//! Every bound of what apps and strangers can make this node remember.

/// Most apps that are registered; where another comes, one without a token of an identity goes, oldest first.
pub const APPS_MAX: usize = 512;
/// Most apps that strangers may register in an hour; the owner's own token is free of it.
pub const APPS_HOUR_MAX: u32 = 60;
/// Most tokens without an identity that are made in an hour.
pub const CLIENT_TOKENS_HOUR_MAX: u32 = 240;
/// Most tokens without an identity that one app has; the oldest goes.
pub const CLIENT_TOKENS_MAX: usize = 2;
/// Most tokens that one app has for one identity; the one that was used least lately goes.
pub const APP_TOKENS_MAX: usize = 16;
/// Most tokens for one identity; the one that was used least lately goes.
pub const IDENTITY_TOKENS_MAX: usize = 128;
/// Most tokens for identities; the one that was used least lately goes.
pub const TOKENS_MAX: usize = 1_024;
/// Most codes that are waited for or remembered.
pub const CODES_MAX: usize = 128;
/// How long a code may be redeemed, milliseconds (RFC 9700 asks for a short life).
pub const CODE_MS_MAX: u64 = 60 * 1000;
/// How long a redeemed code is remembered, so that its second use ends what its first use made, milliseconds.
pub const SPENT_MS_MAX: u64 = 60 * 60 * 1000;
/// Longest name of an app, characters.
pub const NAME_CHARS_MAX: usize = 60;
/// Longest address of an app's home, bytes.
pub const WEBSITE_BYTES_MAX: usize = 2_000;
/// Most addresses that an app may be sent back to.
pub const REDIRECTS_MAX: usize = 16;
/// Longest address that an app may be sent back to, bytes.
pub const REDIRECT_BYTES_MAX: usize = 2_000;
/// Longest `state`, bytes: it goes back in a header.
pub const STATE_BYTES_MAX: usize = 4_096;
/// Requests that the tokens of one app for one identity may make in [`WINDOW_MS`], unless the settings say otherwise.
pub const REQUESTS_MAX: u32 = 300;
/// The time in which requests are counted, milliseconds.
pub const WINDOW_MS: u64 = 5 * 60 * 1000;
/// How exact the last use of a token is on disk, milliseconds.
pub const LAST_USED_MS: u64 = 60 * 60 * 1000;
